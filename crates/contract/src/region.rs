//! Regions: how host and contract hand bytes to each other.
//!
//! A region is twelve bytes in the contract's memory: where the bytes are, how much room there is, and
//! how many are used, each 32 bits, little-endian. All three come from the contract and may be
//! anything.

use wasmtime::{AsContextMut, Memory};

/// A pointer into the contract's memory.
pub(crate) type Pointer = u32;

#[derive(Debug, Clone, Copy)]
struct Region {
    offset: u32,
    capacity: u32,
    length: u32,
}

/// Why a region cannot be used: the contract's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Misused;

fn region(memory: &[u8], at: Pointer) -> Result<Region, Misused> {
    let at = at as usize;
    let bytes = memory.get(at..at.checked_add(12).ok_or(Misused)?).ok_or(Misused)?;
    let word = |index: usize| {
        let mut word = [0; 4];
        word.copy_from_slice(&bytes[4 * index..4 * index + 4]);
        u32::from_le_bytes(word)
    };
    let region = Region { offset: word(0), capacity: word(1), length: word(2) };
    let end = region.offset.checked_add(region.capacity).ok_or(Misused)?;
    let holds =
        region.offset != 0 && region.length <= region.capacity && end as usize <= memory.len();
    if holds { Ok(region) } else { Err(Misused) }
}

/// How many bytes a region holds.
pub(crate) fn length(
    memory: Memory,
    store: impl AsContextMut,
    at: Pointer,
) -> Result<usize, Misused> {
    Ok(region(memory.data(&store), at)?.length as usize)
}

/// The bytes of a region, of which there must be at most `max`.
pub(crate) fn read(
    memory: Memory,
    store: impl AsContextMut,
    at: Pointer,
    max: usize,
) -> Result<Vec<u8>, Misused> {
    let memory = memory.data(&store);
    let Region { offset, length, .. } = region(memory, at)?;
    let (offset, length) = (offset as usize, length as usize);
    if length > max {
        return Err(Misused);
    }
    Ok(memory[offset..offset + length].to_vec())
}

/// Puts bytes into a region, which must have room for them.
pub(crate) fn write(
    memory: Memory,
    mut store: impl AsContextMut,
    at: Pointer,
    bytes: &[u8],
) -> Result<(), Misused> {
    let memory = memory.data_mut(&mut store);
    let Region { offset, capacity, .. } = region(memory, at)?;
    let length = u32::try_from(bytes.len()).map_err(|_| Misused)?;
    if length > capacity {
        return Err(Misused);
    }
    let (offset, at) = (offset as usize, at as usize);
    memory[offset..offset + bytes.len()].copy_from_slice(bytes);
    memory[at + 8..at + 12].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// Several byte strings in one, each followed by its length, 32 bits, big-endian.
pub(crate) fn sections(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    for part in parts {
        out.extend_from_slice(part);
        // Every part is bounded by a limit far below 2^32.
        out.extend_from_slice(&(part.len() as u32).to_be_bytes());
    }
    out
}

/// The byte strings that [`sections`] put together.
pub(crate) fn split(mut bytes: &[u8]) -> Result<Vec<&[u8]>, Misused> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let (rest, length) = bytes.split_last_chunk::<4>().ok_or(Misused)?;
        let length = u32::from_be_bytes(*length) as usize;
        let at = rest.len().checked_sub(length).ok_or(Misused)?;
        let (rest, part) = rest.split_at(at);
        parts.push(part);
        bytes = rest;
    }
    parts.reverse();
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_split_again() {
        for parts in [vec![], vec![b"".as_slice()], vec![b"a".as_slice(), b"", b"bcd"]] {
            assert_eq!(split(&sections(&parts)), Ok(parts));
        }
        for wrong in [b"abc".as_slice(), b"\0\0\0\x01", b"a\xff\xff\xff\xff"] {
            assert_eq!(split(wrong), Err(Misused), "{wrong:?}");
        }
    }

    #[test]
    fn a_region_lies_within_memory() {
        let place = |words: [u32; 3]| {
            let mut memory = vec![0; 64];
            for (index, word) in words.iter().enumerate() {
                memory[4 * index..4 * index + 4].copy_from_slice(&word.to_le_bytes());
            }
            region(&memory, 0).is_ok()
        };
        for (words, good) in [
            ([12, 52, 52], true),
            ([64, 0, 0], true),
            ([0, 12, 0], false),
            ([12, 53, 0], false),
            ([12, 4, 5], false),
            ([u32::MAX, 1, 0], false),
            ([12, u32::MAX, 0], false),
        ] {
            assert_eq!(place(words), good, "{words:?}");
        }
        assert!(region(&[0; 64], 53).is_err());
        assert!(region(&[0; 64], u32::MAX).is_err());
    }
}
