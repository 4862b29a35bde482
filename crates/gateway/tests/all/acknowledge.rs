//! What a publisher is told, and when.

use crate::common::{MemoryLedger, PATIENCE, STATE, config, start, text};
use althing_types::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECT_V5: &[u8] = b"\x10\x0f\0\x04MQTT\x05\x02\0\x3c\0\0\x02me";

/// A connection of MQTT 5, and the properties of its CONNACK.
async fn connect(address: std::net::SocketAddr) -> (TcpStream, Vec<u8>) {
    connect_with(address, CONNECT_V5).await
}

async fn connect_with(address: std::net::SocketAddr, connect: &[u8]) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(connect).await.unwrap();
    let connack = packet(&mut stream).await;
    assert_eq!((connack[0], connack[3]), (0x20, 0), "{connack:?}");
    (stream, connack[5..].to_vec())
}

/// The next packet, with its length in one byte if that is enough and in two otherwise.
async fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let read = async {
        let mut head = vec![0; 2];
        stream.read_exact(&mut head).await.unwrap();
        let mut len = usize::from(head[1] & 0x7f);
        if head[1] & 0x80 != 0 {
            head.push(stream.read_u8().await.unwrap());
            len += usize::from(head[2]) << 7;
        }
        let mut body = vec![0; len];
        stream.read_exact(&mut body).await.unwrap();
        [head, body].concat()
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap()
}

/// A publish of MQTT 5 with the given first byte.
fn publish(first: u8, topic: &str, id: u8, properties: &[u8], payload: &str) -> Vec<u8> {
    let short = |len: usize| u8::try_from(len).unwrap();
    let mut body = vec![0, short(topic.len())];
    body.extend_from_slice(topic.as_bytes());
    if first & 0x06 != 0 {
        body.extend([0, id]);
    }
    body.push(short(properties.len()));
    body.extend_from_slice(properties);
    body.extend_from_slice(payload.as_bytes());
    [&[first, short(body.len())][..], &body].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgements_come_in_the_order_of_the_publishes_refused_ones_too() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let (mut stream, _) = connect(gateway.address()).await;
    // Those that are refused are known at once, the others wait for the disk.
    let publishes = (1..=40_u8).map(|id| {
        let topic = if id % 3 == 0 { "elsewhere" } else { "althing/pump/state" };
        publish(0x32, topic, id, b"", &id.to_string())
    });
    let all: Vec<u8> = publishes.flatten().collect();
    stream.write_all(&all).await.unwrap();
    for id in 1..=40 {
        let puback = packet(&mut stream).await;
        let variable = &puback[if puback[1] & 0x80 == 0 { 2 } else { 3 }..];
        let reason = variable.get(2).copied().unwrap_or_default();
        let expected = if id % 3 == 0 { 0x90 } else { 0 };
        assert_eq!((puback[0], variable[1], reason), (0x40, id, expected), "{puback:?}");
    }
    ledger.wait_for(&STATE, 27).await;
    let expected = (1..=40).filter(|id| id % 3 != 0).map(|id: u8| Value::Text(id.to_string()));
    assert_eq!(ledger.values(&STATE), expected.collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reason_in_words_is_left_out_for_who_does_not_want_or_take_it() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    for (what, connect) in [
        ("no problem information", &b"\x10\x11\0\x04MQTT\x05\x02\0\x3c\x02\x17\0\0\x02me"[..]),
        ("at most 64 bytes", b"\x10\x14\0\x04MQTT\x05\x02\0\x3c\x05\x27\0\0\0\x40\0\x02me"),
    ] {
        let (mut stream, _) = connect_with(gateway.address(), connect).await;
        stream.write_all(&publish(0x32, "elsewhere", 1, b"", "x")).await.unwrap();
        assert_eq!(packet(&mut stream).await[..5], [0x40, 4, 0, 1, 0x90][..], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_alias_stands_for_its_topic() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let (mut stream, properties) = connect(gateway.address()).await;
    let has = |property: &[u8]| properties.windows(property.len()).any(|seen| seen == property);
    assert!(has(&[0x22, 0, 10]), "topic alias maximum: {properties:?}");
    assert!(has(&[0x21, 0, 20]), "receive maximum: {properties:?}");
    assert!(has(&[0x27, 0, 1, 0, 0]), "maximum packet size: {properties:?}");
    let alias = [0x23, 0, 7];
    stream.write_all(&publish(0x32, "althing/pump/state", 1, &alias, "named")).await.unwrap();
    stream.write_all(&publish(0x32, "", 2, &alias, "by its alias")).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0x40, 2, 0, 1]);
    assert_eq!(packet(&mut stream).await, [0x40, 2, 0, 2]);
    ledger.wait_for(&STATE, 2).await;
    let expected = ["named", "by its alias"].map(|text| Value::Text(text.into()));
    assert_eq!(ledger.values(&STATE), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_qos_2_is_taken_once_however_often_it_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let (mut stream, _) = connect(gateway.address()).await;
    let first = publish(0x34, "althing/pump/state", 9, b"", "once");
    let again = publish(0x3c, "althing/pump/state", 9, b"", "once");
    stream.write_all(&[first, again.clone()].concat()).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0x50, 2, 0, 9]);
    stream.write_all(&again).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0x50, 2, 0, 9], "sent again, received once");
    stream.write_all(&[0x62, 2, 0, 9]).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0x70, 2, 0, 9]);
    stream.write_all(&[0x62, 2, 0, 9]).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0x70, 4, 0, 9, 0x92, 0], "released before");
    ledger.wait_for(&STATE, 1).await;
    gateway.shutdown().await.unwrap();
    assert_eq!(ledger.values(&STATE), [Value::Text("once".into())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_before_it_is_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let mut small = config(directory.path());
    small.queue.segment_bytes = 1;
    let (queue, away) = (small.queue.directory.clone(), directory.path().join("away"));
    let gateway = start(small, &ledger).await;
    let (mut stream, _) = connect(gateway.address()).await;
    // Without its directory the queue cannot begin the segment that every write here begins.
    std::fs::rename(&queue, &away).unwrap();
    stream.write_all(&publish(0x32, "althing/pump/state", 1, b"", "lost")).await.unwrap();
    let disconnect = packet(&mut stream).await;
    assert_eq!((disconnect[0], disconnect[2]), (0xe0, 0x89), "{disconnect:?}");
    assert!(text(&disconnect).contains("its disk takes no writes"), "{disconnect:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_acknowledges_what_was_taken_and_gets_it_to_the_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let mut patient = config(directory.path());
    patient.edge.limits.batch_age_ms_max = 60_000;
    let gateway = start(patient, &ledger).await;
    let (mut stream, _) = connect(gateway.address()).await;
    stream.write_all(&publish(0x32, "althing/pump/state", 1, b"", "last")).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0x40, 2, 0, 1]);
    assert_eq!(ledger.values(&STATE), [], "its batch waits for company");
    let status = gateway.shutdown().await.unwrap();
    assert_eq!((status.readings_queued, status.readings_finalized), (0, 1));
    assert_eq!(ledger.values(&STATE), [Value::Text("last".into())]);
    assert_eq!(packet(&mut stream).await, [0xe0, 1, 0x8b], "the server shuts down");
}

