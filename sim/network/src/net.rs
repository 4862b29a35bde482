use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc, time::Duration};

use althing_ordering::{
    Address, Application, Config, Handle, Mesh, PeerKey, StartError,
    wiring::{self, Channels, Circle, Track, Wires},
};
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{
    Manager as _, TrackedPeers,
    simulated::{self, Oracle},
};
use commonware_runtime::{Handle as Task, Spawner as _, Supervisor as _, deterministic::Context};
use commonware_utils::{
    NZUsize, Probability, channel::oneshot, ordered::Set, probability, sync::Mutex,
};
use futures::future::BoxFuture;

use crate::{
    behaviour::{Behaviour, Liar},
    reach::{Reach, Ways},
    tap::{Kind, Tap},
};

/// How one direction between two peers behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Mean time a message takes.
    pub latency: Duration,
    /// Standard deviation of that time.
    pub jitter: Duration,
    /// How many of a thousand messages get lost.
    pub loss_permille: u16,
}

impl Link {
    /// Five milliseconds, give or take one; nothing gets lost.
    pub const GOOD: Self = Self {
        latency: Duration::from_millis(5),
        jitter: Duration::from_millis(1),
        loss_permille: 0,
    };
}

/// A simulated network; clones share it.
///
/// Links are directed. All peers of the lists given to [`SimNet::start`] are joined by
/// [`Link::GOOD`] at first.
#[derive(Clone)]
pub struct SimNet {
    oracle: Oracle<PublicKey, Context>,
    links: Arc<Mutex<BTreeMap<(PeerKey, PeerKey), Link>>>,
    ways: Ways,
    /// All there are, validators or not.
    peers: Arc<[PeerKey]>,
}

impl SimNet {
    /// Starts a network for the validators and followers of `config`, which may be any peer's.
    ///
    /// # Panics
    /// If a key is not an Ed25519 key.
    pub fn start(context: Context, config: &Config) -> BoxFuture<'static, Self> {
        // Boxed, here and in `add_peer`, so that all is compiled in this crate.
        Box::pin(Self::start_for(context, config.clone()))
    }

    async fn start_for(context: Context, config: Config) -> Self {
        let validators: Vec<PeerKey> =
            config.validators.validators.iter().map(|validator| validator.key).collect();
        let peers: Vec<PeerKey> = validators.iter().chain(&config.followers).copied().collect();
        let settings = simulated::Config {
            max_size: wiring::message_bytes_max(&config),
            max_peers_per_set: NonZeroUsize::new(peers.len()).unwrap_or(NonZeroUsize::MIN),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(2),
        };
        let (network, oracle) = simulated::Network::new(context.child("network"), settings);
        network.start();
        let set = |keys: &[PeerKey]| Set::from_iter_dedup(keys.iter().map(engine_key));
        let tracked = TrackedPeers::new(set(&validators), set(&config.followers));
        let _ = oracle.manager().track(config.validators.epoch, tracked);
        let peers_ = peers.clone().into();
        let net = Self { oracle, links: Arc::default(), ways: Ways::default(), peers: peers_ };
        for from in &peers {
            for to in peers.iter().filter(|to| *to != from) {
                net.set_link(from, to, Link::GOOD).await;
            }
        }
        net
    }

    /// Changes how messages get from one peer to another; also heals a cut.
    pub async fn set_link(&self, from: &PeerKey, to: &PeerKey, link: Link) {
        self.links.lock().insert((*from, *to), link);
        self.cut(from, to).await;
        self.ways.set_cut(from, to, false);
        let delivered = 1000_u64.saturating_sub(link.loss_permille.into());
        let success_rate = Probability::new(delivered, 1000).unwrap_or(probability!(1.0));
        let Link { latency, jitter, .. } = link;
        let link = simulated::Link { latency, jitter, success_rate };
        let _ = self.oracle.add_link(engine_key(from), engine_key(to), link).await;
    }

    /// Loses everything from one peer to another, until [`SimNet::heal`].
    pub async fn cut(&self, from: &PeerKey, to: &PeerKey) {
        self.ways.set_cut(from, to, true);
        let _ = self.oracle.remove_link(engine_key(from), engine_key(to)).await;
    }

    /// Undoes a cut: the link is as it was last set.
    pub async fn heal(&self, from: &PeerKey, to: &PeerKey) {
        let link = self.links.lock().get(&(*from, *to)).copied();
        self.set_link(from, to, link.unwrap_or(Link::GOOD)).await;
    }

    /// Cuts both directions between every peer of `some` and every peer that is not.
    pub async fn partition(&self, some: &[PeerKey]) {
        for (from, to) in self.across(some) {
            self.cut(&from, &to).await;
        }
    }

    /// Undoes [`SimNet::partition`].
    pub async fn join(&self, some: &[PeerKey]) {
        for (from, to) in self.across(some) {
            self.heal(&from, &to).await;
        }
    }

    fn across(&self, some: &[PeerKey]) -> Vec<(PeerKey, PeerKey)> {
        let links = self.links.lock();
        let across = |(from, to): &&(PeerKey, PeerKey)| some.contains(from) != some.contains(to);
        links.keys().filter(across).copied().collect()
    }

    /// Starts a peer. `context` must be used for nothing else, and have labels of its own.
    ///
    /// # Errors
    /// [`StartError`], as of a real peer.
    pub fn add_peer(
        &self,
        context: Context,
        config: Config,
        app: Arc<dyn Application>,
        behaviour: Behaviour,
    ) -> BoxFuture<'static, Result<Node, StartError>> {
        let (started, start) = oneshot::channel();
        let net = self.clone();
        let liar = behaviour.liar(&config);
        let lies = liar.clone();
        Box::pin(async move {
            let task = context.spawn(move |context| async move {
                let key = wiring::public_key_of(&config.seed);
                let key = key.and_then(|key| PeerKey::try_from(key.as_ref()).ok());
                // Ends with the process.
                let _up = key.map(|key| net.ways.start(key));
                let wires = net.wires(&config, liar).await;
                let launched = match wires {
                    Some(wires) => wiring::launch(context.child("peer"), wires, config, app).await,
                    None => Err(StartError::Stopped),
                };
                if started.send(launched).is_ok() {
                    // Ends with the peer: everything it runs is below this task.
                    futures::future::pending::<()>().await;
                }
            });
            let (handle, mesh) = start.await.map_err(|_| StartError::Stopped)??;
            Ok(Node { handle, mesh, task, liar: lies })
        })
    }

    async fn wires(&self, config: &Config, liar: Option<Arc<Liar>>) -> Option<SimWires> {
        let me = wiring::public_key_of(&config.seed)?;
        let reach = Reach { ways: self.ways.clone(), me: PeerKey::try_from(me.as_ref()).ok()? };
        let control = self.oracle.control(me);
        let register = async |channel, kind| {
            let (sender, receiver) =
                control.register(channel, wiring::quota(channel)).await.ok()?;
            Some((Tap::new(sender, kind, liar.clone()), receiver))
        };
        let channels = Channels {
            votes: register(0, Kind::Votes).await?,
            certificates: register(1, Kind::Certificates).await?,
            resolver: register(2, Kind::EpochAnswers).await?,
            backfill: register(3, Kind::Answers).await?,
            blocks: register(4, Kind::Blocks).await?,
            transactions: register(5, Kind::Other).await?,
            fetch: register(6, Kind::Payloads).await?,
            presence: {
                let (sender, _) = control.register(7, wiring::quota(7)).await.ok()?;
                Tap::looking(sender, reach)
            },
            addresses: register(8, Kind::Other).await?,
        };
        let track =
            Arc::new(Tracker { oracle: self.oracle.clone(), peers: Arc::clone(&self.peers) });
        Some(Wires { channels, provider: self.oracle.manager(), blocker: control, track })
    }
}

