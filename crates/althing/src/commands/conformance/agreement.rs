//! Clause 10.1: crowding consensus and decentralised storage.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use althing_client::{
    Events, Submission,
    model::{self, Event, Outcome, query},
};
use althing_proof::bundle::{VerifiedClaim, verify};
use althing_types::{Action, Payload, Reading, Record, StreamId, ThingId, TxId, Value};
use anyhow::{Context as _, bail, ensure};
use futures::future::LocalBoxFuture;
use tokio::time::sleep;

use super::{
    procedure::{Procedure, Recorder, Step, Stopped},
    topology::Topology,
};
use crate::{output::short, session::Explain as _};

/// The procedure.
pub(super) const PROCEDURE: Procedure = Procedure {
    clause: "10.1",
    title: "Crowding consensus and decentralised storage of BoT",
    steps: &[
        Step { id: "REQ-10.1-1", title: "dApp D asks peer D for a transaction with E" },
        Step { id: "REQ-10.1-2", title: "Peers D, E and all or some others agree" },
        Step { id: "REQ-10.1-3", title: "After acceptance dApp D asks to store data" },
        Step { id: "REQ-10.1-4", title: "All or some peers copy and store it" },
        Step { id: "REQ-10.1-5", title: "Peer E notifies dApp E" },
    ],
    with_tokens: false,
    run,
};

/// How often something that is about to happen is looked for.
const POLL: Duration = Duration::from_millis(20);
/// Readings of a day, an hour apart.
const READINGS: u32 = 24;
/// How long a peer may take to show what others have.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often dApp D asks anew if the votes of D and E came too late to be counted: a quorum is
/// enough for a certificate, and which votes make it up is a matter of milliseconds.
const ATTEMPTS: usize = 20;

fn run<'a>(topology: &'a mut Topology, recorder: &'a mut Recorder) -> LocalBoxFuture<'a, Stopped> {
    Box::pin(async move {
        let (request, mut events) =
            recorder.step("REQ-10.1-1", request_transaction(topology)).await?;
        let accepted = recorder.step("REQ-10.1-2", agree(topology, request)).await?;
        let stored = recorder.step("REQ-10.1-3", request_storage(topology, accepted)).await?;
        recorder.step("REQ-10.1-4", count_holders(topology, &stored)).await?;
        recorder.step("REQ-10.1-5", notify(topology, &mut events, accepted)).await
    })
}

/// A transaction between D and E: D writes down what was agreed, for E to be notified.
fn transaction_with_e(topology: &Topology) -> anyhow::Result<Action> {
    Ok(Action::Record(Record {
        kind: "agreement".to_owned(),
        data: b"D sells E the right to read meter D for a day".to_vec(),
        notify: vec![topology.entity("dApp E")?],
        link: None,
    }))
}

/// Step 1. dApp E subscribes at its peer beforehand, so that step 5 can be seen.
async fn request_transaction(topology: &Topology) -> anyhow::Result<((TxId, Events), String)> {
    let query = query::Events {
        entity: Some(topology.entity("dApp E")?.into()),
        kind: Some("recorded".to_owned()),
        ..<_>::default()
    };
    let events = topology.client("E")?.events(&query).await.explain()?;
    let id = ask(topology).await?;
    Ok(((id, events), format!("peer D took the request and gave it the id {id}")))
}

async fn ask(topology: &Topology) -> anyhow::Result<TxId> {
    let session = topology.session("dApp D").await?;
    let transaction = session.account.sign(vec![transaction_with_e(topology)?]);
    session.client.submit(&Submission::from(&transaction)).await.explain()
}

/// Step 2. The votes are those in the certificates that the peers hold for the block: each peer may
/// have seen another quorum of them first.
async fn agree(topology: &Topology, request: TxId) -> anyhow::Result<(TxId, String)> {
    let (d, e) = (topology.voting_key("D")?, topology.voting_key("E")?);
    let mut request = request;
    for attempt in 1..=ATTEMPTS {
        let outcome = topology.client("D")?.wait(request, PATIENCE).await.explain()?;
        ensure_applied(&outcome)?;
        let voters = voters(topology, outcome.height).await?;
        if voters.contains(&d) && voters.contains(&e) {
            let letters: BTreeSet<&str> =
                voters.iter().filter_map(|key| topology.letter_of(key)).collect();
            let letters = letters.into_iter().collect::<Vec<_>>().join(", ");
            let (peers, again) = (topology.peers().count(), again(attempt));
            return Ok((
                request,
                format!(
                    "{request} is final in block {}; {letters} signed, {} of {peers} needed{again}",
                    outcome.height,
                    topology.mechanism().quorum(peers)
                ),
            ));
        }
        request = ask(topology).await?;
    }
    bail!("the votes of D and E were in no certificate of {ATTEMPTS} blocks")
}

