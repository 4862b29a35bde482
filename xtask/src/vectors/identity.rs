//! Keys, entities and the ids derived from them.

use althing_types::{
    Did, EntityId, EntityKind, Inception, LedgerId, SigningKey, StreamId, Suite, ThingId,
    Wire as _, possession_bytes,
};
use serde_json::{Value, json};

use super::{Form, Vector};

/// The ledger that all vectors belong to which need one and do not found it.
pub(super) const LEDGER: LedgerId = LedgerId([0x1d; 32]);

/// The key whose secret is 32 times this byte.
pub(super) fn key(suite: Suite, seed: u8) -> SigningKey {
    SigningKey::from_secret(suite, [seed; 32]).expect("these bytes are a key of both suites")
}

pub(super) fn inception(kind: EntityKind, name: &str, suite: Suite, seed: u8) -> Inception {
    Inception { kind, name: name.into(), key: key(suite, seed).public_key() }
}

/// The entity that signs most vectors: an organisation with the key of seed 1.
pub(super) fn sender() -> (EntityId, SigningKey) {
    let inception = inception(EntityKind::Organisation, "Harbour", Suite::Ed25519, 1);
    (inception.id(), key(Suite::Ed25519, 1))
}

pub(super) fn inception_json(inception: &Inception) -> Value {
    json!({
        "kind": inception.kind.name(),
        "name": inception.name,
        "suite": inception.key.suite.name(),
        "key": hex::encode(&inception.key.bytes),
    })
}

pub(super) fn forms() -> Vec<Form> {
    let about = "How an entity begins. `entity` is its id: SHA-256 of `althing/entity/1` and the \
                 wire form. `secret` gives the key.";
    let inceptions = EntityKind::ALL.iter().zip(1..).flat_map(|(kind, seed)| {
        [Suite::Ed25519, Suite::P256].map(|suite| {
            let inception = inception(*kind, kind.name(), suite, seed);
            let mut inputs = inception_json(&inception);
            inputs["secret"] = hex::encode([seed; 32]).into();
            Vector::new(format!("{}, {}", kind.name(), suite.name()), inputs, inception.to_wire())
                .gives("entity", inception.id().0)
                .says("did", Did::entity("demo", &inception.id()).to_string())
        })
    });
    vec![
        Form::new("inception", about, inceptions.collect()),
        Form::new(
            "possession",
            "What the holder of a key signs to show that it holds it, before the key enters the \
             ledger. `wire` is what is signed.",
            [Suite::Ed25519, Suite::P256].map(possession).into(),
        ),
        Form::new(
            "derived",
            "Ids that follow from others: `thing` is SHA-256 of `althing/thing/1`, owner and name; \
             `stream` is SHA-256 of `althing/stream/1`, thing and property. `wire` is the stream's \
             id.",
            ["machine-1", "kühlraum"].map(derived).into(),
        ),
    ]
}

fn possession(suite: Suite) -> Vector {
    let inception = inception(EntityKind::Gateway, "gateway", suite, 5);
    let message = possession_bytes(&LEDGER, &inception.id(), &inception.key);
    let inputs = json!({
        "ledger": hex::encode(LEDGER.0),
        "entity": hex::encode(inception.id().0),
        "suite": suite.name(),
        "key": hex::encode(&inception.key.bytes),
        "secret": hex::encode([5; 32]),
    });
    let signature = key(suite, 5).sign(&message);
    Vector::new(suite.name(), inputs, message).gives("signature", signature.0)
}

fn derived(name: &str) -> Vector {
    let (owner, property) = (sender().0, "temperature");
    let thing = ThingId::derive(&owner, name);
    let stream = StreamId::derive(&thing, property);
    let inputs = json!({ "owner": hex::encode(owner.0), "name": name, "property": property });
    Vector::new(name, inputs, stream.0.to_vec())
        .gives("thing", thing.0)
        .says("thing_did", Did::thing("demo", &thing).to_string())
}
