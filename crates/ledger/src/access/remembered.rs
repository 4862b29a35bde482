use std::collections::BTreeMap;

use super::Decision;

/// Most decisions remembered for one height.
pub const DECISIONS_MAX: usize = 8_192;

/// Decisions by the state of one height, by what was asked. They are forgotten with the height that they
/// were made at, so that what a block changed counts as soon as that block is executed.
#[derive(Debug)]
pub struct Remembered<K> {
    height: u64,
    decisions: BTreeMap<K, Decision>,
}

impl<K> Default for Remembered<K> {
    fn default() -> Self {
        Self { height: 0, decisions: BTreeMap::new() }
    }
}

impl<K: Ord> Remembered<K> {
    /// What was decided at this height, if it was; forgets what was decided at another.
    pub fn get(&mut self, height: u64, asked: &K) -> Option<&Decision> {
        if self.height != height {
            self.height = height;
            self.decisions.clear();
        }
        self.decisions.get(asked)
    }

    /// Remembers what was decided at a height, unless it is another by now, or there are
    /// [`DECISIONS_MAX`].
    pub fn put(&mut self, height: u64, asked: K, decision: Decision) {
        if self.height == height && self.decisions.len() < DECISIONS_MAX {
            self.decisions.insert(asked, decision);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Reason;

    #[test]
    fn what_was_decided_counts_at_its_height_only() {
        let decision =
            |reason| Decision { reason, owner: None, policy: None, grant: None, uses_left: None };
        let mut remembered = Remembered::default();
        assert_eq!(remembered.get(7, &"a"), None);
        remembered.put(7, "a", decision(Reason::Holder));
        assert_eq!(remembered.get(7, &"a"), Some(&decision(Reason::Holder)));
        assert_eq!(remembered.get(8, &"a"), None);
        remembered.put(7, "a", decision(Reason::Holder));
        assert_eq!(remembered.get(8, &"a"), None, "too late");
    }

    #[test]
    fn there_is_a_bound() {
        let decision = Decision {
            reason: Reason::Holder,
            owner: None,
            policy: None,
            grant: None,
            uses_left: None,
        };
        let mut remembered = Remembered::default();
        for number in 0..=DECISIONS_MAX {
            remembered.put(0, number, decision.clone());
        }
        assert!(remembered.get(0, &(DECISIONS_MAX - 1)).is_some());
        assert_eq!(remembered.get(0, &DECISIONS_MAX), None);
    }
}
