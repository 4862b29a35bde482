use serde::{Deserialize, Serialize};

use super::{DidText, KeyHex, StreamHex, Time, TxHex};

/// The token of a ledger and where all of it is. Amounts are in its smallest unit, digits in text:
/// they do not fit a number of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Supply {
    /// How it is called; absent if the ledger has no tokens, and then all amounts are 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenName>,
    /// All there are.
    pub total: String,
    /// Those in accounts.
    pub accounts: String,
    /// Those in escrows.
    pub escrows: String,
    /// Those in the funds of rewards.
    pub rewards: String,
    /// Fees of this epoch, which its last block shares among the validators.
    pub fees: String,
    /// Those staked behind peers, with what was withdrawn and not collected; absent where seats do not
    /// follow from stakes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staked: Option<String>,
    /// What transactions cost; absent if the ledger has no tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<crate::genesis_file::FeesForm>,
}

/// How a token is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TokenName {
    /// Its name.
    pub name: String,
    /// Its sign, by which contracts name it too.
    pub symbol: String,
    /// How many decimal places of one token its smallest unit is.
    pub decimals: u8,
}

/// What an entity or a contract has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Holding {
    /// Whose.
    pub account: DidText,
    /// How much it can spend.
    pub balance: String,
    /// Whether members froze it: it then pays fees and nothing else.
    pub frozen: bool,
    /// Who pays its fees, and how far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sponsorship: Option<Sponsorship>,
}

/// A promise to pay the fees of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sponsorship {
    /// Whose fees.
    pub entity: DidText,
    /// Who pays.
    pub sponsor: DidText,
    /// Most in one day.
    pub per_day: String,
    /// Most altogether.
    pub total: String,
    /// Paid so far.
    pub spent: String,
    /// Last height at which it holds.
    pub until_height: u64,
}

/// A line of an account's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Movement {
    /// Height of the block.
    pub height: u64,
    /// Time of the block.
    pub time: Time,
    /// `genesis`, `transfer`, `fee`, `fee_share`, `mint`, `burn`, `escrow`, `reward`, `sweep` or
    /// `stake`.
    pub reason: String,
    /// Whether it came to the account rather than left it.
    pub incoming: bool,
    /// How much.
    pub amount: String,
    /// What the account had afterwards.
    pub balance: String,
    /// The account at the other end, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<DidText>,
    /// The transaction, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<TxHex>,
    /// What for, as whoever paid says.
    pub memo: String,
}

/// Tokens that are locked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Escrow {
    /// Its id, that of the transaction that opened it.
    pub id: TxHex,
    /// Whose they were.
    pub payer: DidText,
    /// For whom.
    pub payee: DidText,
    /// Who else decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arbiter: Option<DidText>,
    /// How many.
    pub amount: String,
    /// Height at which they were locked.
    pub since_height: u64,
    /// Last height at which they can be released; then anyone can send them back.
    pub until_height: u64,
    /// What for.
    pub memo: String,
}

/// A reward for readings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reward {
    /// Its id, that of the transaction that offered it.
    pub id: TxHex,
    /// Who pays.
    pub payer: DidText,
    /// For readings of which stream.
    pub stream: StreamHex,
    /// For each batch.
    pub per_batch: String,
    /// For each reading.
    pub per_reading: String,
    /// Most in one day.
    pub per_day: String,
    /// What it can still pay out.
    pub left: String,
    /// Paid so far.
    pub spent: String,
    /// Height at which it was offered.
    pub since_height: u64,
    /// Last height at which it is paid; then anyone can end it.
    pub until_height: u64,
}

/// What is staked behind a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Stake {
    /// The peer.
    pub peer: DidText,
    /// Its name.
    pub name: String,
    /// The organisation that runs it and staked for it.
    pub organisation: DidText,
    /// Its voting key.
    pub vote_key: KeyHex,
    /// Where other peers reach it; absent if its configuration alone says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What counts when seats are given.
    pub amount: String,
    /// Height since which it stands for a seat; absent if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_height: Option<u64>,
    /// What was withdrawn and not collected.
    pub leaving: String,
    /// The first epoch in which that can be collected.
    pub free_epoch: u64,
    /// Whole epochs in a row in which it had a seat and proposed nothing.
    pub silent_epochs: u32,
}

