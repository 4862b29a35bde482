use althing_client::model::{Cursor, Event, EventRecord, Hex};
use althing_peer::query::{EventAt, EventPlace};
use althing_types::{self as types, EntityId, Refusal, StreamId, ThingId};

use crate::service::Service;

pub(crate) const fn cursor(place: EventPlace) -> Cursor {
    Cursor { height: place.height, index: place.position, event: place.event }
}

pub(crate) const fn place(cursor: Cursor) -> EventPlace {
    EventPlace { height: cursor.height, position: cursor.index, event: cursor.event }
}

impl Service {
    pub(crate) fn event_record(&self, at: &EventAt) -> EventRecord {
        EventRecord {
            cursor: cursor(at.place),
            height: at.place.height,
            time: at.time_ms.into(),
            transaction: Hex(at.transaction),
            event: self.event(&at.event),
        }
    }

    pub(crate) fn event(&self, event: &types::Event) -> Event {
        match event {
            types::Event::EntityRegistered { entity, owner } => {
                Event::EntityRegistered { entity: self.did(entity), owner: self.did(owner) }
            }
            types::Event::KeyRotated { entity, version } => {
                Event::KeyRotated { entity: self.did(entity), version: *version }
            }
            types::Event::EntityRevoked { entity } => {
                Event::EntityRevoked { entity: self.did(entity) }
            }
            types::Event::ThingRegistered { thing, owner } => {
                Event::ThingRegistered { thing: self.thing_did(thing), owner: self.did(owner) }
            }
            types::Event::ThingUpdated { thing, version } => {
                Event::ThingUpdated { thing: self.thing_did(thing), version: *version }
            }
            types::Event::ThingRetired { thing } => {
                Event::ThingRetired { thing: self.thing_did(thing) }
            }
            types::Event::Bound { thing, gateway, until_height } => Event::Bound {
                thing: self.thing_did(thing),
                gateway: self.did(gateway),
                until_height: *until_height,
            },
            types::Event::Unbound { thing, gateway } => {
                Event::Unbound { thing: self.thing_did(thing), gateway: self.did(gateway) }
            }
            types::Event::BatchAccepted { thing, stream, leaf, first_seq, count } => {
                Event::BatchAccepted {
                    thing: self.thing_did(thing),
                    stream: Hex(*stream),
                    leaf: *leaf,
                    first_seq: *first_seq,
                    count: *count,
                }
            }
            types::Event::GapOpened { stream, first_seq, count } => {
                Event::GapOpened { stream: Hex(*stream), first_seq: *first_seq, count: *count }
            }
            types::Event::GapFilled { stream, first_seq, count } => {
                Event::GapFilled { stream: Hex(*stream), first_seq: *first_seq, count: *count }
            }
            types::Event::GapSealed { stream, first_seq, count } => {
                Event::GapSealed { stream: Hex(*stream), first_seq: *first_seq, count: *count }
            }
            types::Event::Recorded { sender, kind, notify, link } => Event::Recorded {
                sender: self.did(sender),
                kind: kind.clone(),
                notify: notify.iter().map(|entity| self.did(entity)).collect(),
                link: link.map(Hex),
            },
            types::Event::ApprovalPolicySet { entity } => {
                Event::ApprovalPolicySet { entity: self.did(entity) }
            }
            types::Event::ApprovalPending { pending, approvals, threshold } => {
                Event::ApprovalPending {
                    pending: Hex(*pending),
                    approvals: *approvals,
                    threshold: *threshold,
                }
            }
            types::Event::ApprovalGranted { pending } => {
                Event::ApprovalGranted { pending: Hex(*pending) }
            }
            types::Event::ApprovalEnded { pending, code } => Event::ApprovalEnded {
                pending: Hex(*pending),
                code: Refusal::from_number(*code).map_or("unknown", Refusal::code).to_owned(),
            },
        }
    }
}

/// What an event is about, for those who want only some.
#[derive(Debug, Default)]
pub(crate) struct About {
    /// Actors, owners and those notified.
    pub(crate) entities: Vec<EntityId>,
    pub(crate) thing: Option<ThingId>,
    pub(crate) stream: Option<StreamId>,
}

impl About {
    pub(crate) fn of(event: &types::Event) -> Self {
        use types::Event as E;
        let entities =
            |entities: &[EntityId]| Self { entities: entities.to_vec(), ..Self::default() };
        match event {
            E::EntityRegistered { entity, owner } => entities(&[*entity, *owner]),
            E::KeyRotated { entity, .. }
            | E::EntityRevoked { entity }
            | E::ApprovalPolicySet { entity } => entities(&[*entity]),
            E::ThingRegistered { thing, owner } => {
                Self { thing: Some(*thing), ..entities(&[*owner]) }
            }
            E::ThingUpdated { thing, .. } | E::ThingRetired { thing } => {
                Self { thing: Some(*thing), ..Self::default() }
            }
            E::Bound { thing, gateway, .. } | E::Unbound { thing, gateway } => {
                Self { thing: Some(*thing), ..entities(&[*gateway]) }
            }
            E::BatchAccepted { thing, stream, .. } => {
                Self { thing: Some(*thing), stream: Some(*stream), ..Self::default() }
            }
            E::GapOpened { stream, .. }
            | E::GapFilled { stream, .. }
            | E::GapSealed { stream, .. } => Self { stream: Some(*stream), ..Self::default() },
            E::Recorded { sender, notify, .. } => {
                entities(&[&[*sender], notify.as_slice()].concat())
            }
            E::ApprovalPending { .. } | E::ApprovalGranted { .. } | E::ApprovalEnded { .. } => {
                Self::default()
            }
        }
    }
}
