//! The loop around the machine: carries out what it decides, and tells it what came of it.

mod ask;
mod disk;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use althing_edge::{Input, Machine, Mark, Output, PublishId, Rejection, ThingSpec};
use althing_types::ThingId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::StartError;
use crate::config::Config;
use crate::uplink::{Signer, Uplink};
use disk::Disk;

/// A publish on its way to the machine.
#[derive(Debug)]
pub(crate) struct Publish {
    pub(crate) received_ms: i64,
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    /// Whether only a pack signed by the thing's device may be taken.
    pub(crate) only_signed: bool,
    /// Names it if it is of QoS 2 and its client may send it again after a crash.
    pub(crate) mark: Option<Mark>,
    pub(crate) reply: Reply,
}

/// Where the answer to a publish goes.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// Has room for the answers of all publishes that its owner may have under way.
    pub(crate) to: mpsc::Sender<Answer>,
    pub(crate) tag: u64,
}

/// Whether the readings of the publish with this tag are safe.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) tag: u64,
    pub(crate) result: Result<(), Rejection>,
}

impl Reply {
    pub(crate) fn send(self, result: Result<(), Rejection>) {
        // A client that has gone needs no answer; one that is there has room for it.
        let _ = self.to.try_send(Answer { tag: self.tag, result });
    }
}

/// What the handle asks of the driver.
#[derive(Debug)]
pub(crate) enum Control {
    Serve(ThingSpec),
    ServeOnly(Vec<ThingSpec>),
    ServeNoMore(ThingId),
    /// Sessions, and the last mark of each that is not needed any more.
    Passed(BTreeMap<u64, u64>),
    Status(oneshot::Sender<DriverStatus>),
    /// What was taken last under a topic, as SenML.
    Latest(String, oneshot::Sender<Option<String>>),
    Stop,
}

/// How the driver is doing.
#[derive(Debug)]
pub(crate) struct DriverStatus {
    pub(crate) edge: althing_edge::Status,
    pub(crate) disk_failure: Option<String>,
    pub(crate) disk_damage: usize,
}

/// Most publishes taken before what they bring about is carried out.
const PUBLISHES_AT_ONCE: usize = 256;
/// How often a refusal of one kind is logged.
const LOG_PAUSE: Duration = Duration::from_secs(10);
/// What a publish is told while the disk fails.
const DISK_FAILED: Rejection = Rejection::Unavailable { reason: "its disk takes no writes" };

pub(crate) struct Driver<U, S> {
    config: Config,
    uplink: Arc<U>,
    signer: Arc<S>,
    machine: Machine,
    /// Counts machines: one that was rebuilt must not hear answers to another's questions.
    generation: u64,
    disk: Disk,
    /// Whether the list of things on disk is not what is served.
    is_unsaved: bool,
    /// Whether it was said in this run which things there are.
    is_listed: bool,
    /// Places of the queue that were damaged when it was opened.
    damage: usize,
    waiting: HashMap<PublishId, Reply>,
    next_publish: u64,
    answers: (mpsc::Sender<Answered>, mpsc::Receiver<Answered>),
    started: Instant,
    stop_by: Option<Instant>,
    logged: HashMap<&'static str, Instant>,
    /// Told what is served, whenever that changes.
    on_things: OnThings,
}

/// Hears what is served.
pub(crate) type OnThings = Box<dyn Fn(Vec<ThingSpec>) + Send>;

/// The answer to a question of the machine of this generation.
type Answered = (u64, Input);

impl<U: Uplink, S: Signer> Driver<U, S> {
    /// The way to the ledger.
    pub(crate) fn uplink(&self) -> Arc<U> {
        self.uplink.clone()
    }

