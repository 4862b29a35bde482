//! What the codec of the wire forms lacks.

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
