use alloc::{string::String, vec::Vec};

use minicbor::{
    Decode, Decoder, Encode, Encoder,
    data::Type,
    decode::{self, Error as DecodeError},
    encode,
};

use crate::{
    Arrived, SealedPayload, SignedPayload, StreamId, Wire, WireError, blake3_digest,
    limits::{BATCH_READINGS_MAX, NAME_BYTES_MAX, PAYLOAD_BYTES_MAX, SCALE_MAX, VALUE_BYTES_MAX},
    wire::{fixed, int128},
};

/// An exact value of a reading; a binary float never is one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// Mantissa at the scale of the stream's schema: 2150 at scale 2 is 21.50.
    Number(i64),
    /// True or false.
    Bool(bool),
    /// Text of at most [`VALUE_BYTES_MAX`] bytes.
    Text(String),
    /// At most [`VALUE_BYTES_MAX`] bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// The kind of this value.
    #[must_use]
    pub const fn kind(&self) -> ValueKind {
        match self {
            Self::Number(_) => ValueKind::Number,
            Self::Bool(_) => ValueKind::Bool,
            Self::Text(_) => ValueKind::Text,
            Self::Bytes(_) => ValueKind::Bytes,
        }
    }

    /// What enters minimum, maximum and sum: the mantissa, or 0 and 1 for a boolean.
    #[must_use]
    pub const fn measure(&self) -> Option<i64> {
        match self {
            Self::Number(mantissa) => Some(*mantissa),
            Self::Bool(value) => Some(*value as i64),
            Self::Text(_) | Self::Bytes(_) => None,
        }
    }
}

impl<C> Encode<C> for Value {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        match self {
            Self::Number(mantissa) => e.i64(*mantissa)?.ok(),
            Self::Bool(value) => e.bool(*value)?.ok(),
            Self::Text(text) => e.str(text)?.ok(),
            Self::Bytes(bytes) => e.bytes(bytes)?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Value {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let too_long = || DecodeError::message("value too long");
        match d.datatype()? {
            Type::Bool => Ok(Self::Bool(d.bool()?)),
            Type::String => {
                let text = d.str()?;
                (text.len() <= VALUE_BYTES_MAX)
                    .then(|| Self::Text(text.into()))
                    .ok_or_else(too_long)
            }
            Type::Bytes => {
                let bytes = d.bytes()?;
                (bytes.len() <= VALUE_BYTES_MAX)
                    .then(|| Self::Bytes(bytes.to_vec()))
                    .ok_or_else(too_long)
            }
            _ => Ok(Self::Number(d.i64()?)),
        }
    }
}

/// What a stream's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ValueKind {
    /// Decimal numbers at a fixed scale.
    #[n(0)]
    Number,
    /// True or false.
    #[n(1)]
    Bool,
    /// Text.
    #[n(2)]
    Text,
    /// Byte strings.
    #[n(3)]
    Bytes,
}

impl ValueKind {
    /// Name in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Bool => "boolean",
            Self::Text => "text",
            Self::Bytes => "bytes",
        }
    }
}

/// The form of a stream's values, read from a property of the Thing Description.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(array)]
pub struct StreamSchema {
    /// What the values are.
    #[n(0)]
    pub kind: ValueKind,
    /// Decimal places of a number, 0 to [`SCALE_MAX`]; 0 for other kinds.
    #[n(1)]
    pub scale: u8,
    /// Every number is a multiple of this mantissa (`multipleOf` at the scale), at least 1.
    #[n(2)]
    pub quantum: i64,
    /// Unit as the description states it, up to [`NAME_BYTES_MAX`] bytes; empty if it states none.
    #[n(3)]
    pub unit: String,
    /// Smallest mantissa allowed.
    #[n(4)]
    pub minimum: Option<i64>,
    /// Largest mantissa allowed.
    #[n(5)]
    pub maximum: Option<i64>,
}

impl StreamSchema {
    /// Whether the schema admits a value.
    #[must_use]
    pub fn admits(&self, value: &Value) -> bool {
        if value.kind() != self.kind {
            return false;
        }
        match value {
            Value::Number(mantissa) => {
                mantissa.checked_rem(self.quantum) == Some(0)
                    && self.minimum.is_none_or(|minimum| *mantissa >= minimum)
                    && self.maximum.is_none_or(|maximum| *mantissa <= maximum)
            }
            Value::Bool(_) => true,
            Value::Text(text) => text.len() <= VALUE_BYTES_MAX,
            Value::Bytes(bytes) => bytes.len() <= VALUE_BYTES_MAX,
        }
    }

    /// Whether the fields are within their bounds.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.scale <= SCALE_MAX && self.quantum >= 1 && self.unit.len() <= NAME_BYTES_MAX
    }
}

