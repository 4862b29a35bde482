use althing_proof::link::Shown;
use althing_types::{
    Action, Amount, CallPayment, EntityKind, Listing, Manifest, Price, Receipt, ServiceId, Version,
    limits::{CALL_BYTES_MAX, CALL_GRACE_MS_MAX, CALL_GRACE_MS_MIN},
};

use super::*;
use crate::{key, link::LinkRecord, testing::World, token::Account};

/// Two ledgers of the same organisations, linked to each other: A asks on one, B's service answers on the
/// other. Time of both is the same at first.
struct Two {
    asks: World,
    asked: World,
    caller: EntityId,
    provider: EntityId,
    service: ServiceId,
}

const SHOP: &str = "shop";
const MAKER: &str = "maker";
const PAID: u64 = 40;
const HOUR_MS: u64 = 3_600_000;
const GRACE_MS: u64 = 600_000;

impl Two {
    fn new() -> Self {
        let (mut asks, mut asked) = (World::beside(SHOP), World::beside(MAKER));
        let caller = asks.member(EntityKind::Service, 21);
        let provider = asked.member_of(asked.b, EntityKind::Service, 23);
        asked.must(provider, Action::PublishService(manifest(provider)));
        let register =
            |network| Action::RegisterLink { genesis: World::genesis(network).to_wire() };
        asks.must(asks.a, register(MAKER));
        asked.must(asked.b, register(SHOP));
        asks.must(asks.a, pay_to(caller));
        let service = ServiceId::derive(&provider, "warranty");
        Self { asks, asked, caller, provider, service }
    }

    fn call(&self, deadline_ms: u64) -> Call {
        let payment = Some(CallPayment { payee: self.asks.b, amount: Amount::from(PAID) });
        let (ledger, request) = (self.asked.ledger, b"is bike 7 covered?".to_vec());
        let grace_ms = GRACE_MS;
        Call { ledger, service: self.service, deadline_ms, grace_ms, request, payment }
    }

    fn ask(&mut self) -> TxId {
        let call = self.call(self.asks.time_ms() + HOUR_MS);
        self.asks.must(self.caller, Action::AskLedger(call)).transaction
    }

    /// What shows the call to the other ledger.
    fn request(&self, id: &TxId) -> Shown {
        self.asks.shown(&proof_key::call(id))
    }

    fn reply(&self, id: &TxId) -> Shown {
        self.asked.shown(&proof_key::taken(&self.asks.ledger, id))
    }

    fn taken(&self, id: &TxId) -> Option<TakenRecord> {
        let at = proof_key::taken(&self.asks.ledger, id);
        self.asked.state.get(&at).map(|value| TakenRecord::from_wire(value).unwrap())
    }

    fn answer(&self, id: &TxId, accepted: bool) -> Action {
        let (ledger, answer) = (self.asks.ledger, b"it is".to_vec());
        Action::AnswerCall(CallAnswer { ledger, call: *id, accepted, answer })
    }

    fn open(&self) -> [u32; 2] {
        [
            (&self.asks, self.asks.a, self.asked.ledger),
            (&self.asked, self.asked.b, self.asks.ledger),
        ]
        .map(|(world, owner, ledger)| {
            let at = key::link(&LinkId::derive(&owner, &ledger));
            LinkRecord::from_wire(&world.state[&at]).unwrap().open
        })
    }

    /// What caller and payee have.
    fn balances(&self) -> [u128; 2] {
        [self.caller, self.asks.b].map(|id| {
            let account = self.asks.state.get(&key::account(&id));
            account.map_or(0, |value| Account::from_wire(value).unwrap().balance.units())
        })
    }
}

fn manifest(entity: EntityId) -> Manifest {
    Manifest {
        name: "warranty".into(),
        version: Version { major: 1, minor: 0, patch: 0 },
        text: "Says what is covered".into(),
        interfaces: vec![],
        tags: vec![],
        schema: None,
        offered: Offered::Outside {
            entity,
            endpoints: vec!["https://maker.example".into()],
            contract: None,
        },
        purpose: "warranty".into(),
        needs: vec![],
        price: Price { text: String::new(), rule: None },
        listing: Listing::Everyone,
    }
}

fn pay_to(to: EntityId) -> Action {
    let (amount, memo) = (Amount::from(100), String::new());
    Action::Transfer(althing_types::Transfer { to, amount, memo })
}

fn take(shown: &Shown) -> Action {
    Action::TakeCall { proof: shown.to_wire() }
}

