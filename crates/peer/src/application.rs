//! What ordering asks of this peer: make a block, check a block, take a final one.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use althing_ordering::{Ack, Application, Draft, Electors, Evidence, Proposal};
use althing_proof::bundle::STATED_HEIGHTS_MAX;
use althing_types::{Block, ExecutionResult, Header, TxId};
use commonware_runtime::{Clock, Metrics, Spawner};
use futures::future::{BoxFuture, FutureExt as _, select};

use crate::{
    core::{Core, Counters, Halt},
    mempool::Checked,
    offences::Offence,
    pace, verify,
};

/// How far a block with transactions may be ahead of the result it states, blocks: beyond, only empty
/// blocks are made, so that a network whose disks are slow slows down instead of piling up work. They
/// are made, since a network that fell so far behind needs new blocks to make the old ones final.
pub(crate) const RESULT_LAG_MAX: u64 = 32;
/// How many heights a block's statement may add to its parent's.
pub(crate) const RESULT_STEP_MAX: u64 = STATED_HEIGHTS_MAX as u64;
/// How long a leader waits for execution before it looks again.
const EXECUTION_PAUSE: Duration = Duration::from_millis(100);
/// Room for the header when a block is filled, bytes.
const HEADER_BYTES: usize = 1024;

/// Answers ordering's questions from the peer's shared state.
pub(crate) struct Participant<E> {
    context: E,
    core: Arc<Core>,
}

impl<E> Participant<E> {
    pub(crate) const fn new(context: E, core: Arc<Core>) -> Self {
        Self { context, core }
    }
}

impl<E: Clock + Metrics + Spawner> Application for Participant<E> {
    fn propose(&self, proposal: Proposal) -> BoxFuture<'static, Option<Draft>> {
        let (context, core) = (self.context.child("propose"), Arc::clone(&self.core));
        async move {
            let content = wait_for_work(&context, &core, &proposal).await;
            let place = (proposal.epoch, content.result.height);
            let fit = verify::fit_for(&context, &core, place, content.picked).await;
            let picked = fit.unwrap_or_default();
            verify::keep_payloads(&context, &core, &picked).await.ok()?;
            let now = unix_ms(context.current());
            Some(Draft {
                time_ms: now.max(proposal.parent.header().time_ms + 1),
                transactions: picked.iter().map(|c| c.transaction.wire().clone()).collect(),
                result: content.result,
                next_validators: core.chain.next_validators(proposal.parent.height() + 1).await,
            })
        }
        .boxed()
    }

    fn verify(&self, block: Arc<Block>, parent: Arc<Block>) -> BoxFuture<'static, bool> {
        let (context, core) = (self.context.child("verify"), Arc::clone(&self.core));
        async move {
            let verdict = verify::verify(&context, &core, &block, parent.header()).await;
            if let Err(verify::Reason::Unable) = verdict {
                // No verdict is not a verdict: others may find the block good.
                return futures::future::pending().await;
            }
            if let Err(reason) = &verdict {
                Counters::add(&core.counters.blocks_refused, 1);
                let (height, proposer) = (block.height(), block.header().proposer);
                tracing::warn!(height, proposer = hex::encode(proposer), %reason, "refused a block");
                let offence = match reason {
                    verify::Reason::Result { .. } => Offence::WrongResult,
                    _ => Offence::WrongBlock,
                };
                let detail = format!("It proposed block {height}, which was refused: {reason}.");
                core.note_offence(proposer, offence, unix_ms(context.current()), detail);
            }
            verdict.is_ok()
        }
        .boxed()
    }

    fn validators(&self, epoch: u64) -> BoxFuture<'static, Electors> {
        let core = Arc::clone(&self.core);
        async move {
            match core.chain.validators(epoch).await {
                Some(set) => {
                    let addresses = core.chain.addresses(&set);
                    Electors { set, addresses }
                }
                None => {
                    core.stop_for(Halt::Storage(format!("who validates in epoch {epoch} is gone")));
                    futures::future::pending().await
                }
            }
        }
        .boxed()
    }

    fn deliver(&self, block: Arc<Block>, ack: Ack) {
        // The executor outlives ordering; if it has stopped, the dropped ack stops ordering too.
        let _ = self.core.deliveries.send((block, ack));
    }

    fn misbehaviour(&self, evidence: Evidence) {
        self.core.remember(evidence, unix_ms(self.context.current()));
    }
}

