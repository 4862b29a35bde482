use althing_client::model::{
    Escrow, Holding, IdText, Movement, Page, Reward, Sponsorship, Stake, StreamHex, Supply, TxHex,
    query::List,
};
use althing_peer::query::PAGE_ITEMS_MAX;
use axum::{Json, extract::State};

use crate::{
    convert::{self, shown},
    extract::{Params, Parsed, key_cursor, limit},
    problem::Answer,
    service::{Service, Shared},
};

/// Ask how many tokens there are
///
/// How the token of the ledger is called, where all of it is, and what transactions cost. Without
/// `token` the ledger has none.
#[utoipa::path(
    get,
    path = "/v1/supply",
    tag = "tokens",
    responses((status = 200, description = "All tokens", body = Supply))
)]
pub(super) async fn supply(State(service): State<Shared>) -> Answer<Json<Supply>> {
    service.read(|service| Ok(Json(convert::supply(&service.query.supply()?)))).await
}

/// List the accounts that have tokens
#[utoipa::path(
    get,
    path = "/v1/accounts",
    tag = "tokens",
    params(List),
    responses((status = 200, description = "Accounts in a stable order", body = Page<Holding>))
)]
pub(super) async fn holdings(
    State(service): State<Shared>,
    Params(list): Params<List>,
) -> Answer<Json<Page<Holding>>> {
    let (after, limit) = (key_cursor(list.after.as_deref())?, limit(list.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.holdings(after.as_deref(), limit)?;
        Ok(shown(&page, |state| service.holding(state)))
    };
    service.read(list).await
}

/// Ask what an account has
///
/// Of an entity or a contract; nothing if nobody has put anything there.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/tokens",
    tag = "tokens",
    params(("id" = IdText, Path, description = "The entity or contract")),
    responses((status = 200, description = "What it has", body = Holding))
)]
pub(super) async fn holding(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
) -> Answer<Json<Holding>> {
    let id = service.entity_id(&id)?;
    service.read(move |service| Ok(Json(service.holding(&service.query.holding(&id)?)))).await
}

/// List what came to an account and left it
///
/// Newest first, each line with what the account had afterwards.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/transfers",
    tag = "tokens",
    params(("id" = IdText, Path, description = "The entity or contract"), List),
    responses((status = 200, description = "Its history", body = Page<Movement>))
)]
pub(super) async fn movements(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
    Params(list): Params<List>,
) -> Answer<Json<Page<Movement>>> {
    let id = service.entity_id(&id)?;
    let (after, limit) = (key_cursor(list.after.as_deref())?, limit(list.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.movements(&id, after.as_deref(), limit)?;
        Ok(shown(&page, |at| service.movement(at)))
    };
    service.read(list).await
}

/// List the open escrows of an account
///
/// Those that it locked, is to get or decides about.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/escrows",
    tag = "tokens",
    params(("id" = IdText, Path, description = "The entity or contract"), List),
    responses((status = 200, description = "Escrows in a stable order", body = Page<Escrow>))
)]
pub(super) async fn escrows(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
    Params(list): Params<List>,
) -> Answer<Json<Page<Escrow>>> {
    let id = service.entity_id(&id)?;
    let (after, limit) = (key_cursor(list.after.as_deref())?, limit(list.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.escrows(&id, after.as_deref(), limit)?;
        Ok(shown(&page, |(id, record)| service.escrow(id, record)))
    };
    service.read(list).await
}

/// List the entities whose fees an account pays
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/sponsored",
    tag = "tokens",
    params(("id" = IdText, Path, description = "The sponsor"), List),
    responses((status = 200, description = "Promises in a stable order", body = Page<Sponsorship>))
)]
pub(super) async fn sponsored(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
    Params(list): Params<List>,
) -> Answer<Json<Page<Sponsorship>>> {
    let id = service.entity_id(&id)?;
    let (after, limit) = (key_cursor(list.after.as_deref())?, limit(list.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.sponsored(&id, after.as_deref(), limit)?;
        Ok(shown(&page, |record| service.sponsorship(record)))
    };
    service.read(list).await
}

/// List the open rewards that an account offered
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/rewards",
    tag = "tokens",
    params(("id" = IdText, Path, description = "Who pays"), List),
    responses((status = 200, description = "Rewards in a stable order", body = Page<Reward>))
)]
pub(super) async fn rewards_by(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
    Params(list): Params<List>,
) -> Answer<Json<Page<Reward>>> {
    let id = service.entity_id(&id)?;
    let (after, limit) = (key_cursor(list.after.as_deref())?, limit(list.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.rewards_by(&id, after.as_deref(), limit)?;
        Ok(shown(&page, |(id, record)| service.reward(id, record)))
    };
    service.read(list).await
}

/// Look an open escrow up
#[utoipa::path(
    get,
    path = "/v1/escrows/{id}",
    tag = "tokens",
    params(("id" = TxHex, Path, description = "The escrow")),
    responses((status = 200, description = "The escrow", body = Escrow))
)]
pub(super) async fn escrow(
    State(service): State<Shared>,
    Parsed(id): Parsed<TxHex>,
) -> Answer<Json<Escrow>> {
    let look =
        move |service: &Service| Ok(Json(service.escrow(&id.0, &service.query.escrow(&id.0)?)));
    service.read(look).await
}

