//! Calls across ledgers: a service of one is asked from another, and nobody in between is trusted.
//!
//! | | on the ledger that asks | on the ledger that is asked |
//! |---|---|---|
//! | [`ask`] | asked, its payment locked | |
//! | [`take`] | | taken, once |
//! | [`answer`] | | answered, in time |
//! | [`settle`] | settled: paid, or given back if declined | |
//! | [`refund`] | refunded, once its time and grace are over | |
//!
//! The state of one proves each step to the [link](crate::link) of the other; anybody carries the proof.

use althing_proof::{
    call::{Answered, CallOutcome, CallRecord, TakenRecord},
    key as proof_key,
    link::Shown,
};
use althing_state::{Direction, Read, StoreError, prefix_end};
use althing_types::{
    Call, CallAnswer, CallSettlement, EntityId, Event, LedgerId, LinkEvent, LinkId, LinkStatus,
    Offered, Refusal, TxId, Wire as _,
    limits::{CALL_LIFE_MS_MAX, CALL_SKEW_MS_MAX, CALLS_OF_LINK_MAX},
};

use crate::{
    entity, index, key,
    link::{self, LinkRecord},
    service::{self, ServiceRecord},
    token,
    transition::{Actor, Stop, Transition},
};

/// How long after its deadline and grace a call is kept that another ledger asked, milliseconds of ledger time: so
/// long its answer can be proven.
pub const CALL_KEPT_MS: u64 = 24 * 3_600_000;
/// Most such calls that are forgotten when another one comes.
const CALLS_SWEPT_MAX: usize = 4;

/// Asks a service of another ledger, and locks what is paid for the answer.
pub(crate) fn ask<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    call: &Call,
) -> Result<(), Stop> {
    let owner = entity::active(state, &actor.id)?.owner.unwrap_or(actor.id);
    let mut link = link::to_ledger(state, &owner, &call.ledger)?;
    let (now_ms, id) = (state.now.time_ms, actor.transaction);
    let latest_ms = now_ms.saturating_add(CALL_LIFE_MS_MAX);
    if !(now_ms..=latest_ms).contains(&call.deadline_ms) {
        return Err(Refusal::CallOver.into());
    }
    if state.get::<CallRecord>(&proof_key::call(&id))?.is_some() {
        return Err(Refusal::OutOfBounds.into());
    }
    one_more(&mut link)?;
    if let Some(payment) = &call.payment {
        token::lock_for_call(state, actor, payment)?;
    }
    link::put(state, &link);
    let record = CallRecord {
        call: call.clone(),
        caller: actor.id,
        owner,
        asked_height: state.now.height,
        asked_ms: now_ms,
        outcome: None,
    };
    state.put(proof_key::call(&id), &record);
    index::asked(state, &id, &record);
    state.emit(Event::Link(LinkEvent::Asked {
        call: id,
        caller: actor.id,
        ledger: call.ledger,
        service: call.service,
        deadline_ms: call.deadline_ms,
    }));
    Ok(())
}

/// Takes a call of another ledger in, which is shown to wait there.
pub(crate) fn take<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    proof: &[u8],
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    sweep(state)?;
    let shown = Shown::from_wire(proof).map_err(|_| Refusal::BadForeignProof)?;
    // What it says is believed once the link has followed it; until then it says where to look.
    let claimed = shown.row.value.as_ref().ok_or(Refusal::UnknownCall)?;
    let asked = CallRecord::from_wire(claimed).map_err(|_| Refusal::BadForeignProof)?;
    let id = call_of(&shown.row.key).ok_or(Refusal::BadForeignProof)?;
    let header = &shown.advance.block.header;
    let (ledger, shown_ms) = (header.ledger, header.time_ms);
    let call = &asked.call;
    if call.ledger != state.now.ledger {
        return Err(Refusal::WrongLedger.into());
    }
    if state.get::<TakenRecord>(&proof_key::taken(&ledger, &id))?.is_some() {
        return Err(Refusal::AlreadyExists.into());
    }
    if asked.outcome.is_some() || call.deadline_ms < state.now.time_ms {
        return Err(Refusal::CallOver.into());
    }
    let (provider, owner) = provider(state, call)?;
    let mut link = link::to_ledger(state, &owner, &ledger)?;
    one_more(&mut link)?;
    link::follow(state, &mut link, &shown.advance)?;
    shown.value().map_err(|_| Refusal::BadForeignProof)?;
    // Were the clock here behind, it could be answered here and refunded there.
    if shown_ms > state.now.time_ms.saturating_add(CALL_SKEW_MS_MAX) {
        return Err(Refusal::CallNotDue.into());
    }
    link::put(state, &link);
    let record = TakenRecord {
        ledger,
        caller: asked.caller,
        call: call.clone(),
        provider,
        taken_height: state.now.height,
        taken_ms: state.now.time_ms,
        answer: None,
    };
    state.put(key::taken_due(kept_until(&record), &ledger, &id), &());
    write(state, &id, &record);
    index::taken_in(state, &id, &record);
    state.emit(Event::Link(LinkEvent::Taken {
        ledger,
        call: id,
        service: call.service,
        provider,
        deadline_ms: call.deadline_ms,
    }));
    Ok(())
}

