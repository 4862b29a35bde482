use althing_types::limits::{BATCH_READINGS_MAX, PAYLOAD_BYTES_MAX};
use althing_types::{EntityId, LedgerId};

use crate::profile::Profile;

/// What a gateway is and how much it takes. No defaults: the caller has more context.
#[derive(Debug, Clone)]
pub struct Config {
    /// The ledger it submits to.
    pub ledger: LedgerId,
    /// The entity it submits as.
    pub gateway: EntityId,
    /// How its devices speak, tried in order.
    pub profiles: Vec<Profile>,
    /// Its bounds.
    pub limits: Limits,
}

/// Bounds and times of a gateway.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest payload of a publish, bytes.
    pub payload_bytes_max: usize,
    /// How far a claimed time may be ahead of the gateway's clock, milliseconds.
    pub claimed_ahead_ms_max: i64,
    /// Most readings of a batch; a stream that has as many is sealed at once.
    pub batch_readings_max: usize,
    /// Most readings that piled up and are under way at a time, over all streams. More drain faster,
    /// fewer delay less what is new.
    pub backfill_readings_max: usize,
    /// How long a reading may wait for company before its batch is sealed, milliseconds.
    pub batch_age_ms_max: i64,
    /// Most readings of one stream that are not final.
    pub stream_readings_max: usize,
    /// Most bytes of all readings that are not final.
    pub queue_bytes_max: usize,
    /// Most requests to signer and peer at a time.
    pub under_way_max: usize,
    /// How many blocks a transaction stays valid.
    pub expiry_blocks: u64,
    /// First pause after a failure, milliseconds; it doubles with every further one.
    pub retry_first_ms: i64,
    /// Longest pause after a failure, milliseconds.
    pub retry_max_ms: i64,
}

/// Why limits make no gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("limit `{field}` is {value}, but must be from {min} to {max}")]
pub struct LimitError {
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: i128,
    /// Least value.
    pub min: i128,
    /// Greatest value.
    pub max: i128,
}

/// A day; longer waits are slips of the pen.
const DAY_MS: i128 = 86_400_000;

impl Limits {
    /// Whether every limit is within sense and the ledger's own bounds.
    ///
    /// # Errors
    /// [`LimitError`] naming the first that is not.
    pub fn check(&self) -> Result<(), LimitError> {
        let rows: [(&'static str, i128, i128, i128); 11] = [
            ("payload_bytes_max", self.payload_bytes_max as i128, 1, PAYLOAD_BYTES_MAX as i128),
            ("claimed_ahead_ms_max", self.claimed_ahead_ms_max.into(), 0, DAY_MS),
            ("batch_readings_max", self.batch_readings_max as i128, 1, BATCH_READINGS_MAX as i128),
            ("backfill_readings_max", self.backfill_readings_max as i128, 1, u32::MAX.into()),
            ("batch_age_ms_max", self.batch_age_ms_max.into(), 0, DAY_MS),
            ("stream_readings_max", self.stream_readings_max as i128, 1, u32::MAX.into()),
            ("queue_bytes_max", self.queue_bytes_max as i128, 1024, i64::MAX.into()),
            ("under_way_max", self.under_way_max as i128, 1, 4096),
            ("expiry_blocks", self.expiry_blocks.into(), 1, 1_000_000),
            ("retry_first_ms", self.retry_first_ms.into(), 1, DAY_MS),
            ("retry_max_ms", self.retry_max_ms.into(), self.retry_first_ms.into(), DAY_MS),
        ];
        for (field, value, min, max) in rows {
            if !(min..=max).contains(&value) {
                return Err(LimitError { field, value, min, max });
            }
        }
        Ok(())
    }
}
