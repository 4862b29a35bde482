//! CoAP messages (RFC 7252 §3), read strictly and within bounds.

/// Longest message taken or sent, bytes: what fits into one datagram on any path with IPv6.
pub const MESSAGE_BYTES_MAX: usize = 1280;
/// Most options of one message.
const OPTIONS_MAX: usize = 32;
/// Longest token, bytes (RFC 7252 §3).
const TOKEN_BYTES_MAX: usize = 8;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whether and how it is acknowledged.
    pub kind: Kind,
    /// What it is: 0 nothing, 0.01 to 0.31 a request, 2.00 to 5.31 a response.
    pub code: Code,
    /// Pairs it with its acknowledgement.
    pub id: u16,
    /// Pairs a response with its request.
    pub token: Vec<u8>,
    /// Options, ascending by number; a number may stand several times.
    pub options: Vec<(u16, Vec<u8>)>,
    /// What it carries.
    pub payload: Vec<u8>,
}

/// The type of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Wants to be acknowledged.
    Confirmable,
    /// Does not.
    NonConfirmable,
    /// Acknowledges.
    Acknowledgement,
    /// Says that a message means nothing here.
    Reset,
}

/// A request method or response code, `class.detail` in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub u8);

impl Code {
    /// No request and no response.
    pub const EMPTY: Self = Self(0);
    /// 0.01
    pub const GET: Self = Self(0x01);
    /// 0.02
    pub const POST: Self = Self(0x02);
    /// 2.04: the readings are durable.
    pub const CHANGED: Self = Self(0x44);
    /// 2.05
    pub const CONTENT: Self = Self(0x45);
    /// 2.31: send the next block.
    pub const CONTINUE: Self = Self(0x5f);
    /// 4.00
    pub const BAD_REQUEST: Self = Self(0x80);
    /// 4.01
    pub const UNAUTHORIZED: Self = Self(0x81);
    /// 4.02
    pub const BAD_OPTION: Self = Self(0x82);
    /// 4.03
    pub const FORBIDDEN: Self = Self(0x83);
    /// 4.04
    pub const NOT_FOUND: Self = Self(0x84);
    /// 4.05
    pub const METHOD_NOT_ALLOWED: Self = Self(0x85);
    /// 4.08: a block is missing before this one.
    pub const INCOMPLETE: Self = Self(0x88);
    /// 4.09
    pub const CONFLICT: Self = Self(0x89);
    /// 4.13
    pub const TOO_LARGE: Self = Self(0x8d);
    /// 4.15
    pub const UNSUPPORTED_FORMAT: Self = Self(0x8f);
    /// 4.22: well-formed, but not of the property.
    pub const UNPROCESSABLE: Self = Self(0x96);
    /// 5.03: later, perhaps.
    pub const UNAVAILABLE: Self = Self(0xa3);

    /// Whether it is a request.
    #[must_use]
    pub const fn is_request(self) -> bool {
        self.0 >= 1 && self.0 < 0x20
    }
}

/// Numbers of the options that matter here.
pub mod option {
    /// Host of the request.
    pub const URI_HOST: u16 = 3;
    /// Identifies a representation.
    pub const ETAG: u16 = 4;
    /// Asks for, or counts, notifications (RFC 7641).
    pub const OBSERVE: u16 = 6;
    /// Port of the request.
    pub const URI_PORT: u16 = 7;
    /// A level of the path.
    pub const URI_PATH: u16 = 11;
    /// What the payload is.
    pub const CONTENT_FORMAT: u16 = 12;
    /// How long a response stays fresh, or when to try again.
    pub const MAX_AGE: u16 = 14;
    /// A parameter of the request.
    pub const URI_QUERY: u16 = 15;
    /// What the payload of the response should be.
    pub const ACCEPT: u16 = 17;
    /// A block of the response (RFC 7959).
    pub const BLOCK2: u16 = 23;
    /// A block of the request (RFC 7959).
    pub const BLOCK1: u16 = 27;
    /// Length of the whole request.
    pub const SIZE1: u16 = 60;
    /// Shows that a client has its address (RFC 9175).
    pub const ECHO: u16 = 252;
    /// Tells apart the uploads of one client (RFC 9175).
    pub const REQUEST_TAG: u16 = 292;
}

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no CoAP message at byte {position}")]
pub struct MessageError {
    /// Offset of what does not fit.
    pub position: usize,
}

