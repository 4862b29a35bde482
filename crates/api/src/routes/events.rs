//! Events as they happen, resumable from any cursor (Server-Sent Events, WHATWG HTML §9.2).

use std::{convert::Infallible, sync::Arc};

use althing_client::model::{Cursor, EVENT_KEEP_ALIVE, EventRecord, query};
use althing_peer::{
    Executed,
    query::{EventAt, EventPlace},
};
use althing_types::{EntityId, Event, ServiceId, StreamId, ThingId};
use axum::{
    extract::State,
    http::HeaderMap,
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
    convert::{About, place},
    extract::Params,
    problem::{Answer, ApiError, Failure},
    reader::Reader,
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
    /// Given back when the client goes away.
    _permit: Option<OwnedSemaphorePermit>,
}

/// Where the next events come from.
enum Next {
    /// A block that was just executed.
    Block(Arc<Executed>),
    /// The disk: in the beginning, or when the client is slower than the ledger.
    Disk,
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
        let (service, ended, seen) = (Arc::clone(service), false, None);
        Ok(Self { service, reader, filter, live, ended, at, seen, _permit: permit })
    }

    /// The next events that the filter admits, waiting for blocks as long as there is none. Ends
    /// when the disk fails; the client resumes elsewhere.
    pub(crate) async fn step(mut self) -> Option<(Vec<EventRecord>, Self)> {
        while !self.ended {
            let events = match self.next().await {
                Next::Block(executed) => self.of_block(&executed),
                Next::Disk => self.of_disk().await?,
                Next::End => return None,
            };
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
            match self.live.recv().await {
                Ok(executed) if executed.block.height() <= seen => {}
                Ok(executed) if executed.block.height() == seen.saturating_add(1) => {
                    return Next::Block(executed);
                }
                Ok(_) | Err(RecvError::Lagged(_)) => return Next::Disk,
                Err(RecvError::Closed) => return Next::End,
            }
        }
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
        let wanted = self.filter.admits(&at.event, &About::of(&at.event));
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

/// Who tells of something by an event.
fn speaker(event: &Event) -> Option<EntityId> {
    match event {
        Event::Recorded { sender, .. } => Some(*sender),
        Event::ContractEmitted { contract, .. }
        | Event::ContractMigrated { contract, .. }
        | Event::ContractFrozen { contract }
        | Event::ContractThawed { contract }
        | Event::ContractTerminated { contract } => Some(contract.actor()),
        _ => None,
    }
}

/// What is told of: the name of a contract's event, the kind of a record.
const fn topic(event: &Event) -> Option<&String> {
    match event {
        Event::ContractEmitted { name, .. } => Some(name),
        Event::Recorded { kind, .. } => Some(kind),
        _ => None,
    }
}

fn sse_event(record: EventRecord) -> Option<sse::Event> {
    let event = sse::Event::default().id(record.cursor.to_string()).event(record.event.name());
    event.json_data(&record).ok()
}

/// Which events a client wants.
pub(crate) struct Filter {
    kinds: Vec<String>,
    entity: Option<EntityId>,
    thing: Option<ThingId>,
    stream: Option<StreamId>,
    contract: Option<EntityId>,
    service: Option<ServiceId>,
    /// Who speaks for that service now.
    voices: Vec<EntityId>,
    topic: Option<String>,
}

impl Filter {
    pub(crate) fn new(service: &Service, reader: &Reader, asked: &query::Events) -> Answer<Self> {
        let kinds = asked.kind.as_deref().unwrap_or_default().split(',').filter(|k| !k.is_empty());
        Ok(Self {
            kinds: kinds.map(str::to_owned).collect(),
            entity: asked.entity.as_ref().map(|id| service.entity_id(id)).transpose()?,
            thing: asked.thing.as_ref().map(|id| service.thing_id(id)).transpose()?,
            stream: asked.stream.map(|stream| stream.0),
            contract: asked
                .contract
                .as_ref()
                .map(|id| service.contract_id(id).map(|id| id.actor()))
                .transpose()?,
            service: asked.service.map(|service| service.0),
            voices: match &asked.service {
                Some(id) => service.query.service_voices(id, reader.entity)?,
                None => Vec::new(),
            },
            topic: asked.topic.clone(),
        })
    }

    /// A service that is followed may have other voices from a version on.
    fn learn(&mut self, service: &Service, reader: &Reader, events: &[EventAt]) {
        let Some(id) = self.service else { return };
        if events.iter().any(|at| About::of(&at.event).service == Some(id)) {
            // If it cannot be read, those that are known still speak.
            if let Ok(voices) = service.query.service_voices(&id, reader.entity) {
                self.voices = voices;
            }
        }
    }

    fn admits_kind(&self, name: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == name)
    }

    fn admits(&self, event: &Event, about: &About) -> bool {
        let voiced = || speaker(event).is_some_and(|by| self.voices.binary_search(&by).is_ok());
        self.entity.is_none_or(|entity| about.entities.contains(&entity))
            && self.thing.is_none_or(|thing| about.thing == Some(thing))
            && self.stream.is_none_or(|stream| about.stream == Some(stream))
            && self.contract.is_none_or(|contract| about.entities.contains(&contract))
            && self.service.is_none_or(|service| about.service == Some(service) || voiced())
            && self.topic.as_ref().is_none_or(|wanted| topic(event) == Some(wanted))
    }
}
