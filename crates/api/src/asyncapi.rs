//! The description of the events (AsyncAPI 3.0), from the same forms as the interface's.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::openapi;

/// Paths of the interface on which a peer sends.
const EVENTS: &str = "/v1/events";
const SOCKET: &str = "/v1/events/socket";
const ALARMS: &str = "/v1/alarms/changes";
const PEERS: &str = "/v1/peers/changes";

const DESCRIPTION: &str = "\
What one peer of an Althing network tells as it happens: events of the ledger by Server-Sent Events, \
WebSocket or webhooks, and its alarms. The requests that begin this are in openapi.json.";

/// The description of what a peer sends.
#[must_use]
pub fn asyncapi() -> Value {
    // What was made of forms can be written.
    let interface = serde_json::to_value(openapi()).unwrap_or_default();
    let message =
        |of: &str| json!({ "message": { "$ref": format!("#/components/messages/{of}") } });
    let query = |path: &str| json!({ "method": "GET", "query": parameters(&interface, path) });
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Althing events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": { "peer": { "host": "127.0.0.1:4464", "protocol": "http" } },
        "channels": {
            "events": {
                "address": EVENTS,
                "description": "Server-Sent Events: the id of each is its cursor, its name the type of the event.",
                "messages": message("event"),
            },
            "socket": {
                "address": SOCKET,
                "description": "A WebSocket: one event in each text message. What a client says closes it.",
                "messages": message("event"),
                "bindings": { "ws": query(SOCKET) },
            },
            "webhook": {
                "address": null,
                "description": "The URL that the maker of a webhook named. Answered by a 2xx, or posted again.",
                "messages": message("call"),
            },
            "alarms": {
                "address": ALARMS,
                "description": "Server-Sent Events named `alarm`: all that last, then each that comes, ends or is acknowledged.",
                "messages": message("alarm"),
            },
            "peers": {
                "address": PEERS,
                "description": "Server-Sent Events named `peer`: the newest changes, then each peer that comes, is lost or is back.",
                "messages": message("peer"),
            },
        },
        "operations": {
            "tellEvents": sends("events", "event", json!({ "http": query(EVENTS) })),
            "tellEventsBySocket": sends("socket", "event", json!({})),
            "callWebhook": sends("webhook", "call", json!({ "http": { "method": "POST" } })),
            "tellPeers": sends("peers", "peer", json!({ "http": { "method": "GET" } })),
            "tellAlarms": sends("alarms", "alarm", json!({ "http": { "method": "GET" } })),
        },
        "components": {
            "messages": {
                "event": { "name": "event", "payload": form("EventRecord") },
                "call": { "name": "call", "headers": headers(), "payload": form("EventRecord") },
                "alarm": { "name": "alarm", "payload": form("Alarm") },
                "peer": { "name": "peer", "payload": form("PeerChange") },
            },
            "schemas": schemas(&interface, &["EventRecord", "Alarm", "PeerChange"]),
        },
    })
}

fn form(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn sends(channel: &str, message: &str, bindings: Value) -> Value {
    json!({
        "action": "send",
        "channel": { "$ref": format!("#/channels/{channel}") },
        "messages": [{ "$ref": format!("#/channels/{channel}/messages/message") }],
        "summary": format!("Tells of each {message}"),
        "bindings": bindings,
    })
}

/// What a webhook's call has in its head.
fn headers() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "required": ["content-digest", "althing-webhook", "althing-cursor", "signature-input", "signature"],
        "properties": {
            "content-digest": text("SHA-256 of the body (RFC 9530)"),
            "althing-webhook": text("Id of the webhook"),
            "althing-cursor": text("The event's cursor: the same event may come twice"),
            "signature-input": text("What is signed, when and with which key (RFC 9421)"),
            "signature": text("By the peer's key as an entity"),
        },
    })
}

/// The parameters of a path's query, as an object.
fn parameters(interface: &Value, path: &str) -> Value {
    let parameters = interface["paths"][path]["get"]["parameters"].as_array();
    let of_query = parameters.into_iter().flatten().filter(|one| one["in"] == "query");
    let property = |one: &Value| {
        let mut schema = one["schema"].clone();
        if let (Some(schema), Some(what)) = (schema.as_object_mut(), one.get("description")) {
            schema.insert("description".to_owned(), what.clone());
        }
        Some((one["name"].as_str()?.to_owned(), schema))
    };
    let properties: Map<String, Value> = of_query.filter_map(property).collect();
    json!({ "type": "object", "properties": properties })
}

/// The forms of these names and all that they refer to.
fn schemas(interface: &Value, names: &[&str]) -> Value {
    let known = &interface["components"]["schemas"];
    let mut open: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    // What the parameters of queries refer to.
    for path in [EVENTS, SOCKET] {
        open.extend(references(&parameters(interface, path)));
    }
    let (mut done, mut found) = (BTreeSet::new(), Map::new());
    while let Some(name) = open.pop() {
        if done.insert(name.clone()) {
            open.extend(references(&known[&name]));
            found.insert(name.clone(), known[&name].clone());
        }
    }
    found.into()
}

/// Names of the forms that something refers to.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            let own =
                own.and_then(|at| at.strip_prefix("#/components/schemas/")).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
