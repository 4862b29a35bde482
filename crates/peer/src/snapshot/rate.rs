//! How much of handing over one peer gets, so that it leaves some to others.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use althing_ordering::PeerKey;

/// Time in which what a peer gets is counted.
const WINDOW: Duration = Duration::from_secs(1);
/// Most parts that one peer gets in a window, of [`PART_BYTES_MAX`](crate::wire::PART_BYTES_MAX) bytes at
/// most: 100 MiB a second, about what a link of 1 Gbit/s carries.
pub(super) const PARTS_MAX: u32 = 200;
/// Most peers that are counted; beyond it, those whose window is over are forgotten. Only peers that this
/// one let connect ask at all.
const COUNTED_MAX: usize = 1024;

/// What peers got in their present window.
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<PeerKey, (SystemTime, u32)>);

impl Rates {
    /// Whether a peer may have one more part now; it is counted then. Who may not is not answered, and asks
    /// another peer after a while, as always.
    pub(super) fn allow(&mut self, peer: PeerKey, now: SystemTime) -> bool {
        let is_over =
            |began: SystemTime| now.duration_since(began).map_or(true, |since| since >= WINDOW);
        if self.0.len() >= COUNTED_MAX && !self.0.contains_key(&peer) {
            self.0.retain(|_, (began, _)| !is_over(*began));
            if self.0.len() >= COUNTED_MAX {
                return false;
            }
        }
        let (began, parts) = self.0.entry(peer).or_insert((now, 0));
        if is_over(*began) {
            (*began, *parts) = (now, 0);
        }
        let allowed = *parts < PARTS_MAX;
        *parts += u32::from(allowed);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn a_peer_that_asks_without_end_leaves_the_others_theirs() {
        let mut rates = Rates::default();
        let (greedy, modest) = ([1; 32], [2; 32]);
        let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        let mut got = 0;
        for request in 0..10 * PARTS_MAX {
            got += u32::from(rates.allow(greedy, at(u64::from(request) / 10)));
            let allowed = rates.allow(modest, at(u64::from(request) / 10));
            assert_eq!(allowed, request < PARTS_MAX, "each is counted alone");
        }
        assert_eq!(got, PARTS_MAX);
        assert!(rates.allow(greedy, at(1_000)), "the next window begins");
        // A clock that was set back ends the window too, rather than none.
        assert!(rates.allow(greedy, at(0)));
    }

    #[test]
    fn what_is_counted_is_bounded() {
        let mut rates = Rates::default();
        let key = |number: u16| {
            let mut key = [0; 32];
            key[..2].copy_from_slice(&number.to_be_bytes());
            key
        };
        for number in 0..2_000 {
            let known = usize::from(number) < COUNTED_MAX;
            assert_eq!(rates.allow(key(number), UNIX_EPOCH), known, "{number}");
        }
        assert!(rates.allow(key(5_000), UNIX_EPOCH + WINDOW));
        assert_eq!(rates.0.len(), 1);
    }
}
