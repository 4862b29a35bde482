//! A network of whole peers and gateways on simulated machines, and what is done to it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use althing_peer::{Opened, Peer, Planted, snapshot::Spare};
use althing_sim_network::{Behaviour, Link, SimNet};
use althing_state::Store;
use althing_storage::{Payloads, SegmentFiles};
use commonware_runtime::{
    Clock as _, Handle, Spawner as _, Supervisor as _, deterministic::Context,
};

use crate::{
    Book, Bug, Fault, Founding, Plan,
    clock::Skewed,
    council::{Council, Decided},
    gateway::{self, Site},
    linked::{End, Witness},
    machines::Machines,
    owner, payer,
    peers::Peers,
    plan::CLOCKS_FROM_MS,
};

/// What a network is made of, whoever is up.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) plan: Arc<Plan>,
    pub(crate) founding: Arc<Founding>,
    pub(crate) machines: Arc<Machines>,
    pub(crate) book: Arc<Book>,
    pub(crate) decided: Arc<Decided>,
    /// How often payers were started.
    pub(crate) payments: Arc<AtomicU64>,
    /// By how many milliseconds the clock of each peer's machine is ahead.
    pub(crate) clocks: Arc<[Arc<AtomicI64>]>,
    pub(crate) bug: Option<Bug>,
    /// Who holds it against another network, and which of the two it is.
    pub(crate) witness: Option<(Arc<Witness>, End)>,
}

impl Parts {
    pub(crate) fn new(plan: Arc<Plan>, bug: Option<Bug>) -> Self {
        let founding = Founding::new(&plan);
        Self::founded(plan, founding, bug)
    }

    pub(crate) fn founded(plan: Arc<Plan>, founding: Founding, bug: Option<Bug>) -> Self {
        Self {
            clocks: (0..plan.validators + plan.followers)
                .map(|peer| Arc::new(AtomicI64::new(plan.clock_ms(peer))))
                .collect(),
            founding: Arc::new(founding),
            machines: Arc::new(Machines::new(&plan)),
            book: Arc::default(),
            decided: Arc::default(),
            payments: Arc::default(),
            witness: None,
            plan,
            bug,
        }
    }
}

pub(crate) struct World {
    pub(crate) context: Context,
    pub(crate) parts: Parts,
    pub(crate) peers: Arc<Peers>,
    pub(crate) sites: Vec<Arc<Site>>,
    net: SimNet,
    peer_tasks: Tasks,
    gateway_tasks: Tasks,
}

/// The processes that run, by machine.
type Tasks = Mutex<Vec<Option<Handle<()>>>>;

fn tasks(count: usize) -> Tasks {
    Mutex::new((0..count).map(|_| None).collect())
}

/// Ends a process at once, with all it has started.
async fn stop(tasks: &Tasks, index: usize) {
    let task = tasks.lock().unwrap_or_else(PoisonError::into_inner)[index].take();
    if let Some(task) = task {
        task.abort();
        let _ = task.await;
    }
}

fn keep(tasks: &Tasks, index: usize, task: Handle<()>) {
    tasks.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(task);
}

impl World {
    pub(crate) async fn start(context: Context, parts: Parts) -> Self {
        // Any block 0 does: the network looks at sizes and keys only.
        let founding = &parts.founding;
        let block = Arc::new(founding.genesis.block(althing_types::Digest::default()));
        let net = SimNet::start(context.child("net"), &founding.ordering(0, block)).await;
        let peers = Arc::new(Peers::new(founding.genesis.ledger(), founding.peers()));
        let sites = parts.machines.gateways.iter().enumerate().map(|(index, (disk, sensors))| {
            Arc::new(Site {
                founding: Arc::clone(founding),
                book: Arc::clone(&parts.book),
                peers: Arc::clone(&peers),
                index,
                seed: parts.plan.seed,
                bug: parts.bug,
                disk: disk.clone(),
                sensors: sensors.clone(),
                drained: AtomicBool::new(false),
                tempo: parts.plan.tempo,
                is_cut_off: AtomicBool::new(false),
                known: Mutex::default(),
            })
        });
        Self {
            sites: sites.collect(),
            peer_tasks: tasks(founding.peers()),
            gateway_tasks: tasks(parts.plan.gateways),
            context,
            parts,
            peers,
            net,
        }
    }

    /// Starts all peers and gateways, then lets the faults happen one after the other.
    pub(crate) async fn trouble(&self, faults: &[Fault]) {
        for peer in 0..self.peers.count() {
            self.start_peer(peer);
        }
        for index in 0..self.sites.len() {
            let (founding, peers) = (Arc::clone(&self.parts.founding), Arc::clone(&self.peers));
            let owner = self.context.child("owner").with_attribute("index", index);
            let plan = Arc::clone(&self.parts.plan);
            owner.spawn(move |context| owner::run(context, founding, peers, plan, index));
            self.start_gateway(index);
        }
        // Of two networks that are linked, only those who call across pay.
        let pays = self.parts.plan.tokens && self.parts.witness.is_none();
        if pays && self.parts.payments.fetch_add(1, Ordering::Relaxed) == 0 {
            // Once only: payers remember which numbers they used as long as the power is on.
            self.start_payers();
        }
        if !self.parts.plan.seats.is_empty() {
            let council = Council {
                founding: Arc::clone(&self.parts.founding),
                plan: Arc::clone(&self.parts.plan),
                peers: Arc::clone(&self.peers),
                decided: Arc::clone(&self.parts.decided),
                run: self.parts.decided.runs.fetch_add(1, Ordering::Relaxed),
            };
            self.context.child("council").spawn(move |context| council.run(context));
        }
        self.context.sleep(Duration::from_secs(2)).await;
        for fault in faults {
            if self.parts.book.complaint().is_some() {
                return;
            }
            self.suffer(*fault).await;
        }
    }

