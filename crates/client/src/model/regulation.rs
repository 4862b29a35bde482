use serde::{Deserialize, Serialize};

use super::{DidText, Governance, StreamHex, VotingRule};
use crate::genesis_file::ParametersForm;

/// What the network itself demands of how readings are kept: a transaction that breaks it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Regulation {
    /// By which it is named.
    pub id: String,
    /// What it demands, in words.
    pub text: String,
    /// Where it is written: an article, an address.
    pub reference: String,
    /// Whose law it is.
    pub jurisdiction: String,
    /// Only things of this semantic type; all if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing_type: Option<String>,
    /// Payloads are kept for so many days at least, and not erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days_min: Option<u32>,
    /// Payloads are dropped after so many days at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days_max: Option<u32>,
    /// Only peers of these organisations keep them; of any if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<DidText>,
    /// Whether streams must be confidential.
    pub confidential: bool,
}

/// The regulations about a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StreamRegulations {
    /// The stream.
    pub stream: StreamHex,
    /// Those in force about its thing, ascending by id.
    pub items: Vec<StreamRegulation>,
}

/// A regulation about a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StreamRegulation {
    /// What it demands.
    #[serde(flatten)]
    pub regulation: Regulation,
    /// Whether the stream is kept as it demands; if not, it takes no readings.
    pub complies: bool,
}

/// What the members had decided by a height, as it held after that block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PoliciesAt {
    /// The height.
    pub height: u64,
    /// The member organisations, ascending by id.
    pub members: Vec<DidText>,
    /// How they decided.
    pub rule: VotingRule,
    /// How many of them had to agree.
    pub votes_needed: u32,
    /// The settings of the ledger.
    pub parameters: ParametersForm,
    /// The regulations in force, ascending by id.
    pub regulations: Vec<Regulation>,
}

impl Governance {
    /// The regulation of this id, if it is in force.
    #[must_use]
    pub fn regulation(&self, id: &str) -> Option<&Regulation> {
        self.regulations.iter().find(|regulation| regulation.id == id)
    }
}
