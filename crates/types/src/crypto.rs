//! Keys and signatures of entities, each naming its suite.
//!
//! Ed25519 follows the ZIP-215 rules, under which checking one by one and in batches always agree
//! (RFC 8032 leaves that open, and peers that disagree about a signature would fork). P-256 is
//! ECDSA with SHA-256 (FIPS 186-5) and low S only, so that a signature has one form.

use alloc::vec::Vec;
use core::fmt;

use ed25519_zebra as ed25519;
use minicbor::{Decode, Encode};
use p256::ecdsa::{
    self as p256ecdsa,
    signature::{Signer as _, Verifier as _},
};
use rand_chacha_0_10::{ChaCha20Rng, rand_core::SeedableRng as _};
use rand_core::{CryptoRng, RngCore};
use zeroize::Zeroizing;

/// An algorithm for signatures, named in every key and signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Suite {
    /// Ed25519 (RFC 8032, ZIP-215 acceptance); COSE algorithm -8.
    #[n(1)]
    Ed25519,
    /// ECDSA on P-256 with SHA-256, low S; COSE algorithm -7.
    #[n(2)]
    P256,
}

impl Suite {
    /// The algorithm number in COSE headers (RFC 9053 §2).
    #[must_use]
    pub const fn cose(self) -> i8 {
        match self {
            Self::Ed25519 => -8,
            Self::P256 => -7,
        }
    }

    /// The suite with this COSE algorithm number.
    #[must_use]
    pub const fn from_cose(algorithm: i8) -> Option<Self> {
        match algorithm {
            -8 => Some(Self::Ed25519),
            -7 => Some(Self::P256),
            _ => None,
        }
    }

    /// Name in text: `ed25519` or `p256`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
        }
    }

    /// The suite with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ed25519, Self::P256].into_iter().find(|suite| suite.name() == name)
    }
}

/// A public key: 32 bytes (Ed25519) or the 33 bytes of a compressed point (P-256).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct PublicKey {
    /// Its suite.
    #[n(0)]
    pub suite: Suite,
    /// Its bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.suite.name(), hex::encode(&self.bytes))
    }
}

impl PublicKey {
    /// An Ed25519 key.
    #[must_use]
    pub fn ed25519(bytes: [u8; 32]) -> Self {
        Self { suite: Suite::Ed25519, bytes: bytes.to_vec() }
    }

    /// Whether the bytes are a key of the suite at all.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        match self.suite {
            Suite::Ed25519 => ed25519::VerificationKey::try_from(&self.bytes[..]).is_ok(),
            Suite::P256 => {
                self.bytes.len() == 33
                    && p256ecdsa::VerifyingKey::from_sec1_bytes(&self.bytes).is_ok()
            }
        }
    }

    /// Whether `signature` by this key covers `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        match self.suite {
            Suite::Ed25519 => {
                ed25519::VerificationKey::try_from(&self.bytes[..]).is_ok_and(|key| {
                    key.verify(&ed25519::Signature::from_bytes(&signature.0), message).is_ok()
                })
            }
            Suite::P256 => verify_p256(&self.bytes, message, signature),
        }
    }
}

fn verify_p256(key: &[u8], message: &[u8], signature: &Signature) -> bool {
    let (33, Ok(key), Ok(signature)) = (
        key.len(),
        p256ecdsa::VerifyingKey::from_sec1_bytes(key),
        p256ecdsa::Signature::from_slice(&signature.0),
    ) else {
        return false;
    };
    // The other S verifies too; accepting it would give one transaction two ids.
    signature.normalize_s().is_none() && key.verify(message, &signature).is_ok()
}

/// A signature: 64 bytes in both suites (R and S).
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Signature(#[cbor(n(0), with = "crate::wire::fixed")] pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({}..)", hex::encode(&self.0[..4]))
    }
}

/// A secret key; wiped from memory when dropped, never printed.
#[derive(Clone)]
pub struct SigningKey {
    suite: Suite,
    secret: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, secret)", self.suite.name())
    }
}

