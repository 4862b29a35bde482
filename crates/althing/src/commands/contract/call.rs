//! Calling and asking contracts.

use althing_types::{Action, Body};
use clap::Args;

use super::{find, message, trial_text};
use crate::{
    commands::{final_at, wallet::Token},
    lookup,
    output::Output,
    session::{Explain as _, Remote, SignArgs},
};

/// Gas of a call unless it says: enough for nearly all, and half of what a transaction may have by
/// default.
pub(super) const GAS: u64 = 100_000_000;

#[derive(Debug, Args)]
pub(crate) struct Execute {
    /// Its name, DID or hex id.
    contract: String,
    /// The message: JSON, or @FILE.
    message: String,
    /// Most gas it may use; `althing contract dry-run` says what it needs.
    #[arg(long, default_value_t = GAS)]
    gas: u64,
    /// Tokens that go with the call, in whole ones.
    #[arg(long, value_name = "AMOUNT")]
    funds: Option<String>,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// Its name, DID or hex id.
    contract: String,
    /// The message: JSON, or @FILE.
    message: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct DryRun {
    /// Its name, DID or hex id.
    contract: String,
    /// The message: JSON, or @FILE.
    message: String,
    /// Who would call it: DID, hex id or name.
    #[arg(long, value_name = "ENTITY")]
    sender: String,
    /// Most gas it may use.
    #[arg(long, default_value_t = GAS)]
    gas: u64,
    #[command(flatten)]
    remote: Remote,
}

impl Execute {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let message = message(&self.message)?;
        let session = self.sign.session().await?;
        let contract = find(&session.client, &self.contract).await?.hex.0;
        let funds = match &self.funds {
            Some(funds) => Some(Token::of(&session.client).await?.read(funds)?),
            None => None,
        };
        let action = Action::Execute { contract, message, gas_limit: self.gas, funds };
        let outcome = session.perform(vec![action]).await?;
        output.show(&outcome, || {
            let mut text = format!("called {}\n{}\n", self.contract, final_at(&outcome));
            for event in &outcome.receipt.events {
                if let althing_client::model::Event::ContractEmitted { name, attributes, .. } =
                    event
                {
                    let said: Vec<String> =
                        attributes.iter().map(|it| format!("{}={}", it.key, it.value)).collect();
                    text.push_str(&format!("{name}: {}\n", said.join(" ")));
                }
            }
            text
        })
    }
}

impl Query {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let message = message(&self.message)?;
        let client = self.remote.client()?;
        let contract = find(&client, &self.contract).await?.hex.0;
        let text = String::from_utf8_lossy(&message);
        let answer = client.ask_contract(&contract, &text).await.explain()?;
        output.show(&answer, || answer.answer.clone().unwrap_or_else(|| answer.data.clone()))
    }
}

impl DryRun {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let message = message(&self.message)?;
        let client = self.remote.client()?;
        let contract = find(&client, &self.contract).await?.hex.0;
        let sender = lookup::entity(&client, &self.sender).await?;
        let action = Action::Execute { contract, message, gas_limit: self.gas, funds: None };
        let ledger = client.genesis().await.explain()?.ledger();
        let body = Body::new(&ledger, sender, 0, 0, vec![action]);
        let trial = client.try_out(&body).await.explain()?;
        output.show(&trial, || trial_text(&trial))
    }
}
