//! Services: one of each approach, and their events.

use althing_types::{
    Action, ContractId, EntityId, Event, Listing, Manifest, Need, Offered, Price, PriceRule, Right,
    ServiceEvent, ServiceId, ServiceStatus, Version,
};
use serde_json::json;

const CONTRACT: ContractId = ContractId([0x6b; 32]);
const PROVIDER: EntityId = EntityId([0x0e; 32]);
const SERVICE: ServiceId = ServiceId([0x76; 32]);

fn manifests() -> [Manifest; 2] {
    let metering = Manifest {
        name: "metering".into(),
        version: Version { major: 1, minor: 0, patch: 0 },
        text: "Bills what a meter has counted.\nIn units.".into(),
        interfaces: vec!["metering".into()],
        tags: Vec::new(),
        schema: None,
        offered: Offered::Contract(CONTRACT),
        purpose: "billing".into(),
        needs: Vec::new(),
        price: Price { text: String::new(), rule: None },
        listing: Listing::Everyone,
    };
    let forecast = Manifest {
        name: "forecast".into(),
        version: Version { major: 0, minor: 300, patch: 70_000 },
        text: "What it will be tomorrow.".into(),
        interfaces: vec!["forecast".into(), "health".into()],
        tags: vec!["energy".into(), "weather".into()],
        schema: Some(br#"{"type":"object"}"#.to_vec().into()),
        offered: Offered::Outside {
            entity: PROVIDER,
            endpoints: vec!["https://forecast.example/v1".into(), "http://10.0.0.1:8080".into()],
            contract: Some(CONTRACT),
        },
        purpose: "forecast".into(),
        needs: vec![Need { right: Right::Read, what: "temperature".into() }],
        price: Price {
            text: "One unit for each call.".into(),
            rule: Some(PriceRule { amount: 1, currency: "unit".into(), per: "call".into() }),
        },
        listing: Listing::Callers,
    };
    [metering, forecast]
}

/// Those about services.
pub(super) fn actions() -> Vec<Action> {
    let version = Version { major: 1, minor: 0, patch: 0 };
    let status = |status| Action::SetServiceStatus { service: SERVICE, version, status };
    let published = manifests().map(Action::PublishService);
    published.into_iter().chain(ServiceStatus::ALL.map(status)).collect()
}

pub(super) fn to_json(manifest: &Manifest) -> serde_json::Value {
    let (entity, endpoints) = match &manifest.offered {
        Offered::Contract(_) => (None, None),
        Offered::Outside { entity, endpoints, .. } => {
            (Some(hex::encode(entity.0)), Some(endpoints.clone()))
        }
    };
    let need = |need: &Need| json!({ "right": need.right.name(), "what": need.what });
    json!({
        "name": manifest.name,
        "version": manifest.version.to_string(),
        "text": manifest.text,
        "interfaces": manifest.interfaces,
        "tags": manifest.tags,
        "schema": manifest.schema.as_ref().map(|schema| String::from_utf8_lossy(schema)),
        "contract": manifest.offered.contract().map(|contract| hex::encode(contract.0)),
        "entity": entity,
        "endpoints": endpoints,
        "purpose": manifest.purpose,
        "needs": manifest.needs.iter().map(need).collect::<Vec<_>>(),
        "price": manifest.price.text,
        "price_rule": manifest.price.rule.as_ref().map(|rule| {
            json!({ "amount": rule.amount, "currency": rule.currency, "per": rule.per })
        }),
        "listing": manifest.listing.name(),
    })
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    let (service, provider) = (SERVICE, PROVIDER);
    let version = Version { major: 1, minor: 2, patch: 3 };
    let status = ServiceStatus::Deprecated;
    let (published, set) = (
        ServiceEvent::Published { service, provider, version },
        ServiceEvent::StatusSet { service, provider, version, status },
    );
    vec![
        ("service published", Event::Service(published)),
        ("service deprecated", Event::Service(set)),
    ]
}
