//! One of four peers keeps each payload; every peer answers, with proof.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::Value;

use crate::support::{Network, must, text, until};

const STREAM: &str = "boiler/temperature";
const TOPIC: &str = "althing/boiler/temperature";
/// Published as it is, and in payloads as 2^40 + 77 hundredths: bytes that nothing else has.
const VALUE: &str = "10995116278.53";
const IN_PAYLOAD: [u8; 8] = (1_099_511_627_853_u64).to_be_bytes();

/// Whether each batch is on a peer's disk, by its first number.
fn here(network: &Network, peer: usize) -> Option<Vec<(u64, bool)>> {
    let holders = network.try_ask(peer, &["data", "where", STREAM])?;
    let here = |batch: &Value| Some((batch["first_seq"].as_u64()?, batch["here"].as_bool()?));
    holders["batches"].as_array()?.iter().map(here).collect()
}

fn values(network: &Network, peer: usize) -> Option<Vec<String>> {
    let readings = network.try_ask(peer, &["reading", "list", STREAM])?;
    let value = |reading: &Value| reading["value"].as_str().map(ToOwned::to_owned);
    readings["items"].as_array()?.iter().map(value).collect()
}

/// Whether the bytes of the value are in a peer's payloads on disk.
fn shows_value(network: &Network, peer: usize) -> bool {
    let folder = network.path(&format!("peer-{}/data/payloads", peer + 1));
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = |path: std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(IN_PAYLOAD.len()).any(|part| part == IN_PAYLOAD)
    };
    files.map(found).fold(false, |any, found| any | found)
}

/// How many payloads a peer has asked others for, for readers.
fn gathered(network: &Network, peer: usize) -> u64 {
    let url = network.url(peer);
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let request = "GET /metrics HTTP/1.1\r\nHost: peer\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let mut lines = answer.lines();
    let line = lines.find_map(|line| line.strip_prefix("althing_payloads_gathered_total "));
    line.expect("a count of payloads").trim().parse().unwrap()
}

/// A stranger, who may not read, makes a peer fetch nothing, in whatever form it asks; the owner does.
fn strangers_move_nothing(network: &Network, key: &str) {
    // Each batch is at one peer, and chance may have put all of them at the same.
    let lacks = |peer: &usize| here(network, *peer).unwrap().iter().any(|(_, here)| !here);
    let asked_peer = (0..4).rev().find(lacks).unwrap();
    let policy = ["access", "policy", "set", "--thing", "boiler", "--property", "temperature"];
    let only = ["--mode", "open", "--organisation", "organisation-2", "--key", key];
    // At this peer, so that it counts there at once.
    network.ask(asked_peer, &[&policy[..], &only].concat());
    let before = gathered(network, asked_peer);
    let out = network.path("stolen");
    for asked in [
        &["reading", "list", STREAM][..],
        &["reading", "list", STREAM, "--last-seq", "3"],
        &["reading", "latest", STREAM, "--limit", "5"],
        &["reading", "aggregate", STREAM],
        &["reading", "prove", STREAM, "--seq", "2", "--out", text(&out)],
        &["reading", "prove", STREAM, "--first-seq", "0", "--last-seq", "5", "--out", text(&out)],
    ] {
        assert!(network.try_ask(asked_peer, asked).is_none(), "{asked:?}");
    }
    assert_eq!(gathered(network, asked_peer), before, "a stranger made it fetch payloads");
    network.ask(asked_peer, &["reading", "list", STREAM, "--as", key]);
    assert!(gathered(network, asked_peer) > before, "the owner did not");
    let everyone = ["--mode", "open", "--everyone", "--key", key];
    network.ask(asked_peer, &[&policy[..], &everyone].concat());
    (0..4).for_each(|peer| {
        until("a peer that lets everyone read", || values(network, peer));
    });
}

/// A configuration with one more line in its section `[peer]`.
fn with_setting(config: &str, line: &str) -> String {
    if config.contains("[peer]\n") {
        return config.replacen("[peer]\n", &format!("[peer]\n{line}\n"), 1);
    }
    let with = config.replacen("[peer.p2p]\n", &format!("[peer]\n{line}\n\n[peer.p2p]\n"), 1);
    assert_ne!(with, config);
    with
}

