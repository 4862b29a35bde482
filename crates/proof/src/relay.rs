//! What a relay between two ledgers does next. Nobody need trust one: what it carries is checked where it
//! arrives.
//!
//! Decided here from what both ledgers say, and done by whoever reaches them: `althing ledger relay` and the
//! simulator.

use althing_types::{
    Wire as _,
    limits::{LINK_PROOF_BYTES_MAX, LINK_SIGNATURES_OF_BLOCK_MAX},
};

use crate::{
    bundle::Bundle,
    link::{Advance, Shown},
};

/// Most steps in which a link is led to the newest block: as many changes of validators as a proof spans.
pub const LEADING_STEPS_MAX: usize = crate::membership::EPOCHS_MAX;

/// How far a call has come on the ledger that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    /// It did not arrive.
    Missing,
    /// It waits for an answer.
    Waits,
    /// It was answered, or declined.
    Answered,
}

/// An open call, as a relay sees it from both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenCall {
    /// Until when it may be answered, milliseconds since 1970.
    pub deadline_ms: u64,
    /// Last moment in which it is not given up, milliseconds since 1970.
    pub patience_ms: u64,
    /// How far it has come on the other side.
    pub there: There,
}

/// What is to be done about an open call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Show it to the ledger that is asked.
    Carry,
    /// Show its answer to the ledger that asks.
    Return,
    /// Have the ledger that asks give it up.
    Refund,
    /// Wait for the provider.
    AwaitAnswer,
    /// Wait until it may be given up.
    AwaitRefund,
}

impl OpenCall {
    /// What is to be done about it now.
    #[must_use]
    pub fn step(&self, now_ms: u64) -> Step {
        let in_time = now_ms <= self.deadline_ms;
        match self.there {
            // However late: it counts until the call is given up.
            There::Answered => Step::Return,
            There::Missing if in_time => Step::Carry,
            There::Waits if in_time => Step::AwaitAnswer,
            _ if now_ms > self.patience_ms => Step::Refund,
            _ => Step::AwaitRefund,
        }
    }
}

/// Why something cannot be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// The bundle says nothing about the state.
    #[error("the proof is not about a row of the state")]
    Kind,
    /// One change of validators, or the row alone, is more than a transaction takes.
    #[error(
        "no part of the proof fits into one transaction, of {LINK_PROOF_BYTES_MAX} bytes and \
         {LINK_SIGNATURES_OF_BLOCK_MAX} signatures at most"
    )]
    TooLarge,
}

/// How a row is shown to a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Showing {
    /// By this, at once.
    Now(Shown),
    /// After the link has been led so far.
    After(Advance),
}

impl Showing {
    /// How the row that a bundle is about is shown to a link whose validators are those of `epoch`.
    ///
    /// # Errors
    /// [`RelayError`] if it cannot be.
    pub fn of(bundle: &Bundle, epoch: u64) -> Result<Self, RelayError> {
        let shown = Shown::of(bundle, epoch).ok_or(RelayError::Kind)?;
        if checkable(&shown.advance) && shown.to_wire().len() <= LINK_PROOF_BYTES_MAX {
            return Ok(Self::Now(shown));
        }
        // Without a change of validators there is nothing to do beforehand.
        let Shown { advance, .. } = shown;
        if advance.links.is_empty() {
            Err(RelayError::TooLarge)
        } else {
            longest(advance).map(Self::After)
        }
    }
}

/// The next step that leads a link, known to `height` with the validators of `epoch`, to the block of a
/// bundle; none if it is there.
///
/// # Errors
/// [`RelayError::TooLarge`] if no step fits into a transaction.
pub fn lead(bundle: &Bundle, height: u64, epoch: u64) -> Result<Option<Advance>, RelayError> {
    if bundle.block.header.height <= height {
        return Ok(None);
    }
    longest(Advance::of(bundle, epoch)).map(Some)
}

/// As much of an advance as a transaction takes.
fn longest(whole: Advance) -> Result<Advance, RelayError> {
    if fits(&whole) {
        return Ok(whole);
    }
    // The first step alone leads to the block that ends the present validators' time.
    let parts = (1..=whole.links.len()).rev().filter_map(|count| whole.part(count));
    parts.into_iter().find(fits).ok_or(RelayError::TooLarge)
}

fn fits(advance: &Advance) -> bool {
    checkable(advance) && advance.to_wire().len() <= LINK_PROOF_BYTES_MAX
}

fn checkable(advance: &Advance) -> bool {
    advance.signatures() <= LINK_SIGNATURES_OF_BLOCK_MAX as usize
}

#[cfg(test)]
mod tests;
