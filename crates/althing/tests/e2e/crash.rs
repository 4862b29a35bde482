//! One of four peers dies.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Network, must, text, until};

const STREAM: &str = "boiler/temperature";
const TOPIC: &str = "althing/boiler/temperature";

fn count(network: &Network, peer: usize) -> u64 {
    let stream = network.try_ask(peer, &["stream", "show", STREAM]);
    stream.and_then(|stream| stream["total"]["count"].as_u64()).unwrap_or(0)
}

/// The newest result that a peer shows: height and state root.
fn result(network: &Network, peer: usize) -> Option<(u64, String)> {
    let blocks = network.try_ask(peer, &["block", "list", "--limit", "1"])?;
    let result = &blocks["items"][0]["result"];
    Some((result["height"].as_u64()?, result["state_root"].as_str()?.to_owned()))
}

/// The values that a peer shows, if it holds them all.
fn values(network: &Network, peer: usize) -> Option<Vec<String>> {
    let readings = network.try_ask(peer, &["reading", "list", STREAM])?;
    let complete = readings["unavailable"].as_array().is_none_or(Vec::is_empty);
    let value = |reading: &Value| reading["value"].as_str().map(ToOwned::to_owned);
    let values = readings["items"].as_array()?.iter().map(value).collect::<Option<_>>()?;
    complete.then_some(values)
}

#[test]
fn readings_go_on_without_one_of_four_peers_and_it_catches_up() {
    let mut network = Network::start();
    network.start_gateway();
    network.add_thing(1, "boiler", "temperature");
    let published: Vec<String> = (0..12).map(|number| format!("{}.50", 20 + number)).collect();
    let (before, during) = published.split_at(4);
    before.iter().for_each(|value| network.publish(TOPIC, value));
    until("the first reading", || (count(&network, 3) > 0).then_some(()));

    // In the middle of what flows; each publish returns when the gateway has acknowledged it.
    network.kill_peer(3);
    during.iter().for_each(|value| network.publish(TOPIC, value));
    until("readings agreed by three", || (count(&network, 0) == 12).then_some(()));

    // What the dead peer left is whole, before it has had a chance to repair anything.
    let config = network.config(3);
    let check = || {
        let report = must(&["peer", "check", "--config", text(&config), "--json"]);
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!((&report["ok"], &report["broken_at"]), (&Value::from(true), &Value::Null));
        report
    };
    assert!(check()["payloads"].as_u64().unwrap() >= 1);

    network.start_peer(3);
    until("the fourth peer with all readings", || {
        (values(&network, 3)?.len() == published.len()).then_some(())
    });
    for peer in 0..4 {
        // Acknowledged readings: all of them, each once, in the order they came.
        assert_eq!(values(&network, peer).unwrap(), published, "peer {peer}");
    }
    let agreed = until("equal state roots", || {
        let results: Option<BTreeSet<_>> = (0..4).map(|peer| result(&network, peer)).collect();
        results.filter(|results| results.len() == 1)?.pop_first()
    });
    network.stop();
    let report = check();
    assert!(report["height"].as_u64().unwrap() >= agreed.0, "{report}");
    assert_eq!(
        (report["missing"].as_u64(), report["damaged"].as_array().unwrap().len()),
        (Some(0), 0)
    );
}
