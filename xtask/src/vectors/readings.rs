//! Payloads and the batch headers that announce them.

use althing_types::{BatchHeader, Payload, Reading, StreamId, Value as Exact, Wire as _};
use serde_json::{Value, json};

use super::{Form, Vector};

pub(super) const STREAM: StreamId = StreamId([0x57; 32]);

/// A batch of three numbers at scale 2, as most vectors use it.
pub(super) fn numbers() -> Payload {
    payload(&[
        (0, 12, Exact::Number(2150)),
        (300_000, 9, Exact::Number(2155)),
        (600_000, 11, Exact::Number(-5)),
    ])
}

fn payload(readings: &[(i64, i64, Exact)]) -> Payload {
    let readings = readings.iter().map(|(after, delay, value)| {
        let claimed_ms = 1_700_000_000_000 + after;
        Reading { claimed_ms, received_ms: claimed_ms + delay, value: value.clone() }
    });
    Payload { readings: readings.collect() }
}

fn value_json(value: &Exact) -> Value {
    match value {
        Exact::Number(mantissa) => json!({ "number": mantissa.to_string() }),
        Exact::Bool(value) => json!({ "bool": value }),
        Exact::Text(text) => json!({ "text": text }),
        Exact::Bytes(bytes) => json!({ "bytes": hex::encode(bytes) }),
    }
}

pub(super) fn header_json(header: &BatchHeader) -> Value {
    json!({
        "stream": hex::encode(header.stream.0),
        "first_seq": header.first_seq,
        "count": header.count,
        "time_min": header.time_min,
        "time_max": header.time_max,
        "min": header.min.map(|min| min.to_string()),
        "max": header.max.map(|max| max.to_string()),
        "sum": header.sum.to_string(),
        "payload_digest": hex::encode(header.payload_digest),
        "payload_len": header.payload_len,
    })
}

pub(super) fn forms() -> Vec<Form> {
    let cases = [
        ("numbers", numbers()),
        ("one number", payload(&[(0, 0, Exact::Number(i64::MIN))])),
        ("booleans", payload(&[(0, 1, Exact::Bool(true)), (1000, 1, Exact::Bool(false))])),
        (
            "text",
            payload(&[(0, 1, Exact::Text("öffen".into())), (9, 1, Exact::Text(String::new()))]),
        ),
        ("bytes", payload(&[(0, 1, Exact::Bytes(vec![0, 255, 16]))])),
        (
            "times that go back",
            payload(&[(5000, 3, Exact::Number(1)), (-70_000, 80_000, Exact::Number(2))]),
        ),
    ];
    let about = "The readings of a batch. `header` announces them in a transaction as the readings \
                 from sequence number 41 of `stream`; its `payload_digest` is BLAKE3 of the wire \
                 form. Numbers are mantissas at the stream's scale.";
    let vectors = cases.map(|(name, payload)| {
        let readings: Vec<Value> = payload.readings.iter().map(reading_json).collect();
        let header = payload.header(STREAM, 41);
        let inputs = json!({ "readings": readings, "header": header_json(&header) });
        Vector::new(name, inputs, payload.to_wire()).gives("digest", header.payload_digest)
    });
    vec![Form::new("payload", about, vectors.into())]
}

fn reading_json(reading: &Reading) -> Value {
    json!({
        "claimed_ms": reading.claimed_ms,
        "received_ms": reading.received_ms,
        "value": value_json(&reading.value),
    })
}
