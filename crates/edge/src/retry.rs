use crate::Limits;

/// The pause after this many failures in a row, milliseconds: doubling from the first to the
/// longest. Without randomness here, `spread` (a byte of the stream's id) shortens it by up to a
/// quarter, so that the streams of a gateway do not all return at once.
pub(crate) fn pause_ms(limits: &Limits, failures: u32, spread: u8) -> i64 {
    let doublings = failures.saturating_sub(1).min(32);
    let full = limits.retry_first_ms.saturating_mul(1_i64 << doublings).min(limits.retry_max_ms);
    full - full / 4 * i64::from(spread) / 255
}
