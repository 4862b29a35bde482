//! What goes wrong at the rim, and what is said about it.

use std::{net::TcpListener, path::Path};

use crate::support::{free_port, must, must_fail, run, text};

/// Founds a network of one peer; the port of its interface, after which comes that for peers.
fn network(folder: &Path) -> u16 {
    let port = free_port(2);
    let (folder, number) = (text(folder), port.to_string());
    must(&[
        "network",
        "new",
        folder,
        "--name",
        "test",
        "--peers",
        "1",
        "--insecure-keys",
        "--port",
        &number,
    ]);
    port
}

#[test]
fn an_unknown_configuration_key_is_refused_with_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "[peer.api]\nlisten = \"127.0.0.1:1\"\nwrite = true\n").unwrap();
    for command in
        [&["config", "check", text(&config)][..], &["peer", "run", "--config", text(&config)]]
    {
        let error = must_fail(command);
        assert!(error.contains("line 3: unknown key `peer.api.write`"), "{error}");
        assert!(error.contains("did you mean `peer.api.writes`?"), "{error}");
    }
}

#[test]
fn an_unknown_flag_is_refused_with_the_nearest() {
    let error = must_fail(&["demo", "--headles"]);
    assert!(error.contains("--headless"), "{error}");
}

#[test]
fn the_configuration_that_init_writes_is_the_documented_one() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    must(&["config", "init", text(&config)]);
    must(&["config", "check", text(&config)]);
    let documented = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/config.toml");
    assert_eq!(std::fs::read(&config).unwrap(), std::fs::read(documented).unwrap());
    let again = must_fail(&["config", "init", text(&config)]);
    assert!(again.contains("exists already"), "{again}");
}

#[test]
fn a_port_in_use_is_named_with_the_way_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let port = address.port().to_string();
    let error = must_fail(&["demo", "--headless", "--port", &port]);
    assert!(error.contains(&format!("port {port} ")) && error.contains("--port"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let net = folder.path().join("net");
    let own = network(&net);
    let config = net.join("peer-1").join("config.toml");
    let change = |from: &str, to: &str| {
        let changed = std::fs::read_to_string(&config).unwrap().replace(from, to);
        std::fs::write(&config, changed).unwrap();
    };
    change(&format!("127.0.0.1:{own}"), &address.to_string());
    let error = must_fail(&["peer", "run", "--config", text(&config)]);
    assert!(error.contains(&address.to_string()) && error.contains("[peer.api]"), "{error}");
    change(&address.to_string(), "127.0.0.1:0");
    change(&format!("127.0.0.1:{}", own + 1), &address.to_string());
    let error = must_fail(&["peer", "run", "--config", text(&config)]);
    assert!(error.contains(&address.to_string()) && error.contains("[peer.p2p]"), "{error}");
}

#[test]
fn a_peer_of_another_network_or_with_another_key_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    network(&one);
    network(&other);
    // A key that the genesis does not list.
    let (from, to) = (other.join("peer-1/keys/voting.json"), one.join("peer-1/keys/voting.json"));
    std::fs::remove_file(&to).unwrap();
    std::fs::copy(from, to).unwrap();
    let config = one.join("peer-1").join("config.toml");
    let error = must_fail(&["peer", "run", "--config", text(&config)]);
    assert!(error.contains("not listed as a validator"), "{error}");
    assert!(error.contains("next: check `voting_key`"), "{error}");
    // The data of another ledger: founded by the run above.
    std::fs::copy(other.join("genesis.json"), one.join("peer-1/genesis.json")).unwrap();
    for command in ["run", "check"] {
        let error = must_fail(&["peer", command, "--config", text(&config)]);
        assert!(error.contains("belongs to ledger") && error.contains("next: "), "{error}");
    }
}

