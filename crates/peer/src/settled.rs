//! Which transactions the last blocks took out of the mempool.

use std::collections::{HashSet, VecDeque};

use althing_types::TxId;

/// Blocks that are remembered, 32 bytes a transaction: more than are carried out while transactions are checked
/// together. If there were more, the index is asked.
const BLOCKS_MAX: usize = 8;

/// Lets whoever checks transactions know which of them a block carried out meanwhile: those wait no more, and nothing
/// would take them out of the mempool again.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    count: u64,
    last: VecDeque<Vec<TxId>>,
}

impl Settled {
    /// Blocks so far.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// Another block was carried out; its transactions have left the mempool.
    pub(crate) fn push(&mut self, ids: &[TxId]) {
        if self.last.len() == BLOCKS_MAX {
            self.last.pop_front();
        }
        self.last.push_back(ids.to_vec());
        self.count += 1;
    }

    /// The transactions of the blocks after the first `count`; `None` if there were more than are remembered.
    pub(crate) fn after(&self, count: u64) -> Option<HashSet<TxId>> {
        let blocks = usize::try_from(self.count.checked_sub(count)?).ok()?;
        let first = self.last.len().checked_sub(blocks)?;
        Some(self.last.range(first..).flatten().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_blocks_are_remembered_and_no_more() {
        let id = |seed: u8| TxId([seed; 32]);
        let mut settled = Settled::default();
        assert_eq!(settled.after(0), Some(HashSet::new()));
        for seed in 0..20 {
            settled.push(&[id(seed), id(100 + seed)]);
        }
        let count = settled.count();
        assert_eq!(settled.after(count), Some(HashSet::new()));
        let two = [18, 118, 19, 119].map(id);
        assert_eq!(settled.after(count - 2), Some(HashSet::from(two)));
        assert_eq!(settled.after(count - 8).map(|ids| ids.len()), Some(16));
        assert_eq!(settled.after(count - 9), None);
    }
}
