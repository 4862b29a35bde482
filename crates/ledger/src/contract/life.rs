//! The life of a contract: proposed, accepted, running, frozen, ended.

use althing_contract::Entry;
use althing_state::Read;
use althing_types::{Amount, CodeId, ContractId, EntityId, Event, Refusal, Terms};

use super::{
    ContractRecord, Proposal, Sent, Status,
    call::{Meter, Run, begin},
    code::{count_contracts, ready},
    contract,
};
use crate::{
    entity, index, key,
    transition::{Actor, Stop, Transition},
};

/// Makes a contract, which begins at once or waits for its participants.
pub(crate) fn instantiate<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    code: &CodeId,
    name: &str,
    terms: &Terms,
    sent: Sent<'_>,
    gas_limit: u64,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    for participant in &terms.participants {
        entity::active(state, participant)?;
    }
    let id = create(state, actor, &actor.id, code, name, terms)?;
    if terms.participants.is_empty() {
        let mut meter = Meter::new(state, gas_limit)?;
        let done = begin(state, actor, &mut meter, &id, sent, 0);
        return meter.settle(state, done.map(|_| ()));
    }
    if !sent.funds.is_zero() {
        return Err(Refusal::TokensAtStart.into());
    }
    let mut record = contract(state, &id)?;
    let until_height = state.now.height.saturating_add(u64::from(terms.patience_blocks));
    record.status = Status::Proposed;
    record.proposal = Some(Proposal {
        message: sent.message.to_vec(),
        gas_limit,
        until_height,
        accepted: Vec::new(),
        declined: Vec::new(),
    });
    state.put(key::contract(&id), &record);
    for participant in &terms.participants {
        index::awaits(state, participant, &id, Some(until_height));
    }
    state.emit(Event::ContractProposed {
        contract: id,
        code: *code,
        creator: actor.id,
        participants: terms.participants.clone(),
        threshold: terms.threshold,
    });
    Ok(())
}

/// Puts a contract into the state that has not run yet.
pub(super) fn create<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    creator: &EntityId,
    code: &CodeId,
    name: &str,
    terms: &Terms,
) -> Result<ContractId, Stop> {
    let id = ContractId::derive(creator, name);
    if let Some(before) = state.get::<ContractRecord>(&key::contract(&id))? {
        let height = state.now.height;
        if before.proposal.as_ref().is_none_or(|proposal| height <= proposal.until_height) {
            return Err(Refusal::AlreadyExists.into());
        }
        // Not accepted in time: it ends here, and its name is free.
        drop_proposal(state, &id, &before, Refusal::ProposalExpired)?;
    }
    ready(state, code)?;
    count_contracts(state, code, true)?;
    let record = ContractRecord {
        code: *code,
        creator: *creator,
        name: name.to_owned(),
        terms: terms.clone(),
        status: Status::Active,
        created_height: state.now.height,
        changed_height: state.now.height,
        proposal: None,
    };
    state.put(key::contract(&id), &record);
    let interfaces = super::code(state, code)?.meta.interfaces;
    index::contract(state, &id, &record, &interfaces, true);
    index::contract_history(state, actor, &id);
    Ok(id)
}

/// A participant accepts; the last acceptance needed lets the contract begin.
pub(crate) fn accept<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
) -> Result<(), Stop> {
    let (mut record, mut proposal) = decide(state, actor, id)?;
    proposal.accepted.push(actor.id);
    index::awaits(state, &actor.id, id, None);
    index::contract_history(state, actor, id);
    let accepted = proposal.accepted.len() as u8;
    state.emit(Event::ContractAccepted { contract: *id, participant: actor.id, accepted });
    if accepted < record.terms.threshold {
        record.proposal = Some(proposal);
        state.put(key::contract(id), &record);
        return Ok(());
    }
    forget_participants(state, id, &record);
    record.status = Status::Active;
    record.changed_height = state.now.height;
    state.put(key::contract(id), &record);
    start(state, actor, id, &record, &proposal)
}

/// Runs the first message of an accepted contract on behalf of its creator. If it fails by now, the
/// acceptance stands and the contract is dropped.
fn start<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
    record: &ContractRecord,
    proposal: &Proposal,
) -> Result<(), Stop> {
    let mark = state.mark();
    let on_behalf = Actor { id: record.creator, ..*actor };
    let mut meter = Meter::new(state, proposal.gas_limit)?;
    let sent = Sent { message: &proposal.message, funds: Amount::ZERO };
    let begun = begin(state, &on_behalf, &mut meter, id, sent, 0).map(|_| ());
    match meter.settle(state, begun) {
        Err(Stop::Refused(Refusal::BlockGas)) => Err(Refusal::BlockGas.into()),
        Err(Stop::Refused(refusal)) => {
            state.roll_back(mark);
            drop_proposal(state, id, record, refusal)
        }
        other => other,
    }
}

/// A participant declines, or the creator withdraws.
pub(crate) fn decline<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
) -> Result<(), Stop> {
    let record = contract(state, id)?;
    if record.creator == actor.id && record.status == Status::Proposed {
        index::contract_history(state, actor, id);
        return drop_proposal(state, id, &record, Refusal::Withdrawn);
    }
    let (mut record, mut proposal) = decide(state, actor, id)?;
    proposal.declined.push(actor.id);
    index::awaits(state, &actor.id, id, None);
    index::contract_history(state, actor, id);
    let left = record.terms.participants.len() - proposal.declined.len();
    if left < usize::from(record.terms.threshold) {
        return drop_proposal(state, id, &record, Refusal::ContractDeclined);
    }
    record.proposal = Some(proposal);
    state.put(key::contract(id), &record);
    Ok(())
}

