//! Running contracts: a call, and all that follows from it.
//!
//! A contract answers with messages that are to be done next. They are done in order and depth first,
//! each undone by itself if it fails; who sent it may be told by `reply`. What no contract catches
//! ends the call, and the transaction undoes all of it.

use althing_contract::{Broken, Call, Entry, Failure};
use althing_state::{Cause, Read, StoreError};
use althing_types::{
    Amount, Attribute, ContractId, EntityId, Event, Refusal, Resource, Right,
    limits::{CONTRACT_ATTRIBUTE_BYTES_MAX, CONTRACT_ATTRIBUTES_MAX},
};
use serde_json::{Value, json};

use super::{
    ContractRecord, Sent, bank, code, contract,
    host::Guest,
    message,
    wire::{self, Answer, Binary, ReplyOn, Response, SubMessage},
};
use crate::{
    access::{self, Wanted},
    entity,
    transition::{Actor, Stop, Transition},
};

/// Deepest chain of contracts that send messages to each other.
pub(super) const MESSAGE_DEPTH_MAX: u8 = 8;
/// Most contracts run by one transaction's call, replies and queries included.
pub(super) const RUNS_MAX: u32 = 256;
/// Most events that contracts tell in one call.
const EVENTS_MAX: u32 = 128;
/// Most data that a contract hands back to its caller, bytes.
const DATA_BYTES_MAX: usize = 16 * 1024;

/// What a call may still use.
#[derive(Debug)]
pub(super) struct Meter {
    /// Gas.
    pub(super) left: u64,
    limit: u64,
    /// Whether it is the block and not the call that has no more.
    short: bool,
    runs: u32,
    events: u32,
}

impl Meter {
    /// The gas of a call: what it asked for, if the block still has as much.
    pub(super) fn new<R: Read>(state: &Transition<'_, R>, gas_limit: u64) -> Result<Self, Refusal> {
        let parameters = state.now.parameters;
        if gas_limit > parameters.contract_gas_transaction_max {
            return Err(Refusal::GasLimit);
        }
        let of_block = parameters.contract_gas_block_max.saturating_sub(state.gas_used);
        let limit = gas_limit.min(of_block);
        Ok(Self { left: limit, limit, short: of_block < gas_limit, runs: 0, events: 0 })
    }

    /// One more run of a contract.
    pub(super) fn run(&mut self) -> Result<(), Refusal> {
        self.runs += 1;
        if self.runs > RUNS_MAX { Err(Refusal::ContractTooDeep) } else { Ok(()) }
    }

    /// Counts what was used against the block, whatever came of it, and tells a call that ran out of
    /// gas because the block did.
    pub(super) fn settle<R: Read, T>(
        self,
        state: &mut Transition<'_, R>,
        done: Result<T, Stop>,
    ) -> Result<T, Stop> {
        state.gas_used = state.gas_used.saturating_add(self.limit - self.left);
        match done {
            Err(Stop::Refused(Refusal::OutOfGas)) if self.short => Err(Refusal::BlockGas.into()),
            other => other,
        }
    }
}

/// One run of a contract.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) entry: Entry,
    pub(super) contract: ContractId,
    pub(super) sender: EntityId,
    pub(super) sent: Sent<'a>,
    pub(super) depth: u8,
}

/// Calls a contract on behalf of the transaction's sender.
pub(crate) fn execute<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
    sent: Sent<'_>,
    gas_limit: u64,
) -> Result<(), Stop> {
    let mut meter = Meter::new(state, gas_limit)?;
    let done = execute_within(state, actor, &mut meter, &actor.id, id, sent, 0);
    meter.settle(state, done.map(|_| ()))
}

/// Calls a contract within a call that is under way.
pub(super) fn execute_within<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    meter: &mut Meter,
    sender: &EntityId,
    id: &ContractId,
    sent: Sent<'_>,
    depth: u8,
) -> Result<Option<Vec<u8>>, Stop> {
    let record = contract(state, id)?;
    super::must_run(&record)?;
    may_call(state, actor, sender, id, &record)?;
    crate::index::contract_history(state, actor, id);
    bank::fund(state, actor, sender, id, sent.funds)?;
    let run = Run { entry: Entry::Execute, contract: *id, sender: *sender, sent, depth };
    run_and_follow(state, actor, meter, &run)
}

/// What calls of contracts are for, where a grant says it.
pub const CALL_PURPOSE: &str = "call";

