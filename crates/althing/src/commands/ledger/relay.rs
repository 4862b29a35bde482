//! `althing ledger relay`: carries calls to another ledger and answers back, until it is stopped.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use althing_client::{
    Signer,
    model::{AskedCall, TakenCall, Time, query},
};
use althing_proof::relay::{OpenCall, Step, There};
use althing_types::{Action, LedgerId, Refusal, TxId};
use clap::Args;

use super::carry;
use crate::{
    output::Output,
    secrets,
    session::{Explain as _, Session, client},
    shutdown::Shutdown,
    span,
};

/// Calls looked at at once.
const PAGE: u32 = 50;

#[derive(Debug, Args)]
pub(crate) struct Relay {
    /// A peer of the ledger that asks.
    #[arg(long, value_name = "URL")]
    from: String,
    /// A peer of the ledger that is asked.
    #[arg(long, value_name = "URL")]
    to: String,
    /// Key file of an entity of the ledger that is asked, and of the one that asks unless --from-key names
    /// another. It need not be trusted by anybody, only pay fees where there are some.
    #[arg(long, env = "ALTHING_KEY", hide_env_values = true, value_name = "FILE")]
    key: PathBuf,
    /// Key file of an entity of the ledger that asks.
    #[arg(long, value_name = "FILE")]
    from_key: Option<PathBuf>,
    #[command(flatten)]
    passphrase: secrets::PassphraseArgs,
    /// How often it looks for more to carry.
    #[arg(long, default_value = "5s", value_parser = span::parse, value_name = "TIME")]
    every: Duration,
    /// Look once, carry what there is, and end.
    #[arg(long)]
    once: bool,
    /// How long to wait for a transaction to be final.
    #[arg(long, default_value = "30s", value_parser = span::parse, value_name = "TIME")]
    timeout: Duration,
}

/// Both ends, each with an entity that submits there. Nothing is kept but what was said last: what is to be
/// carried follows from the ledgers, so that a relay begins anywhere and does nothing twice.
pub(crate) struct Ends {
    /// Of the ledger that asks.
    pub(crate) from: Session,
    /// Of the ledger that is asked.
    pub(crate) to: Session,
    /// What was said last of each call that waits.
    said: BTreeMap<TxId, String>,
}

/// What came of a call in one pass.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Line {
    /// The call.
    pub(crate) call: String,
    /// `carried`, `answered`, `refunded` or `waits`.
    pub(crate) what: &'static str,
    /// Where, or why not.
    pub(crate) detail: String,
}

async fn session(
    url: &str,
    key: &std::path::Path,
    passphrase: Option<&std::path::Path>,
    timeout: Duration,
) -> anyhow::Result<Session> {
    let client = client(url)?;
    let advice = "althing entity register --entity-key FILE registers an entity and writes a key file that does";
    let (entity, key) = secrets::open_entity(key, passphrase, advice)?;
    let genesis = client.genesis().await.explain()?;
    let signer = Signer { ledger: genesis.ledger(), entity, key };
    Session::open(client, &genesis, signer, timeout).await
}

impl Relay {
    pub(super) async fn run(self, output: Output) -> anyhow::Result<()> {
        let passphrase = self.passphrase.passphrase_file.as_deref();
        let from_key = self.from_key.as_deref().unwrap_or(&self.key);
        let from = session(&self.from, from_key, passphrase, self.timeout).await?;
        let to = session(&self.to, &self.key, passphrase, self.timeout).await?;
        let mut ends = Ends::new(from, to);
        let mut shutdown = Shutdown::listen(false)?;
        output.say(&format!("from ledger {} to {}", ends.from.ledger(), ends.to.ledger()))?;
        loop {
            match ends.pass().await {
                Ok(lines) => {
                    for line in &lines {
                        output.show(line, || {
                            format!("{} {}: {}", line.call, line.what, line.detail)
                        })?;
                    }
                }
                Err(error) if self.once => return Err(error),
                Err(error) => output.say(&format!("cannot go on for now: {error:#}"))?,
            }
            if self.once {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(self.every) => {}
                _ = shutdown.requested() => return Ok(()),
            }
        }
    }
}

impl Ends {
    pub(crate) const fn new(from: Session, to: Session) -> Self {
        Self { from, to, said: BTreeMap::new() }
    }

    /// Does what there is to do now for each open call, and says what is new.
    pub(crate) async fn pass(&mut self) -> anyhow::Result<Vec<Line>> {
        let (mut lines, mut after, mut said) = (Vec::new(), None, BTreeMap::new());
        let asked: LedgerId = self.to.ledger();
        loop {
            let query = query::Calls { open: Some(true), after, limit: Some(PAGE) };
            let page = self.from.client.asked_calls(&query).await.explain()?;
            for call in page.items.iter().filter(|call| call.ledger.0 == asked) {
                let line = self
                    .see_to(call)
                    .await
                    .unwrap_or_else(|error| waits(call, format!("{error:#}")));
                if self.said.get(&call.id) != Some(&line.detail) {
                    lines.push(line.clone());
                }
                said.insert(call.id.0, line.detail);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.said = said;
        Ok(lines)
    }

    async fn see_to(&self, call: &AskedCall) -> anyhow::Result<Line> {
        let asks = self.from.ledger();
        let did = |what, detail| Line { call: call.id.to_string(), what, detail };
        let taken = match self.to.client.taken_call(&asks, &call.id).await {
            Ok(taken) => Some(taken),
            Err(error) if error.code() == Some(Refusal::UnknownCall.code()) => None,
            Err(error) => return Err(error).explain(),
        };
        Ok(match (seen(call, taken.as_ref()).step(carry::now_ms()), taken) {
            (Step::Carry, _) => {
                let height = carry::call(&self.to, &self.from.client, call).await?;
                did("carried", format!("taken in block {height}"))
            }
            (Step::Return, Some(taken)) => {
                let height = carry::answer(&self.from, &self.to.client, call, &taken).await?;
                did("answered", format!("{}, settled in block {height}", taken.state))
            }
            (Step::Refund, _) => {
                let action = Action::RefundCall { call: call.id.0 };
                let height = self.from.perform(vec![action]).await?.height;
                did("refunded", format!("no answer in time, ended in block {height}"))
            }
            (Step::AwaitAnswer, _) => {
                waits(call, format!("for the provider, until {}", call.deadline))
            }
            (Step::AwaitRefund | Step::Return, _) => {
                waits(call, format!("no answer in time, to be refunded from {}", call.refund))
            }
        })
    }
}

/// A call, as what is to be done about it follows from.
fn seen(call: &AskedCall, taken: Option<&TakenCall>) -> OpenCall {
    let ms = |time: &Time| u64::try_from(time.0).unwrap_or_default();
    OpenCall {
        deadline_ms: ms(&call.deadline),
        // It is given up from the moment after.
        patience_ms: ms(&call.refund).saturating_sub(1),
        there: match taken {
            None => There::Missing,
            Some(taken) if taken.answer.is_some() => There::Answered,
            Some(_) => There::Waits,
        },
    }
}

fn waits(call: &AskedCall, detail: String) -> Line {
    Line { call: call.id.to_string(), what: "waits", detail }
}
