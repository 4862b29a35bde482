//! What the device makes is what the ledger takes, byte for byte.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use althing_device::{Device, Outbox, PushError, Reading, SignError, Stream, Value};
use althing_types::{
    Arrived, EntityId, LedgerId, Pack, PackBody, PublicKey, SignedPayload, SigningKey, StreamId,
    Suite, Value as Exact, Wire as _,
};
use proptest::prelude::*;

const SECRET: [u8; 32] = [7; 32];
const ENTITY: [u8; 32] = [1; 32];
const LEDGER: [u8; 32] = [2; 32];
const STREAM: [u8; 32] = [3; 32];

fn device() -> Device {
    Device::new(SECRET, ENTITY, LEDGER)
}

fn exact(value: Value<'_>) -> Exact {
    match value {
        Value::Number(mantissa) => Exact::Number(mantissa),
        Value::Bool(value) => Exact::Bool(value),
        Value::Text(text) => Exact::Text(text.into()),
        Value::Bytes(bytes) => Exact::Bytes(bytes.into()),
    }
}

/// The same pack, made by the implementation that peers check with.
fn expected(
    first_seq: u64,
    previous: Option<[u8; 32]>,
    scale: u8,
    base_ms: Option<i64>,
    readings: &[Reading<'_>],
) -> Pack {
    let body = PackBody {
        signer: EntityId(ENTITY),
        first_seq,
        previous,
        name: "temperature".into(),
        base_ms,
        scale,
        readings: readings.iter().map(|it| (it.after_ms, exact(it.value))).collect(),
    };
    let key = SigningKey::from_secret(Suite::Ed25519, SECRET).unwrap();
    assert_eq!(key.public_key(), PublicKey::ed25519(device().public_key()));
    Pack::sign(&LedgerId(LEDGER), &StreamId(STREAM), body, &key)
}

#[test]
fn a_chain_of_packs_is_a_payload_and_survives_a_loss_of_power() {
    let (device, stream) = (device(), Stream { id: STREAM, name: "temperature", scale: 2 });
    let mut outbox: Outbox<4096> = Outbox::new(0, None);
    let mut packs = Vec::new();
    for round in 0..5_i64 {
        if round == 3 {
            // Power was lost: what was not acknowledged is gone, what was remembered is not.
            let state = outbox.state();
            outbox = Outbox::new(state.next_seq, state.previous);
        }
        let readings = [round, -round].map(|mantissa| Reading {
            after_ms: mantissa.abs() * 10,
            value: Value::Number(mantissa),
        });
        let state = outbox.state();
        let made = outbox.push(&device, &stream, Some(1_700_000_000_000), &readings).unwrap();
        let pack = expected(state.next_seq, state.previous, 2, Some(1_700_000_000_000), &readings);
        assert_eq!(made, pack.wire());
        packs.push(Arrived { received_ms: 1_700_000_000_500, pack });
    }
    let payload = SignedPayload { packs };
    assert_eq!(SignedPayload::from_wire(&payload.to_wire()), Ok(payload));
}

#[test]
fn a_pack_stays_until_it_is_acknowledged_and_a_full_outbox_says_so() {
    let (device, stream) = (device(), Stream { id: STREAM, name: "temperature", scale: 0 });
    // Room for the first pack, of 135 bytes, and one more, of 173, but not two.
    let mut outbox: Outbox<450> = Outbox::new(9, None);
    let reading = [Reading { after_ms: 0, value: Value::Number(1) }];
    let first = outbox.push(&device, &stream, None, &reading).unwrap().to_vec();
    let second = outbox.push(&device, &stream, None, &reading).unwrap().to_vec();
    let state = outbox.state();
    assert_eq!(state.next_seq, 11);
    assert_eq!(outbox.push(&device, &stream, None, &reading), Err(PushError::Full));
    assert_eq!(outbox.state(), state, "nothing was used up");
    assert_eq!(outbox.front(), Some(&first[..]));
    outbox.acknowledged();
    assert_eq!(outbox.front(), Some(&second[..]));
    assert!(outbox.push(&device, &stream, None, &reading).is_ok());
    outbox.acknowledged();
    outbox.acknowledged();
    assert_eq!(outbox.front(), None);
    outbox.acknowledged();
}

#[test]
fn what_the_ledger_would_refuse_is_not_signed() {
    let device = device();
    let mut out = [0; 1024];
    let one = [Reading { after_ms: 0, value: Value::Bool(true) }];
    let long = [Reading { after_ms: 0, value: Value::Bytes(&[0; 2000]) }];
    let many = [one[0]; 65];
    let name = "n".repeat(65);
    for (what, name, scale, readings, error) in [
        ("nothing", "t", 0, &one[..0], SignError::OutOfBounds),
        ("too many", "t", 0, &many[..], SignError::OutOfBounds),
        ("a long name", &name[..], 0, &one[..], SignError::OutOfBounds),
        ("no name", "", 0, &one[..], SignError::OutOfBounds),
        ("a scale without a number", "t", 2, &one[..], SignError::OutOfBounds),
        ("too long", "t", 0, &long[..], SignError::TooLong),
    ] {
        let stream = Stream { id: STREAM, name, scale };
        assert_eq!(device.sign(&stream, 0, None, None, readings, &mut out), Err(error), "{what}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_readings_make_the_same_pack_as_the_ledgers_own_code(
        first_seq in 0..u64::MAX / 2,
        previous in any::<Option<[u8; 32]>>(),
        base_ms in any::<Option<i64>>(),
        scale in 0..=15_u8,
        readings in proptest::collection::vec((any::<i64>(), any::<i64>()), 1..10),
        text in "[a-zö]{0,20}",
    ) {
        let mut readings: Vec<Reading<'_>> = readings
            .into_iter()
            .map(|(after_ms, mantissa)| Reading { after_ms, value: Value::Number(mantissa) })
            .collect();
        readings.push(Reading { after_ms: 1, value: Value::Text(&text) });
        readings.push(Reading { after_ms: 2, value: Value::Bytes(text.as_bytes()) });
        readings.push(Reading { after_ms: 0, value: Value::Bool(true) });
        let stream = Stream { id: STREAM, name: "temperature", scale };
        let mut out = [0; 1024];
        let len =
            device().sign(&stream, first_seq, previous.as_ref(), base_ms, &readings, &mut out);
        let pack = expected(first_seq, previous, scale, base_ms, &readings);
        prop_assert_eq!(&out[..len.unwrap()], pack.wire());
    }
}