/// Whether the terms let an entity call: it or its owner is named, or nobody is; and the contract's
/// owner, if it has said anything of who may. A grant that the call rests on is used once.
fn may_call<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    sender: &EntityId,
    id: &ContractId,
    record: &ContractRecord,
) -> Result<(), Stop> {
    let callers = &record.terms.callers;
    if !callers.is_empty() && callers.binary_search(sender).is_err() {
        // A contract has no owner here: one that may call is named itself.
        let owner = state.entity(sender)?.and_then(|record| record.owner);
        match owner.filter(|owner| callers.binary_search(owner).is_ok()) {
            Some(owner) => entity::active(state, &owner)?,
            None => return Err(Refusal::CallerNotAllowed.into()),
        };
    }
    let (owner, resource) = (record.owner(), Resource::Contract(id.0));
    if owner == *sender || !access::is_governed(state, owner, &resource)? {
        return Ok(());
    }
    let (right, purpose) = (Right::Call, CALL_PURPOSE);
    let wanted = Wanted { principal: Some(*sender), right, resource: &resource, purpose };
    access::use_grant(state, actor, &wanted, Some(owner)).map(|_| ())
}

/// Runs the first message of a contract that is in the state already.
pub(super) fn begin<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    meter: &mut Meter,
    id: &ContractId,
    sent: Sent<'_>,
    depth: u8,
) -> Result<Option<Vec<u8>>, Stop> {
    let record = contract(state, id)?;
    bank::fund(state, actor, &record.creator, id, sent.funds)?;
    state.emit(Event::ContractInstantiated {
        contract: *id,
        code: record.code,
        creator: record.creator,
    });
    let sender = record.creator;
    let run = Run { entry: Entry::Instantiate, contract: *id, sender, sent, depth };
    run_and_follow(state, actor, meter, &run)
}

/// Runs a contract and does what it asks for. Gives the data it hands back.
pub(super) fn run_and_follow<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    meter: &mut Meter,
    run: &Run<'_>,
) -> Result<Option<Vec<u8>>, Stop> {
    if run.depth > MESSAGE_DEPTH_MAX {
        return Err(Refusal::ContractTooDeep.into());
    }
    if state.must_skip_call() {
        return Ok(None);
    }
    let response = run_once(state, actor, meter, run)?;
    tell(state, meter, &run.contract, &response)?;
    let mut data = response.data.map(|Binary(data)| data);
    for message in &response.messages {
        if let Some(replied) = follow(state, actor, meter, run, message)? {
            data = Some(replied);
        }
    }
    if data.as_ref().is_some_and(|data| data.len() > DATA_BYTES_MAX) {
        return Err(Refusal::ContractAnswer.into());
    }
    Ok(data)
}

/// Runs one entry point of a contract in its own instance.
fn run_once<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    meter: &mut Meter,
    run: &Run<'_>,
) -> Result<Response, Stop> {
    meter.run()?;
    let record = contract(state, &run.contract)?;
    let module = code::module(state, &record.code)?;
    let environment = environment(state, actor, &run.contract)?.to_string();
    let sender = state.address(&run.sender)?;
    let info = match run.entry {
        Entry::Migrate => json!({ "old_migrate_version": null, "sender": sender }),
        _ => json!({ "funds": bank::told(state, run.sent.funds)?, "sender": sender }),
    };
    let info = info.to_string();
    let (environment, info) = (environment.as_bytes(), info.as_bytes());
    let arguments: &[&[u8]] = match run.entry {
        Entry::Instantiate | Entry::Execute => &[environment, info, run.sent.message],
        Entry::Migrate if module.migrate_has_info() => &[environment, run.sent.message, info],
        _ => &[environment, run.sent.message],
    };
    let call = Call { entry: run.entry, arguments, gas_limit: meter.left };
    let mut guest = Guest::new(state, actor, run.contract, meter.runs);
    let done = althing_contract::run(&module, &mut guest, &call);
    let Guest { broken, runs, .. } = guest;
    meter.runs = runs;
    meter.left = meter.left.saturating_sub(done.gas_used);
    if let Some(error) = broken {
        return Err(error);
    }
    let answer = done.answer.map_err(stopped)?;
    let answer: Answer<Response> =
        serde_json::from_slice(&answer).map_err(|_| Refusal::ContractAnswer)?;
    match answer {
        Answer::Ok(response) => {
            state.emit(Event::ContractCalled {
                contract: run.contract,
                entry: entry_number(run.entry),
                caller: run.sender,
                gas_used: done.gas_used,
            });
            Ok(response)
        }
        Answer::Error(text) => {
            state.trace(&run.contract, &text);
            Err(Refusal::ContractRefused.into())
        }
    }
}

const fn entry_number(entry: Entry) -> u8 {
    match entry {
        Entry::Instantiate => 0,
        Entry::Execute => 1,
        Entry::Migrate => 2,
        Entry::Reply => 3,
        Entry::Sudo => 4,
        Entry::Query => 5,
    }
}

