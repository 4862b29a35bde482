//! `althing ledger call`: services of other ledgers, asked and answered.

use std::time::Duration;

use althing_client::model::{AskedCall, CallAnswer, CallPayment, TakenCall, query};
use althing_types::{
    Action, Amount, Call, CallAnswer as Said, CallPayment as Payment, LedgerId, ServiceId, TxId,
};
use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::carry;
use crate::{
    commands::{PageArgs, final_at, perform, with_more},
    lookup,
    output::{Output, Table, fields},
    session::{Explain as _, Remote, SignArgs, client},
    span,
};

/// Asks services of other ledgers, and answers what they ask.
#[derive(Debug, Subcommand)]
pub(crate) enum CallCommand {
    /// Asks a service of another ledger.
    Ask(Ask),
    /// Lists calls that this ledger asks; or with --taken those that others ask it.
    List(List),
    /// Shows a call.
    Show(Show),
    /// Carries a call to the ledger that it asks, once; `althing ledger relay` does it all the time.
    Carry(Carry),
    /// Answers a call of another ledger: what it asks is done.
    Answer(Answer),
    /// Declines a call of another ledger: what it asks is not done, nor paid for.
    Decline(Answer),
    /// Gives up a call that was not answered in time; by anyone.
    Refund(Refund),
}

#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// Id of the other ledger; there must be a link to it.
    #[arg(value_parser = parse_ledger)]
    ledger: LedgerId,
    /// Id of the service there.
    #[arg(value_parser = parse_service)]
    service: ServiceId,
    /// What is asked, as text.
    request: String,
    /// How long from now it can be answered.
    #[arg(long, default_value = "1h", value_parser = span::parse, value_name = "TIME")]
    within: Duration,
    /// How long after that the answer may be carried back.
    #[arg(long, default_value = "10m", value_parser = span::parse, value_name = "TIME")]
    grace: Duration,
    /// Who is paid for the answer, on this ledger: DID, hex id or name.
    #[arg(long, requires = "amount", value_name = "ENTITY")]
    pay: Option<String>,
    /// How many tokens, in the smallest unit; they are locked until the answer comes.
    #[arg(long, requires = "pay", value_parser = parse_amount)]
    amount: Option<Amount>,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Those that other ledgers ask this one.
    #[arg(long)]
    taken: bool,
    /// Only those that wait for an answer.
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The call.
    #[arg(value_parser = parse_call)]
    call: TxId,
    /// The ledger that asks, if it is another.
    #[arg(long, value_parser = parse_ledger)]
    from: Option<LedgerId>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(crate) struct Carry {
    /// The call.
    #[arg(value_parser = parse_call)]
    call: TxId,
    /// A peer of the ledger that asks.
    #[arg(long, value_name = "URL")]
    from: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Answer {
    /// The ledger that asks.
    #[arg(value_parser = parse_ledger)]
    ledger: LedgerId,
    /// Its call.
    #[arg(value_parser = parse_call)]
    call: TxId,
    /// The answer, as text.
    answer: String,
    #[command(flatten)]
    sign: SignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Refund {
    /// The call.
    #[arg(value_parser = parse_call)]
    call: TxId,
    #[command(flatten)]
    sign: SignArgs,
}

const DIGITS: &str = "write 64 hex digits";

fn parse_ledger(text: &str) -> Result<LedgerId, &'static str> {
    LedgerId::from_hex(text).ok_or(DIGITS)
}

fn parse_service(text: &str) -> Result<ServiceId, &'static str> {
    ServiceId::from_hex(text).ok_or(DIGITS)
}

fn parse_call(text: &str) -> Result<TxId, &'static str> {
    TxId::from_hex(text).ok_or(DIGITS)
}

fn parse_amount(text: &str) -> Result<Amount, &'static str> {
    Amount::parse(text).ok_or("write a whole number of the smallest unit")
}

impl CallCommand {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Ask(ask) => ask.run(output).await,
            Self::List(list) => list.run(output).await,
            Self::Show(show) => show.run(output).await,
            Self::Carry(carry) => carry.run(output).await,
            Self::Answer(answer) => answer.run(output, true).await,
            Self::Decline(answer) => answer.run(output, false).await,
            Self::Refund(refund) => {
                let session = refund.sign.session().await?;
                perform(output, &session, Action::RefundCall { call: refund.call }).await
            }
        }
    }
}

