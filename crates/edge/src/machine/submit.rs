//! Getting readings to the ledger: sealing, signing, submitting, and finding out what became of
//! them when an answer was lost.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use althing_types::limits::{PAYLOAD_BYTES_MAX, SEALED_OVERHEAD_BYTES_MAX};
use althing_types::{Action, Arrived, Body, Reading, Refusal, StreamId, Transaction};

use super::{AttemptId, Located, Machine, Outcome, Output, Sealing, SetsFree, TimeMs, Way};
use crate::record::Record;
use crate::retry::pause_ms;
use crate::stream::{Batch, Doubt, Lane, Queued, Step, Stream};

/// How often what piled up gives way to what is new before all of it is final: each time may leave a
/// gap on the ledger, which keeps some hundreds open.
const SPLITS_MAX: u32 = 64;
/// Most packs kept in mind for each stream once they are final.
const RECENT_MAX: usize = 4;
/// What piled up goes with what is new if it is at most this part of a batch: it delays that little,
/// and leaves no gap.
const CATCH_UP_PART: usize = 10;

/// What a refusal asks of the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    /// Submit the same transaction again after a pause.
    Again,
    /// Nonce or height are not what we believe, perhaps because the transaction was taken before:
    /// look whether its readings are on the ledger.
    Refresh,
    /// Look whose readings the ledger holds at these numbers.
    Locate(Doubt),
    /// Give up the live lane, if there are two: it is too far ahead.
    Join,
    /// Ask whether payloads are to be sealed, and under which key, and seal anew.
    Rekey,
    /// Only people can remove the reason: keep the readings, try anew at growing pauses.
    Hold,
}

const fn remedy(refusal: Refusal) -> Remedy {
    match refusal {
        Refusal::MempoolFull
        | Refusal::SenderQuota
        | Refusal::NotReady
        | Refusal::StorageFull
        | Refusal::DeviceChanged
        | Refusal::PayloadMissing => Remedy::Again,
        Refusal::NonceReused
        | Refusal::NonceTooOld
        | Refusal::NonceTooFar
        | Refusal::Expired
        | Refusal::ExpiryTooFar => Remedy::Refresh,
        Refusal::NotSealed | Refusal::StaleStreamKey | Refusal::UnknownStreamKey => Remedy::Rekey,
        Refusal::SequenceTooFar => Remedy::Join,
        Refusal::SequenceOverlap => Remedy::Locate(Doubt::Overlap),
        Refusal::GapSealed => Remedy::Locate(Doubt::Sealed),
        _ => Remedy::Hold,
    }
}

impl Machine {
    /// The lane that gets the next turn, if its time has come: that of what is new, or the one that
    /// waits the longest.
    fn next_way(&self, lane: Lane) -> Option<(TimeMs, Way)> {
        let (wake, id) = self.wakes_of(lane).first()?;
        let is_free = match lane {
            Lane::Live => self.asked.len() < self.config.limits.under_way_max,
            Lane::Backfill => self.may_backfill(id),
        };
        is_free.then_some((*wake, (*id, lane)))
    }

    /// Whether the backfill of a stream may go on. It leaves half of the requests to what is new,
    /// and is under way with so few readings at a time that no block is full of them.
    fn may_backfill(&self, id: &StreamId) -> bool {
        let limits = &self.config.limits;
        let (mut requests, mut readings) = (0, 0);
        for (id, _) in self.asked.values().filter(|(_, lane)| *lane == Lane::Backfill) {
            requests += 1;
            readings += self.backfill.get(id).map_or(0, Stream::under_way_readings);
        }
        let next = self.backfill.get(id).map_or(0, Stream::durable);
        let next = next.min(limits.batch_readings_max);
        requests < limits.under_way_max.div_ceil(2)
            && self.asked.len() < limits.under_way_max
            && (readings == 0 || readings + next <= limits.backfill_readings_max)
    }

