//! How long what clients bring takes until it is final here. Pure: time comes in.

use std::collections::{BTreeMap, VecDeque};

use althing_types::TxId;

use crate::mempool::Mempool;

/// What a figure is about, milliseconds: what happened since.
const WINDOW_MS: u64 = 60_000;
/// Most that became final and are remembered; the oldest go first.
const FINAL_MAX: usize = 4_096;
/// Most that are waited for; what comes beyond is not measured.
const WAITING_MAX: usize = 16_384;

/// How long until it is looked again who gave up waiting: each time is a walk through all that wait, and a
/// client that fills the mempool must not have a peer walk for every transaction it brings.
const LOOK_EVERY_MS: u64 = 1_000;

/// When transactions came, and how long others took.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    came_ms: BTreeMap<TxId, u64>,
    /// When it was looked last who gave up, while there was no room.
    looked_ms: u64,
    /// When each was final, and how long it had taken, milliseconds.
    took_ms: VecDeque<(u64, u64)>,
}

impl Commits {
    /// A client brought a transaction, which waits in the mempool.
    pub(crate) fn came(&mut self, id: TxId, now_ms: u64, waiting: &Mempool) {
        let is_full = self.came_ms.len() >= WAITING_MAX;
        if is_full && now_ms.saturating_sub(self.looked_ms) >= LOOK_EVERY_MS {
            self.looked_ms = now_ms;
            self.forget_gone(waiting);
        }
        if self.came_ms.len() < WAITING_MAX {
            self.came_ms.entry(id).or_insert(now_ms);
        }
    }

    /// The transactions of a block are final.
    pub(crate) fn are_final(&mut self, ids: &[TxId], now_ms: u64) {
        ids.iter().for_each(|id| self.is_final(id, now_ms));
    }

    fn is_final(&mut self, id: &TxId, now_ms: u64) {
        let Some(came_ms) = self.came_ms.remove(id) else { return };
        if self.took_ms.len() >= FINAL_MAX {
            self.took_ms.pop_front();
        }
        self.took_ms.push_back((now_ms, now_ms.saturating_sub(came_ms)));
    }

    /// Within how many milliseconds 99 of 100 were final in the last minute; none if there were none. What waits
    /// for longer than that is among them: it takes at least as long as it has waited.
    pub(crate) fn p99_ms(&mut self, now_ms: u64, waiting: &Mempool) -> Option<u64> {
        self.forget_gone(waiting);
        let recent = |(at_ms, _): &&(u64, u64)| now_ms.saturating_sub(*at_ms) <= WINDOW_MS;
        let took: Vec<u64> = self.took_ms.iter().filter(recent).map(|(_, took)| *took).collect();
        let of_final = p99(took.clone()).unwrap_or(0);
        let ages = self.came_ms.values().map(|came_ms| now_ms.saturating_sub(*came_ms));
        p99(took.into_iter().chain(ages.filter(|age| *age > of_final)).collect())
    }

    /// What left the mempool without being final.
    fn forget_gone(&mut self, waiting: &Mempool) {
        self.came_ms.retain(|id, _| waiting.get(id).is_some());
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

    /// A mempool in which so many wait.
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
            mempool.insert(Arc::new(checked), true).unwrap();
            id
        };
        let ids = (0..count).map(one).collect();
        (mempool, ids)
    }

    #[test]
    fn what_takes_long_shows_when_it_is_more_than_one_in_a_hundred() {
        let (mut mempool, ids) = waiting(300);
        let mut commits = Commits::default();
        assert_eq!(commits.p99_ms(0, &mempool), None);
        ids.iter().for_each(|id| commits.came(*id, 1_000, &mempool));
        assert_eq!(commits.p99_ms(1_020, &mempool), Some(20), "none is final");
        for (number, id) in ids.iter().enumerate() {
            // Two of three hundred take a second.
            let at_ms = if number < 298 { 1_030 } else { 2_000 };
            mempool.remove(id);
            commits.is_final(id, at_ms);
        }
        assert_eq!(commits.p99_ms(2_000, &mempool), Some(30));
        assert_eq!(commits.p99_ms(1_030 + WINDOW_MS, &mempool), Some(30));
        assert_eq!(commits.p99_ms(1_031 + WINDOW_MS, &mempool), Some(1_000), "the others are old");
        assert_eq!(commits.p99_ms(2_001 + WINDOW_MS, &mempool), None);
    }

    /// A network that agrees on nothing makes nothing final that could be measured.
    #[test]
    fn what_waits_counts_for_as_long_as_it_has_waited() {
        let (mut mempool, ids) = waiting(3);
        let mut commits = Commits::default();
        ids.iter().for_each(|id| commits.came(*id, 1_000, &mempool));
        mempool.remove(&ids[0]);
        commits.is_final(&ids[0], 1_050);
        assert_eq!(commits.p99_ms(9_000, &mempool), Some(8_000));
        // Given up, and not final.
        ids.iter().for_each(|id| drop(mempool.remove(id)));
        assert_eq!(commits.p99_ms(9_000, &mempool), Some(50));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let (mempool, ids) = waiting(WAITING_MAX as u64 + 100);
        let mut commits = Commits::default();
        ids.iter().for_each(|id| commits.came(*id, 0, &mempool));
        assert_eq!(commits.came_ms.len(), WAITING_MAX);
        ids.iter().for_each(|id| commits.is_final(id, 1));
        assert_eq!((commits.came_ms.len(), commits.took_ms.len()), (0, FINAL_MAX));
        // What left the mempool by another way makes room.
        let (empty, _) = waiting(0);
        ids.iter().for_each(|id| commits.came(*id, 2_000, &mempool));
        // Not at each transaction, which would be a walk through all of them each time.
        commits.came(ids[WAITING_MAX], 2_999, &empty);
        assert_eq!(commits.came_ms.len(), WAITING_MAX);
        commits.came(ids[WAITING_MAX], 3_000, &empty);
        assert_eq!(commits.came_ms.len(), 1);
    }
}
