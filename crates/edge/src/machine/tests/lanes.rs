//! Two lanes on a simulated clock: what piled up never delays what is new.

use althing_types::{Payload, Wire};

use super::*;

/// How long the ledger takes to answer, milliseconds.
const LATENCY_MS: TimeMs = 40;
const BATCH: usize = 100;

/// A gateway before a ledger that takes what it is given, with the machine's clock.
struct World {
    machine: Machine,
    now: TimeMs,
    is_online: bool,
    /// Answers on their way.
    answers: VecDeque<(TimeMs, Input)>,
    /// Which numbers the ledger holds, and when it got them.
    taken: BTreeMap<u64, TimeMs>,
    /// Every batch in order: its first number and its readings.
    batches: Vec<(u64, u32)>,
    held: BTreeMap<u64, Located>,
    next_publish: u64,
    refused: Vec<&'static str>,
    acknowledged: BTreeSet<PublishId>,
    /// What is on disk, and what is not yet.
    disk: Vec<Record>,
    unflushed: Vec<(PersistId, Record)>,
    /// Whether records wait for [`World::flush`].
    is_slow: bool,
}

impl World {
    fn new(change: impl Fn(&mut Limits), thing: ThingSpec) -> Self {
        let mut config = config();
        config.limits = Limits {
            batch_readings_max: BATCH,
            stream_readings_max: 1_000_000,
            queue_bytes_max: 1 << 30,
            ..limits()
        };
        change(&mut config.limits);
        let mut machine = Machine::recover(config, vec![]).unwrap();
        machine.sealings.insert(STREAM, None);
        let mut world = Self {
            machine,
            now: T0,
            is_online: true,
            answers: VecDeque::new(),
            taken: BTreeMap::new(),
            batches: Vec::new(),
            held: BTreeMap::new(),
            next_publish: 1,
            refused: Vec::new(),
            acknowledged: BTreeSet::new(),
            disk: Vec::new(),
            unflushed: Vec::new(),
            is_slow: false,
        };
        world.input(Input::Things(vec![thing]));
        world.run_until(T0 + 1000);
        world
    }

    fn input(&mut self, input: Input) {
        let mut outputs: VecDeque<Output> = self.machine.handle(self.now, input).into();
        while let Some(output) = outputs.pop_front() {
            match output {
                Output::Persist { id, record } if self.is_slow => self.unflushed.push((id, record)),
                Output::Persist { id, record } => {
                    self.disk.push(record);
                    outputs.extend(self.machine.handle(self.now, Input::Persisted { through: id }));
                }
                Output::Acknowledge(publish) => {
                    assert!(self.acknowledged.insert(publish), "{publish:?} twice");
                }
                Output::Sign { attempt, body } => {
                    outputs.extend(self.machine.handle(self.now, signed(attempt, body)));
                }
                Output::Refuse { rejection, .. } => self.refused.push(rejection.code()),
                question => {
                    if let Some(answer) = self.answer(question) {
                        self.answers.push_back((self.now + LATENCY_MS, answer));
                    }
                }
            }
        }
    }

    fn next_seq(&self) -> u64 {
        self.taken.last_key_value().map_or(0, |(seq, _)| seq + 1)
    }

    fn answer(&mut self, question: Output) -> Option<Input> {
        let attempt = question.attempt()?;
        if !self.is_online {
            return Some(Input::Failed { attempt });
        }
        Some(match question {
            Output::AskAccount { .. } => Input::Account { attempt, height: 10, next_nonce: 0 },
            Output::AskHead { .. } => {
                Input::Head { attempt, next_seq: self.next_seq(), sealing: Sealing::Open }
            }
            Output::Locate { seq, .. } => {
                let batch = self.held.range(..=seq).next_back().map(|(_, located)| located);
                let holds = |it: &&Located| seq < it.first_seq + it.readings.len() as u64;
                let batch = batch.filter(holds).cloned();
                Input::Located { attempt, batch, next_seq: self.next_seq() }
            }
            Output::Submit { transaction, payload, .. } => {
                let batch = transaction.batches().next().unwrap().clone();
                let (first, end) = (batch.first_seq, batch.end_seq().unwrap());
                if self.taken.range(first..end).next().is_some() {
                    let outcome = Outcome::Refused(Refusal::SequenceOverlap);
                    return Some(Input::Outcome { attempt, outcome });
                }
                self.batches.push((first, batch.count));
                let readings = Payload::from_wire(&payload).unwrap().readings;
                self.held.insert(first, Located { first_seq: first, readings });
                for seq in first..end {
                    assert_eq!(self.taken.insert(seq, self.now + LATENCY_MS), None, "{seq} twice");
                }
                Input::Outcome { attempt, outcome: Outcome::Finalized { height: 11 } }
            }
            other => panic!("{other:?}"),
        })
    }

    /// What was written so far is durable.
    fn flush(&mut self) {
        let Some((through, _)) = self.unflushed.last() else { return };
        let through = *through;
        self.disk.extend(self.unflushed.drain(..).map(|(_, record)| record));
        self.input(Input::Persisted { through });
    }