/// Look an open reward up
#[utoipa::path(
    get,
    path = "/v1/rewards/{id}",
    tag = "tokens",
    params(("id" = TxHex, Path, description = "The reward")),
    responses((status = 200, description = "The reward", body = Reward))
)]
pub(super) async fn reward(
    State(service): State<Shared>,
    Parsed(id): Parsed<TxHex>,
) -> Answer<Json<Reward>> {
    let look =
        move |service: &Service| Ok(Json(service.reward(&id.0, &service.query.reward(&id.0)?)));
    service.read(look).await
}

/// List the peers that stand for a seat by their stakes
///
/// The first in line first: the highest stake, of equal ones the one that has stood longer. The settings
/// of the ledger say how many of them get a seat at the end of an epoch. Empty where seats do not follow
/// from stakes.
#[utoipa::path(
    get,
    path = "/v1/stakes",
    tag = "tokens",
    params(List),
    responses((status = 200, description = "Those who stand, in line", body = Page<Stake>))
)]
pub(super) async fn candidates(
    State(service): State<Shared>,
    Params(list): Params<List>,
) -> Answer<Json<Page<Stake>>> {
    let (after, limit) = (key_cursor(list.after.as_deref())?, limit(list.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.candidates(after.as_deref(), limit)?;
        let items: Answer<Vec<Stake>> =
            page.items.iter().map(|state| service.stake(state)).collect();
        Ok(Json(Page { items: items?, next: page.next.as_deref().map(hex::encode) }))
    };
    service.read(list).await
}

/// Ask what is staked behind a peer
#[utoipa::path(
    get,
    path = "/v1/stakes/{peer}",
    tag = "tokens",
    params(("peer" = IdText, Path, description = "The peer")),
    responses((status = 200, description = "Its stake", body = Stake))
)]
pub(super) async fn stake(
    State(service): State<Shared>,
    Parsed(peer): Parsed<IdText>,
) -> Answer<Json<Stake>> {
    let peer = service.entity_id(&peer)?;
    service.read(move |service| Ok(Json(service.stake(&service.query.stake(&peer)?)?))).await
}

/// List the open rewards for readings of a stream
///
/// Oldest first; there are few.
#[utoipa::path(
    get,
    path = "/v1/streams/{id}/rewards",
    tag = "tokens",
    params(("id" = StreamHex, Path, description = "The stream")),
    responses((status = 200, description = "The rewards", body = Page<Reward>))
)]
pub(super) async fn rewards_of(
    State(service): State<Shared>,
    Parsed(id): Parsed<StreamHex>,
) -> Answer<Json<Page<Reward>>> {
    let list = move |service: &Service| {
        let rewards = service.query.rewards_of(&id.0)?;
        let items = rewards.iter().map(|(id, record)| service.reward(id, record)).collect();
        Ok(Json(Page { items, next: None }))
    };
    service.read(list).await
}
