//! Packets of MQTT 3.1.1 and 5, as a server reads and writes them.
//!
//! Reading is strict: what the standards forbid is refused with the reason that MQTT 5 has for it,
//! and no length is believed before its bytes are there. Properties that only subscribers need are
//! kept as the bytes they came in.

mod connect;
mod properties;
mod read;
mod reader;
#[cfg(test)]
mod tests;
mod write;

use althing_edge::broker::{Qos, Subscription};

pub(crate) use connect::{Connect, ConnectWill, FirstPacketError, first_packet};
pub(crate) use read::read;
pub(crate) use write::{
    Connack, Suback, connack, disconnect, outgoing_publish, pingresp, puback, pubcomp, pubrec,
    pubrel, suback, unsuback,
};

/// The protocol level that a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    V3,
    V5,
}

/// Why bytes are no packet that a client may send now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Wrong {
    #[error("a packet is malformed")]
    Malformed,
    #[error("a packet breaks the protocol")]
    Protocol,
    #[error("a topic alias is not within the bounds")]
    TopicAlias,
    #[error("a topic is no topic name")]
    TopicName,
}

/// Reason codes of MQTT 5 (§2.4) that the gateway uses.
pub(crate) mod reason {
    pub(crate) const SUCCESS: u8 = 0x00;
    pub(crate) const NO_SUBSCRIPTION_EXISTED: u8 = 0x11;
    pub(crate) const MALFORMED_PACKET: u8 = 0x81;
    pub(crate) const PROTOCOL_ERROR: u8 = 0x82;
    pub(crate) const IMPLEMENTATION_SPECIFIC: u8 = 0x83;
    pub(crate) const UNSUPPORTED_VERSION: u8 = 0x84;
    pub(crate) const CLIENT_ID_NOT_VALID: u8 = 0x85;
    pub(crate) const BAD_USER_OR_PASSWORD: u8 = 0x86;
    pub(crate) const NOT_AUTHORIZED: u8 = 0x87;
    pub(crate) const SERVER_UNAVAILABLE: u8 = 0x88;
    pub(crate) const SERVER_BUSY: u8 = 0x89;
    pub(crate) const BANNED: u8 = 0x8a;
    pub(crate) const SERVER_SHUTTING_DOWN: u8 = 0x8b;
    pub(crate) const BAD_AUTHENTICATION_METHOD: u8 = 0x8c;
    pub(crate) const KEEP_ALIVE_TIMEOUT: u8 = 0x8d;
    pub(crate) const SESSION_TAKEN_OVER: u8 = 0x8e;
    pub(crate) const TOPIC_FILTER_INVALID: u8 = 0x8f;
    pub(crate) const TOPIC_NAME_INVALID: u8 = 0x90;
    pub(crate) const PACKET_ID_NOT_FOUND: u8 = 0x92;
    pub(crate) const RECEIVE_MAXIMUM_EXCEEDED: u8 = 0x93;
    pub(crate) const TOPIC_ALIAS_INVALID: u8 = 0x94;
    pub(crate) const PACKET_TOO_LARGE: u8 = 0x95;
    pub(crate) const QUOTA_EXCEEDED: u8 = 0x97;
    pub(crate) const PAYLOAD_FORMAT_INVALID: u8 = 0x99;

    /// Whether a code says that something failed.
    pub(crate) const fn is_failure(code: u8) -> bool {
        code >= 0x80
    }
}

/// What a client says after its CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    Publish(Publish),
    /// The subscriber has a message of QoS 1, or refuses it.
    Puback {
        id: u16,
    },
    /// The subscriber has a message of QoS 2, or refuses it.
    Pubrec {
        id: u16,
        is_taken: bool,
    },
    /// The publisher releases a message of QoS 2.
    Pubrel {
        id: u16,
    },
    /// The subscriber is done with a message of QoS 2.
    Pubcomp {
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
    Pingreq,
    /// Goodbye; perhaps with a new life of the session, seconds.
    Disconnect {
        with_will: bool,
        expiry_s: Option<u32>,
    },
}

/// A PUBLISH as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publish {
    /// With QoS 1 and 2.
    pub(crate) id: Option<u16>,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    /// Empty if the alias stands for it.
    pub(crate) topic: String,
    pub(crate) alias: Option<u16>,
    pub(crate) payload: Vec<u8>,
    /// For its subscribers, as they came.
    pub(crate) properties: Vec<u8>,
    pub(crate) expiry_s: Option<u32>,
}
