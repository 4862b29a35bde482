//! Tokens: accounts and what moves between them. A ledger has them if its genesis founds a token;
//! otherwise every action here is refused, and nothing here is read.
//!
//! Every token is in one of five places: in an account, in an escrow, in the fund of a reward, staked
//! behind a peer, or among the fees that wait to be shared. [`Supply`] counts each place, each movement changes the counts
//! with the places, and [`audit`] counts again what is there. Tokens are made by the vote of members only
//! and destroyed by whoever holds them.

mod account;
mod audit;
mod escrow;
mod fee;
mod reward;

pub use account::account;
pub(crate) use account::{
    Line, burn, burn_stake, freeze, lock, mint, move_to, sweep, transfer, unlock,
};
pub use audit::{Audit, audit};
pub(crate) use escrow::{lock_for_call, open, refund, release, settle_call};
pub(crate) use fee::{charge, end_sponsorship, share, sponsor};
pub(crate) use reward::{earn, end_reward, fund_reward, offer_reward};

use althing_state::{Read, StoreError};
use althing_types::{
    Amount, EntityId, Escrow, Fees, Genesis, Refusal, Reward, Sponsorship, StreamId, Token, TxId,
    Wire,
};
use minicbor::{Decode, Encode};

use crate::{
    key,
    transition::{Stop, Transition, decode_at, expect},
};

/// A day of ledger time, milliseconds: bounds of a day are counted anew with each.
const DAY_MS: u64 = 24 * 3600 * 1000;

/// What the ledger calls its token; what accounts began with is in the genesis.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct TokenRecord {
    /// Its name among people.
    #[n(0)]
    pub name: String,
    /// Its sign.
    #[n(1)]
    pub symbol: String,
    /// How many decimal places of one token its smallest unit is.
    #[n(2)]
    pub decimals: u8,
}

impl Wire for TokenRecord {
    const BYTES_MAX: usize = 128;
}

/// Where all tokens are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Supply {
    /// All there are.
    #[n(0)]
    pub total: Amount,
    /// Those in accounts.
    #[n(1)]
    pub accounts: Amount,
    /// Those in escrows.
    #[n(2)]
    pub escrows: Amount,
    /// Those in the funds of rewards.
    #[n(3)]
    pub rewards: Amount,
    /// Those among the fees of the epoch, which its last block shares.
    #[n(4)]
    pub fees: Amount,
    /// Those staked behind peers, with what was withdrawn and not collected. Left out where seats do
    /// not follow from stakes.
    #[n(5)]
    pub staked: Option<Amount>,
}

impl Supply {
    /// The sum of all places, if there can be as much.
    #[must_use]
    pub fn sum(&self) -> Option<Amount> {
        let staked = self.staked.unwrap_or_default();
        self.accounts.plus(self.escrows)?.plus(self.rewards)?.plus(self.fees)?.plus(staked)
    }

    fn place(&mut self, place: Place) -> &mut Amount {
        match place {
            Place::Accounts => &mut self.accounts,
            Place::Escrows => &mut self.escrows,
            Place::Rewards => &mut self.rewards,
            Place::Fees => &mut self.fees,
            Place::Stakes => self.staked.get_or_insert_default(),
        }
    }
}

impl Wire for Supply {
    const BYTES_MAX: usize = 128;
}

/// Where tokens can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Accounts,
    Escrows,
    Rewards,
    Fees,
    Stakes,
}

/// What an entity or a contract has. There is a record as long as it says anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Account {
    /// How much it can spend.
    #[n(0)]
    pub balance: Amount,
    /// Whether members froze it: it then pays fees and nothing else.
    #[n(1)]
    pub frozen: bool,
}

impl Wire for Account {
    const BYTES_MAX: usize = 32;
}

/// Tokens that are locked.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct EscrowRecord {
    /// Whose they were.
    #[n(0)]
    pub payer: EntityId,
    /// For whom, how many, until when.
    #[n(1)]
    pub terms: Escrow,
    /// Height at which they were locked.
    #[n(2)]
    pub since_height: u64,
}

impl Wire for EscrowRecord {
    const BYTES_MAX: usize = 512;
}

