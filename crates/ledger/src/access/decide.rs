use althing_policy::{Policies, Principal, Question, Verdict};
use althing_proof::{
    key,
    record::{BindingRecord, EntityRecord, Given, GrantRecord, PolicyRecord, ThingRecord},
};
use althing_state::{Read, StoreError};
use althing_types::{
    Access, AccessMode, ContractId, EntityId, EntityKind, Event, GrantId, Parameters, Reads,
    Refusal, Resource, Right,
};
use minicbor::Decode;

use super::USE_OPEN_MS;
use crate::{
    context::PARAMETERS,
    contract::{ContractRecord, Status},
    index, key as own_key,
    transition::{Actor, Stop, Transition, decode_at},
};

/// What somebody wants.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Who; none if it does not say who it is.
    pub principal: Option<EntityId>,
    /// To do what.
    pub right: Right,
    /// With what.
    pub resource: &'a Resource,
    /// What for; empty if it does not say.
    pub purpose: &'a str,
}

/// When it is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// Height of the block it is decided in, or of the state that is read.
    pub height: u64,
    /// Time of that block, milliseconds since 1970.
    pub time_ms: u64,
}

/// Whether somebody may, and why. Whether is what peers agree on; why is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Why.
    pub reason: Reason,
    /// Whose the resource is; none if it is not known.
    pub owner: Option<EntityId>,
    /// The narrowest policy about the resource, or the wider one that forbids.
    pub policy: Option<PolicyUsed>,
    /// The grant it rests on: each use is to be recorded.
    pub grant: Option<GrantId>,
    /// How many uses of that grant are left by the records so far; none if there is no limit.
    pub uses_left: Option<u32>,
}

/// A policy that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyUsed {
    /// What it is about.
    pub resource: Resource,
    /// Its version.
    pub version: u32,
    /// What it needs besides.
    pub mode: AccessMode,
    /// Position of the statement that decided, from 0; none if no statement is about it.
    pub statement: Option<u32>,
}

/// Why somebody may or may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// May: it is the owner, the thing's own device, or bound to the thing by the owner.
    Holder,
    /// May: there is no policy, and the ledger is open then.
    OpenLedger,
    /// May: the policy permits it and asks for no grant.
    Permitted,
    /// May: the policy permits it and there is a grant in force.
    Granted,
    /// May not: there is no policy, and the ledger is closed then, or it is about commands.
    NoPolicy,
    /// May not: a statement forbids it.
    Forbidden,
    /// May not: no statement permits it.
    NotPermitted,
    /// May not: the policy would permit it, but there is no grant in force for this purpose.
    NoGrant,
    /// May not: the grant is used up.
    Exhausted,
    /// May not: the grant has not been used by a transaction just before.
    NotUsed,
    /// May not: it was revoked, or is not registered.
    UnknownPrincipal,
    /// May not: there is no such resource.
    UnknownResource,
}

impl Reason {
    /// Whether it lets go ahead.
    #[must_use]
    pub const fn allows(self) -> bool {
        matches!(self, Self::Holder | Self::OpenLedger | Self::Permitted | Self::Granted)
    }

    /// The refusal that says so; none if it lets go ahead.
    #[must_use]
    pub const fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Holder | Self::OpenLedger | Self::Permitted | Self::Granted => None,
            Self::NoPolicy | Self::Forbidden | Self::NotPermitted => Some(Refusal::AccessDenied),
            Self::NoGrant => Some(Refusal::NoGrant),
            Self::Exhausted => Some(Refusal::GrantExhausted),
            Self::NotUsed => Some(Refusal::UseNotGranted),
            Self::UnknownPrincipal => Some(Refusal::UnknownEntity),
            Self::UnknownResource => Some(Refusal::UnknownThing),
        }
    }
}

impl Decision {
    /// Whether it lets go ahead.
    #[must_use]
    pub const fn allows(&self) -> bool {
        self.reason.allows()
    }
}

/// Records of the state, as they are or as a block has changed them so far.
pub(super) trait Records {
    fn record<T: for<'b> Decode<'b, ()>>(&self, key: &[u8]) -> Result<Option<T>, StoreError>;
}

struct Plain<'a, R>(&'a R);

