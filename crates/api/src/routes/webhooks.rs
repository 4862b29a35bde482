//! Webhooks of who asks. Their makers show themselves by a token with the purpose `webhooks`.

use althing_client::model::{NewWebhook, Webhook, Webhooks};
use axum::{Json, extract::State, http::StatusCode};

use crate::{
    extract::Parsed,
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    service::Shared,
    webhooks,
};

/// Longest body that makes a webhook, bytes.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// Make a webhook
///
/// This peer posts each event to the URL, in order, signed with its key as an entity (RFC 9421, over
/// method, URL, `content-digest`, `althing-webhook` and `althing-cursor`), until it is answered with a
/// 2xx; it tries again at growing pauses and pauses the webhook after 40 failures in a row. An event can
/// come twice: its cursor says so. Redirects are not followed; addresses that are not public are not called.
#[utoipa::path(
    post,
    path = "/v1/webhooks",
    tag = "events",
    request_body = NewWebhook,
    responses((status = 201, description = "The webhook", body = Webhook))
)]
pub(super) async fn create(
    State(service): State<Shared>,
    reader: Reader,
    body: axum::body::Bytes,
) -> Answer<(StatusCode, Json<Webhook>)> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Failure::BodyTooLarge.into());
    }
    let wrong =
        |error: serde_json::Error| ApiError::from(Failure::InvalidBody).because(&error.to_string());
    let NewWebhook { url, purpose, events } = serde_json::from_slice(&body).map_err(wrong)?;
    let shared = std::sync::Arc::clone(&service);
    let make = move |_: &crate::service::Service| {
        webhooks::create(&shared, &reader, &url, purpose, events)
    };
    Ok((StatusCode::CREATED, Json(service.read(make).await?)))
}

/// List webhooks
///
/// Those that who asks has made at this peer, with what came of their calls.
#[utoipa::path(
    get,
    path = "/v1/webhooks",
    tag = "events",
    responses((status = 200, description = "The webhooks", body = Webhooks))
)]
pub(super) async fn webhooks(
    State(service): State<Shared>,
    reader: Reader,
) -> Answer<Json<Webhooks>> {
    Ok(Json(Webhooks { items: webhooks::list(&service, &reader)? }))
}

/// Pause a webhook
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/pause",
    tag = "events",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = Webhook))
)]
pub(super) async fn pause(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<String>,
) -> Answer<Json<Webhook>> {
    webhooks::pause(&service, &reader, &id, true).map(Json)
}

/// Resume a webhook
///
/// Behind the last event that was taken.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/resume",
    tag = "events",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = Webhook))
)]
pub(super) async fn resume(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<String>,
) -> Answer<Json<Webhook>> {
    webhooks::pause(&service, &reader, &id, false).map(Json)
}

/// Delete a webhook
#[utoipa::path(
    post,
    path = "/v1/webhooks/{id}/delete",
    tag = "events",
    params(("id" = String, Path, description = "The webhook")),
    responses((status = 204, description = "It is gone"))
)]
pub(super) async fn delete(
    State(service): State<Shared>,
    reader: Reader,
    Parsed(id): Parsed<String>,
) -> Answer<StatusCode> {
    webhooks::delete(&service, &reader, &id).map(|()| StatusCode::NO_CONTENT)
}
