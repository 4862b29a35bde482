//! A log that is only appended to: JSON lines in files, each entry with the digest of the one before.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use althing_client::{
    file,
    model::{Hex, LogEntry, LogPart},
};
use althing_types::Digest;

use crate::reader::now_ms;

/// Length from which on a new file is begun, bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Most files; the oldest goes when there would be one more.
const FILES_MAX: usize = 8;
/// Longest file that is read, bytes: one full, and a last entry.
const FILE_READ_BYTES_MAX: u64 = FILE_BYTES_MAX + 64 * 1024;
/// Longest detail of an entry, bytes; more is cut.
const DETAIL_BYTES_MAX: usize = 2048;
/// Most entries kept where there is no folder.
const MEMORY_MAX: usize = 256;

/// The log.
#[derive(Debug)]
pub(crate) struct Log {
    /// Folder and name of its files; none keeps it in memory.
    place: Option<(PathBuf, &'static str)>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    newest: u64,
    head: [u8; 32],
    /// First numbers of the files, ascending, and the length of the last.
    files: Vec<u64>,
    bytes: u64,
    /// What is wrong with it, if something is.
    damage: Option<String>,
    memory: Vec<LogEntry>,
}

impl Log {
    /// Opens the log of this name in a folder and checks what is there. An entry that a crash cut off
    /// goes; whatever else does not follow stays, and is told.
    pub(crate) fn open(folder: Option<&Path>, name: &'static str) -> Self {
        let place = folder.map(|folder| (folder.to_path_buf(), name));
        let mut inner = Inner::default();
        if let Some((folder, name)) = &place
            && let Err(error) = inner.read(folder, name)
        {
            tracing::error!(%error, name, "a log of this peer is damaged");
            inner.damage = Some(error.to_string());
        }
        Self { place, inner: Mutex::new(inner) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with it, if something is.
    pub(crate) fn damage(&self) -> Option<String> {
        self.lock().damage.clone()
    }

    /// Number and digest of the newest entry.
    pub(crate) fn head(&self) -> (u64, [u8; 32]) {
        let inner = self.lock();
        (inner.newest, inner.head)
    }

    /// Adds an entry. Writes to disk and waits for it. What cannot be written is logged elsewhere: a
    /// full disk must not keep an operator from stopping the peer.
    pub(crate) fn append(&self, by: &str, act: &str, detail: &str) {
        let mut inner = self.lock();
        let entry = LogEntry {
            number: inner.newest + 1,
            at: now_ms().into(),
            by: by.to_owned(),
            act: act.to_owned(),
            detail: cut(detail),
            previous: Hex(Digest(inner.head)),
            digest: Hex(Digest([0; 32])),
        }
        .sealed();
        tracing::info!(by, act, detail, "operation");
        match &self.place {
            None => {
                inner.memory.push(entry.clone());
                if inner.memory.len() > MEMORY_MAX {
                    inner.memory.remove(0);
                }
            }
            Some((folder, name)) => {
                if let Err(error) = inner.write(folder, name, &entry) {
                    tracing::error!(%error, name, "an entry of a log could not be kept");
                    inner.damage =
                        Some(format!("entry {} could not be kept: {error}", entry.number));
                    return;
                }
            }
        }
        (inner.newest, inner.head) = (entry.number, entry.digest.0.0);
    }

    /// The entries behind a number, the oldest first. Reads from disk.
    pub(crate) fn entries(&self, after: u64, limit: usize) -> io::Result<LogPart> {
        let (files, newest, memory) = {
            let inner = self.lock();
            (inner.files.clone(), inner.newest, inner.memory.clone())
        };
        let mut items = memory;
        if let Some((folder, name)) = &self.place {
            for (index, first) in files.iter().enumerate() {
                let skipped = files.get(index + 1).is_some_and(|next| *next <= after + 1);
                if skipped || items.len() >= limit {
                    continue;
                }
                let text = file::read(&path(folder, name, *first), FILE_READ_BYTES_MAX)?;
                let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                let entries = lines.filter_map(|line| serde_json::from_slice(line).ok());
                items.extend(entries.filter(|entry: &LogEntry| entry.number > after));
            }
        }
        items.retain(|entry| entry.number > after);
        items.truncate(limit);
        Ok(LogPart { items, newest })
    }
}

impl Inner {
    fn read(&mut self, folder: &Path, name: &str) -> io::Result<()> {
        self.files = files(folder, name)?;
        let (mut before, mut wrong): (Option<LogEntry>, Option<u64>) = (None, None);
        let last = self.files.last().copied();
        for first in self.files.clone() {
            let path = path(folder, name, first);
            let text = file::read(&path, FILE_READ_BYTES_MAX)?;
            let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            if whole < text.len() && Some(first) == last {
                // A crash came before it was on disk, so nobody was told of it.
                OpenOptions::new().write(true).open(&path)?.set_len(whole as u64)?;
            }
            self.bytes = whole as u64;
            for line in text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                match serde_json::from_slice::<LogEntry>(line) {
                    Ok(entry) => {
                        if !entry.follows(before.as_ref()) {
                            wrong.get_or_insert(entry.number);
                        }
                        before = Some(entry);
                    }
                    Err(_) => {
                        _ = wrong.get_or_insert(before.as_ref().map_or(1, |one| one.number + 1))
                    }
                }
            }
        }
        if let Some(last) = before {
            (self.newest, self.head) = (last.number, last.digest.0.0);
        }
        match wrong {
            None => Ok(()),
            Some(number) => {
                Err(io::Error::other(format!("entry {number} does not follow from the one before")))
            }
        }
    }

    fn write(&mut self, folder: &Path, name: &str, entry: &LogEntry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        let current = self.files.last().copied().filter(|_| self.bytes < FILE_BYTES_MAX);
        let first = current.unwrap_or(entry.number);
        let mut file =
            OpenOptions::new().create(true).append(true).open(path(folder, name, first))?;
        file.write_all(&line)?;
        file.sync_data()?;
        if current.is_none() {
            File::open(folder)?.sync_all()?;
            self.files.push(first);
            self.bytes = 0;
        }
        self.bytes += line.len() as u64;
        while self.files.len() > FILES_MAX {
            let oldest = self.files.remove(0);
            fs::remove_file(path(folder, name, oldest))?;
        }
        Ok(())
    }
}

/// The files of a log by the numbers of their first entries, which their names tell.
fn files(folder: &Path, name: &str) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.file_name();
        let number: Option<u64> = file.to_str().and_then(|file| {
            file.strip_prefix(name)?.strip_prefix('-')?.strip_suffix(".jsonl")?.parse().ok()
        });
        found.extend(number);
    }
    found.sort_unstable();
    Ok(found)
}

