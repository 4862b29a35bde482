//! What a client says.

use althing_edge::broker::{Broker, Message, Publisher, Qos, Subscription};
use althing_edge::{Mark, Rejection};

use tokio::time::timeout;

use super::codec::{self, Level, Said, Wrong, reason};
use super::connection::{Client, End};
use super::hub::Ticket;
use crate::config::RefusalV3;
use crate::driver::{Answer, Publish, Reply, wall_ms};

/// What a publish is told while sessions cannot be written fast enough.
const STORE_BEHIND: Rejection =
    Rejection::Unavailable { reason: "its disk is slower than what is published" };

/// A publish that was handed on and is not acknowledged yet.
pub(super) struct Awaited {
    tag: u64,
    id: Option<u16>,
    message: Message,
    mark: Option<Mark>,
    result: Option<Result<(), Rejection>>,
}

impl Client {
    pub(super) async fn on_said(&mut self, said: Said) -> Result<(), End> {
        let (hub, connection) = (self.around.hub.clone(), self.connection);
        match said {
            Said::Publish(publish) => return self.on_publish(publish).await,
            Said::Puback { id } | Said::Pubrec { id, is_taken: false } | Said::Pubcomp { id } => {
                hub.with(|broker, _| broker.acknowledged(connection, id));
            }
            Said::Pubrec { id, is_taken: true } => {
                let (is_known, ticket) = hub.with(|broker, _| broker.received(connection, id));
                // One that is not known is released all the same: the client waits for it.
                let release = codec::pubrel(self.level, id);
                self.hold(if is_known { ticket } else { 0 }, release);
            }
            Said::Pubrel { id } => {
                let (is_known, ticket) = hub.with(|broker, _| broker.released(connection, id));
                let code = if is_known { reason::SUCCESS } else { reason::PACKET_ID_NOT_FOUND };
                self.hold(ticket, codec::pubcomp(self.level, id, code));
            }
            Said::Subscribe { id, subscriptions } => self.on_subscribe(id, &subscriptions),
            Said::Unsubscribe { id, filters } => {
                let (existed, ticket) = hub.with(|broker, _| {
                    let unsubscribe = |filter: &String| broker.unsubscribe(connection, filter);
                    filters.iter().map(unsubscribe).collect::<Vec<bool>>()
                });
                self.hold(ticket, codec::unsuback(self.level, id, &existed));
            }
            Said::Pingreq => self.hold(0, codec::pingresp()),
            Said::Disconnect { with_will, expiry_s } => {
                return Err(End::Disconnected { with_will, expiry_s });
            }
        }
        Ok(())
    }

    fn on_subscribe(&mut self, id: u16, subscriptions: &[Subscription]) {
        let connection = self.connection;
        let (granted, ticket) = self.around.hub.with(|broker, now| {
            let subscribe = |one: &Subscription| broker.subscribe(now, connection, one);
            subscriptions.iter().map(subscribe).collect::<Vec<codec::Suback>>()
        });
        self.hold(ticket, codec::suback(self.level, id, &granted));
    }

    async fn on_publish(&mut self, publish: codec::Publish) -> Result<(), End> {
        let codec::Publish { id, qos, retain, topic, alias, payload, properties, expiry_s } =
            publish;
        let topic = self.topic(topic, alias)?;
        let received_ms = wall_ms();
        let expires_ms = expiry_s.map(|s| received_ms.saturating_add(i64::from(s) * 1000));
        let message = Message { topic, payload, qos, retain, properties, expires_ms };
        if let Some(id) = id
            && self.is_known(id, qos)?
        {
            return Ok(());
        }
        let tag = self.next_tag;
        self.next_tag += 1;
        let mark = match id.filter(|_| qos == Qos::ExactlyOnce) {
            Some(id) => self.mark(id)?,
            None => None,
        };
        if let Some(result) = self.judge(&message) {
            self.awaited.push_back(Awaited { tag, id, message, mark, result: Some(result) });
            return self.settle_answered();
        }
        let publish = Publish {
            received_ms,
            topic: message.topic.clone(),
            payload: message.payload.clone(),
            only_signed: false,
            mark,
            reply: Reply { to: self.answers.0.clone(), tag },
        };
        self.awaited.push_back(Awaited { tag, id, message, mark, result: None });
        match self.around.routes.take(&self.id, self.principal.clone(), publish).await {
            None => Ok(()),
            Some(publish) => self.around.publishes.send(publish).await.map_err(|_| End::Stopping),
        }
    }

