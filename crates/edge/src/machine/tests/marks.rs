//! Publishes of QoS 2 that come again after a crash.

use super::*;

const MARK: Mark = Mark { session: 1, number: 4, id: 9 };

fn marked(id: u64, mark: Mark, value: &str) -> Input {
    let Input::Publish { id, received_ms, topic, payload, only_signed, .. } = publish(id, value)
    else {
        unreachable!("it is a publish")
    };
    Input::Publish { id, received_ms, topic, payload, only_signed, mark: Some(mark) }
}

fn with_reading(mark: Mark, seq: u64, mantissa: i64) -> Record {
    Record::Marked(mark, Some(Box::new(record(seq, T0, mantissa))))
}

fn acknowledged(id: u64) -> Seen {
    Out(Output::Acknowledge(PublishId(id)))
}

/// Between the flush of the queue and that of the sessions a crash once made two readings of one: the
/// client sent it again, and nobody knew it.
#[test]
fn what_comes_again_is_known_until_the_sessions_know_it() {
    let mut run = Run::ready(0);
    let first = with_reading(MARK, 0, 10);
    run.step("taken", 0, marked(1, MARK, "1"), vec![Out(persist(2, first.clone()))]);
    let again = Record::Marked(MARK, None);
    run.step("before it is durable", 0, marked(2, MARK, "1"), vec![Out(persist(3, again.clone()))]);
    run.step("both", 0, persisted(3), vec![acknowledged(1), acknowledged(2)]);

    let mut run = Run::new(vec![head(0), first.clone()]);
    run.step(
        "a thing",
        0,
        Input::Thing(pump()),
        vec![Out(Output::AskAccount { attempt: AttemptId(1) })],
    );
    assert_eq!(run.machine.marked(), BTreeSet::from([1]));
    run.step("after a crash", 0, marked(1, MARK, "1"), vec![Out(persist(1, again.clone()))]);
    run.step("durable", 0, persisted(1), vec![acknowledged(1)]);
    // Another of the session, and one of another session with the same packet id.
    for (id, mark) in [(2, Mark { number: 5, id: 10, ..MARK }), (3, Mark { session: 2, ..MARK })] {
        let record = with_reading(mark, id - 1, 20);
        run.step("another", 0, marked(id, mark, "2"), vec![Out(persist(id, record))]);
    }
    let before = Input::Passed { session: 1, number: 3 };
    run.step("of earlier ones", 0, before, vec![]);
    let passed = Record::Passed { session: 1, number: 4 };
    let known = Input::Passed { session: 1, number: 4 };
    run.step("the sessions know it", 0, known.clone(), vec![Out(persist(4, passed.clone()))]);
    run.step("once", 0, known, vec![]);
    // It was on its way when its client came back and sent it again.
    let rejection = Rejection::Unavailable { reason: "its client has come back" };
    let refused = Out(Output::Refuse { publish: PublishId(9), rejection });
    run.step("too late", 0, marked(9, MARK, "1"), vec![refused]);
    let next = Mark { number: 6, ..MARK };
    let record = with_reading(next, 3, 30);
    run.step("the id is free", 0, marked(4, next, "3"), vec![Out(persist(5, record.clone()))]);

    // A snapshot has the marks that wait, and what was passed is not known after a restart.
    let snapshot = run.machine.snapshot();
    let marks = |records: Vec<Record>| {
        Machine::recover(config(), records).unwrap().marks.iter().collect::<Vec<_>>()
    };
    let waiting = [Mark { number: 5, id: 10, ..MARK }, next, Mark { session: 2, ..MARK }];
    assert_eq!(marks(snapshot), waiting);
    assert_eq!(marks(vec![first, passed, record]), [next]);
}

/// A client may come back with other messages before the one that was taken: its place moves.
#[test]
fn one_that_comes_again_in_another_place_is_known_there() {
    let mut run = Run::ready(0);
    run.step("taken", 0, marked(1, MARK, "1"), vec![Out(persist(2, with_reading(MARK, 0, 10)))]);
    let earlier = Mark { number: 2, ..MARK };
    let again = Out(persist(3, Record::Marked(earlier, None)));
    run.step("again", 0, marked(2, earlier, "1"), vec![again]);
    let passed = Out(persist(4, Record::Passed { session: 1, number: 2 }));
    run.step("passed", 0, Input::Passed { session: 1, number: 2 }, vec![passed]);
    assert!(run.machine.marked().is_empty());
}
