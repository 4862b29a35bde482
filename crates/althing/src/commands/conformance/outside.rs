//! Clause 10.5: access to services that run outside the ledger.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use althing_client::model::Outcome;
use althing_proof::{
    grant::{Door, Presented, admit},
    key,
};
use althing_types::{
    Access, AccessMode, AccessPolicy, AccessRequest, AccessUse, Action, EntityId, Genesis, GrantId,
    Reader, ReaderToken, Record, Resource, Right, Transaction, Wire as _,
};
use anyhow::ensure;
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use futures::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};

use super::{
    access::{PATIENCE, applied, patiently, settle},
    contract::{heard_of_record, listen_for_records, votes},
    procedure::{Procedure, Recorder, Step, Stopped},
    topology::Topology,
};
use crate::{founding::Member, output::short, session::Explain as _};

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
    run,
};

/// What service A is used for.
const PURPOSE: &str = "forecast";
/// How old what is shown to service A may be, milliseconds.
const AGE_MAX_MS: u64 = 60_000;
/// How long a token is good for, milliseconds.
const TOKEN_MS: u64 = 30_000;

fn run<'a>(topology: &'a Topology, recorder: &'a mut Recorder) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let request = recorder.step("REQ-10.5-1..3", granted(topology)).await?;
        let used = recorder.step("REQ-10.5-4", talk(topology, request)).await?;
        recorder.step("REQ-10.5-5..7", write_down(topology, request, used)).await
    })
}

fn access(topology: &Topology, owner: EntityId) -> anyhow::Result<Access> {
    Ok(Access {
        owner,
        grantee: topology.entity("dApp C")?,
        resource: Resource::Service(topology.entity("service A")?),
        right: Right::Call,
        purpose: PURPOSE.to_owned(),
    })
}

/// Steps 1 to 3. The organisation of service A says that the service is asked; it denies the first
/// request and allows the second.
async fn granted(topology: &Topology) -> anyhow::Result<(GrantId, String)> {
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
    let id = access(topology, owner.entity())?.id();
    let mut said = Vec::new();
    for allow in [false, true] {
        let request = Action::RequestAccess(AccessRequest {
            resource: resource.clone(),
            right: Right::Call,
            purpose: PURPOSE.to_owned(),
            count_max: 1,
            until_height: u64::MAX,
        });
        let asked = client.perform(vec![request]).await?;
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
    Ok((id, said.join("\n")))
}

/// What is sent to service A: all in hex.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Question {
    token: String,
    identity: String,
    grant: String,
    /// What is to be forecast.
    hours: u32,
}

/// What service A answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Answer {
    /// Forecasts, one for each hour.
    forecast: Vec<u32>,
    /// For whom.
    to: String,
}

/// Service A as it runs: it has the genesis, and asks no peer.
#[derive(Debug)]
struct Service {
    genesis: Genesis,
    service: EntityId,
    owner: EntityId,
}

impl Service {
    fn answer(&self, question: &Question) -> Result<Answer, String> {
        let bytes = |text: &str| hex::decode(text).map_err(|_| "hex digits expected".to_owned());
        let token =
            ReaderToken::from_wire(&bytes(&question.token)?).map_err(|_| "no token".to_owned())?;
        let (identity, grant) = (bytes(&question.identity)?, bytes(&question.grant)?);
        let door = Door {
            genesis: &self.genesis,
            service: self.service,
            owner: self.owner,
            now_ms: now_ms(),
            age_max_ms: AGE_MAX_MS,
        };
        let presented = Presented { token: &token, identity: &identity, grant: &grant };
        let access = admit(&door, &presented).map_err(|why| why.to_string())?;
        let forecast = (0..question.hours.min(48)).map(|hour| 20 + hour % 5).collect();
        Ok(Answer { forecast, to: access.grantee.to_string() })
    }
}

