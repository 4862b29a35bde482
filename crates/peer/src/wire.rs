//! What peers say to each other beside the engine's messages.

use althing_types::limits::{PAYLOAD_BYTES_MAX, TRANSACTION_BYTES_MAX};
use bytes::Bytes;
use minicbor::{Decoder, Encoder, decode};

/// Most transactions in one message.
pub(crate) const SPREAD_MAX: usize = 4096;
/// Longest message with more than one transaction, bytes.
pub(crate) const SPREAD_BYTES_MAX: usize = 256 * 1024;
/// Longest transaction with its payloads, bytes: one message between peers must carry it, or it would
/// wait for ever at the peer that took it.
pub(crate) const SUBMISSION_BYTES_MAX: usize = 960 * 1024;
/// Most payloads asked for in one message; an answer with all of them fits the longest message.
pub(crate) const WANTED_MAX: usize = 14;

/// A transaction with the payloads of its batches, as a client or a peer hands it over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The transaction's wire bytes.
    pub transaction: Bytes,
    /// The payloads of its batches, in the order of its actions.
    pub payloads: Vec<Bytes>,
}

impl Submission {
    /// Bytes in all.
    pub(crate) fn len(&self) -> usize {
        self.transaction.len() + self.payloads.iter().map(Bytes::len).sum::<usize>()
    }
}

/// Writes `[[transaction, [payload, ...]], ...]`.
pub(crate) fn encode_spread(submissions: &[Submission]) -> Bytes {
    let len = submissions.iter().map(|submission| submission.len() + 16).sum();
    let mut out = Vec::with_capacity(len);
    let mut e = Encoder::new(&mut out);
    let written = e.array(submissions.len() as u64).and_then(|e| {
        for submission in submissions {
            e.array(2)?.bytes(&submission.transaction)?;
            e.array(submission.payloads.len() as u64)?;
            for payload in &submission.payloads {
                e.bytes(payload)?;
            }
        }
        Ok(())
    });
    debug_assert!(written.is_ok(), "writing to memory does not fail");
    out.into()
}

/// Reads what [`encode_spread`] wrote.
///
/// # Errors
/// If the message is malformed or a part is longer than it may be.
pub fn decode_spread(message: &Bytes) -> Result<Vec<Submission>, decode::Error> {
    let mut d = Decoder::new(message);
    let count = counted(&mut d, SPREAD_MAX)?;
    let mut submissions = Vec::new();
    for _ in 0..count {
        exactly(&mut d, 2)?;
        let transaction = part(&mut d, TRANSACTION_BYTES_MAX)?;
        let payloads = counted(&mut d, althing_types::limits::ACTIONS_MAX)?;
        let payloads =
            (0..payloads).map(|_| part(&mut d, PAYLOAD_BYTES_MAX)).collect::<Result<_, _>>()?;
        submissions.push(Submission { transaction, payloads });
    }
    at_end(message, &d)?;
    Ok(submissions)
}

/// A request for payloads, or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fetch {
    /// BLAKE3 digests of payloads the sender wants.
    Want(Vec<[u8; 32]>),
    /// Payloads the receiver asked for.
    Have(Vec<Bytes>),
}

