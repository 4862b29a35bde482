//! Where a peer is reached, as it says itself: other peers hand it on, and members need not vote on it.

use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    LedgerId, PublicKey, Signature, SigningKey, Wire, WireError, governance::is_address,
    limits::PEER_ADDRESSES_MAX, wire::encode,
};

/// Where a peer listens. It says who may be found there, and nothing of who may take part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PeerAddress {
    /// The ledger.
    #[n(0)]
    pub ledger: LedgerId,
    /// The peer's voting key (Ed25519).
    #[cbor(n(1), with = "crate::wire::fixed")]
    pub key: [u8; 32],
    /// Of two that a peer signed the one with the higher number counts: milliseconds since 1970, or one
    /// more than it ever signed.
    #[n(2)]
    pub number: u64,
    /// `host:port`, at most [`ADDRESS_BYTES_MAX`](crate::limits::ADDRESS_BYTES_MAX) bytes.
    #[n(3)]
    pub address: String,
}

impl PeerAddress {
    /// What the peer signs. Bound to this use, so that the signature is of no use elsewhere.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = b"althing/peer-address/1".to_vec();
        bytes.extend_from_slice(&encode(self));
        bytes
    }

    /// The same with its signature.
    #[must_use]
    pub fn sign(self, key: &SigningKey) -> SignedAddress {
        let signature = key.sign(&self.signed_bytes());
        SignedAddress { told: self, signature }
    }
}

/// A [`PeerAddress`] with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignedAddress {
    /// Where the peer listens.
    #[n(0)]
    pub told: PeerAddress,
    /// Of [`PeerAddress::signed_bytes`], by the peer's voting key.
    #[n(1)]
    pub signature: Signature,
}

impl SignedAddress {
    /// Whether the peer that it speaks of signed it.
    #[must_use]
    pub fn holds(&self) -> bool {
        let key = PublicKey::ed25519(self.told.key);
        key.verify(&self.told.signed_bytes(), &self.signature)
    }
}

/// What peers tell each other of addresses: at most [`PEER_ADDRESSES_MAX`] at a time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct PeerAddresses(#[n(0)] pub Vec<SignedAddress>);

impl Wire for PeerAddresses {
    const BYTES_MAX: usize = 4 + 420 * PEER_ADDRESSES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        if self.0.len() > PEER_ADDRESSES_MAX {
            return Err(WireError::OutOfBounds("addresses"));
        }
        match self.0.iter().all(|one| is_address(&one.told.address)) {
            true => Ok(()),
            false => Err(WireError::OutOfBounds("address")),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, vec};

    use super::*;
    use crate::{Suite, limits::ADDRESS_BYTES_MAX};

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_secret(Suite::Ed25519, [seed; 32]).unwrap()
    }

    fn told(address: &str) -> PeerAddress {
        let public = key(9).public_key().bytes.try_into().unwrap();
        let address = address.into();
        PeerAddress { ledger: LedgerId([1; 32]), key: public, number: u64::MAX, address }
    }

    #[test]
    fn an_address_is_the_peers_own_word_and_of_no_other_use() {
        let signed = told("10.0.0.7:26000").sign(&key(9));
        assert!(signed.holds());
        assert!(!told("10.0.0.7:26000").sign(&key(8)).holds(), "signed by another");
        let others = [
            PeerAddress { ledger: LedgerId([2; 32]), ..signed.told.clone() },
            PeerAddress { key: [7; 32], ..signed.told.clone() },
            PeerAddress { number: 1, ..signed.told.clone() },
            PeerAddress { address: "10.0.0.8:26000".into(), ..signed.told.clone() },
        ];
        for told in others {
            assert!(!SignedAddress { told, ..signed.clone() }.holds());
        }
    }

    #[test]
    fn as_many_as_may_be_of_the_longest_fit_and_hostile_ones_are_refused() {
        let host = "x".repeat(ADDRESS_BYTES_MAX - 6);
        let longest = told(&format!("{host}:65535")).sign(&key(9));
        let full = PeerAddresses(vec![longest.clone(); PEER_ADDRESSES_MAX]);
        assert_eq!(PeerAddresses::from_wire(&full.to_wire()), Ok(full));
        let many = PeerAddresses(vec![longest; PEER_ADDRESSES_MAX + 1]);
        assert!(PeerAddresses::from_wire(&encode(&many)).is_err());
        for address in ["", ":1", "host", "host:0", "host:65536", "a b:1", "h\u{7f}:1"] {
            let one = PeerAddresses(vec![told(address).sign(&key(9))]);
            assert!(PeerAddresses::from_wire(&encode(&one)).is_err(), "{address:?}");
        }
    }
}
