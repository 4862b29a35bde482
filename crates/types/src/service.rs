//! Services in the catalogue: what is offered, where and under which terms (Y.4464 9.3, 10.3).

use alloc::{string::String, vec::Vec};
use core::fmt;

use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::{
    ContractId, EntityId, Right, ServiceId, Wire, WireError,
    entity::is_name,
    limits::{
        ENDPOINT_BYTES_MAX, INTERFACES_MAX, PRICE_TEXT_BYTES_MAX, SERVICE_ENDPOINTS_MAX,
        SERVICE_NEEDS_MAX, SERVICE_SCHEMA_BYTES_MAX, SERVICE_TAGS_MAX, SERVICE_TEXT_BYTES_MAX,
    },
};

/// What a provider says of one version of a service. It never changes; another manifest is another
/// version.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Manifest {
    /// The provider's name for the service.
    #[n(0)]
    pub name: String,
    /// Which version.
    #[n(1)]
    pub version: Version,
    /// What it does, for people: 1 to [`SERVICE_TEXT_BYTES_MAX`] bytes.
    #[n(2)]
    pub text: String,
    /// Names of the interfaces it serves, ascending, at most [`INTERFACES_MAX`].
    #[n(3)]
    pub interfaces: Vec<String>,
    /// Words to find it by: capabilities, places, trades; ascending, at most [`SERVICE_TAGS_MAX`].
    #[n(4)]
    pub tags: Vec<String>,
    /// JSON Schema of what it takes and gives, at most [`SERVICE_SCHEMA_BYTES_MAX`] bytes. The ledger
    /// checks that it is a JSON object, and no more.
    #[n(5)]
    pub schema: Option<ByteVec>,
    /// Where it is performed.
    #[n(6)]
    pub offered: Offered,
    /// What it is used for and needs data for, as grants name it.
    #[n(7)]
    pub purpose: String,
    /// What it must be let do by the owners of things, at most [`SERVICE_NEEDS_MAX`].
    #[n(8)]
    pub needs: Vec<Need>,
    /// What it costs.
    #[n(9)]
    pub price: Price,
    /// To whom it is shown.
    #[n(10)]
    pub listing: Listing,
}

/// A version as in Semantic Versioning 2.0.0, without labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct Version {
    /// Grows when callers must change.
    #[n(0)]
    pub major: u32,
    /// Grows when there is more than before.
    #[n(1)]
    pub minor: u32,
    /// Grows when something was mended.
    #[n(2)]
    pub patch: u32,
}

/// Where a service is performed (Y.4464 9.3).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Offered {
    /// On the ledger: the contract is the service (approach 1).
    #[n(0)]
    Contract(#[n(0)] ContractId),
    /// Outside of it (approach 2).
    #[n(1)]
    Outside {
        /// The entity that serves, for whom grants to call it are given.
        #[n(0)]
        entity: EntityId,
        /// Where it is reached: `http` or `https` addresses, 1 to [`SERVICE_ENDPOINTS_MAX`] of at most
        /// [`ENDPOINT_BYTES_MAX`] bytes.
        #[n(1)]
        endpoints: Vec<String>,
        /// The contract that charges and records, if there is one.
        #[n(2)]
        contract: Option<ContractId>,
    },
}

/// Something that a service must be let do.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Need {
    /// To do what.
    #[n(0)]
    pub right: Right,
    /// With what sort of thing, property or action: a name.
    #[n(1)]
    pub what: String,
}

/// What a service costs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Price {
    /// For people, at most [`PRICE_TEXT_BYTES_MAX`] bytes; empty if there is nothing to say.
    #[n(0)]
    pub text: String,
    /// For programs.
    #[n(1)]
    pub rule: Option<PriceRule>,
}

/// So much for each of what is counted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PriceRule {
    /// How much, in the smallest unit of the currency.
    #[n(0)]
    pub amount: u64,
    /// Of what: a currency, or units that the provider gives.
    #[n(1)]
    pub currency: String,
    /// For each of what: a call, an hour, a kilobyte.
    #[n(2)]
    pub per: String,
}

/// To whom a service is shown in the catalogue. Blocks tell members of the network of it either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Listing {
    /// To everyone.
    #[n(0)]
    Everyone,
    /// To those who may call it, or may by a grant that they can ask for.
    #[n(1)]
    Callers,
}

impl Listing {
    /// Name in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Callers => "callers",
        }
    }
}

/// Whether a version of a service can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ServiceStatus {
    /// It can.
    #[n(0)]
    Live,
    /// It can for now; use another.
    #[n(1)]
    Deprecated,
    /// It is over, for ever.
    #[n(2)]
    Withdrawn,
}

