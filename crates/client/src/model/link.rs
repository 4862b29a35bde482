use serde::{Deserialize, Serialize};

use super::{DidText, DigestHex, EntityHex, LedgerHex, LinkHex, ServiceHex, Time, TxHex};

/// What an organisation knows of another ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Link {
    /// Its id.
    pub id: LinkHex,
    /// The organisation that relies on it.
    pub owner: DidText,
    /// The other ledger.
    pub ledger: LedgerHex,
    /// Name of its network.
    pub network: String,
    /// `live`, `suspended`, `ended` or `frozen`.
    pub status: String,
    /// Height of the newest block known there; 0 while none is.
    pub height: u64,
    /// That block.
    pub block: DigestHex,
    /// Its epoch.
    pub epoch: u64,
    /// Its time; that of the genesis while no block is known.
    pub time: Time,
    /// How many validators are known there.
    pub validators: u64,
    /// First epoch of these: what leads to newer ones begins here.
    pub validators_epoch: u64,
    /// Height here at which it was registered.
    pub registered_height: u64,
    /// Height here at which it last went up.
    pub advanced_height: u64,
    /// Time of that block.
    pub advanced: Time,
    /// Calls across it, either way, that wait for an answer.
    pub open_calls: u32,
    /// Why it is frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fork: Option<LinkFork>,
}

/// Two final blocks of one height.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LinkFork {
    /// The height.
    pub height: u64,
    /// One.
    pub first: DigestHex,
    /// The other.
    pub second: DigestHex,
}

/// A call that this ledger asks another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AskedCall {
    /// Its id: that of the transaction that asked.
    pub id: TxHex,
    /// Who asks.
    pub caller: DidText,
    /// Over which link.
    pub link: LinkHex,
    /// Which ledger.
    pub ledger: LedgerHex,
    /// Which service there.
    pub service: ServiceHex,
    /// Until when it can be answered.
    pub deadline: Time,
    /// From when on it can be refunded, if no answer came.
    pub refund: Time,
    /// What is asked, hex.
    pub request: String,
    /// What is paid for the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<CallPayment>,
    /// `asked`, `settled`, `declined` or `refunded`.
    pub state: String,
    /// Height at which it was asked.
    pub asked_height: u64,
    /// Time of that block.
    pub asked: Time,
    /// Height at which it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_height: Option<u64>,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<CallAnswer>,
}

/// A call that another ledger asks this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TakenCall {
    /// The ledger that asks.
    pub ledger: LedgerHex,
    /// The call's id there.
    pub id: TxHex,
    /// Who asks there.
    pub caller: EntityHex,
    /// Which service.
    pub service: ServiceHex,
    /// Who provides it.
    pub provider: DidText,
    /// Until when it can be answered.
    pub deadline: Time,
    /// From when on it can be refunded there, if no answer came back.
    pub refund: Time,
    /// What is asked, hex.
    pub request: String,
    /// What is paid for the answer, there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<CallPayment>,
    /// `taken`, `answered` or `declined`.
    pub state: String,
    /// Height at which it arrived.
    pub taken_height: u64,
    /// Time of that block.
    pub taken: Time,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<CallAnswer>,
}

/// Tokens that are locked for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CallPayment {
    /// For whom, on the ledger that asks.
    pub payee: EntityHex,
    /// How many, in the smallest unit.
    pub amount: String,
}

/// An answer to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CallAnswer {
    /// Whether what was asked is done; if not, it was declined.
    pub accepted: bool,
    /// The answer, hex.
    pub answer: String,
    /// Who answered, on the ledger that was asked.
    pub by: EntityHex,
    /// Height there.
    pub height: u64,
}

/// What happened between this ledger and another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum LinkEvent {
    /// An organisation relies on another ledger.
    Registered {
        /// Its link.
        link: LinkHex,
        /// Whose.
        owner: DidText,
        /// To which ledger.
        ledger: LedgerHex,
    },
    /// A newer block of the other ledger is known.
    Advanced {
        /// To which link.
        link: LinkHex,
        /// Height of that block.
        height: u64,
        /// Its epoch.
        epoch: u64,
    },
    /// A link was suspended, resumed or ended.
    StatusSet {
        /// Which.
        link: LinkHex,
        /// `live`, `suspended` or `ended`.
        status: String,
    },
    /// The other ledger has two final blocks of one height.
    Frozen {
        /// Which link.
        link: LinkHex,
        /// Which height.
        height: u64,
    },
    /// Somebody asks a service of another ledger.
    Asked {
        /// The call.
        call: TxHex,
        /// Who.
        caller: DidText,
        /// Which ledger.
        ledger: LedgerHex,
        /// Which service there.
        service: ServiceHex,
        /// Until when.
        deadline: Time,
    },
    /// A call of another ledger arrived.
    Taken {
        /// The ledger that asks.
        ledger: LedgerHex,
        /// Its call.
        call: TxHex,
        /// Which service it asks.
        service: ServiceHex,
        /// Who provides that.
        provider: DidText,
        /// Until when.
        deadline: Time,
    },
    /// A call of another ledger is answered.
    Answered {
        /// The ledger that asks.
        ledger: LedgerHex,
        /// Its call.
        call: TxHex,
        /// Who answered.
        by: DidText,
        /// Whether what was asked is done.
        accepted: bool,
    },
    /// The answer to a call came back.
    Settled {
        /// The call.
        call: TxHex,
        /// Who asked.
        caller: DidText,
        /// Whether what was asked is done.
        accepted: bool,
    },
    /// No answer to a call came in time.
    Refunded {
        /// The call.
        call: TxHex,
        /// Who asked.
        caller: DidText,
    },
}
