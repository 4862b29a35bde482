//! Calls across ledgers, as the states of both say them: what one ledger proves to the other.

use alloc::vec::Vec;

use althing_types::{Call, EntityId, LedgerId, Wire, WireError, limits::CALL_BYTES_MAX};
use minicbor::{Decode, Encode};

/// A call in the state of the ledger that asks, at [`key::call`](crate::key::call): there while it is
/// open.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CallRecord {
    /// What is asked.
    #[n(0)]
    pub call: Call,
    /// Who asks.
    #[n(1)]
    pub caller: EntityId,
    /// The organisation whose link is relied on: the caller or its owner.
    #[n(2)]
    pub owner: EntityId,
    /// Height of the block in which it was asked.
    #[n(3)]
    pub asked_height: u64,
    /// Time of that block, milliseconds since 1970.
    #[n(4)]
    pub asked_ms: u64,
    /// What came of it; none while it is open, and so wherever it is proven.
    #[n(5)]
    pub outcome: Option<CallOutcome>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CallOutcome {
    /// The answer; none if none came in time, so that the payment went back.
    #[n(0)]
    pub answer: Option<Answered>,
    /// Height of the block in which it was settled or refunded.
    #[n(1)]
    pub height: u64,
}

/// A call in the state of the ledger that is asked, at [`key::taken`](crate::key::taken): there until
/// no answer to it can count any more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct TakenRecord {
    /// The ledger that asks.
    #[n(0)]
    pub ledger: LedgerId,
    /// Who asks there.
    #[n(1)]
    pub caller: EntityId,
    /// What is asked.
    #[n(2)]
    pub call: Call,
    /// Who provides the service.
    #[n(3)]
    pub provider: EntityId,
    /// Height of the block in which it arrived.
    #[n(4)]
    pub taken_height: u64,
    /// Time of that block, milliseconds since 1970.
    #[n(5)]
    pub taken_ms: u64,
    /// The answer, once there is one.
    #[n(6)]
    pub answer: Option<Answered>,
}

/// An answer to a call.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Answered {
    /// Whether what was asked is done; if not, it was declined, and is not paid for.
    #[n(0)]
    pub accepted: bool,
    /// The answer.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub answer: Vec<u8>,
    /// Who answered.
    #[n(2)]
    pub by: EntityId,
    /// Height of the block in which.
    #[n(3)]
    pub height: u64,
}

impl Answered {
    fn validate(&self) -> Result<(), WireError> {
        if self.answer.len() <= CALL_BYTES_MAX {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("answer"))
        }
    }
}

impl Wire for CallRecord {
    const BYTES_MAX: usize = Call::BYTES_MAX + CALL_BYTES_MAX + 256;

    fn validate(&self) -> Result<(), WireError> {
        self.call.validate()?;
        let answer = self.outcome.as_ref().and_then(|outcome| outcome.answer.as_ref());
        answer.map_or(Ok(()), Answered::validate)
    }
}

impl Wire for TakenRecord {
    const BYTES_MAX: usize = Call::BYTES_MAX + CALL_BYTES_MAX + 256;

    fn validate(&self) -> Result<(), WireError> {
        self.call.validate()?;
        self.answer.as_ref().map_or(Ok(()), Answered::validate)
    }
}