impl<R: Read> Records for Plain<'_, R> {
    fn record<T: for<'b> Decode<'b, ()>>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.0.get(key)?.map(|bytes| decode_at(key, &bytes)).transpose()
    }
}

impl<R: Read> Records for Transition<'_, R> {
    fn record<T: for<'b> Decode<'b, ()>>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.get(key)
    }
}

/// Decides whether somebody may do something, by the state as it is.
///
/// # Errors
/// [`StoreError`] if the state cannot be read.
pub fn decide(view: &impl Read, at: At, wanted: &Wanted<'_>) -> Result<Decision, StoreError> {
    decided(view, at, wanted, Uses::Before)
}

/// Decides as it is decided of an action that does what is wanted itself: a command, a call.
///
/// # Errors
/// [`StoreError`] if the state cannot be read.
pub(super) fn decide_deed(
    view: &impl Read,
    at: At,
    wanted: &Wanted<'_>,
) -> Result<Decision, StoreError> {
    decided(view, at, wanted, Uses::Now)
}

fn decided(
    view: &impl Read,
    at: At,
    wanted: &Wanted<'_>,
    uses: Uses,
) -> Result<Decision, StoreError> {
    let records = Plain(view);
    match owner_of(&records, wanted.resource)? {
        Some(owner) => judge(&records, at, wanted, owner, uses),
        None => Ok(unknown_resource()),
    }
}

/// Decides within a block, for an action that does what is wanted: a command, a call. A grant that
/// it rests on is used once, which the owner is told; a `strict` resource asks for nothing more,
/// since the action itself is the transaction that consensus decides.
///
/// `owner` is for what this module does not know the owner of, such as a contract. Whoever calls it
/// must be able to take back what it did: it is part of an action.
pub(crate) fn use_grant<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    wanted: &Wanted<'_>,
    owner: Option<EntityId>,
) -> Result<Decision, Stop> {
    let owner = match owner {
        Some(owner) => Some(owner),
        None => owner_of(state, wanted.resource)?,
    };
    let at = at(state);
    let decision = match owner {
        Some(owner) => judge(state, at, wanted, owner, Uses::Now)?,
        None => unknown_resource(),
    };
    if let Some(refusal) = decision.reason.refusal() {
        return Err(refusal.into());
    }
    if let Some(grant) = &decision.grant {
        count(state, actor, grant, 1, (at.time_ms, at.time_ms))?;
    }
    Ok(decision)
}

/// Whether anything is said about a resource, or about what it is part of.
pub(crate) fn is_governed<R: Read>(
    state: &Transition<'_, R>,
    owner: EntityId,
    resource: &Resource,
) -> Result<bool, StoreError> {
    for resource in resource.scopes(owner) {
        if state.get::<PolicyRecord>(&key::access_policy(&owner, &resource))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether somebody may do something by now, within a block; nothing is used up.
pub(crate) fn may<R: Read>(state: &Transition<'_, R>, wanted: &Wanted<'_>) -> Result<(), Stop> {
    let decision = match owner_of(state, wanted.resource)? {
        Some(owner) => judge(state, at(state), wanted, owner, Uses::Before)?,
        None => unknown_resource(),
    };
    decision.reason.refusal().map_or(Ok(()), |refusal| Err(refusal.into()))
}

pub(super) fn at<R: Read>(state: &Transition<'_, R>) -> At {
    At { height: state.now.height, time_ms: state.now.time_ms }
}

/// Adds uses to a grant that is there, and tells the owner.
pub(super) fn count<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &GrantId,
    count: u32,
    (first_ms, last_ms): (u64, u64),
) -> Result<(), Stop> {
    let key = key::grant(id);
    let mut record: GrantRecord = state.get(&key)?.ok_or(Refusal::NoGrant)?;
    let mut given = record.given.ok_or(Refusal::NoGrant)?;
    given.used = given.used.saturating_add(count);
    record.given = Some(given);
    state.put(key, &record);
    let (access, used) = (record.access, given.used);
    let owner = access.owner;
    let event = Event::AccessUsed { access, by: actor.id, count, used, first_ms, last_ms };
    index::access_told(state, actor, &owner, event);
    Ok(())
}

fn unknown_resource() -> Decision {
    let reason = Reason::UnknownResource;
    Decision { reason, owner: None, policy: None, grant: None, uses_left: None }
}

/// Who owns a resource, as far as the state of this module tells.
pub(super) fn owner_of(
    records: &impl Records,
    resource: &Resource,
) -> Result<Option<EntityId>, StoreError> {
    let entity = |id: &EntityId| records.record::<EntityRecord>(&key::entity(id));
    match resource {
        Resource::Everything(id) => Ok(entity(id)?.map(|_| *id)),
        Resource::Thing(thing)
        | Resource::Property { thing, .. }
        | Resource::ThingAction { thing, .. } => {
            let thing: Option<ThingRecord> = records.record(&key::thing(thing))?;
            Ok(thing.map(|thing| thing.owner))
        }
        Resource::Service(id) => Ok(entity(id)?.map(|service| service.owner.unwrap_or(*id))),
        Resource::Contract(id) => {
            let contract: Option<ContractRecord> =
                records.record(&own_key::contract(&ContractId(*id)))?;
            Ok(contract.map(|contract| contract.owner()))
        }
    }
}

/// Whether a `strict` resource wants a use before, or this is the use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Uses {
    Before,
    Now,
}

