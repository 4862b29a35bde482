//! Parameters of requests, as their query strings. An unknown one is refused.

use serde::{Deserialize, Serialize};

use althing_types::{EntityId, Resource, Right, ThingId};

use super::{CodeHex, Cursor, IdText, ServiceHex, StreamHex, When};

/// A part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct List {
    /// Go on after this item: `next` of the page before.
    pub after: Option<String>,
    /// At most so many items.
    pub limit: Option<u32>,
}

/// Which links to other ledgers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Links {
    /// Of this organisation.
    pub owner: Option<IdText>,
    /// Go on after this item: `next` of the page before.
    pub after: Option<String>,
    /// At most so many items.
    pub limit: Option<u32>,
}

/// Which calls across ledgers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Calls {
    /// Only those that wait for an answer.
    pub open: Option<bool>,
    /// Go on after this item: `next` of the page before.
    pub after: Option<String>,
    /// At most so many items.
    pub limit: Option<u32>,
}

/// Which batches of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct HoldersOf {
    /// Only batches that begin at this number or below; the newest come first.
    pub last_seq: Option<u64>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// Which blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Blocks {
    /// Only blocks below this height; the newest come first.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// Which entities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Entities {
    /// Of this kind.
    pub kind: Option<String>,
    /// Owned by this entity.
    pub owner: Option<IdText>,
    /// Whose name contains this text, whatever the case.
    pub name: Option<String>,
    /// Go on after this item: `next` of the page before.
    pub after: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// Which things.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Things {
    /// Owned by this entity.
    pub owner: Option<IdText>,
    /// Whose name contains this text, whatever the case.
    pub name: Option<String>,
    /// Whose description has this `@type`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// That have this tag.
    pub tag: Option<String>,
    /// That have this property.
    pub property: Option<String>,
    /// That said they are, or are not, online.
    pub online: Option<bool>,
    /// That said they are within so many degrees of a point: latitude, longitude and distance, such as
    /// `48.1,11.5,0.2`. A degree of longitude counts as one of latitude.
    pub near: Option<String>,
    /// That said they are in this box: south, west, north and east in degrees, such as
    /// `48.0,11.3,48.3,11.8`.
    pub within: Option<String>,
    /// Go on after this item: `next` of the page before.
    pub after: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// Which commands of a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Commands {
    /// Only those that are neither done nor over.
    pub open: bool,
    /// Go on after this item: `next` of the page before.
    pub after: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// Which contracts; one of the fields at most leads, the others filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Contracts {
    /// With exactly this name.
    pub name: Option<String>,
    /// Whose code serves this interface.
    pub interface: Option<String>,
    /// That run this code.
    pub code: Option<CodeHex>,
    /// That wait for this participant to decide.
    pub awaiting: Option<IdText>,
    /// Go on after this item: `next` of the page before.
    pub after: Option<String>,
    /// At most so many items.
    pub limit: Option<u32>,
}

/// Which services.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// With this text in name, description, tags or interfaces, large and small letters alike.
    pub text: Option<String>,
    /// With exactly this name.
    pub name: Option<String>,
    /// That serve this interface.
    pub interface: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Of this provider.
    pub provider: Option<IdText>,
    /// That this contract is, or charges and records for.
    pub contract: Option<IdText>,
    /// `contract` or `outside`.
    pub kind: Option<String>,
    /// Go on after this item: `next` of the page before.
    pub after: Option<String>,
    /// At most so many items.
    pub limit: Option<u32>,
}

/// Which triggers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Triggers {
    /// With exactly this name.
    pub name: Option<String>,
    /// Of this owner.
    pub owner: Option<IdText>,
    /// Go on after this item: `next` of the page before.
    pub after: Option<String>,
    /// At most so many items.
    pub limit: Option<u32>,
}

/// How a trigger is tried out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct TriggerTrial {
    /// Whose it would be.
    #[cfg_attr(feature = "schema", param(required = true))]
    pub owner: Option<IdText>,
    /// Ledger time from which recorded readings are looked at; from the first if absent.
    pub from: Option<When>,
    /// Ledger time up to which they are; up to now if absent.
    pub until: Option<When>,
}

/// What a contract is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct ContractQuestion {
    /// The message, JSON.
    pub message: String,
}

/// Which version of a description.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Description {
    /// The version; the present one if absent.
    pub version: Option<u32>,
}

/// Which readings: all bounds that are given apply together, and are inclusive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Readings {
    /// First sequence number.
    pub first_seq: Option<u64>,
    /// Last sequence number.
    pub last_seq: Option<u64>,
    /// Earliest claimed time.
    pub from: Option<When>,
    /// Latest claimed time.
    pub until: Option<When>,
    /// Go on after this reading: `next` of the page before.
    pub after: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// How many of the latest readings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Latest {
    /// So many, newest last; 1 if absent.
    pub limit: Option<u32>,
}

/// Which buckets of claimed time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Aggregates {
    /// Earliest claimed time; the stream's earliest if absent.
    pub from: Option<When>,
    /// Latest claimed time; the stream's latest if absent.
    pub until: Option<When>,
    /// Length of a bucket, milliseconds. Buckets begin at multiples of it since 1970.
    pub bucket_ms: Option<u64>,
    /// Instead of `bucket_ms`: the shortest round length that gives at most so many buckets.
    pub buckets: Option<u32>,
}

/// Which property of the things that have a tag, and of which time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct Tagged {
    /// The property.
    pub property: String,
    /// Earliest claimed time of what is summed up; each stream's earliest if absent.
    pub from: Option<When>,
    /// Latest claimed time of that; each stream's latest if absent.
    pub until: Option<When>,
    /// Go on after this thing: `next` of the page before.
    pub after: Option<String>,
    /// At most so many things.
    pub limit: Option<u32>,
}

