//! Bundles of every kind, whole and spoiled.

mod hostile;

use alloc::{string::ToString, vec, vec::Vec};

use althing_types::{Cipher, EntityKind, Payload, Reading, StreamKey, Suite, ThingId, TxId, Value};

use super::*;
use crate::{
    archive::{Archive, ProveError},
    certificate::DESCENDANTS_MAX,
    interval::Interval,
    key,
    opening::{PARTS_MAX, Payloads},
    record::BindingRecord,
    testing::{
        BEGIN_MS, PERIOD_MS, TinyLedger, agreed_bundles, bundles, late_transaction_bundle,
        transaction_bundle, triggered_bundles,
    },
};

/// A ledger with five batches of 20 readings.
fn ledger() -> TinyLedger {
    let mut ledger = TinyLedger::new(EntityKind::Gateway, Suite::P256);
    (0..5).for_each(|_| ledger.submit(20));
    ledger
}

fn claim_reading(ledger: &TinyLedger, seq: u64) -> Claim {
    Claim::reading(ledger, &ledger.stream, seq).unwrap()
}

fn claim_range(ledger: &TinyLedger, interval: Interval) -> Claim {
    Claim::range(ledger, &ledger.stream, interval, Payloads::Needed).unwrap()
}

fn claim_aggregate(ledger: &TinyLedger, interval: Interval) -> Claim {
    Claim::aggregate(ledger, &ledger.stream, interval).unwrap()
}

fn verified_reading(ledger: &TinyLedger, bundle: &Bundle) -> VerifiedReading {
    match verify(&bundle.to_bytes().unwrap(), &ledger.network.genesis).unwrap().claim {
        VerifiedClaim::Reading(reading) => reading,
        other => panic!("{other:?}"),
    }
}

/// A peer handed out bundles that nobody accepts.
#[test]
fn a_bundle_that_nobody_would_take_is_not_written() {
    let (_, mut bundles) = bundles();
    let (_, bundle) = &mut bundles[0];
    let Claim::Reading(proof) = &mut bundle.claim else { panic!("{:?}", bundle.claim) };
    proof.payload.clear();
    let rest = bundle.to_wire().len() + 4;
    for (len, good) in [(Bundle::BYTES_MAX - rest, true), (Bundle::BYTES_MAX - rest + 1, false)] {
        let Claim::Reading(proof) = &mut bundle.claim else { unreachable!() };
        proof.payload = vec![0; len];
        let written = bundle.to_bytes();
        assert_eq!(written.is_ok(), good);
        assert!(written.is_ok_and(|bytes| bytes.len() <= BUNDLE_BYTES_MAX) == good);
    }
}

#[test]
fn a_reading_says_how_its_validators_agreed_if_members_chose_that() {
    let (genesis, bundles) = agreed_bundles();
    let by = " and agree by simplex, as members decided";
    for ((name, bundle), (signed, said)) in bundles.into_iter().zip([(3, ""), (3, by), (3, "")]) {
        let verified = verify(&bundle.to_bytes().unwrap(), &genesis).unwrap();
        assert_eq!(verified.block.signed.len(), signed, "{name}");
        let text = &verified.steps[2].text;
        assert_eq!(text.ends_with("as members decided"), !said.is_empty(), "{name}: {text}");
        assert!(text.ends_with(said), "{name}: {text}");
    }
}

#[test]
fn every_claim_is_verified_and_says_how() {
    let (genesis, bundles) = bundles();
    for (name, bundle) in bundles {
        let bytes = bundle.to_bytes().unwrap();
        let verified = verify(&bytes, &genesis).unwrap_or_else(|f| panic!("{name}: {f:?}"));
        assert_eq!(verified.ledger, genesis.ledger());
        assert_eq!((verified.block.signed.len(), verified.block.validators), (3, 4), "{name}");
        let steps: Vec<&str> = verified.steps.iter().map(|done| done.step.code()).collect();
        let end = match name {
            "reading" | "reading under a new key" => &[
                "thing",
                "stream",
                "batch",
                "payload",
                "reading",
                "submitter",
                "delegation",
                "signature",
            ][..],
            "range" | "range that is sealed in part" => &["thing", "stream", "range"],
            "aggregate" => &["thing", "stream", "aggregate"],
            "state" | "absence" => &["state"],
            "run" => &["membership", "certificate", "receipt"],
            _ => &["transaction", "membership", "certificate", "receipt"],
        };
        let begin = ["form", "ledger", "membership", "certificate"];
        assert_eq!(steps, [&begin, end, &["seal"]].concat(), "{name}");
    }
}

