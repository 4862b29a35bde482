//! Step tables: each row is an input and exactly the outputs that must follow.

mod drain;
mod lanes;
mod ledger;
mod marks;
mod sealed;
mod signed;

use althing_types::{
    EntityId, LedgerId, Reading, Refusal, SigningKey, StreamSchema, Suite, Value, ValueKind,
};

use super::*;
use crate::config::Limits;
use crate::directory::StreamSpec;
use crate::profile::Profile;
use crate::record::Numbered;

pub(super) const LEDGER: LedgerId = LedgerId([1; 32]);
pub(super) const GATEWAY: EntityId = EntityId([2; 32]);
pub(super) const STREAM: StreamId = StreamId([3; 32]);
const PUMP: ThingId = ThingId([4; 32]);
const T0: TimeMs = 1_700_000_000_000;

pub(super) fn limits() -> Limits {
    Limits {
        payload_bytes_max: 1024,
        claimed_ahead_ms_max: 60_000,
        batch_readings_max: 2,
        backfill_readings_max: 4,
        batch_age_ms_max: 50,
        stream_readings_max: 4,
        queue_bytes_max: 4096,
        under_way_max: 8,
        expiry_blocks: 100,
        retry_first_ms: 100,
        retry_max_ms: 1000,
    }
}

pub(super) fn config() -> Config {
    Config {
        ledger: LEDGER,
        gateway: GATEWAY,
        profiles: vec![Profile::standard()],
        limits: limits(),
    }
}

pub(super) fn pump() -> ThingSpec {
    let schema = StreamSchema {
        kind: ValueKind::Number,
        scale: 1,
        quantum: 1,
        unit: "Cel".into(),
        minimum: None,
        maximum: None,
    };
    let stream = StreamSpec { property: "t".into(), id: STREAM, schema };
    ThingSpec {
        id: PUMP,
        name: "pump".into(),
        owner: EntityId([5; 32]),
        until_height: None,
        streams: vec![stream],
        device: None,
        may_lose: false,
        is_shut_out: false,
    }
}

/// A publish received at `T0`.
pub(super) fn publish(id: u64, value: &str) -> Input {
    let (id, topic) = (PublishId(id), "althing/pump/t".to_owned());
    Input::Publish {
        id,
        received_ms: T0,
        topic,
        payload: value.as_bytes().to_vec(),
        only_signed: false,
        mark: None,
    }
}

fn record(seq: u64, at: TimeMs, mantissa: i64) -> Record {
    let value = Value::Number(mantissa);
    let reading = Reading { claimed_ms: at, received_ms: at, value };
    Record::Readings(vec![Numbered { stream: STREAM, seq, reading }])
}

fn persist(id: u64, record: Record) -> Output {
    Output::Persist { id: PersistId(id), record }
}

fn retired(before_seq: u64) -> Record {
    Record::Retired { stream: STREAM, before_seq }
}

fn head(next_seq: u64) -> Record {
    Record::Head { stream: STREAM, next_seq }
}

fn persisted(through: u64) -> Input {
    Input::Persisted { through: PersistId(through) }
}

fn account(attempt: u64) -> Input {
    Input::Account { attempt: AttemptId(attempt), height: 10, next_nonce: 5 }
}

fn outcome(attempt: u64, outcome: Outcome) -> Input {
    Input::Outcome { attempt: AttemptId(attempt), outcome }
}

fn locate(attempt: u64, seq: u64) -> Output {
    Output::Locate { attempt: AttemptId(attempt), stream: STREAM, seq }
}

pub(super) fn signed(attempt: AttemptId, body: Body) -> Input {
    let key = SigningKey::from_secret(Suite::Ed25519, [7; 32]).unwrap();
    Input::Signed { attempt, transaction: Transaction::sign(&LEDGER, body, &key, &[]) }
}

/// A machine under a step table. Signing is answered by the harness; the outputs of submission are
/// shown as `(attempt, first_seq, count, nonce)`, the rest exactly.
struct Run {
    machine: Machine,
    at: TimeMs,
}

