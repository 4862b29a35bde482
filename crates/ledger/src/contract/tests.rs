//! Contracts by hand on a small ledger.

mod bank;
mod deeds;
mod everywhere;
mod hostile;
mod modes;
mod others;
mod ready;

use althing_types::{
    Access, AccessMode, AccessPolicy, AccessRequest, Action, CodeId, CodeMeta, ContractId, Did,
    EntityId, EntityKind, Event, Receipt, Refusal, Resource, Right, Terms,
};

use super::{ContractRecord, Status, ask, try_out};
use crate::{
    Context, key,
    testing::{State, World},
};

const BASE: &str = include_str!("../../../../testdata/contracts/base.wat");
const GAS: u64 = 20_000_000;

/// A module with some places of the base replaced.
fn module(places: &[(&str, &str)]) -> Vec<u8> {
    let mut text = BASE.to_owned();
    for (place, code) in places {
        text = text.replace(&format!("(;{place};)"), code);
    }
    wat::parse_str(&text).unwrap()
}

/// A text in the contract's memory, whose region is at 64.
fn saying(json: &str) -> String {
    // Strings of the text form of modules end with the line.
    let json: String = json.lines().map(str::trim_start).collect();
    let bytes = json.len() as u32;
    let word = |n: u32| n.to_le_bytes().map(|byte| format!("\\{byte:02x}")).concat();
    format!(
        "(data (i32.const 4096) \"{}\") (data (i32.const 64) \"{}{}{}\")",
        json.replace('\\', "\\5c").replace('"', "\\22"),
        word(4096),
        word(bytes),
        word(bytes)
    )
}

const WRITES: &str = "(call $db_write (i32.const 32) (i32.const 48))";
const SAYS: &str = "(return (i32.const 64))";

struct Ledger {
    world: World,
    a: EntityId,
    b: EntityId,
}

impl Ledger {
    fn new() -> Self {
        Self::of(World::new())
    }

    fn of(world: World) -> Self {
        let (a, b) = (world.a, world.b);
        Self { world, a, b }
    }

    fn store(&mut self, module: &[u8]) -> Result<CodeId, Refusal> {
        let code = CodeId::of(module);
        let parts = module.chunks(65_536);
        let count = parts.len() as u16;
        for (part, bytes) in (0..).zip(parts) {
            let bytes = bytes.to_vec();
            self.world.act(self.a, Action::UploadCode { code, part, bytes })?;
        }
        self.world.act(self.a, store(code, count)).map(|_| code)
    }

    /// Stores a module and makes a contract of organisation A from it.
    fn made(&mut self, name: &str, places: &[(&str, &str)]) -> ContractId {
        let code = self.store(&module(places)).unwrap_or_else(|refusal| {
            assert_eq!(refusal, Refusal::AlreadyExists);
            CodeId::of(&module(places))
        });
        self.world.must(self.a, instantiate(code, name, terms(self.a)));
        ContractId::derive(&self.a, name)
    }

    fn call(&mut self, id: ContractId) -> Result<Receipt, Refusal> {
        self.world.act(self.a, execute(id))
    }

    fn written(&self, id: &ContractId) -> bool {
        self.world.state.contains_key(&key::storage(id, b"key"))
    }

    fn status(&self, id: &ContractId) -> Option<Status> {
        let record = self.world.state.get(&key::contract(id))?;
        Some(minicbor::decode::<ContractRecord>(record).unwrap().status)
    }