/// One value of one property, with the two times known before agreement; the third, the ledger's,
/// is that of the block its batch is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// When the device says it measured, milliseconds since 1970 (UTC).
    pub claimed_ms: i64,
    /// When the gateway received it, milliseconds since 1970 (UTC).
    pub received_ms: i64,
    /// The value.
    pub value: Value,
}

/// The readings of one batch, whose bytes its holders keep beside the ledger.
///
/// On the wire: `[base_ms, [[claimed_ms - base_ms, received_ms - claimed_ms, value], ...]]`, where
/// `base_ms` is the first reading's claimed time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// 1 to [`BATCH_READINGS_MAX`] readings, in sequence.
    pub readings: Vec<Reading>,
}

/// Why a payload does not belong to a batch header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Not a payload.
    #[error("the payload is not canonical")]
    Wire(#[source] WireError),
    /// Length or digest differ from the header's.
    #[error("the payload is not the one the batch names")]
    Digest,
    /// Count, times, minimum, maximum or sum differ from the header's.
    #[error("the batch header does not summarise its payload")]
    Summary,
    /// It is sealed, and no key that opens it was given.
    #[error("the payload is sealed under a key that was not given")]
    Sealed,
    /// A value is not of the stream's schema.
    #[error("reading {index} is not of the stream's type, range or quantum")]
    Schema {
        /// Position of the first such reading.
        index: usize,
    },
}

impl<C> Encode<C> for Payload {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        c: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let base = self.readings.first().map_or(0, |reading| reading.claimed_ms);
        e.array(2)?.i64(base)?.array(self.readings.len() as u64)?;
        for reading in &self.readings {
            // Wrapping, so that encoding cannot fail: decoding refuses times that overflow.
            e.array(3)?
                .i64(reading.claimed_ms.wrapping_sub(base))?
                .i64(reading.received_ms.wrapping_sub(reading.claimed_ms))?;
            reading.value.encode(e, c)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Payload {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, DecodeError> {
        expect_array(d, 2)?;
        let base = d.i64()?;
        let count = d.array()?.unwrap_or(u64::MAX);
        if count == 0 || count > BATCH_READINGS_MAX as u64 {
            return Err(DecodeError::message("number of readings"));
        }
        let overflow = || DecodeError::message("time out of range");
        let mut readings = Vec::with_capacity(count as usize);
        for _ in 0..count {
            expect_array(d, 3)?;
            let claimed_ms = base.checked_add(d.i64()?).ok_or_else(overflow)?;
            let received_ms = claimed_ms.checked_add(d.i64()?).ok_or_else(overflow)?;
            readings.push(Reading { claimed_ms, received_ms, value: Value::decode(d, c)? });
        }
        Ok(Self { readings })
    }
}

/// Reads the head of an array of exactly `len` items.
pub(crate) fn expect_array(d: &mut Decoder<'_>, len: u64) -> Result<(), decode::Error> {
    if d.array()? == Some(len) { Ok(()) } else { Err(DecodeError::message("array length")) }
}

impl Wire for Payload {
    const BYTES_MAX: usize = PAYLOAD_BYTES_MAX;
}

impl Payload {
    /// Reads the readings of a payload of either form: plain, or in packs that a device signed.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        if SignedPayload::is_form_of(bytes) {
            SignedPayload::from_wire(bytes).map(|signed| signed.payload())
        } else {
            Self::from_wire(bytes)
        }
    }

    /// The same, but digest and length of the bytes are left zero: for whoever compares the rest.
    pub(crate) fn header_for(&self, stream: StreamId, first_seq: u64) -> BatchHeader {
        BatchHeader::summary(stream, first_seq, &self.readings, [0; 32], 0)
    }

    /// The header that announces this payload as the readings `first_seq..` of `stream`.
    #[must_use]
    pub fn header(&self, stream: StreamId, first_seq: u64) -> BatchHeader {
        BatchHeader::of(stream, first_seq, &self.readings, &self.to_wire())
    }
}

/// What a transaction says of a batch: enough to extend the stream's tree without the payload.
///
/// Validators check it against the payload before they vote; after agreement it stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct BatchHeader {
    /// The stream it extends.
    #[n(0)]
    pub stream: StreamId,
    /// Sequence number of the first reading; the others follow without gap.
    #[n(1)]
    pub first_seq: u64,
    /// Number of readings, 1 to [`BATCH_READINGS_MAX`].
    #[n(2)]
    pub count: u32,
    /// Earliest claimed time, milliseconds since 1970.
    #[n(3)]
    pub time_min: i64,
    /// Latest claimed time, milliseconds since 1970.
    #[n(4)]
    pub time_max: i64,
    /// Smallest mantissa; absent for text and bytes.
    #[n(5)]
    pub min: Option<i64>,
    /// Largest mantissa; absent for text and bytes.
    #[n(6)]
    pub max: Option<i64>,
    /// Sum of the mantissas; 0 for text and bytes.
    #[cbor(n(7), with = "int128")]
    pub sum: i128,
    /// BLAKE3 digest of the payload.
    #[cbor(n(8), with = "fixed")]
    pub payload_digest: [u8; 32],
    /// Length of the payload, bytes, 1 to [`PAYLOAD_BYTES_MAX`].
    #[n(9)]
    pub payload_len: u32,
}

