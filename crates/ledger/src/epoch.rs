//! The end of an epoch: who validates in those that follow.
//!
//! While epoch `e` lasts, its validators and those of `e + 1` stand in the state and change no more.
//! The last block of `e` turns the page: it decides, from what members have voted for by then, who
//! validates in `e + 2`. So everybody knows the validators of the next epoch a whole epoch before its
//! first block, however far execution lags, and newcomers have that long to connect and catch up.

use althing_proof::key;
use althing_state::{Read, StoreError};
use althing_types::{ValidatorSet, Wire as _};

use crate::{
    context::VALIDATORS,
    transition::{Transition, decode_at},
};

/// Name of the parameter that holds the [`ValidatorSet`] of the next epoch; absent if there is none.
pub(crate) const COMING: &str = "validators/coming";
/// Name of the parameter that holds whom members voted for, as a [`ValidatorSet`] whose epoch says
/// nothing; absent until they have.
pub(crate) const WANTED: &str = "validators/next";

/// The validators of the epoch after the present one, which no later block can change; none if the
/// present epoch has no end.
///
/// # Errors
/// [`StoreError`] if they cannot be read.
pub fn validators_of_next_epoch(view: &impl Read) -> Result<Option<ValidatorSet>, StoreError> {
    let key = key::parameter(COMING);
    view.get(&key)?.map(|bytes| decode_at(&key, &bytes)).transpose()
}

/// Turns the page, if the block under way is the last of its epoch; gives whom it decided on.
pub(crate) fn turn<R: Read>(
    state: &mut Transition<'_, R>,
) -> Result<Option<ValidatorSet>, StoreError> {
    if !state.now.parameters.ends_epoch(state.now.height) {
        return Ok(None);
    }
    let (present, coming) = (key::parameter(VALIDATORS), key::parameter(COMING));
    let Some(next) = state.get::<ValidatorSet>(&coming)? else {
        return Err(StoreError::corrupt(&coming));
    };
    let wanted: Option<ValidatorSet> = state.get(&key::parameter(WANTED))?;
    // Whoever writes it sees to it; a ledger without validators could never be mended.
    let wanted = wanted.filter(|wanted| wanted.validate().is_ok());
    let validators = wanted.map_or_else(|| next.validators.clone(), |wanted| wanted.validators);
    let after = ValidatorSet { epoch: next.epoch.saturating_add(1), validators };
    state.put(present, &next);
    state.put(coming, &after);
    Ok(Some(after))
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
        ValidatorSet { epoch, validators: keys.iter().map(validator).collect() }
    }

    fn founded(epoch_blocks: Option<u32>) -> State {
        let mut founding = founding();
        founding.parameters.epoch_blocks = epoch_blocks;
        let writes = genesis::found(&founding);
        writes.into_iter().map(|(key, value)| (key, value.unwrap())).collect()
    }

    /// Executes empty blocks, the last of them at `to`.
    fn pass(state: &mut State, from: u64, to: u64) {
        let mut header = World::new().header();
        for height in from..=to {
            header.height = height;
            header.result.height = height - 1;
            let block = BlockInput { header: &header, transactions: &[] };
            for (key, value) in execute(state, &block).unwrap().writes {
                match value {
                    Some(value) => state.insert(key, value),
                    None => state.remove(&key),
                };
            }
        }
    }

    #[test]
    fn what_members_want_holds_from_the_epoch_after_the_next() {
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
        // Wanted in epoch 1, it changes nothing before that ends, and then the set after the next.
        state.insert(key::parameter(WANTED), encode(&set(0, &[3, 5])));
        pass(&mut state, 32, 62);
        assert_eq!(stands(&state), (with(1), with(2)));
        pass(&mut state, 63, 63);
        assert_eq!(stands(&state), (with(2), set(3, &[3, 5])));
        // What nobody could have written there is not followed.
        state.insert(key::parameter(WANTED), encode(&set(0, &[])));
        pass(&mut state, 64, 95);
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
