//! `althing-forecast ask`: the caller.

use std::time::Duration;

use althing_client::model::{Outcome, ServiceVersion};
use althing_proof::key;
use althing_types::{
    Access, EntityId, GrantId, Reader, Resource, Right, Signed, Transaction, Wire as _,
    cosigned_bytes,
};
use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde::Serialize;

use crate::{
    Common, Party,
    desk::now_ms,
    form::{Forecast, Question, Served, Use},
};

/// How long a token is good for, milliseconds.
const TOKEN_MS: u64 = 30_000;
/// How long to wait for the service, and for the ledger.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long between two attempts to get a proof that no block states yet.
const POLL: Duration = Duration::from_millis(200);
/// Longest answer of the service, bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Ask {
    #[command(flatten)]
    common: Common,
    /// Where the service is; without it, where the catalogue says that --service is.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The service in the catalogue, 64 hex digits, to look its address and entity up.
    #[arg(long, value_name = "ID", value_parser = service, required_unless_present = "entity")]
    service: Option<althing_types::ServiceId>,
    /// The entity that serves, 64 hex digits, if it is not looked up.
    #[arg(long, value_name = "ID", value_parser = entity, requires = "url")]
    entity: Option<EntityId>,
    /// For how many hours.
    #[arg(long, default_value_t = 24)]
    hours: u32,
}

fn service(text: &str) -> Result<althing_types::ServiceId, String> {
    althing_types::ServiceId::from_hex(text).ok_or_else(|| "64 hex digits expected".to_owned())
}

fn entity(text: &str) -> Result<EntityId, String> {
    EntityId::from_hex(text).ok_or_else(|| "64 hex digits expected".to_owned())
}

/// What came of a call, as JSON.
#[derive(Debug, Serialize)]
struct Report {
    forecast: Forecast,
    url: String,
    transaction: String,
    height: u64,
    signers: Vec<String>,
}

impl Ask {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let party = self.common.party()?;
        let (service, url) = self.place(&party).await?;
        let owner = party.client.entity(&service).await?.owner;
        let owner = owner.map_or(service, |owner| owner.entity_id());
        let access = Access {
            owner,
            grantee: party.signer.entity,
            resource: Resource::Service(service),
            right: Right::Call,
            purpose: party.purpose.clone(),
        };
        let question = question(&party, service, access.id(), self.hours).await?;
        let served = send(&url, &question).await?;
        let used = Use {
            service,
            caller: party.signer.entity,
            contract: party.contract,
            grant: access.id(),
        };
        let outcome = sign_and_submit(&party, &used, &served).await?;
        let id = outcome.receipt.transaction;
        let shown = party.client.transaction(&id).await?;
        let report = Report {
            forecast: serde_json::from_str(&served.forecast)
                .context("the forecast is malformed")?,
            url,
            transaction: id.to_string(),
            height: outcome.height,
            signers: shown.signers.iter().map(ToString::to_string).collect(),
        };
        println!("{}", serde_json::to_string(&report)?);
        Ok(())
    }

    /// Which entity serves, and where.
    async fn place(&self, party: &Party) -> anyhow::Result<(EntityId, String)> {
        if let (Some(entity), Some(url)) = (self.entity, &self.url) {
            return Ok((entity, url.clone()));
        }
        let id = self.service.context("give --service, or --entity with --url")?;
        let listed = party.client.service(&id).await?;
        let newest = listed.newest.context("all versions of the service were withdrawn")?;
        let ServiceVersion { entity, endpoints, .. } = newest;
        let entity = entity.context("the service is a contract; call that")?;
        let url = self.url.clone().or_else(|| endpoints.first().cloned());
        Ok((entity.entity_id(), url.context("the service says no address")?))
    }
}

/// Gets proofs of who this is and of its grant at its own peer.
async fn question(
    party: &Party,
    service: EntityId,
    grant: GrantId,
    hours: u32,
) -> anyhow::Result<Question> {
    let caller = party.signer.entity;
    let identity = proof(party, &key::entity(&caller)).await?;
    let grant = proof(party, &key::grant(&grant)).await?;
    let reader = Reader {
        ledger: party.signer.ledger,
        peer: service.0,
        entity: caller,
        purpose: party.purpose.clone(),
        until_ms: now_ms().saturating_add(TOKEN_MS),
    };
    let token = hex::encode(reader.sign(&party.signer.key).to_wire());
    Ok(Question { token, identity, grant, hours })
}

/// What is proven is what a later block states: that may not be there yet.
async fn proof(party: &Party, key: &[u8]) -> anyhow::Result<String> {
    let begin = std::time::Instant::now();
    loop {
        match party.client.prove_state(key).await {
            Ok(bundle) => return Ok(hex::encode(bundle)),
            Err(_) if begin.elapsed() < PATIENCE => tokio::time::sleep(POLL).await,
            Err(error) => return Err(error.into()),
        }
    }
}

async fn send(url: &str, question: &Question) -> anyhow::Result<Served> {
    let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let url = format!("{}/forecast", url.trim_end_matches('/'));
    let answer = http.post(&url).json(question).send().await;
    let mut answer = answer.with_context(|| format!("cannot reach the service at {url}"))?;
    let (status, mut bytes) = (answer.status(), Vec::new());
    while let Some(chunk) = answer.chunk().await? {
        ensure!(bytes.len() + chunk.len() <= ANSWER_BYTES_MAX, "the answer is too long");
        bytes.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        bail!("the service refuses ({status}): {}", String::from_utf8_lossy(&bytes));
    }
    serde_json::from_slice(&bytes).context("the service's answer is malformed")
}

/// Signs what the service has signed, if it is one use and nothing else, and submits it.
async fn sign_and_submit(party: &Party, used: &Use, served: &Served) -> anyhow::Result<Outcome> {
    let (body, by_service) = served.signed(used.service)?;
    ensure!(
        used.is_said_by(&body, &party.genesis.network, &served.forecast),
        "the service wants more to be signed than this use"
    );
    let (signer, key) = (party.signer.entity, &party.signer.key);
    let suite = key.suite();
    let signature = key.sign(&cosigned_bytes(&party.signer.ledger, &body, signer, suite));
    let own = Signed { signer, suite, signature };
    let transaction = Transaction::assemble(body, vec![by_service, own]);
    let outcome = party.client.finalize_transaction(&transaction, PATIENCE).await?;
    if let Some(refusal) = &outcome.receipt.refusal {
        bail!("the use took no effect: {} ({})", refusal.detail, refusal.code);
    }
    party.client.read_from(outcome.height);
    Ok(outcome)
}
