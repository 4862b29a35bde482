//! Nodes on simulated machines: what one has committed, all have, whatever is lost or crashes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use althing_raft::{Base, Entry, Message, Node, Record, Refused, Settings};
use bytes::Bytes;
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

/// A disk: what is synced, and what is not yet.
#[derive(Default, Clone)]
struct Disk {
    synced: Vec<Record>,
    unsynced: Vec<Record>,
}

impl Disk {
    fn write(&mut self, records: Vec<Record>, sync: bool) {
        // As they are read again: what is written is their bytes.
        let bytes = records.iter().map(|record| Bytes::from(record.encode()));
        self.unsynced.extend(bytes.map(|bytes| Record::decode(&bytes).unwrap()));
        if sync {
            self.synced.append(&mut self.unsynced);
        }
    }
}

struct World {
    dice: ChaCha20Rng,
    settings: Vec<Settings>,
    disks: Vec<Disk>,
    nodes: Vec<Option<Node>>,
    /// On their way: when they arrive, from, to, bytes.
    mail: Vec<(u64, u64, u64, Bytes)>,
    now: u64,
    loss_percent: u64,
    cut: Vec<bool>,
    /// What was committed anywhere, by index.
    committed: BTreeMap<u64, (u64, Bytes)>,
    proposed: u64,
    /// By node, up to where it was told what is committed.
    told: Vec<u64>,
}

const VOTERS: u64 = 3;

fn base_data(index: u64) -> Bytes {
    Bytes::from(format!("up to {index}"))
}

impl World {
    fn new(seed: u64, voters: u64) -> Self {
        let settings: Vec<Settings> = (1..=voters)
            .map(|me| Settings {
                me,
                voters,
                heartbeat_ticks: 2,
                election_ticks_min: 8,
                election_ticks_max: 16,
                seed,
            })
            .collect();
        let count = voters as usize;
        let mut world = Self {
            dice: ChaCha20Rng::seed_from_u64(seed),
            settings,
            disks: vec![Disk::default(); count],
            nodes: (0..count).map(|_| None).collect(),
            mail: Vec::new(),
            now: 0,
            loss_percent: 0,
            cut: vec![false; count],
            committed: BTreeMap::new(),
            proposed: 0,
            told: vec![0; count],
        };
        (0..count).for_each(|node| world.start(node));
        world
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.dice.next_u64() % bound
    }

    fn start(&mut self, node: usize) {
        let disk = &mut self.disks[node];
        disk.unsynced.clear();
        let restored = Node::new(self.settings[node], disk.synced.clone());
        self.told[node] = restored.base().index;
        self.nodes[node] = Some(restored);
    }

    fn crash(&mut self, node: usize) {
        self.nodes[node] = None;
    }

    /// Does what a node asks for.
    fn serve(&mut self, index: usize) {
        while let Some(mut node) = self.nodes[index].take() {
            let Some(step) = node.step() else {
                self.nodes[index] = Some(node);
                return;
            };
            self.send(index, step.send);
            if let Some(Record::Base(Base { index: base, data, .. })) = step.records.first() {
                assert_eq!(*data, base_data(*base));
                self.told[index] = *base;
            }
            self.disks[index].write(step.records, step.sync);
            let outcome = node.written();
            self.send(index, outcome.send);
            for Entry { index: at, term, data } in outcome.committed {
                assert_eq!(at, self.told[index] + 1, "a gap in what is committed");
                self.told[index] = at;
                let before = self.committed.entry(at).or_insert((term, data.clone()));
                assert_eq!(*before, (term, data), "two committed entries at {at}");
            }
            if self.dice.next_u64().is_multiple_of(200) && self.told[index] > node.base().index {
                let records = node.cut(self.told[index], base_data(self.told[index]));
                let disk = &mut self.disks[index];
                (disk.synced, disk.unsynced) = (records, Vec::new());
            }
            self.nodes[index] = Some(node);
        }
    }

    fn send(&mut self, from: usize, messages: Vec<(u64, Message)>) {
        for (to, message) in messages {
            let lost = self.below(100) < self.loss_percent;
            let parted = self.cut[from] != self.cut[to as usize - 1];
            if !lost && !parted {
                let at = self.now + 1 + self.below(4);
                self.mail.push((at, from as u64 + 1, to, message.encode().into()));
            }
        }
    }

