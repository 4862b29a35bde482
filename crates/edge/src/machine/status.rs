use std::collections::BTreeMap;

use althing_types::{Refusal, StreamId};

use super::Machine;
use crate::rejection::Rejection;

/// What the machine does and has done, for health, metrics and people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Streams that take readings: it is known where they stand.
    pub streams_ready: usize,
    /// Readings that are not final.
    pub readings_queued: usize,
    /// Those of them that piled up and do not delay what is new.
    pub readings_backfilling: usize,
    /// Their bytes, as the limit counts them.
    pub bytes_queued: usize,
    /// Age of the oldest of them, milliseconds.
    pub oldest_ms: Option<i64>,
    /// Requests under way.
    pub under_way: usize,
    /// Readings taken since the start.
    pub readings_taken: u64,
    /// Readings that became final since the start.
    pub readings_finalized: u64,
    /// Readings given up for newer ones since the start, as their owners want: gaps on the ledger.
    pub readings_lost: u64,
    /// Publishes refused since the start, by code.
    pub publishes_refused: BTreeMap<&'static str, u64>,
    /// Transactions that the ledger refused since the start.
    pub refusals: u64,
    /// Requests that failed since the start.
    pub failures: u64,
    /// Streams whose readings the ledger refuses until people act.
    pub held: Vec<Held>,
}

/// A stream whose readings the ledger refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The stream.
    pub stream: StreamId,
    /// Its thing, as far as known.
    pub thing: String,
    /// Its property, as far as known.
    pub property: String,
    /// Why.
    pub refusal: Refusal,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) readings_taken: u64,
    pub(super) readings_finalized: u64,
    pub(super) readings_lost: u64,
    pub(super) publishes_refused: BTreeMap<&'static str, u64>,
    pub(super) refusals: u64,
    pub(super) failures: u64,
}

impl Counters {
    pub(super) fn refused(&mut self, rejection: &Rejection) {
        *self.publishes_refused.entry(rejection.code()).or_default() += 1;
    }
}

impl Machine {
    /// What the machine does and has done; `wall_ms` is the time of day, milliseconds since 1970.
    #[must_use]
    pub fn status(&self, wall_ms: i64) -> Status {
        let oldest = self.lanes().filter_map(|(_, stream)| stream.front());
        let oldest = oldest.map(|queued| queued.reading.received_ms).min();
        let held = |(stream, refusal): (&StreamId, &Refusal)| {
            let (thing, property) = self.directory.names(stream).unwrap_or_default();
            Held {
                stream: *stream,
                thing: thing.to_owned(),
                property: property.to_owned(),
                refusal: *refusal,
            }
        };
        let ready = self.streams.values().filter(|stream| stream.next_seq.is_some());
        Status {
            streams_ready: ready.count(),
            readings_queued: self.lanes().map(|(_, stream)| stream.len()).sum(),
            readings_backfilling: self.backfill.values().map(super::Stream::len).sum(),
            bytes_queued: self.bytes,
            oldest_ms: oldest.map(|received_ms| wall_ms.saturating_sub(received_ms)),
            under_way: self.asked.len(),
            readings_taken: self.counters.readings_taken,
            readings_finalized: self.counters.readings_finalized,
            readings_lost: self.counters.readings_lost,
            publishes_refused: self.counters.publishes_refused.clone(),
            refusals: self.counters.refusals,
            failures: self.counters.failures,
            held: self.held.iter().map(held).collect(),
        }
    }
}
