//! Puts archives, ordered delivery, barrier and engine together, in the order in which they start.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use commonware_broadcast::buffered;
use commonware_consensus::{
    Reporters,
    marshal::{
        self, Start,
        core::Actor as MarshalActor,
        resolver::p2p as backfill,
        standard::{Deferred, Standard},
    },
    simplex::{
        self, Floor, ForwardPolicy, SkipBudget, SkipPolicy, elector::RoundRobin,
        scheme::ed25519::Scheme,
    },
    types::{Epoch, FixedEpocher, ViewDelta},
};
use commonware_cryptography::{
    Sha256, Signer as _,
    certificate::ConstantProvider,
    ed25519::{PrivateKey, PublicKey},
};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock, Handle as Task, Metrics, Spawner, Storage, buffer::paged::CacheRef,
};
use commonware_utils::{NZDuration, NZU64, NZUsize, channel::oneshot, ordered::Set};
use futures::future::{Either, pending, select};
use rand_core_0_10::CryptoRng;

use crate::{
    archive::{self, REPLAY_BUFFER, WRITE_BUFFER},
    barrier::{self, Looker, Presence},
    block::{Limits, Sealed, engine_digest},
    certificate::{peer_key, private_key, public_key, scheme},
    config::{Config, ConfigError, Role},
    engine::Bridge,
    error::StartError,
    handle::{Handle, Marshal},
    mesh::{Inbox, Link, Mesh, Outbox},
    observer::{Delivery, Watch},
    seam::{Application, PeerKey},
    status::{Phase, Shared, StopReason, unix_ms},
    wiring::{Channels, Wires},
};

/// Messages that may wait for each of the engine's tasks.
const MAILBOX: NonZeroUsize = NZUsize!(256);
/// Proposed blocks kept per validator until they are final or abandoned.
const PROPOSALS_KEPT: usize = 8;
/// Views for which votes and proposals are kept behind the newest final one, for peers that lag.
const VIEWS_KEPT: ViewDelta = ViewDelta::new(64);
/// Views per file of proposals; a file is deleted when all its views are past keeping.
const VIEWS_PER_FILE: NonZeroU64 = NZU64!(64);
/// Missing blocks asked for at a time when catching up.
const BACKFILL_MAX: NonZeroUsize = NZUsize!(32);
/// How long a peer may take to answer before another is asked.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause before a request that nobody could answer is repeated.
const FETCH_RETRY: Duration = Duration::from_millis(100);

/// What all parts of one peer's ordering need.
#[derive(Clone)]
struct Parts {
    config: Arc<Config>,
    app: Arc<dyn Application>,
    shared: Arc<Shared>,
    scheme: Scheme,
    me: PublicKey,
    participants: Set<PublicKey>,
    validators: Arc<[PeerKey]>,
    presence: Arc<dyn Presence>,
    cache: CacheRef,
}

pub(crate) async fn launch<E, S, R, P, B>(
    context: E,
    wires: Wires<S, R, P, B>,
    config: Config,
    app: Arc<dyn Application>,
) -> Result<(Handle, Mesh), StartError>
where
    E: Clock + CryptoRng + Metrics + Spawner + Storage,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    P: Provider<PublicKey = PublicKey>,
    B: Blocker<PublicKey = PublicKey>,
{
    let Wires { channels, provider, blocker, task } = wires;
    let Channels { votes, certificates, resolver, backfill, blocks, transactions, fetch, presence } =
        channels;
    let max = config.sizes.message_bytes_max;
    let mesh = Mesh { transactions: link(transactions, max), fetch: link(fetch, max) };
    let parts = Parts::new(config, app, Arc::new(Looker::new(presence)))?;
    let (started, start) = oneshot::channel();
    let root = parts.clone();
    context.child("ordering").spawn(move |context| async move {
        let finish = Finish(Arc::clone(&root.shared));
        match root.deliver(&context, provider, blocker.clone(), backfill, blocks).await {
            Err(error) => drop(started.send(Err(error))),
            Ok(Running { marshal, task: delivery }) => {
                if started.send(Ok(marshal.clone())).is_ok() {
                    let vote = root.vote(&context, marshal, blocker, votes, certificates, resolver);
                    root.supervise(&context, delivery, task, vote).await;
                }
            }
        }
        drop(finish);
    });
    let marshal = start.await.map_err(|_| StartError::Stopped)??;
    let handle =
        Handle::new(marshal, parts.shared, parts.presence, parts.validators, &parts.participants);
    Ok((handle, mesh))
}

