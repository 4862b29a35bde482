//! Gateways: they say how they are doing by a token with the purpose `gateway`.

use althing_client::model::{GATEWAY_PURPOSE, GatewayReport, GatewayState, Gateways};
use althing_types::{EntityId, EntityKind};
use axum::{Json, body::Bytes, extract::State, http::StatusCode};

use crate::{
    gateways::Reported,
    problem::{Answer, ApiError, Failure},
    reader::{Reader, now_ms},
    service::{Service, Shared},
};

/// Longest report, bytes.
const BODY_BYTES_MAX: usize = 4 * 1024;
/// Longest version of a gateway's program, bytes.
const VERSION_BYTES_MAX: usize = 32;

/// List the gateways that report to this peer
///
/// Since it started. Each peer of a gateway's configuration is told every 10 seconds; a gateway is
/// `silent` 35 seconds after its last report, and `stopped` if it said that it was going.
#[utoipa::path(
    get,
    path = "/v1/gateways",
    tag = "network",
    responses((status = 200, description = "The gateways", body = Gateways))
)]
pub(super) async fn gateways(State(service): State<Shared>) -> Json<Gateways> {
    let now = now_ms();
    let known = service.gateways.all();
    let items = known.into_iter().map(|(id, one)| service.gateway(&id, one, now)).collect();
    Json(Gateways { items })
}

/// Say how a gateway is doing
///
/// By the gateway itself, as a reader's token with the purpose `gateway` shows.
#[utoipa::path(
    post,
    path = "/v1/gateways/report",
    tag = "network",
    request_body = GatewayReport,
    responses((status = 204, description = "It is noted"))
)]
pub(super) async fn report(
    State(service): State<Shared>,
    reader: Reader,
    body: Bytes,
) -> Answer<StatusCode> {
    if body.len() > BODY_BYTES_MAX {
        return Err(Failure::BodyTooLarge.into());
    }
    let wrong = |reason: &str| ApiError::from(Failure::InvalidBody).because(reason);
    let report: GatewayReport =
        serde_json::from_slice(&body).map_err(|error| wrong(&error.to_string()))?;
    if report.version.len() > VERSION_BYTES_MAX {
        return Err(wrong(&format!("`version` has more than {VERSION_BYTES_MAX} bytes")));
    }
    let Some(gateway) = reader.entity.filter(|_| reader.purpose == GATEWAY_PURPOSE) else {
        return Err(Failure::BadToken.into());
    };
    let look = move |service: &Service| Ok(service.query.entity(&gateway)?);
    let record = service.read(look).await?;
    if record.inception.kind != EntityKind::Gateway {
        return Err(Failure::BadToken.into());
    }
    let (name, owner) = (record.inception.name, record.owner);
    service.gateways.note(gateway, Reported { name, owner, at_ms: now_ms(), report })?;
    Ok(StatusCode::NO_CONTENT)
}

impl Service {
    fn gateway(&self, id: &EntityId, reported: Reported, now_ms: u64) -> GatewayState {
        GatewayState {
            id: self.did(id),
            presence: reported.presence(now_ms),
            name: reported.name,
            owner: reported.owner.map(|owner| self.did(&owner)),
            reported: reported.at_ms.into(),
            report: reported.report,
        }
    }
}
