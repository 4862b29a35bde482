use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    BatchHeader, EntityId, Inception, PublicKey, Signature, ThingId, TxId, Wire,
    entity::is_name,
    limits::{APPROVERS_MAX, DESCRIPTION_BYTES_MAX, RECIPIENTS_MAX, RECORD_BYTES_MAX},
};

/// One thing a transaction does. The actions of a transaction succeed or fail together.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Action {
    /// Registers an entity. The sender becomes its owner; only an organisation may own entities.
    #[n(0)]
    RegisterEntity {
        /// How the entity begins.
        #[n(0)]
        inception: Inception,
        /// Of [`possession_bytes`](crate::possession_bytes), by the new key.
        #[n(1)]
        possession: Signature,
    },
    /// Replaces the key of an entity; by itself or its owner.
    #[n(1)]
    RotateKey {
        /// Whose key.
        #[n(0)]
        entity: EntityId,
        /// The new key.
        #[n(1)]
        key: PublicKey,
        /// Of [`possession_bytes`](crate::possession_bytes), by the new key.
        #[n(2)]
        possession: Signature,
    },
    /// Ends an entity: nothing it signs counts from the next block on; by itself or its owner.
    #[n(2)]
    RevokeEntity {
        /// Which.
        #[n(0)]
        entity: EntityId,
    },
    /// Registers a thing with its W3C Thing Description 1.1; the sender becomes its owner.
    #[n(3)]
    RegisterThing {
        /// The owner's name for it, unique among the owner's things.
        #[n(0)]
        name: String,
        /// The description, JSON text.
        #[cbor(n(1), with = "minicbor::bytes")]
        description: Vec<u8>,
    },
    /// Publishes a new version of a thing's description; by its owner.
    #[n(4)]
    UpdateThing {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// The version this one replaces, so that two updates cannot overwrite each other.
        #[n(1)]
        replaces: u32,
        /// The description, JSON text.
        #[cbor(n(2), with = "minicbor::bytes")]
        description: Vec<u8>,
    },
    /// Lets a gateway or device submit for a thing, until a height; by the thing's owner.
    #[n(5)]
    Bind {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// The entity that may submit.
        #[n(1)]
        gateway: EntityId,
        /// Last height at which the binding holds.
        #[n(2)]
        until_height: u64,
    },
    /// Ends a binding; by the thing's owner or the bound entity.
    #[n(6)]
    Unbind {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// The entity.
        #[n(1)]
        gateway: EntityId,
    },
    /// Appends a batch of readings to a stream; by the thing's owner or a bound entity.
    #[n(7)]
    SubmitBatch(#[n(0)] BatchHeader),
    /// Writes a record and notifies entities (Y.4464 10.1 steps 3 to 5).
    #[n(8)]
    Record(#[n(0)] Record),
    /// Says who must sign for an action kind on behalf of the sender; an organisation only.
    #[n(9)]
    SetApprovalPolicy(#[n(0)] ApprovalPolicy),
    /// Approves a pending transaction (Y.4464 8.2, multi-signature permission).
    #[n(10)]
    Approve {
        /// Which.
        #[n(0)]
        pending: TxId,
    },
    /// Withdraws a pending transaction; by its sender or an approver.
    #[n(11)]
    Reject {
        /// Which.
        #[n(0)]
        pending: TxId,
    },
    /// Ends a thing: nothing more is accepted for it; by its owner.
    #[n(12)]
    RetireThing {
        /// Which.
        #[n(0)]
        thing: ThingId,
    },
}

/// Data that one entity writes for itself or others to find.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Record {
    /// What sort of record, a name chosen by the application.
    #[n(0)]
    pub kind: String,
    /// Its data, at most [`RECORD_BYTES_MAX`] bytes; the ledger does not look into it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub data: Vec<u8>,
    /// Entities to be notified, at most [`RECIPIENTS_MAX`].
    #[n(2)]
    pub notify: Vec<EntityId>,
    /// An earlier transaction that this record belongs to.
    #[n(3)]
    pub link: Option<TxId>,
}

/// `threshold` of `approvers` must sign before an action of this kind takes effect.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ApprovalPolicy {
    /// The kind of action it is about.
    #[n(0)]
    pub kind: ActionKind,
    /// How many must sign; 0 removes the policy.
    #[n(1)]
    pub threshold: u8,
    /// Who may, ascending, at most [`APPROVERS_MAX`].
    #[n(2)]
    pub approvers: Vec<EntityId>,
    /// Blocks within which the approvals must come.
    #[n(3)]
    pub patience_blocks: u32,
}

