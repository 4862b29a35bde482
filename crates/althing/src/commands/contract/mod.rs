//! `althing contract`: code on the ledger, from its first line to its end.

mod build;
mod call;
mod code;
mod deploy;
mod life;
mod show;

use std::path::Path;

use althing_client::{
    Client, file,
    model::{Contract, IdText, Trial, query},
};
use althing_types::{CodeId, ContractId, limits::CONTRACT_MESSAGE_BYTES_MAX};
use anyhow::Context as _;
use clap::Subcommand;

use crate::{
    output::{Output, Table, fields},
    report::{NextStep as _, failed},
    session::{Explain as _, block_on},
};

/// Writes, checks, stores, calls and manages contracts.
#[derive(Debug, Subcommand)]
pub(crate) enum ContractCommand {
    /// Begins a contract in a new folder: source, tests that take milliseconds, how to build it.
    New(build::New),
    /// Builds the contract in a folder and says whether it may run.
    Build(build::Build),
    /// Runs the tests of the contract in a folder.
    Test(build::Test),
    /// Says whether a module may run here, and why not.
    Check(build::Check),
    /// Says what a module is made of and what storing it takes.
    Size(build::Check),
    /// Stores a module and makes a contract of it; does nothing if that runs it already.
    Deploy(Box<deploy::Deploy>),
    /// Uploads a module and stores it; does nothing if it is stored already.
    Store(code::Store),
    /// Shows code that is stored, fetches or removes it.
    #[command(subcommand)]
    Code(code::CodeCommand),
    /// Makes a contract of stored code, or proposes it to those who decide.
    Instantiate(life::Instantiate),
    /// Calls a contract.
    Execute(call::Execute),
    /// Asks a contract a question; nothing changes.
    Query(call::Query),
    /// Tries a call out: what it would do, say and cost. Nothing is signed and nothing changes.
    DryRun(call::DryRun),
    /// Lists contracts: all, by name, by interface, by code, or those waiting for a participant.
    List(show::List),
    /// Shows a contract.
    Show(show::Show),
    /// Lists what called or changed a contract.
    History(show::History),
    /// Gives a contract new code.
    Migrate(life::Migrate),
    /// Says who administers a contract.
    SetAdmin(life::SetAdmin),
    /// Stops a contract until it is thawed.
    Freeze(life::Change),
    /// Lets a frozen contract run again.
    Thaw(life::Change),
    /// Ends a contract for ever.
    Terminate(life::Change),
    /// Accepts a proposed contract.
    Accept(life::Change),
    /// Declines a proposed contract, or withdraws one's own.
    Decline(life::Change),
}

impl ContractCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        use althing_types::Action as A;
        match self {
            Self::New(new) => return new.run(output),
            Self::Build(build) => return build.run(output),
            Self::Test(test) => return test.run(),
            Self::Check(check) | Self::Size(check) => return check.run(output),
            _ => {}
        }
        block_on(async {
            match self {
                Self::New(_) | Self::Build(_) | Self::Test(_) | Self::Check(_) | Self::Size(_) => {
                    Ok(())
                }
                Self::Deploy(deploy) => deploy.run(output).await,
                Self::Store(store) => store.run(output).await,
                Self::Code(code) => code.run(output).await,
                Self::Instantiate(instantiate) => instantiate.run(output).await,
                Self::Execute(execute) => execute.run(output).await,
                Self::Query(query) => query.run(output).await,
                Self::DryRun(dry_run) => dry_run.run(output).await,
                Self::List(list) => list.run(output).await,
                Self::Show(show) => show.run(output).await,
                Self::History(history) => history.run(output).await,
                Self::Migrate(migrate) => migrate.run(output).await,
                Self::SetAdmin(set) => set.run(output).await,
                Self::Freeze(it) => {
                    it.run(output, "froze", |contract| A::FreezeContract { contract }).await
                }
                Self::Thaw(it) => {
                    it.run(output, "thawed", |contract| A::ThawContract { contract }).await
                }
                Self::Terminate(it) => {
                    it.run(output, "terminated", |contract| A::TerminateContract { contract }).await
                }
                Self::Accept(it) => {
                    it.run(output, "accepted", |contract| A::AcceptContract { contract }).await
                }
                Self::Decline(it) => {
                    it.run(output, "declined", |contract| A::DeclineContract { contract }).await
                }
            }
        })
    }
}

