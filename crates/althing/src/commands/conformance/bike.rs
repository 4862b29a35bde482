//! Appendix II.1: a bike's parts come from ledgers of their own, and its production can be traced back
//! through all of them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use althing_client::{Client, Error, ReadingAs, Signer, submission::Submission};
use althing_policy::Template;
use althing_proof::bundle::{VerifiedClaim, verify};
use althing_types::{
    AccessMode, AccessPolicy, Action, Amount, Call, CallAnswer, CallPayment, EntityId, EntityKind,
    Genesis, LedgerId, LinkId, Listing, Manifest, Mechanism, Mode, Offered, Payload, Price,
    Reading, Reads, Resource, Right, ServiceId, StreamId, ThingId, TxId, Value, Version, Wire as _,
    limits::{CALL_GRACE_MS_MIN, EPOCH_BLOCKS_STANDARD},
};
use anyhow::{Context as _, bail, ensure};
use futures::future::LocalBoxFuture;
use tokio::time::sleep;

use super::{
    access::applied,
    procedure::{Procedure, Recorder, Step, Stopped},
    topology::Topology,
};
use crate::{
    cluster::{Cluster, prepare},
    commands::ledger::{Ends, advance},
    founding::{Endpoints, Member, Plan, gateway_config},
    ports::Reservations,
    session::{Explain as _, Session},
};

/// Appendix II.1.
pub(super) const PROCEDURE: Procedure = Procedure {
    clause: "II.1",
    title: "Using BoT to trace the production of a bike",
    steps: &[
        Step { id: "REQ-II.1", title: "Frame maker and bike maker have ledgers of their own" },
        Step { id: "REQ-II.1", title: "Each production record names the record before it" },
        Step { id: "REQ-II.1", title: "An authorised person traces the bike through all ledgers" },
        Step { id: "REQ-II.1", title: "Nobody else does, and no altered proof passes" },
        Step { id: "REQ-8.5-DO-d", title: "Shop and bike maker link their ledgers" },
        Step { id: "REQ-8.5-DO-d", title: "The shop asks the maker's warranty service, and pays" },
        Step { id: "REQ-8.5-DO-d", title: "A call without an answer is refunded after its time" },
    ],
    with_tokens: true,
    run,
};

/// Who runs the shop, in the consortium of the shops.
const SHOP: &str = "A";
/// Who speaks for the bike maker there, and is paid.
const AGENT: &str = "C";
/// The person that the makers let trace.
const INSPECTOR: &str = "inspector";
/// What she traces for.
const PURPOSE: &str = "safety recall";
/// Smallest units of a token for an answer.
const PAID: u64 = 30;
/// How long a call that nobody answers waits.
const SHORT_MS: u64 = 3_000;
const POLL: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(45);

/// A ledger of one organisation with one peer.
struct Maker {
    cluster: Cluster,
    owner: EntityId,
}

/// One production record: a reading of the property `produced` of what was made.
#[derive(Debug, Clone)]
struct Produced {
    ledger: LedgerId,
    stream: StreamId,
}

/// What was made where, in the order of the production.
struct Chain {
    frame: Produced,
    bike: Produced,
    sale: Produced,
}

fn run<'a>(topology: &'a mut Topology, recorder: &'a mut Recorder) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let makers = recorder.step("REQ-II.1", makers(topology)).await?;
        let inspector = Member::new(EntityKind::Service, INSPECTOR);
        let chain = recorder.step("REQ-II.1", produce(topology, &makers, &inspector)).await?;
        recorder.step("REQ-II.1", trace(topology, &makers, &inspector, &chain)).await?;
        recorder.step("REQ-II.1", refuse(topology, &makers, &inspector, &chain)).await?;
        let service = recorder.step("REQ-8.5-DO-d", link(topology, &makers[1])).await?;
        let mut ends = recorder.step("REQ-8.5-DO-d", call(topology, &makers[1], service)).await?;
        recorder.step("REQ-8.5-DO-d", refund(topology, &mut ends, service)).await?;
        Ok(())
    })
}

async fn makers(topology: &Topology) -> anyhow::Result<([Maker; 2], String)> {
    let frame = maker(topology, "frame-maker").await?;
    let bike = maker(topology, "bike-maker").await?;
    let evidence = format!(
        "{} and {}, one peer each, beside the {} peers of the shops; three genesis files",
        frame.cluster.ledger(),
        bike.cluster.ledger(),
        topology.peers().count()
    );
    Ok(([frame, bike], evidence))
}

