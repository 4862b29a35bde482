//! Do not vote before the votes can reach anybody.
//!
//! The engine sends a vote once, and a vote to a peer that is not connected is lost. A validator
//! that begins before its peers are there loses its votes of the first view, and everybody waits
//! for the timeout of that view, or of several.

use std::time::{Duration, SystemTime};

use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{CheckedSender as _, LimitedSender, Recipients};
use commonware_runtime::Clock;
use commonware_utils::sync::Mutex;

use crate::{certificate::peer_key, seam::PeerKey};

/// How long the barrier waits for the rest once a quorum is connected, since a validator that is
/// down must not hold up the others.
const GRACE: Duration = Duration::from_millis(200);
/// How often the barrier looks.
const POLL: Duration = Duration::from_millis(10);

/// Who is connected.
pub(crate) trait Presence: Send + Sync {
    /// Peers connected now, this one not counted.
    fn connected(&self) -> Vec<PeerKey>;
}

/// Asks the sender of a channel that carries no messages, which knows whom it would reach. Each
/// look costs a unit of that channel's quota per peer; when it is used up, the answer is the
/// previous one.
pub(crate) struct Looker<S> {
    state: Mutex<(S, Vec<PeerKey>)>,
}

impl<S: LimitedSender<PublicKey = PublicKey>> Looker<S> {
    pub(crate) fn new(sender: S) -> Self {
        Self { state: Mutex::new((sender, Vec::new())) }
    }
}

impl<S: LimitedSender<PublicKey = PublicKey>> Presence for Looker<S> {
    fn connected(&self) -> Vec<PeerKey> {
        let (sender, last) = &mut *self.state.lock();
        if let Ok(checked) = sender.check(Recipients::All) {
            *last = checked.recipients().iter().map(peer_key).collect();
        }
        last.clone()
    }
}

/// Waits until all validators are connected, or a quorum of them for [`GRACE`].
pub(crate) async fn wait(
    clock: &impl Clock,
    presence: &dyn Presence,
    validators: &[PeerKey],
    quorum: usize,
    me: &PeerKey,
) {
    let mut quorum_since: Option<SystemTime> = None;
    loop {
        let connected = presence.connected();
        let others =
            connected.iter().filter(|key| *key != me && validators.binary_search(key).is_ok());
        let have = others.count() + 1;
        if have >= validators.len() {
            return;
        }
        let now = clock.current();
        if have < quorum {
            quorum_since = None;
        } else if now.duration_since(*quorum_since.get_or_insert(now)).unwrap_or_default() >= GRACE
        {
            return;
        }
        clock.sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use commonware_runtime::{Runner as _, deterministic};

    use super::*;

    /// At how many milliseconds each of the other validators connects, and never disconnects.
    struct Arrivals {
        clock: deterministic::Context,
        start: SystemTime,
        at_ms: Vec<(PeerKey, u64)>,
    }

    impl Presence for Arrivals {
        fn connected(&self) -> Vec<PeerKey> {
            let elapsed = self.clock.current().duration_since(self.start).unwrap();
            let here = self.at_ms.iter().filter(|(_, at)| u128::from(*at) <= elapsed.as_millis());
            here.map(|(key, _)| *key).collect()
        }
    }

    /// How long the barrier waits, milliseconds, at a validator with key 0 among `n`.
    fn waits(n: u8, at_ms: &[(u8, u64)]) -> u128 {
        let at_ms = at_ms.iter().map(|(peer, at)| ([*peer; 32], *at)).collect();
        let validators: Vec<PeerKey> = (0..n).map(|i| [i; 32]).collect();
        deterministic::Runner::default().start(|context| async move {
            use commonware_runtime::Supervisor as _;
            let start = context.current();
            let presence = Arrivals { clock: context.child("arrivals"), start, at_ms };
            let quorum = althing_types::quorum(validators.len());
            wait(&context, &presence, &validators, quorum, &[0; 32]).await;
            context.current().duration_since(start).unwrap().as_millis()
        })
    }

    #[test]
    fn the_barrier_opens_for_all_or_for_a_quorum_after_a_grace() {
        let close = |found: u128, expected: u128| found.abs_diff(expected) <= 3 * POLL.as_millis();
        for (desc, n, at_ms, expected) in [
            ("alone", 1, &[][..], 0),
            ("all at once", 4, &[(1, 0), (2, 0), (3, 0)], 0),
            ("one late", 4, &[(1, 0), (2, 0), (3, 100)], 100),
            ("one missing", 4, &[(1, 0), (2, 50)], 250),
            ("one very late", 4, &[(1, 0), (2, 0), (3, 900)], 200),
            ("quorum late", 4, &[(1, 700), (2, 0)], 900),
            ("followers do not count", 4, &[(8, 0), (9, 0), (1, 0), (2, 300)], 500),
        ] {
            let found = waits(n, at_ms);
            assert!(close(found, expected), "{desc}: {found} ms, not {expected}");
        }
    }
}
