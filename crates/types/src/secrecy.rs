//! Confidential streams: payloads sealed under a stream's key, and that key wrapped to readers.

use alloc::vec::Vec;
use core::fmt;

use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, aead::AeadInPlace as _};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _,
    aead::{AeadTag, ChaCha20Poly1305 as HpkeCipher},
    kdf::HkdfSha256,
    kem::X25519HkdfSha256,
};
use minicbor::{Decode, Encode};
use rand_core::{CryptoRng, RngCore};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    BatchHeader, EntityId, LedgerId, Payload, PayloadError, Placement, SigningKey, StreamId, Wire,
    WireError, blake3_digest,
    limits::{PAYLOAD_BYTES_MAX, SEALED_OVERHEAD_BYTES_MAX, STREAM_READERS_MAX},
    wire::fixed,
};

/// How payloads of a confidential stream are sealed, named in every one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Cipher {
    /// ChaCha20-Poly1305 (RFC 8439).
    #[n(1)]
    ChaCha20Poly1305,
}

impl Cipher {
    /// Name in text: `chacha20-poly1305`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChaCha20Poly1305 => "chacha20-poly1305",
        }
    }
}

/// The key of a confidential stream from one change of its readers to the next; wiped from memory
/// when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamKey {
    /// How it seals.
    pub cipher: Cipher,
    /// Which key of its stream it is; the first has number 1.
    pub number: u32,
    secret: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for StreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamKey({}, secret)", self.number)
    }
}

/// A payload that only holders of the stream's key can read.
///
/// On the wire: `[cipher, key_number, nonce, ciphertext]`. An array of four, so that no payload of
/// another form has the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SealedPayload {
    /// How it was sealed.
    #[n(0)]
    pub cipher: Cipher,
    /// Number of the key.
    #[n(1)]
    pub key_number: u32,
    /// Chosen by what is sealed, see [`StreamKey::seal`].
    #[cbor(n(2), with = "fixed")]
    pub nonce: [u8; 12],
    /// The payload, padded, with its tag.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub ciphertext: Vec<u8>,
}

/// Bytes of a key, wiped when dropped.
type Secret = Zeroizing<[u8; 32]>;

/// Begins what is authenticated beside a sealed payload, and what its key is derived for.
const SEAL_DOMAIN: &[u8] = b"althing/sealed/1";
/// A payload is padded to a multiple of this, so that its length tells little of its values.
const PAD_BYTES: usize = 64;
/// Begins the padding (ISO/IEC 7816-4); zeros follow.
const PAD_MARK: u8 = 0x80;
const TAG_BYTES: usize = 16;

impl SealedPayload {
    /// Whether bytes have the form of a sealed payload.
    #[must_use]
    pub const fn is_form_of(bytes: &[u8]) -> bool {
        matches!(bytes, [0x84, ..])
    }
}

impl Wire for SealedPayload {
    const BYTES_MAX: usize = PAYLOAD_BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        let len = self.ciphertext.len();
        if self.key_number > 0 && len > TAG_BYTES && (len - TAG_BYTES).is_multiple_of(PAD_BYTES) {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("sealed payload"))
        }
    }
}

impl BatchHeader {
    /// Whether the header says nothing of values, as that of a sealed payload must.
    #[must_use]
    pub const fn hides_values(&self) -> bool {
        self.min.is_none() && self.max.is_none() && self.sum == 0
    }

    /// Reads the sealed payload that this header announces, without its key: form, length and
    /// digest, and that the header says nothing of values. Count and times are the sealer's word.
    ///
    /// # Errors
    /// [`PayloadError`] naming what does not hold.
    pub fn sealed(&self, bytes: &[u8]) -> Result<SealedPayload, PayloadError> {
        if bytes.len() != self.payload_len as usize || blake3_digest(bytes) != self.payload_digest {
            return Err(PayloadError::Digest);
        }
        let sealed = SealedPayload::from_wire(bytes).map_err(PayloadError::Wire)?;
        if self.hides_values() { Ok(sealed) } else { Err(PayloadError::Summary) }
    }

