//! Links to other ledgers, and calls across them.

use althing_ledger::{index, key, link::LinkRecord};
use althing_proof::call::{CallRecord, TakenRecord};
use althing_state::Space;
use althing_types::{EntityId, LedgerId, LinkId, TxId};
use minicbor::Decode;

use super::{Noun, PAGE_ITEMS_MAX, Page, Query, QueryError, checked_cursor, decode, id_at_end};

/// A call that this ledger asks, with its id.
pub type CallAt = (TxId, CallRecord);
/// A call that another ledger asks, with its id there.
pub type TakenAt = (TxId, TakenRecord);

impl Query {
    /// A link.
    ///
    /// # Errors
    /// [`Noun::Link`] if there is none.
    pub fn ledger_link(&self, id: &LinkId) -> Result<LinkRecord, QueryError> {
        self.known(&key::link(id), Noun::Link)
    }

    /// The links of an organisation, or of all, in a stable order.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn ledger_links(
        &self,
        owner: Option<&EntityId>,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<LinkRecord>, QueryError> {
        let prefix = index::links_of(owner);
        let of = |row: &[u8]| {
            let (owner, ledger) = row.get(row.len().checked_sub(64)?..)?.split_at(32);
            let (owner, ledger) = (owner.try_into().ok()?, ledger.try_into().ok()?);
            Some(LinkId::derive(&EntityId(owner), &LedgerId(ledger)))
        };
        self.listed(&prefix, after, limit, |row| match of(row) {
            Some(id) => self.ledger_link(&id),
            None => Err(QueryError::Unknown(Noun::Link)),
        })
    }

    /// A call that this ledger asks, whatever came of it.
    ///
    /// # Errors
    /// [`Noun::Call`] if there is none.
    pub fn call(&self, id: &TxId) -> Result<CallAt, QueryError> {
        Ok((*id, self.indexed(&index::call(id))?))
    }

    /// Calls that this ledger asks, oldest first: all, or those that are open.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn calls(
        &self,
        open: bool,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<CallAt>, QueryError> {
        self.listed(&index::calls(open), after, limit, |row| match id_at_end(row) {
            Some(id) => self.call(&TxId(id)),
            None => Err(QueryError::Unknown(Noun::Call)),
        })
    }

    /// A call that another ledger asks, whatever came of it.
    ///
    /// # Errors
    /// [`Noun::Call`] if it did not arrive here.
    pub fn taken_call(&self, ledger: &LedgerId, id: &TxId) -> Result<TakenAt, QueryError> {
        Ok((*id, self.indexed(&index::taken(ledger, id))?))
    }

    /// Calls that other ledgers ask, oldest first: all, or those that wait for an answer.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn taken_calls(
        &self,
        open: bool,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<TakenAt>, QueryError> {
        let of = |row: &[u8]| {
            let (ledger, id) = row.get(row.len().checked_sub(64)?..)?.split_at(32);
            Some((LedgerId(ledger.try_into().ok()?), TxId(id.try_into().ok()?)))
        };
        self.listed(&index::taken_calls(open), after, limit, |row| match of(row) {
            Some((ledger, id)) => self.taken_call(&ledger, &id),
            None => Err(QueryError::Unknown(Noun::Call)),
        })
    }

    fn indexed<T: for<'b> Decode<'b, ()>>(&self, row: &[u8]) -> Result<T, QueryError> {
        match self.stored(Space::Index, row)? {
            Some(value) => decode(row, &value),
            None => {
                self.lists(row)?;
                Err(QueryError::Unknown(Noun::Call))
            }
        }
    }

    fn listed<T>(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
        item: impl Fn(&[u8]) -> Result<T, QueryError>,
    ) -> Result<Page<T>, QueryError> {
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let rows = self.rows(prefix, checked_cursor(after, prefix)?, limit)?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|(key, _)| key.clone());
        let items = rows.iter().map(|(row, _)| item(row)).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }
}
