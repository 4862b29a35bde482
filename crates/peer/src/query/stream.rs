//! Streams and their readings.

use althing_ledger::secrecy::SecrecyRecord;
use althing_proof::stream::{Leaf, StreamHead};
use althing_state::Direction;
use althing_types::{Payload, SealedPayload, StreamId, TxId, Value, Wire as _};
use bytes::Bytes;

use super::{
    PAGE_ITEMS_MAX, PAGE_READINGS_MAX, PAYLOADS_OPENED_MAX, Query, QueryError, SEALED_BYTES_MAX,
    walk::{Bounds, LeafAt},
};

/// A stream and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamState {
    /// Its id.
    pub id: StreamId,
    /// What the state holds of it.
    pub head: StreamHead,
    /// Which key counts, if it is confidential.
    pub secrecy: Option<SecrecyRecord>,
}

/// Which readings of a stream; both ends of each bound belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadingFilter {
    /// First and last sequence number.
    pub seq: (u64, u64),
    /// Earliest and latest claimed time, milliseconds since 1970.
    pub time_ms: (i64, i64),
}

impl ReadingFilter {
    /// All readings.
    pub const ALL: Self = Self { seq: (0, u64::MAX), time_ms: (i64::MIN, i64::MAX) };
}

/// A reading and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingAt {
    /// Its sequence number.
    pub seq: u64,
    /// Claimed time, milliseconds since 1970.
    pub claimed_ms: i64,
    /// Time of reception, milliseconds since 1970.
    pub received_ms: i64,
    /// Its value.
    pub value: Value,
    /// Time of the block it is in, milliseconds since 1970.
    pub ledger_ms: u64,
    /// Height of that block.
    pub height: u64,
    /// Position of its batch in the stream.
    pub leaf: u64,
    /// The transaction it came with.
    pub transaction: TxId,
}

/// Readings, ascending by sequence number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadingPage {
    /// The readings.
    pub readings: Vec<ReadingAt>,
    /// Batches that belong here, but are sealed: their readings are for who has the stream's key.
    pub sealed: Vec<SealedAt>,
    /// Positions of batches that belong here, but whose payloads this peer does not hold.
    pub unavailable: Vec<u64>,
    /// Those whose payloads may be dropped by now, and are not here.
    pub past_retention: Vec<u64>,
    /// The sequence number to go on behind; none at the end.
    pub next: Option<u64>,
}

/// A batch of a confidential stream, as this peer holds it: it has no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedAt {
    /// Position of the batch in the stream.
    pub index: u64,
    /// Its leaf.
    pub leaf: Leaf,
    /// Number of the key it is sealed under.
    pub key_number: u32,
    /// Its payload.
    pub payload: Bytes,
}

impl ReadingPage {
    /// How many readings are in it, sealed ones included.
    fn len(&self) -> usize {
        let sealed: usize = self.sealed.iter().map(|sealed| sealed.leaf.count as usize).sum();
        self.readings.len() + sealed
    }

    fn is_long(&self) -> bool {
        let bytes: usize = self.sealed.iter().map(|sealed| sealed.payload.len()).sum();
        bytes > SEALED_BYTES_MAX
    }
}

/// Sequence numbers that did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapState {
    /// First number missing.
    pub first_seq: u64,
    /// How many, at least 1.
    pub count: u64,
    /// Whether they may still come.
    pub open: bool,
}

/// What a batch shows here.
enum Opened<R> {
    Readings(R),
    Sealed(Box<SealedAt>),
    /// Its payload is not here.
    Unavailable,
}

impl Query {
    /// A stream.
    ///
    /// # Errors
    /// [`Noun::Stream`](super::Noun::Stream) if no thing has it.
    pub fn stream(&self, id: &StreamId) -> Result<StreamState, QueryError> {
        let (head, secrecy) = (self.stream_head(id)?, self.secrecy(id)?);
        Ok(StreamState { id: *id, head, secrecy })
    }

