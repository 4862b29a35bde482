//! Keep state, indexes and payloads on disk.
//!
//! [`FjallStore`] is the [`Store`](althing_state::Store) of a real peer: one atomic, flushed batch
//! per block. [`Payloads`] keeps the payloads of batches in append-only segments, addressed by
//! their BLAKE3 digest, over the narrow trait [`SegmentFiles`], so that simulated peers run the same
//! code over [`MemoryFiles`], which lose what was not synced. [`ModuleFiles`] keep machine code of
//! contracts, which can be made again. [`check()`] compares what is on disk
//! with what the ledger says should be there.
//!
//! It does not know what the values mean, nor keep blocks: those are in ordering's archives.

mod fjall_store;
pub use fjall_store::{FjallStore, OpenStoreError, Settings};

mod segment;
pub use segment::{MemoryFiles, OsFiles, SegmentFiles};

mod record;
pub use record::AtRest;

mod payloads;
pub use payloads::{PayloadError, Payloads};

mod modules;
pub use modules::{MODULE_FILES_BYTES_MAX, MODULE_FILES_MAX, ModuleFiles};

mod check;
pub use check::{Report, check};
