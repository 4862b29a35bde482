//! Questions: of contracts to each other and to the ledger, and of people to contracts.

use althing_contract::{Call, Entry, Failure, Order, price};
use althing_state::{Read, Writes};
use althing_types::{Body, ContractId, Event, Refusal, limits::CONTRACT_KEY_BYTES_MAX};
use minicbor::bytes::ByteVec;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    CodeRecord, ContractRecord, Status, bank,
    call::{RUNS_MAX, environment, stopped},
    code::module,
    host::{Guest, storage},
    things::{Custom, own},
    wire::{Answer, Binary},
};
use crate::{
    Context, key,
    transition::{Actor, Stop, Transition},
};

/// Deepest chain of contracts that ask each other. Each stands on the same stack of the processor.
pub(super) const QUERY_DEPTH_MAX: u8 = 3;
/// Most rows of another contract's storage given at once.
const RAW_ROWS_MAX: u16 = 100;

/// A question of CosmWasm. What is not here the ledger does not answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    Wasm(Wasm),
    Custom(Custom),
    Bank(bank::Question),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wasm {
    Smart {
        contract_addr: String,
        msg: Binary,
    },
    Raw {
        contract_addr: String,
        key: Binary,
    },
    RawRange {
        contract_addr: String,
        start: Option<Binary>,
        end: Option<Binary>,
        limit: u16,
        order: String,
    },
    ContractInfo {
        contract_addr: String,
    },
    CodeInfo {
        code_id: u64,
    },
}

/// An answer in the form that contracts read: outside, whether the ledger could ask; inside, what
/// whoever was asked said.
enum Said {
    Ok(Vec<u8>),
    /// The contract that was asked answered with an error.
    Error(&'static str),
    NoContract(String),
    NoCode(u64),
    Invalid,
    Unsupported(&'static str),
}

impl Said {
    fn to_json(&self) -> Vec<u8> {
        let said = match self {
            Self::Ok(data) => json!({ "ok": { "ok": Binary(data.clone()) } }),
            Self::Error(text) => json!({ "ok": { "error": text } }),
            Self::NoContract(address) => {
                json!({ "error": { "no_such_contract": { "addr": address } } })
            }
            Self::NoCode(number) => json!({ "error": { "no_such_code": { "code_id": number } } }),
            Self::Invalid => {
                json!({ "error": { "invalid_request": { "error": "malformed", "request": "" } } })
            }
            Self::Unsupported(kind) => {
                json!({ "error": { "unsupported_request": { "kind": kind } } })
            }
        };
        said.to_string().into_bytes()
    }

    fn of(value: &Value) -> Self {
        Self::Ok(value.to_string().into_bytes())
    }
}

/// Answers a question of a contract; no answer means that the gas ran out. Also says what it took.
pub(super) fn answer<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    request: &[u8],
    gas_limit: u64,
    depth: u8,
    runs: &mut u32,
) -> Result<(Option<Vec<u8>>, u64), Stop> {
    let mut gas = Gas { left: gas_limit, limit: gas_limit };
    let said = match serde_json::from_slice(request) {
        Ok(question) => say(state, actor, question, &mut gas, depth, runs),
        Err(_) => Ok(Said::Invalid),
    };
    match said {
        Ok(said) => Ok((Some(said.to_json()), gas.used())),
        Err(Stop::Refused(Refusal::OutOfGas)) => Ok((None, gas_limit)),
        // An address that is none, in most cases.
        Err(Stop::Refused(_)) => Ok((Some(Said::Invalid.to_json()), gas.used())),
        Err(error) => Err(error),
    }
}

struct Gas {
    left: u64,
    limit: u64,
}

impl Gas {
    fn charge(&mut self, gas: u64) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(gas).ok_or(Refusal::OutOfGas)?;
        Ok(())
    }

    const fn used(&self) -> u64 {
        self.limit - self.left
    }
}

