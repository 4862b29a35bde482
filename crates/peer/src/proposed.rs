use std::{collections::HashMap, sync::Arc};

use althing_types::{EntityId, TxId};

use crate::mempool::Checked;

/// Checked transactions of proposed blocks that did not come through this peer's mempool, so that
/// they need not be decoded and checked again when the block is final.
#[derive(Debug, Default)]
pub(crate) struct Proposed {
    entries: HashMap<TxId, (u64, Arc<Checked>)>,
}

/// Blocks after which an entry is dropped: its block has been abandoned.
const KEPT_BLOCKS: u64 = 64;
/// Most entries; the work of checking again is lost beyond, nothing else.
const ENTRIES_MAX: usize = 65_536;

impl Proposed {
    pub(crate) fn insert(&mut self, height: u64, checked: Arc<Checked>) {
        if self.entries.len() < ENTRIES_MAX {
            self.entries.insert(checked.transaction.id(), (height, checked));
        }
    }

    pub(crate) fn get(&self, id: &TxId) -> Option<&Arc<Checked>> {
        self.entries.get(id).map(|(_, checked)| checked)
    }

    pub(crate) fn remove(&mut self, id: &TxId) {
        self.entries.remove(id);
    }

    /// Drops everything signed by an entity whose keys have changed.
    pub(crate) fn forget_signer(&mut self, entity: &EntityId) {
        self.entries.retain(|_, (_, checked)| !checked.is_signed_by(entity));
    }

    pub(crate) fn executed(&mut self, height: u64) {
        self.entries.retain(|_, (proposed, _)| *proposed + KEPT_BLOCKS > height);
    }
}
