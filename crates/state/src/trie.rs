use std::collections::VecDeque;

use althing_proof::state_path::{EMPTY, StatePath, Terminal, bit, inner, leaf};
use althing_types::Digest;

use crate::piece::{PIECES, PIECES_DEPTH, Piece, piece_of};

/// A binary Merkle trie over hashed keys, in memory, whose root is a function of content alone.
///
/// A leaf sits at the shallowest depth where it is alone; the hashes are those of
/// [`althing_proof::state_path`]. Nodes live in two arenas and are never changed, only replaced, so
/// the roots of recent blocks stay readable: a header states the result of an *earlier* block, and
/// proofs are made against that one. What a version no longer shares with the next is reused once
/// the version is dropped.
///
/// An inner node keeps the hashes of its children, so that an update touches no sibling.
#[derive(Debug, Default)]
pub struct Trie {
    inners: Vec<Inner>,
    leaves: Vec<Leaf>,
    free_inners: Vec<u32>,
    free_leaves: Vec<u32>,
    versions: VecDeque<Version>,
}

/// A root that is kept.
#[derive(Debug)]
struct Version {
    number: u64,
    root: Link,
    /// Nodes of the version before that this one does not share.
    replaced: Vec<Child>,
}

#[derive(Debug, Clone, Copy)]
struct Inner {
    hashes: [Digest; 2],
    children: [Child; 2],
}

#[derive(Debug, Clone, Copy)]
struct Leaf {
    key: Digest,
    value: Digest,
}

/// A position in one of the arenas, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Child(u32);

const NOTHING: Child = Child(u32::MAX);
const LEAF_BIT: u32 = 1 << 31;

impl Child {
    const fn is_leaf(self) -> bool {
        self.0 & LEAF_BIT != 0 && self.0 != u32::MAX
    }

    const fn position(self) -> usize {
        (self.0 & !LEAF_BIT) as usize
    }
}

/// A subtree: where it is and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Link {
    child: Child,
    hash: Digest,
}

const EMPTY_LINK: Link = Link { child: NOTHING, hash: EMPTY };

/// A change of the trie: a key's digest, and its value's or none if the key goes.
pub type Change = (Digest, Option<Digest>);

impl Trie {
    /// An empty trie at version 0.
    #[must_use]
    pub fn new() -> Self {
        let first = Version { number: 0, root: EMPTY_LINK, replaced: Vec::new() };
        Self { versions: VecDeque::from([first]), ..Self::default() }
    }

