//! `althing peer`: run a BoT peer, look at one, operate it, check and export what it keeps.

mod check;
mod export;
mod ledgers;
pub(crate) mod operate;
mod run;
mod space;
mod spare;
mod status;

use std::{path::Path, sync::Arc};

use althing_state::{OpenError, Store};
use althing_storage::{
    AtRest, FjallStore, OpenStoreError, OsFiles, PayloadError, Payloads, Settings,
};
use anyhow::Context as _;
use clap::Subcommand;

use crate::{
    config::PeerConfig,
    output::Output,
    report::{failed, with_next},
    secrets,
};

/// Runs, watches, operates, checks and exports a peer.
#[derive(Debug, Subcommand)]
pub(crate) enum PeerCommand {
    /// Runs a peer until it is interrupted.
    Run(run::Run),
    /// Shows what a running peer does, whom it sees, and what it waits for.
    Status(status::Status),
    /// Lists the peers of several ledgers on this machine, with how each stands.
    Ledgers(ledgers::Ledgers),
    /// Lists what an operator should know of or do about.
    Alarms(operate::Alarms),
    /// Notes that an operator has seen an alarm.
    Acknowledge(operate::Acknowledge),
    /// Shows, checks and applies the configuration of a peer that runs.
    #[command(subcommand)]
    Config(operate::ConfigurationCommand),
    /// Lists what was done to a peer, and by whom.
    Log(operate::Log),
    /// Has a peer settle what it took, and end.
    Stop(operate::Stop),
    /// Reads everything a stopped peer keeps and compares it with its digests.
    Check(check::Check),
    /// Writes the state of a stopped peer to a file, for backup or inspection.
    Export(export::Export),
}

impl PeerCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Run(run) => run.run(),
            Self::Status(status) => status.run(output),
            Self::Ledgers(ledgers) => ledgers.run(output),
            Self::Alarms(alarms) => alarms.run(output),
            Self::Acknowledge(acknowledge) => acknowledge.run(output),
            Self::Config(config) => config.run(output),
            Self::Log(log) => log.run(output),
            Self::Stop(stop) => stop.run(output),
            Self::Check(check) => check.run(output),
            Self::Export(export) => export.run(output),
        }
    }
}

/// What a peer keeps on disk, beside ordering's archives.
struct Disk {
    store: Arc<dyn Store>,
    payloads: Arc<Payloads>,
}

impl Disk {
    /// `key` is what payloads are encrypted with.
    fn open(config: &PeerConfig, key: AtRest) -> anyhow::Result<Self> {
        let folder = &config.data;
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the data folder {}", folder.display()))?;
        let store = open_state(&folder.join("state"), &config.store)?;
        let store: Arc<dyn Store> = Arc::new(store);
        let files = OsFiles::new(folder.join("payloads"))
            .with_context(|| format!("cannot use the data folder {}", folder.display()))?;
        let (index, seals) = (Arc::clone(&store), config.encrypt_at_rest);
        let payloads = Payloads::open_with(Arc::new(files), index, Some(key), seals);
        let payloads = payloads.map_err(|error| {
            let next = match error {
                PayloadError::WrongKey => {
                    "name the file of the key that they were encrypted with as `encryption_key` in [peer]"
                }
                _ => "althing peer check --config FILE names what is damaged",
            };
            with_next(anyhow::Error::from(error).context("cannot open the payloads"), next)
        })?;
        Ok(Self { store, payloads: Arc::new(payloads) })
    }

    /// As [`Disk::open`], for commands that only look: a folder is not made where there is none.
    fn open_existing(config: &PeerConfig) -> anyhow::Result<Self> {
        refuse_missing(&config.data)?;
        let stored = secrets::open(
            config.encryption_key.as_ref().unwrap_or(&config.voting_key),
            config.passphrase_file.as_deref(),
        )?;
        Self::open(config, AtRest::derive(stored.key.secret()))
    }
}

/// Opens the state, or says what helps: it is a copy, which the peer makes again from its blocks.
fn open_state(folder: &Path, settings: &Settings) -> anyhow::Result<FjallStore> {
    FjallStore::open(folder, settings).map_err(|error| {
        let next = match &error {
            OpenStoreError::Locked { .. } => {
                "althing peer status says whether a peer runs already".to_owned()
            }
            OpenStoreError::Failed { .. } => format!(
                "if another version of this program wrote it, use that one; if it is damaged, move \
                 {} away and start the peer: it carries out its blocks again",
                folder.display()
            ),
        };
        with_next(error, next)
    })
}

/// What to do about a state that opens and cannot be used.
fn state_way_out(error: &OpenError) -> &'static str {
    match error {
        OpenError::OtherLedger { .. } => {
            "give `data` in [peer] another folder, or `genesis` the file it was made with"
        }
        OpenError::Newer { .. } => "run the version of this program that wrote it",
        OpenError::Store(_) | OpenError::Damaged { .. } => {
            "move the folder `state` in the data folder away and start the peer: it carries out its \
             blocks again"
        }
    }
}

fn refuse_missing(folder: &Path) -> anyhow::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    Err(failed(
        format!("there is no data folder {}: this peer has never run", folder.display()),
        "althing peer run --config FILE",
    ))
}
