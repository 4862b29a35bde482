//! `althing events`: follow what happens.

use althing_client::{
    Client,
    model::{Cursor, EventRecord, Hex, query},
};
use clap::Args;

use super::contract;
use crate::{
    lookup,
    output::{Output, is_read},
    report::failed,
    session::{Explain as _, Remote, block_on},
};

/// Follows events as they happen, without end.
#[derive(Debug, Args)]
pub(crate) struct EventsCommand {
    /// Begin behind this event, as its cursor says; otherwise at the present.
    #[arg(long)]
    after: Option<Cursor>,
    /// Only these types, separated by commas, such as batch_accepted,recorded.
    #[arg(long = "type", value_name = "TYPES")]
    kind: Option<String>,
    /// Only about this entity: DID, hex id or name.
    #[arg(long)]
    entity: Option<String>,
    /// Only about this thing: name, DID or hex id.
    #[arg(long)]
    thing: Option<String>,
    /// Only about this contract: name, DID or hex id.
    #[arg(long)]
    contract: Option<String>,
    /// Only contracts' events of this name and records of this kind.
    #[arg(long)]
    topic: Option<String>,
    #[command(flatten)]
    more: FilterArgs,
    /// Only about this stream: <thing>/<property>, or its 64 hex digits.
    #[arg(long)]
    stream: Option<String>,
    /// End after so many.
    #[arg(long)]
    count: Option<u64>,
    #[command(flatten)]
    remote: Remote,
}

/// Which events about values, and about things of which type.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// Only about things whose description has this @type.
    #[arg(long, value_name = "TYPE")]
    thing_type: Option<String>,
    /// Only about things that have this tag.
    #[arg(long)]
    tag: Option<String>,
    /// Only batches of the stream with a value above this, or below that of --below.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    above: Option<String>,
    /// Only batches of the stream with a value below this, or above that of --above.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    below: Option<String>,
    /// Tell when nothing came in the stream for so many seconds.
    #[arg(long, value_name = "SECONDS")]
    silence: Option<u32>,
}

impl FilterArgs {
    /// The part of a question that they are.
    pub(super) fn query(&self) -> query::Events {
        query::Events {
            thing_type: self.thing_type.clone(),
            tag: self.tag.clone(),
            above: self.above.clone(),
            below: self.below.clone(),
            silence_s: self.silence,
            ..query::Events::default()
        }
    }
}

impl EventsCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(self.follow(output))
    }

    async fn follow(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let entity = match &self.entity {
            Some(entity) => Some(lookup::entity(&client, entity).await?.into()),
            None => None,
        };
        let thing = match &self.thing {
            Some(thing) => Some(lookup::thing(&client, thing).await?.hex.0.into()),
            None => None,
        };
        let contract = match &self.contract {
            Some(name) => Some(contract::find(&client, name).await?.hex.0.actor().into()),
            None => None,
        };
        let query = query::Events {
            after: self.after,
            kind: self.kind.clone(),
            entity,
            thing,
            contract,
            topic: self.topic.clone(),
            stream: match &self.stream {
                Some(stream) => Some(Hex(lookup::stream(&client, stream).await?)),
                None => None,
            },
            service: None,
            ..self.more.query()
        };
        follow(&client, &query, self.count, output).await
    }
}

/// Shows events as they come: so many, or without end.
pub(super) async fn follow(
    client: &Client,
    query: &query::Events,
    count: Option<u64>,
    output: Output,
) -> anyhow::Result<()> {
    let mut events = client.events(query).await.explain()?;
    let mut left = count.unwrap_or(u64::MAX);
    while left > 0 && is_read() {
        let Some(record) = events.next().await.explain()? else {
            return Err(ended(events.cursor()));
        };
        output.show(&record, || line(&record))?;
        left -= 1;
    }
    Ok(())
}

/// The peer ends events when it stops, or cannot read them; there would have been more.
fn ended(cursor: Option<Cursor>) -> anyhow::Error {
    let next = match cursor {
        Some(cursor) => format!("the same command with --after {cursor}, also at another peer"),
        None => "the same command again, also at another peer".to_owned(),
    };
    failed("the peer ended the events", next)
}

fn line(record: &EventRecord) -> String {
    let EventRecord { cursor, time, event, .. } = record;
    let value = serde_json::to_value(event).unwrap_or_default();
    let fields = value.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| *name != "type").map(|(name, value)| match value {
        serde_json::Value::String(text) => format!("{name} {text}"),
        value => format!("{name} {value}"),
    });
    format!("{cursor}  {time}  {}  {}", event.name(), fields.collect::<Vec<_>>().join("  "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::next_step_of;

    /// It was a sentence among the JSON of the events, and a success.
    #[test]
    fn events_that_end_early_are_an_error_that_says_where_to_go_on() {
        let error = ended("7-1-0".parse().ok());
        assert!(next_step_of(&error).unwrap_or_default().contains("--after 7-1-0"));
        assert!(next_step_of(&ended(None)).is_some());
    }
}
