use alloc::{collections::BTreeMap, vec::Vec};

use althing_types::{BatchHeader, EntityId, Payload, StreamId, TxId, Wire};

use crate::{
    archive::Archive,
    state_path::StatePath,
    stream::{Leaf, Node, StreamHead},
};

/// One stream with everything that its holders keep of it.
#[derive(Debug, Clone)]
pub struct Series {
    /// The stream as the state has it.
    pub head: StreamHead,
    /// Its leaves.
    pub leaves: Vec<Leaf>,
    /// The payloads kept, by digest.
    pub payloads: BTreeMap<[u8; 32], Vec<u8>>,
    nodes: BTreeMap<(u8, u64), Node>,
}

impl Series {
    /// A stream without readings.
    #[must_use]
    pub fn new(head: StreamHead) -> Self {
        Self { head, leaves: Vec::new(), payloads: BTreeMap::new(), nodes: BTreeMap::new() }
    }

    /// Appends a batch as the ledger would.
    pub fn append(
        &mut self,
        batch: &BatchHeader,
        payload: &Payload,
        came: (EntityId, TxId),
        at: (u64, u64),
    ) {
        self.append_bytes(batch, payload.to_wire(), came, at);
    }

    /// The same, for a payload of either form.
    pub fn append_bytes(
        &mut self,
        batch: &BatchHeader,
        payload: Vec<u8>,
        (submitter, transaction): (EntityId, TxId),
        (height, time_ms): (u64, u64),
    ) {
        let leaf = Leaf::new(batch, submitter, transaction, height, time_ms);
        self.head.next_seq = self.head.next_seq.max(batch.end_seq().unwrap());
        for made in self.head.peaks.append(&leaf).unwrap() {
            self.nodes.insert((made.level, made.index), made.node);
        }
        self.leaves.push(leaf);
        self.payloads.insert(batch.payload_digest, payload);
    }
}

impl Archive for Series {
    fn value(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn path(&self, _: &[u8]) -> Option<StatePath> {
        None
    }

    fn node(&self, _: &StreamId, level: u8, index: u64) -> Option<Node> {
        self.nodes.get(&(level, index)).copied()
    }

    fn leaf(&self, _: &StreamId, index: u64) -> Option<Leaf> {
        self.leaves.get(usize::try_from(index).ok()?).cloned()
    }

    fn payload(&self, digest: &[u8; 32]) -> Option<Vec<u8>> {
        self.payloads.get(digest).cloned()
    }

    fn transaction(&self, _: &TxId) -> Option<Vec<u8>> {
        None
    }
}
