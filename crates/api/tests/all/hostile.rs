//! Hostile requests: each gets a problem with a stable code, none a 500, and the peer goes on.

use std::time::Duration;

use althing_api::Config;
use althing_client::submission::REQUEST_BYTES_MAX;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use crate::support::{PATIENCE, with_peer};

const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// Sends bytes as they are and returns the status and the body.
async fn raw(address: &str, request: &[u8]) -> (u16, String) {
    let (status, text) = whole(address, request).await;
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status, body)
}

/// Sends bytes as they are and returns the status and all of the answer.
async fn whole(address: &str, request: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    // The server may answer and close before all is sent.
    let _ = writer.write_all(request).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(20), reader.read_to_end(&mut answer)).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (status, text)
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").into_bytes()
}

fn post(form: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /v1/transactions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: {form}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn with_header(header: &str) -> Vec<u8> {
    format!("GET /v1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}\r\n\r\n").into()
}

#[test]
fn hostile_requests_get_a_problem_with_a_stable_code() {
    let nested_cbor = vec![0x81; 1_000_000];
    let nested_json = b"[".repeat(1_000_000);
    let long = vec![0; REQUEST_BYTES_MAX + 1];
    let table: Vec<(String, Vec<u8>, u16, &str)> = [
        // Paths and ids.
        ("/nowhere", 404, "unknown_route"),
        ("/v1/../../etc/passwd", 404, "unknown_route"),
        ("/v1/things/..%2f..%2fetc%2fpasswd", 400, "invalid_path"),
        ("/v1/things/%00", 400, "invalid_path"),
        ("/v1/things/%ff%fe", 400, "invalid_path"),
        ("/v1/entities/did:web:example.org", 400, "invalid_path"),
        ("/v1/entities/did:althing:other:4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi", 404, "wrong_network"),
        ("/v1/dids/not-a-did", 400, "invalid_path"),
        (&format!("/v1/things/{HEX}"), 404, "unknown_thing"),
        (&format!("/v1/entities/{HEX}"), 404, "unknown_entity"),
        (&format!("/v1/dids/{HEX}"), 404, "unknown_did"),
        (&format!("/v1/streams/{HEX}"), 404, "unknown_stream"),
        (&format!("/v1/streams/{HEX}0/readings"), 400, "invalid_path"),
        (&format!("/v1/transactions/{HEX}"), 404, "unknown_transaction"),
        ("/v1/transactions/xyz", 400, "invalid_path"),
        ("/v1/blocks/18446744073709551615", 404, "unknown_block"),
        ("/v1/blocks/18446744073709551616", 400, "invalid_path"),
        ("/v1/blocks/-1", 400, "invalid_path"),
        (&format!("/v1/proofs/readings/{HEX}/-1"), 400, "invalid_path"),
        (&format!("/v1/proofs/readings/{HEX}/0"), 404, "unknown_stream"),
        (&format!("/v1/proofs/receipts/{HEX}"), 404, "unknown_transaction"),
        ("/v1/proofs/state/zz", 400, "invalid_path"),
        (&format!("/v1/proofs/state/{}", "00".repeat(321)), 400, "invalid_path"),
        // Parameters.
        ("/v1/things?limit=-1", 400, "invalid_query"),
        ("/v1/things?limit=0", 400, "invalid_query"),
        ("/v1/things?limit=99999999999999999999", 400, "invalid_query"),
        ("/v1/things?limit=201", 400, "invalid_query"),
        ("/v1/things?limit=1&limit=2", 400, "invalid_query"),
        ("/v1/things?colour=red", 400, "invalid_query"),
        ("/v1/things?owner=me", 400, "invalid_query"),
        ("/v1/things?after=zz", 400, "invalid_cursor"),
        ("/v1/things?after=00", 400, "invalid_cursor"),
        (&format!("/v1/things?after={}", "6e".repeat(5000)), 400, "invalid_cursor"),
        ("/v1/entities?kind=king", 400, "invalid_query"),
        ("/v1/blocks?before=soon", 400, "invalid_query"),
        (&format!("/v1/streams/{HEX}/readings?from=noon"), 400, "invalid_query"),
        (&format!("/v1/streams/{HEX}/readings?after=x"), 400, "invalid_cursor"),
        (&format!("/v1/streams/{HEX}/aggregates?bucket_ms=0"), 400, "invalid_query"),
        (&format!("/v1/streams/{HEX}/aggregates?buckets=2001"), 400, "invalid_query"),
        (&format!("/v1/streams/{HEX}/aggregates?buckets=5&bucket_ms=5"), 400, "invalid_query"),
        (&format!("/v1/proofs/ranges/{HEX}?first_seq=5&last_seq=4"), 400, "invalid_query"),
        (&format!("/v1/proofs/ranges/{HEX}?first_seq=5&from=4"), 400, "invalid_query"),
        (&format!("/v1/transactions/{HEX}?timeout_ms=1"), 400, "invalid_query"),
        (&format!("/v1/transactions/{HEX}?wait=finalized&timeout_ms=99999999"), 400, "invalid_query"),
        (&format!("/v1/transactions/{HEX}?wait=forever"), 400, "invalid_query"),
        ("/v1/events?after=1-2", 400, "invalid_query"),
        ("/v1/events?stream=x", 400, "invalid_query"),
        ("/v1/things?name=%0d%0aset-cookie:%20a=b&limit=x", 400, "invalid_query"),
    ]
    .into_iter()
    .map(|(path, status, code)| (path.to_owned(), get(path), status, code))
    .chain(
        [
            ("body too long", post("application/cbor", &long), 413, "body_too_large"),
            ("nested cbor", post("application/cbor", &nested_cbor), 400, "invalid_body"),
            ("nested json", post("application/json", &nested_json), 415, "unsupported_media_type"),
            ("empty cbor", post("application/cbor", b""), 400, "invalid_body"),
            ("no submissions", post("application/cbor", &[0x80]), 400, "invalid_body"),
            ("huge count", post("application/cbor", &[0x9b; 9]), 400, "invalid_body"),
            ("nested cose", post("application/cose", &nested_cbor), 413, "too_large"),
            ("empty cose", post("application/cose", b""), 400, "malformed"),
            ("no cose", post("application/cose", b"hello"), 400, "malformed"),
            ("no media type", post("", b""), 415, "unsupported_media_type"),
            ("min height", with_header("althing-min-height: -1"), 400, "invalid_header"),
            (
                "two min heights",
                with_header("althing-min-height: 1\r\nalthing-min-height: 2"),
                400,
                "invalid_header",
            ),
            (
                "method",
                b"DELETE /v1/things HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec(),
                405,
                "method_not_allowed",
            ),
            (
                "last event",
                b"GET /v1/events HTTP/1.1\r\nhost: x\r\nconnection: close\r\nlast-event-id: x\r\n\r\n"
                    .to_vec(),
                400,
                "invalid_header",
            ),
        ]
        .map(|(what, request, status, code)| (what.to_owned(), request, status, code)),
    )
    .collect();
    with_peer(Config::standard(), |host| async move {
        let address = host.url.strip_prefix("http://").unwrap().to_owned();
        for (what, request, status, code) in &table {
            let (found, body) = raw(&address, request).await;
            assert_eq!(found, *status, "{what}: {body}");
            let problem: serde_json::Value = serde_json::from_str(&body)
                .unwrap_or_else(|error| panic!("{what}: {error}: {body}"));
            assert_eq!(problem["code"], *code, "{what}: {body}");
            assert_eq!(problem["status"], *status, "{what}");
            assert!(body.len() < 1000, "{what} is repeated at length");
        }
        assert!(host.client.status().await.is_ok());
    });
}

#[test]
fn what_is_not_http_ends_the_connection_and_nothing_else() {
    with_peer(Config { head_timeout: Duration::from_millis(200), ..Config::standard() }, |host| {
        async move {
            let address = host.url.strip_prefix("http://").unwrap().to_owned();
            let many = "a: b\r\n".repeat(1000);
            let long = format!("x: {}\r\n", "y".repeat(100_000));
            for request in [
                b"\x16\x03\x01\x02\x00hello".to_vec(),
                b"GET / HTTP/9.9\r\n\r\n".to_vec(),
                b"GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(),
                with_header("x: a\rb"),
                with_header(&many),
                with_header(&long),
                b"POST /v1/transactions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\
                  transfer-encoding: chunked\r\n\r\n0\r\n\r\n"
                    .to_vec(),
            ] {
                let (status, body) = raw(&address, &request).await;
                assert!(status == 0 || (400..500).contains(&status), "{status}: {body}");
            }
            // A head that never ends is cut off, however slowly it comes.
            let mut slow = TcpStream::connect(&address).await.unwrap();
            slow.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
            let mut rest = Vec::new();
            let cut = tokio::time::timeout(Duration::from_secs(10), slow.read_to_end(&mut rest));
            assert!(cut.await.is_ok(), "still open");
            assert!(host.client.status().await.is_ok());
        }
    });
}

#[test]
fn more_requests_than_allowed_are_told_so() {
    let config = Config { event_streams_max: 1, ..Config::standard() };
    with_peer(config, |host| async move {
        let events = host.client.events(&Default::default()).await.unwrap();
        let second = host.client.events(&Default::default()).await.unwrap_err();
        assert_eq!(second.code(), Some("busy"));
        drop(events);
        // The place is free again once the server has noticed.
        while host.client.events(&Default::default()).await.is_err() {
            tokio::task::yield_now().await;
        }
    });
}

/// Looks until it is so.
async fn until<F: Future<Output = bool>>(what: &str, mut look: impl FnMut() -> F) {
    let looking = async {
        while !look().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, looking).await.is_ok(), "not so: {what}");
}

