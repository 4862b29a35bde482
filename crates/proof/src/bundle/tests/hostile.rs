//! Spoiled bundles: never accepted, never a panic, and the right step named.

use alloc::{boxed::Box, string::String};

use althing_types::{Digest, Genesis, TxId, receipts_root};
use proptest::prelude::*;

use super::*;
use crate::{
    certificate::CertificateError, membership::MembershipError, state_path::StatePathError,
    testing::Network,
};

/// Changes each byte of bundles in two ways, each bit in turn among them.
fn flip_all(kinds: impl Fn(&str) -> bool) {
    flip_each(bundles(), kinds);
}

fn flip_each((genesis, bundles): (Genesis, Vec<(&str, Bundle)>), kinds: impl Fn(&str) -> bool) {
    for (name, bundle) in bundles.into_iter().filter(|(name, _)| kinds(name)) {
        let bytes = bundle.to_bytes().unwrap();
        // What is not bound by hashes and signatures is the question, and only the seal guards it.
        let has_question = !name.starts_with("reading") && !name.ends_with("transaction");
        let seal_begins = bytes.len() - 34;
        for position in 0..bytes.len() {
            for mask in [1_u8 << (position % 8), 0xff] {
                let mut spoiled = bytes.clone();
                spoiled[position] ^= mask;
                let failure = match verify(&spoiled, &genesis) {
                    Err(failure) => failure,
                    Ok(_) => panic!("{name}: byte {position} with mask {mask:#x} is accepted"),
                };
                assert!(
                    failure.step != Step::Seal || has_question || position >= seal_begins,
                    "{name}: byte {position} with mask {mask:#x} is bound by the seal only"
                );
            }
        }
    }
}

#[test]
fn no_changed_byte_of_a_reading_is_accepted() {
    flip_all(|name| name == "reading");
}

#[test]
fn no_changed_byte_of_a_reading_under_a_new_key_is_accepted() {
    flip_all(|name| name == "reading under a new key");
}

#[test]
fn no_changed_byte_of_a_range_is_accepted() {
    flip_all(|name| name == "range");
}

#[test]
fn no_changed_byte_of_an_aggregate_is_accepted() {
    flip_all(|name| name == "aggregate");
}

#[test]
fn no_changed_byte_of_a_state_or_its_absence_is_accepted() {
    flip_all(|name| matches!(name, "state" | "absence"));
}

#[test]
fn no_changed_byte_of_a_transaction_is_accepted() {
    flip_all(|name| name == "transaction");
}

#[test]
fn no_changed_byte_of_a_late_transaction_is_accepted() {
    flip_all(|name| name == "late transaction");
}

#[test]
fn no_changed_byte_of_a_run_is_accepted() {
    flip_all(|name| name == "run");
}

#[test]
fn no_changed_byte_of_a_reading_after_a_change_of_mechanism_is_accepted() {
    flip_each(agreed_bundles(), |_| true);
}

#[test]
fn nothing_cut_off_or_added_is_accepted() {
    let (genesis, bundles) = bundles();
    for (name, bundle) in bundles {
        let bytes = bundle.to_bytes().unwrap();
        for len in 0..bytes.len() {
            let step = verify(&bytes[..len], &genesis).map_err(|failure| failure.step);
            assert_eq!(step.err(), Some(Step::Form), "{name}: {len} bytes");
        }
        for surplus in [0x00, 0x80, 0xf6, 0xff] {
            let mut longer = bytes.clone();
            longer.push(surplus);
            let step = verify(&longer, &genesis).map_err(|failure| failure.step);
            assert_eq!(step.err(), Some(Step::Form), "{name}");
        }
    }
}

#[test]
fn deep_nesting_and_great_length_are_refused() {
    let (genesis, _) = bundles();
    for filler in [0x81, 0x82, 0x9f, 0xa1, 0xbf, 0xd8, 0x5f] {
        let nested = vec![filler; 1 << 20];
        assert_eq!(verify(&nested, &genesis).map_err(|f| f.step).err(), Some(Step::Form));
        // Where a bundle's list of links, and where a claim, would be.
        let mut inside = vec![0x82, 0x85, 0x01, 0x58, 0x20];
        inside.extend([0; 32]);
        inside.extend(vec![filler; 1 << 20]);
        assert_eq!(verify(&inside, &genesis).map_err(|f| f.step).err(), Some(Step::Form));
    }
    // An array that claims 2^60 items must not be believed before they are there.
    let endless = [0x82, 0x85, 0x01, 0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0];
    assert!(verify(&endless, &genesis).is_err());
    let long = vec![0; BUNDLE_BYTES_MAX + 1];
    let failure = verify(&long, &genesis).unwrap_err();
    let max = BUNDLE_BYTES_MAX;
    assert_eq!(failure.why, Why::Wire(WireError::TooLong { len: max + 1, max }));
}

