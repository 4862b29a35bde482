//! Who comes in, by what, and what each may do.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::common::raw::{Hello, Raw, V3, V5, packet, publish};
use crate::common::{MemoryLedger, TEMPERATURE, config, everything, mosquitto, start, text};
use althing_edge::{Grant, Principal};
use althing_gateway::{Config, MqttAccess, MqttUser, TlsConfig, Token};
use althing_types::{EntityId, SigningKey, Suite};
use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use futures::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

fn hash(password: &str) -> String {
    let cheap =
        Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let salt = SaltString::from_b64("c2FsdHNhbHQ").unwrap();
    cheap.hash_password(password.as_bytes(), &salt).unwrap().to_string()
}

fn user(name: &str, password: &str) -> MqttUser {
    MqttUser { name: name.into(), password_hash: Some(hash(password)), certificate_sha256: None }
}

fn name(name: &str) -> Principal {
    Principal::User(name.into())
}

/// The device `pump` speaks for its thing, `display` sees all readings, `stranger` has nothing, and
/// nobody comes in without a name.
fn guarded(directory: &Path) -> Config {
    let mut config = config(directory);
    let pump = Grant { things: vec!["pump".into()], ..Grant::default() };
    let display = Grant { receive: vec!["althing/#".into()], ..Grant::default() };
    config.mqtt.access = MqttAccess {
        is_anonymous_allowed: false,
        users: ["pump", "display", "stranger"].map(|name| user(name, "a password")).to_vec(),
        grants: vec![(name("pump"), pump), (name("display"), display)],
    };
    config
}

