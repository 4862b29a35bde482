//! Peers over real TCP on loopback.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/forward.rs"]
mod forward;
#[allow(dead_code, reason = "shared with the tests of the simulated network")]
mod support;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use althing_ordering::{Address, Handle, Mesh, Phase, StartError, StopReason, To, start_live};
use althing_types::Block;
use bytes::Bytes;
use commonware_runtime::{Clock as _, Runner as _, Spawner as _, Supervisor as _, tokio};
use forward::Forward;
use futures::future::{Either, join_all, select};
use support::{App, Plan, Toy, transaction};

/// Free ports below those that the system gives to outgoing connections.
fn free_addresses(count: usize) -> Vec<SocketAddr> {
    // Processes that run at once have ids side by side: each begins at a place of its own.
    let start = 20_000 + (std::process::id() % 160 * 64) as u16;
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let free = (start..32_000).map(at).filter(|address| TcpListener::bind(address).is_ok());
    free.take(count).collect()
}

fn runner(folder: &std::path::Path) -> tokio::Runner {
    let config = tokio::Config::new().with_worker_threads(2).with_storage_directory(folder);
    tokio::Runner::new(config)
}

type Peer = (Arc<Toy<tokio::Context>>, Handle, Mesh);

/// Starts all peers at once, since the first would wait for the others.
///
/// Their applications remember what was delivered to them up to height `base`.
async fn start_all(context: &tokio::Context, plan: &Plan, base: u64) -> Vec<Peer> {
    let addresses = free_addresses(plan.keys.len());
    start_at(context, plan, base, |_| addresses.clone()).await
}

/// The same, where each peer finds the others at addresses of its own.
async fn start_at(
    context: &tokio::Context,
    plan: &Plan,
    base: u64,
    addresses: impl Fn(usize) -> Vec<SocketAddr>,
) -> Vec<Peer> {
    let starts = (0..plan.keys.len()).map(|peer| {
        let config = plan.config(peer, &addresses(peer), support::QUICK);
        let root = context.child("peer").with_attribute("index", peer);
        async move {
            let toy = Toy::new(root.child("toy"), config.timing.heartbeat);
            toy.resume_after(base);
            let app = Arc::new(App(Arc::clone(&toy)));
            let (handle, mesh) = start_live(root, config, app).await.unwrap();
            (toy, handle, mesh)
        }
    });
    join_all(starts).await
}

