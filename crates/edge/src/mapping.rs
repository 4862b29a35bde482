//! From a publish to the readings it carries: topic and payload through a profile and the schema.

use std::borrow::Cow;
use std::collections::BTreeMap;

use althing_types::{
    Arrived, LedgerId, Pack, Reading, StreamId, StreamSchema, Value, ValueKind, decimal,
};
use serde_json::value::RawValue;

use crate::directory::{Directory, StreamSpec};
use crate::profile::{Form, JsonForm, Profile, TimeUnit};
use crate::rejection::{Rejection, quote};
use crate::scalar::Scalar;
use crate::senml::{self, SenmlError};
use crate::time::parse_rfc3339;
use crate::topic::Captured;

/// A publish as it came, and what may be taken from it.
pub(crate) struct Context<'a> {
    pub(crate) ledger: &'a LedgerId,
    pub(crate) profiles: &'a [Profile],
    pub(crate) directory: &'a Directory,
    /// The ledger's height, as far as known.
    pub(crate) height: u64,
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    /// Whether it must be a signed pack, in whatever profile.
    pub(crate) only_signed: bool,
    pub(crate) received_ms: i64,
    pub(crate) payload_bytes_max: usize,
    pub(crate) ahead_ms_max: i64,
}

/// What a publish carries.
#[expect(
    clippy::large_enum_variant,
    reason = "a pack is moved a few times in its life, a box would be one allocation more"
)]
#[derive(Debug)]
pub(crate) enum Mapped {
    /// Readings that the gateway numbers.
    Readings(Vec<(StreamId, Reading)>),
    /// A pack that its device signed, with the readings in it.
    Pack(StreamId, Arrived, Vec<Reading>),
}