    /// All but nonces, which every transaction uses.
    fn contracts_state(&self) -> State {
        let state = self.world.state.iter();
        state
            .filter(|(key, _)| !key.starts_with(b"n/"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

fn store(code: CodeId, parts: u16) -> Action {
    let meta =
        CodeMeta { name: "code".into(), source: String::new(), interfaces: vec!["x".into()] };
    Action::StoreCode { code, parts, meta }
}

fn terms(admin: EntityId) -> Terms {
    Terms { admin: Some(admin), ..Terms::default() }
}

fn instantiate(code: CodeId, name: &str, terms: Terms) -> Action {
    let (name, message) = (name.to_owned(), b"{}".to_vec());
    Action::Instantiate { code, name, terms, message, gas_limit: GAS, funds: None }
}

fn execute(contract: ContractId) -> Action {
    Action::Execute { contract, message: b"{}".to_vec(), gas_limit: GAS, funds: None }
}

fn address(id: &ContractId) -> String {
    Did::entity("test", &id.actor()).to_string()
}

/// A response with one message, base64 of `{}` to another contract.
fn calling(id: &ContractId, reply_on: &str) -> String {
    let to = address(id);
    format!(
        r#"{{"ok":{{"messages":[{{"id":1,"msg":{{"wasm":{{"execute":{{"contract_addr":"{to}",
        "msg":"e30=","funds":[]}}}}}},"gas_limit":null,"reply_on":"{reply_on}"}}],
        "attributes":[{{"key":"k","value":"v"}}],"events":[],"data":null}}}}"#
    )
}

#[test]
fn a_contract_lives_from_its_code_to_its_end() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.a, ledger.b);
    let bytes = module(&[("execute", WRITES)]);
    let code = CodeId::of(&bytes);
    assert_eq!(ledger.world.act(a, store(code, 1)), Err(Refusal::CodePartsMissing));
    let wrong = Action::UploadCode { code, part: 0, bytes: b"\0asm".to_vec() };
    ledger.world.must(a, wrong);
    assert_eq!(ledger.world.act(a, store(code, 1)), Err(Refusal::CodeMismatch));
    assert_eq!(ledger.store(&bytes), Ok(code));
    assert_eq!(ledger.store(&bytes), Err(Refusal::AlreadyExists));
    let id = ContractId::derive(&a, "c");
    assert_eq!(ledger.call(id), Err(Refusal::UnknownContract));
    ledger.world.must(a, instantiate(code, "c", terms(a)));
    let again = ledger.world.act(a, instantiate(code, "c", terms(a)));
    assert_eq!(again, Err(Refusal::AlreadyExists));
    let receipt = ledger.call(id).unwrap();
    assert!(ledger.written(&id));
    assert!(matches!(receipt.events[..], [Event::ContractCalled { entry: 1, gas_used: 1.., .. }]));
    let code_in_use = ledger.world.act(a, Action::RemoveCode { code });
    assert_eq!(code_in_use, Err(Refusal::CodeInUse));

    let freeze = Action::FreezeContract { contract: id };
    assert_eq!(ledger.world.act(b, freeze.clone()), Err(Refusal::NotPermitted));
    ledger.world.must(a, freeze);
    assert_eq!(ledger.call(id), Err(Refusal::ContractFrozen));
    ledger.world.must(a, Action::ThawContract { contract: id });
    assert!(ledger.call(id).is_ok());
    ledger.world.must(a, Action::SetAdmin { contract: id, admin: Some(b) });
    let terminate = Action::TerminateContract { contract: id };
    assert_eq!(ledger.world.act(a, terminate.clone()), Err(Refusal::NotPermitted));
    ledger.world.must(b, terminate);
    assert_eq!(ledger.call(id), Err(Refusal::ContractEnded));
    assert!(ledger.written(&id), "what it stored stays readable");
    let foreign = ledger.world.act(b, Action::RemoveCode { code });
    assert_eq!(foreign, Err(Refusal::NotPermitted));
    ledger.world.must(a, Action::RemoveCode { code });
    assert!(!ledger.world.state.keys().any(|key| key.starts_with(b"y/p/")));
    assert_eq!(ledger.store(&bytes), Ok(code), "its quota is free again");
}

#[test]
fn code_that_may_not_run_is_refused() {
    let mut ledger = Ledger::new();
    let clock = BASE.replace("\"db_next_key\"", "\"clock\"");
    for bad in [b"no module".to_vec(), wat::parse_str(clock).unwrap()] {
        assert_eq!(ledger.store(&bad), Err(Refusal::BadCode));
    }
}

