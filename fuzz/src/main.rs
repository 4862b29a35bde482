//! Feed mutated bytes to every decoder.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use althing_fuzz::{
    Target, corpus,
    driver::{self, Until},
    target,
};
use anyhow::{Result, anyhow, bail};
use clap::Parser;

/// Feeds mutated bytes to decoders; a panic prints the target, the seed and the input.
#[derive(Parser)]
#[command(name = "althing-fuzz")]
struct Arguments {
    /// Name of a target, `all`, or `list`.
    target: String,
    /// How long for each target, seconds.
    #[arg(default_value_t = 10)]
    seconds: u64,
    /// Where to begin.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Feeds this one input, hexadecimal, instead.
    #[arg(long)]
    input: Option<String>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.target == "list" {
        target::all().iter().for_each(|target| println!("{}", target.name));
        return Ok(ExitCode::SUCCESS);
    }
    let targets: Vec<Target> = target::all()
        .into_iter()
        .filter(|target| arguments.target == "all" || target.name == arguments.target)
        .collect();
    if targets.is_empty() {
        bail!("no target `{}`; `list` prints them", arguments.target);
    }
    if let Some(input) = &arguments.input {
        let input = hex::decode(input)?;
        targets.iter().for_each(|target| println!("{}: {}", target.name, (target.run)(&input)));
        return Ok(ExitCode::SUCCESS);
    }
    let failed = fuzz_all(&targets, arguments.seconds, arguments.seed)?;
    println!("{{\"passed\":{},\"failed\":{failed}}}", targets.len() as u64 - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs targets on all cores; how many of them panicked.
fn fuzz_all(targets: &[Target], seconds: u64, seed: u64) -> Result<u64> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut failed = 0;
        while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            failed += u64::from(!fuzz(target, seconds, seed)?);
        }
        Ok(failed)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let died = |_| anyhow!("a worker panicked");
        workers.into_iter().map(|worker| worker.join().map_err(died)?).sum()
    })
}

/// Runs one target and says how it went; true if nothing panicked.
fn fuzz(target: &Target, seconds: u64, seed: u64) -> Result<bool> {
    let corpus = corpus::of(target)?;
    // Said before, so that a stack overflow, which nothing can catch, leaves it behind.
    println!("{}: seed {seed}, {} to begin with", target.name, corpus.len());
    let outcome = driver::run(target, corpus, seed, Until::Elapsed(Duration::from_secs(seconds)));
    println!("{}: {} inputs, {} accepted", target.name, outcome.inputs, outcome.accepted);
    let Some(failure) = outcome.failure else { return Ok(true) };
    println!(
        "{} panicked at input {} of seed {seed}; repeat with:\n  cargo run -p \
         althing-fuzz -- {} --input {}",
        target.name,
        failure.iteration,
        target.name,
        hex::encode(&failure.input)
    );
    Ok(false)
}
