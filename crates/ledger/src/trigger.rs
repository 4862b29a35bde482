//! Triggers: the ledger acts by itself when something has happened (Y.4464 7.1.3).
//!
//! ```text
//! a batch, an event, time ──> Watch says: due ──> queue by ledger time
//!                                                   │ start of the next block
//!                                                   v
//!                              the effect, as its owner could do it ──> a receipt of its own
//! ```
//! A block begins with the triggers that are due, in the order of when they became due and then of
//! their ids, at most [`TRIGGERS_RUN_MAX`] of them and at most half of the block's gas; the others
//! wait for the next block. Their receipts come after those of the transactions. What a trigger does
//! follows the rules for its owner: rights are asked anew each time, gas is its limit, and what would
//! need approvals is refused. One that fails again and again is suspended. The triggers of one
//! owner run at most [`TRIGGER_RUNS_OF_OWNER_MAX`](althing_types::limits::TRIGGER_RUNS_OF_OWNER_MAX)
//! times in a window of time, so that one that sets itself off does not keep the ledger busy for ever:
//! what is due beyond that is put off until the window ends.

mod run;
mod watch;

pub(crate) use run::{heard, run_due, saw};
pub use watch::{Seen, Watch, replay};

use althing_proof::{key as proof_key, stream::StreamHead};
use althing_state::{Read, StoreError};
use althing_types::{
    Cause, Effect, EntityId, Event, Refusal, Resource, Right, StreamId, Trigger, TriggerEvent,
    TriggerId, ValueKind, Wire, WireError, hash,
    limits::{
        CONTRACT_MESSAGE_BYTES_MAX, TRIGGERS_OF_CAUSE_MAX, TRIGGERS_OF_OWNER_MAX, TRIGGERS_RUN_MAX,
    },
};
use minicbor::{Decode, Encode};

use crate::{
    access::{self, Wanted},
    entity, index, key,
    stream::LatestBatch,
    transition::{Actor, Stop, Transition},
};

/// A trigger, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct TriggerRecord {
    /// Whose.
    #[n(0)]
    pub owner: EntityId,
    /// What it is.
    #[n(1)]
    pub trigger: Trigger,
    /// Height at which it was set.
    #[n(2)]
    pub set_height: u64,
    /// How far its cause is.
    #[n(3)]
    pub watch: Watch,
    /// Whether it waits for nothing until it is resumed.
    #[n(4)]
    pub suspended: bool,
    /// How often it ran, failures included.
    #[n(5)]
    pub runs: u64,
    /// How often it failed since it last did not.
    #[n(6)]
    pub failures: u8,
    /// Gas it has used in all.
    #[n(7)]
    pub gas_used: u64,
    /// Height at which it last ran; 0 if it never did.
    #[n(8)]
    pub last_height: u64,
    /// Number of the refusal that it met then; 0 if none.
    #[n(9)]
    pub last_code: u16,
}

impl Wire for TriggerRecord {
    const BYTES_MAX: usize = CONTRACT_MESSAGE_BYTES_MAX + 4096;

    fn validate(&self) -> Result<(), WireError> {
        // One that is suspended is not due.
        if self.suspended && self.watch.due_ms.is_some() {
            return Err(WireError::OutOfBounds("due_ms"));
        }
        Ok(())
    }
}

/// Triggers of one owner, of one stream or of one event, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Triggers(#[n(0)] pub Vec<TriggerId>);

impl Wire for Triggers {
    const BYTES_MAX: usize = TRIGGERS_OF_OWNER_MAX * 34 + 4;

    fn validate(&self) -> Result<(), WireError> {
        let ascending = self.0.windows(2).all(|pair| pair[0] < pair[1]);
        if ascending && (1..=TRIGGERS_OF_OWNER_MAX).contains(&self.0.len()) {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("triggers"))
        }
    }
}

/// How many triggers wait for what, so that blocks without any pay nothing for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Waiting {
    /// For streams.
    #[n(0)]
    pub streams: u32,
    /// For events.
    #[n(1)]
    pub events: u32,
}

impl Wire for Waiting {
    const BYTES_MAX: usize = 12;
}

/// How often the triggers of an owner ran lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Runs {
    /// Ledger time since which they are counted, milliseconds.
    #[n(0)]
    pub since_ms: u64,
    /// How often.
    #[n(1)]
    pub count: u32,
}

impl Wire for Runs {
    const BYTES_MAX: usize = 16;
}

/// What an event or the cause that waits for it is about: where the triggers that wait are found.
fn topic(cause: &Cause) -> Option<[u8; 32]> {
    match cause {
        Cause::Contract { contract, event } => {
            Some(hash("althing/topic/contract/1", &[&contract.0, event.as_bytes()]))
        }
        Cause::Recorded { sender, kind } => {
            Some(hash("althing/topic/record/1", &[&sender.0, kind.as_bytes()]))
        }
        Cause::Commanded { thing, state } => {
            Some(hash("althing/topic/command/1", &[&thing.0, &[*state as u8]]))
        }
        Cause::Reading { .. } | Cause::Silence { .. } | Cause::Time { .. } => None,
    }
}

