//! A peer that was not there begins with a state of others, and ends with the whole history.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Network, Process, free_port, must, run, text, until};

/// Lets all peers admit a follower, and writes its configuration.
fn follower(network: &Network, folder: &Path, port: u16) -> PathBuf {
    let voting = folder.join("voting.json");
    must(&["key", "new", text(&voting), "--insecure-keys"]);
    let shown: Value =
        serde_json::from_str(&must(&["key", "show", text(&voting), "--json"])).unwrap();
    let public = shown["public"].as_str().unwrap();
    let public = public.rsplit(':').next().unwrap();
    let mut addresses = String::new();
    for index in 0..4 {
        let config = network.config(index);
        let written = std::fs::read_to_string(&config).unwrap();
        let admitting = format!("[peer.p2p]\nfollowers = [\"{public}\"]\n");
        std::fs::write(&config, written.replacen("[peer.p2p]\n", &admitting, 1)).unwrap();
        let url = network.url(index);
        let api: u16 = url.rsplit_once(':').unwrap().1.parse().unwrap();
        addresses.push_str(&format!("\"peer-{}\" = \"127.0.0.1:{}\"\n", index + 1, api + 1));
    }
    let config = format!(
        "genesis = {:?}\n[peer]\nrole = \"follower\"\nvoting_key = \"voting.json\"\nkey = \"\"\n\
         [peer.sync]\nbehind_blocks = 10\n[peer.p2p]\nlisten = \"127.0.0.1:{}\"\n\
         [peer.p2p.addresses]\n{addresses}[peer.api]\nlisten = \"127.0.0.1:{port}\"\n",
        text(&network.path("genesis.json")),
        port + 1,
    );
    let path = folder.join("config.toml");
    std::fs::write(&path, config).unwrap();
    path
}

fn ask(url: &str, arguments: &[&str]) -> Option<Value> {
    let output = run(&[arguments, &["--peer", url, "--json"]].concat());
    output.status.success().then(|| serde_json::from_slice(&output.stdout).ok())?
}

#[test]
fn a_new_follower_answers_from_a_state_of_others() {
    let mut network = Network::found();
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port(2));
    let config = follower(&network, folder.path(), port);
    (0..4).for_each(|index| network.start_peer(index));
    network.wait_until_ready();
    network.start_gateway();
    network.add_thing(2, "freezer", "temperature");
    for value in ["-18.25", "-18.50", "-18.75"] {
        network.publish("althing/freezer/temperature", value);
    }
    let key = network.organisation(0);
    for turn in 0..20 {
        let note = format!("{turn}");
        network.ask(0, &["tx", "record", "--kind", "turn", "--data", &note, "--key", text(&key)]);
    }

    let newcomer = Process::start("peer", &config);
    let url = format!("http://127.0.0.1:{port}");
    let stream = "freezer/temperature";
    until("the latest reading at the newcomer", || {
        let latest = ask(&url, &["reading", "latest", stream])?;
        (latest["items"][0]["value"] == "-18.75").then_some(())
    });
    let (out, genesis) = (network.path("proof"), network.path("genesis.json"));
    let prove = ["reading", "prove", stream, "--seq", "2", "--out", text(&out)];
    until("a proof by the newcomer", || ask(&url, &prove));
    must(&["verify", text(&out), "--genesis", text(&genesis)]);
    let log = std::fs::read_to_string(folder.path().join("log.txt")).unwrap();
    assert!(log.contains("takes the state over from other peers"), "{log}");

    // What is submitted to it becomes final, and it comes to know all that was before.
    let record = ["tx", "record", "--kind", "turn", "--data", "last", "--key", text(&key)];
    until("a transaction taken by the newcomer", || ask(&url, &record));
    let readings = until("the whole history", || {
        let readings = ask(&url, &["reading", "list", stream])?;
        (readings["items"].as_array()?.len() == 3).then_some(readings)
    });
    assert_eq!(readings["items"][0]["value"], "-18.25");
    until("nothing that is still fetched", || {
        let log = std::fs::read_to_string(folder.path().join("log.txt")).ok()?;
        log.contains("knows the whole history").then_some(())
    });
    // It goes on from there when it is started again.
    newcomer.kill();
    let newcomer = Process::start("peer", &config);
    until("the newcomer after a restart", || ask(&url, &["reading", "list", stream]));
    assert!(!folder.path().join("data/snapshot").exists());
    newcomer.stop();
    network.stop();
}
