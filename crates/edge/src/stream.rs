use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use althing_types::limits::BATCH_READINGS_MAX;
use althing_types::{
    Arrived, BatchHeader, Payload, Reading, SignedPayload, StreamId, Transaction, Value, Wire,
};

use crate::machine::{AttemptId, PersistId};

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
    /// The newest reading that was taken.
    pub(crate) latest: Option<Reading>,
    /// What to do next.
    pub(crate) step: Step,
    /// The request whose answer is awaited.
    pub(crate) under_way: Option<AttemptId>,
    /// No earlier than this, after a failure.
    pub(crate) not_before_ms: i64,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// Whether the last pause was cut short, since the peer answered others: the next is not.
    pub(crate) hurried: bool,
    /// Whether the oldest readings may be final already: after a restart.
    pub(crate) unsure: bool,
    /// Any reading of a lower number may be final, or become so: an earlier run left it, or it was in a
    /// batch of which nobody said what came of it.
    pub(crate) unsure_below: u64,
    /// Readings taken until then piled up behind a pause, or an earlier run left them: the next batch is
    /// not to be of those.
    pub(crate) piled_ms: Option<i64>,
    /// Seals one reading at a time, since some later number was taken, until one is final.
    pub(crate) single: bool,
    /// Submits nothing before this record is on disk.
    pub(crate) hold_until: Option<PersistId>,
    /// How often what was old has given way since all of it was final: each time opens a gap, of
    /// which the ledger keeps so many.
    pub(crate) splits: u32,
    /// When the machine wants to look at it again, as entered in its table of deadlines.
    pub(crate) wake_ms: Option<i64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Queued {
    pub(crate) seq: u64,
    /// When it was taken, on the machine's clock; [`EARLIER_MS`] if by an earlier run.
    pub(crate) since_ms: i64,
    pub(crate) reading: Reading,
    /// The pack it came in, if its device signed it; all readings of a pack share it.
    pub(crate) pack: Option<Arc<Arrived>>,
}

/// Before all that this run's clock says, wherever that begins.
pub(crate) const EARLIER_MS: i64 = i64::MIN;

