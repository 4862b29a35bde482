//! The proof bundle: one claim with everything that shows it, to be checked offline.
//!
//! ```text
//! genesis ─► validators of epoch 0 ─► … ─► validators of the block's epoch   membership
//!                                                      │ a quorum signs, or a descendant
//!                                          header of a final block           certificate
//!                          ┌───────────────────────────┼──────────────────┐
//!                     state root                transactions root    receipts root
//!           ┌───────────┬──┴───────┬───────────┐
//!         thing       stream     entity     binding                          state paths
//!                       │ peaks
//!                     batch ─► payload ─► reading                            path in the stream
//! ```
//!
//! [`verify`] takes the bytes and the genesis and nothing else. Everything in a bundle but the
//! question itself (an interval, a state key) is bound to the genesis by hashes and signatures; the
//! question is the asker's to compare, and the seal at the end only guards it against damage.

mod claim;
mod prove;
mod step;
mod verified;
mod verify;

use alloc::{boxed::Box, vec::Vec};

use althing_types::{Digest, LedgerId, Wire, WireError, hash};
use minicbor::{Decode, Encode};

pub use claim::{
    AggregateProof, BindingProof, DeviceProof, EarlierKey, RangeProof, ReadingClaim, ReadingProof,
    ReceiptProof, RunProof, STATED_HEIGHTS_MAX, StateProof, Stated, StreamProof, SubmitterProof,
    TransactionProof,
};
pub use prove::Results;
pub use step::{Done, Failure, Step, Why};
pub use verified::{
    Attestation, CertifiedBlock, Delegation, SignatureCheck, Verified, VerifiedClaim,
    VerifiedReading, VerifiedRun, VerifiedStream, VerifiedTransaction,
};
pub use verify::verify;

use crate::{archive::ProveError, certificate::Finalized, membership::EpochLink};

/// Longest bundle, bytes.
pub const BUNDLE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The version of the form described here.
pub const VERSION: u8 = 1;

/// A claim and what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Bundle {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// The ledger it is about.
    #[n(1)]
    pub ledger: LedgerId,
    /// The steps from the validators of the genesis to those of the block's epoch.
    #[n(2)]
    pub links: Vec<EpochLink>,
    /// The block that commits to what is claimed, final by its own certificate or a descendant's.
    #[n(3)]
    pub block: Finalized,
    /// The claim.
    #[n(4)]
    pub claim: Claim,
}

/// What a bundle claims.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Claim {
    /// A thing reported a value.
    #[n(0)]
    Reading(#[n(0)] Box<ReadingProof>),
    /// These are all readings of an interval.
    #[n(1)]
    Range(#[n(0)] Box<RangeProof>),
    /// The readings of an interval amount to this.
    #[n(2)]
    Aggregate(#[n(0)] Box<AggregateProof>),
    /// The state holds this value at a key, or none.
    #[n(3)]
    State(#[n(0)] Box<StateProof>),
    /// A transaction is in a block, and this became of it.
    #[n(4)]
    Transaction(#[n(0)] Box<TransactionProof>),
    /// A trigger ran in a block, and this became of it.
    #[n(5)]
    Run(#[n(0)] Box<RunProof>),
}

/// A bundle and its seal, as a file holds them.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Sealed {
    #[n(0)]
    bundle: Bundle,
    #[n(1)]
    seal: Digest,
}

impl Wire for Sealed {
    const BYTES_MAX: usize = BUNDLE_BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        self.bundle.validate()
    }
}

impl Wire for Bundle {
    const BYTES_MAX: usize = BUNDLE_BYTES_MAX - 64;

    fn validate(&self) -> Result<(), WireError> {
        if self.version != VERSION {
            return Err(WireError::OutOfBounds("version"));
        }
        self.links.iter().try_for_each(Wire::validate)?;
        self.block.validate()?;
        match &self.claim {
            Claim::Reading(proof) => proof.validate(),
            Claim::Range(proof) => proof.validate(),
            Claim::Aggregate(proof) => proof.validate(),
            Claim::State(proof) => proof.validate(),
            Claim::Transaction(proof) => proof.validate(),
            Claim::Run(proof) => proof.validate(),
        }
    }
}

impl Bundle {
    /// Puts a bundle together.
    #[must_use]
    pub fn new(links: Vec<EpochLink>, block: Finalized, claim: Claim) -> Self {
        Self { version: VERSION, ledger: block.header.ledger, links, block, claim }
    }

    /// The bytes of a bundle file: the bundle and its seal.
    ///
    /// # Errors
    /// [`ProveError::TooLarge`] above [`BUNDLE_BYTES_MAX`]: nobody would take it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ProveError> {
        /// Heads of an array of two items, and of a byte string of 32 bytes.
        const PAIR: &[u8] = &[0x82];
        const DIGEST: &[u8] = &[0x58, 32];
        let bundle = self.to_wire();
        if bundle.len() > Self::BYTES_MAX {
            return Err(ProveError::TooLarge);
        }
        let seal = seal_of(&bundle);
        Ok([PAIR, &bundle, DIGEST, &seal.0].concat())
    }

    /// Reads a bundle file and checks its seal, not what it claims: [`verify`] does that, or who follows
    /// the ledger with an [`Anchor`](crate::link::Anchor).
    ///
    /// # Errors
    /// [`WireError`] if it is no bundle file, or was damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let Sealed { bundle, seal } = Sealed::from_wire(bytes)?;
        if seal == bundle.seal() { Ok(bundle) } else { Err(WireError::OutOfBounds("seal")) }
    }

    /// The digest at the end of a bundle file.
    #[must_use]
    pub fn seal(&self) -> Digest {
        seal_of(&self.to_wire())
    }
}

fn seal_of(bundle: &[u8]) -> Digest {
    Digest(hash("althing/bundle/1", &[bundle]))
}

#[cfg(test)]
mod tests;
