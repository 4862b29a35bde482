//! Peers that come late, begin with a state of other peers, and find out who lies to them.

use std::time::Duration;

use althing_peer::Planted;
use althing_sim::{Bug, Fault, Plan, SeatChange, Summary, Tempo};
use althing_sim_network::{Behaviour, Link};
use althing_types::Mechanism;

/// Four validators and a follower that is away for most of the time, and comes when there is loss.
fn late(seed: u64, mechanism: Mechanism, epoch_blocks: Option<u32>) -> Plan {
    let away = Duration::from_secs(20);
    let lossy = Link { loss_permille: 100, ..Link::GOOD };
    Plan {
        placed: false,
        clocks_ms: Vec::new(),
        seed,
        tempo: Tempo::Seconds,
        mechanism,
        validators: 4,
        followers: 1,
        cheat: Behaviour::Honest,
        gateways: 2,
        faults: vec![
            Fault::Crash { peer: 4, commits_lost: 0, tear: 0, away },
            Fault::Weather(lossy, Duration::from_secs(3)),
            Fault::Calm(Duration::from_secs(3)),
        ],
        power_cut: false,
        cut_losses: vec![(0, 0); 5],
        cut_tears: vec![0; 2],
        asleep: Duration::ZERO,
        epoch_blocks,
        newcomers: Some(20),
        seats: Vec::new(),
        tokens: false,
        stake: false,
    }
}

fn run(plan: Plan, bug: Option<Bug>) -> Summary {
    let seed = plan.seed;
    althing_sim::run_plan(plan, bug).unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

/// What the newcomer executes is held against what the others did, and at the end it shows every reading.
#[test]
fn a_follower_that_comes_late_begins_with_a_state_of_others() {
    let plan = || late(11, Mechanism::Simplex, Some(32));
    let summary = run(plan(), None);
    assert_eq!((summary.taken_over, summary.lies), (1, 0), "{summary:?}");
    assert_eq!(summary, run(plan(), None), "it does not replay");
    let summary = run(late(12, Mechanism::Raft, None), None);
    assert_eq!((summary.taken_over, summary.lies), (1, 0), "{summary:?}");
}

/// It comes when the peers agree in another way than they were founded to: what it takes over says so, and it
/// checks the blocks of both epochs as those were agreed on. Epochs are short here: once an honest peer
/// offered the state after the last block of one, whose result the next one states, and was called a liar.
#[test]
fn a_follower_that_comes_after_a_change_of_mechanism_begins_with_a_state_of_others() {
    for (first, other) in
        [(Mechanism::Raft, Mechanism::Simplex), (Mechanism::Simplex, Mechanism::Raft)]
    {
        let away = Duration::from_secs(45);
        let faults = vec![
            Fault::Crash { peer: 4, commits_lost: 0, tear: 0, away },
            Fault::Calm(Duration::from_secs(4)),
        ];
        let seats = vec![(SeatChange::Agree(other), Duration::ZERO)];
        let plan = Plan { seats, faults, ..late(13, first, Some(32)) };
        let summary = run(plan, None);
        let found = (summary.taken_over, summary.lies, summary.agreements);
        assert_eq!(found, (1, 0, 1), "{first:?}: {summary:?}");
    }
}

/// Some of the peers hand over a state with a value that is not in it.
#[test]
fn a_newcomer_drops_who_lies_and_takes_the_state_of_another() {
    let mut lies = 0;
    for seed in 20..23 {
        let plan = late(seed, Mechanism::Simplex, None);
        let summary = run(plan, Some(Bug::Peers(Planted::FalseState)));
        assert_eq!(summary.taken_over, 1, "{summary:?}");
        lies += summary.lies;
    }
    assert!(lies > 0, "nobody was asked who lies");
}

/// The newcomer loses power in the middle of it again and again, and what its disk wrote last.
#[test]
fn a_newcomer_that_crashes_goes_on_or_begins_anew() {
    for seed in 30..33 {
        let mut plan = late(seed, Mechanism::Simplex, None);
        let crash = |commits_lost, ms| {
            [
                Fault::Calm(Duration::from_millis(ms)),
                Fault::Crash { peer: 4, commits_lost, tear: seed, away: Duration::from_secs(5) },
            ]
        };
        let step = seed - 29;
        let crashes = [crash(0, 7 * step), crash(2, 40 * step), crash(1, 150 * step)].concat();
        plan.faults.splice(1..1, crashes);
        run(plan, None);
    }
}
