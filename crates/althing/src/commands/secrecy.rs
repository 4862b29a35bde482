//! `althing stream seal|rotate|share|readers`: confidential streams. Keys are made, wrapped and
//! unwrapped here; a peer sees wrapped ones only.

use std::{collections::BTreeSet, path::PathBuf};

use althing_client::{
    Client, Unsealer,
    model::{Readings, StreamKeyShares},
};
use althing_types::{
    Action, AgreementSecret, EntityId, KeyShare, LedgerId, StreamId, StreamKey,
    limits::STREAM_READERS_MAX,
};
use clap::Args;
use rand::rngs::OsRng;
use serde_json::json;

use super::final_at;
use crate::{
    lookup,
    output::{Output, Table},
    report::failed,
    secrets::{self, PassphraseArgs},
    session::{Explain as _, Remote, Session, SignArgs, block_on},
};

/// Says to which key streams' keys are to be wrapped for the signing entity.
#[derive(Debug, Args)]
pub(crate) struct Agree {
    #[command(flatten)]
    sign: SignArgs,
}

/// Makes a stream confidential, before its first reading.
#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    /// Who is to read it, beside the owner who signs: DID, hex id or name. The gateway that submits
    /// must be among them. Repeat it for more.
    #[arg(long = "reader", value_name = "ENTITY")]
    readers: Vec<String>,
    #[command(flatten)]
    sign: SignArgs,
}

/// Gives a confidential stream a new key, which all its readers get but those taken out.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    /// Who reads nothing new from now on: DID, hex id or name. What they could read, they still can.
    #[arg(long = "without", value_name = "ENTITY")]
    without: Vec<String>,
    #[command(flatten)]
    sign: SignArgs,
}

/// Gives the present key of a confidential stream, or an earlier one, to another reader.
#[derive(Debug, Args)]
pub(crate) struct Share {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    /// To whom: DID, hex id or name.
    #[arg(long = "reader", value_name = "ENTITY", required = true)]
    readers: Vec<String>,
    /// Number of the key; the present one if left out.
    #[arg(long)]
    number: Option<u32>,
    #[command(flatten)]
    sign: SignArgs,
}

/// Lists who has a key of a confidential stream.
#[derive(Debug, Args)]
pub(crate) struct Readers {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    /// Number of the key; the present one if left out.
    #[arg(long)]
    number: Option<u32>,
    #[command(flatten)]
    remote: Remote,
}

impl Agree {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            let session = self.sign.session().await?;
            let key = AgreementSecret::of(&session.account.signer().key).public_key();
            let outcome = session.perform(vec![Action::SetAgreementKey { key }]).await?;
            let value = json!({ "key": hex::encode(key.0), "outcome": outcome });
            output.show(&value, || {
                format!(
                    "streams' keys are wrapped to {} for it\n{}",
                    hex::encode(key.0),
                    final_at(&outcome)
                )
            })
        })
    }
}

impl Seal {
    pub(crate) async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let stream = lookup::stream(&session.client, &self.stream).await?;
        if let Some(secrecy) = session.client.stream(&stream).await.explain()?.secrecy {
            return Err(failed(
                format!("{} is confidential already, key {}", self.stream, secrecy.key_number),
                format!("althing stream rotate {}", self.stream),
            ));
        }
        let mut readers = found(&session.client, &self.readers).await?;
        readers.insert(session.entity());
        rotated(&session, &self.stream, stream, 1, readers, output).await
    }
}

impl Rotate {
    pub(crate) async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let stream = lookup::stream(&session.client, &self.stream).await?;
        let number = present(&session.client, &self.stream, &stream).await?;
        let shown = session.client.stream_key(&stream, number).await.explain()?;
        let without = found(&session.client, &self.without).await?;
        let mut readers: BTreeSet<EntityId> =
            shown.shares.iter().map(|share| share.reader.entity_id()).collect();
        readers.insert(session.entity());
        readers.retain(|reader| !without.contains(reader));
        rotated(&session, &self.stream, stream, number.saturating_add(1), readers, output).await
    }
}

async fn rotated(
    session: &Session,
    name: &str,
    stream: StreamId,
    number: u32,
    readers: BTreeSet<EntityId>,
    output: Output,
) -> anyhow::Result<()> {
    let key = StreamKey::generate(number, &mut OsRng);
    let shares = wrapped(session, &stream, &key, &readers).await?;
    let cipher = key.cipher;
    let rotation = Action::RotateStreamKey { stream, number, cipher, shares };
    let outcome = session.perform(vec![rotation]).await?;
    let value = json!({ "stream": stream.to_string(), "key_number": number, "outcome": outcome });
    output.show(&value, || {
        format!("{name}: key {number}, {} readers\n{}", readers.len(), final_at(&outcome))
    })
}

