//! Clause 10.5: access to services that run outside the ledger.

use std::{path::PathBuf, process::Stdio};

use althing_client::{
    key_file::{self, Protection, StoredKey},
    model::{DidText, Event, Outcome},
};
use althing_types::{
    Access, AccessMode, AccessPolicy, AccessRequest, Action, ContractId, Listing, Manifest,
    Offered, Price, PriceRule, Resource, Right, ServiceId, StreamId, TxId, Version,
};
use anyhow::{Context as _, ensure};
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{
    access::settle,
    contract::{GAS, Told, did, heard, listen_for_records, meter, metering, votes},
    procedure::{Procedure, Recorder, Step, Stopped},
    topology::Topology,
};
use crate::{output::short, report::failed, session::Explain as _};

/// The procedure.
pub(super) const PROCEDURE: Procedure = Procedure {
    clause: "10.5",
    title: "Access to IoT services as performed outside of BoT",
    steps: &[
        Step {
            id: "REQ-10.5-1..3",
            title: "dApp C asks for access; agreement; service A denies, then allows",
        },
        Step { id: "REQ-10.5-4", title: "dApp C talks to service A, and nobody else" },
        Step { id: "REQ-10.5-5..7", title: "A record that both have signed; both are notified" },
    ],
    with_tokens: false,
    run,
};

/// The program that is service A, and its caller.
const PROGRAM: &str = "althing-forecast";
/// What service A is used for.
const PURPOSE: &str = "forecast";
/// How often dApp C may call it.
const CALLS: u32 = 3;

fn run<'a>(topology: &'a mut Topology, recorder: &'a mut Recorder) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let set_up = recorder.step("REQ-10.5-1..3", granted(topology)).await?;
        let used = recorder.step("REQ-10.5-4", talk(topology, &set_up)).await?;
        recorder.step("REQ-10.5-5..7", written_down(topology, used)).await
    })
}

/// What service A works with.
struct SetUp {
    /// The contract that charges and records.
    contract: ContractId,
    /// What is forecast.
    stream: StreamId,
    /// Key files, since programs sign.
    keys: TempDir,
}

impl SetUp {
    fn key(&self, name: &str) -> PathBuf {
        self.keys.path().join(name)
    }
}

/// Steps 1 to 3. The organisation of service A says that the service is asked; it denies the first
/// request and allows the second. Service A gives dApp C one unit.
async fn granted(topology: &Topology) -> anyhow::Result<(SetUp, String)> {
    let owner = topology.organisation("A").await?;
    let service = topology.session("service A").await?;
    let resource = Resource::Service(service.entity());
    let policy = AccessPolicy {
        resource: resource.clone(),
        mode: AccessMode::Grant,
        text: format!(
            "permit (principal, action == Action::\"call\", resource)\n\
             when {{ context.purpose == \"{PURPOSE}\" }};"
        ),
        ask: Some(service.entity()),
        patience_blocks: 10_000,
        grant_blocks_max: 100_000,
    };
    let set = owner.perform(vec![Action::SetAccessPolicy(policy)]).await?;
    let client = topology.session("dApp C").await?;
    client.client.read_from(set.height);
    let mut said = Vec::new();
    for allow in [false, true] {
        let request = AccessRequest {
            resource: resource.clone(),
            right: Right::Call,
            purpose: PURPOSE.to_owned(),
            count_max: CALLS,
            until_height: u64::MAX,
        };
        let id = call_of(topology).await?.id();
        let asked = client.perform(vec![Action::RequestAccess(request)]).await?;
        let ((), agreed) = votes(topology, &asked).await?;
        service.client.read_from(asked.height);
        let answer = Action::AnswerAccess { request: id, allow };
        let outcome = service.perform(vec![answer]).await?;
        client.client.read_from(outcome.height);
        let verb = if allow { "allows" } else { "denies" };
        said.push(format!(
            "request {}: {agreed}\nservice A {verb} it in block {}",
            short(&asked.receipt.transaction.to_string()),
            outcome.height
        ));
    }
    let (thing, _) = meter(topology, 20).await?;
    let (contract, begun, _) = metering(topology).await?;
    let account = did(topology, client.entity().0);
    let message = json!({ "credit": { "account": account, "units": 1 } }).to_string().into_bytes();
    // Another session of service A has signed meanwhile.
    let service = topology.session("service A").await?;
    service.client.read_from(begun.height);
    let give = Action::Execute { contract, message, gas_limit: GAS, funds: None };
    let given = service.perform(vec![give]).await?;
    said.push(format!("service A gives dApp C one unit in block {}", given.height));
    let keys = keys(topology)?;
    let stream = StreamId::derive(&thing, "energy");
    Ok((SetUp { contract, stream, keys }, said.join("\n")))
}

