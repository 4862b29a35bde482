use althing_types::{BatchHeader, EntityId, StreamId, TxId, Wire, WireError};
use minicbor::{Decode, Encode};

use crate::{cbor::int128, stream::Summary};

/// A batch in the tree of its stream: what its submitter said of it, and when the ledger took it.
///
/// It names neither its stream nor its position: both follow from where it hangs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Leaf {
    /// Sequence number of the first reading; the others follow without gap.
    #[n(0)]
    pub first_seq: u64,
    /// Number of readings.
    #[n(1)]
    pub count: u32,
    /// Earliest claimed time, milliseconds since 1970.
    #[n(2)]
    pub time_min: i64,
    /// Latest claimed time, milliseconds since 1970.
    #[n(3)]
    pub time_max: i64,
    /// Smallest mantissa; absent for text and bytes.
    #[n(4)]
    pub min: Option<i64>,
    /// Largest mantissa; absent for text and bytes.
    #[n(5)]
    pub max: Option<i64>,
    /// Sum of the mantissas; 0 for text and bytes.
    #[cbor(n(6), with = "int128")]
    pub sum: i128,
    /// BLAKE3 digest of the payload.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub payload_digest: [u8; 32],
    /// Length of the payload, bytes.
    #[n(8)]
    pub payload_len: u32,
    /// The entity that submitted it.
    #[n(9)]
    pub submitter: EntityId,
    /// The transaction that it came with.
    #[n(10)]
    pub transaction: TxId,
    /// Time of the block that took it, milliseconds since 1970.
    #[n(11)]
    pub ledger_time_ms: u64,
    /// Height of that block.
    #[n(12)]
    pub height: u64,
}

impl Wire for Leaf {
    const BYTES_MAX: usize = 224;

    fn validate(&self) -> Result<(), WireError> {
        if self.batch(StreamId::default()).is_valid() {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("leaf"))
        }
    }
}

impl Leaf {
    /// The leaf of a batch that `submitter` brought in `transaction` to the block at `height`.
    #[must_use]
    pub const fn new(
        batch: &BatchHeader,
        submitter: EntityId,
        transaction: TxId,
        height: u64,
        ledger_time_ms: u64,
    ) -> Self {
        Self {
            first_seq: batch.first_seq,
            count: batch.count,
            time_min: batch.time_min,
            time_max: batch.time_max,
            min: batch.min,
            max: batch.max,
            sum: batch.sum,
            payload_digest: batch.payload_digest,
            payload_len: batch.payload_len,
            submitter,
            transaction,
            ledger_time_ms,
            height,
        }
    }

    /// The batch header it was made from.
    #[must_use]
    pub const fn batch(&self, stream: StreamId) -> BatchHeader {
        BatchHeader {
            stream,
            first_seq: self.first_seq,
            count: self.count,
            time_min: self.time_min,
            time_max: self.time_max,
            min: self.min,
            max: self.max,
            sum: self.sum,
            payload_digest: self.payload_digest,
            payload_len: self.payload_len,
        }
    }

    /// Sequence number of the last reading. Saturates only for a leaf that is not valid.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.first_seq.saturating_add(u64::from(self.count).saturating_sub(1))
    }

    /// Its readings with their sequence numbers. Saturates only for a leaf that is not valid.
    pub fn numbered<T>(
        &self,
        readings: impl IntoIterator<Item = T>,
    ) -> impl Iterator<Item = (u64, T)> {
        // Not `first_seq..`: a range that is asked for one more than it has overflows.
        let first_seq = self.first_seq;
        (0..)
            .zip(readings)
            .map(move |(offset, reading)| (first_seq.saturating_add(offset), reading))
    }

    /// Its summary.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            leaves: 1,
            count: u64::from(self.count),
            seq_min: self.first_seq,
            seq_max: self.last_seq(),
            time_min: self.time_min,
            time_max: self.time_max,
            min: self.min,
            max: self.max,
            sum: self.sum,
        }
    }
}
