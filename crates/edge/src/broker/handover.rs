//! From a session's queue to its client, and what the client says to it.

use super::message::Delivery;
use super::session::{SessionNo, packet_id};
use super::{Broker, ConnectionId, Next, Outgoing, Qos, row};
use crate::Mark;

impl Broker {
    /// What the connection is to send next, if its client can take it.
    pub fn next(&mut self, now: i64, connection: ConnectionId) -> Option<Next> {
        loop {
            let no = *self.connections.get(&connection)?;
            let session = self.sessions.get_mut(&no)?;
            if session.is_passing_next() {
                let (_, delivery) = session.passing.pop_front()?;
                let cost = delivery.published.message.cost();
                session.bytes = session.bytes.saturating_sub(cost);
                self.bytes = self.bytes.saturating_sub(cost);
                if let Some(outgoing) = self.judge(now, no, delivery, None, false) {
                    return Some(Next::Publish(outgoing));
                }
                continue;
            }
            let number = *session.unsent.front()?;
            if session.in_flight >= usize::from(session.in_flight_max) || session.is_taken(number) {
                return None;
            }
            session.unsent.pop_front();
            let waiting = session.waiting.get_mut(&number)?;
            let is_duplicate = waiting.sent_on.replace(connection).is_some();
            if waiting.is_received {
                session.in_flight += 1;
                return Some(Next::Release(packet_id(number)));
            }
            let delivery = waiting.delivery.clone();
            let id = Some(packet_id(number));
            if let Some(outgoing) = self.judge(now, no, delivery, id, is_duplicate) {
                if let Some(session) = self.sessions.get_mut(&no) {
                    session.in_flight += 1;
                }
                return Some(Next::Publish(outgoing));
            }
            self.forget(no, number);
        }
    }

    /// A delivery as it is sent, unless its time is up or the subscriber may not have it any more.
    fn judge(
        &mut self,
        now: i64,
        no: SessionNo,
        delivery: Delivery,
        id: Option<u16>,
        is_duplicate: bool,
    ) -> Option<Outgoing> {
        let Delivery { published, qos, retain, subscription_ids } = delivery;
        let session = self.sessions.get(&no)?;
        let topic = &published.message.topic;
        if published.message.is_expired(now) {
            self.counters.expired += 1;
            return None;
        }
        if !self.rights.may_receive(&session.principal, topic) {
            self.counters.withheld += 1;
            return None;
        }
        Some(Outgoing { sent: published, id, qos, is_duplicate, retain, subscription_ids })
    }

    fn forget(&mut self, no: SessionNo, number: u64) {
        let Some(session) = self.sessions.get_mut(&no) else { return };
        if let Some(waiting) = session.forget(number) {
            self.bytes -= waiting.delivery.published.message.cost();
            if session.is_stored {
                self.effects.writes.push(row::remove_waiting(no, number));
            }
        }
    }

    /// The subscriber has a message of QoS 1, or is done with one of QoS 2, or refuses it. Whether
    /// it was sent such a message.
    pub fn acknowledged(&mut self, connection: ConnectionId, id: u16) -> bool {
        let Some((no, session)) = self.session_mut(connection) else { return false };
        let Some((number, _)) = session.sent(id) else { return false };
        session.in_flight = session.in_flight.saturating_sub(1);
        self.forget(no, number);
        self.effects.wake.insert(connection);
        true
    }

    /// The subscriber has a message of QoS 2; it is released once this is durable. Whether it was
    /// sent such a message.
    pub fn received(&mut self, connection: ConnectionId, id: u16) -> bool {
        let Some((no, session)) = self.session_mut(connection) else { return false };
        let is_stored = session.is_stored;
        let Some((number, waiting)) = session.sent(id) else { return false };
        if waiting.delivery.qos != Qos::ExactlyOnce {
            return false;
        }
        let is_news = !std::mem::replace(&mut waiting.is_received, true);
        if is_news && is_stored {
            let write = row::put_waiting(no, number, waiting);
            self.effects.writes.push(write);
        }
        true
    }

    /// Whether a message of QoS 2 with this id was taken from the client and not released.
    #[must_use]
    pub fn is_unreleased(&self, connection: ConnectionId, id: u16) -> bool {
        let no = self.connections.get(&connection);
        let session = no.and_then(|no| self.sessions.get(no));
        session.is_some_and(|session| session.unreleased.contains(&id))
    }

    /// How many messages of QoS 2 were taken from the client and not released.
    #[must_use]
    pub fn unreleased(&self, connection: ConnectionId) -> usize {
        let no = self.connections.get(&connection);
        no.and_then(|no| self.sessions.get(no)).map_or(0, |session| session.unreleased.len())
    }

    /// A message of QoS 2 was taken from the client: until it is released, another of this id is
    /// the same.
    pub fn taken(&mut self, connection: ConnectionId, id: u16) {
        let Some((no, session)) = self.session_mut(connection) else { return };
        if session.unreleased.insert(id) && session.is_stored {
            self.effects.writes.push(row::put_unreleased(no, id));
        }
    }

    /// The client releases a message of QoS 2; whether it was taken.
    pub fn released(&mut self, connection: ConnectionId, id: u16) -> bool {
        let Some((no, session)) = self.session_mut(connection) else { return false };
        let was_taken = session.unreleased.remove(&id);
        if was_taken && session.is_stored {
            self.effects.writes.push(row::remove_unreleased(no, id));
        }
        was_taken
    }

    /// Whether this connection is still its client's.
    #[must_use]
    pub fn is_open(&self, connection: ConnectionId) -> bool {
        self.connections.contains_key(&connection)
    }

    /// The mark of a publish of QoS 2 with this packet id that has just come; none if its client cannot
    /// send it again after a crash.
    pub fn mark(&mut self, connection: ConnectionId, id: u16) -> Option<Mark> {
        let (no, session) = self.session_mut(connection)?;
        if !session.is_stored {
            return None;
        }
        session.marked = session.marked.saturating_add(1);
        Some(Mark { session: no.0, number: session.marked, id })
    }

    /// What came of a marked publish is here: that it was taken and for whom it is, or that it was
    /// refused.
    pub fn passed(&mut self, mark: Mark) {
        let no = SessionNo(mark.session);
        let Some(session) = self.sessions.get_mut(&no) else { return self.part(mark.session) };
        session.passed = session.passed.max(mark.number);
        self.effects.passed.push((mark.session, session.passed));
        if session.is_stored {
            self.effects.writes.push(row::put_passed(no, session.passed));
        }
    }

    /// A connection ended whose publishes nobody waits for any more. If its session ended, too, they
    /// need no marks.
    pub fn part(&mut self, session: u64) {
        if !self.sessions.contains_key(&SessionNo(session)) {
            self.effects.passed.push((session, u64::MAX));
        }
    }

    /// Number of the last publish of QoS 2 of a session that needs no mark any more.
    #[must_use]
    pub fn passed_of(&self, session: u64) -> u64 {
        if let Some(passed) = self.wills_passed_of(session) {
            return passed;
        }
        self.sessions.get(&SessionNo(session)).map_or(u64::MAX, |session| session.passed)
    }
}
