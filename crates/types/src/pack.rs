use alloc::{string::String, vec::Vec};
use core::ops::Range;

use minicbor::{
    Decode, Decoder, Encode, Encoder,
    data::{Tag, Type},
    decode::{self, Error as DecodeError},
    encode,
};
use sha2::{Digest as _, Sha256};

use crate::{
    BatchHeader, EntityId, LedgerId, Payload, PublicKey, Reading, Signature, SigningKey, StreamId,
    Suite, Value, Wire, WireError,
    crypto::Check,
    limits::{
        BATCH_READINGS_MAX, NAME_BYTES_MAX, PACK_BYTES_MAX, PACK_READINGS_MAX, PAYLOAD_BYTES_MAX,
        SCALE_MAX, VALUE_BYTES_MAX,
    },
    reading::expect_array,
    wire::fixed,
};

/// What a device signs: readings of one stream under numbers of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackBody {
    /// The device.
    pub signer: EntityId,
    /// Number of the first reading; the others follow without gap.
    pub first_seq: u64,
    /// SHA-256 of the pack before this one, so that a pack left out between the two shows; none for
    /// the first that a device makes.
    pub previous: Option<[u8; 32]>,
    /// Name of the property, for readers of the pack alone: the stream is signed beside it.
    pub name: String,
    /// Time from which those of the readings count, milliseconds since 1970; none for a device
    /// without a clock, whose times then count from when the pack is received.
    pub base_ms: Option<i64>,
    /// Decimal places of all numbers in it.
    pub scale: u8,
    /// 1 to [`PACK_READINGS_MAX`] readings: milliseconds after the base, and the value.
    pub readings: Vec<(i64, Value)>,
}

/// Readings with the signature of the device that made them: COSE_Sign1 (RFC 9052) over a SenML
/// pack (RFC 8428) in CBOR, in one canonical form.
///
/// ```text
/// pack       [<<{1: alg, 4: kid, -65537: first_seq, -65538: previous}>>, {}, <<senml>>, signature]
/// senml      [{value, ? 6: time, -2: name, ? -3: time}, {value, ? 6: time}, ...]
/// value      2: number | 3: text | 4: bool | 8: bytes
/// number     integer | 4([-scale, mantissa])        all of a pack at one scale
/// time       4([-3, milliseconds])
/// ```
/// Map keys ascend as RFC 8949 §4.2.1 orders them; `kid` is the device's entity id, `previous` is
/// left out of a device's first pack, and a `6: time` of 0 is left out. The external additional data
/// is `althing/pack/1`, the ledger id and the stream id: no gateway can pass readings off as another
/// stream's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    wire: Vec<u8>,
    body: PackBody,
    suite: Suite,
    signature: Signature,
    /// Where the SenML stands in the wire bytes.
    senml_at: Range<usize>,
    protected_at: Range<usize>,
}

impl Pack {
    /// Signs a body for a stream.
    #[must_use]
    pub fn sign(ledger: &LedgerId, stream: &StreamId, body: PackBody, key: &SigningKey) -> Self {
        let mut pack = Self::assemble(body, key.suite(), Signature([0; 64]));
        let signature = key.sign(&pack.signed_bytes(ledger, stream));
        let at = pack.wire.len() - signature.0.len();
        pack.wire[at..].copy_from_slice(&signature.0);
        pack.signature = signature;
        pack
    }

    /// Reads wire bytes. Checks form and bounds, not the signature.
    ///
    /// # Errors
    /// [`WireError`].
    pub fn decode(wire: &[u8]) -> Result<Self, WireError> {
        if wire.len() > PACK_BYTES_MAX {
            return Err(WireError::TooLong { len: wire.len(), max: PACK_BYTES_MAX });
        }
        let mut decoder = Decoder::new(wire);
        let malformed = |_| WireError::Malformed { position: 0 };
        let (body, suite, signature) = read(&mut decoder).map_err(malformed)?;
        body.check()?;
        let pack = Self::assemble(body, suite, signature);
        if pack.wire == wire { Ok(pack) } else { Err(WireError::NotCanonical) }
    }

