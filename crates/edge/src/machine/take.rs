//! Taking readings in: mapping, numbering, the queue, and acknowledgement once durable.

use std::ops::Range;
use std::sync::Arc;

use althing_types::{Arrived, Pack, Reading, Refusal, StreamId};

use super::{Machine, Output, PersistId, PublishId, SetsFree, TimeMs};
use crate::directory::ThingSpec;
use crate::mapping::{Context, Mapped};
use crate::mark::Mark;
use crate::record::{Numbered, Record};
use crate::rejection::Rejection;
use crate::stream::{EARLIER_MS, Lane, Queued, Step, Stream, cost};

/// Whether the ledger takes no reading of the stream, whatever its value. A peer that is behind may
/// be mistaken, so this is not for ever.
const fn refuses_all(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::NotBound
            | Refusal::BindingExpired
            | Refusal::ThingRetired
            | Refusal::EntityRevoked
            | Refusal::UnknownEntity
            | Refusal::UnknownThing
    )
}

/// A publish, and its mark if it is of QoS 2.
type Publish = (PublishId, Option<Mark>);

/// Most readings given up at a time for new ones.
const LOSS_AT_ONCE: usize = 64;
/// How far a device's numbers may be ahead of the stream; the ledger has a bound of its own.
const AHEAD_MAX: u64 = 1 << 20;
/// Readings of one record of a snapshot; the longest values still fit the longest record.
const SNAPSHOT_READINGS: usize = 64;

impl Machine {
    pub(super) fn on_publish(
        &mut self,
        now: TimeMs,
        publish: Publish,
        admitted: Result<Mapped, Rejection>,
        out: &mut Vec<Output>,
    ) {
        match admitted {
            Ok(Mapped::Readings(readings)) => self.enqueue(now, publish, readings, out),
            Ok(Mapped::Pack(stream, arrived, readings)) => {
                self.enqueue_pack(now, publish, (stream, arrived), readings, out);
            }
            Err(rejection) => {
                self.counters.refused(&rejection);
                out.push(Output::Refuse { publish: publish.0, rejection });
            }
        }
    }

    /// Acknowledges a publish that is here already, once what was written so far is durable.
    pub(super) fn on_known(&mut self, id: PublishId, mark: Mark, out: &mut Vec<Output>) {
        self.marks.insert(mark);
        self.persist(Record::Marked(mark, None), SetsFree::Readings(id, Vec::new()), out);
    }

    pub(super) fn on_passed(&mut self, session: u64, number: u64, out: &mut Vec<Output>) {
        if self.marks.pass(session, number) {
            self.persist(Record::Passed { session, number }, SetsFree::Nothing, out);
        }
    }

    /// What a publish gave, to be kept with its mark.
    fn with_mark(&mut self, mark: Option<Mark>, record: Record) -> Record {
        let Some(mark) = mark else { return record };
        self.marks.insert(mark);
        Record::Marked(mark, Some(Box::new(record)))
    }

    pub(super) fn admit(
        &mut self,
        received_ms: i64,
        (topic, payload): (&str, &[u8]),
        only_signed: bool,
        out: &mut Vec<Output>,
    ) -> Result<Mapped, Rejection> {
        if self.stopping {
            return Err(Rejection::Unavailable { reason: "it is shutting down" });
        }
        let context = Context {
            ledger: &self.config.ledger,
            profiles: &self.config.profiles,
            directory: &self.directory,
            height: self.height,
            topic,
            payload,
            only_signed,
            received_ms,
            payload_bytes_max: self.config.limits.payload_bytes_max,
            ahead_ms_max: self.config.limits.claimed_ahead_ms_max,
        };
        let mapped = context.mapped().map_err(|rejection| self.in_doubt(rejection))?;
        let needs = match &mapped {
            Mapped::Readings(readings) => {
                readings.iter().map(|(id, reading)| (*id, cost(&reading.value))).collect()
            }
            Mapped::Pack(id, arrived, readings) => {
                let own = arrived.pack.wire().len().div_ceil(readings.len().max(1));
                readings.iter().map(|reading| (*id, cost(&reading.value) + own)).collect()
            }
        };
        // First the numbers: nothing is given up for a pack that is not taken, or was before.
        let is_new = match &mapped {
            Mapped::Readings(_) => true,
            Mapped::Pack(id, arrived, _) => self.check_numbers(*id, &arrived.pack)?,
        };
        if is_new {
            self.make_room(needs, out)?;
        }
        Ok(mapped)
    }

