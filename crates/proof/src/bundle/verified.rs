//! What a bundle has shown.

use alloc::{string::String, vec::Vec};

use althing_types::{
    ActionKind, EntityId, EntityKind, LedgerId, Receipt, StreamId, StreamSchema, ThingId,
    TriggerId, TxId, Validator, Value,
};

use crate::{aggregate::Aggregate, bundle::Done, interval::Interval, range::RangeAnswer};

/// A claim that holds, and every step that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The ledger.
    pub ledger: LedgerId,
    /// The block that commits to it.
    pub block: CertifiedBlock,
    /// The claim.
    pub claim: VerifiedClaim,
    /// The steps in order, in words.
    pub steps: Vec<Done>,
}

/// A final block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertifiedBlock {
    /// Its height.
    pub height: u64,
    /// Its time, milliseconds since 1970.
    pub time_ms: u64,
    /// Its epoch.
    pub epoch: u64,
    /// Height of the executed block whose state it commits to.
    pub state_height: u64,
    /// The validators that signed it, or a descendant that makes it final.
    pub signed: Vec<Validator>,
    /// How many validators the epoch has.
    pub validators: usize,
}

/// What has been shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifiedClaim {
    /// A thing reported a value.
    Reading(VerifiedReading),
    /// These are all readings of the interval.
    Range {
        /// The stream.
        stream: VerifiedStream,
        /// The interval and its readings.
        answer: RangeAnswer,
    },
    /// The readings of the interval amount to this.
    Aggregate {
        /// The stream.
        stream: VerifiedStream,
        /// The question: compare it with the one you asked.
        interval: Interval,
        /// The answer.
        aggregate: Aggregate,
    },
    /// The state holds this value, or none, at the key.
    State {
        /// The question: compare it with the one you asked.
        key: Vec<u8>,
        /// The value, if there is one.
        value: Option<Vec<u8>>,
    },
    /// A transaction is in a block.
    Transaction(VerifiedTransaction),
    /// A trigger ran in a block.
    Run(VerifiedRun),
}

/// A stream and the thing it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedStream {
    /// The stream.
    pub stream: StreamId,
    /// The thing.
    pub thing: ThingId,
    /// The owner's name for the thing.
    pub name: String,
    /// The thing's owner.
    pub owner: EntityId,
    /// The property of the thing.
    pub property: String,
    /// The form of the values.
    pub schema: StreamSchema,
    /// How many readings the whole stream has.
    pub count: u64,
}

/// A reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReading {
    /// Its stream.
    pub stream: VerifiedStream,
    /// Its number in the stream.
    pub seq: u64,
    /// The value.
    pub value: Value,
    /// The value as text with its unit.
    pub value_text: String,
    /// When the device says it measured, milliseconds since 1970.
    pub claimed_ms: i64,
    /// When the gateway received it, milliseconds since 1970.
    pub received_ms: i64,
    /// Time of the block that took it, milliseconds since 1970.
    pub ledger_time_ms: u64,
    /// Height of that block.
    pub height: u64,
    /// The transaction that brought it.
    pub transaction: TxId,
    /// Whose word it is.
    pub attestation: Attestation,
    /// By what right it was submitted.
    pub delegation: Delegation,
    /// Whether the submitter's signature was checked here.
    pub signature: SignatureCheck,
}

/// Whose word a reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attestation {
    /// The device's own: a gateway could not have forged it.
    SignedByDevice(EntityId),
    /// That of an entity that submits for the thing.
    AssertedBy {
        /// Which.
        entity: EntityId,
        /// What it is.
        kind: EntityKind,
    },
}

/// By what right a batch was submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delegation {
    /// The submitter owns the thing.
    Owner,
    /// The owner had bound it to the thing.
    Bound {
        /// Height from which the binding held.
        from_height: u64,
        /// Last height at which it holds.
        until_height: u64,
    },
    /// It had a binding that the state no longer has; the quorum that took the batch checked it.
    Former,
}

/// Whether the submitter's signature was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureCheck {
    /// Yes, under the key of this version.
    Verified {
        /// Version of the key.
        key_version: u32,
    },
    /// No: the transaction is not in the bundle. The quorum that took the batch checked it.
    LeftOut,
}

/// A run of a trigger in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRun {
    /// Whose run.
    pub trigger: TriggerId,
    /// The block.
    pub height: u64,
    /// What became of it.
    pub receipt: Receipt,
}

/// A transaction in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedTransaction {
    /// Its id.
    pub id: TxId,
    /// Who sent it.
    pub sender: EntityId,
    /// What it does.
    pub actions: Vec<ActionKind>,
    /// Its position in the block.
    pub index: u32,
    /// What became of it, if the bundle shows that.
    pub receipt: Option<Receipt>,
}
