use std::sync::{Arc, Mutex, PoisonError};

use althing_peer::snapshot::Spare;
use althing_state::{MemoryStore, Store, StoreError};
use althing_storage::MemoryFiles;

use crate::{
    Plan,
    gateway::{Disk, Sensors},
};

/// What outlives a process, and a loss of power: disks, and sensors with batteries.
#[derive(Debug)]
pub(crate) struct Machines {
    pub(crate) stores: Vec<Arc<MemoryStore>>,
    pub(crate) files: Vec<Arc<MemoryFiles>>,
    /// Where peers put states that they take over.
    pub(crate) spares: Vec<Arc<MemorySpare>>,
    pub(crate) gateways: Vec<(Disk, Sensors)>,
}

impl Machines {
    pub(crate) fn new(plan: &Plan) -> Self {
        let peers = plan.validators + plan.followers;
        Self {
            stores: (0..peers).map(|_| Arc::default()).collect(),
            files: (0..peers).map(|_| Arc::default()).collect(),
            spares: (0..peers).map(|_| Arc::default()).collect(),
            gateways: (0..plan.gateways).map(|_| Default::default()).collect(),
        }
    }

    /// A peer's machine loses power.
    pub(crate) fn crash_peer(&self, peer: usize, commits_lost: usize, tear: u64) {
        self.stores[peer].crash(commits_lost);
        self.files[peer].crash(tear);
        self.spares[peer].store().crash(commits_lost);
    }

    /// A gateway's machine loses power.
    pub(crate) fn crash_gateway(&self, gateway: usize, tear: u64) {
        self.gateways[gateway].0.crash(tear);
    }

    /// The power fails for all.
    pub(crate) fn lose_power(&self, plan: &Plan) {
        for (peer, (commits_lost, tear)) in plan.cut_losses.iter().enumerate() {
            self.crash_peer(peer, *commits_lost, *tear);
        }
        for (gateway, tear) in plan.cut_tears.iter().enumerate() {
            self.crash_gateway(gateway, *tear);
        }
    }
}

/// A place in memory for a state that is taken over.
#[derive(Debug, Default)]
pub(crate) struct MemorySpare(Mutex<Arc<MemoryStore>>);

impl MemorySpare {
    fn store(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Spare for MemorySpare {
    fn is_used(&self) -> bool {
        self.store().commits() > 0
    }

    fn open(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(self.store())
    }

    fn clear(&self) -> Result<(), StoreError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::default();
        Ok(())
    }
}
