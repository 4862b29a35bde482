use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use althing_peer::Executed;
use althing_types::{Digest, StreamId, Value, receipts_root};

/// What all peers did and what devices were told, held against each other as it happens.
#[derive(Debug, Default)]
pub struct Book {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    blocks: BTreeMap<u64, (Digest, Digest, Digest)>,
    /// Highest height each peer has executed since it last started.
    executed: BTreeMap<usize, u64>,
    acknowledged: BTreeMap<(StreamId, u64), Value>,
    complaint: Option<String>,
}

impl Book {
    /// A peer executed a block: it must be the block, with the result, that the others executed.
    pub fn executed(&self, peer: usize, executed: &Executed) {
        let (height, digest) = (executed.block.height(), executed.block.digest());
        let mut inner = self.lock();
        let entry = (digest, executed.state_root, receipts_root(&executed.receipts));
        let first = *inner.blocks.entry(height).or_insert(entry);
        if first.0 != digest {
            inner.complain(format!("two blocks at height {height}: peer {peer} has another one"));
        } else if first != entry {
            inner.complain(format!(
                "peer {peer} computed another result at height {height}: {entry:?}, others {first:?}"
            ));
        }
        let before = inner.executed.insert(peer, height);
        if before.is_some_and(|before| before >= height) {
            inner.complain(format!("peer {peer} executed height {height} again"));
        }
    }

    /// A peer starts, possibly with less than it had.
    pub fn started(&self, peer: usize) {
        self.lock().executed.remove(&peer);
    }

    /// A device was told that its reading is final.
    pub fn acknowledged(&self, stream: StreamId, seq: u64, value: Value) {
        let mut inner = self.lock();
        if inner.acknowledged.insert((stream, seq), value).is_some() {
            inner.complain(format!("reading {seq} of {stream} was acknowledged twice"));
        }
    }

    /// Everything that devices were told is final.
    #[must_use]
    pub fn all_acknowledged(&self) -> BTreeMap<(StreamId, u64), Value> {
        self.lock().acknowledged.clone()
    }

    /// Something is wrong; the first thing found stays.
    pub fn complain(&self, what: String) {
        self.lock().complain(what);
    }

    /// What was found wrong first.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        self.lock().complaint.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn complain(&mut self, what: String) {
        self.complaint.get_or_insert(what);
    }
}
