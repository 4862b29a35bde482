//! Run whole networks of peers from one seed.
//!
//! A seed decides everything: how many peers, how the network between them behaves, who cheats,
//! when a peer or a gateway crashes and what its disk has lost, when the power fails for all, what
//! sensors measure. Peers and gateways are the production code; only the network, the disks, the
//! clock and the sensors are simulated. While it runs, [`Book`] holds what every peer executes
//! against what the others did; at the end the faults stop and the network must heal: go on, and
//! show every reading that a gateway ever acknowledged, exactly once, in order, with proof, at every
//! peer.
//!
//! One seed in eight is that of two networks whose ledgers know each other by proof ([`run_linked`]).
//!
//! Start reading at [`run`].

mod plan;
pub use plan::{Fault, Plan, SeatChange, Seated, Tempo};

mod bug;
pub use bug::Bug;

mod founding;
pub use founding::{Account, Founding};

mod book;
pub use book::{Book, Readings, Told};

mod idle;
pub use idle::run_idle;

mod linked;
pub use linked::{Calls, Drawn, LinkedPlan, run_linked};

mod clock;
mod council;
mod gateway;
mod healing;
mod machines;
mod owner;
mod payer;
mod peers;
mod world;

use althing_peer::{Peer, PresenceChange};
use commonware_runtime::{
    Clock as _, Runner as _, Supervisor as _,
    deterministic::{self, Runner},
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crate::{
    healing::Found,
    world::{Parts, World},
};

/// Simulated time after which a run is stuck: an hour, or four days.
const STUCK: Duration = Duration::from_secs(3600);

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Height that all peers reached.
    pub height: u64,
    /// Readings that were acknowledged, all of which were found again, or in a gap if their owner
    /// wants the oldest to be lost.
    pub readings: u64,
    /// Numbers that are missing on the ledger, each of them in a gap that every peer tells.
    pub missing: u64,
    /// Readings of which sensors were told that they were not taken.
    pub refused: u64,
    /// How many honest peers name the one that stated made-up results.
    pub accusers: u64,
    /// Faults that happened.
    pub faults: usize,
    /// Changes of seats, or of how those agree, that members decided on and that hold.
    pub seat_changes: u64,
    /// How often peers came to agree in another way, up to the present epoch.
    pub agreements: usize,
    /// Peers that began with a state of other peers when they last started.
    pub taken_over: usize,
    /// What peers were told by others about the state or blocks and found not to be true.
    pub lies: u64,
    /// How often tokens moved, fees aside.
    pub payments: u64,
    /// Who noticed which peer come or go, in the order of the peers: the number of the one that noticed, and
    /// what it saw since it last started.
    pub noticed: Vec<(usize, PresenceChange)>,
    /// By how many milliseconds each peer in turn says that its clock is ahead, or behind, if it does.
    pub clocks_off_ms: Vec<Option<i64>>,
    /// The longest time between a block and the next, milliseconds.
    pub longest_gap_ms: u64,
    /// The most views that were given up between a block and the next.
    pub views_lost: u64,
    /// What became of the calls between two ledgers.
    pub calls: Calls,
    /// How many lies of the relay between them were refused.
    pub lies_refused: u64,
    /// A digest of everything that happened, in order: equal for equal seeds.
    pub trace: String,
}

/// Runs the network of a seed, or the two, with a planted bug if the simulator itself is tested.
///
/// # Errors
/// What was found wrong, in words.
pub fn run(seed: u64, bug: Option<Bug>) -> Result<Summary, String> {
    match Drawn::of(seed) {
        Drawn::One(plan) => run_plan(*plan, bug),
        Drawn::Two(plan) => run_linked(&plan, bug),
    }
}

/// Cuts gateways off from all peers for three days, as [`Plan::offline`] says.
///
/// # Errors
/// What was found wrong, in words.
pub fn run_offline(seed: u64, bug: Option<Bug>) -> Result<Summary, String> {
    run_plan(Plan::offline(seed), bug)
}

fn noticed(world: &World) -> Vec<(usize, PresenceChange)> {
    let peers = (0..world.peers.count()).filter_map(|index| Some((index, world.peers.at(index)?)));
    peers
        .flat_map(|(index, peer)| peer.presence().0.into_iter().map(move |one| (index, one)))
        .collect()
}

fn agreements(world: &World) -> Option<usize> {
    let query = world.peers.all().pop()?.query();
    let present = query.governance().ok()?.validators.epoch;
    let said = (0..=present).map(|epoch| Some(query.validators_of(epoch).ok()?.mechanism));
    let said = said.collect::<Option<Vec<_>>>()?;
    Some(said.windows(2).filter(|pair| pair[0] != pair[1]).count())
}

/// Runs the network of a plan.
///
/// # Errors
/// What was found wrong, in words.
pub fn run_plan(plan: Plan, bug: Option<Bug>) -> Result<Summary, String> {
    let (seed, plan) = (plan.seed, Arc::new(plan));
    let parts = Parts::new(Arc::clone(&plan), bug);
    let stuck = plan.tempo.stretch(STUCK, 100) + plan.asleep;
    let config = deterministic::Config::new().with_seed(seed).with_timeout(Some(stuck));
    let mut runner = Runner::new(config);
    let cut_at = if plan.power_cut { plan.cut_at() } else { 0 };
    let (before, after) = plan.faults.split_at(cut_at);
    if plan.power_cut {
        let parts_ = parts.clone();
        let before = before.to_vec();
        let ((), checkpoint) = runner.start_and_recover(|context| async move {
            World::start(context.child("first"), parts_).await.trouble(&before).await;
        });
        parts.machines.lose_power(&plan);
        runner = Runner::from(checkpoint);
    }
    let (book, after) = (Arc::clone(&parts.book), after.to_vec());
    let asleep = if plan.power_cut { plan.asleep } else { Duration::ZERO };
    let faults = plan.faults.len();
    let summary = runner.start(|context| async move {
        context.sleep(asleep).await;
        let auditor = context.auditor().clone();
        let world = World::start(context.child("last"), parts).await;
        world.trouble(&after).await;
        let Found { height, readings, missing, refused, accusers } = world.heal_and_check().await?;
        let trace = format!("{} {}", auditor.state(), hex::encode(world.parts.book.trace()));
        let seat_changes = world.parts.decided.changes.load(Ordering::Relaxed);
        let book = &world.parts.book;
        Ok(Summary {
            height,
            readings,
            missing,
            refused,
            accusers,
            faults,
            seat_changes,
            agreements: agreements(&world).unwrap_or(0),
            taken_over: world.peers.all().iter().filter_map(Peer::took_over).count(),
            lies: world.peers.all().iter().map(Peer::lies).sum(),
            payments: book.payments(),
            noticed: noticed(&world),
            clocks_off_ms: world.peers.all().iter().map(|it| it.query().clock_off_ms()).collect(),
            longest_gap_ms: book.longest_gap_ms(),
            views_lost: book.views_lost(),
            calls: Calls::default(),
            lies_refused: 0,
            trace,
        })
    });
    // What the book noticed first is the cause of whatever came later.
    match book.complaint() {
        Some(complaint) => Err(complaint),
        None => summary,
    }
}
