//! Examples of what is asked of devices directly, and of tags.

use althing_types::{
    Action, CommandState, Digest, DirectRequest, DirectUse, EntityId, Event, GrantId, Operation,
    Suite, ThingId, ThingTags, Wire as _, hash,
};
use serde_json::{Value, json};

use super::{
    Form, Vector,
    actions::{key_json, operation_json},
    identity::{LEDGER, key, sender},
};

const THING: ThingId = ThingId([0x74; 32]);

fn one_use(suite: Suite, operation: Operation, state: CommandState) -> DirectUse {
    let request = DirectRequest {
        ledger: LEDGER,
        gateway: sender().0,
        caller: EntityId([0x72; 32]),
        thing: THING,
        operation,
        purpose: "maintenance".into(),
        number: 1_700_000_000_123,
        until_ms: 1_700_000_030_000,
    };
    let done = state == CommandState::Done;
    DirectUse {
        request: request.sign(&key(suite, 9)),
        grant: GrantId([0x67; 32]),
        state,
        served_ms: 1_700_000_000_500,
        result: done.then(|| Digest(hash("", &[b"on"]))),
    }
}

fn tags(tags: &[&str]) -> ThingTags {
    ThingTags { thing: THING, tags: tags.iter().map(|tag| (*tag).to_owned()).collect() }
}

pub(super) fn forms() -> Vec<Form> {
    let uses = || uses().into_iter().map(|one| (one.request.key.suite.name(), one));
    let request = |(name, one): (&str, DirectUse)| {
        let signed = one.request.request.signed_bytes();
        Vector::new(name, use_json(&one), one.request.to_wire()).gives("signed", signed)
    };
    let served = |(name, one): (&str, DirectUse)| {
        Vector::new(name, use_json(&one), one.to_wire()).gives("signed", one.signed_bytes())
    };
    vec![
        Form::new(
            "direct_request",
            "What a caller sends a gateway in hex. `signed` is what the caller's key signs.",
            uses().map(request).collect(),
        ),
        Form::new(
            "direct_use",
            "What a gateway answers in hex, and has recorded. `signed` is what its key signs.",
            uses().map(served).collect(),
        ),
    ]
}

fn uses() -> Vec<DirectUse> {
    let (action, input) = ("open".into(), Some(br#"{"by":20}"#.to_vec().into()));
    let read = Operation::Read { property: "temperature".into() };
    vec![
        one_use(Suite::Ed25519, Operation::Invoke { action, input }, CommandState::Done),
        one_use(Suite::P256, read, CommandState::Failed),
    ]
}

/// One of each, and what is empty.
pub(super) fn actions() -> Vec<Action> {
    vec![
        Action::RecordDirect { uses: uses() },
        Action::TagThing(tags(&["cold chain", "hall 3"])),
        Action::TagThing(tags(&[])),
    ]
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    vec![("thing tagged", Event::ThingTagged(tags(&["cold chain", "hall 3"])))]
}

pub(super) fn action_json(action: &Action) -> Value {
    match action {
        Action::RecordDirect { uses } => {
            json!({ "uses": uses.iter().map(use_json).collect::<Vec<_>>() })
        }
        Action::TagThing(said) => json!({ "thing": hex::encode(said.thing.0), "tags": said.tags }),
        _ => unreachable!("no action of this module"),
    }
}

fn use_json(one: &DirectUse) -> Value {
    let (signed, request) = (&one.request, &one.request.request);
    let mut fields = operation_json(&request.operation);
    let key = key_json(&signed.key);
    let more = json!({
        "id": hex::encode(request.id().0),
        "ledger": hex::encode(request.ledger.0),
        "gateway": hex::encode(request.gateway.0),
        "caller": hex::encode(request.caller.0),
        "thing": hex::encode(request.thing.0),
        "purpose": request.purpose,
        "number": request.number,
        "until_ms": request.until_ms,
        "suite": key["suite"],
        "key": key["key"],
        "signature": hex::encode(signed.signature.0),
        "grant": hex::encode(one.grant.0),
        "state": one.state.name(),
        "served_ms": one.served_ms,
        "result": one.result.map(|digest| hex::encode(digest.0)),
    });
    if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
        fields.extend(more);
    }
    fields
}
