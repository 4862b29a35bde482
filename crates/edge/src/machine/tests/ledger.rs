//! Any order of crashes, lost answers and late flushes: every acknowledged reading becomes final
//! exactly once.

use std::collections::BTreeMap;

use althing_types::{BatchHeader, Payload, Refusal, Value, Wire};
use proptest::prelude::*;

use super::*;

/// What one stream of a ledger does, and nothing else.
#[derive(Default)]
struct Ledger {
    batches: Vec<(BatchHeader, Payload)>,
    nonces: Vec<u64>,
    /// Taken, and to be included later.
    mempool: Vec<(Transaction, Vec<u8>)>,
}

impl Ledger {
    fn next_seq(&self) -> u64 {
        self.batches.iter().filter_map(|(header, _)| header.end_seq()).max().unwrap_or(0)
    }

    fn submit(&mut self, transaction: &Transaction, payload: &[u8]) -> Outcome {
        let header = transaction.batches().next().unwrap();
        if self.nonces.contains(&transaction.body().nonce) {
            return Outcome::Refused(Refusal::NonceReused);
        }
        let (first, end) = (header.first_seq, header.end_seq().unwrap());
        let overlaps =
            |other: &BatchHeader| first < other.end_seq().unwrap() && other.first_seq < end;
        if self.batches.iter().any(|(other, _)| overlaps(other)) {
            return Outcome::Refused(Refusal::SequenceOverlap);
        }
        self.nonces.push(transaction.body().nonce);
        self.batches.push((header.clone(), Payload::from_wire(payload).unwrap()));
        Outcome::Finalized { height: 1 }
    }

    fn include(&mut self) {
        for (transaction, payload) in std::mem::take(&mut self.mempool) {
            let _ = self.submit(&transaction, &payload);
        }
    }

    fn locate(&self, seq: u64) -> Option<Located> {
        let holds =
            |header: &BatchHeader| (header.first_seq..header.end_seq().unwrap()).contains(&seq);
        let (header, payload) = self.batches.iter().find(|(header, _)| holds(header))?;
        Some(Located { first_seq: header.first_seq, readings: payload.readings.clone() })
    }

    fn values(&self) -> BTreeMap<i64, usize> {
        let mut times = BTreeMap::new();
        for reading in self.batches.iter().flat_map(|(_, payload)| &payload.readings) {
            let Value::Number(mantissa) = reading.value else { panic!("not a number") };
            *times.entry(mantissa).or_default() += 1;
        }
        times
    }
}

/// A gateway whose disk keeps what was flushed, and a network that loses what it is told to.
struct World {
    machine: Machine,
    ledger: Ledger,
    disk: Vec<Record>,
    volatile: Vec<(PersistId, Record)>,
    asked: Vec<Output>,
    now: TimeMs,
    published: i64,
    acknowledged: Vec<i64>,
}

