//! Open the part of a stream's tree that a question is about, and close the rest.
//!
//! An [`Opening`] lists, for each peak that must be opened, the subtree below it in pre-order: an
//! opened inner node is followed by its two subtrees, a pruned one is `(hash, summary)`, a leaf is
//! a batch. Which peaks must be opened follows from their summaries, which the stream's head has,
//! so they are not listed otherwise. The list is flat: no input can nest deeper than a tree is high.

use alloc::vec::Vec;

use althing_types::{Payload, PayloadError, StreamId, StreamSchema, Wire, WireError};
use minicbor::{Decode, Decoder, Encode, decode};

use crate::{
    archive::{Archive, ProveError},
    cbor::encoded_len,
    stream::{Leaf, Node, Peaks, Stored, StreamHead, Summary},
};

/// Most leaves that one answer opens.
pub const LEAVES_OPENED_MAX: usize = 4096;
/// Longest opening on the wire, bytes. What else a bundle has, such as the certificate of a large
/// membership, fits between this and [`BUNDLE_BYTES_MAX`](crate::bundle::BUNDLE_BYTES_MAX).
pub const OPENING_BYTES_MAX: usize = 7 * 1024 * 1024;
/// Most parts of one opening: room for leaves that lie apart, each with its closed neighbours.
pub const PARTS_MAX: usize = LEAVES_OPENED_MAX * 16;

/// One step of the walk through a tree.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Part {
    /// An inner node that is opened: its left and then its right subtree follow.
    #[n(0)]
    Inner,
    /// A subtree that stays closed.
    #[n(1)]
    Pruned(#[n(0)] Node),
    /// A batch.
    #[n(2)]
    Leaf {
        /// Its leaf.
        #[n(0)]
        leaf: Leaf,
        /// Its payload, unless that is left out.
        #[cbor(n(1), with = "minicbor::bytes")]
        payload: Option<Vec<u8>>,
    },
}

/// The opened part of a stream's tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode)]
#[cbor(transparent)]
pub struct Opening {
    /// The parts, in pre-order, from the first opened peak to the last; at most [`PARTS_MAX`].
    #[n(0)]
    pub parts: Vec<Part>,
}

impl<'b, C> Decode<'b, C> for Opening {
    fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
        // Counted before anything is read: an inner node has 2 bytes on the wire and a hundred
        // times that in memory.
        let count = d.array()?.filter(|count| *count <= PARTS_MAX as u64);
        let count = count.ok_or_else(|| decode::Error::message("number of parts"))?;
        Ok(Self { parts: (0..count).map(|_| Part::decode(d, c)).collect::<Result<_, _>>()? })
    }
}

impl Wire for Opening {
    const BYTES_MAX: usize = OPENING_BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        if self.parts.len() > PARTS_MAX {
            return Err(WireError::OutOfBounds("parts"));
        }
        self.parts.iter().try_for_each(|part| match part {
            Part::Inner => Ok(()),
            Part::Pruned(node) => node.validate(),
            Part::Leaf { leaf, .. } => leaf.validate(),
        })
    }
}

/// Why an opening is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpeningError {
    /// The parts are not those of a tree with these peaks.
    #[error("the parts do not have the shape of the stream's tree")]
    Shape,
    /// What is opened is not in the tree.
    #[error("batches {first}.. are not those of the stream: their hash differs")]
    Hash {
        /// First leaf below the peak that differs.
        first: u64,
    },
    /// Something that can hold an answer is closed.
    #[error("batches {first}.. can hold an answer, but are held back")]
    HeldBack {
        /// First leaf below the node.
        first: u64,
    },
    /// Something that holds no answer is open: each question has one answer.
    #[error("batches {first}.. are opened although the answer does not need them")]
    Needless {
        /// First leaf below the node.
        first: u64,
    },
    /// A payload is not the one its leaf names.
    #[error("the payload of batch {leaf} is not the one in the stream's tree")]
    Payload {
        /// Position of the leaf.
        leaf: u64,
        /// Why not.
        source: PayloadError,
    },
    /// A payload that the answer needs is left out.
    #[error("the payload of batch {leaf} is needed, but left out")]
    PayloadMissing {
        /// Position of the leaf.
        leaf: u64,
    },
    /// A sum exceeds its type.
    #[error("a number overflows")]
    Overflow,
}

/// What a checked opening shows: every leaf of the tree is below exactly one of these.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown<'a> {
    Closed(Summary),
    Leaf { index: u64, leaf: &'a Leaf, payload: Option<&'a [u8]> },
}

/// Checks that the parts are the tree below `peaks`, opened exactly where `opens` says.
pub(crate) fn check<'a>(
    peaks: &Peaks,
    opening: &'a Opening,
    opens: impl Fn(&Summary) -> bool,
) -> Result<Vec<Shown<'a>>, OpeningError> {
    let mut walk = Walk { parts: opening.parts.iter(), opens, shown: Vec::new() };
    for peak in peaks.positions() {
        if !(walk.opens)(&peak.node.summary) {
            walk.shown.push(Shown::Closed(peak.node.summary));
        } else if walk.subtree(peak.level, peak.index)? != peak.node {
            return Err(OpeningError::Hash { first: peak.index << peak.level });
        }
    }
    match walk.parts.next() {
        None => Ok(walk.shown),
        Some(_) => Err(OpeningError::Shape),
    }
}