#[test]
fn a_reading_is_told_in_words() {
    let mut ledger = ledger();
    let bundle = ledger.bundle(|l| claim_reading(l, 33));
    let verified = verify(&bundle.to_bytes().unwrap(), &ledger.network.genesis).unwrap();
    let text = |step| {
        let done = verified.steps.iter().find(|done| done.step == step).unwrap();
        done.text.replace(&ledger.network.genesis.ledger().to_string(), "LEDGER")
    };
    assert_eq!(text(Step::Ledger), "ledger LEDGER of network tiny");
    assert_eq!(text(Step::Membership), "the 4 validators of epoch 0 are those of the genesis");
    let certificate = text(Step::Certificate);
    assert!(certificate.starts_with(
        "block 6 of 2023-11-14T22:13:26.000Z is final: 3 of 4 validators signed it (peer-"
    ));
    assert!(text(Step::Thing).starts_with("thing `machine-7` of did:althing:tiny:"));
    assert_eq!(text(Step::Stream), "its property `temperature` has 100 readings in 5 batches");
    assert_eq!(
        text(Step::Batch),
        "batch 1, numbers 20 to 39, is in the stream's tree since block 2 of \
         2023-11-14T22:13:22.000Z"
    );
    assert_eq!(
        text(Step::Reading),
        "number 33 is 22.21 celsius: claimed at 2023-11-15T00:58:20.000Z, received at \
         2023-11-15T00:58:20.040Z, on the ledger at 2023-11-14T22:13:22.000Z"
    );
    assert!(
        text(Step::Submitter).starts_with("asserted by gateway `gateway-1`, did:althing:tiny:")
    );
    assert_eq!(text(Step::Delegation), "the owner bound it to the thing, blocks 0 to 1000000");
    assert!(text(Step::Signature).ends_with("verifies under version 1 of its key"));

    let reading = verified_reading(&ledger, &bundle);
    assert_eq!((reading.seq, reading.value_text.as_str()), (33, "22.21 celsius"));
    assert_eq!(reading.value, Value::Number(2221));
    assert_eq!(reading.stream.thing, ledger.thing);
    let kind = EntityKind::Gateway;
    assert_eq!(reading.attestation, Attestation::AssertedBy { entity: ledger.gateway, kind });
    assert_eq!(reading.signature, SignatureCheck::Verified { key_version: 1 });
}

#[test]
fn a_device_signs_for_itself() {
    let mut ledger = TinyLedger::new(EntityKind::Device, Suite::P256);
    ledger.submit(1);
    let bundle = ledger.bundle(|l| claim_reading(l, 0));
    let reading = verified_reading(&ledger, &bundle);
    assert_eq!(reading.attestation, Attestation::SignedByDevice(ledger.gateway));
}

/// A gateway forwards what a device signed: the bundle shows the device's signature, and the
/// gateway's word counts no more for the reading.
#[test]
fn a_gateway_forwards_what_a_device_signed() {
    for suite in [Suite::Ed25519, Suite::P256] {
        let mut ledger = ledger();
        ledger.submit_signed(5, suite, 200);
        let seq = ledger.series.head.next_seq - 1;
        let bundle = ledger.bundle(|l| claim_reading(l, seq));
        let reading = verified_reading(&ledger, &bundle);
        let Attestation::SignedByDevice(device) = reading.attestation else {
            panic!("not signed by the device")
        };
        assert_ne!(device, ledger.gateway);
        let earlier = ledger.bundle(|l| claim_reading(l, 0));
        let before = verified_reading(&ledger, &earlier).attestation;
        assert!(matches!(before, Attestation::AssertedBy { .. }), "asserted by the gateway");
    }
}

