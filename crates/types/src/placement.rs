//! Who keeps the payloads of a stream, and for how long.

use alloc::vec::Vec;

use minicbor::{Decode, Encode};

use crate::{
    EntityId, StreamId, Validator, hash,
    limits::{PLACED_ORGANISATIONS_MAX, RETENTION_DAYS_MAX, VALIDATORS_MAX},
};

/// Begins what a peer's rank for a payload is the digest of.
const RANK_DOMAIN: &str = "althing/placement/1";
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Who is to keep the payloads of a stream: all peers, unless it says less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Placement {
    /// Only peers of these organisations, ascending, at most [`PLACED_ORGANISATIONS_MAX`]; of all if
    /// there are none.
    #[n(0)]
    pub organisations: Vec<EntityId>,
    /// So many of these peers keep each payload, 1 to [`VALIDATORS_MAX`]; each of them if none.
    #[n(1)]
    pub copies: Option<u32>,
    /// After so many days of ledger time payloads may be dropped, 1 to [`RETENTION_DAYS_MAX`]; never
    /// if none.
    #[n(2)]
    pub retention_days: Option<u32>,
}

/// What the owner decides about the payloads of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StreamPlacement {
    /// Which stream.
    #[n(0)]
    pub stream: StreamId,
    /// Who keeps them, and for how long.
    #[n(1)]
    pub placement: Placement,
}

