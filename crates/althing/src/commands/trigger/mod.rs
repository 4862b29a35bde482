//! `althing trigger`: let the ledger act by itself when something has happened.

mod resolve;

use std::{
    path::PathBuf,
    str::FromStr as _,
    time::{SystemTime, UNIX_EPOCH},
};

use althing_client::{
    Client,
    model::{Page, Trigger, TriggerHex, TriggerTrial, When, query},
    rule::Rule,
};
use althing_types::{Action, TriggerId};
use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::{PageArgs, contract::trial_text, final_at, past_events, with_more, write_proof};
use crate::{
    lookup,
    output::{Output, Table, fields},
    report::failed,
    session::{Explain as _, Remote, SignArgs, block_on},
};

/// Most moments of a trial that are shown.
const MOMENTS_SHOWN: usize = 20;

/// Sets, tries out and manages triggers.
#[derive(Debug, Subcommand)]
pub(crate) enum TriggerCommand {
    /// Sets a trigger by a rule, in place of the own one of that name.
    Set(Set),
    /// Tries a rule out on recorded readings, and says what it would do now. Nothing changes.
    Try(Try),
    /// Lists triggers.
    List(List),
    /// Shows a trigger and how far it is.
    Show(Which),
    /// Lists what a trigger did and what changed it.
    History(History),
    /// Writes the proof that a trigger ran in a block, and of what came of it, to be checked offline.
    Prove(Prove),
    /// Lets an own trigger wait for nothing until it is resumed.
    Suspend(Change),
    /// Lets a suspended trigger wait anew.
    Resume(Change),
    /// Removes an own trigger.
    Remove(Change),
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// A name for it, unique among those of the signing entity.
    name: String,
    /// The rule, such as `when hall/temperature > 8 for 10 min then command alarm.on`.
    rule: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Try {
    /// The rule, such as `when hall/temperature > 8 for 10 min then command alarm.on`.
    rule: String,
    /// Whose it would be: DID, hex id or name.
    #[arg(long, value_name = "ENTITY")]
    owner: String,
    /// Time from which recorded readings are looked at, RFC 3339; from the first if not given.
    #[arg(long, value_parser = When::from_str, value_name = "TIME")]
    from: Option<When>,
    /// Time up to which they are; up to now if not given.
    #[arg(long, value_parser = When::from_str, value_name = "TIME")]
    until: Option<When>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those with exactly this name.
    #[arg(long)]
    name: Option<String>,
    /// Only those of this owner: DID, hex id or name.
    #[arg(long, value_name = "ENTITY")]
    owner: Option<String>,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its name or id.
    trigger: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Its name or id.
    trigger: String,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// Its name or id.
    trigger: String,
    /// Height of the block in which it ran; its history tells.
    height: u64,
    /// File for the proof.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Change {
    /// Its name or id.
    trigger: String,
    #[command(flatten)]
    sign: SignArgs,
}

impl TriggerCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::Set(set) => set.run(output).await,
                Self::Try(attempt) => attempt.run(output).await,
                Self::List(list) => list.run(output).await,
                Self::Show(which) => which.run(output).await,
                Self::History(history) => history.run(output).await,
                Self::Prove(prove) => prove.run(output).await,
                Self::Suspend(it) => {
                    it.run(output, "suspended", |trigger| Action::SuspendTrigger { trigger }).await
                }
                Self::Resume(it) => {
                    it.run(output, "resumed", |trigger| Action::ResumeTrigger { trigger }).await
                }
                Self::Remove(it) => {
                    it.run(output, "removed", |trigger| Action::RemoveTrigger { trigger }).await
                }
            }
        })
    }
}

/// The rule as typed, read.
fn parse(text: &str) -> anyhow::Result<Rule> {
    Rule::parse(text).map_err(|error| {
        failed(
            error.to_string(),
            "write it like: when hall/temperature > 8 for 10 min then command alarm.on",
        )
    })
}

fn now_ms() -> anyhow::Result<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is wrong")?;
    Ok(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
}

/// A trigger by id, or by a name that only one has.
async fn find(client: &Client, text: &str) -> anyhow::Result<Trigger> {
    if let Some(id) = TriggerId::from_hex(text) {
        return client.trigger(&id).await.explain();
    }
    let query = query::Triggers { name: Some(text.to_owned()), ..Default::default() };
    let mut page = client.triggers(&query).await.explain()?;
    match (page.items.pop(), page.items.is_empty()) {
        (Some(trigger), true) => Ok(trigger),
        (Some(_), false) => Err(failed(
            format!("several triggers are called `{text}`"),
            format!("althing trigger list --name {text} shows their ids; use one of those"),
        )),
        (None, _) => Err(failed(format!("no trigger is called `{text}`"), "althing trigger list")),
    }
}

