//! The store-and-forward queue on disk: segment files in the form of [`althing_edge::journal`].
//!
//! One thread owns the files. It takes batches of records, writes each batch with one `write` and
//! makes it durable with one `fdatasync`: while one flush runs the next batch gathers, so the more
//! devices publish, the more of them share a flush. An append-only file is enough for a queue, and
//! unlike an embedded database it tells a torn tail from damage.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;

use althing_edge::journal::{self, Disk, Done, Identity, Job, OpenError, Recovered, SegmentError};
use althing_edge::{ThingList, ThingSpec};
use tokio::sync::mpsc;

use crate::config::QueueConfig;

/// Why the queue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The directory or a file in it cannot be read or written.
    #[error("failed to {action} `{path}`")]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// A file is no segment of this queue.
    #[error("cannot use `{path}`: {source}")]
    Segment {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SegmentError,
    },
    /// Segments that were there are not: another disk is mounted, or none.
    #[error("the queue in `{path}` is gone; is its disk mounted?")]
    Gone {
        /// The directory.
        path: PathBuf,
    },
    /// Another process has the queue open.
    #[error("`{path}` is in use by another gateway; stop it, or give this one its own directory")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
}

impl QueueError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// The queue of a gateway in its directory.
pub(crate) type Queue = journal::Queue<Directory>;

/// Opens the queue, creating its directory if missing, and reads what is in it. `known` is the
/// number of a segment that must be there, 0 for the first opening.
pub(crate) fn open(
    config: &QueueConfig,
    identity: Identity,
    known: u64,
) -> Result<(Queue, Recovered), QueueError> {
    let disk = Directory::open(config.directory.clone(), known == 0)?;
    let queue = Queue::open(disk, config.segment_bytes, identity, known, config.key.clone());
    queue.map_err(|error| match error {
        OpenError::Disk(error) => error,
        OpenError::Segment { number, source } => {
            QueueError::Segment { path: segment(&config.directory, number), source }
        }
        OpenError::Gone => QueueError::Gone { path: config.directory.clone() },
    })
}

/// A directory with a file for each segment.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    newest: Option<Newest>,
    /// Held as long as the queue is open.
    _lock: File,
}

/// The file that is appended to.
#[derive(Debug)]
struct Newest {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Directory {
    fn open(path: PathBuf, create: bool) -> Result<Self, QueueError> {
        if create {
            fs::create_dir_all(&path).map_err(QueueError::io("create", &path))?;
        }
        let lock = lock(&path)?;
        for left in [unfinished(&path), unfinished_things(&path)] {
            discard(&left)?;
        }
        Ok(Self { path, newest: None, _lock: lock })
    }
}

impl Disk for Directory {
    type Error = QueueError;

    fn numbers(&self) -> Result<Vec<u64>, QueueError> {
        numbers(&self.path)
    }

    fn read(&self, number: u64) -> Result<Vec<u8>, QueueError> {
        let path = segment(&self.path, number);
        fs::read(&path).map_err(QueueError::io("read", &path))
    }

    fn begin(&mut self, number: u64, bytes: &[u8]) -> Result<(), QueueError> {
        let path = segment(&self.path, number);
        self.newest = Some(create(path, bytes)?);
        sync(&self.path)
    }

    fn begin_whole(&mut self, number: u64, bytes: &[u8]) -> Result<(), QueueError> {
        let named = segment(&self.path, number);
        self.newest = Some(write_whole(&unfinished(&self.path), &named, bytes)?);
        sync(&self.path)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), QueueError> {
        let newest =
            self.newest.as_mut().ok_or_else(|| QueueError::Gone { path: self.path.clone() })?;
        if let Err(error) = newest.append(bytes) {
            // Publishers are told that nothing was taken; the error that matters is the first.
            let _ = newest.file.set_len(newest.len);
            return Err(error);
        }
        newest.len += bytes.len() as u64;
        Ok(())
    }