impl ServiceStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Live, Self::Deprecated, Self::Withdrawn];

    /// Name in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Deprecated => "deprecated",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The status with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// What happened to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum ServiceEvent {
    /// A version was published.
    #[n(0)]
    Published {
        /// Of which service.
        #[n(0)]
        service: ServiceId,
        /// Who provides it.
        #[n(1)]
        provider: EntityId,
        /// Which version.
        #[n(2)]
        version: Version,
    },
    /// A version has another status.
    #[n(1)]
    StatusSet {
        /// Of which service.
        #[n(0)]
        service: ServiceId,
        /// Who provides it.
        #[n(1)]
        provider: EntityId,
        /// Which version.
        #[n(2)]
        version: Version,
        /// Which status.
        #[n(3)]
        status: ServiceStatus,
    },
}

impl Version {
    /// Reads `major.minor.patch`, each without leading zeros.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| {
            let plain = part == "0" || part.starts_with(|c: char| ('1'..='9').contains(&c));
            plain.then(|| part.parse::<u32>().ok()).flatten()
        });
        let version = Self {
            major: parts.next().flatten()?,
            minor: parts.next().flatten()?,
            patch: parts.next().flatten()?,
        };
        parts.next().is_none().then_some(version)
    }

    /// Its numbers big-endian, so that bytes sort as versions do.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.major.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.minor.to_be_bytes());
        bytes[8..].copy_from_slice(&self.patch.to_be_bytes());
        bytes
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl Offered {
    /// The contract it names, if any.
    #[must_use]
    pub const fn contract(&self) -> Option<ContractId> {
        match self {
            Self::Contract(contract) => Some(*contract),
            Self::Outside { contract, .. } => *contract,
        }
    }

    fn is_within_bounds(&self) -> bool {
        let Self::Outside { endpoints, .. } = self else { return true };
        let is_address = |address: &String| {
            let rest =
                ["https://", "http://"].iter().find_map(|scheme| address.strip_prefix(scheme));
            rest.is_some_and(|rest| !rest.is_empty())
                && address.len() <= ENDPOINT_BYTES_MAX
                && address.bytes().all(|byte| byte.is_ascii_graphic())
        };
        (1..=SERVICE_ENDPOINTS_MAX).contains(&endpoints.len()) && endpoints.iter().all(is_address)
    }
}

impl Price {
    fn is_within_bounds(&self) -> bool {
        is_text(&self.text, PRICE_TEXT_BYTES_MAX)
            && self.rule.as_ref().is_none_or(|rule| is_name(&rule.currency) && is_name(&rule.per))
    }
}

/// A text of lines for people.
fn is_text(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max && !text.chars().any(|c| c.is_control() && c != '\n')
}

/// Names, ascending.
fn are_names(names: &[String], max: usize) -> bool {
    names.len() <= max
        && names.iter().all(|name| is_name(name))
        && names.windows(2).all(|pair| pair[0] < pair[1])
}

impl Manifest {
    /// The id of the service, given who provides it.
    #[must_use]
    pub fn id(&self, provider: &EntityId) -> ServiceId {
        ServiceId::derive(provider, &self.name)
    }

    /// Whether its fields are within their bounds.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        let schema = |schema: &ByteVec| (1..=SERVICE_SCHEMA_BYTES_MAX).contains(&schema.len());
        is_name(&self.name)
            && !self.text.is_empty()
            && is_text(&self.text, SERVICE_TEXT_BYTES_MAX)
            && are_names(&self.interfaces, INTERFACES_MAX)
            && are_names(&self.tags, SERVICE_TAGS_MAX)
            && self.schema.as_ref().is_none_or(schema)
            && self.offered.is_within_bounds()
            && is_name(&self.purpose)
            && self.needs.len() <= SERVICE_NEEDS_MAX
            && self.needs.iter().all(|need| is_name(&need.what))
            && self.price.is_within_bounds()
    }
}

impl Wire for Manifest {
    const BYTES_MAX: usize = SERVICE_SCHEMA_BYTES_MAX + 8 * 1024;

    fn validate(&self) -> Result<(), WireError> {
        if self.is_within_bounds() { Ok(()) } else { Err(WireError::OutOfBounds("manifest")) }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString as _, vec};

    use super::*;

    fn manifest() -> Manifest {
        Manifest {
            name: "forecast".into(),
            version: Version { major: 1, minor: 2, patch: 3 },
            text: "What it will be\ntomorrow".into(),
            interfaces: vec!["forecast".into()],
            tags: vec!["energy".into(), "weather".into()],
            schema: Some(ByteVec::from(b"{}".to_vec())),
            offered: Offered::Outside {
                entity: EntityId([2; 32]),
                endpoints: vec!["https://forecast.example/v1".into()],
                contract: Some(ContractId([3; 32])),
            },
            purpose: "forecast".into(),
            needs: vec![Need { right: Right::Read, what: "temperature".into() }],
            price: Price {
                text: "one unit a call".into(),
                rule: Some(PriceRule { amount: 1, currency: "unit".into(), per: "call".into() }),
            },
            listing: Listing::Callers,
        }
    }

