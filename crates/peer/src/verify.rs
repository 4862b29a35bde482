//! Whether a proposed block may be voted for. Every verdict is a function of the block, its parent
//! and the state at the height whose result the block states, so honest validators agree on it.

use std::{collections::HashSet, sync::Arc, time::Duration};

use althing_ledger::Bases;
use althing_types::{Block, Digest, ExecutionResult, Header, LedgerId, Refusal, Transaction, TxId};
use bytes::Bytes;
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_utils::sync::MutexGuard;

use crate::{
    admission::{self, Candidate, Signed},
    application::{RESULT_LAG_MAX, RESULT_STEP_MAX, unix_ms},
    config::Planted,
    core::{Core, Counters, Halt},
    mempool::{BLOCK_PAYLOADS_BYTES_MAX, Checked},
    trust,
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
    #[error("this peer cannot tell")]
    Unable,
}

/// Resolves when the verdict is certain; stays pending while something is not here yet.
///
/// # Errors
/// Why the block is refused, for ever and by everybody; or [`Reason::Unable`], which is about this
/// peer and not about the block, and must not become a verdict.
pub(crate) async fn verify<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    block: &Arc<Block>,
    parent: &Header,
) -> Result<(), Reason> {
    let next_validators = core.chain.next_validators(block.height()).await;
    check_header(core, block, parent, next_validators)?;
    wait_for_clock(context, core, block.header()).await;
    core.chain.executed_at_least(block.header().result.height).await;
    if core.is_halted() {
        return Err(Reason::Unable);
    }
    check_result(core, &parent.result, &block.header().result)?;
    let checked = check_transactions(context, core, block).await?;
    keep_payloads(context, core, &checked).await
}

fn check_header(
    core: &Core,
    block: &Block,
    parent: &Header,
    next_validators: Option<Digest>,
) -> Result<(), Reason> {
    let (header, parameters) = (block.header(), &core.config.genesis.parameters);
    let result = &header.result;
    let distinct: HashSet<&TxId> = block.ids().iter().collect();
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
        ("the validators of the next epoch", header.next_validators == next_validators),
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
        _ if core.config.has(Planted::SkewResult) || core.config.has(Planted::TrustResult) => {
            Ok(())
        }
        Some(ours) if ours == *theirs => Ok(()),
        Some(ours) => Err(Reason::Result { ours, theirs: *theirs }),
        None => {
            core.stop_for(Halt::Storage(format!("the result of height {} is gone", theirs.height)));
            Err(Reason::Unable)
        }
    }
}

/// Checks what a block contains against the state whose root it states, and nothing else.
async fn check_transactions<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    block: &Arc<Block>,
) -> Result<Vec<Arc<Checked>>, Reason> {
    if block.transactions().is_empty() {
        return Ok(Vec::new());
    }
    let height = block.header().result.height;
    let judged = judge(context, core, height, candidates(core, block)).await?;
    let judged: Vec<Judged> = judged
        .into_iter()
        .zip(block.ids())
        .map(|(judged, id)| judged.map_err(|refusal| Reason::Transaction { id: *id, refusal }))
        .collect::<Result<_, _>>()?;
    let payload_bytes: u64 = judged.iter().flat_map(Judged::payload_lens).map(u64::from).sum();
    if payload_bytes > BLOCK_PAYLOADS_BYTES_MAX as u64 {
        return Err(Reason::Header("the length of its payloads"));
    }
    let checked = complete_all(context, core, judged).await?;
    let (mempool, mut proposed) = (core.mempool.lock(), core.proposed.lock());
    for entry in checked.iter().filter(|it| mempool.get(&it.transaction.id()).is_none()) {
        proposed.insert(block.height(), Arc::clone(entry));
    }
    drop((mempool, proposed));
    Ok(checked)
}

/// What a block holds, to be judged. Only validators propose, and only validators look at what is proposed.
pub(crate) fn candidates(core: &Core, block: &Block) -> Vec<Candidate> {
    let is_vouched = trust::is_vouched(core, block.header().epoch);
    let wires = block.ids().iter().copied().zip(block.transactions().iter().cloned());
    wires.map(|(id, wire)| Candidate { id, wire, is_vouched }).collect()
}

