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
    /// Readings that the gateway acknowledged to the sensors.
    pub(super) acknowledged: u64,
    /// Readings that wait in the gateway's queue, not known to be final: the peers that are left are
    /// too few to agree on them.
    pub(super) waiting: u64,
    /// Streams whose number of readings an owner lets nobody see.
    pub(super) streams_hidden: u64,
    /// Peers that take part.
    pub(super) peers: usize,
    /// Peers that somebody ended.
    pub(super) peers_ended: Vec<String>,
    /// Peers that ended by a fault of their own.
    pub(super) peers_failed: Vec<String>,
    /// The root of the state that each peer computed at that height.
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

/// Whether there are roots, and all are the same.
pub(super) fn all_equal(roots: &BTreeMap<String, String>) -> bool {
    let mut roots = roots.values();
    let first = roots.next();
    first.is_some() && roots.all(|root| Some(root) == first)
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
        if !self.peers_failed.is_empty() {
            let names = self.peers_failed.join(", ");
            return Err(failed(format!("{names} did not run to the end"), REPORT));
        }
        // There may be more: anybody may publish beside the sensors. What nobody may see cannot be counted.
        if self.readings + self.waiting < self.acknowledged && self.streams_hidden == 0 {
            let Self { acknowledged, readings, waiting, .. } = self;
            let problem = format!(
                "{acknowledged} readings were acknowledged, {readings} are on the ledger and {waiting} \
                 wait at the gateway"
            );
            return Err(failed(problem, REPORT));
        }
        Ok(())
    }

    /// How many readings there are, and where those are that are not on the ledger.
    fn told_readings(&self) -> String {
        let (kept, taken) = (thousands(self.readings), thousands(self.acknowledged));
        let mut text = format!("{kept}; the gateway acknowledged {taken}");
        if self.waiting > 0 {
            let waiting = thousands(self.waiting);
            text.push_str(&format!(
                "; {waiting} wait in its queue: the peers that are left are too few to agree on them"
            ));
        }
        if self.streams_hidden > 0 {
            let hidden = self.streams_hidden;
            text.push_str(&format!(
                "; not counted: {hidden} of the streams, which their owners let nobody see"
            ));
        }
        text
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
            ("readings", self.told_readings()),
            ("from sensor to final", latency),
            ("height", self.height.to_string()),
            ("state roots", format!("{equal}: {}", roots.join(", "))),
            ("proof", if self.proof_verified { "holds" } else { "DOES NOT HOLD" }.to_owned()),
            ("memory", format!("{} MB in all processes", self.rss_mb.sum)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(roots: &[&str]) -> BTreeMap<String, String> {
        let named = |(index, root): (usize, &&str)| (format!("peer-{index}"), (*root).to_owned());
        roots.iter().enumerate().map(named).collect()
    }

    fn summary() -> Summary {
        let state_root = roots(&["a", "a", "a", "a"]);
        let rss_mb = Memory { sum: 0.0, peers: BTreeMap::new(), gateway: 0.0, demo: 0.0 };
        Summary {
            first_reading_ms: 600,
            height: 9,
            readings: 100,
            acknowledged: 100,
            waiting: 0,
            streams_hidden: 0,
            peers: state_root.len(),
            peers_ended: Vec::new(),
            peers_failed: Vec::new(),
            state_roots_equal: all_equal(&state_root),
            state_root,
            proof_verified: true,
            proof_bytes: 5000,
            latency_ms: Latency { p50: None, p99: None },
            rss_mb,
        }
    }

    #[test]
    fn roots_are_equal_if_there_are_some_and_none_differs() {
        for (found, equal) in [
            (&[][..], false),
            (&["a"], true),
            (&["a", "a"], true),
            (&["a", "b"], false),
            (&["a", "a", "b"], false),
        ] {
            assert_eq!(all_equal(&roots(found)), equal, "{found:?}");
        }
    }

    #[test]
    fn a_demo_that_did_not_show_what_it_should_has_failed() {
        let peer = || vec!["peer-4".to_owned()];
        for (summary, problem) in [
            (summary(), None),
            (Summary { peers: 3, peers_ended: peer(), ..summary() }, None),
            (Summary { readings: 101, ..summary() }, None),
            (Summary { readings: 99, ..summary() }, Some("100 readings were acknowledged")),
            (Summary { readings: 60, waiting: 40, ..summary() }, None),
            (
                Summary { readings: 60, waiting: 39, ..summary() },
                Some("and 39 wait at the gateway"),
            ),
            (Summary { readings: 60, streams_hidden: 1, ..summary() }, None),
            (Summary { peers_failed: peer(), ..summary() }, Some("peer-4 did not run to the end")),
            (Summary { state_roots_equal: false, ..summary() }, Some("the same state")),
            (Summary { proof_verified: false, ..summary() }, Some("does not hold")),
        ] {
            let found = summary.judge().map_err(|error| error.to_string());
            match problem {
                None => assert_eq!(found, Ok(())),
                Some(problem) => assert!(found.unwrap_err().contains(problem), "{problem}"),
            }
        }
    }
    #[test]
    fn it_says_where_readings_are_that_are_not_on_the_ledger() {
        let all = summary().to_text();
        assert!(!all.contains("wait") && !all.contains("not counted"), "{all}");
        let some = Summary { readings: 60, waiting: 30, streams_hidden: 2, ..summary() }.to_text();
        assert!(
            some.contains("30 wait in its queue") && some.contains("2 of the streams"),
            "{some}"
        );
    }
}
