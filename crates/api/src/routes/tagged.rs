use std::{collections::BTreeMap, sync::Arc};

use althing_client::model::{Hex, TaggedReading, TaggedReadings, TaggedTotal, query};
use althing_peer::query::{BucketLength, Buckets, Lacking, ThingFilter, ThingState};
use althing_proof::stream::{StreamHead, Summary};
use althing_types::{Refusal, Resource, Right, StreamId, StreamSchema};
use axum::{Json, extract::State};

use crate::{
    convert,
    extract::{Params, Parsed, key_cursor, limit},
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    service::{Service, Shared},
};

/// Most things of one answer.
const THINGS_MAX: usize = 50;
/// Most payloads that are fetched from other peers for one answer.
const GATHERED_MAX: usize = 64;
/// Longer than any time that is asked for: all of it is one bucket, or two if it begins before 1970.
const BUCKET_MS: u64 = 1 << 50;

/// List a property of things with a tag
///
/// The newest value of each, and what its readings of the asked time come to; then of all things of the
/// page together. Values that the reader may not see are left out, and it is said why. Each use of a
/// grant counts, as if the streams were asked for one by one.
#[utoipa::path(
    get,
    path = "/v1/tags/{tag}/readings",
    tag = "streams",
    params(("tag" = String, Path, description = "The tag"), query::Tagged),
    responses((status = 200, description = "The things of this page", body = TaggedReadings))
)]
pub(super) async fn tagged(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(tag): Parsed<String>,
    Params(asked): Params<query::Tagged>,
) -> Answer<Json<TaggedReadings>> {
    if asked.property.is_empty() {
        return Err(ApiError::from(Failure::InvalidQuery)
            .about("property")
            .because("the name of a property expected"));
    }
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, THINGS_MAX)?);
    let filter = ThingFilter {
        owner: None,
        name: None,
        kind: None,
        tag: Some(tag),
        property: Some(asked.property.clone()),
        online: None,
        within: None,
        near: None,
    };
    let wanted = Arc::new(Wanted {
        reader,
        property: asked.property,
        from_ms: asked.from.map(|from| from.0),
        until_ms: asked.until.map(|until| until.0),
    });
    let first = Arc::clone(&wanted);
    let list = move |service: &Service| {
        let page = service.query.things(&filter, after.as_deref(), limit)?;
        let seen = page.items.iter().map(|thing| first.permitted(service, thing));
        let seen = seen.collect::<Answer<Vec<Seen>>>()?;
        let found = seen.iter().map(|seen| first.look(service, seen, true));
        let found = found.collect::<Answer<Vec<Found>>>()?;
        Ok((seen, found, page.next.map(hex::encode)))
    };
    let (seen, mut found, next) = service.read(list).await?;
    let is_lacking = found.iter().any(|found| !found.lacking.is_empty());
    let lacking: Vec<Lacking> =
        found.iter_mut().flat_map(|found| std::mem::take(&mut found.lacking)).collect();
    if is_lacking {
        service.gather(move |_| Ok(lacking.into_iter().take(GATHERED_MAX).collect())).await?;
        let again = move |service: &Service| {
            seen.iter().map(|seen| wanted.look(service, seen, false)).collect::<Answer<_>>()
        };
        found = service.read(again).await?;
    }
    let totals = totals(&found)?;
    let items = found.into_iter().map(|found| found.item).collect();
    Ok(Json(TaggedReadings { items, totals, next }))
}

/// What is asked for.
struct Wanted {
    reader: Reader,
    property: String,
    from_ms: Option<i64>,
    until_ms: Option<i64>,
}

/// A thing, and whether the reader may see the property.
struct Seen {
    thing: ThingState,
    refused: Option<Refusal>,
}

/// What an answer says of a thing, and what it is made of.
struct Found {
    item: TaggedReading,
    schema: StreamSchema,
    summary: Option<Summary>,
    /// What other peers keep of it.
    lacking: Vec<Lacking>,
}

impl Wanted {
    /// Asks whether the reader may see the property of a thing, and notes that it does.
    fn permitted(&self, service: &Service, thing: &ThingState) -> Answer<Seen> {
        let refused = service.permit_or_refuse(&self.reader, Right::Read, &self.resource(thing))?;
        Ok(Seen { thing: thing.clone(), refused })
    }

    fn resource(&self, thing: &ThingState) -> Resource {
        Resource::Property { thing: thing.id, name: self.property.clone() }
    }

    /// Reads what there is of a thing; a right that was lost since is lost.
    fn look(&self, service: &Service, seen: &Seen, is_first: bool) -> Answer<Found> {
        let (thing, mut refused) = (&seen.thing, seen.refused);
        if !is_first && refused.is_none() {
            refused = service.refusal(&self.reader, Right::Read, &self.resource(thing))?;
        }
        let stream = StreamId::derive(&thing.id, &self.property);
        let head = service.query.stream_head(&stream)?;
        let mut found = Found {
            item: TaggedReading {
                thing: service.thing_did(&thing.id),
                name: thing.record.name.clone(),
                stream: Hex(stream),
                kind: convert::kind_text(head.schema.kind).to_owned(),
                unit: head.schema.unit.clone(),
                refused: refused.map(|refusal| refusal.code().to_owned()),
                latest: None,
                total: None,
                incomplete: false,
            },
            schema: head.schema.clone(),
            summary: None,
            lacking: Vec::new(),
        };
        if refused.is_none() {
            self.read(service, &stream, &head, &mut found)?;
        }
        Ok(found)
    }

    fn read(
        &self,
        service: &Service,
        stream: &StreamId,
        head: &StreamHead,
        found: &mut Found,
    ) -> Answer<()> {
        let newest = service.query.latest_of(stream, head, 1)?;
        let mut unavailable = newest.unavailable;
        found.item.latest = newest.readings.last().map(|at| convert::reading(at, &head.schema));
        found.summary = if self.from_ms.is_none() && self.until_ms.is_none() {
            head.peaks.summary()
        } else {
            let length = BucketLength::Ms(BUCKET_MS);
            let buckets = Buckets { from_ms: self.from_ms, until_ms: self.until_ms, length };
            let page = service.query.aggregates(stream, &buckets)?;
            found.item.incomplete = !page.unavailable.is_empty();
            unavailable.extend(page.unavailable);
            let summaries = page.buckets.into_iter().map(|bucket| bucket.summary);
            summaries.reduce(|left, right| left.merge(&right).unwrap_or(left))
        };
        let total = found.summary.as_ref();
        found.item.total = total.map(|summary| convert::aggregate(summary, &head.schema));
        unavailable.truncate(GATHERED_MAX);
        if !unavailable.is_empty() {
            found.lacking = service.query.lacking(stream, &unavailable)?;
        }
        Ok(())
    }
}

/// What the values of several things come to, by kind and unit.
fn totals(found: &[Found]) -> Answer<Vec<TaggedTotal>> {
    let mut groups: BTreeMap<(String, String), Vec<(&Summary, &StreamSchema)>> = BTreeMap::new();
    for one in found {
        if let Some(summary) = &one.summary {
            let group = (one.item.kind.clone(), one.item.unit.clone());
            groups.entry(group).or_default().push((summary, &one.schema));
        }
    }
    let total = |((kind, unit), of): (_, Vec<_>)| convert::tagged_total(kind, unit, &of);
    let totals: Option<Vec<TaggedTotal>> = groups.into_iter().map(total).collect();
    totals.ok_or_else(|| Failure::RangeTooLarge.into())
}