    /// Finds room, if need be at the cost of the oldest readings of a stream whose owner wants that.
    fn make_room(
        &mut self,
        needs: Vec<(StreamId, usize)>,
        out: &mut Vec<Output>,
    ) -> Result<(), Rejection> {
        loop {
            match self.check_room(&needs) {
                Err(full @ Rejection::QueueFull { .. }) => {
                    let oldest = needs.iter().find_map(|(id, _)| Some((*id, self.oldest(id)?)));
                    let (id, seqs) = oldest.ok_or(full)?;
                    self.lose(id, seqs, out);
                }
                other => return other,
            }
        }
    }

    /// The oldest readings of a stream that may be given up.
    fn oldest(&self, id: &StreamId) -> Option<Range<u64>> {
        let (thing, _) = self.directory.names(id)?;
        self.directory.thing(thing).filter(|served| served.may_lose)?;
        let lanes = [self.backfill.get(id), self.streams.get(id)];
        lanes.into_iter().flatten().find_map(oldest_of)
    }

    fn lose(&mut self, id: StreamId, seqs: Range<u64>, out: &mut Vec<Output>) {
        let count = u32::try_from(seqs.end - seqs.start).unwrap_or(u32::MAX);
        self.counters.readings_lost += u64::from(count);
        out.push(Output::Lost { stream: id, first_seq: seqs.start, count });
        self.release(id, seqs, out);
    }

    /// Whether a pack has the numbers that come next, or later ones: a device may have lost some.
    /// False for what was taken before: it needs no second place.
    fn check_numbers(&self, id: StreamId, pack: &Pack) -> Result<bool, Rejection> {
        let next_seq = self.streams.get(&id).and_then(|stream| stream.next_seq);
        // Where there is none yet, there is no room either.
        let Some(next_seq) = next_seq else { return Ok(true) };
        let first_seq = pack.body().first_seq;
        if first_seq.checked_sub(next_seq).is_some_and(|ahead| ahead <= AHEAD_MAX) {
            return Ok(true);
        }
        if self.is_known(id, pack) {
            return Ok(false);
        }
        Err(Rejection::Sequence { first_seq, next_seq })
    }

    /// Whether this very pack waits here, or became final a moment ago.
    fn is_known(&self, id: StreamId, pack: &Pack) -> bool {
        let lanes = [self.streams.get(&id), self.backfill.get(&id)];
        let first_seq = pack.body().first_seq;
        let waits = |stream: &Stream| {
            let found = stream.find(first_seq).and_then(|queued| queued.pack.as_ref());
            found.is_some_and(|arrived| arrived.pack == *pack)
        };
        lanes.into_iter().flatten().any(waits)
            || self.recent.get(&id).is_some_and(|recent| recent.contains(&pack.digest()))
    }

    /// What this gateway does not know may be new: it has only read what it served when it ended.
    /// A device that is told that there is no such thing forgets its readings.
    fn in_doubt(&self, rejection: Rejection) -> Rejection {
        match rejection {
            Rejection::UnknownThing { .. } | Rejection::UnknownProperty { .. }
                if !self.is_listed =>
            {
                let reason = "it has not heard from a peer yet which things it serves";
                Rejection::Unavailable { reason }
            }
            rejection => rejection,
        }
    }

    fn check_room(&self, needs: &[(StreamId, usize)]) -> Result<(), Rejection> {
        let limits = &self.config.limits;
        let bytes: usize = needs.iter().map(|(_, bytes)| bytes).sum();
        if self.bytes + bytes > limits.queue_bytes_max {
            return Err(Rejection::QueueFull { what: "bytes of all streams" });
        }
        for (id, _) in needs {
            let queued = self.streams.get(id).filter(|stream| stream.next_seq.is_some());
            let Some(stream) = queued else {
                let (thing, property) = self.directory.names(id).unwrap_or_default();
                return Err(Rejection::StreamNotReady {
                    thing: thing.to_owned(),
                    property: property.to_owned(),
                });
            };
            if let Some(refusal) = self.held.get(id).filter(|refusal| refuses_all(**refusal)) {
                let (thing, property) = self.directory.names(id).unwrap_or_default();
                return Err(Rejection::Held {
                    thing: thing.to_owned(),
                    property: property.to_owned(),
                    refusal: *refusal,
                });
            }
            let older = self.backfill.get(id).map_or(0, Stream::len);
            if stream.len() + older + needs.len() > limits.stream_readings_max {
                return Err(Rejection::QueueFull { what: "readings of one stream" });
            }
        }
        Ok(())
    }

