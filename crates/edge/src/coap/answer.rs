//! What requests are answered.

use super::message::{Code, Kind, Message, option};
use crate::direct::NotServed;
use crate::rejection::Rejection;

/// After which time a client should try again what cannot be taken now, seconds.
const RETRY_S: u32 = 5;

/// A response before it has an id.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: Code,
    options: Vec<(u16, Vec<u8>)>,
    pub(super) payload: Vec<u8>,
}

impl Answer {
    pub(super) const fn empty(code: Code) -> Self {
        Self { code, options: Vec::new(), payload: Vec::new() }
    }

    /// An answer with a sentence for people (a diagnostic payload, RFC 7252 §5.5.2).
    pub(super) fn text(code: Code, text: &str) -> Self {
        let payload = text.chars().take(TEXT_CHARS_MAX).collect::<String>().into_bytes();
        Self { code, options: Vec::new(), payload }
    }

    pub(super) fn with(mut self, number: u16, value: Vec<u8>) -> Self {
        self.options.push((number, value));
        self
    }

    pub(super) fn with_number(self, number: u16, value: u32) -> Self {
        let bytes = value.to_be_bytes();
        let skip = bytes.iter().take_while(|byte| **byte == 0).count();
        self.with(number, bytes[skip..].to_vec())
    }

    pub(super) fn to_message(&self, kind: Kind, id: u16, token: Vec<u8>) -> Message {
        let mut options = self.options.clone();
        options.sort_by_key(|(number, _)| *number);
        Message { kind, code: self.code, id, token, options, payload: self.payload.clone() }
    }
}

/// Longest sentence in an answer, characters.
const TEXT_CHARS_MAX: usize = 160;

pub(super) fn busy() -> Answer {
    let answer = Answer::text(Code::UNAVAILABLE, "too many requests at a time");
    answer.with_number(option::MAX_AGE, RETRY_S)
}

pub(super) fn refused(rejection: &Rejection) -> Answer {
    let code = match rejection {
        rejection if rejection.is_temporary() => Code::UNAVAILABLE,
        Rejection::NoProfile { .. }
        | Rejection::UnknownThing { .. }
        | Rejection::UnknownProperty { .. } => Code::NOT_FOUND,
        Rejection::TooLarge { .. } => Code::TOO_LARGE,
        Rejection::Malformed { .. } => Code::BAD_REQUEST,
        Rejection::BindingEnded { .. }
        | Rejection::ShutOut { .. }
        | Rejection::Unsigned { .. }
        | Rejection::NotSigning { .. }
        | Rejection::BadSignature { .. } => Code::FORBIDDEN,
        Rejection::Sequence { .. } => Code::CONFLICT,
        _ => Code::UNPROCESSABLE,
    };
    of_code(code, rejection.code(), rejection)
}

/// Why a direct request is not served, as HTTP would say it.
pub(super) fn not_served(why: &NotServed) -> Answer {
    let code = match why {
        NotServed::Malformed => Code::BAD_REQUEST,
        NotServed::NoProofs | NotServed::Stale => Code::UNAUTHORIZED,
        NotServed::Off | NotServed::UnknownThing => Code::NOT_FOUND,
        NotServed::Repeated => Code::CONFLICT,
        NotServed::Busy => Code::UNAVAILABLE,
        NotServed::Elsewhere
        | NotServed::Time
        | NotServed::BadInput(_)
        | NotServed::BadProof(_) => Code::UNPROCESSABLE,
        _ => Code::FORBIDDEN,
    };
    of_code(code, why.code(), why)
}

fn of_code(code: Code, word: &str, why: &dyn std::fmt::Display) -> Answer {
    let answer = Answer::text(code, &format!("{word}: {why}"));
    if code == Code::UNAVAILABLE { answer.with_number(option::MAX_AGE, RETRY_S) } else { answer }
}
