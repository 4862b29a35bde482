use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::{HEADER_BYTES, Identity, SegmentError, Segments, frame, header, scan};
use crate::at_rest::DiskKey;
use crate::machine::{Machine, PersistId};
use crate::record::Record;

/// What the queue asks of a disk: segments, named by numbers.
pub trait Disk {
    /// Why the disk did not do what was asked.
    type Error;

    /// Numbers of the segments there are, ascending.
    ///
    /// # Errors
    /// If the disk fails.
    fn numbers(&self) -> Result<Vec<u64>, Self::Error>;

    /// All bytes of a segment.
    ///
    /// # Errors
    /// If the disk fails.
    fn read(&self, number: u64) -> Result<Vec<u8>, Self::Error>;

    /// Begins a segment, to be appended to from now on. Durable when it returns; a crash before that
    /// may leave a part of it.
    ///
    /// # Errors
    /// If the disk fails or is full.
    fn begin(&mut self, number: u64, bytes: &[u8]) -> Result<(), Self::Error>;

    /// The same, but a crash leaves all of it or nothing.
    ///
    /// # Errors
    /// If the disk fails or is full.
    fn begin_whole(&mut self, number: u64, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Appends to the segment begun last. Durable when it returns; after an error the queue is opened
    /// anew, and the less of `bytes` is there then, the better.
    ///
    /// # Errors
    /// If the disk fails or is full.
    fn append(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Deletes a segment.
    ///
    /// # Errors
    /// If the disk fails.
    fn remove(&mut self, number: u64) -> Result<(), Self::Error>;
}

/// Why a queue does not open.
#[derive(Debug)]
pub enum OpenError<E> {
    /// The disk failed.
    Disk(E),
    /// A segment is none of this queue.
    Segment {
        /// Its number.
        number: u64,
        /// Why.
        source: SegmentError,
    },
    /// Segments that were there are not.
    Gone,
}

/// What an earlier run left in the queue.
#[derive(Debug)]
pub struct Recovered {
    /// Its records, in order.
    pub records: Vec<Record>,
    /// Bytes that were acknowledged once and cannot be read any more, with their segments.
    pub damage: Vec<(u64, Range<usize>)>,
}

/// A queue on a disk, open for appending.
#[derive(Debug)]
pub struct Queue<D> {
    disk: D,
    segment_bytes: u64,
    identity: Identity,
    key: DiskKey,
    number: u64,
    /// Lengths of all segments, bytes.
    lens: BTreeMap<u64, u64>,
    segments: Segments,
    /// Segments that can go, oldest first; deleting them has perhaps failed before.
    finished: VecDeque<u64>,
}

impl<D: Disk> Queue<D> {
    /// Opens the queue and reads what is in it. Begins a new segment, so that nothing is ever
    /// appended to one that a crash may have torn; another is begun whenever one reaches
    /// `segment_bytes`.
    ///
    /// `known` is the number of a segment that must be there, 0 for the first opening: an empty disk
    /// in place of the queue would otherwise pass for an empty queue.
    ///
    /// What is there may be encrypted with `key`, and what is written is if that says so.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        mut disk: D,
        segment_bytes: u64,
        identity: Identity,
        known: u64,
        key: DiskKey,
    ) -> Result<(Self, Recovered), OpenError<D::Error>> {
        let numbers = disk.numbers().map_err(OpenError::Disk)?;
        let last = numbers.last().copied().unwrap_or_default();
        if last < known {
            return Err(OpenError::Gone);
        }
        let mut recovered = Recovered { records: Vec::new(), damage: Vec::new() };
        let (mut segments, mut lens) = (Segments::default(), BTreeMap::new());
        for number in numbers {
            let bytes = disk.read(number).map_err(OpenError::Disk)?;
            let scan = match scan(number, &identity, key.reads(), &bytes) {
                // A crash between creating a segment and writing its header: nothing was in it.
                Err(SegmentError::Header) if bytes.len() < HEADER_BYTES => {
                    disk.remove(number).map_err(OpenError::Disk)?;
                    continue;
                }
                scan => scan.map_err(|source| OpenError::Segment { number, source })?,
            };
            lens.insert(number, bytes.len() as u64);
            segments.open(number);
            scan.records.iter().for_each(|record| segments.wrote(record));
            recovered.records.extend(scan.records);
            recovered.damage.extend(scan.damage.into_iter().map(|range| (number, range)));
        }
        let finished = VecDeque::new();
        let mut queue =
            Self { disk, segment_bytes, identity, key, number: last, lens, segments, finished };
        queue.rotate().map_err(OpenError::Disk)?;
        queue.delete_finished();
        Ok((queue, recovered))
    }

    /// Number of the newest segment.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Bytes of all segments.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lens.values().sum()
    }

