//! One client: from its first byte to the end of its connection.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use althing_edge::broker::filter::is_topic_name;
use althing_edge::broker::{ConnectionId, Dismissal, Hello, Message, Parting, Unwelcome, Will};
use althing_edge::{Principal, Rejection};
use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::admission::{Admission, Fingerprint};
use super::codec::{self, Connack, Connect, ConnectWill, FirstPacketError, Level, Wrong, reason};
use super::frame::{FrameError, next_packet};
use super::hub::{Bell, Hub, Ticket};
use super::incoming::Awaited;
use super::listener::raised;
use super::routes::Routes;
use crate::config::MqttConfig;
use crate::driver::{Answer, Publish};

/// Longest client id, bytes.
const CLIENT_ID_BYTES_MAX: usize = 256;
/// Bytes read at a time.
const READ_BYTES: usize = 4 * 1024;

/// A connection's bytes, whatever carries them.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// What a connection has around it.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) config: Arc<MqttConfig>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) publishes: mpsc::Sender<Publish>,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("the client disconnected")]
    Disconnected { with_will: bool, expiry_s: Option<u32> },
    #[error("the connection broke")]
    Broken(#[source] std::io::Error),
    #[error("the client closed the connection without saying so")]
    Closed,
    #[error("no CONNECT within the time for it")]
    ConnectTimeout,
    #[error("nothing was heard for longer than the keep-alive")]
    KeepAlive,
    #[error(transparent)]
    FirstPacket(#[from] FirstPacketError),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Wrong(#[from] Wrong),
    #[error("the client is not let in: reason {0:#04x}")]
    Unwelcome(u8),
    #[error("the client sent more than it may without acknowledgement")]
    ReceiveMaximum,
    #[error("the client did not take what was sent to it in time")]
    Slow,
    #[error("another connection came with the same client id")]
    TakenOver,
    #[error("the key that the client showed counts no more")]
    Revoked,
    #[error("the ledger shuts out what the client speaks for")]
    ShutOut,
    #[error("a publish was refused, and there is no other way to say so: {0}")]
    Refused(Rejection),
    #[error("the gateway stops")]
    Stopping,
}

impl End {
    /// What an MQTT 5 client is told.
    const fn reason(&self) -> Option<u8> {
        match self {
            Self::Frame(FrameError::TooLong) => Some(reason::PACKET_TOO_LARGE),
            Self::Frame(FrameError::Malformed) | Self::Wrong(Wrong::Malformed) => {
                Some(reason::MALFORMED_PACKET)
            }
            Self::Wrong(Wrong::Protocol) => Some(reason::PROTOCOL_ERROR),
            Self::Wrong(Wrong::TopicAlias) => Some(reason::TOPIC_ALIAS_INVALID),
            Self::Wrong(Wrong::TopicName) => Some(reason::TOPIC_NAME_INVALID),
            Self::KeepAlive => Some(reason::KEEP_ALIVE_TIMEOUT),
            Self::ReceiveMaximum => Some(reason::RECEIVE_MAXIMUM_EXCEEDED),
            Self::Slow => Some(reason::QUOTA_EXCEEDED),
            Self::TakenOver => Some(reason::SESSION_TAKEN_OVER),
            Self::Revoked => Some(reason::NOT_AUTHORIZED),
            Self::ShutOut => Some(reason::BANNED),
            Self::Stopping => Some(reason::SERVER_SHUTTING_DOWN),
            Self::Refused(Rejection::QueueFull { .. }) => Some(reason::QUOTA_EXCEEDED),
            Self::Refused(_) => Some(reason::SERVER_BUSY),
            _ => None,
        }
    }

    const fn parting(&self) -> Parting {
        match self {
            Self::Disconnected { with_will: false, expiry_s } => Parting::Clean(*expiry_s),
            Self::Disconnected { with_will: true, expiry_s } => Parting::WithWill(*expiry_s),
            Self::Stopping => Parting::Stopping,
            _ => Parting::Broken,
        }
    }
}

impl From<Dismissal> for End {
    fn from(why: Dismissal) -> Self {
        match why {
            Dismissal::TakenOver => Self::TakenOver,
            Dismissal::Revoked => Self::Revoked,
            Dismissal::ShutOut => Self::ShutOut,
        }
    }
}

/// Serves one client until its connection ends.
pub(crate) async fn serve(
    stream: Box<dyn Stream>,
    certificate: Option<Fingerprint>,
    around: Surroundings,
) {
    let mut wire = Wire { stream, input: Vec::new(), output: BytesMut::new() };
    let connecting = connect(&mut wire, certificate, &around);
    let connected = match timeout(around.config.connect_timeout, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(End::ConnectTimeout),
    };
    match connected {
        Ok(greeting) => Client::new(wire, greeting, around).run().await,
        Err(end) => {
            tracing::debug!("connection ended: {end}");
            wire.close(around.config.write_timeout).await;
        }
    }
}

/// Bytes in and out.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    /// Received and not yet looked at.
    pub(super) input: Vec<u8>,
    /// To be sent.
    pub(super) output: BytesMut,
}

