//! Links to other ledgers, and calls of services across them.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};

use crate::{
    Amount, EntityId, LedgerId, LinkId, ServiceId, TxId, Wire, WireError,
    limits::{CALL_BYTES_MAX, CALL_GRACE_MS_MAX, CALL_GRACE_MS_MIN, LINK_PROOF_BYTES_MAX},
};

/// Whether an organisation relies on what another ledger proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum LinkStatus {
    /// It does.
    #[n(0)]
    Live,
    /// Not for now.
    #[n(1)]
    Suspended,
    /// Not any more. What is known of the other ledger stays known, for whoever begins again.
    #[n(2)]
    Ended,
    /// Never again: the other ledger has two final blocks of one height.
    #[n(3)]
    Frozen,
}

impl LinkStatus {
    /// All, with names in text.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Live, "live"),
        (Self::Suspended, "suspended"),
        (Self::Ended, "ended"),
        (Self::Frozen, "frozen"),
    ];

    /// Name in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// Something a link is told, with the proof of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LinkAdvance {
    /// Which link.
    #[n(0)]
    pub link: LinkId,
    /// What shows it: an `Advance` of crate `proof`, 1 to
    /// [`LINK_PROOF_BYTES_MAX`](crate::limits::LINK_PROOF_BYTES_MAX) bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub proof: Vec<u8>,
}

/// Two final blocks of another ledger that exclude each other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LinkFork {
    /// Which link.
    #[n(0)]
    pub link: LinkId,
    /// What shows one: an `Advance` of crate `proof`.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub first: Vec<u8>,
    /// What shows the other.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub second: Vec<u8>,
}

/// Tokens that whoever asks locks for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CallPayment {
    /// Who gets them if the call is answered, an account of the ledger that asks.
    #[n(0)]
    pub payee: EntityId,
    /// How many, not none.
    #[n(1)]
    pub amount: Amount,
}

/// A question to a service of another ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Call {
    /// Which ledger.
    #[n(0)]
    pub ledger: LedgerId,
    /// Which service there.
    #[n(1)]
    pub service: ServiceId,
    /// Until when it may be answered, milliseconds since 1970, by the time of either ledger.
    #[n(2)]
    pub deadline_ms: u64,
    /// How long after that the answer may be carried back before the call is given up, milliseconds of
    /// the time of the ledger that asks: [`CALL_GRACE_MS_MIN`](crate::limits::CALL_GRACE_MS_MIN) to
    /// [`CALL_GRACE_MS_MAX`](crate::limits::CALL_GRACE_MS_MAX).
    #[n(3)]
    pub grace_ms: u64,
    /// What is asked, at most [`CALL_BYTES_MAX`](crate::limits::CALL_BYTES_MAX) bytes; no ledger
    /// looks into it.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub request: Vec<u8>,
    /// What is paid for the answer.
    #[n(5)]
    pub payment: Option<CallPayment>,
}

impl Call {
    /// Last moment in which it is not given up, milliseconds since 1970 by the ledger that asks.
    #[must_use]
    pub const fn patience_ms(&self) -> u64 {
        self.deadline_ms.saturating_add(self.grace_ms)
    }

    /// Whether its fields are within their bounds.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        self.request.len() <= CALL_BYTES_MAX
            && (CALL_GRACE_MS_MIN..=CALL_GRACE_MS_MAX).contains(&self.grace_ms)
            && self.payment.is_none_or(|payment| !payment.amount.is_zero())
    }
}

impl Wire for Call {
    const BYTES_MAX: usize = CALL_BYTES_MAX + 256;

    fn validate(&self) -> Result<(), WireError> {
        if self.is_within_bounds() { Ok(()) } else { Err(WireError::OutOfBounds("call")) }
    }
}

