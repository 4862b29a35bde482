//! Triggers: what is to be done when something happens, without anybody who calls.

use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    Action, Command, ContractId, EntityId, Operation, Record, StreamId, ThingId, TriggerId, Wire,
    WireError,
    command::CommandState,
    entity::is_name,
    limits::{COMMAND_LIFE_MS_MAX, CONTRACT_MESSAGE_BYTES_MAX, TRIGGER_SPAN_MS_MAX},
};

/// Something to be done by the ledger itself, in the name of whoever set the trigger, in the block
/// after what it waits for (Y.4464 7.1.3: contracts that run when triggered).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Trigger {
    /// The owner's name for it.
    #[n(0)]
    pub name: String,
    /// What it waits for.
    #[n(1)]
    pub cause: Cause,
    /// What is done then.
    #[n(2)]
    pub effect: Effect,
}

/// How a reading compares to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Relation {
    /// Less than it.
    #[n(0)]
    Below,
    /// Less, or as much.
    #[n(1)]
    AtMost,
    /// More, or as much.
    #[n(2)]
    AtLeast,
    /// More than it.
    #[n(3)]
    Above,
}

impl Relation {
    /// All of them with their signs in text.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::Below, "<"), (Self::AtMost, "<="), (Self::AtLeast, ">="), (Self::Above, ">")];

    /// Its sign in text.
    #[must_use]
    pub fn sign(self) -> &'static str {
        Self::ALL.iter().find(|(relation, _)| *relation == self).map_or("", |(_, sign)| sign)
    }

    /// Whether a value relates to the bound in this way.
    #[must_use]
    pub const fn holds(self, value: i64, bound: i64) -> bool {
        match self {
            Self::Below => value < bound,
            Self::AtMost => value <= bound,
            Self::AtLeast => value >= bound,
            Self::Above => value > bound,
        }
    }
}

/// What a trigger waits for. Time is ledger time: that of the blocks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Cause {
    /// Readings that pass a bound. It happens once each time the bound is passed, and again only
    /// after readings were on the other side.
    #[n(0)]
    Reading {
        /// The stream, of numbers or booleans (false is 0, true is 1).
        #[n(0)]
        stream: StreamId,
        /// On which side of the bound.
        #[n(1)]
        relation: Relation,
        /// The bound, a mantissa at the stream's scale.
        #[n(2)]
        bound: i64,
        /// For how long without interruption, milliseconds, at most [`TRIGGER_SPAN_MS_MAX`]. With 0
        /// one reading is enough; otherwise a batch counts if all its readings do.
        #[n(3)]
        for_ms: u64,
    },
    /// No readings for so long. It happens once each time a stream falls silent.
    #[n(1)]
    Silence {
        /// The stream.
        #[n(0)]
        stream: StreamId,
        /// How long, milliseconds, 1 to [`TRIGGER_SPAN_MS_MAX`].
        #[n(1)]
        for_ms: u64,
    },
    /// A point in time, and from then on again and again.
    #[n(2)]
    Time {
        /// When first, milliseconds since 1970.
        #[n(0)]
        first_ms: u64,
        /// How long between, milliseconds, at most [`TRIGGER_SPAN_MS_MAX`]; 0 for only once.
        #[n(1)]
        every_ms: u64,
    },
    /// A contract tells of something.
    #[n(3)]
    Contract {
        /// The contract.
        #[n(0)]
        contract: ContractId,
        /// What it calls the event.
        #[n(1)]
        event: String,
    },
    /// Somebody writes a record.
    #[n(4)]
    Recorded {
        /// Who.
        #[n(0)]
        sender: EntityId,
        /// What sort of record.
        #[n(1)]
        kind: String,
    },
    /// A command of a thing comes to a state.
    #[n(5)]
    Commanded {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// The state.
        #[n(1)]
        state: CommandState,
    },
}

impl Cause {
    /// The stream it is about, if any.
    #[must_use]
    pub const fn stream(&self) -> Option<StreamId> {
        match self {
            Self::Reading { stream, .. } | Self::Silence { stream, .. } => Some(*stream),
            _ => None,
        }
    }

