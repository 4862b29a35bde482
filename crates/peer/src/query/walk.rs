//! Find the batches of a stream that a question is about, in the order of sequence numbers.
//!
//! The tree is in the order of arrival, and late batches come out of turn. But batches never share
//! numbers, so going on with the subtree that has the smallest number first finds them in order,
//! and looks at few nodes where they arrived in order.

use std::{cmp::Reverse, collections::BinaryHeap};

use althing_proof::{
    Interval,
    stream::{Leaf, Node, Stored, StreamHead, Summary},
};
use althing_state::{Direction, Space, StoreError};
use althing_types::StreamId;

use super::{NODES_EXAMINED_MAX, Query, QueryError};
use crate::rows;

/// A batch and its position in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeafAt {
    pub(crate) index: u64,
    pub(crate) leaf: Leaf,
}

/// A subtree that the walk has not entered yet, in the order of the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    /// Its smallest number; its largest, counted down from the end, when walking backwards.
    first: u64,
    level: u8,
    index: u64,
    seq_min: u64,
    seq_max: u64,
    count: u64,
}

impl Next {
    /// Whether no number between its first and its last is missing.
    const fn is_whole(&self) -> bool {
        self.count > self.seq_max - self.seq_min
    }
}

/// Batches in the order of their numbers.
pub(super) struct Walk<'a> {
    query: &'a Query,
    stream: StreamId,
    bounds: Bounds,
    direction: Direction,
    heap: BinaryHeap<Reverse<Next>>,
    examined: usize,
}

/// What the batches must overlap; both ends belong to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) seq: Interval,
    pub(super) time: Interval,
}

impl Bounds {
    pub(super) const fn new(seq: (u64, u64), time_ms: (i64, i64)) -> Self {
        Self {
            seq: Interval::Seq { first: seq.0, last: seq.1 },
            time: Interval::Time { first_ms: time_ms.0, last_ms: time_ms.1 },
        }
    }

    const fn overlaps(&self, summary: &Summary) -> bool {
        self.seq.overlaps(summary) && self.time.overlaps(summary)
    }

    pub(super) const fn contains(&self, seq: u64, claimed_ms: i64) -> bool {
        self.seq.contains(seq, claimed_ms) && self.time.contains(seq, claimed_ms)
    }
}

impl Query {
    pub(super) fn walk(
        &self,
        stream: StreamId,
        head: &StreamHead,
        bounds: Bounds,
        direction: Direction,
    ) -> Walk<'_> {
        let heap = BinaryHeap::new();
        let mut walk = Walk { query: self, stream, bounds, direction, heap, examined: 0 };
        head.peaks.positions().for_each(|peak| walk.push(&peak));
        walk
    }

    pub(super) fn node(
        &self,
        stream: &StreamId,
        level: u8,
        index: u64,
    ) -> Result<Stored, QueryError> {
        let missing = || self.absent(StoreError::corrupt(&rows::node(stream, level, index)));
        let node = self.node_if_there(stream, level, index)?.ok_or_else(missing)?;
        Ok(Stored { level, index, node })
    }

    pub(crate) fn node_if_there(
        &self,
        stream: &StreamId,
        level: u8,
        index: u64,
    ) -> Result<Option<Node>, StoreError> {
        let at = (*stream, level, index);
        if let Some(node) = self.nodes.get(&at) {
            return Ok(Some(node));
        }
        let value = self.stored(Space::Nodes, &rows::node(stream, level, index))?;
        let node = value.and_then(|value| rows::decode_node(&value));
        if let Some(node) = node {
            self.nodes.keep(at, node);
        }
        Ok(node)
    }

    pub(crate) fn leaf(&self, stream: &StreamId, index: u64) -> Result<LeafAt, QueryError> {
        let key = rows::leaf(stream, index);
        let value = self.stored(Space::Nodes, &key)?;
        let leaf = value.and_then(|value| rows::decode_leaf(&value));
        Ok(LeafAt { index, leaf: leaf.ok_or_else(|| self.absent(StoreError::corrupt(&key)))? })
    }
}

impl Walk<'_> {
    fn push(&mut self, Stored { level, index, node }: &Stored) {
        if self.bounds.overlaps(&node.summary) {
            let first = match self.direction {
                Direction::Forward => node.summary.seq_min,
                Direction::Backward => u64::MAX - node.summary.seq_max,
            };
            let Summary { seq_min, seq_max, count, .. } = node.summary;
            let (level, index) = (*level, *index);
            self.heap.push(Reverse(Next { first, level, index, seq_min, seq_max, count }));
        }
    }

    /// The next batch; none at the end.
    ///
    /// # Errors
    /// [`QueryError::TooLarge`] if too many nodes had to be looked at.
    pub(super) fn next(&mut self) -> Result<Option<LeafAt>, QueryError> {
        let found = self.enter_until(|next| next.level == 0)?;
        found.map(|found| self.query.leaf(&self.stream, found.index)).transpose()
    }

    /// First and last number of the next subtree without a gap; none at the end.
    ///
    /// # Errors
    /// [`QueryError::TooLarge`] if too many nodes had to be looked at.
    pub(super) fn next_whole(&mut self) -> Result<Option<(u64, u64)>, QueryError> {
        // A batch has no gap, so the walk ends at the leaves.
        let found = self.enter_until(|next| next.level == 0 || next.is_whole())?;
        Ok(found.map(|found| (found.seq_min, found.seq_max)))
    }

    fn enter_until(&mut self, stop: impl Fn(&Next) -> bool) -> Result<Option<Next>, QueryError> {
        while let Some(Reverse(next)) = self.heap.pop() {
            self.examined += 1;
            if self.examined > NODES_EXAMINED_MAX {
                return Err(QueryError::TooLarge);
            }
            if stop(&next) {
                return Ok(Some(next));
            }
            for child in [next.index * 2, next.index * 2 + 1] {
                let child = self.query.node(&self.stream, next.level - 1, child)?;
                self.push(&child);
            }
        }
        Ok(None)
    }
}
