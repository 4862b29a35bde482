//! What must hold once the faults have stopped.

use std::{sync::atomic::Ordering, time::Duration};

use althing_peer::{Peer, Query, query::Question};
use althing_sim_network::{Behaviour, Link};
use althing_types::{StreamId, Value};
use commonware_runtime::Clock as _;

use crate::{
    book::{Readings, Told},
    gateway,
    world::World,
};

/// How long a healed network may take to do what it must, in simulated time.
const HEALING: Duration = Duration::from_secs(120);
/// One reading in so many is proven.
const PROVEN_OF: usize = 16;

impl World {
    /// Ends all faults; then everybody must go on, agree, and show everything with proof. Returns the
    /// height that all reached, and how many readings were acknowledged and found.
    pub(crate) async fn heal_and_check(&self) -> Result<(u64, u64), String> {
        self.set_links(Link::GOOD).await;
        let cheats = self.parts.plan.cheat != Behaviour::Honest;
        let honest: Vec<usize> = (usize::from(cheats)..self.peers.count()).collect();
        self.progress(&honest).await?;
        self.drain().await?;
        let told = self.parts.book.readings();
        for peer in &honest {
            self.check_readings(*peer, &told).await?;
        }
        let height = self.heights(&honest).into_iter().flatten().min().unwrap_or(0);
        let safe = told.values().flat_map(|stream| stream.values());
        Ok((height, safe.filter(|told| **told == Told::Safe).count() as u64))
    }

    /// Blocks are agreed on, and gateways take readings.
    async fn progress(&self, honest: &[usize]) -> Result<(), String> {
        let started = || self.heights(honest).iter().all(Option::is_some);
        self.within("start of all peers", started).await?;
        let before = self.heights(honest).into_iter().flatten().max().unwrap_or(0);
        self.within(&format!("progress beyond height {before}"), || {
            self.heights(honest).iter().all(|height| height.is_some_and(|h| h > before + 3))
        })
        .await?;
        let safe = self.parts.book.safe();
        self.within("reading taken", || self.parts.book.safe() > safe).await
    }

    /// The sensors fall silent, and all that gateways took becomes final.
    async fn drain(&self) -> Result<(), String> {
        self.sites.iter().for_each(|site| site.sensors.fall_silent());
        // What was published just now is still on its way.
        self.context.sleep(Duration::from_secs(1)).await;
        let is_drained = || self.sites.iter().all(|site| site.drained.load(Ordering::Relaxed));
        self.within("end of what gateways hold", is_drained).await
    }

    fn heights(&self, peers: &[usize]) -> Vec<Option<u64>> {
        peers.iter().map(|peer| self.peers.at(*peer).map(|peer| peer.height())).collect()
    }

    async fn within(&self, what: &str, done: impl Fn() -> bool) -> Result<(), String> {
        let deadline = self.context.current() + HEALING;
        while !done() {
            if let Some(complaint) = self.parts.book.complaint() {
                return Err(complaint);
            }
            if self.context.current() > deadline {
                let standing: Vec<String> = self.peers.all().iter().map(standing).collect();
                let standing = standing.join("\n  ");
                return Err(format!(
                    "no {what} within {HEALING:?} after the faults stopped\n  {standing}"
                ));
            }
            self.context.sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Every reading that a sensor was told is safe is here, once, in order, with its value; nothing
    /// is here that was refused or never published.
    async fn check_readings(&self, peer: usize, told: &Readings) -> Result<(), String> {
        let running =
            self.peers.at(peer).ok_or_else(|| format!("peer {peer} is not up after healing"))?;
        let query = running.query();
        for (stream, told) in told {
            let safe = told.iter().filter(|(_, told)| **told == Told::Safe);
            let safe: Vec<i64> = safe.map(|(value, _)| *value).collect();
            if safe.is_empty() {
                continue;
            }
            let is_here = || {
                let found = values(&query, stream);
                found.is_some_and(|found| safe.iter().all(|value| found.contains(value)))
            };
            let what = format!("{} readings of {stream} at peer {peer}", safe.len());
            self.within(&what, is_here).await?;
            let found = values(&query, stream).unwrap_or_default();
            check_order(&found).map_err(|what| format!("peer {peer}, {stream}: {what}"))?;
            let wrong = |value: &&i64| !matches!(told.get(value), Some(Told::Safe | Told::Nothing));
            if let Some(value) = found.iter().find(wrong) {
                let told = told.get(value);
                return Err(format!("peer {peer} has {value} of {stream}, told: {told:?}"));
            }
            for seq in (0..found.len() as u64).step_by(PROVEN_OF) {
                self.prove(&query, *stream, seq)
                    .await
                    .map_err(|error| format!("peer {peer}, reading {seq} of {stream}: {error}"))?;
            }
        }
        Ok(())
    }

    async fn prove(&self, query: &Query, stream: StreamId, seq: u64) -> Result<(), String> {
        let prepared = query.prepare(Question::Reading { stream, seq }).await;
        let bundle = prepared.and_then(|prepared| prepared.bundle());
        let bundle = bundle.map_err(|error| format!("cannot be proven: {error}"))?;
        let verified = althing_proof::verify(&bundle, &self.parts.founding.genesis);
        verified.map(drop).map_err(|failure| format!("its proof fails: {failure}"))
    }
}

/// The values of a stream by sequence number, if the peer has them all.
fn values(query: &Query, stream: &StreamId) -> Option<Vec<i64>> {
    let readings = gateway::readings(query, stream, 0, u64::MAX)?;
    let numbered = readings.iter().zip(0..);
    // Nobody else submits for the stream, so no number is missing.
    let values = numbered.map(|(reading, seq)| match reading.value {
        Value::Number(value) if reading.seq == seq => Some(value),
        _ => None,
    });
    values.collect()
}

/// Sensors count up, so what is doubled or exchanged shows.
fn check_order(values: &[i64]) -> Result<(), String> {
    match values.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => Err(format!("{} follows on {}", pair[1], pair[0])),
        None => Ok(()),
    }
}

/// Where a peer stands, for whoever looks into a seed.
fn standing(peer: &Peer) -> String {
    match peer.ordering_status() {
        Some(status) => format!(
            "{} at height {}, view {}, {:?}, {} connected, voted here: {} notarize {} nullify",
            hex::encode(&peer.key()[..4]),
            peer.height(),
            status.view,
            status.phase,
            status.connected.len(),
            status.notarized.len(),
            status.nullified.len(),
        ),
        None => format!("{} has no ordering", hex::encode(&peer.key()[..4])),
    }
}
