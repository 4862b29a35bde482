//! What the broker keeps of one client, connected or not.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::message::{Delivery, Message, Qos};
use super::tree::Options;
use super::{ConnectionId, NEVER_S};
use crate::Principal;

/// Names a session; ascending, never used twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SessionNo(pub(super) u64);

/// What is to be published when a client is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// The message. Its expiry counts from its publication.
    pub message: Message,
    /// How long it waits for the client to come back, seconds.
    pub delay_s: u32,
    /// How long the message is delivered once published, seconds; for ever if none.
    pub expiry_s: Option<u32>,
}

/// A message of QoS 1 or 2 that its subscriber has not got for sure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) delivery: Delivery,
    /// Whether the subscriber has it and only the release is missing (QoS 2).
    pub(super) is_received: bool,
    /// The connection it was last sent on.
    pub(super) sent_on: Option<ConnectionId>,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: String,
    pub(super) principal: Principal,
    /// How long it outlives its connection, seconds.
    pub(super) expiry_s: u32,
    /// Whether it is on disk.
    pub(super) is_stored: bool,
    pub(super) connection: Option<ConnectionId>,
    /// When it ends, if nobody comes back.
    pub(super) ends_ms: Option<i64>,
    /// By filter, as it was asked for.
    pub(super) subscriptions: BTreeMap<String, Options>,
    /// Messages of QoS 1 and 2 by their numbers, in order.
    pub(super) waiting: BTreeMap<u64, Waiting>,
    /// Of those the ones that are to be sent, ascending: new ones, or all after a reconnection.
    pub(super) unsent: VecDeque<u64>,
    /// Messages of QoS 0, each after the message of this number.
    pub(super) passing: VecDeque<(u64, Delivery)>,
    /// What all of these cost, bytes.
    pub(super) bytes: usize,
    pub(super) next_number: u64,
    /// Messages sent on this connection that are not acknowledged.
    pub(super) in_flight: usize,
    /// Most of them.
    pub(super) in_flight_max: u16,
    /// Ids of messages of QoS 2 from the client that it has not released.
    pub(super) unreleased: BTreeSet<u16>,
    /// Number of the last publish of QoS 2 that came on this connection.
    pub(super) marked: u64,
    /// Number of the last that needs no mark any more: what came of it is here.
    pub(super) passed: u64,
    pub(super) will: Option<Will>,
    /// The number of the row that it is on disk as.
    pub(super) will_row: Option<u64>,
    /// When the will is published, if nobody comes back.
    pub(super) will_ms: Option<i64>,
    /// When it stands in the table of timers.
    pub(super) timer_ms: Option<i64>,
}

impl Session {
    pub(super) fn new(client: String, principal: Principal) -> Self {
        Self {
            client,
            principal,
            expiry_s: 0,
            is_stored: false,
            connection: None,
            ends_ms: None,
            subscriptions: BTreeMap::new(),
            waiting: BTreeMap::new(),
            unsent: VecDeque::new(),
            passing: VecDeque::new(),
            bytes: 0,
            next_number: 1,
            in_flight: 0,
            in_flight_max: 0,
            unreleased: BTreeSet::new(),
            marked: 0,
            passed: 0,
            will: None,
            will_row: None,
            will_ms: None,
            timer_ms: None,
        }
    }

    /// Whether it outlives its connection, and so a restart too.
    pub(super) const fn is_durable(&self) -> bool {
        self.expiry_s > 0
    }

    /// When a session ends that is left at `now`; never if it was asked for so.
    pub(super) fn end_after(&self, now: i64) -> Option<i64> {
        (self.expiry_s != NEVER_S).then(|| after_s(now, self.expiry_s))
    }

    /// When it next wants a turn.
    pub(super) fn wake_ms(&self) -> Option<i64> {
        [self.ends_ms, self.will_ms].into_iter().flatten().min()
    }

    /// Everything that was sent is to be sent again.
    pub(super) fn send_again(&mut self) {
        self.unsent = self.waiting.keys().copied().collect();
        self.passing.clear();
        self.bytes = self.waiting.values().map(|w| w.delivery.published.message.cost()).sum();
        self.in_flight = 0;
    }

    /// The message with this packet id that was sent on this connection and is not acknowledged.
    pub(super) fn sent(&mut self, id: u16) -> Option<(u64, &mut Waiting)> {
        let wanted = u64::from(id.checked_sub(1)?);
        let oldest = *self.waiting.first_key_value()?.0;
        // The first number from the oldest on that has this id; later ones wait for it.
        let number = oldest.checked_add((wanted + IDS - oldest % IDS) % IDS)?;
        let connection = self.connection;
        let waiting = self.waiting.get_mut(&number)?;
        (waiting.sent_on == connection).then_some((number, waiting))
    }

    /// Whether another message has this one's id.
    pub(super) fn is_taken(&self, number: u64) -> bool {
        // Numbers of one id are this far apart, and only older messages can hold it.
        let oldest = self.waiting.first_key_value().map_or(number, |(oldest, _)| *oldest);
        number.saturating_sub(oldest) >= IDS
    }

    /// Takes out a message that needs no more attention; its cost.
    pub(super) fn forget(&mut self, number: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&number)?;
        self.bytes = self.bytes.saturating_sub(waiting.delivery.published.message.cost());
        Some(waiting)
    }

    /// The oldest message that was never sent.
    pub(super) fn oldest_unsent(&self) -> Option<u64> {
        let is_new = |number: &&u64| {
            self.waiting.get(number).is_some_and(|waiting| waiting.sent_on.is_none())
        };
        self.unsent.iter().find(is_new).copied()
    }

    /// Whether the next message of QoS 0 goes before the next other one.
    pub(super) fn is_passing_next(&self) -> bool {
        match (self.passing.front(), self.unsent.front()) {
            (Some((after, _)), Some(number)) => after < number,
            (passing, _) => passing.is_some(),
        }
    }

    pub(super) fn push(&mut self, delivery: Delivery) -> u64 {
        self.bytes = self.bytes.saturating_add(delivery.published.message.cost());
        if delivery.qos == Qos::AtMostOnce {
            let after = self.next_number.saturating_sub(1);
            self.passing.push_back((after, delivery));
            return after;
        }
        let number = self.next_number;
        self.next_number = number.saturating_add(1);
        let waiting = Waiting { delivery, is_received: false, sent_on: None };
        self.waiting.insert(number, waiting);
        self.unsent.push_back(number);
        number
    }
}

/// How many packet ids there are: all but 0.
const IDS: u64 = 65_535;

/// The packet id of a message. It follows from the message's number, so that it is the same after
/// a restart without being stored: a subscriber that has the message knows it by this id.
pub(super) const fn packet_id(number: u64) -> u16 {
    (number % IDS) as u16 + 1
}

/// So many seconds later, milliseconds.
pub(super) fn after_s(now: i64, seconds: u32) -> i64 {
    now.saturating_add(i64::from(seconds).saturating_mul(1000))
}