#[derive(Debug, Clone)]
enum Fate {
    Publish,
    Flush,
    /// Answer the oldest question: truly, or after doing what it asks, or before.
    Answer {
        lose_before: bool,
        lose_after: bool,
    },
    Wait(u16),
    Crash {
        flushed_anyway: bool,
    },
    /// Answer the oldest question; a submission is only included later.
    AnswerLate,
    /// What waits is included.
    Include,
    /// The disk is written anew with what matters.
    Compact,
    /// Another submitter extends the stream, perhaps leaving a gap.
    Intruder {
        skip: u64,
    },
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            machine: Machine::recover(config(), vec![]).unwrap(),
            ledger: Ledger::default(),
            disk: vec![],
            volatile: vec![],
            asked: vec![],
            now: T0,
            published: 0,
            acknowledged: vec![],
        };
        world.input(Input::Thing(pump()));
        world
    }

    fn input(&mut self, input: Input) {
        for output in self.machine.handle(self.now, input) {
            match output {
                Output::Persist { id, record } => self.volatile.push((id, record)),
                Output::Acknowledge(PublishId(id)) => self.acknowledged.push(id as i64),
                Output::Refuse { .. } | Output::Finalized { .. } => {}
                Output::Held { .. } => panic!("nothing here is to be held"),
                question => self.asked.push(question),
            }
        }
    }

    fn meet(&mut self, fate: &Fate) {
        match fate {
            Fate::Publish => {
                self.published += 1;
                // Distinct values tell the readings apart; mantissa is ten times the value.
                self.input(publish(self.published as u64, &self.published.to_string()));
            }
            Fate::Flush => self.flush(),
            Fate::Answer { lose_before, lose_after } => self.answer(*lose_before, *lose_after),
            Fate::Wait(ms) => {
                self.now += TimeMs::from(*ms);
                self.input(Input::Tick);
            }
            Fate::Crash { flushed_anyway } => self.crash(*flushed_anyway),
            Fate::AnswerLate => self.answer_late(),
            Fate::Include => self.ledger.include(),
            Fate::Compact => self.compact(),
            Fate::Intruder { skip } => self.intrude(*skip),
        }
    }

    fn flush(&mut self) {
        let Some((through, _)) = self.volatile.last() else { return };
        let through = *through;
        self.disk.extend(self.volatile.drain(..).map(|(_, record)| record));
        self.input(Input::Persisted { through });
    }

    fn compact(&mut self) {
        self.disk = self.machine.snapshot();
        let last = self.volatile.last().map(|(through, _)| *through);
        self.volatile.clear();
        if let Some(through) = last {
            self.input(Input::Persisted { through });
        }
    }

    fn answer(&mut self, lose_before: bool, lose_after: bool) {
        if self.asked.is_empty() {
            return;
        }
        let question = self.asked.remove(0);
        let attempt = question.attempt().unwrap();
        let failed = Input::Failed { attempt };
        if lose_before {
            return self.input(failed);
        }
        let answer = match question {
            Output::AskAccount { attempt } => {
                let next_nonce = self.ledger.nonces.iter().max().map_or(0, |nonce| nonce + 1);
                Input::Account { attempt, height: 1, next_nonce }
            }
            Output::AskHead { attempt, .. } => {
                Input::Head { attempt, next_seq: self.ledger.next_seq(), sealing: Sealing::Open }
            }
            Output::Locate { attempt, seq, .. } => {
                let next_seq = self.ledger.next_seq();
                Input::Located { attempt, batch: self.ledger.locate(seq), next_seq }
            }
            Output::Sign { attempt, body } => signed(attempt, body),
            Output::Submit { attempt, transaction, payload } => {
                let outcome = self.ledger.submit(&transaction, &payload);
                Input::Outcome { attempt, outcome }
            }
            other => panic!("no question: {other:?}"),
        };
        self.input(if lose_after { failed } else { answer });
    }

    fn answer_late(&mut self) {
        if !matches!(self.asked.first(), Some(Output::Submit { .. })) {
            return self.answer(false, false);
        }
        let Output::Submit { attempt, transaction, payload } = self.asked.remove(0) else { return };
        self.ledger.mempool.push((transaction, payload));
        self.input(Input::Outcome { attempt, outcome: Outcome::Undecided });
    }

    fn crash(&mut self, flushed_anyway: bool) {
        if flushed_anyway {
            self.disk.extend(self.volatile.drain(..).map(|(_, record)| record));
        }
        self.volatile.clear();
        self.asked.clear();
        self.machine = Machine::recover(config(), self.disk.clone()).unwrap();
        self.input(Input::Thing(pump()));
    }

    fn intrude(&mut self, skip: u64) {
        let value = Value::Number(-1);
        let reading = Reading { claimed_ms: 0, received_ms: 0, value };
        let payload = Payload { readings: vec![reading] };
        let header = payload.header(STREAM, self.ledger.next_seq() + skip);
        self.ledger.batches.push((header, payload));
    }

    /// No more faults: everything acknowledged must become final.
    fn heal(&mut self) {
        for _ in 0..200 {
            self.flush();
            self.ledger.include();
            self.answer(false, false);
            if self.machine.is_drained() && self.asked.is_empty() {
                return;
            }
            if self.asked.is_empty() {
                self.now = self.machine.deadline().map_or(self.now, |due| due.max(self.now));
                self.input(Input::Tick);
            }
        }
        panic!("it does not drain: {:?}", self.machine.status(self.now));
    }
}