    /// Readings of a stream that a filter admits, ascending by sequence number.
    ///
    /// # Errors
    /// [`Noun::Stream`](super::Noun::Stream) if no thing has it.
    pub fn readings(
        &self,
        id: &StreamId,
        filter: &ReadingFilter,
        limit: usize,
    ) -> Result<ReadingPage, QueryError> {
        let head = self.stream_head(id)?;
        let limit = limit.clamp(1, PAGE_READINGS_MAX);
        let bounds = Bounds::new(filter.seq, filter.time_ms);
        let mut walk = self.walk(*id, &head, bounds, Direction::Forward);
        let mut page = ReadingPage::default();
        let mut opened = 0;
        while let Some(at) = walk.next()? {
            opened += 1;
            let admitted = |reading: &ReadingAt| bounds.contains(reading.seq, reading.claimed_ms);
            match self.open(&at)? {
                Opened::Readings(readings) => page.readings.extend(readings.filter(admitted)),
                Opened::Sealed(sealed) => page.sealed.push(*sealed),
                Opened::Unavailable => self.lacks_in(&mut page, id, &at)?,
            }
            if !page.sealed.is_empty() && (page.len() >= limit || page.is_long()) {
                page.next = Some(at.leaf.last_seq());
                return Ok(page);
            }
            let full = page.readings.len() > limit;
            if full {
                page.readings.truncate(limit);
                page.next = page.readings.last().map(|last| last.seq);
                return Ok(page);
            }
            if opened == PAYLOADS_OPENED_MAX {
                page.next = Some(at.leaf.last_seq());
                return Ok(page);
            }
        }
        Ok(page)
    }

    /// The latest readings of a stream by sequence number, ascending.
    ///
    /// # Errors
    /// [`Noun::Stream`](super::Noun::Stream) if no thing has it.
    pub fn latest(&self, id: &StreamId, limit: usize) -> Result<ReadingPage, QueryError> {
        let head = self.stream_head(id)?;
        self.latest_of(id, &head, limit)
    }

