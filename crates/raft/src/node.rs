//! One of the machines that keep a log.

use bytes::Bytes;
use raft::{
    Config, RawNode, SnapshotStatus, StateRole,
    eraftpb::{self, ConfState, HardState, MessageType},
};
use slog::{Discard, Logger, o};

use crate::{
    log::Log,
    message::Message,
    record::{Base, Entry, Record},
};

/// Most machines that keep a log.
pub const VOTERS_MAX: u64 = 1024;
/// Messages with entries that may be on their way to another machine.
const INFLIGHT_MAX: usize = 16;

/// How a node is set up. All nodes of a log agree on all but `me` and `seed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Its number, from 1.
    pub me: u64,
    /// How many nodes there are, at most [`VOTERS_MAX`]; their numbers are 1, 2, ...
    pub voters: u64,
    /// A leader is heard of once in so many ticks.
    pub heartbeat_ticks: u16,
    /// A node that has heard of no leader for so many ticks wants to become one.
    pub election_ticks_min: u16,
    /// It does so after fewer ticks than this; how many is drawn anew in each term.
    pub election_ticks_max: u16,
    /// What the draws follow from.
    pub seed: u64,
}

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The leader says that something is committed here which is not.
    #[error(
        "the leader was told that this peer holds entry {commit}, but its log ends at {last}: its disk is \
         that of an earlier time; keep it stopped and let members give its seat a new key"
    )]
    Forgotten {
        /// What the leader says is committed and here.
        commit: u64,
        /// Where the log ends.
        last: u64,
    },
    /// The leader has something else where something is committed here.
    #[error(
        "the leader holds another entry {0} than the one that is committed: most disks are those of an \
         earlier time, or somebody writes what it should not"
    )]
    Contradicted(u64),
    /// It cannot be from a node that keeps to the rules.
    #[error("the message does not fit")]
    Unfit,
}

/// What is to be done now: send, then write, then call [`Node::written`].
#[derive(Debug, Default)]
pub struct Step {
    /// What may leave before anything is written, and to whom.
    pub send: Vec<(u64, Message)>,
    /// What to write, in order.
    pub records: Vec<Record>,
    /// Whether it must be on disk, and not only on its way there, before [`Node::written`].
    pub sync: bool,
}

/// What follows once all was written.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What may leave now, and to whom.
    pub send: Vec<(u64, Message)>,
    /// What is committed now, in order; after a start, all behind the base is told again.
    pub committed: Vec<Entry>,
}

/// One of the machines that keep a log.
pub struct Node {
    raw: RawNode<Log>,
    settings: Settings,
    ready: Option<raft::Ready>,
    /// The state of the draws, the term and role that the last was for, and what it gave.
    draws: u64,
    drawn_for: (u64, StateRole),
    drawn: usize,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let raft = &self.raw.raft;
        f.debug_struct("Node")
            .field("me", &self.settings.me)
            .field("term", &raft.term)
            .field("role", &raft.state)
            .field("committed", &self.committed())
            .field("last", &self.last())
            .finish_non_exhaustive()
    }
}

pub(crate) fn conf(voters: u64) -> ConfState {
    ConfState::from(((1..=voters), std::iter::empty()))
}

impl Node {
    /// A node as its records say; without any, a new one.
    ///
    /// # Panics
    /// If the settings contradict each other.
    #[must_use]
    pub fn new(settings: Settings, records: impl IntoIterator<Item = Record>) -> Self {
        assert!((1..=settings.voters).contains(&settings.me) && settings.voters <= VOTERS_MAX);
        let mut log = Log::new(settings.voters);
        records.into_iter().for_each(|record| log.take(record));
        log.bound_commit();
        let config = Config {
            id: settings.me,
            election_tick: settings.election_ticks_min.into(),
            min_election_tick: settings.election_ticks_min.into(),
            max_election_tick: settings.election_ticks_max.into(),
            heartbeat_tick: settings.heartbeat_ticks.into(),
            applied: log.base.index,
            // One entry in each message: an entry is a block.
            max_size_per_msg: 0,
            max_inflight_msgs: INFLIGHT_MAX,
            check_quorum: true,
            pre_vote: true,
            ..Config::default()
        };
        let raw = RawNode::new(&config, log, &Logger::root(Discard, o!()));
        let raw = raw.unwrap_or_else(|error| panic!("settings of a node: {error}"));
        let drawn_for = (0, StateRole::Candidate);
        let draws = settings.seed ^ settings.me.rotate_left(32);
        let mut node = Self { raw, settings, ready: None, draws, drawn_for, drawn: 0 };
        node.draw();
        node
    }

    /// Time has passed.
    pub fn tick(&mut self) {
        self.raw.tick();
        self.draw();
    }

    /// Asks to lead now and not after a while. It is not given the lead if another leads.
    pub fn campaign(&mut self) {
        // Whoever leads already says so by an error.
        let _ = self.raw.campaign();
        self.draw();
    }

    /// Takes what another node said.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed.
    pub fn receive(&mut self, message: Message) -> Result<(), Refused> {
        self.check(&message.0)?;
        // An answer of somebody that this leader knows nothing of, for one, is no error of ours.
        let _ = self.raw.step(message.0);
        self.draw();
        Ok(())
    }

