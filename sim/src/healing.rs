//! What must hold once the faults have stopped.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
    time::Duration,
};

use althing_peer::{Offence, Peer, Query, query::Question};
use althing_sim_network::{Behaviour, Link};
use althing_types::{StreamId, Value};
use commonware_runtime::Clock as _;

use crate::{
    book::{Readings, Told},
    gateway,
    owner::COPIES,
    world::World,
};

/// How long a healed network may take to do what it must, in simulated time.
const HEALING: Duration = Duration::from_secs(120);
/// One reading in so many is proven.
const PROVEN_OF: usize = 16;

/// What was there at the end.
pub(crate) struct Found {
    /// Height that all peers reached.
    pub(crate) height: u64,
    /// Readings that were acknowledged.
    pub(crate) readings: u64,
    /// Numbers that are missing, all of them in gaps.
    pub(crate) missing: u64,
    /// Readings that were not taken, as their sensors know.
    pub(crate) refused: u64,
    /// How many honest peers name the one that stated made-up results.
    pub(crate) accusers: u64,
}

impl World {
    /// Ends all faults; then everybody must go on, agree, and show everything with proof.
    pub(crate) async fn heal_and_check(&self) -> Result<Found, String> {
        self.recover().await?;
        let honest = self.honest();
        let cheats = self.parts.plan.cheat != Behaviour::Honest;
        self.drain().await?;
        let told = self.parts.book.readings();
        let mut missing = 0;
        for peer in &honest {
            missing = self.check_readings(*peer, &told).await?;
        }
        let accusers = self.check_offences(&honest)?;
        // Who cheats may never say that it holds anything, and others then keep it, too.
        if self.parts.plan.placed && !cheats {
            for stream in told.keys() {
                self.check_copies(stream).await?;
            }
        }
        let height = self.heights(&honest).into_iter().flatten().min().unwrap_or(0);
        let count = |what: Told| {
            let told = told.values().flat_map(|stream| stream.values());
            told.filter(|told| **told == what).count() as u64
        };
        let (readings, refused) = (count(Told::Safe), count(Told::Refused));
        Ok(Found { height, readings, missing, refused, accusers })
    }

    /// Ends all faults, and sees everybody go on.
    pub(crate) async fn recover(&self) -> Result<(), String> {
        self.set_links(Link::GOOD).await;
        self.progress(&self.honest()).await
    }

    fn honest(&self) -> Vec<usize> {
        let cheats = self.parts.plan.cheat != Behaviour::Honest;
        (usize::from(cheats)..self.peers.count()).collect()
    }

    /// Nobody is named who kept to the rules. How many name the cheat for a result it made up.
    fn check_offences(&self, honest: &[usize]) -> Result<u64, String> {
        let founding = &self.parts.founding;
        let mut accusers = 0;
        for at in honest {
            let Some(peer) = self.peers.at(*at) else { continue };
            for other in honest {
                let named = peer.offences(&founding.peer_key(*other));
                if !named.is_empty() {
                    return Err(format!(
                        "peer {at} says of peer {other}, which is honest: {named:?}"
                    ));
                }
            }
            let of_cheat = peer.offences(&founding.peer_key(0));
            let lied = of_cheat.iter().any(|(offence, _)| *offence == Offence::WrongResult);
            accusers += u64::from(lied);
        }
        Ok(accusers)
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
        // What members decided on by now must come to hold.
        let from = self.parts.decided.seats_from.load(Ordering::Relaxed);
        self.within(&format!("validators of height {from}"), || {
            self.heights(honest).iter().all(|height| height.is_some_and(|h| h > from))
        })
        .await?;
        if self.sites.is_empty() {
            return Ok(());
        }
        let safe = self.parts.book.safe();
        self.within("reading taken", || self.parts.book.safe() > safe).await
    }

