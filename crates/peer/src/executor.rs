//! Carries final blocks out, one after the other, exactly once each.

use std::sync::{Arc, atomic::Ordering};

use althing_ordering::{Ack, Handle};
use althing_state::{Batch, Space, StoreError};
use althing_types::{Block, Event, Transaction};
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_utils::channel::mpsc;

use crate::{
    application::unix_ms,
    chain::ApplyError,
    compiler,
    config::Planted,
    core::{Core, Counters, Executed, Halt},
    duty::Duties,
    mempool::Checked,
    rows,
    verify::blocking,
};

/// Takes delivered blocks until ordering ends or this peer must stop.
pub(crate) async fn run<E: Clock + Metrics + Spawner>(
    context: E,
    core: Arc<Core>,
    mut deliveries: mpsc::UnboundedReceiver<(Arc<Block>, Ack)>,
    ordering: Handle,
) {
    // A store may have lost its last writes at a crash. Ordering, which was told that those blocks
    // are durable, does not deliver them again, and agreement may wait for this peer to have their
    // results: the archive has the blocks.
    while let Some(missed) = ordering.block(core.chain.height() + 1).await {
        if let Err(halt) = execute(&context, &core, missed).await {
            return core.stop_for(halt);
        }
    }
    while let Some((block, ack)) = deliveries.recv().await {
        match carry_out(&context, &core, &ordering, block).await {
            Ok(()) => ack.done(),
            // The ack is dropped, which stops ordering: a peer with a hole must not vote.
            Err(halt) => return core.stop_for(halt),
        }
    }
}

async fn carry_out<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    ordering: &Handle,
    block: Arc<Block>,
) -> Result<(), Halt> {
    let executed = core.chain.height();
    if block.height() <= executed && !core.config.has(Planted::ExecuteAgain) {
        return check_same(core, &block);
    }
    for height in executed + 1..block.height() {
        let Some(missed) = ordering.block(height).await else {
            return Err(Halt::Foreign(format!("block {height} is missing from the archive")));
        };
        execute(context, core, missed).await?;
    }
    note_clock(core, ordering, &block, unix_ms(context.current()));
    execute(context, core, block).await
}

/// Compares the time of a block that became final just now with this machine's clock.
fn note_clock(core: &Core, ordering: &Handle, block: &Block, now_ms: u64) {
    let mut clocks = core.clocks.lock();
    if ordering.tip().is_some_and(|tip| tip.height > block.height().saturating_add(1)) {
        return clocks.forget();
    }
    let parent_ms = block.height().checked_sub(1).and_then(|height| core.chain.done(height));
    if let Some(parent) = parent_ms
        && block.header().proposer != core.config.key
    {
        clocks.note(now_ms, block.header(), parent.header.time_ms);
    }
}

/// A block delivered again must be the one that was executed.
fn check_same(core: &Core, block: &Block) -> Result<(), Halt> {
    match core.chain.digest_at(block.height()) {
        Some(digest) if digest == block.digest() => Ok(()),
        Some(_) => Err(Halt::Foreign(format!(
            "the state executed another block at height {} than the archive holds",
            block.height()
        ))),
        None => Ok(()),
    }
}

async fn execute<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    block: Arc<Block>,
) -> Result<(), Halt> {
    check_agreed_result(core, &block)?;
    let shared = Arc::clone(core);
    let done = blocking(context, move || apply(&shared, block)).await;
    match done {
        Some(result) => result.map(|executed| {
            compiler::stored(context, core, &executed);
            count(core, &executed);
            let now_ms = unix_ms(context.current());
            {
                let mempool = core.mempool.lock();
                core.commits.lock().are_final(executed.block.ids(), now_ms, &mempool);
            }
            settle(core, &executed);
        }),
        None => Err(Halt::Storage("the peer is stopping".to_owned())),
    }
}

/// What a quorum signed is the result; a peer that has another one is wrong.
fn check_agreed_result(core: &Core, block: &Block) -> Result<(), Halt> {
    let theirs = block.header().result;
    let parent = core.chain.done(block.height() - 1).map(|done| done.header.result);
    match parent.and_then(|parent| core.chain.statement(&parent, theirs.height)) {
        _ if core.config.has(Planted::SkewResult) => Ok(()),
        Some(ours) if ours != theirs => Err(Halt::Diverged { height: theirs.height, ours, theirs }),
        _ => Ok(()),
    }
}

