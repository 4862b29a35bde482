//! Whether this machine's clock is right, judged by the times that the other validators give their blocks.
//!
//! Nobody's clock decides anything: a block is later than the one before it, and nobody votes for one from the
//! future. But a peer whose clock is off loses its turns, or votes too late, and somebody should be told.

use std::collections::BTreeMap;

use althing_ordering::PeerKey;
use althing_types::{Header, limits::VALIDATORS_MAX};

/// Blocks of a validator by which the clock is judged. The best of them counts: one may have been late.
const BLOCKS: usize = 2;
/// How much older than a clock says its newest blocks may be when they are final, and how much younger,
/// milliseconds: agreement takes time, and nobody votes for a block from the future.
const AHEAD_MS_MAX: i64 = 5_000;
const BEHIND_MS_MAX: i64 = 1_000;

/// How far this peer's clock was ahead of the times of the newest blocks, by who proposed them.
#[derive(Debug, Default)]
pub(crate) struct Clocks(BTreeMap<PeerKey, Vec<i64>>);

impl Clocks {
    /// Notes a block that became final just now. One whose time follows on its parent's says nothing of its
    /// proposer's clock: that one is behind the clock of an earlier leader.
    pub(crate) fn note(&mut self, now_ms: u64, header: &Header, parent_ms: u64) {
        if header.time_ms <= parent_ms.saturating_add(1) {
            return;
        }
        // Validators come and go.
        if self.0.len() >= VALIDATORS_MAX && !self.0.contains_key(&header.proposer) {
            self.0.clear();
        }
        let difference = i128::from(now_ms) - i128::from(header.time_ms);
        let of_proposer = self.0.entry(header.proposer).or_default();
        of_proposer.push(i64::try_from(difference).unwrap_or(i64::MAX));
        if of_proposer.len() > BLOCKS {
            of_proposer.remove(0);
        }
    }

    /// Starts again: blocks that come late say nothing about the clock.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// By how much the clock is ahead of that of the others, or behind if negative, unless it is right. Needs
    /// blocks of `enough` of them, and takes the one in the middle, since some of theirs may be wrong.
    pub(crate) fn off_ms(&self, others: &[PeerKey], enough: usize) -> Option<i64> {
        let known = others.iter().filter_map(|key| self.0.get(key));
        let known = known.filter(|blocks| blocks.len() == BLOCKS);
        let best = known.filter_map(|blocks| blocks.iter().min_by_key(|ms| ms.unsigned_abs()));
        let mut sorted: Vec<i64> = best.copied().collect();
        sorted.sort_unstable();
        if sorted.len() < enough.max(1) {
            return None;
        }
        // Of two in the middle, the one that speaks for the clock.
        let middle = [(sorted.len() - 1) / 2, sorted.len() / 2].map(|at| sorted[at]);
        let off_ms = middle.into_iter().min_by_key(|ms| ms.unsigned_abs())?;
        (!(-BEHIND_MS_MAX..=AHEAD_MS_MAX).contains(&off_ms)).then_some(off_ms)
    }
}

#[cfg(test)]
mod tests {
    use althing_types::{Digest, ExecutionResult, LedgerId};

    use super::*;

    const NOW_MS: u64 = 1_000_000;

    fn header(proposer: u8, time_ms: u64) -> Header {
        let digest = Digest::default();
        Header {
            version: 1,
            ledger: LedgerId([1; 32]),
            height: 1,
            parent: digest,
            time_ms,
            proposer: [proposer; 32],
            epoch: 0,
            view: 1,
            parent_view: 0,
            validators: digest,
            next_validators: None,
            transactions: digest,
            count: 0,
            result: ExecutionResult { height: 0, state_root: digest, receipts_root: digest },
        }
    }

    fn clocks(blocks: &[(u8, i64)]) -> Clocks {
        let mut clocks = Clocks::default();
        for (proposer, ahead_ms) in blocks {
            let time_ms = NOW_MS.saturating_add_signed(-ahead_ms);
            clocks.note(NOW_MS, &header(*proposer, time_ms), 0);
        }
        clocks
    }

    #[test]
    fn a_clock_is_judged_by_what_most_others_say() {
        let others = [1, 2, 3].map(|key| [key; 32]);
        for (blocks, expected) in [
            (&[][..], None),
            (&[(1, 9_000), (1, 9_000)], None),
            // One block of each says nothing yet, and one of two may be late.
            (&[(1, 9_000), (2, 9_000), (3, 9_000)], None),
            (&[(1, 9_000), (1, 50), (2, 9_000), (2, 60)], None),
            (&[(1, 9_000), (1, 9_100), (2, 9_050), (2, 9_000)], Some(9_000)),
            (&[(1, -3_000), (1, -3_000), (2, -3_100), (2, -3_100)], Some(-3_000)),
            // One of the others is wrong.
            (&[(1, -9_000), (1, -9_000), (2, 40), (2, 50)], None),
            (&[(1, 9_000), (1, 9_000), (2, 40), (2, 50), (3, 60), (3, 60)], None),
            // Whoever has no seat is not asked.
            (&[(7, 9_000), (7, 9_000), (8, 9_000), (8, 9_000)], None),
        ] {
            assert_eq!(clocks(blocks).off_ms(&others, 2), expected, "{blocks:?}");
        }
        assert_eq!(clocks(&[(1, 9_000), (1, 9_000)]).off_ms(&others, 1), Some(9_000));
        let mut forgetful = clocks(&[(1, 9_000), (1, 9_000)]);
        forgetful.forget();
        assert_eq!(forgetful.off_ms(&others, 1), None);
    }

    /// A leader whose clock is ahead drags the times of later blocks along: once all others were told that
    /// their clocks were behind.
    #[test]
    fn a_block_that_follows_on_the_clock_of_another_says_nothing() {
        let mut clocks = clocks(&[(1, -4_000), (1, -4_000)]);
        for _ in 0..4 {
            clocks.note(NOW_MS, &header(2, NOW_MS + 4_001), NOW_MS + 4_000);
            clocks.note(NOW_MS, &header(3, NOW_MS + 4_002), NOW_MS + 4_001);
        }
        assert_eq!(clocks.off_ms(&[1, 2, 3].map(|key| [key; 32]), 2), None);
        // Many proposers, hostile times.
        for proposer in 0..=255 {
            clocks.note(u64::MAX, &header(proposer, 2), 0);
            clocks.note(0, &header(proposer, u64::MAX), u64::MAX - 2);
        }
        assert!(clocks.0.len() <= VALIDATORS_MAX);
    }
}
