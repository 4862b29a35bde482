//! Who is connected, who subscribed to what, what is retained and what waits for whom.
//!
//! This machine decides and does not act, like the rest of the crate: the gateway's connections tell
//! it what their clients want, take from it what is to be sent, and after each call carry out its
//! [`Effects`]. It knows topics, payloads and qualities of service, and no packet of any protocol.
//!
//! ```text
//!  connect, subscribe, publish ──> [ sessions | subscriptions | retained ] ──> next: what to send
//!                                        │ effects: connections to wake or to end, wills, rows to write
//! ```
//!
//! What it promises:
//! - A session that outlives its connection loses no message of QoS 1 or 2 within its bounds, a
//!   restart included: what changed is among [`Effects::writes`], and [`Broker::recover`] takes it
//!   up. Whoever must be sure waits until those are durable before it tells its client.
//! - A client id is its first owner's as long as its session lives.
//! - Nothing is handed to a client that it may not have at that moment ([`Rights`]), and nothing of
//!   a publisher that might not publish it any more: retained messages and wills are judged when
//!   they are set and when they are delivered.
//! - Everything is bounded; what has no room is dropped and counted, the oldest first.
//!
//! Its times are milliseconds since 1970, because sessions outlive the process.
//!
//! Start reading at [`Broker::publish`]. `entry` lets clients in and ends sessions, `publish` fills
//! queues, `handover` empties them; `wills` says what becomes of wills.

mod entry;
pub mod filter;
mod handover;
mod message;
mod publish;
mod retained;
mod row;
mod session;
#[cfg(test)]
mod tests;
mod tree;
mod types;
mod wills;

use std::collections::{BTreeMap, BTreeSet};

use crate::{Principal, Rejection, Rights};
use filter::Asked;
use retained::Retained;
use session::{Session, SessionNo};
use tree::Tree;

pub use message::{Message, Qos};
pub use row::{RowError, Write, is_row};
pub use session::Will;
pub use tree::Options;
pub use types::{
    BrokerCounters, BrokerLimits, ConnectionId, Dismissal, DueWill, Effects, Hello, Next,
    NotGranted, Outgoing, Parting, Publisher, Reached, Subscription, Unwelcome, WantsRetained,
    Welcome,
};

/// Most levels of a topic name or filter. Subscriptions are searched level by level.
pub const TOPIC_LEVELS_MAX: usize = 128;
/// The session expiry that stands for never, seconds (MQTT 5 §3.1.2.11.2).
pub const NEVER_S: u32 = u32::MAX;

/// The machine.
#[derive(Debug)]
pub struct Broker {
    limits: BrokerLimits,
    rights: Box<dyn Rights>,
    sessions: BTreeMap<SessionNo, Session>,
    names: BTreeMap<String, SessionNo>,
    connections: BTreeMap<ConnectionId, SessionNo>,
    tree: Tree,
    retained: Retained,
    timers: BTreeSet<(i64, SessionNo)>,
    next_session: u64,
    next_connection: u64,
    next_will: u64,
    /// Wills on disk, by what their marks call their sessions.
    wills: BTreeSet<(u64, u64)>,
    /// Bytes that wait for all clients.
    bytes: usize,
    counters: BrokerCounters,
    effects: Effects,
}

impl Broker {
    /// A broker without sessions.
    #[must_use]
    pub fn new(limits: BrokerLimits, rights: Box<dyn Rights>) -> Self {
        Self {
            limits,
            rights,
            sessions: BTreeMap::new(),
            names: BTreeMap::new(),
            connections: BTreeMap::new(),
            tree: Tree::default(),
            retained: Retained::default(),
            timers: BTreeSet::new(),
            next_session: 1,
            next_connection: 1,
            next_will: 1,
            wills: BTreeSet::new(),
            bytes: 0,
            counters: BrokerCounters::default(),
            effects: Effects::default(),
        }
    }

