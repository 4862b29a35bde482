//! How peers agree, and what members decide about it.
//!
//! The genesis says how they agree at first. Members can change it, from the beginning of an epoch on:
//! the plan waits in the state until the block that settles the validators of that epoch, and goes into
//! that set, which headers name and certificates are checked against. So whoever knows by whom an epoch is
//! signed knows how many of them must sign, and nobody needs another proof of that.

use althing_state::{Read, StoreError};
use althing_types::{Change, Event, Mechanism, MechanismFrom, Refusal, ValidatorSet};

use super::change;
use crate::{
    key as own_key,
    transition::{Stop, Transition},
};

/// How peers agree at first.
fn founding<R: Read>(state: &Transition<'_, R>) -> Result<Mechanism, StoreError> {
    Ok(state.get(&own_key::mechanism())?.unwrap_or(Mechanism::Simplex))
}

/// How the validators of an epoch agree.
pub(super) fn of<R: Read>(
    state: &Transition<'_, R>,
    set: &ValidatorSet,
) -> Result<Mechanism, StoreError> {
    Ok(set.agrees_by(founding(state)?))
}

/// What members decided about later epochs than those that are settled.
fn planned<R: Read>(state: &Transition<'_, R>) -> Result<Option<MechanismFrom>, StoreError> {
    state.get(&own_key::chosen_mechanism())
}

/// Decides how peers agree from a height on.
pub(super) fn set<R: Read>(
    state: &mut Transition<'_, R>,
    wanted: &MechanismFrom,
) -> Result<(), Stop> {
    let next = change::next(state)?.ok_or(Refusal::SeatsFixed)?;
    if !wanted.mechanism.is_for(change::mode(state)?) {
        return Err(Refusal::NotPrivate.into());
    }
    let begins = state.now.parameters.epoch_from(state.now.height, wanted.from_height);
    let from_height = begins.ok_or(Refusal::OutOfBounds)?;
    let choice = MechanismFrom { mechanism: wanted.mechanism, from_height };
    let stays = of(state, &next)? == choice.mechanism;
    let changes_nothing = match planned(state)? {
        Some(plan) => plan == choice,
        None => stays,
    };
    if changes_nothing {
        return Err(Refusal::ChangesNothing.into());
    }
    if stays {
        state.remove(own_key::chosen_mechanism());
    } else {
        state.put(own_key::chosen_mechanism(), &choice);
    }
    state.emit(Event::MechanismChosen(choice));
    Ok(())
}

/// What the set that follows on `next`, the last one that is settled, says of how its peers agree.
pub(crate) fn after<R: Read>(
    state: &Transition<'_, R>,
    next: &ValidatorSet,
) -> Result<Option<Mechanism>, StoreError> {
    let begins = state.now.parameters.epoch_end(next.epoch).and_then(|end| end.checked_add(1));
    let due = |plan: &MechanismFrom| begins.is_some_and(|begins| plan.from_height <= begins);
    let Some(plan) = planned(state)?.filter(due) else { return Ok(next.mechanism) };
    let founding = founding(state)?;
    Ok(Some(plan.mechanism).filter(|it| *it != founding))
}

/// The same, for the set that is settled now: what was planned for it is done.
pub(crate) fn settle<R: Read>(
    state: &mut Transition<'_, R>,
    next: &ValidatorSet,
) -> Result<Option<Mechanism>, StoreError> {
    let mechanism = after(state, next)?;
    if mechanism != next.mechanism {
        state.remove(own_key::chosen_mechanism());
    }
    Ok(mechanism)
}

/// How peers would agree after a change that takes effect at a height, and from where on if the change is
/// about that. It was made in `state` already.
pub(super) fn prospect<R: Read>(
    state: &Transition<'_, R>,
    change: Option<&Change>,
    effect: u64,
) -> Result<(Mechanism, Option<u64>), Stop> {
    let founding = founding(state)?;
    let Some(next) = change::next(state)? else { return Ok((founding, None)) };
    let Some(Change::SetMechanism(wanted)) = change else {
        return Ok((after(state, &next)?.unwrap_or(founding), None));
    };
    let begins = state.now.parameters.epoch_from(effect, wanted.from_height);
    let stays = next.agrees_by(founding) == wanted.mechanism;
    Ok((wanted.mechanism, begins.filter(|_| !stays)))
}

/// How the validators of an epoch agree.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn mechanism(view: &impl Read, set: &ValidatorSet) -> Result<Mechanism, StoreError> {
    let founding = super::read(view, &own_key::mechanism())?;
    Ok(set.agrees_by(founding.unwrap_or(Mechanism::Simplex)))
}

/// What members decided about how peers agree that has not begun, nor is settled.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn planned_mechanism(view: &impl Read) -> Result<Option<MechanismFrom>, StoreError> {
    super::read(view, &own_key::chosen_mechanism())
}

#[cfg(test)]
mod tests;
