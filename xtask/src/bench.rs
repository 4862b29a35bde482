//! Measurements: runs the programs that measure and holds their figures against the budget.
//!
//! A program prints JSON objects, one a line, each with `bench` and its own fields. No test depends on
//! a figure: it says as much about the machine as about the code. Whole networks are measured by
//! `althing-bench`, which runs the peers as a user would; its cases are the rows of [`FIGURES`].

use std::fmt;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use crate::{check::released, shell};

type Object = Map<String, Value>;

/// Programs that measure: examples of crates, and the demo.
const EXAMPLES: &[(&str, &str)] = &[
    ("althing-storage", "state_bench"),
    ("althing-ledger", "execute_bench"),
    ("althing-ledger", "access_bench"),
    ("althing-contract", "gas_bench"),
    ("althing-contract", "modules_bench"),
    ("althing-gateway", "acks"),
    ("althing-ordering", "gossip"),
];
const DEMO: &str = "demo --headless --for 20s --json";
/// What is built for the benches that run whole networks.
const BUILD: &str = "cargo build --quiet --release --package althing --package althing-bench";

/// A figure with its budget, and where it comes from.
struct Figure {
    name: &'static str,
    unit: &'static str,
    bound: Bound,
    source: Source,
}

/// A field of the object of a bench for which these other fields have these values.
struct Source {
    bench: &'static str,
    field: &'static str,
    at: &'static [(&'static str, u64)],
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

const fn figure(
    name: &'static str,
    unit: &'static str,
    bound: Bound,
    bench: &'static str,
    field: &'static str,
    at: &'static [(&'static str, u64)],
) -> Figure {
    Figure { name, unit, bound, source: Source { bench, field, at } }
}

const FIGURES: &[Figure] = &[
    figure("transactions", "1/s", Bound::AtLeast(20_000.0), "transactions", "per_s", &[]),
    figure("raft_to_simplex", "times", Bound::AtLeast(1.5), "raft", "ratio", &[]),
    figure("trusting_raft_to_simplex", "times", Bound::AtLeast(1.5), "raft", "trusting_ratio", &[]),
    figure("transaction_cpu", "ms", Bound::AtMost(0.08), "transactions", "peers_cpu_ms", &[]),
    figure("commit_latency_p50", "ms", Bound::AtMost(30.0), "latency", "p50_ms", &[]),
    figure("commit_latency_p99", "ms", Bound::AtMost(80.0), "latency", "p99_ms", &[]),
    figure("readings", "1/s", Bound::AtLeast(300_000.0), "readings", "per_s", &[]),
    figure("idle_peer_rss", "MB", Bound::AtMost(40.0), "idle", "rss_mb_max", &[]),
    figure("idle_network", "cores", Bound::AtMost(0.02), "idle", "cores", &[]),
    figure("disk_per_write", "bytes", Bound::AtMost(600.0), "transactions", "disk_bytes", &[]),
    figure("reads_with_proof", "1/s", Bound::AtLeast(20_000.0), "reads_with_proof", "per_s", &[]),
    figure("start_to_first_block", "ms", Bound::AtMost(500.0), "start", "first_block_ms", &[]),
    figure("start_to_first_reading", "ms", Bound::AtMost(1000.0), "demo", "first_reading_ms", &[]),
    figure(
        "state_update",
        "us",
        Bound::AtMost(8.0),
        "state_update",
        "update_us",
        &[("keys", 1_000_000), ("rows", 1000)],
    ),
    figure("million_in_buckets", "ms", Bound::AtMost(300.0), "million_in_buckets", "p50_ms", &[]),
    figure("range_30_days", "ms", Bound::AtMost(20.0), "range_30_days", "p50_ms", &[]),
    figure(
        "gateway_acks",
        "1/s",
        Bound::AtLeast(20_000.0),
        "gateway",
        "per_s",
        &[("connections", 64)],
    ),
    figure(
        "gateway_acks_one_device",
        "1/s",
        Bound::AtLeast(500.0),
        "gateway",
        "per_s",
        &[("connections", 1)],
    ),
    figure(
        "gateway_1000_devices",
        "MB",
        Bound::AtMost(80.0),
        "gateway",
        "rss_mb",
        &[("connections", 1000)],
    ),
    figure("bundle", "bytes", Bound::AtMost(8192.0), "demo", "proof_bytes", &[]),
    figure("contract_calls", "1/s", Bound::AtLeast(5_000.0), "contract_calls", "per_s", &[]),
    figure("store_code", "ms", Bound::AtMost(150.0), "store_code", "p50_ms", &[]),
    figure("modules_100_beyond_code", "MB", Bound::AtMost(25.0), "modules", "beyond_mb", &[]),
    figure("join", "s", Bound::AtMost(10.0), "join", "snapshot_s", &[]),
    figure(
        "message_to_all",
        "ms",
        Bound::AtMost(5.0),
        "gossip",
        "p50_ms",
        &[("peers", 4), ("message_bytes", 300)],
    ),
    figure("access_decided", "ns", Bound::AtMost(150_000.0), "access", "decide_ns", &[]),
    figure("access_remembered", "ns", Bound::AtMost(2_000.0), "access", "remembered_ns", &[]),
    figure("revoke_to_last_frame", "ms", Bound::AtMost(1000.0), "revoke", "last_frame_ms", &[]),
    figure(
        "backfill_moves_live_p99",
        "%",
        Bound::AtMost(20.0),
        "backfill",
        "p99_moved_percent",
        &[],
    ),
    figure("access_policy_read", "ns", Bound::AtMost(150_000.0), "access", "read_policy_ns", &[]),
];

