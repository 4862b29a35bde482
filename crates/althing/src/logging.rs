//! Logs of long-running commands, to standard error.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    io::IsTerminal as _,
};

use tracing_subscriber::EnvFilter;

use crate::report::failed;

/// Begins to log what the filter lets through.
pub(crate) fn begin(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        failed(
            format!("`filter` in [log] is not valid: {error}"),
            "filter = \"info\", or by module: filter = \"info,althing_peer=debug\"",
        )
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    std::panic::set_hook(Box::new(|panic| {
        let trace = Backtrace::capture();
        match trace.status() {
            BacktraceStatus::Captured => tracing::error!("{panic}\n{trace}"),
            _ => tracing::error!("{panic}"),
        }
    }));
    Ok(())
}
