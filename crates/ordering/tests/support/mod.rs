//! A toy application, and configurations for networks of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, UNIX_EPOCH},
};

use althing_ordering::{
    Ack, Address, Application, Config, Draft, Electors, Evidence, PeerKey, Proposal, Role, Sizes,
    Timing,
};
use althing_types::{
    Block, Digest, EntityId, ExecutionResult, Header, LedgerId, Mechanism, Validator, ValidatorSet,
};
use bytes::Bytes;
use commonware_runtime::Clock;
use futures::future::{BoxFuture, Either, select};
use tokio::sync::Notify;
use zeroize::Zeroizing;

pub(crate) const LEDGER: LedgerId = LedgerId([0x2a; 32]);

/// Orders whatever is put into its pool; keeps the blocks delivered, as a disk would.
pub(crate) struct Toy<E> {
    clock: E,
    heartbeat: Duration,
    state: Mutex<State>,
    work: Notify,
}

#[derive(Default)]
struct State {
    pool: BTreeSet<Bytes>,
    chain: BTreeMap<u64, Arc<Block>>,
    delivered: HashSet<Bytes>,
    /// Everything up to this height was delivered before this run.
    base: u64,
    again: usize,
    evidence: Vec<Evidence>,
    acknowledged: u64,
    /// Keep acks instead of giving them, as an application that is slow to write does.
    hold: bool,
    held: Vec<Ack>,
}

impl<E: Clock> Toy<E> {
    pub(crate) fn new(clock: E, heartbeat: Duration) -> Arc<Self> {
        Arc::new(Self { clock, heartbeat, state: Mutex::default(), work: Notify::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn submit(&self, transaction: Bytes) {
        let mut state = self.state();
        if !state.delivered.contains(&transaction) {
            state.pool.insert(transaction);
            self.work.notify_waiters();
        }
    }

    /// Digests of the delivered blocks, from height 1.
    pub(crate) fn chain(&self) -> Vec<Digest> {
        self.state().chain.values().map(|block| block.digest()).collect()
    }

    pub(crate) fn height(&self) -> u64 {
        let state = self.state();
        state.chain.keys().last().copied().unwrap_or(state.base)
    }

    pub(crate) fn blocks(&self) -> Vec<Arc<Block>> {
        self.state().chain.values().cloned().collect()
    }

    /// Forgets nothing up to `height`, although it was not told: an application after a restart.
    pub(crate) fn resume_after(&self, height: u64) {
        self.state().base = height;
    }

    /// The highest block acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.state().acknowledged
    }

    /// How many blocks arrived that had arrived before.
    pub(crate) fn again(&self) -> usize {
        self.state().again
    }

    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        self.state().evidence.clone()
    }

    pub(crate) fn hold_acks(&self, hold: bool) {
        let mut state = self.state();
        state.hold = hold;
        let held = std::mem::take(&mut state.held);
        drop(state);
        if !hold {
            held.into_iter().for_each(Ack::done);
        }
    }

    pub(crate) fn drop_acks(&self) {
        self.state().held.clear();
    }

    /// Transactions that are neither delivered nor in a block on the way.
    fn waiting(&self, undelivered: &[Arc<Block>]) -> Vec<Bytes> {
        let state = self.state();
        let on_the_way: HashSet<&Bytes> =
            undelivered.iter().flat_map(|block| block.transactions()).collect();
        state.pool.iter().filter(|it| !on_the_way.contains(it)).take(1000).cloned().collect()
    }

    fn now_ms(&self) -> u64 {
        self.clock.current().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
    }

    async fn work_or_heartbeat(&self, undelivered: &[Arc<Block>]) -> Vec<Bytes> {
        let mut deadline = std::pin::pin!(self.clock.sleep(self.heartbeat));
        loop {
            let mut work = std::pin::pin!(self.work.notified());
            // Registered before looking, so that no wake-up is lost.
            work.as_mut().enable();
            let waiting = self.waiting(undelivered);
            if !waiting.is_empty() {
                return waiting;
            }
            if let Either::Left(_) = select(&mut deadline, work).await {
                return self.waiting(undelivered);
            }
        }
    }
}

/// The application's half that the engine sees.
pub(crate) struct App<E>(pub(crate) Arc<Toy<E>>);

impl<E: Clock> Application for App<E> {
    fn propose(&self, proposal: Proposal) -> BoxFuture<'static, Option<Draft>> {
        let toy = Arc::clone(&self.0);
        Box::pin(async move {
            let transactions = match &proposal.undelivered {
                Some(undelivered) => toy.work_or_heartbeat(undelivered).await,
                None => Vec::new(),
            };
            let time_ms = toy.now_ms().max(proposal.parent.header().time_ms + 1);
            Some(Draft { time_ms, transactions, result: RESULT, next_validators: None })
        })
    }

