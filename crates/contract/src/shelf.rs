//! Where machine code outlives the process.

use std::fmt;

use althing_types::blake3_digest;

/// A place that keeps bytes under names, as long as it likes.
///
/// It need not be trusted: what a machine puts there carries a code of authentication under a key that
/// the machine was given, and what does not bear it is compiled again.
pub trait Shelf: Send + Sync + fmt::Debug {
    /// The bytes that were put under a name; none if they are gone or cannot be read.
    fn get(&self, name: &str) -> Option<Vec<u8>>;

    /// Whether there is something under a name.
    fn has(&self, name: &str) -> bool;

    /// Keeps bytes under a name, in place of what was there. If that fails, they are not kept.
    fn put(&self, name: &str, bytes: &[u8]);
}

/// Length of the code of authentication before the machine code, bytes.
const SEAL_BYTES: usize = 32;

/// Bytes with their seal before them.
pub(crate) fn sealed(key: &[u8; 32], name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = seal(key, name, bytes).to_vec();
    out.extend_from_slice(bytes);
    out
}

/// The bytes behind a seal, if it is theirs.
pub(crate) fn opened<'a>(key: &[u8; 32], name: &str, sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (found, bytes) = sealed.split_at_checked(SEAL_BYTES)?;
    (seal(key, name, bytes) == found).then_some(bytes)
}

/// BLAKE3 is no hash that can be continued, so that the key in front makes it a code of authentication.
fn seal(key: &[u8; 32], name: &str, bytes: &[u8]) -> [u8; SEAL_BYTES] {
    let length = (name.len() as u64).to_be_bytes();
    blake3_digest(&[key.as_slice(), &length, name.as_bytes(), bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_under_this_key_and_name_opens() {
        let (key, bytes) = ([7; 32], b"machine code".as_slice());
        let good = sealed(&key, "name", bytes);
        assert_eq!(opened(&key, "name", &good), Some(bytes));
        assert_eq!(opened(&[8; 32], "name", &good), None);
        assert_eq!(opened(&key, "nam", &good), None);
        assert_eq!(opened(&key, "namem", &good), None);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(opened(&key, "name", &bad), None, "{at}");
            assert_eq!(opened(&key, "name", &good[..at]), None, "{at}");
        }
    }
}
