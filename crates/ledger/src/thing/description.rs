//! A W3C WoT Thing Description 1.1, as far as the ledger looks into it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use althing_proof::record::Signing;
use althing_types::{
    Digest, Refusal, StreamSchema, ValueKind, Wire, WireError,
    decimal::{self, DecimalError},
    limits::{
        DESCRIPTION_BYTES_MAX, DESCRIPTION_DEPTH_MAX, NAME_BYTES_MAX, PROPERTIES_MAX, SCALE_MAX,
    },
};
use jsonschema::{Draft, PatternOptions, Validator};
use minicbor::{Decode, Encode};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::json::{Unambiguous, is_at_most};

/// Decimal places of a `number` property whose description states no `multipleOf`.
pub const DEFAULT_SCALE: u8 = 6;

/// Most semantic types of a thing that it can be found by.
pub const TYPES_MAX: usize = 16;
/// Longest semantic type that a thing can be found by, bytes.
pub const TYPE_BYTES_MAX: usize = 128;

/// The Working Group's own JSON Schema; see `schema/LICENSE-W3C.txt`.
const SCHEMA: &str = include_str!("../../schema/td-json-schema-validation.json");

/// What the ledger takes from a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// SHA-256 of the text as submitted.
    pub digest: Digest,
    /// Its title.
    pub title: String,
    /// Its semantic types (`@type`) as written: the first [`TYPES_MAX`] of at most
    /// [`TYPE_BYTES_MAX`] bytes, none twice, ascending.
    pub types: Vec<String>,
    /// The properties that become streams, ascending by name.
    pub properties: Vec<(String, StreamSchema)>,
    /// Whose signature its readings need (`"althing:signing": "device"`).
    pub signing: Option<Signing>,
    /// What the thing can be asked to do.
    pub interface: Interface,
}

/// Most actions of a thing that it can be asked for; a description may have more.
pub const ACTIONS_MAX: usize = 64;

/// What a thing can be asked to do, in short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Interface {
    /// Names of its actions, ascending: the first [`ACTIONS_MAX`] that can be names here.
    #[n(0)]
    pub actions: Vec<String>,
    /// Names of the properties that are streams and cannot be written, ascending.
    #[n(1)]
    pub read_only: Vec<String>,
}

impl Wire for Interface {
    const BYTES_MAX: usize = (ACTIONS_MAX + PROPERTIES_MAX) * (NAME_BYTES_MAX + 3) + 16;

    fn validate(&self) -> Result<(), WireError> {
        if self.actions.len() <= ACTIONS_MAX && self.read_only.len() <= PROPERTIES_MAX {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("interface"))
        }
    }
}

impl Interface {
    /// Whether the thing has an action of this name.
    #[must_use]
    pub fn has_action(&self, name: &str) -> bool {
        self.actions.binary_search_by(|action| action.as_str().cmp(name)).is_ok()
    }

    /// Whether a property cannot be written.
    #[must_use]
    pub fn is_read_only(&self, property: &str) -> bool {
        self.read_only.binary_search_by(|name| name.as_str().cmp(property)).is_ok()
    }
}

impl Description {
    /// Reads a description: bounded JSON without repeated keys or long arrays that satisfies the Thing Description
    /// 1.1 schema and whose properties can be streams of exact values.
    ///
    /// # Errors
    /// [`Refusal::TooLarge`] or [`Refusal::BadDescription`].
    pub fn parse(text: &[u8]) -> Result<Self, Refusal> {
        if text.len() > DESCRIPTION_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        if !is_at_most(DESCRIPTION_DEPTH_MAX, text) {
            return Err(Refusal::BadDescription);
        }
        let Unambiguous(value) = serde_json::from_slice(text).map_err(bad)?;
        if !validator().is_valid(&value) {
            return Err(Refusal::BadDescription);
        }
        let outline: Outline<'_> = serde_json::from_slice(text).map_err(bad)?;
        Ok(Self {
            digest: Digest(Sha256::digest(text).into()),
            properties: outline.streams()?,
            types: outline.types(),
            interface: outline.interface(),
            signing: outline.signing.map(|SigningText::Device| Signing::Device),
            title: outline.title.into_owned(),
        })
    }
}

