use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use althing_ordering::{
    Config,
    wiring::{self, Scheme},
};
use althing_types::Block;
use bytes::Bytes;
use commonware_codec::{DecodeExt as _, Encode as _, RangeCfg, Read as _};
use commonware_consensus::{
    Epochable as _, Viewable as _,
    simplex::types::{Notarize, Nullify, Proposal, Vote},
};
use commonware_cryptography::{certificate::Scheme as _, sha256::Digest};
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
    /// When it leads, proposes to half of the others a block that states a made-up result, and votes
    /// for it and for its own.
    Misstate,
    /// Answers whoever missed blocks, certificates or payloads with damaged ones, with those that
    /// another asked for, or not at all; now and then with the right ones, so as to be asked again.
    Misinform,
}

/// Which of the peers that a message is meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of them.
    All,
    /// The first half of them.
    First,
    /// The others.
    Second,
}

/// A message on its way out, and to whom.
pub(crate) type Outgoing = (Part, Bytes);

/// Sends messages later, to the peers that the message held back was meant for.
pub(crate) type Later = Box<dyn FnOnce(Vec<Outgoing>) + Send>;

impl Behaviour {
    pub(crate) fn liar(self, config: &Config) -> Option<Arc<Liar>> {
        let scheme = wiring::scheme(config)?;
        (self != Self::Honest).then(|| {
            Arc::new(Liar {
                behaviour: self,
                scheme,
                twins: Mutex::default(),
                held: Mutex::default(),
                answered: Mutex::default(),
                lies: AtomicU64::new(0),
            })
        })
    }
}

/// Replaces the messages of a validator that cheats.
pub(crate) struct Liar {
    behaviour: Behaviour,
    scheme: Scheme,
    /// By view, the block proposed to one half and the one proposed to the other.
    twins: Mutex<BTreeMap<u64, (Digest, Digest)>>,
    /// By view, a vote for an own block that has not left yet, so that its twin is not known.
    held: Mutex<BTreeMap<u64, (Bytes, Later)>>,
    /// How many answers have left, and the content of the last.
    answered: Mutex<(usize, Bytes)>,
    lies: AtomicU64,
}

/// The number of a question, before the tag of a message about missed blocks or certificates.
const QUESTION_BYTES: usize = 8;
/// The tag of an answer.
const ANSWER: u8 = 1;
/// How a message with payloads begins (`docs/formats`): an array of two, the kind and the payloads.
const HAVE: &[u8] = &[0x82, 1];

/// Views for which twins and votes are remembered.
const VIEWS_MAX: usize = 64;

impl Liar {
    /// How many messages were suppressed or contradicted.
    pub(crate) fn lies(&self) -> u64 {
        self.lies.load(Ordering::Relaxed)
    }

    fn lie(&self) {
        self.lies.fetch_add(1, Ordering::Relaxed);
    }

    /// What leaves instead of a vote.
    pub(crate) fn votes(&self, message: Bytes, later: Later) -> Vec<Outgoing> {
        let vote = Vote::<Scheme, Digest>::decode(message.clone());
        match (self.behaviour, vote) {
            (Behaviour::Silent, _) => self.nothing(),
            (Behaviour::DoubleVote, Ok(vote)) => self.double(message, &vote),
            (Behaviour::Equivocate | Behaviour::Misstate, Ok(Vote::Notarize(vote)))
                if self.leads(vote.epoch().get(), vote.view().get()) =>
            {
                self.split_or_hold(message, &vote, later)
            }
            _ => vec![(Part::All, message)],
        }
    }

    /// What leaves instead of a proposed block.
    pub(crate) fn blocks(&self, message: Bytes) -> Vec<Outgoing> {
        match self.behaviour {
            Behaviour::Silent => self.nothing(),
            Behaviour::Equivocate | Behaviour::Misstate => match self.twin(&message) {
                Some((view, twin)) => {
                    self.release(view);
                    let (own, other) = self.parts();
                    vec![(own, message), (other, twin)]
                }
                None => vec![(Part::All, message)],
            },
            _ => vec![(Part::All, message)],
        }
    }

    /// What leaves instead of a certificate.
    pub(crate) fn certificates(&self, message: Bytes) -> Vec<Outgoing> {
        match self.behaviour {
            Behaviour::Silent => self.nothing(),
            _ => vec![(Part::All, message)],
        }
    }

    /// What leaves instead of an answer about missed blocks or certificates: the number of the
    /// question, a tag, and the content with its length before it.
    pub(crate) fn answers(&self, message: Bytes) -> Vec<Outgoing> {
        match self.behaviour {
            Behaviour::Misinform if message.get(QUESTION_BYTES) == Some(&ANSWER) => {
                self.misinform(message, QUESTION_BYTES + 1)
            }
            _ => vec![(Part::All, message)],
        }
    }

