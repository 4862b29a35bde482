//! Put a simulated network, and validators that cheat, under ordering.
//!
//! [`SimNet`] is a network of links with latency, loss and cuts, in the time of the deterministic
//! runtime: equal seeds give equal runs. Peers on it are the production code of `ordering`; only
//! what is below it differs. A peer may be told to cheat ([`Behaviour`]), which happens where its
//! messages leave for the network, so that everything above stays what it is.
//!
//! This crate exists to be compiled once: it holds the engine's generic code, instantiated for the
//! simulated network, and nothing that changes often.

mod behaviour;
pub use behaviour::Behaviour;

mod net;
pub use net::{Link, Node, SimNet};

mod reach;
mod tap;
