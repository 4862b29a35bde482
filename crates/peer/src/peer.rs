use std::sync::{Arc, atomic::Ordering};

use althing_ordering::{Application, Evidence, Handle, Mesh, PeerKey};
use althing_state::Store;
use althing_storage::Payloads;
use althing_types::{Block, Certificate, Digest, Genesis, LedgerId, Mechanism, Refusal, TxId};
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_utils::channel::{mpsc, oneshot};
use tokio::sync::broadcast;

use crate::{
    application::{Participant, unix_ms},
    audit,
    chain::{Chain, OpenError},
    compiler,
    config::Config,
    core::{Core, Executed, Halt, Placed},
    executor, intake,
    intake::{Call, Source},
    keeper,
    lanes::Lane,
    mempool::Limits,
    offences::{Offence, Offences},
    payloads,
    payloads::PayloadBook,
    presence::{self, PresenceChange},
    snapshot,
    snapshot::{Desk, Spare, Trays},
    wire::Submission,
};

/// Spread messages that may wait to be sent.
const SPREAD_WAITING: usize = 64;
/// Most transactions in one call.
pub const SUBMISSIONS_MAX: usize = 4096;

/// Why a peer cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state on disk cannot be used.
    #[error("the ledger on disk cannot be opened")]
    Open(#[source] OpenError),
    /// Ordering cannot start.
    #[error("agreement cannot start")]
    Ordering(#[source] althing_ordering::StartError),
}

/// A running BoT peer; clones share it.
#[derive(Debug, Clone)]
pub struct Peer {
    pub(crate) core: Arc<Core>,
}

/// A peer whose state is open and which does not take part yet.
///
/// Two steps, because ordering needs block 0, which carries the root of the state.
#[derive(Debug)]
pub struct Opened {
    core: Arc<Core>,
    genesis: Arc<Block>,
    deliveries: mpsc::UnboundedReceiver<(Arc<Block>, althing_ordering::Ack)>,
    trays: Trays,
    spare: Option<Arc<dyn Spare>>,
}

impl Opened {
    /// Opens the ledger on disk, or founds it there.
    ///
    /// # Errors
    /// [`StartError::Open`] if the disk holds another ledger, a newer format or damage, or the settings do not
    /// fit the ledger.
    pub fn open(
        config: Config,
        store: Arc<dyn Store>,
        payloads: Arc<Payloads>,
    ) -> Result<Self, StartError> {
        let (chain, genesis) =
            Chain::open(&config.genesis, Arc::clone(&store)).map_err(StartError::Open)?;
        let founding = config.genesis.mechanism;
        // Where members left raft after the founding, the setting has no effect, and no start fails for
        // what others voted.
        let is_raft = [Some(founding), chain.mechanism()].contains(&Some(Mechanism::Raft));
        if config.trust_validators && !is_raft {
            return Err(StartError::Open(OpenError::Trust(founding)));
        }
        let book = PayloadBook::open(payloads, Arc::clone(&store))
            .map_err(|error| StartError::Open(OpenError::Store(error)))?;
        let (sender, deliveries) = mpsc::unbounded_channel();
        let (desk, trays) = Desk::new();
        let core = Arc::new(Core::new(config, chain, book, sender, desk));
        Ok(Self { core, genesis, deliveries, trays, spare: None })
    }

    /// Lets it take a state over from other peers if it is far behind, into a place of its own. Without
    /// it, it executes all blocks before it answers about the present.
    #[must_use]
    pub fn with_spare(mut self, spare: Arc<dyn Spare>) -> Self {
        snapshot::resume(&self.core, &*spare);
        self.spare = Some(spare);
        self
    }

    /// Block 0.
    #[must_use]
    pub const fn genesis_block(&self) -> &Arc<Block> {
        &self.genesis
    }

    /// How many seats among the validators the ledger has or will have, as far as it was executed here,
    /// that the genesis did not give.
    #[must_use]
    pub fn joined(&self) -> usize {
        self.core.chain.joined(&self.core.config.genesis)
    }

    /// Starts taking part. `order` starts ordering with the application it is given.
    ///
    /// # Errors
    /// [`StartError::Ordering`].
    pub async fn start<E, O, F>(self, context: E, order: O) -> Result<Peer, StartError>
    where
        E: Clock + Metrics + Spawner,
        O: FnOnce(Arc<dyn Application>) -> F,
        F: Future<Output = Result<(Handle, Mesh), althing_ordering::StartError>>,
    {
        let Self { core, deliveries, trays, spare, .. } = self;
        if let Some(in_ms) = core.config.begins_in_ms(unix_ms(context.current())) {
            tracing::warn!(
                begins_ms = core.config.genesis.time_ms,
                in_ms,
                "the ledger begins in the future: nothing is agreed on before; is the clock right?"
            );
        }
        let participant = Participant::new(context.child("participant"), Arc::clone(&core));
        let (handle, mesh) = order(Arc::new(participant)).await.map_err(StartError::Ordering)?;
        core.set_ordering(handle.clone());
        spawn_sync(&context, &core, &mesh, trays, spare);
        spawn_all(&context, &core, handle.clone(), mesh, deliveries);
        spawn_guard(&context, &core, handle);
        Ok(Peer { core })
    }
}

fn spawn_all<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    ordering: Handle,
    mesh: Mesh,
    deliveries: mpsc::UnboundedReceiver<(Arc<Block>, althing_ordering::Ack)>,
) {
    compiler::found(context, core);
    let (spread, fresh) = mpsc::channel(SPREAD_WAITING);
    let (transactions, fetch) = (mesh.transactions, mesh.fetch);
    let shared = || Arc::clone(core);
    let core_ = shared();
    context
        .child("executor")
        .spawn(move |context| executor::run(context, core_, deliveries, ordering));
    let core_ = shared();
    context.child("intake").spawn(move |context| intake::admit(context, core_, spread));
    let core_ = shared();
    context.child("listen").spawn(move |_| intake::listen(core_, transactions.inbox));
    let core_ = shared();
    context
        .child("spread")
        .spawn(move |context| intake::spread(context, core_, fresh, transactions.outbox));
    let (core_, outbox) = (shared(), fetch.outbox.clone());
    context.child("fetch").spawn(move |context| payloads::ask(context, core_, outbox));
    let (core_, outbox) = (shared(), fetch.outbox.clone());
    context.child("keeper").spawn(move |context| keeper::keep(context, core_, outbox));
    let core_ = shared();
    context.child("presence").spawn(move |context| presence::watch(context, core_));
    let core_ = shared();
    context.child("repair").spawn(move |context| audit::repair(context, core_));
    let core_ = shared();
    context
        .child("serve")
        .spawn(move |context| payloads::listen(context, core_, fetch.inbox, fetch.outbox));
}

