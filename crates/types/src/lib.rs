//! Name the nouns of the ledger and encode them in one canonical way.
//!
//! Everything that is hashed, signed, sent between peers or written to disk is defined here, once:
//! ids and keys, entities, readings and batches, transactions, blocks, receipts, events and the
//! genesis. Every form is deterministic CBOR (RFC 8949 §4.2) made of arrays of known length, so
//! that a value has exactly one encoding: [`Wire::from_wire`] refuses bytes that would not encode
//! back to themselves.
//!
//! It does not decide anything (crate `ledger` does), does not know JSON (crate `client` and `api`
//! do), and reads no clock, draws no randomness and does no I/O.
//!
//! Start reading at [`Transaction`], then [`Block`].
#![no_std]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod limits;

mod wire;
pub use wire::{Wire, WireError};

mod digest;
pub use digest::{
    CodeId, ContractId, Digest, EntityId, GrantId, LedgerId, LinkId, ServiceId, StreamId, ThingId,
    TriggerId, TxId, VoucherId, blake3_digest, hash,
};

mod did;
pub use did::{Did, DidError};

pub mod crypto;
pub use crypto::{PublicKey, Signature, SigningKey, Suite};

mod entity;
pub use entity::{EntityKind, Inception, possession_bytes};

mod reading;
pub use reading::{BatchHeader, Payload, PayloadError, Reading, StreamSchema, Value, ValueKind};

mod secrecy;
pub use secrecy::{
    AgreementKey, AgreementSecret, Cipher, KeyShare, SealedPayload, StreamEvent, StreamKey,
    shares_within_bounds,
};

mod disk_cipher;
pub use disk_cipher::DiskCipher;

mod placement;
pub use placement::{Placement, StreamPlacement};

mod regulation;
pub use regulation::{Demands, Regulation};

mod pack;
pub use pack::{Arrived, Pack, PackBody, SignedPayload};

pub mod decimal;

mod onboarding;
pub use onboarding::{Claim, Join, Limit, Offer, OfferTo, Place, Status, Voucher, claim_bytes};

mod command;
pub use command::{Command, CommandReport, CommandState, Operation};

mod direct;
pub use direct::{DirectRequest, DirectUse, SignedRequest};

mod tags;
pub use tags::ThingTags;

mod access;
pub use access::{
    Access, AccessMode, AccessPolicy, AccessRequest, AccessUse, Reads, Resource, Right,
};

mod peer_address;
pub use peer_address::{PeerAddress, PeerAddresses, SignedAddress};

mod reader;
pub use reader::{Reader, ReaderToken};

mod action;
pub use action::{Action, ApprovalPolicy, Record};

mod action_kind;
pub use action_kind::ActionKind;

mod contract;
pub use contract::{Attribute, CodeMeta, Terms};

mod trigger;
pub use trigger::{Cause, Effect, Relation, Trigger, TriggerEvent};

mod service;
pub use service::{
    Listing, Manifest, Need, Offered, Price, PriceRule, ServiceEvent, ServiceStatus, Version,
};

mod token;
pub use token::{
    Allocation, Amount, Escrow, Fees, Reward, Sponsorship, Token, TokenEvent, Transfer,
};

mod link;
pub use link::{
    Call, CallAnswer, CallPayment, CallSettlement, LinkAdvance, LinkEvent, LinkFork, LinkStatus,
};

mod offence;
pub use offence::{CastVote, DoubleVote, Phase, vote_bytes};

mod stake;
pub use stake::{Stake, StakeRules, StakedSeat};

mod transaction;
pub use transaction::{Body, Signed, Transaction, cosigned_bytes};

pub mod merkle;

mod block;
pub use block::{Block, ExecutionResult, Header, transactions_root};

mod certificate;
pub use certificate::{Certificate, Validator, ValidatorSet, quorum};

mod event;
pub use event::Event;

mod receipt;
pub use receipt::{Receipt, receipts_encoded, receipts_leaf, receipts_root, receipts_statement};

mod refusal;
pub use refusal::Refusal;

mod governance;
pub use governance::{Change, MechanismFrom, Members, Proposal, Seat, VotingRule};

mod participation;
pub use participation::{Deploy, Participation, Transact};

mod genesis;
pub use genesis::{
    Genesis, GenesisError, Mechanism, Mode, Organisation, Parameters, PeerSeat, epoch_end, epoch_of,
};