fn link<S, R>((sender, receiver): (S, R), max: usize) -> Link
where
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
{
    Link { outbox: Outbox::new(sender, max), inbox: Inbox::new(receiver) }
}

/// Says that all has ended, also when the task is aborted.
struct Finish(Arc<Shared>);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.finish();
    }
}

struct Running {
    marshal: Marshal,
    task: Task<()>,
}

/// The key a configuration speaks for, if it makes sense.
pub(crate) fn identity(config: &Config) -> Result<(PrivateKey, PublicKey), ConfigError> {
    let key = private_key(&config.seed).map_err(|_| ConfigError::Key([0; 32]))?;
    let me = key.public_key();
    config.validate(&peer_key(&me))?;
    Ok((key, me))
}

impl Parts {
    fn new(
        config: Config,
        app: Arc<dyn Application>,
        presence: Arc<dyn Presence>,
    ) -> Result<Self, StartError> {
        let (key, me) = identity(&config)?;
        let validators: Arc<[PeerKey]> = config.validator_keys().into();
        let mut participants = Vec::with_capacity(validators.len());
        for key in validators.iter() {
            participants.push(public_key(key).map_err(|_| ConfigError::Key(*key))?);
        }
        let participants = Set::from_iter_dedup(participants);
        let signer = (config.role == Role::Validator).then_some(key);
        let scheme =
            scheme(&config.ledger, participants.clone(), signer).ok_or(ConfigError::Validators)?;
        let shared = Arc::new(Shared::new(config.validators.epoch, validators.len()));
        Ok(Self {
            config: Arc::new(config),
            app,
            shared,
            scheme,
            me,
            participants,
            validators,
            presence,
            cache: archive::page_cache(),
        })
    }

    fn limits(&self) -> Limits {
        Limits { block_bytes_max: self.config.sizes.block_bytes_max }
    }

    /// One epoch for now: every height belongs to it.
    fn epocher() -> FixedEpocher {
        FixedEpocher::new(NZU64!(u64::MAX))
    }

