//! Which events a client wants.

use std::time::Duration;

use althing_client::{
    model::{EVENT_TYPES, query},
    nearest::nearest,
};
use althing_peer::query::EventAt;
use althing_types::{EntityId, Event, ServiceId, StreamId, ThingId, TxId, ValueKind, decimal};

use crate::{
    convert::About,
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    service::Service,
};

/// Which events a client wants.
pub(crate) struct Filter {
    kinds: Vec<String>,
    entity: Option<EntityId>,
    thing: Option<ThingId>,
    pub(super) stream: Option<StreamId>,
    contract: Option<EntityId>,
    service: Option<ServiceId>,
    /// Who speaks for that service now.
    voices: Vec<EntityId>,
    topic: Option<String>,
    thing_type: Option<String>,
    tag: Option<String>,
    /// Of that stream, at its scale.
    above: Option<i64>,
    below: Option<i64>,
}

impl Filter {
    pub(crate) fn new(service: &Service, reader: &Reader, asked: &query::Events) -> Answer<Self> {
        let kinds = asked.kind.as_deref().unwrap_or_default().split(',').filter(|k| !k.is_empty());
        let kinds: Vec<String> = kinds.map(str::to_owned).collect();
        kinds.iter().try_for_each(|kind| is_known(kind))?;
        let (above, below) = thresholds(service, asked)?;
        Ok(Self {
            kinds,
            entity: asked.entity.as_ref().map(|id| service.entity_id(id)).transpose()?,
            thing: asked.thing.as_ref().map(|id| service.thing_id(id)).transpose()?,
            stream: asked.stream.map(|stream| stream.0),
            contract: asked
                .contract
                .as_ref()
                .map(|id| service.contract_id(id).map(|id| id.actor()))
                .transpose()?,
            service: asked.service.map(|service| service.0),
            voices: match &asked.service {
                Some(id) => service.query.service_voices(id, reader.entity)?,
                None => Vec::new(),
            },
            topic: asked.topic.clone(),
            thing_type: asked.thing_type.clone(),
            tag: asked.tag.clone(),
            above,
            below,
        })
    }

    /// A service that is followed may have other voices from a version on.
    pub(super) fn learn(&mut self, service: &Service, reader: &Reader, events: &[EventAt]) {
        let Some(id) = self.service else { return };
        if events.iter().any(|at| About::of(&at.event).service == Some(id)) {
            // If it cannot be read, those that are known still speak.
            if let Ok(voices) = service.query.service_voices(&id, reader.entity) {
                self.voices = voices;
            }
        }
    }

    pub(super) fn admits_kind(&self, name: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == name)
    }

    pub(super) fn admits(&self, event: &Event, about: &About) -> bool {
        let voiced = || speaker(event).is_some_and(|by| self.voices.binary_search(&by).is_ok());
        self.entity.is_none_or(|entity| about.entities.contains(&entity))
            && self.thing.is_none_or(|thing| about.thing == Some(thing))
            && self.stream.is_none_or(|stream| about.stream == Some(stream))
            && self.contract.is_none_or(|contract| about.entities.contains(&contract))
            && self.service.is_none_or(|service| about.service == Some(service) || voiced())
            && self.topic.as_ref().is_none_or(|wanted| topic(event) == Some(wanted))
    }

    /// Whether it wants an event by what the state knows of it. What cannot be read is told: the client
    /// can look for itself.
    pub(super) fn admits_by_state(&self, service: &Service, event: &Event) -> bool {
        if let Some(semantic) = &self.thing_type {
            let of_type = |thing| service.query.is_typed(&thing, semantic).unwrap_or(true);
            if !About::of(event).thing.is_some_and(of_type) {
                return false;
            }
        }
        if let Some(tag) = &self.tag {
            let has = |thing| service.query.tags(&thing).map_or(true, |tags| tags.contains(tag));
            if !About::of(event).thing.is_some_and(has) {
                return false;
            }
        }
        if self.above.is_none() && self.below.is_none() {
            return true;
        }
        let Event::BatchAccepted { stream, leaf, .. } = event else { return false };
        match service.query.extremes(stream, *leaf) {
            // A batch that says nothing of its values is beyond nothing.
            Ok(extremes) => extremes.is_some_and(|(min, max)| self.is_beyond(min, max)),
            Err(_) => true,
        }
    }

    fn is_beyond(&self, min: i64, max: i64) -> bool {
        self.above.is_some_and(|above| max > above) || self.below.is_some_and(|below| min < below)
    }
}

/// A type that no event has would be waited for for ever.
fn is_known(kind: &str) -> Answer<()> {
    if EVENT_TYPES.contains(&kind) {
        return Ok(());
    }
    let near = nearest(kind, EVENT_TYPES.iter().copied());
    let reason = match near {
        Some(near) => format!("no event has the type {kind}; did you mean {near}?"),
        None => format!("no event has the type {kind}"),
    };
    Err(ApiError::from(Failure::InvalidQuery).about("type").because(&reason))
}

