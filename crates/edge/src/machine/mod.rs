//! The machine: inputs, outputs and the one place where they meet.

mod latest;
mod status;
mod submit;
mod take;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use althing_types::{Body, Reading, Refusal, StreamId, StreamKey, ThingId, Transaction};

use crate::config::{Config, LimitError};
use crate::directory::{Directory, ThingSpec, Unserved};
use crate::mark::{Mark, Marks};
use crate::record::Record;
use crate::rejection::Rejection;
use crate::stream::{Lane, Stream};

pub use status::{Held, Status};

/// Milliseconds on a clock that never goes back. It begins anywhere at or after 0, and is not the
/// time of day: that may be set while readings wait.
pub type TimeMs = i64;

/// A publish that waits for its acknowledgement; chosen by the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublishId(pub u64);

/// A record that waits to be durable; ascending by one from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersistId(pub u64);

/// A question whose answer is awaited; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub u64);

/// What happens to the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A device published.
    Publish {
        /// Names it in the answer.
        id: PublishId,
        /// When it was received, milliseconds since 1970 (UTC).
        received_ms: i64,
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Vec<u8>,
        /// Whether nothing but a pack that the thing's device signed may be taken, in whatever
        /// profile: nobody knows who sent it.
        only_signed: bool,
        /// Names it if it is of QoS 2 and its client may send it again after a crash.
        mark: Option<Mark>,
    },
    /// The store of sessions knows the publishes of QoS 2 of a session up to this number.
    Passed {
        /// The session.
        session: u64,
        /// The last of them.
        number: u64,
    },
    /// All records up to this one are on disk and survive a crash.
    Persisted {
        /// The last of them.
        through: PersistId,
    },
    /// A thing to serve, new or changed.
    Thing(ThingSpec),
    /// All things there are to serve, heard from the ledger: others are served no more.
    Things(Vec<ThingSpec>),
    /// A thing is served no more. Its readings that wait still go to the ledger.
    Gone(ThingId),
    /// Answer to [`Output::AskAccount`].
    Account {
        /// The question.
        attempt: AttemptId,
        /// The ledger's height.
        height: u64,
        /// The lowest nonce that no transaction of the gateway has used.
        next_nonce: u64,
    },
    /// Answer to [`Output::AskHead`].
    Head {
        /// The question.
        attempt: AttemptId,
        /// The sequence number after the stream's highest.
        next_seq: u64,
        /// Whether its payloads are to be sealed, and under which key.
        sealing: Sealing,
    },
    /// Answer to [`Output::Locate`].
    Located {
        /// The question.
        attempt: AttemptId,
        /// The batch that holds the number, if any does. A peer that knows the batch and not its
        /// readings has no answer: that is [`Input::Failed`].
        batch: Option<Located>,
        /// The sequence number after the stream's highest, of the same state of the ledger or a
        /// later one.
        next_seq: u64,
    },
    /// Answer to [`Output::Sign`].
    Signed {
        /// The question.
        attempt: AttemptId,
        /// The body, signed.
        transaction: Transaction,
    },
    /// Answer to [`Output::Submit`].
    Outcome {
        /// The question.
        attempt: AttemptId,
        /// What became of it.
        outcome: Outcome,
    },
    /// A question got no answer: peer unreachable, time out, signer failed.
    Failed {
        /// The question.
        attempt: AttemptId,
    },
    /// The [`deadline`](Machine::deadline) has come.
    Tick,
    /// The gateway shuts down: take nothing more, seal what there is.
    Stop,
}

impl Input {
    /// The question that a peer has answered, whatever it said.
    const fn answer_of_peer(&self) -> Option<AttemptId> {
        match self {
            Self::Account { attempt, .. }
            | Self::Head { attempt, .. }
            | Self::Located { attempt, .. }
            | Self::Outcome { attempt, .. } => Some(*attempt),
            _ => None,
        }
    }
}

/// How payloads of a stream go to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealing {
    /// As they are.
    Open,
    /// Sealed under the stream's present key: the stream is confidential.
    Under(StreamKey),
    /// Not at all: the stream is confidential, and the gateway was not given its key.
    Locked,
}

/// What the ledger holds at a sequence number: readings of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Number of the first of them, which may not be the first of the batch.
    pub first_seq: u64,
    /// All from there to the end of the batch.
    pub readings: Vec<Reading>,
}

