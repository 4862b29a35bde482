//! What members decide about tokens.

use althing_types::{Change, Fees};
use clap::Args;

use super::ProposeArgs;
use crate::{
    commands::wallet::Token, lookup, output::Output, report::failed, session::Explain as _,
};

#[derive(Debug, Args)]
pub(crate) struct Mint {
    /// For whom: the DID, hex id or name of an entity, or the address of a contract.
    to: String,
    /// How much, in whole tokens.
    amount: String,
    #[command(flatten)]
    propose: ProposeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OfAccount {
    /// Whose: the DID, hex id or name of an entity, or the address of a contract.
    account: String,
    #[command(flatten)]
    propose: ProposeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SetFees {
    /// What a transaction costs, in the smallest unit of the token.
    #[arg(long, value_name = "UNITS")]
    per_transaction: Option<u64>,
    /// What each byte of it costs.
    #[arg(long, value_name = "UNITS")]
    per_byte: Option<u64>,
    /// What each million gas costs that it asks for.
    #[arg(long, value_name = "UNITS")]
    per_million_gas: Option<u64>,
    #[command(flatten)]
    propose: ProposeArgs,
}

impl Mint {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.propose.sign.session().await?;
        let amount = Token::of(&session.client).await?.read(&self.amount)?;
        let to = lookup::entity(&session.client, &self.to).await?;
        self.propose.run(output, &session, Change::MintTokens { to, amount }).await
    }
}

impl OfAccount {
    pub(super) async fn run(self, output: Output, frozen: bool) -> anyhow::Result<()> {
        let session = self.propose.sign.session().await?;
        let account = lookup::entity(&session.client, &self.account).await?;
        self.propose.run(output, &session, Change::FreezeAccount { account, frozen }).await
    }
}

impl SetFees {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.propose.sign.session().await?;
        let now = session.client.governance().await.explain()?.parameters;
        let mut parameters = althing_types::Parameters::from(&now);
        let Some(fees) = parameters.fees else {
            let next = "found one that has: althing network new --token";
            return Err(failed("this ledger has no tokens, so nothing can cost any", next));
        };
        parameters.fees = Some(Fees {
            per_transaction: self.per_transaction.unwrap_or(fees.per_transaction),
            per_byte: self.per_byte.unwrap_or(fees.per_byte),
            per_million_gas: self.per_million_gas.unwrap_or(fees.per_million_gas),
        });
        self.propose.run(output, &session, Change::SetParameters(parameters)).await
    }
}
