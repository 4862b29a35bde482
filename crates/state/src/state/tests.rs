use std::{collections::BTreeMap, sync::Arc};

use althing_proof::state_path::value_digest;
use althing_types::LedgerId;

use super::*;
use crate::{Fault, MemoryStore};

const LEDGER: LedgerId = LedgerId([1; 32]);

fn writes(pairs: &[(&str, Option<&str>)]) -> Writes {
    let row = |(key, value): &(&str, Option<&str>)| {
        (key.as_bytes().to_vec(), value.map(|value| value.as_bytes().to_vec()))
    };
    pairs.iter().map(row).collect()
}

fn founded(store: &Arc<MemoryStore>) -> State {
    let store: Arc<dyn Store> = Arc::clone(store) as Arc<dyn Store>;
    State::found(store, &LEDGER, writes(&[("a", Some("0"))]), |_| Batch::default()).unwrap()
}

fn reopened(store: &Arc<MemoryStore>) -> State {
    let store: Arc<dyn Store> = Arc::clone(store) as Arc<dyn Store>;
    State::open(store, &LEDGER).unwrap().unwrap()
}

fn text(view: &View<'_>, key: &str) -> Option<String> {
    view.get(key.as_bytes()).unwrap().map(|value| String::from_utf8(value).unwrap())
}

#[test]
fn every_recent_height_stays_readable_and_provable() {
    let store = Arc::new(MemoryStore::new());
    let state = founded(&store);
    let mut expected = vec![BTreeMap::from([("a".to_owned(), "0".to_owned())])];
    for height in 1..=100_u64 {
        let mut content = expected.last().unwrap().clone();
        let (key, gone) = (format!("k{}", height % 7), format!("k{}", (height + 3) % 7));
        content.remove(&gone);
        content.insert(key.clone(), height.to_string());
        expected.push(content);
        let pairs = [(gone.as_str(), None), (key.as_str(), Some(height.to_string()))];
        let pairs: Vec<(&str, Option<&str>)> =
            pairs.iter().map(|(key, value)| (*key, value.as_deref())).collect();
        state.commit(height, writes(&pairs), |_| Batch::default()).unwrap();
    }
    check_recent(&state, &expected);
    drop(state);
    let state = reopened(&store);
    check_recent(&state, &expected);
    let rows = |prefix: &[u8]| {
        let end = prefix_end(prefix);
        store.scan(Space::Meta, prefix, end.as_deref(), Direction::Forward, 1000).unwrap().len()
    };
    assert_eq!(rows(b"undo/"), 64, "older rows are gone");
    // It goes on alike: what was read from disk falls out of the window like anything else.
    let pairs = [("a", Some("last"))];
    state.commit(101, writes(&pairs), |_| Batch::default()).unwrap();
    assert!(state.view_at(36).is_none() && state.view_at(37).is_some());
    assert_eq!(text(&state.view_at(37).unwrap(), "a").as_deref(), Some("0"));
}

/// Content and proofs at the newest 65 of 101 heights, and none beyond.
fn check_recent(state: &State, expected: &[BTreeMap<String, String>]) {
    for height in 36..=100_u64 {
        let view = state.view_at(height).unwrap();
        let content = &expected[height as usize];
        let rows = view.scan(b"", None, 100).unwrap();
        let rows: BTreeMap<String, String> = rows
            .into_iter()
            .map(|(k, v)| (String::from_utf8(k).unwrap(), String::from_utf8(v).unwrap()))
            .collect();
        assert_eq!(&rows, content, "height {height}");
        let root = state.root_at(height).unwrap();
        for key in ["a", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "none"] {
            assert_eq!(text(&view, key), content.get(key).cloned());
            let proven = state.prove(height, key.as_bytes()).unwrap().unwrap();
            let digest = proven.value.as_deref().map(value_digest);
            assert_eq!(proven.path.verify(&root, key.as_bytes()), Ok(digest));
        }
    }
    assert!(state.view_at(35).is_none() && state.view_at(101).is_none());
    assert!(state.prove(101, b"a").unwrap().is_none());
}

