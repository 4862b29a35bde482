//! The command line: what can be typed.

use clap::{Parser, Subcommand};

use crate::{
    commands::{
        access::AccessCommand,
        audit::AuditCommand,
        block::BlockCommand,
        command::CommandCommand,
        config::ConfigCommand,
        conformance::ConformanceCommand,
        contract::ContractCommand,
        data::DataCommand,
        demo::DemoCommand,
        did::DidCommand,
        entity::EntityCommand,
        events::EventsCommand,
        gateway::GatewayCommand,
        governance::{OrgCommand, PolicyCommand, RegulationCommand, VoteCommand},
        init::InitCommand,
        key::KeyCommand,
        ledger::LedgerCommand,
        network::NetworkCommand,
        peer::PeerCommand,
        reading::ReadingCommand,
        service::ServiceCommand,
        stake::StakeCommand,
        stream::StreamCommand,
        thing::ThingCommand,
        trigger::TriggerCommand,
        tx::TxCommand,
        verify::VerifyCommand,
        wallet::WalletCommand,
        webhook::WebhookCommand,
    },
    output::Output,
};

/// Things and organisations agree on what happened, and anyone can check it.
///
/// Start here: `althing demo` runs four peers of four organisations on this machine and shows real
/// sensor readings become final, each with a proof.
#[derive(Debug, Parser)]
#[command(name = "althing", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Print one JSON value for programs instead of tables for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a whole network on this machine and watch real readings become final.
    Demo(DemoCommand),
    /// Ask who takes part, choose mode and agreement by the answers, and found a network.
    Init(InitCommand),
    /// Found a network: keys, genesis, a folder for each peer; show what one is.
    #[command(subcommand)]
    Network(NetworkCommand),
    /// Run, watch, operate, check and export a peer.
    #[command(subcommand)]
    Peer(PeerCommand),
    /// Collect what happened for an auditor or regulator, and check such a file.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Run a gateway.
    #[command(subcommand)]
    Gateway(GatewayCommand),
    /// Ask things to do something, and see what becomes of it.
    #[command(subcommand, name = "command")]
    Ask(CommandCommand),
    /// Show, register, bind and retire things.
    #[command(subcommand)]
    Thing(ThingCommand),
    /// Write, check, store, call and manage contracts.
    #[command(subcommand)]
    Contract(ContractCommand),
    /// Lets the ledger act by itself when something has happened.
    #[command(subcommand)]
    Trigger(TriggerCommand),
    /// Publish services, find and watch them.
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Have a peer call a URL with each event.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Show who holds data, and erase it.
    #[command(subcommand)]
    Data(DataCommand),
    /// Show streams and their gaps.
    #[command(subcommand)]
    Stream(StreamCommand),
    /// Show readings, and fetch proofs of them.
    #[command(subcommand)]
    Reading(ReadingCommand),
    /// Show, submit and prove transactions; write records.
    #[command(subcommand)]
    Tx(TxCommand),
    /// Say who may read and act; ask for access, answer, see who used it.
    #[command(subcommand)]
    Access(AccessCommand),
    /// Show blocks and who signed them.
    #[command(subcommand)]
    Block(BlockCommand),
    /// Show, register and revoke entities.
    #[command(subcommand)]
    Entity(EntityCommand),
    /// Resolve DIDs.
    #[command(subcommand)]
    Did(DidCommand),
    /// Make and show key files; replace keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Show members; propose to add or remove an organisation or the seat of a peer.
    #[command(subcommand)]
    Org(OrgCommand),
    /// Show proposals, vote on them, carry them out.
    #[command(subcommand)]
    Vote(VoteCommand),
    /// Show what members have decided, now or as of a height.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Show what the network demands of how readings are kept; propose to demand it.
    #[command(subcommand)]
    Regulation(RegulationCommand),
    /// Show, pay, lock and promise tokens, on ledgers that have them.
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// Rely on other ledgers by proof, call their services, carry calls between.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Put tokens behind peers, which get seats for them, on ledgers where seats follow from stakes.
    #[command(subcommand)]
    Stake(StakeCommand),
    /// Follow events as they happen.
    Events(EventsCommand),
    /// Run procedures of ITU-T Y.4464 clause 10 between real processes.
    Conformance(ConformanceCommand),
    /// Check a proof offline.
    Verify(VerifyCommand),
    /// Write or check a configuration file.
    #[command(subcommand)]
    Config(ConfigCommand),
}

impl Cli {
    /// Runs the command.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let output = Output { json: self.json };
        match self.command {
            Command::Demo(command) => command.run(output),
            Command::Init(command) => command.run(output),
            Command::Network(command) => command.run(output),
            Command::Peer(command) => command.run(output),
            Command::Audit(command) => command.run(output),
            Command::Gateway(command) => command.run(output),
            Command::Ask(command) => command.run(output),
            Command::Thing(command) => command.run(output),
            Command::Contract(command) => command.run(output),
            Command::Trigger(command) => command.run(output),
            Command::Service(command) => command.run(output),
            Command::Webhook(command) => command.run(output),
            Command::Data(command) => command.run(output),
            Command::Stream(command) => command.run(output),
            Command::Reading(command) => command.run(output),
            Command::Tx(command) => command.run(output),
            Command::Access(command) => command.run(output),
            Command::Block(command) => command.run(output),
            Command::Entity(command) => command.run(output),
            Command::Did(command) => command.run(output),
            Command::Key(command) => command.run(output),
            Command::Org(command) => command.run(output),
            Command::Vote(command) => command.run(output),
            Command::Policy(command) => command.run(output),
            Command::Regulation(command) => command.run(output),
            Command::Wallet(command) => command.run(output),
            Command::Ledger(command) => command.run(output),
            Command::Stake(command) => command.run(output),
            Command::Events(command) => command.run(output),
            Command::Conformance(command) => command.run(output),
            Command::Verify(command) => command.run(output),
            Command::Config(command) => command.run(output),
        }
    }
}

#[cfg(test)]
mod tests;
