//! Commands: a thing is asked to do something, and says what became of it.
//!
//! An open command is in the state, so that a gateway finds what is to be done after any failure of
//! its own; one that has come to its end is not, and its receipts tell of it.

use althing_proof::{key, record::ThingRecord, stream::StreamHead};
use althing_state::Read;
use althing_types::{
    Command, CommandReport, CommandState, EntityId, Event, Operation, Refusal, StreamId, ThingId,
    TxId, Wire, WireError,
    limits::{
        COMMAND_INPUT_BYTES_MAX, COMMAND_LIFE_MS_MAX, COMMAND_RESULT_BYTES_MAX, COMMANDS_OPEN_MAX,
        NAME_BYTES_MAX, VALUE_BYTES_MAX,
    },
};
use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::{
    access::{self, Reason, Wanted},
    binding, contract, index, key as own_key, standing, thing,
    transition::{Actor, Stop, Transition},
};

/// Deepest nesting of the input of an action, levels.
pub const INPUT_DEPTH_MAX: usize = 16;

/// A command, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CommandRecord {
    /// What is asked for.
    #[n(0)]
    pub command: Command,
    /// Who asks.
    #[n(1)]
    pub sender: EntityId,
    /// How far it is.
    #[n(2)]
    pub state: CommandState,
    /// Ledger time at which it came, milliseconds since 1970.
    #[n(3)]
    pub queued_ms: u64,
    /// Ledger time of its present state, milliseconds since 1970.
    #[n(4)]
    pub changed_ms: u64,
    /// The transaction that brought its present state.
    #[n(5)]
    pub changed_by: TxId,
    /// Who sent that.
    #[n(6)]
    pub reporter: EntityId,
    /// What the device answered.
    #[n(7)]
    pub result: Option<ByteVec>,
}

impl Wire for CommandRecord {
    const BYTES_MAX: usize =
        COMMAND_INPUT_BYTES_MAX + COMMAND_RESULT_BYTES_MAX + VALUE_BYTES_MAX + NAME_BYTES_MAX + 320;
}

/// The open commands of a thing, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Open(#[n(0)] pub Vec<TxId>);

impl Wire for Open {
    const BYTES_MAX: usize = COMMANDS_OPEN_MAX * 34 + 3;

    fn validate(&self) -> Result<(), WireError> {
        if (1..=COMMANDS_OPEN_MAX).contains(&self.0.len()) {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("commands"))
        }
    }
}

/// Records a command that waits to be carried out.
pub(crate) fn send<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    command: &Command,
) -> Result<(), Stop> {
    let (id, thing_id) = (actor.transaction, command.thing);
    let thing = thing::present(state, &thing_id)?;
    may_command(state, actor, command, &thing)?;
    standing::not_quarantined(&standing::of(state, &thing_id)?, &thing)?;
    fits(state, command)?;
    let now_ms = state.now.time_ms;
    if command.until_ms <= now_ms || command.until_ms - now_ms > COMMAND_LIFE_MS_MAX {
        return Err(Refusal::CommandExpired.into());
    }
    if state.get::<CommandRecord>(&own_key::command(&id))?.is_some() {
        return Err(Refusal::AlreadyExists.into());
    }
    let mut open = still_open(state, actor, &thing_id)?;
    if open.0.len() >= COMMANDS_OPEN_MAX {
        return Err(Refusal::TooManyCommands.into());
    }
    open.0.push(id);
    state.put(own_key::open_commands(&thing_id), &open);
    let record = CommandRecord {
        command: command.clone(),
        sender: actor.id,
        state: CommandState::Queued,
        queued_ms: now_ms,
        changed_ms: now_ms,
        changed_by: id,
        reporter: actor.id,
        result: None,
    };
    state.put(own_key::command(&id), &record);
    index::commanded(state, actor, &thing_id, &id);
    index::command_changed(state, &id, &record);
    let (sender, until_ms) = (actor.id, command.until_ms);
    state.emit(Event::CommandQueued { command: id, thing: thing_id, sender, until_ms });
    Ok(())
}

/// Whether the sender may command the thing: it owns it, or the owner has said so for this purpose.
/// What nobody decided is not enough, also where anybody may read: a command wakes a device, and
/// takes one of few places.
fn may_command<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    command: &Command,
    record: &ThingRecord,
) -> Result<(), Stop> {
    contract::acts(state, &actor.id)?;
    if record.owner == actor.id {
        return Ok(());
    }
    let resource = command.operation.resource(command.thing);
    let right = command.operation.right();
    let purpose = command.purpose.as_deref().unwrap_or_default();
    let wanted = Wanted { principal: Some(actor.id), right, resource: &resource, purpose };
    match access::use_grant(state, actor, &wanted, None)?.reason {
        Reason::Granted | Reason::Permitted => Ok(()),
        _ => Err(Refusal::NotPermitted.into()),
    }
}

