use althing_edge::broker::filter::is_topic_name;

use super::Wrong;
use super::reader::Reader;

/// What the properties of a packet say. A packet has only those of its list, each once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Properties {
    pub(super) expiry_s: Option<u32>,
    pub(super) session_expiry_s: Option<u32>,
    pub(super) will_delay_s: Option<u32>,
    pub(super) receive_maximum: Option<u16>,
    pub(super) packet_bytes_max: Option<u32>,
    pub(super) topic_aliases_max: Option<u16>,
    pub(super) topic_alias: Option<u16>,
    pub(super) subscription_id: Option<u32>,
    pub(super) wants_reasons: Option<bool>,
    pub(super) has_authentication: bool,
    /// What subscribers get, as it came.
    pub(super) forwarded: Vec<u8>,
}

pub(super) const PAYLOAD_FORMAT: u8 = 0x01;
pub(super) const MESSAGE_EXPIRY: u8 = 0x02;
pub(super) const CONTENT_TYPE: u8 = 0x03;
pub(super) const RESPONSE_TOPIC: u8 = 0x08;
pub(super) const CORRELATION_DATA: u8 = 0x09;
pub(super) const SUBSCRIPTION_ID: u8 = 0x0b;
pub(super) const SESSION_EXPIRY: u8 = 0x11;
pub(super) const ASSIGNED_CLIENT_ID: u8 = 0x12;
pub(super) const SERVER_KEEP_ALIVE: u8 = 0x13;
pub(super) const AUTHENTICATION_METHOD: u8 = 0x15;
pub(super) const AUTHENTICATION_DATA: u8 = 0x16;
pub(super) const REQUEST_PROBLEM: u8 = 0x17;
pub(super) const WILL_DELAY: u8 = 0x18;
pub(super) const REQUEST_RESPONSE: u8 = 0x19;
pub(super) const REASON_STRING: u8 = 0x1f;
pub(super) const RECEIVE_MAXIMUM: u8 = 0x21;
pub(super) const TOPIC_ALIAS_MAXIMUM: u8 = 0x22;
pub(super) const TOPIC_ALIAS: u8 = 0x23;
pub(super) const USER_PROPERTY: u8 = 0x26;
pub(super) const MAXIMUM_PACKET_SIZE: u8 = 0x27;

/// Properties that each packet of a client may have (MQTT 5 §2.2.2.2).
pub(super) const CONNECT: &[u8] = &[
    SESSION_EXPIRY,
    RECEIVE_MAXIMUM,
    MAXIMUM_PACKET_SIZE,
    TOPIC_ALIAS_MAXIMUM,
    REQUEST_RESPONSE,
    REQUEST_PROBLEM,
    USER_PROPERTY,
    AUTHENTICATION_METHOD,
    AUTHENTICATION_DATA,
];
pub(super) const WILL: &[u8] = &[
    WILL_DELAY,
    PAYLOAD_FORMAT,
    MESSAGE_EXPIRY,
    CONTENT_TYPE,
    RESPONSE_TOPIC,
    CORRELATION_DATA,
    USER_PROPERTY,
];
pub(super) const PUBLISH: &[u8] = &[
    PAYLOAD_FORMAT,
    MESSAGE_EXPIRY,
    TOPIC_ALIAS,
    RESPONSE_TOPIC,
    CORRELATION_DATA,
    USER_PROPERTY,
    CONTENT_TYPE,
];
pub(super) const ACKNOWLEDGEMENT: &[u8] = &[REASON_STRING, USER_PROPERTY];
pub(super) const SUBSCRIBE: &[u8] = &[SUBSCRIPTION_ID, USER_PROPERTY];
pub(super) const UNSUBSCRIBE: &[u8] = &[USER_PROPERTY];
pub(super) const DISCONNECT: &[u8] = &[SESSION_EXPIRY, REASON_STRING, USER_PROPERTY];

const FORWARDED: &[u8] =
    &[PAYLOAD_FORMAT, CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION_DATA, USER_PROPERTY];

impl Properties {
    /// Reads the properties of a packet that may have these.
    pub(super) fn read(reader: &mut Reader<'_>, allowed: &[u8]) -> Result<Self, Wrong> {
        let len = usize::try_from(reader.variable_int()?).map_err(|_| Wrong::Malformed)?;
        let mut rest = Reader(reader.take(len)?);
        let mut properties = Self::default();
        // Identifiers are below 64.
        let mut seen = 0_u64;
        while !rest.is_empty() {
            let before = rest.0;
            let identifier = rest.u8()?;
            if !allowed.contains(&identifier) {
                return Err(Wrong::Malformed);
            }
            let is_again = seen & 1 << identifier != 0;
            if is_again && identifier != USER_PROPERTY {
                return Err(Wrong::Protocol);
            }
            seen |= 1 << identifier;
            properties.read_one(identifier, &mut rest)?;
            if FORWARDED.contains(&identifier) {
                let len = before.len() - rest.0.len();
                properties.forwarded.extend_from_slice(before.get(..len).ok_or(Wrong::Malformed)?);
            }
        }
        let has = |identifier: u8| seen & 1 << identifier != 0;
        if has(AUTHENTICATION_DATA) && !has(AUTHENTICATION_METHOD) {
            return Err(Wrong::Protocol);
        }
        properties.has_authentication = has(AUTHENTICATION_METHOD);
        Ok(properties)
    }

    fn read_one(&mut self, identifier: u8, from: &mut Reader<'_>) -> Result<(), Wrong> {
        match identifier {
            PAYLOAD_FORMAT | REQUEST_RESPONSE => flag(from).map(drop)?,
            REQUEST_PROBLEM => self.wants_reasons = Some(flag(from)?),
            MESSAGE_EXPIRY => self.expiry_s = Some(from.u32()?),
            SESSION_EXPIRY => self.session_expiry_s = Some(from.u32()?),
            WILL_DELAY => self.will_delay_s = Some(from.u32()?),
            RECEIVE_MAXIMUM => self.receive_maximum = Some(from.id()?),
            MAXIMUM_PACKET_SIZE => self.packet_bytes_max = Some(positive(from.u32()?)?),
            TOPIC_ALIAS_MAXIMUM => self.topic_aliases_max = Some(from.u16()?),
            TOPIC_ALIAS => self.topic_alias = Some(from.u16()?),
            SUBSCRIPTION_ID => self.subscription_id = Some(positive(from.variable_int()?)?),
            RESPONSE_TOPIC => {
                if !is_topic_name(from.string()?) {
                    return Err(Wrong::Protocol);
                }
            }
            CONTENT_TYPE | REASON_STRING | AUTHENTICATION_METHOD => {
                from.string()?;
            }
            CORRELATION_DATA | AUTHENTICATION_DATA => {
                from.binary()?;
            }
            USER_PROPERTY => {
                from.string()?;
                from.string()?;
            }
            _ => return Err(Wrong::Malformed),
        }
        Ok(())
    }
}

fn flag(from: &mut Reader<'_>) -> Result<bool, Wrong> {
    match from.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Wrong::Protocol),
    }
}

const fn positive(value: u32) -> Result<u32, Wrong> {
    if value == 0 { Err(Wrong::Protocol) } else { Ok(value) }
}