    /// Opens the archives and starts ordered delivery, which also fetches what was missed.
    async fn deliver<E, S, R, P, B>(
        &self,
        context: &E,
        provider: P,
        blocker: B,
        backfill: (S, R),
        blocks: (S, R),
    ) -> Result<Running, StartError>
    where
        E: Clock + CryptoRng + Metrics + Spawner + Storage,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        P: Provider<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let config = &self.config;
        let (finalizations, stored) =
            archive::open_both(context, config, &self.scheme, self.limits(), &self.cache).await?;
        let genesis = Sealed::new(Arc::clone(&config.genesis))
            .ok_or(ConfigError::Key(config.genesis.header().proposer))?;
        let resolver = backfill::init(
            context.child("backfill"),
            backfill::Config {
                public_key: self.me.clone(),
                peer_provider: provider.clone(),
                blocker,
                mailbox_size: MAILBOX,
                fetch_timeout: NZDuration!(FETCH_TIMEOUT),
                fetch_retry_delay: FETCH_RETRY,
                priority_requests: false,
                priority_responses: false,
            },
            backfill,
        );
        let (buffer, mailbox) = buffered::Engine::new(
            context.child("proposals"),
            buffered::Config {
                public_key: self.me.clone(),
                mailbox_size: MAILBOX,
                deque_size: PROPOSALS_KEPT,
                priority: false,
                codec_config: self.limits(),
                peer_provider: provider,
                strategy: Sequential,
            },
        );
        buffer.start(blocks);
        let (actor, marshal, floor) = MarshalActor::<_, Standard<Sealed>, _, _, _, _, _>::init(
            context.child("marshal"),
            finalizations,
            stored,
            self.marshal(genesis),
        )
        .await;
        self.shared.acknowledged(floor.processed().map_or(0, |at| at.height().get()));
        let delivery = Delivery { app: Arc::clone(&self.app), shared: Arc::clone(&self.shared) };
        let task = actor.start(delivery, mailbox, resolver);
        Ok(Running { marshal, task })
    }

    fn marshal(
        &self,
        genesis: Sealed,
    ) -> marshal::Config<
        ConstantProvider<Scheme, Epoch>,
        FixedEpocher,
        Sequential,
        Sealed,
        commonware_cryptography::Digested<Sealed>,
    > {
        let unacknowledged = NonZeroUsize::new(self.config.sizes.unacknowledged);
        marshal::Config {
            provider: ConstantProvider::new(self.scheme.clone()),
            epocher: Self::epocher(),
            start: Start::Genesis(genesis.digested()),
            partition_prefix: format!("{}-marshal", self.config.partition),
            mailbox_size: MAILBOX,
            view_retention: VIEWS_KEPT,
            prunable_items_per_section: VIEWS_PER_FILE,
            page_cache: self.cache.clone(),
            replay_buffer: REPLAY_BUFFER,
            key_write_buffer: WRITE_BUFFER,
            value_write_buffer: WRITE_BUFFER,
            block_codec_config: self.limits(),
            max_repair: BACKFILL_MAX,
            max_pending_acks: unacknowledged.unwrap_or(NonZeroUsize::MIN),
            strategy: Sequential,
        }
    }

    /// Waits until votes reach somebody, then runs the engine until it ends.
    async fn vote<E, S, R, B>(
        &self,
        context: &E,
        marshal: Marshal,
        blocker: B,
        votes: (S, R),
        certificates: (S, R),
        resolver: (S, R),
    ) where
        E: Clock + CryptoRng + Metrics + Spawner + Storage,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let phase = match self.config.role {
            Role::Follower => Phase::Following,
            Role::Validator => {
                let me = peer_key(&self.me);
                self.shared.enter(Phase::Connecting, unix_ms(context.current()));
                barrier::wait(context, &*self.presence, &self.validators, &me).await;
                Phase::Voting
            }
        };
        self.shared.enter(phase, unix_ms(context.current()));
        let bridge = Bridge {
            app: Arc::clone(&self.app),
            shared: Arc::clone(&self.shared),
            ledger: self.config.ledger,
            validators: self.config.validators.digest(),
            block_bytes_max: self.config.sizes.block_bytes_max,
        };
        let deferred =
            Deferred::new(context.child("application"), bridge, marshal, Self::epocher());
        let watch = Watch::new(
            context.child("watch"),
            Arc::clone(&self.app),
            Arc::clone(&self.shared),
            self.scheme.clone(),
            Arc::clone(&self.validators),
        );
        let timing = self.config.timing;
        let epoch = self.config.validators.epoch;
        let settings = simplex::Config {
            scheme: self.scheme.clone(),
            elector: RoundRobin::<Sha256>::default(),
            blocker,
            automaton: deferred.clone(),
            relay: deferred.clone(),
            reporter: Reporters::from((watch, deferred)),
            track_historical_votes: false,
            strategy: Sequential,
            // Votes of two epochs must never meet in one journal.
            partition: format!("{}-votes-{epoch}", self.config.partition),
            mailbox_size: MAILBOX,
            epoch: Epoch::new(epoch),
            floor: Floor::Genesis(engine_digest(&self.config.genesis.digest())),
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
        let engine = simplex::Engine::new(context.child("engine"), settings);
        let _ = engine.start(votes, certificates, resolver).await;
    }

    /// Waits for the first of: a request to stop, the runtime's stop, the end of a part. Then ends
    /// the parts that are not below the root; those that are end with it.
    async fn supervise<E: Spawner>(
        &self,
        context: &E,
        mut delivery: Task<()>,
        mut network: Option<Task<()>>,
        vote: impl Future<Output = ()>,
    ) {
        let (asked, ended) = {
            let network = match &mut network {
                Some(task) => Either::Left(task),
                None => Either::Right(pending()),
            };
            let vote = pin!(vote);
            let parts = select(select(&mut delivery, network), vote);
            let request = pin!(self.shared.stop_requested());
            match select(select(request, context.stopped()), parts).await {
                Either::Left((Either::Left(_), _)) => (true, None),
                Either::Left((Either::Right(_), parts)) => {
                    // The parts saw the same signal; let them finish what they are doing.
                    self.shared.request_stop(StopReason::Asked);
                    parts.await;
                    (false, None)
                }
                Either::Right((Either::Left((part, _)), _)) => match part {
                    Either::Left(_) => (false, Some("block delivery")),
                    Either::Right(_) => (false, Some("the network")),
                },
                Either::Right((Either::Right(_), _)) => (false, Some("the engine")),
            }
        };
        if let Some(part) = ended {
            if !self.shared.is_stopping() {
                tracing::error!(part, "a part of ordering ended by itself; ordering stops");
            }
            self.shared.request_stop(StopReason::Failed(part));
        }
        for task in network.into_iter().chain([delivery]) {
            task.abort();
            // A task that has ended must not be asked again, and only this case excludes that.
            if asked {
                let _ = task.await;
            }
        }
    }
}