/// A contract by DID, hex id, or name.
pub(super) async fn find(client: &Client, text: &str) -> anyhow::Result<Contract> {
    if let Ok(id) = text.parse::<IdText>() {
        return client.contract(&ContractId(id.id)).await.explain();
    }
    let query = query::Contracts { name: Some(text.to_owned()), ..Default::default() };
    let mut page = client.contracts(&query).await.explain()?;
    match (page.items.pop(), page.items.is_empty()) {
        (Some(contract), true) => Ok(contract),
        (Some(_), false) => Err(failed(
            format!("several contracts are called `{text}`"),
            format!("althing contract list --name {text} shows their ids; use one of those"),
        )),
        (None, _) => {
            Err(failed(format!("no contract is called `{text}`"), "althing contract list"))
        }
    }
}

/// Stored code by hex id or number.
async fn find_code(client: &Client, text: &str) -> anyhow::Result<CodeId> {
    if let Some(id) = CodeId::from_hex(text) {
        return Ok(id);
    }
    let mut after = None;
    loop {
        let page = client.codes(&query::List { after, limit: None }).await.explain()?;
        let named = |code: &&althing_client::model::Code| {
            code.name == text || code.number.to_string() == text
        };
        if let Some(code) = page.items.iter().find(named) {
            return Ok(code.id.0);
        }
        match page.next {
            Some(next) => after = Some(next),
            None => {
                return Err(failed(
                    format!("no code is called `{text}` or has this number"),
                    "althing contract code list",
                ));
            }
        }
    }
}

/// A message as typed: JSON, or `@file` with JSON.
fn message(text: &str) -> anyhow::Result<Vec<u8>> {
    let bytes = match text.strip_prefix('@') {
        Some(path) => {
            let path = Path::new(path);
            file::read(path, CONTRACT_MESSAGE_BYTES_MAX as u64)
                .with_context(|| format!("cannot read the message {}", path.display()))
                .next_step(|| {
                    "give the message as JSON, or as @ and the path of a file".to_owned()
                })?
        }
        None => text.as_bytes().to_vec(),
    };
    match serde_json::from_slice::<serde_json::Value>(&bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(failed(
            format!("the message is not JSON: {error}"),
            "write it like '{\"check\":{}}'",
        )),
    }
}

/// What would come of a call, for people.
pub(super) fn trial_text(trial: &Trial) -> String {
    let mut text = fields(&[
        (
            "outcome",
            match &trial.refusal {
                None => "takes effect".to_owned(),
                Some(refusal) => format!("refused: {} ({})", refusal.detail, refusal.code),
            },
        ),
        ("gas", trial.gas_used.to_string()),
        ("on the state of block", trial.height.to_string()),
    ]);
    for line in &trial.trace {
        text.push_str(&format!("said: {line}\n"));
    }
    let mut events = Table::new(&["event", "details"]);
    for event in &trial.events {
        let mut json = serde_json::to_value(event).unwrap_or_default();
        if let Some(fields) = json.as_object_mut() {
            fields.remove("type");
        }
        events.row([event.name().to_owned(), json.to_string()]);
    }
    let mut changes = Table::new(&["changes", "bytes"]);
    for change in &trial.changes {
        let bytes = change.bytes.map_or("removed".to_owned(), |bytes| bytes.to_string());
        changes.row([change.text.clone(), bytes]);
    }
    text.push_str(&format!("\n{}", events.or("no events\n")));
    text.push_str(&format!("\n{}", changes.or("no changes\n")));
    text
}
