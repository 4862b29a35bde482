//! Clauses 10.2 to 10.4: contracts, and services that are contracts.

use althing_client::{
    Error, Events,
    model::{Contract, Event, Outcome, query},
};
use althing_ledger::contract::CALL_PURPOSE;
use althing_proof::bundle::verify;
use althing_types::{
    Access, AccessMode, AccessPolicy, AccessRequest, Action, CodeId, CodeMeta, ContractId, Did,
    EntityId, GrantId, Record, Resource, Right, StreamId, Terms, ThingId, TxId,
    limits::CODE_PART_BYTES_MAX,
};
use anyhow::{Context as _, bail, ensure};
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::{
    access::{applied, await_event, patiently, settle, submit},
    procedure::{Procedure, Recorder, Step, Stopped},
    topology::Topology,
};
use crate::{
    output::short,
    session::{Explain as _, Session},
};

/// Deployment and execution of smart contracts.
pub(super) const CONTRACTS: Procedure = Procedure {
    clause: "10.2",
    title: "Deployment and execution of smart contracts on BoT",
    steps: &[
        Step { id: "REQ-10.2-1", title: "Service A asks peer A to deploy a contract" },
        Step { id: "REQ-10.2-2", title: "Peer A validates it; who takes part is set" },
        Step { id: "REQ-10.2-3", title: "Agreement, and what becomes of one that is declined" },
        Step { id: "REQ-10.2-4/5", title: "The peers store the contract" },
        Step { id: "REQ-10.2-6", title: "Peer A answers service A, with a proof" },
        Step { id: "REQ-10.2-disc", title: "Others find the contract at every peer" },
        Step { id: "REQ-10.2-7", title: "dApp C asks peer C to run it" },
        Step { id: "REQ-10.2-8", title: "Agreement on the request" },
        Step { id: "REQ-10.2-9", title: "The contract runs, with equal results" },
        Step { id: "REQ-10.2-10", title: "Peers notify dApp C and service A" },
    ],
    with_tokens: false,
    run: run_contracts,
};

/// Deployment of services.
pub(super) const SERVICES: Procedure = Procedure {
    clause: "10.3",
    title: "Deployment of IoT services on BoT",
    steps: &[
        Step { id: "REQ-10.3-1..6", title: "Service A deploys the contract that it is" },
        Step { id: "REQ-10.3-7", title: "Peers A and C tell service A and dApp C of it" },
    ],
    with_tokens: false,
    run: run_services,
};

/// Access to services on the ledger.
pub(super) const ACCESS: Procedure = Procedure {
    clause: "10.4",
    title: "Access to IoT services as performed on BoT",
    steps: &[
        Step { id: "REQ-10.4-1", title: "dApp C asks peer C for access to the service" },
        Step { id: "REQ-10.4-2", title: "Agreement on the request" },
        Step { id: "REQ-10.4-3", title: "Service A is asked: it denies, is silent, allows" },
        Step { id: "REQ-10.4-4", title: "The service's contract runs, with equal results" },
        Step { id: "REQ-10.4-5", title: "Peer C gives dApp C the result, with a proof" },
        Step { id: "REQ-10.4-6..8", title: "Device C writes a record; both are notified" },
    ],
    with_tokens: false,
    run: run_access,
};

/// The contract that watches a property, as `contracts/guard` builds it.
const GUARD: &[u8] = include_bytes!("../../../../../contracts/artifacts/guard.wasm");
/// The contract that bills meters, as `contracts/metering` builds it.
const METERING: &[u8] = include_bytes!("../../../../../contracts/artifacts/metering.wasm");
/// Gas of every call here.
pub(super) const GAS: u64 = 100_000_000;
/// Organisations that decide whether the contract begins.
const PARTICIPANTS: [&str; 3] = ["A", "C", "D"];
/// How many of them must accept it.
const THRESHOLD: u8 = 2;
/// Blocks that service A has to answer in the branch in which it does not.
const PATIENCE_BLOCKS: u32 = 2;

