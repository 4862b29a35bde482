//! Governance: what the member organisations decide together, one vote each (Y.4464 7.2).
//!
//! A proposal is opened by a member, gathers votes, is accepted once the [`VotingRule`] in force is
//! met, and takes effect at once or, if the rule has a timelock, when somebody sends
//! [`Action::Enact`](althing_types::Action::Enact) after it. What it would lead to is checked when
//! it is proposed, so that nobody votes on what cannot be, and again when it takes effect.
//!
//! Validators change with the epochs, by one rule: what was decided in epoch `e` holds from the first
//! block of epoch `e + 2` on. The last block of `e` settles it (`epoch`); before, a later decision can
//! take it back. How they agree changes with the epochs too, at a height that members name. [`Consequence`]
//! tells the height before anybody votes.

use althing_state::{Read, StoreError};
use althing_types::{
    EntityId, Event, Members, Proposal, Refusal, TxId, ValidatorSet, VotingRule, Wire, WireError,
    limits::PROPOSALS_MAX,
};
use minicbor::{Decode, Encode};

use crate::{
    entity, index, key as own_key, stake,
    transition::{Actor, Stop, Transition},
};

mod change;
pub(crate) mod mechanism;
pub use mechanism::{mechanism, planned_mechanism};

mod consequence;
pub use consequence::{Consequence, consequence};

/// A proposal that is open: it gathers votes, or waits for its time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct OpenProposal {
    /// Who proposed it.
    #[n(0)]
    pub proposer: EntityId,
    /// What is proposed.
    #[n(1)]
    pub proposal: Proposal,
    /// Height of the block that opened it.
    #[n(2)]
    pub since_height: u64,
    /// Last height at which members can vote.
    #[n(3)]
    pub until_height: u64,
    /// First height at which it can take effect, once it is accepted.
    #[n(4)]
    pub due_height: Option<u64>,
    /// Organisations that voted for it, in order.
    #[n(5)]
    pub accepts: Vec<EntityId>,
    /// Organisations that voted against it, in order.
    #[n(6)]
    pub rejects: Vec<EntityId>,
}

impl Wire for OpenProposal {
    const BYTES_MAX: usize = 64 * 1024;

    fn validate(&self) -> Result<(), WireError> {
        if self.proposal.is_within_bounds() {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("proposal"))
        }
    }
}

/// The proposals that are open, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct OpenProposals(#[n(0)] pub Vec<TxId>);

/// What became of a proposal, as the index tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalStatus {
    /// Members vote on it, or it waits for its time.
    Open,
    /// It took effect at this height.
    Enacted(u64),
    /// It ended without effect at this height, for this reason.
    Ended(u64, Refusal),
}

/// The members of the ledger, as the state has them.
///
/// # Errors
/// [`StoreError`] if they cannot be read.
pub fn members(view: &impl Read) -> Result<Members, StoreError> {
    crate::transition::expect(view, &own_key::members())
}

/// How the members decide, as the state has it.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn voting_rule(view: &impl Read) -> Result<VotingRule, StoreError> {
    Ok(read(view, &own_key::voting_rule())?.unwrap_or(VotingRule::STANDARD))
}

/// The validators of the epoch after the next, as far as members have decided, or as stakes are; those of the present
/// one if the ledger has no other. They are settled with the last block of the present epoch.
///
/// # Errors
/// [`StoreError`] if they cannot be read.
pub fn chosen_validators(view: &impl Read) -> Result<ValidatorSet, StoreError> {
    let Some(next) = crate::validators_of_next_epoch(view)? else {
        return crate::validators(view);
    };
    let parameters = crate::parameters(view)?;
    let mut state = Transition::looking(view, &parameters);
    let mechanism = mechanism::after(&state, &next)?;
    let given = match &parameters.stake {
        Some(rules) => stake::prospect(&mut state, rules)?,
        None => read::<ValidatorSet>(view, &own_key::chosen_validators())?
            .map(|chosen| chosen.validators),
    };
    let validators = given.unwrap_or(next.validators);
    Ok(ValidatorSet { epoch: next.epoch.saturating_add(1), validators, mechanism })
}

/// Where a peer that was given a seat by vote can be reached, `host:port`.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn address(view: &impl Read, peer: &EntityId) -> Result<Option<String>, StoreError> {
    read(view, &own_key::address(peer))
}

