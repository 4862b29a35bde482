use alloc::vec::Vec;

use althing_types::{StreamId, TxId};

use crate::{
    state_path::StatePath,
    stream::{Leaf, Node},
};

/// Where a prover finds what the ledger keeps; a peer's storage, or a map in a test.
///
/// State is that of one height, the one whose root the proof will lead to. Nodes, leaves, payloads
/// and transactions never change, so newer ones may be there too. `None` is "not there": an archive
/// that fails to read says so by its own means.
pub trait Archive {
    /// The value at a raw key of the state.
    fn value(&self, raw_key: &[u8]) -> Option<Vec<u8>>;
    /// The path of a raw key through the state's trie, whether or not the key is there.
    fn path(&self, raw_key: &[u8]) -> Option<StatePath>;
    /// A node of a stream's tree.
    fn node(&self, stream: &StreamId, level: u8, index: u64) -> Option<Node>;
    /// A leaf of a stream's tree.
    fn leaf(&self, stream: &StreamId, index: u64) -> Option<Leaf>;
    /// A payload, by its BLAKE3 digest.
    fn payload(&self, digest: &[u8; 32]) -> Option<Vec<u8>>;
    /// The wire bytes of a transaction.
    fn transaction(&self, id: &TxId) -> Option<Vec<u8>>;
}

/// Why a proof cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProveError {
    /// The state has no such entry, or not in the form expected.
    #[error("the state has no such {0}")]
    NotInState(&'static str),
    /// The stream has no reading with this number.
    #[error("the stream has no reading with number {0}")]
    NoReading(u64),
    /// The archive lacks a part of the stream's tree.
    #[error("the archive lacks node {index} at level {level} of the stream's tree")]
    Node {
        /// Distance from the leaves.
        level: u8,
        /// Position within the level.
        index: u64,
    },
    /// The archive has no payload of a batch, which the answer needs.
    #[error("the payload of batch {leaf} is not kept here, and the answer needs it")]
    Payload {
        /// Position of the batch in the stream.
        leaf: u64,
    },
    /// The answer would be larger than an answer may be.
    #[error("the answer is too large; ask for a shorter interval")]
    TooLarge,
}
