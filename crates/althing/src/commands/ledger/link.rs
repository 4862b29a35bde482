//! `althing ledger link`: what is known of other ledgers.

use std::path::PathBuf;

use althing_client::{
    Client,
    model::{Link, query},
};
use althing_proof::{Bundle, link::Advance};
use althing_types::{Action, LinkFork, LinkId, LinkStatus, Wire as _};
use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::carry;
use crate::{
    commands::{PageArgs, final_at, perform, with_more},
    lookup,
    output::{Output, Table, fields},
    report::failed,
    session::{Explain as _, Remote, SignArgs, client, read_genesis},
};

/// Registers other ledgers, and shows how far each is known.
#[derive(Debug, Subcommand)]
pub(crate) enum LinkCommand {
    /// Relies on another ledger from now on, by its genesis; by an organisation.
    Register(Register),
    /// Lists links, with how far each is known and how they stand.
    List(List),
    /// Shows a link.
    Show(Show),
    /// Leads a link to the newest block of its ledger, by proof; by anyone.
    Advance(AdvanceArgs),
    /// Shows two final blocks of one height, which freezes the link for ever; by anyone.
    ReportFork(ReportFork),
    /// Relies on a link no more for now.
    Suspend(Change),
    /// Relies on a suspended link again.
    Resume(Change),
    /// Ends a link. What is known of the ledger stays known, for when it is registered again.
    End(Change),
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    /// The genesis of the other ledger, a file.
    genesis: PathBuf,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this organisation: DID, hex id or name.
    #[arg(long)]
    owner: Option<String>,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id, or the name of the other network.
    link: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct AdvanceArgs {
    /// Its id, or the name of the other network.
    link: String,
    /// A peer of the other ledger.
    #[arg(long, value_name = "URL")]
    from: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReportFork {
    /// Its id, or the name of the other network.
    link: String,
    /// A proof from one branch, a bundle file.
    first: PathBuf,
    /// A proof from the other, whose block has the same height.
    second: PathBuf,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Its id, or the name of the other network.
    link: String,
    #[command(flatten)]
    sign: SignArgs,
}

impl LinkCommand {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Register(register) => register.run(output).await,
            Self::List(list) => list.run(output).await,
            Self::Show(show) => show.run(output).await,
            Self::Advance(advance) => advance.run(output).await,
            Self::ReportFork(report) => report.run(output).await,
            Self::Suspend(change) => change.run(output, LinkStatus::Suspended).await,
            Self::Resume(change) => change.run(output, LinkStatus::Live).await,
            Self::End(change) => change.run(output, LinkStatus::Ended).await,
        }
    }
}

/// A link by id, or by the name of a network that only one leads to.
async fn find(client: &Client, text: &str) -> anyhow::Result<Link> {
    if let Some(id) = LinkId::from_hex(text) {
        return client.link(&id).await.explain();
    }
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = client.links(&query::Links { after, ..<_>::default() }).await.explain()?;
        found.extend(page.items.into_iter().filter(|link| link.network == text));
        after = page.next;
        if after.is_none() || found.len() > 1 {
            break;
        }
    }
    match (found.pop(), found.pop()) {
        (Some(link), None) => Ok(link),
        (None, _) => Err(failed(format!("no link leads to `{text}`"), "althing ledger link list")),
        _ => Err(failed(
            format!("several links lead to `{text}`"),
            "althing ledger link list shows their ids; use one of those",
        )),
    }
}

impl Register {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let genesis = read_genesis(&self.genesis)?;
        let session = self.sign.session().await?;
        let id = LinkId::derive(&session.entity(), &genesis.ledger());
        let action = Action::RegisterLink { genesis: genesis.to_wire() };
        let outcome = session.perform(vec![action]).await?;
        output.show(&outcome, || format!("althing ledger link show {id}\n{}", final_at(&outcome)))
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let owner = match &self.owner {
            Some(owner) => Some(lookup::entity(&client, owner).await?.into()),
            None => None,
        };
        let query = query::Links { owner, after: self.page.after.clone(), limit: self.page.limit };
        let page = client.links(&query).await.explain()?;
        output.show(&page, || {
            let mut table =
                Table::new(&["network", "status", "height", "epoch", "known since", "open", "id"]);
            for link in &page.items {
                table.row([
                    link.network.clone(),
                    link.status.clone(),
                    link.height.to_string(),
                    link.epoch.to_string(),
                    link.advanced.to_string(),
                    link.open_calls.to_string(),
                    link.id.to_string(),
                ]);
            }
            with_more(table.or("no links to other ledgers"), page.next.as_deref())
        })
    }
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let link = find(&client, &self.link).await?;
        output.show(&link, || text(&link))
    }
}

fn text(link: &Link) -> String {
    let why = link.fork.as_ref().map_or_else(String::new, |fork| {
        format!(
            ": blocks {} and {} of height {} are both final",
            fork.first, fork.second, fork.height
        )
    });
    fields(&[
        ("network", link.network.clone()),
        ("ledger", link.ledger.to_string()),
        ("id", link.id.to_string()),
        ("owner", link.owner.to_string()),
        ("status", format!("{}{why}", link.status)),
        ("known to height", link.height.to_string()),
        ("block", link.block.to_string()),
        ("of", link.time.to_string()),
        ("epoch", link.epoch.to_string()),
        ("validators", format!("{}, since epoch {}", link.validators, link.validators_epoch)),
        ("advanced", format!("{}, in block {} here", link.advanced, link.advanced_height)),
        ("registered at block", link.registered_height.to_string()),
        ("open calls", link.open_calls.to_string()),
    ])
}

impl AdvanceArgs {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let link = find(&session.client, &self.link).await?;
        let (height, steps) = carry::advance(&session, &link.id, &client(&self.from)?).await?;
        let value = serde_json::json!({ "height": height, "steps": steps });
        output.show(&value, || match steps {
            0 => format!("nothing newer: height {height} is known already"),
            _ => format!("known to height {height} now, after {steps} steps"),
        })
    }
}

impl ReportFork {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let link = find(&session.client, &self.link).await?;
        let read = |path: &PathBuf| {
            let bytes =
                std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let bundle = Bundle::from_bytes(&bytes)
                .with_context(|| format!("{} is no proof", path.display()))?;
            anyhow::Ok(Advance::of(&bundle, link.validators_epoch).to_wire())
        };
        let (first, second) = (read(&self.first)?, read(&self.second)?);
        let told = LinkFork { link: link.id.0, first, second };
        perform(output, &session, Action::ReportFork(told)).await
    }
}

impl Change {
    async fn run(self, output: Output, status: LinkStatus) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let link = find(&session.client, &self.link).await?.id.0;
        perform(output, &session, Action::SetLinkStatus { link, status }).await
    }
}