/// Tells the network who validates; everybody stays connected.
struct Tracker {
    oracle: Oracle<PublicKey, Context>,
    peers: Arc<[PeerKey]>,
}

impl Track for Tracker {
    fn track(&self, number: u64, circle: &Circle) {
        let others = self.peers.iter().filter(|key| !circle.validators.contains_key(*key));
        let primary = Set::from_iter_dedup(circle.validators.keys().map(engine_key));
        let secondary = Set::from_iter_dedup(others.map(engine_key));
        let tracked = TrackedPeers::new(primary, secondary);
        // All peers share this network, and the first to come to a set names it.
        let _ = self.oracle.manager().track(number, tracked);
    }

    /// Links are between peers here, and not between addresses.
    fn seek(&self, _: u64, _: &BTreeMap<PeerKey, Address>, _: &[PeerKey]) {}
}

type SimWires = Wires<
    Tap<simulated::Sender<PublicKey, Context>>,
    simulated::Receiver<PublicKey>,
    simulated::Manager<PublicKey, Context>,
    simulated::Control<PublicKey, Context>,
>;

/// A peer on the simulated network.
pub struct Node {
    /// Access to its ordering.
    pub handle: Handle,
    /// Its channels.
    pub mesh: Mesh,
    task: Task<()>,
    liar: Option<Arc<Liar>>,
}

impl Node {
    /// How many of its messages were suppressed or contradicted, if it cheats.
    #[must_use]
    pub fn lies(&self) -> u64 {
        self.liar.as_ref().map_or(0, |liar| liar.lies())
    }

    /// Ends all its tasks at once, as a crash does; what it had not flushed yet may still be there
    /// if it is started again in the same runtime.
    pub async fn crash(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

fn engine_key(key: &PeerKey) -> PublicKey {
    wiring::public_key(key).unwrap_or_else(|| panic!("{key:02x?} is not an Ed25519 key"))
}
