//! Who may do what with whose things, for which purpose: policies, requests, grants and uses.

use alloc::string::String;

use minicbor::{Decode, Encode};

use crate::{
    EntityId, GrantId, ThingId, Wire, WireError,
    digest::hash,
    entity::is_name,
    limits::{
        ACCESS_USES_MAX, EXPIRY_BLOCKS_MAX, GENESIS_TIME_MS_MAX, NAME_BYTES_MAX, POLICY_BYTES_MAX,
    },
    wire::encode,
};

/// What somebody may be let at. A stream is the property it is the series of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum Resource {
    /// All things of an owner.
    #[n(0)]
    Everything(#[n(0)] EntityId),
    /// A thing with all its properties and actions.
    #[n(1)]
    Thing(#[n(0)] ThingId),
    /// One property of a thing, its stream included.
    #[n(2)]
    Property {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// Name of the property in the Thing Description.
        #[n(1)]
        name: String,
    },
    /// One action of a thing.
    #[n(3)]
    ThingAction {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// Name of the action in the Thing Description.
        #[n(1)]
        name: String,
    },
    /// A service: an entity that others call.
    #[n(4)]
    Service(#[n(0)] EntityId),
    /// A contract, by the 32 bytes of its id.
    #[n(5)]
    Contract(#[cbor(n(0), with = "crate::wire::fixed")] [u8; 32]),
}

impl Wire for Resource {
    const BYTES_MAX: usize = NAME_BYTES_MAX + 48;

    fn validate(&self) -> Result<(), WireError> {
        if self.is_within_bounds() { Ok(()) } else { Err(WireError::OutOfBounds("resource")) }
    }
}

impl Resource {
    /// What stands for it in keys of the state.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        hash("althing/resource/1", &[&encode(self)])
    }

    /// The thing it is, or is part of.
    #[must_use]
    pub const fn thing(&self) -> Option<ThingId> {
        match self {
            Self::Thing(thing) | Self::Property { thing, .. } | Self::ThingAction { thing, .. } => {
                Some(*thing)
            }
            Self::Everything(_) | Self::Service(_) | Self::Contract(_) => None,
        }
    }

    /// It and what it is part of, the narrowest first, if it is `owner`'s: a grant for any of them is
    /// one for it.
    pub fn scopes(&self, owner: EntityId) -> impl Iterator<Item = Self> + use<> {
        let part = matches!(self, Self::Property { .. } | Self::ThingAction { .. });
        let thing = self.thing().filter(|_| part).map(Self::Thing);
        let whole = (!matches!(self, Self::Everything(_))).then_some(Self::Everything(owner));
        [self.clone()].into_iter().chain(thing).chain(whole)
    }

    /// Whether its name is within its bounds.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        match self {
            Self::Property { name, .. } | Self::ThingAction { name, .. } => is_name(name),
            _ => true,
        }
    }
}

/// What somebody may do with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Right {
    /// Get values that were collected.
    #[n(0)]
    Read,
    /// Be told of new values as they come.
    #[n(1)]
    Subscribe,
    /// Set a property of a device.
    #[n(2)]
    Write,
    /// Invoke an action of a device.
    #[n(3)]
    Invoke,
    /// Get a Thing Description.
    #[n(4)]
    Describe,
    /// Call a service or contract.
    #[n(5)]
    Call,
}

impl Right {
    /// All of them with their names in text, ascending by number.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Read, "read"),
        (Self::Subscribe, "subscribe"),
        (Self::Write, "write"),
        (Self::Invoke, "invoke"),
        (Self::Describe, "describe"),
        (Self::Call, "call"),
    ];

    /// Name in text.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(right, _)| *right == self).map_or("unknown", |(_, text)| text)
    }

    /// The right with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, text)| *text == name).map(|(right, _)| *right)
    }
}

/// What is needed beside a policy that permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum AccessMode {
    /// Nothing: whom the policy permits needs no grant.
    #[n(0)]
    Open,
    /// A grant in force; each use is recorded by who serves it.
    #[n(1)]
    Grant,
    /// A grant in force, and a transaction for each use that consensus decides.
    #[n(2)]
    Strict,
}

impl AccessMode {
    /// All of them with their names in text, ascending by number.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Open, "open"), (Self::Grant, "grant"), (Self::Strict, "strict")];

    /// Name in text.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(mode, _)| *mode == self).map_or("unknown", |(_, text)| text)
    }

    /// The mode with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, text)| *text == name).map(|(mode, _)| *mode)
    }
}

