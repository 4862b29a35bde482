//! What a peer is doing, what it waits for, and what it has counted.

use std::{sync::atomic::Ordering, time::Duration};

use althing_ordering::{PeerKey, Phase, Status as Agreement};
use althing_types::{Digest, Mechanism};

use super::{Noun, Query, QueryError};
use crate::{core::Halt, pace};

/// What a peer is doing.
#[derive(Debug, Clone)]
pub struct Standing {
    /// How agreement stands; none before it has started.
    pub agreement: Option<Agreement>,
    /// Why the peer takes no part any more, if so.
    pub halt: Option<Halt>,
    /// The newest executed height.
    pub height: u64,
    /// The highest block known to be final.
    pub final_height: u64,
    /// Whether it votes.
    pub votes: bool,
    /// Whether it takes other validators' word that signatures were checked.
    pub trusts_validators: bool,
    /// Transactions that wait.
    pub waiting: usize,
    /// Bytes of them and their payloads.
    pub waiting_bytes: usize,
    /// Bytes the mempool may hold.
    pub waiting_bytes_max: usize,
    /// Batches whose payloads are not here yet.
    pub payloads_missing: usize,
    /// Payloads that are kept here until those who are to keep them say that they do.
    pub payloads_surplus: usize,
    /// Bytes of disk that payloads take.
    pub payload_bytes: u64,
    /// Bytes that they may take; no bound if none.
    pub payload_bytes_max: Option<u64>,
    /// Validators that broke the rules since the start, as this peer saw it.
    pub offenders: Vec<PeerKey>,
}

/// Why a peer is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Complaint {
    /// It takes no part any more.
    Halted(Halt),
    /// Agreement has not started.
    Starting,
    /// Agreement has stopped.
    Stopped,
    /// The ledger begins in the future, by this peer's clock: no block can be agreed on before.
    NotBegun {
        /// In how many milliseconds it begins.
        in_ms: u64,
    },
    /// It waits for a quorum of validators to be connected.
    Connecting {
        /// Peers connected, this one not counted.
        connected: usize,
        /// Validators that must vote alike.
        quorum: usize,
    },
    /// The present view has lasted too long.
    WaitingForVotes {
        /// For how long, milliseconds.
        since_ms: u64,
        /// The leader of the view.
        leader: PeerKey,
        /// Validators from whom no vote of this view was seen.
        missing: Vec<PeerKey>,
    },
    /// Execution is behind agreement.
    Behind {
        /// Blocks to be executed.
        blocks: u64,
    },
    /// Payloads of final batches are not here yet.
    PayloadsMissing {
        /// How many.
        count: usize,
    },
    /// The state was taken over from others, and what was before is not here yet.
    Backfilling {
        /// The height whose state was taken over.
        from: u64,
        /// The height up to which all blocks were fetched and executed.
        have: u64,
    },
    /// Payloads take nine tenths of the disk that they may take, or more.
    PayloadSpace {
        /// Bytes that they take.
        bytes: u64,
        /// Bytes that they may take.
        bytes_max: u64,
    },
    /// The mempool is nearly full.
    MempoolFull,
    /// A validator has not voted for long.
    Silent {
        /// Which.
        validator: PeerKey,
        /// For how long, milliseconds; none if never since start.
        since_ms: Option<u64>,
    },
    /// Validators broke the rules.
    Offences {
        /// Which.
        by: Vec<PeerKey>,
    },
}

impl Complaint {
    /// Whether the peer does not do its work, rather than not as well as it should.
    #[must_use]
    pub const fn is_grave(&self) -> bool {
        matches!(
            self,
            Self::Halted(_)
                | Self::Starting
                | Self::Stopped
                | Self::NotBegun { .. }
                | Self::Connecting { .. }
                | Self::WaitingForVotes { .. }
        )
    }
}

/// A figure counted since start, or measured now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// Name in metrics, with its unit.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// Whether it only grows.
    pub counts: bool,
    /// Its value.
    pub value: u64,
}

/// A view that lasts so many leader timeouts is worth a complaint.
const TIMEOUTS_PATIENT: u64 = 3;
/// Heartbeats without a vote after which a validator is called silent.
const HEARTBEATS_PATIENT: u64 = 30;
/// Blocks that execution may be behind before it is worth a complaint.
const BEHIND_BLOCKS: u64 = 8;

impl Query {
    /// How many transactions come in a second, and how long this peer gathers them for that reason before
    /// it proposes, when it leads.
    #[must_use]
    pub fn pace(&self, now_ms: u64) -> (u32, Duration) {
        let per_second = self.core.arrivals.lock().per_second(now_ms);
        (per_second, pace::gathering(per_second, self.core.config.gather))
    }

    /// Within how many milliseconds 99 of 100 transactions of this peer's clients were final in the last minute;
    /// none if there were none.
    #[must_use]
    pub fn commit_p99_ms(&self, now_ms: u64) -> Option<u64> {
        let mempool = self.core.mempool.lock();
        self.core.commits.lock().p99_ms(now_ms, &mempool)
    }