#[expect(clippy::large_enum_variant, reason = "a test")]
#[derive(Debug, PartialEq)]
enum Seen {
    Out(Output),
    Submit { attempt: u64, first_seq: u64, count: u32, nonce: u64 },
}
use Seen::{Out, Submit};

impl Run {
    fn new(records: Vec<Record>) -> Self {
        let mut machine = Machine::recover(config(), records).unwrap();
        // As if it had asked; that it does ask, the tests of `sealed` show.
        machine.sealings.insert(STREAM, None);
        Self { machine, at: T0 }
    }

    /// A run that knows the stream stands at `next_seq`, and its account.
    fn ready(next_seq: u64) -> Self {
        let mut run = Self::new(vec![]);
        run.step(
            "a thing",
            0,
            Input::Things(vec![pump()]),
            vec![Out(Output::AskAccount { attempt: AttemptId(1) })],
        );
        let ask = Output::AskHead { attempt: AttemptId(2), stream: STREAM };
        run.step("an account", 0, account(1), vec![Out(ask)]);
        let answer = Input::Head { attempt: AttemptId(2), next_seq, sealing: Sealing::Open };
        run.step("a head", 0, answer, vec![Out(persist(1, head(next_seq)))]);
        run.step("durable", 0, persisted(1), vec![]);
        run
    }

    /// As `ready`, with two readings taken, durable and submitted (attempt 4).
    fn submitted(next_seq: u64) -> Self {
        let mut run = Self::ready(next_seq);
        let (first, second) = (record(next_seq, T0, 10), record(next_seq + 1, T0, 20));
        run.step("one", 0, publish(1, "1"), vec![Out(persist(2, first))]);
        run.step("two", 0, publish(2, "2"), vec![Out(persist(3, second))]);
        let acknowledged = [1, 2].map(|id| Out(Output::Acknowledge(PublishId(id))));
        let submit = Submit { attempt: 4, first_seq: next_seq, count: 2, nonce: 5 };
        let expected = acknowledged.into_iter().chain([submit]).collect();
        run.step("durable and full, so submitted", 0, persisted(3), expected);
        run
    }

    fn step(&mut self, what: &str, after_ms: TimeMs, input: Input, expected: Vec<Seen>) {
        self.at += after_ms;
        let mut seen = Vec::new();
        let mut outputs: VecDeque<Output> = self.machine.handle(self.at, input).into();
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Sign { attempt, body } => {
                    outputs.extend(self.machine.handle(self.at, signed(attempt, body)));
                }
                Output::Submit { attempt, transaction, payload } => {
                    let batch = transaction.batches().next().unwrap().clone();
                    assert_eq!(batch.payload_len as usize, payload.len(), "{what}");
                    let (first_seq, count) = (batch.first_seq, batch.count);
                    let nonce = transaction.body().nonce;
                    seen.push(Submit { attempt: attempt.0, first_seq, count, nonce });
                }
                output => seen.push(Out(output)),
            }
        }
        assert_eq!(seen, expected, "{what}");
    }

    fn located(first_seq: u64, mantissas: &[i64]) -> Located {
        let reading = |mantissa: &i64| Reading {
            claimed_ms: T0,
            received_ms: T0,
            value: Value::Number(*mantissa),
        };
        Located { first_seq, readings: mantissas.iter().map(reading).collect() }
    }
}

fn finalized(first_seq: u64, count: u32) -> Seen {
    Out(Output::Finalized { stream: STREAM, first_seq, count })
}

#[test]
fn a_reading_is_acknowledged_once_durable_and_retired_once_final() {
    let mut run = Run::submitted(40);
    assert_eq!(run.machine.deadline(), None);
    let expected = vec![Out(persist(4, retired(42))), finalized(40, 2)];
    run.step("final", 20, outcome(4, Outcome::Finalized { height: 11 }), expected);
    assert!(!run.machine.is_drained(), "the retirement is not durable yet");
    run.step("durable", 0, persisted(4), vec![]);
    assert!(run.machine.is_drained());
    assert_eq!(run.machine.deadline(), None);
    let status = run.machine.status(run.at);
    assert_eq!((status.readings_taken, status.readings_finalized), (2, 2));
    assert_eq!((status.readings_queued, status.bytes_queued), (0, 0));
}

