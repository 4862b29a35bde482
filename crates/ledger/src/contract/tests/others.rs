//! Contracts of others, unchanged, through their life on a ledger: `testdata/contracts/README.md`.

use serde_json::{Value, json};

use super::{super::CodeRecord, *};

pub(super) const CW20: &[u8] = include_bytes!("../../../../../testdata/contracts/cw20_base.wasm");
pub(super) const CW1: &[u8] =
    include_bytes!("../../../../../testdata/contracts/cw1_whitelist.wasm");
const CW3: &[u8] = include_bytes!("../../../../../testdata/contracts/cw3_fixed_multisig.wasm");
const CW4: &[u8] = include_bytes!("../../../../../testdata/contracts/cw4_group.wasm");
pub(super) const MUCH: u64 = 100_000_000;

pub(super) fn did(id: &EntityId) -> String {
    Did::entity("test", id).to_string()
}

/// Base64 of JSON, as messages in messages are.
fn packed(message: &Value) -> Value {
    json!(super::super::wire::Binary(message.to_string().into_bytes()))
}

fn sending(to: &ContractId, message: &Value) -> Value {
    json!({ "wasm": { "execute": { "contract_addr": address(to), "msg": packed(message), "funds": [] } } })
}

impl Ledger {
    /// A contract of organisation A from a module of others.
    pub(super) fn begin(&mut self, module: &[u8], name: &str, message: &Value) -> ContractId {
        let code = self.store(module).unwrap();
        let record: CodeRecord = minicbor::decode(&self.world.state[&key::code(&code)]).unwrap();
        while self.world.time_ms() + 1000 < record.ready_ms {
            self.world.block(&[]);
        }
        let message = message.to_string().into_bytes();
        let (name_, terms) = (name.to_owned(), terms(self.a));
        let make =
            Action::Instantiate { code, name: name_, terms, message, gas_limit: MUCH, funds: None };
        self.world.must(self.a, make);
        ContractId::derive(&self.a, name)
    }

    fn send(
        &mut self,
        sender: EntityId,
        contract: ContractId,
        message: &Value,
    ) -> Result<Receipt, Refusal> {
        let message = message.to_string().into_bytes();
        self.world.act(sender, Action::Execute { contract, message, gas_limit: MUCH, funds: None })
    }

    fn ask(&self, contract: &ContractId, question: &Value) -> Value {
        let now = Context {
            ledger: self.world.ledger,
            height: self.world.height,
            time_ms: self.world.time_ms(),
            parameters: &self.world.parameters,
        };
        let asked = ask(&self.world.state, &now, contract, question.to_string().as_bytes());
        serde_json::from_slice(&asked.unwrap().answer.unwrap()).unwrap()
    }

    fn balance(&self, token: &ContractId, of: &str) -> Value {
        self.ask(token, &json!({ "balance": { "address": of } }))["balance"].clone()
    }
}

#[test]
fn a_token_of_others_is_paid_with_and_spent_by_others_as_far_as_allowed() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.a, ledger.b);
    let balances = json!([{ "address": did(&a), "amount": "1000" }]);
    let first =
        json!({ "name": "Token", "symbol": "TOK", "decimals": 2, "initial_balances": balances });
    let token = ledger.begin(CW20, "token", &first);
    let pay =
        |amount: u64| json!({ "transfer": { "recipient": did(&b), "amount": amount.to_string() } });
    let receipt = ledger.send(a, token, &pay(300)).unwrap();
    let told = receipt.events.iter().any(|event| {
        matches!(event, Event::ContractEmitted { attributes, .. }
            if attributes.iter().any(|each| each.key == "amount" && each.value == "300"))
    });
    assert!(told, "{receipt:?}");
    let before = ledger.contracts_state();
    assert_eq!(ledger.send(a, token, &pay(701)), Err(Refusal::ContractRefused));
    assert_eq!(ledger.contracts_state(), before);
    assert_eq!(ledger.balance(&token, &did(&a)), "700");
    assert_eq!(ledger.balance(&token, &did(&b)), "300");

    let allow = json!({ "increase_allowance": { "spender": did(&b), "amount": "50" } });
    ledger.send(a, token, &allow).unwrap();
    let take = |amount: u64| json!({ "transfer_from": { "owner": did(&a), "recipient": did(&b), "amount": amount.to_string() } });
    assert_eq!(ledger.send(b, token, &take(51)), Err(Refusal::ContractRefused));
    ledger.send(b, token, &take(50)).unwrap();
    assert_eq!(ledger.send(b, token, &take(1)), Err(Refusal::ContractRefused));
    assert_eq!(ledger.balance(&token, &did(&b)), "350");
    // Whoever is not registered here has an address of another form.
    let nobody = json!({ "transfer": { "recipient": "wasm1xyz", "amount": "1" } });
    assert_eq!(ledger.send(a, token, &nobody), Err(Refusal::ContractRefused));
}

