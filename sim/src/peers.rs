use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use althing_peer::Peer;
use althing_types::LedgerId;
use commonware_runtime::Clock;
use futures::future::{Either, select};

/// The peers that are up, as those see them who are no peers.
#[derive(Debug)]
pub(crate) struct Peers {
    ledger: LedgerId,
    up: Mutex<Vec<Option<Peer>>>,
}

impl Peers {
    pub(crate) fn new(ledger: LedgerId, count: usize) -> Self {
        Self { ledger, up: Mutex::new(vec![None; count]) }
    }

    pub(crate) const fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// How many there are, up or not.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// A peer, if it is up.
    pub(crate) fn at(&self, index: usize) -> Option<Peer> {
        self.lock().get(index).cloned().flatten()
    }

    /// Says whether a peer is up.
    pub(crate) fn set(&self, index: usize, peer: Option<Peer>) {
        if let Some(slot) = self.lock().get_mut(index) {
            *slot = peer;
        }
    }

    /// All that are up.
    pub(crate) fn all(&self) -> Vec<Peer> {
        self.lock().iter().flatten().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Peer>>> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a future gives, unless it takes too long.
pub(crate) async fn within<T>(
    context: &impl Clock,
    patience: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    match select(pin!(future), pin!(context.sleep(patience))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}
