//! Stake: seats in a public ledger that anybody may take part in.
//!
//! An organisation puts tokens behind a peer of its own, which then stands for a seat. The last block of
//! each epoch gives the seats of the epoch after the next to those first in line: the highest stake, of
//! equal ones the one that has stood longer, of those the smaller id. Votes are equal (Y.4464 Table I.1).
//! While fewer stand than the rules ask for, whoever has a seat keeps it, so that no lack of stake
//! stops the ledger. A peer that let its turns pass for whole epochs stands no more.
//!
//! One that voted twice loses a share of its stake too, as soon as somebody shows both votes.
//!
//! Stake that is taken back stays locked until its peer votes no more. A voting key belongs to one peer
//! for ever, so that a vote tells for all time who gave it. Which organisations are members follows from
//! the seats, and so does who votes on what concerns everybody.

mod elect;
mod hold;
mod offence;

pub(crate) use elect::{elect, heard_of, prospect, seat_members};
pub(crate) use hold::{collect, found, put, take_back};
pub(crate) use offence::burn;

use althing_state::{Read, StoreError};
use althing_types::{Amount, EntityId, Refusal, StakeRules, Wire};
use minicbor::{Decode, Encode};

use crate::{
    key,
    transition::{Transition, decode_at},
};

/// What is staked behind a peer. There is a record as long as any of it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StakeRecord {
    /// Who staked it: the organisation that runs the peer.
    #[n(0)]
    pub organisation: EntityId,
    /// The peer's voting key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub key: [u8; 32],
    /// What counts when seats are given.
    #[n(2)]
    pub amount: Amount,
    /// What was withdrawn and not collected.
    #[n(3)]
    pub leaving: Amount,
    /// The first epoch in which that can be collected.
    #[n(4)]
    pub free_epoch: u64,
    /// Height since which the peer stands for a seat; none if it does not.
    #[n(5)]
    pub since_height: Option<u64>,
    /// Whole epochs in a row in which it had a seat and proposed nothing.
    #[n(6)]
    pub silent_epochs: u32,
}

impl Wire for StakeRecord {
    const BYTES_MAX: usize = 256;
}

/// What is staked behind a peer; none if nothing is.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn stake(view: &impl Read, peer: &EntityId) -> Result<Option<StakeRecord>, StoreError> {
    let key = key::stake(peer);
    view.get(&key)?.map(|bytes| decode_at(&key, &bytes)).transpose()
}

/// Refuses where seats do not follow from stakes, which it knows without looking into the state.
fn rules<R: Read>(state: &Transition<'_, R>) -> Result<StakeRules, Refusal> {
    state.now.parameters.stake.ok_or(Refusal::StakesOff)
}

/// Puts a peer in the line of those who stand for a seat, or takes it out.
fn line_up<R: Read>(
    state: &mut Transition<'_, R>,
    peer: &EntityId,
    before: Option<&StakeRecord>,
    after: Option<&StakeRecord>,
) {
    let row = |record: &StakeRecord| {
        record.since_height.map(|since| key::candidate(record.amount, since, peer))
    };
    let (was, is) = (before.and_then(row), after.and_then(row));
    if was == is {
        return;
    }
    if let Some(was) = was {
        state.remove(was);
    }
    if let Some(is) = is {
        state.put(is, &());
    }
}

#[cfg(test)]
mod tests;
