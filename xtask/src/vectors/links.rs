//! Links to other ledgers and calls across them: actions, events, proofs and what states say.

use althing_proof::{
    Claim,
    call::{Answered, CallOutcome, CallRecord, TakenRecord},
    key,
    link::{Anchor, Shown},
    testing::{Network, TinyLedger},
};
use althing_types::{
    Action, Amount, Call, CallAnswer, CallPayment, CallSettlement, EntityId, EntityKind, Event,
    LedgerId, LinkAdvance, LinkEvent, LinkFork, LinkId, LinkStatus, ServiceId, Suite, TxId, Wire,
};
use serde_json::{Value, json};

use super::{Form, Vector};

const LEDGER: LedgerId = LedgerId([0x1e; 32]);
const LINK: LinkId = LinkId([0x11; 32]);
const SERVICE: ServiceId = ServiceId([0x76; 32]);
const CALL: TxId = TxId([0xca; 32]);
const CALLER: EntityId = EntityId([0x0c; 32]);
const OWNER: EntityId = EntityId([0x0e; 32]);
const DEADLINE_MS: u64 = 1_700_000_900_000;
/// In place of a proof or a genesis: the form of the actions does not depend on what is in it.
const BYTES: [u8; 3] = [0x82, 0x80, 0x80];

fn call(payment: Option<CallPayment>) -> Call {
    let request = b"is bike 7 covered?".to_vec();
    let (deadline_ms, grace_ms) = (DEADLINE_MS, 60_000);
    Call { ledger: LEDGER, service: SERVICE, deadline_ms, grace_ms, request, payment }
}

fn paid() -> Call {
    call(Some(CallPayment { payee: OWNER, amount: Amount::from(70) }))
}

/// Those between ledgers.
pub(super) fn actions() -> Vec<Action> {
    let proof = BYTES.to_vec();
    let answer = |accepted| {
        let answer = b"until 2030".to_vec();
        Action::AnswerCall(CallAnswer { ledger: LEDGER, call: CALL, accepted, answer })
    };
    let status = |status| Action::SetLinkStatus { link: LINK, status };
    vec![
        Action::RegisterLink { genesis: proof.clone() },
        Action::AdvanceLink(LinkAdvance { link: LINK, proof: proof.clone() }),
        Action::ReportFork(LinkFork { link: LINK, first: proof.clone(), second: vec![0x81] }),
        status(LinkStatus::Suspended),
        status(LinkStatus::Ended),
        Action::AskLedger(call(None)),
        Action::AskLedger(paid()),
        Action::TakeCall { proof: proof.clone() },
        answer(true),
        answer(false),
        Action::SettleCall(CallSettlement { call: CALL, proof }),
        Action::RefundCall { call: CALL },
    ]
}

pub(super) fn action_json(action: &Action) -> Option<Value> {
    Some(match action {
        Action::RegisterLink { genesis } => json!({ "genesis": hex::encode(genesis) }),
        Action::AdvanceLink(told) => {
            json!({ "link": hex::encode(told.link.0), "proof": hex::encode(&told.proof) })
        }
        Action::ReportFork(told) => json!({
            "link": hex::encode(told.link.0),
            "first": hex::encode(&told.first),
            "second": hex::encode(&told.second),
        }),
        Action::SetLinkStatus { link, status } => {
            json!({ "link": hex::encode(link.0), "status": status.name() })
        }
        Action::AskLedger(call) => json!({
            "ledger": hex::encode(call.ledger.0),
            "service": hex::encode(call.service.0),
            "deadline_ms": call.deadline_ms,
            "grace_ms": call.grace_ms,
            "request": hex::encode(&call.request),
            "payment": call.payment.map(|payment| json!({
                "payee": hex::encode(payment.payee.0),
                "amount": payment.amount.to_string(),
            })),
        }),
        Action::TakeCall { proof } => json!({ "proof": hex::encode(proof) }),
        Action::AnswerCall(said) => json!({
            "ledger": hex::encode(said.ledger.0),
            "call": hex::encode(said.call.0),
            "accepted": said.accepted,
            "answer": hex::encode(&said.answer),
        }),
        Action::SettleCall(told) => {
            json!({ "call": hex::encode(told.call.0), "proof": hex::encode(&told.proof) })
        }
        Action::RefundCall { call } => json!({ "call": hex::encode(call.0) }),
        _ => return None,
    })
}

