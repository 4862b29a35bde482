//! Blocks that were read lately: reading one means decoding and hashing all of it, and proofs of
//! readings that came together need the same one.

use std::{collections::VecDeque, sync::Arc};

use althing_types::Block;
use commonware_utils::sync::Mutex;

/// Most bytes of blocks kept, as they are on the wire.
const BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most blocks kept.
const BLOCKS_MAX: usize = 64;

/// The blocks, the one used last at the end.
#[derive(Debug, Default)]
pub(super) struct Bodies(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    blocks: VecDeque<Arc<Block>>,
    bytes: usize,
}

impl Bodies {
    /// The block at a height, if it is kept.
    pub(super) fn get(&self, height: u64) -> Option<Arc<Block>> {
        let mut kept = self.0.lock();
        let at = kept.blocks.iter().position(|block| block.height() == height)?;
        let block = kept.blocks.remove(at)?;
        kept.blocks.push_back(Arc::clone(&block));
        Some(block)
    }

    /// Keeps a block as long as there is room; those not used for longest make it.
    pub(super) fn keep(&self, block: &Arc<Block>) {
        let mut kept = self.0.lock();
        let len = block.wire().len();
        // Two readers may have fetched the same one.
        if len > BYTES_MAX || kept.blocks.iter().any(|other| other.height() == block.height()) {
            return;
        }
        kept.bytes += len;
        kept.blocks.push_back(Arc::clone(block));
        while kept.bytes > BYTES_MAX || kept.blocks.len() > BLOCKS_MAX {
            let Some(oldest) = kept.blocks.pop_front() else { return };
            kept.bytes -= oldest.wire().len();
        }
    }
}

#[cfg(test)]
mod tests {
    use althing_types::{Digest, ExecutionResult, Header, LedgerId};
    use bytes::Bytes;

    use super::*;

    fn block(height: u64, bytes: usize) -> Arc<Block> {
        let header = Header {
            version: 1,
            ledger: LedgerId([1; 32]),
            height,
            parent: Digest::default(),
            time_ms: height,
            proposer: [0; 32],
            epoch: 0,
            view: height,
            parent_view: 0,
            validators: Digest::default(),
            next_validators: None,
            transactions: Digest::default(),
            count: 0,
            result: ExecutionResult {
                height: 0,
                state_root: Digest::default(),
                receipts_root: Digest::default(),
            },
        };
        let chunk = Bytes::from(vec![0; 64 * 1024]);
        Arc::new(Block::new(header, vec![chunk; bytes / (64 * 1024)]))
    }

    #[test]
    fn what_is_used_stays_and_the_rest_makes_room() {
        let bodies = Bodies::default();
        let small = BLOCKS_MAX as u64;
        (0..small).for_each(|height| bodies.keep(&block(height, 0)));
        assert!(bodies.get(0).is_some());
        bodies.keep(&block(small, 0));
        assert!(bodies.get(0).is_some() && bodies.get(1).is_none() && bodies.get(2).is_some());
        for height in 100..103 {
            bodies.keep(&block(height, BYTES_MAX / 2 - 128 * 1024));
        }
        assert!(bodies.get(2).is_none() && bodies.get(100).is_none());
        assert!(bodies.get(101).is_some() && bodies.get(102).is_some());
        let bytes: usize = bodies.0.lock().blocks.iter().map(|block| block.wire().len()).sum();
        assert_eq!(bodies.0.lock().bytes, bytes);
    }
}
