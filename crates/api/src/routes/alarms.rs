//! What an operator should know of or do about.

use std::{convert::Infallible, sync::Arc};

use althing_client::model::{
    Acknowledge, Acknowledgement, Alarm, Alarms, EVENT_KEEP_ALIVE, LogPart, NOTE_BYTES_MAX, query,
};
use axum::{
    Json,
    extract::State,
    response::{
        Sse,
        sse::{self, KeepAlive},
    },
};
use futures::{Stream, StreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, broadcast::error::RecvError};

use super::operation::part;
use crate::{
    extract::{Params, Parsed},
    operate::{Acts, Looks},
    problem::{Answer, ApiError, Failure},
    reader::now_ms,
    service::Shared,
};

/// List the alarms
///
/// Of this peer. Those that ended are kept a while.
#[utoipa::path(
    get,
    path = "/v1/alarms",
    tag = "operation",
    responses((status = 200, description = "The alarms", body = Alarms))
)]
pub(super) async fn alarms(State(service): State<Shared>) -> Json<Alarms> {
    Json(Alarms { items: service.operation.alarms() })
}

/// Follow the alarms
///
/// Server-Sent Events without end: all that last first, then each alarm that comes, ends or is
/// acknowledged. The data is an Alarm in JSON, the event name `alarm`.
#[utoipa::path(
    get,
    path = "/v1/alarms/changes",
    tag = "operation",
    responses((status = 200, description = "Alarms", body = Alarm, content_type = "text/event-stream"))
)]
pub(super) async fn alarm_changes(
    State(service): State<Shared>,
) -> Answer<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>> {
    let permit = Arc::clone(&service.event_streams).try_acquire_owned();
    let permit = permit.map_err(|_| ApiError::from(Failure::Busy))?;
    // Listens before it looks, so that none falls between the two.
    let live = service.operation.changes();
    let lasting = service.operation.alarms().into_iter().filter(|alarm| alarm.ended.is_none());
    let lasting: Vec<Alarm> = lasting.collect();
    let changes = stream::unfold((live, service, permit), step).flat_map(stream::iter);
    let events = stream::iter(lasting).chain(changes).filter_map(|alarm| async move {
        sse::Event::default().event("alarm").json_data(&alarm).ok().map(Ok)
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(EVENT_KEEP_ALIVE)))
}

type Following = (tokio::sync::broadcast::Receiver<Alarm>, Shared, OwnedSemaphorePermit);

/// The next change; all alarms if the client was too slow to hear each.
async fn step(mut following: Following) -> Option<(Vec<Alarm>, Following)> {
    match following.0.recv().await {
        Ok(alarm) => Some((vec![alarm], following)),
        Err(RecvError::Lagged(_)) => Some((following.1.operation.alarms(), following)),
        Err(RecvError::Closed) => None,
    }
}

/// Acknowledge an alarm
///
/// By an operator. It lasts all the same, and is to be acknowledged again when it comes back.
#[utoipa::path(
    post,
    path = "/v1/alarms/{id}/acknowledge",
    tag = "operation",
    params(("id" = u64, Path, description = "Its number")),
    request_body = Acknowledge,
    responses((status = 200, description = "The alarm", body = Alarm))
)]
pub(super) async fn acknowledge(
    State(service): State<Shared>,
    Parsed(id): Parsed<u64>,
    acts: Acts,
) -> Answer<Json<Alarm>> {
    let wrong = |why: &str| ApiError::from(Failure::InvalidBody).because(why);
    let Acknowledge { note } =
        serde_json::from_slice(&acts.body).map_err(|error| wrong(&error.to_string()))?;
    if note.len() > NOTE_BYTES_MAX || note.chars().any(char::is_control) {
        return Err(wrong("a note has at most 512 bytes and no control characters"));
    }
    let by = service.called(acts.by);
    let acknowledged = service.read(move |service| {
        let by = Acknowledgement { by, at: now_ms().into(), note };
        service.operation.acknowledge(id, by).ok_or_else(|| Failure::UnknownAlarm.into())
    });
    acknowledged.await.map(Json)
}

/// List what became of alarms
///
/// For operators and auditors. `after` is the number of an entry.
#[utoipa::path(
    get,
    path = "/v1/alarms/log",
    tag = "operation",
    params(query::List),
    responses((status = 200, description = "The entries", body = LogPart))
)]
pub(super) async fn alarm_log(
    State(service): State<Shared>,
    Looks(by): Looks,
    Params(asked): Params<query::List>,
) -> Answer<Json<LogPart>> {
    part(service, by, asked, |operation| operation.alarm_log()).await
}
