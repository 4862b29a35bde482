//! Commands to things, and the vouchers by which devices join.

use althing_client::model::{Command, IdText, Page, TxHex, Voucher, query};
use althing_peer::query::PAGE_ITEMS_MAX;
use althing_types::VoucherId;
use axum::{Json, extract::State};

use crate::{
    extract::{Params, Parsed, key_cursor, limit},
    problem::Answer,
    service::{Service, Shared},
};

/// List the commands of a thing
///
/// Oldest first, with what became of each. One whose time has passed is expired, whether the ledger
/// has touched it since or not.
#[utoipa::path(
    get,
    path = "/v1/things/{id}/commands",
    tag = "commands",
    params(("id" = IdText, Path, description = "The thing"), query::Commands),
    responses((status = 200, description = "Its commands", body = Page<Command>))
)]
pub(super) async fn commands(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
    Params(asked): Params<query::Commands>,
) -> Answer<Json<Page<Command>>> {
    let id = service.thing_id(&id)?;
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        service.query.thing(&id)?;
        let (items, next) = if asked.open {
            (service.query.open_commands(&id)?, None)
        } else {
            let page = service.query.commands(&id, after.as_deref(), limit)?;
            (page.items, page.next)
        };
        let items = items.iter().map(|command| service.command(command)).collect();
        Ok(Json(Page { items, next: next.map(hex::encode) }))
    };
    service.read(list).await
}

/// Look a command up
#[utoipa::path(
    get,
    path = "/v1/commands/{id}",
    tag = "commands",
    params(("id" = TxHex, Path, description = "The transaction the command came in")),
    responses((status = 200, description = "The command", body = Command))
)]
pub(super) async fn command(
    State(service): State<Shared>,
    Parsed(id): Parsed<TxHex>,
) -> Answer<Json<Command>> {
    let look = move |service: &Service| {
        let found = service.query.command(&id.0)?;
        Ok(Json(service.command(&found)))
    };
    service.read(look).await
}

/// Look a voucher up
#[utoipa::path(
    get,
    path = "/v1/vouchers/{id}",
    tag = "things",
    params(("id" = TxHex, Path, description = "The voucher")),
    responses((status = 200, description = "The voucher", body = Voucher))
)]
pub(super) async fn voucher(
    State(service): State<Shared>,
    Parsed(id): Parsed<TxHex>,
) -> Answer<Json<Voucher>> {
    let id = VoucherId(id.0.0);
    let look = move |service: &Service| {
        let record = service.query.voucher(&id)?;
        Ok(Json(service.voucher(&id, &record)))
    };
    service.read(look).await
}
