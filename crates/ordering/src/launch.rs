//! Puts delivery, barrier and engine together, in the order in which they start, and ends them.

use std::{pin::pin, sync::Arc};

use commonware_cryptography::{
    Signer as _,
    ed25519::{PrivateKey, PublicKey},
};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_runtime::{
    Clock, Handle as Task, Metrics, Spawner, Storage, buffer::paged::CacheRef,
};
use commonware_utils::channel::oneshot;
use futures::future::{Either, select};
use rand_core_0_10::CryptoRng;

use crate::{
    archive,
    barrier::{Looker, Presence},
    block::Limits,
    certificate::{peer_key, private_key},
    config::{Config, ConfigError},
    delivery::Delivered,
    epochs::Epochs,
    error::StartError,
    handle::Handle,
    mesh::{Inbox, Link, Mesh, Outbox},
    seam::Application,
    status::{Shared, StopReason},
    voting::Ballots,
    wiring::{Channels, Track, Wires},
};

/// What all parts of one peer's ordering need.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) config: Arc<Config>,
    pub(crate) app: Arc<dyn Application>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) me: PublicKey,
    pub(crate) epochs: Arc<Epochs>,
    pub(crate) track: Arc<dyn Track>,
    pub(crate) presence: Arc<dyn Presence>,
    pub(crate) cache: CacheRef,
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
    let Wires { channels, provider, blocker, track } = wires;
    let Channels {
        votes,
        certificates,
        resolver,
        backfill,
        blocks,
        transactions,
        fetch,
        presence,
        addresses,
    } = channels;
    let max = config.sizes.message_bytes_max;
    let mesh = Mesh { transactions: link(transactions, max), fetch: link(fetch, max) };
    let parts = Parts::new(config, app, Arc::new(Looker::new(presence)), track)?;
    let (started, start) = oneshot::channel();
    let root = parts.clone();
    let ballots = Ballots { votes, certificates, resolver };
    context.child("ordering").spawn(move |context| async move {
        let finish = Finish(Arc::clone(&root.shared));
        match root.deliver(&context, provider, blocker.clone(), backfill, blocks).await {
            Err(error) => drop(started.send(Err(error))),
            Ok(Delivered { marshal, task, ended }) => {
                if started.send(Ok(marshal.clone())).is_ok() {
                    let exchange = root.clone();
                    context
                        .child("addresses")
                        .spawn(move |context| exchange.exchange_addresses(context, addresses));
                    let vote = root.vote(&context, marshal, blocker, ballots, ended);
                    root.supervise(&context, task, vote).await;
                }
            }
        }
        drop(finish);
    });
    let marshal = start.await.map_err(|_| StartError::Stopped)??;
    Ok((Handle::new(marshal, parts.shared, parts.presence, parts.epochs), mesh))
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
        track: Arc<dyn Track>,
    ) -> Result<Self, StartError> {
        let (key, me) = identity(&config)?;
        let epochs = Epochs::new(&config, key, peer_key(&me))?;
        let shared = Arc::new(Shared::new(0, config.validators.validators.len()));
        Ok(Self {
            config: Arc::new(config),
            app,
            shared,
            me,
            epochs: Arc::new(epochs),
            track,
            presence,
            cache: archive::page_cache(),
        })
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits { block_bytes_max: self.config.sizes.block_bytes_max }
    }

    /// Runs until asked to stop, until the runtime stops, or until a part ends. Returning ends every
    /// task below the root.
    async fn supervise<E: Spawner>(
        &self,
        context: &E,
        mut delivery: Task<()>,
        vote: impl Future<Output = ()>,
    ) {
        let end = {
            let request = pin!(self.shared.stop_requested());
            let vote = pin!(vote);
            let parts = select(&mut delivery, vote);
            match select(select(request, context.stopped()), parts).await {
                Either::Left((Either::Left(_), _)) => End::Asked,
                Either::Left((Either::Right(_), parts)) => {
                    self.shared.request_stop(StopReason::Asked);
                    // They were told as well; let them finish what they are writing.
                    match parts.await {
                        Either::Left((_, vote)) => vote.await,
                        Either::Right(((), delivery)) => drop(delivery.await),
                    }
                    End::Runtime
                }
                Either::Right((Either::Left(_), _)) => End::Part("the delivery of final blocks"),
                Either::Right((Either::Right(_), _)) => End::Part("the engine"),
            }
        };
        match end {
            End::Runtime => {}
            End::Asked => {
                // Nothing is delivered any more once the asker hears that ordering has ended.
                delivery.abort();
                let _ = delivery.await;
            }
            End::Part(part) => self.shared.fail(part),
        }
    }
}

enum End {
    Asked,
    Runtime,
    Part(&'static str),
}
