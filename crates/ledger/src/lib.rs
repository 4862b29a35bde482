//! Apply a block to the state.
//!
//! What a transaction does is decided here and nowhere else: entities and their keys, things and
//! their descriptions, streams, records, approvals, access. [`execute`] is a function of the state and a
//! block and gives everything that follows: writes to the state, receipts, what to store beside it.
//! [`check`] is the same before agreement, for one transaction, thrown away afterwards.
//!
//! This crate reads no clock, draws no randomness, does no I/O, spawns and awaits nothing, and
//! iterates no hash map, so equal inputs give equal outputs, byte for byte, on every peer. It does
//! not verify signatures and never sees a payload: validators check both before they vote, against
//! the [`Basis`] that the state gives.
//!
//! Start reading at [`execute`]; then one module per noun, each with the rules of its actions.

mod context;
pub use context::{BlockInput, Context, Outcome, parameters, validators};

mod execute;
pub use execute::execute;

mod check;
pub use check::{Bases, Basis, Checker, check, links, signature_checks};

mod epoch;
pub use epoch::validators_of_next_epoch;

mod transition;

pub mod genesis;
pub mod index;
pub mod key;

mod nonce;
pub use nonce::{NONCE_JUMP_MAX, NONCE_WINDOW, NonceWindow};

pub mod access;
pub mod approval;
mod binding;
pub mod call;
pub mod command;
pub mod contract;
mod entity;
pub mod erasure;
pub mod governance;
pub mod link;
pub mod onboarding;
mod participation;
pub mod placement;
mod record;
pub mod regulation;
pub mod secrecy;
pub mod service;
pub mod stake;
pub mod standing;
pub mod status;
pub mod stream;
pub mod tags;
pub mod thing;
pub mod token;
pub mod trigger;

#[cfg(test)]
mod testing;
