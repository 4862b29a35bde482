//! A gateway of many things catches up with a ledger that takes time for each reading, on a simulated
//! clock: what is new must not notice.

use super::*;

/// Things, and readings of each that piled up: fewer than two batches, which once went before what
/// is new.
const THINGS: usize = 50;
const PILED: usize = 2000;
/// Things of which readings come, also while the others drain, and how often.
const LIVE: usize = 8;
const EVERY_MS: TimeMs = 50;
/// What a block takes for itself, and for each reading in it, microseconds.
const BLOCK_US: u64 = 50_000;
const READING_US: u64 = 5;
/// What an answer takes to a question that is no submission, while so many are asked at once.
const ANSWER_MS: TimeMs = 150;
/// How much later what is new may be final, percent.
const MOVED_MAX: TimeMs = 20;

fn stream_of(thing: usize) -> StreamId {
    StreamId([u8::try_from(thing).unwrap() + 1; 32])
}

/// A gateway before a ledger that makes one block after the other of all it was given.
struct World {
    machine: Machine,
    now: TimeMs,
    is_reached: bool,
    /// What is in the block that is being made, and when it is final.
    block: Option<(TimeMs, Vec<Batch>)>,
    waiting: Vec<Batch>,
    /// Answers on their way.
    answers: VecDeque<(TimeMs, Input)>,
    next_publish: u64,
    /// When each reading was published.
    published: BTreeMap<(StreamId, u64), TimeMs>,
    /// How long those took that became final.
    took_ms: Vec<TimeMs>,
    finalized: usize,
    /// Most readings in one block.
    fullest: usize,
}

struct Batch {
    attempt: AttemptId,
    stream: StreamId,
    first_seq: u64,
    count: u32,
}

impl World {
    fn new(change: impl Fn(&mut Limits)) -> Self {
        let mut config = config();
        config.limits = Limits {
            batch_readings_max: 1000,
            backfill_readings_max: 2000,
            batch_age_ms_max: 100,
            stream_readings_max: 1_000_000,
            queue_bytes_max: 1 << 30,
            under_way_max: 32,
            retry_max_ms: 30_000,
            ..limits()
        };
        change(&mut config.limits);
        let mut world = Self {
            machine: Machine::recover(config, vec![]).unwrap(),
            now: T0,
            is_reached: true,
            block: None,
            waiting: Vec::new(),
            answers: VecDeque::new(),
            next_publish: 1,
            published: BTreeMap::new(),
            took_ms: Vec::new(),
            finalized: 0,
            fullest: 0,
        };
        let things = (0..THINGS).map(|thing| {
            let mut spec = pump();
            spec.id.0[0] = u8::try_from(thing).unwrap();
            spec.name = format!("pump-{thing}");
            spec.streams[0].id = stream_of(thing);
            spec
        });
        world.input(Input::Things(things.collect()));
        world
    }

    fn publish(&mut self, thing: usize) {
        let Input::Publish { payload, only_signed, mark, .. } = publish(0, "1") else { return };
        let id = PublishId(self.next_publish);
        self.next_publish += 1;
        let topic = format!("althing/pump-{thing}/t");
        let received_ms = self.now;
        self.input(Input::Publish { id, received_ms, topic, payload, only_signed, mark });
    }

    fn input(&mut self, input: Input) {
        let mut outputs: VecDeque<Output> = self.machine.handle(self.now, input).into();
        while let Some(output) = outputs.pop_front() {
            let answer = match output {
                Output::Persist { id, record } => {
                    if let Record::Readings(readings) = record {
                        let keys = readings.iter().map(|it| ((it.stream, it.seq), self.now));
                        self.published.extend(keys);
                    }
                    Some(Input::Persisted { through: id })
                }
                Output::Sign { attempt, body } => Some(signed(attempt, body)),
                question => self.answer(question),
            };
            if let Some(answer) = answer {
                outputs.extend(self.machine.handle(self.now, answer));
            }
        }
    }

    /// The answer to a question, if it comes at once.
    fn answer(&mut self, question: Output) -> Option<Input> {
        let attempt = question.attempt()?;
        if !self.is_reached {
            return Some(Input::Failed { attempt });
        }
        Some(match question {
            Output::AskAccount { .. } => Input::Account { attempt, height: 10, next_nonce: 0 },
            Output::AskHead { .. } => Input::Head { attempt, next_seq: 0, sealing: Sealing::Open },
            Output::Locate { .. } => {
                let answer = Input::Located { attempt, batch: None, next_seq: 0 };
                self.answers.push_back((self.now + ANSWER_MS, answer));
                return None;
            }
            Output::Submit { transaction, .. } => {
                let header = transaction.batches().next().unwrap();
                let (stream, first_seq, count) = (header.stream, header.first_seq, header.count);
                self.waiting.push(Batch { attempt, stream, first_seq, count });
                return None;
            }
            other => panic!("{other:?}"),
        })
    }

