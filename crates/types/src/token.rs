//! Tokens: what a ledger that has them lets accounts hold, pay, lock and earn.

use alloc::{string::String, vec::Vec};
use core::fmt;

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::{
    EntityId, StreamId, TxId,
    entity::is_name,
    limits::{
        ALLOCATIONS_MAX, AMOUNT_MAX, DECIMALS_MAX, FEE_MAX, MEMO_BYTES_MAX, SYMBOL_BYTES_MAX,
        SYMBOL_BYTES_MIN,
    },
};

/// A number of tokens, in their smallest unit, at most [`AMOUNT_MAX`]. On the wire its bytes
/// big-endian without leading zeros, since 128 bits do not fit a CBOR integer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The most there can be of a token: [`AMOUNT_MAX`].
    pub const MAX: Self = Self(AMOUNT_MAX);

    /// So many of the smallest unit, if there can be as many.
    #[must_use]
    pub const fn new(units: u128) -> Option<Self> {
        if units <= AMOUNT_MAX { Some(Self(units)) } else { None }
    }

    /// How many of the smallest unit.
    #[must_use]
    pub const fn units(self) -> u128 {
        self.0
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Both together, if there can be as many.
    #[must_use]
    pub const fn plus(self, other: Self) -> Option<Self> {
        // Neither exceeds 10^36, so that their sum fits 128 bits.
        Self::new(self.0 + other.0)
    }

    /// What is left without the other, if it is not more.
    #[must_use]
    pub const fn minus(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(left) => Some(Self(left)),
            None => None,
        }
    }

    /// So many times as much; the most there can be if that is less.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        match self.0.checked_mul(count as u128) {
            Some(units) if units <= AMOUNT_MAX => Self(units),
            _ => Self::MAX,
        }
    }

    /// An equal share for each of `count`, rounded down; nothing if there is nobody.
    #[must_use]
    pub const fn share(self, count: u64) -> Self {
        match self.0.checked_div(count as u128) {
            Some(units) => Self(units),
            None => Self::ZERO,
        }
    }

    /// Reads digits, without sign or leading zeros.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text == "0" || text.starts_with(|c: char| ('1'..='9').contains(&c));
        Self::new(plain.then(|| text.parse().ok()).flatten()?)
    }
}

impl From<u64> for Amount {
    fn from(units: u64) -> Self {
        Self(u128::from(units))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<C> Encode<C> for Amount {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let bytes = self.0.to_be_bytes();
        e.bytes(&bytes[self.0.leading_zeros() as usize / 8..])?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Amount {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let mut bytes = [0; 16];
        let given = d.bytes()?;
        let to = bytes.len().checked_sub(given.len());
        let to = to.ok_or_else(|| decode::Error::message("amount too long"))?;
        bytes[to..].copy_from_slice(given);
        let amount = Self::new(u128::from_be_bytes(bytes));
        amount.ok_or_else(|| decode::Error::message("amount too large"))
    }
}

/// The token of a ledger, as its genesis founds it. A ledger whose genesis has none has no tokens for
/// ever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Token {
    /// Its name among people, 1 to 64 bytes.
    #[n(0)]
    pub name: String,
    /// Its sign, by which contracts name it too: [`SYMBOL_BYTES_MIN`] to [`SYMBOL_BYTES_MAX`] of
    /// `a-z` and `0-9`, a letter first.
    #[n(1)]
    pub symbol: String,
    /// How many decimal places of one token its smallest unit is, at most [`DECIMALS_MAX`]. For
    /// people only: the ledger counts units.
    #[n(2)]
    pub decimals: u8,
    /// What founding organisations begin with, ascending by organisation, at most
    /// [`ALLOCATIONS_MAX`].
    #[n(3)]
    pub initial: Vec<Allocation>,
}

impl Token {
    /// All that there is at the beginning, if there can be as much.
    #[must_use]
    pub fn supply(&self) -> Option<Amount> {
        self.initial.iter().try_fold(Amount::ZERO, |sum, each| sum.plus(each.amount))
    }

