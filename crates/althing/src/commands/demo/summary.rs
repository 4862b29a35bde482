//! What came of a demo.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    cluster::Cluster,
    output::{fields, short, thousands},
    process::{Process, own_memory_bytes},
    report::failed,
};

/// What to do about what must never happen.
const REPORT: &str = "run it again with --dir DIR and report it with the logs in there";

/// One line of JSON for programs.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// From the start of the program to the first reading that is final, milliseconds.
    pub(super) first_reading_ms: u64,
    /// Height at which all peers stand.
    pub(super) height: u64,
    /// Readings on the ledger.
    pub(super) readings: u64,
    /// Peers that take part.
    pub(super) peers: usize,
    /// The root of the state that each peer holds at that height.
    pub(super) state_root: BTreeMap<String, String>,
    /// Whether all are equal.
    pub(super) state_roots_equal: bool,
    /// Whether the proof of the first reading holds.
    pub(super) proof_verified: bool,
    /// Its length.
    pub(super) proof_bytes: usize,
    /// From a sensor's publish to final.
    pub(super) latency_ms: Latency,
    /// Memory before the end.
    pub(super) rss_mb: Memory,
}

/// Milliseconds from publish to final; absent if nothing became final.
#[derive(Debug, Serialize)]
pub(super) struct Latency {
    /// Half of the readings took at most this.
    pub(super) p50: Option<u64>,
    /// Ninety-nine of a hundred took at most this.
    pub(super) p99: Option<u64>,
}

/// Resident memory, megabytes (10^6 bytes); 0 where the system does not tell.
#[derive(Debug, Serialize)]
pub(super) struct Memory {
    /// Of all processes.
    pub(super) sum: f64,
    /// Of each peer.
    pub(super) peers: BTreeMap<String, f64>,
    /// Of the gateway.
    pub(super) gateway: f64,
    /// Of the demo itself, sensors included.
    pub(super) demo: f64,
}

impl Memory {
    /// Measures now.
    pub(super) fn measure(cluster: &Cluster) -> Self {
        let of = |process: &Process| megabytes(process.memory_bytes());
        let peers: BTreeMap<String, f64> =
            cluster.peers.iter().map(|peer| (peer.name().to_owned(), of(peer))).collect();
        let gateway = cluster.gateway.as_ref().map_or(0.0, of);
        let demo = megabytes(own_memory_bytes());
        let sum = rounded(peers.values().sum::<f64>() + gateway + demo);
        Self { sum, peers, gateway, demo }
    }
}

fn megabytes(bytes: Option<u64>) -> f64 {
    rounded(bytes.unwrap_or(0) as f64 / 1e6)
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl Summary {
    /// An error if the demo did not show what it is there to show.
    pub(super) fn judge(&self) -> anyhow::Result<()> {
        if !self.proof_verified {
            return Err(failed("the proof of the first reading does not hold", REPORT));
        }
        if !self.state_roots_equal {
            return Err(failed("the peers do not hold the same state", REPORT));
        }
        Ok(())
    }

    /// For people.
    pub(super) fn to_text(&self) -> String {
        let roots: Vec<String> =
            self.state_root.iter().map(|(name, root)| format!("{name} {}", short(root))).collect();
        let equal = if self.state_roots_equal { "equal" } else { "NOT EQUAL" };
        let latency = match (self.latency_ms.p50, self.latency_ms.p99) {
            (Some(p50), Some(p99)) => format!("half within {p50} ms, 99 of 100 within {p99} ms"),
            _ => "-".to_owned(),
        };
        fields(&[
            ("first reading final", format!("{} ms after the start", self.first_reading_ms)),
            ("readings", thousands(self.readings)),
            ("from sensor to final", latency),
            ("height", self.height.to_string()),
            ("state roots", format!("{equal}: {}", roots.join(", "))),
            ("proof", if self.proof_verified { "holds" } else { "DOES NOT HOLD" }.to_owned()),
            ("memory", format!("{} MB in all processes", self.rss_mb.sum)),
        ])
    }
}
