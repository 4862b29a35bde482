use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use althing_state::{Batch, Direction, Space, Store, StoreError, prefix_end};
use althing_types::limits::PAYLOAD_BYTES_MAX;
use bytes::Bytes;

use crate::{
    record::{AtRest, Content, Place, read_record},
    segment::SegmentFiles,
};

mod compact;

/// Length at which a segment is full, bytes.
const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// Why payloads cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// No space is left; what was kept before is untouched.
    #[error("the disk is full: free some space and start the peer again")]
    Full,
    /// The disk failed.
    #[error("failed to {attempt} payload segment {segment}")]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// Number of the segment.
        segment: u32,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The index failed.
    #[error("failed to use the index of payloads")]
    Index(#[source] StoreError),
    /// A payload on disk is not what was kept.
    #[error("payload {} is damaged on disk; it will be fetched from another peer", hex(.0))]
    Damaged([u8; 32]),
    /// Payloads are encrypted with another key than this one.
    #[error("the payloads on disk are encrypted with another key; nothing was changed")]
    WrongKey,
}

impl From<StoreError> for PayloadError {
    fn from(error: StoreError) -> Self {
        Self::Index(error)
    }
}

/// Payloads of batches, addressed by their BLAKE3 digest, in append-only segments.
///
/// A record is `length (4 bytes, big-endian), digest (32), payload`; the digest is its checksum, or if it
/// is encrypted, the cipher's tag is.
/// Where the records of full segments are is in the index; those of the last segment are read from
/// it at start, so that keeping a payload takes one flush and not two. What a loss of power leaves
/// of an unfinished record is cut off at start.
#[derive(Debug)]
pub struct Payloads {
    files: Arc<dyn SegmentFiles>,
    index: Arc<dyn Store>,
    tail: Mutex<Tail>,
    /// To read what is encrypted with.
    key: Option<AtRest>,
    /// Whether what is written is encrypted.
    seals: bool,
    /// Length of all segments.
    bytes: AtomicU64,
}

/// The last segment.
#[derive(Debug)]
struct Tail {
    segment: u32,
    len: u64,
    /// Bytes of records in it that nobody needs any more.
    dead: u64,
    records: BTreeMap<[u8; 32], Place>,
}

impl Tail {
    /// A segment without records.
    const fn empty(segment: u32) -> Self {
        Self { segment, len: 0, dead: 0, records: BTreeMap::new() }
    }
}

impl Payloads {
    /// Opens the payloads in `files`, with `index` for where they are, and keeps them as they are.
    ///
    /// # Errors
    /// [`PayloadError`] if the disk fails, or [`PayloadError::WrongKey`] if they are encrypted.
    pub fn open(files: Arc<dyn SegmentFiles>, index: Arc<dyn Store>) -> Result<Self, PayloadError> {
        Self::open_with(files, index, None, false)
    }

    /// The same with a key, with which encrypted payloads are read and, if it `seals`, new ones are
    /// encrypted. Those that are there stay as they are.
    ///
    /// # Errors
    /// [`PayloadError`] if the disk fails; [`PayloadError::WrongKey`] if payloads are encrypted with
    /// another key: then nothing has been changed.
    pub fn open_with(
        files: Arc<dyn SegmentFiles>,
        index: Arc<dyn Store>,
        key: Option<AtRest>,
        seals: bool,
    ) -> Result<Self, PayloadError> {
        let check = key.as_ref().map(|key| key.check().to_vec());
        let known = index.get(Space::Payloads, CHECK)?;
        if known.is_some() && known != check {
            return Err(PayloadError::WrongKey);
        }
        let segments = files.list().map_err(failed("list", 0))?;
        // Before anything is cut off or written: the index may be gone, and the key another.
        let mut unindexed = Vec::new();
        for segment in &segments {
            if index.get(Space::Payloads, &seal_key(*segment))?.is_none() {
                let found = read_segment(&*files, *segment, key.as_ref())?;
                if found.is_foreign && known.is_none() {
                    return Err(PayloadError::WrongKey);
                }
                unindexed.push(found);
            }
        }
        let seals = seals && key.is_some();
        if let Some(check) = check.filter(|_| seals && known.is_none()) {
            let mut batch = Batch::default();
            batch.put(Space::Payloads, CHECK, check);
            index.commit(batch)?;
        }
        let last = segments.last().copied();
        let mut tail = Tail::empty(last.map_or(0, |last| last + 1));
        // The index knows none of them if somebody moved it away, or not the last two after a crash
        // between filling a segment and indexing it.
        for found in unindexed {
            let is_last = last == Some(found.tail.segment);
            found.cut_off(&*files, is_last)?;
            // One that others follow is full, though damage may hide where it ends.
            if found.tail.len >= SEGMENT_BYTES || !is_last {
                seal(&*index, &found.tail)?;
            } else {
                tail = found.tail;
            }
        }
        let mut bytes = 0_u64;
        for segment in segments {
            bytes += files.len(segment).map_err(failed("measure", segment))?;
        }
        let (tail, bytes) = (Mutex::new(tail), AtomicU64::new(bytes));
        Ok(Self { files, index, tail, key, seals, bytes })
    }