/// What was spent of something that has a bound for each day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Spent {
    /// Altogether.
    #[n(0)]
    pub total: Amount,
    /// In the day below.
    #[n(1)]
    pub today: Amount,
    /// Which day of ledger time, counted from 1970.
    #[n(2)]
    pub day: u64,
}

impl Spent {
    /// What may still be spent at a time, given the bound of a day.
    fn left_of_day(&self, per_day: Amount, time_ms: u64) -> Amount {
        let today = if self.day == time_ms / DAY_MS { self.today } else { Amount::ZERO };
        per_day.minus(today).unwrap_or_default()
    }

    /// With so much more.
    fn and(&self, amount: Amount, time_ms: u64) -> Result<Self, Refusal> {
        let day = time_ms / DAY_MS;
        let today = if self.day == day { self.today } else { Amount::ZERO };
        Ok(Self { total: sum(self.total, amount)?, today: sum(today, amount)?, day })
    }
}

/// A promise to pay the fees of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SponsorshipRecord {
    /// Who pays. The promise counts as long as it owns the entity.
    #[n(0)]
    pub sponsor: EntityId,
    /// Within which bounds.
    #[n(1)]
    pub terms: Sponsorship,
    /// What it has paid.
    #[n(2)]
    pub spent: Spent,
    /// Height at which it was made.
    #[n(3)]
    pub since_height: u64,
}

impl Wire for SponsorshipRecord {
    const BYTES_MAX: usize = 256;
}

/// A reward for readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct RewardRecord {
    /// Who offered it.
    #[n(0)]
    pub payer: EntityId,
    /// For what, how much, until when.
    #[n(1)]
    pub terms: Reward,
    /// What it can still pay out.
    #[n(2)]
    pub left: Amount,
    /// What it has paid.
    #[n(3)]
    pub spent: Spent,
    /// Height at which it was offered.
    #[n(4)]
    pub since_height: u64,
}

impl Wire for RewardRecord {
    const BYTES_MAX: usize = 384;
}

/// The rewards that are offered for readings of a stream, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Rewards(#[n(0)] pub Vec<TxId>);

/// Why tokens moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Reason {
    /// The ledger began with them.
    #[n(0)]
    Genesis,
    /// One account paid another.
    #[n(1)]
    Transfer,
    /// The fee of a transaction.
    #[n(2)]
    Fee,
    /// The fees of an epoch, shared among those who validated in it.
    #[n(3)]
    FeeShare,
    /// Members made them.
    #[n(4)]
    Mint,
    /// They were destroyed.
    #[n(5)]
    Burn,
    /// They were locked, or went from or back out of an escrow.
    #[n(6)]
    Escrow,
    /// They went into the fund of a reward, were paid by it, or left when it ended.
    #[n(7)]
    Reward,
    /// The owner of an account that nobody can sign for took them.
    #[n(8)]
    Sweep,
    /// They were staked behind a peer, or came back from there.
    #[n(9)]
    Stake,
}

impl Reason {
    /// Name in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Transfer => "transfer",
            Self::Fee => "fee",
            Self::FeeShare => "fee_share",
            Self::Mint => "mint",
            Self::Burn => "burn",
            Self::Escrow => "escrow",
            Self::Reward => "reward",
            Self::Sweep => "sweep",
            Self::Stake => "stake",
        }
    }
}

/// A line of an account's history, as the index has it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Movement {
    /// Why.
    #[n(0)]
    pub reason: Reason,
    /// Whether they came to the account rather than left it.
    #[n(1)]
    pub incoming: bool,
    /// How many.
    #[n(2)]
    pub amount: Amount,
    /// What the account had afterwards.
    #[n(3)]
    pub balance: Amount,
    /// The account at the other end, if there was one.
    #[n(4)]
    pub other: Option<EntityId>,
    /// The transaction; none if there was none.
    #[n(5)]
    pub transaction: Option<TxId>,
    /// What for, as whoever paid says.
    #[n(6)]
    pub memo: String,
}

impl Wire for Movement {
    const BYTES_MAX: usize = 512;
}