    fn start_payers(&self) {
        for index in 0..self.parts.plan.validators {
            let (founding, peers) = (Arc::clone(&self.parts.founding), Arc::clone(&self.peers));
            let payer = self.context.child("payer").with_attribute("index", index);
            let Plan { tempo, seed, .. } = *self.parts.plan;
            payer.spawn(move |context| payer::run(context, founding, peers, tempo, seed, index));
        }
    }

    async fn suffer(&self, fault: Fault) {
        match fault {
            Fault::Calm(span) => self.context.sleep(span).await,
            Fault::Partition(bits, span) => {
                let some: Vec<[u8; 32]> = (0..self.peers.count())
                    .filter(|peer| bits >> peer & 1 == 1)
                    .map(|peer| self.parts.founding.peer_key(peer))
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
                self.peers.set(peer, None);
                stop(&self.peer_tasks, peer).await;
                self.parts.machines.crash_peer(peer, commits_lost, tear);
                self.context.sleep(away).await;
                self.start_peer(peer);
            }
            Fault::ClocksSetRight => {
                for clock in self.parts.clocks.iter() {
                    clock.store(CLOCKS_FROM_MS, Ordering::Relaxed);
                }
            }
            Fault::Uplinks { are_up } => {
                for site in &self.sites {
                    site.is_cut_off.store(!are_up, Ordering::Relaxed);
                }
            }
            Fault::GatewayCrash { gateway, tear, away } => {
                stop(&self.gateway_tasks, gateway).await;
                self.parts.machines.crash_gateway(gateway, tear);
                self.context.sleep(away).await;
                self.start_gateway(gateway);
            }
        }
    }

    pub(crate) async fn set_links(&self, link: Link) {
        let keys: Vec<[u8; 32]> =
            (0..self.peers.count()).map(|peer| self.parts.founding.peer_key(peer)).collect();
        for from in &keys {
            for to in keys.iter().filter(|to| *to != from) {
                self.net.set_link(from, to, link).await;
            }
        }
    }

    fn start_gateway(&self, index: usize) {
        let site = Arc::clone(&self.sites[index]);
        let context = self.context.child("gateway").with_attribute("index", index);
        let task = context.spawn(move |context| gateway::run(context, site));
        keep(&self.gateway_tasks, index, task);
    }

    /// Starts a peer's process on its machine.
    fn start_peer(&self, peer: usize) {
        let Parts { plan, founding, machines, book, bug, witness, .. } = self.parts.clone();
        let clock = Arc::clone(&self.parts.clocks[peer]);
        let behaviour = if peer == 0 { plan.cheat } else { Behaviour::Honest };
        book.started(peer);
        // If all lied about the state, nobody could take it over.
        let planted = bug.and_then(Bug::of_peers);
        let planted = planted.filter(|it| *it != Planted::FalseState || peer.is_multiple_of(2));
        let mut config = founding.peer(peer, planted);
        config.sync.behind_blocks = plan.newcomers;
        config.trust_validators = plan.trusts_validators();
        let store: Arc<dyn Store> = Arc::clone(&machines.stores[peer]) as _;
        let files: Arc<dyn SegmentFiles> = Arc::clone(&machines.files[peer]) as _;
        let spare = plan.newcomers.map(|_| Arc::clone(&machines.spares[peer]) as Arc<dyn Spare>);
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
            let opened = match spare {
                Some(spare) => opened.with_spare(spare),
                None => opened,
            };
            let ordering = founding.ordering(peer, Arc::clone(opened.genesis_block()));
            let node = context.child("node");
            let started = opened
                .start(Skewed::new(context.child("peer"), clock), |app| async move {
                    let node = net.add_peer(node, ordering, app, behaviour).await?;
                    Ok((node.handle, node.mesh))
                })
                .await;
            match started {
                Ok(running) => watch(peer, running, &book, &peers, witness).await,
                Err(error) => book.complain(format!("peer {peer} cannot start: {error:?}")),
            }
        });
        keep(&self.peer_tasks, peer, task);
    }
}

/// Enters what a peer executes into the book, and says when it stops taking part.
async fn watch(
    peer: usize,
    running: Peer,
    book: &Book,
    peers: &Peers,
    witness: Option<(Arc<Witness>, End)>,
) {
    let mut executed = running.subscribe();
    peers.set(peer, Some(running.clone()));
    let mut halted = std::pin::pin!(running.halted());
    loop {
        let next = std::pin::pin!(executed.recv());
        match futures::future::select(next, &mut halted).await {
            futures::future::Either::Left((Ok(block), _)) => {
                book.executed(peer, &block);
                book.counted(peer, running.query().audit());
                if let Some((witness, end)) = &witness {
                    witness.look(*end, &running.query());
                }
            }
            futures::future::Either::Left((Err(error), _)) => {
                return book.complain(format!("peer {peer}: {error}"));
            }
            futures::future::Either::Right((halt, _)) => {
                return book.complain(format!("peer {peer} stopped: {halt:?}"));
            }
        }
    }
}
