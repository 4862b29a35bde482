use althing_client::model::{
    Aggregates, Erasures, Gaps, Hex, Holders, Readings, Stream, StreamHex, StreamKeyShares,
    StreamRegulation, StreamRegulations,
    query::{self, Latest, List},
};
use althing_peer::query::{
    BucketLength, Buckets, PAGE_BUCKETS_MAX, PAGE_ITEMS_MAX, PAGE_READINGS_MAX, ReadingFilter,
};
use althing_proof::stream::StreamHead;
use axum::{Json, extract::State};

use crate::{
    convert,
    extract::{Params, Parsed, limit, numeric_cursor},
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    service::{Service, Shared},
};

/// Buckets of a page of aggregates unless the client says how many or how long.
const BUCKETS: usize = 300;
/// Batches whose holders are told unless the client says how many.
const HOLDERS: u32 = 10;

/// Look a stream up
#[utoipa::path(
    get,
    path = "/v1/streams/{id}",
    tag = "streams",
    params(("id" = StreamHex, Path, description = "The stream")),
    responses((status = 200, description = "The stream", body = Stream))
)]
pub(super) async fn stream(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<StreamHex>,
) -> Answer<Json<Stream>> {
    let look = move |service: &Service| {
        let state = service.query.stream(&id)?;
        let mut stream = service.stream(&state);
        // What the values amount to is for those who may read them; where the stream stands is not
        // secret, and gateways need it.
        if !service.may_see(&reader, &Service::property_of(&state.head))? {
            stream.total = None;
        }
        Ok(Json(stream))
    };
    service.read(look).await
}

/// List readings of a stream
///
/// Ascending by sequence number; late ones stand where they belong.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}/readings",
    tag = "streams",
    params(("id" = StreamHex, Path, description = "The stream"), query::Readings),
    responses((status = 200, description = "The readings", body = Readings))
)]
pub(super) async fn readings(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<StreamHex>,
    Params(asked): Params<query::Readings>,
) -> Answer<Json<Readings>> {
    let limit = limit(asked.limit, PAGE_READINGS_MAX)?;
    let after: Option<u64> = numeric_cursor(asked.after.as_deref())?;
    let first = after.map_or(0, |after| after.saturating_add(1));
    let ReadingFilter { seq, time_ms } = ReadingFilter::ALL;
    let filter = ReadingFilter {
        seq: (asked.first_seq.unwrap_or(seq.0).max(first), asked.last_seq.unwrap_or(seq.1)),
        time_ms: (
            asked.from.map_or(time_ms.0, |from| from.0),
            asked.until.map_or(time_ms.1, |until| until.0),
        ),
    };
    let list = move |service: &Service, head: &StreamHead| {
        let page = service.query.readings(&id, &filter, limit)?;
        let answer = Json(convert::readings(&id, &head.schema, &page));
        Ok((answer, page.unavailable))
    };
    service.read_gathered(reader, *id, list).await
}

/// Get the latest readings of a stream
///
/// By sequence number, the newest last.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}/latest",
    tag = "streams",
    params(("id" = StreamHex, Path, description = "The stream"), Latest),
    responses((status = 200, description = "The readings", body = Readings))
)]
pub(super) async fn latest(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<StreamHex>,
    Params(asked): Params<Latest>,
) -> Answer<Json<Readings>> {
    let limit = limit(asked.limit.or(Some(1)), PAGE_READINGS_MAX)?;
    let look = move |service: &Service, head: &StreamHead| {
        let page = service.query.latest_of(&id, head, limit)?;
        let answer = Json(convert::readings(&id, &head.schema, &page));
        Ok((answer, page.unavailable))
    };
    service.read_gathered(reader, *id, look).await
}

/// Get a stream in buckets
///
/// Count, minimum, maximum, sum and mean per bucket of claimed time: what a chart needs, however
/// long the time.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}/aggregates",
    tag = "streams",
    params(("id" = StreamHex, Path, description = "The stream"), query::Aggregates),
    responses((status = 200, description = "The buckets", body = Aggregates))
)]
pub(super) async fn aggregates(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<StreamHex>,
    Params(asked): Params<query::Aggregates>,
) -> Answer<Json<Aggregates>> {
    let buckets = Buckets {
        from_ms: asked.from.map(|from| from.0),
        until_ms: asked.until.map(|until| until.0),
        length: length(&asked)?,
    };
    let look = move |service: &Service, head: &StreamHead| {
        let page = service.query.aggregates(&id, &buckets)?;
        let answer = Json(convert::aggregates(&id, &head.schema, &page));
        Ok((answer, page.unavailable))
    };
    service.read_gathered(reader, *id, look).await
}

/// Get a key of a confidential stream
///
/// Wrapped to each of its readers: only they can unwrap it. No peer has it.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}/keys/{number}",
    tag = "streams",
    params(
        ("id" = StreamHex, Path, description = "The stream"),
        ("number" = u32, Path, description = "Number of the key")
    ),
    responses((status = 200, description = "The key's shares; none if there is no such key", body = StreamKeyShares))
)]
pub(super) async fn stream_key(
    State(service): State<Shared>,
    Parsed((id, number)): Parsed<(StreamHex, u32)>,
) -> Answer<Json<StreamKeyShares>> {
    let look = move |service: &Service| {
        service.query.stream_head(&id)?;
        let found = service.query.shares(&id, number)?;
        Ok(Json(service.shares(&id, number, found.as_ref())))
    };
    service.read(look).await
}