fn settle(call: TxId, shown: &Shown) -> Action {
    Action::SettleCall(CallSettlement { call, proof: shown.to_wire() })
}

fn events(receipt: &Receipt) -> Vec<LinkEvent> {
    let of = |event: &Event| match event {
        Event::Link(event) => Some(*event),
        _ => None,
    };
    receipt.events.iter().filter_map(of).collect()
}

#[test]
fn a_call_goes_there_and_its_answer_comes_back() {
    let mut two = Two::new();
    let before = two.balances();
    let id = two.ask();
    assert_eq!(two.balances(), [before[0] - u128::from(PAID), before[1]]);
    assert_eq!(two.open(), [1, 0]);
    // Whoever carries it is nobody's business.
    let request = two.request(&id);
    let receipt = two.asked.must(two.asked.a, take(&request));
    assert!(matches!(events(&receipt)[..], [LinkEvent::Advanced { .. }, LinkEvent::Taken { .. }]));
    assert_eq!(two.open(), [1, 1]);
    let taken = two.taken(&id).unwrap();
    assert_eq!((taken.caller, taken.provider, &taken.answer), (two.caller, two.provider, &None));
    let answer = two.answer(&id, true);
    two.asked.must(two.provider, answer);
    let reply = two.reply(&id);
    let receipt = two.asks.must(two.asks.b, settle(id, &reply));
    let settled = LinkEvent::Settled { call: id, caller: two.caller, accepted: true };
    assert_eq!(events(&receipt).last(), Some(&settled));
    assert_eq!(two.balances(), [before[0] - u128::from(PAID), before[1] + u128::from(PAID)]);
    assert_eq!(two.open(), [0, 0]);
    assert!(!two.asks.state.contains_key(&proof_key::call(&id)));
    // It is over at both ends.
    for (action, expected) in [
        (settle(id, &reply), Refusal::UnknownCall),
        (Action::RefundCall { call: id }, Refusal::UnknownCall),
    ] {
        assert_eq!(two.asks.act(two.asks.a, action), Err(expected));
    }
    let again = take(&request);
    assert_eq!(two.asked.act(two.asked.a, again), Err(Refusal::AlreadyExists));
}

#[test]
fn a_call_that_is_declined_is_not_paid() {
    let mut two = Two::new();
    let before = two.balances();
    let id = two.ask();
    two.asked.must(two.asked.a, take(&two.request(&id)));
    let answer = two.answer(&id, false);
    // The organisation behind the provider may answer as well.
    two.asked.must(two.asked.b, answer);
    two.asks.must(two.asks.a, settle(id, &two.reply(&id)));
    assert_eq!((two.balances(), two.open()), (before, [0, 0]));
}

#[test]
fn a_call_without_an_answer_is_refunded_after_its_time() {
    let mut two = Two::new();
    let before = two.balances();
    let id = two.ask();
    let request = two.request(&id);
    let refund = Action::RefundCall { call: id };
    assert_eq!(two.asks.act(two.asks.b, refund.clone()), Err(Refusal::CallNotDue));
    // Past the deadline it is not taken, within the grace not refunded.
    let wait = |world: &mut World, ms: u64| {
        world.pace_ms = ms;
        world.block(&[]);
        world.pace_ms = 1000;
    };
    wait(&mut two.asked, HOUR_MS + 1);
    assert_eq!(two.asked.act(two.asked.a, take(&request)), Err(Refusal::CallOver));
    wait(&mut two.asks, HOUR_MS);
    assert_eq!(two.asks.act(two.asks.b, refund.clone()), Err(Refusal::CallNotDue));
    wait(&mut two.asks, GRACE_MS);
    let receipt = two.asks.must(two.asks.b, refund.clone());
    assert_eq!(events(&receipt), [LinkEvent::Refunded { call: id, caller: two.caller }]);
    assert_eq!((two.balances(), two.open()), (before, [0, 0]));
    assert_eq!(two.asks.act(two.asks.b, refund), Err(Refusal::UnknownCall));
}

