//! Confidential streams and erasure: what the ledger says of them.

use althing_ledger::{
    erasure::{Confirmation, Erasure, Erasures},
    index, key as ledger_key,
    secrecy::{AgreementRecord, SecrecyRecord, Shares},
    validators,
};
use althing_state::Direction;
use althing_types::{EntityId, StreamId};

use super::{
    PAGE_ITEMS_MAX, Query, QueryError, ReadingFilter,
    walk::{Bounds, LeafAt},
};

/// Batches whose payloads are destroyed together.
const PURGED_AT_ONCE: usize = 1_000;

/// An erasure, and who has carried it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureState {
    /// Which of its stream, from 0.
    pub number: u32,
    /// What was erased.
    pub erasure: Erasure,
    /// The peers that said that they hold none of it any more.
    pub confirmed: Vec<Confirmation>,
    /// The peers whose duty it was to keep some of it and that did not say so.
    pub awaited: Vec<EntityId>,
}

impl Query {
    /// To which key streams' keys are wrapped for an entity, if it said so.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn agreement(&self, entity: &EntityId) -> Result<Option<AgreementRecord>, QueryError> {
        self.record(&ledger_key::agreement(entity))
    }

    /// Which key of a stream counts; none if it is not confidential.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn secrecy(&self, stream: &StreamId) -> Result<Option<SecrecyRecord>, QueryError> {
        self.record(&ledger_key::secrecy(stream))
    }

    /// A key of a stream, wrapped to its readers; none if there is no such key.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn shares(&self, stream: &StreamId, number: u32) -> Result<Option<Shares>, QueryError> {
        self.record(&ledger_key::shares(stream, number))
    }

    /// The erasures of a stream, oldest first.
    ///
    /// # Errors
    /// [`Noun::Stream`](super::Noun::Stream) if no thing has it.
    pub fn erasures(&self, stream: &StreamId) -> Result<Vec<ErasureState>, QueryError> {
        self.stream_head(stream)?;
        let erasures: Option<Erasures> = self.record(&ledger_key::erasures(stream))?;
        let state = |(number, erasure): (u32, Erasure)| {
            let confirmed: Option<Vec<Confirmation>> =
                self.record(&ledger_key::confirmations(stream, number))?;
            let confirmed = confirmed.unwrap_or_default();
            let holders = self.holders_of_erased(stream, erasure.first_seq, erasure.last_seq)?;
            let is_awaited = |peer: &&EntityId| !confirmed.iter().any(|it| it.holder == **peer);
            let awaited = holders.iter().filter(is_awaited).copied().collect();
            Ok(ErasureState { number, erasure, confirmed, awaited })
        };
        (0..).zip(erasures.unwrap_or_default().0).map(state).collect()
    }

    /// Erasures in the order in which they were made, behind a row, with what to go on behind.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn erasures_behind(
        &self,
        after: Option<&[u8]>,
    ) -> Result<Vec<(Vec<u8>, StreamId, u32)>, QueryError> {
        let rows = self.rows(&index::erasures(), after, PAGE_ITEMS_MAX)?;
        let named = |(row, _): (Vec<u8>, Vec<u8>)| {
            let (stream, number) = index::erasure_of(&row)?;
            Some((row, stream, number))
        };
        Ok(rows.into_iter().filter_map(named).collect())
    }

    /// Destroys the payloads here that an erasure is about; how many were here. Doing it again does
    /// no harm.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn purge(&self, stream: &StreamId, number: u32) -> Result<usize, QueryError> {
        let head = self.stream_head(stream)?;
        let erasures: Option<Erasures> = self.record(&ledger_key::erasures(stream))?;
        let erasures = erasures.unwrap_or_default();
        let Some(erasure) = erasures.0.get(number as usize) else { return Ok(0) };
        let (mut purged, mut from) = (0, Some(erasure.first_seq));
        while let Some(first) = from.filter(|first| *first <= erasure.last_seq) {
            let bounds = Bounds::new((first, erasure.last_seq), ReadingFilter::ALL.time_ms);
            let mut walk = self.walk(*stream, &head, bounds, Direction::Forward);
            let mut batches = Vec::new();
            from = None;
            for _ in 0..PURGED_AT_ONCE {
                let Some(LeafAt { index, leaf }) = walk.next()? else { break };
                from = leaf.last_seq().checked_add(1);
                if leaf.height <= erasure.height {
                    batches.push((leaf.payload_digest, index));
                }
            }
            purged += self.core.payloads.erase(stream, &batches)?;
        }
        Ok(purged)
    }

    /// The peers with a seat, ascending.
    pub(super) fn seated(&self) -> Result<Vec<EntityId>, QueryError> {
        let mut peers: Vec<EntityId> =
            validators(&self.view())?.validators.iter().map(|seat| seat.peer).collect();
        peers.sort_unstable();
        peers.dedup();
        Ok(peers)
    }
}
