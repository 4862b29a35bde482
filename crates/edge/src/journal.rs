//! The queue's form on disk: segments of framed records.
//!
//! ```text
//! segment   = header frame*
//! header    = "ALTHQUE1" or "ALTHQUE2" number:u64be ledger:32 gateway:32 check:8
//! frame     = mark:0xA7 length:u32be check:8 record
//!           | mark:0xA8 length:u32be check:8 encrypted record, in version 2 only
//! check     = first 8 bytes of BLAKE3(number:u64be offset:u64be bytes)
//! ```
//!
//! The check covers where a frame stands, so bytes left over from elsewhere are no frame. After a
//! crash the last segment may end in a torn frame: nothing valid follows it, nobody was told that
//! it was safe, and it is passed over. A bad frame with valid ones behind it is something else, damage
//! to what was acknowledged: [`scan`] reports it and reads on, and the sequence numbers that are
//! missing become a gap on the ledger rather than a silence.

mod queue;
pub use queue::{Backlog, Disk, Done, Job, OpenError, Queue, Recovered};

use std::collections::BTreeMap;
use std::ops::Range;

use althing_types::{EntityId, LedgerId, StreamId, Wire, blake3_digest};

use crate::at_rest::{AtRest, SEAL_BYTES};
use crate::mark::Marks;
use crate::record::{RECORD_BYTES_MAX, Record};

/// Whose queue it is. The queue of another gateway or ledger is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The ledger.
    pub ledger: LedgerId,
    /// The gateway.
    pub gateway: EntityId,
}

const MAGIC: &[u8; 7] = b"ALTHQUE";
/// The version of segments with records as they are, and of those with encrypted ones.
const PLAIN: u8 = b'1';
const SEALED: u8 = b'2';
const CHECK_BYTES: usize = 8;
/// Length of a segment's header, bytes.
pub const HEADER_BYTES: usize = 8 + 8 + 32 + 32 + CHECK_BYTES;
const MARK: u8 = 0xA7;
const SEALED_MARK: u8 = 0xA8;
const FRAME_HEAD_BYTES: usize = 1 + 4 + CHECK_BYTES;

/// Why bytes are no segment of this queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// The header is damaged, or was never written in full.
    #[error("its header is damaged; move it away to go on without the readings in it")]
    Header,
    /// A version that this program does not know.
    #[error("it was written by a newer version; use that version, or let it drain the queue first")]
    Version,
    /// Another gateway's or ledger's.
    #[error("it belongs to another gateway or ledger; give this gateway its own queue directory")]
    Foreign,
    /// Encrypted with a key that is not at hand.
    #[error(
        "it was encrypted with another key; name the file of that key in `encryption_key` of [gateway]"
    )]
    Key,
}

/// What a segment holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Its records, in order.
    pub records: Vec<Record>,
    /// Where valid bytes end. What follows is torn: cut it off before appending, or append to a new
    /// segment.
    pub end: usize,
    /// Bytes before `end` that are no frames: damage.
    pub damage: Vec<Range<usize>>,
}

/// The header of segment `number`, whose records are encrypted or not.
#[must_use]
pub fn header(number: u64, identity: &Identity, is_sealed: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES);
    out.extend_from_slice(MAGIC);
    out.push(if is_sealed { SEALED } else { PLAIN });
    out.extend_from_slice(&number.to_be_bytes());
    out.extend_from_slice(&identity.ledger.0);
    out.extend_from_slice(&identity.gateway.0);
    let check = check(number, 0, &out);
    out.extend_from_slice(&check);
    out
}

/// Appends the frame of a record that will stand at `offset + out.len()` of segment `number`, encrypted
/// if there is a key.
pub fn frame(number: u64, offset: u64, record: &Record, key: Option<&AtRest>, out: &mut Vec<u8>) {
    let (mut mark, mut body) = (MARK, record.to_wire());
    let at = offset + out.len() as u64;
    if let Some(key) = key {
        (mark, body) = (SEALED_MARK, key.seal(&place(number, at), &body));
    }
    out.push(mark);
    // A record is at most RECORD_BYTES_MAX long, and a little more if it is encrypted.
    out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&check(number, at, &body));
    out.extend_from_slice(&body);
}

