//! A short-lived token by which a device shows who it is, signed by its key of the ledger.

use althing_types::{EntityId, LedgerId, PublicKey, Signature, SigningKey};

/// What a client sends as its password:
/// `at1.` and in lower-case hex `entity(32) gateway(32) expires_s(8, big-endian) signature(64)`.
/// The signature is over `althing/mqtt-token/1`, the ledger and the first three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Who shows it.
    pub entity: EntityId,
    /// The gateway that it is for: no other takes it.
    pub gateway: EntityId,
    /// Until when, seconds since 1970.
    pub expires_s: u64,
    signature: Signature,
}

/// Longest life of a token, seconds: a day. One that is valid for longer is not taken.
pub const TOKEN_LIFE_S_MAX: u64 = 86_400;

const PREFIX: &str = "at1.";
const BYTES: usize = 32 + 32 + 8 + 64;

impl Token {
    /// Signs a token.
    #[must_use]
    pub fn sign(
        key: &SigningKey,
        ledger: &LedgerId,
        entity: EntityId,
        gateway: EntityId,
        expires_s: u64,
    ) -> Self {
        let signature = key.sign(&signed(ledger, &entity, &gateway, expires_s));
        Self { entity, gateway, expires_s, signature }
    }

    /// As it is sent.
    #[must_use]
    pub fn text(&self) -> String {
        let parts: [&[u8]; 4] =
            [&self.entity.0, &self.gateway.0, &self.expires_s.to_be_bytes(), &self.signature.0];
        let digits = parts.concat();
        digits.iter().fold(PREFIX.to_owned(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// Whether a password means to be a token.
    pub(crate) fn is_one(password: &[u8]) -> bool {
        password.starts_with(PREFIX.as_bytes())
    }

    /// Reads a token; none if it has not this form.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let digits = std::str::from_utf8(text).ok()?.strip_prefix(PREFIX)?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != 2 * BYTES || !digits.bytes().all(is_hex) {
            return None;
        }
        let byte = |at: usize| u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok();
        let bytes = (0..BYTES).map(byte).collect::<Option<Vec<u8>>>()?;
        Some(Self {
            entity: EntityId(bytes[..32].try_into().ok()?),
            gateway: EntityId(bytes[32..64].try_into().ok()?),
            expires_s: u64::from_be_bytes(bytes[64..72].try_into().ok()?),
            signature: Signature(bytes[72..].try_into().ok()?),
        })
    }

    /// Whether it is for this gateway, and neither over nor valid for longer than may be.
    pub(crate) fn is_for(&self, gateway: &EntityId, now_ms: i64) -> bool {
        let now_s = u64::try_from(now_ms / 1000).unwrap_or(0);
        let ends = now_s..=now_s.saturating_add(TOKEN_LIFE_S_MAX);
        self.gateway == *gateway && ends.contains(&self.expires_s)
    }

    /// Whether this key signed it for this ledger.
    pub(crate) fn is_signed_by(&self, ledger: &LedgerId, key: &PublicKey) -> bool {
        key.verify(&signed(ledger, &self.entity, &self.gateway, self.expires_s), &self.signature)
    }
}

fn signed(ledger: &LedgerId, entity: &EntityId, gateway: &EntityId, expires_s: u64) -> Vec<u8> {
    let parts: [&[u8]; 5] =
        [b"althing/mqtt-token/1", &ledger.0, &entity.0, &gateway.0, &expires_s.to_be_bytes()];
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use althing_types::Suite;

    #[test]
    fn a_token_is_good_for_its_gateway_ledger_key_and_time_only() {
        let key = SigningKey::from_secret(Suite::Ed25519, [1; 32]).unwrap();
        let (ledger, entity, gateway) = (LedgerId([2; 32]), EntityId([3; 32]), EntityId([4; 32]));
        let token = Token::sign(&key, &ledger, entity, gateway, 1_000);
        let text = token.text();
        assert_eq!(Token::read(text.as_bytes()).as_ref(), Some(&token));
        for (at_ms, is_good) in [(1_000_999, true), (1_001_000, false), (0, true)] {
            assert_eq!(token.is_for(&gateway, at_ms), is_good, "{at_ms}");
        }
        let long = Token::sign(&key, &ledger, entity, gateway, TOKEN_LIFE_S_MAX + 1);
        assert!(!long.is_for(&gateway, 0) && !token.is_for(&entity, 0));
        assert!(token.is_signed_by(&ledger, &key.public_key()));
        assert!(!token.is_signed_by(&LedgerId([9; 32]), &key.public_key()));
        let other = SigningKey::from_secret(Suite::Ed25519, [9; 32]).unwrap();
        assert!(!token.is_signed_by(&ledger, &other.public_key()));
        for wrong in ["", "at1.", "at1.00", &text.to_uppercase(), &text[..text.len() - 1]] {
            assert_eq!(Token::read(wrong.as_bytes()), None, "{wrong}");
        }
        // Any other digit is another token, which the key did not sign.
        for at in 4..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            let changed = Token::read(&bytes).unwrap();
            assert!(!changed.is_signed_by(&ledger, &key.public_key()), "{at}");
        }
    }
}
