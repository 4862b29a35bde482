use super::Wrong;

/// Bytes of a packet, read from the front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'b [u8], Wrong> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Wrong::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        self.take(N)?.try_into().map_err(|_| Wrong::Malformed)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Wrong> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Wrong> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Wrong> {
        self.array().map(u32::from_be_bytes)
    }

    /// A packet id, which is never 0 (MQTT-2.2.1-3).
    pub(super) fn id(&mut self) -> Result<u16, Wrong> {
        match self.u16()? {
            0 => Err(Wrong::Protocol),
            id => Ok(id),
        }
    }

    /// A variable byte integer, at most four bytes and no longer than it needs (MQTT-1.5.5-1).
    pub(super) fn variable_int(&mut self) -> Result<u32, Wrong> {
        let mut value = 0;
        for index in 0..4 {
            let byte = self.u8()?;
            value |= u32::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                let is_shortest = byte != 0 || index == 0;
                return if is_shortest { Ok(value) } else { Err(Wrong::Malformed) };
            }
        }
        Err(Wrong::Malformed)
    }

    pub(super) fn binary(&mut self) -> Result<&'b [u8], Wrong> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }

    /// UTF-8 without U+0000 (MQTT-1.5.4-1, MQTT-1.5.4-2).
    pub(super) fn string(&mut self) -> Result<&'b str, Wrong> {
        let text = std::str::from_utf8(self.binary()?).map_err(|_| Wrong::Malformed)?;
        if text.contains('\0') { Err(Wrong::Malformed) } else { Ok(text) }
    }

    pub(super) fn end(self) -> Result<(), Wrong> {
        if self.is_empty() { Ok(()) } else { Err(Wrong::Malformed) }
    }
}