    fn verify(&self, block: Arc<Block>, parent: Arc<Block>) -> BoxFuture<'static, bool> {
        let later = block.header().time_ms > parent.header().time_ms;
        Box::pin(async move { later })
    }

    fn deliver(&self, block: Arc<Block>, ack: Ack) {
        let mut state = self.0.state();
        let height = block.height();
        match state.chain.get(&height) {
            Some(before) => {
                assert_eq!(before.digest(), block.digest(), "two final blocks at {height}");
                state.again += 1;
            }
            None if height <= state.base => state.again += 1,
            None => {
                let last = state.chain.keys().last().copied().unwrap_or(state.base);
                assert_eq!(height, last + 1, "a gap in the delivered blocks");
                for transaction in block.transactions() {
                    state.pool.remove(transaction);
                    assert!(state.delivered.insert(transaction.clone()), "delivered twice");
                }
                state.chain.insert(height, block);
            }
        }
        if state.hold {
            state.held.push(ack);
        } else {
            state.acknowledged = state.acknowledged.max(height);
            drop(state);
            ack.done();
        }
    }

    fn validators(&self, epoch: u64) -> BoxFuture<'static, Electors> {
        panic!("epoch {epoch}: there is one only")
    }

    fn misbehaviour(&self, evidence: Evidence) {
        self.0.state().evidence.push(evidence);
    }
}

const RESULT: ExecutionResult =
    ExecutionResult { height: 0, state_root: Digest([1; 32]), receipts_root: Digest([2; 32]) };

/// Timings for tests in which a second of silence would be long.
pub(crate) const QUICK: Timing = Timing {
    heartbeat: Duration::from_millis(100),
    leader_timeout: Duration::from_millis(600),
    certification_timeout: Duration::from_millis(1200),
    retry: Duration::from_millis(500),
    skip_timeout: Duration::from_millis(2000),
};

/// A network of peers with the seeds 1, 2, ...: validators first, then followers.
pub(crate) struct Plan {
    pub(crate) mechanism: Mechanism,
    pub(crate) seeds: Vec<[u8; 32]>,
    pub(crate) keys: Vec<PeerKey>,
    pub(crate) validators: ValidatorSet,
    pub(crate) followers: Vec<PeerKey>,
    pub(crate) genesis: Arc<Block>,
}

impl Plan {
    pub(crate) fn new(validators: u8, followers: u8) -> Self {
        Self::of(Mechanism::Simplex, validators, followers)
    }

    pub(crate) fn of(mechanism: Mechanism, validators: u8, followers: u8) -> Self {
        let seeds: Vec<[u8; 32]> = (1..=validators + followers).map(|i| [i; 32]).collect();
        let keys: Vec<PeerKey> = seeds.iter().map(public_key).collect();
        let (voting, following) = keys.split_at(usize::from(validators));
        let mut voting = voting.to_vec();
        voting.sort_unstable();
        let validator = |key: &PeerKey| Validator {
            key: *key,
            peer: EntityId(*key),
            organisation: EntityId(*key),
        };
        let validators = ValidatorSet {
            epoch: 0,
            validators: voting.iter().map(validator).collect(),
            mechanism: None,
        };
        let followers = following.to_vec();
        let genesis = genesis(voting[0], &validators);
        Self { mechanism, seeds, keys, validators, followers, genesis }
    }

    pub(crate) fn config(&self, peer: usize, addresses: &[SocketAddr], timing: Timing) -> Config {
        let votes = self.validators.validators.iter().any(|it| it.key == self.keys[peer]);
        let dial = self.keys.iter().zip(addresses);
        Config {
            ledger: LEDGER,
            mechanism: self.mechanism,
            genesis: Arc::clone(&self.genesis),
            seed: Zeroizing::new(self.seeds[peer]),
            role: if votes { Role::Validator } else { Role::Follower },
            validators: self.validators.clone(),
            epoch_blocks: None,
            joined: 0,
            followers: self.followers.clone(),
            addresses: dial.map(|(key, at)| (*key, Address::Socket(*at))).collect(),
            listen: addresses.get(peer).copied().unwrap_or(([127, 0, 0, 1], 1).into()),
            own_address: None,
            seeds: Vec::new(),
            partition: format!("peer{peer}"),
            timing,
            sizes: Sizes { block_bytes_max: 1024 * 1024, ..Sizes::STANDARD },
        }
    }
}

fn public_key(seed: &[u8; 32]) -> PeerKey {
    let key = althing_ordering::wiring::public_key_of(seed).unwrap();
    key.as_ref().try_into().unwrap()
}

fn genesis(proposer: PeerKey, validators: &ValidatorSet) -> Arc<Block> {
    let header = Header {
        version: 1,
        ledger: LEDGER,
        height: 0,
        parent: Digest::default(),
        time_ms: 1,
        proposer,
        epoch: 0,
        view: 0,
        parent_view: 0,
        validators: validators.digest(),
        next_validators: None,
        transactions: Digest::default(),
        count: 0,
        result: RESULT,
    };
    Arc::new(Block::new(header, Vec::new()))
}

pub(crate) fn transaction(number: u32) -> Bytes {
    Bytes::from(number.to_be_bytes().to_vec())
}
