//! What an operator wants of a peer, and which of it was missed for too long. Pure: time and measurements come in.

use std::{collections::BTreeMap, time::Duration};

/// Goals of service. Those that are not set are not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goals {
    /// Within how long 99 of 100 transactions of this peer's clients are to be final.
    pub commit_p99: Option<Duration>,
    /// Most final blocks that are to be executed yet.
    pub behind_blocks: Option<u64>,
    /// Fewest bytes that are to be free on the disk of its data.
    pub disk_free_bytes: Option<u64>,
    /// Fewest other validators that are to be connected.
    pub validators_connected: Option<u64>,
    /// How long one of these must be missed before it is an alarm.
    pub patience: Duration,
}

impl Goals {
    /// None.
    pub const NONE: Self = Self {
        commit_p99: None,
        behind_blocks: None,
        disk_free_bytes: None,
        validators_connected: None,
        patience: Duration::from_secs(60),
    };
}

/// How a peer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measured {
    /// None if nothing was brought lately.
    pub(crate) commit_p99_ms: Option<u64>,
    pub(crate) behind_blocks: u64,
    /// None if it cannot be known.
    pub(crate) disk_free_bytes: Option<u64>,
    pub(crate) validators_connected: u64,
}

/// A goal that is missed: the code of its alarm, and how.
pub(crate) type Miss = (&'static str, String);

impl Goals {
    fn missed(&self, now: &Measured) -> Vec<Miss> {
        let slow = self.commit_p99.map(millis).zip(now.commit_p99_ms).map(|(goal, found)| {
            let text = format!(
                "99 of 100 transactions of clients are final within {found} ms, not {goal} ms"
            );
            ("goal_commit_latency", found > goal, text)
        });
        let behind = self.behind_blocks.map(|goal| {
            let found = now.behind_blocks;
            let text = format!("{found} final blocks are not executed here, not {goal} at most");
            ("goal_behind", found > goal, text)
        });
        let disk = self.disk_free_bytes.zip(now.disk_free_bytes).map(|(goal, found)| {
            let text = format!("{} MB are free on disk, not {} MB", found / MB, goal / MB);
            ("goal_disk_free", found < goal, text)
        });
        let alone = self.validators_connected.map(|goal| {
            let found = now.validators_connected;
            let text = format!("{found} other validators are connected, not {goal}");
            ("goal_validators_connected", found < goal, text)
        });
        let all = [slow, behind, disk, alone].into_iter().flatten();
        all.filter(|(_, missed, _)| *missed).map(|(code, _, text)| (code, text)).collect()
    }
}

const MB: u64 = 1_000_000;

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Since when each goal is missed, milliseconds since 1970, by the code of its alarm.
#[derive(Debug, Default)]
pub(crate) struct Missed(BTreeMap<&'static str, u64>);

impl Missed {
    /// The goals that have been missed for as long as the operator has patience, with how and since when. One
    /// that is met for a moment is missed anew.
    pub(crate) fn look(&mut self, now_ms: u64, goals: &Goals, now: &Measured) -> Vec<Miss> {
        let missed = goals.missed(now);
        self.0.retain(|code, _| missed.iter().any(|(other, _)| other == code));
        let patience_ms = millis(goals.patience);
        let lasting = missed.into_iter().filter_map(|(code, text)| {
            let for_ms = now_ms.saturating_sub(*self.0.entry(code).or_insert(now_ms));
            let told = || (code, format!("{text}, as is the goal, for {} s.", for_ms / 1000));
            (for_ms >= patience_ms).then(told)
        });
        lasting.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Measured = Measured {
        commit_p99_ms: Some(100),
        behind_blocks: 0,
        disk_free_bytes: Some(50_000 * MB),
        validators_connected: 3,
    };

    fn goals() -> Goals {
        Goals {
            commit_p99: Some(Duration::from_millis(500)),
            behind_blocks: Some(4),
            disk_free_bytes: Some(20_000 * MB),
            validators_connected: Some(2),
            patience: Duration::from_secs(10),
        }
    }

    fn codes(found: &[Miss]) -> Vec<&'static str> {
        found.iter().map(|(code, _)| *code).collect()
    }

    #[test]
    fn each_goal_is_missed_by_its_own_measure_and_met_at_the_bound() {
        let missed = |now: Measured| codes(&goals().missed(&now));
        assert_eq!(missed(WELL), [""; 0]);
        let bound = Measured {
            commit_p99_ms: Some(500),
            behind_blocks: 4,
            disk_free_bytes: Some(20_000 * MB),
            validators_connected: 2,
        };
        assert_eq!(missed(bound), [""; 0]);
        for (now, code) in [
            (Measured { commit_p99_ms: Some(501), ..WELL }, "goal_commit_latency"),
            (Measured { behind_blocks: 5, ..WELL }, "goal_behind"),
            (Measured { disk_free_bytes: Some(0), ..WELL }, "goal_disk_free"),
            (Measured { validators_connected: 1, ..WELL }, "goal_validators_connected"),
        ] {
            assert_eq!(missed(now), [code]);
            assert_eq!(Goals::NONE.missed(&now), [], "nobody wants it");
        }
        let unknown = Measured { commit_p99_ms: None, disk_free_bytes: None, ..WELL };
        assert_eq!(missed(unknown), [""; 0], "what is not known is not missed");
    }

    #[test]
    fn a_goal_is_told_of_once_it_was_missed_for_as_long_as_patience_goes() {
        let mut missed = Missed::default();
        let slow = Measured { commit_p99_ms: Some(900), ..WELL };
        let mut look = |now_s: u64, goals: &Goals, now: &Measured| {
            codes(&missed.look(now_s * 1000, goals, now))
        };
        assert_eq!(look(100, &goals(), &slow), [""; 0]);
        assert_eq!(look(109, &goals(), &slow), [""; 0]);
        assert_eq!(look(110, &goals(), &slow), ["goal_commit_latency"]);
        assert_eq!(look(111, &goals(), &WELL), [""; 0], "it is met");
        assert_eq!(look(112, &goals(), &slow), [""; 0], "and missed anew");
        assert_eq!(look(122, &goals(), &slow), ["goal_commit_latency"]);
        // The operator wants less, while the peer runs.
        let modest = Goals { commit_p99: Some(Duration::from_secs(2)), ..goals() };
        assert_eq!(look(123, &modest, &slow), [""; 0]);
    }

    #[test]
    fn an_alarm_says_what_was_wanted_and_for_how_long_it_was_not_so() {
        let mut missed = Missed::default();
        let alone = Measured { validators_connected: 0, ..WELL };
        missed.look(0, &goals(), &alone);
        let told = missed.look(90_000, &goals(), &alone);
        assert_eq!(told[0].1, "0 other validators are connected, not 2, as is the goal, for 90 s.");
    }
}
