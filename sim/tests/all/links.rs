//! Two ledgers that know each other by proof, and who is between them.

use althing_peer::Planted;
use althing_sim::{Bug, Calls, Drawn, LinkedPlan, Summary, run_linked};

/// Seeds within which what is looked for must be seen.
const SEEDS: u64 = 24;
/// The same for planted bugs.
const BUG_SEEDS: u64 = 60;

fn run(seed: u64, bug: Option<Bug>) -> Result<Summary, String> {
    run_linked(&LinkedPlan::draw(seed), bug)
}

/// Whatever happens to either ledger, and whatever the relay makes up, each call ends once and is paid for if
/// it was answered; each run looks at that itself. Here it is seen that there was something to look at.
#[test]
fn calls_across_ledgers_end_once_whatever_the_relay_does() {
    let (mut all, mut lies_refused, mut seat_changes) = (Calls::default(), 0, 0);
    for seed in 0..SEEDS {
        let found = run(seed, None).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        let Calls { asked, settled, declined, refunded } = found.calls;
        assert_eq!(asked, settled + declined + refunded, "seed {seed}");
        all.asked += asked;
        all.settled += settled;
        all.declined += declined;
        all.refunded += refunded;
        lies_refused += found.lies_refused;
        seat_changes += found.seat_changes;
    }
    println!("{all:?}, {lies_refused} lies refused, {seat_changes} changes of seats");
    assert!(all.settled > SEEDS as usize, "more than the last call of each run: {all:?}");
    assert!(all.declined > 0 && all.refunded > 0, "{all:?}");
    assert!(lies_refused > 0 && seat_changes > 0, "{lies_refused}, {seat_changes}");
}

#[test]
fn equal_seeds_give_equal_traces_of_two_ledgers() {
    for seed in 0..4 {
        assert_eq!(run(seed, None), run(seed, None), "seed {seed}");
    }
}

/// A relay with the keys of all validators of the other ledger is found out by what that ledger holds, and
/// peers whose proofs leave the changes of validators out, by calls that do not end.
#[test]
fn what_would_break_links_is_found() {
    for bug in [Bug::KeysStolen, Bug::Peers(Planted::ForgetChanges)] {
        let found = (0..BUG_SEEDS).find_map(|seed| Some((seed, run(seed, Some(bug)).err()?)));
        let (seed, complaint) = found.unwrap_or_else(|| panic!("canary survived: {bug:?}"));
        println!("{bug:?} found by seed {seed}: {complaint}");
    }
}

#[test]
fn one_seed_in_eight_is_of_two_ledgers() {
    let two = (0..800).filter(|seed| matches!(Drawn::of(*seed), Drawn::Two(_))).count();
    assert_eq!(two, 100);
}
