//! `althing verify`: check a proof offline.

use std::{collections::BTreeSet, path::PathBuf};

use althing_client::{file, time::to_rfc3339};
use althing_proof::bundle::{
    Attestation, BUNDLE_BYTES_MAX, Done, Failure, Verified, VerifiedClaim, VerifiedReading,
    VerifiedStream, verify,
};
use althing_proof::range::{AnswerBatch, RangeAnswer};
use althing_types::{EntityId, Genesis, SealedPayload, Wire as _, decimal};
use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::secrecy::UnsealArgs;
use crate::{
    output::{Output, thousands},
    report::{NextStep as _, failed},
    session::{Explain as _, block_on, client, read_genesis},
};

/// Checks a proof bundle against a genesis, without network, peer or account.
#[derive(Debug, Args)]
pub(crate) struct VerifyCommand {
    /// The proof bundle.
    bundle: PathBuf,
    /// The genesis of the ledger it is about: what everything is checked against.
    #[arg(
        long,
        env = "ALTHING_GENESIS",
        hide_env_values = true,
        value_name = "FILE",
        default_value = "genesis.json"
    )]
    genesis: PathBuf,
    /// With --key: the peer that is asked for the stream's key, wrapped. What it says is checked by
    /// what it opens.
    #[arg(long, env = "ALTHING_PEER", hide_env_values = true, value_name = "URL")]
    peer: Option<String>,
    #[command(flatten)]
    unseal: UnsealArgs,
}

impl VerifyCommand {
    pub(crate) fn run(self, output: Output) -> anyhow::Result<()> {
        let genesis = read_genesis(&self.genesis)?;
        let bytes = self.read()?;
        match verify(&bytes, &genesis) {
            Ok(mut verified) => {
                self.open(&mut verified, &genesis)?;
                output.show(&accepted(&verified), || text(&verified, &genesis))
            }
            Err(failure) => {
                if output.json {
                    output.show(&rejected(&failure), String::new)?;
                }
                Err(self.explain(&failure))
            }
        }
    }

    /// Opens what is sealed in a range, if a key was named that opens it.
    fn open(&self, verified: &mut Verified, genesis: &Genesis) -> anyhow::Result<()> {
        let VerifiedClaim::Range { stream, answer } = &mut verified.claim else { return Ok(()) };
        let numbers: BTreeSet<u32> = answer
            .sealed()
            .filter_map(|batch| SealedPayload::from_wire(batch.sealed.as_deref()?).ok())
            .map(|sealed| sealed.key_number)
            .collect();
        if numbers.is_empty() || !self.unseal.is_given() {
            return Ok(());
        }
        let Some(unsealer) = self.unseal.unsealer(genesis.ledger())? else { return Ok(()) };
        let url = self.peer.as_deref().unwrap_or("http://127.0.0.1:4464");
        let client = client(url)?;
        block_on(async {
            for number in numbers {
                if let Some(key) = unsealer.key(&client, &stream.stream, number).await.explain()? {
                    answer.open(stream.stream, &stream.schema, &key)?;
                }
            }
            Ok(())
        })
    }

    fn read(&self) -> anyhow::Result<Vec<u8>> {
        let name = self.bundle.display();
        let next = || "althing reading prove STREAM --seq N --out FILE fetches a proof".to_owned();
        file::read(&self.bundle, BUNDLE_BYTES_MAX as u64)
            .with_context(|| format!("cannot read the proof {name}"))
            .next_step(next)
    }

    fn explain(&self, failure: &Failure) -> anyhow::Error {
        failed(
            format!(
                "{} does NOT hold: step `{}` failed: {}",
                self.bundle.display(),
                failure.step,
                failure.why
            ),
            "do not rely on it; fetch the proof again, from another peer, and check that the genesis is the right one",
        )
    }
}

fn accepted(verified: &Verified) -> Value {
    let steps: Vec<Value> = verified.steps.iter().map(step).collect();
    json!({
        "ok": true,
        "ledger": verified.ledger.to_string(),
        "block": verified.block.height,
        "signers": verified.block.signed.len(),
        "validators": verified.block.validators,
        "claim": claim(&verified.claim),
        "steps": steps,
    })
}

fn step(done: &Done) -> Value {
    json!({ "step": done.step.code(), "ok": true, "text": done.text })
}

