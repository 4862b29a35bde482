//! The interface as programs meet it: a peer in this process, and the client over a socket.
//!
//! One program, since each one has all that a peer is compiled into it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

mod access;
mod filters;
mod gateways;
mod hostile;
mod interface;
mod openapi;
mod operation;
mod policies;
mod refusals;
mod secrecy;
mod space;
mod subscriptions;
mod tagged;
