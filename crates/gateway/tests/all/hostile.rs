//! Bytes from strangers: the connection ends, the gateway and every other client do not notice.

use std::net::SocketAddr;
use std::time::Duration;

use crate::common::{MemoryLedger, PATIENCE, TEMPERATURE, config, mosquitto, start, text};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECT_V3: &[u8] = b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02me";
const CONNECT_V5: &[u8] = b"\x10\x0f\0\x04MQTT\x05\x02\0\x3c\0\0\x02me";
const CONNACK_V3: &[u8] = b"\x20\x02\0\0";

/// Sends bytes and reads until the gateway closes the connection.
async fn answer(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The gateway may close before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    assert!(closed.is_ok(), "not closed after {:?}", &bytes[..bytes.len().min(40)]);
    answer
}

/// Sends bytes after a CONNECT of MQTT 3.1.1 was accepted.
async fn answer_after_connect(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let answer = answer(address, &[CONNECT_V3, bytes].concat()).await;
    assert!(answer.starts_with(CONNACK_V3), "{answer:?}");
    answer[CONNACK_V3.len()..].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_turned_away_and_nobody_else_notices() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let address = gateway.address();

    // A second client that stays connected through all of it.
    let mut witness = TcpStream::connect(address).await.unwrap();
    let hello = b"\x10\x13\0\x04MQTT\x04\x02\0\x3c\0\x07witness";
    witness.write_all(hello).await.unwrap();
    let mut greeting = [0; 4];
    witness.read_exact(&mut greeting).await.unwrap();
    assert_eq!(greeting, CONNACK_V3);

    // Every packet type before CONNECT, with every combination of flags.
    for first in 0..=255_u8 {
        if first >> 4 != 1 {
            assert_eq!(answer(address, &[first, 2, 0, 1]).await, b"", "{first:#x}");
        }
    }
    let bad_utf8 = b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02\xff\xfe";
    let long_id = [&b"\x10\x8d\x02\0\x04MQTT\x04\x02\0\x3c\x01\x01"[..], &[b'a'; 257]].concat();
    for (what, bytes, expected) in [
        ("another server's CONNACK", &b"\x20\x03\0\0\0"[..], &b""[..]),
        ("UNSUBACK", b"\xb0\x04\0\x01\0\0", b""),
        ("reserved flags of CONNECT", b"\x11\x00", b""),
        ("remaining length of 268 MB", b"\x10\xff\xff\xff\x7f", b""),
        ("remaining length of five bytes", b"\x10\xff\xff\xff\xff\x01", b""),
        ("MQTT 3.1", b"\x10\x10\0\x06MQIsdp\x03\x02\0\x3c\0\x02me", b"\x20\x02\0\x01"),
        ("MQTT 6", b"\x10\x0e\0\x04MQTT\x06\x02\0\x3c\0\x02me", b"\x20\x02\0\x01"),
        ("reserved connect flag", b"\x10\x0e\0\x04MQTT\x04\x03\0\x3c\0\x02me", b""),
        ("a client id that is not UTF-8", bad_utf8, b""),
        ("a CONNECT that ends in its client id", b"\x10\x0d\0\x04MQTT\x04\x02\0\x3c\0\x02m", b""),
        ("no client id, but a session", b"\x10\x0c\0\x04MQTT\x04\0\0\x3c\0\0", b"\x20\x02\0\x02"),
        ("a client id of 257 bytes", &long_id, b"\x20\x02\0\x02"),
        ("properties longer than the packet", b"\x10\x0c\0\x04MQTT\x05\x02\0\x3c\x05\0", b""),
        (
            "a property that CONNECT has not",
            b"\x10\x10\0\x04MQTT\x05\x02\0\x3c\x03\x23\0\x01\0\0",
            b"",
        ),
        ("a receive maximum of 0", b"\x10\x10\0\x04MQTT\x05\x02\0\x3c\x03\x21\0\0\0\0", b""),
    ] {
        assert_eq!(answer(address, bytes).await, expected, "{what}");
    }
    for (what, bytes) in [
        ("a second CONNECT", CONNECT_V3),
        ("a packet type that does not exist", b"\x00\x00"),
        ("a server's packet", b"\x20\x02\0\0"),
        ("an AUTH in MQTT 3.1.1", b"\xf0\x00"),
        ("a publish of QoS 3", b"\x36\x05\0\x01a\0\x01"),
        ("a publish with an empty topic", b"\x30\x03\0\0x"),
        ("a publish to a filter", b"\x30\x04\0\x01#x"),
        ("a topic that is not UTF-8", b"\x30\x04\0\x01\xffx"),
        ("a topic with a NUL", b"\x30\x05\0\x02a\0x"),
        ("a topic longer than the packet", b"\x30\x03\0\x09x"),
        ("a packet id of 0", b"\x32\x06\0\x01a\0\0x"),
        ("a subscribe to nothing", b"\x82\x02\0\x01"),
        ("a subscribe with the flags of a publish", b"\x80\x06\0\x01\0\x01a\0"),
        ("a subscribe of QoS 3", b"\x82\x06\0\x01\0\x01a\x03"),
        ("a remaining length of 268 MB", b"\x30\xff\xff\xff\x7f"),
        ("a ping with a body", b"\xc0\x01\0"),
    ] {
        assert_eq!(answer_after_connect(address, bytes).await, b"", "{what}");
    }
    // Nothing at all within the time for CONNECT, and half of one.
    assert_eq!(answer(address, b"").await, b"");
    assert_eq!(answer(address, &CONNECT_V3[..9]).await, b"");

    witness.write_all(b"\xc0\x00").await.unwrap();
    let mut pong = [0; 2];
    witness.read_exact(&mut pong).await.unwrap();
    assert_eq!(pong, *b"\xd0\x00", "the second client is still served");
    let args = ["-q", "1", "-t", "althing/pump/temperature", "-m", "1"];
    let output = mosquitto("mosquitto_pub", address, &args).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    ledger.wait_for(&TEMPERATURE, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_alias_maximum_of_zero_is_a_client_like_any_other() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    let connect = b"\x10\x12\0\x04MQTT\x05\x02\0\x3c\x03\x22\0\0\0\x02me";
    stream.write_all(connect).await.unwrap();
    let mut connack = [0; 5];
    stream.read_exact(&mut connack).await.unwrap();
    assert_eq!((connack[0], connack[3]), (0x20, 0), "{connack:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_5_client_is_told_why_it_is_disconnected() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    for (what, bytes, reason) in [
        ("a packet that is too long", &b"\x30\xff\xff\xff\x7f"[..], 0x95),
        ("a malformed packet", b"\x36\x00", 0x81),
        ("a publish to a filter", b"\x30\x05\0\x01#\0x", 0x90),
        ("a topic alias never set", b"\x30\x07\0\0\x03\x23\0\x01x", 0x94),
        ("a topic alias beyond the maximum", b"\x30\x08\0\x01a\x03\x23\0\x63x", 0x94),
        ("a second CONNECT", CONNECT_V5, 0x82),
    ] {
        let answer = answer(gateway.address(), &[CONNECT_V5, bytes].concat()).await;
        let connack = 2 + usize::from(answer[1]);
        let disconnect = &answer[connack..];
        assert_eq!(disconnect.first(), Some(&0xe0), "{what}: {disconnect:?}");
        assert_eq!(disconnect.get(2), Some(&reason), "{what}: {disconnect:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_bound_are_closed_and_room_is_given_back() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let mut config = config(directory.path());
    config.mqtt.connections_max = 2;
    config.mqtt.connect_timeout = Duration::from_secs(20);
    let gateway = start(config, &ledger).await;
    let first = TcpStream::connect(gateway.address()).await.unwrap();
    let _second = TcpStream::connect(gateway.address()).await.unwrap();
    while gateway.status().await.unwrap().connections < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(answer(gateway.address(), b"").await, b"");
    assert_eq!(gateway.status().await.unwrap().connections_turned_away, 1);
    drop(first);
    while gateway.status().await.unwrap().connections > 1 {
        tokio::task::yield_now().await;
    }
    let args = ["-q", "1", "-t", "althing/pump/temperature", "-m", "1"];
    let output = mosquitto("mosquitto_pub", gateway.address(), &args).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_client_is_disconnected_after_its_keep_alive_unless_it_has_none() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let none = b"\x10\x0e\0\x04MQTT\x04\x02\0\0\0\x02me";
    let mut patient = TcpStream::connect(gateway.address()).await.unwrap();
    patient.write_all(none).await.unwrap();
    // One and a half times one second.
    let one_second = b"\x10\x0e\0\x04MQTT\x04\x02\0\x01\0\x02it";
    assert_eq!(answer(gateway.address(), one_second).await, CONNACK_V3);
    patient.write_all(b"\xc0\x00").await.unwrap();
    let mut answers = [0; 6];
    patient.read_exact(&mut answers).await.unwrap();
    assert_eq!(answers, *b"\x20\x02\0\0\xd0\x00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_id_used_twice_ends_the_older_connection() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let mut old = TcpStream::connect(gateway.address()).await.unwrap();
    old.write_all(CONNECT_V3).await.unwrap();
    let mut connack = [0; 4];
    old.read_exact(&mut connack).await.unwrap();
    let mut new = TcpStream::connect(gateway.address()).await.unwrap();
    new.write_all(CONNECT_V3).await.unwrap();
    new.read_exact(&mut connack).await.unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, old.read_to_end(&mut rest)).await.unwrap().unwrap();
    new.write_all(b"\xc0\x00").await.unwrap();
    let mut pong = [0; 2];
    new.read_exact(&mut pong).await.unwrap();
    assert_eq!(gateway.status().await.unwrap().clients, 1);
}