#[test]
fn participants_decide_whether_a_contract_begins() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.a, ledger.b);
    let code = ledger.store(&module(&[("instantiate", WRITES)])).unwrap();
    let mut participants = vec![a, b];
    participants.sort();
    let terms =
        Terms { admin: Some(a), participants, threshold: 2, patience_blocks: 5, callers: vec![] };
    let propose = |ledger: &mut Ledger, name: &str| {
        ledger.world.must(a, instantiate(code, name, terms.clone()));
        ContractId::derive(&a, name)
    };
    let accept = |contract| Action::AcceptContract { contract };
    let decline = |contract| Action::DeclineContract { contract };

    let id = propose(&mut ledger, "accepted");
    assert_eq!(ledger.status(&id), Some(Status::Proposed));
    assert_eq!(ledger.call(id), Err(Refusal::ContractProposed));
    ledger.world.must(a, accept(id));
    assert_eq!(ledger.world.act(a, accept(id)), Err(Refusal::NotAParticipant));
    assert!(!ledger.written(&id));
    ledger.world.must(b, accept(id));
    assert_eq!(ledger.status(&id), Some(Status::Active));
    assert!(ledger.written(&id));

    let id = propose(&mut ledger, "declined");
    let receipt = ledger.world.must(b, decline(id));
    let why = Refusal::ContractDeclined.number();
    assert_eq!(receipt.events, [Event::ContractDropped { contract: id, code: why }]);
    assert_eq!(ledger.status(&id), None);
    propose(&mut ledger, "declined");

    let id = propose(&mut ledger, "withdrawn");
    ledger.world.must(a, decline(id));
    assert_eq!(ledger.status(&id), None);

    let id = propose(&mut ledger, "late");
    for _ in 0..6 {
        ledger.world.block(&[]);
    }
    assert_eq!(ledger.world.act(b, accept(id)), Err(Refusal::ProposalExpired));
    // Proposed again, it begins anew.
    propose(&mut ledger, "late");
    ledger.world.must(b, accept(id));
}

/// A message that fails is undone by itself if whoever sent it wants to be told, and with all else if
/// not.
#[test]
fn a_failed_message_is_undone_alone_or_with_all() {
    for (reply_on, caught) in
        [("error", true), ("always", true), ("never", false), ("success", false)]
    {
        let mut ledger = Ledger::new();
        let fails = format!("{WRITES} unreachable");
        let other = ledger.made("other", &[("execute", &fails)]);
        let says = saying(&calling(&other, reply_on));
        let runs = format!("{WRITES} {SAYS}");
        let first = ledger.made("first", &[("data", &says), ("execute", &runs)]);
        let before = ledger.contracts_state();
        let result = ledger.call(first);
        assert!(!ledger.written(&other), "{reply_on}");
        assert_eq!(ledger.written(&first), caught, "{reply_on}");
        if caught {
            let entries = entries(&result.unwrap());
            assert_eq!(entries, [1, 3], "{reply_on}: execute and reply");
        } else {
            assert_eq!(result, Err(Refusal::ContractTrapped));
            assert_eq!(ledger.contracts_state(), before);
        }
    }
}

fn entries(receipt: &Receipt) -> Vec<u8> {
    let called = receipt.events.iter().filter_map(|event| match event {
        Event::ContractCalled { entry, .. } => Some(*entry),
        _ => None,
    });
    called.collect()
}

#[test]
fn a_message_that_succeeds_takes_effect_and_is_replied_to_if_wanted() {
    for (reply_on, expected) in [("always", vec![1, 1, 3]), ("never", vec![1, 1])] {
        let mut ledger = Ledger::new();
        let other = ledger.made("other", &[("execute", WRITES)]);
        let says = saying(&calling(&other, reply_on));
        let first = ledger.made("first", &[("data", &says), ("execute", SAYS)]);
        let receipt = ledger.call(first).unwrap();
        assert!(ledger.written(&other));
        assert_eq!(entries(&receipt), expected, "{reply_on}");
        let told = |event: &Event| matches!(event, Event::ContractEmitted { contract, .. } if *contract == first);
        assert!(receipt.events.iter().any(told));
    }
}

