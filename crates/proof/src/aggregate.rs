//! Count, minimum, maximum and sum over an interval, with the proof that none is left out.
//!
//! A subtree that lies inside the interval counts by its summary alone, one outside not at all;
//! only what straddles an end is opened, so the proof is small however long the interval, and
//! payloads inside it may be erased.

use althing_types::Value;

use crate::{
    archive::{Archive, ProveError},
    interval::Interval,
    opening::{self, Opening, OpeningError, Payloads, Shown},
    stream::{Leaf, StreamHead, Summary},
};

/// What the readings of an interval amount to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Aggregate {
    /// How many readings.
    pub count: u64,
    /// Smallest mantissa; absent without readings, and for text and bytes.
    pub min: Option<i64>,
    /// Largest mantissa; absent without readings, and for text and bytes.
    pub max: Option<i64>,
    /// Sum of the mantissas; 0 for text and bytes.
    pub sum: i128,
}

impl Aggregate {
    fn add(&mut self, other: &Self) -> Option<()> {
        self.count = self.count.checked_add(other.count)?;
        self.sum = self.sum.checked_add(other.sum)?;
        self.min = self.min.into_iter().chain(other.min).min();
        self.max = self.max.into_iter().chain(other.max).max();
        Some(())
    }

    const fn of_value(value: &Value) -> Self {
        let measure = value.measure();
        let sum = match measure {
            Some(mantissa) => mantissa as i128,
            None => 0,
        };
        Self { count: 1, min: measure, max: measure, sum }
    }
}

impl From<&Summary> for Aggregate {
    fn from(summary: &Summary) -> Self {
        let Summary { count, min, max, sum, .. } = *summary;
        Self { count, min, max, sum }
    }
}

/// Opens what straddles an end of the interval.
///
/// # Errors
/// [`ProveError`] if the archive lacks a part or the answer would be too large.
pub fn prove<A: Archive>(
    archive: &A,
    head: &StreamHead,
    interval: &Interval,
) -> Result<Opening, ProveError> {
    opening::open(archive, head, |summary| straddles(interval, summary), Payloads::Needed)
}

/// The aggregate over the interval, from an opening of the stream's tree.
///
/// # Errors
/// [`OpeningError`] naming the batches that are held back or not the stream's.
pub fn verify(
    head: &StreamHead,
    interval: &Interval,
    opening: &Opening,
) -> Result<Aggregate, OpeningError> {
    let shown = opening::check(&head.peaks, opening, |summary| straddles(interval, summary))?;
    let mut total = Aggregate::default();
    for part in shown {
        let part = match part {
            Shown::Closed(summary) if interval.covers(&summary) => Aggregate::from(&summary),
            Shown::Closed(_) => Aggregate::default(),
            Shown::Leaf { index, leaf, payload } => {
                let bytes = payload.ok_or(OpeningError::PayloadMissing { leaf: index })?;
                of_leaf(head, interval, index, leaf, bytes)?
            }
        };
        total.add(&part).ok_or(OpeningError::Overflow)?;
    }
    Ok(total)
}

fn of_leaf(
    head: &StreamHead,
    interval: &Interval,
    index: u64,
    leaf: &Leaf,
    bytes: &[u8],
) -> Result<Aggregate, OpeningError> {
    let payload = opening::open_payload(head, leaf, bytes)
        .map_err(|source| OpeningError::Payload { leaf: index, source })?;
    let mut total = Aggregate::default();
    for (seq, reading) in leaf.numbered(&payload.readings) {
        if interval.contains(seq, reading.claimed_ms) {
            total.add(&Aggregate::of_value(&reading.value)).ok_or(OpeningError::Overflow)?;
        }
    }
    Ok(total)
}

fn straddles(interval: &Interval, summary: &Summary) -> bool {
    interval.overlaps(summary) && !interval.covers(summary)
}
