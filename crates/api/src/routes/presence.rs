//! Who comes and who goes among the peers.

use std::{convert::Infallible, sync::Arc};

use althing_client::model::{EVENT_KEEP_ALIVE, Hex, HexKey, PeerChange, PeerPresence};
use althing_peer::{Presence, PresenceChange};
use axum::{
    extract::State,
    response::{
        Sse,
        sse::{self, KeepAlive},
    },
};
use futures::{Stream, StreamExt as _, stream};
use tokio::sync::{
    OwnedSemaphorePermit,
    broadcast::{Receiver, error::RecvError},
};

use crate::{
    problem::{Answer, ApiError, Failure},
    service::{Service, Shared},
};

/// Follow who comes and goes
///
/// Server-Sent Events without end: the newest changes first, then each peer that this one is connected
/// to for the first time, has lost for some seconds, or has back. The data is a PeerChange in JSON, the event name
/// `peer`. Each peer tells what it sees; nothing of it is on the ledger.
#[utoipa::path(
    get,
    path = "/v1/peers/changes",
    tag = "network",
    responses((status = 200, description = "Changes", body = PeerChange, content_type = "text/event-stream"))
)]
pub(super) async fn peer_changes(
    State(service): State<Shared>,
) -> Answer<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>> {
    let permit = Arc::clone(&service.event_streams).try_acquire_owned();
    let permit = permit.map_err(|_| ApiError::from(Failure::Busy))?;
    let (kept, live) = service.peer.presence();
    let told = Arc::clone(&service);
    let changes = stream::iter(kept).chain(stream::unfold((live, permit), step));
    let events = changes.filter_map(move |change| {
        let event = sse::Event::default().event("peer").json_data(told.peer_change(&change));
        async move { event.ok().map(Ok) }
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(EVENT_KEEP_ALIVE)))
}

type Following = (Receiver<PresenceChange>, OwnedSemaphorePermit);

/// The next change; a client that was too slow misses what it lagged behind.
async fn step(mut following: Following) -> Option<(PresenceChange, Following)> {
    loop {
        match following.0.recv().await {
            Ok(change) => return Some((change, following)),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

impl Service {
    fn peer_change(&self, change: &PresenceChange) -> PeerChange {
        let (presence, lasted) = match change.presence {
            Presence::Came => (PeerPresence::Came, std::time::Duration::ZERO),
            Presence::Lost(here) => (PeerPresence::Lost, here),
            Presence::Back(away) => (PeerPresence::Back, away),
        };
        let seats = self.query.seats().unwrap_or_default();
        let seat = seats.iter().find(|(seat, _)| seat.key == change.key);
        PeerChange {
            key: Hex(HexKey(change.key)),
            name: seat.map(|(seat, _)| self.entity_name(&seat.peer)).unwrap_or_default(),
            change: presence,
            for_s: lasted.as_secs(),
            time: change.time_ms.into(),
        }
    }
}
