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
//! Start reading at [`Broker::publish`].

pub mod filter;
mod message;
mod retained;
mod row;
mod session;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::{Principal, Rights};
use filter::Asked;
use message::{Delivery, Published as Sent};
use retained::Retained;
use session::{Session, SessionNo, after_s, packet_id};
use tree::{Match, Tree};

pub use message::{Message, Qos};
pub use row::{RowError, Write, is_row};
pub use session::Will;
pub use tree::Options;

/// Most levels of a topic name or filter. Subscriptions are searched level by level.
pub const TOPIC_LEVELS_MAX: usize = 128;
/// The session expiry that stands for never, seconds (MQTT 5 §3.1.2.11.2).
pub const NEVER_S: u32 = u32::MAX;

/// Bounds of the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerLimits {
    /// Most sessions, connected or not.
    pub sessions_max: usize,
    /// Longest life of a session without a connection, seconds.
    pub session_expiry_s_max: u32,
    /// Most subscriptions of one client.
    pub subscriptions_max: usize,
    /// Most bytes that wait for one client.
    pub queue_bytes_max: usize,
    /// Most bytes that wait for all clients together.
    pub queues_bytes_max: usize,
    /// Most messages sent to one client that it has not acknowledged.
    pub inflight_max: u16,
    /// Most retained messages; when as many are held, others are delivered but not retained.
    pub retained_max: usize,
    /// Most bytes of retained messages.
    pub retained_bytes_max: usize,
}

/// Names a connection; never used twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Who comes, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// Its client id.
    pub client: String,
    /// Who it is.
    pub principal: Principal,
    /// Whether what an earlier connection left is forgotten.
    pub is_clean: bool,
    /// How long its session is to outlive the connection, seconds; [`NEVER_S`] for ever.
    pub expiry_s: u32,
    /// Most messages that it wants to have unacknowledged.
    pub in_flight_max: u16,
    /// What is published when it is gone.
    pub will: Option<Will>,
}

/// A client that was let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Welcome {
    /// Its connection.
    pub connection: ConnectionId,
    /// Whether its session goes on.
    pub is_present: bool,
    /// How long its session outlives the connection, seconds.
    pub expiry_s: u32,
}

/// Why a client is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwelcome {
    /// The client id is of a session of somebody else.
    #[error("the client id belongs to somebody else; choose another")]
    NotYours,
    /// It may not publish its will.
    #[error("the client may not publish to the topic of its will")]
    Will,
    /// There are as many sessions as may be.
    #[error("there are as many sessions as may be; raise `sessions_max`, or wait for one to end")]
    Full,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// The client said goodbye: its will is void. It may change how long its session lives, seconds.
    Clean(Option<u32>),
    /// The client said goodbye and wants its will published.
    WithWill(Option<u32>),
    /// It broke.
    Broken,
    /// The gateway stops; clients come back.
    Stopping,
}

/// Why a connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dismissal {
    /// Another connection came with the same client id.
    TakenOver,
}

/// What a client asks to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// A topic filter, perhaps `$share/<group>/<filter>`.
    pub filter: String,
    /// How.
    pub options: Options,
    /// Whether it wants what is retained: always, if the subscription is new, or never.
    pub retained: WantsRetained,
}

/// When a subscriber wants what is retained (MQTT 5 §3.8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantsRetained {
    /// Always.
    Always,
    /// If the subscription is new.
    IfNew,
    /// Never.
    Never,
}

/// Why a subscription is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotGranted {
    /// It is no topic filter.
    #[error("this is no topic filter")]
    Invalid,
    /// The client may get nothing of it.
    #[error("the client may receive nothing of this filter")]
    NotAllowed,
    /// The client has as many as it may.
    #[error("the client has as many subscriptions as it may")]
    Full,
    /// The connection is no more.
    #[error("the connection was dismissed")]
    Gone,
}

/// Who publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publisher<'p> {
    /// A client, by its connection.
    Client(ConnectionId, &'p Principal),
    /// A client that is gone, and left a will.
    Will(&'p DueWill),
    /// The gateway itself.
    Gateway,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reached {
    /// Clients that are connected and get it.
    pub now: usize,
    /// Clients that get it when they come back.
    pub queued: usize,
}

/// What a connection is to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A message.
    Publish(Outgoing),
    /// The release of a message of QoS 2 that the subscriber has.
    Release(u16),
}

/// A message for a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    sent: Arc<Sent>,
    /// Its packet id, with QoS 1 and 2.
    pub id: Option<u16>,
    /// Its quality of service.
    pub qos: Qos,
    /// Whether it may have been sent before.
    pub is_duplicate: bool,
    /// Whether it is marked as retained.
    pub retain: bool,
    /// Identifiers of the subscriptions that it is for.
    pub subscription_ids: Vec<u32>,
}

