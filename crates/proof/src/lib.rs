//! Verify readings, ranges, aggregates and certificates, offline.
//!
//! What a peer shows to somebody who trusts nobody, and how that somebody checks it with nothing
//! but the genesis. The forms that both sides must agree on live here too: the tree of a stream
//! with its summaries ([`stream`]), the keys and values of the state that a proof opens ([`key`],
//! [`record`]), and the path through the state's trie ([`state_path`]).
//!
//! It does not fetch, store or decide anything, and reads no clock. The bytes are described in
//! `docs/formats/{tree,bundle,certificate}.md`, enough for a verifier in another language.
//!
//! Start reading at [`verify`], which checks a [`Bundle`]; whoever makes one begins at [`Claim`]
//! and implements [`Archive`].
#![no_std]
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod cbor;

pub mod key;
pub mod record;

pub mod state_path;
pub use state_path::StatePath;

pub mod stream;

mod archive;
pub use archive::{Archive, ProveError};

mod interval;
pub use interval::Interval;

pub mod aggregate;
pub mod opening;
pub mod range;

pub mod certificate;
pub mod membership;

pub mod call;
pub mod link;

pub mod bundle;
pub use bundle::{Bundle, Claim, Failure, Verified, verify};

pub mod grant;
pub mod relay;

mod text;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
