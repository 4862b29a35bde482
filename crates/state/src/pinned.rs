use alloc::{sync::Arc, vec::Vec};

use althing_proof::state_path::key_digest;
use althing_types::Digest;

use crate::{
    piece::{PIECES, Piece, piece_of},
    read::Writes,
    state::successor,
    store::{Frozen, Row, Space, StoreError},
};

/// Rows read at a time.
const SCANNED: usize = 4096;

/// The state at one height, held as it was: for whoever takes it over piece by piece.
#[derive(Debug)]
pub struct Pinned {
    store: Arc<dyn Frozen>,
    /// What blocks after the height had replaced when the store was frozen.
    restored: Writes,
    height: u64,
    root: Digest,
    pieces: Vec<Piece>,
}

/// Neighbouring pieces with their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The first piece.
    pub first: usize,
    /// The rows of it and of those behind it.
    pub pieces: Vec<Vec<Row>>,
}

impl Pinned {
    pub(crate) const fn new(
        store: Arc<dyn Frozen>,
        restored: Writes,
        height: u64,
        root: Digest,
        pieces: Vec<Piece>,
    ) -> Self {
        Self { store, restored, height, root, pieces }
    }

    /// Its height.
    #[must_use]
    pub const fn height(&self) -> u64 {
        self.height
    }

    /// Its root.
    #[must_use]
    pub const fn root(&self) -> Digest {
        self.root
    }

    /// What its pieces must be, from the left.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Pieces from `first` on, so many that their rows take at most about `bytes_max` of memory, and
    /// at least one. Goes through the whole state, since rows lie in the order of their keys.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    pub fn window(&self, first: usize, bytes_max: usize) -> Result<Window, StoreError> {
        let mut pieces: Vec<Vec<Row>> = vec![Vec::new(); PIECES.saturating_sub(first)];
        let mut sizes = vec![0_usize; pieces.len()];
        let mut bytes = 0;
        self.each(&[], |row| {
            let Some(at) = piece_of(&key_digest(&row.0)).checked_sub(first) else { return true };
            if at < pieces.len() {
                let len = row.0.len() + row.1.len() + 2 * size_of::<Vec<u8>>();
                (sizes[at], bytes) = (sizes[at] + len, bytes + len);
                pieces[at].push(row);
                while bytes > bytes_max && pieces.len() > 1 {
                    pieces.pop();
                    bytes -= sizes.pop().unwrap_or_default();
                }
            }
            true
        })?;
        Ok(Window { first, pieces })
    }

    /// At most `limit` rows whose keys begin with `prefix` and are not below `from`, ascending.
    ///
    /// # Errors
    /// [`StoreError`] if the disk fails.
    pub fn rows(&self, prefix: &[u8], from: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        self.each(from.max(prefix), |row| {
            let belongs = row.0.starts_with(prefix);
            if belongs {
                rows.push(row);
            }
            belongs && rows.len() < limit
        })?;
        Ok(rows)
    }

    /// Goes through the rows from a key on, as long as `go_on` says so.
    fn each(&self, from: &[u8], mut go_on: impl FnMut(Row) -> bool) -> Result<(), StoreError> {
        let mut from = from.to_vec();
        let mut own = self.restored.range(from.clone()..).peekable();
        loop {
            let below = self.store.scan_from(Space::State, &from, SCANNED)?;
            let ended = below.len() < SCANNED;
            from = below.last().map(|(key, _)| successor(key)).unwrap_or_default();
            for (key, value) in below {
                while let Some((gone, value)) = own.next_if(|(own, _)| **own < key) {
                    if let Some(value) = value
                        && !go_on((gone.clone(), value.clone()))
                    {
                        return Ok(());
                    }
                }
                let row = match own.next_if(|(own, _)| **own == key) {
                    Some((_, value)) => value.clone().map(|value| (key, value)),
                    None => Some((key, value)),
                };
                if row.is_some_and(|row| !go_on(row)) {
                    return Ok(());
                }
            }
            if ended {
                for (key, value) in own.by_ref() {
                    if let Some(value) = value
                        && !go_on((key.clone(), value.clone()))
                    {
                        return Ok(());
                    }
                }
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use althing_types::LedgerId;

    use super::*;
    use crate::{Batch, MemoryStore, State, root_of, whole};

    const LEDGER: LedgerId = LedgerId([1; 32]);

    /// A state that changes at every height: keys come, change and go.
    fn grown(heights: u64) -> (State, Vec<Vec<Row>>) {
        let store = Arc::new(MemoryStore::new());
        let row = |key: u64, value: u64| {
            (format!("k/{key:04}").into_bytes(), Some(value.to_be_bytes().to_vec()))
        };
        let first: Writes = (0..300).map(|key| row(key, 0)).collect();
        let state = State::found(store, &LEDGER, first, |_| Batch::default()).unwrap();
        let content = |state: &State| state.export(None, 10_000).unwrap();
        let mut all = vec![content(&state)];
        for height in 1..=heights {
            let mut writes: Writes = (0..20).map(|key| row(key * height % 400, height)).collect();
            writes.insert(format!("k/{:04}", height * 7 % 300).into_bytes(), None);
            state.commit(height, writes, |_| Batch::default()).unwrap();
            all.push(content(&state));
        }
        (state, all)
    }

    #[test]
    fn a_pinned_state_stays_as_it_was() {
        let (state, all) = grown(80);
        assert!(state.pin(15).is_none() && state.pin(81).is_none());
        for height in [20, 40, 79, 80] {
            let pinned = state.pin(height).unwrap();
            state
                .commit(state.height() + 1, Writes::from([(b"k/0001".to_vec(), None)]), |_| {
                    Batch::default()
                })
                .unwrap();
            assert_eq!((pinned.height(), pinned.root()), (height, state.root_at(height).unwrap()));
            assert_eq!(root_of(pinned.pieces()), Some(pinned.root()));
            let expected = &all[height as usize];
            assert_eq!(&pinned.rows(b"", b"", 10_000).unwrap(), expected, "height {height}");
            let some = pinned.rows(b"k/01", b"k/0150", 7).unwrap();
            let from = expected.iter().filter(|(key, _)| key.as_slice() >= b"k/0150".as_slice());
            let from = from.filter(|(key, _)| key.starts_with(b"k/01")).take(7);
            assert_eq!(some, from.cloned().collect::<Vec<_>>());
            assert!(pinned.rows(b"j", b"", 7).unwrap().is_empty());
        }
    }

    #[test]
    fn windows_hold_all_pieces_in_little_memory() {
        let (state, all) = grown(80);
        let pinned = state.pin(70).unwrap();
        let (mut next, mut rows, mut windows) = (0, Vec::new(), 0);
        while next < PIECES {
            let window = pinned.window(next, 2_000).unwrap();
            assert!(window.first == next && !window.pieces.is_empty());
            for piece in window.pieces {
                assert_eq!(whole(next, &piece), Some(pinned.pieces()[next]), "piece {next}");
                rows.extend(piece);
                next += 1;
            }
            windows += 1;
        }
        assert!(windows > 5, "{windows}");
        rows.sort_unstable();
        assert_eq!(rows, all[70]);
        assert!(pinned.window(PIECES, 2_000).unwrap().pieces.is_empty());
    }
}
