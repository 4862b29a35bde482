//! Contracts of others, run here unchanged, answer what CosmWasm's own engine recorded for the same calls
//! and leave the same in their storage: `contracts/differential` makes the record. Gas is not compared.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files and may panic"
)]

use std::{fs, path::PathBuf};

use althing_contract::{Broken, Call, Entry, Failure, Host, Machine, Order, Row, run, testing};
use althing_types::CodeId;
use serde_json::{Value, json};

const GAS: u64 = 200_000_000;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/contracts")
}

fn read(name: &str) -> Value {
    serde_json::from_slice(&fs::read(folder().join(name)).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same world as the recorder's.
#[derive(Debug, Default, Clone)]
struct World(testing::Storage);

impl Host for World {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
        Ok(self.0.get(key).cloned())
    }

    fn set(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Broken> {
        testing::set(&mut self.0, key, value);
        Ok(())
    }

    fn range(
        &mut self,
        from: &[u8],
        to: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<(Vec<Row>, usize), Broken> {
        Ok(testing::range(&self.0, from, to, order, limit))
    }

    fn address(&self, text: &str) -> Option<[u8; 32]> {
        let digits = text.strip_prefix("addr").filter(|digits| digits.len() == 64)?;
        let plain = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        if !digits.bytes().all(plain) {
            return None;
        }
        let mut address = [0; 32];
        for (index, byte) in address.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).ok()?;
        }
        Some(address)
    }

    fn address_text(&self, address: &[u8; 32]) -> String {
        format!("addr{}", hex(address))
    }

    fn query(&mut self, _request: &[u8], _gas: u64) -> Result<(Option<Vec<u8>>, u64), Broken> {
        let nothing = json!({ "error": { "unsupported_request": { "kind": "nothing" } } });
        Ok((Some(nothing.to_string().into_bytes()), 0))
    }
}

/// What the record would say of a call here.
fn ask(module: &althing_contract::Module, world: &mut World, calls: &Value, call: &Value) -> Value {
    let entry = match call["entry"].as_str().unwrap() {
        "instantiate" => Entry::Instantiate,
        "execute" => Entry::Execute,
        "query" => Entry::Query,
        other => panic!("no entry {other}"),
    };
    let environment = calls["environment"].to_string();
    let info = json!({ "sender": call["sender"], "funds": [] }).to_string();
    let message = call["message"].to_string();
    let (environment, info) = (environment.as_bytes(), info.as_bytes());
    let arguments: &[&[u8]] = match entry {
        Entry::Query => &[environment, message.as_bytes()],
        _ => &[environment, info, message.as_bytes()],
    };
    let before = world.clone();
    let done = run(module, world, &Call { entry, arguments, gas_limit: GAS });
    let answer = match done.answer {
        Ok(answer) => serde_json::from_slice(&answer).unwrap(),
        Err(Failure::Trapped | Failure::Misused) => json!("broke_off"),
        Err(other) => panic!("{other}: {call}"),
    };
    if answer.get("ok").is_none() {
        *world = before;
    }
    answer
}

#[test]
fn contracts_of_others_answer_as_under_their_own_engine() {
    let (calls, answers) = (read("calls.json"), read("answers.json"));
    let (asked, said) = (&calls["contracts"], &answers["contracts"]);
    assert_eq!(asked.as_array().unwrap().len(), said.as_array().unwrap().len());
    let (mut good, mut refused) = (0, 0);
    for (contract, recorded) in asked.as_array().unwrap().iter().zip(said.as_array().unwrap()) {
        let name = contract["module"].as_str().unwrap();
        assert_eq!(recorded["module"], name);
        let module = Machine::shared().compile(&fs::read(folder().join(name)).unwrap()).unwrap();
        let mut world = World::default();
        let (calls_of, recorded) =
            (contract["calls"].as_array().unwrap(), recorded["answers"].as_array().unwrap());
        assert_eq!(calls_of.len(), recorded.len(), "{name}: cargo xtask differential");
        for (call, recorded) in calls_of.iter().zip(recorded) {
            let answer = ask(&module, &mut world, &calls, call);
            assert_eq!(answer, recorded["answer"], "{name}: {call}");
            let rows: Vec<_> =
                world.0.iter().map(|(key, value)| json!([hex(key), hex(value)])).collect();
            assert_eq!(json!(rows), recorded["storage"], "{name}: {call}");
            if answer.get("ok").is_some() { good += 1 } else { refused += 1 }
        }
    }
    // A record in which everything fails would show nothing.
    assert!(good > 70 && refused > 30, "{good} good, {refused} refused");
}

#[test]
fn each_module_of_others_is_the_one_its_sum_names() {
    let sums = fs::read_to_string(folder().join("SHA256SUMS")).unwrap();
    let mut names = Vec::new();
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        let module = fs::read(folder().join(name)).unwrap();
        assert_eq!(CodeId::of(&module).to_string(), sum, "{name}");
        names.push(name.to_owned());
    }
    let modules = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let modules = modules.filter(|path| path.extension().is_some_and(|ending| ending == "wasm"));
    assert_eq!(modules.count(), names.len());
}