/// What dApp C asks for, and is given.
async fn call_of(topology: &Topology) -> anyhow::Result<Access> {
    Ok(Access {
        owner: topology.organisation("A").await?.entity(),
        grantee: topology.entity("dApp C")?,
        resource: Resource::Service(topology.entity("service A")?),
        right: Right::Call,
        purpose: PURPOSE.to_owned(),
    })
}

/// Writes the keys of those who run programs to files.
fn keys(topology: &Topology) -> anyhow::Result<TempDir> {
    let folder = tempfile::tempdir().context("cannot make a folder for keys")?;
    for name in ["service A", "dApp C", "dApp D"] {
        let member = topology.member(name)?;
        let entity = DidText::entity(topology.network(), &member.inception.id());
        let stored = StoredKey { entity: Some(entity), key: member.key.clone() };
        key_file::write(&folder.path().join(name), &stored, Protection::None)?;
    }
    let genesis = althing_client::genesis_file::to_text(&topology.cluster.founded.genesis);
    std::fs::write(folder.path().join("genesis.json"), genesis).context("cannot write genesis")?;
    Ok(folder)
}

/// The program beside this one.
fn program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let path = own.with_file_name(PROGRAM);
    if path.exists() {
        Ok(path)
    } else {
        let missing = format!("{} is not there", path.display());
        Err(failed(missing, format!("cargo build --release --package {PROGRAM}")))
    }
}

