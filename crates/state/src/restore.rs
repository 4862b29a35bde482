use alloc::sync::Arc;

use althing_types::{Digest, LedgerId};

use crate::{
    state::{FORMAT, META_FORMAT, META_HEIGHT, META_LEDGER, META_ROOT, OpenError, State},
    store::{Batch, Row, Space, Store, StoreError},
};

/// A state that is taken over from somebody else, row by row, into an empty store.
///
/// What says that the store holds a state is written last. A store in which that is missing holds
/// nothing, whatever rows are in it, and must be emptied before it is used again.
#[derive(Debug)]
pub struct Restore {
    store: Arc<dyn Store>,
}

impl Restore {
    /// Begins; the store is empty.
    #[must_use]
    pub const fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Writes rows of the state, which the caller has checked.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be written.
    pub fn put(&self, rows: impl IntoIterator<Item = Row>) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        rows.into_iter().for_each(|(key, value)| batch.put(Space::State, key, value));
        self.store.commit(batch)
    }

    /// Makes a state of the rows, together with what goes `beside` it, in one durable batch.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] if the rows on disk do not have the root.
    pub fn finish(
        self,
        ledger: &LedgerId,
        height: u64,
        root: Digest,
        beside: Batch,
    ) -> Result<State, OpenError> {
        let mut batch = beside;
        batch.put(Space::Meta, META_FORMAT, FORMAT.to_be_bytes());
        batch.put(Space::Meta, META_LEDGER, ledger.0);
        batch.put(Space::Meta, META_HEIGHT, height.to_be_bytes());
        batch.put(Space::Meta, META_ROOT, root.0);
        self.store.commit(batch)?;
        let opened = State::open(self.store, ledger)?;
        // It was written just now.
        opened.ok_or_else(|| StoreError::corrupt(META_FORMAT).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryStore, Read as _, read::Writes};

    const LEDGER: LedgerId = LedgerId([1; 32]);

    #[test]
    fn a_state_that_was_taken_over_goes_on_like_its_original() {
        let original = Arc::new(MemoryStore::new());
        let first = Writes::from([(b"a".to_vec(), Some(b"1".to_vec()))]);
        let original = State::found(original, &LEDGER, first, |_| Batch::default()).unwrap();
        let store = Arc::new(MemoryStore::new());
        let restore = Restore::new(Arc::clone(&store) as _);
        restore.put(original.export(None, 10).unwrap()).unwrap();
        let as_dyn = || Arc::clone(&store) as Arc<dyn Store>;
        assert!(State::open(as_dyn(), &LEDGER).unwrap().is_none(), "not before it is whole");
        let copy = restore.finish(&LEDGER, 500, original.root(), Batch::default()).unwrap();
        assert_eq!((copy.height(), copy.root()), (500, original.root()));
        let next = || Writes::from([(b"b".to_vec(), Some(b"2".to_vec()))]);
        let root = copy.commit(501, next(), |_| Batch::default()).unwrap();
        assert_eq!(root, original.commit(1, next(), |_| Batch::default()).unwrap());
        drop(copy);
        let copy = State::open(as_dyn(), &LEDGER).unwrap().unwrap();
        assert_eq!(copy.view_at(500).unwrap().get(b"b").unwrap(), None);
        assert!(copy.view_at(499).is_none());
    }

    #[test]
    fn rows_with_another_root_make_no_state() {
        let store = Arc::new(MemoryStore::new());
        let restore = Restore::new(store as _);
        restore.put([(b"a".to_vec(), b"1".to_vec())]).unwrap();
        let made = restore.finish(&LEDGER, 5, Digest([7; 32]), Batch::default());
        assert!(matches!(made, Err(OpenError::Damaged { height: 5, .. })), "{made:?}");
    }
}
