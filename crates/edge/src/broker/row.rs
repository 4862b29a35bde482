//! What of sessions and retained messages is kept on disk: rows of a key and a value.
//!
//! ```text
//! 's' session(8)            [client, principal, expiry_s, ends_ms | null, [[filter, qos, flags, id | null], ...]]
//! 'q' session(8) number(8)  [message, qos, retain, [subscription id, ...], is_received]
//! 'i' session(8) id(2)      []                           a message of QoS 2 not yet released
//! 't' session(8)            [number]                     the last message of QoS 2 that was taken
//! 'r' topic                 message
//! 'w' session(8) number(8)  [client, principal, message, retain, delay_s, expiry_s | null, is_due]
//!
//! message    [topic, payload, qos, properties, expires_ms | null, principal | null]
//! principal  [0] anonymous | [1, user] | [2, entity]
//! ```
//! Integers in keys are big-endian. Values are canonical CBOR.

use std::collections::BTreeMap;
use std::sync::Arc;

use althing_types::EntityId;
use minicbor::data::Type;
use minicbor::decode::Error;
use minicbor::{Decoder, Encoder};

use super::message::{Delivery, Message, Published, Qos};
use super::session::{Session, SessionNo, Waiting, Will};
use super::tree::Options;
use crate::Principal;

/// A row that is to be written, or removed if it has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Its key.
    pub key: Vec<u8>,
    /// Its value.
    pub value: Option<Vec<u8>>,
}

/// A row, read.
#[derive(Debug)]
pub(super) enum Row {
    Session { no: SessionNo, session: Box<Session> },
    Waiting { no: SessionNo, number: u64, waiting: Waiting },
    Unreleased { no: SessionNo, id: u16 },
    Passed { no: SessionNo, number: u64 },
    Retained(Arc<Published>),
    Will(Box<StoredWill>),
}

/// A will as it is on disk; it may outlive its session there.
#[derive(Debug)]
pub(super) struct StoredWill {
    pub(super) no: SessionNo,
    pub(super) number: u64,
    pub(super) client: String,
    pub(super) principal: Principal,
    pub(super) will: Will,
    /// Whether it is on its way to be published.
    pub(super) is_due: bool,
}

/// A row is not what this version writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row of the sessions' store is damaged, or of another version")]
pub struct RowError;

type Written = Vec<u8>;
type Encoded = Result<(), minicbor::encode::Error<core::convert::Infallible>>;

/// Most subscriptions of one row; a configuration may allow fewer.
const SUBSCRIPTIONS_MAX: u64 = 65_536;
/// Most subscription identifiers of one delivery.
const IDS_MAX: u64 = 65_536;

fn cbor(encode: impl FnOnce(&mut Encoder<&mut Written>) -> Encoded) -> Vec<u8> {
    let mut bytes = Vec::new();
    match encode(&mut Encoder::new(&mut bytes)) {
        Ok(()) => bytes,
        // A vector takes whatever is written to it.
        Err(_) => unreachable!("writing to memory failed"),
    }
}

fn session_key(no: SessionNo) -> Vec<u8> {
    [&b"s"[..], &no.0.to_be_bytes()].concat()
}

fn waiting_key(no: SessionNo, number: u64) -> Vec<u8> {
    [&b"q"[..], &no.0.to_be_bytes(), &number.to_be_bytes()].concat()
}

fn unreleased_key(no: SessionNo, id: u16) -> Vec<u8> {
    [&b"i"[..], &no.0.to_be_bytes(), &id.to_be_bytes()].concat()
}

fn passed_key(no: SessionNo) -> Vec<u8> {
    [&b"t"[..], &no.0.to_be_bytes()].concat()
}

fn will_key(no: SessionNo, number: u64) -> Vec<u8> {
    [&b"w"[..], &no.0.to_be_bytes(), &number.to_be_bytes()].concat()
}

fn retained_key(topic: &str) -> Vec<u8> {
    [&b"r"[..], topic.as_bytes()].concat()
}

pub(super) fn put_session(no: SessionNo, session: &Session) -> Write {
    let value = cbor(|e| {
        e.array(5)?.str(&session.client)?;
        principal(e, &session.principal)?;
        e.u32(session.expiry_s)?;
        optional(e, session.ends_ms)?;
        e.array(session.subscriptions.len() as u64)?;
        for (filter, options) in &session.subscriptions {
            let flags = u8::from(options.no_local) | u8::from(options.retain_as_published) << 1;
            e.array(4)?.str(filter)?.u8(options.qos.number())?.u8(flags)?;
            match options.id {
                Some(id) => e.u32(id)?,
                None => e.null()?,
            };
        }
        Ok(())
    });
    Write { key: session_key(no), value: Some(value) }
}

