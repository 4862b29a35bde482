//! What grantees asked of devices directly, as the gateways that served it tell.

use althing_proof::{
    key,
    record::{EntityRecord, GrantRecord, KeyRecord, ThingRecord},
};
use althing_state::Read;
use althing_types::{DirectUse, EntityId, PublicKey, Refusal};

use super::decide::{at, count, is_holder};
use crate::{
    entity, key as own_key,
    transition::{Actor, Stop, Transition},
};

/// Records uses that the sender served. Whether the signatures are those of the keys that they name was
/// checked before; here the keys must be the callers'.
pub(crate) fn record<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    uses: &[DirectUse],
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    uses.iter().try_for_each(|one| record_one(state, actor, one))
}

fn record_one<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    one: &DirectUse,
) -> Result<(), Stop> {
    let request = &one.request.request;
    if request.ledger != state.now.ledger || request.gateway != actor.id {
        return Err(Refusal::NotPermitted.into());
    }
    // Also of a retired thing: it was served before.
    let thing: ThingRecord =
        state.get(&key::thing(&request.thing))?.ok_or(Refusal::UnknownThing)?;
    if !is_holder(state, at(state), &thing.owner, &request.resource(), &actor.id)? {
        return Err(Refusal::NotPermitted.into());
    }
    if !is_key_of(state, &request.caller, &one.request.key)? {
        return Err(Refusal::BadSignature.into());
    }
    let grant = one.grant;
    if !is_given_for(state, &thing.owner, one)? {
        return Err(Refusal::NoGrant.into());
    }
    let numbered = own_key::direct(&grant, &actor.id);
    if state.get::<u64>(&numbered)?.is_some_and(|last| request.number <= last) {
        return Err(Refusal::AlreadyExists.into());
    }
    state.put(numbered, &request.number);
    count(state, actor, &grant, 1, (one.served_ms, one.served_ms))
}

/// Whether a key is the entity's present one, or the one before: it may have changed since.
fn is_key_of<R: Read>(
    state: &Transition<'_, R>,
    id: &EntityId,
    key: &PublicKey,
) -> Result<bool, Stop> {
    let entity: EntityRecord = state.get(&key::entity(id))?.ok_or(Refusal::UnknownEntity)?;
    if entity.key == *key {
        return Ok(true);
    }
    let before = entity.key_version.saturating_sub(1);
    let before: Option<KeyRecord> = state.get(&key::key_history(id, before))?;
    Ok(before.is_some_and(|before| before.key == *key))
}

/// Whether the grant of a use is for what was asked, and was given, also if it is over by now.
fn is_given_for<R: Read>(
    state: &Transition<'_, R>,
    owner: &EntityId,
    one: &DirectUse,
) -> Result<bool, Stop> {
    let is_for_it = one.request.request.accesses(*owner).any(|access| access.id() == one.grant);
    let record: Option<GrantRecord> = state.get(&key::grant(&one.grant))?;
    Ok(is_for_it && record.is_some_and(|record| record.given.is_some()))
}

#[cfg(test)]
mod tests;
