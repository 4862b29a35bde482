//! A confidential stream between real processes: who was given its key sees the value, and neither a
//! stranger nor anybody who reads the disk of a peer does.

use std::{fs, path::Path};

use crate::support::{Network, must, run, text, until};

/// Values whose mantissas are bytes that no file has by chance: at scale 2, 0x075bcd15 and 0x3ade68b1.
const SECRET: (&str, [u8; 4]) = ("1234567.89", [0x07, 0x5b, 0xcd, 0x15]);
const OPEN: (&str, [u8; 4]) = ("9876543.21", [0x3a, 0xde, 0x68, 0xb1]);

/// Whether a file below a folder has these bytes.
fn holds(folder: &Path, bytes: &[u8]) -> bool {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.into_iter().any(|path| {
        if path.is_dir() {
            return holds(&path, bytes);
        }
        let content = fs::read(&path).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
fn a_sealed_value_is_seen_by_its_reader_and_not_by_a_peers_disk_nor_by_a_stranger() {
    let mut network = Network::start();
    network.start_gateway();
    network.add_thing(2, "vault", "level");
    network.add_thing(2, "hall", "level");
    let (owner, gateway) = (network.organisation(2), network.path("gateway/keys/gateway.json"));
    let (reader, stranger) = (network.path("reader.json"), network.path("stranger.json"));
    for (name, key) in [("reader", &reader), ("stranger", &stranger)] {
        let register = ["entity", "register", "--name", name, "--kind", "service", "--entity-key"];
        let with = [text(key), "--insecure-keys", "--key", text(&owner)];
        network.ask(0, &[&register[..], &with].concat());
    }
    for key in [&owner, &gateway, &reader] {
        network.ask(0, &["entity", "agree", "--key", text(key)]);
    }
    let stream = "vault/level";
    let gateway_id = network.ask(0, &["entity", "list", "--kind", "gateway"]);
    let gateway_id = gateway_id["items"][0]["hex"].as_str().unwrap().to_owned();
    let seal = ["stream", "seal", stream, "--reader", &gateway_id, "--reader", "reader"];
    let sealed = network.ask(0, &[&seal[..], &["--key", text(&owner)]].concat());
    assert_eq!(sealed["key_number"], 1);

    network.publish("althing/vault/level", SECRET.0);
    network.publish("althing/hall/level", OPEN.0);
    let genesis = network.path("genesis.json");
    for peer in 0..4 {
        let latest = ["reading", "latest", stream];
        let shown = until("a sealed batch", || {
            let shown = network.try_ask(peer, &latest)?;
            (shown["sealed"].as_array()?.len() == 1).then_some(shown)
        });
        assert_eq!(shown["items"].as_array().unwrap().len(), 0, "a stranger sees nothing");
        let opened = network.ask(peer, &[&latest[..], &["--key", text(&reader)]].concat());
        assert_eq!(opened["items"][0]["value"], SECRET.0);
        let closed = network.ask(peer, &[&latest[..], &["--key", text(&stranger)]].concat());
        assert_eq!(closed["items"].as_array().unwrap().len(), 0);
        until("the other value", || {
            let shown = network.try_ask(peer, &["reading", "latest", "hall/level"])?;
            (shown["items"].as_array()?.len() == 1).then_some(())
        });
    }

    // A proof holds for everybody, and shows the value to the reader.
    let proof = network.path("sealed.proof");
    let prove = ["reading", "prove", stream, "--seq", "0", "--out", text(&proof)];
    until("a block that commits to it", || network.try_ask(1, &prove));
    let verify = ["verify", text(&proof), "--genesis", text(&genesis)];
    let said = must(&verify);
    assert!(said.contains("encrypted") && !said.contains(SECRET.0), "{said}");
    let url = network.url(3);
    let said = must(&[&verify[..], &["--key", text(&reader), "--peer", &url]].concat());
    assert!(said.contains(SECRET.0), "{said}");

    // Taken out, the reader reads what it could, and nothing new.
    let rotate = ["stream", "rotate", stream, "--without", "reader", "--key", text(&owner)];
    assert_eq!(network.ask(0, &rotate)["key_number"], 2);
    network.publish("althing/vault/level", "5.25");
    let list = ["reading", "list", stream, "--key", text(&owner)];
    until("a value after the rotation", || {
        let shown = network.try_ask(2, &list)?;
        (shown["items"].as_array()?.len() == 2).then_some(())
    });
    let shown = network.ask(2, &["reading", "list", stream, "--key", text(&reader)]);
    // The gateway may seal under the key before for as long as the grace lasts.
    let closed = shown["sealed"].as_array().map_or(0, Vec::len);
    assert!(shown["items"][0]["value"] == SECRET.0 && closed <= 1, "{shown}");

    // Erased: every peer says that it holds its payload no more. What a batch amounts to stays on the
    // ledger, and of a single reading that is its value: only a confidential stream hides it.
    let data: Vec<_> = (1..=4).map(|number| network.path(&format!("peer-{number}"))).collect();
    assert!(data.iter().all(|folder| holds(folder, &OPEN.1)), "what is not sealed can be found");
    let erase = ["data", "erase", "hall/level", "--first-seq", "0", "--last-seq", "0"];
    network.ask(0, &[&erase[..], &["--key", text(&owner)]].concat());
    until("four purge receipts", || {
        let erased = network.try_ask(0, &["data", "erased", "hall/level"])?;
        (erased["items"][0]["confirmed"].as_array()?.len() == 4).then_some(())
    });
    assert_eq!(network.ask(0, &["data", "where", stream])["peers"].as_array().unwrap().len(), 4);
    network.stop();
    for folder in &data {
        assert!(!holds(folder, &SECRET.1), "{} holds the secret", folder.display());
    }
    assert!(!run(&["data", "erased", "hall/level", "--peer", &url]).status.success());
}
