//! Agree on the next block.
//!
//! A peer implements [`Application`]: make a block, check a block, take a final block. This crate
//! asks it at the right moments and does the rest: who may propose, the votes, the certificate,
//! the blocks that were missed, the authenticated connections between peers. Behind it is, in each epoch,
//! the engine that the genesis chose or the members since: `simplex` of the Commonware library, Byzantine fault tolerant with `n >= 3f + 1`
//! validators, final after three message delays, silent when nothing happens; or Raft, for peers that
//! crash and do not lie, with `n >= 2f + 1`. Certificates, the delivery of blocks, epochs and
//! connections are the same for both.
//!
//! ```text
//!              propose, verify, deliver
//!   peer  <-------------------------------  ordering  <==== votes, blocks, certificates ====>  other peers
//!     |                                        ^
//!     |--- Handle: block, certificate, status -|
//!     |--- Mesh: transactions, fetch ----------|   (gossip over the same connections)
//! ```
//!
//! No type of the engine's libraries is in this interface, except the runtime's traits, which every
//! asynchronous crate uses. The one module that does show them, [`wiring`], exists for the
//! simulator, which puts a simulated network underneath.
//!
//! What this crate does *not* do: it keeps no transactions, executes nothing, decides no pace (the
//! application waits inside `propose`), and knows the contents of a block's header only.
//!
//! Start reading at [`Application`], then [`Config`] and [`start_live`].

mod seam;
pub use seam::{Ack, Application, Draft, Electors, Evidence, Fault, PeerKey, Proposal};

mod config;
pub use config::{Address, Config, ConfigError, Role, Sizes, Timing};

mod status;
pub use status::{Phase, Status, StopReason, Tip};

mod handle;
pub use handle::Handle;

mod mesh;
pub use mesh::{Inbox, Link, Mesh, MessageTooLong, Outbox, To};

mod live;
pub use live::start_live;

mod watched;
pub use watched::Watched;

mod error;
pub use error::StartError;

mod addresses;
mod archive;
mod barrier;
mod block;
mod certificate;
mod delivery;
mod engine;
mod epochs;
mod kept;
mod lanes;
mod launch;
mod network;
mod observer;
mod raft;
mod scheme;
mod voting;

pub mod wiring;
