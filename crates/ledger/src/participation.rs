//! Participation: who sends transactions, and who brings code and makes contracts (Y.4464 7.1.3,
//! Table I.1).
//!
//! The genesis says it, and members change it by vote. Where nothing is said, whoever is registered may do both.

use althing_state::Read;
use althing_types::{Action, ActionKind, ApprovalPolicy, Deploy, EntityId, Refusal, Transact};

use crate::{
    approval::Claim,
    entity, governance,
    transition::{Stop, Transition},
};

/// Refuses transactions of whoever does not take part.
pub(crate) fn may_transact<R: Read>(
    state: &mut Transition<'_, R>,
    sender: &EntityId,
) -> Result<(), Stop> {
    let closed = match state.now.parameters.participation {
        Some(said) => said.transact == Transact::Members,
        None => false,
    };
    if closed && !is_of_member(state, sender)? {
        return Err(Refusal::NotTakingPart.into());
    }
    Ok(())
}

/// Refuses code and contracts of whoever may not bring them.
pub(crate) fn may_deploy<R: Read>(
    state: &mut Transition<'_, R>,
    sender: &EntityId,
    action: &Action,
) -> Result<(), Stop> {
    let closed = match state.now.parameters.participation {
        Some(said) => said.deploy != Deploy::Everybody,
        None => false,
    };
    if closed && deploys(action) && !is_of_member(state, sender)? {
        return Err(Refusal::MayNotDeploy.into());
    }
    Ok(())
}

const fn deploys(action: &Action) -> bool {
    matches!(
        action,
        Action::UploadCode { .. }
            | Action::StoreCode { .. }
            | Action::Instantiate { .. }
            | Action::Migrate { .. }
    )
}

/// Whether members must approve actions: contracts that begin or get other code. Code that nothing runs
/// does nothing, so it may lie there before.
pub(crate) fn wants_approval<R: Read>(state: &Transition<'_, R>, actions: &[Action]) -> bool {
    let approved = match state.now.parameters.participation {
        Some(said) => said.deploy == Deploy::Approved,
        None => false,
    };
    let begins =
        |action: &Action| matches!(action, Action::Instantiate { .. } | Action::Migrate { .. });
    approved && actions.iter().any(begins)
}

/// What the members' approval asks for, and how far it is: as many of them as the voting rule says, each
/// with one voice.
pub(crate) fn claim<R: Read>(
    state: &mut Transition<'_, R>,
    signers: &[EntityId],
) -> Result<Claim, Stop> {
    let (members, rule) = (state.members()?, governance::rule(state)?);
    let mut approvals = 0_u8;
    for member in signers.iter().filter(|id| members.0.binary_search(id).is_ok()) {
        if entity::is_active(state, member)? {
            approvals = approvals.saturating_add(1);
        }
    }
    let threshold = u8::try_from(rule.needed(members.0.len())).unwrap_or(u8::MAX);
    let policy = ApprovalPolicy {
        kind: ActionKind::Instantiate,
        threshold,
        approvers: members.0.clone(),
        patience_blocks: rule.patience_blocks,
    };
    Ok(Claim { policy, approvals })
}

/// Whether an entity is a member organisation, or belongs to one.
fn is_of_member<R: Read>(state: &mut Transition<'_, R>, id: &EntityId) -> Result<bool, Stop> {
    let record = state.entity(id)?.ok_or(Refusal::UnknownEntity)?;
    let organisation = record.owner.unwrap_or(*id);
    Ok(state.members()?.0.binary_search(&organisation).is_ok())
}