impl Fetch {
    /// Writes `[0, [digest, ...]]` or `[1, [payload, ...]]`.
    pub(crate) fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        let mut e = Encoder::new(&mut out);
        let written = match self {
            Self::Want(digests) => e
                .array(2)
                .and_then(|e| e.u8(0))
                .and_then(|e| e.array(digests.len() as u64))
                .and_then(|e| {
                    for digest in digests {
                        e.bytes(digest)?;
                    }
                    Ok(())
                }),
            Self::Have(payloads) => e
                .array(2)
                .and_then(|e| e.u8(1))
                .and_then(|e| e.array(payloads.len() as u64))
                .and_then(|e| {
                    for payload in payloads {
                        e.bytes(payload)?;
                    }
                    Ok(())
                }),
        };
        debug_assert!(written.is_ok(), "writing to memory does not fail");
        out.into()
    }

    /// Reads what [`Fetch::encode`] wrote.
    pub(crate) fn decode(message: &Bytes) -> Result<Self, decode::Error> {
        let mut d = Decoder::new(message);
        exactly(&mut d, 2)?;
        let fetch = match d.u8()? {
            0 => {
                let count = counted(&mut d, WANTED_MAX)?;
                let digest =
                    |_| d.bytes()?.try_into().map_err(|_| decode::Error::message("digest"));
                Self::Want((0..count).map(digest).collect::<Result<_, _>>()?)
            }
            1 => {
                let count = counted(&mut d, WANTED_MAX)?;
                let payload = |_| part(&mut d, PAYLOAD_BYTES_MAX);
                Self::Have((0..count).map(payload).collect::<Result<_, _>>()?)
            }
            _ => return Err(decode::Error::message("kind")),
        };
        at_end(message, &d)?;
        Ok(fetch)
    }
}

fn exactly(d: &mut Decoder<'_>, len: u64) -> Result<(), decode::Error> {
    if d.array()? == Some(len) { Ok(()) } else { Err(decode::Error::message("array length")) }
}

fn counted(d: &mut Decoder<'_>, max: usize) -> Result<usize, decode::Error> {
    match d.array()?.and_then(|count| usize::try_from(count).ok()) {
        Some(count) if count <= max => Ok(count),
        _ => Err(decode::Error::message("too many")),
    }
}

fn part(d: &mut Decoder<'_>, max: usize) -> Result<Bytes, decode::Error> {
    let bytes = d.bytes()?;
    if bytes.len() > max {
        return Err(decode::Error::message("too long"));
    }
    // Copied: a part that shared the message's memory would keep all of it, up to a MiB, for as long
    // as the part waits, and be counted as a few hundred bytes.
    Ok(Bytes::copy_from_slice(bytes))
}

fn at_end(message: &Bytes, d: &Decoder<'_>) -> Result<(), decode::Error> {
    if d.position() == message.len() { Ok(()) } else { Err(decode::Error::message("trailing")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mempool counted the bytes of transactions whose messages it kept whole.
    #[test]
    fn what_is_read_does_not_keep_the_message() {
        let part = Bytes::from_static(b"part");
        let submission = Submission { transaction: part.clone(), payloads: vec![part.clone()] };
        let spread = encode_spread(&[submission]);
        let kept = decode_spread(&spread).unwrap();
        assert!(spread.is_unique(), "{kept:?}");
        let have = Fetch::Have(vec![part]).encode();
        let kept = Fetch::decode(&have).unwrap();
        assert!(have.is_unique(), "{kept:?}");
    }

    #[test]
    fn messages_round_trip_and_hostile_ones_are_errors() {
        let submissions = vec![
            Submission { transaction: Bytes::from_static(b"tx"), payloads: vec![] },
            Submission {
                transaction: Bytes::from_static(b"other"),
                payloads: vec![Bytes::from_static(b"p"), Bytes::from_static(b"")],
            },
        ];
        let message = encode_spread(&submissions);
        assert_eq!(decode_spread(&message).unwrap(), submissions);
        for fetch in [Fetch::Want(vec![[1; 32], [2; 32]]), Fetch::Have(vec![Bytes::from("x")])] {
            let message = fetch.encode();
            assert_eq!(Fetch::decode(&message).unwrap(), fetch);
            for cut in 0..message.len() {
                assert!(Fetch::decode(&message.slice(..cut)).is_err());
            }
        }
        for hostile in [
            &[0x9a, 0xff, 0xff, 0xff, 0xff][..],
            &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x81, 0x82, 0x5a, 0xff, 0xff, 0xff, 0xff],
            &[0x9f],
            &[],
        ] {
            let hostile = Bytes::copy_from_slice(hostile);
            assert!(decode_spread(&hostile).is_err() && Fetch::decode(&hostile).is_err());
        }
    }
}
