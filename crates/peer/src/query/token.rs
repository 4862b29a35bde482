//! Tokens: who has how many, and how they moved.

use althing_ledger::{
    governance, index, key,
    stake::{self, StakeRecord},
    token::{
        self, Account, Audit, EscrowRecord, Movement, RewardRecord, SponsorshipRecord, Supply,
        TokenRecord,
    },
};
use althing_state::{Direction, Read as _, Space, StoreError};
use althing_types::{EntityId, Fees, StreamId, TxId};

use super::{Noun, PAGE_ITEMS_MAX, Page, Query, QueryError, checked_cursor, decode};

/// The token of the ledger, if it has one, and where all of it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplyState {
    /// How it is called.
    pub token: Option<TokenRecord>,
    /// Where it is.
    pub supply: Supply,
    /// What transactions cost.
    pub fees: Option<Fees>,
}

/// What an entity or a contract has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldingState {
    /// Whose.
    pub id: EntityId,
    /// What.
    pub account: Account,
    /// Who pays its fees.
    pub sponsorship: Option<SponsorshipRecord>,
}

/// What is staked behind a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StakeState {
    /// The peer.
    pub peer: EntityId,
    /// How much, and since when.
    pub record: StakeRecord,
    /// Where it is reached, if that was said.
    pub address: Option<String>,
}

/// A line of an account's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovementAt {
    /// Height of the block.
    pub height: u64,
    /// Time of the block, milliseconds since 1970.
    pub time_ms: u64,
    /// What moved.
    pub movement: Movement,
}

impl Query {
    /// The token of the ledger and where all of it is.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn supply(&self) -> Result<SupplyState, QueryError> {
        let view = self.view();
        Ok(SupplyState {
            token: token::token(&view)?,
            supply: token::supply(&view)?,
            fees: althing_ledger::parameters(&view)?.fees,
        })
    }

    /// Counts all tokens again, which reads every account.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn audit(&self) -> Result<Audit, QueryError> {
        Ok(token::audit(&self.view())?)
    }

    /// What an account has; nothing if nobody has put anything there.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn holding(&self, id: &EntityId) -> Result<HoldingState, QueryError> {
        let view = self.view();
        Ok(HoldingState {
            id: *id,
            account: token::account(&view, id)?,
            sponsorship: token::sponsorship(&view, id)?,
        })
    }

    /// The accounts that have something, in a stable order.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn holdings(
        &self,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<HoldingState>, QueryError> {
        let prefix = index::accounts();
        let after = checked_cursor(after, &prefix)?;
        self.filtered(&prefix, after, limit, |id| Ok(Some(self.holding(&EntityId(id))?)))
    }

    /// What came to an account and left it, newest first.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn movements(
        &self,
        id: &EntityId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<MovementAt>, QueryError> {
        let (prefix, limit) = (index::movements_of(id), limit.clamp(1, PAGE_ITEMS_MAX));
        let end = match checked_cursor(after, &prefix)? {
            Some(after) => Some(after.to_vec()),
            None => althing_state::prefix_end(&prefix),
        };
        self.lists(&prefix)?;
        let store = self.chain().state().store();
        let back = Direction::Backward;
        let rows = store.scan(Space::Index, &prefix, end.as_deref(), back, limit + 1)?;
        let next = (rows.len() > limit).then(|| rows[limit - 1].0.clone());
        let mut block: Option<(u64, u64)> = None;
        let mut items = Vec::with_capacity(limit);
        for (row, value) in rows.iter().take(limit) {
            let place = row.get(prefix.len()..).and_then(|rest| rest.get(..12));
            let damaged = || StoreError::corrupt(row);
            let (height, _) = place.and_then(index::place).ok_or_else(damaged)?;
            if height > self.height() {
                continue;
            }
            let time_ms = match block.filter(|(of, _)| *of == height) {
                Some((_, time_ms)) => time_ms,
                None => self.block_head(height)?.header.time_ms,
            };
            block = Some((height, time_ms));
            items.push(MovementAt { height, time_ms, movement: decode(row, value)? });
        }
        Ok(Page { items, next })
    }

    /// An escrow that is open.
    ///
    /// # Errors
    /// [`Noun::Escrow`] if there is none.
    pub fn escrow(&self, id: &TxId) -> Result<EscrowRecord, QueryError> {
        self.known(&key::escrow(id), Noun::Escrow)
    }

    /// The open escrows that an entity locked, is to get or decides about.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn escrows(
        &self,
        id: &EntityId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<(TxId, EscrowRecord)>, QueryError> {
        let prefix = index::escrows_of(id);
        let after = checked_cursor(after, &prefix)?;
        let view = self.view();
        self.filtered(&prefix, after, limit, |id| {
            let id = TxId(id);
            Ok(token::escrow(&view, &id)?.map(|record| (id, record)))
        })
    }

    /// The entities whose fees an entity promised to pay.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn sponsored(
        &self,
        sponsor: &EntityId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<SponsorshipRecord>, QueryError> {
        let prefix = index::sponsored_by(sponsor);
        let after = checked_cursor(after, &prefix)?;
        let view = self.view();
        self.filtered(&prefix, after, limit, |id| Ok(token::sponsorship(&view, &EntityId(id))?))
    }

    /// A reward that is open.
    ///
    /// # Errors
    /// [`Noun::Reward`] if there is none.
    pub fn reward(&self, id: &TxId) -> Result<RewardRecord, QueryError> {
        self.known(&key::reward(id), Noun::Reward)
    }

    /// The open rewards that an entity offered.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn rewards_by(
        &self,
        payer: &EntityId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<(TxId, RewardRecord)>, QueryError> {
        let prefix = index::rewards_by(payer);
        let after = checked_cursor(after, &prefix)?;
        let view = self.view();
        self.filtered(&prefix, after, limit, |id| {
            let id = TxId(id);
            Ok(token::reward(&view, &id)?.map(|record| (id, record)))
        })
    }

    /// What is staked behind a peer.
    ///
    /// # Errors
    /// [`Noun::Stake`] if nothing is.
    pub fn stake(&self, peer: &EntityId) -> Result<StakeState, QueryError> {
        let view = self.view();
        let record = stake::stake(&view, peer)?.ok_or(QueryError::Unknown(Noun::Stake))?;
        Ok(StakeState { peer: *peer, record, address: governance::address(&view, peer)? })
    }

    /// Those who stand for a seat, the first in line first.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn candidates(
        &self,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<StakeState>, QueryError> {
        let (prefix, limit) = (key::candidates(), limit.clamp(1, PAGE_ITEMS_MAX));
        let after = checked_cursor(after, &prefix)?;
        let rows = self.view().scan(&prefix, after, limit + 1)?;
        let next = (rows.len() > limit).then(|| rows[limit - 1].0.clone());
        let state = |row: &[u8]| {
            let peer = key::candidate_of(row).ok_or_else(|| StoreError::corrupt(row))?;
            self.stake(&peer)
        };
        let items = rows.iter().take(limit).map(|(row, _)| state(row));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next })
    }

    /// The open rewards for readings of a stream, oldest first.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn rewards_of(&self, stream: &StreamId) -> Result<Vec<(TxId, RewardRecord)>, QueryError> {
        Ok(token::rewards_of(&self.view(), stream)?)
    }
}
