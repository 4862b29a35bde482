use std::time::Duration;

use althing_types::Genesis;

use crate::{mempool, snapshot};

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
    /// How long a leader gathers before it proposes while more than 64 transactions come in a second, at
    /// most: each is final so much later, and all peers work less. Each peer's own choice.
    pub gather: Duration,
    /// How it catches up when it is far behind, and helps others to.
    pub sync: snapshot::Settings,
    /// Bytes of disk that payloads may take; no bound if none.
    pub payload_bytes_max: Option<u64>,
    /// How often transactions of this peer's own clients that are still not final are spread again.
    pub respread_interval: Duration,
    /// Whether this peer takes the word of other validators that the signatures of a transaction were
    /// checked, as long as it is a validator itself. Only where peers agree by Raft, and none of them lies.
    pub trust_validators: bool,
    /// A bug to be found.
    #[cfg(feature = "planted")]
    pub planted: Option<Planted>,
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
    /// Hands newcomers a state with a value that is not in it.
    FalseState,
    /// Leaves the changes of validators out of what it proves.
    ForgetChanges,
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
            payload_bytes_max: None,
            result_delay: Duration::from_millis(40),
            gather: Duration::from_millis(40),
            sync: snapshot::Settings::STANDARD,
            respread_interval: Duration::from_secs(2),
            trust_validators: false,
            #[cfg(feature = "planted")]
            planted: None,
        }
    }

    /// In how many milliseconds the ledger begins, if its genesis is so far ahead of this peer's clock
    /// that no block after it is voted for yet.
    pub(crate) fn begins_in_ms(&self, now_ms: u64) -> Option<u64> {
        let drift = u64::from(self.genesis.parameters.clock_drift_max_ms);
        let in_ms = self.genesis.time_ms.saturating_sub(now_ms.saturating_add(drift));
        (in_ms > 0).then_some(in_ms)
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

#[cfg(test)]
mod tests {
    use althing_types::{Mechanism, Mode, Parameters};

    use super::*;

    #[test]
    fn a_genesis_ahead_of_the_clock_by_more_than_the_drift_has_not_begun() {
        let genesis = Genesis {
            version: 1,
            network: "test".to_owned(),
            time_ms: 100_000,
            mode: Mode::Private,
            mechanism: Mechanism::Simplex,
            parameters: Parameters { clock_drift_max_ms: 5_000, ..Parameters::standard() },
            organisations: Vec::new(),
            peers: Vec::new(),
            token: None,
        };
        let config = Config::standard(genesis, [1; 32], true);
        for (now_ms, expected) in
            [(0, Some(95_000)), (94_999, Some(1)), (95_000, None), (u64::MAX, None)]
        {
            assert_eq!(config.begins_in_ms(now_ms), expected, "{now_ms}");
        }
    }
}
