//! Who may do what with whose things, and who did.

use althing_client::model::{
    AccessPolicy, Decision, EventRecord, Grant, GrantHex, IdText, Page, query,
};
use althing_peer::query::PAGE_ITEMS_MAX;
use axum::{Json, extract::State};

use crate::{
    convert::shown,
    extract::{Params, Parsed, key_cursor, limit},
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    service::{Service, Shared},
};

/// List the access policies of an owner
#[utoipa::path(
    get,
    path = "/v1/access/policies/{owner}",
    tag = "access",
    params(("owner" = IdText, Path, description = "The owner"), query::List),
    responses((status = 200, description = "Its policies", body = Page<AccessPolicy>))
)]
pub(super) async fn policies(
    State(service): State<Shared>,
    Parsed(owner): Parsed<IdText>,
    Params(list): Params<query::List>,
) -> Answer<Json<Page<AccessPolicy>>> {
    let owner = service.entity_id(&owner)?;
    let (after, limit) = (key_cursor(list.after.as_deref())?, limit(list.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.access_policies(&owner, after.as_deref(), limit)?;
        Ok(shown(&page, |record| service.access_policy(&owner, record)))
    };
    service.read(list).await
}

/// List the requests and grants of an entity
///
/// Those that it has a part in: as owner, as grantee, or because it is asked.
#[utoipa::path(
    get,
    path = "/v1/access/grants",
    tag = "access",
    params(query::Grants),
    responses((status = 200, description = "Requests and grants", body = Page<Grant>))
)]
pub(super) async fn grants(
    State(service): State<Shared>,
    Params(asked): Params<query::Grants>,
) -> Answer<Json<Page<Grant>>> {
    let entity = service.entity_id(&asked.entity)?;
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.grants(&entity, after.as_deref(), limit)?;
        let items = page.items.iter().map(|record| service.grant(record));
        let items = items.filter(|one| asked.status.as_ref().is_none_or(|s| *s == one.status));
        Ok(Json(Page { items: items.collect(), next: page.next.map(hex::encode) }))
    };
    service.read(list).await
}

/// Look a request or grant up
#[utoipa::path(
    get,
    path = "/v1/access/grants/{id}",
    tag = "access",
    params(("id" = GrantHex, Path, description = "The request or grant")),
    responses((status = 200, description = "The request or grant", body = Grant))
)]
pub(super) async fn grant(
    State(service): State<Shared>,
    Parsed(id): Parsed<GrantHex>,
) -> Answer<Json<Grant>> {
    service.read(move |service| Ok(Json(service.grant(&service.query.grant(&id)?)))).await
}

/// List what became of access to what an owner has
///
/// Policies, requests, grants and uses, the newest first. New ones come as events of types that begin
/// with `access_`, and as `grant_revoked`.
#[utoipa::path(
    get,
    path = "/v1/access/feed",
    tag = "access",
    params(query::Feed),
    responses((status = 200, description = "Events, the newest first", body = Page<EventRecord>))
)]
pub(super) async fn feed(
    State(service): State<Shared>,
    Params(asked): Params<query::Feed>,
) -> Answer<Json<Page<EventRecord>>> {
    let owner = service.entity_id(&asked.owner)?;
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.access_feed(&owner, after.as_deref(), limit)?;
        Ok(shown(&page, |at| service.event_record(at)))
    };
    service.read(list).await
}

/// Explain a decision
///
/// Whether an entity may do something, by which policy and why, without doing it.
#[utoipa::path(
    get,
    path = "/v1/access/explain",
    tag = "access",
    params(query::Explain),
    responses((status = 200, description = "The decision", body = Decision))
)]
pub(super) async fn explain(
    State(service): State<Shared>,
    Params(asked): Params<query::Explain>,
) -> Answer<Json<Decision>> {
    let wrong = |field| ApiError::from(Failure::InvalidQuery).about(field);
    let resource = asked.resource().map_err(wrong)?;
    let right = asked.right().ok_or_else(|| wrong("right"))?;
    let entity = asked.entity.as_ref().map(|id| service.entity_id(id)).transpose()?;
    let reader = Reader { entity, purpose: asked.purpose.unwrap_or_default() };
    let look = move |service: &Service| {
        let (height, decision) = service.decide(&reader, right, &resource)?;
        Ok(Json(service.decision(&resource, height, &decision)))
    };
    service.read(look).await
}
