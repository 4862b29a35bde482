use std::fmt;
use std::sync::Arc;

use althing_types::blake3_digest;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, aead::AeadInPlace as _};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What the key is derived for.
const DOMAIN: &[u8] = b"althing/gateway-at-rest/1";
const NONCE_BYTES: usize = 24;
/// By how much an encrypted text is longer: a nonce and a tag.
pub const SEAL_BYTES: usize = NONCE_BYTES + 16;

/// The key that what a gateway keeps is encrypted with on its disk; wiped from memory when dropped,
/// never printed.
///
/// XChaCha20-Poly1305. A text is bound to its place, so that whoever can write to the disk cannot put
/// one in another's place. The nonce follows from key, place and text: no randomness is needed, and
/// where a crash cut a text off and another came in its place, the two do not share one.
pub struct AtRest {
    key: Zeroizing<[u8; 32]>,
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
        let mut all = Zeroizing::new([0; 64]);
        // So few bytes can always be derived.
        let _ = Hkdf::<Sha256>::new(None, secret).expand(DOMAIN, &mut all[..]);
        let (mut key, mut nonces) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        key.copy_from_slice(&all[..32]);
        nonces.copy_from_slice(&all[32..]);
        Self { key, nonces }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }

    /// Encrypts a text for its place.
    #[must_use]
    pub fn seal(&self, place: &[u8], text: &[u8]) -> Vec<u8> {
        let mut covered = Zeroizing::new(Vec::with_capacity(40 + place.len() + text.len()));
        covered.extend_from_slice(&*self.nonces);
        covered.extend_from_slice(&(place.len() as u64).to_be_bytes());
        covered.extend_from_slice(place);
        covered.extend_from_slice(text);
        let mut sealed = blake3_digest(&covered)[..NONCE_BYTES].to_vec();
        sealed.reserve_exact(text.len() + SEAL_BYTES - NONCE_BYTES);
        sealed.extend_from_slice(text);
        let (nonce, text) = sealed.split_at_mut(NONCE_BYTES);
        match self.cipher().encrypt_in_place_detached((&*nonce).into(), place, text) {
            Ok(tag) => sealed.extend_from_slice(&tag),
            // The cipher takes 256 GiB at a time.
            Err(_) => unreachable!("a text of a few MiB is encrypted"),
        }
        sealed
    }

    /// The text; none if it was not encrypted with this key, for this place, or is damaged.
    #[must_use]
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_BYTES)?;
        let (text, tag) = rest.split_last_chunk::<16>()?;
        let mut text = text.to_vec();
        let opened =
            self.cipher().decrypt_in_place_detached(nonce.into(), place, &mut text, tag.into());
        opened.ok().map(|()| text)
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
    fn a_text_opens_with_its_key_at_its_place_only() {
        let (key, other) = (AtRest::derive(&[1; 32]), AtRest::derive(&[2; 32]));
        let sealed = key.seal(b"here", b"thirty degrees");
        assert_eq!(sealed.len(), 14 + SEAL_BYTES);
        assert_eq!(key.open(b"here", &sealed), Some(b"thirty degrees".to_vec()));
        assert_eq!(key.open(b"there", &sealed), None);
        assert_eq!(other.open(b"here", &sealed), None);
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(key.open(b"here", &damaged), None, "byte {at}");
            assert_eq!(key.open(b"here", &sealed[..at]), None, "cut at {at}");
        }
        let nonce = |place: &[u8], text: &[u8]| key.seal(place, text)[..NONCE_BYTES].to_vec();
        assert_ne!(nonce(b"here", b"a"), nonce(b"here", b"b"));
        assert_ne!(nonce(b"here", b"a"), nonce(b"her", b"ea"));
        assert!(!format!("{key:?}").contains('1'));
    }
}
