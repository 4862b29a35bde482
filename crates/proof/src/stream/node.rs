use althing_types::{Digest, Wire, WireError};
use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use crate::stream::{Leaf, Summary};

/// A subtree as its parent, or the stream's head, commits to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Node {
    /// Its hash.
    #[n(0)]
    pub hash: Digest,
    /// What it holds.
    #[n(1)]
    pub summary: Summary,
}

impl Wire for Node {
    const BYTES_MAX: usize = 136;

    fn validate(&self) -> Result<(), WireError> {
        self.summary.validate()
    }
}

impl Node {
    /// The node of a leaf: `hash = SHA-256(0x00 || leaf)`.
    #[must_use]
    pub fn of_leaf(leaf: &Leaf) -> Self {
        let hash = Sha256::new().chain_update([0]).chain_update(leaf.to_wire()).finalize();
        Self { hash: Digest(hash.into()), summary: leaf.summary() }
    }

    /// The parent of two nodes:
    /// `hash = SHA-256(0x01 || left hash || left summary || right hash || right summary)`. `None`
    /// if the summaries do not [merge](Summary::merge).
    #[must_use]
    pub fn join(left: &Self, right: &Self) -> Option<Self> {
        let summary = left.summary.merge(&right.summary)?;
        let hash = Sha256::new()
            .chain_update([1])
            .chain_update(left.hash.0)
            .chain_update(left.summary.to_wire())
            .chain_update(right.hash.0)
            .chain_update(right.summary.to_wire())
            .finalize();
        Some(Self { hash: Digest(hash.into()), summary })
    }
}
