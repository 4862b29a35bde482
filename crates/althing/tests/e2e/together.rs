//! One process that runs the peers of several ledgers.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Process, error_text, free_port, must, must_fail, run, text, until};

/// A ledger with one peer.
struct Ledger {
    files: PathBuf,
    port: u16,
}

impl Ledger {
    fn found(folder: &Path, name: &str, port: u16) -> Self {
        let files = folder.join(name);
        let (ports, mqtt) = (port.to_string(), (port + 9).to_string());
        let new = ["network", "new", text(&files), "--name", name, "--insecure-keys"];
        must(&[&new[..], &["--peers", "1", "--port", &ports, "--mqtt-port", &mqtt]].concat());
        Self { files, port }
    }

    fn config(&self) -> PathBuf {
        self.files.join("peer-1/config.toml")
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn ask(&self, arguments: &[&str]) -> Value {
        let key = self.files.join("organisations/1.json");
        let known = ["--peer", &self.url(), "--key", text(&key), "--json"];
        serde_json::from_str(&must(&[arguments, &known].concat())).unwrap()
    }

    fn height(&self) -> Option<u64> {
        let output = run(&["peer", "status", "--peer", &self.url(), "--json"]);
        let status: Value = serde_json::from_slice(&output.stdout).ok()?;
        status["status"]["height"].as_u64()
    }
}

/// Two ledgers that rely on each other run in one process; a third ends alone, as its operator asks or because its folder is damaged.
#[test]
fn the_peers_of_several_ledgers_run_in_one_process_and_one_that_fails_ends_alone() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port(30);
    let names = [("shop", 0), ("maker", 10), ("third", 20)];
    let ledgers = names.map(|(name, up)| Ledger::found(folder.path(), name, port + up));
    let [shop, maker, third] = &ledgers;
    let configs: Vec<PathBuf> = ledgers.iter().map(Ledger::config).collect();
    let arguments: Vec<&str> =
        configs.iter().flat_map(|config| ["--config", text(config)]).collect();

    let twice = ["peer", "run", "--config", text(&configs[0]), "--config", text(&configs[0])];
    assert!(must_fail(&twice).contains("twice"));

    let log = folder.path().join("log.txt");
    let process = Process::start_with("peer", &arguments, &log);
    for ledger in &ledgers {
        until("blocks of each ledger", || ledger.height().filter(|height| *height >= 2));
    }
    let shown = must(&[&["peer", "ledgers"][..], &arguments, &["--json"]].concat());
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let networks: Vec<&str> = shown["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"]["network"].as_str().unwrap())
        .collect();
    assert_eq!(networks, ["shop", "maker", "third"]);

    // Each relies on what the other proves.
    for (one, other) in [(shop, maker), (maker, shop)] {
        let genesis = other.files.join("genesis.json");
        one.ask(&["ledger", "link", "register", text(&genesis)]);
        let name = if other.port == shop.port { "shop" } else { "maker" };
        let from = other.url();
        one.ask(&["ledger", "link", "advance", name, "--from", &from]);
        let shown = must(&["ledger", "link", "show", name, "--peer", &one.url(), "--json"]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert!(shown["height"].as_u64().unwrap() > 0, "{shown}");
    }

    // One of them ends as its operator asks; the others go on, and are told apart.
    let ended = run(&["peer", "stop", "--peer", &third.url(), "--key", text(&third.operator())]);
    assert!(ended.status.success(), "{}", error_text(&ended));
    until("the end of the third", || third.height().is_none().then_some(()));
    let before = [shop, maker].map(|ledger| ledger.height().unwrap());
    for (ledger, before) in [shop, maker].into_iter().zip(before) {
        until("more blocks", || ledger.height().filter(|height| *height > before + 1));
    }
    let shown = must(&[&["peer", "ledgers"][..], &arguments].concat());
    assert!(shown.contains("does not answer"), "{shown}");
    process.stop();

    // Another time the folder of one is damaged.
    let data = third.files.join("peer-1/data");
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::write(&data, "no folder").unwrap();
    let process = Process::start_with("peer", &arguments, &log);
    for ledger in [shop, maker] {
        until("blocks of the others", || ledger.height().filter(|height| *height >= 2));
    }
    until("that the third is named", || {
        let told = std::fs::read_to_string(&log).ok()?;
        let named = |line: &str| line.contains("ended") && line.contains(text(&configs[2]));
        told.lines().any(named).then_some(())
    });
    assert!(third.height().is_none());
    process.stop_badly();
}

impl Ledger {
    /// The organisation that runs the peer may operate it.
    fn operator(&self) -> PathBuf {
        self.files.join("organisations/1.json")
    }
}