    /// What a sealed payload is bound to: its stream, its place in it, and all that is public of it.
    fn bound_bytes(&self, number: u32) -> Vec<u8> {
        [
            SEAL_DOMAIN,
            &self.stream.0,
            &number.to_be_bytes(),
            &self.first_seq.to_be_bytes(),
            &self.count.to_be_bytes(),
            &self.time_min.to_be_bytes(),
            &self.time_max.to_be_bytes(),
        ]
        .concat()
    }
}

impl StreamKey {
    /// The key with these bytes.
    #[must_use]
    pub fn new(cipher: Cipher, number: u32, secret: [u8; 32]) -> Self {
        Self { cipher, number, secret: Zeroizing::new(secret) }
    }

    /// Draws a new key.
    #[must_use]
    pub fn generate(number: u32, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut key = Self::new(Cipher::ChaCha20Poly1305, number, [0; 32]);
        rng.fill_bytes(&mut key.secret[..]);
        key
    }

    /// Seals a payload of either form, which `header` announces. Returns the header and the bytes
    /// that stand for it on the ledger; none if the payload is longer than
    /// [`PAYLOAD_BYTES_MAX`] less [`SEALED_OVERHEAD_BYTES_MAX`].
    ///
    /// No pair of key and nonce seals two texts: the key is derived for the stream and the first
    /// sequence number, and the nonce follows from what is sealed, keyed. A batch that was refused
    /// and is made anew with other readings under the same number therefore has another nonce; the
    /// same batch has the same bytes. It needs no randomness and no memory of what was sealed.
    #[must_use]
    pub fn seal(&self, header: &BatchHeader, payload: &[u8]) -> Option<(BatchHeader, Vec<u8>)> {
        if payload.len() > PAYLOAD_BYTES_MAX - SEALED_OVERHEAD_BYTES_MAX {
            return None;
        }
        let (key, mac_key) = self.batch_keys(header)?;
        let bound = header.bound_bytes(self.number);
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(&mac_key[..]).ok()?;
        mac.update(&bound);
        mac.update(payload);
        let digest = mac.finalize().into_bytes();
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&digest[..12]);
        let mut text = Zeroizing::new(Vec::with_capacity(payload.len() + 2 * PAD_BYTES));
        text.extend_from_slice(payload);
        text.push(PAD_MARK);
        let padded = text.len().next_multiple_of(PAD_BYTES);
        text.resize(padded, 0);
        let cipher = ChaCha20Poly1305::new((&*key).into());
        cipher.encrypt_in_place((&nonce).into(), &bound, &mut *text).ok()?;
        let sealed = SealedPayload {
            cipher: self.cipher,
            key_number: self.number,
            nonce,
            ciphertext: core::mem::take(&mut *text),
        };
        let bytes = sealed.to_wire();
        let header = BatchHeader {
            min: None,
            max: None,
            sum: 0,
            payload_digest: blake3_digest(&bytes),
            payload_len: u32::try_from(bytes.len()).ok()?,
            ..header.clone()
        };
        Some((header, bytes))
    }

    /// Opens the sealed payload that `header` announces: its bytes before they were sealed, and the
    /// readings in them. Checks that count and times are what the header says.
    ///
    /// # Errors
    /// [`PayloadError`]; [`PayloadError::Sealed`] if it was sealed under another key.
    pub fn open(
        &self,
        header: &BatchHeader,
        bytes: &[u8],
    ) -> Result<(Vec<u8>, Payload), PayloadError> {
        let sealed = header.sealed(bytes)?;
        if sealed.key_number != self.number || sealed.cipher != self.cipher {
            return Err(PayloadError::Sealed);
        }
        let (key, _) = self.batch_keys(header).ok_or(PayloadError::Sealed)?;
        let bound = header.bound_bytes(self.number);
        let mut text = sealed.ciphertext;
        let cipher = ChaCha20Poly1305::new((&*key).into());
        cipher
            .decrypt_in_place((&sealed.nonce).into(), &bound, &mut text)
            .map_err(|_| PayloadError::Sealed)?;
        let end = text.iter().rposition(|byte| *byte != 0).unwrap_or_default();
        if text.get(end) != Some(&PAD_MARK) {
            return Err(PayloadError::Sealed);
        }
        text.truncate(end);
        let payload = Payload::read(&text).map_err(PayloadError::Wire)?;
        let inner = payload.header_for(header.stream, header.first_seq);
        let same = (inner.count, inner.time_min, inner.time_max)
            == (header.count, header.time_min, header.time_max);
        if same { Ok((text, payload)) } else { Err(PayloadError::Summary) }
    }

    /// The keys of one batch: to seal with, and to find the nonce with.
    fn batch_keys(&self, header: &BatchHeader) -> Option<(Secret, Secret)> {
        let info = [SEAL_DOMAIN, &header.stream.0, &header.first_seq.to_be_bytes()].concat();
        let mut both = Zeroizing::new([0; 64]);
        Hkdf::<Sha256>::new(None, &self.secret[..]).expand(&info, &mut both[..]).ok()?;
        let (mut key, mut mac_key) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        key.copy_from_slice(&both[..32]);
        mac_key.copy_from_slice(&both[32..]);
        Some((key, mac_key))
    }

    /// Wraps the key to a reader by HPKE (RFC 9180: base mode, DHKEM(X25519, HKDF-SHA256),
    /// HKDF-SHA256, ChaCha20-Poly1305), for this ledger, stream and reader only; none if the
    /// reader's key is no point that can be agreed with.
    #[must_use]
    pub fn share(
        &self,
        ledger: &LedgerId,
        stream: &StreamId,
        reader: EntityId,
        to: &AgreementKey,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Option<KeyShare> {
        let public = <X25519HkdfSha256 as hpke::Kem>::PublicKey::from_bytes(&to.0).ok()?;
        let bound = share_bytes(ledger, stream, self.number, &reader);
        let (enc, mut context) = hpke::setup_sender::<HpkeCipher, HkdfSha256, X25519HkdfSha256, _>(
            &OpModeS::Base,
            &public,
            SHARE_DOMAIN,
            rng,
        )
        .ok()?;
        let mut wrapped = [0; 48];
        let (text, tag_at) = wrapped.split_at_mut(32);
        text.copy_from_slice(&self.secret[..]);
        let tag = context.seal_in_place_detached(text, &bound).ok()?;
        tag_at.copy_from_slice(&tag.to_bytes());
        Some(KeyShare { reader, to: *to, enc: enc.to_bytes().into(), wrapped })
    }
}

