//! Services in the catalogue, and who is shown which.

use althing_ledger::{
    access::{At, Reason, Wanted, decide},
    index, key,
    service::{ServiceRecord, VersionRecord, is_shown},
};
use althing_types::{
    ContractId, EntityId, Offered, Resource, Right, ServiceId, ServiceStatus, Version,
};

use super::{ContractState, Noun, Page, Past, Query, QueryError, checked_cursor};

/// Most services looked at to find out whether a contract is shown.
const OFFERS_MAX: usize = 16;

/// A service as a reader is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceState {
    /// Its id.
    pub id: ServiceId,
    /// Its record.
    pub record: ServiceRecord,
    /// Its versions that are not withdrawn and that the reader is shown, ascending.
    pub versions: Vec<VersionRecord>,
    /// Position of the one to use: the newest that is live, or else the newest; of those alone that
    /// the search is about.
    pub newest: Option<usize>,
}

/// Which services a search is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceFilter {
    /// With this text, in lower case, in name, text, tags or interfaces.
    pub text: Option<String>,
    /// With exactly this name.
    pub name: Option<String>,
    /// That serve this interface.
    pub interface: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Of this provider.
    pub provider: Option<EntityId>,
    /// That this contract is, or charges and records for.
    pub contract: Option<ContractId>,
    /// Performed outside the ledger, or by contracts.
    pub outside: Option<bool>,
}

impl Query {
    /// A service, as this reader is shown it.
    ///
    /// # Errors
    /// [`Noun::Service`] if there is none, or none that the reader is shown.
    pub fn service(
        &self,
        id: &ServiceId,
        reader: Option<EntityId>,
    ) -> Result<ServiceState, QueryError> {
        let record: ServiceRecord = self.known(&key::service(id), Noun::Service)?;
        let was_any = !record.versions.is_empty();
        let state = self.shown(*id, record, reader, &ServiceFilter::default())?;
        if was_any && state.newest.is_none() {
            return Err(QueryError::Unknown(Noun::Service));
        }
        Ok(state)
    }

    /// One version of a service, withdrawn ones too.
    ///
    /// # Errors
    /// [`Noun::Service`] if there is none, or the reader is not shown it.
    pub fn service_version(
        &self,
        id: &ServiceId,
        version: Version,
        reader: Option<EntityId>,
    ) -> Result<(ServiceRecord, VersionRecord), QueryError> {
        let service: ServiceRecord = self.known(&key::service(id), Noun::Service)?;
        let record: VersionRecord =
            self.known(&key::service_version(id, version), Noun::Service)?;
        if self.is_shown(&service, &record, reader)? {
            Ok((service, record))
        } else {
            Err(QueryError::Unknown(Noun::Service))
        }
    }

    /// Services that a reader is shown, in a stable order. Those of a provider that was revoked are left
    /// out.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn services(
        &self,
        filter: &ServiceFilter,
        reader: Option<EntityId>,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<ServiceState>, QueryError> {
        let prefix = filter.prefix();
        let after = checked_cursor(after, &prefix)?;
        self.filtered(&prefix, after, limit, |id| {
            let id = ServiceId(id);
            let record: ServiceRecord = self.known(&key::service(&id), Noun::Service)?;
            if !filter.admits(&record) || self.active_key(&record.provider)?.is_none() {
                return Ok(None);
            }
            let state = self.shown(id, record, reader, filter)?;
            Ok(state.newest.is_some().then_some(state))
        })
    }

