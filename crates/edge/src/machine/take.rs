//! Taking readings in: mapping, numbering, the queue, and acknowledgement once durable.

use althing_types::{Reading, Refusal, StreamId};

use super::{Machine, Output, PersistId, PublishId, SetsFree, TimeMs};
use crate::directory::ThingSpec;
use crate::mapping::Context;
use crate::record::{Numbered, Record};
use crate::rejection::Rejection;
use crate::stream::{Stream, cost};

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

/// Readings of one record of a snapshot; the longest values still fit the longest record.
const SNAPSHOT_READINGS: usize = 64;

impl Machine {
    pub(super) fn on_publish(
        &mut self,
        now: TimeMs,
        id: PublishId,
        admitted: Result<Vec<(StreamId, Reading)>, Rejection>,
        out: &mut Vec<Output>,
    ) {
        match admitted {
            Ok(readings) => self.enqueue(now, id, readings, out),
            Err(rejection) => {
                self.counters.refused(&rejection);
                out.push(Output::Refuse { publish: id, rejection });
            }
        }
    }

    pub(super) fn admit(
        &self,
        received_ms: i64,
        topic: &str,
        payload: &[u8],
    ) -> Result<Vec<(StreamId, Reading)>, Rejection> {
        if self.stopping {
            return Err(Rejection::Unavailable { reason: "it is shutting down" });
        }
        let context = Context {
            profiles: &self.config.profiles,
            directory: &self.directory,
            height: self.height,
            topic,
            payload,
            received_ms,
            payload_bytes_max: self.config.limits.payload_bytes_max,
            ahead_ms_max: self.config.limits.claimed_ahead_ms_max,
        };
        let readings = context.readings().map_err(|rejection| self.in_doubt(rejection))?;
        self.check_room(&readings)?;
        Ok(readings)
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

    fn check_room(&self, readings: &[(StreamId, Reading)]) -> Result<(), Rejection> {
        let limits = &self.config.limits;
        let bytes: usize = readings.iter().map(|(_, reading)| cost(&reading.value)).sum();
        if self.bytes + bytes > limits.queue_bytes_max {
            return Err(Rejection::QueueFull { what: "bytes of all streams" });
        }
        for (id, _) in readings {
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
            if stream.len() + readings.len() > limits.stream_readings_max {
                return Err(Rejection::QueueFull { what: "readings of one stream" });
            }
        }
        Ok(())
    }

    fn enqueue(
        &mut self,
        now: TimeMs,
        publish: PublishId,
        readings: Vec<(StreamId, Reading)>,
        out: &mut Vec<Output>,
    ) {
        let mut numbered = Vec::with_capacity(readings.len());
        for (id, reading) in readings {
            // `check_room` saw the stream and its number.
            let Some(stream) = self.streams.get_mut(&id) else { continue };
            let Some(seq) = stream.next_seq else { continue };
            stream.next_seq = Some(seq + 1);
            stream.push(now, seq, reading.clone());
            self.bytes += cost(&reading.value);
            numbered.push(Numbered { stream: id, seq, reading });
        }
        let streams = numbered.iter().map(|numbered| numbered.stream).collect();
        self.counters.readings_taken += numbered.len() as u64;
        self.persist(Record::Readings(numbered), SetsFree::Readings(publish, streams), out);
    }

    pub(super) fn on_persisted(&mut self, now: TimeMs, through: PersistId, out: &mut Vec<Output>) {
        self.durable = self.durable.max(through);
        while let Some(record) = self.unsynced.pop_front_if(|record| record.id <= through) {
            match record.sets_free {
                SetsFree::Stream(id) => self.schedule(id, now),
                SetsFree::Readings(publish, streams) => {
                    out.push(Output::Acknowledge(publish));
                    for id in streams {
                        if let Some(stream) = self.streams.get_mut(&id) {
                            stream.persisted(1);
                        }
                        self.schedule(id, now);
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
            }
            self.schedule(id, now);
        }
    }

    /// Applies a record that an earlier run wrote.
    pub(super) fn replay(&mut self, record: Record) {
        match record {
            Record::Readings(readings) => {
                for Numbered { stream, seq, reading } in readings {
                    let entry = self.streams.entry(stream).or_insert_with(|| Stream::new(None));
                    self.bytes += cost(&reading.value);
                    entry.push(0, seq, reading);
                    entry.persisted(1);
                    entry.stands_at(seq + 1);
                    entry.unsure = true;
                }
            }
            Record::Head { stream, next_seq } => {
                let entry = self.streams.entry(stream).or_insert_with(|| Stream::new(None));
                entry.stands_at(next_seq);
            }
            Record::Retired { stream, before_seq } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    self.bytes -= entry.retire(before_seq);
                }
            }
            Record::Renumbered { stream, from_seq, to_seq } => {
                if let Some(entry) = self.streams.get_mut(&stream) {
                    entry.renumber(from_seq, to_seq);
                }
            }
            Record::Reset => {
                self.streams.clear();
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
        for (stream, known) in &self.streams {
            let head = known.next_seq.map(|next_seq| Record::Head { stream: *stream, next_seq });
            records.extend(head);
            let numbered: Vec<Numbered> = known.numbered(*stream).collect();
            let chunks = numbered.chunks(SNAPSHOT_READINGS);
            records.extend(chunks.map(|chunk| Record::Readings(chunk.to_vec())));
        }
        records
    }
}