    /// When the next turn is due, whatever lane gets it; none while answers must come first.
    pub(super) fn next_wake(&self) -> Option<TimeMs> {
        let wakes = [Lane::Live, Lane::Backfill].map(|lane| self.next_way(lane));
        wakes.into_iter().flatten().map(|(wake, _)| wake).min()
    }

    /// When a stream that wants its turn at `wake` gets it, given that the account is unknown.
    pub(super) fn account_wake(&self, wake: TimeMs) -> Option<TimeMs> {
        let free = self.account.under_way.is_none();
        free.then_some(wake.max(self.account.not_before_ms))
    }

    /// Enters in the table when a lane of a stream wants its turn.
    pub(super) fn schedule(&mut self, (id, lane): Way, now: TimeMs) {
        let (streams, wakes) = match lane {
            Lane::Live => (&mut self.streams, &mut self.wakes),
            Lane::Backfill => (&mut self.backfill, &mut self.backfill_wakes),
        };
        let Some(stream) = streams.get_mut(&id) else { return };
        let wake = wake_ms(stream, lane, now, &self.config.limits, self.stopping)
            .filter(|_| stream.hold_until.is_none_or(|record| record <= self.durable));
        if wake == stream.wake_ms {
            return;
        }
        if let Some(old) = std::mem::replace(&mut stream.wake_ms, wake) {
            wakes.remove(&(old, id));
        }
        if let Some(new) = wake {
            wakes.insert((new, id));
        }
    }

    pub(super) fn schedule_both(&mut self, id: StreamId, now: TimeMs) {
        self.schedule((id, Lane::Live), now);
        self.schedule((id, Lane::Backfill), now);
    }

    /// Gives every stream its turn whose time has come: what is new first, then the longest waiting.
    pub(super) fn advance(&mut self, now: TimeMs, out: &mut Vec<Output>) {
        while let Some(way) = self.due(now) {
            if self.account.known.is_none() {
                self.ask_account(now, out);
                return;
            }
            self.take_turn(way, now, out);
            self.schedule(way, now);
        }
    }

    fn due(&self, now: TimeMs) -> Option<Way> {
        let mut lanes = [Lane::Live, Lane::Backfill].into_iter();
        lanes
            .find_map(|lane| self.next_way(lane).filter(|(wake, _)| *wake <= now))
            .map(|(_, way)| way)
    }

    fn ask_account(&mut self, now: TimeMs, out: &mut Vec<Output>) {
        if self.account.under_way.is_none() && self.account.not_before_ms <= now {
            let attempt = AttemptId(self.next_attempt);
            self.next_attempt += 1;
            self.account.under_way = Some(attempt);
            out.push(Output::AskAccount { attempt });
        }
    }

    fn take_turn(&mut self, way: Way, now: TimeMs, out: &mut Vec<Output>) {
        let (id, attempt) = (way.0, AttemptId(self.next_attempt));
        let Some(stream) = self.lane(way) else { return };
        if stream.unsure && matches!(stream.step, Step::Seal) {
            stream.step = Step::Locate(Doubt::Lost);
        }
        if matches!(stream.step, Step::Seal) && stream.front().is_some() {
            if !self.sealings.contains_key(&id) {
                self.set_step(way, Step::Head);
            } else if self.split(way, now) {
                // What is left may be too young to be sealed.
                return;
            }
        }
        let Some(stream) = self.lane(way) else { return };
        let output = match (&stream.step, stream.front().map(|queued| queued.seq)) {
            (Step::Head, _) => Some(Output::AskHead { attempt, stream: id }),
            (Step::Locate(_), Some(seq)) => Some(Output::Locate { attempt, stream: id, seq }),
            (Step::Seal, Some(_)) => self.seal(attempt, way),
            (Step::Submit(batch), Some(_)) => batch.transaction.clone().map(|transaction| {
                Output::Submit { attempt, transaction, payload: batch.payload.clone() }
            }),
            (_, None) => None,
        };
        if let (Some(output), Some(stream)) = (output, self.lane(way)) {
            stream.under_way = Some(attempt);
            self.next_attempt += 1;
            self.asked.insert(attempt, way);
            out.push(output);
        }
    }

