//! Each change: whether it may be made, and making it.

use althing_proof::{key, record::EntityRecord};
use althing_state::{Read, StoreError};
use althing_types::{
    Change, EntityId, EntityKind, Event, Inception, Members, Mode, Parameters, Refusal, Seat,
    Validator, ValidatorSet, VotingRule,
    limits::{ORGANISATIONS_MAX, VALIDATORS_MAX},
};

use crate::{
    context::{PARAMETERS, VALIDATORS},
    entity, index, key as own_key, regulation, token,
    transition::{Actor, Stop, Transition},
};

use super::{all_members, mechanism, rule, small};

/// Whether the change could be made now: it is made, and taken back.
pub(super) fn possible<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    change: &Change,
) -> Result<(), Stop> {
    let mark = state.mark();
    let made = make(state, actor, change);
    state.roll_back(mark);
    made
}

/// Makes the change.
pub(super) fn make<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    change: &Change,
) -> Result<(), Stop> {
    if state.now.parameters.stake.is_some() && is_about_seats(change) {
        return Err(Refusal::SeatsByStake.into());
    }
    match change {
        Change::AddOrganisation { inception, .. } => add_organisation(state, actor, inception),
        Change::RemoveOrganisation { organisation } => {
            remove_organisation(state, actor, organisation)
        }
        Change::AddPeer(seat) => add_peer(state, seat),
        Change::RemovePeer { peer } => remove_peer(state, peer),
        Change::RotateVotingKey { peer, key } => rotate(state, peer, *key),
        Change::SetParameters(parameters) => set_parameters(state, parameters),
        Change::SetVotingRule(rule) => set_rule(state, rule),
        Change::SetMechanism(wanted) => mechanism::set(state, wanted),
        Change::MintTokens { to, amount } => token::mint(state, actor, to, *amount),
        Change::FreezeAccount { account, frozen } => token::freeze(state, account, *frozen),
        Change::SetRegulation(said) => regulation::set(state, said),
        Change::EndRegulation { id } => regulation::end(state, id),
    }
}

/// Whether it says who is a member or has a seat.
const fn is_about_seats(change: &Change) -> bool {
    matches!(
        change,
        Change::AddOrganisation { .. }
            | Change::RemoveOrganisation { .. }
            | Change::AddPeer(_)
            | Change::RemovePeer { .. }
            | Change::RotateVotingKey { .. }
    )
}

fn add_organisation<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    inception: &Inception,
) -> Result<(), Stop> {
    if inception.kind != EntityKind::Organisation {
        return Err(Refusal::OutOfBounds.into());
    }
    let id = inception.id();
    if state.entity(&id)?.is_some() {
        return Err(Refusal::AlreadyExists.into());
    }
    let mut members = all_members(state)?;
    if members.0.len() >= ORGANISATIONS_MAX {
        return Err(Refusal::TooManyMembers.into());
    }
    let record = entity::founded(inception.clone(), None, state.now.height);
    state.put(key::entity(&id), &record);
    insert(&mut members, id);
    state.put(own_key::members(), &members);
    index::member_added(state, actor, &id);
    state.emit(Event::MemberAdded { organisation: id });
    Ok(())
}

fn remove_organisation<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &EntityId,
) -> Result<(), Stop> {
    let mut members = all_members(state)?;
    let place = members.0.binary_search(id).map_err(|_| Refusal::NotAMember)?;
    members.0.remove(place);
    if members.0.is_empty() {
        return Err(Refusal::WouldStall.into());
    }
    state.put(own_key::members(), &members);
    let mut validators = to_come(state)?;
    let before = validators.len();
    validators.retain(|validator| validator.organisation != *id);
    if validators.len() != before {
        choose(state, validators)?;
    }
    let record = state.entity(id)?.ok_or(Refusal::UnknownEntity)?;
    let revoked = Some(state.now.height);
    state.put(key::entity(id), &EntityRecord { revoked, ..EntityRecord::clone(&record) });
    index::in_history(state, actor, id);
    state.emit(Event::EntityRevoked { entity: *id });
    state.emit(Event::MemberRemoved { organisation: *id });
    Ok(())
}

fn add_peer<R: Read>(state: &mut Transition<'_, R>, seat: &Seat) -> Result<(), Stop> {
    let record = entity::active(state, &seat.peer)?;
    let owner = record.owner.filter(|_| record.inception.kind == EntityKind::Peer);
    let organisation = owner.ok_or(Refusal::NotPermitted)?;
    if all_members(state)?.0.binary_search(&organisation).is_err() {
        return Err(Refusal::NotAMember.into());
    }
    let mut validators = to_come(state)?;
    if validators.iter().any(|validator| validator.peer == seat.peer) {
        return Err(Refusal::SeatTaken.into());
    }
    if validators.len() >= VALIDATORS_MAX {
        return Err(Refusal::TooManyMembers.into());
    }
    is_free(state, &validators, &seat.key)?;
    validators.push(Validator { key: seat.key, peer: seat.peer, organisation });
    state.put(own_key::address(&seat.peer), &seat.address);
    choose(state, validators)
}

