//! A network of whole peers on simulated machines, and what is done to it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use althing_peer::{Opened, Peer, Planted, query::Question};
use althing_sim_network::{Behaviour, Link, SimNet};
use althing_state::{MemoryStore, Store};
use althing_storage::{MemoryFiles, Payloads, SegmentFiles};
use commonware_runtime::{
    Clock as _, Handle, Spawner as _, Supervisor as _, deterministic::Context,
};
use rand_chacha::{ChaCha20Rng, rand_core::RngCore as _};

use crate::{Book, Fault, Founding, Plan, device};

/// How long a healed network may take to do what it must, in simulated time.
const HEALING: Duration = Duration::from_secs(120);

/// The disks of all peers, which outlive their processes.
#[derive(Debug)]
pub(crate) struct Machines {
    stores: Vec<Arc<MemoryStore>>,
    files: Vec<Arc<MemoryFiles>>,
}

impl Machines {
    pub(crate) fn new(plan: &Plan) -> Self {
        let peers = plan.validators + plan.followers;
        Self {
            stores: (0..peers).map(|_| Arc::new(MemoryStore::new())).collect(),
            files: (0..peers).map(|_| Arc::new(MemoryFiles::new())).collect(),
        }
    }

    fn crash(&self, peer: usize, commits_lost: usize, tear: u64) {
        self.stores[peer].crash(commits_lost);
        self.files[peer].crash(tear);
    }

    /// The power fails for all.
    pub(crate) fn lose_power(&self, plan: &Plan) {
        for (peer, (commits_lost, tear)) in plan.cut_losses.iter().enumerate() {
            self.crash(peer, *commits_lost, *tear);
        }
    }
}

/// The peers that are up.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    up: Mutex<Vec<Option<Peer>>>,
}

impl Peers {
    fn lock(&self) -> MutexGuard<'_, Vec<Option<Peer>>> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that is up, by chance.
    pub(crate) fn any(&self, dice: &mut ChaCha20Rng) -> Option<Peer> {
        let up: Vec<Peer> = self.lock().iter().flatten().cloned().collect();
        (!up.is_empty()).then(|| up[dice.next_u64() as usize % up.len()].clone())
    }

    fn all(&self) -> Vec<Peer> {
        self.lock().iter().flatten().cloned().collect()
    }
}

pub(crate) struct World {
    context: Context,
    founding: Arc<Founding>,
    machines: Arc<Machines>,
    book: Arc<Book>,
    planted: Option<Planted>,
    cheat: Behaviour,
    net: SimNet,
    peers: Arc<Peers>,
    tasks: Mutex<Vec<Option<Handle<()>>>>,
}

impl World {
    pub(crate) async fn start(
        context: Context,
        founding: Arc<Founding>,
        machines: Arc<Machines>,
        book: Arc<Book>,
        planted: Option<Planted>,
    ) -> Self {
        // Any block 0 does: the network looks at sizes and keys only.
        let block = Arc::new(founding.genesis.block(althing_types::Digest::default()));
        let net = SimNet::start(context.child("net"), &founding.ordering(0, block)).await;
        let peers = Arc::new(Peers::default());
        let count = founding.peers();
        peers.lock().resize(count, None);
        let tasks = Mutex::new((0..count).map(|_| None).collect());
        let cheat = Behaviour::Honest;
        Self { context, founding, machines, book, planted, cheat, net, peers, tasks }
    }

    /// Starts all peers and devices, then lets the faults happen one after the other.
    pub(crate) async fn trouble(&self, plan: &Plan, faults: &[Fault]) {
        for peer in 0..self.founding.peers() {
            self.start_peer(peer, if peer == 0 { plan.cheat } else { self.cheat });
        }
        let (founding, book, peers) = (&self.founding, &self.book, &self.peers);
        device::start_all(&self.context, founding, book, peers, plan.devices, plan.seed);
        self.context.sleep(Duration::from_secs(2)).await;
        for fault in faults {
            if self.book.complaint().is_some() {
                return;
            }
            self.suffer(plan, *fault).await;
        }
    }

