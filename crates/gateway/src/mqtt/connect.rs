//! The first packet of a connection, looked at before the protocol library sees it.
//!
//! Whoever connects is a stranger until the CONNECT has been judged, so nothing but a whole CONNECT
//! of bounded length gets past here. It also works around a fault of the library
//! (`mqtt-protocol-core` 0.7.9): a CONNECT with Topic Alias Maximum 0 makes it panic. The value is
//! legal and means the same as leaving the property out (MQTT 5 §3.1.2.11.5), so it is left out.

use std::borrow::Cow;

use super::frame::{next_packet, variable_int};

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

/// The CONNECT answer to a client of another protocol level: "unacceptable protocol version"
/// (MQTT 3.1.1 §3.1.2.2), which clients of every version understand.
pub(crate) const UNACCEPTABLE_VERSION: [u8; 4] = [0x20, 0x02, 0x00, 0x01];

const CONNECT: u8 = 0x10;
const TOPIC_ALIAS_MAXIMUM: u8 = 0x22;

/// Length of the CONNECT at the start of `bytes` once all of it is there.
pub(crate) fn first_packet(bytes: &[u8], max: u32) -> Result<Option<usize>, FirstPacketError> {
    match bytes.first() {
        Some(&CONNECT) => Ok(next_packet(bytes, max)?),
        Some(_) => Err(FirstPacketError::NotConnect),
        None => Ok(None),
    }
}

/// The same CONNECT without a Topic Alias Maximum of 0.
pub(crate) fn sanitize(packet: &[u8]) -> Result<Cow<'_, [u8]>, FirstPacketError> {
    let malformed = FirstPacketError::Malformed;
    let (_, head) = variable_int(packet.get(1..).ok_or(malformed)?)?.ok_or(malformed)?;
    let body = packet.get(1 + head..).ok_or(malformed)?;
    let level = match body.get(..7).ok_or(malformed)? {
        [0, 4, b'M', b'Q', b'T', b'T', level @ (4 | 5)] => *level,
        _ => return Err(FirstPacketError::Version),
    };
    if !has_valid_connect_flags(*body.get(7).ok_or(malformed)?, level) {
        return Err(malformed);
    }
    if level == 4 {
        return Ok(Cow::Borrowed(packet));
    }
    // Protocol name and level, connect flags, keep-alive; then the properties.
    const VARIABLE_HEADER_BYTES: usize = 10;
    let rest = body.get(VARIABLE_HEADER_BYTES..).ok_or(malformed)?;
    let (len, len_bytes) = variable_int(rest)?.ok_or(malformed)?;
    let properties = rest.get(len_bytes..len_bytes + len).ok_or(malformed)?;
    let kept = without_zero_alias(properties)?;
    if kept.len() == properties.len() {
        return Ok(Cow::Borrowed(packet));
    }
    let mut new = body[..VARIABLE_HEADER_BYTES].to_vec();
    push_variable_int(kept.len(), &mut new);
    new.extend_from_slice(&kept);
    new.extend_from_slice(&rest[len_bytes + len..]);
    let mut out = vec![CONNECT];
    push_variable_int(new.len(), &mut out);
    out.extend_from_slice(&new);
    Ok(Cow::Owned(out))
}

/// The connect flags that the standard allows (MQTT 5 §3.1.2.3, MQTT 3.1.1 §3.1.2.3); the protocol
/// library takes any.
const fn has_valid_connect_flags(flags: u8, level: u8) -> bool {
    let is_reserved = flags & 0x01 != 0;
    let has_will = flags & 0x04 != 0;
    let will_qos = (flags >> 3) & 0x03;
    let will_fits = if has_will { will_qos < 3 } else { flags & 0x38 == 0 };
    // MQTT-3.1.2-22 of version 3.1.1: no password without a user name.
    let password_fits = level == 5 || flags & 0xc0 != 0x40;
    !is_reserved && will_fits && password_fits
}

fn without_zero_alias(mut properties: &[u8]) -> Result<Vec<u8>, FirstPacketError> {
    let mut kept = Vec::with_capacity(properties.len());
    while !properties.is_empty() {
        let len = property_len(properties).ok_or(FirstPacketError::Malformed)?;
        let (property, rest) =
            properties.split_at_checked(len).ok_or(FirstPacketError::Malformed)?;
        if property != [TOPIC_ALIAS_MAXIMUM, 0, 0] {
            kept.extend_from_slice(property);
        }
        properties = rest;
    }
    Ok(kept)
}

/// Length of the property at the start, identifier included: those that a CONNECT may have.
fn property_len(bytes: &[u8]) -> Option<usize> {
    let string = |at: usize| {
        let len = bytes.get(at..at + 2)?;
        Some(2 + usize::from(u16::from_be_bytes([len[0], len[1]])))
    };
    let value = match *bytes.first()? {
        // Request problem and response information
        0x17 | 0x19 => 1,
        // Receive maximum, topic alias maximum
        0x21 | TOPIC_ALIAS_MAXIMUM => 2,
        // Session expiry interval, maximum packet size
        0x11 | 0x27 => 4,
        // Authentication method and data
        0x15 | 0x16 => string(1)?,
        // User property
        0x26 => {
            let key = string(1)?;
            key + string(1 + key)?
        }
        _ => return None,
    };
    Some(1 + value)
}

