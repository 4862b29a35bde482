use std::{
    fmt,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use althing_state::{Batch, Cause, Direction, Frozen, Row, Space, Store, StoreError};
use fjall::{
    Database, Error, Guard, Keyspace, KeyspaceCreateOptions, PersistMode, Readable as _, Snapshot,
    config::CompressionPolicy,
};

/// How much memory and disk the store may take for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Blocks of data kept in memory, bytes.
    pub cache_bytes: u64,
    /// Writes gathered in memory for each space before they are sorted into files, bytes.
    pub gather_bytes: u64,
    /// Journal kept on disk before the oldest writes must be sorted in, bytes; at least 64 MiB. The
    /// time of a start grows with it.
    pub journal_bytes: u64,
}

impl Settings {
    /// For a small machine: 8 MiB of cache, 8 MiB gathered per space, 64 MiB of journal.
    pub const MODEST: Self = Self {
        cache_bytes: 8 * 1024 * 1024,
        gather_bytes: 8 * 1024 * 1024,
        journal_bytes: JOURNAL_BYTES_MIN,
    };
}

/// The library takes no smaller journal, bytes.
const JOURNAL_BYTES_MIN: u64 = 64 * 1024 * 1024;

/// Why a store on disk cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// Another process has it open.
    #[error(
        "the data folder `{}` is in use by another process; stop that peer first, or use another \
         folder",
        path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// Anything else.
    #[error("failed to open the data folder `{}`", path.display())]
    Failed {
        /// The folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Cause,
    },
}

/// A [`Store`] in a folder, on the log-structured store `fjall`.
///
/// A space is made by the first write to it: each takes some twenty flushes, which a network that
/// begins would wait for, and half of them hold nothing before the first reading.
pub struct FjallStore {
    database: Database,
    spaces: [OnceLock<Keyspace>; Space::ALL.len()],
    gather_bytes: u64,
}

impl fmt::Debug for FjallStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FjallStore").finish_non_exhaustive()
    }
}

impl FjallStore {
    /// Opens or creates the store in a folder.
    ///
    /// # Errors
    /// [`OpenStoreError`] if it is in use, cannot be created or is damaged beyond reading.
    pub fn open(path: &Path, settings: &Settings) -> Result<Self, OpenStoreError> {
        let failed = |error| match error {
            Error::Locked => OpenStoreError::Locked { path: path.to_owned() },
            error => OpenStoreError::Failed { path: path.to_owned(), source: Cause::new(error) },
        };
        let database = Database::builder(path)
            .cache_size(settings.cache_bytes)
            .max_journaling_size(settings.journal_bytes.max(JOURNAL_BYTES_MIN))
            .worker_threads(1)
            .open()
            .map_err(failed)?;
        let spaces = std::array::from_fn(|_| OnceLock::new());
        let store = Self { database, spaces, gather_bytes: settings.gather_bytes };
        for space in Space::ALL {
            if store.database.keyspace_exists(space.name()) {
                store.made(space).map_err(failed)?;
            }
        }
        Ok(store)
    }

    /// Bytes on disk, journal included.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    pub fn disk_bytes(&self) -> Result<u64, StoreError> {
        self.database.disk_space().map_err(|error| failure("measure the store", error))
    }

    /// The space, if anything was ever written to it.
    fn space(&self, space: Space) -> Option<&Keyspace> {
        self.spaces[space as usize].get()
    }

    /// The space, made now if it was not there.
    fn made(&self, space: Space) -> Result<&Keyspace, Error> {
        let place = &self.spaces[space as usize];
        if let Some(made) = place.get() {
            return Ok(made);
        }
        let options = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(self.gather_bytes)
                .data_block_compression_policy(CompressionPolicy::all(fjall::CompressionType::Lz4))
        };
        // Whoever else makes it at the same time is given the same one.
        let made = self.database.keyspace(space.name(), options)?;
        Ok(place.get_or_init(|| made))
    }
}

impl Store for FjallStore {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(keyspace) = self.space(space) else { return Ok(None) };
        let value = keyspace.get(key).map_err(|error| failure("read a value", error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let Some(keyspace) = self.space(space) else { return Ok(Vec::new()) };
        if to.is_some_and(|to| to <= from) {
            return Ok(Vec::new());
        }
        let end = to.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = keyspace.range::<&[u8], _>((Bound::Included(from), end));
        match direction {
            Direction::Forward => rows.take(limit).map(row).collect(),
            Direction::Backward => rows.rev().take(limit).map(row).collect(),
        }
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut writes = self.database.batch().durability(Some(PersistMode::SyncData));
        for (space, key, value) in batch.writes {
            let keyspace = self.made(space).map_err(|error| failure("make a space", error))?;
            match value {
                Some(value) => writes.insert(keyspace, key, value),
                None => writes.remove(keyspace, key),
            }
        }
        writes.commit().map_err(|error| failure("write a batch", error))
    }

    fn frozen(&self) -> Arc<dyn Frozen> {
        let spaces = self.spaces.iter().map(|space| space.get().cloned()).collect();
        Arc::new(Moment { snapshot: self.database.snapshot(), spaces })
    }
}

/// What the library keeps readable of one moment.
struct Moment {
    snapshot: Snapshot,
    spaces: Vec<Option<Keyspace>>,
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moment").finish_non_exhaustive()
    }
}

