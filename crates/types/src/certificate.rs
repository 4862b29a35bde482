use alloc::vec::Vec;

use minicbor::{Decode, Encode};

use crate::{
    Digest, EntityId, Mechanism, Signature, Wire, WireError, digest::hash, limits::VALIDATORS_MAX,
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

/// The peers that vote in an epoch, ascending by key, and how they agree.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ValidatorSet {
    /// The epoch.
    #[n(0)]
    pub epoch: u64,
    /// 1 to [`VALIDATORS_MAX`] validators, ascending by key, no key twice.
    #[n(1)]
    pub validators: Vec<Validator>,
    /// How they agree. Left out if as the genesis says, as in ledgers whose members never changed it.
    #[n(2)]
    pub mechanism: Option<Mechanism>,
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
    /// How they agree, on a ledger that was founded with a mechanism.
    #[must_use]
    pub fn agrees_by(&self, founding: Mechanism) -> Mechanism {
        self.mechanism.unwrap_or(founding)
    }

    /// Whether the same peers vote in both epochs, and agree in the same way.
    #[must_use]
    pub fn stays(&self, other: &Self) -> bool {
        (&self.validators, self.mechanism) == (&other.validators, other.mechanism)
    }

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

    /// A set that says nothing of the mechanism has the bytes that it had before sets could.
    #[test]
    fn a_mechanism_is_part_of_the_digest_and_one_that_is_left_out_of_nothing() {
        let validator =
            Validator { key: [7; 32], peer: EntityId([8; 32]), organisation: EntityId([9; 32]) };
        let set = |mechanism| ValidatorSet {
            epoch: 3,
            validators: Vec::from([validator.clone()]),
            mechanism,
        };
        let sets = [None, Some(Mechanism::Simplex), Some(Mechanism::Raft)].map(set);
        assert_eq!(encode(&sets[0])[..2], [0x82, 3]);
        for (at, one) in sets.iter().enumerate() {
            assert_eq!(ValidatorSet::from_wire(&one.to_wire()).as_ref(), Ok(one));
            for other in &sets[..at] {
                assert_ne!(one.digest(), other.digest());
                assert!(!one.stays(other));
            }
        }
        assert_eq!(sets[0].agrees_by(Mechanism::Raft), Mechanism::Raft);
        assert_eq!(sets[1].agrees_by(Mechanism::Raft), Mechanism::Simplex);
        // Nothing is written twice: what is left out is not written as nothing either.
        let mut null = sets[0].to_wire();
        null[0] = 0x83;
        null.push(0xf6);
        assert!(ValidatorSet::from_wire(&null).is_err());
    }

    #[test]
    fn quorum_tolerates_a_third_less_one() {
        for (count, expected) in [(1, 1), (2, 2), (3, 3), (4, 3), (6, 5), (7, 5), (10, 7)] {
            assert_eq!(quorum(count), expected, "{count}");
        }
    }
}