fn rejected(failure: &Failure) -> Value {
    json!({ "ok": false, "step": failure.step.code(), "why": failure.why.to_string() })
}

fn claim(claim: &VerifiedClaim) -> Value {
    match claim {
        VerifiedClaim::Reading(reading) => json!({
            "kind": "reading",
            "thing": reading.stream.name,
            "property": reading.stream.property,
            "stream": reading.stream.stream.to_string(),
            "seq": reading.seq,
            "value": reading.value_text,
            "claimed": to_rfc3339(reading.claimed_ms),
            "received": to_rfc3339(reading.received_ms),
            "block": reading.height,
            "transaction": reading.transaction.to_string(),
        }),
        VerifiedClaim::Range { stream, answer } => json!({
            "kind": "range",
            "thing": stream.name,
            "property": stream.property,
            "stream": stream.stream.to_string(),
            "readings": answer.readings().count(),
            "erased_batches": answer.without_payload().count(),
            "encrypted_readings": encrypted(answer),
            "opened": opened(answer, stream)
                .map(|(seq, value)| json!({ "seq": seq, "value": value }))
                .collect::<Vec<_>>(),
        }),
        VerifiedClaim::Aggregate { stream, aggregate, .. } => json!({
            "kind": "aggregate",
            "thing": stream.name,
            "property": stream.property,
            "stream": stream.stream.to_string(),
            "count": aggregate.count,
            "min": aggregate.min.map(|min| decimal::to_text(min, stream.schema.scale)),
            "max": aggregate.max.map(|max| decimal::to_text(max, stream.schema.scale)),
        }),
        VerifiedClaim::State { key, value } => json!({
            "kind": "state",
            "key": hex::encode(key),
            "value": value.as_ref().map(hex::encode),
        }),
        VerifiedClaim::Transaction(transaction) => json!({
            "kind": "transaction",
            "id": transaction.id.to_string(),
            "sender": transaction.sender.to_string(),
            "actions": transaction.actions.iter().map(|kind| kind.name()).collect::<Vec<_>>(),
            "applied": transaction.receipt.as_ref().map(|receipt| receipt.code == 0),
        }),
        VerifiedClaim::Run(run) => json!({
            "kind": "run",
            "trigger": run.trigger.to_string(),
            "height": run.height,
            "applied": run.receipt.code == 0,
        }),
    }
}

/// How many readings are in batches that nobody opened; those outside of the range included.
fn encrypted(answer: &RangeAnswer) -> u64 {
    answer.sealed().map(|batch| u64::from(batch.leaf.count)).sum()
}

/// The readings of batches that came sealed and were opened, with their values in text.
fn opened<'a>(
    answer: &'a RangeAnswer,
    stream: &'a VerifiedStream,
) -> impl Iterator<Item = (u64, String)> + 'a {
    let value = |value: &althing_types::Value| match value {
        althing_types::Value::Number(mantissa) => decimal::to_text(*mantissa, stream.schema.scale),
        althing_types::Value::Bool(value) => value.to_string(),
        althing_types::Value::Text(text) => text.escape_debug().to_string(),
        althing_types::Value::Bytes(bytes) => hex::encode(bytes),
    };
    let came_sealed = |seq: u64| {
        let holds =
            |batch: &&AnswerBatch| (batch.leaf.first_seq..=batch.leaf.last_seq()).contains(&seq);
        answer.batches.iter().find(holds).is_some_and(|batch| batch.sealed.is_some())
    };
    let sealed = answer.readings().filter(move |(seq, _)| came_sealed(*seq));
    sealed.map(move |(seq, reading)| (seq, value(&reading.value)))
}

fn text(verified: &Verified, genesis: &Genesis) -> String {
    let mut text = steps_text(&verified.steps);
    text.push_str(&format!("\nThe proof holds: {}.\n", sentence(verified, genesis)));
    if let VerifiedClaim::Reading(reading) = &verified.claim {
        text.push_str(&reading_text(reading, genesis));
    }
    if let VerifiedClaim::Range { stream, answer } = &verified.claim {
        for (seq, value) in opened(answer, stream) {
            text.push_str(&format!("  {seq}  {value} {}\n", stream.schema.unit));
        }
    }
    text.push_str(&format!(
        "Agreed by {} of {} peers: {}.\n",
        verified.block.signed.len(),
        verified.block.validators,
        signers(verified, genesis)
    ));
    text
}

