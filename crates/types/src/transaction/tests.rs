use super::*;
use crate::Record;
use alloc::{string::ToString, vec};
use coset::CborSerializable as _;

const LEDGER: LedgerId = LedgerId([5; 32]);

fn entity(seed: u8) -> (EntityId, SigningKey) {
    let suite = if seed.is_multiple_of(2) { Suite::P256 } else { Suite::Ed25519 };
    (EntityId([seed; 32]), SigningKey::from_secret(suite, [seed; 32]).unwrap())
}

fn body(sender: EntityId) -> Body {
    let record =
        Record { kind: "note".to_string(), data: vec![1, 2, 3], notify: vec![], link: None };
    Body::new(&LEDGER, sender, 7, 100, vec![Action::Record(record)])
}

fn signed(seeds: &[u8]) -> Transaction {
    let entities: Vec<_> = seeds.iter().map(|seed| entity(*seed)).collect();
    let others: Vec<_> = entities[1..].iter().map(|(id, key)| (*id, key)).collect();
    Transaction::sign(&LEDGER, body(entities[0].0), &entities[0].1, &others)
}

fn valid(transaction: &Transaction, ledger: &LedgerId) -> bool {
    let key_of = |id: &EntityId| Some(entity(id.0[0]).1.public_key());
    transaction
        .checks(ledger, key_of)
        .all(|check| check.is_some_and(|check| check.key.verify(&check.message, &check.signature)))
}

#[test]
fn signed_transactions_round_trip_and_count_on_one_ledger_only() {
    for seeds in [&[1][..], &[2], &[1, 2], &[2, 3, 4]] {
        let transaction = signed(seeds);
        let decoded = Transaction::decode(transaction.wire().clone()).unwrap();
        assert_eq!(decoded, transaction);
        assert!(valid(&decoded, &LEDGER), "{seeds:?}");
        assert!(!valid(&decoded, &LedgerId([6; 32])), "{seeds:?}");
    }
}

/// Who sign together need not have their keys in one place.
#[test]
fn signatures_from_several_places_make_the_same_transaction() {
    for seeds in [[1, 2], [2, 3]] {
        let whole = signed(&seeds);
        let signatures = seeds.map(|seed| {
            let (signer, key) = entity(seed);
            let suite = key.suite();
            let signature = key.sign(&cosigned_bytes(&LEDGER, whole.body(), signer, suite));
            Signed { signer, suite, signature }
        });
        let assembled = Transaction::assemble(whole.body().clone(), signatures.to_vec());
        assert!(valid(&assembled, &LEDGER));
        assert_eq!(Transaction::decode(assembled.wire().clone()).unwrap(), assembled);
        assert_eq!(assembled.signed_bytes(&LEDGER, 1), whole.signed_bytes(&LEDGER, 1));
    }
}

/// Another implementation of COSE must read what we write and find our signature valid.
#[test]
fn an_independent_cose_implementation_agrees() {
    let transaction = signed(&[1]);
    let sign1 = coset::CoseSign1::from_slice(transaction.wire()).unwrap();
    assert_eq!(sign1.protected.header.key_id, [1; 32]);
    let aad = [b"althing/tx/1".as_slice(), &LEDGER.0].concat();
    let key = entity(1).1.public_key();
    let verdict = sign1.verify_signature(&aad, |signature, message| {
        let signature = Signature(signature.try_into().map_err(|_| ())?);
        if key.verify(message, &signature) { Ok(()) } else { Err(()) }
    });
    assert_eq!(verdict, Ok(()));

    let several = signed(&[1, 3]);
    let sign = coset::CoseSign::from_slice(several.wire()).unwrap();
    for (index, seed) in [1, 3].into_iter().enumerate() {
        let key = entity(seed).1.public_key();
        let verdict = sign.verify_signature(index, &aad, |signature, message| {
            let signature = Signature(signature.try_into().map_err(|_| ())?);
            if key.verify(message, &signature) { Ok(()) } else { Err(()) }
        });
        assert_eq!(verdict, Ok(()));
    }
}

#[test]
fn flipping_any_byte_breaks_the_form_or_a_signature() {
    for seeds in [&[1][..], &[1, 2]] {
        let transaction = signed(seeds);
        for position in 0..transaction.wire().len() {
            for bit in [1_u8, 0x80] {
                let mut wire = transaction.wire().to_vec();
                wire[position] ^= bit;
                if let Ok(decoded) = Transaction::decode(wire.into()) {
                    assert!(!valid(&decoded, &LEDGER), "byte {position} of {seeds:?}");
                }
            }
        }
    }
}

#[test]
fn bounds_are_refused_with_the_reason() {
    let (id, key) = entity(1);
    let sign = |body: Body| Transaction::sign(&LEDGER, body, &key, &[]).wire().clone();
    let mut many = body(id);
    many.actions = vec![many.actions[0].clone(); ACTIONS_MAX + 1];
    assert_eq!(Transaction::decode(sign(many)), Err(Refusal::OutOfBounds));
    let mut none = body(id);
    none.actions.clear();
    assert_eq!(Transaction::decode(sign(none)), Err(Refusal::OutOfBounds));
    let mut version = body(id);
    version.version = 2;
    assert_eq!(Transaction::decode(sign(version)), Err(Refusal::Malformed));
    assert_eq!(
        Transaction::decode(vec![0; TRANSACTION_BYTES_MAX + 1].into()),
        Err(Refusal::TooLarge)
    );
    let twice = Transaction::sign(&LEDGER, body(id), &key, &[(id, &key)]);
    assert_eq!(Transaction::decode(twice.wire().clone()), Err(Refusal::DuplicateSigner));
    let mut trailing = signed(&[1]).wire().to_vec();
    trailing.push(0);
    assert_eq!(Transaction::decode(trailing.into()), Err(Refusal::Malformed));
}

#[test]
fn deep_nesting_neither_overflows_the_stack_nor_passes() {
    for filler in [0x81_u8, 0xa1, 0xd8, 0x9f, 0xbf] {
        let wire = vec![filler; TRANSACTION_BYTES_MAX];
        assert_eq!(Transaction::decode(wire.into()), Err(Refusal::Malformed));
        let mut inside = vec![0x84, 0x41, 0xa0, 0xa0];
        inside.extend(vec![filler; 90_000]);
        assert_eq!(Transaction::decode(inside.into()), Err(Refusal::Malformed));
    }
}
