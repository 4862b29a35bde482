//! A tiny signed ledger, for tests and pinned vectors: real keys, signatures, trees and blocks,
//! without consensus, storage or rules.
//!
//! Everything is a function of the calls made, so equal calls give equal bytes.
//!
//! Start reading at [`TinyLedger`]; [`bundles`] has one bundle of every kind.
#![allow(clippy::unwrap_used, reason = "a test helper fails by panicking")]
#![allow(clippy::missing_panics_doc, reason = "a test helper fails by panicking")]

mod network;
mod sample;
mod series;
mod trie;

use alloc::{collections::BTreeMap, string::ToString, vec, vec::Vec};

use althing_types::{
    Action, Arrived, Block, Body, Digest, EntityId, EntityKind, ExecutionResult, Header, Inception,
    Mechanism, Pack, PackBody, Payload, Reading, Receipt, SignedPayload, SigningKey, StreamId,
    StreamKey, StreamSchema, Suite, ThingId, Transaction, TxId, ValidatorSet, Value, ValueKind,
    Wire, receipts_root, receipts_statement,
};
use bytes::Bytes;

pub use network::Network;
pub use sample::{
    agreed_bundles, bundles, late_transaction_bundle, transaction_bundle, triggered_bundles,
};
pub use series::Series;
pub use trie::Trie;

use crate::{
    archive::Archive,
    bundle::{Bundle, Claim},
    certificate::Finalized,
    key,
    membership::EpochLink,
    record::{BindingRecord, EntityRecord, KeyRecord, ThingRecord},
    state_path::StatePath,
    stream::{Leaf, Node, StreamHead},
};

/// When the tiny ledger begins, milliseconds since 1970.
pub const BEGIN_MS: u64 = 1_700_000_000_000;
/// Time between readings of [`TinyLedger::submit`], milliseconds.
pub const PERIOD_MS: i64 = 300_000;
/// Time between blocks, milliseconds.
const BLOCK_MS: u64 = 1000;

/// A ledger with one thing of organisation 0, the stream of one property of it, and a gateway that
/// is bound to it.
///
/// Blocks are made by [`TinyLedger::commit`], or by submitting; each is executed at once and its
/// result is in the next one that has a result of its own.
pub struct TinyLedger {
    /// The genesis and the validators' keys.
    pub network: Network,
    /// The state now.
    pub state: Trie,
    /// The thing.
    pub thing: ThingId,
    /// The stream's id.
    pub stream: StreamId,
    /// The stream.
    pub series: Series,
    /// The gateway.
    pub gateway: EntityId,
    /// Its key.
    pub gateway_key: SigningKey,
    /// All blocks from height 1, with their receipts.
    pub blocks: Vec<(Block, Finalized, Vec<Receipt>)>,
    /// Steps between epochs so far.
    pub links: Vec<EpochLink>,
    transactions: BTreeMap<TxId, Bytes>,
    next_nonce: u64,
}

impl TinyLedger {
    /// A ledger of four peers whose gateway is of `kind` and signs with `suite`.
    #[must_use]
    pub fn new(kind: EntityKind, suite: Suite) -> Self {
        Self::on(Network::new(4), kind, suite)
    }

    /// The same on a network.
    #[must_use]
    pub fn on(network: Network, kind: EntityKind, suite: Suite) -> Self {
        let gateway_key = SigningKey::from_secret(suite, [77; 32]).unwrap();
        let inception =
            Inception { kind, name: "gateway-1".to_string(), key: gateway_key.public_key() };
        let owner = network.genesis.organisations[0].inception.id();
        let (gateway, thing) = (inception.id(), ThingId::derive(&owner, "machine-7"));
        let schema = StreamSchema {
            kind: ValueKind::Number,
            scale: 2,
            quantum: 1,
            unit: "celsius".to_string(),
            minimum: None,
            maximum: None,
        };
        let head = StreamHead::new(thing, "temperature".to_string(), schema);
        let mut ledger = Self {
            network,
            state: Trie::default(),
            thing,
            stream: head.id(),
            series: Series::new(head),
            gateway,
            gateway_key,
            blocks: vec![],
            links: vec![],
            transactions: BTreeMap::new(),
            next_nonce: 0,
        };
        ledger.put_entities(inception, owner);
        ledger.put_thing(owner);
        ledger.put_head();
        ledger
    }