    fn set_step(&mut self, way: Way, step: Step) {
        if let Some(stream) = self.lane(way) {
            stream.step = step;
        }
    }

    /// Gives what is old to the other lane, so that what is published now is in the next batch,
    /// whatever piled up. Returns whether there was something.
    fn split(&mut self, (id, lane): Way, now: TimeMs) -> bool {
        let (limits, little) = (&self.config.limits, self.little());
        let Some(stream) = self.streams.get_mut(&id) else { return false };
        let is_settled = !stream.unsure && !stream.single && stream.splits < SPLITS_MAX;
        if lane == Lane::Backfill || !is_settled {
            return false;
        }
        let batch = limits.batch_readings_max;
        let keep = stream.piled_ms.take().map_or(batch, |until_ms| {
            // What came since a peer could be reached again is new, however long that took to say.
            let until_ms = until_ms.min(now.saturating_sub(limits.batch_age_ms_max));
            stream.durable_since(until_ms).min(batch)
        });
        let old = stream.older_than(keep);
        if old == 0 || (old <= little && stream.durable() <= batch) {
            return false;
        }
        let older = self.backfill.entry(id).or_insert_with(|| Stream::new(stream.next_seq));
        stream.splits += u32::from(stream.split_into(older, old));
        self.schedule((id, Lane::Backfill), now);
        true
    }

    /// How many readings that piled up are not worth a gap.
    const fn little(&self) -> usize {
        self.config.limits.batch_readings_max.div_ceil(CATCH_UP_PART)
    }

    fn seal(&mut self, attempt: AttemptId, way: Way) -> Option<Output> {
        let limits = &self.config.limits;
        let stream = match way.1 {
            Lane::Live => self.streams.get_mut(&way.0)?,
            Lane::Backfill => self.backfill.get_mut(&way.0)?,
        };
        let (height, nonce) = self.account.known.as_mut()?;
        let readings_max = if stream.single { 1 } else { limits.batch_readings_max };
        let (header, payload) = match self.sealings.get(&way.0)? {
            None => stream.seal(way.0, readings_max, PAYLOAD_BYTES_MAX)?,
            Some(key) => {
                let bytes_max = PAYLOAD_BYTES_MAX - SEALED_OVERHEAD_BYTES_MAX;
                let (header, payload) = stream.seal(way.0, readings_max, bytes_max)?;
                key.seal(&header, &payload)?
            }
        };
        let expiry_height = height.saturating_add(limits.expiry_blocks);
        let actions = vec![Action::SubmitBatch(header.clone())];
        let gateway = self.config.gateway;
        let body = Body::new(&self.config.ledger, gateway, *nonce, expiry_height, actions);
        *nonce = nonce.saturating_add(1);
        stream.step = Step::Submit(Box::new(Batch { header, payload, transaction: None }));
        Some(Output::Sign { attempt, body })
    }

    /// The lane that waits for this answer, no longer waiting.
    fn answered(&mut self, attempt: AttemptId) -> Option<Way> {
        let way = self.asked.remove(&attempt)?;
        let stream = self.lane(way)?;
        stream.under_way.take_if(|awaited| *awaited == attempt).map(|_| way)
    }

    pub(super) fn on_account(
        &mut self,
        now: TimeMs,
        attempt: AttemptId,
        height: u64,
        next_nonce: u64,
    ) {
        if self.account.under_way == Some(attempt) {
            self.height = self.height.max(height);
            self.account = super::Account {
                known: Some((height, next_nonce)),
                not_before_ms: now,
                ..Default::default()
            };
        }
    }

