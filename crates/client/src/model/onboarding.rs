use serde::{Deserialize, Serialize};

use super::{DidText, DigestHex, Key, Time};

/// What a binding is narrowed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BindingLimit {
    /// The properties whose readings the gateway may submit.
    pub properties: Vec<String>,
    /// Whether it may carry commands to the thing.
    pub commands: bool,
}

/// What was said of a thing; what is absent was not said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ThingReport {
    /// Whether it can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online: Option<bool>,
    /// Version of its firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// A point on the earth (WGS 84), in degrees with seven decimal places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Place {
    /// Degrees north.
    pub latitude: String,
    /// Degrees east.
    pub longitude: String,
}

/// How a thing is, as it was last said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ThingStatus {
    /// What is known.
    #[serde(flatten)]
    pub known: ThingReport,
    /// Since when it has been online, or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_since: Option<Time>,
    /// When something was last said.
    pub reported: Time,
    /// Who said it.
    pub reporter: DidText,
}

/// To whom a thing is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Offer {
    /// The entity; absent if to whoever holds the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<DidText>,
    /// The public key behind the code; absent if to an entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_key: Option<Key>,
    /// Last height at which it can be accepted.
    pub until_height: u64,
}

/// A maker's word for a batch of devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Voucher {
    /// Its id.
    pub id: DigestHex,
    /// Who made the devices.
    pub maker: DidText,
    /// The organisation that owns them when they join.
    pub owner: DidText,
    /// Merkle root over their inceptions.
    pub root: DigestHex,
    /// How many there are.
    pub count: u32,
    /// SHA-256 of their Thing Description.
    pub description_digest: DigestHex,
    /// Height of the block that issued it.
    pub issued: u64,
    /// Whether devices join by it; false once it was revoked.
    pub active: bool,
}
