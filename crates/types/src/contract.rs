//! What comes with code and contracts beside the code itself.

use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    EntityId,
    entity::is_name,
    limits::{CALLERS_MAX, CODE_SOURCE_BYTES_MAX, INTERFACES_MAX, PARTICIPANTS_MAX},
};

/// What is said of code for people and programs to find it; nothing of it is checked against the
/// module.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CodeMeta {
    /// A name.
    #[n(0)]
    pub name: String,
    /// Where the source is and how the module was built from it, such as an address with a commit
    /// and the compiler's version, so that anyone can build it again and compare; at most
    /// [`CODE_SOURCE_BYTES_MAX`] bytes.
    #[n(1)]
    pub source: String,
    /// Names of the interfaces it serves, such as `cw20`, ascending, at most [`INTERFACES_MAX`].
    #[n(2)]
    pub interfaces: Vec<String>,
}

impl CodeMeta {
    pub(crate) fn is_within_bounds(&self) -> bool {
        is_name(&self.name)
            && self.source.len() <= CODE_SOURCE_BYTES_MAX
            && !self.source.chars().any(char::is_control)
            && self.interfaces.len() <= INTERFACES_MAX
            && self.interfaces.iter().all(|interface| is_name(interface))
            && self.interfaces.windows(2).all(|pair| pair[0] < pair[1])
    }
}

/// Who decides about a contract and who may call it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Terms {
    /// Who may migrate, freeze, thaw and terminate it, and say who may next; nobody if none.
    #[n(0)]
    pub admin: Option<EntityId>,
    /// The peers or organisations that take part in deciding whether it begins (Y.4464 10.2 step 2),
    /// ascending, at most [`PARTICIPANTS_MAX`]; if none, it begins at once.
    #[n(1)]
    pub participants: Vec<EntityId>,
    /// How many of them must accept it.
    #[n(2)]
    pub threshold: u8,
    /// Blocks within which they must; afterwards the proposal is dropped.
    #[n(3)]
    pub patience_blocks: u32,
    /// Who may call it: these entities, and those that they own; ascending, at most
    /// [`CALLERS_MAX`]; anyone if empty.
    #[n(4)]
    pub callers: Vec<EntityId>,
}

impl Terms {
    pub(crate) fn is_within_bounds(&self) -> bool {
        let ascending = |ids: &[EntityId]| ids.windows(2).all(|pair| pair[0] < pair[1]);
        let decided = if self.participants.is_empty() {
            self.threshold == 0 && self.patience_blocks == 0
        } else {
            (1..=self.participants.len()).contains(&usize::from(self.threshold))
                && self.patience_blocks > 0
        };
        decided
            && self.participants.len() <= PARTICIPANTS_MAX
            && self.callers.len() <= CALLERS_MAX
            && ascending(&self.participants)
            && ascending(&self.callers)
    }
}

/// A key with a value in an event of a contract; each at most
/// [`CONTRACT_ATTRIBUTE_BYTES_MAX`](crate::limits::CONTRACT_ATTRIBUTE_BYTES_MAX) bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Attribute {
    /// The key.
    #[n(0)]
    pub key: String,
    /// The value.
    #[n(1)]
    pub value: String,
}
