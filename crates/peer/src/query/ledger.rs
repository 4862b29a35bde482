//! Blocks, transactions, receipts and events.

use std::{collections::BTreeMap, sync::Arc};

use althing_state::{Direction, Space, StoreError};
use althing_types::{
    Block, Certificate, Digest, Event, Header, Receipt, Transaction, TxId, Validator, ValidatorSet,
};

use super::{Noun, PAGE_EVENTS_MAX, PAGE_ITEMS_MAX, Query, QueryError};
use crate::{core::Placed, rows};

/// A block without its transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockHead {
    /// Its digest.
    pub digest: Digest,
    /// Its header.
    pub header: Header,
}

/// How far a transaction is.
#[derive(Debug, Clone)]
pub enum TransactionState {
    /// Waits here to be included.
    Waiting(Transaction),
    /// Is final.
    Final {
        /// The transaction.
        transaction: Transaction,
        /// Where, and what came of it.
        placed: Placed,
        /// Time of its block.
        time_ms: u64,
    },
}

/// A place in the sequence of all events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPlace {
    /// Height of the block.
    pub height: u64,
    /// Position of the transaction in the block.
    pub position: u32,
    /// Position of the event in the receipt.
    pub event: u32,
}

/// An event and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventAt {
    /// Its place.
    pub place: EventPlace,
    /// Time of the block.
    pub time_ms: u64,
    /// The transaction that brought it about.
    pub transaction: TxId,
    /// What happened.
    pub event: Event,
}

impl Query {
    /// The head of the executed block at a height.
    ///
    /// # Errors
    /// [`Noun::Block`] if there is none yet.
    pub fn block_head(&self, height: u64) -> Result<BlockHead, QueryError> {
        let unknown = QueryError::Unknown(Noun::Block);
        if height > self.height() {
            return Err(unknown);
        }
        let header = self.done(height).ok_or_else(|| self.absent(unknown))?.header;
        Ok(BlockHead { digest: header.digest(), header })
    }

