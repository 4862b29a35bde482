use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use althing_client::model::{Health, HealthState, Status};
use clap::Args;
use serde_json::json;

use crate::{
    config::Config,
    output::{Output, Table},
    session::{block_on, client},
};

#[derive(Debug, Args)]
pub(crate) struct Ledgers {
    /// The peers' configurations, as `althing peer run` was given them.
    #[arg(long, value_name = "FILE", default_value = "config.toml")]
    config: Vec<PathBuf>,
}

impl Ledgers {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        let mut peers = Vec::new();
        for path in &self.config {
            let settings = Config::load(path)?.peer()?;
            peers.push((
                path.display().to_string(),
                format!("http://{}", reached(settings.api_listen)),
            ));
        }
        block_on(async {
            let mut items = Vec::new();
            for (config, url) in peers {
                let client = client(&url)?;
                let answer = match (client.status().await, client.health().await) {
                    (Ok(status), Ok(health)) => Some((status, health)),
                    _ => None,
                };
                items.push((config, url, answer));
            }
            let value: Vec<_> = items
                .iter()
                .map(|(config, url, answer)| {
                    let status = answer.as_ref().map(|(status, _)| status);
                    let health = answer.as_ref().map(|(_, health)| health);
                    json!({ "config": config, "url": url, "status": status, "health": health })
                })
                .collect();
            output.show(&json!({ "items": value }), || {
                let mut table = Table::new(&[
                    "network",
                    "does",
                    "block",
                    "connected",
                    "health",
                    "interface",
                    "configuration",
                ]);
                for (config, url, answer) in items {
                    table.row(row(config, url, answer));
                }
                table.to_text()
            })
        })
    }
}

/// Where a peer that listens here is reached from this machine.
fn reached(listen: SocketAddr) -> SocketAddr {
    match listen.ip().is_unspecified() {
        true => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listen.port()),
        false => listen,
    }
}

fn row(config: String, url: String, answer: Option<(Status, Health)>) -> [String; 7] {
    let Some((status, health)) = answer else {
        let nothing = String::new;
        return [nothing(), "does not answer".into(), nothing(), nothing(), nothing(), url, config];
    };
    let state = match health.state {
        HealthState::Ready => "ready".to_owned(),
        _ => health.reasons.iter().map(|reason| reason.code.clone()).collect::<Vec<_>>().join(", "),
    };
    let (block, connected) = (status.height.to_string(), status.connected.to_string());
    [status.network, status.phase, block, connected, state, url, config]
}
