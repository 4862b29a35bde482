//! Sessions and retained messages on disk, by a thread that writes in groups.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use althing_edge::DiskKey;
use althing_edge::broker::Write;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use tokio::sync::{oneshot, watch};

use super::hub::Ticket;

/// Data kept in memory, bytes: what was written is read at a start only.
const CACHE_BYTES: u64 = 1024 * 1024;
/// Writes gathered in memory before they are sorted into files, bytes.
const GATHER_BYTES: u64 = 4 * 1024 * 1024;
/// Journal on disk, bytes; the library takes no less.
const JOURNAL_BYTES: u64 = 64 * 1024 * 1024;
/// Writes that wait for the disk, bytes; beyond, nothing is taken that would have to be written.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Most jobs that one flush makes durable.
const JOBS_AT_ONCE: usize = 4096;

/// What comes before the value of a row that is encrypted. Others begin with an array's head.
const SEALED: u8 = 1;

/// The store cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk does not do it.
    #[error("failed to {action} the sessions in `{path}`")]
    Disk {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: String,
        /// What failed.
        #[source]
        source: fjall::Error,
    },
    /// A row was encrypted with a key that is not at hand, or was changed.
    #[error(
        "the sessions in `{path}` were encrypted with another key; name the file of that key in \
         `encryption_key` of [gateway]"
    )]
    Key {
        /// The folder.
        path: String,
    },
}

/// What the thread is asked to do.
enum Job {
    Write(Ticket, Vec<Write>),
    Finish(oneshot::Sender<()>),
}

/// Rows as they were found.
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// The handle of the thread.
#[derive(Debug)]
pub(crate) struct Store {
    jobs: std_mpsc::Sender<Job>,
    next: AtomicU64,
    waiting_bytes: Arc<AtomicUsize>,
    durable: watch::Receiver<Ticket>,
}

impl Store {
    /// Opens the store in a folder, created if missing, and reads it; a disk that fails later is
    /// tried again after `retry`.
    pub(crate) fn open(
        path: &Path,
        retry: Duration,
        key: DiskKey,
    ) -> Result<(Self, Rows), StoreError> {
        let failed = |action| {
            let path = path.display().to_string();
            move |source| StoreError::Disk { action, path, source }
        };
        let database = Database::builder(path)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .worker_threads(1)
            .open()
            .map_err(failed("open"))?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(GATHER_BYTES);
        let keyspace = database.keyspace("sessions", options).map_err(failed("open"))?;
        let rows = keyspace.iter().map(|row| {
            let (key, value) = row.into_inner()?;
            Ok((key.to_vec(), value.to_vec()))
        });
        let rows = rows.collect::<Result<Rows, fjall::Error>>().map_err(failed("read"))?;
        let opened = rows.into_iter().map(|row| opened(&key, row)).collect::<Option<Rows>>();
        let rows = opened.ok_or_else(|| StoreError::Key { path: path.display().to_string() })?;
        let (jobs, receiver) = std_mpsc::channel();
        let (say, durable) = watch::channel(0);
        let waiting_bytes = Arc::new(AtomicUsize::new(0));
        let waiting = waiting_bytes.clone();
        let disk = Disk { database, keyspace, key, retry, say, waiting_bytes: waiting };
        std::thread::Builder::new()
            .name("gateway-sessions".into())
            .spawn(move || disk.run(&receiver))
            .map_err(fjall::Error::Io)
            .map_err(failed("open"))?;
        Ok((Self { jobs, next: AtomicU64::new(1), waiting_bytes, durable }, rows))
    }

    /// Hands over rows; durable once the ticket is.
    pub(crate) fn write(&self, writes: Vec<Write>) -> Ticket {
        if writes.is_empty() {
            return 0;
        }
        self.waiting_bytes.fetch_add(cost(&writes), Ordering::Relaxed);
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        // Without its thread nothing becomes durable, and nothing is acknowledged.
        let _ = self.jobs.send(Job::Write(ticket, writes));
        ticket
    }

    pub(crate) fn durable(&self) -> watch::Receiver<Ticket> {
        self.durable.clone()
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.waiting_bytes.load(Ordering::Relaxed) > WAITING_BYTES_MAX
    }

    pub(crate) fn finish(&self, done: oneshot::Sender<()>) {
        // If the thread ended, so does the wait for it.
        let _ = self.jobs.send(Job::Finish(done));
    }
}

/// What an encrypted row is bound to.
fn place(key: &[u8]) -> Vec<u8> {
    [b"sessions", key].concat()
}

/// A row as it was before it was encrypted, if it was; none if it was with another key.
fn opened(disk: &DiskKey, (key, value): (Vec<u8>, Vec<u8>)) -> Option<(Vec<u8>, Vec<u8>)> {
    let Some((&SEALED, sealed)) = value.split_first() else { return Some((key, value)) };
    let value = disk.reads()?.open(&place(&key), sealed)?;
    Some((key, value))
}

fn cost(writes: &[Write]) -> usize {
    let row = |write: &Write| write.key.len() + write.value.as_ref().map_or(0, Vec::len);
    writes.iter().map(row).sum()
}

/// The thread's side.
struct Disk {
    database: Database,
    keyspace: Keyspace,
    key: DiskKey,
    retry: Duration,
    say: watch::Sender<Ticket>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl Disk {
    fn run(self, jobs: &std_mpsc::Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let more = std::iter::from_fn(|| jobs.try_recv().ok()).take(JOBS_AT_ONCE);
            let (mut rows, mut last, mut finish) = (Vec::new(), None, None);
            for job in std::iter::once(first).chain(more) {
                match job {
                    Job::Write(ticket, writes) => {
                        rows.extend(writes);
                        last = Some(ticket);
                    }
                    Job::Finish(done) => finish = Some(done),
                }
            }
            if let Some(last) = last {
                self.make_durable(&rows);
                self.waiting_bytes.fetch_sub(cost(&rows), Ordering::Relaxed);
                self.say.send_replace(last);
            }
            if let Some(done) = finish {
                drop(self);
                // Whoever asked may have given up.
                let _ = done.send(());
                return;
            }
        }
    }

    /// Writes until it works: what waits for it is not acknowledged meanwhile.
    fn make_durable(&self, rows: &[Write]) {
        while let Err(error) = self.commit(rows) {
            tracing::error!(
                %error,
                "sessions and retained messages cannot be written; what depends on them is not \
                 acknowledged until they can. Free space on the disk, or replace it"
            );
            std::thread::sleep(self.retry);
        }
    }

    fn commit(&self, rows: &[Write]) -> Result<(), fjall::Error> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        for Write { key, value } in rows {
            match value {
                Some(value) => match self.key.writes() {
                    Some(disk) => {
                        let sealed = [&[SEALED][..], &disk.seal(&place(key), value)].concat();
                        batch.insert(&self.keyspace, key.as_slice(), sealed);
                    }
                    None => batch.insert(&self.keyspace, key.as_slice(), value.as_slice()),
                },
                None => batch.remove(&self.keyspace, key.as_slice()),
            }
        }
        batch.commit()
    }
}