    #[test]
    fn versions_are_read_as_they_are_written_and_sort() {
        for (text, bytes) in [("0.0.0", [0; 12]), ("1.0.10", [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 10])]
        {
            let version = Version::parse(text).unwrap();
            assert_eq!((version.to_string().as_str(), version.to_bytes()), (text, bytes));
        }
        assert!(Version::parse("1.9.0") < Version::parse("1.10.0"));
        for wrong in ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.-3", "1.2.+3", "1.2.4294967296"] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_manifest_is_read_back_and_has_bounds() {
        let good = manifest();
        assert_eq!(Manifest::from_wire(&good.to_wire()).unwrap(), good);
        let outside = |endpoints: &[&str]| Offered::Outside {
            entity: EntityId([2; 32]),
            endpoints: endpoints.iter().map(|text| (*text).into()).collect(),
            contract: None,
        };
        let need = Need { right: Right::Read, what: "x".into() };
        let long = |bytes: usize| "x".repeat(bytes);
        type Change<'a> = (bool, &'a dyn Fn(&mut Manifest));
        let rows: &[Change<'_>] = &[
            (false, &|m| m.name = String::new()),
            (false, &|m| m.text = String::new()),
            (true, &|m| m.text = long(SERVICE_TEXT_BYTES_MAX)),
            (false, &|m| m.text = long(SERVICE_TEXT_BYTES_MAX + 1)),
            (false, &|m| m.text = "a\tb".into()),
            (false, &|m| m.tags.reverse()),
            (false, &|m| m.tags = vec!["a".into(), "a".into()]),
            (false, &|m| m.interfaces = (0..9).map(|n| n.to_string()).collect()),
            (true, &|m| m.schema = None),
            (false, &|m| m.schema = Some(ByteVec::from(vec![]))),
            (true, &|m| m.schema = Some(ByteVec::from(vec![1; SERVICE_SCHEMA_BYTES_MAX]))),
            (false, &|m| m.schema = Some(ByteVec::from(vec![1; SERVICE_SCHEMA_BYTES_MAX + 1]))),
            (true, &|m| m.offered = Offered::Contract(ContractId([1; 32]))),
            (false, &|m| m.offered = outside(&[])),
            (false, &|m| m.offered = outside(&["https://"])),
            (false, &|m| m.offered = outside(&["javascript:alert(1)"])),
            (false, &|m| m.offered = outside(&["http://a b"])),
            (false, &|m| m.offered = outside(&["http://a"; 5])),
            (false, &|m| m.offered = outside(&[&long(ENDPOINT_BYTES_MAX + 1)])),
            (false, &|m| m.purpose = String::new()),
            (true, &|m| m.needs = vec![need.clone(); SERVICE_NEEDS_MAX]),
            (false, &|m| m.needs = vec![need.clone(); SERVICE_NEEDS_MAX + 1]),
            (false, &|m| m.needs[0].what = String::new()),
            (true, &|m| m.price = Price { text: String::new(), rule: None }),
            (false, &|m| m.price.text = long(PRICE_TEXT_BYTES_MAX + 1)),
            (false, &|m| m.price.rule.as_mut().unwrap().per = String::new()),
        ];
        for (row, (fits, change)) in rows.iter().enumerate() {
            let mut changed = manifest();
            change(&mut changed);
            assert_eq!(changed.is_within_bounds(), *fits, "row {row}");
            assert_eq!(Manifest::from_wire(&changed.to_wire()).is_ok(), *fits, "row {row}");
        }
    }

    #[test]
    fn the_longest_manifest_fits() {
        let name = |first: char| first.to_string().repeat(64);
        let names = |count: u8| (0..count).map(|n| name(char::from(b'a' + n))).collect::<Vec<_>>();
        let longest = Manifest {
            name: name('n'),
            version: Version { major: u32::MAX, minor: u32::MAX, patch: u32::MAX },
            text: "x".repeat(SERVICE_TEXT_BYTES_MAX),
            interfaces: names(8),
            tags: names(16),
            schema: Some(ByteVec::from(vec![1; SERVICE_SCHEMA_BYTES_MAX])),
            offered: Offered::Outside {
                entity: EntityId([2; 32]),
                endpoints: vec![alloc::format!("http://{}", "x".repeat(249)); 4],
                contract: Some(ContractId([3; 32])),
            },
            purpose: name('p'),
            needs: vec![Need { right: Right::Read, what: name('w') }; SERVICE_NEEDS_MAX],
            price: Price {
                text: "x".repeat(PRICE_TEXT_BYTES_MAX),
                rule: Some(PriceRule { amount: u64::MAX, currency: name('c'), per: name('p') }),
            },
            listing: Listing::Callers,
        };
        assert!(longest.is_within_bounds());
        assert!(Manifest::from_wire(&longest.to_wire()).is_ok());
    }
}
