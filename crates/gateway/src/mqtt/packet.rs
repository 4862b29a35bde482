//! MQTT 3.1.1 and 5 in one form: what a client says, and what it is told.

use std::time::Duration;

use althing_edge::Rejection;
use mqtt_protocol_core::mqtt::packet::{
    AssignedClientIdentifier, GenericPacket, MessageExpiryInterval, Property, Qos, ReasonString,
    ReceiveMaximum, ServerKeepAlive, SessionExpiryInterval, SharedSubscriptionAvailable, SubEntry,
    SubscriptionIdentifier, TopicAliasMaximum, v3_1_1 as v3, v5_0 as v5,
};
use mqtt_protocol_core::mqtt::result_code::{
    ConnectReasonCode, ConnectReturnCode, DisconnectReasonCode, MqttError, PubackReasonCode,
    PubcompReasonCode, PubrecReasonCode, SubackReasonCode, SubackReturnCode, UnsubackReasonCode,
};
use tokio::time::Instant;

use super::broker::{Delivery, Message, Subscription};
use crate::config::MqttConfig;

pub(crate) type Packet = GenericPacket<u16>;

/// The protocol level that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    V3,
    V5,
}

/// What a client says, as far as the gateway acts on it.
#[derive(Debug)]
pub(crate) enum Said {
    Connect(Box<Connect>),
    Publish {
        id: Option<u16>,
        message: Message,
    },
    /// The subscriber has a message of QoS 2, or refuses it.
    Received {
        id: u16,
        is_taken: bool,
    },
    /// The publisher releases a message of QoS 2.
    Release {
        id: u16,
    },
    Subscribe {
        id: u16,
        subscriptions: Vec<Subscription>,
    },
    Unsubscribe {
        id: u16,
        filters: Vec<String>,
    },
    Disconnect {
        with_will: bool,
    },
    /// Nothing that needs an answer here.
    Other,
}

/// A CONNECT.
#[derive(Debug)]
pub(crate) struct Connect {
    pub(crate) level: Level,
    pub(crate) client_id: String,
    pub(crate) is_clean: bool,
    pub(crate) keep_alive_s: u16,
    pub(crate) will: Option<Message>,
    /// Whether it asked for a session that outlives the connection.
    pub(crate) wants_session: bool,
    /// Whether reasons may be told in words (MQTT 5 §3.1.2.11.7).
    pub(crate) wants_reasons: bool,
}

impl Said {
    pub(crate) fn of(packet: Packet) -> Self {
        match packet {
            Packet::V3_1_1Connect(connect) => Self::Connect(Box::new(Connect::of_v3(&connect))),
            Packet::V5_0Connect(connect) => Self::Connect(Box::new(Connect::of_v5(&connect))),
            Packet::V3_1_1Publish(publish) => Self::Publish {
                id: publish.packet_id(),
                message: Message {
                    topic: publish.topic_name().to_owned(),
                    payload: publish.payload().as_slice().to_vec(),
                    qos: publish.qos(),
                    retain: publish.retain(),
                    properties: Vec::new(),
                    expires: None,
                },
            },
            Packet::V5_0Publish(publish) => Self::Publish {
                id: publish.packet_id(),
                message: Message {
                    topic: publish.topic_name().to_owned(),
                    payload: publish.payload().as_slice().to_vec(),
                    qos: publish.qos(),
                    retain: publish.retain(),
                    properties: forwarded(publish.props()),
                    expires: expiry(publish.props()),
                },
            },
            Packet::V3_1_1Pubrec(pubrec) => {
                Self::Received { id: pubrec.packet_id(), is_taken: true }
            }
            Packet::V5_0Pubrec(pubrec) => Self::Received {
                id: pubrec.packet_id(),
                is_taken: pubrec.reason_code().is_none_or(|code| !code.is_failure()),
            },
            Packet::V3_1_1Pubrel(pubrel) => Self::Release { id: pubrel.packet_id() },
            Packet::V5_0Pubrel(pubrel) => Self::Release { id: pubrel.packet_id() },
            Packet::V3_1_1Subscribe(subscribe) => Self::Subscribe {
                id: subscribe.packet_id(),
                subscriptions: subscriptions(subscribe.entries(), &[]),
            },
            Packet::V5_0Subscribe(subscribe) => Self::Subscribe {
                id: subscribe.packet_id(),
                subscriptions: subscriptions(subscribe.entries(), subscribe.props()),
            },
            Packet::V3_1_1Unsubscribe(unsubscribe) => Self::Unsubscribe {
                id: unsubscribe.packet_id(),
                filters: unsubscribe.entries().iter().map(|f| f.as_str().to_owned()).collect(),
            },
            Packet::V5_0Unsubscribe(unsubscribe) => Self::Unsubscribe {
                id: unsubscribe.packet_id(),
                filters: unsubscribe.entries().iter().map(|f| f.as_str().to_owned()).collect(),
            },
            Packet::V3_1_1Disconnect(_) => Self::Disconnect { with_will: false },
            Packet::V5_0Disconnect(disconnect) => Self::Disconnect {
                with_will: disconnect
                    .reason_code()
                    .is_some_and(|code| code != DisconnectReasonCode::NormalDisconnection),
            },
            _ => Self::Other,
        }
    }
}