/// The kind of an action, for policies and for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ActionKind {
    /// [`Action::RegisterEntity`].
    #[n(0)]
    RegisterEntity,
    /// [`Action::RotateKey`].
    #[n(1)]
    RotateKey,
    /// [`Action::RevokeEntity`].
    #[n(2)]
    RevokeEntity,
    /// [`Action::RegisterThing`].
    #[n(3)]
    RegisterThing,
    /// [`Action::UpdateThing`].
    #[n(4)]
    UpdateThing,
    /// [`Action::Bind`].
    #[n(5)]
    Bind,
    /// [`Action::Unbind`].
    #[n(6)]
    Unbind,
    /// [`Action::SubmitBatch`].
    #[n(7)]
    SubmitBatch,
    /// [`Action::Record`].
    #[n(8)]
    Record,
    /// [`Action::SetApprovalPolicy`].
    #[n(9)]
    SetApprovalPolicy,
    /// [`Action::Approve`].
    #[n(10)]
    Approve,
    /// [`Action::Reject`].
    #[n(11)]
    Reject,
    /// [`Action::RetireThing`].
    #[n(12)]
    RetireThing,
}

impl ActionKind {
    /// All kinds with their names in text, ascending by number. Each noun has numbers of its own,
    /// so that nouns grow apart from each other; a number is never reused.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::RegisterEntity, "register_entity"),
        (Self::RotateKey, "rotate_key"),
        (Self::RevokeEntity, "revoke_entity"),
        (Self::RegisterThing, "register_thing"),
        (Self::UpdateThing, "update_thing"),
        (Self::Bind, "bind"),
        (Self::Unbind, "unbind"),
        (Self::SubmitBatch, "submit_batch"),
        (Self::Record, "record"),
        (Self::SetApprovalPolicy, "set_approval_policy"),
        (Self::Approve, "approve"),
        (Self::Reject, "reject"),
        (Self::RetireThing, "retire_thing"),
    ];

    /// Name in text.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("unknown", |(_, text)| text)
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, text)| *text == name).map(|(kind, _)| *kind)
    }
}

impl Action {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::RegisterEntity { .. } => ActionKind::RegisterEntity,
            Self::RotateKey { .. } => ActionKind::RotateKey,
            Self::RevokeEntity { .. } => ActionKind::RevokeEntity,
            Self::RegisterThing { .. } => ActionKind::RegisterThing,
            Self::UpdateThing { .. } => ActionKind::UpdateThing,
            Self::Bind { .. } => ActionKind::Bind,
            Self::Unbind { .. } => ActionKind::Unbind,
            Self::SubmitBatch(_) => ActionKind::SubmitBatch,
            Self::Record(_) => ActionKind::Record,
            Self::SetApprovalPolicy(_) => ActionKind::SetApprovalPolicy,
            Self::Approve { .. } => ActionKind::Approve,
            Self::Reject { .. } => ActionKind::Reject,
            Self::RetireThing { .. } => ActionKind::RetireThing,
        }
    }

    /// Whether every field is within its bounds; what needs the state is the ledger's to check.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        match self {
            Self::RegisterEntity { inception, .. } => inception.validate().is_ok(),
            Self::RotateKey { key, .. } => key.is_valid(),
            Self::RegisterThing { name, description } => {
                is_name(name) && (1..=DESCRIPTION_BYTES_MAX).contains(&description.len())
            }
            Self::UpdateThing { description, .. } => {
                (1..=DESCRIPTION_BYTES_MAX).contains(&description.len())
            }
            Self::SubmitBatch(batch) => batch.is_valid(),
            Self::Record(record) => {
                is_name(&record.kind)
                    && record.data.len() <= RECORD_BYTES_MAX
                    && record.notify.len() <= RECIPIENTS_MAX
            }
            Self::SetApprovalPolicy(policy) => policy.is_within_bounds(),
            _ => true,
        }
    }
}

impl ApprovalPolicy {
    fn is_within_bounds(&self) -> bool {
        let ascending = self.approvers.windows(2).all(|pair| pair[0] < pair[1]);
        ascending
            && self.approvers.len() <= APPROVERS_MAX
            && usize::from(self.threshold) <= self.approvers.len()
            && (self.threshold == 0 || self.patience_blocks > 0)
    }
}
