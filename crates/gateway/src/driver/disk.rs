//! The queue as the driver sees it: up, or down and to be tried again.

use althing_edge::journal::{Backlog, Identity};
use althing_edge::{Input, Machine, PersistId, Record, ThingList, ThingSpec};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{DISK_FAILED, Driver};
use crate::config::Config;
use crate::queue::{self, QueueError, Work, Worked};
use crate::uplink::{Signer, Uplink};

/// The queue's thread, or why there is none.
pub(super) enum Disk {
    Up {
        jobs: mpsc::Sender<Work>,
        done: mpsc::Receiver<Result<Worked, QueueError>>,
        /// Whether the thread has a job.
        busy: bool,
        /// Records that wait for the next one.
        backlog: Backlog,
        /// Bytes on disk.
        bytes: u64,
        /// Number of the newest segment.
        number: u64,
    },
    Down {
        why: String,
        retry: Instant,
        /// Number of a segment that must be there.
        known: u64,
    },
}

/// What was on the disk.
pub(super) struct Found {
    pub(super) records: Vec<Record>,
    /// How many places of it were damaged.
    pub(super) damage: usize,
    /// What the gateway served.
    pub(super) things: Vec<ThingSpec>,
}

impl Disk {
    /// Opens the queue; segment `known` must be there, unless it is 0.
    pub(super) fn open(config: &Config, known: u64) -> Result<(Self, Found), QueueError> {
        let (queue, recovered) = queue::open(&config.queue, identity(config), known)?;
        let things = queue::read_things(&config.queue.directory, &identity(config));
        for (number, bytes) in &recovered.damage {
            tracing::error!(
                path = %queue::segment(&config.queue.directory, *number).display(), ?bytes,
                "the queue is damaged: readings acknowledged here are lost, and their numbers \
                 become a gap on the ledger; check the disk"
            );
        }
        let (bytes, number) = (queue.bytes(), queue.number());
        let (jobs, done) = queue::spawn(queue, config.queue.directory.clone());
        let backlog = Backlog::new(config.queue.segment_bytes);
        let disk = Self::Up { jobs, done, busy: false, backlog, bytes, number };
        let (records, damage) = (recovered.records, recovered.damage.len());
        Ok((disk, Found { records, damage, things }))
    }

    pub(super) fn push(&mut self, id: PersistId, record: Record) {
        if let Self::Up { backlog, .. } = self {
            backlog.push(id, record);
        }
    }

    /// The answer of the thread; waits forever if there is none to come.
    pub(super) async fn written(&mut self) -> Result<Worked, Option<QueueError>> {
        match self {
            Self::Up { done, .. } => match done.recv().await {
                Some(result) => result.map_err(Some),
                None => Err(None),
            },
            Self::Down { .. } => std::future::pending().await,
        }
    }

    pub(super) const fn is_down(&self) -> bool {
        matches!(self, Self::Down { .. })
    }

    pub(super) fn is_idle(&self) -> bool {
        match self {
            Self::Up { busy, backlog, .. } => !busy && backlog.is_empty(),
            Self::Down { .. } => true,
        }
    }

    const fn known(&self) -> u64 {
        match self {
            Self::Up { number, .. } => *number,
            Self::Down { known, .. } => *known,
        }
    }

    pub(super) fn failure(&self) -> Option<String> {
        match self {
            Self::Up { .. } => None,
            Self::Down { why, .. } => Some(why.clone()),
        }
    }

    pub(super) const fn retry(&self) -> Option<Instant> {
        match self {
            Self::Up { .. } => None,
            Self::Down { retry, .. } => Some(*retry),
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.retry().is_some_and(|retry| Instant::now() >= retry)
    }
}

impl<U: Uplink, S: Signer> Driver<U, S> {
    /// Hands what waits to the thread, if that is free and somebody wants it written.
    pub(super) fn write(&mut self) {
        let Disk::Up { jobs, busy, backlog, bytes, .. } = &mut self.disk else { return };
        if *busy {
            return;
        }
        let work = if std::mem::take(&mut self.is_unsaved) {
            let things = self.machine.things().collect();
            Some(Work::Things(ThingList { identity: identity(&self.config), things }))
        } else {
            backlog.take(&self.machine, *bytes, self.stop_by.is_some()).map(Work::Records)
        };
        // The thread takes one job at a time, so there is room; if it ended, `done` says so.
        *busy = work.is_some_and(|work| jobs.try_send(work).is_ok());
    }

    pub(super) fn on_written(&mut self, written: Result<Worked, Option<QueueError>>) {
        if let (Ok(_), Disk::Up { busy, .. }) = (&written, &mut self.disk) {
            *busy = false;
        }
        match written {
            Ok(Worked::Things) => {}
            Ok(Worked::Records(done)) => {
                if let Disk::Up { bytes, number, .. } = &mut self.disk {
                    (*bytes, *number) = (done.bytes, done.number);
                }
                if done.undeleted > 0 {
                    self.log_undeleted(done.undeleted);
                }
                self.input(Input::Persisted { through: done.through });
            }
            Err(error) => self.fail(error.as_ref()),
        }
    }

    /// The disk failed: nothing that waits for it was taken, and what the machine believes is on
    /// disk may not be. It is rebuilt from what is there, as after a crash.
    fn fail(&mut self, error: Option<&QueueError>) {
        let why = error.map_or_else(|| "the queue's thread ended".to_owned(), describe);
        tracing::error!(
            why,
            "the queue takes no writes; publishes are refused until it does. Free space on the \
             disk, or replace it"
        );
        for (_, reply) in self.waiting.drain() {
            reply.send(Err(DISK_FAILED));
        }
        self.stay_down(why);
    }

    /// Says that files stay on the disk, not more often than somebody can read it.
    fn log_undeleted(&mut self, files: usize) {
        if self.may_log("undeleted") {
            tracing::warn!(
                files, directory = %self.config.queue.directory.display(),
                "files of the queue whose readings are final cannot be deleted; check the \
                 directory's permissions. The gateway goes on and tries again"
            );
        }
    }

    pub(super) fn reopen(&mut self) {
        let opened = Disk::open(&self.config, self.disk.known()).map_err(|error| describe(&error));
        match opened {
            Ok((disk, found)) => match Machine::recover(self.config.edge.clone(), found.records) {
                Ok(mut machine) => {
                    machine.keep_marks_of(&self.machine);
                    tracing::info!("the queue takes writes again");
                    let things: Vec<ThingSpec> = self.machine.things().collect();
                    (self.disk, self.machine) = (disk, machine);
                    self.generation += 1;
                    self.damage = found.damage;
                    // It may have been the list of things that could not be written.
                    self.is_unsaved = true;
                    match self.is_listed {
                        true => self.input(Input::Things(things)),
                        false => self.serve(things),
                    }
                    if self.stop_by.is_some() {
                        self.input(Input::Stop);
                    }
                }
                Err(error) => self.stay_down(error.to_string()),
            },
            Err(why) => self.stay_down(why),
        }
    }

    fn stay_down(&mut self, why: String) {
        let (retry, known) = (Instant::now() + self.config.queue.retry, self.disk.known());
        self.disk = Disk::Down { why, retry, known };
    }
}

fn identity(config: &Config) -> Identity {
    Identity { ledger: config.edge.ledger, gateway: config.edge.gateway }
}

/// An error with its causes, in one line.
fn describe(error: &QueueError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