    /// Whether every field is within its bounds.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        let ascending = self.initial.windows(2).all(|pair| pair[0].account < pair[1].account);
        is_name(&self.name)
            && is_symbol(&self.symbol)
            && self.decimals <= DECIMALS_MAX
            && ascending
            && self.initial.len() <= ALLOCATIONS_MAX
            && self.initial.iter().all(|each| !each.amount.is_zero())
            && self.supply().is_some()
    }
}

fn is_symbol(text: &str) -> bool {
    (SYMBOL_BYTES_MIN..=SYMBOL_BYTES_MAX).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// What an account begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Allocation {
    /// Whose: a founding organisation.
    #[n(0)]
    pub account: EntityId,
    /// How much, not nothing.
    #[n(1)]
    pub amount: Amount,
}

/// What transactions cost, in the smallest unit, each at most [`FEE_MAX`]; nothing if all are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Fees {
    /// Each transaction.
    #[n(0)]
    pub per_transaction: u64,
    /// Each byte of it on the wire, signatures included.
    #[n(1)]
    pub per_byte: u64,
    /// Each million of gas, or part of it, that it sets as limits of calls, whether used or not.
    #[n(2)]
    pub per_million_gas: u64,
}

impl Fees {
    /// Whether nothing costs anything.
    #[must_use]
    pub const fn are_off(&self) -> bool {
        self.per_transaction == 0 && self.per_byte == 0 && self.per_million_gas == 0
    }

    /// Whether every price is within its bound.
    #[must_use]
    pub const fn is_within_bounds(&self) -> bool {
        self.per_transaction <= FEE_MAX
            && self.per_byte <= FEE_MAX
            && self.per_million_gas <= FEE_MAX
    }

    /// What a transaction of so many bytes costs that asks for so much gas.
    #[must_use]
    pub fn of(&self, bytes: u64, gas: u64) -> Amount {
        let price = |price: u64, count: u64| Amount::from(price).times(count);
        let parts = [
            price(self.per_transaction, 1),
            price(self.per_byte, bytes),
            price(self.per_million_gas, gas.div_ceil(1_000_000)),
        ];
        parts.iter().fold(Amount::ZERO, |sum, part| sum.plus(*part).unwrap_or(Amount::MAX))
    }
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Transfer {
    /// To whom: an entity, or a contract under its id.
    #[n(0)]
    pub to: EntityId,
    /// How much, not nothing.
    #[n(1)]
    pub amount: Amount,
    /// What for, at most [`MEMO_BYTES_MAX`] bytes; everybody can read it.
    #[n(2)]
    pub memo: String,
}

/// Tokens that are locked for a payee until a height.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Escrow {
    /// For whom: an entity, or a contract under its id.
    #[n(0)]
    pub payee: EntityId,
    /// How much, not nothing.
    #[n(1)]
    pub amount: Amount,
    /// Last height at which they can be released; from the next on they go back.
    #[n(2)]
    pub until_height: u64,
    /// Who else may release them or give them back.
    #[n(3)]
    pub arbiter: Option<EntityId>,
    /// What for, at most [`MEMO_BYTES_MAX`] bytes; everybody can read it.
    #[n(4)]
    pub memo: String,
}

/// Whoever owns an entity pays its fees, within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Sponsorship {
    /// Whose fees.
    #[n(0)]
    pub entity: EntityId,
    /// Most in one day of ledger time, not nothing.
    #[n(1)]
    pub per_day: Amount,
    /// Most altogether, not nothing.
    #[n(2)]
    pub total: Amount,
    /// Last height at which it holds.
    #[n(3)]
    pub until_height: u64,
}

/// What is paid to the owner of a thing for readings of it that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Reward {
    /// For readings of which stream.
    #[n(0)]
    pub stream: StreamId,
    /// For each batch.
    #[n(1)]
    pub per_batch: Amount,
    /// For each reading; not both nothing.
    #[n(2)]
    pub per_reading: Amount,
    /// Most in one day of ledger time, not nothing.
    #[n(3)]
    pub per_day: Amount,
    /// What it begins with, not nothing; locked until it is paid out or the reward ends.
    #[n(4)]
    pub fund: Amount,
    /// Last height at which it is paid.
    #[n(5)]
    pub until_height: u64,
}