struct Content {
    picked: Vec<Arc<Checked>>,
    result: ExecutionResult,
}

/// Waits until there is something to propose: transactions, a result that clients wait to see
/// certified, or the heartbeat.
async fn wait_for_work<E: Clock>(context: &E, core: &Core, proposal: &Proposal) -> Content {
    let parameters = &core.config.genesis.parameters;
    let entered = context.current();
    let heartbeat = entered + Duration::from_millis(u64::from(parameters.heartbeat_ms));
    let exclude = proposal.undelivered.as_deref().map(Core::under_way);
    loop {
        // Registered before looking, so that no wake-up is lost.
        let mut woken = std::pin::pin!(core.work.notified());
        woken.as_mut().enable();
        let now = context.current();
        match look(core, proposal.parent.header(), exclude.as_ref(), now, heartbeat, entered) {
            Look::Propose(content) => return content,
            Look::Wait(until) => {
                let sleep = std::pin::pin!(context.sleep_until(until));
                select(woken, sleep).await;
            }
        }
    }
}

enum Look {
    Propose(Content),
    Wait(SystemTime),
}

fn look(
    core: &Core,
    parent: &Header,
    exclude: Option<&HashSet<TxId>>,
    now: SystemTime,
    heartbeat: SystemTime,
    entered: SystemTime,
) -> Look {
    let stated = parent.result.height;
    let executed = core.chain.height().min(parent.height).min(stated + RESULT_STEP_MAX);
    let Some(result) = core.chain.statement(&parent.result, executed) else {
        return Look::Wait(now + EXECUTION_PAUSE);
    };
    if core.is_halted() {
        // The view ends without this leader.
        return Look::Wait(now + EXECUTION_PAUSE);
    }
    let lagging = parent.height + 1 - result.height > RESULT_LAG_MAX;
    let picked = match exclude {
        Some(exclude) if !lagging => pick(core, exclude),
        _ => Vec::new(),
    };
    let triggers = triggers_due(core, parent);
    let due = triggers.is_some_and(|due| now >= due);
    let gathered = entered + gathering(core, now);
    let is_enough = !picked.is_empty() && (now >= gathered || picked.len() >= pace::ENOUGH);
    if is_enough || due || now >= heartbeat {
        return Look::Propose(Content { picked, result });
    }
    if !picked.is_empty() {
        return Look::Wait(triggers.map_or(gathered, |due| due.min(gathered)).min(heartbeat));
    }
    if core.chain.last_busy_height() > stated || lagging {
        let due = (entered + core.config.result_delay).min(heartbeat);
        return if now >= due {
            Look::Propose(Content { picked, result })
        } else {
            Look::Wait(due)
        };
    }
    Look::Wait(triggers.map_or(heartbeat, |due| due.min(heartbeat)))
}

/// How long a leader gathers now.
fn gathering(core: &Core, now: SystemTime) -> Duration {
    let per_second = core.arrivals.lock().per_second(unix_ms(now));
    pace::gathering(per_second, core.config.gather)
}

/// When a block is wanted for triggers. Only what was executed up to the parent says so: a block
/// between may have run them already.
fn triggers_due(core: &Core, parent: &Header) -> Option<SystemTime> {
    let due_ms = core.chain.trigger_due_ms().filter(|_| core.chain.height() >= parent.height)?;
    UNIX_EPOCH.checked_add(Duration::from_millis(due_ms))
}

fn pick(core: &Core, exclude: &HashSet<TxId>) -> Vec<Arc<Checked>> {
    let parameters = &core.config.genesis.parameters;
    core.mempool.lock().pick(
        exclude,
        parameters.block_transactions_max as usize,
        parameters.block_bytes_max as usize - HEADER_BYTES,
    )
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms(now: SystemTime) -> u64 {
    let elapsed = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
