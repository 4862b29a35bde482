//! The stream tree, the state trie, and bundles of every kind.

use althing_proof::{
    Bundle, Claim, Interval, StatePath, bundle, key,
    opening::Payloads,
    record::{BindingRecord, EntityRecord, KeyRecord, ThingRecord},
    stream::{Leaf, Node, Peaks, Summary},
    testing::{
        Network, TinyLedger, Trie, agreed_bundles, late_transaction_bundle, triggered_bundles,
    },
};
use althing_types::{
    Cipher, EntityId, EntityKind, Genesis, StreamKey, Suite, TxId, Wire, receipts_root,
};
use serde_json::{Value, json};

use super::{
    Form, Vector,
    readings::{STREAM, numbers},
};

pub(super) fn forms() -> Vec<Form> {
    let ledger = ledger();
    vec![
        Form::new(
            "leaf",
            "A batch in the tree of its stream. `hash` is SHA-256 of 0x00 and the wire form; \
             `summary` is the wire form of its summary.",
            leaves()
                .iter()
                .zip(1..)
                .map(|(leaf, n)| leaf_vector(&format!("batch {n}"), leaf))
                .collect(),
        ),
        Form::new(
            "node",
            "Two subtrees joined. `hash` is SHA-256 of 0x01, left hash, left summary, right hash, \
             right summary, the summaries as their wire forms.",
            vec![node_vector()],
        ),
        Form::new(
            "peaks",
            "The peaks of a stream's tree after so many batches, left to right, hence highest first.",
            (0..=5).map(peaks_vector).collect(),
        ),
        Form::new(
            "stream_head",
            "What the state keeps of a stream, at the key `s/` and the stream's id.",
            vec![stored::<althing_proof::stream::StreamHead>(
                "a stream",
                &ledger,
                key::stream(&ledger.stream),
            )],
        ),
        Form::new("record", "Values of the state, each at its key.", records(&ledger)),
        Form::new(
            "state_path",
            "The path of a key through the state's trie, present or absent. Keys and values are \
             hashed with SHA-256; a leaf is SHA-256 of 0x00, key hash, value hash; an inner node \
             SHA-256 of 0x01, left, right; nothing is 32 zero bytes.",
            [0, 1, 2, 9].into_iter().flat_map(paths).collect(),
        ),
        Form::new(
            "bundle",
            "Proof bundles. A verifier given `genesis` (the wire form of a genesis) accepts each, \
             and refuses it with any byte changed. `seal` is SHA-256 of `althing/bundle/1` and \
             the bundle without its seal.",
            bundles(ledger),
        ),
    ]
}

/// A ledger with eleven batches of one stream, a rotated key and an epoch that ended.
fn ledger() -> TinyLedger {
    let mut ledger = TinyLedger::new(EntityKind::Gateway, Suite::Ed25519);
    for count in [3, 1, 5, 12, 2] {
        ledger.submit(count);
    }
    ledger.rotate_key(Suite::P256, 78);
    for count in [4, 4, 1] {
        ledger.submit(count);
    }
    ledger.end_epoch(5);
    for count in [2, 7, 3] {
        ledger.submit(count);
    }
    ledger
}

fn leaves() -> Vec<Leaf> {
    let first = numbers().header(STREAM, 0);
    let leaf = |n: u64| {
        let mut batch = first.clone();
        batch.first_seq = 10 * n;
        batch.time_min += 900_000 * n as i64;
        batch.time_max += 900_000 * n as i64;
        Leaf::new(&batch, EntityId([0xe1; 32]), TxId([n as u8; 32]), 40 + n, 1_700_000_900_000 + n)
    };
    (0..5).map(leaf).collect()
}

