//! Notices who comes and who goes among the peers, and says so: in the log, and to whoever follows.
//!
//! It is what this peer sees, and no part of the ledger: others may see something else, or see it later.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use althing_ordering::PeerKey;
use commonware_runtime::Clock;
use commonware_utils::sync::Mutex;
use tokio::sync::broadcast;

use crate::core::Core;

/// Changes that are kept for who asks later.
pub const PRESENCE_KEPT_MAX: usize = 64;
/// Changes that a slow follower may lag behind before it misses some.
const FOLLOWED_MAX: usize = 64;

/// How often this peer looks whom it is connected to.
const LOOK: Duration = Duration::from_secs(1);
/// How long a peer must be away to be called lost: a connection that breaks is made again at once.
const LOST_AFTER: Duration = Duration::from_secs(3);

/// That a peer came or went, as this one noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresenceChange {
    /// Which: its voting key.
    pub key: PeerKey,
    /// What changed.
    pub presence: Presence,
    /// When this peer noticed, milliseconds since 1970.
    pub time_ms: u64,
}

/// The newest changes, and who follows them.
#[derive(Debug)]
pub(crate) struct Board {
    kept: Mutex<VecDeque<PresenceChange>>,
    followers: broadcast::Sender<PresenceChange>,
}

impl Default for Board {
    fn default() -> Self {
        Self { kept: Mutex::default(), followers: broadcast::channel(FOLLOWED_MAX).0 }
    }
}

impl Board {
    fn tell(&self, change: PresenceChange) {
        let mut kept = self.kept.lock();
        if kept.len() >= PRESENCE_KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(change);
        // Nobody need follow. Told under the lock, so that none falls between what is kept and what follows.
        let _ = self.followers.send(change);
    }

    /// The newest changes, oldest first, and those to come.
    pub(crate) fn follow(&self) -> (Vec<PresenceChange>, broadcast::Receiver<PresenceChange>) {
        let kept = self.kept.lock();
        (kept.iter().copied().collect(), self.followers.subscribe())
    }
}

/// What changed about a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is here for the first time since the start.
    Came,
    /// It has been away for so long that it is called lost; it had been here for the time given.
    Lost(Duration),
    /// It is here again, after so long.
    Back(Duration),
}

/// Since when a peer has been here, or called lost, and when it was here last.
#[derive(Debug, Clone, Copy)]
struct Seen {
    is_here: bool,
    since: SystemTime,
    last: SystemTime,
}

/// All peers that were here since the start.
#[derive(Debug, Default)]
struct Roll(BTreeMap<PeerKey, Seen>);

impl Roll {
    /// What changed, now that these are connected.
    fn call(&mut self, connected: &[PeerKey], now: SystemTime) -> Vec<(PeerKey, Presence)> {
        let mut changes = Vec::new();
        let since = |then: SystemTime| now.duration_since(then).unwrap_or(Duration::ZERO);
        for key in connected {
            match self.0.get_mut(key) {
                None => {
                    self.0.insert(*key, Seen { is_here: true, since: now, last: now });
                    changes.push((*key, Presence::Came));
                }
                Some(seen) => {
                    if !seen.is_here {
                        changes.push((*key, Presence::Back(since(seen.last))));
                        (seen.is_here, seen.since) = (true, now);
                    }
                    seen.last = now;
                }
            }
        }
        for (key, seen) in &mut self.0 {
            if seen.is_here && since(seen.last) >= LOST_AFTER {
                let here = seen.last.duration_since(seen.since).unwrap_or(Duration::ZERO);
                (seen.is_here, seen.since) = (false, now);
                changes.push((*key, Presence::Lost(here)));
            }
        }
        changes
    }
}

/// Looks again and again, as long as the peer runs.
pub(crate) async fn watch<E: Clock>(context: E, core: Arc<Core>) {
    let mut roll = Roll::default();
    loop {
        context.sleep(LOOK).await;
        let Some(ordering) = core.ordering() else { continue };
        let now = context.current();
        for (key, change) in roll.call(&ordering.connected(), now) {
            let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
            let time_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
            core.presence.tell(PresenceChange { key, presence: change, time_ms });
            let seats = &core.config.genesis.peers;
            let seat = seats.iter().find(|seat| seat.key == key);
            let name = seat.map_or("", |seat| seat.inception.name.as_str());
            let key = hex::encode(key);
            match change {
                Presence::Came => tracing::info!(%key, name, "a peer is connected"),
                Presence::Lost(here) => {
                    tracing::warn!(%key, name, here_s = here.as_secs(), "a peer is lost");
                }
                Presence::Back(away) => {
                    tracing::info!(%key, name, away_s = away.as_secs(), "a peer is back");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_before_is_kept_bounded_and_followers_miss_nothing_after_it() {
        let board = Board::default();
        let change = |number: u64| PresenceChange {
            key: [1; 32],
            presence: Presence::Came,
            time_ms: number,
        };
        for number in 0..100 {
            board.tell(change(number));
        }
        let (kept, mut live) = board.follow();
        let times: Vec<u64> = kept.iter().map(|change| change.time_ms).collect();
        assert_eq!(times, (36..100).collect::<Vec<_>>());
        board.tell(change(100));
        assert_eq!(live.try_recv().map(|change| change.time_ms), Ok(100));
        assert!(live.try_recv().is_err());
    }

    #[test]
    fn who_comes_goes_and_comes_back_is_noticed_once() {
        let (one, two) = ([1; 32], [2; 32]);
        let seconds = Duration::from_secs;
        let mut roll = Roll::default();
        for (at, connected, expected) in [
            (0, &[][..], vec![]),
            (1, &[one], vec![(one, Presence::Came)]),
            (2, &[one, two], vec![(two, Presence::Came)]),
            // A connection that breaks for a moment is no news.
            (4, &[one], vec![]),
            (6, &[one, two], vec![]),
            (8, &[one], vec![]),
            (9, &[one], vec![(two, Presence::Lost(seconds(4)))]),
            (20, &[one], vec![]),
            (26, &[one, two], vec![(two, Presence::Back(seconds(20)))]),
            (27, &[one, two], vec![]),
            (40, &[], vec![(one, Presence::Lost(seconds(26))), (two, Presence::Lost(seconds(1)))]),
        ] {
            let found = roll.call(connected, UNIX_EPOCH + seconds(at));
            assert_eq!(found, expected, "at {at} s");
        }
    }
}
