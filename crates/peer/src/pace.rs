//! How soon a leader proposes what waits: at once while little comes, and otherwise after it has
//! gathered for a moment, since a block costs every peer the same for one transaction as for fifty.

use std::time::Duration;

/// Up to so many transactions a second each has a block as soon as it can.
pub(crate) const QUIET_PER_S: u32 = 64;
/// So many are a block that nobody should wait for.
pub(crate) const ENOUGH: usize = 1024;

/// How many transactions came of late.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// The second that is counted, since 1970.
    second: u64,
    count: u32,
    /// How many came in the second before.
    before: u32,
}

impl Arrivals {
    /// Counts what came now.
    pub(crate) fn came(&mut self, now_ms: u64, count: usize) {
        self.turn(now_ms);
        self.count = self.count.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }

    /// How many come in a second: as many as in the last one, or in the one under way if those are more.
    pub(crate) fn per_second(&mut self, now_ms: u64) -> u32 {
        self.turn(now_ms);
        self.before.max(self.count)
    }

    fn turn(&mut self, now_ms: u64) {
        let second = now_ms / 1000;
        // A clock that was set back counts on in the second that it was in.
        if second > self.second {
            self.before = if second == self.second + 1 { self.count } else { 0 };
            (self.second, self.count) = (second, 0);
        }
    }
}

/// How long to gather when so many come in a second; `most` is the operator's.
pub(crate) fn gathering(per_second: u32, most: Duration) -> Duration {
    if per_second > QUIET_PER_S { most } else { Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_is_counted_by_the_second() {
        let mut arrivals = Arrivals::default();
        // time, what comes then, how many a second it is from then on
        for (now_ms, count, expected) in [
            (1_000, 5, 5),
            (1_999, 2, 7),
            (2_000, 1, 7),
            (2_500, 9, 10),
            (3_000, 0, 10),
            (2_000, 1, 10),
            (3_999, 0, 10),
            (4_000, 0, 1),
            (9_000, 0, 0),
            (9_001, usize::MAX, u32::MAX),
            (9_002, 3, u32::MAX),
        ] {
            arrivals.came(now_ms, count);
            assert_eq!(arrivals.per_second(now_ms), expected, "{now_ms}");
        }
    }

    #[test]
    fn who_has_little_to_do_waits_for_nothing() {
        let most = Duration::from_millis(40);
        assert_eq!(gathering(QUIET_PER_S, most), Duration::ZERO);
        assert_eq!(gathering(QUIET_PER_S + 1, most), most);
        assert_eq!(gathering(u32::MAX, Duration::ZERO), Duration::ZERO, "the operator's choice");
    }
}