/// Published CosmWasm chains were brought down by contracts that call themselves through messages,
/// replies and questions.
#[test]
fn contracts_that_call_themselves_come_to_an_end() {
    let mut ledger = Ledger::new();
    let id = ContractId::derive(&ledger.a, "self");
    let says = saying(&calling(&id, "never"));
    let made = ledger.made("self", &[("data", &says), ("execute", SAYS)]);
    assert_eq!(made, id);
    assert_eq!(ledger.call(id), Err(Refusal::ContractTooDeep));

    // A reply that always sends what fails, and so is replied to again.
    let id = ContractId::derive(&ledger.a, "reply");
    let nowhere = ContractId::derive(&ledger.a, "nowhere");
    let says = saying(&calling(&nowhere, "error"));
    let places = [("data", says.as_str()), ("execute", SAYS), ("reply", SAYS)];
    assert_eq!(ledger.made("reply", &places), id);
    assert_eq!(ledger.call(id), Err(Refusal::ContractTooDeep));

    // A question that asks itself: it ends in an answer, not in a stack that ends.
    let id = ContractId::derive(&ledger.a, "question");
    let question =
        format!(r#"{{"wasm":{{"smart":{{"contract_addr":"{}","msg":"e30="}}}}}}"#, address(&id));
    let asks = "(drop (call $query_chain (i32.const 64)))";
    let says = saying(&question);
    let places = [("data", says.as_str()), ("execute", asks), ("query", asks)];
    assert_eq!(ledger.made("question", &places), id);
    assert!(ledger.call(id).is_ok());
}

#[test]
fn gas_runs_out_without_a_trace_wherever_it_does() {
    let mut ledger = Ledger::new();
    let other = ledger.made("other", &[("execute", WRITES)]);
    let says = saying(&calling(&other, "always"));
    let runs = format!("{WRITES} {SAYS}");
    let first = ledger.made("first", &[("data", &says), ("execute", &runs)]);
    let before = ledger.contracts_state();
    let limited = |gas_limit| Action::Execute {
        contract: first,
        message: b"{}".to_vec(),
        gas_limit,
        funds: None,
    };
    let mut enough = None;
    for gas_limit in (1..1_000_000).step_by(3_001) {
        match ledger.world.act(ledger.a, limited(gas_limit)) {
            Err(refusal) => {
                // Gas that runs out in a message is a failed message, to which its sender replies
                // if gas is left; here it never is, since none was held back.
                assert_eq!(refusal, Refusal::OutOfGas, "{gas_limit}");
                assert_eq!(ledger.contracts_state(), before, "{gas_limit}");
                assert!(enough.is_none(), "{gas_limit}");
            }
            Ok(_) => {
                enough = Some(gas_limit);
                break;
            }
        }
    }
    assert!(enough.is_some() && ledger.written(&first) && ledger.written(&other));
}

#[test]
fn a_block_has_so_much_gas_and_no_more() {
    let mut ledger = Ledger::new();
    let (a, max) = (ledger.a, ledger.world.parameters.contract_gas_transaction_max);
    let id = ledger.made("c", &[("execute", "(loop $again (br $again))")]);
    let of = |gas_limit| Action::Execute {
        contract: id,
        message: b"{}".to_vec(),
        gas_limit,
        funds: None,
    };
    assert_eq!(ledger.world.act(a, of(max + 1)), Err(Refusal::GasLimit));
    let count = ledger.world.parameters.contract_gas_block_max / max + 1;
    let transactions: Vec<_> =
        (0..count).map(|_| ledger.world.signed(&[a], vec![of(max)])).collect();
    let receipts = ledger.world.block(&transactions).receipts;
    let (last, others) = receipts.split_last().unwrap();
    assert!(others.iter().all(|receipt| receipt.code == Refusal::OutOfGas.number()));
    assert_eq!(last.code, Refusal::BlockGas.number());
}

#[test]
fn terms_say_who_may_call() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.a, ledger.b);
    let device = ledger.world.member(EntityKind::Device, 21);
    let code = ledger.store(&module(&[("execute", WRITES)])).unwrap();
    let only_a = Terms { callers: vec![a], ..terms(a) };
    ledger.world.must(a, instantiate(code, "c", only_a));
    let id = ContractId::derive(&a, "c");
    assert_eq!(ledger.world.act(b, execute(id)), Err(Refusal::CallerNotAllowed));
    ledger.world.must(a, execute(id));
    ledger.world.must(device, execute(id));
}

