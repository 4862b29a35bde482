//! Rows about tokens.

use althing_state::Read;
use althing_types::{EntityId, Genesis, TxId};

use super::join;
use crate::{
    token::{EscrowRecord, Movement, Reason},
    transition::{Actor, Transition, encode},
};

/// Rows of all accounts that have something.
#[must_use]
pub fn accounts() -> Vec<u8> {
    join(b'f', &[b"a"])
}

/// Rows of what came to an account and left it, oldest first.
#[must_use]
pub fn movements_of(account: &EntityId) -> Vec<u8> {
    join(b'f', &[b"h", &account.0])
}

/// Rows of the open escrows that an entity locked, is to get or decides about.
#[must_use]
pub fn escrows_of(entity: &EntityId) -> Vec<u8> {
    join(b'f', &[b"e", &entity.0])
}

/// Rows of the entities whose fees an entity promised to pay.
#[must_use]
pub fn sponsored_by(sponsor: &EntityId) -> Vec<u8> {
    join(b'f', &[b"s", &sponsor.0])
}

/// Rows of the open rewards that an entity offered.
#[must_use]
pub fn rewards_by(payer: &EntityId) -> Vec<u8> {
    join(b'f', &[b"r", &payer.0])
}

/// The rows of what accounts begin with; they come with no block.
pub(super) fn founded(genesis: &Genesis) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
    let initial = genesis.token.iter().flat_map(|token| &token.initial);
    let rows = initial.flat_map(|each| {
        let staked = crate::token::staked_by(genesis, &each.account);
        let left = each.amount.minus(staked).unwrap_or_default();
        let line = |number: u128, reason, incoming, amount, balance| {
            let (other, transaction, memo) = (None, None, String::new());
            let movement = Movement { reason, incoming, amount, balance, other, transaction, memo };
            let key = join(b'f', &[b"h", &each.account.0, &number.to_be_bytes()]);
            (key, Some(encode(&movement)))
        };
        let begins = line(0, Reason::Genesis, true, each.amount, each.amount);
        let stakes = (!staked.is_zero()).then(|| line(1, Reason::Stake, false, staked, left));
        let has =
            (!left.is_zero()).then(|| (join(b'f', &[b"a", &each.account.0]), Some(Vec::new())));
        [Some(begins), stakes, has].into_iter().flatten()
    });
    rows.collect()
}

pub(crate) fn account<R: Read>(state: &mut Transition<'_, R>, id: &EntityId, present: bool) {
    state.row(join(b'f', &[b"a", &id.0]), present.then(Vec::new));
}

pub(crate) fn tokens_moved<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    account: &EntityId,
    movement: &Movement,
) {
    let place = state.place(actor);
    // Rows of a block only ever grow in number, so this tells those of one transaction apart.
    let number = u32::try_from(state.effects.index.len()).unwrap_or(u32::MAX).to_be_bytes();
    let key = join(b'f', &[b"h", &account.0, &place, &number]);
    state.row(key, Some(encode(movement)));
}

pub(crate) fn escrow<R: Read>(
    state: &mut Transition<'_, R>,
    id: &TxId,
    record: &EscrowRecord,
    present: bool,
) {
    let parties = [Some(record.payer), Some(record.terms.payee), record.terms.arbiter];
    for party in parties.into_iter().flatten() {
        state.row(join(b'f', &[b"e", &party.0, &id.0]), present.then(Vec::new));
    }
}

pub(crate) fn sponsorship<R: Read>(
    state: &mut Transition<'_, R>,
    sponsor: &EntityId,
    entity: &EntityId,
    present: bool,
) {
    state.row(join(b'f', &[b"s", &sponsor.0, &entity.0]), present.then(Vec::new));
}

pub(crate) fn reward<R: Read>(
    state: &mut Transition<'_, R>,
    payer: &EntityId,
    id: &TxId,
    present: bool,
) {
    state.row(join(b'f', &[b"r", &payer.0, &id.0]), present.then(Vec::new));
}
