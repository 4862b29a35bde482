//! Who keeps which payloads, and how this peer comes by those that it does not.

use std::collections::{BTreeMap, BTreeSet};

use althing_ledger::{erasure::Erasures, key as ledger_key, placement::PlacementRecord};
use althing_ordering::PeerKey;
use althing_proof::{Interval, ProveError, stream::Leaf};
use althing_state::{Direction, Space, prefix_end};
use althing_types::{EntityId, StreamId, TxId};
use futures::future::join_all;

use super::{
    Query, QueryError, ReadingFilter,
    prove::Question,
    walk::{Bounds, LeafAt},
};
use crate::{core::Counters, duty::Duties, rows};

/// Most payloads that are fetched from others for one answer.
pub const GATHERED_MAX: usize = 512;
/// Most batches that are looked through for holders, or for payloads that others share.
pub const BATCHES_LOOKED_THROUGH_MAX: usize = 10_000;

/// A payload that others keep, and of whom to ask it first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    digest: [u8; 32],
    holders: Vec<PeerKey>,
}

/// Who holds the payload of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchHolders {
    /// First number of the batch.
    pub first_seq: u64,
    /// Its last.
    pub last_seq: u64,
    /// The peers with a seat whose duty it is.
    pub peers: Vec<EntityId>,
    /// Whether it is on this peer's disk.
    pub here: bool,
    /// Whether it was erased.
    pub erased: bool,
    /// Whether it may be dropped by now.
    pub past_retention: bool,
}

