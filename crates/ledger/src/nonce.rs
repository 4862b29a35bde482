use althing_types::{Refusal, Wire, WireError};
use minicbor::{Decode, Encode};

/// How far behind the largest nonce used an unused one still counts. A sender may have as many
/// transactions under way, in any order.
pub const NONCE_WINDOW: u64 = 512;
/// How far a nonce may run ahead of the next one, so that none can use up the numbers at once.
pub const NONCE_JUMP_MAX: u64 = 1 << 20;

/// Bytes of the bitmap.
const BYTES: usize = (NONCE_WINDOW / 8) as usize;

/// Which nonces of a sender are used: all below `next`, but for those of the last
/// [`NONCE_WINDOW`] that were left out.
///
/// In the state as `[next, missing]`, where bit `i` of `missing` (least significant bit of the
/// first byte first) says that nonce `next - 1 - i` is unused, without trailing zero bytes: a
/// sender that counts up by one costs a handful of bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct NonceWindow {
    #[n(0)]
    next: u64,
    #[cbor(n(1), with = "minicbor::bytes")]
    missing: Vec<u8>,
}

impl Wire for NonceWindow {
    const BYTES_MAX: usize = BYTES + 12;

    fn validate(&self) -> Result<(), WireError> {
        if self.missing.len() > BYTES || self.missing.last() == Some(&0) {
            return Err(WireError::OutOfBounds("missing"));
        }
        Ok(())
    }
}

impl NonceWindow {
    /// The number after the largest nonce used: what an account should use next.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Uses a nonce.
    ///
    /// # Errors
    /// [`Refusal::NonceTooFar`], [`Refusal::NonceTooOld`] or [`Refusal::NonceReused`]; the window
    /// is then unchanged.
    pub fn accept(&mut self, nonce: u64) -> Result<(), Refusal> {
        match nonce.checked_sub(self.next) {
            Some(skipped) => self.advance(nonce, skipped),
            None => self.fill(self.next - 1 - nonce),
        }
    }

    fn advance(&mut self, nonce: u64, skipped: u64) -> Result<(), Refusal> {
        if skipped > NONCE_JUMP_MAX {
            return Err(Refusal::NonceTooFar);
        }
        let next = nonce.checked_add(1).ok_or(Refusal::NonceTooFar)?;
        if skipped > 0 || !self.missing.is_empty() {
            self.shift(skipped);
        }
        self.next = next;
        Ok(())
    }

    /// Makes room for `skipped` unused nonces and one used.
    fn shift(&mut self, skipped: u64) {
        let old = Bits::read(&self.missing);
        let mut new = old.shifted(skipped + 1);
        // Nonces before the first do not exist, hence cannot be missing: a jump has only as many.
        (1..=skipped.min(NONCE_WINDOW - 1)).for_each(|bit| new.set(bit));
        self.missing = new.write();
    }

    fn fill(&mut self, back: u64) -> Result<(), Refusal> {
        if back >= NONCE_WINDOW {
            return Err(Refusal::NonceTooOld);
        }
        let mut bits = Bits::read(&self.missing);
        if !bits.take(back) {
            return Err(Refusal::NonceReused);
        }
        self.missing = bits.write();
        Ok(())
    }
}

/// The window as words, bit 0 first.
struct Bits([u64; BYTES / 8]);

impl Bits {
    fn read(bytes: &[u8]) -> Self {
        let mut words = [0; BYTES / 8];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks(8)) {
            let mut full = [0; 8];
            full[..chunk.len()].copy_from_slice(chunk);
            *word = u64::from_le_bytes(full);
        }
        Self(words)
    }

    fn write(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.0.iter().flat_map(|word| word.to_le_bytes()).collect();
        let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        bytes.truncate(len);
        bytes
    }

    /// Moves every bit up by `by`; those beyond the window are gone.
    fn shifted(&self, by: u64) -> Self {
        let mut words = [0; BYTES / 8];
        let (whole, part) = ((by / 64).min(BYTES as u64) as usize, (by % 64) as u32);
        for (from, word) in words.iter_mut().skip(whole).enumerate() {
            *word = self.0[from] << part;
            if part > 0 && from > 0 {
                *word |= self.0[from - 1] >> (64 - part);
            }
        }
        Self(words)
    }

    fn set(&mut self, bit: u64) {
        self.0[(bit / 64) as usize] |= 1 << (bit % 64);
    }

    /// Clears a bit and says whether it was set.
    fn take(&mut self, bit: u64) -> bool {
        let (word, mask) = (&mut self.0[(bit / 64) as usize], 1 << (bit % 64));
        let was = *word & mask != 0;
        *word &= !mask;
        was
    }
}

#[cfg(test)]
mod tests;