fn apply(core: &Core, block: Arc<Block>) -> Result<Arc<Executed>, Halt> {
    let checked: Vec<Option<Arc<Checked>>> = {
        let (mempool, proposed) = (core.mempool.lock(), core.proposed.lock());
        block.ids().iter().map(|id| mempool.get(id).or_else(|| proposed.get(id)).cloned()).collect()
    };
    let unchecked = decode(&block, &checked)?;
    let transactions: Vec<&Transaction> = checked
        .iter()
        .zip(&unchecked)
        .filter_map(|(checked, own)| {
            checked.as_ref().map(|checked| &checked.transaction).or(own.as_ref())
        })
        .collect();
    let missing = keep_payloads(core, &transactions, &checked)?;
    let skew = core.config.has(Planted::SkewResult) && core.config.key[0].is_multiple_of(2);
    let mut notes = Batch::default();
    for digest in &missing {
        // So that a restart does not forget to fetch it.
        notes.put(Space::Payloads, rows::missing(digest), Vec::new());
    }
    let applied =
        core.chain.apply(&block, &transactions, notes, skew).map_err(|error| match error {
            ApplyError::Store(error) => Halt::Storage(error.to_string()),
        })?;
    for digest in missing {
        if !core.config.has(Planted::SkipFetch) {
            core.payloads.want(digest);
        }
    }
    Ok(Arc::new(Executed {
        block,
        receipts: Arc::new(applied.receipts),
        state_root: applied.state_root,
    }))
}

/// The block's transactions that have not been decoded yet, each at its place.
fn decode(
    block: &Block,
    checked: &[Option<Arc<Checked>>],
) -> Result<Vec<Option<Transaction>>, Halt> {
    let wires = block.transactions().iter();
    wires
        .zip(checked)
        .map(|(wire, checked)| match checked {
            Some(_) => Ok(None),
            None => Transaction::decode(wire.clone()).map(Some).map_err(|refusal| {
                // A quorum voted for it, so either they or this program is wrong.
                Halt::Foreign(format!("a final block holds a malformed transaction: {refusal}"))
            }),
        })
        .collect()
}

/// Sees to the payloads of a final block's batches: those that came with a transaction this peer did
/// not vote for are put on disk; the digests of those that did not come and that it is to keep are returned.
fn keep_payloads(
    core: &Core,
    transactions: &[&Transaction],
    checked: &[Option<Arc<Checked>>],
) -> Result<Vec<[u8; 32]>, Halt> {
    let (mut here, mut missing, mut duties) = (Vec::new(), Vec::new(), None);
    for (transaction, checked) in transactions.iter().zip(checked) {
        for (index, batch) in transaction.batches().enumerate() {
            let digest = batch.payload_digest;
            if core.payloads.store().contains(&digest) {
                continue;
            }
            match checked.as_ref().and_then(|checked| checked.payloads.get(index)) {
                Some(payload) => here.push((digest, payload.clone())),
                None => {
                    let failed = |error: StoreError| Halt::Storage(error.to_string());
                    let duties = match &mut duties {
                        Some(duties) => duties,
                        none => none.insert(Duties::now(core).map_err(failed)?),
                    };
                    if duties.of_stream(&batch.stream, &digest).map_err(failed)?.mine {
                        missing.push(digest);
                    }
                }
            }
        }
    }
    if !here.is_empty() && !core.config.has(Planted::ForgetPayloads) {
        core.payloads.keep(here).map_err(|error| Halt::Storage(error.to_string()))?;
    }
    Ok(missing)
}

/// Takes the block's transactions out of the waiting ones and tells those who wait.
pub(crate) fn settle(core: &Core, executed: &Arc<Executed>) {
    let height = executed.block.height();
    {
        let (mut mempool, mut proposed) = (core.mempool.lock(), core.proposed.lock());
        for id in executed.block.ids() {
            mempool.remove(id);
            proposed.remove(id);
        }
        core.settled.lock().push(executed.block.ids());
        mempool.expire(height);
        proposed.executed(height);
        for event in executed.receipts.iter().flat_map(|receipt| &receipt.events) {
            if let Event::KeyRotated { entity, .. } | Event::EntityRevoked { entity } = event {
                mempool.forget_signer(entity);
                proposed.forget_signer(entity);
            }
        }
    }
    core.tell_waiters(executed);
    // With two chains each block is executed twice, and what was before a state that was taken over is
    // no news.
    let is_news = core.told.fetch_max(height, Ordering::AcqRel) < height;
    if is_news || core.ahead.get().is_none() {
        let _ = core.executed.send(Arc::clone(executed));
    }
    core.work.notify_waiters();
}

fn count(core: &Core, executed: &Executed) {
    // Not the receipts: those of triggers are among them.
    let transactions = executed.block.header().count as usize;
    Counters::add(&core.counters.executed_transactions, transactions);
    let readings = executed.receipts.iter().flat_map(|receipt| &receipt.events).map(|event| {
        if let Event::BatchAccepted { count, .. } = event { *count as usize } else { 0 }
    });
    Counters::add(&core.counters.executed_readings, readings.sum());
}
