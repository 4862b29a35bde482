//! Who takes part in a ledger beyond being known to it.

use minicbor::{Decode, Encode};

use crate::Mode;

/// Who may send transactions, and who may bring code and make contracts (Y.4464 7.1.3, Table I.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Participation {
    /// Who may send transactions.
    #[n(0)]
    pub transact: Transact,
    /// Who may bring code and make contracts.
    #[n(1)]
    pub deploy: Deploy,
}

/// Who may send transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Transact {
    /// Any entity; and any organisation may register another, which is then a guest: it has no vote.
    #[n(0)]
    Everybody,
    /// Member organisations and what they own.
    #[n(1)]
    Members,
}

/// Who may bring code and make contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Deploy {
    /// Whoever may send transactions.
    #[n(0)]
    Everybody,
    /// Member organisations and what they own.
    #[n(1)]
    Members,
    /// They too, but a contract begins, or gets other code, only when as many members approve as the
    /// voting rule asks for.
    #[n(2)]
    Approved,
}

impl Transact {
    /// All of them with their names in text, ascending by number.
    pub const ALL: [(Self, &'static str); 2] =
        [(Self::Everybody, "everybody"), (Self::Members, "members")];
}

impl Deploy {
    /// All of them with their names in text, ascending by number.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Everybody, "everybody"), (Self::Members, "members"), (Self::Approved, "approved")];
}

impl Participation {
    /// What a mode comes with, where nothing else is wanted.
    #[must_use]
    pub const fn of(mode: Mode) -> Self {
        let (transact, deploy) = match mode {
            Mode::Public => (Transact::Everybody, Deploy::Everybody),
            Mode::Consortium => (Transact::Members, Deploy::Approved),
            Mode::Private => (Transact::Members, Deploy::Members),
        };
        Self { transact, deploy }
    }
}