/// One of the two ways of a stream to the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// What is new.
    Live,
    /// What piled up while the ledger could not be reached. It never delays what is new: that goes
    /// ahead under higher numbers, and the gap behind it is filled from here.
    Backfill,
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
            latest: None,
            step,
            under_way: None,
            not_before_ms: 0,
            failures: 0,
            hurried: false,
            unsure: false,
            unsure_below: 0,
            piled_ms: None,
            single: false,
            hold_until: None,
            splits: 0,
            wake_ms: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn durable(&self) -> usize {
        self.durable
    }

    /// How many of the durable readings were taken after `since_ms`.
    pub(crate) fn durable_since(&self, since_ms: i64) -> usize {
        let old = self.queue.partition_point(|queued| queued.since_ms <= since_ms);
        self.durable.saturating_sub(old)
    }

    /// How many readings the batch has that is under way.
    pub(crate) fn under_way_readings(&self) -> usize {
        match &self.step {
            Step::Submit(batch) if self.under_way.is_some() => batch.header.count as usize,
            _ => 0,
        }
    }

    /// Takes up readings that an earlier run left.
    pub(crate) fn take_up(&mut self, count: usize, next_seq: u64) {
        self.persisted(count);
        self.stands_at(next_seq);
        (self.unsure, self.piled_ms) = (true, Some(EARLIER_MS));
        self.unsure_below = self.next_seq.unwrap_or_default();
    }

    /// All readings in order.
    pub(crate) fn queued(&self) -> impl Iterator<Item = &Queued> {
        self.queue.iter()
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
        self.hurried = false;
    }

    /// Whether the oldest reading came with its device's signature, and so has its device's number.
    pub(crate) fn is_signed(&self) -> bool {
        self.front().is_some_and(|oldest| oldest.pack.is_some())
    }

    /// Appends a reading that is not on disk yet.
    pub(crate) fn push(&mut self, queued: Queued) {
        self.latest = Some(queued.reading.clone());
        self.queue.push_back(queued);
    }

    /// Appends the readings of a pack that is not on disk yet. Returns their bytes.
    pub(crate) fn push_pack(
        &mut self,
        since_ms: i64,
        arrived: Arrived,
        readings: &[Reading],
    ) -> usize {
        let arrived = Arc::new(arrived);
        let mut bytes = 0;
        for (seq, reading) in (arrived.pack.body().first_seq..).zip(readings) {
            let (reading, pack) = (reading.clone(), Some(Arc::clone(&arrived)));
            let queued = Queued { seq, since_ms, reading, pack };
            bytes += queued.cost();
            self.queue.push_back(queued);
        }
        self.latest = readings.last().cloned();
        self.next_seq = Some(arrived.pack.end_seq());
        bytes
    }

    /// The reading of a number.
    pub(crate) fn find(&self, seq: u64) -> Option<&Queued> {
        let at = self.queue.partition_point(|queued| queued.seq < seq);
        self.queue.get(at).filter(|queued| queued.seq == seq)
    }

    /// The readings of these numbers that are on disk.
    pub(crate) fn durables(&self, seqs: Range<u64>) -> impl Iterator<Item = &Queued> {
        let at = |seq| self.queue.partition_point(|queued| queued.seq < seq).min(self.durable);
        let (from, to) = (at(seqs.start), at(seqs.end));
        self.queue.range(from..to.max(from))
    }

    /// The next `count` readings are on disk.
    pub(crate) fn persisted(&mut self, count: usize) {
        self.durable = (self.durable + count).min(self.queue.len());
    }

    /// Takes out the readings of these numbers.
    pub(crate) fn take(&mut self, seqs: Range<u64>) -> Vec<Queued> {
        let at = |seq| self.queue.partition_point(|queued| queued.seq < seq);
        let (from, to) = (at(seqs.start), at(seqs.end.max(seqs.start)));
        // What is on disk comes before what is not.
        let durable = self.durable.clamp(from, to) - from;
        self.durable -= durable;
        self.queue.drain(from..to).collect()
    }

    /// Drops the readings of these numbers, which are kept no more. Returns their bytes.
    pub(crate) fn drop_all(&mut self, seqs: Range<u64>) -> usize {
        self.take(seqs).iter().map(Queued::cost).sum()
    }

    /// How many readings, from the front, are durable and older than the newest `keep` of these. The
    /// readings of a pack stay together.
    pub(crate) fn older_than(&self, keep: usize) -> usize {
        let pack_of = |at: usize| self.queue.get(at).and_then(|queued| queued.pack.as_ref());
        let is_inside = |at: usize| match (at.checked_sub(1).and_then(pack_of), pack_of(at)) {
            (Some(before), Some(behind)) => Arc::ptr_eq(before, behind),
            _ => false,
        };
        let count = self.durable.saturating_sub(keep);
        (0..=count).rev().find(|at| !is_inside(*at)).unwrap_or_default()
    }

    /// Moves the first `count` readings, which are durable, to `older`, which ends before them.
    /// Returns whether that opens a gap: none was taken between those and what waits there already.
    pub(crate) fn split_into(&mut self, older: &mut Self, count: usize) -> bool {
        let end = older.queue.back().map(|queued| queued.seq.saturating_add(1));
        let is_gap = end.is_none() || end != self.front().map(|queued| queued.seq);
        older.unsure_below = older.unsure_below.max(self.unsure_below);
        older.queue.extend(self.queue.drain(..count));
        older.durable += count;
        self.durable -= count;
        is_gap
    }

    /// Other readings than those it was about may be the oldest now: whatever the ledger is being asked,
    /// the answer says nothing of them.
    pub(crate) fn ask_anew(&mut self) {
        if matches!(self.step, Step::Locate(_)) {
            self.step = Step::Locate(Doubt::Lost);
            self.under_way = None;
        }
    }

    /// Takes back the readings of `older`, which ends before these.
    pub(crate) fn join(&mut self, older: Self) {
        self.durable += older.durable;
        self.unsure_below = self.unsure_below.max(older.unsure_below);
        for queued in older.queue.into_iter().rev() {
            self.queue.push_front(queued);
        }
    }

    /// Moves the numbers of all readings from `from_seq` on.
    pub(crate) fn renumber(&mut self, from_seq: u64, to_seq: u64) {
        let moved = |seq: u64| seq.saturating_sub(from_seq).saturating_add(to_seq);
        for queued in self.queue.iter_mut().filter(|queued| queued.seq >= from_seq) {
            queued.seq = moved(queued.seq);
        }
        self.next_seq = self.next_seq.map(|next| if next >= from_seq { moved(next) } else { next });
    }

    /// Appends readings that get new numbers from the next one on. They are on disk, but not that
    /// they have moved.
    pub(crate) fn append(&mut self, moved: Vec<Queued>) {
        for queued in moved {
            let seq = self.next_seq.unwrap_or_default();
            self.next_seq = Some(seq.saturating_add(1));
            self.queue.push_back(Queued { seq, ..queued });
        }
    }

    /// The oldest durable readings without a gap between them, at most `readings_max` and no more
    /// than `bytes_max`. Packs go whole, and at least one of them.
    pub(crate) fn seal(
        &self,
        stream: StreamId,
        readings_max: usize,
        bytes_max: usize,
    ) -> Option<(BatchHeader, Vec<u8>)> {
        let durable = self.queue.iter().take(self.durable);
        if self.is_signed() {
            return seal_packs(stream, durable, readings_max, bytes_max);
        }
        let first_seq = self.front()?.seq;
        let mut bytes = PAYLOAD_HEAD_BYTES;
        let run = durable.take(readings_max).zip(first_seq..);
        let readings: Vec<Reading> = run
            .take_while(|(queued, seq)| queued.seq == *seq && queued.pack.is_none())
            .map(|(queued, _)| queued)
            .take_while(|queued| {
                bytes += cost(&queued.reading.value);
                bytes <= bytes_max
            })
            .map(|queued| queued.reading.clone())
            .collect();
        seal(stream, first_seq, readings)
    }
}

