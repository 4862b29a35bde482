//! Fees: what a transaction costs, who pays, and who gets it.
//!
//! A fee is taken before anything a transaction says is done, and stays taken if that is refused. It
//! is paid by whoever promised to sponsor the sender, as far as the promise reaches, else by the
//! sender. If nobody can, the transaction is refused without effect. The last block of an epoch shares
//! what its blocks took, equally among those who validated: a seat is a share.

use althing_proof::key as proof_key;
use althing_state::{Read, StoreError};
use althing_types::{
    Amount, EntityId, Event, Refusal, Sponsorship, TokenEvent, Transaction, TxId, ValidatorSet,
};

use super::{
    Place, Reason, SponsorshipRecord, Supply,
    account::{Line, take, unlock},
    must_be_on, passed,
};
use crate::{
    context::VALIDATORS,
    entity, index, key,
    transition::{Actor, Stop, Transition},
};

/// Takes the fee of a transaction.
pub(crate) fn charge<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    transaction: &Transaction,
) -> Result<(), Stop> {
    let Some(fees) = state.now.parameters.fees.filter(|fees| !fees.are_off()) else {
        return Ok(());
    };
    let bytes = transaction.wire().len() as u64;
    let limits = transaction.body().actions.iter().map(|action| action.gas_limit());
    let fee = fees.of(bytes, limits.fold(0, u64::saturating_add));
    if fee.is_zero() || by_sponsor(state, actor, fee)? {
        return Ok(());
    }
    let mark = state.mark();
    let paid = pay(state, actor, &actor.id, fee, None);
    if paid.is_err() {
        state.roll_back(mark);
    }
    paid
}

fn pay<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    payer: &EntityId,
    fee: Amount,
    whose: Option<EntityId>,
) -> Result<(), Stop> {
    match take(state, actor, payer, fee, &Line::of(Reason::Fee, whose)) {
        Ok(()) => passed(state, Place::Accounts, Place::Fees, fee),
        Err(Stop::Refused(Refusal::InsufficientFunds)) => Err(Refusal::CannotPayFee.into()),
        Err(error) => Err(error),
    }
}

/// Lets the sponsor pay, if it promised to and can.
fn by_sponsor<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    fee: Amount,
) -> Result<bool, Stop> {
    let key = key::sponsorship(&actor.id);
    let Some(record) = state.get::<SponsorshipRecord>(&key)? else { return Ok(false) };
    let (terms, now) = (record.terms, state.now);
    let owner = state.entity(&actor.id)?.and_then(|entity| entity.owner);
    let within = now.height <= terms.until_height
        && owner == Some(record.sponsor)
        && fee <= record.spent.left_of_day(terms.per_day, now.time_ms)
        && fee <= terms.total.minus(record.spent.total).unwrap_or_default();
    if !within {
        return Ok(false);
    }
    let mark = state.mark();
    match pay(state, actor, &record.sponsor, fee, Some(actor.id)) {
        Ok(()) => {}
        Err(Stop::Refused(_)) => {
            state.roll_back(mark);
            return Ok(false);
        }
        Err(error) => return Err(error),
    }
    let spent = record.spent.and(fee, now.time_ms)?;
    state.put(key, &SponsorshipRecord { spent, ..record });
    Ok(true)
}

/// Promises to pay the fees of an entity of the sender's.
pub(crate) fn sponsor<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    terms: &Sponsorship,
) -> Result<(), Stop> {
    must_be_on(state)?;
    let entity = entity::active(state, &terms.entity)?;
    if entity.owner != Some(actor.id) {
        return Err(Refusal::NotPermitted.into());
    }
    if terms.until_height < state.now.height {
        return Err(Refusal::Expired.into());
    }
    let key = key::sponsorship(&terms.entity);
    if let Some(before) = state.get::<SponsorshipRecord>(&key)? {
        index::sponsorship(state, &before.sponsor, &terms.entity, false);
    }
    // What was spent under an earlier promise counts no more: the bounds are new ones.
    let record = SponsorshipRecord {
        sponsor: actor.id,
        terms: *terms,
        spent: super::Spent::default(),
        since_height: state.now.height,
    };
    state.put(key, &record);
    index::sponsorship(state, &actor.id, &terms.entity, true);
    state.emit(Event::Token(TokenEvent::Sponsored {
        entity: terms.entity,
        sponsor: actor.id,
        until_height: terms.until_height,
    }));
    Ok(())
}

/// Takes the promise back.
pub(crate) fn end_sponsorship<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &EntityId,
) -> Result<(), Stop> {
    must_be_on(state)?;
    let key = key::sponsorship(id);
    let record: SponsorshipRecord = state.get(&key)?.ok_or(Refusal::UnknownSponsorship)?;
    let owner = state.entity(id)?.and_then(|entity| entity.owner);
    if record.sponsor != actor.id && owner != Some(actor.id) {
        return Err(Refusal::NotPermitted.into());
    }
    state.remove(key);
    index::sponsorship(state, &record.sponsor, id, false);
    let (entity, sponsor) = (*id, record.sponsor);
    state.emit(Event::Token(TokenEvent::SponsorshipEnded { entity, sponsor }));
    Ok(())
}

/// Shares the fees of an epoch, if the block under way is its last. What does not divide, and the
/// share of an organisation that was revoked, waits for the next.
pub(crate) fn share<R: Read>(state: &mut Transition<'_, R>) -> Result<(), StoreError> {
    let parameters = state.now.parameters;
    if parameters.fees.is_none() || !parameters.ends_epoch(state.now.height) {
        return Ok(());
    }
    let mark = state.mark();
    match share_out(state) {
        Ok(()) => Ok(()),
        // The counts forbid it, which they never do: the fees stay where they are.
        Err(Stop::Refused(_)) => {
            state.roll_back(mark);
            Ok(())
        }
        Err(Stop::Store(error)) => Err(error),
    }
}

fn share_out<R: Read>(state: &mut Transition<'_, R>) -> Result<(), Stop> {
    let supply: Supply = state.get(&key::token_supply())?.unwrap_or_default();
    let key = proof_key::parameter(VALIDATORS);
    let set: ValidatorSet = state.get(&key)?.ok_or_else(|| StoreError::corrupt(&key))?;
    let share = supply.fees.share(set.validators.len() as u64);
    if share.is_zero() {
        return Ok(());
    }
    let mut seats = std::collections::BTreeMap::<EntityId, u64>::new();
    for validator in &set.validators {
        *seats.entry(validator.organisation).or_default() += 1;
    }
    for (organisation, seats) in seats {
        match entity::active(state, &organisation) {
            Ok(_) => {}
            Err(Stop::Refused(_)) => continue,
            Err(error) => return Err(error),
        }
        let by_itself =
            Actor { id: organisation, transaction: TxId::default(), position: u32::MAX };
        let line = Line::of(Reason::FeeShare, None);
        unlock(state, &by_itself, &organisation, share.times(seats), Place::Fees, &line)?;
    }
    Ok(())
}