    /// Transactions that changed a service, newest first.
    ///
    /// # Errors
    /// [`QueryError::Cursor`] if the cursor is not of this list.
    pub fn service_history(
        &self,
        id: &ServiceId,
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page<Past>, QueryError> {
        self.past(&index::history_of_service(id), after, limit)
    }

    /// Who speaks for a service: the contracts and entities of its versions that are not withdrawn.
    ///
    /// # Errors
    /// [`Noun::Service`] if there is none, or none that the reader is shown.
    pub fn service_voices(
        &self,
        id: &ServiceId,
        reader: Option<EntityId>,
    ) -> Result<Vec<EntityId>, QueryError> {
        let mut voices = Vec::new();
        for version in self.service(id, reader)?.versions {
            let offered = version.manifest.offered;
            voices.extend(offered.contract().map(|contract| contract.actor()));
            if let Offered::Outside { entity, .. } = offered {
                voices.push(entity);
            }
        }
        voices.sort_unstable();
        voices.dedup();
        Ok(voices)
    }

    fn shown(
        &self,
        id: ServiceId,
        record: ServiceRecord,
        reader: Option<EntityId>,
        filter: &ServiceFilter,
    ) -> Result<ServiceState, QueryError> {
        let mut versions = Vec::with_capacity(record.versions.len());
        for version in &record.versions {
            let version: VersionRecord =
                self.known(&key::service_version(&id, *version), Noun::Service)?;
            if self.is_shown(&record, &version, reader)? {
                versions.push(version);
            }
        }
        let wanted = |live: bool| {
            versions.iter().rposition(|version: &VersionRecord| {
                (!live || version.status == ServiceStatus::Live) && filter.admits_version(version)
            })
        };
        let newest = wanted(true).or_else(|| wanted(false));
        Ok(ServiceState { id, record, versions, newest })
    }

    fn is_shown(
        &self,
        service: &ServiceRecord,
        version: &VersionRecord,
        reader: Option<EntityId>,
    ) -> Result<bool, QueryError> {
        let (view, height, time_ms) = self.moment()?;
        let at = At { height, time_ms };
        Ok(is_shown(&view, at, reader, &service.provider, &version.manifest)?)
    }

    /// Whether a contract is to be shown in lists: unless its owner forbids the reader to `describe` it,
    /// or publishes it as a service for those who may call it, of whom the reader is none.
    pub(super) fn lists_contract(
        &self,
        state: &ContractState,
        reader: Option<EntityId>,
    ) -> Result<bool, QueryError> {
        if reader == Some(state.record.owner()) {
            return Ok(true);
        }
        let (view, height, time_ms) = self.moment()?;
        let resource = Resource::Contract(state.id.0);
        let (right, purpose) = (Right::Describe, "");
        let wanted = Wanted { principal: reader, right, resource: &resource, purpose };
        let decision = decide(&view, At { height, time_ms }, &wanted)?;
        if decision.reason == Reason::Forbidden {
            return Ok(false);
        }
        let prefix = index::services_by(&state.id);
        let mut hidden = false;
        for (row, _) in self.rows(&prefix, None, OFFERS_MAX)? {
            let Some(id) = super::id_at_end(&row).map(ServiceId) else { continue };
            let Some(service) = self.record::<ServiceRecord>(&key::service(&id))? else { continue };
            for version in &service.versions {
                let version: VersionRecord =
                    self.known(&key::service_version(&id, *version), Noun::Service)?;
                if version.manifest.offered == Offered::Contract(state.id) {
                    if self.is_shown(&service, &version, reader)? {
                        return Ok(true);
                    }
                    hidden = true;
                }
            }
        }
        Ok(!hidden)
    }
}

impl ServiceFilter {
    fn prefix(&self) -> Vec<u8> {
        match (&self.contract, &self.interface, &self.tag, &self.provider, &self.name) {
            (Some(contract), ..) => index::services_by(contract),
            (None, Some(interface), ..) => index::services_with(interface),
            (None, None, Some(tag), ..) => index::services_tagged(tag),
            (None, None, None, Some(provider), _) => index::services_of(provider),
            (None, None, None, None, name) => index::services_named(name.as_deref().unwrap_or("")),
        }
    }

    fn admits(&self, record: &ServiceRecord) -> bool {
        self.name.as_ref().is_none_or(|name| *name == record.name)
            && self.provider.is_none_or(|provider| provider == record.provider)
    }

    fn admits_version(&self, version: &VersionRecord) -> bool {
        let manifest = &version.manifest;
        let outside = matches!(manifest.offered, Offered::Outside { .. });
        let among = |names: &[String], wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| names.contains(wanted))
        };
        let says = |text: &String| {
            let has = |said: &String| said.to_lowercase().contains(text.as_str());
            has(&manifest.name)
                || has(&manifest.text)
                || manifest.tags.iter().chain(&manifest.interfaces).any(has)
        };
        among(&manifest.interfaces, &self.interface)
            && among(&manifest.tags, &self.tag)
            && self.contract.is_none_or(|id| manifest.offered.contract() == Some(id))
            && self.outside.is_none_or(|wanted| wanted == outside)
            && self.text.as_ref().is_none_or(says)
    }
}