#[test]
fn a_lone_reading_waits_for_company_no_longer_than_the_age() {
    let mut run = Run::ready(0);
    run.step("one", 0, publish(1, "1.5"), vec![Out(persist(2, record(0, T0, 15)))]);
    assert_eq!(run.machine.deadline(), None, "nothing is sealed that is not durable");
    let acknowledged = Out(Output::Acknowledge(PublishId(1)));
    run.step("durable", 5, persisted(2), vec![acknowledged]);
    assert_eq!(run.machine.deadline(), Some(T0 + 50));
    let submit = Submit { attempt: 4, first_seq: 0, count: 1, nonce: 5 };
    run.step("aged", 45, Input::Tick, vec![submit]);
    let more = vec![Out(persist(3, record(1, T0, 20)))];
    run.step("another", 0, publish(2, "2"), more);
    let acknowledged = Out(Output::Acknowledge(PublishId(2)));
    run.step("waits for the first batch", 60, persisted(3), vec![acknowledged]);
    let submit = Submit { attempt: 6, first_seq: 1, count: 1, nonce: 6 };
    let expected = vec![Out(persist(4, retired(1))), finalized(0, 1), submit];
    run.step("then goes", 0, outcome(4, Outcome::Finalized { height: 11 }), expected);
}

#[test]
fn stopping_seals_at_once_and_takes_nothing_more() {
    let mut run = Run::ready(0);
    run.step("one", 0, publish(1, "1"), vec![Out(persist(2, record(0, T0, 10)))]);
    run.step("durable", 0, persisted(2), vec![Out(Output::Acknowledge(PublishId(1)))]);
    let submit = Submit { attempt: 4, first_seq: 0, count: 1, nonce: 5 };
    run.step("stop", 1, Input::Stop, vec![submit]);
    let rejection = Rejection::Unavailable { reason: "it is shutting down" };
    let refuse = Out(Output::Refuse { publish: PublishId(2), rejection });
    run.step("refused", 0, publish(2, "2"), vec![refuse]);
}

#[test]
fn a_full_queue_refuses_and_drops_nothing() {
    let mut run = Run::submitted(0);
    for id in 3..=4 {
        let kept = record(id - 1, T0, 10);
        run.step("room", 0, publish(id, "1"), vec![Out(persist(id + 1, kept))]);
    }
    let rejection = Rejection::QueueFull { what: "readings of one stream" };
    let refuse = Out(Output::Refuse { publish: PublishId(5), rejection });
    run.step("full", 0, publish(5, "1"), vec![refuse]);
    assert_eq!(run.machine.status(run.at).publishes_refused["queue_full"], 1);
    let expected = vec![Out(persist(6, retired(2))), finalized(0, 2)];
    run.step("room again", 0, outcome(4, Outcome::Finalized { height: 11 }), expected);
    run.step("taken", 0, publish(6, "1"), vec![Out(persist(7, record(4, T0, 10)))]);
}

#[test]
fn before_the_ledger_was_reached_once_a_stream_takes_nothing() {
    let mut run = Run::new(vec![]);
    let ask = Output::AskAccount { attempt: AttemptId(1) };
    run.step("a thing", 0, Input::Thing(pump()), vec![Out(ask)]);
    let rejection = Rejection::StreamNotReady { thing: "pump".into(), property: "t".into() };
    let refuse = Out(Output::Refuse { publish: PublishId(1), rejection });
    run.step("too early", 0, publish(1, "1"), vec![refuse]);
    run.step("unreachable", 0, Input::Failed { attempt: AttemptId(1) }, vec![]);
    assert_eq!(run.machine.deadline(), Some(T0 + 100));
    let ask = Output::AskAccount { attempt: AttemptId(2) };
    run.step("asks again", 100, Input::Tick, vec![Out(ask)]);
}