impl Query {
    /// What the owner of a stream said about its payloads; none if nothing.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn placement(&self, stream: &StreamId) -> Result<Option<PlacementRecord>, QueryError> {
        self.record(&ledger_key::placement(stream))
    }

    /// The peers with a seat that may hold payloads of a stream.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn may_hold(&self, stream: &StreamId) -> Result<Vec<EntityId>, QueryError> {
        let Some(record) = self.placement(stream)? else { return self.seated() };
        let mut placement = record.placement;
        placement.copies = None;
        let duties = Duties::now(&self.core)?;
        Ok(placement.holders(duties.seats(), &[0; 32]))
    }

    /// Who holds the newest batches of a stream up to a number, newest first.
    ///
    /// # Errors
    /// [`Noun::Stream`](super::Noun::Stream) if no thing has it.
    pub fn holders(
        &self,
        stream: &StreamId,
        last_seq: u64,
        limit: usize,
    ) -> Result<Vec<BatchHolders>, QueryError> {
        let head = self.stream_head(stream)?;
        let bounds = Bounds::new((0, last_seq), ReadingFilter::ALL.time_ms);
        let mut walk = self.walk(*stream, &head, bounds, Direction::Backward);
        let mut duties = Duties::now(&self.core)?;
        let mut found = Vec::new();
        while found.len() < limit {
            let Some(LeafAt { leaf, index }) = walk.next()? else { break };
            let erased = !self.is_referred(stream, index, &leaf)?;
            let past_retention = duties.is_past_retention(stream, &leaf)?;
            let duty = duties.of_batch(stream, &leaf)?;
            found.push(BatchHolders {
                first_seq: leaf.first_seq,
                last_seq: leaf.last_seq(),
                peers: if erased { Vec::new() } else { duty.holders.into_iter().collect() },
                here: self.core.payloads.store().contains(&leaf.payload_digest),
                erased,
                past_retention,
            });
        }
        Ok(found)
    }

    /// The smallest and largest value of a batch, at the stream's scale; none if it says nothing of them.
    ///
    /// # Errors
    /// [`QueryError`] if there is no such batch.
    pub fn extremes(&self, stream: &StreamId, leaf: u64) -> Result<Option<(i64, i64)>, QueryError> {
        let LeafAt { leaf, .. } = self.leaf(stream, leaf)?;
        Ok(leaf.min.zip(leaf.max))
    }

    /// Ledger time and transaction of the newest batch of a stream; none if there is none.
    ///
    /// # Errors
    /// [`Noun::Stream`](super::Noun::Stream) if no thing has it.
    pub fn newest_batch(&self, stream: &StreamId) -> Result<Option<(u64, TxId)>, QueryError> {
        let head = self.stream_head(stream)?;
        let Some(last) = head.peaks.leaves().checked_sub(1) else { return Ok(None) };
        let LeafAt { leaf, .. } = self.leaf(stream, last)?;
        Ok(Some((leaf.ledger_time_ms, leaf.transaction)))
    }

    /// Whether a batch still refers to its payload here: not if it was erased.
    fn is_referred(&self, stream: &StreamId, index: u64, leaf: &Leaf) -> Result<bool, QueryError> {
        let row = rows::reference(&leaf.payload_digest, stream, index);
        Ok(self.stored(Space::Payloads, &row)?.is_some())
    }

    /// Whether the payload of a batch may be dropped by now.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub(super) fn is_past_retention(
        &self,
        stream: &StreamId,
        leaf: &Leaf,
    ) -> Result<bool, QueryError> {
        Ok(Duties::now(&self.core)?.is_past_retention(stream, leaf)?)
    }

    /// Why there is no payload of a batch: its owner let it go, or it is not here.
    pub(super) fn without_payload(&self, stream: Option<StreamId>, leaf: u64) -> QueryError {
        let of = |stream| self.is_past_retention(&stream, &self.leaf(&stream, leaf)?.leaf);
        match stream.map(of) {
            Some(Ok(true)) => QueryError::PastRetention { leaf },
            Some(Err(error)) => error,
            Some(Ok(false)) | None => ProveError::Payload { leaf }.into(),
        }
    }

    /// Those of a stream's batches at these positions whose payloads others keep and this peer can
    /// fetch, at most [`GATHERED_MAX`].
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn lacking(&self, stream: &StreamId, leaves: &[u64]) -> Result<Vec<Lacking>, QueryError> {
        let mut duties = Duties::now(&self.core)?;
        let mut lacking = Vec::new();
        for index in leaves.iter().take(GATHERED_MAX) {
            let LeafAt { leaf, .. } = self.leaf(stream, *index)?;
            lacking.extend(self.lacks(&mut duties, stream, *index, &leaf)?);
        }
        Ok(lacking)
    }

    /// The same for what a proof needs.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails, or there is no such stream.
    pub fn lacking_for(&self, question: &Question) -> Result<Vec<Lacking>, QueryError> {
        let all = ReadingFilter::ALL;
        let (stream, interval, is_aggregate) = match question {
            Question::Reading { stream, seq } => {
                (stream, Some(Interval::Seq { first: *seq, last: *seq }), false)
            }
            Question::Range { stream, interval } => (stream, *interval, false),
            Question::Aggregate { stream, interval } => (stream, *interval, true),
            _ => return Ok(Vec::new()),
        };
        if self.placement(stream)?.is_none() {
            return Ok(Vec::new());
        }
        let bounds = match interval {
            None => Bounds::new(all.seq, all.time_ms),
            Some(Interval::Seq { first, last }) => Bounds::new((first, last), all.time_ms),
            Some(Interval::Time { first_ms, last_ms }) => Bounds::new(all.seq, (first_ms, last_ms)),
        };
        let head = self.stream_head(stream)?;
        let mut walk = self.walk(*stream, &head, bounds, Direction::Forward);
        let mut duties = Duties::now(&self.core)?;
        let mut lacking = Vec::new();
        for _ in 0..BATCHES_LOOKED_THROUGH_MAX {
            let Some(LeafAt { index, leaf }) = walk.next()? else { break };
            // An aggregate takes whole batches as the tree has them.
            let is_whole = bounds.contains(leaf.first_seq, leaf.time_min)
                && bounds.contains(leaf.last_seq(), leaf.time_max);
            if !(is_aggregate && is_whole) {
                lacking.extend(self.lacks(&mut duties, stream, index, &leaf)?);
            }
            if lacking.len() == GATHERED_MAX {
                break;
            }
        }
        Ok(lacking)
    }

    fn lacks(
        &self,
        duties: &mut Duties<'_>,
        stream: &StreamId,
        index: u64,
        leaf: &Leaf,
    ) -> Result<Option<Lacking>, QueryError> {
        let digest = leaf.payload_digest;
        let duty = duties.of_payload(&digest)?;
        // What is this peer's duty is being fetched already.
        let can_be_had = duty.wanted && !duty.mine && self.is_referred(stream, index, leaf)?;
        if !can_be_had || self.core.payloads.get(&digest)?.is_some() {
            return Ok(None);
        }
        Ok(Some(Lacking { digest, holders: duties.keys(&duty.holders) }))
    }

    /// Fetches payloads from those who keep them and remembers them for a while. The caller bounds the
    /// time; what has come by then is here.
    pub async fn gather(&self, lacking: Vec<Lacking>) {
        let payloads = &self.core.payloads;
        Counters::add(&self.core.counters.payloads_gathered, lacking.len());
        join_all(lacking.iter().map(|one| payloads.fetch(one.digest, &one.holders))).await;
    }

    /// Who is to destroy an erasure's payloads: every peer whose duty it was to keep one of them. Of
    /// more than [`BATCHES_LOOKED_THROUGH_MAX`] batches all that may hold one.
    pub(super) fn holders_of_erased(
        &self,
        stream: &StreamId,
        first_seq: u64,
        last_seq: u64,
    ) -> Result<Vec<EntityId>, QueryError> {
        let eligible = self.may_hold(stream)?;
        let Some(record) = self.placement(stream)? else { return Ok(eligible) };
        if record.placement.copies.is_none() {
            return Ok(eligible);
        }
        let duties = Duties::now(&self.core)?;
        let head = self.stream_head(stream)?;
        let bounds = Bounds::new((first_seq, last_seq), ReadingFilter::ALL.time_ms);
        let mut walk = self.walk(*stream, &head, bounds, Direction::Forward);
        let mut holders = BTreeSet::new();
        for _ in 0..BATCHES_LOOKED_THROUGH_MAX {
            let Some(LeafAt { leaf, .. }) = walk.next()? else {
                return Ok(holders.into_iter().collect());
            };
            holders.extend(record.placement.holders(duties.seats(), &leaf.payload_digest));
            if holders.len() == eligible.len() {
                break;
            }
        }
        Ok(eligible)
    }

    /// Payloads of an erasure that are kept all the same, because other streams have the same bytes: how
    /// many, by stream. At most [`BATCHES_LOOKED_THROUGH_MAX`] batches are looked through.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails, or there is no such stream.
    pub fn kept_of_erased(
        &self,
        stream: &StreamId,
        number: u32,
    ) -> Result<BTreeMap<StreamId, u64>, QueryError> {
        let erasures: Option<Erasures> = self.record(&ledger_key::erasures(stream))?;
        let erasures = erasures.unwrap_or_default();
        let mut kept = BTreeMap::new();
        let Some(erasure) = erasures.0.get(number as usize) else { return Ok(kept) };
        let head = self.stream_head(stream)?;
        let range = (erasure.first_seq, erasure.last_seq);
        let bounds = Bounds::new(range, ReadingFilter::ALL.time_ms);
        let mut walk = self.walk(*stream, &head, bounds, Direction::Forward);
        for _ in 0..BATCHES_LOOKED_THROUGH_MAX {
            let Some(LeafAt { leaf, .. }) = walk.next()? else { break };
            if leaf.height > erasure.height {
                continue;
            }
            let others = self.other_streams(stream, &leaf.payload_digest)?;
            others.into_iter().for_each(|other| *kept.entry(other).or_default() += 1);
        }
        Ok(kept)
    }

    /// Streams other than this one whose batches have the same payload, a few of them.
    fn other_streams(
        &self,
        stream: &StreamId,
        digest: &[u8; 32],
    ) -> Result<BTreeSet<StreamId>, QueryError> {
        let prefix = rows::references(digest);
        let end = prefix_end(&prefix);
        let store = self.chain().state().store();
        let rows = store.scan(Space::Payloads, &prefix, end.as_deref(), Direction::Forward, 16)?;
        let named = rows.iter().filter_map(|(row, _)| rows::referred(row));
        Ok(named.map(|(other, _)| other).filter(|other| other != stream).collect())
    }
}
