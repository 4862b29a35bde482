//! Raw keys of the state: a letter for the noun, a slash, then ids.
//!
//! The ledger writes under them and a verifier looks under them, so both take them from here. In
//! the trie a value sits at the SHA-256 of its raw key; no key is a prefix of another of its noun,
//! since ids have fixed lengths.

use alloc::vec::Vec;

use althing_types::{ActionKind, EntityId, GrantId, LedgerId, Resource, StreamId, ThingId, TxId};

/// Longest raw key, bytes.
pub const KEY_BYTES_MAX: usize = 320;

/// Where an [`EntityRecord`](crate::record::EntityRecord) is: `e/<id>`.
#[must_use]
pub fn entity(id: &EntityId) -> Vec<u8> {
    join(b"e/", &[&id.0])
}

/// Where the [`KeyRecord`](crate::record::KeyRecord) of a replaced key is:
/// `k/<entity>/<version, 4 bytes big-endian>`.
#[must_use]
pub fn key_history(id: &EntityId, version: u32) -> Vec<u8> {
    join(b"k/", &[&id.0, b"/", &version.to_be_bytes()])
}

/// Where the nonce window of a sender is: `n/<id>`.
#[must_use]
pub fn nonces(id: &EntityId) -> Vec<u8> {
    join(b"n/", &[&id.0])
}

/// Where a [`ThingRecord`](crate::record::ThingRecord) is: `t/<id>`.
#[must_use]
pub fn thing(id: &ThingId) -> Vec<u8> {
    join(b"t/", &[&id.0])
}

/// Where the [`BindingRecord`](crate::record::BindingRecord) of a gateway is:
/// `b/<thing>/<gateway>`.
#[must_use]
pub fn binding(thing: &ThingId, gateway: &EntityId) -> Vec<u8> {
    join(b"b/", &[&thing.0, b"/", &gateway.0])
}

/// Where a [`StreamHead`](crate::stream::StreamHead) is: `s/<id>`.
#[must_use]
pub fn stream(id: &StreamId) -> Vec<u8> {
    join(b"s/", &[&id.0])
}

/// Where an approval policy is: `p/<entity>/<number of the action kind, 1 byte>`.
#[must_use]
pub fn policy(id: &EntityId, kind: ActionKind) -> Vec<u8> {
    join(b"p/", &[&id.0, b"/", &[kind as u8]])
}

/// Where a transaction that waits for approvals is: `q/<id>`.
#[must_use]
pub fn pending(id: &TxId) -> Vec<u8> {
    join(b"q/", &[&id.0])
}

/// Where the [`PolicyRecord`](crate::record::PolicyRecord) of an owner about a resource is:
/// `a/<owner>/<digest of the resource>`.
#[must_use]
pub fn access_policy(owner: &EntityId, resource: &Resource) -> Vec<u8> {
    join(b"a/", &[&owner.0, b"/", &resource.digest()])
}

/// Where a [`GrantRecord`](crate::record::GrantRecord) is: `g/<id>`.
#[must_use]
pub fn grant(id: &GrantId) -> Vec<u8> {
    join(b"g/", &[&id.0])
}

/// Where an open [`CallRecord`](crate::call::CallRecord) is: `j/c/<id>`.
#[must_use]
pub fn call(id: &TxId) -> Vec<u8> {
    join(b"j/", &[b"c/", &id.0])
}

/// Where a [`TakenRecord`](crate::call::TakenRecord) is: `j/t/<ledger that asks>/<id>`.
#[must_use]
pub fn taken(ledger: &LedgerId, id: &TxId) -> Vec<u8> {
    join(b"j/", &[b"t/", &ledger.0, b"/", &id.0])
}

/// Where a parameter of the network is: `c/<name>`, the name in ASCII.
#[must_use]
pub fn parameter(name: &str) -> Vec<u8> {
    join(b"c/", &[name.as_bytes()])
}

fn join(noun: &[u8; 2], parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut key = Vec::with_capacity(noun.len() + len);
    key.extend_from_slice(noun);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}
