use alloc::vec::Vec;
use minicbor::{Decode, Encode, Encoder};

/// Why bytes are not the canonical encoding of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// More bytes than the type may have.
    #[error("{len} bytes, but at most {max} are allowed")]
    TooLong {
        /// Bytes given.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not CBOR of the expected shape.
    #[error("malformed at byte {position}")]
    Malformed {
        /// Offset of the first byte that does not fit.
        position: usize,
    },
    /// The shape is right, but a value would be encoded differently (RFC 8949 §4.2), or bytes follow.
    #[error("not the canonical encoding")]
    NotCanonical,
    /// A value is outside its stated bounds.
    #[error("{0} is out of bounds")]
    OutOfBounds(&'static str),
}

/// A value with exactly one encoding on wire and disk.
///
/// Implementors derive [`Encode`] and [`Decode`]; [`Wire::from_wire`] then encodes what it decoded and
/// compares, which makes `encode(decode(b)) == b` true by construction: no second encoding of the
/// same value, no trailing bytes, no ignored field can pass.
pub trait Wire: Encode<()> + for<'b> Decode<'b, ()> {
    /// Longest encoding accepted, bytes.
    const BYTES_MAX: usize;

    /// Bounds that the shape alone does not express.
    ///
    /// # Errors
    /// [`WireError::OutOfBounds`] naming the field.
    fn validate(&self) -> Result<(), WireError> {
        Ok(())
    }

    /// The canonical bytes.
    fn to_wire(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`WireError`] if the bytes are too long, malformed, not canonical or out of bounds.
    fn from_wire(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > Self::BYTES_MAX {
            return Err(WireError::TooLong { len: bytes.len(), max: Self::BYTES_MAX });
        }
        let mut decoder = minicbor::Decoder::new(bytes);
        let value: Self =
            decoder.decode().map_err(|_| WireError::Malformed { position: decoder.position() })?;
        value.validate()?;
        if !is_encoding(bytes, |e| e.encode(&value).map(|_| ())) {
            return Err(WireError::NotCanonical);
        }
        Ok(value)
    }
}

/// Whether `bytes` are exactly what `write` writes. Compared as it is written: reading happens for
/// every transaction, record and node, and a second copy of each would cost more than the comparison.
pub(crate) fn is_encoding(
    bytes: &[u8],
    write: impl FnOnce(&mut Encoder<Compare<'_>>) -> Result<(), minicbor::encode::Error<Differs>>,
) -> bool {
    let mut encoder = Encoder::new(Compare { rest: bytes });
    write(&mut encoder).is_ok() && encoder.writer().rest.is_empty()
}

/// A writer that keeps nothing and fails at the first byte that is not the expected one.
pub(crate) struct Compare<'a> {
    rest: &'a [u8],
}

/// What was written is not what was expected.
#[derive(Debug)]
pub(crate) struct Differs;

impl minicbor::encode::Write for Compare<'_> {
    type Error = Differs;

    fn write_all(&mut self, written: &[u8]) -> Result<(), Differs> {
        self.rest = self.rest.strip_prefix(written).ok_or(Differs)?;
        Ok(())
    }
}

/// Encodes into memory, which cannot fail: the writer is a `Vec` and no `Encode` here refuses.
pub(crate) fn encode<T: Encode<()> + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    match minicbor::encode(value, &mut out) {
        Ok(()) => out,
        Err(_) => unreachable!("encoding into a Vec has no error"),
    }
}

/// Byte strings of a fixed length as CBOR `bstr`.
pub(crate) mod fixed {
    use minicbor::{Decoder, Encoder, decode::Error, encode as to};

    pub(crate) fn encode<C, W: to::Write, const N: usize>(
        bytes: &[u8; N],
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), to::Error<W::Error>> {
        e.bytes(bytes)?.ok()
    }

    pub(crate) fn decode<'b, C, const N: usize>(
        d: &mut Decoder<'b>,
        _: &mut C,
    ) -> Result<[u8; N], Error> {
        d.bytes()?.try_into().map_err(|_| Error::message("wrong length"))
    }
}

/// Signed 128-bit integers as 16 big-endian bytes: sums of 64-bit values do not fit a CBOR integer.
pub(crate) mod int128 {
    use minicbor::{Decoder, Encoder, decode::Error, encode as to};

    pub(crate) fn encode<C, W: to::Write>(
        value: &i128,
        e: &mut Encoder<W>,
        c: &mut C,
    ) -> Result<(), to::Error<W::Error>> {
        super::fixed::encode(&value.to_be_bytes(), e, c)
    }

    pub(crate) fn decode<'b, C>(d: &mut Decoder<'b>, c: &mut C) -> Result<i128, Error> {
        super::fixed::decode(d, c).map(i128::from_be_bytes)
    }
}
