//! What contracts do and read beyond their own storage: in their own name, as far as owners let them.

use althing_types::{StreamId, ThingId};
use serde_json::{Value, json};

use super::{super::wire::Binary, *};
use crate::testing::{batch, description, registration_of};

const ACTIONS: &str = r#""actions": {"boost": {"forms": [{"href": "b"}]}}, "properties""#;
const PURPOSE: &str = "heat";

/// A response with messages of this ledger.
fn doing(deeds: &[Value]) -> String {
    let message = |deed: &Value| json!({ "id": 1, "msg": { "custom": deed }, "gas_limit": null, "reply_on": "never" });
    let messages: Vec<Value> = deeds.iter().map(message).collect();
    let response = json!({ "messages": messages, "attributes": [], "events": [], "data": null });
    saying(&json!({ "ok": response }).to_string())
}

fn at(thing: &ThingId) -> String {
    Did::entity("test", &EntityId(thing.0)).to_string()
}

fn boost(thing: &ThingId) -> Value {
    json!({ "command": { "thing": at(thing), "operation": { "invoke": { "action": "boost", "input": null } },
        "life_ms": 60_000, "purpose": PURPOSE } })
}

fn policy(resource: Resource, action: &str, mode: AccessMode, ask: Option<EntityId>) -> Action {
    Action::SetAccessPolicy(AccessPolicy {
        resource,
        mode,
        text: format!(r#"permit (principal, action == Action::"{action}", resource);"#),
        ask,
        patience_blocks: if ask.is_some() { 50 } else { 0 },
        grant_blocks_max: 1000,
    })
}

impl Ledger {
    fn heater(&mut self) -> ThingId {
        let text = description(crate::testing::PROPERTIES).replace("\"properties\"", ACTIONS);
        self.world.must(self.a, registration_of("heater", &text));
        ThingId::derive(&self.a, "heater")
    }
}

#[test]
fn a_contract_commands_in_its_own_name_what_the_owner_lets_it() {
    let mut ledger = Ledger::new();
    let (a, thing) = (ledger.a, ledger.heater());
    let says = doing(&[boost(&thing), boost(&thing)]);
    let id = ledger.made("c", &[("data", &says), ("execute", SAYS)]);
    let before = ledger.contracts_state();
    // That its maker owns the thing is not enough: the contract is somebody else.
    assert_eq!(ledger.call(id), Err(Refusal::AccessDenied));
    assert_eq!(ledger.contracts_state(), before);
    let whole = Resource::Thing(thing);
    ledger.world.must(a, policy(whole.clone(), "invoke", AccessMode::Open, None));
    let receipt = ledger.call(id).unwrap();
    let mut commands: Vec<_> = receipt
        .events
        .iter()
        .filter_map(|event| match event {
            Event::CommandQueued { command, sender, .. } => Some((*command, *sender)),
            _ => None,
        })
        .collect();
    commands.dedup();
    assert_eq!(commands.len(), 2, "each has an id of its own");
    assert!(commands.iter().all(|(_, sender)| *sender == id.actor()), "{receipt:?}");
    // Who calls it makes no difference, and what it may not do it does not.
    ledger.world.must(ledger.b, execute(id));
    ledger.world.must(a, policy(whole, "write", AccessMode::Open, None));
    assert_eq!(ledger.call(id), Err(Refusal::AccessDenied));

    for (bad, refusal) in [
        (json!({ "command": { "thing": at(&thing) } }), Refusal::MessageUnsupported),
        (
            json!({ "command": { "thing": "x", "operation": { "read": { "property": "open" } },
            "life_ms": 1, "purpose": null } }),
            Refusal::OutOfBounds,
        ),
        (json!({ "transfer": {} }), Refusal::MessageUnsupported),
    ] {
        let says = doing(std::slice::from_ref(&bad));
        let name =
            bad.to_string().chars().filter(char::is_ascii_lowercase).take(60).collect::<String>();
        let id = ledger.made(&name, &[("data", &says), ("execute", SAYS)]);
        assert_eq!(ledger.call(id), Err(refusal), "{bad}");
    }
}

#[test]
fn a_contract_asks_for_access_and_uses_the_grant_it_was_given() {
    let mut ledger = Ledger::new();
    let (a, thing) = (ledger.a, ledger.heater());
    let ask = json!({ "request_access": { "thing": at(&thing), "name": "boost", "right": "invoke",
        "purpose": PURPOSE, "blocks": 100 } });
    let asks = doing(&[ask]);
    let id = ledger.made("c", &[("data", &asks), ("execute", SAYS)]);
    assert_eq!(ledger.call(id), Err(Refusal::NoPolicy));
    let resource = Resource::ThingAction { thing, name: "boost".into() };
    ledger.world.must(a, policy(resource.clone(), "invoke", AccessMode::Grant, Some(a)));
    ledger.call(id).unwrap();
    let purpose = PURPOSE.to_owned();
    let grantee = id.actor();
    let access = Access { owner: a, grantee, resource, right: Right::Invoke, purpose };
    ledger.world.must(a, Action::AnswerAccess { request: access.id(), allow: true });
    // The same contract with other code: the grant is the contract's.
    let commands = doing(&[boost(&thing)]);
    let code = ledger.store(&module(&[("data", &commands), ("execute", SAYS)])).unwrap();
    let message = b"{}".to_vec();
    ledger.world.must(a, Action::Migrate { contract: id, code, message, gas_limit: GAS });
    ledger.call(id).unwrap();
    let other = ledger.made("other", &[("data", &commands), ("execute", SAYS)]);
    assert_eq!(ledger.call(other), Err(Refusal::NoGrant), "it is not another's");
}

#[test]
fn a_contract_is_told_whether_it_may_read_and_sees_the_newest_batch_only_then() {
    let mut ledger = Ledger::new();
    let (a, thing) = (ledger.a, ledger.heater());
    let stream = StreamId::derive(&thing, "temperature");
    let header = batch(stream, 0, 3);
    ledger.world.must(a, Action::SubmitBatch(header));
    let question =
        json!({ "custom": { "stream": { "thing": at(&thing), "property": "temperature" } } });
    let says = saying(&question.to_string());
    let asks = "(call $debug (call $query_chain (i32.const 64)))";
    let id = ledger.made("c", &[("data", &says), ("execute", asks)]);
    let ask = |ledger: &Ledger| -> Value {
        let now = Context {
            ledger: ledger.world.ledger,
            height: ledger.world.height,
            time_ms: ledger.world.time_ms(),
            parameters: &ledger.world.parameters,
        };
        let body = ledger.world.body(a, 0, vec![execute(id)]);
        let trial = try_out(&ledger.world.state, &now, &body).unwrap();
        let (_, said) = trial.trace[0].split_once(": ").unwrap();
        let said: Value = serde_json::from_str(said).unwrap();
        let Binary(data) = serde_json::from_value(said["ok"]["ok"].clone()).unwrap();
        serde_json::from_slice(&data).unwrap()
    };
    let told = ask(&ledger);
    assert_eq!((&told["readable"], &told["next_seq"]), (&json!(true), &json!(3)), "{told}");
    assert!(told["latest"].is_object(), "{told}");
    let resource = Resource::Property { thing, name: "temperature".into() };
    ledger.world.must(a, policy(resource.clone(), "read", AccessMode::Grant, None));
    let told = ask(&ledger);
    assert_eq!((&told["readable"], &told["latest"]), (&json!(false), &Value::Null), "{told}");
    ledger.world.must(a, policy(resource, "read", AccessMode::Open, None));
    assert_eq!(ask(&ledger)["readable"], true);
}
