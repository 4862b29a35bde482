//! Reading confidential streams: unwrapping their keys, opening what is sealed. All of it happens
//! here, at the reader's; a peer never sees a key.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use althing_types::{
    AgreementSecret, BatchHeader, Cipher, EntityId, LedgerId, SigningKey, StreamId, StreamKey,
    Value, blake3_digest, decimal,
};

use crate::{
    Client, Error,
    model::{KeyShare, Reading, Readings, SealedBatch, Time},
};

/// Most keys kept at a time; others are fetched again.
const KEYS_MAX: usize = 1024;

/// Opens batches of confidential streams for one reader, and keeps the keys it was given.
#[derive(Debug)]
pub struct Unsealer {
    ledger: LedgerId,
    reader: EntityId,
    secret: AgreementSecret,
    keys: Mutex<BTreeMap<(StreamId, u32), StreamKey>>,
}

impl Unsealer {
    /// For a reader with this key, on a ledger.
    #[must_use]
    pub fn new(ledger: LedgerId, reader: EntityId, key: &SigningKey) -> Self {
        let secret = AgreementSecret::of(key);
        Self { ledger, reader, secret, keys: Mutex::default() }
    }

    /// The reader.
    #[must_use]
    pub const fn reader(&self) -> EntityId {
        self.reader
    }

    /// A key of a stream; none if it was not wrapped to this reader, or to an earlier key of its.
    ///
    /// # Errors
    /// [`Error`] if the peer does not answer.
    pub async fn key(
        &self,
        client: &Client,
        stream: &StreamId,
        number: u32,
    ) -> Result<Option<StreamKey>, Error> {
        if let Some(key) = self.kept().get(&(*stream, number)) {
            return Ok(Some(key.clone()));
        }
        let shown = client.stream_key(stream, number).await?;
        let cipher = shown.cipher.as_deref().and_then(cipher);
        let own = shown.shares.iter().find(|share| share.reader.entity_id() == self.reader);
        let (Some(cipher), Some(share)) = (cipher, own.and_then(KeyShare::to_share)) else {
            return Ok(None);
        };
        let key = self.secret.unwrap(&self.ledger, stream, (cipher, number), &share);
        if let Some(key) = &key {
            let mut keys = self.kept();
            if keys.len() >= KEYS_MAX {
                keys.clear();
            }
            keys.insert((*stream, number), key.clone());
        }
        Ok(key)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, BTreeMap<(StreamId, u32), StreamKey>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the batches of a page whose keys this reader has: their readings move to the others.
    /// Batches come whole, so there may be readings outside of what was asked for.
    ///
    /// # Errors
    /// [`Error`] if the peer does not answer, or shows what is not sealed under the stream's key.
    pub async fn open(&self, client: &Client, page: &mut Readings) -> Result<(), Error> {
        if page.sealed.is_empty() {
            return Ok(());
        }
        let stream = page.stream.0;
        let scale = client.stream(&stream).await?.scale;
        let mut closed = Vec::new();
        for batch in std::mem::take(&mut page.sealed) {
            match self.key(client, &stream, batch.key_number).await? {
                None => closed.push(batch),
                Some(key) => {
                    let readings = open(&stream, &batch, &key, scale);
                    let wrong = || Error::Form {
                        url: format!("v1/streams/{stream}/readings"),
                        what: format!("batch {} does not open with the stream's key", batch.leaf),
                    };
                    page.items.extend(readings.ok_or_else(wrong)?);
                }
            }
        }
        page.sealed = closed;
        page.items.sort_by_key(|reading| reading.seq);
        Ok(())
    }
}

fn open(
    stream: &StreamId,
    batch: &SealedBatch,
    key: &StreamKey,
    scale: u8,
) -> Option<Vec<Reading>> {
    let bytes = hex::decode(&batch.payload).ok()?;
    let header = BatchHeader {
        stream: *stream,
        first_seq: batch.first_seq,
        count: batch.count,
        time_min: batch.earliest.0,
        time_max: batch.latest.0,
        min: None,
        max: None,
        sum: 0,
        payload_digest: blake3_digest(&bytes),
        payload_len: u32::try_from(bytes.len()).ok()?,
    };
    let (_, payload) = key.open(&header, &bytes).ok()?;
    let reading = |(seq, reading): (u64, althing_types::Reading)| Reading {
        seq,
        value: text(&reading.value, scale),
        claimed: Time(reading.claimed_ms),
        received: Time(reading.received_ms),
        ledger: batch.ledger,
        height: batch.height,
        leaf: batch.leaf,
    };
    Some((batch.first_seq..).zip(payload.readings).map(reading).collect())
}

/// A value as peers show it.
fn text(value: &Value, scale: u8) -> String {
    match value {
        Value::Number(mantissa) => decimal::to_text(*mantissa, scale),
        Value::Bool(value) => value.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => hex::encode(bytes),
    }
}

fn cipher(name: &str) -> Option<Cipher> {
    Some(Cipher::ChaCha20Poly1305).filter(|cipher| cipher.name() == name)
}

impl KeyShare {
    /// The share in exact terms; none if it is no share.
    #[must_use]
    pub fn to_share(&self) -> Option<althing_types::KeyShare> {
        Some(althing_types::KeyShare {
            reader: self.reader.entity_id(),
            to: althing_types::AgreementKey(fixed(&self.to)?),
            enc: fixed(&self.enc)?,
            wrapped: fixed(&self.wrapped)?,
        })
    }
}

impl crate::model::AgreementKey {
    /// The key, if the entity has said one.
    #[must_use]
    pub fn to_key(&self) -> Option<althing_types::AgreementKey> {
        fixed(self.key.as_deref()?).map(althing_types::AgreementKey)
    }
}

fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text).ok()?.try_into().ok()
}
