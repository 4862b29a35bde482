//! `althing wallet sponsor`: owners who pay the fees of what they own.

use althing_client::model::{Sponsorship, query};
use althing_types::{Action, Sponsorship as Terms};
use clap::{Args, Subcommand};

use super::{Token, after_blocks, perform};
use crate::{
    commands::{PageArgs, with_more},
    lookup,
    output::{Output, Table},
    session::{Explain as _, Remote, SignArgs},
};

/// Pays the fees of entities that one owns, so that devices and gateways need no tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum SponsorCommand {
    /// Promises to pay the fees of an entity, in place of an earlier promise.
    Set(Set),
    /// Takes the promise back.
    End(End),
    /// Lists the entities whose fees an account pays.
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Whose fees: the DID, hex id or name of an entity that the signer owns.
    entity: String,
    /// Most in one day, in whole tokens.
    #[arg(long)]
    per_day: String,
    /// Most altogether, in whole tokens.
    #[arg(long)]
    total: String,
    /// For how many blocks.
    #[arg(long)]
    blocks: u64,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct End {
    /// Whose fees: DID, hex id or name.
    entity: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Who pays: DID, hex id or name.
    sponsor: String,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

impl SponsorCommand {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Set(set) => set.run(output).await,
            Self::End(end) => end.run(output).await,
            Self::List(list) => list.run(output).await,
        }
    }
}

/// What a promise says, in one line.
pub(super) fn told(promise: &Sponsorship, token: &Token) -> String {
    format!(
        "{}: {} a day, {} of {} spent, until block {}",
        promise.sponsor,
        token.text(&promise.per_day),
        token.text(&promise.spent),
        token.text(&promise.total),
        promise.until_height,
    )
}

impl Set {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let token = Token::of(&session.client).await?;
        let (per_day, total) = (token.read(&self.per_day)?, token.read(&self.total)?);
        let entity = lookup::entity(&session.client, &self.entity).await?;
        let until_height = after_blocks(&session.client, self.blocks).await?;
        let terms = Terms { entity, per_day, total, until_height };
        perform(output, &session, Action::Sponsor(terms)).await
    }
}

impl End {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let entity = lookup::entity(&session.client, &self.entity).await?;
        perform(output, &session, Action::EndSponsorship { entity }).await
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let token = Token::of(&client).await?;
        let id = lookup::entity(&client, &self.sponsor).await?;
        let query = query::List { after: self.page.after.clone(), limit: self.page.limit };
        let page = client.sponsored(&id, &query).await.explain()?;
        output.show(&page, || {
            let mut table = Table::new(&["entity", "a day", "spent", "of", "until block"]);
            for promise in &page.items {
                table.row([
                    promise.entity.to_string(),
                    token.text(&promise.per_day),
                    token.text(&promise.spent),
                    token.text(&promise.total),
                    promise.until_height.to_string(),
                ]);
            }
            with_more(table.or("it pays for nobody"), page.next.as_deref())
        })
    }
}
