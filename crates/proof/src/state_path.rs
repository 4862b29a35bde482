//! The path of one key through the state's trie: shows what is stored at it, or that nothing is.
//!
//! The trie is binary, over the bits of `SHA-256(raw key)`, most significant first. A leaf sits at
//! the shallowest depth where it is alone, so the root is a function of content only:
//!
//! ```text
//! empty  32 zero bytes
//! leaf   SHA-256(0x00 || SHA-256(raw key) || SHA-256(value))
//! inner  SHA-256(0x01 || left || right)
//! ```

use alloc::vec::Vec;

use althing_types::{Digest, Wire, WireError};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use sha2::{Digest as _, Sha256};

/// Bits of a key in the trie: the deepest a leaf can sit.
pub const DEPTH_MAX: usize = 256;

/// The hash of an empty subtree.
pub const EMPTY: Digest = Digest([0; 32]);

/// Where a raw key is in the trie.
#[must_use]
pub fn key_digest(raw_key: &[u8]) -> Digest {
    Digest(Sha256::digest(raw_key).into())
}

/// What the trie holds of a value.
#[must_use]
pub fn value_digest(value: &[u8]) -> Digest {
    Digest(Sha256::digest(value).into())
}

/// The hash of a leaf.
#[must_use]
pub fn leaf(key: &Digest, value: &Digest) -> Digest {
    node(0, key, value)
}

/// The hash of an inner node.
#[must_use]
pub fn inner(left: &Digest, right: &Digest) -> Digest {
    node(1, left, right)
}

fn node(prefix: u8, first: &Digest, second: &Digest) -> Digest {
    let hash = Sha256::new().chain_update([prefix]).chain_update(first.0).chain_update(second.0);
    Digest(hash.finalize().into())
}

/// Bit of a key at a depth: 1 goes right. 0 beyond [`DEPTH_MAX`].
#[must_use]
pub fn bit(key: &Digest, depth: usize) -> u8 {
    key.0.get(depth / 8).map_or(0, |byte| byte >> (7 - depth % 8) & 1)
}

/// What stands where the path of a key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminal {
    /// Nothing.
    Empty,
    /// The leaf of the key, with this digest of its value.
    Found(Digest),
    /// The leaf of another key with which it shares its first bits.
    Other {
        /// Digest of the other raw key.
        key: Digest,
        /// Digest of its value.
        value: Digest,
    },
}

/// A path from the root to where a key is, or would be.
///
/// On the wire: `[depth, bitmap, hashes, terminal]`. `bitmap` has one bit per depth, most
/// significant first, that is 1 where the sibling is not empty; `hashes` are those siblings, 32
/// bytes each, from the root down; `terminal` is null for nothing, `value digest` for the leaf of
/// the key, `[key digest, value digest]` for another leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatePath {
    siblings: Vec<Digest>,
    terminal: Terminal,
}

/// Why a path does not show anything about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatePathError {
    /// It leads to another root.
    #[error("the path does not lead to the state root")]
    Root,
    /// It ends at a leaf that is not where the key would be.
    #[error("the path ends at a leaf that says nothing about the key")]
    Elsewhere,
}

impl StatePath {
    /// The path with these siblings from the root down, [`EMPTY`] where there is none. `None` if it
    /// is deeper than [`DEPTH_MAX`].
    #[must_use]
    pub fn new(siblings: Vec<Digest>, terminal: Terminal) -> Option<Self> {
        (siblings.len() <= DEPTH_MAX).then_some(Self { siblings, terminal })
    }

    /// The siblings from the root down, [`EMPTY`] where there is none.
    #[must_use]
    pub fn siblings(&self) -> &[Digest] {
        &self.siblings
    }

    /// What stands at its end.
    #[must_use]
    pub const fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// The digest of the value at `raw_key` in the state with this root, or `None` if the state has
    /// no such key.
    ///
    /// # Errors
    /// [`StatePathError`] if the path shows neither.
    pub fn verify(&self, root: &Digest, raw_key: &[u8]) -> Result<Option<Digest>, StatePathError> {
        let key = key_digest(raw_key);
        let (end, found) = match &self.terminal {
            Terminal::Empty => (EMPTY, None),
            Terminal::Found(value) => (leaf(&key, value), Some(*value)),
            Terminal::Other { key: other, value } => {
                let shared = (0..self.siblings.len()).all(|d| bit(other, d) == bit(&key, d));
                if *other == key || !shared {
                    return Err(StatePathError::Elsewhere);
                }
                (leaf(other, value), None)
            }
        };
        let top = self.siblings.iter().enumerate().rev().fold(end, |node, (depth, sibling)| {
            if bit(&key, depth) == 0 { inner(&node, sibling) } else { inner(sibling, &node) }
        });
        if top == *root { Ok(found) } else { Err(StatePathError::Root) }
    }
}

impl Wire for StatePath {
    const BYTES_MAX: usize = DEPTH_MAX * 32 + 128;

    fn validate(&self) -> Result<(), WireError> {
        if self.siblings.len() <= DEPTH_MAX { Ok(()) } else { Err(WireError::OutOfBounds("depth")) }
    }
}

impl<C> Encode<C> for StatePath {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        c: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let mut bitmap = [0_u8; DEPTH_MAX / 8];
        let mut hashes = Vec::with_capacity(self.siblings.len() * 32);
        for (depth, sibling) in self.siblings.iter().enumerate() {
            if *sibling != EMPTY {
                bitmap[depth / 8] |= 0x80 >> (depth % 8);
                hashes.extend_from_slice(&sibling.0);
            }
        }
        e.array(4)?.u64(self.siblings.len() as u64)?;
        e.bytes(&bitmap[..self.siblings.len().div_ceil(8)])?.bytes(&hashes)?;
        self.terminal.encode(e, c)
    }
}

impl<'b, C> Decode<'b, C> for StatePath {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        let wrong = || decode::Error::message("state path");
        if d.array()? != Some(4) {
            return Err(wrong());
        }
        let depth = usize::from(d.u16()?);
        let (bitmap, hashes) = (d.bytes()?, d.bytes()?);
        if depth > DEPTH_MAX || bitmap.len() != depth.div_ceil(8) {
            return Err(wrong());
        }
        // Bits beyond the depth and zero hashes decode to what is encoded without them, so the
        // comparison after decoding refuses them.
        let mut hashes = hashes.chunks(32);
        let siblings = (0..depth).map(|depth| {
            if bitmap[depth / 8] & (0x80 >> (depth % 8)) == 0 {
                return Some(EMPTY);
            }
            hashes.next()?.try_into().ok().map(Digest)
        });
        let siblings = siblings.collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        if hashes.next().is_some() {
            return Err(wrong());
        }
        Ok(Self { siblings, terminal: Terminal::decode(d, c)? })
    }
}

impl<C> Encode<C> for Terminal {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        match self {
            Self::Empty => e.null()?.ok(),
            Self::Found(value) => e.bytes(&value.0)?.ok(),
            Self::Other { key, value } => e.array(2)?.bytes(&key.0)?.bytes(&value.0)?.ok(),
        }
    }
}

impl<'b, C> Decode<'b, C> for Terminal {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        use minicbor::data::Type;
        match d.datatype()? {
            Type::Null => d.null().map(|()| Self::Empty),
            Type::Bytes => Digest::decode(d, c).map(Self::Found),
            _ if d.array()? == Some(2) => {
                Ok(Self::Other { key: Digest::decode(d, c)?, value: Digest::decode(d, c)? })
            }
            _ => Err(decode::Error::message("terminal")),
        }
    }
}

#[cfg(test)]
mod tests;
