//! The blocks of the log that are not cut off yet.

use std::{collections::VecDeque, sync::Arc};

use althing_raft::Entry;
use althing_types::Block;

use crate::block::{Limits, Sealed};

/// The blocks of the log, by place. Places without a block begin a leader's term.
#[derive(Debug, Default)]
pub(super) struct Tail {
    blocks: VecDeque<(u64, Sealed)>,
    bytes: usize,
}

impl Tail {
    /// Takes an entry; what stood at its place and behind it is void. Says whether it holds what an
    /// entry may hold.
    pub(super) fn push(&mut self, entry: &Entry, limits: Limits) -> bool {
        while self.blocks.back().is_some_and(|(index, _)| *index >= entry.index) {
            self.blocks.pop_back();
        }
        if entry.data.is_empty() {
            return true;
        }
        let Some(sealed) = Sealed::of_wire(entry.data.clone(), limits) else { return false };
        self.blocks.push_back((entry.index, sealed));
        self.count();
        true
    }

    /// Forgets what is not behind a place.
    pub(super) fn cut(&mut self, index: u64) {
        while self.blocks.front().is_some_and(|(at, _)| *at <= index) {
            self.blocks.pop_front();
        }
        self.count();
    }

    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.count();
    }

    fn count(&mut self) {
        self.bytes = self.blocks.iter().map(|(_, sealed)| sealed.block().wire().len()).sum();
    }

    /// Bytes of all blocks.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// The block at a place.
    pub(super) fn at(&self, index: u64) -> Option<&Sealed> {
        let found = self.blocks.binary_search_by_key(&index, |(at, _)| *at).ok()?;
        self.blocks.get(found).map(|(_, sealed)| sealed)
    }

    /// The last block that is not behind a place.
    pub(super) fn up_to(&self, index: u64) -> Option<Arc<Block>> {
        let behind = self.blocks.partition_point(|(at, _)| *at <= index);
        let (_, sealed) = self.blocks.get(behind.checked_sub(1)?)?;
        Some(sealed.block())
    }

    /// All of them with their places, newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = (u64, Arc<Block>)> + '_ {
        self.blocks.iter().rev().map(|(index, sealed)| (*index, sealed.block()))
    }
}