impl Context<'_> {
    /// The readings of the publish with their streams: all of them, or a reason to take none.
    pub(crate) fn mapped(&self) -> Result<Mapped, Rejection> {
        if self.payload.len() > self.payload_bytes_max {
            return Err(Rejection::TooLarge {
                len: self.payload.len(),
                max: self.payload_bytes_max,
            });
        }
        let fits = |profile: &Profile| profile.pattern.capture(self.topic);
        let Some((profile, captured)) =
            self.profiles.iter().find_map(|profile| Some((profile, fits(profile)?)))
        else {
            return Err(Rejection::NoProfile { topic: quote(self.topic) });
        };
        let names = Names::new(profile, captured);
        let readings = match self.form(&profile.form) {
            Form::Signed => return self.signed(&names),
            Form::SenmlJson => self.pack(&names, senml::from_json(self.payload, self.received_ms)),
            Form::SenmlCbor => self.pack(&names, senml::from_cbor(self.payload, self.received_ms)),
            Form::Json(form) => self.json(&names, &form),
            Form::Fields => self.fields(&names),
            Form::Plain | Form::Auto => self.plain(&names),
        };
        readings.map(Mapped::Readings)
    }

    /// A pack that the thing's device signed. Nothing is changed in it, so it must fit as it is.
    fn signed(&self, names: &Names<'_>) -> Result<Mapped, Rejection> {
        let bytes = self.payload.strip_prefix(&[COSE_SIGN1_TAG]).unwrap_or(self.payload);
        let pack = Pack::decode(bytes).map_err(|error| {
            self.malformed(format!("no signed pack in the form documented: {error}"))
        })?;
        let name = pack.body().name.clone();
        let mut levels = name.rsplit([':', '/']).filter(|level| !level.is_empty());
        let own = levels.next();
        if names.property.is_some_and(|property| own != Some(property)) {
            return Err(self.malformed(format!("pack `{}` is not of the topic", quote(&name))));
        }
        let thing = names.thing.or_else(|| levels.next());
        let (stream, property) = self.known(thing, own)?;
        let thing = thing.unwrap_or_default().to_owned();
        let device = self.directory.thing(&thing).and_then(|served| served.device.as_ref());
        let device = device.ok_or_else(|| Rejection::NotSigning { thing: thing.clone() })?;
        let key = device.key.as_ref().filter(|_| pack.body().signer == device.id);
        let check = key.and_then(|key| pack.check(self.ledger, &stream.id, key));
        if !check.is_some_and(|check| check.holds()) {
            return Err(Rejection::BadSignature { thing });
        }
        self.fits(stream, property, &pack)?;
        let received_ms = self.received_ms;
        let readings = pack.readings(received_ms).unwrap_or_default();
        Ok(Mapped::Pack(stream.id, Arrived { received_ms, pack }, readings))
    }

    /// Whether the readings of a pack are of the stream, in scale, value and time.
    fn fits(&self, stream: &StreamSpec, property: &str, pack: &Pack) -> Result<(), Rejection> {
        let mismatch = |detail: String| {
            Err(Rejection::SchemaMismatch { property: property.to_owned(), detail })
        };
        let schema = &stream.schema;
        if schema.kind == ValueKind::Number && pack.body().scale != schema.scale {
            return mismatch(format!(
                "signed numbers have the {} decimal places of the property, these have {}",
                schema.scale,
                pack.body().scale,
            ));
        }
        let Some(readings) = pack.readings(self.received_ms) else {
            return mismatch("a time is out of range".to_owned());
        };
        for reading in readings {
            self.check_time(reading.claimed_ms)?;
            if !schema.admits(&reading.value) {
                return mismatch("a value is outside its type, range or quantum".to_owned());
            }
        }
        Ok(())
    }

    fn form(&self, form: &Form) -> Form {
        match (form, self.payload.first()) {
            _ if self.only_signed => Form::Signed,
            (Form::Auto, _) if is_cose_sign1(self.payload) => Form::Signed,
            (Form::Auto, Some(b'{')) => Form::Json(JsonForm::standard()),
            (Form::Auto, Some(b'[')) => Form::SenmlJson,
            (Form::Auto, Some(0x80..=0x9f)) => Form::SenmlCbor,
            (Form::Auto, _) => Form::Plain,
            (form, _) => form.clone(),
        }
    }

    fn plain(&self, names: &Names<'_>) -> Result<Vec<(StreamId, Reading)>, Rejection> {
        let (stream, property) = self.stream(names.thing, names.property)?;
        let scalar = if stream.schema.kind == ValueKind::Bytes {
            Scalar::Bytes(self.payload.to_vec())
        } else {
            let text = std::str::from_utf8(self.payload).map_err(|e| self.not_utf8(&e))?;
            plain_scalar(text, stream.schema.kind)
        };
        self.reading(names, stream, property, scalar, None).map(|reading| vec![reading])
    }

    fn json(
        &self,
        names: &Names<'_>,
        form: &JsonForm,
    ) -> Result<Vec<(StreamId, Reading)>, Rejection> {
        let (stream, property) = self.stream(names.thing, names.property)?;
        let text = std::str::from_utf8(self.payload).map_err(|e| self.not_utf8(&e))?;
        let raw: &RawValue = serde_json::from_str(text)
            .map_err(|error| self.malformed(format!("not JSON, column {}", error.column())))?;
        let value = form.value.find(raw).and_then(senml::scalar);
        let value = value.ok_or_else(|| self.malformed("no value where the profile expects it"))?;
        let time = form.time.as_ref().and_then(|pointer| pointer.find(raw));
        let claimed_ms = match time.map(senml::scalar) {
            None => None,
            Some(scalar) => Some(
                scalar
                    .and_then(|scalar| claimed_ms(&scalar, form.time_unit))
                    .ok_or_else(|| self.malformed("the time is no number and no RFC 3339 text"))?,
            ),
        };
        self.reading(names, stream, property, value, claimed_ms).map(|reading| vec![reading])
    }

    /// The values in a JSON object that the thing has properties for, in order of their names.
    fn fields(&self, names: &Names<'_>) -> Result<Vec<(StreamId, Reading)>, Rejection> {
        let text = std::str::from_utf8(self.payload).map_err(|e| self.not_utf8(&e))?;
        let raw: &RawValue = serde_json::from_str(text)
            .map_err(|error| self.malformed(format!("not JSON, column {}", error.column())))?;
        let mut leaves = BTreeMap::new();
        collect_leaves(raw, "", FIELDS_DEPTH_MAX, &mut leaves).ok_or_else(|| {
            self.malformed("no JSON object of bounded depth and number of values")
        })?;
        let thing = names.thing.unwrap_or_default();
        let served = self.directory.thing(thing);
        let served = served.ok_or_else(|| Rejection::UnknownThing { thing: quote(thing) })?;
        let mut readings = Vec::new();
        for property in served.streams.keys() {
            let last = |path: &&String| path.rsplit('_').next() == Some(property.as_str());
            let by_last = || leaves.iter().find(|(path, _)| last(path)).map(|(_, leaf)| leaf);
            let Some(leaf) = leaves.get(property).or_else(by_last) else { continue };
            let (stream, property) = self.stream(Some(thing), Some(property))?;
            readings.push(self.reading(names, stream, property, leaf.clone(), None)?);
        }
        if readings.is_empty() {
            return Err(self.malformed("no value in it is of a property of the thing"));
        }
        Ok(readings)
    }

    fn pack(
        &self,
        names: &Names<'_>,
        records: Result<Vec<senml::Record>, SenmlError>,
    ) -> Result<Vec<(StreamId, Reading)>, Rejection> {
        let records = records.map_err(|error| self.malformed(error.to_string()))?;
        if records.is_empty() {
            return Err(self.malformed("the pack has no value"));
        }
        let mut readings = Vec::with_capacity(records.len());
        for record in records {
            let (thing, property) = names.of_record(&record).ok_or_else(|| {
                let name = quote(&record.name);
                self.malformed(format!("record `{name}` is not of the topic's property"))
            })?;
            let (stream, property) = self.stream(thing, property)?;
            check_unit(stream, record.unit.as_deref())?;
            let (property, value) = (property.to_owned(), record.value);
            readings.push(self.reading(names, stream, &property, value, record.time_ms)?);
        }
        Ok(readings)
    }

    /// The stream of a property whose readings the gateway may assert.
    fn stream<'n>(
        &self,
        thing: Option<&'n str>,
        property: Option<&'n str>,
    ) -> Result<(&StreamSpec, &'n str), Rejection> {
        let found = self.known(thing, property)?;
        let name = thing.unwrap_or_default();
        match self.directory.thing(name).and_then(|served| served.device.as_ref()) {
            Some(_) => Err(Rejection::Unsigned { thing: name.to_owned() }),
            None => Ok(found),
        }
    }

    fn known<'n>(
        &self,
        thing: Option<&'n str>,
        property: Option<&'n str>,
    ) -> Result<(&StreamSpec, &'n str), Rejection> {
        let thing = thing.unwrap_or_default();
        let served = self.directory.thing(thing);
        let served = served.ok_or_else(|| Rejection::UnknownThing { thing: quote(thing) })?;
        // What is published now comes into a later block.
        if served.until_height.is_some_and(|until| until <= self.height) {
            return Err(Rejection::BindingEnded { thing: thing.to_owned() });
        }
        if served.is_shut_out {
            return Err(Rejection::ShutOut { thing: thing.to_owned() });
        }
        let property = property.unwrap_or_default();
        let unknown =
            || Rejection::UnknownProperty { thing: thing.to_owned(), property: quote(property) };
        served.streams.get(property).map(|stream| (stream, property)).ok_or_else(unknown)
    }

    fn reading(
        &self,
        names: &Names<'_>,
        stream: &StreamSpec,
        property: &str,
        scalar: Scalar,
        claimed_ms: Option<i64>,
    ) -> Result<(StreamId, Reading), Rejection> {
        let received_ms = self.received_ms;
        let claimed_ms = claimed_ms.unwrap_or(received_ms);
        self.check_time(claimed_ms)?;
        let mismatch = |detail| Rejection::SchemaMismatch { property: property.to_owned(), detail };
        let value = value(scalar, &stream.schema, names.round).map_err(mismatch)?;
        if !stream.schema.admits(&value) {
            return Err(mismatch("the value is outside its range, quantum or length".to_owned()));
        }
        Ok((stream.id, Reading { claimed_ms, received_ms, value }))
    }

    fn check_time(&self, claimed_ms: i64) -> Result<(), Rejection> {
        let received_ms = self.received_ms;
        if claimed_ms < 0 || claimed_ms > received_ms.saturating_add(self.ahead_ms_max) {
            return Err(Rejection::TimeOutOfRange { claimed_ms, received_ms });
        }
        Ok(())
    }

    fn malformed(&self, detail: impl Into<String>) -> Rejection {
        Rejection::Malformed { topic: quote(self.topic), detail: detail.into() }
    }

    fn not_utf8(&self, error: &std::str::Utf8Error) -> Rejection {
        self.malformed(format!("not UTF-8 at byte {}", error.valid_up_to()))
    }
}

