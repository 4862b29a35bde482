//! The gateway as devices meet it: a ledger in memory behind it, and real clients in front.
//!
//! One program, since each one has all that a gateway is compiled into it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

mod access;
mod acknowledge;
mod at_rest;
mod coap;
mod direct;
mod direct_coap;
mod exactly_once;
mod hostile;
mod http;
mod interop;
mod mosquitto;
mod restart;
mod route;
mod session;