    /// Newest version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.versions.back().map_or(0, |version| version.number)
    }

    /// Root of the newest version.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.versions.back().map_or(EMPTY, |version| version.root.hash)
    }

    /// Root of a version that is kept.
    #[must_use]
    pub fn root_at(&self, version: u64) -> Option<Digest> {
        self.link_at(version).map(|root| root.hash)
    }

    /// Makes the next version. `changes` ascend by key, none twice.
    ///
    /// `number` is above the newest version's; with none in between, proofs against it are those of
    /// the version before.
    pub fn apply(&mut self, number: u64, changes: &[Change]) -> Digest {
        debug_assert!(changes.windows(2).all(|pair| pair[0].0 < pair[1].0), "ascending");
        debug_assert!(number >= self.version(), "versions ascend");
        let root = self.versions.back().map_or(EMPTY_LINK, |version| version.root);
        let mut replaced = Vec::new();
        let root = self.update(root, 0, changes, &mut replaced);
        self.versions.push_back(Version { number, root, replaced });
        root.hash
    }

    /// Drops the versions before `oldest`, but never the newest.
    pub fn keep_from(&mut self, oldest: u64) {
        while self.versions.len() > 1 && self.versions[1].number <= oldest {
            self.versions.pop_front();
            // What the new front replaced belonged to the dropped version only.
            let replaced = core::mem::take(&mut self.versions[0].replaced);
            for child in replaced {
                if child.is_leaf() {
                    self.free_leaves.push(child.position() as u32);
                } else {
                    self.free_inners.push(child.position() as u32);
                }
            }
        }
    }

    /// The path of a key in a version that is kept.
    #[must_use]
    pub fn prove(&self, version: u64, key: &Digest) -> Option<StatePath> {
        let mut link = self.link_at(version)?;
        let mut siblings = Vec::new();
        while link.child != NOTHING && !link.child.is_leaf() {
            let node = self.inners[link.child.position()];
            let side = usize::from(bit(key, siblings.len()));
            siblings.push(node.hashes[1 - side]);
            link = Link { child: node.children[side], hash: node.hashes[side] };
        }
        let terminal = if link.child == NOTHING {
            Terminal::Empty
        } else {
            let found = self.leaves[link.child.position()];
            if found.key == *key {
                Terminal::Found(found.value)
            } else {
                Terminal::Other { key: found.key, value: found.value }
            }
        };
        StatePath::new(siblings, terminal)
    }

    /// The subtrees at [`PIECES_DEPTH`](crate::PIECES_DEPTH) of a version that is kept, from the left.
    #[must_use]
    pub fn pieces(&self, version: u64) -> Option<Vec<Piece>> {
        let mut pieces = vec![Piece::Empty; PIECES];
        self.collect(self.link_at(version)?, 0, 0, &mut pieces);
        Some(pieces)
    }

    fn collect(&self, link: Link, depth: usize, prefix: usize, pieces: &mut [Piece]) {
        if link.child == NOTHING {
            return;
        }
        if link.child.is_leaf() {
            let key = &self.leaves[link.child.position()].key;
            pieces[piece_of(key)] = Piece::Leaf(link.hash);
        } else if depth == PIECES_DEPTH {
            pieces[prefix] = Piece::Inner(link.hash);
        } else {
            let node = self.inners[link.child.position()];
            for side in [0, 1] {
                let below = Link { child: node.children[side], hash: node.hashes[side] };
                self.collect(below, depth + 1, prefix << 1 | side, pieces);
            }
        }
    }

    /// Memory that the nodes occupy, bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.inners.capacity() * size_of::<Inner>() + self.leaves.capacity() * size_of::<Leaf>()
    }

    /// The root that held at `version`: of the newest kept version that is not later.
    fn link_at(&self, version: u64) -> Option<Link> {
        if version > self.version() {
            return None;
        }
        let after = self.versions.partition_point(|kept| kept.number <= version);
        after.checked_sub(1).map(|index| self.versions[index].root)
    }

    /// The subtree `link` at `depth` with `changes`, all of which belong below it.
    fn update(
        &mut self,
        link: Link,
        depth: usize,
        changes: &[Change],
        replaced: &mut Vec<Child>,
    ) -> Link {
        match changes {
            [] => return link,
            [single] if link.child == NOTHING => return self.insert(single),
            [single] if self.holds(link.child, &single.0) => {
                return self.change_leaf(link, single, replaced);
            }
            _ => {}
        }
        let old = self.open(link, depth);
        let split = changes.partition_point(|(key, _)| bit(key, depth) == 0);
        let new = [
            self.update(old[0], depth + 1, &changes[..split], replaced),
            self.update(old[1], depth + 1, &changes[split..], replaced),
        ];
        let was_inner = link.child != NOTHING && !link.child.is_leaf();
        if was_inner {
            if new == old {
                return link;
            }
            replaced.push(link.child);
        }
        self.join(new)
    }

    fn insert(&mut self, (key, value): &Change) -> Link {
        match value {
            Some(value) => self.add_leaf(*key, *value),
            None => EMPTY_LINK,
        }
    }

    fn holds(&self, child: Child, key: &Digest) -> bool {
        child.is_leaf() && self.leaves[child.position()].key == *key
    }

    fn change_leaf(&mut self, link: Link, change: &Change, replaced: &mut Vec<Child>) -> Link {
        if change.1 == Some(self.leaves[link.child.position()].value) {
            return link;
        }
        replaced.push(link.child);
        self.insert(change)
    }

    /// The two subtrees of a subtree: a lone leaf is in the one its key points to.
    fn open(&self, link: Link, depth: usize) -> [Link; 2] {
        if link.child == NOTHING {
            return [EMPTY_LINK; 2];
        }
        if link.child.is_leaf() {
            let side = usize::from(bit(&self.leaves[link.child.position()].key, depth));
            let mut sides = [EMPTY_LINK; 2];
            sides[side] = link;
            return sides;
        }
        let node = self.inners[link.child.position()];
        [0, 1].map(|side| Link { child: node.children[side], hash: node.hashes[side] })
    }

    /// The subtree with these two: a leaf that is alone rises.
    fn join(&mut self, [left, right]: [Link; 2]) -> Link {
        if left.child == NOTHING && (right.child == NOTHING || right.child.is_leaf()) {
            return right;
        }
        if right.child == NOTHING && left.child.is_leaf() {
            return left;
        }
        let node = Inner { hashes: [left.hash, right.hash], children: [left.child, right.child] };
        let hash = inner(&left.hash, &right.hash);
        let position = match self.free_inners.pop() {
            Some(position) => {
                self.inners[position as usize] = node;
                position
            }
            None => {
                self.inners.push(node);
                arena_position(self.inners.len())
            }
        };
        Link { child: Child(position), hash }
    }

    fn add_leaf(&mut self, key: Digest, value: Digest) -> Link {
        let hash = leaf(&key, &value);
        let position = match self.free_leaves.pop() {
            Some(position) => {
                self.leaves[position as usize] = Leaf { key, value };
                position
            }
            None => {
                self.leaves.push(Leaf { key, value });
                arena_position(self.leaves.len())
            }
        };
        Link { child: Child(position | LEAF_BIT), hash }
    }
}

/// Position of the last node of an arena.
///
/// # Panics
/// Beyond 2^31 - 1 nodes, some 150 GB of memory: a peer must stop rather than mix nodes up.
fn arena_position(len: usize) -> u32 {
    let position = len - 1;
    assert!(position < (LEAF_BIT - 1) as usize, "the state has outgrown 2^31 nodes");
    position as u32
}

#[cfg(test)]
mod tests;