/// A PUBACK with a reason is still one: a client of MQTT 5 must not send the message again, and its
/// reading was lost, although the queue had room a moment later.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_taken_later_is_not_acknowledged_and_the_client_is_told_to_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let mut small = config(directory.path());
    small.edge.limits.stream_readings_max = 1;
    let gateway = start(small, &ledger).await;
    ledger.lock().is_offline = true;
    let (mut stream, _) = connect(gateway.address()).await;
    stream.write_all(&publish(0x32, "althing/pump/state", 1, b"", "kept")).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0x40, 2, 0, 1]);
    for first in [0x32, 0x34] {
        let (mut stream, _) = connect(gateway.address()).await;
        stream.write_all(&publish(first, "althing/pump/state", 2, b"", "later")).await.unwrap();
        let disconnect = packet(&mut stream).await;
        assert_eq!((disconnect[0], disconnect[3]), (0xe0, 0x97), "{disconnect:?}");
        assert!(text(&disconnect).contains("then publish again"), "{disconnect:?}");
    }
    // Nobody comes back with a message of QoS 0: there is nothing to be told.
    let (mut stream, _) = connect(gateway.address()).await;
    stream.write_all(&publish(0x30, "althing/pump/state", 0, b"", "dropped")).await.unwrap();
    stream.write_all(&[0xc0, 0]).await.unwrap();
    assert_eq!(packet(&mut stream).await, [0xd0, 0], "still there");
}

/// A subscriber that does not acknowledge a delivery was once deaf to everything else: its client
/// came back on another connection, and the old one lived until its keep-alive was over.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_taken_over_ends_though_it_owes_an_acknowledgement() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    // At most one message under way to it.
    let connect_one = b"\x10\x12\0\x04MQTT\x05\x02\0\x3c\x03\x21\0\x01\0\x02me";
    let (mut old, _) = connect_with(gateway.address(), connect_one).await;
    old.write_all(b"\x82\x07\0\x01\0\0\x01#\x01").await.unwrap();
    assert_eq!(packet(&mut old).await[..4], [0x90, 4, 0, 1]);
    old.write_all(&publish(0x32, "althing/pump/state", 1, b"", "on")).await.unwrap();
    let heads = [packet(&mut old).await[0], packet(&mut old).await[0]];
    assert!(heads.contains(&0x40) && heads.contains(&0x32), "{heads:?}");
    let (_new, _) = connect(gateway.address()).await;
    assert_eq!(packet(&mut old).await, [0xe0, 1, 0x8e], "taken over");
}

/// An empty payload is no number, but with the retain flag it is no reading at all.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_retained_message_clears_what_is_retained_of_a_numeric_stream() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let topic = "althing/pump/temperature";
    let (mut stream, _) = connect(gateway.address()).await;
    for (id, payload) in [(1, "21"), (2, "")] {
        stream.write_all(&publish(0x33, topic, id, b"", payload)).await.unwrap();
        assert_eq!(packet(&mut stream).await, [0x40, 2, 0, id]);
    }
    stream.write_all(b"\x82\x07\0\x03\0\0\x01#\0").await.unwrap();
    assert_eq!(packet(&mut stream).await[0], 0x90);
    stream.write_all(&publish(0x32, topic, 4, b"", "22")).await.unwrap();
    let packets = [packet(&mut stream).await, packet(&mut stream).await];
    let delivered = packets.iter().find(|packet| packet[0] & 0xf0 == 0x30).unwrap();
    assert!(delivered.ends_with(b"22"), "{packets:?}");
    ledger.wait_for(&crate::common::TEMPERATURE, 2).await;
}
