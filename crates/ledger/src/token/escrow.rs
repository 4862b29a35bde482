//! Escrows: tokens that are locked for a payee until a height.

use althing_state::Read;
use althing_types::{CallPayment, Escrow, Event, Refusal, TokenEvent, TxId};

use super::{
    EscrowRecord, Place, Reason,
    account::{Line, can_be_paid, lock, unlock},
    must_be_on,
};
use crate::{
    entity, index, key,
    transition::{Actor, Stop, Transition},
};

/// Locks tokens of the sender's.
pub(crate) fn open<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    terms: &Escrow,
) -> Result<(), Stop> {
    must_be_on(state)?;
    let id = actor.transaction;
    if state.get::<EscrowRecord>(&key::escrow(&id))?.is_some() {
        return Err(Refusal::OutOfBounds.into());
    }
    if terms.until_height < state.now.height {
        return Err(Refusal::EscrowOver.into());
    }
    if terms.payee == actor.id {
        return Err(Refusal::ChangesNothing.into());
    }
    can_be_paid(state, &terms.payee)?;
    if let Some(arbiter) = &terms.arbiter {
        entity::active(state, arbiter)?;
    }
    let line = Line { reason: Reason::Escrow, other: Some(terms.payee), memo: &terms.memo };
    lock(state, actor, terms.amount, Place::Escrows, &line)?;
    let record =
        EscrowRecord { payer: actor.id, terms: terms.clone(), since_height: state.now.height };
    state.put(key::escrow(&id), &record);
    index::escrow(state, &id, &record, true);
    state.emit(Event::Token(TokenEvent::EscrowOpened {
        escrow: id,
        payer: actor.id,
        payee: terms.payee,
        amount: terms.amount,
        until_height: terms.until_height,
    }));
    Ok(())
}

/// Gives locked tokens to the payee.
pub(crate) fn release<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
) -> Result<(), Stop> {
    let record = record(state, id)?;
    if actor.id != record.payer && record.terms.arbiter != Some(actor.id) {
        return Err(Refusal::NotPermitted.into());
    }
    if state.now.height > record.terms.until_height {
        return Err(Refusal::EscrowOver.into());
    }
    pay_out(state, actor, id, &record)
}

/// Gives locked tokens back.
pub(crate) fn refund<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
) -> Result<(), Stop> {
    let record = record(state, id)?;
    let may = actor.id == record.terms.payee || record.terms.arbiter == Some(actor.id);
    if !may && state.now.height <= record.terms.until_height {
        return Err(Refusal::NotPermitted.into());
    }
    give_back(state, actor, id, &record)
}

/// Locks tokens of the sender's for a call to another ledger, without end: the call has one.
pub(crate) fn lock_for_call<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    payment: &CallPayment,
) -> Result<(), Stop> {
    let CallPayment { payee, amount } = *payment;
    let memo = String::new();
    open(state, actor, &Escrow { payee, amount, until_height: u64::MAX, arbiter: None, memo })
}

/// Pays for a call that was answered, or gives the tokens back. Payer and payee may have agreed otherwise
/// before; there is nothing left to do then.
pub(crate) fn settle_call<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
    accepted: bool,
) -> Result<(), Stop> {
    let Some(record) = state.get::<EscrowRecord>(&key::escrow(id))? else { return Ok(()) };
    if accepted { pay_out(state, actor, id, &record) } else { give_back(state, actor, id, &record) }
}

fn pay_out<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
    record: &EscrowRecord,
) -> Result<(), Stop> {
    let (payee, amount) = (record.terms.payee, record.terms.amount);
    can_be_paid(state, &payee)?;
    close(state, id, record);
    let line = Line { reason: Reason::Escrow, other: Some(record.payer), memo: &record.terms.memo };
    unlock(state, actor, &payee, amount, Place::Escrows, &line)?;
    state.emit(Event::Token(TokenEvent::EscrowReleased { escrow: *id, payee, amount }));
    Ok(())
}

fn give_back<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
    record: &EscrowRecord,
) -> Result<(), Stop> {
    let (payer, payee, amount) = (record.payer, record.terms.payee, record.terms.amount);
    close(state, id, record);
    let line = Line { reason: Reason::Escrow, other: Some(payee), memo: &record.terms.memo };
    unlock(state, actor, &payer, amount, Place::Escrows, &line)?;
    state.emit(Event::Token(TokenEvent::EscrowRefunded { escrow: *id, payer, amount }));
    Ok(())
}

fn record<R: Read>(state: &Transition<'_, R>, id: &TxId) -> Result<EscrowRecord, Stop> {
    must_be_on(state)?;
    Ok(state.get(&key::escrow(id))?.ok_or(Refusal::UnknownEscrow)?)
}

fn close<R: Read>(state: &mut Transition<'_, R>, id: &TxId, record: &EscrowRecord) {
    state.remove(key::escrow(id));
    index::escrow(state, id, record, false);
}
