//! What operators do: alarms, the log of operations, the configuration and its versions, the end.
//!
//! ```text
//!   token of one act -> Acts (operator, once) -> Controls of the program around -> log of operations
//!   what the peer knows -> conditions -> Register -> alarms.json, log of alarms, SSE
//! ```

mod log;
pub(crate) use log::Log;

mod sealed;
pub use sealed::LogKey;

mod register;
pub(crate) use register::{Condition, Register};

mod goals;
pub use goals::Goals;
pub(crate) use goals::Missed;

mod conditions;
pub use conditions::ADVICE;

mod operator;
pub(crate) use operator::{Acts, By, Looks};

mod used;
mod versions;

mod watch;
pub(crate) use watch::watch;

mod anchor;
pub(crate) use anchor::anchor;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use althing_client::{
    file,
    model::{Acknowledgement, Alarm, Difference},
    operating,
};
use althing_peer::Peer;
use althing_types::{PublicKey, SigningKey, Suite};
use tokio::sync::{broadcast, watch as watched};

use crate::{Config, reader::now_ms, webhooks::replace};
use used::Used;
use versions::Versions;

/// What the program around a peer lets its operators do with the configuration. Its methods may read
/// and write files.
pub trait Controls: fmt::Debug + Send + Sync {
    /// Every key that the peer reads, with the value it has on disk, in TOML and without secrets.
    ///
    /// # Errors
    /// If the file cannot be read any more, in a sentence.
    fn text(&self) -> Result<String, String>;

    /// What differs between what the peer runs with and what it would read at its next start.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    fn waiting(&self) -> Result<Vec<Difference>, String>;

    /// What another configuration would change.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    fn check(&self, text: &str) -> Result<Vec<Difference>, String>;

    /// Writes another configuration in the place of the present one and puts in force what can be while
    /// the peer runs; gives what changed, and the bounds of the interface that are to hold from now on.
    ///
    /// # Errors
    /// What is wrong with it, or why it cannot be written, in a sentence; then nothing has changed.
    fn apply(&self, text: &str) -> Result<(Vec<Difference>, Config), String>;
}

/// File of the alarms in the folder of the peer's data.
const ALARMS_FILE: &str = "alarms.json";
/// Longest such file that is read, bytes.
const ALARMS_BYTES_MAX: u64 = 1024 * 1024;
/// Changes of alarms that a slow client may lag behind before it is told all of them again.
const CHANGES_MAX: usize = 64;
/// How long it counts as one look when somebody looks again and again.
const LOOKED_AGAIN: Duration = Duration::from_secs(600);
/// How often a peer that stops looks whether it has settled what it took.
const SETTLE_POLL: Duration = Duration::from_millis(20);

/// What is done to one peer by its operators, and what they are told; clones share it.
#[derive(Debug, Clone)]
pub struct Operation(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    controls: Option<Arc<dyn Controls>>,
    /// The key of the command line on this machine.
    machine: Option<PublicKey>,
    operations: Log,
    alarm_log: Log,
    alarms_file: Option<PathBuf>,
    register: Mutex<Register>,
    changes: broadcast::Sender<Alarm>,
    used: Used,
    versions: Versions,
    stopping: watched::Sender<bool>,
    /// Submissions that are being taken in.
    submitting: AtomicUsize,
    /// Who looked at the logs or the configuration lately.
    looked: Mutex<Vec<(String, Instant)>>,
    /// Changes of the configuration come one after the other.
    turn: tokio::sync::Mutex<()>,
}