/// The program as a member, at its own peer.
fn command(
    topology: &Topology,
    set_up: &SetUp,
    verb: &str,
    (name, letter): (&str, &str),
) -> anyhow::Result<Command> {
    let mut command = Command::new(program()?);
    command
        .arg(verb)
        .args(["--peer", topology.client(letter)?.url()])
        .arg("--key")
        .arg(set_up.key(name))
        .arg("--genesis")
        .arg(set_up.key("genesis.json"))
        .args(["--contract", &set_up.contract.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    Ok(command)
}

/// Starts service A as a process of its own; gives where it listens.
async fn start(topology: &Topology, set_up: &SetUp) -> anyhow::Result<(Child, String)> {
    let mut command = command(topology, set_up, "serve", ("service A", "A"))?;
    command.args(["--stream", &set_up.stream.to_string()]);
    command.args(["--listen", "127.0.0.1:0", "--exit-with-parent"]);
    command.stderr(Stdio::inherit());
    let mut child = command.spawn().context("cannot start service A")?;
    let output = child.stdout.take().context("service A says nothing")?;
    let first = BufReader::new(output).lines().next_line().await?;
    let url = first.filter(|line| line.starts_with("http://"));
    Ok((child, url.context("service A ended without an address")?))
}

/// Calls service A as a member: gives the report, or why not.
async fn ask(
    topology: &Topology,
    set_up: &SetUp,
    who: (&str, &str),
    service: ServiceId,
    purpose: &str,
) -> anyhow::Result<Result<Value, String>> {
    let mut command = command(topology, set_up, "ask", who)?;
    command.args(["--service", &service.to_string(), "--purpose", purpose]);
    let output = command.spawn()?.wait_with_output().await?;
    if output.status.success() {
        return Ok(Ok(serde_json::from_slice(&output.stdout)?));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Ok(Err(said.lines().next().unwrap_or_default().to_owned()))
}

fn manifest(topology: &Topology, set_up: &SetUp, url: &str) -> anyhow::Result<Manifest> {
    let rule = PriceRule { amount: 1, currency: "unit".into(), per: "call".into() };
    Ok(Manifest {
        name: "forecast".into(),
        version: Version { major: 1, minor: 0, patch: 0 },
        text: "Forecasts a meter from its last readings.".into(),
        interfaces: vec!["forecast".into()],
        tags: vec!["energy".into()],
        schema: None,
        offered: Offered::Outside {
            entity: topology.entity("service A")?,
            endpoints: vec![url.to_owned()],
            contract: Some(set_up.contract),
        },
        purpose: PURPOSE.into(),
        needs: Vec::new(),
        price: Price { text: String::new(), rule: Some(rule) },
        listing: Listing::Callers,
    })
}

/// Step 4. Service A runs as a process of its own and is published; dApp C finds it in the catalogue, gets
/// proofs of who it is and of its grant at its own peer, and shows them to service A.
async fn talk(topology: &Topology, set_up: &SetUp) -> anyhow::Result<((Told, TxId), String)> {
    let (service_process, url) = start(topology, set_up).await?;
    let session = topology.session("service A").await?;
    let manifest = manifest(topology, set_up, &url)?;
    let service = manifest.id(&session.entity());
    let published = session.perform(vec![Action::PublishService(manifest)]).await?;
    for (_, client) in topology.peers() {
        client.read_from(published.height);
    }
    // What is proven is what a later header states: not yet the answer in the newest block.
    settle(topology).await?;
    let notified = [topology.entity("dApp C")?, topology.entity("service A")?];
    let told = listen_for_records(topology, &notified).await?;
    let mut refused = Vec::new();
    let (c, d) = (("dApp C", "C"), ("dApp D", "D"));
    for (what, who, purpose) in
        [("dApp D, without a grant", d, PURPOSE), ("dApp C, for something else", c, "spying")]
    {
        let answer = ask(topology, set_up, who, service, purpose).await?;
        let why = answer.err().with_context(|| format!("{what}, is let in"))?;
        refused.push(format!("{what}: {why}"));
    }
    let report = ask(topology, set_up, c, service, PURPOSE).await?;
    let report = report.map_err(|why| failed(format!("dApp C is not served: {why}"), "read it"))?;
    let hours = report["forecast"]["values"].as_array().map_or(0, Vec::len);
    ensure!(hours == 24, "{report} has no 24 hours");
    let id = report["transaction"].as_str().and_then(TxId::from_hex);
    let id = id.with_context(|| format!("{report} names no transaction"))?;
    // Until the peer of service A has executed that too.
    settle(topology).await?;
    let again = ask(topology, set_up, c, service, PURPOSE).await?;
    let spent = again.err().context("dApp C is served without a unit")?;
    ensure!(spent.contains("no units"), "refused for another reason: {spent}");
    let stopped = revoked(topology, set_up, service).await?;
    let pid = service_process.id().unwrap_or_default();
    let evidence = format!(
        "{}\nthen {hours} hours are forecast by process {pid} at {url}, found in the catalogue\n\
         dApp C, once more: {spent}\n{stopped}",
        refused.join("\n")
    );
    Ok(((told, id), evidence))
}

/// The owner revokes the grant: whatever dApp C can still prove, it is let in no longer.
async fn revoked(
    topology: &Topology,
    set_up: &SetUp,
    service: ServiceId,
) -> anyhow::Result<String> {
    let owner = topology.organisation("A").await?;
    let grant = call_of(topology).await?.id();
    let outcome = owner.perform(vec![Action::RevokeGrant { grant }]).await?;
    topology.client("A")?.read_from(outcome.height);
    let answer = ask(topology, set_up, ("dApp C", "C"), service, PURPOSE).await?;
    let why = answer.err().context("dApp C is let in by a grant that was revoked")?;
    ensure!(why.contains("revoked"), "refused for another reason: {why}");
    Ok(format!("the grant is revoked in block {}; dApp C: {why}", outcome.height))
}

/// Steps 5 to 7. One transaction under both keys debits, uses the grant and records: neither can say later
/// that it was otherwise.
async fn written_down(
    topology: &Topology,
    (told, id): (Told, TxId),
) -> anyhow::Result<((), String)> {
    let shown = topology.client("C")?.transaction(&id).await.explain()?;
    ensure!(shown.signers.len() == 2, "it has {} signatures", shown.signers.len());
    let outcome: Outcome = shown.outcome.context("it is not final")?;
    let events = &outcome.receipt.events;
    let left = events.iter().find_map(|event| match event {
        Event::ContractEmitted { attributes, .. } => {
            attributes.iter().find(|one| one.key == "left").map(|one| one.value.clone())
        }
        _ => None,
    });
    ensure!(left.as_deref() == Some("0"), "{left:?} units are left");
    let used = events.iter().any(|event| matches!(event, Event::AccessUsed { used: 1, .. }));
    ensure!(used, "no use of the grant is recorded");
    let ((), agreed) = votes(topology, &outcome).await?;
    let recorded =
        |event: &Event| matches!(event, Event::Recorded { kind, .. } if kind == "service-used");
    let heard = heard(told, recorded).await?;
    Ok((
        (),
        format!(
            "signed by {} and {}; one unit taken, one use of the grant\n{agreed}\n{heard}",
            shown.signers[0], shown.signers[1]
        ),
    ))
}
