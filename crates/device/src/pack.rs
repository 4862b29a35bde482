use core::fmt;

use ed25519_compact::{KeyPair, Seed};
use minicbor::data::Tag;
use minicbor::encode::write::{Cursor, EndOfSlice};
use minicbor::encode::{Error as EncodeError, Write};
use minicbor::{Encoder, data::Int};

/// Longest pack, bytes; the ledger takes packs up to 4096.
pub const PACK_BYTES_MAX: usize = 1024;
/// Most readings of one pack.
pub const READINGS_MAX: usize = 64;
/// Most decimal places of a number.
const SCALE_MAX: u8 = 15;
/// Longest name of a property, bytes.
const NAME_BYTES_MAX: usize = 64;
/// Bytes of the protected header, at most.
const PROTECTED_BYTES_MAX: usize = 100;
/// Begins the external additional data of every signature.
const AAD_DOMAIN: &[u8] = b"althing/pack/1";
const AAD_BYTES: usize = 14 + 32 + 32;

/// One reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading<'a> {
    /// Milliseconds after the base time of its pack.
    pub after_ms: i64,
    /// The value.
    pub value: Value<'a>,
}

/// A value, never a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Mantissa at the scale of the stream: 2150 at scale 2 is 21.50.
    Number(i64),
    /// True or false.
    Bool(bool),
    /// Text, at most 1024 bytes.
    Text(&'a str),
    /// At most 1024 bytes.
    Bytes(&'a [u8]),
}

/// The stream that readings belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream<'a> {
    /// Its id on the ledger.
    pub id: [u8; 32],
    /// Name of its property.
    pub name: &'a str,
    /// Decimal places of its numbers, as the Thing Description has them; 0 for other kinds.
    pub scale: u8,
}

/// A device with its key.
pub struct Device {
    key: KeyPair,
    entity: [u8; 32],
    ledger: [u8; 32],
}

/// Why readings are not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignError {
    /// There is no room for the pack, here or on the ledger.
    TooLong,
    /// No reading, too many, a name or a scale out of bounds.
    OutOfBounds,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Device(secret)")
    }
}

impl From<EncodeError<EndOfSlice>> for SignError {
    fn from(_: EncodeError<EndOfSlice>) -> Self {
        Self::TooLong
    }
}

impl Device {
    /// A device with the 32 secret bytes of its Ed25519 key, the id of its entity and of its ledger.
    #[must_use]
    pub fn new(secret: [u8; 32], entity: [u8; 32], ledger: [u8; 32]) -> Self {
        Self { key: KeyPair::from_seed(Seed::new(secret)), entity, ledger }
    }