/// Runs every program, prints what it says, then each figure of the budget.
///
/// # Errors
/// If a program cannot be built or fails.
pub fn bench(json: bool) -> Result<()> {
    let mut measured = Vec::new();
    for (package, example) in EXAMPLES {
        let line = format!("cargo run --quiet --release --package {package} --example {example}");
        measured.extend(objects(&line)?);
    }
    let built_all = shell::run_quietly(BUILD);
    ensure!(built_all.ended_well, "`{BUILD}` failed");
    measured.extend(objects(&format!("{} {}", released("althing-bench"), released("althing")))?);
    measured.push(demo()?);
    for object in &measured {
        println!("{}", Value::Object(object.clone()));
    }
    for figure in FIGURES {
        let value = figure.find(&measured);
        if json {
            println!("{}", figure.row(value));
        } else {
            println!("{}", figure.line(value));
        }
    }
    Ok(())
}

fn objects(line: &str) -> Result<Vec<Object>> {
    let run = shell::run_quietly(line);
    ensure!(run.ended_well, "`{line}` failed");
    let lines = run.output.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|text| serde_json::from_str(text).with_context(|| format!("`{line}`: {text}")))
        .collect()
}

/// The demo's own summary, as one more bench.
fn demo() -> Result<Object> {
    let line = format!("{} {DEMO}", released("althing"));
    let mut object = objects(&line)?.pop().with_context(|| format!("`{line}` says nothing"))?;
    object.insert("bench".into(), "demo".into());
    Ok(object)
}

impl Figure {
    fn find(&self, measured: &[Object]) -> Option<f64> {
        let Source { bench, field, at } = &self.source;
        let fits = |object: &&Object| {
            object.get("bench").is_some_and(|found| found == bench)
                && at
                    .iter()
                    .all(|(key, value)| object.get(*key).is_some_and(|found| found == value))
        };
        measured.iter().find(fits)?.get(*field)?.as_f64()
    }

    fn row(&self, value: Option<f64>) -> Value {
        json!({
            "name": self.name,
            "unit": self.unit,
            "value": value,
            "budget": self.bound.to_string(),
            "within": value.map(|value| self.bound.holds(value)),
        })
    }

    fn line(&self, value: Option<f64>) -> String {
        let verdict = match value.map(|value| self.bound.holds(value)) {
            Some(true) => "within",
            Some(false) => "MISSED",
            None => "not measured",
        };
        let value = value.map(|value| value.to_string()).unwrap_or_default();
        let bound = self.bound.to_string();
        format!("{:<24} {value:>12} {:<6} {bound:<12} {verdict}", self.name, self.unit)
    }
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, ">= {least}"),
            Self::AtMost(most) => write!(f, "<= {most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_found_and_held_against_its_budget() {
        let object = |text: &str| serde_json::from_str::<Object>(text).expect("an object");
        let measured = [
            object(r#"{"bench":"state_update","keys":100000,"rows":1000,"update_us":3.1}"#),
            object(r#"{"bench":"state_update","keys":1000000,"rows":1000,"update_us":8.5}"#),
        ];
        let update = FIGURES.iter().find(|figure| figure.name == "state_update").expect("listed");
        assert_eq!(update.find(&measured), Some(8.5));
        assert_eq!(update.row(Some(8.5))["within"], false);
        assert_eq!(update.row(None)["within"], Value::Null);
        assert!(update.line(Some(7.5)).ends_with("within"));
    }
}
