//! Runs a seed twice and, if the runs differ, once more each with all that is logged written to files.
#![allow(clippy::unwrap_used, reason = "a tool for whoever looks for the cause")]

use std::{env, fs::File, io::BufWriter, sync::Mutex};

use tracing::Level;

fn main() {
    let numbers: Vec<u64> = env::args().skip(1).map(|text| text.parse().unwrap()).collect();
    let (first, count) = match numbers[..] {
        [first] => (first, 1),
        [first, count] => (first, count),
        _ => panic!("usage: twice SEED [COUNT]"),
    };
    let differs = |seed: &u64| althing_sim::run(*seed, None) != althing_sim::run(*seed, None);
    let differing: Vec<u64> = (first..first + count).filter(differs).collect();
    println!("of {count} seeds from {first} on, these differ between two runs: {differing:?}");
    let Some(seed) = differing.first() else { return };
    for run in ["first", "second"] {
        let path = env::temp_dir().join(format!("althing-seed-{seed}-{run}.log"));
        println!("{}", path.display());
        let file = Mutex::new(BufWriter::new(File::create(path).unwrap()));
        let log = tracing_subscriber::fmt().with_ansi(false).without_time();
        let log = log.with_max_level(Level::TRACE).with_writer(file).finish();
        let _ = tracing::subscriber::with_default(log, || althing_sim::run(*seed, None));
    }
}
