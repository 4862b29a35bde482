//! No core crate reads a clock, draws randomness, does I/O, spawns or awaits; nothing that depends
//! on the platform or on chance reaches wire, disk or state root.

use super::{
    layers::CORE,
    sources::{crates, read, shipped_lines, shown},
};

/// What no core crate may name in code that ships.
const ACTS: &[&str] = &[
    "std::time::SystemTime",
    "std::time::Instant",
    "time::{Instant",
    "SystemTime::now",
    "Instant::now",
    "thread_rng",
    "OsRng",
    "from_entropy",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "async fn",
    ".await",
    "println!",
    "eprintln!",
];

/// What code may not name whose results peers must agree on. `state` may cache in a `HashMap`,
/// because the root is a function of content alone and its tests say so.
const VARIES: &[(&str, &[&str])] = &[
    ("HashMap", &["althing-types", "althing-proof", "althing-ledger"]),
    ("HashSet", &["althing-types", "althing-proof", "althing-ledger"]),
    ("f32", &["althing-types", "althing-proof", "althing-state", "althing-ledger"]),
    ("f64", &["althing-types", "althing-proof", "althing-state", "althing-ledger"]),
    ("usize::to_be_bytes", CORE),
    ("usize::to_le_bytes", CORE),
    ("to_ne_bytes", CORE),
];

/// What the asynchronous crates may not name: they take time, tasks, network and disk from the
/// runtime's traits, so that the simulator can stand in for all of them.
const NOT_OF_THE_RUNTIME: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "tokio::time",
    "tokio::net",
    "tokio::fs",
    "tokio::spawn",
    "tokio::task",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::thread",
    "std::fs",
    "thread_rng",
    "OsRng",
];
/// The crates that `sim` runs.
const SIMULATED: &[&str] = &["althing-ordering", "althing-peer"];

/// Where a word stands for a good reason: file, word, reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "crates/ledger/src/thing/json.rs",
    "f64",
    "serde hands fractions of a description over as floats, for the JSON Schema's comparisons only",
)];

#[test]
fn the_core_does_not_act() {
    check(CORE, |_| ACTS.to_vec());
}

#[test]
fn what_is_simulated_takes_time_and_tasks_from_the_runtime() {
    check(SIMULATED, |_| NOT_OF_THE_RUNTIME.to_vec());
}

#[test]
fn what_peers_agree_on_does_not_vary() {
    check(CORE, |name| {
        let holds = VARIES.iter().filter(|(_, crates)| crates.contains(&name));
        holds.map(|(word, _)| *word).collect()
    });
}

fn check(names: &[&str], banned: impl Fn(&str) -> Vec<&'static str>) {
    let mut found = Vec::new();
    for member in crates().iter().filter(|member| names.contains(&member.name())) {
        let banned = banned(member.name());
        for path in member.sources() {
            for (number, line) in shipped_lines(&path) {
                let file = shown(&path);
                let excepted = |word: &str| EXCEPTIONS.iter().any(|e| e.0 == file && e.1 == word);
                let hits = banned.iter().filter(|word| contains_word(&line, word));
                let hits = hits.filter(|word| !excepted(word));
                found.extend(hits.map(|word| format!("{file}:{number}: {word}")));
            }
        }
    }
    assert!(found.is_empty(), "not there:\n{}", found.join("\n"));
}

/// Whether a word stands in a line as such: `f64` does in `as f64`, not in `read_f64_text`.
fn contains_word(line: &str, word: &str) -> bool {
    let part_of_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let (begins, ends) = (part_of_name(word.chars().next()), part_of_name(word.chars().last()));
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let goes_on_before = begins && part_of_name(before.chars().next_back());
        let goes_on_after = ends && part_of_name(after.chars().next());
        !goes_on_before && !goes_on_after
    })
}

#[test]
fn words_are_found_as_words() {
    for (line, word, expected) in [
        ("let x = y as f64;", "f64", true),
        ("fn read_f64_text() {}", "f64", false),
        ("use std::collections::HashMap;", "HashMap", true),
        ("type HashMapping = ();", "HashMap", false),
        ("value.await?", ".await", true),
    ] {
        assert_eq!(contains_word(line, word), expected, "{line}");
    }
}

#[test]
fn every_core_crate_has_the_lints_of_the_core() {
    let lints = |name: &str| {
        let member = crates().into_iter().find(|member| member.name() == name);
        read(&member.expect("a core crate is a crate").folder.join("clippy.toml"))
    };
    for name in CORE {
        // `state` may cache in a map whose order nobody sees.
        let hashed =
            |line: &&str| *name != "althing-state" || !line.contains("std::collections::Hash");
        let expected: Vec<String> =
            lints("althing-types").lines().filter(hashed).map(str::to_owned).collect();
        assert_eq!(lints(name).lines().collect::<Vec<_>>(), expected, "clippy.toml of {name}");
    }
}
