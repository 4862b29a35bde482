//! The simulator must replay, and must find what is wrong.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use althing_peer::Planted;

#[test]
fn equal_seeds_give_equal_traces() {
    for seed in [3, 17] {
        let first = althing_sim::run(seed, None);
        assert!(first.is_ok(), "seed {seed}: {first:?}");
        assert_eq!(first, althing_sim::run(seed, None), "seed {seed}");
    }
}

/// The canaries: each planted bug is found within a bounded number of seeds.
#[test]
fn planted_bugs_are_found() {
    for (bug, seeds) in
        [(Planted::SkewResult, 5), (Planted::ForgetPayloads, 60), (Planted::ExecuteAgain, 60)]
    {
        let found = (0..seeds).find_map(|seed| {
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