fn run_contracts<'a>(
    topology: &'a mut Topology,
    recorder: &'a mut Recorder,
) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let asked = recorder.step("REQ-10.2-1", ask(topology)).await?;
        recorder.step("REQ-10.2-2", validated(topology, &asked)).await?;
        let agreed = recorder.step("REQ-10.2-3", agree(topology, &asked)).await?;
        recorder.step("REQ-10.2-4/5", stored(topology, &asked, &agreed)).await?;
        recorder.step("REQ-10.2-6", answered(topology, &asked)).await?;
        recorder.step("REQ-10.2-disc", found(topology, &asked)).await?;
        let (told, run) = recorder.step("REQ-10.2-7", call(topology, &asked)).await?;
        recorder.step("REQ-10.2-8", votes(topology, &run)).await?;
        recorder.step("REQ-10.2-9", equal(topology, &asked, &run)).await?;
        recorder.step("REQ-10.2-10", notified(told, asked.contract)).await
    })
}

/// A contract that service A has asked for.
struct Asked {
    code: CodeId,
    contract: ContractId,
    name: &'static str,
    interface: &'static str,
}

/// The meter of dApp C, with a reading.
pub(super) async fn meter(topology: &Topology, reading: i64) -> anyhow::Result<(ThingId, Outcome)> {
    let owner = topology.session("dApp C").await?;
    let thing = ThingId::derive(&owner.entity(), "meter-C");
    let description = json!({
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": "Meter of entity C",
        "securityDefinitions": { "none": { "scheme": "nosec" } },
        "security": "none",
        "properties": {
            "energy": { "type": "integer", "readOnly": true, "forms": [{ "href": "mqtt://gateway/e" }] },
        },
    });
    let description = description.to_string().into_bytes();
    owner.perform(vec![Action::RegisterThing { name: "meter-C".into(), description }]).await?;
    // A description counts for payloads from the next result on.
    settle(topology).await?;
    let stream = StreamId::derive(&thing, "energy");
    // Readings count up from 0, so the last is the one wanted.
    let count = u32::try_from(reading + 1)?;
    let outcome = submit(&owner, stream, 0, count).await?;
    Ok((thing, outcome))
}

pub(super) fn did(topology: &Topology, id: [u8; 32]) -> String {
    Did::entity(topology.network(), &EntityId(id)).to_string()
}

/// Stores a module in the name of service A; gives its id and the block.
pub(super) async fn store(
    session: &Session,
    name: &str,
    interface: &str,
    module: &[u8],
) -> anyhow::Result<(CodeId, u64)> {
    let code = CodeId::of(module);
    for (part, bytes) in (0..).zip(module.chunks(CODE_PART_BYTES_MAX)) {
        session.perform(vec![Action::UploadCode { code, part, bytes: bytes.to_vec() }]).await?;
    }
    let parts = u16::try_from(module.len().div_ceil(CODE_PART_BYTES_MAX))?;
    let meta = CodeMeta {
        name: name.to_owned(),
        source: format!("contracts/{name} of Althing"),
        interfaces: vec![interface.to_owned()],
    };
    let outcome = session.perform(vec![Action::StoreCode { code, parts, meta }]).await?;
    Ok((code, outcome.height))
}

/// Step 1. Service A stores the code, and asks for a contract of it that three organisations decide on.
async fn ask(topology: &Topology) -> anyhow::Result<(Asked, String)> {
    let (thing, _) = meter(topology, 20).await?;
    let session = topology.session("service A").await?;
    let (code, height) = store(&session, "guard", "guard", GUARD).await?;
    let outcome = session.perform(vec![propose(topology, code, "guard", thing).await?]).await?;
    let contract = ContractId::derive(&session.entity(), "guard");
    let asked = Asked { code, contract, name: "guard", interface: "guard" };
    let evidence = format!(
        "{} bytes of code {} are final in block {height}\nrequest {} for contract {} in block {}",
        GUARD.len(),
        short(&code.to_string()),
        short(&outcome.receipt.transaction.to_string()),
        short(&contract.to_string()),
        outcome.height
    );
    Ok((asked, evidence))
}

