//! Direct requests by CoAP, with libcoap's client over DTLS, to a device that speaks CoAP too.

use std::path::Path;

use althing_client::model::DirectAsked;
use althing_edge::coap::{Code, Kind, Message, option};
use althing_gateway::coap::{Coap, CoapConfig, Device};
use althing_types::{CommandState, SignedRequest};
use tokio::net::UdpSocket;

use crate::coap::{ask, coap_config, libcoap, receive, request};
use crate::common::PATIENCE;
use crate::direct::{Caller, GATEWAY, ask as ask_by_http, checked};

const ASKED: &str = "things/machine-7/commands/request";
const ANSWERS: &str = "things/machine-7/commands/answer";

fn devices() -> CoapConfig {
    let caller =
        Device { name: "caller".into(), secret: b"its secret".to_vec(), topics: Vec::new() };
    CoapConfig { devices: vec![caller], ..coap_config() }
}

/// The client of whoever asks, from a file; what it printed.
async fn post(coap: &Coap, body: &[u8], folder: &Path, more: &[&str]) -> String {
    let (sent, got) = (folder.join("asked"), folder.join("answered"));
    std::fs::write(&sent, body).unwrap();
    let _ = std::fs::remove_file(&got);
    let url = format!("coaps://{}/.well-known/althing/direct", coap.secure_address().unwrap());
    let (sent, got_path) = (sent.to_str().unwrap(), got.to_str().unwrap());
    let own = ["-u", "caller", "-k", "its secret", "-m", "post", "-f", sent, "-o", got_path];
    let said = libcoap("coap-client-openssl", &[&own[..], more, &[&url]].concat()).await;
    said + &std::fs::read_to_string(&got).unwrap_or_default()
}

fn asked(request: &SignedRequest, proofs: &[Vec<u8>]) -> Vec<u8> {
    serde_json::to_vec(&DirectAsked::new(request, proofs)).unwrap()
}

/// A device that observes what it is asked; the socket, and the token of the observation.
async fn observing(coap: &Coap) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(coap.address().unwrap()).await.unwrap();
    let observe = |id| request(Code::GET, id, ASKED).with(option::OBSERVE, vec![]);
    let challenged = ask(&socket, &observe(1)).await;
    let echo = challenged.option(option::ECHO).unwrap().to_vec();
    let begun = ask(&socket, &observe(2).with(option::ECHO, echo)).await;
    assert!(begun.option(option::OBSERVE).is_some(), "{begun:?}");
    socket
}

