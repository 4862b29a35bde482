use core::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use sha2::{Digest as _, Sha256};

/// Declares a 32-byte newtype that is a CBOR `bstr` on the wire and hex in text.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Reads 64 hex digits.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes).ok()?;
                Some(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; 64];
                hex::encode_to_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
                f.write_str(core::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, c: &mut C) -> Result<Self, decode::Error> {
                crate::wire::fixed::decode(d, c).map(Self)
            }
        }

        impl From<[u8; 32]> for $name {
            fn from(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
        }
    };
}

id! {
    /// A SHA-256 digest (FIPS 180-4), the ledger's hash.
    Digest
}
id! {
    /// Names an entity for ever: the digest of its inception record, which outlives its keys.
    EntityId
}
id! {
    /// Names a thing: the digest of its owner and the name the owner gave it.
    ThingId
}
id! {
    /// Names a stream: the digest of its thing and property.
    StreamId
}
id! {
    /// Names a request for access and the grant it becomes: the digest of who, what and what for.
    GrantId
}
id! {
    /// Names a transaction: the digest of its wire bytes, signatures included.
    TxId
}
id! {
    /// Names a link: the digest of the organisation that has it and of the ledger it leads to.
    LinkId
}
id! {
    /// Names a voucher: the digest of its maker and of what it says.
    VoucherId
}
id! {
    /// Names a ledger: the digest of its genesis.
    LedgerId
}

id! {
    /// Names code of contracts: the SHA-256 of the module.
    CodeId
}
id! {
    /// Names a contract, and is its address: the digest of its creator and the name it was given.
    ContractId
}

id! {
    /// Names a trigger: the digest of its owner and the name it was given.
    TriggerId
}

id! {
    /// Names a service: the digest of its provider and the name it was given.
    ServiceId
}

/// SHA-256 of a domain string followed by the parts, in order, without separators: callers pass
/// parts of fixed length, or one last part of any length, so that no two calls collide.
#[must_use]
pub fn hash(domain: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(domain.as_bytes());
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// BLAKE3 of a payload: what addresses it at its holders.
#[must_use]
pub fn blake3_digest(payload: &[u8]) -> [u8; 32] {
    *blake3::hash(payload).as_bytes()
}

impl ThingId {
    /// The id of the thing that `owner` calls `name`.
    #[must_use]
    pub fn derive(owner: &EntityId, name: &str) -> Self {
        Self(hash("althing/thing/1", &[&owner.0, name.as_bytes()]))
    }
}

impl StreamId {
    /// The id of the stream of `property` of `thing`.
    #[must_use]
    pub fn derive(thing: &ThingId, property: &str) -> Self {
        Self(hash("althing/stream/1", &[&thing.0, property.as_bytes()]))
    }
}

impl CodeId {
    /// The id of a module.
    #[must_use]
    pub fn of(module: &[u8]) -> Self {
        Self(Sha256::digest(module).into())
    }
}

impl ContractId {
    /// The id of the contract that `creator` calls `name`. A contract that creates others is their
    /// creator under its [`actor`](Self::actor).
    #[must_use]
    pub fn derive(creator: &EntityId, name: &str) -> Self {
        Self(hash("althing/contract/1", &[&creator.0, name.as_bytes()]))
    }

    /// The id under which the contract acts, where the ledger asks who does.
    #[must_use]
    pub const fn actor(&self) -> EntityId {
        EntityId(self.0)
    }
}

impl TriggerId {
    /// The id of the trigger that `owner` calls `name`.
    #[must_use]
    pub fn derive(owner: &EntityId, name: &str) -> Self {
        Self(hash("althing/trigger/1", &[&owner.0, name.as_bytes()]))
    }

    /// The id of what a trigger does at a height, where transactions have theirs. A trigger runs
    /// once in a block at most.
    #[must_use]
    pub fn run(&self, height: u64) -> TxId {
        TxId(hash("althing/trigger-run/1", &[&self.0, &height.to_be_bytes()]))
    }
}

impl ServiceId {
    /// The id of the service that `provider` calls `name`.
    #[must_use]
    pub fn derive(provider: &EntityId, name: &str) -> Self {
        Self(hash("althing/service/1", &[&provider.0, name.as_bytes()]))
    }
}

impl LinkId {
    /// The id of the link that `owner` has to `ledger`.
    #[must_use]
    pub fn derive(owner: &EntityId, ledger: &LedgerId) -> Self {
        Self(hash("althing/link/1", &[&owner.0, &ledger.0]))
    }
}

impl TxId {
    /// The id of the transaction with these wire bytes.
    #[must_use]
    pub fn of(wire: &[u8]) -> Self {
        Self(Sha256::digest(wire).into())
    }
}

impl TxId {
    /// The id of a command that a contract gives, the one after `before` other events of the
    /// transaction or run: those have one id, and it may give several commands.
    #[must_use]
    pub fn nth(&self, before: u64) -> Self {
        Self(hash("althing/contract-command/1", &[&self.0, &before.to_be_bytes()]))
    }
}

impl LedgerId {
    /// The first eight bytes, which every transaction carries so that one meant for another ledger
    /// is told so, rather than that its signature is wrong.
    #[must_use]
    pub fn tag(&self) -> [u8; 8] {
        let mut tag = [0; 8];
        tag.copy_from_slice(&self.0[..8]);
        tag
    }
}
