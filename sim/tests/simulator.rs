//! The simulator must replay, and must find what is wrong.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use althing_peer::Planted;
use althing_sim::Bug;

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
