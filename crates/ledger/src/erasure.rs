//! Erasure: the owner has payloads deleted, and every holder says when it is done.

use althing_proof::key;
use althing_state::Read;
use althing_types::{
    EntityId, Event, Refusal, StreamEvent, StreamId, ValidatorSet, Wire, WireError,
    limits::ERASURES_MAX,
};
use minicbor::{Decode, Encode};

use crate::{
    index, key as own_key, regulation, secrecy,
    transition::{Actor, Stop, Transition},
};

/// What was erased of a stream, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Erasures(#[n(0)] pub Vec<Erasure>);

/// Numbers whose payloads were to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Erasure {
    /// First number.
    #[n(0)]
    pub first_seq: u64,
    /// Last number.
    #[n(1)]
    pub last_seq: u64,
    /// Height of the block that erased them: batches of later blocks are not among them.
    #[n(2)]
    pub height: u64,
}

impl Wire for Erasures {
    const BYTES_MAX: usize = ERASURES_MAX * 32 + 8;

    fn validate(&self) -> Result<(), WireError> {
        if self.0.len() <= ERASURES_MAX { Ok(()) } else { Err(WireError::OutOfBounds("erasures")) }
    }
}

/// A peer that confirmed an erasure, and in which block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Confirmation {
    /// The peer.
    #[n(0)]
    pub holder: EntityId,
    /// Height of the block.
    #[n(1)]
    pub height: u64,
}

/// Has every holder delete the payloads of all batches with a reading among these numbers.
pub(crate) fn erase<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    stream: &StreamId,
    first_seq: u64,
    last_seq: u64,
) -> Result<(), Stop> {
    let head = secrecy::owned(state, actor, stream)?;
    if last_seq >= head.next_seq {
        return Err(Refusal::OutOfBounds.into());
    }
    regulation::may_erase(state, stream)?;
    let key = own_key::erasures(stream);
    let mut erasures: Erasures = state.get(&key)?.unwrap_or_default();
    if erasures.0.len() >= ERASURES_MAX {
        return Err(Refusal::TooManyErasures.into());
    }
    let erasure = u32::try_from(erasures.0.len()).unwrap_or(u32::MAX);
    erasures.0.push(Erasure { first_seq, last_seq, height: state.now.height });
    state.put(key, &erasures);
    index::erased(state, stream, erasure);
    let stream = *stream;
    state.emit(Event::Stream(StreamEvent::Erased { stream, erasure, first_seq, last_seq }));
    Ok(())
}

/// Notes that the sender, a peer with a seat, holds none of the payloads any more.
pub(crate) fn confirm<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    stream: &StreamId,
    erasure: u32,
) -> Result<(), Stop> {
    let validators: Option<ValidatorSet> = state.get(&key::parameter("validators"))?;
    let seats = validators.map(|set| set.validators).unwrap_or_default();
    if !seats.iter().any(|seat| seat.peer == actor.id) {
        return Err(Refusal::NoSeat.into());
    }
    let erasures: Erasures = state.get(&own_key::erasures(stream))?.unwrap_or_default();
    if erasure as usize >= erasures.0.len() {
        return Err(Refusal::OutOfBounds.into());
    }
    let key = own_key::confirmations(stream, erasure);
    let mut confirmed: Vec<Confirmation> = state.get(&key)?.unwrap_or_default();
    if confirmed.iter().any(|it| it.holder == actor.id) {
        return Err(Refusal::ChangesNothing.into());
    }
    // Of those who had a seat once and have none now, the receipt counts no more: so many there are.
    confirmed.retain(|it| seats.iter().any(|seat| seat.peer == it.holder));
    confirmed.push(Confirmation { holder: actor.id, height: state.now.height });
    state.put(key, &confirmed);
    let (stream, holder) = (*stream, actor.id);
    state.emit(Event::Stream(StreamEvent::ErasureConfirmed { stream, erasure, holder }));
    Ok(())
}

#[cfg(test)]
mod tests;