pub(super) fn put_waiting(no: SessionNo, number: u64, waiting: &Waiting) -> Write {
    let Delivery { published, qos, retain, subscription_ids } = &waiting.delivery;
    let value = cbor(|e| {
        e.array(5)?;
        message(e, &published.message, published.by.as_ref())?;
        e.u8(qos.number())?.bool(*retain)?.array(subscription_ids.len() as u64)?;
        for id in subscription_ids {
            e.u32(*id)?;
        }
        e.bool(waiting.is_received)?.ok()
    });
    Write { key: waiting_key(no, number), value: Some(value) }
}

pub(super) fn put_unreleased(no: SessionNo, id: u16) -> Write {
    Write { key: unreleased_key(no, id), value: Some(cbor(|e| e.array(0)?.ok())) }
}

pub(super) fn put_passed(no: SessionNo, number: u64) -> Write {
    Write { key: passed_key(no), value: Some(cbor(|e| e.array(1)?.u64(number)?.ok())) }
}

pub(super) fn put_retained(published: &Published) -> Write {
    let key = retained_key(&published.message.topic);
    Write { key, value: Some(cbor(|e| message(e, &published.message, published.by.as_ref()))) }
}

pub(super) fn put_will(
    (no, number): (SessionNo, u64),
    (client, by): (&str, &Principal),
    will: &Will,
    is_due: bool,
) -> Write {
    let value = cbor(|e| {
        e.array(7)?.str(client)?;
        principal(e, by)?;
        message(e, &will.message, Some(by))?;
        e.bool(will.message.retain)?.u32(will.delay_s)?;
        optional(e, will.expiry_s.map(i64::from))?;
        e.bool(is_due)?.ok()
    });
    Write { key: will_key(no, number), value: Some(value) }
}

pub(super) fn remove_will(no: SessionNo, number: u64) -> Write {
    Write { key: will_key(no, number), value: None }
}

pub(super) fn remove_session(no: SessionNo) -> Write {
    Write { key: session_key(no), value: None }
}

pub(super) fn remove_waiting(no: SessionNo, number: u64) -> Write {
    Write { key: waiting_key(no, number), value: None }
}

pub(super) fn remove_unreleased(no: SessionNo, id: u16) -> Write {
    Write { key: unreleased_key(no, id), value: None }
}

pub(super) fn remove_passed(no: SessionNo) -> Write {
    Write { key: passed_key(no), value: None }
}

pub(super) fn remove_retained(topic: &str) -> Write {
    Write { key: retained_key(topic), value: None }
}

fn principal(e: &mut Encoder<&mut Written>, principal: &Principal) -> Encoded {
    match principal {
        Principal::Anonymous => e.array(1)?.u8(0)?.ok(),
        Principal::User(name) => e.array(2)?.u8(1)?.str(name)?.ok(),
        Principal::Entity(id) => e.array(2)?.u8(2)?.bytes(&id.0)?.ok(),
    }
}

fn optional(e: &mut Encoder<&mut Written>, value: Option<i64>) -> Encoded {
    match value {
        Some(value) => e.i64(value)?.ok(),
        None => e.null()?.ok(),
    }
}

fn message(e: &mut Encoder<&mut Written>, message: &Message, by: Option<&Principal>) -> Encoded {
    e.array(6)?.str(&message.topic)?.bytes(&message.payload)?.u8(message.qos.number())?;
    e.bytes(&message.properties)?;
    optional(e, message.expires_ms)?;
    match by {
        Some(by) => principal(e, by),
        None => e.null()?.ok(),
    }
}

/// Reads a row.
///
/// # Errors
/// [`RowError`].
pub(super) fn read(key: &[u8], value: &[u8]) -> Result<Row, RowError> {
    let (kind, key) = key.split_first().ok_or(RowError)?;
    let mut d = Decoder::new(value);
    let row = match kind {
        b's' => read_session(key, &mut d),
        b'q' => read_waiting(key, &mut d),
        b'i' => read_unreleased(key, &mut d),
        b't' => read_passed(key, &mut d),
        b'r' => read_retained(key, &mut d),
        b'w' => read_will(key, &mut d),
        _ => return Err(RowError),
    };
    let row = row.map_err(|_| RowError)?;
    if d.position() == value.len() { Ok(row) } else { Err(RowError) }
}

/// Whether bytes are a row as this version writes it; for tests with bytes from anywhere.
#[must_use]
pub fn is_row(key: &[u8], value: &[u8]) -> bool {
    read(key, value).is_ok()
}

fn numbers<const N: usize>(key: &[u8]) -> Result<[u8; N], Error> {
    key.try_into().map_err(|_| Error::message("length of a key"))
}

fn session_no(key: &[u8]) -> Result<(SessionNo, &[u8]), Error> {
    let (no, rest) = key.split_at_checked(8).ok_or(Error::message("length of a key"))?;
    Ok((SessionNo(u64::from_be_bytes(numbers(no)?)), rest))
}

fn array(d: &mut Decoder<'_>, len: u64) -> Result<(), Error> {
    if d.array()? == Some(len) { Ok(()) } else { Err(Error::message("length of an array")) }
}

fn bounded(d: &mut Decoder<'_>, max: u64) -> Result<u64, Error> {
    d.array()?.filter(|len| *len <= max).ok_or(Error::message("length of an array"))
}

