//! Who gets the seats, at the end of each epoch.

use althing_proof::key as proof_key;
use althing_state::{Direction, Read, StoreError, prefix_end};
use althing_types::{EntityId, Event, Members, StakeRules, TokenEvent, Validator, ValidatorSet};
use minicbor::{Decode, Encode, bytes::ByteArray};

use super::{StakeRecord, line_up};
use crate::{
    context::VALIDATORS,
    entity, key,
    transition::{Stop, Transition},
};

/// Most rows of the line that are looked at for one seat: those whose peers were revoked leave it.
const ROWS_PER_SEAT: usize = 2;

/// The voting keys that have proposed a block of the present epoch, ascending.
#[derive(Debug, Default, Encode, Decode)]
#[cbor(transparent)]
struct Heard(#[n(0)] Vec<ByteArray<32>>);

/// Notes that a peer proposed a block; written once an epoch for each.
pub(crate) fn heard_of<R: Read>(
    state: &mut Transition<'_, R>,
    proposer: &[u8; 32],
) -> Result<(), StoreError> {
    if state.now.parameters.stake.is_none() {
        return Ok(());
    }
    let key = key::heard();
    let mut heard: Heard = state.get(&key)?.unwrap_or_default();
    if let Err(place) = heard.0.binary_search_by(|other| (**other).cmp(proposer)) {
        heard.0.insert(place, ByteArray::from(*proposer));
        state.put(key, &heard);
    }
    Ok(())
}

/// Gives the seats of the epoch after the next: to whom, or to nobody else than before if too few stand.
pub(crate) fn elect<R: Read>(
    state: &mut Transition<'_, R>,
    rules: &StakeRules,
) -> Result<Option<Vec<Validator>>, StoreError> {
    drop_silent(state, rules)?;
    let (standing, gone) = first_in_line(state, rules)?;
    for peer in gone {
        drop_candidate(state, &peer)?;
    }
    if standing.len() < usize::from(rules.seats_min) {
        let (candidates, needed) = (standing.len() as u16, rules.seats_min);
        state.emit(Event::Token(TokenEvent::SeatsKept { candidates, needed }));
        return Ok(None);
    }
    Ok(Some(standing))
}

/// The seats as they would be given now; none if too few stand.
pub(crate) fn prospect<R: Read>(
    state: &mut Transition<'_, R>,
    rules: &StakeRules,
) -> Result<Option<Vec<Validator>>, StoreError> {
    let (standing, _) = first_in_line(state, rules)?;
    Ok(Some(standing).filter(|standing| standing.len() >= usize::from(rules.seats_min)))
}

/// Those first in line, ascending by key, and those passed over who may not act any more.
fn first_in_line<R: Read>(
    state: &mut Transition<'_, R>,
    rules: &StakeRules,
) -> Result<(Vec<Validator>, Vec<EntityId>), StoreError> {
    let (seats, line) = (usize::from(rules.seats_max), key::candidates());
    let (to, limit) = (prefix_end(&line), seats * ROWS_PER_SEAT);
    let (rows, _) = state.range(&line, to.as_deref(), Direction::Forward, limit)?;
    let (mut standing, mut gone) = (Vec::new(), Vec::new());
    for (row, _) in rows {
        if standing.len() == seats {
            break;
        }
        let peer = key::candidate_of(&row).ok_or_else(|| StoreError::corrupt(&row))?;
        let record = known(state, &peer)?;
        match entity::active(state, &peer) {
            Ok(_) => {
                let (key, organisation) = (record.key, record.organisation);
                standing.push(Validator { key, peer, organisation });
            }
            Err(Stop::Refused(_)) => gone.push(peer),
            Err(Stop::Store(error)) => return Err(error),
        }
    }
    standing.sort_by_key(|validator| validator.key);
    Ok((standing, gone))
}

/// Counts the epochs in which those with a seat proposed nothing, and drops who was silent too long.
fn drop_silent<R: Read>(
    state: &mut Transition<'_, R>,
    rules: &StakeRules,
) -> Result<(), StoreError> {
    let key = key::heard();
    let heard: Heard = state.get(&key)?.unwrap_or_default();
    state.remove(key);
    let key = proof_key::parameter(VALIDATORS);
    let present: ValidatorSet = state.get(&key)?.ok_or_else(|| StoreError::corrupt(&key))?;
    for Validator { key, peer, .. } in present.validators {
        let Some(record) = state.get::<StakeRecord>(&key::stake(&peer))? else { continue };
        let spoke = heard.0.binary_search_by(|other| (**other).cmp(&key)).is_ok();
        let silent_epochs = if spoke { 0 } else { record.silent_epochs.saturating_add(1) };
        if silent_epochs == record.silent_epochs {
            continue;
        }
        state.put(key::stake(&peer), &StakeRecord { silent_epochs, ..record });
        if silent_epochs >= rules.silent_epochs && record.since_height.is_some() {
            drop_candidate(state, &peer)?;
        }
    }
    Ok(())
}

/// Lets a peer stand no more; its stake stays where it is.
fn drop_candidate<R: Read>(
    state: &mut Transition<'_, R>,
    peer: &EntityId,
) -> Result<(), StoreError> {
    let before = known(state, peer)?;
    let after = StakeRecord { since_height: None, ..before };
    line_up(state, peer, Some(&before), Some(&after));
    state.put(key::stake(peer), &after);
    state.emit(Event::Token(TokenEvent::CandidateDropped {
        peer: *peer,
        organisation: before.organisation,
        silent_epochs: before.silent_epochs,
    }));
    Ok(())
}

fn known<R: Read>(state: &Transition<'_, R>, peer: &EntityId) -> Result<StakeRecord, StoreError> {
    let key = key::stake(peer);
    state.get(&key)?.ok_or_else(|| StoreError::corrupt(&key))
}

/// Makes the organisations whose peers vote from now on the members, so that who votes on blocks and who
/// votes on what concerns everybody are the same.
pub(crate) fn seat_members<R: Read>(
    state: &mut Transition<'_, R>,
    present: &ValidatorSet,
) -> Result<(), StoreError> {
    let mut members: Vec<EntityId> =
        present.validators.iter().map(|validator| validator.organisation).collect();
    members.sort_unstable();
    members.dedup();
    let (key, members) = (key::members(), Members(members));
    if state.get::<Members>(&key)?.as_ref() != Some(&members) {
        state.put(key, &members);
    }
    Ok(())
}