/// The proposal, if the sender may decide about it.
fn decide<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
) -> Result<(ContractRecord, Proposal), Stop> {
    entity::active(state, &actor.id)?;
    let mut record = contract(state, id)?;
    let proposal = record.proposal.take().ok_or(Refusal::NotAParticipant)?;
    if state.now.height > proposal.until_height {
        return Err(Refusal::ProposalExpired.into());
    }
    let decided = proposal.accepted.contains(&actor.id) || proposal.declined.contains(&actor.id);
    if decided || record.terms.participants.binary_search(&actor.id).is_err() {
        return Err(Refusal::NotAParticipant.into());
    }
    Ok((record, proposal))
}

fn forget_participants<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ContractId,
    record: &ContractRecord,
) {
    for participant in &record.terms.participants {
        index::awaits(state, participant, id, None);
    }
}

/// Takes a contract out that never began, so that its name is free again.
fn drop_proposal<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ContractId,
    record: &ContractRecord,
    why: Refusal,
) -> Result<(), Stop> {
    forget_participants(state, id, record);
    let interfaces = super::code(state, &record.code)?.meta.interfaces;
    index::contract(state, id, record, &interfaces, false);
    count_contracts(state, &record.code, false)?;
    state.remove(key::contract(id));
    state.emit(Event::ContractDropped { contract: *id, code: why.number() });
    Ok(())
}

/// The contract, if the sender administers it and it has not ended.
fn administered<R: Read>(
    state: &mut Transition<'_, R>,
    sender: &EntityId,
    id: &ContractId,
) -> Result<ContractRecord, Stop> {
    let record = contract(state, id)?;
    if record.terms.admin != Some(*sender) {
        return Err(Refusal::NotPermitted.into());
    }
    match record.status {
        Status::Terminated => Err(Refusal::ContractEnded.into()),
        Status::Proposed => Err(Refusal::ContractProposed.into()),
        Status::Active | Status::Frozen => Ok(record),
    }
}

fn change<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
    mut record: ContractRecord,
) {
    record.changed_height = state.now.height;
    state.put(key::contract(id), &record);
    index::contract_history(state, actor, id);
}

/// Gives a contract new code, which takes over its storage by `migrate`.
pub(crate) fn migrate<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
    code: &CodeId,
    message: &[u8],
    gas_limit: u64,
) -> Result<(), Stop> {
    let mut meter = Meter::new(state, gas_limit)?;
    let done = migrate_within(state, actor, &mut meter, &actor.id, id, code, message, 0);
    meter.settle(state, done.map(|_| ()))
}

/// The same within a call that is under way.
#[expect(
    clippy::too_many_arguments,
    reason = "what a call is made of, and what is migrated to what"
)]
pub(super) fn migrate_within<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    meter: &mut Meter,
    sender: &EntityId,
    id: &ContractId,
    code: &CodeId,
    message: &[u8],
    depth: u8,
) -> Result<Option<Vec<u8>>, Stop> {
    let mut record = administered(state, sender, id)?;
    super::must_run(&record)?;
    ready(state, code)?;
    count_contracts(state, code, true)?;
    count_contracts(state, &record.code, false)?;
    let before = super::code(state, &record.code)?.meta.interfaces;
    index::contract(state, id, &record, &before, false);
    record.code = *code;
    let after = super::code(state, code)?.meta.interfaces;
    index::contract(state, id, &record, &after, true);
    change(state, actor, id, record);
    state.emit(Event::ContractMigrated { contract: *id, code: *code });
    let sent = Sent { message, funds: Amount::ZERO };
    let run = Run { entry: Entry::Migrate, contract: *id, sender: *sender, sent, depth };
    super::call::run_and_follow(state, actor, meter, &run)
}

/// Says who administers a contract.
pub(crate) fn set_admin<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    sender: &EntityId,
    id: &ContractId,
    admin: Option<EntityId>,
) -> Result<(), Stop> {
    let mut record = administered(state, sender, id)?;
    record.terms.admin = admin;
    change(state, actor, id, record);
    state.emit(Event::ContractAdminSet { contract: *id, admin });
    Ok(())
}

/// Stops a contract until it is thawed.
pub(crate) fn freeze<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
) -> Result<(), Stop> {
    let mut record = administered(state, &actor.id, id)?;
    if record.status == Status::Frozen {
        return Err(Refusal::ContractFrozen.into());
    }
    record.status = Status::Frozen;
    change(state, actor, id, record);
    state.emit(Event::ContractFrozen(*id));
    Ok(())
}

/// Lets a frozen contract run again.
pub(crate) fn thaw<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
) -> Result<(), Stop> {
    let mut record = administered(state, &actor.id, id)?;
    if record.status == Status::Active {
        return Err(Refusal::AlreadyExists.into());
    }
    record.status = Status::Active;
    change(state, actor, id, record);
    state.emit(Event::ContractThawed(*id));
    Ok(())
}

/// Ends a contract for ever. Its storage stays readable; its code may go once nothing else runs it.
pub(crate) fn terminate<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
) -> Result<(), Stop> {
    let mut record = administered(state, &actor.id, id)?;
    record.status = Status::Terminated;
    count_contracts(state, &record.code, false)?;
    change(state, actor, id, record);
    state.emit(Event::ContractTerminated(*id));
    Ok(())
}
