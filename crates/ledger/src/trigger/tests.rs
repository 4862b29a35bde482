use althing_types::{
    AccessMode, AccessPolicy, Action, ApprovalPolicy, ContractId, EntityKind, Operation, Receipt,
    Record, Relation, Terms, ThingId,
    limits::{TRIGGER_FAILURES_MAX, TRIGGER_RUNS_OF_OWNER_MAX, TRIGGER_WINDOW_MS},
};

use super::*;
use crate::testing::{World, description, numbers, registration_of};

const SECOND: u64 = 1000;

struct Ledger {
    world: World,
    thing: ThingId,
    stream: StreamId,
    next: u64,
}

impl Ledger {
    fn new() -> Self {
        let mut world = World::new();
        let thing = world.thing("hall");
        Self { world, thing, stream: StreamId::derive(&thing, "temperature"), next: 0 }
    }

    /// A block with a batch of these mantissas; gives all receipts after its own.
    fn measure(&mut self, mantissas: &[i64]) -> Vec<Receipt> {
        let header = numbers(self.stream, self.next, mantissas);
        self.next += mantissas.len() as u64;
        let transaction = self.world.signed(&[self.world.a], vec![Action::SubmitBatch(header)]);
        let mut receipts = self.world.block(&[transaction]).receipts;
        assert_eq!(receipts.remove(0).code, 0);
        receipts
    }

    fn wait(&mut self) -> Vec<Receipt> {
        self.world.block(&[]).receipts
    }

    fn set(&mut self, owner: EntityId, trigger: Trigger) -> Result<TriggerId, Refusal> {
        let id = trigger.id(&owner);
        self.world.act(owner, Action::SetTrigger(trigger)).map(|_| id)
    }

    fn above(&self, bound: i64, for_ms: u64) -> Cause {
        Cause::Reading { stream: self.stream, relation: Relation::Above, bound, for_ms }
    }

    fn record(&self, id: &TriggerId) -> TriggerRecord {
        TriggerRecord::from_wire(&self.world.state[&key::trigger(id)]).unwrap()
    }

    fn left(&self) -> Vec<String> {
        let keys = self.world.state.keys().filter(|key| key.starts_with(b"r/"));
        keys.filter(|key| !key.starts_with(b"r/l/")).map(|key| format!("{key:?}")).collect()
    }
}

fn alarm(name: &str, cause: Cause) -> Trigger {
    let effect = Effect::Record(Record {
        kind: "alarm".into(),
        data: Vec::new(),
        notify: Vec::new(),
        link: None,
    });
    Trigger { name: name.into(), cause, effect }
}

/// Trigger, height of its cause and code of each run.
fn runs(receipts: &[Receipt]) -> Vec<(TriggerId, u64, u16)> {
    let ran = receipts.iter().filter_map(|receipt| match receipt.events.first() {
        Some(Event::Trigger(TriggerEvent::Ran { trigger, cause_height, code, .. })) => {
            Some((*trigger, *cause_height, *code))
        }
        _ => None,
    });
    ran.collect()
}

#[test]
fn a_reading_beyond_the_bound_takes_effect_in_the_next_block() {
    let mut ledger = Ledger::new();
    let a = ledger.world.a;
    let id = ledger.set(a, alarm("hot", ledger.above(80, 0))).unwrap();
    assert!(ledger.measure(&[80]).is_empty());
    assert!(ledger.wait().is_empty());
    assert!(ledger.measure(&[81]).is_empty());
    let cause = ledger.world.height;
    let receipts = ledger.wait();
    assert_eq!(runs(&receipts), [(id, cause, 0)]);
    assert!(matches!(&receipts[0].events[1], Event::Recorded { sender, kind, .. }
        if *sender == a && kind == "alarm"));
    assert_eq!(receipts[0].transaction, id.run(ledger.world.height));
    assert!(ledger.wait().is_empty());
    assert!(ledger.measure(&[90]).is_empty());
    assert!(ledger.wait().is_empty(), "not again while it lasts");
    ledger.measure(&[50]);
    assert!(ledger.wait().is_empty());
    ledger.measure(&[99]);
    assert_eq!(runs(&ledger.wait()).len(), 1, "again after it ended");
    assert_eq!(ledger.record(&id).runs, 2);
    ledger.world.must(a, Action::RemoveTrigger { trigger: id });
    assert_eq!(ledger.left(), Vec::<String>::new());
}

#[test]
fn what_lasts_takes_effect_when_it_has_lasted() {
    let mut ledger = Ledger::new();
    let id = ledger.set(ledger.world.a, alarm("hot", ledger.above(80, 3 * SECOND))).unwrap();
    ledger.measure(&[81, 90]);
    assert!(ledger.wait().is_empty());
    // One reading within the bound starts it anew.
    ledger.measure(&[99, 80]);
    ledger.measure(&[99]);
    let cause = ledger.world.height;
    assert!(ledger.wait().is_empty());
    assert!(ledger.wait().is_empty());
    assert_eq!(runs(&ledger.wait()), [(id, cause, 0)]);
    assert!(ledger.wait().is_empty());
}

