//! What devices send, and what the gateway keeps.

use althing_edge::coap::{
    Code, Content, Endpoint, EndpointConfig, EndpointOutput, Kind, Message, Peer, option,
};
use althing_edge::{
    Mark, Numbered, Pattern, Pointer, Record, StreamSpec, ThingList, ThingSpec,
    courier::{Courier, Errand},
    journal::Identity,
    senml,
};
use althing_types::{
    Action, CommandState, EntityId, LedgerId, Reading, StreamId, StreamSchema, ThingId, TxId,
    Value, ValueKind, Wire as _,
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
    texts(
        "command_answer",
        &[
            r#"{"id":"0707070707070707070707070707070707070707070707070707070707070707","state":"done"}"#,
            r#"{"id":"0707070707070707070707070707070707070707070707070707070707070707","state":"failed","result":{"a":[1.50]}}"#,
        ],
        command_answer,
    ),
    made("queue_record", queue_records, wire::<Record>),
    made("thing_list", thing_lists, wire::<ThingList>),
    made("mqtt", mqtt, althing_gateway::is_mqtt),
    made("session_row", session_rows, session_row),
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

/// A POST with path, format, block and payload; a GET that observes; a direct request; a reset.
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
    let path = althing_edge::direct::PATH.split('/');
    let path = path.map(|level| (option::URI_PATH, level.as_bytes().to_vec())).collect();
    let direct = Message { options: path, ..request(Code::POST, 9) };
    let direct = direct.with_number(option::CONTENT_FORMAT, 50).with_number(option::BLOCK2, 0);
    Ok(vec![post.encode(), get.encode(), direct.encode(), vec![0x70, 0, 0, 7]])
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
                EndpointOutput::Direct { ticket, .. } => {
                    endpoint.served(now * 500, ticket, Ok(content))
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

/// What a device says of the command it was given.
fn command_answer(bytes: &[u8]) -> bool {
    let mut courier = Courier::default();
    let _ = courier.take(
        NOW_MS,
        Errand {
            id: TxId([7; 32]),
            thing: "pump".into(),
            payload: Vec::new(),
            until_ms: NOW_MS + 1000,
            state: CommandState::Queued,
        },
    );
    courier.answer("things/pump/commands/answer", bytes).is_ok_and(|report| {
        report.is_some_and(|report| Action::ReportCommand(report).is_within_bounds())
    })
}

fn pointer(bytes: &[u8]) -> bool {
    core::str::from_utf8(bytes).is_ok_and(|text| Pointer::parse(text).is_ok())
}

/// Clients of both versions that say one of each.
fn mqtt() -> anyhow::Result<Vec<Vec<u8>>> {
    let v3: [&[u8]; 7] = [
        b"\x10\x17\0\x04MQTT\x04\xe6\0\x3c\0\x02me\0\x01w\0\0\0\0\0\0",
        b"\x82\x06\0\x01\0\x01a\x02",
        b"\x34\x06\0\x01a\0\x05x",
        b"\x62\x02\0\x05",
        b"\xa2\x05\0\x01\0\x01a",
        b"\xc0\0",
        b"\xe0\0",
    ];
    let v5: [&[u8]; 6] = [
        b"\x10\x15\0\x04MQTT\x05\x02\0\x3c\x06\x21\0\x14\x22\0\x01\0\x02me",
        b"\x82\x09\0\x01\x02\x0b\x01\0\x01a\x2d",
        b"\x3a\x10\0\x01a\0\x05\x09\x01\x01\x23\0\x01\x08\0\x01rx",
        b"\x50\x07\0\x02\0\x03\x1f\0\0",
        b"\x40\x03\0\x02\x97",
        b"\xe0\x07\x04\x05\x11\0\0\0\x09",
    ];
    Ok(vec![v3.concat(), v5.concat()])
}

/// Length of the key, key, value.
fn session_row(bytes: &[u8]) -> bool {
    let Some((len, rest)) = bytes.split_first() else { return false };
    let split = rest.split_at_checked(usize::from(*len));
    split.is_some_and(|(key, value)| althing_edge::broker::is_row(key, value))
}

fn session_rows() -> anyhow::Result<Vec<Vec<u8>>> {
    let rows: [(&[u8], &[u8]); 6] = [
        (b"s\0\0\0\0\0\0\0\x01", b"\x85\x61c\x82\x01\x61u\x18\x64\xf6\x81\x84\x61a\x01\x00\xf6"),
        (
            b"w\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01",
            b"\x87\x61c\x82\x01\x61u\x86\x61a\x41x\x02\x40\xf6\x82\x01\x61u\xf4\x00\xf6\xf4",
        ),
        (
            b"q\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01",
            b"\x85\x86\x61a\x41x\x01\x40\xf6\xf6\x01\xf4\x81\x01\xf4",
        ),
        (b"i\0\0\0\0\0\0\0\x01\0\x07", b"\x80"),
        (b"t\0\0\0\0\0\0\0\x01", b"\x81\x07"),
        (b"rb", b"\x86\x61b\x41x\x00\x40\xf6\x81\x00"),
    ];
    let join = |(key, value): (&[u8], &[u8])| {
        let len = u8::try_from(key.len())?;
        Ok([&[len], key, value].concat())
    };
    rows.into_iter().map(join).collect()
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
        is_shut_out: false,
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
    let mark = Mark { session: 7, number: 8, id: 9 };
    let records = [
        Record::Readings((40..).zip(values).map(numbered).collect()),
        Record::Head { stream, next_seq: 43 },
        Record::Retired { stream, before_seq: 41 },
        Record::Renumbered { stream, from_seq: 41, to_seq: 50 },
        Record::Marked(mark, Some(Box::new(Record::Head { stream, next_seq: 44 }))),
        Record::Marked(mark, None),
        Record::Passed { session: 7, number: 8 },
    ];
    Ok(records.iter().map(Record::to_wire).collect())
}
