//! Packets for a client.

use althing_edge::broker::{NotGranted, Outgoing, Qos};

use super::properties::{
    ASSIGNED_CLIENT_ID, MAXIMUM_PACKET_SIZE, MESSAGE_EXPIRY, REASON_STRING, RECEIVE_MAXIMUM,
    SERVER_KEEP_ALIVE, SESSION_EXPIRY, SUBSCRIPTION_ID, TOPIC_ALIAS, TOPIC_ALIAS_MAXIMUM,
};
use super::{Level, reason};

/// Longest text in a reason, bytes; it is for people who read logs.
const REASON_BYTES_MAX: usize = 512;

/// What an MQTT 5 client is told when it is let in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Connack {
    pub(crate) is_present: bool,
    pub(crate) receive_maximum: u16,
    pub(crate) packet_bytes_max: u32,
    pub(crate) topic_aliases_max: u16,
    /// If it is not what the client asked for.
    pub(crate) expiry_s: Option<u32>,
    /// If it is not what the client asked for.
    pub(crate) keep_alive_s: Option<u16>,
    /// If the client brought none.
    pub(crate) client_id: Option<String>,
}

/// The answer to a CONNECT.
pub(crate) fn connack(level: Level, answer: Result<&Connack, u8>) -> Vec<u8> {
    let present = u8::from(answer.is_ok_and(|connack| connack.is_present));
    if level == Level::V3 {
        return packet(0x20, &[present, answer.err().map_or(0, return_code)]);
    }
    let mut body = vec![present, answer.err().unwrap_or(reason::SUCCESS)];
    let mut own = Vec::new();
    if let Ok(connack) = answer {
        own.push(RECEIVE_MAXIMUM);
        own.extend(connack.receive_maximum.to_be_bytes());
        own.push(MAXIMUM_PACKET_SIZE);
        own.extend(connack.packet_bytes_max.to_be_bytes());
        own.push(TOPIC_ALIAS_MAXIMUM);
        own.extend(connack.topic_aliases_max.to_be_bytes());
        if let Some(expiry_s) = connack.expiry_s {
            own.push(SESSION_EXPIRY);
            own.extend(expiry_s.to_be_bytes());
        }
        if let Some(keep_alive_s) = connack.keep_alive_s {
            own.push(SERVER_KEEP_ALIVE);
            own.extend(keep_alive_s.to_be_bytes());
        }
        if let Some(id) = &connack.client_id {
            own.push(ASSIGNED_CLIENT_ID);
            push_string(&mut own, id);
        }
    }
    push_properties(&mut body, &own);
    packet(0x20, &body)
}

/// The return code of MQTT 3.1.1 (§3.2.2.3) for a reason of MQTT 5.
const fn return_code(code: u8) -> u8 {
    match code {
        reason::UNSUPPORTED_VERSION => 1,
        reason::CLIENT_ID_NOT_VALID => 2,
        reason::BAD_USER_OR_PASSWORD => 4,
        reason::NOT_AUTHORIZED | reason::BANNED | reason::BAD_AUTHENTICATION_METHOD => 5,
        _ => 3,
    }
}

pub(crate) fn puback(level: Level, id: u16, code: u8, words: Option<&str>) -> Vec<u8> {
    acknowledgement(0x40, level, id, code, words)
}

pub(crate) fn pubrec(level: Level, id: u16, code: u8, words: Option<&str>) -> Vec<u8> {
    acknowledgement(0x50, level, id, code, words)
}

pub(crate) fn pubrel(level: Level, id: u16) -> Vec<u8> {
    acknowledgement(0x62, level, id, reason::SUCCESS, None)
}

pub(crate) fn pubcomp(level: Level, id: u16, code: u8) -> Vec<u8> {
    acknowledgement(0x70, level, id, code, None)
}

fn acknowledgement(first: u8, level: Level, id: u16, code: u8, words: Option<&str>) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    if level == Level::V5 && code != reason::SUCCESS {
        body.push(code);
        match words {
            Some(words) => push_reason(&mut body, words),
            None => push_properties(&mut body, &[]),
        }
    }
    packet(first, &body)
}

/// What became of one subscription.
pub(crate) type Suback = Result<Qos, NotGranted>;

