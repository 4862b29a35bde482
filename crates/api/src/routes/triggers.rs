use althing_client::{
    model::{Page, PastEvents, Trigger, TriggerHex, TriggerTrial, query},
    submission::CBOR_MEDIA_TYPE,
};
use althing_peer::query::{PAGE_ITEMS_MAX, TriggerFilter};
use althing_types::{Right, Trigger as Wanted, Wire as _, limits::TRANSACTION_BYTES_MAX};
use axum::{
    Json,
    body::to_bytes,
    extract::{Request, State},
    http::header,
};

use crate::{
    convert::shown,
    extract::{Params, Parsed, key_cursor, limit},
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    service::{Service, Shared},
};

/// List triggers
#[utoipa::path(
    get,
    path = "/v1/triggers",
    tag = "triggers",
    params(query::Triggers),
    responses((status = 200, description = "Triggers by name", body = Page<Trigger>))
)]
pub(super) async fn triggers(
    State(service): State<Shared>,
    Params(asked): Params<query::Triggers>,
) -> Answer<Json<Page<Trigger>>> {
    let filter = TriggerFilter {
        name: asked.name,
        owner: asked.owner.as_ref().map(|id| service.entity_id(id)).transpose()?,
    };
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.triggers(&filter, after.as_deref(), limit)?;
        Ok(shown(&page, |state| service.trigger(state)))
    };
    service.read(list).await
}

/// Look a trigger up
#[utoipa::path(
    get,
    path = "/v1/triggers/{id}",
    tag = "triggers",
    params(("id" = TriggerHex, Path, description = "The trigger")),
    responses((status = 200, description = "The trigger", body = Trigger))
)]
pub(super) async fn trigger(
    State(service): State<Shared>,
    Parsed(id): Parsed<TriggerHex>,
) -> Answer<Json<Trigger>> {
    let look = move |service: &Service| Ok(Json(service.trigger(&service.query.trigger(&id)?)));
    service.read(look).await
}

/// List what a trigger did
///
/// Its runs with all that they brought about, and the transactions that changed it; newest first.
#[utoipa::path(
    get,
    path = "/v1/triggers/{id}/runs",
    tag = "triggers",
    params(("id" = TriggerHex, Path, description = "The trigger"), query::List),
    responses((status = 200, description = "Runs and changes", body = Page<PastEvents>))
)]
pub(super) async fn trigger_runs(
    State(service): State<Shared>,
    Parsed(id): Parsed<TriggerHex>,
    Params(asked): Params<query::List>,
) -> Answer<Json<Page<PastEvents>>> {
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.trigger_history(&id, after.as_deref(), limit)?;
        Ok(shown(&page, |past| service.past_events(past, |_| true)))
    };
    service.read(list).await
}

/// Try a trigger out
///
/// `application/cbor` is the trigger as it would be set. The answer says when it would have happened
/// by the readings that are recorded, and what it would do if it happened now; nothing changes.
#[utoipa::path(
    post,
    path = "/v1/triggers/trial",
    tag = "triggers",
    params(query::TriggerTrial),
    request_body(content((Vec<u8> = "application/cbor"))),
    responses((status = 200, description = "What would come of it", body = TriggerTrial))
)]
pub(super) async fn try_trigger(
    State(service): State<Shared>,
    reader: Reader,
    Params(asked): Params<query::TriggerTrial>,
    request: Request,
) -> Answer<Json<TriggerTrial>> {
    let owner =
        asked.owner.as_ref().ok_or_else(|| ApiError::from(Failure::InvalidQuery).about("owner"))?;
    let owner = service.entity_id(owner)?;
    let trigger = read(request).await?;
    let from_ms = asked.from.map_or(0, |time| u64::try_from(time.0).unwrap_or(0));
    let until_ms = asked.until.map_or(u64::MAX, |time| u64::try_from(time.0).unwrap_or(0));
    let attempt = move |service: &Service| {
        if let Some(stream) = trigger.cause.stream() {
            let head = service.query.stream_head(&stream)?;
            service.permit(&reader, Right::Read, &Service::property_of(&head))?;
        }
        let replay = service.query.replay(&trigger.cause, from_ms, until_ms)?;
        let (tried, height) = service.query.try_effect(owner, &trigger.effect)?;
        Ok(Json(service.trigger_trial(&trigger, &replay, &tried, height)))
    };
    service.run(attempt).await
}

async fn read(request: Request) -> Answer<Wanted> {
    let form = request.headers().get(header::CONTENT_TYPE);
    if form.is_none_or(|form| form.as_bytes() != CBOR_MEDIA_TYPE.as_bytes()) {
        return Err(Failure::UnsupportedMediaType.into());
    }
    let bytes = to_bytes(request.into_body(), TRANSACTION_BYTES_MAX).await;
    let bytes = bytes.map_err(|_| ApiError::from(Failure::BodyTooLarge))?;
    Wanted::from_wire(&bytes).map_err(|_| Failure::InvalidBody.into())
}
