//! Validators that crash and do not lie agree by Raft, on a network and in a time that replay from a
//! seed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "shared with the tests of other mechanisms")]
mod common;
#[path = "../../../crates/ordering/tests/support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests over TCP")]
mod support;

use std::{collections::BTreeMap, time::Duration};

use althing_sim_network::Behaviour;
use althing_types::Digest;
use common::{LOSSY, STUCK, World, runner, torn};
use commonware_runtime::{
    Clock as _, Runner as _,
    deterministic::{self, Context, Runner},
};

async fn start(context: Context, validators: u8, followers: u8) -> World {
    World::of_raft(context, validators, followers, &[]).await
}

fn tallest(world: &World) -> u64 {
    world.toys.iter().map(|toy| toy.height()).max().unwrap()
}

/// Who leads, as a peer that is up sees it.
fn leader(world: &World) -> usize {
    let up = world.nodes.iter().flatten().next().unwrap();
    let leader = up.handle.status().leader;
    world.plan.keys.iter().position(|key| *key == leader).unwrap()
}

/// Loss, then a partition without a majority anywhere, then healing.
fn troubled(seed: u64) -> (String, Vec<Digest>) {
    runner(seed).start(|context| async move {
        let world = start(context, 4, 1).await;
        world.set_all_links(LOSSY).await;
        world.submit(0..100).await;
        world.until_height(&world.all(), 15).await;

        let half = world.keys(&[0, 1]);
        world.net.partition(&half).await;
        world.context.sleep(Duration::from_secs(1)).await;
        let stuck = tallest(&world);
        world.submit(100..150).await;
        world.context.sleep(Duration::from_secs(5)).await;
        assert_eq!(tallest(&world), stuck, "two of four are no majority");

        world.net.join(&half).await;
        world.until_height(&world.all(), 50).await;
        let agreed = world.agreed(&world.all(), 50);
        (world.context.auditor().state(), agreed)
    })
}

#[test]
fn loss_and_a_partition_delay_but_do_not_divide() {
    for seed in 0..4 {
        troubled(seed);
    }
}

#[test]
fn equal_seeds_give_equal_runs() {
    assert_eq!(troubled(7), troubled(7));
}

#[test]
fn a_block_has_a_certificate_of_a_majority_and_says_who_leads() {
    runner(5).start(|context| async move {
        let world = start(context, 3, 1).await;
        world.submit(0..20).await;
        world.until_height(&world.all(), 8).await;
        for node in world.nodes.iter().flatten() {
            let status = node.handle.status();
            assert_eq!((status.quorum, status.leader), (2, world.plan.keys[leader(&world)]));
            let mut certified = 0;
            for height in 1..=8 {
                let block = node.handle.block(height).await.unwrap();
                assert_eq!((block.header().view, block.header().parent_view), (height, height - 1));
                if let Some(certificate) = node.handle.certificate(height).await {
                    assert_eq!(certificate.block, block.digest());
                    assert!(certificate.signatures.len() >= 2);
                    certified += 1;
                }
            }
            assert!(certified > 0);
        }
    });
}

#[test]
fn one_alone_is_a_network() {
    runner(6).start(|context| async move {
        let begun = context.current();
        let world = start(context, 1, 0).await;
        world.until_height(&[0], 1).await;
        let took = world.context.current().duration_since(begun).unwrap();
        assert!(took < Duration::from_millis(500), "{took:?} until the first block");
        world.until_height(&[0], 10).await;
    });
}

