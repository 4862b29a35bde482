//! A network of one peer in this process, for tests of what stands above the peer.

use std::{
    collections::BTreeMap,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use althing_ordering::{Role, Sizes, Timing, start_live};
use althing_state::{MemoryStore, Store};
use althing_storage::{MemoryFiles, Payloads};
use althing_types::{
    EntityKind, Genesis, Inception, Mechanism, Mode, Organisation, Parameters, PeerSeat,
    SigningKey, Suite,
};
use commonware_runtime::{Runner as _, Supervisor as _, tokio};

use crate::{Config, Opened, Peer};

/// Seed of the voting key of the peer that [`genesis`] founds.
pub const VOTING_SEED: u8 = 3;

/// A key of tests: the organisation's has seed 1, its peer's 2.
///
/// # Panics
/// Never: any seed is one of a key.
#[must_use]
pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_secret(Suite::Ed25519, [seed; 32]).expect("any 32 bytes are a seed")
}

/// A private network of one peer.
///
/// # Panics
/// Never.
#[must_use]
pub fn genesis(parameters: Parameters) -> Genesis {
    let begins = |kind, name: &str, seed| Inception {
        kind,
        name: name.to_owned(),
        key: key(seed).public_key(),
    };
    let organisation = begins(EntityKind::Organisation, "Harbour", 1);
    let voting = key(VOTING_SEED).public_key().bytes;
    let peer = PeerSeat {
        inception: begins(EntityKind::Peer, "Quay", 2),
        organisation: organisation.id(),
        key: voting.try_into().expect("a key of Ed25519 has 32 bytes"),
    };
    Genesis {
        version: 1,
        network: "test".into(),
        time_ms: 1_790_000_000_000,
        mode: Mode::Private,
        mechanism: Mechanism::Simplex,
        parameters,
        organisations: vec![Organisation { inception: organisation }],
        peers: vec![peer],
        token: None,
    }
}

/// Starts the only peer of a genesis, whose voting key has this seed, runs `work` with it and stops
/// it. State and payloads are in memory, blocks in a folder that is gone afterwards.
///
/// # Panics
/// If the peer does not start: this is for tests.
pub fn run_alone<F: Future<Output = ()>>(
    genesis: &Genesis,
    voting_seed: [u8; 32],
    work: impl FnOnce(Peer) -> F,
) {
    run_alone_on(Arc::new(MemoryStore::new()), genesis, voting_seed, work);
}

/// As [`run_alone`], with settings changed by `adjust`.
///
/// # Panics
/// As [`run_alone`].
pub fn run_alone_with<F: Future<Output = ()>>(
    genesis: &Genesis,
    voting_seed: [u8; 32],
    adjust: impl FnOnce(&mut Config),
    work: impl FnOnce(Peer) -> F,
) {
    let mut config = Config::standard(genesis.clone(), genesis.peers[0].key, true);
    adjust(&mut config);
    run(Arc::new(MemoryStore::new()), config, voting_seed, work);
}

/// As [`run_alone`], with the state in a store of the test's own.
///
/// # Panics
/// As [`run_alone`].
pub fn run_alone_on<F: Future<Output = ()>>(
    store: Arc<dyn Store>,
    genesis: &Genesis,
    voting_seed: [u8; 32],
    work: impl FnOnce(Peer) -> F,
) {
    let config = Config::standard(genesis.clone(), genesis.peers[0].key, true);
    run(store, config, voting_seed, work);
}

fn run<F: Future<Output = ()>>(
    store: Arc<dyn Store>,
    config: Config,
    voting_seed: [u8; 32],
    work: impl FnOnce(Peer) -> F,
) {
    let folder = Folder::new();
    let runtime = tokio::Config::new().with_worker_threads(2).with_storage_directory(&folder.0);
    tokio::Runner::new(runtime).start(|context| async move {
        let peer = start(context, store, config, voting_seed).await;
        work(peer.clone()).await;
        peer.shutdown().await;
    });
}

async fn start(
    context: tokio::Context,
    store: Arc<dyn Store>,
    config: Config,
    voting_seed: [u8; 32],
) -> Peer {
    let genesis = &config.genesis.clone();
    let files = Arc::new(MemoryFiles::default());
    let payloads = Payloads::open(files, Arc::clone(&store)).expect("memory does not fail");
    let opened = Opened::open(config, store, Arc::new(payloads)).expect("the genesis is valid");
    let ordering = althing_ordering::Config {
        ledger: genesis.ledger(),
        mechanism: genesis.mechanism,
        genesis: opened.genesis_block().clone(),
        seed: voting_seed.into(),
        role: Role::Validator,
        validators: genesis.validators(),
        epoch_blocks: genesis.parameters.epoch_blocks,
        joined: 0,
        followers: Vec::new(),
        addresses: BTreeMap::new(),
        listen: free_address(),
        own_address: None,
        seeds: Vec::new(),
        partition: "alone".into(),
        timing: timing(genesis),
        sizes: Sizes::STANDARD,
    };
    let below = context.child("ordering");
    let started = opened.start(context.child("peer"), |app| start_live(below, ordering, app)).await;
    started.expect("a peer alone starts")
}

/// The standard's distances behind what the genesis says.
fn timing(genesis: &Genesis) -> Timing {
    let standard = Timing::STANDARD;
    let leader_timeout = Duration::from_millis(genesis.parameters.leader_timeout_ms.into());
    let later = |after: Duration| leader_timeout + (after - standard.leader_timeout);
    Timing {
        heartbeat: Duration::from_millis(genesis.parameters.heartbeat_ms.into()),
        leader_timeout,
        certification_timeout: later(standard.certification_timeout),
        skip_timeout: later(standard.skip_timeout),
        retry: standard.retry,
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback is there");
    listener.local_addr().expect("it is bound")
}

/// A folder of this run alone.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("althing-alone-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
