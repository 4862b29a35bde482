//! A peer that was not there begins with a state of others, and ends with the whole history.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Network, Process, free_port, must, run, text, tool, until};

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

/// What a small single-board computer has (a Raspberry Pi Zero 2), bytes.
const SMALL_MACHINE_BYTES: u64 = 512 << 20;

/// A full device is one machine with a peer of its own, which votes on nothing, and a gateway that knows
/// no other: a constrained device comes to the ledger through it alone.
#[test]
fn a_constrained_device_comes_through_a_full_device_that_runs_a_peer_of_its_own() {
    let mut network = Network::found();
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port(2));
    let config = follower(&network, folder.path(), port);
    (0..4).for_each(|index| network.start_peer(index));
    network.wait_until_ready();
    let own_peer = Process::start("peer", &config);
    let url = format!("http://127.0.0.1:{port}");
    until("the peer of the full device", || ask(&url, &["peer", "status"]));
    let coap = format!("127.0.0.1:{}", free_port(1));
    let gateway = network.path("gateway/config.toml");
    let written = std::fs::read_to_string(&gateway).unwrap();
    let peers = written.lines().find(|line| line.starts_with("peers = ")).unwrap();
    let only_own = written.replacen(peers, &format!("peers = [{url:?}]"), 1);
    let more = format!("\n[gateway.coap]\nlisten = {coap:?}\nanonymous = \"anybody\"\n");
    std::fs::write(&gateway, only_own + &more).unwrap();
    network.start_gateway();
    network.add_thing(2, "freezer", "temperature");

    // An unmodified client of a device that has room for nothing else.
    let address = format!("coap://{coap}/althing/freezer/temperature");
    until("a full device that takes the reading", || {
        let mut device = tool("coap-client-notls", "apt-get install libcoap3-bin");
        device.args(["-m", "post", "-B", "5", "-v", "3", "-e", "-18.25", &address]);
        let output = device.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        said.is_empty().then_some(())
    });
    let (out, genesis) = (network.path("proof"), network.path("genesis.json"));
    let stream = "freezer/temperature";
    for peer in 0..4 {
        let latest = until("the reading at the peers of others", || {
            let latest = network.try_ask(peer, &["reading", "latest", stream])?;
            latest["items"][0]["value"].as_str().map(str::to_owned)
        });
        assert_eq!(latest, "-18.25");
    }
    let prove = ["reading", "prove", stream, "--seq", "0", "--out", text(&out)];
    until("a proof by the full device", || ask(&url, &prove));
    must(&["verify", text(&out), "--genesis", text(&genesis)]);

    let took = own_peer.memory_max() + network.gateway_memory_max();
    assert!(took < SMALL_MACHINE_BYTES, "a full device is a small machine: {took} bytes");
    own_peer.stop();
    network.stop();
}
