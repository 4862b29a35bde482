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

use althing_types::quorum;

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
        if have < quorum(validators.len()) {
            quorum_since = None;
        } else if now.duration_since(*quorum_since.get_or_insert(now)).unwrap_or_default() >= GRACE
        {
            return;
        }
        clock.sleep(POLL).await;
    }
}