    fn enqueue(
        &mut self,
        now: TimeMs,
        (publish, mark): Publish,
        readings: Vec<(StreamId, Reading)>,
        out: &mut Vec<Output>,
    ) {
        let mut numbered = Vec::with_capacity(readings.len());
        for (id, reading) in readings {
            // `check_room` saw the stream and its number.
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            let Some(seq) = stream.next_seq else { continue };
            stream.next_seq = Some(seq + 1);
            let queued = Queued { seq, since_ms: now, reading: reading.clone(), pack: None };
            self.bytes += queued.cost();
            stream.push(queued);
            numbered.push(Numbered { stream: id, seq, reading });
        }
        let streams = numbered.iter().map(|numbered| numbered.stream).collect();
        self.counters.readings_taken += numbered.len() as u64;
        let record = self.with_mark(mark, Record::Readings(numbered));
        self.persist(record, SetsFree::Readings(publish, streams), out);
    }

    fn enqueue_pack(
        &mut self,
        now: TimeMs,
        (publish, mark): Publish,
        (id, arrived): (StreamId, Arrived),
        readings: Vec<Reading>,
        out: &mut Vec<Output>,
    ) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if let Some(next_seq) = stream.next_seq
            && arrived.pack.body().first_seq < next_seq
        {
            // It is here already, `check_numbers` has seen: acknowledged once what was written so
            // far is durable, and this with it.
            let record = self.with_mark(mark, Record::Head { stream: id, next_seq });
            self.persist(record, SetsFree::Readings(publish, Vec::new()), out);
            return;
        }
        self.counters.readings_taken += readings.len() as u64;
        self.bytes += stream.push_pack(now, arrived.clone(), &readings);
        let streams = vec![id; readings.len()];
        let record = self.with_mark(mark, Record::Pack(id, arrived));
        self.persist(record, SetsFree::Readings(publish, streams), out);
    }

    pub(super) fn on_persisted(&mut self, now: TimeMs, through: PersistId, out: &mut Vec<Output>) {
        self.durable = self.durable.max(through);
        while let Some(record) = self.unsynced.pop_front_if(|record| record.id <= through) {
            match record.sets_free {
                SetsFree::Nothing => {}
                SetsFree::Stream(id) => self.schedule_both(id, now),
                SetsFree::Moved(id, count) => {
                    if let Some(stream) = self.streams.get_mut(&id) {
                        stream.persisted(count);
                    }
                    self.schedule_both(id, now);
                }
                SetsFree::Readings(publish, streams) => {
                    out.push(Output::Acknowledge(publish));
                    for id in streams {
                        if let Some(stream) = self.streams.get_mut(&id) {
                            stream.persisted(1);
                        }
                        self.schedule((id, Lane::Live), now);
                    }
                }
            }
        }
    }

    pub(super) fn on_things(&mut self, now: TimeMs, things: Vec<ThingSpec>, out: &mut Vec<Output>) {
        self.directory.retain(&things.iter().map(|thing| thing.id).collect());
        things.into_iter().for_each(|thing| self.on_thing(now, thing, out));
        self.is_listed = true;
    }

    pub(super) fn on_thing(&mut self, now: TimeMs, thing: ThingSpec, out: &mut Vec<Output>) {
        let (id, name) = (thing.id, thing.name.clone());
        let ids: Vec<_> = thing.streams.iter().map(|stream| stream.id).collect();
        if let Err(reason) = self.directory.insert(thing) {
            return out.push(Output::Unserved { thing: id, name, reason });
        }
        for id in ids {
            let stream = self.streams.entry(id).or_insert_with(|| Stream::new(None));
            if self.held.contains_key(&id) {
                // Perhaps this is what its readings waited for.
                stream.succeeded();
                if let Some(older) = self.backfill.get_mut(&id) {
                    older.succeeded();
                }
            }
            self.schedule_both(id, now);
        }
    }

    /// Applies a record that an earlier run wrote.
    pub(super) fn replay(&mut self, record: Record) {
        match record {
            Record::Readings(readings) => {
                for Numbered { stream, seq, reading } in readings {
                    let entry = self.streams.entry(stream).or_insert_with(|| Stream::new(None));
                    let queued = Queued { seq, since_ms: EARLIER_MS, reading, pack: None };
                    self.bytes += queued.cost();
                    entry.push(queued);
                    entry.take_up(1, seq + 1);
                }
            }
            Record::Pack(stream, arrived) => {
                let entry = self.streams.entry(stream).or_insert_with(|| Stream::new(None));
                // A record with times that overflow is none.
                let readings = arrived.pack.readings(arrived.received_ms).unwrap_or_default();
                let end_seq = arrived.pack.end_seq();
                self.bytes += entry.push_pack(EARLIER_MS, arrived, &readings);
                entry.take_up(readings.len(), end_seq);
            }
            Record::Released { stream, first_seq, count } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    let end = first_seq.saturating_add(u64::from(count));
                    self.bytes -= entry.drop_all(first_seq..end);
                }
            }
            Record::Moved { stream, from_seq, below_seq, to_seq } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    let moved = entry.take(from_seq..below_seq);
                    entry.stands_at(to_seq);
                    let count = moved.len();
                    entry.append(moved);
                    entry.persisted(count);
                }
            }
            Record::Head { stream, next_seq } => {
                let entry = self.streams.entry(stream).or_insert_with(|| Stream::new(None));
                entry.stands_at(next_seq);
            }
            Record::Retired { stream, before_seq } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    self.bytes -= entry.drop_all(0..before_seq);
                }
            }
            Record::Renumbered { stream, from_seq, to_seq } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    entry.renumber(from_seq, to_seq);
                }
            }
            Record::Marked(mark, record) => {
                self.marks.insert(mark);
                if let Some(record) = record {
                    self.replay(*record);
                }
            }
            Record::Passed { session, number } => {
                self.marks.pass(session, number);
            }
            Record::Reset => {
                self.streams.clear();
                self.marks.clear();
                self.bytes = 0;
            }
        }
    }

    /// The whole queue as records that replace all those handed out so far, also those not yet
    /// written: a driver may write them instead when what is on disk is mostly of the past. They
    /// must become durable together or not at all.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Record> {
        let mut records = vec![Record::Reset];
        records.extend(self.marks.iter().map(|mark| Record::Marked(mark, None)));
        for (stream, known) in &self.streams {
            let head = known.next_seq.map(|next_seq| Record::Head { stream: *stream, next_seq });
            records.extend(head);
            let older = self.backfill.get(stream).into_iter().flat_map(Stream::queued);
            snapshot_of(*stream, older.chain(known.queued()), &mut records);
        }
        records
    }
}

