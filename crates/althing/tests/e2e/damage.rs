//! Files of a stopped peer are cut, changed and deleted.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Network, error_text, must_fail, run, text, until};

const STREAM: &str = "boiler/temperature";

/// How many readings a peer shows, if it holds all that it should.
fn held(network: &Network, peer: usize) -> Option<usize> {
    let readings = network.try_ask(peer, &["reading", "list", STREAM])?;
    let complete = readings["unavailable"].as_array().is_none_or(Vec::is_empty);
    let count = readings["items"].as_array()?.len();
    complete.then_some(count)
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (source, target) =
            (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(source, target).unwrap();
        }
    }
}

/// Waits until the other peers are some views further.
fn pass_views(network: &Network) {
    let view = || network.ask(0, &["peer", "status"])["status"]["view"].as_u64();
    let before = view().unwrap();
    until("some views", || (view()? > before + 3).then_some(()));
}

fn cut(file: PathBuf, keep: u64) {
    std::fs::File::options().write(true).open(&file).unwrap().set_len(keep).unwrap();
}

fn half(file: PathBuf) {
    let len = std::fs::metadata(&file).unwrap().len();
    cut(file, len / 2);
}

fn flip(file: PathBuf, at: usize) {
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[at] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

/// What is done to the data folder, what `peer check` says, and whether the peer starts with it.
struct Case {
    what: &'static str,
    damage: fn(&Path),
    check: Result<(), &'static str>,
    /// What it says if it does not start, and the folder that it says to move away.
    refuses: Option<(&'static str, &'static str)>,
}

const CASES: &[Case] = &[
    Case {
        what: "payloads deleted",
        damage: |data| std::fs::remove_dir_all(data.join("payloads")).unwrap(),
        check: Err("0 payloads are damaged and 4 missing"),
        refuses: None,
    },
    Case {
        what: "payloads cut",
        damage: |data| half(data.join("payloads/00000000.payloads")),
        check: Err("missing"),
        refuses: None,
    },
    Case {
        what: "a bit of a payload",
        damage: |data| flip(data.join("payloads/00000000.payloads"), 40),
        check: Err("0 payloads are damaged and 1 missing"),
        refuses: None,
    },
    Case {
        what: "the end of the state's journal",
        damage: |data| half(data.join("state/0.jnl")),
        check: Ok(()),
        refuses: None,
    },
    Case {
        what: "state deleted",
        damage: |data| std::fs::remove_dir_all(data.join("state")).unwrap(),
        check: Ok(()),
        refuses: None,
    },
    Case {
        what: "a bit of the state's journal",
        damage: |data| flip(data.join("state/0.jnl"), 1000),
        check: Err("failed to open the data folder"),
        refuses: Some(("failed to open the data folder", "state")),
    },
    Case {
        what: "blocks cut",
        damage: |data| half(data.join("blocks/althing-blocks-values/0000000000000000")),
        check: Ok(()),
        refuses: Some(("cannot open the block store", "blocks")),
    },
    Case {
        what: "blocks deleted",
        damage: |data| std::fs::remove_dir_all(data.join("blocks")).unwrap(),
        check: Ok(()),
        refuses: None,
    },
];

#[test]
fn damage_is_told_and_made_good_from_the_other_peers() {
    let mut network = Network::start();
    network.start_gateway();
    network.add_thing(1, "boiler", "temperature");
    for number in 0..4 {
        network.publish("althing/boiler/temperature", &format!("{number}.00"));
        // One batch each, so that there are four payloads.
        until("the reading at the fourth peer", || {
            (held(&network, 3)? == number + 1).then_some(())
        });
    }
    network.peers[3].take().expect("a fourth peer").stop();
    let (config, data) = (network.config(3), network.path("peer-4/data"));
    let whole = network.path("whole");
    copy(&data, &whole);
    for case in CASES {
        std::fs::remove_dir_all(&data).unwrap();
        copy(&whole, &data);
        (case.damage)(&data);
        let output = run(&["peer", "check", "--config", text(&config)]);
        let told = error_text(&output);
        match case.check {
            Ok(()) => assert!(output.status.success(), "{}: {told}", case.what),
            Err(expected) => assert!(told.contains(expected), "{}: {told}", case.what),
        }
        if let Some((expected, folder)) = case.refuses {
            let told = must_fail(&["peer", "run", "--config", text(&config)]);
            let folder = data.join(folder);
            let fits = told.contains(expected) && told.contains(&format!("{} away", text(&folder)));
            assert!(fits, "{}: {told}", case.what);
            std::fs::remove_dir_all(folder).unwrap();
        }
        if !data.join("blocks").exists() {
            // It has forgotten what it voted for, and must not come back in the same view.
            pass_views(&network);
        }
        network.start_peer(3);
        until(case.what, || (held(&network, 3)? == 4).then_some(()));
        let status = network.ask(3, &["peer", "status"]);
        assert_eq!(status["status"]["payloads_missing"], 0, "{}: {status}", case.what);
        network.peers[3].take().expect("it was started").stop();
    }
    network.start_peer(3);
    until("nobody was caught cheating", || {
        let status = network.try_ask(0, &["peer", "status"])?;
        let reasons = status["health"]["reasons"].as_array()?.iter();
        let codes: Vec<&Value> = reasons.map(|reason| &reason["code"]).collect();
        (!codes.contains(&&Value::from("offences"))).then_some(())
    });
    network.stop();
}
