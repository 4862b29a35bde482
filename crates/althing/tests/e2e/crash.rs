//! One of four peers dies.

use crate::support::{Network, text, until};

fn count(network: &Network, peer: usize) -> u64 {
    let stream = network.try_ask(peer, &["stream", "show", "boiler/temperature"]);
    stream.and_then(|stream| stream["total"]["count"].as_u64()).unwrap_or(0)
}

/// The newest result that a peer shows: height and state root.
fn result(network: &Network, peer: usize) -> Option<(u64, String)> {
    let blocks = network.try_ask(peer, &["block", "list", "--limit", "1"])?;
    let result = &blocks["items"][0]["result"];
    Some((result["height"].as_u64()?, result["state_root"].as_str()?.to_owned()))
}

#[test]
fn readings_go_on_without_one_of_four_peers_and_it_catches_up() {
    let mut network = Network::start();
    network.start_gateway();
    network.add_thing(1, "boiler", "temperature");
    network.publish("althing/boiler/temperature", "20.50");
    until("the first reading", || (count(&network, 0) == 1).then_some(()));

    network.peers[3].as_mut().expect("a fourth peer").kill();
    for value in ["21.00", "21.50", "22.00"] {
        network.publish("althing/boiler/temperature", value);
    }
    until("readings agreed by three", || (count(&network, 0) == 4).then_some(()));

    network.start_peer(3);
    until("the fourth peer with all readings", || (count(&network, 3) == 4).then_some(()));
    let latest = ["reading", "latest", "boiler/temperature"];
    until("the payloads at the fourth peer", || {
        let latest = network.try_ask(3, &latest)?;
        (latest["items"][0]["value"] == "22.00").then_some(())
    });
    until("equal state roots", || {
        let results: Option<Vec<_>> = (0..4).map(|peer| result(&network, peer)).collect();
        let results = results?;
        results.iter().all(|other| *other == results[0]).then_some(())
    });
    let disk = network.path("peer-4/config.toml");
    network.stop();
    let report = crate::support::must(&["peer", "check", "--config", text(&disk), "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["ok"], true, "{report}");
    assert!(report["payloads"].as_u64().unwrap() >= 1, "{report}");
}
