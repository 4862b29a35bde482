use sha2::{Digest as _, Sha256};

use crate::pack::{Device, Reading, SignError, Stream};

/// The packs of one stream that were signed and are not acknowledged yet, oldest first, in `N` bytes.
///
/// A publish that got no answer is repeated with the same bytes: signing the readings again under
/// other numbers would double them.
#[derive(Debug, Clone)]
pub struct Outbox<const N: usize> {
    bytes: [u8; N],
    used: usize,
    state: State,
}

/// What a device must remember over a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Number of the next reading.
    pub next_seq: u64,
    /// SHA-256 of the last pack; none before the first.
    pub previous: Option<[u8; 32]>,
}

/// Why readings are not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushError {
    /// Packs that are not acknowledged fill the outbox: send them, or measure less often.
    Full,
    /// The readings cannot be signed.
    Sign(SignError),
}

/// Bytes of the length before each pack.
const HEAD_BYTES: usize = 2;

impl<const N: usize> Outbox<N> {
    /// An empty outbox that goes on where [`Outbox::state`] stood: 0 and none for a new device.
    #[must_use]
    pub const fn new(next_seq: u64, previous: Option<[u8; 32]>) -> Self {
        Self { bytes: [0; N], used: 0, state: State { next_seq, previous } }
    }

    /// Signs readings under the next numbers. Returns the pack, which stays until it is acknowledged.
    ///
    /// # Errors
    /// [`PushError`]; nothing has changed then.
    pub fn push(
        &mut self,
        device: &Device,
        stream: &Stream<'_>,
        base_ms: Option<i64>,
        readings: &[Reading<'_>],
    ) -> Result<&[u8], PushError> {
        let start = self.used + HEAD_BYTES;
        let State { next_seq, previous } = self.state;
        let room = self.bytes.get_mut(start..).filter(|room| !room.is_empty());
        let room = room.ok_or(PushError::Full)?;
        let is_tight = room.len() < crate::PACK_BYTES_MAX;
        let signed = device.sign(stream, next_seq, previous.as_ref(), base_ms, readings, room);
        let len = signed.map_err(|error| match error {
            SignError::TooLong if is_tight => PushError::Full,
            error => PushError::Sign(error),
        })?;
        // A pack is at most PACK_BYTES_MAX long.
        let head = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
        self.bytes[self.used..start].copy_from_slice(&head);
        let pack = &self.bytes[start..start + len];
        self.state = State {
            next_seq: next_seq.saturating_add(readings.len() as u64),
            previous: Some(Sha256::digest(pack).into()),
        };
        self.used = start + len;
        Ok(&self.bytes[start..start + len])
    }

    /// The oldest pack that is not acknowledged.
    #[must_use]
    pub fn front(&self) -> Option<&[u8]> {
        let len = self.front_len()?;
        self.bytes.get(HEAD_BYTES..HEAD_BYTES + len)
    }

    /// The oldest pack has arrived: it is forgotten.
    pub fn acknowledged(&mut self) {
        if let Some(len) = self.front_len() {
            let end = HEAD_BYTES + len;
            self.bytes.copy_within(end..self.used, 0);
            self.used -= end;
        }
    }

    /// What to remember over a loss of power, before the newest pack leaves.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    fn front_len(&self) -> Option<usize> {
        let head = self.bytes.first_chunk::<HEAD_BYTES>().filter(|_| self.used > 0)?;
        Some(usize::from(u16::from_be_bytes(*head)))
    }
}
