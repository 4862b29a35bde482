//! `althing entity`: whoever acts.

use std::path::PathBuf;

use althing_client::{
    Signer,
    key_file::{self, StoredKey},
    model::{DidText, Entity, Page, query},
};
use althing_types::{Action, EntityKind, SigningKey, Suite};
use clap::{Args, Subcommand};
use rand::rngs::OsRng;
use serde_json::json;

use super::{PageArgs, SuiteName, final_at, parse_kind};
use crate::{
    lookup,
    output::{Output, Table, fields},
    report::failed,
    secrets::{self, ProtectionArgs},
    session::{Explain as _, Remote, SignArgs, block_on},
};

/// Shows and changes entities: organisations, peers, gateways, devices, services, persons.
#[derive(Debug, Subcommand)]
pub(crate) enum EntityCommand {
    /// Lists entities.
    List(List),
    /// Shows one entity.
    Show(Show),
    /// Registers an entity that the signing organisation will own.
    Register(Register),
    /// Says to which key streams' keys are to be wrapped for the signing entity.
    Agree(super::secrecy::Agree),
    /// Ends an entity for ever: nothing it signs counts any more.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only this kind: organisation, peer, gateway, device, service, person or auditor.
    #[arg(long, value_parser = parse_kind)]
    kind: Option<EntityKind>,
    /// Only those whose name contains this.
    #[arg(long)]
    name: Option<String>,
    /// Only those that this entity owns: its DID, hex id or name.
    #[arg(long)]
    owner: Option<String>,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its DID, hex id or name.
    entity: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    /// Its name among people.
    #[arg(long)]
    name: String,
    /// What it is: gateway, device, service, person, auditor or peer.
    #[arg(long, value_parser = parse_kind)]
    kind: EntityKind,
    /// Key file of the new entity; made if there is none.
    #[arg(long, value_name = "FILE")]
    entity_key: PathBuf,
    /// Algorithm of a key that is made.
    #[arg(long, value_enum, default_value = "ed25519")]
    suite: SuiteName,
    #[command(flatten)]
    sign: SignArgs,
    /// Do not encrypt a key file that is made: only for networks that are thrown away.
    #[arg(long)]
    insecure_keys: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Its DID, hex id or name.
    entity: String,
    #[command(flatten)]
    sign: SignArgs,
}

impl EntityCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::List(list) => block_on(list.run(output)),
            Self::Show(show) => block_on(show.run(output)),
            Self::Register(register) => block_on(register.run(output)),
            Self::Agree(agree) => agree.run(output),
            Self::Revoke(revoke) => block_on(revoke.run(output)),
        }
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let owner = match &self.owner {
            Some(owner) => Some(lookup::entity(&client, owner).await?.into()),
            None => None,
        };
        let query = query::Entities {
            kind: self.kind.map(|kind| kind.name().to_owned()),
            owner,
            name: self.name,
            after: self.page.after.clone(),
            limit: self.page.limit,
        };
        let page = client.entities(&query).await.explain()?;
        output.show(&page, || table(&page))
    }
}

fn table(page: &Page<Entity>) -> String {
    let mut table = Table::new(&["name", "kind", "active", "key", "id"]);
    for entity in &page.items {
        table.row([
            entity.name.clone(),
            entity.kind.clone(),
            if entity.active { "yes" } else { "no" }.to_owned(),
            format!("{} v{}", entity.key.suite, entity.key_version),
            entity.id.to_string(),
        ]);
    }
    super::with_more(table.or("no such entity"), page.next.as_deref())
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let id = lookup::entity(&client, &self.entity).await?;
        let entity = client.entity(&id).await.explain()?;
        output.show(&entity, || {
            fields(&[
                ("name", entity.name.clone()),
                ("kind", entity.kind.clone()),
                ("id", entity.id.to_string()),
                ("hex", entity.hex.to_string()),
                ("owner", entity.owner.as_ref().map_or("none".into(), ToString::to_string)),
                ("active", if entity.active { "yes".into() } else { "no, revoked".into() }),
                ("key", format!("{} {}", entity.key.suite, entity.key.public)),
                ("key version", entity.key_version.to_string()),
                ("registered", format!("block {}", entity.registered)),
            ])
        })
    }
}

impl Register {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let key = self.key()?;
        let ledger = session.ledger();
        let (entity, action) = Signer::registration(&ledger, self.kind, &self.name, &key.key);
        let did = DidText::entity(&session.network, &entity);
        self.settle(key, &did)?;
        let outcome = session.perform(vec![action]).await?;
        let value = json!({ "id": did, "hex": entity.to_string(), "outcome": outcome });
        output.show(&value, || {
            format!(
                "registered {} {} as {did}\n{}\nits key: {}",
                self.kind.name(),
                self.name,
                final_at(&outcome),
                self.entity_key.display()
            )
        })
    }

    /// The key of the file, or a new one.
    fn key(&self) -> anyhow::Result<StoredKey> {
        if self.entity_key.exists() {
            return secrets::open(&self.entity_key, self.sign.passphrase_file());
        }
        let key = SigningKey::generate(self.suite.into(), &mut OsRng);
        Ok(StoredKey { entity: None, key })
    }

    /// Makes the key file if there is none, or checks that it is of this very entity and sees to it
    /// that it says so. Before the registration: a key that could not be kept must not enter the ledger.
    fn settle(&self, stored: StoredKey, did: &DidText) -> anyhow::Result<()> {
        if self.entity_key.exists() {
            return match stored.entity {
                Some(entity) if entity != *did => Err(failed(
                    format!("{} is the key of {entity}, not of {did}", self.entity_key.display()),
                    "kind and name make the id: give those the key was made for, or another file",
                )),
                Some(_) => Ok(()),
                None => secrets::name(&self.entity_key, self.sign.passphrase_file(), did),
            };
        }
        let protection =
            ProtectionArgs::new(self.sign.passphrase_file(), self.insecure_keys).choose()?;
        let stored = StoredKey { entity: Some(did.clone()), key: stored.key };
        Ok(key_file::write(&self.entity_key, &stored, protection.as_protection())?)
    }
}

impl Revoke {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let entity = lookup::entity(&session.client, &self.entity).await?;
        let outcome = session.perform(vec![Action::RevokeEntity { entity }]).await?;
        output.show(&outcome, || format!("revoked {}\n{}", self.entity, final_at(&outcome)))
    }
}

impl From<SuiteName> for Suite {
    fn from(name: SuiteName) -> Self {
        match name {
            SuiteName::Ed25519 => Self::Ed25519,
            SuiteName::P256 => Self::P256,
        }
    }
}
