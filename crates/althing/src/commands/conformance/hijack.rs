//! Appendix II.2: gateways of a consortium stop a hijacked device together.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use althing_client::Signer;
use althing_types::{Action, EntityKind, ThingId};
use anyhow::{Context as _, ensure};
use futures::future::LocalBoxFuture;
use tokio::time::sleep;

use super::{
    mqtt,
    procedure::{Procedure, Recorder, Step, Stopped, until},
    topology::Topology,
};
use crate::{
    commands::gateway::password,
    founding::{Member, gateway_config},
    ports::Reservations,
    process::Process,
    session::Explain as _,
};

/// Appendix II.2.
pub(super) const PROCEDURE: Procedure = Procedure {
    clause: "II.2",
    title: "Using BoT to mitigate DDoS attacks from hijacked unsecure IoT devices",
    steps: &[
        Step { id: "REQ-II.2", title: "A smart light is served by two gateways" },
        Step { id: "REQ-II.2", title: "Service A reports an attack; one report shuts nobody out" },
        Step { id: "REQ-II.2", title: "Others validate the attack, and it is recorded" },
        Step { id: "REQ-II.2", title: "All gateways drop the light's connections" },
        Step { id: "REQ-II.2", title: "It is mended and let in: all gateways serve it again" },
    ],
    with_tokens: false,
    run,
};

/// Whose the gateways are, by letter.
const OWNERS: [&str; 2] = ["C", "D"];
/// Who says that the light attacks; the ledger believes three.
const VOICES: [&str; 3] = ["A", "B1", "E"];
/// Name of the light, with which it comes to gateways.
const LIGHT: &str = "light-C";
/// What it shows there.
const PASSWORD: &str = "made for this run";
/// How often something that is about to happen is looked for.
const POLL: Duration = Duration::from_millis(20);
/// How long gateways may take to hear of what is final.
const PATIENCE: Duration = Duration::from_secs(30);

/// Two gateways that serve the light.
struct Site {
    light: ThingId,
    mqtt: Vec<SocketAddr>,
    /// They end when these are dropped.
    _gateways: Vec<Process>,
}

fn run<'a>(topology: &'a mut Topology, recorder: &'a mut Recorder) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let site = recorder.step("REQ-II.2", serve(topology)).await?;
        recorder.step("REQ-II.2", report(topology, &site)).await?;
        let since = recorder.step("REQ-II.2", validate(topology, &site)).await?;
        recorder.step("REQ-II.2", dropped(&site, since)).await?;
        recorder.step("REQ-II.2", mended(topology, &site)).await
    })
}

/// Registers gateways and light, starts the gateways, and waits until both serve it.
async fn serve(topology: &Topology) -> anyhow::Result<(Site, String)> {
    let cluster = &topology.cluster;
    let ledger = cluster.ledger();
    let gateways =
        OWNERS.map(|letter| Member::new(EntityKind::Gateway, &format!("gateway-{letter}")));
    let mut registered = 0;
    for (letter, gateway) in OWNERS.into_iter().zip(&gateways) {
        let inception = &gateway.inception;
        let registration =
            Signer::registration(&ledger, inception.kind, &inception.name, &gateway.key).1;
        let outcome = topology.organisation(letter).await?.perform(vec![registration]).await?;
        registered = registered.max(outcome.height);
    }
    let owner = topology.organisation(OWNERS[0]).await?;
    // Its peer need not know yet what another one has registered.
    owner.client.read_from(registered);
    let light = ThingId::derive(&owner.entity(), LIGHT);
    let bind = |gateway: &Member| Action::Bind {
        thing: light,
        gateway: gateway.inception.id(),
        until_height: u64::MAX,
    };
    let mut actions = vec![registration()];
    actions.extend(gateways.iter().map(bind));
    let outcome = owner.perform(actions).await?;
    let (mut ports, mut mqtt) = (Reservations::default(), Vec::new());
    for _ in &gateways {
        mqtt.push(ports.prefer(0)?);
    }
    ports.release();
    let hash = password::hash(PASSWORD.as_bytes())?;
    let user = format!(
        "\n[[gateway.mqtt.users]]\nname = \"{LIGHT}\"\npassword = \"{hash}\"\nthings = [\"{LIGHT}\"]\n"
    );
    let owners = [cluster.founded.organisations[topology.peer(OWNERS[0])?].inception.name.clone()];
    let network = topology.network();
    let start = |(gateway, address): (&Member, &SocketAddr)| {
        let config = gateway_config(network, *address, &cluster.endpoints, &owners, &user);
        cluster.start_another_gateway(gateway, &config)
    };
    let processes = gateways.iter().zip(&mqtt).map(start).collect::<anyhow::Result<_>>()?;
    let site = Site { light, mqtt, _gateways: processes };
    for address in &site.mqtt {
        until("the light is served", || async { Ok(publish(*address).await?.is_ok()) }).await?;
    }
    measured(topology, &site, 2).await?;
    let evidence = format!(
        "bound in block {}; it measured through mqtt://{} and mqtt://{}",
        outcome.height, site.mqtt[0], site.mqtt[1]
    );
    Ok((site, evidence))
}

