//! Getting readings to the ledger: sealing, signing, submitting, and finding out what became of
//! them when an answer was lost.

use althing_types::{Action, Body, Refusal, StreamId, Transaction};

use super::{AttemptId, Located, Machine, Outcome, Output, SetsFree, TimeMs};
use crate::record::Record;
use crate::retry::pause_ms;
use crate::stream::{Batch, Doubt, Step, Stream};

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
    /// Only people can remove the reason: keep the readings, try anew at growing pauses.
    Hold,
}

const fn remedy(refusal: Refusal) -> Remedy {
    match refusal {
        Refusal::MempoolFull
        | Refusal::SenderQuota
        | Refusal::NotReady
        | Refusal::StorageFull
        | Refusal::PayloadMissing => Remedy::Again,
        Refusal::NonceReused
        | Refusal::NonceTooOld
        | Refusal::NonceTooFar
        | Refusal::Expired
        | Refusal::ExpiryTooFar => Remedy::Refresh,
        Refusal::SequenceOverlap => Remedy::Locate(Doubt::Overlap),
        Refusal::GapSealed => Remedy::Locate(Doubt::Sealed),
        _ => Remedy::Hold,
    }
}

impl Machine {
    pub(super) fn is_saturated(&self) -> bool {
        self.asked.len() >= self.config.limits.under_way_max
    }

    /// When a stream that wants its turn at `wake` gets it, given that the account is unknown.
    pub(super) fn account_wake(&self, wake: TimeMs) -> Option<TimeMs> {
        let free = self.account.under_way.is_none();
        free.then_some(wake.max(self.account.not_before_ms))
    }

