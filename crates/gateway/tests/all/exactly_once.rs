//! QoS 2 across a loss of power at any moment: the queue and the sessions are flushed one after the
//! other, and in between nobody but the queue knows that a publish was taken.

use std::net::SocketAddr;
use std::path::Path;

use althing_edge::journal::HEADER_BYTES;

use crate::common::raw::{Hello, Raw, V3, V5, packet, publish};
use crate::common::{MemoryLedger, PATIENCE, TEMPERATURE, config, start, start_at_once};

const TOPIC: &str = "althing/pump/temperature";
/// Both messages have it: it is free again when the first is released.
const ID: [u8; 2] = [0, 5];
/// What the client sends, in order, and the answer.
const STEPS: [(Said, u8); 4] = [
    (Said::Publish("1"), 0x50),
    (Said::Release, 0x70),
    (Said::Publish("2"), 0x50),
    (Said::Release, 0x70),
];

#[derive(Clone, Copy)]
enum Said {
    Publish(&'static str),
    Release,
}

fn lasting(level: u8, id: &'static str) -> Hello<'static> {
    // A session of MQTT 5 ends with its connection unless it says how long it lasts.
    let properties: &[u8] = if level == V5 { &[0x11, 0, 0, 3, 0xe8] } else { &[] };
    Hello { is_clean: false, properties, ..Hello::new(id) }
}

async fn say(client: &mut Raw, level: u8, step: usize, is_again: bool) {
    let (said, answer) = STEPS[step];
    let bytes = match said {
        Said::Publish(text) => {
            publish(level, TOPIC, text, if is_again { 12 } else { 4 }, u16::from_be_bytes(ID), &[])
        }
        Said::Release => packet(0x62, &ID),
    };
    client.send(&bytes).await;
    // With MQTT 5 a release that comes again is told that there is no such id, and it is done.
    let read = client.read().await.unwrap();
    assert_eq!((read[0], &read[2..4]), (answer, &ID[..]), "{read:02x?}");
}

/// What a disk would hold after a loss of power now.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A disk whose queue was flushed at one moment and whose sessions were at another.
fn cut_between(queue: &Path, sessions: &Path) -> tempfile::TempDir {
    let cut = tempfile::tempdir().unwrap();
    copy(queue, cut.path());
    let of_sessions = config(cut.path()).queue.directory.join("sessions");
    std::fs::remove_dir_all(&of_sessions).unwrap();
    copy(&config(sessions).queue.directory.join("sessions"), &of_sessions);
    cut
}

/// The messages that waited for a subscriber.
async fn received(address: SocketAddr) -> Vec<Vec<u8>> {
    let mut subscriber = Raw::connect(address, V3, lasting(V3, "subscriber")).await;
    let mut received = Vec::new();
    // The answer to a ping comes behind all that waits.
    subscriber.send(&packet(0xc0, &[])).await;
    loop {
        let read = subscriber.read().await.unwrap();
        match read[0] & 0xf0 {
            0x30 => received.push(read[4 + TOPIC.len() + 2..].to_vec()),
            _ => return received,
        }
    }
}

/// A crash between the two flushes once made two readings of one. The disk is cut at each flush, in
/// each order that there is, and the client goes on with the first step whose answer it cannot have.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_flush_makes_of_a_publish_of_qos_2_one_reading_and_one_message() {
    for level in [V3, V5] {
        let directory = tempfile::tempdir().unwrap();
        let (live, ledger) = (directory.path().join("live"), MemoryLedger::default());
        let gateway = start(config(&live), &ledger).await;
        ledger.lock().is_offline = true;
        // Without it a gateway that starts again offline knows no thing.
        let things = config(&live).queue.directory.join("things");
        let saved = async {
            while !things.exists() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, saved).await.unwrap();
        let mut subscriber = Raw::connect(gateway.address(), V3, lasting(V3, "subscriber")).await;
        assert_eq!(subscriber.subscribe(TOPIC, 2, &[]).await, [2]);
        subscriber.goodbye().await;
        let mut client = Raw::connect(gateway.address(), level, lasting(level, "writer")).await;
        let state = |number: usize| directory.path().join(format!("state-{number}"));
        copy(&live, &state(0));
        for step in 0..STEPS.len() {
            say(&mut client, level, step, false).await;
            copy(&live, &state(step + 1));
        }
        drop((client, gateway));

        // The queue and the sessions after so many steps, and the first step that is not answered.
        for (queue, sessions, first) in [
            (0, 0, 0),
            (1, 0, 0),
            (1, 1, 0),
            (1, 1, 1),
            (1, 2, 1),
            (2, 2, 2),
            (3, 2, 2),
            (3, 3, 2),
            (3, 3, 3),
            (3, 4, 3),
        ] {
            let what = format!("level {level}, queue {queue}, sessions {sessions}, step {first}");
            let cut = cut_between(&state(queue), &state(sessions));
            let ledger = MemoryLedger::default();
            let gateway = start_at_once(config(cut.path()), &ledger).await;
            let address = gateway.address();
            let mut client = Raw::connect(address, level, lasting(level, "writer")).await;
            for step in first..STEPS.len() {
                say(&mut client, level, step, step == first).await;
            }
            assert_eq!(received(address).await, [b"1", b"2"], "{what}");
            ledger.wait_for(&TEMPERATURE, 2).await;
            gateway.shutdown().await.unwrap();
            assert_eq!(ledger.numbers(&TEMPERATURE), [100_000_000, 200_000_000], "{what}");
        }
    }
}

/// What the queue learns when the sessions are durable is not in it yet.
fn cut_behind_mark(queue: &Path) {
    let segments = std::fs::read_dir(queue).unwrap().map(|entry| entry.unwrap().path());
    let segments = segments.filter(|path| path.extension().is_some_and(|end| end == "queue"));
    let mut cut = 0;
    for path in segments {
        let bytes = std::fs::read(&path).unwrap();
        let mut at = HEADER_BYTES;
        while let Some(head) = bytes.get(at..at + 13) {
            let len = u32::from_be_bytes(head[1..5].try_into().unwrap()) as usize;
            let record = &bytes[at + 13..at + 13 + len];
            at += 13 + len;
            // An array of five, the first of them the kind.
            if record.starts_with(&[0x85, 8]) {
                std::fs::write(&path, &bytes[..at]).unwrap();
                cut += 1;
                break;
            }
        }
    }
    assert_eq!(cut, 1, "the mark is in the queue");
}

/// Waits for a message that waits for the subscriber, and sees that it is the only one.
async fn received_one(address: SocketAddr) -> Vec<u8> {
    let mut subscriber = Raw::connect(address, V3, lasting(V3, "subscriber")).await;
    let read = subscriber.read().await.unwrap();
    assert_eq!(read[0] & 0xf0, 0x30, "{read:02x?}");
    subscriber.expect_nothing("one message").await;
    read[4 + TOPIC.len() + 2..].to_vec()
}

/// A will had no mark and was nowhere on disk: a crash while it was published lost it for subscribers,
/// and one before that lost all of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_flush_makes_of_a_will_one_reading_and_one_message() {
    let directory = tempfile::tempdir().unwrap();
    let (live, ledger) = (directory.path().join("live"), MemoryLedger::default());
    let gateway = start(config(&live), &ledger).await;
    ledger.lock().is_offline = true;
    let mut subscriber = Raw::connect(gateway.address(), V3, lasting(V3, "subscriber")).await;
    assert_eq!(subscriber.subscribe(TOPIC, 2, &[]).await, [2]);
    subscriber.goodbye().await;
    let mut watcher = Raw::connect(gateway.address(), V3, Hello::new("watcher")).await;
    watcher.subscribe(TOPIC, 0, &[]).await;
    let will = Some((TOPIC, "1", 2, false, &b""[..]));
    let mortal = Hello { will, ..lasting(V3, "mortal") };
    let mut client = Raw::connect(gateway.address(), V3, mortal).await;
    // The answer comes once what is before it is durable.
    assert_eq!(client.subscribe("other", 2, &[]).await, [2]);
    let state = |number: usize| directory.path().join(format!("state-{number}"));
    copy(&live, &state(0));
    client.break_off();
    let read = watcher.read().await.unwrap();
    assert_eq!(read[0] & 0xf0, 0x30, "{read:02x?}");
    // The answer comes once what is before it is durable.
    let mut other = Raw::connect(gateway.address(), V3, lasting(V3, "other")).await;
    assert_eq!(other.subscribe("other", 2, &[]).await, [2]);
    copy(&live, &state(1));
    cut_behind_mark(&config(&state(1)).queue.directory);
    drop((watcher, other, gateway));

