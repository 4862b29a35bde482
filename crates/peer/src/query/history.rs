//! What an entity did, what it was told of, and what waits for its approval.

use althing_ledger::{approval::Pending, index};
use althing_proof::key;
use althing_state::{Direction, Read as _, Space, prefix_end};
use althing_types::{ActionKind, ApprovalPolicy, EntityId, Receipt, TxId};

use super::{PAGE_ITEMS_MAX, Page, Query, QueryError, checked_cursor, decode};

/// A final transaction in an entity's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Height of its block.
    pub height: u64,
    /// Its position in the block.
    pub position: u32,
    /// Time of the block.
    pub time_ms: u64,
    /// What came of it.
    pub receipt: Receipt,
}

impl Query {
    /// Transactions that an entity sent or that changed it, newest first.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn history(
        &self,
        entity: &EntityId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<Past>, QueryError> {
        let prefix = index::history_of(entity);
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let before = checked_cursor(after, &prefix)?.map(|after| {
            after.get(prefix.len()..).and_then(index::place).ok_or(QueryError::Cursor)
        });
        let before = before.transpose()?;
        let end = match before {
            Some((height, _)) => prefix_end(&[prefix.as_slice(), &height.to_be_bytes()].concat()),
            None => prefix_end(&prefix),
        };
        self.lists(&prefix)?;
        let store = self.chain().state().store();
        // The first row may have nothing before the cursor.
        let scanned = limit + 1;
        let rows =
            store.scan(Space::Index, &prefix, end.as_deref(), Direction::Backward, scanned)?;
        let places = rows.iter().filter_map(|(row, value)| {
            let (height, positions) = index::history(row.get(prefix.len()..)?, value)?;
            Some(positions.rev().map(move |position| (height, position)))
        });
        let places = places.flatten().filter(|place| before.is_none_or(|before| *place < before));
        let places: Vec<(u64, u32)> = places.take(limit).collect();
        let next = places.last().filter(|_| places.len() == limit).map(|(height, position)| {
            [prefix.as_slice(), &height.to_be_bytes(), &position.to_be_bytes()].concat()
        });
        Ok(Page { items: self.at_places(places)?, next })
    }

    /// Records that notified an entity, newest first.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn notifications(
        &self,
        entity: &EntityId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<Past>, QueryError> {
        self.past(&index::records_for(entity), after, limit)
    }

    /// Rows whose keys go on with a height and a position, from the newest.
    pub(super) fn past(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<Past>, QueryError> {
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let end = match checked_cursor(after, prefix)? {
            Some(after) => Some(after.to_vec()),
            None => prefix_end(prefix),
        };
        self.lists(prefix)?;
        let store = self.chain().state().store();
        let rows = store.scan(Space::Index, prefix, end.as_deref(), Direction::Backward, limit)?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|(key, _)| key.clone());
        let places = rows.iter().filter_map(|(row, _)| index::place(row.get(prefix.len()..)?));
        Ok(Page { items: self.at_places(places)?, next })
    }

    /// What came of the transactions at these places, which are ordered by height: one block's receipts
    /// are held at a time, since those of a page may be in as many blocks as it has rows, each of
    /// thousands of receipts.
    fn at_places(
        &self,
        places: impl IntoIterator<Item = (u64, u32)>,
    ) -> Result<Vec<Past>, QueryError> {
        let mut block: Option<(u64, u64, Vec<Receipt>)> = None;
        let mut items = Vec::new();
        for (height, position) in places {
            if height > self.height() {
                continue;
            }
            let (_, time_ms, receipts) = match block.take().filter(|(of, ..)| *of == height) {
                Some(same) => block.insert(same),
                None => {
                    let time_ms = self.block_head(height)?.header.time_ms;
                    block.insert((height, time_ms, self.receipts(height)?))
                }
            };
            let (time_ms, receipt) = (*time_ms, receipts.get(position as usize).cloned());
            items.extend(receipt.map(|receipt| Past { height, position, time_ms, receipt }));
        }
        Ok(items)
    }

    /// Transactions that wait for an entity's approval, or that it sent and that wait.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn pending(
        &self,
        entity: &EntityId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<(TxId, Pending)>, QueryError> {
        let prefix = index::waiting_for(entity);
        let after = checked_cursor(after, &prefix)?;
        self.filtered(&prefix, after, limit, |id| {
            let id = TxId(id);
            let pending: Option<Pending> = self.record(&key::pending(&id))?;
            Ok(pending.map(|pending| (id, pending)))
        })
    }

    /// Who must sign for which actions of an organisation.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn policies(&self, entity: &EntityId) -> Result<Vec<ApprovalPolicy>, QueryError> {
        let whole = key::policy(entity, ActionKind::RegisterEntity);
        let prefix = &whole[..whole.len() - 1];
        let rows = self.view().scan(prefix, None, ActionKind::ALL.len())?;
        rows.iter().map(|(key, value)| decode(key, value)).collect()
    }
}