#[test]
fn a_contract_migrates_to_code_that_takes_over() {
    let mut ledger = Ledger::new();
    let a = ledger.a;
    let id = ledger.made("c", &[]);
    let next = ledger.store(&module(&[("migrate", WRITES)])).unwrap();
    let without =
        ledger.store(&wat::parse_str(BASE.replace("(export \"migrate\")", "")).unwrap()).unwrap();
    let migrate =
        |code| Action::Migrate { contract: id, code, message: b"{}".to_vec(), gas_limit: GAS };
    assert_eq!(ledger.world.act(ledger.b, migrate(next)), Err(Refusal::NotPermitted));
    assert_eq!(ledger.world.act(a, migrate(without)), Err(Refusal::NoSuchEntry));
    assert_eq!(ledger.world.act(a, migrate(CodeId([9; 32]))), Err(Refusal::UnknownCode));
    ledger.world.must(a, migrate(next));
    assert!(ledger.written(&id));
    ledger.world.must(a, Action::RemoveCode { code: without });
}

#[test]
fn what_a_contract_answers_is_held_to_the_form() {
    let long = "x".repeat(257);
    for (answer, expected) in [
        ("{}", Refusal::ContractAnswer),
        ("[]", Refusal::ContractAnswer),
        (r#"{"error":"no"}"#, Refusal::ContractRefused),
        (
            r#"{"ok":{"messages":[{"id":1,"msg":{"bank":{}},"reply_on":"never"}]}}"#,
            Refusal::MessageUnsupported,
        ),
        (
            r#"{"ok":{"messages":[{"id":1,"msg":{"custom":{"mint":{}}},"reply_on":"never"}]}}"#,
            Refusal::MessageUnsupported,
        ),
        (
            &format!(r#"{{"ok":{{"attributes":[{{"key":"{long}","value":""}}]}}}}"#),
            Refusal::ContractAnswer,
        ),
    ] {
        let mut ledger = Ledger::new();
        let says = saying(answer);
        let id = ledger.made("c", &[("data", &says), ("execute", SAYS)]);
        assert_eq!(ledger.call(id), Err(expected), "{answer}");
    }
}

#[test]
fn a_contract_writes_records_in_its_own_name() {
    let mut ledger = Ledger::new();
    let to = Did::entity("test", &ledger.b).to_string();
    let says = saying(&format!(
        r#"{{"ok":{{"messages":[{{"id":1,"msg":{{"custom":{{"record":{{"kind":"alarm","data":"OQ==",
        "notify":["{to}"],"link":null}}}}}},"reply_on":"never"}}]}}}}"#
    ));
    let id = ledger.made("c", &[("data", &says), ("execute", SAYS)]);
    let receipt = ledger.call(id).unwrap();
    let recorded = Event::Recorded {
        sender: id.actor(),
        kind: "alarm".into(),
        notify: vec![ledger.b],
        link: None,
    };
    assert!(receipt.events.contains(&recorded), "{receipt:?}");
}