/// What a genesis founds of a token, as writes to the state.
pub(crate) fn found(genesis: &Genesis, mut put: impl FnMut(Vec<u8>, Vec<u8>)) {
    let Some(token) = &genesis.token else { return };
    let Token { name, symbol, decimals, initial } = token;
    let record = TokenRecord { name: name.clone(), symbol: symbol.clone(), decimals: *decimals };
    put(key::token(), crate::transition::encode(&record));
    // Who founds has checked that there can be as many.
    let total = token.supply().unwrap_or_default();
    let rules = genesis.parameters.stake;
    let staked = rules.map(|rules| rules.founding.times(genesis.peers.len() as u64));
    let accounts = total.minus(staked.unwrap_or_default()).unwrap_or_default();
    let supply = Supply { total, accounts, staked, ..Supply::default() };
    put(key::token_supply(), crate::transition::encode(&supply));
    for each in initial {
        let balance = each.amount.minus(staked_by(genesis, &each.account)).unwrap_or_default();
        let account = Account { balance, frozen: false };
        if account != Account::default() {
            put(key::account(&each.account), crate::transition::encode(&account));
        }
    }
}

/// What a genesis puts behind the peers of an organisation, out of what it begins with.
pub(crate) fn staked_by(genesis: &Genesis, organisation: &EntityId) -> Amount {
    let peers = genesis.peers.iter().filter(|peer| peer.organisation == *organisation).count();
    let founding = genesis.parameters.stake.map(|rules| rules.founding);
    founding.unwrap_or_default().times(peers as u64)
}

/// What the ledger calls its token; none if it has none.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn token(view: &impl Read) -> Result<Option<TokenRecord>, StoreError> {
    read(view, &key::token())
}

/// Where all tokens are; nowhere if there are none.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn supply(view: &impl Read) -> Result<Supply, StoreError> {
    Ok(read(view, &key::token_supply())?.unwrap_or_default())
}

/// An escrow that is open.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn escrow(view: &impl Read, id: &TxId) -> Result<Option<EscrowRecord>, StoreError> {
    read(view, &key::escrow(id))
}

/// Who promised to pay the fees of an entity, whether or not the promise still counts.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn sponsorship(
    view: &impl Read,
    entity: &EntityId,
) -> Result<Option<SponsorshipRecord>, StoreError> {
    read(view, &key::sponsorship(entity))
}

/// A reward that is open.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn reward(view: &impl Read, id: &TxId) -> Result<Option<RewardRecord>, StoreError> {
    read(view, &key::reward(id))
}

/// The rewards that are open for readings of a stream, oldest first.
///
/// # Errors
/// [`StoreError`] if they cannot be read.
pub fn rewards_of(
    view: &impl Read,
    stream: &StreamId,
) -> Result<Vec<(TxId, RewardRecord)>, StoreError> {
    let rewards: Rewards = read(view, &key::rewards_of(stream))?.unwrap_or_default();
    rewards.0.into_iter().map(|id| Ok((id, expect(view, &key::reward(&id))?))).collect()
}

fn read<T: for<'b> Decode<'b, ()>>(view: &impl Read, key: &[u8]) -> Result<Option<T>, StoreError> {
    view.get(key)?.map(|bytes| decode_at(key, &bytes)).transpose()
}

/// Refuses on a ledger without tokens, which it knows without looking into the state.
pub(crate) fn must_be_on<R: Read>(state: &Transition<'_, R>) -> Result<Fees, Refusal> {
    state.now.parameters.fees.ok_or(Refusal::TokensOff)
}

fn sum(one: Amount, other: Amount) -> Result<Amount, Refusal> {
    one.plus(other).ok_or(Refusal::TooManyTokens)
}

/// Changes the counts.
fn count<R: Read>(
    state: &mut Transition<'_, R>,
    change: impl FnOnce(&mut Supply) -> Result<(), Refusal>,
) -> Result<(), Stop> {
    let key = key::token_supply();
    let mut supply: Supply = state.get(&key)?.ok_or_else(|| StoreError::corrupt(&key))?;
    change(&mut supply)?;
    state.put(key, &supply);
    Ok(())
}

/// Counts tokens that went from one place to another.
fn passed<R: Read>(
    state: &mut Transition<'_, R>,
    from: Place,
    to: Place,
    amount: Amount,
) -> Result<(), Stop> {
    count(state, |supply| {
        let left = supply.place(from).minus(amount).ok_or(Refusal::InsufficientFunds)?;
        *supply.place(from) = left;
        let more = sum(*supply.place(to), amount)?;
        *supply.place(to) = more;
        Ok(())
    })
}

#[cfg(test)]
mod tests;
