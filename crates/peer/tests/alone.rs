//! A peer that is a network by itself: what it does is counted, what it lists is read page by page.
#![expect(clippy::unwrap_used, reason = "a test says by panicking that it failed")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use althing_peer::{
    Peer, Submission,
    query::QueryError,
    testing::{self, VOTING_SEED, key, run_alone, run_alone_on},
};
use althing_state::{Batch, Direction, Frozen, MemoryStore, Row, Space, Store, StoreError};
use althing_types::{Action, Body, Genesis, Parameters, Record, Refusal, Transaction, TxId};

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

    fn frozen(&self) -> Arc<dyn Frozen> {
        self.inner.frozen()
    }
}

/// A network of one peer whose blocks all have a reason: its heartbeat is longer than the test.
fn genesis() -> Genesis {
    testing::genesis(Parameters {
        heartbeat_ms: 60_000,
        leader_timeout_ms: 62_000,
        ..Parameters::standard()
    })
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

/// Work that a later change could double without any result being wrong, counted and not timed.
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
        // Under load much of what other peers pass on is final when its turn comes.
        let again = peer.submit(all).await;
        assert!(again.iter().all(|it| *it == Err(Refusal::NonceReused)), "{again:?}");
        assert_eq!(figure(&peer, "althing_transactions_checked_total"), COUNT, "too late to check");
        // The clock of the test is that of the peer.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now_ms = u64::try_from(now.as_millis()).unwrap();
        assert!(peer.query().commit_p99_ms(now_ms).is_some_and(|p99| p99 < 60_000), "measured");
        assert_eq!(peer.query().commit_p99_ms(now_ms + 3_600_000), None, "an hour later");
        // The founding, and each block. One may be on its way: it is flushed, then counted as executed.
        let before = peer.height();
        let blocks = store.batches.load(Ordering::SeqCst) - 1;
        let after = peer.height() + 1;
        assert!((before..=after).contains(&blocks), "{before} <= {blocks} <= {after}");
    });
}

/// A row of a history holds all of a block's: each page goes on where the one before ended, within a
/// block too.
#[test]
fn a_history_has_each_transaction_once_whatever_the_size_of_its_pages() {
    const COUNT: u64 = 40;
    let genesis = genesis();
    run_alone(&genesis.clone(), [VOTING_SEED; 32], |peer| async move {
        let sender = genesis.organisations[0].inception.id();
        for first in [0, COUNT / 2] {
            let some: Vec<Submission> =
                (first..first + COUNT / 2).map(|nonce| record(&genesis, nonce)).collect();
            let ids: Vec<TxId> = some.iter().map(|one| TxId::of(&one.transaction)).collect();
            peer.submit(some).await;
            for id in ids {
                peer.wait(id).await.unwrap();
            }
        }
        let whole = peer.query().history(&sender, None, 100).unwrap();
        let places: Vec<_> = whole.items.iter().map(|past| (past.height, past.position)).collect();
        assert_eq!(whole.items.len() as u64, COUNT);
        assert!(places.is_sorted_by(|newer, older| newer > older), "{places:?}");
        assert!(whole.next.is_none());
        for size in [1, 3, 19, 20, 21, 40] {
            let (mut seen, mut after) = (Vec::new(), None::<Vec<u8>>);
            loop {
                let page = peer.query().history(&sender, after.as_deref(), size).unwrap();
                assert!(page.items.len() <= size);
                seen.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(seen, whole.items, "pages of {size}");
        }
        let other = peer.query().history(&sender, Some(b"h and something else"), 10);
        assert!(matches!(other, Err(QueryError::Cursor)), "{other:?}");
    });
}
