//! What a network costs that has nothing to do.

use std::{path::Path, time::Duration};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{round, round_fine};
use crate::network::Network;

/// What the start stirred up is over by then.
const SETTLE: Duration = Duration::from_secs(5);
const WATCH: Duration = Duration::from_secs(20);

/// Nobody asks the peers anything meanwhile.
pub(crate) async fn measure(program: &Path) -> Result<Value> {
    let mut network = Network::ready(program).await?;
    sleep(SETTLE).await;
    let (before, height) = (network.cpu()?, network.height().await?);
    sleep(WATCH).await;
    let used = network.cpu()?.since(before).peers;
    let memory = network.memory()?;
    let own = network.own_memory()?;
    let blocks = network.height().await? - height;
    network.stop()?;
    let megabytes = |bytes: u64| round(bytes as f64 / 1e6);
    let sum: u64 = memory.iter().sum();
    Ok(json!({
        "bench": "idle",
        "peers": memory.len(),
        "blocks": blocks,
        "cores": round_fine(used.as_secs_f64() / WATCH.as_secs_f64()),
        "rss_mb": megabytes(sum / memory.len() as u64),
        "rss_mb_max": megabytes(memory.into_iter().max().unwrap_or(0)),
        "pss_mb_max": megabytes(own.into_iter().max().unwrap_or(0)),
    }))
}
