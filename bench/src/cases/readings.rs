//! How many readings a network takes, in batches of a hundred.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{round, round_fine};
use crate::{
    load::{Lane, drive},
    network::{Network, PEERS},
    things::{Sensor, sensors},
};

const SENSORS: usize = 64;
const BATCHES: usize = 30_000;
const WARM_UP: usize = 2_000;
const BATCH: u64 = 100;
/// Batches in one request.
const TOGETHER: usize = 64;
/// Batches between post and execution.
const UNDER_WAY: usize = 4_000;
const EVERY_MS: i64 = 1_000;

/// Signed in advance; at the end, every peer must answer with the last reading of every stream.
pub(crate) async fn measure(program: &Path) -> Result<Value> {
    let mut network = Network::ready(program).await?;
    let mut sensors = sensors(&network, SENSORS, EVERY_MS).await?;
    drive(&network, lanes(&mut sensors, WARM_UP), UNDER_WAY).await?;
    let lanes = lanes(&mut sensors, BATCHES);
    let wire = lanes[0][0][0].clone();
    let driven = drive(&network, lanes, UNDER_WAY).await?;
    for client in &network.clients {
        for sensor in &sensors {
            let latest = client.latest(&sensor.stream, 1).await?;
            let last = latest.items.last().map(|reading| reading.seq + 1);
            let made = sensor.made();
            ensure!(last == Some(made), "{} has readings to {last:?} of {made}", client.url());
        }
    }
    network.stop()?;
    let readings = driven.count * BATCH;
    Ok(json!({
        "bench": "readings",
        "count": readings,
        "batch": BATCH,
        "transaction_bytes": wire.transaction.len(),
        "payload_bytes": wire.payloads[0].len(),
        "blocks": driven.blocks,
        "per_s": round(driven.rate() * BATCH as f64),
        "peers_cpu_us": round_fine(driven.peers_ms() * 1e3 / BATCH as f64),
        "load_cpu_us": round_fine(driven.load_ms() * 1e3 / BATCH as f64),
    }))
}

/// Each stream keeps to one peer, so that its batches come in order.
pub(crate) fn lanes(sensors: &mut [Sensor], count: usize) -> Vec<Lane> {
    let mut lanes = vec![Lane::new(); PEERS];
    let each = count / sensors.len();
    for (peer, lane) in lanes.iter_mut().enumerate() {
        let mut own: Vec<&mut Sensor> = sensors.iter_mut().skip(peer).step_by(PEERS).collect();
        let batches =
            (0..each).flat_map(|_| own.iter_mut().map(|it| it.batch(BATCH)).collect::<Vec<_>>());
        let batches: Vec<_> = batches.collect();
        lane.extend(batches.chunks(TOGETHER).map(<[_]>::to_vec));
    }
    lanes
}