/// A crash at any commit leaves the state of some block, whole, and the same blocks again lead to
/// the same roots.
#[test]
fn a_crash_at_any_commit_leaves_a_whole_block() {
    let block = |height: u64| {
        let (value, key) = (height.to_string(), format!("k{}", height % 3));
        Writes::from([(key.into_bytes(), Some(value.into_bytes()))])
    };
    let roots: Vec<Digest> = {
        let state = founded(&Arc::new(MemoryStore::new()));
        let first = state.root();
        let rest = (1..=8).map(|h| state.commit(h, block(h), |_| Batch::default()).unwrap());
        std::iter::once(first).chain(rest).collect()
    };
    for at in 2..=9_u64 {
        for (fault, lost) in [(Fault::Fail, 0), (Fault::AfterWrite, 0), (Fault::Fail, 2)] {
            let store = Arc::new(MemoryStore::new());
            let state = founded(&store);
            store.fail_at(at, fault);
            let reached = (1..=8)
                .take_while(|h| state.commit(*h, block(*h), |_| Batch::default()).is_ok())
                .count() as u64;
            drop(state);
            let lost = lost.min(reached as usize);
            store.crash(lost);
            let state = reopened(&store);
            let expected = reached + u64::from(fault == Fault::AfterWrite) - lost as u64;
            assert_eq!(state.height(), expected, "commit {at}, {fault:?}");
            for height in state.height() + 1..=8 {
                state.commit(height, block(height), |_| Batch::default()).unwrap();
            }
            assert_eq!(state.root(), roots[8]);
        }
    }
}

#[test]
fn what_cannot_be_used_is_refused_with_the_reason() {
    let store = Arc::new(MemoryStore::new());
    let any: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
    assert!(State::open(Arc::clone(&any), &LEDGER).unwrap().is_none());
    drop(founded(&store));
    let other = State::open(Arc::clone(&any), &LedgerId([2; 32]));
    assert!(matches!(other, Err(OpenError::OtherLedger { .. })));
    store.damage(Space::State, b"a", |value| value[0] ^= 1);
    assert!(matches!(State::open(Arc::clone(&any), &LEDGER), Err(OpenError::Damaged { .. })));
    store.damage(Space::State, b"a", |value| value[0] ^= 1);
    drop(State::open(Arc::clone(&any), &LEDGER).unwrap());
    // What leads back to earlier states must lead to those that were.
    let state = reopened(&store);
    state.commit(1, writes(&[("b", Some("1"))]), |_| Batch::default()).unwrap();
    let damage = |value: &mut Vec<u8>| value[0] ^= 1;
    store.damage(Space::Meta, &undo::key(1), damage);
    let damaged = State::open(Arc::clone(&any), &LEDGER);
    assert!(matches!(damaged, Err(OpenError::Damaged { height: 0, .. })));
    store.damage(Space::Meta, &undo::key(1), damage);
    store.damage(Space::Meta, b"format", |value| value[3] = 9);
    assert!(matches!(State::open(any, &LEDGER), Err(OpenError::Newer { found: 9 })));
}

/// Else the program that wrote it before would go on with it, and not find what this one has written.
#[test]
fn a_store_of_an_earlier_format_is_of_this_one_from_its_next_block_on() {
    let store = Arc::new(MemoryStore::new());
    drop(founded(&store));
    store.damage(Space::Meta, b"format", |value| value[3] = 1);
    let format = || store.get(Space::Meta, b"format").unwrap().unwrap();
    let state = reopened(&store);
    assert_eq!(text(&state.view(), "a").as_deref(), Some("0"));
    // Who only looks changes nothing.
    assert_eq!(format(), 1_u32.to_be_bytes());
    state.commit(1, writes(&[("b", Some("1"))]), |_| Batch::default()).unwrap();
    assert_eq!(format(), FORMAT.to_be_bytes());
}

#[test]
fn a_full_disk_writes_nothing() {
    let store = Arc::new(MemoryStore::new());
    let state = founded(&store);
    store.fail_at(2, Fault::Full);
    let result = state.commit(1, writes(&[("b", Some("1"))]), |_| Batch::default());
    assert!(matches!(result, Err(StoreError::Full)));
    drop(state);
    let state = reopened(&store);
    assert_eq!((state.height(), text(&state.view(), "b")), (0, None));
}
