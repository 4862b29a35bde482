use std::collections::BTreeMap;

use althing_client::model::{
    Aggregate, Aggregates, Bucket, Erasure, Gap, Hex, KeptFor, KeyShare, PurgeReceipt, Reading,
    Readings, SealedBatch, Secrecy, Stream, StreamKeyShares, TaggedTotal, Time,
};
use althing_ledger::erasure::Confirmation;
use althing_peer::query::{
    BucketPage, ErasureState, GapState, ReadingAt, ReadingPage, SealedAt, Shares, StreamState,
};
use althing_proof::stream::Summary;
use althing_types::{self as types, StreamId, StreamSchema, Value, ValueKind};

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
        sealed: page.sealed.iter().map(sealed).collect(),
        unavailable: page.unavailable.clone(),
        past_retention: page.past_retention.clone(),
        next: page.next.map(|seq| seq.to_string()),
    }
}

fn sealed(SealedAt { index, leaf, key_number, payload }: &SealedAt) -> SealedBatch {
    SealedBatch {
        leaf: *index,
        first_seq: leaf.first_seq,
        count: leaf.count,
        earliest: Time(leaf.time_min),
        latest: Time(leaf.time_max),
        key_number: *key_number,
        payload: hex::encode(payload),
        ledger: leaf.ledger_time_ms.into(),
        height: leaf.height,
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

pub(crate) fn aggregate(summary: &Summary, schema: &StreamSchema) -> Aggregate {
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

/// What values of several streams of one kind and unit come to; none if a number overflows, or there are
/// none.
pub(crate) fn tagged_total(
    kind: String,
    unit: String,
    of: &[(&Summary, &StreamSchema)],
) -> Option<TaggedTotal> {
    let scale = of.iter().map(|(_, schema)| schema.scale).max()?;
    let (mut count, mut sum) = (0_u64, 0_i128);
    let (mut min, mut max) = (None, None);
    for (summary, schema) in of {
        let finer = 10_i128.pow(u32::from(scale - schema.scale));
        let at_scale = |mantissa: i64| i128::from(mantissa) * finer;
        count = count.checked_add(summary.count)?;
        sum = sum.checked_add(summary.sum.checked_mul(finer)?)?;
        let least = [min, summary.min.map(at_scale)];
        let most = [max, summary.max.map(at_scale)];
        (min, max) = (least.into_iter().flatten().min(), most.into_iter().flatten().max());
    }
    let number = |mantissa: i128| decimal::text(mantissa, scale);
    let is_numeric = min.is_some();
    Some(TaggedTotal {
        kind,
        unit,
        things: u32::try_from(of.len()).ok()?,
        count,
        earliest: Time(of.iter().map(|(summary, _)| summary.time_min).min()?),
        latest: Time(of.iter().map(|(summary, _)| summary.time_max).max()?),
        min: min.map(number),
        max: max.map(number),
        sum: is_numeric.then(|| number(sum)),
        mean: is_numeric.then(|| decimal::mean(sum, count, scale)).flatten(),
    })
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
    pub(crate) fn stream(&self, StreamState { id, head, secrecy }: &StreamState) -> Stream {
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
            secrecy: secrecy.map(|secrecy| Secrecy {
                cipher: secrecy.cipher.name().to_owned(),
                key_number: secrecy.number,
                since: secrecy.since_ms.into(),
            }),
        }
    }

    pub(crate) fn shares(
        &self,
        stream: &StreamId,
        number: u32,
        found: Option<&Shares>,
    ) -> StreamKeyShares {
        let share = |share: &types::KeyShare| KeyShare {
            reader: self.did(&share.reader),
            to: hex::encode(share.to.0),
            enc: hex::encode(share.enc),
            wrapped: hex::encode(share.wrapped),
        };
        StreamKeyShares {
            stream: Hex(*stream),
            number,
            cipher: found.map(|found| found.cipher.name().to_owned()),
            shares: found.iter().flat_map(|found| &found.shares).map(share).collect(),
        }
    }

    pub(crate) fn erasure(&self, state: &ErasureState, kept: &BTreeMap<StreamId, u64>) -> Erasure {
        let kept = kept
            .iter()
            .map(|(stream, payloads)| KeptFor { stream: Hex(*stream), payloads: *payloads });
        let receipt =
            |it: &Confirmation| PurgeReceipt { holder: self.did(&it.holder), height: it.height };
        Erasure {
            number: state.number,
            first_seq: state.erasure.first_seq,
            last_seq: state.erasure.last_seq,
            height: state.erasure.height,
            confirmed: state.confirmed.iter().map(receipt).collect(),
            awaited: state.awaited.iter().map(|peer| self.did(peer)).collect(),
            kept: kept.collect(),
        }
    }
}
