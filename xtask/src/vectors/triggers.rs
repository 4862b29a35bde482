//! Triggers: one of each cause and effect, and their events.

use althing_types::{
    Action, Cause, CommandState, ContractId, Effect, EntityId, Event, Operation, Record, Refusal,
    Relation, StreamId, ThingId, Trigger, TriggerEvent, TriggerId, Value,
};
use serde_json::json;

const STREAM: StreamId = StreamId([0x57; 32]);
const THING: ThingId = ThingId([0x74; 32]);
const CONTRACT: ContractId = ContractId([0x6b; 32]);
const OWNER: EntityId = EntityId([0x0e; 32]);
const TRIGGER: TriggerId = TriggerId([0x67; 32]);

fn causes() -> [Cause; 6] {
    [
        Cause::Reading { stream: STREAM, relation: Relation::Above, bound: -80, for_ms: 600_000 },
        Cause::Silence { stream: STREAM, for_ms: 3_600_000 },
        Cause::Time { first_ms: 1_700_000_000_000, every_ms: 60_000 },
        Cause::Contract { contract: CONTRACT, event: "wasm-alarm".into() },
        Cause::Recorded { sender: OWNER, kind: "delivery".into() },
        Cause::Commanded { thing: THING, state: CommandState::Failed },
    ]
}

fn effects() -> [Effect; 4] {
    let command =
        |operation, purpose| Effect::Command { thing: THING, operation, life_ms: 300_000, purpose };
    let (property, value) = ("target".to_owned(), Value::Number(215));
    let record =
        Record { kind: "alarm".into(), data: b"too hot".to_vec(), notify: vec![OWNER], link: None };
    [
        Effect::Call { contract: CONTRACT, message: b"{\"check\":{}}".to_vec(), gas_limit: 1_000 },
        command(Operation::Invoke { action: "on".into(), input: None }, None),
        command(Operation::Write { property, value }, Some("comfort".into())),
        Effect::Record(record),
    ]
}

/// Those about triggers, one for each cause.
pub(super) fn actions() -> Vec<Action> {
    let effects = effects();
    let set = |(position, cause): (usize, Cause)| {
        Action::SetTrigger(Trigger {
            name: format!("trigger {position}"),
            cause,
            effect: effects[position % effects.len()].clone(),
        })
    };
    let mut actions: Vec<Action> = causes().into_iter().enumerate().map(set).collect();
    actions.extend([
        Action::RemoveTrigger { trigger: TRIGGER },
        Action::SuspendTrigger { trigger: TRIGGER },
        Action::ResumeTrigger { trigger: TRIGGER },
    ]);
    actions
}

pub(super) fn to_json(trigger: &Trigger) -> serde_json::Value {
    let cause = match &trigger.cause {
        Cause::Reading { stream, relation, bound, for_ms } => json!({
            "kind": "reading",
            "stream": hex::encode(stream.0),
            "relation": relation.sign(),
            "bound": bound,
            "for_ms": for_ms,
        }),
        Cause::Silence { stream, for_ms } => {
            json!({ "kind": "silence", "stream": hex::encode(stream.0), "for_ms": for_ms })
        }
        Cause::Time { first_ms, every_ms } => {
            json!({ "kind": "time", "first_ms": first_ms, "every_ms": every_ms })
        }
        Cause::Contract { contract, event } => {
            json!({ "kind": "contract", "contract": hex::encode(contract.0), "event": event })
        }
        Cause::Recorded { sender, kind } => {
            json!({ "kind": "recorded", "sender": hex::encode(sender.0), "record_kind": kind })
        }
        Cause::Commanded { thing, state } => {
            json!({ "kind": "commanded", "thing": hex::encode(thing.0), "state": state.name() })
        }
    };
    let effect = match &trigger.effect {
        Effect::Call { contract, message, gas_limit } => json!({
            "kind": "call",
            "contract": hex::encode(contract.0),
            "message": hex::encode(message),
            "gas_limit": gas_limit,
        }),
        Effect::Command { thing, operation, life_ms, purpose } => {
            let mut effect = super::actions::operation_json(operation);
            effect["kind"] = json!("command");
            effect["thing"] = json!(hex::encode(thing.0));
            effect["life_ms"] = json!(life_ms);
            effect["purpose"] = json!(purpose);
            effect
        }
        Effect::Record(record) => json!({
            "kind": "record",
            "record_kind": record.kind,
            "data": hex::encode(&record.data),
            "notify": record.notify.iter().map(|id| hex::encode(id.0)).collect::<Vec<_>>(),
            "link": record.link.map(|link| hex::encode(link.0)),
        }),
    };
    json!({ "name": trigger.name, "cause": cause, "effect": effect })
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    let trigger = TRIGGER;
    let code = Refusal::OutOfGas.number();
    let ran = |code, gas_used| {
        let (owner, cause_height) = (OWNER, 41);
        Event::Trigger(TriggerEvent::Ran { trigger, owner, cause_height, code, gas_used })
    };
    vec![
        ("trigger set", Event::Trigger(TriggerEvent::Set { trigger, owner: OWNER })),
        ("trigger removed", Event::Trigger(TriggerEvent::Removed { trigger })),
        ("trigger ran", ran(0, 1_234_567)),
        ("trigger failed", ran(code, 7)),
        ("trigger suspended", Event::Trigger(TriggerEvent::Suspended { trigger, code })),
        ("trigger resumed", Event::Trigger(TriggerEvent::Resumed { trigger })),
    ]
}