impl Placement {
    /// Whether every field is within its bounds.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        let copies = self.copies.is_none_or(|copies| {
            (1..=VALIDATORS_MAX).contains(&usize::try_from(copies).unwrap_or(usize::MAX))
        });
        copies
            && self.organisations.len() <= PLACED_ORGANISATIONS_MAX
            && self.organisations.is_sorted_by(|one, next| one < next)
            && self.retention_days.is_none_or(|days| (1..=RETENTION_DAYS_MAX).contains(&days))
    }

    /// Whether every peer keeps every payload, also those that have no seat.
    #[must_use]
    pub const fn is_everybody(&self) -> bool {
        self.organisations.is_empty() && self.copies.is_none()
    }

    /// Who of the peers with a seat keeps the payload with this digest, ascending.
    ///
    /// Of those it may be, the ones that rank highest, by a digest of payload and peer (rendezvous
    /// hashing): who comes or goes moves no more than its own share. If none of the organisations has
    /// a seat any more, it is as if none were named: somebody must keep it.
    #[must_use]
    pub fn holders(&self, seats: &[Validator], digest: &[u8; 32]) -> Vec<EntityId> {
        let is_named =
            |seat: &&Validator| self.organisations.binary_search(&seat.organisation).is_ok();
        let mut peers: Vec<EntityId> =
            seats.iter().filter(is_named).map(|seat| seat.peer).collect();
        if peers.is_empty() {
            peers = seats.iter().map(|seat| seat.peer).collect();
        }
        peers.sort_unstable();
        peers.dedup();
        let copies = self.copies.map(|copies| usize::try_from(copies).unwrap_or(usize::MAX));
        if let Some(copies) = copies.filter(|copies| *copies < peers.len()) {
            peers.sort_by_cached_key(|peer| hash(RANK_DOMAIN, &[digest, &peer.0]));
            peers.truncate(copies);
            peers.sort_unstable();
        }
        peers
    }

    /// Whether the payload of a batch of a block at `ledger_ms` may be dropped at `now_ms`, both ledger
    /// time in milliseconds since 1970.
    #[must_use]
    pub fn is_past_retention(&self, ledger_ms: u64, now_ms: u64) -> bool {
        let kept_ms = self.retention_days.map(|days| u64::from(days).saturating_mul(DAY_MS));
        kept_ms.is_some_and(|kept_ms| now_ms.saturating_sub(ledger_ms) > kept_ms)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn seat(number: u8, organisation: u8) -> Validator {
        let (peer, organisation) = (EntityId([number; 32]), EntityId([organisation; 32]));
        Validator { key: [number; 32], peer, organisation }
    }

    fn placed(organisations: &[u8], copies: Option<u32>) -> Placement {
        let organisations = organisations.iter().map(|one| EntityId([*one; 32])).collect();
        Placement { organisations, copies, retention_days: None }
    }

    fn digest(number: u32) -> [u8; 32] {
        hash("", &[&number.to_be_bytes()])
    }

    #[test]
    fn holders_are_all_or_some_as_the_owner_says() {
        let seats = [seat(1, 101), seat(2, 102), seat(3, 103), seat(4, 102)];
        for (placement, expected) in [
            (placed(&[], None), vec![1, 2, 3, 4]),
            (placed(&[102], None), vec![2, 4]),
            (placed(&[101, 103], None), vec![1, 3]),
            (placed(&[102], Some(9)), vec![2, 4]),
            // Nobody of them has a seat any more.
            (placed(&[110], None), vec![1, 2, 3, 4]),
            (placed(&[], Some(4)), vec![1, 2, 3, 4]),
        ] {
            let holders = placement.holders(&seats, &digest(1));
            let expected: Vec<EntityId> = expected.iter().map(|one| EntityId([*one; 32])).collect();
            assert_eq!(holders, expected, "{placement:?}");
        }
        for number in 0..100 {
            let holders = placed(&[], Some(2)).holders(&seats, &digest(number));
            assert!(holders.len() == 2 && holders[0] < holders[1]);
            let [one] = placed(&[102], Some(1)).holders(&seats, &digest(number))[..] else {
                panic!("one of two")
            };
            assert!([2, 4].contains(&one.0[0]));
        }
    }

    #[test]
    fn a_peer_that_comes_or_goes_moves_only_its_share() {
        let all: Vec<Validator> = (1..=7).map(|number| seat(number, number)).collect();
        let placement = placed(&[], Some(3));
        let (mut kept, mut share) = (0, 0);
        for number in 0..700 {
            let before = placement.holders(&all, &digest(number));
            let after = placement.holders(&all[..6], &digest(number));
            let gone = before.contains(&EntityId([7; 32]));
            let same = before.iter().filter(|peer| after.contains(peer)).count();
            assert_eq!(same, if gone { 2 } else { 3 }, "payload {number}");
            kept += usize::from(!gone);
            share += before.iter().filter(|peer| **peer == EntityId([1; 32])).count();
        }
        // Three of seven each: 300 of 700, give or take.
        assert!((240..=360).contains(&share) && (340..=460).contains(&kept), "{share} {kept}");
    }

    #[test]
    fn payloads_are_kept_for_so_many_days_of_ledger_time() {
        let placement = Placement { retention_days: Some(2), ..<_>::default() };
        for (ledger_ms, now_ms, expected) in [
            (0, 2 * DAY_MS, false),
            (0, 2 * DAY_MS + 1, true),
            (5, 2 * DAY_MS + 5, false),
            (9, 0, false),
            (0, u64::MAX, true),
        ] {
            assert_eq!(placement.is_past_retention(ledger_ms, now_ms), expected, "{now_ms}");
        }
        assert!(!Placement::default().is_past_retention(0, u64::MAX));
    }

    #[test]
    fn what_is_said_of_placement_has_bounds() {
        let many: Vec<EntityId> = (0..17).map(|number| EntityId([number; 32])).collect();
        let of = |organisations: &[EntityId]| Placement {
            organisations: organisations.to_vec(),
            ..<_>::default()
        };
        let for_days = |days| Placement { retention_days: Some(days), ..<_>::default() };
        for (placement, expected) in [
            (Placement::default(), true),
            (of(&many[..16]), true),
            (of(&many), false),
            (of(&[many[1], many[0]]), false),
            (of(&[many[1], many[1]]), false),
            (placed(&[], Some(1)), true),
            (placed(&[], Some(0)), false),
            (placed(&[], Some(u32::MAX)), false),
            (for_days(1), true),
            (for_days(0), false),
            (for_days(RETENTION_DAYS_MAX), true),
            (for_days(RETENTION_DAYS_MAX + 1), false),
        ] {
            assert_eq!(placement.is_within_bounds(), expected, "{placement:?}");
        }
    }
}
