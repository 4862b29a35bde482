//! The routes, one module per noun.

mod transactions;

mod entities;

mod things;

mod commands;

mod contracts;
mod links;
mod services;
mod tokens;
mod triggers;

mod streams;
mod tagged;

mod blocks;

mod proofs;

mod governance;

mod gateways;
mod network;

pub(crate) mod events;
pub(crate) mod filter;

mod socket;
mod webhooks;

mod access;

mod alarms;
mod operation;
mod presence;

use std::sync::Arc;

use althing_client::{
    Signer,
    model::{IdText, MIN_HEIGHT_HEADER, Problem, When, query::WaitFor},
};
use althing_peer::Peer;
use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, Method, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::openapi::{
    Content, Info, License, OpenApi, Ref, Required, ResponseBuilder, Type,
    path::{Operation, ParameterBuilder, ParameterIn},
    schema::ObjectBuilder,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Config,
    limits::bounded,
    offence, operate,
    own::Own,
    problem::{ApiError, Failure, PROBLEM_MEDIA_TYPE},
    purge,
    service::{Service, Shared},
    uses,
};

/// The interface of a peer whose configuration nobody changes: see [`operated`].
pub fn router(peer: Peer, config: Config, recorder: Option<Signer>) -> Router {
    let operation = operate::Operation::open(config.data.as_deref(), None, None);
    operated(peer, config, recorder, operation)
}

/// The interface of a peer. Uses of grants are recorded under the peer's own key as an entity; without
/// it, none are served. With it, a task of the present tokio runtime records until the peer stops.
pub fn operated(
    peer: Peer,
    config: Config,
    recorder: Option<Signer>,
    operation: operate::Operation,
) -> Router {
    let cors = cors(&config);
    let recorder = recorder.map(Arc::new);
    let service = Service::new(peer, config, recorder.clone(), operation);
    tokio::spawn(operate::watch(Arc::clone(&service)));
    crate::webhooks::resume_all(&service);
    let own = recorder.map(|signer| Arc::new(Own::new(signer)));
    tokio::spawn(purge::carry_out(Arc::clone(&service), own.clone()));
    if let Some(own) = own {
        tokio::spawn(offence::report(Arc::clone(&service), Arc::clone(&own)));
        let interval = service.config().anchor_interval;
        tokio::spawn(operate::anchor(Arc::clone(&service), Arc::clone(&own), interval));
        tokio::spawn(uses::record(Arc::clone(&service), own));
    }
    let (router, _) = documented().split_for_parts();
    router
        .route("/", get(welcome))
        .route("/openapi.json", get(|| async { Json(openapi()) }))
        .fallback(|| async { ApiError::from(Failure::UnknownRoute) })
        .method_not_allowed_fallback(|| async { ApiError::from(Failure::MethodNotAllowed) })
        .layer(DefaultBodyLimit::max(althing_client::submission::REQUEST_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(&service), bounded))
        .layer(cors)
        .with_state(service)
}

/// The description of the interface (OpenAPI 3.1).
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = documented().split_for_parts().1;
    document.info = Info::new("Althing", env!("CARGO_PKG_VERSION"));
    document.info.description = Some(DESCRIPTION.to_owned());
    document.info.license = Some(License::new("Apache-2.0"));
    for path in document.paths.paths.values_mut() {
        let operations = [(&mut path.get, true), (&mut path.post, false)];
        for (operation, reads) in operations {
            operation.iter_mut().for_each(|operation| complete(operation, reads));
        }
    }
    document
}

const DESCRIPTION: &str = "\
One peer of an Althing network. Writes are signed transactions (COSE); reads are JSON; proofs are \
CBOR bundles that anyone checks offline against the genesis. Problems are application/problem+json \
with stable codes. Ids of entities and things are DIDs or 64 hex digits in requests, DIDs in \
answers; numbers of streams are exact decimals in text.";

/// What holds for every operation: problems, and for reads the height to read from.
fn complete(operation: &mut Operation, reads: bool) {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    let response = ResponseBuilder::new()
        .description("A problem; its code says which")
        .content(PROBLEM_MEDIA_TYPE, problem);
    let responses = &mut operation.responses.responses;
    responses.insert("default".to_owned(), response.build().into());
    if reads {
        let height = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        let header = ParameterBuilder::new()
            .name(MIN_HEIGHT_HEADER)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("Answer from this height or later; the peer waits for it a while"))
            .schema(Some(height));
        operation.parameters.get_or_insert_default().push(header.build().into());
    }
}

/// Forms that no body has: problems, which [`complete`] adds, and parameters.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(Problem, IdText, WaitFor, When)))]
struct Components;

