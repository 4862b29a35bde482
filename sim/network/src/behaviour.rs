use std::{collections::BTreeMap, sync::Arc};

use althing_ordering::{Config, wiring};
use althing_types::Block;
use bytes::Bytes;
use commonware_codec::{DecodeExt as _, Encode as _, RangeCfg, Read as _};
use commonware_consensus::{
    Viewable as _,
    simplex::{
        scheme::ed25519::Scheme,
        types::{Notarize, Nullify, Proposal, Vote},
    },
};
use commonware_cryptography::{ed25519::PublicKey, sha256::Digest};
use commonware_utils::sync::Mutex;

/// How a validator behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// As it should.
    Honest,
    /// When it leads, proposes one block to half of the others and another to the rest, and votes
    /// for both.
    Equivocate,
    /// Votes for a second, made-up block whenever it votes for one, and to give up every view in
    /// which it votes to finalize.
    DoubleVote,
    /// Receives and says nothing: no votes, no proposals, no certificates.
    Silent,
}

/// A message on its way out, and to whom; `None` is everybody that the sender meant.
pub(crate) type Outgoing = (Option<Half>, Bytes);

/// One half of the peers, so that different peers can be told different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    Lower,
    Upper,
}

impl Half {
    pub(crate) fn contains(self, key: &PublicKey) -> bool {
        (key.as_ref()[0] < 0x80) == (self == Self::Lower)
    }
}

impl Behaviour {
    pub(crate) fn liar(self, config: &Config) -> Option<Arc<Liar>> {
        let scheme = wiring::scheme(config)?;
        (self != Self::Honest)
            .then(|| Arc::new(Liar { behaviour: self, scheme, twins: Mutex::new(BTreeMap::new()) }))
    }
}

/// Replaces the messages of a validator that cheats.
pub(crate) struct Liar {
    behaviour: Behaviour,
    scheme: Scheme,
    /// By view, the block proposed to one half and the one proposed to the other.
    twins: Mutex<BTreeMap<u64, (Digest, Digest)>>,
}

/// Views for which twins are remembered.
const TWINS_MAX: usize = 64;

impl Liar {
    /// What leaves instead of a vote.
    pub(crate) fn votes(&self, message: Bytes) -> Vec<Outgoing> {
        let vote = Vote::<Scheme, Digest>::decode(message.clone());
        match (self.behaviour, vote) {
            (Behaviour::Silent, _) => Vec::new(),
            (Behaviour::DoubleVote, Ok(vote)) => self.double(message, &vote),
            (Behaviour::Equivocate, Ok(Vote::Notarize(vote))) => self.split(message, &vote),
            _ => vec![(None, message)],
        }
    }

    /// What leaves instead of a proposed block.
    pub(crate) fn blocks(&self, message: Bytes) -> Vec<Outgoing> {
        match self.behaviour {
            Behaviour::Silent => Vec::new(),
            Behaviour::Equivocate => match self.twin(&message) {
                Some(twin) => vec![(Some(Half::Lower), message), (Some(Half::Upper), twin)],
                None => vec![(None, message)],
            },
            _ => vec![(None, message)],
        }
    }

    /// What leaves instead of a certificate.
    pub(crate) fn certificates(&self, message: Bytes) -> Vec<Outgoing> {
        match self.behaviour {
            Behaviour::Silent => Vec::new(),
            _ => vec![(None, message)],
        }
    }

    fn double(&self, message: Bytes, vote: &Vote<Scheme, Digest>) -> Vec<Outgoing> {
        let second = match vote {
            Vote::Notarize(vote) => {
                let other = other(&vote.proposal);
                Notarize::sign(&self.scheme, other).map(Vote::<Scheme, Digest>::Notarize)
            }
            Vote::Finalize(vote) => {
                let round = vote.proposal.round;
                Nullify::sign::<Digest>(&self.scheme, round).map(Vote::<Scheme, Digest>::Nullify)
            }
            Vote::Nullify(_) => None,
        };
        let second = second.map(|vote| (None, vote.encode()));
        std::iter::once((None, message)).chain(second).collect()
    }

    fn split(&self, message: Bytes, vote: &Notarize<Scheme, Digest>) -> Vec<Outgoing> {
        let twins = self.twins.lock().get(&vote.view().get()).copied();
        let Some((_, twin)) = twins.filter(|(first, _)| *first == vote.proposal.payload) else {
            return vec![(None, message)];
        };
        let proposal = Proposal { payload: twin, ..vote.proposal.clone() };
        match Notarize::sign(&self.scheme, proposal) {
            Some(vote) => {
                let second = Vote::<Scheme, Digest>::Notarize(vote).encode();
                vec![(Some(Half::Lower), message), (Some(Half::Upper), second)]
            }
            None => vec![(None, message)],
        }
    }

    /// Another block in the same place, a millisecond later.
    fn twin(&self, message: &Bytes) -> Option<Bytes> {
        let wire = Bytes::read_cfg(&mut message.clone(), &RangeCfg::from(..)).ok()?;
        let block = Block::decode(wire).ok()?;
        let mut header = block.header().clone();
        header.time_ms += 1;
        let twin = Block::new(header, block.transactions().to_vec());
        let mut twins = self.twins.lock();
        twins.insert(block.header().view, (Digest(block.digest().0), Digest(twin.digest().0)));
        if twins.len() > TWINS_MAX {
            twins.pop_first();
        }
        Some(twin.wire().encode())
    }
}

fn other(proposal: &Proposal<Digest>) -> Proposal<Digest> {
    let mut payload = proposal.payload;
    payload.0[0] ^= 1;
    Proposal { payload, ..proposal.clone() }
}

impl std::fmt::Debug for Liar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Liar").field("behaviour", &self.behaviour).finish_non_exhaustive()
    }
}
