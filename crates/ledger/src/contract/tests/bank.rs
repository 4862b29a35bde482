//! Tokens of the ledger in the hands of contracts, those of others among them.

use althing_types::{Amount, Cause, Effect, Fees, Relation, StreamId, Transfer, Trigger};
use serde_json::{Value, json};

use super::{
    others::{CW1, MUCH, did},
    *,
};
use crate::{testing::numbers, token};

fn with_tokens() -> Ledger {
    Ledger::of(World::with_tokens(Fees::default()))
}

fn coins(units: u64) -> Value {
    json!([{ "amount": units.to_string(), "denom": "watt" }])
}

fn send(to: &str, units: u64) -> Value {
    json!({ "bank": { "send": { "to_address": to, "amount": coins(units) } } })
}

impl Ledger {
    fn has(&self, id: &EntityId) -> u128 {
        token::account(&self.world.state, id).unwrap().balance.units()
    }

    fn through(
        &mut self,
        list: ContractId,
        messages: &[Value],
        funds: Option<u64>,
    ) -> Result<Receipt, Refusal> {
        let message = json!({ "execute": { "msgs": messages } }).to_string().into_bytes();
        let funds = funds.map(Amount::from);
        let call = Action::Execute { contract: list, message, gas_limit: MUCH, funds };
        self.world.act(self.a, call)
    }
}

#[test]
fn a_contract_of_others_is_paid_and_pays_as_its_list_says() {
    let mut ledger = with_tokens();
    let (a, b) = (ledger.a, ledger.b);
    let list = ledger.begin(CW1, "list", &json!({ "admins": [did(&a)], "mutable": false }));
    let its = list.actor();
    // What goes with the call is there when the contract's messages are done.
    ledger.through(list, &[send(&did(&b), 30)], Some(100)).unwrap();
    assert_eq!((ledger.has(&a), ledger.has(&b), ledger.has(&its)), (900, 530, 70));
    // One message of two that cannot be done undoes the other, and what went with the call.
    let rows: &[(&str, Vec<Value>, Refusal)] = &[
        ("too much", vec![send(&did(&b), 10), send(&did(&b), 500)], Refusal::InsufficientFunds),
        ("to nobody", vec![send(&did(&EntityId([9; 32])), 1)], Refusal::UnknownPayee),
        ("nothing", vec![send(&did(&b), 0)], Refusal::OutOfBounds),
        (
            "another coin",
            vec![
                json!({ "bank": { "burn": { "amount": [{ "amount": "1", "denom": "uatom" }] } } }),
            ],
            Refusal::InsufficientFunds,
        ),
        (
            "two coins",
            vec![json!({ "bank": { "burn": { "amount": [coins(1)[0], coins(2)[0]] } } })],
            Refusal::MessageUnsupported,
        ),
    ];
    for (what, messages, refusal) in rows {
        let before = ledger.contracts_state();
        assert_eq!(ledger.through(list, messages, Some(50)), Err(*refusal), "{what}");
        assert_eq!(ledger.contracts_state(), before, "{what}");
    }
    assert_eq!(ledger.through(list, &[], Some(901)), Err(Refusal::InsufficientFunds), "funds");
    // It burns, and pays itself, which changes nothing.
    let burn = json!({ "bank": { "burn": { "amount": coins(20) } } });
    ledger.through(list, &[burn, send(&did(&its), 50)], None).unwrap();
    assert_eq!(ledger.has(&its), 50);
    assert_eq!(token::supply(&ledger.world.state).unwrap().total, Amount::from(1480));
    // What is left in a contract that ended goes to whoever decided about it.
    ledger.world.must(a, Action::TerminateContract { contract: list });
    assert_eq!(
        ledger.world.act(b, Action::SweepAccount { account: its }),
        Err(Refusal::NotPermitted)
    );
    ledger.world.must(a, Action::SweepAccount { account: its });
    assert_eq!((ledger.has(&a), ledger.has(&its)), (950, 0));
}

#[test]
fn a_message_that_fails_gives_back_what_went_with_it() {
    let mut ledger = with_tokens();
    let a = ledger.a;
    let fails = ledger.made("fails", &[("execute", "unreachable")]);
    let message = |to: &ContractId| {
        json!({ "wasm": { "execute":
            { "contract_addr": address(to), "msg": "e30=", "funds": coins(40) } } })
    };
    let answer = json!({ "ok": { "messages": [{ "id": 1, "msg": message(&fails),
        "gas_limit": null, "reply_on": "error" }], "attributes": [], "events": [], "data": null } });
    let text = saying(&answer.to_string());
    let places = [("data", text.as_str()), ("execute", SAYS), ("reply", WRITES)];
    let catches = ledger.made("catches", &places);
    let call = Action::Execute {
        contract: catches,
        message: b"{}".to_vec(),
        gas_limit: GAS,
        funds: Some(Amount::from(60)),
    };
    ledger.world.must(a, call.clone());
    assert!(ledger.written(&catches), "it was told");
    assert_eq!((ledger.has(&catches.actor()), ledger.has(&fails.actor())), (60, 0));
    // With a callee that takes it, it stays there.
    let takes = ledger.made("takes", &[("execute", WRITES)]);
    let answer = json!({ "ok": { "messages": [{ "id": 1, "msg": message(&takes),
        "gas_limit": null, "reply_on": "never" }], "attributes": [], "events": [], "data": null } });
    let text = saying(&answer.to_string());
    let gives = ledger.made("gives", &[("data", text.as_str()), ("execute", SAYS)]);
    let funds = Some(Amount::from(40));
    let call = Action::Execute { contract: gives, message: b"{}".to_vec(), gas_limit: GAS, funds };
    ledger.world.must(a, call);
    assert_eq!((ledger.has(&gives.actor()), ledger.has(&takes.actor())), (0, 40));
}

