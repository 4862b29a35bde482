//! `althing ledger`: other ledgers, and calls across.

mod call;
mod carry;
mod link;
mod relay;

use clap::Subcommand;

use self::{call::CallCommand, link::LinkCommand, relay::Relay};
pub(super) use self::{carry::advance, relay::Ends};
use crate::{output::Output, session::block_on};

/// Relies on other ledgers by proof, calls their services, and carries calls between.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Register other ledgers, show how far each is known.
    #[command(subcommand)]
    Link(LinkCommand),
    /// Ask services of other ledgers, answer what they ask.
    #[command(subcommand)]
    Call(CallCommand),
    /// Carry calls from one ledger to another and answers back, until it is stopped.
    Relay(Relay),
}

impl LedgerCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::Link(command) => command.run(output).await,
                Self::Call(command) => command.run(output).await,
                Self::Relay(relay) => relay.run(output).await,
            }
        })
    }
}