    for (queue, sessions) in [(0, 0), (1, 0), (1, 1)] {
        let what = format!("queue {queue}, sessions {sessions}");
        let cut = cut_between(&state(queue), &state(sessions));
        let ledger = MemoryLedger::default();
        let gateway = start_at_once(config(cut.path()), &ledger).await;
        assert_eq!(received_one(gateway.address()).await, b"1", "{what}");
        ledger.wait_for(&TEMPERATURE, 1).await;
        gateway.shutdown().await.unwrap();
        assert_eq!(ledger.numbers(&TEMPERATURE), [100_000_000], "{what}");
    }
}

/// A client that comes back before its old connection is known to be broken sends what was not
/// acknowledged again, while that is still on its way to the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_its_session_over_doubles_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    for _ in 0..20 {
        let address = gateway.address();
        let mut first = Raw::connect(address, V3, lasting(V3, "writer")).await;
        first.send(&publish(V3, TOPIC, "1", 4, u16::from_be_bytes(ID), &[])).await;
        let mut second = Raw::connect(address, V3, lasting(V3, "writer")).await;
        say(&mut second, V3, 0, true).await;
        say(&mut second, V3, 1, false).await;
    }
    gateway.shutdown().await.unwrap();
    assert_eq!(ledger.numbers(&TEMPERATURE), [100_000_000; 20]);
}
