//! A gateway that ends at any moment loses nothing that it acknowledged, and doubles nothing.

mod common;

use common::{MemoryLedger, PATIENCE, TEMPERATURE, config, mosquitto, start, start_at_once, text};

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
    let gateway = restart(directory.path(), &ledger).await;
    let output =
        mosquitto("mosquitto_pub", gateway.address(), &["-q", "1", "-t", TOPIC, "-m", "9"]).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    drop(gateway);

    ledger.lock().is_offline = false;
    let gateway = restart(directory.path(), &ledger).await;
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
async fn a_second_gateway_on_the_same_queue_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let _gateway = start(config(directory.path()), &ledger).await;
    let key = althing_types::SigningKey::from_secret(althing_types::Suite::Ed25519, [9; 32]);
    let second = config(directory.path());
    let signer = althing_gateway::KeySigner::new(second.edge.ledger, key.unwrap());
    let error = althing_gateway::Gateway::start(second, ledger, signer).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("is in use by another gateway"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let mut second = config(&directory.path().join("second"));
    second.mqtt.listen = gateway.address();
    let key = althing_types::SigningKey::from_secret(althing_types::Suite::Ed25519, [9; 32]);
    let signer = althing_gateway::KeySigner::new(second.edge.ledger, key.unwrap());
    let error = althing_gateway::Gateway::start(second, ledger, signer).await.unwrap_err();
    assert!(error.to_string().contains("is another program using it?"), "{error}");
}

/// Starts again; the lock of a gateway that was dropped is freed a moment later.
async fn restart(directory: &std::path::Path, ledger: &MemoryLedger) -> althing_gateway::Handle {
    tokio::time::timeout(PATIENCE, start_at_once(config(directory), ledger)).await.unwrap()
}
