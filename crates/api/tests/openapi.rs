//! The committed description of the interface is the one of this program.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeSet, fs, path::Path};

fn committed() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_committed_description_is_up_to_date() {
    let present = althing_api::openapi().to_pretty_json().unwrap() + "\n";
    assert!(present == committed(), "the interface changed: run `cargo xtask api --bless`");
}

#[test]
fn every_operation_is_described_and_every_reference_leads_somewhere() {
    let document: serde_json::Value = serde_json::from_str(&committed()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let known: BTreeSet<_> =
        schemas.keys().map(|name| format!("#/components/schemas/{name}")).collect();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    let lost: Vec<_> = references.difference(&known).collect();
    assert!(lost.is_empty(), "{lost:?}");
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }
}

fn collect(value: &serde_json::Value, references: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            if let Some(serde_json::Value::String(reference)) = fields.get("$ref") {
                references.insert(reference.clone());
            }
            fields.values().for_each(|field| collect(field, references));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
