//! How long what clients bring takes until it is final here. Pure: time comes in.

use std::collections::VecDeque;

use althing_types::TxId;

use crate::mempool::Mempool;

/// What a figure is about, milliseconds: what happened since.
const WINDOW_MS: u64 = 60_000;
/// Most that became final and are remembered; the oldest go first.
const FINAL_MAX: usize = 4_096;
/// How long a figure is told again: each is a walk through all that wait, and anybody may ask.
const TOLD_MS: u64 = 1_000;

/// How long transactions took. When those came that wait, the mempool knows.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    /// When each was final, and how long it had taken, milliseconds.
    took_ms: VecDeque<(u64, u64)>,
    /// What was told last, and when.
    told: Option<(u64, Option<u64>)>,
}

impl Commits {
    /// The transactions of a block are final, and have not left the mempool yet.
    pub(crate) fn are_final(&mut self, ids: &[TxId], now_ms: u64, waiting: &Mempool) {
        for came_ms in ids.iter().filter_map(|id| waiting.came_ms(id)) {
            if self.took_ms.len() >= FINAL_MAX {
                self.took_ms.pop_front();
            }
            self.took_ms.push_back((now_ms, now_ms.saturating_sub(came_ms)));
        }
    }

    /// Within how many milliseconds 99 of 100 were final in the last minute; none if there were none. What waits
    /// for longer than that is among them: it takes at least as long as it has waited. For a second the same.
    pub(crate) fn p99_ms(&mut self, now_ms: u64, waiting: &Mempool) -> Option<u64> {
        match self.told {
            Some((at_ms, told)) if now_ms.saturating_sub(at_ms) < TOLD_MS => told,
            _ => {
                let found = self.found_ms(now_ms, waiting);
                self.told = Some((now_ms, found));
                found
            }
        }
    }

    fn found_ms(&self, now_ms: u64, waiting: &Mempool) -> Option<u64> {
        let recent = |(at_ms, _): &&(u64, u64)| now_ms.saturating_sub(*at_ms) <= WINDOW_MS;
        let took: Vec<u64> = self.took_ms.iter().filter(recent).map(|(_, took)| *took).collect();
        let of_final = p99(took.clone()).unwrap_or(0);
        let ages = waiting.local_came_ms().map(|came_ms| now_ms.saturating_sub(came_ms));
        p99(took.into_iter().chain(ages.filter(|age| *age > of_final)).collect())
    }
}

fn p99(mut times: Vec<u64>) -> Option<u64> {
    times.sort_unstable();
    let last = times.len().checked_sub(1)?;
    times.get(last - times.len() / 100).copied()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use althing_ledger::Basis;
    use althing_types::{Action, Body, EntityId, LedgerId, Record, SigningKey, Suite, Transaction};

    use super::*;
    use crate::mempool::{Checked, Limits};

    const LIMITS: Limits = Limits {
        transactions_max: 1 << 20,
        per_sender_max: 1 << 20,
        per_sender_bytes_max: 1 << 30,
        bytes_max: 1 << 30,
    };

    /// A mempool in which so many wait, since a second after the beginning.
    fn waiting(count: u64) -> (Mempool, Vec<TxId>) {
        let key = SigningKey::from_secret(Suite::Ed25519, [1; 32]).unwrap();
        let mut mempool = Mempool::new(LIMITS);
        let one = |nonce| {
            let record = Record { kind: "a".into(), data: vec![1], notify: vec![], link: None };
            let actions = vec![Action::Record(record)];
            let ledger = LedgerId([3; 32]);
            let body = Body::new(&ledger, EntityId([7; 32]), nonce, 9, actions);
            let transaction = Transaction::sign(&ledger, body, &key, &[]);
            let id = transaction.id();
            let (payloads, basis) = (Vec::new(), Basis::default());
            let checked = Checked { transaction, payloads, basis, is_vouched: false };
            mempool.insert(Arc::new(checked), Some(1_000)).unwrap();
            id
        };
        let ids = (0..count).map(one).collect();
        (mempool, ids)
    }

    #[test]
    fn what_takes_long_shows_when_it_is_more_than_one_in_a_hundred() {
        let (mut mempool, ids) = waiting(300);
        let mut commits = Commits::default();
        assert_eq!(commits.found_ms(1_020, &mempool), Some(20), "none is final");
        for (number, id) in ids.iter().enumerate() {
            // Two of three hundred take a second.
            let at_ms = if number < 298 { 1_030 } else { 2_000 };
            commits.are_final(&[*id], at_ms, &mempool);
            mempool.remove(id);
        }
        assert_eq!(commits.found_ms(2_000, &mempool), Some(30));
        assert_eq!(commits.found_ms(1_030 + WINDOW_MS, &mempool), Some(30));
        let others_are_old = commits.found_ms(1_031 + WINDOW_MS, &mempool);
        assert_eq!(others_are_old, Some(1_000));
        assert_eq!(commits.found_ms(2_001 + WINDOW_MS, &mempool), None);
    }

    /// A network that agrees on nothing makes nothing final that could be measured.
    #[test]
    fn what_waits_counts_for_as_long_as_it_has_waited() {
        let (mut mempool, ids) = waiting(3);
        let mut commits = Commits::default();
        commits.are_final(&ids[..1], 1_050, &mempool);
        mempool.remove(&ids[0]);
        assert_eq!(commits.found_ms(9_000, &mempool), Some(8_000));
        // Given up, and not final.
        ids.iter().for_each(|id| drop(mempool.remove(id)));
        assert_eq!(commits.found_ms(9_000, &mempool), Some(50));
    }

    #[test]
    fn what_others_brought_is_not_measured() {
        let (mempool, ids) = waiting(1);
        let mut others = Mempool::new(LIMITS);
        let brought = Arc::clone(mempool.get(&ids[0]).unwrap());
        others.insert(Arc::clone(&brought), None).unwrap();
        let mut commits = Commits::default();
        commits.are_final(&ids, 9_000, &others);
        assert_eq!(commits.found_ms(9_000, &others), None);
        // Unless a client of this peer brings it, too.
        others.insert(Arc::clone(&brought), Some(2_000)).unwrap();
        others.insert(brought, Some(3_000)).unwrap();
        assert_eq!(commits.found_ms(9_000, &others), Some(7_000));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (mempool, ids) = waiting(FINAL_MAX as u64 + 100);
        let mut commits = Commits::default();
        commits.are_final(&ids, 1, &mempool);
        assert_eq!(commits.took_ms.len(), FINAL_MAX);
    }

    #[test]
    fn whoever_asks_often_is_told_the_same_for_a_second() {
        let (mempool, _) = waiting(1);
        let mut commits = Commits::default();
        let told = [1_100, 2_099, 2_100].map(|now_ms| commits.p99_ms(now_ms, &mempool));
        assert_eq!(told, [Some(100), Some(100), Some(1_100)]);
    }
}
