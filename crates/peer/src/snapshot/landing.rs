//! Takes a state over, item by item, each checked when it comes. Decides what to ask for next; knows no
//! network.
//!
//! | row | where it comes from |
//! |---|---|
//! | the state | pieces, each checked against the offer |
//! | index rows of entities, things, streams, bindings | the state, from which they follow |
//! | other index rows, receipts, events, old blocks | not taken over: they come with the blocks |
//! | peaks of streams' trees | the state |
//! | the latest batch of each stream and its path | others, checked against the peaks |
//! | the transaction of that batch | others, by its id |
//! | payloads | others, by their digest, as always |
//! | present descriptions of things | others, by their digest in the state |
//! | older nodes and batches, older descriptions | not taken over |
//! | who validates | the links of the offer, and the state |
//! | rows that lead back to older states | none: the first state has no past here |
//! | code of contracts, and all that execution reads | is in the state |

use std::{collections::BTreeMap, sync::Arc};

use althing_ledger::{index, key as ledger_key};
use althing_proof::{
    key,
    record::ThingRecord,
    state_path::value_digest,
    stream::{Leaf, LeafPath, Node, Stored, StreamHead},
};
use althing_state::{
    Batch, Direction, OpenError, PIECES, Restore, Row, Space, State, Store, StoreError, prefix_end,
    whole,
};
use althing_types::{Digest, Genesis, StreamId, TxId, ValidatorSet, Wire as _};
use minicbor::{Decode, Encode};

use super::offer::{Checked, Lie, exact};
use crate::{chain, rows, rows::Done, wire::Item};

/// Rows of the own state read at a time.
const ROWS_READ: usize = 1024;
/// Most items in one answer, whatever their bytes.
pub(super) const ENTRIES_MAX: usize = 4096;

/// Why something was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Who sent it lies; somebody else can be asked.
    #[error(transparent)]
    Lie(#[from] Lie),
    #[error("the disk failed")]
    Store(#[from] StoreError),
    #[error("the state that was taken over cannot be used")]
    Open(#[from] OpenError),
}

/// Streams, or descriptions, from an id on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Streams {
    /// The id to go on at; none at the end.
    #[n(0)]
    pub(crate) next: Option<StreamId>,
    /// All streams with a batch, in the order of their ids.
    #[n(1)]
    pub(crate) streams: Vec<Latest>,
    /// The transactions that their batches came with, each once.
    #[n(2)]
    pub(crate) transactions: Vec<Text>,
}

/// The latest batch of a stream, by arrival.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Latest {
    #[n(0)]
    pub(crate) stream: StreamId,
    #[n(1)]
    pub(crate) leaf: Leaf,
    #[n(2)]
    pub(crate) path: LeafPath,
}

/// Bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Text(#[cbor(n(0), with = "minicbor::bytes")] pub(crate) Vec<u8>);

/// Descriptions, in the order of their things.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Descriptions {
    /// The thing to go on at; none at the end.
    #[n(0)]
    pub(crate) next: Option<Digest>,
    #[n(1)]
    pub(crate) texts: Vec<Text>,
}

/// Neighbouring pieces, each with its rows.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Pieces {
    #[n(0)]
    pub(crate) pieces: Vec<Vec<Pair>>,
}

/// A row of the state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Pair {
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) key: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) value: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Pieces(usize),
    Streams([u8; 32]),
    Descriptions([u8; 32]),
    Complete,
}

/// A state on its way here.
#[derive(Debug)]
pub(crate) struct Landing {
    offer: Checked,
    restore: Restore,
    stage: Stage,
    /// Payloads of the latest batches.
    payloads: Vec<[u8; 32]>,
}

impl Landing {
    /// Begins in an empty store.
    pub(crate) fn new(offer: Checked, store: Arc<dyn Store>) -> Self {
        Self { offer, restore: Restore::new(store), stage: Stage::Pieces(0), payloads: Vec::new() }
    }

    /// The height of the state.
    pub(crate) const fn height(&self) -> u64 {
        self.offer.header.height
    }

    /// What to ask for next; none when all is here.
    pub(crate) const fn next(&self) -> Option<Item> {
        let height = self.height();
        match self.stage {
            Stage::Pieces(from) => Some(Item::Pieces(height, from as u16)),
            Stage::Streams(from) => Some(Item::Streams(height, from)),
            Stage::Descriptions(from) => Some(Item::Descriptions(height, from)),
            Stage::Complete => None,
        }
    }

