//! Block-wise transfer (RFC 7959): bodies longer than a datagram, in both directions.

use std::collections::BTreeMap;

use super::{Content, Peer};

/// Most uploads under way; beyond, the oldest is given up.
const UPLOADS_MAX: usize = 256;
/// Most uploads of one peer under way.
const UPLOADS_OF_PEER_MAX: usize = 4;
/// How long an upload may pause, milliseconds.
const UPLOAD_PAUSE_MS_MAX: i64 = 60_000;

/// Most answers kept for those who fetch them block by block; beyond, the oldest is given up.
const ANSWERS_MAX: usize = 64;

/// A block option: number, whether more follow, and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Position of the block.
    pub number: u32,
    /// Whether others follow.
    pub more: bool,
    /// Exponent of its size: 2^(4 + exponent) bytes, 0 to 6.
    pub exponent: u8,
}

impl Block {
    /// Reads the value of a block option; none if it is reserved or too long.
    #[must_use]
    pub fn decode(value: &[u8]) -> Option<Self> {
        if value.len() > 3 {
            return None;
        }
        let value = value.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let exponent = u8::try_from(value & 7).ok().filter(|exponent| *exponent < 7)?;
        Some(Self { number: value >> 4, more: value & 8 != 0, exponent })
    }

    /// The value of a block option.
    #[must_use]
    pub const fn encode(self) -> u32 {
        self.number << 4 | (self.more as u32) << 3 | self.exponent as u32
    }

    /// Its size, bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        16 << self.exponent
    }

    /// The part of a body that it is, and whether more follows; none if it begins behind the end.
    #[must_use]
    pub fn of(self, body: &[u8]) -> Option<(&[u8], bool)> {
        let start = usize::try_from(self.number).ok()?.checked_mul(self.size())?;
        let rest = body.get(start..).filter(|rest| !rest.is_empty() || start == 0)?;
        Some((&rest[..rest.len().min(self.size())], rest.len() > self.size()))
    }
}

/// Answers to what must not be done twice, of which the first block was sent: the last of each peer.
#[derive(Debug, Default)]
pub(super) struct Answers(BTreeMap<Peer, (i64, Content)>);

impl Answers {
    /// Keeps an answer for as long as a peer may take between two blocks.
    pub(super) fn keep(&mut self, now_ms: i64, peer: Peer, content: Content) {
        self.0.retain(|_, (touched_ms, _)| now_ms - *touched_ms <= UPLOAD_PAUSE_MS_MAX);
        if self.0.len() >= ANSWERS_MAX && !self.0.contains_key(&peer) {
            let oldest = self.0.iter().min_by_key(|(_, (touched_ms, _))| *touched_ms);
            if let Some(oldest) = oldest.map(|(peer, _)| *peer) {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(peer, (now_ms, content));
    }

    /// The last answer to a peer, if it is kept.
    pub(super) fn of(&mut self, now_ms: i64, peer: Peer) -> Option<&Content> {
        self.0.retain(|_, (touched_ms, _)| now_ms - *touched_ms <= UPLOAD_PAUSE_MS_MAX);
        let (touched_ms, content) = self.0.get_mut(&peer)?;
        *touched_ms = now_ms;
        Some(content)
    }

    /// A peer has gone.
    pub(super) fn forget(&mut self, peer: Peer) {
        self.0.remove(&peer);
    }
}

/// What tells one upload from another: who, to where, and the tag that the client chose.
pub(super) type UploadKey = (Peer, Vec<u8>);

#[derive(Debug)]
struct Upload {
    body: Vec<u8>,
    touched_ms: i64,
}

/// Bodies that arrive in blocks.
#[derive(Debug, Default)]
pub(super) struct Uploads(BTreeMap<UploadKey, Upload>);

/// What a block of an upload leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// Send the next.
    Continue,
    /// This was the last.
    Whole(Vec<u8>),
    /// A block before it is missing, or was given up.
    Incomplete,
    /// The body is longer than may be.
    TooLarge,
}

impl Uploads {
    /// Takes a block of an upload.
    pub(super) fn receive(
        &mut self,
        now_ms: i64,
        key: UploadKey,
        block: Block,
        payload: &[u8],
        body_bytes_max: usize,
    ) -> Received {
        if block.number == 0 {
            self.make_room(now_ms, key.0);
            self.0.insert(key.clone(), Upload { body: Vec::new(), touched_ms: now_ms });
        }
        let Some(upload) = self.0.get_mut(&key) else { return Received::Incomplete };
        let start = usize::try_from(block.number).ok().and_then(|n| n.checked_mul(block.size()));
        // Blocks come in order, since the client waits for each; all but the last are full.
        let is_next = start == Some(upload.body.len());
        let fits = payload.len() <= block.size() && (!block.more || payload.len() == block.size());
        if !is_next || !fits {
            self.0.remove(&key);
            return Received::Incomplete;
        }
        if upload.body.len() + payload.len() > body_bytes_max {
            self.0.remove(&key);
            return Received::TooLarge;
        }
        upload.body.extend_from_slice(payload);
        upload.touched_ms = now_ms;
        if block.more {
            return Received::Continue;
        }
        self.0.remove(&key).map_or(Received::Incomplete, |upload| Received::Whole(upload.body))
    }

    fn make_room(&mut self, now_ms: i64, peer: Peer) {
        self.0.retain(|_, upload| now_ms - upload.touched_ms <= UPLOAD_PAUSE_MS_MAX);
        while self.0.keys().filter(|(of, _)| *of == peer).count() >= UPLOADS_OF_PEER_MAX {
            self.give_up(|(of, _)| *of == peer);
        }
        while self.0.len() >= UPLOADS_MAX {
            self.give_up(|_| true);
        }
    }

    fn give_up(&mut self, which: impl Fn(&UploadKey) -> bool) {
        let candidates = self.0.iter().filter(|(key, _)| which(key));
        let oldest = candidates.min_by_key(|(_, upload)| upload.touched_ms);
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.0.remove(&key);
        }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.0.values().map(|upload| upload.body.capacity()).sum()
    }
}