fn say<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    question: Question,
    gas: &mut Gas,
    depth: u8,
    runs: &mut u32,
) -> Result<Said, Stop> {
    gas.charge(price::READ)?;
    match question {
        Question::Custom(custom) => {
            gas.charge(price::READ)?;
            Ok(Said::of(&own(state, actor, custom)?))
        }
        Question::Bank(question) => {
            gas.charge(price::READ)?;
            let answer = bank::answer(state, &question)?;
            Ok(answer.as_ref().map_or(Said::Invalid, Said::of))
        }
        Question::Wasm(Wasm::CodeInfo { code_id }) => code_info(state, code_id),
        Question::Wasm(Wasm::Smart { contract_addr, msg: Binary(message) }) => {
            let id = state.contract_at(&contract_addr)?;
            let Some(record) = state.get::<ContractRecord>(&key::contract(&id))? else {
                return Ok(Said::NoContract(contract_addr));
            };
            if depth > QUERY_DEPTH_MAX || *runs >= RUNS_MAX {
                return Ok(Said::Unsupported("questions nested too deep"));
            }
            if matches!(record.status, Status::Proposed) {
                return Ok(Said::NoContract(contract_addr));
            }
            *runs += 1;
            smart(state, actor, &id, &record, &message, gas, depth, runs)
        }
        Question::Wasm(Wasm::Raw { contract_addr, key: Binary(at) }) => {
            let id = state.contract_at(&contract_addr)?;
            if at.len() > CONTRACT_KEY_BYTES_MAX {
                return Ok(Said::Invalid);
            }
            let value: Option<ByteVec> = state.get(&key::storage(&id, &at))?;
            let value: Vec<u8> = value.map(Into::into).unwrap_or_default();
            gas.charge(price::READ_BYTE * (at.len() + value.len()) as u64)?;
            Ok(Said::Ok(value))
        }
        Question::Wasm(Wasm::RawRange { contract_addr, start, end, limit, order }) => {
            let id = state.contract_at(&contract_addr)?;
            raw_range(state, &id, start, end, limit, &order, gas)
        }
        Question::Wasm(Wasm::ContractInfo { contract_addr }) => {
            let id = state.contract_at(&contract_addr)?;
            contract_info(state, &id, contract_addr)
        }
    }
}

fn raw_range<R: Read>(
    state: &Transition<'_, R>,
    id: &ContractId,
    start: Option<Binary>,
    end: Option<Binary>,
    limit: u16,
    order: &str,
    gas: &mut Gas,
) -> Result<Said, Stop> {
    let order = match order {
        "ascending" => Order::Ascending,
        "descending" => Order::Descending,
        _ => return Ok(Said::Invalid),
    };
    let start = start.unwrap_or_default().0;
    let end = end.map(|Binary(end)| end);
    let long = |key: &[u8]| key.len() > CONTRACT_KEY_BYTES_MAX;
    if long(&start) || end.as_deref().is_some_and(long) {
        return Ok(Said::Invalid);
    }
    let limit = usize::from(limit.min(RAW_ROWS_MAX));
    gas.charge(price::SCAN + price::NEXT * limit as u64)?;
    let (rows, looked_at) = storage(state, id, &start, end.as_deref(), order, limit + 1)?;
    gas.charge(price::NEXT * looked_at.saturating_sub(limit) as u64)?;
    let next = rows.get(limit).map(|(key, _)| Binary(key.clone()));
    let rows = &rows[..rows.len().min(limit)];
    let bytes: usize = rows.iter().map(|(key, value)| key.len() + value.len()).sum();
    gas.charge(price::READ_BYTE * bytes as u64)?;
    let data: Vec<[Binary; 2]> =
        rows.iter().map(|(key, value)| [Binary(key.clone()), Binary(value.clone())]).collect();
    Ok(Said::of(&json!({ "data": data, "next_key": next })))
}

fn contract_info<R: Read>(
    state: &mut Transition<'_, R>,
    id: &ContractId,
    address: String,
) -> Result<Said, Stop> {
    let Some(record) = state.get::<ContractRecord>(&key::contract(id))? else {
        return Ok(Said::NoContract(address));
    };
    let number = state.get::<CodeRecord>(&key::code(&record.code))?.map_or(0, |code| code.number);
    let admin = match &record.terms.admin {
        Some(admin) => Some(state.address(admin)?),
        None => None,
    };
    Ok(Said::of(&json!({
        "admin": admin,
        "code_id": number,
        "creator": state.address(&record.creator)?,
        "ibc2_port": null,
        "ibc_port": null,
        "pinned": false,
    })))
}

fn code_info<R: Read>(state: &mut Transition<'_, R>, number: u64) -> Result<Said, Stop> {
    let Some(id) = state.get(&key::code_number(number))? else { return Ok(Said::NoCode(number)) };
    let record = super::code(state, &id)?;
    Ok(Said::of(&json!({
        "checksum": id.to_string(),
        "code_id": number,
        "creator": state.address(&record.creator)?,
    })))
}