/// What happened to tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum TokenEvent {
    /// One account paid another.
    Transferred {
        /// Who paid.
        from: DidText,
        /// Whom.
        to: DidText,
        /// How much.
        amount: String,
        /// What for.
        memo: String,
    },
    /// An account destroyed tokens.
    Burnt {
        /// Whose.
        account: DidText,
        /// How many.
        amount: String,
    },
    /// Members made tokens.
    Minted {
        /// For whom.
        to: DidText,
        /// How many.
        amount: String,
    },
    /// Members froze an account, or let it spend again.
    AccountFrozen {
        /// Which.
        account: DidText,
        /// Whether it is frozen now.
        frozen: bool,
    },
    /// Tokens were locked.
    EscrowOpened {
        /// The escrow.
        escrow: TxHex,
        /// Whose they were.
        payer: DidText,
        /// For whom.
        payee: DidText,
        /// How many.
        amount: String,
        /// Last height at which they can be released.
        until_height: u64,
    },
    /// Locked tokens went to the payee.
    EscrowReleased {
        /// The escrow.
        escrow: TxHex,
        /// To whom.
        payee: DidText,
        /// How many.
        amount: String,
    },
    /// Locked tokens went back.
    EscrowRefunded {
        /// The escrow.
        escrow: TxHex,
        /// To whom.
        payer: DidText,
        /// How many.
        amount: String,
    },
    /// Fees of an entity are paid by its owner.
    Sponsored {
        /// Whose fees.
        entity: DidText,
        /// Who pays.
        sponsor: DidText,
        /// Last height at which it holds.
        until_height: u64,
    },
    /// They are no longer.
    SponsorshipEnded {
        /// Whose fees.
        entity: DidText,
        /// Who paid.
        sponsor: DidText,
    },
    /// Readings of a stream are rewarded.
    RewardOffered {
        /// The reward.
        reward: TxHex,
        /// Of which stream.
        stream: StreamHex,
        /// Who pays.
        payer: DidText,
    },
    /// A reward has more to pay out.
    RewardFunded {
        /// The reward.
        reward: TxHex,
        /// Who gave it.
        from: DidText,
        /// How much.
        amount: String,
    },
    /// A batch of readings was rewarded.
    RewardPaid {
        /// The reward.
        reward: TxHex,
        /// The owner of the thing.
        to: DidText,
        /// How much.
        amount: String,
    },
    /// A reward ended; what was left went back.
    RewardEnded {
        /// The reward.
        reward: TxHex,
        /// To whom.
        payer: DidText,
        /// How much.
        amount: String,
    },
    /// Tokens were put behind a peer.
    Staked {
        /// The peer.
        peer: DidText,
        /// Who runs it.
        organisation: DidText,
        /// How many.
        amount: String,
        /// What is behind it now.
        stake: String,
    },
    /// Tokens were taken from behind a peer; they are locked still.
    Unstaked {
        /// The peer.
        peer: DidText,
        /// Who runs it.
        organisation: DidText,
        /// How many.
        amount: String,
        /// The first epoch in which all that was withdrawn is free.
        free_epoch: u64,
    },
    /// Tokens that were behind a peer went back to the account.
    StakeCollected {
        /// The peer.
        peer: DidText,
        /// Who runs it.
        organisation: DidText,
        /// How many.
        amount: String,
    },
    /// A peer was silent for too long, or revoked, and stands for a seat no more.
    CandidateDropped {
        /// The peer.
        peer: DidText,
        /// Who runs it.
        organisation: DidText,
        /// Whole epochs in a row without a block of its own.
        silent_epochs: u32,
    },
    /// Too few peers have stake, so whoever has a seat keeps it.
    SeatsKept {
        /// How many have.
        candidates: u16,
        /// How many it takes.
        needed: u16,
    },
    /// A peer voted twice: a share of its stake is destroyed, and it stands for a seat no more.
    StakeBurnt {
        /// The peer.
        peer: DidText,
        /// Who runs it.
        organisation: DidText,
        /// How many.
        amount: String,
        /// The epoch of the votes.
        epoch: u64,
    },
}
