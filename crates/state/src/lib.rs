//! Keep authenticated key-value state over trait Store.
//!
//! Three things, each usable alone: [`Store`], what a disk must do; [`Trie`], the Merkle trie whose
//! root headers state; [`State`], both together, which readers see at any recent height and which
//! grows by one block at a time. [`Read`] and [`Overlay`] are what the ledger sees of it.
//!
//! It does not know what the values mean, and does no I/O of its own: crate `storage` brings the
//! disk, [`MemoryStore`] stands in for it in tests and simulations.
//!
//! Start reading at [`State`].

extern crate alloc;

mod store;
pub use store::{Batch, Cause, Direction, Frozen, Row, Space, Store, StoreError};

mod read;
pub use read::{Overlay, Read, Writes, merged};

mod trie;
pub use trie::{Change, Trie};

mod piece;
pub use piece::{PIECES, PIECES_DEPTH, Piece, piece_of, root_of, whole};

mod state;
pub use state::{FORMAT, OpenError, Proven, State, VERSIONS_KEPT, View, prefix_end};

mod pinned;
pub use pinned::{Pinned, Window};

mod restore;
pub use restore::Restore;

mod undo;

mod memory;
pub use memory::{Fault, MemoryStore};
