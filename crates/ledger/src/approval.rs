//! Approvals: an organisation lets some of its actions take effect only when several have signed; and
//! where members approve contracts, those do ([`participation`](crate::participation)).

use std::collections::BTreeSet;

use althing_proof::key;
use althing_state::Read;
use althing_types::{
    Action, ActionKind, ApprovalPolicy, EntityId, EntityKind, Event, Refusal, Transaction, TxId,
    Wire, WireError,
    limits::{
        ACTIONS_MAX, APPROVERS_MAX, ORGANISATIONS_MAX, SIGNATURES_MAX, TRANSACTION_BYTES_MAX,
    },
};
use minicbor::{Decode, Encode};

use crate::{
    entity, execute, index, key as own_key, participation,
    transition::{Actor, Stop, Transition},
};

/// Most transactions of one sender that wait for approvals.
pub const WAITING_MAX: usize = 32;

/// A transaction that waits for approvals.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Pending {
    /// Who sent it: an organisation, or what belongs to one if all members must approve it.
    #[n(0)]
    pub sender: EntityId,
    /// What is to be done.
    #[n(1)]
    pub actions: Vec<Action>,
    /// Who has signed or approved, in order.
    #[n(2)]
    pub approvals: Vec<EntityId>,
    /// Height of the block that recorded it.
    #[n(3)]
    pub since_height: u64,
    /// Last height at which it can be approved.
    #[n(4)]
    pub until_height: u64,
    /// Height of the state that its payloads were checked against.
    #[n(5)]
    pub checked_height: u64,
    /// Whom the index leads to it: the sender and those who could approve when it was recorded.
    #[n(6)]
    pub told: Vec<EntityId>,
}

/// Most entities that one pending transaction is shown to.
const TOLD_MAX: usize = 1 + APPROVERS_MAX * ActionKind::ALL.len() + ORGANISATIONS_MAX;

impl Wire for Pending {
    const BYTES_MAX: usize =
        TRANSACTION_BYTES_MAX + (TOLD_MAX + SIGNATURES_MAX + TOLD_MAX) * 34 + 64;

    fn validate(&self) -> Result<(), WireError> {
        let fits = (1..=ACTIONS_MAX).contains(&self.actions.len())
            && self.actions.iter().all(Action::is_within_bounds);
        if fits { Ok(()) } else { Err(WireError::OutOfBounds("actions")) }
    }
}

/// The transactions of an organisation that wait, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Waiting(#[n(0)] pub Vec<TxId>);

impl Wire for Waiting {
    const BYTES_MAX: usize = WAITING_MAX * 34 + 2;

    fn validate(&self) -> Result<(), WireError> {
        if (1..=WAITING_MAX).contains(&self.0.len()) {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("waiting"))
        }
    }
}

/// Sets or removes a policy of the sender.
pub(crate) fn set_policy<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    policy: &ApprovalPolicy,
) -> Result<(), Stop> {
    let sender = entity::active(state, &actor.id)?;
    if sender.inception.kind != EntityKind::Organisation {
        return Err(Refusal::NotPermitted.into());
    }
    // Approvals that themselves wait for approvals would never end.
    if matches!(policy.kind, ActionKind::Approve | ActionKind::Reject) {
        return Err(Refusal::OutOfBounds.into());
    }
    let key = key::policy(&actor.id, policy.kind);
    if policy.threshold == 0 {
        state.remove(key);
    } else {
        for approver in &policy.approvers {
            entity::active(state, approver)?;
        }
        state.put(key, policy);
    }
    state.emit(Event::ApprovalPolicySet { entity: actor.id });
    Ok(())
}

/// A policy that some actions fall under, and how far its approvals are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) policy: ApprovalPolicy,
    pub(crate) approvals: u8,
}

impl Claim {
    fn is_met(&self) -> bool {
        self.approvals >= self.policy.threshold
    }
}

