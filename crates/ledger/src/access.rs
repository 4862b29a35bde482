//! Access: owners decide who may do what with what they own, and every use of a grant is told.
//!
//! A [policy](AccessPolicy) says whom its owner permits what. The narrowest policy about a resource
//! decides: that of the property before that of the thing before that of all things of the owner; a
//! wider one can only forbid. By its mode, whom it permits may go ahead, or needs a grant besides, or
//! a grant and a transaction for each use. A request that it permits becomes a grant, at once or when
//! who is asked allows it.
//!
//! Start reading at [`decide`].

mod decide;
pub use decide::{At, Decision, PolicyUsed, Reason, Wanted, decide};
pub(crate) use decide::{is_governed, may, use_grant};

mod deed;
pub use deed::{Deed, deed};

mod direct;
pub(crate) use direct::record as record_direct;

mod remembered;
pub use remembered::{DECISIONS_MAX, Remembered};

mod grant;
pub(crate) use grant::{answer, record, request, revoke, use_by_transaction};

use althing_policy::Policies;
use althing_proof::{key, record::PolicyRecord};
use althing_state::Read;
use althing_types::{AccessPolicy, EntityId, Event, GrantId, Refusal, Resource, Wire, WireError};
use minicbor::{Decode, Encode};

use crate::{
    entity, index,
    transition::{Actor, Stop, Transition},
};

/// Most requests about what one owner has that wait for an answer.
pub const REQUESTS_MAX: usize = 64;
/// Most of them by one and the same sender, so that nobody can take all places.
pub const REQUESTS_PER_SENDER_MAX: usize = 8;
/// How long one use that consensus decided opens a `strict` resource to the reader, milliseconds of
/// ledger time: enough to fetch what was granted from any peer.
pub const USE_OPEN_MS: u64 = 10_000;

/// The requests about what an owner has that wait, oldest first, each with who asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Requests(#[n(0)] pub Vec<Waits>);

/// A request that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Waits {
    /// Which.
    #[n(0)]
    pub request: GrantId,
    /// Who asked.
    #[n(1)]
    pub sender: EntityId,
}

impl Wire for Requests {
    const BYTES_MAX: usize = REQUESTS_MAX * 70 + 4;

    fn validate(&self) -> Result<(), WireError> {
        if (1..=REQUESTS_MAX).contains(&self.0.len()) {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("requests"))
        }
    }
}

/// Sets a policy of the sender about something that it owns.
pub(crate) fn set_policy<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    policy: &AccessPolicy,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    owned(state, actor, &policy.resource)?;
    Policies::compile(&policy.text).map_err(|_| Refusal::BadPolicy)?;
    if let Some(asked) = &policy.ask {
        entity::active(state, asked)?;
    }
    let key = key::access_policy(&actor.id, &policy.resource);
    let before: Option<PolicyRecord> = state.get(&key)?;
    let version = before.map_or(0, |before| before.version);
    let version = version.checked_add(1).ok_or(Refusal::OutOfBounds)?;
    let record = PolicyRecord { policy: policy.clone(), version, since_height: state.now.height };
    state.put(key, &record);
    index::access_policy(state, &actor.id, &policy.resource, true);
    let resource = policy.resource.clone();
    let event = Event::AccessPolicySet { owner: actor.id, resource, version };
    index::access_told(state, actor, &actor.id, event);
    Ok(())
}

/// Removes a policy of the sender.
pub(crate) fn remove_policy<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    resource: &Resource,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let key = key::access_policy(&actor.id, resource);
    // Also about what the sender owns no more: it can always take back what it said.
    state.get::<PolicyRecord>(&key)?.ok_or(Refusal::NoPolicy)?;
    state.remove(key);
    index::access_policy(state, &actor.id, resource, false);
    let event = Event::AccessPolicyRemoved { owner: actor.id, resource: resource.clone() };
    index::access_told(state, actor, &actor.id, event);
    Ok(())
}

/// Whether the sender owns a resource.
fn owned<R: Read>(
    state: &Transition<'_, R>,
    actor: &Actor,
    resource: &Resource,
) -> Result<(), Stop> {
    let owner = decide::owner_of(state, resource)?.ok_or(match resource {
        Resource::Everything(_) | Resource::Service(_) => Refusal::UnknownEntity,
        Resource::Contract(_) => Refusal::UnknownContract,
        _ => Refusal::UnknownThing,
    })?;
    if owner == actor.id { Ok(()) } else { Err(Refusal::NotPermitted.into()) }
}

#[cfg(test)]
mod tests;
