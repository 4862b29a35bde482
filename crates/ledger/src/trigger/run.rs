//! Triggers in a block: what they see and hear, and those that are due.

use althing_state::{Direction, Read, StoreError, prefix_end};
use althing_types::{
    EntityId, Event, Receipt, Refusal, StreamId, TriggerEvent, TriggerId,
    limits::{TRIGGER_FAILURES_MAX, TRIGGER_RUNS_OF_OWNER_MAX, TRIGGER_WINDOW_MS},
};

use super::{
    Runs, Seen, TRIGGERS_RUN_MAX, TriggerRecord, Triggers, Waiting, Watch, cause_of, forget, head,
    key, latest_ms, property, reading, topic,
};
use crate::{
    access, entity, execute, index,
    transition::{Actor, Stop, Transition},
};

/// Shows the newest batch of a stream to the triggers that wait for it.
pub(crate) fn saw<R: Read>(
    state: &mut Transition<'_, R>,
    stream: &StreamId,
    batch: &Seen,
) -> Result<(), Stop> {
    if waiting(state)?.streams == 0 {
        return Ok(());
    }
    wake(state, &key::triggers_on(stream), |record| record.watch.see(&record.trigger.cause, batch))
}

/// Tells the triggers that wait for it what happened from an event on.
pub(crate) fn heard<R: Read>(state: &mut Transition<'_, R>, from: usize) -> Result<(), StoreError> {
    if waiting(state)?.events == 0 {
        return Ok(());
    }
    let events = state.effects.events.get(from..).unwrap_or_default();
    let topics: Vec<[u8; 32]> =
        events.iter().filter_map(cause_of).filter_map(|cause| topic(&cause)).collect();
    let (height, now_ms) = (state.now.height, state.now.time_ms);
    for topic in topics {
        let hear = |record: &mut TriggerRecord| record.watch.hear(height, now_ms);
        match wake(state, &key::triggers_about(&topic), hear) {
            Ok(()) => {}
            Err(Stop::Store(error)) => return Err(error),
            Err(Stop::Refused(_)) => unreachable!("hearing refuses nothing"),
        }
    }
    Ok(())
}

/// How many triggers wait; read once in a block.
fn waiting<R: Read>(state: &mut Transition<'_, R>) -> Result<Waiting, StoreError> {
    if let Some(waiting) = state.waiting {
        return Ok(waiting);
    }
    let waiting = state.get(&key::triggers_waiting())?.unwrap_or_default();
    state.waiting = Some(waiting);
    Ok(waiting)
}

fn wake<R: Read>(
    state: &mut Transition<'_, R>,
    place: &[u8],
    change: impl Fn(&mut TriggerRecord),
) -> Result<(), Stop> {
    let Some(listed) = state.get::<Triggers>(place)? else { return Ok(()) };
    for id in listed.0 {
        let mut record = known(state, &id)?;
        let before = record.watch;
        change(&mut record);
        put_watch(state, &id, &record, &before);
    }
    Ok(())
}

fn known<R: Read>(state: &Transition<'_, R>, id: &TriggerId) -> Result<TriggerRecord, StoreError> {
    let key = key::trigger(id);
    state.get(&key)?.ok_or_else(|| StoreError::corrupt(&key))
}

/// Writes what has changed of a trigger's watch, and moves it in the queue.
fn put_watch<R: Read>(
    state: &mut Transition<'_, R>,
    id: &TriggerId,
    record: &TriggerRecord,
    before: &Watch,
) {
    if record.watch == *before {
        return;
    }
    if record.watch.due_ms != before.due_ms {
        if let Some(due_ms) = before.due_ms {
            state.remove(key::trigger_due(due_ms, id));
        }
        if let Some(due_ms) = record.watch.due_ms {
            state.put(key::trigger_due(due_ms, id), &());
        }
    }
    state.put(key::trigger(id), record);
}

/// Runs the triggers that are due, before the block's transactions. `position` is the first that no
/// transaction has.
pub(crate) fn run_due<R: Read>(
    state: &mut Transition<'_, R>,
    position: u32,
) -> Result<Vec<Receipt>, StoreError> {
    let from = key::trigger_queue();
    let to = prefix_end(&key::trigger_due_until(state.now.time_ms));
    let (due, _) = state.range(&from, to.as_deref(), Direction::Forward, TRIGGERS_RUN_MAX)?;
    let mut receipts = Vec::new();
    let gas_max = state.now.parameters.contract_gas_block_max / 2;
    for (row, _) in due {
        let (_, id) = key::due_of(&row).ok_or_else(|| StoreError::corrupt(&row))?;
        // Another that ran before it may have taken it out.
        if state.gas_used > gas_max || state.get::<()>(&row)?.is_none() {
            continue;
        }
        let place = position.saturating_add(receipts.len() as u32);
        receipts.extend(run_one(state, &id, place)?);
        state.keep();
    }
    Ok(receipts)
}

