//! `althing stream`: the series of one property of one thing.

use althing_client::model::{Aggregate, Stream, query};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{PageArgs, secrecy};
use crate::{
    lookup,
    output::{Output, Table, fields, thousands},
    session::{Explain as _, Remote, block_on},
};

/// Shows streams.
#[derive(Debug, Subcommand)]
pub(crate) enum StreamCommand {
    /// Lists the streams of all things, or of one.
    List(List),
    /// Shows one stream: its form, how far it is, what its readings come to.
    Show(Show),
    /// Lists sequence numbers that did not come.
    Gaps(Gaps),
    /// Makes a stream confidential, before its first reading.
    Seal(secrecy::Seal),
    /// Gives a confidential stream a new key, which all its readers get but those taken out.
    Rotate(secrecy::Rotate),
    /// Gives a key of a confidential stream to another reader.
    Share(secrecy::Share),
    /// Lists who has a key of a confidential stream.
    Readers(secrecy::Readers),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only of this thing: name, DID or hex id.
    #[arg(long)]
    thing: Option<String>,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Gaps {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

impl StreamCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::List(list) => list.run(output).await,
                Self::Show(show) => show.run(output).await,
                Self::Gaps(gaps) => gaps.run(output).await,
                Self::Seal(seal) => seal.run(output).await,
                Self::Rotate(rotate) => rotate.run(output).await,
                Self::Share(share) => share.run(output).await,
                Self::Readers(readers) => readers.run(output).await,
            }
        })
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let (things, next) = match &self.thing {
            Some(thing) => (vec![lookup::thing(&client, thing).await?], None),
            None => {
                let query = query::Things {
                    after: self.page.after.clone(),
                    limit: self.page.limit,
                    ..Default::default()
                };
                let page = client.things(&query).await.explain()?;
                (page.items, page.next)
            }
        };
        let mut streams = Vec::new();
        for thing in &things {
            for property in &thing.properties {
                let stream = client.stream(&property.stream).await.explain()?;
                streams.push((thing.name.as_str(), stream));
            }
        }
        let items: Vec<&Stream> = streams.iter().map(|(_, stream)| stream).collect();
        output.show(&json!({ "items": items, "next": next }), || {
            let mut table = Table::new(&["stream", "kind", "unit", "readings", "open gaps", "id"]);
            for (name, stream) in &streams {
                table.row([
                    format!("{name}/{}", stream.property),
                    stream.kind.clone(),
                    stream.unit.clone(),
                    thousands(stream.total.as_ref().map_or(0, |total| total.count)),
                    stream.gaps_open.to_string(),
                    stream.id.to_string(),
                ]);
            }
            super::with_more(table.or("no streams"), next.as_deref())
        })
    }
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let id = lookup::stream(&client, &self.stream).await?;
        let stream = client.stream(&id).await.explain()?;
        output.show(&stream, || text(&stream))
    }
}

fn text(stream: &Stream) -> String {
    let mut text = fields(&[
        ("id", stream.id.to_string()),
        ("thing", stream.thing.to_string()),
        ("property", stream.property.clone()),
        ("kind", format!("{} {}", stream.kind, stream.unit).trim_end().to_owned()),
        ("multiple of", stream.quantum.clone()),
        ("next number", stream.next_seq.to_string()),
        ("batches", thousands(stream.batches)),
        ("open gaps", stream.gaps_open.to_string()),
        ("given up", thousands(stream.sealed)),
        (
            "confidential",
            stream.secrecy.as_ref().map_or("no".to_owned(), |secrecy| {
                format!("key {} since {}, {}", secrecy.key_number, secrecy.since, secrecy.cipher)
            }),
        ),
    ]);
    match &stream.total {
        Some(total) => text.push_str(&fields(&aggregate_rows(total))),
        None => text.push_str("no readings yet\n"),
    }
    text
}

/// What readings come to, as names and values.
pub(super) fn aggregate_rows(of: &Aggregate) -> Vec<(&'static str, String)> {
    let number = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    vec![
        ("readings", thousands(of.count)),
        ("numbers", format!("{} to {}", of.first_seq, of.last_seq)),
        ("measured", format!("{} to {}", of.earliest, of.latest)),
        ("smallest", number(&of.min)),
        ("largest", number(&of.max)),
        ("mean", number(&of.mean)),
        ("sum", number(&of.sum)),
    ]
}

impl Gaps {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let stream = lookup::stream(&client, &self.stream).await?;
        let query = query::List { after: self.page.after.clone(), limit: self.page.limit };
        let gaps = client.gaps(&stream, &query).await.explain()?;
        output.show(&gaps, || {
            let mut table = Table::new(&["first", "last", "missing", "may still come"]);
            for gap in &gaps.items {
                table.row([
                    gap.first_seq.to_string(),
                    gap.last_seq.to_string(),
                    thousands(gap.count),
                    if gap.open { "yes" } else { "no" }.to_owned(),
                ]);
            }
            super::with_more(table.or("nothing is missing"), gaps.next.as_deref())
        })
    }
}
