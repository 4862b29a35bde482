//! When code may be run, and what admission does about calls.

use super::super::{CODE_BEHIND_MS_MAX, CODE_READY_US_PER_BYTE, CodeRecord};
use super::*;

/// The base with a section of its own, so that compiling it is given some seconds.
fn long_module(bytes: usize) -> Vec<u8> {
    let mut module = module(&[("execute", WRITES)]);
    let length =
        (bytes as u32 & 0x7f | 0x80, (bytes as u32 >> 7) & 0x7f | 0x80, bytes as u32 >> 14);
    module.extend([0, length.0 as u8, length.1 as u8, length.2 as u8, 1, b'x']);
    module.extend(vec![0; bytes - 2]);
    module
}

/// Peers compile beside their blocks: whoever stored code and ran it at once made every block wait.
#[test]
fn code_runs_once_peers_had_the_time_to_compile_it() {
    let mut ledger = Ledger::new();
    let a = ledger.a;
    let bytes = long_module(250_000);
    let old = ledger.made("c", &[]);
    let code = ledger.store(&bytes).unwrap();
    let record: CodeRecord = minicbor::decode(&ledger.world.state[&key::code(&code)]).unwrap();
    let takes_ms = (bytes.len() as u64 * CODE_READY_US_PER_BYTE).div_ceil(1000);
    assert_eq!(record.ready_ms, ledger.world.time_ms() + takes_ms);
    let migrate = Action::Migrate { contract: old, code, message: b"{}".to_vec(), gas_limit: GAS };
    while ledger.world.time_ms() + 1000 < record.ready_ms {
        let made = ledger.world.act(a, instantiate(code, "d", terms(a)));
        assert_eq!(made, Err(Refusal::CodeNotReady));
    }
    assert!(ledger.world.act(a, instantiate(code, "d", terms(a))).is_ok());
    assert!(ledger.world.act(a, migrate.clone()).is_ok());

    // The next one waits for the one before; another organisation's does not.
    let after = |ledger: &Ledger, ms| minicbor::to_vec(ledger.world.time_ms() + 1000 + ms).unwrap();
    let behind = after(&ledger, 500_000);
    ledger.world.state.insert(key::code_ready(&ledger.b), behind);
    let queue = key::code_ready(&a);
    let small = module(&[("query", WRITES)]);
    let (id, count) = (CodeId::of(&small), 1);
    ledger.world.must(a, Action::UploadCode { code: id, part: 0, bytes: small.clone() });
    let too_far = after(&ledger, CODE_BEHIND_MS_MAX + 1);
    ledger.world.state.insert(queue.clone(), too_far);
    assert_eq!(ledger.world.act(a, store(id, count)), Err(Refusal::CodeNotReady));
    let far = after(&ledger, CODE_BEHIND_MS_MAX);
    ledger.world.state.insert(queue.clone(), far.clone());
    ledger.world.must(a, store(id, count));
    let record: CodeRecord = minicbor::decode(&ledger.world.state[&key::code(&id)]).unwrap();
    assert!(record.ready_ms > minicbor::decode::<u64>(&far).unwrap());
    assert_eq!(minicbor::decode::<u64>(&ledger.world.state[&queue]).unwrap(), record.ready_ms);
    // Nor can a contract be given code that is not ready.
    let again =
        Action::Migrate { contract: old, code: id, message: b"{}".to_vec(), gas_limit: GAS };
    assert_eq!(ledger.world.act(a, again), Err(Refusal::CodeNotReady));
}

/// Whoever may call a contract could have had every peer run it, for nothing, as often as it asked.
#[test]
fn admission_looks_at_calls_and_does_not_run_them() {
    let mut ledger = Ledger::new();
    let a = ledger.a;
    let loops = ledger.made("loops", &[("execute", "(loop $again (br $again))")]);
    let unknown = Action::RetireThing { thing: althing_types::ThingId([9; 32]) };
    let frozen = ledger.made("frozen", &[]);
    ledger.world.must(a, Action::FreezeContract { contract: frozen });
    let much = Action::Execute {
        contract: loops,
        message: b"{}".to_vec(),
        gas_limit: u64::MAX,
        funds: None,
    };
    for (actions, expected) in [
        (vec![execute(loops)], Ok(())),
        // What follows may depend on what the contract would have done.
        (vec![execute(loops), unknown.clone()], Ok(())),
        (vec![unknown, execute(loops)], Err(Refusal::UnknownThing)),
        (vec![execute(frozen)], Err(Refusal::ContractFrozen)),
        (vec![execute(ContractId([7; 32]))], Err(Refusal::UnknownContract)),
        (vec![much], Err(Refusal::GasLimit)),
    ] {
        let transaction = ledger.world.signed(&[a], actions.clone());
        assert_eq!(ledger.world.check(&transaction), expected, "{actions:?}");
        let receipt = ledger.world.run(transaction);
        let refusal = expected.err().unwrap_or(Refusal::OutOfGas);
        assert_eq!(receipt.code, refusal.number(), "{actions:?}");
    }
    // One that was not run says nothing about those that are looked at after it.
    let now = Context {
        ledger: ledger.world.ledger,
        height: ledger.world.height,
        time_ms: ledger.world.time_ms() + 1000,
        parameters: &ledger.world.parameters.clone(),
    };
    let mut world = ledger.world;
    let [call, bad] = [vec![execute(loops)], vec![execute(frozen)]];
    let [call, bad] = [world.signed(&[a], call), world.signed(&[a], bad)];
    let mut checker = crate::Checker::new(&world.state, &now);
    for _ in 0..2 {
        assert_eq!(checker.check(&call), Ok(()));
        assert_eq!(checker.check(&bad), Err(Refusal::ContractFrozen));
    }
}
