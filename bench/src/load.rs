//! What is sent to a network: entities that sign, transactions made in advance, and a pace.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use althing_client::{Account, Client, Error, Signer, Submission};
use althing_types::{
    Action, EntityKind, LedgerId, Record, SigningKey, Suite,
    limits::{ACTIONS_MAX, EXPIRY_BLOCKS_MAX},
};
use anyhow::{Context as _, Result, ensure};
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

use crate::network::{Cpu, Network, PATIENCE};

/// How often the peers are asked how far they are.
const LOOK: Duration = Duration::from_millis(10);
/// How long a request waits after a peer had no room for it.
const PAUSE: Duration = Duration::from_millis(5);
/// Requests under way at each peer.
const LANES: usize = 2;
/// Data of the record that most benches write, bytes.
pub(crate) const RECORD_BYTES: usize = 200;

/// Entities that sign, registered at all peers.
pub(crate) async fn senders(network: &Network, count: usize) -> Result<Vec<Account>> {
    let ledger = network.genesis.ledger();
    let (accounts, actions): (Vec<_>, Vec<_>) = (0..count).map(|i| sender(&ledger, i)).unzip();
    for chunk in actions.chunks(ACTIONS_MAX) {
        network.act(chunk.to_vec()).await?;
    }
    Ok(accounts)
}

/// One more entity that signs, beside the others.
pub(crate) async fn one_more(network: &Network, number: usize) -> Result<Account> {
    /// Beyond what [`senders`] is asked for.
    const FIRST: usize = 1_000_000;
    let (account, action) = sender(&network.genesis.ledger(), FIRST + number);
    network.act(vec![action]).await?;
    Ok(account)
}

fn sender(ledger: &LedgerId, index: usize) -> (Account, Action) {
    let mut secret = [7; 32];
    secret[..8].copy_from_slice(&(index as u64).to_le_bytes());
    let key = SigningKey::from_secret(Suite::Ed25519, secret);
    let key = key.unwrap_or_else(|| unreachable!("any bytes are an Ed25519 secret"));
    let name = format!("sender-{index}");
    let (entity, action) = Signer::registration(ledger, EntityKind::Gateway, &name, &key);
    let account = Account::new(Signer { ledger: *ledger, entity, key }, 0, 0);
    (account.with_expiry_blocks(EXPIRY_BLOCKS_MAX / 2), action)
}

/// A record of [`RECORD_BYTES`], as an application might write one.
pub(crate) fn record(number: u64) -> Action {
    // Different bytes in each, so that nothing can be compressed that could not be in life.
    let mut data = Vec::with_capacity(RECORD_BYTES);
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while data.len() < RECORD_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        data.extend_from_slice(&state.to_le_bytes());
    }
    data.truncate(RECORD_BYTES);
    Action::Record(Record { kind: "bench".into(), data, notify: vec![], link: None })
}

/// Transactions in the order in which they are posted, for one peer.
pub(crate) type Lane = Vec<Vec<Submission>>;

/// What driving a load gave.
pub(crate) struct Driven {
    /// Transactions.
    pub(crate) count: u64,
    /// From the first post until every peer had executed all.
    pub(crate) took: Duration,
    /// CPU time used in between.
    pub(crate) cpu: Cpu,
    /// Blocks in between.
    pub(crate) blocks: u64,
}

impl Driven {
    /// Transactions a second.
    pub(crate) fn rate(&self) -> f64 {
        self.count as f64 / self.took.as_secs_f64()
    }

    /// CPU time of the peers for each transaction, milliseconds.
    pub(crate) fn peers_ms(&self) -> f64 {
        self.cpu.peers.as_secs_f64() * 1e3 / self.count as f64
    }

    /// CPU time of the load generator for each transaction, milliseconds.
    pub(crate) fn load_ms(&self) -> f64 {
        self.cpu.load.as_secs_f64() * 1e3 / self.count as f64
    }
}

const EXECUTED: &str = "althing_transactions_executed_total";

/// Posts everything as fast as the network takes it, with at most `under_way` transactions between
/// post and execution; `lanes` has the requests of each peer.
pub(crate) async fn drive(network: &Network, lanes: Vec<Lane>, under_way: usize) -> Result<Driven> {
    let count: u64 = lanes.iter().flatten().map(|request| request.len() as u64).sum();
    let before = executed(network).await?;
    let (height, cpu, started) = (network.height().await?, network.cpu()?, Instant::now());
    let room = Arc::new(Semaphore::new(under_way));
    let failed = Arc::new(AtomicBool::new(false));
    let mut posts = JoinSet::new();
    for (client, lane) in network.clients.iter().zip(lanes) {
        let requests = Arc::new(std::sync::Mutex::new(lane.into_iter()));
        for _ in 0..LANES {
            let (client, room) = (client.clone(), Arc::clone(&room));
            let (requests, failed) = (Arc::clone(&requests), Arc::clone(&failed));
            posts.spawn(async move {
                let next = || requests.lock().ok().and_then(|mut requests| requests.next());
                while let Some(request) = next() {
                    let posted = post(&client, &room, &request).await;
                    if posted.is_err() {
                        failed.store(true, Ordering::Relaxed);
                        return posted;
                    }
                }
                Ok(())
            });
        }
    }
    let mut seen = 0;
    while seen < count && !failed.load(Ordering::Relaxed) {
        sleep(LOOK).await;
        let now = executed(network).await? - before;
        room.add_permits(usize::try_from(now - seen)?);
        seen = now;
        ensure!(started.elapsed() < PATIENCE * 5, "only {seen} of {count} were executed");
    }
    while let Some(post) = posts.join_next().await {
        post??;
    }
    let (took, cpu) = (started.elapsed(), network.cpu()?.since(cpu));
    Ok(Driven { count, took, cpu, blocks: network.height().await? - height })
}

/// How many transactions the slowest peer has executed.
async fn executed(network: &Network) -> Result<u64> {
    let mut least = u64::MAX;
    for peer in 0..network.clients.len() {
        least = least.min(network.counter(peer, EXECUTED).await?);
    }
    Ok(least)
}

async fn post(client: &Client, room: &Semaphore, request: &[Submission]) -> Result<()> {
    room.acquire_many(u32::try_from(request.len())?).await?.forget();
    let mut left = request.to_vec();
    while !left.is_empty() {
        let admissions = match client.submit_many(&left).await {
            Err(error) if error.is_temporary() => {
                sleep(PAUSE).await;
                continue;
            }
            answer => answer.context("a request failed")?,
        };
        let mut again = Vec::new();
        for (submission, admission) in left.into_iter().zip(admissions) {
            match admission.problem.map(Error::from) {
                None => {}
                Some(error) if error.is_temporary() => again.push(submission),
                Some(error) => return Err(error).context("a transaction was refused"),
            }
        }
        left = again;
        if !left.is_empty() {
            sleep(PAUSE).await;
        }
    }
    Ok(())
}
