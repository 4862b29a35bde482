//! The readings of a stream in an interval, with the proof that none is left out.
//!
//! Every subtree that can hold such a reading is opened; every other shows by its summary that it
//! cannot. Nothing assumes that readings arrive in the order of their times, so late ones are found
//! too.

use alloc::vec::Vec;

use althing_types::{PayloadError, Reading, SealedPayload, StreamId, StreamKey, StreamSchema};

use crate::{
    archive::{Archive, ProveError},
    interval::Interval,
    opening::{self, Opening, OpeningError, Payloads, Shown},
    stream::{Leaf, StreamHead},
};

/// The batches of a stream that can hold readings of an interval, all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeAnswer {
    /// What was asked.
    pub interval: Interval,
    /// The batches, ascending by sequence number.
    pub batches: Vec<AnswerBatch>,
}

/// A batch of a [`RangeAnswer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerBatch {
    /// Position in the stream, from 0.
    pub index: u64,
    /// Its leaf.
    pub leaf: Leaf,
    /// Its readings, unless the payload is left out or sealed; those outside the interval included.
    pub readings: Option<Vec<Reading>>,
    /// Its payload, if that is sealed: the stream is confidential. It is the one in the tree.
    pub sealed: Option<Vec<u8>>,
}

impl RangeAnswer {
    /// The readings that belong to the interval with their sequence numbers, ascending.
    pub fn readings(&self) -> impl Iterator<Item = (u64, &Reading)> {
        self.batches
            .iter()
            .flat_map(AnswerBatch::numbered)
            .filter(|(seq, reading)| self.interval.contains(*seq, reading.claimed_ms))
    }

    /// The batches whose payload is left out.
    pub fn without_payload(&self) -> impl Iterator<Item = &AnswerBatch> {
        self.batches.iter().filter(|batch| batch.readings.is_none() && batch.sealed.is_none())
    }

    /// The batches whose payload is sealed and was not opened.
    pub fn sealed(&self) -> impl Iterator<Item = &AnswerBatch> {
        self.batches.iter().filter(|batch| batch.readings.is_none() && batch.sealed.is_some())
    }

    /// Opens the batches that are sealed under `key`; leaves others as they are. How many it opened.
    ///
    /// # Errors
    /// [`OpeningError::Payload`] if one bears the key's number, but does not open, or holds what the
    /// stream cannot have.
    pub fn open(
        &mut self,
        stream: StreamId,
        schema: &StreamSchema,
        key: &StreamKey,
    ) -> Result<usize, OpeningError> {
        let schema = opening::of_any_time(schema);
        let mut opened = 0;
        for batch in self.batches.iter_mut().filter(|batch| batch.readings.is_none()) {
            let Some(bytes) = &batch.sealed else { continue };
            let failed = |source| OpeningError::Payload { leaf: batch.index, source };
            let header = batch.leaf.batch(stream);
            let sealed = header.sealed(bytes).map_err(failed)?;
            if sealed.key_number != key.number {
                continue;
            }
            let (_, payload) = key.open(&header, bytes).map_err(failed)?;
            let admits = |reading: &Reading| schema.admits(&reading.value);
            if let Some(index) = payload.readings.iter().position(|reading| !admits(reading)) {
                return Err(failed(PayloadError::Schema { index }));
            }
            batch.readings = Some(payload.readings);
            opened += 1;
        }
        Ok(opened)
    }
}

impl AnswerBatch {
    /// Its readings with their sequence numbers.
    fn numbered(&self) -> impl Iterator<Item = (u64, &Reading)> {
        self.leaf.numbered(self.readings.iter().flatten())
    }
}

/// Opens what the interval overlaps.
///
/// # Errors
/// [`ProveError`] if the archive lacks a part or the answer would be too large.
pub fn prove<A: Archive>(
    archive: &A,
    head: &StreamHead,
    interval: &Interval,
    payloads: Payloads,
) -> Result<Opening, ProveError> {
    opening::open(archive, head, |summary| interval.overlaps(summary), payloads)
}

/// Checks that `opening` shows every batch of the stream that the interval overlaps.
///
/// # Errors
/// [`OpeningError`] naming the batches that are held back or not the stream's.
pub fn verify(
    head: &StreamHead,
    interval: &Interval,
    opening: &Opening,
) -> Result<RangeAnswer, OpeningError> {
    let shown = opening::check(&head.peaks, opening, |summary| interval.overlaps(summary))?;
    let mut batches = Vec::new();
    for part in shown {
        let Shown::Leaf { index, leaf, payload } = part else { continue };
        let failed = |source| OpeningError::Payload { leaf: index, source };
        let (mut readings, mut sealed) = (None, None);
        match payload {
            Some(bytes) if SealedPayload::is_form_of(bytes) => {
                leaf.batch(head.id()).sealed(bytes).map_err(failed)?;
                sealed = Some(bytes.to_vec());
            }
            Some(bytes) => {
                let payload = opening::open_payload(head, leaf, bytes).map_err(failed)?;
                readings = Some(payload.readings);
            }
            None => {}
        }
        batches.push(AnswerBatch { index, leaf: leaf.clone(), readings, sealed });
    }
    batches.sort_by_key(|batch| batch.leaf.first_seq);
    Ok(RangeAnswer { interval: *interval, batches })
}
