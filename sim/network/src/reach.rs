//! Whom a simulated peer is connected to.

use std::{collections::BTreeSet, sync::Arc};

use althing_ordering::PeerKey;
use commonware_cryptography::ed25519::PublicKey;
use commonware_utils::sync::Mutex;

/// Who runs, and between whom there is no way; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ways(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    up: BTreeSet<PeerKey>,
    cut: BTreeSet<(PeerKey, PeerKey)>,
}

impl Ways {
    /// Whether anything gets from one peer to another.
    pub(crate) fn set_cut(&self, from: &PeerKey, to: &PeerKey, is_cut: bool) {
        let cut = &mut self.0.lock().cut;
        if is_cut {
            cut.insert((*from, *to))
        } else {
            cut.remove(&(*from, *to))
        };
    }

    /// A peer runs until what this gives is dropped.
    pub(crate) fn start(&self, peer: PeerKey) -> Up {
        self.0.lock().up.insert(peer);
        Up { ways: self.clone(), peer }
    }
}

/// A peer that runs.
#[derive(Debug)]
pub(crate) struct Up {
    ways: Ways,
    peer: PeerKey,
}

impl Drop for Up {
    fn drop(&mut self) {
        self.ways.0.lock().up.remove(&self.peer);
    }
}

/// Whom one peer reaches.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    pub(crate) ways: Ways,
    pub(crate) me: PeerKey,
}

impl Reach {
    /// Whether another runs and there is a way in both directions, as a connection needs.
    pub(crate) fn is_near(&self, peer: &PublicKey) -> bool {
        let Ok(peer) = PeerKey::try_from(peer.as_ref()) else { return false };
        let known = self.ways.0.lock();
        let is_cut = known.cut.contains(&(self.me, peer)) || known.cut.contains(&(peer, self.me));
        known.up.contains(&peer) && !is_cut
    }
}
