//! One peer that is a whole network, with its interface on a free port.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use althing_api::{Config, listen, router, serve};
use althing_client::{Account, Client, Signer};
use althing_ordering::{Role, Sizes, Timing, start_live};
use althing_peer::Opened;
use althing_state::MemoryStore;
use althing_storage::{MemoryFiles, Payloads};
use althing_types::{
    EntityKind, Genesis, Inception, Mechanism, Mode, Organisation, Parameters, PeerSeat,
    SigningKey, Suite,
};
use commonware_runtime::{Runner as _, Supervisor as _, tokio};
use zeroize::Zeroizing;

/// How long a test waits for a transaction.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running network of one peer and its only organisation.
pub struct Host {
    pub genesis: Genesis,
    pub url: String,
    pub client: Client,
    pub organisation: Account,
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_secret(Suite::Ed25519, [seed; 32]).unwrap()
}

fn inception(kind: EntityKind, name: &str, seed: u8) -> Inception {
    Inception { kind, name: name.to_owned(), key: key(seed).public_key() }
}

const VOTING_SEED: u8 = 3;

pub fn genesis() -> Genesis {
    let organisation = inception(EntityKind::Organisation, "Harbour", 1);
    let peer = PeerSeat {
        inception: inception(EntityKind::Peer, "Quay", 2),
        organisation: organisation.id(),
        key: key(VOTING_SEED).public_key().bytes.try_into().unwrap(),
    };
    Genesis {
        version: 1,
        network: "test".into(),
        time_ms: 1_790_000_000_000,
        mode: Mode::Private,
        mechanism: Mechanism::Simplex,
        parameters: Parameters {
            heartbeat_ms: 300,
            leader_timeout_ms: 800,
            ..Parameters::standard()
        },
        organisations: vec![Organisation { inception: organisation }],
        peers: vec![peer],
    }
}

fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Starts a peer, runs the test against its interface, stops it.
pub fn with_peer<F: Future<Output = ()>>(config: Config, test: impl FnOnce(Host) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::Config::new().with_worker_threads(2).with_storage_directory(folder.path());
    tokio::Runner::new(runtime).start(|context| async move {
        let genesis = genesis();
        let peer = start(context, &genesis).await;
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let client = Client::new(althing_client::Config::new(&url)).unwrap();
        let organisation = Signer {
            ledger: genesis.ledger(),
            entity: genesis.organisations[0].inception.id(),
            key: key(1),
        };
        let host = Host { genesis, url, client, organisation: Account::new(organisation, 0, 0) };
        let stop = test(host);
        serve(listener, router(peer.clone(), config.clone()), &config, stop).await;
        peer.shutdown().await;
    });
}

async fn start(context: tokio::Context, genesis: &Genesis) -> althing_peer::Peer {
    let store = Arc::new(MemoryStore::new());
    let payloads = Payloads::open(Arc::new(MemoryFiles::default()), store.clone()).unwrap();
    let settings = althing_peer::Config::standard(genesis.clone(), genesis.peers[0].key, true);
    let opened = Opened::open(settings, store, Arc::new(payloads)).unwrap();
    let ordering = althing_ordering::Config {
        ledger: genesis.ledger(),
        genesis: opened.genesis_block().clone(),
        seed: Zeroizing::new([VOTING_SEED; 32]),
        role: Role::Validator,
        validators: genesis.validators(),
        followers: Vec::new(),
        addresses: BTreeMap::new(),
        listen: free_address(),
        partition: "test".into(),
        timing: Timing {
            heartbeat: Duration::from_millis(300),
            leader_timeout: Duration::from_millis(800),
            ..Timing::STANDARD
        },
        sizes: Sizes::STANDARD,
    };
    let context_ = context.child("ordering");
    opened.start(context.child("peer"), |app| start_live(context_, ordering, app)).await.unwrap()
}
