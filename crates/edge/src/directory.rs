use std::collections::BTreeMap;

use althing_types::{StreamId, StreamSchema};

/// A thing that the gateway serves, as its owner registered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThingSpec {
    /// The name that topics and SenML names use.
    pub name: String,
    /// Its properties that are streams.
    pub streams: Vec<StreamSpec>,
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

/// The things that the gateway serves, by name.
#[derive(Debug, Default)]
pub struct Directory {
    things: BTreeMap<String, BTreeMap<String, StreamSpec>>,
    names: BTreeMap<StreamId, (String, String)>,
}

impl Directory {
    /// Adds a thing, or replaces its streams.
    pub fn insert(&mut self, thing: ThingSpec) {
        let streams = thing.streams.into_iter().map(|stream| (stream.property.clone(), stream));
        let streams: BTreeMap<_, _> = streams.collect();
        self.names.retain(|_, (name, _)| *name != thing.name);
        for stream in streams.values() {
            self.names.insert(stream.id, (thing.name.clone(), stream.property.clone()));
        }
        self.things.insert(thing.name, streams);
    }

    /// The streams of a thing by property.
    #[must_use]
    pub fn thing(&self, name: &str) -> Option<&BTreeMap<String, StreamSpec>> {
        self.things.get(name)
    }

    /// Names of thing and property of a stream.
    #[must_use]
    pub fn names(&self, stream: &StreamId) -> Option<(&str, &str)> {
        self.names.get(stream).map(|(thing, property)| (thing.as_str(), property.as_str()))
    }

    /// All streams, in order.
    pub fn streams(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.names.keys().copied()
    }
}
