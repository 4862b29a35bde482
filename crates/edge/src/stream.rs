use std::collections::VecDeque;

use althing_types::limits::PAYLOAD_BYTES_MAX;
use althing_types::{BatchHeader, Payload, Reading, StreamId, Transaction, Value, Wire};

use crate::machine::{AttemptId, Located, PersistId};
use crate::record::Numbered;

/// One stream of the gateway: the readings that are not final yet, and what is being done about
/// the oldest of them.
///
/// One batch of a stream is under way at a time, so the ledger's next sequence number always says
/// which readings are final, whatever was lost in between.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Number of the next reading; unknown until ledger or queue has said it.
    pub(crate) next_seq: Option<u64>,
    /// Readings not final, ascending by number; a damaged queue may leave holes.
    queue: VecDeque<Queued>,
    /// How many of them, from the front, are on disk.
    durable: usize,
    /// What to do next.
    pub(crate) step: Step,
    /// The request whose answer is awaited.
    pub(crate) under_way: Option<AttemptId>,
    /// No earlier than this, after a failure.
    pub(crate) not_before_ms: i64,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// Whether the oldest readings may be final already: after a restart.
    pub(crate) unsure: bool,
    /// Seals one reading at a time, since some later number was taken, until one is final.
    pub(crate) single: bool,
    /// Submits nothing before this record is on disk.
    pub(crate) hold_until: Option<PersistId>,
    /// When the machine wants to look at it again, as entered in its table of deadlines.
    pub(crate) wake_ms: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) seq: u64,
    /// When it was taken, on the machine's clock; 0 if by an earlier run.
    pub(crate) since_ms: i64,
    pub(crate) reading: Reading,
}

/// What a stream does when it is its turn.
#[derive(Debug)]
pub(crate) enum Step {
    /// Ask the ledger where the stream stands.
    Head,
    /// Ask the ledger what it holds at the oldest number.
    Locate(Doubt),
    /// Seal a batch and have it signed.
    Seal,
    /// Submit the signed batch.
    Submit(Box<Batch>),
}

/// Why the ledger is asked what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Whether a batch was taken: an answer was lost, or the gateway restarted.
    Lost,
    /// Some of its numbers were submitted before, by us or another.
    Overlap,
    /// Its numbers lie in a gap that can no longer be filled.
    Sealed,
}

/// A batch under way.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) header: BatchHeader,
    pub(crate) payload: Vec<u8>,
    /// Once signed.
    pub(crate) transaction: Option<Transaction>,
}

impl Stream {
    pub(crate) fn new(next_seq: Option<u64>) -> Self {
        let step = if next_seq.is_some() { Step::Seal } else { Step::Head };
        Self {
            next_seq,
            queue: VecDeque::new(),
            durable: 0,
            step,
            under_way: None,
            not_before_ms: 0,
            failures: 0,
            unsure: false,
            single: false,
            hold_until: None,
            wake_ms: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn durable(&self) -> usize {
        self.durable
    }

    /// All readings with their numbers.
    pub(crate) fn numbered(&self, stream: StreamId) -> impl Iterator<Item = Numbered> + '_ {
        let numbered = move |queued: &Queued| Numbered {
            stream,
            seq: queued.seq,
            reading: queued.reading.clone(),
        };
        self.queue.iter().map(numbered)
    }

    pub(crate) fn front(&self) -> Option<&Queued> {
        self.queue.front()
    }

    /// The next reading has at least this number.
    pub(crate) fn stands_at(&mut self, next_seq: u64) {
        self.next_seq = Some(self.next_seq.map_or(next_seq, |known| known.max(next_seq)));
        if matches!(self.step, Step::Head) {
            self.step = Step::Seal;
        }
    }

    /// A request was answered: failures count anew.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.not_before_ms = 0;
    }

    /// Appends a reading that is not on disk yet.
    pub(crate) fn push(&mut self, since_ms: i64, seq: u64, reading: Reading) {
        self.queue.push_back(Queued { seq, since_ms, reading });
    }

    /// The next `count` readings are on disk.
    pub(crate) fn persisted(&mut self, count: usize) {
        self.durable = (self.durable + count).min(self.queue.len());
    }

    /// Drops the readings before a number, which are final. Returns their bytes.
    pub(crate) fn retire(&mut self, before_seq: u64) -> usize {
        let mut bytes = 0;
        while let Some(queued) = self.queue.pop_front_if(|queued| queued.seq < before_seq) {
            bytes += cost(&queued.reading.value);
            self.durable = self.durable.saturating_sub(1);
        }
        bytes
    }

    /// Moves the numbers of all readings from `from_seq` on.
    pub(crate) fn renumber(&mut self, from_seq: u64, to_seq: u64) {
        let moved = |seq: u64| seq.saturating_sub(from_seq).saturating_add(to_seq);
        for queued in self.queue.iter_mut().filter(|queued| queued.seq >= from_seq) {
            queued.seq = moved(queued.seq);
        }
        self.next_seq = self.next_seq.map(|next| if next >= from_seq { moved(next) } else { next });
    }

    /// The oldest durable readings without a gap between them, at most `readings_max` and no more
    /// than a payload may be long.
    pub(crate) fn seal(
        &self,
        stream: StreamId,
        readings_max: usize,
    ) -> Option<(BatchHeader, Vec<u8>)> {
        let first_seq = self.front()?.seq;
        let mut bytes = PAYLOAD_HEAD_BYTES;
        let expected = first_seq..;
        let run = self.queue.iter().take(self.durable.min(readings_max)).zip(expected);
        let readings: Vec<Reading> = run
            .take_while(|(queued, seq)| queued.seq == *seq)
            .map(|(queued, _)| queued)
            .take_while(|queued| {
                bytes += cost(&queued.reading.value);
                bytes <= PAYLOAD_BYTES_MAX
            })
            .map(|queued| queued.reading.clone())
            .collect();
        seal(stream, first_seq, readings)
    }

    /// Whether what the ledger holds is our oldest readings, to the byte.
    pub(crate) fn is_ours(&self, stream: StreamId, located: &Located) -> bool {
        let count = located.count as usize;
        if self.front().map(|queued| queued.seq) != Some(located.first_seq) || count > self.durable
        {
            return false;
        }
        let readings = self.queue.iter().take(count).map(|queued| queued.reading.clone());
        seal(stream, located.first_seq, readings.collect())
            .is_some_and(|(header, _)| header.payload_digest == located.payload_digest)
    }
}

fn seal(
    stream: StreamId,
    first_seq: u64,
    readings: Vec<Reading>,
) -> Option<(BatchHeader, Vec<u8>)> {
    if readings.is_empty() {
        return None;
    }
    let payload = Payload { readings };
    Some((payload.header(stream, first_seq), payload.to_wire()))
}

/// Upper bound of a reading's bytes in payload and queue.
pub(crate) fn cost(value: &Value) -> usize {
    READING_BYTES
        + match value {
            Value::Number(_) | Value::Bool(_) => 0,
            Value::Text(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
        }
}

/// Bytes of a reading's times, value head and frame, at most.
const READING_BYTES: usize = 32;
/// Bytes of a payload around its readings, at most.
const PAYLOAD_HEAD_BYTES: usize = 16;
