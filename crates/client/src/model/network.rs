use serde::{Deserialize, Serialize};

use super::{DidText, DigestHex, KeyHex, LedgerHex, Time};
use crate::genesis_file::GenesisFile;

/// The network this peer belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Network {
    /// Its name, part of every DID.
    pub network: String,
    /// The ledger's id, the digest of the genesis.
    pub ledger: LedgerHex,
    /// The genesis, as in `genesis.json`.
    pub genesis: GenesisFile,
}

/// What this peer is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Name of the network.
    pub network: String,
    /// The ledger's id.
    pub ledger: LedgerHex,
    /// This peer, if it is one of those that the genesis names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<DidText>,
    /// Its voting key.
    pub key: KeyHex,
    /// Its part in the agreement.
    pub role: PeerRole,
    /// Whether its operator lets it take other validators' word that signatures were checked, as can be where
    /// peers agree by Raft.
    #[serde(default)]
    pub trusts_validators: bool,
    /// `starting`, `connecting`, `voting`, `following`, `stopped` or `halted`.
    pub phase: String,
    /// The highest block executed here: what queries answer from.
    pub height: u64,
    /// Time of that block.
    pub time: Time,
    /// Root of the state after that block, as this peer computed it. Peers that executed the same
    /// block and name different roots do not hold the same ledger.
    pub state_root: DigestHex,
    /// The highest block known to be final.
    pub final_height: u64,
    /// The current epoch.
    pub epoch: u64,
    /// How its validators agree: `simplex` or `raft`; empty while the peer is starting.
    #[serde(default)]
    pub mechanism: String,
    /// The current view.
    pub view: u64,
    /// Voting key of the leader of the current view.
    pub leader: KeyHex,
    /// How many validators must vote alike.
    pub quorum: u32,
    /// Peers connected, this one not counted.
    pub connected: u32,
    /// Transactions that came in the last second.
    pub arriving_per_s: u32,
    /// How long this peer, when it leads, gathers transactions before it proposes a block, milliseconds:
    /// not at all while few come.
    pub gather_ms: u32,
    /// Transactions that wait to be included.
    pub waiting: u32,
    /// Length of the waiting transactions and their payloads, bytes.
    pub waiting_bytes: u64,
    /// Batches on the ledger whose payloads this peer is to hold and does not hold yet.
    pub payloads_missing: u64,
    /// Payloads that this peer keeps until those who are to keep them say that they do.
    #[serde(default)]
    pub payloads_surplus: u64,
    /// Bytes of disk that payloads take.
    #[serde(default)]
    pub payload_bytes: u64,
    /// Bytes of disk that they may take, if the operator set a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_bytes_max: Option<u64>,
}

/// A peer's part in the agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PeerRole {
    /// It votes.
    Validator,
    /// It follows, verifies and serves.
    Follower,
}

/// Whether this peer can serve, and if not fully, why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Health {
    /// The state.
    pub state: HealthState,
    /// Why it is not ready, or what it waits for; empty if all is well.
    pub reasons: Vec<HealthReason>,
    /// The highest block executed here.
    pub height: u64,
}

/// The state of a peer's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Takes part and takes transactions.
    Ready,
    /// Works, but something is missing that should be there.
    Degraded,
    /// Answers queries at most: transactions are refused or wait.
    Unavailable,
}

/// One reason of a peer's health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct HealthReason {
    /// A stable code, such as `waiting_for_votes`.
    pub code: String,
    /// What it waits for, since when, and what to do.
    pub detail: String,
}

/// The peers of the network as this one sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Peers {
    /// The peers, ascending by voting key.
    pub items: Vec<Peer>,
}

/// A peer of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Peer {
    /// Its voting key.
    pub key: KeyHex,
    /// The peer.
    pub id: DidText,
    /// Its name.
    pub name: String,
    /// The organisation that runs it.
    pub organisation: DidText,
    /// The organisation's name.
    pub organisation_name: String,
    /// Its part in the agreement.
    pub role: PeerRole,
    /// Whether it is the one that answers.
    pub this: bool,
    /// Where its interface and its pages are, as the operator of the one that answers set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// Whether it is connected to the one that answers.
    pub connected: bool,
    /// When its latest vote was seen here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Time>,
    /// What it did against the rules since the one that answers was started, as that one saw it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offences: Vec<PeerOffence>,
}

/// That a peer came or went, as the one that tells noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PeerChange {
    /// The peer's voting key.
    pub key: KeyHex,
    /// Its name, if it has a seat.
    pub name: String,
    /// What changed.
    pub change: PeerPresence,
    /// For how long it was away before, if it is back; for how long it had been here, if it is lost; seconds.
    pub for_s: u64,
    /// When it was noticed.
    pub time: Time,
}

/// What changed about a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PeerPresence {
    /// It is connected for the first time since the one that tells was started.
    Came,
    /// It has not been connected for some seconds.
    Lost,
    /// It is connected again.
    Back,
}

/// What a validator did against the rules, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PeerOffence {
    /// A stable code: `voted_twice`, `finalized_twice`, `skipped_and_finalized`, `wrong_result` or
    /// `wrong_block`.
    pub code: String,
    /// The last of them, in words.
    pub detail: String,
    /// How often.
    pub count: u64,
    /// When it was seen first.
    pub first: Time,
    /// When it was seen last.
    pub last: Time,
}
