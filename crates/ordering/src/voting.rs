//! The engine, one run for each epoch: proposals, votes, certificates.

use std::{pin::pin, sync::Arc, time::Duration};

use althing_types::Mechanism;
use commonware_consensus::{
    Reporters,
    marshal::standard::Deferred,
    simplex::{self, Floor, ForwardPolicy, SkipBudget, SkipPolicy, elector::RoundRobin},
    types::{Epoch, Height},
};
use commonware_cryptography::{Digestible as _, Sha256, ed25519::PublicKey, sha256};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock, Handle as Task, Metrics, Spawner, Storage};
use commonware_utils::{NZDuration, channel::mpsc};
use futures::future::{Either, select};
use rand_core_0_10::CryptoRng;

use crate::{
    archive::{REPLAY_BUFFER, WRITE_BUFFER},
    barrier,
    block::engine_digest,
    certificate::peer_key,
    delivery::{FETCH_RETRY, FETCH_TIMEOUT, MAILBOX, VIEWS_KEPT},
    engine::Bridge,
    epochs::{Circle, Electorate},
    handle::Marshal,
    lanes::{Lane, Lanes},
    launch::Parts,
    observer::Watch,
    status::{Phase, unix_ms},
};

/// Pause before the archive is asked again for a block that it is just writing.
const FLOOR_PAUSE: Duration = Duration::from_millis(5);
/// Epochs behind the present one whose votes stay on disk.
const VOTES_KEPT_EPOCHS: u64 = 2;

/// The channels of the engine itself.
pub(crate) struct Ballots<S, R> {
    pub(crate) votes: (S, R),
    pub(crate) certificates: (S, R),
    pub(crate) resolver: (S, R),
}

