//! Payloads and the batch headers that announce them.

use althing_types::{
    Arrived, BatchHeader, EntityId, LedgerId, Pack, PackBody, Payload, Reading, SignedPayload,
    SigningKey, StreamId, Suite, Value as Exact, Wire as _,
};
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
    vec![Form::new("payload", about, vectors.into()), signed()]
}

/// Packs of each kind of value, with and without a clock, in both suites.
fn signed() -> Form {
    let about = "The readings of a batch in the packs that their device signed. `header` announces \
                 them as readings of `stream`; `digest` is BLAKE3 of the wire form. The device is \
                 the entity `signer` with the key `public`; each of `signed` is what the signature \
                 of a pack covers, on the ledger `ledger`.";
    let numbers = [(0, Exact::Number(2150)), (1000, Exact::Number(-5))];
    let text = [(0, Exact::Text("öffen".into())), (-70_000, Exact::Text(String::new()))];
    let bytes = [(7, Exact::Bytes(vec![0, 255, 16]))];
    let clock = Some(1_700_000_000_000);
    let cases = [
        ("numbers", Suite::Ed25519, clock, 2, &numbers[..]),
        ("numbers, P-256", Suite::P256, clock, 2, &numbers[..]),
        ("whole numbers without a clock", Suite::Ed25519, None, 0, &numbers[..]),
        ("text", Suite::Ed25519, clock, 0, &text[..]),
        ("bytes", Suite::Ed25519, clock, 0, &bytes[..]),
        ("a boolean", Suite::Ed25519, clock, 0, &[(0, Exact::Bool(true))][..]),
    ];
    Form::new("signed_payload", about, cases.into_iter().map(signed_vector).collect())
}

type Signed<'a> = (&'a str, Suite, Option<i64>, u8, &'a [(i64, Exact)]);

fn signed_vector((name, suite, base_ms, scale, readings): Signed<'_>) -> Vector {
    let (ledger, signer) = (LedgerId([0x1d; 32]), EntityId([0xde; 32]));
    #[expect(clippy::expect_used, reason = "a constant that is a key of both suites")]
    let key = SigningKey::from_secret(suite, [0x42; 32]).expect("a key");
    let mut packs: Vec<Arrived> = Vec::new();
    for _ in 0..2 {
        let last = packs.last().map(|last| &last.pack);
        let body = PackBody {
            signer,
            first_seq: last.map_or(41, Pack::end_seq),
            previous: last.map(Pack::digest),
            name: "temperature".to_owned(),
            base_ms,
            scale,
            readings: readings.to_vec(),
        };
        let pack = Pack::sign(&ledger, &STREAM, body, &key);
        packs.push(Arrived { received_ms: 1_700_000_000_123, pack });
    }
    let payload = SignedPayload { packs };
    let header = payload.header(STREAM);
    let signed: Vec<String> = payload
        .packs
        .iter()
        .map(|it| hex::encode(it.pack.signed_bytes(&ledger, &STREAM)))
        .collect();
    let inputs = json!({
        "ledger": hex::encode(ledger.0),
        "signer": hex::encode(signer.0),
        "public": hex::encode(&key.public_key().bytes),
        "signed": signed,
        "header": header_json(&header),
    });
    Vector::new(name, inputs, payload.to_wire()).gives("digest", header.payload_digest)
}

fn reading_json(reading: &Reading) -> Value {
    json!({
        "claimed_ms": reading.claimed_ms,
        "received_ms": reading.received_ms,
        "value": value_json(&reading.value),
    })
}
