//! What is read, what is refused and why; and any bytes at all.

use proptest::prelude::*;

use super::super::frame::next_packet;
use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A packet of this first byte.
fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    [&[first, u8::try_from(body.len()).unwrap()], body].concat()
}

#[test]
fn what_breaks_a_rule_is_refused_with_its_reason() {
    use Level::{V3, V5};
    use Wrong::{Malformed, Protocol, TopicAlias, TopicName};
    for (what, level, first, body, expected) in [
        // MQTT 5 §3.3, the same in 3.1.1 but for properties
        ("a filter for a topic", V3, 0x30, &b"\0\x01#x"[..], TopicName),
        ("an empty topic", V3, 0x30, b"\0\0x", TopicName),
        ("an empty topic without alias", V5, 0x30, b"\0\0\0x", Protocol),
        ("a topic that is not UTF-8", V3, 0x30, b"\0\x01\xffx", Malformed),
        ("half of a surrogate pair", V3, 0x30, b"\0\x03\xed\xa0\x80x", Malformed),
        ("U+0000 in a topic", V3, 0x30, b"\0\x02a\0x", Malformed),
        ("a topic longer than the packet", V3, 0x30, b"\0\x09x", Malformed),
        ("a packet id of 0", V3, 0x32, b"\0\x01a\0\0x", Protocol),
        ("no packet id", V3, 0x32, b"\0\x01a\0", Malformed),
        ("a topic alias of 0", V5, 0x30, b"\0\x01a\x03\x23\0\0", TopicAlias),
        ("a property twice", V5, 0x30, b"\0\x01a\x04\x01\0\x01\0", Protocol),
        ("a property that it has not", V5, 0x30, b"\0\x01a\x05\x11\0\0\0\x01", Malformed),
        ("a subscription id from a client", V5, 0x30, b"\0\x01a\x02\x0b\x01", Malformed),
        ("a property that does not exist", V5, 0x30, b"\0\x01a\x02\x7f\x01", Malformed),
        ("a payload format of 2", V5, 0x30, b"\0\x01a\x02\x01\x02", Protocol),
        ("a response topic with a wildcard", V5, 0x30, b"\0\x01a\x04\x08\0\x01#", Protocol),
        ("properties longer than the packet", V5, 0x30, b"\0\x01a\x09\x01\0", Malformed),
        ("a property cut short", V5, 0x30, b"\0\x01a\x03\x02\0\0", Malformed),
        ("a length in more bytes than it needs", V5, 0x30, b"\0\x01a\x80\0", Malformed),
        // §3.4 to §3.7
        ("an acknowledgement of 0", V3, 0x40, b"\0\0", Protocol),
        ("a long acknowledgement", V3, 0x40, b"\0\x01\0", Malformed),
        ("a short acknowledgement", V3, 0x50, b"\0", Malformed),
        ("a reason that it has not", V5, 0x40, b"\0\x01\x01", Malformed),
        ("a reason that it has not", V5, 0x62, b"\0\x01\x10", Malformed),
        ("bytes after its properties", V5, 0x70, b"\0\x01\0\0x", Malformed),
        // §3.8
        ("a subscribe to nothing", V3, 0x82, b"\0\x01", Protocol),
        ("a subscribe without id", V3, 0x82, b"\0\0\0\x01a\0", Protocol),
        ("a quality of 3", V3, 0x82, b"\0\x01\0\x01a\x03", Malformed),
        ("options of version 5", V3, 0x82, b"\0\x01\0\x01a\x04", Malformed),
        ("reserved options", V5, 0x82, b"\0\x01\0\0\x01a\x40", Malformed),
        ("a retain handling of 3", V5, 0x82, b"\0\x01\0\0\x01a\x30", Protocol),
        ("no local in a group", V5, 0x82, b"\0\x01\0\0\x0a$share/g/a\x04", Protocol),
        ("a subscription id of 0", V5, 0x82, b"\0\x01\x02\x0b\0\0\x01a\0", Protocol),
        ("no options", V5, 0x82, b"\0\x01\0\0\x01a", Malformed),
        // §3.10, §3.12, §3.14, §3.15
        ("an unsubscribe from nothing", V5, 0xa2, b"\0\x01\0", Protocol),
        ("a ping with a body", V3, 0xc0, b"\0", Malformed),
        ("a goodbye with a body", V3, 0xe0, b"\0", Malformed),
        ("a goodbye of a server", V5, 0xe0, b"\x8b", Malformed),
        ("an authentication", V5, 0xf0, b"", Protocol),
        ("a second CONNECT", V5, 0x10, b"", Protocol),
        ("a CONNACK", V5, 0x20, b"\0\0\0", Protocol),
        ("a SUBACK", V3, 0x90, b"\0\x01\0", Protocol),
        ("an UNSUBACK", V3, 0xb0, b"\0\x01", Protocol),
        ("a pong", V3, 0xd0, b"", Protocol),
    ] {
        assert_eq!(read(level, &packet(first, body)), Err(expected), "{what}: {}", hex(body));
    }
}