    /// Does a job; durable when it returns. After an error the queue must be opened anew.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn work(&mut self, job: Job) -> Result<Done, D::Error> {
        let through = match job {
            Job::Append(batch) => {
                let through = batch.last().map(|(id, _)| *id).unwrap_or_default();
                let records: Vec<Record> = batch.into_iter().map(|(_, record)| record).collect();
                self.append(&records)?;
                through
            }
            Job::Replace(snapshot, through) => {
                self.replace(&snapshot)?;
                through
            }
        };
        let undeleted = self.finished.len();
        Ok(Done { through, bytes: self.bytes(), number: self.number, undeleted })
    }

    /// Appends records; durable when it returns. After an error the queue must be opened anew.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn append(&mut self, records: &[Record]) -> Result<(), D::Error> {
        if self.len() >= self.segment_bytes {
            self.rotate()?;
        }
        let bytes = self.framed(self.len(), records);
        self.disk.append(&bytes)?;
        *self.lens.entry(self.number).or_default() += bytes.len() as u64;
        self.delete_finished();
        Ok(())
    }

    /// Replaces all there is by a snapshot, which begins with [`Record::Reset`]: after a crash there
    /// is either the old or the new.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn replace(&mut self, snapshot: &[Record]) -> Result<(), D::Error> {
        self.number += 1;
        self.segments.open(self.number);
        let bytes = self.segment(snapshot);
        self.disk.begin_whole(self.number, &bytes)?;
        self.lens.insert(self.number, bytes.len() as u64);
        self.delete_finished();
        Ok(())
    }

    /// Begins a new segment with where each stream stands, so that older ones can go.
    fn rotate(&mut self) -> Result<(), D::Error> {
        let heads = self.segments.checkpoint();
        self.number += 1;
        self.segments.open(self.number);
        let bytes = self.segment(&heads);
        self.disk.begin(self.number, &bytes)?;
        self.lens.insert(self.number, bytes.len() as u64);
        Ok(())
    }

    /// A whole new segment.
    fn segment(&mut self, records: &[Record]) -> Vec<u8> {
        let mut bytes = header(self.number, &self.identity, self.key.writes().is_some());
        let frames = self.framed(bytes.len() as u64, records);
        bytes.extend(frames);
        bytes
    }

    /// The frames of records that will stand at `offset` of the newest segment.
    fn framed(&mut self, offset: u64, records: &[Record]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for record in records {
            frame(self.number, offset, record, self.key.writes(), &mut bytes);
            self.segments.wrote(record);
        }
        bytes
    }

    /// Length of the newest segment.
    fn len(&self) -> u64 {
        self.lens.get(&self.number).copied().unwrap_or_default()
    }

    /// Deletes the segments that can go, oldest first, since replay needs those that are there in
    /// order. If that fails, what was written is durable all the same, and must be said to be: the
    /// publishers would send it again otherwise. It is tried again with the next job.
    fn delete_finished(&mut self) {
        self.finished.extend(self.segments.take_finished());
        while let Some(number) = self.finished.front().copied() {
            if self.disk.remove(number).is_err() {
                return;
            }
            self.lens.remove(&number);
            self.finished.pop_front();
        }
    }
}

/// What is to be made durable at once.
#[derive(Debug)]
pub enum Job {
    /// Append these.
    Append(Vec<(PersistId, Record)>),
    /// Replace everything by this snapshot, which covers all records up to the one with this id.
    Replace(Vec<Record>, PersistId),
}

/// A job done.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// The last record that is durable.
    pub through: PersistId,
    /// Bytes on disk.
    pub bytes: u64,
    /// Number of the newest segment.
    pub number: u64,
    /// Segments that can go and could not be deleted yet.
    pub undeleted: usize,
}

/// Records of what is final or known elsewhere wait for company up to this many: nobody waits for them.
const RETIRED_MAX: usize = 256;

/// The disk is written anew when it holds more than so many segments, and so many times the bytes
/// of the readings that are not final. A record takes about three times what the limit counts for
/// its reading; the rest is of readings that are final, in segments with one that is not.
const REPLACE_ABOVE_SEGMENTS: u64 = 8;
const REPLACE_ABOVE_TIMES: u64 = 8;

/// Records that wait to be written, and when and how they are.
#[derive(Debug)]
pub struct Backlog {
    waiting: Vec<(PersistId, Record)>,
    /// Below so many bytes the disk is never written anew.
    bytes_min: u64,
}