/// What comes late tells nothing of how it is now.
#[test]
fn readings_that_fill_a_gap_trigger_nothing() {
    let mut ledger = Ledger::new();
    ledger.set(ledger.world.a, alarm("hot", ledger.above(80, 0))).unwrap();
    let late = numbers(ledger.stream, 0, &[99]);
    let now = numbers(ledger.stream, 1, &[10]);
    for header in [now, late] {
        ledger.world.must(ledger.world.a, Action::SubmitBatch(header));
    }
    assert!(ledger.wait().is_empty());
}

#[test]
fn silence_is_noticed_once() {
    let mut ledger = Ledger::new();
    let cause = Cause::Silence { stream: ledger.stream, for_ms: 2 * SECOND };
    let id = ledger.set(ledger.world.a, alarm("silent", cause)).unwrap();
    for _ in 0..4 {
        assert!(ledger.measure(&[10]).is_empty());
    }
    assert!(ledger.wait().is_empty());
    assert_eq!(runs(&ledger.wait()).len(), 1);
    assert!(ledger.wait().is_empty());
    assert!(ledger.wait().is_empty());
    ledger.measure(&[10]);
    assert!(ledger.wait().is_empty());
    assert_eq!(runs(&ledger.wait()).len(), 1);
    assert_eq!(ledger.record(&id).runs, 2);
}

#[test]
fn time_comes_once_or_again_and_again() {
    let mut ledger = Ledger::new();
    let now = ledger.world.time_ms();
    let at = |seconds, every_ms| Cause::Time { first_ms: now + seconds * SECOND, every_ms };
    let once = ledger.set(ledger.world.a, alarm("once", at(3, 0))).unwrap();
    let often = ledger.set(ledger.world.a, alarm("often", at(4, 2 * SECOND))).unwrap();
    let ran: Vec<_> =
        (0..6).map(|_| runs(&ledger.wait()).iter().map(|run| run.0).collect::<Vec<_>>()).collect();
    assert_eq!(ran, [vec![once], vec![often], vec![], vec![often], vec![], vec![often]]);
    assert_eq!(ledger.record(&once).watch.due_ms, None);
}

#[test]
fn one_trigger_leads_to_the_next_through_what_happens() {
    let mut ledger = Ledger::new();
    let a = ledger.world.a;
    let text = description(crate::testing::PROPERTIES).replace(
        "\"properties\"",
        r#""actions": {"ring": {"forms": [{"href": "r"}]}}, "properties""#,
    );
    ledger.world.must(a, registration_of("bell", &text));
    let thing = ThingId::derive(&a, "bell");
    let operation = Operation::Invoke { action: "ring".into(), input: None };
    let effect = Effect::Command { thing, operation, life_ms: 5 * SECOND, purpose: None };
    let rings = Trigger { name: "ring".into(), cause: ledger.above(80, 0), effect };
    let rings = ledger.set(a, rings).unwrap();
    let rung = Cause::Commanded { thing, state: althing_types::CommandState::Queued };
    let rung = ledger.set(a, alarm("rung", rung)).unwrap();
    let heard = Cause::Recorded { sender: a, kind: "alarm".into() };
    let heard = ledger.set(a, Trigger { name: "heard".into(), ..alarm("", heard) }).unwrap();
    ledger.measure(&[99]);
    let chain: Vec<_> = (0..4).flat_map(|_| runs(&ledger.wait())).collect();
    // The last one hears itself: once in each block, and its owner can stop it.
    let of = |position: usize| (chain[position].0, chain[position].2);
    assert_eq!([of(0), of(1), of(2), of(3)], [(rings, 0), (rung, 0), (heard, 0), (heard, 0)]);
    ledger.world.must(a, Action::SuspendTrigger { trigger: heard });
    assert!(ledger.wait().is_empty());
}

