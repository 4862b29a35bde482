//! Clause 10.7: collection of and access to IoT data.

use std::time::{Duration, Instant};

use althing_client::{
    Client, Error, Events, Submission,
    model::{Event, Hex, Outcome, query},
};
use althing_proof::{bundle::verify, grant::in_force, key};
use althing_types::{
    Access, AccessMode, AccessPolicy, AccessRequest, Action, EntityId, GrantId, Payload, Reading,
    Resource, Right, StreamId, ThingId, Value, Wire as _,
};
use anyhow::{Context as _, bail, ensure};
use futures::future::LocalBoxFuture;
use tokio::time::sleep;

use super::{
    procedure::{Procedure, Recorder, Step, Stopped},
    topology::Topology,
};
use crate::{
    founding::Member,
    output::short,
    session::{Explain as _, Session},
};

/// The procedure.
pub(super) const PROCEDURE: Procedure = Procedure {
    clause: "10.7",
    title: "Collection and access to IoT data on BoT",
    steps: &[
        Step { id: "REQ-10.7-1", title: "dApp C and its device upload data through peer C" },
        Step { id: "REQ-10.7-2", title: "Agreement; the data is stored" },
        Step { id: "REQ-10.7-disc", title: "Others discover the data, and subscribe to it" },
        Step { id: "REQ-10.7-3", title: "Service A asks peer A for access to the data" },
        Step {
            id: "REQ-10.7-4",
            title: "Agreement; service A gets the data, by grant and strictly",
        },
        Step { id: "REQ-10.7-5..7", title: "Peer A records the access; the device is notified" },
        Step {
            id: "REQ-10.7-note",
            title: "Service, gateway and device read; what is revoked ends",
        },
    ],
    with_tokens: false,
    run,
};

/// How often something that is about to happen is looked for.
pub(super) const POLL: Duration = Duration::from_millis(20);
/// How long a peer may take to show what others have.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How long nothing must come of a subscription that was ended.
const SILENCE: Duration = Duration::from_secs(2);
/// What service A reads for.
const PURPOSE: &str = "billing";
/// Readings of the batch.
const BATCH: u32 = 24;
/// The property that grants are recorded for, and the one that consensus decides each access to.
const PROPERTIES: [&str; 2] = ["energy", "position"];

fn run<'a>(topology: &'a mut Topology, recorder: &'a mut Recorder) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let uploaded = recorder.step("REQ-10.7-1", upload(topology)).await?;
        recorder.step("REQ-10.7-2", stored(topology, &uploaded)).await?;
        let mut told = recorder.step("REQ-10.7-disc", discover(topology, &uploaded)).await?;
        let request = recorder.step("REQ-10.7-3", ask(topology, &mut told)).await?;
        let events = recorder.step("REQ-10.7-4", decide(topology, request)).await?;
        recorder.step("REQ-10.7-5..7", recorded(topology, &mut told, request)).await?;
        recorder.step("REQ-10.7-note", end(topology, events, request)).await
    })
}

/// The meter, which dApp C owns, and its streams.
struct Meter {
    thing: ThingId,
    streams: [StreamId; 2],
}

impl Meter {
    const NAME: &'static str = "meter-C";

    fn of(topology: &Topology) -> anyhow::Result<Self> {
        let thing = ThingId::derive(&topology.entity("dApp C")?, Self::NAME);
        Ok(Self { thing, streams: PROPERTIES.map(|name| StreamId::derive(&thing, name)) })
    }

    fn property(&self, index: usize) -> Resource {
        Resource::Property { thing: self.thing, name: PROPERTIES[index].to_owned() }
    }

    fn description() -> Vec<u8> {
        let property = serde_json::json!({
            "type": "integer", "readOnly": true, "forms": [{ "href": "mqtt://gateway/meter" }],
        });
        let description = serde_json::json!({
            "@context": "https://www.w3.org/2022/wot/td/v1.1",
            "title": "Meter of entity C",
            "securityDefinitions": { "none": { "scheme": "nosec" } },
            "security": "none",
            "properties": { PROPERTIES[0]: property, PROPERTIES[1]: property },
        });
        description.to_string().into_bytes()
    }
}

fn payload(count: u32) -> anyhow::Result<Payload> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let now_ms = i64::try_from(now.as_millis())?;
    let reading = |number: u32| Reading {
        claimed_ms: now_ms,
        received_ms: now_ms,
        value: Value::Number(i64::from(number)),
    };
    Ok(Payload { readings: (0..count).map(reading).collect() })
}