    /// Checks what [`Landing::next`] asked for, and writes it.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.stage = match self.stage {
            Stage::Pieces(from) => self.take_pieces(from, bytes)?,
            Stage::Streams(from) => self.take_streams(from, bytes)?,
            Stage::Descriptions(from) => self.take_descriptions(from, bytes)?,
            Stage::Complete => Stage::Complete,
        };
        Ok(())
    }

    fn take_pieces(&self, from: usize, bytes: &[u8]) -> Result<Stage, Refused> {
        let Pieces { pieces } = exact(bytes, "the pieces are malformed")?;
        if pieces.is_empty() || from + pieces.len() > PIECES {
            return Err(Lie("there are no such pieces").into());
        }
        let mut batch = Batch::default();
        for (number, pairs) in (from..).zip(&pieces) {
            let rows: Vec<Row> =
                pairs.iter().map(|pair| (pair.key.clone(), pair.value.clone())).collect();
            if whole(number, &rows) != Some(self.offer.pieces[number]) {
                return Err(Lie("a piece of the state is not what was agreed on").into());
            }
            for (key, value) in rows {
                for (key, value) in index::derived(&key, &value)? {
                    batch.put(Space::Index, key, value);
                }
                batch.put(Space::State, key, value);
            }
        }
        self.restore.store().commit(batch)?;
        let next = from + pieces.len();
        Ok(if next < PIECES { Stage::Pieces(next) } else { Stage::Streams([0; 32]) })
    }

    /// Own rows of the state from one on, up to another.
    fn own(&self, from: &[u8], to: Option<&[u8]>) -> Result<Vec<Row>, StoreError> {
        self.restore.store().scan(Space::State, from, to, Direction::Forward, ROWS_READ)
    }

    /// Own rows whose keys are a prefix with an id from `from` on and below `next`.
    fn each_own(
        &self,
        key: impl Fn(&[u8; 32]) -> Vec<u8>,
        (from, next): ([u8; 32], Option<[u8; 32]>),
        mut with: impl FnMut([u8; 32], &[u8]) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let prefix = &key(&from)[..key(&from).len() - 32];
        let end = next.map_or_else(|| prefix_end(prefix), |next| Some(key(&next)));
        // So that there is one right answer: the page ends before the next that there is.
        if let Some(next) = next
            && self.restore.store().get(Space::State, &key(&next))?.is_none()
        {
            return Err(Lie("what comes next does not exist").into());
        }
        let mut at = key(&from);
        loop {
            let rows = self.own(&at, end.as_deref())?;
            for (key, value) in &rows {
                let id = key.last_chunk().ok_or_else(|| StoreError::corrupt(key))?;
                with(*id, value)?;
            }
            match rows.last().filter(|_| rows.len() == ROWS_READ) {
                Some((last, _)) => at = [last.as_slice(), &[0]].concat(),
                None => return Ok(()),
            }
        }
    }

    fn take_streams(&mut self, from: [u8; 32], bytes: &[u8]) -> Result<Stage, Refused> {
        let Streams { next, streams, transactions } = exact(bytes, "the streams are malformed")?;
        let next = next.map(|next| next.0);
        if streams.len() > ENTRIES_MAX || next.is_some_and(|next| next <= from) {
            return Err(Lie("the streams are out of order").into());
        }
        let known: BTreeMap<TxId, Text> =
            transactions.into_iter().map(|wire| (TxId::of(&wire.0), wire)).collect();
        let (mut batch, mut payloads) = (Batch::default(), Vec::new());
        let mut given = streams.iter();
        self.each_own(
            |id| key::stream(&StreamId(*id)),
            (from, next),
            |id, value| {
                let head: StreamHead = read(value)?;
                put_peaks(&mut batch, &StreamId(id), &head);
                let Some(last) = head.peaks.leaves().checked_sub(1) else { return Ok(()) };
                let latest = given.next().ok_or(Lie("the latest batch of a stream is left out"))?;
                let Latest { stream, leaf, path } = latest;
                if stream.0 != id || path.index != last || !path.verify(&head.peaks, leaf) {
                    return Err(Lie("the latest batch of a stream is another").into());
                }
                let wire = known.get(&leaf.transaction);
                let wire = wire.ok_or(Lie("the transaction of a batch is left out"))?;
                batch.put(Space::Receipts, rows::wire(&leaf.transaction), wire.0.clone());
                put_path(&mut batch, stream, leaf, path);
                payloads.push(leaf.payload_digest);
                Ok(())
            },
        )?;
        if given.next().is_some() {
            return Err(Lie("there is no such stream").into());
        }
        self.restore.store().commit(batch)?;
        self.payloads.append(&mut payloads);
        Ok(next.map_or(Stage::Descriptions([0; 32]), Stage::Streams))
    }

    fn take_descriptions(&self, from: [u8; 32], bytes: &[u8]) -> Result<Stage, Refused> {
        let Descriptions { next, texts } = exact(bytes, "the descriptions are malformed")?;
        let next = next.map(|next| next.0);
        if texts.len() > ENTRIES_MAX || next.is_some_and(|next| next <= from) {
            return Err(Lie("the descriptions are out of order").into());
        }
        let mut batch = Batch::default();
        let mut given = texts.iter();
        self.each_own(
            |id| key::thing(&althing_types::ThingId(*id)),
            (from, next),
            |_, value| {
                let thing: ThingRecord = read(value)?;
                let text = given.next().ok_or(Lie("a description is left out"))?;
                if value_digest(&text.0) != thing.description_digest {
                    return Err(Lie("a description is another").into());
                }
                batch.put(Space::Descriptions, thing.description_digest.0, text.0.clone());
                Ok(())
            },
        )?;
        if given.next().is_some() {
            return Err(Lie("there is no such thing").into());
        }
        self.restore.store().commit(batch)?;
        Ok(next.map_or(Stage::Complete, Stage::Descriptions))
    }

    /// Makes a state of what is here, in one batch; gives the payloads that its latest readings need.
    pub(crate) fn finish(self, genesis: &Genesis) -> Result<(State, Vec<[u8; 32]>), Refused> {
        let Self { offer, restore, payloads, .. } = self;
        let Checked { header, root, links, validators, .. } = offer;
        let mut batch = Batch::default();
        batch.put(Space::Receipts, rows::validators(0), genesis.validators().to_wire());
        for link in &links {
            batch.put(Space::Receipts, rows::validators(link.next.epoch), link.next.to_wire());
            batch.put(Space::Receipts, rows::link(link.next.epoch), link.to_wire());
        }
        let next = restore.store().get(Space::State, &ledger_key::next_validators())?;
        if let Some(next) = next.map(|next| read::<ValidatorSet>(&next)).transpose()?
            && !next.stays(&validators)
        {
            batch.put(Space::Receipts, rows::validators(next.epoch), next.to_wire());
        }
        let height = header.height;
        batch.put(Space::Meta, rows::TAKEN_OVER, height.to_be_bytes());
        // Its receipts are not known here, and nothing asks for their root at this height.
        let done = Done {
            state_root: root,
            receipts_root: Digest::default(),
            header,
            busy_height: height,
        };
        batch.put(Space::Receipts, rows::done(height), chain::encode(&done));
        let state = restore.finish(&genesis.ledger(), height, root, batch)?;
        Ok((state, payloads))
    }
}

