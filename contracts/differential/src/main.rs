//! Ask CosmWasm's own engine what contracts answer, for our host to be compared with.
//!
//! ```text
//! althing-differential FOLDER
//! ```
//!
//! Reads `FOLDER/calls.json` and the modules it names, and writes `FOLDER/answers.json`.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use cosmwasm_std::{ContractResult, Order, Record, SystemError, SystemResult};
use cosmwasm_vm::{
    Backend, BackendApi, BackendError, BackendResult, Cache, CacheOptions, GasInfo, Instance,
    InstanceOptions, Querier, Size, Storage, VmError, call_execute_raw, call_instantiate_raw,
    call_query_raw, capabilities_from_csv,
};
use serde_json::{Value, json};

/// The engine's machine code asks for this symbol, which compilers since Rust 1.89 do not give; it never
/// calls it.
#[cfg(target_arch = "x86_64")]
#[unsafe(no_mangle)]
extern "C" fn __rust_probestack() {
    std::process::abort()
}

const GAS: u64 = 1_000_000_000_000;
const CAPABILITIES: &str = "iterator,staking,cosmwasm_1_1,cosmwasm_1_2,cosmwasm_1_3,cosmwasm_1_4,cosmwasm_2_0,\
                            cosmwasm_2_1,cosmwasm_2_2,cosmwasm_3_0";

#[derive(Clone, Default)]
struct Kept {
    rows: Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>,
    iterators: HashMap<u32, std::vec::IntoIter<Record>>,
}

impl Kept {
    fn rows(&self) -> std::sync::MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.rows.lock().expect("nobody panics with it")
    }
}

impl Storage for Kept {
    fn get(&self, key: &[u8]) -> BackendResult<Option<Vec<u8>>> {
        (Ok(self.rows().get(key).cloned()), GasInfo::free())
    }

    fn scan(&mut self, from: Option<&[u8]>, to: Option<&[u8]>, order: Order) -> BackendResult<u32> {
        let within =
            |key: &[u8]| from.is_none_or(|from| key >= from) && to.is_none_or(|to| key < to);
        let mut found: Vec<Record> = {
            let rows = self.rows();
            let rows = rows.iter().filter(|(key, _)| within(key));
            rows.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        if order == Order::Descending {
            found.reverse();
        }
        let id = self.iterators.len() as u32 + 1;
        self.iterators.insert(id, found.into_iter());
        (Ok(id), GasInfo::free())
    }

    fn next(&mut self, id: u32) -> BackendResult<Option<Record>> {
        match self.iterators.get_mut(&id) {
            Some(rows) => (Ok(rows.next()), GasInfo::free()),
            None => (Err(BackendError::iterator_does_not_exist(id)), GasInfo::free()),
        }
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> BackendResult<()> {
        self.rows().insert(key.to_vec(), value.to_vec());
        (Ok(()), GasInfo::free())
    }

    fn remove(&mut self, key: &[u8]) -> BackendResult<()> {
        self.rows().remove(key);
        (Ok(()), GasInfo::free())
    }
}

/// `addr` and 64 hexadecimal digits; 32 bytes.
#[derive(Clone, Copy)]
struct Addresses;

fn parse(text: &str) -> Result<Vec<u8>, BackendError> {
    let wrong = || BackendError::user_err("not an address of this ledger");
    let digits = text.strip_prefix("addr").ok_or_else(wrong)?;
    let plain = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    if digits.len() != 64 || !digits.bytes().all(plain) {
        return Err(wrong());
    }
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| wrong());
    (0..64).step_by(2).map(byte).collect()
}

impl BackendApi for Addresses {
    fn addr_validate(&self, text: &str) -> BackendResult<()> {
        (parse(text).map(|_| ()), GasInfo::free())
    }

    fn addr_canonicalize(&self, text: &str) -> BackendResult<Vec<u8>> {
        (parse(text), GasInfo::free())
    }