/// Lets others take the state over from here, and this peer from them.
fn spawn_sync<E: Clock + Metrics + Spawner>(
    context: &E,
    core: &Arc<Core>,
    mesh: &Mesh,
    trays: Trays,
    spare: Option<Arc<dyn Spare>>,
) {
    let Trays { requests, answers } = trays;
    let (core_, outbox) = (Arc::clone(core), mesh.fetch.outbox.clone());
    let query = Peer { core: Arc::clone(core) }.query();
    context
        .child("handover")
        .spawn(move |context| snapshot::serve(context, core_, query, requests, outbox));
    if let Some(spare) = spare {
        let (core_, outbox) = (Arc::clone(core), mesh.fetch.outbox.clone());
        context
            .child("takeover")
            .spawn(move |context| snapshot::join(context, core_, spare, answers, outbox));
    }
}

/// A peer that halts stops voting at once.
fn spawn_guard<E: Spawner>(context: &E, core: &Arc<Core>, handle: Handle) {
    let core = Arc::clone(core);
    context.child("guard").spawn(move |_| async move {
        core.halt.until(Option::is_some).await;
        handle.shutdown().await;
    });
}

impl Peer {
    /// The genesis of its ledger.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.core.config.genesis
    }

    /// Its ledger.
    #[must_use]
    pub fn ledger(&self) -> LedgerId {
        self.core.ledger
    }

    /// Its voting key.
    #[must_use]
    pub fn key(&self) -> [u8; 32] {
        self.core.config.key
    }

    /// Takes transactions of this process in, as [`Peer::submit_from`] does others'.
    pub async fn submit(&self, submissions: Vec<Submission>) -> Vec<Result<TxId, Refusal>> {
        self.submit_from(Lane::Local, submissions).await
    }

    /// Takes transactions in: checks each (Y.4464 8.2, logic before consensus), spreads those that
    /// pass and answers for each, in order. Passing is no promise of effect: see [`Peer::wait`]. Those
    /// of one lane come after one another and delay no other lane.
    pub async fn submit_from(
        &self,
        lane: Lane,
        submissions: Vec<Submission>,
    ) -> Vec<Result<TxId, Refusal>> {
        let count = submissions.len();
        if count > SUBMISSIONS_MAX {
            return vec![Err(Refusal::TooLarge); count];
        }
        if self.core.is_halted() {
            return vec![Err(Refusal::NotReady); count];
        }
        if self.core.is_full() && submissions.iter().any(|it| !it.payloads.is_empty()) {
            return vec![Err(Refusal::StorageFull); count];
        }
        let (reply, verdicts) = oneshot::channel();
        intake::call(&self.core, lane, Call { submissions, source: Source::Client(reply) });
        verdicts.await.unwrap_or_else(|_| vec![Err(Refusal::NotReady); count])
    }

    /// Resolves when the transaction is final and executed here. `None` if too many wait already,
    /// or the peer stops. The caller bounds the time; dropping the future is fine.
    pub async fn wait(&self, id: TxId) -> Option<Placed> {
        let waiting = self.core.wait_for(id)?;
        // It may have been executed before the wait was registered.
        if let Some(placed) = self.placed(&id) {
            return Some(placed);
        }
        waiting.await.ok()
    }

    /// Where a final transaction stands, if it is one.
    #[must_use]
    pub fn placed(&self, id: &TxId) -> Option<Placed> {
        let own = || self.core.chain.placed(id);
        self.core.present().placed(id).or_else(own)
    }

    /// Whether a transaction waits here to be included.
    #[must_use]
    pub fn is_waiting(&self, id: &TxId) -> bool {
        self.core.mempool.lock().get(id).is_some()
    }

    /// How many transactions of this peer's own clients it took in, and are neither final nor given up.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.core.mempool.lock().local_len()
    }

    /// Puts other bounds of the mempool in force. What waits already stays.
    pub fn set_mempool_limits(&self, limits: Limits) {
        self.core.mempool.lock().set_limits(limits);
    }

    /// Executed blocks from now on. One that lags too far misses some and must read them by height.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Executed>> {
        self.core.executed.subscribe()
    }

    /// Who came and went lately as this peer noticed, at most [`PRESENCE_KEPT_MAX`](crate::PRESENCE_KEPT_MAX),
    /// oldest first, and whoever comes and goes from now on.
    #[must_use]
    pub fn presence(&self) -> (Vec<PresenceChange>, broadcast::Receiver<PresenceChange>) {
        self.core.presence.follow()
    }

    /// The newest executed height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.core.present().height()
    }

    /// The newest height up to which it executed every block since the genesis itself.
    #[must_use]
    pub fn history_height(&self) -> u64 {
        self.core.chain.height()
    }

    /// The height whose state it took over from others since it started, or before and went on with.
    #[must_use]
    pub fn took_over(&self) -> Option<u64> {
        self.core.ahead.get().map(|ahead| ahead.base)
    }

    /// How many answers of other peers about the state or blocks were not true, since it started.
    #[must_use]
    pub fn lies(&self) -> u64 {
        self.core.counters.lies.load(Ordering::Relaxed)
    }

    /// Resolves when the height has been executed.
    pub async fn executed_at_least(&self, height: u64) {
        self.core.present_at_least(height).await;
    }

    /// Root of the state after the newest executed block.
    #[must_use]
    pub fn state_root(&self) -> Digest {
        self.core.present().state_root()
    }

    /// The final block at a height.
    pub async fn block(&self, height: u64) -> Option<Arc<Block>> {
        if height == 0 {
            return Some(Arc::clone(self.core.chain.genesis_block()));
        }
        self.core.ordering()?.block(height).await
    }

    /// The certificate of the block at a height.
    pub async fn certificate(&self, height: u64) -> Option<Certificate> {
        self.core.ordering()?.certificate(height).await
    }

    /// Resolves with the reason if the peer stops taking part by itself.
    pub async fn halted(&self) -> Halt {
        loop {
            self.core.halt.until(Option::is_some).await;
            if let Some(reason) = self.core.halt.get() {
                return reason;
            }
        }
    }

    /// What ordering is doing and waiting for.
    #[must_use]
    pub fn ordering_status(&self) -> Option<althing_ordering::Status> {
        Some(self.core.ordering()?.status())
    }

    /// Offences of validators seen since start.
    #[must_use]
    pub fn evidence(&self) -> Vec<Evidence> {
        self.core.evidence.lock().clone()
    }

    /// What a validator did against the rules since the start, as this peer saw it.
    #[must_use]
    pub fn offences(&self, validator: &PeerKey) -> Vec<(Offence, Offences)> {
        self.core.offences.lock().of(validator)
    }

    /// Stops voting and taking part. What is on disk is complete; a later start goes on from there.
    pub async fn shutdown(&self) {
        if let Some(ordering) = self.core.ordering() {
            ordering.shutdown().await;
        }
    }
}
