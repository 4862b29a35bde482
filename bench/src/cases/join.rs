//! How soon a new follower answers with the latest reading and its proof, on a ledger of a million readings.

use std::{fs, path::Path, time::Instant};

use althing_client::{Client, Config};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{readings::lanes, round};
use crate::{
    load::drive,
    network::{Network, PATIENCE, POLL},
    things::sensors,
};

const SENSORS: usize = 64;
const BATCHES: usize = 10_048;
const BATCH: u64 = 100;
/// Batches between post and execution.
const UNDER_WAY: usize = 4_000;
const EVERY_MS: i64 = 1_000;

/// Both ways: with a state that is taken over, and by executing all blocks first.
pub(crate) async fn measure(program: &Path) -> Result<Value> {
    let mut network = Network::with_follower(program).await?;
    let mut sensors = sensors(&network, SENSORS, EVERY_MS).await?;
    let driven = drive(&network, lanes(&mut sensors, BATCHES), UNDER_WAY).await?;
    let height = network.height().await?;
    let mut took = Vec::new();
    for mode in ["snapshot", "blocks"] {
        let folder = network.follower_config(mode)?;
        let started = Instant::now();
        let (peer, port) = network.start_follower(program, &folder)?;
        let client = Client::new(Config::new(format!("http://127.0.0.1:{port}")))?;
        for sensor in &sensors {
            let seq = sensor.made() - 1;
            loop {
                let latest = client.latest(&sensor.stream, 1).await;
                let last =
                    latest.ok().and_then(|page| page.items.last().map(|reading| reading.seq));
                if last == Some(seq) && client.prove_reading(&sensor.stream, seq).await.is_ok() {
                    break;
                }
                ensure!(started.elapsed() < PATIENCE, "the follower does not answer ({mode})");
                sleep(POLL).await;
            }
        }
        took.push(started.elapsed().as_secs_f64());
        drop(peer);
        fs::remove_dir_all(folder.join("data"))?;
    }
    network.stop()?;
    Ok(json!({
        "bench": "join",
        "readings": driven.count * BATCH,
        "streams": SENSORS,
        "height": height,
        "snapshot_s": round(took[0]),
        "blocks_s": round(took[1]),
    }))
}