    /// What this peer is doing.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let core = &self.core;
        let agreement = core.ordering().map(|ordering| ordering.status());
        let height = self.height();
        let tip = agreement.as_ref().and_then(|status| status.tip);
        let (waiting, waiting_bytes, waiting_bytes_max) = {
            let mempool = core.mempool.lock();
            (mempool.len(), mempool.bytes(), mempool.limits().bytes_max)
        };
        Standing {
            agreement,
            halt: core.halt.get(),
            height,
            final_height: tip.map_or(height, |tip| tip.height.max(height)),
            votes: core.config.votes,
            trusts_validators: core.config.trust_validators
                && core.chain.mechanism() == Some(Mechanism::Raft),
            waiting,
            waiting_bytes,
            waiting_bytes_max,
            payloads_missing: core.payloads.missing(),
            payloads_surplus: core.payloads.surplus(),
            payload_bytes: core.payloads.store().bytes(),
            payload_bytes_max: core.config.payload_bytes_max,
            offenders: core.offences.lock().validators(),
        }
    }

    /// By how many milliseconds this machine's clock is ahead of those of most other validators, or behind
    /// if negative, as far as their blocks tell; none if it is right. Where peers agree by Raft the leader
    /// is believed.
    #[must_use]
    pub fn clock_off_ms(&self) -> Option<i64> {
        let agreement = self.core.ordering()?.status();
        let validators = agreement.heard_ms.iter().map(|(key, _)| *key);
        let others: Vec<PeerKey> = validators.filter(|key| *key != self.core.config.key).collect();
        let enough = match agreement.mechanism {
            Mechanism::Simplex => others.len() / 2 + 1,
            Mechanism::Raft => 1,
        };
        self.core.clocks.lock().off_ms(&others, enough)
    }

    /// Root of the state after an executed block, as this peer computed it itself. What headers
    /// state is what the quorum agreed on, and says nothing about the peer that is asked.
    ///
    /// # Errors
    /// [`Noun::Block`] if the height is not executed here.
    pub fn state_root(&self, height: u64) -> Result<Digest, QueryError> {
        let unknown = QueryError::Unknown(Noun::Block);
        if height > self.height() {
            return Err(unknown);
        }
        Ok(self.done(height).ok_or_else(|| self.absent(unknown))?.state_root)
    }

    /// Why this peer is not ready, the gravest first; nothing if all is well.
    #[must_use]
    pub fn complaints(&self, standing: &Standing, now_ms: u64) -> Vec<Complaint> {
        let parameters = &self.core.config.genesis.parameters;
        let mut complaints = Vec::new();
        complaints.extend(standing.halt.clone().map(Complaint::Halted));
        let begins_ms = self.core.config.begins_in_ms(now_ms).filter(|_| standing.height == 0);
        complaints.extend(begins_ms.map(|in_ms| Complaint::NotBegun { in_ms }));
        match &standing.agreement {
            None => complaints.push(Complaint::Starting),
            Some(agreement) => {
                let view_max = TIMEOUTS_PATIENT * u64::from(parameters.leader_timeout_ms);
                let own = &self.core.config.key;
                complaints.extend(of_agreement(agreement, standing.votes, own, now_ms, view_max));
                let silence_max = HEARTBEATS_PATIENT * u64::from(parameters.heartbeat_ms);
                complaints.extend(silent(agreement, own, now_ms, silence_max));
            }
        }
        let blocks = standing.final_height.saturating_sub(standing.height);
        if blocks > BEHIND_BLOCKS {
            complaints.push(Complaint::Behind { blocks });
        }
        if let Some(ahead) = self.core.ahead() {
            let (from, have) = (ahead.base, self.core.chain.height());
            complaints.push(Complaint::Backfilling { from, have });
        }
        if standing.waiting_bytes > standing.waiting_bytes_max / 10 * 9 {
            complaints.push(Complaint::MempoolFull);
        }
        if standing.payloads_missing > 0 {
            complaints.push(Complaint::PayloadsMissing { count: standing.payloads_missing });
        }
        let bytes = standing.payload_bytes;
        if let Some(bytes_max) = standing.payload_bytes_max
            && bytes >= bytes_max - bytes_max / 10
        {
            complaints.push(Complaint::PayloadSpace { bytes, bytes_max });
        }
        if !standing.offenders.is_empty() {
            complaints.push(Complaint::Offences { by: standing.offenders.clone() });
        }
        complaints.sort_by_key(|complaint| !complaint.is_grave());
        complaints
    }

    /// What has been counted since start, and a few measures of now.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        let standing = self.standing();
        let counters = &self.core.counters;
        let agreement = standing.agreement.as_ref();
        let count = |name, help, value: &std::sync::atomic::AtomicU64| Figure {
            name,
            help,
            counts: true,
            value: value.load(Ordering::Relaxed),
        };
        let gauge = |name, help, value| Figure { name, help, counts: false, value };
        let total = |name, help, value| Figure { name, help, counts: true, value };
        vec![
            count(
                "althing_transactions_admitted_total",
                "Transactions that passed the checks before agreement.",
                &counters.admitted,
            ),
            count(
                "althing_transactions_refused_total",
                "Transactions that did not.",
                &counters.refused,
            ),
            count(
                "althing_transactions_checked_total",
                "Transactions whose form and signatures were checked.",
                &counters.checked,
            ),
            count(
                "althing_transactions_vouched_total",
                "Transactions for whose signatures a validator's word was taken.",
                &counters.vouched,
            ),
            count(
                "althing_transactions_executed_total",
                "Transactions of executed blocks.",
                &counters.executed_transactions,
            ),
            count(
                "althing_readings_executed_total",
                "Readings of executed batches.",
                &counters.executed_readings,
            ),
            count(
                "althing_blocks_refused_total",
                "Proposed blocks this peer did not vote for.",
                &counters.blocks_refused,
            ),
            count(
                "althing_payloads_fetched_total",
                "Payloads fetched from other peers.",
                &counters.payloads_fetched,
            ),
            count(
                "althing_payloads_gathered_total",
                "Payloads that others keep, asked of them for a reader.",
                &counters.payloads_gathered,
            ),
            count(
                "althing_payloads_dropped_total",
                "Payloads dropped once those who are to keep them said that they do.",
                &counters.payloads_dropped,
            ),
            count(
                "althing_messages_refused_total",
                "Malformed messages of other peers.",
                &counters.messages_refused,
            ),
            count(
                "althing_sync_lies_total",
                "Answers of other peers about the state or blocks that were not true.",
                &counters.lies,
            ),
            total(
                "althing_views_nullified_total",
                "Views that ended without a block.",
                agreement.map_or(0, |agreement| agreement.views_nullified),
            ),
            gauge("althing_height", "The newest executed height.", standing.height),
            gauge(
                "althing_final_height",
                "The highest block known to be final.",
                standing.final_height,
            ),
            gauge(
                "althing_peers_connected",
                "Peers connected, this one not counted.",
                agreement.map_or(0, |agreement| agreement.connected.len() as u64),
            ),
            gauge(
                "althing_mempool_transactions",
                "Transactions that wait.",
                standing.waiting as u64,
            ),
            gauge(
                "althing_mempool_bytes",
                "Bytes of the transactions that wait and their payloads.",
                standing.waiting_bytes as u64,
            ),
            gauge(
                "althing_payloads_missing",
                "Final batches whose payloads are not here yet.",
                standing.payloads_missing as u64,
            ),
            gauge(
                "althing_payloads_surplus",
                "Payloads kept until those who are to keep them say that they do.",
                standing.payloads_surplus as u64,
            ),
            gauge(
                "althing_payload_bytes",
                "Bytes of disk that payloads take.",
                standing.payload_bytes,
            ),
            gauge(
                "althing_offences",
                "Validators that broke the rules since the start, as this peer saw it.",
                standing.offenders.len() as u64,
            ),
        ]
    }
}