impl BatchHeader {
    /// The header of these readings, which `bytes` carry.
    pub(crate) fn of(stream: StreamId, first_seq: u64, readings: &[Reading], bytes: &[u8]) -> Self {
        let payload_len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Self::summary(stream, first_seq, readings, blake3_digest(bytes), payload_len)
    }

    /// The same, where digest and length of the bytes are known.
    fn summary(
        stream: StreamId,
        first_seq: u64,
        readings: &[Reading],
        payload_digest: [u8; 32],
        payload_len: u32,
    ) -> Self {
        let times = || readings.iter().map(|reading| reading.claimed_ms);
        let measures = || readings.iter().filter_map(|reading| reading.value.measure());
        Self {
            stream,
            first_seq,
            count: u32::try_from(readings.len()).unwrap_or(u32::MAX),
            time_min: times().min().unwrap_or(0),
            time_max: times().max().unwrap_or(0),
            min: measures().min(),
            max: measures().max(),
            sum: measures().map(i128::from).sum(),
            payload_digest,
            payload_len,
        }
    }

    /// The sequence number after the last reading; `None` if it overflows.
    #[must_use]
    pub fn end_seq(&self) -> Option<u64> {
        self.first_seq.checked_add(u64::from(self.count))
    }

    /// Whether the fields are within their bounds and agree with each other.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        (1..=BATCH_READINGS_MAX).contains(&(self.count as usize))
            && (1..=PAYLOAD_BYTES_MAX).contains(&(self.payload_len as usize))
            && self.end_seq().is_some()
            && self.time_min <= self.time_max
            && self.min.is_some() == self.max.is_some()
            && self.min <= self.max
            && self.sum_is_possible()
    }

    fn sum_is_possible(&self) -> bool {
        let count = i128::from(self.count);
        match (self.min, self.max) {
            (Some(min), Some(max)) => {
                (i128::from(min) * count..=i128::from(max) * count).contains(&self.sum)
            }
            _ => self.sum == 0,
        }
    }

    /// Reads the payload this header announces, checking every statement of the header.
    ///
    /// # Errors
    /// [`PayloadError`] naming the first statement that does not hold.
    pub fn read(&self, bytes: &[u8]) -> Result<Payload, PayloadError> {
        if bytes.len() != self.payload_len as usize || blake3_digest(bytes) != self.payload_digest {
            return Err(PayloadError::Digest);
        }
        if SealedPayload::is_form_of(bytes) {
            return Err(PayloadError::Sealed);
        }
        let payload = Payload::read(bytes).map_err(PayloadError::Wire)?;
        // Its one encoding are these bytes, whose length and digest have been compared.
        let (digest, len) = (self.payload_digest, self.payload_len);
        if Self::summary(self.stream, self.first_seq, &payload.readings, digest, len) != *self {
            return Err(PayloadError::Summary);
        }
        Ok(payload)
    }

    /// The packs of the payload that this header announces, if its readings are signed by their
    /// device. The packs number their readings as the header does.
    ///
    /// # Errors
    /// [`PayloadError`] if the bytes are not what the header announces.
    pub fn packs(&self, bytes: &[u8]) -> Result<Option<SignedPayload>, PayloadError> {
        if !SignedPayload::is_form_of(bytes) {
            return Ok(None);
        }
        let signed = SignedPayload::from_wire(bytes).map_err(PayloadError::Wire)?;
        if signed.header(self.stream) == *self {
            Ok(Some(signed))
        } else {
            Err(PayloadError::Summary)
        }
    }

    /// As [`BatchHeader::read`], and checks the values against the schema of the stream.
    ///
    /// # Errors
    /// [`PayloadError`] naming the first statement that does not hold.
    pub fn open(&self, bytes: &[u8], schema: &StreamSchema) -> Result<Payload, PayloadError> {
        let payload = self.read(bytes)?;
        if let Some(signed) = self.packs(bytes)? {
            let mut index = 0;
            for Arrived { pack, .. } in &signed.packs {
                // Mantissas at another scale would be other values.
                if schema.kind == ValueKind::Number && pack.body().scale != schema.scale {
                    return Err(PayloadError::Schema { index });
                }
                index += pack.body().readings.len();
            }
        }
        match payload.readings.iter().position(|reading| !schema.admits(&reading.value)) {
            Some(index) => Err(PayloadError::Schema { index }),
            None => Ok(payload),
        }
    }
}
