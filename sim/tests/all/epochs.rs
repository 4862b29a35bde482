//! Validators that change while the network runs.

use std::time::Duration;

use althing_peer::Presence;
use althing_sim::{Fault, Plan, SeatChange, Seated, Summary, Tempo};
use althing_sim_network::Behaviour;
use althing_types::Mechanism;

/// Blocks in each epoch: the fewest there may be.
const EPOCH_BLOCKS: u32 = 32;
/// How long a leader with nothing to do waits in simulated networks, milliseconds.
const HEARTBEAT_MS: u64 = 300;

/// Four validators and two machines that follow, and nothing goes wrong.
pub(crate) fn calm(seed: u64, spans: u64) -> Plan {
    let calm = (0..spans).map(|_| Fault::Calm(Duration::from_secs(2)));
    Plan {
        seed,
        tempo: Tempo::Seconds,
        mechanism: Mechanism::Simplex,
        validators: 4,
        followers: 2,
        cheat: Behaviour::Honest,
        gateways: 2,
        faults: calm.collect(),
        power_cut: false,
        cut_losses: vec![(0, 0); 6],
        cut_tears: vec![0; 2],
        asleep: Duration::ZERO,
        placed: false,
        clocks_ms: Vec::new(),
        epoch_blocks: Some(EPOCH_BLOCKS),
        seats: Vec::new(),
        newcomers: None,
        tokens: false,
        stake: false,
    }
}

/// Every peer counts all tokens after every block.
#[test]
fn tokens_are_paid_and_locked_and_none_is_lost_at_a_crash() {
    let mut plan = Plan { tokens: true, ..calm(6, 40) };
    let away = Duration::from_secs(1);
    plan.faults.insert(9, Fault::Crash { peer: 2, commits_lost: 2, tear: 1, away });
    let summary = run(plan);
    assert!(summary.payments > 20, "{summary:?}");
}

/// Every other peer tells of the one that falls silent and of its return, within seconds of each other. Once
/// the simulated network named everybody as connected, whether there was a way or not.
#[test]
fn who_falls_silent_and_comes_back_is_told_by_every_other_peer() {
    let away = Duration::from_secs(12);
    let cut_off = Fault::Partition(0b100, away);
    for fault in [Fault::Crash { peer: 2, commits_lost: 0, tear: 0, away }, cut_off] {
        let mut plan = calm(9, 12);
        plan.faults.insert(4, fault);
        let founding = althing_sim::Founding::new(&plan);
        let (silent, machines) = (founding.peer_key(2), founding.peers());
        let summary = run(plan);
        let told = |wanted: fn(&Presence) -> bool| {
            let of_it = summary.noticed.iter().filter(|(_, one)| one.key == silent);
            of_it
                .filter(|(_, one)| wanted(&one.presence))
                .map(|(by, one)| (*by, one.time_ms))
                .collect::<Vec<_>>()
        };
        for told in [
            told(|one| matches!(one, Presence::Lost(_))),
            told(|one| matches!(one, Presence::Back(away) if away.as_secs() >= 3)),
        ] {
            let by: Vec<usize> = told.iter().map(|(by, _)| *by).collect();
            let others: Vec<usize> = (0..machines).filter(|index| *index != 2).collect();
            assert_eq!(by, others, "{:?}", summary.noticed);
            let times = || told.iter().map(|(_, time_ms)| *time_ms);
            let apart = times().max().unwrap() - times().min().unwrap();
            assert!(apart <= 5_000, "{apart} ms apart");
        }
    }
}

/// The set grows, a peer takes a new key, the set shrinks; the one who left comes back.
fn changes() -> Vec<(SeatChange, Duration)> {
    let at = |peer, machine| Seated { peer, machine };
    let all = [
        SeatChange::Give(at(4, 4)),
        SeatChange::Rekey(at(0, 5)),
        SeatChange::Take(at(1, 1)),
        SeatChange::Give(at(1, 0)),
        SeatChange::Take(at(2, 2)),
    ];
    all.map(|change| (change, Duration::from_millis(500))).to_vec()
}