    /// What leaves instead of payloads: a list of its kind and the payloads.
    pub(crate) fn payloads(&self, message: Bytes) -> Vec<Outgoing> {
        match self.behaviour {
            Behaviour::Misinform if message.starts_with(HAVE) => {
                self.misinform(message, HAVE.len())
            }
            _ => vec![(Part::All, message)],
        }
    }

    /// Lies about what stands behind the head of an answer.
    fn misinform(&self, message: Bytes, head: usize) -> Vec<Outgoing> {
        let content = message.slice(head..);
        let mut answered = self.answered.lock();
        let (count, last) = (answered.0, std::mem::replace(&mut answered.1, content.clone()));
        answered.0 += 1;
        drop(answered);
        let with = |content: &[u8]| vec![(Part::All, [&message[..head], content].concat().into())];
        let lies = match count % 4 {
            0 if !last.is_empty() && last != content => with(&last),
            1 => {
                let mut damaged = content.to_vec();
                let at = damaged.len() - 1 - count % damaged.len().min(100);
                damaged[at] ^= 0x10;
                with(&damaged)
            }
            2 => Vec::new(),
            _ => return vec![(Part::All, message)],
        };
        self.lie();
        lies
    }

    fn nothing(&self) -> Vec<Outgoing> {
        self.lie();
        Vec::new()
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
        let second = second.map(|vote| (Part::All, vote.encode()));
        self.lie();
        std::iter::once((Part::All, message)).chain(second).collect()
    }

    /// Leaders take turns in the order of their keys.
    fn leads(&self, epoch: u64, view: u64) -> bool {
        let validators = self.scheme.participants().len() as u64;
        let leader = epoch.wrapping_add(view) % validators;
        self.scheme.me().is_some_and(|me| u64::from(me.index().get()) == leader)
    }

    fn split_or_hold(
        &self,
        message: Bytes,
        vote: &Notarize<Scheme, Digest>,
        later: Later,
    ) -> Vec<Outgoing> {
        let view = vote.view().get();
        let twins = self.twins.lock().get(&view).copied();
        match twins {
            Some((_, twin)) => self.split(message, vote, twin),
            None => {
                insert_bounded(&mut self.held.lock(), view, (message, later));
                Vec::new()
            }
        }
    }

    /// The block of this view is leaving, so the vote for it may, too.
    fn release(&self, view: u64) {
        let held = self.held.lock().remove(&view);
        let Some((message, later)) = held else { return };
        if let Ok(Vote::Notarize(vote)) = Vote::<Scheme, Digest>::decode(message.clone()) {
            let twin = self.twins.lock().get(&view).map(|(_, twin)| *twin);
            later(twin.map_or_else(Vec::new, |twin| self.split(message, &vote, twin)));
        }
    }

    fn split(
        &self,
        message: Bytes,
        vote: &Notarize<Scheme, Digest>,
        twin: Digest,
    ) -> Vec<Outgoing> {
        let proposal = Proposal { payload: twin, ..vote.proposal.clone() };
        let second = Notarize::sign(&self.scheme, proposal).map(Vote::<Scheme, Digest>::Notarize);
        let (own, other) = self.parts();
        let second = second.map(|vote| (other, vote.encode()));
        self.lie();
        std::iter::once((own, message)).chain(second).collect()
    }

    /// Who gets its own block, and who the twin: a made-up result is for the larger half.
    fn parts(&self) -> (Part, Part) {
        match self.behaviour {
            Behaviour::Misstate => (Part::Second, Part::First),
            _ => (Part::First, Part::Second),
        }
    }

    /// Another block in the same place: a millisecond later, or with a made-up result.
    fn twin(&self, message: &Bytes) -> Option<(u64, Bytes)> {
        let wire = Bytes::read_cfg(&mut message.clone(), &RangeCfg::from(..)).ok()?;
        let block = Block::decode(wire).ok()?;
        let view = block.header().view;
        if !self.leads(block.header().epoch, view) {
            return None;
        }
        let mut header = block.header().clone();
        match self.behaviour {
            Behaviour::Misstate => header.result.state_root.0[0] ^= 1,
            _ => header.time_ms += 1,
        }
        let twin = Block::new(header, block.transactions().to_vec());
        let digests = (Digest(block.digest().0), Digest(twin.digest().0));
        insert_bounded(&mut self.twins.lock(), view, digests);
        Some((view, twin.wire().encode()))
    }
}

fn insert_bounded<T>(map: &mut BTreeMap<u64, T>, view: u64, value: T) {
    map.insert(view, value);
    if map.len() > VIEWS_MAX {
        map.pop_first();
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
