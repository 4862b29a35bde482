//! Put the demo's things on the ledger: each by its owner, all bound to the one gateway.

use std::time::{Duration, Instant};

use althing_client::{Client, Error, Signer, Submission, model::Outcome};
use althing_types::{Action, EntityId, StreamId, ThingId, Transaction};
use futures::future::try_join_all;
use tokio::time::sleep;

use crate::{cluster::Cluster, replay::catalogue::Sensor, report::failed, session::Explain as _};

/// How often a peer that does not take a transaction yet is asked again.
const POLL: Duration = Duration::from_millis(5);
/// How long peers may take to take and finalize a transaction.
const PATIENCE: Duration = Duration::from_secs(60);
/// Height at which the transactions of the first moments expire; far above any they can meet.
const EXPIRY_HEIGHT: u64 = 10_000;

/// The transaction of one organisation, signed before the peers are up, and the peer it goes to.
#[derive(Debug)]
pub(super) struct Registration {
    client: Client,
    transaction: Transaction,
}

/// One transaction for each organisation that owns a sensor; the first also registers the gateway.
pub(super) fn registrations(cluster: &Cluster, sensors: &[Sensor]) -> Vec<Registration> {
    let organisations = cluster.founded.organisations.len();
    let gateway = cluster.founded.gateway.inception.id();
    let registration = |peer: usize| {
        let signer = cluster.signer(&cluster.founded.organisations[peer]);
        let mut actions = Vec::new();
        if peer == 0 {
            let member = &cluster.founded.gateway;
            let inception = &member.inception;
            let (kind, name) = (inception.kind, inception.name.as_str());
            actions.push(Signer::registration(&cluster.ledger(), kind, name, &member.key).1);
        }
        let own = sensors.iter().filter(|sensor| sensor.owner % organisations == peer);
        actions.extend(own.flat_map(|sensor| of_sensor(sensor, signer.entity, gateway)));
        let transaction = (!actions.is_empty()).then(|| signer.sign(0, EXPIRY_HEIGHT, actions))?;
        Some(Registration { client: cluster.client(peer).clone(), transaction })
    };
    (0..organisations).filter_map(registration).collect()
}

fn of_sensor(sensor: &Sensor, owner: EntityId, gateway: EntityId) -> [Action; 2] {
    let description = sensor.description().to_string().into_bytes();
    let thing = ThingId::derive(&owner, &sensor.thing);
    [
        Action::RegisterThing { name: sensor.thing.clone(), description },
        Action::Bind { thing, gateway, until_height: u64::MAX },
    ]
}

/// The streams of the sensors, in their order.
pub(super) fn streams(cluster: &Cluster, sensors: &[Sensor]) -> Vec<StreamId> {
    let organisations = &cluster.founded.organisations;
    let stream = |sensor: &Sensor| {
        let owner = organisations[sensor.owner % organisations.len()].inception.id();
        StreamId::derive(&ThingId::derive(&owner, &sensor.thing), &sensor.property)
    };
    sensors.iter().map(stream).collect()
}

/// Submits them: the first alone, for the others bind their things to the gateway it registers.
pub(super) async fn submit(all: Vec<Registration>) -> anyhow::Result<()> {
    let Some((first, others)) = all.split_first() else { return Ok(()) };
    let outcome = finalize(&first.client, &first.transaction).await?;
    let others = others.iter().map(|Registration { client, transaction }| {
        client.read_from(outcome.height);
        finalize(client, transaction)
    });
    try_join_all(others).await.map(drop)
}

/// Submits a transaction to a peer that is just starting, and waits until it is final.
async fn finalize(client: &Client, transaction: &Transaction) -> anyhow::Result<Outcome> {
    let (submission, started) = (Submission::from(transaction), Instant::now());
    let outcome = loop {
        match client.finalize(&submission, PATIENCE).await {
            Ok(outcome) => break outcome,
            // Taken before, by this peer or another, and the answer was lost.
            Err(error) if error.code() == Some("nonce_reused") => {
                break client.wait(transaction.id(), PATIENCE).await.explain()?;
            }
            Err(error) if is_early(&error) && started.elapsed() < PATIENCE => sleep(POLL).await,
            Err(error) => return Err(error).explain(),
        }
    };
    match &outcome.receipt.refusal {
        None => Ok(outcome),
        Some(refusal) => Err(failed(
            format!("a registration took no effect: {} ({})", refusal.detail, refusal.code),
            "this is a defect of the demo; please report it",
        )),
    }
}

/// Whether the peer is only not that far yet.
fn is_early(error: &Error) -> bool {
    error.is_temporary() || error.code() == Some("unknown_entity")
}
