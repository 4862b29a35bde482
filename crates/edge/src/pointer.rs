use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Most steps of a pointer.
pub const POINTER_STEPS_MAX: usize = 16;

/// Where in a JSON payload a value stands: a JSON Pointer (RFC 6901) such as `/data/0/celsius`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    steps: Vec<String>,
}

/// Why a text is no pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// Does not begin with `/`.
    #[error("a JSON Pointer is empty or begins with `/`, like `/data/0/value`")]
    Slash,
    /// Too many steps.
    #[error("a JSON Pointer has at most {POINTER_STEPS_MAX} steps")]
    TooDeep,
    /// `~` without 0 or 1 after it.
    #[error("`~` in a JSON Pointer is written `~0`, and `/` is written `~1`")]
    Escape,
}

impl Pointer {
    /// Reads a pointer; the empty text points at the whole payload.
    ///
    /// # Errors
    /// [`PointerError`].
    pub fn parse(text: &str) -> Result<Self, PointerError> {
        if text.is_empty() {
            return Ok(Self { steps: Vec::new() });
        }
        let path = text.strip_prefix('/').ok_or(PointerError::Slash)?;
        let steps = path.split('/').map(unescape).collect::<Result<Vec<_>, _>>()?;
        if steps.len() > POINTER_STEPS_MAX {
            return Err(PointerError::TooDeep);
        }
        Ok(Self { steps })
    }

    /// The piece of JSON that the pointer names.
    pub(crate) fn find<'j>(&self, json: &'j RawValue) -> Option<&'j RawValue> {
        self.steps.iter().try_fold(json, |json, step| child(json, step))
    }
}

fn unescape(step: &str) -> Result<String, PointerError> {
    let mut parts = step.split('~');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (escaped, rest) = match part.as_bytes().first() {
            Some(b'0') => ('~', &part[1..]),
            Some(b'1') => ('/', &part[1..]),
            _ => return Err(PointerError::Escape),
        };
        text.push(escaped);
        text.push_str(rest);
    }
    Ok(text)
}

fn child<'j>(json: &'j RawValue, step: &str) -> Option<&'j RawValue> {
    match json.get().as_bytes().first()? {
        b'{' => {
            let object: BTreeMap<Cow<'j, str>, &'j RawValue> =
                serde_json::from_str(json.get()).ok()?;
            object.get(step).copied()
        }
        b'[' => {
            let array: Vec<&'j RawValue> = serde_json::from_str(json.get()).ok()?;
            array.get(step.parse::<usize>().ok()?).copied()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_values() {
        let json = r#"{"a/b": [1, {"~": 2.50}], "v": "x"}"#;
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        for (pointer, expected) in [
            ("", Some(json)),
            ("/v", Some("\"x\"")),
            ("/a~1b/0", Some("1")),
            ("/a~1b/1/~0", Some("2.50")),
            ("/a~1b/2", None),
            ("/a~1b/x", None),
            ("/v/0", None),
            ("/none", None),
        ] {
            let found = Pointer::parse(pointer).unwrap().find(raw).map(RawValue::get);
            assert_eq!(found, expected, "{pointer}");
        }
    }

    #[test]
    fn refuses_what_is_no_pointer() {
        for (text, expected) in [
            ("v", PointerError::Slash),
            ("/~2", PointerError::Escape),
            ("/a~", PointerError::Escape),
            (&"/a".repeat(17), PointerError::TooDeep),
        ] {
            assert_eq!(Pointer::parse(text), Err(expected), "{text}");
        }
    }
}
