//! Parse, configure, call a library.
//!
//! This binary decides nothing: it reads what was typed and what is configured, calls the library
//! that does the work, and says what came of it. Start reading at [`cli::Cli`]; each command is a
//! file of `commands`.

mod cli;
mod commands;

mod config;
mod controls;

mod cluster;
mod founding;
mod replay;

mod lookup;
mod secrets;
mod session;

mod logging;
mod output;
mod report;

mod folder;
mod nearest;
mod pages;
mod ports;
mod process;
mod shutdown;
mod size;
mod span;

use std::{panic::resume_unwind, process::ExitCode, sync::OnceLock, thread, time::Instant};

use clap::Parser as _;

/// A peer makes and drops many small things on several threads. Measured against the allocator of glibc under full load:
/// a tenth less time, and half the memory. Its settings are in `.cargo/config.toml`.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    started();
    // The grammar of all commands takes a quarter of a megabyte of stack, which the first thread would keep for good.
    let cli = thread::spawn(cli::Cli::parse).join().unwrap_or_else(|panic| resume_unwind(panic));
    let json = cli.json;
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report::report(&error, json),
    }
}

/// When this program started; the demo says how long its first reading took from there.
pub(crate) fn started() -> Instant {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    *STARTED.get_or_init(Instant::now)
}

/// This program as it was called, for the commands that it suggests.
pub(crate) fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "althing".to_owned())
}