/// The place of a request was given back before its answer was sent, and no answer was ever given
/// up: clients that asked and never read filled the memory.
#[test]
fn an_answer_that_nobody_reads_keeps_its_place_and_is_given_up() {
    const ASKED: usize = 64;
    const TAKEN_BYTES: u32 = 4096;
    let config =
        Config { requests_max: 1, write_timeout: Duration::from_secs(1), ..Config::standard() };
    with_peer(config, |host| async move {
        let address = host.url.strip_prefix("http://").unwrap().to_owned();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(TAKEN_BYTES).unwrap();
        let mut deaf = socket.connect(address.parse().unwrap()).await.unwrap();
        let ask = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(ASKED);
        deaf.write_all(ask.as_bytes()).await.unwrap();
        let status = || async { host.client.status().await };
        until("the unread answer counts", || async {
            status().await.is_err_and(|error| error.code() == Some("busy"))
        })
        .await;
        until("the unread answer is given up", || async { status().await.is_ok() }).await;
        // What the system still had of it comes; then the connection is over.
        let mut rest = Vec::new();
        let cut = tokio::time::timeout(PATIENCE, deaf.read_to_end(&mut rest));
        assert!(cut.await.is_ok(), "still open");
    });
}

/// A body that trickles used to hold the place of a request as long as any request may take.
#[test]
fn a_body_that_does_not_come_gives_its_place_back() {
    let config = Config { body_timeout: Duration::from_millis(100), ..Config::standard() };
    with_peer(config, |host| async move {
        let address = host.url.strip_prefix("http://").unwrap().to_owned();
        let whole = post("application/cbor", &[0; 1000]);
        let (status, body) = raw(&address, &whole[..whole.len() - 1]).await;
        assert_eq!(status, 408, "{body}");
        assert!(body.contains("body_timeout"), "{body}");
    });
}

