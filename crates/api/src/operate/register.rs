//! The alarms of a peer: from what is the matter now to what an operator is told. Pure: time comes in,
//! and what changed goes out.

use std::collections::BTreeMap;

use althing_client::model::{Acknowledgement, Alarm};

/// How long something must be the matter before it is worth an alarm, and how long it must be gone
/// before the alarm ends, milliseconds: what comes and goes is one alarm.
const RAISE_MS: u64 = 2_000;
const END_MS: u64 = 10_000;
/// Most alarms kept, those that ended included; these go first, the oldest before the others.
const ALARMS_MAX: usize = 256;

/// Something that is the matter now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) code: String,
    pub(crate) subject: Option<String>,
    pub(crate) grave: bool,
    pub(crate) detail: String,
    pub(crate) advice: &'static str,
}

/// What a condition and its alarm are found by.
type Key = (String, Option<String>);

/// The alarms that last and those that ended.
#[derive(Debug, Default)]
pub(crate) struct Register {
    alarms: Vec<Alarm>,
    /// Since when, and until when, each condition was seen.
    seen: BTreeMap<Key, (u64, u64)>,
}

impl Register {
    /// With the alarms of an earlier run. Those that lasted then last until it is known that they do not.
    pub(crate) fn new(mut alarms: Vec<Alarm>, now_ms: u64) -> Self {
        alarms.truncate(ALARMS_MAX);
        let lasting = alarms.iter().filter(|alarm| alarm.ended.is_none());
        let seen = lasting.map(|alarm| (key(alarm), (now_ms, now_ms))).collect();
        Self { alarms, seen }
    }

    /// Takes note of all that is the matter now, and gives the alarms that were raised or ended.
    pub(crate) fn observe(&mut self, now_ms: u64, conditions: Vec<Condition>) -> Vec<Alarm> {
        let mut changed = Vec::new();
        for condition in conditions {
            let key = (condition.code.clone(), condition.subject.clone());
            let seen = self.seen.entry(key.clone()).or_insert((now_ms, now_ms));
            seen.1 = now_ms;
            let since_ms = seen.0;
            match self.alarms.iter_mut().find(|alarm| self::key(alarm) == key) {
                Some(alarm) if alarm.ended.is_none() => {
                    (alarm.grave, alarm.detail) = (condition.grave, condition.detail);
                }
                _ if now_ms.saturating_sub(since_ms) < RAISE_MS => {}
                Some(alarm) => {
                    (alarm.grave, alarm.detail) = (condition.grave, condition.detail);
                    alarm.since = since_ms.into();
                    (alarm.ended, alarm.acknowledged) = (None, None);
                    alarm.times = alarm.times.saturating_add(1);
                    changed.push(alarm.clone());
                }
                None => changed.extend(self.add(condition, since_ms)),
            }
        }
        changed.extend(self.end(now_ms));
        changed
    }

    fn add(&mut self, condition: Condition, since_ms: u64) -> Option<Alarm> {
        if self.alarms.len() >= ALARMS_MAX {
            let ended = self.alarms.iter().enumerate().filter(|(_, alarm)| alarm.ended.is_some());
            // All last: whoever does not act on so many does not act on one more.
            let (oldest, _) = ended.min_by_key(|(_, alarm)| alarm.ended.map(|time| time.0))?;
            self.alarms.remove(oldest);
        }
        let id = self.alarms.iter().map(|alarm| alarm.id).max().unwrap_or(0) + 1;
        let Condition { code, subject, grave, detail, advice } = condition;
        let alarm = Alarm {
            id,
            code,
            subject,
            grave,
            detail,
            advice: advice.to_owned(),
            since: since_ms.into(),
            ended: None,
            times: 1,
            acknowledged: None,
        };
        self.alarms.push(alarm.clone());
        Some(alarm)
    }

    /// Ends alarms whose conditions are gone for long enough.
    fn end(&mut self, now_ms: u64) -> Vec<Alarm> {
        let mut changed = Vec::new();
        for alarm in self.alarms.iter_mut().filter(|alarm| alarm.ended.is_none()) {
            let last_ms = self.seen.get(&key(alarm)).map_or(0, |seen| seen.1);
            if now_ms.saturating_sub(last_ms) >= END_MS {
                alarm.ended = Some(now_ms.into());
                changed.push(alarm.clone());
            }
        }
        let lasting = |key: &Key| {
            self.alarms.iter().any(|alarm| alarm.ended.is_none() && self::key(alarm) == *key)
        };
        self.seen.retain(|key, (_, last_ms)| *last_ms == now_ms || lasting(key));
        changed
    }

