use std::time::Duration;

use althing_client::model::Effect;
use althing_client::model::query::Readings as ReadingsQuery;
use althing_client::{Client, Error, Submission, model};
use althing_edge::{Located, Outcome, StreamSpec, ThingSpec};
use althing_types::limits::BATCH_READINGS_MAX;
use althing_types::{
    EntityId, Payload, Reading, Refusal, StreamId, StreamSchema, ThingId, Transaction, Value,
    ValueKind, decimal,
};

use crate::uplink::{AccountState, Uplink, UplinkError};

/// The way to the ledger through the HTTP interface of a peer.
#[derive(Debug, Clone)]
pub struct PeerUplink {
    client: Client,
    gateway: EntityId,
    patience: Duration,
}

impl PeerUplink {
    /// Submits as `gateway` and waits `patience` for a transaction to be final. The gateway's
    /// [`answer_timeout`](crate::Config) should be longer than that.
    #[must_use]
    pub const fn new(client: Client, gateway: EntityId, patience: Duration) -> Self {
        Self { client, gateway, patience }
    }

    /// What the gateway must know of a thing to serve it, as the ledger has it.
    ///
    /// # Errors
    /// [`UplinkError`] if the peer does not answer, or does not know the thing.
    pub async fn thing(&self, thing: &ThingId) -> Result<ThingSpec, UplinkError> {
        let thing = self.client.thing(thing).await.map_err(failed)?;
        let mut streams = Vec::with_capacity(thing.properties.len());
        for property in thing.properties {
            let stream = self.client.stream(&property.stream).await.map_err(failed)?;
            let schema = schema(&stream).ok_or_else(|| unexpected("the schema of a stream"))?;
            streams.push(StreamSpec { property: property.name, id: stream.id.0, schema });
        }
        Ok(ThingSpec { name: thing.name, streams })
    }

    /// The readings of the batch that holds `seq` and begins there, and whether it begins earlier.
    async fn batch(
        &self,
        stream: &StreamId,
        seq: u64,
    ) -> Result<(Vec<model::Reading>, bool), UplinkError> {
        let mut batch: Vec<model::Reading> = Vec::new();
        let mut query = ReadingsQuery { first_seq: Some(seq.saturating_sub(1)), ..<_>::default() };
        let mut before = None;
        loop {
            let page = self.client.readings(stream, &query).await.map_err(failed)?;
            if !page.unavailable.is_empty() {
                return Err(UplinkError::because("the peer does not hold these readings yet"));
            }
            for reading in page.items {
                match batch.first() {
                    _ if reading.seq < seq => before = Some(reading.leaf),
                    None if reading.seq == seq => batch.push(reading),
                    Some(first) if reading.leaf == first.leaf => batch.push(reading),
                    _ => return Ok(judged(batch, before)),
                }
            }
            if page.next.is_none() || batch.len() > BATCH_READINGS_MAX {
                return Ok(judged(batch, before));
            }
            query.after = page.next;
        }
    }
}

fn judged(batch: Vec<model::Reading>, before: Option<u64>) -> (Vec<model::Reading>, bool) {
    let begins_earlier = batch.first().is_some_and(|first| Some(first.leaf) == before);
    (batch, begins_earlier)
}

impl Uplink for PeerUplink {
    async fn account(&self) -> Result<AccountState, UplinkError> {
        let account = self.client.account(&self.gateway).await.map_err(failed)?;
        Ok(AccountState { height: account.height, next_nonce: account.next_nonce })
    }

    async fn next_seq(&self, stream: StreamId) -> Result<u64, UplinkError> {
        Ok(self.client.stream(&stream).await.map_err(failed)?.next_seq)
    }

