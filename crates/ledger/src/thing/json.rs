//! JSON that can be trusted to mean one thing and to be judged quickly: bounded in depth, no long
//! array, no key twice.

use core::fmt;

use althing_types::limits::{DESCRIPTION_DEPTH_MAX, DESCRIPTION_ITEMS_MAX};
use serde_json::{Map, Value};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Whether brackets nest at most `max` deep. Looks at bytes alone, so that no parser has to
/// descend to find out; the text need not be JSON.
pub(crate) fn is_at_most(max: usize, text: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > max {
            return false;
        }
    }
    true
}

/// Whether a text is a JSON object that means one thing, and not nested deeper than descriptions may
/// be.
pub(crate) fn is_object(text: &[u8]) -> bool {
    is_at_most(DESCRIPTION_DEPTH_MAX, text)
        && serde_json::from_slice(text).is_ok_and(|Unambiguous(value)| value.is_object())
}

/// A JSON value in which no object has a key twice: readers differ in which one they take, so the
/// peers would agree on a text and people on two meanings of it. No array has more than
/// [`DESCRIPTION_ITEMS_MAX`] items: a schema's `uniqueItems` may compare each with each.
pub(super) struct Unambiguous(pub(super) Value);

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor).map(Self)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    /// Fractions become floats for the schema's own comparisons (is it positive?); what enters
    /// the state is read from the text of the number instead.
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Unambiguous(item)) = items.next_element()? {
            if array.len() == DESCRIPTION_ITEMS_MAX {
                let told = format!("an array has more than {DESCRIPTION_ITEMS_MAX} items");
                return Err(A::Error::custom(told));
            }
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Unambiguous(value))) = entries.next_entry::<String, _>()? {
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom("a key occurs twice"));
            }
        }
        Ok(object.into())
    }
}