/// What an encrypted record is bound to.
fn place(number: u64, at: u64) -> Vec<u8> {
    [&b"queue"[..], &number.to_be_bytes(), &at.to_be_bytes()].concat()
}

/// Reads a segment; encrypted records need the key.
///
/// # Errors
/// [`SegmentError`] if it is not a segment of this queue. Damage behind the header is no error.
pub fn scan(
    number: u64,
    identity: &Identity,
    key: Option<&AtRest>,
    bytes: &[u8],
) -> Result<Scan, SegmentError> {
    check_header(number, identity, bytes)?;
    let mut scan = Scan { records: Vec::new(), end: HEADER_BYTES, damage: Vec::new() };
    let mut at = HEADER_BYTES;
    while at < bytes.len() {
        let Some((record, next)) = read_frame(number, key, bytes, at)? else {
            // Perhaps the tail, perhaps damage: whether a frame follows decides.
            at += 1;
            continue;
        };
        if at > scan.end {
            scan.damage.push(scan.end..at);
        }
        scan.records.push(record);
        (scan.end, at) = (next, next);
    }
    Ok(scan)
}

fn check_header(number: u64, identity: &Identity, bytes: &[u8]) -> Result<(), SegmentError> {
    let given = bytes.get(..HEADER_BYTES).ok_or(SegmentError::Header)?;
    let version = given[7];
    if &given[..7] == MAGIC && version > SEALED {
        return Err(SegmentError::Version);
    }
    let (fields, sum) = given.split_at(HEADER_BYTES - CHECK_BYTES);
    let is_known = &given[..7] == MAGIC && version >= PLAIN;
    if !is_known || sum != check(number, 0, fields) {
        return Err(SegmentError::Header);
    }
    let own = header(number, identity, version == SEALED);
    if given == own { Ok(()) } else { Err(SegmentError::Foreign) }
}

/// A frame that begins here, and where it ends.
fn read_frame(
    number: u64,
    key: Option<&AtRest>,
    bytes: &[u8],
    at: usize,
) -> Result<Option<(Record, usize)>, SegmentError> {
    let Some((is_sealed, body)) = framed(number, bytes, at) else { return Ok(None) };
    let end = at + FRAME_HEAD_BYTES + body.len();
    let record = if is_sealed {
        // It is whole, so it is the key that is wrong.
        let opened = key.and_then(|key| key.open(&place(number, at as u64), body));
        Record::from_wire(&opened.ok_or(SegmentError::Key)?)
    } else {
        Record::from_wire(body)
    };
    Ok(record.ok().map(|record| (record, end)))
}

/// What is in a frame that begins here and is whole, and whether it is encrypted.
fn framed(number: u64, bytes: &[u8], at: usize) -> Option<(bool, &[u8])> {
    let head = bytes.get(at..at + FRAME_HEAD_BYTES)?;
    let is_sealed = head[0] == SEALED_MARK;
    if head[0] != MARK && !is_sealed {
        return None;
    }
    let len = u32::from_be_bytes(head[1..5].try_into().ok()?) as usize;
    if len > RECORD_BYTES_MAX + SEAL_BYTES {
        return None;
    }
    let start = at + FRAME_HEAD_BYTES;
    let body = bytes.get(start..start + len)?;
    (head[5..] == check(number, at as u64, body)).then_some((is_sealed, body))
}

fn check(number: u64, offset: u64, bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let mut covered = Vec::with_capacity(16 + bytes.len());
    covered.extend_from_slice(&number.to_be_bytes());
    covered.extend_from_slice(&offset.to_be_bytes());
    covered.extend_from_slice(bytes);
    let mut sum = [0; CHECK_BYTES];
    sum.copy_from_slice(&blake3_digest(&covered)[..CHECK_BYTES]);
    sum
}