fn leaf_vector(name: &str, leaf: &Leaf) -> Vector {
    let inputs = json!({
        "first_seq": leaf.first_seq,
        "count": leaf.count,
        "time_min": leaf.time_min,
        "time_max": leaf.time_max,
        "min": leaf.min.map(|min| min.to_string()),
        "max": leaf.max.map(|max| max.to_string()),
        "sum": leaf.sum.to_string(),
        "payload_digest": hex::encode(leaf.payload_digest),
        "payload_len": leaf.payload_len,
        "submitter": hex::encode(leaf.submitter.0),
        "transaction": hex::encode(leaf.transaction.0),
        "ledger_time_ms": leaf.ledger_time_ms,
        "height": leaf.height,
    });
    Vector::new(name, inputs, leaf.to_wire())
        .gives("hash", Node::of_leaf(leaf).hash.0)
        .gives("summary", leaf.summary().to_wire())
}

fn summary_json(summary: &Summary) -> Value {
    json!({
        "leaves": summary.leaves,
        "count": summary.count,
        "seq_min": summary.seq_min,
        "seq_max": summary.seq_max,
        "time_min": summary.time_min,
        "time_max": summary.time_max,
        "min": summary.min.map(|min| min.to_string()),
        "max": summary.max.map(|max| max.to_string()),
        "sum": summary.sum.to_string(),
    })
}

fn node_vector() -> Vector {
    let (left, right) = (Node::of_leaf(&leaves()[0]), Node::of_leaf(&leaves()[1]));
    let joined = Node::join(&left, &right).expect("small numbers do not overflow");
    let inputs = json!({
        "left": hex::encode(left.to_wire()),
        "right": hex::encode(right.to_wire()),
        "summary": summary_json(&joined.summary),
    });
    Vector::new("two batches", inputs, joined.to_wire()).gives("hash", joined.hash.0)
}

fn peaks_vector(count: usize) -> Vector {
    let mut peaks = Peaks::default();
    let leaves = leaves();
    for leaf in &leaves[..count] {
        peaks.append(leaf).expect("a short stream is not full");
    }
    let inputs: Vec<String> =
        leaves[..count].iter().map(|leaf| hex::encode(leaf.to_wire())).collect();
    Vector::new(format!("{count} batches"), json!({ "leaves": inputs }), peaks.to_wire())
}

/// A value of the ledger's state, which must be of type `T`.
fn stored<T: Wire>(name: &str, ledger: &TinyLedger, raw_key: Vec<u8>) -> Vector {
    let value = ledger.state.get(&raw_key).expect("the ledger holds it").to_vec();
    assert!(T::from_wire(&value).is_ok(), "{name}");
    Vector::new(name, json!({ "key": hex::encode(raw_key) }), value)
}

fn records(ledger: &TinyLedger) -> Vec<Vector> {
    let gateway = &ledger.gateway;
    vec![
        stored::<EntityRecord>("an entity", ledger, key::entity(gateway)),
        stored::<KeyRecord>("a key it had", ledger, key::key_history(gateway, 1)),
        stored::<ThingRecord>("a thing", ledger, key::thing(&ledger.thing)),
        stored::<BindingRecord>("a binding", ledger, key::binding(&ledger.thing, gateway)),
    ]
}

/// Paths in a trie of `count` keys: of the first key, and of one that is not there.
fn paths(count: u8) -> Vec<Vector> {
    let mut trie = Trie::default();
    let entries: Vec<(String, String)> =
        (0..count).map(|n| (format!("key {n}"), format!("value {n}"))).collect();
    for (key, value) in &entries {
        trie.set(key.clone().into_bytes(), value.clone().into_bytes());
    }
    ["key 0", "no such key"]
        .into_iter()
        .map(|key| {
            let path: StatePath = trie.path(key.as_bytes());
            let value = trie.get(key.as_bytes()).map(hex::encode);
            let inputs = json!({
                "entries": entries,
                "key": hex::encode(key),
                "value": value,
            });
            let present = if value.is_some() { "present" } else { "absent" };
            Vector::new(format!("{present}, among {count}"), inputs, path.to_wire())
                .gives("root", trie.root().0)
        })
        .collect()
}

