use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    EntityId, LedgerId, PublicKey, Wire, WireError, digest::hash, limits::NAME_BYTES_MAX,
    wire::encode,
};

/// What an entity is (Y.4464 3.2.3, 10): whoever acts on the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum EntityKind {
    /// A member of the network that owns peers, things and other entities.
    #[n(0)]
    Organisation,
    /// The BoT peer of an organisation, as it signs transactions (its vote has a key of its own).
    #[n(1)]
    Peer,
    /// An IoT gateway that submits for the things bound to it.
    #[n(2)]
    Gateway,
    /// A device that signs for itself.
    #[n(3)]
    Device,
    /// An application that reads data or commands devices.
    #[n(4)]
    Service,
    /// A person.
    #[n(5)]
    Person,
    /// A reader with the right to audit.
    #[n(6)]
    Auditor,
}

impl EntityKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Organisation,
        Self::Peer,
        Self::Gateway,
        Self::Device,
        Self::Service,
        Self::Person,
        Self::Auditor,
    ];

    /// Name in text, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Peer => "peer",
            Self::Gateway => "gateway",
            Self::Device => "device",
            Self::Service => "service",
            Self::Person => "person",
            Self::Auditor => "auditor",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The record an entity begins with; its digest is the entity's id for ever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Inception {
    /// What it is.
    #[n(0)]
    pub kind: EntityKind,
    /// Its name among people: 1 to [`NAME_BYTES_MAX`] bytes, no control characters; not unique.
    #[n(1)]
    pub name: String,
    /// Its first key.
    #[n(2)]
    pub key: PublicKey,
}

impl Wire for Inception {
    const BYTES_MAX: usize = 256;

    fn validate(&self) -> Result<(), WireError> {
        if !is_name(&self.name) {
            return Err(WireError::OutOfBounds("name"));
        }
        if !self.key.is_valid() {
            return Err(WireError::OutOfBounds("key"));
        }
        Ok(())
    }
}

impl Inception {
    /// The id of the entity that begins so.
    #[must_use]
    pub fn id(&self) -> EntityId {
        EntityId(hash("althing/entity/1", &[&encode(self)]))
    }
}

/// What the holder of `key` signs to show that it holds it, when the key enters the ledger as a
/// key of `entity`. Bound to ledger and entity, so that the signature is of no use elsewhere.
#[must_use]
pub fn possession_bytes(ledger: &LedgerId, entity: &EntityId, key: &PublicKey) -> Vec<u8> {
    let mut bytes = b"althing/possession/1".to_vec();
    bytes.extend_from_slice(&ledger.0);
    bytes.extend_from_slice(&entity.0);
    bytes.extend_from_slice(&encode(key));
    bytes
}

/// Whether a text can be a name: 1 to [`NAME_BYTES_MAX`] bytes without control characters.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}