fn judge(
    records: &impl Records,
    at: At,
    wanted: &Wanted<'_>,
    owner: EntityId,
    uses: Uses,
) -> Result<Decision, StoreError> {
    let decision = |reason, policy, grant| {
        Ok(Decision { reason, owner: Some(owner), policy, grant, uses_left: None })
    };
    let principal = match wanted.principal {
        None => Principal::Nobody,
        Some(id) => match principal(records, id)? {
            Some(principal) => principal,
            None => return decision(Reason::UnknownPrincipal, None, None),
        },
    };
    if let Some(id) = wanted.principal
        && is_holder(records, at, &owner, wanted.resource, &id)?
    {
        return decision(Reason::Holder, None, None);
    }
    let grant = held(records, at, &owner, wanted)?;
    let used = grant.map_or(0, |(_, given)| given.used);
    let (permitted, policy) = consult(records, at, wanted, owner, principal, used)?;
    let Some(policy) = policy else {
        let open = opens(records, wanted.right)?;
        let reason = if open { Reason::OpenLedger } else { Reason::NoPolicy };
        return decision(reason, None, None);
    };
    let mode = policy.mode;
    match permitted {
        Verdict::Forbidden(_) => return decision(Reason::Forbidden, Some(policy), None),
        Verdict::Silent => return decision(Reason::NotPermitted, Some(policy), None),
        Verdict::Permitted(_) => {}
    }
    if mode == AccessMode::Open {
        return decision(Reason::Permitted, Some(policy), None);
    }
    let Some((id, given)) = grant else { return decision(Reason::NoGrant, Some(policy), None) };
    let reason = match (mode, uses) {
        (AccessMode::Strict, Uses::Before) if given.used_ms == 0 => Reason::NotUsed,
        (AccessMode::Strict, Uses::Before)
            if given.used_ms.saturating_add(USE_OPEN_MS) < at.time_ms =>
        {
            Reason::NotUsed
        }
        (AccessMode::Strict, Uses::Before) => Reason::Granted,
        _ if given.uses_left() == Some(0) => Reason::Exhausted,
        _ => Reason::Granted,
    };
    Ok(Decision {
        reason,
        owner: Some(owner),
        policy: Some(policy),
        grant: reason.allows().then_some(id),
        uses_left: given.uses_left(),
    })
}

/// Who wants it, as policies see it; none if it does not count any more, or is not known.
pub(super) fn principal(
    records: &impl Records,
    id: EntityId,
) -> Result<Option<Principal>, StoreError> {
    let Some(entity) = records.record::<EntityRecord>(&key::entity(&id))? else {
        return contract_as_principal(records, id);
    };
    let owner = match &entity.owner {
        Some(owner) => records.record::<EntityRecord>(&key::entity(owner))?,
        None => None,
    };
    let ended = entity.revoked.is_some() || owner.is_some_and(|owner| owner.revoked.is_some());
    let (kind, organisation) = (entity.inception.kind, entity.owner);
    Ok((!ended).then_some(Principal::Entity { id, kind, organisation }))
}