struct Walk<'a, F> {
    parts: core::slice::Iter<'a, Part>,
    opens: F,
    shown: Vec<Shown<'a>>,
}

impl<F: Fn(&Summary) -> bool> Walk<'_, F> {
    /// Reads one subtree; recursion ends at level 0, and no peak is higher than 40.
    fn subtree(&mut self, level: u8, index: u64) -> Result<Node, OpeningError> {
        let first = index << level;
        let part = self.parts.next().ok_or(OpeningError::Shape)?;
        let node = match part {
            Part::Pruned(node) if node.summary.leaves == 1 << level => {
                if (self.opens)(&node.summary) {
                    return Err(OpeningError::HeldBack { first });
                }
                self.shown.push(Shown::Closed(node.summary));
                return Ok(*node);
            }
            Part::Inner if level > 0 => {
                let left = self.subtree(level - 1, index * 2)?;
                let right = self.subtree(level - 1, index * 2 + 1)?;
                Node::join(&left, &right).ok_or(OpeningError::Overflow)?
            }
            Part::Leaf { leaf, payload } if level == 0 => {
                self.shown.push(Shown::Leaf { index, leaf, payload: payload.as_deref() });
                Node::of_leaf(leaf)
            }
            _ => return Err(OpeningError::Shape),
        };
        if (self.opens)(&node.summary) { Ok(node) } else { Err(OpeningError::Needless { first }) }
    }
}

/// Opens the tree below the head's peaks where `opens` says; payloads too where `payloads` says.
pub(crate) fn open<A: Archive>(
    archive: &A,
    head: &StreamHead,
    opens: impl Fn(&Summary) -> bool,
    payloads: Payloads,
) -> Result<Opening, ProveError> {
    let mut prover = Prover {
        archive,
        stream: head.id(),
        opens,
        payloads,
        opening: Opening::default(),
        leaves: 0,
        bytes: 0,
    };
    for peak in head.peaks.positions() {
        if (prover.opens)(&peak.node.summary) {
            prover.subtree(peak)?;
        }
    }
    Ok(prover.opening)
}

/// What to do about the payloads of opened leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payloads {
    /// Leave them out: the answer says which batches there are.
    LeaveOut,
    /// Put in those that are kept: the answer says which are not.
    IfKept,
    /// Put them in, or make no answer.
    Needed,
}

struct Prover<'a, A, F> {
    archive: &'a A,
    stream: StreamId,
    opens: F,
    payloads: Payloads,
    opening: Opening,
    leaves: usize,
    bytes: usize,
}

impl<A: Archive, F: Fn(&Summary) -> bool> Prover<'_, A, F> {
    fn subtree(&mut self, Stored { level, index, node }: Stored) -> Result<(), ProveError> {
        if !(self.opens)(&node.summary) {
            self.push(Part::Pruned(node))?;
        } else if level == 0 {
            let part = self.leaf(index)?;
            self.push(part)?;
        } else {
            self.push(Part::Inner)?;
            for index in [index * 2, index * 2 + 1] {
                let level = level - 1;
                let missing = ProveError::Node { level, index };
                let node = self.archive.node(&self.stream, level, index).ok_or(missing)?;
                self.subtree(Stored { level, index, node })?;
            }
        }
        Ok(())
    }

    fn leaf(&mut self, index: u64) -> Result<Part, ProveError> {
        let missing = ProveError::Node { level: 0, index };
        let leaf = self.archive.leaf(&self.stream, index).ok_or(missing)?;
        let payload = match self.payloads {
            Payloads::LeaveOut => None,
            Payloads::IfKept | Payloads::Needed => self.archive.payload(&leaf.payload_digest),
        };
        if payload.is_none() && self.payloads == Payloads::Needed {
            return Err(ProveError::Payload { leaf: index });
        }
        self.leaves += 1;
        if self.leaves > LEAVES_OPENED_MAX {
            return Err(ProveError::TooLarge);
        }
        Ok(Part::Leaf { leaf, payload })
    }

    /// Counted as it will be on the wire: what a prover makes, a verifier must take.
    fn push(&mut self, part: Part) -> Result<(), ProveError> {
        self.bytes = self.bytes.saturating_add(encoded_len(&part));
        self.opening.parts.push(part);
        if self.opening.parts.len() > PARTS_MAX || self.bytes > OPENING_BYTES_MAX {
            return Err(ProveError::TooLarge);
        }
        Ok(())
    }
}

/// Reads the payload of a leaf, checking everything the leaf says of it.
pub(crate) fn open_payload(
    head: &StreamHead,
    leaf: &Leaf,
    bytes: &[u8],
) -> Result<Payload, PayloadError> {
    leaf.batch(head.id()).open(bytes, &of_any_time(&head.schema))
}

/// What values of a stream are, whenever they were taken: bounds may have changed since, and were
/// checked then; type, scale and quantum of a stream with readings never change.
pub(crate) fn of_any_time(schema: &StreamSchema) -> StreamSchema {
    StreamSchema { minimum: None, maximum: None, ..schema.clone() }
}

#[cfg(test)]
mod tests;