    pub(super) fn on_head(
        &mut self,
        now: TimeMs,
        attempt: AttemptId,
        next_seq: u64,
        sealing: Sealing,
        out: &mut Vec<Output>,
    ) {
        let Some(way) = self.answered(attempt) else { return };
        let (id, Some(stream)) = (way.0, self.lane(way)) else { return };
        stream.step = Step::Seal;
        let waits = stream.front().is_some();
        match sealing {
            Sealing::Under(key) => _ = self.sealings.insert(id, Some(key)),
            // An empty stream may become confidential before there is something to be sealed.
            Sealing::Open if next_seq > 0 || waits => _ = self.sealings.insert(id, None),
            Sealing::Open => {}
            Sealing::Locked if waits => {
                self.hold(now, way, Refusal::NotSealed, out);
                return self.schedule(way, now);
            }
            Sealing::Locked => {}
        }
        let Some(stream) = self.lane(way) else { return };
        stream.succeeded();
        if stream.next_seq.is_none() {
            stream.stands_at(next_seq);
            let record = Record::Head { stream: id, next_seq };
            self.persist(record, SetsFree::Stream(id), out);
        }
        self.schedule(way, now);
    }

    pub(super) fn on_located(
        &mut self,
        now: TimeMs,
        attempt: AttemptId,
        batch: Option<Located>,
        next_seq: u64,
        out: &mut Vec<Output>,
    ) {
        let Some(way) = self.answered(attempt) else { return };
        let (id, is_ours) = (way.0, batch.as_ref().is_some_and(|it| self.is_ours(way.0, it)));
        let Some(stream) = self.lane(way) else { return };
        stream.succeeded();
        let step = std::mem::replace(&mut stream.step, Step::Seal);
        let is_behind = stream.front().is_some_and(|oldest| next_seq <= oldest.seq);
        match (batch, step) {
            // After a restart several batches may be final: `unsure` looks at the next one. A number
            // that a device gave can only be taken by what that device signed.
            (Some(located), _) if is_ours || stream.is_signed() => {
                self.retire(id, located.first_seq, located.count(), out);
            }
            // A peer that knows no such gap is behind the one that refused to fill it.
            (None, Step::Locate(Doubt::Sealed)) if is_behind => {
                self.pause(now, way, Some(Step::Locate(Doubt::Sealed)));
            }
            (None, Step::Locate(Doubt::Sealed)) if stream.is_signed() => {
                self.hold(now, way, Refusal::GapSealed, out);
            }
            // Whatever of ours was under way with these numbers can never be taken any more.
            (located, Step::Locate(Doubt::Sealed)) | (located @ Some(_), _) => {
                let oldest = stream.front().map_or(0, |oldest| oldest.seq);
                let taken = located.map_or(0, |it| it.first_seq.saturating_add(it.count().into()));
                match way.1 {
                    _ if oldest < stream.unsure_below => {
                        let below_seq = taken.max(oldest.saturating_add(1));
                        self.move_behind(way, below_seq, next_seq, out);
                    }
                    Lane::Live => self.renumber(id, next_seq, out),
                    Lane::Backfill => self.move_behind(way, u64::MAX, next_seq, out),
                }
            }
            // A later number was taken, or an earlier transaction of ours waits to be included.
            (None, Step::Locate(Doubt::Overlap)) => stream.single = true,
            (None, _) => stream.unsure = false,
        }
        self.schedule_both(id, now);
    }

    /// Whether what the ledger holds is readings of ours, whichever lane they are in. Those of them
    /// that were given up meanwhile cannot be compared.
    fn is_ours(&self, id: StreamId, located: &Located) -> bool {
        let numbered: BTreeMap<u64, &Reading> =
            (located.first_seq..).zip(&located.readings).collect();
        let seqs = located.first_seq..located.first_seq.saturating_add(located.count().into());
        let lanes = [self.backfill.get(&id), self.streams.get(&id)];
        let mut durable =
            lanes.into_iter().flatten().flat_map(|stream| stream.durables(seqs.clone())).peekable();
        durable.peek().is_some()
            && durable.all(|queued| numbered.get(&queued.seq) == Some(&&queued.reading))
    }

