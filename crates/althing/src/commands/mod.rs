//! One file per command, and what several of them share.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod block;
pub(crate) mod command;
pub(crate) mod config;
pub(crate) mod conformance;
pub(crate) mod contract;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod did;
pub(crate) mod entity;
pub(crate) mod events;
pub(crate) mod gateway;
pub(crate) mod governance;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod ledger;
pub(crate) mod network;
pub(crate) mod onboarding;
pub(crate) mod peer;
pub(crate) mod reading;
pub(crate) mod secrecy;
pub(crate) mod service;
pub(crate) mod stake;
pub(crate) mod stream;
pub(crate) mod thing;
pub(crate) mod trigger;
pub(crate) mod tx;
pub(crate) mod verify;
pub(crate) mod wallet;
pub(crate) mod webhook;

use std::path::Path;

use althing_client::model::{Outcome, Page, PastEvents};
use althing_types::{Action, EntityKind};
use anyhow::Context as _;
use clap::{Args, ValueEnum};

use crate::{
    nearest::nearest,
    output::{Output, Table, thousands},
    program,
    report::NextStep as _,
    session::Session,
};

/// Which part of a list.
#[derive(Debug, Clone, Args)]
pub(crate) struct PageArgs {
    /// At most so many.
    #[arg(long)]
    pub(crate) limit: Option<u32>,
    /// Go on after this item, as the end of the part before says.
    #[arg(long)]
    pub(crate) after: Option<String>,
}

/// Algorithms on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SuiteName {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256.
    P256,
}

/// A list and, if it goes on, how to see the rest.
fn with_more(mut text: String, next: Option<&str>) -> String {
    if let Some(next) = next {
        text.push_str(&format!("more: the same command with --after {next}"));
    }
    text
}

/// What happened to something. `by` heads the column of ids, `none` stands where nothing happened.
fn past_events(page: &Page<PastEvents>, by: &'static str, none: &str) -> String {
    let mut table = Table::new(&["block", "time", "events", by]);
    for past in &page.items {
        let names: Vec<&str> = past.events.iter().map(|event| event.name()).collect();
        table.row([
            past.height.to_string(),
            past.time.to_string(),
            names.join(", "),
            past.transaction.to_string(),
        ]);
    }
    with_more(table.or(none), page.next.as_deref())
}

/// Where a transaction became final, and what to know of it.
fn final_at(outcome: &Outcome) -> String {
    let id = outcome.receipt.transaction;
    match &outcome.receipt.refusal {
        None => format!("final in block {}, transaction {id}", outcome.height),
        Some(waits) => format!("block {}, transaction {id}: {}", outcome.height, waits.detail),
    }
}

/// Signs one action and tells that it is final.
async fn perform(output: Output, session: &Session, action: Action) -> anyhow::Result<()> {
    let outcome = session.perform(vec![action]).await?;
    output.show(&outcome, || final_at(&outcome))
}

/// An entity's kind as typed.
fn parse_kind(text: &str) -> Result<EntityKind, String> {
    let names = || EntityKind::ALL.iter().map(|kind| kind.name());
    EntityKind::from_name(text).ok_or_else(|| match nearest(text, names()) {
        Some(near) => format!("no such kind; did you mean `{near}`?"),
        None => format!("no such kind; it is one of {}", names().collect::<Vec<_>>().join(", ")),
    })
}

/// Writes a proof to a file that must not exist, and says how to check it.
fn write_proof(path: &Path, proof: &[u8], output: Output) -> anyhow::Result<()> {
    write_new(path, proof)?;
    let file = path.display().to_string();
    output.show(&serde_json::json!({ "file": file, "bytes": proof.len() }), || {
        format!(
            "wrote {file} ({} bytes)\nnext: {} verify {file} --genesis genesis.json",
            thousands(proof.len() as u64),
            program()
        )
    })
}

/// Writes bytes to a file that must not exist.
fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write as _;
    let file = std::fs::File::create_new(path);
    file.and_then(|mut file| file.write_all(bytes))
        .with_context(|| format!("cannot write {}", path.display()))
        .next_step(|| "give --out the path of a file that does not exist".to_owned())
}
