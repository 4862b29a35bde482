//! Counting again: whether all tokens are where the counts say.

use althing_state::{Read, StoreError};
use althing_types::Amount;
use minicbor::Decode;

use super::{Account, EscrowRecord, RewardRecord, Supply, supply};
use crate::{key, stake::StakeRecord, transition::decode_at};

/// Rows read at once.
const ROWS: usize = 256;

/// What is there, beside what the counts say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    /// The counts.
    pub stated: Supply,
    /// What accounts have together; none if it is more than there can be.
    pub accounts: Option<Amount>,
    /// What escrows have together.
    pub escrows: Option<Amount>,
    /// What rewards can still pay out together.
    pub rewards: Option<Amount>,
    /// What is staked behind peers together, withdrawn or not.
    pub staked: Option<Amount>,
}

impl Audit {
    /// Whether every count is right, and their sum is all there is.
    #[must_use]
    pub fn holds(&self) -> bool {
        let Supply { total, accounts, escrows, rewards, fees: _, staked } = self.stated;
        self.stated.sum() == Some(total)
            && self.accounts == Some(accounts)
            && self.escrows == Some(escrows)
            && self.rewards == Some(rewards)
            && self.staked == Some(staked.unwrap_or_default())
    }
}

/// Counts all tokens again. It reads every account: for tests, simulations and whoever doubts.
///
/// # Errors
/// [`StoreError`] if the state cannot be read.
pub fn audit(view: &impl Read) -> Result<Audit, StoreError> {
    Ok(Audit {
        stated: supply(view)?,
        accounts: all(view, &key::accounts(), |account: Account| Some(account.balance))?,
        escrows: all(view, &key::escrows(), |escrow: EscrowRecord| Some(escrow.terms.amount))?,
        rewards: all(view, &key::rewards(), |reward: RewardRecord| Some(reward.left))?,
        staked: all(view, &key::stakes(), |stake: StakeRecord| stake.amount.plus(stake.leaving))?,
    })
}

fn all<T: for<'b> Decode<'b, ()>>(
    view: &impl Read,
    prefix: &[u8],
    amount: impl Fn(T) -> Option<Amount>,
) -> Result<Option<Amount>, StoreError> {
    let (mut sum, mut after) = (Some(Amount::ZERO), None::<Vec<u8>>);
    loop {
        let rows = view.scan(prefix, after.as_deref(), ROWS)?;
        let Some((last, _)) = rows.last() else { return Ok(sum) };
        after = Some(last.clone());
        for (key, value) in &rows {
            let each = amount(decode_at(key, value)?);
            sum = sum.zip(each).and_then(|(sum, each)| sum.plus(each));
        }
    }
}