    /// Keeps payloads under their digests; returns once they would survive a loss of power. Those
    /// that are here already are not written again.
    ///
    /// The caller has checked the digests.
    ///
    /// # Errors
    /// [`PayloadError`]; after any but [`PayloadError::Full`] only a restart is safe.
    pub fn put_all(&self, payloads: &[([u8; 32], Bytes)]) -> Result<(), PayloadError> {
        let mut tail = self.tail();
        let mut fresh = Vec::with_capacity(payloads.len());
        for (digest, payload) in payloads {
            if self.find(&tail, digest)?.is_none() {
                fresh.push((digest, payload));
            }
        }
        self.append(&mut tail, fresh)
    }

    /// Writes payloads behind the others, each digest once.
    fn append<'a>(
        &self,
        tail: &mut Tail,
        payloads: impl IntoIterator<Item = (&'a [u8; 32], &'a Bytes)>,
    ) -> Result<(), PayloadError> {
        let (segment, sealed) = (tail.segment, self.seals);
        let (mut records, mut fresh) = (Vec::new(), BTreeMap::new());
        for (digest, payload) in payloads {
            if fresh.contains_key(digest) {
                continue;
            }
            debug_assert!(payload.len() <= PAYLOAD_BYTES_MAX, "bounded before");
            let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            let position = tail.len + records.len() as u64;
            let place = Place { segment, position, len, sealed };
            let record = place.record(digest, payload, self.key.as_ref());
            records.extend_from_slice(&record.ok_or(PayloadError::WrongKey)?);
            fresh.insert(*digest, place);
        }
        if records.is_empty() {
            return Ok(());
        }
        let written = self.files.write_at(segment, tail.len, &records);
        written.map_err(failed("write", segment))?;
        self.files.sync(segment).map_err(failed("flush", segment))?;
        tail.len += records.len() as u64;
        self.bytes.fetch_add(records.len() as u64, Ordering::Relaxed);
        tail.records.append(&mut fresh);
        if tail.len >= SEGMENT_BYTES {
            seal(&*self.index, tail)?;
            *tail = Tail::empty(segment + 1);
        }
        Ok(())
    }

    /// The payload with this digest, if it is here.
    ///
    /// # Errors
    /// [`PayloadError::Damaged`] if it is here but not what was kept; others if the disk fails.
    pub fn get(&self, digest: &[u8; 32]) -> Result<Option<Bytes>, PayloadError> {
        let mut before = None;
        loop {
            let place = self.find(&self.tail(), digest)?;
            let Some(place) = place else { return Ok(None) };
            match place.read(&*self.files, digest, self.key.as_ref()) {
                Ok(Some(payload)) => return Ok(Some(payload)),
                // It may have been moved between the two.
                _ if before != Some(place) => before = Some(place),
                Ok(None) => return Err(PayloadError::Damaged(*digest)),
                // The file was cut, or is gone.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(PayloadError::Damaged(*digest));
                }
                Err(error) => return Err(failed("read", place.segment)(error)),
            }
        }
    }

    /// Whether the payload with this digest is here.
    #[must_use]
    pub fn contains(&self, digest: &[u8; 32]) -> bool {
        matches!(self.find(&self.tail(), digest), Ok(Some(_)))
    }

    /// Length of all that is kept here on disk, bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Destroys payloads: overwrites their bytes and forgets where they were; with one flush for each
    /// segment. How many were here.
    ///
    /// # Errors
    /// [`PayloadError`] if the disk fails.
    pub fn erase(&self, digests: &BTreeSet<[u8; 32]>) -> Result<usize, PayloadError> {
        let mut tail = self.tail();
        let (mut found, mut segments) = (Vec::new(), BTreeSet::new());
        let mut count = 0;
        for digest in digests {
            let places = self.places(&tail, digest)?;
            count += usize::from(!places.is_empty());
            for place in places {
                let written = self.files.write_at(place.segment, place.position, &place.erased());
                written.map_err(failed("erase in", place.segment))?;
                segments.insert(place.segment);
                found.push((*digest, place));
            }
        }
        for segment in segments {
            self.files.sync(segment).map_err(failed("flush", segment))?;
        }
        self.drop_places(&mut tail, &found)?;
        Ok(count)
    }

    /// Forgets where a damaged payload was, so that it can be kept anew.
    ///
    /// # Errors
    /// [`PayloadError`] if the index cannot be written.
    pub fn forget(&self, digest: &[u8; 32]) -> Result<(), PayloadError> {
        let mut tail = self.tail();
        // Only the one that was read: there is another if a crash came while it was moved.
        match self.find(&tail, digest)? {
            Some(place) => self.drop_places(&mut tail, &[(*digest, place)]),
            None => Ok(()),
        }
    }

    /// Takes places out of the index, and counts the bytes there as dead.
    fn drop_places(&self, tail: &mut Tail, gone: &[([u8; 32], Place)]) -> Result<(), PayloadError> {
        let (mut batch, mut dead) = (Batch::default(), BTreeMap::<u32, u64>::new());
        for (digest, place) in gone {
            if place.segment == tail.segment {
                tail.records.remove(digest);
                tail.dead += place.bytes();
            } else {
                batch.remove(Space::Payloads, place_key(digest));
                *dead.entry(place.segment).or_default() += place.bytes();
            }
        }
        for (segment, more) in dead {
            let so_far = self.dead_in(segment)?;
            let all = so_far.saturating_add(more);
            batch.put(Space::Payloads, dead_key(segment), all.to_be_bytes());
        }
        if !batch.writes.is_empty() {
            self.index.commit(batch)?;
        }
        Ok(())
    }

    /// Bytes in a full segment that nobody needs any more.
    fn dead_in(&self, segment: u32) -> Result<u64, StoreError> {
        let row = self.index.get(Space::Payloads, &dead_key(segment))?;
        Ok(row.and_then(|row| row.try_into().ok()).map_or(0, u64::from_be_bytes))
    }

    /// Digests of the payloads here, at most `limit` after a digest, ascending.
    ///
    /// # Errors
    /// [`StoreError`] if the index cannot be read.
    pub fn digests(
        &self,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Result<Vec<[u8; 32]>, StoreError> {
        let from = after.map_or_else(
            || b"d/".to_vec(),
            |after| {
                let mut key = place_key(after);
                key.push(0);
                key
            },
        );
        let rows =
            self.index.scan(Space::Payloads, &from, Some(b"d0"), Direction::Forward, limit)?;
        let indexed = rows.iter().filter_map(|(key, _)| key[2..].try_into().ok());
        let tail = self.tail();
        let own = tail.records.keys().filter(|digest| after.is_none_or(|after| *digest > after));
        let mut all: Vec<[u8; 32]> = indexed.chain(own.take(limit).copied()).collect();
        all.sort_unstable();
        all.dedup();
        all.truncate(limit);
        Ok(all)
    }

    fn find(&self, tail: &Tail, digest: &[u8; 32]) -> Result<Option<Place>, PayloadError> {
        match tail.records.get(digest) {
            Some(place) => Ok(Some(*place)),
            None => self.indexed(digest),
        }
    }

    /// All places of a payload: two if a crash came while it was moved.
    fn places(&self, tail: &Tail, digest: &[u8; 32]) -> Result<Vec<Place>, PayloadError> {
        Ok(tail.records.get(digest).copied().into_iter().chain(self.indexed(digest)?).collect())
    }

    fn indexed(&self, digest: &[u8; 32]) -> Result<Option<Place>, PayloadError> {
        let key = place_key(digest);
        match self.index.get(Space::Payloads, &key)? {
            Some(bytes) => {
                Ok(Some(Place::decode(&bytes).ok_or_else(|| StoreError::corrupt(&key))?))
            }
            None => Ok(None),
        }
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Row by which the key is known again that payloads are encrypted with.
const CHECK: &[u8] = b"k/";

fn place_key(digest: &[u8; 32]) -> Vec<u8> {
    [b"d/".as_slice(), digest].concat()
}

/// Row of a full segment: its length.
fn seal_key(segment: u32) -> Vec<u8> {
    [SEALS, &segment.to_be_bytes()].concat()
}

/// What the rows of full segments begin with.
const SEALS: &[u8] = b"s/";

/// Row of how many bytes of a full segment nobody needs any more.
fn dead_key(segment: u32) -> Vec<u8> {
    [b"g/".as_slice(), &segment.to_be_bytes()].concat()
}

/// Writes into the index where the records of a full segment are.
fn seal(index: &dyn Store, tail: &Tail) -> Result<(), PayloadError> {
    let mut batch = Batch::default();
    for (digest, place) in &tail.records {
        batch.put(Space::Payloads, place_key(digest), place.encode());
    }
    batch.put(Space::Payloads, seal_key(tail.segment), tail.len.to_be_bytes());
    if tail.dead > 0 {
        batch.put(Space::Payloads, dead_key(tail.segment), tail.dead.to_be_bytes());
    }
    Ok(index.commit(batch)?)
}

/// A segment that the index does not know.
struct Unindexed {
    tail: Tail,
    /// Length of its file.
    end: u64,
    /// Whether it has what another key encrypted.
    is_foreign: bool,
}

impl Unindexed {
    /// Of the last, cuts off what is not whole: it is where the next payload goes. What does not read
    /// in others is damage.
    fn cut_off(&self, files: &dyn SegmentFiles, is_last: bool) -> Result<(), PayloadError> {
        let (Tail { segment, len, .. }, end) = (&self.tail, self.end);
        let (segment, len) = (*segment, *len);
        if len < end && !is_last {
            tracing::warn!(segment, lost_bytes = end - len, "payloads at its end are damaged");
        } else if len < end {
            tracing::warn!(segment, cut_bytes = end - len, "cut an unfinished payload off");
            files.truncate(segment, len).map_err(failed("truncate", segment))?;
        }
        Ok(())
    }
}

/// Reads a segment that the index does not know.
fn read_segment(
    files: &dyn SegmentFiles,
    segment: u32,
    key: Option<&AtRest>,
) -> Result<Unindexed, PayloadError> {
    let end = files.len(segment).map_err(failed("measure", segment))?;
    let (mut tail, mut is_foreign) = (Tail::empty(segment), false);
    let mut position = 0;
    let read = |position| read_record(files, segment, position, end, key);
    while let Some(record) = read(position).map_err(failed("read", segment))? {
        position = record.place.end();
        match record.content {
            Content::Whole(_) => _ = tail.records.insert(record.digest, record.place),
            Content::Erased => tail.dead += record.place.bytes(),
            // If a good one follows, the disk damaged it; if none does, it was never finished.
            Content::Damaged => continue,
            Content::Foreign => {
                is_foreign = true;
                continue;
            }
        }
        tail.len = position;
    }
    Ok(Unindexed { tail, end, is_foreign })
}

fn failed(attempt: &'static str, segment: u32) -> impl FnOnce(io::Error) -> PayloadError {
    move |source| match source.kind() {
        io::ErrorKind::StorageFull => PayloadError::Full,
        _ => PayloadError::Io { attempt, segment, source },
    }
}

fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
