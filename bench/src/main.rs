//! Measure a network of real peers under load.
//!
//! ```text
//! althing-bench PROGRAM [CASE ...]
//! ```
//!
//! Founds a network with `PROGRAM network new`, runs its four peers with `PROGRAM peer run` over
//! loopback and the real disk, and loads them from this process through their HTTP interface, as a
//! program of a user would. Prints one JSON object a case; `bench` names it. CPU time is that of all
//! peers' processes, and apart from it this process's own.
//!
//! Start reading at [`cases`]; `network` and `gateway` hold the processes, `load` what is sent to them.

mod cases;
mod gateway;
mod http;
mod load;
mod network;
mod things;
mod usage;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let program =
        PathBuf::from(arguments.next().context("usage: althing-bench PROGRAM [CASE ...]")?);
    let program = program.canonicalize().with_context(|| format!("no {}", program.display()))?;
    cases::run(&program, &arguments.collect::<Vec<_>>()).await
}