/// The device hears one request and does it; what it heard.
async fn answer_one(socket: &UdpSocket, id: u16) -> serde_json::Value {
    let told = receive(socket).await;
    let acknowledgement = Message {
        kind: Kind::Acknowledgement,
        code: Code::EMPTY,
        id: told.id,
        token: vec![],
        options: vec![],
        payload: vec![],
    };
    socket.send(&acknowledgement.encode()).await.unwrap();
    let heard: serde_json::Value = serde_json::from_slice(&told.payload).unwrap();
    let result = "x".repeat(1500);
    let said = serde_json::json!({ "id": heard["id"], "state": "done", "result": result });
    // Longer than a datagram, so in blocks; the gateway wants the address proven first.
    let body = said.to_string().into_bytes();
    let mut echo = Vec::new();
    let mut number = 0_u32;
    let mut id = id;
    loop {
        let at = number as usize * 1024;
        let part = &body[at..body.len().min(at + 1024)];
        let is_last = at + part.len() == body.len();
        let block = number << 4 | u32::from(!is_last) << 3 | 6;
        let block = if block < 256 {
            vec![u8::try_from(block).unwrap()]
        } else {
            u16::try_from(block).unwrap().to_be_bytes().to_vec()
        };
        let mut message = request(Code::POST, id, ANSWERS).with(option::BLOCK1, block);
        if !echo.is_empty() {
            message = message.with(option::ECHO, echo.clone());
        }
        let message = Message { payload: part.to_vec(), ..message };
        id += 1;
        let answer = ask(socket, &message).await;
        match answer.code {
            Code::UNAUTHORIZED => echo = answer.option(option::ECHO).unwrap().to_vec(),
            Code::CONTINUE => number += 1,
            Code::CHANGED => return heard,
            other => panic!("{other:?}: {answer:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_asks_another_directly_by_coap_and_it_counts_as_by_http() {
    let (directory, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let caller = Caller::new();
    let config = caller.config(directory.path(), 100, PATIENCE);
    let (gateway, http) = caller.start(config).await;
    let coap = Coap::start(devices(), &gateway).await.unwrap();
    let small = ["-t", "50", "-b", "256"];

    // To whom requests are made out is told to anybody.
    let url = format!("coap://{}/.well-known/althing/direct", coap.address().unwrap());
    let told = libcoap("coap-client-notls", &["-m", "get", &url]).await;
    assert!(told.contains(&GATEWAY.to_string()), "{told}");

    // Whoever shows nothing, something else or nonsense is told so.
    let bare = post(&coap, &asked(&caller.sign(1), &[]), files.path(), &small).await;
    assert!(bare.contains("4.01") && bare.contains("no_proofs"), "{bare}");
    let none = post(&coap, b"{}", files.path(), &small).await;
    assert!(none.contains("4.00") && none.contains("malformed"), "{none}");
    let form = post(&coap, b"21.5", files.path(), &["-t", "0"]).await;
    assert!(form.contains("4.15"), "{form}");
    let long = vec![b' '; 128 * 1024 + 1];
    let long = post(&coap, &long, files.path(), &["-t", "50"]).await;
    assert!(long.contains("4.13"), "{long}");
    let mut forged = caller.sign(1);
    forged.request.number = 2;
    let forged = post(&coap, &asked(&forged, &caller.proofs), files.path(), &small).await;
    assert!(forged.contains("4.03") && forged.contains("bad_signature"), "{forged}");

    let device = observing(&coap).await;
    let first = caller.sign(5);
    let body = asked(&first, &caller.proofs);
    assert!(body.len() > 10_000, "takes many blocks: {}", body.len());
    let (said, heard) =
        tokio::join!(post(&coap, &body, files.path(), &small), answer_one(&device, 100));
    assert_eq!(heard["id"], first.request.id().to_string());
    let (answer, used) = checked(&first, &said);
    assert_eq!((used.state, used.grant), (CommandState::Done, caller.grant));
    assert!(answer.result.contains(&"x".repeat(1500)), "also what is longer than a block");

    // It counted, whichever way the next one comes; and the ledger hears of it as of any other.
    let again = post(&coap, &body, files.path(), &small).await;
    assert!(again.contains("4.09") && again.contains("repeated"), "{again}");
    assert_eq!(ask_by_http(&http, &first, &caller.proofs).await, Err("repeated".to_owned()));
    let due = gateway.direct().unwrap().due().await;
    assert_eq!(due, [(1, used)]);
    // The proofs were shown: none are needed, and the request fits a datagram or two.
    let second = caller.sign(6);
    let body = asked(&second, &[]);
    let (said, _) =
        tokio::join!(post(&coap, &body, files.path(), &small), answer_one(&device, 200));
    assert_eq!(checked(&second, &said).1.state, CommandState::Done);
}

/// What counts once is not begun for an address that may be somebody else's.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_proven_before_anything_is_asked_of_a_device() {
    let directory = tempfile::tempdir().unwrap();
    let caller = Caller::new();
    let config = caller.config(directory.path(), 100, PATIENCE);
    let (gateway, _http) = caller.start(config).await;
    let coap = Coap::start(devices(), &gateway).await.unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(coap.address().unwrap()).await.unwrap();
    let mut message = request(Code::POST, 1, ".well-known/althing/direct");
    message.payload = asked(&caller.sign(1), &[]);
    let challenged = ask(&socket, &message).await;
    assert_eq!(challenged.code, Code::UNAUTHORIZED);
    let echo = challenged.option(option::ECHO).unwrap().to_vec();
    let answer = ask(&socket, &Message { id: 2, ..message.with(option::ECHO, echo) }).await;
    assert!(answer.payload.starts_with(b"no_proofs"), "{answer:?}");
}
