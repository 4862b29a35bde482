//! Measurements: runs the programs that measure and prints their rows beside the budget.
//!
//! A program prints one JSON object a line: `name`, `unit`, `value`, and where they apply `p50`, `p99`,
//! `cpu_ms_per_op`, `rss_mb`. Whether a row is within budget is decided here, and nowhere does a
//! test depend on it: a figure says as much about the machine as about the code.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value};

use crate::shell;

/// A program that measures, and the command that runs it after a release build.
struct Program {
    package: &'static str,
    example: &'static str,
}

const PROGRAMS: &[Program] = &[];

/// The rows there should be, with their budget.
const BUDGET: &[(&str, Bound)] = &[
    ("transactions_per_s", Bound::AtLeast(20_000.0)),
    ("transaction_cpu_ms", Bound::AtMost(0.08)),
    ("commit_latency_p50_ms", Bound::AtMost(30.0)),
    ("commit_latency_p99_ms", Bound::AtMost(80.0)),
    ("readings_per_s", Bound::AtLeast(300_000.0)),
    ("idle_peer_rss_mb", Bound::AtMost(40.0)),
    ("idle_network_cores", Bound::AtMost(0.02)),
    ("disk_bytes_per_write", Bound::AtMost(600.0)),
    ("reads_with_proof_per_s", Bound::AtLeast(20_000.0)),
    ("start_to_first_block_ms", Bound::AtMost(500.0)),
    ("start_to_first_reading_ms", Bound::AtMost(1000.0)),
    ("state_update_us", Bound::AtMost(8.0)),
    ("range_30_days_ms", Bound::AtMost(20.0)),
    ("bundle_bytes", Bound::AtMost(8192.0)),
];

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, ">= {least}"),
            Self::AtMost(most) => write!(f, "<= {most}"),
        }
    }
}

/// Runs every program, prints its rows, then names the rows of the budget that nothing measured.
///
/// # Errors
/// If a program cannot be built or fails.
pub fn bench(json: bool) -> Result<()> {
    let mut measured = Vec::new();
    for program in PROGRAMS {
        for row in rows_of(program)? {
            print(&row, json);
            measured.push(row);
        }
    }
    for (name, bound) in BUDGET {
        if !measured.iter().any(|row| row["name"] == *name) {
            print(&missing(name, *bound), json);
        }
    }
    Ok(())
}

fn rows_of(program: &Program) -> Result<Vec<Map<String, Value>>> {
    let Program { package, example } = program;
    let line = format!("cargo run --quiet --release --package {package} --example {example}");
    let run = shell::run_quietly(&line);
    ensure!(run.ended_well, "`{line}` failed:\n{}", run.output);
    let rows = run.output.lines().filter(|line| line.starts_with('{'));
    rows.map(|line| {
        let row: Map<String, Value> =
            serde_json::from_str(line).with_context(|| format!("a row of {example}: {line}"))?;
        Ok(judged(row))
    })
    .collect()
}

/// Adds the budget and whether the row keeps it.
fn judged(mut row: Map<String, Value>) -> Map<String, Value> {
    let budget = BUDGET.iter().find(|(name, _)| row.get("name").is_some_and(|n| n == name));
    if let (Some((_, bound)), Some(value)) = (budget, row.get("value").and_then(Value::as_f64)) {
        row.insert("within".into(), bound.holds(value).into());
        row.insert("budget".into(), bound.to_string().into());
    }
    row
}

fn missing(name: &str, bound: Bound) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("name".into(), name.into());
    row.insert("budget".into(), bound.to_string().into());
    row.insert("value".into(), Value::Null);
    row
}

fn print(row: &Map<String, Value>, json: bool) {
    if json {
        println!("{}", Value::Object(row.clone()));
        return;
    }
    let cell = |key: &str| match row.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) => "not measured".into(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let verdict = match row.get("within") {
        Some(Value::Bool(true)) => "within",
        Some(_) => "MISSED",
        None => "",
    };
    println!(
        "{:<28} {:>14} {:<10} {:<12} {verdict}",
        cell("name"),
        cell("value"),
        cell("unit"),
        cell("budget")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_held_against_its_budget() {
        for (name, value, within) in [
            ("state_update_us", 7.5, Some(true)),
            ("state_update_us", 8.5, Some(false)),
            ("transactions_per_s", 21_000.0, Some(true)),
            ("something_else", 1.0, None),
        ] {
            let mut row = Map::new();
            row.insert("name".into(), name.into());
            row.insert("value".into(), value.into());
            let judged = judged(row).get("within").and_then(Value::as_bool);
            assert_eq!(judged, within, "{name} {value}");
        }
    }
}
