//! Where a peer keeps what it derives from blocks, beside the authenticated state.

use althing_proof::stream::{Leaf, Node};
use althing_state::{Direction, Space, Store, StoreError, prefix_end};
use althing_types::{Digest, Header, Receipt, StreamId, TxId};
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

/// Key of the step to the validators of an epoch, in a chain that began with a state taken over:
/// `Receipts l/<epoch>`.
pub(crate) fn link(epoch: u64) -> Vec<u8> {
    [b"l/".as_slice(), &epoch.to_be_bytes()].concat()
}

/// Key of a transaction that came with such a state, since a batch needs it: `Receipts s/<id>`.
pub(crate) fn wire(id: &TxId) -> Vec<u8> {
    [b"s/".as_slice(), &id.0].concat()
}

/// Key of a block that was executed on such a state: `Receipts b/<height>`.
pub(crate) fn block(height: u64) -> Vec<u8> {
    [b"b/".as_slice(), &height.to_be_bytes()].concat()
}

/// Key of its certificate, if it has one: `Receipts f/<height>`.
pub(crate) fn certificate(height: u64) -> Vec<u8> {
    [b"f/".as_slice(), &height.to_be_bytes()].concat()
}

/// Key of the height of such a state when it came: in `Meta`.
pub(crate) const TAKEN_OVER: &[u8] = b"taken-over";

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

/// Key that notes that a batch refers to a payload: `Payloads n/<digest><stream><position>`. Payloads
/// of several batches may be the same bytes, and one that is erased must not take the others' away.
pub(crate) fn reference(digest: &[u8; 32], stream: &StreamId, index: u64) -> Vec<u8> {
    [references(digest).as_slice(), &stream.0, &index.to_be_bytes()].concat()
}

/// What the keys of the references to a payload begin with.
pub(crate) fn references(digest: &[u8; 32]) -> Vec<u8> {
    [b"n/".as_slice(), digest].concat()
}

/// The batch that a row of [`references`] notes: its stream and its position there.
pub(crate) fn referred(row: &[u8]) -> Option<(StreamId, u64)> {
    let (stream, index) = row.get(b"n/".len() + 32..)?.split_first_chunk::<32>()?;
    Some((StreamId(*stream), u64::from_be_bytes(index.try_into().ok()?)))
}

/// Key that notes that a payload was erased: `Payloads x/<digest>`. It says nothing as long as a batch
/// refers to the payload.
pub(crate) fn erased(digest: &[u8; 32]) -> Vec<u8> {
    [b"x/".as_slice(), digest].concat()
}

/// Whether a payload was erased, and is nobody's.
pub(crate) fn is_erased(store: &dyn Store, digest: &[u8; 32]) -> Result<bool, StoreError> {
    if store.get(Space::Payloads, &erased(digest))?.is_none() {
        return Ok(false);
    }
    let prefix = references(digest);
    let end = prefix_end(&prefix);
    let rows = store.scan(Space::Payloads, &prefix, end.as_deref(), Direction::Forward, 1)?;
    Ok(rows.is_empty())
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