async fn propose(
    topology: &Topology,
    code: CodeId,
    name: &str,
    thing: ThingId,
) -> anyhow::Result<Action> {
    let mut participants = Vec::new();
    for letter in PARTICIPANTS {
        participants.push(topology.organisation(letter).await?.entity());
    }
    participants.sort();
    let service = topology.entity("service A")?;
    let message = json!({
        "thing": did(topology, thing.0),
        "property": "energy",
        "limit": 10,
        "notify": [did(topology, service.0)],
    });
    let terms = Terms {
        admin: Some(service),
        participants,
        threshold: THRESHOLD,
        patience_blocks: 100_000,
        callers: Vec::new(),
    };
    let message = message.to_string().into_bytes();
    Ok(Action::Instantiate {
        code,
        name: name.to_owned(),
        terms,
        message,
        gas_limit: GAS,
        funds: None,
    })
}

/// Step 2. Code that may not run does not even come to agreement; of the other it is known who decides.
async fn validated(topology: &Topology, asked: &Asked) -> anyhow::Result<((), String)> {
    let session = topology.session("service A").await?;
    let bytes = b"\0asm\x01\0\0\0".to_vec();
    let code = CodeId::of(&bytes);
    session.perform(vec![Action::UploadCode { code, part: 0, bytes }]).await?;
    let meta = CodeMeta { name: "bad".into(), source: String::new(), interfaces: Vec::new() };
    let transaction = session.account.sign(vec![Action::StoreCode { code, parts: 1, meta }]);
    let refused = session.client.finalize(&(&transaction).into(), super::access::PATIENCE).await;
    let why = match refused {
        Err(Error::Refused(problem)) => format!("{} ({})", problem.detail, problem.code),
        other => bail!("code without a memory was not refused before agreement: {other:?}"),
    };
    // What was refused there has used no nonce: the next transaction of the session takes its place.
    let contract = topology.client("A")?.contract(&asked.contract).await.explain()?;
    let proposal = contract.proposal.context("it is not proposed")?;
    let who: Vec<String> = proposal.participants.iter().map(ToString::to_string).collect();
    Ok((
        (),
        format!(
            "an empty module is refused by peer A before agreement: {why}\n{} of {} must accept it until \
             block {}",
            proposal.threshold,
            who.join(", "),
            proposal.until_height
        ),
    ))
}

/// Step 3. One contract is declined and ends; the other is accepted and begins.
async fn agree(topology: &Topology, asked: &Asked) -> anyhow::Result<(Outcome, String)> {
    let service = topology.session("service A").await?;
    let thing = ThingId::derive(&topology.entity("dApp C")?, "meter-C");
    let other = propose(topology, asked.code, "unwanted", thing).await?;
    let proposed = service.perform(vec![other]).await?;
    let unwanted = ContractId::derive(&service.entity(), "unwanted");
    let mut dropped = None;
    for letter in ["C", "D"] {
        let organisation = topology.organisation(letter).await?;
        organisation.client.read_from(proposed.height);
        let decline = Action::DeclineContract { contract: unwanted };
        let outcome = organisation.perform(vec![decline]).await?;
        dropped = outcome.receipt.events.into_iter().find_map(|event| match event {
            Event::ContractDropped { code, .. } => Some((code, outcome.height)),
            _ => None,
        });
    }
    let (reason, height) = dropped.context("it was declined by two of three and goes on")?;
    service.client.read_from(height);
    let gone = service.client.contract(&unwanted).await;
    ensure!(gone.is_err(), "what was declined is still there");
    let mut last = None;
    for letter in ["A", "C"] {
        let organisation = topology.organisation(letter).await?;
        organisation.client.read_from(proposed.height);
        let accept = Action::AcceptContract { contract: asked.contract };
        last = Some(organisation.perform(vec![accept]).await?);
    }
    let outcome = last.context("nobody accepted it")?;
    let begun = |event: &Event| matches!(event, Event::ContractInstantiated { .. });
    ensure!(outcome.receipt.events.iter().any(begun), "it did not begin");
    let evidence = format!(
        "C and D decline another one: it ends in block {height} ({reason})\nA and C accept this one: it \
         begins in block {}",
        outcome.height
    );
    Ok((outcome, evidence))
}

