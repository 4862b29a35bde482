//! The simulator must replay, and must find what is wrong.

use std::time::Duration;

use althing_peer::Planted;
use althing_sim::{Bug, Drawn};
use althing_sim_network::Behaviour;

/// The order of the runtime's own events and all that happened are the same in each run. Once they were
/// not in a third of the seeds: those who waited for the same value were woken in a random order.
#[test]
fn equal_seeds_give_equal_traces() {
    for seed in 0..40 {
        let first = althing_sim::run(seed, None);
        assert!(first.is_ok(), "seed {seed}: {first:?}");
        assert_eq!(first, althing_sim::run(seed, None), "seed {seed}");
    }
}

/// Once a leader was woken by what its own clients brought only: anything else waited for the heartbeat.
#[test]
fn an_idle_network_does_at_once_what_any_peer_is_given() {
    for seed in 0..4 {
        let took = althing_sim::run_idle(seed).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        let slowest = took.iter().max().unwrap();
        assert!(*slowest < Duration::from_millis(500), "seed {seed}: {took:?}");
    }
}

/// A validator states results that nobody computed: it is refused, and named by those that saw it. That
/// nobody else is ever named is looked at in each run.
#[test]
fn who_states_a_made_up_result_is_named() {
    let lies = |seed: &u64| match Drawn::of(*seed) {
        Drawn::One(plan) => plan.cheat == Behaviour::Misstate,
        Drawn::Two(_) => false,
    };
    let seeds: Vec<u64> = (0..200).filter(lies).take(4).collect();
    assert_eq!(seeds.len(), 4);
    for seed in seeds {
        let summary = althing_sim::run(seed, None);
        let summary = summary.unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        assert!(summary.accusers > 0, "seed {seed}: {summary:?}");
    }
}

/// Three days without a peer, power lost at random: nothing that was acknowledged is lost unless its
/// owner wants the oldest to be, and each number that is missing is in a gap that every peer tells.
#[test]
fn three_days_without_a_peer_lose_nothing_and_hide_nothing() {
    let (mut readings, mut missing, mut refused) = (0, 0, 0);
    for seed in 0..4 {
        let summary = althing_sim::run_offline(seed, None);
        let summary = summary.unwrap_or_else(|what| panic!("offline seed {seed}: {what}"));
        readings += summary.readings;
        missing += summary.missing;
        refused += summary.refused;
    }
    println!("{readings} readings acknowledged, {missing} given up, {refused} refused");
    assert!(readings > 4 * 2000, "{readings} readings acknowledged");
    assert!(missing > 0, "the one queue that may lose readings was full");
    assert!(refused > 0, "the one queue that may not was full");
    let early =
        (0..4).find(|seed| althing_sim::run_offline(*seed, Some(Bug::AcknowledgeEarly)).is_err());
    assert!(early.is_some(), "an acknowledgement before its time would be found");
}

/// Seeds within which each planted bug must be found.
const SEEDS: u64 = 300;

/// The canaries.
#[test]
fn planted_bugs_are_found() {
    for bug in [
        Bug::Peers(Planted::SkewResult),
        Bug::Peers(Planted::ForgetPayloads),
        Bug::Peers(Planted::ExecuteAgain),
        Bug::Peers(Planted::TrustResult),
        Bug::Peers(Planted::SkipFetch),
        Bug::Peers(Planted::VoteEarly),
        Bug::AcknowledgeEarly,
        Bug::AcknowledgeAhead,
    ] {
        let found = (0..SEEDS).find_map(|seed| {
            let run = std::panic::catch_unwind(|| althing_sim::run(seed, Some(bug)));
            match run {
                Ok(Ok(_)) => None,
                Ok(Err(complaint)) => Some((seed, complaint)),
                Err(_) => Some((seed, "panicked".to_owned())),
            }
        });
        let (seed, complaint) = found.unwrap_or_else(|| panic!("canary survived: {bug:?}"));
        println!("{bug:?} found by seed {seed}: {complaint}");
    }
}
