use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use althing_state::{Batch, Direction, Space, Store, StoreError};
use althing_types::{blake3_digest, limits::PAYLOAD_BYTES_MAX};
use bytes::Bytes;

use crate::segment::SegmentFiles;

/// Length at which a segment is full, bytes.
const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// What comes before each payload: its length and its digest.
const RECORD_HEAD_BYTES: usize = 4 + 32;
/// Set in a record's length where the payload has been erased.
const ERASED: u32 = 1 << 31;

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
}

impl From<StoreError> for PayloadError {
    fn from(error: StoreError) -> Self {
        Self::Index(error)
    }
}

/// Payloads of batches, addressed by their BLAKE3 digest, in append-only segments.
///
/// A record is `length (4 bytes, big-endian), digest (32), payload`; the digest is its checksum.
/// Where the records of full segments are is in the index; those of the last segment are read from
/// it at start, so that keeping a payload takes one flush and not two. What a loss of power leaves
/// of an unfinished record is cut off at start.
#[derive(Debug)]
pub struct Payloads {
    files: Arc<dyn SegmentFiles>,
    index: Arc<dyn Store>,
    tail: Mutex<Tail>,
}

/// The last segment.
#[derive(Debug)]
struct Tail {
    segment: u32,
    len: u64,
    records: BTreeMap<[u8; 32], Place>,
}

impl Tail {
    /// A segment without records.
    const fn empty(segment: u32) -> Self {
        Self { segment, len: 0, records: BTreeMap::new() }
    }
}

/// Where a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    segment: u32,
    /// Of the record.
    position: u64,
    /// Of the payload.
    len: u32,
}

impl Place {
    /// Where the record ends.
    const fn end(self) -> u64 {
        self.position + RECORD_HEAD_BYTES as u64 + self.len as u64
    }

