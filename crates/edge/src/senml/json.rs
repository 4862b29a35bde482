use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Entry, FIELDS_MAX, Field, RECORDS_MAX, Record, SenmlError, resolve};
use crate::scalar::Scalar;

/// Reads a pack in JSON; `now_ms` is what relative times count from.
///
/// # Errors
/// [`SenmlError`].
pub fn from_json(bytes: &[u8], now_ms: i64) -> Result<Vec<Record>, SenmlError> {
    let mut failure = None;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let entries = Pack { failure: &mut failure }
        .deserialize(&mut reader)
        .and_then(|entries| reader.end().map(|()| entries));
    match (entries, failure) {
        (_, Some(error)) => Err(error),
        (Err(error), None) => Err(SenmlError::Malformed { position: offset(bytes, &error) }),
        (Ok(entries), None) => resolve(entries, now_ms),
    }
}

/// The scalar that a piece of JSON is; `None` for null, objects and arrays.
pub(crate) fn scalar(raw: &RawValue) -> Option<Scalar> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b't' => Some(Scalar::Bool(true)),
        b'f' => Some(Scalar::Bool(false)),
        b'"' => serde_json::from_str(text).ok().map(Scalar::Text),
        b'-' | b'0'..=b'9' => Some(Scalar::Number(text.to_owned())),
        _ => None,
    }
}

/// Byte offset of serde_json's line and column.
pub(crate) fn offset(bytes: &[u8], error: &serde_json::Error) -> usize {
    let before = bytes.split(|b| *b == b'\n').take(error.line().saturating_sub(1));
    let lines: usize = before.map(|line| line.len() + 1).sum();
    (lines + error.column()).min(bytes.len())
}

/// Serde has one error type; our own, more exact one travels beside it.
struct Pack<'f> {
    failure: &'f mut Option<SenmlError>,
}

impl<'de> DeserializeSeed<'de> for Pack<'_> {
    type Value = Vec<Entry>;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Pack<'_> {
    type Value = Vec<Entry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of SenML records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = records.next_element_seed(Fields { failure: self.failure })? {
            if entries.len() == RECORDS_MAX {
                *self.failure = Some(SenmlError::TooMany { what: "records", max: RECORDS_MAX });
                return Err(A::Error::custom("too many records"));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

struct Fields<'f> {
    failure: &'f mut Option<SenmlError>,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Entry;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Entry, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SenML record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Entry, A::Error> {
        let mut entry = Entry::default();
        let mut count = 0;
        while let Some((label, raw)) = fields.next_entry::<Cow<'_, str>, &RawValue>()? {
            count += 1;
            if let Err(error) = set(&mut entry, &label, raw, count) {
                *self.failure = Some(error);
                return Err(A::Error::custom("bad field"));
            }
        }
        Ok(entry)
    }
}

fn set(entry: &mut Entry, label: &str, raw: &RawValue, count: usize) -> Result<(), SenmlError> {
    if count > FIELDS_MAX {
        return Err(SenmlError::TooMany { what: "fields in a record", max: FIELDS_MAX });
    }
    let field = Field::of_json(label)?;
    if field == Field::Ignored {
        return Ok(());
    }
    let wrong = SenmlError::WrongType { field: field.label() };
    let value = match (field, scalar(raw)) {
        (Field::DataValue, Some(Scalar::Text(text))) => base64url(&text).map(Scalar::Bytes),
        (_, value) => value,
    };
    entry.set(field, value.ok_or(wrong)?)
}

/// Base64 with the URL-safe alphabet, padding optional (RFC 8428 §5 omits it).
fn base64url(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for symbol in text.bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        buffer = (buffer << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).ok()?);
            buffer &= (1 << bits) - 1;
        }
    }
    // Left-over bits must be zero and fewer than a symbol, else two texts mean the same bytes.
    (bits < 6 && buffer == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::base64url;

    #[test]
    fn base64url_without_padding() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("Zg", Some(b"f")),
            ("Zm8", Some(b"fo")),
            ("Zm9v", Some(b"foo")),
            ("Zm9vYg==", Some(b"foob")),
            ("_-8", Some(&[0xff, 0xef])),
            ("Zh", None),
            ("Z", None),
            ("Zm9v+", None),
        ] {
            assert_eq!(base64url(text).as_deref(), expected, "{text}");
        }
    }
}