    /// One tick of all clocks.
    fn pass(&mut self) {
        self.now += 1;
        for node in 0..self.nodes.len() {
            if let Some(node) = &mut self.nodes[node] {
                node.tick();
            }
            self.serve(node);
        }
        let (due, later) =
            std::mem::take(&mut self.mail).into_iter().partition(|it| it.0 <= self.now);
        self.mail = later;
        let due: Vec<(u64, u64, u64, Bytes)> = due;
        for (_, from, to, bytes) in due {
            let at = to as usize - 1;
            if let Some(node) = &mut self.nodes[at] {
                let message =
                    Message::decode(&bytes, from, to, self.settings.len() as u64).unwrap();
                node.receive(message).unwrap();
            }
            self.serve(at);
        }
        for at in 0..self.nodes.len() {
            if let Some(node) = self.nodes[at].as_mut().filter(|node| node.leads()) {
                self.proposed += 1;
                let _ = node.propose(&Bytes::from(self.proposed.to_be_bytes().to_vec()));
            }
            self.serve(at);
        }
    }

    fn all_at_least(&self, index: u64) -> bool {
        self.nodes.iter().flatten().all(|node| node.committed() >= index)
    }
}

/// Runs a seed; returns what was committed.
fn run(seed: u64) -> BTreeMap<u64, (u64, Bytes)> {
    let mut world = World::new(seed, VOTERS);
    for _ in 0..400 {
        match world.below(40) {
            0 => world.loss_percent = world.below(40),
            1 => {
                let parted = world.below(VOTERS) as usize;
                world.cut[parted] = !world.cut[parted];
            }
            2 | 3 => {
                let node = world.below(VOTERS) as usize;
                world.crash(node);
            }
            4..=7 => {
                let node = world.below(VOTERS) as usize;
                if world.nodes[node].is_none() {
                    world.start(node);
                }
            }
            _ => {}
        }
        world.pass();
    }
    world.loss_percent = 0;
    world.cut.fill(false);
    for node in 0..world.nodes.len() {
        if world.nodes[node].is_none() {
            world.start(node);
        }
    }
    let goal = world.committed.keys().last().copied().unwrap_or(0) + 20;
    for _ in 0..400 {
        world.pass();
        if world.all_at_least(goal) {
            return world.committed;
        }
    }
    panic!("seed {seed}: not healed: {:?}", world.nodes);
}

#[test]
fn what_is_committed_stays_and_a_healed_cluster_goes_on() {
    for seed in 0..300 {
        assert!(run(seed).len() >= 20, "seed {seed}");
    }
}

#[test]
fn equal_seeds_give_equal_runs() {
    for seed in 0..5 {
        assert_eq!(run(seed), run(seed));
    }
}

/// The negative control: a disk that forgets what it had synced is noticed, where it shows.
#[test]
fn a_disk_of_an_earlier_time_is_noticed() {
    let mut world = World::new(1, VOTERS);
    let passes = |world: &mut World, count| (0..count).for_each(|_| world.pass());
    passes(&mut world, 60);
    let leader = world.nodes.iter().position(|node| node.as_ref().unwrap().leads()).unwrap();
    let follower = (leader + 1) % VOTERS as usize;
    world.crash(follower);
    world.disks[follower].synced.truncate(3);
    world.start(follower);
    let node = world.nodes[follower].as_ref().unwrap();
    let (last, committed) = (node.last().0, world.nodes[leader].as_ref().unwrap().committed());
    assert!(last < committed);
    // The leader's next heartbeat.
    let mut sent = Vec::new();
    let leading = world.nodes[leader].as_mut().unwrap();
    for _ in 0..4 {
        leading.tick();
        while let Some(step) = leading.step() {
            sent.extend(step.send.into_iter().chain(leading.written().send));
        }
    }
    let mut heard = None;
    for (to, message) in sent.into_iter().filter(|(to, _)| *to as usize == follower + 1) {
        let from = leader as u64 + 1;
        let message = Message::decode(&message.encode().into(), from, to, VOTERS).unwrap();
        let told = world.nodes[follower].as_mut().unwrap().receive(message);
        heard = heard.or(told.err());
    }
    assert!(matches!(heard, Some(Refused::Forgotten { .. })), "{heard:?}");
}

#[test]
fn one_node_alone_leads_at_once_when_it_asks_to() {
    let mut world = World::new(7, 1);
    world.nodes[0].as_mut().unwrap().campaign();
    world.serve(0);
    assert!(world.nodes[0].as_ref().unwrap().leads());
    world.pass();
    assert!(world.committed.len() >= 2);
}
