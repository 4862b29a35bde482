//! A stream in buckets of claimed time, so that a chart of years needs no more than its width.

use std::collections::BTreeMap;

use althing_proof::{
    Interval,
    stream::{Stored, Summary},
};
use althing_types::{Reading, StreamId};

use super::{
    NODES_EXAMINED_MAX, PAGE_BUCKETS_MAX, PAYLOADS_OPENED_MAX, Query, QueryError, walk::LeafAt,
};

/// Which buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    /// Earliest claimed time, milliseconds since 1970; the stream's earliest if none.
    pub from_ms: Option<i64>,
    /// Latest claimed time, milliseconds since 1970; the stream's latest if none.
    pub until_ms: Option<i64>,
    /// How long a bucket is.
    pub length: BucketLength,
}

/// How long a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketLength {
    /// So many milliseconds, at least 1.
    Ms(u64),
    /// The shortest of [`ROUND_LENGTHS_MS`] that gives at most so many buckets.
    AtMost(usize),
}

/// Lengths that people read easily: 1 second to 4 weeks.
pub const ROUND_LENGTHS_MS: [u64; 20] = {
    const S: u64 = 1000;
    const M: u64 = 60 * S;
    const H: u64 = 60 * M;
    const D: u64 = 24 * H;
    [
        S,
        2 * S,
        5 * S,
        10 * S,
        15 * S,
        30 * S,
        M,
        2 * M,
        5 * M,
        10 * M,
        15 * M,
        30 * M,
        H,
        2 * H,
        3 * H,
        6 * H,
        12 * H,
        D,
        7 * D,
        28 * D,
    ]
};

/// The readings of one bucket in one line; `leaves` counts parts and means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Where it begins, milliseconds since 1970, a multiple of its length.
    pub from_ms: i64,
    /// What its readings come to.
    pub summary: Summary,
}

/// Buckets that have readings, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketPage {
    /// How long each is, milliseconds.
    pub length_ms: u64,
    /// The buckets.
    pub buckets: Vec<Bucket>,
    /// Positions of batches that span buckets, but whose payloads this peer does not hold; their
    /// readings are not counted.
    pub unavailable: Vec<u64>,
    /// Where to go on, milliseconds since 1970; none at the end.
    pub next_ms: Option<i64>,
}

impl Query {
    /// A stream in buckets of claimed time.
    ///
    /// # Errors
    /// [`QueryError::TooLarge`] if too much of the stream straddles buckets.
    pub fn aggregates(&self, id: &StreamId, asked: &Buckets) -> Result<BucketPage, QueryError> {
        let head = self.stream_head(id)?;
        let Some(total) = head.peaks.summary() else { return Ok(BucketPage::default()) };
        let from = asked.from_ms.unwrap_or(total.time_min).max(total.time_min);
        let until = asked.until_ms.unwrap_or(total.time_max).min(total.time_max);
        let length = asked.length.ms(from, until);
        let (until, next_ms) = page_end(from, until, length);
        if from > until {
            return Ok(BucketPage { length_ms: length, ..BucketPage::default() });
        }
        let interval = Interval::Time { first_ms: from, last_ms: until };
        let mut fill = Fill {
            query: self,
            stream: *id,
            interval,
            length,
            buckets: BTreeMap::new(),
            unavailable: Vec::new(),
            examined: 0,
            opened: 0,
        };
        for peak in head.peaks.positions() {
            fill.add(&peak)?;
        }
        let buckets = fill.buckets.into_iter();
        Ok(BucketPage {
            length_ms: length,
            buckets: buckets.map(|(from_ms, summary)| Bucket { from_ms, summary }).collect(),
            unavailable: fill.unavailable,
            next_ms,
        })
    }
}

impl BucketLength {
    fn ms(self, from: i64, until: i64) -> u64 {
        match self {
            Self::Ms(ms) => ms.max(1),
            Self::AtMost(count) => {
                let count = count.clamp(1, PAGE_BUCKETS_MAX) as u64;
                let span = until.abs_diff(from.min(until));
                // Buckets begin at multiples, so a span can touch one more than it is long.
                let fits = |length: &u64| span / length + 2 <= count.max(2);
                let longest = ROUND_LENGTHS_MS[ROUND_LENGTHS_MS.len() - 1];
                let round = ROUND_LENGTHS_MS.into_iter().find(fits);
                round.unwrap_or_else(|| {
                    longest * (span / longest / count.saturating_sub(1).max(1) + 2)
                })
            }
        }
    }
}

/// The last time of a page that begins at `from`, and where the next page begins.
fn page_end(from: i64, until: i64, length: u64) -> (i64, Option<i64>) {
    let end = i128::from(bucket_of(from, length)) + i128::from(length) * PAGE_BUCKETS_MAX as i128;
    match i64::try_from(end) {
        Ok(end) if end <= until => (end - 1, Some(end)),
        _ => (until, None),
    }
}

/// Where the bucket of a time begins.
fn bucket_of(ms: i64, length: u64) -> i64 {
    let begin = i128::from(ms).div_euclid(i128::from(length)) * i128::from(length);
    i64::try_from(begin).unwrap_or(i64::MIN)
}

