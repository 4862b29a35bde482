use std::collections::{BTreeMap, BTreeSet};

use althing_types::{EntityId, PublicKey, StreamId, StreamSchema, ThingId};

/// A thing that the gateway serves, as its owner registered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThingSpec {
    /// Its id.
    pub id: ThingId,
    /// The name that topics and SenML names use. Owners choose it, so things of two owners may
    /// have the same.
    pub name: String,
    /// Its owner.
    pub owner: EntityId,
    /// The last height at which the gateway may submit for it; none if it may for ever.
    pub until_height: Option<u64>,
    /// Its properties that are streams.
    pub streams: Vec<StreamSpec>,
    /// The device that must sign its readings; none if the gateway's word is enough.
    pub device: Option<DeviceSpec>,
    /// Whether its owner would rather lose the oldest readings than have new ones refused when the
    /// queue is full. What is lost is a gap on the ledger.
    pub may_lose: bool,
    /// Whether the ledger shuts it out: it is said not to be itself, and gets and gives nothing.
    pub is_shut_out: bool,
}

/// A device that signs its readings itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSpec {
    /// Its entity.
    pub id: EntityId,
    /// Its present key; none if no device is bound to the thing, or it was revoked: nothing counts
    /// then.
    pub key: Option<PublicKey>,
}

/// A stream that the gateway may extend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamSpec {
    /// Name of the property.
    pub property: String,
    /// Its stream.
    pub id: StreamId,
    /// Form of its values.
    pub schema: StreamSchema,
}

/// Most things of one gateway.
pub const THINGS_MAX: usize = 16_384;
/// Most streams of one gateway.
pub const STREAMS_MAX: usize = 65_536;

/// Why a thing is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unserved {
    /// Topics name things by name alone, and the first that has it keeps it: otherwise whoever
    /// registers a thing of the same name would get the readings of another's sensor.
    #[error(
        "thing {by} of the same name is served already; have one of the two unbound, or register it under another name"
    )]
    NameTaken {
        /// The thing that has the name.
        by: ThingId,
    },
    /// The gateway serves as many as it can.
    #[error(
        "a gateway serves at most {THINGS_MAX} things with {STREAMS_MAX} streams; bind it to another gateway"
    )]
    Full,
}

/// The things that the gateway serves.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    things: BTreeMap<ThingId, Served>,
    names: BTreeMap<String, ThingId>,
    /// Names of thing and property of every stream there was, for messages about readings that
    /// still wait when their thing is served no more.
    streams: BTreeMap<StreamId, (String, String)>,
}

/// A thing by its properties.
#[derive(Debug)]
pub(crate) struct Served {
    name: String,
    owner: EntityId,
    pub(crate) until_height: Option<u64>,
    pub(crate) streams: BTreeMap<String, StreamSpec>,
    pub(crate) device: Option<DeviceSpec>,
    pub(crate) may_lose: bool,
    pub(crate) is_shut_out: bool,
}

impl Directory {
    /// Adds a thing, or replaces what was known of it.
    pub(crate) fn insert(&mut self, thing: ThingSpec) -> Result<(), Unserved> {
        if let Some(by) = self.names.get(&thing.name).filter(|by| **by != thing.id) {
            return Err(Unserved::NameTaken { by: *by });
        }
        let is_new = |stream: &&StreamSpec| !self.streams.contains_key(&stream.id);
        let streams = self.streams.len() + thing.streams.iter().filter(is_new).count();
        let things = self.things.len() + usize::from(!self.things.contains_key(&thing.id));
        if things > THINGS_MAX || streams > STREAMS_MAX {
            return Err(Unserved::Full);
        }
        self.remove(&thing.id);
        let ThingSpec { id, name, owner, until_height, streams, device, may_lose, is_shut_out } =
            thing;
        for stream in &streams {
            self.streams.insert(stream.id, (name.clone(), stream.property.clone()));
        }
        let streams = streams.into_iter().map(|stream| (stream.property.clone(), stream)).collect();
        self.names.insert(name.clone(), id);
        let served = Served { name, owner, until_height, streams, device, may_lose, is_shut_out };
        self.things.insert(id, served);
        Ok(())
    }

