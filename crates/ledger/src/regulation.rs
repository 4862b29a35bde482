//! Regulations: what the members demand, by vote, of how readings are kept (Y.4464 7.2.4).
//!
//! A stream complies if its placement and secrecy are what every regulation in force about its thing
//! demands. No reading is taken for one that does not, and nothing makes one that does stop complying: so a
//! regulation holds for what was there before it too, from the next reading on.

use althing_proof::{key, stream::StreamHead};
use althing_state::{Read, StoreError};
use althing_types::{
    Action, EntityId, Placement, Refusal, Regulation, StreamId, ThingId, Transaction,
    limits::REGULATIONS_MAX,
};
use minicbor::{Decode, Encode};

use crate::{
    Context, key as own_key,
    placement::PlacementRecord,
    secrecy::SecrecyRecord,
    thing::Outline,
    transition::{Stop, Transition, decode_at, expect},
};

/// The ids of the regulations in force, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
struct InForce(#[n(0)] Vec<String>);

/// The regulations in force, ascending by id.
///
/// # Errors
/// [`StoreError`] if they cannot be read.
pub fn in_force(view: &impl Read) -> Result<Vec<Regulation>, StoreError> {
    let key = own_key::regulations();
    let Some(bytes) = view.get(&key)? else { return Ok(Vec::new()) };
    let ids: InForce = decode_at(&key, &bytes)?;
    ids.0.iter().map(|id| expect(view, &own_key::regulation(id))).collect()
}

/// The same in the state as the block has changed it so far.
pub(crate) fn load<R: Read>(state: &Transition<'_, R>) -> Result<Vec<Regulation>, StoreError> {
    let ids: InForce = state.get(&own_key::regulations())?.unwrap_or_default();
    let read = |id: &String| {
        let key = own_key::regulation(id);
        state.get(&key)?.ok_or_else(|| StoreError::corrupt(&key))
    };
    ids.0.iter().map(read).collect()
}

/// Those in force that are about a stream, ascending by id, and whether it complies with each.
///
/// # Errors
/// [`StoreError`] if they cannot be read.
pub fn about(
    view: &impl Read,
    now: &Context<'_>,
    stream: &StreamId,
) -> Result<Vec<(Regulation, bool)>, StoreError> {
    let mut state = Transition::new(view, now.next_moment());
    let told = kept(&state, stream).and_then(|kept| {
        let about = of_thing(&mut state, &kept.thing)?;
        let complies = |regulation: &Regulation| kept.complies(regulation);
        let told = |one: Regulation| {
            let holds = complies(&one);
            (one, holds)
        };
        Ok(about.into_iter().map(told).collect())
    });
    match told {
        Ok(told) => Ok(told),
        Err(Stop::Refused(_)) => Ok(Vec::new()),
        Err(Stop::Store(error)) => Err(error),
    }
}

/// The regulation that a transaction would break, if it came in the next block.
///
/// # Errors
/// [`StoreError`] if the state cannot be read.
pub fn broken(
    view: &impl Read,
    now: &Context<'_>,
    transaction: &Transaction,
) -> Result<Option<Regulation>, StoreError> {
    let mut state = Transition::new(view, now.next_moment());
    for action in &transaction.body().actions {
        let first = match action {
            Action::SubmitBatch(batch) => first_broken(&mut state, &batch.stream, None),
            Action::PlaceStream(said) => {
                first_broken(&mut state, &said.stream, Some(&said.placement))
            }
            Action::EraseReadings { stream, .. } => first_that_keeps(&mut state, stream),
            _ => continue,
        };
        match first {
            Ok(None) | Err(Stop::Refused(_)) => {}
            Ok(Some(regulation)) => return Ok(Some(regulation)),
            Err(Stop::Store(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// Refuses readings of a stream that does not comply.
pub(crate) fn may_submit<R: Read>(
    state: &mut Transition<'_, R>,
    stream: &StreamId,
) -> Result<(), Stop> {
    refuse(first_broken(state, stream, None)?)
}

/// Refuses a placement under which a stream would not comply.
pub(crate) fn may_place<R: Read>(
    state: &mut Transition<'_, R>,
    stream: &StreamId,
    placement: &Placement,
) -> Result<(), Stop> {
    refuse(first_broken(state, stream, Some(placement))?)
}

/// Refuses to erase what must be kept.
pub(crate) fn may_erase<R: Read>(
    state: &mut Transition<'_, R>,
    stream: &StreamId,
) -> Result<(), Stop> {
    refuse(first_that_keeps(state, stream)?)
}

fn refuse(broken: Option<Regulation>) -> Result<(), Stop> {
    match broken {
        Some(_) => Err(Refusal::RegulationBroken.into()),
        None => Ok(()),
    }
}

/// How a stream is kept.
struct Kept {
    thing: ThingId,
    placement: Placement,
    is_confidential: bool,
}

impl Kept {
    fn complies(&self, regulation: &Regulation) -> bool {
        regulation.demands.allow(&self.placement, self.is_confidential)
    }
}

fn kept<R: Read>(state: &Transition<'_, R>, stream: &StreamId) -> Result<Kept, Stop> {
    let head: StreamHead = state.get(&key::stream(stream))?.ok_or(Refusal::UnknownStream)?;
    let placed: Option<PlacementRecord> = state.get(&own_key::placement(stream))?;
    let secrecy: Option<SecrecyRecord> = state.get(&own_key::secrecy(stream))?;
    Ok(Kept {
        thing: head.thing,
        placement: placed.map(|placed| placed.placement).unwrap_or_default(),
        is_confidential: secrecy.is_some(),
    })
}

fn of_thing<R: Read>(
    state: &mut Transition<'_, R>,
    thing: &ThingId,
) -> Result<Vec<Regulation>, Stop> {
    let all = state.regulations()?;
    let outline: Outline = state.get(&own_key::properties(thing))?.unwrap_or_default();
    Ok(all.iter().filter(|one| one.is_about(&outline.types)).cloned().collect())
}

/// The first regulation that a stream breaks, kept as it is or placed otherwise. Most ledgers have none,
/// and then nothing more is read.
fn first_broken<R: Read>(
    state: &mut Transition<'_, R>,
    stream: &StreamId,
    placement: Option<&Placement>,
) -> Result<Option<Regulation>, Stop> {
    if state.regulations()?.is_empty() {
        return Ok(None);
    }
    let mut kept = kept(state, stream)?;
    if let Some(placement) = placement {
        kept.placement = placement.clone();
        // A placement cannot make a stream confidential, nor can the owner any more once it has readings:
        // it must be possible to mend the rest first.
        kept.is_confidential = true;
    }
    let about = of_thing(state, &kept.thing)?;
    Ok(about.into_iter().find(|regulation| !kept.complies(regulation)))
}

/// The first regulation that has a stream kept for some time.
fn first_that_keeps<R: Read>(
    state: &mut Transition<'_, R>,
    stream: &StreamId,
) -> Result<Option<Regulation>, Stop> {
    if state.regulations()?.is_empty() {
        return Ok(None);
    }
    let thing = kept(state, stream)?.thing;
    let about = of_thing(state, &thing)?;
    Ok(about.into_iter().find(|regulation| regulation.demands.retention_days_min.is_some()))
}

/// Puts a regulation into force, or in place of the one with its id.
pub(crate) fn set<R: Read>(
    state: &mut Transition<'_, R>,
    regulation: &Regulation,
) -> Result<(), Stop> {
    let members = state.members()?;
    let is_member = |id: &EntityId| members.0.binary_search(id).is_ok();
    if !regulation.demands.holders.iter().all(is_member) {
        return Err(Refusal::NotAMember.into());
    }
    let key = own_key::regulation(&regulation.id);
    if state.get::<Regulation>(&key)?.as_ref() == Some(regulation) {
        return Err(Refusal::ChangesNothing.into());
    }
    let list = own_key::regulations();
    let mut ids: InForce = state.get(&list)?.unwrap_or_default();
    if let Err(place) = ids.0.binary_search(&regulation.id) {
        if ids.0.len() >= REGULATIONS_MAX {
            return Err(Refusal::TooManyRegulations.into());
        }
        ids.0.insert(place, regulation.id.clone());
        state.put(list, &ids);
    }
    state.put(key, regulation);
    Ok(())
}

/// Ends a regulation.
pub(crate) fn end<R: Read>(state: &mut Transition<'_, R>, id: &String) -> Result<(), Stop> {
    let list = own_key::regulations();
    let mut ids: InForce = state.get(&list)?.unwrap_or_default();
    let place = ids.0.binary_search(id).map_err(|_| Refusal::UnknownRegulation)?;
    ids.0.remove(place);
    if ids.0.is_empty() {
        state.remove(list);
    } else {
        state.put(list, &ids);
    }
    state.remove(own_key::regulation(id));
    Ok(())
}

#[cfg(test)]
mod tests;
