use althing_state::{Read, StoreError};
use althing_types::{Action, Command, EntityId, Resource, Right};

use super::{
    At, Decision, Reason, Wanted,
    decide::{decide, decide_deed},
};
use crate::contract::CALL_PURPOSE;

/// What an action needs the leave of an owner for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// To do what.
    pub right: Right,
    /// With what.
    pub resource: Resource,
    /// What for.
    pub purpose: String,
}

impl Deed {
    fn of(action: &Action) -> Option<Self> {
        let (right, resource, purpose) = match action {
            Action::Command(command) => {
                let Command { thing, operation, purpose, .. } = command;
                let purpose = purpose.as_deref().unwrap_or_default();
                (operation.right(), operation.resource(*thing), purpose)
            }
            Action::Execute { contract, .. } => {
                (Right::Call, Resource::Contract(contract.0), CALL_PURPOSE)
            }
            Action::RequestAccess(asked) => {
                (asked.right, asked.resource.clone(), asked.purpose.as_str())
            }
            _ => return None,
        };
        Some(Self { right, resource, purpose: purpose.to_owned() })
    }

    fn by(&self, sender: EntityId) -> Wanted<'_> {
        let Self { right, resource, purpose } = self;
        Wanted { principal: Some(sender), right: *right, resource, purpose }
    }
}

/// What an action needs the leave of an owner for, and what the owner has decided about it: so that who
/// is refused learns by which policy. None if it needs nobody's leave.
///
/// This explains; what counts is what the action itself comes to.
///
/// # Errors
/// [`StoreError`] if the state cannot be read.
pub fn deed(
    view: &impl Read,
    at: At,
    sender: EntityId,
    action: &Action,
) -> Result<Option<(Deed, Decision)>, StoreError> {
    let Some(deed) = Deed::of(action) else { return Ok(None) };
    let wanted = deed.by(sender);
    let mut decision = match action {
        // To ask is no use of what is asked for.
        Action::RequestAccess(_) => decide(view, at, &wanted)?,
        _ => decide_deed(view, at, &wanted)?,
    };
    // A contract that nobody said anything about is called by everybody.
    if decision.policy.is_none() && matches!(action, Action::Execute { .. }) {
        return Ok(None);
    }
    // Commands want to be permitted: that nobody decided, or to have the thing in hand, is not enough.
    let hand = matches!(decision.reason, Reason::OpenLedger | Reason::Holder);
    if hand && matches!(action, Action::Command(_)) && decision.owner != Some(sender) {
        decision.reason = Reason::NoPolicy;
    }
    Ok(Some((deed, decision)))
}