/// What a service says to a call of another ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CallAnswer {
    /// The ledger that asks.
    #[n(0)]
    pub ledger: LedgerId,
    /// Its call.
    #[n(1)]
    pub call: TxId,
    /// Whether what was asked is done, and paid for; or declined.
    #[n(2)]
    pub accepted: bool,
    /// The answer, at most [`CALL_BYTES_MAX`](crate::limits::CALL_BYTES_MAX) bytes.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub answer: Vec<u8>,
}

/// An answer of another ledger, with the proof of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CallSettlement {
    /// Which call.
    #[n(0)]
    pub call: TxId,
    /// What shows the answer: a `Shown` of crate `proof`.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub proof: Vec<u8>,
}

impl CallAnswer {
    pub(crate) fn is_within_bounds(&self) -> bool {
        self.answer.len() <= CALL_BYTES_MAX
    }
}

/// Whether bytes can be a proof of another ledger, by their length.
pub(crate) fn is_proof(bytes: &[u8]) -> bool {
    (1..=LINK_PROOF_BYTES_MAX).contains(&bytes.len())
}

/// What happened between this ledger and another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum LinkEvent {
    /// An organisation relies on another ledger.
    #[n(0)]
    Registered {
        /// Its link.
        #[n(0)]
        link: LinkId,
        /// Whose.
        #[n(1)]
        owner: EntityId,
        /// To which ledger.
        #[n(2)]
        ledger: LedgerId,
    },
    /// A newer block of the other ledger is known.
    #[n(1)]
    Advanced {
        /// To which link.
        #[n(0)]
        link: LinkId,
        /// Height of that block.
        #[n(1)]
        height: u64,
        /// Its epoch.
        #[n(2)]
        epoch: u64,
    },
    /// The owner of a link relies on it otherwise than before.
    #[n(2)]
    StatusSet {
        /// Which link.
        #[n(0)]
        link: LinkId,
        /// How.
        #[n(1)]
        status: LinkStatus,
    },
    /// The other ledger has two final blocks of one height.
    #[n(3)]
    Frozen {
        /// Which link.
        #[n(0)]
        link: LinkId,
        /// Which height.
        #[n(1)]
        height: u64,
    },
    /// Somebody asks a service of another ledger.
    #[n(4)]
    Asked {
        /// The call.
        #[n(0)]
        call: TxId,
        /// Who.
        #[n(1)]
        caller: EntityId,
        /// Which ledger.
        #[n(2)]
        ledger: LedgerId,
        /// Which service there.
        #[n(3)]
        service: ServiceId,
        /// Until when, milliseconds since 1970.
        #[n(4)]
        deadline_ms: u64,
    },
    /// A call of another ledger arrived.
    #[n(5)]
    Taken {
        /// The ledger that asks.
        #[n(0)]
        ledger: LedgerId,
        /// Its call.
        #[n(1)]
        call: TxId,
        /// Which service it asks.
        #[n(2)]
        service: ServiceId,
        /// Who provides that.
        #[n(3)]
        provider: EntityId,
        /// Until when, milliseconds since 1970.
        #[n(4)]
        deadline_ms: u64,
    },
    /// A call of another ledger is answered.
    #[n(6)]
    Answered {
        /// The ledger that asks.
        #[n(0)]
        ledger: LedgerId,
        /// Its call.
        #[n(1)]
        call: TxId,
        /// Who answered.
        #[n(2)]
        by: EntityId,
        /// Whether what was asked is done.
        #[n(3)]
        accepted: bool,
    },
    /// The answer to a call came back.
    #[n(7)]
    Settled {
        /// The call.
        #[n(0)]
        call: TxId,
        /// Who asked.
        #[n(1)]
        caller: EntityId,
        /// Whether what was asked is done.
        #[n(2)]
        accepted: bool,
    },
    /// No answer to a call came in time.
    #[n(8)]
    Refunded {
        /// The call.
        #[n(0)]
        call: TxId,
        /// Who asked.
        #[n(1)]
        caller: EntityId,
    },
}
