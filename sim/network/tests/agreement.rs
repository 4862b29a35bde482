//! Validators agree, on a network and in a time that replay from a seed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "shared with the tests of other mechanisms")]
mod common;
#[path = "../../../crates/ordering/tests/support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests over TCP")]
mod support;

use std::{collections::BTreeMap, time::Duration};

use althing_ordering::{Evidence, Fault};
use althing_sim_network::Behaviour;
use althing_types::Digest;
use common::{LOSSY, STUCK, World, runner, torn};
use commonware_runtime::{
    Clock as _, Runner as _,
    deterministic::{self, Runner},
};

/// Loss, then a partition without a quorum on either side, then healing.
fn troubled(seed: u64) -> (String, Vec<Digest>) {
    runner(seed).start(|context| async move {
        let world = World::start(context, 4, 1, Behaviour::Honest).await;
        world.set_all_links(LOSSY).await;
        world.submit(0..100).await;
        world.until_height(&world.all(), 15).await;

        let half = world.keys(&[0, 1]);
        world.net.partition(&half).await;
        world.context.sleep(Duration::from_secs(1)).await;
        let stuck = world.toys.iter().map(|toy| toy.height()).max().unwrap();
        world.submit(100..150).await;
        world.context.sleep(Duration::from_secs(5)).await;
        let after = world.toys.iter().map(|toy| toy.height()).max().unwrap();
        assert_eq!(after, stuck, "two of four validators are no quorum");

        world.net.join(&half).await;
        world.until_height(&world.all(), 50).await;
        let agreed = world.agreed(&world.all(), 50);
        (world.context.auditor().state(), agreed)
    })
}

#[test]
fn loss_and_a_partition_delay_but_do_not_divide() {
    for seed in 0..2 {
        troubled(seed);
    }
}

#[test]
fn equal_seeds_give_equal_runs() {
    assert_eq!(troubled(7), troubled(7));
}

#[test]
fn a_validator_that_crashes_catches_up_without_a_gap() {
    runner(1).start(|context| async move {
        let mut world = World::start(context, 4, 0, Behaviour::Honest).await;
        world.submit(0..50).await;
        world.until_height(&world.all(), 5).await;
        world.nodes[2].take().unwrap().crash().await;
        let down_at = world.toys[2].height();

        world.submit(50..150).await;
        world.until_height(&[0, 1, 3], down_at + 40).await;
        world.start_peer(2, Behaviour::Honest).await;
        world.until_height(&world.all(), down_at + 60).await;
        // The toy fails on a gap or on another block at the same height.
        world.agreed(&world.all(), down_at as usize + 60);
        assert!(world.toys[2].again() <= 16, "more than what was unacknowledged came again");
    });
}

#[test]
fn a_crash_of_everybody_redelivers_what_was_not_acknowledged() {
    let (before, checkpoint) = runner(2).start_and_recover(|context| async move {
        let world = World::start(context, 4, 0, Behaviour::Honest).await;
        world.until_height(&world.all(), 10).await;
        world.toys.iter().for_each(|toy| toy.hold_acks(true));
        let held_from = world.toys.iter().map(|toy| toy.height()).max().unwrap();
        world.until_height(&world.all(), held_from + 5).await;
        let kept = world.toys.iter().map(|toy| (toy.acknowledged(), toy.chain()));
        kept.collect::<Vec<_>>()
    });
    Runner::from(checkpoint).start(|context| async move {
        // What a toy did not acknowledge, it has lost; it fails if that is not delivered again.
        let durable: Vec<u64> = before.iter().map(|(acknowledged, _)| *acknowledged).collect();
        let world = World::resume(context, 4, 0, Behaviour::Honest, &durable).await;
        let tallest = before.iter().map(|(_, chain)| chain.len()).max().unwrap();
        world.until_height(&world.all(), tallest as u64 + 10).await;
        for (toy, (acknowledged, chain)) in world.toys.iter().zip(&before) {
            let lost = &chain[*acknowledged as usize..];
            assert!(!lost.is_empty());
            assert_eq!(&toy.chain()[..lost.len()], lost);
        }
    });
}