    /// The sensors fall silent, and all that gateways took becomes final.
    async fn drain(&self) -> Result<(), String> {
        self.sites.iter().for_each(|site| site.sensors.fall_silent());
        // What was published just now is still on its way.
        self.context.sleep(self.parts.plan.tempo.stretch(Duration::from_secs(1), 600)).await;
        let is_drained = || self.sites.iter().all(|site| site.drained.load(Ordering::Relaxed));
        self.within("end of what gateways hold", is_drained).await
    }

    fn heights(&self, peers: &[usize]) -> Vec<Option<u64>> {
        peers.iter().map(|peer| self.peers.at(*peer).map(|peer| peer.height())).collect()
    }

    pub(crate) async fn within(&self, what: &str, done: impl Fn() -> bool) -> Result<(), String> {
        let tempo = self.parts.plan.tempo;
        let healing = tempo.stretch(HEALING, 360);
        let deadline = self.context.current() + healing;
        while !done() {
            if let Some(complaint) = self.parts.book.complaint() {
                return Err(complaint);
            }
            if self.context.current() > deadline {
                let standing: Vec<String> = self.peers.all().iter().map(standing).collect();
                let standing = standing.join("\n  ");
                return Err(format!(
                    "no {what} within {healing:?} after the faults stopped\n  {standing}"
                ));
            }
            self.context.sleep(tempo.stretch(Duration::from_millis(50), 200)).await;
        }
        Ok(())
    }

    /// Every reading that a sensor was told is safe is here, once, in order, with its value, or in a
    /// gap if its owner wants that; nothing is here that was refused or never published. Returns how
    /// many numbers are missing.
    async fn check_readings(&self, peer: usize, told: &Readings) -> Result<u64, String> {
        let running =
            self.peers.at(peer).ok_or_else(|| format!("peer {peer} is not up after healing"))?;
        let query = running.query();
        let mut missing = 0;
        for (stream, told) in told {
            let safe = told.iter().filter(|(_, told)| **told == Told::Safe);
            let safe: BTreeSet<i64> = safe.map(|(value, _)| *value).collect();
            if safe.is_empty() {
                continue;
            }
            let is_here = || {
                let (found, gaps) = (values(&query, stream), gaps(&query, stream));
                let (Some(found), Some(gaps)) = (found, gaps) else { return false };
                let found: BTreeSet<i64> = found.into_values().collect();
                safe.difference(&found).count() <= gaps.len()
            };
            let what = format!("{} readings of {stream} at peer {peer}", safe.len());
            let deadline = self.context.current() + self.parts.plan.tempo.stretch(HEALING, 360);
            while self.parts.plan.placed && !is_here() && self.context.current() < deadline {
                gateway::gather(&self.context, &query, stream, 0, u64::MAX).await;
                self.context.sleep(Duration::from_millis(200)).await;
            }
            self.within(&what, is_here).await?;
            let found = values(&query, stream).unwrap_or_default();
            let of = |what: String| format!("peer {peer}, {stream}: {what}");
            check_order(&found).map_err(of)?;
            let gaps = gaps(&query, stream).unwrap_or_default();
            missing += gaps.len() as u64;
            self.check_gaps(stream, &found, &gaps).map_err(of)?;
            let wrong = |value: &&i64| !matches!(told.get(value), Some(Told::Safe | Told::Nothing));
            if let Some(value) = found.values().find(wrong) {
                let told = told.get(value);
                return Err(of(format!("{value} is here, told: {told:?}")));
            }
            for seq in found.keys().step_by(PROVEN_OF) {
                self.prove(&query, *stream, *seq)
                    .await
                    .map_err(|error| of(format!("reading {seq}: {error}")))?;
            }
        }
        Ok(missing)
    }

