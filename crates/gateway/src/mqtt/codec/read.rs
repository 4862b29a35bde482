//! Packets after the CONNECT.

use althing_edge::broker::filter::is_topic_name;
use althing_edge::broker::{Options, Qos, Subscription, WantsRetained};

use super::properties::{self, Properties};
use super::reader::Reader;
use super::{Level, Publish, Said, Wrong, reason};

/// Reads a whole packet, whose first byte is known to be valid.
pub(crate) fn read(level: Level, packet: &[u8]) -> Result<Said, Wrong> {
    let mut from = Reader(packet);
    let first = from.u8()?;
    from.variable_int()?;
    match first >> 4 {
        3 => publish(level, first, from).map(Said::Publish),
        4 => acknowledgement(level, from, PUBACK).map(|(id, _)| Said::Puback { id }),
        5 => acknowledgement(level, from, PUBACK)
            .map(|(id, code)| Said::Pubrec { id, is_taken: !reason::is_failure(code) }),
        6 => acknowledgement(level, from, RELEASE).map(|(id, _)| Said::Pubrel { id }),
        7 => acknowledgement(level, from, RELEASE).map(|(id, _)| Said::Pubcomp { id }),
        8 => subscribe(level, from),
        10 => unsubscribe(level, from),
        12 => from.end().map(|()| Said::Pingreq),
        14 => disconnect(level, from),
        // CONNECT again, a server's packets, and AUTH, which nobody was asked for.
        _ => Err(Wrong::Protocol),
    }
}

/// Reason codes of PUBACK and PUBREC, and of PUBREL and PUBCOMP (MQTT 5 §2.4).
const PUBACK: &[u8] = &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
const RELEASE: &[u8] = &[0x00, 0x92];

fn publish(level: Level, first: u8, mut from: Reader<'_>) -> Result<Publish, Wrong> {
    let qos = Qos::from_number(first >> 1 & 0x03).ok_or(Wrong::Malformed)?;
    let topic = from.string()?;
    let id = (qos != Qos::AtMostOnce).then(|| from.id()).transpose()?;
    let own = match level {
        Level::V3 => Properties::default(),
        Level::V5 => Properties::read(&mut from, properties::PUBLISH)?,
    };
    if own.topic_alias == Some(0) {
        return Err(Wrong::TopicAlias);
    }
    let is_aliased = topic.is_empty() && own.topic_alias.is_some();
    if topic.is_empty() && level == Level::V5 && !is_aliased {
        return Err(Wrong::Protocol);
    }
    if !is_aliased && !is_topic_name(topic) {
        return Err(Wrong::TopicName);
    }
    Ok(Publish {
        id,
        qos,
        retain: first & 0x01 != 0,
        topic: topic.to_owned(),
        alias: own.topic_alias,
        payload: from.0.to_vec(),
        properties: own.forwarded,
        expiry_s: own.expiry_s,
    })
}

fn acknowledgement(level: Level, mut from: Reader<'_>, codes: &[u8]) -> Result<(u16, u8), Wrong> {
    let id = from.id()?;
    let mut code = reason::SUCCESS;
    if level == Level::V5 && !from.is_empty() {
        code = from.u8()?;
        if !codes.contains(&code) {
            return Err(Wrong::Malformed);
        }
        if !from.is_empty() {
            Properties::read(&mut from, properties::ACKNOWLEDGEMENT)?;
        }
    }
    from.end()?;
    Ok((id, code))
}

fn subscribe(level: Level, mut from: Reader<'_>) -> Result<Said, Wrong> {
    let id = from.id()?;
    let own = match level {
        Level::V3 => Properties::default(),
        Level::V5 => Properties::read(&mut from, properties::SUBSCRIBE)?,
    };
    let mut subscriptions = Vec::new();
    while !from.is_empty() {
        let filter = from.string()?;
        let (options, retained) = options(level, from.u8()?, own.subscription_id)?;
        // MQTT-3.8.3-4: a group has no member that published it itself.
        if options.no_local && filter.starts_with("$share/") {
            return Err(Wrong::Protocol);
        }
        subscriptions.push(Subscription { filter: filter.to_owned(), options, retained });
    }
    if subscriptions.is_empty() {
        return Err(Wrong::Protocol);
    }
    Ok(Said::Subscribe { id, subscriptions })
}

fn options(level: Level, byte: u8, id: Option<u32>) -> Result<(Options, WantsRetained), Wrong> {
    let qos = Qos::from_number(byte & 0x03).ok_or(Wrong::Malformed)?;
    let reserved = if level == Level::V3 { 0xfc } else { 0xc0 };
    if byte & reserved != 0 {
        return Err(Wrong::Malformed);
    }
    let retained = match byte >> 4 & 0x03 {
        0 => WantsRetained::Always,
        1 => WantsRetained::IfNew,
        2 => WantsRetained::Never,
        _ => return Err(Wrong::Protocol),
    };
    let (no_local, retain_as_published) = (byte & 0x04 != 0, byte & 0x08 != 0);
    Ok((Options { qos, no_local, retain_as_published, id }, retained))
}

fn unsubscribe(level: Level, mut from: Reader<'_>) -> Result<Said, Wrong> {
    let id = from.id()?;
    if level == Level::V5 {
        Properties::read(&mut from, properties::UNSUBSCRIBE)?;
    }
    let mut filters = Vec::new();
    while !from.is_empty() {
        filters.push(from.string()?.to_owned());
    }
    if filters.is_empty() { Err(Wrong::Protocol) } else { Ok(Said::Unsubscribe { id, filters }) }
}

fn disconnect(level: Level, mut from: Reader<'_>) -> Result<Said, Wrong> {
    const WITH_WILL: u8 = 0x04;
    let (mut code, mut expiry_s) = (reason::SUCCESS, None);
    if level == Level::V5 && !from.is_empty() {
        code = from.u8()?;
        if !matches!(code, 0x00 | WITH_WILL | 0x80..=0x83 | 0x90 | 0x93..=0x99) {
            return Err(Wrong::Malformed);
        }
        if !from.is_empty() {
            expiry_s = Properties::read(&mut from, properties::DISCONNECT)?.session_expiry_s;
        }
    }
    from.end()?;
    // MQTT-3.1.2-10: only a normal goodbye makes the will void.
    Ok(Said::Disconnect { with_will: code != reason::SUCCESS, expiry_s })
}
