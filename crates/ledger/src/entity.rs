//! Entities: who acts, under which key, until when.

use std::rc::Rc;

use althing_proof::{
    key,
    record::{EntityRecord, KeyRecord},
};
use althing_state::Read;
use althing_types::{EntityId, EntityKind, Event, Inception, PublicKey, Refusal, Transact};

use crate::{
    index,
    transition::{Actor, Stop, Transition},
};

/// Longest chain of owners that is walked. Only organisations own and none is owned, so one link
/// is all there is; the bound keeps a damaged state from turning in circles.
const OWNERS_MAX: usize = 4;

/// The entity, if it may act now: registered, and neither it nor its owner revoked.
///
/// An entity that its organisation registered stands and falls with it.
pub(crate) fn active<R: Read>(
    state: &mut Transition<'_, R>,
    id: &EntityId,
) -> Result<Rc<EntityRecord>, Stop> {
    let record = state.entity(id)?.ok_or(Refusal::UnknownEntity)?;
    let mut link = Rc::clone(&record);
    for _ in 0..OWNERS_MAX {
        if link.revoked.is_some() {
            return Err(Refusal::EntityRevoked.into());
        }
        let Some(owner) = link.owner else { return Ok(record) };
        link = state.entity(&owner)?.ok_or(Refusal::UnknownEntity)?;
    }
    Err(Refusal::UnknownEntity.into())
}

/// Whether an entity may act now.
pub(crate) fn is_active<R: Read>(
    state: &mut Transition<'_, R>,
    id: &EntityId,
) -> Result<bool, Stop> {
    match active(state, id) {
        Ok(_) => Ok(true),
        Err(Stop::Refused(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Registers an entity that the sender, an organisation, owns from now on; or, where anybody may take
/// part, an organisation that nobody owns.
pub(crate) fn register<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    inception: &Inception,
) -> Result<(), Stop> {
    let sender = active(state, &actor.id)?;
    let is_organisation = inception.kind == EntityKind::Organisation;
    // Organisations are members of the network, and a single member does not decide on members; but
    // where members follow from stakes, or everybody may transact, whoever wants to takes part.
    let parameters = state.now.parameters;
    let is_open = parameters.stake.is_some()
        || parameters.participation.is_some_and(|it| it.transact == Transact::Everybody);
    if sender.inception.kind != EntityKind::Organisation || (is_organisation && !is_open) {
        return Err(Refusal::NotPermitted.into());
    }
    let id = inception.id();
    if state.entity(&id)?.is_some() {
        return Err(Refusal::AlreadyExists.into());
    }
    if is_organisation {
        state.put(key::entity(&id), &founded(inception.clone(), None, state.now.height));
        state.emit(Event::EntityRegistered { entity: id, owner: id });
        index::member_added(state, actor, &id);
        return Ok(());
    }
    let record = founded(inception.clone(), Some(actor.id), state.now.height);
    state.put(key::entity(&id), &record);
    state.emit(Event::EntityRegistered { entity: id, owner: actor.id });
    index::entity_registered(state, actor, &id, inception.kind);
    Ok(())
}

/// The record of an entity at its beginning.
pub(crate) fn founded(inception: Inception, owner: Option<EntityId>, height: u64) -> EntityRecord {
    EntityRecord {
        key: inception.key.clone(),
        inception,
        owner,
        key_version: 1,
        key_since_height: height,
        registered_height: height,
        revoked: None,
    }
}

/// Replaces the key of an entity and keeps the old one where anyone can look it up.
pub(crate) fn rotate<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &EntityId,
    new: &PublicKey,
) -> Result<(), Stop> {
    let record = governed(state, actor, id)?;
    if record.key == *new {
        return Err(Refusal::AlreadyExists.into());
    }
    let height = state.now.height;
    // Every key is in force at one height at least, and at every height there is one.
    if record.key_version > 1 && record.key_since_height == height {
        return Err(Refusal::AlreadyRotated.into());
    }
    let old = KeyRecord {
        key: record.key.clone(),
        since_height: record.key_since_height,
        until_height: height,
    };
    let version = record.key_version.checked_add(1).ok_or(Refusal::OutOfBounds)?;
    state.put(key::key_history(id, record.key_version), &old);
    let record = EntityRecord {
        key: new.clone(),
        key_version: version,
        key_since_height: height,
        ..EntityRecord::clone(&record)
    };
    state.put(key::entity(id), &record);
    state.emit(Event::KeyRotated { entity: *id, version });
    index::in_history(state, actor, id);
    Ok(())
}

/// Ends an entity, and with it all that it owns.
pub(crate) fn revoke<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &EntityId,
) -> Result<(), Stop> {
    let record = governed(state, actor, id)?;
    let revoked = Some(state.now.height);
    state.put(key::entity(id), &EntityRecord { revoked, ..EntityRecord::clone(&record) });
    state.emit(Event::EntityRevoked { entity: *id });
    index::in_history(state, actor, id);
    Ok(())
}

/// An active entity over which the sender has a say: itself, or one that it owns.
fn governed<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &EntityId,
) -> Result<Rc<EntityRecord>, Stop> {
    let record = active(state, id)?;
    if *id == actor.id || record.owner == Some(actor.id) {
        Ok(record)
    } else {
        Err(Refusal::NotPermitted.into())
    }
}

#[cfg(test)]
mod tests;
