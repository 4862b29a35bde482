//! Four peers that agree by Raft come to agree by Simplex, by vote, while a sensor goes on.

use std::path::Path;

use serde_json::Value;

use crate::support::{Network, must, must_fail, text, until};

/// Blocks in each epoch: the fewest there may be.
const EPOCH_BLOCKS: &str = "32";
const STREAM: &str = "freezer/temperature";
const TOPIC: &str = "althing/freezer/temperature";

/// How peers agree now, as one of them says.
fn mechanism(network: &Network, peer: usize) -> Option<String> {
    let found = network.try_ask(peer, &["peer", "status"])?;
    Some(found["status"]["mechanism"].as_str()?.to_owned())
}

/// Proves a reading at a peer.
fn prove(network: &Network, peer: usize, seq: u64, out: &Path) {
    let seq = seq.to_string();
    let arguments = ["reading", "prove", STREAM, "--seq", &seq, "--out", text(out)];
    until("a block that commits to the reading", || network.try_ask(peer, &arguments));
}

/// What somebody says of a proof who has nothing but the genesis.
fn verified(network: &Network, proof: &Path) -> String {
    must(&["verify", text(proof), "--genesis", text(&network.path("genesis.json"))])
}

#[test]
fn peers_that_agreed_by_raft_agree_by_simplex_and_proofs_of_both_verify() {
    let mode = ["--mode", "private", "--agreement", "raft", "--epoch-blocks", EPOCH_BLOCKS];
    let mut network = Network::found_with(&mode);
    (0..4).for_each(|index| network.start_peer(index));
    network.wait_until_ready();
    network.start_gateway();
    network.add_thing(1, "freezer", "temperature");
    network.publish(TOPIC, "-18.25");
    let (old, new) = (network.path("old.proof"), network.path("new.proof"));
    prove(&network, 2, 0, &old);
    assert!(verified(&network, &old).contains("3 of 4 validators signed"));

    // It is told what that means before anybody votes.
    let (url, key) = (network.url(0), |index: usize| network.organisation(index));
    let first = key(0);
    let asks = |to| ["vote", "agreement", to, "--peer", &url, "--key", text(&first)];
    let told = must(&[&asks("simplex")[..], &["--dry-run"]].concat());
    assert!(told.contains("agreed on by simplex: the ledger would outlive 1 of its 4"), "{told}");
    let refused = must_fail(&asks("raft"));
    assert!(refused.contains("changes_nothing"), "{refused}");
    let propose = ["vote", "agreement", "simplex", "--from-height", "50", "--reason", "a guest"];
    let proposed = network.ask(0, &[&propose[..], &["--key", text(&key(0))]].concat());
    let from = proposed["consequence"]["mechanism_from_height"].as_u64().unwrap();
    assert_eq!(from % 32, 0, "{proposed}");
    let id = proposed["proposal"].as_str().unwrap().to_owned();
    let shown = network.ask(0, &["vote", "show", &id]);
    assert_eq!((&shown["mechanism"], &shown["votes_needed"]), (&"simplex".into(), &3.into()));
    for member in [1, 2] {
        network.ask(0, &["vote", "yes", &id, "--key", text(&key(member))]);
    }
    assert_eq!(network.ask(0, &["org", "list"])["planned_mechanism"]["mechanism"], "simplex");

    // One peer is down when it begins; the sensor goes on, and so do blocks.
    network.kill_peer(3);
    let mut last = 0;
    let mut publish_until = |network: &Network, peer: usize| {
        until("simplex", || {
            for _ in 0..4 {
                network.publish(TOPIC, "-17.75");
                last += 1;
            }
            (mechanism(network, peer)? == "simplex").then_some(())
        });
        last
    };
    let during = publish_until(&network, 0);
    let height = |peer: usize| network.try_ask(peer, &["peer", "status"]);
    let reached = height(0).unwrap()["status"]["height"].as_u64().unwrap();
    assert!(reached + 1 >= from, "not before its height: {reached}");
    network.start_peer(3);
    until("the fourth peer in an epoch of simplex", || {
        (mechanism(&network, 3)? == "simplex").then_some(())
    });
    // It is needed now: of four, three sign, and another dies in the middle of the epoch.
    network.kill_peer(1);
    network.publish(TOPIC, "-16.50");
    prove(&network, 3, during + 1, &new);
    let said = verified(&network, &new);
    assert!(said.contains("and agree by simplex, as members decided"), "{said}");
    assert!(said.contains("3 of 4 validators signed"), "{said}");
    assert!(verified(&network, &old).contains("3 of 4 validators signed"), "it still holds");
    network.start_peer(1);
    until("the peer that died, in the same epoch or a later one", || {
        let found: Value = network.try_ask(1, &["stream", "show", STREAM])?;
        (found["total"]["count"].as_u64()? > during + 1).then_some(())
    });
    assert_eq!(mechanism(&network, 1).as_deref(), Some("simplex"));
    let few = network.ask(0, &["network", "decentralisation"]);
    assert_eq!(few["least"]["divide"], 2, "a peer that lies divides nothing any more: {few}");
    network.stop();
}
