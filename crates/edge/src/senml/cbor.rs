use minicbor::Decoder;
use minicbor::data::{Tag, Type};
use minicbor::decode::Error;

use super::{Entry, FIELDS_MAX, Field, RECORDS_MAX, Record, SenmlError, resolve};
use crate::scalar::Scalar;

/// Tag of a decimal fraction, `[exponent, mantissa]` (RFC 8949 §3.4.4).
const DECIMAL_FRACTION: Tag = Tag::new(4);
/// Deepest nesting skipped inside a field that is not ours, levels.
const SKIP_DEPTH_MAX: usize = 8;

/// Reads a pack in CBOR; `now_ms` is what relative times count from. Definite and indefinite
/// lengths are both taken, since small devices stream.
///
/// # Errors
/// [`SenmlError`].
pub fn from_cbor(bytes: &[u8], now_ms: i64) -> Result<Vec<Record>, SenmlError> {
    let mut decoder = Decoder::new(bytes);
    let mut entries = Vec::new();
    let mut left = decoder.array().map_err(at(&decoder))?;
    while more(&mut decoder, &mut left)? {
        if entries.len() == RECORDS_MAX {
            return Err(SenmlError::TooMany { what: "records", max: RECORDS_MAX });
        }
        entries.push(entry(&mut decoder)?);
    }
    if decoder.position() != bytes.len() {
        return Err(SenmlError::Malformed { position: decoder.position() });
    }
    resolve(entries, now_ms)
}

fn entry(decoder: &mut Decoder<'_>) -> Result<Entry, SenmlError> {
    let mut entry = Entry::default();
    let mut left = decoder.map().map_err(at(decoder))?;
    let mut count = 0;
    while more(decoder, &mut left)? {
        count += 1;
        if count > FIELDS_MAX {
            return Err(SenmlError::TooMany { what: "fields in a record", max: FIELDS_MAX });
        }
        let field = label(decoder)?;
        if field == Field::Ignored {
            skip(decoder, SKIP_DEPTH_MAX)?;
            continue;
        }
        let value = scalar(decoder).map_err(at(decoder))?;
        entry.set(field, value.ok_or(SenmlError::WrongType { field: field.label() })?)?;
    }
    Ok(entry)
}

/// Whether another item follows; ends an indefinite length at its break.
fn more(decoder: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, SenmlError> {
    match left {
        Some(0) => Ok(false),
        Some(count) => {
            *count -= 1;
            Ok(true)
        }
        None if decoder.datatype().map_err(at(decoder))? == Type::Break => {
            decoder.set_position(decoder.position() + 1);
            Ok(false)
        }
        None => Ok(true),
    }
}

fn label(decoder: &mut Decoder<'_>) -> Result<Field, SenmlError> {
    match decoder.datatype().map_err(at(decoder))? {
        Type::String => {
            let text = decoder.str().map_err(at(decoder))?;
            match Field::of_json(text)? {
                Field::Ignored => Ok(Field::Ignored),
                // The registered fields have integer labels in CBOR, and only those (RFC 8428 §6).
                _ => Err(SenmlError::Malformed { position: decoder.position() }),
            }
        }
        _ => decoder.i64().map(Field::of_cbor).map_err(at(decoder)),
    }
}

/// The next item if it is a scalar that we take, whatever field it is for.
fn scalar(decoder: &mut Decoder<'_>) -> Result<Option<Scalar>, Error> {
    Ok(match decoder.datatype()? {
        Type::Bool => Some(Scalar::Bool(decoder.bool()?)),
        Type::String => Some(Scalar::Text(decoder.str()?.to_owned())),
        Type::Bytes => Some(Scalar::Bytes(decoder.bytes()?.to_vec())),
        Type::F16 => half(decoder),
        Type::F32 => Scalar::from_f32(decoder.f32()?),
        Type::F64 => Scalar::from_f64(decoder.f64()?),
        Type::Tag => {
            let tag = decoder.tag()?;
            if tag != DECIMAL_FRACTION || decoder.array()? != Some(2) {
                return Ok(None);
            }
            let exponent = decoder.i32()?;
            Some(Scalar::from_parts(i128::from(decoder.int()?), exponent))
        }
        kind if is_integer(kind) => Some(Scalar::from_parts(i128::from(decoder.int()?), 0)),
        _ => None,
    })
}

/// A half-precision float (RFC 8949 appendix D); `None` for NaN and infinity.
fn half(decoder: &mut Decoder<'_>) -> Option<Scalar> {
    let position = decoder.position();
    let bytes = decoder.input().get(position + 1..position + 3)?;
    decoder.set_position(position + 3);
    let bits = u16::from_be_bytes([bytes[0], bytes[1]]);
    let (exponent, fraction) = ((bits >> 10) & 0x1f, f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 => return None,
        _ => (1024.0 + fraction) * 2_f64.powi(i32::from(exponent) - 25),
    };
    Scalar::from_f64(if bits & 0x8000 == 0 { magnitude } else { -magnitude })
}

fn is_integer(kind: Type) -> bool {
    use Type::{I8, I16, I32, I64, Int, U8, U16, U32, U64};
    matches!(kind, U8 | U16 | U32 | U64 | I8 | I16 | I32 | I64 | Int)
}

/// Passes over one item, refusing nesting deeper than `depth`.
fn skip(decoder: &mut Decoder<'_>, depth: usize) -> Result<(), SenmlError> {
    let Some(below) = depth.checked_sub(1) else {
        return Err(SenmlError::TooMany { what: "levels of nesting", max: SKIP_DEPTH_MAX });
    };
    let per_item = match decoder.datatype().map_err(at(decoder))? {
        Type::Tag => {
            decoder.tag().map_err(at(decoder))?;
            return skip(decoder, below);
        }
        Type::Array | Type::ArrayIndef => 1,
        Type::Map | Type::MapIndef => 2,
        _ => return decoder.skip().map_err(at(decoder)),
    };
    let mut left = match per_item {
        1 => decoder.array().map_err(at(decoder))?,
        _ => decoder.map().map_err(at(decoder))?,
    };
    while more(decoder, &mut left)? {
        for _ in 0..per_item {
            skip(decoder, below)?;
        }
    }
    Ok(())
}

fn at(decoder: &Decoder<'_>) -> impl Fn(Error) -> SenmlError + use<> {
    let position = decoder.position();
    move |error| SenmlError::Malformed { position: error.position().unwrap_or(position) }
}
