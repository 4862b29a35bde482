//! The binary as somebody uses it: real processes, sockets and files.
//!
//! Nothing here is timed. What takes time is looked for until it is there, and a test fails only
//! when it has not come for so long that something must be wrong.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

mod agreement;
mod command;
mod conformance;
mod contract;
mod crash;
mod damage;
mod demo;
mod direct;
mod disk;
mod join;
mod messages;
mod newcomer;
mod operate;
mod placement;
mod presence;
mod private;
mod sealed;
mod sensor;
mod together;
mod tokens;
mod vote;
