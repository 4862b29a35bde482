//! Clause 10.6: connection and access to devices, (a) full and (b) constrained.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use althing_client::{
    Events,
    model::{Event, EventRecord, query},
};
use althing_types::{
    Access, AccessMode, AccessPolicy, AccessRequest, Action, Command, EntityId, GrantId, Operation,
    Place, Resource, Right, Status, ThingId, TxId,
};
use anyhow::{Context as _, bail, ensure};
use futures::future::LocalBoxFuture;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
    time::sleep,
};

use super::{
    mqtt::mosquitto,
    procedure::{Procedure, Recorder, Step, Stopped},
    topology::Topology,
};
use crate::{
    output::short,
    session::{Explain as _, Session},
};

/// Clause 10.6 (a).
pub(super) const FULL: Procedure = Procedure {
    clause: "10.6a",
    title: "Connection and access to devices on BoT: full devices",
    steps: &[
        Step { id: "REQ-10.6a-1", title: "dApp C registers the device through peer C" },
        Step { id: "REQ-10.6a-2", title: "Agreement; the connection information is recorded" },
        Step { id: "REQ-10.6a-upd", title: "A change of status updates the registration" },
        Step { id: "REQ-10.6a-disc", title: "Others discover the device, and subscribe to it" },
        Step { id: "REQ-10.6a-3", title: "Service A asks peer A for access" },
        Step { id: "REQ-10.6a-4/5", title: "Agreement; the device itself validates the request" },
        Step { id: "REQ-10.6a-6", title: "Service A reaches the device directly through dApp C" },
        Step { id: "REQ-10.6a-7/8", title: "The use is recorded" },
    ],
    with_tokens: false,
    run: run_full,
};

/// Clause 10.6 (b).
pub(super) const CONSTRAINED: Procedure = Procedure {
    clause: "10.6b",
    title: "Connection and access to devices on BoT: constrained devices",
    steps: &[
        Step { id: "REQ-10.6b-0", title: "The constrained device connects to the gateway" },
        Step { id: "REQ-10.6b-1/2", title: "It is registered through peer F, and agreed on" },
        Step { id: "REQ-10.6b-3..6", title: "Service A asks for access, and dApp F validates it" },
        Step { id: "REQ-10.6b-6.1", title: "The gateway talks to the device and forwards results" },
        Step { id: "REQ-10.6b-7/8", title: "The use is recorded" },
    ],
    with_tokens: false,
    run: run_constrained,
};

/// How often something that is about to happen is looked for.
const POLL: Duration = Duration::from_millis(20);
/// How long a peer may take to show what others have.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a device has to answer.
const WITHIN_MS: u128 = 600_000;
/// What service A asks for access for, and what the device does not allow.
const PURPOSES: [&str; 2] = ["maintenance", "curiosity"];

/// A device of the procedure.
struct Device {
    name: &'static str,
    /// Letter of the BoT entity whose peer it talks to.
    letter: &'static str,
    thing: ThingId,
    owner: EntityId,
    /// Who validates requests for it.
    validator: &'static str,
}

impl Device {
    fn action(&self) -> Resource {
        Resource::ThingAction { thing: self.thing, name: "switch".to_owned() }
    }

    fn description(&self) -> Vec<u8> {
        let form = serde_json::json!([{ "href": "mqtt://gateway/" }]);
        let description = serde_json::json!({
            "@context": "https://www.w3.org/2022/wot/td/v1.1",
            "@type": "Lamp",
            "title": self.name,
            "securityDefinitions": { "none": { "scheme": "nosec" } },
            "security": "none",
            "properties": { "on": { "type": "boolean", "forms": form } },
            "actions": { "switch": { "input": { "type": "boolean" }, "forms": form } },
        });
        description.to_string().into_bytes()
    }

    fn registration(&self) -> Action {
        Action::RegisterThing { name: self.name.to_owned(), description: self.description() }
    }

    /// Who may invoke: whoever says what for; the validator is asked about each.
    fn policy(&self, validator: EntityId) -> Action {
        Action::SetAccessPolicy(AccessPolicy {
            resource: self.action(),
            mode: AccessMode::Grant,
            text: "permit (principal, action == Action::\"invoke\", resource);".to_owned(),
            ask: Some(validator),
            patience_blocks: 600,
            grant_blocks_max: 100_000,
        })
    }

    fn access(&self, grantee: EntityId, purpose: &str) -> Access {
        Access {
            owner: self.owner,
            grantee,
            resource: self.action(),
            right: Right::Invoke,
            purpose: purpose.to_owned(),
        }
    }

    fn request(&self, purpose: &str) -> Action {
        Action::RequestAccess(AccessRequest {
            resource: self.action(),
            right: Right::Invoke,
            purpose: purpose.to_owned(),
            count_max: 0,
            until_height: u64::MAX,
        })
    }

