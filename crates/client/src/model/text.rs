use std::{fmt, ops::Deref, str::FromStr};

use althing_types::{
    CodeId, ContractId, Did, Digest, EntityId, GrantId, LedgerId, LinkId, ServiceId, StreamId,
    ThingId, TriggerId, TxId,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::time;

/// A 32-byte id or key that is 64 hex digits in text.
pub trait HexId: Sized + fmt::Display {
    /// Reads 64 hex digits.
    fn from_hex(text: &str) -> Option<Self>;
}

macro_rules! hex_id {
    ($($name:ident),*) => {$(
        impl HexId for $name {
            fn from_hex(text: &str) -> Option<Self> {
                $name::from_hex(text)
            }
        }
    )*};
}

hex_id!(
    CodeId, ContractId, Digest, EntityId, GrantId, LedgerId, LinkId, ServiceId, StreamId, ThingId,
    TriggerId, TxId
);

/// The 32 bytes of a voting key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HexKey(pub [u8; 32]);

impl fmt::Display for HexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Digest(self.0).fmt(f)
    }
}

impl HexId for HexKey {
    fn from_hex(text: &str) -> Option<Self> {
        Digest::from_hex(text).map(|digest| Self(digest.0))
    }
}

/// An id as hex digits in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hex<T>(pub T);

/// A digest in JSON.
pub type DigestHex = Hex<Digest>;
/// An entity's id where it is not a DID.
pub type EntityHex = Hex<EntityId>;
/// A thing's id where it is not a DID.
pub type ThingHex = Hex<ThingId>;
/// A stream's id in JSON.
pub type StreamHex = Hex<StreamId>;
/// A module's id in JSON: its SHA-256.
pub type CodeHex = Hex<CodeId>;
/// A contract's id where it is not a DID.
pub type ContractHex = Hex<ContractId>;
/// A trigger's id in JSON.
pub type TriggerHex = Hex<TriggerId>;
/// A service's id in JSON.
pub type ServiceHex = Hex<ServiceId>;
/// A transaction's id in JSON.
pub type TxHex = Hex<TxId>;
/// Id of a request for access, and of its grant, in JSON.
pub type GrantHex = Hex<GrantId>;
/// A ledger's id in JSON.
pub type LedgerHex = Hex<LedgerId>;
/// A link's id in JSON.
pub type LinkHex = Hex<LinkId>;
/// A voting key in JSON.
pub type KeyHex = Hex<HexKey>;

impl<T> Deref for Hex<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: HexId> FromStr for Hex<T> {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        T::from_hex(text).map(Self).ok_or("64 hex digits expected")
    }
}

impl<T: fmt::Display> fmt::Display for Hex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: fmt::Display> Serialize for Hex<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T: HexId> Deserialize<'de> for Hex<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A DID as text in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DidText(pub Did);

impl DidText {
    /// The DID of an entity.
    #[must_use]
    pub fn entity(network: &str, id: &EntityId) -> Self {
        Self(Did::entity(network, id))
    }

    /// The DID of a thing.
    #[must_use]
    pub fn thing(network: &str, id: &ThingId) -> Self {
        Self(Did::thing(network, id))
    }

    /// The DID of a contract, which is its address.
    #[must_use]
    pub fn contract(network: &str, id: &ContractId) -> Self {
        Self(Did::entity(network, &id.actor()))
    }

    /// The id as that of a contract.
    #[must_use]
    pub const fn contract_id(&self) -> ContractId {
        ContractId(self.0.id)
    }

    /// The id as that of an entity.
    #[must_use]
    pub const fn entity_id(&self) -> EntityId {
        EntityId(self.0.id)
    }

    /// The id as that of a thing.
    #[must_use]
    pub const fn thing_id(&self) -> ThingId {
        ThingId(self.0.id)
    }
}

impl fmt::Display for DidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for DidText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DidText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Did::parse(&text).map(Self).map_err(D::Error::custom)
    }
}

/// An id of an entity or thing in requests: a DID or 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdText {
    /// The id.
    pub id: [u8; 32],
    /// The network, if the text was a DID.
    pub network: Option<String>,
}

impl FromStr for IdText {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(id) = Digest::from_hex(text) {
            return Ok(Self { id: id.0, network: None });
        }
        let did = Did::parse(text).map_err(|_| "a did:althing:... or 64 hex digits expected")?;
        Ok(Self { id: did.id, network: Some(did.network) })
    }
}

impl fmt::Display for IdText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.network {
            Some(network) => Did { network: network.clone(), id: self.id }.fmt(f),
            None => Digest(self.id).fmt(f),
        }
    }
}

