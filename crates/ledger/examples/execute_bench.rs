//! Measures what executing costs, without signatures, trie or disk: one JSON object on one line.
#![expect(clippy::disallowed_types, reason = "a benchmark reads the clock; the ledger does not")]

use std::{collections::BTreeMap, time::Instant};

use althing_ledger::{BlockInput, execute, genesis};
use althing_types::{
    Action, BatchHeader, Body, Digest, EntityId, EntityKind, ExecutionResult, Genesis, Header,
    Inception, LedgerId, Mechanism, Mode, Organisation, Parameters, PeerSeat, Record, Signature,
    SigningKey, StreamId, Suite, ThingId, Transaction,
};

type State = BTreeMap<Vec<u8>, Vec<u8>>;

const BLOCKS: u64 = 50;
const TRANSACTIONS: usize = 1000;
const SENDERS: usize = 200;
/// Ten senders speak for each: no thing may have many more.
const THINGS: usize = SENDERS / 10;
const DESCRIPTION: &str = r#"{"@context": "https://www.w3.org/2022/wot/td/v1.1", "title": "T",
    "securityDefinitions": {"none": {"scheme": "nosec"}}, "security": "none",
    "properties": {"p": {"type": "integer", "forms": [{"href": "p"}]}}}"#;

fn key(seed: u64) -> SigningKey {
    let mut secret = [1; 32];
    secret[..8].copy_from_slice(&seed.to_le_bytes());
    SigningKey::from_secret(Suite::Ed25519, secret).expect("any bytes are an Ed25519 secret")
}

fn inception(kind: EntityKind, seed: u64) -> Inception {
    Inception { kind, name: format!("entity {seed}"), key: key(seed).public_key() }
}

fn founding() -> Genesis {
    let organisation = inception(EntityKind::Organisation, 1);
    let owner = organisation.id();
    let peer = key(2).public_key().bytes.try_into().expect("32 bytes");
    Genesis {
        version: 1,
        network: "bench".into(),
        time_ms: 1_700_000_000_000,
        mode: Mode::Private,
        mechanism: Mechanism::Simplex,
        parameters: Parameters::standard(),
        organisations: vec![Organisation { inception: organisation }],
        peers: vec![PeerSeat {
            inception: inception(EntityKind::Peer, 3),
            organisation: owner,
            key: peer,
        }],
        token: None,
    }
}

fn header(ledger: LedgerId, height: u64) -> Header {
    Header {
        version: 1,
        ledger,
        height,
        parent: Digest::default(),
        time_ms: 1_700_000_000_000 + height,
        proposer: [0; 32],
        epoch: 0,
        view: height,
        parent_view: height - 1,
        validators: Digest::default(),
        next_validators: None,
        transactions: Digest::default(),
        count: 0,
        result: ExecutionResult {
            height: height - 1,
            state_root: Digest::default(),
            receipts_root: Digest::default(),
        },
    }
}

struct Run {
    ledger: LedgerId,
    state: State,
    height: u64,
}

impl Run {
    /// Executes a block and gives the microseconds it took.
    fn block(&mut self, transactions: &[Transaction]) -> f64 {
        self.height += 1;
        let header = header(self.ledger, self.height);
        let started = Instant::now();
        let transactions: Vec<&Transaction> = transactions.iter().collect();
        let block = BlockInput { header: &header, transactions: &transactions };
        let outcome = execute(&self.state, &block).expect("a map does not fail");
        let took = started.elapsed();
        assert!(outcome.receipts.iter().all(|receipt| receipt.code == 0), "all must take effect");
        for (key, value) in outcome.writes {
            match value {
                Some(value) => self.state.insert(key, value),
                None => self.state.remove(&key),
            };
        }
        took.as_secs_f64() * 1e6
    }

    fn transaction(
        &self,
        sender: u64,
        kind: EntityKind,
        nonce: u64,
        action: Action,
    ) -> Transaction {
        let id = inception(kind, sender).id();
        let body = Body::new(&self.ledger, id, nonce, self.height + 1000, vec![action]);
        Transaction::sign(&self.ledger, body, &key(sender), &[])
    }
}

