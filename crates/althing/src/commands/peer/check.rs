use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::Disk;
use crate::{
    config::Config,
    output::{Output, fields, thousands},
    report::failed,
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
        let report = althing_storage::check(&disk.store, &disk.payloads, &genesis.ledger())
            .context("the state on disk cannot be used")?;
        let damaged: Vec<String> = report.damaged.iter().map(hex::encode).collect();
        let value = json!({
            "ok": damaged.is_empty(),
            "height": report.height,
            "state_root": report.root.map(|root| root.to_string()),
            "payloads": report.payloads,
            "damaged": damaged,
        });
        output.show(&value, || {
            fields(&[
                ("state", report.height.map_or("not founded yet".into(), |h| format!("block {h}"))),
                ("state root", report.root.map_or("-".into(), |root| root.to_string())),
                ("payloads", format!("{} whole", thousands(report.payloads))),
                ("damaged", damaged.len().to_string()),
            ])
        })?;
        match damaged.first() {
            None => Ok(()),
            Some(first) => Err(failed(
                format!("{} payloads are damaged, such as {first}", damaged.len()),
                "start the peer: it fetches them from others again",
            )),
        }
    }
}