/// Peers refuse such payloads; a verifier does not take their word for it.
#[test]
fn a_payload_whose_packs_another_key_signed_shows_no_device() {
    let mut ledger = ledger();
    ledger.submit_signed(4, Suite::Ed25519, 200);
    let seq = ledger.series.head.next_seq - 1;
    let bundle = ledger.bundle(|l| claim_reading(l, seq));
    let mut forged = bundle.clone();
    let Claim::Reading(proof) = &mut forged.claim else { panic!("a reading") };
    let other = ledger.signed(4, Suite::Ed25519, 201);
    let claim = ledger.bundle(|l| {
        let device = other.signer().unwrap();
        let entity = Stated::prove(l, &key::entity(&device), "device").unwrap();
        let Claim::Reading(mut claim) = claim_reading(l, seq) else { panic!("a reading") };
        claim.device = Some(DeviceProof { entity, earlier_key: None });
        Claim::Reading(claim)
    });
    let refused = verify(&claim.to_bytes().unwrap(), &ledger.network.genesis);
    assert_eq!(refused.map(|_| ()).map_err(|failure| failure.step), Err(Step::Device));
    proof.device = None;
    let left_out = verify(&forged.to_bytes().unwrap(), &ledger.network.genesis).unwrap();
    let VerifiedClaim::Reading(reading) = left_out.claim else { panic!("a reading") };
    assert!(matches!(reading.attestation, Attestation::AssertedBy { .. }));
}

#[test]
fn a_replaced_key_still_vouches_for_what_it_signed() {
    let mut ledger = ledger();
    for seed in 80..84 {
        ledger.rotate_key(Suite::Ed25519, seed);
        ledger.submit(10);
    }
    let version_of = |ledger: &mut TinyLedger, seq| {
        let bundle = ledger.bundle(|l| claim_reading(l, seq));
        match verified_reading(ledger, &bundle).signature {
            SignatureCheck::Verified { key_version } => key_version,
            SignatureCheck::LeftOut => 0,
        }
    };
    for (seq, version) in [(0, 1), (99, 1), (100, 2), (115, 3), (125, 4), (139, 5)] {
        assert_eq!(version_of(&mut ledger, seq), version, "reading {seq}");
    }
    ledger.prune_transactions();
    assert_eq!(version_of(&mut ledger, 115), 0);
}

#[test]
fn an_ended_binding_is_told() {
    let mut ledger = ledger();
    let key = key::binding(&ledger.thing, &ledger.gateway);
    let delegation = |ledger: &mut TinyLedger| {
        let bundle = ledger.bundle(|l| claim_reading(l, 33));
        verified_reading(ledger, &bundle).delegation
    };
    // Unbinding in block 4 leaves the batch of block 2 covered.
    let ended = BindingRecord { bound_height: 1, until_height: 4 };
    ledger.state.set(key.clone(), ended.to_wire());
    assert_eq!(delegation(&mut ledger), Delegation::Bound { from_height: 1, until_height: 4 });
    let again = BindingRecord { bound_height: 5, until_height: 900 };
    ledger.state.set(key.clone(), again.to_wire());
    assert_eq!(delegation(&mut ledger), Delegation::Former);
    ledger.state.remove(&key);
    assert_eq!(delegation(&mut ledger), Delegation::Former);
}

#[test]
fn ranges_and_aggregates_answer_the_question() {
    let mut ledger = ledger();
    let interval = Interval::Seq { first: 15, last: 44 };
    let bundle = ledger.bundle(|l| claim_range(l, interval));
    let genesis = ledger.network.genesis.clone();
    let verified = verify(&bundle.to_bytes().unwrap(), &genesis).unwrap();
    let VerifiedClaim::Range { stream, answer } = verified.claim else { panic!() };
    assert_eq!((stream.count, answer.interval), (100, interval));
    let expected: Vec<u64> = (15..=44).collect();
    assert_eq!(answer.readings().map(|(seq, _)| seq).collect::<Vec<_>>(), expected);
    let sum: i64 = answer.readings().filter_map(|(_, reading)| reading.value.measure()).sum();

    let bundle = ledger.bundle(|l| claim_aggregate(l, interval));
    let verified = verify(&bundle.to_bytes().unwrap(), &genesis).unwrap();
    let VerifiedClaim::Aggregate { aggregate, .. } = verified.claim else { panic!() };
    assert_eq!((aggregate.count, aggregate.sum), (30, i128::from(sum)));
    let told = &verified.steps.iter().find(|done| done.step == Step::Aggregate).unwrap().text;
    assert_eq!(told, "numbers 15 to 44: 30 readings, from 20.17 celsius to 24.99 celsius");
}

