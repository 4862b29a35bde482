//! `althing data`: who holds payloads, having them erased, and who has done so.

use clap::{Args, Subcommand};
use serde_json::json;

use althing_client::model::{Holders, Placement, query};
use althing_types::{
    Action, StreamPlacement,
    limits::{PLACED_ORGANISATIONS_MAX, RETENTION_DAYS_MAX, VALIDATORS_MAX},
};

use super::final_at;
use crate::{
    lookup,
    output::{Output, Table},
    report::failed,
    session::{Explain as _, Remote, SignArgs, block_on},
};

/// Shows who holds data, and erases it.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Says which peers hold the payloads of a stream, and for the newest batches, who holds each.
    Where(Where),
    /// Says who is to keep the payloads of a stream, those that are there included; all peers for ever if
    /// nothing else is said.
    Place(Place),
    /// Has every holder delete readings: all batches that have one of these numbers, whole.
    Erase(Erase),
    /// Shows what was erased of a stream, who has confirmed it and who has not.
    Erased(Named),
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Where {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    /// Only batches that begin at this number or below.
    #[arg(long)]
    last_seq: Option<u64>,
    /// At most so many batches.
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Place {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    /// Only peers of this organisation: DID, hex id or name; several times for several.
    #[arg(long = "organisation", value_name = "ENTITY")]
    organisations: Vec<String>,
    /// So many of these peers keep each payload.
    #[arg(long, value_name = "COUNT")]
    copies: Option<u32>,
    /// After so many days payloads may be dropped.
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<u32>,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// As <thing>/<property>, or its 64 hex digits.
    stream: String,
    /// First sequence number.
    #[arg(long)]
    first_seq: u64,
    /// Last sequence number.
    #[arg(long)]
    last_seq: u64,
    #[command(flatten)]
    sign: SignArgs,
}

impl DataCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::Where(which) => which.run(output).await,
                Self::Place(place) => place.run(output).await,
                Self::Erase(erase) => erase.run(output).await,
                Self::Erased(named) => named.erased(output).await,
            }
        })
    }
}

impl Where {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let stream = lookup::stream(&client, &self.stream).await?;
        let asked = query::HoldersOf { last_seq: self.last_seq, limit: self.limit };
        let holders = client.holders(&stream, &asked).await.explain()?;
        output.show(&holders, || {
            let mut table = Table::new(&["numbers", "peer"]);
            for batch in &holders.batches {
                let numbers = format!("{} to {}", batch.first_seq, batch.last_seq);
                for peer in &batch.peers {
                    table.row([numbers.clone(), peer.to_string()]);
                }
                if batch.peers.is_empty() {
                    let why =
                        if batch.erased { "nobody: erased" } else { "nobody: past retention" };
                    table.row([numbers, why.to_owned()]);
                }
            }
            format!("{}\n{}", rule(&holders), table.or("no batches"))
        })
    }
}

/// What the owner said, in a sentence, and the peers that it means.
fn rule(holders: &Holders) -> String {
    let Placement { organisations, copies, retention_days } = &holders.placement;
    let count = copies.map_or("each of".to_owned(), |copies| format!("{copies} of"));
    let whose =
        if organisations.is_empty() { "the peers" } else { "the peers of its organisations" };
    let days = retention_days.map_or(String::new(), |days| format!(", for {days} days"));
    let mut text = format!("{count} {whose} keep each batch{days}:\n");
    holders.peers.iter().for_each(|peer| text.push_str(&format!("  {peer}\n")));
    text
}

impl Place {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let stream = lookup::stream(&session.client, &self.stream).await?;
        let mut organisations = Vec::with_capacity(self.organisations.len());
        for name in &self.organisations {
            organisations.push(lookup::entity(&session.client, name).await?);
        }
        organisations.sort_unstable();
        organisations.dedup();
        let (copies, retention_days) = (self.copies, self.retention_days);
        let placement = althing_types::Placement { organisations, copies, retention_days };
        if !placement.is_within_bounds() {
            return Err(failed(
                "so many organisations, copies or days are not possible",
                format!(
                    "at most {PLACED_ORGANISATIONS_MAX} organisations, 1 to {VALIDATORS_MAX} copies, 1 to {RETENTION_DAYS_MAX} days"
                ),
            ));
        }
        let said = StreamPlacement { stream, placement };
        let outcome = session.perform(vec![Action::PlaceStream(said)]).await?;
        output.show(&json!({ "stream": stream.to_string(), "outcome": outcome }), || {
            format!("{}\nnext: althing data where {}", final_at(&outcome), self.stream)
        })
    }
}

impl Named {
    async fn erased(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let stream = lookup::stream(&client, &self.stream).await?;
        let erasures = client.erasures(&stream).await.explain()?;
        output.show(&erasures, || {
            let mut table = Table::new(&["erasure", "numbers", "block", "peer", "confirmed"]);
            for erasure in &erasures.items {
                let numbers = format!("{} to {}", erasure.first_seq, erasure.last_seq);
                let confirmed = erasure.confirmed.iter().map(|receipt| {
                    (receipt.holder.to_string(), format!("block {}", receipt.height))
                });
                let awaited = erasure.awaited.iter();
                let awaited = awaited.map(|peer| (peer.to_string(), "no, withheld".to_owned()));
                for (peer, word) in confirmed.chain(awaited) {
                    let (number, height) = (erasure.number, erasure.height);
                    table.row([
                        number.to_string(),
                        numbers.clone(),
                        height.to_string(),
                        peer,
                        word,
                    ]);
                }
            }
            let kept = erasures.items.iter().flat_map(|erasure| &erasure.kept);
            let kept = kept.map(|kept| {
                let (payloads, stream) = (kept.payloads, kept.stream);
                format!(
                    "{payloads} payloads are kept, because stream {stream} has the same bytes\n"
                )
            });
            format!("{}{}", table.or("nothing was erased"), kept.collect::<String>())
        })
    }
}

impl Erase {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let stream = lookup::stream(&session.client, &self.stream).await?;
        let (first_seq, last_seq) = (self.first_seq, self.last_seq);
        let erase = Action::EraseReadings { stream, first_seq, last_seq };
        let outcome = session.perform(vec![erase]).await?;
        output.show(&json!({ "stream": stream.to_string(), "outcome": outcome }), || {
            format!(
                "numbers {first_seq} to {last_seq} of {} are erased\n{}\nnext: althing data erased {}",
                self.stream,
                final_at(&outcome),
                self.stream
            )
        })
    }
}
