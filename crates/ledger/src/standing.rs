//! The standing of a thing: to whom it is offered, who is bound to it and within which limits, who
//! speaks for its quarantine. One record, so that what ends with a transfer is found in one place.

use althing_proof::{
    key,
    record::{BindingRecord, ThingRecord},
};
use althing_state::Read;
use althing_types::{
    EntityId, Event, Limit, Offer, Refusal, ThingId, Wire, WireError,
    limits::{
        GATEWAYS_MAX, LIMIT_PROPERTIES_MAX, NAME_BYTES_MAX, QUARANTINE_VOICES_MAX,
        QUARANTINE_VOICES_MIN,
    },
};
use minicbor::{Decode, Encode};

use crate::{
    entity, key as own_key, thing,
    transition::{Actor, Stop, Transition},
};

/// What is true of a thing beside its description.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Standing {
    /// Who is bound to it, oldest binding first; some may have expired.
    #[n(0)]
    pub bound: Vec<Bound>,
    /// Who speaks for its quarantine, first speaker first.
    #[n(1)]
    pub voices: Vec<EntityId>,
    /// To whom it is offered.
    #[n(2)]
    pub offer: Option<Offer>,
}

/// One who is bound.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Bound {
    /// Who.
    #[n(0)]
    pub gateway: EntityId,
    /// What the binding is narrowed to.
    #[n(1)]
    pub limit: Option<Limit>,
}

impl Wire for Standing {
    const BYTES_MAX: usize = GATEWAYS_MAX * (40 + LIMIT_PROPERTIES_MAX * (NAME_BYTES_MAX + 2))
        + QUARANTINE_VOICES_MAX * 34
        + 128;

    fn validate(&self) -> Result<(), WireError> {
        if self.bound.len() <= GATEWAYS_MAX && self.voices.len() <= QUARANTINE_VOICES_MAX {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("standing"))
        }
    }
}

impl Standing {
    /// Whether the thing is shut out.
    #[must_use]
    pub fn is_quarantined(&self, owner: &EntityId) -> bool {
        self.voices.contains(owner) || self.voices.len() >= QUARANTINE_VOICES_MIN
    }

    /// What the binding of a gateway is narrowed to.
    #[must_use]
    pub fn limit_of(&self, gateway: &EntityId) -> Option<&Limit> {
        self.bound.iter().find(|bound| bound.gateway == *gateway)?.limit.as_ref()
    }
}

/// The standing of a thing as it is now.
pub(crate) fn of<R: Read>(state: &Transition<'_, R>, id: &ThingId) -> Result<Standing, Stop> {
    Ok(state.get(&own_key::standing(id))?.unwrap_or_default())
}

pub(crate) fn put<R: Read>(state: &mut Transition<'_, R>, id: &ThingId, standing: &Standing) {
    let key = own_key::standing(id);
    // What says nothing takes no room.
    if *standing == Standing::default() {
        state.remove(key);
    } else {
        state.put(key, standing);
    }
}

/// Remembers that a gateway is bound; a limit it has stays.
pub(crate) fn bound<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ThingId,
    gateway: &EntityId,
) -> Result<(), Stop> {
    let mut standing = of(state, id)?;
    if standing.bound.iter().any(|bound| bound.gateway == *gateway) {
        return Ok(());
    }
    if standing.bound.len() >= GATEWAYS_MAX {
        standing.bound = still_bound(state, id, standing.bound)?;
    }
    if standing.bound.len() >= GATEWAYS_MAX {
        return Err(Refusal::TooManyGateways.into());
    }
    standing.bound.push(Bound { gateway: *gateway, limit: None });
    put(state, id, &standing);
    Ok(())
}

fn still_bound<R: Read>(
    state: &Transition<'_, R>,
    id: &ThingId,
    bound: Vec<Bound>,
) -> Result<Vec<Bound>, Stop> {
    let mut still = Vec::with_capacity(bound.len());
    for bound in bound {
        let record: Option<BindingRecord> = state.get(&key::binding(id, &bound.gateway))?;
        if record.is_some_and(|record| record.holds_at(state.now.height)) {
            still.push(bound);
        }
    }
    Ok(still)
}

/// Forgets that a gateway was bound, and its limit.
pub(crate) fn unbound<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ThingId,
    gateway: &EntityId,
) -> Result<(), Stop> {
    let mut standing = of(state, id)?;
    standing.bound.retain(|bound| bound.gateway != *gateway);
    put(state, id, &standing);
    Ok(())
}

/// Narrows a binding, or lifts its limit; by the thing's owner.
pub(crate) fn limit<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ThingId,
    gateway: &EntityId,
    limit: Option<&Limit>,
) -> Result<(), Stop> {
    thing::owned(state, actor, id)?;
    let mut standing = of(state, id)?;
    let found = standing.bound.iter_mut().find(|bound| bound.gateway == *gateway);
    found.ok_or(Refusal::NotBound)?.limit = limit.cloned();
    put(state, id, &standing);
    state.emit(Event::BindingLimited { thing: *id, gateway: *gateway, limited: limit.is_some() });
    Ok(())
}

/// Whether a thing takes part at all: one in quarantine submits nothing and is told nothing.
pub(crate) fn not_quarantined(standing: &Standing, thing: &ThingRecord) -> Result<(), Refusal> {
    if standing.is_quarantined(&thing.owner) { Err(Refusal::Quarantined) } else { Ok(()) }
}

/// Speaks for the quarantine of a thing, or takes the sender's voice back.
pub(crate) fn quarantine<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ThingId,
    speaks: bool,
) -> Result<(), Stop> {
    // Also of a retired thing: its device may still be out there.
    let thing: ThingRecord = state.get(&key::thing(id))?.ok_or(Refusal::UnknownThing)?;
    entity::active(state, &actor.id)?;
    // Where anybody may register organisations, three of one's own would shut out whatever one likes: only
    // those that the others let in, or that have a seat, speak here.
    let is_member = state.members()?.0.binary_search(&actor.id).is_ok();
    if actor.id != thing.owner && !is_member {
        return Err(Refusal::NotPermitted.into());
    }
    let mut standing = of(state, id)?;
    standing.voices.retain(|voice| *voice != actor.id);
    if speaks {
        if standing.voices.len() >= QUARANTINE_VOICES_MAX {
            return Err(Refusal::TooManyGateways.into());
        }
        standing.voices.push(actor.id);
    }
    put(state, id, &standing);
    let quarantined = standing.is_quarantined(&thing.owner);
    state.emit(Event::QuarantineChanged { thing: *id, by: actor.id, quarantined });
    Ok(())
}

#[cfg(test)]
mod tests;