    /// The mark of a publish of QoS 2. Nothing is taken on a connection that its client has left: it
    /// sends the publish again on another, and nobody would know that it is the same.
    fn mark(&self, id: u16) -> Result<Option<Mark>, End> {
        let connection = self.connection;
        let ask =
            |broker: &mut Broker, _| (broker.is_open(connection), broker.mark(connection, id));
        let ((is_open, mark), _) = self.around.hub.with(ask);
        let gone = || self.bell.dismissed.get().map_or(End::TakenOver, |why| End::from(*why));
        if is_open { Ok(mark) } else { Err(gone()) }
    }

    /// The topic that a publish is for, by name or alias (MQTT 5 §3.3.2.3.4).
    fn topic(&mut self, topic: String, alias: Option<u16>) -> Result<String, End> {
        let Some(alias) = alias else { return Ok(topic) };
        if alias > self.around.config.topic_aliases_max {
            return Err(Wrong::TopicAlias.into());
        }
        if topic.is_empty() {
            return self.aliases.get(&alias).cloned().ok_or(End::Wrong(Wrong::TopicAlias));
        }
        self.aliases.insert(alias, topic.clone());
        Ok(topic)
    }

    /// Whether a publish came again that is or will be acknowledged.
    fn is_known(&mut self, id: u16, qos: Qos) -> Result<bool, End> {
        if self.awaited.iter().any(|awaited| awaited.id == Some(id)) {
            // Its acknowledgement will answer both.
            return Ok(true);
        }
        if qos != Qos::ExactlyOnce {
            return Ok(false);
        }
        let connection = self.connection;
        let ((is_taken, count), _) = self.around.hub.with(|broker, _| {
            (broker.is_unreleased(connection, id), broker.unreleased(connection))
        });
        if is_taken {
            self.hold(0, codec::pubrec(self.level, id, reason::SUCCESS, None));
        } else if count >= usize::from(self.around.config.inflight_max) {
            return Err(End::ReceiveMaximum);
        }
        Ok(is_taken)
    }

    /// What is known at once about a publish: that it is refused, or that it is no reading.
    fn judge(&self, message: &Message) -> Option<Result<(), Rejection>> {
        if let Some(objection) = self.around.hub.objection(&self.principal, &message.topic) {
            return Some(Err(objection));
        }
        if self.around.hub.is_store_behind() {
            return Some(Err(STORE_BEHIND));
        }
        // MQTT-3.3.1-10 (MQTT-3.3.1-6 of MQTT 5): this clears what is retained. It is no reading.
        (message.retain && message.payload.is_empty()).then_some(Ok(()))
    }

    /// What was handed on is not settled: its client comes back with it on another connection, or
    /// not at all. Then its session is gone, and the marks that may have been made meanwhile go, too.
    pub(super) async fn leave_the_rest(&mut self) {
        let Some(mark) = self.awaited.iter().find_map(|awaited| awaited.mark) else { return };
        let patience = self.around.config.write_timeout;
        while self.awaited.iter().any(|awaited| awaited.result.is_none()) {
            match timeout(patience, self.answers.1.recv()).await {
                Ok(Some(answer)) => self.note(answer),
                _ => break,
            }
        }
        self.around.hub.with(|broker, _| broker.part(mark.session));
    }

    pub(super) fn on_answer(&mut self, answer: Answer) -> Result<(), End> {
        self.note(answer);
        self.settle_answered()
    }

    pub(super) fn note(&mut self, answer: Answer) {
        let awaited = self.awaited.iter_mut().find(|awaited| awaited.tag == answer.tag);
        if let Some(awaited) = awaited {
            awaited.result = Some(answer.result);
        }
    }

    /// Settles the publishes that are answered, up to the first that is not.
    pub(super) fn settle_answered(&mut self) -> Result<(), End> {
        while self.awaited.front().is_some_and(|awaited| awaited.result.is_some()) {
            let Some(awaited) = self.awaited.pop_front() else { break };
            self.settle(awaited)?;
        }
        Ok(())
    }