pub(super) async fn submit(
    session: &Session,
    stream: StreamId,
    first_seq: u64,
    count: u32,
) -> anyhow::Result<Outcome> {
    let payload = payload(count)?;
    let action = Action::SubmitBatch(payload.header(stream, first_seq));
    let transaction = session.account.sign(vec![action]);
    let submission =
        Submission { payloads: vec![payload.to_wire().into()], ..Submission::from(&transaction) };
    applied(session.client.finalize(&submission, PATIENCE).await.explain()?)
}

pub(super) fn applied(outcome: Outcome) -> anyhow::Result<Outcome> {
    match &outcome.receipt.refusal {
        None => Ok(outcome),
        Some(refusal) => bail!("it took no effect: {} ({})", refusal.detail, refusal.code),
    }
}

/// Step 1. dApp C registers the meter, binds the device, and uploads a batch; the device uploads one
/// reading more under its own key.
async fn upload(topology: &Topology) -> anyhow::Result<(Outcome, String)> {
    let owner = topology.session("dApp C").await?;
    let meter = Meter::of(topology)?;
    let device = topology.entity("device C")?;
    let register =
        Action::RegisterThing { name: Meter::NAME.to_owned(), description: Meter::description() };
    let bind = Action::Bind { thing: meter.thing, gateway: device, until_height: u64::MAX };
    owner.perform(vec![register, bind]).await?;
    // A description counts for payloads from the next result on.
    settle(topology).await?;
    for stream in meter.streams {
        submit(&owner, stream, 0, BATCH).await?;
    }
    let outcome =
        submit(&topology.session("device C").await?, meter.streams[0], BATCH.into(), 1).await?;
    let evidence = format!(
        "dApp C: {BATCH} readings of each of {}; device C: one more under its own key, in block {}",
        PROPERTIES.join(" and "),
        outcome.height
    );
    Ok((outcome, evidence))
}

/// Waits for two blocks more, whose headers state what came before.
pub(super) async fn settle(topology: &Topology) -> anyhow::Result<()> {
    let client = topology.client("C")?;
    let begin = client.status().await.explain()?.height;
    let started = Instant::now();
    while client.status().await.explain()?.height < begin + 2 {
        ensure!(started.elapsed() < PATIENCE, "no block came");
        sleep(POLL).await;
    }
    Ok(())
}

/// Step 2. Every peer has it, and the receipt of the device's transaction holds offline.
async fn stored(topology: &Topology, uploaded: &Outcome) -> anyhow::Result<((), String)> {
    let meter = Meter::of(topology)?;
    let mut letters = Vec::new();
    for (letter, client) in topology.peers() {
        client.read_from(uploaded.height);
        let stream = client.stream(&meter.streams[0]).await.explain()?;
        ensure!(stream.next_seq == u64::from(BATCH) + 1, "peer {letter} has {}", stream.next_seq);
        letters.push(letter);
    }
    let id = uploaded.receipt.transaction.0;
    let client = topology.client("C")?;
    let proof = patiently(|| client.prove_receipt(&id)).await?;
    let verified = verify(&proof, &topology.cluster.founded.genesis)
        .map_err(|failure| anyhow::anyhow!("step {}: {}", failure.step, failure.why))?;
    Ok((
        (),
        format!(
            "peers {} stand at reading {}; receipt of {} holds offline, signed by {} of {}",
            letters.join(", "),
            BATCH + 1,
            short(&id.to_string()),
            verified.block.signed.len(),
            verified.block.validators
        ),
    ))
}

/// Asks until there is an answer, or it takes too long.
pub(super) async fn patiently<T, F: Future<Output = Result<T, Error>>>(
    mut ask: impl FnMut() -> F,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        match ask().await {
            Ok(value) => return Ok(value),
            Err(_) if started.elapsed() < PATIENCE => sleep(POLL).await,
            Err(error) => return Err(error).explain(),
        }
    }
}

