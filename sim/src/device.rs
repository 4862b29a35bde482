//! Devices behind a gateway that knows only what a client of a peer knows: it submits, waits, and
//! submits the same again elsewhere until it has an answer.

use std::{sync::Arc, time::Duration};

use althing_peer::{Placed, Submission};
use althing_types::{
    Action, Body, EntityId, EntityKind, Inception, Payload, Reading, Refusal, SigningKey, StreamId,
    ThingId, Transaction, Value, Wire as _, possession_bytes,
};
use commonware_runtime::{Clock as _, Supervisor as _, deterministic::Context};
use futures::future::{Either, select};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

use crate::{Book, Founding, world::Peers};

/// Blocks after which a transaction that was not included is given up and made anew.
const EXPIRY_BLOCKS: u64 = 40;
/// How long an answer is waited for before another peer is asked.
const PATIENCE: Duration = Duration::from_millis(1500);

const DESCRIPTION: &str = r#"{
  "@context": "https://www.w3.org/2022/wot/td/v1.1",
  "title": "Thermometer",
  "security": "none",
  "securityDefinitions": { "none": { "scheme": "nosec" } },
  "properties": { "temperature": { "type": "number", "unit": "Cel", "multipleOf": 0.01,
    "forms": [{ "href": "urn:none" }] } }
}"#;

/// A gateway with one thermometer.
pub(crate) struct Device {
    pub(crate) context: Context,
    pub(crate) founding: Arc<Founding>,
    pub(crate) book: Arc<Book>,
    pub(crate) peers: Arc<Peers>,
    index: usize,
    entity: EntityId,
    key: SigningKey,
    thing: ThingId,
    stream: StreamId,
    dice: ChaCha20Rng,
    next_seq: u64,
    nonce: u64,
}