    async fn locate(&self, id: StreamId, seq: u64) -> Result<(Option<Located>, u64), UplinkError> {
        let (readings, begins_earlier) = self.batch(&id, seq).await?;
        // Read after the readings, so that it is no lower than they say.
        let stream = self.client.stream(&id).await.map_err(failed)?;
        let Some(first) = readings.first() else { return Ok((None, stream.next_seq)) };
        let schema = schema(&stream).ok_or_else(|| unexpected("the schema of a stream"))?;
        let first_seq = if begins_earlier { first.seq.saturating_sub(1) } else { first.seq };
        let readings: Option<Vec<Reading>> =
            readings.iter().map(|reading| exact(reading, &schema)).collect();
        let readings = readings.ok_or_else(|| unexpected("the value of a reading"))?;
        // The digest is of what the ledger holds, made from the values that it shows.
        let header = Payload { readings }.header(id, first_seq);
        let (count, payload_digest) = (header.count, header.payload_digest);
        Ok((Some(Located { first_seq, count, payload_digest }), stream.next_seq))
    }

    async fn submit(
        &self,
        transaction: Transaction,
        payload: Vec<u8>,
    ) -> Result<Outcome, UplinkError> {
        let submission =
            Submission { transaction: transaction.wire().clone(), payloads: vec![payload.into()] };
        match self.client.finalize(&submission, self.patience).await {
            Ok(outcome) => match outcome.receipt.effect {
                Effect::Applied => Ok(Outcome::Finalized { height: outcome.height }),
                Effect::AwaitingApproval => Ok(Outcome::Refused(Refusal::AwaitingApproval)),
                Effect::Refused => {
                    let refusal = outcome.receipt.refusal.as_ref();
                    refused(refusal.map(|refusal| refusal.code.as_str()))
                        .ok_or_else(|| unexpected("the refusal in a receipt"))
                }
            },
            Err(Error::Timeout { .. }) => Ok(Outcome::Undecided),
            Err(error) => refused(error.code()).ok_or_else(|| failed(error)),
        }
    }
}

fn refused(code: Option<&str>) -> Option<Outcome> {
    let refusal = Refusal::ALL.iter().find(|refusal| Some(refusal.code()) == code);
    refusal.copied().map(Outcome::Refused)
}

/// A stream's schema in exact terms.
fn schema(stream: &model::Stream) -> Option<StreamSchema> {
    let mantissa = |text: &String| decimal::parse(text, stream.scale, false).ok();
    let kind = match stream.kind.as_str() {
        "number" => ValueKind::Number,
        "boolean" => ValueKind::Bool,
        "text" => ValueKind::Text,
        "bytes" => ValueKind::Bytes,
        _ => return None,
    };
    Some(StreamSchema {
        kind,
        scale: stream.scale,
        quantum: mantissa(&stream.quantum).filter(|quantum| *quantum >= 1)?,
        unit: stream.unit.clone(),
        minimum: stream.minimum.as_ref().map(mantissa).map_or(Some(None), |m| m.map(Some))?,
        maximum: stream.maximum.as_ref().map(mantissa).map_or(Some(None), |m| m.map(Some))?,
    })
}

/// A reading in exact terms.
fn exact(reading: &model::Reading, schema: &StreamSchema) -> Option<Reading> {
    let text = &reading.value;
    let value = match schema.kind {
        ValueKind::Number => Value::Number(decimal::parse(text, schema.scale, false).ok()?),
        ValueKind::Bool => Value::Bool(text.parse().ok()?),
        ValueKind::Text => Value::Text(text.clone()),
        ValueKind::Bytes => Value::Bytes(hex(text)?),
    };
    let (claimed_ms, received_ms) = (reading.claimed.0, reading.received.0);
    Some(Reading { claimed_ms, received_ms, value })
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    if digits.len().is_multiple_of(2) { digits.chunks(2).map(pair).collect() } else { None }
}

fn failed(error: Error) -> UplinkError {
    UplinkError(Box::new(error))
}

fn unexpected(what: &str) -> UplinkError {
    UplinkError(format!("the peer's answer is not of the expected form: {what}").into())
}
