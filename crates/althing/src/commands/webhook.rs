//! `althing webhook`: have a peer call a URL with each event.

use std::path::PathBuf;

use althing_client::{
    Client, ReadingAs,
    model::{Cursor, NewWebhook, WEBHOOK_PURPOSE, Webhook, query},
};
use clap::{Args, Subcommand};
use serde_json::json;

use super::events::FilterArgs;
use crate::{
    lookup,
    output::{Output, Table},
    secrets::{self, PassphraseArgs},
    session::{Explain as _, PeerUrl, block_on},
};

/// Has a peer call a URL with each event, signed with the peer's key.
#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// Makes a webhook at the peer.
    Create(Box<Create>),
    /// Lists the webhooks of an entity at the peer, with what came of their calls.
    List(Maker),
    /// Calls nothing until it is resumed.
    Pause(Named),
    /// Goes on behind the last event that was taken.
    Resume(Named),
    /// Ends a webhook.
    Delete(Named),
}

/// Whose webhooks, and where.
#[derive(Debug, Args)]
pub(crate) struct Maker {
    #[command(flatten)]
    peer: PeerUrl,
    /// Key file of the entity whose webhooks they are.
    #[arg(long, env = "ALTHING_KEY", hide_env_values = true, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What is called: http or https, and a public address unless the peer allows others.
    url: String,
    /// Only these types, separated by commas, such as batch_accepted,recorded.
    #[arg(long = "type", value_name = "TYPES")]
    kind: Option<String>,
    /// Only about this thing: name, DID or hex id.
    #[arg(long)]
    thing: Option<String>,
    /// Only about this stream: <thing>/<property>, or its 64 hex digits.
    #[arg(long)]
    stream: Option<String>,
    /// Only about this entity: DID, hex id or name.
    #[arg(long)]
    entity: Option<String>,
    #[command(flatten)]
    more: FilterArgs,
    /// Begin behind this event, as its cursor says; otherwise at the present.
    #[arg(long)]
    after: Option<Cursor>,
    /// What it is followed for: the purpose of the grant, where the owner wants one.
    #[arg(long = "for", value_name = "PURPOSE")]
    purpose: Option<String>,
    #[command(flatten)]
    maker: Maker,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// Its id.
    id: String,
    #[command(flatten)]
    maker: Maker,
}

impl WebhookCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::Create(create) => create.run(output).await,
                Self::List(maker) => {
                    let hooks = maker.client()?.webhooks().await.explain()?;
                    output.show(&hooks, || table(&hooks.items))
                }
                Self::Pause(named) => named.pause(true, output).await,
                Self::Resume(named) => named.pause(false, output).await,
                Self::Delete(named) => {
                    named.maker.client()?.delete_webhook(&named.id).await.explain()?;
                    output.show(&json!({ "deleted": named.id }), || "deleted".to_owned())
                }
            }
        })
    }
}

impl Maker {
    fn client(&self) -> anyhow::Result<Client> {
        let passphrase_file = self.passphrase.passphrase_file.as_deref();
        let (entity, key) =
            secrets::open_entity(&self.key, passphrase_file, secrets::KEY_OF_ENTITY)?;
        let purpose = WEBHOOK_PURPOSE.to_owned();
        Ok(self.peer.client()?.reading_as(ReadingAs { entity, key, purpose }))
    }
}

impl Create {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.maker.client()?;
        let mut events = query::Events { after: self.after, kind: self.kind, ..self.more.query() };
        if let Some(thing) = &self.thing {
            events.thing = Some(lookup::thing(&client, thing).await?.hex.0.into());
        }
        if let Some(stream) = &self.stream {
            events.stream =
                Some(althing_client::model::Hex(lookup::stream(&client, stream).await?));
        }
        if let Some(entity) = &self.entity {
            events.entity = Some(lookup::entity(&client, entity).await?.into());
        }
        let purpose = self.purpose.unwrap_or_default();
        let new = NewWebhook { url: self.url, purpose, events };
        let hook = client.create_webhook(&new).await.explain()?;
        output
            .show(&hook, || format!("webhook {}\n{}", hook.id, table(std::slice::from_ref(&hook))))
    }
}

impl Named {
    async fn pause(self, paused: bool, output: Output) -> anyhow::Result<()> {
        let hook = self.maker.client()?.pause_webhook(&self.id, paused).await.explain()?;
        output.show(&hook, || table(std::slice::from_ref(&hook)))
    }
}

fn table(hooks: &[Webhook]) -> String {
    let mut table = Table::new(&["id", "url", "state", "delivered", "last event", "why it failed"]);
    for hook in hooks {
        let state = match (hook.paused, hook.failures) {
            (true, _) => "paused".to_owned(),
            (false, 0) => "live".to_owned(),
            (false, failures) => format!("failed {failures} times"),
        };
        table.row([
            hook.id.clone(),
            hook.url.clone(),
            state,
            hook.delivered.to_string(),
            hook.cursor.to_string(),
            hook.last_error.clone().unwrap_or_default(),
        ]);
    }
    table.or("no webhooks")
}