#[test]
fn a_peer_that_is_no_holder_answers_with_proof_and_its_disk_shows_nothing() {
    let mut network = Network::found();
    // One of them as peers were before, so that what is looked for can be found.
    let config = network.config(0);
    let written = std::fs::read_to_string(&config).unwrap();
    let plain = with_setting(&written, "encrypt_at_rest = false");
    std::fs::write(&config, plain).unwrap();
    (0..4).for_each(|peer| network.start_peer(peer));
    network.wait_until_ready();
    network.start_gateway();
    network.add_thing(1, "boiler", "temperature");
    network.publish(TOPIC, VALUE);
    for peer in 0..4 {
        until("the reading at every peer", || {
            here(&network, peer)?.iter().all(|(_, here)| *here).then_some(())?;
            (values(&network, peer)? == [VALUE]).then_some(())
        });
    }
    assert_eq!([0, 1, 2, 3].map(|peer| shows_value(&network, peer)), [true, false, false, false]);

    let key = network.organisation(1);
    network.ask(1, &["data", "place", STREAM, "--copies", "1", "--key", text(&key)]);
    let published: Vec<String> = (0..6).map(|number| format!("{}.50", 20 + number)).collect();
    published.iter().for_each(|value| network.publish(TOPIC, value));
    let expected = [&[VALUE.to_owned()], published.as_slice()].concat();
    until("one copy of each batch", || {
        let all: Option<Vec<_>> = (0..4).map(|peer| here(&network, peer)).collect();
        let all = all?;
        (values(&network, 0)?.len() == expected.len()).then_some(())?;
        let copies = |at: usize| all.iter().filter(|of_peer| of_peer[at].1).count();
        let same = all.iter().all(|of_peer| of_peer.len() == all[0].len());
        (same && (0..all[0].len()).all(|at| copies(at) == 1)).then_some(())
    });

    strangers_move_nothing(&network, text(&key));
    let genesis = network.path("genesis.json");
    let out = network.path("proof");
    for peer in 0..4 {
        assert_eq!(values(&network, peer).unwrap(), expected, "peer {peer}");
        for seq in 0..expected.len() {
            let seq = seq.to_string();
            let prove = ["reading", "prove", STREAM, "--seq", &seq, "--out", text(&out)];
            until("a block that commits to the reading", || network.try_ask(peer, &prove));
            must(&["verify", text(&out), "--genesis", text(&genesis)]);
            // A proof is written over nothing that is there.
            std::fs::remove_file(&out).unwrap();
        }
    }
    let status = network.ask(2, &["peer", "status"]);
    assert_eq!(status["status"]["payloads_surplus"], 0, "{status}");
    network.stop();
    // Whoever handed it over has overwritten it.
    let shown = (1..4).filter(|peer| shows_value(&network, *peer)).count();
    assert_eq!(shown, 0);
}

#[test]
fn a_peer_does_not_start_with_another_key_than_its_payloads_were_encrypted_with() {
    let mut network = Network::found();
    (0..4).for_each(|peer| network.start_peer(peer));
    network.wait_until_ready();
    network.start_gateway();
    network.add_thing(1, "boiler", "temperature");
    network.publish(TOPIC, VALUE);
    until("the reading at the fourth peer", || (values(&network, 3)? == [VALUE]).then_some(()));
    network.stop();
    let config = network.config(3);
    let written = std::fs::read_to_string(&config).unwrap();
    let other = text(&network.organisation(0)).to_owned();
    let named = with_setting(&written, &format!("encryption_key = \"{other}\""));
    std::fs::write(&config, named).unwrap();
    for command in ["run", "check"] {
        let error = crate::support::must_fail(&["peer", command, "--config", text(&config)]);
        assert!(error.contains("encrypted with another key; nothing was changed"), "{error}");
        assert!(error.contains("encryption_key"), "{error}");
    }
    std::fs::write(&config, written).unwrap();
    must(&["peer", "check", "--config", text(&config)]);
}