#[test]
fn an_unreachable_peer_is_tried_again_at_growing_pauses_with_the_same_transaction() {
    let mut run = Run::ready(0);
    run.step("one", 0, publish(1, "1"), vec![Out(persist(2, record(0, T0, 10)))]);
    run.step("durable", 0, persisted(2), vec![Out(Output::Acknowledge(PublishId(1)))]);
    let submit = Submit { attempt: 4, first_seq: 0, count: 1, nonce: 5 };
    run.step("aged", 50, Input::Tick, vec![submit]);
    for (failures, (attempt, pause)) in
        [(4, 100), (5, 200), (6, 399), (7, 798), (8, 998), (9, 998)].into_iter().enumerate()
    {
        run.step("fails", 0, Input::Failed { attempt: AttemptId(attempt) }, vec![]);
        assert_eq!(run.machine.deadline(), Some(run.at + pause), "after failure {failures}");
        let again = Submit { attempt: attempt + 1, first_seq: 0, count: 1, nonce: 5 };
        run.step("again", pause, Input::Tick, vec![again]);
    }
}

/// By the time a peer is back, what waited is old: it must not be under way when the first new
/// reading comes.
#[test]
fn a_full_batch_that_was_lost_is_looked_for_and_gives_way() {
    let mut run = Run::submitted(0);
    run.step("fails", 0, Input::Failed { attempt: AttemptId(4) }, vec![]);
    run.step("looks", 100, Input::Tick, vec![Out(locate(5, 0))]);
    let absent = Input::Located { attempt: AttemptId(5), batch: None, next_seq: 0 };
    let submit = Submit { attempt: 7, first_seq: 0, count: 2, nonce: 6 };
    run.step("not there", 0, absent, vec![submit]);
    assert_eq!(run.machine.status(T0).readings_backfilling, 2);
    run.step("new", 0, publish(3, "3"), vec![Out(persist(4, record(2, T0, 30)))]);
    run.step("durable", 0, persisted(4), vec![Out(Output::Acknowledge(PublishId(3)))]);
    let submit = Submit { attempt: 9, first_seq: 2, count: 1, nonce: 7 };
    run.step("is not held up", 50, Input::Tick, vec![submit]);
}

#[test]
fn a_lost_answer_is_settled_by_what_the_ledger_holds() {
    let mut run = Run::submitted(0);
    run.step("refused", 0, outcome(4, Outcome::Refused(Refusal::NonceReused)), vec![]);
    let ask = Output::AskAccount { attempt: AttemptId(5) };
    run.step("asks for its nonce", 100, Input::Tick, vec![Out(ask)]);
    run.step("and looks", 0, account(5), vec![Out(locate(6, 0))]);
    let located = Run::located(0, &[10, 20]);
    let ours = Input::Located { attempt: AttemptId(6), batch: Some(located), next_seq: 2 };
    let expected = vec![Out(persist(4, retired(2))), finalized(0, 2)];
    run.step("ours", 0, ours, expected);
}

#[test]
fn an_expired_transaction_is_looked_for_then_signed_anew() {
    let mut run = Run::submitted(0);
    run.step("expired", 0, outcome(4, Outcome::Refused(Refusal::Expired)), vec![]);
    let ask = Output::AskAccount { attempt: AttemptId(5) };
    run.step("asks for the height", 100, Input::Tick, vec![Out(ask)]);
    let fresh = Input::Account { attempt: AttemptId(5), height: 500, next_nonce: 8 };
    run.step("and looks", 0, fresh, vec![Out(locate(6, 0))]);
    let submit = Submit { attempt: 8, first_seq: 0, count: 2, nonce: 8 };
    let absent = Input::Located { attempt: AttemptId(6), batch: None, next_seq: 0 };
    run.step("not there", 0, absent, vec![submit]);
}

#[test]
fn numbers_that_another_took_are_given_up_before_anything_is_submitted_under_new_ones() {
    let mut run = Run::submitted(0);
    run.step("overlap", 0, outcome(4, Outcome::Refused(Refusal::SequenceOverlap)), vec![]);
    run.step("looks", 100, Input::Tick, vec![Out(locate(5, 0))]);
    let others = Run::located(0, &[10, 21]);
    let answer = Input::Located { attempt: AttemptId(5), batch: Some(others), next_seq: 7 };
    let renumbered = Record::Renumbered { stream: STREAM, from_seq: 0, to_seq: 7 };
    run.step("another's", 0, answer, vec![Out(persist(4, renumbered))]);
    assert_eq!(run.machine.deadline(), None, "not before the record is durable");
    let submit = Submit { attempt: 7, first_seq: 7, count: 2, nonce: 6 };
    run.step("durable", 0, persisted(4), vec![submit]);
    run.step("the next follows", 0, publish(3, "3"), vec![Out(persist(5, record(9, T0, 30)))]);
}

