//! Publishes that are no readings, on their way to whoever asked for them.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use althing_edge::broker::filter::matches;
use althing_edge::{Principal, Rejection};
use tokio::sync::mpsc;

use crate::driver::{Publish, Reply};

/// Most routes of one gateway.
const ROUTES_MAX: usize = 16;
/// Publishes that wait at one route; beyond, their connections wait.
const ROUTED_WAITING_MAX: usize = 256;
/// What a publish is told whose taker left without an answer.
const UNSETTLED: Rejection = Rejection::Unavailable { reason: "what takes such messages stopped" };

/// A publish to a topic that somebody took over. Dropping it refuses it as one that can be taken
/// later.
#[derive(Debug)]
pub struct Routed {
    /// Id of the client that published it.
    pub client: String,
    /// Who the client is.
    pub by: Principal,
    /// When it was received, milliseconds since 1970 (UTC).
    pub received_ms: i64,
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
    reply: Option<Reply>,
}

impl Routed {
    /// Acknowledges the publish, which must be safe by now, or refuses it.
    pub fn settle(mut self, result: Result<(), Rejection>) {
        if let Some(reply) = self.reply.take() {
            reply.send(result);
        }
    }
}

impl Drop for Routed {
    fn drop(&mut self) {
        if let Some(reply) = self.reply.take() {
            reply.send(Err(UNSETTLED));
        }
    }
}

/// Takes a publish at once, or says that it is for others.
pub(crate) type Intercept = Box<dyn Fn(&str, &[u8]) -> bool + Send + Sync>;

/// Who takes what.
pub(crate) struct Routes {
    open: Mutex<Vec<Route>>,
    /// Who is asked before all others, if somebody is.
    first: OnceLock<Intercept>,
    /// Filters of topics whose messages are for other clients only.
    relay: Vec<String>,
}

#[derive(Debug)]
struct Route {
    filter: String,
    to: mpsc::Sender<Routed>,
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes").field("open", &self.open).finish_non_exhaustive()
    }
}

impl Routes {
    pub(crate) fn new(relay: Vec<String>) -> Self {
        Self { open: Mutex::default(), first: OnceLock::new(), relay }
    }

    /// Has every publish offered to somebody before it is routed; to the first who asks for it.
    pub(crate) fn intercept(&self, first: Intercept) {
        let _ = self.first.set(first);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Route>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a route for topics of this filter; none if there are as many as may be.
    pub(crate) fn open(&self, filter: &str) -> Option<mpsc::Receiver<Routed>> {
        let mut routes = self.lock();
        routes.retain(|route| !route.to.is_closed());
        if routes.len() >= ROUTES_MAX {
            return None;
        }
        let (to, receiver) = mpsc::channel(ROUTED_WAITING_MAX);
        routes.push(Route { filter: filter.to_owned(), to });
        Some(receiver)
    }

    fn of(&self, topic: &str) -> Option<mpsc::Sender<Routed>> {
        let routes = self.lock();
        let mut open = routes.iter().filter(|route| !route.to.is_closed());
        open.find(|route| matches(&route.filter, topic)).map(|route| route.to.clone())
    }

    /// Hands a publish to whoever takes its topic, or answers it if it is only relayed; gives it
    /// back if it is to be a reading.
    pub(crate) async fn take(
        &self,
        client: &str,
        by: Principal,
        publish: Publish,
    ) -> Option<Publish> {
        if self.first.get().is_some_and(|first| first(&publish.topic, &publish.payload)) {
            publish.reply.send(Ok(()));
            return None;
        }
        let Some(to) = self.of(&publish.topic) else {
            if !self.relay.iter().any(|filter| matches(filter, &publish.topic)) {
                return Some(publish);
            }
            publish.reply.send(Ok(()));
            return None;
        };
        let Publish { received_ms, topic, payload, reply, .. } = publish;
        let (client, reply) = (client.to_owned(), Some(reply));
        // If the receiver left meanwhile, dropping the message answers it.
        let _ = to.send(Routed { client, by, received_ms, topic, payload, reply }).await;
        None
    }
}
