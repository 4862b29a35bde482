use alloc::{vec, vec::Vec};
use core::fmt;

use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, aead::AeadInPlace as _};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::blake3_digest;

/// A key that encrypts what lies on a disk (XChaCha20-Poly1305); wiped from memory when dropped, never
/// printed.
///
/// A text is bound to its place, so that whoever can write to the disk cannot put one in another's
/// place. Where nonces come from is for each use to decide.
pub struct DiskCipher(Zeroizing<[u8; 32]>);

impl fmt::Debug for DiskCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DiskCipher(secret)")
    }
}

impl DiskCipher {
    /// Bytes of a nonce.
    pub const NONCE_BYTES: usize = 24;
    /// Bytes of the tag behind an encrypted text.
    pub const TAG_BYTES: usize = 16;

    /// A key that was derived elsewhere.
    #[must_use]
    pub const fn of(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// The key that follows from a secret of at least 32 bytes, such as a signing key, for a use; and
    /// more bytes that follow from it, for whatever else that use needs.
    #[must_use]
    pub fn derive<const MORE: usize>(
        secret: &[u8],
        domain: &[u8],
    ) -> (Self, Zeroizing<[u8; MORE]>) {
        let mut all = Zeroizing::new(vec![0; 32 + MORE]);
        // So few bytes can always be derived.
        let _ = Hkdf::<Sha256>::new(None, secret).expand(domain, &mut all);
        let (mut key, mut more) = (Zeroizing::new([0; 32]), Zeroizing::new([0; MORE]));
        key.copy_from_slice(&all[..32]);
        more.copy_from_slice(&all[32..]);
        (Self(key), more)
    }

    /// A nonce that follows from what it must differ by: the first bytes of its digest.
    #[must_use]
    pub fn nonce_of(covered: &[u8]) -> [u8; Self::NONCE_BYTES] {
        let digest = blake3_digest(covered);
        core::array::from_fn(|at| digest[at])
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }

    /// Encrypts a text for its place, and gives its tag. No two texts may share a nonce.
    ///
    /// # Panics
    /// If the text is longer than the 256 GiB that the cipher takes at a time.
    #[must_use]
    pub fn encrypt(
        &self,
        nonce: &[u8; Self::NONCE_BYTES],
        place: &[u8],
        text: &mut [u8],
    ) -> [u8; Self::TAG_BYTES] {
        match self.cipher().encrypt_in_place_detached(nonce.into(), place, text) {
            Ok(tag) => tag.into(),
            Err(_) => unreachable!("a text of a few MiB is encrypted"),
        }
    }

    /// Decrypts a text, or leaves it as it is and says false: it was not encrypted with this key, for
    /// this place, or is damaged.
    #[must_use]
    pub fn decrypt(
        &self,
        nonce: &[u8; Self::NONCE_BYTES],
        place: &[u8],
        text: &mut [u8],
        tag: &[u8; Self::TAG_BYTES],
    ) -> bool {
        self.cipher().decrypt_in_place_detached(nonce.into(), place, text, tag.into()).is_ok()
    }

    /// A text encrypted for its place, with its nonce before it and its tag behind.
    #[must_use]
    pub fn seal(&self, nonce: &[u8; Self::NONCE_BYTES], place: &[u8], text: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(Self::NONCE_BYTES + text.len() + Self::TAG_BYTES);
        sealed.extend_from_slice(nonce);
        sealed.extend_from_slice(text);
        let tag = self.encrypt(nonce, place, &mut sealed[Self::NONCE_BYTES..]);
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// What [`seal`](Self::seal) encrypted; none if it was not with this key, for this place, or is
    /// damaged.
    #[must_use]
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk()?;
        let (text, tag) = rest.split_last_chunk()?;
        let mut text = text.to_vec();
        self.decrypt(nonce, place, &mut text, tag).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_opens_with_its_key_at_its_place_only() {
        let (key, _) = DiskCipher::derive::<0>(&[1; 32], b"one use");
        let sealed = key.seal(&[9; 24], b"here", b"thirty degrees");
        assert_eq!(key.open(b"here", &sealed).unwrap(), b"thirty degrees");
        assert_eq!(key.open(b"there", &sealed), None);
        for (secret, domain) in [([2; 32], &b"one use"[..]), ([1; 32], b"another")] {
            assert_eq!(DiskCipher::derive::<0>(&secret, domain).0.open(b"here", &sealed), None);
        }
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(key.open(b"here", &damaged), None, "byte {at}");
            assert_eq!(key.open(b"here", &sealed[..at]), None, "cut at {at}");
        }
        assert!(!alloc::format!("{key:?}").contains('1'));
    }

    #[test]
    fn what_follows_beside_the_key_leaves_the_key_as_it_is() {
        let (alone, _) = DiskCipher::derive::<0>(&[1; 32], b"one use");
        let (beside, more) = DiskCipher::derive::<20>(&[1; 32], b"one use");
        assert_eq!(*alone.0, *beside.0);
        assert_ne!(*more, [0; 20]);
    }
}