async fn until(context: &tokio::Context, reached: impl Fn() -> bool) {
    while !reached() {
        context.sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn four_validators_and_a_follower_agree() {
    let folder = tempfile::tempdir().unwrap();
    runner(folder.path()).start(|context| async move {
        let plan = Plan::new(4, 1);
        let mut peers = start_all(&context, &plan, 0).await;
        for number in 0..100 {
            peers[number % 4].0.submit(transaction(number as u32));
        }
        let all = || peers.iter().all(|(toy, ..)| toy.height() >= 10);
        until(&context, all).await;

        let chains: Vec<_> = peers.iter().map(|(toy, ..)| toy.chain()[..10].to_vec()).collect();
        assert!(chains.iter().all(|chain| *chain == chains[0]));
        for (_, handle, _) in &peers {
            let block = handle.block(5).await.unwrap();
            assert_eq!(block.digest(), chains[0][4]);
            let certificate = handle.certificate(5).await.unwrap();
            assert_eq!(certificate.block, block.digest());
            assert!(certificate.signatures.len() >= 3);
            assert_eq!(certificate.view, block.header().view);
        }
        let status = peers[0].1.status();
        assert_eq!((status.phase, status.quorum), (Phase::Voting, 3));
        assert_eq!(status.connected.len(), 4);
        assert!(status.heard_ms.iter().all(|(_, heard)| heard.is_some()));
        assert_eq!(peers[4].1.status().phase, Phase::Following);

        gossip(&plan, &mut peers).await;
        let (one, others) = peers.split_first().unwrap();
        one.1.shutdown().await;
        context.stop(0, Some(Duration::from_secs(10))).await.unwrap();
        for (_, handle, _) in others.iter().chain([one]) {
            assert_eq!(handle.stopped().await, StopReason::Asked);
        }
    });
}

async fn gossip(plan: &Plan, peers: &mut [Peer]) {
    let (first, others) = peers.split_at_mut(1);
    let hello = Bytes::from_static(b"hello");
    let sent = first[0].2.transactions.outbox.send(To::All, hello.clone()).unwrap();
    assert_eq!(sent.len(), 4);
    for (_, _, mesh) in others.iter_mut() {
        let received = mesh.transactions.inbox.recv().await.unwrap();
        assert_eq!(received, (plan.keys[0], hello.clone()));
    }
    let to = To::One(plan.keys[2]);
    assert_eq!(first[0].2.fetch.outbox.send(to, hello.clone()).unwrap(), [plan.keys[2]]);
    assert_eq!(others[1].2.fetch.inbox.recv().await.unwrap(), (plan.keys[0], hello));
    let long = Bytes::from(vec![0; 1024 * 1024 + 1]);
    assert!(first[0].2.fetch.outbox.send(To::All, long).is_err());
}

#[test]
fn one_validator_is_a_network_and_goes_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(1, 0);
    let mut last = 0;
    for _ in 0..2 {
        let plan = &plan;
        last = runner(folder.path()).start(|context| async move {
            let peers = start_all(&context, plan, last).await;
            let (toy, handle, _) = &peers[0];
            if last > 0 {
                assert!(handle.block(last).await.is_some());
            }
            until(&context, || toy.height() >= last + 3).await;
            handle.shutdown().await;
            toy.height()
        });
    }
    assert!(last >= 6);
}

#[test]
fn a_dropped_ack_stops_ordering_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    runner(folder.path()).start(|context| async move {
        let plan = Plan::new(1, 0);
        let peers = start_all(&context, &plan, 0).await;
        let (toy, handle, _) = &peers[0];
        toy.hold_acks(true);
        until(&context, || toy.height() >= 1).await;
        toy.drop_acks();
        assert!(matches!(handle.stopped().await, StopReason::NotAcknowledged(_)));
        assert!(matches!(handle.status().phase, Phase::Stopped(_)));
    });
}

#[test]
fn a_port_in_use_and_another_ledgers_blocks_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    runner(folder.path()).start(|context| async move {
        let plan = Plan::new(1, 0);
        let addresses = free_addresses(1);
        let start = |config: althing_ordering::Config, label| {
            let root = context.child(label);
            let toy = Toy::new(root.child("toy"), config.timing.heartbeat);
            start_live(root, config, Arc::new(App(toy)))
        };
        let config = plan.config(0, &addresses, support::QUICK);
        let taken = TcpListener::bind(addresses[0]).unwrap();
        let refused = start(config.clone(), "taken").await;
        assert!(matches!(refused, Err(StartError::AddressInUse { .. })));
        drop(taken);

        let (handle, _) = start(config.clone(), "first").await.unwrap();
        handle.shutdown().await;
        let mut header = plan.genesis.header().clone();
        header.time_ms += 1;
        let genesis = Arc::new(Block::new(header, Vec::new()));
        let config = althing_ordering::Config { genesis, ..config };
        let refused = start(config, "other").await;
        assert!(matches!(refused, Err(StartError::OtherLedger { .. })), "{refused:?}");
        context.stop(0, Some(Duration::from_secs(5))).await.unwrap();
    });
}

