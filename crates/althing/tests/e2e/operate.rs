//! A peer that its operators configure, look after and stop: on its machine and from elsewhere.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::Value;

use crate::support::{Network, must, must_fail, text, until};

/// The peer that is operated.
const PEER: usize = 3;

/// The answer of a command as JSON.
fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&must(&[arguments, &["--json"]].concat())).unwrap()
}

/// The only file of a log of the peer's.
fn log_file(network: &Network, name: &str) -> std::path::PathBuf {
    let files = fs::read_dir(network.path("peer-4/data")).unwrap().flatten();
    files.map(|file| file.path()).find(|path| text(path).contains(name)).unwrap()
}

#[test]
fn a_peer_is_configured_while_it_runs_by_those_who_may() {
    let mut network = Network::start();
    let (config, url) = (network.config(PEER), network.url(PEER));
    let (own, other) = (network.organisation(PEER), network.organisation(0));
    let here = ["--config", text(&config)];
    let there = ["--peer", &url, "--key", text(&own)];
    let before = fs::read_to_string(&config).unwrap();
    let file = |name: &str, text: &str| {
        let path = network.path(name);
        fs::write(&path, text).unwrap();
        path
    };
    let wanted = file(
        "wanted.toml",
        &format!(
            "{before}\n[peer.mempool]\ntransactions_max = 1234\n[peer.store]\ncache_bytes = 16777216\n"
        ),
    );
    let change = |command: &str, path: &Path, who: &[&str]| {
        json(&[&["peer", "config", command, text(path)][..], who].concat())["items"].clone()
    };
    let planned = change("check", &wanted, &there);
    let takes = |key: &str| {
        let found = planned.as_array().unwrap().iter().find(|one| one["key"] == key);
        found.unwrap()["takes"].as_str().unwrap().to_owned()
    };
    assert_eq!(takes("peer.mempool.transactions_max"), "now");
    assert_eq!(takes("peer.store.cache_bytes"), "restart");
    assert_eq!(fs::read_to_string(&config).unwrap(), before, "nothing has changed");
    // Another organisation may not; and this one may not say who may.
    let apply = |path: &Path, who: &[&str]| {
        must_fail(&[&["peer", "config", "apply", text(path)][..], who].concat())
    };
    let refused = apply(&wanted, &["--peer", &url, "--key", text(&other)]);
    assert!(refused.contains("not_an_operator"), "{refused}");
    let others = file("others.toml", &before.replace("operators = [", "auditors = ["));
    let refused = apply(&others, &there);
    assert!(refused.contains("machine_only"), "{refused}");
    let wrong = file("wrong.toml", "[peer]\nrole = \"chief\"\n");
    let refused = apply(&wrong, &here);
    assert!(refused.contains("line 2") && refused.contains("peer.role"), "{refused}");
    assert_eq!(change("apply", &wanted, &there), planned);
    let shown = json(&[&["peer", "config", "show"][..], &here].concat());
    assert_eq!(shown["waiting"].as_array().unwrap().len(), 1, "{shown}");
    assert!(shown["text"].as_str().unwrap().contains("transactions_max = 1234"));
    // It reads its new configuration at the next start, and nothing waits any more.
    must(&[&["peer", "stop"][..], &here].concat());
    network.peers[PEER].take().unwrap().ended_well();
    network.start_peer(PEER);
    network.wait_until_ready();
    let shown = json(&[&["peer", "config", "show"][..], &there].concat());
    assert_eq!(shown["version"]["number"], 2);
    assert_eq!(shown["waiting"].as_array().unwrap().len(), 0, "{shown}");
    network.stop();
}