impl Located {
    fn count(&self) -> u32 {
        u32::try_from(self.readings.len()).unwrap_or(u32::MAX)
    }
}

/// What became of a submitted transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// In a finalized block, and it took effect.
    Finalized {
        /// Height of the block.
        height: u64,
    },
    /// Refused, at admission or in its block.
    Refused(Refusal),
    /// Taken, but not final within the driver's patience.
    Undecided,
}

/// What the driver must do, in order.
#[expect(
    clippy::large_enum_variant,
    reason = "a pack is moved a few times in its life, a box would be one allocation more"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Write the record to the queue. Records are written in order; one flush may serve many, then
    /// [`Input::Persisted`] names the last.
    Persist {
        /// The record's id.
        id: PersistId,
        /// The record.
        record: Record,
    },
    /// Tell the device that its readings are safe. They are durable.
    Acknowledge(PublishId),
    /// Tell the device that nothing was taken.
    Refuse {
        /// The publish.
        publish: PublishId,
        /// Why.
        rejection: Rejection,
    },
    /// Ask a peer for the ledger's height and the gateway's next nonce.
    AskAccount {
        /// Names the answer.
        attempt: AttemptId,
    },
    /// Ask a peer for a stream's next sequence number, and for its key if it is confidential.
    AskHead {
        /// Names the answer.
        attempt: AttemptId,
        /// The stream.
        stream: StreamId,
    },
    /// Ask a peer which batch of a stream holds a sequence number.
    Locate {
        /// Names the answer.
        attempt: AttemptId,
        /// The stream.
        stream: StreamId,
        /// The number.
        seq: u64,
    },
    /// Sign a transaction with the gateway's key.
    Sign {
        /// Names the answer.
        attempt: AttemptId,
        /// What to sign.
        body: Body,
    },
    /// Submit a transaction with its payload. Its readings are durable. Submitting one twice does
    /// no harm.
    Submit {
        /// Names the answer.
        attempt: AttemptId,
        /// The transaction.
        transaction: Transaction,
        /// The payload that its batch names.
        payload: Vec<u8>,
    },
    /// For log and metrics: readings have become final.
    Finalized {
        /// The stream.
        stream: StreamId,
        /// First of them.
        first_seq: u64,
        /// How many.
        count: u32,
    },
    /// For log and metrics: the oldest readings of a stream were given up for new ones, as its
    /// owner wants when the queue is full. They become a gap on the ledger.
    Lost {
        /// The stream.
        stream: StreamId,
        /// First of them.
        first_seq: u64,
        /// How many numbers.
        count: u32,
    },
    /// For the log: a thing is not served.
    Unserved {
        /// The thing.
        thing: ThingId,
        /// Its name.
        name: String,
        /// Why.
        reason: Unserved,
    },
    /// For log and status: the ledger refuses a stream's readings for a reason that only people
    /// can remove. They are kept, and tried again at growing pauses.
    Held {
        /// The stream.
        stream: StreamId,
        /// The reason.
        refusal: Refusal,
    },
}

impl Output {
    /// Names the answer that the driver owes, if this is a question.
    #[must_use]
    pub const fn attempt(&self) -> Option<AttemptId> {
        match self {
            Self::AskAccount { attempt }
            | Self::AskHead { attempt, .. }
            | Self::Locate { attempt, .. }
            | Self::Sign { attempt, .. }
            | Self::Submit { attempt, .. } => Some(*attempt),
            Self::Persist { .. }
            | Self::Acknowledge(_)
            | Self::Refuse { .. }
            | Self::Finalized { .. }
            | Self::Lost { .. }
            | Self::Unserved { .. }
            | Self::Held { .. } => None,
        }
    }
}

