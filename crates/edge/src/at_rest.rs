use std::fmt;
use std::sync::Arc;

use althing_types::DiskCipher;
use zeroize::Zeroizing;

/// What the key is derived for.
const DOMAIN: &[u8] = b"althing/gateway-at-rest/1";
/// By how much an encrypted text is longer: a nonce and a tag.
pub const SEAL_BYTES: usize = DiskCipher::NONCE_BYTES + DiskCipher::TAG_BYTES;

/// The key that what a gateway keeps is encrypted with on its disk; wiped from memory when dropped,
/// never printed.
///
/// The nonce follows from key, place and text: no randomness is needed, and where a crash cut a text
/// off and another came in its place, the two do not share one.
pub struct AtRest {
    cipher: DiskCipher,
    /// What nonces are derived with.
    nonces: Zeroizing<[u8; 32]>,
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
        let (cipher, nonces) = DiskCipher::derive(secret, DOMAIN);
        Self { cipher, nonces }
    }

    /// Encrypts a text for its place.
    #[must_use]
    pub fn seal(&self, place: &[u8], text: &[u8]) -> Vec<u8> {
        let mut covered = Zeroizing::new(Vec::with_capacity(40 + place.len() + text.len()));
        covered.extend_from_slice(&*self.nonces);
        covered.extend_from_slice(&(place.len() as u64).to_be_bytes());
        covered.extend_from_slice(place);
        covered.extend_from_slice(text);
        self.cipher.seal(&DiskCipher::nonce_of(&covered), place, text)
    }

    /// The text; none if it was not encrypted with this key, for this place, or is damaged.
    #[must_use]
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        self.cipher.open(place, sealed)
    }
}

/// With which key what is on the disk is read, and whether what is written is encrypted with it.
#[derive(Debug, Clone, Default)]
pub struct DiskKey {
    key: Option<Arc<AtRest>>,
    seals: bool,
}

impl DiskKey {
    /// Reads what was encrypted with this key, and encrypts what is written if `seals`.
    #[must_use]
    pub fn new(key: AtRest, seals: bool) -> Self {
        Self { key: Some(Arc::new(key)), seals }
    }

    /// What is written is encrypted with; none if it is not.
    #[must_use]
    pub fn writes(&self) -> Option<&AtRest> {
        self.key.as_deref().filter(|_| self.seals)
    }

    /// What is read may be encrypted with.
    #[must_use]
    pub fn reads(&self) -> Option<&AtRest> {
        self.key.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_texts_share_a_nonce() {
        let key = AtRest::derive(&[1; 32]);
        let nonce = |place: &[u8], text: &[u8]| key.seal(place, text)[..24].to_vec();
        assert_ne!(nonce(b"here", b"a"), nonce(b"here", b"b"));
        assert_ne!(nonce(b"here", b"a"), nonce(b"her", b"ea"));
        assert!(!format!("{key:?}").contains('1'));
    }

    /// Queues and sessions that were written before must open.
    #[test]
    fn bytes_on_the_disk_are_pinned() {
        let key = AtRest::derive(&[1; 32]);
        let sealed = key.seal(b"here", b"thirty degrees");
        assert_eq!(sealed.len(), 14 + SEAL_BYTES);
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        let pinned = "84aab42988880d0252e344de1679d37c704d76ab85a3949a5bf36d2790fbb64023fee7466ad67e\
                      a15e05b066587d30e5aec6214f00b5";
        assert_eq!(hex, pinned);
        assert_eq!(key.open(b"here", &sealed).unwrap(), b"thirty degrees");
    }
}
