//! `althing reading`: values with their times, and proofs of them.

use std::{path::PathBuf, time::Duration};

use althing_client::model::{Readings, When, query};
use clap::{Args, Subcommand};

use super::{secrecy::UnsealArgs, write_proof};
use crate::{
    lookup,
    output::{Output, Table, thousands},
    session::{Explain as _, Remote, block_on},
    span,
};

/// Shows readings and fetches proofs of them.
#[derive(Debug, Subcommand)]
pub(crate) enum ReadingCommand {
    /// Shows the latest readings of a stream.
    Latest(Latest),
    /// Lists readings by sequence number or by the time the device claims.
    List(List),
    /// Shows a stream in buckets of time: count, smallest, largest, mean.
    Aggregate(Aggregate),
    /// Shows one property of all things that have a tag: the newest value of each, and what all come to.
    Tagged(Tagged),
    /// Fetches the proof of one reading, of all readings of a range, or of what they come to.
    Prove(Prove),
}

#[derive(Debug, Args)]
pub(crate) struct Latest {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    /// How many.
    #[arg(long, default_value_t = 1)]
    limit: u32,
    #[command(flatten)]
    unseal: UnsealArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Tagged {
    /// The tag.
    tag: String,
    /// The property.
    #[arg(long)]
    property: String,
    /// Earliest claimed time of what is summed up: RFC 3339, or milliseconds since 1970.
    #[arg(long, value_parser = parse_when)]
    from: Option<When>,
    /// Latest claimed time of that.
    #[arg(long, value_parser = parse_when)]
    until: Option<When>,
    /// At most so many things.
    #[arg(long)]
    limit: Option<u32>,
    /// Go on after this thing, as the end of the part before says.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

/// A range of a stream; all bounds are inclusive.
#[derive(Debug, Args)]
struct RangeArgs {
    /// First sequence number.
    #[arg(long)]
    first_seq: Option<u64>,
    /// Last sequence number.
    #[arg(long)]
    last_seq: Option<u64>,
    /// Earliest claimed time: RFC 3339, or milliseconds since 1970.
    #[arg(long, value_parser = parse_when)]
    from: Option<When>,
    /// Latest claimed time.
    #[arg(long, value_parser = parse_when)]
    until: Option<When>,
}

fn parse_when(text: &str) -> Result<When, &'static str> {
    text.parse()
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    #[command(flatten)]
    range: RangeArgs,
    #[command(flatten)]
    page: super::PageArgs,
    #[command(flatten)]
    unseal: UnsealArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Aggregate {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    /// Earliest claimed time: RFC 3339, or milliseconds since 1970.
    #[arg(long, value_parser = parse_when)]
    from: Option<When>,
    /// Latest claimed time.
    #[arg(long, value_parser = parse_when)]
    until: Option<When>,
    /// Length of a bucket, such as 1h; by default what gives about twenty buckets.
    #[arg(long, value_parser = span::parse, value_name = "TIME")]
    bucket: Option<Duration>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    /// Sequence number of the one reading to be proved.
    #[arg(long, conflicts_with_all = ["first_seq", "last_seq", "from", "until", "aggregate"])]
    seq: Option<u64>,
    #[command(flatten)]
    range: RangeArgs,
    /// Prove count, smallest, largest and sum of the range instead of its readings.
    #[arg(long)]
    aggregate: bool,
    /// File for the proof.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

/// Buckets shown where nobody says otherwise: a screen full.
const BUCKETS: u32 = 20;

impl ReadingCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::Latest(latest) => latest.run(output).await,
                Self::List(list) => list.run(output).await,
                Self::Aggregate(aggregate) => aggregate.run(output).await,
                Self::Tagged(tagged) => tagged.run(output).await,
                Self::Prove(prove) => prove.run(output).await,
            }
        })
    }
}

impl Latest {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let stream = lookup::stream(&client, &self.stream).await?;
        let mut readings = client.latest(&stream, self.limit).await.explain()?;
        self.unseal.open(&client, &mut readings).await?;
        // Sealed batches come whole.
        let more = readings.items.len().saturating_sub(self.limit as usize);
        readings.items.drain(..more);
        output.show(&readings, || table(&readings))
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let stream = lookup::stream(&client, &self.stream).await?;
        let query = query::Readings {
            first_seq: self.range.first_seq,
            last_seq: self.range.last_seq,
            from: self.range.from,
            until: self.range.until,
            after: self.page.after.clone(),
            limit: self.page.limit,
        };
        let mut readings = client.readings(&stream, &query).await.explain()?;
        self.unseal.open(&client, &mut readings).await?;
        let range = &self.range;
        readings.items.retain(|reading| {
            range.first_seq.is_none_or(|first| reading.seq >= first)
                && range.last_seq.is_none_or(|last| reading.seq <= last)
                && range.from.is_none_or(|from| reading.claimed.0 >= from.0)
                && range.until.is_none_or(|until| reading.claimed.0 <= until.0)
        });
        output.show(&readings, || table(&readings))
    }
}

