//! A log that is only appended to: lines in files, each entry with the digest of the one before, and
//! encrypted if there is a key for that.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use althing_client::{
    file,
    model::{Hex, LogEntry, LogPart},
};
use althing_types::Digest;

use super::LogKey;
use crate::reader::now_ms;

/// Length from which on a new file is begun, bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Most files; the oldest goes when there would be one more.
const FILES_MAX: usize = 8;
/// Longest file that is read, bytes: one full, and a last entry, which encryption makes a third longer.
const FILE_READ_BYTES_MAX: u64 = FILE_BYTES_MAX + 64 * 1024;
/// Longest detail of an entry, bytes; more is cut.
const DETAIL_BYTES_MAX: usize = 2048;
/// Most entries kept where there is no folder.
const MEMORY_MAX: usize = 256;

/// The log.
#[derive(Debug)]
pub(crate) struct Log {
    /// Where its files are; none keeps it in memory.
    place: Option<Place>,
    inner: Mutex<Inner>,
}

/// Folder and name of files, and what their lines are encrypted with.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    name: &'static str,
    key: Option<Arc<LogKey>>,
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
    pub(crate) fn open(
        folder: Option<&Path>,
        name: &'static str,
        key: Option<Arc<LogKey>>,
    ) -> Self {
        let place = folder.map(|folder| Place { folder: folder.to_path_buf(), name, key });
        let mut inner = Inner::default();
        if let Some(place) = &place
            && let Err(error) = inner.read(place)
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
            Some(place) => {
                if let Err(error) = inner.write(place, &entry) {
                    tracing::error!(%error, name = place.name, "an entry of a log could not be kept");
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
        if let Some(place) = &self.place {
            for (index, first) in files.iter().enumerate() {
                let skipped = files.get(index + 1).is_some_and(|next| *next <= after + 1);
                if skipped || items.len() >= limit {
                    continue;
                }
                let text = file::read(&place.path(*first), FILE_READ_BYTES_MAX)?;
                let entries = lines(&text).filter_map(|line| place.entry(line));
                items.extend(entries.filter(|entry| entry.number > after));
            }
        }
        items.retain(|entry| entry.number > after);
        items.truncate(limit);
        Ok(LogPart { items, newest })
    }
}

impl Inner {
    fn read(&mut self, place: &Place) -> io::Result<()> {
        self.files = files(&place.folder, place.name)?;
        let (mut before, mut wrong): (Option<LogEntry>, Option<u64>) = (None, None);
        let mut was_sealed = false;
        let last = self.files.last().copied();
        for first in self.files.clone() {
            let path = place.path(first);
            let text = file::read(&path, FILE_READ_BYTES_MAX)?;
            let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            if whole < text.len() && Some(first) == last {
                // A crash came before it was on disk, so nobody was told of it.
                OpenOptions::new().write(true).open(&path)?.set_len(whole as u64)?;
            }
            self.bytes = whole as u64;
            for line in lines(&text[..whole]) {
                let is_sealed = !line.starts_with(b"{");
                match place.entry(line) {
                    Some(entry) => {
                        // Whoever has no key could write the rest anew in the open.
                        if !entry.follows(before.as_ref()) || (was_sealed && !is_sealed) {
                            wrong.get_or_insert(entry.number);
                        }
                        before = Some(entry);
                    }
                    None => {
                        _ = wrong.get_or_insert(before.as_ref().map_or(1, |one| one.number + 1))
                    }
                }
                was_sealed |= is_sealed;
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

    fn write(&mut self, place: &Place, entry: &LogEntry) -> io::Result<()> {
        let line = place.line(entry)?;
        let current = self.files.last().copied().filter(|_| self.bytes < FILE_BYTES_MAX);
        let first = current.unwrap_or(entry.number);
        let mut file = OpenOptions::new().create(true).append(true).open(place.path(first))?;
        file.write_all(&line)?;
        file.sync_data()?;
        if current.is_none() {
            File::open(&place.folder)?.sync_all()?;
            self.files.push(first);
            self.bytes = 0;
        }
        self.bytes += line.len() as u64;
        while self.files.len() > FILES_MAX {
            let oldest = self.files.remove(0);
            fs::remove_file(place.path(oldest))?;
        }
        Ok(())
    }
}

impl Place {
    fn path(&self, first: u64) -> PathBuf {
        path(&self.folder, self.name, first)
    }

    fn line(&self, entry: &LogEntry) -> io::Result<Vec<u8>> {
        let text = serde_json::to_vec(entry)?;
        let mut line = match &self.key {
            None => text,
            Some(key) => key.seal(self.name, &text).into_bytes(),
        };
        line.push(b'\n');
        Ok(line)
    }

    /// An entry, encrypted or, from before there was a key, as it is.
    fn entry(&self, line: &[u8]) -> Option<LogEntry> {
        if line.starts_with(b"{") {
            return serde_json::from_slice(line).ok();
        }
        let text = self.key.as_ref()?.open(self.name, line)?;
        serde_json::from_slice(&text).ok()
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
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
        let open = || Log::open(Some(folder.path()), "operations", None);
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
        let open = || Log::open(Some(folder.path()), "operations", None);
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
    fn nobody_reads_a_log_without_its_key_and_what_was_open_before_stays_readable() {
        let folder = tempfile::tempdir().unwrap();
        let open = |secret: Option<u8>| {
            let key = secret.map(|byte| Arc::new(LogKey::derive(&[byte; 32])));
            Log::open(Some(folder.path()), "operations", key)
        };
        open(None).append("machine", "started", "in the open");
        let log = open(Some(7));
        log.append("machine", "stopped", "by night");
        log.append("peer", "ended", "by night");
        let file = path(folder.path(), "operations", 1);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains("in the open") && !text.contains("night") && !text.contains("peer"));
        let log = open(Some(7));
        assert_eq!(log.damage(), None);
        let part = log.entries(0, 9).unwrap();
        assert!(part.items.len() == 3 && chained(&part.items));
        assert_eq!(part.items[2].act, "ended");
        for (other, shown) in [(Some(8), 1), (None, 1)] {
            let log = open(other);
            assert!(log.damage().is_some());
            assert_eq!(log.entries(0, 9).unwrap().items.len(), shown);
        }
        // Whoever can write to the disk and knows what the last entry said goes on in the open.
        let said = serde_json::to_string(&part.items[2]).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        fs::write(&file, format!("{}\n{}\n{said}\n", lines[0], lines[1])).unwrap();
        assert!(open(Some(7)).damage().is_some());
    }

    #[test]
    fn old_files_go() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(Some(folder.path()), "alarms", None);
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
