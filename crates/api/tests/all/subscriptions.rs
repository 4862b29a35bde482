//! Being told: webhooks that call a server of somebody else, and events over a WebSocket.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use althing_api::Config;
use althing_client::{
    Client, ReadingAs,
    model::{EventRecord, NewWebhook, Webhook, query},
};
use althing_types::{Action, Record, Signature};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::any};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Host, PATIENCE, key, with_peer};

/// A call as the server that was called saw it.
type Call = (String, HeaderMap, Bytes);

/// Somebody's server, which answers with these statuses in turn, and then 204.
#[derive(Clone, Default)]
struct Receiver {
    calls: Arc<Mutex<Vec<Call>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    async fn listen(&self) -> String {
        let app = Router::new().fallback(any(Self::take)).with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        url
    }

    async fn take(
        State(this): State<Self>,
        uri: axum::http::Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> (StatusCode, HeaderMap) {
        this.calls.lock().unwrap().push((uri.to_string(), headers, body));
        let status = this.answers.lock().unwrap().pop().unwrap_or(204);
        let mut answer = HeaderMap::new();
        answer.insert("location", "/moved".parse().unwrap());
        (StatusCode::from_u16(status).unwrap(), answer)
    }

    async fn calls(&self, count: usize) -> Vec<Call> {
        let enough = async {
            while self.calls.lock().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, enough).await.unwrap();
        self.calls.lock().unwrap().clone()
    }
}

fn as_organisation(host: &Host, purpose: &str) -> Client {
    let signer = host.organisation.signer();
    let (entity, key) = (signer.entity, signer.key.clone());
    host.client.reading_as(ReadingAs { entity, key, purpose: purpose.to_owned() })
}

fn records() -> query::Events {
    query::Events { kind: Some("recorded".to_owned()), ..<_>::default() }
}

async fn record(host: &Host, kind: &str) {
    let record = Record { kind: kind.to_owned(), data: vec![], notify: vec![], link: None };
    let transaction = host.organisation.sign(vec![Action::Record(record)]);
    let outcome = host.client.finalize_transaction(&transaction, PATIENCE).await.unwrap();
    assert_eq!(outcome.receipt.refusal, None);
}

async fn hook(client: &Client, id: &str) -> Webhook {
    let all = client.webhooks().await.unwrap().items;
    all.into_iter().find(|hook| hook.id == id).unwrap()
}

fn open_config() -> Config {
    Config { webhooks_private: true, ..Config::standard() }
}

/// Recomputes what the peer signed (RFC 9421) from what the server saw, and checks it under its key.
fn is_signed(base_url: &str, (path, headers, body): &Call) -> bool {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let digest = header("content-digest");
    let expected = STANDARD.encode(<sha2::Sha256 as sha2::Digest>::digest(body));
    assert_eq!(digest, format!("sha-256=:{expected}:"));
    let parameters = header("signature-input").strip_prefix("althing=").unwrap().to_owned();
    let base = format!(
        "\"@method\": POST\n\"@target-uri\": {base_url}{path}\n\"content-digest\": {digest}\n\
         \"althing-webhook\": {}\n\"althing-cursor\": {}\n\"@signature-params\": {parameters}",
        header("althing-webhook"),
        header("althing-cursor"),
    );
    let signature = header("signature");
    let signature = signature.strip_prefix("althing=:").unwrap().strip_suffix(':').unwrap();
    let signature = Signature(STANDARD.decode(signature).unwrap().try_into().unwrap());
    key(2).public_key().verify(base.as_bytes(), &signature)
}

#[test]
fn a_webhook_is_called_with_each_event_signed_and_again_until_it_is_taken() {
    with_peer(open_config(), |host| async move {
        let receiver = Receiver::default();
        // Taken last to first: the first call is answered by a redirect, the second by an error.
        *receiver.answers.lock().unwrap() = vec![500, 302];
        let url = receiver.listen().await;
        let client = as_organisation(&host, "webhooks");
        let new = NewWebhook {
            url: format!("{url}/hook?a=b"),
            purpose: String::new(),
            events: records(),
        };
        let made = client.create_webhook(&new).await.unwrap();
        assert_eq!((made.paused, made.delivered), (false, 0));
        record(&host, "first").await;
        record(&host, "second").await;
        let calls = receiver.calls(4).await;
        let kinds: Vec<String> = calls
            .iter()
            .map(|(_, _, body)| serde_json::from_slice::<EventRecord>(body).unwrap())
            .map(|record| serde_json::to_value(record.event).unwrap()["kind"].to_string())
            .collect();
        assert_eq!(kinds, ["\"first\"", "\"first\"", "\"first\"", "\"second\""]);
        for call in &calls {
            assert_eq!(call.0, "/hook?a=b", "a redirect is not followed");
            assert!(is_signed(&url, call));
            assert!(!is_signed("http://elsewhere", call));
        }
        let taken = async {
            while hook(&client, &made.id).await.delivered < 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, taken).await.unwrap();
        let shown = hook(&client, &made.id).await;
        assert_eq!((shown.failures, shown.last_error), (0, None));

        // Paused, nothing comes; resumed, what was missed comes.
        assert!(client.pause_webhook(&made.id, true).await.unwrap().paused);
        record(&host, "third").await;
        assert_eq!(hook(&client, &made.id).await.delivered, 2);
        client.pause_webhook(&made.id, false).await.unwrap();
        let calls = receiver.calls(5).await;
        assert!(String::from_utf8_lossy(&calls[4].2).contains("third"));
        client.delete_webhook(&made.id).await.unwrap();
        assert!(client.webhooks().await.unwrap().items.is_empty());
        let gone = client.delete_webhook(&made.id).await.unwrap_err();
        assert_eq!(gone.code(), Some("unknown_webhook"));
    });
}

#[test]
fn webhooks_go_to_public_addresses_only_and_are_their_makers() {
    with_peer(Config::standard(), |host| async move {
        let receiver = Receiver::default();
        let url = receiver.listen().await;
        let client = as_organisation(&host, "webhooks");
        let new = |url: &str| NewWebhook {
            url: url.to_owned(),
            purpose: String::new(),
            events: records(),
        };
        for inner in [&url, "http://169.254.169.254/", "http://[::1]/", "file:///etc/passwd"] {
            let refused = client.create_webhook(&new(inner)).await.unwrap_err();
            assert_eq!(refused.code(), Some("invalid_body"), "{inner}");
        }
        // A name passes by its text, and is refused when it is resolved: nothing is connected to.
        let port = url.rsplit(':').next().unwrap();
        let made = client.create_webhook(&new(&format!("http://localhost:{port}/"))).await.unwrap();
        record(&host, "secret").await;
        let failed = async {
            while hook(&client, &made.id).await.last_error.is_none() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, failed).await.unwrap();
        let error = hook(&client, &made.id).await.last_error.unwrap();
        assert!(error.contains("not public"), "{error}");
        assert!(receiver.calls.lock().unwrap().is_empty());

        // Neither nobody nor a token that was made to read handles webhooks.
        for other in [host.client.clone(), as_organisation(&host, "billing")] {
            assert_eq!(other.webhooks().await.unwrap_err().code(), Some("bad_token"));
            let refused = other.create_webhook(&new("http://example.org/")).await.unwrap_err();
            assert_eq!(refused.code(), Some("bad_token"));
        }
        for _ in 1..8 {
            client.create_webhook(&new("http://example.org/")).await.unwrap();
        }
        let more = client.create_webhook(&new("http://example.org/")).await.unwrap_err();
        assert_eq!(more.code(), Some("busy"));
    });
}

/// Opens a WebSocket to the events of a peer.
async fn follow(host: &Host, query: &str) -> tokio_tungstenite::WebSocketStream<TcpStream> {
    let address = host.url.strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let url = format!("ws://{address}/v1/events/socket?{query}");
    tokio_tungstenite::client_async(url, stream).await.unwrap().0
}

async fn next(socket: &mut tokio_tungstenite::WebSocketStream<TcpStream>) -> Message {
    loop {
        let message =
            tokio::time::timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
        if !message.is_ping() {
            return message;
        }
    }
}

#[test]
fn events_come_by_web_socket_and_go_on_behind_a_cursor() {
    with_peer(Config::standard(), |host| async move {
        let mut socket = follow(&host, "type=recorded").await;
        record(&host, "first").await;
        record(&host, "second").await;
        let read = |message: Message| -> EventRecord {
            serde_json::from_str(message.to_text().unwrap()).unwrap()
        };
        let (first, second) = (read(next(&mut socket).await), read(next(&mut socket).await));
        assert!(first.cursor < second.cursor);
        let mut again = follow(&host, &format!("type=recorded&after={}", first.cursor)).await;
        assert_eq!(read(next(&mut again).await), second);
        // It has nothing to listen to.
        again.send(Message::text("hello")).await.unwrap();
        let Message::Close(Some(frame)) = next(&mut again).await else { panic!("it goes on") };
        assert_eq!(u16::from(frame.code), 1008);
        assert!(frame.reason.contains(&format!("after={}", second.cursor)), "{}", frame.reason);
    });
}

#[test]
fn a_web_socket_keeps_the_place_of_its_connection() {
    let most = 4;
    let config = Config { connections_per_address_max: most, ..Config::standard() };
    with_peer(config, |host| async move {
        let address = host.url.strip_prefix("http://").unwrap().to_owned();
        let open = || async {
            let stream = TcpStream::connect(&address).await.unwrap();
            let url = format!("ws://{address}/v1/events/socket");
            tokio_tungstenite::client_async(url, stream).await.ok().map(|(socket, _)| socket)
        };
        let mut sockets = Vec::new();
        while let Some(socket) = open().await {
            sockets.push(socket);
            assert!(sockets.len() <= most, "there are more than may be from one address");
        }
        sockets.clear();
        let again = async {
            while open().await.is_none() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, again).await.unwrap();
    });
}