/// Steps 4 and 5. Every peer holds the module, and the same contract.
async fn stored(
    topology: &Topology,
    asked: &Asked,
    agreed: &Outcome,
) -> anyhow::Result<((), String)> {
    let mut same: Option<Contract> = None;
    let mut letters = Vec::new();
    for (letter, client) in topology.peers() {
        client.read_from(agreed.height);
        let module = client.module(&asked.code).await.explain()?;
        ensure!(CodeId::of(&module) == asked.code, "peer {letter} holds another module");
        let contract = client.contract(&asked.contract).await.explain()?;
        ensure!(contract.status == "active", "at peer {letter} it is {}", contract.status);
        ensure!(same.as_ref().is_none_or(|same| *same == contract), "peer {letter} differs");
        same = Some(contract);
        letters.push(letter);
    }
    Ok(((), format!("peers {} hold the module and the contract", letters.join(", "))))
}

/// Step 6. The answer is the contract's record, proven.
async fn answered(topology: &Topology, asked: &Asked) -> anyhow::Result<((), String)> {
    let client = topology.client("A")?;
    let key = althing_ledger::key::contract(&asked.contract);
    let bundle = patiently(|| client.prove_state(&key)).await?;
    let verified = verify(&bundle, &topology.cluster.founded.genesis)
        .map_err(|failure| anyhow::anyhow!("step {}: {}", failure.step, failure.why))?;
    Ok((
        (),
        format!(
            "address {}\nits record is proven at block {} ({} bytes, signed by {} of {})",
            did(topology, asked.contract.0),
            verified.block.height,
            bundle.len(),
            verified.block.signed.len(),
            verified.block.validators
        ),
    ))
}

/// Step disc. By name and by interface.
async fn found(topology: &Topology, asked: &Asked) -> anyhow::Result<((), String)> {
    let by = [
        query::Contracts { name: Some(asked.name.into()), ..<_>::default() },
        query::Contracts { interface: Some(asked.interface.into()), ..<_>::default() },
    ];
    let mut count = 0;
    for (letter, client) in topology.peers() {
        for query in &by {
            let page = client.contracts(query).await.explain()?;
            let there = page.items.iter().any(|one| one.hex.0 == asked.contract);
            ensure!(there, "peer {letter} does not find it");
        }
        count += 1;
    }
    Ok(((), format!("all {count} peers find it by its name and by its interface")))
}

