//! The forms of the interface: what the peer writes as JSON and the client reads.
//!
//! They are written once, here, for both sides; crate `api` fills them from the ledger's types by
//! hand, so that neither the ledger's types nor their canonical encoding depend on JSON. Ids of
//! entities and things are DIDs, other ids and digests are hex, numbers of streams are exact
//! decimals in text, times are milliseconds and RFC 3339 side by side.
//!
//! Requests refuse unknown fields. Answers do not, so that a client understands a newer peer.

mod text;
pub use text::{
    CodeHex, ContractHex, DidText, DigestHex, EntityHex, GrantHex, Hex, HexId, HexKey, IdText,
    KeyHex, LedgerHex, LinkHex, ServiceHex, StreamHex, ThingHex, Time, TriggerHex, TxHex, When,
};

mod problem;
pub use problem::Problem;

mod page;
pub use page::Page;

mod entity;
pub use entity::{
    Account, AgreementKey, DidDocument, Entity, Key, KeyVersion, Multikey, ServiceEndpoint,
    VerificationMethod,
};

mod history;
pub use history::{Past, PastEvents, PendingApproval, Policies, Policy};

mod onboarding;
pub use onboarding::{BindingLimit, Offer, Place, ThingReport, ThingStatus, Voucher};

mod command;
pub use command::{Command, DirectUse, Operation};
mod direct;
pub use direct::{DirectAnswer, DirectAsked, DirectGateway};
mod governance;
mod regulation;
pub use governance::{
    Change, Consequence, Governance, MechanismFrom, Member, Proposal, ProposalStatus, SeatOf,
    VotingRule,
};
pub use regulation::{PoliciesAt, Regulation, StreamRegulation, StreamRegulations};

mod thing;
pub use thing::{Binding, Property, Thing, ThingTags};

mod stream;
pub use stream::{
    Aggregate, Aggregates, Bucket, Erasure, Erasures, Gap, Gaps, KeptFor, KeyShare, LatestReading,
    PurgeReceipt, Reading, Readings, SealedBatch, Secrecy, Stream, StreamKeyShares,
};

mod tagged;
pub use tagged::{TaggedReading, TaggedReadings, TaggedTotal};

mod gateway;
pub use gateway::{
    GATEWAY_PURPOSE, GATEWAY_REPORT_INTERVAL, GatewayPresence, GatewayQueue, GatewayReport,
    GatewayState, Gateways,
};

mod placement;
pub use placement::{BatchHolders, Holders, Placement, StreamPlacement, StreamSilence};

mod webhook;
pub use webhook::{NewWebhook, WEBHOOK_PURPOSE, Webhook, Webhooks};

mod action;
pub use action::Action;
mod operate;
pub use operate::{
    Acknowledge, Acknowledgement, Alarm, Alarms, Configuration, ConfigurationVersion,
    ConfigurationVersions, Difference, Differences, LogEntry, LogPart, MACHINE, NOTE_BYTES_MAX,
    OPERATE_PURPOSE, Takes,
};

mod transaction;
pub use transaction::{
    Admission, Admissions, Effect, Outcome, Receipt, RefusalText, Transaction, TransactionStatus,
};

mod access;
pub use access::{
    Access, AccessPolicy, AccessUse, Asked, Decision, Given, Grant, PolicyUsed, Resource,
};

mod service;
pub use service::{PriceRule, Service, ServiceNeed, ServiceVersion, VersionStatus};
mod token;
pub use token::{
    Escrow, Holding, Movement, Reward, Sponsorship, Stake, Supply, TokenEvent, TokenName,
};
mod link;
pub use link::{AskedCall, CallAnswer, CallPayment, Link, LinkEvent, LinkFork, TakenCall};
mod trigger;
pub use trigger::{Trigger, TriggerTrial};
mod contract;
pub use contract::{
    Attribute, Code, Contract, ContractAnswer, ContractProposal, StateChange, Trial,
};

mod block;
pub use block::{Block, BlockSummary, ExecutionResult};

mod event;
pub use event::{Event, EventRecord};
mod event_types;
pub use event_types::EVENT_TYPES;
mod cursor;
pub use cursor::Cursor;

mod network;
pub use network::{
    Health, HealthReason, HealthState, Network, Peer, PeerChange, PeerOffence, PeerPresence,
    PeerRole, Peers, Status,
};

pub mod query;

use std::time::Duration;

/// Header of answers: the height they were read at.
pub const HEIGHT_HEADER: &str = "althing-height";
/// Header of requests: the lowest height to be read at. A peer that is behind waits for it, within
/// bounds, so that what was written at that height is seen.
pub const MIN_HEIGHT_HEADER: &str = "althing-min-height";
/// How often a silent event stream says that it is alive.
pub const EVENT_KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Longest wait for a transaction that one request can ask for.
pub const WAIT_MAX: Duration = Duration::from_secs(30);
