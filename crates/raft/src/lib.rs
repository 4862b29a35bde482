//! Keep one log on several machines that may crash.
//!
//! Raft, as the library `raft` (TiKV's) decides it, behind an interface without a type of that library:
//! [`Node`] is a state machine without clock, randomness, disk or network of its own. Whoever owns it
//! tells it that time has passed ([`Node::tick`]), what arrived ([`Node::receive`]) and what to append
//! ([`Node::propose`]), and then does what it asks for, in this order: send, write, send, deliver.
//!
//! ```text
//!                 +--- Step: send, write ----> network, disk
//!   tick ------>  |
//!   receive --->  Node
//!   propose --->  |
//!                 +--- Outcome: send, committed ---> once the disk has what it was given
//! ```
//!
//! Raft stands crashes of less than half of its machines, and no lie of any: a machine that answers
//! for a disk it has lost, or that signs one thing and stores another, can undo what was committed. What
//! such a machine says is refused where it shows ([`Refused`]); that is a lamp and not a lock.
//!
//! Start reading at [`Node`].

mod log;
mod message;
mod node;
mod record;

pub use message::{Malformed, Message};
pub use node::{Node, Outcome, Refused, Settings, Step, VOTERS_MAX};
pub use record::{Base, Entry, Record};