fn table(readings: &Readings) -> String {
    let mut table = Table::new(&["number", "value", "unit", "measured", "received", "block"]);
    for reading in &readings.items {
        table.row([
            reading.seq.to_string(),
            reading.value.clone(),
            readings.unit.clone(),
            reading.claimed.to_string(),
            reading.received.to_string(),
            reading.height.to_string(),
        ]);
    }
    let mut text = table.or("no readings\n");
    let sealed: u64 = readings.sealed.iter().map(|batch| u64::from(batch.count)).sum();
    if sealed > 0 {
        text.push_str(&format!(
            "{sealed} readings are confidential; --key FILE of one of their readers opens them\n"
        ));
    }
    if !readings.unavailable.is_empty() {
        text.push_str(&format!(
            "{} batches are on the ledger, but this peer does not hold their readings\n",
            readings.unavailable.len()
        ));
    }
    super::with_more(text, readings.next.as_deref())
}

impl Aggregate {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let stream = lookup::stream(&client, &self.stream).await?;
        let bucket_ms = self.bucket.map(|bucket| u64::try_from(bucket.as_millis())).transpose()?;
        let query = query::Aggregates {
            from: self.from,
            until: self.until,
            bucket_ms,
            buckets: if bucket_ms.is_none() { Some(BUCKETS) } else { None },
        };
        let aggregates = client.aggregates(&stream, &query).await.explain()?;
        output.show(&aggregates, || {
            let mut table = Table::new(&["from", "readings", "smallest", "mean", "largest"]);
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            for bucket in &aggregates.items {
                table.row([
                    bucket.from.to_string(),
                    thousands(bucket.of.count),
                    value(&bucket.of.min),
                    value(&bucket.of.mean),
                    value(&bucket.of.max),
                ]);
            }
            let next = aggregates.next.map(|next| format!("more: --from {next}"));
            format!("{}{}", table.or("no readings"), next.unwrap_or_default())
        })
    }
}

impl Tagged {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let query = query::Tagged {
            property: self.property,
            from: self.from,
            until: self.until,
            after: self.after,
            limit: self.limit,
        };
        let tagged = self.remote.client()?.tagged_readings(&self.tag, &query).await.explain()?;
        output.show(&tagged, || {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            let mut table = Table::new(&[
                "thing", "latest", "at", "unit", "readings", "smallest", "mean", "largest",
            ]);
            for item in &tagged.items {
                let (latest, at) = match (&item.latest, &item.refused) {
                    (_, Some(refused)) => (refused.clone(), "-".to_owned()),
                    (Some(reading), None) => (reading.value.clone(), reading.claimed.to_string()),
                    (None, None) => ("-".to_owned(), "-".to_owned()),
                };
                let total = item.total.as_ref();
                table.row([
                    item.name.clone(),
                    latest,
                    at,
                    item.unit.clone(),
                    total.map_or_else(|| "-".to_owned(), |total| thousands(total.count)),
                    value(&total.and_then(|total| total.min.clone())),
                    value(&total.and_then(|total| total.mean.clone())),
                    value(&total.and_then(|total| total.max.clone())),
                ]);
            }
            let mut text = table.or("no thing with this tag has the property");
            for total in &tagged.totals {
                text.push_str(&format!(
                    "together {} readings of {} things: {} to {} {}, mean {}\n",
                    thousands(total.count),
                    total.things,
                    value(&total.min),
                    value(&total.max),
                    total.unit,
                    value(&total.mean),
                ));
            }
            super::with_more(text, tagged.next.as_deref())
        })
    }
}

impl Prove {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let stream = lookup::stream(&client, &self.stream).await?;
        let range = query::Range {
            first_seq: self.range.first_seq,
            last_seq: self.range.last_seq,
            from: self.range.from,
            until: self.range.until,
        };
        let proof = match (self.seq, self.aggregate) {
            (Some(seq), _) => client.prove_reading(&stream, seq).await,
            (None, false) => client.prove_range(&stream, &range).await,
            (None, true) => client.prove_aggregate(&stream, &range).await,
        };
        write_proof(&self.out, &proof.explain()?, output)
    }
}
