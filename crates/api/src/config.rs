use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use althing_types::EntityId;

use crate::operate::Goals;

/// Bounds of the interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Most requests under way; more are answered `busy`.
    pub requests_max: usize,
    /// Most event streams open.
    pub event_streams_max: usize,
    /// Most connections open; more wait to be accepted.
    pub connections_max: usize,
    /// Most connections from one address, or one IPv6 /64; more are closed. All clients behind a
    /// reverse proxy have the address of that.
    pub connections_per_address_max: usize,
    /// How long a client may take to send the head of a request.
    pub head_timeout: Duration,
    /// How long a client may take to send the body of a request.
    pub body_timeout: Duration,
    /// How long a client may take nothing of an answer before the connection is closed.
    pub write_timeout: Duration,
    /// How long a request may take, waiting for a transaction included.
    pub request_timeout: Duration,
    /// How long to let requests finish when the peer stops.
    pub drain_timeout: Duration,
    /// Where the interfaces of other peers are, by their name or voting key in hex; told to clients.
    pub addresses: BTreeMap<String, String>,
    /// Origins whose pages may call the interface (CORS), such as `https://example.org`; none by
    /// default.
    pub origins: Vec<String>,
    /// Whether `POST /v1/transactions` is served.
    pub writes: bool,
    /// Whether webhooks may call addresses that are not public: for networks on one machine or behind
    /// one wall, whose members trust who may make webhooks.
    pub webhooks_private: bool,
    /// Entities that operate this peer, beside whoever can read the folder of its data.
    pub operators: Vec<EntityId>,
    /// How often the head of the log of operations is put on the ledger, if it has changed.
    pub anchor_interval: Duration,
    /// Entities that may look at what operators see and change nothing.
    pub auditors: Vec<EntityId>,
    /// What the operator wants of the peer, and is told of when it is not so.
    pub goals: Goals,
    /// Folder of the peer's data, whose size and disk the figures tell, and where webhooks are kept; neither if none.
    pub data: Option<PathBuf>,
}

impl Config {
    /// Bounds that suit a peer on a small machine.
    #[must_use]
    pub const fn standard() -> Self {
        Self {
            requests_max: 1024,
            event_streams_max: 256,
            connections_max: 2048,
            connections_per_address_max: 128,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(40),
            drain_timeout: Duration::from_secs(2),
            addresses: BTreeMap::new(),
            origins: Vec::new(),
            writes: true,
            webhooks_private: false,
            operators: Vec::new(),
            anchor_interval: Duration::from_secs(600),
            auditors: Vec::new(),
            goals: Goals::NONE,
            data: None,
        }
    }
}
