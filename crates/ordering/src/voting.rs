//! The engine of one epoch: proposals, votes, certificates.

use std::{pin::pin, sync::Arc};

use commonware_consensus::{
    Reporters,
    marshal::standard::Deferred,
    simplex::{self, Floor, ForwardPolicy, SkipBudget, SkipPolicy, elector::RoundRobin},
    types::Epoch,
};
use commonware_cryptography::{Sha256, ed25519::PublicKey};
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock, Metrics, Spawner, Storage};
use commonware_utils::NZDuration;
use futures::future::{Either, select};
use rand_core_0_10::CryptoRng;

use crate::{
    archive::{REPLAY_BUFFER, WRITE_BUFFER},
    barrier,
    block::engine_digest,
    certificate::peer_key,
    config::Role,
    delivery::{FETCH_RETRY, FETCH_TIMEOUT, MAILBOX, VIEWS_KEPT},
    engine::Bridge,
    handle::Marshal,
    launch::Parts,
    observer::Watch,
    status::{Phase, unix_ms},
};

/// The channels of the engine itself.
pub(crate) struct Ballots<S, R> {
    pub(crate) votes: (S, R),
    pub(crate) certificates: (S, R),
    pub(crate) resolver: (S, R),
}

impl Parts {
    /// Waits until votes reach somebody, then runs the engine until it ends.
    pub(crate) async fn vote<E, S, R, B>(
        &self,
        context: &E,
        marshal: Marshal,
        blocker: B,
        ballots: Ballots<S, R>,
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
                let barrier = barrier::wait(context, &*self.presence, &self.validators, &me);
                if let Either::Right(_) = select(pin!(barrier), context.stopped()).await {
                    return;
                }
                Phase::Voting
            }
        };
        self.shared.enter(phase, unix_ms(context.current()));
        let application = context.child("application");
        let deferred =
            Deferred::new(application, self.bridge(marshal.clone()), marshal, Self::epocher());
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
        let _ = engine.start(ballots.votes, ballots.certificates, ballots.resolver).await;
    }

    fn bridge(&self, marshal: Marshal) -> Bridge {
        let others = self.participants.iter().filter(|key| **key != self.me);
        Bridge {
            marshal,
            others: others.cloned().collect(),
            app: Arc::clone(&self.app),
            shared: Arc::clone(&self.shared),
            ledger: self.config.ledger,
            validators: self.config.validators.digest(),
            block_bytes_max: self.config.sizes.block_bytes_max,
        }
    }
}