    /// Opens the queue and takes up what an earlier run left.
    pub(crate) fn open(config: Config, uplink: U, signer: S) -> Result<Self, StartError> {
        let (disk, found) = Disk::open(&config, 0)?;
        let machine = Machine::recover(config.edge.clone(), found.records)?;
        let mut driver = Self {
            // Every question under way has room for its answer, the account's too.
            answers: mpsc::channel(config.edge.limits.under_way_max + 1),
            config,
            uplink: Arc::new(uplink),
            signer: Arc::new(signer),
            machine,
            generation: 0,
            disk,
            is_unsaved: false,
            is_listed: false,
            damage: found.damage,
            waiting: HashMap::new(),
            next_publish: 1,
            started: Instant::now(),
            stop_by: None,
            logged: HashMap::new(),
            on_things: Box::new(|_| ()),
        };
        driver.serve(found.things);
        Ok(driver)
    }

    /// Forgets the marks that the sessions, as they were read from the disk, make needless.
    pub(crate) fn sort_out_marks(&mut self, passed_of: impl Fn(u64) -> u64) {
        for session in self.machine.marked() {
            self.input(Input::Passed { session, number: passed_of(session) });
        }
    }

    /// Tells somebody what is served, now and whenever that changes.
    pub(crate) fn tell_things(&mut self, on_things: OnThings) {
        on_things(self.machine.things().collect());
        self.on_things = on_things;
    }

    /// Runs until stopped and drained. Returns how things stood at the end.
    pub(crate) async fn run(
        mut self,
        mut publishes: mpsc::Receiver<Publish>,
        mut control: mpsc::Receiver<Control>,
    ) -> althing_edge::Status {
        let mut taken = Vec::with_capacity(PUBLISHES_AT_ONCE);
        let mut is_open = true;
        while !self.is_finished() {
            self.write();
            let wake = self.wake();
            tokio::select! {
                biased;
                written = self.disk.written() => self.on_written(written),
                Some((generation, input)) = self.answers.1.recv() => {
                    if generation == self.generation {
                        self.input(input);
                    }
                }
                Some(asked) = control.recv() => self.on_control(asked),
                count = publishes.recv_many(&mut taken, PUBLISHES_AT_ONCE), if is_open => {
                    is_open = count > 0;
                    taken.drain(..).for_each(|publish| self.on_publish(publish));
                }
                () = sleep_until(wake) => self.on_tick(),
            }
        }
        self.machine.status(wall_ms())
    }

    fn on_publish(&mut self, publish: Publish) {
        let Publish { received_ms, topic, payload, only_signed, mark, reply } = publish;
        if self.disk.is_down() {
            return reply.send(Err(DISK_FAILED));
        }
        let id = PublishId(self.next_publish);
        self.next_publish += 1;
        self.waiting.insert(id, reply);
        self.input(Input::Publish { id, received_ms, topic, payload, only_signed, mark });
    }

    fn on_control(&mut self, asked: Control) {
        match asked {
            Control::Serve(thing) => {
                self.is_unsaved = true;
                self.serve(vec![thing]);
                self.told_things();
            }
            Control::ServeOnly(mut things) => {
                things.retain(|thing| self.is_allowed(thing));
                (self.is_unsaved, self.is_listed) = (true, true);
                self.input(Input::Things(things));
                self.told_things();
            }
            Control::ServeNoMore(thing) => {
                self.is_unsaved = true;
                self.input(Input::Gone(thing));
                self.told_things();
            }
            Control::Passed(passed) => {
                for (session, number) in passed {
                    self.input(Input::Passed { session, number });
                }
            }
            Control::Status(reply) => {
                let status = DriverStatus {
                    edge: self.machine.status(wall_ms()),
                    disk_failure: self.disk.failure(),
                    disk_damage: self.damage,
                };
                // Whoever asked may have given up.
                let _ = reply.send(status);
            }
            Control::Latest(topic, reply) => {
                // Whoever asked may have gone.
                let _ = reply.send(self.machine.latest(&topic));
            }
            Control::Stop => {
                self.stop_by = Some(Instant::now() + self.config.drain_timeout);
                self.input(Input::Stop);
            }
        }
    }

