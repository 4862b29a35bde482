use alloc::{string::ToString, vec, vec::Vec};

use proptest::prelude::*;

use super::*;

const LEDGER: LedgerId = LedgerId([1; 32]);
const STREAM: StreamId = StreamId([2; 32]);
const DEVICE: EntityId = EntityId([3; 32]);

fn key() -> SigningKey {
    SigningKey::from_secret(Suite::Ed25519, [7; 32]).unwrap()
}

fn body(first_seq: u64, previous: Option<[u8; 32]>, mantissas: &[i64]) -> PackBody {
    let readings = (0..).zip(mantissas);
    PackBody {
        signer: DEVICE,
        first_seq,
        previous,
        name: "temperature".to_string(),
        base_ms: Some(1_700_000_000_000),
        scale: 2,
        readings: readings.map(|(at, mantissa)| (at * 1000, Value::Number(*mantissa))).collect(),
    }
}

fn pack(body: PackBody) -> Pack {
    Pack::sign(&LEDGER, &STREAM, body, &key())
}

fn chain() -> SignedPayload {
    let first = pack(body(40, None, &[2150, 2155]));
    let second = pack(body(42, Some(first.digest()), &[-5]));
    let packs = vec![
        Arrived { received_ms: 1_700_000_001_500, pack: first },
        Arrived { received_ms: 1_700_000_002_500, pack: second },
    ];
    SignedPayload { packs }
}

fn is_signed(pack: &Pack, ledger: &LedgerId, stream: &StreamId) -> bool {
    pack.check(ledger, stream, &key().public_key()).is_some_and(|check| check.holds())
}

#[test]
fn a_signature_is_for_one_ledger_and_one_stream() {
    let pack = pack(body(0, None, &[1]));
    assert!(is_signed(&pack, &LEDGER, &STREAM));
    assert!(!is_signed(&pack, &LedgerId([9; 32]), &STREAM));
    assert!(!is_signed(&pack, &LEDGER, &StreamId([9; 32])));
    let other = SigningKey::from_secret(Suite::P256, [7; 32]).unwrap().public_key();
    assert!(pack.check(&LEDGER, &STREAM, &other).is_none(), "another suite");
}

#[test]
fn no_changed_byte_of_a_pack_passes() {
    let good = pack(body(9, Some([5; 32]), &[2150, 2155, -5]));
    for position in 0..good.wire().len() {
        for flip in [1, 0x20, 0x80] {
            let mut wire = good.wire().to_vec();
            wire[position] ^= flip;
            let passes = Pack::decode(&wire).is_ok_and(|pack| is_signed(&pack, &LEDGER, &STREAM));
            assert!(!passes, "byte {position} ^ {flip:#x}");
        }
    }
}

#[test]
fn a_payload_of_packs_gives_their_readings_and_is_no_other_payload() {
    let signed = chain();
    let (bytes, header) = (signed.to_wire(), signed.header(STREAM));
    let readings = header.read(&bytes).unwrap().readings;
    let expected = [(0, 1500, 2150), (1000, 1500, 2155), (0, 2500, -5)].map(
        |(claimed, received, mantissa)| Reading {
            claimed_ms: 1_700_000_000_000 + claimed,
            received_ms: 1_700_000_000_000 + received,
            value: Value::Number(mantissa),
        },
    );
    assert_eq!(readings, expected);
    assert_eq!((header.first_seq, header.count, header.sum), (40, 3, 4300));
    assert_eq!(header.packs(&bytes).unwrap(), Some(signed));
    assert!(Payload::from_wire(&bytes).is_err());
    let plain = Payload { readings };
    assert_eq!(plain.header(STREAM, 40).packs(&plain.to_wire()), Ok(None));
}

/// What a gateway could do to packs between device and ledger.
#[test]
fn packs_left_out_reordered_repeated_or_moved_are_refused() {
    let good = chain();
    let third = pack(body(43, Some(good.packs[1].pack.digest()), &[7]));
    let third = Arrived { received_ms: 1_700_000_003_500, pack: third };
    let [a, b] = <[Arrived; 2]>::try_from(good.packs.clone()).unwrap();
    let unchained = pack(body(42, Some([0; 32]), &[-5]));
    let unchained = Arrived { pack: unchained, ..b.clone() };
    for (what, packs) in [
        ("left out", vec![a.clone(), third]),
        ("reordered", vec![b.clone(), a.clone()]),
        ("repeated", vec![a.clone(), a.clone()]),
        ("another in its place", vec![a, unchained]),
    ] {
        let wire = SignedPayload { packs }.to_wire();
        let refused = SignedPayload::from_wire(&wire);
        assert_eq!(refused, Err(WireError::OutOfBounds("the chain of packs")), "{what}");
    }
    // Under other numbers than the device gave, the header is not that of the packs.
    let moved = BatchHeader { first_seq: 41, ..good.header(STREAM) };
    assert!(moved.packs(&good.to_wire()).is_err());
}

#[test]
fn a_scale_that_is_not_the_streams_is_another_value() {
    let (signed, unit) = (chain(), alloc::string::String::new());
    let schema = |scale| crate::StreamSchema {
        kind: crate::ValueKind::Number,
        scale,
        quantum: 1,
        unit: unit.clone(),
        minimum: None,
        maximum: None,
    };
    let (header, bytes) = (signed.header(STREAM), signed.to_wire());
    assert!(header.open(&bytes, &schema(2)).is_ok());
    let refused = header.open(&bytes, &schema(1));
    assert_eq!(refused, Err(crate::PayloadError::Schema { index: 0 }));
}

#[test]
fn a_device_without_a_clock_counts_from_receipt() {
    let mut body = body(0, None, &[1, 2]);
    body.base_ms = None;
    let pack = pack(body);
    assert_eq!(Pack::decode(pack.wire()), Ok(pack.clone()));
    let claimed: Vec<i64> =
        pack.readings(5000).unwrap().iter().map(|reading| reading.claimed_ms).collect();
    assert_eq!(claimed, [5000, 6000]);
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Number),
        any::<bool>().prop_map(Value::Bool),
        "[a-zö]{0,20}".prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
    ]
}

prop_compose! {
    fn bodies()(
        signer in any::<[u8; 32]>(),
        first_seq in 0..u64::MAX / 2,
        previous in any::<Option<[u8; 32]>>(),
        name in "[a-z]{1,64}",
        base_ms in any::<Option<i64>>(),
        scale in 0..=SCALE_MAX,
        readings in proptest::collection::vec((any::<i64>(), value()), 1..6),
    ) -> PackBody {
        let has_number = readings.iter().any(|(_, value)| matches!(value, Value::Number(_)));
        let (signer, scale) = (EntityId(signer), if has_number { scale } else { 0 });
        PackBody { signer, first_seq, previous, name, base_ms, scale, readings }
    }
}

proptest! {
    #[test]
    fn packs_round_trip(body in bodies()) {
        let pack = pack(body);
        prop_assert_eq!(Pack::decode(pack.wire()), Ok(pack));
    }

    #[test]
    fn any_bytes_decode_to_their_own_encoding_or_not_at_all(
        bytes in proptest::collection::vec(any::<u8>(), 0..120)
    ) {
        if let Ok(pack) = Pack::decode(&bytes) {
            prop_assert_eq!(pack.wire(), bytes);
        }
    }
}