/// It kept the ledger from being idle until its owner stopped it.
#[test]
fn what_sets_itself_off_rests_until_the_window_ends() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.world.a, ledger.world.b);
    // Blocks that follow each other closely, as they do when there is something to do.
    ledger.world.pace_ms = 10;
    let heard = Cause::Recorded { sender: a, kind: "alarm".into() };
    let id = ledger.set(a, alarm("heard", heard)).unwrap();
    ledger.set(b, alarm("other", ledger.above(80, 0))).unwrap();
    let record = Record { kind: "alarm".into(), data: vec![], notify: vec![], link: None };
    ledger.world.must(a, Action::Record(record));
    let begun_ms = ledger.world.next_time_ms();
    let mut ran = 0;
    while ledger.world.next_time_ms() < begun_ms + TRIGGER_WINDOW_MS {
        ran += runs(&ledger.wait()).len() as u32;
    }
    assert_eq!(ran, TRIGGER_RUNS_OF_OWNER_MAX);
    // It is put off and not dropped, proposers know until when, and others are not held up.
    let next = next_due_ms(&ledger.world.state).unwrap();
    assert_eq!(next, Some(begun_ms + TRIGGER_WINDOW_MS));
    assert_eq!(ledger.record(&id).failures, 0);
    assert_eq!(runs(&ledger.wait()).len(), 1, "a window begins anew");
    ledger.measure(&[99]);
    assert_eq!(runs(&ledger.wait()).len(), 2);
    for owner in [a, b] {
        let name = if owner == a { "heard" } else { "other" };
        ledger
            .world
            .must(owner, Action::RemoveTrigger { trigger: TriggerId::derive(&owner, name) });
    }
    assert_eq!(ledger.left(), Vec::<String>::new());
}

#[test]
fn a_contract_is_called_and_one_that_fails_suspends_its_trigger() {
    let mut ledger = Ledger::new();
    let a = ledger.world.a;
    let bytes = wat::parse_str(
        include_str!("../../../../testdata/contracts/base.wat")
            .replace("(;execute;)", "(call $db_write (i32.const 32) (i32.const 48)) unreachable"),
    )
    .unwrap();
    let code = althing_types::CodeId::of(&bytes);
    ledger.world.must(a, Action::UploadCode { code, part: 0, bytes });
    let meta =
        althing_types::CodeMeta { name: "c".into(), source: String::new(), interfaces: Vec::new() };
    ledger.world.must(a, Action::StoreCode { code, parts: 1, meta });
    let (message, terms) = (b"{}".to_vec(), Terms::default());
    let (name, gas_limit) = ("c".to_owned(), 10_000_000);
    ledger
        .world
        .must(a, Action::Instantiate { code, name, terms, message, gas_limit, funds: None });
    let contract = ContractId::derive(&a, "c");
    let effect = Effect::Call { contract, message: b"{}".to_vec(), gas_limit };
    let now = ledger.world.time_ms();
    let cause = Cause::Time { first_ms: now, every_ms: SECOND };
    let id = ledger.set(a, Trigger { name: "calls".into(), cause, effect }).unwrap();
    let mut ran = 0;
    for _ in 0..2 * TRIGGER_FAILURES_MAX {
        for (_, _, code) in runs(&ledger.wait()) {
            assert_eq!(code, Refusal::ContractTrapped.number());
            ran += 1;
        }
    }
    assert_eq!(ran, TRIGGER_FAILURES_MAX);
    let record = ledger.record(&id);
    assert!(record.suspended && record.gas_used > 0 && record.watch.due_ms.is_none());
    assert!(!ledger.world.state.contains_key(&key::storage(&contract, b"key")));
    ledger.world.must(a, Action::ResumeTrigger { trigger: id });
    assert_eq!(runs(&ledger.wait()).len(), 1);
    assert_eq!(ledger.record(&id).failures, 1);
}

#[test]
fn a_block_runs_so_many_in_order_and_the_others_later() {
    let mut ledger = Ledger::new();
    let now = ledger.world.time_ms();
    let count = TRIGGERS_RUN_MAX + 6;
    // Set in blocks of their own, long before they are due.
    let first_ms = now + 1000 * SECOND - 10;
    let mut ids = Vec::new();
    for n in 0..count {
        let cause = Cause::Time { first_ms: first_ms + n as u64 % 2, every_ms: 0 };
        ids.push((n % 2, ledger.set(ledger.world.a, alarm(&format!("t{n}"), cause)).unwrap()));
    }
    ids.sort_unstable();
    while ledger.world.time_ms() + SECOND < first_ms {
        assert!(ledger.wait().is_empty());
    }
    let (first, second) = (runs(&ledger.wait()), runs(&ledger.wait()));
    assert_eq!((first.len(), second.len()), (TRIGGERS_RUN_MAX, 6));
    let ran: Vec<_> = first.iter().chain(&second).map(|run| run.0).collect();
    assert_eq!(ran, ids.iter().map(|(_, id)| *id).collect::<Vec<_>>());
}