#[test]
fn a_receipt_says_what_became_of_a_transaction() {
    let mut ledger = ledger();
    let bundle = transaction_bundle(&mut ledger);
    let verified = verify(&bundle.to_bytes().unwrap(), &ledger.network.genesis).unwrap();
    let VerifiedClaim::Transaction(transaction) = verified.claim else { panic!() };
    assert_eq!((transaction.index, transaction.sender), (1, ledger.gateway));
    assert_eq!(transaction.receipt.map(|receipt| receipt.code), Some(0));
    let late = late_transaction_bundle(&mut ledger);
    let verified = verify(&late.to_bytes().unwrap(), &ledger.network.genesis).unwrap();
    let texts: Vec<&str> = verified.steps.iter().map(|done| done.text.as_str()).collect();
    assert!(texts[3].starts_with("block 9 of "), "{}", texts[3]);
    assert!(texts[3].contains("3 of 4 validators signed block 11, which descends from it"));
    assert_eq!(texts[7], "it took effect, with 0 events, as block 11 states");
    let (block, finalized, _) = &ledger.blocks[0];
    let bare = Claim::transaction(block, 0, None).unwrap();
    let bundle = Bundle::new(vec![], finalized.clone(), bare);
    let verified = verify(&bundle.to_bytes().unwrap(), &ledger.network.genesis).unwrap();
    let VerifiedClaim::Transaction(transaction) = verified.claim else { panic!() };
    assert_eq!(transaction.receipt, None);
    assert_eq!(Claim::transaction(block, 1, None), None);
}

#[test]
fn only_what_the_later_block_states_is_claimed() {
    let mut ledger = ledger();
    ledger.commit();
    let (block, _, receipts) = &ledger.blocks[4];
    let later = ledger.blocks[5].1.clone();
    let roots = ledger.receipts_roots_after(4)[..1].to_vec();
    let claim = |receipts, roots: &[Digest], later: &Finalized| {
        Claim::transaction(block, 0, Some((receipts, roots.to_vec(), later.clone())))
    };
    assert!(claim(receipts, &roots, &later).is_some());
    assert_eq!(claim(&[], &roots, &later), None);
    assert_eq!(claim(&ledger.blocks[3].2, &roots, &later), None);
    assert_eq!(claim(receipts, &[], &later), None);
    assert_eq!(claim(receipts, &ledger.receipts_roots_after(3)[..2], &later), None);
    assert_eq!(claim(receipts, &roots, &ledger.blocks[4].1), None);
}

#[test]
fn a_descendants_certificate_covers_every_kind_of_claim() {
    let mut ledger = ledger();
    let (interval, key) = (Interval::Seq { first: 15, last: 44 }, key::thing(&ledger.thing));
    let claims = [
        claim_reading(&ledger, 33),
        claim_range(&ledger, interval),
        claim_aggregate(&ledger, interval),
        Claim::state(&ledger, key).unwrap(),
    ];
    let height = ledger.blocks.len() + 1;
    (0..=DESCENDANTS_MAX + 1).for_each(|_| _ = ledger.commit());
    for (claim, after) in claims.into_iter().zip([1, 2, 33, DESCENDANTS_MAX]) {
        let block = ledger.finalized_by(height, height + after);
        let bundle = Bundle::new(vec![], block, claim.clone());
        let verified = verify(&bundle.to_bytes().unwrap(), &ledger.network.genesis).unwrap();
        assert_eq!(verified.block.height, height as u64);
    }
    let far = ledger.finalized_by(height, height + DESCENDANTS_MAX + 1);
    let bundle = Bundle::new(vec![], far, claim_reading(&ledger, 33));
    let failure = verify(&bundle.to_bytes().unwrap(), &ledger.network.genesis).unwrap_err();
    let why = Why::Wire(WireError::OutOfBounds("descendants"));
    assert_eq!(failure, Failure { step: Step::Form, why });
}

