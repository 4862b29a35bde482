//! Where a peer keeps what it derives from blocks, beside the authenticated state.

use althing_proof::stream::{Leaf, Node};
use althing_types::{Digest, Header, Receipt, StreamId};
use minicbor::{Decode, Encode};

/// Level under which leaves themselves are kept; the nodes of a tree have lower levels.
const LEAF_LEVEL: u8 = u8::MAX;

/// What execution left of a block, by height: `Receipts r/<height>`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Done {
    /// Root of the state after it.
    #[n(0)]
    pub(crate) state_root: Digest,
    /// Root of its own receipts.
    #[n(1)]
    pub(crate) receipts_root: Digest,
    /// Its header.
    #[n(2)]
    pub(crate) header: Header,
    /// The newest height up to here that had transactions.
    #[n(3)]
    pub(crate) busy_height: u64,
}

/// Key of a [`Done`].
pub(crate) fn done(height: u64) -> Vec<u8> {
    [b"r/".as_slice(), &height.to_be_bytes()].concat()
}

/// Key of a block's receipts: `Receipts t/<height>`, absent if it had none.
pub(crate) fn receipts(height: u64) -> Vec<u8> {
    [b"t/".as_slice(), &height.to_be_bytes()].concat()
}

/// Key of the validators of an epoch, of those that are not as in the epoch before: `Receipts
/// v/<epoch>`.
pub(crate) fn validators(epoch: u64) -> Vec<u8> {
    [b"v/".as_slice(), &epoch.to_be_bytes()].concat()
}

/// Reads the receipts of a block, which are in one value; `None` if the value is damaged.
pub(crate) fn decode_receipts(value: &[u8]) -> Option<Vec<Receipt>> {
    minicbor::decode(value).ok()
}

/// What keys of missing payloads begin with.
pub(crate) const MISSING: &[u8] = b"w/";

/// Key that notes a missing payload: `Payloads w/<digest>`. It stays until a start finds the payload.
pub(crate) fn missing(digest: &[u8; 32]) -> Vec<u8> {
    [MISSING, digest].concat()
}

/// Key of a node of a stream's tree: `Nodes <stream><level><index>`.
pub(crate) fn node(stream: &StreamId, level: u8, index: u64) -> Vec<u8> {
    let mut key = stream.0.to_vec();
    key.push(level);
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// Key of a leaf of a stream's tree.
pub(crate) fn leaf(stream: &StreamId, index: u64) -> Vec<u8> {
    node(stream, LEAF_LEVEL, index)
}

/// What the keys of all leaves of a stream begin with, from the key of any node or leaf of it.
pub(crate) fn leaves(key: &[u8]) -> Option<Vec<u8>> {
    let stream = key.get(..32)?;
    Some([stream, &[LEAF_LEVEL]].concat())
}

/// Reads a node; `None` if the value is damaged. The store has checksums, and this peer wrote it.
pub(crate) fn decode_node(value: &[u8]) -> Option<Node> {
    minicbor::decode(value).ok()
}

/// Reads a leaf, as [`decode_node`].
pub(crate) fn decode_leaf(value: &[u8]) -> Option<Leaf> {
    minicbor::decode(value).ok()
}