    fn assemble(body: PackBody, suite: Suite, signature: Signature) -> Self {
        let (protected, senml) = (protected(&body, suite), body.senml());
        let mut wire = Vec::with_capacity(protected.len() + senml.len() + 80);
        let written = Encoder::new(&mut wire)
            .array(4)
            .and_then(|e| e.bytes(&protected))
            .and_then(|e| e.map(0))
            .and_then(|e| e.bytes(&senml))
            .map(|_| ());
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        let senml_at = wire.len() - senml.len()..wire.len();
        // `84`, then the head of the byte string: as long as lengths are encoded.
        let start = 1 + head_len(protected.len());
        let protected_at = start..start + protected.len();
        let written = Encoder::new(&mut wire).bytes(&signature.0).map(|_| ());
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        Self { wire, body, suite, signature, senml_at, protected_at }
    }

    /// Its bytes, as the device sent them.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// What it says.
    #[must_use]
    pub const fn body(&self) -> &PackBody {
        &self.body
    }

    /// The number after its last reading.
    #[must_use]
    pub fn end_seq(&self) -> u64 {
        // `PackBody::check` has seen that it does not overflow.
        self.body.first_seq.saturating_add(self.body.readings.len() as u64)
    }

    /// SHA-256 of its bytes, by which the next pack names it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.wire).into()
    }

    /// What the device signed: the COSE `Sig_structure` (RFC 9052 §4.4).
    #[must_use]
    pub fn signed_bytes(&self, ledger: &LedgerId, stream: &StreamId) -> Vec<u8> {
        let aad = [AAD_DOMAIN, &ledger.0, &stream.0].concat();
        let mut out = Vec::with_capacity(self.wire.len() + aad.len() + 16);
        let written = Encoder::new(&mut out)
            .array(4)
            .and_then(|e| e.str("Signature1"))
            .and_then(|e| e.bytes(&self.wire[self.protected_at.clone()]))
            .and_then(|e| e.bytes(&aad))
            .and_then(|e| e.bytes(&self.wire[self.senml_at.clone()]))
            .map(|_| ());
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        out
    }

    /// The signature to be checked; none if the key is of another suite than was signed with.
    #[must_use]
    pub fn check(&self, ledger: &LedgerId, stream: &StreamId, key: &PublicKey) -> Option<Check> {
        (key.suite == self.suite).then(|| Check {
            key: key.clone(),
            message: self.signed_bytes(ledger, stream),
            signature: self.signature,
        })
    }

    /// Its readings, given when the gateway received it; none if a time overflows.
    #[must_use]
    pub fn readings(&self, received_ms: i64) -> Option<Vec<Reading>> {
        let base_ms = self.body.base_ms.unwrap_or(received_ms);
        let reading = |(after_ms, value): &(i64, Value)| {
            let claimed_ms = base_ms.checked_add(*after_ms)?;
            Some(Reading { claimed_ms, received_ms, value: value.clone() })
        };
        self.body.readings.iter().map(reading).collect()
    }
}

impl PackBody {
    fn check(&self) -> Result<(), WireError> {
        let count = self.readings.len();
        let has_number = self.readings.iter().any(|(_, value)| matches!(value, Value::Number(_)));
        let rules = [
            ("name", (1..=NAME_BYTES_MAX).contains(&self.name.len())),
            ("readings", (1..=PACK_READINGS_MAX).contains(&count)),
            ("first_seq", self.first_seq.checked_add(count as u64).is_some()),
            ("scale", self.scale <= SCALE_MAX && (has_number || self.scale == 0)),
        ];
        match rules.into_iter().find(|(_, holds)| !holds) {
            Some((field, _)) => Err(WireError::OutOfBounds(field)),
            None => Ok(()),
        }
    }

