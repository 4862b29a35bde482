//! One client: from its first byte to the end of its connection.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use althing_edge::{Principal, Rejection};
use bytes::BytesMut;
use mqtt_protocol_core::mqtt::packet::Qos;
use mqtt_protocol_core::mqtt::result_code::{DisconnectReasonCode, MqttError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::broker::{Broker, Delivery, Dismissal, Inbox, Membership, Message, Subscription};
use super::connect::{FirstPacketError, UNACCEPTABLE_VERSION, first_packet, sanitize};
use super::filter::{is_topic_filter, is_topic_name};
use super::frame::{FrameError, next_packet};
use super::listener::raised;
use super::packet::{self, Connect, Granted, Level, Packet, Said};
use super::protocol::{self, Panicked, Protocol, Wishes};
use super::routes::Routes;
use crate::config::{MqttConfig, RefusalV3};
use crate::driver::{Answer, Publish, Reply, wall_ms};

/// Longest client id, bytes.
const CLIENT_ID_BYTES_MAX: usize = 256;
/// Bytes read at a time.
const READ_BYTES: usize = 8 * 1024;
/// Prefix of shared subscriptions (MQTT 5 §4.8.2).
const SHARED: &str = "$share/";

/// What a connection has around it.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) config: Arc<MqttConfig>,
    pub(crate) broker: Arc<Broker>,
    pub(crate) routes: Arc<Routes>,
    pub(crate) publishes: mpsc::Sender<Publish>,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the client disconnected")]
    Disconnected,
    #[error("the connection broke")]
    Broken(#[source] std::io::Error),
    #[error("the client closed the connection without saying so")]
    Closed,
    #[error("no CONNECT within the time for it")]
    ConnectTimeout,
    #[error(transparent)]
    FirstPacket(#[from] FirstPacketError),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Panicked(#[from] Panicked),
    #[error("the client broke the protocol: {0:?}")]
    Protocol(MqttError),
    #[error("the client id is not acceptable")]
    ClientId,
    #[error("`{0}` is no topic name")]
    TopicName(String),
    #[error("the client did not take what was sent to it in time")]
    Slow,
    #[error("another connection came with the same client id")]
    TakenOver,
    #[error("a publish was refused, and there is no other way to say so: {0}")]
    Refused(Rejection),
    #[error("the gateway stops")]
    Stopping,
}

impl From<MqttError> for End {
    fn from(error: MqttError) -> Self {
        Self::Protocol(error)
    }
}

impl End {
    /// What an MQTT 5 client is told.
    const fn reason(&self) -> Option<DisconnectReasonCode> {
        match self {
            Self::Frame(FrameError::TooLong) => Some(DisconnectReasonCode::PacketTooLarge),
            Self::Frame(FrameError::Malformed) => Some(DisconnectReasonCode::MalformedPacket),
            Self::TopicName(_) => Some(DisconnectReasonCode::TopicNameInvalid),
            Self::Protocol(_) => Some(DisconnectReasonCode::ProtocolError),
            Self::Slow => Some(DisconnectReasonCode::QuotaExceeded),
            Self::TakenOver => Some(DisconnectReasonCode::SessionTakenOver),
            Self::Stopping => Some(DisconnectReasonCode::ServerShuttingDown),
            Self::Refused(Rejection::QueueFull { .. }) => Some(DisconnectReasonCode::QuotaExceeded),
            Self::Refused(_) => Some(DisconnectReasonCode::ServerBusy),
            _ => None,
        }
    }
}

impl From<Result<Dismissal, oneshot::error::RecvError>> for End {
    fn from(why: Result<Dismissal, oneshot::error::RecvError>) -> Self {
        match why {
            Ok(Dismissal::TakenOver) => Self::TakenOver,
            Ok(Dismissal::TooSlow) => Self::Slow,
            // The broker is gone, and with it the gateway.
            Err(_) => Self::Stopping,
        }
    }
}

/// Serves one client until its connection ends.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, around: Surroundings) {
    let mut wire = Wire { stream, input: Vec::new(), output: BytesMut::new() };
    let mut protocol = Protocol::new(&around.config);
    let connecting = connect(&mut wire, &mut protocol, &around);
    let connected = match timeout(around.config.connect_timeout, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(End::ConnectTimeout),
    };
    match connected {
        Ok(greeting) => Client::new(wire, protocol, greeting, around).run().await,
        Err(end) => {
            tracing::debug!("connection ended: {end}");
            wire.close(around.config.write_timeout).await;
        }
    }
}

/// Bytes in and out.
struct Wire<S> {
    stream: S,
    /// Received and not yet looked at.
    input: Vec<u8>,
    /// To be sent.
    output: BytesMut,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
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
        let sending = async {
            while !self.output.is_empty() {
                if self.stream.write_buf(&mut self.output).await.map_err(End::Broken)? == 0 {
                    return Err(End::Closed);
                }
            }
            Ok(())
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
    membership: Membership,
    inbox: Inbox,
    keep_alive: Option<Instant>,
}

/// Waits for the CONNECT and answers it.
async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    protocol: &mut Protocol,
    around: &Surroundings,
) -> Result<Greeting, End> {
    let len = loop {
        if let Some(len) = first_packet(&wire.input, around.config.packet_bytes_max)? {
            break len;
        }
        wire.read().await?;
    };
    let first: Vec<u8> = wire.input.drain(..len).collect();
    let clean = sanitize(&first).inspect_err(|error| {
        if *error == FirstPacketError::Version {
            wire.output.extend_from_slice(&UNACCEPTABLE_VERSION);
        }
    })?;
    let wishes = protocol.receive(&clean)?;
    if let Some(error) = wishes.error {
        return Err(End::Protocol(error));
    }
    let mut keep_alive = wishes.keep_alive;
    let said = wishes.received.into_iter().next().map(Said::of);
    let Some(Said::Connect(mut connect)) = said else {
        return Err(FirstPacketError::Malformed.into());
    };
    let assigned = name(&mut connect, &around.broker);
    let answer = match assigned {
        Ok(assigned) => connect.accept(&around.config, assigned.as_deref())?,
        Err(()) => connect.refuse_id()?,
    };
    let wishes = protocol.send(answer)?;
    for packet in &wishes.send {
        wire.output.extend_from_slice(&protocol::bytes(packet));
    }
    if wishes.close || wishes.error.is_some() {
        return Err(End::ClientId);
    }
    keep_alive = wishes.keep_alive.or(keep_alive);
    let (membership, inbox) = around.broker.join(connect.client_id.clone());
    let keep_alive = keep_alive.flatten().map(after_ms);
    Ok(Greeting { connect: *connect, membership, inbox, keep_alive })
}

/// Gives a client without an id one, if it may have one; the id it must be told.
fn name(connect: &mut Connect, broker: &Broker) -> Result<Option<String>, ()> {
    let will_is_wrong = connect.will.as_ref().is_some_and(|will| !is_topic_name(&will.topic));
    match connect.client_id.len() {
        // MQTT-3.1.3-8: without an id there can be no session to come back to.
        0 if connect.level == Level::V3 && !connect.is_clean => Err(()),
        _ if will_is_wrong => Err(()),
        0 => {
            connect.client_id = broker.new_client_id();
            Ok(Some(connect.client_id.clone()))
        }
        len if len > CLIENT_ID_BYTES_MAX => Err(()),
        _ => Ok(None),
    }
}

fn after_ms(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

/// A publish that was handed on and is not acknowledged yet.
struct Awaited {
    tag: u64,
    id: Option<u16>,
    message: Message,
    result: Option<Result<(), Rejection>>,
}

/// A connected client.
struct Client<S> {
    wire: Wire<S>,
    protocol: Protocol,
    around: Surroundings,
    connect: Connect,
    membership: Membership,
    inbox: Inbox,
    keep_alive: Option<Instant>,
    /// Publishes in the order in which they came, which is the order of their acknowledgements
    /// (MQTT-4.6.0-2).
    awaited: VecDeque<Awaited>,
    next_tag: u64,
    answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
    /// Messages of QoS 2 that the client has yet to release.
    unreleased: BTreeSet<u16>,
    /// Retained messages to be delivered before others.
    retained: VecDeque<Delivery>,
    /// Deliveries of QoS 1 and 2 that the client has not acknowledged.
    unacknowledged: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    fn new(wire: Wire<S>, protocol: Protocol, greeting: Greeting, around: Surroundings) -> Self {
        let Greeting { connect, membership, inbox, keep_alive } = greeting;
        let inflight_max = usize::from(around.config.inflight_max);
        Self {
            wire,
            protocol,
            around,
            connect,
            membership,
            inbox,
            keep_alive,
            awaited: VecDeque::new(),
            next_tag: 0,
            answers: mpsc::channel(inflight_max),
            unreleased: BTreeSet::new(),
            retained: VecDeque::new(),
            unacknowledged: 0,
        }
    }

    async fn run(mut self) {
        let client = self.membership.client_id().to_owned();
        tracing::debug!(client, level = ?self.connect.level, "client connected");
        let end = loop {
            if let Err(end) = self.turn().await {
                break end;
            }
        };
        tracing::debug!(client, "connection ended: {end}");
        self.say_why(&end);
        let will = self.connect.will.take().filter(|_| !matches!(end, End::Disconnected));
        if let Some(will) = will.filter(|_| !matches!(end, End::Stopping)) {
            self.publish_will(will).await;
        }
        self.wire.close(self.around.config.write_timeout).await;
    }

    /// Tells an MQTT 5 client why its connection ends. It may have been told already, or be gone.
    fn say_why(&mut self, end: &End) {
        let (Some(reason), Level::V5) = (end.reason(), self.connect.level) else { return };
        let words = match end {
            End::Refused(rejection) if self.connect.wants_reasons => Some(rejection.to_string()),
            _ => None,
        };
        // MQTT-3.14.2-3: no words that make the packet longer than the client takes.
        let said = words.is_some_and(|words| self.disconnect(reason, Some(&words)).is_ok());
        if !said {
            let _ = self.disconnect(reason, None);
        }
    }

    fn disconnect(&mut self, reason: DisconnectReasonCode, words: Option<&str>) -> Result<(), End> {
        self.send(packet::disconnect(reason, words)?)
    }

    /// Does what can be done, then waits for the next thing to happen.
    async fn turn(&mut self) -> Result<(), End> {
        // What was taken is still acknowledged when the gateway stops, so that it is not sent twice.
        let is_stopping = *self.around.stopping.borrow();
        if is_stopping && self.awaited.is_empty() {
            return Err(End::Stopping);
        }
        if !is_stopping {
            self.take_input().await?;
            self.deliver_retained()?;
        }
        tokio::select! {
            biased;
            why = &mut self.inbox.dismissed => return Err(End::from(why)),
            written = self.wire.write(self.around.config.write_timeout) => written?,
        }
        let may_read = !is_stopping && self.may_take();
        let may_deliver = !is_stopping && self.retained.is_empty() && self.may_deliver()?;
        let keep_alive = self.keep_alive.filter(|_| may_read);
        tokio::select! {
            biased;
            why = &mut self.inbox.dismissed => Err(End::from(why)),
            Some(answer) = self.answers.1.recv() => self.on_answer(answer),
            () = raised(&mut self.around.stopping), if !is_stopping => Ok(()),
            Some(delivery) = self.inbox.deliveries.recv(), if may_deliver => self.deliver(&delivery),
            read = self.wire.read(), if may_read => read,
            () = sleep_until(keep_alive.unwrap_or_else(Instant::now)), if keep_alive.is_some() => {
                self.keep_alive = None;
                let wishes = self.protocol.keep_alive_is_over()?;
                self.fulfil(wishes).map(drop)
            }
        }
    }

    /// Whether another publish may be taken from the client.
    fn may_take(&self) -> bool {
        self.awaited.len() < usize::from(self.around.config.inflight_max)
    }

    async fn take_input(&mut self) -> Result<(), End> {
        let mut at = 0;
        let max = self.around.config.packet_bytes_max;
        while self.may_take() {
            let Some(len) = next_packet(&self.wire.input[at..], max)? else { break };
            let wishes = self.protocol.receive(&self.wire.input[at..at + len])?;
            at += len;
            for packet in self.fulfil(wishes)? {
                self.on_said(Said::of(packet)).await?;
            }
        }
        self.wire.input.drain(..at);
        Ok(())
    }

    /// Does what the library wants; returns what the client said.
    fn fulfil(&mut self, wishes: Wishes) -> Result<Vec<Packet>, End> {
        for packet in &wishes.send {
            // To a duplicate the library answers at once, but its original is not durable yet.
            let is_early = received_id(packet).is_some_and(|id| self.is_awaited(id));
            if !is_early {
                self.wire.output.extend_from_slice(&protocol::bytes(packet));
            }
        }
        if let Some(keep_alive) = wishes.keep_alive {
            self.keep_alive = keep_alive.map(after_ms);
        }
        self.unacknowledged = self.unacknowledged.saturating_sub(wishes.released);
        match wishes.error {
            Some(error) => Err(End::Protocol(error)),
            None if wishes.close => Err(End::Closed),
            None => Ok(wishes.received),
        }
    }

    fn is_awaited(&self, id: u16) -> bool {
        self.awaited.iter().any(|awaited| awaited.id == Some(id))
    }

    fn send(&mut self, packet: Packet) -> Result<(), End> {
        let wishes = self.protocol.send(packet)?;
        self.fulfil(wishes).map(drop)
    }

    async fn on_said(&mut self, said: Said) -> Result<(), End> {
        let level = self.connect.level;
        match said {
            Said::Publish { id, message } => self.on_publish(id, message).await,
            Said::Received { id, is_taken: true } => self.send(packet::pubrel(level, id)?),
            Said::Release { id } => {
                let is_known = self.unreleased.remove(&id);
                self.send(packet::pubcomp(level, id, is_known)?)
            }
            Said::Subscribe { id, subscriptions } => self.on_subscribe(id, subscriptions),
            Said::Unsubscribe { id, filters } => {
                let existed: Vec<bool> =
                    filters.iter().map(|filter| self.membership.unsubscribe(filter)).collect();
                self.send(packet::unsuback(level, id, &existed)?)
            }
            Said::Disconnect { with_will } => {
                Err(if with_will { End::Closed } else { End::Disconnected })
            }
            Said::Connect(_) => Err(End::Protocol(MqttError::ProtocolError)),
            Said::Received { .. } | Said::Other => Ok(()),
        }
    }

    async fn on_publish(&mut self, id: Option<u16>, message: Message) -> Result<(), End> {
        if !is_topic_name(&message.topic) {
            return Err(End::TopicName(message.topic.chars().take(64).collect()));
        }
        if id == Some(0) {
            return Err(End::Protocol(MqttError::ProtocolError));
        }
        if id.is_some_and(|id| self.is_awaited(id)) {
            // Sent again before its acknowledgement, which will answer both.
            return Ok(());
        }
        let tag = self.next_tag;
        self.next_tag += 1;
        if message.retain && message.payload.is_empty() {
            // MQTT-3.3.1-10 (MQTT-3.3.1-6 of MQTT 5): this clears what is retained. It is no reading.
            self.awaited.push_back(Awaited { tag, id, message, result: Some(Ok(())) });
            return self.settle_answered();
        }
        let publish = Publish {
            received_ms: wall_ms(),
            topic: message.topic.clone(),
            payload: message.payload.clone(),
            reply: Reply { to: self.answers.0.clone(), tag },
        };
        self.awaited.push_back(Awaited { tag, id, message, result: None });
        let client = self.membership.client_id();
        match self.around.routes.take(client, Principal::Anonymous, publish).await {
            None => Ok(()),
            Some(publish) => self.around.publishes.send(publish).await.map_err(|_| End::Stopping),
        }
    }

    fn on_answer(&mut self, answer: Answer) -> Result<(), End> {
        let awaited = self.awaited.iter_mut().find(|awaited| awaited.tag == answer.tag);
        if let Some(awaited) = awaited {
            awaited.result = Some(answer.result);
        }
        self.settle_answered()
    }

    /// Settles the publishes that are answered, up to the first that is not.
    fn settle_answered(&mut self) -> Result<(), End> {
        while self.awaited.front().is_some_and(|awaited| awaited.result.is_some()) {
            let Some(Awaited { id, message, result, .. }) = self.awaited.pop_front() else { break };
            self.settle(id, message, result.and_then(Result::err))?;
        }
        Ok(())
    }

    /// Acknowledges a publish whose readings are durable, or that was refused.
    fn settle(
        &mut self,
        id: Option<u16>,
        message: Message,
        refused: Option<Rejection>,
    ) -> Result<(), End> {
        let level = self.connect.level;
        let qos = message.qos;
        let refused = match refused {
            Some(rejection) if self.must_close(&rejection, qos) => {
                return Err(End::Refused(rejection));
            }
            refused => refused,
        };
        if refused.is_none() {
            self.around.broker.publish(message, self.membership.client_id());
        }
        let Some(id) = id else { return Ok(()) };
        if qos == Qos::ExactlyOnce && (refused.is_none() || level == Level::V3) {
            self.unreleased.insert(id);
        }
        let answer = |in_words| packet::acknowledge(level, qos, id, refused.as_ref(), in_words);
        let wishes = self.protocol.send(answer(self.connect.wants_reasons)?)?;
        if wishes.error == Some(MqttError::PacketTooLarge) {
            // MQTT-3.4.2-2: no words that make the packet longer than the client takes.
            return self.send(answer(false)?);
        }
        self.fulfil(wishes).map(drop)
    }

    /// Whether a refusal can only be told by closing the connection. What can be taken later is
    /// never acknowledged, not even with a reason: to a client of MQTT 5, too, that means that it is
    /// done with the message (MQTT-4.4.0-2). It sends it again when it comes back.
    fn must_close(&self, rejection: &Rejection, qos: Qos) -> bool {
        let closes = self.around.config.refusal_v3 == RefusalV3::Close;
        let comes_again = rejection.is_temporary() && qos != Qos::AtMostOnce;
        comes_again || (closes && self.connect.level == Level::V3)
    }

    fn on_subscribe(&mut self, id: u16, subscriptions: Vec<Subscription>) -> Result<(), End> {
        let mut granted = Vec::with_capacity(subscriptions.len());
        for subscription in subscriptions {
            granted.push(self.grant(subscription));
        }
        self.send(packet::suback(self.connect.level, id, &granted)?)
    }

    fn grant(&mut self, subscription: Subscription) -> Granted {
        let qos = subscription.qos;
        if subscription.filter.starts_with(SHARED) {
            return Granted::Shared;
        }
        if !is_topic_filter(&subscription.filter) {
            return Granted::Invalid;
        }
        if self.retained.len() > self.around.config.retained_max {
            // It subscribes faster than it takes what is retained.
            return Granted::Full;
        }
        match self.membership.subscribe(subscription) {
            Ok(retained) => {
                self.retained.extend(retained);
                Granted::Qos(qos)
            }
            Err(_) => Granted::Full,
        }
    }

    /// Whether the client can take another message, of any QoS.
    fn may_deliver(&mut self) -> Result<bool, End> {
        let is_free = self.unacknowledged < usize::from(self.around.config.inflight_max);
        let has_room = self.protocol.vacancy()?.is_none_or(|vacancy| vacancy > 0);
        Ok(is_free && has_room)
    }

    fn deliver_retained(&mut self) -> Result<(), End> {
        while !self.retained.is_empty() && self.may_deliver()? {
            if let Some(delivery) = self.retained.pop_front() {
                self.deliver(&delivery)?;
            }
        }
        Ok(())
    }

    fn deliver(&mut self, delivery: &Delivery) -> Result<(), End> {
        if delivery.message.is_expired() {
            return Ok(());
        }
        let mut id = None;
        if delivery.qos != Qos::AtMostOnce {
            id = self.protocol.packet_id()?;
        }
        let packet = packet::publish(self.connect.level, delivery, id)?;
        let wishes = self.protocol.send(packet)?;
        if wishes.error == Some(MqttError::PacketTooLarge) {
            // MQTT-3.1.2-25: what the client does not take is dropped as if it were sent.
            return Ok(self.protocol.release(id)?);
        }
        self.unacknowledged += usize::from(id.is_some());
        self.fulfil(wishes).map(drop)
    }

    async fn publish_will(&mut self, will: Message) {
        let (to, mut answer) = mpsc::channel(1);
        let publish = Publish {
            received_ms: wall_ms(),
            topic: will.topic.clone(),
            payload: will.payload.clone(),
            reply: Reply { to, tag: 0 },
        };
        let client = self.membership.client_id();
        let publish = self.around.routes.take(client, Principal::Anonymous, publish).await;
        if let Some(publish) = publish
            && self.around.publishes.send(publish).await.is_err()
        {
            return;
        }
        if let Some(Answer { result: Ok(()), .. }) = answer.recv().await {
            self.around.broker.publish(will, self.membership.client_id());
        }
    }
}

/// The packet id of a PUBREC.
fn received_id(packet: &Packet) -> Option<u16> {
    match packet {
        Packet::V3_1_1Pubrec(pubrec) => Some(pubrec.packet_id()),
        Packet::V5_0Pubrec(pubrec) => Some(pubrec.packet_id()),
        _ => None,
    }
}
