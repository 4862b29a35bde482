//! Appendix II.3: providers of road information exchange it through a consortium, and vehicles that bring
//! some are paid for it.

use std::time::{Duration, Instant};

use althing_client::model::query;
use althing_proof::bundle::{VerifiedClaim, verify};
use althing_types::{Action, Amount, EntityId, Place, Reward, Status, StreamId, ThingId};
use anyhow::{Context as _, bail, ensure};
use futures::future::LocalBoxFuture;
use tokio::time::sleep;

use super::{
    mqtt,
    procedure::{Procedure, Recorder, Step, Stopped},
    topology::Topology,
};
use crate::session::Explain as _;

/// Appendix II.3.
pub(super) const PROCEDURE: Procedure = Procedure {
    clause: "II.3",
    title: "Using BoT to improve ITS for trust data exchanges",
    steps: &[
        Step { id: "REQ-II.3", title: "A vehicle joins, and provider A rewards what it measures" },
        Step {
            id: "REQ-II.3",
            title: "The vehicle measures, and its owner is paid for each reading",
        },
        Step { id: "REQ-II.3", title: "What no vehicle can measure is not taken and not paid" },
        Step {
            id: "REQ-II.3",
            title: "Provider B1 finds it on the map and checks what it brought",
        },
        Step { id: "REQ-II.3", title: "The fund ends, and so do the payments" },
    ],
    with_tokens: true,
    run,
};

/// Letter of the entity that owns the vehicle, and of the provider that rewards.
const OWNER: &str = "F";
const PROVIDER: &str = "A";
const VEHICLE: &str = "vehicle-F";
/// Smallest units of a token for each reading, and all that there is.
const PER_READING: u64 = 5;
const FUND: u64 = 40;
/// What the vehicle measures, km/h; the fund is for two readings more.
const SPEEDS: [&str; 6] = ["48", "51", "50", "13", "9", "34"];
const MORE: [&str; 3] = ["36", "41", "47"];
const TOO_FAST: &str = "900";
const POLL: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(30);

struct Road {
    vehicle: ThingId,
    speed: StreamId,
    owner: EntityId,
    /// What the owner had before the vehicle measured anything.
    before: u128,
}

fn run<'a>(topology: &'a mut Topology, recorder: &'a mut Recorder) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let road = recorder.step("REQ-II.3", join(topology)).await?;
        recorder.step("REQ-II.3", measure(topology, &road)).await?;
        recorder.step("REQ-II.3", refuse(topology, &road)).await?;
        recorder.step("REQ-II.3", consume(topology, &road)).await?;
        recorder.step("REQ-II.3", end(topology, &road)).await
    })
}

/// Its owner registers the vehicle and binds the gateway, which says where it is; provider A pays for its
/// speeds.
async fn join(topology: &Topology) -> anyhow::Result<(Road, String)> {
    let form = serde_json::json!([{ "href": "mqtt://gateway/" }]);
    let speed = serde_json::json!({
        "type": "integer", "unit": "km/h", "minimum": 0, "maximum": 250, "forms": form,
    });
    let description = serde_json::json!({
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "@type": "Vehicle",
        "title": VEHICLE,
        "securityDefinitions": { "none": { "scheme": "nosec" } },
        "security": "none",
        "properties": { "speed": speed },
    });
    let description = description.to_string().into_bytes();
    let session = topology.organisation(OWNER).await?;
    let owner = session.entity();
    let vehicle = ThingId::derive(&owner, VEHICLE);
    let gateway = topology.cluster.founded.gateway.inception.id();
    let place = Some(Place { latitude_e7: 462_044_000, longitude_e7: 61_432_000 });
    let status = Status { online: Some(true), firmware: None, place };
    let actions = vec![
        Action::RegisterThing { name: VEHICLE.to_owned(), description },
        Action::Bind { thing: vehicle, gateway, until_height: u64::MAX },
        Action::ReportStatus { thing: vehicle, status },
    ];
    let registered = session.perform(actions).await?.height;
    let stream = StreamId::derive(&vehicle, "speed");
    let provider = topology.organisation(PROVIDER).await?;
    provider.client.read_from(registered);
    let reward = Reward {
        stream,
        per_batch: Amount::ZERO,
        per_reading: Amount::from(PER_READING),
        per_day: Amount::from(FUND),
        fund: Amount::from(FUND),
        until_height: registered + 100_000,
    };
    let height = provider.perform(vec![Action::OfferReward(reward)]).await?.height;
    let before = balance(topology, &owner, height).await?;
    let evidence = format!(
        "the vehicle joined in block {registered}; {PER_READING} for each reading from a fund of {FUND}, \
         locked in block {height}"
    );
    Ok((Road { vehicle, speed: stream, owner, before }, evidence))
}

