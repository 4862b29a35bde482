use althing_client::model::{Block, BlockSummary, Page, query};
use althing_peer::query::PAGE_ITEMS_MAX;
use axum::{Json, extract::State};

use crate::{
    extract::{Params, Parsed, limit, numeric_cursor},
    problem::Answer,
    service::{Service, Shared},
};

/// Most transaction ids of a block in one answer.
const IDS_MAX: usize = 5_000;

/// List blocks
///
/// Final and executed ones, newest first. `next` is the height to pass as `before`.
#[utoipa::path(
    get,
    path = "/v1/blocks",
    tag = "blocks",
    params(query::Blocks),
    responses((status = 200, description = "The blocks", body = Page<BlockSummary>))
)]
pub(super) async fn blocks(
    State(service): State<Shared>,
    Params(asked): Params<query::Blocks>,
) -> Answer<Json<Page<BlockSummary>>> {
    let limit = limit(asked.limit, PAGE_ITEMS_MAX)?;
    let list = move |service: &Service| {
        let heads = service.query.block_heads(asked.before, limit)?;
        let lowest = heads.last().map_or(0, |head| head.header.height);
        let next = (lowest > 0).then(|| lowest.to_string());
        Ok(Json(Page {
            items: heads.iter().map(|head| service.block_summary(head)).collect(),
            next,
        }))
    };
    service.read(list).await
}

/// Look a block up
///
/// With the ids of its transactions, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/blocks/{height}",
    tag = "blocks",
    params(("height" = u64, Path, description = "Height of the block"), query::List),
    responses((status = 200, description = "The block", body = Block))
)]
pub(super) async fn block(
    State(service): State<Shared>,
    Parsed(height): Parsed<u64>,
    Params(list): Params<query::List>,
) -> Answer<Json<Block>> {
    let limit = limit(list.limit, IDS_MAX)?;
    let begin = numeric_cursor(list.after.as_deref())?.unwrap_or(0);
    let (block, certificate) = service.query.block(height).await?;
    Ok(Json(service.block(&block, certificate.as_ref(), begin, limit)))
}
