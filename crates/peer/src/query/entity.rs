//! Entities, their keys, their accounts.

use althing_ledger::{NONCE_JUMP_MAX, NonceWindow, index};
use althing_proof::{
    key,
    record::{EntityRecord, KeyRecord},
};
use althing_state::Read as _;
use althing_types::{EntityId, EntityKind, PublicKey};

use super::{
    Noun, PAGE_ITEMS_MAX, Page, Query, QueryError, ROWS_EXAMINED_MAX, checked_cursor, decode,
    id_at_end,
};

/// What a sender needs to know before it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    /// The nonce to go on with.
    pub next_nonce: u64,
    /// Nonces from here on are too far ahead.
    pub nonce_end: u64,
    /// Transactions of the sender that wait here.
    pub waiting: usize,
    /// Height this was read at.
    pub height: u64,
    /// Whether what it signs counts.
    pub active: bool,
}

/// Which entities a list is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntityFilter {
    /// Of this kind.
    pub kind: Option<EntityKind>,
    /// Owned by this entity.
    pub owner: Option<EntityId>,
    /// Whose name contains this, in lower case.
    pub name: Option<String>,
}

/// A key that an entity has or had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVersion {
    /// From 1.
    pub version: u32,
    /// The key.
    pub key: PublicKey,
    /// Height at which it took effect.
    pub since_height: u64,
    /// Last height at which it counted, if it counts no more.
    pub until_height: Option<u64>,
}

impl Query {
    /// Where an account stands.
    ///
    /// # Errors
    /// [`Noun::Entity`] if the entity is not registered.
    pub fn account(&self, id: &EntityId) -> Result<AccountState, QueryError> {
        let height = self.height();
        let record: EntityRecord = self.known(&key::entity(id), Noun::Entity)?;
        let window: NonceWindow = self.record(&key::nonces(id))?.unwrap_or_default();
        let (waiting, highest) = self.core.mempool.lock().waiting_of(id);
        let next = window.next();
        Ok(AccountState {
            next_nonce: highest.map_or(next, |highest| next.max(highest.saturating_add(1))),
            nonce_end: next.saturating_add(NONCE_JUMP_MAX).saturating_add(1),
            waiting,
            height,
            active: record.revoked.is_none(),
        })
    }

    /// An entity.
    ///
    /// # Errors
    /// [`Noun::Entity`] if it is not registered.
    pub fn entity(&self, id: &EntityId) -> Result<EntityRecord, QueryError> {
        self.known(&key::entity(id), Noun::Entity)
    }

    /// Entities in a stable order.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn entities(
        &self,
        filter: &EntityFilter,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<(EntityId, EntityRecord)>, QueryError> {
        let prefix = match (&filter.owner, filter.kind) {
            (Some(owner), _) => index::owned_by(owner),
            (None, Some(kind)) => index::entities_of(kind),
            (None, None) => index::entities(),
        };
        let after = checked_cursor(after, &prefix)?;
        self.filtered(&prefix, after, limit, |id| {
            let record = self.entity(&EntityId(id))?;
            Ok(filter.admits(&record).then_some((EntityId(id), record)))
        })
    }

    /// A page of the index rows under a prefix, each made an item by the id at its end, or left out.
    pub(super) fn filtered<T>(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
        make: impl Fn([u8; 32]) -> Result<Option<T>, QueryError>,
    ) -> Result<Page<T>, QueryError> {
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let mut items = Vec::new();
        let mut last = after.map(<[u8]>::to_vec);
        let mut examined = 0;
        loop {
            let rows = self.rows(prefix, last.as_deref(), limit)?;
            let at_end = rows.len() < limit;
            for (key, _) in rows {
                if let Some(id) = id_at_end(&key) {
                    items.extend(make(id)?);
                }
                last = Some(key);
                examined += 1;
                if items.len() == limit || examined == ROWS_EXAMINED_MAX {
                    return Ok(Page { items, next: last });
                }
            }
            if at_end {
                return Ok(Page { items, next: None });
            }
        }
    }

    /// Every key an entity has had, oldest first, after a version.
    ///
    /// # Errors
    /// [`Noun::Entity`] if it is not registered.
    pub fn keys(
        &self,
        id: &EntityId,
        after: u32,
        limit: usize,
    ) -> Result<(Vec<KeyVersion>, bool), QueryError> {
        let record = self.entity(id)?;
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let first_key = key::key_history(id, 0);
        let prefix = &first_key[..first_key.len() - size_of::<u32>()];
        let rows = self.view().scan(prefix, Some(&key::key_history(id, after)), limit)?;
        let mut keys = Vec::with_capacity(rows.len() + 1);
        for (row, value) in rows {
            let earlier: KeyRecord = decode(&row, &value)?;
            keys.push(KeyVersion {
                version: version_at_end(&row),
                key: earlier.key,
                since_height: earlier.since_height,
                until_height: Some(earlier.until_height),
            });
        }
        let more = keys.len() == limit;
        if !more && record.key_version > after {
            keys.push(KeyVersion {
                version: record.key_version,
                key: record.key,
                since_height: record.key_since_height,
                until_height: record.revoked,
            });
        }
        Ok((keys, more))
    }
}

fn version_at_end(key: &[u8]) -> u32 {
    key.last_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

impl EntityFilter {
    fn admits(&self, record: &EntityRecord) -> bool {
        self.kind.is_none_or(|kind| record.inception.kind == kind)
            && self
                .name
                .as_ref()
                .is_none_or(|name| record.inception.name.to_lowercase().contains(name.as_str()))
    }
}