/// A range of sequence numbers to be proved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Range {
    /// First sequence number; the stream's first if absent.
    pub first_seq: Option<u64>,
    /// Last sequence number; the stream's last if absent.
    pub last_seq: Option<u64>,
    /// Instead of sequence numbers: earliest claimed time.
    pub from: Option<When>,
    /// Instead of sequence numbers: latest claimed time.
    pub until: Option<When>,
}

/// Whether to wait for a transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Wait {
    /// `finalized` to answer when it is, with its receipt.
    pub wait: Option<WaitFor>,
    /// How long to wait at most, milliseconds.
    pub timeout_ms: Option<u64>,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// Until it is in a final block and executed here.
    Finalized,
}

/// Which events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Events {
    /// Begin behind this event; at the present if absent. The header `Last-Event-ID` comes first.
    pub after: Option<Cursor>,
    /// Only events of these types, separated by commas.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Only events about this entity, as actor, owner or notified.
    pub entity: Option<IdText>,
    /// Only events about this thing.
    pub thing: Option<IdText>,
    /// Only events about this stream.
    pub stream: Option<StreamHex>,
    /// Only events about this contract.
    pub contract: Option<IdText>,
    /// Only what this service publishes: events of its contracts, records that it writes, and what
    /// becomes of its versions.
    pub service: Option<ServiceHex>,
    /// Only contracts' events of this name and records of this kind.
    pub topic: Option<String>,
    /// Only events about things whose description has this `@type`.
    pub thing_type: Option<String>,
    /// Only events about things that have this tag.
    pub tag: Option<String>,
    /// Only batches of `stream` with a value above this, or below `below`.
    pub above: Option<String>,
    /// Only batches of `stream` with a value below this, or above `above`.
    pub below: Option<String>,
    /// Tells by `stream_silent` when nothing came in `stream` for so many seconds, once each time.
    pub silence_s: Option<u32>,
}

/// Which requests and grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct Grants {
    /// Those that this entity has a part in.
    pub entity: IdText,
    /// Only those that stand so, such as `asked` or `in_force`.
    #[serde(default)]
    pub status: Option<String>,
    /// Go on after this item: `next` of the page before.
    #[serde(default)]
    pub after: Option<String>,
    /// At most so many are looked at.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// What became of access to whose things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// The owner.
    pub owner: IdText,
    /// Go on after this item: `next` of the page before.
    #[serde(default)]
    pub after: Option<String>,
    /// At most so many items.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Which decision. Exactly one of `everything`, `service`, `contract` and `thing`; the last with
/// `property` or `action`, or neither.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::IntoParams))]
#[cfg_attr(feature = "schema", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Explain {
    /// About whom; nobody in particular if absent.
    pub entity: Option<IdText>,
    /// To do what, such as `read`.
    pub right: String,
    /// What for.
    pub purpose: Option<String>,
    /// With all things of this owner.
    pub everything: Option<IdText>,
    /// With this thing.
    pub thing: Option<IdText>,
    /// With this property of it.
    pub property: Option<String>,
    /// With this action of it.
    pub action: Option<String>,
    /// With this service.
    pub service: Option<IdText>,
    /// With this contract.
    pub contract: Option<IdText>,
}

impl Explain {
    /// The question about an entity, a right and a resource.
    #[must_use]
    pub fn new(
        entity: Option<EntityId>,
        right: Right,
        purpose: Option<String>,
        resource: &Resource,
    ) -> Self {
        let id = |id: [u8; 32]| Some(IdText { id, network: None });
        let about = Self {
            entity: entity.and_then(|e| id(e.0)),
            right: right.name().into(),
            purpose,
            ..Self::default()
        };
        match resource.clone() {
            Resource::Everything(owner) => Self { everything: id(owner.0), ..about },
            Resource::Thing(thing) => Self { thing: id(thing.0), ..about },
            Resource::Property { thing, name } => {
                Self { thing: id(thing.0), property: Some(name), ..about }
            }
            Resource::ThingAction { thing, name } => {
                Self { thing: id(thing.0), action: Some(name), ..about }
            }
            Resource::Service(service) => Self { service: id(service.0), ..about },
            Resource::Contract(contract) => Self { contract: id(contract), ..about },
        }
    }

    /// The right it is about.
    #[must_use]
    pub fn right(&self) -> Option<Right> {
        Right::from_name(&self.right)
    }

    /// The resource it is about.
    ///
    /// # Errors
    /// The field that is missing, too many, or out of bounds.
    pub fn resource(&self) -> Result<Resource, &'static str> {
        let resource = match (&self.thing, &self.everything, &self.service, &self.contract) {
            (Some(thing), None, None, None) => self.of_thing(ThingId(thing.id))?,
            (None, Some(owner), None, None) => Resource::Everything(EntityId(owner.id)),
            (None, None, Some(service), None) => Resource::Service(EntityId(service.id)),
            (None, None, None, Some(contract)) => Resource::Contract(contract.id),
            _ => return Err("thing"),
        };
        let part = self.property.is_some() || self.action.is_some();
        if part && self.thing.is_none() {
            return Err("thing");
        }
        if resource.is_within_bounds() { Ok(resource) } else { Err("property") }
    }

    fn of_thing(&self, thing: ThingId) -> Result<Resource, &'static str> {
        match (self.property.clone(), self.action.clone()) {
            (None, None) => Ok(Resource::Thing(thing)),
            (Some(name), None) => Ok(Resource::Property { thing, name }),
            (None, Some(name)) => Ok(Resource::ThingAction { thing, name }),
            (Some(_), Some(_)) => Err("action"),
        }
    }
}