/// Step disc. dApp C says who may have the data: services, gateways and devices, for billing; its
/// device is asked about each. Everybody finds the meter at every peer; nobody reads it any more.
async fn discover(topology: &Topology, uploaded: &Outcome) -> anyhow::Result<(Events, String)> {
    let meter = Meter::of(topology)?;
    let owner = topology.session("dApp C").await?;
    let text = format!(
        "permit (principal, action in [Action::\"read\", Action::\"subscribe\"], resource)\n\
         when {{ context.purpose == \"{PURPOSE}\" }};"
    );
    let device = topology.entity("device C")?;
    let policy = |index: usize, mode, ask: Option<EntityId>| AccessPolicy {
        resource: meter.property(index),
        mode,
        text: text.clone(),
        ask,
        patience_blocks: if ask.is_some() { 600 } else { 0 },
        grant_blocks_max: 100_000,
    };
    let outcome = owner
        .perform(vec![
            Action::SetAccessPolicy(policy(0, AccessMode::Grant, Some(device))),
            Action::SetAccessPolicy(policy(1, AccessMode::Strict, None)),
        ])
        .await?;
    let told = told(topology, "C", topology.entity("dApp C")?).await?;
    let mut refused = String::new();
    for (letter, client) in topology.peers() {
        client.read_from(outcome.height.max(uploaded.height));
        let found = query::Things { property: Some("energy".into()), ..<_>::default() };
        let page = client.things(&found).await.explain()?;
        ensure!(
            page.items.iter().any(|one| one.hex.0 == meter.thing),
            "peer {letter} does not find it"
        );
        refused = denied(client, &meter.streams[0]).await.context(format!("peer {letter}"))?;
    }
    let evidence = format!(
        "all {} peers find the meter by its property; without a grant each says:\n{refused}",
        topology.peers().count()
    );
    Ok((told, evidence))
}

/// A subscription to what becomes of access to an owner's things, at the peer with a letter.
async fn told(topology: &Topology, letter: &str, owner: EntityId) -> anyhow::Result<Events> {
    let query = query::Events {
        entity: Some(owner.into()),
        kind: Some("access_requested,access_granted,access_used,grant_revoked".to_owned()),
        ..<_>::default()
    };
    topology.client(letter)?.events(&query).await.explain()
}

/// That values of a stream are refused in every form; says why.
async fn denied(client: &Client, stream: &StreamId) -> anyhow::Result<String> {
    let refusals = [
        client.readings(stream, &query::Readings::default()).await.err(),
        client.latest(stream, 1).await.err(),
        client.aggregates(stream, &query::Aggregates::default()).await.err(),
        client.prove_reading(stream, 0).await.err(),
        client.prove_state(&key::stream(stream)).await.err(),
        client.events(&query::Events { stream: Some(Hex(*stream)), ..<_>::default() }).await.err(),
    ];
    let mut said = String::new();
    for (form, error) in refusals.into_iter().enumerate() {
        match error {
            Some(Error::Refused(problem)) if problem.status == 403 => {
                said = format!("{} ({})", problem.detail, problem.code);
            }
            other => bail!("form {form} was not refused: {other:?}"),
        }
    }
    let total = client.stream(stream).await.explain()?.total;
    ensure!(total.is_none(), "the stream's totals are shown");
    Ok(said)
}

fn request_of(meter: &Meter, index: usize, right: Right) -> Action {
    Action::RequestAccess(AccessRequest {
        resource: meter.property(index),
        right,
        purpose: PURPOSE.to_owned(),
        count_max: 0,
        until_height: u64::MAX,
    })
}

fn access_of(
    topology: &Topology,
    grantee: EntityId,
    index: usize,
    right: Right,
) -> anyhow::Result<Access> {
    Ok(Access {
        owner: topology.entity("dApp C")?,
        grantee,
        resource: Meter::of(topology)?.property(index),
        right,
        purpose: PURPOSE.to_owned(),
    })
}

/// Step 3. Service A asks at its peer; device C is told at its own.
async fn ask(topology: &Topology, told: &mut Events) -> anyhow::Result<(GrantId, String)> {
    let meter = Meter::of(topology)?;
    let session = topology.session("service A").await?;
    let actions = vec![request_of(&meter, 0, Right::Read), request_of(&meter, 0, Right::Subscribe)];
    let outcome = session.perform(actions).await?;
    let service = topology.entity("service A")?;
    let request = access_of(topology, service, 0, Right::Read)?.id();
    let record = await_event(told, |event| match event {
        Event::AccessRequested { access, .. } => access.id.0 == request,
        _ => false,
    })
    .await?;
    Ok((
        request,
        format!(
            "request {request}\nis final in block {}; event {} tells device C at peer C",
            outcome.height, record.cursor
        ),
    ))
}