    fn put_entities(&mut self, gateway: Inception, owner: EntityId) {
        let genesis = &self.network.genesis;
        let organisations =
            genesis.organisations.iter().map(|member| (member.inception.clone(), None));
        let peers =
            genesis.peers.iter().map(|peer| (peer.inception.clone(), Some(peer.organisation)));
        let all = organisations.chain(peers).chain([(gateway, Some(owner))]).collect::<Vec<_>>();
        for (inception, owner) in all {
            let record = EntityRecord {
                owner,
                key: inception.key.clone(),
                key_version: 1,
                key_since_height: 0,
                registered_height: 0,
                revoked: None,
                inception,
            };
            self.state.set(key::entity(&record.inception.id()), record.to_wire());
        }
    }

    fn put_thing(&mut self, owner: EntityId) {
        let record = ThingRecord {
            owner,
            name: "machine-7".to_string(),
            version: 1,
            description_digest: Digest([9; 32]),
            registered_height: 0,
            updated_height: 0,
            retired: None,
            device: None,
            device_height: None,
            signing: None,
        };
        self.state.set(key::thing(&self.thing), record.to_wire());
        let binding = BindingRecord { bound_height: 0, until_height: 1_000_000 };
        self.state.set(key::binding(&self.thing, &self.gateway), binding.to_wire());
    }

    fn put_head(&mut self) {
        self.state.set(key::stream(&self.stream), self.series.head.to_wire());
    }

    /// The next `count` readings, one every [`PERIOD_MS`] with values that go up and down.
    #[must_use]
    pub fn readings(&self, count: u32) -> Vec<Reading> {
        let first = self.series.head.next_seq;
        let reading = |seq: u64| {
            let claimed_ms = BEGIN_MS as i64 + seq as i64 * PERIOD_MS;
            let value = Value::Number(2000 + (seq as i64 * 37) % 500);
            Reading { claimed_ms, received_ms: claimed_ms + 40, value }
        };
        (first..first + u64::from(count)).map(reading).collect()
    }

    /// Submits the next `count` readings in a batch and block of their own.
    pub fn submit(&mut self, count: u32) {
        let readings = self.readings(count);
        self.submit_readings(readings);
    }

    /// Submits readings under the stream's next numbers, in a batch and block of their own.
    pub fn submit_readings(&mut self, readings: Vec<Reading>) {
        let first_seq = self.series.head.next_seq;
        self.submit_readings_at(first_seq, readings);
    }

    /// Submits readings from number `first_seq` on, in a batch and block of their own.
    pub fn submit_readings_at(&mut self, first_seq: u64, readings: Vec<Reading>) {
        let payload = Payload { readings };
        let batch = payload.header(self.stream, first_seq);
        let transaction = self.sign(vec![Action::SubmitBatch(batch.clone())]);
        self.block(vec![transaction.wire().clone()]);
        let height = self.blocks.len() as u64;
        let came = (self.gateway, transaction.id());
        self.series.append(&batch, &payload, came, (height, time_at(height)));
        self.put_head();
    }

    /// Submits the next `count` readings in packs of two that a device signed, in a batch and block of
    /// their own; the device's key follows from `seed`.
    pub fn submit_signed(&mut self, count: u32, suite: Suite, seed: u8) {
        let signed = self.signed(count, suite, seed);
        let batch = signed.header(self.stream);
        let transaction = self.sign(vec![Action::SubmitBatch(batch.clone())]);
        self.block(vec![transaction.wire().clone()]);
        let height = self.blocks.len() as u64;
        let came = (self.gateway, transaction.id());
        self.series.append_bytes(&batch, signed.to_wire(), came, (height, time_at(height)));
        self.put_head();
    }