/// Whether a time is in the bucket that begins at another.
const fn is_in(ms: i64, begin: i64, length: u64) -> bool {
    ms >= begin && ms.abs_diff(begin) < length
}

/// One reading as the summary of itself.
fn summary_of(seq: u64, reading: &Reading) -> Summary {
    let (time, measure) = (reading.claimed_ms, reading.value.measure());
    Summary {
        leaves: 1,
        count: 1,
        seq_min: seq,
        seq_max: seq,
        time_min: time,
        time_max: time,
        min: measure,
        max: measure,
        sum: measure.map_or(0, i128::from),
    }
}

struct Fill<'a> {
    query: &'a Query,
    stream: StreamId,
    interval: Interval,
    length: u64,
    buckets: BTreeMap<i64, Summary>,
    unavailable: Vec<u64>,
    examined: usize,
    opened: usize,
}

impl Fill<'_> {
    fn add(&mut self, Stored { level, index, node }: &Stored) -> Result<(), QueryError> {
        self.examined += 1;
        if self.examined > NODES_EXAMINED_MAX {
            return Err(QueryError::TooLarge);
        }
        let summary = &node.summary;
        if !self.interval.overlaps(summary) {
            return Ok(());
        }
        let bucket = bucket_of(summary.time_min, self.length);
        if self.interval.covers(summary) && bucket == bucket_of(summary.time_max, self.length) {
            return self.count(bucket, *summary);
        }
        if *level == 0 {
            let leaf = self.query.leaf(&self.stream, *index)?;
            return self.open(&leaf);
        }
        // At most as deep as a tree is high, 40 levels.
        for child in [index * 2, index * 2 + 1] {
            let child = self.query.node(&self.stream, level - 1, child)?;
            self.add(&child)?;
        }
        Ok(())
    }

    fn open(&mut self, LeafAt { index, leaf }: &LeafAt) -> Result<(), QueryError> {
        self.opened += 1;
        if self.opened > PAYLOADS_OPENED_MAX {
            return Err(QueryError::TooLarge);
        }
        let Some(payload) = self.query.payload(&leaf.payload_digest)? else {
            self.unavailable.push(*index);
            return Ok(());
        };
        // Readings that follow each other are nearly always of one bucket: it is looked up once.
        let mut run: Option<(i64, Summary)> = None;
        for (seq, reading) in leaf.numbered(&payload.readings) {
            if !self.interval.contains(seq, reading.claimed_ms) {
                continue;
            }
            let one = summary_of(seq, reading);
            match &mut run {
                Some((bucket, sum)) if is_in(reading.claimed_ms, *bucket, self.length) => {
                    *sum = sum.merge(&one).ok_or(QueryError::TooLarge)?;
                }
                _ => {
                    let next = (bucket_of(reading.claimed_ms, self.length), one);
                    if let Some((bucket, sum)) = run.replace(next) {
                        self.count(bucket, sum)?;
                    }
                }
            }
        }
        run.map_or(Ok(()), |(bucket, sum)| self.count(bucket, sum))
    }

    fn count(&mut self, bucket: i64, part: Summary) -> Result<(), QueryError> {
        let merged = match self.buckets.get(&bucket) {
            Some(before) => before.merge(&part).ok_or(QueryError::TooLarge)?,
            None => part,
        };
        self.buckets.insert(bucket, merged);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_begin_at_multiples_of_their_length() {
        for (ms, length, begin) in
            [(0, 10, 0), (9, 10, 0), (10, 10, 10), (-1, 10, -10), (-10, 10, -10), (7, 1, 7)]
        {
            assert_eq!(bucket_of(ms, length), begin, "{ms} by {length}");
        }
        assert_eq!(bucket_of(i64::MIN, 1000), i64::MIN);
    }

    #[test]
    fn a_time_is_in_the_bucket_that_it_belongs_to() {
        for ms in [i64::MIN, -11, -10, -1, 0, 9, 10, i64::MAX] {
            for length in [1, 10, 1000, u64::MAX] {
                let bucket = bucket_of(ms, length);
                // The first bucket of all begins before there are numbers for that.
                let cut = i128::from(ms).rem_euclid(i128::from(length));
                assert!(is_in(ms, bucket, length), "{ms} by {length}");
                assert_eq!(is_in(ms.saturating_sub(1), bucket, length), cut > 0 || ms == i64::MIN);
            }
        }
    }

    #[test]
    fn a_round_length_gives_at_most_so_many_buckets() {
        for (span, count) in [(0, 1), (999, 1), (86_400_000, 24), (86_400_000, 300), (i64::MAX, 9)]
        {
            let length = BucketLength::AtMost(count).ms(0, span);
            let touched = span as u64 / length + 1;
            assert!(touched <= count as u64, "{span} ms in {count}: {length}");
        }
        assert_eq!(BucketLength::AtMost(100).ms(0, 86_400_000), 900_000);
    }

    #[test]
    fn a_page_ends_where_the_next_begins() {
        let page = PAGE_BUCKETS_MAX as i64 * 10;
        assert_eq!(page_end(5, page - 1, 10), (page - 1, None));
        assert_eq!(page_end(5, page, 10), (page - 1, Some(page)));
        assert_eq!(page_end(5, i64::MAX, u64::MAX), (i64::MAX, None));
    }
}
