use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::store::{Batch, Cause, Direction, Frozen, Row, Space, Store, StoreError};

type Place = (Space, Vec<u8>);
type Content = BTreeMap<Place, Vec<u8>>;

/// A store in memory that knows what would survive a crash: for tests and simulations.
///
/// A commit is durable when it returns, as [`Store::commit`] promises. Faults are set up
/// beforehand: a commit that fails, a crash in the middle of one, and the loss of the last commits
/// at a crash, which is how a store behaves that takes a damaged end of its journal for its end.
#[derive(Debug, Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    content: Content,
    /// What undoes the last commits, oldest first.
    history: Vec<Vec<(Place, Option<Vec<u8>>)>>,
    commits: u64,
    fault: Option<(u64, Fault)>,
    failed: bool,
}

/// What goes wrong at a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No space is left: nothing is written, and the next commit works again.
    Full,
    /// The disk fails; nothing more is written until [`MemoryStore::crash`].
    Fail,
    /// The power goes while the batch is on its way: it is durable, but nobody is told.
    AfterWrite,
}

/// Commits that can be lost at a crash.
const HISTORY_MAX: usize = 16;

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Commits that were made.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.lock().commits
    }

    /// Lets the commit with this number, from 1, go wrong.
    pub fn fail_at(&self, commit: u64, fault: Fault) {
        self.lock().fault = Some((commit, fault));
    }

    /// The process ends and the machine comes back: faults are over, and the last `lost` commits,
    /// at most 16, are gone.
    pub fn crash(&self, lost: usize) {
        let mut inner = self.lock();
        inner.failed = false;
        inner.fault = None;
        for _ in 0..lost {
            for (key, value) in inner.history.pop().unwrap_or_default() {
                match value {
                    Some(value) => inner.content.insert(key, value),
                    None => inner.content.remove(&key),
                };
            }
        }
    }

    /// Changes a stored value behind everybody's back, as a failing disk does.
    pub fn damage(&self, space: Space, key: &[u8], change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(value) = self.lock().content.get_mut(&(space, key.to_vec())) {
            change(value);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panicking test thread must not hide its own message behind another.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn write(&mut self, batch: Batch) {
        let mut undo = Vec::with_capacity(batch.writes.len());
        for (space, key, value) in batch.writes {
            let key = (space, key);
            let old = match value {
                Some(value) => self.content.insert(key.clone(), value),
                None => self.content.remove(&key),
            };
            undo.push((key, old));
        }
        undo.reverse();
        self.history.push(undo);
        if self.history.len() > HISTORY_MAX {
            self.history.remove(0);
        }
    }
}

impl Store for MemoryStore {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().content.get(&(space, key.to_vec())).cloned())
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let inner = self.lock();
        if to.is_some_and(|to| to <= from) {
            return Ok(Vec::new());
        }
        let rows = inner
            .content
            .range((space, from.to_vec())..)
            .take_while(|((at, key), _)| *at == space && to.is_none_or(|to| key.as_slice() < to))
            .map(|((_, key), value)| (key.clone(), value.clone()));
        Ok(match direction {
            Direction::Forward => rows.take(limit).collect(),
            Direction::Backward => {
                let mut rows: Vec<Row> = rows.collect();
                rows.reverse();
                rows.truncate(limit);
                rows
            }
        })
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut inner = self.lock();
        inner.commits += 1;
        let attempt = "write a batch";
        let source = || Cause::new(std::io::Error::other("simulated fault"));
        if inner.failed {
            return Err(StoreError::Io { attempt, source: source() });
        }
        match inner.fault {
            Some((at, fault)) if at == inner.commits => {
                inner.fault = None;
                inner.failed = fault != Fault::Full;
                if fault == Fault::AfterWrite {
                    inner.write(batch);
                }
                Err(if fault == Fault::Full {
                    StoreError::Full
                } else {
                    StoreError::Io { attempt, source: source() }
                })
            }
            _ => {
                inner.write(batch);
                Ok(())
            }
        }
    }

    fn frozen(&self) -> Arc<dyn Frozen> {
        Arc::new(Copied(self.lock().content.clone()))
    }
}

/// All that a store in memory held.
#[derive(Debug)]
struct Copied(Content);

impl Frozen for Copied {
    fn scan_from(&self, space: Space, from: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let rows = self.0.range((space, from.to_vec())..).take_while(|((at, _), _)| *at == space);
        Ok(rows.take(limit).map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }
}