#[test]
fn another_ledgers_genesis_is_refused() {
    let (_, bundles) = bundles();
    let other = Network::new(5).genesis;
    for (name, bundle) in bundles {
        let failure = verify(&bundle.to_bytes().unwrap(), &other).unwrap_err();
        assert_eq!(failure.step, Step::Ledger, "{name}");
    }
}

/// Changes the claim of a reading's bundle, seals it anew as an attacker would, and gives the
/// failure.
fn spoil(change: impl Fn(&mut ReadingProof)) -> Failure {
    let mut ledger = ledger();
    let mut bundle = ledger.bundle(|l| claim_reading(l, 33));
    let Claim::Reading(proof) = &mut bundle.claim else { panic!() };
    change(proof);
    verify(&bundle.to_bytes().unwrap(), &ledger.network.genesis).unwrap_err()
}

fn says(step: Step, text: &'static str) -> Failure {
    Failure { step, why: Why::Claim(text) }
}

#[test]
fn the_step_that_fails_is_named() {
    let root = Why::StatePath(StatePathError::Root);
    let other_reading = "the payload has another reading at this number, or none";
    for (failure, expected) in [
        (spoil(|p| p.reading.value = Value::Number(9999)), says(Step::Reading, other_reading)),
        (spoil(|p| p.reading.seq = 34), says(Step::Reading, other_reading)),
        (spoil(|p| p.reading.seq = 3), says(Step::Reading, other_reading)),
        (spoil(|p| p.reading.seq = u64::MAX), says(Step::Reading, other_reading)),
        (spoil(|p| p.reading.claimed_ms += 1), says(Step::Reading, other_reading)),
        (spoil(|p| p.reading.received_ms += 1), says(Step::Reading, other_reading)),
        (spoil(|p| p.stream.thing.record.name.push('x')), Failure { step: Step::Thing, why: root }),
        (
            spoil(|p| p.stream.thing.record.version += 1),
            says(Step::Thing, "the state holds another record"),
        ),
        (
            spoil(|p| p.stream.head.record.property.push('x')),
            Failure { step: Step::Stream, why: root },
        ),
        (
            spoil(|p| p.stream.head.record.thing = ThingId([1; 32])),
            says(Step::Stream, "the stream belongs to another thing"),
        ),
        (
            spoil(|p| p.stream.head.record.schema.scale = 1),
            says(Step::Stream, "the state holds another record"),
        ),
        (
            spoil(|p| p.leaf.ledger_time_ms += 1),
            says(Step::Batch, "the path does not lead from the batch to the stream's tree"),
        ),
        (
            spoil(|p| p.path.index ^= 1),
            says(Step::Batch, "the path does not lead from the batch to the stream's tree"),
        ),
        (
            spoil(|p| p.payload[9] ^= 1),
            Failure { step: Step::Payload, why: Why::Payload(althing_types::PayloadError::Digest) },
        ),
        (
            spoil(|p| p.submitter.entity.record.inception.kind = EntityKind::Device),
            says(Step::Submitter, "the state holds another record"),
        ),
        (
            spoil(|p| p.submitter.binding = None),
            says(Step::Delegation, "nothing shows that the submitter was bound"),
        ),
        (
            spoil(|p| p.submitter.binding.as_mut().unwrap().record = None),
            says(Step::Delegation, "the state holds another binding"),
        ),
        (
            spoil(|p| p.submitter.transaction.as_mut().unwrap()[150] ^= 1),
            says(Step::Signature, "the transaction is not the one that brought the batch"),
        ),
    ] {
        assert_eq!(failure, expected);
    }
}