/// The thing that the sender with this number speaks for.
fn thing(number: u64) -> ThingId {
    let organisation = inception(EntityKind::Organisation, 1).id();
    ThingId::derive(&organisation, &format!("thing {}", number % THINGS as u64))
}

fn register(run: &mut Run) {
    let gateways = (0..SENDERS as u64).map(|sender| inception(EntityKind::Gateway, 100 + sender));
    let mut actions: Vec<Action> = gateways
        .clone()
        .map(|inception| Action::RegisterEntity { inception, possession: Signature([0; 64]) })
        .collect();
    actions.extend((0..THINGS).map(|number| Action::RegisterThing {
        name: format!("thing {number}"),
        description: DESCRIPTION.as_bytes().to_vec(),
    }));
    actions.extend((0..).zip(gateways).map(|(number, gateway)| Action::Bind {
        thing: thing(number),
        gateway: gateway.id(),
        until_height: 1_000_000,
    }));
    let transactions: Vec<Transaction> = (0..)
        .zip(actions)
        .map(|(nonce, action)| run.transaction(1, EntityKind::Organisation, nonce, action))
        .collect();
    run.block(&transactions);
}

/// Microseconds for a transaction when each block has as many as there are, one action each.
fn measure(run: &mut Run, blocks: u64, first_nonce: u64, action: impl Fn(u64) -> Action) -> f64 {
    let (mut sent, mut total) = (0_u64, 0.0);
    for _ in 0..blocks {
        let transactions: Vec<Transaction> = (0..TRANSACTIONS)
            .map(|_| {
                let (sender, round) = (sent % SENDERS as u64, sent / SENDERS as u64);
                sent += 1;
                let nonce = first_nonce + round;
                run.transaction(100 + sender, EntityKind::Gateway, nonce, action(sent - 1))
            })
            .collect();
        total += run.block(&transactions);
    }
    total / (blocks as f64 * TRANSACTIONS as f64)
}

fn record(data: usize) -> Action {
    let notify: Vec<EntityId> = Vec::new();
    Action::Record(Record { kind: "note".into(), data: vec![7; data], notify, link: None })
}

fn batch(stream: StreamId, number: u64) -> Action {
    Action::SubmitBatch(BatchHeader {
        stream,
        first_seq: number * 100,
        count: 100,
        time_min: 0,
        time_max: 1,
        min: Some(1),
        max: Some(1),
        sum: 100,
        payload_digest: [1; 32],
        payload_len: 1000,
    })
}

/// Microseconds for a record, and for a batch of readings.
fn figures(blocks: u64) -> (f64, f64) {
    let genesis = founding();
    let founded = genesis::found(&genesis).into_iter();
    let state = founded.filter_map(|(key, value)| value.map(|value| (key, value))).collect();
    let mut run = Run { ledger: genesis.ledger(), state, height: 0 };
    register(&mut run);
    let rounds = blocks * TRANSACTIONS as u64 / SENDERS as u64;
    let record_us = measure(&mut run, blocks, 0, |_| record(200));
    let streams: Vec<StreamId> =
        (0..THINGS as u64).map(|number| StreamId::derive(&thing(number), "p")).collect();
    let batch_us = measure(&mut run, blocks, rounds, |number| {
        batch(streams[number as usize % THINGS], number / THINGS as u64)
    });
    (record_us, batch_us)
}

fn main() {
    let (record_us, batch_us) = figures(BLOCKS);
    println!(
        "{{\"bench\":\"ledger_execute\",\"transactions_per_block\":{TRANSACTIONS},\
         \"record_us\":{record_us:.2},\"batch_of_100_us\":{batch_us:.2}}}"
    );
}

/// A rule that the ledger got later has broken it once, and nobody knew before it was to measure.
#[test]
fn all_that_is_measured_takes_effect() {
    figures(1);
}
