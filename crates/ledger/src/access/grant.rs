//! Requests, answers, grants and their uses.

use althing_policy::Verdict;
use althing_proof::{
    key,
    record::{Asked, EntityRecord, Given, GrantRecord, PolicyRecord},
};
use althing_state::Read;
use althing_types::{
    Access, AccessMode, AccessRequest, AccessUse, EntityId, EntityKind, Event, GrantId, Refusal,
};

use super::{
    REQUESTS_MAX, REQUESTS_PER_SENDER_MAX, Requests, Waits, Wanted,
    decide::{self, at, consult, count, is_holder, opens, owner_of},
};
use crate::{
    contract, entity, index, key as own_key,
    transition::{Actor, Stop, Transition},
};

/// Asks for access. If the policy permits it and nobody is asked, it is granted in this block.
pub(crate) fn request<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    request: &AccessRequest,
) -> Result<(), Stop> {
    contract::acts(state, &actor.id)?;
    let owner = owner_of(state, &request.resource)?.ok_or(Refusal::UnknownThing)?;
    entity::active(state, &owner)?;
    let policy = permitted(state, actor, request, owner)?;
    let height = state.now.height;
    let until_height =
        request.until_height.min(height.saturating_add(policy.policy.grant_blocks_max));
    if until_height < height {
        return Err(Refusal::OutOfBounds.into());
    }
    let access = Access {
        owner,
        grantee: actor.id,
        resource: request.resource.clone(),
        right: request.right,
        purpose: request.purpose.clone(),
    };
    let id = access.id();
    let before: Option<GrantRecord> = state.get(&key::grant(&id))?;
    let mut record =
        before.unwrap_or(GrantRecord { access: access.clone(), given: None, asked: None });
    let Some(asked) = policy.policy.ask else {
        return give(state, actor, record, owner, (request.count_max, until_height));
    };
    wait(state, actor, &owner, &id)?;
    let patience = u64::from(policy.policy.patience_blocks);
    let answer_until_height = height.saturating_add(patience);
    record.asked = Some(Asked {
        entity: asked,
        since_height: height,
        answer_until_height,
        until_height,
        count_max: request.count_max,
    });
    state.put(key::grant(&id), &record);
    [owner, actor.id, asked].iter().for_each(|party| index::access(state, party, &id, true));
    let event = Event::AccessRequested { access, asked, answer_until_height };
    index::access_told(state, actor, &owner, event);
    Ok(())
}

/// The policy under which a request can become a grant.
fn permitted<R: Read>(
    state: &Transition<'_, R>,
    actor: &Actor,
    request: &AccessRequest,
    owner: EntityId,
) -> Result<PolicyRecord, Stop> {
    let now = at(state);
    if is_holder(state, now, &owner, &request.resource, &actor.id)? {
        return Err(Refusal::GrantNotNeeded.into());
    }
    let principal = decide::principal(state, actor.id)?.ok_or(Refusal::UnknownEntity)?;
    let wanted = wanted(&actor.id, request);
    let (verdict, policy) = consult(state, now, &wanted, owner, principal, 0)?;
    let Some(policy) = policy else {
        let open = opens(state, request.right)?;
        return Err(if open { Refusal::GrantNotNeeded } else { Refusal::NoPolicy }.into());
    };
    if !matches!(verdict, Verdict::Permitted(_)) {
        return Err(Refusal::AccessDenied.into());
    }
    if policy.mode == AccessMode::Open {
        return Err(Refusal::GrantNotNeeded.into());
    }
    let key = key::access_policy(&owner, &policy.resource);
    Ok(state.get(&key)?.ok_or(Refusal::NoPolicy)?)
}

fn wanted<'a>(sender: &EntityId, request: &'a AccessRequest) -> Wanted<'a> {
    Wanted {
        principal: Some(*sender),
        right: request.right,
        resource: &request.resource,
        purpose: &request.purpose,
    }
}

/// Makes a request a grant. One that was in force before ends with it.
fn give<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    mut record: GrantRecord,
    by: EntityId,
    (count_max, until_height): (u32, u64),
) -> Result<(), Stop> {
    let id = record.access.id();
    record.given = Some(Given {
        by,
        since_height: state.now.height,
        until_height,
        count_max,
        used: 0,
        used_ms: 0,
        revoked: None,
    });
    state.put(key::grant(&id), &record);
    let access = record.access;
    let owner = access.owner;
    [owner, access.grantee].iter().for_each(|party| index::access(state, party, &id, true));
    let event = Event::AccessGranted { access, by, count_max, until_height };
    index::access_told(state, actor, &owner, event);
    Ok(())
}

/// Takes a place among the requests that wait, after those whose time is over have gone.
fn wait<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    owner: &EntityId,
    id: &GrantId,
) -> Result<(), Stop> {
    let mut waiting = still_waiting(state, actor, owner)?;
    // A request that is repeated takes the place that it has.
    waiting.0.retain(|one| one.request != *id);
    let of_sender = waiting.0.iter().filter(|one| one.sender == actor.id).count();
    if waiting.0.len() >= REQUESTS_MAX || of_sender >= REQUESTS_PER_SENDER_MAX {
        return Err(Refusal::TooManyRequests.into());
    }
    waiting.0.push(Waits { request: *id, sender: actor.id });
    state.put(own_key::access_waiting(owner), &waiting);
    Ok(())
}

