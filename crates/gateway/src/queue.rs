//! The store-and-forward queue on disk: segment files in the form of [`althing_edge::journal`].
//!
//! One thread owns the files. It takes batches of records, writes each batch with one `write` and
//! makes it durable with one `fdatasync`: while one flush runs the next batch gathers, so the more
//! devices publish, the more of them share a flush. An append-only file is enough for a queue, and
//! unlike an embedded database it tells a torn tail from damage.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;

use althing_edge::journal::{self, Identity, SegmentError, Segments};
use althing_edge::{PersistId, Record};
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

/// What an earlier run left in the queue.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// Its records, in order.
    pub(crate) records: Vec<Record>,
    /// Bytes that were acknowledged once and cannot be read any more, with where.
    pub(crate) damage: Vec<(PathBuf, std::ops::Range<usize>)>,
}

/// The files, open for appending.
#[derive(Debug)]
pub(crate) struct Queue {
    directory: PathBuf,
    segment_bytes: u64,
    identity: Identity,
    number: u64,
    file: File,
    /// Lengths of all segments, bytes.
    lens: BTreeMap<u64, u64>,
    segments: Segments,
    /// Held as long as the queue is open.
    _lock: File,
}

impl Queue {
    /// Opens the queue, creating it if missing, and reads what is in it. Begins a new segment, so
    /// that nothing is ever appended to a file that a crash may have torn.
    ///
    /// `known` is the number of a segment that must be there, 0 for the first opening: an empty
    /// directory in place of the queue would otherwise pass for an empty queue.
    pub(crate) fn open(
        config: &QueueConfig,
        identity: Identity,
        known: u64,
    ) -> Result<(Self, Recovered), QueueError> {
        let directory = config.directory.clone();
        if known == 0 {
            fs::create_dir_all(&directory).map_err(QueueError::io("create", &directory))?;
        }
        let numbers = numbers(&directory)?;
        if numbers.last().copied().unwrap_or_default() < known {
            return Err(QueueError::Gone { path: directory });
        }
        let lock = lock(&directory)?;
        let mut segments = Segments::default();
        let mut recovered = Recovered { records: Vec::new(), damage: Vec::new() };
        let (mut last, mut lens) = (0, BTreeMap::new());
        for number in numbers {
            let path = path(&directory, number);
            let bytes = fs::read(&path).map_err(QueueError::io("read", &path))?;
            last = number;
            let scan = match journal::scan(number, &identity, &bytes) {
                // A crash between creating a segment and writing its header: nothing was in it.
                Err(SegmentError::Header) if bytes.len() < journal::HEADER_BYTES => {
                    fs::remove_file(&path).map_err(QueueError::io("delete", &path))?;
                    continue;
                }
                scan => {
                    scan.map_err(|source| QueueError::Segment { path: path.clone(), source })?
                }
            };
            lens.insert(number, bytes.len() as u64);
            segments.open(number);
            scan.records.iter().for_each(|record| segments.wrote(record));
            recovered.records.extend(scan.records);
            recovered.damage.extend(scan.damage.into_iter().map(|range| (path.clone(), range)));
        }
        let number = last + 1;
        let file = begin(&path(&directory, number))?;
        let segment_bytes = config.segment_bytes;
        let mut queue =
            Self { directory, segment_bytes, identity, number, file, lens, segments, _lock: lock };
        queue.write_head()?;
        queue.delete_finished()?;
        Ok((queue, recovered))
    }

    /// Number of the newest segment.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// Bytes of all segments.
    pub(crate) fn bytes(&self) -> u64 {
        self.lens.values().sum()
    }

    /// Length of the newest segment.
    fn len(&self) -> u64 {
        self.lens.get(&self.number).copied().unwrap_or_default()
    }

