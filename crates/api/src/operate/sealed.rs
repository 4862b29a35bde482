//! Entries of logs as they are on disk: encrypted, if the peer has a key for that.

use std::fmt;

use althing_types::blake3_digest;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305,
    aead::{Aead as _, Payload},
};
use rand::RngCore as _;
use zeroize::Zeroizing;

/// What the key is derived for.
const DOMAIN: &[u8] = b"althing/operation-log/1";
const NONCE_BYTES: usize = 24;

/// The key that logs of a peer are encrypted with on disk; wiped from memory when dropped, never printed.
///
/// XChaCha20-Poly1305 with a random nonce; an entry is bound to the name of its log. That entries follow
/// one another is what their digests say.
pub struct LogKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogKey(secret)")
    }
}

impl LogKey {
    /// The key that follows from a secret of at least 32 bytes, such as a signing key.
    #[must_use]
    pub fn derive(secret: &[u8]) -> Self {
        let material = Zeroizing::new([DOMAIN, secret].concat());
        Self(Zeroizing::new(blake3_digest(&material)))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }

    /// An entry of a log as text without a line's end; none if it is longer than anything can be.
    pub(super) fn seal(&self, log: &str, entry: &[u8]) -> Option<String> {
        let mut nonce = [0; NONCE_BYTES];
        rand::rngs::OsRng.fill_bytes(&mut nonce);
        let text = Payload { msg: entry, aad: log.as_bytes() };
        let sealed = self.cipher().encrypt((&nonce).into(), text).ok()?;
        Some(STANDARD_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// None if it was not encrypted with this key, for this log, or is damaged.
    pub(super) fn open(&self, log: &str, line: &[u8]) -> Option<Vec<u8>> {
        let bytes = STANDARD_NO_PAD.decode(line).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        let sealed = Payload { msg: sealed, aad: log.as_bytes() };
        self.cipher().decrypt((&nonce).into(), sealed).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_opens_with_its_key_for_its_log_and_unchanged() {
        let key = LogKey::derive(&[7; 32]);
        let sealed = key.seal("operations", b"who and what").unwrap();
        assert_ne!(sealed, key.seal("operations", b"who and what").unwrap());
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
}
