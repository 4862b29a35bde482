//! Which things are there, by whether whoever speaks for them is connected: a machine.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Grant, Principal, TimeMs};

/// What is to be told of the things that clients of their own speak for.
#[derive(Debug)]
pub struct Presence {
    /// Things by name, each with who speaks for it.
    speakers: BTreeMap<String, Vec<Principal>>,
    /// How long a client may be away before its thing counts as gone, milliseconds.
    grace_ms: TimeMs,
    /// What was told last.
    told: BTreeMap<String, bool>,
    /// Since when nobody speaks for a thing that counts as there.
    away: BTreeMap<String, TimeMs>,
}

impl Presence {
    /// By what principals were given. Who showed nothing speaks for nobody: everybody may be it.
    #[must_use]
    pub fn new(grants: &[(Principal, Grant)], grace_ms: TimeMs) -> Self {
        let mut speakers: BTreeMap<String, Vec<Principal>> = BTreeMap::new();
        let known = grants.iter().filter(|(who, _)| *who != Principal::Anonymous);
        for (who, grant) in known {
            for thing in &grant.things {
                speakers.entry(thing.clone()).or_default().push(who.clone());
            }
        }
        Self { speakers, grace_ms, told: BTreeMap::new(), away: BTreeMap::new() }
    }

    /// Looks at who is connected, and says which things are to be told of and whether they are there. A
    /// thing that was never there is not told of. Each is said until it was [told](Self::told).
    #[must_use]
    pub fn look(&mut self, now_ms: TimeMs, present: &BTreeSet<Principal>) -> Vec<(String, bool)> {
        let mut due = Vec::new();
        for (thing, speakers) in &self.speakers {
            let is_there = speakers.iter().any(|who| present.contains(who));
            let told = self.told.get(thing).copied();
            if is_there {
                self.away.remove(thing);
                if told != Some(true) {
                    due.push((thing.clone(), true));
                }
            } else if told == Some(true) {
                let since = *self.away.entry(thing.clone()).or_insert(now_ms);
                if now_ms.saturating_sub(since) >= self.grace_ms {
                    due.push((thing.clone(), false));
                }
            }
        }
        due
    }

    /// The ledger knows it.
    pub fn told(&mut self, thing: &str, is_there: bool) {
        self.away.remove(thing);
        self.told.insert(thing.to_owned(), is_there);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> Principal {
        Principal::User(name.into())
    }

    fn grant(things: &[&str]) -> Grant {
        let things = things.iter().map(|thing| (*thing).to_owned()).collect();
        Grant { things, ..Grant::default() }
    }

    #[test]
    fn a_thing_is_there_while_somebody_speaks_for_it_and_gone_after_a_while() {
        let grants = [
            (user("a"), grant(&["pump", "valve"])),
            (user("b"), grant(&["valve"])),
            (Principal::Anonymous, grant(&["lamp"])),
        ];
        let mut presence = Presence::new(&grants, 30);
        type Step<'a> = (TimeMs, &'a [&'a str], &'a [(&'a str, bool)]);
        let steps: &[Step<'_>] = &[
            // What was never there is not told of.
            (0, &[], &[]),
            (10, &["b"], &[("valve", true)]),
            (20, &["a", "b"], &[("pump", true)]),
            // Another one still speaks for the valve; the pump has some time to come back.
            (30, &["b"], &[]),
            (59, &["b"], &[]),
            (60, &["b"], &[("pump", false)]),
            (70, &["b"], &[]),
            // Back in time: nothing to tell.
            (80, &[], &[]),
            (90, &["b"], &[]),
            (115, &[], &[]),
            (140, &[], &[]),
            (145, &[], &[("valve", false)]),
            (150, &["a"], &[("pump", true), ("valve", true)]),
        ];
        for (now, present, expected) in steps {
            let mut present: BTreeSet<Principal> = present.iter().map(|name| user(name)).collect();
            present.insert(Principal::Anonymous);
            let due = presence.look(*now, &present);
            assert_eq!(presence.look(*now, &present), due, "until it was told");
            due.iter().for_each(|(thing, is_there)| presence.told(thing, *is_there));
            let due: Vec<_> = due.iter().map(|(thing, there)| (thing.as_str(), *there)).collect();
            assert_eq!(due, *expected, "at {now}");
        }
    }
}