/// What is known of a transaction of a proposed block.
pub(crate) enum Judged {
    /// All has been checked.
    Checked(Arc<Checked>),
    /// The payloads are to be checked, if there are any; those that are here come along.
    Signed(Signed, Option<Vec<Bytes>>),
}

impl Judged {
    fn payload_lens(&self) -> impl Iterator<Item = u32> {
        let transaction = match self {
            Self::Checked(checked) => &checked.transaction,
            Self::Signed(signed, _) => &signed.transaction,
        };
        transaction.batches().map(|batch| batch.payload_len)
    }
}

/// Form and signatures of transactions against the state at a height. What this peer has checked
/// before counts only where that state says the same as the one it was checked against: two peers
/// that came to know a transaction at different heights must not come to different verdicts.
pub(crate) async fn judge<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    height: u64,
    candidates: Vec<Candidate>,
) -> Result<Vec<Result<Judged, Refusal>>, Reason> {
    let shared = Arc::clone(core);
    let judged = blocking(context, move || judge_now(&shared, height, candidates)).await;
    match judged.flatten() {
        Some(judged) if !judged.iter().any(is_unread) => Ok(judged),
        _ => Err(Reason::Unable),
    }
}

/// Whether a state could not be read, which says nothing about the transaction.
fn is_unread(judged: &Result<Judged, Refusal>) -> bool {
    matches!(judged, Err(Refusal::NotReady))
}

/// `None` if the state at that height is not kept, or ceases to be kept meanwhile.
pub(crate) fn judge_now(
    core: &Core,
    height: u64,
    candidates: Vec<Candidate>,
) -> Option<Vec<Result<Judged, Refusal>>> {
    let state = core.chain.state();
    let view = state.view_at(height)?;
    let (known, checking) = known_or_free(core, &candidates);
    let mut bases = Bases::new(&view);
    let (mut judged, mut unknown) = (Vec::with_capacity(candidates.len()), Vec::new());
    for (candidate, known) in candidates.into_iter().zip(&known) {
        let holds = known.as_ref().map(|known| {
            let counts = candidate.is_vouched || !known.is_vouched;
            let agree = counts && bases.agree(&known.transaction, &known.basis)?;
            Ok(agree.then(|| Judged::Checked(Arc::clone(known))))
        });
        match holds {
            Some(Ok(Some(checked))) => judged.push(Some(Ok(checked))),
            Some(Err(refusal)) => judged.push(Some(Err(refusal))),
            Some(Ok(None)) | None => {
                judged.push(None);
                unknown.push((candidate, known.as_ref().map(|known| known.payloads.clone())));
            }
        }
    }
    let (candidates, payloads): (Vec<Candidate>, Vec<_>) = unknown.into_iter().unzip();
    let ids: Vec<TxId> = candidates.iter().map(|one| one.id).collect();
    let vouched = candidates.iter().filter(|one| one.is_vouched).count();
    Counters::add(&core.counters.vouched, vouched);
    Counters::add(&core.counters.checked, ids.len() - vouched);
    let blinding = admission::blinding(&ids);
    let signed = admission::signed(Bases::new(&view), &core.ledger, candidates, blinding);
    let mut proposed = core.proposed.lock();
    let mut signed = signed.into_iter().zip(payloads).map(|(signed, payloads)| {
        let signed = signed?;
        if signed.transaction.batches().next().is_some() {
            return Ok(Judged::Signed(signed, payloads));
        }
        let checked = Arc::new(admission::complete(&core.ledger, signed, Vec::new())?);
        proposed.insert(height, Arc::clone(&checked));
        Ok(Judged::Checked(checked))
    });
    let judged = judged.into_iter().map(|known| known.or_else(|| signed.next())).collect();
    drop((proposed, checking));
    // It may have ceased to be kept while it was read.
    state.view_at(height).and(judged)
}

/// What this peer has checked already, and the right to check the rest: what another task is checking
/// is waited for.
fn known_or_free<'a>(
    core: &'a Core,
    candidates: &[Candidate],
) -> (Vec<Option<Arc<Checked>>>, Option<MutexGuard<'a, ()>>) {
    let before = known(core, candidates);
    if before.iter().all(Option::is_some) {
        return (before, None);
    }
    let checking = core.checking.lock();
    (known(core, candidates), Some(checking))
}