fn read_qos(d: &mut Decoder<'_>) -> Result<Qos, Error> {
    Qos::from_number(d.u8()?).ok_or(Error::message("quality of service"))
}

fn read_optional(d: &mut Decoder<'_>) -> Result<Option<i64>, Error> {
    if d.datatype()? == Type::Null { d.null().map(|()| None) } else { d.i64().map(Some) }
}

fn read_principal(d: &mut Decoder<'_>) -> Result<Principal, Error> {
    let len = d.array()?;
    match (d.u8()?, len) {
        (0, Some(1)) => Ok(Principal::Anonymous),
        (1, Some(2)) => Ok(Principal::User(d.str()?.to_owned())),
        (2, Some(2)) => Ok(Principal::Entity(EntityId(numbers(d.bytes()?)?))),
        _ => Err(Error::message("kind of principal")),
    }
}

fn read_message(d: &mut Decoder<'_>, retain: bool) -> Result<Arc<Published>, Error> {
    array(d, 6)?;
    let message = Message {
        topic: d.str()?.to_owned(),
        payload: d.bytes()?.to_vec(),
        qos: read_qos(d)?,
        retain,
        properties: d.bytes()?.to_vec(),
        expires_ms: read_optional(d)?,
    };
    let is_gateway = d.datatype()? == Type::Null;
    let by = if is_gateway { d.null().map(|()| None)? } else { Some(read_principal(d)?) };
    Ok(Arc::new(Published { message, by }))
}

fn read_session(key: &[u8], d: &mut Decoder<'_>) -> Result<Row, Error> {
    let no = SessionNo(u64::from_be_bytes(numbers(key)?));
    array(d, 5)?;
    let mut session = Session::new(d.str()?.to_owned(), read_principal(d)?);
    session.is_stored = true;
    session.expiry_s = d.u32()?;
    session.ends_ms = read_optional(d)?;
    let mut subscriptions = BTreeMap::new();
    for _ in 0..bounded(d, SUBSCRIPTIONS_MAX)? {
        array(d, 4)?;
        let (filter, qos, flags) = (d.str()?.to_owned(), read_qos(d)?, d.u8()?);
        let id =
            if d.datatype()? == Type::Null { d.null().map(|()| None)? } else { Some(d.u32()?) };
        let (no_local, retain_as_published) = (flags & 1 != 0, flags & 2 != 0);
        subscriptions.insert(filter, Options { qos, no_local, retain_as_published, id });
    }
    session.subscriptions = subscriptions;
    Ok(Row::Session { no, session: Box::new(session) })
}

fn read_waiting(key: &[u8], d: &mut Decoder<'_>) -> Result<Row, Error> {
    let (no, number) = session_no(key)?;
    let number = u64::from_be_bytes(numbers(number)?);
    array(d, 5)?;
    let published = read_message(d, false)?;
    let (qos, retain) = (read_qos(d)?, d.bool()?);
    let ids = (0..bounded(d, IDS_MAX)?).map(|_| d.u32()).collect::<Result<Vec<_>, _>>()?;
    let delivery = Delivery { published, qos, retain, subscription_ids: ids };
    let waiting = Waiting { delivery, is_received: d.bool()?, sent_on: None };
    Ok(Row::Waiting { no, number, waiting })
}

fn read_unreleased(key: &[u8], d: &mut Decoder<'_>) -> Result<Row, Error> {
    let (no, id) = session_no(key)?;
    array(d, 0)?;
    Ok(Row::Unreleased { no, id: u16::from_be_bytes(numbers(id)?) })
}

fn read_passed(key: &[u8], d: &mut Decoder<'_>) -> Result<Row, Error> {
    let no = SessionNo(u64::from_be_bytes(numbers(key)?));
    array(d, 1)?;
    Ok(Row::Passed { no, number: d.u64()? })
}

fn read_will(key: &[u8], d: &mut Decoder<'_>) -> Result<Row, Error> {
    let (no, number) = session_no(key)?;
    let number = u64::from_be_bytes(numbers(number)?);
    array(d, 7)?;
    let (client, principal) = (d.str()?.to_owned(), read_principal(d)?);
    let mut message = Message::clone(&read_message(d, false)?.message);
    message.retain = d.bool()?;
    let delay_s = d.u32()?;
    let expiry_s = read_optional(d)?.map(u32::try_from).transpose();
    let expiry_s = expiry_s.map_err(|_| Error::message("expiry of a will"))?;
    let will = Will { message, delay_s, expiry_s };
    let is_due = d.bool()?;
    Ok(Row::Will(Box::new(StoredWill { no, number, client, principal, will, is_due })))
}

fn read_retained(key: &[u8], d: &mut Decoder<'_>) -> Result<Row, Error> {
    let published = read_message(d, true)?;
    let is_its_key = published.message.topic.as_bytes() == key;
    if is_its_key { Ok(Row::Retained(published)) } else { Err(Error::message("topic")) }
}