/// Says what is wrong with a description, for people; `None` if nothing is. Admission asks for
/// this when [`Description::parse`] refuses; it never reaches a receipt.
#[must_use]
pub fn explain(text: &[u8]) -> Option<String> {
    if !is_at_most(DESCRIPTION_DEPTH_MAX, text) {
        return Some(format!("nested deeper than {DESCRIPTION_DEPTH_MAX} levels"));
    }
    let Unambiguous(value) = match serde_json::from_slice(text) {
        Ok(value) => value,
        Err(error) => return Some(error.to_string()),
    };
    if let Some(error) = validator().iter_errors(&value).next() {
        let reason: String = error.to_string().chars().take(REASON_CHARS_MAX).collect();
        return Some(format!("at `{}`: {reason}", error.instance_path()));
    }
    let outline: Outline<'_> = match serde_json::from_slice(text) {
        Ok(outline) => outline,
        Err(error) => return Some(error.to_string().chars().take(REASON_CHARS_MAX).collect()),
    };
    // A property that becomes no stream may have any name.
    let wrong = outline.properties.iter().find(|(name, property)| {
        property.schema().map_or(true, |schema| schema.is_some() && !is_stream_name(name))
    });
    match wrong {
        Some((name, _)) => Some(format!(
            "property `{}` cannot be a stream: name, unit, multipleOf or bounds are out of range",
            name.chars().take(NAME_BYTES_MAX).collect::<String>()
        )),
        None if outline.streams().is_err() => {
            Some(format!("more than {PROPERTIES_MAX} properties become streams"))
        }
        None => None,
    }
}

/// Says why an input is not one that an action takes, for people; `None` if it is. Gateways ask
/// this before they hand a command over, clients before they sign one; it is not for what peers must
/// agree on, since the schemas of inputs speak of binary floats.
#[must_use]
pub fn input_problem(description: &[u8], action: &str, input: Option<&[u8]>) -> Option<String> {
    let Ok(Unambiguous(described)) = serde_json::from_slice(description) else {
        return Some("the Thing Description cannot be read".to_owned());
    };
    let Some(action) = described.get("actions").and_then(|actions| actions.get(action)) else {
        return Some("the Thing Description has no such action".to_owned());
    };
    let (schema, input) = match (action.get("input"), input) {
        (None, None) => return None,
        (None, Some(_)) => return Some("the action takes no input".to_owned()),
        (Some(_), None) => return Some("the action needs an input".to_owned()),
        (Some(schema), Some(input)) => (schema, input),
    };
    if refers(schema) {
        return Some("the schema of the input refers to others, which are not followed".to_owned());
    }
    let Ok(Unambiguous(input)) = serde_json::from_slice(input) else {
        return Some("the input is not JSON, or has a key twice or a long array".to_owned());
    };
    let options = jsonschema::options()
        .with_draft(Draft::Draft7)
        .with_pattern_options(PatternOptions::regex());
    let Ok(validator) = options.build(schema) else {
        return Some("the schema of the input is not one".to_owned());
    };
    let error = validator.iter_errors(&input).next()?;
    let reason: String = error.to_string().chars().take(REASON_CHARS_MAX).collect();
    Some(format!("at `{}`: {reason}", error.instance_path()))
}

/// Whether a schema refers to another, or to itself, where it would never end. The depth of a
/// description is bounded.
fn refers(schema: &serde_json::Value) -> bool {
    match schema {
        serde_json::Value::Object(members) => {
            members.iter().any(|(name, member)| name.starts_with('$') || refers(member))
        }
        serde_json::Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

/// Longest reason given to people, characters: it may quote what was sent.
const REASON_CHARS_MAX: usize = 200;

fn bad(_: serde_json::Error) -> Refusal {
    Refusal::BadDescription
}

/// The schema, compiled once: it takes longer than checking a description.
fn validator() -> &'static Validator {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    VALIDATOR.get_or_init(|| {
        let schema = serde_json::from_str(SCHEMA).unwrap_or_default();
        let built = jsonschema::options()
            .with_draft(Draft::Draft7)
            .should_validate_formats(true)
            // Linear in the text, whatever the pattern.
            .with_pattern_options(PatternOptions::regex())
            .build(&schema);
        match built {
            Ok(validator) => validator,
            Err(error) => unreachable!("the schema is part of this program: {error}"),
        }
    })
}

/// The members that matter here, with numbers kept as they were written.
#[derive(Deserialize)]
struct Outline<'a> {
    #[serde(borrow)]
    title: Cow<'a, str>,
    #[serde(rename = "@type")]
    types: Option<OneOrMany>,
    #[serde(rename = "althing:signing")]
    signing: Option<SigningText>,
    #[serde(borrow, default)]
    properties: BTreeMap<String, Property<'a>>,
    #[serde(default)]
    actions: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum SigningText {
    Device,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Outline<'_> {
    fn types(&self) -> Vec<String> {
        let written = match &self.types {
            Some(OneOrMany::One(one)) => std::slice::from_ref(one),
            Some(OneOrMany::Many(many)) => many,
            None => &[],
        };
        let fits = |semantic: &&String| {
            (1..=TYPE_BYTES_MAX).contains(&semantic.len())
                && !semantic.chars().any(char::is_control)
        };
        let kept: BTreeSet<&String> = written.iter().filter(fits).take(TYPES_MAX).collect();
        kept.into_iter().cloned().collect()
    }

    fn interface(&self) -> Interface {
        let names = self.actions.keys().filter(|name| is_stream_name(name));
        let read_only = self
            .properties
            .iter()
            .filter(|(_, property)| property.read_only && matches!(property.schema(), Ok(Some(_))));
        Interface {
            actions: names.take(ACTIONS_MAX).cloned().collect(),
            read_only: read_only.map(|(name, _)| name.clone()).collect(),
        }
    }

    fn streams(&self) -> Result<Vec<(String, StreamSchema)>, Refusal> {
        let mut streams = Vec::new();
        for (name, property) in &self.properties {
            let Some(schema) = property.schema()? else { continue };
            if !is_stream_name(name) || streams.len() == PROPERTIES_MAX {
                return Err(Refusal::BadDescription);
            }
            streams.push((name.clone(), schema));
        }
        Ok(streams)
    }
}

