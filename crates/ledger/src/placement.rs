//! Placement: the owner decides which peers keep the payloads of a stream, and for how long.
//!
//! The ledger keeps the rule; which peers it means for a payload follows from the rule and the seats of
//! the moment ([`Placement::holders`]). Everything but payloads is with every peer in any case.

use althing_proof::key;
use althing_state::Read;
use althing_types::{
    Event, Placement, Refusal, StreamEvent, StreamPlacement, ValidatorSet, Wire,
    limits::PLACED_ORGANISATIONS_MAX,
};
use minicbor::{Decode, Encode};

use crate::{
    index, key as own_key, regulation, secrecy,
    transition::{Actor, Stop, Transition},
};

/// Who keeps the payloads of a stream, as its owner said last.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PlacementRecord {
    /// Who, and for how long.
    #[n(0)]
    pub placement: Placement,
    /// Height of the block that said so.
    #[n(1)]
    pub since_height: u64,
}

impl Wire for PlacementRecord {
    const BYTES_MAX: usize = PLACED_ORGANISATIONS_MAX * 34 + 48;
}

/// Says who keeps the payloads of a stream, those that are there already included.
pub(crate) fn place<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    said: &StreamPlacement,
) -> Result<(), Stop> {
    let StreamPlacement { stream, placement } = said;
    secrecy::owned(state, actor, stream)?;
    if !placement.organisations.is_empty() {
        let validators: Option<ValidatorSet> = state.get(&key::parameter("validators"))?;
        let seats = validators.map(|set| set.validators).unwrap_or_default();
        let named = &placement.organisations;
        if !seats.iter().any(|seat| named.binary_search(&seat.organisation).is_ok()) {
            return Err(Refusal::NoHolder.into());
        }
    }
    regulation::may_place(state, stream, placement)?;
    let key = own_key::placement(stream);
    let before: Option<PlacementRecord> = state.get(&key)?;
    if before.map(|before| before.placement).unwrap_or_default() == *placement {
        return Err(Refusal::ChangesNothing.into());
    }
    let record = PlacementRecord { placement: placement.clone(), since_height: state.now.height };
    state.put(key, &record);
    index::stream_placed(state, stream);
    let (stream, placement) = (*stream, placement.clone());
    state.emit(Event::Stream(StreamEvent::Placed { stream, placement }));
    Ok(())
}

#[cfg(test)]
mod tests;