fn remove_peer<R: Read>(state: &mut Transition<'_, R>, peer: &EntityId) -> Result<(), Stop> {
    let mut validators = to_come(state)?;
    let before = validators.len();
    validators.retain(|validator| validator.peer != *peer);
    if validators.len() == before {
        return Err(Refusal::NoSeat.into());
    }
    state.remove(own_key::address(peer));
    choose(state, validators)
}

fn rotate<R: Read>(
    state: &mut Transition<'_, R>,
    peer: &EntityId,
    key: [u8; 32],
) -> Result<(), Stop> {
    let mut validators = to_come(state)?;
    is_free(state, &validators, &key)?;
    let seat = validators.iter_mut().find(|validator| validator.peer == *peer);
    seat.ok_or(Refusal::NoSeat)?.key = key;
    choose(state, validators)
}

/// A voting key belongs to one seat, now and in the epochs to come: a vote must name who voted.
fn is_free<R: Read>(
    state: &Transition<'_, R>,
    to_come: &[Validator],
    key: &[u8; 32],
) -> Result<(), Stop> {
    let (now, next) = (present(state)?, next(state)?);
    let next = next.iter().flat_map(|next| &next.validators);
    let mut seats = to_come.iter().chain(&now.validators).chain(next);
    let taken = seats.any(|validator| validator.key == *key);
    if taken { Err(Refusal::SeatTaken.into()) } else { Ok(()) }
}

/// Only what execution itself reads can change while the ledger runs; the rest is in each peer's
/// set-up from its start.
fn set_parameters<R: Read>(
    state: &mut Transition<'_, R>,
    parameters: &Parameters,
) -> Result<(), Stop> {
    let now = state.now.parameters;
    let free = Parameters {
        claim_ahead_max_ms: parameters.claim_ahead_max_ms,
        sequence_window: parameters.sequence_window,
        // Whether there are tokens is settled for ever.
        fees: now.fees.and(parameters.fees.or(now.fees)),
        participation: parameters.participation.or(now.participation),
        ..now.clone()
    };
    if free != *parameters {
        return Err(Refusal::ParameterFixed.into());
    }
    if *now == *parameters {
        return Err(Refusal::ChangesNothing.into());
    }
    state.put(key::parameter(PARAMETERS), parameters);
    state.emit(Event::ParametersSet);
    Ok(())
}

fn set_rule<R: Read>(state: &mut Transition<'_, R>, new: &VotingRule) -> Result<(), Stop> {
    if rule(state)? == *new {
        return Err(Refusal::ChangesNothing.into());
    }
    state.put(own_key::voting_rule(), new);
    state.emit(Event::VotingRuleSet);
    Ok(())
}

/// Writes the validators of the epoch after the next, if they can keep the ledger going and safe.
fn choose<R: Read>(
    state: &mut Transition<'_, R>,
    mut validators: Vec<Validator>,
) -> Result<(), Stop> {
    let next = next(state)?.ok_or(Refusal::SeatsFixed)?;
    validators.sort_by_key(|validator| validator.key);
    if validators.is_empty() {
        return Err(Refusal::WouldStall.into());
    }
    if mode(state)? == Mode::Consortium && has_a_third(&validators) {
        return Err(Refusal::ThirdOfVotes.into());
    }
    let epoch = next.epoch.saturating_add(1);
    let chosen = ValidatorSet { epoch, validators, mechanism: mechanism::after(state, &next)? };
    let count = chosen.validators.len();
    let quorum = small(mechanism::of(state, &chosen)?.quorum(count));
    state.put(own_key::chosen_validators(), &ValidatorSet { mechanism: None, ..chosen });
    state.emit(Event::ValidatorsChosen { count: small(count), quorum });
    Ok(())
}

/// Whether one organisation holds a third of four seats or more (Y.4464 7.1.2); fewer tolerate no
/// fault anyway.
fn has_a_third(validators: &[Validator]) -> bool {
    validators.len() >= 4
        && validators.iter().any(|one| {
            let same = validators.iter().filter(|other| other.organisation == one.organisation);
            same.count() * 3 >= validators.len()
        })
}

/// The validators of the epoch after the next as they are planned.
pub(super) fn to_come<R: Read>(state: &Transition<'_, R>) -> Result<Vec<Validator>, Stop> {
    if let Some(chosen) = state.get::<ValidatorSet>(&own_key::chosen_validators())? {
        return Ok(chosen.validators);
    }
    match next(state)? {
        Some(next) => Ok(next.validators),
        None => Ok(present(state)?.validators),
    }
}

/// The validators of the next epoch, which are settled; none if the present one has no end.
pub(super) fn next<R: Read>(state: &Transition<'_, R>) -> Result<Option<ValidatorSet>, Stop> {
    Ok(state.get(&own_key::next_validators())?)
}

fn present<R: Read>(state: &Transition<'_, R>) -> Result<ValidatorSet, Stop> {
    let key = key::parameter(VALIDATORS);
    state.get(&key)?.ok_or_else(|| StoreError::corrupt(&key).into())
}

pub(super) fn mode<R: Read>(state: &Transition<'_, R>) -> Result<Mode, Stop> {
    let key = own_key::mode();
    state.get(&key)?.ok_or_else(|| StoreError::corrupt(&key).into())
}

fn insert(members: &mut Members, id: EntityId) {
    if let Err(place) = members.0.binary_search(&id) {
        members.0.insert(place, id);
    }
}
