//! Ordered delivery of final blocks, and the fetching of those that were missed.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

use commonware_broadcast::buffered;
use commonware_consensus::{
    marshal::{self, Start, core::Actor, resolver::p2p as backfill, standard::Standard},
    types::{FixedEpocher, ViewDelta},
};
use commonware_cryptography::{Digested, ed25519::PublicKey};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock, Handle as Task, Metrics, Spawner, Storage};
use commonware_utils::{NZDuration, NZU64, NZUsize, channel::mpsc};
use futures::FutureExt as _;
use rand_core_0_10::CryptoRng;

use crate::{
    archive::{self, REPLAY_BUFFER, WRITE_BUFFER},
    block::Sealed,
    config::ConfigError,
    epochs::Schemes,
    error::StartError,
    handle::Marshal,
    launch::Parts,
    observer::Delivery,
};

/// Messages that may wait for each of the engine's tasks.
pub(crate) const MAILBOX: NonZeroUsize = NZUsize!(256);
/// Proposed blocks kept per validator until they are final or abandoned.
const PROPOSALS_KEPT: usize = 8;
/// Views for which votes and proposals are kept behind the newest final one, for peers that lag.
pub(crate) const VIEWS_KEPT: ViewDelta = ViewDelta::new(64);
/// Views per file of proposals; a file is deleted when all its views are past keeping.
const VIEWS_PER_FILE: NonZeroU64 = NZU64!(64);
/// Missing blocks asked for at a time when catching up.
const BACKFILL_MAX: NonZeroUsize = NZUsize!(32);
/// How long a peer may take to answer before another is asked.
pub(crate) const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// Pause before a request that nobody could answer is repeated.
pub(crate) const FETCH_RETRY: Duration = Duration::from_millis(100);

/// Access to the final blocks, and the task that delivers them.
pub(crate) struct Delivered {
    pub(crate) marshal: Marshal,
    pub(crate) task: Task<()>,
    /// Heights of the blocks that end an epoch, as they become final.
    pub(crate) ended: mpsc::UnboundedReceiver<u64>,
}

impl Parts {
    /// Opens the archives and starts ordered delivery, which also fetches what was missed.
    pub(crate) async fn deliver<E, S, R, P, B>(
        &self,
        context: &E,
        provider: P,
        blocker: B,
        backfill: (S, R),
        blocks: (S, R),
    ) -> Result<Delivered, StartError>
    where
        E: Clock + CryptoRng + Metrics + Spawner + Storage,
        S: Sender<PublicKey = PublicKey>,
        R: Receiver<PublicKey = PublicKey>,
        P: Provider<PublicKey = PublicKey>,
        B: Blocker<PublicKey = PublicKey>,
    {
        let config = &self.config;
        let (finalizations, stored) =
            archive::open_both(context, config, self.limits(), &self.cache).await?;
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
        let (actor, marshal, floor) = Actor::<_, Standard<Sealed>, _, _, _, _, _>::init(
            context.child("marshal"),
            finalizations,
            stored,
            self.marshal(genesis),
        )
        .await;
        self.shared.acknowledged(floor.processed().map_or(0, |at| at.height().get()));
        let (ends, ended) = mpsc::unbounded_channel();
        let delivery = Delivery {
            app: Arc::clone(&self.app),
            shared: Arc::clone(&self.shared),
            epochs: Arc::clone(&self.epochs),
            ended: ends,
        };
        // If this peer knows it already, it can check what it is sent from the first message on.
        let epoch = self.epochs.of(self.shared.acknowledged_height().saturating_add(1));
        let _ = self.epochs.learn(&*self.app, epoch).now_or_never();
        let task = actor.start(delivery, mailbox, resolver);
        Ok(Delivered { marshal, task, ended })
    }

    fn marshal(
        &self,
        genesis: Sealed,
    ) -> marshal::Config<Schemes, FixedEpocher, Sequential, Sealed, Digested<Sealed>> {
        let unacknowledged = NonZeroUsize::new(self.config.sizes.unacknowledged);
        marshal::Config {
            provider: Schemes(Arc::clone(&self.epochs)),
            epocher: self.epochs.epocher(),
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
}
