use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

use super::*;
use crate::{Reading, Suite, Value};
use alloc::{string::String, vec};

const STREAM: StreamId = StreamId([7; 32]);
const LEDGER: LedgerId = LedgerId([8; 32]);

fn readings(values: &[Value]) -> Payload {
    let reading = |(at, value): (i64, &Value)| Reading {
        claimed_ms: 1000 * at,
        received_ms: 1000 * at + 5,
        value: value.clone(),
    };
    Payload { readings: (1..).zip(values).map(reading).collect() }
}

fn key(number: u32) -> StreamKey {
    StreamKey::new(Cipher::ChaCha20Poly1305, number, [number as u8; 32])
}

fn sealed(key: &StreamKey, payload: &Payload, first_seq: u64) -> (BatchHeader, Vec<u8>) {
    key.seal(&payload.header(STREAM, first_seq), &payload.to_wire()).unwrap()
}

#[test]
fn what_is_sealed_opens_with_its_key_and_no_other() {
    let payload = readings(&[Value::Number(2150), Value::Number(-7)]);
    let (header, bytes) = sealed(&key(3), &payload, 40);
    assert!(header.is_valid() && header.hides_values());
    assert_eq!((header.count, header.time_min, header.time_max), (2, 1000, 2000));
    assert_eq!(header.sealed(&bytes).unwrap().key_number, 3);
    assert_eq!(key(3).open(&header, &bytes), Ok((payload.to_wire(), payload)));
    assert_eq!(key(4).open(&header, &bytes), Err(PayloadError::Sealed));
    let other = StreamKey::new(Cipher::ChaCha20Poly1305, 3, [9; 32]);
    assert_eq!(other.open(&header, &bytes), Err(PayloadError::Sealed));
    assert_eq!(header.read(&bytes), Err(PayloadError::Sealed));
}

/// Stream, number, count and times are bound: a sealed payload stands nowhere but where it was
/// sealed for, even if its digest is put into another header.
#[test]
fn a_sealed_payload_is_bound_to_its_place() {
    let payload = readings(&[Value::Bool(true)]);
    let (header, bytes) = sealed(&key(1), &payload, 4);
    type Change<'a> = (&'a str, &'a dyn Fn(&mut BatchHeader));
    let changes: [Change<'_>; 5] = [
        ("stream", &|header| header.stream = StreamId([1; 32])),
        ("first_seq", &|header| header.first_seq += 1),
        ("count", &|header| header.count += 1),
        ("time_min", &|header| header.time_min -= 1),
        ("time_max", &|header| header.time_max += 1),
    ];
    for (what, change) in changes {
        let mut moved = header.clone();
        change(&mut moved);
        assert_eq!(key(1).open(&moved, &bytes), Err(PayloadError::Sealed), "{what}");
    }
    let mut tells = header.clone();
    (tells.min, tells.max, tells.sum) = (Some(1), Some(1), 1);
    assert_eq!(tells.sealed(&bytes), Err(PayloadError::Summary));
    for position in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[position] ^= 1;
        assert_eq!(header.sealed(&flipped), Err(PayloadError::Digest), "byte {position}");
        // Whoever makes a header to the altered bytes still lacks the key.
        let digest = blake3_digest(&flipped);
        let forged = BatchHeader { payload_digest: digest, ..header.clone() };
        assert!(key(1).open(&forged, &flipped).is_err(), "byte {position}");
    }
}

/// A batch that was refused is made anew with other readings under the same number. Under one nonce
/// both ciphertexts together would give both texts away.
#[test]
fn no_two_texts_share_key_and_nonce() {
    let nonce_of = |payload: &Payload, first_seq| {
        let (header, bytes) = sealed(&key(1), payload, first_seq);
        header.sealed(&bytes).unwrap().nonce
    };
    let one = readings(&[Value::Number(1)]);
    let two = readings(&[Value::Number(1), Value::Number(2)]);
    assert_eq!(nonce_of(&one, 5), nonce_of(&one, 5));
    assert_ne!(nonce_of(&one, 5), nonce_of(&two, 5));
    assert_ne!(nonce_of(&one, 5), nonce_of(&one, 6));
}

/// Numbers have 1 to 9 bytes: without padding the length would tell how large one is.
#[test]
fn the_length_does_not_tell_a_number() {
    let len = |value| sealed(&key(1), &readings(&[Value::Number(value)]), 0).1.len();
    let lens: Vec<usize> = [0, 255, -70_000, i64::MIN].into_iter().map(len).collect();
    assert_eq!(lens, vec![lens[0]; 4]);
}

#[test]
fn the_longest_payload_that_is_sealed_fits() {
    let key = key(u32::MAX);
    let longest = PAYLOAD_BYTES_MAX - SEALED_OVERHEAD_BYTES_MAX;
    let header = readings(&[Value::Text(String::new())]).header(STREAM, u64::MAX - 1);
    let (header, bytes) = key.seal(&header, &vec![0; longest]).unwrap();
    assert!(bytes.len() <= PAYLOAD_BYTES_MAX && header.is_valid());
    assert_eq!(key.seal(&header, &vec![0; longest + 1]), None);
}

#[test]
fn a_share_opens_for_its_reader_there_and_nowhere_else() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let secret =
        |seed| AgreementSecret::of(&SigningKey::from_secret(Suite::Ed25519, [seed; 32]).unwrap());
    let (mine, others, reader) = (secret(1), secret(2), EntityId([3; 32]));
    let share = key(2).share(&LEDGER, &STREAM, reader, &mine.public_key(), &mut rng).unwrap();
    let which = (Cipher::ChaCha20Poly1305, 2);
    assert_eq!(mine.unwrap(&LEDGER, &STREAM, which, &share), Some(key(2)));
    let for_another = KeyShare { reader: EntityId([4; 32]), ..share.clone() };
    let later = (Cipher::ChaCha20Poly1305, 3);
    for (what, found) in [
        ("key", others.unwrap(&LEDGER, &STREAM, which, &share)),
        ("ledger", mine.unwrap(&LedgerId([1; 32]), &STREAM, which, &share)),
        ("stream", mine.unwrap(&LEDGER, &StreamId([1; 32]), which, &share)),
        ("number", mine.unwrap(&LEDGER, &STREAM, later, &share)),
        ("reader", mine.unwrap(&LEDGER, &STREAM, which, &for_another)),
    ] {
        assert_eq!(found, None, "{what}");
    }
    // A point of small order would give a secret that everybody knows.
    assert_eq!(key(2).share(&LEDGER, &STREAM, reader, &AgreementKey([0; 32]), &mut rng), None);
    let again = key(2).share(&LEDGER, &STREAM, reader, &mine.public_key(), &mut rng).unwrap();
    assert_ne!(again.enc, share.enc);
    assert_ne!(
        AgreementSecret::of(&SigningKey::from_secret(Suite::P256, [1; 32]).unwrap()).public_key(),
        mine.public_key(),
    );
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_refused_or_canonical(bytes in proptest::collection::vec(0_u8.., 0..200)) {
        if let Ok(sealed) = SealedPayload::from_wire(&bytes) {
            assert_eq!(sealed.to_wire(), bytes);
        }
    }
}
