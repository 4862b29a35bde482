//! A ledger in memory, a gateway around it, and the real MQTT clients of the Mosquitto project.

pub(crate) mod raw;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use althing_edge::{
    DeviceSpec, DiskKey, Grant, Limits, Located, Outcome, Principal, Profile, Sealing, StreamSpec,
    ThingSpec,
};
use althing_gateway::{
    AccountState, Config, Gateway, Handle, KeySigner, MqttAccess, MqttConfig, QueueConfig,
    QueueError, RefusalV3, StartError, Uplink, UplinkError,
};
use althing_types::{
    BatchHeader, EntityId, LedgerId, Payload, PublicKey, Refusal, SigningKey, StreamId,
    StreamSchema, Suite, ThingId, Transaction, Value, ValueKind,
};
use tokio::process::Command;

/// Longest wait for something that takes milliseconds, so that a fault fails rather than hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What of a ledger a gateway sees: streams without overlaps, nonces used once.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryLedger(Arc<Mutex<State>>);

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) batches: BTreeMap<StreamId, Vec<(BatchHeader, Payload)>>,
    nonces: BTreeSet<u64>,
    height: u64,
    pub(crate) is_offline: bool,
    /// Keys of entities.
    pub(crate) keys: BTreeMap<EntityId, PublicKey>,
    /// Streams that it refuses.
    pub(crate) unbound: BTreeSet<StreamId>,
}

impl State {
    fn next_seq(&self, stream: &StreamId) -> u64 {
        let batches = self.batches.get(stream).into_iter().flatten();
        batches.filter_map(|(header, _)| header.end_seq()).max().unwrap_or(0)
    }

    fn submit(&mut self, transaction: &Transaction, payload: &[u8]) -> Outcome {
        let header = transaction.batches().next().unwrap().clone();
        let schema = schema_of(&header.stream);
        let Ok(payload) = header.open(payload, &schema) else {
            return Outcome::Refused(Refusal::PayloadMismatch);
        };
        if self.unbound.contains(&header.stream) {
            return Outcome::Refused(Refusal::NotBound);
        }
        if self.nonces.contains(&transaction.body().nonce) {
            return Outcome::Refused(Refusal::NonceReused);
        }
        let (first, end) = (header.first_seq, header.end_seq().unwrap());
        let batches = self.batches.entry(header.stream).or_default();
        // Gaps may be filled, numbers are used once.
        if batches.iter().any(|(it, _)| it.first_seq < end && first < it.end_seq().unwrap()) {
            return Outcome::Refused(Refusal::SequenceOverlap);
        }
        self.height += 1;
        self.nonces.insert(transaction.body().nonce);
        batches.push((header, payload));
        batches.sort_by_key(|(header, _)| header.first_seq);
        Outcome::Finalized { height: self.height }
    }
}

impl MemoryLedger {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn reach(&self) -> Result<MutexGuard<'_, State>, UplinkError> {
        let state = self.lock();
        if state.is_offline { Err(UplinkError::because("offline")) } else { Ok(state) }
    }

    /// The values of a stream in order, numbers as mantissas.
    pub(crate) fn values(&self, stream: &StreamId) -> Vec<Value> {
        let state = self.lock();
        let batches = state.batches.get(stream).into_iter().flatten();
        batches.flat_map(|(_, payload)| &payload.readings).map(|r| r.value.clone()).collect()
    }

    pub(crate) fn numbers(&self, stream: &StreamId) -> Vec<i64> {
        let number = |value: Value| match value {
            Value::Number(mantissa) => mantissa,
            other => panic!("no number: {other:?}"),
        };
        self.values(stream).into_iter().map(number).collect()
    }

    /// Waits until a stream has so many readings.
    pub(crate) async fn wait_for(&self, stream: &StreamId, count: usize) {
        let reached = async {
            while self.values(stream).len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        assert!(reached.is_ok(), "{} of {count} readings", self.values(stream).len());
    }
}

