//! Making, changing and ending contracts.

use althing_client::model::DidText;
use althing_types::{Action, ContractId, EntityId, Terms};
use clap::Args;
use serde_json::json;

use super::{call::GAS, find, find_code, message};
use crate::{
    commands::final_at,
    lookup,
    output::Output,
    session::{Session, SignArgs},
};

/// Blocks within which participants must accept, unless said.
const PATIENCE_BLOCKS: u32 = 10_000;

#[derive(Debug, Args)]
pub(crate) struct Instantiate {
    /// Its code: hex id, number or name.
    code: String,
    /// Its first message: JSON, or @FILE.
    message: String,
    /// A name for it, unique among those that the signing entity made.
    #[arg(long)]
    name: String,
    /// Who may migrate, freeze and end it: DID, hex id or name. The signing entity if none is given.
    #[arg(long, value_name = "ENTITY", conflicts_with = "no_admin")]
    admin: Option<String>,
    /// Nobody may change it, ever.
    #[arg(long)]
    no_admin: bool,
    /// A peer or organisation that takes part in deciding whether it begins; may be repeated.
    #[arg(long = "participant", value_name = "ENTITY")]
    participants: Vec<String>,
    /// How many participants must accept it; all if not given.
    #[arg(long, requires = "participants")]
    threshold: Option<u8>,
    /// Blocks within which they must.
    #[arg(long, default_value_t = PATIENCE_BLOCKS)]
    patience_blocks: u32,
    /// An entity that may call it, with all it owns; may be repeated. Anyone if none is given.
    #[arg(long = "caller", value_name = "ENTITY")]
    callers: Vec<String>,
    /// Most gas its beginning may use.
    #[arg(long, default_value_t = GAS)]
    gas: u64,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Its name, DID or hex id.
    contract: String,
    /// The new code: hex id, number or name.
    code: String,
    /// The message for the new code: JSON, or @FILE.
    message: String,
    /// Most gas it may use.
    #[arg(long, default_value_t = GAS)]
    gas: u64,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SetAdmin {
    /// Its name, DID or hex id.
    contract: String,
    /// Who administers it from now on: DID, hex id or name; nobody, for ever, if not given.
    admin: Option<String>,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Its name, DID or hex id.
    contract: String,
    #[command(flatten)]
    sign: SignArgs,
}

async fn entities(session: &Session, texts: &[String]) -> anyhow::Result<Vec<EntityId>> {
    let mut ids = Vec::with_capacity(texts.len());
    for text in texts {
        ids.push(lookup::entity(&session.client, text).await?);
    }
    ids.sort();
    ids.dedup();
    Ok(ids)
}

impl Instantiate {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let message = message(&self.message)?;
        let session = self.sign.session().await?;
        let code = find_code(&session.client, &self.code).await?;
        let admin = match &self.admin {
            Some(admin) => Some(lookup::entity(&session.client, admin).await?),
            None if self.no_admin => None,
            None => Some(session.entity()),
        };
        let participants = entities(&session, &self.participants).await?;
        let decided = participants.is_empty();
        let terms = Terms {
            admin,
            threshold: self.threshold.unwrap_or(participants.len() as u8),
            patience_blocks: if decided { 0 } else { self.patience_blocks },
            participants,
            callers: entities(&session, &self.callers).await?,
        };
        let contract = ContractId::derive(&session.entity(), &self.name);
        let name = self.name.clone();
        let action =
            Action::Instantiate { code, name, terms, message, gas_limit: self.gas, funds: None };
        let outcome = session.perform(vec![action]).await?;
        let did = DidText::contract(&session.network, &contract);
        let value = json!({ "id": did, "hex": contract.to_string(), "outcome": outcome });
        output.show(&value, || {
            let made = if decided { "made" } else { "proposed" };
            format!("{made} {} as {did}\n{}", self.name, final_at(&outcome))
        })
    }
}

impl Migrate {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let message = message(&self.message)?;
        let session = self.sign.session().await?;
        let contract = find(&session.client, &self.contract).await?.hex.0;
        let code = find_code(&session.client, &self.code).await?;
        let action = Action::Migrate { contract, code, message, gas_limit: self.gas };
        let outcome = session.perform(vec![action]).await?;
        output
            .show(&outcome, || format!("{} runs {code} now\n{}", self.contract, final_at(&outcome)))
    }
}

impl SetAdmin {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let contract = find(&session.client, &self.contract).await?.hex.0;
        let admin = match &self.admin {
            Some(admin) => Some(lookup::entity(&session.client, admin).await?),
            None => None,
        };
        let outcome = session.perform(vec![Action::SetAdmin { contract, admin }]).await?;
        output.show(&outcome, || {
            let who = self.admin.as_deref().unwrap_or("nobody");
            format!("{who} administers {}\n{}", self.contract, final_at(&outcome))
        })
    }
}

impl Change {
    pub(super) async fn run(
        self,
        output: Output,
        done: &str,
        action: impl FnOnce(ContractId) -> Action,
    ) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let contract = find(&session.client, &self.contract).await?.hex.0;
        let outcome = session.perform(vec![action(contract)]).await?;
        output.show(&outcome, || format!("{done} {}\n{}", self.contract, final_at(&outcome)))
    }
}
