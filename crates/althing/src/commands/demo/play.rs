//! The demo from beginning to end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use althing_client::{
    Client,
    model::{Event, EventRecord, Reading, query},
};
use althing_proof::bundle::{Verified, verify};
use althing_types::StreamId;
use anyhow::Context as _;
use tokio::{
    sync::{
        mpsc::{UnboundedReceiver, unbounded_channel},
        watch,
    },
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, sleep_until, timeout},
};

use super::{
    DemoCommand,
    cast::{Places, plan},
    feed::Feed,
    narrator::Narrator,
    register, story,
    summary::{Latency, Memory, Summary, all_equal},
    tally::{Tally, milliseconds},
};
use crate::{
    cluster::{Cluster, prepare},
    commands::gateway::waiting,
    folder::Folder,
    output::Output,
    replay::{
        catalogue::Sensor,
        device::{Device, Published},
    },
    report::failed,
    session::Explain as _,
    shutdown::Shutdown,
};

/// How often the story goes on.
const STAND: Duration = Duration::from_secs(2);
/// How often something that is about to happen is looked for.
const POLL: Duration = Duration::from_millis(5);
/// How long the gateway may take to acknowledge what was published last.
const DEVICES_PATIENCE: Duration = Duration::from_secs(5);
/// How long the first reading, and its proof, may take before something must be wrong.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs the demo until it is asked to end.
pub(super) async fn play(
    command: &DemoCommand,
    sensors: &[Sensor],
    folder: &Folder,
    mut narrator: Narrator,
    output: Output,
) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen(false).context("cannot listen for signals")?;
    let mut demo = Demo::begin(command, sensors, folder)?;
    narrator.say(&story::opening(&demo, command.speed));
    let result = demo.act(&mut narrator, &mut shutdown).await;
    narrator.say("\nending: the gateway hands in what it has, then the peers stop");
    let summary = match &result {
        Ok(Some(first)) => demo.sum_up(first).await.map(Some),
        Ok(None) => Ok(None),
        Err(_) => Ok(None),
    };
    let stopped = demo.cluster.stop().await;
    result?;
    let summary = summary?;
    stopped?;
    let Some(summary) = summary else {
        return Err(failed("ended before the first reading was final", "let it run longer"));
    };
    output.show(&summary, || story::closing(&summary, folder))?;
    summary.judge()
}

/// A running demo.
pub(super) struct Demo<'a> {
    /// The sensors that are replayed.
    pub(super) sensors: &'a [Sensor],
    /// Where its files are.
    pub(super) folder: &'a Folder,
    /// Where everybody listens.
    pub(super) places: Places,
    /// The processes.
    pub(super) cluster: Cluster,
    /// The streams of the sensors.
    pub(super) streams: Vec<StreamId>,
    tally: Tally,
    published: UnboundedReceiver<Published>,
    devices: JoinSet<anyhow::Result<()>>,
    /// Readings that the gateway has acknowledged.
    acknowledged: Arc<AtomicU64>,
    /// Tells the devices to stop.
    stop: watch::Sender<bool>,
    deadline: Option<Instant>,
}

/// The first reading that became final.
#[derive(Debug)]
pub(super) struct First {
    /// Position of its sensor.
    pub(super) sensor: usize,
    /// The reading, as a peer serves it.
    pub(super) reading: Reading,
    /// From the start of the program.
    pub(super) after: Duration,
    /// From the sensor's publish.
    pub(super) latency: Duration,
    /// Its proof.
    pub(super) proof: Vec<u8>,
    /// What the proof shows, if it holds.
    pub(super) verified: Option<Verified>,
}

/// A batch that became final before anything is known of its readings.
struct Arrival {
    record: EventRecord,
    stream: StreamId,
    first_seq: u64,
    latency: Duration,
    after: Duration,
}

impl<'a> Demo<'a> {
    /// Starts everybody at once. They find each other, and try again until they do.
    fn begin(
        command: &DemoCommand,
        sensors: &'a [Sensor],
        folder: &'a Folder,
    ) -> anyhow::Result<Self> {
        let (places, ports) = Places::find(command)?;
        let plan = plan(command.peers);
        let config = places.gateway_config(&plan.organisations);
        let (founded, layout) = prepare(&plan, folder.path(), &places.peers, &config)?;
        ports.release();
        let mut cluster = Cluster::start(founded, layout, places.peers.clone())?;
        cluster.start_gateway()?;
        let streams = register::streams(&cluster, sensors);
        let (sender, published) = unbounded_channel();
        let mut devices = JoinSet::new();
        let acknowledged = Arc::default();
        let stop = watch::Sender::new(false);
        for (index, sensor) in sensors.iter().enumerate() {
            let device = Device {
                sensor: index,
                recording: sensor.clone(),
                gateway: places.mqtt,
                pause: command.pause(),
                published: sender.clone(),
                acknowledged: Arc::clone(&acknowledged),
                stop: stop.subscribe(),
            };
            devices.spawn(device.run());
        }
        let tally = Tally::new(streams.iter().copied());
        let deadline = command.duration.map(|duration| crate::started() + duration);
        Ok(Self {
            sensors,
            folder,
            places,
            cluster,
            streams,
            tally,
            published,
            devices,
            acknowledged,
            stop,
            deadline,
        })
    }

