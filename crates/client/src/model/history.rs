use serde::{Deserialize, Serialize};

use super::{Action, DidText, Event, Receipt, Time, TxHex};

/// A final transaction in an entity's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Past {
    /// Height of its block.
    pub height: u64,
    /// Its position in the block.
    pub index: u32,
    /// Time of the block.
    pub time: Time,
    /// What it did.
    pub receipt: Receipt,
}

/// A transaction that waits for approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PendingApproval {
    /// Which: approve it by this id.
    pub transaction: TxHex,
    /// The organisation that sent it.
    pub sender: DidText,
    /// What is to be done, in order.
    pub actions: Vec<Action>,
    /// Who has signed or approved, in order.
    pub approvals: Vec<DidText>,
    /// Height of the block that recorded it.
    pub since_height: u64,
    /// Last height at which it can be approved.
    pub until_height: u64,
}

/// The approval policies of an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Policies {
    /// One for each kind of action that has one.
    pub items: Vec<Policy>,
}

/// `threshold` of `approvers` must sign before an action of this kind takes effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Policy {
    /// The kind of action, such as `register_thing`.
    pub kind: String,
    /// How many must sign.
    pub threshold: u8,
    /// Who may.
    pub approvers: Vec<DidText>,
    /// Blocks within which the approvals must come.
    pub patience_blocks: u32,
}

/// A transaction that concerned something, or a run of a trigger, with what it brought about there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PastEvents {
    /// Height of its block.
    pub height: u64,
    /// Its position in the block; runs come after the transactions.
    pub index: u32,
    /// Time of the block.
    pub time: Time,
    /// The transaction whose receipt tells of it, or the id of the run.
    pub transaction: TxHex,
    /// What happened, in order.
    pub events: Vec<Event>,
}
