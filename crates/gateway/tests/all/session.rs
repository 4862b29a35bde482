//! What outlives connections, and the gateway itself.

use crate::common::raw::{Hello, Raw, V3, V5, packet, publish};
use crate::common::{MemoryLedger, PATIENCE, config, mosquitto, start, start_at_once, text};

/// A gateway is ended as by a crash: what it acknowledged must be there afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_and_what_is_retained_survive_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let sleep = ["-i", "sleeper", "-c", "-q", "2", "-t", "relay/+", "-E"];
    for (version, id) in [("311", "sleeper"), ("5", "sleeper5")] {
        let more = if version == "5" { &["-x", "1000"][..] } else { &[] };
        let args = [&["-V", version][..], &sleep, &["-i", id], more].concat();
        let output = mosquitto("mosquitto_sub", gateway.address(), &args).await;
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    for (payload, qos) in [("1", "1"), ("2", "2"), ("3", "1")] {
        let args = ["-q", qos, "-t", "relay/a", "-m", payload];
        let output = mosquitto("mosquitto_pub", gateway.address(), &args).await;
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let args = ["-q", "1", "-r", "-t", "relay/kept", "-m", "kept"];
    assert!(mosquitto("mosquitto_pub", gateway.address(), &args).await.status.success());
    // A message of quality 2 that was taken and not released.
    let lasting = Hello { is_clean: false, ..Hello::new("writer") };
    let mut writer = Raw::connect(gateway.address(), V3, lasting).await;
    writer.send(&publish(V3, "relay/once", "once", 4, 5, &[])).await;
    writer.expect("pubrec", &packet(0x50, &[0, 5])).await;
    drop(gateway);

    // The rest of the crashed gateway's store is freed a moment later.
    let gateway = start_at_once(config(directory.path()), &ledger).await;
    assert_eq!(gateway.status().await.unwrap().sessions, 3);
    let (mut writer, connack) = Raw::enter(gateway.address(), V3, lasting).await;
    assert_eq!(connack, [0x20, 2, 1, 0]);
    writer.send(&publish(V3, "relay/once", "once", 12, 5, &[])).await;
    writer.expect("pubrec", &packet(0x50, &[0, 5])).await;
    writer.send(&packet(0x62, &[0, 5])).await;
    writer.expect("pubcomp", &packet(0x70, &[0, 5])).await;
    for (version, id) in [("311", "sleeper"), ("5", "sleeper5")] {
        let more = if version == "5" { &["-x", "1000"][..] } else { &[] };
        let args = ["-V", version, "-i", id, "-c", "-q", "2", "-t", "nothing", "-C", "5"];
        let args = [&args[..], more].concat();
        let output = mosquitto("mosquitto_sub", gateway.address(), &args).await;
        // The client shows those of quality 2 when they are released.
        let said = text(&output.stdout);
        let mut lines: Vec<&str> = said.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["1", "2", "3", "kept", "once"], "{version}");
    }
    let output = mosquitto("mosquitto_sub", gateway.address(), &["-t", "relay/#", "-C", "1"]).await;
    assert_eq!(text(&output.stdout), "kept\n");
    gateway.shutdown().await.unwrap();
}

/// Clients that went and left sessions for ever, each with as much waiting as it may: what does not
/// fit is dropped, and who is there does not notice.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_left_behind_take_no_more_than_their_bound() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.mqtt.sessions_max = 12;
    config.mqtt.queue_bytes_max = 2048;
    config.mqtt.queues_bytes_max = 8192;
    let gateway = start(config, &MemoryLedger::default()).await;
    let address = gateway.address();
    let mut witness = Raw::connect(address, V5, Hello::new("witness")).await;
    let mut turned_away = 0;
    for number in 0..20 {
        let id = format!("idle-{number}");
        let hello =
            Hello { is_clean: false, properties: b"\x11\xff\xff\xff\xff", ..Hello::new(&id) };
        let (mut raw, connack) = Raw::enter(address, V5, hello).await;
        match connack[3] {
            0 => assert_eq!(raw.subscribe("relay/#", 1, &[]).await, [1]),
            code => {
                assert_eq!(code, 0x97);
                turned_away += 1;
            }
        }
    }
    assert_eq!(turned_away, 9, "the witness has a session, too");
    let gone = async {
        while gateway.status().await.unwrap().clients > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
    for _ in 0..100 {
        witness.publish("relay/flood", &"x".repeat(100), 2, &[]).await;
    }
    let status = gateway.status().await.unwrap();
    assert_eq!(status.sessions, 12);
    assert!(status.deliveries_dropped > 1000, "{}", status.deliveries_dropped);
    witness.expect_nothing("it goes on").await;
}