#[test]
fn where_a_later_number_is_taken_readings_go_one_by_one() {
    let mut run = Run::submitted(0);
    run.step("overlap", 0, outcome(4, Outcome::Refused(Refusal::SequenceOverlap)), vec![]);
    run.step("looks", 100, Input::Tick, vec![Out(locate(5, 0))]);
    let answer = Input::Located { attempt: AttemptId(5), batch: None, next_seq: 2 };
    let submit = Submit { attempt: 7, first_seq: 0, count: 1, nonce: 6 };
    run.step("the oldest is free", 0, answer, vec![submit]);
}

#[test]
fn numbers_of_a_sealed_gap_are_given_up() {
    let mut run = Run::submitted(0);
    run.step("sealed", 0, outcome(4, Outcome::Refused(Refusal::GapSealed)), vec![]);
    run.step("looks", 100, Input::Tick, vec![Out(locate(5, 0))]);
    let answer = Input::Located { attempt: AttemptId(5), batch: None, next_seq: 0 };
    run.step("at a peer that is behind", 0, answer, vec![]);
    run.step("looks again", 100, Input::Tick, vec![Out(locate(6, 0))]);
    let answer = Input::Located { attempt: AttemptId(6), batch: None, next_seq: 7 };
    let renumbered = Record::Renumbered { stream: STREAM, from_seq: 0, to_seq: 7 };
    run.step("nothing there", 0, answer, vec![Out(persist(4, renumbered))]);
}

#[test]
fn what_only_people_can_mend_is_held_and_tried_again() {
    let mut run = Run::submitted(0);
    let held = Output::Held { stream: STREAM, refusal: Refusal::NotBound };
    run.step("not bound", 0, outcome(4, Outcome::Refused(Refusal::NotBound)), vec![Out(held)]);
    let status = run.machine.status(run.at);
    assert_eq!(status.held[0].thing, "pump");
    let submit = Submit { attempt: 6, first_seq: 0, count: 2, nonce: 6 };
    run.step("tried anew", 100, Input::Tick, vec![submit]);
    let expected = vec![Out(persist(4, retired(2))), finalized(0, 2)];
    run.step("bound now", 0, outcome(6, Outcome::Finalized { height: 12 }), expected);
    assert_eq!(run.machine.status(run.at).held, vec![]);
}

#[test]
fn after_a_crash_what_was_durable_is_there_and_what_is_final_is_not_doubled() {
    let queue = vec![head(0), record(0, T0, 10), record(1, T0, 20), record(2, T0, 30)];
    let mut run = Run::new(queue);
    let ask = Output::AskAccount { attempt: AttemptId(1) };
    run.step("start", 0, Input::Thing(pump()), vec![Out(ask)]);
    run.step("looks before it submits", 0, account(1), vec![Out(locate(2, 0))]);
    let located = Run::located(0, &[10, 20]);
    let ours = Input::Located { attempt: AttemptId(2), batch: Some(located), next_seq: 2 };
    let expected = vec![Out(persist(1, retired(2))), finalized(0, 2), Out(locate(3, 2))];
    run.step("the first two were final", 0, ours, expected);
    let absent = Input::Located { attempt: AttemptId(3), batch: None, next_seq: 2 };
    let submit = Submit { attempt: 5, first_seq: 2, count: 1, nonce: 5 };
    run.step("the third was not, so it goes", 0, absent, vec![submit]);
    let kept = vec![Out(persist(2, record(3, T0, 40)))];
    run.step("numbers go on", 0, publish(1, "4"), kept);
}

