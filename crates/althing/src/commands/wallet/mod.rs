//! `althing wallet`: tokens.

mod escrow;
mod reward;
mod sponsor;

use std::path::PathBuf;

use althing_client::{
    Client, amount,
    model::{Holding, Movement, Page, Supply, TokenName, query},
};
use althing_ledger::{key, token::Account};
use althing_types::{Action, Amount, EntityId, Transfer, Wire as _};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{PageArgs, perform, with_more, write_new};
use crate::{
    lookup,
    output::{Output, Table, fields},
    program,
    report::failed,
    session::{Explain as _, Remote, SignArgs, block_on},
};

/// Shows, pays, locks and promises tokens, on ledgers that have them.
#[derive(Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Shows how many tokens there are, where they are, and what transactions cost.
    Supply(Look),
    /// Lists the accounts that have tokens.
    List(List),
    /// Shows what an account has.
    Show(Show),
    /// Lists what came to an account and left it, newest first.
    History(History),
    /// Fetches a proof of what an account has, to be checked offline with `althing verify`.
    Prove(Prove),
    /// Pays an account.
    Send(Send),
    /// Destroys tokens of one's own.
    Burn(Burn),
    /// Takes what a revoked entity or a terminated contract of one's own has.
    Sweep(Sweep),
    /// Locks tokens for a payee; releases them or gives them back.
    #[command(subcommand)]
    Escrow(escrow::EscrowCommand),
    /// Pays the fees of entities that one owns.
    #[command(subcommand)]
    Sponsor(sponsor::SponsorCommand),
    /// Rewards readings of a stream.
    #[command(subcommand)]
    Reward(reward::RewardCommand),
}

#[derive(Debug, Args)]
pub(crate) struct Look {
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Whose: the DID, hex id or name of an entity, or the address of a contract.
    account: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Whose: the DID, hex id or name of an entity, or the address of a contract.
    account: String,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// Whose: the DID, hex id or name of an entity, or the address of a contract.
    account: String,
    /// File for the proof.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// To whom: the DID, hex id or name of an entity, or the address of a contract.
    to: String,
    /// How much, in whole tokens, such as 12.5.
    amount: String,
    /// What for; everybody can read it.
    #[arg(long, default_value = "")]
    memo: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Burn {
    /// How much, in whole tokens.
    amount: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Sweep {
    /// Whose: the DID or hex id.
    account: String,
    #[command(flatten)]
    sign: SignArgs,
}

impl WalletCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Supply(look) => block_on(look.run(output)),
            Self::List(list) => block_on(list.run(output)),
            Self::Show(show) => block_on(show.run(output)),
            Self::History(history) => block_on(history.run(output)),
            Self::Prove(prove) => block_on(prove.run(output)),
            Self::Send(send) => block_on(send.run(output)),
            Self::Burn(burn) => block_on(burn.run(output)),
            Self::Sweep(sweep) => block_on(sweep.run(output)),
            Self::Escrow(escrow) => block_on(escrow.run(output)),
            Self::Sponsor(sponsor) => block_on(sponsor.run(output)),
            Self::Reward(reward) => block_on(reward.run(output)),
        }
    }
}

/// The token of a ledger, to read and write amounts.
#[derive(Debug, Clone)]
pub(crate) struct Token(TokenName);

impl Token {
    /// Asks the peer.
    pub(crate) async fn of(client: &Client) -> anyhow::Result<Self> {
        let supply = client.supply().await.explain()?;
        supply.token.map(Self).ok_or_else(no_tokens)
    }

    /// An amount as typed.
    pub(crate) fn read(&self, text: &str) -> anyhow::Result<Amount> {
        amount::parse(text, self.0.decimals).ok_or_else(|| {
            let places = self.0.decimals;
            failed(
                format!("`{text}` is no amount of {}", self.0.symbol),
                format!("write whole tokens with at most {places} decimal places, such as 12"),
            )
        })
    }

    /// An amount for people; `units` as the interface has it.
    pub(crate) fn text(&self, units: &str) -> String {
        format!("{} {}", amount::to_text(units, self.0.decimals), self.0.symbol)
    }
}

fn no_tokens() -> anyhow::Error {
    failed("this ledger has no tokens", "found one that has: althing network new --token")
}

/// The last height of something that is to last so many blocks.
async fn after_blocks(client: &Client, blocks: u64) -> anyhow::Result<u64> {
    let height = client.status().await.explain()?.height;
    Ok(height.saturating_add(blocks))
}

impl Look {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let supply = self.remote.client()?.supply().await.explain()?;
        let token = supply.token.clone().map(Token).ok_or_else(no_tokens)?;
        output.show(&supply, || supply_text(&supply, &token))
    }
}