/// The bounds of values, at the scale of the stream that they are about.
fn thresholds(service: &Service, asked: &query::Events) -> Answer<(Option<i64>, Option<i64>)> {
    let wrong = |field: &str, reason: &str| {
        ApiError::from(Failure::InvalidQuery).about(field).because(reason)
    };
    let given = [
        ("above", asked.above.is_some()),
        ("below", asked.below.is_some()),
        ("silence_s", asked.silence_s.is_some()),
    ];
    let Some((field, _)) = given.into_iter().find(|(_, given)| *given) else {
        return Ok((None, None));
    };
    let stream = asked.stream.ok_or_else(|| wrong(field, "only together with stream"))?;
    if asked.silence_s.is_some_and(|seconds| !(1..=SILENCE_S_MAX).contains(&seconds)) {
        return Err(wrong("silence_s", &format!("1 to {SILENCE_S_MAX} expected")));
    }
    let schema = service.query.stream_head(&stream.0)?.schema;
    let value = |field: &str, text: &Option<String>| {
        let Some(text) = text else { return Ok(None) };
        if schema.kind != ValueKind::Number {
            return Err(wrong(field, "the values of this stream are no numbers"));
        }
        let value = decimal::parse(text, schema.scale, false);
        value.map(Some).map_err(|error| wrong(field, &error.to_string()))
    };
    Ok((value("above", &asked.above)?, value("below", &asked.below)?))
}

/// Longest silence that can be asked for, seconds: a day.
const SILENCE_S_MAX: u32 = 86_400;

/// A stream that somebody wants to be told of when nothing comes.
#[derive(Debug)]
pub(super) struct Silence {
    pub(super) stream: StreamId,
    pub(super) seconds: u32,
    /// Ledger time of its newest batch, milliseconds since 1970, and the transaction that brought it.
    pub(super) newest: Option<(u64, TxId)>,
    /// Whether it was told since then.
    pub(super) told: bool,
}

impl Silence {
    pub(super) const fn new(stream: StreamId, seconds: u32, newest: Option<(u64, TxId)>) -> Self {
        Self { stream, seconds, newest, told: false }
    }

    /// In what time it is to be told; none if it was, or nothing has ever come.
    pub(super) fn due(&self, now_ms: u64) -> Option<Duration> {
        let (since_ms, _) = self.newest.filter(|_| !self.told)?;
        let due_ms = since_ms.saturating_add(u64::from(self.seconds) * 1_000);
        Some(Duration::from_millis(due_ms.saturating_sub(now_ms)))
    }

    /// Something happened.
    pub(super) fn heard(&mut self, at: &EventAt) {
        if let Event::BatchAccepted { stream, .. } = &at.event
            && *stream == self.stream
            && self.newest.is_none_or(|(since_ms, _)| since_ms <= at.time_ms)
        {
            self.newest = Some((at.time_ms, at.transaction));
            self.told = false;
        }
    }
}

/// Who tells of something by an event.
fn speaker(event: &Event) -> Option<EntityId> {
    match event {
        Event::Recorded { sender, .. } => Some(*sender),
        Event::ContractEmitted { contract, .. }
        | Event::ContractMigrated { contract, .. }
        | Event::ContractFrozen(contract)
        | Event::ContractThawed(contract)
        | Event::ContractTerminated(contract) => Some(contract.actor()),
        _ => None,
    }
}

/// What is told of: the name of a contract's event, the kind of a record.
const fn topic(event: &Event) -> Option<&String> {
    match event {
        Event::ContractEmitted { name, .. } => Some(name),
        Event::Recorded { kind, .. } => Some(kind),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use althing_peer::query::EventPlace;
    use althing_types::EntityId;

    use super::*;

    #[test]
    fn a_type_that_no_event_has_is_refused_and_the_nearest_named() {
        for kind in EVENT_TYPES {
            assert!(is_known(kind).is_ok(), "{kind}");
        }
        for (kind, expected) in [
            ("batch_acepted", "no event has the type batch_acepted; did you mean batch_accepted?"),
            ("nonsense", "no event has the type nonsense"),
        ] {
            let problem = is_known(kind).unwrap_err().problem();
            assert_eq!(problem.field.as_deref(), Some("type"));
            assert!(problem.detail.contains(expected), "{}", problem.detail);
        }
    }

    #[test]
    fn silence_is_told_once_until_something_comes() {
        let stream = StreamId([1; 32]);
        let (tx, ms) = (TxId([2; 32]), Duration::from_millis);
        assert_eq!(Silence::new(stream, 5, None).due(0), None);
        let mut silence = Silence::new(stream, 5, Some((1_000, tx)));
        for (now_ms, expected) in [(1_000, 5_000), (4_000, 2_000), (6_000, 0), (9_000, 0)] {
            assert_eq!(silence.due(now_ms), Some(ms(expected)));
        }
        silence.told = true;
        assert_eq!(silence.due(9_000), None);
        let came = |stream, time_ms| {
            let thing = althing_types::ThingId([3; 32]);
            let event = Event::BatchAccepted { thing, stream, leaf: 0, first_seq: 0, count: 1 };
            let place = EventPlace { height: 1, position: 0, event: 0 };
            EventAt { place, time_ms, transaction: tx, event }
        };
        let other = Event::EntityRevoked { entity: EntityId([4; 32]) };
        silence.heard(&EventAt { event: other, ..came(stream, 9_000) });
        silence.heard(&came(StreamId([9; 32]), 9_000));
        assert_eq!(silence.due(9_000), None);
        silence.heard(&came(stream, 8_000));
        assert_eq!(silence.due(9_000), Some(ms(4_000)));
    }
}