#[test]
fn an_answer_comes_in_time_and_from_whom_it_should() {
    let mut two = Two::new();
    let id = two.ask();
    two.asked.must(two.asked.a, take(&two.request(&id)));
    // Nothing is settled before there is an answer.
    let early = settle(id, &two.reply(&id));
    assert_eq!(two.asks.act(two.asks.a, early), Err(Refusal::CallNotDue));
    let answer = two.answer(&id, true);
    assert_eq!(two.asked.act(two.asked.a, answer.clone()), Err(Refusal::NotPermitted));
    let unknown = two.answer(&TxId([9; 32]), true);
    assert_eq!(two.asked.act(two.provider, unknown), Err(Refusal::UnknownCall));
    two.asked.pace_ms = HOUR_MS + 1;
    assert_eq!(two.asked.act(two.provider, answer), Err(Refusal::CallOver));
    // What was never answered is forgotten when another call comes, days later.
    two.asked.pace_ms = CALL_KEPT_MS + HOUR_MS;
    two.asked.block(&[]);
    two.asks.pace_ms = CALL_KEPT_MS + 5 * HOUR_MS / 2;
    two.asks.block(&[]);
    (two.asks.pace_ms, two.asked.pace_ms) = (1000, HOUR_MS);
    let second = two.ask();
    two.asked.must(two.asked.a, take(&two.request(&second)));
    assert_eq!(two.taken(&id), None);
    assert_eq!(two.open(), [2, 1]);
}

/// A relay that alters, replays, mixes up or makes up what it carries.
#[test]
fn a_lying_relay_gets_nothing_through() {
    let mut two = Two::new();
    let (one, other) = (two.ask(), two.ask());
    let honest = two.request(&one);
    let mut record = CallRecord::from_wire(honest.row.value.as_ref().unwrap()).unwrap();
    record.call.request = b"give me all bikes".to_vec();
    let with = |change: &dyn Fn(&mut Shown)| {
        let mut shown = honest.clone();
        change(&mut shown);
        take(&shown)
    };
    let elsewhere = World::beside("elsewhere").shown(&proof_key::call(&one));
    for (row, (action, expected)) in [
        (with(&|it| it.row.value = Some(record.to_wire())), Refusal::BadForeignProof),
        (with(&|it| it.row.value = None), Refusal::UnknownCall),
        (with(&|it| it.row.key = proof_key::call(&other)), Refusal::BadForeignProof),
        (with(&|it| it.row.key = b"e/x".to_vec()), Refusal::BadForeignProof),
        (with(&|it| it.advance.block.header.time_ms += 1), Refusal::BadForeignProof),
        (with(&|it| it.advance.block.certificate.signatures.swap(0, 1)), Refusal::BadForeignProof),
        (take(&elsewhere), Refusal::UnknownCall),
        (Action::TakeCall { proof: honest.to_wire()[1..].to_vec() }, Refusal::BadForeignProof),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(two.asked.act(two.asked.a, action), Err(expected), "row {row}");
    }
    two.asked.must(two.asked.a, take(&honest));
    two.asked.must(two.asked.a, take(&two.request(&other)));
    let answer = two.answer(&one, true);
    two.asked.must(two.provider, answer);
    let reply = two.reply(&one);
    let mut altered = reply.clone();
    let mut taken = two.taken(&one).unwrap();
    taken.answer.as_mut().unwrap().answer = b"all of them".to_vec();
    altered.row.value = Some(taken.to_wire());
    let foreign = two.asks.shown(&proof_key::call(&one));
    for (row, (action, expected)) in [
        (settle(one, &altered), Refusal::BadForeignProof),
        (settle(other, &reply), Refusal::BadForeignProof),
        (settle(one, &foreign), Refusal::BadForeignProof),
        (settle(TxId([9; 32]), &reply), Refusal::UnknownCall),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(two.asks.act(two.asks.a, action), Err(expected), "row {row}");
    }
    two.asks.must(two.asks.a, settle(one, &reply));
    // For a ledger that is not asked, it is none of its business.
    let mut third = World::beside("third");
    assert_eq!(third.act(third.a, take(&honest)), Err(Refusal::WrongLedger));
}

