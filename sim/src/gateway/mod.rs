//! A gateway: the product's machine and queue, with a driver of the same shape as the product's
//! around them, in simulated time, on a simulated disk, with peers at hand instead of HTTP.

mod disk;
pub(crate) use disk::Disk;

mod sensor;
pub(crate) use sensor::Sensors;

mod uplink;
pub(crate) use uplink::{gather, readings};

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use althing_edge::{
    DiskKey, Input, Limits, Machine, Output, PersistId, Profile, PublishId, ThingSpec,
    journal::{Backlog, Done, Identity, Queue},
};
use althing_types::{Refusal, StreamId};
use commonware_runtime::{Clock as _, Spawner as _, Supervisor as _, deterministic::Context};
use commonware_utils::channel::mpsc;
use futures::future::{Either, select};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

use crate::{
    Book, Bug, Founding, Tempo,
    gateway::{sensor::Publish, uplink::Uplink},
    peers::{Peers, within},
    plan::Keeping,
};

/// Short, so that many are begun and deleted.
const SEGMENT_BYTES: u64 = 600;
/// How long signer and peer may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How often peers are asked for a thing that is not bound yet.
const DISCOVERY_PAUSE: Duration = Duration::from_millis(100);
/// How long the driver sleeps with nothing to do.
const IDLE: Duration = Duration::from_secs(10);

const LIMITS: Limits = Limits {
    payload_bytes_max: 1024,
    claimed_ahead_ms_max: 60_000,
    batch_readings_max: 8,
    backfill_readings_max: 16,
    batch_age_ms_max: 100,
    stream_readings_max: 48,
    queue_bytes_max: 2560,
    under_way_max: 4,
    expiry_blocks: 40,
    retry_first_ms: 50,
    retry_max_ms: 1000,
};

/// At the tempo of days.
const LIMITS_OF_DAYS: Limits = Limits {
    batch_age_ms_max: 60_000,
    stream_readings_max: 128,
    queue_bytes_max: 6 * 1024,
    retry_first_ms: 1000,
    retry_max_ms: 300_000,
    ..LIMITS
};

/// Of a gateway with room for three days.
const ROOMY: Limits =
    Limits { stream_readings_max: 4096, queue_bytes_max: 1024 * 1024, ..LIMITS_OF_DAYS };

const fn limits(tempo: Tempo, keeping: Keeping) -> Limits {
    match (tempo, keeping) {
        (Tempo::Seconds, _) => LIMITS,
        (Tempo::Days, Keeping::Keeps) => ROOMY,
        (Tempo::Days, Keeping::Refuses | Keeping::Loses) => LIMITS_OF_DAYS,
    }
}

/// What a gateway finds where it runs.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) founding: Arc<Founding>,
    pub(crate) book: Arc<Book>,
    pub(crate) peers: Arc<Peers>,
    pub(crate) index: usize,
    pub(crate) seed: u64,
    pub(crate) bug: Option<Bug>,
    pub(crate) disk: Disk,
    pub(crate) sensors: Sensors,
    /// Whether all that its gateway took is final.
    pub(crate) drained: AtomicBool,
    pub(crate) tempo: Tempo,
    /// Whether no peer can be reached.
    pub(crate) is_cut_off: AtomicBool,
    /// What the gateway wrote down of its thing, for when it starts and reaches nobody.
    pub(crate) known: Mutex<Option<ThingSpec>>,
}

impl Site {
    fn is_cut_off(&self) -> bool {
        self.is_cut_off.load(Ordering::Relaxed)
    }

    fn known(&self) -> MutexGuard<'_, Option<ThingSpec>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Event {
    Publish(Publish),
    Input(Input),
}

struct Driver {
    context: Context,
    site: Arc<Site>,
    uplink: Arc<Uplink>,
    machine: Machine,
    queue: Queue<Disk>,
    backlog: Backlog,
    /// Bytes on disk.
    bytes: u64,
    /// The newest record handed out.
    newest: PersistId,
    /// When the job under way is durable, and what is done then.
    writing: Option<(SystemTime, Done)>,
    waiting: BTreeMap<PublishId, Vec<(StreamId, i64)>>,
    next_publish: u64,
    events: mpsc::UnboundedSender<Event>,
    dice: ChaCha20Rng,
    started: SystemTime,
}

