//! Wills: what a client leaves to be said when it is gone, once, also if the gateway crashes meanwhile.
//!
//! The will of a session that outlives its connection is a row on disk from the moment it is left until
//! the messages that it became are: those are written and the row removed together. Its reading, if it
//! is one, is in the queue by then, and known there by the will's [`Mark`] if it is published again.

use super::row::{self, StoredWill};
use super::session::{SessionNo, after_s};
use super::{Broker, DueWill, Will};
use crate::{Mark, Principal};

/// Set in what marks of wills call their session: publishes of the client have marks of their own.
const OF_WILL: u64 = 1 << 63;

const fn mark(no: SessionNo, number: u64) -> Mark {
    // No two of a session that wait at a time have the same id.
    Mark { session: no.0 | OF_WILL, number, id: (number % 65_536) as u16 }
}

impl Broker {
    /// Writes the will of a session that is on disk; removes one that is no more.
    pub(super) fn write_will(&mut self, no: SessionNo) {
        let Some(session) = self.sessions.get_mut(&no) else { return };
        let will = session.will.as_ref().filter(|_| session.is_stored);
        match (will, session.will_row) {
            (Some(will), None) => {
                let number = self.next_will;
                self.next_will += 1;
                session.will_row = Some(number);
                self.wills.insert((no.0 | OF_WILL, number));
                let by = (session.client.as_str(), &session.principal);
                self.effects.writes.push(row::put_will((no, number), by, will, false));
            }
            (None, Some(number)) => {
                session.will_row = None;
                self.remove_will(no, number);
            }
            _ => {}
        }
    }

    /// Another connection leaves another will, or none.
    pub(super) fn replace_will(&mut self, no: SessionNo, will: Option<Will>) {
        let Some(session) = self.sessions.get_mut(&no) else { return };
        (session.will, session.will_ms) = (will, None);
        if let Some(number) = session.will_row.take() {
            self.remove_will(no, number);
        }
    }

    /// Nothing will be published of a will any more. Its mark is of no use then.
    fn remove_will(&mut self, no: SessionNo, number: u64) {
        let session = no.0 | OF_WILL;
        self.wills.remove(&(session, number));
        self.effects.writes.push(row::remove_will(no, number));
        let is_last = self.wills_passed_of(session) == Some(u64::MAX);
        self.effects.passed.push((session, if is_last { u64::MAX } else { number }));
    }

    /// Hands out a will, if there is one and its client might still publish it.
    pub(super) fn publish_will(&mut self, no: SessionNo, now: i64) {
        let Some(session) = self.sessions.get_mut(&no) else { return };
        session.will_ms = None;
        let Some(will) = session.will.take() else { return };
        let (by, number) = ((session.client.clone(), session.principal.clone()), session.will_row);
        if self.rights.may_publish(&by.1, &will.message.topic) {
            session.will_row = None;
            self.hand_out(now, no, number, by, will);
        } else {
            self.counters.withheld += 1;
            self.write_will(no);
        }
    }

    fn hand_out(
        &mut self,
        now: i64,
        no: SessionNo,
        number: Option<u64>,
        (client, principal): (String, Principal),
        mut will: Will,
    ) {
        let mark = number.map(|number| mark(no, number));
        if let Some(number) = number {
            let by = (client.as_str(), &principal);
            self.effects.writes.push(row::put_will((no, number), by, &will, true));
        }
        will.message.expires_ms = will.expiry_s.map(|seconds| after_s(now, seconds));
        self.effects.wills.push(DueWill { client, principal, message: will.message, mark });
    }

    /// What came of a will is here: whom it is for, or that it was refused for good.
    pub fn will_passed(&mut self, will: &DueWill) {
        if let Some(mark) = will.mark {
            self.remove_will(SessionNo(mark.session & !OF_WILL), mark.number);
        }
    }

    /// Takes up a will that an earlier run left. Of one whose session goes on the client has gone with
    /// that run, and has a while to come back.
    pub(super) fn restore_will(&mut self, stored: StoredWill, now: i64) {
        let StoredWill { no, number, client, principal, will, is_due } = stored;
        self.wills.insert((no.0 | OF_WILL, number));
        self.next_will = self.next_will.max(number.saturating_add(1));
        self.next_session = self.next_session.max(no.0.saturating_add(1));
        match self.sessions.get_mut(&no).filter(|_| !is_due) {
            Some(session) => {
                let wait_s = will.delay_s.max(self.limits.will_grace_s);
                session.will_ms = Some(after_s(now, wait_s));
                (session.will, session.will_row) = (Some(will), Some(number));
            }
            None => self.hand_out(now, no, Some(number), (client, principal), will),
        }
    }

    /// Number of the last mark of a session of wills that is not needed; none if it is no such session.
    pub(super) fn wills_passed_of(&self, session: u64) -> Option<u64> {
        let mut waiting = self.wills.range((session, 0)..=(session, u64::MAX));
        let first = waiting.next().map_or(u64::MAX, |(_, number)| number.saturating_sub(1));
        (session & OF_WILL != 0).then_some(first)
    }
}
