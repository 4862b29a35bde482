//! Examples about access.

use althing_types::{
    Access, AccessMode, AccessPolicy, AccessRequest, AccessUse, Action, EntityId, Event, GrantId,
    Reader, Resource, Right, Suite, ThingId, Wire as _,
};
use serde_json::{Value, json};

use super::{
    Form, Vector,
    identity::{LEDGER, key, sender},
};

const THING: ThingId = ThingId([0x74; 32]);
/// Id of a request and of its grant.
pub(super) const GRANT: GrantId = GrantId([0x67; 32]);

pub(super) fn forms() -> Vec<Form> {
    vec![Form::new(
        "reader_token",
        "What a reader shows a peer; its hex is the bearer token of a request. `signed` is what \
         the reader's key signs.",
        [(Suite::Ed25519, "billing"), (Suite::P256, "")].map(token).into(),
    )]
}

fn token((suite, purpose): (Suite, &str)) -> Vector {
    let (peer, entity) = ([0x70; 32], sender().0);
    let until_ms = 1_700_000_300_000;
    let reader = Reader { ledger: LEDGER, peer, entity, purpose: purpose.into(), until_ms };
    let inputs = json!({
        "ledger": hex::encode(LEDGER.0),
        "peer": hex::encode(peer),
        "entity": hex::encode(entity.0),
        "purpose": purpose,
        "until_ms": until_ms,
        "suite": suite.name(),
        "secret": hex::encode([1; 32]),
    });
    let signed = reader.signed_bytes();
    Vector::new(suite.name(), inputs, reader.sign(&key(suite, 1)).to_wire()).gives("signed", signed)
}

fn property() -> Resource {
    Resource::Property { thing: THING, name: "temperature".into() }
}

pub(super) fn policy(asked: EntityId) -> AccessPolicy {
    AccessPolicy {
        resource: Resource::ThingAction { thing: THING, name: "open".into() },
        mode: AccessMode::Strict,
        text: "permit (principal, action in [Action::\"invoke\"], resource);".into(),
        ask: Some(asked),
        patience_blocks: 60,
        grant_blocks_max: 100_000,
    }
}

pub(super) fn request() -> AccessRequest {
    AccessRequest {
        resource: property(),
        right: Right::Read,
        purpose: "billing".into(),
        count_max: 12,
        until_height: 1_000_000,
    }
}

pub(super) fn one_use() -> AccessUse {
    AccessUse { grant: GRANT, count: 3, first_ms: 1_700_000_000_000, last_ms: 1_700_000_001_500 }
}

pub(super) fn access() -> Access {
    Access {
        owner: sender().0,
        grantee: EntityId([0x72; 32]),
        resource: property(),
        right: Right::Read,
        purpose: "billing".into(),
    }
}

/// One example of each event.
pub(super) fn events() -> Vec<(&'static str, Event)> {
    let (owner, device) = (sender().0, EntityId([0x64; 32]));
    vec![
        (
            "access policy set",
            Event::AccessPolicySet { owner, resource: Resource::Thing(THING), version: 2 },
        ),
        (
            "access policy removed",
            Event::AccessPolicyRemoved { owner, resource: Resource::Service(device) },
        ),
        (
            "access requested",
            Event::AccessRequested { access: access(), asked: device, answer_until_height: 90 },
        ),
        (
            "access granted",
            Event::AccessGranted {
                access: access(),
                by: device,
                count_max: 12,
                until_height: 1_000_000,
            },
        ),
        ("access denied", Event::AccessDenied { access: access(), by: device }),
        ("access timed out", Event::AccessTimedOut { access: access(), asked: device }),
        ("grant revoked", Event::GrantRevoked { access: access(), by: owner }),
        (
            "access used",
            Event::AccessUsed {
                access: Access { resource: Resource::Contract([0x63; 32]), ..access() },
                by: device,
                count: 3,
                used: 7,
                first_ms: 1_700_000_000_000,
                last_ms: 1_700_000_001_500,
            },
        ),
    ]
}

fn resource_json(resource: &Resource) -> Value {
    match resource {
        Resource::Everything(owner) => json!({ "everything": hex::encode(owner.0) }),
        Resource::Thing(thing) => json!({ "thing": hex::encode(thing.0) }),
        Resource::Property { thing, name } => {
            json!({ "thing": hex::encode(thing.0), "property": name })
        }
        Resource::ThingAction { thing, name } => {
            json!({ "thing": hex::encode(thing.0), "action": name })
        }
        Resource::Service(service) => json!({ "service": hex::encode(service.0) }),
        Resource::Contract(contract) => json!({ "contract": hex::encode(contract) }),
    }
}

/// An action about access in words that need no CBOR.
pub(super) fn action_json(action: &Action) -> Value {
    match action {
        Action::SetAccessPolicy(policy) => json!({
            "resource": resource_json(&policy.resource),
            "mode": policy.mode.name(),
            "text": policy.text,
            "ask": policy.ask.map(|asked| hex::encode(asked.0)),
            "patience_blocks": policy.patience_blocks,
            "grant_blocks_max": policy.grant_blocks_max,
        }),
        Action::RemoveAccessPolicy { resource } => json!({ "resource": resource_json(resource) }),
        Action::RequestAccess(request) => json!({
            "resource": resource_json(&request.resource),
            "right": request.right.name(),
            "purpose": request.purpose,
            "count_max": request.count_max,
            "until_height": request.until_height,
        }),
        Action::AnswerAccess { request, allow } => {
            json!({ "request": hex::encode(request.0), "allow": allow })
        }
        Action::RevokeGrant { grant } | Action::UseGrant { grant } => {
            json!({ "grant": hex::encode(grant.0) })
        }
        Action::RecordAccess { uses } => json!({
            "uses": uses.iter().map(|one| json!({
                "grant": hex::encode(one.grant.0),
                "count": one.count,
                "first_ms": one.first_ms,
                "last_ms": one.last_ms,
            })).collect::<Vec<_>>(),
        }),
        _ => unreachable!("the caller sends actions about access only"),
    }
}
