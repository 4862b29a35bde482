//! Confidential streams: which key counts, and to whom it is wrapped.
//!
//! The ledger never sees a key. It holds the owner to numbers that ascend, to readers who have said
//! to which key theirs is to be wrapped, and submitters to payloads sealed under the key that counts.

use althing_proof::{key, stream::StreamHead};
use althing_state::Read;
use althing_types::{
    AgreementKey, BatchHeader, Cipher, EntityId, Event, KeyShare, PayloadError, Refusal,
    SealedPayload, StreamEvent, StreamId, Wire, WireError,
    limits::{STREAM_KEY_GRACE_MS, STREAM_READERS_MAX},
};
use minicbor::{Decode, Encode};

use crate::{
    key as own_key, thing,
    transition::{Actor, Stop, Transition},
};

/// To which key streams' keys are wrapped for an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AgreementRecord {
    /// The key.
    #[n(0)]
    pub key: AgreementKey,
    /// Height of the block that set it.
    #[n(1)]
    pub since_height: u64,
}

impl Wire for AgreementRecord {
    const BYTES_MAX: usize = 48;
}

/// That a stream is confidential, and which key counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SecrecyRecord {
    /// How payloads are sealed.
    #[n(0)]
    pub cipher: Cipher,
    /// Number of the present key; the first has number 1.
    #[n(1)]
    pub number: u32,
    /// Ledger time of the block that made it count, milliseconds since 1970.
    #[n(2)]
    pub since_ms: u64,
    /// Height of the block that made the stream confidential.
    #[n(3)]
    pub since_height: u64,
}

impl Wire for SecrecyRecord {
    const BYTES_MAX: usize = 32;
}

impl SecrecyRecord {
    /// Whether a payload may be taken: sealed, under the present key, or under the one before it if
    /// all its readings claim to be measured before the rotation or [`STREAM_KEY_GRACE_MS`] after.
    ///
    /// # Errors
    /// [`Refusal::NotSealed`], [`Refusal::UnknownStreamKey`], [`Refusal::StaleStreamKey`] or
    /// [`Refusal::PayloadMismatch`].
    pub fn takes(&self, batch: &BatchHeader, payload: &[u8]) -> Result<(), Refusal> {
        if !SealedPayload::is_form_of(payload) {
            return Err(Refusal::NotSealed);
        }
        let sealed = batch.sealed(payload).map_err(|error| match error {
            PayloadError::Summary => Refusal::NotSealed,
            _ => Refusal::PayloadMismatch,
        })?;
        if sealed.key_number > self.number || sealed.cipher != self.cipher {
            return Err(Refusal::UnknownStreamKey);
        }
        let graced_ms = i128::from(self.since_ms) + i128::from(STREAM_KEY_GRACE_MS);
        let is_of_before = sealed.key_number.checked_add(1) == Some(self.number)
            && i128::from(batch.time_max) <= graced_ms;
        if sealed.key_number == self.number || is_of_before {
            Ok(())
        } else {
            Err(Refusal::StaleStreamKey)
        }
    }
}

/// A key of a stream, wrapped to each of its readers.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Shares {
    /// How it seals.
    #[n(0)]
    pub cipher: Cipher,
    /// Height of the block that made it count.
    #[n(1)]
    pub since_height: u64,
    /// The readers' shares, ascending by reader, at most [`STREAM_READERS_MAX`].
    #[n(2)]
    pub shares: Vec<KeyShare>,
}

impl Wire for Shares {
    const BYTES_MAX: usize = STREAM_READERS_MAX * 160 + 32;

    fn validate(&self) -> Result<(), WireError> {
        if althing_types::shares_within_bounds(&self.shares) {
            Ok(())
        } else {
            Err(WireError::OutOfBounds("shares"))
        }
    }
}

/// Says to which key streams' keys are to be wrapped for the sender.
pub(crate) fn set_agreement_key<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    key: AgreementKey,
) {
    let record = AgreementRecord { key, since_height: state.now.height };
    state.put(own_key::agreement(&actor.id), &record);
    let event = StreamEvent::AgreementKeySet { entity: actor.id, key };
    state.emit(Event::Stream(event));
}