/// The policies that actions of a sender fall under, by kind, with the approvals each has.
///
/// Only organisations have policies, and one binds what the organisation itself sends. What all members
/// must approve comes first, whoever sends it. Changing a
/// policy falls under that policy too, whatever the new one says.
fn claims<R: Read>(
    state: &mut Transition<'_, R>,
    sender: &EntityId,
    actions: &[Action],
    signers: &[EntityId],
) -> Result<Vec<Claim>, Stop> {
    let changed = actions.iter().filter_map(|action| match action {
        Action::SetApprovalPolicy(policy) => Some(policy.kind),
        _ => None,
    });
    let kinds: BTreeSet<ActionKind> = actions.iter().map(Action::kind).chain(changed).collect();
    let mut claims = Vec::new();
    if participation::wants_approval(state, actions) {
        claims.push(participation::claim(state, signers)?);
    }
    for kind in kinds {
        let Some(policy) = state.policy(sender, kind)? else { continue };
        let mut approvals = 0_u8;
        for approver in signers.iter().filter(|id| policy.approvers.binary_search(id).is_ok()) {
            // One who was revoked since does not count any more.
            if entity::is_active(state, approver)? {
                approvals = approvals.saturating_add(1);
            }
        }
        claims.push(Claim { policy: ApprovalPolicy::clone(&policy), approvals });
    }
    Ok(claims)
}

/// An approval is the only action of its transaction. What it sets free may be long to carry out; if
/// a later action could take it back, the same approvals would cost that time again and again.
pub(crate) fn stands_alone(transaction: &Transaction) -> Result<(), Stop> {
    let actions = &transaction.body().actions;
    let approves = |action: &Action| matches!(action, Action::Approve { .. });
    if actions.len() > 1 && actions.iter().any(approves) {
        return Err(Refusal::OutOfBounds.into());
    }
    Ok(())
}

/// What a transaction still needs before it takes effect; none if nothing.
pub(crate) fn missing<R: Read>(
    state: &mut Transition<'_, R>,
    transaction: &Transaction,
) -> Result<Vec<Claim>, Stop> {
    let body = transaction.body();
    let sender = entity::active(state, &body.sender)?;
    let is_organisation = sender.inception.kind == EntityKind::Organisation;
    if !is_organisation && !participation::wants_approval(state, &body.actions) {
        return Ok(Vec::new());
    }
    let signers: Vec<EntityId> =
        transaction.signatures().iter().map(|signed| signed.signer).collect();
    let mut claims = claims(state, &body.sender, &body.actions, &signers)?;
    claims.retain(|claim| !claim.is_met());
    let approves =
        |action: &Action| matches!(action, Action::Approve { .. } | Action::Reject { .. });
    if !claims.is_empty() && body.actions.iter().any(approves) {
        return Err(Refusal::NotPermitted.into());
    }
    Ok(claims)
}

/// Records a transaction that waits for approvals.
pub(crate) fn record<R: Read>(
    state: &mut Transition<'_, R>,
    transaction: &Transaction,
    missing: &[Claim],
) -> Result<(), Stop> {
    let (body, id, height) = (transaction.body(), transaction.id(), state.now.height);
    let mut waiting = still_waiting(state, &body.sender)?;
    if waiting.0.len() >= WAITING_MAX {
        return Err(Refusal::SenderQuota.into());
    }
    waiting.0.push(id);
    state.put(own_key::waiting(&body.sender), &waiting);
    let patience = missing.iter().map(|claim| claim.policy.patience_blocks).min().unwrap_or(0);
    let pending = Pending {
        sender: body.sender,
        actions: body.actions.clone(),
        approvals: transaction.signatures().iter().map(|signed| signed.signer).collect(),
        since_height: height,
        until_height: height.saturating_add(u64::from(patience)),
        checked_height: state.now.checked_height,
        told: concerned(&body.sender, missing),
    };
    for entity in &pending.told {
        index::waiting(state, entity, &id, Some(pending.until_height));
    }
    announce(state, &id, missing);
    state.put(key::pending(&id), &pending);
    Ok(())
}

/// Tells of the approvals that a pending transaction has and needs, for the first policy not met.
fn announce<R: Read>(state: &mut Transition<'_, R>, id: &TxId, missing: &[Claim]) {
    if let Some(first) = missing.first() {
        let (approvals, threshold) = (first.approvals, first.policy.threshold);
        state.emit(Event::ApprovalPending { pending: *id, approvals, threshold });
    }
}

