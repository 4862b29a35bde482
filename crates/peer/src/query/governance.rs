//! Who decides on the ledger, and what is proposed.

use althing_ledger::{
    Context,
    governance::{self, Consequence, OpenProposal, ProposalStatus},
    index, regulation,
};
use althing_state::{Direction, Space};
use althing_types::{
    Change, EntityId, Mechanism, MechanismFrom, Members, Parameters, Regulation, TxId,
    ValidatorSet, VotingRule,
};

use super::{Noun, PAGE_ITEMS_MAX, Page, Query, QueryError, checked_cursor};

/// Who decides, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GovernanceState {
    /// The member organisations.
    pub members: Members,
    /// How they decide.
    pub rule: VotingRule,
    /// The settings of the ledger.
    pub parameters: Parameters,
    /// What the network demands of how readings are kept, ascending by id.
    pub regulations: Vec<Regulation>,
    /// The validators of the present epoch.
    pub validators: ValidatorSet,
    /// The last height of the present epoch, if it ends.
    pub epoch_end: Option<u64>,
    /// The validators of the next one, which are settled; those of the present one if it has no end.
    pub next_validators: ValidatorSet,
    /// Those of the one after it, as far as members have decided.
    pub chosen_validators: ValidatorSet,
    /// How each of these three agree.
    pub mechanisms: [Mechanism; 3],
    /// How peers will agree from a later epoch on, if members have decided so.
    pub planned_mechanism: Option<MechanismFrom>,
    /// Proposals that are open, oldest first.
    pub open: Vec<(TxId, OpenProposal)>,
}

/// A proposal's place in the list of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalAt {
    /// Which.
    pub id: TxId,
    /// Height of the block that opened it.
    pub since_height: u64,
    /// What became of it.
    pub status: ProposalStatus,
    /// Its votes, while it is open.
    pub open: Option<OpenProposal>,
}

impl Query {
    /// Who decides, by which rule, and what is open.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn governance(&self) -> Result<GovernanceState, QueryError> {
        let view = self.view();
        let validators = althing_ledger::validators(&view)?;
        let next = althing_ledger::validators_of_next_epoch(&view)?;
        let next = next.unwrap_or_else(|| validators.clone());
        let chosen = governance::chosen_validators(&view)?;
        let parameters = althing_ledger::parameters(&view)?;
        let agree = |set| governance::mechanism(&view, set);
        Ok(GovernanceState {
            epoch_end: parameters.epoch_end(validators.epoch),
            mechanisms: [agree(&validators)?, agree(&next)?, agree(&chosen)?],
            planned_mechanism: governance::planned_mechanism(&view)?,
            next_validators: next,
            members: governance::members(&view)?,
            rule: governance::voting_rule(&view)?,
            parameters,
            regulations: regulation::in_force(&view)?,
            validators,
            chosen_validators: chosen,
            open: governance::open_proposals(&view)?,
        })
    }

    /// Where a peer that was given its seat by vote can be reached.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn peer_address(&self, peer: &EntityId) -> Result<Option<String>, QueryError> {
        Ok(governance::address(&self.view(), peer)?)
    }

    /// All proposals there have been, newest first.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn proposals(
        &self,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<ProposalAt>, QueryError> {
        let (prefix, limit) = (index::proposals(), limit.clamp(1, PAGE_ITEMS_MAX));
        let end = match checked_cursor(after, &prefix)? {
            Some(after) => Some(after.to_vec()),
            None => althing_state::prefix_end(&prefix),
        };
        self.lists(&prefix)?;
        let store = self.chain().state().store();
        let rows = store.scan(
            Space::Index,
            &prefix,
            end.as_deref(),
            Direction::Backward,
            limit.saturating_add(1),
        )?;
        let next = (rows.len() > limit).then(|| rows[limit - 1].0.clone());
        let items = rows.iter().take(limit).map(|(key, value)| self.proposal_at(key, value));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next })
    }

    /// One proposal that is open.
    ///
    /// # Errors
    /// [`Noun::Proposal`] if none is open with this id.
    pub fn open_proposal(&self, id: &TxId) -> Result<OpenProposal, QueryError> {
        let open = governance::open_proposal(&self.view(), id)?;
        open.ok_or(QueryError::Unknown(Noun::Proposal))
    }

    /// What a change would lead to in the present state.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn consequence(&self, change: &Change) -> Result<Consequence, QueryError> {
        let view = self.view();
        let height = self.height();
        let parameters = althing_ledger::parameters(&view)?;
        let now = Context {
            ledger: self.core.config.genesis.ledger(),
            height,
            time_ms: self.block_head(height)?.header.time_ms,
            parameters: &parameters,
        };
        Ok(governance::consequence(&view, &now, change)?)
    }

    fn proposal_at(&self, key: &[u8], value: &[u8]) -> Result<ProposalAt, QueryError> {
        let damaged = || althing_state::StoreError::corrupt(key);
        let rest = key.get(1..).ok_or_else(damaged)?;
        let (height, id) = rest.split_at_checked(8).ok_or_else(damaged)?;
        let id = TxId(id.try_into().map_err(|_| damaged())?);
        let status = index::proposal_status(value).ok_or_else(damaged)?;
        let open = match status {
            ProposalStatus::Open => governance::open_proposal(&self.view(), &id)?,
            _ => None,
        };
        let since_height = u64::from_be_bytes(height.try_into().map_err(|_| damaged())?);
        Ok(ProposalAt { id, since_height, status, open })
    }
}
