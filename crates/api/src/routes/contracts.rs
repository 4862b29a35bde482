use althing_client::{
    model::{Code, CodeHex, Contract, ContractAnswer, IdText, Page, PastEvents, Trial, query},
    submission::CBOR_MEDIA_TYPE,
};
use althing_peer::query::{ContractFilter, PAGE_ITEMS_MAX};
use althing_types::{Body, Wire as _, limits::TRANSACTION_BYTES_MAX};
use axum::{
    Json,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use crate::{
    convert::shown,
    extract::{Params, Parsed, key_cursor, limit},
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    service::{Service, Shared},
};

/// Media type of modules.
const MODULE_MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/wasm");

/// List code of contracts
#[utoipa::path(
    get,
    path = "/v1/codes",
    tag = "contracts",
    params(query::List),
    responses((status = 200, description = "Code in a stable order", body = Page<Code>))
)]
pub(super) async fn codes(
    State(service): State<Shared>,
    Params(asked): Params<query::List>,
) -> Answer<Json<Page<Code>>> {
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.codes(after.as_deref(), limit)?;
        Ok(shown(&page, |state| service.code(state)))
    };
    service.read(list).await
}

/// Look code of contracts up
#[utoipa::path(
    get,
    path = "/v1/codes/{id}",
    tag = "contracts",
    params(("id" = CodeHex, Path, description = "SHA-256 of the module")),
    responses((status = 200, description = "The code", body = Code))
)]
pub(super) async fn code(
    State(service): State<Shared>,
    Parsed(id): Parsed<CodeHex>,
) -> Answer<Json<Code>> {
    let look = move |service: &Service| Ok(Json(service.code(&service.query.code(&id)?)));
    service.read(look).await
}

/// Get the module of code
#[utoipa::path(
    get,
    path = "/v1/codes/{id}/module",
    tag = "contracts",
    params(("id" = CodeHex, Path, description = "SHA-256 of the module")),
    responses((status = 200, description = "The WebAssembly module", body = Vec<u8>,
        content_type = "application/wasm"))
)]
pub(super) async fn module(
    State(service): State<Shared>,
    Parsed(id): Parsed<CodeHex>,
) -> Answer<Response> {
    let look = move |service: &Service| Ok(service.query.module(&id)?);
    let module = service.read(look).await?;
    Ok(([(header::CONTENT_TYPE, MODULE_MEDIA_TYPE)], module).into_response())
}

/// List contracts
///
/// By name, by an interface that the code serves, by code, or those that wait for a participant. One
/// whose owner shows it only to some is left out for others: say who you are with a token.
#[utoipa::path(
    get,
    path = "/v1/contracts",
    tag = "contracts",
    params(query::Contracts),
    responses((status = 200, description = "Contracts in a stable order", body = Page<Contract>))
)]
pub(super) async fn contracts(
    State(service): State<Shared>,
    reader: Reader,
    Params(asked): Params<query::Contracts>,
) -> Answer<Json<Page<Contract>>> {
    let filter = ContractFilter {
        name: asked.name,
        interface: asked.interface,
        code: asked.code.map(|code| code.0),
        awaiting: asked.awaiting.as_ref().map(|id| service.entity_id(id)).transpose()?,
    };
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.contracts(&filter, reader.entity, after.as_deref(), limit)?;
        Ok(shown(&page, |state| service.contract(state)))
    };
    service.read(list).await
}

/// Look a contract up
#[utoipa::path(
    get,
    path = "/v1/contracts/{id}",
    tag = "contracts",
    params(("id" = IdText, Path, description = "The contract")),
    responses((status = 200, description = "The contract", body = Contract))
)]
pub(super) async fn contract(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
) -> Answer<Json<Contract>> {
    let id = service.contract_id(&id)?;
    let look = move |service: &Service| Ok(Json(service.contract(&service.query.contract(&id)?)));
    service.read(look).await
}

/// List what called or changed a contract
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/contracts/{id}/transactions",
    tag = "contracts",
    params(("id" = IdText, Path, description = "The contract"), query::List),
    responses((status = 200, description = "Transactions", body = Page<PastEvents>))
)]
pub(super) async fn contract_history(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
    Params(asked): Params<query::List>,
) -> Answer<Json<Page<PastEvents>>> {
    let id = service.contract_id(&id)?;
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.contract_history(&id, after.as_deref(), limit)?;
        Ok(shown(&page, |past| {
            service.past_events(past, |about| about.entities.contains(&id.actor()))
        }))
    };
    service.read(list).await
}

/// Ask a contract
///
/// Nothing changes. Contracts are asked one after the other, each with the gas of one transaction.
#[utoipa::path(
    get,
    path = "/v1/contracts/{id}/answer",
    tag = "contracts",
    params(("id" = IdText, Path, description = "The contract"), query::ContractQuestion),
    responses((status = 200, description = "What it answers", body = ContractAnswer))
)]
pub(super) async fn ask_contract(
    State(service): State<Shared>,
    Parsed(id): Parsed<IdText>,
    Params(asked): Params<query::ContractQuestion>,
) -> Answer<Json<ContractAnswer>> {
    let id = service.contract_id(&id)?;
    let ask = move |service: &Service| {
        let (asked, height) = service.query.ask_contract(&id, asked.message.as_bytes())?;
        let data = asked.answer.map_err(|refusal| {
            let error = ApiError::from(refusal);
            match asked.trace.last() {
                Some(said) => error.because(said),
                None => error,
            }
        })?;
        Ok(Json(ContractAnswer {
            data: hex::encode(&data),
            answer: String::from_utf8(data).ok(),
            gas_used: asked.gas_used,
            height,
        }))
    };
    service.run(ask).await
}

/// Try actions out
///
/// `application/cbor` is the body of a transaction as it would be signed. The answer says what would
/// come of it in the next block, were it signed by its sender; approvals are not looked at, and
/// nothing changes.
#[utoipa::path(
    post,
    path = "/v1/trials",
    tag = "contracts",
    request_body(content((Vec<u8> = "application/cbor"))),
    responses((status = 200, description = "What would come of it", body = Trial))
)]
pub(super) async fn try_out(
    State(service): State<Shared>,
    request: Request,
) -> Answer<Json<Trial>> {
    let form = request.headers().get(header::CONTENT_TYPE);
    if form.is_none_or(|form| form.as_bytes() != CBOR_MEDIA_TYPE.as_bytes()) {
        return Err(Failure::UnsupportedMediaType.into());
    }
    let bytes = to_bytes(request.into_body(), TRANSACTION_BYTES_MAX).await;
    let bytes = bytes.map_err(|_| ApiError::from(Failure::BodyTooLarge))?;
    let body = Body::from_wire(&bytes).map_err(|_| ApiError::from(Failure::InvalidBody))?;
    let attempt = move |service: &Service| {
        let (tried, height) = service.query.try_out(&body)?;
        Ok(Json(service.trial(&tried, height)))
    };
    service.run(attempt).await
}
