//! `althing regulation` and `althing policy`: what members demand of how readings are kept, and what they
//! had decided by a height.

use althing_client::model::{PoliciesAt, Regulation};
use althing_types::{
    Change, Demands, Regulation as Said,
    limits::{PLACED_ORGANISATIONS_MAX, RETENTION_DAYS_MAX},
};
use clap::{Args, Subcommand};

use super::{Look, ProposeArgs};
use crate::{
    commands::network::participation,
    lookup,
    output::{Output, Table, fields},
    report::failed,
    session::{Explain as _, Remote, block_on},
};

/// Shows what the network demands of how readings are kept; proposes to demand it.
#[derive(Debug, Subcommand)]
pub(crate) enum RegulationCommand {
    /// Lists the regulations in force.
    List(Look),
    /// Shows one.
    Show(Show),
    /// Says which are about a stream, and whether it complies.
    Check(Check),
    /// Proposes a regulation, or another text of one.
    Set(Box<Set>),
    /// Proposes to end one.
    End(End),
}

/// Shows what members have decided.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Shows members, voting rule, settings and regulations, now or as of a height.
    Show(At),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id.
    id: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The stream: its hex id, or THING/PROPERTY.
    stream: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Its id: 1 to 64 of a-z, 0-9, - and .; one that is in force is replaced.
    id: String,
    /// What it demands, in words.
    #[arg(long)]
    text: String,
    /// Where it is written: an article, an address.
    #[arg(long, default_value = "")]
    reference: String,
    /// Whose law it is, such as EU.
    #[arg(long)]
    jurisdiction: String,
    /// Only things of this semantic type; all if left out.
    #[arg(long, value_name = "TYPE")]
    thing_type: Option<String>,
    /// Payloads are kept for so many days at least, and not erased.
    #[arg(long, value_name = "DAYS")]
    retention_min: Option<u32>,
    /// Payloads are dropped after so many days at most.
    #[arg(long, value_name = "DAYS")]
    retention_max: Option<u32>,
    /// Only peers of this member organisation keep them: its DID, hex id or name; may be repeated.
    #[arg(long = "holder", value_name = "ORGANISATION")]
    holders: Vec<String>,
    /// Streams must be confidential.
    #[arg(long)]
    confidential: bool,
    #[command(flatten)]
    propose: ProposeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct End {
    /// Its id.
    id: String,
    #[command(flatten)]
    propose: ProposeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct At {
    /// As it held after this block; now if left out.
    #[arg(long)]
    height: Option<u64>,
    #[command(flatten)]
    remote: Remote,
}

impl RegulationCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::List(look) => list(output, &look.remote).await,
                Self::Show(show) => show.run(output).await,
                Self::Check(check) => check.run(output).await,
                Self::Set(set) => set.run(output).await,
                Self::End(end) => {
                    let session = end.propose.sign.session().await?;
                    let change = Change::EndRegulation { id: end.id };
                    end.propose.run(output, &session, change).await
                }
            }
        })
    }
}

impl PolicyCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        let Self::Show(at) = self;
        block_on(at.run(output))
    }
}

async fn list(output: Output, remote: &Remote) -> anyhow::Result<()> {
    let found = remote.client()?.governance().await.explain()?.regulations;
    output.show(&found, || table(&found))
}

fn table(regulations: &[Regulation]) -> String {
    let mut table = Table::new(&["id", "jurisdiction", "about", "demands"]);
    for one in regulations {
        let about = one.thing_type.clone().unwrap_or_else(|| "all things".to_owned());
        table.row([one.id.clone(), one.jurisdiction.clone(), about, demands(one)]);
    }
    table.or("no regulation is in force")
}

