//! Where one packet ends and the next begins, and the bits of the fixed header.

/// Why bytes are no packet that a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a packet is longer than allowed")]
    TooLong,
    #[error("a fixed header is malformed")]
    Malformed,
}

/// Length of the packet at the start of `bytes`, once all of it is there. A packet that is too long
/// is refused as soon as its length is known; nothing is ever allocated for a length alone.
pub(crate) fn next_packet(bytes: &[u8], max: u32) -> Result<Option<usize>, FrameError> {
    let Some(first) = bytes.first() else { return Ok(None) };
    if !has_valid_flags(*first) {
        return Err(FrameError::Malformed);
    }
    let Some((remaining, head)) = variable_int(&bytes[1..])? else { return Ok(None) };
    let len = 1 + head + remaining;
    if len > max as usize {
        return Err(FrameError::TooLong);
    }
    Ok((bytes.len() >= len).then_some(len))
}

/// The flags that each packet type must have (MQTT 5 §2.1.3, the same in MQTT 3.1.1).
const fn has_valid_flags(first: u8) -> bool {
    let flags = first & 0x0f;
    match first >> 4 {
        0 => false,
        // PUBLISH: no QoS 3; a message of QoS 0 is never a duplicate (MQTT-3.3.1-2).
        3 => flags & 0b0110 != 0b0110 && (flags & 0b0110 != 0 || flags & 0b1000 == 0),
        // PUBREL, SUBSCRIBE, UNSUBSCRIBE
        6 | 8 | 10 => flags == 0b0010,
        _ => flags == 0,
    }
}

/// A variable byte integer and its length; `None` if bytes are missing.
fn variable_int(bytes: &[u8]) -> Result<Option<(usize, usize)>, FrameError> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(Some((value, index + 1)));
        }
    }
    if bytes.len() >= 4 { Err(FrameError::Malformed) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart() {
        for (bytes, expected) in [
            (&b""[..], Ok(None)),
            (b"\xc0", Ok(None)),
            (b"\xc0\x00", Ok(Some(2))),
            (b"\xc0\x00\xc0\x00", Ok(Some(2))),
            (b"\x30\x05\0\x01a", Ok(None)),
            (b"\x30\x05\0\x01axy", Ok(Some(7))),
            (b"\x30\x80\x80\x80", Ok(None)),
            (b"\x30\xff\xff\xff\x7f", Err(FrameError::TooLong)),
            (b"\x30\xff\xff\xff\xff", Err(FrameError::Malformed)),
            (b"\x00\x00", Err(FrameError::Malformed)),
            (b"\x36\x00", Err(FrameError::Malformed)),
            (b"\x38\x00", Err(FrameError::Malformed)),
            (b"\x3a\x00", Ok(Some(2))),
            (b"\x60\x02\0\x01", Err(FrameError::Malformed)),
            (b"\x62\x02\0\x01", Ok(Some(4))),
            (b"\x80\x02\0\x01", Err(FrameError::Malformed)),
            (b"\xc1\x00", Err(FrameError::Malformed)),
        ] {
            assert_eq!(next_packet(bytes, 1024), expected, "{bytes:?}");
        }
    }
}