#[test]
fn asking_and_trying_out_change_nothing_and_say_what_the_contract_says() {
    let mut ledger = Ledger::new();
    let speaks = format!("(call $debug (i32.const 32)) {WRITES}");
    let says = saying(r#"{"ok":"NDI="}"#);
    let places = [("data", says.as_str()), ("execute", &speaks), ("query", SAYS)];
    let id = ledger.made("c", &places);
    let now = Context {
        ledger: ledger.world.ledger,
        height: ledger.world.height,
        time_ms: ledger.world.time_ms(),
        parameters: &ledger.world.parameters,
    };
    let asked = ask(&ledger.world.state, &now, &id, b"{}").unwrap();
    assert_eq!(asked.answer, Ok(b"42".to_vec()));
    let body = ledger.world.body(ledger.a, 0, vec![execute(id)]);
    let trial = try_out(&ledger.world.state, &now, &body).unwrap();
    assert_eq!(trial.refusal, None);
    assert_eq!(trial.trace, [format!("{id}: key")]);
    assert!(trial.gas_used > 0 && trial.writes.contains_key(&key::storage(&id, b"key")));
    assert!(!ledger.written(&id));
}

#[test]
fn whoever_made_a_contract_says_by_policy_who_may_call_it() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.a, ledger.b);
    let id = ledger.made("c", &[("execute", WRITES)]);
    let resource = Resource::Contract(id.0);
    let policy = |mode, ask: Option<EntityId>| AccessPolicy {
        resource: resource.clone(),
        mode,
        text: r#"permit (principal, action == Action::"call", resource);"#.into(),
        ask,
        patience_blocks: if ask.is_some() { 5 } else { 0 },
        grant_blocks_max: 100,
    };
    ledger.world.must(b, execute(id));
    let foreign = Action::SetAccessPolicy(policy(AccessMode::Grant, None));
    assert_eq!(ledger.world.act(b, foreign), Err(Refusal::NotPermitted));
    ledger.world.must(a, Action::SetAccessPolicy(policy(AccessMode::Grant, Some(a))));
    assert_eq!(ledger.world.act(b, execute(id)), Err(Refusal::NoGrant));
    ledger.world.must(a, execute(id));
    let request = AccessRequest {
        resource: resource.clone(),
        right: Right::Call,
        purpose: super::CALL_PURPOSE.into(),
        count_max: 1,
        until_height: 1000,
    };
    let access = Access {
        owner: a,
        grantee: b,
        resource,
        right: Right::Call,
        purpose: super::CALL_PURPOSE.into(),
    };
    for allow in [false, true] {
        ledger.world.must(b, Action::RequestAccess(request.clone()));
        let answer = Action::AnswerAccess { request: access.id(), allow };
        ledger.world.must(a, answer);
        let called = ledger.world.act(b, execute(id)).map(|_| ());
        assert_eq!(called, if allow { Ok(()) } else { Err(Refusal::NoGrant) });
    }
    // It was for one call.
    assert_eq!(ledger.world.act(b, execute(id)), Err(Refusal::GrantExhausted));
}

/// What is uploaded and never stored was kept for ever, and counted against nothing.
#[test]
fn parts_that_nobody_stores_are_bounded_and_expire() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.a, ledger.b);
    let part = |n: u8, part, bytes: usize| Action::UploadCode {
        code: CodeId([n; 32]),
        part,
        bytes: vec![n; bytes],
    };
    let full = 65_536;
    let members: Vec<EntityId> =
        (0..4).map(|n| ledger.world.member(EntityKind::Person, 60 + n)).collect();
    for member in &members {
        for n in 0..16 {
            ledger.world.must(*member, part(1, n, full));
        }
    }
    // Four MiB: the organisation has no more, whoever of it brings them; others do.
    assert_eq!(ledger.world.act(a, part(2, 0, 1)), Err(Refusal::CodeQuota));
    ledger.world.must(b, part(2, 0, 1));
    // A part that comes again counts once, and another module drops the first.
    ledger.world.must(members[0], part(1, 3, 10));
    ledger.world.must(a, part(2, 0, full - 10));
    assert_eq!(ledger.world.act(a, part(2, 1, 1)), Err(Refusal::CodeQuota));
    ledger.world.must(members[1], part(3, 0, 1));
    ledger.world.must(a, part(2, 1, 1));
    // After a day nothing of it counts, and whoever comes next takes some of it out.
    ledger.world.pace_ms = althing_types::limits::UPLOAD_LIFE_MS;
    let late = ledger.world.act(a, store(CodeId([2; 32]), 2));
    assert_eq!(late, Err(Refusal::CodePartsMissing));
    ledger.world.pace_ms = 1;
    let parts =
        |ledger: &Ledger| ledger.world.state.keys().filter(|key| key.starts_with(b"y/v/")).count();
    assert!(parts(&ledger) > 48);
    ledger.world.must(b, part(4, 0, 1));
    ledger.world.must(b, part(4, 1, 1));
    assert_eq!(parts(&ledger), 2);
    let counted = |id| ledger.world.state.contains_key(&key::uploads_of(id));
    assert_eq!((counted(&a), counted(&b)), (false, true));
}