/// What this peer has checked already.
fn known(core: &Core, candidates: &[Candidate]) -> Vec<Option<Arc<Checked>>> {
    let (mempool, proposed) = (core.mempool.lock(), core.proposed.lock());
    let known = |one: &Candidate| mempool.get(&one.id).or_else(|| proposed.get(&one.id)).cloned();
    candidates.iter().map(known).collect()
}

/// Finds the payloads that are missing, here or at other peers, and checks them.
async fn complete_all<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    judged: Vec<Judged>,
) -> Result<Vec<Arc<Checked>>, Reason> {
    let found = with_payloads(core, judged).await;
    let ledger = core.ledger;
    let verdicts = blocking(context, move || {
        found.into_iter().map(|judged| complete(&ledger, judged)).collect::<Vec<_>>()
    });
    verdicts.await.ok_or(Reason::Unable)?.into_iter().collect()
}

fn complete(ledger: &LedgerId, judged: Judged) -> Result<Arc<Checked>, Reason> {
    match judged {
        Judged::Checked(checked) => Ok(checked),
        Judged::Signed(signed, payloads) => {
            let id = signed.transaction.id();
            admission::complete(ledger, signed, payloads.unwrap_or_default())
                .map(Arc::new)
                .map_err(|refusal| Reason::Transaction { id, refusal })
        }
    }
}

async fn with_payloads(core: &Core, judged: Vec<Judged>) -> Vec<Judged> {
    // All are asked for before the first is waited for, and no longer once nobody waits.
    let mut needs = Vec::new();
    for entry in &judged {
        if let Judged::Signed(signed, None) = entry {
            for batch in signed.transaction.batches() {
                if core.mempool.lock().payload(&batch.payload_digest).is_none() {
                    needs.push(core.payloads.need(batch.payload_digest));
                }
            }
        }
    }
    let mut found = Vec::with_capacity(judged.len());
    for entry in judged {
        found.push(match entry {
            Judged::Signed(signed, None) => {
                let payloads = payloads_of(core, &signed.transaction).await;
                Judged::Signed(signed, Some(payloads))
            }
            other => other,
        });
    }
    drop(needs);
    found
}

async fn payloads_of(core: &Core, transaction: &Transaction) -> Vec<Bytes> {
    let mut payloads = Vec::new();
    for batch in transaction.batches() {
        let waiting = core.mempool.lock().payload(&batch.payload_digest).cloned();
        payloads.push(match waiting {
            Some(payload) => payload,
            None => core.payloads.obtain(&batch.payload_digest).await,
        });
    }
    payloads
}

/// Those of `picked` that may stand in a block of `epoch` that states the result of `height`; the others can no
/// longer be final as they are and leave the mempool.
pub(crate) async fn fit_for<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    (epoch, height): (u64, u64),
    picked: Vec<Arc<Checked>>,
) -> Result<Vec<Arc<Checked>>, Reason> {
    if picked.is_empty() {
        return Ok(picked);
    }
    let is_vouched = trust::is_vouched(core, epoch);
    let candidate = |it: &Arc<Checked>| Candidate {
        id: it.transaction.id(),
        wire: it.transaction.wire().clone(),
        is_vouched: it.is_vouched && is_vouched,
    };
    let judged = judge(context, core, height, picked.iter().map(candidate).collect()).await?;
    let mut fit = Vec::with_capacity(picked.len());
    for (judged, before) in judged.into_iter().zip(picked) {
        let id = before.transaction.id();
        let verdict = judged.map_err(|refusal| Reason::Transaction { id, refusal });
        match verdict.and_then(|judged| complete(&core.ledger, judged)) {
            Ok(checked) => fit.push(checked),
            Err(reason) => {
                tracing::debug!(%reason, "a waiting transaction is dropped");
                core.mempool.lock().remove(&id);
            }
        }
    }
    Ok(fit)
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
    let forgets = core.config.has(Planted::ForgetPayloads) || core.config.has(Planted::VoteEarly);
    if payloads.is_empty() || forgets {
        return Ok(());
    }
    let shared = Arc::clone(core);
    let kept = blocking(context, move || shared.payloads.keep(payloads)).await;
    match kept {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => {
            core.stop_for(Halt::Storage(error.to_string()));
            Err(Reason::Unable)
        }
        None => Err(Reason::Unable),
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
