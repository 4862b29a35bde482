//! `althing access policy`.

use std::path::PathBuf;

use althing_client::{file, model::AccessPolicy as Shown};
use althing_policy::{Policies, Template, explain};
use althing_types::{
    AccessMode, AccessPolicy, Action, EntityKind, Right, limits::POLICY_BYTES_MAX,
};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    args::{ResourceArgs, parse_right},
    show,
};
use crate::{
    commands::{PageArgs, final_at, parse_kind, with_more},
    lookup,
    output::{Output, Table},
    report::{NextStep as _, failed},
    session::{Explain as _, Remote, Session, SignArgs},
};

/// Sets, shows, lists and removes policies.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Says who may do what with something of the signing entity's.
    Set(Set),
    /// Shows the policy about one thing, property, action or service.
    Show(Show),
    /// Lists the policies of an owner.
    List(List),
    /// Takes a policy back.
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    resource: ResourceArgs,
    /// What is needed besides: nothing (open), a grant (grant), or a transaction for each use (strict).
    #[arg(long, default_value = "grant", value_parser = parse_mode)]
    mode: AccessMode,
    /// Let everybody.
    #[arg(long)]
    everyone: bool,
    /// Let this organisation and all that it owns; may be repeated.
    #[arg(long, value_name = "NAME")]
    organisation: Vec<String>,
    /// Let this service, person, gateway or device; may be repeated.
    #[arg(long, value_name = "NAME")]
    entity: Vec<String>,
    /// Let all of a kind, such as auditor; may be repeated.
    #[arg(long, value_parser = parse_kind)]
    kind: Vec<EntityKind>,
    /// What they may do: read, subscribe, write, invoke, describe or call; may be repeated.
    #[arg(long = "right", value_parser = parse_right, default_values = ["read", "subscribe"])]
    rights: Vec<Right>,
    /// Only for this purpose.
    #[arg(long = "only-for", value_name = "PURPOSE")]
    only_for: Option<String>,
    /// Forbid this entity, or organisation with all that it owns, everything; may be repeated.
    #[arg(long, value_name = "NAME")]
    deny: Vec<String>,
    /// A file with statements in Cedar, instead of or beside the above.
    #[arg(long, value_name = "FILE")]
    cedar: Option<PathBuf>,
    /// Who is asked about each request: `owner`, `device`, or a name, DID or hex id.
    #[arg(long, value_name = "WHO")]
    ask: Option<String>,
    /// Blocks within which the answer must come.
    #[arg(long, default_value_t = 600)]
    patience: u32,
    /// Blocks that a grant lasts at most.
    #[arg(long, default_value_t = 100_000)]
    grant_blocks: u64,
    /// Show the statements in words, and send nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    resource: ResourceArgs,
    /// The owner: name, DID or hex id.
    #[arg(long)]
    owner: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The owner: name, DID or hex id.
    #[arg(long)]
    owner: String,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    resource: ResourceArgs,
    #[command(flatten)]
    sign: SignArgs,
}

fn parse_mode(text: &str) -> Result<AccessMode, String> {
    AccessMode::from_name(text).ok_or_else(|| "it is one of open, grant and strict".to_owned())
}

/// The usual policies.
pub(super) fn templates(output: Output) -> anyhow::Result<()> {
    let mut table = Table::new(&["althing access policy set ...", "what it says"]);
    for (name, sentence) in Template::ALL {
        let value = if name == "everyone" { "" } else { " NAME" };
        table.row([format!("--{name}{value}"), sentence.to_owned()]);
    }
    let value: Vec<_> =
        Template::ALL.iter().map(|(name, says)| json!({ "name": name, "says": says })).collect();
    output.show(&value, || table.to_text())
}

impl PolicyCommand {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Set(command) => command.run(output).await,
            Self::Show(command) => command.run(output).await,
            Self::List(command) => command.run(output).await,
            Self::Remove(command) => command.run(output).await,
        }
    }
}