/// The gateway as a machine: maps, queues, batches, has signed, submits, retries.
///
/// Every question ([`Output::AskAccount`], [`Output::AskHead`], [`Output::Locate`],
/// [`Output::Sign`], [`Output::Submit`]) must be answered once, by its answer or by
/// [`Input::Failed`]; an answer nobody waits for is ignored.
#[derive(Debug)]
pub struct Machine {
    config: Config,
    directory: Directory,
    /// Whether this run has heard from the ledger which things there are. Before, what is not in the
    /// directory may be a thing that was bound while the gateway was away.
    is_listed: bool,
    /// The ledger's height, as far as known.
    height: u64,
    /// The live lane of every stream: the newest readings, and the next number.
    streams: BTreeMap<StreamId, Stream>,
    /// The other lane of streams that have more than that. Its readings are older than those of the
    /// live lane, all of them.
    backfill: BTreeMap<StreamId, Stream>,
    /// When each stream wants to be looked at: the tables of deadlines of both lanes.
    wakes: Wakes,
    backfill_wakes: Wakes,
    /// Who waits for which answer.
    asked: BTreeMap<AttemptId, Way>,
    /// Who pauses since this question got no answer.
    unanswered: BTreeMap<Way, AttemptId>,
    /// Digests of the packs of each stream that became final last: a device whose answer was lost
    /// sends them again.
    recent: BTreeMap<StreamId, VecDeque<[u8; 32]>>,
    /// How payloads of streams are sealed, as far as known. What is not known is asked before
    /// anything is sealed: a payload that was to be secret must not reach a peer as it is.
    sealings: BTreeMap<StreamId, Option<StreamKey>>,
    account: Account,
    /// Records handed out and not known to be durable, with what each sets free.
    unsynced: VecDeque<Unsynced>,
    next_persist: u64,
    next_attempt: u64,
    durable: PersistId,
    /// Bytes of all readings not final.
    bytes: usize,
    stopping: bool,
    held: BTreeMap<StreamId, Refusal>,
    /// Publishes of QoS 2 that are here and of which the store of sessions may not know.
    marks: Marks,
    counters: status::Counters,
}

/// A stream and one of its lanes.
type Way = (StreamId, Lane);
type Wakes = BTreeSet<(TimeMs, StreamId)>;

/// What is known of the gateway's account.
#[derive(Debug, Default)]
struct Account {
    /// Height and next nonce; unknown at first, and after the ledger refused a nonce or expiry.
    known: Option<(u64, u64)>,
    under_way: Option<AttemptId>,
    not_before_ms: TimeMs,
    failures: u32,
}

/// A record on its way to disk.
#[derive(Debug)]
struct Unsynced {
    id: PersistId,
    sets_free: SetsFree,
}

/// What a record sets free once it is durable.
#[derive(Debug)]
enum SetsFree {
    /// The acknowledgement of a publish, and one reading of each of these streams.
    Readings(PublishId, Vec<StreamId>),
    /// A stream that waits for it.
    Stream(StreamId),
    /// So many readings of a stream whose numbers moved.
    Moved(StreamId, usize),
    /// Nothing: nobody waits for it.
    Nothing,
}

impl Machine {
    /// A machine with the queue that an earlier run left: the records in the order in which they
    /// were written, none for a new gateway. Things are given afterwards by [`Input::Thing`].
    ///
    /// # Errors
    /// [`LimitError`] if a limit makes no sense.
    pub fn recover(
        config: Config,
        records: impl IntoIterator<Item = Record>,
    ) -> Result<Self, LimitError> {
        config.limits.check()?;
        let mut machine = Self {
            config,
            directory: Directory::default(),
            is_listed: false,
            height: 0,
            streams: BTreeMap::new(),
            backfill: BTreeMap::new(),
            wakes: BTreeSet::new(),
            backfill_wakes: BTreeSet::new(),
            asked: BTreeMap::new(),
            unanswered: BTreeMap::new(),
            recent: BTreeMap::new(),
            sealings: BTreeMap::new(),
            account: Account::default(),
            unsynced: VecDeque::new(),
            next_persist: 1,
            next_attempt: 1,
            durable: PersistId(0),
            bytes: 0,
            stopping: false,
            held: BTreeMap::new(),
            marks: Marks::default(),
            counters: status::Counters::default(),
        };
        for record in records {
            machine.replay(record);
        }
        let streams: Vec<_> = machine.streams.keys().copied().collect();
        for stream in streams {
            machine.schedule((stream, Lane::Live), 0);
        }
        Ok(machine)
    }

