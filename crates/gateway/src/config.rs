use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use althing_edge::LimitError;
use althing_types::EntityId;

/// What a gateway needs to run. No defaults: the caller has more context.
#[derive(Debug, Clone)]
pub struct Config {
    /// Who it is, how its devices speak, and how much it holds and batches.
    pub edge: althing_edge::Config,
    /// The owners whose things it serves; if there are none, it serves whatever it is told to.
    /// Anybody who may register a thing may bind any gateway to it.
    pub owners: Vec<EntityId>,
    /// Its MQTT listener.
    pub mqtt: MqttConfig,
    /// Its queue on disk.
    pub queue: QueueConfig,
    /// How long signer and peer may take to answer. A transaction that is not final by then is
    /// looked for later.
    pub answer_timeout: Duration,
    /// How long a shutdown waits for readings to become final. What is left stays queued.
    pub drain_timeout: Duration,
}

/// The queue on disk.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// Its directory, of this gateway alone; created if missing.
    pub directory: PathBuf,
    /// Length at which a new segment is begun, bytes. A segment is deleted when all in it is final.
    pub segment_bytes: u64,
    /// How long to wait before a disk that failed is tried again.
    pub retry: Duration,
}

/// The MQTT listener and its bounds.
#[derive(Debug, Clone)]
pub struct MqttConfig {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Most connections at a time; further ones are closed at once.
    pub connections_max: usize,
    /// How long a client may take to send its CONNECT.
    pub connect_timeout: Duration,
    /// How long a client may take to accept what is sent to it.
    pub write_timeout: Duration,
    /// Longest packet, bytes; a longer one is refused when its length is known, before anything is
    /// allocated for it.
    pub packet_bytes_max: u32,
    /// Most publishes of one client that are not acknowledged; reading from it pauses at as many.
    /// MQTT 5 clients are told (receive maximum).
    pub inflight_max: u16,
    /// Longest keep-alive, seconds. MQTT 5 clients that ask for more, or for none, are told this
    /// one. An MQTT 3.1.1 client may have none (0).
    pub keep_alive_s_max: u16,
    /// Most topic aliases of one client.
    pub topic_aliases_max: u16,
    /// Most subscriptions of one client.
    pub subscriptions_max: usize,
    /// Most messages waiting for one subscriber. A subscriber that is slower loses messages of
    /// QoS 0, and its connection when one of QoS 1 or 2 has no room.
    pub deliveries_max: usize,
    /// Most retained messages; when as many are held, others are delivered but not retained.
    pub retained_max: usize,
    /// Most bytes of retained messages.
    pub retained_bytes_max: usize,
    /// What an MQTT 3.1.1 client gets for a publish that is refused: it has no reason codes.
    pub refusal_v3: RefusalV3,
}

/// How a refusal is told to an MQTT 3.1.1 client, whose PUBACK cannot carry one (MQTT 3.1.1
/// §3.3.5.2 allows only these two). It is about publishes that can never be taken; one that can be
/// taken later, such as when the queue is full, always closes the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalV3 {
    /// Acknowledge, so that the device goes on, and write the reason to the log.
    AcknowledgeAndLog,
    /// Close the connection, so that the device notices, and write the reason to the log. A device
    /// that repeats what cannot be taken will never get past it.
    Close,
}

impl Config {
    /// Whether every limit is within sense, the machine's included.
    pub(crate) fn check(&self) -> Result<(), LimitError> {
        const COUNT_MAX: i128 = 1 << 20;
        self.edge.limits.check()?;
        let mqtt = &self.mqtt;
        let rows: [(&'static str, i128, i128, i128); 10] = [
            ("connections_max", mqtt.connections_max as i128, 1, COUNT_MAX),
            // A CONNECT with its answer fits 128 bytes; a remaining length is 28 bits.
            ("packet_bytes_max", mqtt.packet_bytes_max.into(), 128, 1 << 28),
            ("inflight_max", mqtt.inflight_max.into(), 1, u16::MAX.into()),
            ("keep_alive_s_max", mqtt.keep_alive_s_max.into(), 1, u16::MAX.into()),
            ("subscriptions_max", mqtt.subscriptions_max as i128, 0, COUNT_MAX),
            ("deliveries_max", mqtt.deliveries_max as i128, 1, COUNT_MAX),
            ("retained_max", mqtt.retained_max as i128, 0, COUNT_MAX),
            ("retained_bytes_max", mqtt.retained_bytes_max as i128, 0, i64::MAX.into()),
            ("segment_bytes", self.queue.segment_bytes.into(), 1, i64::MAX.into()),
            (
                "payload_bytes_max",
                self.edge.limits.payload_bytes_max as i128,
                1,
                mqtt.packet_bytes_max.into(),
            ),
        ];
        for (field, value, min, max) in rows {
            if !(min..=max).contains(&value) {
                return Err(LimitError { field, value, min, max });
            }
        }
        Ok(())
    }
}