/// What a forger tries who holds every key but the validators'.
#[test]
fn a_forged_block_is_refused() {
    let mut ledger = ledger();
    let genesis = ledger.network.genesis.clone();
    let bundle = ledger.bundle(|l| claim_reading(l, 33));
    let failure = |change: &dyn Fn(&mut Bundle)| {
        let mut forged = bundle.clone();
        change(&mut forged);
        verify(&forged.to_bytes().unwrap(), &genesis).unwrap_err()
    };
    let at = |why| Failure { step: Step::Certificate, why: Why::Certificate(why) };
    let header = failure(&|b| b.block.header.result.state_root = Digest([1; 32]));
    assert_eq!(header, at(CertificateError::Block));
    // Two of four sign.
    let two = ledger.network.finalize_by(bundle.block.header.clone(), &[0, 3]);
    let minority = failure(&|b| b.block = two.clone());
    assert_eq!(minority, at(CertificateError::Quorum { signed: 2, needed: 3 }));
    // Its own validators, in an epoch of its own.
    let mut impostor = TinyLedger::new(EntityKind::Gateway, Suite::P256);
    impostor.network.genesis = genesis.clone();
    impostor.submit(50);
    let validators = impostor.network.next_validators(4);
    impostor.network.enter(validators);
    let own = impostor.bundle(|l| claim_reading(l, 33));
    let failure = verify(&own.to_bytes().unwrap(), &genesis).unwrap_err();
    assert_eq!(failure, at(CertificateError::Validators));
    // The same, with a link that the real validators did not sign.
    impostor.end_epoch(4);
    let linked = impostor.bundle(|l| claim_reading(l, 33));
    let failure = verify(&linked.to_bytes().unwrap(), &genesis).unwrap_err();
    let source = CertificateError::Validators;
    let why = Why::Membership(MembershipError::Last { epoch: 1, source });
    assert_eq!(failure, Failure { step: Step::Membership, why });
}

/// A quorum signs a state that contradicts itself: parts of it must not be combined into a claim.
#[test]
fn a_state_that_contradicts_the_claim_is_refused() {
    let contradict = |change: fn(&mut TinyLedger)| {
        let mut ledger = ledger();
        change(&mut ledger);
        let bundle = ledger.bundle(|l| claim_reading(l, 33));
        verify(&bundle.to_bytes().unwrap(), &ledger.network.genesis).unwrap_err()
    };
    let revoked = contradict(|ledger| {
        let key = key::entity(&ledger.gateway);
        let mut record =
            crate::record::EntityRecord::from_wire(ledger.state.get(&key).unwrap()).unwrap();
        record.revoked = Some(1);
        ledger.state.set(key, record.to_wire());
    });
    assert_eq!(revoked, says(Step::Submitter, "the entity was revoked before the batch was taken"));
    let swapped_key = contradict(|ledger| {
        let key = key::entity(&ledger.gateway);
        let mut record =
            crate::record::EntityRecord::from_wire(ledger.state.get(&key).unwrap()).unwrap();
        record.key = ledger.network.genesis.peers[0].inception.key.clone();
        ledger.state.set(key, record.to_wire());
    });
    assert_eq!(
        swapped_key,
        says(Step::Signature, "the signature on the transaction does not verify")
    );
}

#[test]
fn an_owner_needs_no_binding_and_another_transaction_is_refused() {
    let mut ledger = ledger();
    let mut bundle = ledger.bundle(|l| claim_reading(l, 33));
    let other = ledger.series.leaves[2].transaction;
    let Claim::Reading(proof) = &mut bundle.claim else { panic!() };
    proof.submitter.transaction = ledger.transaction(&other);
    assert_eq!(TxId::of(proof.submitter.transaction.as_ref().unwrap()), other);
    let failure = verify(&bundle.to_bytes().unwrap(), &ledger.network.genesis).unwrap_err();
    let text = "the transaction is not the one that brought the batch";
    assert_eq!(failure, says(Step::Signature, text));
}

