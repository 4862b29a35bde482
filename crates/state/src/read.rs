use alloc::{collections::BTreeMap, vec::Vec};

use crate::store::{Row, StoreError};

/// Reading the authenticated state by raw key: all that the ledger sees of it.
pub trait Read {
    /// The value at a raw key.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` rows whose keys begin with `prefix` and are greater than `after`, ascending.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;
}

impl<R: Read + ?Sized> Read for &R {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(key)
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        (**self).scan(prefix, after, limit)
    }
}

/// Writes to the state by raw key; `None` removes. Ordered, so that all peers write alike.
pub type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Writes over something to read, nothing of which touches what is below until they are taken.
///
/// Overlays nest: an overlay over an overlay can be dropped to roll back, or
/// [merged](Overlay::merge) into the one below to keep.
#[derive(Debug)]
pub struct Overlay<R> {
    below: R,
    writes: Writes,
}

impl<R: Read> Overlay<R> {
    /// An overlay without writes.
    pub const fn new(below: R) -> Self {
        Self { below, writes: Writes::new() }
    }

    /// Sets a value.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.insert(key, Some(value));
    }

    /// Removes a value.
    pub fn remove(&mut self, key: Vec<u8>) {
        self.writes.insert(key, None);
    }

    /// Keeps another overlay's writes.
    pub fn merge(&mut self, writes: Writes) {
        self.writes.extend(writes);
    }

    /// The writes, for the one below or for the state.
    #[must_use]
    pub fn into_writes(self) -> Writes {
        self.writes
    }
}

impl<R: Read> Read for Overlay<R> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.writes.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.below.get(key),
        }
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let start = after.unwrap_or(prefix);
        let own: Vec<(&Vec<u8>, &Option<Vec<u8>>)> = self
            .writes
            .range::<[u8], _>((core::ops::Bound::Included(start), core::ops::Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .filter(|(key, _)| after.is_none_or(|after| key.as_slice() > after))
            .collect();
        // Each own removal can hide one row below.
        let rows = self.below.scan(prefix, after, limit.saturating_add(own.len()))?;
        let mut merged: BTreeMap<Vec<u8>, Option<Vec<u8>>> =
            rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
        merged.extend(own.into_iter().map(|(key, value)| (key.clone(), value.clone())));
        let present = merged.into_iter().filter_map(|(key, value)| value.map(|value| (key, value)));
        Ok(present.take(limit).collect())
    }
}

/// A map can stand for a state.
impl Read for BTreeMap<Vec<u8>, Vec<u8>> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(BTreeMap::get(self, key).cloned())
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = self.iter().filter(|(key, _)| {
            key.starts_with(prefix) && after.is_none_or(|after| key.as_slice() > after)
        });
        Ok(rows.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