    /// What is served has changed.
    fn told_things(&self) {
        (self.on_things)(self.machine.things().collect());
    }

    fn on_tick(&mut self) {
        if self.disk.is_due() {
            self.reopen();
        }
        self.input(Input::Tick);
    }

    fn serve(&mut self, things: Vec<ThingSpec>) {
        for thing in things {
            if self.is_allowed(&thing) {
                self.input(Input::Thing(thing));
            }
        }
    }

    /// Whether the thing is of an owner whose things the gateway serves.
    fn is_allowed(&self, thing: &ThingSpec) -> bool {
        let owners = &self.config.owners;
        let is_allowed = owners.is_empty() || owners.contains(&thing.owner);
        if !is_allowed {
            tracing::warn!(
                thing = %thing.id, name = thing.name, owner = %thing.owner,
                "a thing is bound to this gateway and not served: its owner is not among the                  `owners` of the gateway's configuration"
            );
        }
        is_allowed
    }

    fn input(&mut self, input: Input) {
        for output in self.machine.handle(self.now_ms(), input) {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Persist { id, record } => self.disk.push(id, record),
            Output::Acknowledge(publish) => self.reply(publish, Ok(())),
            Output::Refuse { publish, rejection } => {
                self.log_refusal(&rejection);
                self.reply(publish, Err(rejection));
            }
            Output::Finalized { stream, first_seq, count } => {
                tracing::debug!(%stream, first_seq, count, "readings are final");
            }
            Output::Lost { stream, first_seq, count } => {
                tracing::warn!(%stream, first_seq, count, "the oldest readings were given up for new ones");
            }
            Output::Unserved { thing, name, reason } => {
                tracing::error!(%thing, name, "a thing bound to this gateway is not served: {reason}");
            }
            Output::Held { stream, refusal } => {
                tracing::warn!(%stream, code = refusal.code(), "{refusal} The readings are kept.");
            }
            question => self.ask(question),
        }
    }

    fn reply(&mut self, publish: PublishId, result: Result<(), Rejection>) {
        if let Some(reply) = self.waiting.remove(&publish) {
            reply.send(result);
        }
    }

    /// Says what to do about a refusal, not more often than somebody can read it.
    fn log_refusal(&mut self, rejection: &Rejection) {
        if self.may_log(rejection.code()) {
            tracing::warn!(code = rejection.code(), "publish refused: {rejection}");
        } else {
            tracing::debug!(code = rejection.code(), "publish refused: {rejection}");
        }
    }

    /// Whether something of this kind was logged long enough ago.
    fn may_log(&mut self, kind: &'static str) -> bool {
        let now = Instant::now();
        let last = self.logged.get(kind);
        let may = last.is_none_or(|last| now.duration_since(*last) >= LOG_PAUSE);
        if may {
            self.logged.insert(kind, now);
        }
        may
    }

    fn wake(&self) -> Instant {
        let machine = self.machine.deadline().and_then(|deadline_ms| {
            let ms = u64::try_from(deadline_ms).ok()?;
            self.started.checked_add(Duration::from_millis(ms))
        });
        // Once the time to stop is over, only the disk is waited for.
        let stop_by = self.stop_by.filter(|by| *by > Instant::now());
        let wakes = [machine, self.disk.retry(), stop_by];
        wakes.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + LOG_PAUSE)
    }

    /// Stopped, and everything is final; or the time for that is up and everything is on disk.
    fn is_finished(&self) -> bool {
        let Some(stop_by) = self.stop_by else { return false };
        let is_over = Instant::now() >= stop_by;
        let is_saved = !self.is_unsaved || self.disk.is_down();
        // What only people can get to the ledger is not waited for: it stays queued.
        let is_done = self.machine.is_drained() || self.machine.waits_for_people();
        (is_done || is_over) && self.disk.is_idle() && is_saved
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

/// Time of day, milliseconds since 1970.
pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