/// The readings of a stream as records, packs whole.
fn snapshot_of<'a>(
    stream: StreamId,
    queued: impl Iterator<Item = &'a Queued>,
    records: &mut Vec<Record>,
) {
    let mut plain: Vec<Numbered> = Vec::new();
    let mut last: Option<&Arc<Arrived>> = None;
    let flush = |plain: &mut Vec<Numbered>, records: &mut Vec<Record>| {
        if !plain.is_empty() {
            records.push(Record::Readings(std::mem::take(plain)));
        }
    };
    for Queued { seq, reading, pack, .. } in queued {
        if let Some(pack) = pack {
            flush(&mut plain, records);
            if !last.is_some_and(|last| Arc::ptr_eq(last, pack)) {
                records.push(Record::Pack(stream, Arrived::clone(pack)));
            }
        } else {
            plain.push(Numbered { stream, seq: *seq, reading: reading.clone() });
            if plain.len() == SNAPSHOT_READINGS {
                flush(&mut plain, records);
            }
        }
        last = pack.as_ref();
    }
    flush(&mut plain, records);
}

/// The oldest durable readings of a lane but those in its batch under way, which will be final.
fn oldest_of(stream: &Stream) -> Option<Range<u64>> {
    let from_seq = match &stream.step {
        Step::Submit(batch) => batch.header.end_seq()?,
        Step::Head | Step::Locate(_) | Step::Seal => 0,
    };
    let durable = || stream.queued().take(stream.durable());
    let mut free = durable().skip_while(|queued| queued.seq < from_seq).take(LOSS_AT_ONCE);
    let first = free.next()?;
    let last = free.last().unwrap_or(first);
    // A pack is lost whole, and only if all of it is on disk.
    let end = last.pack.as_ref().map_or(last.seq.saturating_add(1), |it| it.pack.end_seq());
    let is_durable = durable().last()?.seq.saturating_add(1) >= end;
    is_durable.then_some(first.seq..end)
}
