use alloc::string::String;

use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::{
    Resource, Right, ThingId, TxId, Value,
    entity::is_name,
    limits::{COMMAND_INPUT_BYTES_MAX, COMMAND_RESULT_BYTES_MAX, VALUE_BYTES_MAX},
};

/// Something to be done by a thing. Its id is that of the transaction it came in, so a transaction
/// holds one at most.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Command {
    /// The thing.
    #[n(0)]
    pub thing: ThingId,
    /// What is to be done.
    #[n(1)]
    pub operation: Operation,
    /// Ledger time by which it must be answered, milliseconds since 1970.
    #[n(2)]
    pub until_ms: u64,
    /// What for, as a grant names it; an owner need not say.
    #[n(3)]
    pub purpose: Option<String>,
}

/// What a command asks for, in the words of W3C WoT.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Operation {
    /// The present value of a property.
    #[n(0)]
    Read {
        /// Its name.
        #[n(0)]
        property: String,
    },
    /// Another value for a property.
    #[n(1)]
    Write {
        /// Its name.
        #[n(0)]
        property: String,
        /// The value, exact, at the scale of the property's stream.
        #[n(1)]
        value: Value,
    },
    /// An action.
    #[n(2)]
    Invoke {
        /// Its name.
        #[n(0)]
        action: String,
        /// Its input, JSON text of at most [`COMMAND_INPUT_BYTES_MAX`] bytes.
        #[n(1)]
        input: Option<ByteVec>,
    },
}

impl Operation {
    /// Its name in text.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Read { .. } => "read",
            Self::Write { .. } => "write",
            Self::Invoke { .. } => "invoke",
        }
    }

    /// The property or action it is about.
    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::Read { property } | Self::Write { property, .. } => property,
            Self::Invoke { action, .. } => action,
        }
    }

    /// What somebody needs to be let do to ask for it.
    #[must_use]
    pub const fn right(&self) -> Right {
        match self {
            Self::Read { .. } => Right::Read,
            Self::Write { .. } => Right::Write,
            Self::Invoke { .. } => Right::Invoke,
        }
    }

    /// What it is about, as policies and grants name it.
    #[must_use]
    pub fn resource(&self, thing: ThingId) -> Resource {
        let name = self.target().into();
        match self {
            Self::Read { .. } | Self::Write { .. } => Resource::Property { thing, name },
            Self::Invoke { .. } => Resource::ThingAction { thing, name },
        }
    }

    pub(crate) fn is_within_bounds(&self) -> bool {
        let fits = match self {
            Self::Read { .. } => true,
            Self::Write { value, .. } => match value {
                Value::Text(text) => text.len() <= VALUE_BYTES_MAX,
                Value::Bytes(bytes) => bytes.len() <= VALUE_BYTES_MAX,
                Value::Number(_) | Value::Bool(_) => true,
            },
            Self::Invoke { input, .. } => {
                input.as_ref().is_none_or(|input| input.len() <= COMMAND_INPUT_BYTES_MAX)
            }
        };
        fits && is_name(self.target())
    }
}

/// How far a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum CommandState {
    /// On the ledger; no gateway has handed it over yet.
    #[n(0)]
    Queued,
    /// Handed to the device.
    #[n(1)]
    Delivered,
    /// The device has said that it will do it.
    #[n(2)]
    Accepted,
    /// Done.
    #[n(3)]
    Done,
    /// The device or its gateway could not or would not do it.
    #[n(4)]
    Failed,
    /// Its time passed.
    #[n(5)]
    Expired,
    /// Whoever sent it, or the owner, took it back.
    #[n(6)]
    Cancelled,
}

impl CommandState {
    /// All states, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Delivered,
        Self::Accepted,
        Self::Done,
        Self::Failed,
        Self::Expired,
        Self::Cancelled,
    ];

    /// Name in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_last(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Expired | Self::Cancelled)
    }
}

/// What became of a command, said by the device, its gateway or the owner.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CommandReport {
    /// Which.
    #[n(0)]
    pub command: TxId,
    /// How far it is: delivered, accepted, done or failed.
    #[n(1)]
    pub state: CommandState,
    /// What the device answered, at most [`COMMAND_RESULT_BYTES_MAX`] bytes as it sent them.
    #[n(2)]
    pub result: Option<ByteVec>,
}

impl Command {
    pub(crate) fn is_within_bounds(&self) -> bool {
        let purpose = self.purpose.as_ref().is_none_or(|purpose| is_name(purpose));
        purpose && self.operation.is_within_bounds()
    }
}

impl CommandReport {
    pub(crate) fn is_within_bounds(&self) -> bool {
        use CommandState::{Accepted, Delivered, Done, Failed};
        matches!(self.state, Delivered | Accepted | Done | Failed)
            && self.result.as_ref().is_none_or(|result| result.len() <= COMMAND_RESULT_BYTES_MAX)
    }
}