#[test]
fn what_keeps_the_rules_is_read() {
    let publish = |level, first, body: &[u8]| match read(level, &packet(first, body)) {
        Ok(Said::Publish(publish)) => publish,
        other => panic!("{other:?}"),
    };
    let simple = publish(Level::V3, 0x3d, b"\0\x03a/b\0\x07xy");
    assert_eq!((simple.topic.as_str(), simple.id, simple.qos), ("a/b", Some(7), Qos::ExactlyOnce));
    assert_eq!((&simple.payload[..], simple.retain), (&b"xy"[..], true));
    // Payload format, expiry, response topic, correlation data, two equal user properties, alias.
    let properties = b"\x01\x01\x02\0\0\0\x3c\x08\0\x01r\x09\0\x01c\x26\0\x01k\0\x01v\x26\0\x01k\0\x01v\x23\0\x05";
    let len = u8::try_from(properties.len()).unwrap();
    let rich = publish(Level::V5, 0x30, &[&b"\0\x01a"[..], &[len], properties, b"x"].concat());
    assert_eq!((rich.alias, rich.expiry_s), (Some(5), Some(60)));
    let kept = b"\x01\x01\x08\0\x01r\x09\0\x01c\x26\0\x01k\0\x01v\x26\0\x01k\0\x01v";
    assert_eq!(hex(&rich.properties), hex(kept), "what subscribers get");
    let aliased = publish(Level::V5, 0x30, b"\0\0\x03\x23\0\x05x");
    assert_eq!((aliased.topic.as_str(), aliased.alias), ("", Some(5)));
    for (level, first, body, expected) in [
        (Level::V5, 0x40, &b"\0\x01\x10"[..], Said::Puback { id: 1 }),
        (Level::V5, 0x50, b"\0\x01\x97\0", Said::Pubrec { id: 1, is_taken: false }),
        (Level::V5, 0x50, b"\0\x01\0\x04\x1f\0\x01w", Said::Pubrec { id: 1, is_taken: true }),
        (Level::V3, 0x62, b"\0\x01", Said::Pubrel { id: 1 }),
        (Level::V5, 0x70, b"\0\x01\x92", Said::Pubcomp { id: 1 }),
        (
            Level::V3,
            0xa2,
            b"\0\x01\0\x01a\0\x01b",
            Said::Unsubscribe { id: 1, filters: vec!["a".into(), "b".into()] },
        ),
        (Level::V3, 0xc0, b"", Said::Pingreq),
        (Level::V3, 0xe0, b"", Said::Disconnect { with_will: false, expiry_s: None }),
        (
            Level::V5,
            0xe0,
            b"\x04\x05\x11\0\0\0\x09",
            Said::Disconnect { with_will: true, expiry_s: Some(9) },
        ),
    ] {
        assert_eq!(read(level, &packet(first, body)), Ok(expected));
    }
}

fn connect(level: u8, flags: u8, rest: &[u8]) -> Vec<u8> {
    packet(0x10, &[&[0, 4, b'M', b'Q', b'T', b'T', level, flags, 0, 60], rest].concat())
}

#[test]
fn a_connect_is_judged_whole() {
    let malformed = Err(FirstPacketError::Malformed);
    for (what, bytes, expected) in [
        (
            "MQTT 3.1",
            packet(0x10, b"\0\x06MQIsdp\x03\x02\0\x3c\0\x02me"),
            Err(FirstPacketError::Version),
        ),
        ("MQTT 6", connect(6, 2, b"\0\x02me"), Err(FirstPacketError::Version)),
        ("a reserved flag", connect(4, 3, b"\0\x02me"), malformed),
        ("a quality for no will", connect(4, 0x0a, b"\0\x02me"), malformed),
        ("a will of quality 3", connect(4, 0x1e, b"\0\x02me\0\x01w\0\0"), malformed),
        ("a password without user in 3.1.1", connect(4, 0x42, b"\0\x02me\0\x01p"), malformed),
        ("a password without user in 5", connect(5, 0x42, b"\0\0\x02me\0\x01p"), Ok("me")),
        ("a client id cut short", connect(4, 2, b"\0\x02m"), malformed),
        ("bytes after its end", connect(4, 2, b"\0\x02mex"), malformed),
        ("a topic alias maximum of 0", connect(5, 2, b"\x03\x22\0\0\0\x02me"), Ok("me")),
        ("a receive maximum of 0", connect(5, 2, b"\x03\x21\0\0\0\x02me"), malformed),
        ("a packet size of 0", connect(5, 2, b"\x05\x27\0\0\0\0\0\x02me"), malformed),
        ("a property of PUBLISH", connect(5, 2, b"\x03\x23\0\x01\0\x02me"), malformed),
        (
            "authentication data without method",
            connect(5, 2, b"\x04\x16\0\x01d\0\x02me"),
            malformed,
        ),
        ("nobody", connect(4, 2, b"\0\0"), Ok("")),
    ] {
        let read = Connect::read(&bytes);
        assert_eq!(read.as_ref().map(|c| c.client_id.as_str()).map_err(|e| *e), expected, "{what}");
    }
    let full = connect(
        5,
        0xf6,
        b"\x05\x11\0\0\0\x09\0\x02me\x0a\x18\0\0\0\x03\x02\0\0\0\x04\0\x01w\0\x01x\0\x01u\0\x01p",
    );
    let full = Connect::read(&full).unwrap();
    let will = full.will.unwrap();
    assert_eq!((full.expiry_s, will.delay_s, will.expiry_s, will.retain), (9, 3, Some(4), true));
    assert_eq!((full.user.as_deref(), full.password.as_deref()), (Some("u"), Some(&b"p"[..])));
}

