//! Run every check the project promises.

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::{check, errors, root, tally::Tally, vectors};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Run every check the project promises")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything the README promises; the last line says how many checks passed and failed.
    Test,
    /// The quick part of `test`; never writes into the work tree.
    Verify,
    /// Formats, and applies what clippy can repair.
    Fix,
    /// Simulates whole networks of peers from a seed, and as many seeds after it as asked.
    Sim {
        /// The first seed.
        seed: u64,
        /// How many seeds.
        #[arg(default_value_t = 1)]
        count: u64,
    },
    /// Measures; prints one row per figure of the budget.
    Bench {
        /// One JSON object a line instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Asks CosmWasm's own engine for the answers that our host of contracts is compared with. Takes
    /// some minutes the first time; needed only after a change of `testdata/contracts/calls.json`.
    Differential,
    /// Runs the tests of what peers must agree on on an emulated 64-bit ARM. Takes half an hour the first
    /// time.
    Arm64,
    /// Compares the encodings with the pinned ones.
    Vectors {
        /// Pins them as they are now.
        #[arg(long)]
        bless: bool,
    },
    /// Builds the program and makes an archive and a Debian package of it.
    Package {
        /// Of this target instead of the machine's own, such as `aarch64-unknown-linux-gnu`.
        #[arg(long)]
        target: Option<String>,
    },
    /// Compares the committed descriptions of the interface and its events with the code.
    Api {
        /// Writes it.
        #[arg(long)]
        bless: bool,
    },
    /// Feeds mutated bytes to a decoder, or to `all`.
    Fuzz {
        /// Name of the target; `list` prints them.
        target: String,
        /// How long, for each target.
        #[arg(default_value_t = 10)]
        seconds: u64,
        /// Where to begin; a failure prints the seed that repeats it.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Builds the book and the API documentation.
    Docs {
        /// Writes the parts of the book that come from the code, and builds nothing.
        #[arg(long)]
        bless: bool,
    },
}

fn main() -> Result<()> {
    std::env::set_current_dir(root())?;
    match Arguments::parse().command {
        Command::Test => finish(&check::test()),
        Command::Verify => finish(&check::verify()),
        Command::Fix => check::fix(),
        Command::Sim { seed, count } => check::sim(seed, count),
        Command::Bench { json } => xtask::bench(json),
        Command::Differential => check::differential(),
        Command::Arm64 => xtask::arm64(),
        Command::Vectors { bless: true } => vectors::bless(),
        Command::Vectors { bless: false } => vectors::check(),
        Command::Package { target } => xtask::package(target.as_deref()),
        Command::Api { bless } => xtask::api(bless),
        Command::Fuzz { target, seconds, seed } => check::fuzz(&target, seconds, seed),
        Command::Docs { bless: true } => errors::bless(),
        Command::Docs { bless: false } => check::docs(),
    }
}

/// Prints what failed and how to repeat it, then the counting line, which stays last.
fn finish(tally: &Tally) -> Result<()> {
    println!("{tally}");
    std::process::exit(i32::from(tally.failed() > 0));
}
