//! Rewards: tokens for whoever owns a thing, for readings of it that are accepted (Y.4464 3.2.6).

use althing_proof::{key as proof_key, stream::StreamHead};
use althing_state::Read;
use althing_types::{
    Amount, EntityId, Event, Refusal, Reward, StreamId, TokenEvent, TxId,
    limits::{REWARDS_OF_STREAM_MAX, REWARDS_PAID_MAX},
};

use super::{
    Place, Reason, RewardRecord, Rewards, Spent,
    account::{Line, lock, unlock},
    must_be_on, sum,
};
use crate::{
    index, key,
    transition::{Actor, Stop, Transition},
};

/// Offers a reward, with what it begins with.
pub(crate) fn offer_reward<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    terms: &Reward,
) -> Result<(), Stop> {
    must_be_on(state)?;
    let id = actor.transaction;
    if state.get::<RewardRecord>(&key::reward(&id))?.is_some() {
        return Err(Refusal::OutOfBounds.into());
    }
    if terms.until_height < state.now.height {
        return Err(Refusal::Expired.into());
    }
    if state.get::<StreamHead>(&proof_key::stream(&terms.stream))?.is_none() {
        return Err(Refusal::UnknownStream.into());
    }
    drop_expired(state, actor, &terms.stream)?;
    let list = key::rewards_of(&terms.stream);
    let mut rewards: Rewards = state.get(&list)?.unwrap_or_default();
    if rewards.0.len() >= REWARDS_OF_STREAM_MAX {
        return Err(Refusal::TooManyRewards.into());
    }
    lock(state, actor, terms.fund, Place::Rewards, &Line::of(Reason::Reward, None))?;
    rewards.0.push(id);
    state.put(list, &rewards);
    let record = RewardRecord {
        payer: actor.id,
        terms: *terms,
        left: terms.fund,
        spent: Spent::default(),
        since_height: state.now.height,
    };
    state.put(key::reward(&id), &record);
    index::reward(state, &actor.id, &id, true);
    let (stream, payer) = (terms.stream, actor.id);
    state.emit(Event::Token(TokenEvent::RewardOffered { reward: id, stream, payer }));
    Ok(())
}

/// Adds to what a reward can pay out.
pub(crate) fn fund_reward<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
    amount: Amount,
) -> Result<(), Stop> {
    let record = record(state, id)?;
    if state.now.height > record.terms.until_height {
        return Err(Refusal::UnknownReward.into());
    }
    let line = Line::of(Reason::Reward, Some(record.payer));
    lock(state, actor, amount, Place::Rewards, &line)?;
    let left = sum(record.left, amount)?;
    state.put(key::reward(id), &RewardRecord { left, ..record });
    let (reward, from) = (*id, actor.id);
    state.emit(Event::Token(TokenEvent::RewardFunded { reward, from, amount }));
    Ok(())
}

/// Ends a reward.
pub(crate) fn end_reward<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
) -> Result<(), Stop> {
    let record = record(state, id)?;
    if record.payer != actor.id && state.now.height <= record.terms.until_height {
        return Err(Refusal::NotPermitted.into());
    }
    end(state, actor, id, &record)
}

fn record<R: Read>(state: &Transition<'_, R>, id: &TxId) -> Result<RewardRecord, Stop> {
    must_be_on(state)?;
    Ok(state.get(&key::reward(id))?.ok_or(Refusal::UnknownReward)?)
}

/// Takes a reward out; what is left goes back to whoever offered it.
fn end<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
    record: &RewardRecord,
) -> Result<(), Stop> {
    let list = key::rewards_of(&record.terms.stream);
    let mut rewards: Rewards = state.get(&list)?.unwrap_or_default();
    rewards.0.retain(|other| other != id);
    if rewards.0.is_empty() {
        state.remove(list);
    } else {
        state.put(list, &rewards);
    }
    state.remove(key::reward(id));
    index::reward(state, &record.payer, id, false);
    let (payer, amount) = (record.payer, record.left);
    if !amount.is_zero() {
        let line = Line::of(Reason::Reward, None);
        unlock(state, actor, &payer, amount, Place::Rewards, &line)?;
    }
    state.emit(Event::Token(TokenEvent::RewardEnded { reward: *id, payer, amount }));
    Ok(())
}

/// Ends the rewards of a stream whose time has passed, so that they keep nobody out.
fn drop_expired<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    stream: &StreamId,
) -> Result<(), Stop> {
    let rewards: Rewards = state.get(&key::rewards_of(stream))?.unwrap_or_default();
    for id in rewards.0 {
        let record = record(state, &id)?;
        if state.now.height > record.terms.until_height {
            end(state, actor, &id, &record)?;
        }
    }
    Ok(())
}

/// Pays what a batch earns that was just accepted.
pub(crate) fn earn<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    stream: &StreamId,
    owner: &EntityId,
    readings: u32,
) -> Result<(), Stop> {
    if state.now.parameters.fees.is_none() {
        return Ok(());
    }
    let Some(rewards) = state.get::<Rewards>(&key::rewards_of(stream))? else { return Ok(()) };
    for id in rewards.0 {
        if state.rewards_paid >= REWARDS_PAID_MAX {
            break;
        }
        pay(state, actor, &id, owner, readings)?;
    }
    Ok(())
}

fn pay<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
    owner: &EntityId,
    readings: u32,
) -> Result<(), Stop> {
    let record = record(state, id)?;
    let today = record.spent.left_of_day(record.terms.per_day, state.now.time_ms);
    let amount = record.terms.earned(readings).min(record.left).min(today);
    // Nobody earns by rewarding its own readings.
    if amount.is_zero() || record.payer == *owner || state.now.height > record.terms.until_height {
        return Ok(());
    }
    let left = record.left.minus(amount).ok_or(Refusal::InsufficientFunds)?;
    let spent = record.spent.and(amount, state.now.time_ms)?;
    state.put(key::reward(id), &RewardRecord { left, spent, ..record });
    let line = Line::of(Reason::Reward, Some(record.payer));
    unlock(state, actor, owner, amount, Place::Rewards, &line)?;
    state.rewards_paid += 1;
    state.emit(Event::Token(TokenEvent::RewardPaid { reward: *id, to: *owner, amount }));
    Ok(())
}