    /// Acknowledges a publish whose readings are durable, or that was refused.
    fn settle(&mut self, awaited: Awaited) -> Result<(), End> {
        let Awaited { id, message, mark, result, .. } = awaited;
        let (qos, refused) = (message.qos, result.and_then(Result::err));
        let refused = match refused {
            Some(rejection) if self.must_close(&rejection, qos) => {
                return Err(End::Refused(rejection));
            }
            refused => refused,
        };
        let is_taken = refused.is_none() || self.level == Level::V3;
        let ticket = self.pass_on((id.filter(|_| is_taken), mark), message, refused.is_none());
        let Some(id) = id else { return Ok(()) };
        let code = refused.as_ref().map_or(reason::SUCCESS, reason_of);
        let answer = |words: Option<&str>| match qos {
            Qos::ExactlyOnce => codec::pubrec(self.level, id, code, words),
            _ => codec::puback(self.level, id, code, words),
        };
        let words = refused.filter(|_| self.wants_reasons).map(|refused| refused.to_string());
        let packet = answer(words.as_deref());
        // MQTT-3.4.2-2: no words that make the packet longer than the client takes.
        let packet = if self.fits(&packet) { packet } else { answer(None) };
        self.hold(ticket, packet);
        Ok(())
    }

    /// Gives a message to its subscribers, and notes that one of QoS 2 was taken: all of it becomes
    /// durable or none.
    fn pass_on(
        &self,
        (id, mark): (Option<u16>, Option<Mark>),
        message: Message,
        is_taken: bool,
    ) -> Ticket {
        let (connection, principal) = (self.connection, &self.principal);
        if is_taken {
            self.around.hub.observers().tell(&message.topic, &message.payload);
        }
        let passed = self.around.hub.with(|broker, now| {
            if mark.is_some() && !broker.is_open(connection) {
                // Its client has come back elsewhere, and sends it again there.
                return;
            }
            if let Some(id) = id.filter(|_| message.qos == Qos::ExactlyOnce) {
                broker.taken(connection, id);
            }
            if let Some(mark) = mark {
                broker.passed(mark);
            }
            if is_taken {
                broker.publish(now, Publisher::Client(connection, principal), message);
            }
        });
        passed.1
    }

    /// Whether a refusal can only be told by closing the connection. What can be taken later is
    /// never acknowledged, not even with a reason: to a client of MQTT 5, too, that means that it is
    /// done with the message (MQTT-4.4.0-2). It sends it again when it comes back.
    fn must_close(&self, rejection: &Rejection, qos: Qos) -> bool {
        let closes = self.around.config.refusal_v3 == RefusalV3::Close;
        let comes_again = rejection.is_temporary() && qos != Qos::AtMostOnce;
        comes_again || (closes && self.level == Level::V3)
    }
}

/// The reason code of a refusal (MQTT 5 §3.4.2.1).
const fn reason_of(rejection: &Rejection) -> u8 {
    match rejection {
        Rejection::UnknownThing { .. }
        | Rejection::BindingEnded { .. }
        | Rejection::ShutOut { .. }
        | Rejection::Unsigned { .. }
        | Rejection::NotSigning { .. }
        | Rejection::BadSignature { .. }
        | Rejection::NotAllowed { .. } => reason::NOT_AUTHORIZED,
        Rejection::NoProfile { .. } | Rejection::UnknownProperty { .. } => {
            reason::TOPIC_NAME_INVALID
        }
        Rejection::Malformed { .. }
        | Rejection::TooLarge { .. }
        | Rejection::SchemaMismatch { .. }
        | Rejection::UnitMismatch { .. }
        | Rejection::Sequence { .. }
        | Rejection::TimeOutOfRange { .. } => reason::PAYLOAD_FORMAT_INVALID,
        Rejection::QueueFull { .. } => reason::QUOTA_EXCEEDED,
        // These are never acknowledged but for QoS 0, which is not answered.
        Rejection::StreamNotReady { .. }
        | Rejection::Held { .. }
        | Rejection::Unavailable { .. } => reason::IMPLEMENTATION_SPECIFIC,
    }
}