    fn begin_block(&mut self) {
        if self.block.is_none() && !self.waiting.is_empty() {
            let batches = std::mem::take(&mut self.waiting);
            let readings = batches.iter().map(|batch| batch.count as usize).sum();
            self.fullest = self.fullest.max(readings);
            let takes_us = BLOCK_US + readings as u64 * READING_US;
            let takes_ms = TimeMs::try_from(takes_us.div_ceil(1000)).unwrap();
            self.block = Some((self.now + takes_ms, batches));
        }
    }

    fn end_block(&mut self) {
        let Some((_, batches)) = self.block.take() else { return };
        for Batch { attempt, stream, first_seq, count } in batches {
            for seq in first_seq..first_seq + u64::from(count) {
                let published = self.published.remove(&(stream, seq)).expect("taken once");
                self.took_ms.push(self.now - published);
                self.finalized += 1;
            }
            let outcome = Outcome::Finalized { height: 11 };
            self.input(Input::Outcome { attempt, outcome });
        }
    }

    /// Runs for so long, with readings of some things.
    fn run(&mut self, span_ms: TimeMs, live: usize) {
        let end = self.now + span_ms;
        while self.now < end {
            self.begin_block();
            if self.block.as_ref().is_some_and(|(at, _)| *at <= self.now) {
                self.end_block();
            } else if let Some((_, answer)) = self.answers.pop_front_if(|(at, _)| *at <= self.now) {
                self.input(answer);
            } else if self.machine.deadline().is_some_and(|wake| wake <= self.now) {
                self.input(Input::Tick);
            } else {
                self.now += 1;
                // Not all at the same moment.
                let is_due = |thing: &usize| (self.now + *thing as TimeMs * 6) % EVERY_MS == 0;
                let due: Vec<usize> = (0..live).filter(is_due).collect();
                due.into_iter().for_each(|thing| self.publish(thing));
            }
        }
    }

    /// The time below which 99 of 100 readings became final that were published after `since`.
    fn p99(&mut self) -> TimeMs {
        let mut took_ms = std::mem::take(&mut self.took_ms);
        took_ms.sort_unstable();
        took_ms[took_ms.len() * 99 / 100]
    }
}

#[test]
fn what_drains_moves_nothing_that_is_new() {
    let mut world = World::new(|_| {});
    world.run(20_000, LIVE);
    let alone = world.p99();

    world.is_reached = false;
    world.run(1000, 0);
    for _ in 0..PILED {
        (0..THINGS).for_each(|thing| world.publish(thing));
    }
    world.run(100_000, 0);
    let piled: Vec<_> = world.published.keys().copied().collect();
    assert!(piled.len() >= THINGS * PILED);

    // All pause for a time of their own, half a minute at most. Nobody waits for the end of it.
    world.is_reached = true;
    let finalized = world.finalized;
    while world.finalized == finalized {
        world.run(1, 0);
    }
    world.fullest = 0;
    let began = world.now;
    while world.machine.status(T0).readings_backfilling > 0 || world.now < began + 1000 {
        world.run(100, LIVE);
        assert!(world.now < began + 60_000, "drains in a minute");
    }
    assert!(piled.iter().all(|key| !world.published.contains_key(key)), "all is final");
    let drained = world.took_ms.len() - piled.len();
    world.took_ms.sort_unstable();
    world.took_ms.truncate(drained);
    let draining = world.p99();
    assert!(
        draining * 100 <= alone * (100 + MOVED_MAX),
        "99 of 100 readings took {alone} ms, and {draining} while others drained"
    );
}

#[test]
fn blocks_are_not_filled_with_what_piled_up() {
    for (backfill_readings_max, fullest) in [(1, 1000), (2000, 2000), (2999, 2000), (3000, 3000)] {
        let mut world = World::new(|limits| limits.backfill_readings_max = backfill_readings_max);
        world.is_reached = false;
        for _ in 0..PILED {
            (0..THINGS).for_each(|thing| world.publish(thing));
        }
        world.run(1000, 0);
        world.is_reached = true;
        world.run(60_000, 0);
        assert!(world.machine.is_drained(), "{backfill_readings_max}");
        assert_eq!(world.fullest, fullest, "{backfill_readings_max}");
    }
}
