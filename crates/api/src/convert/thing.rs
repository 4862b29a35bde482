use althing_client::model::{Binding, DidText, Hex, LatestReading, Property, Thing, ThingTags};
use althing_peer::query::{QueryError, ThingState};
use althing_proof::stream::StreamHead;
use althing_types::{self as types, StreamId};
use serde::Deserialize;

use super::{onboarding, stream::kind_text};
use crate::{problem::Answer, service::Service};

/// What the interface repeats of a description.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Described {
    title: Option<String>,
    /// `lose-oldest`: what a gateway does when its queue is full.
    #[serde(rename = "althing:whenFull")]
    when_full: Option<String>,
}

/// Whether to read the latest value of each property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Latest {
    With,
    Without,
}

impl Service {
    pub(crate) fn thing(&self, state: &ThingState, latest: Latest) -> Answer<Thing> {
        let record = &state.record;
        let names = state.outline.properties.iter();
        let described = self.described(state)?;
        Ok(Thing {
            device: record.device.as_ref().map(|device| self.did(device)),
            needs_device_signature: record.signing.is_some(),
            may_lose_oldest: described.when_full.as_deref() == Some("lose-oldest"),
            id: self.thing_did(&state.id),
            hex: Hex(state.id),
            name: record.name.clone(),
            owner: self.did(&record.owner),
            title: described.title.unwrap_or_default(),
            types: state.outline.types.clone(),
            version: record.version,
            description_digest: Hex(record.description_digest),
            active: record.retired.is_none(),
            properties: names
                .map(|name| self.property(&StreamId::derive(&state.id, name), latest))
                .collect::<Answer<_>>()?,
            bindings: state
                .bindings
                .iter()
                .map(|(gateway, binding)| Binding {
                    gateway: self.did(gateway),
                    until_height: binding.until_height,
                    limit: state.standing.limit_of(gateway).map(onboarding::limit),
                })
                .collect(),
            status: state.status.as_ref().map(|status| self.thing_status(status)),
            offer: state.standing.offer.as_ref().map(|offer| self.offer(offer)),
            quarantined: state.standing.is_quarantined(&record.owner),
            actions: state.interface.actions.clone(),
            tags: state.tags.clone(),
        })
    }

    /// The tags of a thing, as they were said.
    pub(super) fn tagged(&self, said: &types::ThingTags) -> ThingTags {
        ThingTags { thing: self.thing_did(&said.thing), tags: said.tags.clone() }
    }

    fn described(&self, state: &ThingState) -> Answer<Described> {
        let (_, text) = self.query.description(&state.id, None)?;
        // The ledger took it as a Thing Description, which has a title; what it leaves open may be
        // anything.
        Ok(serde_json::from_slice(&text).unwrap_or_default())
    }

    pub(crate) fn property(&self, stream: &StreamId, latest: Latest) -> Answer<Property> {
        let head = self.query.stream_head(stream)?;
        let latest = match latest {
            Latest::With => self.latest_reading(stream, &head)?,
            Latest::Without => None,
        };
        Ok(Property {
            stream: Hex(*stream),
            kind: kind_text(head.schema.kind).to_owned(),
            unit: head.schema.unit,
            name: head.property,
            latest,
        })
    }

    fn latest_reading(
        &self,
        stream: &StreamId,
        head: &StreamHead,
    ) -> Result<Option<LatestReading>, QueryError> {
        let page = self.query.latest_of(stream, head, 1)?;
        Ok(page.readings.last().map(|at| LatestReading {
            unit: head.schema.unit.clone(),
            reading: super::stream::reading(at, &head.schema),
            transaction: Hex(at.transaction),
        }))
    }

    pub(crate) fn thing_of(&self, head: &StreamHead) -> DidText {
        self.thing_did(&head.thing)
    }
}