/// Asks a contract.
#[expect(clippy::too_many_arguments, reason = "who asks whom what, and what it may use")]
fn smart<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ContractId,
    record: &ContractRecord,
    message: &[u8],
    gas: &mut Gas,
    depth: u8,
    runs: &mut u32,
) -> Result<Said, Stop> {
    let module = module(state, &record.code)?;
    let environment = environment(state, actor, id)?.to_string();
    let arguments: &[&[u8]] = &[environment.as_bytes(), message];
    let call = Call { entry: Entry::Query, arguments, gas_limit: gas.left };
    let mut guest = Guest::new(state, actor, *id, *runs).asked(depth);
    let done = althing_contract::run(&module, &mut guest, &call);
    let Guest { broken, runs: now, .. } = guest;
    *runs = now;
    gas.left = gas.left.saturating_sub(done.gas_used);
    if let Some(stop) = broken {
        return Err(stop);
    }
    let answer = match done.answer {
        Ok(answer) => answer,
        Err(Failure::OutOfGas) => return Err(Refusal::OutOfGas.into()),
        Err(Failure::Broken) => return Err(stopped(Failure::Broken)),
        Err(failure) => {
            state.trace(id, &failure.to_string());
            return Ok(Said::Error("the contract broke off"));
        }
    };
    match serde_json::from_slice::<Answer<Binary>>(&answer) {
        Ok(Answer::Ok(Binary(data))) => Ok(Said::Ok(data)),
        Ok(Answer::Error(text)) => {
            state.trace(id, &text);
            Ok(Said::Error("the contract answered with an error"))
        }
        Err(_) => Ok(Said::Error("the contract's answer is malformed")),
    }
}

/// What a contract answered to a question from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The answer, as the contract gives it, mostly JSON; or why there is none.
    pub answer: Result<Vec<u8>, Refusal>,
    /// What the contract says beside, for whoever tries it out.
    pub trace: Vec<String>,
    /// Gas it took.
    pub gas_used: u64,
}

/// Asks a contract on behalf of somebody who asks a peer. Nothing is changed.
///
/// # Errors
/// [`Refusal::NotReady`] if the state cannot be read.
pub fn ask(
    view: &impl Read,
    now: &Context<'_>,
    id: &ContractId,
    message: &[u8],
) -> Result<Asked, Refusal> {
    let moment = now.next_moment();
    let mut state = Transition::new(view, moment);
    state.record_trace();
    let actor = Actor { id: id.actor(), transaction: althing_types::TxId::default(), position: 0 };
    let limit = now.parameters.contract_gas_transaction_max;
    let mut gas = Gas { left: limit, limit };
    let said = (|| {
        let record = super::contract(&state, id)?;
        let (mut runs, gas) = (1, &mut gas);
        smart(&mut state, &actor, id, &record, message, gas, 1, &mut runs)
    })();
    let answer = match said {
        Ok(Said::Ok(data)) => Ok(data),
        Ok(_) => Err(Refusal::ContractRefused),
        Err(Stop::Refused(refusal)) => Err(refusal),
        Err(Stop::Store(_)) => return Err(Refusal::NotReady),
    };
    Ok(Asked { answer, trace: state.take_trace(), gas_used: gas.used() })
}

/// What a contract would be told that asked.
#[cfg(test)]
pub(super) fn asked_by_nobody(view: &impl Read, now: &Context<'_>, request: &str) -> Value {
    let mut state = Transition::new(view, now.next_moment());
    let id = althing_types::EntityId::default();
    let actor = Actor { id, transaction: althing_types::TxId::default(), position: 0 };
    let limit = now.parameters.contract_gas_transaction_max;
    let said = answer(&mut state, &actor, request.as_bytes(), limit, 1, &mut 0).unwrap();
    serde_json::from_slice(&said.0.unwrap()).unwrap()
}

/// What would come of actions in the next block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Position of the action that would be refused, and why; none if all took effect.
    pub refusal: Option<(u8, Refusal)>,
    /// What would happen, in order.
    pub events: Vec<Event>,
    /// What would change in the state; none for a value that would be removed.
    pub writes: Writes,
    /// What contracts say meanwhile, at most some lines.
    pub trace: Vec<String>,
    /// Gas that contracts would use.
    pub gas_used: u64,
}

/// Tries actions out as if their sender had signed them and nothing needed approval. Nothing is
/// changed.
///
/// # Errors
/// [`Refusal::NotReady`] if the state cannot be read.
pub fn try_out(view: &impl Read, now: &Context<'_>, body: &Body) -> Result<Trial, Refusal> {
    let mut state = Transition::new(view, now.next_moment());
    state.record_trace();
    let actor = Actor { id: body.sender, transaction: althing_types::TxId::default(), position: 0 };
    let mark = state.mark();
    let refusal = match crate::execute::act(&mut state, &actor, &body.actions) {
        Ok(()) => None,
        Err((action, Stop::Refused(refusal))) => Some((action, refusal)),
        Err((_, Stop::Store(_))) => return Err(Refusal::NotReady),
    };
    if refusal.is_some() {
        state.roll_back(mark);
    }
    let gas_used = state.gas_used;
    let trace = state.take_trace();
    let (writes, effects) = state.finish();
    Ok(Trial { refusal, events: effects.events, writes, trace, gas_used })
}
