//! Follow the validators from the genesis to the present, one change at a time.
//!
//! The last block of an epoch names the validators of the next, and the validators of the epoch
//! make that block final; so whoever knows the genesis knows them all. Validators that stay sign the
//! epochs after their first one too, and every header names them with its epoch, so epochs in which
//! nothing changes need no link: a chain is as long as validators have changed, however old.
//!
//! A change of how they agree is such a change too, since a set of validators says that, and so is what
//! headers name of it. A certificate is checked by the mechanism of its epoch and no other: validators of
//! a simplex epoch who sign as Raft asks sign for a set that does not validate in it.

use alloc::vec::Vec;

use althing_types::{Genesis, ValidatorSet, Wire, WireError};
use minicbor::{Decode, Encode};

use crate::certificate::{CertificateError, Finalized};

/// Most changes of validators that one chain may span.
pub const EPOCHS_MAX: usize = 1024;

/// The step from the last epoch of some validators to the first of others.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EpochLink {
    /// The last block of that epoch.
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
    #[error("the chain spans more than {EPOCHS_MAX} changes of validators")]
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

/// The validators of a ledger, from the genesis on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Each with the first epoch of theirs.
    sets: Vec<ValidatorSet>,
    /// Height of the last block of all of them but the last.
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
        for link in links {
            let header = &link.last.header;
            let since = &membership.sets[membership.ends.len()];
            let epoch = header.epoch.max(since.epoch);
            let validators = ValidatorSet { epoch, ..since.clone() };
            link.last
                .verify(genesis.mechanism, &ledger, &validators)
                .map_err(|source| MembershipError::Last { epoch, source })?;
            let follows = epoch.checked_add(1) == Some(link.next.epoch);
            if header.next_validators != Some(link.next.digest()) || !follows {
                return Err(MembershipError::Next { epoch });
            }
            if membership.ends.last().is_some_and(|end| *end >= header.height) {
                return Err(MembershipError::Height { epoch });
            }
            membership.ends.push(header.height);
            membership.sets.push(link.next.clone());
        }
        Ok(membership)
    }

    /// The validators of an epoch; of one after the last link, if they have not changed since. Its
    /// headers name the digest of this set if so.
    #[must_use]
    pub fn validators(&self, epoch: u64) -> ValidatorSet {
        let since = self.changes_before(epoch);
        ValidatorSet { epoch, ..self.sets[since].clone() }
    }

    /// Whether a block of `epoch` can have `height`: above the last block of the validators before
    /// those of the epoch, and not above the last of theirs.
    #[must_use]
    pub fn admits(&self, epoch: u64, height: u64) -> bool {
        let since = self.changes_before(epoch);
        let above = since.checked_sub(1).and_then(|before| self.ends.get(before));
        above.is_none_or(|end| height > *end)
            && self.ends.get(since).is_none_or(|end| height <= *end)
    }

    /// How many changes of validators there were up to an epoch; the first set begins with epoch 0.
    fn changes_before(&self, epoch: u64) -> usize {
        self.sets.partition_point(|set| set.epoch <= epoch).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests;
