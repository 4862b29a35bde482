//! A gateway that ends at any moment loses nothing that it acknowledged, and doubles nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use althing_types::Value;
use common::{
    MemoryLedger, PATIENCE, STATE, TEMPERATURE, config, mosquitto, start, start_at_once, text,
    try_start,
};

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

#[tokio::test(flavor = "multi_thread")]
async fn crashes_under_load_lose_and_double_nothing_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let mut acknowledged = Vec::new();
    let mut next = 0_i64;
    for round in 0..5 {
        let gateway = start(config(directory.path()), &ledger).await;
        // One client publishes values one after another until its gateway is gone.
        for _ in 0..20 + round * 7 {
            let value = next.to_string();
            let args = ["-V", "5", "-q", "1", "-t", TOPIC, "-m", &value];
            let output = mosquitto("mosquitto_pub", gateway.address(), &args).await;
            if output.status.success() {
                acknowledged.push(next * 100_000_000);
            }
            next += 1;
        }
        drop(gateway);
    }
    let gateway = start(config(directory.path()), &ledger).await;
    gateway.shutdown().await.unwrap();
    let mut numbers = ledger.numbers(&TEMPERATURE);
    assert_eq!(numbers, acknowledged, "in order, each once");
    numbers.dedup();
    assert_eq!(numbers.len(), acknowledged.len());
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
        ("deliveries_max", |c| c.mqtt.deliveries_max = 0),
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