    fn encode(self) -> Vec<u8> {
        let mut bytes = self.segment.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.position.to_be_bytes());
        bytes.extend_from_slice(&self.len.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (segment, rest) = bytes.split_first_chunk()?;
        let (position, rest) = rest.split_first_chunk()?;
        Some(Self {
            segment: u32::from_be_bytes(*segment),
            position: u64::from_be_bytes(*position),
            len: u32::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

impl Payloads {
    /// Opens the payloads in `files`, with `index` for where they are.
    ///
    /// # Errors
    /// [`PayloadError`] if the disk fails.
    pub fn open(files: Arc<dyn SegmentFiles>, index: Arc<dyn Store>) -> Result<Self, PayloadError> {
        let segments = files.list().map_err(failed("list", 0))?;
        let last = segments.last().copied();
        let mut tail = Tail::empty(0);
        // The index knows none of them if somebody moved it away, or not the last two after a crash
        // between filling a segment and indexing it.
        for segment in segments {
            let is_last = last == Some(segment);
            let indexed = index.get(Space::Payloads, &seal_key(segment))?.is_some();
            if !indexed {
                tail = read_segment(&*files, segment, is_last)?;
            }
            // One that others follow is full, though damage may hide where it ends.
            if indexed || tail.len >= SEGMENT_BYTES || !is_last {
                if !indexed {
                    seal(&*index, &tail)?;
                }
                tail = Tail::empty(segment + 1);
            }
        }
        Ok(Self { files, index, tail: Mutex::new(tail) })
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
        let mut records = Vec::new();
        let mut fresh = BTreeMap::new();
        for (digest, payload) in payloads {
            if fresh.contains_key(digest) || self.find(&tail, digest)?.is_some() {
                continue;
            }
            let len = u32::try_from(payload.len()).unwrap_or(ERASED);
            debug_assert!(len < ERASED && payload.len() <= PAYLOAD_BYTES_MAX, "bounded before");
            let position = tail.len + records.len() as u64;
            fresh.insert(*digest, Place { segment: tail.segment, position, len });
            records.extend_from_slice(&len.to_be_bytes());
            records.extend_from_slice(digest);
            records.extend_from_slice(payload);
        }
        if records.is_empty() {
            return Ok(());
        }
        let segment = tail.segment;
        let written = self.files.write_at(segment, tail.len, &records);
        written.map_err(failed("write", segment))?;
        self.files.sync(segment).map_err(failed("flush", segment))?;
        tail.len += records.len() as u64;
        tail.records.append(&mut fresh);
        if tail.len >= SEGMENT_BYTES {
            seal(&*self.index, &tail)?;
            *tail = Tail::empty(segment + 1);
        }
        Ok(())
    }

    /// The payload with this digest, if it is here.
    ///
    /// # Errors
    /// [`PayloadError::Damaged`] if it is here but not what was kept; others if the disk fails.
    pub fn get(&self, digest: &[u8; 32]) -> Result<Option<Bytes>, PayloadError> {
        let place = self.find(&self.tail(), digest)?;
        let Some(Place { segment, position, len }) = place else { return Ok(None) };
        let start = position + RECORD_HEAD_BYTES as u64;
        match self.files.read_at(segment, start, len as usize) {
            Ok(payload) if blake3_digest(&payload) == *digest => Ok(Some(payload.into())),
            Ok(_) => Err(PayloadError::Damaged(*digest)),
            // The file was cut, or is gone.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(PayloadError::Damaged(*digest))
            }
            Err(error) => Err(failed("read", segment)(error)),
        }
    }

    /// Whether the payload with this digest is here.
    #[must_use]
    pub fn contains(&self, digest: &[u8; 32]) -> bool {
        matches!(self.find(&self.tail(), digest), Ok(Some(_)))
    }

    /// Destroys payloads: overwrites their bytes and forgets where they were; with one flush for each
    /// segment. How many were here.
    ///
    /// # Errors
    /// [`PayloadError`] if the disk fails.
    pub fn erase(&self, digests: &BTreeSet<[u8; 32]>) -> Result<usize, PayloadError> {
        let mut tail = self.tail();
        let (mut found, mut segments) = (Vec::new(), BTreeSet::new());
        for digest in digests {
            let Some(place) = self.find(&tail, digest)? else { continue };
            let mut record = (place.len | ERASED).to_be_bytes().to_vec();
            record.resize(RECORD_HEAD_BYTES + place.len as usize, 0);
            let written = self.files.write_at(place.segment, place.position, &record);
            written.map_err(failed("erase in", place.segment))?;
            segments.insert(place.segment);
            found.push(*digest);
        }
        for segment in segments {
            self.files.sync(segment).map_err(failed("flush", segment))?;
        }
        let mut batch = Batch::default();
        for digest in &found {
            if tail.records.remove(digest).is_none() {
                batch.remove(Space::Payloads, place_key(digest));
            }
        }
        if !batch.writes.is_empty() {
            self.index.commit(batch)?;
        }
        Ok(found.len())
    }

    /// Forgets where a damaged payload was, so that it can be kept anew.
    ///
    /// # Errors
    /// [`PayloadError`] if the index cannot be written.
    pub fn forget(&self, digest: &[u8; 32]) -> Result<(), PayloadError> {
        if self.tail().records.remove(digest).is_none() {
            let mut batch = Batch::default();
            batch.remove(Space::Payloads, place_key(digest));
            self.index.commit(batch)?;
        }
        Ok(())
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
        all.truncate(limit);
        Ok(all)
    }

    fn find(&self, tail: &Tail, digest: &[u8; 32]) -> Result<Option<Place>, PayloadError> {
        if let Some(place) = tail.records.get(digest) {
            return Ok(Some(*place));
        }
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

fn place_key(digest: &[u8; 32]) -> Vec<u8> {
    [b"d/".as_slice(), digest].concat()
}

fn seal_key(segment: u32) -> Vec<u8> {
    [b"s/".as_slice(), &segment.to_be_bytes()].concat()
}

/// Writes into the index where the records of a full segment are.
fn seal(index: &dyn Store, tail: &Tail) -> Result<(), PayloadError> {
    let mut batch = Batch::default();
    for (digest, place) in &tail.records {
        batch.put(Space::Payloads, place_key(digest), place.encode());
    }
    batch.put(Space::Payloads, seal_key(tail.segment), tail.len.to_be_bytes());
    Ok(index.commit(batch)?)
}

/// Reads a segment that the index does not know. Of the last, cuts off what is not whole: it is
/// where the next payload goes. What does not read in others is damage.
fn read_segment(
    files: &dyn SegmentFiles,
    segment: u32,
    is_last: bool,
) -> Result<Tail, PayloadError> {
    let end = files.len(segment).map_err(failed("measure", segment))?;
    let mut tail = Tail::empty(segment);
    let mut position = 0;
    while let Some(record) = read_record(files, segment, position, end)? {
        position = record.place.end();
        match record.content {
            Content::Whole => _ = tail.records.insert(record.digest, record.place),
            Content::Erased => {}
            // If a good one follows, the disk damaged it; if none does, it was never finished.
            Content::Damaged => continue,
        }
        tail.len = position;
    }
    if tail.len < end && !is_last {
        tracing::warn!(segment, lost_bytes = end - tail.len, "payloads at its end are damaged");
    } else if tail.len < end {
        tracing::warn!(segment, cut_bytes = end - tail.len, "cut an unfinished payload off");
        files.truncate(segment, tail.len).map_err(failed("truncate", segment))?;
    }
    Ok(tail)
}

/// A record as it lies in a segment.
struct Record {
    digest: [u8; 32],
    place: Place,
    content: Content,
}

enum Content {
    Whole,
    Erased,
    /// The payload is not the one that the digest names.
    Damaged,
}

/// The record at a position; `None` if there is none that ends within the segment.
fn read_record(
    files: &dyn SegmentFiles,
    segment: u32,
    position: u64,
    end: u64,
) -> Result<Option<Record>, PayloadError> {
    let start = position + RECORD_HEAD_BYTES as u64;
    if start > end {
        return Ok(None);
    }
    let head =
        files.read_at(segment, position, RECORD_HEAD_BYTES).map_err(failed("read", segment))?;
    let Some((len, digest)) = head.split_first_chunk::<4>() else { return Ok(None) };
    let (word, digest) = (u32::from_be_bytes(*len), digest.try_into().unwrap_or([0; 32]));
    let (len, erased) = (word & !ERASED, word & ERASED != 0);
    if len as usize > PAYLOAD_BYTES_MAX || start + u64::from(len) > end {
        return Ok(None);
    }
    let place = Place { segment, position, len };
    if erased {
        return Ok(Some(Record { digest, place, content: Content::Erased }));
    }
    let payload = files.read_at(segment, start, len as usize).map_err(failed("read", segment))?;
    let is_whole = blake3_digest(&payload) == digest;
    let content = if is_whole { Content::Whole } else { Content::Damaged };
    Ok(Some(Record { digest, place, content }))
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
mod tests {
    use super::*;
    use crate::segment::MemoryFiles;
    use althing_state::MemoryStore;

    fn payload(number: u32) -> ([u8; 32], Bytes) {
        let bytes = Bytes::from(number.to_be_bytes().repeat(1 + number as usize % 50));
        (blake3_digest(&bytes), bytes)
    }

    fn open(files: &Arc<MemoryFiles>, index: &Arc<MemoryStore>) -> Payloads {
        let files: Arc<dyn SegmentFiles> = Arc::clone(files) as _;
        Payloads::open(files, Arc::clone(index) as _).unwrap()
    }

    #[test]
    fn what_was_kept_survives_a_loss_of_power_and_what_was_not_is_cut_off() {
        for seed in 0..400_u64 {
            let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
            let store = open(&files, &index);
            let kept: Vec<_> = (0..20).map(payload).collect();
            for pair in kept.chunks(3) {
                store.put_all(pair).unwrap();
            }
            // Written but not flushed: an unfinished record at the end.
            let (digest, bytes) = payload(99);
            let mut record = (bytes.len() as u32).to_be_bytes().to_vec();
            record.extend_from_slice(&digest);
            record.extend_from_slice(&bytes);
            let end = files.len(0).unwrap();
            files.write_at(0, end, &record).unwrap();
            drop(store);
            files.crash(seed);
            let store = open(&files, &index);
            for (digest, bytes) in &kept {
                assert_eq!(store.get(digest).unwrap().as_ref(), Some(bytes), "seed {seed}");
            }
            // Either wholly there or not at all, and the store goes on.
            assert!(store.get(&digest).unwrap().is_none_or(|found| found == bytes));
            store.put_all(&[payload(99), payload(100)]).unwrap();
            assert_eq!(store.get(&digest).unwrap(), Some(bytes));
        }
    }

    #[test]
    fn erasing_leaves_no_byte_and_damage_is_told() {
        let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
        let store = open(&files, &index);
        let (secret, text) = (b"attack at dawn".to_vec(), Bytes::from_static(b"attack at dawn"));
        let digest = blake3_digest(&secret);
        store.put_all(&[payload(1), (digest, text), payload(2)]).unwrap();
        let erased = BTreeSet::from([digest, [0x33; 32]]);
        assert_eq!([(); 2].map(|()| store.erase(&erased).unwrap()), [1, 0]);
        let all = files.read_at(0, 0, files.len(0).unwrap() as usize).unwrap();
        assert!(!all.windows(4).any(|part| part == b"dawn"));
        let reopened = open(&files, &index);
        assert_eq!(reopened.get(&digest).unwrap(), None);
        assert_eq!(reopened.digests(None, 10).unwrap().len(), 2);
        files.damage(0, RECORD_HEAD_BYTES);
        let (damaged, bytes) = payload(1);
        assert!(matches!(reopened.get(&damaged), Err(PayloadError::Damaged(_))));
        reopened.forget(&damaged).unwrap();
        reopened.put_all(&[(damaged, bytes.clone())]).unwrap();
        assert_eq!(reopened.get(&damaged).unwrap(), Some(bytes));
    }

    #[test]
    fn damage_in_the_last_segment_costs_one_payload() {
        let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
        let store = open(&files, &index);
        store.put_all(&[payload(1), payload(2), payload(3)]).unwrap();
        let after_first = payload(1).1.len() + RECORD_HEAD_BYTES;
        files.damage(0, after_first + RECORD_HEAD_BYTES);
        let end = files.len(0).unwrap();
        let store = open(&files, &index);
        assert_eq!(files.len(0).unwrap(), end, "nothing is cut off");
        let held = |number| store.contains(&payload(number).0);
        assert!(held(1) && !held(2) && held(3));
        store.put_all(&[payload(2)]).unwrap();
        let store = open(&files, &index);
        assert_eq!(store.digests(None, 10).unwrap().len(), 3);
        // A file that somebody cut: what is gone is told, and can be kept anew.
        files.truncate(0, end).unwrap();
        assert!(matches!(store.get(&payload(2).0), Err(PayloadError::Damaged(_))));
        store.forget(&payload(2).0).unwrap();
        assert!(!store.contains(&payload(2).0));
    }

    #[test]
    fn a_full_disk_keeps_what_was_there() {
        let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
        let store = open(&files, &index);
        store.put_all(&[payload(1)]).unwrap();
        files.set_failing(true);
        assert!(matches!(store.put_all(&[payload(2)]), Err(PayloadError::Full)));
        files.set_failing(false);
        store.put_all(&[payload(2)]).unwrap();
        assert!(store.contains(&payload(1).0) && store.contains(&payload(2).0));
    }

    /// The index is away, as recovery asks for, and the disk damaged the end of a full segment, so
    /// that it looks unfinished: all that it held was forgotten.
    #[test]
    fn a_damaged_end_of_a_full_segment_costs_what_is_damaged() {
        let big = |number: u32| {
            let bytes = Bytes::from(number.to_be_bytes().repeat(PAYLOAD_BYTES_MAX / 4));
            (blake3_digest(&bytes), bytes)
        };
        let record = (RECORD_HEAD_BYTES + PAYLOAD_BYTES_MAX) as u64;
        let per_segment = SEGMENT_BYTES.div_ceil(record) as u32;
        let all: Vec<_> = (0..per_segment + 2).map(big).collect();
        let (first, second) = all.split_at(per_segment as usize);
        let last = record * u64::from(per_segment - 1);
        for damaged in [0, RECORD_HEAD_BYTES as u64] {
            let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
            let store = open(&files, &index);
            store.put_all(first).unwrap();
            store.put_all(second).unwrap();
            drop(store);
            files.damage(0, (last + damaged) as usize);
            let store = open(&files, &Arc::new(MemoryStore::new()));
            let (lost, kept) = first.split_last().unwrap();
            assert!(!store.contains(&lost.0), "damaged at {damaged}");
            store.put_all(&[payload(1)]).unwrap();
            assert_eq!(files.len(0).unwrap(), record * u64::from(per_segment), "not touched");
            for (digest, bytes) in kept.iter().chain(second) {
                assert_eq!(store.get(digest).unwrap().as_ref(), Some(bytes));
            }
            store.put_all(std::slice::from_ref(lost)).unwrap();
            assert_eq!(store.get(&lost.0).unwrap().as_ref(), Some(&lost.1));
        }
    }

    #[test]
    fn full_segments_are_found_by_the_index() {
        let (files, index) = (Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new()));
        let store = open(&files, &index);
        let big = |number: u8| {
            let bytes = Bytes::from(vec![number; PAYLOAD_BYTES_MAX]);
            (blake3_digest(&bytes), bytes)
        };
        let first: Vec<_> = (0..=255).map(big).collect();
        store.put_all(&first).unwrap();
        let more: Vec<_> = (0..900_u32)
            .map(|number| {
                let bytes = Bytes::from(number.to_be_bytes().repeat(PAYLOAD_BYTES_MAX / 4));
                (blake3_digest(&bytes), bytes)
            })
            .collect();
        for part in more.chunks(200) {
            store.put_all(part).unwrap();
        }
        drop(store);
        let store = open(&files, &index);
        assert!(files.list().unwrap().len() > 1);
        for (digest, bytes) in first.iter().chain(&more) {
            assert_eq!(store.get(digest).unwrap().as_ref(), Some(bytes));
        }
    }
}
