//! What a newcomer is offered: a height, and what shows to somebody who knows the genesis alone which
//! root the state has there.

use althing_proof::{
    certificate::{DESCENDANTS_MAX, Finalized},
    membership::{EpochLink, Membership},
};
use althing_state::{PIECES, Piece, root_of};
use althing_types::{Digest, Genesis, Header, ValidatorSet, Wire as _};
use minicbor::{Decode, Encode};

/// Somebody said what cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Lie(pub(crate) &'static str);

/// Reads the one encoding of a value; nothing may follow it.
pub(super) fn exact<T>(bytes: &[u8], lie: &'static str) -> Result<T, Lie>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    let value: T = minicbor::decode(bytes).map_err(|_| Lie(lie))?;
    let again = minicbor::to_vec(&value).map_err(|_| Lie(lie))?;
    if again == bytes { Ok(value) } else { Err(Lie(lie)) }
}

/// An offer as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Offer {
    /// The changes of validators since the genesis.
    #[n(0)]
    pub(crate) links: Vec<EpochLink>,
    /// The block at the height, with the blocks after it up to one that states the result of the height,
    /// and a certificate.
    #[n(1)]
    pub(crate) block: Finalized,
    /// For each piece a byte, 0 if it is empty, 1 if it is one leaf, 2 otherwise, and then its hash,
    /// unless it is empty.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) pieces: Vec<u8>,
}

/// An offer that was found true.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) header: Header,
    /// Root of the state after that block.
    pub(crate) root: Digest,
    pub(crate) links: Vec<EpochLink>,
    /// Who validates in the epoch of the block.
    pub(crate) validators: ValidatorSet,
    pub(crate) pieces: Vec<Piece>,
}

impl Offer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).unwrap_or_default()
    }

    /// Checks an offer, from the genesis on.
    pub(crate) fn check(genesis: &Genesis, bytes: &[u8]) -> Result<Checked, Lie> {
        let Self { links, block, pieces } = exact(bytes, "the offer is malformed")?;
        let valid = links.iter().all(|link| link.validate().is_ok()) && block.validate().is_ok();
        if !valid || block.descendants.len() > DESCENDANTS_MAX {
            return Err(Lie("the offer is out of bounds"));
        }
        let membership = Membership::follow(genesis, &links)
            .map_err(|_| Lie("the validators do not follow from the genesis"))?;
        let (epoch, height) = (block.header.epoch, block.header.height);
        let validators = membership.validators(epoch);
        if !membership.admits(epoch, height)
            || block.verify(genesis.mechanism, &genesis.ledger(), &validators).is_err()
        {
            return Err(Lie("the block is not final"));
        }
        let mut states = block.descendants.iter().map(|header| header.result);
        let result = states.find(|result| result.height == height);
        let root = result.ok_or(Lie("no block states the result of the height"))?.state_root;
        let pieces = read_pieces(&pieces).ok_or(Lie("the hashes of the pieces are malformed"))?;
        if root_of(&pieces) != Some(root) {
            return Err(Lie("the pieces do not make the root that was agreed on"));
        }
        Ok(Checked { header: block.header, root, links, validators, pieces })
    }
}

/// The pieces as [`Offer::pieces`] has them.
pub(crate) fn write_pieces(pieces: &[Piece]) -> Vec<u8> {
    let mut out = Vec::with_capacity(pieces.len() * 33);
    for piece in pieces {
        match piece {
            Piece::Empty => out.push(0),
            Piece::Leaf(hash) => {
                out.push(1);
                out.extend_from_slice(&hash.0);
            }
            Piece::Inner(hash) => {
                out.push(2);
                out.extend_from_slice(&hash.0);
            }
        }
    }
    out
}

fn read_pieces(mut bytes: &[u8]) -> Option<Vec<Piece>> {
    let mut pieces = Vec::with_capacity(PIECES);
    while pieces.len() < PIECES {
        let (kind, rest) = bytes.split_first()?;
        bytes = rest;
        pieces.push(match kind {
            0 => Piece::Empty,
            1 | 2 => {
                let (hash, rest) = bytes.split_first_chunk::<32>()?;
                bytes = rest;
                let hash = Digest(*hash);
                if *kind == 1 { Piece::Leaf(hash) } else { Piece::Inner(hash) }
            }
            _ => return None,
        });
    }
    bytes.is_empty().then_some(pieces)
}