fn run_one<R: Read>(
    state: &mut Transition<'_, R>,
    id: &TriggerId,
    position: u32,
) -> Result<Option<Receipt>, StoreError> {
    let mut record = known(state, id)?;
    let before = record.watch;
    let latest = match latest_ms(state, &record.trigger.cause) {
        Ok(latest) => latest,
        Err(Stop::Store(error)) => return Err(error),
        Err(Stop::Refused(_)) => None,
    };
    let (height, now_ms) = (state.now.height, state.now.time_ms);
    let start = state.mark();
    let happens = record.watch.turn(&record.trigger.cause, height, now_ms, latest);
    if happens && let Some(next_ms) = count_run(state, &record.owner)? {
        record.watch = Watch { due_ms: Some(next_ms), ..before };
        put_watch(state, id, &record, &before);
        return Ok(None);
    }
    put_watch(state, id, &record, &before);
    if !happens {
        return Ok(None);
    }
    let actor = Actor { id: record.owner, transaction: id.run(height), position };
    let (mark, gas_before) = (state.mark(), state.gas_used);
    let done = carry_out(state, &actor, &record);
    let gas_used = state.gas_used.saturating_sub(gas_before);
    let code = match done {
        Ok(()) => 0,
        Err(Stop::Store(error)) => return Err(error),
        // It is not the trigger's fault, so it stays due.
        Err(Stop::Refused(Refusal::BlockGas)) => {
            state.roll_back(start);
            return Ok(None);
        }
        Err(Stop::Refused(refusal)) => {
            state.roll_back(mark);
            refusal.number()
        }
    };
    let effects = std::mem::take(&mut state.effects.events);
    let (owner, cause_height) = (record.owner, before.cause_height);
    state.emit(Event::Trigger(TriggerEvent::Ran {
        trigger: *id,
        owner,
        cause_height,
        code,
        gas_used,
    }));
    state.effects.events.extend(effects);
    note(state, id, code, gas_used)?;
    index::trigger_history(state, &actor, id);
    heard(state, 0)?;
    let events = std::mem::take(&mut state.effects.events);
    Ok(Some(Receipt { transaction: actor.transaction, code: 0, action: 0, events }))
}

/// Counts a run against what the owner's triggers may in a window of time. Gives the end of the window
/// if they may not run any more in it.
fn count_run<R: Read>(
    state: &mut Transition<'_, R>,
    owner: &EntityId,
) -> Result<Option<u64>, StoreError> {
    let (key, now_ms) = (key::trigger_runs(owner), state.now.time_ms);
    let before = state.get::<Runs>(&key)?;
    let end_ms = |runs: &Runs| runs.since_ms.saturating_add(TRIGGER_WINDOW_MS);
    let begun = Runs { since_ms: now_ms, count: 0 };
    let runs = before.filter(|runs| now_ms < end_ms(runs)).unwrap_or(begun);
    if runs.count >= TRIGGER_RUNS_OF_OWNER_MAX {
        return Ok(Some(end_ms(&runs)));
    }
    state.put(key, &Runs { count: runs.count + 1, ..runs });
    Ok(None)
}

/// Does what the trigger was set for, as its owner could by itself.
fn carry_out<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    record: &TriggerRecord,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    if let Some(stream) = record.trigger.cause.stream() {
        let resource = property(&head(state, &stream)?);
        access::use_grant(state, actor, &reading(actor.id, &resource), None)?;
    }
    let action = record.trigger.effect.action_at(state.now.time_ms);
    if state.policy(&actor.id, action.kind())?.is_some() {
        return Err(Refusal::TriggerNeedsApproval.into());
    }
    execute::act(state, actor, &[action]).map_err(|(_, stop)| stop)
}

/// Writes down what came of a run; the trigger may have changed in it.
fn note<R: Read>(
    state: &mut Transition<'_, R>,
    id: &TriggerId,
    code: u16,
    gas_used: u64,
) -> Result<(), StoreError> {
    let Some(mut record) = state.get::<TriggerRecord>(&key::trigger(id))? else { return Ok(()) };
    record.runs = record.runs.saturating_add(1);
    record.failures = if code == 0 { 0 } else { record.failures.saturating_add(1) };
    record.gas_used = record.gas_used.saturating_add(gas_used);
    record.last_height = state.now.height;
    record.last_code = code;
    if record.failures >= TRIGGER_FAILURES_MAX && !record.suspended {
        match forget(state, id, &record) {
            Ok(()) | Err(Stop::Refused(_)) => {}
            Err(Stop::Store(error)) => return Err(error),
        }
        record.suspended = true;
        record.watch = Watch::default();
        state.emit(Event::Trigger(TriggerEvent::Suspended { trigger: *id, code }));
    }
    state.put(key::trigger(id), &record);
    Ok(())
}
