//! `althing key`: key files, and the keys of entities on the ledger.

use std::path::PathBuf;

use althing_client::{
    Signer,
    key_file::{self, StoredKey},
    model::{DidText, Outcome, query},
};
use althing_types::SigningKey;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use rand::rngs::OsRng;
use serde_json::json;

use super::{PageArgs, SuiteName, final_at};
use crate::{
    lookup,
    output::{Output, Table, fields},
    report::{NextStep as _, with_next},
    secrets::ProtectionArgs,
    session::{Explain as _, Fate, Remote, SignArgs, block_on},
};

/// Makes and shows key files; replaces keys on the ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Makes a key file, such as a voting key.
    New(New),
    /// Shows the public key in a key file.
    Show(Show),
    /// Replaces the key of an entity by a new one, from the next block on.
    Rotate(Rotate),
    /// Lists every key an entity has had.
    History(History),
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The file to make.
    file: PathBuf,
    /// Algorithm.
    #[arg(long, value_enum, default_value = "ed25519")]
    suite: SuiteName,
    #[command(flatten)]
    protection: ProtectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The key file.
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// File to be made for the new key.
    #[arg(long, value_name = "FILE")]
    new_key: PathBuf,
    /// Whose key: its DID, hex id or name. By default the entity that signs; an organisation may
    /// rotate the keys of entities it owns.
    #[arg(long)]
    entity: Option<String>,
    /// Algorithm of the new key.
    #[arg(long, value_enum, default_value = "ed25519")]
    suite: SuiteName,
    #[command(flatten)]
    sign: SignArgs,
    /// Do not encrypt the new key file: only for networks that are thrown away.
    #[arg(long)]
    insecure_keys: bool,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Its DID, hex id or name.
    entity: String,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

impl KeyCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::New(new) => new.run(output),
            Self::Show(show) => show.run(output),
            Self::Rotate(rotate) => block_on(rotate.run(output)),
            Self::History(history) => block_on(history.run(output)),
        }
    }
}

impl New {
    fn run(self, output: Output) -> anyhow::Result<()> {
        let protection = self.protection.choose()?;
        let key = SigningKey::generate(self.suite.into(), &mut OsRng);
        let public = hex::encode(key.public_key().bytes);
        key_file::write(&self.file, &StoredKey { entity: None, key }, protection.as_protection())
            .next_step(|| "give the path of a file that does not exist".to_owned())?;
        let file = self.file.display().to_string();
        output.show(&json!({ "file": file, "public": public }), || {
            format!("wrote {file}\npublic key {public}")
        })
    }
}

impl Show {
    fn run(self, output: Output) -> anyhow::Result<()> {
        let (entity, key) = key_file::public_key(&self.file)
            .next_step(|| "althing key new FILE makes a key file".to_owned())?;
        let encrypted = key_file::needs_passphrase(&self.file).context("cannot read it again")?;
        let public = hex::encode(&key.bytes);
        let value = json!({
            "entity": entity,
            "suite": key.suite.name(),
            "public": public,
            "encrypted": encrypted,
        });
        output.show(&value, || {
            fields(&[
                ("entity", entity.as_ref().map_or("none yet".into(), ToString::to_string)),
                ("suite", key.suite.name().to_owned()),
                ("public key", public.clone()),
                ("encrypted", if encrypted { "yes" } else { "no" }.to_owned()),
            ])
        })
    }
}

impl Rotate {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let entity = match &self.entity {
            Some(text) => lookup::entity(&session.client, text).await?,
            None => session.entity(),
        };
        let did = DidText::entity(&session.network, &entity);
        let key = SigningKey::generate(self.suite.into(), &mut OsRng);
        let action = Signer::rotation(&session.ledger(), entity, &key);
        let protection =
            ProtectionArgs::new(self.sign.passphrase_file(), self.insecure_keys).choose()?;
        // Before the ledger knows it: a key that could not be kept would lock its holder out.
        let stored = StoredKey { entity: Some(did.clone()), key };
        key_file::write(&self.new_key, &stored, protection.as_protection())
            .next_step(|| "give --new-key the path of a file that does not exist".to_owned())?;
        let file = self.new_key.display().to_string();
        let (outcome, sentence) = rotated(session.attempt(vec![action]).await, &did, &file)?;
        output.show(&json!({ "id": did, "file": file, "outcome": outcome }), || {
            format!("{sentence}\n{}", final_at(&outcome))
        })
    }
}

/// What became of a rotation, in words. Whoever throws away a key that comes to count is locked out
/// for ever, so only a rotation that never takes effect is a reason to remove the new one.
fn rotated(fate: Fate, did: &DidText, file: &str) -> anyhow::Result<(Outcome, String)> {
    match fate {
        Fate::Applied(outcome) => Ok((*outcome, format!("{did} has a new key, in {file}"))),
        Fate::AwaitsApproval(outcome) => Ok((
            *outcome,
            format!(
                "{did} keeps its key until the rotation is approved; keep both key files\n\
                 the new key is in {file}; althing key history {did} says which counts"
            ),
        )),
        Fate::Refused(error) => {
            Err(with_next(error, format!("the key was not replaced; remove {file} and try again")))
        }
        Fate::Unknown(error) => Err(with_next(
            error.context("it is unknown whether the key was replaced"),
            format!(
                "keep both key files; althing key history {did} says which key counts, and \
                 althing key show {file} which is the new one"
            ),
        )),
    }
}

impl History {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let entity = lookup::entity(&client, &self.entity).await?;
        let query = query::List { after: self.page.after.clone(), limit: self.page.limit };
        let page = client.keys(&entity, &query).await.explain()?;
        output.show(&page, || {
            let mut table = Table::new(&["version", "suite", "from", "until", "public key"]);
            for version in &page.items {
                table.row([
                    version.version.to_string(),
                    version.key.suite.clone(),
                    version.from_height.to_string(),
                    version.until_height.map_or("now".to_owned(), |height| height.to_string()),
                    version.key.public.clone(),
                ]);
            }
            super::with_more(table.or("no keys"), page.next.as_deref())
        })
    }
}

#[cfg(test)]
mod tests {
    use althing_client::{Error, model::Problem};
    use althing_types::EntityId;

    use super::*;
    use crate::report::next_step_of;

    /// "Remove the new key" was said whenever no answer came, also when the rotation was on its way.
    #[test]
    fn only_a_refused_rotation_is_a_reason_to_remove_the_new_key() {
        let did = DidText::entity("test", &EntityId([7; 32]));
        let url = "http://127.0.0.1:4464/".to_owned();
        let timeout = Error::Timeout { url, after: std::time::Duration::from_secs(30) };
        let refused = Problem::new(403, "", "not_permitted", "The sender may not do this.");
        for (error, keeps) in [(timeout, true), (refused.into(), false)] {
            let error = rotated(Fate::of(Err(error)), &did, "new.json").unwrap_err();
            let next = next_step_of(&error).unwrap_or_default();
            assert_eq!(next.contains("keep both key files"), keeps, "{next}");
            assert_eq!(next.contains("remove new.json"), !keeps, "{next}");
            assert_eq!(error.to_string().contains("unknown whether"), keeps, "{error}");
        }
    }
}
