//! Services: what providers offer, in versions, for others to find (Y.4464 9.3, 10.3).
//!
//! A provider publishes a [`Manifest`] under a name of its own and a version. A version never changes
//! but in its status: live, deprecated, withdrawn for ever. Several of one service may be there at once.
//! Whether a service is performed by a contract or outside the ledger, nobody publishes what is not
//! its own.

use althing_proof::{key as proof_key, record::EntityRecord};
use althing_state::{Read, StoreError};
use althing_types::{
    ContractId, EntityId, Event, Listing, Manifest, Offered, Refusal, Resource, Right,
    ServiceEvent, ServiceId, ServiceStatus, Version, Wire, WireError,
    limits::{NAME_BYTES_MAX, SERVICE_VERSIONS_MAX, SERVICES_OF_PROVIDER_MAX},
};
use minicbor::{Decode, Encode};

use crate::{
    access::{At, Reason, Wanted, decide},
    contract::{CALL_PURPOSE, ContractRecord, contract},
    entity, index, key,
    thing::is_json_object,
    transition::{Actor, Stop, Transition, decode_at},
};

/// A service with its versions that are not withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ServiceRecord {
    /// Who provides it.
    #[n(0)]
    pub provider: EntityId,
    /// The provider's name for it.
    #[n(1)]
    pub name: String,
    /// Its versions that are live or deprecated, ascending, at most [`SERVICE_VERSIONS_MAX`].
    #[n(2)]
    pub versions: Vec<Version>,
    /// Height at which its first version was published.
    #[n(3)]
    pub since_height: u64,
    /// Height at which it last changed.
    #[n(4)]
    pub changed_height: u64,
}

impl Wire for ServiceRecord {
    const BYTES_MAX: usize = 64 + NAME_BYTES_MAX + SERVICE_VERSIONS_MAX * 16;

    fn validate(&self) -> Result<(), WireError> {
        let ascending = self.versions.windows(2).all(|pair| pair[0] < pair[1]);
        if ascending && self.versions.len() <= SERVICE_VERSIONS_MAX {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("versions"))
        }
    }
}

/// A version of a service.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct VersionRecord {
    /// What its provider says of it.
    #[n(0)]
    pub manifest: Manifest,
    /// Whether it can be relied on.
    #[n(1)]
    pub status: ServiceStatus,
    /// Height at which it was published.
    #[n(2)]
    pub published_height: u64,
    /// Height at which its status last changed.
    #[n(3)]
    pub changed_height: u64,
}

impl Wire for VersionRecord {
    const BYTES_MAX: usize = Manifest::BYTES_MAX + 32;

    fn validate(&self) -> Result<(), WireError> {
        self.manifest.validate()
    }
}

/// Publishes a service, or another version of one.
pub(crate) fn publish<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    manifest: &Manifest,
) -> Result<(), Stop> {
    let organisation = entity::active(state, &actor.id)?.owner.unwrap_or(actor.id);
    is_own(state, actor, &organisation, &manifest.offered)?;
    if manifest.schema.as_ref().is_some_and(|schema| !is_json_object(schema)) {
        return Err(Refusal::OutOfBounds.into());
    }
    let id = manifest.id(&actor.id);
    let version_key = key::service_version(&id, manifest.version);
    if state.get::<VersionRecord>(&version_key)?.is_some() {
        return Err(Refusal::AlreadyExists.into());
    }
    let height = state.now.height;
    let mut record = state.get(&key::service(&id))?.unwrap_or_else(|| ServiceRecord {
        provider: actor.id,
        name: manifest.name.clone(),
        versions: Vec::new(),
        since_height: height,
        changed_height: height,
    });
    if record.versions.is_empty() {
        count(state, &actor.id, true)?;
    }
    if record.versions.len() >= SERVICE_VERSIONS_MAX {
        return Err(Refusal::TooManyServices.into());
    }
    if let Err(place) = record.versions.binary_search(&manifest.version) {
        record.versions.insert(place, manifest.version);
    }
    record.changed_height = height;
    let version = VersionRecord {
        manifest: manifest.clone(),
        status: ServiceStatus::Live,
        published_height: height,
        changed_height: height,
    };
    state.put(version_key, &version);
    state.put(key::service(&id), &record);
    index::service_published(state, &id, &actor.id, manifest);
    index::service_history(state, actor, &id);
    let (provider, version) = (actor.id, manifest.version);
    state.emit(Event::Service(ServiceEvent::Published { service: id, provider, version }));
    Ok(())
}

/// Says whether a version can be relied on.
pub(crate) fn set_status<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    id: &ServiceId,
    version: Version,
    status: ServiceStatus,
) -> Result<(), Stop> {
    entity::active(state, &actor.id)?;
    let mut record: ServiceRecord = state.get(&key::service(id))?.ok_or(Refusal::UnknownService)?;
    // A provider that was revoked cannot withdraw any more what it offered; its organisation can.
    let organisation = state.entity(&record.provider)?.and_then(|provider| provider.owner);
    if actor.id != record.provider && organisation != Some(actor.id) {
        return Err(Refusal::NotPermitted.into());
    }
    let version_key = key::service_version(id, version);
    let mut at: VersionRecord = state.get(&version_key)?.ok_or(Refusal::UnknownService)?;
    if at.status == ServiceStatus::Withdrawn {
        return Err(Refusal::UnknownService.into());
    }
    if at.status == status {
        return Err(Refusal::ChangesNothing.into());
    }
    at.status = status;
    at.changed_height = state.now.height;
    record.changed_height = state.now.height;
    if status == ServiceStatus::Withdrawn {
        record.versions.retain(|other| *other != version);
        let left = manifests(state, id, &record)?;
        index::service_withdrawn(state, id, &record.provider, &at.manifest, &left);
        if left.is_empty() {
            count(state, &record.provider, false)?;
        }
    }
    state.put(version_key, &at);
    state.put(key::service(id), &record);
    index::service_history(state, actor, id);
    let (service, provider) = (*id, record.provider);
    state.emit(Event::Service(ServiceEvent::StatusSet { service, provider, version, status }));
    Ok(())
}

