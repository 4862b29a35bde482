//! The state in pieces, each of which shows by itself that it belongs under a root.
//!
//! A piece is a subtree of the trie at a fixed depth: all rows whose hashed keys begin with the same
//! bits. The hashes of all pieces make the root, so whoever knows the root can check them first, and
//! then each piece as it comes, whoever brings it.

use alloc::vec::Vec;

use althing_proof::state_path::{EMPTY, bit, inner, key_digest, leaf, value_digest};
use althing_types::Digest;

use crate::store::Row;

/// Bits of the hashed key that say in which piece a row is.
pub const PIECES_DEPTH: usize = 12;
/// Number of pieces.
pub const PIECES: usize = 1 << PIECES_DEPTH;

/// A subtree of the trie, as what is above it sees it: a leaf that is alone rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// Holds nothing.
    Empty,
    /// Holds one row; the hash of its leaf.
    Leaf(Digest),
    /// Holds more; its hash.
    Inner(Digest),
}

impl Piece {
    const fn hash(&self) -> Digest {
        match self {
            Self::Empty => EMPTY,
            Self::Leaf(hash) | Self::Inner(hash) => *hash,
        }
    }

    fn join(left: Self, right: Self) -> Self {
        match (left, right) {
            (Self::Empty, alone @ (Self::Empty | Self::Leaf(_)))
            | (alone @ Self::Leaf(_), Self::Empty) => alone,
            _ => Self::Inner(inner(&left.hash(), &right.hash())),
        }
    }
}

/// In which piece a row with this hashed key is.
#[must_use]
pub fn piece_of(key: &Digest) -> usize {
    (0..PIECES_DEPTH).fold(0, |piece, depth| piece << 1 | usize::from(bit(key, depth)))
}

/// The root of the state whose pieces these are, from the left; `None` if they are not [`PIECES`].
#[must_use]
pub fn root_of(pieces: &[Piece]) -> Option<Digest> {
    if pieces.len() != PIECES {
        return None;
    }
    let mut level = pieces.to_vec();
    while level.len() > 1 {
        level = level.chunks_exact(2).map(|pair| Piece::join(pair[0], pair[1])).collect();
    }
    level.first().map(Piece::hash)
}

/// The piece that these rows make; `None` if one belongs to another piece, or two have one key.
#[must_use]
pub fn whole(piece: usize, rows: &[Row]) -> Option<Piece> {
    let mut leaves: Vec<(Digest, Digest)> =
        rows.iter().map(|(key, value)| (key_digest(key), value_digest(value))).collect();
    leaves.sort_unstable();
    let distinct = leaves.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let belong = leaves.iter().all(|(key, _)| piece_of(key) == piece);
    (distinct && belong).then(|| subtree(PIECES_DEPTH, &leaves))
}

/// Distinct keys differ in some bit, so the recursion ends at depth 256 at the latest.
fn subtree(depth: usize, leaves: &[(Digest, Digest)]) -> Piece {
    match leaves {
        [] => Piece::Empty,
        [(key, value)] => Piece::Leaf(leaf(key, value)),
        _ => {
            let split = leaves.partition_point(|(key, _)| bit(key, depth) == 0);
            let (left, right) = leaves.split_at(split);
            Piece::join(subtree(depth + 1, left), subtree(depth + 1, right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Trie;

    fn rows(count: u32) -> Vec<Row> {
        let row = |number: u32| {
            (format!("key {number}").into_bytes(), number.to_be_bytes().repeat(3).to_vec())
        };
        (0..count).map(row).collect()
    }

    fn divided(rows: &[Row]) -> Vec<Vec<Row>> {
        let mut pieces = vec![Vec::new(); PIECES];
        for row in rows {
            pieces[piece_of(&key_digest(&row.0))].push(row.clone());
        }
        pieces
    }

    #[test]
    fn pieces_make_the_root_of_the_trie_however_many_rows_there_are() {
        for count in [0, 1, 2, 3, 100, 5_000, 30_000] {
            let rows = rows(count);
            let mut changes: Vec<_> = rows
                .iter()
                .map(|(key, value)| (key_digest(key), Some(value_digest(value))))
                .collect();
            changes.sort_unstable();
            let mut trie = Trie::new();
            let root = trie.apply(1, &changes);
            let pieces = trie.pieces(1).unwrap();
            assert_eq!(root_of(&pieces), Some(root), "{count} rows");
            for (number, rows) in divided(&rows).iter().enumerate() {
                assert_eq!(whole(number, rows), Some(pieces[number]), "{count} rows, {number}");
            }
        }
        assert_eq!(root_of(&[]), None);
    }

    #[test]
    fn a_piece_with_anything_else_in_it_is_another() {
        let all = divided(&rows(20_000));
        let (number, good) = all.iter().enumerate().find(|(_, rows)| rows.len() > 3).unwrap();
        let expected = whole(number, good).unwrap();
        let elsewhere =
            all.iter().enumerate().find(|(other, rows)| *other != number && !rows.is_empty());
        let changed = |change: &dyn Fn(&mut Vec<Row>)| {
            let mut rows = good.clone();
            change(&mut rows);
            whole(number, &rows)
        };
        assert_eq!(changed(&|rows| rows.reverse()), Some(expected), "order does not matter");
        assert_ne!(changed(&|rows| drop(rows.pop())), Some(expected), "one is left out");
        assert_ne!(changed(&|rows| rows.clear()), Some(expected), "all are left out");
        assert_eq!(changed(&|rows| rows.push(rows[0].clone())), None, "one is there twice");
        let foreign = elsewhere.unwrap().1[0].clone();
        assert_eq!(changed(&|rows| rows.push(foreign.clone())), None, "one is of another piece");
        for row in 0..good.len() {
            for at in 0..good[row].1.len() {
                let flipped = changed(&|rows| rows[row].1[at] ^= 1);
                assert_ne!(flipped, Some(expected), "value of row {row}, byte {at}");
            }
            for at in 0..good[row].0.len() {
                let flipped = changed(&|rows| rows[row].0[at] ^= 1);
                assert_ne!(flipped, Some(expected), "key of row {row}, byte {at}");
            }
        }
    }
}