impl Set {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let rule = parse(&self.rule)?;
        let session = self.sign.session().await?;
        let trigger = resolve::trigger(&session.client, self.name, rule, now_ms()?).await?;
        let name = trigger.name.clone();
        let outcome = session.perform(vec![Action::SetTrigger(trigger)]).await?;
        output.show(&outcome, || {
            format!("set {name}: althing trigger show {name}\n{}", final_at(&outcome))
        })
    }
}

impl Try {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let rule = parse(&self.rule)?;
        let client = self.remote.client()?;
        let owner = lookup::entity(&client, &self.owner).await?;
        let trigger = resolve::trigger(&client, "trial".to_owned(), rule, now_ms()?).await?;
        let query =
            query::TriggerTrial { owner: Some(owner.into()), from: self.from, until: self.until };
        let trial = client.try_trigger(&trigger, &query).await.explain()?;
        output.show(&trial, || replayed(&trial))
    }
}

fn replayed(trial: &TriggerTrial) -> String {
    let mut text = format!("{}\n\n", trial.rule);
    let count = trial.moments.len();
    if trial.batches > 0 {
        let more =
            if trial.complete { "" } else { ", and perhaps more: ask for a shorter interval" };
        text.push_str(&format!(
            "by {} recorded batches it would have happened {count} times{more}\n",
            trial.batches
        ));
        for moment in trial.moments.iter().take(MOMENTS_SHOWN) {
            text.push_str(&format!("  {moment}\n"));
        }
        if count > MOMENTS_SHOWN {
            text.push_str(&format!("  and {} more\n", count - MOMENTS_SHOWN));
        }
    }
    text.push_str(&format!("\nif it happened now:\n{}", trial_text(&trial.effect)));
    text
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let owner = match &self.owner {
            Some(owner) => Some(lookup::entity(&client, owner).await?.into()),
            None => None,
        };
        let query = query::Triggers {
            name: self.name,
            owner,
            after: self.page.after.clone(),
            limit: self.page.limit,
        };
        let page = client.triggers(&query).await.explain()?;
        output.show(&page, || table(&page))
    }
}

fn table(page: &Page<Trigger>) -> String {
    let mut table = Table::new(&["name", "state", "runs", "last", "rule", "id"]);
    for trigger in &page.items {
        let last = match (&trigger.last_height, &trigger.last_code) {
            (None, _) => "-".to_owned(),
            (Some(height), None) => format!("block {height}"),
            (Some(height), Some(code)) => format!("block {height}: {code}"),
        };
        table.row([
            trigger.name.clone(),
            trigger.state.clone(),
            trigger.runs.to_string(),
            last,
            trigger.rule.clone(),
            trigger.id.to_string(),
        ]);
    }
    with_more(table.or("no such trigger"), page.next.as_deref())
}

impl Which {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let trigger = find(&self.remote.client()?, &self.trigger).await?;
        output.show(&trigger, || text(&trigger))
    }
}

fn text(trigger: &Trigger) -> String {
    fields(&[
        ("name", trigger.name.clone()),
        ("id", trigger.id.to_string()),
        ("owner", trigger.owner.to_string()),
        ("rule", trigger.rule.clone()),
        ("state", trigger.state.clone()),
        ("due", trigger.due.map_or("-".to_owned(), |due| due.to_string())),
        ("set at block", trigger.set_height.to_string()),
        ("ran", format!("{} times, {} failures in a row", trigger.runs, trigger.failures)),
        ("last", trigger.last_height.map_or("never".into(), |height| format!("block {height}"))),
        ("last refusal", trigger.last_code.clone().unwrap_or_else(|| "-".to_owned())),
        ("gas", trigger.gas_used.to_string()),
    ])
}

impl History {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let TriggerHex { 0: id } = find(&client, &self.trigger).await?.id;
        let query = query::List { after: self.page.after.clone(), limit: self.page.limit };
        let page = client.trigger_runs(&id, &query).await.explain()?;
        output.show(&page, || past_events(&page, "run", "nothing has happened to it"))
    }
}

impl Prove {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let trigger = find(&client, &self.trigger).await?.id;
        let proof = client.prove_run(&trigger, self.height).await.explain()?;
        write_proof(&self.out, &proof, output)
    }
}

impl Change {
    async fn run(
        self,
        output: Output,
        done: &str,
        action: impl Fn(TriggerId) -> Action,
    ) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let id = find(&session.client, &self.trigger).await?.id.0;
        let outcome = session.perform(vec![action(id)]).await?;
        output.show(&outcome, || format!("{done} {}\n{}", self.trigger, final_at(&outcome)))
    }
}
