//! What is measured, one module per case.

mod backfill;

mod buckets;

mod contracts;

mod idle;

mod join;

mod latency;

mod machine;

mod range;

mod readings;

mod reads;

mod revoke;

mod start;

mod transactions;

use std::path::Path;

use anyhow::{Result, bail};
use serde_json::Value;

/// The cases, in the order in which they run.
const CASES: &[&str] = &[
    "machine",
    "start",
    "idle",
    "latency",
    "latency_many",
    "transactions",
    "raft",
    "readings",
    "reads_with_proof",
    "range",
    "buckets",
    "contract_calls",
    "token_transfers",
    "store_code",
    "join",
    "backfill",
    "revoke",
];

/// Runs the cases named, or all, and prints what each measured.
pub(crate) async fn run(program: &Path, names: &[String]) -> Result<()> {
    let all: Vec<String> = CASES.iter().map(|&name| name.to_owned()).collect();
    for name in if names.is_empty() { &all } else { names } {
        println!("{}", case(program, name).await?);
    }
    Ok(())
}

async fn case(program: &Path, name: &str) -> Result<Value> {
    match name {
        "machine" => machine::measure(),
        "start" => start::measure(program).await,
        "idle" => idle::measure(program).await,
        "latency" => latency::measure(program).await,
        "latency_many" => latency::measure_many(program).await,
        "transactions" => transactions::measure(program).await,
        "raft" => transactions::raft(program).await,
        "readings" => readings::measure(program).await,
        "reads_with_proof" => reads::measure(program).await,
        "range" => range::measure(program).await,
        "buckets" => buckets::measure(program).await,
        "contract_calls" => contracts::calls(program).await,
        "token_transfers" => contracts::transfers(program).await,
        "join" => join::measure(program).await,
        "backfill" => backfill::measure(program).await,
        "revoke" => revoke::measure(program).await,
        "store_code" => contracts::store_code(program).await,
        unknown => bail!("unknown case `{unknown}`; there are {}", CASES.join(", ")),
    }
}

/// The value below which a share of the sorted values lies; 0 if there are none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1) as f64;
    sorted.get((share * last).round() as usize).copied().unwrap_or(0.0)
}

/// Rounded to two decimal places, for people.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Rounded to four decimal places.
fn round_fine(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
