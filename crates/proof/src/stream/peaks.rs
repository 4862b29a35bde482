use alloc::vec::Vec;

use althing_types::{Wire, WireError};
use minicbor::{Decode, Encode};

use crate::stream::{LEAVES_MAX, Leaf, Node, Summary};

/// The peaks of a stream's tree, left to right, hence highest first: all that the state keeps of it.
///
/// Every peak covers a power of two of leaves, each less than the one before, so the number of
/// leaves says where each stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Peaks {
    #[n(0)]
    nodes: Vec<Node>,
}

/// A node that an append made; it never changes. The ledger hands it to storage, where provers
/// find it under stream, level and index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Distance from the leaves.
    pub level: u8,
    /// Position within the level, from 0.
    pub index: u64,
    /// The node.
    pub node: Node,
}

/// The stream has [`LEAVES_MAX`] leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stream has as many batches as its tree can hold; continue under a new property")]
pub struct StreamFull;

impl Wire for Peaks {
    const BYTES_MAX: usize = 2 + 41 * Node::BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        let mut above = 2 * LEAVES_MAX;
        for node in &self.nodes {
            node.validate()?;
            let leaves = node.summary.leaves;
            if !leaves.is_power_of_two() || leaves >= above {
                return Err(WireError::OutOfBounds("peaks"));
            }
            above = leaves;
        }
        if self.leaves() > LEAVES_MAX {
            return Err(WireError::OutOfBounds("peaks"));
        }
        Ok(())
    }
}

impl Peaks {
    /// The peaks, highest first.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Number of leaves.
    #[must_use]
    pub fn leaves(&self) -> u64 {
        self.nodes.iter().map(|node| node.summary.leaves).sum()
    }

    /// What the stream holds; `None` if it holds nothing.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        let mut nodes = self.nodes.iter();
        let first = nodes.next()?.summary;
        nodes.try_fold(first, |left, right| left.merge(&right.summary))
    }

    /// Appends a leaf, whose batch header must be valid. Gives the nodes it makes: the leaf's, then
    /// each parent that it completes, upwards.
    ///
    /// # Errors
    /// [`StreamFull`]; the peaks are then unchanged.
    pub fn append(&mut self, leaf: &Leaf) -> Result<Vec<Stored>, StreamFull> {
        let index = self.leaves();
        if index >= LEAVES_MAX {
            return Err(StreamFull);
        }
        let mut made = Vec::from([Stored { level: 0, index, node: Node::of_leaf(leaf) }]);
        // As in counting up by one: each trailing 1 bit of the number of leaves is a peak to merge.
        let merges = index.trailing_ones() as usize;
        let kept = self.nodes.len() - merges;
        let mut last = made[0];
        for left in self.nodes[kept..].iter().rev() {
            let node = Node::join(left, &last.node).ok_or(StreamFull)?;
            last = Stored { level: last.level + 1, index: last.index / 2, node };
            made.push(last);
        }
        self.nodes.truncate(kept);
        self.nodes.push(last.node);
        Ok(made)
    }

    /// Each peak with its level and its index within the level, highest first.
    pub fn positions(&self) -> impl Iterator<Item = Stored> + '_ {
        self.nodes.iter().scan(0_u64, |start, node| {
            let level = node.summary.leaves.trailing_zeros() as u8;
            let index = *start >> level;
            *start += node.summary.leaves;
            Some(Stored { level, index, node: *node })
        })
    }

    /// The peak above a leaf.
    fn above(&self, leaf: u64) -> Option<Stored> {
        self.positions().find(|peak| leaf >> peak.level == peak.index)
    }
}

/// Shows that a leaf hangs in a tree: the sibling at each level up to its peak.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LeafPath {
    /// Position of the leaf in the stream, from 0.
    #[n(0)]
    pub index: u64,
    /// Its siblings, from the leaf up; one for each level below its peak.
    #[n(1)]
    pub siblings: Vec<Node>,
}

impl LeafPath {
    /// Collects the path of the leaf at `index`, given the nodes by level and index. `None` if
    /// there is no such leaf or a node is missing.
    #[must_use]
    pub fn collect(
        peaks: &Peaks,
        index: u64,
        node: impl Fn(u8, u64) -> Option<Node>,
    ) -> Option<Self> {
        let top = peaks.above(index)?.level;
        let siblings = (0..top).map(|level| node(level, index >> level ^ 1));
        Some(Self { index, siblings: siblings.collect::<Option<_>>()? })
    }

    /// Whether it leads from `leaf` to a peak of `peaks`.
    #[must_use]
    pub fn verify(&self, peaks: &Peaks, leaf: &Leaf) -> bool {
        let Some(peak) = peaks.above(self.index) else { return false };
        if self.siblings.len() != usize::from(peak.level) {
            return false;
        }
        let top = self.siblings.iter().enumerate().try_fold(
            Node::of_leaf(leaf),
            |node, (level, sibling)| {
                if self.index >> level & 1 == 0 {
                    Node::join(&node, sibling)
                } else {
                    Node::join(sibling, &node)
                }
            },
        );
        top == Some(peak.node)
    }
}