impl Transfer {
    pub(crate) fn is_within_bounds(&self) -> bool {
        !self.amount.is_zero() && is_memo(&self.memo)
    }
}

impl Escrow {
    pub(crate) fn is_within_bounds(&self) -> bool {
        !self.amount.is_zero() && is_memo(&self.memo)
    }
}

impl Sponsorship {
    pub(crate) fn is_within_bounds(&self) -> bool {
        !self.per_day.is_zero() && !self.total.is_zero()
    }
}

impl Reward {
    pub(crate) fn is_within_bounds(&self) -> bool {
        let pays = !self.per_batch.is_zero() || !self.per_reading.is_zero();
        pays && !self.per_day.is_zero() && !self.fund.is_zero()
    }

    /// What a batch of so many readings earns, if the fund has as much.
    #[must_use]
    pub fn earned(&self, readings: u32) -> Amount {
        let readings = self.per_reading.times(u64::from(readings));
        self.per_batch.plus(readings).unwrap_or(Amount::MAX)
    }
}

fn is_memo(text: &str) -> bool {
    text.len() <= MEMO_BYTES_MAX && !text.chars().any(char::is_control)
}

/// What happened to tokens.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum TokenEvent {
    /// An account paid another.
    #[n(0)]
    Transferred {
        /// Who paid.
        #[n(0)]
        from: EntityId,
        /// Whom.
        #[n(1)]
        to: EntityId,
        /// How much.
        #[n(2)]
        amount: Amount,
        /// What for.
        #[n(3)]
        memo: String,
    },
    /// An account destroyed tokens of its own.
    #[n(1)]
    Burnt {
        /// Whose.
        #[n(0)]
        account: EntityId,
        /// How many.
        #[n(1)]
        amount: Amount,
    },
    /// Members made tokens.
    #[n(2)]
    Minted {
        /// For whom.
        #[n(0)]
        to: EntityId,
        /// How many.
        #[n(1)]
        amount: Amount,
    },
    /// Members froze an account, or let it spend again.
    #[n(3)]
    AccountFrozen {
        /// Which.
        #[n(0)]
        account: EntityId,
        /// Whether it is frozen now.
        #[n(1)]
        frozen: bool,
    },
    /// Tokens were locked.
    #[n(4)]
    EscrowOpened {
        /// The escrow.
        #[n(0)]
        escrow: TxId,
        /// Whose they were.
        #[n(1)]
        payer: EntityId,
        /// For whom.
        #[n(2)]
        payee: EntityId,
        /// How many.
        #[n(3)]
        amount: Amount,
        /// Last height at which they can be released.
        #[n(4)]
        until_height: u64,
    },
    /// Locked tokens went to the payee.
    #[n(5)]
    EscrowReleased {
        /// The escrow.
        #[n(0)]
        escrow: TxId,
        /// To whom.
        #[n(1)]
        payee: EntityId,
        /// How many.
        #[n(2)]
        amount: Amount,
    },
    /// Locked tokens went back.
    #[n(6)]
    EscrowRefunded {
        /// The escrow.
        #[n(0)]
        escrow: TxId,
        /// To whom.
        #[n(1)]
        payer: EntityId,
        /// How many.
        #[n(2)]
        amount: Amount,
    },
    /// Fees of an entity are paid by its owner.
    #[n(7)]
    Sponsored {
        /// Whose fees.
        #[n(0)]
        entity: EntityId,
        /// Who pays.
        #[n(1)]
        sponsor: EntityId,
        /// Last height at which it holds.
        #[n(2)]
        until_height: u64,
    },
    /// They are no longer.
    #[n(8)]
    SponsorshipEnded {
        /// Whose fees.
        #[n(0)]
        entity: EntityId,
        /// Who paid.
        #[n(1)]
        sponsor: EntityId,
    },
    /// Readings of a stream are rewarded.
    #[n(9)]
    RewardOffered {
        /// The reward.
        #[n(0)]
        reward: TxId,
        /// Of which stream.
        #[n(1)]
        stream: StreamId,
        /// Who pays.
        #[n(2)]
        payer: EntityId,
    },
    /// A reward has more to pay out.
    #[n(10)]
    RewardFunded {
        /// The reward.
        #[n(0)]
        reward: TxId,
        /// Who gave it.
        #[n(1)]
        from: EntityId,
        /// How much.
        #[n(2)]
        amount: Amount,
    },
    /// A batch of readings was rewarded.
    #[n(11)]
    RewardPaid {
        /// The reward.
        #[n(0)]
        reward: TxId,
        /// The owner of the thing.
        #[n(1)]
        to: EntityId,
        /// How much.
        #[n(2)]
        amount: Amount,
    },
    /// A reward ended; what was left went back to whoever offered it.
    #[n(12)]
    RewardEnded {
        /// The reward.
        #[n(0)]
        reward: TxId,
        /// To whom.
        #[n(1)]
        payer: EntityId,
        /// How much.
        #[n(2)]
        amount: Amount,
    },
    /// Tokens were put behind a peer.
    #[n(13)]
    Staked {
        /// The peer.
        #[n(0)]
        peer: EntityId,
        /// The organisation that runs it.
        #[n(1)]
        organisation: EntityId,
        /// How many.
        #[n(2)]
        amount: Amount,
        /// What is behind it now.
        #[n(3)]
        stake: Amount,
    },
    /// Tokens were taken from behind a peer; they are locked still.
    #[n(14)]
    Unstaked {
        /// The peer.
        #[n(0)]
        peer: EntityId,
        /// The organisation that runs it.
        #[n(1)]
        organisation: EntityId,
        /// How many.
        #[n(2)]
        amount: Amount,
        /// The first epoch in which all that was withdrawn is free.
        #[n(3)]
        free_epoch: u64,
    },
    /// Tokens that were behind a peer went back to the account.
    #[n(15)]
    StakeCollected {
        /// The peer.
        #[n(0)]
        peer: EntityId,
        /// The organisation that runs it.
        #[n(1)]
        organisation: EntityId,
        /// How many.
        #[n(2)]
        amount: Amount,
    },
    /// A peer proposed nothing for too long, or was revoked, and stands for a seat no more; its stake
    /// stays where it is.
    #[n(16)]
    CandidateDropped {
        /// The peer.
        #[n(0)]
        peer: EntityId,
        /// The organisation that runs it.
        #[n(1)]
        organisation: EntityId,
        /// Whole epochs in a row without a block of its own.
        #[n(2)]
        silent_epochs: u32,
    },
    /// Too few peers have stake, so whoever has a seat keeps it.
    #[n(17)]
    SeatsKept {
        /// How many have.
        #[n(0)]
        candidates: u16,
        /// How many it takes.
        #[n(1)]
        needed: u16,
    },
    /// A peer voted twice: a share of its stake is destroyed, and it stands for a seat no more.
    #[n(18)]
    StakeBurnt {
        /// The peer.
        #[n(0)]
        peer: EntityId,
        /// The organisation that runs it.
        #[n(1)]
        organisation: EntityId,
        /// How many.
        #[n(2)]
        amount: Amount,
        /// The epoch of the votes.
        #[n(3)]
        epoch: u64,
    },
}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString as _, vec};

    use super::*;
    use crate::wire::encode;

    #[test]
    fn amounts_have_one_form_and_a_maximum() {
        for (units, wire) in
            [(0, vec![0x40]), (1, vec![0x41, 1]), (255, vec![0x41, 255]), (256, vec![0x42, 1, 0])]
        {
            let amount = Amount::new(units).unwrap();
            assert_eq!(encode(&amount), wire);
            assert_eq!(minicbor::decode::<Amount>(&wire).unwrap(), amount);
            assert_eq!(Amount::parse(&amount.to_string()), Some(amount));
        }
        assert_eq!(Amount::new(AMOUNT_MAX), Some(Amount::MAX));
        assert_eq!(Amount::new(AMOUNT_MAX + 1), None);
        for (wire, why) in [
            (
                vec![0x50; 1].into_iter().chain([0xff; 16]).collect::<Vec<u8>>(),
                "more than there is",
            ),
            (vec![0x51; 1].into_iter().chain([0; 17]).collect(), "too long"),
            (vec![0x01], "no byte string"),
        ] {
            assert!(minicbor::decode::<Amount>(&wire).is_err(), "{why}");
        }
        for wrong in ["", "-1", "+1", "01", "1.0", "1e3", "340282366920938463463374607431768211456"]
        {
            assert_eq!(Amount::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn amounts_never_exceed_what_there_can_be() {
        let (one, most) = (Amount::from(1), Amount::MAX);
        assert_eq!(most.plus(one), None);
        assert_eq!(most.plus(Amount::ZERO), Some(most));
        assert_eq!(Amount::ZERO.minus(one), None);
        assert_eq!(most.minus(most), Some(Amount::ZERO));
        assert_eq!(most.times(2), most);
        assert_eq!(one.times(u64::MAX), Amount::from(u64::MAX));
        assert_eq!(Amount::from(7).share(2), Amount::from(3));
        assert_eq!(Amount::from(7).share(0), Amount::ZERO);
    }

    #[test]
    fn a_fee_counts_bytes_and_begun_millions_of_gas() {
        let fees = Fees { per_transaction: 100, per_byte: 3, per_million_gas: 7 };
        for (bytes, gas, fee) in
            [(0, 0, 100), (10, 0, 130), (10, 1, 137), (0, 1_000_000, 107), (0, 1_000_001, 114)]
        {
            assert_eq!(fees.of(bytes, gas), Amount::from(fee), "{bytes} {gas}");
        }
        let most = Fees { per_transaction: FEE_MAX, per_byte: FEE_MAX, per_million_gas: FEE_MAX };
        assert!(most.is_within_bounds() && most.of(u64::MAX, u64::MAX) <= Amount::MAX);
        assert!(!Fees { per_byte: FEE_MAX + 1, ..most }.is_within_bounds());
        assert!(Fees::default().are_off() && !fees.are_off());
    }

    #[test]
    fn a_token_has_a_sign_and_no_more_than_there_can_be() {
        let of =
            |account: u8, amount: Amount| Allocation { account: EntityId([account; 32]), amount };
        let good = Token {
            name: "Watt".into(),
            symbol: "uwatt".into(),
            decimals: 6,
            initial: vec![of(1, Amount::from(5)), of(2, Amount::from(7))],
        };
        assert!(good.is_within_bounds());
        assert_eq!(good.supply(), Some(Amount::from(12)));
        type Change<'a> = (bool, &'a dyn Fn(&mut Token));
        let rows: &[Change<'_>] = &[
            (true, &|t| t.initial.clear()),
            (false, &|t| t.name = String::new()),
            (false, &|t| t.symbol = "ab".into()),
            (false, &|t| t.symbol = "Watt".into()),
            (false, &|t| t.symbol = "1watt".into()),
            (false, &|t| t.symbol = "wa/tt".into()),
            (false, &|t| t.symbol = "w".repeat(SYMBOL_BYTES_MAX + 1)),
            (false, &|t| t.decimals = DECIMALS_MAX + 1),
            (false, &|t| t.initial.reverse()),
            (false, &|t| t.initial[0].amount = Amount::ZERO),
            (false, &|t| t.initial[0].amount = Amount::MAX),
        ];
        for (row, (fits, change)) in rows.iter().enumerate() {
            let mut changed = good.clone();
            change(&mut changed);
            assert_eq!(changed.is_within_bounds(), *fits, "row {row}");
        }
    }
}
