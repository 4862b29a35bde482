//! Events as they happen, resumable from any cursor (Server-Sent Events, WHATWG HTML §9.2).

use std::{convert::Infallible, sync::Arc};

use althing_client::model::{
    Cursor, EVENT_KEEP_ALIVE, Event as ToldEvent, EventRecord, Hex, StreamSilence, query,
};
use althing_peer::{
    Executed,
    query::{EventAt, EventPlace},
};
use althing_types::{Event, StreamId};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        Sse,
        sse::{self, KeepAlive},
    },
};
use futures::{Stream, StreamExt as _, stream};
use tokio::{
    sync::{
        OwnedSemaphorePermit,
        broadcast::{Receiver, error::RecvError},
    },
    time::timeout,
};

use super::filter::{Filter, Silence};
use crate::{
    convert::{About, place},
    extract::Params,
    problem::{Answer, ApiError, Failure},
    reader::{Reader, now_ms},
    service::{Service, Shared},
};

/// Header by which a browser resumes.
const LAST_EVENT_ID: &str = "last-event-id";

/// Follow events
///
/// Server-Sent Events without end: the past behind a cursor first, then what happens. The id of
/// each is its cursor, so a client that lost the connection goes on without a gap. The data is an
/// EventRecord in JSON, the event name its type.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "events",
    params(
        query::Events,
        ("last-event-id" = Option<Cursor>, Header, description = "Go on behind this event")
    ),
    responses((status = 200, description = "Events", body = EventRecord,
        content_type = "text/event-stream"))
)]
pub(super) async fn events(
    State(service): State<Shared>,
    reader: Reader,
    headers: HeaderMap,
    Params(asked): Params<query::Events>,
) -> Answer<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>> {
    let permit = Arc::clone(&service.event_streams).try_acquire_owned();
    let permit = permit.map_err(|_| ApiError::from(Failure::Busy))?;
    let asked = query::Events { after: resumed(&headers)?.or(asked.after), ..asked };
    let follow = Follow::begin(&service, reader, &asked, Some(permit)).await?;
    let batches = stream::unfold(follow, Follow::step);
    let events = batches.flat_map(stream::iter).filter_map(|record| async { sse_event(record) });
    let events = events.map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(EVENT_KEEP_ALIVE)))
}

fn resumed(headers: &HeaderMap) -> Answer<Option<Cursor>> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let cursor = value.to_str().ok().and_then(|text| text.parse().ok());
    let wrong = || ApiError::from(Failure::InvalidHeader).about(LAST_EVENT_ID);
    cursor.map(Some).ok_or_else(wrong)
}

/// One client that follows.
pub(crate) struct Follow {
    service: Shared,
    reader: Reader,
    filter: Filter,
    /// Whether the owner of the stream it follows lets it no more.
    ended: bool,
    /// Blocks as they are executed.
    live: Receiver<Arc<Executed>>,
    /// Where the client began, or the last event looked at.
    at: EventPlace,
    /// The height up to which all has been looked at; none while the past is being read.
    seen: Option<u64>,
    /// What is told when nothing comes.
    silence: Option<Silence>,
    /// Given back when the client goes away.
    _permit: Option<OwnedSemaphorePermit>,
}

/// Where the next events come from.
enum Next {
    /// A block that was just executed.
    Block(Arc<Executed>),
    /// The disk: in the beginning, or when the client is slower than the ledger.
    Disk,
    /// The stream that is followed, which has been silent for long.
    Silence,
    /// Nowhere: the peer has stopped.
    End,
}

