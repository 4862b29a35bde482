//! The simulator must replay, and must find what is wrong.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use althing_peer::Planted;
use althing_sim::Bug;

#[test]
fn equal_seeds_give_equal_traces() {
    for seed in [3, 8] {
        let first = althing_sim::run(seed, None);
        assert!(first.is_ok(), "seed {seed}: {first:?}");
        assert_eq!(first, althing_sim::run(seed, None), "seed {seed}");
    }
}

/// Open: in some seeds the order of the runtime's own events differs between runs. What the peers
/// execute and the gateways acknowledge, the second half of the trace, must be equal all the same.
#[test]
fn equal_seeds_give_equal_histories() {
    let history = |seed| {
        let summary = althing_sim::run(seed, None).unwrap();
        let (_, history) = summary.trace.split_once(' ').unwrap();
        (summary.height, summary.readings, history.to_owned())
    };
    for seed in [1, 17] {
        assert_eq!(history(seed), history(seed), "seed {seed}");
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