/// Founds the private ledger of a maker and starts its peer. Who may read is a matter of policies.
async fn maker(topology: &Topology, name: &str) -> anyhow::Result<Maker> {
    let plan = Plan {
        network: name.to_owned(),
        mode: Mode::Private,
        organisations: vec![name.to_owned()],
        peers: vec![(format!("peer-of-{name}"), 0)],
        gateway: format!("gateway-of-{name}"),
        epoch_blocks: EPOCH_BLOCKS_STANDARD,
        mechanism: Mechanism::Raft,
        reads: Reads::Policy,
        participation: None,
    };
    let mut ports = Reservations::default();
    let endpoints = [Endpoints { p2p: ports.prefer(0)?, api: ports.prefer(0)? }];
    let gateway = gateway_config(name, ports.prefer(0)?, &endpoints, &plan.organisations, "");
    let genesis = topology.cluster.layout.genesis();
    let folder = genesis.parent().context("the network has no folder")?.join(name);
    let (founded, layout) = prepare(&plan, &folder, &endpoints, &gateway)?;
    ports.release();
    let owner = founded.organisations[0].inception.id();
    let mut cluster = Cluster::start(founded, layout, endpoints.to_vec())?;
    cluster.ready().await?;
    Ok(Maker { cluster, owner })
}

impl Maker {
    async fn session(&self) -> anyhow::Result<Session> {
        self.cluster.session(&self.cluster.founded.organisations[0], 0).await
    }
}

/// Registers what was made, lets the inspector read its record, and writes that down.
async fn make(
    session: &Session,
    name: &str,
    inspector: &Member,
    before: Option<&Produced>,
) -> anyhow::Result<Produced> {
    let form = serde_json::json!([{ "href": "records" }]);
    let description = serde_json::json!({
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": name,
        "securityDefinitions": { "none": { "scheme": "nosec" } },
        "security": "none",
        "properties": { "produced": { "type": "string", "forms": form } },
    });
    let (owner, ledger) = (session.entity(), session.ledger());
    let thing = ThingId::derive(&owner, name);
    let stream = StreamId::derive(&thing, "produced");
    let reader = inspector.inception.id();
    let text = Template::Entity {
        entity: reader,
        rights: vec![Right::Read],
        purpose: Some(PURPOSE.to_owned()),
    };
    let text = text.statement().context("the policy has no text")?;
    let (_, registration) = Signer::registration(
        &ledger,
        inspector.inception.kind,
        &inspector.inception.name,
        &inspector.key,
    );
    let policy = AccessPolicy {
        resource: Resource::Property { thing, name: "produced".to_owned() },
        mode: AccessMode::Open,
        text,
        ask: None,
        patience_blocks: 0,
        grant_blocks_max: 1,
    };
    session
        .perform(vec![
            registration,
            Action::RegisterThing {
                name: name.to_owned(),
                description: description.to_string().into_bytes(),
            },
            Action::SetAccessPolicy(policy),
        ])
        .await?;
    let record = serde_json::json!({
        "made": name,
        "before": before.map(|it| serde_json::json!({
            "ledger": it.ledger.to_string(),
            "record": format!("{}/0", it.stream),
        })),
    });
    let now_ms = i64::try_from(now_ms()?).context("the clock is wrong")?;
    let value = Value::Text(record.to_string());
    let reading = Reading { claimed_ms: now_ms, received_ms: now_ms, value };
    let payload = Payload { readings: vec![reading] };
    let transaction = session.account.sign(vec![Action::SubmitBatch(payload.header(stream, 0))]);
    let submission =
        Submission { payloads: vec![payload.to_wire().into()], ..Submission::from(&transaction) };
    applied(session.client.finalize(&submission, PATIENCE).await.explain()?)?;
    Ok(Produced { ledger, stream })
}

fn now_ms() -> anyhow::Result<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is wrong")?;
    u64::try_from(since.as_millis()).context("the clock is wrong")
}

async fn produce(
    topology: &Topology,
    makers: &[Maker; 2],
    inspector: &Member,
) -> anyhow::Result<(Chain, String)> {
    let [frames, bikes] = makers;
    let frame = make(&frames.session().await?, "frame-7", inspector, None).await?;
    let bike = make(&bikes.session().await?, "bike-7", inspector, Some(&frame)).await?;
    let shop = topology.organisation(SHOP).await?;
    let sale = make(&shop, "sale-7", inspector, Some(&bike)).await?;
    let evidence =
        format!("sale {}/0, of bike {}/0, on frame {}/0", sale.stream, bike.stream, frame.stream);
    Ok((Chain { frame, bike, sale }, evidence))
}

/// Who has a ledger: a client of a peer, and the genesis as its members hand it out.
fn at<'a>(
    topology: &'a Topology,
    makers: &'a [Maker; 2],
    ledger: &LedgerId,
) -> anyhow::Result<(&'a Client, &'a Genesis)> {
    if topology.cluster.ledger() == *ledger {
        return Ok((topology.client(SHOP)?, &topology.cluster.founded.genesis));
    }
    let maker = makers.iter().find(|maker| maker.cluster.ledger() == *ledger);
    let maker = maker.context("nobody has the ledger that a record names")?;
    Ok((maker.cluster.client(0), &maker.cluster.founded.genesis))
}

