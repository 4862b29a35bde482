//! `althing access`: owners decide who reads and acts; every use of a grant is told.

mod args;
mod policy;
mod show;

use althing_client::model::{Grant, query};
use althing_types::{Action, GrantId, Wire as _};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use self::args::{ResourceArgs, parse_right};
use super::{PageArgs, final_at};
use crate::{
    lookup,
    output::{Output, fields},
    report::failed,
    session::{Explain as _, Remote, SignArgs, block_on},
};

/// Sets policies, asks for access and answers, shows what was used and why.
#[derive(Debug, Subcommand)]
pub(crate) enum AccessCommand {
    /// Sets, shows, lists and removes policies.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Lists the usual policies, of which one is made without writing Cedar.
    Templates,
    /// Asks an owner for access.
    Request(Request),
    /// Lists requests that wait for somebody's answer.
    Requests(Waiting),
    /// Allows or denies a request.
    Answer(Answer),
    /// Lists grants, or shows one.
    Grants(Grants),
    /// Ends a grant.
    Revoke(OfGrant),
    /// Uses a grant once, for what is decided by consensus each time.
    Use(OfGrant),
    /// Lists who accessed what an owner has, and what became of requests.
    Feed(Feed),
    /// Says whether somebody may do something, by which policy and why.
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
pub(crate) struct Request {
    #[command(flatten)]
    resource: ResourceArgs,
    /// What to do: read, subscribe, write, invoke, describe or call.
    #[arg(long, value_parser = parse_right)]
    right: althing_types::Right,
    /// What for, a name that both sides understand.
    #[arg(long)]
    purpose: String,
    /// How often, at most; as often as wanted without it.
    #[arg(long, default_value_t = 0)]
    count: u32,
    /// For how many blocks; the policy may give fewer.
    #[arg(long, default_value_t = 100_000)]
    blocks: u64,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Waiting {
    /// Who is asked, or owns what is asked for: DID, hex id or name.
    #[arg(long)]
    entity: String,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
#[group(id = "verdict", required = true, multiple = false, args = ["allow", "deny"])]
pub(crate) struct Answer {
    /// Id of the request.
    request: String,
    /// Make it a grant.
    #[arg(long)]
    allow: bool,
    /// End it without one.
    #[arg(long)]
    deny: bool,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Grants {
    /// Id of one grant or request.
    #[arg(conflicts_with = "entity", required_unless_present = "entity")]
    grant: Option<String>,
    /// Those that this entity has a part in: DID, hex id or name.
    #[arg(long)]
    entity: Option<String>,
    /// Only those that stand so: asked, in_force, used_up, over, revoked or timed_out.
    #[arg(long)]
    status: Option<String>,
    /// Write a proof of the grant to this file, for `althing verify`.
    #[arg(long, value_name = "FILE", requires = "grant")]
    proof: Option<std::path::PathBuf>,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct OfGrant {
    /// Id of the grant.
    grant: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Feed {
    /// The owner: DID, hex id or name.
    #[arg(long)]
    owner: String,
    /// Go on as it happens, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    resource: ResourceArgs,
    /// What to do: read, subscribe, write, invoke, describe or call.
    #[arg(long, value_parser = parse_right)]
    right: althing_types::Right,
    /// Who: DID, hex id or name; somebody who does not say who it is without it.
    #[arg(long)]
    entity: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

impl AccessCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::Policy(command) => command.run(output).await,
                Self::Templates => policy::templates(output),
                Self::Request(command) => command.run(output).await,
                Self::Requests(command) => command.run(output).await,
                Self::Answer(command) => command.run(output).await,
                Self::Grants(command) => command.run(output).await,
                Self::Revoke(command) => command.revoke(output).await,
                Self::Use(command) => command.use_once(output).await,
                Self::Feed(command) => command.run(output).await,
                Self::Explain(command) => command.run(output).await,
            }
        })
    }
}

fn grant_id(text: &str) -> anyhow::Result<GrantId> {
    GrantId::from_hex(text).ok_or_else(|| {
        failed(
            format!("`{text}` is no id of a grant: 64 hex digits expected"),
            "althing access grants --entity NAME",
        )
    })
}

impl Request {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let resource = self.resource.resource(&session.client).await?;
        let until_height = session.client.height().saturating_add(self.blocks);
        let (right, purpose, count_max) = (self.right, self.purpose, self.count);
        let request =
            althing_types::AccessRequest { resource, right, purpose, count_max, until_height };
        let outcome = session.perform(vec![Action::RequestAccess(request)]).await?;
        let id = outcome.receipt.events.iter().find_map(show::access_of).map(|access| access.id);
        let id = id.context("the receipt does not say what became of the request")?;
        let grant = session.client.grant(&id.0).await.explain()?;
        let value = json!({ "grant": grant, "outcome": outcome });
        output.show(&value, || format!("{}{}", show::grant(&grant), final_at(&outcome)))
    }
}

impl Waiting {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let entity = lookup::entity(&client, &self.entity).await?;
        let page = client.grants(&asked(entity, Some("asked"), &self.page)).await.explain()?;
        output.show(&page, || {
            super::with_more(show::grants(&page.items, "nothing waits"), page.next.as_deref())
        })
    }
}