#[test]
fn what_a_damaged_disk_lost_becomes_a_gap_between_batches() {
    let queue = vec![head(0), record(0, T0, 10), record(2, T0, 30), record(3, T0, 40)];
    let mut run = Run::new(queue);
    let ask = Output::AskAccount { attempt: AttemptId(1) };
    run.step("start", 0, Input::Thing(pump()), vec![Out(ask)]);
    run.step("looks", 0, account(1), vec![Out(locate(2, 0))]);
    let absent = Input::Located { attempt: AttemptId(2), batch: None, next_seq: 0 };
    let submit = Submit { attempt: 4, first_seq: 0, count: 1, nonce: 5 };
    run.step("up to the gap", 0, absent, vec![submit]);
    let submit = Submit { attempt: 6, first_seq: 2, count: 2, nonce: 6 };
    let expected = vec![Out(persist(1, retired(1))), finalized(0, 1), submit];
    run.step("behind the gap", 0, outcome(4, Outcome::Finalized { height: 11 }), expected);
}

#[test]
fn answers_nobody_waits_for_are_ignored() {
    let mut run = Run::submitted(0);
    run.step("unknown", 0, outcome(99, Outcome::Finalized { height: 11 }), vec![]);
    run.step(
        "answered before",
        0,
        Input::Head { attempt: AttemptId(2), next_seq: 9, sealing: Sealing::Open },
        vec![],
    );
    run.step("account", 0, account(1), vec![]);
    run.step("failed", 0, Input::Failed { attempt: AttemptId(3) }, vec![]);
    run.step("nothing new is durable", 0, persisted(1), vec![]);
}

