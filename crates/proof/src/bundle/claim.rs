//! What each kind of claim brings to show itself.

use alloc::vec::Vec;

use althing_types::{
    Digest, Reading, Receipt, TriggerId, Value, Wire, WireError,
    limits::{PAYLOAD_BYTES_MAX, TRANSACTION_BYTES_MAX},
    receipts_statement,
};
use minicbor::{Decode, Encode};

use crate::{
    bundle::Why,
    certificate::Finalized,
    interval::Interval,
    key::KEY_BYTES_MAX,
    opening::Opening,
    record::{BindingRecord, EntityRecord, KeyRecord, ThingRecord},
    state_path::{StatePath, value_digest},
    stream::{Leaf, LeafPath, StreamHead},
};

/// Longest value of the state that a bundle shows by itself, bytes.
const VALUE_BYTES_MAX: usize = 256 * 1024;

/// A record of the state with the path to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Stated<T> {
    /// The record.
    #[n(0)]
    pub record: T,
    /// The path of its key.
    #[n(1)]
    pub path: StatePath,
}

impl<T: Wire> Stated<T> {
    /// Checks that the state with this root holds the record at `raw_key`.
    pub(crate) fn check(&self, root: &Digest, raw_key: &[u8]) -> Result<(), Why> {
        match self.path.verify(root, raw_key)? {
            Some(found) if found == value_digest(&self.record.to_wire()) => Ok(()),
            Some(_) => Err(Why::Claim("the state holds another record")),
            None => Err(Why::Claim("the state has no such record")),
        }
    }

    fn validate(&self) -> Result<(), WireError> {
        self.record.validate()?;
        self.path.validate()
    }
}

/// A stream and the thing it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StreamProof {
    /// The thing.
    #[n(0)]
    pub thing: Stated<ThingRecord>,
    /// The stream.
    #[n(1)]
    pub head: Stated<StreamHead>,
}

impl StreamProof {
    fn validate(&self) -> Result<(), WireError> {
        self.thing.validate()?;
        self.head.validate()
    }
}

/// A reading as it is claimed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ReadingClaim {
    /// Its number in the stream.
    #[n(0)]
    pub seq: u64,
    /// When the device says it measured, milliseconds since 1970.
    #[n(1)]
    pub claimed_ms: i64,
    /// When the gateway received it, milliseconds since 1970.
    #[n(2)]
    pub received_ms: i64,
    /// The value.
    #[n(3)]
    pub value: Value,
}

impl ReadingClaim {
    /// The claim that `reading` has number `seq`.
    #[must_use]
    pub fn new(seq: u64, reading: &Reading) -> Self {
        let Reading { claimed_ms, received_ms, value } = reading.clone();
        Self { seq, claimed_ms, received_ms, value }
    }

    pub(crate) fn reading(&self) -> Reading {
        let Self { claimed_ms, received_ms, value, .. } = self.clone();
        Reading { claimed_ms, received_ms, value }
    }
}

/// Shows that a thing reported a value.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ReadingProof {
    /// The reading.
    #[n(0)]
    pub reading: ReadingClaim,
    /// Its stream.
    #[n(1)]
    pub stream: StreamProof,
    /// Its batch.
    #[n(2)]
    pub leaf: Leaf,
    /// The path of the batch to a peak of the stream.
    #[n(3)]
    pub path: LeafPath,
    /// The payload of the batch.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub payload: Vec<u8>,
    /// Who submitted it, and by what right.
    #[n(5)]
    pub submitter: SubmitterProof,
    /// The device that signed the packs of the payload, if it has that form and the key of then is
    /// known.
    #[n(6)]
    pub device: Option<DeviceProof>,
}

/// The device that signed the packs of a payload.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct DeviceProof {
    /// The entity.
    #[n(0)]
    pub entity: Stated<EntityRecord>,
    /// The key that the entity had then, if it has replaced it since.
    #[n(1)]
    pub earlier_key: Option<EarlierKey>,
}

/// Who submitted a batch, and by what right.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SubmitterProof {
    /// The entity.
    #[n(0)]
    pub entity: Stated<EntityRecord>,
    /// Its binding to the thing; absent if it is the thing's owner.
    #[n(1)]
    pub binding: Option<BindingProof>,
    /// The transaction with its signature, if it is still kept.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub transaction: Option<Vec<u8>>,
    /// The key that the entity had then, if it has replaced it since.
    #[n(3)]
    pub earlier_key: Option<EarlierKey>,
}

/// What the state says about the binding of a gateway to a thing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct BindingProof {
    /// The binding; absent if the state has none any more.
    #[n(0)]
    pub record: Option<BindingRecord>,
    /// The path of its key.
    #[n(1)]
    pub path: StatePath,
}

/// A key that an entity had.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EarlierKey {
    /// Its version.
    #[n(0)]
    pub version: u32,
    /// The key.
    #[n(1)]
    pub key: Stated<KeyRecord>,
}

impl ReadingProof {
    pub(crate) fn validate(&self) -> Result<(), WireError> {
        self.stream.validate()?;
        self.leaf.validate()?;
        self.path.siblings.iter().try_for_each(Wire::validate)?;
        if self.payload.len() > PAYLOAD_BYTES_MAX {
            return Err(WireError::OutOfBounds("payload"));
        }
        self.submitter.validate()?;
        self.device.as_ref().map_or(Ok(()), DeviceProof::validate)
    }
}

impl DeviceProof {
    fn validate(&self) -> Result<(), WireError> {
        self.entity.validate()?;
        self.earlier_key.as_ref().map_or(Ok(()), |earlier| earlier.key.validate())
    }
}

