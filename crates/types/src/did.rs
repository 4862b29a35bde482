use alloc::{
    format,
    string::{String, ToString},
};
use core::fmt;

use crate::{EntityId, ThingId};

/// A W3C Decentralized Identifier of this method: `did:althing:<network>:<base58btc of 32 bytes>`.
///
/// It names an entity or a thing; which of the two, the ledger knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Did {
    /// Name of the network, as in its genesis: 1 to 32 of `a-z`, `0-9` and `-`.
    pub network: String,
    /// The 32-byte id.
    pub id: [u8; 32],
}

/// Why a text is no DID of this method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DidError {
    /// Does not begin with `did:althing:`.
    #[error("a DID here begins with did:althing:")]
    Method,
    /// The network part is missing or has other characters than `a-z`, `0-9`, `-`.
    #[error("the network part must be 1 to 32 of a-z, 0-9 and -")]
    Network,
    /// The last part is not base58btc of 32 bytes.
    #[error("the last part must be base58 (Bitcoin alphabet) of 32 bytes")]
    Id,
}

impl Did {
    /// The DID of an entity.
    #[must_use]
    pub fn entity(network: &str, id: &EntityId) -> Self {
        Self { network: network.to_string(), id: id.0 }
    }

    /// The DID of a thing.
    #[must_use]
    pub fn thing(network: &str, id: &ThingId) -> Self {
        Self { network: network.to_string(), id: id.0 }
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`DidError`] naming the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, DidError> {
        let rest = text.strip_prefix("did:althing:").ok_or(DidError::Method)?;
        let (network, id) = rest.split_once(':').ok_or(DidError::Network)?;
        if !is_network_name(network) {
            return Err(DidError::Network);
        }
        let mut bytes = [0; 32];
        match bs58::decode(id).onto(&mut bytes[..]) {
            Ok(32) => {}
            _ => return Err(DidError::Id),
        }
        let did = Self { network: network.to_string(), id: bytes };
        // base58 of a fixed length has one text; anything else would be a second name.
        if did.to_string() == text { Ok(did) } else { Err(DidError::Id) }
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id: String = bs58::encode(&self.id).into_string();
        f.write_str(&format!("did:althing:{}:{id}", self.network))
    }
}

/// Whether a text can name a network: 1 to 32 of `a-z`, `0-9` and `-`.
pub(crate) fn is_network_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_has_one_spelling() {
        let did = Did { network: "demo".into(), id: [7; 32] };
        let text = did.to_string();
        assert_eq!(Did::parse(&text), Ok(did));
        for (wrong, error) in [
            ("did:web:example", DidError::Method),
            ("did:althing:demo", DidError::Network),
            ("did:althing:Demo:1", DidError::Network),
            ("did:althing:demo:0OIl", DidError::Id),
            ("did:althing:demo:1", DidError::Id),
        ] {
            assert_eq!(Did::parse(wrong), Err(error), "{wrong}");
        }
    }
}
