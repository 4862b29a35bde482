//! What one ledger knows of another, and how it learns more: proofs that begin where knowledge ends.
//!
//! A bundle leads from the genesis; a ledger that follows another has been led once and goes on from
//! there. An [`Anchor`] is how far: the validators that are known to follow from the genesis, and a block
//! that they made final. An [`Advance`] leads to a later block, a [`Shown`] to a row of its state too.
//! Keys of validators that were replaced count for nothing from then on, which is more than a
//! bundle can say. The bytes are described in `docs/formats/links.md`.

use alloc::vec::Vec;

use althing_types::{
    Digest, Genesis, LedgerId, Mechanism, ValidatorSet, Wire, WireError,
    limits::LINK_PROOF_BYTES_MAX,
};
use minicbor::{Decode, Encode};

use crate::{
    bundle::{Bundle, Claim, StateProof},
    certificate::{CertificateError, Finalized},
    membership::{EPOCHS_MAX, EpochLink},
    state_path::{StatePathError, value_digest},
};

/// What is known of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Anchor {
    /// Which.
    #[n(0)]
    pub ledger: LedgerId,
    /// How its peers agreed at first; its validators say if they do otherwise.
    #[n(1)]
    pub mechanism: Mechanism,
    /// The newest validators known, with the first epoch of theirs.
    #[n(2)]
    pub validators: ValidatorSet,
    /// Height of the last block of the validators before them; 0 if they are the first.
    #[n(3)]
    pub since_height: u64,
    /// Height of the newest block known; 0 while none is.
    #[n(4)]
    pub height: u64,
    /// That block; 32 zero bytes while none is.
    #[n(5)]
    pub block: Digest,
    /// Its epoch.
    #[n(6)]
    pub epoch: u64,
    /// Its time, milliseconds since 1970.
    #[n(7)]
    pub time_ms: u64,
}

/// Leads from an anchor to a final block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Advance {
    /// The changes of validators in between.
    #[n(0)]
    pub links: Vec<EpochLink>,
    /// The block.
    #[n(1)]
    pub block: Finalized,
}

/// The same to what the state of that block holds at a key, or that it holds nothing there.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Shown {
    /// Leads to the block.
    #[n(0)]
    pub advance: Advance,
    /// What its state holds.
    #[n(1)]
    pub row: StateProof,
}

/// Why something does not follow from an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The block, or the last one of an epoch, is not final.
    #[error("block {height} is not final")]
    Certificate {
        /// Its height.
        height: u64,
        /// Why not.
        source: CertificateError,
    },
    /// It is signed by validators that others have followed.
    #[error("block {height} is of an epoch whose validators have been replaced")]
    Replaced {
        /// Its height.
        height: u64,
    },
    /// It is not above the last block of the validators before, or not of an earlier result.
    #[error("block {height} is out of place")]
    Place {
        /// Its height.
        height: u64,
    },
    /// The last block of an epoch does not name the validators that follow.
    #[error("block {height} does not name the validators that follow it")]
    Next {
        /// Its height.
        height: u64,
    },
    /// It is final, and another one of its height is known to be: the ledger forked.
    #[error("block {height} is another one than that which is known to be final")]
    Fork {
        /// The height of both.
        height: u64,
        /// The block that is shown.
        shown: Digest,
    },
    /// Two blocks do not exclude each other.
    #[error("the two blocks do not exclude each other")]
    NoFork,
    /// The row is not in the state that the block commits to.
    #[error(transparent)]
    Path(#[from] StatePathError),
    /// The state holds another value.
    #[error("the state holds another value at the key")]
    Value,
}

/// Two blocks of one height that are both final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Fork {
    /// The height.
    #[n(0)]
    pub height: u64,
    /// One.
    #[n(1)]
    pub first: Digest,
    /// The other.
    #[n(2)]
    pub second: Digest,
}

impl Wire for Anchor {
    const BYTES_MAX: usize = ValidatorSet::BYTES_MAX + 160;

    fn validate(&self) -> Result<(), WireError> {
        self.validators.validate()
    }
}

impl Wire for Advance {
    const BYTES_MAX: usize = LINK_PROOF_BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        if self.links.len() > EPOCHS_MAX {
            return Err(WireError::OutOfBounds("links"));
        }
        self.links.iter().try_for_each(Wire::validate)?;
        self.block.validate()
    }
}

impl Wire for Shown {
    const BYTES_MAX: usize = LINK_PROOF_BYTES_MAX;

    fn validate(&self) -> Result<(), WireError> {
        self.advance.validate()?;
        self.row.validate()
    }
}

impl Advance {
    /// The part of a bundle that leads from an anchor whose validators are those of `epoch` to the
    /// bundle's block.
    #[must_use]
    pub fn of(bundle: &Bundle, epoch: u64) -> Self {
        let newer = |link: &&EpochLink| link.next.epoch > epoch;
        let links = bundle.links.iter().filter(newer).cloned().collect();
        Self { links, block: bundle.block.clone() }
    }