/// Deepest nesting of an object that is read for its values.
const FIELDS_DEPTH_MAX: usize = 4;
/// Most values of such an object.
const LEAVES_MAX: usize = 256;

/// The scalars in an object by the path to them; `None` beyond the bounds.
fn collect_leaves(
    raw: &RawValue,
    path: &str,
    depth: usize,
    leaves: &mut BTreeMap<String, Scalar>,
) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let object: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(raw.get()).ok()?;
    for (name, value) in object {
        let separator = if path.is_empty() { "" } else { "_" };
        let path = format!("{path}{separator}{}", name.to_ascii_lowercase());
        if let Some(scalar) = senml::scalar(value) {
            leaves.insert(path, scalar);
            if leaves.len() > LEAVES_MAX {
                return None;
            }
        } else if value.get().starts_with('{') {
            collect_leaves(value, &path, depth, leaves)?;
        }
    }
    Some(())
}

/// What topic and profile say of thing and property.
struct Names<'a> {
    thing: Option<&'a str>,
    property: Option<&'a str>,
    round: bool,
}

impl<'a> Names<'a> {
    fn new(profile: &'a Profile, captured: Captured<'a>) -> Self {
        Self {
            thing: captured.thing.or(profile.thing.as_deref()),
            property: captured.property.or(profile.property.as_deref()),
            round: profile.round,
        }
    }

