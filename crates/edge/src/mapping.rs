//! From a publish to the readings it carries: topic and payload through a profile and the schema.

use althing_types::{Reading, StreamId, StreamSchema, Value, ValueKind, decimal};
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
    pub(crate) profiles: &'a [Profile],
    pub(crate) directory: &'a Directory,
    /// The ledger's height, as far as known.
    pub(crate) height: u64,
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) received_ms: i64,
    pub(crate) payload_bytes_max: usize,
    pub(crate) ahead_ms_max: i64,
}

impl Context<'_> {
    /// The readings of the publish with their streams: all of them, or a reason to take none.
    pub(crate) fn readings(&self) -> Result<Vec<(StreamId, Reading)>, Rejection> {
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
        match self.form(&profile.form) {
            Form::SenmlJson => self.pack(&names, senml::from_json(self.payload, self.received_ms)),
            Form::SenmlCbor => self.pack(&names, senml::from_cbor(self.payload, self.received_ms)),
            Form::Json(form) => self.json(&names, &form),
            Form::Plain | Form::Auto => self.plain(&names),
        }
    }

    fn form(&self, form: &Form) -> Form {
        match (form, self.payload.first()) {
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

    fn stream<'n>(
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
        if claimed_ms < 0 || claimed_ms > received_ms.saturating_add(self.ahead_ms_max) {
            return Err(Rejection::TimeOutOfRange { claimed_ms, received_ms });
        }
        let mismatch = |detail| Rejection::SchemaMismatch { property: property.to_owned(), detail };
        let value = value(scalar, &stream.schema, names.round).map_err(mismatch)?;
        if !stream.schema.admits(&value) {
            return Err(mismatch("the value is outside its range, quantum or length".to_owned()));
        }
        Ok((stream.id, Reading { claimed_ms, received_ms, value }))
    }

    fn malformed(&self, detail: impl Into<String>) -> Rejection {
        Rejection::Malformed { topic: quote(self.topic), detail: detail.into() }
    }

    fn not_utf8(&self, error: &std::str::Utf8Error) -> Rejection {
        self.malformed(format!("not UTF-8 at byte {}", error.valid_up_to()))
    }
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
