//! HTTP for devices: tokens, signed packs, and what is refused.

use std::net::SocketAddr;
use std::time::Duration;

use crate::common::{
    MemoryLedger, PATIENCE, SIGNED, TEMPERATURE, config, pump, signing_fan, start,
};
use althing_edge::DeviceSpec;
use althing_gateway::coap::{Anonymous, Device};
use althing_gateway::http::{Http, HttpConfig};
use althing_types::{EntityId, LedgerId, Pack, PackBody, SigningKey, StreamId, Suite, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

fn http_config() -> HttpConfig {
    HttpConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        devices: vec![Device {
            name: "pump-7".into(),
            secret: b"token".to_vec(),
            topics: vec!["althing/pump/#".into()],
        }],
        anonymous: Anonymous::Signed,
        body_bytes_max: 4096,
        connections_max: 16,
        read_timeout: Duration::from_secs(5),
        connection_timeout: Duration::from_secs(20),
    }
}

/// Sends a request; the status, and the answer as text.
async fn ask(address: SocketAddr, head: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "{head}\r\nHost: gateway\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    let mut answer = Vec::new();
    // The server may close before it has read all that it refuses.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or(0), answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_with_its_token_posts_and_reads_and_others_do_not() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let http = Http::start(http_config(), &gateway).await.unwrap();
    let path = "/althing/pump/temperature HTTP/1.1\r\nAuthorization: Bearer";
    let long = vec![b'1'; 5000];
    for (what, head, body, expected) in [
        ("good", format!("POST {path} token"), &b"21.5"[..], 204),
        ("SenML", format!("POST {path} token"), br#"[{"v":22},{"v":23}]"#, 204),
        ("latest", format!("GET {path} token"), b"", 200),
        ("wrong token", format!("POST {path} nekot"), b"1", 401),
        ("no token", "POST /althing/pump/temperature HTTP/1.1".to_owned(), b"1", 401),
        (
            "elsewhere",
            "POST /althing/fan/t HTTP/1.1\r\nAuthorization: Bearer token".into(),
            b"1",
            403,
        ),
        ("no number", format!("POST {path} token"), b"hot", 422),
        ("too long", format!("POST {path} token"), &long, 413),
        ("a wildcard", "POST /althing/%23 HTTP/1.1".into(), b"1", 404),
        ("another method", format!("DELETE {path} token"), b"", 405),
    ] {
        let (status, answer) = ask(http.address(), &head, body).await;
        assert_eq!(status, expected, "{what}: {answer}");
        assert!(what != "latest" || answer.contains(r#""v":23.00000000"#), "{answer}");
    }
    ledger.wait_for(&TEMPERATURE, 3).await;
    assert_eq!(ledger.numbers(&TEMPERATURE), [2_150_000_000, 2_200_000_000, 2_300_000_000]);
}

/// The signature of the thing's device is all the proof that is needed, whatever the transport.
#[tokio::test(flavor = "multi_thread")]
async fn a_signed_pack_needs_no_token_and_reaches_the_ledger_unaltered() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let key = SigningKey::from_secret(Suite::Ed25519, [3; 32]).unwrap();
    let device = DeviceSpec { id: EntityId([9; 32]), key: Some(key.public_key()) };
    gateway.serve_only(vec![pump(), signing_fan(device)]).await.unwrap();
    let ready = async {
        while gateway.status().await.unwrap().edge.streams_ready < 4 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, ready).await.unwrap();
    let http = Http::start(http_config(), &gateway).await.unwrap();
    let pack = |first_seq, stream| {
        let body = PackBody {
            signer: EntityId([9; 32]),
            first_seq,
            previous: None,
            name: "temperature".into(),
            base_ms: None,
            scale: 8,
            readings: vec![(0, Value::Number(7))],
        };
        Pack::sign(&LedgerId([7; 32]), &stream, body, &key)
    };
    let good = pack(0, SIGNED);
    for (what, bytes, expected) in [
        ("signed", good.wire(), 204),
        ("once more", good.wire(), 204),
        ("for another stream", pack(1, StreamId([5; 32])).wire(), 403),
        ("unsigned", b"7", 401),
    ] {
        let head = "POST /althing/fan/temperature HTTP/1.1";
        let (status, answer) = ask(http.address(), head, bytes).await;
        assert_eq!(status, expected, "{what}: {answer}");
    }
    ledger.wait_for(&SIGNED, 1).await;
    assert_eq!(ledger.numbers(&SIGNED), [7]);
}