/// The proposals that are open, oldest first.
///
/// # Errors
/// [`StoreError`] if they cannot be read.
pub fn open_proposals(view: &impl Read) -> Result<Vec<(TxId, OpenProposal)>, StoreError> {
    let open: OpenProposals = read(view, &own_key::open_proposals())?.unwrap_or_default();
    open.0
        .into_iter()
        .map(|id| Ok((id, crate::transition::expect(view, &own_key::proposal(&id))?)))
        .collect()
}

/// One proposal that is open.
///
/// # Errors
/// [`StoreError`] if it cannot be read.
pub fn open_proposal(view: &impl Read, id: &TxId) -> Result<Option<OpenProposal>, StoreError> {
    read(view, &own_key::proposal(id))
}

fn read<T: for<'b> Decode<'b, ()>>(view: &impl Read, key: &[u8]) -> Result<Option<T>, StoreError> {
    view.get(key)?.map(|bytes| crate::transition::decode_at(key, &bytes)).transpose()
}

/// Opens a proposal with the proposer's vote for it.
pub(crate) fn propose<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    proposal: &Proposal,
) -> Result<(), Stop> {
    let members = member(state, &actor.id)?;
    let key = own_key::proposal(&actor.transaction);
    if state.get::<OpenProposal>(&key)?.is_some() {
        return Err(Refusal::OutOfBounds.into());
    }
    change::possible(state, actor, &proposal.change)?;
    let mut open = still_open(state)?;
    if open.0.len() >= PROPOSALS_MAX {
        return Err(Refusal::TooManyProposals.into());
    }
    open.0.push(actor.transaction);
    state.put(own_key::open_proposals(), &open);
    let (height, rule) = (state.now.height, rule(state)?);
    let opened = OpenProposal {
        proposer: actor.id,
        proposal: proposal.clone(),
        since_height: height,
        until_height: height.saturating_add(u64::from(rule.patience_blocks)),
        due_height: None,
        accepts: Vec::from([actor.id]),
        rejects: Vec::new(),
    };
    index::proposed(state, &actor.transaction, height, ProposalStatus::Open);
    state.emit(Event::Proposed { proposal: actor.transaction, proposer: actor.id });
    count(state, actor, &actor.transaction, opened, &members)
}

/// Counts a member's vote, in place of the one it gave before.
pub(crate) fn vote<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
    accept: bool,
) -> Result<(), Stop> {
    let members = member(state, &actor.id)?;
    let mut open = load(state, id)?;
    if open.due_height.is_some() || state.now.height > open.until_height {
        return Err(Refusal::VotingOver.into());
    }
    let (same, other) = if accept {
        (&mut open.accepts, &mut open.rejects)
    } else {
        (&mut open.rejects, &mut open.accepts)
    };
    if same.contains(&actor.id) {
        return Err(Refusal::AlreadyApproved.into());
    }
    other.retain(|voter| *voter != actor.id);
    same.push(actor.id);
    count(state, actor, id, open, &members)
}

/// Carries out what was accepted, once its time has come.
pub(crate) fn enact<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let open = load(state, id)?;
    match open.due_height {
        Some(due) if state.now.height >= due => take_effect(state, actor, id, &open),
        _ => Err(Refusal::NotYetDue.into()),
    }
}

/// Ends a proposal at the wish of whoever opened it.
pub(crate) fn withdraw<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
) -> Result<(), Stop> {
    let open = load(state, id)?;
    if open.proposer != actor.id {
        return Err(Refusal::NotPermitted.into());
    }
    close(state, id)?;
    ended(state, id, open.since_height, Refusal::Withdrawn);
    Ok(())
}