#[test]
fn power_cuts_with_torn_writes_never_change_what_was_final() {
    const CUTS: u64 = 6;
    for seed in 0..4 {
        let mut runner = Runner::new(
            deterministic::Config::new()
                .with_seed(seed)
                .with_timeout(Some(STUCK))
                .with_storage_fault_config(torn()),
        );
        let mut durable = vec![0; 4];
        let mut known: BTreeMap<u64, Digest> = BTreeMap::new();
        for cut in 0..=CUTS {
            let (bases, last) = (durable.clone(), cut == CUTS);
            let tallest = known.keys().last().copied().unwrap_or(0);
            let (delivered, checkpoint) = runner.start_and_recover(|context| async move {
                let world = World::resume(context, 4, 0, Behaviour::Honest, &bases).await;
                if last {
                    world.until_height(&world.all(), tallest + 10).await;
                } else {
                    let pause = (seed * 1009 + cut * 499) % 1201;
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
fn one_cheat_among_four_neither_divides_nor_stops_the_others() {
    let honest = [1, 2, 3, 4];
    for cheat in [Behaviour::Equivocate, Behaviour::DoubleVote, Behaviour::Silent] {
        for seed in 0..2 {
            runner(seed).start(|context| async move {
                let world = World::start(context, 4, 1, cheat).await;
                world.submit(0..50).await;
                world.until_height(&honest, 25).await;
                world.agreed(&honest, 25);
                let seen: Vec<_> =
                    honest.iter().flat_map(|peer| world.toys[*peer].evidence()).collect();
                assert!(seen.iter().all(|evidence| evidence.validator == world.plan.keys[0]));
                // The ledger takes what the engine proves.
                for Evidence { votes, .. } in &seen {
                    assert!(votes.is_conflict(), "{votes:?}");
                    let checks = votes.checks(&support::LEDGER);
                    assert!(checks.iter().all(|it| it.key.verify(&it.message, &it.signature)));
                }
                let double = seen.iter().any(|it| it.fault == Fault::ConflictingNotarize);
                assert_eq!(double, cheat == Behaviour::DoubleVote, "{cheat:?} {seed}");
                assert!(world.nodes[0].as_ref().unwrap().lies() > 0, "{cheat:?} {seed}");
                assert_eq!(world.nodes[1].as_ref().unwrap().lies(), 0);
            });
        }
    }
}

/// It misses blocks, asks for them, and one of those whom it asks lies. What it is told is checked
/// against certificates, and the others are asked.
#[test]
fn who_catches_up_is_not_taken_in_by_a_liar() {
    for seed in 0..2 {
        runner(seed).start(|context| async move {
            let mut world = World::start(context, 4, 1, Behaviour::Misinform).await;
            for late in [3, 4] {
                let tallest = world.toys.iter().map(|toy| toy.height()).max().unwrap();
                world.nodes[late].take().unwrap().crash().await;
                world.until_height(&[0, 1, 2], tallest + 40).await;
                world.start_peer(late, Behaviour::Honest).await;
                world.until_height(&[1, 2, late], tallest + 60).await;
            }
            let honest = [1, 2, 3, 4];
            world.until_height(&honest, 100).await;
            world.agreed(&honest, 100);
            assert!(world.nodes[0].as_ref().unwrap().lies() > 0, "seed {seed}: nobody asked it");
        });
    }
}

#[test]
fn a_slow_application_holds_delivery_back_but_loses_nothing() {
    runner(3).start(|context| async move {
        let world = World::start(context, 4, 0, Behaviour::Honest).await;
        world.until_height(&world.all(), 3).await;
        world.toys[1].hold_acks(true);
        world.until_height(&[0, 2, 3], 60).await;
        let held = world.toys[1].height();
        assert!(held <= 3 + 2 * 16 + 2, "delivered {held} blocks without an ack");
        world.toys[1].hold_acks(false);
        world.until_height(&world.all(), 70).await;
        world.agreed(&world.all(), 70);
    });
}
