//! What ordering asks of this peer: make a block, check a block, take a final one.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use althing_ordering::{Ack, Application, Draft, Evidence, Proposal};
use althing_types::{Block, ExecutionResult, Header, TxId};
use commonware_runtime::{Clock, Metrics, Spawner};
use futures::future::{BoxFuture, Either, FutureExt as _, select};

use crate::{
    core::{Core, Counters},
    mempool::Checked,
    verify,
};

/// How far agreement may run ahead of execution, blocks: a proposer waits at the edge, so that a
/// network whose disks are slow slows down instead of piling up work.
pub(crate) const RESULT_LAG_MAX: u64 = 32;
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
            let picked: Vec<Arc<Checked>> = content.picked;
            verify::keep_payloads(&context, &core, &picked).await.ok()?;
            let now = unix_ms(context.current());
            Some(Draft {
                time_ms: now.max(proposal.parent.header().time_ms + 1),
                transactions: picked.iter().map(|c| c.transaction.wire().clone()).collect(),
                result: content.result,
                next_validators: None,
            })
        }
        .boxed()
    }

    fn verify(
        &self,
        block: Arc<Block>,
        parent: Arc<Block>,
        _: Vec<Arc<Block>>,
    ) -> BoxFuture<'static, bool> {
        let (context, core) = (self.context.child("verify"), Arc::clone(&self.core));
        async move {
            let verdict = verify::verify(&context, &core, &block, parent.header()).await;
            if let Err(reason) = &verdict {
                Counters::add(&core.counters.blocks_refused, 1);
                let proposer = hex::encode(block.header().proposer);
                tracing::warn!(height = block.height(), proposer, %reason, "refused a block");
            }
            verdict.is_ok()
        }
        .boxed()
    }

    fn deliver(&self, block: Arc<Block>, ack: Ack) {
        // The executor outlives ordering; if it has stopped, the dropped ack stops ordering too.
        let _ = self.core.deliveries.send((block, ack));
    }

    fn misbehaviour(&self, evidence: Evidence) {
        self.core.remember(evidence);
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
    let mut exclude = Core::under_way(&proposal.undelivered, core.chain.height());
    loop {
        // Registered before looking, so that no wake-up is lost.
        let mut woken = std::pin::pin!(core.work.notified());
        woken.as_mut().enable();
        let now = context.current();
        match look(core, proposal.parent.header(), &exclude, now, heartbeat, entered) {
            Look::Propose(content) => return content,
            Look::Wait(until) => {
                let sleep = std::pin::pin!(context.sleep_until(until));
                if let Either::Left(_) = select(woken, sleep).await {
                    exclude = Core::under_way(&proposal.undelivered, core.chain.height());
                }
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
    exclude: &HashSet<TxId>,
    now: SystemTime,
    heartbeat: SystemTime,
    entered: SystemTime,
) -> Look {
    let executed = core.chain.height().min(parent.height);
    let lagging = parent.height + 1 - executed > RESULT_LAG_MAX;
    let Some(result) = core.chain.statement(&parent.result, executed) else {
        return Look::Wait(now + EXECUTION_PAUSE);
    };
    if lagging || core.is_halted() {
        // Only execution (or nothing) can change that; the view ends without this leader.
        return Look::Wait(now + EXECUTION_PAUSE);
    }
    let parameters = &core.config.genesis.parameters;
    let picked = core.mempool.lock().pick(
        exclude,
        parameters.block_transactions_max as usize,
        parameters.block_bytes_max as usize - HEADER_BYTES,
    );
    if !picked.is_empty() || now >= heartbeat {
        return Look::Propose(Content { picked, result });
    }
    let stated = parent.result.height;
    if core.chain.last_busy_height() > stated {
        let due = (entered + core.config.result_delay).min(heartbeat);
        return if now >= due {
            Look::Propose(Content { picked, result })
        } else {
            Look::Wait(due)
        };
    }
    Look::Wait(heartbeat)
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms(now: SystemTime) -> u64 {
    let elapsed = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