#[test]
fn a_receipt_of_another_transaction_or_block_is_refused() {
    let mut ledger = ledger();
    let bundle = transaction_bundle(&mut ledger);
    let genesis = ledger.network.genesis.clone();
    let height = ledger.blocks.len();
    let failure = |change: &dyn Fn(&mut ReceiptProof)| {
        let mut bundle = bundle.clone();
        let Claim::Transaction(proof) = &mut bundle.claim else { panic!() };
        change(proof.receipt.as_mut().unwrap());
        verify(&bundle.to_bytes().unwrap(), &genesis).unwrap_err()
    };
    let path = "the path does not lead to the block's receipts";
    let unstated = "the later block does not state the receipts of this one";
    let others = "the later block states other receipts roots";
    assert_eq!(failure(&|proof| proof.receipt.code = 7), says(Step::Receipt, path));
    assert_eq!(failure(&|proof| proof.receipts = Some(9)), says(Step::Receipt, path));
    let needless = "no more receipts than transactions, which needs no saying";
    assert_eq!(failure(&|proof| proof.receipts = Some(3)), says(Step::Receipt, needless));
    let (block, _, receipts) = &ledger.blocks[height - 2];
    let Some(Claim::Transaction(other)) = Claim::transaction(
        block,
        2,
        Some((receipts, vec![receipts_root(receipts)], ledger.blocks[height - 1].1.clone())),
    ) else {
        panic!()
    };
    let other = other.receipt.unwrap();
    assert_eq!(failure(&|proof| *proof = other.clone()), says(Step::Receipt, path));
    let unrelated = ledger.blocks[height - 2].1.clone();
    assert_eq!(failure(&|proof| proof.block = unrelated.clone()), says(Step::Receipt, unstated));
    assert_eq!(failure(&|proof| proof.roots.clear()), says(Step::Receipt, unstated));
    assert_eq!(failure(&|proof| proof.roots[0].0[7] ^= 1), says(Step::Receipt, others));
    // One more before or after: the leaves name their heights.
    assert_eq!(
        failure(&|proof| proof.roots.insert(0, Digest::default())),
        says(Step::Receipt, others)
    );
    assert_eq!(failure(&|proof| proof.roots.push(proof.roots[0])), says(Step::Receipt, others));
    let many = Why::Wire(WireError::OutOfBounds("receipts roots"));
    assert_eq!(
        failure(&|proof| proof.roots = vec![proof.roots[0]; STATED_HEIGHTS_MAX + 1]),
        Failure { step: Step::Form, why: many }
    );
}

#[test]
fn a_run_of_another_trigger_and_a_transaction_in_its_place_are_refused() {
    let mut ledger = ledger();
    let (transaction, bundle) = triggered_bundles(&mut ledger);
    let Claim::Transaction(transaction) = transaction.claim else { panic!() };
    let genesis = ledger.network.genesis.clone();
    let failure = |change: &dyn Fn(&mut RunProof)| {
        let mut bundle = bundle.clone();
        let Claim::Run(proof) = &mut bundle.claim else { panic!() };
        change(proof);
        verify(&bundle.to_bytes().unwrap(), &genesis).unwrap_err()
    };
    let other = "the receipt is of another transaction or run";
    assert_eq!(failure(&|proof| proof.trigger.0[0] ^= 1), says(Step::Receipt, other));
    let among = "the receipt is among those of the transactions";
    let own = transaction.receipt.unwrap();
    assert_eq!(
        failure(&|proof| {
            proof.index = 0;
            proof.receipt = own.clone();
        }),
        says(Step::Receipt, among)
    );
    let path = "the path does not lead to the block's receipts";
    assert_eq!(failure(&|proof| proof.index = 2), says(Step::Receipt, path));
    assert_eq!(failure(&|proof| proof.receipt.receipt.code = 7), says(Step::Receipt, path));
}

#[test]
fn a_failure_is_told_in_words() {
    let failure = spoil(|proof| proof.reading.seq = 34);
    let error: Box<dyn core::error::Error> = Box::new(failure);
    assert_eq!(error.to_string(), "the proof fails at step `reading`; do not rely on it");
    let why: String = error.source().unwrap().to_string();
    assert_eq!(why, "the payload has another reading at this number, or none");
}

proptest! {
    #[test]
    fn garbage_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let genesis = Network::new(4).genesis;
        prop_assert!(verify(&bytes, &genesis).is_err());
    }
}

#[test]
fn pieces_of_bundles_in_each_other_are_refused() {
    let (genesis, bundles) = bundles();
    let bytes: Vec<Vec<u8>> =
        bundles.iter().map(|(_, bundle)| bundle.to_bytes().unwrap()).collect();
    // A generator of our own, so that a failure replays.
    let mut random = 1_u64;
    let mut draw = move |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 33) as usize % below
    };
    for round in 0..3000 {
        let (target, source) = (draw(bytes.len()), draw(bytes.len()));
        let mut spliced = bytes[target].clone();
        let len = 1 + draw(64);
        let (to, from) = (draw(spliced.len() - 64), draw(bytes[source].len() - 64));
        spliced[to..to + len].copy_from_slice(&bytes[source][from..from + len]);
        if spliced != bytes[target] {
            assert!(verify(&spliced, &genesis).is_err(), "round {round}");
        }
    }
}
