//! How long one message needs until every peer has it, and how many bytes go over the way.
//!
//! Peers in one process, over TCP on loopback; everything between two of them passes a forwarder, which counts
//! what a wire would carry: frames, encryption and heartbeats included, and which takes some of the time.
#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement may panic")]

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/support/forward.rs"]
mod forward;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::{Duration, Instant},
};

use althing_ordering::{Handle, Mesh, Timing, To, start_live};
use bytes::Bytes;
use commonware_runtime::{Clock as _, Runner as _, Spawner as _, Supervisor as _, tokio};
use forward::Forward;
use futures::future::join_all;
use support::{App, Plan, Toy};

/// Peers of the networks that are measured.
const PEERS: [u8; 3] = [4, 7, 10];
/// Lengths of messages, bytes: a transaction of one record, what is gathered of them, and a long one.
const BYTES: [usize; 3] = [300, 10_000, 500_000];
const MESSAGES: usize = 200;
/// Pause between two, so that the quota of a channel does for them.
const PAUSE: Duration = Duration::from_millis(5);
/// How long the bytes of an idle network are counted.
const IDLE: Duration = Duration::from_secs(10);

fn main() {
    for peers in PEERS {
        let folder = tempfile::tempdir().unwrap();
        let config = tokio::Config::new().with_storage_directory(folder.path());
        tokio::Runner::new(config).start(|context| measure(context, peers));
    }
}

async fn measure(context: tokio::Context, count: u8) {
    let plan = Plan::new(count, 0);
    let peers = usize::from(count);
    let own = addresses(peers);
    let ways = addresses(2 * peers).split_off(peers);
    let forward = |peer: usize| Forward::start(ways[peer], own[peer], false);
    let forwards: Vec<Forward> = (0..peers).map(forward).collect();
    let starts = (0..peers).map(|peer| {
        let mut seen = ways.clone();
        seen[peer] = own[peer];
        let config = plan.config(peer, &seen, Timing::SPARING);
        let root = context.child("peer").with_attribute("index", peer);
        async move {
            let toy = Toy::new(root.child("toy"), config.timing.heartbeat);
            start_live(root, config, Arc::new(App(toy))).await.unwrap()
        }
    });
    let mut nodes: Vec<(Handle, Mesh)> = join_all(starts).await;
    while nodes.iter().any(|(handle, _)| handle.connected().len() + 1 < peers) {
        context.sleep(Duration::from_millis(50)).await;
    }
    let passed = || forwards.iter().map(Forward::count).sum::<usize>();
    let before = passed();
    context.sleep(IDLE).await;
    let idle_per_s = (passed() - before) as f64 / IDLE.as_secs_f64();
    for bytes in BYTES {
        let message = Bytes::from(vec![0x5a; bytes]);
        let (before, started) = (passed(), Instant::now());
        let mut took = Vec::new();
        for _ in 0..MESSAGES {
            context.sleep(PAUSE).await;
            let (first, others) = nodes.split_first_mut().unwrap();
            let sent_at = Instant::now();
            let reached = first.1.transactions.outbox.send(To::All, message.clone()).unwrap();
            assert_eq!(reached.len(), peers - 1, "all are connected");
            let heard = others.iter_mut().map(|(_, mesh)| mesh.transactions.inbox.recv());
            let heard = join_all(heard).await;
            took.push(sent_at.elapsed().as_secs_f64() * 1e3);
            assert!(heard.iter().all(|heard| heard.as_ref().unwrap().1 == message));
        }
        let idle = idle_per_s * started.elapsed().as_secs_f64();
        let each = ((passed() - before) as f64 - idle) / MESSAGES as f64 / (peers - 1) as f64;
        took.sort_by(f64::total_cmp);
        println!(
            "{{\"bench\":\"gossip\",\"peers\":{peers},\"message_bytes\":{bytes},\"p50_ms\":{:.3},\
             \"p99_ms\":{:.3},\"bytes_per_peer\":{each:.0},\"overhead\":{:.3},\
             \"idle_bytes_per_s\":{idle_per_s:.0}}}",
            took[MESSAGES / 2],
            took[MESSAGES * 99 / 100],
            each / bytes as f64,
        );
    }
    context.stop(0, Some(Duration::from_secs(10))).await.unwrap();
}

/// Free ports below those that the system gives to outgoing connections.
fn addresses(count: usize) -> Vec<SocketAddr> {
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let free = (23_000..32_000).map(at).filter(|address| TcpListener::bind(address).is_ok());
    free.take(count).collect()
}
