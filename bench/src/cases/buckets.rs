//! How long a chart of a million readings takes, thinned out to its width by the peer.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{quantile, round};
use crate::{http::Connection, load::drive, network::Network, things::sensors};

/// A reading a minute for two years, in batches that each span several buckets: the worst there is,
/// since summaries of the tree are of no use then.
const READINGS: u64 = 1_000_000;
const BATCH: u64 = 4_000;
const EVERY_MS: i64 = 60_000;
/// As a wide screen asks for them.
const BUCKETS: u64 = 700;
const ROUNDS: usize = 30;
/// Batches under way and sent together: payloads are large.
const UNDER_WAY: usize = 20;
const TOGETHER: usize = 10;
/// The last payload is stored by then.
const SETTLE: Duration = Duration::from_secs(3);

/// Asked for over one connection, one after the other.
pub(crate) async fn measure(program: &Path) -> Result<Value> {
    let mut network = Network::ready(program).await?;
    let mut sensors = sensors(&network, 1, EVERY_MS).await?;
    let sensor = &mut sensors[0];
    let batches: Vec<_> = (0..READINGS / BATCH).map(|_| sensor.batch(BATCH)).collect();
    let lane = batches.chunks(TOGETHER).map(<[_]>::to_vec).collect();
    drive(&network, vec![lane], UNDER_WAY).await?;
    sleep(SETTLE).await;
    let mut connection = Connection::open(network.ports()[0])?;
    let path = format!("/v1/streams/{}/aggregates?buckets={BUCKETS}", sensor.stream);
    let answer: Value = serde_json::from_slice(connection.get(&path)?)?;
    let items = answer["items"].as_array().map_or(&[][..], Vec::as_slice);
    let counted: u64 = items.iter().filter_map(|item| item["of"]["count"].as_u64()).sum();
    ensure!(counted == READINGS, "{counted} readings are in the buckets");
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let asked = Instant::now();
        connection.get(&path)?;
        took.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    network.stop()?;
    took.sort_by(f64::total_cmp);
    Ok(json!({
        "bench": "million_in_buckets",
        "readings": READINGS,
        "batch": BATCH,
        "buckets": items.len(),
        "p50_ms": round(quantile(&took, 0.5)),
        "max_ms": round(quantile(&took, 1.0)),
    }))
}
