//! CoAP with the clients of libcoap, and with datagrams made by hand.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use crate::common::{MemoryLedger, PATIENCE, TEMPERATURE, config, mosquitto, start, text};
use althing_edge::coap::{Code, Kind, Message, option};
use althing_gateway::coap::{Anonymous, Coap, CoapConfig, Device};
use tokio::net::UdpSocket;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

/// How often something is tried that comes about by itself. Without a pause the gateway would get no
/// turn where there are few processors.
const POLL: Duration = Duration::from_millis(5);

pub(crate) fn coap_config() -> CoapConfig {
    let any = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let device = |name: &str, topics: &[&str]| Device {
        name: name.into(),
        secret: format!("secret of {name}").into_bytes(),
        topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
    };
    CoapConfig {
        listen: any,
        listen_secure: any,
        devices: vec![
            device("pump-7", &["althing/pump/#", "things/pump/commands"]),
            device("other", &["althing/other/#"]),
        ],
        anonymous: Anonymous::Anybody,
        secret: [7; 32],
        body_bytes_max: 16 * 1024,
        sessions_max: 64,
        handshakes_of_address_max: 4,
        handshake_timeout: Duration::from_secs(3),
        session_timeout: Duration::from_secs(60),
    }
}

/// Runs a client of libcoap; what it printed.
pub(crate) async fn libcoap(tool: &str, args: &[&str]) -> String {
    let mut command = Command::new(tool);
    command.args(["-B", "8", "-v", "3"]).args(args).stdin(Stdio::null()).kill_on_drop(true);
    match timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) => text(&output.stdout) + &text(&output.stderr),
        Ok(Err(error)) => panic!("{tool}: {error}. Install it: apt-get install libcoap3-bin"),
        Err(_) => panic!("{tool} {args:?} does not end"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn libcoap_posts_reads_and_uploads_in_blocks() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let coap = Coap::start(coap_config(), &gateway).await.unwrap();
    let url = |path: &str| format!("coap://{}/{path}", coap.address().unwrap());
    let temperature = url("althing/pump/temperature");
    libcoap("coap-client-notls", &["-m", "post", "-e", "21.5", &temperature]).await;
    ledger.wait_for(&TEMPERATURE, 1).await;
    let read = libcoap("coap-client-notls", &["-m", "get", &temperature]).await;
    assert!(read.contains(r#""v":21.50000000"#), "{read}");
    // A SenML pack of many records does not fit a datagram.
    let records: Vec<String> =
        (0..100).map(|n| format!(r#"{{"n":"temperature","v":{n}}}"#)).collect();
    let pack = format!("[{}]", records.join(","));
    assert!(pack.len() > 2000);
    let blocks = ["-m", "post", "-b", "256", "-t", "110", "-e", &pack, &url("althing/pump")];
    libcoap("coap-client-notls", &blocks).await;
    // The client sends the echo that the first answer asks for: an address takes no memory before.
    ledger.wait_for(&TEMPERATURE, 101).await;
    let unknown =
        libcoap("coap-client-notls", &["-m", "post", "-e", "1", &url("althing/x/y")]).await;
    assert!(unknown.contains("4.04"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_dtls_a_device_does_what_it_may_and_a_bad_handshake_disturbs_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let coap = Coap::start(coap_config(), &gateway).await.unwrap();
    let address = coap.secure_address().unwrap();
    let url = format!("coaps://{address}/althing/pump/temperature");
    // Handshakes that never end, and one with a wrong key.
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    silent.send_to(&[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0], address).await.unwrap();
    let wrong = ["-m", "post", "-B", "2", "-u", "pump-7", "-k", "wrong", "-e", "1", &url];
    let wrong = libcoap("coap-client-openssl", &wrong);
    let good = ["-m", "post", "-u", "pump-7", "-k", "secret of pump-7", "-e", "21.5", &url];
    let (_, said) = tokio::join!(wrong, libcoap("coap-client-openssl", &good));
    ledger.wait_for(&TEMPERATURE, 1).await;
    let pack: Vec<String> = (0..100).map(|n| format!(r#"{{"n":"temperature","v":{n}}}"#)).collect();
    let pack = format!("[{}]", pack.join(","));
    let pump = format!("coaps://{address}/althing/pump");
    let blocks = [
        "-m",
        "post",
        "-u",
        "pump-7",
        "-k",
        "secret of pump-7",
        "-b",
        "256",
        "-t",
        "110",
        "-e",
        &pack,
        &pump,
    ];
    let said = said + &libcoap("coap-client-gnutls", &blocks).await;
    ledger.wait_for(&TEMPERATURE, 101).await;
    let other = ["-m", "post", "-u", "other", "-k", "secret of other", "-e", "9", &url];
    let other = libcoap("coap-client-openssl", &other).await;
    assert!(other.contains("4.03"), "not its topic: {other} {said}");
    assert_eq!(ledger.numbers(&TEMPERATURE).len(), 101);
}

/// A device asks what there is for it, and is told of a command when it comes; another hears nothing.
#[tokio::test(flavor = "multi_thread")]
async fn libcoap_finds_and_observes_what_is_for_it_over_dtls() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let coap = Coap::start(coap_config(), &gateway).await.unwrap();
    let url = |path: &str| format!("coaps://{}/{path}", coap.secure_address().unwrap());
    let own = ["-m", "get", "-u", "pump-7", "-k", "secret of pump-7"];
    let core = url(".well-known/core");
    let links = libcoap("coap-client-gnutls", &[&own[..], &[&core]].concat()).await;
    assert!(links.contains("</things/pump/commands>;obs"), "{links}");
    let commands = url("things/pump/commands");
    let observed = [&own[..], &["-s", "3", &commands]].concat();
    let other = ["-m", "get", "-s", "3", "-u", "other", "-k", "secret of other", &commands];
    let command = async {
        let qos = althing_gateway::Qos::AtLeastOnce;
        let told = || gateway.publish("things/pump/commands", b"open".to_vec(), qos, false);
        while told().unwrap().now == 0 {
            sleep(POLL).await;
        }
    };
    let (own, other, ()) = tokio::join!(
        libcoap("coap-client-openssl", &observed),
        libcoap("coap-client-openssl", &other),
        command
    );
    assert!(own.contains("open"), "{own}");
    assert!(other.contains("4.04") && !other.contains("open"), "{other}");
}

/// A device that lost its power comes back from the same port at once; its old session, which never
/// ended, neither keeps it out nor hears anything any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_lost_its_session_begins_another_from_the_same_port() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let coap = Coap::start(coap_config(), &gateway).await.unwrap();
    let url = |path: &str| format!("coaps://{}/{path}", coap.secure_address().unwrap());
    let commands = url("things/pump/commands");
    let told = || {
        let qos = althing_gateway::Qos::AtLeastOnce;
        gateway.publish("things/pump/commands", b"open".to_vec(), qos, false).unwrap().now
    };
    // Another program may take the port between here and there: then the client ends at once.
    let observing = async {
        loop {
            let port = free_port().await;
            let mut client = observer(&port, &commands);
            let observed = async {
                while told() == 0 {
                    sleep(POLL).await;
                }
            };
            tokio::select! {
                () = observed => return (port, client),
                _ = client.wait() => {}
            }
        }
    };
    let (port, mut lost) = timeout(PATIENCE, observing).await.unwrap();
    lost.kill().await.unwrap();
    let temperature = url("althing/pump/temperature");
    let post = [&pump(&port)[..], &["-m", "post", "-e", "21.5", &temperature]].concat();
    let said = libcoap("coap-client-openssl", &post).await;
    assert!(!said.contains("4.0"), "{said}");
    ledger.wait_for(&TEMPERATURE, 1).await;
    assert_eq!(told(), 0, "the old session observes no more");
}

async fn free_port() -> String {
    let free = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    free.local_addr().unwrap().port().to_string()
}

/// The pump's own arguments, from a port.
fn pump(port: &str) -> [&str; 8] {
    ["-a", "127.0.0.1", "-p", port, "-u", "pump-7", "-k", "secret of pump-7"]
}

/// A client that observes for a minute.
fn observer(port: &str, url: &str) -> tokio::process::Child {
    Command::new("coap-client-openssl")
        .args(pump(port))
        .args(["-m", "get", "-s", "60", url])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// A message, and what comes back.
pub(crate) async fn ask(socket: &UdpSocket, message: &Message) -> Message {
    socket.send(&message.encode()).await.unwrap();
    receive(socket).await
}

pub(crate) async fn receive(socket: &UdpSocket) -> Message {
    let mut buffer = [0; 2048];
    let len = timeout(PATIENCE, socket.recv(&mut buffer)).await.unwrap().unwrap();
    Message::decode(&buffer[..len]).unwrap()
}

pub(crate) fn request(code: Code, id: u16, path: &str) -> Message {
    let options = path.split('/').map(|level| (option::URI_PATH, level.as_bytes().to_vec()));
    let (options, payload) = (options.collect(), Vec::new());
    Message { kind: Kind::Confirmable, code, id, token: vec![7], options, payload }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_observes_its_commands_gets_them_and_strange_datagrams_hurt_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let coap = Coap::start(coap_config(), &gateway).await.unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(coap.address().unwrap()).await.unwrap();
    let commands = "things/pump/commands";
    let observe = |id| request(Code::GET, id, commands).with(option::OBSERVE, vec![]);
    let challenged = ask(&socket, &observe(1)).await;
    assert_eq!(challenged.code, Code::UNAUTHORIZED, "who observes proves its address");
    let echo = challenged.option(option::ECHO).unwrap().to_vec();
    let begun = ask(&socket, &observe(2).with(option::ECHO, echo)).await;
    assert_eq!(begun.code, Code::CONTENT);
    assert!(begun.option(option::OBSERVE).is_some());
    for junk in [&[][..], &[0xff; 100], &[0x40], &[0x45, 1, 0, 0, 1], &[0x40, 1, 0, 0, 0xff]] {
        socket.send(junk).await.unwrap();
    }
    let qos = althing_gateway::Qos::AtLeastOnce;
    let delivered = gateway.publish(commands, b"on".to_vec(), qos, false).unwrap();
    assert_eq!(delivered.now, 1, "the device is counted among those who get it");
    let told = receive(&socket).await;
    assert_eq!((told.kind, &told.payload[..]), (Kind::Confirmable, &b"on"[..]));
    let repeated = receive(&socket).await;
    assert_eq!(repeated, told, "not acknowledged, so sent again");
    let reset = Message {
        kind: Kind::Reset,
        code: Code::EMPTY,
        id: told.id,
        token: vec![],
        options: vec![],
        payload: vec![],
    };
    socket.send(&reset.encode()).await.unwrap();
    let post =
        Message { payload: b"1".to_vec(), ..request(Code::POST, 9, "althing/pump/temperature") };
    assert_eq!(ask(&socket, &post).await.code, Code::CHANGED);
    assert_eq!(gateway.publish(commands, b"off".to_vec(), qos, false).unwrap().now, 0);
}

/// What one device publishes by MQTT another observes by CoAP; it used to hear nothing.
#[tokio::test(flavor = "multi_thread")]
async fn who_observes_by_coap_hears_what_is_published_by_mqtt() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = MemoryLedger::default();
    let gateway = start(config(directory.path()), &ledger).await;
    let coap = Coap::start(coap_config(), &gateway).await.unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(coap.address().unwrap()).await.unwrap();
    let topic = "althing/pump/temperature";
    let observe = |id| request(Code::GET, id, topic).with(option::OBSERVE, vec![]);
    let challenged = ask(&socket, &observe(1)).await;
    let echo = challenged.option(option::ECHO).unwrap().to_vec();
    let begun = ask(&socket, &observe(2).with(option::ECHO, echo)).await;
    assert!(begun.option(option::OBSERVE).is_some(), "{begun:?}");
    let args = ["-V", "5", "-q", "1", "-t", topic, "-m", "21.5"];
    let published = mosquitto("mosquitto_pub", gateway.address(), &args).await;
    assert!(published.status.success(), "{}", text(&published.stderr));
    assert_eq!(receive(&socket).await.payload, b"21.5");
}
