use serde::{Deserialize, Serialize};

use super::{DidText, DigestHex, ServiceHex};

/// A service in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Service {
    /// Its id.
    pub id: ServiceHex,
    /// Who provides it.
    pub provider: DidText,
    /// The provider's name for it.
    pub name: String,
    /// The version to use: the newest that is live, or else the newest; absent if all were withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<ServiceVersion>,
    /// All versions that are not withdrawn, ascending.
    pub versions: Vec<VersionStatus>,
    /// Height at which its first version was published.
    pub since_height: u64,
    /// Height at which it last changed.
    pub changed_height: u64,
}

/// How a version of a service stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VersionStatus {
    /// Which, as `1.0.0`.
    pub version: String,
    /// `live`, `deprecated` or `withdrawn`.
    pub status: String,
}

/// What a provider says of one version of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServiceVersion {
    /// Which, as `1.0.0`.
    pub version: String,
    /// `live`, `deprecated` or `withdrawn`.
    pub status: String,
    /// What it does.
    pub text: String,
    /// Names of the interfaces it serves.
    pub interfaces: Vec<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// `contract` if a contract is the service, `outside` if it is performed outside the ledger.
    pub kind: String,
    /// The contract that is it, or that charges and records for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<DidText>,
    /// The entity that serves, for whom grants to call it are given; only outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity: Option<DidText>,
    /// Where it is reached; only outside.
    pub endpoints: Vec<String>,
    /// What it is used for and needs data for, as grants name it.
    pub purpose: String,
    /// What it must be let do by the owners of things.
    pub needs: Vec<ServiceNeed>,
    /// What it costs, for people.
    pub price: String,
    /// The same for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_rule: Option<PriceRule>,
    /// To whom it is shown: `everyone`, or `callers` for those who may call it.
    pub listing: String,
    /// SHA-256 of the JSON Schema of what it takes and gives, if it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_digest: Option<DigestHex>,
    /// That schema; only where one version is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Height at which it was published.
    pub published_height: u64,
    /// Height at which its status last changed.
    pub changed_height: u64,
}

/// Something that a service must be let do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServiceNeed {
    /// To do what, such as `read`.
    pub right: String,
    /// With what sort of thing, property or action.
    pub what: String,
}

/// So much for each of what is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PriceRule {
    /// How much, in the smallest unit of the currency.
    pub amount: u64,
    /// Of what: a currency, or units that the provider gives.
    pub currency: String,
    /// For each of what.
    pub per: String,
}