/// What the owner of a resource decides about it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AccessPolicy {
    /// About what.
    #[n(0)]
    pub resource: Resource,
    /// What is needed beside it.
    #[n(1)]
    pub mode: AccessMode,
    /// Statements in Cedar, 1 to [`POLICY_BYTES_MAX`] bytes.
    #[n(2)]
    pub text: String,
    /// Who is asked about each request that the statements permit; nobody if absent.
    #[n(3)]
    pub ask: Option<EntityId>,
    /// Blocks within which the answer must come; 0 if nobody is asked.
    #[n(4)]
    pub patience_blocks: u32,
    /// Blocks that a grant lasts at most, 1 to [`EXPIRY_BLOCKS_MAX`].
    #[n(5)]
    pub grant_blocks_max: u64,
}

impl AccessPolicy {
    /// Whether its fields are within their bounds; the text is for the ledger to read.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        self.resource.is_within_bounds()
            && (1..=POLICY_BYTES_MAX).contains(&self.text.len())
            && self.ask.is_some() == (self.patience_blocks > 0)
            && u64::from(self.patience_blocks) <= EXPIRY_BLOCKS_MAX
            && (1..=EXPIRY_BLOCKS_MAX).contains(&self.grant_blocks_max)
    }
}

/// What somebody asks an owner for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AccessRequest {
    /// The resource.
    #[n(0)]
    pub resource: Resource,
    /// What to do with it.
    #[n(1)]
    pub right: Right,
    /// What for, a name that the parties understand.
    #[n(2)]
    pub purpose: String,
    /// How often, at most; 0 for as often as wanted.
    #[n(3)]
    pub count_max: u32,
    /// Last height wanted; the policy may give less.
    #[n(4)]
    pub until_height: u64,
}

impl AccessRequest {
    /// Whether its fields are within their bounds.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        self.resource.is_within_bounds() && is_name(&self.purpose)
    }
}

/// Uses of a grant that one peer, service or device served, over a while.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AccessUse {
    /// The grant.
    #[n(0)]
    pub grant: GrantId,
    /// How many, at least 1.
    #[n(1)]
    pub count: u32,
    /// Time of the first, milliseconds since 1970, by the clock of who served it.
    #[n(2)]
    pub first_ms: u64,
    /// Time of the last.
    #[n(3)]
    pub last_ms: u64,
}

impl AccessUse {
    fn is_within_bounds(&self) -> bool {
        self.count > 0 && self.first_ms <= self.last_ms && self.last_ms <= GENESIS_TIME_MS_MAX
    }
}

/// Whether uses are 1 to [`ACCESS_USES_MAX`], each within its bounds, ascending by grant.
pub(crate) fn uses_within_bounds(uses: &[AccessUse]) -> bool {
    (1..=ACCESS_USES_MAX).contains(&uses.len())
        && uses.iter().all(AccessUse::is_within_bounds)
        && uses.windows(2).all(|pair| pair[0].grant < pair[1].grant)
}

/// Who has access to what, from whom, for which purpose.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Access {
    /// Who owns the resource.
    #[n(0)]
    pub owner: EntityId,
    /// Who has access, or asks for it.
    #[n(1)]
    pub grantee: EntityId,
    /// To what.
    #[n(2)]
    pub resource: Resource,
    /// To do what.
    #[n(3)]
    pub right: Right,
    /// What for.
    #[n(4)]
    pub purpose: String,
}

impl Access {
    /// Id of the request for it, and of the grant that the request becomes.
    #[must_use]
    pub fn id(&self) -> GrantId {
        let right = [self.right as u8];
        let parts: [&[u8]; 5] = [
            &self.owner.0,
            &self.grantee.0,
            &self.resource.digest(),
            &right,
            self.purpose.as_bytes(),
        ];
        GrantId(hash("althing/grant/1", &parts))
    }

    /// Whether its texts are within their bounds.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        self.resource.is_within_bounds() && is_name(&self.purpose)
    }
}

/// Who may read a thing without a policy: what a ledger begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Reads {
    /// Anybody.
    #[default]
    Open,
    /// Its owner, its device and who is bound to it.
    Policy,
}

impl Reads {
    /// All of them with their names in text, ascending by number.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Open, "open"), (Self::Policy, "policy")];

    /// Name in text.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(reads, _)| *reads == self).map_or("unknown", |(_, text)| text)
    }

    /// The one with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, text)| *text == name).map(|(reads, _)| *reads)
    }
}

// `Open` is left out at the end of an array, so that the parameters of ledgers that are older than
// this setting have the encoding they always had.
impl<C> Encode<C> for Reads {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.u8(*self as u8)?.ok()
    }

    fn is_nil(&self) -> bool {
        *self == Self::Open
    }
}

impl<'b, C> Decode<'b, C> for Reads {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        match d.u8()? {
            0 => Ok(Self::Open),
            1 => Ok(Self::Policy),
            _ => Err(minicbor::decode::Error::message("unknown reads")),
        }
    }

    fn nil() -> Option<Self> {
        Some(Self::Open)
    }
}