#[test]
fn contracts_of_others_command_each_other_by_vote_and_by_list() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.a, ledger.b);
    let voters = json!([{ "addr": did(&a), "weight": 1 }, { "addr": did(&b), "weight": 1 }]);
    let vote = json!({ "voters": voters, "threshold": { "absolute_count": { "weight": 2 } },
        "max_voting_period": { "height": 100 } });
    let multisig = ledger.begin(CW3, "multisig", &vote);
    let list = ledger.begin(CW1, "list", &json!({ "admins": [did(&b)], "mutable": false }));
    let balances: Vec<Value> =
        [&multisig, &list].map(|id| json!({ "address": address(id), "amount": "100" })).to_vec();
    let first =
        json!({ "name": "Token", "symbol": "TOK", "decimals": 2, "initial_balances": balances });
    let token = ledger.begin(CW20, "token", &first);
    let pay = sending(&token, &json!({ "transfer": { "recipient": did(&a), "amount": "40" } }));

    let propose =
        json!({ "propose": { "title": "Pay", "description": "", "msgs": [pay.clone()] } });
    ledger.send(a, multisig, &propose).unwrap();
    let execute = json!({ "execute": { "proposal_id": 1 } });
    assert_eq!(
        ledger.send(a, multisig, &execute),
        Err(Refusal::ContractRefused),
        "one vote of two"
    );
    let yes = json!({ "vote": { "proposal_id": 1, "vote": "yes" } });
    assert_eq!(ledger.send(a, multisig, &yes), Err(Refusal::ContractRefused), "a second time");
    ledger.send(b, multisig, &yes).unwrap();
    ledger.send(a, multisig, &execute).unwrap();
    assert_eq!(ledger.balance(&token, &did(&a)), "40");
    assert_eq!(ledger.send(a, multisig, &execute), Err(Refusal::ContractRefused), "done already");

    let through = json!({ "execute": { "msgs": [pay] } });
    assert_eq!(ledger.send(a, list, &through), Err(Refusal::ContractRefused), "not on the list");
    ledger.send(b, list, &through).unwrap();
    ledger.send(b, list, &through).unwrap();
    assert_eq!(ledger.balance(&token, &did(&a)), "120");
    // The token refuses the third; the list's own change is undone with it.
    assert_eq!(ledger.send(b, list, &through), Err(Refusal::ContractRefused));
    assert_eq!(ledger.balance(&token, &address(&list)), "20");
}

#[test]
fn a_group_of_others_tells_whom_it_should_of_its_changes() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.a, ledger.b);
    let first = json!({ "admin": did(&a), "members": [{ "addr": did(&a), "weight": 2 }] });
    let group = ledger.begin(CW4, "group", &first);
    let listens = ledger.made("listens", &[("execute", WRITES)]);
    let hook = |what: &str| json!({ what: { "addr": address(&listens) } });
    let change = |weight: u64| json!({ "update_members": { "remove": [], "add": [{ "addr": did(&b), "weight": weight }] } });
    ledger.send(a, group, &change(3)).unwrap();
    assert!(!ledger.written(&listens));
    assert_eq!(ledger.send(b, group, &hook("add_hook")), Err(Refusal::ContractRefused));
    ledger.send(a, group, &hook("add_hook")).unwrap();
    let receipt = ledger.send(a, group, &change(5)).unwrap();
    assert!(ledger.written(&listens));
    assert_eq!(entries(&receipt), [1, 1], "the group and who listens");
    assert_eq!(ledger.ask(&group, &json!({ "total_weight": {} }))["weight"], 7);
    // One that breaks off undoes the change that it was told of.
    ledger.world.must(a, Action::FreezeContract { contract: listens });
    assert_eq!(ledger.send(a, group, &change(9)), Err(Refusal::ContractFrozen));
    assert_eq!(ledger.ask(&group, &json!({ "total_weight": {} }))["weight"], 7);
    ledger.send(a, group, &hook("remove_hook")).unwrap();
    ledger.send(a, group, &change(9)).unwrap();
    assert_eq!(ledger.ask(&group, &json!({ "total_weight": {} }))["weight"], 11);
}