    /// The validators of an epoch that has begun, or is settled.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn validators_of(&self, epoch: u64) -> Result<ValidatorSet, QueryError> {
        self.chain().validators_since(epoch).ok_or(QueryError::Unknown(Noun::Block))
    }

    /// Everybody who has a seat, will have one, or was given one by the genesis, ascending by key, and
    /// whether it has one now.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn seats(&self) -> Result<Vec<(Validator, bool)>, QueryError> {
        let view = self.view();
        let now = althing_ledger::validators(&view)?.validators;
        let next = althing_ledger::validators_of_next_epoch(&view)?;
        let chosen = althing_ledger::governance::chosen_validators(&view)?;
        let founding = self.core.config.genesis.validators();
        let mut seats: BTreeMap<_, _> =
            now.into_iter().map(|seat| (seat.key, (seat, true))).collect();
        for seat in next.into_iter().chain([chosen, founding]).flat_map(|set| set.validators) {
            seats.entry(seat.key).or_insert((seat, false));
        }
        Ok(seats.into_values().collect())
    }

    /// Heads of executed blocks below `before`, newest first.
    ///
    /// # Errors
    /// [`QueryError`] if one cannot be read.
    pub fn block_heads(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<BlockHead>, QueryError> {
        let end = before.unwrap_or(u64::MAX).min(self.height().saturating_add(1));
        let limit = limit.min(PAGE_ITEMS_MAX) as u64;
        (end.saturating_sub(limit)..end).rev().map(|height| self.block_head(height)).collect()
    }

    /// The executed block at a height, with the certificate for it if this peer has one.
    ///
    /// # Errors
    /// [`Noun::Block`] if there is none yet.
    pub async fn block(
        &self,
        height: u64,
    ) -> Result<(Arc<Block>, Option<Certificate>), QueryError> {
        let block = self.body(height).await?;
        let certificate = if height > 0 { self.certificate(height).await } else { None };
        Ok((block, certificate))
    }

    /// The certificate of the block at a height, if this peer has one.
    pub(crate) async fn certificate(&self, height: u64) -> Option<Certificate> {
        if let Some(archive) = self.archive() {
            return archive.certificate(height).await;
        }
        if let Ok(Some(row)) = self.stored(Space::Receipts, &rows::certificate(height)) {
            return minicbor::decode(&row).ok();
        }
        self.core.ordering()?.certificate(height).await
    }

    pub(super) async fn body(&self, height: u64) -> Result<Arc<Block>, QueryError> {
        let unknown = QueryError::Unknown(Noun::Block);
        if height == 0 {
            return Ok(Arc::clone(self.chain().genesis_block()));
        }
        if height > self.height() {
            return Err(unknown);
        }
        if let Some(block) = self.bodies.get(height) {
            return Ok(block);
        }
        let block = match self.stored(Space::Receipts, &rows::block(height))? {
            Some(wire) => {
                let damaged = |_| StoreError::corrupt(&rows::block(height));
                Arc::new(Block::decode(wire.into()).map_err(damaged)?)
            }
            None => {
                let starting = || self.absent(QueryError::NotCertified);
                let ordering = self.core.ordering().ok_or_else(starting)?;
                ordering.block(height).await.ok_or_else(|| self.absent(unknown))?
            }
        };
        self.bodies.keep(&block);
        Ok(block)
    }

    /// A transaction that waits here or is final.
    ///
    /// # Errors
    /// [`Noun::Transaction`] if it is neither.
    pub async fn transaction(&self, id: &TxId) -> Result<TransactionState, QueryError> {
        let waiting = self.core.mempool.lock().get(id).map(|entry| entry.transaction.clone());
        if let Some(transaction) = waiting {
            return Ok(TransactionState::Waiting(transaction));
        }
        let unknown = || QueryError::Unknown(Noun::Transaction);
        let placed = self.placed(id)?;
        let block = self.body(placed.height).await?;
        let position = usize::try_from(placed.position).map_err(|_| unknown())?;
        let wire = block.transactions().get(position).cloned().ok_or_else(unknown)?;
        let transaction = Transaction::decode(wire).map_err(|_| unknown())?;
        Ok(TransactionState::Final { transaction, placed, time_ms: block.header().time_ms })
    }

    /// Where a final transaction stands, and what came of it.
    pub(super) fn placed(&self, id: &TxId) -> Result<Placed, QueryError> {
        let placed = self.chain().placed(id).or_else(|| self.core.chain.placed(id));
        placed.ok_or_else(|| self.absent(QueryError::Unknown(Noun::Transaction)))
    }

    /// Receipts of an executed block, in the order of its transactions.
    ///
    /// # Errors
    /// [`Noun::Block`] if there is none yet.
    pub fn receipts(&self, height: u64) -> Result<Vec<Receipt>, QueryError> {
        let unknown = QueryError::Unknown(Noun::Block);
        if height > self.height() {
            return Err(unknown);
        }
        let chain = match self.core.ahead() {
            Some(ahead) if height > ahead.base => &ahead.chain,
            Some(_) if height > self.core.chain.height() => return Err(self.absent(unknown)),
            _ => &self.core.chain,
        };
        chain.receipts(height).ok_or(unknown)
    }

    /// Events behind a place, at most [`PAGE_EVENTS_MAX`] and whole blocks of them, in order. Also
    /// the height up to which this is all there is.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn events(&self, after: EventPlace) -> Result<(Vec<EventAt>, u64), QueryError> {
        let newest = self.height();
        let mut events = Vec::new();
        let mut next = after.height;
        if let Some(ahead) = self.core.ahead().filter(|ahead| next <= ahead.base) {
            let have = self.core.chain.height();
            return Err(QueryError::HistoryNotHere { from: ahead.base, have });
        }
        while events.len() < PAGE_EVENTS_MAX && next <= newest {
            let Some(height) = self.next_busy(next, newest)? else { return Ok((events, newest)) };
            events.extend(self.events_of(height)?.into_iter().filter(|one| one.place > after));
            next = height + 1;
        }
        Ok((events, next.saturating_sub(1)))
    }

    /// The first height from `from` to `to` that has receipts.
    fn next_busy(&self, from: u64, to: u64) -> Result<Option<u64>, QueryError> {
        let (from, to) = (rows::receipts(from), rows::receipts(to.saturating_add(1)));
        let store = self.chain().state().store();
        let found = store.scan(Space::Receipts, &from, Some(&to), Direction::Forward, 1)?;
        let key = found.into_iter().next().map(|(key, _)| key);
        Ok(key.and_then(|key| key.last_chunk().copied()).map(u64::from_be_bytes))
    }

    fn events_of(&self, height: u64) -> Result<Vec<EventAt>, QueryError> {
        let time_ms = self.block_head(height)?.header.time_ms;
        Ok(EventAt::all_of(height, time_ms, &self.receipts(height)?).collect())
    }
}

impl EventAt {
    /// The events of one block, in order.
    pub fn all_of(
        height: u64,
        time_ms: u64,
        receipts: &[Receipt],
    ) -> impl Iterator<Item = Self> + '_ {
        (0..).zip(receipts).flat_map(move |(position, receipt)| {
            (0..).zip(&receipt.events).map(move |(index, event)| Self {
                place: EventPlace { height, position, event: index },
                time_ms,
                transaction: receipt.transaction,
                event: event.clone(),
            })
        })
    }
}
