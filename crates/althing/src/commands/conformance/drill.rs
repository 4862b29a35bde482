//! A drill: what breaks in a machine room, what became of it, and how long that took.

use std::{path::PathBuf, time::Instant};

use althing_client::{
    Client,
    model::{HealthState, query},
};
use althing_types::{Action, Mechanism, StreamId, ThingId};
use anyhow::{Context as _, ensure};
use futures::future::LocalBoxFuture;

use super::{
    mqtt,
    procedure::{Procedure, Recorder, Step, Stopped, until},
    topology::Topology,
};
use crate::session::Explain as _;

/// The drill.
pub(super) const PROCEDURE: Procedure = Procedure {
    clause: "drill",
    title: "A drill of disasters, with a report",
    steps: &[
        Step { id: ROW, title: "A sensor measures through the gateway of F" },
        Step { id: ROW, title: "A peer is killed: the others go on, and say who is missing" },
        Step { id: ROW, title: "It is started again, and has what it missed" },
        Step { id: ROW, title: "Its payloads are damaged: others make them good" },
        Step { id: ROW, title: "It loses what it kept: it is made again" },
        Step {
            id: ROW,
            title: "Too few peers are left, and the gateway is killed: nothing is lost",
        },
    ],
    with_tokens: false,
    run,
};

/// The row of `docs/conformance.md` that the drill is for.
const ROW: &str = "REQ-7.2.4-c";
/// Whose peer suffers.
const VICTIM: &str = "D";
/// Whose peer is asked about the others.
const WITNESS: &str = "A";
/// Name of the sensor.
const SENSOR: &str = "probe-F";
/// Readings of the first step.
const FIRST: u64 = 8;
/// Readings that the gateway takes while nothing can be final.
const KEPT: u64 = 12;
/// A peer that has forgotten what it voted for waits for so many views.
const VIEWS: u64 = 5;
/// From here on a file of payloads is changed, bytes: behind the head of its first record.
const DAMAGE_FROM: usize = 40;

/// The sensor, and how often it has measured: its readings are 1, 2, 3 and so on.
struct Sensor {
    stream: StreamId,
    measured: u64,
}

fn run<'a>(topology: &'a mut Topology, recorder: &'a mut Recorder) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let mut sensor = recorder.step(ROW, measure(topology)).await?;
        recorder.step(ROW, killed(topology, &mut sensor)).await?;
        recorder.step(ROW, started(topology, &sensor)).await?;
        recorder.step(ROW, damaged(topology, &sensor)).await?;
        recorder.step(ROW, lost(topology, &mut sensor)).await?;
        recorder.step(ROW, alone(topology, &mut sensor)).await
    })
}

async fn measure(topology: &Topology) -> anyhow::Result<(Sensor, String)> {
    let owner = topology.organisation("F").await?;
    let thing = ThingId::derive(&owner.entity(), SENSOR);
    let gateway = topology.cluster.founded.gateway.inception.id();
    let bind = Action::Bind { thing, gateway, until_height: u64::MAX };
    let outcome = owner.perform(vec![registration(), bind]).await?;
    let mut sensor = Sensor { stream: StreamId::derive(&thing, "count"), measured: 0 };
    // The gateway hears of it by its own peer, and refuses until then.
    until("the gateway serves the sensor", || sensor.publishes(topology)).await?;
    sensor.measured = 1;
    while sensor.measured < FIRST {
        sensor.measure(topology).await?;
    }
    for (letter, client) in topology.peers() {
        sensor.whole(client).await.with_context(|| format!("peer {letter}"))?;
    }
    let peers = topology.peers().count();
    Ok((sensor, format!("bound in block {}; {FIRST} readings at {peers} peers", outcome.height)))
}

fn registration() -> Action {
    let form = serde_json::json!([{ "href": "mqtt://gateway/" }]);
    let description = serde_json::json!({
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": SENSOR,
        "securityDefinitions": { "none": { "scheme": "nosec" } },
        "security": "none",
        "properties": { "count": { "type": "integer", "readOnly": true, "forms": form } },
    });
    let description = description.to_string().into_bytes();
    Action::RegisterThing { name: SENSOR.to_owned(), description }
}

impl Sensor {
    /// Whether the gateway takes the next reading, durably.
    async fn publishes(&self, topology: &Topology) -> anyhow::Result<bool> {
        let (topic, value) = (format!("althing/{SENSOR}/count"), (self.measured + 1).to_string());
        Ok(mqtt::publish(topology.mqtt, &[], &topic, &value).await?.is_ok())
    }

    async fn measure(&mut self, topology: &Topology) -> anyhow::Result<()> {
        ensure!(self.publishes(topology).await?, "the gateway takes no reading");
        self.measured += 1;
        Ok(())
    }

    /// Waits until a peer shows every reading, each once and unchanged.
    async fn whole(&self, client: &Client) -> anyhow::Result<()> {
        let asked = query::Readings { limit: Some(100), ..<_>::default() };
        let expected: Vec<String> = (1..=self.measured).map(|value| value.to_string()).collect();
        let (asked, expected) = (&asked, &expected);
        until("every reading is there, once", || async move {
            let Ok(found) = client.readings(&self.stream, asked).await else { return Ok(false) };
            let values: Vec<String> = found.items.into_iter().map(|one| one.value).collect();
            ensure!(values.len() <= expected.len(), "a reading came twice: {values:?}");
            Ok(values == *expected)
        })
        .await
    }
}

/// Whether the witness has a connection to a peer.
async fn sees(topology: &Topology, letter: &str) -> anyhow::Result<bool> {
    let key = topology.voting_key(letter)?;
    let peers = topology.client(WITNESS)?.peers().await.explain()?;
    let peer = peers.items.iter().find(|peer| peer.key.0.0.as_slice() == key);
    Ok(peer.context("it is no peer")?.connected)
}