    /// The same up to the last block of the validators that the first `count` changes replace, for an
    /// anchor that lies too far back to be led all the way at once; none if there are fewer.
    #[must_use]
    pub fn part(&self, count: usize) -> Option<Self> {
        let (last, before) = self.links.get(..count)?.split_last()?;
        Some(Self { links: before.to_vec(), block: last.last.clone() })
    }

    /// How many signatures are checked to check it.
    #[must_use]
    pub fn signatures(&self) -> usize {
        let of = |block: &Finalized| block.certificate.signatures.len();
        self.links.iter().map(|link| of(&link.last)).sum::<usize>() + of(&self.block)
    }
}

impl Shown {
    /// What a bundle of kind *state* shows to an anchor whose validators are those of `epoch`; none if
    /// it is of another kind.
    #[must_use]
    pub fn of(bundle: &Bundle, epoch: u64) -> Option<Self> {
        let Claim::State(row) = &bundle.claim else { return None };
        Some(Self { advance: Advance::of(bundle, epoch), row: (**row).clone() })
    }

    /// What the state of the block holds at the key of the row. That the block is final is
    /// [`Anchor::follow`]'s to check.
    ///
    /// # Errors
    /// [`LinkError::Path`] or [`LinkError::Value`].
    pub fn value(&self) -> Result<Option<&[u8]>, LinkError> {
        let row = &self.row;
        let root = &self.advance.block.header.result.state_root;
        let found = row.path.verify(root, &row.key)?;
        let claimed = row.value.as_deref();
        if found == claimed.map(value_digest) { Ok(claimed) } else { Err(LinkError::Value) }
    }
}

impl Anchor {
    /// Where every ledger begins.
    #[must_use]
    pub fn of(genesis: &Genesis) -> Self {
        Self {
            ledger: genesis.ledger(),
            mechanism: genesis.mechanism,
            validators: genesis.validators(),
            since_height: 0,
            height: 0,
            block: Digest::default(),
            epoch: 0,
            time_ms: genesis.time_ms,
        }
    }

    /// What is known after an advance: more, or as much if it shows an older block of the present
    /// validators. Costs [`Advance::signatures`] checks at most.
    ///
    /// # Errors
    /// [`LinkError`] naming the first block that does not follow.
    pub fn follow(&self, advance: &Advance) -> Result<Self, LinkError> {
        let mut now = self.clone();
        for link in &advance.links {
            let header = &link.last.header;
            let height = header.height;
            now.is_final(&link.last)?;
            // Whoever was replaced signs nothing above their last block.
            if height < now.height {
                return Err(LinkError::Place { height });
            }
            let follows = header.epoch.checked_add(1) == Some(link.next.epoch);
            if header.next_validators != Some(link.next.digest()) || !follows {
                return Err(LinkError::Next { height });
            }
            now.see(&link.last)?;
            now.validators = link.next.clone();
            now.since_height = height;
        }
        let header = &advance.block.header;
        now.is_final(&advance.block)?;
        if header.result.height >= header.height {
            return Err(LinkError::Place { height: header.height });
        }
        now.see(&advance.block)?;
        Ok(now)
    }

    /// Two final blocks of one height, if that is what two advances show.
    ///
    /// # Errors
    /// [`LinkError::NoFork`], or why one of them does not follow.
    pub fn fork(&self, first: &Advance, second: &Advance) -> Result<Fork, LinkError> {
        for advance in [first, second] {
            match self.follow(advance) {
                Err(LinkError::Fork { height, shown }) if height == self.height => {
                    return Ok(Fork { height, first: self.block, second: shown });
                }
                other => drop(other?),
            }
        }
        let (one, other) = (&first.block.header, &second.block.header);
        let (height, first, second) = (one.height, one.digest(), other.digest());
        if height == other.height && first != second {
            Ok(Fork { height, first, second })
        } else {
            Err(LinkError::NoFork)
        }
    }

    /// Checks that the present validators made a block final.
    fn is_final(&self, block: &Finalized) -> Result<(), LinkError> {
        let header = &block.header;
        let height = header.height;
        if header.epoch < self.validators.epoch {
            return Err(LinkError::Replaced { height });
        }
        let validators = ValidatorSet { epoch: header.epoch, ..self.validators.clone() };
        block
            .verify(self.mechanism, &self.ledger, &validators)
            .map_err(|source| LinkError::Certificate { height, source })?;
        if height <= self.since_height { Err(LinkError::Place { height }) } else { Ok(()) }
    }

    /// Takes note of a final block.
    fn see(&mut self, block: &Finalized) -> Result<(), LinkError> {
        let header = &block.header;
        let shown = header.digest();
        if header.height == self.height && shown != self.block {
            return Err(LinkError::Fork { height: header.height, shown });
        }
        if header.height > self.height {
            self.height = header.height;
            self.block = shown;
            self.epoch = header.epoch;
            self.time_ms = header.time_ms;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