impl Backlog {
    /// For a queue whose segments are so long.
    #[must_use]
    pub const fn new(segment_bytes: u64) -> Self {
        Self {
            waiting: Vec::new(),
            bytes_min: segment_bytes.saturating_mul(REPLACE_ABOVE_SEGMENTS),
        }
    }

    /// A record that the machine handed out.
    pub fn push(&mut self, id: PersistId, record: Record) {
        self.waiting.push((id, record));
    }

    /// Whether nothing waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What to do next for a disk that has nothing to do and holds so many bytes, if somebody wants
    /// it done; `at_once` if what nobody waits for is to be written, too.
    #[must_use]
    pub fn take(&mut self, machine: &Machine, bytes: u64, at_once: bool) -> Option<Job> {
        let (last, _) = self.waiting.last()?;
        let is_wanted = |(_, record): &(PersistId, Record)| {
            !matches!(record, Record::Retired { .. } | Record::Passed { .. })
        };
        if !at_once && self.waiting.len() < RETIRED_MAX && !self.waiting.iter().any(is_wanted) {
            return None;
        }
        let queued = machine.bytes_queued() as u64;
        if bytes <= self.bytes_min || bytes <= queued.saturating_mul(REPLACE_ABOVE_TIMES) {
            return Some(Job::Append(std::mem::take(&mut self.waiting)));
        }
        // The snapshot holds what the waiting records say.
        let job = Job::Replace(machine.snapshot(), *last);
        self.waiting.clear();
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use althing_types::{EntityId, LedgerId, Reading, StreamId, Value};

    use super::*;
    use crate::record::Numbered;

    const IDENTITY: Identity = Identity { ledger: LedgerId([1; 32]), gateway: EntityId([2; 32]) };
    const STREAM: StreamId = StreamId([3; 32]);

    /// Segments in memory, on a disk that may refuse to delete.
    #[derive(Debug, Default)]
    struct Memory {
        segments: BTreeMap<u64, Vec<u8>>,
        keeps: Option<u64>,
    }

    impl Disk for Memory {
        type Error = &'static str;

        fn numbers(&self) -> Result<Vec<u64>, Self::Error> {
            Ok(self.segments.keys().copied().collect())
        }

        fn read(&self, number: u64) -> Result<Vec<u8>, Self::Error> {
            self.segments.get(&number).cloned().ok_or("no such segment")
        }

        fn begin(&mut self, number: u64, bytes: &[u8]) -> Result<(), Self::Error> {
            self.segments.insert(number, bytes.to_vec());
            Ok(())
        }

        fn begin_whole(&mut self, number: u64, bytes: &[u8]) -> Result<(), Self::Error> {
            self.begin(number, bytes)
        }

        fn append(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
            let mut newest = self.segments.last_entry().ok_or("no segment")?;
            newest.get_mut().extend_from_slice(bytes);
            Ok(())
        }

        fn remove(&mut self, number: u64) -> Result<(), Self::Error> {
            if self.keeps == Some(number) {
                return Err("not deleted");
            }
            self.segments.remove(&number);
            Ok(())
        }
    }

    fn reading(seq: u64) -> Record {
        let reading = Reading { claimed_ms: 1, received_ms: 2, value: Value::Number(1) };
        Record::Readings(vec![Numbered { stream: STREAM, seq, reading }])
    }

    /// A failure to delete what is final once counted as a failure to write what was new: devices
    /// were refused, published again, and their readings were on the ledger twice.
    #[test]
    fn what_is_durable_is_said_to_be_though_an_old_segment_cannot_be_deleted() {
        let disk = Memory { keeps: Some(2), ..Memory::default() };
        let (mut queue, _) = Queue::open(disk, 1, IDENTITY, 0, DiskKey::default()).unwrap();
        let mut append = |record: Record, id: u64, keeps| {
            queue.disk.keeps = keeps;
            let done = queue.work(Job::Append(vec![(PersistId(id), record)])).unwrap();
            assert_eq!(done.through, PersistId(id));
            assert_eq!(
                done.bytes,
                queue.disk.segments.values().map(Vec::len).sum::<usize>() as u64
            );
            (queue.disk.segments.keys().copied().collect::<Vec<_>>(), done.undeleted)
        };
        // Each record begins a segment; the first is empty and goes at once.
        assert_eq!(append(reading(0), 1, Some(2)), (vec![2], 0));
        assert_eq!(append(reading(1), 2, Some(2)), (vec![2, 3], 0));
        let retired = Record::Retired { stream: STREAM, before_seq: 2 };
        assert_eq!(append(retired, 3, Some(2)), (vec![2, 3, 4], 2), "in order, so 3 stays, too");
        assert_eq!(append(reading(2), 4, None), (vec![5], 0), "tried again");
    }
}