async fn balance(topology: &Topology, who: &EntityId, height: u64) -> anyhow::Result<u128> {
    let client = topology.client(OWNER)?;
    client.read_from(height);
    let digits: String = client.holding(who).await.explain()?.balance;
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    digits.parse().context("a balance is a number")
}

/// Publishes as the vehicle would.
async fn publish(topology: &Topology, speed: &str) -> anyhow::Result<Result<(), String>> {
    mqtt::publish(topology.mqtt, &[], &format!("althing/{VEHICLE}/speed"), speed).await
}

/// Waits until the owner was paid so much in all.
async fn paid(topology: &Topology, road: &Road, expected: u64) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let now = balance(topology, &road.owner, 0).await?;
        match now.checked_sub(road.before) {
            Some(paid) if paid == u128::from(expected) => return Ok(()),
            Some(paid) if paid < u128::from(expected) => {}
            _ => bail!("paid {now} in place of {expected} more than {}", road.before),
        }
        ensure!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {expected} paid");
        sleep(POLL).await;
    }
}

async fn measure(topology: &Topology, road: &Road) -> anyhow::Result<((), String)> {
    let started = Instant::now();
    // The gateway hears of the vehicle from its peer.
    while publish(topology, SPEEDS[0]).await?.is_err() {
        ensure!(started.elapsed() < PATIENCE, "the gateway does not serve the vehicle");
        sleep(POLL).await;
    }
    for speed in &SPEEDS[1..] {
        let published = publish(topology, speed).await?;
        ensure!(published.is_ok(), "the gateway did not take {speed} km/h: {published:?}");
    }
    let due = PER_READING * SPEEDS.len() as u64;
    paid(topology, road, due).await?;
    Ok(((), format!("{} readings by MQTT, {due} paid by provider {PROVIDER}", SPEEDS.len())))
}

/// The description says what a speed can be.
async fn refuse(topology: &Topology, road: &Road) -> anyhow::Result<((), String)> {
    let Err(why) = publish(topology, TOO_FAST).await? else { bail!("{TOO_FAST} km/h was taken") };
    paid(topology, road, PER_READING * SPEEDS.len() as u64).await?;
    Ok(((), format!("{TOO_FAST} km/h: {why}")))
}

/// Provider B1, which trusts neither vehicle nor provider A, asks its own peer.
async fn consume(topology: &Topology, road: &Road) -> anyhow::Result<((), String)> {
    let client = topology.client("B1")?;
    let asked = query::Things {
        kind: Some("Vehicle".to_owned()),
        within: Some("46.2,6.1,46.3,6.2".to_owned()),
        ..<_>::default()
    };
    let found = client.things(&asked).await.explain()?.items;
    ensure!(found.iter().any(|thing| thing.hex.0 == road.vehicle), "it is not on the map");
    let elsewhere = query::Things { within: Some("47,7,48,8".to_owned()), ..asked };
    ensure!(client.things(&elsewhere).await.explain()?.items.is_empty(), "it is everywhere");
    let range = query::Range { first_seq: Some(0), last_seq: Some(5), ..<_>::default() };
    let bundle = client.prove_range(&road.speed, &range).await.explain()?;
    let verified = verify(&bundle, &topology.cluster.founded.genesis)
        .map_err(|failure| anyhow::anyhow!("{failure}"))
        .context("the proof that peer B1 gave does not hold")?;
    let VerifiedClaim::Range { answer, .. } = &verified.claim else {
        bail!("peer B1 gave a proof of something else")
    };
    let count = answer.readings().count();
    ensure!(count == SPEEDS.len(), "{count} readings are proven");
    Ok((
        (),
        format!(
            "one vehicle in the box; {count} readings, complete by a proof of {} bytes",
            bundle.len()
        ),
    ))
}

/// Two readings more empty the fund; the third is final and costs nobody anything.
async fn end(topology: &Topology, road: &Road) -> anyhow::Result<((), String)> {
    for speed in MORE {
        let published = publish(topology, speed).await?;
        ensure!(published.is_ok(), "the gateway did not take {speed} km/h: {published:?}");
    }
    let client = topology.client(OWNER)?;
    let all = (SPEEDS.len() + MORE.len()) as u64;
    let started = Instant::now();
    while client.stream(&road.speed).await.explain()?.next_seq < all {
        ensure!(started.elapsed() < PATIENCE, "its readings are not final");
        sleep(POLL).await;
    }
    paid(topology, road, FUND).await?;
    Ok(((), format!("{all} readings are final, {FUND} were paid, and no more")))
}
