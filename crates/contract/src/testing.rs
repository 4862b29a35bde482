//! What tests and measurements keep a contract's storage in.

use std::{collections::BTreeMap, ops::Bound};

use crate::{Order, Row};

/// Storage of a contract in memory.
pub type Storage = BTreeMap<Vec<u8>, Vec<u8>>;

/// Writes a value, or removes it.
pub fn set(storage: &mut Storage, key: &[u8], value: Option<&[u8]>) {
    match value {
        Some(value) => storage.insert(key.to_vec(), value.to_vec()),
        None => storage.remove(key),
    };
}

/// At most `limit` rows with `from <= key < to`, and how many were looked at.
#[must_use]
pub fn range(
    storage: &Storage,
    from: &[u8],
    to: Option<&[u8]>,
    order: Order,
    limit: usize,
) -> (Vec<Row>, usize) {
    if to.is_some_and(|to| to <= from) {
        return (Vec::new(), 0);
    }
    let end = to.map_or(Bound::Unbounded, Bound::Excluded);
    let rows = storage.range::<[u8], _>((Bound::Included(from), end));
    let rows = rows.map(|(key, value)| (key.clone(), value.clone()));
    let rows: Vec<Row> = match order {
        Order::Ascending => rows.take(limit).collect(),
        Order::Descending => rows.rev().take(limit).collect(),
    };
    let looked_at = rows.len();
    (rows, looked_at)
}