fn as_inspector(client: &Client, inspector: &Member) -> Client {
    let (entity, key) = (inspector.inception.id(), inspector.key.clone());
    client.reading_as(ReadingAs { entity, key, purpose: PURPOSE.to_owned() })
}

/// From the sale back to the frame, each record read from its own ledger, as a proof that is checked against
/// the genesis of that ledger and nothing else.
async fn trace(
    topology: &Topology,
    makers: &[Maker; 2],
    inspector: &Member,
    chain: &Chain,
) -> anyhow::Result<((), String)> {
    let (mut next, mut found) = (Some(chain.sale.clone()), Vec::new());
    while let Some(at_hand) = next {
        let (client, genesis) = at(topology, makers, &at_hand.ledger)?;
        let client = as_inspector(client, inspector);
        let bundle = client.prove_reading(&at_hand.stream, 0).await.explain()?;
        let verified = verify(&bundle, genesis)
            .map_err(|failure| anyhow::anyhow!("{failure}"))
            .context("a record does not hold against the genesis of its ledger")?;
        let VerifiedClaim::Reading(reading) = verified.claim else { bail!("it is no reading") };
        let Value::Text(text) = &reading.value else { bail!("the record is no text") };
        let record: serde_json::Value = serde_json::from_str(text)?;
        found.push(format!(
            "{} on {}, proven in {} bytes",
            record["made"].as_str().unwrap_or_default(),
            genesis.network,
            bundle.len()
        ));
        let named = |field: &str| record["before"][field].as_str();
        next = match (named("ledger"), named("record")) {
            (Some(ledger), Some(record)) => {
                let stream = record.strip_suffix("/0").and_then(StreamId::from_hex);
                Some(Produced {
                    ledger: LedgerId::from_hex(ledger).context("it names no ledger")?,
                    stream: stream.context("it names no record")?,
                })
            }
            _ => None,
        };
    }
    ensure!(found.len() == 3, "the bike is traced through {} ledgers", found.len());
    Ok(((), found.join("\n")))
}

async fn refuse(
    topology: &Topology,
    makers: &[Maker; 2],
    inspector: &Member,
    chain: &Chain,
) -> anyhow::Result<((), String)> {
    let stranger = Member::new(EntityKind::Service, "stranger");
    let (mut said, mut changed) = (String::new(), 0);
    for made in [&chain.sale, &chain.bike, &chain.frame] {
        let (client, genesis) = at(topology, makers, &made.ledger)?;
        let strange = as_inspector(client, &stranger);
        for reader in [client, &strange] {
            match reader.prove_reading(&made.stream, 0).await {
                Err(Error::Refused(problem)) if matches!(problem.status, 401 | 403) => {
                    said.clone_from(&problem.code);
                }
                other => bail!("somebody else reads it: {other:?}"),
            }
        }
        let client = as_inspector(client, inspector);
        let bundle = client.prove_reading(&made.stream, 0).await.explain()?;
        let others = makers.iter().map(|maker| &maker.cluster.founded.genesis);
        for other in others.filter(|other| other.ledger() != genesis.ledger()) {
            ensure!(verify(&bundle, other).is_err(), "it holds on another ledger too");
        }
        for place in (0..bundle.len()).step_by(97) {
            let mut altered = bundle.to_vec();
            altered[place] ^= 1;
            ensure!(verify(&altered, genesis).is_err(), "byte {place} can be changed");
            changed += 1;
        }
    }
    Ok(((), format!("others: {said}; {changed} altered proofs, none holds, nor on another ledger")))
}

/// Each registers the other's genesis, and leads its link on at once.
async fn link(topology: &Topology, maker: &Maker) -> anyhow::Result<(ServiceId, String)> {
    let (shop, bikes) = (topology.organisation(SHOP).await?, maker.session().await?);
    let register = |genesis: &Genesis| Action::RegisterLink { genesis: genesis.to_wire() };
    shop.perform(vec![register(&maker.cluster.founded.genesis)]).await?;
    let manifest = Manifest {
        name: "warranty".into(),
        version: Version { major: 1, minor: 0, patch: 0 },
        text: "Says whether a bike is covered.".into(),
        interfaces: Vec::new(),
        tags: Vec::new(),
        schema: None,
        offered: Offered::Outside {
            entity: maker.owner,
            endpoints: vec!["https://warranty.example".into()],
            contract: None,
        },
        purpose: "warranty".into(),
        needs: Vec::new(),
        price: Price { text: String::new(), rule: None },
        listing: Listing::Everyone,
    };
    let service = manifest.id(&maker.owner);
    let actions =
        vec![register(&topology.cluster.founded.genesis), Action::PublishService(manifest)];
    bikes.perform(actions).await?;
    let there = LinkId::derive(&shop.entity(), &bikes.ledger());
    let back = LinkId::derive(&maker.owner, &shop.ledger());
    let (up, _) = advance(&shop, &there, &bikes.client).await?;
    let (down, _) = advance(&bikes, &back, &shop.client).await?;
    ensure!(up > 0 && down > 0, "the links know nothing");
    let evidence = format!("the shop knows block {up} of the bike maker, which knows block {down}");
    Ok((service, evidence))
}

