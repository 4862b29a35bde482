//! Logs of long-running commands, to standard error.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fmt,
    io::IsTerminal as _,
    sync::Arc,
};

use tracing_subscriber::EnvFilter;

use crate::report::failed;

/// What lets other filters through while the program runs; clones share it.
#[derive(Clone)]
pub(crate) struct Filter(Option<Arc<dyn Fn(EnvFilter) + Send + Sync>>);

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

impl Filter {
    /// One that changes nothing, where nothing is logged.
    #[cfg(test)]
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Logs from now on what another filter lets through; one that is not valid changes nothing.
    pub(crate) fn set(&self, filter: &str) {
        if let (Some(set), Ok(filter)) = (&self.0, EnvFilter::try_new(filter)) {
            set(filter);
        }
    }
}

/// Whether a filter is one.
pub(crate) fn check(filter: &str) -> anyhow::Result<()> {
    read(filter).map(drop)
}

fn read(filter: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(filter).map_err(|error| {
        failed(
            format!("`filter` in [log] is not valid: {error}"),
            "filter = \"info\", or by module: filter = \"info,althing_peer=debug\"",
        )
    })
}

/// Begins to log what the filter lets through.
pub(crate) fn begin(filter: &str) -> anyhow::Result<Filter> {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(read(filter)?)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_filter_reloading();
    let handle = subscriber.reload_handle();
    subscriber.init();
    std::panic::set_hook(Box::new(|panic| {
        let trace = Backtrace::capture();
        match trace.status() {
            BacktraceStatus::Captured => tracing::error!("{panic}\n{trace}"),
            _ => tracing::error!("{panic}"),
        }
    }));
    Ok(Filter(Some(Arc::new(move |filter| {
        if let Err(error) = handle.reload(filter) {
            tracing::warn!(%error, "what is logged could not be changed");
        }
    }))))
}