fn again(attempt: usize) -> String {
    match attempt {
        1 => String::new(),
        _ => format!(
            "\n(asked {attempt} times: a quorum without D or E made the earlier ones final first)"
        ),
    }
}

async fn voters(topology: &Topology, height: u64) -> anyhow::Result<BTreeSet<Vec<u8>>> {
    let mut voters = BTreeSet::new();
    for (_, client) in topology.peers() {
        client.read_from(height);
        let block = client.block(height, &query::List::default()).await.explain()?;
        voters.extend(block.signers.iter().map(|key| key.0.0.to_vec()));
    }
    Ok(voters)
}

fn ensure_applied(outcome: &Outcome) -> anyhow::Result<()> {
    match &outcome.receipt.refusal {
        None => Ok(()),
        Some(refusal) => bail!("it took no effect: {} ({})", refusal.detail, refusal.code),
    }
}

/// What dApp D had stored.
struct Stored {
    transaction: TxId,
    height: u64,
    stream: StreamId,
    readings: usize,
    payload_digest: [u8; 32],
}

/// Step 3. One transaction stores a record that names the agreed transaction, and readings whose
/// payload travels beside it.
async fn request_storage(topology: &Topology, link: TxId) -> anyhow::Result<(Stored, String)> {
    let session = topology.session("dApp D").await?;
    let (stream, register) = meter(topology)?;
    session.perform(vec![register]).await?;
    let payload = readings()?;
    let header = payload.header(stream, 0);
    let payload_digest = header.payload_digest;
    let record = Record {
        kind: "meter-data".to_owned(),
        data: payload_digest.to_vec(),
        notify: vec![topology.entity("dApp E")?],
        link: Some(link),
    };
    let actions = vec![Action::SubmitBatch(header), Action::Record(record)];
    let transaction = session.account.sign(actions);
    let submission = Submission {
        payloads: vec![althing_types::Wire::to_wire(&payload).into()],
        ..Submission::from(&transaction)
    };
    let outcome = session.client.finalize(&submission, PATIENCE).await.explain()?;
    ensure_applied(&outcome)?;
    let (id, height) = (transaction.id(), outcome.height);
    let evidence = format!(
        "{id}\nis final in block {height}: {} readings, and a record that is linked to {}",
        payload.readings.len(),
        short(&link.to_string())
    );
    let readings = payload.readings.len();
    Ok((Stored { transaction: id, height, stream, readings, payload_digest }, evidence))
}

/// A meter that dApp D owns.
fn meter(topology: &Topology) -> anyhow::Result<(StreamId, Action)> {
    const NAME: &str = "meter-D";
    const PROPERTY: &str = "energy";
    let description = serde_json::json!({
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": "Meter of entity D",
        "securityDefinitions": { "none": { "scheme": "nosec" } },
        "security": "none",
        "properties": {
            PROPERTY: {
                "type": "integer",
                "unit": "kW.h",
                "readOnly": true,
                "forms": [{ "href": "mqtt://gateway/meter" }],
            },
        },
    });
    let thing = ThingId::derive(&topology.entity("dApp D")?, NAME);
    let description = description.to_string().into_bytes();
    let register = Action::RegisterThing { name: NAME.to_owned(), description };
    Ok((StreamId::derive(&thing, PROPERTY), register))
}

/// What the meter has read.
fn readings() -> anyhow::Result<Payload> {
    const HOUR_MS: i64 = 3_600_000;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let now_ms = i64::try_from(now.as_millis())?;
    let reading = |hour: i64| {
        let claimed_ms = now_ms - (i64::from(READINGS) - hour) * HOUR_MS;
        Reading { claimed_ms, received_ms: now_ms, value: Value::Number(hour) }
    };
    Ok(Payload { readings: (0..READINGS.into()).map(reading).collect() })
}

/// Step 4. A peer holds the data if it shows the transaction as final, and the payload built again
/// from the readings it serves is the one that was submitted, to the byte.
async fn count_holders(topology: &Topology, stored: &Stored) -> anyhow::Result<((), String)> {
    let started = Instant::now();
    loop {
        let mut holders = Vec::new();
        for (letter, client) in topology.peers() {
            client.read_from(stored.height);
            let transaction = client.transaction(&stored.transaction).await.explain()?;
            let readings = client.readings(&stored.stream, &all()).await.explain()?;
            let served = rebuilt(&readings.items);
            if transaction.outcome.is_some() && served == Some(stored.payload_digest) {
                holders.push(letter);
            }
        }
        let peers = topology.peers().count();
        if holders.len() == peers {
            let evidence = format!(
                "all {peers} peers ({}) hold transaction {}; its payload, built again from the {} \
                 readings that each serves, has BLAKE3 {} at every one",
                holders.join(", "),
                short(&stored.transaction.to_string()),
                stored.readings,
                short(&hex::encode(stored.payload_digest)),
            );
            return Ok(((), evidence));
        }
        ensure!(
            started.elapsed() < PATIENCE,
            "only {} of {peers} peers hold it: {}",
            holders.len(),
            holders.join(", ")
        );
        sleep(POLL).await;
    }
}