    /// Submits readings sealed under a key, in a batch and block of their own.
    ///
    /// # Panics
    /// If there are more than can be sealed at once.
    pub fn submit_sealed(&mut self, readings: Vec<Reading>, key: &StreamKey) {
        let payload = Payload { readings };
        let plain = payload.header(self.stream, self.series.head.next_seq);
        let (batch, bytes) = key.seal(&plain, &payload.to_wire()).unwrap();
        let transaction = self.sign(vec![Action::SubmitBatch(batch.clone())]);
        self.block(vec![transaction.wire().clone()]);
        let height = self.blocks.len() as u64;
        let came = (self.gateway, transaction.id());
        self.series.append_bytes(&batch, bytes, came, (height, time_at(height)));
        self.put_head();
    }

    /// The next `count` readings in packs of two that a device signed, which becomes an entity.
    pub fn signed(&mut self, count: u32, suite: Suite, seed: u8) -> SignedPayload {
        let key = SigningKey::from_secret(suite, [seed; 32]).unwrap();
        let owner = self.network.genesis.organisations[0].inception.id();
        let name = "sensor".to_string();
        let inception = Inception { kind: EntityKind::Device, name, key: key.public_key() };
        let device = inception.id();
        self.put_entities(inception, owner);
        let readings = self.readings(count);
        let (mut packs, mut previous) = (Vec::<Arrived>::new(), None);
        for (index, pair) in readings.chunks(2).enumerate() {
            let base_ms = pair[0].claimed_ms;
            let body = PackBody {
                signer: device,
                first_seq: self.series.head.next_seq + 2 * index as u64,
                previous,
                name: "temperature".to_string(),
                base_ms: Some(base_ms),
                scale: self.series.head.schema.scale,
                readings: pair
                    .iter()
                    .map(|it| (it.claimed_ms - base_ms, it.value.clone()))
                    .collect(),
            };
            let ledger = self.network.genesis.ledger();
            let pack = Pack::sign(&ledger, &self.stream, body, &key);
            previous = Some(pack.digest());
            packs.push(Arrived { received_ms: pair[0].received_ms, pack });
        }
        SignedPayload { packs }
    }

    /// Replaces the gateway's key, as of the next block.
    pub fn rotate_key(&mut self, suite: Suite, seed: u8) {
        let height = self.blocks.len() as u64 + 1;
        let raw_key = key::entity(&self.gateway);
        let mut record = EntityRecord::from_wire(self.state.get(&raw_key).unwrap()).unwrap();
        let before = KeyRecord {
            key: record.key.clone(),
            since_height: record.key_since_height,
            until_height: height,
        };
        let history = key::key_history(&self.gateway, record.key_version);
        self.state.set(history, before.to_wire());
        self.gateway_key = SigningKey::from_secret(suite, [seed; 32]).unwrap();
        record.key = self.gateway_key.public_key();
        record.key_version += 1;
        record.key_since_height = height;
        self.state.set(raw_key, record.to_wire());
        self.commit();
    }

    /// A transaction of the gateway.
    pub fn sign(&mut self, actions: Vec<Action>) -> Transaction {
        let ledger = self.network.genesis.ledger();
        let body = Body::new(&ledger, self.gateway, self.next_nonce, 1_000_000, actions);
        self.next_nonce += 1;
        let transaction = Transaction::sign(&ledger, body, &self.gateway_key, &[]);
        self.transactions.insert(transaction.id(), transaction.wire().clone());
        transaction
    }

    /// Makes an empty block, which commits to the state now.
    pub fn commit(&mut self) -> Finalized {
        self.block(vec![]);
        self.blocks.last().unwrap().1.clone()
    }

    /// Makes a block, final by the first quorum of validators. All its transactions take effect.
    pub fn block(&mut self, transactions: Vec<Bytes>) {
        let header = self.header();
        self.push(header, transactions);
    }

    /// Ends the epoch: the next one has `count` validators.
    pub fn end_epoch(&mut self, count: u8) {
        let next = self.network.next_validators(count);
        self.enter(next);
    }

    /// Ends the epoch: in the next one the same validators agree by a mechanism.
    pub fn agree_by(&mut self, mechanism: Mechanism) {
        let next = self.network.next_agreement(mechanism);
        self.enter(next);
    }

    fn enter(&mut self, next: ValidatorSet) {
        let mut header = self.header();
        header.next_validators = Some(next.digest());
        self.push(header, vec![]);
        let last = self.blocks.last().unwrap().1.clone();
        self.links.push(EpochLink { last, next: next.clone() });
        self.network.enter(next);
    }