#[test]
fn what_a_newer_version_wrote_is_told_from_damage() {
    let folder = tempfile::tempdir().unwrap();
    let net = folder.path().join("net");
    network(&net);
    let change = |name: &str, from: &str, to: &str| {
        let file = net.join("peer-1").join(name);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    };
    let config = net.join("peer-1").join("config.toml");
    let start = || must_fail(&["peer", "run", "--config", text(&config)]);
    change("keys/voting.json", "\"version\": 1", "\"version\": 2");
    let error = start();
    assert!(error.contains("has version 2; this program knows version 1"), "{error}");
    change("keys/voting.json", "\"version\": 2", "\"version\": 1");
    change("genesis.json", "\"version\": 1", "\"version\": 7");
    let error = start();
    assert!(error.contains("version 7"), "{error}");
    change("genesis.json", "\"version\": 7", "\"version\": 1");
    // A state that this version of the store does not read.
    let state = net.join("peer-1/data/state");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("version"), [9; 4]).unwrap();
    let error = start();
    assert!(error.contains("another version of this program"), "{error}");
}

#[test]
fn files_that_are_cut_or_endless_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let net = folder.path().join("net");
    network(&net);
    let peer = net.join("peer-1");
    let config = peer.join("config.toml");
    let start = || must_fail(&["peer", "run", "--config", text(&config)]);
    for name in ["keys/voting.json", "genesis.json", "config.toml"] {
        let file = peer.join(name);
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        let error = start();
        assert!(error.contains(text(&file)) && error.contains("next: "), "{name}: {error}");
        std::fs::write(&file, whole).unwrap();
    }
    for arguments in [
        &["verify", "/dev/zero", "--genesis", text(&peer.join("genesis.json"))][..],
        &["verify", text(&config), "--genesis", "/dev/zero"],
        &["key", "show", "/dev/zero"],
        &["config", "check", "/dev/zero"],
    ] {
        let error = must_fail(arguments);
        assert!(error.contains("it has more than"), "{arguments:?}: {error}");
    }
    assert!(!peer.join("data").exists(), "a peer that cannot start leaves nothing behind");
}

#[test]
fn a_description_that_the_ledger_would_refuse_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let (key, description) = (folder.path().join("key.json"), folder.path().join("press.td.json"));
    must(&["key", "new", text(&key), "--insecure-keys"]);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for (content, reason) in [
        ("{\"title\": ", "EOF while parsing"),
        ("{\"title\": \"press\"}", "is a required property"),
        (deep.as_str(), "nested deeper than 64 levels"),
    ] {
        std::fs::write(&description, content).unwrap();
        let error = must_fail(&[
            "thing",
            "register",
            "--name",
            "press",
            "--description",
            text(&description),
            "--key",
            text(&key),
        ]);
        assert!(error.contains(text(&description)) && error.contains(reason), "{error}");
    }
}

#[test]
fn a_bad_recording_is_named_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("boiler.csv");
    std::fs::write(&file, "timestamp,value\n2020-01-01 00:00:00,1\n2020-01-01 00:01:00,warm\n")
        .unwrap();
    let error = must_fail(&["demo", "--data", text(folder.path())]);
    assert!(error.contains("boiler.csv line 3: `warm` is no number"), "{error}");
    assert!(error.contains("next: "), "{error}");
}

#[test]
fn a_key_file_is_encrypted_and_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (key, passphrase) = (path("key.json"), path("passphrase"));
    std::fs::write(&passphrase, "correct horse\n").unwrap();
    must(&["key", "new", text(&key), "--passphrase-file", text(&passphrase)]);
    let shown = must(&["key", "show", text(&key)]);
    assert!(shown.contains("encrypted   yes"), "{shown}");
    let error = must_fail(&["key", "new", text(&key), "--insecure-keys"]);
    assert!(error.contains("never overwritten"), "{error}");
    let error = must_fail(&["key", "new", text(&path("other"))]);
    assert!(error.contains("no terminal") && error.contains("--passphrase-file"), "{error}");
}

#[test]
fn errors_are_json_for_programs() {
    let output = run(&["verify", "missing.proof", "--genesis", "missing.json", "--json"]);
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(error["error"].as_str().unwrap().contains("missing.json"), "{error}");
    assert!(error["next"].is_string(), "{error}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_peer_that_does_not_run_is_named() {
    let error = must_fail(&["thing", "list", "--peer", "http://127.0.0.1:9"]);
    assert!(error.contains("http://127.0.0.1:9") && error.contains("peer run"), "{error}");
    let error = must_fail(&["thing", "list", "--peer", "nonsense"]);
    assert!(error.contains("nonsense"), "{error}");
}
