//! Commands to things, and the vouchers by which devices join.

use althing_ledger::{
    command::{CommandRecord, Open},
    index, key as ledger_key,
    onboarding::VoucherRecord,
};
use althing_state::Space;
use althing_types::{CommandState, ThingId, TxId, VoucherId};

use super::{Noun, PAGE_ITEMS_MAX, Page, Query, QueryError, checked_cursor, decode, id_at_end};

/// A command with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandAt {
    /// Its id.
    pub id: TxId,
    /// What it asks for, and how far it is at the newest height.
    pub record: CommandRecord,
}

impl Query {
    /// A command; one whose time has passed is over, whether the ledger has touched it since or not.
    ///
    /// # Errors
    /// [`Noun::Command`] if no thing was ever asked for it.
    pub fn command(&self, id: &TxId) -> Result<CommandAt, QueryError> {
        let key = index::command(id);
        let unknown = || self.absent(QueryError::Unknown(Noun::Command));
        let row = self.stored(Space::Index, &key)?.ok_or_else(unknown)?;
        let mut record: CommandRecord = decode(&key, &row)?;
        let now_ms = self.block_head(self.height())?.header.time_ms;
        if !record.state.is_last() && now_ms > record.command.until_ms {
            record.state = CommandState::Expired;
            record.changed_ms = record.command.until_ms;
        }
        Ok(CommandAt { id: *id, record })
    }

    /// Commands of a thing, oldest first.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn commands(
        &self,
        thing: &ThingId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<CommandAt>, QueryError> {
        let prefix = index::commands_of(thing);
        let after = checked_cursor(after, &prefix)?;
        let limit = limit.clamp(1, PAGE_ITEMS_MAX);
        let rows = self.rows(&prefix, after, limit)?;
        let next = (rows.len() == limit).then(|| rows.last().map(|(key, _)| key.clone()));
        let ids = rows.iter().filter_map(|(key, _)| id_at_end(key));
        let items = ids.map(|id| self.command(&TxId(id))).collect::<Result<_, _>>()?;
        Ok(Page { items, next: next.flatten() })
    }

    /// The commands of a thing that are neither done nor over, oldest first.
    ///
    /// # Errors
    /// [`QueryError`] if they cannot be read.
    pub fn open_commands(&self, thing: &ThingId) -> Result<Vec<CommandAt>, QueryError> {
        let open: Open = self.record(&ledger_key::open_commands(thing))?.unwrap_or_default();
        let mut commands = Vec::with_capacity(open.0.len());
        for id in &open.0 {
            let command = self.command(id)?;
            if !command.record.state.is_last() {
                commands.push(command);
            }
        }
        Ok(commands)
    }

    /// A voucher.
    ///
    /// # Errors
    /// [`Noun::Voucher`] if no maker issued it.
    pub fn voucher(&self, id: &VoucherId) -> Result<VoucherRecord, QueryError> {
        self.known(&ledger_key::voucher(id), Noun::Voucher)
    }
}