impl Uplink for MemoryLedger {
    async fn account(&self) -> Result<AccountState, UplinkError> {
        let state = self.reach()?;
        let next_nonce = state.nonces.last().map_or(0, |nonce| nonce + 1);
        Ok(AccountState { height: state.height, next_nonce })
    }

    async fn head(&self, stream: StreamId) -> Result<(u64, Sealing), UplinkError> {
        Ok((self.reach()?.next_seq(&stream), Sealing::Open))
    }

    async fn locate(
        &self,
        stream: StreamId,
        seq: u64,
    ) -> Result<(Option<Located>, u64), UplinkError> {
        let state = self.reach()?;
        let mut batches = state.batches.get(&stream).into_iter().flatten();
        let holds = |h: &BatchHeader| (h.first_seq..h.end_seq().unwrap()).contains(&seq);
        let located = batches.find(|(header, _)| holds(header)).map(|(header, payload)| Located {
            first_seq: header.first_seq,
            readings: payload.readings.clone(),
        });
        Ok((located, state.next_seq(&stream)))
    }

    async fn submit(
        &self,
        transaction: Transaction,
        payload: Vec<u8>,
    ) -> Result<Outcome, UplinkError> {
        Ok(self.reach()?.submit(&transaction, &payload))
    }

    async fn key(&self, entity: EntityId) -> Result<Option<PublicKey>, UplinkError> {
        Ok(self.reach()?.keys.get(&entity).cloned())
    }
}

/// A thing whose device signs one number, at scale 8.
pub(crate) fn signing_fan(device: DeviceSpec) -> ThingSpec {
    let stream =
        StreamSpec { property: "temperature".into(), id: SIGNED, schema: schema_of(&TEMPERATURE) };
    ThingSpec {
        id: ThingId([6; 32]),
        name: "fan".into(),
        streams: vec![stream],
        device: Some(device),
        ..pump()
    }
}

/// The stream of [`signing_fan`].
pub(crate) const SIGNED: StreamId = StreamId([4; 32]);
pub(crate) const TEMPERATURE: StreamId = StreamId([1; 32]);
pub(crate) const RUNNING: StreamId = StreamId([2; 32]);
pub(crate) const STATE: StreamId = StreamId([3; 32]);

fn schema_of(stream: &StreamId) -> StreamSchema {
    let (kind, scale, unit) = match *stream {
        TEMPERATURE | SIGNED => (ValueKind::Number, 8, "Cel"),
        RUNNING => (ValueKind::Bool, 0, ""),
        _ => (ValueKind::Text, 0, ""),
    };
    StreamSchema { kind, scale, quantum: 1, unit: unit.into(), minimum: None, maximum: None }
}

/// A thing with a number, a boolean and a text.
pub(crate) fn pump() -> ThingSpec {
    let stream =
        |property: &str, id| StreamSpec { property: property.into(), id, schema: schema_of(&id) };
    ThingSpec {
        id: ThingId([4; 32]),
        name: "pump".into(),
        owner: EntityId([5; 32]),
        until_height: None,
        streams: vec![
            stream("temperature", TEMPERATURE),
            stream("running", RUNNING),
            stream("state", STATE),
        ],
        device: None,
        may_lose: false,
        is_shut_out: false,
    }
}

/// Every right there is.
pub(crate) fn everything() -> Grant {
    // No wildcard stands for a `$` at the front.
    let all = || vec!["#".to_owned(), "$own/#".to_owned()];
    Grant { things: Vec::new(), publish: all(), receive: all() }
}