async fn killed(topology: &mut Topology, sensor: &mut Sensor) -> anyhow::Result<((), String)> {
    let victim = topology.peer(VICTIM)?;
    topology.cluster.kill_peer(victim).await?;
    let since = Instant::now();
    sensor.measure(topology).await?;
    sensor.whole(topology.client(WITNESS)?).await?;
    let went_on = since.elapsed().as_millis();
    let topology = &*topology;
    until("its loss is noticed", || async { Ok(!sees(topology, VICTIM).await?) }).await?;
    let noticed = since.elapsed().as_millis();
    Ok((
        (),
        format!(
            "peer {VICTIM} was killed; a reading was final {went_on} ms after that, and peer \
             {WITNESS} knew within {noticed} ms who is missing"
        ),
    ))
}

/// Starts the peer that suffers, and waits until it takes part, stands where the others stand and has all
/// readings; says how long that took.
async fn recovered(topology: &mut Topology, sensor: &Sensor) -> anyhow::Result<String> {
    let victim = topology.peer(VICTIM)?;
    let since = Instant::now();
    topology.cluster.start_peer_again(victim)?;
    topology.cluster.answering(victim).await?;
    let client = topology.client(VICTIM)?;
    until("it takes part", || async {
        let health = client.health().await.explain()?;
        Ok(health.state != HealthState::Unavailable)
    })
    .await?;
    sensor.whole(client).await?;
    let took = since.elapsed().as_millis();
    let (height, roots) = topology.cluster.settled().await?;
    ensure!(roots.values().collect::<std::collections::BTreeSet<_>>().len() == 1, "{roots:?}");
    let (count, peers) = (sensor.measured, roots.len());
    Ok(format!(
        "{took} ms after its start it shows all {count} readings; {peers} peers have one state \
         root at height {height}"
    ))
}

async fn started(topology: &mut Topology, sensor: &Sensor) -> anyhow::Result<((), String)> {
    Ok(((), recovered(topology, sensor).await?))
}

/// The folder in which the peer that suffers keeps something.
fn kept(topology: &Topology, folder: &str) -> anyhow::Result<PathBuf> {
    let name = topology.cluster.peers[topology.peer(VICTIM)?].name();
    Ok(topology.cluster.layout.member(name).join("data").join(folder))
}

async fn damaged(topology: &mut Topology, sensor: &Sensor) -> anyhow::Result<((), String)> {
    topology.cluster.kill_peer(topology.peer(VICTIM)?).await?;
    let mut changed = 0;
    for entry in std::fs::read_dir(kept(topology, "payloads")?)? {
        let path = entry?.path();
        let mut bytes = std::fs::read(&path)?;
        for byte in bytes.iter_mut().skip(DAMAGE_FROM).step_by(DAMAGE_FROM) {
            *byte ^= 1;
            changed += 1;
        }
        std::fs::write(&path, bytes)?;
    }
    ensure!(changed > 0, "there is nothing to damage");
    Ok(((), format!("{changed} bytes changed\n{}", recovered(topology, sensor).await?)))
}

/// A peer that votes has forgotten how, so it waits until the others are some views on. Under raft it
/// would have to come back under another key: there it loses its state, and keeps its log.
async fn lost(topology: &mut Topology, sensor: &mut Sensor) -> anyhow::Result<((), String)> {
    topology.cluster.kill_peer(topology.peer(VICTIM)?).await?;
    let forgets = topology.mechanism() != Mechanism::Raft;
    let folder = kept(topology, if forgets { "" } else { "state" })?;
    std::fs::remove_dir_all(&folder).with_context(|| format!("{}", folder.display()))?;
    let what = if forgets { "its data folder" } else { "the folder of its state" };
    if forgets {
        let witness = topology.client(WITNESS)?.clone();
        let first = witness.status().await.explain()?.view;
        while witness.status().await.explain()?.view < first + VIEWS {
            // Each reading takes a view to be final.
            sensor.measure(topology).await?;
            sensor.whole(&witness).await?;
        }
    }
    Ok(((), format!("{what} is gone\n{}", recovered(topology, sensor).await?)))
}

/// So many peers are killed that nothing can be final. What the gateway acknowledges meanwhile is on its
/// disk, also when it is killed.
async fn alone(topology: &mut Topology, sensor: &mut Sensor) -> anyhow::Result<((), String)> {
    let count = topology.peers().count();
    let quorum = topology.mechanism().quorum(count);
    // The last ones, among them that of the gateway's owner: it must do without.
    let away: Vec<usize> = (quorum - 1..count).collect();
    for &peer in &away {
        topology.cluster.kill_peer(peer).await?;
    }
    let final_before = sensor.measured;
    let mut refused = 0;
    while sensor.measured < final_before + KEPT {
        if sensor.publishes(topology).await? {
            sensor.measured += 1;
        } else {
            refused += 1;
            ensure!(refused < KEPT, "the gateway takes nothing");
        }
    }
    topology.cluster.kill_gateway().await?;
    let since = Instant::now();
    for &peer in &away {
        topology.cluster.start_peer_again(peer)?;
    }
    topology.cluster.start_gateway()?;
    for (letter, client) in topology.peers() {
        sensor.whole(client).await.with_context(|| format!("peer {letter}"))?;
    }
    let took = since.elapsed().as_millis();
    Ok((
        (),
        format!(
            "{} of {count} peers and the gateway were killed, with {KEPT} readings that were \
             acknowledged and not final; {took} ms after their start every peer has each of them once",
            away.len()
        ),
    ))
}