impl From<EntityId> for IdText {
    fn from(id: EntityId) -> Self {
        Self { id: id.0, network: None }
    }
}

impl From<ThingId> for IdText {
    fn from(id: ThingId) -> Self {
        Self { id: id.0, network: None }
    }
}

impl From<Did> for IdText {
    fn from(did: Did) -> Self {
        Self { id: did.id, network: Some(did.network) }
    }
}

impl Serialize for IdText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IdText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A time in answers: `{"ms": 1386018900000, "utc": "2013-12-02T21:15:00.000Z"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(
    /// Milliseconds since 1970.
    pub i64,
);

impl From<u64> for Time {
    fn from(ms: u64) -> Self {
        Self(i64::try_from(ms).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&time::to_rfc3339(self.0))
    }
}

#[derive(Serialize, Deserialize)]
struct TimeForm<T> {
    ms: i64,
    utc: T,
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TimeForm { ms: self.0, utc: time::to_rfc3339(self.0) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The text is for people; the number is the time.
        TimeForm::<serde::de::IgnoredAny>::deserialize(deserializer).map(|form| Self(form.ms))
    }
}

/// A time in requests: milliseconds since 1970, or RFC 3339 with an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct When(
    /// Milliseconds since 1970.
    pub i64,
);

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().or_else(|| time::from_rfc3339(text)).map(Self).ok_or(
            "milliseconds since 1970 or an RFC 3339 time such as 2013-12-02T21:15:00Z expected",
        )
    }
}

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{
            ObjectBuilder, RefOr,
            schema::{Schema, Type},
        },
    };

    use super::{DidText, Hex, IdText, Time, When};

    fn text(description: &str, pattern: Option<&str>, example: &str) -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(description))
            .pattern(pattern)
            .examples([example])
            .into()
    }

    impl<T> PartialSchema for Hex<T> {
        fn schema() -> RefOr<Schema> {
            let example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
            text("32 bytes in hex", Some("^[0-9a-f]{64}$"), example)
        }
    }

    impl<T> ToSchema for Hex<T> {
        fn name() -> Cow<'static, str> {
            Cow::Borrowed("Hex")
        }
    }

    impl PartialSchema for DidText {
        fn schema() -> RefOr<Schema> {
            text(
                "W3C Decentralized Identifier of an entity or thing",
                Some("^did:althing:[a-z0-9-]{1,32}:[1-9A-HJ-NP-Za-km-z]{32,44}$"),
                "did:althing:demo:US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx",
            )
        }
    }

    impl ToSchema for DidText {
        fn name() -> Cow<'static, str> {
            Cow::Borrowed("Did")
        }
    }

    impl PartialSchema for IdText {
        fn schema() -> RefOr<Schema> {
            text(
                "A DID, or 32 bytes in hex",
                None,
                "did:althing:demo:US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx",
            )
        }
    }

    impl ToSchema for IdText {
        fn name() -> Cow<'static, str> {
            Cow::Borrowed("Id")
        }
    }

    impl PartialSchema for Time {
        fn schema() -> RefOr<Schema> {
            ObjectBuilder::new()
                .description(Some("A time: milliseconds since 1970 (UTC), and RFC 3339"))
                .property("ms", ObjectBuilder::new().schema_type(Type::Integer))
                .required("ms")
                .property("utc", ObjectBuilder::new().schema_type(Type::String))
                .required("utc")
                .into()
        }
    }

    impl ToSchema for Time {
        fn name() -> Cow<'static, str> {
            Cow::Borrowed("Time")
        }
    }

    impl PartialSchema for When {
        fn schema() -> RefOr<Schema> {
            text(
                "Milliseconds since 1970, or RFC 3339 with an offset",
                None,
                "2013-12-02T21:15:00Z",
            )
        }
    }

    impl ToSchema for When {
        fn name() -> Cow<'static, str> {
            Cow::Borrowed("When")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_both_forms_and_read_in_either() {
        let json = serde_json::to_string(&Time(1_386_018_900_000)).unwrap();
        assert_eq!(json, r#"{"ms":1386018900000,"utc":"2013-12-02T21:15:00.000Z"}"#);
        assert_eq!(serde_json::from_str::<Time>(&json).unwrap(), Time(1_386_018_900_000));
        for text in ["1386018900000", "2013-12-02T21:15:00Z"] {
            assert_eq!(text.parse(), Ok(When(1_386_018_900_000)));
        }
        assert!("noon".parse::<When>().is_err());
    }
}