pub(crate) fn run(plan: Plan) -> Summary {
    let seed = plan.seed;
    althing_sim::run_plan(plan, None).unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

#[test]
fn seats_change_by_vote_without_a_gap() {
    let plan = || Plan { seats: changes(), ..calm(1, 25) };
    let summary = run(plan());
    assert_eq!(summary.seat_changes, 5);
    // No two views in a row are lost, at the end of an epoch neither. One can be: the engine of an
    // epoch passes over a leader that it has not heard of yet.
    assert!(summary.views_lost < 2, "{summary:?}");
    assert_eq!(summary, run(plan()), "it does not replay");
}

/// The same, where nobody votes on seats: a newcomer stakes and gets one, a founder takes a new key, another
/// withdraws its stake and comes back, a third leaves for good. A machine that lost its seat goes on with
/// its old key, for which nobody has an ear. Tokens are counted again after each block.
#[test]
fn seats_follow_from_stakes_while_readings_flow() {
    let at = |peer, machine| Seated { peer, machine };
    let seats = [
        SeatChange::Give(at(4, 4)),
        SeatChange::Rekey(at(0, 5)),
        SeatChange::Take(at(1, 1)),
        SeatChange::Give(at(1, 1)),
        SeatChange::Take(at(2, 2)),
    ]
    .map(|change| (change, Duration::from_secs(6)));
    let plan = || Plan { seats: seats.to_vec(), tokens: true, stake: true, ..calm(3, 60) };
    let summary = run(plan());
    assert_eq!(summary.seat_changes, 5);
    assert!(summary.longest_gap_ms < 2 * HEARTBEAT_MS + 5_000, "{summary:?}");
    assert_eq!(summary, run(plan()), "it does not replay");
}

/// The same, where peers agree by Raft: a new log for each epoch, and a leader for each log.
#[test]
fn seats_change_where_peers_agree_by_raft() {
    let plan = || Plan { seats: changes(), mechanism: Mechanism::Raft, ..calm(1, 25) };
    let summary = run(plan());
    assert_eq!(summary.seat_changes, 5);
    assert!(summary.longest_gap_ms < 2 * HEARTBEAT_MS + 600, "{summary:?}");
    assert_eq!(summary, run(plan()), "it does not replay");
}

/// Founded to agree one way, the peers agree another from an epoch on, and as before from a later one,
/// while readings flow. A peer sleeps across the first change and wakes in the middle of another epoch; one
/// crashes in each epoch; a seat is given in between. At the end every peer proves every reading, by
/// certificates of both mechanisms.
#[test]
fn peers_agree_in_another_way_while_readings_flow_and_peers_crash() {
    for (first, other) in
        [(Mechanism::Raft, Mechanism::Simplex), (Mechanism::Simplex, Mechanism::Raft)]
    {
        let crash = |peer, commits_lost, away_s| {
            let away = Duration::from_secs(away_s);
            Fault::Crash { peer, commits_lost, tear: 3, away }
        };
        // An epoch lasts ten seconds: what was decided first holds when it is changed again.
        let seats = [
            (SeatChange::Agree(other), 1),
            (SeatChange::Give(Seated { peer: 4, machine: 4 }), 1),
            (SeatChange::Agree(first), 30),
        ]
        .map(|(change, pause_s)| (change, Duration::from_secs(pause_s)));
        let calm_of = |spans| calm(7, spans).faults;
        let faults = [
            calm_of(3),
            vec![crash(3, 0, 25), crash(1, 2, 1)],
            calm_of(6),
            vec![crash(0, 0, 2)],
            calm_of(8),
            vec![crash(2, 1, 3)],
            calm_of(20),
        ]
        .concat();
        let plan = || Plan {
            mechanism: first,
            faults: faults.clone(),
            seats: seats.to_vec(),
            power_cut: true,
            ..calm(7, 0)
        };
        let summary = run(plan());
        assert_eq!((summary.seat_changes, summary.agreements), (3, 2), "{first:?}: {summary:?}");
        assert!(first == Mechanism::Simplex || summary == run(plan()), "it does not replay");
    }
}

#[test]
fn a_peer_that_slept_across_three_epochs_catches_up() {
    let away = Duration::from_secs(60);
    // One that validates all the time, and one that gets its seat while it sleeps.
    for peer in [3, 4] {
        let asleep = Fault::Crash { peer, commits_lost: 0, tear: 0, away };
        let seats = vec![(SeatChange::Give(Seated { peer: 4, machine: 4 }), Duration::ZERO)];
        let faults = [calm(2, 2).faults, vec![asleep]].concat();
        let summary = run(Plan { faults, seats, ..calm(2, 0) });
        let slept = away.as_millis() as u64 / HEARTBEAT_MS / 2;
        assert!(slept > 3 * u64::from(EPOCH_BLOCKS) && summary.height > slept, "{summary:?}");
        assert_eq!(summary.seat_changes, 1, "{summary:?}");
    }
}

/// Two of the peers keep each payload. Seats come and go, a holder crashes and forgets its last commits,
/// and another is away for long: every reading that was acknowledged is read, with proof, at every peer,
/// and in the end each payload is with those two and with nobody else.
#[test]
fn payloads_are_handed_over_when_seats_change_and_are_read_everywhere() {
    let crash = |peer, commits_lost, away_s| {
        let away = Duration::from_secs(away_s);
        Fault::Crash { peer, commits_lost, tear: 7, away }
    };
    let faults = [calm(9, 4).faults, vec![crash(1, 3, 5), crash(2, 0, 20)], calm(9, 12).faults];
    let plan = || Plan { placed: true, seats: changes(), faults: faults.concat(), ..calm(9, 0) };
    let summary = run(plan());
    assert_eq!(summary.seat_changes, 5);
    assert!(summary.readings > 100, "{summary:?}");
    assert_eq!(summary, run(plan()), "it does not replay");
    for seed in 10..14 {
        let summary = run(Plan { placed: true, faults: faults.concat(), ..calm(seed, 0) });
        assert!(summary.readings > 100, "{summary:?}");
    }
}

/// The power fails, and comes back after ten years: keys, seats, proofs and what gateways hold are as
/// good as before, and members go on changing seats.
#[test]
fn nothing_expires_in_ten_years() {
    let plan = Plan {
        power_cut: true,
        asleep: Duration::from_secs(10 * 366 * 86_400),
        seats: changes(),
        ..calm(7, 20)
    };
    let summary = run(plan);
    assert_eq!(summary.seat_changes, 5);
    assert!(summary.longest_gap_ms > 10 * 365 * 86_400 * 1000, "{summary:?}");
}
