//! MQTT 3.1.1 and 5, server side: a thin layer over a protocol library that does no I/O.

mod broker;
mod connect;
mod connection;
mod filter;
mod frame;
mod listener;
mod packet;
mod protocol;
mod routes;

pub(crate) use broker::{Broker, Message};
pub(crate) use filter::{is_topic_filter, is_topic_name, matches};
pub(crate) use listener::{Counters, Listener};
pub use mqtt_protocol_core::mqtt::packet::Qos;
pub use routes::Routed;
pub(crate) use routes::Routes;
