//! `althing did`: W3C Decentralized Identifiers.

use althing_client::model::{DidDocument, IdText};
use clap::{Args, Subcommand};

use crate::{
    output::Output,
    session::{Explain as _, Remote, block_on},
};

/// Resolves DIDs.
#[derive(Debug, Subcommand)]
pub(crate) enum DidCommand {
    /// Prints the DID document of an entity, with its present key, or of a thing, with the way to its
    /// description (W3C DID Core 1.0).
    Resolve(Resolve),
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// The DID, or 64 hex digits.
    #[arg(value_parser = checked)]
    did: String,
    #[command(flatten)]
    remote: Remote,
}

impl DidCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        let Self::Resolve(Resolve { did, remote }) = self;
        let client = remote.client()?;
        let document: DidDocument = block_on(async { client.resolve(&did).await.explain() })?;
        let pretty = serde_json::to_string_pretty(&document)?;
        output.show(&document, || pretty)
    }
}

/// Goes to the peer as it was typed: whether the DID is of its network is the peer's to say.
fn checked(text: &str) -> Result<String, &'static str> {
    text.parse::<IdText>().map(|_| text.to_owned())
}
