//! What members had decided by a height, and what regulations say of a stream or a transaction.

use althing_ledger::{Context, governance::ProposalStatus, regulation};
use althing_types::{
    Action, Change, EntityId, Event, Members, Parameters, Regulation, StreamId, Transaction, TxId,
    VotingRule,
};

use super::{Noun, PAGE_ITEMS_MAX, Query, QueryError, TransactionState};

/// Most proposals that are gone through for one answer.
pub const PROPOSALS_GONE_THROUGH_MAX: usize = 10_000;

/// What the members had decided by a height, as it held after that block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoliciesAt {
    /// The member organisations.
    pub members: Members,
    /// How they decided.
    pub rule: VotingRule,
    /// The settings of the ledger.
    pub parameters: Parameters,
    /// The regulations in force, ascending by id.
    pub regulations: Vec<Regulation>,
}

impl PoliciesAt {
    fn apply(&mut self, change: Change) {
        match change {
            Change::AddOrganisation { inception, .. } => {
                let id = inception.id();
                if let Err(place) = self.members.0.binary_search(&id) {
                    self.members.0.insert(place, id);
                }
            }
            Change::RemoveOrganisation { organisation } => {
                self.members.0.retain(|member| *member != organisation);
            }
            Change::SetParameters(parameters) => self.parameters = parameters,
            Change::SetVotingRule(rule) => self.rule = rule,
            Change::SetRegulation(said) => {
                match self.regulations.binary_search_by(|one| one.id.cmp(&said.id)) {
                    Ok(place) => self.regulations[place] = said,
                    Err(place) => self.regulations.insert(place, said),
                }
            }
            Change::EndRegulation { id } => self.regulations.retain(|one| one.id != id),
            Change::AddPeer(_)
            | Change::RemovePeer { .. }
            | Change::RotateVotingKey { .. }
            | Change::SetMechanism(_)
            | Change::MintTokens { .. }
            | Change::FreezeAccount { .. } => {}
        }
    }
}

impl Query {
    /// What the members had decided by a height: the genesis, and every proposal that took effect since.
    ///
    /// # Errors
    /// [`Noun::Block`] if this peer is not as far, [`QueryError::HistoryNotHere`] if it lacks what was
    /// before, [`QueryError::TooLarge`] if there were more than [`PROPOSALS_GONE_THROUGH_MAX`].
    pub async fn policies_at(&self, height: u64) -> Result<PoliciesAt, QueryError> {
        if height > self.height() {
            return Err(QueryError::Unknown(Noun::Block));
        }
        let genesis = &self.core.config.genesis;
        let founders = genesis.organisations.iter().map(|one| one.inception.id()).collect();
        let mut policies = PoliciesAt {
            members: Members(founders),
            rule: VotingRule::STANDARD,
            parameters: genesis.parameters.clone(),
            regulations: Vec::new(),
        };
        for id in self.enacted(height)? {
            policies.apply(self.proposed(&id).await?);
        }
        if let Some(seats) = genesis.parameters.stake.and_then(|_| {
            let epoch = genesis.parameters.epoch_of(height);
            self.chain().validators_since(epoch)
        }) {
            let mut members: Vec<EntityId> =
                seats.validators.iter().map(|seat| seat.organisation).collect();
            members.sort_unstable();
            members.dedup();
            policies.members = Members(members);
        }
        Ok(policies)
    }

    /// The proposals that took effect up to a height, in the order in which they did.
    fn enacted(&self, height: u64) -> Result<Vec<TxId>, QueryError> {
        let (mut found, mut seen, mut after) = (Vec::new(), 0_usize, None);
        loop {
            let page = self.proposals(after.as_deref(), PAGE_ITEMS_MAX)?;
            seen += page.items.len();
            for at in page.items {
                match at.status {
                    ProposalStatus::Enacted(enacted) if enacted <= height => {
                        found.push((enacted, at.id));
                    }
                    _ => {}
                }
            }
            after = match page.next {
                Some(_) if seen >= PROPOSALS_GONE_THROUGH_MAX => return Err(QueryError::TooLarge),
                Some(next) => Some(next),
                None => break,
            };
        }
        found.sort_unstable();
        let mut ordered = Vec::with_capacity(found.len());
        for block in found.chunk_by(|one, next| one.0 == next.0) {
            match block {
                [(_, only)] => ordered.push(*only),
                several => ordered.extend(self.enacted_in(several[0].0)?),
            }
        }
        Ok(ordered)
    }

    /// The proposals that took effect in a block, in order.
    fn enacted_in(&self, height: u64) -> Result<Vec<TxId>, QueryError> {
        let receipts = self.receipts(height)?;
        let events = receipts.iter().flat_map(|receipt| &receipt.events);
        let told = events.filter_map(|event| match event {
            Event::ProposalEnacted { proposal } => Some(*proposal),
            _ => None,
        });
        Ok(told.collect())
    }

    /// What a proposal's transaction proposed.
    async fn proposed(&self, id: &TxId) -> Result<Change, QueryError> {
        let transaction = match self.transaction(id).await? {
            TransactionState::Waiting(transaction) => transaction,
            TransactionState::Final { transaction, .. } => transaction,
        };
        let proposed = transaction.body().actions.iter().find_map(|action| match action {
            Action::Propose(proposal) => Some(proposal.change.clone()),
            _ => None,
        });
        proposed.ok_or(QueryError::Unknown(Noun::Proposal))
    }

    /// The regulations in force about a stream, ascending by id, and whether it complies with each.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn regulations_about(
        &self,
        stream: &StreamId,
    ) -> Result<Vec<(Regulation, bool)>, QueryError> {
        let view = self.view();
        let parameters = althing_ledger::parameters(&view)?;
        Ok(regulation::about(&view, &self.present(&parameters)?, stream)?)
    }

    /// The regulation that a transaction would break now.
    ///
    /// # Errors
    /// [`QueryError`] if the disk fails.
    pub fn regulation_broken_by(
        &self,
        transaction: &Transaction,
    ) -> Result<Option<Regulation>, QueryError> {
        let view = self.view();
        let parameters = althing_ledger::parameters(&view)?;
        Ok(regulation::broken(&view, &self.present(&parameters)?, transaction)?)
    }

    fn present<'a>(&self, parameters: &'a Parameters) -> Result<Context<'a>, QueryError> {
        let (ledger, height) = (self.core.ledger, self.height());
        let time_ms = self.block_head(height)?.header.time_ms;
        Ok(Context { ledger, height, time_ms, parameters })
    }
}
