//! Packs of a device, for tests.

use althing_types::{EntityId, LedgerId, Pack, PackBody, SigningKey, StreamId, Suite, Value};

pub(crate) const LEDGER: LedgerId = LedgerId([1; 32]);
pub(crate) const STREAM: StreamId = StreamId([3; 32]);
pub(crate) const DEVICE: EntityId = EntityId([8; 32]);

pub(crate) fn device_key() -> SigningKey {
    SigningKey::from_secret(Suite::Ed25519, [9; 32]).unwrap()
}

/// A pack of numbers at scale 1 of the property `t`, by a device without a clock.
pub(crate) fn pack(first_seq: u64, previous: Option<&Pack>, mantissas: &[i64]) -> Pack {
    let body = PackBody {
        signer: DEVICE,
        first_seq,
        previous: previous.map(Pack::digest),
        name: "t".to_owned(),
        base_ms: None,
        scale: 1,
        readings: mantissas.iter().map(|mantissa| (0, Value::Number(*mantissa))).collect(),
    };
    Pack::sign(&LEDGER, &STREAM, body, &device_key())
}
