//! What is posted to be put on the ledger: transactions with the payloads of their batches.
//!
//! On the wire `[[<<transaction>>, [<<payload>>, ...]], ...]`, CBOR of definite lengths; the payloads of a
//! transaction in the order of the batches in it. A transaction alone can be posted as it is.

use althing_types::{
    Transaction,
    limits::{ACTIONS_MAX, PAYLOAD_BYTES_MAX, TRANSACTION_BYTES_MAX},
};
use bytes::Bytes;
use minicbor::{Decoder, Encoder};

/// Media type of a transaction alone (COSE_Sign1 or COSE_Sign).
pub const COSE_MEDIA_TYPE: &str = "application/cose";
/// Media type of several transactions with payloads.
pub const CBOR_MEDIA_TYPE: &str = "application/cbor";
/// Most transactions in one request.
pub const SUBMISSIONS_MAX: usize = 4096;
/// Longest request, bytes.
pub const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A transaction's wire bytes and the payloads of its batches, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The transaction.
    pub transaction: Bytes,
    /// The payloads.
    pub payloads: Vec<Bytes>,
}

impl From<&Transaction> for Submission {
    fn from(transaction: &Transaction) -> Self {
        Self { transaction: transaction.wire().clone(), payloads: Vec::new() }
    }
}

/// Why bytes are not submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// Too many, or none.
    #[error("1 to {SUBMISSIONS_MAX} transactions are allowed in one request; split it")]
    Count,
    /// A transaction or payload is longer than any may be.
    #[error("a transaction or payload exceeds its size limit; split it")]
    TooLong,
    /// Not CBOR of this form.
    #[error("the body is not CBOR of the form [[transaction, [payload, ...]], ...] at byte {0}")]
    Malformed(usize),
}

/// Writes submissions.
#[must_use]
pub fn encode(submissions: &[Submission]) -> Vec<u8> {
    let lengths = submissions.iter().map(|submission| {
        let payloads: usize = submission.payloads.iter().map(|payload| payload.len() + 5).sum();
        submission.transaction.len() + payloads + 10
    });
    let mut out = Vec::with_capacity(lengths.sum::<usize>() + 5);
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
    out
}

/// Reads submissions. They do not share the body's memory: one that is kept would keep it all.
///
/// # Errors
/// [`SubmissionError`].
pub fn decode(body: &[u8]) -> Result<Vec<Submission>, SubmissionError> {
    let mut d = Decoder::new(body);
    let count = array(&mut d)?;
    if count == 0 || count > SUBMISSIONS_MAX as u64 {
        return Err(SubmissionError::Count);
    }
    let submissions = (0..count).map(|_| submission(&mut d)).collect::<Result<_, _>>()?;
    if d.position() == body.len() {
        Ok(submissions)
    } else {
        Err(SubmissionError::Malformed(d.position()))
    }
}

fn submission(d: &mut Decoder<'_>) -> Result<Submission, SubmissionError> {
    if array(d)? != 2 {
        return Err(SubmissionError::Malformed(d.position()));
    }
    let transaction = byte_string(d, TRANSACTION_BYTES_MAX)?;
    let count = array(d)?;
    if count > ACTIONS_MAX as u64 {
        return Err(SubmissionError::TooLong);
    }
    let payloads = (0..count).map(|_| byte_string(d, PAYLOAD_BYTES_MAX));
    Ok(Submission { transaction, payloads: payloads.collect::<Result<_, _>>()? })
}

fn array(d: &mut Decoder<'_>) -> Result<u64, SubmissionError> {
    match d.array() {
        Ok(Some(count)) => Ok(count),
        _ => Err(SubmissionError::Malformed(d.position())),
    }
}

fn byte_string(d: &mut Decoder<'_>, max: usize) -> Result<Bytes, SubmissionError> {
    let bytes = d.bytes().map_err(|_| SubmissionError::Malformed(d.position()))?;
    if bytes.len() > max {
        return Err(SubmissionError::TooLong);
    }
    Ok(Bytes::copy_from_slice(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_submission() -> impl Strategy<Value = Submission> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
        (bytes(), proptest::collection::vec(bytes(), 0..4))
            .prop_map(|(transaction, payloads)| Submission { transaction, payloads })
    }

    proptest! {
        #[test]
        fn submissions_round_trip(items in proptest::collection::vec(any_submission(), 1..5)) {
            prop_assert_eq!(decode(&encode(&items)), Ok(items));
        }

        #[test]
        fn any_bytes_are_submissions_or_an_error(
            bytes in proptest::collection::vec(any::<u8>(), 0..64)
        ) {
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn hostile_bodies_are_refused() {
        let long = |len: usize| {
            encode(&[Submission { transaction: vec![0; len].into(), payloads: Vec::new() }])
        };
        let mut trailing = long(10);
        trailing.push(0);
        for (body, expected) in [
            (vec![], SubmissionError::Malformed(0)),
            (vec![0x80], SubmissionError::Count),
            (vec![0x9f, 0xff], SubmissionError::Malformed(1)),
            (vec![0x9b, 255, 255, 255, 255, 255, 255, 255, 255], SubmissionError::Count),
            (vec![0x81; 1_000_000], SubmissionError::Malformed(2)),
            (long(TRANSACTION_BYTES_MAX + 1), SubmissionError::TooLong),
            (trailing, SubmissionError::Malformed(15)),
        ] {
            let found = decode(&body).unwrap_err();
            assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(&expected));
        }
    }
}
