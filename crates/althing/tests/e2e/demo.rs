//! `althing demo` from beginning to end, and `althing verify` of what it leaves.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{althing, must, must_fail, text, until};

#[test]
fn the_demo_agrees_on_real_readings_and_its_proof_holds_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let arguments = ["demo", "--headless", "--for", "20s", "--json", "--dir", text(&dir)];
    let output = must(&arguments);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 1, "{output}");
    let summary: Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!(summary["proof_verified"], true, "{summary}");
    assert_eq!(summary["peers"], 4, "{summary}");
    let roots: Vec<&Value> = summary["state_root"].as_object().unwrap().values().collect();
    assert_eq!(roots.len(), 4, "{summary}");
    assert!(roots.iter().all(|root| *root == roots[0]), "{summary}");
    assert_eq!(summary["state_roots_equal"], true, "{summary}");
    assert_eq!(summary["peers_ended"], serde_json::json!([]), "{summary}");
    // Nothing that was acknowledged is lost, and nothing is there twice.
    assert!(summary["acknowledged"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(summary["readings"], summary["acknowledged"], "{summary}");
    assert!(summary["height"].as_u64().unwrap() > 0, "{summary}");
    let rss: Vec<&Value> = summary["rss_mb"]["peers"].as_object().unwrap().values().collect();
    assert_eq!(rss.len(), 4, "{summary}");

    // What it leaves can be checked when no process of it runs any more.
    let (proof, genesis) = (dir.join("first-reading.proof"), dir.join("genesis.json"));
    let verified = must(&["verify", text(&proof), "--genesis", text(&genesis)]);
    assert!(verified.contains("The proof holds"), "{verified}");
    let bytes = std::fs::read(&proof).unwrap();
    let damaged = folder.path().join("damaged.proof");
    // Every byte is flipped by the tests of crate `proof`; here, that the command says so.
    for position in [0, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[position] ^= 1;
        std::fs::write(&damaged, changed).unwrap();
        let arguments = ["verify", text(&damaged), "--genesis", text(&genesis)];
        let error = must_fail(&arguments);
        assert!(error.contains("does NOT hold: step `"), "byte {position}: {error}");
        let json = crate::support::run(&[&arguments[..], &["--json"]].concat());
        let answer: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(answer["ok"], false);
        assert!(error.contains(answer["step"].as_str().unwrap()), "{answer}");
        assert!(!judged_unread(&[&arguments[..], &["--json"]].concat()), "byte {position}");
    }
}

/// Whether the command calls it a success when nobody reads what it prints.
fn judged_unread(arguments: &[&str]) -> bool {
    let mut command = althing(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    child.wait().unwrap().success()
}

#[test]
fn a_demo_that_is_killed_leaves_no_process() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let mut demo = althing(&["demo", "--headless", "--peers", "1", "--dir", text(&dir)])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let log = dir.join("peer-1").join("peer.log");
    until("a peer", || log.exists().then_some(()));
    let children = until("children", || {
        let found = processes_with(text(&dir));
        (found.len() >= 3).then_some(found)
    });
    assert!(children.len() >= 3);
    demo.kill().unwrap();
    demo.wait().unwrap();
    until("no process of the demo", || processes_with(text(&dir)).is_empty().then_some(()));
}

/// Processes whose command line has this text.
fn processes_with(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("this test needs /proc, that is, Linux");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(text)
    })
    .collect()
}
