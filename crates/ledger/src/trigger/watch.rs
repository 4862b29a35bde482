//! When a trigger is due: a machine that sees batches come and time pass.
//!
//! It is the same for the ledger, which runs it block by block, and for [`replay`], which runs it
//! over what was recorded, so that what is tried out is what will happen.

use althing_types::{Cause, Relation};
use minicbor::{Decode, Encode};

/// How far a trigger's cause is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Watch {
    /// Ledger time since which all readings were beyond the bound, milliseconds; none if they are
    /// not.
    #[n(0)]
    pub since_ms: Option<u64>,
    /// Whether it has happened, and must end before it can happen again.
    #[n(1)]
    pub happened: bool,
    /// Ledger time at which it happens if nothing prevents it, milliseconds.
    #[n(2)]
    pub due_ms: Option<u64>,
    /// Height of the block that made it due.
    #[n(3)]
    pub cause_height: u64,
}

/// The newest batch of a stream as a trigger sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Smallest mantissa; none for text and bytes.
    pub min: Option<i64>,
    /// Largest mantissa; none for text and bytes.
    pub max: Option<i64>,
    /// Height of its block.
    pub height: u64,
    /// Ledger time of its block, milliseconds since 1970.
    pub ledger_ms: u64,
}

impl Seen {
    fn any(&self, relation: Relation, bound: i64) -> bool {
        let holds = |value: Option<i64>| value.is_some_and(|value| relation.holds(value, bound));
        holds(self.min) || holds(self.max)
    }

    fn all(&self, relation: Relation, bound: i64) -> bool {
        let holds = |value: Option<i64>| value.is_some_and(|value| relation.holds(value, bound));
        holds(self.min) && holds(self.max)
    }
}

impl Watch {
    /// The beginning, at a height and time. `latest_ms` is the ledger time of the stream's newest
    /// batch, if there is one.
    #[must_use]
    pub fn begin(cause: &Cause, height: u64, now_ms: u64, latest_ms: Option<u64>) -> Self {
        let due_ms = match cause {
            Cause::Silence { for_ms, .. } => {
                Some(latest_ms.unwrap_or(now_ms).saturating_add(*for_ms).max(now_ms))
            }
            Cause::Time { first_ms, every_ms } => Some(next_time(*first_ms, *every_ms, now_ms)),
            _ => None,
        };
        Self { due_ms, cause_height: height, ..Self::default() }
    }

    /// A batch became the newest of the stream.
    pub fn see(&mut self, cause: &Cause, batch: &Seen) {
        match cause {
            Cause::Reading { relation, bound, for_ms: 0, .. } => {
                let hit = batch.any(*relation, *bound);
                if hit && !self.happened {
                    self.set_due(batch.ledger_ms, batch.height);
                }
                self.happened = hit;
            }
            Cause::Reading { relation, bound, for_ms, .. } => {
                if !batch.all(*relation, *bound) {
                    let lasted = |since: u64| since.saturating_add(*for_ms) <= batch.ledger_ms;
                    let waits = self.since_ms.is_some_and(|since| !lasted(since));
                    // What has held for the whole time only waits for its turn, which may be put off.
                    let due_ms = self.due_ms.filter(|_| !waits);
                    *self = Self { due_ms, cause_height: self.cause_height, ..Self::default() };
                } else if self.since_ms.is_none() {
                    self.since_ms = Some(batch.ledger_ms);
                    self.set_due(batch.ledger_ms.saturating_add(*for_ms), batch.height);
                }
            }
            Cause::Silence { for_ms, .. } if self.happened => {
                self.happened = false;
                self.set_due(batch.ledger_ms.saturating_add(*for_ms), batch.height);
            }
            _ => {}
        }
    }

    /// An event that it waits for was told.
    pub fn hear(&mut self, height: u64, now_ms: u64) {
        if self.due_ms.is_none() {
            self.set_due(now_ms, height);
        }
    }