/// One of three may be away; of two that are away, one must come back.
#[test]
fn three_go_on_without_one_and_stop_safely_without_two() {
    for seed in 0..4 {
        runner(seed).start(|context| async move {
            let mut world = start(context, 3, 0).await;
            world.submit(0..20).await;
            world.until_height(&world.all(), 5).await;
            let first = leader(&world);
            world.nodes[first].take().unwrap().crash().await;
            let down = world.context.current();
            let others: Vec<usize> = (0..3).filter(|peer| *peer != first).collect();
            let height = others.iter().map(|peer| world.toys[*peer].height()).max().unwrap();
            world.until_height(&others, height + 2).await;
            let took = world.context.current().duration_since(down).unwrap();
            assert!(took < Duration::from_secs(3), "seed {seed}: {took:?} without a block");

            let second = leader(&world);
            world.nodes[second].take().unwrap().crash().await;
            world.context.sleep(Duration::from_secs(2)).await;
            let stuck = tallest(&world);
            world.context.sleep(Duration::from_secs(10)).await;
            assert_eq!(tallest(&world), stuck, "one of three is no majority");

            world.start_peer(first, Behaviour::Honest).await;
            world.start_peer(second, Behaviour::Honest).await;
            let back = world.context.current();
            world.until_height(&world.all(), stuck + 2).await;
            let took = world.context.current().duration_since(back).unwrap();
            assert!(took < Duration::from_secs(5), "seed {seed}: {took:?} until they went on");
            world.agreed(&world.all(), stuck as usize + 2);
        });
    }
}

/// Away for more blocks than the log keeps: it gets the certificate of the last that was cut off, and
/// fetches the blocks.
#[test]
fn who_was_away_for_long_catches_up_behind_a_cut() {
    runner(3).start(|context| async move {
        let mut world = start(context, 3, 1).await;
        world.until_height(&world.all(), 5).await;
        world.nodes[2].take().unwrap().crash().await;
        world.nodes[3].take().unwrap().crash().await;
        let down_at = tallest(&world);
        world.until_height(&[0, 1], down_at + 400).await;
        world.start_peer(2, Behaviour::Honest).await;
        world.start_peer(3, Behaviour::Honest).await;
        world.until_height(&world.all(), down_at + 420).await;
        world.agreed(&world.all(), down_at as usize + 420);
        // It votes again: it is needed when another goes.
        world.nodes[0].take().unwrap().crash().await;
        world.until_height(&[1, 2, 3], down_at + 440).await;
    });
}

#[test]
fn power_cuts_with_torn_writes_never_change_what_was_final() {
    const CUTS: u64 = 8;
    for seed in 0..6 {
        let mut runner = Runner::new(
            deterministic::Config::new()
                .with_seed(seed)
                .with_timeout(Some(STUCK))
                .with_storage_fault_config(torn()),
        );
        let mut durable = vec![0; 3];
        let mut known: BTreeMap<u64, Digest> = BTreeMap::new();
        for cut in 0..=CUTS {
            let (bases, last) = (durable.clone(), cut == CUTS);
            let tallest = known.keys().last().copied().unwrap_or(0);
            let (delivered, checkpoint) = runner.start_and_recover(|context| async move {
                let world = World::of_raft(context, 3, 0, &bases).await;
                if last {
                    world.until_height(&world.all(), tallest + 10).await;
                } else {
                    let pause = 300 + (seed * 1009 + cut * 499) % 2403;
                    world.context.sleep(Duration::from_millis(pause)).await;
                }
                let toys = world.toys.iter();
                toys.map(|toy| (toy.acknowledged(), toy.blocks())).collect::<Vec<_>>()
            });
            for (peer, (acknowledged, blocks)) in delivered.into_iter().enumerate() {
                durable[peer] = durable[peer].max(acknowledged);
                for block in blocks {
                    let first = *known.entry(block.height()).or_insert(block.digest());
                    assert_eq!(first, block.digest(), "seed {seed} cut {cut} peer {peer}");
                }
            }
            runner = Runner::from(checkpoint);
        }
        assert!(known.len() as u64 >= 10);
    }
}

#[test]
fn a_slow_application_holds_delivery_back_but_loses_nothing() {
    runner(3).start(|context| async move {
        let world = start(context, 3, 0).await;
        world.until_height(&world.all(), 3).await;
        let slow = (leader(&world) + 1) % 3;
        world.toys[slow].hold_acks(true);
        let others: Vec<usize> = (0..3).filter(|peer| *peer != slow).collect();
        world.until_height(&others, 60).await;
        let held = world.toys[slow].height();
        assert!(held <= 3 + 2 * 16 + 2, "delivered {held} blocks without an ack");
        world.toys[slow].hold_acks(false);
        world.until_height(&world.all(), 70).await;
        world.agreed(&world.all(), 70);
    });
}
