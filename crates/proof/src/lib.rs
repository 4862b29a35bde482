//! Verify readings, ranges, aggregates and certificates, offline.
//!
//! What a peer shows to somebody who trusts nobody, and how that somebody checks it with nothing
//! but the genesis. The forms that both sides must agree on live here too: the tree of a stream
//! with its summaries ([`stream`]), the keys and values of the state that a proof opens ([`key`],
//! [`record`]), and the path through the state's trie ([`state_path`]).
//!
//! It does not fetch, store or decide anything, and reads no clock.
#![no_std]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod cbor;

pub mod key;
pub mod record;
pub mod stream;
