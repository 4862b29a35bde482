//! Putting tokens behind a peer, and taking them back.

use althing_state::Read;
use althing_types::{
    EntityId, EntityKind, Event, Genesis, Refusal, Stake, StakedSeat, TokenEvent, ValidatorSet,
};

use super::{StakeRecord, line_up, rules};
use crate::{
    context::VALIDATORS,
    entity, key,
    token::{Line, Place, Reason, lock, unlock},
    transition::{Actor, Stop, Transition, encode},
};
use althing_proof::key as proof_key;
use althing_types::Amount;

/// What founders have staked, as writes to the state.
pub(crate) fn found(genesis: &Genesis, mut put: impl FnMut(Vec<u8>, Vec<u8>)) {
    let Some(rules) = &genesis.parameters.stake else { return };
    for seat in &genesis.peers {
        let peer = seat.inception.id();
        let record = StakeRecord {
            organisation: seat.organisation,
            key: seat.key,
            amount: rules.founding,
            leaving: Amount::ZERO,
            free_epoch: 0,
            since_height: Some(0),
            silent_epochs: 0,
        };
        put(key::stake(&peer), encode(&record));
        put(key::candidate(rules.founding, 0, &peer), encode(&()));
        put(key::voting_key(&seat.key), encode(&peer));
    }
}

/// Puts tokens of the sender's behind a peer of its own.
pub(crate) fn put<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    stake: &Stake,
) -> Result<(), Stop> {
    let rules = rules(state)?;
    let peer = entity::active(state, &stake.peer)?;
    if peer.inception.kind != EntityKind::Peer || peer.owner != Some(actor.id) {
        return Err(Refusal::NotPermitted.into());
    }
    let before: Option<StakeRecord> = state.get(&key::stake(&stake.peer))?;
    let stands = before.filter(|record| record.since_height.is_some());
    let key = match (&stake.seat, stands) {
        (Some(seat), _) => take_seat_key(state, &stake.peer, seat)?,
        (None, Some(record)) => record.key,
        (None, None) => return Err(Refusal::StakeNeedsSeat.into()),
    };
    let own = before.map_or(Amount::ZERO, |record| record.amount);
    let amount = own.plus(stake.amount).ok_or(Refusal::TooManyTokens)?;
    if amount < rules.least {
        return Err(Refusal::StakeTooSmall.into());
    }
    if !stake.amount.is_zero() {
        let line = Line::of(Reason::Stake, Some(stake.peer));
        lock(state, actor, stake.amount, Place::Stakes, &line)?;
    }
    let record = StakeRecord {
        organisation: actor.id,
        key,
        amount,
        leaving: before.map_or(Amount::ZERO, |record| record.leaving),
        free_epoch: before.map_or(0, |record| record.free_epoch),
        since_height: stands.map_or(Some(state.now.height), |record| record.since_height),
        silent_epochs: stands.map_or(0, |record| record.silent_epochs),
    };
    line_up(state, &stake.peer, before.as_ref(), Some(&record));
    state.put(key::stake(&stake.peer), &record);
    state.emit(Event::Token(TokenEvent::Staked {
        peer: stake.peer,
        organisation: actor.id,
        amount: stake.amount,
        stake: amount,
    }));
    Ok(())
}

/// Notes how a peer votes and is reached. Its key must be one that no other peer has ever had.
fn take_seat_key<R: Read>(
    state: &mut Transition<'_, R>,
    peer: &EntityId,
    seat: &StakedSeat,
) -> Result<[u8; 32], Stop> {
    let owner: Option<EntityId> = state.get(&key::voting_key(&seat.key))?;
    match owner {
        Some(owner) if owner != *peer => return Err(Refusal::SeatTaken.into()),
        Some(_) => {}
        None => state.put(key::voting_key(&seat.key), peer),
    }
    state.put(key::address(peer), &seat.address);
    Ok(seat.key)
}

/// Takes tokens from behind a peer; all, and the peer stands no more, if no amount is said. What was
/// withdrawn before and not collected waits with it.
pub(crate) fn take_back<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    peer: &EntityId,
    amount: Option<Amount>,
) -> Result<(), Stop> {
    let rules = rules(state)?;
    let before = of_sender(state, actor, peer)?;
    let amount = amount.unwrap_or(before.amount);
    if amount.is_zero() {
        return Err(Refusal::NoStake.into());
    }
    let left = before.amount.minus(amount).ok_or(Refusal::InsufficientFunds)?;
    if !left.is_zero() && left < rules.least {
        return Err(Refusal::StakeTooSmall.into());
    }
    let parameters = state.now.parameters;
    let free_epoch =
        parameters.epoch_of(state.now.height).saturating_add(rules.locked_epochs.into());
    let record = StakeRecord {
        amount: left,
        leaving: before.leaving.plus(amount).ok_or(Refusal::TooManyTokens)?,
        free_epoch,
        since_height: before.since_height.filter(|_| !left.is_zero()),
        ..before
    };
    line_up(state, peer, Some(&before), Some(&record));
    state.put(key::stake(peer), &record);
    let (peer, organisation) = (*peer, actor.id);
    state.emit(Event::Token(TokenEvent::Unstaked { peer, organisation, amount, free_epoch }));
    Ok(())
}

/// Gives what was withdrawn and has become free to the account that staked it.
pub(crate) fn collect<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    peer: &EntityId,
) -> Result<(), Stop> {
    rules(state)?;
    let before = of_sender(state, actor, peer)?;
    let amount = before.leaving;
    let epoch = state.now.parameters.epoch_of(state.now.height);
    if amount.is_zero() || epoch < before.free_epoch || votes(state, peer, &before)? {
        return Err(Refusal::StakeLocked.into());
    }
    let line = Line::of(Reason::Stake, Some(*peer));
    unlock(state, actor, &actor.id, amount, Place::Stakes, &line)?;
    if before.amount.is_zero() {
        state.remove(key::stake(peer));
        state.remove(key::address(peer));
    } else {
        let record = StakeRecord { leaving: Amount::ZERO, ..before };
        state.put(key::stake(peer), &record);
    }
    let (peer, organisation) = (*peer, actor.id);
    state.emit(Event::Token(TokenEvent::StakeCollected { peer, organisation, amount }));
    Ok(())
}

/// Whether a peer behind which nothing is left has a seat still, now or in the next epoch: it keeps one
/// while too few others stand. Its last stake stays locked as long.
fn votes<R: Read>(
    state: &Transition<'_, R>,
    peer: &EntityId,
    record: &StakeRecord,
) -> Result<bool, Stop> {
    if !record.amount.is_zero() {
        return Ok(false);
    }
    for key in [proof_key::parameter(VALIDATORS), key::next_validators()] {
        let set: Option<ValidatorSet> = state.get(&key)?;
        if set.is_some_and(|set| set.validators.iter().any(|seat| seat.peer == *peer)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn of_sender<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    peer: &EntityId,
) -> Result<StakeRecord, Stop> {
    entity::active(state, &actor.id)?;
    let record: StakeRecord = state.get(&key::stake(peer))?.ok_or(Refusal::NoStake)?;
    if record.organisation == actor.id { Ok(record) } else { Err(Refusal::NotPermitted.into()) }
}
