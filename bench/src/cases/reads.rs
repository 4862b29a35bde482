//! How many readings with their proofs a network gives out.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{quantile, readings::lanes, round, round_fine};
use crate::{
    http::Connection,
    load::drive,
    network::{Network, PEERS},
    things::{Sensor, sensors},
};

const SENSORS: usize = 16;
const BATCHES: usize = 1_600;
const UNDER_WAY: usize = 1_000;
const EVERY_MS: i64 = 1_000;
/// Connections to each peer, with one request under way at a time.
const CONNECTIONS: usize = 4;
const WATCH: Duration = Duration::from_secs(10);
/// The result of the last batch is stated in a certified block by then.
const SETTLE: Duration = Duration::from_secs(3);

/// Readings drawn at random, each answered with a bundle that proves it.
pub(crate) async fn measure(program: &Path) -> Result<Value> {
    let mut network = Network::ready(program).await?;
    let mut sensors = sensors(&network, SENSORS, EVERY_MS).await?;
    drive(&network, lanes(&mut sensors, BATCHES), UNDER_WAY).await?;
    sleep(SETTLE).await;
    let bundle = network.clients[0].prove_reading(&sensors[0].stream, 17).await?;
    check(&bundle, &network)?;
    let (cpu, started) = (network.cpu()?, Instant::now());
    let until = started + WATCH;
    let sensors = &sensors;
    let mut took: Vec<f64> = thread::scope(|scope| {
        let readers = network.ports().iter().flat_map(|port| {
            (0..CONNECTIONS as u64)
                .map(move |seed| scope.spawn(move || read(*port, seed, sensors, until)))
        });
        let readers: Vec<_> = readers.collect();
        let joined =
            readers.into_iter().map(|reader| reader.join().map_err(|_| anyhow!("panic"))?);
        Ok::<_, anyhow::Error>(joined.collect::<Result<Vec<_>>>()?.concat())
    })?;
    let (cpu, elapsed) = (network.cpu()?.since(cpu), started.elapsed());
    network.stop()?;
    took.sort_by(f64::total_cmp);
    let count = took.len() as f64;
    Ok(json!({
        "bench": "reads_with_proof",
        "count": took.len(),
        "connections": PEERS * CONNECTIONS,
        "bundle_bytes": bundle.len(),
        "per_s": round(count / elapsed.as_secs_f64()),
        "p50_ms": round_fine(quantile(&took, 0.5)),
        "p99_ms": round_fine(quantile(&took, 0.99)),
        "peers_cpu_ms": round_fine(cpu.peers.as_secs_f64() * 1e3 / count),
        "load_cpu_ms": round_fine(cpu.load.as_secs_f64() * 1e3 / count),
    }))
}

/// Reads until the time is up; gives what each read took, milliseconds.
fn read(port: u16, seed: u64, sensors: &[Sensor], until: Instant) -> Result<Vec<f64>> {
    let mut connection = Connection::open(port)?;
    let mut rng = ChaCha20Rng::seed_from_u64(seed ^ u64::from(port));
    let mut took = Vec::new();
    loop {
        let asked = Instant::now();
        if asked >= until {
            return Ok(took);
        }
        let sensor = &sensors[rng.next_u32() as usize % sensors.len()];
        let seq = rng.next_u64() % sensor.made();
        connection.get(&format!("/v1/proofs/readings/{}/{seq}", sensor.stream))?;
        took.push(asked.elapsed().as_secs_f64() * 1e3);
    }
}

/// What is counted must be worth counting: a bundle that holds.
pub(crate) fn check(bundle: &[u8], network: &Network) -> Result<()> {
    let verified = althing_proof::verify(bundle, &network.genesis);
    verified.map(drop).map_err(|failure| anyhow!("the bundle does not hold: {failure:?}"))
}