fn asked(entity: althing_types::EntityId, status: Option<&str>, page: &PageArgs) -> query::Grants {
    let status = status.map(str::to_owned);
    query::Grants { entity: entity.into(), status, after: page.after.clone(), limit: page.limit }
}

impl Answer {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let request = grant_id(&self.request)?;
        let session = self.sign.session().await?;
        let action = Action::AnswerAccess { request, allow: self.allow };
        let outcome = session.perform(vec![action]).await?;
        output.show(&outcome, || {
            let verdict = if self.allow { "allowed" } else { "denied" };
            format!("{verdict} {request}\n{}", final_at(&outcome))
        })
    }
}

impl Grants {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        if let Some(text) = &self.grant {
            let id = grant_id(text)?;
            let grant: Grant = client.grant(&id).await.explain()?;
            if let Some(path) = &self.proof {
                let key = althing_proof::key::grant(&id);
                super::write_new(path, &client.prove_state(&key).await.explain()?)?;
            }
            return output.show(&grant, || show::grant(&grant));
        }
        let entity = self.entity.as_deref().unwrap_or_default();
        let entity = lookup::entity(&client, entity).await?;
        let query = asked(entity, self.status.as_deref(), &self.page);
        let page = client.grants(&query).await.explain()?;
        output.show(&page, || {
            super::with_more(show::grants(&page.items, "no grants"), page.next.as_deref())
        })
    }
}

impl OfGrant {
    async fn revoke(self, output: Output) -> anyhow::Result<()> {
        let grant = grant_id(&self.grant)?;
        let session = self.sign.session().await?;
        let outcome = session.perform(vec![Action::RevokeGrant { grant }]).await?;
        output.show(&outcome, || format!("revoked {grant}\n{}", final_at(&outcome)))
    }

    async fn use_once(self, output: Output) -> anyhow::Result<()> {
        let grant = grant_id(&self.grant)?;
        let session = self.sign.session().await?;
        let outcome = session.perform(vec![Action::UseGrant { grant }]).await?;
        output.show(&outcome, || {
            let seconds = althing_ledger::access::USE_OPEN_MS / 1000;
            format!("used {grant}: open to you for {seconds} s\n{}", final_at(&outcome))
        })
    }
}

impl Feed {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let owner = lookup::entity(&client, &self.owner).await?;
        if self.follow {
            return self::follow(&client, owner, output).await;
        }
        let query = query::Feed {
            owner: owner.into(),
            after: self.page.after.clone(),
            limit: self.page.limit,
        };
        let page = client.access_feed(&query).await.explain()?;
        output.show(&page, || super::with_more(show::feed(&page.items), page.next.as_deref()))
    }
}

/// Kinds of events that are about access.
const KINDS: &str = "access_policy_set,access_policy_removed,access_requested,access_granted,\
                     access_denied,access_timed_out,grant_revoked,access_used";

async fn follow(
    client: &althing_client::Client,
    owner: althing_types::EntityId,
    output: Output,
) -> anyhow::Result<()> {
    let query = query::Events {
        entity: Some(owner.into()),
        kind: Some(KINDS.to_owned()),
        ..<_>::default()
    };
    let mut events = client.events(&query).await.explain()?;
    while let Some(record) = events.next().await.explain()? {
        output.show(&record, || show::told(&record))?;
    }
    Ok(())
}

impl ExplainArgs {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let resource = self.resource.resource(&client).await?;
        let entity = match &self.entity {
            Some(entity) => Some(lookup::entity(&client, entity).await?),
            None => None,
        };
        let purpose = self.remote.purpose();
        let query = query::Explain::new(entity, self.right, purpose, &resource);
        let decision = client.explain_access(&query).await.explain()?;
        output.show(&decision, || {
            let policy = decision.policy.as_ref();
            let mode = policy.map(|used| used.mode.clone()).unwrap_or_else(|| "none".into());
            let words = policy.and_then(|used| used.words.clone()).unwrap_or_else(|| "-".into());
            fields(&[
                ("allowed", if decision.allowed { "yes" } else { "no" }.to_owned()),
                ("why", decision.detail.clone()),
                ("policy", mode),
                ("statement", words),
                ("grant", decision.grant.map_or("-".into(), |grant| grant.to_string())),
                ("at height", decision.height.to_string()),
            ])
        })
    }
}

/// The state that a proof shows at a grant's key, in words; none if it is of another key.
pub(crate) fn grant_in_words(key: &[u8], value: Option<&[u8]>, height: u64) -> Option<String> {
    let id = GrantId(key.strip_prefix(b"g/")?.try_into().ok()?);
    let Some(value) = value else { return Some(format!("no grant {id}")) };
    let record = althing_proof::record::GrantRecord::from_wire(value).ok()?;
    Some(show::record(&id, &record, height))
}