impl Connect {
    fn of_v3(connect: &v3::Connect) -> Self {
        let will = connect.will_topic().map(|topic| Message {
            topic: topic.to_owned(),
            payload: connect.will_payload().unwrap_or_default().to_vec(),
            qos: connect.will_qos(),
            retain: connect.will_retain(),
            properties: Vec::new(),
            expires: None,
        });
        Self {
            level: Level::V3,
            client_id: connect.client_id().to_owned(),
            is_clean: connect.clean_session(),
            keep_alive_s: connect.keep_alive(),
            will,
            wants_session: !connect.clean_session(),
            wants_reasons: false,
        }
    }

    fn of_v5(connect: &v5::Connect) -> Self {
        let will = connect.will_topic().map(|topic| Message {
            topic: topic.to_owned(),
            payload: connect.will_payload().unwrap_or_default().to_vec(),
            qos: connect.will_qos(),
            retain: connect.will_retain(),
            properties: forwarded(connect.will_props()),
            expires: expiry(connect.will_props()),
        });
        let session = |p: &Property| matches!(p, Property::SessionExpiryInterval(s) if s.val() > 0);
        let silent =
            |p: &Property| matches!(p, Property::RequestProblemInformation(r) if r.val() == 0);
        Self {
            level: Level::V5,
            client_id: connect.client_id().to_owned(),
            is_clean: connect.clean_start(),
            keep_alive_s: connect.keep_alive(),
            will,
            wants_session: connect.props().iter().any(session),
            wants_reasons: !connect.props().iter().any(silent),
        }
    }

    /// The answer that takes the client, with what it must know.
    pub(crate) fn accept(
        &self,
        config: &MqttConfig,
        assigned_id: Option<&str>,
    ) -> Result<Packet, MqttError> {
        if self.level == Level::V3 {
            let connack = v3::Connack::builder().session_present(false);
            return Ok(connack.return_code(ConnectReturnCode::Accepted).build()?.into());
        }
        // The maximum packet size is added by the protocol library.
        let mut properties: Vec<Property> = vec![
            ReceiveMaximum::new(config.inflight_max)?.into(),
            SharedSubscriptionAvailable::new(0)?.into(),
        ];
        if config.topic_aliases_max > 0 {
            properties.push(TopicAliasMaximum::new(config.topic_aliases_max)?.into());
        }
        if self.wants_session {
            properties.push(SessionExpiryInterval::new(0)?.into());
        }
        if let Some(id) = assigned_id {
            properties.push(AssignedClientIdentifier::new(id)?.into());
        }
        if self.keep_alive_s == 0 || self.keep_alive_s > config.keep_alive_s_max {
            properties.push(ServerKeepAlive::new(config.keep_alive_s_max)?.into());
        }
        let connack = v5::Connack::builder().session_present(false);
        Ok(connack.reason_code(ConnectReasonCode::Success).props(properties).build()?.into())
    }

    /// The answer that turns the client away because of its id.
    pub(crate) fn refuse_id(&self) -> Result<Packet, MqttError> {
        Ok(match self.level {
            Level::V3 => v3::Connack::builder()
                .session_present(false)
                .return_code(ConnectReturnCode::IdentifierRejected)
                .build()?
                .into(),
            Level::V5 => v5::Connack::builder()
                .session_present(false)
                .reason_code(ConnectReasonCode::ClientIdentifierNotValid)
                .build()?
                .into(),
        })
    }
}

/// The properties of a publish that its subscribers get (MQTT 5 §3.3.2.3).
fn forwarded(properties: &[Property]) -> Vec<Property> {
    let is_forwarded = |property: &&Property| {
        matches!(
            property,
            Property::PayloadFormatIndicator(_)
                | Property::ContentType(_)
                | Property::ResponseTopic(_)
                | Property::CorrelationData(_)
                | Property::UserProperty(_)
        )
    };
    properties.iter().filter(is_forwarded).cloned().collect()
}