impl Operation {
    /// What earlier runs kept in the folder of the peer's data, and a new key for the command line on
    /// this machine; all in memory without a folder. Reads and writes files.
    #[must_use]
    pub fn open(
        data: Option<&Path>,
        controls: Option<Arc<dyn Controls>>,
        key: Option<LogKey>,
    ) -> Self {
        let key = key.map(Arc::new);
        let operations = Log::open(data, "operations", key.clone());
        let versions = Versions::open(data);
        if let Some(text) = controls.as_ref().and_then(|controls| controls.text().ok()) {
            versions.found(&text);
        }
        let alarms_file = data.map(|folder| folder.join(ALARMS_FILE));
        let kept = alarms_file.as_deref().map(kept_alarms).unwrap_or_default();
        Self(Arc::new(Inner {
            controls,
            machine: data.and_then(machine_key),
            operations,
            alarm_log: Log::open(data, "alarms", key),
            alarms_file,
            register: Mutex::new(Register::new(kept, now_ms())),
            changes: broadcast::channel(CHANGES_MAX).0,
            used: Used::open(data),
            versions,
            stopping: watched::Sender::new(false),
            submitting: AtomicUsize::new(0),
            looked: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// Notes something that the peer does by itself, such as that it starts. Waits for the disk.
    pub fn note(&self, act: &str, detail: &str) {
        self.0.operations.append("peer", act, detail);
    }

    /// Resolves when an operator asks the peer to end.
    pub async fn stop_asked(&self) {
        // The sender lives as long as this.
        let _ = self.0.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// From now on no transactions are taken.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Whether the peer takes no more transactions, because it is to end.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.0.stopping.borrow()
    }

    /// Takes no more transactions, and resolves once those taken from this peer's clients are final, or
    /// the time is up: the others have been told of them by then. Gives how many are not final.
    pub async fn settled(&self, peer: &Peer, patience: Duration) -> usize {
        self.stop();
        let began = Instant::now();
        loop {
            let left = self.0.submitting.load(Ordering::SeqCst) + peer.unsettled();
            if left == 0 || began.elapsed() >= patience {
                return left;
            }
            tokio::time::sleep(SETTLE_POLL).await;
        }
    }

    /// Counts a submission until it is taken in; none if no more are taken.
    pub(crate) fn submitting(&self) -> Option<Submitting> {
        self.0.submitting.fetch_add(1, Ordering::SeqCst);
        let counted = Submitting(self.clone());
        // Looked at after it was counted: whoever waits for none sees it, or it sees who waits.
        (!self.is_stopping()).then_some(counted)
    }

    pub(crate) fn controls(&self) -> Option<&Arc<dyn Controls>> {
        self.0.controls.as_ref()
    }

    pub(crate) fn versions(&self) -> &Versions {
        &self.0.versions
    }

    pub(crate) fn operations(&self) -> &Log {
        &self.0.operations
    }

    pub(crate) fn alarm_log(&self) -> &Log {
        &self.0.alarm_log
    }

    /// Notes that somebody looks at what was done: once a while, however often it looks. Waits for the
    /// disk.
    pub(crate) fn looked(&self, by: &str) {
        {
            let mut looked = self.0.looked.lock().unwrap_or_else(PoisonError::into_inner);
            looked.retain(|(_, at)| at.elapsed() < LOOKED_AGAIN);
            if looked.iter().any(|(who, _)| who == by) {
                return;
            }
            looked.push((by.to_owned(), Instant::now()));
        }
        self.0.operations.append(by, "looked", "");
    }

    /// Waits until no change of the configuration is under way.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.0.register.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn alarms(&self) -> Vec<Alarm> {
        self.register().all()
    }

    pub(crate) fn changes(&self) -> broadcast::Receiver<Alarm> {
        self.0.changes.subscribe()
    }

    /// Takes note of what is the matter now. Waits for the disk if that changes an alarm.
    pub(crate) fn observe(&self, conditions: Vec<Condition>) {
        let changed = self.register().observe(now_ms(), conditions);
        if changed.is_empty() {
            return;
        }
        self.keep_alarms();
        for alarm in changed {
            let act = if alarm.ended.is_some() { "ended" } else { "raised" };
            self.0.alarm_log.append("peer", act, &about(&alarm, &alarm.detail));
            // Nobody may be listening.
            let _ = self.0.changes.send(alarm);
        }
    }

    /// Notes who has seen an alarm; none if there is no such alarm. Waits for the disk.
    pub(crate) fn acknowledge(&self, id: u64, by: Acknowledgement) -> Option<Alarm> {
        let alarm = self.register().acknowledge(id, by.clone())?;
        self.keep_alarms();
        self.0.alarm_log.append(&by.by, "acknowledged", &about(&alarm, &by.note));
        let _ = self.0.changes.send(alarm.clone());
        Some(alarm)
    }

    fn keep_alarms(&self) {
        let Some(file) = &self.0.alarms_file else { return };
        // Under the lock, so that an older state never comes over a newer one.
        let register = self.register();
        if let Err(error) = replace(file, &register.all()) {
            tracing::warn!(%error, "alarms could not be kept");
        }
    }
}

fn about(alarm: &Alarm, text: &str) -> String {
    let subject = alarm.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
    format!("alarm {} {}{subject}: {text}", alarm.id, alarm.code)
}

fn kept_alarms(file: &Path) -> Vec<Alarm> {
    let Ok(text) = file::read(file, ALARMS_BYTES_MAX) else { return Vec::new() };
    serde_json::from_slice(&text).unwrap_or_else(|error| {
        tracing::warn!(%error, "the file of alarms is damaged");
        Vec::new()
    })
}

/// A key that is as new as this run. Without it only operators whose keys the ledger knows do anything.
fn machine_key(data: &Path) -> Option<PublicKey> {
    let mut secret = [0; 32];
    rand::RngCore::fill_bytes(&mut rand::rngs::OsRng, &mut secret);
    if let Err(error) = operating::write_machine_key(data, &secret) {
        tracing::warn!(%error, "no key for the command line on this machine");
        return None;
    }
    SigningKey::from_secret(Suite::Ed25519, secret).map(|key| key.public_key())
}

/// A submission that is being taken in.
#[derive(Debug)]
pub(crate) struct Submitting(Operation);

impl Drop for Submitting {
    fn drop(&mut self) {
        self.0.0.submitting.fetch_sub(1, Ordering::SeqCst);
    }
}
