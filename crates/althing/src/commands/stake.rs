//! `althing stake`: seats for tokens, where anybody may take part.

use std::path::PathBuf;

use althing_client::model::{Page, Stake, query};
use althing_types::{
    Action, Amount, EntityId, Stake as Terms, StakeRules, StakedSeat, Suite, possession_bytes,
};
use clap::{Args, Subcommand};

use super::{PageArgs, perform, wallet::Token, with_more};
use crate::{
    lookup,
    output::{Output, Table, fields},
    report::failed,
    secrets,
    session::{Explain as _, Remote, Session, SignArgs, block_on},
};

/// Puts tokens behind peers of one's own, which get seats for them, on ledgers where seats follow from
/// stakes.
#[derive(Debug, Subcommand)]
pub(crate) enum StakeCommand {
    /// Lets a peer stand for a seat, with tokens behind it; or says another voting key or address of one
    /// that stands.
    Put(Put),
    /// Puts more tokens behind a peer that stands.
    Add(Add),
    /// Takes tokens from behind a peer. They stay locked for some epochs.
    Withdraw(Withdraw),
    /// Takes what was withdrawn and is free back into the account.
    Collect(Collect),
    /// Lists the peers that stand for a seat, the first in line first.
    List(List),
    /// Shows what is staked behind a peer.
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Put {
    /// The peer: its DID, hex id or name. The signer's organisation must own it.
    #[arg(value_name = "PEER")]
    entity: String,
    /// How many whole tokens, such as 1000; 0 changes voting key and address only.
    amount: String,
    /// Key file of the key that it votes with, as its configuration names it. It signs that it is held.
    #[arg(long, value_name = "FILE")]
    voting_key: PathBuf,
    /// File with the passphrase of that key file; by default the one that --key takes.
    #[arg(long, value_name = "FILE")]
    voting_passphrase_file: Option<PathBuf>,
    /// Where other peers reach it, host:port.
    #[arg(long)]
    address: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The peer: its DID, hex id or name.
    #[arg(value_name = "PEER")]
    entity: String,
    /// How many whole tokens.
    amount: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    /// The peer: its DID, hex id or name.
    #[arg(value_name = "PEER")]
    entity: String,
    /// How many whole tokens.
    #[arg(required_unless_present = "all")]
    amount: Option<String>,
    /// All of them: the peer then stands for a seat no more.
    #[arg(long, conflicts_with = "amount")]
    all: bool,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Collect {
    /// The peer: its DID, hex id or name.
    #[arg(value_name = "PEER")]
    entity: String,
    #[command(flatten)]
    sign: SignArgs,
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
    /// The peer: its DID, hex id or name.
    #[arg(value_name = "PEER")]
    entity: String,
    #[command(flatten)]
    remote: Remote,
}

impl StakeCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::Put(put) => put.run(output).await,
                Self::Add(Add { entity, amount, sign }) => {
                    let (session, peer, amount) = named(&sign, &entity, &amount).await?;
                    let action = Action::Stake(Terms { peer, amount, seat: None });
                    perform(output, &session, action).await
                }
                Self::Withdraw(Withdraw { entity, amount, all: _, sign }) => {
                    let session = sign.session().await?;
                    let peer = lookup::entity(&session.client, &entity).await?;
                    let token = Token::of(&session.client).await?;
                    let amount = amount.map(|amount| token.read(&amount)).transpose()?;
                    perform(output, &session, Action::Unstake { peer, amount }).await
                }
                Self::Collect(Collect { entity, sign }) => {
                    let session = sign.session().await?;
                    let peer = lookup::entity(&session.client, &entity).await?;
                    perform(output, &session, Action::CollectStake { peer }).await
                }
                Self::List(list) => list.run(output).await,
                Self::Show(show) => show.run(output).await,
            }
        })
    }
}

/// A session, and the peer and the amount as typed.
async fn named(
    sign: &SignArgs,
    entity: &str,
    amount: &str,
) -> anyhow::Result<(Session, EntityId, Amount)> {
    let session = sign.session().await?;
    let peer = lookup::entity(&session.client, entity).await?;
    let amount = Token::of(&session.client).await?.read(amount)?;
    Ok((session, peer, amount))
}

impl Put {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let (session, peer, amount) = named(&self.sign, &self.entity, &self.amount).await?;
        let passphrase = self.voting_passphrase_file.as_deref().or(self.sign.passphrase_file());
        let key = secrets::open(&self.voting_key, passphrase)?.key;
        let public = key.public_key();
        let bytes = <[u8; 32]>::try_from(public.bytes.as_slice()).ok();
        let Some(bytes) = bytes.filter(|_| public.suite == Suite::Ed25519) else {
            return Err(failed(
                format!("{} holds no Ed25519 key", self.voting_key.display()),
                "peers vote with Ed25519 keys: althing key new FILE",
            ));
        };
        let possession = key.sign(&possession_bytes(&session.ledger(), &peer, &public));
        let seat = Some(StakedSeat { key: bytes, address: self.address, possession });
        perform(output, &session, Action::Stake(Terms { peer, amount, seat })).await
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let token = Token::of(&client).await?;
        let query = query::List { after: self.page.after.clone(), limit: self.page.limit };
        let page = client.candidates(&query).await.explain()?;
        let rules = client.governance().await.explain()?.parameters.stake.map(StakeRules::from);
        output.show(&page, || candidates(&page, rules.as_ref(), &token))
    }
}

fn candidates(page: &Page<Stake>, rules: Option<&StakeRules>, token: &Token) -> String {
    let Some(rules) = rules else {
        return "members give the seats of this ledger by vote: althing org list".to_owned();
    };
    let mut table = Table::new(&["peer", "organisation", "stake", "since block", "key"]);
    for stake in &page.items {
        table.row([
            stake.name.clone(),
            stake.organisation.to_string(),
            token.text(&stake.amount),
            stake.since_height.map(|height| height.to_string()).unwrap_or_default(),
            stake.vote_key.to_string(),
        ]);
    }
    let told = format!(
        "the first {} get a seat at the end of each epoch, if {} stand with {} or more:\n",
        rules.seats_max,
        rules.seats_min,
        token.text(&rules.least.to_string())
    );
    with_more(told + &table.or("no peer stands for a seat"), page.next.as_deref())
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let token = Token::of(&client).await?;
        let peer = lookup::entity(&client, &self.entity).await?;
        let stake = client.stake(&peer).await.explain()?;
        output.show(&stake, || {
            let stands = match stake.since_height {
                Some(height) => format!("since block {height}"),
                None => "no: `althing stake put` lets it stand".to_owned(),
            };
            fields(&[
                ("peer", format!("{} {}", stake.name, stake.peer)),
                ("organisation", stake.organisation.to_string()),
                ("stake", token.text(&stake.amount)),
                ("stands for a seat", stands),
                ("voting key", stake.vote_key.to_string()),
                ("address", stake.address.clone().unwrap_or_default()),
                ("withdrawn", token.text(&stake.leaving)),
                ("free in epoch", stake.free_epoch.to_string()),
                ("silent epochs", stake.silent_epochs.to_string()),
            ])
        })
    }
}