async fn ask(
    topology: &Topology,
    ledger: LedgerId,
    service: ServiceId,
    within_ms: u64,
) -> anyhow::Result<TxId> {
    let payee = topology.organisation(AGENT).await?.entity();
    let call = Call {
        ledger,
        service,
        deadline_ms: now_ms()? + within_ms,
        grace_ms: CALL_GRACE_MS_MIN,
        request: b"is bike-7 covered?".to_vec(),
        payment: Some(CallPayment { payee, amount: Amount::from(PAID) }),
    };
    let shop = topology.organisation(SHOP).await?;
    Ok(shop.perform(vec![Action::AskLedger(call)]).await?.receipt.transaction.0)
}

async fn balance(topology: &Topology) -> anyhow::Result<u128> {
    let session = topology.organisation(AGENT).await?;
    let held = session.client.holding(&session.entity()).await.explain()?.balance;
    held.parse().context("a balance is a number")
}

/// Goes between the ledgers until something becomes of a call.
async fn until(ends: &mut Ends, call: &TxId, what: &str) -> anyhow::Result<String> {
    let started = Instant::now();
    let mut last = "nothing".to_owned();
    loop {
        for line in ends.pass().await? {
            if line.call == call.to_string() {
                last = format!("{}: {}", line.what, line.detail);
                if line.what == what {
                    return Ok(line.detail);
                }
            }
        }
        ensure!(started.elapsed() < PATIENCE, "not {what} within {PATIENCE:?}, but {last}");
        sleep(POLL).await;
    }
}

/// A relay that nobody trusts carries the call and its answer; the payment follows the answer.
async fn call(
    topology: &Topology,
    maker: &Maker,
    service: ServiceId,
) -> anyhow::Result<(Ends, String)> {
    let bikes = maker.session().await?;
    let relay = Member::new(EntityKind::Service, "relay");
    let inception = &relay.inception;
    let (_, registration) =
        Signer::registration(&bikes.ledger(), inception.kind, &inception.name, &relay.key);
    let registered = bikes.perform(vec![registration]).await?.height;
    maker.cluster.client(0).read_from(registered);
    let from = topology.session("dApp D").await?;
    let mut ends = Ends::new(from, maker.cluster.session(&relay, 0).await?);
    let before = balance(topology).await?;
    let id = ask(topology, bikes.ledger(), service, 60_000).await?;
    let carried = until(&mut ends, &id, "carried").await?;
    let said = CallAnswer {
        ledger: topology.cluster.ledger(),
        call: id,
        accepted: true,
        answer: b"covered until 2030".to_vec(),
    };
    let answered = bikes.perform(vec![Action::AnswerCall(said)]).await?.height;
    let settled = until(&mut ends, &id, "answered").await?;
    let shown = topology.client("D")?.asked_call(&id).await.explain()?;
    let answer = shown.answer.context("the answer did not come back")?;
    ensure!(shown.state == "settled" && answer.answer == hex::encode("covered until 2030"));
    let started = Instant::now();
    while balance(topology).await? != before + u128::from(PAID) {
        ensure!(started.elapsed() < PATIENCE, "the maker's agent was not paid {PAID}");
        sleep(POLL).await;
    }
    let evidence = format!(
        "call {id}: {carried} there, answered in block {answered} there, {settled} here; {PAID} paid"
    );
    Ok((ends, evidence))
}

/// The provider says nothing.
async fn refund(
    topology: &Topology,
    ends: &mut Ends,
    service: ServiceId,
) -> anyhow::Result<((), String)> {
    let before = balance(topology).await?;
    let id = ask(topology, ends.to.ledger(), service, SHORT_MS).await?;
    let refunded = until(ends, &id, "refunded").await?;
    let client = topology.client("D")?;
    ensure!(client.asked_call(&id).await.explain()?.state == "refunded", "it is not over");
    ensure!(client.escrow(&id).await.is_err(), "the payment is locked still");
    ensure!(balance(topology).await? == before, "the maker's agent was paid for nothing");
    Ok(((), format!("call {id}: {refunded}")))
}
