//! `althing tx`: transactions, and records written with them.

use std::path::PathBuf;

use althing_client::{
    Submission, file,
    model::{Transaction, TxHex},
    submission::REQUEST_BYTES_MAX,
};
use althing_types::{Action, Record, TxId, limits::RECORD_BYTES_MAX};
use anyhow::Context as _;
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser};

use super::{final_at, write_proof};
use crate::{
    lookup,
    output::{Output, Table, fields, thousands},
    report::NextStep as _,
    session::{Explain as _, Remote, SignArgs, block_on},
    span,
};

/// Shows, submits and proves transactions; writes records; approves and withdraws.
#[derive(Debug, Subcommand)]
pub(crate) enum TxCommand {
    /// Shows a transaction and what became of it.
    Show(Show),
    /// Submits a transaction that was signed elsewhere (COSE_Sign1 or COSE_Sign).
    Submit(Submit),
    /// Fetches the proof of a transaction and its receipt.
    Prove(Prove),
    /// Writes a record, and notifies those it is meant for.
    Record(WriteRecord),
    /// Approves a transaction that waits for approvals.
    Approve(Decide),
    /// Withdraws a transaction that waits for approvals.
    Reject(Decide),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id, 64 hex digits.
    id: TxHex,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// File with the transaction's bytes.
    file: PathBuf,
    /// Files with the payloads of its batches, in order.
    #[arg(long, value_name = "FILE")]
    payload: Vec<PathBuf>,
    /// How long to wait for it to be final.
    #[arg(long, default_value = "30s", value_parser = span::parse, value_name = "TIME")]
    timeout: std::time::Duration,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    /// Its id, 64 hex digits.
    id: TxHex,
    /// File for the proof.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct WriteRecord {
    /// What sort of record, a name of your choice.
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    kind: String,
    /// Its text. Everybody on the network can read it.
    #[arg(long, conflicts_with = "data_file", default_value = "")]
    data: String,
    /// File with its bytes, instead of --data.
    #[arg(long, value_name = "FILE")]
    data_file: Option<PathBuf>,
    /// Whom to notify: DIDs, hex ids or names, separated by commas.
    #[arg(long, value_delimiter = ',')]
    notify: Vec<String>,
    /// The transaction it belongs to.
    #[arg(long)]
    link: Option<TxHex>,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// Its id, 64 hex digits.
    id: TxHex,
    #[command(flatten)]
    sign: SignArgs,
}

impl TxCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::Show(show) => show.run(output).await,
                Self::Submit(submit) => submit.run(output).await,
                Self::Prove(prove) => prove.run(output).await,
                Self::Record(record) => record.run(output).await,
                Self::Approve(decide) => {
                    decide.run(output, "approved", |pending| Action::Approve { pending }).await
                }
                Self::Reject(decide) => {
                    decide.run(output, "withdrew", |pending| Action::Reject { pending }).await
                }
            }
        })
    }
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let transaction = client.transaction(&self.id).await.explain()?;
        output.show(&transaction, || text(&transaction))
    }
}

fn text(transaction: &Transaction) -> String {
    let mut text = fields(&[
        ("id", transaction.id.to_string()),
        ("status", status(transaction)),
        ("sender", transaction.sender.to_string()),
        ("signatures", transaction.signers.len().to_string()),
        ("nonce", transaction.nonce.to_string()),
        ("expires after", format!("block {}", transaction.expiry_height)),
        ("bytes", thousands(transaction.bytes.into())),
    ]);
    let mut table = Table::new(&["", "what"]);
    for action in &transaction.actions {
        table.row(["does".to_owned(), compact(action)]);
    }
    let events = transaction.outcome.iter().flat_map(|outcome| &outcome.receipt.events);
    for event in events {
        table.row(["event".to_owned(), compact(event)]);
    }
    text.push_str(&format!("\n{}", table.to_text()));
    text
}

fn status(transaction: &Transaction) -> String {
    let Some(outcome) = &transaction.outcome else {
        return "waits to be included".to_owned();
    };
    let place = format!("final in block {}, position {}", outcome.height, outcome.index);
    match &outcome.receipt.refusal {
        None => place,
        Some(refusal) => {
            format!("{place}, without effect: {} ({})", refusal.detail, refusal.code)
        }
    }
}

/// An action or event on one line: its type, then its fields.
fn compact(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    let fields = value.as_object().into_iter().flatten();
    let kind = value["type"].as_str().unwrap_or_default();
    let rest = fields.filter(|(name, _)| *name != "type").map(|(name, value)| match value {
        serde_json::Value::String(text) => format!("{name} {text}"),
        value => format!("{name} {value}"),
    });
    std::iter::once(kind.to_owned()).chain(rest).collect::<Vec<_>>().join("  ")
}

impl Submit {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let read = |path: &PathBuf| {
            file::read(path, REQUEST_BYTES_MAX as u64)
                .with_context(|| format!("cannot read {}", path.display()))
                .map(Into::into)
        };
        let submission = Submission {
            transaction: read(&self.file)?,
            payloads: self.payload.iter().map(read).collect::<anyhow::Result<_>>()?,
        };
        let client = self.remote.client()?;
        let outcome = client.finalize(&submission, self.timeout).await.explain()?;
        output.show(&outcome, || final_at(&outcome))
    }
}

impl Prove {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let proof = self.remote.client()?.prove_receipt(&self.id).await.explain()?;
        write_proof(&self.out, &proof, output)
    }
}

impl WriteRecord {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let data = match &self.data_file {
            Some(path) => file::read(path, RECORD_BYTES_MAX as u64)
                .with_context(|| format!("cannot read {}", path.display()))
                .next_step(|| "--data TEXT writes a text instead".to_owned())?,
            None => self.data.clone().into_bytes(),
        };
        let session = self.sign.session().await?;
        let mut notify = Vec::new();
        for entity in &self.notify {
            notify.push(lookup::entity(&session.client, entity).await?);
        }
        let link = self.link.map(|id| id.0);
        let record = Record { kind: self.kind, data, notify, link };
        let outcome = session.perform(vec![Action::Record(record)]).await?;
        output.show(&outcome, || format!("written\n{}", final_at(&outcome)))
    }
}

impl Decide {
    async fn run(
        self,
        output: Output,
        done: &str,
        action: impl FnOnce(TxId) -> Action,
    ) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let outcome = session.perform(vec![action(self.id.0)]).await?;
        output.show(&outcome, || format!("{done} {}\n{}", self.id, final_at(&outcome)))
    }
}