impl Queued {
    /// Upper bound of its bytes in payload and queue.
    pub(crate) fn cost(&self) -> usize {
        let pack = self.pack.as_ref().map_or(0, |arrived| {
            let pack = &arrived.pack;
            pack.wire().len().div_ceil(pack.body().readings.len().max(1))
        });
        cost(&self.reading.value) + pack
    }
}

/// A batch of the packs that the first readings came in, each naming the one before.
fn seal_packs<'a>(
    stream: StreamId,
    queued: impl Iterator<Item = &'a Queued>,
    readings_max: usize,
    bytes_max: usize,
) -> Option<(BatchHeader, Vec<u8>)> {
    let (mut packs, mut bytes, mut count) = (Vec::<Arrived>::new(), PAYLOAD_HEAD_BYTES, 0);
    for arrived in queued.map_while(|queued| queued.pack.as_ref()) {
        let Arrived { pack, .. } = &**arrived;
        let last = packs.last().map(|last| &last.pack);
        if last.is_some_and(|last| last.body().first_seq == pack.body().first_seq) {
            continue;
        }
        bytes += pack.wire().len() + PACK_FRAME_BYTES;
        count += pack.body().readings.len();
        let fits = bytes <= bytes_max && count <= readings_max.min(BATCH_READINGS_MAX);
        if last.is_some_and(|last| !fits || !SignedPayload::follows(last, pack)) {
            break;
        }
        packs.push(Arrived::clone(arrived));
    }
    if packs.is_empty() {
        return None;
    }
    let signed = SignedPayload { packs };
    Some((signed.header(stream), signed.to_wire()))
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
/// Bytes around a pack in a payload, at most.
const PACK_FRAME_BYTES: usize = 16;
/// Bytes of a payload around its readings, at most.
const PAYLOAD_HEAD_BYTES: usize = 16;
