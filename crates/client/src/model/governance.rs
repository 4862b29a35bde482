use serde::{Deserialize, Serialize};

use super::{DidText, Key, KeyHex, Regulation, TxHex};
use crate::genesis_file::ParametersForm;

/// What the members of a ledger decide on together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// An organisation becomes a member.
    AddOrganisation {
        /// Its id.
        organisation: DidText,
        /// Its name.
        name: String,
        /// Its first key.
        key: Key,
    },
    /// An organisation ends, with all that it owns.
    RemoveOrganisation {
        /// Which.
        organisation: DidText,
    },
    /// A peer gets a seat among the validators.
    AddPeer {
        /// Which.
        peer: DidText,
        /// Its voting key.
        vote_key: KeyHex,
        /// Where other peers reach it, `host:port`.
        address: String,
    },
    /// A peer loses its seat.
    RemovePeer {
        /// Which.
        peer: DidText,
    },
    /// A peer votes with another key.
    RotateVotingKey {
        /// Which.
        peer: DidText,
        /// The new key.
        vote_key: KeyHex,
    },
    /// Settings of the ledger.
    SetParameters {
        /// All of them, changed or not.
        parameters: ParametersForm,
    },
    /// How the members decide.
    SetVotingRule {
        /// The rule.
        rule: VotingRule,
    },
    /// Peers agree in another way, from a height on.
    SetMechanism(MechanismFrom),
    /// More tokens for an account.
    MintTokens {
        /// For whom.
        to: DidText,
        /// How many, in the smallest unit.
        amount: String,
    },
    /// An account can spend nothing but fees, or can again.
    FreezeAccount {
        /// Which.
        account: DidText,
        /// Whether it is frozen from then on.
        frozen: bool,
    },
    /// A regulation comes into force, or another text of it.
    SetRegulation {
        /// What it says.
        regulation: Regulation,
    },
    /// A regulation is in force no more.
    EndRegulation {
        /// Its id; not `id`, which is the proposal's.
        regulation_id: String,
    },
}

/// How peers agree from a height on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MechanismFrom {
    /// `simplex` or `raft`.
    pub mechanism: String,
    /// As proposed, the first height at which it may begin; as decided, where it begins, with an epoch.
    pub from_height: u64,
}

/// How the members decide: each organisation has one vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VotingRule {
    /// `numerator / denominator` of the members must agree.
    pub numerator: u8,
    /// See `numerator`.
    pub denominator: u8,
    /// Blocks within which the votes must come.
    pub patience_blocks: u32,
    /// Blocks between acceptance and effect.
    pub timelock_blocks: u32,
}

/// Who decides, by which rule, and what is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Governance {
    /// The member organisations, ascending by id.
    pub members: Vec<Member>,
    /// How they decide.
    pub rule: VotingRule,
    /// How many of them must agree.
    pub votes_needed: u32,
    /// The settings of the ledger as they are now.
    pub parameters: ParametersForm,
    /// What the network demands of how readings are kept, ascending by id.
    pub regulations: Vec<Regulation>,
    /// The epoch whose validators sign now.
    pub epoch: u64,
    /// Those validators, ascending by key.
    pub validators: Vec<SeatOf>,
    /// How they agree: `simplex` or `raft`.
    pub mechanism: String,
    /// The last block of that epoch; absent if it has no end and validators never change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch_end_height: Option<u64>,
    /// The validators of the next epoch, which are settled.
    pub next_validators: Vec<SeatOf>,
    /// How those agree.
    pub next_mechanism: String,
    /// The validators of the epoch after it, as far as members have decided; settled with the last
    /// block of the present one.
    pub chosen_validators: Vec<SeatOf>,
    /// How those agree.
    pub chosen_mechanism: String,
    /// How peers will agree, if members have decided so and the epoch in which it begins is not settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned_mechanism: Option<MechanismFrom>,
    /// Proposals that are open, oldest first.
    pub proposals: Vec<Proposal>,
}

/// An organisation with a vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Member {
    /// Its id.
    pub id: DidText,
    /// Its name.
    pub name: String,
}

/// A seat among the validators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SeatOf {
    /// The peer.
    pub peer: DidText,
    /// Its name.
    pub name: String,
    /// The organisation that runs it.
    pub organisation: DidText,
    /// Its voting key.
    pub vote_key: KeyHex,
    /// Where other peers reach it, if it was given its seat by vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A change that is proposed, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Proposal {
    /// Its id, that of the transaction that proposed it.
    pub id: TxHex,
    /// Who proposed it.
    pub proposer: DidText,
    /// What is to change.
    #[serde(flatten)]
    pub change: Change,
    /// Why.
    pub reason: String,
    /// How far it is.
    pub status: ProposalStatus,
    /// Why it ended without effect; only if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// Height of the block that opened it.
    pub since_height: u64,
    /// Last height at which members can vote; only while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_height: Option<u64>,
    /// First height at which it can take effect; only once it is accepted and waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_height: Option<u64>,
    /// How many members must agree; only while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes_needed: Option<u32>,
    /// Height at which it took effect or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_height: Option<u64>,
    /// Members that voted for it, while it is open.
    pub accepts: Vec<DidText>,
    /// Members that voted against it, while it is open.
    pub rejects: Vec<DidText>,
    /// Members that have not voted, while it is open: whom it waits for.
    pub awaits: Vec<DidText>,
}

/// How far a proposal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProposalStatus {
    /// Members vote on it.
    Open,
    /// Enough agreed; it waits for its time, and then for whoever carries it out.
    Accepted,
    /// It took effect.
    Enacted,
    /// It ended without effect.
    Ended,
}

/// What a change would lead to if it took effect now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Consequence {
    /// Code of the refusal that forbids it; absent if it is possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// In one sentence.
    pub summary: String,
    /// How many members must agree to it.
    pub votes_needed: u32,
    /// Blocks between their agreement and its effect.
    pub timelock_blocks: u32,
    /// How many members there would be.
    pub members: u32,
    /// How many of them would have to agree to a further change.
    pub votes_needed_after: u32,
    /// How many validators there would be.
    pub validators: u32,
    /// The first block that they vote on; only if seats change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats_from_height: Option<u64>,
    /// The last height at which the change can take effect for that; later, it holds an epoch later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_time_height: Option<u64>,
    /// How many of them would have to sign a block.
    pub quorum: u32,
    /// How many of them may fail without harm.
    pub faults_tolerated: u32,
    /// How many of those may lie, too.
    pub lies_tolerated: u32,
    /// How they would agree: `simplex` or `raft`.
    pub mechanism: String,
    /// The first block that is agreed on like that; only if that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mechanism_from_height: Option<u64>,
    /// The organisation with the most seats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest: Option<DidText>,
    /// How many seats that are.
    pub largest_seats: u32,
}