/// List what was erased of a stream
///
/// Oldest first, each with the peers that have confirmed it and those that have not.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}/erasures",
    tag = "streams",
    params(("id" = StreamHex, Path, description = "The stream")),
    responses((status = 200, description = "The erasures", body = Erasures))
)]
pub(super) async fn erasures(
    State(service): State<Shared>,
    Parsed(id): Parsed<StreamHex>,
) -> Answer<Json<Erasures>> {
    let look = move |service: &Service| {
        let mut items = Vec::new();
        for state in service.query.erasures(&id)? {
            let kept = service.query.kept_of_erased(&id, state.number)?;
            items.push(service.erasure(&state, &kept));
        }
        Ok(Json(Erasures { stream: Hex(*id), items }))
    };
    service.read(look).await
}

/// Say who holds the payloads of a stream
///
/// What its owner said, the peers that may hold some, and of the newest batches each one's holders.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}/holders",
    tag = "streams",
    params(("id" = StreamHex, Path, description = "The stream"), query::HoldersOf),
    responses((status = 200, description = "The peers", body = Holders))
)]
pub(super) async fn holders(
    State(service): State<Shared>,
    Parsed(id): Parsed<StreamHex>,
    Params(asked): Params<query::HoldersOf>,
) -> Answer<Json<Holders>> {
    let limit = limit(asked.limit.or(Some(HOLDERS)), PAGE_ITEMS_MAX)?;
    let look = move |service: &Service| {
        service.query.stream_head(&id)?;
        let said = service.query.placement(&id)?.map(|record| record.placement);
        let peers = service.query.may_hold(&id)?;
        let last_seq = asked.last_seq.unwrap_or(u64::MAX);
        let batches = service.query.holders(&id, last_seq, limit)?;
        Ok(Json(Holders {
            stream: Hex(*id),
            placement: service.placement(&said.unwrap_or_default()),
            peers: peers.iter().map(|peer| service.did(peer)).collect(),
            batches: batches.iter().map(|batch| service.batch_holders(batch)).collect(),
        }))
    };
    service.read(look).await
}

/// List the regulations about a stream
///
/// What the network demands of how its readings are kept, and whether they are. While one says no, the
/// stream takes no readings.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}/regulations",
    tag = "streams",
    params(("id" = StreamHex, Path, description = "The stream")),
    responses((status = 200, description = "The regulations", body = StreamRegulations))
)]
pub(super) async fn regulations(
    State(service): State<Shared>,
    Parsed(id): Parsed<StreamHex>,
) -> Answer<Json<StreamRegulations>> {
    let look = move |service: &Service| {
        service.query.stream_head(&id)?;
        let about = service.query.regulations_about(&id)?;
        let items = about.iter().map(|(regulation, complies)| StreamRegulation {
            regulation: service.regulation(regulation),
            complies: *complies,
        });
        Ok(Json(StreamRegulations { stream: Hex(*id), items: items.collect() }))
    };
    service.read(look).await
}

fn length(asked: &query::Aggregates) -> Answer<BucketLength> {
    let wrong = |field, reason: &str| {
        Err(ApiError::from(Failure::InvalidQuery).about(field).because(reason))
    };
    match (asked.bucket_ms, asked.buckets.map(|count| count as usize)) {
        (Some(_), Some(_)) => wrong("buckets", "not together with bucket_ms"),
        (Some(0), None) => wrong("bucket_ms", "at least 1 expected"),
        (Some(ms), None) => Ok(BucketLength::Ms(ms)),
        (None, Some(count)) if !(1..=PAGE_BUCKETS_MAX).contains(&count) => {
            wrong("buckets", &format!("1 to {PAGE_BUCKETS_MAX} expected"))
        }
        (None, count) => Ok(BucketLength::AtMost(count.unwrap_or(BUCKETS))),
    }
}

/// List the gaps of a stream
///
/// Sequence numbers that did not come, ascending: those that still may, and those given up.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}/gaps",
    tag = "streams",
    params(("id" = StreamHex, Path, description = "The stream"), List),
    responses((status = 200, description = "The gaps", body = Gaps))
)]
pub(super) async fn gaps(
    State(service): State<Shared>,
    Parsed(id): Parsed<StreamHex>,
    Params(list): Params<List>,
) -> Answer<Json<Gaps>> {
    let limit = limit(list.limit, PAGE_ITEMS_MAX)?;
    let from = numeric_cursor(list.after.as_deref())?.unwrap_or(0);
    let look = move |service: &Service| {
        let (gaps, next) = service.query.gaps(&id, from, limit)?;
        let items = gaps.iter().map(convert::gap).collect();
        Ok(Json(Gaps { stream: Hex(*id), items, next: next.map(|seq| seq.to_string()) }))
    };
    service.read(look).await
}