#[test]
fn what_cannot_be_proven_is_named() {
    let ledger = ledger();
    let missing = Claim::reading(&ledger, &ledger.stream, 100);
    assert_eq!(missing, Err(ProveError::NoReading(100)));
    let missing = Claim::reading(&ledger, &althing_types::StreamId([1; 32]), 0);
    assert_eq!(missing, Err(ProveError::NotInState("stream")));
    let mut erased = ledger;
    erased.erase_payload(1);
    let missing = Claim::reading(&erased, &erased.stream, 33);
    assert_eq!(missing, Err(ProveError::Payload { leaf: 1 }));
    assert!(Claim::reading(&erased, &erased.stream, 40).is_ok());
    assert!(erased.value(b"nothing").is_none());
}

/// Four peers, batches of 100 readings, a year of batches and a state of some thousand keys.
#[test]
fn a_realistic_bundle_is_at_most_8_kib() {
    let mut ledger = TinyLedger::new(EntityKind::Gateway, Suite::Ed25519);
    (0..1023).for_each(|_| ledger.submit(100));
    (0..4000_u32).for_each(|i| ledger.state.set(i.to_be_bytes().to_vec(), vec![1]));
    let bundle = ledger.bundle(|l| claim_reading(l, 33_333));
    let bytes = bundle.to_bytes().unwrap();
    assert!(bytes.len() <= 8 * 1024, "{} bytes", bytes.len());
    assert!(verify(&bytes, &ledger.network.genesis).is_ok());
}

/// 30 days of a reading every five minutes. What it costs is for the benchmarks to say.
#[test]
fn thirty_days_of_readings_are_complete() {
    let mut ledger = TinyLedger::new(EntityKind::Gateway, Suite::Ed25519);
    (0..100).for_each(|_| ledger.submit(100));
    let first_ms = BEGIN_MS as i64 + 700 * PERIOD_MS;
    let interval = Interval::Time { first_ms, last_ms: first_ms + 8640 * PERIOD_MS - 1 };
    let bytes = ledger.bundle(|ledger| claim_range(ledger, interval)).to_bytes().unwrap();
    assert!(bytes.len() <= 128 * 1024, "{} bytes", bytes.len());
    let verified = verify(&bytes, &ledger.network.genesis).unwrap();
    let VerifiedClaim::Range { answer, .. } = verified.claim else { panic!() };
    assert_eq!((answer.readings().count(), answer.batches.len()), (8640, 87));
}

#[test]
fn a_late_reading_is_found_by_its_time() {
    let mut ledger = ledger();
    let late = BEGIN_MS as i64 + 3 * PERIOD_MS + 7;
    let reading = Reading { claimed_ms: late, received_ms: late + 9, value: Value::Number(1) };
    ledger.submit_readings(vec![reading]);
    let around = Interval::Time { first_ms: late - 5, last_ms: late + 5 };
    let bundle = ledger.bundle(|l| claim_range(l, around));
    let verified = verify(&bundle.to_bytes().unwrap(), &ledger.network.genesis).unwrap();
    let VerifiedClaim::Range { answer, .. } = verified.claim else { panic!() };
    assert_eq!(answer.readings().map(|(seq, _)| seq).collect::<Vec<_>>(), [100]);
}

