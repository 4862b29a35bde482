//! Forecast a property as a service outside the ledger, with its caller.
//!
//! Y.4464 9.3, approach 2, and 10.5: the service runs outside; its contract authenticates, authorises,
//! charges and records. It is an example to begin from, and real.
//!
//! ```text
//! caller                            service                          ledger
//!   | token, identity, grant ---------> checks offline (genesis, clock)
//!   |                                   reads credit and data --------> its own peer
//!   | <----- forecast, body, signature
//!   | checks the body, signs it, submits ------------------------------> debit, use, record: all or none
//! ```
//! Both sign one transaction, so neither can say later that it was otherwise. Who does not sign gets the
//! same answer again and no other.
//!
//! Start reading at [`desk::Desk::answer`].

mod ask;
mod desk;
mod form;
mod serve;

use std::path::{Path, PathBuf};

use althing_client::{Client, Config, ReadingAs, Signer, genesis_file, key_file};
use althing_types::{ContractId, Genesis};
use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

/// Forecasts a property from its last readings, for those who hold a grant and have units left.
#[derive(Debug, Parser)]
#[command(name = "althing-forecast", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the service.
    Serve(serve::Serve),
    /// Calls it, checks the answer, and signs the record together with it.
    Ask(ask::Ask),
}

/// What service and caller both are told.
#[derive(Debug, Clone, Args)]
struct Common {
    /// The peer that is asked and given transactions.
    #[arg(long, env = "ALTHING_PEER", default_value = "http://127.0.0.1:4464", value_name = "URL")]
    peer: String,
    /// Key file of this entity; its passphrase is in ALTHING_PASSPHRASE if it needs one.
    #[arg(long, env = "ALTHING_KEY", value_name = "FILE")]
    key: PathBuf,
    /// The genesis that is trusted.
    #[arg(long, env = "ALTHING_GENESIS", value_name = "FILE")]
    genesis: PathBuf,
    /// The contract that charges and records, 64 hex digits.
    #[arg(long, value_parser = contract, value_name = "ID")]
    contract: ContractId,
    /// What the service is used for: the purpose of grants.
    #[arg(long, default_value = "forecast")]
    purpose: String,
}

fn contract(text: &str) -> Result<ContractId, String> {
    ContractId::from_hex(text).ok_or_else(|| "64 hex digits expected".to_owned())
}

/// An entity at its peer.
struct Party {
    genesis: Genesis,
    signer: Signer,
    client: Client,
    contract: ContractId,
    purpose: String,
}

impl Common {
    fn party(&self) -> anyhow::Result<Party> {
        let genesis = genesis_file::read(&self.genesis).context("cannot read the genesis")?;
        let signer = signer(&self.key, &genesis)?;
        let client = Client::new(Config::new(&self.peer))?;
        let (entity, key) = (signer.entity, signer.key.clone());
        let client = client.reading_as(ReadingAs { entity, key, purpose: self.purpose.clone() });
        let (contract, purpose) = (self.contract, self.purpose.clone());
        Ok(Party { genesis, signer, client, contract, purpose })
    }
}

fn signer(path: &Path, genesis: &Genesis) -> anyhow::Result<Signer> {
    let passphrase = key_file::passphrase_from_env();
    let stored = key_file::read(path, passphrase.as_deref().map(String::as_str))?;
    let entity = stored.entity.context("the key file does not say whose key it is")?;
    Ok(Signer { ledger: genesis.ledger(), entity: entity.entity_id(), key: stored.key })
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Serve(serve) => serve.run().await,
        Command::Ask(ask) => ask.run().await,
    }
}
