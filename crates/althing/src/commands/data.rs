//! `althing data`: who holds payloads, having them erased, and who has done so.

use clap::{Args, Subcommand};
use serde_json::json;

use althing_types::Action;

use super::final_at;
use crate::{
    lookup,
    output::{Output, Table},
    session::{Explain as _, Remote, SignArgs, block_on},
};

/// Shows who holds data, and erases it.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Lists the peers that hold the payloads of a stream.
    Where(Named),
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
                Self::Where(named) => named.holders(output).await,
                Self::Erase(erase) => erase.run(output).await,
                Self::Erased(named) => named.erased(output).await,
            }
        })
    }
}

impl Named {
    async fn holders(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let stream = lookup::stream(&client, &self.stream).await?;
        let holders = client.holders(&stream).await.explain()?;
        output.show(&holders, || {
            let mut table = Table::new(&["peer"]);
            holders.peers.iter().for_each(|peer| table.row([peer.to_string()]));
            table.or("no peer")
        })
    }

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
            table.or("nothing was erased")
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