fn expiry(properties: &[Property]) -> Option<Instant> {
    properties.iter().find_map(|property| match property {
        Property::MessageExpiryInterval(interval) => {
            Instant::now().checked_add(Duration::from_secs(interval.val().into()))
        }
        _ => None,
    })
}

fn subscriptions(entries: &[SubEntry], properties: &[Property]) -> Vec<Subscription> {
    let id = properties.iter().find_map(|property| match property {
        Property::SubscriptionIdentifier(id) => Some(id.val()),
        _ => None,
    });
    let subscription = |entry: &SubEntry| {
        let options = entry.sub_opts();
        Subscription {
            filter: entry.topic_filter().to_owned(),
            qos: options.qos(),
            no_local: options.nl(),
            retain_as_published: options.rap(),
            retain_handling: options.rh(),
            id,
        }
    };
    entries.iter().map(subscription).collect()
}

/// What became of one subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Granted {
    Qos(Qos),
    /// The filter is no topic filter.
    Invalid,
    /// Shared subscriptions are not served.
    Shared,
    /// The client has as many as it may.
    Full,
}

impl Granted {
    const fn v3(self) -> SubackReturnCode {
        match self {
            Self::Qos(Qos::AtMostOnce) => SubackReturnCode::SuccessMaximumQos0,
            Self::Qos(Qos::AtLeastOnce) => SubackReturnCode::SuccessMaximumQos1,
            Self::Qos(Qos::ExactlyOnce) => SubackReturnCode::SuccessMaximumQos2,
            _ => SubackReturnCode::Failure,
        }
    }

    const fn v5(self) -> SubackReasonCode {
        match self {
            Self::Qos(Qos::AtMostOnce) => SubackReasonCode::GrantedQos0,
            Self::Qos(Qos::AtLeastOnce) => SubackReasonCode::GrantedQos1,
            Self::Qos(Qos::ExactlyOnce) => SubackReasonCode::GrantedQos2,
            Self::Invalid => SubackReasonCode::TopicFilterInvalid,
            Self::Shared => SubackReasonCode::SharedSubscriptionsNotSupported,
            Self::Full => SubackReasonCode::QuotaExceeded,
        }
    }
}

pub(crate) fn suback(level: Level, id: u16, granted: &[Granted]) -> Result<Packet, MqttError> {
    Ok(match level {
        Level::V3 => {
            let codes = granted.iter().map(|granted| granted.v3()).collect();
            v3::Suback::builder().packet_id(id).return_codes(codes).build()?.into()
        }
        Level::V5 => {
            let codes = granted.iter().map(|granted| granted.v5()).collect();
            v5::Suback::builder().packet_id(id).reason_codes(codes).build()?.into()
        }
    })
}

pub(crate) fn unsuback(level: Level, id: u16, existed: &[bool]) -> Result<Packet, MqttError> {
    let code = |existed: &bool| match existed {
        true => UnsubackReasonCode::Success,
        false => UnsubackReasonCode::NoSubscriptionExisted,
    };
    Ok(match level {
        Level::V3 => v3::Unsuback::builder().packet_id(id).build()?.into(),
        Level::V5 => {
            let codes = existed.iter().map(code).collect();
            v5::Unsuback::builder().packet_id(id).reason_codes(codes).build()?.into()
        }
    })
}

/// The reason code of a refusal (MQTT 5 §3.4.2.1).
const fn reason(rejection: &Rejection) -> PubackReasonCode {
    match rejection {
        Rejection::UnknownThing { .. }
        | Rejection::BindingEnded { .. }
        | Rejection::Unsigned { .. }
        | Rejection::NotSigning { .. }
        | Rejection::BadSignature { .. } => PubackReasonCode::NotAuthorized,
        Rejection::NoProfile { .. } | Rejection::UnknownProperty { .. } => {
            PubackReasonCode::TopicNameInvalid
        }
        Rejection::Malformed { .. }
        | Rejection::TooLarge { .. }
        | Rejection::SchemaMismatch { .. }
        | Rejection::UnitMismatch { .. }
        | Rejection::Sequence { .. }
        | Rejection::TimeOutOfRange { .. } => PubackReasonCode::PayloadFormatInvalid,
        Rejection::QueueFull { .. } => PubackReasonCode::QuotaExceeded,
        // These are never acknowledged but for QoS 0, which is not answered.
        Rejection::StreamNotReady { .. }
        | Rejection::Held { .. }
        | Rejection::Unavailable { .. } => PubackReasonCode::ImplementationSpecificError,
    }
}

