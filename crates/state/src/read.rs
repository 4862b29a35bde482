use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use core::{cmp::Ordering, ops::Bound};

use crate::{
    state::{prefix_end, successor},
    store::{Direction, Row, StoreError},
};

/// Reading the authenticated state by raw key: all that the ledger sees of it.
pub trait Read {
    /// The value at a raw key.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` rows with `from <= key < to`, in the direction's order. An absent `to` means
    /// up to the end.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    fn range(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;

    /// At most `limit` rows whose keys begin with `prefix` and are greater than `after`, ascending.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        // A key before all that begin with the prefix is as good as none.
        let after = after.filter(|after| *after >= prefix);
        let from = after.map_or_else(|| prefix.to_vec(), successor);
        self.range(&from, prefix_end(prefix).as_deref(), Direction::Forward, limit)
    }
}

impl<R: Read + ?Sized> Read for &R {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(key)
    }

    fn range(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        (**self).range(from, to, direction, limit)
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

    fn range(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        merged(&self.writes, &self.below, from, to, direction, limit).map(|(rows, _)| rows)
    }
}

/// At most `limit` rows of a range of what is below, as writes over it have changed them; and how many
/// rows and writes were looked at for it, since removals are looked at and give no row.
///
/// # Errors
/// [`StoreError`] if what is below cannot be read.
pub fn merged(
    writes: &Writes,
    below: &impl Read,
    from: &[u8],
    to: Option<&[u8]>,
    direction: Direction,
    limit: usize,
) -> Result<(Vec<Row>, usize), StoreError> {
    let mut rows = Vec::new();
    let mut looked_at = 0;
    if to.is_some_and(|to| from >= to) {
        return Ok((rows, looked_at));
    }
    let end = to.map_or(Bound::Unbounded, Bound::Excluded);
    let mut own = writes.range::<[u8], _>((Bound::Included(from), end));
    let mut next_own = || match direction {
        Direction::Forward => own.next(),
        Direction::Backward => own.next_back(),
    };
    let mut lower = Lower {
        below,
        from: from.to_vec(),
        to: to.map(<[u8]>::to_vec),
        direction,
        limit,
        rows: VecDeque::new(),
        ended: false,
    };
    let mut own = next_own();
    while rows.len() < limit {
        lower.fill()?;
        let comes_first = match (own, lower.rows.front()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((own, _)), Some((other, _))) => match direction {
                Direction::Forward => own.cmp(other),
                Direction::Backward => other.cmp(own),
            },
        };
        looked_at += 1;
        if comes_first != Ordering::Less {
            let row = lower.rows.pop_front();
            if comes_first == Ordering::Greater {
                rows.extend(row);
            }
        }
        if let (Ordering::Less | Ordering::Equal, Some((key, value))) = (comes_first, own) {
            rows.extend(value.as_ref().map(|value| (key.clone(), value.clone())));
            own = next_own();
        }
    }
    Ok((rows, looked_at))
}

/// The rows below, a part at a time.
struct Lower<'a, R> {
    below: &'a R,
    from: Vec<u8>,
    to: Option<Vec<u8>>,
    direction: Direction,
    limit: usize,
    rows: VecDeque<Row>,
    ended: bool,
}

impl<R: Read> Lower<'_, R> {
    /// Reads the next part if there is nothing left of the one before.
    fn fill(&mut self) -> Result<(), StoreError> {
        if self.ended || !self.rows.is_empty() {
            return Ok(());
        }
        let rows = self.below.range(&self.from, self.to.as_deref(), self.direction, self.limit)?;
        self.ended = rows.len() < self.limit;
        if let Some((last, _)) = rows.last() {
            match self.direction {
                Direction::Forward => self.from = successor(last),
                Direction::Backward => self.to = Some(last.clone()),
            }
        }
        self.rows = rows.into();
        Ok(())
    }
}

/// A map can stand for a state.
impl Read for BTreeMap<Vec<u8>, Vec<u8>> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(BTreeMap::get(self, key).cloned())
    }

    fn range(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        if to.is_some_and(|to| from >= to) {
            return Ok(Vec::new());
        }
        let end = to.map_or(Bound::Unbounded, Bound::Excluded);
        let found = self.range::<[u8], _>((Bound::Included(from), end));
        let copy = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        Ok(match direction {
            Direction::Forward => found.take(limit).map(copy).collect(),
            Direction::Backward => found.rev().take(limit).map(copy).collect(),
        })
    }
}