fn bundles(mut ledger: TinyLedger) -> Vec<Vector> {
    let (stream, thing) = (ledger.stream, ledger.thing);
    let seq = Interval::Seq { first: 4, last: 20 };
    let begin = althing_proof::testing::BEGIN_MS as i64;
    let time = Interval::Time { first_ms: begin, last_ms: begin + 86_400_000 };
    let mut made = vec![
        ("reading 9", ledger.bundle(|l| Claim::reading(l, &stream, 9).expect("it is there"))),
        (
            "reading 29, of another key and epoch",
            ledger.bundle(|l| Claim::reading(l, &stream, 29).expect("it is there")),
        ),
        (
            "readings 4 to 20",
            ledger.bundle(|l| {
                Claim::range(l, &stream, seq, Payloads::Needed).expect("they are there")
            }),
        ),
        (
            "aggregate over a day",
            ledger.bundle(|l| Claim::aggregate(l, &stream, time).expect("they are there")),
        ),
        (
            "state of a thing",
            ledger.bundle(|l| Claim::state(l, key::thing(&thing)).expect("there is a path")),
        ),
        (
            "absence of an entity",
            ledger.bundle(|l| {
                Claim::state(l, key::entity(&EntityId([0xab; 32]))).expect("there is a path")
            }),
        ),
    ];
    made.push(("transaction with its receipt", transaction(&ledger)));
    made.push((
        "transaction in a block that a later certificate covers, whose receipt is stated with others",
        late_transaction_bundle(&mut ledger),
    ));
    let signed_seq = ledger.series.head.next_seq + 2;
    ledger.submit_signed(4, Suite::P256, 90);
    made.push((
        "a reading that its device signed",
        ledger.bundle(|l| Claim::reading(l, &stream, signed_seq).expect("it is there")),
    ));
    let (triggered, run) = triggered_bundles(&mut ledger);
    made.push(("transaction of a block in which a trigger ran", triggered));
    made.push(("a run of a trigger", run));
    let first = ledger.series.head.next_seq - 1;
    let sealed_too = Interval::Seq { first, last: first + 3 };
    let readings = ledger.readings(3);
    ledger.submit_sealed(readings, &StreamKey::new(Cipher::ChaCha20Poly1305, 1, [0x5e; 32]));
    made.push((
        "readings, some of them sealed under key 1, which is 5e5e..5e",
        ledger.bundle(|l| {
            Claim::range(l, &stream, sealed_too, Payloads::Needed).expect("they are there")
        }),
    ));
    let genesis = &ledger.network.genesis;
    let mut vectors: Vec<Vector> =
        made.into_iter().map(|(name, made)| bundle_vector(name, &made, genesis)).collect();
    vectors.push(raft_bundle());
    let (genesis, agreed) = agreed_bundles();
    vectors.extend(agreed.iter().map(|(name, made)| bundle_vector(name, made, &genesis)));
    vectors
}

fn bundle_vector(name: &str, made: &Bundle, genesis: &Genesis) -> Vector {
    let bytes = made.to_bytes().expect("it is short");
    let verified = bundle::verify(&bytes, genesis);
    assert!(verified.is_ok(), "{name}: {verified:?}");
    let inputs = json!({ "genesis": hex::encode(genesis.to_wire()) });
    Vector::new(name, inputs, bytes).gives("seal", made.seal().0)
}

/// Where three peers agree by Raft, two sign.
fn raft_bundle() -> Vector {
    let network = Network::of_raft(3);
    let mut ledger = TinyLedger::on(network, EntityKind::Gateway, Suite::Ed25519);
    ledger.submit(3);
    ledger.submit(2);
    let stream = ledger.stream;
    let made = ledger.bundle(|l| Claim::reading(l, &stream, 1).expect("it is there"));
    bundle_vector("reading of a ledger whose peers agree by raft", &made, &ledger.network.genesis)
}

/// The first transaction of the ledger, in its block, with its receipt.
fn transaction(ledger: &TinyLedger) -> Bundle {
    let (block, finalized, receipts) = &ledger.blocks[0];
    let later = ledger.blocks[1].1.clone();
    let results = (&receipts[..], vec![receipts_root(receipts)], later);
    let claim = Claim::transaction(block, 0, Some(results)).expect("it is there");
    Bundle::new(Vec::new(), finalized.clone(), claim)
}
