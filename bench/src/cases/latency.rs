//! How long it takes until a transaction is final, seen from the peer that took it.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep_until};

use super::{quantile, round, round_fine};
use crate::{
    load::{record, senders},
    network::{Network, PATIENCE},
};

/// Transactions a second and how many in all: few, and so many that leaders gather them.
const FEW: (f64, usize) = (40.0, 1200);
const MANY: (f64, usize) = (400.0, 8000);
/// Those before are not counted: connections open, caches fill.
const WARM_UP: usize = 80;
const SENDERS: usize = 32;
/// What the arrivals are drawn from.
const SEED: u64 = 40;

/// Few transactions come.
pub(crate) async fn measure(program: &Path) -> Result<Value> {
    at(program, "latency", FEW).await
}

/// Many come.
pub(crate) async fn measure_many(program: &Path) -> Result<Value> {
    at(program, "latency_many", MANY).await
}

/// Transactions come at random (Poisson), to every peer in turn.
async fn at(program: &Path, name: &str, (rate, count): (f64, usize)) -> Result<Value> {
    let mut network = Network::ready(program).await?;
    let senders = Arc::new(senders(&network, SENDERS).await?);
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let mut due = tokio::time::Instant::now();
    let (cpu, started) = (network.cpu()?, Instant::now());
    let mut under_way = JoinSet::new();
    for index in 0..count {
        due += gap(&mut rng, rate);
        sleep_until(due).await;
        let client = network.clients[index % network.clients.len()].clone();
        let senders = Arc::clone(&senders);
        under_way.spawn(async move {
            let transaction = senders[index % SENDERS].sign(vec![record(index as u64)]);
            let posted = Instant::now();
            let outcome = client.finalize_transaction(&transaction, PATIENCE).await?;
            ensure!(outcome.receipt.refusal.is_none(), "a transaction was refused: {outcome:?}");
            Ok((index, posted.elapsed().as_secs_f64() * 1e3))
        });
    }
    let mut took = Vec::new();
    while let Some(done) = under_way.join_next().await {
        let (index, ms) = done??;
        if index >= WARM_UP {
            took.push(ms);
        }
    }
    let (cpu, elapsed) = (network.cpu()?.since(cpu), started.elapsed());
    network.stop()?;
    took.sort_by(f64::total_cmp);
    Ok(json!({
        "bench": name,
        "rate": rate,
        "count": took.len(),
        "p50_ms": round(quantile(&took, 0.5)),
        "p90_ms": round(quantile(&took, 0.9)),
        "p99_ms": round(quantile(&took, 0.99)),
        "max_ms": round(quantile(&took, 1.0)),
        "peers_cores": round_fine(cpu.peers.as_secs_f64() / elapsed.as_secs_f64()),
        "load_cores": round_fine(cpu.load.as_secs_f64() / elapsed.as_secs_f64()),
    }))
}

/// The time to the next arrival.
fn gap(rng: &mut ChaCha20Rng, rate: f64) -> Duration {
    // In (0, 1], so that the logarithm is finite.
    let uniform = (f64::from(rng.next_u32()) + 1.0) / (f64::from(u32::MAX) + 1.0);
    Duration::from_secs_f64(-uniform.ln() / rate)
}
