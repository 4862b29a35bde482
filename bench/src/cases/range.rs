//! How long a month of readings takes, with the proof that none is missing.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{quantile, reads::check, round};
use crate::{http::Connection, load::drive, network::Network, things::sensors};

/// A reading every five minutes for thirty days, in batches of an hour.
const READINGS: u64 = 30 * 24 * 12;
const BATCH: u64 = 12;
const EVERY_MS: i64 = 300_000;
const ROUNDS: usize = 50;
/// One sender's nonce window bounds what is under way.
const UNDER_WAY: usize = 250;
const TOGETHER: usize = 50;
/// The result of the last batch is stated in a certified block by then.
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
    let path = format!("/v1/proofs/ranges/{}?first_seq=0&last_seq={}", sensor.stream, READINGS - 1);
    let bundle = connection.get(&path)?.to_vec();
    let asked = Instant::now();
    check(&bundle, &network)?;
    let verify_ms = asked.elapsed().as_secs_f64() * 1e3;
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let asked = Instant::now();
        connection.get(&path)?;
        took.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    network.stop()?;
    took.sort_by(f64::total_cmp);
    Ok(json!({
        "bench": "range_30_days",
        "readings": READINGS,
        "batch": BATCH,
        "bundle_bytes": bundle.len(),
        "p50_ms": round(quantile(&took, 0.5)),
        "max_ms": round(quantile(&took, 1.0)),
        "verify_ms": round(verify_ms),
    }))
}
