//! What the tasks of one peer share.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use althing_ordering::{Ack, Evidence, Handle, PeerKey, Watched};
use althing_types::{Block, Digest, ExecutionResult, LedgerId, Receipt, TxId};
use commonware_utils::{
    channel::{mpsc, oneshot},
    sync::Mutex,
};
use tokio::sync::{Notify, broadcast};

use crate::{
    chain::Chain,
    clock::Clocks,
    commits::Commits,
    compiler,
    config::Config,
    intake::Intake,
    lanes::Lanes,
    mempool::Mempool,
    offences::{self, Offence},
    pace,
    payloads::PayloadBook,
    presence,
    proposed::Proposed,
    settled::Settled,
    snapshot::{Ahead, Desk},
};

/// A block that has been executed, with what came of it.
#[derive(Debug, Clone)]
pub struct Executed {
    /// The block.
    pub block: Arc<Block>,
    /// Its receipts, in order.
    pub receipts: Arc<Vec<Receipt>>,
    /// Root of the state after it.
    pub state_root: Digest,
}

/// Where a transaction came to stand, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Height of its block.
    pub height: u64,
    /// Its position in the block.
    pub position: u32,
    /// Its receipt.
    pub receipt: Receipt,
}

/// Why a peer takes no part any more; it says so until it is restarted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The quorum computed another result than this peer: its software or its disk is at fault.
    Diverged {
        /// Height of the block.
        height: u64,
        /// What this peer computed.
        ours: ExecutionResult,
        /// What the quorum agreed on.
        theirs: ExecutionResult,
    },
    /// The disk failed or is full.
    Storage(String),
    /// Blocks on disk and the state do not belong together.
    Foreign(String),
}

/// Executed blocks that a slow subscriber may lag behind before it must read them from disk. They
/// stay in memory for as long, whole.
const SUBSCRIPTION_BLOCKS: usize = 16;
/// Most clients that wait for the same or different transactions to be final.
const WAITERS_MAX: usize = 65_536;
/// Offences kept for the status.
const EVIDENCE_MAX: usize = 64;

/// What the tasks of one peer share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) ledger: LedgerId,
    pub(crate) chain: Chain,
    pub(crate) payloads: PayloadBook,
    pub(crate) mempool: Mutex<Mempool>,
    /// Checked transactions of blocks that were proposed, until they are executed.
    pub(crate) proposed: Mutex<Proposed>,
    /// What the last blocks took out of the mempool. It is locked after that.
    pub(crate) settled: Mutex<Settled>,
    /// Held while signatures are checked, so that what one task checks another finds checked: a block
    /// and what is passed on of its transactions often come at once.
    pub(crate) checking: Mutex<()>,
    /// What clients and other peers want to be admitted.
    pub(crate) intake: Intake,
    /// Wakes a waiting leader: there may be something to propose.
    pub(crate) work: Notify,
    pub(crate) executed: broadcast::Sender<Arc<Executed>>,
    /// Who came and who went.
    pub(crate) presence: presence::Board,
    pub(crate) halt: Watched<Option<Halt>>,
    pub(crate) evidence: Mutex<Vec<Evidence>>,
    /// How many transactions come.
    pub(crate) arrivals: Mutex<pace::Arrivals>,
    /// How long those of clients take; locked behind the mempool.
    pub(crate) commits: Mutex<Commits>,
    /// What the times of others' blocks say of this machine's clock.
    pub(crate) clocks: Mutex<Clocks>,
    /// What validators did against the rules.
    pub(crate) offences: Mutex<offences::Book>,
    pub(crate) counters: Counters,
    /// Code of contracts that is to be compiled beside the blocks.
    pub(crate) to_compile: Mutex<compiler::Waiting>,
    pub(crate) deliveries: mpsc::UnboundedSender<(Arc<Block>, Ack)>,
    /// A chain that began with a state taken over, once there was one.
    pub(crate) ahead: OnceLock<Ahead>,
    pub(crate) desk: Desk,
    /// The newest height that subscribers were told of.
    pub(crate) told: AtomicU64,
    ordering: Mutex<Option<Handle>>,
    waiters: Mutex<BTreeMap<TxId, Vec<oneshot::Sender<Placed>>>>,
}

/// Counted since start, for metrics.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) admitted: AtomicU64,
    pub(crate) refused: AtomicU64,
    /// Form and signatures, at admission or for a vote.
    pub(crate) checked: AtomicU64,
    /// Form only: a validator's word is taken for the signatures.
    pub(crate) vouched: AtomicU64,
    pub(crate) executed_transactions: AtomicU64,
    pub(crate) executed_readings: AtomicU64,
    pub(crate) blocks_refused: AtomicU64,
    pub(crate) payloads_fetched: AtomicU64,
    /// Asked of others for somebody who may read them.
    pub(crate) payloads_gathered: AtomicU64,
    /// Handed over to those who are to keep them.
    pub(crate) payloads_dropped: AtomicU64,
    pub(crate) messages_refused: AtomicU64,
    /// Answers about the state or blocks that were not true.
    pub(crate) lies: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, value: usize) {
        counter.fetch_add(value as u64, Ordering::Relaxed);
    }
}

