//! Notices who comes and who goes among the peers, and says so in the log.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use althing_ordering::PeerKey;
use commonware_runtime::Clock;

use crate::core::Core;

/// How often this peer looks whom it is connected to.
const LOOK: Duration = Duration::from_secs(1);
/// How long a peer must be away to be called lost: a connection that breaks is made again at once.
const LOST_AFTER: Duration = Duration::from_secs(3);

/// What changed about a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
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
    fn call(&mut self, connected: &[PeerKey], now: SystemTime) -> Vec<(PeerKey, Change)> {
        let mut changes = Vec::new();
        let since = |then: SystemTime| now.duration_since(then).unwrap_or(Duration::ZERO);
        for key in connected {
            match self.0.get_mut(key) {
                None => {
                    self.0.insert(*key, Seen { is_here: true, since: now, last: now });
                    changes.push((*key, Change::Came));
                }
                Some(seen) => {
                    if !seen.is_here {
                        changes.push((*key, Change::Back(since(seen.last))));
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
                changes.push((*key, Change::Lost(here)));
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
        for (key, change) in roll.call(&ordering.connected(), context.current()) {
            let seats = &core.config.genesis.peers;
            let seat = seats.iter().find(|seat| seat.key == key);
            let name = seat.map_or("", |seat| seat.inception.name.as_str());
            let key = hex::encode(key);
            match change {
                Change::Came => tracing::info!(%key, name, "a peer is connected"),
                Change::Lost(here) => {
                    tracing::warn!(%key, name, here_s = here.as_secs(), "a peer is lost");
                }
                Change::Back(away) => {
                    tracing::info!(%key, name, away_s = away.as_secs(), "a peer is back");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn who_comes_goes_and_comes_back_is_noticed_once() {
        let (one, two) = ([1; 32], [2; 32]);
        let seconds = Duration::from_secs;
        let mut roll = Roll::default();
        for (at, connected, expected) in [
            (0, &[][..], vec![]),
            (1, &[one], vec![(one, Change::Came)]),
            (2, &[one, two], vec![(two, Change::Came)]),
            // A connection that breaks for a moment is no news.
            (4, &[one], vec![]),
            (6, &[one, two], vec![]),
            (8, &[one], vec![]),
            (9, &[one], vec![(two, Change::Lost(seconds(4)))]),
            (20, &[one], vec![]),
            (26, &[one, two], vec![(two, Change::Back(seconds(20)))]),
            (27, &[one, two], vec![]),
            (40, &[], vec![(one, Change::Lost(seconds(26))), (two, Change::Lost(seconds(1)))]),
        ] {
            let found = roll.call(connected, UNIX_EPOCH + seconds(at));
            assert_eq!(found, expected, "at {at} s");
        }
    }
}
