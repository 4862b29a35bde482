use std::time::Duration;

use althing_types::Genesis;
#[cfg(feature = "planted")]
use althing_types::{ValidatorSet, Wire as _};

use crate::mempool;

/// What a peer needs to know beside what ordering does.
#[derive(Debug, Clone)]
pub struct Config {
    /// The genesis of the ledger.
    pub genesis: Genesis,
    /// This peer's voting key (Ed25519), by which others know it.
    pub key: [u8; 32],
    /// Whether it proposes and votes.
    pub votes: bool,
    /// Bounds of the mempool.
    pub mempool: mempool::Limits,
    /// Submissions that may wait to be checked, calls.
    pub intake_calls_max: usize,
    /// How long a result waits to be stated in an otherwise empty block: transactions that come in
    /// the meantime ride along.
    pub result_delay: Duration,
    /// How often transactions of this peer's own clients that are still not final are spread again.
    pub respread_interval: Duration,
    /// A bug to be found.
    #[cfg(feature = "planted")]
    pub planted: Option<Planted>,
    /// Whom members want as validators from which height on, without a vote.
    #[cfg(feature = "planted")]
    pub wanted: Vec<(u64, ValidatorSet)>,
}

/// Bugs of the kind that such software has had, for the simulator to show that it finds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// Votes before the payloads are on disk.
    ForgetPayloads,
    /// Carries a block out again when it is delivered again.
    ExecuteAgain,
    /// Computes another result than the others now and then, and compares none.
    SkewResult,
    /// Votes for whatever result a block states.
    TrustResult,
    /// Puts payloads on disk when a block is final, although it promises them when it votes.
    VoteEarly,
    /// Catches up with blocks and not with their payloads.
    SkipFetch,
    /// Judges no block by a state that is older than its last start.
    ForgetStates,
}

impl Config {
    /// Settings of an ordinary peer.
    #[must_use]
    pub const fn standard(genesis: Genesis, key: [u8; 32], votes: bool) -> Self {
        Self {
            genesis,
            key,
            votes,
            mempool: mempool::Limits {
                transactions_max: 50_000,
                per_sender_max: 25_000,
                per_sender_bytes_max: 16 * 1024 * 1024,
                bytes_max: 64 * 1024 * 1024,
            },
            intake_calls_max: 256,
            result_delay: Duration::from_millis(40),
            respread_interval: Duration::from_secs(2),
            #[cfg(feature = "planted")]
            planted: None,
            #[cfg(feature = "planted")]
            wanted: Vec::new(),
        }
    }

    /// What the simulator writes into the state at a height; the same at all peers.
    pub(crate) fn meddled(&self, height: u64) -> Option<(Vec<u8>, Vec<u8>)> {
        #[cfg(feature = "planted")]
        if let Some((_, set)) = self.wanted.iter().find(|(at, _)| *at == height) {
            return Some((b"c/validators/next".to_vec(), set.to_wire()));
        }
        let skews = self.has(Planted::SkewResult) && self.key[0].is_multiple_of(2);
        let skewed = skews && height.is_multiple_of(5);
        skewed.then(|| (b"c/skew".to_vec(), height.to_be_bytes().to_vec()))
    }

    /// Whether a planted bug is active: never, in a peer that was not built for the simulator.
    pub(crate) fn has(&self, bug: Planted) -> bool {
        #[cfg(feature = "planted")]
        return self.planted == Some(bug);
        #[cfg(not(feature = "planted"))]
        {
            let _ = bug;
            false
        }
    }
}