impl Frozen for Moment {
    fn scan_from(&self, space: Space, from: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let Some(Some(keyspace)) = self.spaces.get(space as usize) else { return Ok(Vec::new()) };
        self.snapshot.range(keyspace, from.to_vec()..).take(limit).map(row).collect()
    }
}

fn row(guard: Guard) -> Result<Row, StoreError> {
    let (key, value) = guard.into_inner().map_err(|error| failure("read a range", error))?;
    Ok((key.to_vec(), value.to_vec()))
}

fn failure(attempt: &'static str, error: Error) -> StoreError {
    match &error {
        Error::Io(cause) if cause.kind() == std::io::ErrorKind::StorageFull => StoreError::Full,
        _ => StoreError::Io { attempt, source: Cause::new(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(pairs: &[(Space, &str, Option<&str>)]) -> Batch {
        let mut batch = Batch::default();
        for (space, key, value) in pairs {
            match value {
                Some(value) => batch.put(*space, *key, *value),
                None => batch.remove(*space, *key),
            }
        }
        batch
    }

    #[test]
    fn batches_span_spaces_and_survive_a_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let store = FjallStore::open(folder.path(), &Settings::MODEST).unwrap();
        store
            .commit(batch(&[
                (Space::State, "a", Some("1")),
                (Space::State, "b", Some("2")),
                (Space::State, "c", Some("3")),
                (Space::Index, "a", Some("other")),
            ]))
            .unwrap();
        store.commit(batch(&[(Space::State, "b", None)])).unwrap();
        drop(store);
        let store = FjallStore::open(folder.path(), &Settings::MODEST).unwrap();
        assert_eq!(store.get(Space::Index, b"a").unwrap().unwrap(), b"other");
        assert_eq!(store.get(Space::State, b"b").unwrap(), None);
        let keys = |from: &[u8], to: Option<&[u8]>, direction| {
            let rows = store.scan(Space::State, from, to, direction, 10).unwrap();
            rows.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(keys(b"", None, Direction::Forward), ["a", "c"]);
        assert_eq!(keys(b"", None, Direction::Backward), ["c", "a"]);
        assert_eq!(keys(b"a", Some(b"c"), Direction::Forward), ["a"]);
        assert!(keys(b"c", Some(b"a"), Direction::Forward).is_empty());
    }

    #[test]
    fn what_is_frozen_does_not_change() {
        let folder = tempfile::tempdir().unwrap();
        let store = FjallStore::open(folder.path(), &Settings::MODEST).unwrap();
        store
            .commit(batch(&[(Space::State, "a", Some("1")), (Space::State, "b", Some("2"))]))
            .unwrap();
        let frozen = store.frozen();
        store
            .commit(batch(&[
                (Space::State, "a", Some("9")),
                (Space::State, "b", None),
                (Space::State, "c", Some("3")),
                (Space::Index, "i", Some("4")),
            ]))
            .unwrap();
        let rows = frozen.scan_from(Space::State, b"", 10).unwrap();
        let row = |key: &str, value: &str| (key.as_bytes().to_vec(), value.as_bytes().to_vec());
        assert_eq!(rows, [row("a", "1"), row("b", "2")]);
        assert_eq!(frozen.scan_from(Space::State, b"a\0", 10).unwrap(), [row("b", "2")]);
        assert_eq!(frozen.scan_from(Space::State, b"", 1).unwrap(), [row("a", "1")]);
        assert!(frozen.scan_from(Space::Index, b"", 10).unwrap().is_empty());
    }

    #[test]
    fn a_space_is_made_by_the_first_write_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = FjallStore::open(folder.path(), &Settings::MODEST).unwrap();
        assert_eq!(store.database.keyspace_count(), 0);
        assert_eq!(store.get(Space::Nodes, b"a").unwrap(), None);
        let rows = store.scan(Space::Nodes, b"", None, Direction::Forward, 9).unwrap();
        assert!(rows.is_empty());
        store.commit(batch(&[(Space::State, "a", Some("1"))])).unwrap();
        assert_eq!(store.database.keyspace_count(), 1);
        drop(store);
        let store = FjallStore::open(folder.path(), &Settings::MODEST).unwrap();
        store.commit(batch(&[(Space::Nodes, "b", Some("2"))])).unwrap();
        assert_eq!(store.get(Space::State, b"a").unwrap().unwrap(), b"1");
        assert_eq!(store.get(Space::Nodes, b"b").unwrap().unwrap(), b"2");
        assert_eq!(store.database.keyspace_count(), 2);
    }

    #[test]
    fn a_folder_in_use_is_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let _open = FjallStore::open(folder.path(), &Settings::MODEST).unwrap();
        let second = FjallStore::open(folder.path(), &Settings::MODEST);
        assert!(matches!(second, Err(OpenStoreError::Locked { .. })), "{second:?}");
    }
}