/// Two peers that dial each other through forwarders, which see every byte of the one connection they end up
/// with. What is said in it is nowhere to be read, and cannot be changed: a changed bit ends the connection,
/// and what was said arrives unchanged or not at all.
#[test]
fn what_peers_say_is_encrypted_on_the_way_and_cannot_be_changed() {
    const SAID: &[u8] = b"what nobody on the way may read: 21.5 degrees in the cellar";
    let folder = tempfile::tempdir().unwrap();
    runner(folder.path()).start(|context| async move {
        let plan = Plan::new(2, 0);
        let addresses = free_addresses(4);
        let (own, ways) = addresses.split_at(2);
        let forwards = [0, 1].map(|peer| Forward::start(ways[peer], own[peer], true));
        // Each listens at its own address, and finds the other on the way.
        let seen_by = |peer: usize| match peer {
            0 => vec![own[0], ways[1]],
            _ => vec![ways[0], own[1]],
        };
        let mut peers = start_at(&context, &plan, 0, seen_by).await;
        let transaction = Bytes::from_static(b"a transaction that goes into a block");
        peers[0].0.submit(transaction.clone());
        let in_chain = |toy: &Toy<tokio::Context>| {
            toy.blocks().iter().any(|block| block.transactions().contains(&transaction))
        };
        until(&context, || peers.iter().all(|(toy, ..)| in_chain(toy))).await;
        let (one, other) = peers.split_at_mut(1);
        let (outbox, inbox) = (&one[0].2.fetch.outbox, &mut other[0].2.fetch.inbox);
        outbox.send(To::All, Bytes::from_static(SAID)).unwrap();
        assert_eq!(inbox.recv().await.unwrap(), (plan.keys[0], Bytes::from_static(SAID)));
        let passed: usize = forwards.iter().map(Forward::count).sum();
        assert!(passed > 2000, "{passed} bytes passed the forwarders");
        for secret in [&SAID[..12], &transaction, &plan.genesis.digest().0] {
            let read: usize = forwards.iter().map(|forward| forward.occurs(secret)).sum();
            assert_eq!(read, 0, "{:?} was to be read", String::from_utf8_lossy(secret));
        }

        let connections = || forwards.iter().map(Forward::connections).sum::<usize>();
        let before = connections();
        forwards.iter().for_each(Forward::tamper);
        // Again and again, since what is under way when a connection ends is lost.
        let (mut said, mut last, mut mended_at) = (0_u32, 0, None);
        while mended_at.is_none_or(|mended_at| last <= mended_at) {
            said += 1;
            let text = [SAID, &said.to_be_bytes()].concat();
            outbox.send(To::All, text.into()).unwrap();
            if connections() > before && forwards.iter().any(Forward::has_tampered) {
                mended_at.get_or_insert(said);
            }
            let pause = pin!(context.sleep(Duration::from_millis(10)));
            let Either::Left((heard, _)) = select(pin!(inbox.recv()), pause).await else {
                continue;
            };
            let (from, heard) = heard.unwrap();
            let (text, number) = heard.split_at(SAID.len());
            assert_eq!((from, text), (plan.keys[0], SAID), "changed on the way");
            let number = u32::from_be_bytes(number.try_into().unwrap());
            assert!(number > last && number <= said, "{number} after {last} of {said}");
            last = number;
        }
        context.stop(0, Some(Duration::from_secs(10))).await.unwrap();
    });
}

/// Each knows where the first listens and nobody else, and the last cannot be dialled by anybody, as behind a
/// router. Then one of them moves.
#[test]
fn one_seed_is_enough_and_who_moves_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    runner(folder.path()).start(|context| async move {
        let plan = Plan::new(4, 0);
        let addresses = free_addresses(5);
        let start = |peer: usize, at: SocketAddr, partition: &str| {
            let mut config = plan.config(peer, &addresses, support::QUICK);
            config.addresses.clear();
            config.seeds = vec![Address::Socket(addresses[0])];
            config.own_address = (peer != 3).then_some(Address::Socket(at));
            config.listen = at;
            config.partition = format!("{partition}{peer}");
            let root = context.child("peer").with_attribute("at", at.port());
            async move {
                let toy = Toy::new(root.child("toy"), config.timing.heartbeat);
                let app = Arc::new(App(Arc::clone(&toy)));
                let (handle, mesh) = start_live(root, config, app).await.unwrap();
                (toy, handle, mesh)
            }
        };
        let starts = (0..4).map(|peer| start(peer, addresses[peer], "first"));
        let mut peers: Vec<Peer> = join_all(starts).await;
        let all = |peers: &[Peer]| {
            let connected = peers.iter().all(|(_, handle, _)| handle.connected().len() == 3);
            connected && peers.iter().all(|(toy, ..)| toy.height() >= 5)
        };
        until(&context, || all(&peers)).await;

        let (_, handle, _) = peers.remove(1);
        handle.shutdown().await;
        let is_gone = |peers: &[Peer]| {
            peers.iter().all(|(_, handle, _)| !handle.connected().contains(&plan.keys[1]))
        };
        until(&context, || is_gone(&peers)).await;
        peers.push(start(1, addresses[4], "moved").await);
        until(&context, || all(&peers)).await;
        context.stop(0, Some(Duration::from_secs(10))).await.unwrap();
    });
}
