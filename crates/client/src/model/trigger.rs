use serde::{Deserialize, Serialize};

use super::{DidText, StreamHex, Time, Trial, TriggerHex};

/// A trigger, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Trigger {
    /// Its id.
    pub id: TriggerHex,
    /// Whose.
    pub owner: DidText,
    /// The owner's name for it.
    pub name: String,
    /// What it waits for and does, as a rule in words.
    pub rule: String,
    /// The stream that it waits for, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamHex>,
    /// `waits`, `due`, `happened` while what it waits for lasts, `over` if it can happen no more, or
    /// `suspended`.
    pub state: String,
    /// When it is due if nothing prevents it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Time>,
    /// Height at which it was set.
    pub set_height: u64,
    /// How often it ran, failures included.
    pub runs: u64,
    /// How often it failed since it last did not.
    pub failures: u8,
    /// Gas it has used in all.
    pub gas_used: u64,
    /// Height at which it last ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_height: Option<u64>,
    /// Code of the refusal that it met then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_code: Option<String>,
}

/// What a trigger would have done, and what it would do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TriggerTrial {
    /// It as a rule in words.
    pub rule: String,
    /// When it would have happened by what is recorded; empty if it waits for no stream.
    pub moments: Vec<Time>,
    /// How many batches were looked at for that.
    pub batches: u64,
    /// Whether that is all: if not, ask for a shorter interval.
    pub complete: bool,
    /// What it would do if it happened now.
    pub effect: Trial,
}