    /// Each number is that of a reading or in a gap, and a gap is only where a gateway gave something
    /// up: nothing is hidden, and nothing claimed to be missing that came.
    fn check_gaps(
        &self,
        stream: &StreamId,
        found: &BTreeMap<u64, i64>,
        gaps: &BTreeSet<u64>,
    ) -> Result<(), String> {
        let end = found.last_key_value().map_or(0, |(last, _)| last + 1);
        if let Some(seq) = (0..end).find(|seq| found.contains_key(seq) == gaps.contains(seq)) {
            return Err(format!("number {seq} is not either a reading or in a gap"));
        }
        match gaps.iter().find(|seq| !self.parts.book.was_given_up(stream, **seq)) {
            Some(seq) => Err(format!("number {seq} is missing and was not given up")),
            None => Ok(()),
        }
    }

    /// In the end each payload is with those who are to keep it, and with nobody else.
    async fn check_copies(&self, stream: &StreamId) -> Result<(), String> {
        let copies = |peer: &Peer| {
            let mut copies = Vec::new();
            let mut last_seq = u64::MAX;
            loop {
                let batches = peer.query().holders(stream, last_seq, 1_000).ok()?;
                let first = batches.last().map(|batch| batch.first_seq);
                copies.extend(batches.into_iter().map(|batch| (batch.first_seq, batch.here)));
                match first.and_then(|first| first.checked_sub(1)) {
                    Some(next) => last_seq = next,
                    None => return Some(copies),
                }
            }
        };
        let is_placed = || {
            let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
            for peer in self.peers.all() {
                let Some(copies) = copies(&peer) else { return false };
                copies.into_iter().for_each(|(seq, here)| {
                    *counts.entry(seq).or_default() += u32::from(here);
                });
            }
            // Fewer than that cannot keep as many.
            let copies = COPIES.min(self.parts.plan.validators as u32);
            counts.values().all(|count| *count == copies)
        };
        self.within(&format!("two copies of each payload of {stream}"), is_placed).await
    }

    async fn prove(&self, query: &Query, stream: StreamId, seq: u64) -> Result<(), String> {
        let ask = async || {
            let prepared = query.prepare(Question::Reading { stream, seq }).await;
            prepared.and_then(|prepared| prepared.bundle())
        };
        let mut bundle = ask().await;
        if self.parts.plan.placed && bundle.is_err() {
            // What was here a moment ago may have been handed over to those who are to keep it: then it is
            // fetched, as for whoever asks a peer.
            gateway::gather(&self.context, query, &stream, seq, seq).await;
            bundle = ask().await;
        }
        let bundle = bundle.map_err(|error| format!("cannot be proven: {error}"))?;
        let verified = althing_proof::verify(&bundle, &self.parts.founding.genesis);
        verified.map(drop).map_err(|failure| format!("its proof fails: {failure}"))
    }
}

/// The values of a stream by sequence number, if the peer has them all.
fn values(query: &Query, stream: &StreamId) -> Option<BTreeMap<u64, i64>> {
    let readings = gateway::readings(query, stream, 0, u64::MAX)?;
    let values = readings.iter().map(|reading| match reading.value {
        Value::Number(value) => Some((reading.seq, value)),
        _ => None,
    });
    values.collect()
}

/// The numbers of a stream that are missing, as a peer tells them.
fn gaps(query: &Query, stream: &StreamId) -> Option<BTreeSet<u64>> {
    let (mut numbers, mut from) = (BTreeSet::new(), 0);
    loop {
        let (gaps, next) = query.gaps(stream, from, usize::MAX).ok()?;
        for gap in gaps {
            numbers.extend(gap.first_seq..gap.first_seq.saturating_add(gap.count));
        }
        let Some(next) = next else { return Some(numbers) };
        from = next;
    }
}

/// Sensors count up, so what is doubled or exchanged shows.
fn check_order(values: &BTreeMap<u64, i64>) -> Result<(), String> {
    let neighbours = values.values().zip(values.values().skip(1));
    match neighbours.into_iter().find(|(one, next)| one >= next) {
        Some((one, next)) => Err(format!("{next} follows on {one}")),
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
