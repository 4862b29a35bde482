//! SenML packs (RFC 8428) in JSON and CBOR, resolved into single records.
//!
//! Decoding is bounded before anything is kept: [`RECORDS_MAX`] records, [`FIELDS_MAX`] fields a
//! record, no nesting inside a record. Numbers stay decimal text (see [`Scalar`]).
//!
//! Deviations: a record that carries only a sum (`s`) is refused, because a stream holds values;
//! `ut` (update time) is read and ignored.

mod cbor;
mod json;

pub use cbor::from_cbor;
pub use json::from_json;
pub(crate) use json::scalar;

use althing_types::decimal;

use crate::scalar::{Scalar, sum};

/// Most records of one pack.
pub const RECORDS_MAX: usize = 256;
/// Most fields of one record.
pub const FIELDS_MAX: usize = 32;
/// Longest resolved name, bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// Version of SenML that RFC 8428 defines; a higher base version is refused.
const VERSION: u8 = 10;
/// Times below this many seconds are relative to now (RFC 8428 §4.5.3).
const RELATIVE_TIME_BELOW_MS: i64 = (1 << 28) * 1000;

/// One resolved record: base fields applied, time absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Base name and name, concatenated.
    pub name: String,
    /// The name alone, as the record has it; empty if it has none.
    pub own_name: String,
    /// Unit, from the record or the base.
    pub unit: Option<String>,
    /// Milliseconds since the epoch; `None` if the pack says nothing about time, which means now.
    pub time_ms: Option<i64>,
    /// The value, base value added.
    pub value: Scalar,
}

/// Why bytes are no SenML pack that we take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SenmlError {
    /// Not JSON or CBOR of a pack's shape.
    #[error("malformed SenML at byte {position}")]
    Malformed {
        /// Offset of what does not fit.
        position: usize,
    },
    /// More records, fields or bytes in a name than the bounds allow.
    #[error("more than {max} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        max: usize,
    },
    /// A field has a value of the wrong type.
    #[error("field `{field}` has the wrong type")]
    WrongType {
        /// The JSON label.
        field: &'static str,
    },
    /// A field stands twice in a record, or a record has two values.
    #[error("field `{field}` stands twice in one record")]
    Twice {
        /// The JSON label.
        field: &'static str,
    },
    /// A label ending in `_` must be understood, and is not (RFC 8428 §4.4).
    #[error("field `{0}` must be understood, and is not")]
    MustUnderstand(String),
    /// A base version above 10.
    #[error("SenML version {0} is newer than {VERSION}")]
    Version(String),
    /// The resolved name is empty or uses characters outside RFC 8428 §4.5.1.
    #[error("`{0}` is no SenML name")]
    Name(String),
    /// Only a sum, no value.
    #[error("a sum without a value is no reading")]
    OnlySum,
    /// A number does not fit.
    #[error("number in field `{field}`: {source}")]
    Number {
        /// The JSON label.
        field: &'static str,
        /// What is wrong with it.
        source: decimal::DecimalError,
    },
}

/// A field of a record, by meaning; JSON and CBOR spell it differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    BaseName,
    BaseTime,
    BaseUnit,
    BaseValue,
    BaseVersion,
    Name,
    Unit,
    Time,
    Value,
    TextValue,
    BoolValue,
    DataValue,
    Sum,
    Ignored,
}

impl Field {
    /// The field's label in JSON, and in CBOR (RFC 8428 §6, table 4).
    const LABELS: [(&'static str, i8, Self); 15] = [
        ("bver", -1, Self::BaseVersion),
        ("bn", -2, Self::BaseName),
        ("bt", -3, Self::BaseTime),
        ("bu", -4, Self::BaseUnit),
        ("bv", -5, Self::BaseValue),
        ("bs", -6, Self::Sum),
        ("n", 0, Self::Name),
        ("u", 1, Self::Unit),
        ("v", 2, Self::Value),
        ("vs", 3, Self::TextValue),
        ("vb", 4, Self::BoolValue),
        ("s", 5, Self::Sum),
        ("t", 6, Self::Time),
        ("ut", 7, Self::Ignored),
        ("vd", 8, Self::DataValue),
    ];

    fn of_json(label: &str) -> Result<Self, SenmlError> {
        match Self::LABELS.iter().find(|(json, ..)| *json == label) {
            Some((.., field)) => Ok(*field),
            None if label.ends_with('_') => Err(SenmlError::MustUnderstand(shorten(label))),
            None => Ok(Self::Ignored),
        }
    }

    fn of_cbor(label: i64) -> Self {
        let known = Self::LABELS.iter().find(|(_, cbor, _)| i64::from(*cbor) == label);
        known.map_or(Self::Ignored, |(.., field)| *field)
    }

    fn label(self) -> &'static str {
        Self::LABELS.iter().find(|(.., field)| *field == self).map_or("?", |(json, ..)| *json)
    }
}

/// A record as written, fields unresolved.
#[derive(Debug, Default)]
struct Entry {
    base_name: Option<String>,
    base_time: Option<String>,
    base_unit: Option<String>,
    base_value: Option<String>,
    base_version: Option<String>,
    name: Option<String>,
    unit: Option<String>,
    time: Option<String>,
    value: Option<Scalar>,
    has_sum: bool,
}