async fn serve(
    State(service): State<Arc<Service>>,
    Json(question): Json<Question>,
) -> Result<Json<Answer>, (StatusCode, String)> {
    service.answer(&question).map(Json).map_err(|why| (StatusCode::FORBIDDEN, why))
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Starts service A on a port of its own.
async fn start(service: Service) -> anyhow::Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/forecast", post(serve)).with_state(Arc::new(service));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// Step 4. dApp C gets proofs of who it is and of its grant at its own peer, and shows them to service
/// A, which asks no peer.
async fn talk(topology: &Topology, grant: GrantId) -> anyhow::Result<(Outcome, String)> {
    let owner = topology.organisation("A").await?.entity();
    let service = topology.entity("service A")?;
    let genesis = topology.cluster.founded.genesis.clone();
    let address = start(Service { genesis, service, owner }).await?;
    let member = topology.member("dApp C")?;
    // What is proven is what a later header states: not yet the answer in the newest block.
    settle(topology).await?;
    let question = question(topology, member, grant).await?;
    let http = reqwest::Client::new();
    let send = |question: Question| {
        let request = http.post(format!("http://{address}/forecast")).json(&question);
        async move {
            let answer = request.send().await?;
            let status = answer.status();
            anyhow::Ok((status, answer.text().await?))
        }
    };
    let mut refused = Vec::new();
    let other = token(topology, topology.member("device E")?, service);
    let elsewhere = token(topology, member, owner);
    let nothing =
        topology.client("C")?.prove_state(&key::grant(&GrantId([9; 32]))).await.explain()?;
    for (what, wrong) in [
        ("somebody else's token", Question { token: other, ..question.clone() }),
        ("a token for another service", Question { token: elsewhere, ..question.clone() }),
        ("no grant", Question { grant: hex::encode(nothing), ..question.clone() }),
        ("a forged proof", Question { grant: forged(&question.grant), ..question.clone() }),
    ] {
        let (status, why) = send(wrong).await?;
        ensure!(status == reqwest::StatusCode::FORBIDDEN, "{what} is let in");
        refused.push(format!("{what}: {why}"));
    }
    let height = topology.client("C")?.status().await.explain()?.height;
    let (status, text) = send(question).await?;
    ensure!(status.is_success(), "dApp C is not let in: {text}");
    let answer: Answer = serde_json::from_str(&text)?;
    ensure!(answer.forecast.len() == 24 && answer.to == member.inception.id().to_string());
    // What follows from it on the ledger: service A records the use under its own key.
    let session = topology.session("service A").await?;
    let at_ms = now_ms();
    let uses = vec![AccessUse { grant, count: 1, first_ms: at_ms, last_ms: at_ms }];
    let outcome = applied(session.perform(vec![Action::RecordAccess { uses }]).await?)?;
    let evidence = format!(
        "{}\nthen {} hours are forecast, at http://{address}, with nothing on the ledger since block \
         {height}; service A records the use in block {}",
        refused.join("\n"),
        answer.forecast.len(),
        outcome.height
    );
    Ok((outcome, evidence))
}

/// A token of a member for a service.
fn token(topology: &Topology, member: &Member, service: EntityId) -> String {
    let reader = Reader {
        ledger: topology.cluster.ledger(),
        peer: service.0,
        entity: member.inception.id(),
        purpose: PURPOSE.to_owned(),
        until_ms: now_ms().saturating_add(TOKEN_MS),
    };
    hex::encode(reader.sign(&member.key).to_wire())
}

async fn question(
    topology: &Topology,
    member: &Member,
    grant: GrantId,
) -> anyhow::Result<Question> {
    let client = topology.client("C")?;
    let entity = key::entity(&member.inception.id());
    let identity = patiently(|| client.prove_state(&entity)).await?;
    let granted = key::grant(&grant);
    let grant = patiently(|| client.prove_state(&granted)).await?;
    let service = topology.entity("service A")?;
    Ok(Question {
        token: token(topology, member, service),
        identity: hex::encode(identity),
        grant: hex::encode(grant),
        hours: 24,
    })
}

/// The same with one digit in the middle changed.
fn forged(text: &str) -> String {
    let mut digits = text.to_owned().into_bytes();
    let middle = digits.len() / 2;
    digits[middle] = if digits[middle] == b'0' { b'1' } else { b'0' };
    String::from_utf8_lossy(&digits).into_owned()
}

/// Steps 5 to 7. One record under both keys: neither can say later that it was otherwise.
async fn write_down(
    topology: &Topology,
    grant: GrantId,
    used: Outcome,
) -> anyhow::Result<((), String)> {
    let (client, service) = (topology.member("dApp C")?, topology.member("service A")?);
    let notify = vec![client.inception.id(), service.inception.id()];
    let told = listen_for_records(topology, &notify).await?;
    let session = topology.session("dApp C").await?;
    session.client.read_from(used.height);
    let link = used.receipt.transaction.0;
    let record =
        Record { kind: "service-used".into(), data: grant.0.to_vec(), notify, link: Some(link) };
    // As dApp C alone would sign it, and then both.
    let body = session.account.sign(vec![Action::Record(record)]).body().clone();
    let other = (service.inception.id(), &service.key);
    let transaction = Transaction::sign(&topology.cluster.ledger(), body, &client.key, &[other]);
    let submission = (&transaction).into();
    let outcome = applied(session.client.finalize(&submission, PATIENCE).await.explain()?)?;
    let shown = session.client.transaction(&transaction.id()).await.explain()?;
    ensure!(shown.signers.len() == 2, "it has {} signatures", shown.signers.len());
    let ((), agreed) = votes(topology, &outcome).await?;
    let heard = heard_of_record(told, link).await?;
    Ok((
        (),
        format!("signed by {} and {}\n{agreed}\n{}", shown.signers[0], shown.signers[1], heard),
    ))
}
