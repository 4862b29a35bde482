//! Access: what owners decided, who was granted what, and what became of it.

use althing_ledger::{
    access::{At, Decision, Deed, Wanted, decide, deed},
    index,
};
use althing_proof::{
    key,
    record::{EntityRecord, GrantRecord, PolicyRecord},
};
use althing_state::{Direction, Space};
use althing_types::{Action, EntityId, Event, GrantId, PublicKey, Resource, TxId, Wire as _};

use super::{EventAt, EventPlace, Noun, PAGE_ITEMS_MAX, Page, Query, QueryError, checked_cursor};

impl Query {
    /// Decides by the newest executed state, and says at which height.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn decide_access(&self, wanted: &Wanted<'_>) -> Result<(u64, Decision), QueryError> {
        let at = self.newest()?;
        Ok((at.height, decide(&self.view(), at, wanted)?))
    }

    /// What the first action of a sender's that needs an owner's leave, and does not have it, needs it for,
    /// by the newest executed state, and what the owner has decided about that.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn lacks_leave<'a>(
        &self,
        sender: EntityId,
        actions: impl IntoIterator<Item = &'a Action>,
    ) -> Result<Option<(Deed, Decision)>, QueryError> {
        let (at, view) = (self.newest()?, self.view());
        for action in actions {
            let judged = deed(&view, at, sender, action)?;
            if let Some(lacking) = judged.filter(|(_, decision)| !decision.allows()) {
                return Ok(Some(lacking));
            }
        }
        Ok(None)
    }

    fn newest(&self) -> Result<At, QueryError> {
        let height = self.height();
        Ok(At { height, time_ms: self.block_head(height)?.header.time_ms })
    }

    /// The present key of an entity whose signatures count; none if it is unknown or revoked, or its
    /// owner is.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn active_key(&self, id: &EntityId) -> Result<Option<PublicKey>, QueryError> {
        let Some(record) = self.record::<EntityRecord>(&key::entity(id))? else { return Ok(None) };
        let owner = match &record.owner {
            Some(owner) => self.record::<EntityRecord>(&key::entity(owner))?,
            None => None,
        };
        let ended = record.revoked.is_some() || owner.is_some_and(|owner| owner.revoked.is_some());
        Ok((!ended).then_some(record.key))
    }

    /// What an owner decided about a resource.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn access_policy(
        &self,
        owner: &EntityId,
        resource: &Resource,
    ) -> Result<Option<PolicyRecord>, QueryError> {
        self.record(&key::access_policy(owner, resource))
    }

    /// The policies of an owner, in a stable order.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn access_policies(
        &self,
        owner: &EntityId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<PolicyRecord>, QueryError> {
        let prefix = index::access_policies(owner);
        let after = checked_cursor(after, &prefix)?;
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let rows = self.rows(&prefix, after, limit)?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|(key, _)| key.clone());
        let mut items = Vec::with_capacity(rows.len());
        for (_, value) in &rows {
            let Ok(resource) = Resource::from_wire(value) else { continue };
            items.extend(self.access_policy(owner, &resource)?);
        }
        Ok(Page { items, next })
    }

    /// A request or grant.
    ///
    /// # Errors
    /// [`Noun::Grant`] if there is none.
    pub fn grant(&self, id: &GrantId) -> Result<GrantRecord, QueryError> {
        self.known(&key::grant(id), Noun::Grant)
    }

    /// The requests and grants that an entity has a part in, in a stable order.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn grants(
        &self,
        entity: &EntityId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<GrantRecord>, QueryError> {
        let prefix = index::access_of(entity);
        let after = checked_cursor(after, &prefix)?;
        self.filtered(&prefix, after, limit, |id| self.record(&key::grant(&GrantId(id))))
    }

    /// What became of access to what an owner has, the newest first.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn access_feed(
        &self,
        owner: &EntityId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<EventAt>, QueryError> {
        let prefix = index::access_feed(owner);
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let end = match checked_cursor(after, &prefix)? {
            Some(after) => Some(after.to_vec()),
            None => althing_state::prefix_end(&prefix),
        };
        self.lists(&prefix)?;
        let store = self.chain().state().store();
        let rows = store.scan(Space::Index, &prefix, end.as_deref(), Direction::Backward, limit)?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|(key, _)| key.clone());
        let mut items = Vec::with_capacity(rows.len());
        for (row, value) in &rows {
            let place = row.get(prefix.len()..).and_then(event_place);
            let (Some(place), Ok(event)) = (place, Event::from_wire(value)) else { continue };
            if place.height > self.height() {
                continue;
            }
            items.push(self.event_at(place, event)?);
        }
        Ok(Page { items, next })
    }

    fn event_at(&self, place: EventPlace, event: Event) -> Result<EventAt, QueryError> {
        let time_ms = self.block_head(place.height)?.header.time_ms;
        let receipts = self.receipts(place.height)?;
        let receipt = receipts.get(place.position as usize);
        let transaction = receipt.map_or(TxId::default(), |receipt| receipt.transaction);
        Ok(EventAt { place, time_ms, transaction, event })
    }
}

/// The place at the end of a row of the feed.
fn event_place(bytes: &[u8]) -> Option<EventPlace> {
    let (place, event) = bytes.split_at_checked(12)?;
    let (height, position) = index::place(place)?;
    Some(EventPlace { height, position, event: u32::from_be_bytes(event.try_into().ok()?) })
}
