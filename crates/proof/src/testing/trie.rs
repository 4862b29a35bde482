use alloc::{collections::BTreeMap, vec, vec::Vec};

use althing_types::Digest;

use crate::state_path::{EMPTY, StatePath, Terminal, bit, inner, key_digest, leaf, value_digest};

/// The state's trie by its definition, recomputed at every question: slow, and short enough to see
/// that it is right. Crate `state` keeps the fast one and is held to this.
#[derive(Debug, Clone, Default)]
pub struct Trie {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Digests of keys and values, ascending as the trie is.
    entries: BTreeMap<Digest, Digest>,
}

impl Trie {
    /// Sets the value at a raw key.
    pub fn set(&mut self, raw_key: Vec<u8>, value: Vec<u8>) {
        self.entries.insert(key_digest(&raw_key), value_digest(&value));
        self.values.insert(raw_key, value);
    }

    /// Removes a raw key.
    pub fn remove(&mut self, raw_key: &[u8]) {
        self.entries.remove(&key_digest(raw_key));
        self.values.remove(raw_key);
    }

    /// The value at a raw key.
    #[must_use]
    pub fn get(&self, raw_key: &[u8]) -> Option<&[u8]> {
        self.values.get(raw_key).map(Vec::as_slice)
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Digest {
        root_of(&self.entries(), 0)
    }

    /// The path of a raw key, whether or not it is there.
    #[must_use]
    pub fn path(&self, raw_key: &[u8]) -> StatePath {
        let (key, entries) = (key_digest(raw_key), self.entries());
        let (mut rest, mut siblings) = (&entries[..], vec![]);
        while rest.len() > 1 {
            let depth = siblings.len();
            let (left, right) = split(rest, depth);
            let (near, far) = if bit(&key, depth) == 0 { (left, right) } else { (right, left) };
            siblings.push(root_of(far, depth + 1));
            rest = near;
        }
        let terminal = match rest {
            [] => Terminal::Empty,
            [(found, value)] if *found == key => Terminal::Found(*value),
            [(key, value), ..] => Terminal::Other { key: *key, value: *value },
        };
        StatePath::new(siblings, terminal).unwrap()
    }

    fn entries(&self) -> Vec<(Digest, Digest)> {
        self.entries.iter().map(|(key, value)| (*key, *value)).collect()
    }
}

type Entries<'a> = &'a [(Digest, Digest)];

/// The subtree of entries whose keys share their first `depth` bits.
fn root_of(entries: Entries<'_>, depth: usize) -> Digest {
    match entries {
        [] => EMPTY,
        [(key, value)] => leaf(key, value),
        _ => {
            let (left, right) = split(entries, depth);
            inner(&root_of(left, depth + 1), &root_of(right, depth + 1))
        }
    }
}

fn split(entries: Entries<'_>, depth: usize) -> (Entries<'_>, Entries<'_>) {
    entries.split_at(entries.partition_point(|(key, _)| bit(key, depth) == 0))
}