/// Begins what a wrapped key is bound to, and is HPKE's `info`.
const SHARE_DOMAIN: &[u8] = b"althing/stream-key/1";
/// Begins what the secret of an agreement key is derived from.
const AGREEMENT_DOMAIN: &[u8] = b"althing/agreement/1";

fn share_bytes(ledger: &LedgerId, stream: &StreamId, number: u32, reader: &EntityId) -> Vec<u8> {
    [SHARE_DOMAIN, &ledger.0, &stream.0, &number.to_be_bytes(), &reader.0].concat()
}

/// The X25519 key to which keys of streams are wrapped for an entity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct AgreementKey(#[cbor(n(0), with = "fixed")] pub [u8; 32]);

impl fmt::Debug for AgreementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x25519:{}", hex::encode(self.0))
    }
}

/// The secret of an [`AgreementKey`]. It follows from the entity's signing key, so that a key file
/// holds both; who replaces the signing key keeps the old file to read what was shared before.
#[derive(Clone)]
pub struct AgreementSecret {
    secret: <X25519HkdfSha256 as hpke::Kem>::PrivateKey,
    public: AgreementKey,
}

impl fmt::Debug for AgreementSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AgreementSecret({:?}, secret)", self.public)
    }
}

impl AgreementSecret {
    /// The one that goes with a signing key: HPKE's `DeriveKeyPair` of `althing/agreement/1`, the
    /// suite's name and the secret.
    #[must_use]
    pub fn of(key: &SigningKey) -> Self {
        let material = [AGREEMENT_DOMAIN, key.suite().name().as_bytes(), key.secret()].concat();
        let material = Zeroizing::new(material);
        let (secret, public) = X25519HkdfSha256::derive_keypair(&material);
        Self { secret, public: AgreementKey(public.to_bytes().into()) }
    }