/// A contract that runs: to policies, a service of the organisation whose member made it.
fn contract_as_principal(
    records: &impl Records,
    id: EntityId,
) -> Result<Option<Principal>, StoreError> {
    let contract: Option<ContractRecord> = records.record(&own_key::contract(&ContractId(id.0)))?;
    let Some(contract) = contract.filter(|contract| contract.status == Status::Active) else {
        return Ok(None);
    };
    let creator = records.record::<EntityRecord>(&key::entity(&contract.creator))?;
    let organisation = creator.and_then(|creator| creator.owner).unwrap_or(contract.creator);
    let organisation = Some(organisation);
    Ok(Some(Principal::Entity { id, kind: EntityKind::Service, organisation }))
}

/// Whether an entity has the thing in its hands: its owner, its own device, or bound to it now.
pub(super) fn is_holder(
    records: &impl Records,
    at: At,
    owner: &EntityId,
    resource: &Resource,
    entity: &EntityId,
) -> Result<bool, StoreError> {
    if entity == owner || matches!(resource, Resource::Service(service) if service == entity) {
        return Ok(true);
    }
    let Some(id) = resource.thing() else { return Ok(false) };
    let thing: Option<ThingRecord> = records.record(&key::thing(&id))?;
    if thing.is_some_and(|thing| thing.device.as_ref() == Some(entity)) {
        return Ok(true);
    }
    let binding: Option<BindingRecord> = records.record(&key::binding(&id, entity))?;
    Ok(binding.is_some_and(|binding| binding.holds_at(at.height)))
}

/// The grant in force that somebody has for something, the narrowest first.
fn held(
    records: &impl Records,
    at: At,
    owner: &EntityId,
    wanted: &Wanted<'_>,
) -> Result<Option<(GrantId, Given)>, StoreError> {
    let Some(grantee) = wanted.principal.filter(|_| !wanted.purpose.is_empty()) else {
        return Ok(None);
    };
    for resource in wanted.resource.scopes(*owner) {
        let (right, purpose) = (wanted.right, wanted.purpose.to_owned());
        let access = Access { owner: *owner, grantee, resource, right, purpose };
        let id = access.id();
        let record: Option<GrantRecord> = records.record(&key::grant(&id))?;
        let given = record.and_then(|record| record.given);
        if let Some(given) = given.filter(|given| given.holds_at(at.height)) {
            return Ok(Some((id, given)));
        }
    }
    Ok(None)
}

/// What the policies about a resource say: the narrowest decides, and a wider one can only forbid.
pub(super) fn consult(
    records: &impl Records,
    at: At,
    wanted: &Wanted<'_>,
    owner: EntityId,
    principal: Principal,
    used: u32,
) -> Result<(Verdict, Option<PolicyUsed>), StoreError> {
    let mut narrowest: Option<(Verdict, PolicyUsed)> = None;
    for resource in wanted.resource.scopes(owner) {
        let key = key::access_policy(&owner, &resource);
        let Some(record) = records.record::<PolicyRecord>(&key)? else { continue };
        let policies =
            Policies::known(&record.policy.text).map_err(|_| StoreError::corrupt(&key))?;
        let verdict = policies.decide(&Question {
            principal,
            right: wanted.right,
            resource: wanted.resource,
            owner,
            purpose: wanted.purpose,
            height: at.height,
            time_ms: at.time_ms,
            used,
        });
        let statement = match verdict {
            Verdict::Permitted(position) | Verdict::Forbidden(position) => Some(position),
            Verdict::Silent => None,
        };
        let mode = record.policy.mode;
        let policy = PolicyUsed { resource, version: record.version, mode, statement };
        if matches!(verdict, Verdict::Forbidden(_)) {
            return Ok((verdict, Some(policy)));
        }
        narrowest.get_or_insert((verdict, policy));
    }
    Ok(narrowest.map_or((Verdict::Silent, None), |(verdict, policy)| (verdict, Some(policy))))
}

/// Whether the ledger lets anybody do this with what has no policy. Nobody is let command what
/// belongs to somebody else.
pub(super) fn opens(records: &impl Records, right: Right) -> Result<bool, StoreError> {
    if matches!(right, Right::Write | Right::Invoke) {
        return Ok(false);
    }
    let key = key::parameter(PARAMETERS);
    let parameters: Option<Parameters> = records.record(&key)?;
    Ok(parameters.is_some_and(|parameters| parameters.reads == Reads::Open))
}