impl Message {
    /// Reads a datagram.
    ///
    /// # Errors
    /// [`MessageError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let mut reader = Reader { bytes, position: 0 };
        let [head, code, id @ ..] = reader.array::<4>()?;
        let token_len = usize::from(head & 0x0f);
        if bytes.len() > MESSAGE_BYTES_MAX || head >> 6 != 1 || token_len > TOKEN_BYTES_MAX {
            return Err(MessageError { position: 0 });
        }
        let kind = match (head >> 4) & 3 {
            0 => Kind::Confirmable,
            1 => Kind::NonConfirmable,
            2 => Kind::Acknowledgement,
            _ => Kind::Reset,
        };
        // An empty message is its head and nothing else (§4.1).
        if code == 0 && bytes.len() != 4 {
            return Err(MessageError { position: 4 });
        }
        let token = reader.take(token_len)?.to_vec();
        let (options, payload) = reader.options()?;
        let id = u16::from_be_bytes(id);
        Ok(Self { kind, code: Code(code), id, token, options, payload })
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let kind = match self.kind {
            Kind::Confirmable => 0,
            Kind::NonConfirmable => 1,
            Kind::Acknowledgement => 2,
            Kind::Reset => 3_u8,
        };
        // A token has at most 8 bytes: it came from `decode`, or is one of ours.
        let token_len = u8::try_from(self.token.len().min(TOKEN_BYTES_MAX)).unwrap_or_default();
        let mut out = vec![0x40 | kind << 4 | token_len, self.code.0];
        out.extend_from_slice(&self.id.to_be_bytes());
        out.extend_from_slice(&self.token[..usize::from(token_len)]);
        let mut last = 0;
        for (number, value) in &self.options {
            let (delta, delta_more) = nibble(usize::from(number.saturating_sub(last)));
            let (len, len_more) = nibble(value.len());
            out.push(delta << 4 | len);
            out.extend(delta_more);
            out.extend(len_more);
            out.extend_from_slice(value);
            last = *number;
        }
        if !self.payload.is_empty() {
            out.push(0xff);
            out.extend_from_slice(&self.payload);
        }
        out
    }

    /// The first value of an option.
    #[must_use]
    pub fn option(&self, number: u16) -> Option<&[u8]> {
        self.options.iter().find(|(known, _)| *known == number).map(|(_, value)| value.as_slice())
    }

    /// The first value of an option that is a number; none if it has more than four bytes.
    #[must_use]
    pub fn number(&self, option: u16) -> Option<u32> {
        let value = self.option(option).filter(|value| value.len() <= 4)?;
        Some(value.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    /// Sets an option, keeping their order.
    #[must_use]
    pub fn with(mut self, number: u16, value: Vec<u8>) -> Self {
        let at = self.options.partition_point(|(known, _)| *known <= number);
        self.options.insert(at, (number, value));
        self
    }

    /// [`Message::with`] for a number, in as few bytes as it needs.
    #[must_use]
    pub fn with_number(self, number: u16, value: u32) -> Self {
        let bytes = value.to_be_bytes();
        let skip = bytes.iter().take_while(|byte| **byte == 0).count();
        self.with(number, bytes[skip..].to_vec())
    }
}

/// The four bits of a delta or length, and the bytes that go with them.
fn nibble(value: usize) -> (u8, Vec<u8>) {
    let small = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
    match value {
        0..=12 => (small(value), Vec::new()),
        13..=268 => (13, vec![small(value - 13)]),
        _ => (14, u16::try_from(value - 269).unwrap_or(u16::MAX).to_be_bytes().to_vec()),
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    position: usize,
}

type Rest = (Vec<(u16, Vec<u8>)>, Vec<u8>);

impl<'b> Reader<'b> {
    fn take(&mut self, len: usize) -> Result<&'b [u8], MessageError> {
        let position = self.position;
        let taken = position.checked_add(len).and_then(|end| self.bytes.get(position..end));
        self.position += len;
        taken.ok_or(MessageError { position })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MessageError> {
        let position = self.position;
        self.take(N)?.try_into().map_err(|_| MessageError { position })
    }

    fn options(&mut self) -> Result<Rest, MessageError> {
        let (mut options, mut last) = (Vec::new(), 0_u16);
        while self.position < self.bytes.len() {
            let position = self.position;
            let [head] = self.array()?;
            if head == 0xff {
                let payload = self.bytes[self.position..].to_vec();
                // A marker without a payload behind it is an error (§3).
                let error = MessageError { position };
                return if payload.is_empty() { Err(error) } else { Ok((options, payload)) };
            }
            let delta = u16::try_from(self.extended(head >> 4)?);
            let number = delta.ok().and_then(|delta| last.checked_add(delta));
            let len = self.extended(head & 0x0f)?;
            let value = self.take(len)?.to_vec();
            last =
                number.filter(|_| options.len() < OPTIONS_MAX).ok_or(MessageError { position })?;
            options.push((last, value));
        }
        Ok((options, Vec::new()))
    }

    fn extended(&mut self, nibble: u8) -> Result<usize, MessageError> {
        match nibble {
            0..=12 => Ok(usize::from(nibble)),
            13 => self.array::<1>().map(|[more]| usize::from(more) + 13),
            14 => self.array().map(|more| usize::from(u16::from_be_bytes(more)) + 269),
            _ => Err(MessageError { position: self.position }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_message_is_refused() {
        for (what, bytes) in [
            ("too short", &[0x40, 1, 0][..]),
            ("another version", &[0x80, 1, 0, 0]),
            ("a token of nine bytes", &[0x49, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
            ("a token cut off", &[0x42, 1, 0, 0, 1]),
            ("a marker without payload", &[0x40, 1, 0, 0, 0xff]),
            ("a reserved delta", &[0x40, 1, 0, 0, 0xf1, 0]),
            ("a reserved length", &[0x40, 1, 0, 0, 0x1f, 0]),
            ("an option cut off", &[0x40, 1, 0, 0, 0xb5, b'a']),
            ("an empty message with more", &[0x41, 0, 0, 0, 7]),
            (
                "an option number beyond 16 bits",
                &[0x40, 1, 0, 0, 0xe0, 0xff, 0xff, 0xe0, 0xff, 0xff],
            ),
        ] {
            assert!(Message::decode(bytes).is_err(), "{what}");
        }
        let many = [&[0x40, 1, 0, 0][..], &[0x00; OPTIONS_MAX + 1]].concat();
        assert!(Message::decode(&many).is_err(), "too many options");
        let long = [&[0x40, 1, 0, 0, 0xff][..], &[1; MESSAGE_BYTES_MAX]].concat();
        assert!(Message::decode(&long).is_err(), "too long");
    }

    fn messages() -> impl Strategy<Value = Message> {
        let options = proptest::collection::vec(
            (any::<u16>(), proptest::collection::vec(any::<u8>(), 0..20)),
            0..6,
        );
        let bytes = |len| proptest::collection::vec(any::<u8>(), 0..len);
        (0..4_u8, 1..=255_u8, any::<u16>(), bytes(9), options, bytes(40)).prop_map(
            |(kind, code, id, token, mut options, payload)| {
                let kind =
                    [Kind::Confirmable, Kind::NonConfirmable, Kind::Acknowledgement, Kind::Reset]
                        [usize::from(kind)];
                options.sort_by_key(|(number, _)| *number);
                Message { kind, code: Code(code), id, token, options, payload }
            },
        )
    }

    proptest! {
        #[test]
        fn messages_round_trip(message in messages()) {
            prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
        }

        #[test]
        fn any_bytes_are_a_message_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..80)
        ) {
            if let Ok(message) = Message::decode(&bytes) {
                prop_assert_eq!(Message::decode(&message.encode()), Ok(message));
            }
        }
    }
}
