use std::{sync::Arc, time::Duration};

use althing_client::model::query::Readings as ReadingsQuery;
use althing_client::model::{Binding, Effect};
use althing_client::{Client, Error, Submission, Unsealer, model};
use althing_edge::{DeviceSpec, Located, Outcome, Sealing, StreamSpec, ThingSpec};
use althing_types::limits::BATCH_READINGS_MAX;
use althing_types::{
    EntityId, PublicKey, Reading, Refusal, StreamId, StreamSchema, Suite, ThingId, Transaction,
    Value, ValueKind, decimal,
};

use crate::uplink::{AccountState, Uplink, UplinkError};

/// The status of HTTP that says that there is no such thing.
const NOT_FOUND: u16 = 404;

/// The way to the ledger through the HTTP interface of a peer.
#[derive(Debug, Clone)]
pub struct PeerUplink {
    client: Client,
    gateway: EntityId,
    patience: Duration,
    /// Opens what is confidential; none for a gateway that has no keys of streams.
    unsealer: Option<Arc<Unsealer>>,
}

/// What one peer says to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// What came of it on the ledger, or that this is not known yet.
    Ledger(Outcome),
    /// This peer does not take it, by the state it has: another may be further.
    Peer(Refusal),
}

impl PeerUplink {
    /// Submits as `gateway` and waits `patience` for a transaction to be final. The gateway's
    /// [`answer_timeout`](crate::Config) should be longer than that.
    #[must_use]
    pub const fn new(client: Client, gateway: EntityId, patience: Duration) -> Self {
        Self { client, gateway, patience, unsealer: None }
    }

    /// The same for a gateway that unwraps keys of confidential streams.
    #[must_use]
    pub fn with_unsealer(self, unsealer: Arc<Unsealer>) -> Self {
        Self { unsealer: Some(unsealer), ..self }
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
        let owner = thing.owner.entity_id();
        let is_ours = |binding: &&Binding| binding.gateway.entity_id() == self.gateway;
        let until_height = match thing.bindings.iter().find(is_ours) {
            Some(binding) => Some(binding.until_height),
            None if owner == self.gateway => None,
            // It was bound a moment ago, and is not any more.
            None => Some(0),
        };
        let device = match (thing.needs_device_signature, thing.device) {
            (false, _) => None,
            (true, None) => Some(DeviceSpec { id: EntityId::default(), key: None }),
            (true, Some(device)) => Some(self.device(device.entity_id()).await?),
        };
        Ok(ThingSpec {
            id: thing.hex.0,
            name: thing.name,
            owner,
            until_height,
            streams,
            device,
            may_lose: thing.may_lose_oldest,
            is_shut_out: thing.quarantined,
        })
    }

    async fn device(&self, id: EntityId) -> Result<DeviceSpec, UplinkError> {
        let entity = self.client.entity(&id).await.map_err(failed)?;
        let suite = Suite::from_name(&entity.key.suite);
        let suite = suite.ok_or_else(|| unexpected("the suite of a key"))?;
        let bytes = hex(&entity.key.public).ok_or_else(|| unexpected("a key"))?;
        Ok(DeviceSpec { id, key: entity.active.then_some(PublicKey { suite, bytes }) })
    }

    /// Submits a transaction and waits until it is final, as long as the patience lasts.
    ///
    /// # Errors
    /// [`UplinkError`] if the peer does not answer.
    pub async fn offer(
        &self,
        transaction: &Transaction,
        payload: Vec<u8>,
    ) -> Result<Verdict, UplinkError> {
        let submission =
            Submission { transaction: transaction.wire().clone(), payloads: vec![payload.into()] };
        match self.client.finalize(&submission, self.patience).await {
            Ok(outcome) => on_ledger(&outcome).map(Verdict::Ledger),
            Err(Error::Timeout { .. }) => Ok(Verdict::Ledger(Outcome::Undecided)),
            Err(error) => {
                // What is looked up next is to be no older than what the refusal was judged by.
                self.client.read_from(self.client.height());
                refusal(error.code()).map(Verdict::Peer).ok_or_else(|| failed(error))
            }
        }
    }

    /// What the peer shows of a stream from just before `seq` to behind the batch that holds it.
    async fn around(
        &self,
        stream: &StreamId,
        seq: u64,
    ) -> Result<Vec<model::Reading>, UplinkError> {
        let mut shown: Vec<model::Reading> = Vec::new();
        let mut query = ReadingsQuery { first_seq: Some(seq.saturating_sub(1)), ..<_>::default() };
        loop {
            let mut page = self.client.readings(stream, &query).await.map_err(failed)?;
            if let Some(unsealer) = &self.unsealer {
                unsealer.open(&self.client, &mut page).await.map_err(failed)?;
            }
            if !page.sealed.is_empty() {
                return Err(UplinkError::because(
                    "the stream's key is not wrapped to this gateway",
                ));
            }
            if !page.unavailable.is_empty() {
                return Err(UplinkError::because("the peer does not hold these readings yet"));
            }
            shown.extend(page.items);
            let holds = shown.iter().find(|reading| reading.seq == seq).map(|reading| reading.leaf);
            let is_behind =
                shown.last().is_some_and(|last| last.seq > seq && Some(last.leaf) != holds);
            if page.next.is_none() || is_behind || shown.len() > BATCH_READINGS_MAX + 1 {
                return Ok(shown);
            }
            query.after = page.next;
        }
    }
}