    /// Enters in the table when a stream wants its turn.
    pub(super) fn schedule(&mut self, id: StreamId, now: TimeMs) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let wake = wake_ms(stream, now, &self.config.limits, self.stopping)
            .filter(|_| stream.hold_until.is_none_or(|record| record <= self.durable));
        if wake == stream.wake_ms {
            return;
        }
        if let Some(old) = std::mem::replace(&mut stream.wake_ms, wake) {
            self.wakes.remove(&(old, id));
        }
        if let Some(new) = wake {
            self.wakes.insert((new, id));
        }
    }

    /// Gives every stream its turn whose time has come, the longest waiting first.
    pub(super) fn advance(&mut self, now: TimeMs, out: &mut Vec<Output>) {
        while !self.is_saturated() {
            let Some((_, id)) = self.wakes.first().copied().filter(|(wake, _)| *wake <= now) else {
                return;
            };
            if self.account.known.is_none() {
                self.ask_account(now, out);
                return;
            }
            self.take_turn(id, out);
            self.schedule(id, now);
        }
    }

    fn ask_account(&mut self, now: TimeMs, out: &mut Vec<Output>) {
        if self.account.under_way.is_none() && self.account.not_before_ms <= now {
            let attempt = AttemptId(self.next_attempt);
            self.next_attempt += 1;
            self.account.under_way = Some(attempt);
            out.push(Output::AskAccount { attempt });
        }
    }

    fn take_turn(&mut self, id: StreamId, out: &mut Vec<Output>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.unsure && matches!(stream.step, Step::Seal) {
            stream.step = Step::Locate(Doubt::Lost);
        }
        let attempt = AttemptId(self.next_attempt);
        let output = match (&stream.step, stream.front().map(|queued| queued.seq)) {
            (Step::Head, _) => Some(Output::AskHead { attempt, stream: id }),
            (Step::Locate(_), Some(seq)) => Some(Output::Locate { attempt, stream: id, seq }),
            (Step::Seal, Some(_)) => self.seal(attempt, id),
            (Step::Submit(batch), Some(_)) => batch.transaction.clone().map(|transaction| {
                Output::Submit { attempt, transaction, payload: batch.payload.clone() }
            }),
            (_, None) => None,
        };
        if let (Some(output), Some(stream)) = (output, self.streams.get_mut(&id)) {
            self.next_attempt += 1;
            self.asked.insert(attempt, id);
            stream.under_way = Some(attempt);
            out.push(output);
        }
    }

    fn seal(&mut self, attempt: AttemptId, id: StreamId) -> Option<Output> {
        let limits = &self.config.limits;
        let stream = self.streams.get_mut(&id)?;
        let (height, nonce) = self.account.known.as_mut()?;
        let readings_max = if stream.single { 1 } else { limits.batch_readings_max };
        let (header, payload) = stream.seal(id, readings_max)?;
        let expiry_height = height.saturating_add(limits.expiry_blocks);
        let actions = vec![Action::SubmitBatch(header.clone())];
        let gateway = self.config.gateway;
        let body = Body::new(&self.config.ledger, gateway, *nonce, expiry_height, actions);
        *nonce = nonce.saturating_add(1);
        stream.step = Step::Submit(Box::new(Batch { header, payload, transaction: None }));
        Some(Output::Sign { attempt, body })
    }

    /// The stream that waits for this answer, no longer waiting.
    fn answered(&mut self, attempt: AttemptId) -> Option<StreamId> {
        let id = self.asked.remove(&attempt)?;
        let stream = self.streams.get_mut(&id)?;
        stream.under_way.take_if(|awaited| *awaited == attempt).map(|_| id)
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
        out: &mut Vec<Output>,
    ) {
        let Some(id) = self.answered(attempt) else { return };
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.step = Step::Seal;
        stream.succeeded();
        if stream.next_seq.is_none() {
            stream.stands_at(next_seq);
            let record = Record::Head { stream: id, next_seq };
            self.persist(record, SetsFree::Stream(id), out);
        }
        self.schedule(id, now);
    }

    pub(super) fn on_located(
        &mut self,
        now: TimeMs,
        attempt: AttemptId,
        batch: Option<Located>,
        next_seq: u64,
        out: &mut Vec<Output>,
    ) {
        let Some(id) = self.answered(attempt) else { return };
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.succeeded();
        let step = std::mem::replace(&mut stream.step, Step::Seal);
        let is_behind = stream.front().is_some_and(|oldest| next_seq <= oldest.seq);
        match (batch, step) {
            // After a restart several batches may be final: `unsure` looks at the next one.
            (Some(located), _) if stream.is_ours(id, &located) => {
                self.retire(id, located.first_seq, located.count, out);
            }
            // A peer that knows no such gap is behind the one that refused to fill it.
            (None, Step::Locate(Doubt::Sealed)) if is_behind => {
                self.pause(now, id, Some(Step::Locate(Doubt::Sealed)));
            }
            // Whatever of ours was under way with these numbers can never be taken any more.
            (Some(_), _) | (None, Step::Locate(Doubt::Sealed)) => self.renumber(id, next_seq, out),
            // A later number was taken, or an earlier transaction of ours waits to be included.
            (None, Step::Locate(Doubt::Overlap)) => stream.single = true,
            (None, _) => stream.unsure = false,
        }
        self.schedule(id, now);
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
        let Some(id) = self.answered(attempt) else { return };
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if let Step::Submit(batch) = &mut stream.step {
            batch.transaction = Some(transaction);
        }
        self.schedule(id, now);
    }

    pub(super) fn on_outcome(
        &mut self,
        now: TimeMs,
        attempt: AttemptId,
        outcome: Outcome,
        out: &mut Vec<Output>,
    ) {
        let Some(id) = self.answered(attempt) else { return };
        match outcome {
            Outcome::Finalized { height } => self.on_finalized(id, height, out),
            Outcome::Refused(refusal) => self.on_refused(now, id, refusal, out),
            Outcome::Undecided => self.pause(now, id, Some(Step::Locate(Doubt::Lost))),
        }
        self.schedule(id, now);
    }

    fn on_finalized(&mut self, id: StreamId, height: u64, out: &mut Vec<Output>) {
        self.height = self.height.max(height);
        if let Some((known, _)) = &mut self.account.known {
            *known = height.max(*known);
        }
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.succeeded();
        if let Step::Submit(batch) = std::mem::replace(&mut stream.step, Step::Seal) {
            self.retire(id, batch.header.first_seq, batch.header.count, out);
        }
    }

    fn on_refused(&mut self, now: TimeMs, id: StreamId, refusal: Refusal, out: &mut Vec<Output>) {
        self.counters.refusals += 1;
        match remedy(refusal) {
            Remedy::Again => self.pause(now, id, None),
            Remedy::Refresh => {
                self.account.known = None;
                self.pause(now, id, Some(Step::Locate(Doubt::Lost)));
            }
            Remedy::Locate(doubt) => self.pause(now, id, Some(Step::Locate(doubt))),
            Remedy::Hold => {
                self.held.insert(id, refusal);
                out.push(Output::Held { stream: id, refusal });
                self.pause(now, id, Some(Step::Seal));
            }
        }
    }

    pub(super) fn on_failed(&mut self, now: TimeMs, attempt: AttemptId) {
        self.counters.failures += 1;
        if self.account.under_way == Some(attempt) {
            self.account.under_way = None;
            self.account.failures = self.account.failures.saturating_add(1);
            let pause = pause_ms(&self.config.limits, self.account.failures, 0);
            self.account.not_before_ms = now.saturating_add(pause);
        } else if let Some(id) = self.answered(attempt) {
            let unsigned = self.streams.get(&id).is_some_and(
                |stream| matches!(&stream.step, Step::Submit(batch) if batch.transaction.is_none()),
            );
            self.pause(now, id, unsigned.then_some(Step::Seal));
            self.schedule(id, now);
        }
    }

    /// After a failure: waits, then does `step`, or the same again.
    fn pause(&mut self, now: TimeMs, id: StreamId, step: Option<Step>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.failures = stream.failures.saturating_add(1);
        let pause = pause_ms(&self.config.limits, stream.failures, id.0[0]);
        stream.not_before_ms = now.saturating_add(pause);
        if let Some(step) = step {
            stream.step = step;
        }
    }

    fn retire(&mut self, id: StreamId, first_seq: u64, count: u32, out: &mut Vec<Output>) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let before_seq = first_seq.saturating_add(u64::from(count));
        self.bytes -= stream.retire(before_seq);
        self.held.remove(&id);
        self.counters.readings_finalized += u64::from(count);
        stream.unsure &= stream.len() > 0;
        stream.single = false;
        let record = Record::Retired { stream: id, before_seq };
        self.persist(record, SetsFree::Stream(id), out);
        out.push(Output::Finalized { stream: id, first_seq, count });
    }

    pub(super) fn on_stop(&mut self, now: TimeMs) {
        self.stopping = true;
        let ids: Vec<_> = self.streams.keys().copied().collect();
        for id in ids {
            self.schedule(id, now);
        }
    }
}

/// When a stream wants its turn: at once if it has something to do, at the age of its oldest
/// reading if it only waits for company, never if there is nothing to do or an answer is awaited.
fn wake_ms(stream: &Stream, now: TimeMs, limits: &crate::Limits, stopping: bool) -> Option<TimeMs> {
    if stream.under_way.is_some() {
        return None;
    }
    let due = match (&stream.step, stream.front()) {
        (Step::Head, _) => now,
        (_, None) => return None,
        (Step::Seal, Some(_)) if stream.durable() == 0 => return None,
        (Step::Seal, Some(oldest)) if !stream.unsure && !stopping => {
            let full = stream.durable() >= limits.batch_readings_max;
            let aged = oldest.since_ms.saturating_add(limits.batch_age_ms_max);
            if full { now.min(aged) } else { aged }
        }
        _ => now,
    };
    Some(due.max(stream.not_before_ms))
}