fn of_agreement(
    agreement: &Agreement,
    votes: bool,
    own: &PeerKey,
    now_ms: u64,
    view_ms_max: u64,
) -> Option<Complaint> {
    match agreement.phase {
        Phase::Connecting => Some(Complaint::Connecting {
            connected: agreement.connected.len(),
            quorum: agreement.quorum,
        }),
        Phase::Stopped(_) => Some(Complaint::Stopped),
        // A follower sees no votes.
        Phase::Voting | Phase::Following if !votes => None,
        Phase::Voting | Phase::Following => {
            let since_ms = now_ms.saturating_sub(agreement.view_since_ms);
            (since_ms > view_ms_max).then(|| Complaint::WaitingForVotes {
                since_ms,
                leader: agreement.leader,
                missing: missing(agreement, own),
            })
        }
    }
}

/// The others whose vote of this view was not seen; a peer does not see its own.
fn missing(agreement: &Agreement, own: &PeerKey) -> Vec<PeerKey> {
    let voted = |key: &PeerKey| {
        key == own || agreement.notarized.contains(key) || agreement.nullified.contains(key)
    };
    agreement.heard_ms.iter().map(|(key, _)| *key).filter(|key| !voted(key)).collect()
}

fn silent<'a>(
    agreement: &'a Agreement,
    own: &'a PeerKey,
    now_ms: u64,
    silence_ms_max: u64,
) -> impl Iterator<Item = Complaint> + 'a {
    let voting = agreement.phase == Phase::Voting;
    let others = agreement.heard_ms.iter().filter(move |(key, _)| voting && key != own);
    others.filter_map(move |(validator, heard)| {
        let since_ms = heard.map(|heard| now_ms.saturating_sub(heard));
        let long = since_ms.is_none_or(|since_ms| since_ms > silence_ms_max);
        // One that was never heard is only silent once there was time to hear it.
        let known = heard.is_some() || agreement.tip.is_some_and(|tip| tip.height > 1);
        (long && known).then_some(Complaint::Silent { validator: *validator, since_ms })
    })
}
