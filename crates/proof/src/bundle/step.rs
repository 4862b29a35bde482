use alloc::string::String;
use core::fmt;

use althing_types::{PayloadError, WireError};

use crate::{
    certificate::CertificateError, membership::MembershipError, opening::OpeningError,
    state_path::StatePathError,
};

/// A step of the verification. Codes never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The bytes are a bundle in canonical form.
    Form,
    /// The bundle is about the ledger of the genesis.
    Ledger,
    /// The validators follow from the genesis.
    Membership,
    /// A quorum of them made the block final.
    Certificate,
    /// The thing is in the state that the block commits to.
    Thing,
    /// The stream is in that state and belongs to the thing.
    Stream,
    /// The batch is in the stream's tree.
    Batch,
    /// The payload is the batch's.
    Payload,
    /// The reading is in the payload.
    Reading,
    /// The submitter is an entity of the ledger.
    Submitter,
    /// It was allowed to submit for the thing.
    Delegation,
    /// Its signature covers the batch.
    Signature,
    /// The signature of the thing's device covers the reading.
    Device,
    /// The readings of the interval are complete.
    Range,
    /// The aggregate over the interval is complete.
    Aggregate,
    /// The state holds the value, or nothing, at the key.
    State,
    /// The transaction is in the block.
    Transaction,
    /// The receipt is that of the transaction or of the run.
    Receipt,
    /// The bundle is as it was made.
    Seal,
}

impl Step {
    /// The stable code, for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Ledger => "ledger",
            Self::Membership => "membership",
            Self::Certificate => "certificate",
            Self::Thing => "thing",
            Self::Stream => "stream",
            Self::Batch => "batch",
            Self::Payload => "payload",
            Self::Reading => "reading",
            Self::Submitter => "submitter",
            Self::Delegation => "delegation",
            Self::Signature => "signature",
            Self::Device => "device",
            Self::Range => "range",
            Self::Aggregate => "aggregate",
            Self::State => "state",
            Self::Transaction => "transaction",
            Self::Receipt => "receipt",
            Self::Seal => "seal",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A step that holds, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Which.
    pub step: Step,
    /// What it showed.
    pub text: String,
}

/// The first step that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof fails at step `{step}`; do not rely on it")]
pub struct Failure {
    /// Which.
    pub step: Step,
    /// Why.
    #[source]
    pub why: Why,
}

/// Why a step does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The bytes are not what they should be.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The validators do not follow from the genesis.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// The block is not final.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A path does not lead to the state root.
    #[error(transparent)]
    StatePath(#[from] StatePathError),
    /// The opened tree is not an answer.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// The payload is not the batch's.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// Two parts of the bundle contradict each other.
    #[error("{0}")]
    Claim(&'static str),
}

/// Names the step that an error belongs to.
pub(crate) trait At<T> {
    fn at(self, step: Step) -> Result<T, Failure>;
}

impl<T, E: Into<Why>> At<T> for Result<T, E> {
    fn at(self, step: Step) -> Result<T, Failure> {
        self.map_err(|why| Failure { step, why: why.into() })
    }
}

/// A statement that must hold at a step; `otherwise` says what does not.
pub(crate) fn require(holds: bool, step: Step, otherwise: &'static str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure { step, why: Why::Claim(otherwise) }) }
}
