//! Events over a WebSocket (RFC 6455): the same as Server-Sent Events, for clients that have no other.

use std::{sync::Arc, time::Duration};

use althing_client::model::{Cursor, EVENT_KEEP_ALIVE, EventRecord, query};
use axum::{
    Extension,
    body::Bytes,
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};

use super::events::Follow;
use crate::{
    extract::Params,
    origins::Held,
    problem::{Answer, ApiError, Failure},
    reader::Reader,
    service::Shared,
};

/// Longest message that is read of a client, bytes: it has nothing to say.
const MESSAGE_BYTES_MAX: usize = 1024;
/// How long the last word to a client may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// Follow events over a WebSocket
///
/// Each message is an EventRecord in JSON. To resume, ask with the last one's cursor as `after`. The peer
/// closes with 1013 a client that is slower than its events, with 1008 one that speaks, and with 1001 when the
/// events end; the reason says how to go on.
#[utoipa::path(
    get,
    path = "/v1/events/socket",
    tag = "events",
    params(query::Events),
    responses((status = 101, description = "Events, one in each message", body = EventRecord))
)]
pub(super) async fn socket(
    State(service): State<Shared>,
    reader: Reader,
    Params(asked): Params<query::Events>,
    held: Option<Extension<Held>>,
    upgrade: WebSocketUpgrade,
) -> Answer<Response> {
    let permit = Arc::clone(&service.event_streams).try_acquire_owned();
    let permit = permit.map_err(|_| ApiError::from(Failure::Busy))?;
    let follow = Follow::begin(&service, reader, &asked, Some(permit)).await?;
    let patience = service.config().write_timeout;
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES_MAX).max_frame_size(MESSAGE_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| async move {
        tell(socket, follow, patience).await;
        drop(held);
    }))
}

/// Tells a client of events until one of the two ends it.
async fn tell(mut socket: WebSocket, follow: Follow, patience: Duration) {
    let mut next = Box::pin(follow.step());
    let mut last: Option<Cursor> = None;
    loop {
        tokio::select! {
            step = &mut next => {
                let Some((records, follow)) = step else {
                    return close(socket, close_code::AWAY, "the events ended", last).await;
                };
                for record in &records {
                    if !sent(&mut socket, record, patience).await {
                        return close(socket, close_code::AGAIN, "too slow", last).await;
                    }
                    last = Some(record.cursor);
                }
                next = Box::pin(follow.step());
            }
            said = socket.recv() => match said {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(_) | Message::Binary(_))) => {
                    return close(socket, close_code::POLICY, "nothing is read here", last).await;
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            () = tokio::time::sleep(EVENT_KEEP_ALIVE) => {
                let ping = socket.send(Message::Ping(Bytes::new()));
                if !matches!(tokio::time::timeout(patience, ping).await, Ok(Ok(()))) {
                    return;
                }
            }
        }
    }
}

/// Whether the client took it in time.
async fn sent(socket: &mut WebSocket, record: &EventRecord, patience: Duration) -> bool {
    let Ok(text) = serde_json::to_string(record) else { return true };
    let send = socket.send(Message::Text(text.into()));
    matches!(tokio::time::timeout(patience, send).await, Ok(Ok(())))
}

async fn close(mut socket: WebSocket, code: u16, why: &str, last: Option<Cursor>) {
    let reason = match last {
        Some(cursor) => format!("{why}; go on with after={cursor}"),
        None => format!("{why}; ask again"),
    };
    let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
    let _ = tokio::time::timeout(FAREWELL, socket.send(frame)).await;
}