/// What is said of the versions that are not withdrawn.
pub(crate) fn manifests<R: Read>(
    state: &Transition<'_, R>,
    id: &ServiceId,
    record: &ServiceRecord,
) -> Result<Vec<Manifest>, StoreError> {
    let manifest = |version: &Version| {
        let key = key::service_version(id, *version);
        let record: Option<VersionRecord> = state.get(&key)?;
        record.map(|record| record.manifest).ok_or_else(|| StoreError::corrupt(&key))
    };
    record.versions.iter().map(manifest).collect()
}

/// Whether the sender may offer it: a contract that it or its organisation decides about, an entity
/// that it is, or that its organisation owns.
fn is_own<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    organisation: &EntityId,
    offered: &Offered,
) -> Result<(), Stop> {
    let ours = |id: &EntityId| *id == actor.id || id == organisation;
    if let Some(id) = offered.contract() {
        let owner = contract(state, &id)?.owner();
        let behind = state.entity(&owner)?.and_then(|owner| owner.owner);
        if !ours(&owner) && behind.as_ref() != Some(organisation) {
            return Err(Refusal::NotPermitted.into());
        }
    }
    if let Offered::Outside { entity, .. } = offered {
        let owner = entity::active(state, entity)?.owner;
        if !ours(entity) && owner.as_ref() != Some(organisation) {
            return Err(Refusal::NotPermitted.into());
        }
    }
    Ok(())
}

/// Counts the services of a provider that have a version.
fn count<R: Read>(
    state: &mut Transition<'_, R>,
    provider: &EntityId,
    more: bool,
) -> Result<(), Stop> {
    let key = key::services_of(provider);
    let held = state.get::<u32>(&key)?.unwrap_or(0);
    if more && held >= SERVICES_OF_PROVIDER_MAX {
        return Err(Refusal::TooManyServices.into());
    }
    match if more { held.saturating_add(1) } else { held.saturating_sub(1) } {
        0 => state.remove(key),
        held => state.put(key, &held),
    }
    Ok(())
}

/// Whether a service is to be shown to a reader in the catalogue: to everyone, or to those who may
/// call it, with a grant that they have or could ask for.
///
/// # Errors
/// [`StoreError`] if the state cannot be read.
pub fn is_shown(
    view: &impl Read,
    at: At,
    reader: Option<EntityId>,
    provider: &EntityId,
    manifest: &Manifest,
) -> Result<bool, StoreError> {
    if manifest.listing == Listing::Everyone || reader == Some(*provider) {
        return Ok(true);
    }
    match &manifest.offered {
        Offered::Contract(contract) => may_call(view, at, reader, contract),
        Offered::Outside { entity, .. } => {
            let resource = Resource::Service(*entity);
            let purpose = &manifest.purpose;
            may_ask(
                view,
                at,
                &Wanted { principal: reader, right: Right::Call, resource: &resource, purpose },
                false,
            )
        }
    }
}

/// Whether an entity may call a contract, with a grant that it has or could ask for.
///
/// # Errors
/// [`StoreError`] if the state cannot be read.
pub fn may_call(
    view: &impl Read,
    at: At,
    caller: Option<EntityId>,
    contract: &ContractId,
) -> Result<bool, StoreError> {
    let Some(record) = read::<ContractRecord>(view, &key::contract(contract))? else {
        return Ok(false);
    };
    let named = |id: &EntityId| record.terms.callers.binary_search(id).is_ok();
    let is_caller = match caller {
        _ if record.terms.callers.is_empty() => true,
        None => false,
        Some(id) if named(&id) || id == record.owner() => true,
        Some(id) => {
            let entity: Option<EntityRecord> = read(view, &proof_key::entity(&id))?;
            entity.and_then(|entity| entity.owner).is_some_and(|owner| named(&owner))
        }
    };
    let resource = Resource::Contract(contract.0);
    let wanted = Wanted {
        principal: caller,
        right: Right::Call,
        resource: &resource,
        purpose: CALL_PURPOSE,
    };
    // What its owner says nothing of, anybody may call.
    Ok(is_caller && may_ask(view, at, &wanted, true)?)
}

fn may_ask(
    view: &impl Read,
    at: At,
    wanted: &Wanted<'_>,
    if_nothing_is_said: bool,
) -> Result<bool, StoreError> {
    Ok(match decide(view, at, wanted)?.reason {
        Reason::Holder
        | Reason::OpenLedger
        | Reason::Permitted
        | Reason::Granted
        | Reason::NoGrant
        | Reason::Exhausted
        | Reason::NotUsed => true,
        Reason::NoPolicy => if_nothing_is_said,
        Reason::Forbidden
        | Reason::NotPermitted
        | Reason::UnknownPrincipal
        | Reason::UnknownResource => false,
    })
}

fn read<T: for<'b> Decode<'b, ()>>(view: &impl Read, key: &[u8]) -> Result<Option<T>, StoreError> {
    view.get(key)?.map(|bytes| decode_at(key, &bytes)).transpose()
}

#[cfg(test)]
mod tests;
