//! Accounts: paying, making, destroying, freezing.

use althing_state::{Read, StoreError};
use althing_types::{Amount, ContractId, EntityId, Event, Refusal, TokenEvent, Transfer};

use super::{Account, Movement, Place, Reason, count, must_be_on, passed, read, sum};
use crate::{
    contract::{ContractRecord, Status},
    entity, index, key,
    transition::{Actor, Stop, Transition},
};

/// What an account has; an empty one if nobody has put anything there.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn account(view: &impl Read, id: &EntityId) -> Result<Account, StoreError> {
    Ok(read(view, &key::account(id))?.unwrap_or_default())
}

/// Why an account changes, for its history.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) reason: Reason,
    pub(crate) other: Option<EntityId>,
    pub(crate) memo: &'a str,
}

impl Line<'_> {
    pub(crate) const fn of(reason: Reason, other: Option<EntityId>) -> Self {
        Self { reason, other, memo: "" }
    }
}

fn of<R: Read>(state: &Transition<'_, R>, id: &EntityId) -> Result<Account, StoreError> {
    Ok(state.get(&key::account(id))?.unwrap_or_default())
}

/// Writes an account, or removes what says nothing.
fn keep<R: Read>(state: &mut Transition<'_, R>, id: &EntityId, before: Account, after: Account) {
    let (was, is) = (before != Account::default(), after != Account::default());
    if is {
        state.put(key::account(id), &after);
    } else if was {
        state.remove(key::account(id));
    }
    if was != is {
        index::account(state, id, is);
    }
}

fn write_line<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &EntityId,
    line: &Line<'_>,
    incoming: bool,
    moved: (Amount, Amount),
) {
    let (amount, balance) = moved;
    // What the ledger does by itself belongs to no transaction.
    let transaction = (actor.position != u32::MAX).then_some(actor.transaction);
    let (reason, other, memo) = (line.reason, line.other, line.memo.to_owned());
    let movement = Movement { reason, incoming, amount, balance, other, transaction, memo };
    index::tokens_moved(state, actor, id, &movement);
}

/// Takes from an account; a frozen one pays fees only. The place where it goes is the caller's to
/// count.
pub(crate) fn take<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &EntityId,
    amount: Amount,
    line: &Line<'_>,
) -> Result<(), Stop> {
    let before = of(state, id)?;
    if before.frozen && line.reason != Reason::Fee {
        return Err(Refusal::AccountFrozen.into());
    }
    let balance = before.balance.minus(amount).ok_or(Refusal::InsufficientFunds)?;
    keep(state, id, before, Account { balance, ..before });
    write_line(state, actor, id, line, false, (amount, balance));
    Ok(())
}

/// Gives to an account. The place where it comes from is the caller's to count.
pub(crate) fn give<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &EntityId,
    amount: Amount,
    line: &Line<'_>,
) -> Result<(), Stop> {
    let before = of(state, id)?;
    let balance = sum(before.balance, amount)?;
    keep(state, id, before, Account { balance, ..before });
    write_line(state, actor, id, line, true, (amount, balance));
    Ok(())
}

/// Refuses to pay whoever could not spend it: nobody, who was revoked, or a contract that never
/// began or has ended.
pub(super) fn can_be_paid<R: Read>(
    state: &mut Transition<'_, R>,
    id: &EntityId,
) -> Result<(), Stop> {
    match entity::active(state, id) {
        Err(Stop::Refused(Refusal::UnknownEntity)) => {}
        known => return known.map(|_| ()),
    }
    let contract: Option<ContractRecord> = state.get(&key::contract(&ContractId(id.0)))?;
    match contract.map(|contract| contract.status) {
        Some(Status::Active | Status::Frozen) => Ok(()),
        Some(Status::Proposed | Status::Terminated) | None => Err(Refusal::UnknownPayee.into()),
    }
}

/// Moves tokens from the sender to an account.
pub(crate) fn move_to<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    to: &EntityId,
    amount: Amount,
    memo: &str,
) -> Result<(), Stop> {
    must_be_on(state)?;
    if *to == actor.id {
        return Err(Refusal::ChangesNothing.into());
    }
    can_be_paid(state, to)?;
    let line = |other| Line { reason: Reason::Transfer, other: Some(other), memo };
    take(state, actor, &actor.id, amount, &line(*to))?;
    give(state, actor, to, amount, &line(actor.id))?;
    let (from, to, memo) = (actor.id, *to, memo.to_owned());
    state.emit(Event::Token(TokenEvent::Transferred { from, to, amount, memo }));
    Ok(())
}