    /// The public key.
    #[must_use]
    pub const fn public_key(&self) -> AgreementKey {
        self.public
    }

    /// Unwraps a stream's key; none if it was wrapped to another key, or for another ledger, stream,
    /// number or reader.
    #[must_use]
    pub fn unwrap(
        &self,
        ledger: &LedgerId,
        stream: &StreamId,
        (cipher, number): (Cipher, u32),
        share: &KeyShare,
    ) -> Option<StreamKey> {
        let enc = <X25519HkdfSha256 as hpke::Kem>::EncappedKey::from_bytes(&share.enc).ok()?;
        let bound = share_bytes(ledger, stream, number, &share.reader);
        let mut context = hpke::setup_receiver::<HpkeCipher, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.secret,
            &enc,
            SHARE_DOMAIN,
        )
        .ok()?;
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(&share.wrapped[..32]);
        let tag = AeadTag::<HpkeCipher>::from_bytes(&share.wrapped[32..]).ok()?;
        context.open_in_place_detached(&mut secret[..], &bound, &tag).ok()?;
        Some(StreamKey::new(cipher, number, *secret))
    }
}

/// A stream's key, wrapped to one reader.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct KeyShare {
    /// The reader.
    #[n(0)]
    pub reader: EntityId,
    /// The reader's key that it was wrapped to.
    #[n(1)]
    pub to: AgreementKey,
    /// HPKE's encapsulated key.
    #[cbor(n(2), with = "fixed")]
    pub enc: [u8; 32],
    /// The key's 32 bytes, encrypted, and the tag.
    #[cbor(n(3), with = "fixed")]
    pub wrapped: [u8; 48],
}

/// Whether shares are 1 to [`STREAM_READERS_MAX`], ascending by reader.
#[must_use]
pub fn shares_within_bounds(shares: &[KeyShare]) -> bool {
    (1..=STREAM_READERS_MAX).contains(&shares.len())
        && shares.windows(2).all(|pair| pair[0].reader < pair[1].reader)
}

/// Something about the secrecy of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum StreamEvent {
    /// An entity says to which key streams' keys are to be wrapped for it.
    #[n(0)]
    AgreementKeySet {
        /// Whose.
        #[n(0)]
        entity: EntityId,
        /// The key.
        #[n(1)]
        key: AgreementKey,
    },
    /// A stream has a new key; with the first one it is confidential.
    #[n(1)]
    KeyRotated {
        /// Which.
        #[n(0)]
        stream: StreamId,
        /// Number of the key.
        #[n(1)]
        number: u32,
        /// How many readers have it.
        #[n(2)]
        readers: u32,
    },
    /// Payloads are to be deleted by all who hold them.
    #[n(3)]
    Erased {
        /// Of which stream.
        #[n(0)]
        stream: StreamId,
        /// Which erasure of the stream, from 0.
        #[n(1)]
        erasure: u32,
        /// First number.
        #[n(2)]
        first_seq: u64,
        /// Last number.
        #[n(3)]
        last_seq: u64,
    },
    /// A peer holds none of those payloads any more.
    #[n(4)]
    ErasureConfirmed {
        /// Of which stream.
        #[n(0)]
        stream: StreamId,
        /// Which erasure.
        #[n(1)]
        erasure: u32,
        /// Which peer.
        #[n(2)]
        holder: EntityId,
    },
    /// The owner says who keeps the payloads of a stream, and for how long.
    #[n(5)]
    Placed {
        /// Which.
        #[n(0)]
        stream: StreamId,
        /// Who, and for how long.
        #[n(1)]
        placement: Placement,
    },
    /// A key of a stream was given to readers.
    #[n(2)]
    KeyShared {
        /// Which.
        #[n(0)]
        stream: StreamId,
        /// Number of the key.
        #[n(1)]
        number: u32,
        /// To whom.
        #[n(2)]
        readers: Vec<EntityId>,
    },
}

#[cfg(test)]
mod tests;