/// Runs a gateway and the sensors that publish to it, until it is aborted.
pub(crate) async fn run(context: Context, site: Arc<Site>) {
    let (events, mut incoming) = mpsc::unbounded_channel();
    let Some(mut driver) = Driver::open(context, Arc::clone(&site), events.clone()) else { return };
    driver.discover();
    let sensors = driver.context.child("sensors");
    let dice = driver.dice.clone();
    sensors.spawn(move |context| async move {
        let publish = |publish| _ = events.send(Event::Publish(publish));
        let own = site.sensors.clone();
        own.run(context, site, dice, publish).await;
    });
    driver.run(&mut incoming).await;
}

impl Driver {
    /// Opens the queue and takes up what an earlier run left.
    fn open(
        context: Context,
        site: Arc<Site>,
        events: mpsc::UnboundedSender<Event>,
    ) -> Option<Self> {
        let account = site.founding.gateway(site.index);
        let ledger = site.founding.genesis.ledger();
        let identity = Identity { ledger, gateway: account.entity };
        let opened = Queue::open(site.disk.clone(), SEGMENT_BYTES, identity, 0, DiskKey::default());
        let (queue, recovered) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                site.book.complain(format!("gateway {} cannot open: {error:?}", site.index));
                return None;
            }
        };
        if !recovered.damage.is_empty() {
            let damage = recovered.damage;
            site.book.complain(format!("gateway {} finds damage: {damage:?}", site.index));
        }
        site.disk.flush();
        let config = althing_edge::Config {
            ledger,
            gateway: account.entity,
            profiles: vec![Profile::standard(), Profile::standard_pack()],
            limits: limits(site.tempo, account.keeping),
        };
        let machine = Machine::recover(config, recovered.records).ok()?;
        let seed = site.seed.wrapping_mul(31).wrapping_add(site.index as u64);
        let peers = Arc::clone(&site.peers);
        Some(Self {
            uplink: Arc::new(Uplink::new(peers, account)),
            machine,
            bytes: queue.bytes(),
            queue,
            backlog: Backlog::new(SEGMENT_BYTES),
            newest: PersistId(0),
            writing: None,
            waiting: BTreeMap::new(),
            next_publish: 1,
            events,
            dice: ChaCha20Rng::seed_from_u64(seed),
            started: context.current(),
            site,
            context,
        })
    }

    async fn run(&mut self, incoming: &mut mpsc::UnboundedReceiver<Event>) {
        loop {
            self.write();
            // The record that readings are final may wait for company; nobody waits for it.
            self.site.drained.store(self.machine.bytes_queued() == 0, Ordering::Relaxed);
            let event = {
                let next = std::pin::pin!(incoming.recv());
                let sleep = std::pin::pin!(self.context.sleep_until(self.wake()));
                match select(next, sleep).await {
                    Either::Left((Some(event), _)) => Some(event),
                    Either::Left((None, _)) => return,
                    Either::Right(_) => None,
                }
            };
            match event {
                Some(Event::Publish(publish)) => self.on_publish(publish),
                Some(Event::Input(input)) => self.input(input),
                None => self.on_wake(),
            }
        }
    }

    fn on_publish(&mut self, publish: Publish) {
        let id = PublishId(self.next_publish);
        self.next_publish += 1;
        self.waiting.insert(id, publish.readings);
        let received_ms = ms_between(UNIX_EPOCH, self.context.current());
        let (topic, payload) = (publish.topic, publish.payload.into_bytes());
        self.input(Input::Publish {
            id,
            received_ms,
            topic,
            payload,
            only_signed: false,
            mark: None,
        });
    }

    fn on_wake(&mut self) {
        match self.writing.take_if(|(due, _)| *due <= self.context.current()) {
            Some((_, done)) => {
                self.site.disk.flush();
                self.bytes = done.bytes;
                let ahead = self.has(Bug::AcknowledgeAhead);
                let through = if ahead { self.newest } else { done.through };
                self.input(Input::Persisted { through });
            }
            None => self.input(Input::Tick),
        }
    }

    /// Gives the disk something to do, if it has nothing: one flush for all that waits.
    fn write(&mut self) {
        if self.writing.is_some() {
            return;
        }
        let Some(job) = self.backlog.take(&self.machine, self.bytes, false) else { return };
        let Ok(done) = self.queue.work(job);
        let takes = Duration::from_millis(1 + self.dice.next_u64() % 12);
        // A slow disk, so that power is lost while it writes.
        let takes = self.site.tempo.stretch(takes, 20_000);
        self.writing = Some((self.context.current() + takes, done));
    }

    fn input(&mut self, input: Input) {
        for output in self.machine.handle(self.now_ms(), input) {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        let book = &self.site.book;
        match output {
            Output::Persist { id, record } => {
                self.newest = id;
                self.backlog.push(id, record);
                if self.has(Bug::AcknowledgeEarly) {
                    self.input(Input::Persisted { through: id });
                }
            }
            Output::Acknowledge(publish) => {
                for (stream, value) in self.waiting.remove(&publish).unwrap_or_default() {
                    book.acknowledged(stream, value);
                }
            }
            Output::Refuse { publish, rejection } => {
                if !rejection.is_temporary() {
                    book.complain(format!("a good publish was refused: {rejection}"));
                }
                for (stream, value) in self.waiting.remove(&publish).unwrap_or_default() {
                    book.refused(stream, value);
                }
            }
            Output::Lost { stream, first_seq, count } => {
                book.given_up(stream, first_seq, count);
                let keeping = self.site.founding.gateway(self.site.index).keeping;
                if keeping != Keeping::Loses {
                    book.complain(format!("{count} readings of {stream} were given up"));
                }
            }
            Output::Finalized { stream, first_seq, count } => {
                book.finalized(stream, first_seq, count);
            }
            Output::Unserved { name, reason, .. } => {
                book.complain(format!("{name} is not served: {reason}"));
            }
            Output::Held { stream, refusal } => {
                if !passes(refusal) {
                    book.complain(format!("readings of {stream} are held: {refusal}"));
                }
            }
            question => self.ask(question),
        }
    }

    /// Asks a peer, over a network that takes its time and now and then loses a question or the
    /// answer to it.
    fn ask(&mut self, question: Output) {
        let Some(attempt) = question.attempt() else { return };
        let (delay, luck) = (1 + self.dice.next_u64() % 15, self.dice.next_u64() % 64);
        let (uplink, events) = (Arc::clone(&self.uplink), self.events.clone());
        let site = Arc::clone(&self.site);
        self.context.child("question").spawn(move |context| async move {
            context.sleep(Duration::from_millis(delay)).await;
            let failed = Input::Failed { attempt };
            let answer = match luck {
                _ if site.is_cut_off() => None,
                0 => None,
                _ => within(&context, ANSWER_TIMEOUT, uplink.answer(&context, question)).await,
            };
            let answer = answer.flatten().filter(|_| luck > 2 && !site.is_cut_off());
            let answer = answer.unwrap_or(failed);
            let _ = events.send(Event::Input(answer));
        });
    }

    /// Serves the thing as soon as a peer knows that it is bound to this gateway.
    fn discover(&self) {
        let thing = self.site.founding.gateway(self.site.index).thing;
        let (uplink, events) = (Arc::clone(&self.uplink), self.events.clone());
        let site = Arc::clone(&self.site);
        let serve = move |spec| _ = events.send(Event::Input(Input::Things(vec![spec])));
        if let Some(spec) = site.known().clone() {
            serve(spec);
        }
        self.context.child("discover").spawn(move |context| async move {
            loop {
                let may_ask = !site.is_cut_off();
                if may_ask && let Some(spec) = uplink.thing(&context, &thing).await {
                    *site.known() = Some(spec.clone());
                    serve(spec);
                    return;
                }
                context.sleep(site.tempo.stretch(DISCOVERY_PAUSE, 600)).await;
            }
        });
    }

    fn wake(&self) -> SystemTime {
        let deadline = self.machine.deadline().and_then(|ms| u64::try_from(ms).ok());
        let deadline = deadline.map(|ms| self.started + Duration::from_millis(ms));
        let written = self.writing.map(|(due, _)| due);
        let wake = [deadline, written].into_iter().flatten().min();
        wake.unwrap_or_else(|| self.context.current() + IDLE)
    }

    fn now_ms(&self) -> i64 {
        ms_between(self.started, self.context.current())
    }

    fn has(&self, bug: Bug) -> bool {
        self.site.bug == Some(bug)
    }
}

fn ms_between(start: SystemTime, end: SystemTime) -> i64 {
    end.duration_since(start).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}

/// Whether a peer refuses so that has executed less than others, or whoever sees a reading that was
/// checked under the description before the present one.
const fn passes(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::UnknownEntity
            | Refusal::UnknownStream
            | Refusal::UnknownThing
            | Refusal::NotBound
            | Refusal::VersionConflict
    )
}
