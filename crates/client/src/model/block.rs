use serde::{Deserialize, Serialize};

use super::{DidText, DigestHex, KeyHex, Time, TxHex};

/// A final block without its transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BlockSummary {
    /// Its height; the genesis block has 0.
    pub height: u64,
    /// Its digest.
    pub digest: DigestHex,
    /// Digest of the block before.
    pub parent: DigestHex,
    /// Ledger time.
    pub time: Time,
    /// Voting key of the validator that proposed it.
    pub proposer: KeyHex,
    /// The peer that proposed it; absent for the genesis block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposer_peer: Option<DidText>,
    /// Epoch of its validators.
    pub epoch: u64,
    /// View in which it was proposed.
    pub view: u64,
    /// Merkle root over the ids of its transactions.
    pub transactions_root: DigestHex,
    /// Number of its transactions.
    pub transactions: u32,
    /// The result of an earlier block that it commits to.
    pub result: ExecutionResult,
}

/// What executing a block gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExecutionResult {
    /// The block that was executed.
    pub height: u64,
    /// Root of the state after it.
    pub state_root: DigestHex,
    /// Merkle root of its receipts.
    pub receipts_root: DigestHex,
}

/// A final block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Block {
    /// Its head.
    #[serde(flatten)]
    pub summary: BlockSummary,
    /// Voting keys of those whose signatures finalized it. Empty if this peer holds no certificate
    /// of this very block: one of a later block covers it.
    pub signers: Vec<KeyHex>,
    /// Ids of its transactions in order, from the one asked for.
    pub transaction_ids: Vec<TxHex>,
    /// Pass as `after` for the ids that follow; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