fn is_stream_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Property<'a> {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    unit: String,
    #[serde(borrow)]
    multiple_of: Option<&'a RawValue>,
    #[serde(borrow)]
    minimum: Option<&'a RawValue>,
    #[serde(borrow)]
    maximum: Option<&'a RawValue>,
    #[serde(borrow)]
    exclusive_minimum: Option<&'a RawValue>,
    #[serde(borrow)]
    exclusive_maximum: Option<&'a RawValue>,
    content_encoding: Option<String>,
    #[serde(default)]
    read_only: bool,
}

impl Property<'_> {
    /// The form of its readings; `None` if it has no values that a stream could hold.
    fn schema(&self) -> Result<Option<StreamSchema>, Refusal> {
        let kind = match self.kind.as_deref() {
            Some("number" | "integer") => ValueKind::Number,
            Some("boolean") => ValueKind::Bool,
            Some("string") if self.content_encoding.as_deref() == Some("base64") => {
                ValueKind::Bytes
            }
            Some("string") => ValueKind::Text,
            _ => return Ok(None),
        };
        if self.unit.len() > NAME_BYTES_MAX {
            return Err(Refusal::BadDescription);
        }
        let mut schema = StreamSchema {
            kind,
            scale: 0,
            quantum: 1,
            unit: self.unit.clone(),
            minimum: None,
            maximum: None,
        };
        if kind == ValueKind::Number {
            self.measure(&mut schema)?;
        }
        Ok(Some(schema))
    }

    /// Fills in what only numbers have.
    fn measure(&self, schema: &mut StreamSchema) -> Result<(), Refusal> {
        let is_integer = self.kind.as_deref() == Some("integer");
        (schema.scale, schema.quantum) = match self.multiple_of {
            Some(text) => quantum(text.get(), if is_integer { 0 } else { SCALE_MAX })?,
            None if is_integer => (0, 1),
            None => (DEFAULT_SCALE, 1),
        };
        // The next mantissa inwards: all values lie on the scale, so nothing is between.
        let floor = |text, inwards| bound(text, schema.scale, inwards, Side::Minimum);
        let ceiling = |text, inwards| bound(text, schema.scale, inwards, Side::Maximum);
        schema.minimum = floor(self.minimum, 0)?.max(floor(self.exclusive_minimum, 1)?);
        let bounds = [ceiling(self.maximum, 0)?, ceiling(self.exclusive_maximum, -1)?];
        schema.maximum = bounds.into_iter().flatten().min();
        match (schema.minimum, schema.maximum) {
            (Some(minimum), Some(maximum)) if minimum > maximum => Err(Refusal::BadDescription),
            _ => Ok(()),
        }
    }
}

/// Scale and mantissa of `multipleOf`: the fewest decimal places that hold it exactly.
fn quantum(text: &str, scale_max: u8) -> Result<(u8, i64), Refusal> {
    for scale in 0..=scale_max {
        match decimal::parse(text, scale, false) {
            Ok(quantum) if quantum >= 1 => return Ok((scale, quantum)),
            Err(DecimalError::TooPrecise) => {}
            _ => break,
        }
    }
    Err(Refusal::BadDescription)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Minimum,
    Maximum,
}

/// The mantissa of a bound, moved by `inwards`. A bound beyond 64 bits on its own side bounds
/// nothing, which is how generators write "any"; on the other side it would admit nothing.
fn bound(
    text: Option<&RawValue>,
    scale: u8,
    inwards: i64,
    side: Side,
) -> Result<Option<i64>, Refusal> {
    let Some(text) = text.map(RawValue::get) else { return Ok(None) };
    match decimal::parse(text, scale, false) {
        Ok(mantissa) => mantissa.checked_add(inwards).map(Some).ok_or(Refusal::BadDescription),
        Err(DecimalError::TooLarge) if text.starts_with('-') == (side == Side::Minimum) => Ok(None),
        Err(_) => Err(Refusal::BadDescription),
    }
}

#[cfg(test)]
mod tests;
