//! The committed description of the interface is the one of this program.

use std::{collections::BTreeSet, fs, path::Path};

fn page(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    fs::read_to_string(folder.join(name)).unwrap()
}

fn committed() -> String {
    page("openapi.json")
}

#[test]
fn the_committed_description_is_up_to_date() {
    let present = althing_api::openapi().to_pretty_json().unwrap() + "\n";
    assert!(present == committed(), "the interface changed: run `cargo xtask api --bless`");
}

#[test]
fn the_committed_description_of_events_is_up_to_date() {
    let present = serde_json::to_string_pretty(&althing_api::asyncapi()).unwrap() + "\n";
    assert!(present == page("asyncapi.json"), "events changed: run `cargo xtask api --bless`");
}

/// Each channel is a path of the interface, or a URL of somebody's own, and each reference leads
/// somewhere.
#[test]
fn the_description_of_events_is_whole() {
    let document: serde_json::Value = serde_json::from_str(&page("asyncapi.json")).unwrap();
    let interface: serde_json::Value = serde_json::from_str(&committed()).unwrap();
    let channels = document["channels"].as_object().unwrap();
    for (name, channel) in channels {
        if let Some(address) = channel["address"].as_str() {
            assert!(interface["paths"][address]["get"].is_object(), "{name}");
        }
    }
    // Whatever the interface sends as events is a channel.
    for (path, operations) in interface["paths"].as_object().unwrap() {
        let answer = &operations["get"]["responses"]["200"]["content"]["text/event-stream"];
        let told = channels.values().any(|channel| channel["address"] == path.as_str());
        assert!(answer.is_null() || told, "{path}");
    }
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 10);
    for reference in references {
        let at = document.pointer(reference.trim_start_matches('#'));
        assert!(at.is_some_and(|at| !at.is_null()), "{reference}");
    }
    let query = &document["operations"]["tellEvents"]["bindings"]["http"]["query"];
    assert!(query["properties"]["thing"].is_object(), "{query}");
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