#[test]
fn rights_are_asked_when_it_is_set_and_each_time_it_runs() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.world.a, ledger.world.b);
    let id = ledger.set(b, alarm("spy", ledger.above(80, 0))).unwrap();
    let resource = Resource::Property { thing: ledger.thing, name: "temperature".into() };
    let nobody = AccessPolicy {
        resource,
        text: "forbid(principal, action, resource);".into(),
        mode: AccessMode::Open,
        ask: None,
        patience_blocks: 0,
        grant_blocks_max: 0,
    };
    ledger.world.must(a, Action::SetAccessPolicy(nobody));
    ledger.measure(&[99]);
    let denied = Refusal::AccessDenied.number();
    assert_eq!(runs(&ledger.wait()).iter().map(|run| run.2).collect::<Vec<_>>(), [denied]);
    assert_eq!(ledger.record(&id).last_code, denied);
    let again = ledger.set(b, alarm("again", ledger.above(80, 0)));
    assert_eq!(again, Err(Refusal::AccessDenied));
    assert!(ledger.set(a, alarm("own", ledger.above(80, 0))).is_ok());
}

#[test]
fn what_needs_approvals_is_not_done_by_a_trigger() {
    let mut ledger = Ledger::new();
    let a = ledger.world.a;
    let approver = ledger.world.member(EntityKind::Person, 30);
    let id = ledger.set(a, alarm("before", ledger.above(80, 0))).unwrap();
    let policy = ApprovalPolicy {
        kind: althing_types::ActionKind::Record,
        approvers: vec![approver],
        threshold: 1,
        patience_blocks: 10,
    };
    ledger.world.must(a, Action::SetApprovalPolicy(policy));
    let refused = Refusal::TriggerNeedsApproval;
    assert_eq!(ledger.set(a, alarm("after", ledger.above(80, 0))), Err(refused));
    ledger.measure(&[99]);
    assert_eq!(runs(&ledger.wait())[0].2, refused.number());
    assert_eq!(ledger.record(&id).failures, 1);
}

#[test]
fn triggers_are_changed_by_their_owner_only_and_have_bounds() {
    let mut ledger = Ledger::new();
    let (a, b) = (ledger.world.a, ledger.world.b);
    let id = ledger.set(a, alarm("t", ledger.above(80, 0))).unwrap();
    for action in [
        Action::RemoveTrigger { trigger: id },
        Action::SuspendTrigger { trigger: id },
        Action::ResumeTrigger { trigger: id },
    ] {
        assert_eq!(ledger.world.act(b, action), Err(Refusal::UnknownTrigger));
    }
    let resume = Action::ResumeTrigger { trigger: id };
    assert_eq!(ledger.world.act(a, resume.clone()), Err(Refusal::TriggerWaits));
    ledger.world.must(a, Action::SuspendTrigger { trigger: id });
    let suspend = Action::SuspendTrigger { trigger: id };
    assert_eq!(ledger.world.act(a, suspend), Err(Refusal::TriggerWaits));
    ledger.measure(&[99]);
    assert!(ledger.wait().is_empty());
    ledger.world.must(a, resume);
    assert!(ledger.wait().is_empty(), "what happened before is past");
    // Set again, it is another one of the same name.
    let other = ledger.set(a, alarm("t", ledger.above(1000, 0))).unwrap();
    assert_eq!((other, ledger.record(&id).runs), (id, 0));

    let unknown = Cause::Silence { stream: StreamId([9; 32]), for_ms: 1 };
    assert_eq!(ledger.set(a, alarm("u", unknown)), Err(Refusal::UnknownStream));
    let label = StreamId::derive(&ledger.thing, "label");
    let (relation, bound) = (Relation::Above, 1);
    let text = Cause::Reading { stream: label, relation, bound, for_ms: 0 };
    assert_eq!(ledger.set(a, alarm("v", text)), Err(Refusal::SchemaMismatch));
    for n in 1..TRIGGERS_OF_CAUSE_MAX {
        ledger.set(a, alarm(&format!("n{n}"), ledger.above(n as i64, 0))).unwrap();
    }
    let more = ledger.set(a, alarm("more", ledger.above(1, 0)));
    assert_eq!(more, Err(Refusal::TooManyTriggers));
    for n in 1..TRIGGERS_OF_CAUSE_MAX {
        let trigger = TriggerId::derive(&a, &format!("n{n}"));
        ledger.world.must(a, Action::RemoveTrigger { trigger });
    }
    ledger.world.must(a, Action::RemoveTrigger { trigger: id });
    assert_eq!(ledger.left(), Vec::<String>::new());
}

#[test]
fn the_next_that_is_due_is_known_to_proposers() {
    let mut ledger = Ledger::new();
    assert_eq!(next_due_ms(&ledger.world.state).unwrap(), None);
    let first_ms = ledger.world.time_ms() + 500 * SECOND;
    let cause = Cause::Time { first_ms, every_ms: 0 };
    ledger.set(ledger.world.a, alarm("later", cause)).unwrap();
    assert_eq!(next_due_ms(&ledger.world.state).unwrap(), Some(first_ms));
    ledger.set(ledger.world.a, alarm("hot", ledger.above(80, 0))).unwrap();
    ledger.measure(&[99]);
    assert_eq!(next_due_ms(&ledger.world.state).unwrap(), Some(ledger.world.time_ms()));
}
