//! Code, contracts, what they answer, and what would come of calling them.

use althing_ledger::{
    Context,
    contract::{self, Asked, CodeRecord, ContractRecord, Trial},
    index, key,
};
use althing_state::{Read as _, StoreError};
use althing_types::{Body, CodeId, ContractId, EntityId, Parameters, Refusal};
use minicbor::bytes::ByteVec;

use super::{Noun, Page, Past, Query, QueryError, checked_cursor, decode};

/// Code that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeState {
    /// Its id.
    pub id: CodeId,
    /// Its record.
    pub record: CodeRecord,
}

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractState {
    /// Its id.
    pub id: ContractId,
    /// Its record.
    pub record: ContractRecord,
    /// Names of the interfaces that its code serves.
    pub interfaces: Vec<String>,
}

/// Which contracts a list is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContractFilter {
    /// With exactly this name.
    pub name: Option<String>,
    /// Whose code serves this interface.
    pub interface: Option<String>,
    /// That run this code.
    pub code: Option<CodeId>,
    /// That wait for this participant to decide.
    pub awaiting: Option<EntityId>,
}

/// What came of trying actions out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// What the ledger says.
    pub trial: Trial,
}

impl Query {
    /// Code in a stable order.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn codes(&self, after: Option<&[u8]>, limit: usize) -> Result<Page<CodeState>, QueryError> {
        let prefix = index::codes();
        let after = checked_cursor(after, &prefix)?;
        self.filtered(&prefix, after, limit, |id| self.code(&CodeId(id)).map(Some))
    }

    /// Code of contracts.
    ///
    /// # Errors
    /// [`Noun::Code`] if it is not stored.
    pub fn code(&self, id: &CodeId) -> Result<CodeState, QueryError> {
        Ok(CodeState { id: *id, record: self.known(&key::code(id), Noun::Code)? })
    }

    /// The module of code.
    ///
    /// # Errors
    /// [`Noun::Code`] if it is not stored.
    pub fn module(&self, id: &CodeId) -> Result<Vec<u8>, QueryError> {
        let view = self.view();
        let key = key::code(id);
        let record = view.get(&key)?.ok_or(QueryError::Unknown(Noun::Code))?;
        let record: CodeRecord = decode(&key, &record)?;
        let mut module = Vec::with_capacity(record.bytes as usize);
        for part in 0..record.parts {
            let key = key::code_part(id, part);
            let bytes = view.get(&key)?.ok_or_else(|| StoreError::corrupt(&key))?;
            module.extend_from_slice(&decode::<ByteVec>(&key, &bytes)?);
        }
        Ok(module)
    }

    /// A contract.
    ///
    /// # Errors
    /// [`Noun::Contract`] if there is none.
    pub fn contract(&self, id: &ContractId) -> Result<ContractState, QueryError> {
        let record: ContractRecord = self.known(&key::contract(id), Noun::Contract)?;
        // The code of a contract that has ended may be gone.
        let code: Option<CodeRecord> = self.record(&key::code(&record.code))?;
        let interfaces = code.map(|code| code.meta.interfaces).unwrap_or_default();
        Ok(ContractState { id: *id, record, interfaces })
    }

    /// Contracts that a reader is shown, in a stable order.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn contracts(
        &self,
        filter: &ContractFilter,
        reader: Option<EntityId>,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<ContractState>, QueryError> {
        let prefix = filter.prefix();
        let after = checked_cursor(after, &prefix)?;
        self.filtered(&prefix, after, limit, |id| {
            let state = self.contract(&ContractId(id))?;
            let shown = filter.admits(&state) && self.lists_contract(&state, reader)?;
            Ok(shown.then_some(state))
        })
    }

    /// Transactions that called or changed a contract, newest first.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn contract_history(
        &self,
        id: &ContractId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<Past>, QueryError> {
        self.past(&index::history_of_contract(id), after, limit)
    }

    /// Asks a contract; also says at which height.
    ///
    /// # Errors
    /// [`Noun::Contract`] if there is none.
    pub fn ask_contract(
        &self,
        id: &ContractId,
        message: &[u8],
    ) -> Result<(Asked, u64), QueryError> {
        let (view, height, time_ms) = self.moment()?;
        self.known::<ContractRecord>(&key::contract(id), Noun::Contract)?;
        let parameters = althing_ledger::parameters(&view)?;
        let asked = contract::ask(&view, &self.context(height, time_ms, &parameters), id, message);
        Ok((asked.map_err(unread)?, height))
    }

    /// What would come of actions in the next block; also says on which height's state.
    ///
    /// # Errors
    /// [`QueryError::Store`] if the disk fails.
    pub fn try_out(&self, body: &Body) -> Result<(Tried, u64), QueryError> {
        let (view, height, time_ms) = self.moment()?;
        let parameters = althing_ledger::parameters(&view)?;
        let trial = contract::try_out(&view, &self.context(height, time_ms, &parameters), body);
        Ok((Tried { trial: trial.map_err(unread)? }, height))
    }

    /// The newest state, its height, and the time of its block.
    pub(super) fn moment(&self) -> Result<(althing_state::View<'_>, u64, u64), QueryError> {
        let view = self.view();
        let height = view.height();
        Ok((view, height, self.block_head(height)?.header.time_ms))
    }

    /// With the settings that execution will use: members may have changed them since the genesis.
    fn context<'a>(&self, height: u64, time_ms: u64, parameters: &'a Parameters) -> Context<'a> {
        Context { ledger: self.core.ledger, height, time_ms, parameters }
    }
}

fn unread(refusal: Refusal) -> QueryError {
    StoreError::Damaged { what: format!("the state cannot be read: {refusal}") }.into()
}

impl ContractFilter {
    fn prefix(&self) -> Vec<u8> {
        match (&self.awaiting, &self.code, &self.interface, &self.name) {
            (Some(participant), ..) => index::contracts_awaiting(participant),
            (None, Some(code), ..) => index::contracts_of(code),
            (None, None, Some(interface), _) => index::contracts_with(interface),
            (None, None, None, name) => index::contracts_named(name.as_deref().unwrap_or("")),
        }
    }

    fn admits(&self, state: &ContractState) -> bool {
        self.name.as_ref().is_none_or(|name| *name == state.record.name)
            && self.code.is_none_or(|code| code == state.record.code)
            && self.interface.as_ref().is_none_or(|interface| state.interfaces.contains(interface))
    }
}
