//! Values of the state that a proof opens: entities, their keys, things, bindings, access
//! policies and grants.
//!
//! The ledger writes them, a verifier reads them; the value at a raw [`key`](crate::key) is the
//! canonical encoding of the record and nothing else.

use alloc::string::String;

use althing_types::{
    Access, AccessPolicy, Digest, EntityId, Inception, PublicKey, Wire, WireError, limits,
};
use minicbor::{Decode, Encode};

/// What the ledger knows of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EntityRecord {
    /// How it began; the entity's id is the digest of this.
    #[n(0)]
    pub inception: Inception,
    /// Who owns it; none for an organisation.
    #[n(1)]
    pub owner: Option<EntityId>,
    /// Its present key.
    #[n(2)]
    pub key: PublicKey,
    /// Version of the present key; the first key has version 1.
    #[n(3)]
    pub key_version: u32,
    /// Height at which the present key took effect.
    #[n(4)]
    pub key_since_height: u64,
    /// Height at which it was registered.
    #[n(5)]
    pub registered_height: u64,
    /// Height at which it was revoked, if it was: nothing it signs counts in later blocks.
    #[n(6)]
    pub revoked: Option<u64>,
}

impl Wire for EntityRecord {
    const BYTES_MAX: usize = 512;

    fn validate(&self) -> Result<(), WireError> {
        self.inception.validate()?;
        if !self.key.is_valid() {
            return Err(WireError::OutOfBounds("key"));
        }
        Ok(())
    }
}

/// A key that an entity had and replaced, so that what it signed then stays checkable.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct KeyRecord {
    /// The key.
    #[n(0)]
    pub key: PublicKey,
    /// Height at which it took effect.
    #[n(1)]
    pub since_height: u64,
    /// Height of the block that replaced it: the last in which its signatures count.
    #[n(2)]
    pub until_height: u64,
}

impl Wire for KeyRecord {
    const BYTES_MAX: usize = 96;

    fn validate(&self) -> Result<(), WireError> {
        if !self.key.is_valid() {
            return Err(WireError::OutOfBounds("key"));
        }
        if self.since_height > self.until_height {
            return Err(WireError::OutOfBounds("until_height"));
        }
        Ok(())
    }
}

/// What the ledger knows of a thing; its description itself is kept beside the state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ThingRecord {
    /// Who owns it.
    #[n(0)]
    pub owner: EntityId,
    /// The owner's name for it; owner and name make its id.
    #[n(1)]
    pub name: String,
    /// Version of its description; the first has version 1.
    #[n(2)]
    pub version: u32,
    /// SHA-256 of its description, JSON text as submitted.
    #[n(3)]
    pub description_digest: Digest,
    /// Height at which it was registered.
    #[n(4)]
    pub registered_height: u64,
    /// Height of the present description.
    #[n(5)]
    pub updated_height: u64,
    /// Height at which it was retired, if it was.
    #[n(6)]
    pub retired: Option<u64>,
    /// The entity that the thing itself signs as, if it can sign.
    #[n(7)]
    pub device: Option<EntityId>,
    /// Height at which `device` changed last; none if it has been the same since the registration.
    #[n(8)]
    pub device_height: Option<u64>,
    /// Whose signature readings need; none if the word of whoever submits is enough.
    #[n(9)]
    pub signing: Option<Signing>,
}

/// Whose signature the owner of a thing wants under its readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Signing {
    /// That of the thing's device: each reading comes in a pack that it signed, or in a transaction
    /// that it signed itself.
    #[n(0)]
    Device,
}

impl Wire for ThingRecord {
    const BYTES_MAX: usize = 256;

    fn validate(&self) -> Result<(), WireError> {
        if (1..=limits::NAME_BYTES_MAX).contains(&self.name.len()) {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("name"))
        }
    }
}

/// Leave for a gateway or device to submit for a thing.
///
/// Unbinding does not remove the record but lowers `until_height`, so that what was submitted
/// before stays checkable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct BindingRecord {
    /// Last height at which the binding holds.
    #[n(0)]
    pub until_height: u64,
    /// Height from which it has held without interruption.
    #[n(1)]
    pub bound_height: u64,
}

impl Wire for BindingRecord {
    const BYTES_MAX: usize = 24;
}

impl BindingRecord {
    /// Whether the binding holds at a height.
    #[must_use]
    pub const fn holds_at(&self, height: u64) -> bool {
        self.bound_height <= height && height <= self.until_height
    }
}

/// What an owner decided about a resource.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PolicyRecord {
    /// The policy.
    #[n(0)]
    pub policy: AccessPolicy,
    /// Its version; the first has version 1.
    #[n(1)]
    pub version: u32,
    /// Height of the block that set it.
    #[n(2)]
    pub since_height: u64,
}

impl Wire for PolicyRecord {
    const BYTES_MAX: usize = limits::POLICY_BYTES_MAX + 256;

    fn validate(&self) -> Result<(), WireError> {
        if self.policy.is_within_bounds() { Ok(()) } else { Err(WireError::OutOfBounds("policy")) }
    }
}

/// Access that was asked for, given or both: a grant in force can be asked for again before it ends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct GrantRecord {
    /// Who, what and what for.
    #[n(0)]
    pub access: Access,
    /// What was given, if it was.
    #[n(1)]
    pub given: Option<Given>,
    /// What is asked for and not answered, if it is.
    #[n(2)]
    pub asked: Option<Asked>,
}

/// A grant as it was given, and how far it is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Given {
    /// Who gave it.
    #[n(0)]
    pub by: EntityId,
    /// Height of the block that gave it.
    #[n(1)]
    pub since_height: u64,
    /// Last height at which it holds.
    #[n(2)]
    pub until_height: u64,
    /// How often it can be used; 0 for without limit.
    #[n(3)]
    pub count_max: u32,
    /// How often it was used, as far as that is recorded.
    #[n(4)]
    pub used: u32,
    /// Ledger time of the last use that consensus decided, milliseconds since 1970; 0 before.
    #[n(5)]
    pub used_ms: u64,
    /// Height of the block that revoked it: it does not hold there nor later.
    #[n(6)]
    pub revoked: Option<u64>,
}

/// A request that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Asked {
    /// Who is asked.
    #[n(0)]
    pub entity: EntityId,
    /// Height of the block that asked.
    #[n(1)]
    pub since_height: u64,
    /// Last height at which the answer counts.
    #[n(2)]
    pub answer_until_height: u64,
    /// Last height wanted.
    #[n(3)]
    pub until_height: u64,
    /// How often, at most; 0 for without limit.
    #[n(4)]
    pub count_max: u32,
}

impl Wire for GrantRecord {
    const BYTES_MAX: usize = 512;

    fn validate(&self) -> Result<(), WireError> {
        if self.access.is_within_bounds() { Ok(()) } else { Err(WireError::OutOfBounds("access")) }
    }
}

impl Given {
    /// Whether it holds at a height: begun, not over, not revoked. Whether uses are left is another
    /// question: see [`uses_left`](Self::uses_left).
    #[must_use]
    pub fn holds_at(&self, height: u64) -> bool {
        (self.since_height..=self.until_height).contains(&height)
            && self.revoked.is_none_or(|revoked| height < revoked)
    }

    /// How many uses are left; none if there is no limit.
    #[must_use]
    pub const fn uses_left(&self) -> Option<u32> {
        match self.count_max {
            0 => None,
            max => Some(max.saturating_sub(self.used)),
        }
    }
}
