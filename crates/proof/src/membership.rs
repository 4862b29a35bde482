//! Follow the validators from the genesis to the present, one epoch at a time.
//!
//! The last block of an epoch names the validators of the next, and the validators of the epoch
//! make that block final; so whoever knows the genesis knows them all.

use alloc::vec::Vec;

use althing_types::{Genesis, ValidatorSet, Wire, WireError};
use minicbor::{Decode, Encode};

use crate::certificate::{CertificateError, Finalized};

/// Most epochs that one chain may span.
pub const EPOCHS_MAX: usize = 1024;

/// The step from one epoch to the next.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EpochLink {
    /// The last block of the epoch.
    #[n(0)]
    pub last: Finalized,
    /// The validators of the next epoch.
    #[n(1)]
    pub next: ValidatorSet,
}

impl Wire for EpochLink {
    const BYTES_MAX: usize = 8 + Finalized::BYTES_MAX + ValidatorSet::BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        self.last.validate()?;
        self.next.validate()
    }
}

/// Why the validators of an epoch do not follow from the genesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MembershipError {
    /// More than [`EPOCHS_MAX`] links.
    #[error("the chain spans more than {EPOCHS_MAX} epochs")]
    TooLong,
    /// The last block of the epoch is not final.
    #[error("the last block of epoch {epoch} is not final")]
    Last {
        /// The epoch.
        epoch: u64,
        /// Why not.
        source: CertificateError,
    },
    /// The last block does not name the validators that follow.
    #[error("the last block of epoch {epoch} does not name the validators that follow it")]
    Next {
        /// The epoch.
        epoch: u64,
    },
    /// The blocks do not ascend.
    #[error("the last block of epoch {epoch} is not above that of the epoch before")]
    Height {
        /// The epoch.
        epoch: u64,
    },
}

/// The validators of the first epochs of a ledger, from the genesis on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    sets: Vec<ValidatorSet>,
    /// Height of the last block of each epoch but the last.
    ends: Vec<u64>,
}

impl Membership {
    /// Follows the links from the genesis.
    ///
    /// # Errors
    /// [`MembershipError`] naming the epoch whose end does not hold.
    pub fn follow(genesis: &Genesis, links: &[EpochLink]) -> Result<Self, MembershipError> {
        if links.len() > EPOCHS_MAX {
            return Err(MembershipError::TooLong);
        }
        let mut membership = Self { sets: Vec::from([genesis.validators()]), ends: Vec::new() };
        let ledger = genesis.ledger();
        for (current, link) in (0_u64..).zip(links) {
            let header = &link.last.header;
            let validators = &membership.sets[membership.ends.len()];
            link.last
                .verify(&ledger, validators)
                .map_err(|source| MembershipError::Last { epoch: current, source })?;
            if header.next_validators != Some(link.next.digest()) || link.next.epoch != current + 1
            {
                return Err(MembershipError::Next { epoch: current });
            }
            if membership.ends.last().is_some_and(|end| *end >= header.height) {
                return Err(MembershipError::Height { epoch: current });
            }
            membership.ends.push(header.height);
            membership.sets.push(link.next.clone());
        }
        Ok(membership)
    }

    /// The validators of an epoch, if the chain reaches it.
    #[must_use]
    pub fn validators(&self, epoch: u64) -> Option<&ValidatorSet> {
        self.sets.get(usize::try_from(epoch).ok()?)
    }

    /// Whether a block of `epoch` can have `height`: above the last block of the epoch before, and
    /// not above the last of its own.
    #[must_use]
    pub fn admits(&self, epoch: u64, height: u64) -> bool {
        let Ok(epoch) = usize::try_from(epoch) else { return false };
        let above = epoch.checked_sub(1).and_then(|before| self.ends.get(before));
        above.is_none_or(|end| height > *end)
            && self.ends.get(epoch).is_none_or(|end| height <= *end)
    }
}

#[cfg(test)]
mod tests;
