use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use althing_edge::broker::{BrokerLimits, NEVER_S};
use althing_edge::{DiskKey, Grant, LimitError, Principal};
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
    /// How it serves direct requests, if it does.
    pub direct: Option<crate::DirectConfig>,
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
    /// What readings, messages that wait and uses that are not recorded yet are encrypted with there.
    pub key: DiskKey,
}

/// The MQTT listeners and their bounds.
#[derive(Debug, Clone)]
pub struct MqttConfig {
    /// Where to listen without encryption; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Where to listen for MQTT in WebSocket frames, without encryption.
    pub websocket_listen: Option<SocketAddr>,
    /// Where to listen with TLS, and what to show there.
    pub tls: Option<TlsConfig>,
    /// Who may come, and what they may do.
    pub access: MqttAccess,
    /// Filters of topics whose messages go from client to client and are no readings.
    pub relay: Vec<String>,
    /// Most connections at a time, of all listeners; further ones are closed at once.
    pub connections_max: usize,
    /// Most connections at a time from one address, or one IPv6 /64.
    pub connections_per_address_max: usize,
    /// Most new connections in a second from one address, or one IPv6 /64.
    pub connects_per_address_s_max: usize,
    /// How long a client may take to send its CONNECT, handshakes of TLS and WebSocket not counted,
    /// which may take as long.
    pub connect_timeout: Duration,
    /// How long a client may take to accept what is sent to it.
    pub write_timeout: Duration,
    /// Longest CONNECT, bytes: all that a stranger can make the gateway hold.
    pub connect_bytes_max: u32,
    /// Longest packet, bytes; a longer one is refused when its length is known, before anything is
    /// allocated for it.
    pub packet_bytes_max: u32,
    /// Most publishes of one client that are not acknowledged; reading from it pauses at as many.
    /// MQTT 5 clients are told (receive maximum). As many go the other way.
    pub inflight_max: u16,
    /// Longest keep-alive, seconds. MQTT 5 clients that ask for more, or for none, are told this
    /// one. An MQTT 3.1.1 client may have none (0).
    pub keep_alive_s_max: u16,
    /// Most topic aliases of one client, each way.
    pub topic_aliases_max: u16,
    /// Most sessions, connected or not.
    pub sessions_max: usize,
    /// Longest life of a session without a connection, seconds.
    pub session_expiry_s_max: u32,
    /// How long a client may take to come back after a restart before its will is published, seconds.
    pub will_grace_s: u32,
    /// Most subscriptions of one client.
    pub subscriptions_max: usize,
    /// Most bytes waiting for one subscriber; beyond, its oldest messages are dropped.
    pub queue_bytes_max: usize,
    /// Most bytes waiting for all subscribers together.
    pub queues_bytes_max: usize,
    /// Most retained messages; when as many are held, others are delivered but not retained.
    pub retained_max: usize,
    /// Most bytes of retained messages.
    pub retained_bytes_max: usize,
    /// What an MQTT 3.1.1 client gets for a publish that is refused: it has no reason codes.
    pub refusal_v3: RefusalV3,
}

/// A listener with TLS.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// Where to listen for MQTT.
    pub listen: Option<SocketAddr>,
    /// Where to listen for MQTT in WebSocket frames.
    pub websocket_listen: Option<SocketAddr>,
    /// PEM file of the gateway's certificate, and those between it and the authority.
    pub certificate: PathBuf,
    /// PEM file of its private key.
    pub key: PathBuf,
    /// PEM file of the authority whose client certificates are accepted; if none, none is asked for.
    pub client_authority: Option<PathBuf>,
    /// Whether a client must show one.
    pub is_client_certificate_required: bool,
}

/// Who may come, and what they may do.
#[derive(Debug, Clone, Default)]
pub struct MqttAccess {
    /// Whether clients come in that show nothing.
    pub is_anonymous_allowed: bool,
    /// Those who show a password or a certificate.
    pub users: Vec<MqttUser>,
    /// What each may do. Entities of the ledger that own things have their topics besides.
    pub grants: Vec<(Principal, Grant)>,
}

/// Somebody who comes with a password or a certificate.
#[derive(Debug, Clone)]
pub struct MqttUser {
    /// Its name.
    pub name: String,
    /// Its password as an Argon2 hash in PHC form, never as it is.
    pub password_hash: Option<String>,
    /// SHA-256 of the certificate that it shows.
    pub certificate_sha256: Option<[u8; 32]>,
}

impl MqttConfig {
    pub(crate) const fn broker_limits(&self) -> BrokerLimits {
        BrokerLimits {
            sessions_max: self.sessions_max,
            session_expiry_s_max: self.session_expiry_s_max,
            will_grace_s: self.will_grace_s,
            subscriptions_max: self.subscriptions_max,
            queue_bytes_max: self.queue_bytes_max,
            queues_bytes_max: self.queues_bytes_max,
            inflight_max: self.inflight_max,
            retained_max: self.retained_max,
            retained_bytes_max: self.retained_bytes_max,
        }
    }
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
        let rows: [(&'static str, i128, i128, i128); 17] = [
            ("connections_max", mqtt.connections_max as i128, 1, COUNT_MAX),
            ("connections_per_address_max", mqtt.connections_per_address_max as i128, 1, COUNT_MAX),
            ("connects_per_address_s_max", mqtt.connects_per_address_s_max as i128, 1, COUNT_MAX),
            ("connect_bytes_max", mqtt.connect_bytes_max.into(), 128, mqtt.packet_bytes_max.into()),
            // A CONNECT with its answer fits 128 bytes; a remaining length is 28 bits.
            ("packet_bytes_max", mqtt.packet_bytes_max.into(), 128, 1 << 28),
            ("inflight_max", mqtt.inflight_max.into(), 1, u16::MAX.into()),
            ("keep_alive_s_max", mqtt.keep_alive_s_max.into(), 1, u16::MAX.into()),
            ("subscriptions_max", mqtt.subscriptions_max as i128, 0, COUNT_MAX),
            ("sessions_max", mqtt.sessions_max as i128, 1, COUNT_MAX),
            ("session_expiry_s_max", mqtt.session_expiry_s_max.into(), 0, NEVER_S.into()),
            // A day; longer waits are slips of the pen.
            ("will_grace_s", mqtt.will_grace_s.into(), 0, 86_400),
            ("queue_bytes_max", mqtt.queue_bytes_max as i128, 1024, i64::MAX.into()),
            ("queues_bytes_max", mqtt.queues_bytes_max as i128, 1024, i64::MAX.into()),
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