impl Outgoing {
    /// The message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.sent.message
    }
}

/// A will whose time has come. Whoever carries it out takes it like a publish of its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueWill {
    /// The client that left it.
    pub client: String,
    /// Who the client was.
    pub principal: Principal,
    /// The message.
    pub message: Message,
}

/// What is to be done after a call.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Connections for which there is something to send.
    pub wake: BTreeSet<ConnectionId>,
    /// Connections that are to end.
    pub dismissed: Vec<(ConnectionId, Dismissal)>,
    /// Messages to be published.
    pub wills: Vec<DueWill>,
    /// Rows to be written, in order.
    pub writes: Vec<Write>,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BrokerCounters {
    /// Messages that had no room at a subscriber.
    pub dropped: u64,
    /// Messages whose time was up before they were delivered.
    pub expired: u64,
    /// Messages that a subscriber might not have any more.
    pub withheld: u64,
    /// Messages that were not retained for want of room.
    pub not_retained: u64,
}

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
            if !broker.restore_part(part) {
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

    fn restore_part(&mut self, part: row::Row) -> bool {
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

    /// Changes the rights, from now on.
    pub fn set_rights(&mut self, rights: Box<dyn Rights>) {
        self.rights = rights;
    }

    /// Whether somebody may publish to a topic.
    #[must_use]
    pub fn may_publish(&self, who: &Principal, topic: &str) -> bool {
        self.rights.may_publish(who, topic)
    }

    /// When it wants [`tick`](Self::tick).
    #[must_use]
    pub fn deadline(&self) -> Option<i64> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Ends sessions and publishes wills whose time has come.
    pub fn tick(&mut self, now: i64) {
        while let Some((at, no)) = self.timers.first().copied() {
            if at > now {
                return;
            }
            self.timers.remove(&(at, no));
            let Some(session) = self.sessions.get_mut(&no) else { continue };
            session.timer_ms = None;
            if session.will_ms.is_some_and(|at| at <= now) {
                self.publish_will(no, now);
            }
            let ends = |session: &Session| session.ends_ms.is_some_and(|at| at <= now);
            if self.sessions.get(&no).is_some_and(ends) {
                self.end(no, now);
            } else {
                self.set_timer(no);
            }
        }
    }

    /// Lets a client in.
    ///
    /// # Errors
    /// [`Unwelcome`].
    pub fn connect(&mut self, now: i64, hello: Hello) -> Result<Welcome, Unwelcome> {
        let may_leave =
            |will: &Will| self.rights.may_publish(&hello.principal, &will.message.topic);
        if !hello.will.as_ref().is_none_or(may_leave) {
            return Err(Unwelcome::Will);
        }
        let known = self.names.get(&hello.client).copied();
        if let Some(session) = known.and_then(|no| self.sessions.get(&no)) {
            if session.principal != hello.principal {
                return Err(Unwelcome::NotYours);
            }
        } else if self.sessions.len() >= self.limits.sessions_max {
            return Err(Unwelcome::Full);
        }
        if let Some(no) = known {
            self.take_over(no, now, hello.is_clean);
        }
        Ok(self.enter(hello))
    }

    /// Ends what an earlier connection of the client left, as far as it does not go on.
    fn take_over(&mut self, no: SessionNo, now: i64, is_clean: bool) {
        let connection = self.sessions.get(&no).and_then(|session| session.connection);
        if let Some(connection) = connection {
            self.effects.dismissed.push((connection, Dismissal::TakenOver));
            self.close(now, connection, Parting::Broken);
        }
        // A session without expiry has ended by now.
        if is_clean && self.sessions.contains_key(&no) {
            self.end(no, now);
        }
    }

    fn enter(&mut self, hello: Hello) -> Welcome {
        let connection = ConnectionId(self.next_connection);
        self.next_connection += 1;
        let known = self.names.get(&hello.client).copied();
        let no = known.unwrap_or_else(|| {
            let no = SessionNo(self.next_session);
            self.next_session += 1;
            self.names.insert(hello.client.clone(), no);
            self.sessions.insert(no, Session::new(hello.client.clone(), hello.principal.clone()));
            no
        });
        let expiry_s = hello.expiry_s.min(self.limits.session_expiry_s_max);
        let in_flight_max = hello.in_flight_max.min(self.limits.inflight_max).max(1);
        if let Some(session) = self.sessions.get_mut(&no) {
            session.expiry_s = expiry_s;
            (session.connection, session.in_flight_max) = (Some(connection), in_flight_max);
            (session.ends_ms, session.will_ms) = (None, None);
            session.will = hello.will;
            self.bytes -= session.bytes;
            session.send_again();
            self.bytes += session.bytes;
            if !session.unsent.is_empty() {
                self.effects.wake.insert(connection);
            }
        }
        self.connections.insert(connection, no);
        self.set_timer(no);
        self.write_session(no);
        Welcome { connection, is_present: known.is_some(), expiry_s }
    }

    /// A connection ended. Ending it again, or after a dismissal, changes nothing.
    pub fn close(&mut self, now: i64, connection: ConnectionId, parting: Parting) {
        let Some(no) = self.connections.remove(&connection) else { return };
        let expiry_max = self.limits.session_expiry_s_max;
        let Some(session) = self.sessions.get_mut(&no) else { return };
        session.connection = None;
        if let Parting::Clean(Some(expiry_s)) | Parting::WithWill(Some(expiry_s)) = parting
            // MQTT-3.14.2.2.2: a session that was to end with its connection cannot be kept.
            && session.expiry_s > 0
        {
            session.expiry_s = expiry_s.min(expiry_max);
        }
        if matches!(parting, Parting::Clean(_) | Parting::Stopping) {
            session.will = None;
        }
        session.ends_ms = session.end_after(now);
        session.will_ms = session.will.as_ref().map(|will| after_s(now, will.delay_s));
        if session.will_ms.is_some_and(|at| at <= now) {
            self.publish_will(no, now);
        }
        if self.sessions.get(&no).is_some_and(|session| session.expiry_s == 0) {
            return self.end(no, now);
        }
        self.set_timer(no);
        self.write_session(no);
    }

    /// Ends a session; its will does not wait any longer (MQTT-3.1.3-9).
    fn end(&mut self, no: SessionNo, now: i64) {
        self.publish_will(no, now);
        let Some(session) = self.sessions.remove(&no) else { return };
        self.names.remove(&session.client);
        if let Some(at) = session.timer_ms {
            self.timers.remove(&(at, no));
        }
        for filter in session.subscriptions.keys() {
            if let Some(asked) = Asked::parse(filter) {
                self.tree.remove(asked, no);
            }
        }
        self.bytes -= session.bytes;
        let writes = &mut self.effects.writes;
        if session.is_stored {
            writes.push(row::remove_session(no));
            writes.extend(session.waiting.keys().map(|number| row::remove_waiting(no, *number)));
            writes.extend(session.unreleased.iter().map(|id| row::remove_unreleased(no, *id)));
        }
    }

    /// Hands out a will, if there is one and its client might still publish it.
    fn publish_will(&mut self, no: SessionNo, now: i64) {
        let Some(session) = self.sessions.get_mut(&no) else { return };
        session.will_ms = None;
        let Some(will) = session.will.take() else { return };
        if !self.rights.may_publish(&session.principal, &will.message.topic) {
            self.counters.withheld += 1;
            return;
        }
        let mut message = will.message;
        message.expires_ms = will.expiry_s.map(|seconds| after_s(now, seconds));
        let (client, principal) = (session.client.clone(), session.principal.clone());
        self.effects.wills.push(DueWill { client, principal, message });
    }

    fn set_timer(&mut self, no: SessionNo) {
        let Some(session) = self.sessions.get_mut(&no) else { return };
        let wake = session.wake_ms();
        if let Some(old) = std::mem::replace(&mut session.timer_ms, wake) {
            self.timers.remove(&(old, no));
        }
        if let Some(new) = wake {
            self.timers.insert((new, no));
        }
    }

    /// Writes a session that outlives its connection; removes one that does no more.
    fn write_session(&mut self, no: SessionNo) {
        let Some(session) = self.sessions.get_mut(&no) else { return };
        match (session.is_durable(), session.is_stored) {
            (true, _) => {
                if !session.is_stored {
                    let waiting = session.waiting.iter();
                    let waiting = waiting.map(|(number, w)| row::put_waiting(no, *number, w));
                    self.effects.writes.extend(waiting);
                }
                session.is_stored = true;
                self.effects.writes.push(row::put_session(no, session));
            }
            (false, true) => {
                session.is_stored = false;
                let writes = &mut self.effects.writes;
                writes.push(row::remove_session(no));
                writes.extend(session.waiting.keys().map(|n| row::remove_waiting(no, *n)));
                writes.extend(session.unreleased.iter().map(|id| row::remove_unreleased(no, *id)));
            }
            (false, false) => {}
        }
    }

    fn session_mut(&mut self, connection: ConnectionId) -> Option<(SessionNo, &mut Session)> {
        let no = *self.connections.get(&connection)?;
        Some((no, self.sessions.get_mut(&no)?))
    }

    /// Subscribes, and hands over what is retained; the quality granted.
    ///
    /// # Errors
    /// [`NotGranted`].
    pub fn subscribe(
        &mut self,
        now: i64,
        connection: ConnectionId,
        new: &Subscription,
    ) -> Result<Qos, NotGranted> {
        let asked = Asked::parse(&new.filter).ok_or(NotGranted::Invalid)?;
        let no = *self.connections.get(&connection).ok_or(NotGranted::Gone)?;
        let session = self.sessions.get_mut(&no).ok_or(NotGranted::Gone)?;
        if !self.rights.may_subscribe(&session.principal, asked.filter) {
            return Err(NotGranted::NotAllowed);
        }
        let is_new = !session.subscriptions.contains_key(&new.filter);
        if is_new && session.subscriptions.len() >= self.limits.subscriptions_max {
            return Err(NotGranted::Full);
        }
        session.subscriptions.insert(new.filter.clone(), new.options);
        self.tree.insert(asked, no, new.options);
        self.write_session(no);
        let wants = match new.retained {
            WantsRetained::Always => true,
            WantsRetained::IfNew => is_new,
            WantsRetained::Never => false,
        };
        // MQTT 5 §4.8.2: a shared subscription gets nothing that is retained.
        if wants && asked.group.is_none() {
            self.deliver_retained(now, no, asked.filter, new.options);
        }
        Ok(new.options.qos)
    }

    fn deliver_retained(&mut self, now: i64, no: SessionNo, filter: &str, options: Options) {
        let due = self.retained.matching(filter, now, self.rights.as_ref());
        for topic in due.void {
            self.effects.writes.push(row::remove_retained(&topic));
        }
        for published in due.messages {
            let qos = published.message.qos.min(options.qos);
            let subscription_ids = options.id.into_iter().collect();
            self.hand(no, Delivery { published, qos, retain: true, subscription_ids });
        }
    }

    /// Unsubscribes; whether there was such a subscription.
    pub fn unsubscribe(&mut self, connection: ConnectionId, filter: &str) -> bool {
        let Some((no, session)) = self.session_mut(connection) else { return false };
        if session.subscriptions.remove(filter).is_none() {
            return false;
        }
        if let Some(asked) = Asked::parse(filter) {
            self.tree.remove(asked, no);
        }
        self.write_session(no);
        true
    }

    /// Delivers a message to whoever subscribed, and retains it if it says so. Whether its
    /// publisher may publish it must have been [asked](Self::may_publish) before.
    pub fn publish(&mut self, now: i64, from: Publisher<'_>, message: Message) -> Reached {
        let (own, by) = self.publisher(from);
        let published = Arc::new(Sent { message, by });
        if published.message.retain {
            self.retain(now, &published);
        }
        let mut reached = Reached::default();
        for (no, delivery) in self.deliveries(&published, own) {
            let is_connected =
                self.sessions.get(&no).is_some_and(|session| session.connection.is_some());
            if self.hand(no, delivery) {
                *(if is_connected { &mut reached.now } else { &mut reached.queued }) += 1;
            }
        }
        reached
    }

    /// The publisher's own session, and who it is.
    fn publisher(&self, from: Publisher<'_>) -> (Option<SessionNo>, Option<Principal>) {
        match from {
            Publisher::Client(connection, principal) => {
                (self.connections.get(&connection).copied(), Some(principal.clone()))
            }
            Publisher::Will(will) => {
                (self.names.get(&will.client).copied(), Some(will.principal.clone()))
            }
            Publisher::Gateway => (None, None),
        }
    }

    fn retain(&mut self, now: i64, published: &Arc<Sent>) {
        let topic = &published.message.topic;
        let was_held = self.retained.remove(topic);
        let wants = !published.message.payload.is_empty();
        if wants && !self.retained.has_room(published, &self.limits) {
            let swept = self.retained.sweep(now);
            self.effects.writes.extend(swept.iter().map(|topic| row::remove_retained(topic)));
        }
        if wants && self.retained.has_room(published, &self.limits) {
            self.retained.insert(published.clone());
            self.effects.writes.push(row::put_retained(published));
            return;
        }
        self.counters.not_retained += u64::from(wants);
        if was_held {
            self.effects.writes.push(row::remove_retained(topic));
        }
    }

    /// The one delivery to each session: overlapping subscriptions give the highest quality and all
    /// their ids (MQTT 5 §3.3.4). A message for a group goes to one member of it.
    fn deliveries(
        &mut self,
        published: &Arc<Sent>,
        own: Option<SessionNo>,
    ) -> BTreeMap<SessionNo, Delivery> {
        let topic = &published.message.topic;
        let (sessions, rights) = (&self.sessions, &self.rights);
        let may = |no: &SessionNo| {
            let session = sessions.get(no)?;
            rights.may_receive(&session.principal, topic).then_some(session)
        };
        let mut found = BTreeMap::new();
        let mut add = |no: SessionNo, options: Options| {
            let qos = published.message.qos.min(options.qos);
            let retain = published.message.retain && options.retain_as_published;
            let delivery = found.entry(no).or_insert_with(|| Delivery {
                published: published.clone(),
                qos,
                retain,
                subscription_ids: Vec::new(),
            });
            delivery.qos = delivery.qos.max(qos);
            delivery.retain |= retain;
            delivery.subscription_ids.extend(options.id);
        };
        self.tree.for_each_match(topic, &mut |hit| match hit {
            Match::Member(no, options) => {
                if !(options.no_local && own == Some(no)) && may(&no).is_some() {
                    add(no, options);
                }
            }
            Match::Group(group) => {
                let mut members: Vec<_> = group
                    .in_turn()
                    .filter_map(|(no, options)| Some((no, options, may(&no)?.connection.is_some())))
                    .collect();
                // Who is there goes before who is away; the sort keeps the turns.
                members.sort_by_key(|(.., is_connected)| !is_connected);
                if let Some((no, options, _)) = members.first() {
                    group.last = Some(*no);
                    add(*no, *options);
                }
            }
        });
        found
    }

    /// Puts a delivery into a session's queue; whether there was room.
    fn hand(&mut self, no: SessionNo, delivery: Delivery) -> bool {
        let Some(session) = self.sessions.get_mut(&no) else { return false };
        let is_kept = session.connection.is_some()
            || (session.is_durable() && delivery.qos != Qos::AtMostOnce);
        if !is_kept {
            return false;
        }
        let cost = delivery.published.message.cost();
        let (own_max, all_max) = (self.limits.queue_bytes_max, self.limits.queues_bytes_max);
        while session.bytes.saturating_add(cost) > own_max && delivery.qos != Qos::AtMostOnce {
            let Some(oldest) = session.oldest_unsent() else { break };
            let before = session.bytes;
            session.forget(oldest);
            session.unsent.retain(|number| *number != oldest);
            self.bytes -= before - session.bytes;
            self.counters.dropped += 1;
            if session.is_stored {
                self.effects.writes.push(row::remove_waiting(no, oldest));
            }
        }
        if session.bytes.saturating_add(cost) > own_max || self.bytes.saturating_add(cost) > all_max
        {
            self.counters.dropped += 1;
            return false;
        }
        self.bytes += cost;
        let qos = delivery.qos;
        let number = session.push(delivery);
        if session.is_stored
            && qos != Qos::AtMostOnce
            && let Some(waiting) = session.waiting.get(&number)
        {
            self.effects.writes.push(row::put_waiting(no, number, waiting));
        }
        self.effects.wake.extend(session.connection);
        true
    }

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
}
