//! The checks, in the order in which they fail soonest.

use std::{panic::resume_unwind, thread};

use anyhow::{Result, bail};

use crate::{
    packages,
    shell::{self, run},
    tally::{Part, Tally, counts_at_end, counts_of_tests},
};

/// Seeds that every run of the simulation covers.
const SIMULATION_SEEDS: u64 = 500;
/// Further seeds, other ones with every commit.
const SIMULATION_SEEDS_OF_COMMIT: u64 = 100;
/// How long each decoder is fuzzed, seconds.
const FUZZ_SECONDS: u64 = 2;
/// Procedures of Y.4464 clause 10 that are run, use cases of its appendix, and a drill of disasters.
const PROCEDURES: &[&str] = &[
    "10.1", "10.2", "10.3", "10.4", "10.5", "10.6a", "10.6b", "10.7", "II.1", "II.2", "II.3",
    "II.4", "drill",
];
/// Programs that tests call, by any of several names, with the line that installs each.
const TOOLS: &[(&[&str], &str)] = &[
    (&["mosquitto_pub --help"], "sudo apt-get install --yes mosquitto-clients"),
    (&["npm --version"], "install Node.js 20.19 or later: https://nodejs.org/en/download"),
    (
        &["chromium --version", "chromium-browser --version", "google-chrome --version"],
        "sudo apt-get install --yes chromium",
    ),
    (&["python3 --version"], "sudo apt-get install --yes python3 python3-venv"),
    (&["coap-client-notls -V"], "sudo apt-get install --yes libcoap3-bin"),
];
/// Debian keeps this part of Python in a package of its own.
const VENV_PROBE: &str = "python3 -m ensurepip --version";
const VENV_INSTALL: &str = "sudo apt-get install --yes python3-venv";

const FORMAT: &str = "cargo fmt --all --check";
/// Contracts, and the record of what their own engine answers, are workspaces of their own.
const FORMAT_APART: &[&str] = &[
    "cargo fmt --manifest-path contracts/Cargo.toml --all --check",
    "cargo fmt --manifest-path contracts/differential/Cargo.toml --check",
];
const CLIPPY: &str = "cargo clippy --workspace --all-targets --quiet -- -D warnings";
/// As the README's first command builds it: in the workspace another crate may bring the feature of a
/// dependency that the program forgot to ask for.
const ALONE: &str = "cargo check --package althing --quiet";
const NEXTEST: &str = "cargo nextest run --workspace --no-fail-fast --status-level fail";
const PLAIN_TEST: &str = "cargo test --workspace --no-fail-fast --lib --bins --tests";
const DOC_TESTS: &str = "cargo test --workspace --doc --no-fail-fast";
/// Contracts pin other versions than peers do, and are a workspace of their own.
const CONTRACT_TESTS: &str = "cargo test --manifest-path contracts/Cargo.toml --workspace";
/// The engine is heavy and frozen: no part of either workspace.
const DIFFERENTIAL: &str = "cargo run --release --manifest-path contracts/differential/Cargo.toml -- \
                            testdata/contracts";
/// With the tests, whose features their dependencies have already been built with.
const BINARIES: &str = "cargo build --workspace --bins --tests";

/// Everything the README promises.
#[must_use]
pub fn test() -> Tally {
    let mut tally = Tally::default();
    tally.add(command("format", FORMAT, "cargo xtask fix"));
    for line in FORMAT_APART {
        tally.add(command("format", line, "cargo xtask fix"));
    }
    tools(&mut tally);
    tally.add(command("lints", CLIPPY, CLIPPY));
    tally.add(command("the program alone", ALONE, ALONE));
    tally.add(unit_tests());
    tally.add(counted("documentation tests", DOC_TESTS));
    tally.add(counted("contracts", CONTRACT_TESTS));
    tally.add(command("binaries", BINARIES, BINARIES));
    simulation(&mut tally);
    let (first, second) = PROCEDURES.split_at(PROCEDURES.len() / 2);
    side_by_side(
        &mut tally,
        |tally| {
            procedures(tally, first);
            packages::python(tally);
            tally.add(fuzzing());
        },
        |tally| {
            procedures(tally, second);
            packages::typescript(tally);
            packages::dashboard(tally);
        },
    );
    // Last, since the examples in both languages run on the network that the pages are tested on.
    packages::browser(&mut tally);
    advisories(&mut tally);
    tally
}

/// The quick part: format, lints, tests, layout, a hundred seeds. Writes nothing but build output.
#[must_use]
pub fn verify() -> Tally {
    let mut tally = Tally::default();
    tally.add(command("format", FORMAT, "cargo xtask fix"));
    tally.add(command("lints", CLIPPY, CLIPPY));
    tally.add(unit_tests());
    tally.add(command("binaries", BINARIES, BINARIES));
    tally.add(seeds("simulation", 0, 100));
    tally
}

/// Formats, and applies what clippy can repair.
///
/// # Errors
/// If one of the two fails.
pub fn fix() -> Result<()> {
    must("cargo fmt --all")?;
    for line in FORMAT_APART {
        must(line.trim_end_matches(" --check"))?;
    }
    must("cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged")
}

/// Simulates `count` networks from consecutive seeds.
///
/// # Errors
/// If one of them broke an invariant; the simulator has printed which seed and where.
pub fn sim(seed: u64, count: u64) -> Result<()> {
    must("cargo build --quiet --package althing-sim")?;
    must(&format!("{} {seed} {count}", built("althing-sim")))
}