/// Which segments still hold readings that are not final, so that the others can be deleted.
///
/// A segment may go when everything in it is final and every older one has gone: replay needs the
/// records in order. Each new segment begins with a [`Record::Head`] per stream
/// ([`Segments::checkpoint`]) and the marks that wait, so the older ones are not needed to know where a
/// stream stands, nor what comes again.
#[derive(Debug, Default)]
pub struct Segments {
    /// By segment: the number after the highest reading of each stream in it.
    after: BTreeMap<u64, BTreeMap<StreamId, u64>>,
    next_seq: BTreeMap<StreamId, u64>,
    retired: BTreeMap<StreamId, u64>,
    marks: Marks,
}

impl Segments {
    /// A segment that records will be written to from now on.
    pub fn open(&mut self, number: u64) {
        self.after.entry(number).or_default();
    }

    /// The records with which a new segment begins.
    #[must_use]
    pub fn checkpoint(&self) -> Vec<Record> {
        let head = |(stream, next_seq): (&StreamId, &u64)| Record::Head {
            stream: *stream,
            next_seq: *next_seq,
        };
        let marks = self.marks.iter().map(|mark| Record::Marked(mark, None));
        self.next_seq.iter().map(head).chain(marks).collect()
    }

    /// A record was written to the newest segment.
    pub fn wrote(&mut self, record: &Record) {
        match record {
            Record::Readings(readings) => {
                for numbered in readings {
                    self.extends(numbered.stream, numbered.seq.saturating_add(1));
                }
            }
            Record::Head { stream, next_seq } => {
                let known = self.next_seq.entry(*stream).or_default();
                *known = (*known).max(*next_seq);
            }
            Record::Retired { stream, before_seq } => {
                self.retired.insert(*stream, *before_seq);
            }
            Record::Renumbered { stream, from_seq, to_seq } => {
                let moved = self.after.values_mut().filter_map(|after| after.get_mut(stream));
                for after in moved.chain(self.next_seq.get_mut(stream)) {
                    if *after > *from_seq {
                        *after = after.saturating_sub(*from_seq).saturating_add(*to_seq);
                    }
                }
            }
            Record::Pack(stream, arrived) => self.extends(*stream, arrived.pack.end_seq()),
            // What is released in the middle keeps its segment until all before it is final.
            Record::Released { .. } => {}
            Record::Moved { stream, from_seq, below_seq, to_seq } => {
                let after = to_seq.saturating_add(below_seq.saturating_sub(*from_seq));
                let moved = self.after.values_mut().filter_map(|after| after.get_mut(stream));
                moved.filter(|known| **known > *from_seq).for_each(|known| *known = after);
                self.next_seq.insert(*stream, after);
            }
            Record::Marked(mark, record) => {
                self.marks.insert(*mark);
                if let Some(record) = record {
                    self.wrote(record);
                }
            }
            Record::Passed { session, number } => {
                self.marks.pass(*session, *number);
            }
            Record::Reset => {
                self.after.values_mut().for_each(BTreeMap::clear);
                self.next_seq.clear();
                self.retired.clear();
                self.marks.clear();
            }
        }
    }

    /// The newest segment holds readings of a stream up to this number.
    fn extends(&mut self, stream: StreamId, after: u64) {
        self.next_seq.insert(stream, after);
        if let Some(mut newest) = self.after.last_entry() {
            newest.get_mut().insert(stream, after);
        }
    }

    /// The oldest segments that can be deleted, ascending; never the newest.
    pub fn take_finished(&mut self) -> Vec<u64> {
        let mut finished = Vec::new();
        while self.after.len() > 1 {
            let Some(oldest) = self.after.first_entry() else { break };
            let is_final = |(stream, after): (&StreamId, &u64)| {
                self.retired.get(stream).is_some_and(|before| before >= after)
            };
            if !oldest.get().iter().all(is_final) {
                break;
            }
            finished.push(*oldest.key());
            oldest.remove();
        }
        finished
    }
}

#[cfg(test)]
mod tests;
