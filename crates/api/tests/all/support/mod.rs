//! One peer that is a whole network, with its interface on a free port.
#![allow(unreachable_pub, reason = "what tests share is public to them")]

use std::time::Duration;

use althing_api::{Config, listen, router, serve};
use althing_client::{Account, Client, Signer};
pub use althing_peer::testing::key;
use althing_peer::testing::{self, VOTING_SEED, run_alone_with};
use althing_types::{Genesis, Parameters};

/// How long a test waits for a transaction.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running network of one peer and its only organisation.
pub struct Host {
    pub genesis: Genesis,
    pub url: String,
    pub client: Client,
    pub organisation: Account,
}

pub fn genesis() -> Genesis {
    testing::genesis(Parameters {
        heartbeat_ms: 300,
        leader_timeout_ms: 800,
        ..Parameters::standard()
    })
}

/// Starts a peer, runs the test against its interface, stops it.
pub fn with_peer<F: Future<Output = ()>>(config: Config, test: impl FnOnce(Host) -> F) {
    with_adjusted_peer(config, |_| (), test);
}

/// The same with a peer whose payloads may take so many bytes.
pub fn with_bounded_peer<F: Future<Output = ()>>(
    config: Config,
    payload_bytes_max: u64,
    test: impl FnOnce(Host) -> F,
) {
    with_adjusted_peer(config, |peer| peer.payload_bytes_max = Some(payload_bytes_max), test);
}

fn with_adjusted_peer<F: Future<Output = ()>>(
    config: Config,
    adjust: impl FnOnce(&mut althing_peer::Config),
    test: impl FnOnce(Host) -> F,
) {
    let genesis = genesis();
    run_alone_with(&genesis.clone(), [VOTING_SEED; 32], adjust, |peer| async move {
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let client = Client::new(althing_client::Config::new(&url)).unwrap();
        let organisation = Signer {
            ledger: genesis.ledger(),
            entity: genesis.organisations[0].inception.id(),
            key: key(1),
        };
        let recorder = Signer {
            ledger: genesis.ledger(),
            entity: genesis.peers[0].inception.id(),
            key: key(2),
        };
        let host = Host { genesis, url, client, organisation: Account::new(organisation, 0, 0) };
        serve(listener, router(peer, config.clone(), Some(recorder)), &config, test(host)).await;
    });
}

/// The status of a GET with this `Authorization`.
pub async fn status_with(url: &str, authorization: &str) -> u16 {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "GET /{path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {authorization}\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
