//! A gateway that ends at any moment loses nothing that it acknowledged, and doubles nothing.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::common::{
    MemoryLedger, PATIENCE, STATE, TEMPERATURE, config, mosquitto, pump, start, start_at_once,
    text, try_start,
};
use althing_edge::ThingSpec;
use althing_gateway::{Handle, StoppedQueue};
use althing_types::{EntityId, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

const TOPIC: &str = "althing/pump/temperature";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_offline_survives_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    ledger.lock().is_offline = true;
    for round in 0..3 {
        for n in 0..3 {
            let value = (round * 3 + n).to_string();
            let args = ["-q", "1", "-t", TOPIC, "-m", &value];
            let output = mosquitto("mosquitto_pub", gateway.address(), &args).await;
            assert!(output.status.success(), "{}", text(&output.stderr));
        }
    }
    let status = gateway.status().await.unwrap().edge;
    assert_eq!((status.readings_queued, status.readings_finalized), (9, 0));
    assert!(status.oldest_ms.is_some());
    drop(gateway);

    // Still offline: it starts, and takes more, since it knows where its streams stand.
    let gateway = start_at_once(config(directory.path()), &ledger).await;
    let output =
        mosquitto("mosquitto_pub", gateway.address(), &["-q", "1", "-t", TOPIC, "-m", "9"]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    drop(gateway);

    ledger.lock().is_offline = false;
    let gateway = start_at_once(config(directory.path()), &ledger).await;
    ledger.wait_for(&TEMPERATURE, 10).await;
    let expected: Vec<i64> = (0..10).map(|n| n * 100_000_000).collect();
    assert_eq!(ledger.numbers(&TEMPERATURE), expected);
    let status = gateway.shutdown().await.unwrap();
    assert_eq!(status.readings_queued, 0);
}

/// Publishes one number after another, up to ten ahead of their acknowledgements, until the
/// connection breaks. Returns the number after the last that was sent; what was acknowledged goes to
/// `acknowledged`.
async fn publish_until_it_breaks(
    address: SocketAddr,
    mut next: i64,
    acknowledged: watch::Sender<Vec<i64>>,
) -> i64 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02me").await.unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, [0x20, 2, 0, 0]);
    loop {
        let ahead: Vec<i64> = (next..next + 10).collect();
        next += 10;
        let publishes: Vec<u8> = ahead.iter().flat_map(|number| publish(*number)).collect();
        if stream.write_all(&publishes).await.is_err() {
            return next;
        }
        for number in ahead {
            if stream.read_exact(&mut answer).await.is_err() {
                return next;
            }
            let id = packet_id(number).to_be_bytes();
            assert_eq!(answer, [0x40, 2, id[0], id[1]]);
            acknowledged.send_modify(|numbers| numbers.push(number));
        }
    }
}

fn packet_id(number: i64) -> u16 {
    u16::try_from(number % 60_000).unwrap() + 1
}

/// A publish of QoS 1 in MQTT 3.1.1.
fn publish(number: i64) -> Vec<u8> {
    let payload = number.to_string();
    let short = |len: usize| u8::try_from(len).unwrap();
    let mut packet = vec![0x32, short(2 + TOPIC.len() + 2 + payload.len()), 0, short(TOPIC.len())];
    packet.extend_from_slice(TOPIC.as_bytes());
    packet.extend_from_slice(&packet_id(number).to_be_bytes());
    packet.extend_from_slice(payload.as_bytes());
    packet
}

