//! Records of segments: a payload with its length and digest before it, as it is or encrypted.

use std::{fmt, io};

use althing_types::{DiskCipher, blake3_digest, limits::PAYLOAD_BYTES_MAX};
use bytes::Bytes;

use crate::segment::SegmentFiles;

/// What comes before each payload: its length and its digest.
pub(crate) const RECORD_HEAD_BYTES: usize = 4 + 32;
/// Set in a record's length where the payload has been erased.
const ERASED: u32 = 1 << 31;
/// Set in a record's length where the payload is encrypted.
const SEALED: u32 = 1 << 30;
/// What comes before an encrypted payload: which key encrypted it.
const MARK_BYTES: usize = 4;
/// By how much an encrypted payload is longer.
const SEAL_BYTES: usize = MARK_BYTES + DiskCipher::TAG_BYTES;
const CHECK_BYTES: usize = 16;
/// What the key is derived for.
const DOMAIN: &[u8] = b"althing/at-rest/1";

/// The key that payloads are encrypted with on disk.
///
/// The nonce follows from place and digest, so that no two texts share one, also where a crash cut off
/// a record and another came in its place.
pub struct AtRest {
    cipher: DiskCipher,
    mark: [u8; MARK_BYTES],
    check: [u8; CHECK_BYTES],
}

impl fmt::Debug for AtRest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtRest(secret)")
    }
}

impl AtRest {
    /// The key that follows from a secret of at least 32 bytes, such as a signing key.
    #[must_use]
    pub fn derive(secret: &[u8]) -> Self {
        let (cipher, more) = DiskCipher::derive::<{ MARK_BYTES + CHECK_BYTES }>(secret, DOMAIN);
        let (mut mark, mut check) = ([0; MARK_BYTES], [0; CHECK_BYTES]);
        mark.copy_from_slice(&more[..MARK_BYTES]);
        check.copy_from_slice(&more[MARK_BYTES..]);
        Self { cipher, mark, check }
    }

    /// Bytes by which the key is known again, and which say nothing of it.
    pub(crate) const fn check(&self) -> &[u8; CHECK_BYTES] {
        &self.check
    }

    fn seal(&self, place: Place, digest: &[u8; 32], payload: &[u8]) -> Vec<u8> {
        let bound = place.bound(digest);
        let mut stored = Vec::with_capacity(payload.len() + SEAL_BYTES);
        stored.extend_from_slice(&self.mark);
        stored.extend_from_slice(payload);
        let nonce = DiskCipher::nonce_of(&bound);
        let tag = self.cipher.encrypt(&nonce, &bound, &mut stored[MARK_BYTES..]);
        stored.extend_from_slice(&tag);
        stored
    }

    /// None if it was not encrypted with this key, for this place, or is damaged.
    fn open(&self, place: Place, digest: &[u8; 32], mut stored: Vec<u8>) -> Option<Bytes> {
        let (mark, rest) = stored.split_at_mut_checked(MARK_BYTES)?;
        if *mark != self.mark {
            return None;
        }
        let (text, tag) = rest.split_at_mut_checked(place.len as usize)?;
        let (bound, tag) = (place.bound(digest), (&*tag).try_into().ok()?);
        let is_opened = self.cipher.decrypt(&DiskCipher::nonce_of(&bound), &bound, text, tag);
        let end = MARK_BYTES + place.len as usize;
        is_opened.then(|| Bytes::from(stored).slice(MARK_BYTES..end))
    }
}

/// Where a payload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    /// Of the record.
    pub(crate) position: u64,
    /// Of the payload.
    pub(crate) len: u32,
    /// Whether it is encrypted.
    pub(crate) sealed: bool,
}

impl Place {
    /// Bytes of the payload as it is stored.
    pub(crate) const fn stored(self) -> usize {
        self.len as usize + if self.sealed { SEAL_BYTES } else { 0 }
    }

    /// Where the payload begins.
    const fn start(self) -> u64 {
        self.position + RECORD_HEAD_BYTES as u64
    }

    /// Where the record ends.
    pub(crate) const fn end(self) -> u64 {
        self.start() + self.stored() as u64
    }

    /// Bytes of the record.
    pub(crate) const fn bytes(self) -> u64 {
        self.end() - self.position
    }

    const fn word(self) -> u32 {
        self.len | if self.sealed { SEALED } else { 0 }
    }

    /// What an encrypted payload is bound to.
    fn bound(self, digest: &[u8; 32]) -> Vec<u8> {
        [DOMAIN, &self.encode(), digest].concat()
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        let mut bytes = self.segment.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.position.to_be_bytes());
        bytes.extend_from_slice(&self.word().to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (segment, rest) = bytes.split_first_chunk()?;
        let (position, rest) = rest.split_first_chunk()?;
        let word = u32::from_be_bytes(rest.try_into().ok()?);
        Some(Self {
            segment: u32::from_be_bytes(*segment),
            position: u64::from_be_bytes(*position),
            len: word & !SEALED,
            sealed: word & SEALED != 0,
        })
    }

