use serde::{Deserialize, Serialize};

use super::{CodeHex, ContractHex, DidText, Event, RefusalText, Time};

/// A key with a value in an event of a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Attribute {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// Code of contracts that is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Code {
    /// Its id: the SHA-256 of the module.
    pub id: CodeHex,
    /// Its number, by which contracts name code to each other.
    pub number: u64,
    /// A name.
    pub name: String,
    /// Where its source is and how it was built.
    pub source: String,
    /// Names of the interfaces it serves.
    pub interfaces: Vec<String>,
    /// The organisation that owns it.
    pub owner: DidText,
    /// Who stored it.
    pub creator: DidText,
    /// Its length, bytes.
    pub bytes: u32,
    /// Height at which it was stored.
    pub stored_height: u64,
    /// Ledger time from which contracts can be made of it.
    pub ready: Time,
    /// How many contracts run it, or are proposed to.
    pub contracts: u32,
}

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Contract {
    /// Its address.
    pub id: DidText,
    /// The same id in hex.
    pub hex: ContractHex,
    /// Its creator's name for it.
    pub name: String,
    /// `proposed`, `active`, `frozen` or `terminated`.
    pub status: String,
    /// Its code.
    pub code: CodeHex,
    /// Names of the interfaces that the code serves.
    pub interfaces: Vec<String>,
    /// Who made it.
    pub creator: DidText,
    /// Who administers it, if anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<DidText>,
    /// Who may call it; anyone if empty.
    pub callers: Vec<DidText>,
    /// Height at which it was made.
    pub created_height: u64,
    /// Height at which its code, terms or status last changed.
    pub changed_height: u64,
    /// Who decides whether it begins, while that is not decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ContractProposal>,
}

/// How far the decision about a contract is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ContractProposal {
    /// Who decides.
    pub participants: Vec<DidText>,
    /// How many of them must accept it.
    pub threshold: u8,
    /// Who has accepted it.
    pub accepted: Vec<DidText>,
    /// Who has declined it.
    pub declined: Vec<DidText>,
    /// Last height at which it can be accepted.
    pub until_height: u64,
}

/// What a contract answered to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ContractAnswer {
    /// The answer as text; JSON, for nearly all contracts. Absent if it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The answer's bytes, hex.
    pub data: String,
    /// Gas it took.
    pub gas_used: u64,
    /// Height it was read at.
    pub height: u64,
}

/// What would come of actions if they were in the next block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Trial {
    /// Why they would have no effect; absent if they would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalText>,
    /// What they would bring about.
    pub events: Vec<Event>,
    /// Gas that contracts would use.
    pub gas_used: u64,
    /// What contracts say while they run, with their ids in hex.
    pub trace: Vec<String>,
    /// What would change in the state.
    pub changes: Vec<StateChange>,
    /// Height of the state they were tried on.
    pub height: u64,
}

/// A key of the state that would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StateChange {
    /// The raw key, hex.
    pub key: String,
    /// The key as text, with what is no ASCII escaped.
    pub text: String,
    /// How many bytes the new value has; absent if it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u32>,
}
