//! `althing service`: the catalogue of services, from the first version to the last.

mod manifest;

use std::path::PathBuf;

use althing_client::{
    Client,
    model::{Cursor, Page, Service, ServiceHex, ServiceVersion, query},
};
use althing_ledger::key;
use althing_types::{Action, ServiceId, ServiceStatus, Version};
use clap::{Args, Subcommand};

use super::{PageArgs, contract, events, final_at, past_events, with_more, write_proof};
use crate::{
    lookup,
    output::{Output, Table, fields},
    report::failed,
    session::{Explain as _, Remote, SignArgs, block_on},
};

/// Publishes services, finds and watches them.
#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Publishes a service, or another version of one, by its manifest.
    Publish(Publish),
    /// Lists services: all, or those that a search is about.
    List(List),
    /// Shows a service and its newest version, or another.
    Show(Show),
    /// Lists what changed a service.
    History(History),
    /// Follows what a service publishes, without end: events of its contracts, its records, its versions.
    Watch(Watch),
    /// Fetches a proof of what the ledger has of a version.
    Prove(Prove),
    /// Says that a version is to be used no more by those who begin.
    Deprecate(Change),
    /// Says that a deprecated version can be relied on again.
    Revive(Change),
    /// Ends a version for ever.
    Withdraw(Change),
}

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The manifest, a TOML file.
    manifest: PathBuf,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those with this text in name, description, tags or interfaces.
    text: Option<String>,
    /// Only those with exactly this name.
    #[arg(long)]
    name: Option<String>,
    /// Only those that serve this interface.
    #[arg(long)]
    interface: Option<String>,
    /// Only those with this tag.
    #[arg(long)]
    tag: Option<String>,
    /// Only those of this provider: DID, hex id or name.
    #[arg(long, value_name = "ENTITY")]
    provider: Option<String>,
    /// Only those that this contract is, or charges and records for: name, DID or hex id.
    #[arg(long)]
    contract: Option<String>,
    /// Only those that are a contract, or performed outside.
    #[arg(long, value_name = "contract|outside")]
    kind: Option<String>,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its name or id.
    service: String,
    /// This version, with its schema, also if it was withdrawn.
    #[arg(long, value_parser = parse_version)]
    version: Option<Version>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Its name or id.
    service: String,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Its name or id.
    service: String,
    /// Only contracts' events of this name and records of this kind.
    #[arg(long)]
    topic: Option<String>,
    /// Begin behind this event, as its cursor says; otherwise at the present.
    #[arg(long)]
    after: Option<Cursor>,
    /// End after so many.
    #[arg(long)]
    count: Option<u64>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// Its name or id.
    service: String,
    /// Which version.
    #[arg(long, value_parser = parse_version)]
    version: Version,
    /// File to write the proof to.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Its name or id.
    service: String,
    /// Which version.
    #[arg(value_parser = parse_version)]
    version: Version,
    #[command(flatten)]
    sign: SignArgs,
}

fn parse_version(text: &str) -> Result<Version, String> {
    Version::parse(text).ok_or_else(|| "write three numbers, such as 1.0.0".to_owned())
}

impl ServiceCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::Publish(publish) => publish.run(output).await,
                Self::List(list) => list.run(output).await,
                Self::Show(show) => show.run(output).await,
                Self::History(history) => history.run(output).await,
                Self::Watch(watch) => watch.run(output).await,
                Self::Prove(prove) => prove.run(output).await,
                Self::Deprecate(it) => it.run(output, ServiceStatus::Deprecated).await,
                Self::Revive(it) => it.run(output, ServiceStatus::Live).await,
                Self::Withdraw(it) => it.run(output, ServiceStatus::Withdrawn).await,
            }
        })
    }
}

/// A service by id, or by a name that only one has.
async fn find(client: &Client, text: &str) -> anyhow::Result<ServiceId> {
    if let Some(id) = ServiceId::from_hex(text) {
        return Ok(id);
    }
    let query = query::Services { name: Some(text.to_owned()), ..Default::default() };
    let page = client.services(&query).await.explain()?;
    match page.items.as_slice() {
        [service] => Ok(service.id.0),
        [] => Err(failed(format!("no service is called `{text}`"), "althing service list")),
        _ => Err(failed(
            format!("several services are called `{text}`"),
            format!("althing service list --name {text} shows their ids; use one of those"),
        )),
    }
}

/// The same for a service all of whose versions may be withdrawn: no list has it any more.
async fn find_own(
    client: &Client,
    text: &str,
    signer: althing_types::EntityId,
) -> anyhow::Result<ServiceId> {
    let own = ServiceId::derive(&signer, text);
    match client.service(&own).await {
        Ok(service) => Ok(service.id.0),
        Err(_) => find(client, text).await,
    }
}