/// The cause that an event is.
fn cause_of(event: &Event) -> Option<Cause> {
    match event {
        Event::ContractEmitted { contract, name, .. } => {
            Some(Cause::Contract { contract: *contract, event: name.clone() })
        }
        Event::Recorded { sender, kind, .. } => {
            Some(Cause::Recorded { sender: *sender, kind: kind.clone() })
        }
        Event::CommandQueued { thing, .. } => {
            Some(Cause::Commanded { thing: *thing, state: althing_types::CommandState::Queued })
        }
        Event::CommandChanged { thing, state, .. } => {
            Some(Cause::Commanded { thing: *thing, state: *state })
        }
        _ => None,
    }
}

/// When the next trigger is due, ledger time in milliseconds; none if none is. A proposer makes a
/// block for it.
///
/// # Errors
/// [`StoreError`] if the state cannot be read.
pub fn next_due_ms(view: &impl Read) -> Result<Option<u64>, StoreError> {
    let prefix = key::trigger_queue();
    let end = althing_state::prefix_end(&prefix);
    let first = view.range(&prefix, end.as_deref(), althing_state::Direction::Forward, 1)?;
    Ok(first.first().and_then(|(key, _)| key::due_of(key)).map(|(due_ms, _)| due_ms))
}

/// Sets a trigger.
pub(crate) fn set<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    trigger: &Trigger,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    may_wait(state, actor, &trigger.cause)?;
    may_do(state, actor, &trigger.effect)?;
    let id = trigger.id(&actor.id);
    if let Some(before) = state.get::<TriggerRecord>(&key::trigger(&id))? {
        forget(state, &id, &before)?;
    } else {
        list(state, key::triggers_of(&actor.id), &id, TRIGGERS_OF_OWNER_MAX)?;
    }
    let latest = latest_ms(state, &trigger.cause)?;
    let (height, now_ms) = (state.now.height, state.now.time_ms);
    let record = TriggerRecord {
        owner: actor.id,
        trigger: trigger.clone(),
        set_height: height,
        watch: Watch::begin(&trigger.cause, height, now_ms, latest),
        suspended: false,
        runs: 0,
        failures: 0,
        gas_used: 0,
        last_height: 0,
        last_code: 0,
    };
    wait(state, &id, &record)?;
    state.put(key::trigger(&id), &record);
    index::trigger(state, &id, &record, true);
    index::trigger_history(state, actor, &id);
    state.emit(Event::Trigger(TriggerEvent::Set { trigger: id, owner: actor.id }));
    Ok(())
}

/// Removes a trigger of the sender.
pub(crate) fn remove<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TriggerId,
) -> Result<(), Stop> {
    let record = own(state, actor, id)?;
    forget(state, id, &record)?;
    unlist(state, key::triggers_of(&record.owner), id)?;
    if state.get::<Triggers>(&key::triggers_of(&record.owner))?.is_none() {
        state.remove(key::trigger_runs(&record.owner));
    }
    state.remove(key::trigger(id));
    index::trigger(state, id, &record, false);
    index::trigger_history(state, actor, id);
    state.emit(Event::Trigger(TriggerEvent::Removed { trigger: *id }));
    Ok(())
}

/// Lets a trigger of the sender wait for nothing.
pub(crate) fn suspend<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TriggerId,
) -> Result<(), Stop> {
    let mut record = own(state, actor, id)?;
    if record.suspended {
        return Err(Refusal::TriggerWaits.into());
    }
    forget(state, id, &record)?;
    record.suspended = true;
    record.watch = Watch::default();
    state.put(key::trigger(id), &record);
    index::trigger_history(state, actor, id);
    state.emit(Event::Trigger(TriggerEvent::Suspended { trigger: *id, code: 0 }));
    Ok(())
}

/// Lets a suspended trigger of the sender wait anew.
pub(crate) fn resume<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TriggerId,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let mut record = own(state, actor, id)?;
    if !record.suspended {
        return Err(Refusal::TriggerWaits.into());
    }
    may_wait(state, actor, &record.trigger.cause)?;
    let latest = latest_ms(state, &record.trigger.cause)?;
    let (height, now_ms) = (state.now.height, state.now.time_ms);
    record.suspended = false;
    record.failures = 0;
    record.watch = Watch::begin(&record.trigger.cause, height, now_ms, latest);
    wait(state, id, &record)?;
    state.put(key::trigger(id), &record);
    index::trigger_history(state, actor, id);
    state.emit(Event::Trigger(TriggerEvent::Resumed { trigger: *id }));
    Ok(())
}

fn own<R: Read>(
    state: &Transition<'_, R>,
    actor: &Actor,
    id: &TriggerId,
) -> Result<TriggerRecord, Stop> {
    let record: Option<TriggerRecord> = state.get(&key::trigger(id))?;
    Ok(record.filter(|record| record.owner == actor.id).ok_or(Refusal::UnknownTrigger)?)
}

