//! Members change the settings of their ledger, one proposal after the other.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Network, text};

/// Proposes parameters as the first organisation, lets two others agree, which is enough; the
/// parameters that hold then.
fn decide(network: &Network, flag: &str, value: &str) -> Value {
    let keys: Vec<PathBuf> = (0..3).map(|index| network.organisation(index)).collect();
    let propose = ["vote", "parameters", flag, value, "--key", text(&keys[0])];
    let proposed = network.ask(0, &propose);
    let id = proposed["proposal"].as_str().unwrap();
    for key in &keys[1..] {
        network.ask(0, &["vote", "yes", id, "--key", text(key)]);
    }
    // The newest comes first.
    assert_eq!(network.ask(0, &["vote", "list"])["items"][0]["status"], "enacted");
    network.ask(0, &["org", "list"])["parameters"].clone()
}

#[test]
fn a_proposal_keeps_the_parameters_that_members_changed_before() {
    let mut network = Network::start();
    let founded = network.ask(0, &["org", "list"])["parameters"].clone();
    // The genesis says what the ledger began with, so a proposal built from it would undo the first.
    let first = decide(&network, "--claim-ahead-max-ms", "61234");
    assert_eq!(first["claim_ahead_max_ms"], 61_234);
    assert_eq!(first["sequence_window"], founded["sequence_window"]);
    let second = decide(&network, "--sequence-window", "4321");
    assert_eq!(second["claim_ahead_max_ms"], 61_234);
    assert_eq!(second["sequence_window"], 4321);
    network.stop();
}
