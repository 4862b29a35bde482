//! Giving space back: what is still needed of a segment that is mostly dead moves behind the others.

use super::{
    Batch, Content, Direction, PayloadError, Payloads, SEALS, Space, Store as _, dead_key, failed,
    place_key, prefix_end, read_record, seal_key,
};
use bytes::Bytes;
use std::sync::atomic::Ordering;

/// Payloads that are moved with one flush, bytes.
const MOVED_AT_ONCE_BYTES: usize = 1024 * 1024;

impl Payloads {
    /// Empties one full segment of which at least half is dead, and deletes it. How many bytes of disk
    /// that gave back; none if there is no such segment.
    ///
    /// What is moved is on disk at its new place before the old one goes: a crash in between leaves
    /// it at both.
    ///
    /// # Errors
    /// [`PayloadError`] if the disk fails, or is full: then nothing is lost.
    pub fn compact(&self) -> Result<Option<u64>, PayloadError> {
        let Some((segment, end)) = self.mostly_dead()? else { return Ok(None) };
        let before = self.bytes();
        let (mut position, mut moved, mut moved_bytes) = (0, Vec::new(), 0);
        let read = |position| {
            let record = read_record(&*self.files, segment, position, end, self.key.as_ref());
            record.map_err(failed("read", segment))
        };
        while let Some(record) = read(position)? {
            position = record.place.end();
            if let Content::Whole(payload) = record.content {
                moved_bytes += payload.len();
                moved.push((record.digest, payload));
            }
            if moved_bytes >= MOVED_AT_ONCE_BYTES {
                self.move_out(segment, &moved)?;
                moved.clear();
                moved_bytes = 0;
            }
        }
        self.move_out(segment, &moved)?;
        // The file first: one that the index did not know would be read as if it had never been moved.
        self.files.remove(segment).map_err(failed("delete", segment))?;
        let mut batch = Batch::default();
        batch.remove(Space::Payloads, seal_key(segment));
        batch.remove(Space::Payloads, dead_key(segment));
        self.index.commit(batch)?;
        self.bytes.fetch_sub(end, Ordering::Relaxed);
        Ok(Some(before.saturating_sub(self.bytes())))
    }

    /// A full segment of which at least half is dead, and its length. Not if it is the newest: the
    /// next one takes its number from it.
    fn mostly_dead(&self) -> Result<Option<(u32, u64)>, PayloadError> {
        let newest = self.tail().segment.saturating_sub(1);
        let end = prefix_end(b"g/");
        let mut from = b"g/".to_vec();
        loop {
            let rows =
                self.index.scan(Space::Payloads, &from, end.as_deref(), Direction::Forward, 256)?;
            let Some((last, _)) = rows.last() else { return Ok(None) };
            from = [last.as_slice(), &[0]].concat();
            for (key, dead) in rows {
                let number = key.get(SEALS.len()..).and_then(|number| number.try_into().ok());
                let Some(segment) = number.map(u32::from_be_bytes) else { continue };
                let dead = dead.try_into().map_or(0, u64::from_be_bytes);
                let len = self.files.len(segment).map_err(failed("measure", segment))?;
                if segment != newest && dead.saturating_mul(2) >= len {
                    return Ok(Some((segment, len)));
                }
            }
        }
    }

    /// Moves those of the payloads that the index has in this segment.
    fn move_out(&self, segment: u32, all: &[([u8; 32], Bytes)]) -> Result<(), PayloadError> {
        let mut tail = self.tail();
        let mut needed = Vec::with_capacity(all.len());
        for (digest, payload) in all {
            if self.find(&tail, digest)?.is_some_and(|place| place.segment == segment) {
                needed.push((digest, payload));
            }
        }
        let digests: Vec<[u8; 32]> = needed.iter().map(|(digest, _)| **digest).collect();
        let before = tail.segment;
        self.append(&mut tail, needed)?;
        // A segment that became full has told the index itself.
        if tail.segment == before {
            let mut batch = Batch::default();
            digests.iter().for_each(|digest| batch.remove(Space::Payloads, place_key(digest)));
            if !batch.writes.is_empty() {
                self.index.commit(batch)?;
            }
        }
        Ok(())
    }
}
