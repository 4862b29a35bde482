use alloc::{string::ToString, vec, vec::Vec};

use althing_types::{
    Action, Cipher, EntityKind, Genesis, Mechanism, Receipt, Record, StreamKey, Suite, ThingId,
    TriggerId, receipts_root,
};

use crate::{
    bundle::{Bundle, Claim},
    interval::Interval,
    key,
    opening::Payloads,
    testing::{BEGIN_MS, Network, PERIOD_MS, TinyLedger},
};

/// A bundle of every kind of claim with its name, over two epochs, and the genesis that they are
/// checked against.
#[must_use]
pub fn bundles() -> (Genesis, Vec<(&'static str, Bundle)>) {
    let mut ledger = TinyLedger::new(EntityKind::Gateway, Suite::P256);
    (0..5).for_each(|_| ledger.submit(20));
    ledger.rotate_key(Suite::Ed25519, 78);
    ledger.submit(20);
    ledger.end_epoch(4);
    let stream = ledger.stream;
    let numbers = Interval::Seq { first: 15, last: 44 };
    let time = |reading: i64| BEGIN_MS as i64 + reading * PERIOD_MS;
    let times = Interval::Time { first_ms: time(30), last_ms: time(70) };
    let (present, absent) = (key::thing(&ledger.thing), key::thing(&ThingId([0x55; 32])));
    let mut add = |claim: &dyn Fn(&TinyLedger) -> Claim| ledger.bundle(claim);
    let mut bundles = vec![
        ("reading", add(&|ledger| Claim::reading(ledger, &stream, 33).unwrap())),
        ("reading under a new key", add(&|ledger| Claim::reading(ledger, &stream, 119).unwrap())),
        ("range", add(&|ledger| Claim::range(ledger, &stream, numbers, Payloads::Needed).unwrap())),
        ("aggregate", add(&|ledger| Claim::aggregate(ledger, &stream, times).unwrap())),
        ("state", add(&|ledger| Claim::state(ledger, present.clone()).unwrap())),
        ("absence", add(&|ledger| Claim::state(ledger, absent.clone()).unwrap())),
    ];
    bundles.push(("transaction", transaction_bundle(&mut ledger)));
    bundles.push(("late transaction", late_transaction_bundle(&mut ledger)));
    let (triggered, run) = triggered_bundles(&mut ledger);
    bundles.push(("triggered transaction", triggered));
    bundles.push(("run", run));
    let key = StreamKey::new(Cipher::ChaCha20Poly1305, 1, [0x5e; 32]);
    let readings = ledger.readings(3);
    ledger.submit_sealed(readings, &key);
    let sealed = Interval::Seq { first: 119, last: 122 };
    let claim =
        |ledger: &TinyLedger| Claim::range(ledger, &stream, sealed, Payloads::Needed).unwrap();
    bundles.push(("range that is sealed in part", ledger.bundle(claim)));
    (ledger.network.genesis, bundles)
}

/// A reading of each of three epochs of one ledger, whose four validators agree by Raft, as they began,
/// then by Simplex, and by Raft again; with its genesis.
#[must_use]
pub fn agreed_bundles() -> (Genesis, Vec<(&'static str, Bundle)>) {
    let mut ledger = TinyLedger::on(Network::of_raft(4), EntityKind::Gateway, Suite::Ed25519);
    let stream = ledger.stream;
    let reading = |ledger: &mut TinyLedger, seq| {
        ledger.submit(2);
        ledger.bundle(|ledger| Claim::reading(ledger, &stream, seq).unwrap())
    };
    let mut bundles = vec![("reading by raft, before a change", reading(&mut ledger, 1))];
    ledger.agree_by(Mechanism::Simplex);
    bundles.push(("reading by simplex, after a change from raft", reading(&mut ledger, 3)));
    ledger.agree_by(Mechanism::Raft);
    bundles.push(("reading by raft, after a change back", reading(&mut ledger, 5)));
    (ledger.network.genesis, bundles)
}

/// The only transaction of a block in which a trigger ran, with its receipt; and that run.
#[must_use]
pub fn triggered_bundles(ledger: &mut TinyLedger) -> (Bundle, Bundle) {
    let note = Record { kind: "note".to_string(), data: vec![12], notify: vec![], link: None };
    let wire = ledger.sign(vec![Action::Record(note)]).wire().clone();
    ledger.block(vec![wire]);
    let at = ledger.blocks.len() - 1;
    let trigger = TriggerId([0x67; 32]);
    let transaction = trigger.run(at as u64 + 1);
    ledger.blocks[at].2.push(Receipt { transaction, code: 0, action: 0, events: vec![] });
    let later = ledger.commit();
    let (block, finalized, receipts) = &ledger.blocks[at];
    let results = (receipts.as_slice(), vec![receipts_root(receipts)], later);
    let transaction = Claim::transaction(block, 0, Some(results.clone())).unwrap();
    let run = Claim::run(block.header(), trigger, results).unwrap();
    let bundle = |claim| Bundle::new(ledger.links.clone(), finalized.clone(), claim);
    (bundle(transaction), bundle(run))
}

/// The second transaction of a block of three, with its receipt.
#[must_use]
pub fn transaction_bundle(ledger: &mut TinyLedger) -> Bundle {
    let transactions = (0..3_u8)
        .map(|data| Record {
            kind: "note".to_string(),
            data: vec![data],
            notify: vec![],
            link: None,
        })
        .map(|record| ledger.sign(vec![Action::Record(record)]).wire().clone())
        .collect();
    ledger.block(transactions);
    let later = ledger.commit();
    let (block, finalized, receipts) = &ledger.blocks[ledger.blocks.len() - 2];
    let roots = vec![receipts_root(receipts)];
    let claim = Claim::transaction(block, 1, Some((receipts, roots, later))).unwrap();
    Bundle::new(ledger.links.clone(), finalized.clone(), claim)
}

/// A transaction of a block without a certificate of its own, whose receipt is stated, with those
/// of the heights before and after, by a block without one.
#[must_use]
pub fn late_transaction_bundle(ledger: &mut TinyLedger) -> Bundle {
    let mut note = |data| {
        let note = Record { kind: "note".to_string(), data, notify: vec![], link: None };
        vec![ledger.sign(vec![Action::Record(note)]).wire().clone()]
    };
    let (one, other) = (note(vec![10]), note(vec![11]));
    ledger.commit();
    let own = ledger.blocks.len() + 1;
    ledger.block_without_result(one);
    ledger.block_without_result(other);
    let roots = ledger.receipts_roots_after(own as u64 - 2);
    ledger.commit();
    ledger.commit();
    let later = ledger.finalized_by(own + 2, own + 3);
    let (block, _, receipts) = &ledger.blocks[own - 1];
    let claim = Claim::transaction(block, 0, Some((receipts, roots, later))).unwrap();
    Bundle::new(ledger.links.clone(), ledger.finalized_by(own, own + 2), claim)
}