/// What waited at a gateway behind newer batches is a leaf between leaves of higher numbers.
#[test]
fn single_readings_are_proven_on_both_sides_of_a_late_batch() {
    let mut ledger = ledger();
    let late = ledger.readings(5);
    let after = |ledger: &TinyLedger, by: u64| ledger.series.head.next_seq + by;
    let newer = ledger.readings(40).split_off(10);
    ledger.submit_readings_at(after(&ledger, 10), newer);
    ledger.submit(20);
    ledger.submit_readings_at(100, late);
    ledger.submit(3);
    for (seq, leaf) in [(0, 0), (99, 4), (110, 5), (159, 6), (100, 7), (104, 7), (162, 8)] {
        let bundle = ledger.bundle(|ledger| claim_reading(ledger, seq));
        let verified = verify(&bundle.to_bytes().unwrap(), &ledger.network.genesis).unwrap();
        let VerifiedClaim::Reading(reading) = &verified.claim else { panic!() };
        assert_eq!(reading.seq, seq);
        let Claim::Reading(proof) = claim_reading(&ledger, seq) else { panic!() };
        assert_eq!(Some(&proof.leaf), ledger.series.leaves.get(leaf), "{seq}");
    }
    for seq in [105, 109, 163] {
        let missing = Claim::reading(&ledger, &ledger.stream, seq);
        assert_eq!(missing, Err(ProveError::NoReading(seq)));
    }
}

/// Low and high numbers in turn: every subtree may hold what none holds, and a search ends all the same.
#[test]
fn a_search_among_subtrees_that_overlap_is_bounded() {
    let mut ledger = ledger();
    let payload = Payload { readings: ledger.readings(1) };
    for at in 0..PARTS_MAX as u64 * 3 / 4 {
        let batch = payload.header(ledger.stream, 1_000 + at / 2 + (at % 2) * 1_000_000);
        ledger.series.append(&batch, &payload, (ledger.gateway, TxId([0; 32])), (1, BEGIN_MS));
    }
    let newest = ledger.series.head.next_seq;
    ledger.submit(1);
    let lost = Claim::reading(&ledger, &ledger.stream, 900_000);
    assert_eq!(lost, Err(ProveError::TooLarge));
    assert!(Claim::reading(&ledger, &ledger.stream, newest).is_ok());
}

/// Of a confidential stream a bundle shows that readings exist, in full and in order, and not what
/// they are; who has the key sees that too, from the same bytes.
#[test]
fn a_sealed_reading_is_proven_without_its_key_and_read_with_it() {
    let mut ledger = TinyLedger::new(EntityKind::Gateway, Suite::Ed25519);
    let key = |number: u32| StreamKey::new(Cipher::ChaCha20Poly1305, number, [number as u8; 32]);
    let mut plain = Vec::new();
    for number in [1, 2] {
        let readings = ledger.readings(2);
        ledger.submit_sealed(readings.clone(), &key(number));
        plain.extend(readings);
    }
    let genesis = ledger.network.genesis.clone();
    let verified = |bundle: Bundle| verify(&bundle.to_bytes().unwrap(), &genesis).unwrap();
    let shown = verified(ledger.bundle(|ledger| claim_reading(ledger, 1)));
    let VerifiedClaim::Range { answer, .. } = &shown.claim else { panic!("{:?}", shown.claim) };
    assert_eq!((answer.readings().count(), answer.sealed().count()), (0, 1));
    let says = "2 readings of these batches exist, encrypted";
    assert!(shown.steps.iter().any(|done| done.text.contains(says)));

    let all = Interval::Seq { first: 0, last: 9 };
    let shown = verified(ledger.bundle(|ledger| claim_range(ledger, all)));
    let VerifiedClaim::Range { mut answer, .. } = shown.claim else { panic!() };
    let (stream, schema) = (ledger.stream, ledger.series.head.schema.clone());
    assert_eq!(answer.open(stream, &schema, &key(2)), Ok(1));
    assert_eq!(answer.readings().map(|(seq, _)| seq).collect::<Vec<_>>(), [2, 3]);
    assert!(
        answer
            .open(stream, &schema, &StreamKey::new(Cipher::ChaCha20Poly1305, 1, [9; 32]))
            .is_err()
    );
    assert_eq!(answer.open(stream, &schema, &key(1)), Ok(1));
    assert_eq!(answer.readings().map(|(_, it)| it.clone()).collect::<Vec<_>>(), plain);
    assert_eq!(answer.sealed().count(), 0);

    let shown = verified(ledger.bundle(|ledger| claim_aggregate(ledger, all)));
    let VerifiedClaim::Aggregate { aggregate, .. } = shown.claim else { panic!() };
    assert_eq!((aggregate.count, aggregate.min, aggregate.max, aggregate.sum), (4, None, None, 0));
}