    /// Serves a thing no more.
    pub(crate) fn remove(&mut self, thing: &ThingId) {
        if let Some(served) = self.things.remove(thing) {
            self.names.remove(&served.name);
        }
    }

    /// Serves no more what is not among these.
    pub(crate) fn retain(&mut self, things: &BTreeSet<ThingId>) {
        self.things.retain(|id, _| things.contains(id));
        self.names.retain(|_, id| things.contains(id));
    }

    /// The thing of a name.
    pub(crate) fn thing(&self, name: &str) -> Option<&Served> {
        self.things.get(self.names.get(name)?)
    }

    /// Names of thing and property of a stream.
    pub(crate) fn names(&self, stream: &StreamId) -> Option<(&str, &str)> {
        self.streams.get(stream).map(|(thing, property)| (thing.as_str(), property.as_str()))
    }

    /// What is served, ascending by id.
    pub(crate) fn specs(&self) -> impl Iterator<Item = ThingSpec> + '_ {
        self.things.iter().map(|(id, served)| ThingSpec {
            id: *id,
            name: served.name.clone(),
            owner: served.owner,
            until_height: served.until_height,
            streams: served.streams.values().cloned().collect(),
            device: served.device.clone(),
            may_lose: served.may_lose,
            is_shut_out: served.is_shut_out,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use althing_types::ValueKind;

    fn thing(id: u8, name: &str, streams: &[u8]) -> ThingSpec {
        let stream = |stream: &u8| StreamSpec {
            property: format!("p{stream}"),
            id: StreamId([*stream; 32]),
            schema: StreamSchema {
                kind: ValueKind::Number,
                scale: 0,
                quantum: 1,
                unit: String::new(),
                minimum: None,
                maximum: None,
            },
        };
        ThingSpec {
            id: ThingId([id; 32]),
            name: name.into(),
            owner: EntityId([id; 32]),
            until_height: None,
            streams: streams.iter().map(stream).collect(),
            device: None,
            may_lose: false,
            is_shut_out: false,
        }
    }

    #[test]
    fn the_first_thing_of_a_name_keeps_it_until_it_is_served_no_more() {
        let mut directory = Directory::default();
        let (ours, theirs) = (thing(1, "press", &[1]), thing(2, "press", &[2]));
        directory.insert(ours.clone()).unwrap();
        let taken = Err(Unserved::NameTaken { by: ThingId([1; 32]) });
        assert_eq!(directory.insert(theirs.clone()), taken);
        assert_eq!(directory.thing("press").unwrap().streams["p1"].id, StreamId([1; 32]));
        assert_eq!(directory.names(&StreamId([2; 32])), None);

        let more = thing(1, "press", &[1, 3]);
        assert_eq!(directory.insert(more.clone()), Ok(()), "its own change");
        assert_eq!(directory.specs().collect::<Vec<_>>(), [more]);
        directory.retain(&BTreeSet::from([ThingId([2; 32])]));
        assert!(directory.thing("press").is_none());
        assert_eq!(directory.insert(theirs), Ok(()));
        assert_eq!(directory.names(&StreamId([1; 32])), Some(("press", "p1")), "may still wait");
    }

    #[test]
    fn more_things_or_streams_than_a_gateway_serves_are_refused() {
        let mut directory = Directory::default();
        let numbered = |number: usize| {
            let mut spec = thing(0, &format!("thing-{number}"), &[]);
            spec.id.0[..8].copy_from_slice(&(number as u64).to_be_bytes());
            spec
        };
        for number in 0..THINGS_MAX {
            directory.insert(numbered(number)).unwrap();
        }
        assert_eq!(directory.insert(numbered(THINGS_MAX)), Err(Unserved::Full));
        assert_eq!(directory.insert(numbered(3)), Ok(()), "known");
    }
}