fn read<T: for<'b> Decode<'b, ()>>(value: &[u8]) -> Result<T, StoreError> {
    minicbor::decode(value).map_err(|_| StoreError::corrupt(b"taken over"))
}

fn put_peaks(batch: &mut Batch, stream: &StreamId, head: &StreamHead) {
    for Stored { level, index, node } in head.peaks.positions() {
        batch.put(Space::Nodes, rows::node(stream, level, index), node.to_wire());
    }
}

/// The leaf, and at each level the node above it and its sibling. The path has been checked.
fn put_path(batch: &mut Batch, stream: &StreamId, leaf: &Leaf, path: &LeafPath) {
    batch.put(Space::Nodes, rows::leaf(stream, path.index), leaf.to_wire());
    let mut node = Node::of_leaf(leaf);
    for (level, sibling) in (0_u8..).zip(&path.siblings) {
        let at = path.index >> level;
        batch.put(Space::Nodes, rows::node(stream, level, at), node.to_wire());
        batch.put(Space::Nodes, rows::node(stream, level, at ^ 1), sibling.to_wire());
        let pair = if at & 1 == 0 { (&node, sibling) } else { (sibling, &node) };
        match Node::join(pair.0, pair.1) {
            Some(parent) => node = parent,
            None => return,
        }
    }
}