impl SubmitterProof {
    fn validate(&self) -> Result<(), WireError> {
        self.entity.validate()?;
        if let Some(binding) = &self.binding {
            binding.path.validate()?;
        }
        if self.transaction.as_ref().is_some_and(|wire| wire.len() > TRANSACTION_BYTES_MAX) {
            return Err(WireError::OutOfBounds("transaction"));
        }
        self.earlier_key.as_ref().map_or(Ok(()), |earlier| earlier.key.validate())
    }
}

/// Shows all readings of an interval.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RangeProof {
    /// The question.
    #[n(0)]
    pub interval: Interval,
    /// The stream.
    #[n(1)]
    pub stream: StreamProof,
    /// Its tree, opened where the interval overlaps it.
    #[n(2)]
    pub opening: Opening,
}

impl RangeProof {
    pub(crate) fn validate(&self) -> Result<(), WireError> {
        self.interval.validate()?;
        self.stream.validate()?;
        self.opening.validate()
    }
}

/// Shows what the readings of an interval amount to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AggregateProof {
    /// The question.
    #[n(0)]
    pub interval: Interval,
    /// The stream.
    #[n(1)]
    pub stream: StreamProof,
    /// Its tree, opened where it straddles an end of the interval.
    #[n(2)]
    pub opening: Opening,
}

impl AggregateProof {
    pub(crate) fn validate(&self) -> Result<(), WireError> {
        self.interval.validate()?;
        self.stream.validate()?;
        self.opening.validate()
    }
}

/// Shows what the state holds at a key, or that it holds nothing there.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StateProof {
    /// The question: a raw key of the state.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub key: Vec<u8>,
    /// The value, if there is one.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub value: Option<Vec<u8>>,
    /// The path of the key.
    #[n(2)]
    pub path: StatePath,
}

impl StateProof {
    pub(crate) fn validate(&self) -> Result<(), WireError> {
        if self.key.len() > KEY_BYTES_MAX {
            return Err(WireError::OutOfBounds("key"));
        }
        if self.value.as_ref().is_some_and(|value| value.len() > VALUE_BYTES_MAX) {
            return Err(WireError::OutOfBounds("value"));
        }
        self.path.validate()
    }
}

/// Shows that a transaction is in the bundle's block, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct TransactionProof {
    /// The transaction's wire bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub transaction: Vec<u8>,
    /// Its position in the block, from 0.
    #[n(1)]
    pub index: u32,
    /// Its path to the transactions root.
    #[n(2)]
    pub path: Vec<Digest>,
    /// What became of it, if that is shown.
    #[n(3)]
    pub receipt: Option<ReceiptProof>,
}

/// Most heights whose receipts one header states.
pub const STATED_HEIGHTS_MAX: usize = 64;

/// Shows the receipt of a transaction or of the run of a trigger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ReceiptProof {
    /// The receipt.
    #[n(0)]
    pub receipt: Receipt,
    /// Its path to the receipts root of its block.
    #[n(1)]
    pub path: Vec<Digest>,
    /// The receipts roots of all heights that the later block states, ascending; the last is of its
    /// [`ExecutionResult::height`](althing_types::ExecutionResult::height).
    ///
    /// All of them rather than a path: position and number of leaves, which only the header's
    /// parent tells, would be bound by nothing, and there is rarely more than one.
    #[n(2)]
    pub roots: Vec<Digest>,
    /// The later block, whose header states them.
    #[n(3)]
    pub block: Finalized,
    /// How many receipts the transaction's block has, if triggers ran in it: theirs come after those
    /// of the transactions. As many as it has transactions if absent.
    ///
    /// Little binds it, and nothing needs to: whatever it is, the path leads to a receipt of that
    /// block, and the receipt names its transaction.
    #[n(4)]
    pub receipts: Option<u32>,
}

impl ReceiptProof {
    /// The receipts root of the block at `height`, as the later block states it.
    pub(crate) fn stated_root(&self, height: u64) -> Result<&Digest, Why> {
        let result = &self.block.header.result;
        let (first, root) = find_stated(&self.roots, result.height, height)
            .ok_or(Why::Claim("the later block does not state the receipts of this one"))?;
        if receipts_statement(first, &self.roots) != result.receipts_root {
            return Err(Why::Claim("the later block states other receipts roots"));
        }
        Ok(root)
    }
}

/// Of roots that end with that of `last`: the height of the first, and the root of `height`.
fn find_stated(roots: &[Digest], last: u64, height: u64) -> Option<(u64, &Digest)> {
    let after = usize::try_from(last.checked_sub(height)?).ok()?;
    let before = roots.len().checked_sub(after)?.checked_sub(1)?;
    Some((height.checked_sub(before as u64)?, roots.get(before)?))
}

/// Shows that a trigger ran in a block, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RunProof {
    /// Whose trigger.
    #[n(0)]
    pub trigger: TriggerId,
    /// Position of the run's receipt among those of the block; those of the transactions come first.
    #[n(1)]
    pub index: u32,
    /// What came of it.
    #[n(2)]
    pub receipt: ReceiptProof,
}

impl RunProof {
    pub(crate) fn validate(&self) -> Result<(), WireError> {
        self.receipt.validate()
    }
}

impl ReceiptProof {
    fn validate(&self) -> Result<(), WireError> {
        if self.roots.len() > STATED_HEIGHTS_MAX {
            return Err(WireError::OutOfBounds("receipts roots"));
        }
        self.receipt.validate()?;
        self.block.validate()
    }
}

impl TransactionProof {
    pub(crate) fn validate(&self) -> Result<(), WireError> {
        if self.transaction.len() > TRANSACTION_BYTES_MAX {
            return Err(WireError::OutOfBounds("transaction"));
        }
        self.receipt.as_ref().map_or(Ok(()), ReceiptProof::validate)
    }
}