/// All readings of the meter, which are those of one batch, and one more if there should be one.
fn all() -> query::Readings {
    query::Readings { limit: Some(READINGS + 1), ..<_>::default() }
}

/// The digest of the payload that has these readings, if they are numbers without decimals.
fn rebuilt(items: &[model::Reading]) -> Option<[u8; 32]> {
    let in_sequence = (0..).zip(items).all(|(seq, reading)| reading.seq == seq);
    let reading = |one: &model::Reading| {
        let value = Value::Number(one.value.parse().ok()?);
        Some(Reading { claimed_ms: one.claimed.0, received_ms: one.received.0, value })
    };
    let readings: Vec<Reading> = items.iter().map(reading).collect::<Option<_>>()?;
    (in_sequence && !readings.is_empty()).then(|| digest(&Payload { readings }))
}

fn digest(payload: &Payload) -> [u8; 32] {
    payload.header(StreamId::default(), 0).payload_digest
}

/// Step 5. The event at peer E names the transaction; dApp E fetches the proof from its peer and
/// checks it with nothing but the genesis.
async fn notify(
    topology: &Topology,
    events: &mut Events,
    accepted: TxId,
) -> anyhow::Result<((), String)> {
    let dapp_e = topology.entity("dApp E")?;
    let (cursor, sender) = loop {
        let record = events.next().await.explain()?.context("peer E ended the events")?;
        let Event::Recorded { sender, notify, .. } = &record.event else { continue };
        if record.transaction.0 == accepted && notify.iter().any(|one| one.entity_id() == dapp_e) {
            break (record.cursor, sender.clone());
        }
    };
    let client = topology.client("E")?;
    let started = Instant::now();
    let proof = loop {
        match client.prove_receipt(&accepted).await {
            Ok(proof) => break proof,
            Err(_) if started.elapsed() < PATIENCE => sleep(POLL).await,
            Err(error) => return Err(error).explain(),
        }
    };
    let verified = verify(&proof, &topology.cluster.founded.genesis)
        .map_err(|failure| anyhow::anyhow!("step {}: {}", failure.step, failure.why))
        .context("the proof that peer E gave does not hold")?;
    let VerifiedClaim::Transaction(proven) = &verified.claim else {
        bail!("peer E gave a proof of something else");
    };
    let receipt = proven.receipt.as_ref().context("the proof has no receipt")?;
    ensure!(proven.id == accepted && receipt.code == 0, "peer E proved another transaction");
    let evidence = format!(
        "event {cursor} at peer E: {sender} recorded {accepted};\n\
         its proof ({} bytes) holds offline: signed by {} of {} peers, receipt says it took effect",
        proof.len(),
        verified.block.signed.len(),
        verified.block.validators
    );
    Ok(((), evidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One reading, any reading, used to count as holding the data.
    #[test]
    fn only_all_readings_as_submitted_count_as_holding_them() {
        let payload = readings().unwrap();
        let submitted = digest(&payload);
        let served = |(seq, reading): (u64, &Reading)| model::Reading {
            seq,
            value: reading.value.measure().unwrap().to_string(),
            claimed: model::Time(reading.claimed_ms),
            received: model::Time(reading.received_ms),
            ledger: model::Time(0),
            height: 7,
            leaf: 0,
        };
        let whole: Vec<_> = (0..).zip(&payload.readings).map(served).collect();
        let changed = |change: fn(&mut Vec<model::Reading>)| {
            let mut items = whole.clone();
            change(&mut items);
            items
        };
        for (what, items, holds) in [
            ("all of them", whole.clone(), true),
            ("none", vec![], false),
            ("one", whole[..1].to_vec(), false),
            ("one less", changed(|items| drop(items.pop())), false),
            ("one more", changed(|items| items.push(items[0].clone())), false),
            ("another value", changed(|items| items[3].value = "4".into()), false),
            ("another time", changed(|items| items[3].claimed.0 += 1), false),
            ("another arrival", changed(|items| items[3].received.0 += 1), false),
            ("another number", changed(|items| items[3].seq += 1), false),
            ("another kind", changed(|items| items[3].value = "3.0".into()), false),
        ] {
            assert_eq!(rebuilt(&items) == Some(submitted), holds, "{what}");
        }
    }
}