/// Each transaction that was answered for is on the ledger, whenever the peer was asked to end.
#[test]
fn a_peer_that_is_stopped_settles_what_it_took_and_ends_with_success() {
    let mut network = Network::start();
    let config = network.config(PEER);
    let key = network.organisation(1);
    let stopped = AtomicBool::new(false);
    let taken = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut taken = Vec::new();
            while !stopped.load(Ordering::SeqCst) {
                let record = ["tx", "record", "--kind", "note", "--data", "x", "--key", text(&key)];
                if let Some(done) = network.try_ask(PEER, &record) {
                    taken.push(done["receipt"]["transaction"].as_str().unwrap().to_owned());
                }
            }
            taken
        });
        until("records", || {
            (network.ask(0, &["peer", "status"])["status"]["height"].as_u64()? > 8).then_some(())
        });
        must(&["peer", "stop", "--config", text(&config)]);
        until("the end of the peer", || {
            network.try_ask(PEER, &["peer", "status"]).is_none().then_some(())
        });
        stopped.store(true, Ordering::SeqCst);
        writer.join().unwrap()
    });
    network.peers[PEER].take().unwrap().ended_well();
    assert!(!taken.is_empty());
    for id in &taken {
        until("a record that was answered for", || {
            let found = network.try_ask(0, &["tx", "show", id])?;
            (found["status"] == "finalized").then_some(())
        });
    }
    network.stop();
}

#[test]
fn an_auditor_takes_home_what_can_be_checked_and_a_log_that_was_changed_is_told() {
    let mut network = Network::start();
    network.start_gateway();
    network.add_thing(0, "boiler", "temperature");
    network.publish("althing/boiler/temperature", "21.5");
    let (config, url) = (network.config(PEER), network.url(PEER));
    let own = network.organisation(PEER);
    let there = ["--peer", &url, "--key", text(&own)];
    let genesis = network.path("genesis.json");
    let audit = network.path("audit.json");
    // A file is made of blocks that others commit to, which come with time.
    until("the boiler's reading with proof", || {
        let _ = fs::remove_file(&audit);
        let export = ["audit", "export", text(&audit), "--thing", "boiler"];
        let made = network.try_ask(PEER, &[&export[..], &["--key", text(&own)]].concat())?;
        (made["transactions"].as_u64()? >= 3).then_some(())
    });
    let verify = |path: &Path| {
        ["audit", "verify", text(path), "--genesis", text(&genesis)].map(str::to_owned)
    };
    let verified = |path: &Path| {
        let arguments = verify(path);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        crate::support::run(&arguments).status.success()
    };
    assert!(verified(&audit));
    let whole: Value = serde_json::from_str(&fs::read_to_string(&audit).unwrap()).unwrap();
    type Change = fn(&mut Value);
    let changes: [Change; 6] = [
        |one| one["transactions"][0]["id"] = "00".repeat(32).into(),
        |one| one["transactions"][1]["height"] = 1_000_000.into(),
        |one| one["about"][0]["key"] = "742f".into(),
        |one| one["operations"][0]["detail"] = "nothing".into(),
        |one| one["ledger"] = "11".repeat(32).into(),
        |one| one["form"] = "another".into(),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let (mut changed, path) = (whole.clone(), network.path("changed.json"));
        change(&mut changed);
        fs::write(&path, changed.to_string()).unwrap();
        assert!(!verified(&path), "change {index}");
    }
    // Somebody changes what the peer wrote down, while it does not run.
    must(&["peer", "stop", "--config", text(&config)]);
    network.peers[PEER].take().unwrap().ended_well();
    let log = log_file(&network, "operations-");
    let text = fs::read_to_string(&log).unwrap();
    assert!(!text.contains("stop") && !text.contains("ended"), "who has the disk reads no log");
    let lines: Vec<&str> = text.lines().collect();
    let without_one = [&lines[..lines.len() - 2], &lines[lines.len() - 1..]].concat();
    fs::write(&log, without_one.join("\n") + "\n").unwrap();
    network.start_peer(PEER);
    let id = until("an alarm about the log", || {
        let alarms = network.try_ask(PEER, &["peer", "alarms"])?;
        let found = alarms["items"].as_array()?.iter().find(|one| one["code"] == "log_damaged")?;
        found["id"].as_u64()
    });
    let id = id.to_string();
    let seen = ["peer", "acknowledge", &id, "--note", "it was me"];
    let seen = json(&[&seen[..], &there].concat());
    assert_eq!(seen["acknowledged"]["note"], "it was me");
    let told = must(&[&["peer", "log", "--alarms"][..], &there].concat());
    assert!(told.contains("raised") && told.contains("it was me"), "{told}");
    network.stop();
}