    /// The gateway dies: what was not durable is gone, and so are answers on their way.
    fn kill(&mut self, config: &Config) {
        self.unflushed.clear();
        self.answers.clear();
        self.machine = Machine::recover(config.clone(), self.disk.clone()).unwrap();
        self.machine.sealings.insert(STREAM, None);
        self.input(Input::Things(vec![pump()]));
    }

    fn publish(&mut self, value: &str) {
        let id = self.next_publish;
        self.next_publish += 1;
        self.input(publish(id, value));
    }

    fn run_until(&mut self, end: TimeMs) {
        loop {
            let answer = self.answers.front().map(|(at, _)| *at);
            let next = [answer, self.machine.deadline()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            match self.answers.pop_front_if(|(at, _)| *at <= self.now) {
                Some((_, answer)) => self.input(answer),
                None => self.input(Input::Tick),
            }
        }
        self.now = self.now.max(end);
    }
}

#[test]
fn a_live_reading_is_in_the_next_batch_whatever_the_backlog() {
    let mut latencies = Vec::new();
    for backlog in [0_u64, 100_000] {
        let mut world = World::new(|_| {}, pump());
        world.is_online = false;
        (0..backlog).for_each(|_| world.publish("1"));
        world.run_until(world.now + 10_000);
        world.is_online = true;
        // Until the pause after the last failure is over, nothing can know that the peer is back.
        world.run_until(world.now + 2000);
        let mut slowest = 0;
        for live in 0..200 {
            let seq = backlog + live;
            let published = world.now;
            let before = world.batches.len();
            world.publish("2");
            world.run_until(world.now + 100 + 2 * LATENCY_MS);
            let got = world.taken.get(&seq).copied().expect("final within two answers");
            slowest = slowest.max(got - published);
            let batch = world.batches[before..].iter().find(|(first, _)| *first >= backlog);
            let holds = batch
                .is_some_and(|(first, count)| (*first..first + u64::from(*count)).contains(&seq));
            assert!(holds, "reading {seq} is in the next batch of what is new");
        }
        latencies.push(slowest);
        world.run_until(world.now + 200_000);
        assert_eq!(world.next_seq(), backlog + 200);
        assert_eq!(world.taken.len() as u64, backlog + 200, "nothing is missing");
        assert!(world.machine.is_drained());
        assert_eq!(world.machine.status(T0).readings_backfilling, 0);
    }
    assert_eq!(latencies[0], latencies[1], "the backlog moves nothing");
}

#[test]
fn a_full_queue_loses_the_oldest_only_where_the_owner_allows_it() {
    for may_lose in [false, true] {
        let thing = ThingSpec { may_lose, ..pump() };
        let mut world = World::new(|limits| limits.stream_readings_max = 1000, thing);
        world.is_online = false;
        (0..1500).for_each(|_| world.publish("1"));
        world.is_online = true;
        world.run_until(world.now + 60_000);
        let status = world.machine.status(T0);
        assert!(world.machine.is_drained());
        if may_lose {
            assert_eq!(world.refused, Vec::<&str>::new());
            // The lowest numbers behind the batch that was under way, which the ledger shows as a gap.
            let (kept, lost) = (BATCH as u64, status.readings_lost);
            assert!((500..600).contains(&lost), "{lost}");
            let expected: Vec<u64> = (0..kept).chain(kept + lost..1500).collect();
            assert_eq!(world.taken.keys().copied().collect::<Vec<_>>(), expected);
        } else {
            assert_eq!(world.refused, vec!["queue_full"; 500], "back-pressure");
            assert_eq!((status.readings_lost, world.taken.len()), (0, 1000));
        }
    }
}

/// Three days without a peer, a reading a minute, and a gateway that dies again and again, also while
/// it catches up: nothing that was acknowledged is lost, and each number that is missing is a gap.
#[test]
fn seventy_two_hours_offline_with_a_gateway_that_dies_lose_and_hide_nothing() {
    const MINUTE_MS: TimeMs = 60_000;
    for seed in 1..=8_u64 {
        let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut roll = |sides: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % sides
        };
        let mut world = World::new(|_| {}, pump());
        let config = world.machine.config.clone();
        (world.is_slow, world.is_online) = (true, false);
        let mut published = 0_u64;
        for minute in 0..72 * 60 + 600 {
            world.is_online = minute >= 72 * 60 && roll(20) > 0;
            world.publish("1");
            published += 1;
            if roll(3) > 0 {
                world.flush();
            }
            world.run_until(world.now + MINUTE_MS);
            if roll(100) == 0 {
                world.kill(&config);
            }
        }
        world.is_online = true;
        for _ in 0..2000 {
            world.flush();
            world.run_until(world.now + MINUTE_MS / 60);
        }
        assert!(world.machine.is_drained(), "seed {seed}");
        // Numbers are given in order and each is used once, so as many are on the ledger as were
        // acknowledged, but for those that were durable when their acknowledgement was cut off.
        let (acknowledged, held) = (world.acknowledged.len() as u64, world.taken.len() as u64);
        assert!(acknowledged <= held && held <= published, "seed {seed}: {acknowledged} {held}");
        let missing = (0..world.next_seq()).filter(|seq| !world.taken.contains_key(seq)).count();
        assert_eq!(missing, 0, "seed {seed}: what was lost had no number yet");
    }
}
