//! Entries of logs as they are on disk: encrypted, if the peer has a key for that.

use althing_types::{DiskCipher, blake3_digest};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use rand::RngCore as _;
use zeroize::Zeroizing;

/// What the key is derived for.
const DOMAIN: &[u8] = b"althing/operation-log/1";

/// The key that logs of a peer are encrypted with on disk.
///
/// Nonces are random; an entry is bound to the name of its log. That entries follow one another is what
/// their digests say.
#[derive(Debug)]
pub struct LogKey(DiskCipher);

impl LogKey {
    /// The key that follows from a secret of at least 32 bytes, such as a signing key.
    #[must_use]
    pub fn derive(secret: &[u8]) -> Self {
        let material = Zeroizing::new([DOMAIN, secret].concat());
        Self(DiskCipher::of(Zeroizing::new(blake3_digest(&material))))
    }

    /// An entry of a log as text without a line's end.
    pub(super) fn seal(&self, log: &str, entry: &[u8]) -> String {
        let mut nonce = [0; DiskCipher::NONCE_BYTES];
        rand::rngs::OsRng.fill_bytes(&mut nonce);
        STANDARD_NO_PAD.encode(self.0.seal(&nonce, log.as_bytes(), entry))
    }

    /// None if it was not encrypted with this key, for this log, or is damaged.
    pub(super) fn open(&self, log: &str, line: &[u8]) -> Option<Vec<u8>> {
        self.0.open(log.as_bytes(), &STANDARD_NO_PAD.decode(line).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_opens_with_its_key_for_its_log_and_unchanged() {
        let key = LogKey::derive(&[7; 32]);
        let sealed = key.seal("operations", b"who and what");
        assert_ne!(sealed, key.seal("operations", b"who and what"));
        assert_eq!(key.open("operations", sealed.as_bytes()).unwrap(), b"who and what");
        assert_eq!(key.open("alarms", sealed.as_bytes()), None);
        assert_eq!(LogKey::derive(&[8; 32]).open("operations", sealed.as_bytes()), None);
        for at in 0..sealed.len() {
            let mut bad = sealed.clone().into_bytes();
            bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(key.open("operations", &bad), None, "{at}");
            assert_eq!(key.open("operations", &sealed.as_bytes()[..at]), None, "{at}");
        }
    }

    /// Logs that were written before must open.
    #[test]
    fn what_was_written_before_opens() {
        let key = LogKey::derive(&[7; 32]);
        let line = b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX8tagDjbA7fQQn8BPSRQVAajEtsZvi+SI8DlPkg";
        assert_eq!(key.open("operations", line).unwrap(), b"who and what");
    }
}