pub(crate) fn suback(level: Level, id: u16, granted: &[Suback]) -> Vec<u8> {
    const FAILURE_V3: u8 = 0x80;
    let code = |granted: &Suback| match (granted, level) {
        (Ok(qos), _) => qos.number(),
        (Err(_), Level::V3) => FAILURE_V3,
        (Err(NotGranted::Invalid), _) => reason::TOPIC_FILTER_INVALID,
        (Err(NotGranted::NotAllowed), _) => reason::NOT_AUTHORIZED,
        (Err(NotGranted::Full), _) => reason::QUOTA_EXCEEDED,
        (Err(NotGranted::Gone), _) => reason::IMPLEMENTATION_SPECIFIC,
    };
    let mut body = id.to_be_bytes().to_vec();
    if level == Level::V5 {
        body.push(0);
    }
    body.extend(granted.iter().map(code));
    packet(0x90, &body)
}

pub(crate) fn unsuback(level: Level, id: u16, existed: &[bool]) -> Vec<u8> {
    let code = |existed: &bool| match existed {
        true => reason::SUCCESS,
        false => reason::NO_SUBSCRIPTION_EXISTED,
    };
    let mut body = id.to_be_bytes().to_vec();
    if level == Level::V5 {
        body.push(0);
        body.extend(existed.iter().map(code));
    }
    packet(0xb0, &body)
}

pub(crate) fn pingresp() -> Vec<u8> {
    packet(0xd0, &[])
}

/// Why the gateway ends a connection, perhaps in words; only MQTT 5 clients can be told.
pub(crate) fn disconnect(code: u8, words: Option<&str>) -> Vec<u8> {
    let mut body = vec![code];
    if let Some(words) = words {
        push_reason(&mut body, words);
    }
    packet(0xe0, &body)
}

/// A message for a subscriber: `alias` stands for its topic, which is told along with it if
/// `is_alias_new`. `expiry_s` is what is left of its time.
pub(crate) fn outgoing_publish(
    level: Level,
    outgoing: &Outgoing,
    alias: Option<(u16, bool)>,
    expiry_s: Option<u32>,
) -> Vec<u8> {
    let message = outgoing.message();
    let first = 0x30
        | u8::from(outgoing.is_duplicate) << 3
        | outgoing.qos.number() << 1
        | u8::from(outgoing.retain);
    let mut body = Vec::with_capacity(message.topic.len() + message.payload.len() + 32);
    let is_told = alias.is_none_or(|(_, is_new)| is_new);
    push_string(&mut body, if is_told { &message.topic } else { "" });
    if let Some(id) = outgoing.id {
        body.extend(id.to_be_bytes());
    }
    if level == Level::V5 {
        let mut own = message.properties.clone();
        if let Some((alias, _)) = alias {
            own.push(TOPIC_ALIAS);
            own.extend(alias.to_be_bytes());
        }
        if let Some(expiry_s) = expiry_s {
            own.push(MESSAGE_EXPIRY);
            own.extend(expiry_s.to_be_bytes());
        }
        for id in &outgoing.subscription_ids {
            own.push(SUBSCRIPTION_ID);
            push_variable_int(&mut own, usize::try_from(*id).unwrap_or(usize::MAX));
        }
        push_properties(&mut body, &own);
    }
    body.extend_from_slice(&message.payload);
    packet(first, &body)
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 5);
    bytes.push(first);
    push_variable_int(&mut bytes, body.len());
    bytes.extend_from_slice(body);
    bytes
}

fn push_properties(body: &mut Vec<u8>, properties: &[u8]) {
    push_variable_int(body, properties.len());
    body.extend_from_slice(properties);
}

fn push_reason(body: &mut Vec<u8>, words: &str) {
    let end = words.floor_char_boundary(REASON_BYTES_MAX);
    let mut own = vec![REASON_STRING];
    push_string(&mut own, &words[..end]);
    push_properties(body, &own);
}

/// A string that is known to be short enough for its length.
fn push_string(body: &mut Vec<u8>, text: &str) {
    let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
    body.extend(len.to_be_bytes());
    body.extend_from_slice(&text.as_bytes()[..usize::from(len)]);
}

fn push_variable_int(body: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0x7f);
        value >>= 7;
        body.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}
