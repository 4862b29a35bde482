//! A network of toys on simulated links.

use std::{sync::Arc, time::Duration};

use althing_ordering::PeerKey;
use althing_sim_network::{Behaviour, Link, Node, SimNet};
use althing_types::{Digest, Mechanism};
use commonware_runtime::{
    Clock as _, Supervisor as _,
    deterministic::{self, Context, FaultConfig, PartialWriteMode, Runner, WriteConfig},
};
use commonware_utils::probability;

use crate::support::{App, Plan, QUICK, Toy, transaction};

/// Longer than any test here takes in the simulated time; then it is stuck.
pub(crate) const STUCK: Duration = Duration::from_secs(600);

pub(crate) const LOSSY: Link = Link {
    latency: Duration::from_millis(10),
    jitter: Duration::from_millis(5),
    loss_permille: 50,
};

pub(crate) fn runner(seed: u64) -> Runner {
    Runner::new(deterministic::Config::new().with_seed(seed).with_timeout(Some(STUCK)))
}

/// A network of toys.
pub(crate) struct World {
    pub(crate) context: Context,
    pub(crate) plan: Plan,
    pub(crate) net: SimNet,
    pub(crate) toys: Vec<Arc<Toy<Context>>>,
    pub(crate) nodes: Vec<Option<Node>>,
}

impl World {
    pub(crate) async fn start(
        context: Context,
        validators: u8,
        followers: u8,
        cheat: Behaviour,
    ) -> Self {
        Self::resume(context, validators, followers, cheat, &[]).await
    }

    /// A network of peers that crash and do not lie.
    pub(crate) async fn of_raft(
        context: Context,
        validators: u8,
        followers: u8,
        durable: &[u64],
    ) -> Self {
        let plan = Plan::of(Mechanism::Raft, validators, followers);
        Self::of_plan(context, plan, Behaviour::Honest, durable).await
    }

    /// `durable` says up to which height each peer remembers what was delivered to it.
    pub(crate) async fn resume(
        context: Context,
        validators: u8,
        followers: u8,
        cheat: Behaviour,
        durable: &[u64],
    ) -> Self {
        let plan = Plan::new(validators, followers);
        Self::of_plan(context, plan, cheat, durable).await
    }

    async fn of_plan(context: Context, plan: Plan, cheat: Behaviour, durable: &[u64]) -> Self {
        let net = SimNet::start(context.child("net"), &plan.config(0, &[], QUICK)).await;
        let mut world = Self { context, plan, net, toys: Vec::new(), nodes: Vec::new() };
        for peer in 0..world.plan.keys.len() {
            let clock = world.context.child("toy").with_attribute("index", peer);
            let toy = Toy::new(clock, QUICK.heartbeat);
            toy.resume_after(durable.get(peer).copied().unwrap_or(0));
            world.toys.push(toy);
            world.nodes.push(None);
            let behaviour = if peer == 0 { cheat } else { Behaviour::Honest };
            world.start_peer(peer, behaviour).await;
        }
        world
    }

    pub(crate) async fn start_peer(&mut self, peer: usize, behaviour: Behaviour) {
        let context = self.context.child("node").with_attribute("index", peer);
        let config = self.plan.config(peer, &[], QUICK);
        let app = Arc::new(App(Arc::clone(&self.toys[peer])));
        let node = self.net.add_peer(context, config, app, behaviour).await.unwrap();
        self.nodes[peer] = Some(node);
    }

    /// One transaction at each peer in turn, and everybody gets it, as gossip would see to.
    pub(crate) async fn submit(&self, numbers: std::ops::Range<u32>) {
        for number in numbers {
            self.toys.iter().for_each(|toy| toy.submit(transaction(number)));
            self.context.sleep(Duration::from_millis(7)).await;
        }
    }

    pub(crate) async fn until_height(&self, peers: &[usize], height: u64) {
        while peers.iter().any(|peer| self.toys[*peer].height() < height) {
            self.context.sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) fn all(&self) -> Vec<usize> {
        (0..self.toys.len()).collect()
    }

    pub(crate) async fn set_all_links(&self, link: Link) {
        for from in &self.plan.keys {
            for to in self.plan.keys.iter().filter(|to| *to != from) {
                self.net.set_link(from, to, link).await;
            }
        }
    }

    pub(crate) fn keys(&self, peers: &[usize]) -> Vec<PeerKey> {
        peers.iter().map(|peer| self.plan.keys[*peer]).collect()
    }

    /// The first `height` blocks, which must be the same at all these peers.
    pub(crate) fn agreed(&self, peers: &[usize], height: usize) -> Vec<Digest> {
        let chains = peers.iter().map(|peer| self.toys[*peer].chain()[..height].to_vec());
        let mut chains: Vec<_> = chains.collect();
        chains.dedup();
        assert_eq!(chains.len(), 1, "peers disagree about the first {height} blocks");
        chains.remove(0)
    }
}

/// Keeps an arbitrary part of the bytes of every write that was not flushed.
pub(crate) fn torn() -> FaultConfig {
    let write = WriteConfig {
        failure_rate: probability!(0.0),
        retention_rate: probability!(0.5),
        mode: PartialWriteMode::Subset,
    };
    FaultConfig { write_rate: Some(write), ..FaultConfig::default() }
}
