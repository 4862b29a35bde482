//! The peers of several ledgers in one process.
//!
//! Each has a runtime and a folder of its own, so that one whose disk fails, or which contradicts itself, ends
//! alone. What they share is the process: its log, and the machine that contracts run on, with its cache.

use std::{collections::BTreeMap, fmt::Display, thread};

use anyhow::Context as _;

use super::Files;
use crate::report::failed;

/// Most ledgers of one process; more is a slip of the pen.
const LEDGERS_MAX: usize = 64;

/// Runs them until all have ended. One that ends with an error is named at once, and again at the end; the
/// others go on.
pub(super) fn run(mut all: Vec<Files>, with_parent: bool) -> anyhow::Result<()> {
    if all.len() == 1
        && let Some(only) = all.pop()
    {
        return only.run(with_parent);
    }
    check(&all)?;
    let mut running = Vec::new();
    for files in all {
        let (config, network) = (files.path.display().to_string(), files.genesis.network.clone());
        let name = config.clone();
        let run = move || {
            let ended = files.run(with_parent);
            if let Err(error) = &ended {
                let reason = format!("{error:#}");
                tracing::error!(
                    config,
                    network,
                    reason,
                    "this peer ended; those of other ledgers go on"
                );
            }
            ended
        };
        let thread = thread::Builder::new().spawn(run).context("cannot start a thread")?;
        running.push((name, thread));
    }
    let mut ended_badly = Vec::new();
    for (config, thread) in running {
        // A panic was logged where it happened.
        if !matches!(thread.join(), Ok(Ok(()))) {
            ended_badly.push(config);
        }
    }
    if ended_badly.is_empty() {
        return Ok(());
    }
    Err(failed(
        format!("ended with an error: the peer of {}", ended_badly.join(", of ")),
        "the log says why at the time; the peers of the other ledgers ended in good order",
    ))
}

/// What can only go wrong among several.
fn check(all: &[Files]) -> anyhow::Result<()> {
    if all.len() > LEDGERS_MAX {
        return Err(failed(
            format!("{} configurations, but one process runs at most {LEDGERS_MAX}", all.len()),
            "start several processes",
        ));
    }
    let settings = || all.iter().map(|files| (files.path.display(), &files.settings));
    differ("data", settings().map(|(path, one)| (path, one.data.display().to_string())))?;
    let listen = settings().flat_map(|(path, one)| {
        let path = path.to_string();
        [one.api_listen, one.p2p_listen].map(|at| (path.clone(), at.to_string()))
    });
    differ("listen", listen)
}

/// Each has its own.
fn differ(key: &str, values: impl Iterator<Item = (impl Display, String)>) -> anyhow::Result<()> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (config, value) in values {
        if let Some(other) = seen.insert(value.clone(), config.to_string()) {
            return Err(failed(
                format!("`{key}` is {value} twice: in {other} and in {config}"),
                "give each ledger a folder and addresses of its own",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ledger_has_its_own_folder_and_addresses() {
        let of = |values: &[(&'static str, &str)]| {
            let values: Vec<(&str, String)> =
                values.iter().map(|(config, value)| (*config, (*value).to_owned())).collect();
            differ("data", values.into_iter()).map_err(|error| format!("{error:#}"))
        };
        assert_eq!(of(&[("a.toml", "x"), ("b.toml", "y")]), Ok(()));
        let told = of(&[("a.toml", "x"), ("b.toml", "y"), ("c.toml", "x")]).unwrap_err();
        assert!(told.contains("`data` is x twice: in a.toml and in c.toml"), "{told}");
    }
}
