//! `althing config`: write the commented configuration, check one.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    config::{Config, REFERENCE},
    output::{Output, write_out},
    report::{NextStep as _, failed},
};

/// Writes and checks configuration files.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Writes the commented configuration with every key and its default.
    Init(Init),
    /// Checks a configuration and everything it names that can be checked without starting.
    Check(Check),
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where to; `-` prints it.
    #[arg(default_value = "config.toml")]
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration.
    #[arg(default_value = "config.toml")]
    file: PathBuf,
}

impl ConfigCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Init(init) => init.run(output),
            Self::Check(check) => check.run(output),
        }
    }
}

impl Init {
    fn run(self, output: Output) -> anyhow::Result<()> {
        if self.file.as_os_str() == "-" {
            return write_out(REFERENCE.trim_end());
        }
        let name = self.file.display().to_string();
        if self.file.exists() {
            return Err(failed(
                format!("{name} exists already"),
                format!("althing config init {name}.new"),
            ));
        }
        std::fs::write(&self.file, REFERENCE)
            .with_context(|| format!("cannot write {name}"))
            .next_step(|| "choose a folder that exists and can be written".to_owned())?;
        output.show(&json!({ "file": name }), || {
            format!("wrote {name}\nnext: edit it, then: althing config check {name}")
        })
    }
}

impl Check {
    fn run(self, output: Output) -> anyhow::Result<()> {
        let name = self.file.display().to_string();
        let config = Config::load(&self.file)?;
        config.peer()?;
        config.gateway()?;
        output.show(&json!({ "file": name, "ok": true }), || format!("{name} is in order"))
    }
}