/// Pays.
pub(crate) fn transfer<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    transfer: &Transfer,
) -> Result<(), Stop> {
    move_to(state, actor, &transfer.to, transfer.amount, &transfer.memo)
}

/// Destroys tokens of the sender's.
pub(crate) fn burn<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    amount: Amount,
) -> Result<(), Stop> {
    must_be_on(state)?;
    take(state, actor, &actor.id, amount, &Line::of(Reason::Burn, None))?;
    count(state, |supply| {
        let less = |place: Amount| place.minus(amount).ok_or(Refusal::InsufficientFunds);
        (supply.total, supply.accounts) = (less(supply.total)?, less(supply.accounts)?);
        Ok(())
    })?;
    state.emit(Event::Token(TokenEvent::Burnt { account: actor.id, amount }));
    Ok(())
}

/// Destroys tokens that are staked; the caller takes them out of the stake.
pub(crate) fn burn_stake<R: Read>(
    state: &mut Transition<'_, R>,
    amount: Amount,
) -> Result<(), Stop> {
    count(state, |supply| {
        let less = |place: Amount| place.minus(amount).ok_or(Refusal::InsufficientFunds);
        let staked = less(supply.staked.unwrap_or_default())?;
        (supply.total, supply.staked) = (less(supply.total)?, Some(staked));
        Ok(())
    })
}

/// Makes tokens, as members decided.
pub(crate) fn mint<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    to: &EntityId,
    amount: Amount,
) -> Result<(), Stop> {
    must_be_on(state)?;
    can_be_paid(state, to)?;
    count(state, |supply| {
        let (total, accounts) = (sum(supply.total, amount)?, sum(supply.accounts, amount)?);
        (supply.total, supply.accounts) = (total, accounts);
        Ok(())
    })?;
    give(state, actor, to, amount, &Line::of(Reason::Mint, None))?;
    state.emit(Event::Token(TokenEvent::Minted { to: *to, amount }));
    Ok(())
}

/// Freezes an account or lets it spend again, as members decided.
pub(crate) fn freeze<R: Read>(
    state: &mut Transition<'_, R>,
    id: &EntityId,
    frozen: bool,
) -> Result<(), Stop> {
    must_be_on(state)?;
    let before = of(state, id)?;
    if before == Account::default() {
        can_be_paid(state, id)?;
    }
    if before.frozen == frozen {
        return Err(Refusal::ChangesNothing.into());
    }
    keep(state, id, before, Account { frozen, ..before });
    state.emit(Event::Token(TokenEvent::AccountFrozen { account: *id, frozen }));
    Ok(())
}

/// Takes what an account has that nobody can sign for any more.
pub(crate) fn sweep<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &EntityId,
) -> Result<(), Stop> {
    must_be_on(state)?;
    let owner = match state.entity(id)? {
        Some(record) => record.owner.filter(|_| record.revoked.is_some()),
        None => {
            let contract: ContractRecord =
                state.get(&key::contract(&ContractId(id.0)))?.ok_or(Refusal::UnknownEntity)?;
            (contract.status == Status::Terminated).then(|| contract.owner())
        }
    };
    if owner != Some(actor.id) {
        return Err(Refusal::NotPermitted.into());
    }
    let amount = of(state, id)?.balance;
    if amount.is_zero() {
        return Err(Refusal::InsufficientFunds.into());
    }
    let line = |other| Line::of(Reason::Sweep, Some(other));
    take(state, actor, id, amount, &line(actor.id))?;
    give(state, actor, &actor.id, amount, &line(*id))?;
    let (from, to) = (*id, actor.id);
    state.emit(Event::Token(TokenEvent::Transferred { from, to, amount, memo: String::new() }));
    Ok(())
}

/// Takes from the sender and counts it elsewhere.
pub(crate) fn lock<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    amount: Amount,
    place: Place,
    line: &Line<'_>,
) -> Result<(), Stop> {
    take(state, actor, &actor.id, amount, line)?;
    passed(state, Place::Accounts, place, amount)
}

/// Gives what was counted elsewhere to an account.
pub(crate) fn unlock<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    to: &EntityId,
    amount: Amount,
    place: Place,
    line: &Line<'_>,
) -> Result<(), Stop> {
    passed(state, place, Place::Accounts, amount)?;
    give(state, actor, to, amount, line)
}
