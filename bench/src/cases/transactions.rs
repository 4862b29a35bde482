//! How many transactions a network takes, what each costs, and what it leaves on disk.

use std::{path::Path, time::Duration};

use althing_client::{Account, Submission};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{round, round_fine};
use crate::{
    load::{Driven, Lane, RECORD_BYTES, drive, record, senders},
    network::{CONSORTIUM, Kind, Network, PRIVATE, TRUSTING},
};

const SENDERS: usize = 128;
const COUNT: usize = 200_000;
/// How many where two networks are compared.
const COUNT_BESIDE: usize = 100_000;
/// Sent before, so that connections and caches are as they will be.
const WARM_UP: usize = 20_000;
/// Transactions in one request.
const TOGETHER: usize = 512;
/// Transactions between post and execution: what several blocks hold, and less than the nonce
/// windows of the senders.
const UNDER_WAY: usize = 24_000;
/// What was gathered in memory is in its files by then.
const SETTLE: Duration = Duration::from_secs(5);

/// Records of 200 bytes, signed in advance, to all peers alike.
pub(crate) async fn measure(program: &Path) -> Result<Value> {
    let mut network = Network::ready(program).await?;
    let senders = senders(&network, SENDERS).await?;
    let peers = CONSORTIUM.peers;
    drive(&network, lanes(&senders, WARM_UP, peers), UNDER_WAY).await?;
    let lanes = lanes(&senders, COUNT, peers);
    let wire = lanes[0][0][0].transaction.len();
    sleep(SETTLE).await;
    let disk = network.disk()?;
    let driven = drive(&network, lanes, UNDER_WAY).await?;
    sleep(SETTLE).await;
    let grown = network.disk()?;
    let lasting = grown.lasting.saturating_sub(disk.lasting);
    all_counted(&network, &senders).await?;
    let memory = network.memory()?.into_iter().max().unwrap_or(0);
    network.stop()?;
    Ok(json!({
        "bench": "transactions",
        "count": driven.count,
        "record_bytes": RECORD_BYTES,
        "transaction_bytes": wire,
        "blocks": driven.blocks,
        "per_s": round(driven.rate()),
        "peers_cpu_ms": round_fine(driven.peers_ms()),
        "load_cpu_ms": round_fine(driven.load_ms()),
        "disk_bytes": round(lasting as f64 / driven.count as f64 / peers as f64),
        "disk_passing_mb": round(grown.passing as f64 / peers as f64 / 1e6),
        "rss_mb_max": round(memory as f64 / 1e6),
    }))
}

/// Raft, of whose three peers one may fail, the same where each takes the others' word on signatures, and
/// simplex, of whose four peers one may fail or lie: the same load, one after the other.
pub(crate) async fn raft(program: &Path) -> Result<Value> {
    let (raft, trusting) = (plain(program, PRIVATE).await?, plain(program, TRUSTING).await?);
    let simplex = plain(program, CONSORTIUM).await?;
    Ok(json!({
        "bench": "raft",
        "count": raft.count,
        "record_bytes": RECORD_BYTES,
        "blocks": raft.blocks,
        "per_s": round(raft.rate()),
        "peers_cpu_ms": round_fine(raft.peers_ms()),
        "simplex_per_s": round(simplex.rate()),
        "simplex_peers_cpu_ms": round_fine(simplex.peers_ms()),
        "ratio": round(raft.rate() / simplex.rate()),
        "trusting_per_s": round(trusting.rate()),
        "trusting_peers_cpu_ms": round_fine(trusting.peers_ms()),
        "trusting_ratio": round(trusting.rate() / simplex.rate()),
    }))
}

async fn plain(program: &Path, kind: Kind) -> Result<Driven> {
    let mut network = Network::ready_as(program, kind).await?;
    let senders = senders(&network, SENDERS).await?;
    drive(&network, lanes(&senders, WARM_UP, kind.peers), UNDER_WAY).await?;
    let lanes = lanes(&senders, COUNT_BESIDE, kind.peers);
    let driven = drive(&network, lanes, UNDER_WAY).await?;
    all_counted(&network, &senders).await?;
    network.stop()?;
    Ok(driven)
}

/// Every transaction must have counted: its nonce is used.
async fn all_counted(network: &Network, senders: &[Account]) -> Result<()> {
    for sender in senders {
        let entity = sender.signer().entity;
        let counted = network.clients[0].account(&entity).await?.next_nonce;
        let signed = sender.sign(vec![record(0)]).body().nonce;
        ensure!(counted == signed, "{counted} of {signed} transactions of a sender counted");
    }
    Ok(())
}

/// Each sender keeps to one peer, so that its nonces come in order.
fn lanes(senders: &[Account], count: usize, peers: usize) -> Vec<Lane> {
    let lane = |peer: usize| {
        let own: Vec<&Account> = senders.iter().skip(peer).step_by(peers).collect();
        let signed = (0..count / peers).map(|number| {
            let sender = own[number % own.len()];
            Submission::from(&sender.sign(vec![record((peer * count + number) as u64)]))
        });
        let signed: Vec<Submission> = signed.collect();
        signed.chunks(TOGETHER).map(<[_]>::to_vec).collect()
    };
    (0..peers).map(lane).collect()
}