    async fn suffer(&self, plan: &Plan, fault: Fault) {
        match fault {
            Fault::Calm(span) => self.context.sleep(span).await,
            Fault::Partition(bits, span) => {
                let some: Vec<[u8; 32]> = (0..self.founding.peers())
                    .filter(|peer| bits >> peer & 1 == 1)
                    .map(|peer| self.founding.peer_key(peer))
                    .collect();
                self.net.partition(&some).await;
                self.context.sleep(span).await;
                self.net.join(&some).await;
            }
            Fault::Weather(link, span) => {
                self.set_links(link).await;
                self.context.sleep(span).await;
                self.set_links(Link::GOOD).await;
            }
            Fault::Crash { peer, commits_lost, tear, away } => {
                self.stop_peer(peer).await;
                self.machines.crash(peer, commits_lost, tear);
                self.context.sleep(away).await;
                self.start_peer(peer, if peer == 0 { plan.cheat } else { self.cheat });
            }
        }
    }

    async fn set_links(&self, link: Link) {
        let keys: Vec<[u8; 32]> =
            (0..self.founding.peers()).map(|peer| self.founding.peer_key(peer)).collect();
        for from in &keys {
            for to in keys.iter().filter(|to| *to != from) {
                self.net.set_link(from, to, link).await;
            }
        }
    }

    async fn stop_peer(&self, peer: usize) {
        self.peers.lock()[peer] = None;
        let task = self.tasks.lock().unwrap_or_else(PoisonError::into_inner)[peer].take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
    }