    /// Notes who has seen an alarm; none if there is no such alarm.
    pub(crate) fn acknowledge(&mut self, id: u64, by: Acknowledgement) -> Option<Alarm> {
        let alarm = self.alarms.iter_mut().find(|alarm| alarm.id == id)?;
        alarm.acknowledged = Some(by);
        Some(alarm.clone())
    }

    /// Those that last first, the grave before the others; then those that ended, the latest first.
    pub(crate) fn all(&self) -> Vec<Alarm> {
        let mut all = self.alarms.clone();
        all.sort_by_key(|alarm| {
            let ended = alarm.ended.map_or(i64::MIN, |time| -time.0);
            (alarm.ended.is_some(), ended, !alarm.grave, alarm.since.0, alarm.id)
        });
        all
    }
}

fn key(alarm: &Alarm) -> Key {
    (alarm.code.clone(), alarm.subject.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(code: &str) -> Condition {
        let (code, subject, detail) = (code.to_owned(), None, "detail".to_owned());
        Condition { code, subject, grave: false, detail, advice: "advice" }
    }

    fn seen() -> Acknowledgement {
        Acknowledgement { by: "machine".into(), at: 1.into(), note: String::new() }
    }

    /// What changed at each second, when the condition is seen at those marked.
    fn story(register: &mut Register, from_s: u64, marks: &str) -> String {
        let told = |(second, mark): (usize, char)| {
            let conditions = if mark == 'x' { vec![condition("a")] } else { vec![] };
            let now_ms = (from_s + second as u64) * 1000;
            match register.observe(now_ms, conditions).as_slice() {
                [] => '.',
                [one] if one.ended.is_some() => 'E',
                [_] => 'R',
                _ => '?',
            }
        };
        marks.chars().enumerate().map(told).collect()
    }

    #[test]
    fn what_comes_and_goes_is_one_alarm() {
        for (marks, expected) in [
            ("xxxxx", "..R.."),
            // Too short to be told.
            ("xx.xx.xx.", "........."),
            ("xxx..........x", "..R.........E."),
            ("xxx.....x.....x..........", "..R.....................E"),
            // It comes back.
            ("xxx..........xxx", "..R.........E..R"),
        ] {
            assert_eq!(story(&mut Register::default(), 100, marks), expected, "{marks}");
        }
    }

    #[test]
    fn an_alarm_that_comes_back_is_to_be_acknowledged_again() {
        let mut register = Register::default();
        story(&mut register, 100, "xxxx");
        assert_eq!(register.acknowledge(2, seen()), None);
        let id = register.all()[0].id;
        assert!(register.acknowledge(id, seen()).unwrap().acknowledged.is_some());
        story(&mut register, 104, "xxxx");
        assert!(register.all()[0].acknowledged.is_some(), "while it lasts");
        // A restart comes between; what lasted lasts.
        let mut register = Register::new(register.all(), 108_000);
        assert_eq!(story(&mut register, 108, "xxx"), "...");
        assert!(register.all()[0].acknowledged.is_some());
        assert_eq!(story(&mut register, 111, "..........."), ".........E.");
        assert!(register.all()[0].acknowledged.is_some(), "as history");
        assert_eq!(story(&mut register, 122, "xxx"), "..R");
        let alarm = &register.all()[0];
        assert_eq!((alarm.id, alarm.times, &alarm.acknowledged), (id, 2, &None));
        assert_eq!(alarm.since.0, 122_000);
    }

    #[test]
    fn alarms_are_bounded_and_those_that_last_come_first() {
        let mut register = Register::default();
        let many = |from: usize| {
            let one = |at| Condition { subject: Some(format!("{at}")), ..condition("a") };
            (from..from + ALARMS_MAX).map(one).collect::<Vec<_>>()
        };
        for second in 0..3 {
            register.observe(second * 1000, many(0));
        }
        for second in 3..20 {
            let all = register.observe(second * 1000, many(1000));
            assert!(all.len() <= ALARMS_MAX);
        }
        let all = register.all();
        assert_eq!(all.len(), ALARMS_MAX);
        assert!(all.iter().all(|alarm| alarm.ended.is_none()), "they took the place of the others");
        let mut grave = condition("b");
        grave.grave = true;
        for second in 20..24 {
            register.observe(second * 1000, vec![condition("a"), grave.clone()]);
        }
        assert_eq!(register.all().len(), ALARMS_MAX, "no room while all last");
    }
}
