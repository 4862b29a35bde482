//! What a reader shows a peer to say who it is: a short-lived statement under its key.

use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    EntityId, LedgerId, PublicKey, Signature, SigningKey, Wire, WireError, limits::NAME_BYTES_MAX,
    wire::encode,
};

/// Who reads, at which peer, what for, until when. Nothing in it is secret; it is of no use at
/// another peer, on another ledger or later.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Reader {
    /// The ledger.
    #[n(0)]
    pub ledger: LedgerId,
    /// Voting key of the peer that is asked.
    #[cbor(n(1), with = "crate::wire::fixed")]
    pub peer: [u8; 32],
    /// Who reads.
    #[n(2)]
    pub entity: EntityId,
    /// What for; empty if that is not said.
    #[n(3)]
    pub purpose: String,
    /// Until when this counts, milliseconds since 1970.
    #[n(4)]
    pub until_ms: u64,
}

impl Reader {
    /// What the reader signs. Bound to this use, so that the signature is of no use elsewhere.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"althing/reader/1".to_vec();
        bytes.extend_from_slice(&encode(self));
        bytes
    }

    /// The token that says so.
    #[must_use]
    pub fn sign(self, key: &SigningKey) -> ReaderToken {
        let signature = key.sign(&self.signed_bytes());
        ReaderToken { reader: self, signature }
    }
}

/// A [`Reader`] with its signature; in hex, the bearer token of a request (RFC 6750).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ReaderToken {
    /// Who reads.
    #[n(0)]
    pub reader: Reader,
    /// Of [`Reader::signed_bytes`], by the reader's present key.
    #[n(1)]
    pub signature: Signature,
}

impl Wire for ReaderToken {
    const BYTES_MAX: usize = 320;

    fn validate(&self) -> Result<(), WireError> {
        let purpose = &self.reader.purpose;
        if purpose.len() > NAME_BYTES_MAX || purpose.chars().any(char::is_control) {
            return Err(WireError::OutOfBounds("purpose"));
        }
        Ok(())
    }
}

impl ReaderToken {
    /// Whether the signature is that of a key.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.verify(&self.reader.signed_bytes(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Suite;

    #[test]
    fn a_token_is_of_no_use_for_anything_else() {
        let reader = Reader {
            ledger: LedgerId([1; 32]),
            peer: [2; 32],
            entity: EntityId([3; 32]),
            purpose: "billing".into(),
            until_ms: 7,
        };
        for suite in [Suite::Ed25519, Suite::P256] {
            let key = SigningKey::from_secret(suite, [9; 32]).unwrap();
            let token = reader.clone().sign(&key);
            assert_eq!(ReaderToken::from_wire(&token.to_wire()), Ok(token.clone()));
            let public = key.public_key();
            assert!(token.is_signed_by(&public));
            let others = [
                Reader { ledger: LedgerId([9; 32]), ..reader.clone() },
                Reader { peer: [9; 32], ..reader.clone() },
                Reader { entity: EntityId([9; 32]), ..reader.clone() },
                Reader { purpose: "spying".into(), ..reader.clone() },
                Reader { until_ms: 8, ..reader.clone() },
            ];
            for reader in others {
                assert!(!ReaderToken { reader, ..token.clone() }.is_signed_by(&public));
            }
        }
        let long = Reader { purpose: "x".repeat(NAME_BYTES_MAX + 1), ..reader };
        let key = SigningKey::from_secret(Suite::Ed25519, [9; 32]).unwrap();
        assert!(ReaderToken::from_wire(&long.sign(&key).to_wire()).is_err());
    }
}