/// Who asks owns the link: closing it must not spare it the payment of an answer that came in time.
#[test]
fn a_link_that_is_closed_takes_nothing_new_and_ends_what_is_under_way() {
    let mut two = Two::new();
    let (id, late) = (two.ask(), two.ask());
    let before = two.balances();
    let request = two.request(&id);
    let set = |owner, ledger, status| {
        let link = LinkId::derive(&owner, &ledger);
        Action::SetLinkStatus { link, status }
    };
    use althing_types::LinkStatus::{Ended, Live, Suspended};
    two.asked.must(two.asked.b, set(two.asked.b, two.asks.ledger, Suspended));
    assert_eq!(two.asked.act(two.asked.a, take(&request)), Err(Refusal::LinkClosed));
    two.asked.must(two.asked.b, set(two.asked.b, two.asks.ledger, Live));
    two.asked.must(two.asked.a, take(&request));
    let answer = two.answer(&id, true);
    two.asked.must(two.provider, answer);
    two.asks.must(two.asks.a, set(two.asks.a, two.asked.ledger, Suspended));
    let call = two.call(two.asks.time_ms() + HOUR_MS);
    assert_eq!(two.asks.act(two.caller, Action::AskLedger(call)), Err(Refusal::LinkClosed));
    two.asks.must(two.asks.a, set(two.asks.a, two.asked.ledger, Ended));
    let reply = settle(id, &two.reply(&id));
    two.asks.must(two.asks.b, reply);
    assert_eq!(two.balances(), [before[0], before[1] + u128::from(PAID)]);
    two.asks.pace_ms = HOUR_MS + GRACE_MS + 1;
    two.asks.must(two.asks.b, Action::RefundCall { call: late });
    assert_eq!(two.balances()[0], before[0] + u128::from(PAID));
    assert_eq!(two.open(), [0, 0]);
}

#[test]
fn what_is_asked_has_bounds() {
    let mut two = Two::new();
    let now_ms = two.asks.next_time_ms();
    let asked = |two: &mut Two, change: &dyn Fn(&mut Call)| {
        let mut call = two.call(now_ms + HOUR_MS);
        change(&mut call);
        (call.is_within_bounds(), call)
    };
    type Change<'a> = (&'a dyn Fn(&mut Call), bool);
    let rows: &[Change<'_>] = &[
        (&|call| call.request = vec![0; CALL_BYTES_MAX], true),
        (&|call| call.request = vec![0; CALL_BYTES_MAX + 1], false),
        (&|call| call.payment.as_mut().unwrap().amount = Amount::ZERO, false),
        (&|call| call.payment = None, true),
        (&|call| call.grace_ms = CALL_GRACE_MS_MIN, true),
        (&|call| call.grace_ms = CALL_GRACE_MS_MIN - 1, false),
        (&|call| call.grace_ms = CALL_GRACE_MS_MAX + 1, false),
    ];
    for (row, (change, fits)) in rows.iter().enumerate() {
        assert_eq!(asked(&mut two, change).0, *fits, "row {row}");
    }
    type Refused<'a> = (&'a dyn Fn(&mut Call), Refusal);
    let (caller, payee) = (two.caller, EntityId([9; 32]));
    let rows: &[Refused<'_>] = &[
        (&|call| call.deadline_ms = 5, Refusal::CallOver),
        (&|call| call.deadline_ms = u64::MAX, Refusal::CallOver),
        (&|call| call.ledger = LedgerId([9; 32]), Refusal::NoLedgerLink),
        (&|call| call.payment.as_mut().unwrap().amount = Amount::MAX, Refusal::InsufficientFunds),
        (&|call| call.payment.as_mut().unwrap().payee = payee, Refusal::UnknownPayee),
        (&|call| call.payment.as_mut().unwrap().payee = caller, Refusal::ChangesNothing),
    ];
    for (row, (change, expected)) in rows.iter().enumerate() {
        let (_, call) = asked(&mut two, change);
        assert_eq!(two.asks.act(caller, Action::AskLedger(call)), Err(*expected), "row {row}");
    }
    // No service, or one that was withdrawn.
    let call = Call { service: ServiceId([9; 32]), ..two.call(now_ms + HOUR_MS) };
    let id = two.asks.must(caller, Action::AskLedger(call)).transaction;
    assert_eq!(two.asked.act(two.asked.a, take(&two.request(&id))), Err(Refusal::UnknownService));
    // A clock far behind that of the ledger that asks.
    two.asks.pace_ms = HOUR_MS;
    let id = two.ask();
    assert_eq!(two.asked.act(two.asked.a, take(&two.request(&id))), Err(Refusal::CallNotDue));
    // Payer and payee may settle between themselves before; the call ends all the same.
    two.asks.pace_ms = 1000;
    let mut two = Two::new();
    let id = two.ask();
    two.asks.must(two.asks.b, Action::RefundEscrow { escrow: id });
    assert!(!two.asks.state.contains_key(&key::escrow(&id)));
    two.asked.must(two.asked.a, take(&two.request(&id)));
    let answer = two.answer(&id, true);
    two.asked.must(two.provider, answer);
    two.asks.must(two.asks.a, settle(id, &two.reply(&id)));
}
