use alloc::vec::Vec;

use minicbor::{Decode, Encode, Encoder};
use sha2::{Digest as _, Sha256};

use crate::{Digest, Event, TxId, Wire, digest::hash, merkle, wire::encode};

/// What happened to one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Receipt {
    /// Which.
    #[n(0)]
    pub transaction: TxId,
    /// 0 if it took effect; otherwise the number of a [`Refusal`](crate::Refusal).
    #[n(1)]
    pub code: u16,
    /// Position of the action that was refused; 0 otherwise.
    #[n(2)]
    pub action: u8,
    /// What it brought about, in order; empty if refused.
    #[n(3)]
    pub events: Vec<Event>,
}

impl Wire for Receipt {
    const BYTES_MAX: usize = 256 * 1024;
}

impl Receipt {
    /// Its digest, a leaf of the receipts root.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(encode(self)).into()
    }
}

/// The Merkle root over receipts in order.
#[must_use]
pub fn receipts_root(receipts: &[Receipt]) -> Digest {
    let leaves: Vec<[u8; 32]> = receipts.iter().map(Receipt::digest).collect();
    merkle::root(&leaves)
}

/// The encoding of a list of receipts, and their [`receipts_root`]: each is encoded once for both.
#[must_use]
pub fn receipts_encoded(receipts: &[Receipt]) -> (Vec<u8>, Digest) {
    let mut out = Vec::with_capacity(9 + RECEIPT_BYTES_USUAL * receipts.len());
    let written = Encoder::new(&mut out).array(receipts.len() as u64).map(|_| ());
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    let mut leaves = Vec::with_capacity(receipts.len());
    for receipt in receipts {
        let start = out.len();
        let written = Encoder::new(&mut out).encode(receipt).map(|_| ());
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        leaves.push(Sha256::digest(&out[start..]).into());
    }
    (out, merkle::root(&leaves))
}

/// What a receipt of one event mostly takes, bytes.
const RECEIPT_BYTES_USUAL: usize = 128;

/// What a header's statement says of the receipts of one height: a leaf of
/// [`receipts_statement`]. It names the height, so that its position proves nothing and need not.
#[must_use]
pub fn receipts_leaf(height: u64, receipts_root: &Digest) -> [u8; 32] {
    hash("althing/receipts/1", &[&height.to_be_bytes(), &receipts_root.0])
}

/// The Merkle root over the receipts roots of consecutive heights from `first_height`: what
/// [`ExecutionResult::receipts_root`](crate::ExecutionResult::receipts_root) of a header states. A
/// proposer may have executed several blocks since the last statement; none of them is skipped.
#[must_use]
pub fn receipts_statement(first_height: u64, receipts_roots: &[Digest]) -> Digest {
    let leaves: Vec<[u8; 32]> = (0_u64..)
        .zip(receipts_roots)
        .map(|(above, root)| receipts_leaf(first_height.saturating_add(above), root))
        .collect();
    merkle::root(&leaves)
}
