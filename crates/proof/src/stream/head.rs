use alloc::{string::String, vec::Vec};

use althing_types::{StreamId, StreamSchema, ThingId, Wire, WireError, limits::NAME_BYTES_MAX};
use minicbor::{Decode, Encode};

use crate::stream::Peaks;

/// Most gaps of one stream that stay open; a further one gives up the oldest.
pub const GAPS_MAX: usize = 256;

/// Sequence numbers that were skipped and may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Gap {
    /// First number missing.
    #[n(0)]
    pub first_seq: u64,
    /// How many, at least 1.
    #[n(1)]
    pub count: u64,
}

/// What the state keeps of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StreamHead {
    /// The thing.
    #[n(0)]
    pub thing: ThingId,
    /// The property of the thing.
    #[n(1)]
    pub property: String,
    /// The form of the values.
    #[n(2)]
    pub schema: StreamSchema,
    /// The number after the largest one taken; the first reading of a stream has number 0.
    #[n(3)]
    pub next_seq: u64,
    /// Numbers below `next_seq` that are missing and may still come, ascending, not adjacent, at
    /// most [`GAPS_MAX`].
    #[n(4)]
    pub gaps: Vec<Gap>,
    /// How many numbers were given up: they are missing for ever.
    #[n(5)]
    pub sealed: u64,
    /// The peaks of its tree.
    #[n(6)]
    pub peaks: Peaks,
}

impl Wire for StreamHead {
    const BYTES_MAX: usize = 512 + GAPS_MAX * 19 + Peaks::BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        if !(1..=NAME_BYTES_MAX).contains(&self.property.len()) {
            return Err(WireError::OutOfBounds("property"));
        }
        if !self.schema.is_valid() {
            return Err(WireError::OutOfBounds("schema"));
        }
        if !self.gaps_are_valid() {
            return Err(WireError::OutOfBounds("gaps"));
        }
        self.peaks.validate()?;
        if self.peaks.summary().is_some_and(|summary| summary.seq_max >= self.next_seq) {
            return Err(WireError::OutOfBounds("next_seq"));
        }
        Ok(())
    }
}

impl StreamHead {
    /// A stream without readings.
    #[must_use]
    pub fn new(thing: ThingId, property: String, schema: StreamSchema) -> Self {
        Self {
            thing,
            property,
            schema,
            next_seq: 0,
            gaps: Vec::new(),
            sealed: 0,
            peaks: Peaks::default(),
        }
    }

    /// The stream's id.
    #[must_use]
    pub fn id(&self) -> StreamId {
        StreamId::derive(&self.thing, &self.property)
    }

    fn gaps_are_valid(&self) -> bool {
        let mut floor = Some(0);
        self.gaps.len() <= GAPS_MAX
            && self.gaps.iter().all(|gap| {
                let above = floor.is_some_and(|floor| gap.first_seq >= floor);
                let end = gap.first_seq.checked_add(gap.count);
                // Two gaps side by side would be one.
                floor = end.and_then(|end| end.checked_add(1));
                above && gap.count > 0 && end.is_some_and(|end| end < self.next_seq)
            })
    }
}