fn supply_text(supply: &Supply, token: &Token) -> String {
    let price = |units: u64| token.text(&units.to_string());
    let mut rows = vec![
        ("token", token.0.name.clone()),
        ("all there are", token.text(&supply.total)),
        ("in accounts", token.text(&supply.accounts)),
        ("in escrows", token.text(&supply.escrows)),
        ("for rewards", token.text(&supply.rewards)),
        ("fees of this epoch", token.text(&supply.fees)),
    ];
    if let Some(staked) = &supply.staked {
        rows.push(("behind peers", token.text(staked)));
    }
    if let Some(prices) = &supply.prices {
        rows.extend([
            ("a transaction costs", price(prices.per_transaction)),
            ("each byte of it", price(prices.per_byte)),
            ("each million gas", price(prices.per_million_gas)),
        ]);
    }
    fields(&rows)
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let token = Token::of(&client).await?;
        let query = query::List { after: self.page.after.clone(), limit: self.page.limit };
        let page = client.holdings(&query).await.explain()?;
        output.show(&page, || holdings(&page, &token))
    }
}

fn holdings(page: &Page<Holding>, token: &Token) -> String {
    let mut table = Table::new(&["account", "has", ""]);
    for holding in &page.items {
        let frozen = if holding.frozen { "frozen" } else { "" };
        table.row([holding.account.to_string(), token.text(&holding.balance), frozen.to_owned()]);
    }
    with_more(table.or("no account has tokens"), page.next.as_deref())
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let token = Token::of(&client).await?;
        let id = lookup::entity(&client, &self.account).await?;
        let holding = client.holding(&id).await.explain()?;
        output.show(&holding, || {
            let mut rows = vec![
                ("account", holding.account.to_string()),
                ("has", token.text(&holding.balance)),
            ];
            if holding.frozen {
                rows.push(("frozen", "by the members: it pays fees and nothing else".to_owned()));
            }
            if let Some(promise) = &holding.sponsorship {
                rows.push(("fees paid by", sponsor::told(promise, &token)));
            }
            fields(&rows)
        })
    }
}

impl History {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let token = Token::of(&client).await?;
        let id = lookup::entity(&client, &self.account).await?;
        let query = query::List { after: self.page.after.clone(), limit: self.page.limit };
        let page = client.transfers(&id, &query).await.explain()?;
        output.show(&page, || movements(&page, &token))
    }
}

fn movements(page: &Page<Movement>, token: &Token) -> String {
    let mut table = Table::new(&["block", "why", "moved", "then had", "with", "for"]);
    for line in &page.items {
        let sign = if line.incoming { "+" } else { "-" };
        table.row([
            line.height.to_string(),
            line.reason.replace('_', " "),
            format!("{sign}{}", token.text(&line.amount)),
            token.text(&line.balance),
            line.other.as_ref().map(ToString::to_string).unwrap_or_default(),
            line.memo.clone(),
        ]);
    }
    with_more(table.or("nothing has moved"), page.next.as_deref())
}

impl Prove {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let id = lookup::entity(&client, &self.account).await?;
        let proof = client.prove_state(&key::account(&id)).await.explain()?;
        write_new(&self.out, &proof)?;
        let out = self.out.display().to_string();
        output.show(&json!({ "file": out, "bytes": proof.len() }), || {
            format!("wrote {out}\nnext: {} verify {out} --genesis genesis.json", program())
        })
    }
}

/// What a proof says of an account; none if it is not one.
pub(crate) fn in_words(
    raw_key: &[u8],
    value: Option<&[u8]>,
    height: u64,
    token: Option<&althing_types::Token>,
) -> Option<String> {
    let id = EntityId(raw_key.strip_prefix(b"f/a/")?.try_into().ok()?);
    let account = match value {
        Some(value) => Account::from_wire(value).ok()?,
        None => Account::default(),
    };
    let token = token?;
    let has = amount::to_text(&account.balance.to_string(), token.decimals);
    let frozen = if account.frozen { ", frozen" } else { "" };
    Some(format!("account {id} had {has} {} after block {height}{frozen}", token.symbol))
}

impl Send {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let amount = Token::of(&session.client).await?.read(&self.amount)?;
        let to = lookup::entity(&session.client, &self.to).await?;
        let transfer = Transfer { to, amount, memo: self.memo };
        perform(output, &session, Action::Transfer(transfer)).await
    }
}

impl Burn {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let amount = Token::of(&session.client).await?.read(&self.amount)?;
        perform(output, &session, Action::BurnTokens { amount }).await
    }
}

impl Sweep {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let account = lookup::entity(&session.client, &self.account).await?;
        perform(output, &session, Action::SweepAccount { account }).await
    }
}