    fn check(&self, m: &eraftpb::Message) -> Result<(), Refused> {
        let others = 1..=self.settings.voters;
        if m.from == self.settings.me || !others.contains(&m.from) || m.to != self.settings.me {
            return Err(Refused::Unfit);
        }
        if m.term < self.raw.raft.term {
            return Ok(());
        }
        let (last, committed) = (self.last().0, self.committed());
        match m.get_msg_type() {
            MessageType::MsgHeartbeat if m.commit > last => {
                Err(Refused::Forgotten { commit: m.commit, last })
            }
            MessageType::MsgAppend => {
                let differs = |entry: &&eraftpb::Entry| {
                    entry.index <= committed
                        && self.term_at(entry.index).is_some_and(|term| term != entry.term)
                };
                match m.entries.iter().find(differs) {
                    Some(entry) => Err(Refused::Contradicted(entry.index)),
                    None => Ok(()),
                }
            }
            MessageType::MsgAppendResponse if m.index > last && !m.reject => Err(Refused::Unfit),
            _ => Ok(()),
        }
    }

    /// Appends, if this node leads; otherwise it does not, and says so.
    #[must_use = "what is not appended is lost"]
    pub fn propose(&mut self, data: &Bytes) -> bool {
        let appended = self.leads() && self.raw.propose(Vec::new(), data.to_vec()).is_ok();
        self.draw();
        appended
    }

    /// What is to be done now, if anything. [`Node::written`] must follow before the next.
    pub fn step(&mut self) -> Option<Step> {
        if self.ready.is_some() || !self.raw.has_ready() {
            return None;
        }
        let mut ready = self.raw.ready();
        let mut step = Step { send: self.outgoing(ready.take_messages()), ..Step::default() };
        step.sync = ready.must_sync();
        if !ready.snapshot().is_empty() {
            let meta = ready.snapshot().get_metadata();
            let data = ready.snapshot().data.clone();
            step.records.push(Record::Base(Base { index: meta.index, term: meta.term, data }));
            step.sync = true;
        }
        if let Some(HardState { term, vote, commit, .. }) = ready.hs() {
            let (term, vote, commit) = (*term, *vote, *commit);
            step.records.push(Record::State { term, vote, commit });
        }
        step.records.extend(ready.entries().iter().map(|entry| {
            Record::Entry(Entry { index: entry.index, term: entry.term, data: entry.data.clone() })
        }));
        for record in &step.records {
            self.raw.mut_store().take(record.clone());
        }
        self.ready = Some(ready);
        Some(step)
    }

    /// What [`Node::step`] asked for is done.
    pub fn written(&mut self) -> Outcome {
        let Some(mut ready) = self.ready.take() else { return Outcome::default() };
        let mut send = ready.take_persisted_messages();
        let mut committed = ready.take_committed_entries();
        let mut light = self.raw.advance(ready);
        send.append(&mut light.take_messages());
        committed.append(&mut light.take_committed_entries());
        self.raw.advance_apply();
        let committed = committed.into_iter().map(|entry| Entry {
            index: entry.index,
            term: entry.term,
            data: entry.data,
        });
        Outcome { send: self.outgoing(send), committed: committed.collect() }
    }

    fn outgoing(&mut self, messages: Vec<eraftpb::Message>) -> Vec<(u64, Message)> {
        for message in &messages {
            if message.get_msg_type() == MessageType::MsgSnapshot {
                // It is small, and sent again if it did not arrive.
                self.raw.report_snapshot(message.to, SnapshotStatus::Finish);
            }
        }
        messages.into_iter().map(|message| (message.to, Message(message))).collect()
    }

    /// Cuts off the log up to a committed place; whoever needs what was there gets `data` instead.
    /// Returns all that remains, the state last, to be written to a new place in which nothing else is.
    #[must_use]
    pub fn cut(&mut self, index: u64, data: Bytes) -> Vec<Record> {
        if let Some(term) = self.term_at(index).filter(|_| index <= self.committed()) {
            self.raw.mut_store().cut(Base { index, term, data });
        }
        let state = self.raw.raft.hard_state();
        self.raw.store().records(&state)
    }

    /// All there is, as records, the state last.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.raw.store().records(&self.raw.raft.hard_state())
    }

    /// Where the log begins.
    #[must_use]
    pub fn base(&self) -> &Base {
        &self.raw.store().base
    }

    /// Index and term of the last entry.
    #[must_use]
    pub fn last(&self) -> (u64, u64) {
        let log = &self.raw.raft.raft_log;
        (log.last_index(), log.last_term())
    }

    /// Whether this very entry is in the log.
    #[must_use]
    pub fn has(&self, index: u64, term: u64) -> bool {
        self.term_at(index) == Some(term)
    }

    fn term_at(&self, index: u64) -> Option<u64> {
        if index < self.base().index || index > self.last().0 {
            return None;
        }
        self.raw.raft.raft_log.term(index).ok()
    }

    /// The last committed place.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.raw.raft.raft_log.committed
    }

    /// The term.
    #[must_use]
    pub fn term(&self) -> u64 {
        self.raw.raft.term
    }

    /// Whether this node leads.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.raw.raft.state == StateRole::Leader
    }

    /// Who leads, as far as this node knows.
    #[must_use]
    pub fn leader(&self) -> Option<u64> {
        Some(self.raw.raft.leader_id).filter(|leader| *leader != raft::INVALID_ID)
    }

    /// The library draws how long to wait for a leader from the operating system's randomness, in each
    /// term and role. Ours is put in its place before the next tick looks at it, so that equal seeds give
    /// equal runs.
    fn draw(&mut self) {
        let now = (self.raw.raft.term, self.raw.raft.state);
        if now != self.drawn_for {
            self.drawn_for = now;
            let Settings { election_ticks_min: min, election_ticks_max: max, .. } = self.settings;
            let span = u64::from(max.saturating_sub(min).max(1));
            let below = usize::try_from(self.next() % span).unwrap_or(0);
            self.drawn = usize::from(min) + below;
        }
        self.raw.raft.set_randomized_election_timeout(self.drawn);
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.draws = self.draws.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.draws;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
