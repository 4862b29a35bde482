//! The cases of the Eclipse Paho interoperability suites (`client_test.py` for MQTT 3.1.1,
//! `client_test5.py` for MQTT 5 in paho.mqtt.testing), in packets that we wrote by hand.

use std::net::SocketAddr;

use crate::common::raw::{Hello, Raw, V3, V5, packet, publish};
use crate::common::{MemoryLedger, config, start};
use althing_gateway::Handle;
use tempfile::TempDir;

const LEVELS: [u8; 2] = [V3, V5];

/// A gateway that relays everything, and where it listens.
async fn relay() -> (TempDir, Handle, SocketAddr) {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.mqtt.relay = vec!["#".into(), "$own/#".into()];
    let gateway = start(config, &MemoryLedger::default()).await;
    let address = gateway.address();
    (directory, gateway, address)
}

/// A session that outlives its connection.
fn lasting(id: &str) -> Hello<'_> {
    Hello { is_clean: false, properties: b"\x11\0\0\x03\xe8", ..Hello::new(id) }
}

#[tokio::test(flavor = "multi_thread")]
async fn basic_every_quality_arrives_as_it_was_sent() {
    let (_directory, _gateway, address) = relay().await;
    for level in LEVELS {
        let mut client = Raw::connect(address, level, Hello::new("c")).await;
        assert_eq!(client.subscribe("TopicA/#", 2, &[]).await, [2]);
        client.publish("TopicA/B", "q0", 0, &[]).await;
        client.expect("quality 0", &publish(level, "TopicA/B", "q0", 0, 0, &[])).await;
        client.send(&publish(level, "TopicA/B", "q1", 2, 7, &[])).await;
        let mut got = [client.read().await.unwrap(), client.read().await.unwrap()];
        got.sort();
        assert_eq!(got[0], publish(level, "TopicA/B", "q1", 2, 2, &[]), "{level}");
        assert_eq!(got[1], packet(0x40, &[0, 7]));
        client.send(&packet(0x40, &[0, 2])).await;
        // What was acknowledged already, or never sent, is no reason to go.
        client.send(&packet(0x40, &[0, 2])).await;
        client.send(&packet(0x70, &[0, 9])).await;
        client.expect_nothing("no more").await;
        client.goodbye().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_quality_2_is_delivered_once_whatever_is_repeated() {
    let (_directory, _gateway, address) = relay().await;
    for level in LEVELS {
        let mut reader = Raw::connect(address, level, Hello::new("reader")).await;
        reader.subscribe("t", 2, &[]).await;
        let mut writer = Raw::connect(address, level, lasting("writer")).await;
        writer.send(&publish(level, "t", "once", 4, 5, &[])).await;
        writer.expect("pubrec", &packet(0x50, &[0, 5])).await;
        writer.send(&publish(level, "t", "once", 12, 5, &[])).await;
        writer.expect("pubrec again", &packet(0x50, &[0, 5])).await;
        writer.break_off();
        // The session goes on: so does what it knows.
        let mut writer = Raw::connect(address, level, lasting("writer")).await;
        writer.send(&publish(level, "t", "once", 12, 5, &[])).await;
        writer.expect("pubrec", &packet(0x50, &[0, 5])).await;
        writer.send(&packet(0x62, &[0, 5])).await;
        writer.expect("pubcomp", &packet(0x70, &[0, 5])).await;
        writer.send(&packet(0x62, &[0, 5])).await;
        let unknown: &[u8] = if level == V5 { &[0, 5, 0x92, 0] } else { &[0, 5] };
        writer.expect("pubcomp of nothing", &packet(0x70, unknown)).await;

        reader.expect("the message", &publish(level, "t", "once", 4, 2, &[])).await;
        reader.send(&packet(0x50, &[0, 2])).await;
        reader.expect("its release", &packet(0x62, &[0, 2])).await;
        reader.send(&packet(0x70, &[0, 2])).await;
        reader.expect_nothing("only once").await;
        let clean = Hello::new("writer");
        Raw::connect(address, level, clean).await.goodbye().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offline_messages_wait_and_what_was_not_acknowledged_comes_again() {
    let (_directory, _gateway, address) = relay().await;
    for level in LEVELS {
        let (client, connack) = Raw::enter(address, level, lasting("sleeper")).await;
        assert_eq!(connack[2], 0, "no session yet");
        let mut client = client;
        client.subscribe("+/+", 2, &[]).await;
        client.goodbye().await;
        let mut writer = Raw::connect(address, level, Hello::new("writer")).await;
        for (text, flags) in [("0", 0), ("1", 2), ("2", 4)] {
            writer.publish("a/b", text, flags, &[]).await;
        }
        let (mut client, connack) = Raw::enter(address, level, lasting("sleeper")).await;
        assert_eq!(connack[2], 1, "its session goes on");
        client.expect("quality 1", &publish(level, "a/b", "1", 2, 2, &[])).await;
        client.expect("quality 2", &publish(level, "a/b", "2", 4, 3, &[])).await;
        client.break_off();
        let mut client = Raw::connect(address, level, lasting("sleeper")).await;
        client.expect("again", &publish(level, "a/b", "1", 10, 2, &[])).await;
        client.expect("again", &publish(level, "a/b", "2", 12, 3, &[])).await;
        client.send(&packet(0x40, &[0, 2])).await;
        client.send(&packet(0x50, &[0, 3])).await;
        client.expect("release", &packet(0x62, &[0, 3])).await;
        client.break_off();
        let mut client = Raw::connect(address, level, lasting("sleeper")).await;
        client.expect("release again", &packet(0x62, &[0, 3])).await;
        client.send(&packet(0x70, &[0, 3])).await;
        client.expect_nothing("all is done").await;
        client.goodbye().await;
        let (_, connack) = Raw::enter(address, level, Hello::new("sleeper")).await;
        assert_eq!(connack[2], 0, "a clean start forgets");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retained_messages_wills_and_dollar_topics() {
    let (_directory, _gateway, address) = relay().await;
    for level in LEVELS {
        let mut writer = Raw::connect(address, level, Hello::new("writer")).await;
        writer.publish("k/1", "one", 3, &[]).await;
        writer.publish("k/2", "two", 1, &[]).await;
        writer.publish("$own/x", "hidden", 3, &[]).await;
        let mut reader = Raw::connect(address, level, Hello::new("reader")).await;
        reader.subscribe("#", 0, &[]).await;
        reader.expect("retained", &publish(level, "k/1", "one", 1, 0, &[])).await;
        reader.expect("retained", &publish(level, "k/2", "two", 1, 0, &[])).await;
        writer.publish("k/1", "new", 3, &[]).await;
        reader.expect("live: not marked", &publish(level, "k/1", "new", 0, 0, &[])).await;
        for topic in ["k/1", "k/2", "$own/x"] {
            writer.publish(topic, "", 3, &[]).await;
        }
        reader.expect("cleared", &publish(level, "k/1", "", 0, 0, &[])).await;
        reader.expect("cleared", &publish(level, "k/2", "", 0, 0, &[])).await;
        reader.expect_nothing("nothing of $own").await;

        let will = Hello { will: Some(("w", "gone", 1, false, &[])), ..Hello::new("mortal") };
        Raw::connect(address, level, will).await.goodbye().await;
        reader.expect_nothing("no will after a goodbye").await;
        Raw::connect(address, level, will).await.break_off();
        reader.expect("the will", &publish(level, "w", "gone", 0, 0, &[])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn client_ids_are_given_or_refused() {
    let (_directory, _gateway, address) = relay().await;
    let (_client, connack) = Raw::enter(address, V3, Hello::new("")).await;
    assert_eq!(connack, [0x20, 2, 0, 0]);
    let (_client, connack) = Raw::enter(address, V3, lasting("")).await;
    assert_eq!(connack, [0x20, 2, 0, 2], "no session without a name");
    let (_client, connack) = Raw::enter(address, V5, lasting("")).await;
    assert_eq!(connack[3], 0);
    let at = connack.windows(7).position(|bytes| bytes[0] == 0x12 && &bytes[3..] == b"auto");
    assert!(at.is_some(), "{connack:02x?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn version_5_what_travels_with_a_message() {
    let (_directory, _gateway, address) = relay().await;
    let mut reader = Raw::connect(address, V5, Hello::new("reader")).await;
    reader.subscribe("t/#", 0x01, b"\x0b\x02").await;
    reader.subscribe("t/+", 0x02, b"\x0b\x83\x01").await;
    let mut writer = Raw::connect(address, V5, Hello::new("writer")).await;
    // User properties (also twice), payload format, content type, response topic, correlation data.
    let own = b"\x26\0\x01a\0\x012\x01\x01\x03\0\x01c\x08\0\x01r\x09\0\x01d\x26\0\x01a\0\x013";
    writer.publish("t/x", "all", 2, own).await;
    let with_ids = [&own[..], b"\x0b\x02\x0b\x83\x01"].concat();
    reader.expect("all of it", &publish(V5, "t/x", "all", 2, 2, &with_ids)).await;
    reader.send(&packet(0x40, &[0, 2])).await;

    // Time goes on while a message waits.
    let mut sleeper = Raw::connect(address, V5, lasting("sleeper")).await;
    sleeper.subscribe("e", 1, &[]).await;
    sleeper.goodbye().await;
    writer.publish("e", "short", 2, b"\x02\0\0\0\x00").await;
    writer.publish("e", "long", 2, b"\x02\0\0\x03\xe8").await;
    let mut sleeper = Raw::connect(address, V5, lasting("sleeper")).await;
    let long = sleeper.read().await.unwrap();
    assert!(long.ends_with(b"long") && long[8..11] == [0x02, 0, 0], "{long:02x?}");
    sleeper.send(&packet(0x40, &[long[5], long[6]])).await;
    sleeper.expect_nothing("the other's time was up").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn version_5_options_of_subscriptions() {
    let (_directory, _gateway, address) = relay().await;
    let mut client = Raw::connect(address, V5, Hello::new("c")).await;
    let mut other = Raw::connect(address, V5, Hello::new("other")).await;
    // No local.
    client.subscribe("own", 0x04, &[]).await;
    client.publish("own", "mine", 2, &[]).await;
    client.expect_nothing("not its own").await;
    other.publish("own", "yours", 2, &[]).await;
    client.expect("another's", &publish(V5, "own", "yours", 0, 0, &[])).await;
    // Retain as published.
    client.subscribe("r", 0x08, &[]).await;
    other.publish("r", "kept", 3, &[]).await;
    client.expect("marked", &publish(V5, "r", "kept", 1, 0, &[])).await;
    // Retain handling: 0 always, 1 if new, 2 never.
    client.subscribe("r", 0x18, &[]).await;
    client.expect_nothing("not new").await;
    client.subscribe("+", 0x20, &[]).await;
    client.expect_nothing("never").await;
    client.subscribe("r", 0x08, &[]).await;
    client.expect("always", &publish(V5, "r", "kept", 1, 0, &[])).await;
    // Codes.
    assert_eq!(client.subscribe("a/#/b", 0, &[]).await, [0x8f]);
    assert_eq!(client.subscribe("$share/g", 0, &[]).await, [0x8f]);
    client.send(&packet(0xa2, b"\0\x05\0\0\x01r\0\x01z")).await;
    client.expect("unsuback", &packet(0xb0, b"\0\x05\0\0\x11")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn version_5_a_group_shares_and_each_message_goes_to_one() {
    let (_directory, _gateway, address) = relay().await;
    let mut members = Vec::new();
    for id in ["a", "b"] {
        let mut member = Raw::connect(address, V5, Hello::new(id)).await;
        member.subscribe("$share/g/s/#", 0, &[]).await;
        members.push(member);
    }
    let mut all = Raw::connect(address, V5, Hello::new("all")).await;
    all.subscribe("s/#", 0, &[]).await;
    let mut writer = Raw::connect(address, V5, Hello::new("writer")).await;
    for text in ["1", "2", "3", "4"] {
        writer.publish("s/t", text, 2, &[]).await;
        all.expect("everything", &publish(V5, "s/t", text, 0, 0, &[])).await;
    }
    for (member, texts) in members.iter_mut().zip([["1", "3"], ["2", "4"]]) {
        for text in texts {
            member.expect("its share", &publish(V5, "s/t", text, 0, 0, &[])).await;
        }
        member.expect_nothing("no more").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn version_5_topic_aliases_both_ways() {
    let (_directory, _gateway, address) = relay().await;
    let hello = Hello { properties: b"\x22\0\x01", ..Hello::new("reader") };
    let mut reader = Raw::connect(address, V5, hello).await;
    reader.subscribe("#", 0, &[]).await;
    let mut writer = Raw::connect(address, V5, Hello::new("writer")).await;
    writer.publish("first", "1", 0, b"\x23\0\x0a").await;
    writer.publish("", "2", 0, b"\x23\0\x0a").await;
    writer.publish("second", "3", 0, b"\x23\0\x0a").await;
    writer.publish("", "4", 0, b"\x23\0\x0a").await;
    reader.expect("told", &publish(V5, "first", "1", 0, 0, b"\x23\0\x01")).await;
    reader.expect("by alias", &publish(V5, "", "2", 0, 0, b"\x23\0\x01")).await;
    reader.expect("no alias left", &publish(V5, "second", "3", 0, 0, &[])).await;
    reader.expect("no alias left", &publish(V5, "second", "4", 0, 0, &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn version_5_flow_control_and_packet_size() {
    let (_directory, _gateway, address) = relay().await;
    // Two at a time, none longer than 30 bytes.
    let hello = Hello { properties: b"\x21\0\x02\x27\0\0\0\x1e", ..Hello::new("slow") };
    let mut slow = Raw::connect(address, V5, hello).await;
    slow.subscribe("f", 2, &[]).await;
    let mut writer = Raw::connect(address, V5, Hello::new("writer")).await;
    for text in ["1", "a message of more than thirty bytes", "2", "3", "4"] {
        writer.publish("f", text, 2, &[]).await;
    }
    // The long one took a number and was dropped as if it were sent (MQTT-3.1.2-25).
    slow.expect("first", &publish(V5, "f", "1", 2, 2, &[])).await;
    slow.expect("second", &publish(V5, "f", "2", 2, 4, &[])).await;
    slow.expect_nothing("no third yet").await;
    slow.send(&packet(0x40, &[0, 4])).await;
    slow.expect("third", &publish(V5, "f", "3", 2, 5, &[])).await;
    slow.send(&packet(0x40, &[0, 2])).await;
    slow.expect("fourth", &publish(V5, "f", "4", 2, 6, &[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn version_5_sessions_wills_and_keep_alive_in_time() {
    let (_directory, gateway, address) = relay().await;
    let mut watcher = Raw::connect(address, V5, Hello::new("watcher")).await;
    watcher.subscribe("w", 0, &[]).await;
    // A will that waits longer than its session lives is published when that ends.
    let delayed = Hello {
        properties: b"\x11\0\0\0\x01",
        will: Some(("w", "late", 0, false, b"\x18\0\0\0\x3c")),
        ..Hello::new("mortal")
    };
    Raw::connect(address, V5, delayed).await.break_off();
    watcher.expect("after a second", &publish(V5, "w", "late", 0, 0, &[])).await;
    let (_client, connack) =
        Raw::enter(address, V5, Hello { is_clean: false, ..Hello::new("mortal") }).await;
    assert_eq!(connack[2], 0, "its session has ended");
    // Who comes back in time takes its will with it.
    let patient = Hello { properties: b"\x11\0\0\0\x3c", ..delayed };
    Raw::connect(address, V5, patient).await.break_off();
    let back = Hello { is_clean: false, will: None, ..patient };
    while gateway.status().await.unwrap().clients > 1 {
        tokio::task::yield_now().await;
    }
    let (_client, connack) = Raw::enter(address, V5, back).await;
    assert_eq!(connack[2], 1);
    watcher.expect_nothing("no will").await;
    // Asked for no keep-alive, or a long one: told the gateway's.
    for keep_alive_s in [0, 61] {
        let hello = Hello { keep_alive_s, ..Hello::new("k") };
        let (_client, connack) = Raw::enter(address, V5, hello).await;
        assert!(connack.windows(3).any(|bytes| bytes == [0x13, 0, 60]), "{connack:02x?}");
    }
    // Silent for one and a half seconds.
    let mut silent =
        Raw::connect(address, V5, Hello { keep_alive_s: 1, ..Hello::new("silent") }).await;
    silent.expect("told why", &packet(0xe0, &[0x8d])).await;
    assert_eq!(silent.read().await, None);
    // Taken over.
    let mut old = Raw::connect(address, V5, Hello::new("twin")).await;
    let _new = Raw::connect(address, V5, Hello::new("twin")).await;
    old.expect("told why", &packet(0xe0, &[0x8e])).await;
    assert_eq!(old.read().await, None);
}