pub(super) async fn await_event(
    events: &mut Events,
    wanted: impl Fn(&Event) -> bool,
) -> anyhow::Result<althing_client::model::EventRecord> {
    loop {
        let record = events.next().await.explain()?.context("the peer ended the events")?;
        if wanted(&record.event) {
            return Ok(record);
        }
    }
}

/// Step 4. The device allows it, and service A reads at peer A and subscribes; what is strict it reads
/// only after a transaction for each access.
async fn decide(topology: &Topology, request: GrantId) -> anyhow::Result<(Events, String)> {
    let meter = Meter::of(topology)?;
    let service = topology.entity("service A")?;
    let follow = access_of(topology, service, 0, Right::Subscribe)?.id();
    let device = topology.session("device C").await?;
    let allow = |request| Action::AnswerAccess { request, allow: true };
    let outcome = device.perform(vec![allow(request), allow(follow)]).await?;
    let reader = topology.reader(topology.member("service A")?, "A", PURPOSE)?;
    reader.read_from(outcome.height);
    let page = reader.readings(&meter.streams[0], &query::Readings::default()).await.explain()?;
    ensure!(page.items.len() == BATCH as usize + 1, "service A reads {}", page.items.len());
    let asked = query::Events { stream: Some(Hex(meter.streams[0])), ..<_>::default() };
    let mut events = reader.events(&asked).await.explain()?;
    let owner = topology.session("dApp C").await?;
    let next = submit(&owner, meter.streams[0], u64::from(BATCH) + 1, 1).await?;
    let seen =
        await_event(&mut events, |event| matches!(event, Event::BatchAccepted { .. })).await?;
    let offline = offline(topology, &reader, service).await?;
    let strict = strictly(topology, &meter, &reader).await?;
    let evidence = format!(
        "device C allowed it in block {}; service A reads {} readings at peer A, and follows: {} of \
         block {}\n{offline}\n{strict}",
        outcome.height,
        page.items.len(),
        seen.event.name(),
        next.height
    );
    Ok((events, evidence))
}