pub(crate) fn config(directory: &Path) -> Config {
    Config {
        edge: althing_edge::Config {
            ledger: LedgerId([7; 32]),
            gateway: EntityId([8; 32]),
            profiles: vec![Profile::standard(), Profile::standard_pack()],
            limits: Limits {
                payload_bytes_max: 16 * 1024,
                claimed_ahead_ms_max: 60_000,
                batch_readings_max: 100,
                backfill_readings_max: 1000,
                batch_age_ms_max: 5,
                stream_readings_max: 100_000,
                queue_bytes_max: 64 * 1024 * 1024,
                under_way_max: 16,
                expiry_blocks: 1000,
                retry_first_ms: 10,
                retry_max_ms: 100,
            },
        },
        owners: vec![EntityId([5; 32])],
        mqtt: MqttConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            websocket_listen: None,
            tls: None,
            access: MqttAccess {
                is_anonymous_allowed: true,
                users: Vec::new(),
                grants: vec![(Principal::Anonymous, everything())],
            },
            relay: vec!["relay/#".into(), "things/#".into()],
            connections_max: 200,
            connections_per_address_max: 200,
            connects_per_address_s_max: 100_000,
            connect_timeout: Duration::from_millis(500),
            connect_bytes_max: 4096,
            write_timeout: Duration::from_secs(5),
            packet_bytes_max: 64 * 1024,
            inflight_max: 20,
            keep_alive_s_max: 60,
            topic_aliases_max: 10,
            subscriptions_max: 50,
            sessions_max: 300,
            session_expiry_s_max: 3600,
            will_grace_s: 0,
            queue_bytes_max: 256 * 1024,
            queues_bytes_max: 4 * 1024 * 1024,
            retained_max: 100,
            retained_bytes_max: 1024 * 1024,
            refusal_v3: RefusalV3::AcknowledgeAndLog,
        },
        queue: QueueConfig {
            directory: directory.join("queue"),
            segment_bytes: 64 * 1024,
            retry: Duration::from_millis(20),
            key: DiskKey::default(),
        },
        direct: None,
        answer_timeout: Duration::from_secs(5),
        drain_timeout: Duration::from_secs(5),
    }
}

/// A gateway that knows what it serves and where its streams stand, and takes readings.
pub(crate) async fn start(config: Config, ledger: &MemoryLedger) -> Handle {
    let handle = start_at_once(config, ledger).await;
    handle.serve_only(vec![pump()]).await.unwrap();
    let ready = async {
        // Streams are ready when their first question has been answered.
        while handle.status().await.unwrap().edge.under_way > 0 || !is_ready(&handle).await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.unwrap();
    handle
}

async fn is_ready(handle: &Handle) -> bool {
    handle.status().await.unwrap().edge.streams_ready == 3
}

/// As [`start`], with what it knows from its disk. The lock of a gateway that was dropped in this process, as if
/// it had crashed, is freed a moment later.
pub(crate) async fn start_at_once(config: Config, ledger: &MemoryLedger) -> Handle {
    let start = async {
        loop {
            match try_start(config.clone(), ledger).await {
                Err(StartError::Queue(QueueError::Locked { .. }) | StartError::Sessions(_)) => {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                started => return started.unwrap(),
            }
        }
    };
    tokio::time::timeout(PATIENCE, start).await.unwrap()
}

pub(crate) async fn try_start(config: Config, ledger: &MemoryLedger) -> Result<Handle, StartError> {
    let key = SigningKey::from_secret(Suite::Ed25519, [9; 32]).unwrap();
    let signer = KeySigner::new(config.edge.ledger, key);
    Gateway::start(config, ledger.clone(), signer).await
}

/// Runs a client of the Mosquitto project against the gateway, with more arguments.
pub(crate) async fn mosquitto(tool: &str, address: SocketAddr, args: &[&str]) -> Output {
    let run = mosquitto_command(tool, address, args).output();
    match tokio::time::timeout(PATIENCE, run).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => panic!("{}", missing(tool, &error)),
        Err(_) => panic!("{tool} {args:?} does not end"),
    }
}

/// As [`mosquitto`], without waiting for its end.
pub(crate) fn spawn_mosquitto(
    tool: &str,
    address: SocketAddr,
    args: &[&str],
) -> tokio::process::Child {
    match mosquitto_command(tool, address, args).spawn() {
        Ok(child) => child,
        Err(error) => panic!("{}", missing(tool, &error)),
    }
}

fn mosquitto_command(tool: &str, address: SocketAddr, args: &[&str]) -> Command {
    let mut command = Command::new(tool);
    command.args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()]);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

fn missing(tool: &str, error: &std::io::Error) -> String {
    format!("failed to run {tool}: {error}. Install it: apt-get install mosquitto-clients")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