#[test]
fn a_refused_publish_says_why() {
    let unknown = |topic: &str, payload: &str| {
        let mut run = Run::ready(0);
        let (topic, payload) = (topic.to_owned(), payload.as_bytes().to_vec());
        let input = Input::Publish {
            id: PublishId(1),
            received_ms: T0,
            topic,
            payload,
            only_signed: false,
            mark: None,
        };
        match &run.machine.handle(T0, input)[..] {
            [Output::Refuse { rejection, .. }] => rejection.code(),
            outputs => panic!("{outputs:?}"),
        }
    };
    for (topic, payload, code) in [
        ("pump/t", "1", "no_profile"),
        ("althing/fan/t", "1", "unknown_thing"),
        ("althing/pump/x", "1", "unknown_stream"),
        ("althing/pump/t", "hot", "schema_mismatch"),
        ("althing/pump/t", "1.55", "schema_mismatch"),
        ("althing/pump/t", r#"{"val":1}"#, "malformed"),
        ("althing/pump/t", r#"[{"u":"K","v":300}]"#, "unit_mismatch"),
        ("althing/pump/t", r#"{"value":1,"time":1700000060001}"#, "time_out_of_range"),
        ("althing/pump/t", &"1".repeat(1025), "too_large"),
    ] {
        assert_eq!(unknown(topic, payload), code, "{topic} {payload}");
    }
}

/// After a restart a gateway knows what it served before, from its disk, and no more. It once told
/// devices of things it had not heard of yet that there are none, and they forgot their readings.
#[test]
fn before_a_peer_told_which_things_there_are_an_unknown_one_may_be_new() {
    let mut run = Run::new(vec![head(0)]);
    let elsewhere = |id, topic: &str| {
        let (id, topic) = (PublishId(id), topic.to_owned());
        Input::Publish {
            id,
            received_ms: T0,
            topic,
            payload: b"1".to_vec(),
            only_signed: false,
            mark: None,
        }
    };
    let code = |outputs: &[Output]| match outputs {
        [Output::Refuse { rejection, .. }] => (rejection.code(), rejection.is_temporary()),
        outputs => panic!("{outputs:?}"),
    };
    for (id, topic) in [(1, "althing/pump/t"), (2, "althing/fan/t")] {
        let outputs = run.machine.handle(T0, elsewhere(id, topic));
        assert_eq!(code(&outputs), ("unavailable", true), "{topic}");
    }
    run.step("from its disk", 0, Input::Thing(pump()), vec![]);
    run.step("served", 0, publish(3, "1"), vec![Out(persist(1, record(0, T0, 10)))]);
    for (id, topic) in [(4, "althing/fan/t"), (5, "althing/pump/x")] {
        let outputs = run.machine.handle(T0, elsewhere(id, topic));
        assert_eq!(code(&outputs), ("unavailable", true), "{topic}");
    }
    run.step("durable", 0, persisted(1), vec![Out(Output::Acknowledge(PublishId(3)))]);
    run.step("the whole list", 0, Input::Things(vec![pump()]), vec![]);
    for (id, topic, expected) in
        [(6, "althing/fan/t", "unknown_thing"), (7, "althing/pump/x", "unknown_stream")]
    {
        let outputs = run.machine.handle(T0, elsewhere(id, topic));
        assert_eq!(code(&outputs), (expected, false), "{topic}");
    }
}

/// Whoever may register a thing may name it like somebody else's, and bind any gateway to it: the
/// readings of that sensor would then have gone to the stranger's stream.
#[test]
fn a_second_thing_of_a_name_does_not_get_the_readings_of_the_first() {
    let mut run = Run::ready(0);
    let mut theirs = pump();
    (theirs.id, theirs.streams[0].id) = (ThingId([6; 32]), StreamId([7; 32]));
    let reason = Unserved::NameTaken { by: PUMP };
    let unserved = Output::Unserved { thing: theirs.id, name: "pump".into(), reason };
    run.step("another's", 0, Input::Thing(theirs.clone()), vec![Out(unserved.clone())]);
    let both = Input::Things(vec![theirs.clone(), pump()]);
    run.step("listed first", 0, both, vec![Out(unserved)]);
    run.step("stays ours", 0, publish(1, "1"), vec![Out(persist(2, record(0, T0, 10)))]);
    run.step("unbound", 0, Input::Gone(PUMP), vec![]);
    let rejection = Rejection::UnknownThing { thing: "pump".into() };
    let refuse = Out(Output::Refuse { publish: PublishId(2), rejection });
    run.step("nobody's", 0, publish(2, "2"), vec![refuse]);
    assert_eq!(run.machine.things().count(), 0);
}

/// A binding that ended once went unnoticed: publishes were acknowledged for ever, and waited for
/// ever.
#[test]
fn a_stream_whose_binding_ended_takes_nothing_more_until_it_is_renewed() {
    let mut run = Run::submitted(0);
    for (number, refusal) in
        [Refusal::NotBound, Refusal::BindingExpired, Refusal::ThingRetired].into_iter().enumerate()
    {
        let (attempt, again) = (4 + 2 * number as u64, 6 + 2 * number as u64);
        let held = Output::Held { stream: STREAM, refusal };
        run.step("held", 0, outcome(attempt, Outcome::Refused(refusal)), vec![Out(held)]);
        assert!(run.machine.waits_for_people());
        let (thing, property) = ("pump".into(), "t".into());
        let rejection = Rejection::Held { thing, property, refusal };
        assert!(rejection.is_temporary(), "a peer that is behind may be mistaken");
        let refuse = Out(Output::Refuse { publish: PublishId(9), rejection });
        run.step("refused", 0, publish(9, "3"), vec![refuse]);
        let nonce = 6 + number as u64;
        let submit = Submit { attempt: again, first_seq: 0, count: 2, nonce };
        run.step("bound again, so at once", 0, Input::Thing(pump()), vec![submit]);
        assert!(!run.machine.waits_for_people(), "an answer is awaited");
    }
    let expected = vec![Out(persist(4, retired(2))), finalized(0, 2)];
    run.step("taken", 0, outcome(10, Outcome::Finalized { height: 12 }), expected);
    run.step("open", 0, publish(10, "3"), vec![Out(persist(5, record(2, T0, 30)))]);
}

#[test]
fn a_binding_ends_with_its_height() {
    let mut run = Run::ready(0);
    for (until_height, ends) in [(None, false), (Some(10), true), (Some(11), false)] {
        let input = Input::Thing(ThingSpec { until_height, ..pump() });
        run.step("bound", 0, input, vec![]);
        let outputs = run.machine.handle(T0, publish(1, "1"));
        let code = match &outputs[0] {
            Output::Refuse { rejection, .. } => Some((rejection.code(), rejection.is_temporary())),
            _ => None,
        };
        assert_eq!(code, ends.then_some(("binding_expired", false)), "{until_height:?} at 10");
    }
}