impl SigningKey {
    /// Draws a new key.
    #[must_use]
    pub fn generate(suite: Suite, rng: &mut (impl RngCore + CryptoRng)) -> Self {
        loop {
            let mut secret = Zeroizing::new([0; 32]);
            rng.fill_bytes(&mut secret[..]);
            // One P-256 draw in 2^32 is not a scalar of the group.
            if let Some(key) = Self::from_secret(suite, *secret) {
                return key;
            }
        }
    }

    /// The key with these secret bytes; `None` if they are no key of the suite.
    #[must_use]
    pub fn from_secret(suite: Suite, secret: [u8; 32]) -> Option<Self> {
        if suite == Suite::P256 {
            p256ecdsa::SigningKey::from_slice(&secret).ok()?;
        }
        Some(Self { suite, secret: Zeroizing::new(secret) })
    }

    /// The suite.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The secret bytes, for a key file and nothing else.
    #[must_use]
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The public key.
    ///
    /// # Panics
    /// Never: the constructors admit only secrets of the suite.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let bytes = match self.suite {
            Suite::Ed25519 => {
                let key = ed25519::SigningKey::from(*self.secret);
                ed25519::VerificationKeyBytes::from(&key).as_ref().to_vec()
            }
            Suite::P256 => self.p256().verifying_key().to_encoded_point(true).as_bytes().to_vec(),
        };
        PublicKey { suite: self.suite, bytes }
    }

    /// Signs a message. Deterministic (RFC 8032; RFC 6979), so it needs no randomness.
    ///
    /// # Panics
    /// Never: the constructors admit only secrets of the suite.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        match self.suite {
            Suite::Ed25519 => {
                Signature(ed25519::SigningKey::from(*self.secret).sign(message).to_bytes())
            }
            Suite::P256 => {
                let signature: p256ecdsa::Signature = self.p256().sign(message);
                let signature = signature.normalize_s().unwrap_or(signature);
                Signature(signature.to_bytes().into())
            }
        }
    }

    fn p256(&self) -> p256ecdsa::SigningKey {
        match p256ecdsa::SigningKey::from_slice(&self.secret[..]) {
            Ok(key) => key,
            Err(_) => unreachable!("checked by the constructors"),
        }
    }
}

/// One signature to be checked: a key, what was signed, the signature.
#[derive(Debug, Clone)]
pub struct Check {
    /// The key.
    pub key: PublicKey,
    /// The bytes that were signed.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

/// Checks many signatures at once and says which hold, in order.
///
/// Ed25519 signatures go through one batch equation, a third of the cost of single checks. If it
/// fails, halves of it are tried, so that one wrong signature costs a few more equations and not as
/// many checks as there are signatures; where most are wrong, each is checked alone.
///
/// From `blinding` follow the random factors of the equations: 32 bytes that nobody could foresee who
/// chose a signature, so drawn anew or a digest of all that is checked. If the signatures hold or not
/// does not depend on them.
#[must_use]
pub fn verify_batch(checks: &[Check], blinding: [u8; 32]) -> Vec<bool> {
    let mut rng = ChaCha20Rng::from_seed(blinding);
    let mut verdicts = Vec::with_capacity(checks.len());
    let mut batched = Vec::with_capacity(checks.len());
    for (index, check) in checks.iter().enumerate() {
        let item = batch_item(check);
        // What cannot be batched is settled here; the others are when their equation is.
        verdicts.push(item.is_none() && check.holds());
        batched.extend(item.map(|item| (index, item)));
    }
    let mut equations = EQUATIONS_MAX;
    settle(checks, &batched, &mut equations, &mut rng, &mut verdicts);
    verdicts
}

/// Fewest signatures for which an equation pays.
const BATCH_MIN: usize = 4;
/// Most equations for one batch: enough to find a handful of wrong signatures. A flood of wrong ones
/// costs little more than checking each alone.
const EQUATIONS_MAX: usize = 64;

type Item = (usize, ed25519::batch::Item);

/// An Ed25519 signature as the equation takes it; none for other suites and malformed keys.
fn batch_item(check: &Check) -> Option<ed25519::batch::Item> {
    let is_ed25519 = check.key.suite == Suite::Ed25519;
    let key = ed25519::VerificationKeyBytes::try_from(&check.key.bytes[..]).ok();
    let signature = ed25519::Signature::from_bytes(&check.signature.0);
    key.filter(|_| is_ed25519).map(|key| (key, signature, &check.message).into())
}

fn settle(
    checks: &[Check],
    items: &[Item],
    equations: &mut usize,
    rng: &mut ChaCha20Rng,
    verdicts: &mut [bool],
) {
    if items.len() < BATCH_MIN || *equations == 0 {
        return items.iter().for_each(|(index, _)| verdicts[*index] = checks[*index].holds());
    }
    *equations -= 1;
    let mut batch = ed25519::batch::Verifier::new();
    items.iter().for_each(|(_, item)| batch.queue(item.clone()));
    if batch.verify(&mut *rng).is_ok() {
        return items.iter().for_each(|(index, _)| verdicts[*index] = true);
    }
    let (left, right) = items.split_at(items.len() / 2);
    settle(checks, left, equations, rng, verdicts);
    settle(checks, right, equations, rng, verdicts);
}

impl Check {
    /// Whether the signature holds, checked alone.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.key.verify(&self.message, &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(suite: Suite, seed: u8) -> SigningKey {
        SigningKey::from_secret(suite, [seed; 32]).unwrap()
    }

