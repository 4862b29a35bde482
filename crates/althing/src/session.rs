//! Ask a peer, and sign what is submitted to it.

use std::{
    future::Future,
    path::PathBuf,
    pin::Pin,
    time::{Duration, Instant},
};

use althing_client::{
    Account, Client, Config, Error, ReadingAs, Signer, genesis_file,
    model::{Outcome, RefusalText},
};
use althing_types::{Action, EntityId, Genesis, LedgerId, Refusal};
use anyhow::Context as _;
use clap::Args;

use crate::{
    report::{NextStep as _, failed, with_next},
    secrets, span,
};

/// Where the peer is.
#[derive(Debug, Clone, Args)]
pub(crate) struct PeerUrl {
    /// The peer to ask.
    #[arg(
        long,
        env = "ALTHING_PEER",
        hide_env_values = true,
        default_value = "http://127.0.0.1:4464",
        value_name = "URL"
    )]
    peer: String,
}

impl PeerUrl {
    /// A client of the peer; nothing is sent yet.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        client(&self.peer)
    }
}

/// Which peer is asked.
#[derive(Debug, Clone, Args)]
pub(crate) struct Remote {
    #[command(flatten)]
    peer: PeerUrl,

    /// Key file of the entity that reads, where the owner lets not everybody.
    #[arg(long = "as", env = "ALTHING_READ_AS", hide_env_values = true, value_name = "FILE")]
    reader: Option<PathBuf>,

    /// What it reads for: the purpose of its grant.
    #[arg(long = "for", env = "ALTHING_PURPOSE", value_name = "PURPOSE")]
    purpose: Option<String>,
}

impl Remote {
    /// A client of the peer; nothing is sent yet.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let client = self.peer.client()?;
        let Some(path) = &self.reader else { return Ok(client) };
        let advice = "--as names the key file of an entity that is registered";
        let (entity, key) = secrets::open_entity(path, None, advice)?;
        let purpose = self.purpose.clone().unwrap_or_default();
        Ok(client.reading_as(ReadingAs { entity, key, purpose }))
    }

    /// What is read for, if it was said.
    pub(crate) fn purpose(&self) -> Option<String> {
        self.purpose.clone()
    }
}

/// A client of the peer at a URL; nothing is sent yet.
pub(crate) fn client(url: &str) -> anyhow::Result<Client> {
    Client::new(Config::new(url)).explain()
}

/// Who signs a transaction, and for which ledger.
#[derive(Debug, Clone, Args)]
pub(crate) struct SignArgs {
    #[command(flatten)]
    remote: Remote,

    /// Key file of the entity that signs.
    #[arg(long, env = "ALTHING_KEY", hide_env_values = true, value_name = "FILE")]
    key: PathBuf,

    #[command(flatten)]
    passphrase: secrets::PassphraseArgs,

    /// The genesis to sign for. Without it the peer is asked which ledger it has, and believed.
    #[arg(long, env = "ALTHING_GENESIS", hide_env_values = true, value_name = "FILE")]
    genesis: Option<PathBuf>,

    /// How long to wait for the transaction to be final.
    #[arg(long, default_value = "30s", value_parser = span::parse, value_name = "TIME")]
    timeout: Duration,
}

/// An entity at a peer: signs, submits, waits.
#[derive(Debug)]
pub(crate) struct Session {
    /// The peer.
    pub(crate) client: Client,
    /// The entity.
    pub(crate) account: Account,
    /// Name of the network.
    pub(crate) network: String,
    timeout: Duration,
}

impl SignArgs {
    /// Where the passphrase of the key comes from, if it was said.
    pub(crate) fn passphrase_file(&self) -> Option<&std::path::Path> {
        self.passphrase.passphrase_file.as_deref()
    }

    /// Opens the key and asks the peer where the account stands.
    pub(crate) async fn session(&self) -> anyhow::Result<Session> {
        let client = self.remote.client()?;
        let advice = "althing entity register --entity-key FILE registers an entity and writes a key file that does";
        let (entity, key) = secrets::open_entity(&self.key, self.passphrase_file(), advice)?;
        let genesis = match &self.genesis {
            Some(path) => read_genesis(path)?,
            None => client.genesis().await.explain()?,
        };
        let signer = Signer { ledger: genesis.ledger(), entity, key };
        Session::open(client, &genesis, signer, self.timeout).await
    }
}