#[test]
fn without_tokens_nothing_of_it_is_offered() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.a, ledger.b);
    let list = ledger.begin(CW1, "list", &json!({ "admins": [did(&a)], "mutable": false }));
    let refused = ledger.through(list, &[send(&did(&b), 1)], None);
    assert_eq!(refused, Err(Refusal::MessageUnsupported));
    assert_eq!(ledger.through(list, &[], Some(1)), Err(Refusal::TokensOff));
}

#[test]
fn what_waits_for_participants_begins_without_funds() {
    let mut ledger = with_tokens();
    let code = ledger.store(&module(&[])).unwrap();
    let terms = Terms {
        admin: Some(ledger.a),
        participants: vec![ledger.b],
        threshold: 1,
        patience_blocks: 10,
        ..Terms::default()
    };
    let (name, message, funds) = ("waits".into(), b"{}".to_vec(), Some(Amount::from(1)));
    let make = Action::Instantiate { code, name, terms, message, gas_limit: GAS, funds };
    assert_eq!(ledger.world.act(ledger.a, make), Err(Refusal::TokensAtStart));
}

#[test]
fn contracts_ask_what_accounts_have_and_how_much_there_is() {
    let ledger = with_tokens();
    let asked = |question: Value| {
        let now = Context {
            ledger: ledger.world.ledger,
            height: ledger.world.height,
            time_ms: ledger.world.time_ms(),
            parameters: &ledger.world.parameters,
        };
        super::super::query::asked_by_nobody(&ledger.world.state, &now, &question.to_string())
    };
    let coin = |units: &str, denom: &str| {
        json!({ "ok": { "ok": super::super::wire::Binary(
            json!({ "amount": { "amount": units, "denom": denom } }).to_string().into_bytes()) } })
    };
    let balance = |address: &str, denom: &str| json!({ "bank": { "balance": { "address": address, "denom": denom } } });
    let (a, nobody) = (did(&ledger.a), did(&EntityId([9; 32])));
    for (question, answer) in [
        (balance(&a, "watt"), coin("1000", "watt")),
        (balance(&nobody, "watt"), coin("0", "watt")),
        (balance(&a, "uatom"), coin("0", "uatom")),
        (json!({ "bank": { "supply": { "denom": "watt" } } }), coin("1500", "watt")),
    ] {
        assert_eq!(asked(question.clone()), answer, "{question}");
    }
    let wrong = asked(balance("wasm1xyz", "watt"));
    assert!(wrong["error"]["invalid_request"].is_object(), "{wrong}");
}

/// A washing machine that buys by itself (Y.4464 Appendix II): its owner gave a contract tokens and
/// said when it is to order, and nobody stands between.
#[test]
fn a_machine_that_runs_low_buys_by_a_contract_that_was_set_before() {
    let mut ledger = with_tokens();
    let (a, b) = (ledger.a, ledger.b);
    let thing = ledger.world.thing("washer");
    let stream = StreamId::derive(&thing, "count");
    let order = json!({ "ok": { "messages": [{ "id": 1, "msg": send(&did(&b), 30),
        "gas_limit": null, "reply_on": "never" }], "attributes": [], "events": [], "data": null } });
    let text = saying(&order.to_string());
    let buyer = ledger.made("buyer", &[("data", text.as_str()), ("execute", SAYS)]);
    let pay = Transfer { to: buyer.actor(), amount: Amount::from(50), memo: String::new() };
    ledger.world.must(a, Action::Transfer(pay));
    let message = b"{}".to_vec();
    ledger.world.must(
        a,
        Action::SetTrigger(Trigger {
            name: "reorder".into(),
            cause: Cause::Reading { stream, relation: Relation::Below, bound: 3, for_ms: 0 },
            effect: Effect::Call { contract: buyer, message, gas_limit: GAS },
        }),
    );
    let mut next = 0;
    // Enough detergent; little, which it orders for; enough again; little, and too few tokens.
    for (left, seller) in [(10, 500), (2, 530), (10, 530), (2, 530)] {
        ledger.world.must(a, Action::SubmitBatch(numbers(stream, next, &[left])));
        next += 1;
        ledger.world.block(&[]);
        assert_eq!(ledger.has(&b), seller, "{next}");
    }
    assert_eq!(ledger.has(&buyer.actor()), 20);
}