impl Set {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let resource = self.resource.resource(&session.client).await?;
        let text = self.text(&session).await?;
        let policies = Policies::compile(&text).map_err(|error| {
            failed(
                format!("the policy is not valid: {error}"),
                "docs/formats/policy.md has the language",
            )
        })?;
        let words = explain(&policies, |_| None);
        if self.dry_run {
            let value = json!({ "text": text, "words": words });
            return output.show(&value, || format!("{text}\n\nin words:\n{}", show::list(&words)));
        }
        let ask = match self.ask.as_deref() {
            None => None,
            Some("owner") => Some(session.entity()),
            Some("device") => Some(self.device(&session).await?),
            Some(name) => Some(lookup::entity(&session.client, name).await?),
        };
        let policy = AccessPolicy {
            resource,
            mode: self.mode,
            text,
            ask,
            patience_blocks: if ask.is_some() { self.patience } else { 0 },
            grant_blocks_max: self.grant_blocks,
        };
        let outcome = session.perform(vec![Action::SetAccessPolicy(policy)]).await?;
        let value = json!({ "words": words, "outcome": outcome });
        output.show(&value, || format!("{}{}", show::list(&words), final_at(&outcome)))
    }

    /// The statements of all templates that are asked for, and those of the file.
    async fn text(&self, session: &Session) -> anyhow::Result<String> {
        let (rights, purpose) = (&self.rights, &self.only_for);
        let mut templates = Vec::new();
        if self.everyone {
            templates.push(Template::Everyone { rights: rights.clone() });
        }
        for name in &self.organisation {
            let organisation = lookup::entity(&session.client, name).await?;
            let (rights, purpose) = (rights.clone(), purpose.clone());
            templates.push(Template::Organisation { organisation, rights, purpose });
        }
        for name in &self.entity {
            let entity = lookup::entity(&session.client, name).await?;
            let (rights, purpose) = (rights.clone(), purpose.clone());
            templates.push(Template::Entity { entity, rights, purpose });
        }
        for kind in &self.kind {
            let (kind, rights, purpose) = (*kind, rights.clone(), purpose.clone());
            templates.push(Template::Kind { kind, rights, purpose });
        }
        for name in &self.deny {
            let entity = lookup::entity(&session.client, name).await?;
            templates.push(Template::Deny { entity });
        }
        let statements =
            templates.iter().map(Template::statement).collect::<Result<Vec<_>, _>>()?;
        let mut text = statements.join("\n");
        if let Some(path) = &self.cedar {
            let bytes = file::read(path, POLICY_BYTES_MAX as u64)
                .with_context(|| format!("cannot read {}", path.display()))
                .next_step(|| "give --cedar a file with statements".to_owned())?;
            text.push('\n');
            text.push_str(std::str::from_utf8(&bytes).context("the policy is not UTF-8")?);
        }
        let text = text.trim().to_owned();
        if text.is_empty() {
            return Err(failed(
                "say who may",
                "--everyone, --organisation NAME, --entity NAME, --kind KIND, --deny NAME or --cedar FILE",
            ));
        }
        Ok(text)
    }

    /// The device that a thing signs as is asked.
    async fn device(&self, session: &Session) -> anyhow::Result<althing_types::EntityId> {
        let next = "bind a device to the thing: althing thing bind";
        let thing =
            self.resource.thing().ok_or_else(|| failed("only a thing has a device", next))?;
        let thing = lookup::thing(&session.client, thing).await?;
        for binding in &thing.bindings {
            let entity = session.client.entity(&binding.gateway.entity_id()).await.explain()?;
            if entity.kind == EntityKind::Device.name() {
                return Ok(entity.hex.0);
            }
        }
        Err(failed("the thing has no device of its own", next))
    }
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let owner = lookup::entity(&client, &self.owner).await?;
        let resource = self.resource.resource(&client).await?;
        let mut query = althing_client::model::query::List::default();
        loop {
            let page = client.access_policies(&owner, &query).await.explain()?;
            let of = |one: &Shown| one.resource.clone();
            let network = page.items.first().map(|one| one.owner.0.network.clone());
            let wanted =
                network.map(|network| althing_client::model::Resource::new(&network, &resource));
            let found = page.items.iter().find(|one| Some(of(one)) == wanted);
            if let Some(policy) = found {
                return output.show(policy, || show::policy(policy));
            }
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        Err(failed(
            "there is no policy about exactly this",
            "althing access policy list --owner NAME; a wider one may apply: althing access explain",
        ))
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let owner = lookup::entity(&client, &self.owner).await?;
        let query = althing_client::model::query::List {
            after: self.page.after.clone(),
            limit: self.page.limit,
        };
        let page = client.access_policies(&owner, &query).await.explain()?;
        output.show(&page, || {
            let text: Vec<String> = page.items.iter().map(show::policy).collect();
            let text = if text.is_empty() { "no policies\n".to_owned() } else { text.join("\n") };
            with_more(text, page.next.as_deref())
        })
    }
}

impl Remove {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let resource = self.resource.resource(&session.client).await?;
        let outcome = session.perform(vec![Action::RemoveAccessPolicy { resource }]).await?;
        output.show(&outcome, || format!("removed\n{}", final_at(&outcome)))
    }
}