    /// The record of a payload at this place; none if it cannot be encrypted as the place says.
    pub(crate) fn record(
        self,
        digest: &[u8; 32],
        payload: &[u8],
        key: Option<&AtRest>,
    ) -> Option<Vec<u8>> {
        let mut record = self.word().to_be_bytes().to_vec();
        record.extend_from_slice(digest);
        if self.sealed {
            record.extend_from_slice(&key?.seal(self, digest, payload));
        } else {
            record.extend_from_slice(payload);
        }
        Some(record)
    }

    /// The record that stands where the payload was.
    pub(crate) fn erased(self) -> Vec<u8> {
        let mut record = (self.word() | ERASED).to_be_bytes().to_vec();
        record.resize(RECORD_HEAD_BYTES + self.stored(), 0);
        record
    }

    /// Reads the payload; none if it is not the one that was kept.
    pub(crate) fn read(
        self,
        files: &dyn SegmentFiles,
        digest: &[u8; 32],
        key: Option<&AtRest>,
    ) -> io::Result<Option<Bytes>> {
        let stored = files.read_at(self.segment, self.start(), self.stored())?;
        Ok(if self.sealed {
            key.and_then(|key| key.open(self, digest, stored))
        } else {
            Some(Bytes::from(stored)).filter(|payload| blake3_digest(payload) == *digest)
        })
    }
}

/// A record as it lies in a segment.
pub(crate) struct Record {
    pub(crate) digest: [u8; 32],
    pub(crate) place: Place,
    pub(crate) content: Content,
}

/// What is in a record.
pub(crate) enum Content {
    /// The payload that its digest names.
    Whole(Bytes),
    /// Nothing any more.
    Erased,
    /// Another payload than the digest names.
    Damaged,
    /// What another key encrypted, or none that is at hand.
    Foreign,
}

/// The record at a position; `None` if there is none that ends within the segment.
pub(crate) fn read_record(
    files: &dyn SegmentFiles,
    segment: u32,
    position: u64,
    end: u64,
    key: Option<&AtRest>,
) -> io::Result<Option<Record>> {
    if position + RECORD_HEAD_BYTES as u64 > end {
        return Ok(None);
    }
    let head = files.read_at(segment, position, RECORD_HEAD_BYTES)?;
    let Some((word, digest)) = head.split_first_chunk::<4>() else { return Ok(None) };
    let (word, digest) = (u32::from_be_bytes(*word), digest.try_into().unwrap_or([0; 32]));
    let (len, sealed) = (word & !ERASED & !SEALED, word & SEALED != 0);
    let place = Place { segment, position, len, sealed };
    if len as usize > PAYLOAD_BYTES_MAX || place.end() > end {
        return Ok(None);
    }
    let content = if word & ERASED != 0 {
        Content::Erased
    } else if sealed && !is_of(files, place, key)? {
        Content::Foreign
    } else {
        place.read(files, &digest, key)?.map_or(Content::Damaged, Content::Whole)
    };
    Ok(Some(Record { digest, place, content }))
}

/// Whether an encrypted payload says that this key encrypted it.
fn is_of(files: &dyn SegmentFiles, place: Place, key: Option<&AtRest>) -> io::Result<bool> {
    let mark = files.read_at(place.segment, place.start(), MARK_BYTES)?;
    Ok(key.is_some_and(|key| key.mark == *mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encrypted_payload_opens_with_its_key_at_its_place_only() {
        let (key, other) = (AtRest::derive(&[1; 32]), AtRest::derive(&[2; 32]));
        let payload = b"thirty degrees";
        let digest = blake3_digest(payload);
        let place = Place { segment: 3, position: 90, len: 14, sealed: true };
        let stored = key.seal(place, &digest, payload);
        assert!(!stored.windows(6).any(|part| part == b"thirty"));
        assert_eq!(key.open(place, &digest, stored.clone()).as_deref(), Some(payload.as_slice()));
        assert_eq!(other.open(place, &digest, stored.clone()), None);
        for moved in [
            Place { segment: 4, ..place },
            Place { position: 91, ..place },
            Place { len: 13, ..place },
        ] {
            assert_eq!(key.open(moved, &digest, stored.clone()), None);
        }
        assert_eq!(key.open(place, &[0; 32], stored.clone()), None);
        for at in 0..stored.len() {
            let mut changed = stored.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(place, &digest, changed), None, "byte {at}");
            assert_eq!(key.open(place, &digest, stored[..at].to_vec()), None, "cut at {at}");
        }
        // Neither the same text at another place nor another text at this one shares its nonce.
        let moved = Place { position: 500, ..place };
        assert_ne!(stored, key.seal(moved, &digest, payload));
    }

    #[test]
    fn a_place_is_written_and_read() {
        for sealed in [false, true] {
            let place = Place { segment: 7, position: 1 << 40, len: 65_536, sealed };
            assert_eq!(Place::decode(&place.encode()), Some(place));
        }
        assert_eq!(Place::decode(&[0; 15]), None);
    }
}
