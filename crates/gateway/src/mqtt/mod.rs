//! MQTT 3.1.1 and 5, server side: a thin layer over a protocol library that does no I/O.

mod broker;
mod connect;
mod connection;
mod filter;
mod frame;
mod listener;
mod packet;
mod protocol;

pub(crate) use broker::Broker;
pub(crate) use listener::{Counters, Listener};
