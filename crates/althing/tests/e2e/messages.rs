//! What goes wrong at the rim, and what is said about it.

use std::{net::TcpListener, path::Path};

use crate::support::{must, must_fail, text};

fn network(folder: &Path) {
    must(&["network", "new", text(folder), "--name", "test", "--peers", "1", "--insecure-keys"]);
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
    network(&net);
    let config = net.join("peer-1").join("config.toml");
    let change = |from: &str, to: &str| {
        let changed = std::fs::read_to_string(&config).unwrap().replace(from, to);
        std::fs::write(&config, changed).unwrap();
    };
    change("127.0.0.1:4464", &address.to_string());
    let error = must_fail(&["peer", "run", "--config", text(&config)]);
    assert!(error.contains(&address.to_string()) && error.contains("[peer.api]"), "{error}");
    change(&address.to_string(), "127.0.0.1:0");
    change("127.0.0.1:4465", &address.to_string());
    let error = must_fail(&["peer", "run", "--config", text(&config)]);
    assert!(error.contains(&address.to_string()) && error.contains("[peer.p2p]"), "{error}");
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
    let output =
        crate::support::run(&["verify", "missing.proof", "--genesis", "missing.json", "--json"]);
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
