//! Whether a proposed block may be voted for. Every verdict is a function of the block, its parent
//! and the state at the height whose result the block states, so honest validators agree on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use althing_types::{Block, ExecutionResult, Header, Refusal, Transaction, TxId};
use bytes::Bytes;
use commonware_runtime::{Clock, Metrics, Spawner};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};

use crate::{
    admission,
    application::{RESULT_LAG_MAX, RESULT_STEP_MAX, unix_ms},
    config::Planted,
    core::{Core, Halt},
    mempool::Checked,
    wire::Submission,
};

/// Why a block is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("{0} breaks the rules of the ledger")]
    Header(&'static str),
    #[error("it states {theirs:?}, but executing that height here gave {ours:?}")]
    Result { ours: ExecutionResult, theirs: ExecutionResult },
    #[error("transaction {id} in it is refused: {refusal}")]
    Transaction { id: TxId, refusal: Refusal },
    #[error("this peer takes no part")]
    Halted,
}

/// Resolves when the verdict is certain; stays pending while something is not here yet.
pub(crate) async fn verify<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    block: &Arc<Block>,
    parent: &Header,
) -> Result<(), Reason> {
    check_header(core, block, parent)?;
    wait_for_clock(context, core, block.header()).await;
    core.chain.executed_at_least(block.header().result.height).await;
    if core.is_halted() {
        return Err(Reason::Halted);
    }
    check_result(core, &parent.result, &block.header().result)?;
    let known = known_transactions(core, block);
    let unknown: Vec<Bytes> = block
        .ids()
        .iter()
        .zip(block.transactions())
        .filter(|(id, _)| !known.contains_key(id))
        .map(|(_, wire)| wire.clone())
        .collect();
    let checked = check_unknown(context, core, block, unknown).await?;
    let all: Vec<Arc<Checked>> = known.into_values().chain(checked).collect();
    keep_payloads(context, core, &all).await
}

fn check_header(core: &Core, block: &Block, parent: &Header) -> Result<(), Reason> {
    let (header, parameters) = (block.header(), &core.config.genesis.parameters);
    let result = &header.result;
    let distinct: BTreeSet<&TxId> = block.ids().iter().collect();
    let rules = [
        ("its time", header.time_ms > parent.time_ms),
        ("its length", block.wire().len() <= parameters.block_bytes_max as usize),
        ("its number of transactions", header.count <= parameters.block_transactions_max),
        ("a repeated transaction", distinct.len() == block.ids().len()),
        ("the height of its result", result.height < header.height),
        ("the order of its results", result.height >= parent.result.height),
        (
            "the step of its results",
            result.height.saturating_sub(parent.result.height) <= RESULT_STEP_MAX,
        ),
        (
            "the age of its result",
            header.count == 0 || header.height.saturating_sub(result.height) <= RESULT_LAG_MAX,
        ),
        ("a change of validators", header.next_validators.is_none()),
    ];
    match rules.into_iter().find(|(_, holds)| !holds) {
        Some((rule, _)) => Err(Reason::Header(rule)),
        None => Ok(()),
    }
}

/// A block from the future is not wrong, only early.
async fn wait_for_clock<E: Clock>(context: &E, core: &Core, header: &Header) {
    let drift = u64::from(core.config.genesis.parameters.clock_drift_max_ms);
    loop {
        let ahead = header.time_ms.saturating_sub(unix_ms(context.current()).saturating_add(drift));
        if ahead == 0 {
            return;
        }
        context.sleep(Duration::from_millis(ahead.min(1000))).await;
    }
}

/// Compares what the proposer says with what this peer computed.
fn check_result(
    core: &Core,
    parent: &ExecutionResult,
    theirs: &ExecutionResult,
) -> Result<(), Reason> {
    match core.chain.statement(parent, theirs.height) {
        _ if core.config.has(Planted::SkewResult) => Ok(()),
        Some(ours) if ours == *theirs => Ok(()),
        Some(ours) => Err(Reason::Result { ours, theirs: *theirs }),
        None => {
            core.stop_for(Halt::Storage(format!("the result of height {} is gone", theirs.height)));
            Err(Reason::Halted)
        }
    }
}