    /// The numbers of a lane up to one were taken, or can no longer be: its readings get numbers behind
    /// all others.
    fn move_behind(&mut self, way: Way, below_seq: u64, next_seq: u64, out: &mut Vec<Output>) {
        let id = way.0;
        let moved = self.lane(way).map(|stream| stream.take(0..below_seq)).unwrap_or_default();
        if self.backfill.get(&id).is_some_and(|older| older.len() == 0) {
            self.end_backfill(id);
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let (Some(first), Some(last)) = (moved.first(), moved.last()) else { return };
        let (from_seq, below_seq) = (first.seq, last.seq.saturating_add(1));
        stream.stands_at(next_seq);
        let (to_seq, count) = (stream.next_seq.unwrap_or_default(), moved.len());
        stream.append(moved);
        let record = Record::Moved { stream: id, from_seq, below_seq, to_seq };
        self.persist(record, SetsFree::Moved(id, count), out);
    }

    /// The backfill of a stream, which ends.
    fn end_backfill(&mut self, id: StreamId) -> Option<Stream> {
        let older = self.backfill.remove(&id)?;
        if let Some(wake) = older.wake_ms {
            self.backfill_wakes.remove(&(wake, id));
        }
        Some(older)
    }

    fn renumber(&mut self, id: StreamId, to_seq: u64, out: &mut Vec<Output>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let Some(from_seq) = stream.front().map(|queued| queued.seq) else { return };
        stream.renumber(from_seq, to_seq);
        let record = Record::Renumbered { stream: id, from_seq, to_seq };
        let hold = self.persist(record, SetsFree::Stream(id), out);
        if let Some(stream) = self.streams.get_mut(&id) {
            // Submitting under new numbers that a crash makes us forget would double them.
            stream.hold_until = Some(hold);
        }
    }

    pub(super) fn on_signed(&mut self, now: TimeMs, attempt: AttemptId, transaction: Transaction) {
        let Some(way) = self.answered(attempt) else { return };
        let Some(stream) = self.lane(way) else { return };
        if let Step::Submit(batch) = &mut stream.step {
            batch.transaction = Some(transaction);
        }
        self.schedule(way, now);
    }

    pub(super) fn on_outcome(
        &mut self,
        now: TimeMs,
        attempt: AttemptId,
        outcome: Outcome,
        out: &mut Vec<Output>,
    ) {
        let Some(way) = self.answered(attempt) else { return };
        match outcome {
            Outcome::Finalized { height } => self.on_finalized(way, height, out),
            Outcome::Refused(refusal) => self.on_refused(now, way, refusal, out),
            Outcome::Undecided => self.pause(now, way, Some(Step::Locate(Doubt::Lost))),
        }
        self.schedule_both(way.0, now);
    }

    fn on_finalized(&mut self, way: Way, height: u64, out: &mut Vec<Output>) {
        self.height = self.height.max(height);
        if let Some((known, _)) = &mut self.account.known {
            *known = height.max(*known);
        }
        let Some(stream) = self.lane(way) else { return };
        stream.succeeded();
        if let Step::Submit(batch) = std::mem::replace(&mut stream.step, Step::Seal) {
            self.retire(way.0, batch.header.first_seq, batch.header.count, out);
        }
    }

    fn on_refused(&mut self, now: TimeMs, way: Way, refusal: Refusal, out: &mut Vec<Output>) {
        self.counters.refusals += 1;
        match remedy(refusal) {
            Remedy::Again => self.pause(now, way, None),
            Remedy::Refresh => {
                self.account.known = None;
                self.pause(now, way, Some(Step::Locate(Doubt::Lost)));
            }
            Remedy::Locate(doubt) => self.pause(now, way, Some(Step::Locate(doubt))),
            Remedy::Rekey => {
                self.sealings.remove(&way.0);
                self.pause(now, way, Some(Step::Head));
            }
            Remedy::Join if self.backfill.contains_key(&way.0) => self.join(now, way.0),
            Remedy::Join | Remedy::Hold => self.hold(now, way, refusal, out),
        }
    }

    fn hold(&mut self, now: TimeMs, way: Way, refusal: Refusal, out: &mut Vec<Output>) {
        self.held.insert(way.0, refusal);
        out.push(Output::Held { stream: way.0, refusal });
        self.pause(now, way, Some(Step::Seal));
    }

    /// What is new is further ahead than the ledger lets it go: from now on, all goes in order.
    fn join(&mut self, now: TimeMs, id: StreamId) {
        let Some(older) = self.end_backfill(id) else { return };
        let Some(stream) = self.streams.get_mut(&id) else { return };
        // Its last batch may be final.
        stream.unsure = true;
        stream.splits = SPLITS_MAX;
        stream.join(older);
        self.pause(now, (id, Lane::Live), Some(Step::Seal));
    }

    pub(super) fn on_failed(&mut self, now: TimeMs, attempt: AttemptId) {
        self.counters.failures += 1;
        if self.account.under_way == Some(attempt) {
            self.account.under_way = None;
            self.account.failures = self.account.failures.saturating_add(1);
            let pause = pause_ms(&self.config.limits, self.account.failures, 0);
            self.account.not_before_ms = now.saturating_add(pause);
        } else if let Some(way) = self.answered(attempt) {
            let little = self.little();
            let step = self.lane(way).and_then(|stream| match &stream.step {
                Step::Submit(batch) if batch.transaction.is_none() => Some(Step::Seal),
                // What is old by the time somebody answers is not to be in the way of what is new.
                Step::Submit(batch)
                    if way.1 == Lane::Live && batch.header.count as usize > little =>
                {
                    Some(Step::Locate(Doubt::Lost))
                }
                _ => None,
            });
            self.pause(now, way, step);
            if self.lane(way).is_some_and(|stream| !stream.hurried) {
                self.unanswered.insert(way, attempt);
            }
            self.schedule(way, now);
        }
    }

    /// A peer has answered: who pauses since it did not goes on at once. Once only, in case it
    /// answers others and not them.
    pub(super) fn on_reached(&mut self, now: TimeMs, answered: AttemptId) {
        let since = |_: &Way, failed: &mut AttemptId| *failed < answered;
        let ways: Vec<Way> = self.unanswered.extract_if(.., since).map(|(way, _)| way).collect();
        for way in ways {
            if let Some(stream) = self.lane(way) {
                stream.hurried = true;
                stream.not_before_ms = stream.not_before_ms.min(now);
                stream.piled_ms = stream.piled_ms.map(|until_ms| until_ms.min(now));
            }
            self.schedule(way, now);
        }
    }

    /// After a failure: waits, then does `step`, or the same again.
    fn pause(&mut self, now: TimeMs, way: Way, step: Option<Step>) {
        let failures = self.lane(way).map_or(0, |stream| stream.failures).saturating_add(1);
        let pause = pause_ms(&self.config.limits, failures, way.0.0[0]);
        let Some(stream) = self.lane(way) else { return };
        stream.failures = failures;
        stream.not_before_ms = now.saturating_add(pause);
        stream.piled_ms = Some(stream.not_before_ms);
        let Some(step) = step else { return };
        let before = std::mem::replace(&mut stream.step, step);
        if let (Step::Submit(batch), Step::Locate(Doubt::Lost)) = (before, &stream.step) {
            let end_seq = batch.header.end_seq().unwrap_or(u64::MAX);
            stream.unsure_below = stream.unsure_below.max(end_seq);
        }
    }

    fn retire(&mut self, id: StreamId, first_seq: u64, count: u32, out: &mut Vec<Output>) {
        self.held.remove(&id);
        self.counters.readings_finalized += u64::from(count);
        let end = first_seq.saturating_add(u64::from(count));
        // A pack of which the ledger holds a part will never be taken.
        let lanes = [self.backfill.get(&id), self.streams.get(&id)];
        let last = lanes.into_iter().flatten().find_map(|stream| stream.find(end.checked_sub(1)?));
        let pack = last.and_then(|queued| queued.pack.as_ref());
        let end = pack.map_or(end, |arrived| end.max(arrived.pack.end_seq()));
        self.release(id, first_seq..end, out);
        out.push(Output::Finalized { stream: id, first_seq, count });
    }

    /// Keeps readings no more, in memory and on disk.
    pub(super) fn release(&mut self, id: StreamId, seqs: Range<u64>, out: &mut Vec<Output>) {
        let mut dropped = Vec::new();
        for lane in [Lane::Backfill, Lane::Live] {
            let Some(stream) = self.lane((id, lane)) else { continue };
            let taken = stream.take(seqs.clone());
            if !taken.is_empty() {
                stream.single = false;
                stream.ask_anew();
            }
            stream.unsure &= stream.len() > 0;
            dropped.extend(taken);
        }
        self.bytes -= dropped.iter().map(Queued::cost).sum::<usize>();
        self.remember(id, &dropped);
        if self.backfill.get(&id).is_some_and(|older| older.len() == 0) {
            self.end_backfill(id);
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.splits = 0;
            }
        }
        if let Some(stream) = self.streams.get_mut(&id).filter(|stream| stream.len() == 0) {
            stream.splits = 0;
        }
        let lanes = [self.backfill.get(&id), self.streams.get(&id)];
        let oldest = lanes.into_iter().flatten().find_map(Stream::front).map(|queued| queued.seq);
        let record = if oldest.is_none_or(|oldest| seqs.end <= oldest) {
            Record::Retired { stream: id, before_seq: seqs.end }
        } else {
            let count = u32::try_from(seqs.end - seqs.start).unwrap_or(u32::MAX);
            Record::Released { stream: id, first_seq: seqs.start, count }
        };
        self.persist(record, SetsFree::Stream(id), out);
    }