/// The answer to a publish of QoS 1 or 2. MQTT 3.1.1 has no refusals: there it always accepts.
pub(crate) fn acknowledge(
    level: Level,
    qos: Qos,
    id: u16,
    refused: Option<&Rejection>,
    in_words: bool,
) -> Result<Packet, MqttError> {
    let is_once = qos == Qos::AtLeastOnce;
    let words =
        refused.filter(|_| in_words).map(|rejection| ReasonString::new(rejection.to_string()));
    let properties: Vec<Property> = words.transpose()?.into_iter().map(Into::into).collect();
    Ok(match (level, is_once, refused.map(reason)) {
        (Level::V3, true, _) => v3::Puback::builder().packet_id(id).build()?.into(),
        (Level::V3, false, _) => v3::Pubrec::builder().packet_id(id).build()?.into(),
        (Level::V5, true, None) => v5::Puback::builder().packet_id(id).build()?.into(),
        (Level::V5, false, None) => v5::Pubrec::builder().packet_id(id).build()?.into(),
        (Level::V5, true, Some(reason)) => {
            let puback = v5::Puback::builder().packet_id(id).reason_code(reason);
            puback.props(properties).build()?.into()
        }
        (Level::V5, false, Some(reason)) => {
            // The two tables of codes are the same (MQTT 5 §3.5.2.1).
            let reason = PubrecReasonCode::try_from(reason as u8)
                .unwrap_or(PubrecReasonCode::UnspecifiedError);
            let pubrec = v5::Pubrec::builder().packet_id(id).reason_code(reason);
            pubrec.props(properties).build()?.into()
        }
    })
}

pub(crate) fn pubrel(level: Level, id: u16) -> Result<Packet, MqttError> {
    Ok(match level {
        Level::V3 => v3::Pubrel::builder().packet_id(id).build()?.into(),
        Level::V5 => v5::Pubrel::builder().packet_id(id).build()?.into(),
    })
}

pub(crate) fn pubcomp(level: Level, id: u16, is_known: bool) -> Result<Packet, MqttError> {
    let unknown = PubcompReasonCode::PacketIdentifierNotFound;
    Ok(match (level, is_known) {
        (Level::V3, _) => v3::Pubcomp::builder().packet_id(id).build()?.into(),
        (Level::V5, true) => v5::Pubcomp::builder().packet_id(id).build()?.into(),
        (Level::V5, false) => {
            v5::Pubcomp::builder().packet_id(id).reason_code(unknown).build()?.into()
        }
    })
}

/// A message for a subscriber, with a packet id if its QoS wants one.
pub(crate) fn publish(
    level: Level,
    delivery: &Delivery,
    id: Option<u16>,
) -> Result<Packet, MqttError> {
    let message = &delivery.message;
    let (topic, payload) = (message.topic.as_str(), message.payload.clone());
    if level == Level::V3 {
        let mut publish = v3::Publish::builder().topic_name(topic)?.qos(delivery.qos);
        publish = publish.retain(delivery.retain).payload(payload);
        if let Some(id) = id {
            publish = publish.packet_id(id);
        }
        return Ok(publish.build()?.into());
    }
    let mut properties = message.properties.clone();
    for id in &delivery.subscription_ids {
        properties.push(SubscriptionIdentifier::new(*id)?.into());
    }
    if let Some(expires) = message.expires {
        let left = expires.saturating_duration_since(Instant::now()).as_secs();
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        properties.push(MessageExpiryInterval::new(left)?.into());
    }
    let mut publish = v5::Publish::builder().topic_name(topic)?.qos(delivery.qos);
    publish = publish.retain(delivery.retain).payload(payload).props(properties);
    if let Some(id) = id {
        publish = publish.packet_id(id);
    }
    Ok(publish.build()?.into())
}

/// Why the gateway ends a connection, perhaps in words; only MQTT 5 clients can be told.
pub(crate) fn disconnect(
    reason: DisconnectReasonCode,
    words: Option<&str>,
) -> Result<Packet, MqttError> {
    let disconnect = v5::Disconnect::builder().reason_code(reason);
    let Some(words) = words else { return Ok(disconnect.build()?.into()) };
    let properties: Vec<Property> = vec![ReasonString::new(words)?.into()];
    Ok(disconnect.props(properties).build()?.into())
}