/// The sender and those who can approve, each once.
fn concerned(sender: &EntityId, claims: &[Claim]) -> Vec<EntityId> {
    let approvers = claims.iter().flat_map(|claim| claim.policy.approvers.iter().copied());
    approvers.chain([*sender]).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The organisation's list without those whose time is over, which end here.
fn still_waiting<R: Read>(
    state: &mut Transition<'_, R>,
    organisation: &EntityId,
) -> Result<Waiting, Stop> {
    let waiting: Waiting = state.get(&own_key::waiting(organisation))?.unwrap_or_default();
    let mut kept = Waiting::default();
    for id in waiting.0 {
        match state.get::<Pending>(&key::pending(&id))? {
            Some(pending) if state.now.height > pending.until_height => {
                clear(state, &id, &pending);
                let code = Refusal::PendingExpired.number();
                state.emit(Event::ApprovalEnded { pending: id, code });
            }
            Some(_) => kept.0.push(id),
            None => {}
        }
    }
    Ok(kept)
}

/// Removes a pending transaction from the state and from the index, but not from its list.
fn clear<R: Read>(state: &mut Transition<'_, R>, id: &TxId, pending: &Pending) {
    for entity in &pending.told {
        index::waiting(state, entity, id, None);
    }
    state.remove(key::pending(id));
}

fn end<R: Read>(state: &mut Transition<'_, R>, id: &TxId, pending: &Pending) -> Result<(), Stop> {
    clear(state, id, pending);
    let key = own_key::waiting(&pending.sender);
    let mut waiting: Waiting = state.get(&key)?.unwrap_or_default();
    waiting.0.retain(|other| other != id);
    if waiting.0.is_empty() {
        state.remove(key);
    } else {
        state.put(key, &waiting);
    }
    Ok(())
}

/// Approves a pending transaction, which takes effect if this was the last approval it needed.
pub(crate) fn approve<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
) -> Result<(), Stop> {
    let mut pending: Pending = state.get(&key::pending(id))?.ok_or(Refusal::UnknownPending)?;
    if state.now.height > pending.until_height {
        return Err(Refusal::PendingExpired.into());
    }
    may_approve(state, actor, &pending)?;
    if pending.approvals.contains(&actor.id) {
        return Err(Refusal::AlreadyApproved.into());
    }
    pending.approvals.push(actor.id);
    let mut missing = claims(state, &pending.sender, &pending.actions, &pending.approvals)?;
    missing.retain(|claim| !claim.is_met());
    if missing.is_empty() {
        end(state, id, &pending)?;
        return take_effect(state, actor, id, &pending);
    }
    index::waiting(state, &actor.id, id, None);
    announce(state, id, &missing);
    state.put(key::pending(id), &pending);
    Ok(())
}

fn may_approve<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    pending: &Pending,
) -> Result<(), Stop> {
    let claims = claims(state, &pending.sender, &pending.actions, &[])?;
    let named = claims.iter().any(|claim| claim.policy.approvers.binary_search(&actor.id).is_ok());
    if named { Ok(()) } else { Err(Refusal::NotAnApprover.into()) }
}

/// Does what waited, in the block of the last approval. If the rules forbid it by now, the approval
/// stands and what waited ends without effect.
fn take_effect<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
    pending: &Pending,
) -> Result<(), Stop> {
    let mark = state.mark();
    state.emit(Event::ApprovalGranted { pending: *id });
    let on_behalf = Actor { id: pending.sender, transaction: *id, position: actor.position };
    let checked_height = std::mem::replace(&mut state.now.checked_height, pending.checked_height);
    let done = still_signed(state, pending)
        .and_then(|()| execute::act(state, &on_behalf, &pending.actions).map_err(|(_, stop)| stop));
    state.now.checked_height = checked_height;
    match done {
        Ok(()) => index::in_history(state, &on_behalf, &pending.sender),
        Err(Stop::Refused(refusal)) => {
            state.roll_back(mark);
            state.emit(Event::ApprovalEnded { pending: *id, code: refusal.number() });
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Whether the sender still stands behind what it signed: whoever replaces a key, perhaps because
/// it was stolen, also ends what waits under it.
fn still_signed<R: Read>(state: &mut Transition<'_, R>, pending: &Pending) -> Result<(), Stop> {
    let sender = entity::active(state, &pending.sender)?;
    if sender.key_since_height > pending.checked_height {
        return Err(Refusal::BadSignature.into());
    }
    Ok(())
}

/// Withdraws a pending transaction; by its sender or one who could approve it.
pub(crate) fn reject<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &TxId,
) -> Result<(), Stop> {
    let pending: Pending = state.get(&key::pending(id))?.ok_or(Refusal::UnknownPending)?;
    if actor.id != pending.sender {
        may_approve(state, actor, &pending)?;
    }
    end(state, id, &pending)?;
    let code = Refusal::Withdrawn.number();
    state.emit(Event::ApprovalEnded { pending: *id, code });
    Ok(())
}

#[cfg(test)]
mod tests;
