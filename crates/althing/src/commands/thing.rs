//! `althing thing`: devices and virtual things with their Thing Descriptions.

use std::path::PathBuf;

use althing_client::{
    file,
    model::{DidText, Page, Thing, query},
};
use althing_ledger::thing::explain;
use althing_types::{
    Action, ThingId, ThingTags,
    limits::{DESCRIPTION_BYTES_MAX, NAME_BYTES_MAX, THING_TAGS_MAX},
};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{PageArgs, final_at, onboarding::OnboardingCommand};
use crate::{
    lookup,
    output::{Output, Table, fields, write_bytes},
    report::{NextStep as _, failed},
    session::{Explain as _, Remote, SignArgs, block_on},
};

/// Shows, registers, binds and retires things.
#[derive(Debug, Subcommand)]
pub(crate) enum ThingCommand {
    /// Lists things.
    List(List),
    /// Shows one thing with its properties and bindings.
    Show(Show),
    /// Prints the Thing Description of a thing, byte for byte as registered.
    Description(Description),
    /// Registers a thing that the signing entity will own.
    Register(Register),
    /// Publishes a new description of a thing.
    Update(Update),
    /// Lets a gateway or device submit readings for a thing.
    Bind(Bind),
    /// Ends a binding.
    Unbind(Unbind),
    /// Says by which words a thing is found, in place of what was said before.
    Tag(Tag),
    /// Ends a thing: nothing more is accepted for it.
    Retire(Retire),
    /// How things join and pass on.
    #[command(flatten)]
    Onboarding(OnboardingCommand),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those whose name or title contains this.
    #[arg(long)]
    name: Option<String>,
    /// Only those of this owner: DID, hex id or name.
    #[arg(long)]
    owner: Option<String>,
    /// Only those whose description has this @type.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only those that have this tag.
    #[arg(long)]
    tag: Option<String>,
    /// Only those with this property.
    #[arg(long)]
    property: Option<String>,
    /// Only those that said they are, or are not, online.
    #[arg(long)]
    online: Option<bool>,
    /// Only those that said they are within so many degrees of a point: latitude,longitude,distance.
    #[arg(long, allow_hyphen_values = true, value_name = "CIRCLE")]
    near: Option<String>,
    /// Only those that said they are in this box: degrees south,west,north,east.
    #[arg(long, allow_hyphen_values = true, value_name = "BOX")]
    within: Option<String>,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its name, DID or hex id.
    thing: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Description {
    /// Its name, DID or hex id.
    thing: String,
    /// An earlier version.
    #[arg(long)]
    version: Option<u32>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    /// The owner's name for it, which topics use too.
    #[arg(long)]
    name: String,
    /// File with its W3C Thing Description 1.1.
    #[arg(long, value_name = "FILE")]
    description: PathBuf,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Its name, DID or hex id.
    thing: String,
    /// File with the new description.
    #[arg(long, value_name = "FILE")]
    description: PathBuf,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Bind {
    /// Its name, DID or hex id.
    thing: String,
    /// The gateway or device: DID, hex id or name.
    #[arg(long)]
    gateway: String,
    /// For so many blocks from now; at the usual pace of an idle network a million blocks are
    /// eleven days. Without it, until it is ended.
    #[arg(long)]
    blocks: Option<u64>,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Unbind {
    /// Its name, DID or hex id.
    thing: String,
    /// The gateway or device: DID, hex id or name.
    #[arg(long)]
    gateway: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Tag {
    /// Its name, DID or hex id.
    thing: String,
    /// The tags, all of them; none takes all away. At most 16, of at most 64 bytes each.
    tags: Vec<String>,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Retire {
    /// Its name, DID or hex id.
    thing: String,
    #[command(flatten)]
    sign: SignArgs,
}

impl ThingCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::List(list) => list.run(output).await,
                Self::Show(show) => show.run(output).await,
                Self::Description(description) => description.run().await,
                Self::Register(register) => register.run(output).await,
                Self::Update(update) => update.run(output).await,
                Self::Bind(bind) => bind.run(output).await,
                Self::Unbind(unbind) => unbind.run(output).await,
                Self::Tag(tag) => tag.run(output).await,
                Self::Retire(retire) => retire.run(output).await,
                Self::Onboarding(command) => command.run(output).await,
            }
        })
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let owner = match &self.owner {
            Some(owner) => Some(lookup::entity(&client, owner).await?.into()),
            None => None,
        };
        let query = query::Things {
            owner,
            name: self.name,
            kind: self.kind,
            tag: self.tag,
            property: self.property,
            online: self.online,
            within: self.within,
            near: self.near,
            after: self.page.after.clone(),
            limit: self.page.limit,
        };
        let page = client.things(&query).await.explain()?;
        output.show(&page, || table(&page))
    }
}

fn table(page: &Page<Thing>) -> String {
    let mut table = Table::new(&["name", "title", "active", "properties", "id"]);
    for thing in &page.items {
        let properties: Vec<&str> =
            thing.properties.iter().map(|property| property.name.as_str()).collect();
        table.row([
            thing.name.clone(),
            thing.title.clone(),
            if thing.active { "yes" } else { "no" }.to_owned(),
            properties.join(", "),
            thing.id.to_string(),
        ]);
    }
    super::with_more(table.or("no such thing"), page.next.as_deref())
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let thing = lookup::thing(&self.remote.client()?, &self.thing).await?;
        output.show(&thing, || text(&thing))
    }
}