    /// Takes up what an earlier run wrote. Every connection of that run is broken; a row of a
    /// session that is not there is left over from a crash, and removed.
    ///
    /// # Errors
    /// [`RowError`] if a row is not what this version writes.
    pub fn recover(
        limits: BrokerLimits,
        rights: Box<dyn Rights>,
        rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
        now: i64,
    ) -> Result<Self, RowError> {
        let mut broker = Self::new(limits, rights);
        let mut parts = Vec::new();
        for (key, value) in rows {
            match row::read(&key, &value)? {
                row::Row::Session { no, session } => broker.restore(no, *session),
                row::Row::Retained(sent) => broker.retained.insert(sent),
                part => parts.push((key, part)),
            }
        }
        for (key, part) in parts {
            if !broker.restore_part(part, now) {
                broker.effects.writes.push(Write { key, value: None });
            }
        }
        let numbers: Vec<SessionNo> = broker.sessions.keys().copied().collect();
        for no in numbers {
            let Some(session) = broker.sessions.get_mut(&no) else { continue };
            session.send_again();
            broker.bytes += session.bytes;
            if session.ends_ms.is_none() {
                session.ends_ms = session.end_after(now);
                broker.effects.writes.push(row::put_session(no, session));
            }
            broker.set_timer(no);
        }
        Ok(broker)
    }

    fn restore(&mut self, no: SessionNo, session: Session) {
        for (filter, options) in &session.subscriptions {
            if let Some(asked) = Asked::parse(filter) {
                self.tree.insert(asked, no, *options);
            }
        }
        self.next_session = self.next_session.max(no.0.saturating_add(1));
        self.names.insert(session.client.clone(), no);
        self.sessions.insert(no, session);
    }

    fn restore_part(&mut self, part: row::Row, now: i64) -> bool {
        match part {
            row::Row::Waiting { no, number, mut waiting } => {
                let Some(session) = self.sessions.get_mut(&no) else { return false };
                // It may have been sent before the crash.
                waiting.sent_on = Some(ConnectionId::default());
                session.next_number = session.next_number.max(number.saturating_add(1));
                session.waiting.insert(number, waiting);
                true
            }
            row::Row::Unreleased { no, id } => {
                self.sessions.get_mut(&no).is_some_and(|session| session.unreleased.insert(id))
            }
            row::Row::Passed { no, number } => {
                let Some(session) = self.sessions.get_mut(&no) else { return false };
                session.passed = number;
                true
            }
            row::Row::Will(stored) => {
                self.restore_will(*stored, now);
                true
            }
            row::Row::Session { .. } | row::Row::Retained(_) => true,
        }
    }

    /// What is to be done, since this was last asked.
    #[must_use]
    pub fn effects(&mut self) -> Effects {
        std::mem::take(&mut self.effects)
    }

    /// Counts since the start.
    #[must_use]
    pub const fn counters(&self) -> BrokerCounters {
        self.counters
    }

    /// Clients that are connected, and sessions in all.
    #[must_use]
    pub fn clients(&self) -> (usize, usize) {
        (self.connections.len(), self.sessions.len())
    }

    /// Retained messages, and bytes of all that waits.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        (self.retained.len(), self.bytes)
    }

    /// Changes the rights, from now on: the connections of those who are not let in any more end.
    pub fn set_rights(&mut self, now: i64, rights: Box<dyn Rights>) {
        self.rights = rights;
        let out: BTreeSet<Principal> =
            self.present().filter(|who| self.rights.is_shut_out(who)).cloned().collect();
        for who in out {
            self.dismiss(now, &who, Dismissal::ShutOut);
        }
    }

    /// Why somebody may not publish to a topic; none if it may.
    #[must_use]
    pub fn objection(&self, who: &Principal, topic: &str) -> Option<Rejection> {
        if self.rights.may_publish(who, topic) {
            return None;
        }
        Some(match self.rights.shut_out_by(topic) {
            Some(thing) => Rejection::ShutOut { thing: thing.to_owned() },
            None => Rejection::not_allowed(topic),
        })
    }

    /// When it wants [`tick`](Self::tick).
    #[must_use]
    pub fn deadline(&self) -> Option<i64> {
        self.timers.first().map(|(at, _)| *at)
    }
}
