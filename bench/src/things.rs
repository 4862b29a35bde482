//! Things with one property each, and batches of their readings.

use althing_client::{Account, Submission};
use althing_types::{
    Action, Payload, Reading, StreamId, ThingId, Value, Wire as _, limits::ACTIONS_MAX,
};
use anyhow::Result;

use crate::{
    load::{one_more, senders},
    network::Network,
};

/// When the first reading was claimed, milliseconds since 1970.
const FIRST_MS: i64 = 1_700_000_000_000;
/// The property that each of them has.
pub(crate) const PROPERTY: &str = "temperature";
const DESCRIPTION: &str = r#"{"@context": "https://www.w3.org/2022/wot/td/v1.1", "title": "Sensor",
    "securityDefinitions": {"none": {"scheme": "nosec"}}, "security": "none",
    "properties": {"temperature": {"type": "number", "multipleOf": 0.01, "unit": "Cel",
        "forms": [{"href": "temperature"}]}}}"#;

/// A stream and the gateway that submits for it.
pub(crate) struct Sensor {
    pub(crate) gateway: Account,
    pub(crate) stream: StreamId,
    /// Milliseconds between readings.
    pub(crate) every_ms: i64,
    next_seq: u64,
}

/// Registers things of the first organisation, each bound to a gateway of its own.
pub(crate) async fn sensors(network: &Network, count: usize, every_ms: i64) -> Result<Vec<Sensor>> {
    let gateways = senders(network, count).await?;
    let owner = network.organisation.signer().entity;
    let (mut actions, mut sensors) = (Vec::new(), Vec::new());
    for (index, gateway) in gateways.into_iter().enumerate() {
        let name = format!("sensor-{index}");
        let thing = ThingId::derive(&owner, &name);
        let entity = gateway.signer().entity;
        actions.push(Action::RegisterThing { name, description: DESCRIPTION.into() });
        actions.push(Action::Bind { thing, gateway: entity, until_height: u64::MAX });
        let stream = StreamId::derive(&thing, PROPERTY);
        sensors.push(Sensor { gateway, stream, every_ms, next_seq: 0 });
    }
    for chunk in actions.chunks(ACTIONS_MAX) {
        network.act(chunk.to_vec()).await?;
    }
    Ok(sensors)
}

/// Things of the first organisation, all bound to one gateway.
pub(crate) struct Bound {
    pub(crate) gateway: Account,
    pub(crate) names: Vec<String>,
    /// Of each thing.
    pub(crate) streams: Vec<StreamId>,
}

/// Registers so many things, bound to one gateway.
pub(crate) async fn bound(network: &Network, count: usize) -> Result<Bound> {
    let gateway = one_more(network, 0).await?;
    let (owner, entity) = (network.organisation.signer().entity, gateway.signer().entity);
    let names: Vec<String> = (0..count).map(|index| format!("bound-{index}")).collect();
    let actions = names.iter().flat_map(|name| {
        let thing = ThingId::derive(&owner, name);
        [
            Action::RegisterThing { name: name.clone(), description: DESCRIPTION.into() },
            Action::Bind { thing, gateway: entity, until_height: u64::MAX },
        ]
    });
    for chunk in actions.collect::<Vec<_>>().chunks(ACTIONS_MAX) {
        network.act(chunk.to_vec()).await?;
    }
    let stream = |name: &String| StreamId::derive(&ThingId::derive(&owner, name), PROPERTY);
    let streams = names.iter().map(stream).collect();
    Ok(Bound { gateway, names, streams })
}

impl Sensor {
    /// The next readings, signed as one batch.
    pub(crate) fn batch(&mut self, count: u64) -> Submission {
        let first_seq = self.next_seq;
        self.next_seq += count;
        let readings = (first_seq..self.next_seq).map(|seq| self.reading(seq)).collect();
        let payload = Payload { readings };
        let header = payload.header(self.stream, first_seq);
        let transaction = self.gateway.sign(vec![Action::SubmitBatch(header)]);
        let transaction = transaction.wire().clone();
        Submission { transaction, payloads: vec![payload.to_wire().into()] }
    }

    /// Readings made so far.
    pub(crate) fn made(&self) -> u64 {
        self.next_seq
    }

    fn reading(&self, seq: u64) -> Reading {
        // A day's curve with some noise: values of two or three bytes, as sensors have them.
        let step = i64::try_from(seq).unwrap_or(0);
        let value = 2000 + (step % 288 - 144).abs() + step.wrapping_mul(7919) % 23;
        let claimed_ms = FIRST_MS + step * self.every_ms;
        Reading { claimed_ms, received_ms: claimed_ms + 3 + step % 5, value: Value::Number(value) }
    }
}
