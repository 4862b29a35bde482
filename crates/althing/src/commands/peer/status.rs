use althing_client::model::{self, Health, HealthState, Peers};
use clap::Args;
use serde_json::json;

use crate::{
    output::{Output, Table, fields, short, thousands},
    report::failed,
    session::{Explain as _, Remote, block_on},
};

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    remote: Remote,
    /// Fail unless the peer takes part: what a container or a script asks.
    #[arg(long)]
    ready: bool,
}

impl Status {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            let client = self.remote.client()?;
            let status = client.status().await.explain()?;
            let health = client.health().await.explain()?;
            let peers = client.peers().await.explain()?;
            let value = json!({ "status": status, "health": health, "peers": peers.items });
            output.show(&value, || text(&status, &health, &peers))?;
            match (self.ready, health.state) {
                (true, HealthState::Unavailable) => Err(failed(
                    "the peer does not take part",
                    "the reasons above say what it waits for",
                )),
                _ => Ok(()),
            }
        })
    }
}

fn text(status: &model::Status, health: &Health, peers: &Peers) -> String {
    let mut text = fields(&[
        ("peer", status.peer.as_ref().map_or("not in the genesis".into(), ToString::to_string)),
        ("network", format!("{} (ledger {})", status.network, status.ledger)),
        ("version", status.version.clone()),
        ("does", status.phase.clone()),
        ("executed", format!("block {} of {}", status.height, status.time)),
        ("final", format!("block {}", status.final_height)),
        ("epoch, view", format!("{}, {}", status.epoch, status.view)),
        ("agreement", status.mechanism.clone()),
        ("quorum", status.quorum.to_string()),
        ("connected", status.connected.to_string()),
        ("waiting", format!("{} transactions", thousands(status.waiting.into()))),
        ("pace", pace(status)),
        ("signatures", signatures(status)),
        ("payloads", missing(status.payloads_missing)),
        ("on disk", payload_space(status)),
        ("health", state(health)),
    ]);
    for reason in &health.reasons {
        text.push_str(&format!("  {} ({})\n", reason.detail, reason.code));
    }
    let mut table = Table::new(&["peer", "organisation", "role", "connected", "heard", "key"]);
    for peer in &peers.items {
        table.row([
            peer.name.clone(),
            peer.organisation_name.clone(),
            format!("{:?}", peer.role).to_lowercase(),
            if peer.this { "this one".into() } else { yes_no(peer.connected) },
            peer.heard.map_or("never".into(), |time| time.to_string()),
            short(&peer.key.to_string()).to_owned(),
        ]);
    }
    text.push_str(&format!("\n{}", table.to_text()));
    let offences =
        peers.items.iter().flat_map(|peer| peer.offences.iter().map(move |it| (peer, it)));
    for (peer, offence) in offences {
        let (name, count) = (&peer.name, thousands(offence.count));
        text.push_str(&format!(
            "{name} broke the rules: {} ({}, {count} times)\n",
            offence.detail, offence.code
        ));
    }
    text
}

fn signatures(status: &model::Status) -> String {
    match status.trusts_validators {
        true => "checked of what clients bring; of the rest on other validators' word",
        false => "all checked",
    }
    .to_owned()
}

fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// How it makes blocks, and why.
fn pace(status: &model::Status) -> String {
    let (come, gather) = (thousands(status.arriving_per_s.into()), status.gather_ms);
    let came = if status.arriving_per_s == 1 { "transaction" } else { "transactions" };
    match gather {
        0 => format!(
            "blocks as soon as there is something to do, since {come} {came} came in a second"
        ),
        _ => format!("blocks of what comes in {gather} ms, since {come} {came} came in a second"),
    }
}

fn state(health: &Health) -> String {
    match health.state {
        HealthState::Ready => "ready".to_owned(),
        HealthState::Degraded => "works, but:".to_owned(),
        HealthState::Unavailable => "unavailable:".to_owned(),
    }
}

/// What payloads take, of what they may, and what of it is others' to keep.
fn payload_space(status: &model::Status) -> String {
    let bytes = thousands(status.payload_bytes);
    let of = status.payload_bytes_max.map(|max| format!(" of {}", thousands(max)));
    let surplus = match status.payloads_surplus {
        0 => String::new(),
        count => format!("; {} payloads are being handed over", thousands(count)),
    };
    format!("{bytes}{} bytes{surplus}", of.unwrap_or_default())
}

fn missing(count: u64) -> String {
    if count == 0 { "complete".to_owned() } else { format!("{} to be fetched", thousands(count)) }
}