/// The grant is shown to somebody who has the genesis and nothing else.
async fn offline(
    topology: &Topology,
    reader: &Client,
    service: EntityId,
) -> anyhow::Result<String> {
    let access = access_of(topology, service, 0, Right::Read)?;
    let key = key::grant(&access.id());
    let started = Instant::now();
    loop {
        let bundle = patiently(|| reader.prove_state(&key)).await?;
        let verified = verify(&bundle, &topology.cluster.founded.genesis)
            .map_err(|failure| anyhow::anyhow!("step {}: {}", failure.step, failure.why))?;
        match in_force(&verified, &access) {
            Ok(given) => {
                return Ok(format!(
                    "the grant holds offline ({} bytes), until block {}",
                    bundle.len(),
                    given.until_height
                ));
            }
            // The state before the answer was proven.
            Err(_) if started.elapsed() < PATIENCE => sleep(POLL).await,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn strictly(topology: &Topology, meter: &Meter, reader: &Client) -> anyhow::Result<String> {
    let session = topology.session("service A").await?;
    let outcome = session.perform(vec![request_of(meter, 1, Right::Read)]).await?;
    reader.read_from(outcome.height);
    let stream = &meter.streams[1];
    let early = reader.latest(stream, 1).await;
    let code = early.err().and_then(|error| error.code().map(str::to_owned));
    ensure!(code.as_deref() == Some("use_not_granted"), "read without a use: {code:?}");
    let grant = access_of(topology, session.entity(), 1, Right::Read)?.id();
    let used = session.perform(vec![Action::UseGrant { grant }]).await?;
    reader.read_from(used.height);
    reader.latest(stream, 1).await.explain()?;
    Ok(format!(
        "strict: refused ({}), then used in block {} and read",
        "use_not_granted", used.height
    ))
}

/// Steps 5 to 7. Peer A writes what it served under its own key; the owner and its device see it.
async fn recorded(
    topology: &Topology,
    told: &mut Events,
    grant: GrantId,
) -> anyhow::Result<((), String)> {
    let peer = topology.cluster.founded.peers[0].member.inception.id();
    let record = await_event(told, |event| match event {
        Event::AccessUsed { access, by, .. } => access.id.0 == grant && by.entity_id() == peer,
        _ => false,
    })
    .await?;
    let Event::AccessUsed { access, count, by, .. } = &record.event else { bail!("another event") };
    let owner = topology.entity("dApp C")?;
    let feed = query::Feed { owner: owner.into(), after: None, limit: None };
    let client = topology.client("C")?;
    client.read_from(record.height);
    let page = client.access_feed(&feed).await.explain()?;
    let of = |name: &str| page.items.iter().filter(|one| one.event.name() == name).count();
    ensure!(page.items.iter().any(|one| one.cursor == record.cursor), "the feed lacks it");
    Ok((
        (),
        format!(
            "event {}: {} used {count} times by {}\nfor {:?}, recorded by peer A ({})\n\
         the feed of dApp C: {} asked, {} granted, {} records of use",
            record.cursor,
            access.right,
            access.grantee,
            access.purpose,
            by,
            of("access_requested"),
            of("access_granted"),
            of("access_used")
        ),
    ))
}

/// Step note. Three kinds of readers read at their own peers; then all is revoked, and no peer serves
/// them nor tells them anything any more.
async fn end(
    topology: &Topology,
    mut events: Events,
    request: GrantId,
) -> anyhow::Result<((), String)> {
    let meter = Meter::of(topology)?;
    let gateway = &topology.cluster.founded.gateway;
    let readers: [(&str, &Member, &str); 2] =
        [("gateway F", gateway, "F"), ("device E", topology.member("device E")?, "E")];
    let mut grants = vec![request];
    let device = topology.session("device C").await?;
    let mut read = vec!["service A at peer A".to_owned()];
    for (name, member, letter) in readers {
        let session = topology.session_of(member, letter).await?;
        let asked = session.perform(vec![request_of(&meter, 0, Right::Read)]).await?;
        // Peer C, where the device answers, may not have executed the request yet.
        device.client.read_from(asked.height);
        let id = access_of(topology, session.entity(), 0, Right::Read)?.id();
        let outcome =
            device.perform(vec![Action::AnswerAccess { request: id, allow: true }]).await?;
        let reader = topology.reader(member, letter, PURPOSE)?;
        reader.read_from(outcome.height);
        reader.latest(&meter.streams[0], 1).await.explain()?;
        read.push(format!("{name} at peer {letter}"));
        grants.push(id);
    }
    let service = topology.entity("service A")?;
    grants.push(access_of(topology, service, 0, Right::Subscribe)?.id());
    let revoke = grants.iter().map(|grant| Action::RevokeGrant { grant: *grant }).collect();
    let owner = topology.session("dApp C").await?;
    let started = Instant::now();
    let outcome = owner.perform(revoke).await?;
    let peers = refused_everywhere(topology, &meter, outcome.height).await?;
    let took = started.elapsed();
    // One reading more: the subscription has ended, and tells nothing of it.
    let after = submit(&owner, meter.streams[0], u64::from(BATCH) + 2, 1).await?;
    let frames = frames_after(&mut events, outcome.height).await;
    ensure!(frames == 0, "{frames} frames came after the block that revoked");
    Ok((
        (),
        format!(
            "{} read; dApp C revoked in block {}: {} ms later all {peers} peers refuse\nservice A, gateway F \
         and device E; of block {} the subscription at peer A told nothing",
            read.join(", "),
            outcome.height,
            took.as_millis(),
            after.height
        ),
    ))
}

async fn refused_everywhere(
    topology: &Topology,
    meter: &Meter,
    height: u64,
) -> anyhow::Result<usize> {
    let members = [
        topology.member("service A")?,
        &topology.cluster.founded.gateway,
        topology.member("device E")?,
    ];
    let letters: Vec<String> = topology.peers().map(|(letter, _)| letter.to_owned()).collect();
    for letter in &letters {
        for member in members {
            let reader = topology.reader(member, letter, PURPOSE)?;
            reader.read_from(height);
            denied(&reader, &meter.streams[0])
                .await
                .with_context(|| format!("{} at peer {letter}", member.inception.name))?;
        }
    }
    Ok(letters.len())
}

/// Events of blocks after a height that still come.
async fn frames_after(events: &mut Events, height: u64) -> usize {
    let mut frames = 0;
    loop {
        match tokio::time::timeout(SILENCE, events.next()).await {
            Ok(Ok(Some(record))) => frames += usize::from(record.height > height),
            // Ended by the peer, cut off, or silent.
            _ => return frames,
        }
    }
}
