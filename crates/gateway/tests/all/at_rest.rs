//! What a gateway keeps on its disk, seen by whoever has the disk and not the key.

use std::path::Path;

use althing_edge::{AtRest, DiskKey};
use althing_gateway::{Config, StartError};
use althing_types::Value;

use crate::common::raw::{Hello, Raw, V3};
use crate::common::{MemoryLedger, STATE, config, start, start_at_once, try_start};

const TOPIC: &str = "althing/pump/state";

fn keyed(directory: &Path, secret: u8, seals: bool) -> Config {
    let mut config = config(directory);
    config.queue.key = DiskKey::new(AtRest::derive(&[secret; 32]), seals);
    config
}

/// Whether the bytes are in any file of a folder.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            return holds(&entry.path(), bytes);
        }
        let all = std::fs::read(entry.path()).unwrap();
        all.windows(bytes.len()).any(|window| window == bytes)
    })
}

/// Has a reading waiting for the ledger, which is offline, and for a subscriber who is away, and retained.
async fn leave(config: Config, ledger: &MemoryLedger, text: &str, is_first: bool) {
    let gateway = start(config, ledger).await;
    ledger.lock().is_offline = true;
    if is_first {
        let away = Hello { is_clean: false, ..Hello::new("away") };
        let mut subscriber = Raw::connect(gateway.address(), V3, away).await;
        assert_eq!(subscriber.subscribe(TOPIC, 1, &[]).await, [1]);
        subscriber.goodbye().await;
    }
    let mut device = Raw::connect(gateway.address(), V3, Hello::new("device")).await;
    device.publish(TOPIC, text, 3, &[]).await;
    // The next answer comes when the message that waits is on disk, too.
    device.publish("relay/a", "-", 3, &[]).await;
    drop(gateway);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_keeps_is_on_disk_in_no_readable_form_and_old_readings_stay_readable() {
    let directory = tempfile::tempdir().unwrap();
    let (plain, secret) = ("thirty degrees in the cellar", "nobody is at home this week");
    let ledger = MemoryLedger::default();
    leave(keyed(directory.path(), 1, false), &ledger, plain, true).await;
    assert!(holds(directory.path(), plain.as_bytes()), "the test can find what is there");
    ledger.lock().is_offline = false;
    leave(keyed(directory.path(), 1, true), &ledger, secret, false).await;
    assert!(!holds(directory.path(), secret.as_bytes()));

    // With another key, or none, nothing is forgotten: it does not start.
    for wrong in [keyed(directory.path(), 2, true), config(directory.path())] {
        let refused = async {
            loop {
                match try_start(wrong.clone(), &ledger).await {
                    Err(StartError::Queue(error)) if error.to_string().contains("in use") => {
                        tokio::task::yield_now().await;
                    }
                    other => return other.map(drop).unwrap_err(),
                }
            }
        };
        let refused = tokio::time::timeout(crate::common::PATIENCE, refused).await.unwrap();
        let cause = std::error::Error::source(&refused).unwrap().to_string();
        assert!(cause.contains("encrypted with another key"), "{cause}");
    }

    // Whether it encrypts or not, it reads both; and the subscriber gets what waited.
    ledger.lock().is_offline = false;
    let gateway = start_at_once(keyed(directory.path(), 1, false), &ledger).await;
    ledger.wait_for(&STATE, 2).await;
    assert_eq!(ledger.values(&STATE), [plain, secret].map(|text| Value::Text(text.into())));
    let away = Hello { is_clean: false, ..Hello::new("away") };
    let mut subscriber = Raw::connect(gateway.address(), V3, away).await;
    for text in [plain, secret] {
        let read = subscriber.read().await.unwrap();
        assert!(read.ends_with(text.as_bytes()), "{read:02x?} and not {text}");
    }
    gateway.shutdown().await.unwrap();
}
