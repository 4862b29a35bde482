//! A private ledger, whose three peers agree by Raft.

use std::{collections::BTreeSet, time::Instant};

use serde_json::Value;

use crate::support::{Process, free_port, must, must_fail, run, text, until};

struct Private {
    folder: tempfile::TempDir,
    port: u16,
    peers: Vec<Option<Process>>,
}

const PEERS: u16 = 3;

impl Private {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port(10 * PEERS);
        let at = folder.path().join("plant");
        must(&[
            "init",
            text(&at),
            "--name",
            "plant",
            "--mode",
            "private",
            "--port",
            &port.to_string(),
            "--mqtt-port",
            &(port + 9).to_string(),
            "--insecure-keys",
        ]);
        let mut network = Self { folder, port, peers: (0..PEERS).map(|_| None).collect() };
        (0..usize::from(PEERS)).for_each(|peer| network.start_peer(peer));
        network
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("plant").join(name)
    }

    fn start_peer(&mut self, peer: usize) {
        let config = self.path(&format!("peer-{}", peer + 1)).join("config.toml");
        self.peers[peer] = Some(Process::start("peer", &config));
    }

    fn url(&self, peer: usize) -> String {
        format!("http://127.0.0.1:{}", self.port + 10 * peer as u16)
    }

    /// What a command answers at a peer, if it does.
    fn ask(&self, peer: usize, arguments: &[&str]) -> Option<Value> {
        let url = self.url(peer);
        let output = run(&[arguments, &["--peer", &url, "--json"]].concat());
        let answer = output.status.success().then(|| serde_json::from_slice(&output.stdout));
        answer?.ok()
    }

    fn status(&self, peer: usize) -> Option<Value> {
        Some(self.ask(peer, &["peer", "status"])?["status"].clone())
    }

    fn height(&self, peer: usize) -> Option<u64> {
        self.status(peer)?["height"].as_u64()
    }

    /// Writes a record at a peer; the transaction's id once it is final.
    fn record(&self, peer: usize, note: &str) -> Option<String> {
        let key = self.path("organisations").join("1.json");
        let arguments = ["tx", "record", "--kind", "note", "--data", note, "--key", text(&key)];
        let answer = self.ask(peer, &arguments)?;
        answer["receipt"]["transaction"].as_str().map(str::to_owned)
    }
}

/// The leader is killed: the others go on, and it catches up. Two are killed: nothing is agreed on, and
/// what was before still stands when they return. A proof names a majority of the peers.
#[test]
fn three_peers_of_one_owner_outlive_the_leader_and_prove_what_they_hold() {
    let mut network = Private::start();
    let first = until("a first record", || network.record(0, "first"));
    let leader = until("a leader", || {
        let leader = network.status(0)?["leader"].as_str()?.to_owned();
        let keys: BTreeSet<_> = (0..3)
            .map(|peer| network.status(peer)?["key"].as_str().map(str::to_owned))
            .collect::<Option<_>>()?;
        keys.contains(&leader).then_some(())?;
        (0..3).find(|peer| {
            network.status(*peer).is_some_and(|status| status["key"].as_str() == Some(&leader))
        })
    });
    network.peers[leader].take().unwrap().kill();
    let killed = Instant::now();
    let others: Vec<usize> = (0..3).filter(|peer| *peer != leader).collect();
    let before = until("a height", || network.height(others[0]));
    until("a block without the leader", || (network.height(others[0])? > before + 1).then_some(()));
    println!("{:?} from the death of the leader to the second block after it", killed.elapsed());
    until("a record without the leader", || network.record(others[1], "second"));

    network.peers[others[0]].take().unwrap().kill();
    let stuck = until("a height", || network.height(others[1]));
    network.start_peer(leader);
    network.start_peer(others[0]);
    until("all three with more", || {
        (0..3).all(|peer| network.height(peer).is_some_and(|it| it > stuck + 2)).then_some(())
    });
    until("a third record", || network.record(leader, "third"));

    let bundle = network.path("first.proof");
    until("a proof", || {
        network.ask(others[1], &["tx", "prove", &first, "--out", text(&bundle)]).map(drop)
    });
    let genesis = network.path("genesis.json");
    let verified = must(&["verify", text(&bundle), "--genesis", text(&genesis)]);
    assert!(verified.contains(" of 3 validators signed"), "{verified}");
}

#[test]
fn raft_is_refused_where_peers_need_not_trust_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("net");
    let arguments = ["init", text(&at), "--name", "net", "--mode", "consortium"];
    let error = must_fail(&[&arguments[..], &["--agreement", "raft", "--insecure-keys"]].concat());
    assert!(error.contains("raft trusts every peer"), "{error}");
}
