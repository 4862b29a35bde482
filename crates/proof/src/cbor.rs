//! What the codec of the wire forms lacks.

use minicbor::Encode;

/// Signed 128-bit integers as 16 big-endian bytes: sums of 64-bit values do not fit a CBOR integer.
pub(crate) mod int128 {
    use minicbor::{Decoder, Encoder, decode::Error, encode as to};

    pub(crate) fn encode<C, W: to::Write>(
        value: &i128,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), to::Error<W::Error>> {
        e.bytes(&value.to_be_bytes())?.ok()
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<i128, Error> {
        let bytes = d.bytes()?.try_into().map_err(|_| Error::message("wrong length"))?;
        Ok(i128::from_be_bytes(bytes))
    }
}

/// How many bytes a value has on the wire.
pub(crate) fn encoded_len(value: &impl Encode<()>) -> usize {
    let mut count = Count(0);
    match minicbor::encode(value, &mut count) {
        Ok(()) => count.0,
        // Counting does not fail, nor does an encoder of this crate.
        Err(_) => usize::MAX,
    }
}

struct Count(usize);

impl minicbor::encode::Write for Count {
    type Error = core::convert::Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(())
    }
}
