//! What goes in and comes out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::message::{Message, Published as Sent, Qos};
use super::row::Write;
use super::session::Will;
use super::tree::Options;
use crate::{Mark, Principal};

/// Bounds of the broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokerLimits {
    /// Most sessions, connected or not.
    pub sessions_max: usize,
    /// Longest life of a session without a connection, seconds.
    pub session_expiry_s_max: u32,
    /// How long a client may take to come back after a restart before its will is published, seconds.
    pub will_grace_s: u32,
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
    /// The ledger shuts out what it speaks for.
    #[error("the thing is in quarantine; it is let in again once whoever shut it out says so")]
    ShutOut,
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
    /// The key that its client showed counts no more.
    Revoked,
    /// The ledger shuts out what its client speaks for.
    ShutOut,
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
    pub(super) sent: Arc<Sent>,
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
    /// Names it if it is on disk, so that it is published again after a crash, and once.
    pub mark: Option<Mark>,
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
    /// Sessions, and the last [mark](crate::Mark) of each that is not needed any more once the rows
    /// are durable.
    pub passed: Vec<(u64, u64)>,
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
