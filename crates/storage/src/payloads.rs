use std::{
    collections::BTreeMap,
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
        let mut tail = Tail { segment: 0, len: 0, records: BTreeMap::new() };
        // A crash between filling a segment and indexing it leaves two to be read.
        for segment in segments {
            let indexed = index.get(Space::Payloads, &seal_key(segment))?.is_some();
            if !indexed {
                tail = read_segment(&*files, segment)?;
                if tail.len >= SEGMENT_BYTES {
                    seal(&*index, &tail)?;
                    tail = Tail { segment: segment + 1, len: 0, records: BTreeMap::new() };
                }
            } else if segment >= tail.segment {
                tail = Tail { segment: segment + 1, len: 0, records: BTreeMap::new() };
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
            *tail = Tail { segment: segment + 1, len: 0, records: BTreeMap::new() };
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
        let payload = self.files.read_at(segment, start, len as usize);
        let payload = payload.map_err(failed("read", segment))?;
        if blake3_digest(&payload) != *digest {
            return Err(PayloadError::Damaged(*digest));
        }
        Ok(Some(payload.into()))
    }

    /// Whether the payload with this digest is here.
    #[must_use]
    pub fn contains(&self, digest: &[u8; 32]) -> bool {
        matches!(self.find(&self.tail(), digest), Ok(Some(_)))
    }

    /// Destroys a payload: overwrites its bytes and forgets where they were. Whether it was here.
    ///
    /// # Errors
    /// [`PayloadError`] if the disk fails.
    pub fn erase(&self, digest: &[u8; 32]) -> Result<bool, PayloadError> {
        let mut tail = self.tail();
        let Some(place) = self.find(&tail, digest)? else { return Ok(false) };
        let mut record = (place.len | ERASED).to_be_bytes().to_vec();
        record.resize(RECORD_HEAD_BYTES + place.len as usize, 0);
        let segment = place.segment;
        let written = self.files.write_at(segment, place.position, &record);
        written.map_err(failed("erase in", segment))?;
        self.files.sync(segment).map_err(failed("flush", segment))?;
        if tail.records.remove(digest).is_none() {
            let mut batch = Batch::default();
            batch.remove(Space::Payloads, place_key(digest));
            self.index.commit(batch)?;
        }
        Ok(true)
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
    /// [`PayloadError`] if the index cannot be read.
    pub fn digests(
        &self,
        after: Option<&[u8; 32]>,
        limit: usize,
    ) -> Result<Vec<[u8; 32]>, PayloadError> {
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

/// Reads a segment that the index does not know, and cuts off what is not whole.
fn read_segment(files: &dyn SegmentFiles, segment: u32) -> Result<Tail, PayloadError> {
    let end = files.len(segment).map_err(failed("measure", segment))?;
    let mut tail = Tail { segment, len: 0, records: BTreeMap::new() };
    while let Some((digest, place, erased)) = read_record(files, segment, tail.len, end)? {
        tail.len += RECORD_HEAD_BYTES as u64 + u64::from(place.len);
        if !erased {
            tail.records.insert(digest, place);
        }
    }
    if tail.len < end {
        tracing::info!(segment, cut_bytes = end - tail.len, "cut an unfinished payload off");
        files.truncate(segment, tail.len).map_err(failed("truncate", segment))?;
    }
    Ok(tail)
}

type Record = ([u8; 32], Place, bool);

/// The record at a position; `None` if there is no whole one.
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
    if !erased {
        let payload =
            files.read_at(segment, start, len as usize).map_err(failed("read", segment))?;
        if blake3_digest(&payload) != digest {
            return Ok(None);
        }
    }
    Ok(Some((digest, place, erased)))
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
        assert!(store.erase(&digest).unwrap() && !store.erase(&digest).unwrap());
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