/// What entities are told of a contract.
pub(super) type Told = Vec<(&'static str, Events)>;

async fn listen(topology: &Topology, contract: ContractId) -> anyhow::Result<Told> {
    let mut told = Vec::new();
    for (who, letter) in [("dApp C", "C"), ("service A", "A")] {
        let query = query::Events { entity: Some(contract.actor().into()), ..<_>::default() };
        told.push((who, topology.client(letter)?.events(&query).await.explain()?));
    }
    Ok(told)
}

/// Step 7. dApp C runs it.
async fn call(topology: &Topology, asked: &Asked) -> anyhow::Result<((Told, Outcome), String)> {
    let told = listen(topology, asked.contract).await?;
    let session = topology.session("dApp C").await?;
    let (contract, message) = (asked.contract, br#"{"check":{}}"#.to_vec());
    let execute = Action::Execute { contract, message, gas_limit: GAS, funds: None };
    let outcome = session.perform(vec![execute]).await?;
    let evidence = format!("request {}", outcome.receipt.transaction);
    Ok(((told, outcome), evidence))
}

/// Step 8. Who signed the block of a transaction.
pub(super) async fn votes(topology: &Topology, outcome: &Outcome) -> anyhow::Result<((), String)> {
    let id = outcome.receipt.transaction.0;
    let client = topology.client("C")?;
    let bundle = patiently(|| client.prove_receipt(&id)).await?;
    let verified = verify(&bundle, &topology.cluster.founded.genesis)
        .map_err(|failure| anyhow::anyhow!("step {}: {}", failure.step, failure.why))?;
    Ok((
        (),
        format!(
            "block {}: {} of {} peers voted for it; the receipt holds offline ({} bytes)",
            outcome.height,
            verified.block.signed.len(),
            verified.block.validators,
            bundle.len()
        ),
    ))
}

/// Step 9. What it did, and that all peers agree on it.
async fn equal(topology: &Topology, asked: &Asked, run: &Outcome) -> anyhow::Result<((), String)> {
    let answer = same_answer(topology, asked.contract, r#"{"state":{}}"#, run.height).await?;
    ensure!(answer["alarm"] == json!(true), "it did not raise the alarm: {answer}");
    let gas = gas_of(run)?;
    let recorded = run.receipt.events.iter().any(|event| event.name() == "recorded");
    ensure!(recorded, "it wrote no record");
    Ok(((), format!("it used {gas} gas and wrote an alarm; every peer answers\n{answer}")))
}

fn gas_of(run: &Outcome) -> anyhow::Result<u64> {
    let gas = run.receipt.events.iter().find_map(|event| match event {
        Event::ContractCalled { gas_used, .. } => Some(*gas_used),
        _ => None,
    });
    gas.context("no contract ran")
}

/// What a contract answers, which must be the same at every peer.
async fn same_answer(
    topology: &Topology,
    contract: ContractId,
    message: &str,
    height: u64,
) -> anyhow::Result<Value> {
    let mut same: Option<Value> = None;
    for (letter, client) in topology.peers() {
        client.read_from(height);
        let answer = client.ask_contract(&contract, message).await.explain()?;
        let answer = serde_json::from_str(answer.answer.as_deref().unwrap_or_default())?;
        ensure!(same.as_ref().is_none_or(|same| *same == answer), "peer {letter} says {answer}");
        same = Some(answer);
    }
    same.context("there is no peer")
}

/// Step 10. Both hear that it ran.
async fn notified(told: Told, contract: ContractId) -> anyhow::Result<((), String)> {
    let called = |event: &Event| match event {
        Event::ContractCalled { contract: id, .. } => id.entity_id().0 == contract.0,
        _ => false,
    };
    Ok(((), heard(told, called).await?))
}

fn run_services<'a>(
    topology: &'a mut Topology,
    recorder: &'a mut Recorder,
) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let (told, contract) = recorder.step("REQ-10.3-1..6", deploy(topology)).await?;
        recorder.step("REQ-10.3-7", announced(topology, told, contract)).await
    })
}

/// Deploys the metering service as its contract.
pub(super) async fn metering(topology: &Topology) -> anyhow::Result<(ContractId, Outcome, u64)> {
    let session = topology.session("service A").await?;
    let (code, height) = store(&session, "metering", "metering", METERING).await?;
    let message = json!({ "property": "energy", "price": 30, "currency": "cent" });
    let terms = Terms { admin: Some(session.entity()), ..Terms::default() };
    let message = message.to_string().into_bytes();
    let instantiate = Action::Instantiate {
        code,
        name: "metering".into(),
        terms,
        message,
        gas_limit: GAS,
        funds: None,
    };
    let outcome = session.perform(vec![instantiate]).await?;
    Ok((ContractId::derive(&session.entity(), "metering"), outcome, height))
}

/// 10.3 steps 1 to 6. As in 10.2, here without a vote of others.
async fn deploy(topology: &Topology) -> anyhow::Result<((Told, ContractId), String)> {
    let id = ContractId::derive(&topology.entity("service A")?, "metering");
    let told = listen(topology, id).await?;
    let (contract, outcome, height) = metering(topology).await?;
    let answer = same_answer(topology, contract, r#"{"tariff":{}}"#, outcome.height).await?;
    let evidence = format!(
        "code in block {height}, service in block {}: {}\nevery peer tells its terms: {answer}",
        outcome.height,
        did(topology, contract.0)
    );
    Ok(((told, contract), evidence))
}

/// 10.3 step 7. The event, and what the service understands.
async fn announced(
    topology: &Topology,
    told: Told,
    contract: ContractId,
) -> anyhow::Result<((), String)> {
    let begun = |event: &Event| matches!(event, Event::ContractInstantiated { .. });
    let heard = heard(told, begun).await?;
    let found = query::Contracts { interface: Some("metering".into()), ..<_>::default() };
    let page = topology.client("C")?.contracts(&found).await.explain()?;
    let service = page.items.iter().find(|one| one.hex.0 == contract);
    let service = service.context("dApp C does not find it by its interface")?;
    Ok((
        (),
        format!(
            "{}\ndApp C finds it by its interface: {} of {}",
            heard, service.name, service.creator
        ),
    ))
}

fn run_access<'a>(
    topology: &'a mut Topology,
    recorder: &'a mut Recorder,
) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let request = recorder.step("REQ-10.4-1", want(topology)).await?;
        recorder.step("REQ-10.4-2", votes(topology, &request.outcome)).await?;
        recorder.step("REQ-10.4-3", validate(topology, &request)).await?;
        let run = recorder.step("REQ-10.4-4", bill(topology, &request)).await?;
        recorder.step("REQ-10.4-5", result(topology, &run)).await?;
        recorder.step("REQ-10.4-6..8", write_down(topology, &run)).await
    })
}