    fn addr_humanize(&self, address: &[u8]) -> BackendResult<String> {
        let text = match address.len() {
            32 => Ok(format!("addr{}", hex(address))),
            _ => Err(BackendError::user_err("not an address of this ledger")),
        };
        (text, GasInfo::free())
    }
}

/// A ledger on which there is nothing to ask.
struct Nothing;

impl Querier for Nothing {
    fn query_raw(
        &self,
        _request: &[u8],
        _gas_limit: u64,
    ) -> BackendResult<SystemResult<ContractResult<cosmwasm_std::Binary>>> {
        let kind = "nothing".to_owned();
        (Ok(SystemResult::Err(SystemError::UnsupportedRequest { kind })), GasInfo::free())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder =
        PathBuf::from(std::env::args().nth(1).ok_or("usage: althing-differential FOLDER")?);
    let calls: Value = serde_json::from_slice(&fs::read(folder.join("calls.json"))?)?;
    let scratch = std::env::temp_dir().join(format!("althing-differential-{}", std::process::id()));
    let memory = Size::mebi(32);
    let options =
        CacheOptions::new(&scratch, capabilities_from_csv(CAPABILITIES), Size::mebi(200), memory);
    // SAFETY: the folder was made by this process and is its alone.
    let cache: Cache<Addresses, Kept, Nothing> = unsafe { Cache::new(options)? };
    let mut answers = Vec::new();
    for contract in calls["contracts"].as_array().ok_or("no contracts")? {
        let name = contract["module"].as_str().ok_or("no module")?;
        let module = fs::read(folder.join(name))?;
        let checksum = cache.store_code(&module, true, true)?;
        let (kept, mut said) = (Kept::default(), Vec::new());
        for call in contract["calls"].as_array().ok_or("no calls")? {
            let before = kept.rows().clone();
            let backend = Backend { api: Addresses, storage: kept.clone(), querier: Nothing };
            let gas = InstanceOptions { gas_limit: GAS };
            let mut instance = cache.get_instance(&checksum, backend, gas)?;
            let answer = ask(&mut instance, &calls, call)?;
            // Whoever runs contracts takes back what a failed one wrote.
            if answer.get("ok").is_none() {
                *kept.rows() = before;
            }
            let rows: Vec<_> =
                kept.rows().iter().map(|(key, value)| json!([hex(key), hex(value)])).collect();
            said.push(json!({ "answer": answer, "storage": rows }));
        }
        answers.push(json!({ "module": name, "answers": said }));
    }
    fs::remove_dir_all(&scratch)?;
    let text = serde_json::to_string_pretty(
        &json!({ "engine": "cosmwasm-vm 3.0.9", "contracts": answers }),
    )?;
    fs::write(folder.join("answers.json"), text + "\n")?;
    Ok(())
}

/// The answer as the contract gives it, or `broke_off`.
fn ask(
    instance: &mut Instance<Addresses, Kept, Nothing>,
    calls: &Value,
    call: &Value,
) -> Result<Value, Box<dyn Error>> {
    let environment = calls["environment"].to_string();
    let info = json!({ "sender": call["sender"], "funds": [] }).to_string();
    let message = call["message"].to_string();
    let (environment, info, message) =
        (environment.as_bytes(), info.as_bytes(), message.as_bytes());
    let answer = match call["entry"].as_str() {
        Some("instantiate") => call_instantiate_raw(instance, environment, info, message),
        Some("execute") => call_execute_raw(instance, environment, info, message),
        Some("query") => call_query_raw(instance, environment, message),
        entry => return Err(format!("no entry {entry:?}").into()),
    };
    match answer {
        Ok(answer) => Ok(serde_json::from_slice(&answer)?),
        Err(VmError::RuntimeErr { .. } | VmError::Aborted { .. }) => Ok(json!("broke_off")),
        Err(error) => Err(error.into()),
    }
}
