use althing_client::model::{
    self, Action, Event, Hex, PriceRule, ServiceNeed, ServiceVersion, VersionStatus,
};
use althing_ledger::service::VersionRecord;
use althing_peer::query::ServiceState;
use althing_types::{self as types, Digest, Offered, ServiceEvent};

use crate::service::Service;

impl Service {
    pub(crate) fn listed(&self, state: &ServiceState) -> model::Service {
        let newest = state.newest.and_then(|position| state.versions.get(position));
        let stands = |version: &VersionRecord| VersionStatus {
            version: version.manifest.version.to_string(),
            status: version.status.name().to_owned(),
        };
        model::Service {
            id: Hex(state.id),
            provider: self.did(&state.record.provider),
            name: state.record.name.clone(),
            newest: newest.map(|version| self.service_version(version)),
            versions: state.versions.iter().map(stands).collect(),
            since_height: state.record.since_height,
            changed_height: state.record.changed_height,
        }
    }

    /// Without its schema, which may be long.
    pub(crate) fn service_version(&self, record: &VersionRecord) -> ServiceVersion {
        let manifest = &record.manifest;
        let (kind, entity, endpoints) = match &manifest.offered {
            Offered::Contract(_) => ("contract", None, Vec::new()),
            Offered::Outside { entity, endpoints, .. } => {
                ("outside", Some(self.did(entity)), endpoints.clone())
            }
        };
        let need = |need: &types::Need| ServiceNeed {
            right: need.right.name().to_owned(),
            what: need.what.clone(),
        };
        let rule = manifest.price.rule.as_ref().map(|rule| PriceRule {
            amount: rule.amount,
            currency: rule.currency.clone(),
            per: rule.per.clone(),
        });
        ServiceVersion {
            version: manifest.version.to_string(),
            status: record.status.name().to_owned(),
            text: manifest.text.clone(),
            interfaces: manifest.interfaces.clone(),
            tags: manifest.tags.clone(),
            kind: kind.to_owned(),
            contract: manifest.offered.contract().map(|id| self.contract_did(&id)),
            entity,
            endpoints,
            purpose: manifest.purpose.clone(),
            needs: manifest.needs.iter().map(need).collect(),
            price: manifest.price.text.clone(),
            price_rule: rule,
            listing: manifest.listing.name().to_owned(),
            schema_digest: manifest
                .schema
                .as_ref()
                .map(|schema| Hex(Digest(types::hash("", &[schema])))),
            schema: None,
            published_height: record.published_height,
            changed_height: record.changed_height,
        }
    }

    pub(super) fn publication(
        &self,
        sender: &types::EntityId,
        manifest: &types::Manifest,
    ) -> Action {
        Action::PublishService {
            service: Hex(manifest.id(sender)),
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            text: manifest.text.clone(),
        }
    }

    pub(super) fn service_event(&self, event: &ServiceEvent) -> Event {
        match event {
            ServiceEvent::Published { service, provider, version } => Event::ServicePublished {
                service: Hex(*service),
                provider: self.did(provider),
                version: version.to_string(),
            },
            ServiceEvent::StatusSet { service, provider, version, status } => {
                Event::ServiceStatusSet {
                    service: Hex(*service),
                    provider: self.did(provider),
                    version: version.to_string(),
                    status: status.name().to_owned(),
                }
            }
        }
    }
}
