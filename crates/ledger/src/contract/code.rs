//! Code: uploaded in parts, stored by its digest, removed when nothing runs it.
//!
//! Code lies in the state and not beside it: a peer that cannot read it cannot execute, so it must
//! come with the state wherever that goes.

use althing_contract::{Machine, Module, inspect, price};
use althing_state::{Direction, Read, StoreError, prefix_end};
use althing_types::{
    CodeId, CodeMeta, EntityId, Event, Refusal,
    limits::{CODE_BYTES_MAX, UPLOAD_LIFE_MS, UPLOADS_OF_OWNER_BYTES_MAX},
};
use minicbor::{Decode, Encode, bytes::ByteVec};

use super::{
    CODE_BEHIND_MS_MAX, CODE_OF_LEDGER_BYTES_MAX, CODE_OF_OWNER_BYTES_MAX, CODE_READY_US_PER_BYTE,
    CodeRecord, code, organisation,
};
use crate::{
    Context, index, key,
    transition::{Actor, Stop, Transition},
};

/// Most expired uploads that are taken out when a part of another comes.
const UPLOADS_SWEPT_MAX: usize = 4;

/// The upload that a sender has under way.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
struct Upload {
    #[n(0)]
    code: CodeId,
    /// Parts that have come, ascending, each with its length in bytes.
    #[n(1)]
    parts: Vec<(u16, u32)>,
    /// The organisation that it counts against.
    #[n(2)]
    organisation: EntityId,
    /// Ledger time at which it expires, milliseconds since 1970.
    #[n(3)]
    due_ms: u64,
}

impl Upload {
    fn bytes(&self) -> u64 {
        self.parts.iter().map(|(_, bytes)| u64::from(*bytes)).sum()
    }
}

/// Keeps a part of a module until the sender stores it, or for [`UPLOAD_LIFE_MS`].
pub(crate) fn upload<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    code: &CodeId,
    part: u16,
    bytes: &[u8],
) -> Result<(), Stop> {
    let organisation = organisation(state, &actor.id)?;
    if state.get::<CodeRecord>(&key::code(code))?.is_some() {
        return Err(Refusal::AlreadyExists.into());
    }
    sweep(state)?;
    let before = state.get::<Upload>(&key::upload(&actor.id))?;
    let goes_on = |it: &Upload| it.code == *code && it.due_ms > state.now.time_ms;
    let mut upload = match before {
        Some(before) if goes_on(&before) => before,
        other => {
            if let Some(other) = other {
                drop_upload(state, &actor.id, &other)?;
            }
            Upload { code: *code, parts: Vec::new(), organisation, due_ms: 0 }
        }
    };
    let held_before = upload.bytes();
    let length = bytes.len() as u32;
    match upload.parts.binary_search_by_key(&part, |(part, _)| *part) {
        Ok(place) => upload.parts[place].1 = length,
        Err(place) => upload.parts.insert(place, (part, length)),
    }
    count_parts(state, &upload.organisation, held_before, upload.bytes())?;
    state.remove(key::upload_due(upload.due_ms, &actor.id));
    upload.due_ms = state.now.time_ms.saturating_add(UPLOAD_LIFE_MS);
    state.put(key::upload_due(upload.due_ms, &actor.id), &());
    state.put(key::upload(&actor.id), &upload);
    state.put(key::upload_part(&actor.id, part), &ByteVec::from(bytes.to_vec()));
    Ok(())
}

/// Takes out uploads that have expired: whoever brings parts pays for that.
fn sweep<R: Read>(state: &mut Transition<'_, R>) -> Result<(), Stop> {
    let (from, now_ms) = (key::upload_queue(), state.now.time_ms);
    let to = prefix_end(&from);
    let (rows, _) = state.range(&from, to.as_deref(), Direction::Forward, UPLOADS_SWEPT_MAX)?;
    for (row, _) in rows {
        let (due_ms, sender) = key::upload_of(&row).ok_or_else(|| StoreError::corrupt(&row))?;
        if due_ms > now_ms {
            break;
        }
        let key = key::upload(&sender);
        let upload = state.get(&key)?.ok_or_else(|| StoreError::corrupt(&key))?;
        drop_upload(state, &sender, &upload)?;
    }
    Ok(())
}