    /// The same with the head at hand.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn latest_of(
        &self,
        id: &StreamId,
        head: &StreamHead,
        limit: usize,
    ) -> Result<ReadingPage, QueryError> {
        let limit = limit.clamp(1, PAGE_READINGS_MAX);
        let ReadingFilter { seq, time_ms } = ReadingFilter::ALL;
        let mut walk = self.walk(*id, head, Bounds::new(seq, time_ms), Direction::Backward);
        let (mut page, mut seen) = (ReadingPage::default(), 0);
        for _ in 0..PAYLOADS_OPENED_MAX {
            if page.len() >= limit || page.is_long() {
                break;
            }
            let at = match walk.next() {
                // What is here is given, and that there is more.
                Err(QueryError::HistoryNotHere { .. }) if seen > 0 => {
                    page.unavailable.push(head.peaks.leaves().saturating_sub(seen + 1));
                    break;
                }
                next => next?,
            };
            let Some(at) = at else { break };
            seen += 1;
            match self.open(&at)? {
                Opened::Readings(readings) => page.readings.extend(readings.rev()),
                Opened::Sealed(sealed) => page.sealed.push(*sealed),
                Opened::Unavailable => self.lacks_in(&mut page, id, &at)?,
            }
        }
        page.readings.truncate(limit);
        page.readings.reverse();
        page.sealed.reverse();
        Ok(page)
    }

    /// Sequence numbers of a stream that did not come, ascending, behind a number. Gaps that were
    /// given up lie between the readings; the state keeps only how many they are in all.
    ///
    /// # Errors
    /// [`Noun::Stream`](super::Noun::Stream) if no thing has it.
    pub fn gaps(
        &self,
        id: &StreamId,
        from: u64,
        limit: usize,
    ) -> Result<(Vec<GapState>, Option<u64>), QueryError> {
        let head = self.stream_head(id)?;
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let mut gaps = Vec::new();
        if head.sealed > 0 {
            self.sealed_gaps(id, &head, from, limit, &mut gaps)?;
        }
        let open = head.gaps.iter().filter(|gap| gap.first_seq >= from);
        gaps.extend(open.map(|gap| GapState {
            first_seq: gap.first_seq,
            count: gap.count,
            open: true,
        }));
        gaps.sort_by_key(|gap| gap.first_seq);
        let more = gaps.len() > limit;
        gaps.truncate(limit);
        let next = gaps.last().filter(|_| more).map(|gap| gap.first_seq.saturating_add(gap.count));
        Ok((gaps, next))
    }

    /// What is missing between batches and is no open gap was given up.
    fn sealed_gaps(
        &self,
        id: &StreamId,
        head: &StreamHead,
        from: u64,
        limit: usize,
        gaps: &mut Vec<GapState>,
    ) -> Result<(), QueryError> {
        // Only below the lowest open gap can a gap have been given up.
        let end = head.gaps.first().map_or(head.next_seq, |gap| gap.first_seq);
        let bounds = Bounds::new((from, end.saturating_sub(1)), ReadingFilter::ALL.time_ms);
        let mut walk = self.walk(*id, head, bounds, Direction::Forward);
        let mut next = from;
        while gaps.len() <= limit {
            let whole = walk.next_whole()?;
            let first = whole.map_or(end, |(first, _)| first);
            if first > next {
                gaps.push(GapState { first_seq: next, count: first - next, open: false });
            }
            let Some((_, last)) = whole else { break };
            next = next.max(last.saturating_add(1));
        }
        Ok(())
    }

    /// Notes in an answer that the payload of a batch is not here.
    fn lacks_in(
        &self,
        page: &mut ReadingPage,
        id: &StreamId,
        at: &LeafAt,
    ) -> Result<(), QueryError> {
        if self.is_past_retention(id, &at.leaf)? {
            page.past_retention.push(at.index);
        } else {
            page.unavailable.push(at.index);
        }
        Ok(())
    }

    /// The readings of a batch with their places.
    fn open<'a>(
        &self,
        at: &'a LeafAt,
    ) -> Result<Opened<impl DoubleEndedIterator<Item = ReadingAt> + use<'a>>, QueryError> {
        let LeafAt { index, leaf } = at;
        let Some(bytes) = self.core.payloads.get(&leaf.payload_digest)? else {
            // A state that was taken over comes without a note of what is to be fetched.
            if self.core.ahead().is_some() {
                self.core.payloads.want(leaf.payload_digest);
            }
            return Ok(Opened::Unavailable);
        };
        let damaged = |_| althing_state::StoreError::corrupt(&leaf.payload_digest);
        if SealedPayload::is_form_of(&bytes) {
            let SealedPayload { key_number, .. } =
                SealedPayload::from_wire(&bytes).map_err(damaged)?;
            let (index, leaf) = (*index, leaf.clone());
            let sealed = SealedAt { index, leaf, key_number, payload: bytes };
            return Ok(Opened::Sealed(Box::new(sealed)));
        }
        let payload = Payload::read(&bytes).map_err(damaged)?;
        let numbered = payload.readings.into_iter().enumerate();
        Ok(Opened::Readings(numbered.map(move |(offset, reading)| ReadingAt {
            seq: leaf.first_seq.saturating_add(offset as u64),
            claimed_ms: reading.claimed_ms,
            received_ms: reading.received_ms,
            value: reading.value,
            ledger_ms: leaf.ledger_time_ms,
            height: leaf.height,
            leaf: *index,
            transaction: leaf.transaction,
        })))
    }

    /// A payload, if it is here and not sealed.
    pub(super) fn payload(&self, digest: &[u8; 32]) -> Result<Option<Payload>, QueryError> {
        let Some(bytes) = self.core.payloads.get(digest)? else { return Ok(None) };
        if SealedPayload::is_form_of(&bytes) {
            return Ok(None);
        }
        let damaged = |_| althing_state::StoreError::corrupt(digest);
        Ok(Some(Payload::read(&bytes).map_err(damaged)?))
    }
}