    fn senml(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 * self.readings.len() + 32);
        let written = self.write_senml(&mut Encoder::new(&mut out));
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        out
    }

    fn write_senml<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(self.readings.len() as u64)?;
        for (index, (after_ms, value)) in self.readings.iter().enumerate() {
            let has_base = index == 0 && self.base_ms.is_some();
            let fields =
                1 + u64::from(*after_ms != 0) + u64::from(index == 0) + u64::from(has_base);
            e.map(fields)?;
            let is_last = matches!(value, Value::Bytes(_));
            if !is_last {
                write_value(e, value, self.scale)?;
            }
            if *after_ms != 0 {
                write_decimal(e.u8(LABEL_TIME)?, MILLI_PLACES, *after_ms)?;
            }
            if is_last {
                write_value(e, value, self.scale)?;
            }
            if index == 0 {
                e.i8(LABEL_BASE_NAME)?.str(&self.name)?;
            }
            if let (true, Some(base_ms)) = (has_base, self.base_ms) {
                write_decimal(e.i8(LABEL_BASE_TIME)?, MILLI_PLACES, base_ms)?;
            }
        }
        Ok(())
    }
}

/// Begins the external additional data of a device's signature.
const AAD_DOMAIN: &[u8] = b"althing/pack/1";
/// Header parameters of ours, from COSE's range for private use (RFC 9052 §11.1 leaves all integers
/// below -65536 to applications).
const HEADER_FIRST_SEQ: i32 = -65_537;
const HEADER_PREVIOUS: i32 = -65_538;
/// Labels of SenML in CBOR (RFC 8428 §6).
const LABEL_BASE_NAME: i8 = -2;
const LABEL_BASE_TIME: i8 = -3;
const LABEL_TIME: u8 = 6;
/// SenML counts seconds; ours have three decimal places.
const MILLI_PLACES: u8 = 3;
/// Tag of a decimal fraction (RFC 8949 §3.4.4).
const DECIMAL_FRACTION: Tag = Tag::new(4);

/// Bytes of the head of a byte string.
const fn head_len(len: usize) -> usize {
    match len {
        0..=23 => 1,
        24..=0xff => 2,
        _ => 3,
    }
}

fn protected(body: &PackBody, suite: Suite) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    let mut e = Encoder::new(&mut out);
    let written = e
        .map(3 + u64::from(body.previous.is_some()))
        .and_then(|e| e.u8(1)?.i8(suite.cose()))
        .and_then(|e| e.u8(4)?.bytes(&body.signer.0))
        .and_then(|e| e.i32(HEADER_FIRST_SEQ)?.u64(body.first_seq))
        .and_then(|e| match &body.previous {
            Some(previous) => e.i32(HEADER_PREVIOUS)?.bytes(previous),
            None => Ok(e),
        })
        .map(|_| ());
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    out
}

fn write_value<W: encode::Write>(
    e: &mut Encoder<W>,
    value: &Value,
    scale: u8,
) -> Result<(), encode::Error<W::Error>> {
    match value {
        Value::Number(mantissa) => write_decimal(e.u8(2)?, scale, *mantissa),
        Value::Text(text) => e.u8(3)?.str(text)?.ok(),
        Value::Bool(value) => e.u8(4)?.bool(*value)?.ok(),
        Value::Bytes(bytes) => e.u8(8)?.bytes(bytes)?.ok(),
    }
}

fn write_decimal<W: encode::Write>(
    e: &mut Encoder<W>,
    scale: u8,
    mantissa: i64,
) -> Result<(), encode::Error<W::Error>> {
    match scale {
        0 => e.i64(mantissa)?.ok(),
        _ => {
            let exponent = -i16::from(scale);
            e.tag(DECIMAL_FRACTION)?.array(2)?.i16(exponent)?.i64(mantissa)?.ok()
        }
    }
}

fn read(d: &mut Decoder<'_>) -> Result<(PackBody, Suite, Signature), DecodeError> {
    expect_array(d, 4)?;
    let (suite, signer, first_seq, previous) = read_protected(d.bytes()?)?;
    if d.map()? != Some(0) {
        return Err(DecodeError::message("unprotected header"));
    }
    let mut senml = Senml::default();
    senml.read(&mut Decoder::new(d.bytes()?))?;
    let signature = Signature(fixed::decode(d, &mut ())?);
    let Senml { name, base_ms, scale, readings } = senml;
    let scale = scale.unwrap_or_default();
    let name = name.unwrap_or_default();
    let body = PackBody { signer, first_seq, previous, name, base_ms, scale, readings };
    Ok((body, suite, signature))
}