/// Answers a call of another ledger.
pub(crate) fn answer<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    said: &CallAnswer,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let mut record: TakenRecord =
        state.get(&proof_key::taken(&said.ledger, &said.call))?.ok_or(Refusal::UnknownCall)?;
    let owner = owner_of(state, &record.provider)?;
    if !speaks_for(state, &actor.id, &owner, &record)? {
        return Err(Refusal::NotPermitted.into());
    }
    if record.answer.is_some() || record.call.deadline_ms < state.now.time_ms {
        return Err(Refusal::CallOver.into());
    }
    let mut link = link::to_ledger(state, &owner, &said.ledger)?;
    link.open = link.open.saturating_sub(1);
    link::put(state, &link);
    record.answer = Some(Answered {
        accepted: said.accepted,
        answer: said.answer.clone(),
        by: actor.id,
        height: state.now.height,
    });
    write(state, &said.call, &record);
    index::answered(state, &said.call, &record);
    state.emit(Event::Link(LinkEvent::Answered {
        ledger: said.ledger,
        call: said.call,
        by: actor.id,
        accepted: said.accepted,
    }));
    Ok(())
}

/// Brings the answer to a call back: pays for it, or gives the payment back if it was declined.
pub(crate) fn settle<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    told: &CallSettlement,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let id = told.call;
    let record = open(state, &id)?;
    let mut link = settling(state, &record)?;
    let shown = Shown::from_wire(&told.proof).map_err(|_| Refusal::BadForeignProof)?;
    let here = state.now.ledger;
    let claimed = shown.row.value.as_ref().ok_or(Refusal::BadForeignProof)?;
    let taken = TakenRecord::from_wire(claimed).map_err(|_| Refusal::BadForeignProof)?;
    let is_ours = shown.row.key == proof_key::taken(&here, &id)
        && taken.ledger == here
        && taken.caller == record.caller
        && taken.call == record.call;
    if !is_ours {
        return Err(Refusal::BadForeignProof.into());
    }
    let answer = taken.answer.ok_or(Refusal::CallNotDue)?;
    link::follow(state, &mut link, &shown.advance)?;
    shown.value().map_err(|_| Refusal::BadForeignProof)?;
    let accepted = answer.accepted;
    if record.call.payment.is_some() {
        token::settle_call(state, actor, &id, accepted)?;
    }
    close(state, &id, record, &mut link, Some(answer));
    let caller = taken.caller;
    state.emit(Event::Link(LinkEvent::Settled { call: id, caller, accepted }));
    Ok(())
}

/// Gives up a call that was not answered in time.
pub(crate) fn refund<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let record = open(state, id)?;
    if state.now.time_ms <= record.call.patience_ms() {
        return Err(Refusal::CallNotDue.into());
    }
    // Also across a link that is closed: nobody's tokens stay locked because another ledger forked.
    let mut link = link::link(state, &LinkId::derive(&record.owner, &record.call.ledger))?;
    if record.call.payment.is_some() {
        token::settle_call(state, actor, id, false)?;
    }
    let caller = record.caller;
    close(state, id, record, &mut link, None);
    state.emit(Event::Link(LinkEvent::Refunded { call: *id, caller }));
    Ok(())
}

fn open<R: Read>(state: &Transition<'_, R>, id: &TxId) -> Result<CallRecord, Stop> {
    Ok(state.get(&proof_key::call(id))?.ok_or(Refusal::UnknownCall)?)
}

/// The link that a call was asked across. To suspend or end it is its owner's, who pays for the call too: that must
/// not spare it paying for an answer that came in time. A fork does, since no answer can be told from another then.
fn settling<R: Read>(state: &Transition<'_, R>, record: &CallRecord) -> Result<LinkRecord, Stop> {
    let link = link::link(state, &LinkId::derive(&record.owner, &record.call.ledger))?;
    if link.status == LinkStatus::Frozen { Err(Refusal::LinkClosed.into()) } else { Ok(link) }
}

