//! Adapt MQTT, CoAP and HTTP to the gateway machine.
//!
//! Devices speak MQTT 3.1.1 or 5, CoAP with or without DTLS, or HTTP; what they publish becomes readings that [`althing_edge`]'s
//! machine numbers, queues, batches and gets to the ledger. This crate moves the bytes: it accepts
//! connections, keeps the queue on disk, asks signer and peer, and acknowledges a publish when its
//! readings are durable. It decides nothing about readings, and knows the ledger only through
//! [`Uplink`].
//!
//! ```text
//!  client ── connection ─┐             ┌── queue's thread (one flush for many publishes)
//!  client ── connection ─┼── driver ───┼── signer
//!  client ── connection ─┘  (machine)  └── peer ([`Uplink`])
//! ```
//!
//! Each connection is a task of its own, and nothing a client sends can end another's: lengths are
//! checked before anything is allocated, and everything that waits for a client has a bound. Who a
//! client is and what it may do is settled at its CONNECT and asked again at each message; sessions,
//! what waits for them and what is retained are on disk before anybody is told so.
//!
//! Start reading at [`Gateway::start`].
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod config;
pub use config::{Config, MqttAccess, MqttConfig, MqttUser, QueueConfig, RefusalV3, TlsConfig};

mod gateway;
pub use gateway::{
    Delivered, Gateway, Handle, PublishError, RouteError, StartError, Status, Stopped,
};

mod uplink;
pub use uplink::{AccountState, KeySigner, SignError, Signer, Uplink, UplinkError};

mod peer;
pub use peer::{PeerUplink, Verdict};

mod stopped;
pub use stopped::StoppedQueue;

mod direct;
pub use direct::{Direct, DirectConfig, Objection, Served};

mod door;
mod driver;

pub mod coap;
pub mod http;

mod queue;
pub use queue::QueueError;

mod mqtt;
pub use althing_edge::broker::Qos;
pub use mqtt::{Routed, StoreError, TlsError, is_mqtt};

mod token;
pub use token::{TOKEN_LIFE_S_MAX, Token};
