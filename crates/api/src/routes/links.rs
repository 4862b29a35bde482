use althing_client::model::{AskedCall, LedgerHex, Link, LinkHex, Page, TakenCall, TxHex, query};
use althing_peer::query::PAGE_ITEMS_MAX;
use axum::{Json, extract::State};

use crate::{
    convert::shown,
    extract::{Params, Parsed, key_cursor, limit},
    problem::Answer,
    service::{Service, Shared},
};

/// List links to other ledgers
///
/// Of all organisations, or of one.
#[utoipa::path(
    get,
    path = "/v1/links",
    tag = "links",
    params(query::Links),
    responses((status = 200, description = "Links in a stable order", body = Page<Link>))
)]
pub(super) async fn links(
    State(service): State<Shared>,
    Params(asked): Params<query::Links>,
) -> Answer<Json<Page<Link>>> {
    let owner = asked.owner.as_ref().map(|id| service.entity_id(id)).transpose()?;
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.ledger_links(owner.as_ref(), after.as_deref(), limit)?;
        Ok(shown(&page, |record| service.link(record)))
    };
    service.read(list).await
}

/// Look a link up
///
/// How far the other ledger is known, since when, and why it is frozen if it is.
#[utoipa::path(
    get,
    path = "/v1/links/{id}",
    tag = "links",
    params(("id" = LinkHex, Path, description = "The link")),
    responses((status = 200, description = "The link", body = Link))
)]
pub(super) async fn link(
    State(service): State<Shared>,
    Parsed(id): Parsed<LinkHex>,
) -> Answer<Json<Link>> {
    service.read(move |service| Ok(Json(service.link(&service.query.ledger_link(&id)?)))).await
}

/// List calls that this ledger asks others
///
/// Oldest first.
#[utoipa::path(
    get,
    path = "/v1/calls/asked",
    tag = "links",
    params(query::Calls),
    responses((status = 200, description = "Calls", body = Page<AskedCall>))
)]
pub(super) async fn asked_calls(
    State(service): State<Shared>,
    Params(asked): Params<query::Calls>,
) -> Answer<Json<Page<AskedCall>>> {
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.calls(asked.open == Some(true), after.as_deref(), limit)?;
        Ok(shown(&page, |at| service.asked_call(at)))
    };
    service.read(list).await
}

/// Look a call up that this ledger asks
#[utoipa::path(
    get,
    path = "/v1/calls/asked/{id}",
    tag = "links",
    params(("id" = TxHex, Path, description = "The call: the transaction that asked")),
    responses((status = 200, description = "The call", body = AskedCall))
)]
pub(super) async fn asked_call(
    State(service): State<Shared>,
    Parsed(id): Parsed<TxHex>,
) -> Answer<Json<AskedCall>> {
    service.read(move |service| Ok(Json(service.asked_call(&service.query.call(&id)?)))).await
}

/// List calls that other ledgers ask this one
///
/// Oldest first.
#[utoipa::path(
    get,
    path = "/v1/calls/taken",
    tag = "links",
    params(query::Calls),
    responses((status = 200, description = "Calls", body = Page<TakenCall>))
)]
pub(super) async fn taken_calls(
    State(service): State<Shared>,
    Params(asked): Params<query::Calls>,
) -> Answer<Json<Page<TakenCall>>> {
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.taken_calls(asked.open == Some(true), after.as_deref(), limit)?;
        Ok(shown(&page, |at| service.taken_call(at)))
    };
    service.read(list).await
}

/// Look a call up that another ledger asks
#[utoipa::path(
    get,
    path = "/v1/calls/taken/{ledger}/{id}",
    tag = "links",
    params(
        ("ledger" = LedgerHex, Path, description = "The ledger that asks"),
        ("id" = TxHex, Path, description = "Its call")
    ),
    responses((status = 200, description = "The call", body = TakenCall))
)]
pub(super) async fn taken_call(
    State(service): State<Shared>,
    Parsed((ledger, id)): Parsed<(LedgerHex, TxHex)>,
) -> Answer<Json<TakenCall>> {
    let look = move |service: &Service| {
        Ok(Json(service.taken_call(&service.query.taken_call(&ledger, &id)?)))
    };
    service.read(look).await
}
