use alloc::vec::Vec;

use minicbor::{Decode, Encode};

use crate::{
    Digest, EntityId, Signature, Wire, WireError, digest::hash, limits::VALIDATORS_MAX,
    wire::encode,
};

/// How many of `count` validators must sign: all but the faulty third, `n - ⌊(n-1)/3⌋`.
#[must_use]
pub const fn quorum(count: usize) -> usize {
    count - count.saturating_sub(1) / 3
}

/// A voting peer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Validator {
    /// Its Ed25519 key, for votes and for the encrypted connections between peers.
    #[cbor(n(0), with = "crate::wire::fixed")]
    pub key: [u8; 32],
    /// The peer as an entity.
    #[n(1)]
    pub peer: EntityId,
    /// The organisation that runs it.
    #[n(2)]
    pub organisation: EntityId,
}

/// The peers that vote in an epoch, ascending by key.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ValidatorSet {
    /// The epoch.
    #[n(0)]
    pub epoch: u64,
    /// 1 to [`VALIDATORS_MAX`] validators, ascending by key, no key twice.
    #[n(1)]
    pub validators: Vec<Validator>,
}

impl Wire for ValidatorSet {
    const BYTES_MAX: usize = VALIDATORS_MAX * 110 + 16;

    fn validate(&self) -> Result<(), WireError> {
        let ascending = self.validators.windows(2).all(|pair| pair[0].key < pair[1].key);
        if (1..=VALIDATORS_MAX).contains(&self.validators.len()) && ascending {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("validators"))
        }
    }
}

impl ValidatorSet {
    /// Its digest, as headers name it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(hash("althing/validators/1", &[&encode(self)]))
    }
}

/// The votes of a quorum that finalize a block.
///
/// The bytes each validator signs are in `docs/formats/certificate.md`; crate `proof` checks them
/// without the engine. Peers may hold different certificates for one block, so none is ever hashed
/// into the state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Certificate {
    /// Epoch whose validators sign.
    #[n(0)]
    pub epoch: u64,
    /// The view in which the block was proposed.
    #[n(1)]
    pub view: u64,
    /// The view in which its parent was proposed.
    #[n(2)]
    pub parent_view: u64,
    /// The block.
    #[n(3)]
    pub block: Digest,
    /// Bit `i` (most significant bit of the first byte first) says that validator `i` signed.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub signers: Vec<u8>,
    /// Signatures of the signers, ascending by validator.
    #[n(5)]
    pub signatures: Vec<Signature>,
}

impl Wire for Certificate {
    const BYTES_MAX: usize = 128 + VALIDATORS_MAX * 67;

    fn validate(&self) -> Result<(), WireError> {
        let signers: u32 = self.signers.iter().map(|byte| byte.count_ones()).sum();
        if self.signatures.is_empty() || signers as usize != self.signatures.len() {
            return Err(WireError::OutOfBounds("signers"));
        }
        Ok(())
    }
}

impl Certificate {
    /// Positions of the validators that signed, ascending.
    pub fn signer_positions(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.signers.len() * 8).filter(|i| self.signers[i / 8] >> (7 - i % 8) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quorum_tolerates_a_third_less_one() {
        for (count, expected) in [(1, 1), (2, 2), (3, 3), (4, 3), (6, 5), (7, 5), (10, 7)] {
            assert_eq!(quorum(count), expected, "{count}");
        }
    }
}