impl Session {
    /// Asks the peer where the account stands.
    pub(crate) async fn open(
        client: Client,
        genesis: &Genesis,
        signer: Signer,
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        let account = Account::open(&client, signer).await.explain()?;
        Ok(Self { client, account, network: genesis.network.clone(), timeout })
    }

    /// The ledger that is signed for.
    pub(crate) fn ledger(&self) -> LedgerId {
        self.account.signer().ledger
    }

    /// Who signs.
    pub(crate) fn entity(&self) -> EntityId {
        self.account.signer().entity
    }

    /// Signs the actions as one transaction, submits it and waits until it is final. That it took
    /// no effect is an error, unless it waits for approvals. Code that peers still compile is waited
    /// for.
    pub(crate) async fn perform(&self, actions: Vec<Action>) -> anyhow::Result<Outcome> {
        let began = Instant::now();
        loop {
            let result = self.submit(actions.clone()).await;
            if is_preparing(&result) && began.elapsed() < self.timeout {
                tokio::time::sleep(PREPARING_PAUSE).await;
                continue;
            }
            return match Fate::of(result) {
                Fate::Applied(outcome) | Fate::AwaitsApproval(outcome) => Ok(*outcome),
                Fate::Refused(error) | Fate::Unknown(error) => Err(error),
            };
        }
    }

    /// The same for what cannot be undone: tells what will never take effect from what still may.
    pub(crate) async fn attempt(&self, actions: Vec<Action>) -> Fate {
        Fate::of(self.submit(actions).await)
    }

    async fn submit(&self, actions: Vec<Action>) -> Result<Outcome, Error> {
        let transaction = self.account.sign(actions);
        let result = self.client.finalize_transaction(&transaction, self.timeout).await;
        if let Ok(outcome) = &result {
            self.account.saw(outcome.height);
        }
        result
    }
}

/// How long to wait before code that peers still compile is asked for again.
const PREPARING_PAUSE: Duration = Duration::from_millis(500);

/// Whether it was refused because peers still compile code that was just stored.
fn is_preparing(result: &Result<Outcome, Error>) -> bool {
    let code = match result {
        Ok(outcome) => outcome.receipt.refusal.as_ref().map(|refusal| refusal.code.as_str()),
        Err(error) => error.code(),
    };
    code == Some(Refusal::CodeNotReady.code())
}

/// What is known of a transaction that was submitted.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It is final and took effect.
    Applied(Box<Outcome>),
    /// It is final, and takes effect once enough have approved it.
    AwaitsApproval(Box<Outcome>),
    /// It took no effect and never will.
    Refused(anyhow::Error),
    /// It may be final already, or become so: the answer was lost, or did not come in time.
    Unknown(anyhow::Error),
}

impl Fate {
    /// What the result of submitting and waiting says about it.
    pub(crate) fn of(result: Result<Outcome, Error>) -> Self {
        match result {
            Ok(outcome) => match &outcome.receipt.refusal {
                None => Self::Applied(Box::new(outcome)),
                Some(refusal) if refusal.code == Refusal::AwaitingApproval.code() => {
                    Self::AwaitsApproval(Box::new(outcome))
                }
                Some(refusal) => Self::Refused(without_effect(&outcome, refusal)),
            },
            Err(error) if is_definite(&error) => Self::Refused(explained(error)),
            Err(error) => Self::Unknown(explained(error)),
        }
    }
}

/// Whether an error says that the transaction was not admitted. Only a refusal for a reason of the
/// ledger does: a peer that gives up, or forgets the transaction, may have passed it on.
fn is_definite(error: &Error) -> bool {
    // What was used already may be this very transaction, sent twice by what lies in between.
    let repeated = Refusal::NonceReused.code();
    let refused = |code: &str| Refusal::ALL.iter().any(|refusal| refusal.code() == code);
    error.code().is_some_and(|code| refused(code) && code != repeated)
}

