//! Merkle tree over a list (RFC 9162 §2.1): the transactions and the receipts of a block.

use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use crate::Digest;

/// Root over the leaves in order; 32 zero bytes for none.
#[must_use]
pub fn root(leaves: &[[u8; 32]]) -> Digest {
    if leaves.is_empty() {
        return Digest::default();
    }
    let mut level: Vec<[u8; 32]> = leaves.iter().map(leaf).collect();
    while level.len() > 1 {
        level = pair_up(&level);
    }
    Digest(level[0])
}

/// The siblings from the leaf at `index` up to the root; `None` if there is no such leaf.
#[must_use]
pub fn path(leaves: &[[u8; 32]], index: usize) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    let mut level: Vec<[u8; 32]> = leaves.iter().map(leaf).collect();
    let (mut index, mut path) = (index, Vec::new());
    while level.len() > 1 {
        if let Some(sibling) = level.get(index ^ 1) {
            path.push(Digest(*sibling));
        }
        level = pair_up(&level);
        index /= 2;
    }
    Some(path)
}

/// The [`path`] of every leaf, in order: the tree is built once for all of them.
#[must_use]
pub fn paths(leaves: &[[u8; 32]]) -> Vec<Vec<Digest>> {
    let mut levels: Vec<Vec<[u8; 32]>> = Vec::new();
    let mut level: Vec<[u8; 32]> = leaves.iter().map(leaf).collect();
    while level.len() > 1 {
        let above = pair_up(&level);
        levels.push(core::mem::replace(&mut level, above));
    }
    let path_of = |index: usize| {
        let sibling = |(height, level): (usize, &Vec<[u8; 32]>)| {
            level.get((index >> height) ^ 1).copied().map(Digest)
        };
        levels.iter().enumerate().filter_map(sibling).collect()
    };
    (0..leaves.len()).map(path_of).collect()
}

/// Whether `path` leads from `value` at `index` of `count` leaves to `root`.
#[must_use]
pub fn verify(root: &Digest, value: &[u8; 32], index: u64, count: u64, path: &[Digest]) -> bool {
    if index >= count {
        return false;
    }
    let (mut node, mut index, mut last) = (leaf(value), index, count - 1);
    let mut siblings = path.iter();
    while last > 0 {
        if index % 2 == 1 || index < last {
            let Some(sibling) = siblings.next() else { return false };
            node = if index % 2 == 1 { inner(&sibling.0, &node) } else { inner(&node, &sibling.0) };
        }
        index /= 2;
        last /= 2;
    }
    siblings.next().is_none() && node == root.0
}

/// The lonely last node of a level rises unhashed, as in RFC 9162.
fn pair_up(level: &[[u8; 32]]) -> Vec<[u8; 32]> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => inner(left, right),
            [single, ..] => *single,
            [] => [0; 32],
        })
        .collect()
}

fn leaf(value: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(value).finalize().into()
}

fn inner(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_is_proven_and_nothing_else() {
        for count in 1..40_u64 {
            let leaves: Vec<[u8; 32]> = (0..count).map(|i| [i as u8; 32]).collect();
            let root = root(&leaves);
            for index in 0..count {
                let path = path(&leaves, index as usize).unwrap();
                let value = leaves[index as usize];
                assert!(verify(&root, &value, index, count, &path), "{index} of {count}");
                assert!(!verify(&root, &[99; 32], index, count, &path));
                assert!(!verify(&root, &value, index + 1, count, &path));
                let mut longer = path.clone();
                longer.push(Digest::default());
                assert!(!verify(&root, &value, index, count, &longer));
            }
        }
        assert_eq!(root(&[]), Digest::default());
        assert_eq!(path(&[], 0), None);
    }

    #[test]
    fn the_paths_of_all_are_those_of_each() {
        for count in 0..20_u8 {
            let leaves: Vec<[u8; 32]> = (0..count).map(|leaf| [leaf; 32]).collect();
            let paths = paths(&leaves);
            assert_eq!(paths.len(), leaves.len());
            for (index, own) in paths.into_iter().enumerate() {
                assert_eq!(path(&leaves, index), Some(own), "{index} of {count}");
            }
        }
    }
}