    fn is_within_bounds(&self) -> bool {
        match self {
            Self::Reading { for_ms, .. } => *for_ms <= TRIGGER_SPAN_MS_MAX,
            Self::Silence { for_ms, .. } => (1..=TRIGGER_SPAN_MS_MAX).contains(for_ms),
            Self::Time { every_ms, .. } => *every_ms <= TRIGGER_SPAN_MS_MAX,
            Self::Contract { event, .. } => is_name(event),
            Self::Recorded { kind, .. } => is_name(kind),
            Self::Commanded { .. } => true,
        }
    }
}

/// What a trigger does, as its owner could.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Effect {
    /// Calls a contract.
    #[n(0)]
    Call {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// The message, JSON text.
        #[cbor(n(1), with = "minicbor::bytes")]
        message: Vec<u8>,
        /// Most gas it may use.
        #[n(2)]
        gas_limit: u64,
    },
    /// Asks a thing to do something.
    #[n(1)]
    Command {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// What is to be done.
        #[n(1)]
        operation: Operation,
        /// How long it may take, milliseconds, 1 to [`COMMAND_LIFE_MS_MAX`].
        #[n(2)]
        life_ms: u64,
        /// What for, as a grant names it; an owner need not say.
        #[n(3)]
        purpose: Option<String>,
    },
    /// Writes a record, which notifies those it names.
    #[n(2)]
    Record(#[n(0)] Record),
}

impl Effect {
    /// The action that it is at a time, milliseconds since 1970.
    #[must_use]
    pub fn action_at(&self, now_ms: u64) -> Action {
        match self.clone() {
            Self::Call { contract, message, gas_limit } => {
                Action::Execute { contract, message, gas_limit, funds: None }
            }
            Self::Command { thing, operation, life_ms, purpose } => {
                let until_ms = now_ms.saturating_add(life_ms);
                Action::Command(Command { thing, operation, until_ms, purpose })
            }
            Self::Record(record) => Action::Record(record),
        }
    }

    /// Its own bounds, and those of the action that it is.
    fn is_within_bounds(&self) -> bool {
        let lasts = match self {
            Self::Command { life_ms, .. } => (1..=COMMAND_LIFE_MS_MAX).contains(life_ms),
            Self::Call { .. } | Self::Record(_) => true,
        };
        lasts && self.action_at(0).is_within_bounds()
    }
}

impl Trigger {
    /// Its id, given who owns it.
    #[must_use]
    pub fn id(&self, owner: &EntityId) -> TriggerId {
        TriggerId::derive(owner, &self.name)
    }

    /// Whether its fields are within their bounds.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        is_name(&self.name) && self.cause.is_within_bounds() && self.effect.is_within_bounds()
    }
}

impl Wire for Trigger {
    const BYTES_MAX: usize = CONTRACT_MESSAGE_BYTES_MAX + 4096;

    fn validate(&self) -> Result<(), WireError> {
        if self.is_within_bounds() { Ok(()) } else { Err(WireError::OutOfBounds("trigger")) }
    }
}

/// What happened to a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum TriggerEvent {
    /// It was set.
    #[n(0)]
    Set {
        /// Which.
        #[n(0)]
        trigger: TriggerId,
        /// Whose.
        #[n(1)]
        owner: EntityId,
    },
    /// It was removed.
    #[n(1)]
    Removed {
        /// Which.
        #[n(0)]
        trigger: TriggerId,
    },
    /// What it waited for has happened, and it did what it was set for, or failed to.
    #[n(2)]
    Ran {
        /// Which.
        #[n(0)]
        trigger: TriggerId,
        /// Whose.
        #[n(1)]
        owner: EntityId,
        /// The height of the block with its cause.
        #[n(2)]
        cause_height: u64,
        /// Number of the refusal that it met; 0 if it did what it was set for, and the events that
        /// follow tell what.
        #[n(3)]
        code: u16,
        /// Gas it used.
        #[n(4)]
        gas_used: u64,
    },
    /// It waits for nothing until it is resumed: its owner wanted it, or it failed
    /// [`TRIGGER_FAILURES_MAX`](crate::limits::TRIGGER_FAILURES_MAX) times in a row.
    #[n(3)]
    Suspended {
        /// Which.
        #[n(0)]
        trigger: TriggerId,
        /// Number of the refusal that it met last; 0 if its owner wanted it.
        #[n(1)]
        code: u16,
    },
    /// It waits again.
    #[n(4)]
    Resumed {
        /// Which.
        #[n(0)]
        trigger: TriggerId,
    },
}