fn fate() -> impl Strategy<Value = Fate> {
    let lost = || proptest::bool::weighted(0.15);
    prop_oneof![
        6 => Just(Fate::Publish),
        6 => Just(Fate::Flush),
        12 => (lost(), lost())
            .prop_map(|(lose_before, lose_after)| Fate::Answer { lose_before, lose_after }),
        4 => (0_u16..400).prop_map(Fate::Wait),
        1 => any::<bool>().prop_map(|flushed_anyway| Fate::Crash { flushed_anyway }),
        2 => Just(Fate::AnswerLate),
        2 => Just(Fate::Include),
        1 => Just(Fate::Compact),
        1 => (0_u64..3).prop_map(|skip| Fate::Intruder { skip }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_acknowledged_becomes_final_exactly_once(
        fates in proptest::collection::vec(fate(), 1..120)
    ) {
        let mut world = World::new();
        for fate in &fates {
            world.meet(fate);
        }
        world.heal();
        let values = world.ledger.values();
        for id in &world.acknowledged {
            prop_assert_eq!(values.get(&(id * 10)), Some(&1), "reading {}", id);
        }
        let doubled = values.iter().filter(|(value, times)| **value > 0 && **times > 1);
        prop_assert_eq!(doubled.count(), 0);
    }
}

/// Found by the test above once small backlogs had two lanes: what is new was final, or on its way to be,
/// another submitter had taken the number of what was old, and all of it got new numbers.
#[test]
fn what_is_or_may_become_final_keeps_its_number_when_another_takes_one_before_it() {
    use Fate::{AnswerLate, Compact, Crash, Flush, Intruder, Publish, Wait};
    let answer = Fate::Answer { lose_before: false, lose_after: false };
    let begin = [&answer, &answer, &Publish, &Publish, &Publish, &Flush, &answer, &answer];
    let crash = [&Intruder { skip: 0 }, &answer, &answer, &Crash { flushed_anyway: false }];
    let late = [&Publish, &answer, &AnswerLate, &Compact, &Wait(100), &Intruder { skip: 0 }];
    let late = [&late[..], &[&answer, &answer, &AnswerLate, &Publish]].concat();
    for fates in [&crash[..], &late] {
        let mut world = World::new();
        begin.iter().chain(fates).for_each(|fate| world.meet(fate));
        world.heal();
        let mut values = world.ledger.values();
        assert_eq!(values.remove(&-1), Some(1));
        assert_eq!(values, world.acknowledged.iter().map(|id| (id * 10, 1)).collect());
    }
}

/// A batch of the time before what is old gave way has readings of both lanes. What the ledger says of
/// it to one settles the other's question, whose answer comes later and is of a number that is final.
#[test]
fn an_answer_of_a_number_that_is_final_by_then_moves_nothing() {
    let mut run =
        Run::new((0..3).map(|seq| record(seq, T0, i64::try_from(seq).unwrap())).collect());
    let stream = run.machine.streams.get_mut(&STREAM).unwrap();
    (stream.unsure, stream.piled_ms) = (false, None);
    let mut older = Stream::new(Some(0));
    stream.split_into(&mut older, 1);
    run.machine.backfill.insert(STREAM, older);

    let ask = Out(Output::AskAccount { attempt: AttemptId(1) });
    run.step("a thing", 0, Input::Things(vec![pump()]), vec![ask]);
    let live = Submit { attempt: 4, first_seq: 1, count: 2, nonce: 5 };
    let older = Submit { attempt: 5, first_seq: 0, count: 1, nonce: 6 };
    run.step("an account", 0, account(1), vec![live, older]);
    let reused = |attempt| outcome(attempt, Outcome::Refused(Refusal::NonceReused));
    run.step("taken before", 0, reused(4), vec![]);
    run.step("taken before, too", 0, reused(5), vec![]);
    let ask = Out(Output::AskAccount { attempt: AttemptId(6) });
    run.step("pauses are over", 200, Input::Tick, vec![ask]);
    let expected = vec![Out(locate(7, 1)), Out(locate(8, 0))];
    run.step("both look", 0, account(6), expected);

    let located = |attempt, batch, next_seq| {
        let attempt = AttemptId(attempt);
        Input::Located { attempt, batch, next_seq }
    };
    let expected = vec![Out(persist(1, retired(2))), finalized(0, 2), Out(locate(9, 2))];
    let both = || Some(Run::located(0, &[0, 1]));
    run.step("readings of both", 0, located(8, both(), 2), expected);
    run.step("an answer of what is final", 0, located(7, both(), 2), vec![]);
    let next = Submit { attempt: 11, first_seq: 2, count: 1, nonce: 5 };
    run.step("not there", 0, located(9, None, 2), vec![next]);
}

/// Also where the clock begins when the gateway does: what an earlier run left is older than that.
#[test]
fn what_an_earlier_run_left_gives_way_however_young_the_clock() {
    let mut run = Run::new((0..4).map(|seq| record(seq, T0, 1)).collect());
    run.at = 0;
    let ask = Out(Output::AskAccount { attempt: AttemptId(1) });
    run.step("a thing", 0, Input::Things(vec![pump()]), vec![ask]);
    run.step("an account", 0, account(1), vec![Out(locate(2, 0))]);
    let answer = Input::Located { attempt: AttemptId(2), batch: None, next_seq: 0 };
    let submit = Submit { attempt: 4, first_seq: 0, count: 2, nonce: 5 };
    run.step("not there", 0, answer, vec![submit]);
    assert_eq!(run.machine.status(0).readings_backfilling, 4);
}