    /// It is due, and this is its turn. Says whether it happens; if not, it is due later.
    /// `latest_ms` is as in [`Self::begin`].
    pub fn turn(
        &mut self,
        cause: &Cause,
        height: u64,
        now_ms: u64,
        latest_ms: Option<u64>,
    ) -> bool {
        match cause {
            Cause::Silence { for_ms, .. } => {
                let due = latest_ms.unwrap_or(0).saturating_add(*for_ms);
                // Readings came since it was set: not each of them wrote when it is due.
                if due > now_ms {
                    self.set_due(due, height);
                    return false;
                }
                self.happened = true;
                self.due_ms = None;
            }
            Cause::Time { first_ms, every_ms } => {
                let next = next_time(*first_ms, *every_ms, now_ms.saturating_add(1));
                self.due_ms = (*every_ms > 0).then_some(next);
            }
            Cause::Reading { for_ms, .. } => {
                self.happened |= *for_ms > 0;
                self.due_ms = None;
            }
            Cause::Contract { .. } | Cause::Recorded { .. } | Cause::Commanded { .. } => {
                self.due_ms = None;
            }
        }
        true
    }

    const fn set_due(&mut self, due_ms: u64, height: u64) {
        self.due_ms = Some(due_ms);
        self.cause_height = height;
    }
}

/// The first of the times `first + n * every` that is not before `now`; the first of all if there is
/// but one.
fn next_time(first_ms: u64, every_ms: u64, now_ms: u64) -> u64 {
    let Some(late) = now_ms.checked_sub(first_ms).filter(|late| *late > 0) else { return first_ms };
    match every_ms {
        0 => first_ms,
        every => first_ms.saturating_add(late.div_ceil(every).saturating_mul(every)),
    }
}

/// When a cause about a stream would have happened, had the trigger been set before the first of
/// these batches: ledger times, milliseconds, at most `limit`, up to `until_ms`.
///
/// Batches are as they became the newest of the stream, oldest first. Time passes from batch to
/// batch, so a moment between two is exact, as it is on a ledger whose blocks follow close.
#[must_use]
pub fn replay(
    cause: &Cause,
    batches: impl IntoIterator<Item = Seen>,
    until_ms: u64,
    limit: usize,
) -> Vec<u64> {
    let mut times = Vec::new();
    let mut latest_ms = None;
    let mut watch: Option<Watch> = None;
    let pass = |watch: &mut Watch, now_ms: u64, latest: Option<u64>, times: &mut Vec<u64>| {
        while let Some(due) = watch.due_ms.filter(|due| *due <= now_ms) {
            if times.len() >= limit {
                return;
            }
            if watch.turn(cause, 0, due, latest) {
                times.push(due);
            }
        }
    };
    for batch in batches {
        let watch = watch
            .get_or_insert_with(|| Watch::begin(cause, batch.height, batch.ledger_ms, latest_ms));
        pass(watch, batch.ledger_ms, latest_ms, &mut times);
        watch.see(cause, &batch);
        latest_ms = Some(batch.ledger_ms);
    }
    if let Some(watch) = &mut watch {
        pass(watch, until_ms, latest_ms, &mut times);
    }
    times
}

#[cfg(test)]
mod tests {
    use althing_types::StreamId;

    use super::*;

    const STREAM: StreamId = StreamId([1; 32]);

    fn above(bound: i64, for_ms: u64) -> Cause {
        Cause::Reading { stream: STREAM, relation: Relation::Above, bound, for_ms }
    }

    /// Batches of a time, a smallest and a largest value.
    fn batches(rows: &[(u64, i64, i64)]) -> Vec<Seen> {
        let seen = |(height, (ledger_ms, min, max)): (u64, &(u64, i64, i64))| Seen {
            min: Some(*min),
            max: Some(*max),
            height,
            ledger_ms: *ledger_ms,
        };
        (1..).zip(rows).map(seen).collect()
    }