impl Follow {
    /// Begins behind `after`, or at the present, for a reader who may follow what it asks for.
    pub(crate) async fn begin(
        service: &Shared,
        reader: Reader,
        asked: &query::Events,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Answer<Self> {
        let filter = {
            let (asked, reader) = (asked.clone(), reader.clone());
            service.read(move |service| Filter::new(service, &reader, &asked)).await?
        };
        if let Some(stream) = filter.stream {
            let asked = reader.clone();
            service.read(move |service| service.permit_follow(&asked, &stream)).await?;
        }
        // Before the height is read, so that no block falls between the past and the present.
        let live = service.peer.subscribe();
        let at = match asked.after {
            Some(cursor) => place(cursor),
            None => place(Cursor::after_block(service.query.height())),
        };
        let silence = match (filter.stream, asked.silence_s) {
            (Some(stream), Some(seconds)) => {
                let newest = move |service: &Service| Ok(service.query.newest_batch(&stream)?);
                Some(Silence::new(stream, seconds, service.read(newest).await?))
            }
            _ => None,
        };
        let (service, ended, seen) = (Arc::clone(service), false, None);
        Ok(Self { service, reader, filter, live, ended, at, seen, silence, _permit: permit })
    }

    /// The next events that the filter admits, waiting for blocks as long as there is none. Ends
    /// when the disk fails; the client resumes elsewhere.
    pub(crate) async fn step(mut self) -> Option<(Vec<EventRecord>, Self)> {
        while !self.ended {
            let events = match self.next().await {
                Next::Block(executed) => self.of_block(&executed),
                Next::Disk => self.of_disk().await?,
                Next::Silence => match self.tell_silence() {
                    Some(record) => return Some((vec![record], self)),
                    None => Vec::new(),
                },
                Next::End => return None,
            };
            if let Some(silence) = &mut self.silence {
                events.iter().for_each(|at| silence.heard(at));
            }
            self.filter.learn(&self.service, &self.reader, &events);
            // A client that follows one stream is told that it may not any more; others see less.
            self.ended = self.filter.stream.is_some_and(|stream| !self.may_follow(&stream));
            if self.ended {
                return None;
            }
            let admitted: Vec<_> = events.iter().filter_map(|at| self.admitted(at)).collect();
            if !admitted.is_empty() {
                return Some((admitted, self));
            }
        }
        None
    }

    async fn next(&mut self) -> Next {
        let Some(seen) = self.seen else { return Next::Disk };
        loop {
            let received = match self.silence.as_ref().and_then(|silence| silence.due(now_ms())) {
                Some(wait) => match timeout(wait, self.live.recv()).await {
                    Ok(received) => received,
                    Err(_) => return Next::Silence,
                },
                None => self.live.recv().await,
            };
            match received {
                Ok(executed) if executed.block.height() <= seen => {}
                Ok(executed) if executed.block.height() == seen.saturating_add(1) => {
                    return Next::Block(executed);
                }
                Ok(_) | Err(RecvError::Lagged(_)) => return Next::Disk,
                Err(RecvError::Closed) => return Next::End,
            }
        }
    }

    /// Says that nothing came, if the client wants to know and may.
    fn tell_silence(&mut self) -> Option<EventRecord> {
        let silence = self.silence.as_mut()?;
        silence.told = true;
        let (since_ms, transaction) = silence.newest?;
        let told = StreamSilence {
            stream: Hex(silence.stream),
            since: since_ms.into(),
            seconds: silence.seconds,
        };
        let stream = silence.stream;
        let event = ToldEvent::StreamSilent(told);
        let is_wanted = self.filter.admits_kind(event.name()) && self.told(&stream);
        // Behind all that has been looked at, so that whoever resumes there misses nothing.
        let height = self.seen.unwrap_or_default();
        let cursor = Cursor::after_block(height);
        let (time, transaction) = (now_ms().into(), Hex(transaction));
        is_wanted.then_some(EventRecord { cursor, height, time, transaction, event })
    }

    fn of_block(&mut self, executed: &Executed) -> Vec<EventAt> {
        let header = executed.block.header();
        self.seen = Some(header.height);
        let all = EventAt::all_of(header.height, header.time_ms, &executed.receipts);
        all.filter(|one| one.place > self.at).collect()
    }

    async fn of_disk(&mut self) -> Option<Vec<EventAt>> {
        let after = self.at;
        let read = move |service: &Service| Ok(service.query.events(after)?);
        let (events, seen) = self.service.read(read).await.ok()?;
        self.at = self.at.max(place(Cursor::after_block(seen)));
        // As long as there is more on disk, that comes first.
        self.seen = (seen >= self.service.query.height()).then_some(seen);
        Some(events)
    }

    fn admitted(&self, at: &EventAt) -> Option<EventRecord> {
        let wanted = self.filter.admits(&at.event, &About::of(&at.event))
            && self.filter.admits_by_state(&self.service, &at.event);
        let record = wanted.then(|| self.service.event_record(at))?;
        let admitted = self.filter.admits_kind(record.event.name()).then_some(record)?;
        match about_values(&at.event) {
            Some(stream) => self.told(&stream).then_some(admitted),
            None => Some(admitted),
        }
    }

    /// Whether the client may be told of new values now.
    fn may_follow(&self, stream: &StreamId) -> bool {
        self.service.may_follow(&self.reader, stream).unwrap_or(false)
    }

    /// The same, and notes that it is.
    fn told(&self, stream: &StreamId) -> bool {
        self.service.permit_follow(&self.reader, stream).is_ok()
    }
}

/// The stream whose new values an event tells of.
const fn about_values(event: &Event) -> Option<StreamId> {
    match event {
        Event::BatchAccepted { stream, .. }
        | Event::GapOpened { stream, .. }
        | Event::GapFilled { stream, .. }
        | Event::GapSealed { stream, .. } => Some(*stream),
        _ => None,
    }
}

fn sse_event(record: EventRecord) -> Option<sse::Event> {
    let event = sse::Event::default().id(record.cursor.to_string()).event(record.event.name());
    event.json_data(&record).ok()
}