    fn command(&self, purpose: &str) -> anyhow::Result<Action> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        Ok(Action::Command(Command {
            thing: self.thing,
            operation: Operation::Invoke {
                action: "switch".to_owned(),
                input: Some(b"true".to_vec().into()),
            },
            until_ms: u64::try_from(now + WITHIN_MS)?,
            purpose: Some(purpose.to_owned()),
        }))
    }
}

fn run_full<'a>(
    topology: &'a mut Topology,
    recorder: &'a mut Recorder,
) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let (device, height) = recorder.step("REQ-10.6a-1", register_full(topology)).await?;
        recorder.step("REQ-10.6a-2", recorded(topology, &device, height)).await?;
        recorder.step("REQ-10.6a-upd", update(topology, &device)).await?;
        recorder.step("REQ-10.6a-disc", discover(topology, &device)).await?;
        let mut told = recorder.step("REQ-10.6a-3", ask(topology, &device)).await?;
        recorder.step("REQ-10.6a-4/5", validate(topology, &device)).await?;
        let reached = super::direct::reach(topology, &device.thing, device.name, PURPOSES);
        let served = recorder.step("REQ-10.6a-6", reached).await?;
        let recorded = super::direct::recorded(topology, &mut told, served);
        recorder.step("REQ-10.6a-7/8", recorded).await
    })
}

fn run_constrained<'a>(
    topology: &'a mut Topology,
    recorder: &'a mut Recorder,
) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let mut client = recorder.step("REQ-10.6b-0", connect(topology)).await?;
        let device = recorder.step("REQ-10.6b-1/2", register_constrained(topology)).await?;
        let mut told = recorder.step("REQ-10.6b-3..6", ask_and_validate(topology, &device)).await?;
        let work = forward(topology, &device, &mut client);
        let command = recorder.step("REQ-10.6b-6.1", work).await?;
        recorder.step("REQ-10.6b-7/8", used(topology, &device, &mut told, command)).await
    })
}

/// Step 1. dApp C registers the lamp and binds the device, which signs for itself.
async fn register_full(topology: &Topology) -> anyhow::Result<((Device, u64), String)> {
    let owner = topology.entity("dApp C")?;
    let thing = ThingId::derive(&owner, "lamp-C");
    let device = Device { name: "lamp-C", letter: "C", thing, owner, validator: "device C" };
    let gateway = topology.entity("device C")?;
    let bind = Action::Bind { thing, gateway, until_height: u64::MAX };
    // dApp C stands before the device for others.
    let before = Action::Bind { thing, gateway: owner, until_height: u64::MAX };
    let actions = vec![device.registration(), bind, before, device.policy(gateway)];
    let outcome = topology.session("dApp C").await?.perform(actions).await?;
    let evidence = format!("dApp C registered {} in block {}", device.name, outcome.height);
    Ok(((device, outcome.height), evidence))
}

/// Step 2. Every peer has the description, the device bound to it, and resolves its DID.
async fn recorded(
    topology: &Topology,
    device: &Device,
    height: u64,
) -> anyhow::Result<((), String)> {
    let mut evidence = String::new();
    for (letter, client) in topology.peers() {
        client.read_from(height);
        let thing = client.thing(&device.thing).await.explain()?;
        ensure!(!thing.bindings.is_empty(), "peer {letter} knows nobody who speaks for it");
        let document = client.resolve(&thing.id.to_string()).await.explain()?;
        let endpoint = document.service.first().context("no service in the DID document")?;
        evidence = format!("{}\nservice {}", thing.id, endpoint.service_endpoint);
    }
    let count = topology.peers().count();
    Ok(((), format!("{count} peers have it and resolve {evidence}")))
}

fn online(online: bool) -> Status {
    let place = Some(Place { latitude_e7: 462_000_000, longitude_e7: 61_500_000 });
    Status { online: Some(online), firmware: Some("2.0.1".to_owned()), place }
}

/// Step upd. The device says that it is online, with its firmware and where it is.
async fn update(topology: &Topology, device: &Device) -> anyhow::Result<((), String)> {
    let session = topology.session("device C").await?;
    let report = |status| Action::ReportStatus { thing: device.thing, status };
    let outcome = session.perform(vec![report(online(true))]).await?;
    let mut said = String::new();
    for (letter, client) in topology.peers() {
        client.read_from(outcome.height);
        let status = client.thing(&device.thing).await.explain()?.status;
        let known = status.with_context(|| format!("peer {letter} knows no status"))?.known;
        ensure!(known.online == Some(true), "peer {letter} does not know that it is online");
        said = serde_json::to_string(&known)?;
    }
    Ok(((), format!("device C, in block {}: {said}", outcome.height)))
}

