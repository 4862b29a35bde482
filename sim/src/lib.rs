//! Run whole networks of peers from one seed.
//!
//! A seed decides everything: how many peers, how the network between them behaves, who cheats,
//! when a peer crashes and what its disk has lost, when the power fails for all, what devices
//! measure. The peers are the production code; only the network, the disks, the clock and the
//! clients are simulated. While it runs, [`Book`] holds what every peer executes against what the
//! others did; at the end the faults stop and the network must heal: go on, and show every reading
//! that was ever acknowledged, with proof, at every peer.
//!
//! Start reading at [`run`].

mod plan;
pub use plan::{Fault, Plan};

mod founding;
pub use founding::Founding;

mod book;
pub use book::Book;

mod device;
mod world;

use althing_peer::Planted;
use commonware_runtime::{
    Runner as _, Supervisor as _,
    deterministic::{self, Runner},
};
use std::{sync::Arc, time::Duration};

use crate::world::{Machines, World};

/// Simulated time after which a run is stuck.
const STUCK: Duration = Duration::from_secs(3600);

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Height that all peers reached.
    pub height: u64,
    /// Readings that were acknowledged, all of which were found again.
    pub readings: u64,
    /// Faults that happened.
    pub faults: usize,
    /// A digest of everything that happened, in order: equal for equal seeds.
    pub trace: String,
}

/// Runs the network of a seed, with a bug planted in its peers if the simulator itself is tested.
///
/// # Errors
/// What was found wrong, in words.
pub fn run(seed: u64, planted: Option<Planted>) -> Result<Summary, String> {
    let plan = Plan::draw(seed);
    let founding = Arc::new(Founding::new(&plan));
    let machines = Arc::new(Machines::new(&plan));
    let book = Arc::new(Book::default());
    let config = deterministic::Config::new().with_seed(seed).with_timeout(Some(STUCK));
    let mut runner = Runner::new(config);
    if plan.power_cut {
        let parts = (founding.clone(), machines.clone(), book.clone(), plan.clone());
        let ((), checkpoint) = runner.start_and_recover(|context| async move {
            let (founding, machines, book, plan) = parts;
            let world =
                World::start(context.child("first"), founding, machines, book, planted).await;
            world.trouble(&plan, &plan.faults[..plan.faults.len() / 2]).await;
        });
        machines.lose_power(&plan);
        runner = Runner::from(checkpoint);
    }
    let ending = book.clone();
    let summary = runner.start(|context| async move {
        let auditor = context.auditor().clone();
        let half = if plan.power_cut { plan.faults.len() / 2 } else { 0 };
        let world = World::start(context.child("last"), founding, machines, book, planted).await;
        world.trouble(&plan, &plan.faults[half..]).await;
        let (height, readings) = world.heal_and_check(&plan).await?;
        Ok(Summary { height, readings, faults: plan.faults.len(), trace: auditor.state() })
    });
    // What the book noticed first is the cause of whatever came later.
    match ending.complaint() {
        Some(complaint) => Err(complaint),
        None => summary,
    }
}