    #[test]
    fn each_suite_signs_verifies_and_rejects_any_flipped_byte() {
        for suite in [Suite::Ed25519, Suite::P256] {
            let (secret, message) = (key(suite, 3), b"a reading".as_slice());
            let (public, signature) = (secret.public_key(), secret.sign(message));
            assert!(public.is_valid() && public.verify(message, &signature), "{suite:?}");
            assert!(!public.verify(b"another", &signature), "{suite:?}");
            for position in 0..64 {
                let mut flipped = signature;
                flipped.0[position] ^= 1;
                assert!(!public.verify(message, &flipped), "{suite:?} byte {position}");
            }
        }
    }

    #[test]
    fn known_answers() {
        // RFC 8032 §7.1, test 2.
        let secret = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        let secret: [u8; 32] = hex::decode(secret).unwrap().try_into().unwrap();
        let key = SigningKey::from_secret(Suite::Ed25519, secret).unwrap();
        assert_eq!(
            hex::encode(key.public_key().bytes),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        assert!(hex::encode(key.sign(&[0x72]).0).starts_with("92a009a9f0d4cab8720e820b5f642540"));
        // RFC 6979 A.2.5, message "sample", SHA-256; its S is high, so ours is the other one.
        let secret = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
        let secret: [u8; 32] = hex::decode(secret).unwrap().try_into().unwrap();
        let key = SigningKey::from_secret(Suite::P256, secret).unwrap();
        let signature = key.sign(b"sample");
        assert_eq!(
            hex::encode(&signature.0[..32]),
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        );
        assert!(key.public_key().verify(b"sample", &signature));
    }

    #[test]
    fn the_other_s_of_p256_is_refused() {
        let secret = key(Suite::P256, 9);
        let good = secret.sign(b"m");
        let parsed = p256ecdsa::Signature::from_slice(&good.0).unwrap();
        let (r, s) = parsed.split_scalars();
        let high = p256ecdsa::Signature::from_scalars(r, -s).unwrap();
        assert!(!secret.public_key().verify(b"m", &Signature(high.to_bytes().into())));
    }

    /// Where RFC 8032 leaves open what holds, ZIP 215 says that it does: with keys and R of small order, in
    /// every form of them, S being zero. Peers whose processors, and so whose code, differ must agree on it.
    #[test]
    fn what_libraries_differ_on_holds_alone_and_in_a_batch() {
        let zero_or_one = [(0, 0, 0), (0, 0, 0x80), (1, 0, 0), (1, 0, 0x80)];
        let near_the_prime =
            [0xec, 0xed, 0xee].map(|first| [(first, 0xff, 0x7f), (first, 0xff, 0xff)]);
        let mut forms = Vec::new();
        for (first, between, last) in
            zero_or_one.into_iter().chain(near_the_prime.into_iter().flatten())
        {
            let mut form = [between; 32];
            (form[0], form[31]) = (first, last);
            forms.push(form);
        }
        for of_order_8 in [
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        ] {
            let mut form: [u8; 32] = hex::decode(of_order_8).unwrap().try_into().unwrap();
            forms.push(form);
            form[31] |= 0x80;
            forms.push(form);
        }
        assert_eq!(forms.len(), 14);
        // The order of the group: as S, it is zero written otherwise.
        let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
        let order: [u8; 32] = hex::decode(order).unwrap().try_into().unwrap();
        let check = |key: &[u8; 32], r: &[u8; 32], s: [u8; 32]| {
            let signature = Signature([*r, s].concat().try_into().unwrap());
            Check { key: PublicKey::ed25519(*key), message: b"any".to_vec(), signature }
        };
        let pairs = || forms.iter().flat_map(|key| forms.iter().map(move |r| (key, r)));
        let holding: Vec<Check> = pairs().map(|(key, r)| check(key, r, [0; 32])).collect();
        let failing: Vec<Check> = pairs().map(|(key, r)| check(key, r, order)).collect();
        assert!(holding.iter().all(Check::holds) && !failing.iter().any(Check::holds));
        assert_eq!(verify_batch(&holding, [7; 32]), [true; 196]);
        let mixed: Vec<Check> = holding.into_iter().chain(failing).collect();
        let expected: Vec<bool> = (0..392).map(|index| index < 196).collect();
        assert_eq!(verify_batch(&mixed, [7; 32]), expected);
    }

    #[test]
    fn a_batch_names_the_wrong_ones() {
        let mut checks: Vec<Check> = (1..9_u8)
            .map(|seed| {
                let suite = if seed % 3 == 0 { Suite::P256 } else { Suite::Ed25519 };
                let key = key(suite, seed);
                let signature = key.sign(&[seed]);
                Check { key: key.public_key(), message: [seed].to_vec(), signature }
            })
            .collect();
        assert_eq!(verify_batch(&checks, [1; 32]), [true; 8]);
        checks[2].message.push(0);
        checks[4].signature.0[0] ^= 1;
        checks[6].key.bytes.pop();
        let verdicts = verify_batch(&checks, [1; 32]);
        assert_eq!(verdicts, [true, true, false, true, false, true, false, true]);
    }

    /// Found by its halves, a wrong signature must be named wherever it stands, and however many
    /// there are; past the bound on equations each is checked alone.
    #[test]
    fn halving_names_any_set_of_wrong_ones() {
        let key = key(Suite::Ed25519, 1);
        let good: Vec<Check> = (0..150_u8)
            .map(|seed| {
                let signature = key.sign(&[seed]);
                Check { key: key.public_key(), message: [seed].to_vec(), signature }
            })
            .collect();
        let every = |step: usize| (0..good.len()).map(move |index| index % step == step - 1);
        let none = core::iter::repeat_n(false, good.len());
        let last = (0..good.len()).map(|index| index == 149);
        for wrong in
            [none.collect::<Vec<_>>(), last.collect(), every(3).collect(), every(70).collect()]
        {
            let mut checks = good.clone();
            for (check, wrong) in checks.iter_mut().zip(&wrong) {
                check.signature.0[0] ^= u8::from(*wrong);
            }
            let expected: Vec<bool> = wrong.iter().map(|wrong| !wrong).collect();
            assert_eq!(verify_batch(&checks, [1; 32]), expected);
        }
    }
}