impl Entry {
    fn set(&mut self, field: Field, scalar: Scalar) -> Result<(), SenmlError> {
        let slot = match (field, &scalar) {
            (Field::Ignored, _) => return Ok(()),
            (Field::Sum, Scalar::Number(_)) => {
                self.has_sum = true;
                return Ok(());
            }
            (Field::Value, Scalar::Number(_))
            | (Field::TextValue, Scalar::Text(_))
            | (Field::BoolValue, Scalar::Bool(_))
            | (Field::DataValue, Scalar::Bytes(_)) => return self.set_value(field, scalar),
            (Field::BaseName, Scalar::Text(_)) => &mut self.base_name,
            (Field::BaseUnit, Scalar::Text(_)) => &mut self.base_unit,
            (Field::Name, Scalar::Text(_)) => &mut self.name,
            (Field::Unit, Scalar::Text(_)) => &mut self.unit,
            (Field::BaseTime, Scalar::Number(_)) => &mut self.base_time,
            (Field::BaseValue, Scalar::Number(_)) => &mut self.base_value,
            (Field::BaseVersion, Scalar::Number(_)) => &mut self.base_version,
            (Field::Time, Scalar::Number(_)) => &mut self.time,
            _ => return Err(SenmlError::WrongType { field: field.label() }),
        };
        let (Scalar::Text(text) | Scalar::Number(text)) = scalar else {
            return Err(SenmlError::WrongType { field: field.label() });
        };
        match slot.replace(text) {
            None => Ok(()),
            Some(_) => Err(SenmlError::Twice { field: field.label() }),
        }
    }

    fn set_value(&mut self, field: Field, scalar: Scalar) -> Result<(), SenmlError> {
        match self.value.replace(scalar) {
            None => Ok(()),
            Some(_) => Err(SenmlError::Twice { field: field.label() }),
        }
    }
}

/// Base fields in force, which the records after them inherit (RFC 8428 §4.6).
#[derive(Default)]
struct Base {
    name: String,
    time: Option<String>,
    unit: Option<String>,
    value: Option<String>,
}

fn resolve(entries: Vec<Entry>, now_ms: i64) -> Result<Vec<Record>, SenmlError> {
    let mut base = Base::default();
    let mut records = Vec::with_capacity(entries.len());
    for entry in entries {
        records.extend(base.resolve(entry, now_ms)?);
    }
    Ok(records)
}

impl Base {
    fn resolve(&mut self, entry: Entry, now_ms: i64) -> Result<Option<Record>, SenmlError> {
        if let Some(version) = entry.base_version {
            let number = decimal::parse(&version, 0, false).unwrap_or(i64::MAX);
            if number > i64::from(VERSION) {
                return Err(SenmlError::Version(version));
            }
        }
        if let Some(name) = entry.base_name {
            self.name = name;
        }
        self.time = entry.base_time.or(self.time.take());
        self.unit = entry.base_unit.or(self.unit.take());
        self.value = entry.base_value.or(self.value.take());

        let Some(value) = entry.value else {
            // A record of base fields only sets them.
            return if entry.has_sum { Err(SenmlError::OnlySum) } else { Ok(None) };
        };
        let own_name = entry.name.unwrap_or_default();
        let name = self.full_name(&own_name)?;
        let time_ms = self.time_ms(entry.time, now_ms)?;
        let unit = entry.unit.or_else(|| self.unit.clone());
        Ok(Some(Record { name, own_name, unit, time_ms, value: self.full_value(value)? }))
    }

    fn full_name(&self, name: &str) -> Result<String, SenmlError> {
        if self.name.len() + name.len() > NAME_BYTES_MAX {
            return Err(SenmlError::TooMany { what: "bytes in a name", max: NAME_BYTES_MAX });
        }
        let full = format!("{}{name}", self.name);
        // No name at all is left to the profile, whose topic may name thing and property.
        let allowed =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.' | '/' | '_');
        let starts_badly = full.starts_with(|c: char| !c.is_ascii_alphanumeric());
        if starts_badly || !full.chars().all(allowed) {
            return Err(SenmlError::Name(shorten(&full)));
        }
        Ok(full)
    }

    fn time_ms(&self, time: Option<String>, now_ms: i64) -> Result<Option<i64>, SenmlError> {
        let seconds = match (&self.time, time) {
            (None, None) => return Ok(None),
            (Some(base), None) => base.clone(),
            (None, Some(time)) => time,
            (Some(base), Some(time)) => sum(base, &time).map_err(number("t"))?,
        };
        let ms = decimal::parse(&seconds, 3, true).map_err(number("t"))?;
        if ms >= RELATIVE_TIME_BELOW_MS {
            return Ok(Some(ms));
        }
        let absolute = now_ms.checked_add(ms);
        absolute.map(Some).ok_or(decimal::DecimalError::TooLarge).map_err(number("t"))
    }

    fn full_value(&self, value: Scalar) -> Result<Scalar, SenmlError> {
        match (&self.value, value) {
            (Some(base), Scalar::Number(own)) => {
                sum(base, &own).map(Scalar::Number).map_err(number("v"))
            }
            (_, value) => Ok(value),
        }
    }
}

fn number(field: &'static str) -> impl Fn(decimal::DecimalError) -> SenmlError {
    move |source| SenmlError::Number { field, source }
}

/// Attacker-controlled text is cut before it reaches a message.
fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests;
