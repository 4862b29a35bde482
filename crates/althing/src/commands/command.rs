//! `althing command`: ask a thing to do something, and see what becomes of it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use althing_client::{
    Client, Direct,
    model::{Command, Page, Stream, Thing, TxHex, query},
};
use althing_ledger::thing::input_problem;
use althing_types::{
    Action, Command as Asked, CommandReport, CommandState, Operation, TxId, Value, decimal,
};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use tokio::time::sleep;

use super::{PageArgs, final_at};
use crate::{
    lookup,
    output::{Output, Table, fields},
    report::failed,
    session::{Explain as _, Remote, Session, SignArgs, block_on},
    span,
};

/// How often a command that is waited for is looked at.
const POLL: Duration = Duration::from_millis(100);

/// Asks things to do something.
#[derive(Debug, Subcommand)]
pub(crate) enum CommandCommand {
    /// Asks a thing for the present value of a property.
    Read(Read),
    /// Asks a thing to take another value for a property.
    Write(Write),
    /// Asks a thing for one of its actions.
    Invoke(Invoke),
    /// Lists the commands of a thing.
    List(List),
    /// Shows a command and what became of it.
    Show(Show),
    /// Takes a command back.
    Cancel(Cancel),
    /// Says what became of a command: for devices that sign for themselves, and for owners.
    Report(Report),
}

#[derive(Debug, Args)]
struct Sending {
    /// How long the device has to answer; it may sleep until then.
    #[arg(long, default_value = "5m", value_parser = span::parse, value_name = "TIME")]
    within: Duration,
    /// What for, as the grant says it; the owner of the thing needs none.
    #[arg(long)]
    purpose: Option<String>,
    /// Wait for the answer.
    #[arg(long)]
    wait: bool,
    /// Ask the gateway before the thing at once, at this address of its HTTP side, under a grant and
    /// without waiting for the ledger, which hears of it afterwards.
    #[arg(long, value_name = "URL", requires = "purpose")]
    direct: Option<String>,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Read {
    /// Its name, DID or hex id.
    thing: String,
    /// The property.
    property: String,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Debug, Args)]
pub(crate) struct Write {
    /// Its name, DID or hex id.
    thing: String,
    /// The property.
    property: String,
    /// The value: a decimal, true or false, text, or bytes in hex, as the property is.
    #[arg(allow_hyphen_values = true)]
    value: String,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Debug, Args)]
pub(crate) struct Invoke {
    /// Its name, DID or hex id.
    thing: String,
    /// The action.
    action: String,
    /// Its input, JSON.
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    #[command(flatten)]
    sending: Sending,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Its name, DID or hex id.
    thing: String,
    /// Only those that are neither done nor over.
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id.
    command: TxHex,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// Its id.
    command: TxHex,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Its id.
    command: TxHex,
    /// delivered, accepted, done or failed.
    #[arg(value_parser = parse_state)]
    state: CommandState,
    /// What the device answers.
    #[arg(long, value_name = "TEXT")]
    result: Option<String>,
    #[command(flatten)]
    sign: SignArgs,
}

fn parse_state(text: &str) -> Result<CommandState, String> {
    use CommandState::{Accepted, Delivered, Done, Failed};
    match CommandState::from_name(text) {
        Some(state @ (Delivered | Accepted | Done | Failed)) => Ok(state),
        _ => Err("it is delivered, accepted, done or failed".to_owned()),
    }
}

impl CommandCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            match self {
                Self::Read(read) => read.run(output).await,
                Self::Write(write) => write.run(output).await,
                Self::Invoke(invoke) => invoke.run(output).await,
                Self::List(list) => list.run(output).await,
                Self::Show(show) => show.run(output).await,
                Self::Cancel(cancel) => cancel.run(output).await,
                Self::Report(report) => report.run(output).await,
            }
        })
    }
}

impl Read {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sending.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?;
        let operation = Operation::Read { property: self.property };
        self.sending.send(output, &session, &thing, operation).await
    }
}

impl Write {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sending.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?;
        let name = format!("{}/{}", thing.hex.0, self.property);
        let stream = lookup::stream(&session.client, &name).await?;
        let stream = session.client.stream(&stream).await.explain()?;
        let value = value_of(&stream, &self.value)?;
        let operation = Operation::Write { property: self.property, value };
        self.sending.send(output, &session, &thing, operation).await
    }
}

/// A value as it was typed, in the form of a stream.
pub(super) fn value_of(stream: &Stream, text: &str) -> anyhow::Result<Value> {
    match stream.kind.as_str() {
        "number" => {
            let mantissa = decimal::parse(text, stream.scale, false);
            Ok(Value::Number(mantissa.with_context(|| {
                format!("`{text}` is no decimal with at most {} places", stream.scale)
            })?))
        }
        "boolean" => Ok(Value::Bool(text.parse().context("true or false expected")?)),
        "bytes" => Ok(Value::Bytes(hex::decode(text).context("hex digits expected")?)),
        _ => Ok(Value::Text(text.to_owned())),
    }
}

