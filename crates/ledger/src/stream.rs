//! Streams: the readings of one property, in batches that a window lets in.

mod sequence;

pub use sequence::{Taken, take};

use althing_proof::{
    key,
    record::ThingRecord,
    stream::{Leaf, StreamHead},
};
use althing_state::Read;
use althing_types::{BatchHeader, Event, Refusal, StreamSchema, ValueKind};

use crate::{
    binding, thing,
    transition::{Actor, Moment, Stop, Transition},
};

/// Appends a batch to a stream.
pub(crate) fn submit<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    batch: &BatchHeader,
) -> Result<(), Stop> {
    let key = key::stream(&batch.stream);
    let mut head: StreamHead = state.get(&key)?.ok_or(Refusal::UnknownStream)?;
    let thing = thing::present(state, &head.thing)?;
    binding::may_submit(state, &head.thing, &thing, &head.property, &actor.id)?;
    if !thing::has_property(state, &head.thing, &head.property)? {
        return Err(Refusal::UnknownStream.into());
    }
    was_described(&thing, state.now.checked_height)?;
    thing::device_unchanged(state, &thing, &actor.id)?;
    fits(batch, &head.schema)?;
    in_time(batch, &state.now)?;
    let taken = take(&mut head, batch, state.now.parameters.sequence_window)?;
    let leaf = Leaf::new(batch, actor.id, actor.transaction, state.now.height, state.now.time_ms);
    let index = head.peaks.leaves();
    let nodes = head.peaks.append(&leaf).map_err(|_| Refusal::OutOfBounds)?;
    state.put(key, &head);
    state.emit(Event::BatchAccepted {
        thing: head.thing,
        stream: batch.stream,
        leaf: index,
        first_seq: batch.first_seq,
        count: batch.count,
    });
    taken.events(batch).for_each(|event| state.emit(event));
    state.effects.leaves.push((batch.stream, index, leaf));
    state.effects.nodes.extend(nodes.into_iter().map(|node| (batch.stream, node)));
    Ok(())
}

/// Whether the thing had its present description at the height whose state payloads were checked
/// against: validators saw the payload, execution only sees the header.
pub(crate) fn was_described(thing: &ThingRecord, checked_height: u64) -> Result<(), Refusal> {
    if thing.registered_height > checked_height {
        return Err(Refusal::UnknownStream);
    }
    if thing.updated_height > checked_height {
        return Err(Refusal::VersionConflict);
    }
    Ok(())
}

/// Whether the summary can be that of values of the schema.
fn fits(batch: &BatchHeader, schema: &StreamSchema) -> Result<(), Refusal> {
    let on_grid = |mantissa: i64| mantissa.checked_rem(schema.quantum) == Some(0);
    let fits = match (schema.kind, batch.min, batch.max) {
        (ValueKind::Number, Some(min), Some(max)) => {
            on_grid(min)
                && on_grid(max)
                && batch.sum.checked_rem(i128::from(schema.quantum)) == Some(0)
                && schema.minimum.is_none_or(|minimum| min >= minimum)
                && schema.maximum.is_none_or(|maximum| max <= maximum)
        }
        (ValueKind::Bool, Some(min), Some(max)) => min >= 0 && max <= 1,
        (ValueKind::Text | ValueKind::Bytes, None, None) => true,
        _ => false,
    };
    if fits { Ok(()) } else { Err(Refusal::SchemaMismatch) }
}

/// Whether no claimed time lies further ahead of ledger time than clocks may differ. The past is
/// open: a gateway may have been cut off for long.
fn in_time(batch: &BatchHeader, now: &Moment<'_>) -> Result<(), Refusal> {
    let latest = i128::from(now.time_ms) + i128::from(now.parameters.claim_ahead_max_ms);
    if i128::from(batch.time_max) > latest { Err(Refusal::TimeOutOfRange) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