#[test]
fn only_a_whole_bounded_connect_gets_past() {
    let packet = connect(4, 2, b"\0\x02id");
    for (bytes, expected) in [
        (&b""[..], Ok(None)),
        (&packet[..1], Ok(None)),
        (&packet[..packet.len() - 1], Ok(None)),
        (&packet[..], Ok(Some(packet.len()))),
        (b"\x20\x02\0\0", Err(FirstPacketError::NotConnect)),
        (b"\x11\x02\0\0", Err(FirstPacketError::NotConnect)),
        (b"\x10\xff\xff\xff\x7f", Err(FirstPacketError::TooLong)),
        (b"\x10\xff\xff\xff\xff", Err(FirstPacketError::Malformed)),
        (b"\x10\xff\xff\xff", Ok(None)),
    ] {
        assert_eq!(first_packet(bytes, 1024), expected, "{bytes:?}");
    }
}

#[test]
fn answers_have_the_form_of_the_standard() {
    let welcome = Connack {
        is_present: true,
        receive_maximum: 20,
        packet_bytes_max: 65_536,
        topic_aliases_max: 3,
        expiry_s: Some(7),
        keep_alive_s: Some(60),
        client_id: Some("id".into()),
    };
    let (v3, v5) = (Level::V3, Level::V5);
    for (what, bytes, expected) in [
        ("connack", connack(v3, Ok(&welcome)), "20020100"),
        ("refusal", connack(v3, Err(reason::BAD_USER_OR_PASSWORD)), "20020004"),
        ("refusal", connack(v5, Err(reason::NOT_AUTHORIZED)), "2003008700"),
        (
            "connack",
            connack(v5, Ok(&welcome)),
            "201b010018210014270001000022000311000000071300\
             3c1200026964",
        ),
        ("puback", puback(v3, 1, reason::NOT_AUTHORIZED, Some("no")), "40020001"),
        ("puback", puback(v5, 1, reason::SUCCESS, None), "40020001"),
        ("puback", puback(v5, 1, reason::NOT_AUTHORIZED, Some("no")), "4009000187051f00026e6f"),
        (
            "suback",
            suback(v3, 1, &[Ok(Qos::ExactlyOnce), Err(althing_edge::broker::NotGranted::Full)]),
            "900400010280",
        ),
        (
            "suback",
            suback(
                v5,
                1,
                &[Ok(Qos::AtMostOnce), Err(althing_edge::broker::NotGranted::NotAllowed)],
            ),
            "90050001000087",
        ),
        ("unsuback", unsuback(v3, 1, &[true]), "b0020001"),
        ("unsuback", unsuback(v5, 1, &[true, false]), "b0050001000011"),
        ("disconnect", disconnect(reason::SESSION_TAKEN_OVER, None), "e0018e"),
        ("pong", pingresp(), "d000"),
    ] {
        assert_eq!(hex(&bytes), expected.replace(' ', ""), "{what}");
    }
    let long = "ä".repeat(1000);
    assert!(puback(v5, 1, reason::NOT_AUTHORIZED, Some(&long)).len() < 600, "cut at a character");
}

/// Bodies from likely to arbitrary.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => Just(b"\0\x01a".to_vec()),
        3 => Just(vec![0, 1]),
        2 => Just(vec![0]),
        2 => (0..40_u8, any::<u8>()).prop_map(|(id, value)| vec![2, id, value]),
        2 => any::<u16>().prop_map(|n| [&[3, 0x23][..], &n.to_be_bytes()].concat()),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_judged(
        first in any::<u8>(),
        body in body(),
        is_v5 in any::<bool>(),
        raw in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let level = if is_v5 { Level::V5 } else { Level::V3 };
        for bytes in [packet(first, &body), raw] {
            let _ = first_packet(&bytes, 1024).map(|len| len.map(|len| Connect::read(&bytes[..len])));
            if let Ok(Some(len)) = next_packet(&bytes, 1024) {
                let _ = read(level, &bytes[..len]);
            }
        }
        let _ = Connect::read(&connect(if is_v5 { 5 } else { 4 }, first, &body));
    }
}