impl Wire {
    /// Waits for more input.
    async fn read(&mut self) -> Result<(), End> {
        self.input.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.input).await {
            Ok(0) => Err(End::Closed),
            Ok(_) => Ok(()),
            Err(error) => Err(End::Broken(error)),
        }
    }

    /// Sends what there is to send. If it is given up, what was not sent is still there.
    async fn write(&mut self, patience: Duration) -> Result<(), End> {
        if self.output.is_empty() {
            return Ok(());
        }
        let sending = async {
            while !self.output.is_empty() {
                if self.stream.write_buf(&mut self.output).await.map_err(End::Broken)? == 0 {
                    return Err(End::Closed);
                }
            }
            self.stream.flush().await.map_err(End::Broken)
        };
        timeout(patience, sending).await.map_err(|_| End::Slow)?
    }

    async fn close(mut self, patience: Duration) {
        // The client may be gone; there is nothing to be done about it.
        let _ = self.write(patience).await;
        let _ = timeout(patience, self.stream.shutdown()).await;
    }
}

/// A client that was let in.
struct Greeting {
    connect: Connect,
    principal: Principal,
    open: Open,
    keep_alive_s: u16,
}

/// Waits for the CONNECT and answers it.
async fn connect(
    wire: &mut Wire,
    certificate: Option<Fingerprint>,
    around: &Surroundings,
) -> Result<Greeting, End> {
    let len = loop {
        if let Some(len) = first_packet(&wire.input, around.config.connect_bytes_max)? {
            break len;
        }
        wire.read().await?;
    };
    let first: Vec<u8> = wire.input.drain(..len).collect();
    let mut connect = Connect::read(&first).inspect_err(|error| {
        if *error == FirstPacketError::Version {
            // Clients of every version understand this one (MQTT 3.1.1 §3.1.2.2).
            let refusal = codec::connack(Level::V3, Err(reason::UNSUPPORTED_VERSION));
            wire.output.extend_from_slice(&refusal);
        }
    })?;
    let level = connect.level;
    match enter(&mut connect, certificate, around).await {
        Ok((connack, principal, open)) => {
            wire.output.extend_from_slice(&codec::connack(level, Ok(&connack)));
            let keep_alive_s = connack.keep_alive_s.unwrap_or(connect.keep_alive_s);
            Ok(Greeting { connect, principal, open, keep_alive_s })
        }
        Err(code) => {
            wire.output.extend_from_slice(&codec::connack(level, Err(code)));
            Err(End::Unwelcome(code))
        }
    }
}

use codec::first_packet;