#[test]
fn one_address_cannot_take_all_connections() {
    let config = Config { connections_per_address_max: 2, ..Config::standard() };
    with_peer(config, |host| async move {
        let address = host.url.strip_prefix("http://").unwrap().to_owned();
        let first = TcpStream::connect(&address).await.unwrap();
        let second = TcpStream::connect(&address).await.unwrap();
        assert_eq!(raw(&address, &get("/v1/status")).await.0, 0);
        drop(first);
        until("the place is free again", || async {
            raw(&address, &get("/v1/status")).await.0 == 200
        })
        .await;
        drop(second);
    });
}

#[test]
fn a_peer_without_writes_and_with_cors_says_so() {
    let origins = vec!["https://dashboard.example".to_owned()];
    let config = Config { writes: false, origins, ..Config::standard() };
    with_peer(config, |host| async move {
        let address = host.url.strip_prefix("http://").unwrap().to_owned();
        let (status, body) = raw(&address, &post("application/cose", b"x")).await;
        assert_eq!(status, 403);
        assert!(body.contains("read_only"));
        for (origin, allowed) in
            [("https://dashboard.example", true), ("https://evil.example", false)]
        {
            let (status, head) = whole(&address, &with_header(&format!("origin: {origin}"))).await;
            assert_eq!(status, 200);
            assert_eq!(head.contains("access-control-allow-origin"), allowed, "{head}");
            assert!(head.contains("x-content-type-options: nosniff"), "{head}");
        }
    });
}