fn drop_upload<R: Read>(
    state: &mut Transition<'_, R>,
    sender: &EntityId,
    upload: &Upload,
) -> Result<(), Stop> {
    for (part, _) in &upload.parts {
        state.remove(key::upload_part(sender, *part));
    }
    state.remove(key::upload_due(upload.due_ms, sender));
    state.remove(key::upload(sender));
    count_parts(state, &upload.organisation, upload.bytes(), 0)
}

/// Counts what an organisation and what it owns have uploaded and not stored.
fn count_parts<R: Read>(
    state: &mut Transition<'_, R>,
    organisation: &EntityId,
    before: u64,
    after: u64,
) -> Result<(), Stop> {
    let key = key::uploads_of(organisation);
    let held = state.get::<u64>(&key)?.unwrap_or(0).saturating_sub(before).saturating_add(after);
    if after > before && held > UPLOADS_OF_OWNER_BYTES_MAX {
        return Err(Refusal::CodeQuota.into());
    }
    if held == 0 {
        state.remove(key)
    } else {
        state.put(key, &held)
    }
    Ok(())
}

/// Puts an uploaded module together, looks at it, and stores it. It is not compiled here: no block
/// waits for a compiler. Peers do that beside, and have until the code is [`ready`].
pub(crate) fn store<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &CodeId,
    parts: u16,
    meta: &CodeMeta,
) -> Result<(), Stop> {
    let owner = organisation(state, &actor.id)?;
    if state.get::<CodeRecord>(&key::code(id))?.is_some() {
        return Err(Refusal::AlreadyExists.into());
    }
    let upload: Upload = state.get(&key::upload(&actor.id))?.ok_or(Refusal::CodePartsMissing)?;
    let come = upload.parts.iter().map(|(part, _)| *part);
    if upload.code != *id || upload.due_ms <= state.now.time_ms || !come.eq(0..parts) {
        return Err(Refusal::CodePartsMissing.into());
    }
    let mut module = Vec::new();
    for part in 0..parts {
        let bytes: Option<ByteVec> = state.get(&key::upload_part(&actor.id, part))?;
        module.extend_from_slice(&bytes.ok_or(Refusal::CodePartsMissing)?);
        if module.len() > CODE_BYTES_MAX {
            return Err(Refusal::TooLarge.into());
        }
    }
    if CodeId::of(&module) != *id {
        return Err(Refusal::CodeMismatch.into());
    }
    let length = module.len() as u64;
    spend_block_gas(state, price::STORE_BYTE.saturating_mul(length))?;
    count(state, &owner, length, true)?;
    inspect(&module).map_err(|_| Refusal::BadCode)?;
    let ready_ms = ready_from(state, &owner, length)?;
    drop_upload(state, &actor.id, &upload)?;
    let number = state.get::<u64>(&key::code_count())?.unwrap_or(0).saturating_add(1);
    state.put(key::code_count(), &number);
    state.put(key::code_number(number), id);
    for (part, bytes) in (0..).zip(module.chunks(althing_types::limits::CODE_PART_BYTES_MAX)) {
        state.put(key::code_part(id, part), &ByteVec::from(bytes.to_vec()));
    }
    let record = CodeRecord {
        number,
        owner,
        creator: actor.id,
        bytes: module.len() as u32,
        parts: module.len().div_ceil(althing_types::limits::CODE_PART_BYTES_MAX) as u16,
        stored_height: state.now.height,
        meta: meta.clone(),
        contracts: 0,
        ready_ms,
    };
    state.put(key::code(id), &record);
    index::code(state, id, &owner, true);
    state.emit(Event::CodeStored { code: *id, owner, bytes: record.bytes });
    Ok(())
}

/// When code that is stored now may be run: peers compile what an organisation stores one module
/// after the other. Without this, whoever stores code and runs it in the same block, or stores more
/// than compilers can keep up with, would make every block wait for them.
fn ready_from<R: Read>(
    state: &mut Transition<'_, R>,
    owner: &EntityId,
    bytes: u64,
) -> Result<u64, Stop> {
    let key = key::code_ready(owner);
    let now_ms = state.now.time_ms;
    let before = state.get::<u64>(&key)?.unwrap_or(0).max(now_ms);
    if before - now_ms > CODE_BEHIND_MS_MAX {
        return Err(Refusal::CodeNotReady.into());
    }
    let takes_ms = (bytes * CODE_READY_US_PER_BYTE).div_ceil(1000);
    let ready_ms = before.saturating_add(takes_ms);
    state.put(key, &ready_ms);
    Ok(ready_ms)
}

