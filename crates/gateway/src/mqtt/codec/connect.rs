//! The first packet of a connection. Whoever connects is a stranger until it has been judged, so
//! nothing but a whole CONNECT of bounded length gets past here.

use althing_edge::broker::Qos;

use super::properties::{self, Properties};
use super::reader::Reader;
use super::{Level, Wrong};
use crate::mqtt::frame::{FrameError, next_packet};

/// Why the first bytes are no acceptable CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FirstPacketError {
    #[error("the first packet is no CONNECT")]
    NotConnect,
    #[error("the CONNECT is longer than allowed")]
    TooLong,
    #[error("the CONNECT is malformed")]
    Malformed,
    /// Protocol name and level of neither MQTT 3.1.1 nor 5.
    #[error("the client speaks neither MQTT 3.1.1 nor MQTT 5")]
    Version,
}

impl From<Wrong> for FirstPacketError {
    fn from(_: Wrong) -> Self {
        Self::Malformed
    }
}

impl From<FrameError> for FirstPacketError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLong => Self::TooLong,
            FrameError::Malformed => Self::Malformed,
        }
    }
}

/// A CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) level: Level,
    pub(crate) client_id: String,
    pub(crate) is_clean: bool,
    pub(crate) keep_alive_s: u16,
    /// How long the session is to outlive the connection, seconds. In MQTT 3.1.1: not, or for ever.
    pub(crate) expiry_s: u32,
    pub(crate) receive_maximum: u16,
    pub(crate) packet_bytes_max: Option<u32>,
    pub(crate) topic_aliases_max: u16,
    /// Whether reasons may be told in words (MQTT 5 §3.1.2.11.7).
    pub(crate) wants_reasons: bool,
    /// Whether it asks for an authentication in several steps.
    pub(crate) has_authentication: bool,
    pub(crate) will: Option<ConnectWill>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Vec<u8>>,
}

/// The will in a CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectWill {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) properties: Vec<u8>,
    pub(crate) delay_s: u32,
    pub(crate) expiry_s: Option<u32>,
}

const CONNECT: u8 = 0x10;

/// Length of the CONNECT at the start of `bytes` once all of it is there.
pub(crate) fn first_packet(bytes: &[u8], max: u32) -> Result<Option<usize>, FirstPacketError> {
    match bytes.first() {
        Some(&CONNECT) => Ok(next_packet(bytes, max)?),
        Some(_) => Err(FirstPacketError::NotConnect),
        None => Ok(None),
    }
}

impl Connect {
    /// Reads a whole CONNECT.
    pub(crate) fn read(packet: &[u8]) -> Result<Self, FirstPacketError> {
        let mut from = Reader(packet);
        from.u8()?;
        from.variable_int()?;
        let level = match from.take(7)? {
            [0, 4, b'M', b'Q', b'T', b'T', 4] => Level::V3,
            [0, 4, b'M', b'Q', b'T', b'T', 5] => Level::V5,
            _ => return Err(FirstPacketError::Version),
        };
        Ok(Self::read_after_version(level, from)?)
    }

    fn read_after_version(level: Level, mut from: Reader<'_>) -> Result<Self, Wrong> {
        let flags = from.u8()?;
        if !has_valid_flags(flags, level) {
            return Err(Wrong::Malformed);
        }
        let keep_alive_s = from.u16()?;
        let own = match level {
            Level::V3 => Properties::default(),
            Level::V5 => Properties::read(&mut from, properties::CONNECT)?,
        };
        let is_clean = flags & 0x02 != 0;
        let client_id = from.string()?.to_owned();
        let has = |flag: u8| flags & flag != 0;
        let will = has(0x04).then(|| read_will(level, flags, &mut from)).transpose()?;
        let user = has(0x80).then(|| from.string().map(str::to_owned)).transpose()?;
        let password = has(0x40).then(|| from.binary().map(<[u8]>::to_vec)).transpose()?;
        from.end()?;
        let expiry_s = match level {
            Level::V3 if is_clean => 0,
            Level::V3 => althing_edge::broker::NEVER_S,
            Level::V5 => own.session_expiry_s.unwrap_or(0),
        };
        Ok(Self {
            level,
            client_id,
            is_clean,
            keep_alive_s,
            expiry_s,
            receive_maximum: own.receive_maximum.unwrap_or(u16::MAX),
            packet_bytes_max: own.packet_bytes_max,
            topic_aliases_max: own.topic_aliases_max.unwrap_or(0),
            wants_reasons: level == Level::V5 && own.wants_reasons.unwrap_or(true),
            has_authentication: own.has_authentication,
            will,
            user,
            password,
        })
    }
}

fn read_will(level: Level, flags: u8, from: &mut Reader<'_>) -> Result<ConnectWill, Wrong> {
    let own = match level {
        Level::V3 => Properties::default(),
        Level::V5 => Properties::read(from, properties::WILL)?,
    };
    Ok(ConnectWill {
        topic: from.string()?.to_owned(),
        payload: from.binary()?.to_vec(),
        qos: Qos::from_number(flags >> 3 & 0x03).ok_or(Wrong::Malformed)?,
        retain: flags & 0x20 != 0,
        properties: own.forwarded,
        delay_s: own.will_delay_s.unwrap_or(0),
        expiry_s: own.expiry_s,
    })
}

/// The connect flags that the standard allows (MQTT 5 §3.1.2.3, MQTT 3.1.1 §3.1.2.3).
const fn has_valid_flags(flags: u8, level: Level) -> bool {
    let is_reserved = flags & 0x01 != 0;
    let has_will = flags & 0x04 != 0;
    let will_qos = (flags >> 3) & 0x03;
    let will_fits = if has_will { will_qos < 3 } else { flags & 0x38 == 0 };
    // MQTT-3.1.2-22 of version 3.1.1: no password without a user name.
    let password_fits = matches!(level, Level::V5) || flags & 0xc0 != 0x40;
    !is_reserved && will_fits && password_fits
}
