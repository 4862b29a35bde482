//! Runs seeds: `althing-sim SEED [COUNT]`.

use std::{env, process::ExitCode};

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
        println!("{:#?}", althing_sim::Plan::draw(first));
    }
    let (mut passed, mut failed, mut readings) = (0_u64, 0_u64, 0_u64);
    for seed in (0..count).map(|offset| first.wrapping_add(offset)) {
        match std::panic::catch_unwind(|| althing_sim::run(seed, None)) {
            Ok(Ok(summary)) => {
                passed += 1;
                readings += summary.readings;
                if count == 1 {
                    println!("{summary:#?}");
                }
            }
            Ok(Err(complaint)) => {
                failed += 1;
                println!("seed {seed}: {complaint}\n  reproduce with: cargo xtask sim {seed}");
            }
            Err(_) => {
                failed += 1;
                println!("seed {seed}: panicked\n  reproduce with: cargo xtask sim {seed}");
            }
        }
    }
    println!("{readings} readings acknowledged and found again, with proof");
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
