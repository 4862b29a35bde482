//! How many calls of contracts a network takes, what each costs, and what storing a module takes.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use althing_client::{Account, Submission, model::DidText};
use althing_types::{Action, CodeId, CodeMeta, ContractId, Terms, limits::CODE_PART_BYTES_MAX};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{quantile, round, round_fine};
use crate::{
    load::{Lane, drive, senders},
    network::{Network, PATIENCE, PEERS, POLL},
};

const SENDERS: usize = 128;
const COUNT: usize = 60_000;
/// Sent before, so that connections and caches are as they will be.
const WARM_UP: usize = 6_000;
/// Calls in one request.
const TOGETHER: usize = 256;
/// Calls between post and execution.
const UNDER_WAY: usize = 12_000;
/// Calls one after the other, for the time that each takes.
const ALONE: usize = 300;
/// What was gathered in memory is in its files by then.
const SETTLE: Duration = Duration::from_secs(5);
const GAS: u64 = 20_000_000;

/// A contract by hand that reads a value and writes another.
const SMALL: &str = include_str!("../../../testdata/contracts/base.wat");
const SMALL_EXECUTES: &str = "
    (drop (call $db_read (i32.const 32)))
    (call $db_write (i32.const 32) (i32.const 48))";
/// A token as others write it, in Rust: `testdata/contracts/README.md`.
const TOKEN: &[u8] = include_bytes!("../../../testdata/contracts/cw20_base.wasm");

/// Calls of a small contract: what the ledger adds to the work of a contract.
pub(crate) async fn calls(program: &Path) -> Result<Value> {
    let module = wat::parse_str(SMALL.replace("(;execute;)", SMALL_EXECUTES))?;
    measure(program, "contract_calls", &module, |_, _| json!({}), |_, _| json!({})).await
}

/// Transfers of a token.
pub(crate) async fn transfers(program: &Path) -> Result<Value> {
    let first = |network: &Network, senders: &[Account]| {
        let balance = |sender| json!({ "address": did(network, sender), "amount": "1000000000" });
        let balances: Vec<Value> = senders.iter().map(balance).collect();
        json!({ "name": "Bench", "symbol": "BENCH", "decimals": 2, "initial_balances": balances })
    };
    let transfer = |network: &Network, to: &Account| json!({ "transfer": { "recipient": did(network, to), "amount": "1" } });
    measure(program, "token_transfers", TOKEN, first, transfer).await
}

fn did(network: &Network, account: &Account) -> String {
    DidText::entity(&network.genesis.network, &account.signer().entity).to_string()
}

async fn measure(
    program: &Path,
    name: &str,
    module: &[u8],
    first: impl Fn(&Network, &[Account]) -> Value,
    message: impl Fn(&Network, &Account) -> Value,
) -> Result<Value> {
    let mut network = Network::ready(program).await?;
    let senders = senders(&network, SENDERS).await?;
    let (code, _) = store(&network, module).await?;
    let contract = begin(&network, code, &first(&network, &senders)).await?;
    let call = |to: &Account| Action::Execute {
        contract,
        message: message(&network, to).to_string().into_bytes(),
        gas_limit: GAS,
        funds: None,
    };
    drive(&network, lanes(&senders, WARM_UP, &call), UNDER_WAY).await?;
    let alone = one_by_one(&network, &senders, &call).await?;
    let lanes = lanes(&senders, COUNT, &call);
    sleep(SETTLE).await;
    let disk = network.disk()?;
    let driven = drive(&network, lanes, UNDER_WAY).await?;
    sleep(SETTLE).await;
    let lasting = network.disk()?.lasting.saturating_sub(disk.lasting);
    let memory = network.memory()?.into_iter().max().unwrap_or(0);
    network.stop()?;
    Ok(json!({
        "bench": name,
        "count": driven.count,
        "module_bytes": module.len(),
        "gas": alone.gas,
        "blocks": driven.blocks,
        "per_s": round(driven.rate()),
        "peers_cpu_ms": round_fine(driven.peers_ms()),
        "load_cpu_ms": round_fine(driven.load_ms()),
        "alone_p50_ms": round(quantile(&alone.took_ms, 0.5)),
        "alone_p99_ms": round(quantile(&alone.took_ms, 0.99)),
        "disk_bytes": round(lasting as f64 / driven.count as f64 / PEERS as f64),
        "rss_mb_max": round(memory as f64 / 1e6),
    }))
}