    /// Appends records; durable when it returns. After an error the queue must be opened anew. As
    /// far as the disk allows, nothing of what failed is left behind.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<(), QueueError> {
        if self.len() >= self.segment_bytes {
            self.rotate()?;
        }
        if let Err(error) = self.write(records) {
            // Publishers are told that nothing was taken; the error that matters is the first.
            let _ = self.file.set_len(self.len());
            return Err(error);
        }
        self.delete_finished()
    }

    /// Replaces all there is by a snapshot, which begins with [`Record::Reset`]. It gets its name
    /// when it is durable, so that a crash leaves either the old or the new.
    pub(crate) fn replace(&mut self, snapshot: &[Record]) -> Result<(), QueueError> {
        let number = self.number + 1;
        let (unnamed, named) = (unfinished(&self.directory), path(&self.directory, number));
        // Left by a crash, perhaps.
        let _ = fs::remove_file(&unnamed);
        let mut file = begin(&unnamed)?;
        let mut bytes = journal::header(number, &self.identity);
        for record in snapshot {
            journal::frame(number, 0, record, &mut bytes);
        }
        file.write_all(&bytes).map_err(QueueError::io("write", &unnamed))?;
        file.sync_data().map_err(QueueError::io("flush", &unnamed))?;
        fs::rename(&unnamed, &named).map_err(QueueError::io("rename", &unnamed))?;
        sync_directory(&self.directory)?;
        (self.number, self.file) = (number, file);
        self.lens.insert(number, bytes.len() as u64);
        self.segments.open(number);
        snapshot.iter().for_each(|record| self.segments.wrote(record));
        self.delete_finished()
    }

    fn write(&mut self, records: &[Record]) -> Result<(), QueueError> {
        let mut bytes = Vec::new();
        for record in records {
            journal::frame(self.number, self.len(), record, &mut bytes);
            self.segments.wrote(record);
        }
        self.write_bytes(&bytes)
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> Result<(), QueueError> {
        let path = path(&self.directory, self.number);
        self.file.write_all(bytes).map_err(QueueError::io("append to", &path))?;
        self.file.sync_data().map_err(QueueError::io("flush", &path))?;
        *self.lens.entry(self.number).or_default() += bytes.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), QueueError> {
        let number = self.number + 1;
        self.file = begin(&path(&self.directory, number))?;
        self.number = number;
        self.write_head()
    }

    /// The header of a new segment and where each stream stands, so that older ones can go.
    fn write_head(&mut self) -> Result<(), QueueError> {
        let heads = self.segments.checkpoint();
        self.segments.open(self.number);
        self.write_bytes(&journal::header(self.number, &self.identity))?;
        self.write(&heads)?;
        sync_directory(&self.directory)
    }

    fn delete_finished(&mut self) -> Result<(), QueueError> {
        for number in self.segments.take_finished() {
            let path = path(&self.directory, number);
            fs::remove_file(&path).map_err(QueueError::io("delete", &path))?;
            self.lens.remove(&number);
        }
        Ok(())
    }
}

/// Records on their way to disk.
pub(crate) type Batch = Vec<(PersistId, Record)>;

/// What the queue's thread is to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// Append these.
    Append(Batch),
    /// Replace everything by this snapshot, which covers all records up to the one with this id.
    Replace(Vec<Record>, PersistId),
}

/// What the queue's thread has done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    /// The last record that is durable.
    pub(crate) through: PersistId,
    /// Bytes on disk.
    pub(crate) bytes: u64,
    /// Number of the newest segment.
    pub(crate) number: u64,
}

/// Gives the queue its thread. Each job is answered in order; the thread ends after the first
/// error, and when the sender is dropped.
pub(crate) fn spawn(
    mut queue: Queue,
) -> (mpsc::Sender<Job>, mpsc::Receiver<Result<Done, QueueError>>) {
    let (jobs, mut receiver) = mpsc::channel(1);
    let (sender, done) = mpsc::channel(1);
    let work = move || {
        while let Some(job) = receiver.blocking_recv() {
            let result = queue.work(job);
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

impl Queue {
    fn work(&mut self, job: Job) -> Result<Done, QueueError> {
        let through = match job {
            Job::Append(batch) => {
                let through = batch.last().map(|(id, _)| *id).unwrap_or_default();
                let records: Vec<Record> = batch.into_iter().map(|(_, record)| record).collect();
                self.append(&records)?;
                through
            }
            Job::Replace(snapshot, through) => {
                self.replace(&snapshot)?;
                through
            }
        };
        Ok(Done { through, bytes: self.bytes(), number: self.number })
    }
}

const EXTENSION: &str = "queue";

fn path(directory: &Path, number: u64) -> PathBuf {
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

fn begin(path: &Path) -> Result<File, QueueError> {
    let file = OpenOptions::new().append(true).create_new(true).open(path);
    file.map_err(QueueError::io("create", path))
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

/// Makes names of files durable.
fn sync_directory(directory: &Path) -> Result<(), QueueError> {
    let opened = File::open(directory).map_err(QueueError::io("open", directory))?;
    opened.sync_all().map_err(QueueError::io("flush", directory))
}

#[cfg(test)]
mod tests;