/// Gives a stream a new key.
pub(crate) fn rotate<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    stream: &StreamId,
    number: u32,
    cipher: Cipher,
    shares: &[KeyShare],
) -> Result<(), Stop> {
    let head = owned(state, actor, stream)?;
    let before: Option<SecrecyRecord> = state.get(&own_key::secrecy(stream))?;
    if before.is_none() && head.peaks.leaves() > 0 {
        // Otherwise aggregates would mix what is shown with what is hidden, and look whole.
        return Err(Refusal::StreamNotEmpty.into());
    }
    let present = before.map_or(0, |before| before.number);
    if present.checked_add(1) != Some(number) {
        return Err(Refusal::StreamKeyNumber.into());
    }
    are_wrapped_to_readers(state, shares)?;
    let height = state.now.height;
    let since_height = before.map_or(height, |before| before.since_height);
    let record = SecrecyRecord { cipher, number, since_ms: state.now.time_ms, since_height };
    state.put(own_key::secrecy(stream), &record);
    let kept = Shares { cipher, since_height: height, shares: shares.to_vec() };
    state.put(own_key::shares(stream, number), &kept);
    let readers = u32::try_from(shares.len()).unwrap_or(u32::MAX);
    state.emit(Event::Stream(StreamEvent::KeyRotated { stream: *stream, number, readers }));
    Ok(())
}

/// Gives a key of a stream to more readers.
pub(crate) fn share<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    stream: &StreamId,
    number: u32,
    shares: &[KeyShare],
) -> Result<(), Stop> {
    owned(state, actor, stream)?;
    let key = own_key::shares(stream, number);
    let mut kept: Shares = state.get(&key)?.ok_or(Refusal::UnknownStreamKey)?;
    are_wrapped_to_readers(state, shares)?;
    for share in shares {
        match kept.shares.binary_search_by(|it| it.reader.cmp(&share.reader)) {
            Ok(at) => kept.shares[at] = share.clone(),
            Err(at) => kept.shares.insert(at, share.clone()),
        }
    }
    if kept.shares.len() > STREAM_READERS_MAX {
        return Err(Refusal::OutOfBounds.into());
    }
    state.put(key, &kept);
    let readers: Vec<EntityId> = shares.iter().map(|share| share.reader).collect();
    state.emit(Event::Stream(StreamEvent::KeyShared { stream: *stream, number, readers }));
    Ok(())
}

/// The head of a stream of a thing of the sender's.
pub(crate) fn owned<R: Read>(
    state: &Transition<'_, R>,
    actor: &Actor,
    stream: &StreamId,
) -> Result<StreamHead, Stop> {
    let head: StreamHead = state.get(&key::stream(stream))?.ok_or(Refusal::UnknownStream)?;
    thing::owned(state, actor, &head.thing)?;
    Ok(head)
}

/// A share wrapped to another key than the reader's present one could not be opened.
fn are_wrapped_to_readers<R: Read>(
    state: &Transition<'_, R>,
    shares: &[KeyShare],
) -> Result<(), Stop> {
    for share in shares {
        let said: Option<AgreementRecord> = state.get(&own_key::agreement(&share.reader))?;
        if said.is_none_or(|said| said.key != share.to) {
            return Err(Refusal::NoAgreementKey.into());
        }
    }
    Ok(())
}

/// Whether a batch says of its values what it may: nothing if its stream is confidential. None if
/// it is not. Validators saw the payload, and whether it is sealed, against the state at
/// `checked_height`.
pub(crate) fn hides<R: Read>(state: &Transition<'_, R>, batch: &BatchHeader) -> Result<bool, Stop> {
    let secrecy: Option<SecrecyRecord> = state.get(&own_key::secrecy(&batch.stream))?;
    match secrecy {
        None => Ok(false),
        Some(secrecy) => {
            let was_confidential = secrecy.since_height <= state.now.checked_height;
            if was_confidential && batch.hides_values() {
                Ok(true)
            } else {
                Err(Refusal::NotSealed.into())
            }
        }
    }
}

#[cfg(test)]
mod tests;
