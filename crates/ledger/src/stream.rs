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

use minicbor::{Decode, Encode};

use crate::{
    binding, key as own_key, regulation, secrecy, thing, token,
    transition::{Actor, Moment, Stop, Transition},
    trigger::{self, Seen},
};

/// What contracts see of a stream's newest readings: the batch with the highest numbers. Readings
/// themselves lie beside the state, where not every peer has them; this is in it, and always the same
/// size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LatestBatch {
    /// Number of its first reading.
    #[n(0)]
    pub first_seq: u64,
    /// How many readings.
    #[n(1)]
    pub count: u32,
    /// Latest claimed time, milliseconds since 1970.
    #[n(2)]
    pub claimed_ms: i64,
    /// Ledger time of its block, milliseconds since 1970.
    #[n(3)]
    pub ledger_ms: u64,
    /// Smallest mantissa; none for text and bytes.
    #[n(4)]
    pub min: Option<i64>,
    /// Largest mantissa; none for text and bytes.
    #[n(5)]
    pub max: Option<i64>,
    /// Sum of the mantissas, 16 bytes big-endian.
    #[cbor(n(6), with = "minicbor::bytes")]
    sum: [u8; 16],
}

impl LatestBatch {
    fn of(batch: &BatchHeader, ledger_ms: u64) -> Self {
        Self {
            first_seq: batch.first_seq,
            count: batch.count,
            claimed_ms: batch.time_max,
            ledger_ms,
            min: batch.min,
            max: batch.max,
            sum: batch.sum.to_be_bytes(),
        }
    }

    /// Sum of the mantissas; 0 for text and bytes.
    #[must_use]
    pub const fn sum(&self) -> i128 {
        i128::from_be_bytes(self.sum)
    }

    /// As contracts read it: numbers that may exceed 32 bits are texts, keys are in order.
    pub(crate) fn to_json(self) -> serde_json::Value {
        serde_json::json!({
            "claimed_ms": self.claimed_ms.to_string(),
            "count": self.count,
            "first_seq": self.first_seq.to_string(),
            "ledger_ms": self.ledger_ms.to_string(),
            "max": self.max.map(|max| max.to_string()),
            "min": self.min.map(|min| min.to_string()),
            "sum": self.sum().to_string(),
        })
    }
}

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
    if !secrecy::hides(state, batch)? {
        fits(batch, &head.schema)?;
    }
    in_time(batch, &state.now)?;
    regulation::may_submit(state, &batch.stream)?;
    let taken = take(&mut head, batch, state.now.parameters.sequence_window)?;
    let leaf = Leaf::new(batch, actor.id, actor.transaction, state.now.height, state.now.time_ms);
    let index = head.peaks.leaves();
    let nodes = head.peaks.append(&leaf).map_err(|_| Refusal::OutOfBounds)?;
    state.put(key, &head);
    let newest = state.get::<LatestBatch>(&own_key::latest(&batch.stream))?;
    if newest.is_none_or(|newest| newest.first_seq < batch.first_seq) {
        state.put(own_key::latest(&batch.stream), &LatestBatch::of(batch, state.now.time_ms));
        trigger::saw(state, &batch.stream, &seen(batch, &state.now))?;
    }
    state.emit(Event::BatchAccepted {
        thing: head.thing,
        stream: batch.stream,
        leaf: index,
        first_seq: batch.first_seq,
        count: batch.count,
    });
    taken.events(batch).for_each(|event| state.emit(event));
    token::earn(state, actor, &batch.stream, &thing.owner, batch.count)?;
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

const fn seen(batch: &BatchHeader, now: &Moment<'_>) -> Seen {
    Seen { min: batch.min, max: batch.max, height: now.height, ledger_ms: now.time_ms }
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
