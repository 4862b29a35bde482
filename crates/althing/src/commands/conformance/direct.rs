//! Clause 10.6 (a) step 6: a service reaches a device directly, through the dApp that stands before it.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use althing_client::{
    Direct, Error, Events,
    model::{Action, DirectUse, Event},
};
use althing_types::{CommandState, Operation, ThingId};
use anyhow::{Context as _, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    time::sleep,
};

use super::{
    device::wait_for,
    mqtt::{mosquitto, publish},
    topology::Topology,
};
use crate::{
    founding::gateway_config, output::short, ports::Reservations, process::Process,
    session::Explain as _,
};

/// How often something that is about to happen is looked for.
const POLL: Duration = Duration::from_millis(50);
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was served.
pub(super) struct Reached {
    used: althing_types::DirectUse,
    /// dApp C as a gateway; ends when this is dropped.
    _gateway: Process,
}

/// Starts dApp C before the device, which is a client of it, and has service A reach the device. The first
/// purpose was allowed, the second vetoed.
pub(super) async fn reach(
    topology: &Topology,
    thing: &ThingId,
    name: &'static str,
    purposes: [&str; 2],
) -> anyhow::Result<(Reached, String)> {
    let (gateway, mqtt, url) = start(topology)?;
    let _device = Listening(tokio::spawn(listen(mqtt, name)));
    let service = topology.session("service A").await?;
    let signer = service.account.signer();
    let invoke =
        Operation::Invoke { action: "switch".to_owned(), input: Some(b"true".to_vec().into()) };
    let begin = Instant::now();
    let caller = loop {
        match Direct::open(&url, &service.client, signer.clone(), purposes[0]).await {
            Ok(caller) => break caller,
            Err(error) => ensure!(begin.elapsed() < PATIENCE, "dApp C does not answer: {error}"),
        }
        sleep(POLL).await;
    };
    ensure!(caller.gateway() == topology.entity("dApp C")?, "somebody else answers");
    let (answer, used, took) = loop {
        let asked = Instant::now();
        let why = match caller.ask(thing, invoke.clone()).await {
            Ok((answer, used)) if used.state == CommandState::Done => {
                break (answer, used, asked.elapsed());
            }
            Ok((answer, _)) => answer.result,
            // The gateway may not have heard of the thing, nor the device be connected.
            Err(error) => error.to_string(),
        };
        ensure!(begin.elapsed() < PATIENCE, "the device is not reached: {why}");
        sleep(POLL).await;
    };
    // Once more: the proofs were shown, so that nothing but the device is waited for.
    let asked = Instant::now();
    caller.ask(thing, invoke.clone()).await.explain()?;
    let again = asked.elapsed();
    let vetoed =
        Direct::open(&url, &service.client, signer.clone(), purposes[1]).await.explain()?;
    let refused = match vetoed.ask(thing, invoke).await {
        Err(Error::Refused(problem)) => problem.detail,
        other => bail!("what was vetoed is not refused: {other:?}"),
    };
    let evidence = format!(
        "request {} at {url} by the grant for `{}`: {} ({}) in {} ms, the next in {} ms\nfor `{}`: {refused}",
        short(&used.request.request.id().to_string()),
        purposes[0],
        answer.state,
        answer.result,
        took.as_millis(),
        again.as_millis(),
        purposes[1],
    );
    Ok((Reached { used, _gateway: gateway }, evidence))
}

/// dApp C as a gateway under its own key, with the addresses of its MQTT and HTTP sides.
fn start(topology: &Topology) -> anyhow::Result<(Process, SocketAddr, String)> {
    let mut ports = Reservations::default();
    let (mqtt, http) = (ports.prefer(0)?, ports.prefer(0)?);
    ports.release();
    let more =
        format!("\n[gateway.http]\nlisten = \"{http}\"\n\n[gateway.direct]\nenabled = true\n");
    let cluster = &topology.cluster;
    let config = gateway_config(topology.network(), mqtt, &cluster.endpoints, &[], &more);
    let process = cluster.start_another_gateway(topology.member("dApp C")?, &config)?;
    Ok((process, mqtt, format!("http://{http}")))
}

struct Listening(tokio::task::JoinHandle<anyhow::Result<()>>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The device: an unmodified MQTT client, which does what it is asked and says so.
async fn listen(gateway: SocketAddr, name: &str) -> anyhow::Result<()> {
    let (asked, answers) =
        (format!("things/{name}/commands/request"), format!("things/{name}/commands/answer"));
    loop {
        let mut client = mosquitto("mosquitto_sub", gateway, &["-t", &asked])
            .spawn()
            .context("cannot run mosquitto_sub: apt-get install mosquitto-clients")?;
        let stdout = client.stdout.take().context("mosquitto_sub says nothing")?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            let asked: serde_json::Value = serde_json::from_str(&line)?;
            let answer = serde_json::json!({ "id": asked["id"], "state": "done", "result": "on" });
            // An answer that is not taken is given again when the request is.
            let _ = publish(gateway, &[], &answers, &answer.to_string()).await?;
        }
        // The gateway does not listen yet.
        sleep(POLL).await;
    }
}

/// Steps 7 and 8. dApp C has written down what service A signed that it asks for.
pub(super) async fn recorded(
    topology: &Topology,
    told: &mut Events,
    reached: Reached,
) -> anyhow::Result<((), String)> {
    let (dapp, client) = (topology.entity("dApp C")?, topology.client("A")?);
    let id = reached.used.request.request.id();
    let own = |one: &DirectUse| one.id.0 == id && one.state == "done";
    // There may be records before it, of attempts while the device was not connected yet.
    let (record, transaction, one) = loop {
        let record = wait_for(
            told,
            |event| matches!(event, Event::AccessUsed { by, .. } if by.entity_id() == dapp),
        )
        .await?;
        client.read_from(record.height);
        let transaction = client.transaction(&record.transaction.0).await.explain()?;
        let uses = transaction.actions.iter().filter_map(|action| match action {
            Action::RecordDirect { uses } => Some(uses),
            _ => None,
        });
        let found = uses.flatten().find(|one| own(one)).cloned();
        if let Some(one) = found {
            break (record, transaction, one);
        }
    };
    let evidence = format!(
        "event {} tells the owner of the use\nrequest {} signed by {}\nrecord {} signed by {} in block {}",
        record.cursor,
        short(&id.to_string()),
        one.caller,
        short(&record.transaction.to_string()),
        transaction.sender,
        record.height
    );
    Ok(((), evidence))
}