/// Storing a module of some 300 KB: from the post until it is final, uploaded before; and with that.
pub(crate) async fn store_code(program: &Path) -> Result<Value> {
    const ROUNDS: u8 = 5;
    let mut network = Network::ready(program).await?;
    let (mut stored, mut whole) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // A section of its own makes another module of it.
        let module = [TOKEN, &[0, 3, 1, b'n', round]].concat();
        let began = Instant::now();
        let (_, took) = store(&network, &module).await?;
        stored.push(took.as_secs_f64() * 1e3);
        whole.push(began.elapsed().as_secs_f64() * 1e3);
        sleep(SETTLE).await;
    }
    network.stop()?;
    stored.sort_by(f64::total_cmp);
    whole.sort_by(f64::total_cmp);
    Ok(json!({
        "bench": "store_code",
        "count": ROUNDS,
        "module_bytes": TOKEN.len(),
        "p50_ms": round(quantile(&stored, 0.5)),
        "max_ms": round(quantile(&stored, 1.0)),
        "with_upload_p50_ms": round(quantile(&whole, 0.5)),
    }))
}

/// Uploads and stores a module; says how long storing took.
async fn store(network: &Network, module: &[u8]) -> Result<(CodeId, Duration)> {
    let code = CodeId::of(module);
    let chunks = module.chunks(CODE_PART_BYTES_MAX);
    let parts = u16::try_from(chunks.len())?;
    for (part, bytes) in (0..).zip(chunks) {
        let upload = Action::UploadCode { code, part, bytes: bytes.to_vec() };
        act(network, upload).await?;
    }
    let meta = CodeMeta { name: "bench".into(), source: String::new(), interfaces: Vec::new() };
    let began = Instant::now();
    act(network, Action::StoreCode { code, parts, meta }).await?;
    Ok((code, began.elapsed()))
}

async fn act(network: &Network, action: Action) -> Result<()> {
    let transaction = network.organisation.sign(vec![action]);
    let outcome = network.clients[0].finalize_transaction(&transaction, PATIENCE).await?;
    ensure!(outcome.receipt.refusal.is_none(), "it was refused: {:?}", outcome.receipt);
    Ok(())
}

/// Makes a contract once peers have had the time to compile the code.
async fn begin(network: &Network, code: CodeId, message: &Value) -> Result<ContractId> {
    let name = "bench".to_owned();
    let contract = ContractId::derive(&network.organisation.signer().entity, &name);
    let message = message.to_string().into_bytes();
    let gas_limit = GAS * 5;
    let make = Action::Instantiate {
        code,
        name,
        terms: Terms::default(),
        message,
        gas_limit,
        funds: None,
    };
    let began = Instant::now();
    loop {
        let transaction = network.organisation.sign(vec![make.clone()]);
        match network.clients[0].finalize_transaction(&transaction, PATIENCE).await {
            Err(error) if error.is_temporary() && began.elapsed() < PATIENCE => sleep(POLL).await,
            outcome => {
                let outcome = outcome.context("no contract was made")?;
                ensure!(outcome.receipt.refusal.is_none(), "refused: {:?}", outcome.receipt);
                break;
            }
        }
    }
    for client in &network.clients {
        while client.contract(&contract).await.is_err() {
            ensure!(began.elapsed() < PATIENCE, "a peer does not know the contract");
            sleep(POLL).await;
        }
    }
    Ok(contract)
}

/// Each sender keeps to one peer, so that its nonces come in order.
fn lanes(senders: &[Account], count: usize, call: &impl Fn(&Account) -> Action) -> Vec<Lane> {
    let lane = |peer: usize| {
        let own: Vec<&Account> = senders.iter().skip(peer).step_by(PEERS).collect();
        let signed = (0..count / PEERS).map(|number| {
            let (from, to) = (own[number % own.len()], own[(number + 1) % own.len()]);
            Submission::from(&from.sign(vec![call(to)]))
        });
        let signed: Vec<Submission> = signed.collect();
        signed.chunks(TOGETHER).map(<[_]>::to_vec).collect()
    };
    (0..PEERS).map(lane).collect()
}

/// What calls take that nothing else competes with.
struct Alone {
    /// Ascending.
    took_ms: Vec<f64>,
    /// Gas of the last.
    gas: u64,
}

async fn one_by_one(
    network: &Network,
    senders: &[Account],
    call: &impl Fn(&Account) -> Action,
) -> Result<Alone> {
    let mut alone = Alone { took_ms: Vec::new(), gas: 0 };
    for index in 0..ALONE {
        let (from, to) = (&senders[index % SENDERS], &senders[(index + 1) % SENDERS]);
        let client = &network.clients[(index % SENDERS) % PEERS];
        let transaction = from.sign(vec![call(to)]);
        let posted = Instant::now();
        let outcome = client.finalize_transaction(&transaction, PATIENCE).await?;
        ensure!(outcome.receipt.refusal.is_none(), "a call was refused: {:?}", outcome.receipt);
        alone.took_ms.push(posted.elapsed().as_secs_f64() * 1e3);
        alone.gas = outcome.receipt.events.iter().find_map(gas).context("no gas was told")?;
    }
    alone.took_ms.sort_by(f64::total_cmp);
    Ok(alone)
}

fn gas(event: &althing_client::model::Event) -> Option<u64> {
    match event {
        althing_client::model::Event::ContractCalled { gas_used, .. } => Some(*gas_used),
        _ => None,
    }
}
