//! Unmodified clients of the Mosquitto project against the gateway.

use crate::common::{
    MemoryLedger, PATIENCE, RUNNING, STATE, TEMPERATURE, config, mosquitto, spawn_mosquitto, start,
    text,
};
use althing_gateway::RefusalV3;
use althing_types::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const VERSIONS: [&str; 2] = ["311", "5"];

#[tokio::test(flavor = "multi_thread")]
async fn publishes_of_every_version_qos_and_form_become_readings() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let senml = r#"[{"bn":"urn:dev:pump:","bu":"Cel","n":"temperature","v":40.5},
        {"n":"temperature","v":41,"t":-1}]"#;
    let mut expected = Vec::new();
    for version in VERSIONS {
        for qos in ["0", "1", "2"] {
            for (payload, mantissas) in [
                ("73.96732207", &[7_396_732_207][..]),
                (r#"{"value": -1.5, "time": "2013-12-02T21:15:00Z"}"#, &[-150_000_000]),
                (senml, &[4_050_000_000, 4_100_000_000]),
            ] {
                let args =
                    ["-V", version, "-q", qos, "-t", "althing/pump/temperature", "-m", payload];
                let output = mosquitto("mosquitto_pub", gateway.address(), &args).await;
                assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
                expected.extend_from_slice(mantissas);
                ledger.wait_for(&TEMPERATURE, expected.len()).await;
            }
        }
    }
    assert_eq!(ledger.numbers(&TEMPERATURE), expected);
    let status = gateway.shutdown().await.unwrap();
    assert_eq!((status.readings_queued, status.readings_finalized), (0, 24));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_pack_may_fill_several_streams() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let pack = r#"[{"n":"temperature","u":"Cel","v":21.25},{"n":"running","vb":true},
        {"n":"state","vs":"warm"}]"#;
    let args = ["-q", "1", "-t", "althing/pump", "-m", pack];
    let output = mosquitto("mosquitto_pub", gateway.address(), &args).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    ledger.wait_for(&STATE, 1).await;
    ledger.wait_for(&RUNNING, 1).await;
    ledger.wait_for(&TEMPERATURE, 1).await;
    assert_eq!(ledger.numbers(&TEMPERATURE), [2_125_000_000]);
    assert_eq!(ledger.values(&RUNNING), [Value::Bool(true)]);
    assert_eq!(ledger.values(&STATE), [Value::Text("warm".into())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_lines_of_one_client_arrive_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let lines = directory.path().join("lines");
    let numbers: Vec<i64> = (0..2000).collect();
    std::fs::write(&lines, numbers.iter().map(|n| format!("{n}\n")).collect::<String>()).unwrap();
    let (address, port) = (gateway.address().ip(), gateway.address().port());
    let command = format!(
        "mosquitto_pub -h {address} -p {port} -q 1 -t althing/pump/temperature -l < {}",
        lines.display()
    );
    let output = tokio::process::Command::new("sh").args(["-c", &command]).output().await.unwrap();
    assert!(
        output.status.success(),
        "{} (install it: apt-get install mosquitto-clients)",
        text(&output.stderr)
    );
    ledger.wait_for(&TEMPERATURE, numbers.len()).await;
    let expected: Vec<i64> = numbers.iter().map(|n| n * 100_000_000).collect();
    assert_eq!(ledger.numbers(&TEMPERATURE), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_get_what_is_published_and_what_is_retained() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let address = gateway.address();
    let publish = async |payload: &str, more: &[&str]| {
        let args = [&["-q", "1", "-t", "althing/pump/temperature", "-m", payload], more].concat();
        let output = mosquitto("mosquitto_pub", address, &args).await;
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    publish("1", &["-r"]).await;
    for version in VERSIONS {
        for qos in ["0", "1", "2"] {
            let args = ["-V", version, "-q", qos, "-t", "althing/+/temperature", "-C", "2", "-v"];
            let mut subscriber = spawn_mosquitto("mosquitto_sub", address, &args);
            let mut lines = BufReader::new(subscriber.stdout.take().unwrap()).lines();
            let retained = lines.next_line().await.unwrap();
            assert_eq!(retained.as_deref(), Some("althing/pump/temperature 1"), "{args:?}");
            publish("2", &["-V", version]).await;
            let live = lines.next_line().await.unwrap();
            assert_eq!(live.as_deref(), Some("althing/pump/temperature 2"), "{args:?}");
            assert!(subscriber.wait().await.unwrap().success());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_why_in_version_5_and_is_acknowledged_in_3_1_1() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    for (topic, payload, reason) in [
        ("althing/fan/temperature", "1", "135"),
        ("elsewhere", "1", "144"),
        ("althing/pump/pressure", "1", "144"),
        ("althing/pump/temperature", "hot", "153"),
        ("althing/pump/temperature", r#"[{"u":"K","v":1}]"#, "153"),
    ] {
        let args = ["-d", "-V", "5", "-q", "1", "-t", topic, "-m", payload];
        let output = mosquitto("mosquitto_pub", gateway.address(), &args).await;
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains(&format!("RC:{reason}")), "{args:?}: {said}");
        let args = ["-V", "311", "-q", "1", "-t", topic, "-m", payload];
        let output = mosquitto("mosquitto_pub", gateway.address(), &args).await;
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    }
    let refused = gateway.status().await.unwrap().edge.publishes_refused;
    let expected = [
        ("no_profile", 2),
        ("schema_mismatch", 2),
        ("unit_mismatch", 2),
        ("unknown_stream", 2),
        ("unknown_thing", 2),
    ];
    assert_eq!(refused.into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(ledger.values(&TEMPERATURE), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_will_is_published_when_a_client_is_gone_without_goodbye() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let address = gateway.address();
    let will = ["-t", "x", "--will-topic", "althing/pump/state", "--will-payload", "gone"];
    let will = [&will[..], &["--will-retain", "--will-qos", "1"]].concat();
    let mut client = spawn_mosquitto("mosquitto_sub", address, &will);
    let connected = async {
        while gateway.status().await.unwrap().clients == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, connected).await.unwrap();
    client.kill().await.unwrap();
    ledger.wait_for(&STATE, 1).await;
    assert_eq!(ledger.values(&STATE), [Value::Text("gone".into())]);
    let args = ["-t", "althing/pump/state", "-C", "1"];
    let output = mosquitto("mosquitto_sub", address, &args).await;
    assert_eq!(text(&output.stdout), "gone\n", "it is retained");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_3_1_1_a_refusal_may_close_the_connection() {
    for (what, topic, refusal_v3, is_acknowledged) in [
        ("never to be taken", "elsewhere", RefusalV3::AcknowledgeAndLog, true),
        ("never to be taken", "elsewhere", RefusalV3::Close, false),
        ("to be taken later", "althing/pump/state", RefusalV3::AcknowledgeAndLog, false),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let ledger = MemoryLedger::default();
        let mut config = config(directory.path());
        config.mqtt.refusal_v3 = refusal_v3;
        config.edge.limits.stream_readings_max = 1;
        let gateway = start(config, &ledger).await;
        ledger.lock().is_offline = true;
        let args = ["-q", "1", "-t", "althing/pump/state", "-m", "fills the queue"];
        let output = mosquitto("mosquitto_pub", gateway.address(), &args).await;
        assert!(output.status.success(), "{}", text(&output.stderr));

        let mut bytes = b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02me".to_vec();
        let (remaining, len) = (topic.len() + 5, topic.len());
        bytes.extend([0x32, u8::try_from(remaining).unwrap(), 0, u8::try_from(len).unwrap()]);
        bytes.extend_from_slice(topic.as_bytes());
        bytes.extend_from_slice(b"\0\x01x");
        let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut answer = vec![0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, b"\x20\x02\0\0");
        let mut puback = vec![0; 4];
        let read = tokio::time::timeout(PATIENCE, stream.read_exact(&mut puback)).await.unwrap();
        assert_eq!(read.is_ok(), is_acknowledged, "{what}, {refusal_v3:?}");
    }
}
