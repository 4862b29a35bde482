use althing_client::model::{
    Account, DidDocument, Entity, Hex, Key, KeyVersion, Multikey, ServiceEndpoint,
    VerificationMethod,
};
use althing_peer::query;
use althing_proof::record::EntityRecord;
use althing_types::{EntityId, PublicKey, Suite, ThingId};

use crate::service::Service;

const DID_CONTEXT: &str = "https://www.w3.org/ns/did/v1";
const MULTIKEY_CONTEXT: &str = "https://w3id.org/security/multikey/v1";

impl Service {
    pub(crate) fn account(&self, id: &EntityId, state: &query::AccountState) -> Account {
        Account {
            entity: self.did(id),
            next_nonce: state.next_nonce,
            nonce_end: state.nonce_end,
            waiting: u32::try_from(state.waiting).unwrap_or(u32::MAX),
            height: state.height,
            active: state.active,
        }
    }

    pub(crate) fn entity(&self, id: &EntityId, record: &EntityRecord) -> Entity {
        Entity {
            id: self.did(id),
            hex: Hex(*id),
            kind: record.inception.kind.name().to_owned(),
            name: record.inception.name.clone(),
            owner: record.owner.map(|owner| self.did(&owner)),
            active: record.revoked.is_none(),
            key: Key::from(&record.key),
            key_version: record.key_version,
            registered: record.registered_height,
        }
    }

    pub(crate) fn key_version(key: &query::KeyVersion) -> KeyVersion {
        KeyVersion {
            version: key.version,
            key: Key::from(&key.key),
            from_height: key.since_height,
            until_height: key.until_height,
        }
    }

    /// The DID document of an entity: its present key, unless it was revoked.
    pub(crate) fn entity_document(&self, id: &EntityId, record: &EntityRecord) -> DidDocument {
        let did = self.did(id);
        let method = format!("{did}#key-{}", record.key_version);
        let methods: Vec<String> = record.revoked.is_none().then_some(method).into_iter().collect();
        let verification_method = methods.iter().map(|method| VerificationMethod {
            id: method.clone(),
            kind: "Multikey".to_owned(),
            controller: did.clone(),
            public_key_multibase: multikey(&record.key),
        });
        DidDocument {
            context: vec![DID_CONTEXT.to_owned(), MULTIKEY_CONTEXT.to_owned()],
            verification_method: verification_method.collect(),
            controller: record.owner.map(|owner| self.did(&owner)),
            authentication: methods.clone(),
            assertion_method: methods,
            service: Vec::new(),
            id: did,
        }
    }

    /// The DID document of a thing, which leads to its description (W3C WoT Discovery).
    pub(crate) fn thing_document(&self, id: &ThingId, owner: &EntityId) -> DidDocument {
        let did = self.thing_did(id);
        let service = ServiceEndpoint {
            id: format!("{did}#description"),
            kind: "WotThing".to_owned(),
            service_endpoint: format!("/v1/things/{did}/description"),
        };
        DidDocument {
            context: vec![
                DID_CONTEXT.to_owned(),
                "https://www.w3.org/2022/wot/discovery-did".to_owned(),
            ],
            controller: Some(self.did(owner)),
            verification_method: Vec::new(),
            authentication: Vec::new(),
            assertion_method: Vec::new(),
            service: vec![service],
            id: did,
        }
    }
}

/// A key as W3C Multikey: base58btc of its multicodec prefix and its bytes.
pub(crate) fn multikey(key: &PublicKey) -> Multikey {
    let prefix: [u8; 2] = match key.suite {
        Suite::Ed25519 => [0xed, 0x01],
        Suite::P256 => [0x80, 0x24],
    };
    let bytes = [prefix.as_slice(), &key.bytes].concat();
    Multikey(format!("z{}", bs58::encode(bytes).into_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the `did:key` specification, whose identifier is a Multikey.
    #[test]
    fn keys_are_written_as_other_tools_read_them() {
        let public = "2e6fcce36701dc791488e0d0b1745cc1e33a4c1c9fcc41c63bd343dbbe0970e6";
        let key = PublicKey { suite: Suite::Ed25519, bytes: hex::decode(public).unwrap() };
        let expected = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
        assert_eq!(multikey(&key).0, expected);
    }
}
