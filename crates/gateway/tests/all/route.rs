//! What the gateway itself says to devices, and what it hears from them that is no reading.

use crate::common::{MemoryLedger, PATIENCE, config, mosquitto, spawn_mosquitto, start, text};
use althing_edge::Rejection;
use althing_gateway::{Delivered, Qos, RouteError};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_reaches_its_device_and_the_answer_is_acknowledged_when_it_was_settled() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = start(config(directory.path()), &MemoryLedger::default()).await;
    let mut answers = gateway.route("commands/+/answer").unwrap();
    assert_eq!(gateway.route("commands/#/answer").unwrap_err(), RouteError::TopicFilter);

    let args = ["-V", "5", "-q", "1", "-t", "commands/pump"];
    let mut device = spawn_mosquitto("mosquitto_sub", gateway.address(), &args);
    let mut lines = BufReader::new(device.stdout.take().unwrap()).lines();
    let publish = || gateway.publish("commands/pump", b"stop".to_vec(), Qos::AtLeastOnce, false);
    let delivered = async {
        while publish().unwrap() != (Delivered { now: 1, queued: 0 }) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, delivered).await.unwrap();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("stop"));

    let unknown = || Rejection::UnknownThing { thing: "pump".into() };
    for (settled, expected) in [(Ok(()), "RC:0"), (Err(unknown()), "RC:135")] {
        let args = ["-V", "5", "-q", "1", "-t", "commands/pump/answer", "-m", "done", "-d"];
        let device = tokio::spawn({
            let address = gateway.address();
            async move { mosquitto("mosquitto_pub", address, &args).await }
        });
        let routed = answers.recv().await.unwrap();
        assert_eq!(
            (&routed.topic[..], &routed.payload[..]),
            ("commands/pump/answer", &b"done"[..])
        );
        assert!(!device.is_finished(), "it waits for the answer");
        routed.settle(settled);
        let output = device.await.unwrap();
        let said = text(&[output.stdout, output.stderr].concat());
        assert!(said.contains(expected), "{said}");
    }
}
