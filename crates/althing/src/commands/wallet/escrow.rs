//! `althing wallet escrow`: tokens that are locked for a payee.

use althing_client::model::{Escrow, Page, TxHex, query};
use althing_types::{Action, Escrow as Terms};
use clap::{Args, Subcommand};

use super::{Token, after_blocks, perform};
use crate::{
    commands::{PageArgs, final_at, with_more},
    lookup,
    output::{Output, Table, fields},
    session::{Explain as _, Remote, SignArgs},
};

/// Locks tokens for a payee; releases them or gives them back.
#[derive(Debug, Subcommand)]
pub(crate) enum EscrowCommand {
    /// Locks tokens of one's own.
    Open(Open),
    /// Gives locked tokens to the payee: by whoever locked them or the arbiter, in time.
    Release(Decide),
    /// Gives locked tokens back: by the payee or the arbiter, and after its time by anyone.
    Refund(Decide),
    /// Lists the open escrows that an account locked, is to get or decides about.
    List(List),
    /// Shows an open escrow.
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// For whom: the DID, hex id or name of an entity, or the address of a contract.
    payee: String,
    /// How much, in whole tokens.
    amount: String,
    /// For how many blocks they can be released; then they go back.
    #[arg(long)]
    blocks: u64,
    /// Who else may release them or give them back: DID, hex id or name.
    #[arg(long)]
    arbiter: Option<String>,
    /// What for; everybody can read it.
    #[arg(long, default_value = "")]
    memo: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// Its id, that of the transaction that opened it.
    escrow: TxHex,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Whose: DID, hex id or name.
    account: String,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id.
    escrow: TxHex,
    #[command(flatten)]
    remote: Remote,
}

impl EscrowCommand {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Open(open) => open.run(output).await,
            Self::Release(Decide { escrow, sign }) => {
                let action = Action::ReleaseEscrow { escrow: escrow.0 };
                perform(output, &sign.session().await?, action).await
            }
            Self::Refund(Decide { escrow, sign }) => {
                let action = Action::RefundEscrow { escrow: escrow.0 };
                perform(output, &sign.session().await?, action).await
            }
            Self::List(list) => list.run(output).await,
            Self::Show(show) => show.run(output).await,
        }
    }
}

impl Open {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let client = &session.client;
        let amount = Token::of(client).await?.read(&self.amount)?;
        let payee = lookup::entity(client, &self.payee).await?;
        let arbiter = match &self.arbiter {
            Some(arbiter) => Some(lookup::entity(client, arbiter).await?),
            None => None,
        };
        let until_height = after_blocks(client, self.blocks).await?;
        let terms = Terms { payee, amount, until_height, arbiter, memo: self.memo };
        let outcome = session.perform(vec![Action::OpenEscrow(terms)]).await?;
        output.show(&outcome, || {
            let id = outcome.receipt.transaction;
            format!(
                "escrow {id}, until block {until_height}\n{}\n\nnext: althing wallet escrow release {id}",
                final_at(&outcome)
            )
        })
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let token = Token::of(&client).await?;
        let id = lookup::entity(&client, &self.account).await?;
        let query = query::List { after: self.page.after.clone(), limit: self.page.limit };
        let page = client.escrows(&id, &query).await.explain()?;
        output.show(&page, || table(&page, &token))
    }
}

fn table(page: &Page<Escrow>, token: &Token) -> String {
    let mut table = Table::new(&["escrow", "from", "for", "amount", "until block"]);
    for escrow in &page.items {
        table.row([
            escrow.id.to_string(),
            escrow.payer.to_string(),
            escrow.payee.to_string(),
            token.text(&escrow.amount),
            escrow.until_height.to_string(),
        ]);
    }
    with_more(table.or("no open escrows"), page.next.as_deref())
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let token = Token::of(&client).await?;
        let escrow = client.escrow(&self.escrow.0).await.explain()?;
        output.show(&escrow, || {
            let arbiter = escrow.arbiter.as_ref();
            fields(&[
                ("escrow", escrow.id.to_string()),
                ("from", escrow.payer.to_string()),
                ("for", escrow.payee.to_string()),
                ("amount", token.text(&escrow.amount)),
                ("arbiter", arbiter.map_or_else(|| "nobody".to_owned(), ToString::to_string)),
                ("locked in block", escrow.since_height.to_string()),
                ("until block", escrow.until_height.to_string()),
                ("what for", escrow.memo.clone()),
            ])
        })
    }
}