/// The owner's list without the requests whose time is over, which end here.
fn still_waiting<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    owner: &EntityId,
) -> Result<Requests, Stop> {
    let key = own_key::access_waiting(owner);
    let waiting: Requests = state.get(&key)?.unwrap_or_default();
    let mut kept = Requests::default();
    for one in waiting.0 {
        let record: Option<GrantRecord> = state.get(&key::grant(&one.request))?;
        let Some(record) = record else { continue };
        let Some(asked) = record.asked else { continue };
        if state.now.height <= asked.answer_until_height {
            kept.0.push(one);
            continue;
        }
        let event = Event::AccessTimedOut { access: record.access.clone(), asked: asked.entity };
        close(state, record, &asked);
        index::access_told(state, actor, owner, event);
    }
    Ok(kept)
}

/// Ends a request without a grant. A grant that it was to follow goes on.
fn close<R: Read>(state: &mut Transition<'_, R>, mut record: GrantRecord, asked: &Asked) {
    let id = record.access.id();
    let Access { owner, grantee, .. } = record.access;
    record.asked = None;
    let parties = [owner, grantee];
    if !parties.contains(&asked.entity) {
        index::access(state, &asked.entity, &id, false);
    }
    if record.given.is_some() {
        state.put(key::grant(&id), &record);
    } else {
        state.remove(key::grant(&id));
        parties.iter().for_each(|party| index::access(state, party, &id, false));
    }
}

/// Allows or denies a request; by who is asked, or by the owner.
pub(crate) fn answer<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &GrantId,
    allow: bool,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let key = key::grant(id);
    let mut record: GrantRecord = state.get(&key)?.ok_or(Refusal::UnknownRequest)?;
    let asked = record.asked.ok_or(Refusal::UnknownRequest)?;
    let owner = record.access.owner;
    if actor.id != asked.entity && actor.id != owner {
        return Err(Refusal::NotAsked.into());
    }
    if state.now.height > asked.answer_until_height {
        return Err(Refusal::UnknownRequest.into());
    }
    let mut waiting = still_waiting(state, actor, &owner)?;
    waiting.0.retain(|one| one.request != *id);
    let list = own_key::access_waiting(&owner);
    if waiting.0.is_empty() {
        state.remove(list);
    } else {
        state.put(list, &waiting);
    }
    if allow {
        let until_height = asked.until_height.max(state.now.height);
        record.asked = None;
        index::access(state, &asked.entity, id, true);
        return give(state, actor, record, actor.id, (asked.count_max, until_height));
    }
    let event = Event::AccessDenied { access: record.access.clone(), by: actor.id };
    close(state, record, &asked);
    index::access_told(state, actor, &owner, event);
    Ok(())
}

/// Ends a grant: it does not hold in this block any more.
pub(crate) fn revoke<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &GrantId,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let key = key::grant(id);
    let mut record: GrantRecord = state.get(&key)?.ok_or(Refusal::NoGrant)?;
    let given = record.given.ok_or(Refusal::NoGrant)?;
    if !is_party(state, &record.access, &actor.id)? && actor.id != given.by {
        return Err(Refusal::NotPermitted.into());
    }
    if !given.holds_at(state.now.height) {
        return Err(Refusal::NoGrant.into());
    }
    record.given = Some(Given { revoked: Some(state.now.height), ..given });
    state.put(key, &record);
    let access = record.access;
    let owner = access.owner;
    index::access_told(state, actor, &owner, Event::GrantRevoked { access, by: actor.id });
    Ok(())
}

/// Whether an entity has a say about a grant: its owner, its grantee, or who has the thing in its
/// hands.
fn is_party<R: Read>(
    state: &Transition<'_, R>,
    access: &Access,
    entity: &EntityId,
) -> Result<bool, Stop> {
    let Access { owner, grantee, resource, .. } = access;
    Ok(entity == grantee || is_holder(state, at(state), owner, resource, entity)?)
}

/// Uses a grant once, which opens a `strict` resource to its grantee for a while.
pub(crate) fn use_by_transaction<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &GrantId,
) -> Result<(), Stop> {
    let key = key::grant(id);
    let record: GrantRecord = state.get(&key)?.ok_or(Refusal::NoGrant)?;
    if record.access.grantee != actor.id {
        return Err(Refusal::NoGrant.into());
    }
    let Access { owner, resource, right, purpose, .. } = &record.access;
    let principal = Some(actor.id);
    let wanted = Wanted { principal, right: *right, resource, purpose };
    // Of something that has another owner by now, the old owner's grant says nothing.
    if owner_of(state, resource)?.is_some_and(|present| present != *owner) {
        return Err(Refusal::NoGrant.into());
    }
    let decision = super::use_grant(state, actor, &wanted, Some(*owner))?;
    if decision.grant != Some(*id) {
        return Err(Refusal::GrantNotNeeded.into());
    }
    let mut record: GrantRecord = state.get(&key)?.ok_or(Refusal::NoGrant)?;
    let now_ms = state.now.time_ms;
    record.given = record.given.map(|given| Given { used_ms: now_ms, ..given });
    state.put(key, &record);
    Ok(())
}

/// Records uses that somebody served.
pub(crate) fn record<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    uses: &[AccessUse],
) -> Result<(), Stop> {
    let sender: std::rc::Rc<EntityRecord> = entity::active(state, &actor.id)?;
    let is_peer = sender.inception.kind == EntityKind::Peer;
    for one in uses {
        let record: GrantRecord = state.get(&key::grant(&one.grant))?.ok_or(Refusal::NoGrant)?;
        if !is_peer && !is_party(state, &record.access, &actor.id)? {
            return Err(Refusal::NotPermitted.into());
        }
        count(state, actor, &one.grant, one.count, (one.first_ms, one.last_ms))?;
    }
    Ok(())
}