impl Publish {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let publisher = session.entity();
        let manifest = manifest::read(&session.client, &self.manifest, publisher).await?;
        let (name, version, id) =
            (manifest.name.clone(), manifest.version, manifest.id(&publisher));
        let outcome = session.perform(vec![Action::PublishService(manifest)]).await?;
        output.show(&outcome, || {
            let done = final_at(&outcome);
            format!("published {name} {version}: althing service show {id}\n{done}")
        })
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let provider = match &self.provider {
            Some(provider) => Some(lookup::entity(&client, provider).await?.into()),
            None => None,
        };
        let contract = match &self.contract {
            Some(name) => Some(contract::find(&client, name).await?.hex.0.actor().into()),
            None => None,
        };
        let query = query::Services {
            text: self.text,
            name: self.name,
            interface: self.interface,
            tag: self.tag,
            provider,
            contract,
            kind: self.kind,
            after: self.page.after.clone(),
            limit: self.page.limit,
        };
        let page = client.services(&query).await.explain()?;
        output.show(&page, || table(&page))
    }
}

fn table(page: &Page<Service>) -> String {
    let mut table = Table::new(&["name", "version", "status", "kind", "what it does", "id"]);
    for service in &page.items {
        let Some(newest) = &service.newest else { continue };
        let text = newest.text.lines().next().unwrap_or_default();
        table.row([
            service.name.clone(),
            newest.version.clone(),
            newest.status.clone(),
            newest.kind.clone(),
            text.chars().take(60).collect(),
            service.id.to_string(),
        ]);
    }
    with_more(table.or("no such service"), page.next.as_deref())
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let id = find(&client, &self.service).await?;
        match self.version {
            Some(version) => {
                let version = client.service_version(&id, version).await.explain()?;
                output.show(&version, || version_text(&version))
            }
            None => {
                let service = client.service(&id).await.explain()?;
                output.show(&service, || text(&service))
            }
        }
    }
}

fn text(service: &Service) -> String {
    let versions: Vec<String> =
        service.versions.iter().map(|it| format!("{} ({})", it.version, it.status)).collect();
    let mut text = fields(&[
        ("name", service.name.clone()),
        ("id", service.id.to_string()),
        ("provider", service.provider.to_string()),
        (
            "versions",
            if versions.is_empty() { "all withdrawn".into() } else { versions.join(", ") },
        ),
        ("since block", service.since_height.to_string()),
        ("changed at block", service.changed_height.to_string()),
    ]);
    if let Some(newest) = &service.newest {
        text.push('\n');
        text.push_str(&version_text(newest));
    }
    text
}

fn version_text(version: &ServiceVersion) -> String {
    let or_none = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let did = |did: &Option<althing_client::model::DidText>| {
        did.as_ref().map_or("-".to_owned(), ToString::to_string)
    };
    let needs: Vec<String> =
        version.needs.iter().map(|need| format!("{} {}", need.right, need.what)).collect();
    let rule = version.price_rule.as_ref();
    let rule = rule.map(|rule| format!("{} {} for each {}", rule.amount, rule.currency, rule.per));
    let price: Vec<String> =
        rule.into_iter().chain([version.price.clone()]).filter(|text| !text.is_empty()).collect();
    let mut text = fields(&[
        ("version", version.version.clone()),
        ("status", version.status.clone()),
        ("what it does", version.text.replace('\n', " ")),
        ("kind", version.kind.clone()),
        ("contract", did(&version.contract)),
        ("entity", did(&version.entity)),
        ("endpoints", or_none(version.endpoints.join(", "))),
        ("interfaces", or_none(version.interfaces.join(", "))),
        ("tags", or_none(version.tags.join(", "))),
        ("purpose", version.purpose.clone()),
        ("needs", or_none(needs.join(", "))),
        ("price", or_none(price.join("; "))),
        ("shown to", version.listing.clone()),
        ("published at block", version.published_height.to_string()),
        ("schema digest", version.schema_digest.map_or("-".into(), |it| it.to_string())),
    ]);
    if let Some(schema) = &version.schema {
        text.push_str(&format!("\n{schema}\n"));
    }
    text
}

impl History {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let id = find(&client, &self.service).await?;
        let query = query::List { after: self.page.after.clone(), limit: self.page.limit };
        let page = client.service_history(&id, &query).await.explain()?;
        output.show(&page, || past_events(&page, "transaction", "nothing yet"))
    }
}

impl Watch {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let service = Some(ServiceHex { 0: find(&client, &self.service).await? });
        let query = query::Events {
            after: self.after,
            service,
            topic: self.topic,
            ..query::Events::default()
        };
        events::follow(&client, &query, self.count, output).await
    }
}

impl Prove {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let id = find(&client, &self.service).await?;
        let key = key::service_version(&id, self.version);
        write_proof(&self.out, &client.prove_state(&key).await.explain()?, output)
    }
}

impl Change {
    async fn run(self, output: Output, status: ServiceStatus) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let service = find_own(&session.client, &self.service, session.entity()).await?;
        let version = self.version;
        let action = Action::SetServiceStatus { service, version, status };
        let outcome = session.perform(vec![action]).await?;
        output.show(&outcome, || {
            let (name, status, done) = (&self.service, status.name(), final_at(&outcome));
            format!("{name} {version} is {status}\n{done}")
        })
    }
}