    /// Thing and property of a SenML record.
    ///
    /// A resolved name is `[...:][<thing>:]<property>`, separated by `:` or `/`. What topic and
    /// profile leave open is taken from it. Where topic and record both name the property they must
    /// agree (`None` if not): a device that says otherwise is misconfigured.
    fn of_record<'n>(&self, record: &'n senml::Record) -> Option<(Option<&'n str>, Option<&'n str>)>
    where
        'a: 'n,
    {
        let mut levels = record.name.rsplit([':', '/']).filter(|level| !level.is_empty());
        let property = match (self.property, record.own_name.is_empty()) {
            (Some(property), true) => property,
            (named, _) => {
                let own = levels.next()?;
                named.is_none_or(|property| property == own).then_some(own)?
            }
        };
        Some((self.thing.or_else(|| levels.next()), Some(property)))
    }
}

/// Tag of COSE_Sign1 (RFC 9052 §2), which a device may put before a pack. It is not signed.
const COSE_SIGN1_TAG: u8 = 0xd2;

/// Whether a payload is COSE_Sign1: an array of four that begins with a byte string, where a SenML
/// pack of four begins with a map.
#[must_use]
pub fn is_cose_sign1(payload: &[u8]) -> bool {
    let untagged = payload.strip_prefix(&[COSE_SIGN1_TAG]).unwrap_or(payload);
    matches!(untagged, [0x84, 0x40..=0x5b, ..])
}

fn check_unit(stream: &StreamSpec, unit: Option<&str>) -> Result<(), Rejection> {
    match unit {
        Some(unit) if !stream.schema.unit.is_empty() && unit != stream.schema.unit => {
            Err(Rejection::UnitMismatch {
                property: stream.property.clone(),
                expected: stream.schema.unit.clone(),
                given: quote(unit),
            })
        }
        _ => Ok(()),
    }
}

/// A plain payload, read as what the stream holds.
fn plain_scalar(text: &str, kind: ValueKind) -> Scalar {
    match (kind, text.trim()) {
        (ValueKind::Number, trimmed) => Scalar::Number(trimmed.to_owned()),
        (ValueKind::Bool, "true" | "1") => Scalar::Bool(true),
        (ValueKind::Bool, "false" | "0") => Scalar::Bool(false),
        _ => Scalar::Text(text.to_owned()),
    }
}

fn claimed_ms(scalar: &Scalar, unit: TimeUnit) -> Option<i64> {
    match (scalar, unit) {
        (Scalar::Text(text), _) => parse_rfc3339(text),
        (Scalar::Number(number), TimeUnit::Seconds) => decimal::parse(number, 3, true).ok(),
        (Scalar::Number(number), TimeUnit::Milliseconds) => decimal::parse(number, 0, true).ok(),
        _ => None,
    }
}

/// The value of a scalar under a schema, or what does not fit.
fn value(scalar: Scalar, schema: &StreamSchema, round: bool) -> Result<Value, String> {
    match (schema.kind, scalar) {
        (ValueKind::Number, Scalar::Number(text)) => decimal::parse(&text, schema.scale, round)
            .map(Value::Number)
            .map_err(|error| format!("`{}` is {error}", quote(&text))),
        (ValueKind::Bool, Scalar::Bool(value)) => Ok(Value::Bool(value)),
        (ValueKind::Text, Scalar::Text(text)) => Ok(Value::Text(text)),
        (ValueKind::Bytes, Scalar::Bytes(bytes)) => Ok(Value::Bytes(bytes)),
        (expected, given) => {
            let expected = match expected {
                ValueKind::Number => "a number",
                ValueKind::Bool => "a boolean",
                ValueKind::Text => "text",
                ValueKind::Bytes => "bytes",
            };
            Err(format!("expected {expected}, the payload has {}", given.kind()))
        }
    }
}

#[cfg(test)]
mod tests;