/// A request for access to the service.
struct Request {
    contract: ContractId,
    thing: ThingId,
    id: GrantId,
    outcome: Outcome,
}

fn wanted(contract: ContractId) -> Action {
    Action::RequestAccess(AccessRequest {
        resource: Resource::Contract(contract.0),
        right: Right::Call,
        purpose: CALL_PURPOSE.to_owned(),
        count_max: 1,
        until_height: u64::MAX,
    })
}

/// 10.4 step 1. Service A lets its contract be called by grant only, and wants to be asked; dApp C asks.
async fn want(topology: &Topology) -> anyhow::Result<(Request, String)> {
    let (thing, _) = meter(topology, 20).await?;
    let (contract, _, _) = metering(topology).await?;
    let service = topology.session("service A").await?;
    let policy = policy(contract, service.entity(), PATIENCE_BLOCKS);
    let set = service.perform(vec![Action::SetAccessPolicy(policy)]).await?;
    let session = topology.session("dApp C").await?;
    session.client.read_from(set.height);
    let refused = session.perform(vec![execute(topology, contract, thing)]).await;
    let why = refused.err().context("it is called without a grant")?;
    let outcome = session.perform(vec![wanted(contract)]).await?;
    let access = Access {
        owner: service.entity(),
        grantee: session.entity(),
        resource: Resource::Contract(contract.0),
        right: Right::Call,
        purpose: CALL_PURPOSE.to_owned(),
    };
    let evidence = format!(
        "without a grant: {why:#}\nrequest {} for {}",
        short(&outcome.receipt.transaction.to_string()),
        did(topology, contract.0)
    );
    Ok((Request { contract, thing, id: access.id(), outcome }, evidence))
}

fn policy(contract: ContractId, asked: EntityId, patience_blocks: u32) -> AccessPolicy {
    AccessPolicy {
        resource: Resource::Contract(contract.0),
        mode: AccessMode::Grant,
        text: r#"permit (principal, action == Action::"call", resource);"#.to_owned(),
        ask: Some(asked),
        patience_blocks,
        grant_blocks_max: 100_000,
    }
}

fn execute(topology: &Topology, contract: ContractId, thing: ThingId) -> Action {
    let message = json!({ "bill": { "thing": did(topology, thing.0) } });
    let message = message.to_string().into_bytes();
    Action::Execute { contract, message, gas_limit: GAS, funds: None }
}

/// 10.4 step 3. Service A does not answer in time, then denies, then allows.
async fn validate(topology: &Topology, request: &Request) -> anyhow::Result<((), String)> {
    let service = topology.session("service A").await?;
    let client = topology.session("dApp C").await?;
    let mut said = Vec::new();
    // The first request waits for an answer that does not come.
    settle(topology).await?;
    settle(topology).await?;
    let answer = |allow| Action::AnswerAccess { request: request.id, allow };
    let late = service.perform(vec![answer(true)]).await;
    said.push(format!("too late: {:#}", late.err().context("an answer counts after its time")?));
    let patient = policy(request.contract, service.entity(), 10_000);
    let set = service.perform(vec![Action::SetAccessPolicy(patient)]).await?;
    client.client.read_from(set.height);
    for allow in [false, true] {
        let asked = client.perform(vec![wanted(request.contract)]).await?;
        service.client.read_from(asked.height);
        let outcome = service.perform(vec![answer(allow)]).await?;
        client.client.read_from(outcome.height);
        if allow {
            said.push(format!("allowed in block {}", outcome.height));
        } else {
            let call = execute(topology, request.contract, request.thing);
            let why = client.perform(vec![call]).await.err().context("what was denied runs")?;
            said.push(format!("denied in block {}: {why:#}", outcome.height));
        }
    }
    Ok(((), said.join("\n")))
}