fn without_effect(outcome: &Outcome, refusal: &RefusalText) -> anyhow::Error {
    let Outcome { height, receipt, .. } = outcome;
    failed(
        format!(
            "transaction {} is in block {height}, but took no effect: {} ({})",
            receipt.transaction, refusal.detail, refusal.code
        ),
        format!("althing tx show {}", receipt.transaction),
    )
}

/// Reads a genesis from a file.
pub(crate) fn read_genesis(path: &std::path::Path) -> anyhow::Result<Genesis> {
    genesis_file::read(path)
        .with_context(|| format!("cannot use the genesis {}", path.display()))
        .next_step(|| "every member of the network has the same genesis.json; ask one".to_owned())
}

/// Turns a client's error into one that says what to type next.
pub(crate) trait Explain<T> {
    /// The same, explained.
    fn explain(self) -> anyhow::Result<T>;
}

impl<T> Explain<T> for Result<T, Error> {
    fn explain(self) -> anyhow::Result<T> {
        self.map_err(explained)
    }
}

fn explained(error: Error) -> anyhow::Error {
    match error {
        Error::Refused(problem) => {
            let field = problem.field.iter().map(|field| format!(" in `{field}`"));
            let sentence =
                format!("{} ({}){}", problem.detail, problem.code, field.collect::<String>());
            match problem.advice {
                Some(advice) => failed(sentence, advice),
                None => anyhow::Error::msg(sentence),
            }
        }
        error @ Error::Connect { .. } => with_next(
            error,
            "althing peer run --config FILE starts a peer; --peer URL names one that runs",
        ),
        error @ Error::Address(_) => with_next(error, "--peer http://127.0.0.1:4464"),
        error @ Error::Timeout { .. } => {
            with_next(error, "althing peer status says what the peer waits for")
        }
        error => error.into(),
    }
}

/// Runs a command that talks to peers, on one thread.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // The compiler makes the runtime's loop once, instead of once for each command.
    let work: Pin<Box<dyn Future<Output = anyhow::Result<T>> + '_>> = Box::pin(work);
    runtime.context("cannot start the runtime")?.block_on(work)
}

#[cfg(test)]
mod tests {
    use althing_client::model::{Effect, Hex, Problem, Receipt, Time};
    use althing_types::TxId;

    use super::*;

    fn refused(code: &str) -> Result<Outcome, Error> {
        Err(Problem::new(400, "", code, "a sentence").into())
    }

    fn placed(refusal: Option<Refusal>) -> Result<Outcome, Error> {
        let refusal = refusal.map(|refusal| RefusalText {
            code: refusal.code().to_owned(),
            detail: refusal.to_string(),
            action: 0,
        });
        let effect = Effect::Refused;
        let receipt = Receipt { transaction: Hex(TxId([1; 32])), effect, refusal, events: vec![] };
        Ok(Outcome { height: 7, index: 0, time: Time(0), receipt })
    }

    /// A rotation that was admitted but not final in time was called refused, and whoever then
    /// removed the new key was locked out when it became final.
    #[test]
    fn only_a_reason_of_the_ledger_is_a_definite_refusal() {
        let url = || "http://127.0.0.1:4464/v1/transactions".to_owned();
        let timeout = Error::Timeout { url: url(), after: Duration::from_secs(30) };
        let form = Error::Form { url: url(), what: "cut off".to_owned() };
        for (result, expected) in [
            (placed(None), "applied"),
            (placed(Some(Refusal::AwaitingApproval)), "awaits approval"),
            (placed(Some(Refusal::NotPermitted)), "refused"),
            (refused("bad_signature"), "refused"),
            (refused("mempool_full"), "refused"),
            (refused("nonce_reused"), "unknown"),
            (refused("timeout"), "unknown"),
            (refused("unknown_transaction"), "unknown"),
            (refused("internal"), "unknown"),
            (Err(timeout), "unknown"),
            (Err(form), "unknown"),
        ] {
            let shown = format!("{result:?}");
            let found = match Fate::of(result) {
                Fate::Applied(_) => "applied",
                Fate::AwaitsApproval(_) => "awaits approval",
                Fate::Refused(_) => "refused",
                Fate::Unknown(_) => "unknown",
            };
            assert_eq!(found, expected, "{shown}");
        }
    }
}
