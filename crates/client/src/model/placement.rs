use serde::{Deserialize, Serialize};

use super::{DidText, StreamHex, Time};

/// Who is to keep the payloads of a stream: all peers, unless it says less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Placement {
    /// Only peers of these organisations; of all if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub organisations: Vec<DidText>,
    /// So many of these peers keep each payload; each of them if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<u32>,
    /// After so many days of ledger time payloads may be dropped; never if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
}

/// What an owner said about the payloads of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StreamPlacement {
    /// The stream.
    pub stream: StreamHex,
    /// Who keeps them, and for how long.
    pub placement: Placement,
}

/// Who holds the payloads of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Holders {
    /// The stream.
    pub stream: StreamHex,
    /// What its owner said; all peers keep all if nothing.
    pub placement: Placement,
    /// The peers with a seat that may hold some of them: all, unless `copies` are fewer.
    pub peers: Vec<DidText>,
    /// Some of its batches, newest first, each with who holds it.
    pub batches: Vec<BatchHolders>,
}

/// Who holds the payload of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BatchHolders {
    /// First number of the batch.
    pub first_seq: u64,
    /// Its last.
    pub last_seq: u64,
    /// The peers whose duty it is; none if it was erased or is past retention.
    pub peers: Vec<DidText>,
    /// Whether the peer that answers has it on its disk, by duty or not yet handed over.
    pub here: bool,
    /// Whether it was erased.
    pub erased: bool,
    /// Whether it may be dropped by now.
    pub past_retention: bool,
}

/// That nothing came in a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StreamSilence {
    /// The stream.
    pub stream: StreamHex,
    /// Ledger time of its newest batch.
    pub since: Time,
    /// For how many seconds nothing came, at least: as many as were asked for.
    pub seconds: u32,
}
