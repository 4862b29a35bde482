//! Contracts: code on the ledger, and what runs it (Y.4464 10.2).
//!
//! Code is uploaded in parts and stored by its digest. A contract is code with storage of its own, a
//! name and terms: who administers it, who decides whether it begins, who may call it. It acts under
//! its own id: what it does goes through the same rules as what anyone does, with it as sender.
//!
//! ```text
//! Instantiate --- participants? --no--> active <--thaw-- frozen --terminate--> terminated
//!                      |                  |  '--freeze--^                          ^
//!                     yes                 '-----------------terminate--------------'
//!                      v
//!                  proposed --enough accept--> active
//!                      '--too few left, withdrawn, too late--> (gone)
//! ```
//!
//! A contract runs inside the transaction that calls it, with all that it calls in turn; see `call`.
//! What fails is undone, and the receipt has a number and no text.

mod bank;
mod call;
mod code;
mod deed;
mod host;
mod life;
mod message;
mod query;
mod things;
mod wire;

pub use call::CALL_PURPOSE;
pub(crate) use call::execute;
pub use code::prepare;
pub(crate) use code::{remove, store, upload};
pub(crate) use life::{accept, decline, freeze, instantiate, migrate, set_admin, terminate, thaw};
pub use query::{Asked, Trial, ask, try_out};

use althing_state::Read;
use althing_types::{
    Amount, CodeId, CodeMeta, ContractId, EntityId, Refusal, Terms, Wire, WireError,
    limits::{CONTRACT_MESSAGE_BYTES_MAX, PARTICIPANTS_MAX},
};
use minicbor::{Decode, Encode};

use crate::{
    entity, key,
    transition::{Stop, Transition},
};

/// Most code of one organisation, bytes.
pub const CODE_OF_OWNER_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Most code of all organisations together, bytes.
pub const CODE_OF_LEDGER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Ledger time that peers are given to compile a module, microseconds for each byte: several times
/// what one thread takes.
pub const CODE_READY_US_PER_BYTE: u64 = 10;
/// Most ledger time by which the code of an organisation may be behind with its compiling,
/// milliseconds; it may store no more meanwhile.
pub const CODE_BEHIND_MS_MAX: u64 = 60_000;

/// What goes to a contract with a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    /// The message, JSON.
    pub(crate) message: &'a [u8],
    /// Tokens of the caller's.
    pub(crate) funds: Amount,
}

/// Code that is stored.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CodeRecord {
    /// Its number, by which contracts name code to each other; from 1, never used again.
    #[n(0)]
    pub number: u64,
    /// The organisation that owns it.
    #[n(1)]
    pub owner: EntityId,
    /// Who stored it.
    #[n(2)]
    pub creator: EntityId,
    /// Its length, bytes.
    #[n(3)]
    pub bytes: u32,
    /// In how many parts it lies in the state.
    #[n(4)]
    pub parts: u16,
    /// Height at which it was stored.
    #[n(5)]
    pub stored_height: u64,
    /// What is said of it.
    #[n(6)]
    pub meta: CodeMeta,
    /// How many contracts run it, or are proposed to.
    #[n(7)]
    pub contracts: u32,
    /// Ledger time from which contracts may be made of it, milliseconds since 1970: peers have
    /// compiled it by then.
    #[n(8)]
    pub ready_ms: u64,
}

impl Wire for CodeRecord {
    const BYTES_MAX: usize = 2048;
}

/// Whether a contract runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    /// Its participants have not accepted it yet.
    #[n(0)]
    Proposed,
    /// It runs.
    #[n(1)]
    Active,
    /// Stopped, may be thawed.
    #[n(2)]
    Frozen,
    /// Ended for ever.
    #[n(3)]
    Terminated,
}

impl Status {
    /// Name in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Active => "active",
            Self::Frozen => "frozen",
            Self::Terminated => "terminated",
        }
    }
}

/// What a proposed contract waits with.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Proposal {
    /// Its first message.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub message: Vec<u8>,
    /// Most gas its beginning may use.
    #[n(1)]
    pub gas_limit: u64,
    /// Last height at which it can be accepted.
    #[n(2)]
    pub until_height: u64,
    /// Who has accepted it, in order.
    #[n(3)]
    pub accepted: Vec<EntityId>,
    /// Who has declined it, in order.
    #[n(4)]
    pub declined: Vec<EntityId>,
}

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ContractRecord {
    /// The code it runs.
    #[n(0)]
    pub code: CodeId,
    /// Who made it: an entity, or a contract under its id.
    #[n(1)]
    pub creator: EntityId,
    /// The creator's name for it.
    #[n(2)]
    pub name: String,
    /// Who decides about it and who may call it.
    #[n(3)]
    pub terms: Terms,
    /// Whether it runs.
    #[n(4)]
    pub status: Status,
    /// Height at which it was made.
    #[n(5)]
    pub created_height: u64,
    /// Height at which code, terms or status last changed.
    #[n(6)]
    pub changed_height: u64,
    /// What it waits with, while it is proposed.
    #[n(7)]
    pub proposal: Option<Proposal>,
}

impl ContractRecord {
    /// Who decides about it: its administrator, or who made it if it has none.
    #[must_use]
    pub fn owner(&self) -> EntityId {
        self.terms.admin.unwrap_or(self.creator)
    }
}

impl Wire for ContractRecord {
    const BYTES_MAX: usize = 8 * 1024 + CONTRACT_MESSAGE_BYTES_MAX + PARTICIPANTS_MAX * 34;

    fn validate(&self) -> Result<(), WireError> {
        if (self.status == Status::Proposed) == self.proposal.is_some() {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("proposal"))
        }
    }
}

pub(crate) fn contract<R: Read>(
    state: &Transition<'_, R>,
    id: &ContractId,
) -> Result<ContractRecord, Stop> {
    Ok(state.get(&key::contract(id))?.ok_or(Refusal::UnknownContract)?)
}

pub(crate) fn code<R: Read>(state: &Transition<'_, R>, id: &CodeId) -> Result<CodeRecord, Stop> {
    Ok(state.get(&key::code(id))?.ok_or(Refusal::UnknownCode)?)
}

/// Refuses whoever cannot act now: an entity that was revoked or is not known, a contract that does
/// not run.
pub(crate) fn acts<R: Read>(state: &mut Transition<'_, R>, id: &EntityId) -> Result<(), Stop> {
    match entity::active(state, id) {
        Err(Stop::Refused(Refusal::UnknownEntity)) => {}
        known => return known.map(|_| ()),
    }
    match state.get::<ContractRecord>(&key::contract(&ContractId(id.0)))? {
        Some(record) => Ok(must_run(&record)?),
        None => Err(Refusal::UnknownEntity.into()),
    }
}

/// Refuses what a contract that does not run cannot do.
pub(crate) fn must_run(record: &ContractRecord) -> Result<(), Refusal> {
    match record.status {
        Status::Active => Ok(()),
        Status::Proposed => Err(Refusal::ContractProposed),
        Status::Frozen => Err(Refusal::ContractFrozen),
        Status::Terminated => Err(Refusal::ContractEnded),
    }
}

/// The organisation that stands behind an entity: its owner, or itself.
fn organisation<R: Read>(state: &mut Transition<'_, R>, id: &EntityId) -> Result<EntityId, Stop> {
    Ok(entity::active(state, id)?.owner.unwrap_or(*id))
}

#[cfg(test)]
mod tests;
