use althing_types::{Wire, WireError};
use minicbor::{Decode, Encode};

use crate::stream::Summary;

/// Which readings of a stream a question is about; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Interval {
    /// By sequence number.
    #[n(0)]
    Seq {
        /// The first.
        #[n(0)]
        first: u64,
        /// The last.
        #[n(1)]
        last: u64,
    },
    /// By claimed time, milliseconds since 1970.
    #[n(1)]
    Time {
        /// The earliest.
        #[n(0)]
        first_ms: i64,
        /// The latest.
        #[n(1)]
        last_ms: i64,
    },
}

impl Wire for Interval {
    const BYTES_MAX: usize = 24;

    fn validate(&self) -> Result<(), WireError> {
        let ascends = match self {
            Self::Seq { first, last } => first <= last,
            Self::Time { first_ms, last_ms } => first_ms <= last_ms,
        };
        if ascends { Ok(()) } else { Err(WireError::OutOfBounds("interval")) }
    }
}

impl Interval {
    /// Whether a reading belongs to it.
    #[must_use]
    pub const fn contains(&self, seq: u64, claimed_ms: i64) -> bool {
        match self {
            Self::Seq { first, last } => *first <= seq && seq <= *last,
            Self::Time { first_ms, last_ms } => *first_ms <= claimed_ms && claimed_ms <= *last_ms,
        }
    }

    /// Whether a subtree can hold a reading that belongs to it.
    #[must_use]
    pub const fn overlaps(&self, summary: &Summary) -> bool {
        match self {
            Self::Seq { first, last } => *first <= summary.seq_max && summary.seq_min <= *last,
            Self::Time { first_ms, last_ms } => {
                *first_ms <= summary.time_max && summary.time_min <= *last_ms
            }
        }
    }

    /// Whether every reading of a subtree belongs to it.
    #[must_use]
    pub const fn covers(&self, summary: &Summary) -> bool {
        self.contains(summary.seq_min, summary.time_min)
            && self.contains(summary.seq_max, summary.time_max)
    }
}