impl Core {
    pub(crate) fn new(
        config: Config,
        chain: Chain,
        payloads: PayloadBook,
        deliveries: mpsc::UnboundedSender<(Arc<Block>, Ack)>,
        desk: Desk,
    ) -> Self {
        Self {
            ledger: config.genesis.ledger(),
            mempool: Mutex::new(Mempool::new(config.mempool)),
            proposed: Mutex::new(Proposed::default()),
            settled: Mutex::default(),
            checking: Mutex::default(),
            intake: Watched::new(Lanes::new(config.intake_calls_max)),
            work: Notify::new(),
            executed: broadcast::channel(SUBSCRIPTION_BLOCKS).0,
            presence: presence::Board::default(),
            halt: Watched::new(None),
            evidence: Mutex::new(Vec::new()),
            arrivals: Mutex::default(),
            commits: Mutex::default(),
            clocks: Mutex::default(),
            offences: Mutex::default(),
            counters: Counters::default(),
            to_compile: Mutex::default(),
            ahead: OnceLock::new(),
            desk,
            told: AtomicU64::new(0),
            ordering: Mutex::new(None),
            waiters: Mutex::new(BTreeMap::new()),
            config,
            chain,
            payloads,
            deliveries,
        }
    }

    /// Ordering's handle, once it has started.
    pub(crate) fn ordering(&self) -> Option<Handle> {
        self.ordering.lock().clone()
    }

    pub(crate) fn set_ordering(&self, handle: Handle) {
        *self.ordering.lock() = Some(handle);
    }

    /// Stops taking part, and says why; the first reason stays.
    pub(crate) fn stop_for(&self, reason: Halt) {
        tracing::error!(?reason, "this peer stops taking part");
        self.halt.change(|halt| {
            let first = halt.is_none();
            halt.get_or_insert(reason);
            first
        });
    }

    /// Whether the payloads here take as much of the disk as the operator allows. Then no more are taken
    /// from clients of this peer; what a block brings is kept all the same, since others rely on it.
    pub(crate) fn is_full(&self) -> bool {
        let max = self.config.payload_bytes_max;
        max.is_some_and(|max| self.payloads.store().bytes() >= max)
    }

    pub(crate) fn is_halted(&self) -> bool {
        self.halt.read(Option::is_some)
    }

    /// Remembers two votes that contradict each other.
    pub(crate) fn remember(&self, evidence: Evidence, now_ms: u64) {
        let Evidence { fault, validator, epoch, view, .. } = evidence;
        self.note_offence(
            validator,
            fault.into(),
            now_ms,
            format!("It {fault}, epoch {epoch} view {view}."),
        );
        let mut kept = self.evidence.lock();
        if !kept.contains(&evidence) && kept.len() < EVIDENCE_MAX {
            kept.push(evidence);
        }
    }

    /// Notes what a validator did against the rules; the log names it when it does so first.
    pub(crate) fn note_offence(
        &self,
        validator: PeerKey,
        offence: Offence,
        now_ms: u64,
        detail: String,
    ) {
        let key = hex::encode(validator);
        if self.offences.lock().note(validator, offence, now_ms, detail.clone()) {
            tracing::warn!(
                validator = key,
                offence = offence.code(),
                detail,
                "a validator broke the rules"
            );
        }
    }

    /// Resolves once the transaction is final; `None` if too many clients wait already.
    pub(crate) fn wait_for(&self, id: TxId) -> Option<oneshot::Receiver<Placed>> {
        let mut waiters = self.waiters.lock();
        if waiters.len() >= WAITERS_MAX {
            return None;
        }
        let (sender, receiver) = oneshot::channel();
        let waiting = waiters.entry(id).or_default();
        // Those whose client has gone away make room.
        waiting.retain(|waiter| !waiter.is_closed());
        waiting.push(sender);
        Some(receiver)
    }

    /// Forgets waiters whose clients have gone away.
    pub(crate) fn forget_waiters(&self) {
        self.waiters.lock().retain(|_, waiting| {
            waiting.retain(|waiter| !waiter.is_closed());
            !waiting.is_empty()
        });
    }

    /// Tells those who wait for the block's transactions.
    pub(crate) fn tell_waiters(&self, executed: &Executed) {
        let mut waiters = self.waiters.lock();
        if waiters.is_empty() {
            return;
        }
        for (position, receipt) in (0_u32..).zip(executed.receipts.iter()) {
            for waiter in waiters.remove(&receipt.transaction).unwrap_or_default() {
                let height = executed.block.height();
                let _ = waiter.send(Placed { height, position, receipt: receipt.clone() });
            }
        }
    }

    /// Ids of transactions in blocks that are proposed but not acknowledged. Those of a block that
    /// was just executed are among them: between its execution and its acknowledgement they leave
    /// the mempool, and a leader that looks right then must not propose them again.
    pub(crate) fn under_way(undelivered: &[Arc<Block>]) -> HashSet<TxId> {
        undelivered.iter().flat_map(|block| block.ids().iter().copied()).collect()
    }
}