/// What is demanded, in words.
fn demands(regulation: &Regulation) -> String {
    let mut all = Vec::new();
    if let Some(days) = regulation.retention_days_min {
        all.push(format!("kept {days} days or longer"));
    }
    if let Some(days) = regulation.retention_days_max {
        all.push(format!("kept {days} days at most"));
    }
    if !regulation.holders.is_empty() {
        all.push(format!("kept by {} organisations only", regulation.holders.len()));
    }
    if regulation.confidential {
        all.push("confidential".to_owned());
    }
    all.join(", ")
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let found = self.remote.client()?.governance().await.explain()?;
        let Some(one) = found.regulation(&self.id) else {
            let next = "althing regulation list shows those that are";
            return Err(failed(format!("no regulation `{}` is in force", self.id), next));
        };
        output.show(one, || {
            let holders: Vec<String> = one.holders.iter().map(ToString::to_string).collect();
            fields(&[
                ("id", one.id.clone()),
                ("text", one.text.clone()),
                ("written in", one.reference.clone()),
                ("jurisdiction", one.jurisdiction.clone()),
                ("about", one.thing_type.clone().unwrap_or_else(|| "all things".to_owned())),
                ("demands", demands(one)),
                ("holders", if holders.is_empty() { "any".into() } else { holders.join("\n  ") }),
            ])
        })
    }
}

impl Check {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let stream = lookup::stream(&client, &self.stream).await?;
        let found = client.stream_regulations(&stream).await.explain()?;
        output.show(&found, || {
            let mut table = Table::new(&["id", "complies", "demands"]);
            for one in &found.items {
                let complies = if one.complies { "yes" } else { "no: takes no readings" };
                let said = &one.regulation;
                table.row([said.id.clone(), complies.to_owned(), demands(said)]);
            }
            let next = if found.items.iter().all(|one| one.complies) {
                String::new()
            } else {
                "next: `althing data place` says for how long and by whom readings are kept, \
                 `althing stream encrypt` makes a stream confidential before its first reading"
                    .to_owned()
            };
            format!("{}{next}", table.or("no regulation is about this stream\n"))
        })
    }
}

impl Set {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.propose.sign.session().await?;
        let mut holders = Vec::with_capacity(self.holders.len());
        for name in &self.holders {
            holders.push(lookup::entity(&session.client, name).await?);
        }
        holders.sort_unstable();
        holders.dedup();
        let regulation = Said {
            id: self.id,
            text: self.text,
            reference: self.reference,
            jurisdiction: self.jurisdiction,
            thing_type: self.thing_type,
            demands: Demands {
                retention_days_min: self.retention_min,
                retention_days_max: self.retention_max,
                holders,
                confidential: self.confidential,
            },
        };
        if !regulation.is_within_bounds() {
            let next = format!(
                "the id is 1 to 64 of a-z, 0-9, - and .; it demands something: --retention-min, \
                 --retention-max (1 to {RETENTION_DAYS_MAX}, not crossed), --holder (at most \
                 {PLACED_ORGANISATIONS_MAX}) or --confidential"
            );
            return Err(failed("this cannot be a regulation", next));
        }
        self.propose.run(output, &session, Change::SetRegulation(regulation)).await
    }
}

impl At {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let height = match self.height {
            Some(height) => height,
            None => client.status().await.explain()?.height,
        };
        let found = client.policies_at(height).await.explain()?;
        let mut members = Table::new(&["member", "id"]);
        // Programs look names up themselves.
        let named = if output.json { &[][..] } else { &found.members };
        for member in named {
            let name = client.entity(&member.entity_id()).await.explain()?.name;
            members.row([name, member.to_string()]);
        }
        output.show(&found, || told(&found, &members))
    }
}

fn told(found: &PoliciesAt, members: &Table) -> String {
    let mut settings = Table::new(&["setting", "value"]);
    // What is unset is left out of JSON too.
    if let Ok(serde_json::Value::Object(parameters)) = serde_json::to_value(&found.parameters) {
        for (name, value) in parameters {
            settings.row([name, value.to_string()]);
        }
    }
    let rule = format!(
        "{} of {} members agree ({}/{}) within {} blocks; it takes effect {} blocks later",
        found.votes_needed,
        found.members.len(),
        found.rule.numerator,
        found.rule.denominator,
        found.rule.patience_blocks,
        found.rule.timelock_blocks,
    );
    let head = fields(&[
        ("after block", found.height.to_string()),
        ("decide so", rule),
        ("take part", participation(&found.parameters)),
    ]);
    let (members, settings) = (members.to_text(), settings.to_text());
    format!("{head}\n{members}\n{settings}\n{}", table(&found.regulations))
}