/// Transactions this peer has checked already, against keys that were in force at the height whose
/// result the block states.
fn known_transactions(core: &Core, block: &Block) -> BTreeMap<TxId, Arc<Checked>> {
    let at_height = block.header().result.height;
    let (mempool, proposed) = (core.mempool.lock(), core.proposed.lock());
    let known = block.ids().iter().filter_map(|id| {
        let checked = mempool.get(id).or_else(|| proposed.get(id))?;
        (checked.valid_from <= at_height).then(|| (*id, Arc::clone(checked)))
    });
    known.collect()
}

async fn check_unknown<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    block: &Arc<Block>,
    unknown: Vec<Bytes>,
) -> Result<Vec<Arc<Checked>>, Reason> {
    if unknown.is_empty() {
        return Ok(Vec::new());
    }
    let submissions = with_payloads(core, unknown).await?;
    let ids: Vec<TxId> = submissions.iter().map(|s| TxId::of(&s.transaction)).collect();
    let (shared, at_height) = (Arc::clone(core), block.header().result.height);
    let verdicts = blocking(context, move || {
        let view = shared.chain.view();
        // The seed only blinds a sum that holds or not whatever it is.
        let mut rng = ChaCha20Rng::from_seed(ids.first().map_or([0; 32], |id| id.0));
        let verdicts = admission::recheck(&view, &shared.ledger, at_height, submissions, &mut rng);
        ids.into_iter().zip(verdicts).collect::<Vec<_>>()
    })
    .await
    .ok_or(Reason::Halted)?;
    let mut checked = Vec::with_capacity(verdicts.len());
    for (id, verdict) in verdicts {
        let entry = verdict.map_err(|refusal| Reason::Transaction { id, refusal })?;
        checked.push(Arc::new(entry));
    }
    let mut proposed = core.proposed.lock();
    for entry in &checked {
        proposed.insert(block.height(), Arc::clone(entry));
    }
    Ok(checked)
}

/// Finds the payloads of transactions that came without: here, or at other peers.
async fn with_payloads(core: &Core, unknown: Vec<Bytes>) -> Result<Vec<Submission>, Reason> {
    let mut decoded = Vec::with_capacity(unknown.len());
    for wire in unknown {
        let transaction = Transaction::decode(wire.clone())
            .map_err(|refusal| Reason::Transaction { id: TxId::of(&wire), refusal })?;
        // All are asked for before the first is waited for.
        for batch in transaction.batches() {
            if core.mempool.lock().payload(&batch.payload_digest).is_none() {
                core.payloads.want(batch.payload_digest);
            }
        }
        decoded.push((wire, transaction));
    }
    let mut submissions = Vec::with_capacity(decoded.len());
    for (wire, transaction) in decoded {
        let mut payloads = Vec::new();
        for batch in transaction.batches() {
            let waiting = core.mempool.lock().payload(&batch.payload_digest).cloned();
            payloads.push(match waiting {
                Some(payload) => payload,
                None => core.payloads.obtain(&batch.payload_digest).await,
            });
        }
        submissions.push(Submission { transaction: wire, payloads });
    }
    Ok(submissions)
}

/// Puts the payloads on disk: a vote for a block promises that its payloads are kept.
pub(crate) async fn keep_payloads<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    transactions: &[Arc<Checked>],
) -> Result<(), Reason> {
    let payloads: Vec<([u8; 32], Bytes)> = transactions
        .iter()
        .flat_map(|checked| {
            let digests = checked.transaction.batches().map(|batch| batch.payload_digest);
            digests.zip(checked.payloads.iter().cloned())
        })
        .collect();
    if payloads.is_empty() || core.config.has(Planted::ForgetPayloads) {
        return Ok(());
    }
    let shared = Arc::clone(core);
    let kept = blocking(context, move || shared.payloads.keep(payloads)).await;
    match kept {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => {
            core.stop_for(Halt::Storage(error.to_string()));
            Err(Reason::Halted)
        }
        None => Err(Reason::Halted),
    }
}

/// Runs work that computes or waits for a disk off the asynchronous threads; `None` if the peer is
/// stopping.
pub(crate) async fn blocking<E: Metrics + Spawner, T: Send + 'static>(
    context: &E,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    context.child("blocking").shared(true).spawn(move |_| async move { work() }).await.ok()
}
