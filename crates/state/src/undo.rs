//! What leads back from the state of a block to that of the block before it. Kept on disk, one row for
//! each recent block, so that after a restart the same heights can be read as before: validators judge
//! a block by the state at the height it states, also those that have just come back.

use alloc::{sync::Arc, vec::Vec};

use althing_types::Digest;

use crate::{
    read::Writes,
    state::VERSIONS_KEPT,
    store::{Space, Store, StoreError},
};

/// What the block of one height replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undo {
    /// Root of the state before the block.
    pub(crate) root: Digest,
    /// The values before it, of all keys that it wrote.
    pub(crate) replaced: Arc<Writes>,
}

/// Key of the row: `Meta undo/<height>`.
pub(crate) fn key(height: u64) -> Vec<u8> {
    [b"undo/".as_slice(), &height.to_be_bytes()].concat()
}

/// The rows of the newest blocks up to `height`, ascending, without a gap. A store that an older
/// program wrote has none.
pub(crate) fn read(store: &dyn Store, height: u64) -> Result<Vec<(u64, Undo)>, StoreError> {
    let mut found = Vec::new();
    let oldest = height.saturating_sub(VERSIONS_KEPT) + 1;
    for at in (oldest..=height).rev() {
        let key = key(at);
        let Some(value) = store.get(Space::Meta, &key)? else { break };
        found.push((at, Undo::decode(&value).ok_or_else(|| StoreError::corrupt(&key))?));
    }
    found.reverse();
    Ok(found)
}

impl Undo {
    /// The root, then for each key its length, the key, the length of the value and the value; lengths
    /// are 4 bytes, big-endian, and that of an absent value is [`ABSENT`].
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = self.root.0.to_vec();
        for (key, value) in &*self.replaced {
            out.extend_from_slice(&length(key));
            out.extend_from_slice(key);
            match value {
                Some(value) => {
                    out.extend_from_slice(&length(value));
                    out.extend_from_slice(value);
                }
                None => out.extend_from_slice(&ABSENT),
            }
        }
        out
    }

    /// `None` if the bytes are damaged.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (root, mut rest) = bytes.split_first_chunk::<32>()?;
        let mut replaced = Writes::new();
        while !rest.is_empty() {
            let key = take(&mut rest)??;
            replaced.insert(key, take(&mut rest)?);
        }
        Some(Self { root: Digest(*root), replaced: Arc::new(replaced) })
    }
}

/// The length of what is not there.
const ABSENT: [u8; 4] = [u8::MAX; 4];

fn length(bytes: &[u8]) -> [u8; 4] {
    // Keys and values of the state are bounded far below this.
    u32::try_from(bytes.len()).unwrap_or(u32::MAX - 1).to_be_bytes()
}

fn take(rest: &mut &[u8]) -> Option<Option<Vec<u8>>> {
    let (len, behind) = rest.split_first_chunk::<4>()?;
    if *len == ABSENT {
        *rest = behind;
        return Some(None);
    }
    let (value, behind) = behind.split_at_checked(u32::from_be_bytes(*len) as usize)?;
    *rest = behind;
    Some(Some(value.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_not_whole_is_damaged() {
        let replaced = Writes::from([
            (b"gone".to_vec(), Some(b"value".to_vec())),
            (b"empty".to_vec(), Some(Vec::new())),
            (b"new".to_vec(), None),
        ]);
        let undo = Undo { root: Digest([7; 32]), replaced: Arc::new(replaced) };
        let bytes = undo.encode();
        assert_eq!(Undo::decode(&bytes), Some(undo));
        let empty = Undo { root: Digest([7; 32]), replaced: Arc::default() };
        assert_eq!(Undo::decode(&empty.encode()), Some(empty));
        // Entries end where the next begins, so a cut there is a shorter row: the root tells.
        let whole = [32, 32 + 4 + 5 + 4, 32 + 9 + 4 + 4 + 4 + 5 + 4, bytes.len()];
        for len in (0..bytes.len()).filter(|len| !whole.contains(len)) {
            assert!(Undo::decode(&bytes[..len]).is_none(), "{len}");
        }
    }
}
