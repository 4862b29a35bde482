//! Stake: what a public ledger gives seats for.

use alloc::string::String;

use minicbor::{Decode, Encode};

use crate::{
    Amount, EntityId, Signature,
    governance::{is_address, is_voting_key},
    limits::{
        STAKE_LOCKED_EPOCHS_MAX, STAKE_LOCKED_EPOCHS_MIN, STAKE_SILENT_EPOCHS_MAX, STAKE_TURNS_MIN,
        VALIDATORS_MAX,
    },
};

/// How a ledger gives seats by stake: at the end of each epoch to the peers with the highest stakes, all
/// with equal votes (Y.4464 Table I.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StakeRules {
    /// Fewest candidates that take over: while there are less, whoever has a seat keeps it.
    #[n(0)]
    pub seats_min: u16,
    /// Most seats, at most [`VALIDATORS_MAX`].
    #[n(1)]
    pub seats_max: u16,
    /// Least stake of a candidate, not nothing.
    #[n(2)]
    pub least: Amount,
    /// What is staked behind each founding peer from the beginning, out of what its organisation begins
    /// with; at least `least`.
    #[n(3)]
    pub founding: Amount,
    /// Epochs for which stake that was withdrawn stays locked, [`STAKE_LOCKED_EPOCHS_MIN`] to
    /// [`STAKE_LOCKED_EPOCHS_MAX`].
    #[n(4)]
    pub locked_epochs: u32,
    /// So many whole epochs in a row without a block of its own cost a peer its seat, 1 to
    /// [`STAKE_SILENT_EPOCHS_MAX`].
    #[n(5)]
    pub silent_epochs: u32,
    /// How much of a peer's stake a double vote destroys, hundredths, 1 to 100.
    #[n(6)]
    pub burnt_percent: u8,
}

impl StakeRules {
    /// Whether every field is within its bounds, in a ledger whose epochs have so many blocks.
    #[must_use]
    pub fn is_within_bounds(&self, epoch_blocks: u32) -> bool {
        let turns = u32::from(self.seats_max).checked_mul(STAKE_TURNS_MIN);
        (1..=self.seats_max).contains(&self.seats_min)
            && usize::from(self.seats_max) <= VALIDATORS_MAX
            && turns.is_some_and(|turns| turns <= epoch_blocks)
            && !self.least.is_zero()
            && self.founding >= self.least
            && (STAKE_LOCKED_EPOCHS_MIN..=STAKE_LOCKED_EPOCHS_MAX).contains(&self.locked_epochs)
            && (1..=STAKE_SILENT_EPOCHS_MAX).contains(&self.silent_epochs)
            && (1..=100).contains(&self.burnt_percent)
    }

    /// What a double vote destroys of so much.
    #[must_use]
    pub fn burnt(&self, stake: Amount) -> Amount {
        // At most 10^36 times 255, which fits 128 bits.
        let share = stake.units() * u128::from(self.burnt_percent) / 100;
        Amount::new(share).unwrap_or(stake)
    }
}

/// Tokens that an organisation puts behind a peer of its own.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Stake {
    /// The peer, an entity that the sender owns.
    #[n(0)]
    pub peer: EntityId,
    /// How many more; nothing only if a seat is said.
    #[n(1)]
    pub amount: Amount,
    /// How the peer would vote and be reached. Needed where it does not stand yet, or stands no more;
    /// otherwise in place of what was said before.
    #[n(2)]
    pub seat: Option<StakedSeat>,
}

/// How a peer votes and is reached, if its stake gets it a seat.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StakedSeat {
    /// Its voting key (Ed25519), which no other peer has ever had.
    #[cbor(n(0), with = "crate::wire::fixed")]
    pub key: [u8; 32],
    /// Where other peers reach it, `host:port`.
    #[n(1)]
    pub address: String,
    /// Of [`possession_bytes`](crate::possession_bytes) for the peer, by the voting key.
    #[n(2)]
    pub possession: Signature,
}

impl Stake {
    pub(crate) fn is_within_bounds(&self) -> bool {
        match &self.seat {
            Some(seat) => is_voting_key(&seat.key) && is_address(&seat.address),
            None => !self.amount.is_zero(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_stake_have_bounds() {
        let good = StakeRules {
            seats_min: 4,
            seats_max: 32,
            least: Amount::from(10),
            founding: Amount::from(10),
            locked_epochs: 3,
            silent_epochs: 2,
            burnt_percent: 10,
        };
        type Change<'a> = (bool, &'a dyn Fn(&mut StakeRules));
        let rows: &[Change<'_>] = &[
            (true, &|_| ()),
            (true, &|r| r.seats_min = 32),
            (false, &|r| r.seats_min = 33),
            (false, &|r| r.seats_min = 0),
            (false, &|r| r.seats_max = 257),
            // An epoch of 128 blocks has no four turns for each.
            (false, &|r| r.seats_max = 33),
            (false, &|r| r.least = Amount::ZERO),
            (false, &|r| r.founding = Amount::from(9)),
            (false, &|r| r.locked_epochs = STAKE_LOCKED_EPOCHS_MIN - 1),
            (false, &|r| r.locked_epochs = STAKE_LOCKED_EPOCHS_MAX + 1),
            (false, &|r| r.silent_epochs = 0),
            (false, &|r| r.silent_epochs = STAKE_SILENT_EPOCHS_MAX + 1),
            (false, &|r| r.burnt_percent = 0),
            (true, &|r| r.burnt_percent = 100),
            (false, &|r| r.burnt_percent = 101),
        ];
        for (row, (fits, change)) in rows.iter().enumerate() {
            let mut rules = good;
            change(&mut rules);
            assert_eq!(rules.is_within_bounds(128), *fits, "row {row}");
        }
        assert_eq!(good.burnt(Amount::from(99)), Amount::from(9));
        assert_eq!(StakeRules { burnt_percent: 100, ..good }.burnt(Amount::MAX), Amount::MAX);
    }
}