impl Share {
    pub(crate) async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let stream = lookup::stream(&session.client, &self.stream).await?;
        let number = match self.number {
            Some(number) => number,
            None => present(&session.client, &self.stream, &stream).await?,
        };
        let own = Unsealer::new(session.ledger(), session.entity(), &session.account.signer().key);
        let key = own.key(&session.client, &stream, number).await.explain()?.ok_or_else(|| {
            failed(
                format!("key {number} of {} is not wrapped to who signs", self.stream),
                format!("althing stream rotate {} makes a new one", self.stream),
            )
        })?;
        let readers = found(&session.client, &self.readers).await?;
        let shares = wrapped(&session, &stream, &key, &readers).await?;
        let outcome =
            session.perform(vec![Action::ShareStreamKey { stream, number, shares }]).await?;
        output.show(&outcome, || {
            format!(
                "{}: key {number} for {} more\n{}",
                self.stream,
                readers.len(),
                final_at(&outcome)
            )
        })
    }
}

impl Readers {
    pub(crate) async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let stream = lookup::stream(&client, &self.stream).await?;
        let number = match self.number {
            Some(number) => number,
            None => present(&client, &self.stream, &stream).await?,
        };
        let shown: StreamKeyShares = client.stream_key(&stream, number).await.explain()?;
        output.show(&shown, || {
            let mut table = Table::new(&["reader", "wrapped to"]);
            for share in &shown.shares {
                table.row([share.reader.to_string(), share.to.clone()]);
            }
            format!("key {number}\n{}", table.or("no such key"))
        })
    }
}

/// Number of the present key.
async fn present(client: &Client, name: &str, stream: &StreamId) -> anyhow::Result<u32> {
    let shown = client.stream(stream).await.explain()?;
    shown.secrecy.map(|secrecy| secrecy.key_number).ok_or_else(|| {
        failed(format!("{name} is not confidential"), format!("althing stream seal {name}"))
    })
}

async fn found(client: &Client, names: &[String]) -> anyhow::Result<BTreeSet<EntityId>> {
    let mut entities = BTreeSet::new();
    for name in names {
        entities.insert(lookup::entity(client, name).await?);
    }
    Ok(entities)
}

/// A key, wrapped to each reader.
async fn wrapped(
    session: &Session,
    stream: &StreamId,
    key: &StreamKey,
    readers: &BTreeSet<EntityId>,
) -> anyhow::Result<Vec<KeyShare>> {
    if readers.is_empty() || readers.len() > STREAM_READERS_MAX {
        return Err(failed(
            format!("{} readers, but 1 to {STREAM_READERS_MAX} are possible", readers.len()),
            "one more entity may read for many",
        ));
    }
    let mut shares = Vec::with_capacity(readers.len());
    for reader in readers {
        let said = session.client.agreement(reader).await.explain()?;
        let share = said
            .to_key()
            .and_then(|to| key.share(&session.ledger(), stream, *reader, &to, &mut OsRng));
        shares.push(share.ok_or_else(|| {
            failed(
                format!(
                    "{} has not said to which key the stream's key is to be wrapped",
                    said.entity
                ),
                "althing entity agree --key FILE, by that entity",
            )
        })?);
    }
    Ok(shares)
}

/// Whose key opens what is confidential.
#[derive(Debug, Args)]
pub(crate) struct UnsealArgs {
    /// Key file of a reader of a confidential stream: what is sealed is opened here, with it.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl UnsealArgs {
    /// Whether a key was named.
    pub(crate) const fn is_given(&self) -> bool {
        self.key.is_some()
    }

    /// What opens with the key, on a ledger; none if no key was named.
    pub(crate) fn unsealer(&self, ledger: LedgerId) -> anyhow::Result<Option<Unsealer>> {
        let Some(path) = &self.key else { return Ok(None) };
        let passphrase_file = self.passphrase.passphrase_file.as_deref();
        let (entity, key) = secrets::open_entity(path, passphrase_file, secrets::KEY_OF_ENTITY)?;
        Ok(Some(Unsealer::new(ledger, entity, &key)))
    }

    /// Opens what is sealed in a page, if a key was named.
    pub(crate) async fn open(&self, client: &Client, page: &mut Readings) -> anyhow::Result<()> {
        if self.key.is_none() || page.sealed.is_empty() {
            return Ok(());
        }
        let ledger = client.genesis().await.explain()?.ledger();
        match self.unsealer(ledger)? {
            Some(unsealer) => unsealer.open(client, page).await.explain(),
            None => Ok(()),
        }
    }
}