/// 10.4 step 4. The contract runs on all peers.
async fn bill(topology: &Topology, request: &Request) -> anyhow::Result<(Outcome, String)> {
    let client = topology.session("dApp C").await?;
    let call = execute(topology, request.contract, request.thing);
    let outcome = applied(client.perform(vec![call.clone()]).await?)?;
    let question = json!({ "account": { "thing": did(topology, request.thing.0) } });
    let answer =
        same_answer(topology, request.contract, &question.to_string(), outcome.height).await?;
    ensure!(answer["owed"] == json!("600"), "20 units at 30 are not {answer}");
    let again =
        client.perform(vec![call]).await.err().context("a grant for one call is used twice")?;
    let evidence = format!(
        "{} gas in block {}; every peer answers {answer}\na second call: {again:#}",
        gas_of(&outcome)?,
        outcome.height
    );
    Ok((outcome, evidence))
}

/// 10.4 step 5. The receipt with what the contract said, proven.
async fn result(topology: &Topology, run: &Outcome) -> anyhow::Result<((), String)> {
    let said = run.receipt.events.iter().find_map(|event| match event {
        Event::ContractEmitted { attributes, .. } => Some(attributes),
        _ => None,
    });
    let said: Vec<String> = said
        .context("the contract said nothing")?
        .iter()
        .map(|attribute| format!("{} {}", attribute.key, attribute.value))
        .collect();
    let ((), votes) = votes(topology, run).await?;
    Ok(((), format!("{}\n{votes}", said.join(", "))))
}

/// Subscriptions of dApp C and service A, in this order, to records that notify them.
pub(super) async fn listen_for_records(
    topology: &Topology,
    notified: &[EntityId],
) -> anyhow::Result<Told> {
    let mut told = Vec::new();
    for ((who, letter), id) in [("dApp C", "C"), ("service A", "A")].into_iter().zip(notified) {
        let query = query::Events {
            entity: Some((*id).into()),
            kind: Some("recorded".to_owned()),
            ..<_>::default()
        };
        told.push((who, topology.client(letter)?.events(&query).await.explain()?));
    }
    Ok(told)
}

/// How each heard of the record that belongs to a transaction.
pub(super) async fn heard_of_record(told: Told, link: TxId) -> anyhow::Result<String> {
    let linked = |event: &Event| match event {
        Event::Recorded { link: Some(of), .. } => of.0 == link,
        _ => false,
    };
    heard(told, linked).await
}

pub(super) async fn heard(told: Told, wanted: impl Fn(&Event) -> bool) -> anyhow::Result<String> {
    let mut heard = Vec::new();
    for (who, mut events) in told {
        let record = await_event(&mut events, &wanted).await?;
        heard.push(format!("{who} by event {}", record.cursor));
    }
    Ok(heard.join(" and "))
}

/// 10.4 steps 6 to 8. A record that belongs to the call, and who hears of it.
async fn write_down(topology: &Topology, run: &Outcome) -> anyhow::Result<((), String)> {
    let notify = vec![topology.entity("dApp C")?, topology.entity("service A")?];
    let told = listen_for_records(topology, &notify).await?;
    let device = topology.session("device C").await?;
    device.client.read_from(run.height);
    let link = run.receipt.transaction.0;
    let record = Record { kind: "service-used".into(), data: Vec::new(), notify, link: Some(link) };
    let outcome = device.perform(vec![Action::Record(record)]).await?;
    let heard = heard_of_record(told, link).await?;
    Ok((
        (),
        format!(
            "record {} in block {} belongs to the call {}\n{}",
            short(&outcome.receipt.transaction.to_string()),
            outcome.height,
            short(&link.to_string()),
            heard
        ),
    ))
}
