//! Tell the peers how the gateway is doing, and show what a peer was told.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use althing_client::{
    Client, ReadingAs, Signer,
    model::{
        GATEWAY_PURPOSE, GATEWAY_REPORT_INTERVAL, GatewayPresence, GatewayQueue, GatewayReport,
        GatewayState,
    },
};
use althing_gateway::{Handle, Status};
use clap::Args;
use futures::future::join_all;
use tokio::time::timeout;

use crate::{
    output::{Output, Table, thousands},
    session::{Explain as _, Remote, block_on},
};

/// How long the last report may take: it only saves peers the wait until the gateway counts as silent.
const FAREWELL: Duration = Duration::from_secs(1);

/// Tells the peers of one gateway.
pub(super) struct Reporter {
    clients: Vec<Client>,
    started: Instant,
    queue_bytes_max: u64,
}

impl Reporter {
    pub(super) fn new(clients: &[Client], gateway: &Signer, queue_bytes_max: usize) -> Self {
        let who = || ReadingAs {
            entity: gateway.entity,
            key: gateway.key.clone(),
            purpose: GATEWAY_PURPOSE.to_owned(),
        };
        Self {
            clients: clients.iter().map(|client| client.reading_as(who())).collect(),
            started: Instant::now(),
            queue_bytes_max: queue_bytes_max as u64,
        }
    }

    /// Tells every peer for as long as the gateway runs.
    pub(super) async fn tell(&self, gateway: &Handle) -> Infallible {
        loop {
            if let Ok(status) = gateway.status().await {
                self.tell_all(&self.report(&status), GATEWAY_REPORT_INTERVAL).await;
            }
            tokio::time::sleep(GATEWAY_REPORT_INTERVAL).await;
        }
    }

    /// Tells every peer that the gateway goes.
    pub(super) async fn farewell(&self, gateway: &Handle) {
        if let Ok(status) = gateway.status().await {
            let report = GatewayReport { stopping: true, ..self.report(&status) };
            self.tell_all(&report, FAREWELL).await;
        }
    }

    /// A peer that cannot be told is no concern of the readings'.
    async fn tell_all(&self, report: &GatewayReport, patience: Duration) {
        join_all(self.clients.iter().map(|client| async move {
            match timeout(patience, client.report_gateway(report)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::debug!(peer = client.url(), %error, "a peer takes no report");
                }
                Err(_) => tracing::debug!(peer = client.url(), "a peer takes no report in time"),
            }
        }))
        .await;
    }

    fn report(&self, status: &Status) -> GatewayReport {
        let count = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let edge = &status.edge;
        GatewayReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: self.started.elapsed().as_secs(),
            stopping: false,
            connections: count(status.connections),
            clients: count(status.clients),
            streams: count(edge.streams_ready),
            queue: GatewayQueue {
                readings: edge.readings_queued as u64,
                backfilling: edge.readings_backfilling as u64,
                bytes: edge.bytes_queued as u64,
                bytes_max: self.queue_bytes_max,
                oldest_ms: edge.oldest_ms.and_then(|age| u64::try_from(age).ok()),
            },
            readings_taken: edge.readings_taken,
            readings_final: edge.readings_finalized,
            readings_lost: edge.readings_lost,
            publishes_refused: edge.publishes_refused.values().sum(),
            streams_held: count(edge.held.len()),
            disk_failed: status.disk_failure.is_some(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    remote: Remote,
}

impl List {
    pub(super) fn run(self, output: Output) -> anyhow::Result<()> {
        block_on(async {
            let gateways = self.remote.client()?.gateways().await.explain()?;
            output.show(&gateways, || {
                let mut table =
                    Table::new(&["gateway", "state", "last report", "waiting", "queue", "oldest"]);
                gateways.items.iter().for_each(|gateway| table.row(row(gateway)));
                table.or("no gateway has reported to this peer since it started")
            })
        })
    }
}

fn row(gateway: &GatewayState) -> [String; 6] {
    let queue = &gateway.report.queue;
    let state = match gateway.presence {
        GatewayPresence::Present if gateway.report.disk_failed => "present, its disk fails",
        GatewayPresence::Present => "present",
        GatewayPresence::Silent => "silent",
        GatewayPresence::Stopped => "stopped",
    };
    let oldest = queue.oldest_ms.map(|ms| format!("{} s", ms / 1_000));
    [
        gateway.name.clone(),
        state.to_owned(),
        gateway.reported.to_string(),
        thousands(queue.readings),
        percent(queue.bytes, queue.bytes_max),
        oldest.unwrap_or_default(),
    ]
}

/// How much of a bound is used, rounded up: a queue with something in it is not shown empty.
fn percent(bytes: u64, bytes_max: u64) -> String {
    let hundredths = u128::from(bytes) * 100;
    format!("{} %", hundredths.div_ceil(u128::from(bytes_max.max(1))))
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn a_queue_is_shown_as_full_as_it_is() {
        for (bytes, bytes_max, expected) in [
            (0, 100, "0 %"),
            (1, 1_000, "1 %"),
            (500, 1_000, "50 %"),
            (u64::MAX, u64::MAX, "100 %"),
        ] {
            assert_eq!(percent(bytes, bytes_max), expected);
        }
    }
}