/// Counts the votes of those who are members now, and decides if they are enough.
fn count<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
    mut open: OpenProposal,
    members: &Members,
) -> Result<(), Stop> {
    let rule = rule(state)?;
    let of_members = |voters: &[EntityId]| {
        voters.iter().filter(|id| members.0.binary_search(id).is_ok()).count()
    };
    let (accepts, rejects) = (of_members(&open.accepts), of_members(&open.rejects));
    let needed = rule.needed_for(&open.proposal.change, members.0.len());
    state.emit(Event::Voted {
        proposal: *id,
        organisation: actor.id,
        accept: open.accepts.contains(&actor.id),
        votes: small(accepts),
        needed: small(needed),
    });
    if accepts >= needed {
        let due_height = state.now.height.saturating_add(u64::from(rule.timelock_blocks));
        open.due_height = Some(due_height);
        state.emit(Event::ProposalAccepted { proposal: *id, due_height });
        if rule.timelock_blocks == 0 {
            return take_effect(state, actor, id, &open);
        }
    } else if members.0.len() - rejects.min(members.0.len()) < needed {
        close(state, id)?;
        ended(state, id, open.since_height, Refusal::VotedDown);
        return Ok(());
    }
    state.put(own_key::proposal(id), &open);
    Ok(())
}

/// Does what was accepted. If the rules forbid it by now, it ends without effect, and the vote or
/// the request that led here stands.
fn take_effect<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
    open: &OpenProposal,
) -> Result<(), Stop> {
    close(state, id)?;
    let mark = state.mark();
    match change::make(state, actor, &open.proposal.change) {
        Ok(()) => {
            state.emit(Event::ProposalEnacted { proposal: *id });
            let status = ProposalStatus::Enacted(state.now.height);
            index::proposed(state, id, open.since_height, status);
            Ok(())
        }
        Err(Stop::Refused(refusal)) => {
            state.roll_back(mark);
            ended(state, id, open.since_height, refusal);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn ended<R: Read>(state: &mut Transition<'_, R>, id: &TxId, since_height: u64, why: Refusal) {
    state.emit(Event::ProposalEnded { proposal: *id, code: why.number() });
    let status = ProposalStatus::Ended(state.now.height, why);
    index::proposed(state, id, since_height, status);
}

/// Removes a proposal from the state.
fn close<R: Read>(state: &mut Transition<'_, R>, id: &TxId) -> Result<(), Stop> {
    state.remove(own_key::proposal(id));
    let key = own_key::open_proposals();
    let mut open: OpenProposals = state.get(&key)?.unwrap_or_default();
    open.0.retain(|other| other != id);
    keep_list(state, &open);
    Ok(())
}

fn keep_list<R: Read>(state: &mut Transition<'_, R>, open: &OpenProposals) {
    let key = own_key::open_proposals();
    if open.0.is_empty() {
        state.remove(key);
    } else {
        state.put(key, open);
    }
}

/// The list without those whose time to vote is over, which end here: there is no other moment at
/// which the ledger would look at them.
fn still_open<R: Read>(state: &mut Transition<'_, R>) -> Result<OpenProposals, Stop> {
    let open: OpenProposals = state.get(&own_key::open_proposals())?.unwrap_or_default();
    let mut kept = OpenProposals::default();
    for id in open.0 {
        let proposal = load(state, &id)?;
        if proposal.due_height.is_none() && state.now.height > proposal.until_height {
            state.remove(own_key::proposal(&id));
            ended(state, &id, proposal.since_height, Refusal::VotingOver);
        } else {
            kept.0.push(id);
        }
    }
    keep_list(state, &kept);
    Ok(kept)
}

fn load<R: Read>(state: &Transition<'_, R>, id: &TxId) -> Result<OpenProposal, Stop> {
    Ok(state.get(&own_key::proposal(id))?.ok_or(Refusal::UnknownProposal)?)
}

/// The rule in force.
pub(crate) fn rule<R: Read>(state: &Transition<'_, R>) -> Result<VotingRule, Stop> {
    Ok(state.get(&own_key::voting_rule())?.unwrap_or(VotingRule::STANDARD))
}

/// The members, of whom the entity must be one that may act.
fn member<R: Read>(state: &mut Transition<'_, R>, id: &EntityId) -> Result<Members, Stop> {
    entity::active(state, id)?;
    let members = all_members(state)?;
    match members.0.binary_search(id) {
        Ok(_) => Ok(members),
        Err(_) => Err(Refusal::NotAMember.into()),
    }
}

fn all_members<R: Read>(state: &Transition<'_, R>) -> Result<Members, Stop> {
    let key = own_key::members();
    state.get(&key)?.ok_or_else(|| StoreError::corrupt(&key).into())
}

/// The number of members or validators, which limits keep far below 2^16.
fn small(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