/// Refuses code that peers may not have compiled yet.
pub(super) fn ready<R: Read>(state: &Transition<'_, R>, id: &CodeId) -> Result<(), Stop> {
    if code(state, id)?.ready_ms > state.now.time_ms {
        return Err(Refusal::CodeNotReady.into());
    }
    Ok(())
}

/// Removes code that nothing runs.
pub(crate) fn remove<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &CodeId,
) -> Result<(), Stop> {
    let record = code(state, id)?;
    if organisation(state, &actor.id)? != record.owner {
        return Err(Refusal::NotPermitted.into());
    }
    if record.contracts > 0 {
        return Err(Refusal::CodeInUse.into());
    }
    count(state, &record.owner, u64::from(record.bytes), false)?;
    for part in 0..record.parts {
        state.remove(key::code_part(id, part));
    }
    state.remove(key::code_number(record.number));
    state.remove(key::code(id));
    index::code(state, id, &record.owner, false);
    state.emit(Event::CodeRemoved { code: *id });
    Ok(())
}

/// Adds to what an organisation and all together have stored, or takes from it.
fn count<R: Read>(
    state: &mut Transition<'_, R>,
    owner: &EntityId,
    bytes: u64,
    more: bool,
) -> Result<(), Stop> {
    for (key, max) in [
        (key::code_of_owner(owner), CODE_OF_OWNER_BYTES_MAX),
        (key::code_of_ledger(), CODE_OF_LEDGER_BYTES_MAX),
    ] {
        let held = state.get::<u64>(&key)?.unwrap_or(0);
        let held = if more { held.saturating_add(bytes) } else { held.saturating_sub(bytes) };
        if more && held > max {
            return Err(Refusal::CodeQuota.into());
        }
        if held == 0 { state.remove(key) } else { state.put(key, &held) }
    }
    Ok(())
}

/// Counts how many contracts run a code.
pub(super) fn count_contracts<R: Read>(
    state: &mut Transition<'_, R>,
    id: &CodeId,
    more: bool,
) -> Result<(), Stop> {
    let mut record = code(state, id)?;
    record.contracts =
        if more { record.contracts.saturating_add(1) } else { record.contracts.saturating_sub(1) };
    state.put(key::code(id), &record);
    Ok(())
}

/// Takes gas from what the block has.
fn spend_block_gas<R: Read>(state: &mut Transition<'_, R>, gas: u64) -> Result<(), Refusal> {
    let max = state.now.parameters.contract_gas_block_max;
    if gas > max {
        return Err(Refusal::TooLarge);
    }
    match state.gas_used.checked_add(gas) {
        Some(used) if used <= max => {
            state.gas_used = used;
            Ok(())
        }
        _ => Err(Refusal::BlockGas),
    }
}

/// The module of a code, compiled.
pub(super) fn module<R: Read>(state: &Transition<'_, R>, id: &CodeId) -> Result<Module, Stop> {
    Machine::shared().module(id, || bytes(state, id), |_| Stop::from(Refusal::BadCode))
}

fn bytes<R: Read>(state: &Transition<'_, R>, id: &CodeId) -> Result<Vec<u8>, Stop> {
    let record = code(state, id)?;
    let mut module = Vec::with_capacity(record.bytes as usize);
    for part in 0..record.parts {
        let bytes: Option<ByteVec> = state.get(&key::code_part(id, part))?;
        module.extend_from_slice(&bytes.ok_or(Refusal::UnknownCode)?);
    }
    Ok(module)
}

/// Compiles code that is stored, unless it has been: for a peer to do beside its blocks, so that
/// none waits for it. Takes long, and changes no outcome.
///
/// # Errors
/// [`Refusal::UnknownCode`] if it is not stored any more, [`Refusal::BadCode`] if it does not
/// compile, [`Refusal::NotReady`] if the state cannot be read.
pub fn prepare(view: &impl Read, now: &Context<'_>, id: &CodeId) -> Result<(), Refusal> {
    if Machine::shared().has(id) {
        return Ok(());
    }
    match module(&Transition::new(view, now.next_moment()), id) {
        Ok(_) => Ok(()),
        Err(Stop::Refused(refusal)) => Err(refusal),
        Err(Stop::Store(_)) => Err(Refusal::NotReady),
    }
}