fn registration() -> Action {
    let form = serde_json::json!([{ "href": "mqtt://gateway/" }]);
    let description = serde_json::json!({
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "@type": "Light",
        "title": LIGHT,
        "securityDefinitions": { "none": { "scheme": "nosec" } },
        "security": "none",
        "properties": { "power": { "type": "integer", "unit": "W", "forms": form } },
    });
    let description = description.to_string().into_bytes();
    Action::RegisterThing { name: LIGHT.to_owned(), description }
}

/// Connects as the light and publishes.
async fn publish(gateway: SocketAddr) -> anyhow::Result<Result<(), String>> {
    let topic = format!("althing/{LIGHT}/power");
    mqtt::publish(gateway, &["-u", LIGHT, "-P", PASSWORD], &topic, "7").await
}

/// Waits until so many readings of the light are final.
async fn measured(topology: &Topology, site: &Site, least: u64) -> anyhow::Result<u64> {
    let client = topology.client("A")?;
    let started = Instant::now();
    loop {
        let thing = client.thing(&site.light).await.explain()?;
        let stream = thing.properties.first().context("the light has no stream")?.stream;
        let count = client.stream(&stream).await.explain()?.next_seq;
        if count >= least {
            return Ok(count);
        }
        ensure!(started.elapsed() < PATIENCE, "its readings are not final");
        sleep(POLL).await;
    }
}

async fn speak(topology: &Topology, letter: &str, site: &Site, says: bool) -> anyhow::Result<u64> {
    let reason = says.then(|| "floods service A".to_owned());
    let action = Action::Quarantine { thing: site.light, reason };
    Ok(topology.organisation(letter).await?.perform(vec![action]).await?.height)
}

async fn report(topology: &Topology, site: &Site) -> anyhow::Result<((), String)> {
    let height = speak(topology, VOICES[0], site, true).await?;
    let client = topology.client("A")?;
    client.read_from(height);
    ensure!(!client.thing(&site.light).await.explain()?.quarantined, "one voice was enough");
    for address in &site.mqtt {
        let published = publish(*address).await?;
        ensure!(published.is_ok(), "a gateway shut it out by itself: {published:?}");
    }
    Ok(((), format!("the service gateway of A spoke in block {height}; the light is still served")))
}

/// Two more organisations saw it, and the third voice shuts the light out everywhere.
async fn validate(topology: &Topology, site: &Site) -> anyhow::Result<(Instant, String)> {
    speak(topology, VOICES[1], site, true).await?;
    let height = speak(topology, VOICES[2], site, true).await?;
    let since = Instant::now();
    for (letter, client) in topology.peers() {
        client.read_from(height);
        let light = client.thing(&site.light).await.explain()?;
        ensure!(light.quarantined, "peer {letter} does not know it");
    }
    let count = topology.peers().count();
    let voices = VOICES.join(", ");
    Ok((
        since,
        format!("{voices} spoke, the last in block {height}; {count} peers have it on record"),
    ))
}

/// Each gateway hears of it from its peer and lets the light in no more.
async fn dropped(site: &Site, since: Instant) -> anyhow::Result<((), String)> {
    let mut evidence = Vec::new();
    for address in &site.mqtt {
        let why = loop {
            if let Err(why) = publish(*address).await? {
                break why;
            }
            ensure!(since.elapsed() < PATIENCE, "mqtt://{address} still lets it in");
        };
        let ms = since.elapsed().as_millis();
        evidence.push(format!("mqtt://{address}, {ms} ms after the last voice: {why}"));
    }
    Ok(((), evidence.join("\n")))
}

/// Its makers mended it: whoever spoke takes that back.
async fn mended(topology: &Topology, site: &Site) -> anyhow::Result<((), String)> {
    let before = measured(topology, site, 0).await?;
    let mut height = 0;
    for letter in VOICES {
        height = speak(topology, letter, site, false).await?;
    }
    for address in &site.mqtt {
        until("the light is served again", || async { Ok(publish(*address).await?.is_ok()) })
            .await?;
    }
    let after = measured(topology, site, before + 2).await?;
    Ok(((), format!("taken back in block {height}; reading {after} came through both gateways")))
}