type Protected = (Suite, EntityId, u64, Option<[u8; 32]>);

fn read_protected(bytes: &[u8]) -> Result<Protected, DecodeError> {
    let mut d = Decoder::new(bytes);
    let wrong = || DecodeError::message("protected header");
    let fields = d.map()?;
    if d.u8()? != 1 {
        return Err(wrong());
    }
    let suite = Suite::from_cose(d.i8()?).ok_or_else(wrong)?;
    if d.u8()? != 4 {
        return Err(wrong());
    }
    let signer = EntityId(fixed::decode(&mut d, &mut ())?);
    if d.i32()? != HEADER_FIRST_SEQ {
        return Err(wrong());
    }
    let first_seq = d.u64()?;
    let previous = match fields {
        Some(3) => None,
        Some(4) if d.i32()? == HEADER_PREVIOUS => Some(fixed::decode(&mut d, &mut ())?),
        _ => return Err(wrong()),
    };
    Ok((suite, signer, first_seq, previous))
}

/// A SenML pack as it is read. What it accepts beyond the one form, comparing with the encoding of
/// what was read refuses.
#[derive(Default)]
struct Senml {
    name: Option<String>,
    base_ms: Option<i64>,
    scale: Option<u8>,
    readings: Vec<(i64, Value)>,
}

impl Senml {
    fn read(&mut self, d: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let count = d.array()?.unwrap_or(u64::MAX);
        if count > PACK_READINGS_MAX as u64 {
            return Err(DecodeError::message("number of readings"));
        }
        for _ in 0..count {
            self.read_record(d)?;
        }
        Ok(())
    }

    fn read_record(&mut self, d: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let fields = d.map()?.unwrap_or(u64::MAX);
        if fields > 4 {
            return Err(DecodeError::message("fields of a record"));
        }
        let (mut after_ms, mut value) = (0, None);
        for _ in 0..fields {
            match d.i8()? {
                2 => value = Some(Value::Number(self.number(d)?)),
                3 => value = Some(Value::Text(bounded(d.str()?, str::len)?.into())),
                4 => value = Some(Value::Bool(d.bool()?)),
                8 => value = Some(Value::Bytes(bounded(d.bytes()?, <[u8]>::len)?.to_vec())),
                6 => after_ms = milliseconds(d)?,
                LABEL_BASE_NAME => self.name = Some(bounded(d.str()?, str::len)?.into()),
                LABEL_BASE_TIME => self.base_ms = Some(milliseconds(d)?),
                _ => return Err(DecodeError::message("field of a record")),
            }
        }
        let value = value.ok_or_else(|| DecodeError::message("a record without a value"))?;
        self.readings.push((after_ms, value));
        Ok(())
    }

    fn number(&mut self, d: &mut Decoder<'_>) -> Result<i64, DecodeError> {
        let (scale, mantissa) = read_decimal(d)?;
        if *self.scale.get_or_insert(scale) == scale {
            Ok(mantissa)
        } else {
            Err(DecodeError::message("numbers of two scales"))
        }
    }
}

fn bounded<T: ?Sized>(value: &T, len: impl Fn(&T) -> usize) -> Result<&T, DecodeError> {
    if len(value) <= VALUE_BYTES_MAX { Ok(value) } else { Err(DecodeError::message("too long")) }
}

fn milliseconds(d: &mut Decoder<'_>) -> Result<i64, DecodeError> {
    match read_decimal(d)? {
        (MILLI_PLACES, mantissa) => Ok(mantissa),
        _ => Err(DecodeError::message("a time that does not count milliseconds")),
    }
}

fn read_decimal(d: &mut Decoder<'_>) -> Result<(u8, i64), DecodeError> {
    if d.datatype()? != Type::Tag {
        return Ok((0, d.i64()?));
    }
    if d.tag()? != DECIMAL_FRACTION {
        return Err(DecodeError::message("tag"));
    }
    expect_array(d, 2)?;
    let scale = u8::try_from(-i32::from(d.i16()?)).ok().filter(|scale| *scale <= SCALE_MAX);
    let scale = scale.ok_or_else(|| DecodeError::message("scale"))?;
    Ok((scale, d.i64()?))
}