    /// Keeps in mind which packs were final last.
    fn remember(&mut self, id: StreamId, dropped: &[Queued]) {
        let mut packs: Vec<&Arc<Arrived>> =
            dropped.iter().filter_map(|queued| queued.pack.as_ref()).collect();
        packs.dedup_by(|one, other| Arc::ptr_eq(one, other));
        for arrived in packs {
            let recent = self.recent.entry(id).or_default();
            if recent.len() == RECENT_MAX {
                recent.pop_front();
            }
            recent.push_back(arrived.pack.digest());
        }
    }

    pub(super) fn on_stop(&mut self, now: TimeMs) {
        self.stopping = true;
        let ids: Vec<_> = self.streams.keys().copied().collect();
        for id in ids {
            self.schedule_both(id, now);
        }
    }
}

/// When a stream wants its turn: at once if it has something to do, at the age of its oldest
/// reading if it only waits for company, never if there is nothing to do or an answer is awaited.
fn wake_ms(
    stream: &Stream,
    lane: Lane,
    now: TimeMs,
    limits: &crate::Limits,
    stopping: bool,
) -> Option<TimeMs> {
    if stream.under_way.is_some() {
        return None;
    }
    let due = match (&stream.step, stream.front()) {
        (Step::Head, _) => now,
        (_, None) => return None,
        (Step::Seal, Some(_)) if stream.durable() == 0 => return None,
        (Step::Seal, Some(oldest)) if lane == Lane::Live && !stream.unsure && !stopping => {
            let full = stream.durable() >= limits.batch_readings_max;
            let aged = oldest.since_ms.saturating_add(limits.batch_age_ms_max);
            if full { now.min(aged) } else { aged }
        }
        _ => now,
    };
    Some(due.max(stream.not_before_ms))
}
