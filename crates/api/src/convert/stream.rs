use althing_client::model::{
    Aggregate, Aggregates, Bucket, Gap, Hex, Reading, Readings, Stream, Time,
};
use althing_peer::query::{BucketPage, GapState, ReadingAt, ReadingPage, StreamState};
use althing_proof::stream::Summary;
use althing_types::{StreamId, StreamSchema, Value, ValueKind};

use super::decimal;
use crate::service::Service;

pub(crate) const fn kind_text(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Number => "number",
        ValueKind::Bool => "boolean",
        ValueKind::Text => "text",
        ValueKind::Bytes => "bytes",
    }
}

/// A value in text: an exact decimal, `true` or `false`, the text itself, or bytes in hex.
pub(crate) fn value_text(value: &Value, scale: u8) -> String {
    match value {
        Value::Number(mantissa) => decimal::text((*mantissa).into(), scale),
        Value::Bool(value) => value.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => hex::encode(bytes),
    }
}

pub(crate) fn reading(at: &ReadingAt, schema: &StreamSchema) -> Reading {
    Reading {
        seq: at.seq,
        value: value_text(&at.value, schema.scale),
        claimed: Time(at.claimed_ms),
        received: Time(at.received_ms),
        ledger: at.ledger_ms.into(),
        height: at.height,
        leaf: at.leaf,
    }
}

pub(crate) fn readings(stream: &StreamId, schema: &StreamSchema, page: &ReadingPage) -> Readings {
    Readings {
        stream: Hex(*stream),
        kind: kind_text(schema.kind).to_owned(),
        unit: schema.unit.clone(),
        items: page.readings.iter().map(|at| reading(at, schema)).collect(),
        unavailable: page.unavailable.clone(),
        next: page.next.map(|seq| seq.to_string()),
    }
}

pub(crate) fn aggregates(
    stream: &StreamId,
    schema: &StreamSchema,
    page: &BucketPage,
) -> Aggregates {
    let buckets = page.buckets.iter().map(|bucket| Bucket {
        from: Time(bucket.from_ms),
        of: aggregate(&bucket.summary, schema),
    });
    Aggregates {
        stream: Hex(*stream),
        unit: schema.unit.clone(),
        bucket_ms: page.length_ms,
        items: buckets.collect(),
        unavailable: page.unavailable.clone(),
        next: page.next_ms.map(Time),
    }
}

fn aggregate(summary: &Summary, schema: &StreamSchema) -> Aggregate {
    let number = |mantissa: i64| decimal::text(mantissa.into(), schema.scale);
    let is_numeric = summary.min.is_some();
    let mean = || decimal::mean(summary.sum, summary.count, schema.scale);
    Aggregate {
        first_seq: summary.seq_min,
        last_seq: summary.seq_max,
        earliest: Time(summary.time_min),
        latest: Time(summary.time_max),
        count: summary.count,
        min: summary.min.map(number),
        max: summary.max.map(number),
        sum: is_numeric.then(|| decimal::text(summary.sum, schema.scale)),
        mean: is_numeric.then(mean).flatten(),
    }
}

pub(crate) fn gap(gap: &GapState) -> Gap {
    Gap {
        first_seq: gap.first_seq,
        last_seq: gap.first_seq.saturating_add(gap.count - 1),
        count: gap.count,
        open: gap.open,
    }
}

impl Service {
    pub(crate) fn stream(&self, StreamState { id, head }: &StreamState) -> Stream {
        let schema = &head.schema;
        let number = |mantissa: i64| decimal::text(mantissa.into(), schema.scale);
        Stream {
            id: Hex(*id),
            thing: self.thing_of(head),
            property: head.property.clone(),
            kind: kind_text(schema.kind).to_owned(),
            unit: schema.unit.clone(),
            scale: schema.scale,
            quantum: number(schema.quantum),
            minimum: schema.minimum.map(number),
            maximum: schema.maximum.map(number),
            next_seq: head.next_seq,
            batches: head.peaks.leaves(),
            total: head.peaks.summary().map(|summary| aggregate(&summary, schema)),
            gaps_open: head.gaps.len() as u64,
            sealed: head.sealed,
        }
    }
}
