use serde::{Deserialize, Serialize};

use super::{DidText, DigestHex, GrantHex, Time, TxHex};

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Operation {
    /// `read`, `write` or `invoke`.
    pub operation: String,
    /// The property or action.
    pub name: String,
    /// The value to be written: an exact decimal, `true` or `false`, the text itself, or bytes in
    /// hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The input of an action, JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
}

/// A command to a thing, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Command {
    /// Its id, that of the transaction it came in.
    pub id: TxHex,
    /// The thing.
    pub thing: DidText,
    /// Who asks.
    pub sender: DidText,
    /// What is asked for.
    #[serde(flatten)]
    pub operation: Operation,
    /// What for, if it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// `queued`, `delivered`, `accepted`, `done`, `failed`, `expired` or `cancelled`.
    pub state: String,
    /// When it came.
    pub queued: Time,
    /// Time by which it must be answered.
    pub until: Time,
    /// Since when it has been in this state.
    pub changed: Time,
    /// The transaction that brought this state.
    pub changed_by: TxHex,
    /// Who sent that.
    pub reporter: DidText,
    /// What the device answered; bytes that are no UTF-8 are replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// Something that was asked of a thing directly at its gateway, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DirectUse {
    /// Id of the request, which the device was told.
    pub id: TxHex,
    /// Who asked, and signed that.
    pub caller: DidText,
    /// The thing.
    pub thing: DidText,
    /// What was asked for.
    #[serde(flatten)]
    pub operation: Operation,
    /// What for.
    pub purpose: String,
    /// Greater than that of every request before under the same grant at the gateway.
    pub number: u64,
    /// The grant that it counts against.
    pub grant: GrantHex,
    /// `delivered` (whether it was done is not known), `done` or `failed`.
    pub state: String,
    /// When it was served, by the gateway's clock.
    pub served: Time,
    /// SHA-256 of what was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<DigestHex>,
}

impl Command {
    /// Whether nothing comes after its state.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state.as_str(), "done" | "failed" | "expired" | "cancelled")
    }
}
