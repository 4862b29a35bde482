//! A ledger of one validator, made without a network and at any pace, for tests beside the code.

use std::sync::Arc;

use althing_proof::certificate::signed_bytes;
use althing_state::{Batch, MemoryStore, Space, Store};
use althing_storage::{MemoryFiles, Payloads};
use althing_types::{
    Action, BatchHeader, Block, Body, Certificate, Digest, Genesis, Header, Parameters, Payload,
    Reading, StreamId, ThingId, Transaction, Value,
};
use bytes::Bytes;
use commonware_utils::channel::mpsc;

use crate::{
    Config,
    chain::Chain,
    core::Core,
    payloads::PayloadBook,
    rows,
    snapshot::Desk,
    testing::{self, VOTING_SEED, key},
};

pub(crate) const THINGS: usize = 140;

pub(crate) fn genesis() -> Genesis {
    testing::genesis(Parameters::standard())
}

pub(crate) fn description(number: usize) -> Vec<u8> {
    format!(
        r#"{{"@context": "https://www.w3.org/2022/wot/td/v1.1", "@type": "Buoy", "title": "Buoy {number}",
        "securityDefinitions": {{"none": {{"scheme": "nosec"}}}}, "security": "none",
        "properties": {{"depth": {{"type": "integer", "forms": [{{"href": "d"}}]}}}}}}"#
    )
    .into_bytes()
}

/// A peer with a ledger of its own.
pub(crate) struct Origin {
    pub(crate) genesis: Genesis,
    pub(crate) core: Arc<Core>,
    nonce: u64,
    /// From one block to the next, milliseconds.
    pub(crate) pace_ms: u64,
}

impl Origin {
    pub(crate) fn new() -> Self {
        let (genesis, store) = (genesis(), Arc::new(MemoryStore::new()) as Arc<dyn Store>);
        let (chain, _) = Chain::open(&genesis, Arc::clone(&store)).unwrap();
        let payloads = Payloads::open(Arc::new(MemoryFiles::new()), Arc::clone(&store)).unwrap();
        let book = PayloadBook::open(Arc::new(payloads), store).unwrap();
        let config = Config::standard(genesis.clone(), genesis.peers[0].key, true);
        let core = Core::new(config, chain, book, mpsc::unbounded_channel().0, Desk::new().0);
        Self { genesis, core: Arc::new(core), nonce: 0, pace_ms: 1_000 }
    }

    /// One with things, readings of every second of them, and a few blocks more.
    pub(crate) fn grown() -> Self {
        let mut origin = Self::new();
        let name = |number: usize| format!("buoy {number}");
        for part in (0..THINGS).collect::<Vec<_>>().chunks(20) {
            let register = |number: &usize| Action::RegisterThing {
                name: name(*number),
                description: description(*number),
            };
            origin.block(vec![part.iter().map(register).collect()]);
        }
        for round in 0..5 {
            let all = (0..THINGS).step_by(2).filter(|number| number % 5 >= round);
            let batches = all.map(|number| Action::SubmitBatch(batch(&origin, number, round)));
            origin.block(batches.map(|batch| vec![batch]).collect());
        }
        (0..3).for_each(|_| origin.block(Vec::new()));
        origin
    }

    pub(crate) fn thing(&self, number: usize) -> ThingId {
        let owner = self.genesis.organisations[0].inception.id();
        ThingId::derive(&owner, &format!("buoy {number}"))
    }

    pub(crate) fn stream(&self, number: usize) -> StreamId {
        StreamId::derive(&self.thing(number), "depth")
    }

    /// The next transaction of the organisation.
    pub(crate) fn sign(&mut self, actions: Vec<Action>) -> Transaction {
        self.nonce += 1;
        let (ledger, expiry) = (self.genesis.ledger(), self.core.chain.height() + 101);
        let sender = self.genesis.organisations[0].inception.id();
        let body = Body::new(&ledger, sender, self.nonce, expiry, actions);
        Transaction::sign(&ledger, body, &key(1), &[])
    }

    /// Executes a block with a transaction for each list of actions, and certifies it.
    pub(crate) fn block(&mut self, actions: Vec<Vec<Action>>) {
        let sign = |actions| self.sign(actions).wire().clone();
        let wires: Vec<Bytes> = actions.into_iter().map(sign).collect();
        let chain = &self.core.chain;
        let parent = chain.done(chain.height()).unwrap().header;
        let (ledger, height) = (self.genesis.ledger(), parent.height + 1);
        let header = Header {
            version: 1,
            ledger,
            height,
            parent: parent.digest(),
            time_ms: parent.time_ms + self.pace_ms,
            proposer: self.genesis.peers[0].key,
            epoch: 0,
            view: height,
            parent_view: height - 1,
            validators: self.genesis.validators().digest(),
            next_validators: None,
            transactions: Digest::default(),
            count: 0,
            result: chain.statement(&parent.result, height - 1).unwrap(),
        };
        let block = Block::new(header, wires);
        let mut beside = Batch::default();
        beside.put(Space::Receipts, rows::block(height), block.wire().to_vec());
        let certificate = minicbor::to_vec(self.certificate(block.header())).unwrap();
        beside.put(Space::Receipts, rows::certificate(height), certificate);
        let transactions: Vec<Transaction> = block
            .transactions()
            .iter()
            .map(|wire| Transaction::decode(wire.clone()).unwrap())
            .collect();
        let all: Vec<&Transaction> = transactions.iter().collect();
        let applied = chain.apply(&block, &all, beside, false).unwrap();
        assert!(applied.receipts.iter().all(|receipt| receipt.code == 0), "{:?}", applied.receipts);
    }

    pub(crate) fn certificate(&self, header: &Header) -> Certificate {
        let (block, mechanism) = (header.digest(), self.genesis.mechanism);
        let (view, parent_view) = (header.view, header.parent_view);
        let ledger = self.genesis.ledger();
        let message = signed_bytes(mechanism, &ledger, 0, view, parent_view, &block);
        let signatures = vec![key(VOTING_SEED).sign(&message)];
        Certificate { epoch: 0, view, parent_view, block, signers: vec![0x80], signatures }
    }
}

pub(crate) fn payload(number: usize, round: usize) -> Payload {
    let claimed_ms = 1_790_000_000_000;
    let at = |at: i64| Reading { claimed_ms, received_ms: claimed_ms, value: Value::Number(at) };
    Payload { readings: (0..3).map(|nth| at(nth + (number * 10 + round) as i64)).collect() }
}

pub(crate) fn batch(origin: &Origin, number: usize, round: usize) -> BatchHeader {
    payload(number, round).header(origin.stream(number), 3 * round as u64)
}
