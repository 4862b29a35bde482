//! What a double vote costs.

use althing_state::Read;
use althing_types::{Amount, DoubleVote, EntityId, Event, Refusal, TokenEvent};

use super::{StakeRecord, line_up, rules};
use crate::{
    entity, key, token,
    transition::{Actor, Stop, Transition},
};

/// Destroys a share of what is behind a peer that voted twice, withdrawn or not, and lets it stand no
/// more; once for each epoch. That both votes are signed was checked with the signatures.
pub(crate) fn burn<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    votes: &DoubleVote,
) -> Result<(), Stop> {
    let rules = rules(state)?;
    entity::active(state, &actor.id)?;
    let known = key::offence(&votes.key, votes.epoch);
    if state.get::<()>(&known)?.is_some() {
        return Err(Refusal::OffenceKnown.into());
    }
    let peer: EntityId = state.get(&key::voting_key(&votes.key))?.ok_or(Refusal::NoStake)?;
    let before: StakeRecord = state.get(&key::stake(&peer))?.ok_or(Refusal::NoStake)?;
    let (staked, leaving) = (rules.burnt(before.amount), rules.burnt(before.leaving));
    let less = |of: Amount, burnt: Amount| of.minus(burnt).ok_or(Refusal::InsufficientFunds);
    let after = StakeRecord {
        amount: less(before.amount, staked)?,
        leaving: less(before.leaving, leaving)?,
        since_height: None,
        ..before
    };
    let amount = staked.plus(leaving).ok_or(Refusal::TooManyTokens)?;
    token::burn_stake(state, amount)?;
    line_up(state, &peer, Some(&before), Some(&after));
    if after.amount.is_zero() && after.leaving.is_zero() {
        state.remove(key::stake(&peer));
    } else {
        state.put(key::stake(&peer), &after);
    }
    state.put(known, &());
    let (organisation, epoch) = (before.organisation, votes.epoch);
    state.emit(Event::Token(TokenEvent::StakeBurnt { peer, organisation, amount, epoch }));
    Ok(())
}
