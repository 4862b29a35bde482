//! What is done once must not be done twice: work that a later change could double without any result
//! being wrong, counted and not timed.
#![expect(clippy::unwrap_used, reason = "a test says by panicking that it failed")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use althing_peer::{Peer, Submission, testing::run_alone_on};
use althing_state::{Batch, Direction, MemoryStore, Row, Space, Store, StoreError};
use althing_types::{
    Action, Body, EntityKind, Genesis, Inception, Mechanism, Mode, Organisation, Parameters,
    PeerSeat, Record, SigningKey, Suite, Transaction, TxId,
};

/// A store that counts its batches, each of which is one flush.
#[derive(Debug, Default)]
struct Counting {
    inner: MemoryStore,
    batches: AtomicU64,
}

impl Store for Counting {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(space, key)
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.inner.scan(space, from, to, direction, limit)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.batches.fetch_add(1, Ordering::SeqCst);
        self.inner.commit(batch)
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_secret(Suite::Ed25519, [seed; 32]).unwrap()
}

const VOTING_SEED: u8 = 3;

/// A network of one peer whose blocks all have a reason: its heartbeat is longer than the test.
fn genesis() -> Genesis {
    let begins = |kind, name: &str, seed| Inception {
        kind,
        name: name.to_owned(),
        key: key(seed).public_key(),
    };
    let organisation = begins(EntityKind::Organisation, "Harbour", 1);
    let peer = PeerSeat {
        inception: begins(EntityKind::Peer, "Quay", 2),
        organisation: organisation.id(),
        key: key(VOTING_SEED).public_key().bytes.try_into().unwrap(),
    };
    Genesis {
        version: 1,
        network: "test".into(),
        time_ms: 1_790_000_000_000,
        mode: Mode::Private,
        mechanism: Mechanism::Simplex,
        parameters: Parameters {
            heartbeat_ms: 60_000,
            leader_timeout_ms: 62_000,
            ..Parameters::standard()
        },
        organisations: vec![Organisation { inception: organisation }],
        peers: vec![peer],
        token: None,
    }
}

fn record(genesis: &Genesis, nonce: u64) -> Submission {
    let ledger = genesis.ledger();
    let record = Record { kind: "test".into(), data: vec![7; 200], notify: vec![], link: None };
    let sender = genesis.organisations[0].inception.id();
    let body = Body::new(&ledger, sender, nonce, 100, vec![Action::Record(record)]);
    let transaction = Transaction::sign(&ledger, body, &key(1), &[]).wire().clone();
    Submission { transaction, payloads: Vec::new() }
}

fn figure(peer: &Peer, name: &str) -> u64 {
    let figures = peer.query().figures();
    figures.iter().find(|figure| figure.name == name).unwrap().value
}

#[test]
fn a_transaction_is_checked_once_and_a_block_is_flushed_once() {
    const COUNT: u64 = 300;
    let (store, genesis) = (Arc::new(Counting::default()), genesis());
    run_alone_on(store.clone(), &genesis.clone(), [VOTING_SEED; 32], |peer| async move {
        let all: Vec<Submission> = (0..COUNT).map(|nonce| record(&genesis, nonce)).collect();
        let ids: Vec<TxId> = all.iter().map(|one| TxId::of(&one.transaction)).collect();
        let verdicts = peer.submit(all.clone()).await;
        assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
        let mut newest = 0;
        for id in ids {
            newest = newest.max(peer.wait(id).await.unwrap().height);
        }
        // The block that states the last result; then there is little to do before the heartbeat.
        peer.executed_at_least(newest + 1).await;
        assert_eq!(figure(&peer, "althing_transactions_executed_total"), COUNT);
        assert_eq!(figure(&peer, "althing_transactions_checked_total"), COUNT);
        // The founding, and each block. One may be on its way: it is flushed, then counted as executed.
        let before = peer.height();
        let blocks = store.batches.load(Ordering::SeqCst) - 1;
        let after = peer.height() + 1;
        assert!((before..=after).contains(&blocks), "{before} <= {blocks} <= {after}");
    });
}
