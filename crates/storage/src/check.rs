use std::sync::Arc;

use althing_state::{OpenError, State, Store};
use althing_types::{Digest, LedgerId};

use crate::payloads::{PayloadError, Payloads};

/// What a check of a peer's data folder found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Height of the state, if a ledger has been founded.
    pub height: Option<u64>,
    /// Its root, as computed from the values.
    pub root: Option<Digest>,
    /// Payloads that are whole.
    pub payloads: u64,
    /// Payloads that are damaged, at most [`DAMAGED_LISTED_MAX`].
    pub damaged: Vec<[u8; 32]>,
}

/// Most damaged payloads that a report names.
const DAMAGED_LISTED_MAX: usize = 1000;
/// Payloads looked at together.
const CHECKED_TOGETHER: usize = 1024;

/// Reads everything in the store and compares it with its digests. It mends nothing, but to open
/// store and payloads has done what every start does: cut off what a loss of power left unfinished.
///
/// # Errors
/// [`OpenError`] if the state is another ledger's, damaged or unreadable, or the index of payloads.
pub fn check(
    store: &Arc<dyn Store>,
    payloads: &Payloads,
    ledger: &LedgerId,
) -> Result<Report, OpenError> {
    let state = State::open(Arc::clone(store), ledger)?;
    let mut report = Report {
        height: state.as_ref().map(State::height),
        root: state.as_ref().map(State::root),
        payloads: 0,
        damaged: Vec::new(),
    };
    let mut after = None;
    loop {
        let digests = payloads.digests(after.as_ref(), CHECKED_TOGETHER);
        let digests = digests.map_err(OpenError::Store)?;
        let Some(last) = digests.last() else { break };
        after = Some(*last);
        for digest in &digests {
            match payloads.get(digest) {
                Ok(Some(_)) => report.payloads += 1,
                Err(PayloadError::Index(error)) => return Err(OpenError::Store(error)),
                // A disk that cannot read a payload has damaged it.
                Ok(None) | Err(_) => {
                    if report.damaged.len() < DAMAGED_LISTED_MAX {
                        report.damaged.push(*digest);
                    }
                }
            }
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use althing_state::{Batch, Direction, Frozen, MemoryStore, Row, Space, StoreError};
    use althing_types::blake3_digest;
    use bytes::Bytes;

    use super::*;
    use crate::segment::MemoryFiles;

    /// A store that cannot list payloads.
    #[derive(Debug, Default)]
    struct Unlisted(MemoryStore);

    impl Store for Unlisted {
        fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            self.0.get(space, key)
        }

        fn scan(
            &self,
            space: Space,
            from: &[u8],
            to: Option<&[u8]>,
            direction: Direction,
            limit: usize,
        ) -> Result<Vec<Row>, StoreError> {
            match space {
                Space::Payloads => Err(StoreError::corrupt(from)),
                _ => self.0.scan(space, from, to, direction, limit),
            }
        }

        fn commit(&self, batch: Batch) -> Result<(), StoreError> {
            self.0.commit(batch)
        }

        fn frozen(&self) -> Arc<dyn Frozen> {
            self.0.frozen()
        }
    }

    fn checked(store: Arc<dyn Store>, damage: Option<usize>) -> Result<Report, OpenError> {
        let files = Arc::new(MemoryFiles::new());
        let payloads = Payloads::open(Arc::clone(&files) as _, Arc::clone(&store)).unwrap();
        let bytes = Bytes::from_static(b"payload");
        payloads.put_all(&[(blake3_digest(&bytes), bytes)]).unwrap();
        if let Some(position) = damage {
            files.damage(0, position);
        }
        check(&store, &payloads, &LedgerId::default())
    }

    /// The check ended where the index could not be read, and all was said to be well.
    #[test]
    fn an_index_that_cannot_be_read_is_not_well() {
        let whole = checked(Arc::new(MemoryStore::new()), None).unwrap();
        assert_eq!((whole.payloads, whole.damaged.len()), (1, 0));
        let damaged = checked(Arc::new(MemoryStore::new()), Some(40)).unwrap();
        assert_eq!((damaged.payloads, damaged.damaged.len()), (0, 1));
        let unlisted = checked(Arc::new(Unlisted::default()), None);
        assert!(matches!(unlisted, Err(OpenError::Store(_))), "{unlisted:?}");
        let spoiled = MemoryStore::new();
        let mut batch = Batch::default();
        batch.put(Space::Payloads, [b"d/".as_slice(), &[7; 32]].concat(), b"no place");
        spoiled.commit(batch).unwrap();
        let spoiled = checked(Arc::new(spoiled), None);
        assert!(matches!(spoiled, Err(OpenError::Store(_))), "{spoiled:?}");
    }
}