fn text(thing: &Thing) -> String {
    let mut text = fields(&[
        ("name", thing.name.clone()),
        ("title", thing.title.clone()),
        ("id", thing.id.to_string()),
        ("owner", thing.owner.to_string()),
        ("active", if thing.active { "yes".into() } else { "no, retired".into() }),
        ("quarantined", if thing.quarantined { "yes".into() } else { "no".into() }),
        ("status", status(thing)),
        ("tags", if thing.tags.is_empty() { "-".into() } else { thing.tags.join(", ") }),
        ("actions", if thing.actions.is_empty() { "-".into() } else { thing.actions.join(", ") }),
        ("description", format!("version {}, SHA-256 {}", thing.version, thing.description_digest)),
    ]);
    let mut properties = Table::new(&["property", "kind", "unit", "latest", "measured", "stream"]);
    for property in &thing.properties {
        let latest = property.latest.as_ref().map(|latest| &latest.reading);
        properties.row([
            property.name.clone(),
            property.kind.clone(),
            property.unit.clone(),
            latest.map_or("-".into(), |reading| reading.value.clone()),
            latest.map_or("-".into(), |reading| reading.claimed.to_string()),
            property.stream.to_string(),
        ]);
    }
    let mut bindings = Table::new(&["may submit", "until block"]);
    for binding in &thing.bindings {
        bindings.row([binding.gateway.to_string(), until(binding.until_height)]);
    }
    text.push_str(&format!("\n{}", properties.or("no properties\n")));
    text.push_str(&format!("\n{}", bindings.or("only the owner may submit for it\n")));
    text
}

/// What was last said of it.
fn status(thing: &Thing) -> String {
    let Some(status) = &thing.status else { return "-".to_owned() };
    let known = &status.known;
    let online = known.online.map(|online| if online { "online" } else { "offline" }.to_owned());
    let firmware = known.firmware.as_ref().map(|firmware| format!("firmware {firmware}"));
    let place = known.place.as_ref().map(|at| format!("at {},{}", at.latitude, at.longitude));
    let said: Vec<String> = [online, firmware, place].into_iter().flatten().collect();
    format!("{}, said {}", said.join(", "), status.reported)
}

/// A height so far away that it means "until it is ended".
fn until(height: u64) -> String {
    if height == u64::MAX { "it is ended".to_owned() } else { height.to_string() }
}

impl Description {
    async fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let thing = lookup::thing(&client, &self.thing).await?;
        let bytes = client.description(&thing.hex, self.version).await.explain()?;
        // As registered, to the byte: its digest is on the ledger.
        write_bytes(&bytes)
    }
}

fn read_description(path: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    let name = path.display();
    let next = || "give --description a file with a W3C Thing Description 1.1".to_owned();
    let text = file::read(path, DESCRIPTION_BYTES_MAX as u64)
        .with_context(|| format!("cannot read the description {name}"))
        .next_step(next)?;
    // The ledger would only say that it refuses it; before anything is signed, here is why.
    match explain(&text) {
        None => Ok(text),
        Some(problem) => {
            Err(failed(format!("the description {name} is not valid: {problem}"), next()))
        }
    }
}

impl Register {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let description = read_description(&self.description)?;
        let session = self.sign.session().await?;
        let thing = ThingId::derive(&session.entity(), &self.name);
        let action = Action::RegisterThing { name: self.name.clone(), description };
        let outcome = session.perform(vec![action]).await?;
        let did = DidText::thing(&session.network, &thing);
        let value = json!({ "id": did, "hex": thing.to_string(), "outcome": outcome });
        output.show(&value, || format!("registered {} as {did}\n{}", self.name, final_at(&outcome)))
    }
}

impl Update {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let description = read_description(&self.description)?;
        let session = self.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?;
        let replaces = thing.version;
        let action = Action::UpdateThing { thing: thing.hex.0, replaces, description };
        let outcome = session.perform(vec![action]).await?;
        output.show(&outcome, || {
            let version = replaces.saturating_add(1);
            format!("{} has version {version}\n{}", self.thing, final_at(&outcome))
        })
    }
}

impl Tag {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?.hex.0;
        let tags: std::collections::BTreeSet<String> = self.tags.into_iter().collect();
        let said = ThingTags { thing, tags: tags.into_iter().collect() };
        if !said.is_within_bounds() {
            return Err(failed(
                format!(
                    "a thing has at most {THING_TAGS_MAX} tags, each 1 to {NAME_BYTES_MAX} bytes \
                     without control characters"
                ),
                "give fewer or shorter tags",
            ));
        }
        let words = said.tags.join(", ");
        let outcome = session.perform(vec![Action::TagThing(said)]).await?;
        output.show(&outcome, || {
            let found = if words.is_empty() { "no tags".to_owned() } else { words };
            format!("{} is found by {found}\n{}", self.thing, final_at(&outcome))
        })
    }
}

impl Bind {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?.hex.0;
        let gateway = lookup::entity(&session.client, &self.gateway).await?;
        let now = session.client.height();
        let until_height = self.blocks.map_or(u64::MAX, |blocks| now.saturating_add(blocks));
        let outcome = session.perform(vec![Action::Bind { thing, gateway, until_height }]).await?;
        output.show(&outcome, || {
            format!("{} may submit for {}\n{}", self.gateway, self.thing, final_at(&outcome))
        })
    }
}

impl Unbind {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?.hex.0;
        let gateway = lookup::entity(&session.client, &self.gateway).await?;
        let outcome = session.perform(vec![Action::Unbind { thing, gateway }]).await?;
        output.show(&outcome, || {
            format!("{} may not submit for {}\n{}", self.gateway, self.thing, final_at(&outcome))
        })
    }
}

impl Retire {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?.hex.0;
        let outcome = session.perform(vec![Action::RetireThing { thing }]).await?;
        output.show(&outcome, || format!("retired {}\n{}", self.thing, final_at(&outcome)))
    }
}
