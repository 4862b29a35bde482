//! A ledger with tokens: who pays, what it costs, and what readings earn.

use serde_json::Value;

use crate::support::{Network, must, must_fail, text, until};

/// What an account has, in the smallest unit.
fn has(network: &Network, peer: usize, account: &str) -> u64 {
    let holding = network.ask(peer, &["wallet", "show", account]);
    holding["balance"].as_str().unwrap().parse().unwrap()
}

fn reasons(history: &Value) -> Vec<&str> {
    let items = history["items"].as_array().unwrap();
    items.iter().map(|line| line["reason"].as_str().unwrap()).collect()
}

#[test]
fn tokens_are_paid_locked_and_earned_and_a_gateway_needs_none() {
    let token = ["--token", "watt", "--token-decimals", "2", "--token-each", "1000"];
    let fee = ["--fee-per-transaction", "1"];
    let mut network = Network::found_with(&[&token[..], &fee].concat());
    (0..4).for_each(|peer| network.start_peer(peer));
    network.wait_until_ready();
    let keys: Vec<_> = (0..4).map(|index| network.organisation(index)).collect();
    let key = |index: usize| text(&keys[index]);
    assert_eq!(network.ask(3, &["wallet", "supply"])["total"], "400000");

    let paid = ["wallet", "send", "organisation-2", "12.5", "--memo", "pallet 7", "--key", key(0)];
    network.ask(0, &paid);
    assert_eq!(has(&network, 0, "organisation-1"), 100_000 - 1250 - 1);
    until("the same on another peer", || {
        (has(&network, 2, "organisation-2") == 101_250).then_some(())
    });
    let history = network.ask(0, &["wallet", "history", "organisation-1"]);
    assert_eq!(reasons(&history), ["transfer", "fee", "genesis"]);
    assert_eq!(history["items"][0]["memo"], "pallet 7");
    let much = ["wallet", "send", "organisation-2", "100000", "--key", key(0)];
    let error = must_fail(&[&much[..], &["--peer", &network.url(0)]].concat());
    assert!(error.contains("fewer tokens"), "{error}");

    let lock = ["wallet", "escrow", "open", "organisation-3", "300", "--blocks", "1000"];
    let opened = network.ask(0, &[&lock[..], &["--key", key(0)]].concat());
    let escrow = opened["receipt"]["transaction"].as_str().unwrap();
    assert_eq!(network.ask(0, &["wallet", "escrow", "show", escrow])["amount"], "30000");
    network.ask(0, &["wallet", "escrow", "release", escrow, "--key", key(0)]);
    assert_eq!(has(&network, 0, "organisation-3"), 130_000);

    // The gateway has nothing; its owner pays for it. Readings of organisation 2 earn.
    network.start_gateway();
    network.add_thing(1, "freezer", "temperature");
    let promise = ["--per-day", "10", "--total", "100", "--blocks", "100000", "--key", key(0)];
    network.ask(0, &[&["wallet", "sponsor", "set", "gateway"][..], &promise].concat());
    let terms = ["--per-reading", "0.05", "--fund", "10", "--blocks", "100000", "--key", key(2)];
    let stream = "freezer/temperature";
    network.ask(2, &[&["wallet", "reward", "offer", stream][..], &terms].concat());
    network.publish("althing/freezer/temperature", "-18.25");
    let history = until("a reward for the reading", || {
        let history = network.try_ask(1, &["wallet", "history", "organisation-2"])?;
        (reasons(&history).first() == Some(&"reward")).then_some(history)
    });
    assert_eq!(history["items"][0]["amount"], "5");
    assert_eq!(has(&network, 1, "gateway"), 0);
    let sponsored = network.ask(1, &["wallet", "sponsor", "list", "organisation-1"]);
    assert!(sponsored["items"][0]["spent"].as_str().unwrap() >= "1", "{sponsored}");

    // What an account has is proven offline.
    let out = network.path("balance");
    let prove = ["wallet", "prove", "organisation-3", "--out", text(&out)];
    until("a block that commits to it", || network.try_ask(3, &prove));
    let genesis = network.path("genesis.json");
    let told = must(&["verify", text(&out), "--genesis", text(&genesis)]);
    assert!(told.contains("watt"), "{told}");

    // What accounts have is what the supply says.
    let all = network.ask(1, &["wallet", "list"]);
    let all = all["items"].as_array().unwrap();
    let sum: u64 =
        all.iter().map(|one| one["balance"].as_str().unwrap().parse::<u64>().unwrap()).sum();
    let supply = network.ask(1, &["wallet", "supply"]);
    let of = |place: &str| supply[place].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(sum, of("accounts"));
    assert_eq!(of("accounts") + of("escrows") + of("rewards") + of("fees"), 400_000);
    network.stop();
}