/// Step disc. It is found at peer A by type, place and status; service A is told of its next change.
async fn discover(topology: &Topology, device: &Device) -> anyhow::Result<((), String)> {
    let client = topology.client("A")?;
    let asked = query::Things {
        kind: Some("Lamp".to_owned()),
        online: Some(true),
        within: Some("46,6,47,7".to_owned()),
        ..<_>::default()
    };
    let page = client.things(&asked).await.explain()?;
    let is_found = page.items.iter().any(|thing| thing.hex.0 == device.thing);
    ensure!(is_found, "peer A does not find it");
    let asked = query::Events { thing: Some(device.thing.into()), ..<_>::default() };
    let mut events = client.events(&asked).await.explain()?;
    let report = Action::ReportStatus { thing: device.thing, status: online(false) };
    topology.session("device C").await?.perform(vec![report]).await?;
    let record =
        wait_for(&mut events, |event| matches!(event, Event::StatusReported { .. })).await?;
    Ok(((), format!("found by type, place and status; event {} tells of a change", record.cursor)))
}

pub(super) async fn wait_for(
    events: &mut Events,
    wanted: impl Fn(&Event) -> bool,
) -> anyhow::Result<EventRecord> {
    loop {
        let record = events.next().await.explain()?.context("the peer ended the events")?;
        if wanted(&record.event) {
            return Ok(record);
        }
    }
}

/// Step 3. Service A asks twice, for different purposes; who validates is told at its own peer.
async fn ask(topology: &Topology, device: &Device) -> anyhow::Result<(Events, String)> {
    let query = query::Events {
        entity: Some(device.owner.into()),
        kind: Some("access_requested,access_used".to_owned()),
        ..<_>::default()
    };
    let mut told = topology.client(device.letter)?.events(&query).await.explain()?;
    let session = topology.session("service A").await?;
    let requests = PURPOSES.map(|purpose| device.request(purpose)).to_vec();
    let outcome = session.perform(requests).await?;
    let request = device.access(session.entity(), PURPOSES[0]).id();
    wait_for(
        &mut told,
        |event| matches!(event, Event::AccessRequested { access, .. } if access.id.0 == request),
    )
    .await?;
    let evidence = format!(
        "request {request} is final in block {}; {} is told at peer {}",
        outcome.height, device.validator, device.letter
    );
    Ok((told, evidence))
}

/// Steps 4 and 5. The one purpose is allowed, the other vetoed, and the ledger holds to it.
async fn validate(topology: &Topology, device: &Device) -> anyhow::Result<((), String)> {
    let service = topology.session("service A").await?;
    let answer = |purpose, allow| Action::AnswerAccess {
        request: grant(device, service.entity(), purpose),
        allow,
    };
    let validator = topology.session(device.validator).await?;
    let answers = vec![answer(PURPOSES[0], true), answer(PURPOSES[1], false)];
    let outcome = validator.perform(answers).await?;
    service.client.read_from(outcome.height);
    let vetoed = refused(&service, device.command(PURPOSES[1])?).await?;
    Ok((
        (),
        format!(
            "{} allowed `{}` and vetoed `{}` in block {}; a command for the latter: {vetoed}",
            device.validator, PURPOSES[0], PURPOSES[1], outcome.height
        ),
    ))
}

fn grant(device: &Device, grantee: EntityId, purpose: &str) -> GrantId {
    device.access(grantee, purpose).id()
}

/// What the ledger says to an action that it must refuse.
async fn refused(session: &Session, action: Action) -> anyhow::Result<String> {
    match session.perform(vec![action]).await {
        Ok(outcome) => bail!("it took effect in block {}", outcome.height),
        Err(error) => Ok(format!("{error:#}")),
    }
}

/// Waits until service A sees at its own peer that a command is done.
async fn done(topology: &Topology, id: &TxId) -> anyhow::Result<String> {
    let (client, started) = (topology.client("A")?, Instant::now());
    loop {
        let command = client.command(id).await.explain()?;
        if command.state == "done" {
            let result = command.result.unwrap_or_default();
            return Ok(format!("done, says {}: {result}", command.reporter));
        }
        ensure!(!command.is_over(), "the command is {}", command.state);
        ensure!(started.elapsed() < PATIENCE, "the command is still {}", command.state);
        sleep(POLL).await;
    }
}

/// Steps 7 and 8. The owner is told of the use; both sides' transactions are final.
async fn used(
    topology: &Topology,
    device: &Device,
    told: &mut Events,
    command: TxId,
) -> anyhow::Result<((), String)> {
    let request = grant(device, topology.entity("service A")?, PURPOSES[0]);
    let record = wait_for(
        told,
        |event| matches!(event, Event::AccessUsed { access, .. } if access.id.0 == request),
    )
    .await?;
    let client = topology.client("A")?;
    let kept = client.command(&command).await.explain()?;
    let answered = client.transaction(&kept.changed_by.0).await.explain()?;
    let height = answered.outcome.context("the answer is not final")?.height;
    let evidence = format!(
        "event {} tells the owner of the use of grant {}\ncommand {} signed by {}\nanswer {} signed \
         by {} in block {height}",
        record.cursor,
        short(&request.to_string()),
        short(&command.to_string()),
        kept.sender,
        short(&kept.changed_by.to_string()),
        answered.sender
    );
    Ok(((), evidence))
}

