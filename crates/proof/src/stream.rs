//! The tree of a stream: a Merkle mountain range whose nodes carry summaries.
//!
//! A leaf is a batch. An inner node commits to hash *and summary* of both children, so a pruned
//! subtree is shown as just `(hash, summary)` and whoever checks sees what it holds back. Leaves
//! pair up from the left; `n` leaves make one peak per bit of `n`:
//!
//! ```text
//! level 2         o                      node (level, index) covers the leaves
//! level 1     o       o       o          index·2^level .. (index+1)·2^level
//! level 0   0   1   2   3   4   5   6    7 leaves: peaks (2,0), (1,2), (0,6)
//! ```
//!
//! Nodes never change once made; appending a leaf makes the leaf and the parents it completes. The
//! state keeps only the peaks, in the [`StreamHead`].

mod head;
mod leaf;
mod node;
mod peaks;
mod summary;

pub use head::{GAPS_MAX, Gap, StreamHead};
pub use leaf::Leaf;
pub use node::Node;
pub use peaks::{LeafPath, Peaks, Stored, StreamFull};
pub use summary::{LEAVES_MAX, Summary};

#[cfg(test)]
mod tests;
