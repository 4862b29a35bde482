//! What the demo counts: readings, and how long each took to be final.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use althing_types::StreamId;

use crate::replay::device::Published;

/// Latencies kept for the percentiles, the newest.
const LATENCIES_KEPT: usize = 100_000;

/// Counts what is published and what becomes final.
#[derive(Debug)]
pub(super) struct Tally {
    sensors: BTreeMap<StreamId, usize>,
    /// Per sensor: its first reading that is not final, and when each from there was published.
    under_way: Vec<(u64, VecDeque<Instant>)>,
    latencies: VecDeque<Duration>,
    /// Readings that are final.
    pub(super) readings: u64,
}

impl Tally {
    /// Nothing yet, of the streams of these sensors.
    pub(super) fn new(sensors: impl IntoIterator<Item = StreamId>) -> Self {
        let sensors: BTreeMap<StreamId, usize> =
            sensors.into_iter().enumerate().map(|(index, stream)| (stream, index)).collect();
        let under_way = vec![(0, VecDeque::new()); sensors.len()];
        Self { sensors, under_way, latencies: VecDeque::new(), readings: 0 }
    }

    /// A device published a reading, or the first one again.
    pub(super) fn published(&mut self, published: Published) {
        let (first, under_way) = &mut self.under_way[published.sensor];
        let Some(offset) = published.index.checked_sub(*first) else { return };
        match usize::try_from(offset) {
            Ok(offset) if offset < under_way.len() => under_way[offset] = published.at,
            _ => under_way.push_back(published.at),
        }
    }

    /// A batch became final; says how long its last reading took.
    pub(super) fn finalized(
        &mut self,
        stream: &StreamId,
        count: u32,
        now: Instant,
    ) -> Option<Duration> {
        let (first, under_way) = &mut self.under_way[*self.sensors.get(stream)?];
        self.readings += u64::from(count);
        let mut last = None;
        for _ in 0..count {
            let Some(at) = under_way.pop_front() else { break };
            *first += 1;
            let latency = now.saturating_duration_since(at);
            self.latencies.push_back(latency);
            last = Some(latency);
        }
        let surplus = self.latencies.len().saturating_sub(LATENCIES_KEPT);
        self.latencies.drain(..surplus);
        last
    }

    /// From publish to final: the median and the slowest of a hundred, milliseconds.
    pub(super) fn latency_ms(&self) -> Option<(u64, u64)> {
        let mut sorted: Vec<Duration> = self.latencies.iter().copied().collect();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        let at = |percent: usize| milliseconds(sorted[last * percent / 100]);
        Some((at(50), at(99)))
    }
}

/// Whole milliseconds.
pub(super) fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_run_from_publish_to_final() {
        let (stream, other) = (StreamId([1; 32]), StreamId([2; 32]));
        let mut tally = Tally::new([stream, other]);
        let start = Instant::now();
        let after = |ms: u64| start + Duration::from_millis(ms);
        let publish = |index: u64, ms: u64| Published { sensor: 0, index, at: after(ms) };
        // The first one is offered twice before the gateway takes it.
        for published in [publish(0, 0), publish(0, 10), publish(1, 20), publish(2, 30)] {
            tally.published(published);
        }
        let last = tally.finalized(&stream, 2, after(50));
        assert_eq!(last, Some(Duration::from_millis(30)));
        assert_eq!(tally.finalized(&stream, 1, after(60)), Some(Duration::from_millis(30)));
        assert_eq!(tally.finalized(&StreamId([9; 32]), 1, after(60)), None);
        assert_eq!((tally.readings, tally.latency_ms()), (3, Some((30, 30))));
    }
}