/// A pack as it reached a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// When the gateway received it, milliseconds since 1970 (UTC): the gateway's word.
    pub received_ms: i64,
    /// The pack, as the device sent it.
    pub pack: Pack,
}

/// The readings of one batch in the packs that their device signed.
///
/// On the wire: `[[[received_ms, pack], ...]]`, each pack as a byte string. An array of one item, so
/// that no [`Payload`] has the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPayload {
    /// Packs of one device that follow each other without gap, each naming the one before.
    pub packs: Vec<Arrived>,
}

impl SignedPayload {
    /// Whether bytes have the form of packs rather than that of plain readings.
    #[must_use]
    pub const fn is_form_of(bytes: &[u8]) -> bool {
        matches!(bytes, [0x81, ..])
    }

    /// The readings in the packs, in sequence.
    ///
    /// # Panics
    /// Never for what was decoded: times that overflow are refused there.
    #[must_use]
    pub fn payload(&self) -> Payload {
        let readings = self.packs.iter().filter_map(|it| it.pack.readings(it.received_ms));
        Payload { readings: readings.flatten().collect() }
    }

    /// The header that announces the packs as readings of `stream`.
    #[must_use]
    pub fn header(&self, stream: StreamId) -> BatchHeader {
        BatchHeader::of(stream, self.first_seq(), &self.payload().readings, &self.to_wire())
    }

    /// Number of the first reading.
    #[must_use]
    pub fn first_seq(&self) -> u64 {
        self.packs.first().map_or(0, |it| it.pack.body().first_seq)
    }

    /// The device that signed them.
    #[must_use]
    pub fn signer(&self) -> Option<EntityId> {
        self.packs.first().map(|it| it.pack.body().signer)
    }

    /// The signatures to be checked under the device's key; none if it is of another suite.
    #[must_use]
    pub fn checks(
        &self,
        ledger: &LedgerId,
        stream: &StreamId,
        key: &PublicKey,
    ) -> Option<Vec<Check>> {
        self.packs.iter().map(|it| it.pack.check(ledger, stream, key)).collect()
    }

    /// Whether a pack may follow another in one batch.
    #[must_use]
    pub fn follows(before: &Pack, after: &Pack) -> bool {
        after.body.signer == before.body.signer
            && after.body.first_seq == before.end_seq()
            && after.body.previous == Some(before.digest())
    }
}

impl<C> Encode<C> for SignedPayload {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(1)?.array(self.packs.len() as u64)?;
        for Arrived { received_ms, pack } in &self.packs {
            e.array(2)?.i64(*received_ms)?.bytes(pack.wire())?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for SignedPayload {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        expect_array(d, 1)?;
        let count = d.array()?.unwrap_or(u64::MAX);
        if count == 0 || count > BATCH_READINGS_MAX as u64 {
            return Err(DecodeError::message("number of packs"));
        }
        // Not with this capacity: a few bytes may claim many packs.
        let mut packs = Vec::new();
        for _ in 0..count {
            expect_array(d, 2)?;
            let received_ms = d.i64()?;
            let pack = Pack::decode(d.bytes()?).map_err(|_| DecodeError::message("pack"))?;
            packs.push(Arrived { received_ms, pack });
        }
        Ok(Self { packs })
    }
}

impl Wire for SignedPayload {
    const BYTES_MAX: usize = PAYLOAD_BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        let follows = |pair: &[Arrived]| Self::follows(&pair[0].pack, &pair[1].pack);
        let count: usize = self.packs.iter().map(|it| it.pack.body().readings.len()).sum();
        let in_time = self.packs.iter().all(|it| it.pack.readings(it.received_ms).is_some());
        let rules = [
            ("the chain of packs", self.packs.windows(2).all(follows)),
            ("number of readings", count <= BATCH_READINGS_MAX),
            ("a time", in_time),
        ];
        match rules.into_iter().find(|(_, holds)| !holds) {
            Some((what, _)) => Err(WireError::OutOfBounds(what)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
