use althing_client::{
    model::{Consequence, Governance, Page, PoliciesAt, Proposal, TxHex, query::List},
    submission::CBOR_MEDIA_TYPE,
};
use althing_peer::query::{PAGE_ITEMS_MAX, ProposalAt, TransactionState};
use althing_types::{Action, Change, Wire as _};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
};
use bytes::Bytes;

use crate::{
    extract::{Params, Parsed, key_cursor, limit},
    problem::{Answer, ApiError, Failure},
    service::{Service, Shared},
};

/// Get who decides, and what is proposed
///
/// The member organisations, the rule by which they decide, the validators of now and of the next
/// epoch, and every proposal that is open.
#[utoipa::path(
    get,
    path = "/v1/governance",
    tag = "governance",
    responses((status = 200, description = "Who decides", body = Governance))
)]
pub(super) async fn governance(State(service): State<Shared>) -> Answer<Json<Governance>> {
    service.read(|service| service.governance(&service.query.governance()?).map(Json)).await
}

/// Get what members had decided by a height
///
/// Members, voting rule, settings and regulations as they held after that block: those of the genesis
/// with every change since.
#[utoipa::path(
    get,
    path = "/v1/governance/at/{height}",
    tag = "governance",
    params(("height" = u64, Path, description = "The height")),
    responses((status = 200, description = "What had been decided", body = PoliciesAt))
)]
pub(super) async fn policies_at(
    State(service): State<Shared>,
    Parsed(height): Parsed<u64>,
) -> Answer<Json<PoliciesAt>> {
    // It goes through all proposals there ever were.
    let _turn = service.turn().await;
    let found = service.query.policies_at(height).await?;
    Ok(Json(service.policies(height, &found)))
}

/// List all proposals
///
/// Newest first, with what became of each.
#[utoipa::path(
    get,
    path = "/v1/governance/proposals",
    tag = "governance",
    params(List),
    responses((status = 200, description = "The proposals", body = Page<Proposal>))
)]
pub(super) async fn proposals(
    State(service): State<Shared>,
    Params(list): Params<List>,
) -> Answer<Json<Page<Proposal>>> {
    let (after, limit) = (key_cursor(list.after.as_deref())?, limit(list.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| Ok(service.query.proposals(after.as_deref(), limit)?);
    let page = service.read(list).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for at in &page.items {
        items.push(described(&service, at).await?);
    }
    Ok(Json(Page { items, next: page.next.map(hex::encode) }))
}

/// Get one open proposal
#[utoipa::path(
    get,
    path = "/v1/governance/proposals/{id}",
    tag = "governance",
    params(("id" = TxHex, Path, description = "The proposal")),
    responses((status = 200, description = "The proposal", body = Proposal))
)]
pub(super) async fn proposal(
    State(service): State<Shared>,
    Parsed(id): Parsed<TxHex>,
) -> Answer<Json<Proposal>> {
    let find = move |service: &Service| {
        let open = service.query.open_proposal(&id.0)?;
        Ok(Json(service.open(&id.0, &open, &service.query.governance()?)))
    };
    service.read(find).await
}

/// Ask what a change would lead to
///
/// The body is the canonical CBOR of a change, as a proposal carries it. Nothing is written, and
/// nobody is told.
#[utoipa::path(
    post,
    path = "/v1/governance/consequence",
    tag = "governance",
    request_body(content((Vec<u8> = "application/cbor"))),
    responses((status = 200, description = "What it would lead to", body = Consequence))
)]
pub(super) async fn consequence(
    State(service): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer<Json<Consequence>> {
    let form = headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes());
    if form != Some(CBOR_MEDIA_TYPE.as_bytes()) {
        return Err(Failure::UnsupportedMediaType.into());
    }
    let change = Change::from_wire(&body)
        .map_err(|error| ApiError::from(Failure::InvalidBody).because(&error.to_string()))?;
    let ask = move |service: &Service| {
        Ok(Json(service.consequence(&service.query.consequence(&change)?)))
    };
    service.read(ask).await
}

/// A proposal with what it proposes: from the state while it is open, and from its transaction
/// afterwards.
async fn described(service: &Shared, at: &ProposalAt) -> Answer<Proposal> {
    if let Some(open) = &at.open {
        return Ok(service.open(&at.id, open, &service.query.governance()?));
    }
    let transaction = match service.query.transaction(&at.id).await? {
        TransactionState::Waiting(transaction) => transaction,
        TransactionState::Final { transaction, .. } => transaction,
    };
    let body = transaction.body();
    let proposed = body.actions.iter().find_map(|action| match action {
        Action::Propose(proposal) => Some(proposal),
        _ => None,
    });
    let proposal = proposed.ok_or(Failure::UnknownProposal)?;
    Ok(service.past_proposal(at, &body.sender, proposal))
}
