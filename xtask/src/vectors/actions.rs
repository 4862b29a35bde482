//! One example of each action.

use althing_types::{
    Action, ActionKind, ApprovalPolicy, EntityId, EntityKind, Record, Suite, ThingId, TxId,
    possession_bytes,
};
use serde_json::{Value, json};

use super::{
    identity::{LEDGER, inception, inception_json, key, sender},
    readings::{STREAM, header_json, numbers},
};

const DESCRIPTION: &[u8] =
    br#"{"@context":"https://www.w3.org/2022/wot/td/v1.1","title":"Machine"}"#;
const THING: ThingId = ThingId([0x74; 32]);
const PENDING: TxId = TxId([0x70; 32]);

/// All of them, in the order of their numbers.
pub(super) fn all() -> Vec<Action> {
    let gateway = inception(EntityKind::Gateway, "gateway", Suite::P256, 5);
    let (id, secret) = (gateway.id(), key(Suite::P256, 5));
    let possession = secret.sign(&possession_bytes(&LEDGER, &id, &gateway.key));
    let next = key(Suite::Ed25519, 6);
    let next_possession = next.sign(&possession_bytes(&LEDGER, &id, &next.public_key()));
    vec![
        Action::RegisterEntity { inception: gateway, possession },
        Action::RotateKey { entity: id, key: next.public_key(), possession: next_possession },
        Action::RevokeEntity { entity: id },
        Action::RegisterThing { name: "machine-1".into(), description: DESCRIPTION.into() },
        Action::UpdateThing { thing: THING, replaces: 1, description: DESCRIPTION.into() },
        Action::Bind { thing: THING, gateway: id, until_height: 1_000_000 },
        Action::Unbind { thing: THING, gateway: id },
        Action::SubmitBatch(numbers().header(STREAM, 41)),
        Action::Record(record(id)),
        Action::SetApprovalPolicy(policy(id)),
        Action::Approve { pending: PENDING },
        Action::Reject { pending: PENDING },
        Action::RetireThing { thing: THING },
    ]
}

fn record(notified: EntityId) -> Record {
    Record {
        kind: "delivery".into(),
        data: b"pallet 7 at gate 3".to_vec(),
        notify: vec![notified],
        link: Some(PENDING),
    }
}

fn policy(approver: EntityId) -> ApprovalPolicy {
    let mut approvers = vec![sender().0, approver];
    approvers.sort();
    ApprovalPolicy { kind: ActionKind::RevokeEntity, threshold: 2, approvers, patience_blocks: 500 }
}

/// The action in words that need no CBOR.
pub(super) fn to_json(action: &Action) -> Value {
    let mut fields = match action {
        Action::RegisterEntity { inception, possession } => json!({
            "inception": inception_json(inception),
            "possession": hex::encode(possession.0),
        }),
        Action::RotateKey { entity, key, possession } => json!({
            "entity": hex::encode(entity.0),
            "suite": key.suite.name(),
            "key": hex::encode(&key.bytes),
            "possession": hex::encode(possession.0),
        }),
        Action::RevokeEntity { entity } => json!({ "entity": hex::encode(entity.0) }),
        Action::RegisterThing { name, description } => json!({
            "name": name,
            "description": String::from_utf8_lossy(description),
        }),
        Action::UpdateThing { thing, replaces, description } => json!({
            "thing": hex::encode(thing.0),
            "replaces": replaces,
            "description": String::from_utf8_lossy(description),
        }),
        Action::Bind { thing, gateway, until_height } => json!({
            "thing": hex::encode(thing.0),
            "gateway": hex::encode(gateway.0),
            "until_height": until_height,
        }),
        Action::Unbind { thing, gateway } => {
            json!({ "thing": hex::encode(thing.0), "gateway": hex::encode(gateway.0) })
        }
        Action::SubmitBatch(header) => header_json(header),
        Action::Record(record) => json!({
            "record_kind": record.kind,
            "data": hex::encode(&record.data),
            "notify": record.notify.iter().map(|id| hex::encode(id.0)).collect::<Vec<_>>(),
            "link": record.link.map(|link| hex::encode(link.0)),
        }),
        Action::SetApprovalPolicy(policy) => json!({
            "action_kind": policy.kind.name(),
            "threshold": policy.threshold,
            "approvers": policy.approvers.iter().map(|id| hex::encode(id.0)).collect::<Vec<_>>(),
            "patience_blocks": policy.patience_blocks,
        }),
        Action::Approve { pending } | Action::Reject { pending } => {
            json!({ "pending": hex::encode(pending.0) })
        }
        Action::RetireThing { thing } => json!({ "thing": hex::encode(thing.0) }),
    };
    fields["kind"] = action.kind().name().into();
    fields
}