    /// Its public key, to be registered on the ledger.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        *self.key.pk
    }

    /// Signs readings as the numbers `first_seq..` of a stream. `previous` is the SHA-256 of the pack
    /// before; `base_ms` the time, milliseconds since 1970, from which those of the readings count, or
    /// none for a device without a clock. Returns the length of the pack, which stands at the start of
    /// `out`.
    ///
    /// # Errors
    /// [`SignError`]; what stands in `out` then means nothing.
    pub fn sign(
        &self,
        stream: &Stream<'_>,
        first_seq: u64,
        previous: Option<&[u8; 32]>,
        base_ms: Option<i64>,
        readings: &[Reading<'_>],
        out: &mut [u8],
    ) -> Result<usize, SignError> {
        let has_number = readings.iter().any(|it| matches!(it.value, Value::Number(_)));
        let is_good = (1..=READINGS_MAX).contains(&readings.len())
            && (1..=NAME_BYTES_MAX).contains(&stream.name.len())
            && stream.scale <= SCALE_MAX
            && (has_number || stream.scale == 0);
        if !is_good {
            return Err(SignError::OutOfBounds);
        }
        let mut protected = [0; PROTECTED_BYTES_MAX];
        let len = written(&mut protected, |e| self.protected(e, first_seq, previous))?;
        let protected = &protected[..len];
        let mut senml = [0; PACK_BYTES_MAX];
        let len = written(&mut senml, |e| write_senml(e, stream, base_ms, readings))?;
        let senml = &senml[..len];
        let signature = self.signature(&stream.id, protected, senml)?;
        let out_len = out.len().min(PACK_BYTES_MAX);
        written(&mut out[..out_len], |e| {
            e.array(4)?.bytes(protected)?.map(0)?.bytes(senml)?.bytes(&signature)?.ok()
        })
    }

    fn protected<W: Write>(
        &self,
        e: &mut Encoder<W>,
        first_seq: u64,
        previous: Option<&[u8; 32]>,
    ) -> Result<(), EncodeError<W::Error>> {
        e.map(3 + u64::from(previous.is_some()))?;
        // Ed25519, key id, first number, pack before.
        e.u8(1)?.i8(-8)?.u8(4)?.bytes(&self.entity)?.i32(-65_537)?.u64(first_seq)?;
        match previous {
            Some(previous) => e.i32(-65_538)?.bytes(previous)?.ok(),
            None => Ok(()),
        }
    }

    /// Over the COSE `Sig_structure` (RFC 9052 §4.4).
    fn signature(
        &self,
        stream: &[u8; 32],
        protected: &[u8],
        senml: &[u8],
    ) -> Result<[u8; 64], SignError> {
        let mut aad = [0; AAD_BYTES];
        aad[..14].copy_from_slice(AAD_DOMAIN);
        aad[14..46].copy_from_slice(&self.ledger);
        aad[46..].copy_from_slice(stream);
        let mut covered = [0; PACK_BYTES_MAX + AAD_BYTES + PROTECTED_BYTES_MAX + 32];
        let len = written(&mut covered, |e| {
            e.array(4)?.str("Signature1")?.bytes(protected)?.bytes(&aad)?.bytes(senml)?.ok()
        })?;
        Ok(*self.key.sk.sign(&covered[..len], None))
    }
}

fn written(
    out: &mut [u8],
    write: impl FnOnce(&mut Encoder<Cursor<&mut [u8]>>) -> Result<(), EncodeError<EndOfSlice>>,
) -> Result<usize, SignError> {
    let mut encoder = Encoder::new(Cursor::new(out));
    write(&mut encoder)?;
    Ok(encoder.writer().position())
}

fn write_senml<W: Write>(
    e: &mut Encoder<W>,
    stream: &Stream<'_>,
    base_ms: Option<i64>,
    readings: &[Reading<'_>],
) -> Result<(), EncodeError<W::Error>> {
    e.array(readings.len() as u64)?;
    for (index, Reading { after_ms, value }) in readings.iter().enumerate() {
        let is_first = index == 0;
        let has_base = is_first && base_ms.is_some();
        e.map(1 + u64::from(*after_ms != 0) + u64::from(is_first) + u64::from(has_base))?;
        // Keys ascend: that of bytes is above that of the time.
        let is_last = matches!(value, Value::Bytes(_));
        if !is_last {
            write_value(e, value, stream.scale)?;
        }
        if *after_ms != 0 {
            write_decimal(e.u8(6)?, 3, *after_ms)?;
        }
        if is_last {
            write_value(e, value, stream.scale)?;
        }
        if is_first {
            e.i8(-2)?.str(stream.name)?;
        }
        if let (true, Some(base_ms)) = (has_base, base_ms) {
            write_decimal(e.i8(-3)?, 3, base_ms)?;
        }
    }
    Ok(())
}

fn write_value<W: Write>(
    e: &mut Encoder<W>,
    value: &Value<'_>,
    scale: u8,
) -> Result<(), EncodeError<W::Error>> {
    match value {
        Value::Number(mantissa) => write_decimal(e.u8(2)?, scale, *mantissa),
        Value::Text(text) => e.u8(3)?.str(text)?.ok(),
        Value::Bool(value) => e.u8(4)?.bool(*value)?.ok(),
        Value::Bytes(bytes) => e.u8(8)?.bytes(bytes)?.ok(),
    }
}

/// A whole number, or a decimal fraction `4([-scale, mantissa])`.
fn write_decimal<W: Write>(
    e: &mut Encoder<W>,
    scale: u8,
    mantissa: i64,
) -> Result<(), EncodeError<W::Error>> {
    match scale {
        0 => e.int(Int::from(mantissa))?.ok(),
        _ => e.tag(Tag::new(4))?.array(2)?.i16(-i16::from(scale))?.i64(mantissa)?.ok(),
    }
}