/// Why a run ended. If the engine failed at what is not the contract's fault, such as memory that the
/// machine does not have, that is a failure of this peer as one of its disk is: another peer has the
/// memory, so this one must stop rather than go on with another result.
pub(super) fn stopped(failure: Failure) -> Stop {
    match failure {
        Failure::NoEntry => Refusal::NoSuchEntry.into(),
        Failure::OutOfGas => Refusal::OutOfGas.into(),
        Failure::Trapped | Failure::Misused => Refusal::ContractTrapped.into(),
        Failure::Broken => {
            StoreError::Io { attempt: "run a contract", source: Cause::new(Broken) }.into()
        }
    }
}

/// What a contract is told of where it runs.
pub(super) fn environment<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
) -> Result<Value, Stop> {
    let network = state.network()?;
    let time_ns = u128::from(state.now.time_ms) * 1_000_000;
    Ok(json!({
        "block": {
            "chain_id": &*network,
            "height": state.now.height,
            // Nanoseconds since 1970, a 64-bit number in text.
            "time": u64::try_from(time_ns).unwrap_or(u64::MAX).to_string(),
        },
        "contract": { "address": state.address(&id.actor())? },
        "transaction": {
            "hash": Binary(actor.transaction.0.to_vec()),
            "index": actor.position,
        },
    }))
}

/// Does one message of a contract, and lets it reply where it wants to. Gives the data of the reply.
fn follow<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    meter: &mut Meter,
    run: &Run<'_>,
    message: &SubMessage,
) -> Result<Option<Vec<u8>>, Stop> {
    let (mark, events) = (state.mark(), state.effects.events.len());
    let before = meter.left;
    let held_back = before.saturating_sub(message.gas_limit.unwrap_or(before));
    meter.left -= held_back;
    let done = message::send(state, actor, meter, &run.contract, &message.msg, run.depth);
    let gas_used = before - held_back - meter.left;
    meter.left += held_back;
    let outcome = match done {
        Ok(data) => Ok((data, told_since(state, events)?)),
        Err(Stop::Refused(refusal)) => {
            state.roll_back(mark);
            if !matches!(message.reply_on, ReplyOn::Always | ReplyOn::Error) {
                return Err(refusal.into());
            }
            Err(refusal.number())
        }
        Err(error) => return Err(error),
    };
    let wanted = match &outcome {
        Ok(_) => matches!(message.reply_on, ReplyOn::Always | ReplyOn::Success),
        Err(_) => true,
    };
    if !wanted {
        return Ok(None);
    }
    let reply = wire::reply(message, gas_used, &outcome);
    let depth = run.depth + 1;
    let sent = Sent { message: &reply, funds: Amount::ZERO };
    let reply = Run { entry: Entry::Reply, sent, sender: run.contract.actor(), depth, ..*run };
    run_and_follow(state, actor, meter, &reply)
}

/// The events of contracts since a point, as a reply tells them.
fn told_since<R: Read>(state: &mut Transition<'_, R>, from: usize) -> Result<Vec<Value>, Stop> {
    let told: Vec<Event> = state.effects.events[from..].to_vec();
    let mut events = Vec::new();
    for event in told {
        let Event::ContractEmitted { contract, name, attributes } = event else { continue };
        let own = [json!({
            "key": "_contract_address",
            "value": state.address(&contract.actor())?,
        })];
        let attributes = attributes
            .iter()
            .map(|attribute| json!({ "key": attribute.key, "value": attribute.value }));
        let attributes: Vec<Value> = own.into_iter().chain(attributes).collect();
        events.push(json!({ "attributes": attributes, "type": name }));
    }
    Ok(events)
}

/// Tells what a contract tells, within bounds.
fn tell<R: Read>(
    state: &mut Transition<'_, R>,
    meter: &mut Meter,
    id: &ContractId,
    response: &Response,
) -> Result<(), Stop> {
    let plain = (!response.attributes.is_empty())
        .then(|| ("wasm".to_owned(), response.attributes.as_slice()));
    let named = response
        .events
        .iter()
        .map(|event| (format!("wasm-{}", event.name), event.attributes.as_slice()));
    for (name, attributes) in plain.into_iter().chain(named) {
        meter.events += 1;
        let short = |text: &str| text.len() <= CONTRACT_ATTRIBUTE_BYTES_MAX;
        let fits = meter.events <= EVENTS_MAX
            && attributes.len() <= CONTRACT_ATTRIBUTES_MAX
            && short(&name)
            && attributes.iter().all(|each| short(&each.key) && short(&each.value));
        if !fits {
            return Err(Refusal::ContractAnswer.into());
        }
        let attributes = attributes
            .iter()
            .map(|each| Attribute { key: each.key.clone(), value: each.value.clone() });
        state.emit(Event::ContractEmitted {
            contract: *id,
            name,
            attributes: attributes.collect(),
        });
    }
    Ok(())
}
