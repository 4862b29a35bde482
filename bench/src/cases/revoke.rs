//! How soon a reader whose grant is revoked is told nothing more.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use althing_client::{
    Account, Client, Events, ReadingAs,
    model::{Event, Hex, query},
};
use althing_types::{
    Access, AccessMode, AccessPolicy, AccessRequest, Action, Resource, Right, ThingId,
};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use super::round;
use crate::{
    load::one_more,
    network::{Network, PATIENCE},
    things::{PROPERTY, Sensor, sensors},
};

const ROUNDS: usize = 10;
/// How often a reading is submitted meanwhile.
const EVERY: Duration = Duration::from_millis(20);
/// Frames that the reader must have got before it is revoked.
const FRAMES: usize = 20;
const PURPOSE: &str = "bench";

/// A service follows a stream under a grant at one peer, and the owner revokes at another. Counted is
/// from the moment when the owner is told that the revocation is final.
pub(crate) async fn measure(program: &Path) -> Result<Value> {
    let mut network = Network::ready(program).await?;
    let sensor = sensors(&network, 1, 1_000).await?.pop().context("a sensor")?;
    let owner = network.organisation.signer().entity;
    let thing = ThingId::derive(&owner, "sensor-0");
    let property = Resource::Property { thing, name: PROPERTY.into() };
    let reader = one_more(&network, 0).await?;
    network.act(vec![policy(&property)]).await?;
    let stream = sensor.stream;
    let submitting = submit(&network, sensor);
    let (mut blocks_max, mut ms_max) = (0, 0.0_f64);
    for _ in 0..ROUNDS {
        let client = ask(&network, &reader, &property).await?;
        let followed = query::Events {
            stream: Some(Hex(stream)),
            kind: Some("batch_accepted".into()),
            ..<_>::default()
        };
        let mut events = client.events(&followed).await?;
        for _ in 0..FRAMES {
            frame(&mut events).await?.context("the reader is told nothing")?;
        }
        let (height, last) = revoke(&network, &reader, &property, events).await?;
        let ms = last.1.saturating_duration_since(height.1).as_secs_f64() * 1e3;
        (blocks_max, ms_max) = (blocks_max.max(last.0.saturating_sub(height.0)), ms_max.max(ms));
    }
    submitting.abort();
    network.stop()?;
    Ok(json!({
        "bench": "revoke",
        "rounds": ROUNDS,
        "blocks_after_max": blocks_max,
        "last_frame_ms": round(ms_max),
    }))
}

/// A height, and when this process knew of it.
type Seen = (u64, Instant);

fn policy(property: &Resource) -> Action {
    Action::SetAccessPolicy(AccessPolicy {
        resource: property.clone(),
        mode: AccessMode::Grant,
        text: format!(
            "permit(principal, action, resource) when {{ context.purpose == {PURPOSE:?} }};"
        ),
        ask: None,
        patience_blocks: 0,
        grant_blocks_max: 1_000_000,
    })
}

/// Submits readings one after the other at the second peer, until it is aborted.
fn submit(network: &Network, mut sensor: Sensor) -> JoinHandle<Result<()>> {
    let client = network.clients[1].clone();
    tokio::spawn(async move {
        let mut pace = interval(EVERY);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pace.tick().await;
            client.submit(&sensor.batch(1)).await?;
        }
    })
}

/// Asks for a grant as the reader; a client that reads by it at the first peer.
async fn ask(network: &Network, reader: &Account, property: &Resource) -> Result<Client> {
    let asked = Action::RequestAccess(AccessRequest {
        resource: property.clone(),
        right: Right::Subscribe,
        purpose: PURPOSE.into(),
        count_max: 0,
        until_height: u64::MAX,
    });
    let client = &network.clients[0];
    let outcome = client.finalize_transaction(&reader.sign(vec![asked]), PATIENCE).await?;
    ensure!(outcome.receipt.refusal.is_none(), "no grant: {outcome:?}");
    let signer = reader.signer();
    let (entity, key) = (signer.entity, signer.key.clone());
    let client = client.reading_as(ReadingAs { entity, key, purpose: PURPOSE.into() });
    client.read_from(outcome.height);
    Ok(client)
}

/// Revokes the grant; when that was final, and when the last frame came.
async fn revoke(
    network: &Network,
    reader: &Account,
    property: &Resource,
    mut events: Events,
) -> Result<(Seen, Seen)> {
    let owner = network.organisation.signer().entity;
    let access = Access {
        owner,
        grantee: reader.signer().entity,
        resource: property.clone(),
        right: Right::Subscribe,
        purpose: PURPOSE.into(),
    };
    let revoke = network.organisation.sign(vec![Action::RevokeGrant { grant: access.id() }]);
    let told = tokio::spawn(async move {
        let mut last = (0, Instant::now());
        while let Some(height) = frame(&mut events).await? {
            last = (height, Instant::now());
        }
        anyhow::Ok(last)
    });
    let outcome = network.clients[2].finalize_transaction(&revoke, PATIENCE).await?;
    let revoked = (outcome.height, Instant::now());
    ensure!(outcome.receipt.refusal.is_none(), "not revoked: {outcome:?}");
    Ok((revoked, told.await??))
}

/// The height of the next frame; none if the peer ended the stream.
async fn frame(events: &mut Events) -> Result<Option<u64>> {
    let next = timeout(PATIENCE, events.next()).await.context("the stream does not end")??;
    if let Some(record) = &next {
        ensure!(matches!(record.event, Event::BatchAccepted { .. }), "{record:?}");
    }
    Ok(next.map(|record| record.height))
}