/// Lets the client in, or says why not.
async fn enter(
    connect: &mut Connect,
    certificate: Option<Fingerprint>,
    around: &Surroundings,
) -> Result<(Connack, Principal, Open), u8> {
    let config = &around.config;
    let assigned = name(connect, &around.hub)?;
    let principal = around.admission.judge(connect, certificate).await?;
    if connect.will.as_ref().is_some_and(|will| !is_topic_name(&will.topic)) {
        return Err(reason::TOPIC_NAME_INVALID);
    }
    let hello = Hello {
        client: connect.client_id.clone(),
        principal: principal.clone(),
        is_clean: connect.is_clean,
        expiry_s: connect.expiry_s,
        in_flight_max: connect.receive_maximum,
        will: connect.will.take().map(will),
    };
    let (welcome, ticket) = around.hub.with(|broker, now| broker.connect(now, hello));
    let welcome = welcome.map_err(|why| match why {
        Unwelcome::NotYours => reason::CLIENT_ID_NOT_VALID,
        Unwelcome::Will => reason::NOT_AUTHORIZED,
        Unwelcome::ShutOut => reason::BANNED,
        Unwelcome::Full => reason::QUOTA_EXCEEDED,
    })?;
    let open =
        Open { hub: around.hub.clone(), connection: welcome.connection, parting: Parting::Broken };
    // Whoever hears that it has a session still has it after a crash.
    let mut durable = around.hub.durable();
    if durable.wait_for(|durable| *durable >= ticket).await.is_err() {
        return Err(reason::SERVER_UNAVAILABLE);
    }
    let wants_more = connect.keep_alive_s == 0 || connect.keep_alive_s > config.keep_alive_s_max;
    let is_told = wants_more && connect.level == Level::V5;
    let connack = Connack {
        is_present: welcome.is_present,
        receive_maximum: config.inflight_max,
        packet_bytes_max: config.packet_bytes_max,
        topic_aliases_max: config.topic_aliases_max,
        expiry_s: (welcome.expiry_s != connect.expiry_s).then_some(welcome.expiry_s),
        keep_alive_s: is_told.then_some(config.keep_alive_s_max),
        client_id: assigned,
    };
    Ok((connack, principal, open))
}

/// Gives a client without an id one, if it may have one; the id it must be told.
fn name(connect: &mut Connect, hub: &Hub) -> Result<Option<String>, u8> {
    match connect.client_id.len() {
        // MQTT-3.1.3-8: without an id there can be no session to come back to.
        0 if connect.level == Level::V3 && !connect.is_clean => Err(reason::CLIENT_ID_NOT_VALID),
        0 => {
            connect.client_id = hub.new_client_id();
            Ok(Some(connect.client_id.clone()))
        }
        len if len > CLIENT_ID_BYTES_MAX => Err(reason::CLIENT_ID_NOT_VALID),
        _ => Ok(None),
    }
}

fn will(will: ConnectWill) -> Will {
    let ConnectWill { topic, payload, qos, retain, properties, delay_s, expiry_s } = will;
    let message = Message { topic, payload, qos, retain, properties, expires_ms: None };
    Will { message, delay_s, expiry_s }
}

/// A connected client.
pub(super) struct Client {
    pub(super) wire: Wire,
    pub(super) around: Surroundings,
    pub(super) level: Level,
    pub(super) id: String,
    pub(super) principal: Principal,
    pub(super) connection: ConnectionId,
    open: Open,
    /// Whether reasons may be told in words.
    pub(super) wants_reasons: bool,
    /// Longest packet that it takes, bytes.
    pub(super) packet_bytes_max: Option<u32>,
    pub(super) bell: Arc<Bell>,
    keep_alive: Option<Duration>,
    heard: Instant,
    /// Publishes in the order in which they came, which is the order of their acknowledgements
    /// (MQTT-4.6.0-2).
    pub(super) awaited: VecDeque<Awaited>,
    pub(super) next_tag: u64,
    pub(super) answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
    /// Topics that its aliases stand for.
    pub(super) aliases: BTreeMap<u16, String>,
    /// Aliases that it was told, and how many it takes.
    pub(super) told_aliases: (BTreeMap<String, u16>, u16),
    /// Packets that wait until what they say is durable, in order.
    pub(super) held: VecDeque<(Ticket, Vec<u8>)>,
    pub(super) durable: watch::Receiver<Ticket>,
}

impl Client {
    fn new(wire: Wire, greeting: Greeting, around: Surroundings) -> Self {
        let Greeting { connect, principal, open, keep_alive_s } = greeting;
        let connection = open.connection;
        let bell = Arc::new(Bell::default());
        around.hub.hang(connection, bell.clone());
        // One and a half times (MQTT-3.1.2-22); none if 0.
        let keep_alive = Duration::from_millis(u64::from(keep_alive_s) * 1500);
        Self {
            wire,
            level: connect.level,
            id: connect.client_id,
            principal,
            connection,
            open,
            wants_reasons: connect.wants_reasons,
            packet_bytes_max: connect.packet_bytes_max,
            bell,
            keep_alive: (keep_alive_s > 0).then_some(keep_alive),
            heard: Instant::now(),
            awaited: VecDeque::new(),
            next_tag: 0,
            answers: mpsc::channel(usize::from(around.config.inflight_max)),
            aliases: BTreeMap::new(),
            told_aliases: (BTreeMap::new(), connect.topic_aliases_max),
            held: VecDeque::new(),
            durable: around.hub.durable(),
            around,
        }
    }

