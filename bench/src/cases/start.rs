//! From the start of four processes to the first final block.

use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{quantile, round};
use crate::{
    load::record,
    network::{Network, PATIENCE, POLL},
};

const ROUNDS: usize = 5;

/// A transaction is posted as soon as a peer answers; it is in the first block.
pub(crate) async fn measure(program: &Path) -> Result<Value> {
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let mut network = Network::start(program)?;
        let transaction = network.organisation.sign(vec![record(0)]);
        let client = &network.clients[0];
        while client.finalize_transaction(&transaction, PATIENCE).await.is_err() {
            network.check_patience()?;
            sleep(POLL).await;
        }
        took.push(network.started.elapsed().as_secs_f64() * 1e3);
        network.stop()?;
    }
    took.sort_by(f64::total_cmp);
    Ok(json!({
        "bench": "start",
        "rounds": ROUNDS,
        "first_block_ms": round(quantile(&took, 0.5)),
        "first_block_ms_min": round(took[0]),
        "first_block_ms_max": round(took[ROUNDS - 1]),
    }))
}
