//! Run one BoT peer: admit, agree, execute, store, answer.
//!
//! ```text
//!   clients --submit--> intake --checked--> mempool --pick--> propose \
//!                         ^                    |                       ordering (agree)
//!   other peers --spread--+                    +------> verify -------/      |
//!                                                                        deliver
//!   clients <--wait, subscribe, query-- executed <--- executor (ledger, state, disk)
//! ```
//!
//! What a transaction does is the ledger's to say, what comes next is ordering's; this crate moves
//! things between them and keeps them. It knows no HTTP (crate `api`) and no sockets; it is written
//! against the runtime's traits, so that a network of these peers replays from one seed.
//!
//! Start reading at [`Opened`], then [`Peer`]; after that `application`, `verify`, `executor`.

mod config;
pub use config::{Config, Planted};

mod peer;
pub use peer::{Opened, Peer, SUBMISSIONS_MAX, StartError};

mod core;
pub use core::{Executed, Halt, Placed};

mod wire;
pub use wire::{Submission, decode_spread, fetch_again, fetch_examples};

pub mod mempool;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub mod query;
pub use query::Query;

mod audit;
mod cache;
mod duty;
mod keeper;
pub use audit::{Audit, audit};

mod admission;
mod application;
mod chain;
mod clock;
#[cfg(test)]
mod origin;

mod offences;
pub use offences::{Offence, Offences};

mod commits;
mod compiler;
mod executor;
mod intake;
mod lanes;
mod pace;
pub use lanes::Lane;

mod payloads;
mod presence;
pub use presence::{PRESENCE_KEPT_MAX, Presence, PresenceChange};
mod proposed;
mod rows;
mod settled;

pub mod snapshot;

mod trust;
mod verify;

pub use chain::OpenError;