/// Whether the thing has what the command is about, and takes what it brings.
fn fits<R: Read>(state: &Transition<'_, R>, command: &Command) -> Result<(), Stop> {
    let id = &command.thing;
    match &command.operation {
        Operation::Read { property } => has(thing::has_property(state, id, property)?),
        Operation::Write { property, value } => {
            has(thing::has_property(state, id, property)?)?;
            has(!thing::interface(state, id)?.is_read_only(property))?;
            let stream = key::stream(&StreamId::derive(id, property));
            let head: StreamHead = state.get(&stream)?.ok_or(Refusal::UnknownAffordance)?;
            if head.schema.admits(value) { Ok(()) } else { Err(Refusal::SchemaMismatch.into()) }
        }
        Operation::Invoke { action, input } => {
            has(thing::interface(state, id)?.has_action(action))?;
            match input {
                Some(input) if !is_json(input) => Err(Refusal::BadInput.into()),
                _ => Ok(()),
            }
        }
    }
}

fn has(present: bool) -> Result<(), Stop> {
    if present { Ok(()) } else { Err(Refusal::UnknownAffordance.into()) }
}

/// Whether an input is JSON of bounded depth. Whether it satisfies the action's schema is the
/// gateway's to say before it hands it over, and a client's before it signs: peers agree on what is
/// exact, and the schemas of inputs speak of binary floats.
fn is_json(input: &[u8]) -> bool {
    thing::is_shallow(INPUT_DEPTH_MAX, input)
        && serde_json::from_slice::<serde::de::IgnoredAny>(input).is_ok()
}

/// Takes what the device, a bound gateway or the owner says of a command.
pub(crate) fn report<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    report: &CommandReport,
) -> Result<(), Stop> {
    let record = open(state, &report.command)?;
    let id = record.command.thing;
    let thing = thing::present(state, &id)?;
    binding::may_speak(state, &id, &thing, &actor.id)?;
    let standing = standing::of(state, &id)?;
    if standing.limit_of(&actor.id).is_some_and(|limit| !limit.commands) {
        return Err(Refusal::OutsideLimit.into());
    }
    standing::not_quarantined(&standing, &thing)?;
    if state.now.time_ms > record.command.until_ms {
        return Err(Refusal::CommandExpired.into());
    }
    if report.state <= record.state {
        return Err(Refusal::BackwardState.into());
    }
    change(state, actor, &report.command, record, report.state, report.result.clone())
}

/// Takes a command back; by whoever sent it or the owner. One whose time has passed ends as expired.
pub(crate) fn cancel<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
) -> Result<(), Stop> {
    let record = open(state, id)?;
    // Also of a retired thing.
    let thing: Option<ThingRecord> = state.get(&key::thing(&record.command.thing))?;
    if actor.id != record.sender && thing.is_none_or(|thing| thing.owner != actor.id) {
        return Err(Refusal::NotPermitted.into());
    }
    let last = end_of(&record, state.now.time_ms);
    change(state, actor, id, record, last, None)
}

/// Ends all commands of a thing that changes hands or ends.
pub(crate) fn end_all<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    thing: &ThingId,
) -> Result<(), Stop> {
    let all: Open = state.get(&own_key::open_commands(thing))?.unwrap_or_default();
    for id in all.0 {
        let record = open(state, &id)?;
        let last = end_of(&record, state.now.time_ms);
        change(state, actor, &id, record, last, None)?;
    }
    Ok(())
}

/// How a command ends that is taken back now.
fn end_of(record: &CommandRecord, now_ms: u64) -> CommandState {
    if now_ms > record.command.until_ms { CommandState::Expired } else { CommandState::Cancelled }
}

fn open<R: Read>(state: &Transition<'_, R>, id: &TxId) -> Result<CommandRecord, Stop> {
    Ok(state.get(&own_key::command(id))?.ok_or(Refusal::UnknownCommand)?)
}

/// The open commands of a thing, after those whose time has passed were ended.
fn still_open<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    thing: &ThingId,
) -> Result<Open, Stop> {
    let all: Open = state.get(&own_key::open_commands(thing))?.unwrap_or_default();
    for id in &all.0 {
        let record = open(state, id)?;
        if state.now.time_ms > record.command.until_ms {
            change(state, actor, id, record, CommandState::Expired, None)?;
        }
    }
    Ok(state.get(&own_key::open_commands(thing))?.unwrap_or_default())
}

/// Brings a command on. At its end it leaves the state.
fn change<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
    record: CommandRecord,
    next: CommandState,
    result: Option<ByteVec>,
) -> Result<(), Stop> {
    let record = CommandRecord {
        state: next,
        changed_ms: state.now.time_ms,
        changed_by: actor.transaction,
        reporter: actor.id,
        result: result.clone(),
        ..record
    };
    let (thing, sender) = (record.command.thing, record.sender);
    index::command_changed(state, id, &record);
    if next.is_last() {
        state.remove(own_key::command(id));
        close(state, &thing, id)?;
    } else {
        state.put(own_key::command(id), &record);
    }
    state.emit(Event::CommandChanged { command: *id, thing, sender, state: next, result });
    Ok(())
}

fn close<R: Read>(state: &mut Transition<'_, R>, thing: &ThingId, id: &TxId) -> Result<(), Stop> {
    let key = own_key::open_commands(thing);
    let mut open: Open = state.get(&key)?.unwrap_or_default();
    open.0.retain(|other| other != id);
    if open.0.is_empty() {
        state.remove(key);
    } else {
        state.put(key, &open);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