fn push_variable_int(mut value: usize, out: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0x7f);
        value >>= 7;
        out.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn connect(properties: &[u8], payload: &[u8]) -> Vec<u8> {
        let mut body = b"\0\x04MQTT\x05\x02\0\x3c".to_vec();
        push_variable_int(properties.len(), &mut body);
        body.extend_from_slice(properties);
        body.extend_from_slice(payload);
        let mut packet = vec![CONNECT];
        push_variable_int(body.len(), &mut packet);
        packet.extend_from_slice(&body);
        packet
    }

    #[test]
    fn a_topic_alias_maximum_of_zero_is_left_out() {
        let id = b"\0\x02id";
        for (properties, kept) in [
            (&b""[..], &b""[..]),
            (b"\x22\0\0", b""),
            (b"\x22\0\x01", b"\x22\0\x01"),
            (b"\x21\0\x14\x22\0\0\x11\0\0\0\x05", b"\x21\0\x14\x11\0\0\0\x05"),
            (b"\x26\0\x01\x22\0\x03\x22\0\0\x22\0\0", b"\x26\0\x01\x22\0\x03\x22\0\0"),
        ] {
            let packet = connect(properties, id);
            assert_eq!(sanitize(&packet).as_deref(), Ok(&connect(kept, id)[..]), "{properties:?}");
        }
        // 130 bytes of properties shrink to 127: both lengths lose a byte.
        let user = [&b"\x26\0\x01k\0\x79"[..], &[b'v'; 0x79]].concat();
        let long = [&user[..], b"\x22\0\0"].concat();
        assert_eq!(sanitize(&connect(&long, id)).as_deref(), Ok(&connect(&user, id)[..]));
    }

    #[test]
    fn only_a_whole_bounded_connect_gets_past() {
        let packet = connect(b"", b"\0\x02id");
        for (bytes, expected) in [
            (&b""[..], Ok(None)),
            (&packet[..1], Ok(None)),
            (&packet[..packet.len() - 1], Ok(None)),
            (&packet[..], Ok(Some(packet.len()))),
            (b"\x20\x02\0\0", Err(FirstPacketError::NotConnect)),
            (b"\x11\x02\0\0", Err(FirstPacketError::NotConnect)),
            (b"\x10\xff\xff\xff\x7f", Err(FirstPacketError::TooLong)),
            (b"\x10\xff\xff\xff\xff", Err(FirstPacketError::Malformed)),
            (b"\x10\xff\xff\xff", Ok(None)),
        ] {
            assert_eq!(first_packet(bytes, 1024), expected, "{bytes:?}");
        }
        for (packet, expected) in [
            (&b"\x10\x00"[..], FirstPacketError::Malformed),
            (b"\x10\x09\0\x06MQIsdp\x03", FirstPacketError::Version),
            (b"\x10\x07\0\x04MQTT\x06", FirstPacketError::Version),
            (b"\x10\x0a\0\x04MQTT\x05\0\0\0", FirstPacketError::Malformed),
            (b"\x10\x0b\0\x04MQTT\x05\0\0\0\x05", FirstPacketError::Malformed),
            (b"\x10\x0c\0\x04MQTT\x05\0\0\0\x01\x22", FirstPacketError::Malformed),
            (b"\x10\x0c\0\x04MQTT\x05\0\0\0\x01\x7f", FirstPacketError::Malformed),
            (b"\x10\x0c\0\x04MQTT\x04\x01\0\0\0\0", FirstPacketError::Malformed),
            (b"\x10\x0c\0\x04MQTT\x04\x10\0\0\0\0", FirstPacketError::Malformed),
            (b"\x10\x0c\0\x04MQTT\x04\x1c\0\0\0\0", FirstPacketError::Malformed),
            (b"\x10\x0c\0\x04MQTT\x04\x40\0\0\0\0", FirstPacketError::Malformed),
        ] {
            assert_eq!(sanitize(packet), Err(expected), "{packet:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = first_packet(&bytes, 1024);
            let _ = sanitize(&bytes);
        }

        #[test]
        fn what_was_sanitized_stays(properties in proptest::collection::vec(
            prop_oneof![
                Just(b"\x22\0\0".to_vec()),
                any::<u16>().prop_map(|n| [&[0x22][..], &n.to_be_bytes()].concat()),
                any::<u32>().prop_map(|n| [&[0x11][..], &n.to_be_bytes()].concat()),
                "[a-z]{0,5}".prop_map(|v| {
                    let len = u8::try_from(v.len()).unwrap();
                    [&[0x26, 0, 1, b'k', 0, len][..], v.as_bytes()].concat()
                }),
            ], 0..40)
        ) {
            let packet = connect(&properties.concat(), b"\0\0");
            let once = sanitize(&packet).unwrap().into_owned();
            prop_assert_eq!(first_packet(&once, 4096), Ok(Some(once.len())));
            prop_assert_eq!(sanitize(&once).unwrap(), once.clone());
        }
    }
}
