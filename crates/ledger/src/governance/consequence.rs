//! What a change would lead to, before anybody votes on it.

use althing_state::{Read, StoreError};
use althing_types::{Change, EntityId, Mechanism, Refusal, Validator};

use crate::{
    Context,
    transition::{Actor, Stop, Transition},
};

use super::{all_members, change, mechanism, rule};

/// The ledger as it would be if a change took effect now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consequence {
    /// Why it cannot take effect; the rest then tells of the ledger as it is.
    pub refusal: Option<Refusal>,
    /// How many member organisations must agree to this change.
    pub votes_needed: usize,
    /// Blocks between their agreement and its effect.
    pub timelock_blocks: u32,
    /// How many member organisations there would be.
    pub members: usize,
    /// How many of them would have to agree to a further change.
    pub votes_needed_after: usize,
    /// The validators there would be, ascending by key.
    pub validators: Vec<Validator>,
    /// If it changes seats: the first block that those validators vote on, and the last height at which
    /// the change can take effect for that. Later, it holds an epoch later.
    pub seats_from: Option<(u64, u64)>,
    /// How many of them would have to sign a block.
    pub quorum: usize,
    /// How many of them may fail without harm.
    pub faults_tolerated: usize,
    /// How many of those may lie, too.
    pub lies_tolerated: usize,
    /// How they would agree.
    pub mechanism: Mechanism,
    /// The first block that is agreed on like that; only if that changes.
    pub mechanism_from: Option<u64>,
    /// The organisation with the most seats, and how many those are.
    pub largest_share: Option<(EntityId, usize)>,
}

/// What a change would lead to in the present state; nothing is written.
///
/// # Errors
/// [`StoreError`] if the state cannot be read.
pub fn consequence(
    view: &impl Read,
    now: &Context<'_>,
    proposed: &Change,
) -> Result<Consequence, StoreError> {
    let mut state = Transition::new(view, now.next_moment());
    let read = |stop: Stop| match stop {
        Stop::Store(error) => error,
        Stop::Refused(_) => StoreError::corrupt(b"c/"),
    };
    let rule_now = rule(&state).map_err(read)?;
    let before = all_members(&state).map_err(read)?.0.len();
    let seats_before = change::to_come(&state).map_err(read)?;
    let mark = state.mark();
    let nobody = Actor { id: EntityId::default(), transaction: Default::default(), position: 0 };
    let refusal = match change::make(&mut state, &nobody, proposed) {
        Ok(()) => None,
        Err(Stop::Refused(refusal)) => {
            state.roll_back(mark);
            Some(refusal)
        }
        Err(Stop::Store(error)) => return Err(error),
    };
    let members = all_members(&state).map_err(read)?.0.len();
    let validators = change::to_come(&state).map_err(read)?;
    let effect = state.now.height.saturating_add(u64::from(rule_now.timelock_blocks));
    let done = Some(proposed).filter(|_| refusal.is_none());
    let (mechanism, mechanism_from) = mechanism::prospect(&state, done, effect).map_err(read)?;
    let quorum = mechanism.quorum(validators.len());
    let parameters = state.now.parameters;
    let heights =
        parameters.seats_from(effect).zip(parameters.epoch_end(parameters.epoch_of(effect)));
    Ok(Consequence {
        refusal,
        votes_needed: rule_now.needed_for(proposed, before),
        timelock_blocks: rule_now.timelock_blocks,
        members,
        votes_needed_after: rule(&state).map_err(read)?.needed(members),
        quorum,
        faults_tolerated: validators.len() - quorum,
        lies_tolerated: mechanism.lies_tolerated(validators.len()),
        mechanism,
        mechanism_from,
        largest_share: largest_share(&validators),
        seats_from: heights.filter(|_| validators != seats_before),
        validators,
    })
}

fn largest_share(validators: &[Validator]) -> Option<(EntityId, usize)> {
    let shares = validators.iter().map(|one| {
        let same = validators.iter().filter(|other| other.organisation == one.organisation);
        (one.organisation, same.count())
    });
    // The smallest id of those with most seats, so that the answer does not depend on key order.
    shares.max_by(|(a, seats_a), (b, seats_b)| seats_a.cmp(seats_b).then(b.cmp(a)))
}
