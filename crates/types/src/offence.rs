//! Double votes: what a validator cannot have done by following the rules.

use minicbor::{Decode, Encode};

use crate::{Digest, LedgerId, Mechanism, PublicKey, Signature, crypto::Check};

use alloc::vec::Vec;

/// What a vote of the Simplex engine says of its view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Phase {
    /// A block is acceptable.
    #[n(0)]
    Notarize,
    /// The view is given up.
    #[n(1)]
    Nullify,
    /// A block is final, as far as the voter is concerned.
    #[n(2)]
    Finalize,
}

impl Phase {
    /// Ends the namespace of such votes.
    const fn suffix(self) -> &'static [u8] {
        match self {
            Self::Notarize => b"_NOTARIZE",
            Self::Nullify => b"_NULLIFY",
            Self::Finalize => b"_FINALIZE",
        }
    }
}

/// One vote, without the view that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CastVote {
    /// What it says.
    #[n(0)]
    pub phase: Phase,
    /// The view in which the block's parent was proposed; 0 if the view is given up.
    #[n(1)]
    pub parent_view: u64,
    /// The block; 32 zero bytes if the view is given up.
    #[n(2)]
    pub block: Digest,
    /// Of [`vote_bytes`], by the voting key.
    #[n(3)]
    pub signature: Signature,
}

/// Two votes by one voting key, in one view, of which an honest peer casts no more than one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct DoubleVote {
    /// The voting key (Ed25519).
    #[cbor(n(0), with = "crate::wire::fixed")]
    pub key: [u8; 32],
    /// The epoch.
    #[n(1)]
    pub epoch: u64,
    /// The view.
    #[n(2)]
    pub view: u64,
    /// One vote.
    #[n(3)]
    pub first: CastVote,
    /// The other: for another block in the same phase, or to finalize in a view that the first gives up.
    #[n(4)]
    pub second: CastVote,
}

impl DoubleVote {
    /// Whether the votes, if they are signed as they say, exclude each other.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        use Phase::{Finalize, Notarize, Nullify};
        let (first, second) = (&self.first, &self.second);
        let about = |vote: &CastVote| (vote.parent_view, vote.block);
        let excluded = match (first.phase, second.phase) {
            (Notarize, Notarize) | (Finalize, Finalize) => about(first) != about(second),
            (Nullify, Finalize) => about(first) == (0, Digest::default()),
            _ => false,
        };
        excluded && PublicKey::ed25519(self.key).is_valid()
    }

    /// The signatures that show that both votes were cast.
    #[must_use]
    pub fn checks(&self, ledger: &LedgerId) -> [Check; 2] {
        [&self.first, &self.second].map(|vote| {
            let CastVote { phase, parent_view, block, signature } = vote;
            let place = (self.epoch, self.view, *parent_view);
            let message = vote_bytes(Mechanism::Simplex, ledger, *phase, place, block);
            Check { key: PublicKey::ed25519(self.key), message, signature: *signature }
        })
    }
}

/// What a validator signs for a vote, nothing hashed beforehand; `place` is epoch, view and the view of the
/// block's parent. Described in `docs/formats/certificate.md`.
#[must_use]
pub fn vote_bytes(
    mechanism: Mechanism,
    ledger: &LedgerId,
    phase: Phase,
    place: (u64, u64, u64),
    block: &Digest,
) -> Vec<u8> {
    let (engine, suffix) = (mechanism.namespace().as_bytes(), phase.suffix());
    let (epoch, view, parent_view) = place;
    let mut bytes = Vec::with_capacity(128);
    varint(&mut bytes, (engine.len() + ledger.0.len() + suffix.len()) as u64);
    bytes.extend_from_slice(engine);
    bytes.extend_from_slice(&ledger.0);
    bytes.extend_from_slice(suffix);
    varint(&mut bytes, epoch);
    varint(&mut bytes, view);
    if phase != Phase::Nullify {
        varint(&mut bytes, parent_view);
        bytes.extend_from_slice(&block.0);
    }
    bytes
}

/// Unsigned LEB128.
fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SigningKey, Suite};

    #[test]
    fn votes_conflict_or_do_not() {
        use Phase::{Finalize, Notarize, Nullify};
        let key = SigningKey::from_secret(Suite::Ed25519, [7; 32]).unwrap().public_key();
        let vote = |phase, parent_view, block| CastVote {
            phase,
            parent_view,
            block: Digest([block; 32]),
            signature: Signature([0; 64]),
        };
        let nothing = vote(Nullify, 0, 0);
        for (conflict, first, second) in [
            (true, vote(Notarize, 3, 1), vote(Notarize, 3, 2)),
            (true, vote(Notarize, 3, 1), vote(Notarize, 2, 1)),
            (true, vote(Finalize, 3, 1), vote(Finalize, 3, 2)),
            (true, nothing, vote(Finalize, 3, 1)),
            (false, vote(Notarize, 3, 1), vote(Notarize, 3, 1)),
            (false, vote(Finalize, 3, 1), vote(Finalize, 3, 1)),
            // What honest peers do: notarize and finalize, or notarize and then give up.
            (false, vote(Notarize, 3, 1), vote(Finalize, 3, 1)),
            (false, vote(Notarize, 3, 1), nothing),
            (false, nothing, nothing),
            // One form each: in this order, and with nothing where nothing is meant.
            (false, vote(Finalize, 3, 1), nothing),
            (false, vote(Nullify, 1, 0), vote(Finalize, 3, 1)),
            (false, vote(Nullify, 0, 1), vote(Finalize, 3, 1)),
        ] {
            let bytes = key.bytes.clone().try_into().unwrap();
            let votes = DoubleVote { key: bytes, epoch: 1, view: 9, first, second };
            assert_eq!(votes.is_conflict(), conflict, "{votes:?}");
        }
    }
}