    /// Starts a peer's process on its machine.
    fn start_peer(&self, peer: usize, behaviour: Behaviour) {
        self.book.started(peer);
        let config = self.founding.peer(peer, self.planted);
        let store: Arc<dyn Store> = Arc::clone(&self.machines.stores[peer]) as _;
        let files: Arc<dyn SegmentFiles> = Arc::clone(&self.machines.files[peer]) as _;
        let (founding, book) = (Arc::clone(&self.founding), Arc::clone(&self.book));
        let (net, peers) = (self.net.clone(), Arc::clone(&self.peers));
        let context = self.context.child("process").with_attribute("index", peer);
        let task = context.spawn(move |context| async move {
            let opened = Payloads::open(files, Arc::clone(&store))
                .map_err(|error| error.to_string())
                .and_then(|payloads| {
                    let opened = Opened::open(config, store, Arc::new(payloads));
                    opened.map_err(|error| format!("{error:?}"))
                });
            let opened = match opened {
                Ok(opened) => opened,
                Err(error) => return book.complain(format!("peer {peer} cannot open: {error}")),
            };
            let ordering = founding.ordering(peer, Arc::clone(opened.genesis_block()));
            let node = context.child("node");
            let started = opened
                .start(context.child("peer"), |app| async move {
                    let node = net.add_peer(node, ordering, app, behaviour).await?;
                    Ok((node.handle, node.mesh))
                })
                .await;
            match started {
                Ok(running) => watch(peer, running, &book, &peers).await,
                Err(error) => book.complain(format!("peer {peer} cannot start: {error:?}")),
            }
        });
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)[peer] = Some(task);
    }

    /// Ends all faults; then everybody must go on, agree, and show everything with proof.
    pub(crate) async fn heal_and_check(&self, plan: &Plan) -> Result<(u64, u64), String> {
        self.set_links(Link::GOOD).await;
        let honest: Vec<usize> = (0..self.founding.peers())
            .filter(|peer| *peer != 0 || plan.cheat == Behaviour::Honest)
            .collect();
        self.within("start of all peers", || self.heights(&honest).iter().all(Option::is_some))
            .await?;
        let before = self.heights(&honest).into_iter().flatten().max().unwrap_or(0);
        self.within(&format!("progress beyond height {before}"), || {
            self.heights(&honest).iter().all(|height| height.is_some_and(|h| h > before + 3))
        })
        .await?;
        let acknowledged = self.book.all_acknowledged();
        for peer in &honest {
            let Some(running) = self.peers.lock()[*peer].clone() else {
                return Err(format!("peer {peer} is not up after healing"));
            };
            self.check_readings(*peer, &running, &acknowledged).await?;
        }
        let height = self.heights(&honest).into_iter().flatten().min().unwrap_or(0);
        Ok((height, acknowledged.len() as u64))
    }

    fn heights(&self, peers: &[usize]) -> Vec<Option<u64>> {
        let up = self.peers.lock();
        peers.iter().map(|peer| up[*peer].as_ref().map(Peer::height)).collect()
    }

    async fn within(&self, what: &str, done: impl Fn() -> bool) -> Result<(), String> {
        let deadline = self.context.current() + HEALING;
        while !done() {
            if let Some(complaint) = self.book.complaint() {
                return Err(complaint);
            }
            if self.context.current() > deadline {
                let standing: Vec<String> = self.peers.all().iter().map(standing).collect();
                let standing = standing.join("\n  ");
                return Err(format!(
                    "no {what} within {HEALING:?} after the faults stopped\n  {standing}"
                ));
            }
            self.context.sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Every acknowledged reading is here with its value; one in so many is proven.
    async fn check_readings(
        &self,
        peer: usize,
        running: &Peer,
        acknowledged: &std::collections::BTreeMap<
            (althing_types::StreamId, u64),
            althing_types::Value,
        >,
    ) -> Result<(), String> {
        let query = running.query();
        for (index, ((stream, seq), value)) in acknowledged.iter().enumerate() {
            self.within(&format!("reading {seq} of {stream} at peer {peer}"), || {
                crate::world::reading(&query, stream, *seq).as_ref() == Some(value)
            })
            .await?;
            if index % 16 == 0 {
                let question = Question::Reading { stream: *stream, seq: *seq };
                let prepared = query.prepare(question).await.map_err(|error| {
                    format!("peer {peer} cannot prove reading {seq} of {stream}: {error}")
                })?;
                let bundle = prepared.bundle().map_err(|error| {
                    format!("peer {peer} cannot prove reading {seq} of {stream}: {error}")
                })?;
                althing_proof::verify(&bundle, &self.founding.genesis)
                    .map_err(|failure| format!("peer {peer}: a proof fails: {failure}"))?;
            }
        }
        Ok(())
    }
}

/// Where a peer stands, for whoever looks into a seed.
fn standing(peer: &Peer) -> String {
    match peer.ordering_status() {
        Some(status) => format!(
            "{} at height {}, view {}, {:?}, {} connected, voted here: {} notarize {} nullify",
            hex::encode(&peer.key()[..4]),
            peer.height(),
            status.view,
            status.phase,
            status.connected.len(),
            status.notarized.len(),
            status.nullified.len(),
        ),
        None => format!("{} has no ordering", hex::encode(&peer.key()[..4])),
    }
}

/// The value of a reading as a peer tells it.
fn reading(
    query: &althing_peer::Query,
    stream: &althing_types::StreamId,
    seq: u64,
) -> Option<althing_types::Value> {
    let filter =
        althing_peer::query::ReadingFilter { seq: (seq, seq), time_ms: (i64::MIN, i64::MAX) };
    let page = query.readings(stream, &filter, 2).ok()?;
    match &page.readings[..] {
        [single] => Some(single.value.clone()),
        _ => None,
    }
}

/// Enters what a peer executes into the book, and says when it stops taking part.
async fn watch(peer: usize, running: Peer, book: &Book, peers: &Peers) {
    let mut executed = running.subscribe();
    peers.lock()[peer] = Some(running.clone());
    let mut halted = std::pin::pin!(running.halted());
    loop {
        let next = std::pin::pin!(executed.recv());
        match futures::future::select(next, &mut halted).await {
            futures::future::Either::Left((Ok(block), _)) => book.executed(peer, &block),
            futures::future::Either::Left((Err(error), _)) => {
                return book.complain(format!("peer {peer}: {error}"));
            }
            futures::future::Either::Right((halt, _)) => {
                return book.complain(format!("peer {peer} stopped: {halt:?}"));
            }
        }
    }
}