fn documented() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(<Components as utoipa::OpenApi>::openapi())
        .routes(routes!(transactions::submit))
        .routes(routes!(transactions::transaction))
        .routes(routes!(entities::account))
        .routes(routes!(entities::entities))
        .routes(routes!(entities::entity))
        .routes(routes!(entities::keys))
        .routes(routes!(entities::agreement))
        .routes(routes!(entities::history))
        .routes(routes!(entities::notifications))
        .routes(routes!(entities::pending))
        .routes(routes!(entities::policies))
        .routes(routes!(entities::resolve))
        .routes(routes!(things::things))
        .routes(routes!(things::thing))
        .routes(routes!(things::description))
        .routes(routes!(things::property))
        .routes(routes!(commands::commands))
        .routes(routes!(commands::command))
        .routes(routes!(commands::voucher))
        .routes(routes!(contracts::codes))
        .routes(routes!(contracts::code))
        .routes(routes!(contracts::module))
        .routes(routes!(contracts::contracts))
        .routes(routes!(contracts::contract))
        .routes(routes!(contracts::contract_history))
        .routes(routes!(contracts::ask_contract))
        .routes(routes!(contracts::try_out))
        .routes(routes!(services::services))
        .routes(routes!(services::service))
        .routes(routes!(services::service_version))
        .routes(routes!(services::service_history))
        .routes(routes!(links::links))
        .routes(routes!(links::link))
        .routes(routes!(links::asked_calls))
        .routes(routes!(links::asked_call))
        .routes(routes!(links::taken_calls))
        .routes(routes!(links::taken_call))
        .routes(routes!(triggers::triggers))
        .routes(routes!(triggers::trigger))
        .routes(routes!(triggers::trigger_runs))
        .routes(routes!(triggers::try_trigger))
        .routes(routes!(streams::stream))
        .routes(routes!(streams::readings))
        .routes(routes!(streams::latest))
        .routes(routes!(streams::aggregates))
        .routes(routes!(tagged::tagged))
        .routes(routes!(streams::gaps))
        .routes(routes!(streams::stream_key))
        .routes(routes!(streams::erasures))
        .routes(routes!(streams::holders))
        .routes(routes!(streams::regulations))
        .routes(routes!(blocks::blocks))
        .routes(routes!(blocks::block))
        .routes(routes!(proofs::reading))
        .routes(routes!(proofs::range))
        .routes(routes!(proofs::aggregate))
        .routes(routes!(proofs::state))
        .routes(routes!(proofs::receipt))
        .routes(routes!(proofs::run))
        .routes(routes!(governance::governance))
        .routes(routes!(governance::policies_at))
        .routes(routes!(governance::proposals))
        .routes(routes!(governance::proposal))
        .routes(routes!(governance::consequence))
        .routes(routes!(network::network))
        .routes(routes!(network::status))
        .routes(routes!(network::health))
        .routes(routes!(network::peers))
        .routes(routes!(presence::peer_changes))
        .routes(routes!(network::metrics))
        .routes(routes!(gateways::gateways))
        .routes(routes!(gateways::report))
        .routes(routes!(events::events))
        .routes(routes!(tokens::supply))
        .routes(routes!(tokens::holdings))
        .routes(routes!(tokens::holding))
        .routes(routes!(tokens::movements))
        .routes(routes!(tokens::escrows))
        .routes(routes!(tokens::sponsored))
        .routes(routes!(tokens::rewards_by))
        .routes(routes!(tokens::escrow))
        .routes(routes!(tokens::reward))
        .routes(routes!(tokens::rewards_of))
        .routes(routes!(tokens::candidates))
        .routes(routes!(tokens::stake))
        .routes(routes!(webhooks::create, webhooks::webhooks))
        .routes(routes!(webhooks::pause))
        .routes(routes!(webhooks::resume))
        .routes(routes!(webhooks::delete))
        .routes(routes!(socket::socket))
        .routes(routes!(access::policies))
        .routes(routes!(access::grants))
        .routes(routes!(access::grant))
        .routes(routes!(access::feed))
        .routes(routes!(access::explain))
        .routes(routes!(alarms::alarms))
        .routes(routes!(alarms::alarm_changes))
        .routes(routes!(alarms::acknowledge))
        .routes(routes!(alarms::alarm_log))
        .routes(routes!(operation::operation_log))
        .routes(routes!(operation::configuration))
        .routes(routes!(operation::configurations))
        .routes(routes!(operation::check_configuration))
        .routes(routes!(operation::apply_configuration))
        .routes(routes!(operation::stop_peer))
}

fn cors(config: &Config) -> CorsLayer {
    let origins = config.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("last-event-id"),
            HeaderName::from_static(MIN_HEIGHT_HEADER),
        ])
        .expose_headers([HeaderName::from_static(althing_client::model::HEIGHT_HEADER)])
}

/// What a browser finds.
async fn welcome() -> Response {
    Json(serde_json::json!({
        "name": "althing",
        "version": env!("CARGO_PKG_VERSION"),
        "interface": "/openapi.json",
        "status": "/v1/status",
        "things": "/v1/things",
        "blocks": "/v1/blocks",
    }))
    .into_response()
}