/// Takes a call out of the state, where no proof finds it any more; the index keeps what came of it.
fn close<R: Read>(
    state: &mut Transition<'_, R>,
    id: &TxId,
    mut record: CallRecord,
    link: &mut LinkRecord,
    answer: Option<Answered>,
) {
    link.open = link.open.saturating_sub(1);
    link::put(state, link);
    record.outcome = Some(CallOutcome { answer, height: state.now.height });
    state.remove(proof_key::call(id));
    index::asked(state, id, &record);
}

fn write<R: Read>(state: &mut Transition<'_, R>, id: &TxId, record: &TakenRecord) {
    state.put(proof_key::taken(&record.ledger, id), record);
}

fn one_more(link: &mut LinkRecord) -> Result<(), Stop> {
    if link.open >= CALLS_OF_LINK_MAX {
        return Err(Refusal::TooManyLinks.into());
    }
    link.open += 1;
    Ok(())
}

const fn kept_until(record: &TakenRecord) -> u64 {
    record.call.patience_ms().saturating_add(CALL_KEPT_MS)
}

/// The call that a row of another ledger's state is about.
fn call_of(row: &[u8]) -> Option<TxId> {
    let id = TxId(row.get(row.len().checked_sub(32)?..)?.try_into().ok()?);
    (proof_key::call(&id) == row).then_some(id)
}

/// Who provides the service that is asked, if it has a version, and the organisation behind it.
fn provider<R: Read>(
    state: &mut Transition<'_, R>,
    call: &Call,
) -> Result<(EntityId, EntityId), Stop> {
    let record: ServiceRecord =
        state.get(&key::service(&call.service))?.ok_or(Refusal::UnknownService)?;
    if record.versions.is_empty() {
        return Err(Refusal::UnknownService.into());
    }
    let owner = entity::active(state, &record.provider)?.owner.unwrap_or(record.provider);
    Ok((record.provider, owner))
}

fn owner_of<R: Read>(state: &mut Transition<'_, R>, provider: &EntityId) -> Result<EntityId, Stop> {
    let record = state.entity(provider)?.ok_or(Refusal::UnknownEntity)?;
    Ok(record.owner.unwrap_or(*provider))
}

/// Whether an entity answers for a service: its provider, the organisation behind that, or who serves
/// outside the ledger by a version of it.
fn speaks_for<R: Read>(
    state: &Transition<'_, R>,
    id: &EntityId,
    owner: &EntityId,
    record: &TakenRecord,
) -> Result<bool, Stop> {
    if *id == record.provider || id == owner {
        return Ok(true);
    }
    let service = &record.call.service;
    let Some(versions) = state.get::<ServiceRecord>(&key::service(service))? else {
        return Ok(false);
    };
    let serves = service::manifests(state, service, &versions)?;
    Ok(serves.iter().any(
        |manifest| matches!(&manifest.offered, Offered::Outside { entity, .. } if entity == id),
    ))
}

/// Forgets calls of other ledgers whose answers count no more: whoever brings another pays for that.
fn sweep<R: Read>(state: &mut Transition<'_, R>) -> Result<(), Stop> {
    let (from, now_ms) = (key::taken_queue(), state.now.time_ms);
    let to = prefix_end(&from);
    let (rows, _) = state.range(&from, to.as_deref(), Direction::Forward, CALLS_SWEPT_MAX)?;
    for (row, _) in rows {
        let (due_ms, ledger, id) = key::taken_of(&row).ok_or_else(|| StoreError::corrupt(&row))?;
        if due_ms >= now_ms {
            break;
        }
        forget(state, &ledger, &id)?;
        state.remove(row);
    }
    Ok(())
}

fn forget<R: Read>(
    state: &mut Transition<'_, R>,
    ledger: &LedgerId,
    id: &TxId,
) -> Result<(), Stop> {
    let at = proof_key::taken(ledger, id);
    let record: TakenRecord = state.get(&at)?.ok_or_else(|| StoreError::corrupt(&at))?;
    if record.answer.is_none() {
        let owner = owner_of(state, &record.provider)?;
        let mut link = link::link(state, &LinkId::derive(&owner, ledger))?;
        link.open = link.open.saturating_sub(1);
        link::put(state, &link);
        index::answered(state, id, &record);
    }
    state.remove(at);
    Ok(())
}

#[cfg(test)]
mod tests;
