//! `althing wallet reward`: tokens for readings.

use althing_client::model::TxHex;
use althing_types::{Action, Reward as Terms};
use clap::{Args, Subcommand};

use super::{Token, after_blocks, perform};
use crate::{
    commands::final_at,
    lookup,
    output::{Output, Table},
    session::{Explain as _, Remote, SignArgs},
};

/// Rewards readings of a stream, paid to the owner of its thing when they are accepted.
#[derive(Debug, Subcommand)]
pub(crate) enum RewardCommand {
    /// Offers a reward.
    Offer(Offer),
    /// Adds tokens to what a reward can pay out.
    Fund(Fund),
    /// Ends a reward: what is left goes back.
    End(End),
    /// Lists the rewards for readings of a stream.
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct Offer {
    /// Id of the stream, or `thing/property`.
    stream: String,
    /// For each reading, in whole tokens.
    #[arg(long, default_value = "0")]
    per_reading: String,
    /// For each batch of readings, in whole tokens.
    #[arg(long, default_value = "0")]
    per_batch: String,
    /// Most in one day, in whole tokens; by default all of the fund.
    #[arg(long)]
    per_day: Option<String>,
    /// What it can pay out altogether, in whole tokens: locked at once.
    #[arg(long)]
    fund: String,
    /// For how many blocks.
    #[arg(long)]
    blocks: u64,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Fund {
    /// Its id, that of the transaction that offered it.
    reward: TxHex,
    /// How much, in whole tokens.
    amount: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct End {
    /// Its id.
    reward: TxHex,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Id of the stream, or `thing/property`.
    stream: String,
    #[command(flatten)]
    remote: Remote,
}

impl RewardCommand {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Offer(offer) => offer.run(output).await,
            Self::Fund(Fund { reward, amount, sign }) => {
                let session = sign.session().await?;
                let amount = Token::of(&session.client).await?.read(&amount)?;
                let action = Action::FundReward { reward: reward.0, amount };
                perform(output, &session, action).await
            }
            Self::End(End { reward, sign }) => {
                let action = Action::EndReward { reward: reward.0 };
                perform(output, &sign.session().await?, action).await
            }
            Self::List(list) => list.run(output).await,
        }
    }
}

impl Offer {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let token = Token::of(&session.client).await?;
        let terms = Terms {
            stream: lookup::stream(&session.client, &self.stream).await?,
            per_batch: token.read(&self.per_batch)?,
            per_reading: token.read(&self.per_reading)?,
            per_day: token.read(self.per_day.as_ref().unwrap_or(&self.fund))?,
            fund: token.read(&self.fund)?,
            until_height: after_blocks(&session.client, self.blocks).await?,
        };
        let outcome = session.perform(vec![Action::OfferReward(terms)]).await?;
        output.show(&outcome, || {
            let id = outcome.receipt.transaction;
            format!("reward {id}, until block {}\n{}", terms.until_height, final_at(&outcome))
        })
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let token = Token::of(&client).await?;
        let stream = lookup::stream(&client, &self.stream).await?;
        let page = client.rewards_of(&stream).await.explain()?;
        output.show(&page, || {
            let mut table =
                Table::new(&["reward", "by", "a reading", "a batch", "left", "until block"]);
            for reward in &page.items {
                table.row([
                    reward.id.to_string(),
                    reward.payer.to_string(),
                    token.text(&reward.per_reading),
                    token.text(&reward.per_batch),
                    token.text(&reward.left),
                    reward.until_height.to_string(),
                ]);
            }
            table.or("no reward is offered for it")
        })
    }
}
