use serde::{Deserialize, Serialize};

use super::{
    BindingLimit, DidText, DigestHex, LatestReading, Offer, StreamHex, ThingHex, ThingStatus,
};

/// A device or virtual thing, described by a W3C WoT Thing Description 1.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Thing {
    /// Its id.
    pub id: DidText,
    /// The same id in hex.
    pub hex: ThingHex,
    /// Its owner's name for it, unique among the owner's things.
    pub name: String,
    /// Its owner.
    pub owner: DidText,
    /// `title` of the description.
    pub title: String,
    /// `@type` of the description.
    pub types: Vec<String>,
    /// Version of the description, from 1.
    pub version: u32,
    /// SHA-256 of the description's bytes.
    pub description_digest: DigestHex,
    /// Whether it accepts anything more; false once it was retired.
    pub active: bool,
    /// Its properties, each with a stream.
    pub properties: Vec<Property>,
    /// Who may submit for it beside its owner.
    pub bindings: Vec<Binding>,
    /// How it is, if anybody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ThingStatus>,
    /// To whom it is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Whether it is shut out: what it submits is refused, and nothing is asked of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quarantined: bool,
    /// The actions that it can be asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    /// Words by which its owner lets it be found, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The entity that the thing itself signs as, if it can sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DidText>,
    /// Whether its readings count only with the signature of that device.
    #[serde(default)]
    pub needs_device_signature: bool,
    /// Whether its owner would rather lose the oldest readings than have new ones refused when a
    /// gateway's queue is full.
    #[serde(default)]
    pub may_lose_oldest: bool,
}

/// The tags of a thing, all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ThingTags {
    /// Which.
    pub thing: DidText,
    /// The words by which it is found, ascending.
    pub tags: Vec<String>,
}

/// An entity that may submit for a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Binding {
    /// The entity.
    pub gateway: DidText,
    /// Last height at which the binding holds.
    pub until_height: u64,
    /// What it is narrowed to; absent if to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<BindingLimit>,
}

/// A property of a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Property {
    /// Its name in the description.
    pub name: String,
    /// Its stream.
    pub stream: StreamHex,
    /// `number`, `boolean`, `text` or `bytes`.
    pub kind: String,
    /// Unit as the description states it; empty if it states none.
    pub unit: String,
    /// The latest reading by sequence, if there is one and this peer holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<LatestReading>,
}
