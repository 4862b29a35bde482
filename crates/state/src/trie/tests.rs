use std::collections::BTreeMap;

use althing_proof::state_path::{EMPTY, bit, inner, key_digest, leaf, value_digest};
use althing_types::Digest;
use proptest::prelude::*;

use super::*;

/// The definition, word for word: what the arena must equal.
fn reference(content: &[(Digest, Digest)], depth: usize) -> Digest {
    match content {
        [] => EMPTY,
        [(key, value)] => leaf(key, value),
        _ => {
            let split = content.partition_point(|(key, _)| bit(key, depth) == 0);
            inner(
                &reference(&content[..split], depth + 1),
                &reference(&content[split..], depth + 1),
            )
        }
    }
}

fn root_of(content: &BTreeMap<Digest, Digest>) -> Digest {
    let content: Vec<_> = content.iter().map(|(key, value)| (*key, *value)).collect();
    reference(&content, 0)
}

/// Few distinct keys, some of which share long prefixes, so that histories collide.
fn raw_key(number: u8) -> Digest {
    if number.is_multiple_of(3) {
        let mut key = [0; 32];
        key[31 - usize::from(number % 4)] = number;
        Digest(key)
    } else {
        key_digest(&[number % 24])
    }
}

fn changes(batch: &[(u8, Option<u8>)]) -> Vec<Change> {
    let map: BTreeMap<Digest, Option<Digest>> = batch
        .iter()
        .map(|(key, value)| (raw_key(*key), value.map(|value| value_digest(&[value]))))
        .collect();
    map.into_iter().collect()
}

fn batches() -> impl Strategy<Value = Vec<Vec<(u8, Option<u8>)>>> {
    let change = (0_u8..40, proptest::option::weighted(0.7, 0_u8..4));
    prop::collection::vec(prop::collection::vec(change, 0..12), 1..12)
}

proptest! {
    #[test]
    fn the_root_is_a_function_of_content_and_old_roots_stay_readable(history in batches()) {
        let (mut trie, mut content) = (Trie::new(), BTreeMap::new());
        let mut versions = vec![BTreeMap::new()];
        for (number, batch) in (1..).zip(&history) {
            let changes = changes(batch);
            for (key, value) in &changes {
                match value {
                    Some(value) => content.insert(*key, *value),
                    None => content.remove(key),
                };
            }
            prop_assert_eq!(trie.apply(number, &changes), root_of(&content));
            versions.push(content.clone());
        }
        for (number, content) in (0_u64..).zip(&versions) {
            let root = trie.root_at(number).unwrap();
            prop_assert_eq!(root, root_of(content));
            for key in (0..40).map(raw_key) {
                let path = trie.prove(number, &key).unwrap();
                let found = if let Terminal::Found(value) = path.terminal() { Some(*value) } else { None };
                prop_assert_eq!(found, content.get(&key).copied());
            }
        }
    }

    #[test]
    fn dropping_versions_reuses_their_nodes_and_nothing_else(history in batches()) {
        let (mut trie, mut content) = (Trie::new(), BTreeMap::new());
        for (number, batch) in (1_u64..).zip(&history) {
            let changes = changes(batch);
            for (key, value) in &changes {
                match value {
                    Some(value) => content.insert(*key, *value),
                    None => content.remove(key),
                };
            }
            trie.apply(number, &changes);
            trie.keep_from(number.saturating_sub(2));
            prop_assert_eq!(trie.root(), root_of(&content));
        }
        let last = trie.version();
        trie.keep_from(last);
        // Every node is either in use or free.
        let used = content.len();
        prop_assert_eq!(trie.leaves.len() - trie.free_leaves.len(), used);
        prop_assert_eq!(trie.root_at(last.saturating_sub(1)).is_none(), last > 0);
    }
}

#[test]
fn paths_verify_for_presence_and_absence_and_for_nothing_else() {
    let mut trie = Trie::new();
    let raw = |i: u32| format!("e/{i}").into_bytes();
    let mut changes: Vec<Change> =
        (0..200).map(|i| (key_digest(&raw(i)), Some(value_digest(&i.to_be_bytes())))).collect();
    changes.sort();
    let root = trie.apply(1, &changes);
    for i in 0..400 {
        let path = trie.prove(1, &key_digest(&raw(i))).unwrap();
        let expected = (i < 200).then(|| value_digest(&i.to_be_bytes()));
        assert_eq!(path.verify(&root, &raw(i)), Ok(expected));
        if expected.is_some() {
            assert_ne!(path.verify(&root, &raw(i + 1)), Ok(expected));
        }
        assert!(path.verify(&EMPTY, &raw(i)).is_err());
    }
}

#[test]
fn removing_what_was_added_leaves_no_trace() {
    let mut trie = Trie::new();
    let key = |i: u8| key_digest(&[i]);
    let one = trie.apply(1, &[(key(1), Some(value_digest(b"a")))]);
    let mut both: Vec<Change> = (2..60).map(|i| (key(i), Some(value_digest(b"b")))).collect();
    both.sort();
    assert_ne!(trie.apply(2, &both), one);
    let gone: Vec<Change> = both.iter().map(|(key, _)| (*key, None)).collect();
    assert_eq!(trie.apply(3, &gone), one);
    assert_eq!(trie.apply(4, &[(key(1), None)]), EMPTY);
}
