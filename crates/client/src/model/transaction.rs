use serde::{Deserialize, Serialize};

use super::{Action, DidText, Event, Problem, Time, TxHex};

/// Whether the transactions of a request were admitted, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Admissions {
    /// One for each.
    pub transactions: Vec<Admission>,
}

/// Whether one transaction of a request was admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Admission {
    /// Its id.
    pub id: TxHex,
    /// How far it is.
    pub status: TransactionStatus,
    /// Where it was finalized and with which receipt; only if the request waited for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Why it was refused; only if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TransactionStatus {
    /// Not admitted: nothing will come of it.
    Refused,
    /// Admitted here, waits to be included in a block.
    Waiting,
    /// In a final block; its receipt says what it did.
    Finalized,
}

/// A transaction's place on the ledger and its receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Outcome {
    /// Height of its block.
    pub height: u64,
    /// Its position in the block.
    pub index: u32,
    /// Time of the block.
    pub time: Time,
    /// What it did.
    pub receipt: Receipt,
}

/// What a final transaction did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// Which.
    pub transaction: TxHex,
    /// What it did in short.
    pub effect: Effect,
    /// Why it did not take effect; absent if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalText>,
    /// What it brought about, in order.
    pub events: Vec<Event>,
}

/// What a final transaction did, in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It took effect, all of it.
    Applied,
    /// It is recorded and takes effect when enough have approved it.
    AwaitingApproval,
    /// It changed nothing, but used up its nonce.
    Refused,
}

/// Why a final transaction took no effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RefusalText {
    /// A stable code, such as `schema_mismatch`.
    pub code: String,
    /// What is wrong and what to do next.
    pub detail: String,
    /// Position of the action that was refused.
    pub action: u8,
}

/// A transaction that this peer knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Transaction {
    /// Its id.
    pub id: TxHex,
    /// How far it is.
    pub status: TransactionStatus,
    /// Where it was finalized and with which receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Who sent it.
    pub sender: DidText,
    /// Who signed it, the sender first.
    pub signers: Vec<DidText>,
    /// Its number in the sender's window.
    pub nonce: u64,
    /// Last height at which it could be included.
    pub expiry_height: u64,
    /// Its length on the wire, bytes.
    pub bytes: u32,
    /// What it does, in order.
    pub actions: Vec<Action>,
}