impl Invoke {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sending.sign.session().await?;
        let thing = lookup::thing(&session.client, &self.thing).await?;
        // The gateway would say the same, but only after the command is on the ledger.
        let description = session.client.description(&thing.hex, None).await.explain()?;
        let input = self.input.map(String::into_bytes);
        if let Some(problem) = input_problem(&description, &self.action, input.as_deref()) {
            return Err(failed(
                format!("{} cannot be asked for `{}`: {problem}", self.thing, self.action),
                format!("althing thing description {}", self.thing),
            ));
        }
        let operation = Operation::Invoke { action: self.action, input: input.map(Into::into) };
        self.sending.send(output, &session, &thing, operation).await
    }
}

impl Sending {
    async fn send(
        &self,
        output: Output,
        session: &Session,
        thing: &Thing,
        operation: Operation,
    ) -> anyhow::Result<()> {
        if let Some(url) = &self.direct {
            return self.send_directly(output, session, thing, operation, url).await;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is wrong")?;
        let until_ms = u64::try_from((now + self.within).as_millis()).unwrap_or(u64::MAX);
        let command =
            Asked { thing: thing.hex.0, operation, until_ms, purpose: self.purpose.clone() };
        let outcome = session.perform(vec![Action::Command(command)]).await?;
        let id = outcome.receipt.transaction;
        if !self.wait {
            return output.show(&outcome, || {
                format!("asked {}: althing command show {id}\n{}", thing.name, final_at(&outcome))
            });
        }
        let command = answered(&session.client, &id.0, self.within).await?;
        output.show(&command, || text(&command))
    }
}

impl Sending {
    async fn send_directly(
        &self,
        output: Output,
        session: &Session,
        thing: &Thing,
        operation: Operation,
        url: &str,
    ) -> anyhow::Result<()> {
        let purpose = self.purpose.as_deref().unwrap_or_default();
        let signer = session.account.signer().clone();
        let direct = Direct::open(url, &session.client, signer, purpose).await.explain()?;
        let gateway = direct.gateway();
        if !thing.bindings.iter().any(|binding| binding.gateway.entity_id() == gateway) {
            return Err(failed(
                format!("the gateway at {url} is not bound to {}", thing.name),
                format!("althing thing show {}", thing.name),
            ));
        }
        let (answer, used) = direct.ask(&thing.hex.0, operation).await.explain()?;
        let id = used.request.request.id().to_string();
        let value = json!({ "id": id, "state": answer.state, "result": answer.result,
            "use": answer.used, "signature": answer.signature });
        output.show(&value, || {
            format!("{} by {url}, request {id}\n{}\n", answer.state, answer.result)
        })
    }
}

/// Waits until a command is over.
async fn answered(client: &Client, id: &TxId, patience: Duration) -> anyhow::Result<Command> {
    let started = Instant::now();
    loop {
        let command = client.command(id).await.explain()?;
        if command.is_over() {
            return Ok(command);
        }
        if started.elapsed() > patience {
            bail!("the command is still {} after {patience:?}", command.state);
        }
        sleep(POLL).await;
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let thing = lookup::thing(&client, &self.thing).await?;
        let query =
            query::Commands { open: self.open, after: self.page.after, limit: self.page.limit };
        let page = client.commands(&thing.hex.0, &query).await.explain()?;
        output.show(&page, || table(&page))
    }
}

fn table(page: &Page<Command>) -> String {
    let mut table = Table::new(&["queued", "operation", "name", "state", "answer", "id"]);
    for command in &page.items {
        table.row([
            command.queued.to_string(),
            command.operation.operation.clone(),
            command.operation.name.clone(),
            command.state.clone(),
            command.result.clone().unwrap_or_else(|| "-".to_owned()),
            command.id.to_string(),
        ]);
    }
    super::with_more(table.or("no such command"), page.next.as_deref())
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let command = self.remote.client()?.command(&self.command.0).await.explain()?;
        output.show(&command, || text(&command))
    }
}

fn text(command: &Command) -> String {
    let asked = &command.operation;
    let given = asked.value.as_ref().or(asked.input.as_ref());
    fields(&[
        ("id", command.id.to_string()),
        ("thing", command.thing.to_string()),
        ("asked by", command.sender.to_string()),
        ("asked for", format!("{} {}", asked.operation, asked.name)),
        ("with", given.cloned().unwrap_or_else(|| "-".to_owned())),
        ("state", format!("{} since {}", command.state, command.changed)),
        ("said by", command.reporter.to_string()),
        ("in", command.changed_by.to_string()),
        ("to be answered by", command.until.to_string()),
        ("answer", command.result.clone().unwrap_or_else(|| "-".to_owned())),
    ])
}

impl Cancel {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let action = Action::CancelCommand { command: self.command.0 };
        let outcome = session.perform(vec![action]).await?;
        output.show(&outcome, || format!("taken back {}\n{}", self.command, final_at(&outcome)))
    }
}

impl Report {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let result = self.result.map(|text| text.into_bytes().into());
        let report = CommandReport { command: self.command.0, state: self.state, result };
        let outcome = session.perform(vec![Action::ReportCommand(report)]).await?;
        output.show(&outcome, || {
            format!("{} is {}\n{}", self.command, self.state.name(), final_at(&outcome))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_reported_is_a_state_to_report() {
        for (text, fits) in [
            ("delivered", true),
            ("accepted", true),
            ("done", true),
            ("failed", true),
            ("queued", false),
            ("expired", false),
            ("cancelled", false),
            ("", false),
        ] {
            assert_eq!(parse_state(text).is_ok(), fits, "{text}");
        }
    }
}
