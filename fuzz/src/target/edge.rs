//! What devices send, and what the gateway keeps.

use althing_edge::coap::{
    Code, Content, Endpoint, EndpointConfig, EndpointOutput, Kind, Message, Peer, option,
};
use althing_edge::{
    Numbered, Pattern, Pointer, Record, StreamSpec, ThingList, ThingSpec, journal::Identity, senml,
};
use althing_types::{
    EntityId, LedgerId, Reading, StreamId, StreamSchema, ThingId, Value, ValueKind, Wire as _,
};

use super::{Target, made, texts, wire};

const NOW_MS: i64 = 1_700_000_000_000;

pub(super) const TARGETS: &[Target] = &[
    texts(
        "senml_json",
        &[
            r#"[{"bn":"urn:dev:1/","bt":1700000000,"n":"temperature","u":"Cel","v":23.1}]"#,
            r#"[{"bn":"a","bver":10},{"n":"b","vb":true,"t":-5},{"n":"c","vs":"x"},{"n":"d","vd":"AQI"}]"#,
        ],
        |bytes| senml::from_json(bytes, NOW_MS).is_ok(),
    ),
    made("senml_cbor", senml_cbor, |bytes| senml::from_cbor(bytes, NOW_MS).is_ok()),
    texts("topic", &["plant/+/{thing}/{property}", "althing/a/b"], topic),
    texts("pointer", &["/reading/celsius", "/a~1b/0"], pointer),
    made("coap_message", coap_messages, coap_message),
    made("coap_endpoint", coap_messages, coap_endpoint),
    made("queue_record", queue_records, wire::<Record>),
    made("thing_list", thing_lists, wire::<ThingList>),
];

/// A record with base name, base time, name, unit and a decimal fraction as value.
fn senml_cbor() -> anyhow::Result<Vec<Vec<u8>>> {
    let mut pack = vec![0x81, 0xa5, 0x21, 0x6a];
    pack.extend_from_slice(b"urn:dev:1/");
    pack.extend_from_slice(&[0x22, 0x1a, 0x65, 0x53, 0xf1, 0x00, 0x00, 0x6b]);
    pack.extend_from_slice(b"temperature");
    pack.extend_from_slice(&[0x01, 0x63]);
    pack.extend_from_slice(b"Cel");
    pack.extend_from_slice(&[0x02, 0xc4, 0x82, 0x20, 0x18, 0xe7]);
    Ok(vec![pack])
}

/// A POST with path, format, block and payload; a GET that observes; a reset.
fn coap_messages() -> anyhow::Result<Vec<Vec<u8>>> {
    let request = |code, id| Message {
        kind: Kind::Confirmable,
        code,
        id,
        token: vec![1, 2, 3],
        options: vec![
            (option::URI_PATH, b"althing".to_vec()),
            (option::URI_PATH, b"pump".to_vec()),
        ],
        payload: b"21.5".to_vec(),
    };
    let post = request(Code::POST, 7)
        .with_number(option::CONTENT_FORMAT, 110)
        .with_number(option::BLOCK1, 0x0e)
        .with(option::REQUEST_TAG, vec![9; 8]);
    let get = Message { payload: vec![], ..request(Code::GET, 8) }.with(option::OBSERVE, vec![]);
    Ok(vec![post.encode(), get.encode(), vec![0x70, 0, 0, 7]])
}

fn coap_message(bytes: &[u8]) -> bool {
    Message::decode(bytes).is_ok_and(|message| {
        assert_eq!(Message::decode(&message.encode()), Ok(message), "written otherwise");
        true
    })
}

/// Datagrams one after the other, split where a length byte says, with answers from inside.
fn coap_endpoint(bytes: &[u8]) -> bool {
    let mut endpoint = Endpoint::new(EndpointConfig { secret: [7; 32], body_bytes_max: 4096 });
    let address = std::net::SocketAddr::from(([192, 0, 2, 1], 5683));
    let mut accepted = false;
    for (now, datagram) in (0_i64..).zip(bytes.chunks(64).chain([bytes])) {
        let peer = Peer { address, is_secure: now % 2 == 0 };
        for output in endpoint.datagram(now * 500, peer, datagram) {
            accepted = true;
            let content = Content { format: 0, body: datagram.to_vec() };
            let _ = match output {
                EndpointOutput::Publish { ticket, .. } => {
                    endpoint.published(now * 500, ticket, Some(Ok(())))
                }
                EndpointOutput::Read { ticket, .. } => {
                    endpoint.read(now * 500, ticket, Some(content))
                }
                EndpointOutput::Send { .. } => endpoint.tick(now * 500),
            };
        }
        let _ = endpoint.notify(now * 500, "althing/pump", &Content { format: 0, body: vec![1] });
    }
    accepted
}

/// A pattern that is accepted takes any topic without panic.
fn topic(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else { return false };
    Pattern::parse(text).is_ok_and(|pattern| {
        let _ = (pattern.capture(text), pattern.capture("plant/7/press/temperature"));
        true
    })
}

fn pointer(bytes: &[u8]) -> bool {
    core::str::from_utf8(bytes).is_ok_and(|text| Pointer::parse(text).is_ok())
}

/// Two things, one with a stream.
fn thing_lists() -> anyhow::Result<Vec<Vec<u8>>> {
    let schema = StreamSchema {
        kind: ValueKind::Number,
        scale: 1,
        quantum: 5,
        unit: "Cel".into(),
        minimum: Some(-400),
        maximum: None,
    };
    let stream = StreamSpec { property: "temperature".into(), id: StreamId([7; 32]), schema };
    let thing = |name: &str, until_height, streams| ThingSpec {
        id: ThingId([3; 32]),
        name: name.into(),
        owner: EntityId([4; 32]),
        until_height,
        streams,
        device: None,
        may_lose: false,
    };
    let identity = Identity { ledger: LedgerId([1; 32]), gateway: EntityId([2; 32]) };
    let things = vec![thing("press", Some(9), vec![stream]), thing("tag", None, vec![])];
    Ok(vec![ThingList { identity, things }.to_wire()])
}

/// One of each kind.
fn queue_records() -> anyhow::Result<Vec<Vec<u8>>> {
    let stream = StreamId([7; 32]);
    let numbered = |(seq, value)| {
        let reading = Reading { claimed_ms: NOW_MS, received_ms: NOW_MS + 9, value };
        Numbered { stream, seq, reading }
    };
    let values = [Value::Number(-5), Value::Bool(true), Value::Text("on".into())];
    let records = [
        Record::Readings((40..).zip(values).map(numbered).collect()),
        Record::Head { stream, next_seq: 43 },
        Record::Retired { stream, before_seq: 41 },
        Record::Renumbered { stream, from_seq: 41, to_seq: 50 },
    ];
    Ok(records.iter().map(Record::to_wire).collect())
}
