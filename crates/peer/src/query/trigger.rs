//! Triggers, what became of them, and what one would have done.

use althing_ledger::{
    index, key,
    trigger::{Seen, TriggerRecord, replay},
};
use althing_types::{Body, Cause, Effect, EntityId, StreamId, TriggerId};

use super::{Noun, Page, Past, Query, QueryError, Tried, checked_cursor, walk::LeafAt};

/// Most batches that a trigger is tried out on.
pub const REPLAY_BATCHES_MAX: u64 = 200_000;
/// Most moments told of such a trial.
pub const REPLAY_MOMENTS_MAX: usize = 1000;

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriggerState {
    /// Its id.
    pub id: TriggerId,
    /// Its record.
    pub record: TriggerRecord,
}

/// Which triggers a list is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TriggerFilter {
    /// With exactly this name.
    pub name: Option<String>,
    /// Of this owner.
    pub owner: Option<EntityId>,
}

/// When a cause would have happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// Ledger times, milliseconds since 1970, ascending.
    pub moments_ms: Vec<u64>,
    /// How many batches were looked at.
    pub batches: u64,
    /// Whether all batches of the interval were, and all moments told.
    pub complete: bool,
}

impl Query {
    /// A trigger.
    ///
    /// # Errors
    /// [`Noun::Trigger`] if there is none.
    pub fn trigger(&self, id: &TriggerId) -> Result<TriggerState, QueryError> {
        Ok(TriggerState { id: *id, record: self.known(&key::trigger(id), Noun::Trigger)? })
    }

    /// Triggers by name.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn triggers(
        &self,
        filter: &TriggerFilter,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<TriggerState>, QueryError> {
        let mut prefix = index::triggers();
        if let Some(name) = &filter.name {
            prefix.extend_from_slice(name.as_bytes());
            prefix.push(0);
        }
        let after = checked_cursor(after, &prefix)?;
        self.filtered(&prefix, after, limit, |id| {
            let state = self.trigger(&TriggerId(id))?;
            let admitted = filter.owner.is_none_or(|owner| owner == state.record.owner);
            Ok(admitted.then_some(state))
        })
    }

    /// Transactions that changed a trigger, and its runs, newest first.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn trigger_history(
        &self,
        id: &TriggerId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<Past>, QueryError> {
        self.past(&index::history_of_trigger(id), after, limit)
    }

    /// When a cause about a stream would have happened by what is recorded from one ledger time to
    /// another, milliseconds since 1970. Of other causes nothing is recorded that could say so.
    ///
    /// # Errors
    /// [`Noun::Stream`] if no thing has the stream.
    pub fn replay(&self, cause: &Cause, from_ms: u64, until_ms: u64) -> Result<Replay, QueryError> {
        let Some(stream) = cause.stream() else { return Ok(Replay::default()) };
        let leaves = self.stream_head(&stream)?.peaks.leaves();
        let first = self.first_leaf_from(&stream, leaves, from_ms)?;
        let last = first.saturating_add(REPLAY_BATCHES_MAX).min(leaves);
        let (mut seen, mut newest, mut batches) = (Vec::new(), None, 0);
        let mut whole = last == leaves;
        for index in first..last {
            let LeafAt { leaf, .. } = self.leaf(&stream, index)?;
            if leaf.ledger_time_ms > until_ms {
                whole = true;
                break;
            }
            batches += 1;
            // What fills a gap is not the newest, and triggers nothing.
            if newest.is_none_or(|newest| newest < leaf.first_seq) {
                newest = Some(leaf.first_seq);
                seen.push(Seen {
                    min: leaf.min,
                    max: leaf.max,
                    height: leaf.height,
                    ledger_ms: leaf.ledger_time_ms,
                });
            }
        }
        let until_ms = until_ms.min(self.block_head(self.height())?.header.time_ms);
        let moments_ms = replay(cause, seen, until_ms, REPLAY_MOMENTS_MAX);
        let complete = whole && moments_ms.len() < REPLAY_MOMENTS_MAX;
        Ok(Replay { moments_ms, batches, complete })
    }

    /// What an effect would do in the next block, on behalf of an owner; also says on which height's
    /// state.
    ///
    /// # Errors
    /// [`QueryError::Store`] if the disk fails.
    pub fn try_effect(&self, owner: EntityId, effect: &Effect) -> Result<(Tried, u64), QueryError> {
        let (_, _, time_ms) = self.moment()?;
        let ledger = self.core.ledger;
        self.try_out(&Body::new(&ledger, owner, 0, 0, vec![effect.action_at(time_ms)]))
    }

    /// The first batch whose block is not before a time; batches are in the order of their blocks.
    fn first_leaf_from(
        &self,
        stream: &StreamId,
        leaves: u64,
        from_ms: u64,
    ) -> Result<u64, QueryError> {
        let (mut low, mut high) = (0, leaves);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.leaf(stream, middle)?.leaf.ledger_time_ms < from_ms {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}
