use althing_types::limits::DESCRIPTION_ITEMS_MAX;
use proptest::prelude::*;

use super::*;
use crate::testing::{PROPERTIES, description};

fn schema_of(property: &str) -> Result<Option<StreamSchema>, Refusal> {
    let property = format!(r#""p": {{{property}, "forms": [{{"href": "p"}}]}}"#);
    let parsed = Description::parse(description(&property).as_bytes())?;
    Ok(parsed.properties.into_iter().map(|(_, schema)| schema).next())
}

#[test]
fn properties_become_streams_of_exact_values() {
    let stream = |kind, scale, quantum, unit: &str, minimum, maximum| {
        let unit = unit.to_owned();
        Ok(Some(StreamSchema { kind, scale, quantum, unit, minimum, maximum }))
    };
    use ValueKind::{Bool, Bytes, Number, Text};
    let bad = || Err(Refusal::BadDescription);
    for (property, expected) in [
        (r#""type": "boolean""#, stream(Bool, 0, 1, "", None, None)),
        (r#""type": "string""#, stream(Text, 0, 1, "", None, None)),
        (r#""type": "string", "contentEncoding": "base64""#, stream(Bytes, 0, 1, "", None, None)),
        (r#""type": "integer""#, stream(Number, 0, 1, "", None, None)),
        (r#""type": "integer", "multipleOf": 5"#, stream(Number, 0, 5, "", None, None)),
        (r#""type": "integer", "multipleOf": 0.5"#, bad()),
        (r#""type": "number", "unit": "degC""#, stream(Number, 6, 1, "degC", None, None)),
        (r#""type": "number", "multipleOf": 0.1"#, stream(Number, 1, 1, "", None, None)),
        // As exact as it is written: a binary float has no 0.1 and no 0.30000000000000004.
        (r#""type": "number", "multipleOf": 0.10"#, stream(Number, 1, 1, "", None, None)),
        (r#""type": "number", "multipleOf": 0.25"#, stream(Number, 2, 25, "", None, None)),
        (r#""type": "number", "multipleOf": 1e-3"#, stream(Number, 3, 1, "", None, None)),
        (r#""type": "number", "multipleOf": 1e-15"#, stream(Number, 15, 1, "", None, None)),
        (r#""type": "number", "multipleOf": 1e-16"#, bad()),
        (r#""type": "number", "multipleOf": 100"#, stream(Number, 0, 100, "", None, None)),
        (r#""type": "number", "multipleOf": 0"#, bad()),
        (r#""type": "number", "multipleOf": -1"#, bad()),
        (
            r#""type": "number", "multipleOf": 0.01, "minimum": -40, "maximum": 85.5"#,
            stream(Number, 2, 1, "", Some(-4000), Some(8550)),
        ),
        (
            r#""type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10"#,
            stream(Number, 0, 1, "", Some(1), Some(9)),
        ),
        (
            r#""type": "integer", "minimum": 3, "exclusiveMinimum": 0, "maximum": 7, "exclusiveMaximum": 9"#,
            stream(Number, 0, 1, "", Some(3), Some(7)),
        ),
        (
            r#""type": "number", "minimum": -1e300, "maximum": 1.7976931348623157e308"#,
            stream(Number, 6, 1, "", None, None),
        ),
        (r#""type": "number", "minimum": 1e300"#, bad()),
        (r#""type": "integer", "exclusiveMinimum": 9223372036854775807"#, bad()),
        (r#""type": "integer", "minimum": 0.5"#, bad()),
        (r#""type": "integer", "minimum": 2, "maximum": 1"#, bad()),
        (r#""type": "object""#, Ok(None)),
        (r#""type": "array""#, Ok(None)),
        (r#""type": "null""#, Ok(None)),
        (r#""title": "no type at all""#, Ok(None)),
    ] {
        assert_eq!(schema_of(property), expected, "{property}");
    }
}

#[test]
fn a_description_is_read_for_what_the_ledger_needs() {
    let text = description(PROPERTIES);
    let parsed = Description::parse(text.as_bytes()).unwrap();
    assert_eq!((parsed.title.as_str(), parsed.types), ("A sensor", vec!["Sensor".to_owned()]));
    let names: Vec<&str> = parsed.properties.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["count", "image", "label", "open", "temperature"]);
    assert_eq!(explain(text.as_bytes()), None);
}

/// What is wrong, and a word that must be in what people are told.
#[test]
fn what_is_no_description_is_refused_with_the_reason() {
    let with =
        |name: &str| format!(r#""{name}": {{"type": "boolean", "forms": [{{"href": "p"}}]}}"#);
    let many: Vec<String> = (0..=PROPERTIES_MAX).map(|index| with(&format!("p{index}"))).collect();
    let base = description("");
    for (text, reason) in [
        (String::new(), "EOF"),
        ("[]".into(), "object"),
        ("not json".into(), "expected"),
        (format!("{base} x"), "trailing"),
        (base.replace("\"title\"", "\"name\""), "title"),
        (base.replace("v1.1", "v9"), "@context"),
        (base.replace("\"nosec\"", "\"trust me\""), "securityDefinitions"),
        (base.replace(r#""security": "none""#, r#""security": []"#), "security"),
        (base.replace(r#""title": "A"#, r#""title": "B", "title": "A"#), "twice"),
        (base.replace(r#""title": "A"#, r#""title": "B", "\u0074itle": "A"#), "twice"),
        (description(r#""p": {"type": "number"}"#), "forms"),
        (description(&with(&"x".repeat(65))), "xxx"),
        (description(&with("")), "property"),
        (description(&with("a\\u0007b")), "property"),
        (description(&many.join(",")), "more than 128"),
        (format!("{}{}", "[".repeat(65), "]".repeat(65)), "deeper than 64"),
        ("[".repeat(60_000), "deeper than 64"),
        (enumerated(&vec!["0"; DESCRIPTION_ITEMS_MAX + 1]), "more than 256 items"),
        (enumerated(&nested_arrays()), "more than 256 items"),
    ] {
        assert_eq!(Description::parse(text.as_bytes()), Err(Refusal::BadDescription), "{text}");
        let told = explain(text.as_bytes()).unwrap_or_default();
        assert!(told.contains(reason), "{told:?} should say {reason:?}");
    }
    let long = description(&with("p")).replace("A sensor", &"x".repeat(DESCRIPTION_BYTES_MAX));
    assert_eq!(Description::parse(long.as_bytes()), Err(Refusal::TooLarge));
}

/// A description whose property may have these values.
fn enumerated(values: &[impl AsRef<str>]) -> String {
    let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
    let values = values.join(",");
    description(&format!(r#""p": {{"enum": [{values}], "forms": [{{"href": "p"}}]}}"#))
}

/// Different arrays with nothing in them but arrays: the schema's `uniqueItems` puts values into a
/// table by a hash that such arrays all share, so that each was compared with each. A description
/// full of them held a peer up for a tenth of a second.
fn nested_arrays() -> Vec<String> {
    // The bits of a number, as arrays that are inside or beside the one before.
    let tree = |number: u32| {
        (0..12).fold("[]".to_owned(), |tree, bit| match number >> bit & 1 {
            0 => format!("[{tree}]"),
            _ => format!("[{tree},[]]"),
        })
    };
    let mut left = DESCRIPTION_BYTES_MAX - 1000;
    let fits = |tree: &String| {
        left = left.saturating_sub(tree.len() + 1);
        left > 0
    };
    (0..1 << 12).map(tree).take_while(fits).collect()
}

#[test]
fn as_many_values_as_there_may_be_are_read() {
    let values: Vec<String> = nested_arrays().into_iter().take(DESCRIPTION_ITEMS_MAX).collect();
    assert!(Description::parse(enumerated(&values).as_bytes()).is_ok());
}

#[test]
fn brackets_in_texts_do_not_count_as_nesting() {
    let title = "[{".repeat(100);
    let text = description("").replace("A sensor", &format!(r#"{title}\\\"{title}"#));
    assert!(Description::parse(text.as_bytes()).is_ok());
}

#[test]
fn only_the_types_a_thing_can_be_found_by_are_kept() {
    let types: Vec<String> = (10..40).rev().map(|number| format!("\"t{number}\"")).collect();
    let long = "x".repeat(TYPE_BYTES_MAX + 1);
    let list = format!(r#"["{long}", "", "t39", {}]"#, types.join(","));
    let text = description("").replace("\"Sensor\"", &list);
    let types = Description::parse(text.as_bytes()).unwrap().types;
    let expected: Vec<String> = (25..40).map(|number| format!("t{number}")).collect();
    assert_eq!(types, expected);
}

proptest! {
    #[test]
    fn any_text_is_a_description_or_refused(text in ".{0,300}") {
        let _ = Description::parse(text.as_bytes());
    }

    /// Cut or change a good description anywhere: it is read or refused, and told why.
    #[test]
    fn a_damaged_description_never_panics(position: prop::sample::Index, byte: u8) {
        let mut text = description(PROPERTIES).into_bytes();
        let position = position.index(text.len());
        text[position] = byte;
        let verdict = Description::parse(&text);
        prop_assert_eq!(verdict.is_ok(), explain(&text).is_none());
        let _ = Description::parse(&text[..position]);
    }
}

/// Found by fuzzing: the explanation complained of a name that the ledger accepts.
#[test]
fn a_property_that_becomes_no_stream_may_have_any_name() {
    let properties = r#""sta\u007fte": {"type": "object", "forms": [{"href": "s"}]}"#;
    let text = crate::testing::description(properties);
    assert!(Description::parse(text.as_bytes()).is_ok());
    assert_eq!(explain(text.as_bytes()), None);
}

#[test]
fn an_input_is_held_to_the_actions_schema() {
    let description = br##"{
        "title": "Heater", "actions": {
            "off": {},
            "boost": {"input": {"type": "object", "required": ["minutes"],
                "properties": {"minutes": {"type": "integer", "minimum": 1, "maximum": 60}}}},
            "loop": {"input": {"$ref": "#"}}
        }}"##;
    for (action, input, fits) in [
        ("off", None, true),
        ("off", Some("1"), false),
        ("boost", None, false),
        ("boost", Some(r#"{"minutes": 10}"#), true),
        ("boost", Some(r#"{"minutes": 61}"#), false),
        ("boost", Some(r#"{"minutes": 1, "minutes": 61}"#), false),
        ("boost", Some(r#"{}"#), false),
        ("boost", Some("ten"), false),
        ("loop", Some("1"), false),
        ("explode", None, false),
    ] {
        let problem = input_problem(description, action, input.map(str::as_bytes));
        assert_eq!(problem.is_none(), fits, "{action} {input:?}: {problem:?}");
    }
    assert!(input_problem(b"no JSON", "off", None).is_some());
}