impl Device {
    pub(crate) fn new(
        context: Context,
        founding: Arc<Founding>,
        book: Arc<Book>,
        peers: Arc<Peers>,
        index: usize,
        seed: u64,
    ) -> Self {
        let key = Founding::gateway_key(index);
        let inception = inception(index, &key);
        let owner = founding.organisation(index).0;
        let thing = ThingId::derive(&owner, &format!("thermometer {index}"));
        let dice = ChaCha20Rng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(index as u64));
        Self {
            entity: inception.id(),
            stream: StreamId::derive(&thing, "temperature"),
            context,
            founding,
            book,
            peers,
            index,
            key,
            thing,
            dice,
            next_seq: 0,
            nonce: 0,
        }
    }

    /// Registers what is not registered yet, then measures for ever.
    pub(crate) async fn run(mut self) {
        self.register().await;
        self.resume().await;
        loop {
            self.measure_once().await;
            let pause = 20 + self.dice.next_u64() % 200;
            self.context.sleep(Duration::from_millis(pause)).await;
        }
    }

    async fn register(&self) {
        let ledger = self.founding.genesis.ledger();
        let (owner, owner_key) = self.founding.organisation(self.index);
        let inception = inception(self.index, &self.key);
        let possession =
            self.key.sign(&possession_bytes(&ledger, &self.entity, &self.key.public_key()));
        let actions = vec![
            Action::RegisterEntity { inception, possession },
            Action::RegisterThing {
                name: format!("thermometer {}", self.index),
                description: DESCRIPTION.as_bytes().to_vec(),
            },
            Action::Bind { thing: self.thing, gateway: self.entity, until_height: u64::MAX },
        ];
        let mut nonce = self.index as u64;
        loop {
            let sent = self
                .settle(|height| {
                    let body =
                        Body::new(&ledger, *owner, nonce, height + EXPIRY_BLOCKS, actions.clone());
                    (Transaction::sign(&ledger, body, owner_key, &[]), Vec::new())
                })
                .await;
            match sent {
                Ok(placed) if placed.receipt.code == 0 => return,
                Ok(placed) if placed.receipt.code == Refusal::AlreadyExists.number() => return,
                Err(Refusal::AlreadyExists) => return,
                // Devices of one owner share its numbers.
                _ => nonce += 16,
            }
        }
    }

    /// After a power cut the gateway goes on where the ledger says that the stream stands.
    async fn resume(&mut self) {
        loop {
            if let Some(peer) = self.peers.any(&mut self.dice)
                && let Ok(stream) = peer.query().stream(&self.stream)
            {
                self.next_seq = stream.head.next_seq;
                // Far beyond any number used before, and within the window's jump.
                self.nonce = 1000 + self.next_seq * 4;
                return;
            }
            self.context.sleep(Duration::from_millis(100)).await;
        }
    }

    async fn measure_once(&mut self) {
        let count = 1 + self.dice.next_u64() % 5;
        let now = self.now_ms();
        let readings: Vec<Reading> = (0..count)
            .map(|offset| Reading {
                claimed_ms: now + offset as i64,
                received_ms: now + offset as i64,
                value: Value::Number((self.dice.next_u64() % 5000) as i64),
            })
            .collect();
        let payload = Payload { readings };
        let header = payload.header(self.stream, self.next_seq);
        let bytes: bytes::Bytes = payload.to_wire().into();
        let ledger = self.founding.genesis.ledger();
        loop {
            self.nonce += 1;
            let (entity, nonce, key) = (self.entity, self.nonce, self.key.clone());
            let sent = self
                .settle(|height| {
                    let actions = vec![Action::SubmitBatch(header.clone())];
                    let body = Body::new(&ledger, entity, nonce, height + EXPIRY_BLOCKS, actions);
                    (Transaction::sign(&ledger, body, &key, &[]), vec![bytes.clone()])
                })
                .await;
            match sent {
                Ok(placed) if placed.receipt.code == 0 => break,
                Ok(placed) => {
                    let code = Refusal::from_number(placed.receipt.code);
                    self.book.complain(format!("a good batch was refused: {code:?}"));
                    return;
                }
                // Given up by this gateway's count of blocks, but it may be final after all: then
                // its numbers are taken, by these very readings.
                Err(Refusal::SequenceOverlap) => break,
                Err(_) => {}
            }
        }
        for (seq, reading) in (self.next_seq..).zip(payload.readings) {
            self.book.acknowledged(self.stream, seq, reading.value);
        }
        self.next_seq += count;
    }

    /// Submits one transaction to one peer after the other until it is final or has expired.
    async fn settle(
        &self,
        make: impl Fn(u64) -> (Transaction, Vec<bytes::Bytes>),
    ) -> Result<Placed, Refusal> {
        let mut dice = self.dice.clone();
        let mut made: Option<(Transaction, Vec<bytes::Bytes>)> = None;
        loop {
            let Some(peer) = self.peers.any(&mut dice) else {
                self.context.sleep(Duration::from_millis(50)).await;
                continue;
            };
            let (transaction, payloads) = made.get_or_insert_with(|| make(peer.height())).clone();
            let id = transaction.id();
            let submission = Submission { transaction: transaction.wire().clone(), payloads };
            let answer = peer.submit(vec![submission]).await.pop();
            if let Some(placed) = peer.placed(&id) {
                return Ok(placed);
            }
            match answer {
                Some(Ok(_)) => {}
                Some(Err(Refusal::NotReady | Refusal::MempoolFull)) | None => {}
                // Of this peer's state, which may be older or newer than the block it came in.
                Some(Err(
                    Refusal::UnknownEntity
                    | Refusal::UnknownStream
                    | Refusal::NotBound
                    | Refusal::UnknownThing,
                )) => {}
                Some(Err(Refusal::NonceReused)) => {}
                Some(Err(refusal)) => return Err(refusal),
            }
            let wait = std::pin::pin!(peer.wait(id));
            let patience = std::pin::pin!(self.context.sleep(PATIENCE));
            if let Either::Left((Some(placed), _)) = select(wait, patience).await {
                return Ok(placed);
            }
        }
    }

    fn now_ms(&self) -> i64 {
        let since = self.context.current().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| since.as_millis() as i64)
    }
}

fn inception(index: usize, key: &SigningKey) -> Inception {
    Inception { kind: EntityKind::Gateway, name: format!("gateway {index}"), key: key.public_key() }
}

/// Starts the devices of a plan below `context`.
pub(crate) fn start_all(
    context: &Context,
    founding: &Arc<Founding>,
    book: &Arc<Book>,
    peers: &Arc<Peers>,
    devices: usize,
    seed: u64,
) {
    use commonware_runtime::Spawner as _;
    for index in 0..devices {
        let task = context.child("device").with_attribute("index", index);
        let own = task.child("own");
        let device = Device::new(
            own,
            Arc::clone(founding),
            Arc::clone(book),
            Arc::clone(peers),
            index,
            seed,
        );
        task.spawn(move |_| device.run());
    }
}