impl Ask {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let payment = match (&self.pay, self.amount) {
            (Some(payee), Some(amount)) => {
                Some(Payment { payee: lookup::entity(&session.client, payee).await?, amount })
            }
            _ => None,
        };
        let ms = |span: Duration| u64::try_from(span.as_millis()).context("that is too long");
        let call = Call {
            ledger: self.ledger,
            service: self.service,
            deadline_ms: carry::now_ms().saturating_add(ms(self.within)?),
            grace_ms: ms(self.grace)?,
            request: self.request.into_bytes(),
            payment,
        };
        let outcome = session.perform(vec![Action::AskLedger(call)]).await?;
        let id = outcome.receipt.transaction;
        output.show(&outcome, || {
            format!("asked: althing ledger call show {id}\n{}", final_at(&outcome))
        })
    }
}

impl List {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let open = self.open.then_some(true);
        let query = query::Calls { open, after: self.page.after.clone(), limit: self.page.limit };
        if self.taken {
            let page = client.taken_calls(&query).await.explain()?;
            return output.show(&page, || {
                let mut table = Table::new(&["state", "deadline", "request", "ledger", "call"]);
                for call in &page.items {
                    let ledger = call.ledger.to_string();
                    let (deadline, id) = (call.deadline.to_string(), call.id.to_string());
                    table.row([call.state.clone(), deadline, readable(&call.request), ledger, id]);
                }
                with_more(table.or("no calls of other ledgers"), page.next.as_deref())
            });
        }
        let page = client.asked_calls(&query).await.explain()?;
        output.show(&page, || {
            let mut table = Table::new(&["state", "deadline", "request", "ledger", "call"]);
            for call in &page.items {
                let ledger = call.ledger.to_string();
                let (deadline, id) = (call.deadline.to_string(), call.id.to_string());
                table.row([call.state.clone(), deadline, readable(&call.request), ledger, id]);
            }
            with_more(table.or("no calls to other ledgers"), page.next.as_deref())
        })
    }
}

/// Bytes as text where they are some, and the hex digits otherwise.
fn readable(digits: &str) -> String {
    let text = hex::decode(digits).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let plain = text.filter(|text| !text.chars().any(char::is_control));
    plain.unwrap_or_else(|| digits.to_owned())
}

fn payment_text(payment: Option<&CallPayment>) -> String {
    payment.map_or_else(|| "-".to_owned(), |it| format!("{} for {}", it.amount, it.payee))
}

fn answer_text(answer: Option<&CallAnswer>) -> String {
    answer.map_or_else(
        || "-".to_owned(),
        |it| format!("{} (by {}, in block {} there)", readable(&it.answer), it.by, it.height),
    )
}

impl Show {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        match self.from {
            Some(ledger) => {
                let call = client.taken_call(&ledger, &self.call).await.explain()?;
                output.show(&call, || taken_text(&call))
            }
            None => {
                let call = client.asked_call(&self.call).await.explain()?;
                output.show(&call, || asked_text(&call))
            }
        }
    }
}

fn asked_text(call: &AskedCall) -> String {
    fields(&[
        ("state", call.state.clone()),
        ("call", call.id.to_string()),
        ("caller", call.caller.to_string()),
        ("ledger", call.ledger.to_string()),
        ("service", call.service.to_string()),
        ("request", readable(&call.request)),
        ("payment", payment_text(call.payment.as_ref())),
        ("asked", format!("{}, in block {}", call.asked, call.asked_height)),
        ("deadline", call.deadline.to_string()),
        ("refund from", call.refund.to_string()),
        ("ended at block", call.ended_height.map_or_else(|| "-".into(), |it| it.to_string())),
        ("answer", answer_text(call.answer.as_ref())),
    ])
}

fn taken_text(call: &TakenCall) -> String {
    fields(&[
        ("state", call.state.clone()),
        ("call", call.id.to_string()),
        ("ledger that asks", call.ledger.to_string()),
        ("caller there", call.caller.to_string()),
        ("service", call.service.to_string()),
        ("provider", call.provider.to_string()),
        ("request", readable(&call.request)),
        ("payment there", payment_text(call.payment.as_ref())),
        ("taken", format!("{}, in block {}", call.taken, call.taken_height)),
        ("deadline", call.deadline.to_string()),
        ("answer to be back before", call.refund.to_string()),
        ("answer", answer_text(call.answer.as_ref())),
    ])
}

impl Carry {
    async fn run(self, output: Output) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let from = client(&self.from)?;
        let asked = from.asked_call(&self.call).await.explain()?;
        let height = carry::call(&session, &from, &asked).await?;
        output.show(&serde_json::json!({ "height": height }), || format!("taken in block {height}"))
    }
}

impl Answer {
    async fn run(self, output: Output, accepted: bool) -> anyhow::Result<()> {
        let session = self.sign.session().await?;
        let (ledger, call, answer) = (self.ledger, self.call, self.answer.into_bytes());
        let said = Said { ledger, call, accepted, answer };
        perform(output, &session, Action::AnswerCall(said)).await
    }
}