    /// Everything between beginning and end; nothing if it was ended before the first reading.
    async fn act(
        &mut self,
        narrator: &mut Narrator,
        shutdown: &mut Shutdown,
    ) -> anyhow::Result<Option<First>> {
        let deadline = self.deadline;
        let begun = tokio::select! {
            begun = self.until_first_reading(narrator) => begun?,
            _ = shutdown.requested() => return Ok(None),
            () = until(deadline) => return Ok(None),
        };
        let (first, mut feed) = begun;
        narrator.say(&story::first(&first, self));
        narrator.say(&story::next_steps(&first, self));
        tokio::select! {
            gone_on = self.go_on(&first, &mut feed, narrator) => gone_on?,
            _ = shutdown.requested() => {}
            () = until(deadline) => {}
        }
        Ok(Some(first))
    }

    async fn until_first_reading(
        &mut self,
        narrator: &mut Narrator,
    ) -> anyhow::Result<(First, Feed)> {
        self.cluster.answering(0).await?;
        narrator.at("the first peer answers; the others connect to it");
        // Before anything is registered, so that no reading is missed.
        let mut feed = Feed::open(self.cluster.clients().to_vec()).await.explain()?;
        let registering = register::submit(register::registrations(&self.cluster, self.sensors));
        let (mut registering, mut registered) = (Box::pin(registering), false);
        let mut late = Box::pin(sleep(PATIENCE));
        let mut first = None;
        while first.is_none() || !registered {
            tokio::select! {
                result = &mut registering, if !registered => {
                    result?;
                    registered = true;
                    narrator.at(&story::registered(self.sensors.len()));
                }
                record = feed.next() => {
                    let arrival = self.arrival(record, narrator.elapsed());
                    first = first.or(arrival);
                }
                () = &mut late => return Err(self.late()),
            }
        }
        let first = first.context("no first reading")?;
        Ok((self.describe(first).await?, feed))
    }

    fn late(&self) -> anyhow::Error {
        failed(
            format!("no reading became final within {PATIENCE:?}"),
            format!("read the logs in {}", self.folder.path().display()),
        )
    }

    fn arrival(&mut self, record: EventRecord, after: Duration) -> Option<Arrival> {
        let (stream, first_seq, latency) = self.count(&record)?;
        Some(Arrival { record, stream, first_seq, latency, after })
    }

    /// Counts a batch that became final; gives its stream, its first number and how long it took.
    fn count(&mut self, record: &EventRecord) -> Option<(StreamId, u64, Duration)> {
        let now = Instant::now();
        while let Ok(published) = self.published.try_recv() {
            self.tally.published(published);
        }
        match &record.event {
            Event::BatchAccepted { stream, first_seq, count, .. } => {
                let latency = self.tally.finalized(stream, *count, now)?;
                Some((stream.0, *first_seq, latency))
            }
            _ => None,
        }
    }

    /// The reading itself, and its proof: saved, read again and checked as anybody would.
    async fn describe(&self, arrival: Arrival) -> anyhow::Result<First> {
        let Arrival { record, stream, first_seq, latency, after } = arrival;
        let client = self.cluster.client(0);
        client.read_from(record.height);
        let sensor = self.streams.iter().position(|own| *own == stream);
        let sensor = sensor.context("a reading of a stream that nobody registered")?;
        let reading = reading(client, &stream, first_seq).await?;
        let path = self.folder.path().join(story::PROOF);
        std::fs::write(&path, prove(client, &stream, first_seq).await?)
            .context("cannot save the proof")?;
        let proof = std::fs::read(&path).context("cannot read the proof again")?;
        let verified = verify(&proof, &self.cluster.founded.genesis).ok();
        Ok(First { sensor, reading, after, latency, proof, verified })
    }