/// Each step with what it showed.
pub(crate) fn steps_text(steps: &[Done]) -> String {
    let width = steps.iter().map(|done| done.step.code().len()).max().unwrap_or(0);
    let line = |done: &Done| format!("  ok  {:<width$}  {}\n", done.step.code(), done.text);
    steps.iter().map(line).collect()
}

fn sentence(verified: &Verified, genesis: &Genesis) -> String {
    match &verified.claim {
        VerifiedClaim::Reading(reading) => format!(
            "{} {} was {}",
            reading.stream.name, reading.stream.property, reading.value_text
        ),
        VerifiedClaim::Range { stream, answer } if encrypted(answer) > 0 => format!(
            "{} readings of {} {} exist in the range, encrypted; none was left out",
            thousands(encrypted(answer)),
            stream.name,
            stream.property
        ),
        VerifiedClaim::Range { stream, answer } => format!(
            "these are all {} readings of {} {} in the range, none was left out",
            thousands(answer.readings().count() as u64),
            stream.name,
            stream.property
        ),
        VerifiedClaim::Aggregate { stream, aggregate, .. } => format!(
            "{} {} has {} readings in the range, none was left out",
            stream.name,
            stream.property,
            thousands(aggregate.count)
        ),
        VerifiedClaim::State { key, value } if key.starts_with(b"g/") => {
            let height = verified.block.state_height;
            super::access::grant_in_words(key, value.as_deref(), height)
                .unwrap_or_else(|| "the state holds this value".to_owned())
        }
        VerifiedClaim::State { key, value } if key.starts_with(b"f/a/") => {
            let (state_height, token) = (verified.block.state_height, genesis.token.as_ref());
            super::wallet::in_words(key, value.as_deref(), state_height, token)
                .unwrap_or_else(|| "the state holds this value".to_owned())
        }
        VerifiedClaim::State { value: Some(_), .. } => "the state holds this value".to_owned(),
        VerifiedClaim::State { value: None, .. } => "the state holds nothing there".to_owned(),
        VerifiedClaim::Transaction(transaction) => {
            let applied = transaction.receipt.as_ref().map(|receipt| receipt.code == 0);
            let became = match applied {
                Some(true) => "took effect",
                Some(false) => "took no effect",
                None => "is in a final block",
            };
            format!("transaction {} {became}", transaction.id)
        }
        VerifiedClaim::Run(run) => {
            let became = if run.receipt.code == 0 { "and took effect" } else { "without effect" };
            format!("trigger {} ran in block {} {became}", run.trigger, run.height)
        }
    }
}

fn reading_text(reading: &VerifiedReading, genesis: &Genesis) -> String {
    let word = match reading.attestation {
        Attestation::SignedByDevice(device) => {
            format!("signed by the device itself, {}", name_of(&device, genesis))
        }
        Attestation::AssertedBy { entity, kind } => {
            format!("on the word of {} {}", kind.name(), name_of(&entity, genesis))
        }
    };
    let ledger_ms = i64::try_from(reading.ledger_time_ms).unwrap_or(i64::MAX);
    format!(
        "Measured {}, received {}, in block {} of {}; {word}.\n",
        to_rfc3339(reading.claimed_ms),
        to_rfc3339(reading.received_ms),
        reading.height,
        to_rfc3339(ledger_ms),
    )
}

/// Names of the organisations whose peers signed.
pub(crate) fn signers(verified: &Verified, genesis: &Genesis) -> String {
    let names = verified.block.signed.iter().map(|peer| name_of(&peer.organisation, genesis));
    names.collect::<Vec<_>>().join(", ")
}

/// The name of a founding organisation; others are known by their id.
fn name_of(entity: &EntityId, genesis: &Genesis) -> String {
    let founders = genesis.organisations.iter().map(|organisation| &organisation.inception);
    let mut found = founders.filter(|inception| inception.id() == *entity);
    found.next().map_or_else(
        || althing_types::Did::entity(&genesis.network, entity).to_string(),
        |inception| inception.name.clone(),
    )
}
