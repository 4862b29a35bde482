//! Runs seeds: `althing-sim SEED [COUNT]`.

use std::{
    env,
    process::ExitCode,
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use althing_sim::{Drawn, Summary};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let numbers: Option<Vec<u64>> = arguments.iter().map(|text| text.parse().ok()).collect();
    let (first, count) = match numbers.as_deref() {
        Some([seed]) => (*seed, 1),
        Some([seed, count]) => (*seed, *count),
        _ => {
            eprintln!("usage: althing-sim SEED [COUNT]");
            return ExitCode::from(2);
        }
    };
    if count == 1 {
        println!("{:#?}", Drawn::of(first));
    }
    let (mut passed, mut failed, mut readings, mut calls) = (0_u64, 0_u64, 0_u64, 0);
    run_all(first, count, |seed, result| match result {
        Ok(summary) => {
            passed += 1;
            readings += summary.readings;
            calls += summary.calls.asked;
            if count == 1 {
                println!("{summary:#?}");
            }
        }
        Err(complaint) => {
            failed += 1;
            println!("seed {seed}: {complaint}");
            println!("  drawn: {}", Drawn::of(seed));
            println!("  reproduce with: cargo xtask sim {seed}");
        }
    });
    println!("{readings} readings acknowledged and found again, with proof");
    println!("{calls} calls between ledgers, each settled, declined or refunded, once");
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

type Outcome = Result<Summary, String>;

/// Runs seeds on all cores, and tells the outcomes in the order of the seeds.
fn run_all(first: u64, count: u64, mut tell: impl FnMut(u64, Outcome)) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (next, (sender, outcomes)) = (AtomicU64::new(0), mpsc::channel());
    thread::scope(|scope| {
        for _ in 0..cores {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let offset = next.fetch_add(1, Ordering::Relaxed);
                    if offset >= count {
                        return;
                    }
                    let outcome = run(first.wrapping_add(offset));
                    // The receiver lives as long as this scope.
                    let _ = sender.send((offset, outcome));
                }
            });
        }
        drop(sender);
        let mut early = std::collections::BTreeMap::new();
        let mut due = 0;
        for (offset, outcome) in outcomes {
            early.insert(offset, outcome);
            while let Some(outcome) = early.remove(&due) {
                tell(first.wrapping_add(due), outcome);
                due += 1;
            }
        }
    });
}

/// A panic is a failure like any other; what it says stands on standard error.
fn run(seed: u64) -> Outcome {
    let run = std::panic::catch_unwind(|| althing_sim::run(seed, None));
    run.unwrap_or_else(|_| Err("panicked, see above".to_owned()))
}
