use althing_client::model::{
    Page, PastEvents, Service as Listed, ServiceHex, ServiceVersion, query,
};
use althing_peer::query::{PAGE_ITEMS_MAX, ServiceFilter};
use althing_types::Version;
use axum::{Json, extract::State};

use crate::{
    convert::shown,
    extract::{Params, Parsed, key_cursor, limit},
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    service::{Service, Shared},
};

/// List services
///
/// By a text in what is said of them, by name, interface, tag, provider, contract or kind. A service
/// that is listed for callers is shown to those who may call it: say who you are with a token.
#[utoipa::path(
    get,
    path = "/v1/services",
    tag = "services",
    params(query::Services),
    responses((status = 200, description = "Services in a stable order", body = Page<Listed>))
)]
pub(super) async fn services(
    State(service): State<Shared>,
    reader: Reader,
    Params(asked): Params<query::Services>,
) -> Answer<Json<Page<Listed>>> {
    let outside = match asked.kind.as_deref() {
        None => None,
        Some("outside") => Some(true),
        Some("contract") => Some(false),
        Some(_) => return Err(ApiError::from(Failure::InvalidQuery).about("kind")),
    };
    let filter = ServiceFilter {
        text: asked.text.map(|text| text.to_lowercase()),
        name: asked.name,
        interface: asked.interface,
        tag: asked.tag,
        provider: asked.provider.as_ref().map(|id| service.entity_id(id)).transpose()?,
        contract: asked.contract.as_ref().map(|id| service.contract_id(id)).transpose()?,
        outside,
    };
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        let page = service.query.services(&filter, reader.entity, after.as_deref(), limit)?;
        Ok(shown(&page, |state| service.listed(state)))
    };
    service.read(list).await
}

/// Look a service up
#[utoipa::path(
    get,
    path = "/v1/services/{id}",
    tag = "services",
    params(("id" = ServiceHex, Path, description = "The service")),
    responses((status = 200, description = "The service", body = Listed))
)]
pub(super) async fn service(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<ServiceHex>,
) -> Answer<Json<Listed>> {
    let look = move |service: &Service| {
        Ok(Json(service.listed(&service.query.service(&id, reader.entity)?)))
    };
    service.read(look).await
}

/// Look one version of a service up
///
/// With its schema; also one that was withdrawn.
#[utoipa::path(
    get,
    path = "/v1/services/{id}/versions/{version}",
    tag = "services",
    params(
        ("id" = ServiceHex, Path, description = "The service"),
        ("version" = String, Path, description = "The version, as `1.0.0`")
    ),
    responses((status = 200, description = "The version", body = ServiceVersion))
)]
pub(super) async fn service_version(
    State(service): State<Shared>,
    reader: Reader,
    Parsed((id, version)): Parsed<(ServiceHex, String)>,
) -> Answer<Json<ServiceVersion>> {
    let version = Version::parse(&version)
        .ok_or_else(|| ApiError::from(Failure::InvalidPath).about("version"))?;
    let look = move |service: &Service| {
        let (_, record) = service.query.service_version(&id, version, reader.entity)?;
        let mut form = service.service_version(&record);
        let text = |schema: &[u8]| String::from_utf8_lossy(schema).into_owned();
        form.schema = record.manifest.schema.as_ref().map(|schema| text(schema));
        Ok(Json(form))
    };
    service.read(look).await
}

/// List what changed a service
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/v1/services/{id}/transactions",
    tag = "services",
    params(("id" = ServiceHex, Path, description = "The service"), query::List),
    responses((status = 200, description = "Transactions", body = Page<PastEvents>))
)]
pub(super) async fn service_history(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<ServiceHex>,
    Params(asked): Params<query::List>,
) -> Answer<Json<Page<PastEvents>>> {
    let (after, limit) = (key_cursor(asked.after.as_deref())?, limit(asked.limit, PAGE_ITEMS_MAX)?);
    let list = move |service: &Service| {
        service.query.service(&id, reader.entity)?;
        let page = service.query.service_history(&id, after.as_deref(), limit)?;
        Ok(shown(&page, |past| service.past_events(past, |about| about.service == Some(id.0))))
    };
    service.read(list).await
}