    fn remove(&mut self, number: u64) -> Result<(), QueueError> {
        let path = segment(&self.path, number);
        fs::remove_file(&path).map_err(QueueError::io("delete", &path))
    }
}

impl Newest {
    fn append(&mut self, bytes: &[u8]) -> Result<(), QueueError> {
        self.file.write_all(bytes).map_err(QueueError::io("append to", &self.path))?;
        self.file.sync_data().map_err(QueueError::io("flush", &self.path))
    }
}

/// A new file with its first bytes, which are durable.
fn create(path: PathBuf, bytes: &[u8]) -> Result<Newest, QueueError> {
    let file = OpenOptions::new().append(true).create_new(true).open(&path);
    let file = file.map_err(QueueError::io("create", &path))?;
    let mut newest = Newest { path, file, len: bytes.len() as u64 };
    newest.append(bytes)?;
    Ok(newest)
}

/// A new file of this name, with bytes that are durable before it has the name.
fn write_whole(unnamed: &Path, named: &Path, bytes: &[u8]) -> Result<Newest, QueueError> {
    discard(unnamed)?;
    let written = create(unnamed.to_owned(), bytes).and_then(|newest| {
        fs::rename(unnamed, named).map_err(QueueError::io("rename", unnamed))?;
        Ok(Newest { path: named.to_owned(), ..newest })
    });
    if written.is_err() {
        // The error that matters is the first. What is left here could keep the disk full.
        let _ = discard(unnamed);
    }
    written
}

/// Deletes what a crash or a failure left, if it did.
fn discard(path: &Path) -> Result<(), QueueError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(QueueError::io("delete", path)(error))
        }
        _ => Ok(()),
    }
}

/// Makes the names in a directory durable.
fn sync(directory: &Path) -> Result<(), QueueError> {
    let opened = File::open(directory).map_err(QueueError::io("open", directory))?;
    opened.sync_all().map_err(QueueError::io("flush", directory))
}

/// What the queue's thread does.
#[derive(Debug)]
pub(crate) enum Work {
    /// Makes records durable.
    Records(Job),
    /// Makes durable what the gateway serves.
    Things(ThingList),
}

/// Work that is done.
#[derive(Debug)]
pub(crate) enum Worked {
    Records(Done),
    Things,
}

/// Gives the queue its thread. Work is answered in order; the thread ends after the first error,
/// and when the sender is dropped.
pub(crate) fn spawn(
    mut queue: Queue,
    directory: PathBuf,
) -> (mpsc::Sender<Work>, mpsc::Receiver<Result<Worked, QueueError>>) {
    let (jobs, mut receiver) = mpsc::channel(1);
    let (sender, done) = mpsc::channel(1);
    let work = move || {
        while let Some(work) = receiver.blocking_recv() {
            let result = match work {
                Work::Records(job) => queue.work(job).map(Worked::Records),
                Work::Things(list) => write_things(&directory, &list).map(|()| Worked::Things),
            };
            let failed = result.is_err();
            if sender.blocking_send(result).is_err() || failed {
                return;
            }
        }
    };
    let builder = thread::Builder::new().name("gateway.queue".into());
    if let Err(error) = builder.spawn(work) {
        // The driver sees that `done` is closed.
        tracing::error!(%error, "failed to start the queue's thread");
    }
    (jobs, done)
}

/// Writes what the gateway serves; a crash leaves the list that was there before, or this one. The
/// queue is open, so nobody else writes here.
pub(crate) fn write_things(directory: &Path, list: &ThingList) -> Result<(), QueueError> {
    let (unnamed, named) = (unfinished_things(directory), things(directory));
    write_whole(&unnamed, &named, &list.to_file()).map(drop)?;
    sync(directory)
}

/// What the gateway served when it ended. A list that cannot be read is missing, not fatal: peers
/// have it, too.
pub(crate) fn read_things(directory: &Path, identity: &Identity) -> Vec<ThingSpec> {
    let path = things(directory);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::error!(path = %path.display(), %error, "failed to read the list of things");
            }
            return Vec::new();
        }
    };
    ThingList::from_file(identity, &bytes).map(|list| list.things).unwrap_or_else(|error| {
        tracing::error!(path = %path.display(), "cannot use the list of things: {error}");
        Vec::new()
    })
}

/// A list of things that is being written.
fn unfinished_things(directory: &Path) -> PathBuf {
    directory.join("things.unfinished")
}

/// The file with what the gateway serves.
fn things(directory: &Path) -> PathBuf {
    directory.join("things")
}

const EXTENSION: &str = "queue";

/// The file of a segment.
pub(crate) fn segment(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:016}.{EXTENSION}"))
}

/// Numbers of the segments in a directory, ascending.
fn numbers(directory: &Path) -> Result<Vec<u64>, QueueError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory).map_err(QueueError::io("list", directory))? {
        let entry = entry.map_err(QueueError::io("list", directory))?;
        let path = entry.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            numbers.extend(stem.and_then(|stem| stem.parse::<u64>().ok()));
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// A snapshot that is being written.
fn unfinished(directory: &Path) -> PathBuf {
    directory.join("snapshot.unfinished")
}

fn lock(directory: &Path) -> Result<File, QueueError> {
    let path = directory.join("lock");
    let file = File::create(&path).map_err(QueueError::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(QueueError::Locked { path }),
        Err(fs::TryLockError::Error(source)) => {
            Err(QueueError::Io { action: "lock", path, source })
        }
    }
}

#[cfg(test)]
mod tests;