    #[test]
    fn causes_happen_when_they_should() {
        type Row<'a> = (&'a str, Cause, &'a [(u64, i64, i64)], &'a [u64]);
        let silence = |for_ms| Cause::Silence { stream: STREAM, for_ms };
        let rows: &[Row<'_>] = &[
            ("at once", above(8, 0), &[(100, 9, 9)], &[100]),
            ("not if equal", above(8, 0), &[(100, 8, 8)], &[]),
            ("one of a batch is enough", above(8, 0), &[(100, 1, 9)], &[100]),
            ("once while it lasts", above(8, 0), &[(100, 9, 9), (200, 10, 12)], &[100]),
            ("again after it ended", above(8, 0), &[(1, 9, 9), (2, 7, 7), (3, 9, 9)], &[1, 3]),
            ("for a while", above(8, 50), &[(100, 9, 9), (120, 9, 9), (400, 9, 9)], &[150]),
            ("too short", above(8, 50), &[(100, 9, 9), (149, 8, 9), (400, 1, 1)], &[]),
            ("broken off, then long", above(8, 50), &[(1, 9, 9), (2, 1, 9), (3, 9, 9)], &[53]),
            ("once however long", above(8, 50), &[(1, 9, 9), (300, 9, 9), (600, 9, 9)], &[51]),
            ("silence after the last", silence(50), &[(100, 1, 1), (130, 1, 1)], &[180]),
            ("silence, and again", silence(50), &[(1, 1, 1), (200, 1, 1)], &[51, 250]),
            ("silence goes on", silence(50), &[(1, 1, 1)], &[51]),
        ];
        for (name, cause, seen, expected) in rows {
            assert_eq!(replay(cause, batches(seen), 1000, 100), *expected, "{name}");
        }
    }

    #[test]
    fn every_relation_is_what_its_sign_says() {
        for (sign, values) in [("<", [7]), ("<=", [8]), (">=", [8]), (">", [9])] {
            let (relation, _) =
                Relation::ALL.into_iter().find(|(_, other)| *other == sign).unwrap();
            for value in values {
                assert!(relation.holds(value, 8), "{value} {sign} 8");
            }
            assert!(!relation.holds(if sign.starts_with('<') { 9 } else { 7 }, 8));
            assert_eq!(relation.holds(8, 8), sign.ends_with('='));
        }
    }

    #[test]
    fn times_are_on_the_grid_and_none_is_made_up_for() {
        for (first, every, now, expected) in [
            (100, 0, 5, 100),
            (100, 0, 500, 100),
            (100, 10, 5, 100),
            (100, 10, 100, 100),
            (100, 10, 101, 110),
            (100, 10, 999, 1000),
            (0, u64::MAX, u64::MAX, u64::MAX),
        ] {
            assert_eq!(next_time(first, every, now), expected, "{first} {every} {now}");
        }
        let cause = Cause::Time { first_ms: 100, every_ms: 10 };
        let mut watch = Watch::begin(&cause, 1, 5, None);
        // A ledger that stood still does not run it as often as it should have.
        assert!(watch.turn(&cause, 2, 555, None));
        assert_eq!(watch.due_ms, Some(560));
        let once = Cause::Time { first_ms: 100, every_ms: 0 };
        let mut watch = Watch::begin(&once, 1, 5, None);
        assert!(watch.turn(&once, 2, 100, None));
        assert_eq!(watch.due_ms, None);
    }

    #[test]
    fn an_event_told_twice_before_its_turn_counts_once() {
        let cause = Cause::Recorded { sender: althing_types::EntityId([1; 32]), kind: "k".into() };
        let mut watch = Watch::begin(&cause, 1, 5, None);
        watch.hear(7, 70);
        watch.hear(8, 80);
        assert_eq!((watch.due_ms, watch.cause_height), (Some(70), 7));
        assert!(watch.turn(&cause, 9, 90, None));
        assert_eq!(watch.due_ms, None);
    }

    #[test]
    fn a_replay_ends_however_often_it_would_happen() {
        let flips: Vec<_> =
            (0..1000).map(|n| (n, (n % 2) as i64 * 10, (n % 2) as i64 * 10)).collect();
        assert_eq!(replay(&above(8, 0), batches(&flips), 2000, 7).len(), 7);
    }
}