#[tokio::test(flavor = "multi_thread")]
async fn crashes_under_load_lose_and_double_nothing_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let (mut acknowledged, mut next) = (Vec::new(), 0_i64);
    for round in 0..6 {
        let gateway = start(config(directory.path()), &ledger).await;
        let (sender, mut receiver) = watch::channel(Vec::new());
        let publisher = tokio::spawn(publish_until_it_breaks(gateway.address(), next, sender));
        // In the middle of ten, and of whatever the gateway does about them.
        let enough = 15 + round * 37;
        let reached = receiver.wait_for(|numbers| numbers.len() >= enough);
        drop(tokio::time::timeout(PATIENCE, reached).await.unwrap().unwrap());
        drop(gateway);
        next = tokio::time::timeout(PATIENCE, publisher).await.unwrap().unwrap();
        acknowledged.extend(receiver.borrow().iter().map(|number| number * 100_000_000));
    }
    let gateway = start(config(directory.path()), &ledger).await;
    let status = gateway.shutdown().await.unwrap();
    assert_eq!(status.readings_queued, 0);
    let numbers = ledger.numbers(&TEMPERATURE);
    // What was sent and not acknowledged may be there, too: once, and in its place.
    assert!(numbers.is_sorted_by(|a, b| a < b), "in order, each once: {numbers:?}");
    let there: BTreeSet<i64> = numbers.into_iter().collect();
    let lost: Vec<&i64> = acknowledged.iter().filter(|number| !there.contains(number)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_that_are_held_do_not_make_the_queue_grow_with_those_that_are_final() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    ledger.lock().unbound.insert(STATE);
    let mut small = config(directory.path());
    small.queue.segment_bytes = 4 * 1024;
    let queue = small.queue.directory.clone();
    let gateway = start(small, &ledger).await;
    let address = gateway.address();
    let args = ["-q", "1", "-t", "althing/pump/state", "-m", "held"];
    let output = mosquitto("mosquitto_pub", address, &args).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    for _ in 0..3 {
        let lines = ["-q", "1", "-t", TOPIC, "-m", "1", "--repeat", "500"];
        let output = mosquitto("mosquitto_pub", address, &lines).await;
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    ledger.wait_for(&TEMPERATURE, 1500).await;
    let entries = std::fs::read_dir(&queue).unwrap();
    let bytes: u64 = entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes < 12 * 4 * 1024, "1500 readings take about 160 kB, but {bytes} bytes are kept");
    let held = gateway.status().await.unwrap().edge.held;
    assert_eq!((held[0].thing.as_str(), held[0].property.as_str()), ("pump", "state"));
    drop(gateway);

    ledger.lock().unbound.clear();
    let gateway = start_at_once(config(directory.path()), &ledger).await;
    ledger.wait_for(&STATE, 1).await;
    gateway.shutdown().await.unwrap();
    assert_eq!(ledger.values(&STATE), [Value::Text("held".into())]);
    assert_eq!(ledger.numbers(&TEMPERATURE).len(), 1500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_refuses_and_loses_nothing_when_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let mut small = config(directory.path());
    // Every write begins a new segment, which fails where there is no directory.
    small.queue.segment_bytes = 1;
    let (queue, away) = (small.queue.directory.clone(), directory.path().join("away"));
    let gateway = start(small, &ledger).await;
    ledger.lock().is_offline = true;
    let publish = async |value: &str| {
        let args = ["-d", "-V", "5", "-q", "1", "-t", TOPIC, "-m", value];
        let output = mosquitto("mosquitto_pub", gateway.address(), &args).await;
        text(&output.stdout) + &text(&output.stderr)
    };
    assert!(publish("1").await.contains("RC:0"));
    std::fs::rename(&queue, &away).unwrap();
    for value in ["2", "3"] {
        let said = publish(value).await;
        assert!(!said.contains("PUBACK"), "{said}");
    }
    let why = gateway.status().await.unwrap().disk_failure.unwrap();
    assert!(why.contains("failed to "), "{why}");
    std::fs::create_dir(&queue).unwrap();
    let gone = async {
        while !gateway.status().await.unwrap().disk_failure.unwrap().contains("is its disk mounted")
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
    std::fs::remove_dir_all(&queue).unwrap();
    std::fs::rename(&away, &queue).unwrap();
    let back = async {
        while gateway.status().await.unwrap().disk_failure.is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, back).await.unwrap();
    assert!(publish("4").await.contains("RC:0"));
    ledger.lock().is_offline = false;
    ledger.wait_for(&TEMPERATURE, 2).await;
    assert_eq!(ledger.numbers(&TEMPERATURE), [100_000_000, 400_000_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_on_the_same_queue_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let _gateway = start(config(directory.path()), &ledger).await;
    let error = try_start(config(directory.path()), &ledger).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("is in use by another gateway"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_makes_no_sense_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    for (field, mend) in [
        ("inflight_max", (|c| c.mqtt.inflight_max = 0) as fn(&mut althing_gateway::Config)),
        ("sessions_max", |c| c.mqtt.sessions_max = 0),
        ("payload_bytes_max", |c| c.edge.limits.payload_bytes_max = 65 * 1024),
        ("batch_readings_max", |c| c.edge.limits.batch_readings_max = 0),
        ("retry_max_ms", |c| c.edge.limits.retry_max_ms = 1),
    ] {
        let mut config = config(directory.path());
        mend(&mut config);
        let error = try_start(config, &ledger).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.starts_with(&format!("limit `{field}` is ")), "{cause}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let mut second = config(&directory.path().join("second"));
    second.mqtt.listen = gateway.address();
    let error = try_start(second, &ledger).await.unwrap_err();
    assert!(error.to_string().contains("is another program using it?"), "{error}");
}

/// Devices come back at once when a gateway has restarted, and its peers perhaps later. It once
/// acknowledged their readings without taking them: it did not know its things any more.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_without_a_peer_the_same_things_are_served_and_no_reading_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let publish = async |gateway: &Handle, version: &str, topic: &str, value: &str| {
        let args = ["-V", version, "-q", "1", "-t", topic, "-m", value];
        mosquitto("mosquitto_pub", gateway.address(), &args).await.status.success()
    };
    // It has never heard of any thing: what is not acknowledged the device sends again.
    ledger.lock().is_offline = true;
    let gateway = start_at_once(config(directory.path()), &ledger).await;
    for version in ["311", "5"] {
        assert!(!publish(&gateway, version, TOPIC, "0").await, "{version}");
    }
    drop(gateway);
    ledger.lock().is_offline = false;
    let gateway = start(config(directory.path()), &ledger).await;
    assert!(publish(&gateway, "311", TOPIC, "1").await);
    ledger.wait_for(&TEMPERATURE, 1).await;
    ledger.lock().is_offline = true;
    drop(gateway);

    let gateway = start_at_once(config(directory.path()), &ledger).await;
    for version in ["311", "5"] {
        assert!(publish(&gateway, version, TOPIC, "2").await, "{version}");
        assert!(!publish(&gateway, version, "althing/fan/speed", "2").await, "{version}: new?");
    }
    ledger.lock().is_offline = false;
    ledger.wait_for(&TEMPERATURE, 3).await;
    gateway.serve_only(vec![]).await.unwrap();
    gateway.status().await.unwrap();
    assert!(
        publish(&gateway, "311", TOPIC, "3").await,
        "refused for good: acknowledged and logged"
    );
    gateway.shutdown().await.unwrap();
    assert_eq!(ledger.numbers(&TEMPERATURE), [100_000_000, 200_000_000, 200_000_000]);

    // What is served no more is so after a restart, too, and so is what its operator took out.
    let gateway = start_at_once(config(directory.path()), &ledger).await;
    assert!(!publish(&gateway, "311", TOPIC, "4").await);
    gateway.serve(pump()).await.unwrap();
    gateway.shutdown().await.unwrap();
    let mut strict = config(directory.path());
    strict.owners = vec![EntityId([9; 32])];
    let gateway = start_at_once(strict, &ledger).await;
    assert!(!publish(&gateway, "311", TOPIC, "5").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn things_of_owners_that_are_not_named_are_not_served() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let theirs = ThingSpec { name: "fan".into(), owner: EntityId([6; 32]), ..pump() };
    let publish = async || {
        let args = ["-d", "-V", "5", "-q", "1", "-t", "althing/fan/temperature", "-m", "1"];
        let output = mosquitto("mosquitto_pub", gateway.address(), &args).await;
        text(&output.stdout) + &text(&output.stderr)
    };
    gateway.serve(theirs.clone()).await.unwrap();
    gateway.status().await.unwrap();
    assert!(publish().await.contains("RC:135"));
    gateway.serve_only(vec![theirs, pump()]).await.unwrap();
    gateway.status().await.unwrap();
    assert!(publish().await.contains("RC:135"));
}

/// Readings that the ledger never takes once stayed for ever, and nobody could get them out.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_takes_out_what_the_ledger_never_takes_and_the_rest_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    ledger.lock().unbound.insert(STATE);
    let mut patient = config(directory.path());
    // A shutdown must not wait for what only people can mend.
    patient.drain_timeout = PATIENCE * 100;
    let gateway = start(patient.clone(), &ledger).await;
    let publish = async |gateway: &Handle, topic: &str, value: &str| {
        let args = ["-q", "1", "-t", topic, "-m", value];
        mosquitto("mosquitto_pub", gateway.address(), &args).await.status.success()
    };
    assert!(publish(&gateway, "althing/pump/state", "one").await);
    let held = async {
        while gateway.status().await.unwrap().edge.held.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, held).await.unwrap();
    assert!(!publish(&gateway, "althing/pump/state", "two").await, "the device keeps it");
    assert!(publish(&gateway, TOPIC, "1").await);
    assert!(StoppedQueue::open(&patient).is_err(), "it runs");
    let status = gateway.shutdown().await.unwrap();
    assert_eq!(status.readings_queued, 1);

    // The queue's thread frees the lock a moment after the gateway has ended.
    let mut opened = StoppedQueue::open(&patient);
    while opened.is_err() {
        tokio::task::yield_now().await;
        opened = StoppedQueue::open(&patient);
    }
    let mut queue = opened.unwrap();
    let waiting = &queue.waiting()[&STATE];
    assert_eq!((waiting.len(), waiting[0].seq), (1, 0));
    assert_eq!(waiting[0].reading.value, Value::Text("one".into()));
    let (thing, stream) = queue.of_stream(&STATE).unwrap();
    assert_eq!((thing.name.as_str(), stream.property.as_str()), ("pump", "state"));
    queue.remove(&STATE).unwrap();
    assert!(queue.waiting().is_empty());
    drop(queue);

    ledger.lock().unbound.clear();
    let gateway = start_at_once(patient, &ledger).await;
    assert!(publish(&gateway, "althing/pump/state", "three").await);
    ledger.wait_for(&STATE, 1).await;
    assert_eq!(gateway.shutdown().await.unwrap().readings_queued, 0);
    assert_eq!(ledger.values(&STATE), [Value::Text("three".into())]);
    assert_eq!(ledger.lock().batches[&STATE][0].0.first_seq, 1, "a gap, and no number twice");
}