fn hello<'h>(id: &'h str, user: &'h str) -> Hello<'h> {
    Hello { user: Some((user, "a password")), ..Hello::new(id) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_and_nothing_else_does() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = start(guarded(directory.path()), &MemoryLedger::default()).await;
    for (user, v3, v5) in [
        (Some(("pump", "a password")), 0, 0),
        (Some(("pump", "a passwore")), 4, 0x86),
        (Some(("pump", "")), 4, 0x86),
        (Some(("nobody", "a password")), 4, 0x86),
        (Some(("pump", "at1.00")), 4, 0x86),
        (None, 5, 0x87),
    ] {
        for (level, code) in [(V3, v3), (V5, v5)] {
            let hello = Hello { user, ..Hello::new("c") };
            let (_raw, connack) = Raw::enter(gateway.address(), level, hello).await;
            assert_eq!(connack[3], code, "{user:?}, level {level}");
        }
    }
    let method = Hello { properties: b"\x15\0\x01m", ..hello("c", "pump") };
    let (_raw, connack) = Raw::enter(gateway.address(), V5, method).await;
    assert_eq!(connack[3], 0x8c, "an authentication in several steps");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_ledgers_key_opens_for_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let config = guarded(directory.path());
    let (key, other) = ([1; 32], [2; 32]);
    let [key, other] =
        [key, other].map(|secret| SigningKey::from_secret(Suite::Ed25519, secret).unwrap());
    // The owner of the pump.
    let owner = EntityId([5; 32]);
    ledger.lock().keys.insert(owner, key.public_key());
    let (id, gateway) = (config.edge.ledger, config.edge.gateway);
    let handle = start(config, &ledger).await;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let elsewhere = EntityId([9; 32]);
    for (what, token, code) in [
        ("valid", Token::sign(&key, &id, owner, gateway, now_s + 60), 0),
        ("over", Token::sign(&key, &id, owner, gateway, now_s - 60), 0x87),
        ("valid for too long", Token::sign(&key, &id, owner, gateway, now_s + 200_000), 0x87),
        ("of another key", Token::sign(&other, &id, owner, gateway, now_s + 60), 0x87),
        ("of an unknown entity", Token::sign(&key, &id, elsewhere, gateway, now_s + 60), 0x87),
        ("for another gateway", Token::sign(&key, &id, owner, elsewhere, now_s + 60), 0x87),
    ] {
        let token = token.text();
        let hello = Hello { user: Some(("", &token)), ..Hello::new(what) };
        let (mut raw, connack) = Raw::enter(handle.address(), V5, hello).await;
        assert_eq!(connack[3], code, "{what}");
        if code == 0 {
            raw.publish("althing/pump/temperature", "21.5", 2, &[]).await;
        }
    }
    ledger.wait_for(&TEMPERATURE, 1).await;
    // Its key counts no more: whoever is connected with it is sent away.
    let token = Token::sign(&key, &id, owner, gateway, now_s + 60).text();
    let hello = Hello { user: Some(("", &token)), ..Hello::new("open") };
    let (mut raw, _) = Raw::enter(handle.address(), V5, hello).await;
    assert!(handle.entities().contains(&owner));
    handle.dismiss(owner);
    raw.expect("a goodbye", &packet(0xe0, &[0x87])).await;
    assert_eq!(raw.read().await, None);
    assert!(handle.entities().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listens_to_or_speaks_for_others() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(guarded(directory.path()), &ledger).await;
    let address = gateway.address();
    let mut stranger = Raw::connect(address, V5, hello("x", "stranger")).await;
    for filter in ["#", "+/+/+", "althing/#", "$share/g/#", "$SYS/#", "things/pump/#"] {
        assert_eq!(stranger.subscribe(filter, 1, &[]).await, [0x87], "{filter}");
    }
    let mut pump = Raw::connect(address, V5, hello("pump", "pump")).await;
    let mut display = Raw::connect(address, V5, hello("display", "display")).await;
    // May ask for everything, and gets what is its own.
    assert_eq!(pump.subscribe("#", 0, &[]).await, [0]);
    assert_eq!(display.subscribe("#", 0, &[]).await, [0]);
    pump.publish("althing/pump/temperature", "1", 2, &[]).await;
    let reading = publish(V5, "althing/pump/temperature", "1", 0, 0, &[]);
    display.expect("a reading", &reading).await;
    pump.expect_nothing("it may not receive readings").await;
    gateway
        .publish("things/pump/do", b"go".to_vec(), althing_gateway::Qos::AtMostOnce, false)
        .unwrap();
    pump.expect("its command", &publish(V5, "things/pump/do", "go", 0, 0, &[])).await;
    display.expect_nothing("no command").await;

    let forged = publish(V5, "althing/pump/temperature", "666", 2, 7, &[]);
    stranger.send(&forged).await;
    let refusal = stranger.read().await.unwrap();
    let code = refusal[if refusal[1] & 0x80 == 0 { 4 } else { 5 }];
    assert_eq!((refusal[0], code), (0x40, 0x87), "{refusal:02x?}");
    display.expect_nothing("no forged reading").await;
    // A will to somebody else's topic.
    let will = Some(("althing/pump/state", "dead", 1, true, &b""[..]));
    let (_raw, connack) = Raw::enter(address, V5, Hello { will, ..hello("y", "stranger") }).await;
    assert_eq!(connack[3], 0x87);
    // The client id of somebody else: refused, and the first stays.
    for level in [V3, V5] {
        let (_raw, connack) = Raw::enter(address, level, hello("pump", "stranger")).await;
        assert_eq!(connack[3], if level == V5 { 0x85 } else { 2 });
    }
    pump.expect_nothing("it is still there").await;
    ledger.wait_for(&TEMPERATURE, 1).await;
    assert_eq!(ledger.numbers(&TEMPERATURE), [100_000_000]);
}

/// An authority, and what it signed.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Certificate and key as PEM, and the certificate's SHA-256.
    fn sign(&self, name: &str) -> (String, String, [u8; 32]) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let print = Sha256::digest(certificate.der()).into();
        (certificate.pem(), key.serialize_pem(), print)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_comes_by_tls_with_its_certificate() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let (server, pump, forged) =
        (authority.sign("gateway"), authority.sign("pump"), stranger.sign("pump"));
    write("ca.pem", &authority.pem);
    for (name, (certificate, key, _)) in [("server", &server), ("pump", &pump), ("forged", &forged)]
    {
        write(&format!("{name}.pem"), certificate);
        write(&format!("{name}.key"), key);
    }
    let mut config = guarded(directory.path());
    config.mqtt.access.users[0].certificate_sha256 = Some(pump.2);
    config.mqtt.tls = Some(TlsConfig {
        listen: Some(([127, 0, 0, 1], 0).into()),
        websocket_listen: None,
        certificate: path("server.pem").into(),
        key: path("server.key").into(),
        client_authority: Some(path("ca.pem").into()),
        is_client_certificate_required: true,
    });
    let ledger = MemoryLedger::default();
    let gateway = start(config, &ledger).await;
    let (plain, tls) = (gateway.address(), gateway.addresses()[1]);
    let (ca, reading) = (path("ca.pem"), ["-q", "1", "-t", "althing/pump/temperature", "-m", "7"]);
    for (what, more, is_taken) in [
        (
            "its certificate",
            &["--cafile", &ca, "--cert", &path("pump.pem"), "--key", &path("pump.key")][..],
            true,
        ),
        ("no certificate", &["--cafile", &ca], false),
        (
            "one of another authority",
            &["--cafile", &ca, "--cert", &path("forged.pem"), "--key", &path("forged.key")],
            false,
        ),
        (
            "the name of somebody else",
            &[
                "--cafile",
                &ca,
                "--cert",
                &path("pump.pem"),
                "--key",
                &path("pump.key"),
                "-u",
                "display",
                "-P",
                "a password",
            ],
            false,
        ),
        ("no TLS at all", &[], false),
    ] {
        let args = [&reading[..], more].concat();
        let output = mosquitto("mosquitto_pub", tls, &args).await;
        assert_eq!(output.status.success(), is_taken, "{what}: {}", text(&output.stderr));
    }
    ledger.wait_for(&TEMPERATURE, 1).await;
    let args = [&reading[..], &["-u", "pump", "-P", "a password", "-V", "5"]].concat();
    let output = mosquitto("mosquitto_pub", plain, &args).await;
    assert!(output.status.success(), "by password: {}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt_in_websocket_frames() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    config.mqtt.websocket_listen = Some(([127, 0, 0, 1], 0).into());
    config.mqtt.access.grants = vec![(Principal::Anonymous, everything())];
    let ledger = MemoryLedger::default();
    let gateway = start(config, &ledger).await;
    let address = gateway.addresses()[1];
    let request = |protocol: Option<&'static str>| {
        let mut request = format!("ws://{address}/mqtt").into_client_request().unwrap();
        if let Some(protocol) = protocol {
            request.headers_mut().insert("Sec-WebSocket-Protocol", protocol.parse().unwrap());
        }
        request
    };
    for protocol in [None, Some("chat")] {
        let stream = TcpStream::connect(address).await.unwrap();
        assert!(client_async(request(protocol), stream).await.is_err(), "{protocol:?}");
    }
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, response) = client_async(request(Some("chat, mqtt")), stream).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "mqtt");
    let connect = b"\x10\x0e\0\x04MQTT\x04\x02\0\x3c\0\x02me";
    let reading = publish(V3, "althing/pump/temperature", "1", 2, 7, &[]);
    // Packets and frames need not begin and end together (MQTT-6.0.0-2).
    let bytes = [&connect[..], &reading].concat();
    for part in bytes.chunks(9) {
        socket.send(Message::Binary(part.to_vec().into())).await.unwrap();
    }
    let mut got = Vec::new();
    while got.len() < 8 {
        match socket.next().await.unwrap().unwrap() {
            Message::Binary(part) => got.extend_from_slice(&part),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(got, [&b"\x20\x02\0\0"[..], &packet(0x40, &[0, 7])].concat());
    ledger.wait_for(&TEMPERATURE, 1).await;
    // Text ends the connection (MQTT-6.0.0-1).
    socket.send(Message::Text("hello".into())).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        assert!(matches!(message, Message::Close(_)), "{message:?}");
    }
}