    async fn run(mut self) {
        tracing::debug!(client = self.id, level = ?self.level, "client connected");
        let end = loop {
            if let Err(end) = self.turn().await {
                break end;
            }
        };
        tracing::debug!(client = self.id, "connection ended: {end}");
        self.open.parting = end.parting();
        match end {
            End::TakenOver | End::Revoked | End::ShutOut => self.leave_the_rest().await,
            _ => self.settle_the_rest().await,
        }
        self.say_why(&end);
        drop(self.open);
        self.wire.close(self.around.config.write_timeout).await;
    }

    /// What was handed on and is not answered: its session must know what was taken, so that a
    /// message of QoS 2 that comes again is known.
    async fn settle_the_rest(&mut self) {
        let (patience, said) = (self.around.config.write_timeout, self.wire.output.len());
        loop {
            // Each error takes the publish with it that it is about.
            while self.settle_answered().is_err() {}
            if self.awaited.is_empty() {
                break;
            }
            match timeout(patience, self.answers.1.recv()).await {
                Ok(Some(answer)) => self.note(answer),
                _ => break,
            }
        }
        // The client is not told any more.
        self.wire.output.truncate(said);
    }

    /// Tells an MQTT 5 client why its connection ends. It may be gone.
    fn say_why(&mut self, end: &End) {
        let (Some(code), Level::V5) = (end.reason(), self.level) else { return };
        let words = match end {
            End::Refused(rejection) if self.wants_reasons => Some(rejection.to_string()),
            _ => None,
        };
        let said = codec::disconnect(code, words.as_deref());
        // MQTT-3.14.2-3: no words that make the packet longer than the client takes.
        let said = if self.fits(&said) { said } else { codec::disconnect(code, None) };
        self.wire.output.extend_from_slice(&said);
    }

    /// Does what can be done, then waits for the next thing to happen.
    async fn turn(&mut self) -> Result<(), End> {
        // What was taken is still acknowledged when the gateway stops, so that it is not sent twice.
        let is_stopping = *self.around.stopping.borrow();
        if is_stopping && self.awaited.is_empty() && self.held.is_empty() {
            return Err(End::Stopping);
        }
        if !is_stopping {
            self.take_input().await?;
            self.deliver();
        }
        self.let_go();
        let dismissed =
            |bell: &Bell| bell.dismissed.get().map_or(Ok(()), |why| Err(End::from(*why)));
        dismissed(&self.bell)?;
        self.wire.write(self.around.config.write_timeout).await?;
        let may_read = !is_stopping && self.may_take();
        let keep_alive = self.keep_alive.filter(|_| may_read).map(|time| self.heard + time);
        tokio::select! {
            biased;
            Some(answer) = self.answers.1.recv() => self.on_answer(answer),
            changed = self.durable.changed(), if !self.held.is_empty() => {
                changed.map_err(|_| End::Stopping)
            }
            () = self.bell.rung.notified() => dismissed(&self.bell),
            () = raised(&mut self.around.stopping), if !is_stopping => Ok(()),
            read = self.wire.read(), if may_read => read,
            () = sleep_until(keep_alive.unwrap_or_else(Instant::now)), if keep_alive.is_some() => {
                Err(End::KeepAlive)
            }
        }
    }

    /// Whether another packet may be taken from the client. What waits for it counts: who does not
    /// take answers gets no more of them.
    fn may_take(&self) -> bool {
        let max = usize::from(self.around.config.inflight_max);
        self.awaited.len() < max && self.held.len() <= max
    }

    async fn take_input(&mut self) -> Result<(), End> {
        let mut at = 0;
        let max = self.around.config.packet_bytes_max;
        while self.may_take() {
            let Some(len) = next_packet(&self.wire.input[at..], max)? else { break };
            let said = codec::read(self.level, &self.wire.input[at..at + len])?;
            at += len;
            self.heard = Instant::now();
            self.on_said(said).await?;
        }
        self.wire.input.drain(..at);
        Ok(())
    }
}

/// Closes the connection at the broker, also if its task panics.
struct Open {
    hub: Arc<Hub>,
    connection: ConnectionId,
    parting: Parting,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.hub.take_down(self.connection);
        self.hub.with(|broker, now| broker.close(now, self.connection, self.parting));
    }
}
