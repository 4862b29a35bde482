use std::path::PathBuf;

use althing_peer::{Audit, audit};
use althing_storage::Report;
use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::{Disk, state_way_out};
use crate::{
    config::Config,
    output::{Output, fields, thousands},
    report::{failed, with_next},
    session::read_genesis,
};

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The peer's configuration.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: PathBuf,
}

impl Check {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let config = Config::load(&self.config)?;
        let genesis = read_genesis(&config.genesis_path()?)?;
        let disk = Disk::open_existing(&config.peer()?)?;
        if !output.json {
            eprintln!("reading everything; this takes about a second per gigabyte ...");
        }
        let report = althing_storage::check(&disk.store, &disk.payloads, &genesis.ledger());
        let report = report.map_err(|error| {
            let next = state_way_out(&error);
            with_next(anyhow::Error::from(error).context("the state on disk cannot be used"), next)
        })?;
        let audit = report.height.map(|height| audit(&*disk.store, &disk.payloads, height));
        let audit = audit.transpose().context("the blocks' results cannot be read")?;
        let found = Found { report, audit: audit.unwrap_or_default() };
        output.show(&found.to_json(), || found.to_text())?;
        found.judge()
    }
}

/// What a check found.
struct Found {
    report: Report,
    audit: Audit,
}

impl Found {
    fn to_json(&self) -> serde_json::Value {
        let Self { report, audit } = self;
        let damaged: Vec<String> = report.damaged.iter().map(hex::encode).collect();
        json!({
            "ok": self.judge().is_ok(),
            "height": report.height,
            "state_root": report.root.map(|root| root.to_string()),
            "payloads": report.payloads,
            "damaged": damaged,
            "missing": audit.missing,
            "broken_at": audit.broken_at,
        })
    }

    fn to_text(&self) -> String {
        let Self { report, audit } = self;
        let headers = match (report.height, audit.broken_at) {
            (None, _) => "-".to_owned(),
            (Some(height), None) => format!("each follows from the one before, 0 to {height}"),
            (Some(_), Some(height)) => format!("number {height} does not follow"),
        };
        fields(&[
            ("state", report.height.map_or("not founded yet".into(), |h| format!("block {h}"))),
            ("state root", report.root.map_or("-".into(), |root| root.to_string())),
            ("headers", headers),
            ("payloads", format!("{} whole", thousands(report.payloads))),
            ("damaged", thousands(report.damaged.len() as u64)),
            ("missing", thousands(audit.missing)),
        ])
    }

    fn judge(&self) -> anyhow::Result<()> {
        let Self { report, audit } = self;
        if let Some(height) = audit.broken_at {
            return Err(failed(
                format!("the header of block {height} does not follow from the one before"),
                "move the folder `state` in the data folder away and start the peer: it carries \
                 out its blocks again",
            ));
        }
        let first = report.damaged.iter().chain(&audit.listed).next();
        match first.map(hex::encode) {
            None => Ok(()),
            Some(first) => Err(failed(
                format!(
                    "{} payloads are damaged and {} missing, such as {first}",
                    report.damaged.len(),
                    audit.missing
                ),
                "start the peer: it fetches what is missing from others at once, and what is \
                 damaged when somebody reads it",
            )),
        }
    }
}