/// The readings of the batch that holds `seq`, among those around it.
fn located(
    schema: &StreamSchema,
    seq: u64,
    around: &[model::Reading],
) -> Result<Option<Located>, UplinkError> {
    let Some(holding) = around.iter().find(|reading| reading.seq == seq) else { return Ok(None) };
    let batch = around.iter().filter(|reading| reading.leaf == holding.leaf);
    let first_seq = batch.clone().map(|reading| reading.seq).min().unwrap_or(seq);
    let readings: Option<Vec<Reading>> = batch.map(|reading| exact(reading, schema)).collect();
    let readings = readings.ok_or_else(|| unexpected("the value of a reading"))?;
    Ok(Some(Located { first_seq, readings }))
}

impl Uplink for PeerUplink {
    async fn account(&self) -> Result<AccountState, UplinkError> {
        let account = self.client.account(&self.gateway).await.map_err(failed)?;
        Ok(AccountState { height: account.height, next_nonce: account.next_nonce })
    }

    async fn head(&self, id: StreamId) -> Result<(u64, Sealing), UplinkError> {
        let stream = self.client.stream(&id).await.map_err(failed)?;
        let sealing = match (stream.secrecy, &self.unsealer) {
            (None, _) => Sealing::Open,
            (Some(_), None) => Sealing::Locked,
            (Some(secrecy), Some(unsealer)) => {
                let key = unsealer.key(&self.client, &id, secrecy.key_number).await;
                key.map_err(failed)?.map_or(Sealing::Locked, Sealing::Under)
            }
        };
        Ok((stream.next_seq, sealing))
    }

    async fn locate(&self, id: StreamId, seq: u64) -> Result<(Option<Located>, u64), UplinkError> {
        let around = self.around(&id, seq).await?;
        // Read after the readings, so that its next number is no lower than they say.
        let stream = self.client.stream(&id).await.map_err(failed)?;
        let schema = schema(&stream).ok_or_else(|| unexpected("the schema of a stream"))?;
        Ok((located(&schema, seq, &around)?, stream.next_seq))
    }

    async fn submit(
        &self,
        transaction: Transaction,
        payload: Vec<u8>,
    ) -> Result<Outcome, UplinkError> {
        Ok(match self.offer(&transaction, payload).await? {
            Verdict::Ledger(outcome) => outcome,
            Verdict::Peer(refusal) => Outcome::Refused(refusal),
        })
    }

    async fn key(&self, entity: EntityId) -> Result<Option<PublicKey>, UplinkError> {
        let known = match self.client.entity(&entity).await {
            Ok(known) => known,
            Err(Error::Refused(problem)) if problem.status == NOT_FOUND => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if !known.active {
            return Ok(None);
        }
        known.key.to_public_key().map(Some).ok_or_else(|| unexpected("the key of an entity"))
    }
}

fn on_ledger(outcome: &model::Outcome) -> Result<Outcome, UplinkError> {
    match outcome.receipt.effect {
        Effect::Applied => Ok(Outcome::Finalized { height: outcome.height }),
        Effect::AwaitingApproval => Ok(Outcome::Refused(Refusal::AwaitingApproval)),
        Effect::Refused => {
            let told = outcome.receipt.refusal.as_ref();
            let refusal = refusal(told.map(|refusal| refusal.code.as_str()));
            refusal.map(Outcome::Refused).ok_or_else(|| unexpected("the refusal in a receipt"))
        }
    }
}

fn refusal(code: Option<&str>) -> Option<Refusal> {
    Refusal::ALL.iter().copied().find(|refusal| Some(refusal.code()) == code)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of_kind(kind: ValueKind, scale: u8) -> StreamSchema {
        let unit = String::new();
        StreamSchema { kind, scale, quantum: 1, unit, minimum: None, maximum: None }
    }

    /// A reading as the peer shows it.
    fn shown(seq: u64, leaf: u64, value: &str) -> model::Reading {
        let (claimed, received, ledger) = (model::Time(5), model::Time(7), model::Time(9));
        model::Reading { seq, value: value.into(), claimed, received, ledger, height: 1, leaf }
    }

    fn of_values(values: &[Value]) -> Vec<Reading> {
        let reading =
            |value: &Value| Reading { claimed_ms: 5, received_ms: 7, value: value.clone() };
        values.iter().map(reading).collect()
    }

    #[test]
    fn a_batch_is_known_again_by_the_values_that_are_shown() {
        for (schema, values) in [
            (
                of_kind(ValueKind::Number, 2),
                [("21.50", Value::Number(2150)), ("-0.05", Value::Number(-5))],
            ),
            (
                of_kind(ValueKind::Bool, 0),
                [("true", Value::Bool(true)), ("false", Value::Bool(false))],
            ),
            (
                of_kind(ValueKind::Text, 0),
                [("warm", Value::Text("warm".into())), ("", Value::Text(String::new()))],
            ),
            (
                of_kind(ValueKind::Bytes, 0),
                [("00ff", Value::Bytes(vec![0, 255])), ("", Value::Bytes(Vec::new()))],
            ),
        ] {
            let [first, second] = &values;
            let around = [
                shown(6, 3, first.0),
                shown(7, 4, first.0),
                shown(8, 4, second.0),
                shown(9, 5, first.0),
            ];
            let found = located(&schema, 7, &around).unwrap().unwrap();
            assert_eq!(found.first_seq, 7);
            assert_eq!(found.readings, of_values(&[first.1.clone(), second.1.clone()]));
        }
    }

    #[test]
    fn a_number_in_the_middle_of_a_batch_or_in_none_is_told_apart() {
        let schema = of_kind(ValueKind::Number, 0);
        let around = [shown(6, 4, "1"), shown(7, 4, "2"), shown(9, 5, "3")];
        let found = |seq| located(&schema, seq, &around).unwrap();
        assert_eq!(found(7).map(|batch| batch.first_seq), Some(6));
        assert_eq!(found(8), None);
        assert_eq!(found(9).map(|batch| batch.readings.len()), Some(1));
        assert!(located(&schema, 1, &[shown(1, 1, "warm")]).is_err());
    }
}