    fn push(&mut self, header: Header, transactions: Vec<Bytes>) {
        let block = Block::new(header, transactions);
        let finalized = self.network.finalize(block.header().clone());
        let receipt = |id: &TxId| Receipt { transaction: *id, code: 0, action: 0, events: vec![] };
        let receipts = block.ids().iter().map(receipt).collect();
        self.blocks.push((block, finalized, receipts));
    }

    /// Makes a block that repeats its parent's result, as if nothing had been executed meanwhile.
    /// The result of this one is in the next, too.
    pub fn block_without_result(&mut self, transactions: Vec<Bytes>) {
        let mut header = self.header();
        header.result = self.blocks.last().unwrap().0.header().result;
        self.push(header, transactions);
    }

    /// The block at a height, final by the certificate of the block at height `by`.
    #[must_use]
    pub fn finalized_by(&self, height: usize, by: usize) -> Finalized {
        let header = |(block, ..): &(Block, Finalized, Vec<Receipt>)| block.header().clone();
        Finalized {
            header: header(&self.blocks[height - 1]),
            certificate: self.blocks[by - 1].1.certificate.clone(),
            descendants: self.blocks[height..by].iter().map(header).collect(),
        }
    }

    /// The receipts roots from the height after `stated` to the newest.
    #[must_use]
    pub fn receipts_roots_after(&self, stated: u64) -> Vec<Digest> {
        let executed = self.blocks.iter().skip(stated as usize);
        executed.map(|(_, _, receipts)| receipts_root(receipts)).collect()
    }

    /// The header of the next block, whose body is still to come.
    fn header(&self) -> Header {
        let height = self.blocks.len() as u64 + 1;
        let (parent, stated) = match self.blocks.last() {
            Some((block, ..)) => (block.digest(), block.header().result.height),
            None => (Digest::default(), 0),
        };
        let receipts = receipts_statement(stated + 1, &self.receipts_roots_after(stated));
        let validators = &self.network.validators;
        Header {
            version: 1,
            ledger: self.network.genesis.ledger(),
            height,
            parent,
            time_ms: time_at(height),
            proposer: validators.validators[0].key,
            epoch: validators.epoch,
            view: height,
            parent_view: height - 1,
            validators: validators.digest(),
            next_validators: None,
            transactions: Digest::default(),
            count: 0,
            result: ExecutionResult {
                height: height - 1,
                state_root: self.state.root(),
                receipts_root: receipts,
            },
        }
    }

    /// A bundle with a claim about the state now; makes the block that commits to it.
    pub fn bundle(&mut self, claim: impl FnOnce(&Self) -> Claim) -> Bundle {
        let links = self.links.clone();
        let claim = claim(self);
        let block = self.commit();
        Bundle::new(links, block, claim)
    }

    /// Forgets a payload, as erasure does.
    pub fn erase_payload(&mut self, leaf: usize) {
        let digest = self.series.leaves[leaf].payload_digest;
        self.series.payloads.remove(&digest);
    }

    /// Forgets all transactions, as pruning does.
    pub fn prune_transactions(&mut self) {
        self.transactions.clear();
    }
}

fn time_at(height: u64) -> u64 {
    BEGIN_MS + height * BLOCK_MS
}

impl Archive for TinyLedger {
    fn value(&self, raw_key: &[u8]) -> Option<Vec<u8>> {
        self.state.get(raw_key).map(<[u8]>::to_vec)
    }

    fn path(&self, raw_key: &[u8]) -> Option<StatePath> {
        Some(self.state.path(raw_key))
    }

    fn node(&self, stream: &StreamId, level: u8, index: u64) -> Option<Node> {
        self.series.node(stream, level, index)
    }

    fn leaf(&self, stream: &StreamId, index: u64) -> Option<Leaf> {
        self.series.leaf(stream, index)
    }

    fn payload(&self, digest: &[u8; 32]) -> Option<Vec<u8>> {
        self.series.payload(digest)
    }

    fn transaction(&self, id: &TxId) -> Option<Vec<u8>> {
        self.transactions.get(id).map(|wire| wire.to_vec())
    }
}
