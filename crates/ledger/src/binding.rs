//! Bindings: an owner lets a gateway or device submit for a thing, until a height.

use althing_proof::{
    key,
    record::{BindingRecord, ThingRecord},
};
use althing_state::Read;
use althing_types::{EntityId, EntityKind, Event, Refusal, ThingId};

use crate::{
    entity, index, standing, thing,
    transition::{Actor, Stop, Transition},
};

/// Binds an entity to a thing, or moves the last height of its binding.
pub(crate) fn bind<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ThingId,
    gateway: &EntityId,
    until_height: u64,
) -> Result<(), Stop> {
    let mut thing = thing::owned(state, actor, id)?;
    let kind = entity::active(state, gateway)?.inception.kind;
    let height = state.now.height;
    if until_height < height {
        return Err(Refusal::BindingExpired.into());
    }
    standing::bound(state, id, gateway)?;
    let key = key::binding(id, gateway);
    // Bound without interruption, so that what was submitted so far stays provable.
    let bound_height = match state.get::<BindingRecord>(&key)? {
        Some(before) if before.holds_at(height) => before.bound_height,
        _ => height,
    };
    state.put(key, &BindingRecord { until_height, bound_height });
    if kind == EntityKind::Device && thing.device != Some(*gateway) {
        (thing.device, thing.device_height) = (Some(*gateway), Some(height));
        state.put(key::thing(id), &thing);
    }
    state.emit(Event::Bound { thing: *id, gateway: *gateway, until_height });
    index::bound(state, gateway, id, until_height);
    Ok(())
}

/// Ends a binding with the present block; by the thing's owner or the bound entity.
pub(crate) fn unbind<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ThingId,
    gateway: &EntityId,
) -> Result<(), Stop> {
    // Also of a retired thing: nobody must stay bound to what has ended.
    let mut thing: ThingRecord = state.get(&key::thing(id))?.ok_or(Refusal::UnknownThing)?;
    if actor.id != thing.owner && actor.id != *gateway {
        return Err(Refusal::NotPermitted.into());
    }
    let (key, height) = (key::binding(id, gateway), state.now.height);
    let binding: BindingRecord = state.get(&key)?.ok_or(Refusal::NotBound)?;
    if !binding.holds_at(height) {
        return Err(Refusal::NotBound.into());
    }
    state.put(key, &BindingRecord { until_height: height, ..binding });
    standing::unbound(state, id, gateway)?;
    if thing::is_device_of(&thing, gateway) {
        (thing.device, thing.device_height) = (None, Some(height));
        state.put(key::thing(id), &thing);
    }
    state.emit(Event::Unbound { thing: *id, gateway: *gateway });
    index::bound(state, gateway, id, height);
    Ok(())
}

/// Whether an entity may submit readings of a property of a thing now.
pub(crate) fn may_submit<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ThingId,
    thing: &ThingRecord,
    property: &str,
    submitter: &EntityId,
) -> Result<(), Stop> {
    may_speak(state, id, thing, submitter)?;
    let standing = standing::of(state, id)?;
    standing::not_quarantined(&standing, thing)?;
    let is_outside = standing
        .limit_of(submitter)
        .is_some_and(|limit| !limit.properties.iter().any(|name| name == property));
    if is_outside { Err(Refusal::OutsideLimit.into()) } else { Ok(()) }
}

/// Whether an entity may speak for a thing now: as its owner, or bound to it by an owner who still
/// counts.
pub(crate) fn may_speak<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ThingId,
    thing: &ThingRecord,
    speaker: &EntityId,
) -> Result<(), Stop> {
    if thing.owner == *speaker {
        return Ok(());
    }
    let binding: BindingRecord = state.get(&key::binding(id, speaker))?.ok_or(Refusal::NotBound)?;
    if !binding.holds_at(state.now.height) {
        return Err(Refusal::BindingExpired.into());
    }
    // A delegation ends with the one who gave it.
    entity::active(state, &thing.owner)?;
    Ok(())
}

#[cfg(test)]
mod tests;
