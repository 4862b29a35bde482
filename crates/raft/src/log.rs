//! A node's log, as its records have it.

use std::collections::VecDeque;

use raft::{
    Error, GetEntriesContext, RaftState, Storage, StorageError,
    eraftpb::{self, HardState},
    util::limit_size,
};

use crate::{
    message,
    node::conf,
    record::{Base, Entry, Record},
};

/// The log in memory. What is here is on disk, or will be before anybody hears of it.
#[derive(Debug, Default)]
pub(crate) struct Log {
    voters: u64,
    pub(crate) base: Base,
    entries: VecDeque<eraftpb::Entry>,
    state: HardState,
}

impl Log {
    pub(crate) fn new(voters: u64) -> Self {
        Self { voters, ..Self::default() }
    }

    pub(crate) fn take(&mut self, record: Record) {
        match record {
            Record::State { term, vote, commit } => {
                (self.state.term, self.state.vote, self.state.commit) = (term, vote, commit);
            }
            Record::Entry(entry) => {
                let kept = entry.index.saturating_sub(self.base.index + 1);
                self.entries.truncate(usize::try_from(kept).unwrap_or(usize::MAX));
                if entry.index == self.last() + 1 {
                    self.entries.push_back(message::entry(entry));
                }
            }
            Record::Base(base) => {
                self.entries.clear();
                self.state.commit = self.state.commit.max(base.index);
                self.base = base;
            }
        }
    }

    /// Cuts off what is not behind a place that is in the log.
    pub(crate) fn cut(&mut self, base: Base) {
        let count = base.index.saturating_sub(self.base.index);
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.entries.len());
        self.entries.drain(..count);
        self.base = base;
    }

    /// All of it, as records, the state last.
    pub(crate) fn records(&self, state: &HardState) -> Vec<Record> {
        let base = Record::Base(self.base.clone());
        let (term, vote, commit) = (state.term, state.vote, state.commit);
        let entries = self.entries.iter().map(|entry| {
            Record::Entry(Entry { index: entry.index, term: entry.term, data: entry.data.clone() })
        });
        std::iter::once(base).chain(entries).chain([Record::State { term, vote, commit }]).collect()
    }

    /// The last place.
    pub(crate) fn last(&self) -> u64 {
        self.base.index + self.entries.len() as u64
    }

    fn at(&self, index: u64) -> Option<&eraftpb::Entry> {
        let offset = index.checked_sub(self.base.index + 1)?;
        self.entries.get(usize::try_from(offset).ok()?)
    }

    /// What a disk that lost its end may have claimed and cannot show.
    pub(crate) fn bound_commit(&mut self) {
        self.state.commit = self.state.commit.clamp(self.base.index, self.last());
    }
}

impl Storage for Log {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(RaftState::new(self.state.clone(), conf(self.voters)))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> raft::Result<Vec<eraftpb::Entry>> {
        if low <= self.base.index {
            return Err(Error::Store(StorageError::Compacted));
        }
        let found = (low..high).map(|index| self.at(index).cloned());
        let found: Option<Vec<_>> = found.collect();
        let mut found = found.ok_or(Error::Store(StorageError::Unavailable))?;
        limit_size(&mut found, max_size.into());
        Ok(found)
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        if index == self.base.index {
            return Ok(self.base.term);
        }
        if index < self.base.index {
            return Err(Error::Store(StorageError::Compacted));
        }
        let entry = self.at(index).ok_or(Error::Store(StorageError::Unavailable))?;
        Ok(entry.term)
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.base.index + 1)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last())
    }

    fn snapshot(&self, request_index: u64, _: u64) -> raft::Result<eraftpb::Snapshot> {
        if request_index > self.base.index {
            return Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        }
        Ok(message::snapshot(self.base.clone(), self.voters))
    }
}