/// Whether the owner may be told of what the trigger waits for: whoever sets one on readings learns
/// something of them.
fn may_wait<R: Read>(state: &Transition<'_, R>, actor: &Actor, cause: &Cause) -> Result<(), Stop> {
    let Some(stream) = cause.stream() else { return Ok(()) };
    let head = head(state, &stream)?;
    let ordered = matches!(head.schema.kind, ValueKind::Number | ValueKind::Bool);
    if matches!(cause, Cause::Reading { .. }) && !ordered {
        return Err(Refusal::SchemaMismatch.into());
    }
    access::may(state, &reading(actor.id, &property(&head)))
}

fn head<R: Read>(state: &Transition<'_, R>, stream: &StreamId) -> Result<StreamHead, Stop> {
    Ok(state.get(&proof_key::stream(stream))?.ok_or(Refusal::UnknownStream)?)
}

fn property(head: &StreamHead) -> Resource {
    Resource::Property { thing: head.thing, name: head.property.clone() }
}

const fn reading(owner: EntityId, resource: &Resource) -> Wanted<'_> {
    Wanted { principal: Some(owner), right: Right::Read, resource, purpose: "" }
}

/// Refuses what the owner could not do by itself at once. The rest is asked when it is done.
fn may_do<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    effect: &Effect,
) -> Result<(), Stop> {
    if let Effect::Call { contract, gas_limit, .. } = effect {
        crate::contract::contract(state, contract)?;
        if *gas_limit > state.now.parameters.contract_gas_transaction_max {
            return Err(Refusal::GasLimit.into());
        }
    }
    let kind = effect.action_at(state.now.time_ms).kind();
    match state.policy(&actor.id, kind)? {
        Some(_) => Err(Refusal::TriggerNeedsApproval.into()),
        None => Ok(()),
    }
}

/// Ledger time of the newest batch of the stream that a cause is about.
fn latest_ms<R: Read>(state: &Transition<'_, R>, cause: &Cause) -> Result<Option<u64>, Stop> {
    let Some(stream) = cause.stream() else { return Ok(None) };
    let latest: Option<LatestBatch> = state.get(&key::latest(&stream))?;
    Ok(latest.map(|latest| latest.ledger_ms))
}

/// Where the triggers that wait for the same are listed; none if it waits for time.
fn place_of(cause: &Cause) -> Option<Vec<u8>> {
    match cause.stream() {
        Some(stream) => Some(key::triggers_on(&stream)),
        None => topic(cause).map(|topic| key::triggers_about(&topic)),
    }
}

/// Lets a trigger be found by what it waits for.
fn wait<R: Read>(
    state: &mut Transition<'_, R>,
    id: &TriggerId,
    record: &TriggerRecord,
) -> Result<(), Stop> {
    if let Some(place) = place_of(&record.trigger.cause) {
        list(state, place, id, TRIGGERS_OF_CAUSE_MAX)?;
        count(state, &record.trigger.cause, true)?;
    }
    if let Some(due_ms) = record.watch.due_ms {
        state.put(key::trigger_due(due_ms, id), &());
    }
    Ok(())
}

/// The opposite; of one that is suspended nothing is there.
fn forget<R: Read>(
    state: &mut Transition<'_, R>,
    id: &TriggerId,
    record: &TriggerRecord,
) -> Result<(), Stop> {
    if record.suspended {
        return Ok(());
    }
    if let Some(place) = place_of(&record.trigger.cause) {
        unlist(state, place, id)?;
        count(state, &record.trigger.cause, false)?;
    }
    if let Some(due_ms) = record.watch.due_ms {
        state.remove(key::trigger_due(due_ms, id));
    }
    Ok(())
}

fn count<R: Read>(state: &mut Transition<'_, R>, cause: &Cause, more: bool) -> Result<(), Stop> {
    let mut waiting: Waiting = state.get(&key::triggers_waiting())?.unwrap_or_default();
    let of = match cause.stream() {
        Some(_) => &mut waiting.streams,
        None => &mut waiting.events,
    };
    *of = if more { of.saturating_add(1) } else { of.saturating_sub(1) };
    if waiting == Waiting::default() {
        state.remove(key::triggers_waiting());
    } else {
        state.put(key::triggers_waiting(), &waiting);
    }
    state.waiting = Some(waiting);
    Ok(())
}

fn list<R: Read>(
    state: &mut Transition<'_, R>,
    place: Vec<u8>,
    id: &TriggerId,
    max: usize,
) -> Result<(), Stop> {
    let mut listed: Triggers = state.get(&place)?.unwrap_or_default();
    if listed.0.len() >= max {
        return Err(Refusal::TooManyTriggers.into());
    }
    if let Err(at) = listed.0.binary_search(id) {
        listed.0.insert(at, *id);
        state.put(place, &listed);
    }
    Ok(())
}

fn unlist<R: Read>(
    state: &mut Transition<'_, R>,
    place: Vec<u8>,
    id: &TriggerId,
) -> Result<(), Stop> {
    let mut listed: Triggers = state.get(&place)?.unwrap_or_default();
    listed.0.retain(|other| other != id);
    if listed.0.is_empty() {
        state.remove(place);
    } else {
        state.put(place, &listed);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