fn path(folder: &Path, name: &str, first: u64) -> PathBuf {
    folder.join(format!("{name}-{first:020}.jsonl"))
}

/// A text without control characters, and no longer than it may be.
fn cut(text: &str) -> String {
    let mut kept: String = text.chars().filter(|c| !c.is_control()).collect();
    let end = (0..=DETAIL_BYTES_MAX.min(kept.len())).rev().find(|at| kept.is_char_boundary(*at));
    kept.truncate(end.unwrap_or(0));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chained(entries: &[LogEntry]) -> bool {
        let mut before = None;
        entries.iter().all(|entry| entry.follows(before.replace(entry)))
    }

    #[test]
    fn a_log_goes_on_after_a_restart_and_loses_what_a_crash_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Log::open(Some(folder.path()), "operations");
        let log = open();
        log.append("machine", "started", "one\r\ntwo");
        log.append("machine", "stopped", &"ü".repeat(2000));
        let file = path(folder.path(), "operations", 1);
        OpenOptions::new().append(true).open(&file).unwrap().write_all(b"{\"number\":3").unwrap();
        let log = open();
        assert_eq!(log.damage(), None);
        log.append("peer", "started", "");
        let part = log.entries(0, 10).unwrap();
        assert_eq!((part.items.len(), part.newest), (3, 3));
        assert!(chained(&part.items));
        assert_eq!(part.items[0].detail, "onetwo");
        assert!(part.items[1].detail.len() <= DETAIL_BYTES_MAX);
        assert_eq!(log.entries(1, 1).unwrap().items, part.items[1..2]);
        assert_eq!(log.entries(9, 1).unwrap().items, []);
    }

    #[test]
    fn what_was_changed_is_told_and_the_log_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Log::open(Some(folder.path()), "operations");
        let log = open();
        (0..4).for_each(|_| log.append("machine", "stopped", "by night"));
        let file = path(folder.path(), "operations", 1);
        let text = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let without_second = [lines[0], lines[2], lines[3], ""].join("\n");
        for changed in
            [text.replacen("by night", "by day", 2), without_second, format!("x\n{text}")]
        {
            fs::write(&file, changed).unwrap();
            let log = open();
            assert!(log.damage().is_some());
            log.append("peer", "started", "");
            assert_eq!(log.entries(4, 9).unwrap().items[0].number, 5);
        }
    }

    #[test]
    fn old_files_go() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(Some(folder.path()), "alarms");
        let detail = "x".repeat(DETAIL_BYTES_MAX);
        // As many as fill one file more than there may be.
        let count = (FILES_MAX as u64 + 1) * FILE_BYTES_MAX / DETAIL_BYTES_MAX as u64;
        // Waiting for the disk thousands of times would take long: lengths are what counts.
        {
            let mut inner = log.lock();
            for first in 1..=FILES_MAX as u64 {
                fs::write(path(folder.path(), "alarms", first), "").unwrap();
                inner.files.push(first);
            }
            (inner.newest, inner.bytes) = (count, FILE_BYTES_MAX);
        }
        log.append("peer", "raised", &detail);
        assert_eq!(files(folder.path(), "alarms").unwrap().len(), FILES_MAX);
        assert_eq!(log.entries(0, 9).unwrap().items[0].number, count + 1);
    }
}
