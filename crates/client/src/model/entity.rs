use serde::{Deserialize, Serialize};

use super::{DidText, EntityHex};

/// What a sender needs to know before it signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Account {
    /// Whose account.
    pub entity: DidText,
    /// The number to go on with: after the highest that a transaction of the sender has used,
    /// final or waiting here.
    pub next_nonce: u64,
    /// Numbers from here on are too far ahead.
    pub nonce_end: u64,
    /// Transactions of the sender that wait here to be included.
    pub waiting: u32,
    /// Height of the state this was read from; an expiry height counts from here.
    pub height: u64,
    /// Whether what it signs counts.
    pub active: bool,
}

/// Whoever acts: an organisation, peer, gateway, device, service, person or auditor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Entity {
    /// Its id.
    pub id: DidText,
    /// The same id in hex.
    pub hex: EntityHex,
    /// What it is: `organisation`, `peer`, `gateway`, `device`, `service`, `person`, `auditor`.
    pub kind: String,
    /// Its name among people; not unique.
    pub name: String,
    /// The organisation that owns it; absent for a founding organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<DidText>,
    /// Whether what it signs counts; false once it was revoked.
    pub active: bool,
    /// Its present key.
    pub key: Key,
    /// Version of the present key, from 1.
    pub key_version: u32,
    /// Height of the block that registered it.
    pub registered: u64,
}

/// A public key of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Key {
    /// `ed25519` or `p256`.
    pub suite: String,
    /// 32 bytes (Ed25519) or a compressed point of 33 bytes (P-256), hex.
    pub public: String,
}

impl Key {
    /// The key, if this is one.
    #[must_use]
    pub fn to_public_key(&self) -> Option<althing_types::PublicKey> {
        let suite = althing_types::Suite::from_name(&self.suite)?;
        let key = althing_types::PublicKey { suite, bytes: hex::decode(&self.public).ok()? };
        key.is_valid().then_some(key)
    }
}

/// To which key streams' keys are wrapped for an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AgreementKey {
    /// The entity.
    pub entity: DidText,
    /// The X25519 key, hex; absent if it has said none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A key that an entity has or had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct KeyVersion {
    /// From 1.
    pub version: u32,
    /// The key.
    pub key: Key,
    /// Height of the block since which it counts.
    pub from_height: u64,
    /// Height of the block that replaced or revoked it; absent while it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_height: Option<u64>,
}

/// The DID document of an entity or thing (W3C DID Core 1.0).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DidDocument {
    /// JSON-LD contexts.
    #[serde(rename = "@context")]
    pub context: Vec<String>,
    /// The DID.
    pub id: DidText,
    /// Who may change it: the owner of a thing or entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<DidText>,
    /// Its present keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verification_method: Vec<VerificationMethod>,
    /// Ids of the keys that authenticate it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authentication: Vec<String>,
    /// Ids of the keys that sign statements of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertion_method: Vec<String>,
    /// Where more is found, such as the Thing Description.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<ServiceEndpoint>,
}

/// A key in a DID document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerificationMethod {
    /// `<did>#key-<version>`.
    pub id: String,
    /// Always `Multikey`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose key.
    pub controller: DidText,
    /// The key, multibase.
    pub public_key_multibase: Multikey,
}

/// A public key in multibase base58btc with its multicodec prefix (W3C Multikey).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Multikey(
    /// Text that begins with `z`.
    pub String,
);

/// A service in a DID document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ServiceEndpoint {
    /// `<did>#<fragment>`.
    pub id: String,
    /// Such as `WotThing`, whose endpoint is a Thing Description (W3C WoT Discovery).
    #[serde(rename = "type")]
    pub kind: String,
    /// An absolute path at this peer.
    pub service_endpoint: String,
}
