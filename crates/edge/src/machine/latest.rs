//! What the gateway took last, for devices that ask.

use althing_types::{Reading, StreamSchema, Value, decimal};
use serde_json::{Map, Value as Json};

use super::Machine;
use crate::directory::StreamSpec;

impl Machine {
    /// The newest reading of the property that a topic names, or of each property of the thing that
    /// it names, as a SenML pack in JSON (RFC 8428). None if the topic names none that is served, or
    /// nothing was taken since the start.
    #[must_use]
    pub fn latest(&self, topic: &str) -> Option<String> {
        let profiles = &self.config.profiles;
        let (profile, captured) =
            profiles.iter().find_map(|it| Some((it, it.pattern.capture(topic)?)))?;
        let thing = captured.thing.or(profile.thing.as_deref())?;
        let property = captured.property.or(profile.property.as_deref());
        let served = self.directory.thing(thing)?;
        let wanted = |stream: &&StreamSpec| property.is_none_or(|name| *name == *stream.property);
        let found: Vec<String> = served
            .streams
            .values()
            .filter(wanted)
            .filter_map(|spec| Some((spec, self.streams.get(&spec.id)?.latest.as_ref()?)))
            .map(|(spec, reading)| record(thing, spec, reading))
            .collect();
        (!found.is_empty()).then(|| format!("[{}]", found.join(",")))
    }
}

/// A record with its full name. Numbers are written as decimals, never through a float.
fn record(thing: &str, spec: &StreamSpec, reading: &Reading) -> String {
    let mut text = Map::new();
    text.insert("n".to_owned(), Json::from(format!("{thing}:{}", spec.property)));
    if !spec.schema.unit.is_empty() {
        text.insert("u".to_owned(), Json::from(spec.schema.unit.clone()));
    }
    let named = Json::Object(text).to_string();
    let (label, value) = value(&reading.value, &spec.schema);
    let time = decimal::to_text(reading.claimed_ms, 3);
    format!("{},\"{label}\":{value},\"t\":{time}}}", &named[..named.len() - 1])
}

fn value(value: &Value, schema: &StreamSchema) -> (&'static str, String) {
    match value {
        Value::Number(mantissa) => ("v", decimal::to_text(*mantissa, schema.scale)),
        Value::Bool(value) => ("vb", value.to_string()),
        Value::Text(text) => ("vs", Json::from(text.clone()).to_string()),
        Value::Bytes(bytes) => ("vd", format!("\"{}\"", base64url(bytes))),
    }
}

/// Base64 with the URL-safe alphabet and without padding (RFC 8428 §5).
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = (group >> (18 - 6 * place)) & 0x3f;
            text.push(char::from(ALPHABET[index as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64url;

    #[test]
    fn bytes_in_base64url() {
        for (bytes, expected) in
            [(&b""[..], ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (&[0xff, 0xef], "_-8")]
        {
            assert_eq!(base64url(bytes), expected);
        }
    }
}
