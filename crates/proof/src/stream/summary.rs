use althing_types::{Wire, WireError, limits::BATCH_READINGS_MAX};
use minicbor::{Decode, Encode};

use crate::cbor::int128;

/// Most leaves of one stream: a batch every millisecond for 35 years.
pub const LEAVES_MAX: u64 = 1 << 40;

/// What a subtree holds, in one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Summary {
    /// Number of leaves, 1 to [`LEAVES_MAX`].
    #[n(0)]
    pub leaves: u64,
    /// Number of readings.
    #[n(1)]
    pub count: u64,
    /// Smallest sequence number.
    #[n(2)]
    pub seq_min: u64,
    /// Largest sequence number.
    #[n(3)]
    pub seq_max: u64,
    /// Earliest claimed time, milliseconds since 1970.
    #[n(4)]
    pub time_min: i64,
    /// Latest claimed time, milliseconds since 1970.
    #[n(5)]
    pub time_max: i64,
    /// Smallest mantissa; absent for text and bytes.
    #[n(6)]
    pub min: Option<i64>,
    /// Largest mantissa; absent for text and bytes.
    #[n(7)]
    pub max: Option<i64>,
    /// Sum of the mantissas; 0 for text and bytes.
    #[cbor(n(8), with = "int128")]
    pub sum: i128,
}

impl Wire for Summary {
    const BYTES_MAX: usize = 96;

    fn validate(&self) -> Result<(), WireError> {
        if self.is_valid() { Ok(()) } else { Err(WireError::OutOfBounds("summary")) }
    }
}

impl Summary {
    /// The summary of two subtrees side by side; `None` beyond [`LEAVES_MAX`] leaves or if a number
    /// overflows. Associative, so that the shape of the tree does not matter.
    #[must_use]
    pub fn merge(&self, right: &Self) -> Option<Self> {
        let leaves = self.leaves.checked_add(right.leaves).filter(|leaves| *leaves <= LEAVES_MAX);
        Some(Self {
            leaves: leaves?,
            count: self.count.checked_add(right.count)?,
            seq_min: self.seq_min.min(right.seq_min),
            seq_max: self.seq_max.max(right.seq_max),
            time_min: self.time_min.min(right.time_min),
            time_max: self.time_max.max(right.time_max),
            min: either(self.min, right.min, i64::min),
            max: either(self.max, right.max, i64::max),
            sum: self.sum.checked_add(right.sum)?,
        })
    }

    /// Whether the fields are within their bounds and agree with each other. The sum of summaries
    /// that do cannot overflow.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        (1..=LEAVES_MAX).contains(&self.leaves)
            && (self.leaves..=self.leaves * BATCH_READINGS_MAX as u64).contains(&self.count)
            && self.seq_min <= self.seq_max
            // Sequence numbers do not repeat, so there are no more readings than numbers.
            && self.count - 1 <= self.seq_max - self.seq_min
            && self.time_min <= self.time_max
            && self.sum_is_possible()
    }

    fn sum_is_possible(&self) -> bool {
        let count = i128::from(self.count);
        match (self.min, self.max) {
            (Some(min), Some(max)) => {
                min <= max
                    && (i128::from(min) * count..=i128::from(max) * count).contains(&self.sum)
            }
            (None, None) => self.sum == 0,
            _ => false,
        }
    }
}

fn either(a: Option<i64>, b: Option<i64>, choose: fn(i64, i64) -> i64) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(choose(a, b)),
        (a, b) => a.or(b),
    }
}