/// An unmodified MQTT client that listens for commands.
struct Mqtt {
    lines: Lines<BufReader<ChildStdout>>,
    /// Ended when this is dropped.
    _process: Child,
}

/// How long a client that does not listen yet is left before it is greeted again.
const GREETING_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Step 0. The device connects with a client that knows nothing of ledgers, and listens.
async fn connect(topology: &Topology) -> anyhow::Result<(Mqtt, String)> {
    let topic = "things/lamp-F/commands/request";
    let hello = "things/lamp-F/hello";
    let mut process = mosquitto("mosquitto_sub", topology.mqtt, &["-t", topic, "-t", hello])
        .spawn()
        .context("cannot run mosquitto_sub: apt-get install mosquitto-clients")?;
    let stdout = process.stdout.take().context("mosquitto_sub says nothing")?;
    let mut mqtt = Mqtt { lines: BufReader::new(stdout).lines(), _process: process };
    // The client prints messages at once, but keeps what it says of itself: it is greeted until
    // it hears that.
    let greeting = async {
        loop {
            let greeted = mosquitto("mosquitto_pub", topology.mqtt, &["-t", hello, "-m", "hello"]);
            { greeted }.output().await.context("cannot run mosquitto_pub")?;
            tokio::time::sleep(GREETING_PAUSE).await;
        }
    };
    let line = tokio::select! {
        line = mqtt.line(|line| line == "hello") => line?,
        failed = greeting => return failed,
    };
    Ok((mqtt, format!("mosquitto_sub at gateway F, topic {topic}; it heard: {line}")))
}

impl Mqtt {
    async fn line(&mut self, wanted: impl Fn(&str) -> bool) -> anyhow::Result<String> {
        loop {
            let line = self.lines.next_line().await?.context("the client ended")?;
            if wanted(&line) {
                return Ok(line);
            }
        }
    }
}

/// Steps 1 and 2. BoT entity F registers the lamp and binds gateway F to it.
async fn register_constrained(topology: &Topology) -> anyhow::Result<(Device, String)> {
    let session = topology.organisation("F").await?;
    let owner = session.entity();
    let thing = ThingId::derive(&owner, "lamp-F");
    let device = Device { name: "lamp-F", letter: "F", thing, owner, validator: "dApp F" };
    let gateway = topology.cluster.founded.gateway.inception.id();
    let bind = Action::Bind { thing, gateway, until_height: u64::MAX };
    let policy = device.policy(topology.entity("dApp F")?);
    let outcome = session.perform(vec![device.registration(), bind, policy]).await?;
    for (letter, client) in topology.peers() {
        client.read_from(outcome.height);
        let found = client.thing(&thing).await.explain()?;
        let is_bound = found.bindings.iter().any(|one| one.gateway.entity_id() == gateway);
        ensure!(is_bound, "peer {letter} does not know that gateway F speaks for it");
    }
    let count = topology.peers().count();
    Ok((
        device,
        format!("block {}; {count} peers know that gateway F speaks for it", outcome.height),
    ))
}

/// Steps 3 to 6. As for a full device, with dApp F as who validates.
async fn ask_and_validate(
    topology: &Topology,
    device: &Device,
) -> anyhow::Result<(Events, String)> {
    let (told, asked) = ask(topology, device).await?;
    let ((), validated) = validate(topology, device).await?;
    Ok((told, format!("{asked}\n{validated}")))
}

/// Step 6.1. The gateway hands the command over by MQTT, and forwards what the device answers.
async fn forward(
    topology: &Topology,
    device: &Device,
    mqtt: &mut Mqtt,
) -> anyhow::Result<(TxId, String)> {
    let service = topology.session("service A").await?;
    let outcome = service.perform(vec![device.command(PURPOSES[0])?]).await?;
    let id = outcome.receipt.transaction.0;
    let heard = mqtt.line(|line| line.contains(&id.to_string())).await?;
    let answer = format!(r#"{{"id":"{id}","state":"done","result":"on"}}"#);
    let topic = "things/lamp-F/commands/answer";
    let publish = mosquitto("mosquitto_pub", topology.mqtt, &["-t", topic, "-m", &answer]);
    let published = { publish }.output().await.context("cannot run mosquitto_pub")?;
    ensure!(published.status.success(), "the answer was not acknowledged");
    let answered = done(topology, &id).await?;
    Ok((id, format!("the device heard {heard}\nand answered by MQTT; {answered}")))
}
