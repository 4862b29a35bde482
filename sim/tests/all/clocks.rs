//! Machines whose clocks differ.

use std::time::Duration;

use althing_sim::{Fault, Plan, Summary};

use crate::epochs::{calm, run};

const MINUTE_MS: i64 = 60_000;
const NOTHING: Fault = Fault::Calm(Duration::ZERO);

/// Four validators, with what may happen to them, and clocks that are ahead by so much.
fn with_clocks(seed: u64, ahead_ms: [i64; 4], last: Fault) -> Summary {
    let away = Duration::from_millis(1500);
    let faults = [
        calm(seed, 6).faults,
        vec![
            Fault::Crash { peer: 1, commits_lost: 1, tear: 3, away },
            Fault::Partition(0b100, away),
        ],
        calm(seed, 6).faults,
        vec![last],
    ];
    run(Plan { followers: 0, faults: faults.concat(), ..calm(seed, 0) }.with_clocks(&ahead_ms))
}

/// Within the drift that the ledger allows nobody waits for anybody, whoever leads.
#[test]
fn clocks_that_differ_within_the_bound_cost_nothing() {
    let right = with_clocks(31, [0; 4], NOTHING);
    let wrong = with_clocks(31, [0, 1_500, 3_000, 4_500], NOTHING);
    assert_eq!(right.clocks_off_ms, [None; 4], "{right:?}");
    // As many blocks, but for those that a lost view costs.
    assert!(wrong.height > right.height * 9 / 10, "{} of {}", wrong.height, right.height);
    assert!(wrong.readings > right.readings * 9 / 10, "{wrong:?}");
}

/// One is off by a minute: the others go on without its turns, or its votes, and it is told, and nobody else.
#[test]
fn who_is_far_off_is_told_and_holds_up_nobody() {
    for ahead_ms in [MINUTE_MS, -MINUTE_MS] {
        let summary = with_clocks(32, [0, 0, 0, ahead_ms], NOTHING);
        assert!(summary.height > 60, "{summary:?}");
        let (last, others) = summary.clocks_off_ms.split_last().unwrap();
        let told = last.unwrap_or_else(|| panic!("{ahead_ms}: it is not told: {summary:?}"));
        assert!((told - ahead_ms).abs() < 5_000, "told {told} of {ahead_ms}");
        assert_eq!(others, [None; 3], "{ahead_ms}");
    }
}

/// However far apart they are, peers never disagree: what every peer executes is compared as it happens. Blocks
/// may have to wait until most clocks have come to the time of their leader. Once clocks are set right all goes
/// on, and all that was acknowledged is read with proof.
#[test]
fn clocks_that_agree_on_nothing_divide_nobody() {
    const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
    for (seed, ahead_ms) in
        [(33, [0, 7_000, 20_000, MINUTE_MS]), (34, [0, -DAY_MS / 48, MINUTE_MS, DAY_MS * 4_000])]
    {
        let summary = with_clocks(seed, ahead_ms, Fault::ClocksSetRight);
        assert!(summary.height > 10 && summary.readings > 0, "{ahead_ms:?}: {summary:?}");
    }
}
