//! Networks that are simulated with a purpose: one program, since each has a whole network compiled into it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod clocks;
mod epochs;
mod links;
mod newcomers;
mod simulator;