    /// Takes one input and returns what must be done about it, in order.
    #[must_use]
    pub fn handle(&mut self, now: TimeMs, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        if let Some(attempt) = input.answer_of_peer() {
            self.on_reached(now, attempt);
        }
        match input {
            Input::Publish { id, mark: Some(mark), .. } if self.marks.is_late(&mark) => {
                let rejection = Rejection::Unavailable { reason: "its client has come back" };
                out.push(Output::Refuse { publish: id, rejection });
            }
            Input::Publish { id, mark: Some(mark), .. } if self.marks.has(&mark) => {
                self.on_known(id, mark, &mut out);
            }
            Input::Publish { id, received_ms, topic, payload, only_signed, mark } => {
                let publish = (topic.as_str(), payload.as_slice());
                let admitted = self.admit(received_ms, publish, only_signed, &mut out);
                self.on_publish(now, (id, mark), admitted, &mut out);
            }
            Input::Passed { session, number } => self.on_passed(session, number, &mut out),
            Input::Persisted { through } => self.on_persisted(now, through, &mut out),
            Input::Thing(thing) => self.on_thing(now, thing, &mut out),
            Input::Things(things) => self.on_things(now, things, &mut out),
            Input::Gone(thing) => self.directory.remove(&thing),
            Input::Account { attempt, height, next_nonce } => {
                self.on_account(now, attempt, height, next_nonce);
            }
            Input::Head { attempt, next_seq, sealing } => {
                self.on_head(now, attempt, next_seq, sealing, &mut out);
            }
            Input::Located { attempt, batch, next_seq } => {
                self.on_located(now, attempt, batch, next_seq, &mut out);
            }
            Input::Signed { attempt, transaction } => self.on_signed(now, attempt, transaction),
            Input::Outcome { attempt, outcome } => self.on_outcome(now, attempt, outcome, &mut out),
            Input::Failed { attempt } => self.on_failed(now, attempt),
            Input::Tick => {}
            Input::Stop => self.on_stop(now),
        }
        self.advance(now, &mut out);
        out
    }

    /// When [`Input::Tick`] is due, if nothing else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<TimeMs> {
        let wake = self.next_wake()?;
        // Streams wait for the account: it decides when.
        if self.account.known.is_some() { Some(wake) } else { self.account_wake(wake) }
    }

    /// The things it serves, ascending by id.
    pub fn things(&self) -> impl Iterator<Item = ThingSpec> + '_ {
        self.directory.specs()
    }

    /// Sessions with publishes of QoS 2 that are here and of which the store of sessions may not know.
    #[must_use]
    pub fn marked(&self) -> BTreeSet<u64> {
        self.marks.sessions().collect()
    }

    /// Forgets the marks that an earlier machine on the same queue did not have any more: the store of
    /// sessions knows those, and the disk does not know that yet.
    pub fn keep_marks_of(&mut self, earlier: &Self) {
        self.marks.keep(&earlier.marks);
    }

    /// Bytes of all readings that are not final, as the limit counts them.
    #[must_use]
    pub const fn bytes_queued(&self) -> usize {
        self.bytes
    }

    /// Whether no reading waits: all are final.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.unsynced.is_empty() && self.lanes().all(|(_, stream)| stream.len() == 0)
    }

    /// Whether all that wait are readings that the ledger refuses until people act.
    #[must_use]
    pub fn waits_for_people(&self) -> bool {
        let mut waits = |(id, stream): (&StreamId, &Stream)| {
            stream.len() == 0 || (self.held.contains_key(id) && stream.under_way.is_none())
        };
        self.unsynced.is_empty() && self.lanes().all(&mut waits)
    }

    /// Both lanes of every stream.
    fn lanes(&self) -> impl Iterator<Item = (&StreamId, &Stream)> {
        self.streams.iter().chain(&self.backfill)
    }

    fn lane(&mut self, (id, lane): Way) -> Option<&mut Stream> {
        match lane {
            Lane::Live => self.streams.get_mut(&id),
            Lane::Backfill => self.backfill.get_mut(&id),
        }
    }

    const fn wakes_of(&self, lane: Lane) -> &Wakes {
        match lane {
            Lane::Live => &self.wakes,
            Lane::Backfill => &self.backfill_wakes,
        }
    }

    fn persist(&mut self, record: Record, sets_free: SetsFree, out: &mut Vec<Output>) -> PersistId {
        let id = PersistId(self.next_persist);
        self.next_persist += 1;
        self.unsynced.push_back(Unsynced { id, sets_free });
        out.push(Output::Persist { id, record });
        id
    }
}