/// Has CosmWasm's own engine record the answers that our host of contracts is compared with.
///
/// # Errors
/// If it cannot be built, or refuses a module.
pub fn differential() -> Result<()> {
    must(DIFFERENTIAL)
}

/// Feeds mutated bytes to a decoder.
///
/// # Errors
/// If the target is unknown or a decoder panicked.
pub fn fuzz(target: &str, seconds: u64, seed: Option<u64>) -> Result<()> {
    must("cargo build --quiet --package althing-fuzz")?;
    let seed = seed.map(|seed| format!(" --seed {seed}")).unwrap_or_default();
    must(&format!("{} {target} {seconds}{seed}", built("althing-fuzz")))
}

/// Builds the documentation of the crates, and the book if `mdbook` is installed.
///
/// # Errors
/// If the documentation has an error.
pub fn docs() -> Result<()> {
    must("cargo doc --workspace --no-deps")?;
    if shell::has("mdbook --version") {
        return must("mdbook build docs");
    }
    println!("the book was not built; install mdbook with: cargo install --locked mdbook");
    Ok(())
}

fn must(line: &str) -> Result<()> {
    if run(line).ended_well { Ok(()) } else { bail!("`{line}` failed") }
}

pub(crate) fn command(name: &'static str, line: &str, hint: &str) -> Part {
    Part::single(name, run(line).ended_well, hint)
}

fn counted(name: &'static str, line: &str) -> Part {
    counted_by(name, line, counts_of_tests)
}

/// Runs a program and counts what it says it checked.
pub(crate) fn counted_by(
    name: &'static str,
    line: &str,
    counts: impl FnOnce(&str) -> (u64, u64),
) -> Part {
    let run = run(line);
    Part::counted(name, run.ended_well, counts(&run.output), line)
}

/// A missing tool fails, rather than leaving out the tests that need it.
fn tools(tally: &mut Tally) {
    for (probes, install) in TOOLS {
        tally.add(Part::single("tools", probes.iter().any(|probe| shell::starts(probe)), *install));
    }
    tally.add(Part::single("tools", shell::has(VENV_PROBE), VENV_INSTALL));
}

fn unit_tests() -> Part {
    if shell::has("cargo nextest --version") {
        return counted("tests", NEXTEST);
    }
    println!("slower without nextest; install it with: cargo install --locked cargo-nextest");
    counted("tests", PLAIN_TEST)
}

fn simulation(tally: &mut Tally) {
    tally.add(seeds("simulation", 0, SIMULATION_SEEDS));
    match shell::commit_seed() {
        Some(seed) => {
            tally.add(seeds("simulation of this commit", seed, SIMULATION_SEEDS_OF_COMMIT));
        }
        None => println!("no commit found, so no seeds of its own"),
    }
}

fn seeds(name: &'static str, seed: u64, count: u64) -> Part {
    let line = format!("{} {seed} {count}", built("althing-sim"));
    let run = run(&line);
    let hint = format!("cargo xtask sim {seed} {count}");
    Part::counted(name, run.ended_well, counts_at_end(&run.output), hint)
}

/// Two rows of checks at once, since procedures and downloads wait; the packages' own tests gain little.
fn side_by_side(
    tally: &mut Tally,
    first: impl FnOnce(&mut Tally),
    second: impl FnOnce(&mut Tally) + Send,
) {
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut own = Tally::default();
            second(&mut own);
            own
        });
        first(tally);
        tally.join(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
    });
}

fn procedures(tally: &mut Tally, names: &[&str]) {
    names.iter().for_each(|name| tally.add(procedure(name)));
}

fn procedure(name: &str) -> Part {
    let line = format!("{} conformance {name} --json", built("althing"));
    let run = run(&line);
    let hint = format!("cargo run -- conformance {name}");
    Part::counted("conformance", run.ended_well, counts_at_end(&run.output), hint)
}

fn fuzzing() -> Part {
    let seed = shell::commit_seed().unwrap_or(1);
    let line = format!("{} all {FUZZ_SECONDS} --seed {seed}", built("althing-fuzz"));
    let run = run(&line);
    let hint = format!("cargo xtask fuzz all {FUZZ_SECONDS} --seed {seed}");
    Part::counted("fuzzing", run.ended_well, counts_at_end(&run.output), hint)
}

/// Licences are checked by a test of this crate; advisories need a database from the network, so
/// that being offline is said and not held against the code.
fn advisories(tally: &mut Tally) {
    const INSTALL: &str = "cargo install --locked cargo-deny";
    const CHECK: &str = "cargo deny check";
    if !shell::has("cargo deny --version") {
        println!("advisories were not checked; install cargo-deny with: {INSTALL}");
        return;
    }
    let run = run(CHECK);
    if !run.ended_well && run.output.contains("failed to fetch advisory database") {
        println!("advisories were not checked: their database cannot be fetched from here");
        return;
    }
    tally.add(Part::single("advisories and licences", run.ended_well, CHECK));
}

/// A binary of the workspace as checks build it, in the same folder as this one.
pub(crate) fn built(name: &str) -> String {
    beside(name, "")
}

/// A binary of the workspace as users build it.
pub(crate) fn released(name: &str) -> String {
    beside(name, "../release")
}

fn beside(name: &str, way: &str) -> String {
    let own = std::env::current_exe().ok();
    let path = own.and_then(|own| Some(own.parent()?.join(way).join(name)));
    path.map_or_else(|| name.into(), |path| path.display().to_string())
}
