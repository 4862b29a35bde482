//! The end of an epoch: who validates in those that follow, and how they agree.
//!
//! While epoch `e` lasts, its validators and those of `e + 1` stand in the state and change no more.
//! What members decide meanwhile gathers beside them (`governance`), unless seats follow from
//! stakes (`stake`), and the last block of `e` turns
//! the page: from then on the validators of `e + 2` are settled too. So everybody knows the validators
//! of the next epoch a whole epoch before its first block, however far execution lags, and newcomers
//! have that long to connect and catch up.

use althing_proof::key;
use althing_state::{Read, StoreError};
use althing_types::{Event, ValidatorSet, Wire as _, quorum};

use crate::{
    context::VALIDATORS,
    governance::mechanism,
    key as own_key, stake,
    transition::{Transition, decode_at},
};

/// The validators of the epoch after the present one, which no later block can change; none if the
/// present epoch has no end.
///
/// # Errors
/// [`StoreError`] if they cannot be read.
pub fn validators_of_next_epoch(view: &impl Read) -> Result<Option<ValidatorSet>, StoreError> {
    let key = own_key::next_validators();
    view.get(&key)?.map(|bytes| decode_at(&key, &bytes)).transpose()
}

/// Turns the page, if the block under way is the last of its epoch; gives the validators it settled,
/// if they are not those of the epoch before theirs.
pub(crate) fn turn<R: Read>(
    state: &mut Transition<'_, R>,
) -> Result<Option<ValidatorSet>, StoreError> {
    if !state.now.parameters.ends_epoch(state.now.height) {
        return Ok(None);
    }
    let (coming, chosen) = (own_key::next_validators(), own_key::chosen_validators());
    let Some(next) = state.get::<ValidatorSet>(&coming)? else {
        return Err(StoreError::corrupt(&coming));
    };
    let voted: Option<ValidatorSet> = state.get(&chosen)?;
    if voted.is_some() {
        state.remove(chosen);
    }
    // Whoever writes it sees to it; a ledger without validators could never be mended.
    let voted = voted.filter(|set| set.validate().is_ok()).map(|set| set.validators);
    let given = match &state.now.parameters.stake {
        Some(rules) => stake::elect(state, rules)?,
        None => voted,
    };
    let validators = given.unwrap_or_else(|| next.validators.clone());
    let mechanism = mechanism::settle(state, &next)?;
    let after = ValidatorSet { epoch: next.epoch.saturating_add(1), validators, mechanism };
    if state.now.parameters.stake.is_some() {
        stake::seat_members(state, &next)?;
        if after.validators != next.validators {
            let (count, quorum) = (after.validators.len(), quorum(after.validators.len()));
            let (count, quorum) = (count as u16, quorum as u16);
            state.emit(Event::ValidatorsChosen { count, quorum });
        }
    }
    state.put(key::parameter(VALIDATORS), &next);
    state.put(coming, &after);
    Ok(Some(after).filter(|after| !after.stays(&next)))
}

#[cfg(test)]
mod tests {
    use althing_types::{EntityId, Validator};

    use super::*;
    use crate::{
        BlockInput, execute, genesis,
        testing::{State, World, genesis as founding},
        transition::encode,
        validators,
    };

    const LENGTH: u32 = 32;

    fn set(epoch: u64, keys: &[u8]) -> ValidatorSet {
        let validator = |key: &u8| Validator {
            key: [*key; 32],
            peer: EntityId([*key; 32]),
            organisation: EntityId([1; 32]),
        };
        ValidatorSet { epoch, validators: keys.iter().map(validator).collect(), mechanism: None }
    }

    fn founded(epoch_blocks: Option<u32>) -> State {
        let mut founding = founding();
        founding.parameters.epoch_blocks = epoch_blocks;
        let writes = genesis::found(&founding);
        writes.into_iter().map(|(key, value)| (key, value.unwrap())).collect()
    }

    /// Executes empty blocks, the last of them at `to`.
    fn pass(state: &mut State, from: u64, to: u64) -> Vec<ValidatorSet> {
        let mut settled = Vec::new();
        let mut header = World::new().header();
        for height in from..=to {
            header.height = height;
            header.result.height = height - 1;
            let block = BlockInput { header: &header, transactions: &[] };
            let outcome = execute(state, &block).unwrap();
            settled.extend(outcome.validators);
            for (key, value) in outcome.writes {
                match value {
                    Some(value) => state.insert(key, value),
                    None => state.remove(&key),
                };
            }
        }
        settled
    }

    #[test]
    fn what_members_choose_holds_from_the_epoch_after_the_next() {
        let mut state = founded(Some(LENGTH));
        let founders = founding().validators();
        let with = |epoch| ValidatorSet { epoch, ..founders.clone() };
        let stands = |state: &State| {
            (validators(state).unwrap(), validators_of_next_epoch(state).unwrap().unwrap())
        };
        assert_eq!(stands(&state), (with(0), with(1)));
        pass(&mut state, 1, 30);
        assert_eq!(stands(&state), (with(0), with(1)));
        pass(&mut state, 31, 31);
        assert_eq!(stands(&state), (with(1), with(2)));
        // Chosen in epoch 1, it changes nothing before that ends, and then the set after the next.
        state.insert(own_key::chosen_validators(), encode(&set(0, &[3, 5])));
        pass(&mut state, 32, 62);
        assert_eq!(stands(&state), (with(1), with(2)));
        assert_eq!(pass(&mut state, 63, 63), [set(3, &[3, 5])]);
        assert_eq!(stands(&state), (with(2), set(3, &[3, 5])));
        assert!(!state.contains_key(&own_key::chosen_validators()), "it is done");
        // What nobody could have written there is not followed.
        state.insert(own_key::chosen_validators(), encode(&set(0, &[])));
        assert_eq!(pass(&mut state, 64, 95), [], "no other than before");
        assert_eq!(stands(&state), (set(3, &[3, 5]), set(4, &[3, 5])));
    }

    #[test]
    fn without_epochs_the_founders_stay() {
        let mut state = founded(None);
        let before = state.clone();
        pass(&mut state, 1, 100);
        assert_eq!(state, before);
        assert_eq!(validators_of_next_epoch(&state).unwrap(), None);
    }
}