/// The engine of an epoch, which ends when this is dropped.
pub(crate) struct Running(pub(crate) Task<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What an epoch begins on.
pub(crate) struct Beginning<S: Sender> {
    pub(crate) electorate: Arc<Electorate>,
    /// The last block of the epoch before.
    floor: sha256::Digest,
    pub(crate) lane: Lane<S>,
}

impl Parts {
    /// Runs the engine epoch after epoch, until one ends by itself. `ended` gives the heights of
    /// blocks that end an epoch, as they become final.
    ///
    /// The engine of an epoch goes on until all is known that the next one begins on: it tells the
    /// others how it ended. Then it stops, since it would propose the last block for ever; whoever
    /// is late fetches that block with its certificate.
    pub(crate) async fn vote<E, S, R, B>(
        &self,
        context: &E,
        marshal: Marshal,
        blocker: B,
        ballots: Ballots<S, R>,
        mut ended: mpsc::UnboundedReceiver<u64>,
    ) where
        E: Clock + CryptoRng + Metrics + Spawner + Storage,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let mut lanes = Lanes::open(context, ballots, &self.epochs, &marshal);
        let first = self.epochs.of(self.shared.acknowledged_height().saturating_add(1));
        let mut running: Option<Running> = None;
        for epoch in first.. {
            let is_first = running.is_none();
            let begun = {
                let begin = self.begin(context, &marshal, &mut lanes, epoch, is_first);
                let over = async {
                    match &mut running {
                        Some(Running(task)) => drop(task.await),
                        None => drop(context.stopped().await),
                    }
                };
                unless(over, begin).await.flatten()
            };
            let Some(begun) = begun else { return };
            drop(running.take());
            self.entered(context, &begun.electorate);
            let mut engine = match begun.electorate.mechanism {
                Mechanism::Simplex => self.start(context, &marshal, blocker.clone(), begun),
                Mechanism::Raft => self.start_raft(context, &marshal, begun),
            };
            lanes.chase(&self.epochs, &marshal);
            let end = end_of(self.epochs.last(epoch), &mut ended);
            let end = async { _ = select(pin!(end), pin!(self.prepare(epoch))).await };
            if unless(&mut engine.0, end).await.is_none() {
                return;
            }
            running = Some(engine);
            self.forget(context, epoch).await;
        }
    }

    /// Gathers what an epoch begins on; nothing if the connections have ended.
    async fn begin<E, S>(
        &self,
        context: &E,
        marshal: &Marshal,
        lanes: &mut Lanes<S>,
        epoch: u64,
        is_first: bool,
    ) -> Option<Beginning<S>>
    where
        E: Clock,
        S: Sender<PublicKey = PublicKey>,
    {
        // Opened before anything is waited for: what arrives early waits there.
        let lane = lanes.of(epoch).await?;
        let electorate = self.epochs.learn(&*self.app, epoch).await;
        if epoch > 0 {
            let number = epoch.saturating_mul(2).saturating_add(1);
            self.track.track(number, &Circle::of(&[&electorate]));
        }
        let floor = self.floor(context, marshal, epoch).await;
        if is_first {
            self.enter(context, &electorate);
        }
        if electorate.votes && is_first {
            self.shared.enter(Phase::Connecting, unix_ms(context.current()));
            let me = peer_key(&self.me);
            let (keys, quorum) = (&electorate.keys, electorate.quorum);
            let ready = barrier::wait(context, &*self.presence, keys, quorum, &me);
            // Of the validators of an epoch long over there may never be a quorum again.
            select(pin!(ready), pin!(lanes.overtaken(epoch))).await;
        }
        Some(Beginning { electorate, floor, lane })
    }

    /// The last block of the epoch before, which is final.
    async fn floor<E: Clock>(&self, context: &E, marshal: &Marshal, epoch: u64) -> sha256::Digest {
        let Some(last) = epoch.checked_sub(1).and_then(|before| self.epochs.last(before)) else {
            return engine_digest(&self.config.genesis.digest());
        };
        loop {
            if let Some(block) = marshal.get_block(Height::new(last)).await {
                return block.digest();
            }
            context.sleep(FLOOR_PAUSE).await;
        }
    }

    /// Gets to know the validators of the next epoch, and connects to them; never resolves.
    async fn prepare(&self, epoch: u64) {
        if self.epochs.last(epoch).is_some() {
            let present = self.epochs.present();
            let next = self.epochs.learn(&*self.app, epoch.saturating_add(1)).await;
            let number = epoch.saturating_mul(2).saturating_add(2);
            self.track.track(number, &Circle::of(&[&present, &next]));
        }
        futures::future::pending().await
    }

    /// Removes the votes of an epoch long past. Those of the one just over stay: after a loss of power
    /// this peer may find itself in it again, and must not vote twice.
    async fn forget<E: Storage>(&self, context: &E, epoch: u64) {
        if let Some(old) = epoch.checked_sub(VOTES_KEPT_EPOCHS) {
            // It may have been removed before.
            let _ = context.remove(&self.votes_of(old), None).await;
        }
    }

    /// Where what this peer promised in an epoch is kept.
    pub(crate) fn votes_of(&self, epoch: u64) -> String {
        format!("{}-votes-{epoch}", self.config.partition)
    }

    /// Says that the engine of an epoch begins.
    fn entered(&self, context: &impl Clock, electorate: &Arc<Electorate>) {
        self.enter(context, electorate);
        let phase = if electorate.votes { Phase::Voting } else { Phase::Following };
        self.shared.enter(phase, unix_ms(context.current()));
        let Electorate { epoch, votes, mechanism, .. } = **electorate;
        tracing::info!(epoch, validators = electorate.keys.len(), votes, ?mechanism, "epoch");
    }

    fn start<E, S, B>(
        &self,
        context: &E,
        marshal: &Marshal,
        blocker: B,
        begun: Beginning<S>,
    ) -> Running
    where
        E: Clock + CryptoRng + Metrics + Spawner + Storage,
        S: Sender<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let Beginning { electorate, floor, lane } = begun;
        let epoch = electorate.epoch;
        let named = |name| context.child(name).with_attribute("epoch", epoch);
        let deferred = Deferred::new(
            named("application"),
            self.bridge(marshal.clone(), &electorate),
            marshal.clone(),
            self.epochs.epocher(),
        );
        let watch = Watch::new(
            named("watch"),
            Arc::clone(&self.app),
            Arc::clone(&self.shared),
            &electorate,
        );
        let timing = self.config.timing;
        let settings = simplex::Config {
            scheme: (*electorate.scheme).clone(),
            elector: RoundRobin::<Sha256>::default(),
            blocker,
            automaton: deferred.clone(),
            relay: deferred.clone(),
            reporter: Reporters::from((watch, deferred)),
            track_historical_votes: false,
            strategy: Sequential,
            // Votes of two epochs must never meet in one journal.
            partition: self.votes_of(epoch),
            mailbox_size: MAILBOX,
            epoch: Epoch::new(epoch),
            floor: Floor::Genesis(floor),
            replay_buffer: REPLAY_BUFFER,
            write_buffer: WRITE_BUFFER,
            page_cache: self.cache.clone(),
            leader_timeout: timing.leader_timeout,
            certification_timeout: timing.certification_timeout,
            timeout_retry: timing.retry,
            view_retention: VIEWS_KEPT,
            skip: SkipPolicy::Enabled {
                timeout: timing.skip_timeout,
                budget: SkipBudget::Participants,
            },
            fetch_timeout: NZDuration!(FETCH_TIMEOUT),
            fetch_retry_delay: FETCH_RETRY,
            forward: ForwardPolicy::SilentLeader,
        };
        let engine = simplex::Engine::new(named("engine"), settings);
        Running(engine.start(lane.votes, lane.certificates, lane.resolver))
    }

    fn enter(&self, clock: &impl Clock, electorate: &Arc<Electorate>) {
        self.epochs.enter(electorate);
        let now = unix_ms(clock.current());
        self.shared.enter_epoch(electorate.epoch, electorate.keys.len(), now);
    }

    pub(crate) fn bridge(&self, marshal: Marshal, electorate: &Electorate) -> Bridge {
        let others = electorate.participants.iter().filter(|key| **key != self.me);
        Bridge {
            marshal,
            others: others.cloned().collect(),
            app: Arc::clone(&self.app),
            shared: Arc::clone(&self.shared),
            ledger: self.config.ledger,
            validators: electorate.digest,
            block_bytes_max: self.config.sizes.block_bytes_max,
        }
    }
}

/// What a future gives, if another does not end before.
async fn unless<T>(over: impl Future, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), pin!(over)).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

/// Resolves when the block at a height is final; never, if there is no such height.
async fn end_of(height: Option<u64>, ended: &mut mpsc::UnboundedReceiver<u64>) {
    while let Some(found) = ended.recv().await {
        if Some(found) == height {
            return;
        }
    }
    futures::future::pending().await
}
