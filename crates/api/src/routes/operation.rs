//! What operators do to this peer, and what it has kept of that.

use althing_client::model::{
    Configuration, ConfigurationVersions, Difference, Differences, LogPart, Takes, query,
};
use axum::{Json, extract::State, http::StatusCode};

use crate::{
    extract::{Params, limit, numeric_cursor},
    operate::{Acts, By, Controls, Log, Looks, Operation},
    problem::{Answer, ApiError, Failure},
    service::{Service, Shared},
};

/// Most entries of a log in one answer.
const ENTRIES_MAX: usize = 500;
/// Most characters of a key or value that the log of operations repeats.
const SHOWN_CHARS_MAX: usize = 200;

/// List what was done to this peer
///
/// For operators and auditors. `after` is the number of an entry. That somebody looks is an entry too.
#[utoipa::path(
    get,
    path = "/v1/operation/log",
    tag = "operation",
    params(query::List),
    responses((status = 200, description = "The entries", body = LogPart))
)]
pub(super) async fn operation_log(
    State(service): State<Shared>,
    Looks(by): Looks,
    Params(asked): Params<query::List>,
) -> Answer<Json<LogPart>> {
    part(service, by, asked, |operation| operation.operations()).await
}

/// A part of a log; that somebody looks is noted.
pub(super) async fn part(
    service: Shared,
    by: By,
    asked: query::List,
    log: impl FnOnce(&Operation) -> &Log + Send + 'static,
) -> Answer<Json<LogPart>> {
    let limit = limit(asked.limit, ENTRIES_MAX)?;
    let after = numeric_cursor(asked.after.as_deref())?.unwrap_or(0);
    let read = move |service: &Service| {
        service.operation.looked(&service.called(by));
        log(&service.operation).entries(after, limit).map(Json).map_err(|error| {
            tracing::error!(%error, "a log of this peer cannot be read");
            Failure::Internal.into()
        })
    };
    service.read(read).await
}

/// Get the configuration
///
/// For operators and auditors: what the peer reads, and what waits for a restart.
#[utoipa::path(
    get,
    path = "/v1/operation/configuration",
    tag = "operation",
    responses((status = 200, description = "The configuration", body = Configuration))
)]
pub(super) async fn configuration(
    State(service): State<Shared>,
    Looks(by): Looks,
) -> Answer<Json<Configuration>> {
    let read = move |service: &Service| {
        service.operation.looked(&service.called(by));
        let controls = service.controls()?;
        let text = controls.text().map_err(wrong)?;
        let waiting = controls.waiting().map_err(wrong)?;
        let version = service.operation.versions().all().into_iter().next();
        let version = version.ok_or(Failure::NotOperated)?;
        Ok(Json(Configuration { version, text, waiting }))
    };
    service.read(read).await
}

/// List the versions of the configuration
///
/// For operators and auditors.
#[utoipa::path(
    get,
    path = "/v1/operation/configurations",
    tag = "operation",
    responses((status = 200, description = "The versions", body = ConfigurationVersions))
)]
pub(super) async fn configurations(
    State(service): State<Shared>,
    _: Looks,
) -> Json<ConfigurationVersions> {
    Json(ConfigurationVersions { items: service.operation.versions().all() })
}

/// Check a configuration
///
/// By an operator: what it would change, and what of that needs a restart. Nothing changes. The body is
/// TOML, as in the file; a gateway's part that it leaves out stays as it is.
#[utoipa::path(
    post,
    path = "/v1/operation/check",
    tag = "operation",
    request_body(content = String, content_type = "application/toml"),
    responses((status = 200, description = "What would change", body = Differences))
)]
pub(super) async fn check_configuration(
    State(service): State<Shared>,
    acts: Acts,
) -> Answer<Json<Differences>> {
    let text = text(&acts)?;
    let check = move |service: &Service| {
        let items = service.controls()?.check(&text).map_err(wrong)?;
        Ok(Json(Differences { items }))
    };
    service.read(check).await
}

/// Apply a configuration
///
/// By an operator: it is checked, written in the place of the present one, and put in force as far as
/// that can be while the peer runs. What says who operates the peer and where its files are is changed
/// on its machine only.
#[utoipa::path(
    post,
    path = "/v1/operation/apply",
    tag = "operation",
    request_body(content = String, content_type = "application/toml"),
    responses((status = 200, description = "What has changed", body = Differences))
)]
pub(super) async fn apply_configuration(
    State(service): State<Shared>,
    acts: Acts,
) -> Answer<Json<Differences>> {
    let (text, by) = (text(&acts)?, acts.by);
    // Not ended with the request: a change that was begun is noted. One after the other.
    let applied = tokio::spawn(async move {
        let _turn = service.operation.turn().await;
        service.read(move |service| service.apply(&text, by)).await
    });
    applied.await.unwrap_or_else(|_| Err(Failure::Internal.into())).map(Json)
}

/// Stop the peer
///
/// By an operator. The peer takes no more transactions, settles those it has taken from its clients for
/// as long as `drain_timeout` lets it, and ends with success.
#[utoipa::path(
    post,
    path = "/v1/operation/stop",
    tag = "operation",
    responses((status = 202, description = "It is about to end"))
)]
pub(super) async fn stop_peer(State(service): State<Shared>, acts: Acts) -> Answer<StatusCode> {
    let by = service.called(acts.by);
    let stop = move |service: &Service| {
        service.operation.operations().append(&by, "stop", "");
        service.operation.stop();
        Ok(StatusCode::ACCEPTED)
    };
    service.read(stop).await
}

fn text(acts: &Acts) -> Answer<String> {
    let wrong = |_| ApiError::from(Failure::InvalidConfiguration).because("it is not UTF-8");
    String::from_utf8(acts.body.to_vec()).map_err(wrong)
}

fn wrong(why: String) -> ApiError {
    ApiError::from(Failure::InvalidConfiguration).explained(&why)
}

impl Service {
    fn controls(&self) -> Answer<&dyn Controls> {
        self.operation.controls().map(AsRef::as_ref).ok_or_else(|| Failure::NotOperated.into())
    }

    fn apply(&self, text: &str, by: By) -> Answer<Differences> {
        let controls = self.controls()?;
        let planned = controls.check(text).map_err(wrong)?;
        if by != By::Machine
            && let Some(kept) = planned.iter().find(|one| one.takes == Takes::Machine)
        {
            return Err(ApiError::from(Failure::MachineOnly).about(&kept.key));
        }
        if planned.is_empty() {
            return Ok(Differences { items: planned });
        }
        let (items, config) = controls.apply(text).map_err(wrong)?;
        self.set_config(config);
        let by = self.called(by);
        let detail = items.iter().map(shown).collect::<Vec<_>>().join("; ");
        self.operation.operations().append(&by, "configuration_applied", &detail);
        if let Ok(text) = controls.text() {
            self.operation.versions().add(&text, &by, items.clone());
        }
        Ok(Differences { items })
    }
}

/// A difference as the log tells it.
fn shown(difference: &Difference) -> String {
    let value = |value: &Option<String>| {
        value
            .as_ref()
            .map_or("nothing".to_owned(), |text| text.chars().take(SHOWN_CHARS_MAX).collect())
    };
    format!("{}: {} -> {}", difference.key, value(&difference.from), value(&difference.to))
}