pub(super) fn events() -> Vec<(&'static str, Event)> {
    use LinkEvent as E;
    let (link, ledger, call, service, deadline_ms) = (LINK, LEDGER, CALL, SERVICE, DEADLINE_MS);
    let (caller, owner) = (CALLER, OWNER);
    [
        ("link registered", E::Registered { link, owner, ledger }),
        ("link advanced", E::Advanced { link, height: 812, epoch: 3 }),
        ("link ended", E::StatusSet { link, status: LinkStatus::Ended }),
        ("link frozen", E::Frozen { link, height: 811 }),
        ("ledger asked", E::Asked { call, caller, ledger, service, deadline_ms }),
        ("call taken", E::Taken { ledger, call, service, provider: owner, deadline_ms }),
        ("call answered", E::Answered { ledger, call, by: owner, accepted: true }),
        ("call settled", E::Settled { call, caller, accepted: false }),
        ("call refunded", E::Refunded { call, caller }),
    ]
    .map(|(name, event)| (name, Event::Link(event)))
    .into()
}

pub(super) fn forms() -> Vec<Form> {
    let mut ledger = TinyLedger::on(Network::new(4), EntityKind::Gateway, Suite::Ed25519);
    let begin = Anchor::of(&ledger.network.genesis);
    ledger.submit(2);
    ledger.end_epoch(5);
    let at = key::call(&CALL);
    let open = CallRecord {
        call: paid(),
        caller: CALLER,
        owner: OWNER,
        asked_height: 1,
        asked_ms: DEADLINE_MS - 600_000,
        outcome: None,
    };
    ledger.state.set(at.clone(), open.to_wire());
    let bundle = ledger.bundle(|ledger| Claim::state(ledger, at).expect("there is a path"));
    let shown = Shown::of(&bundle, 0).expect("it is about the state");
    let known = begin.follow(&shown.advance).expect("it follows");
    let answered =
        Answered { accepted: true, answer: b"until 2030".to_vec(), by: OWNER, height: 9 };
    let settled = CallRecord {
        outcome: Some(CallOutcome { answer: Some(answered.clone()), height: 12 }),
        ..open.clone()
    };
    let refunded =
        CallRecord { outcome: Some(CallOutcome { answer: None, height: 90 }), ..open.clone() };
    let taken = TakenRecord {
        ledger: LEDGER,
        caller: CALLER,
        call: call(None),
        provider: OWNER,
        taken_height: 7,
        taken_ms: DEADLINE_MS - 500_000,
        answer: None,
    };
    let replied = TakenRecord { answer: Some(answered), ..taken.clone() };
    let of = |name: &str, wire: Vec<u8>| Vector::new(name, json!({}), wire);
    let genesis = json!({ "genesis": hex::encode(ledger.network.genesis.to_wire()) });
    vec![
        Form::new(
            "anchor",
            "What is known of a ledger: where the genesis leads, and where a proof leads on.",
            vec![
                Vector::new("of a genesis", genesis.clone(), begin.to_wire()),
                Vector::new("after a change of validators", genesis.clone(), known.to_wire()),
            ],
        ),
        Form::new(
            "advance",
            "Leads from the anchor of `genesis` over a change of validators to a final block.",
            vec![Vector::new("over a change", genesis.clone(), shown.advance.to_wire())],
        ),
        Form::new(
            "shown",
            "The same, and what the state of that block holds at a key.",
            vec![Vector::new("an open call", genesis, shown.to_wire())],
        ),
        Form::new(
            "call_record",
            "A call in the state of the ledger that asks (the first), and as its index keeps it.",
            vec![
                of("open", open.to_wire()),
                of("settled", settled.to_wire()),
                of("refunded", refunded.to_wire()),
            ],
        ),
        Form::new(
            "taken_record",
            "A call in the state of the ledger that is asked.",
            vec![of("taken", taken.to_wire()), of("answered", replied.to_wire())],
        ),
    ]
}