    /// Counts and tells, without end.
    async fn go_on(
        &mut self,
        first: &First,
        feed: &mut Feed,
        narrator: &mut Narrator,
    ) -> anyhow::Result<()> {
        let mut stand = interval(STAND);
        stand.set_missed_tick_behavior(MissedTickBehavior::Delay);
        stand.tick().await;
        let mut ended = Vec::new();
        let mut height = first.reading.height;
        for turn in 0_usize.. {
            loop {
                tokio::select! {
                    record = feed.next() => {
                        height = record.height;
                        self.count(&record);
                    }
                    _ = stand.tick() => break,
                }
            }
            self.notice_ends(&mut ended, narrator);
            let latest = self.latest(turn % self.sensors.len()).await;
            narrator.stand(&story::stand(height, &self.tally, latest.as_deref()));
        }
        Ok(())
    }

    /// Says which processes and sensors have ended since; the others go on.
    fn notice_ends(&mut self, ended: &mut Vec<String>, narrator: &mut Narrator) {
        for name in self.cluster.ended() {
            if !ended.contains(&name) {
                narrator.say(&story::ended(&name, self));
                ended.push(name);
            }
        }
        while let Some(device) = self.devices.try_join_next() {
            if let Ok(Err(error)) = device {
                narrator.say(&format!("a sensor gave up: {error:#}"));
            }
        }
    }

    /// The latest reading of a sensor in words.
    async fn latest(&self, sensor: usize) -> Option<String> {
        let client = self.cluster.answering_client().await?;
        let latest = client.latest(&self.streams[sensor], 1).await.ok()?;
        let reading = latest.items.first()?;
        let sensor = &self.sensors[sensor];
        Some(format!("{} {} {}", sensor.thing, reading.value, sensor.unit_text()))
    }

    /// What came of it, once all that was published is final.
    async fn sum_up(&mut self, first: &First) -> anyhow::Result<Summary> {
        let rss_mb = Memory::measure(&self.cluster);
        self.stop_devices().await;
        self.cluster.stop_gateway().await?;
        let (height, state_root) = self.cluster.settled().await?;
        let (peers_failed, peers_ended): (Vec<_>, Vec<_>) =
            self.cluster.ended_peers().into_iter().partition(|(_, failed)| *failed);
        let names = |peers: Vec<(String, bool)>| peers.into_iter().map(|(name, _)| name).collect();
        let client = self.cluster.answering_client().await;
        let client = client.context("no peer answers any more")?;
        let (mut readings, mut streams_hidden) = (0, 0);
        for stream in &self.streams {
            match client.stream(stream).await.explain()?.total {
                Some(total) => readings += total.count,
                None => streams_hidden += 1,
            }
        }
        let gateway = &self.cluster.founded.gateway.inception.name;
        let waiting = waiting(&self.cluster.layout.config(gateway))?;
        let latency = self.tally.latency_ms();
        Ok(Summary {
            first_reading_ms: milliseconds(first.after),
            height,
            readings,
            acknowledged: self.acknowledged.load(Ordering::Relaxed),
            waiting,
            streams_hidden,
            peers: state_root.len(),
            peers_ended: names(peers_ended),
            peers_failed: names(peers_failed),
            state_roots_equal: all_equal(&state_root),
            state_root,
            proof_verified: first.verified.is_some(),
            proof_bytes: first.proof.len(),
            latency_ms: Latency {
                p50: latency.map(|(p50, _)| p50),
                p99: latency.map(|(_, p99)| p99),
            },
            rss_mb,
        })
    }

    /// Ends the sensors once all they published is acknowledged, or the gateway answers no more.
    async fn stop_devices(&mut self) {
        self.stop.send_replace(true);
        let all = async { while self.devices.join_next().await.is_some() {} };
        let _ = timeout(DEVICES_PATIENCE, all).await;
        self.devices.shutdown().await;
    }
}

/// Waits for the moment, or for ever if there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

/// A reading that is final, as soon as the peer holds its payload.
async fn reading(client: &Client, stream: &StreamId, seq: u64) -> anyhow::Result<Reading> {
    let query = query::Readings { first_seq: Some(seq), limit: Some(1), ..<_>::default() };
    let started = Instant::now();
    loop {
        let page = client.readings(stream, &query).await.explain()?;
        match page.items.into_iter().next() {
            Some(reading) => return Ok(reading),
            None if started.elapsed() < PATIENCE => sleep(POLL).await,
            None => return Err(failed("the peer does not hold the first reading", "try again")),
        }
    }
}

/// The proof of a reading, as soon as a later block commits to it.
async fn prove(client: &Client, stream: &StreamId, seq: u64) -> anyhow::Result<Vec<u8>> {
    let started = Instant::now();
    loop {
        match client.prove_reading(stream, seq).await {
            Ok(proof) => return Ok(proof.to_vec()),
            Err(error)
                if started.elapsed() < PATIENCE
                    && (error.is_temporary() || error.code() == Some("proof_not_ready")) =>
            {
                sleep(POLL).await;
            }
            Err(error) => return Err(error).explain(),
        }
    }
}
