//! The broker with what is around it: connections to wake, the store, wills and the clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use althing_edge::broker::{Broker, ConnectionId, Dismissal, DueWill, Effects, Publisher};
use althing_edge::{Principal, Rejection};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::routes::Routes;
use super::store::Store;
use crate::door::Observers;
use crate::driver::{Answer, Control, Publish, Reply, wall_ms};

/// Longest wait before the clock is looked at again: the time of day may be set.
const CLOCK_PAUSE: Duration = Duration::from_secs(60);

/// After which time a will is published again that could not be taken.
const WILL_PAUSE: Duration = Duration::from_secs(5);
/// Most marks that are told to be needless at once.
const PASSED_AT_ONCE: usize = 256;

/// Names what was written; durable once the store says so. 0 is always durable.
pub(crate) type Ticket = u64;

/// Rings when there is something to send, or the connection is to end.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    pub(crate) rung: Notify,
    pub(crate) dismissed: OnceLock<Dismissal>,
}

#[derive(Debug)]
struct State {
    broker: Broker,
    bells: BTreeMap<ConnectionId, Arc<Bell>>,
}

/// A session, the last mark of it that is not needed once something is durable, and what that is.
type Passed = (Ticket, u64, u64);

/// What the hub hands out to be done elsewhere.
pub(crate) struct Errands {
    wills: mpsc::UnboundedReceiver<DueWill>,
    passed: mpsc::UnboundedReceiver<Passed>,
}

/// The meeting point of the connections. Its lock is held for one call of the machine at a time,
/// and never across a wait.
#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
    store: Store,
    /// At most one for each session: a will is gone when it was handed out.
    wills: mpsc::UnboundedSender<DueWill>,
    /// At most one for each publish under way.
    passed: mpsc::UnboundedSender<Passed>,
    /// Rings when the machine wants the clock earlier than before.
    clock: Notify,
    next_client: AtomicU64,
    /// Who hears of what clients publish but by MQTT.
    observers: Observers,
}

impl Hub {
    pub(crate) fn new(broker: Broker, store: Store) -> (Arc<Self>, Errands) {
        let (wills, due) = mpsc::unbounded_channel();
        let (passed, needless) = mpsc::unbounded_channel();
        let state = Mutex::new(State { broker, bells: BTreeMap::new() });
        let (clock, next_client) = (Notify::new(), AtomicU64::new(1));
        let hub = Arc::new(Self {
            state,
            store,
            wills,
            passed,
            clock,
            next_client,
            observers: Observers::default(),
        });
        // What was found out while the store was read.
        hub.with(|_, _| ());
        (hub, Errands { wills: due, passed: needless })
    }

    pub(crate) const fn observers(&self) -> &Observers {
        &self.observers
    }

    /// The machine is whole after a panic under the lock as far as the next call can tell: bounds
    /// are checked anew, and a connection whose task panicked is closed.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the machine and carries out what comes of it. Returns its answer, and what must be
    /// durable before the answer may be told.
    pub(crate) fn with<T>(&self, call: impl FnOnce(&mut Broker, i64) -> T) -> (T, Ticket) {
        let mut state = self.lock();
        let before = state.broker.deadline();
        let answer = call(&mut state.broker, wall_ms());
        let Effects { wake, dismissed, wills, writes, passed } = state.broker.effects();
        for (connection, why) in dismissed {
            if let Some(bell) = state.bells.get(&connection) {
                // The first reason stands.
                let _ = bell.dismissed.set(why);
                bell.rung.notify_one();
            }
        }
        for connection in wake {
            if let Some(bell) = state.bells.get(&connection) {
                bell.rung.notify_one();
            }
        }
        for will in wills {
            // Nobody takes them any more when the gateway is gone.
            let _ = self.wills.send(will);
        }
        // Under the lock, so that rows reach the store in the order of the calls.
        let ticket = self.store.write(writes);
        for (session, number) in passed {
            // As with wills.
            let _ = self.passed.send((ticket, session, number));
        }
        let is_earlier =
            state.broker.deadline().is_some_and(|at| before.is_none_or(|old| at < old));
        drop(state);
        if is_earlier {
            self.clock.notify_one();
        }
        (answer, ticket)
    }

    /// Rings this bell for a connection.
    pub(crate) fn hang(&self, connection: ConnectionId, bell: Arc<Bell>) {
        // There may be something for it already.
        bell.rung.notify_one();
        self.lock().bells.insert(connection, bell);
    }

    pub(crate) fn take_down(&self, connection: ConnectionId) {
        self.lock().bells.remove(&connection);
    }

    /// What is durable.
    pub(crate) fn durable(&self) -> watch::Receiver<Ticket> {
        self.store.durable()
    }

    /// Whether so much waits for the store that nothing more may be taken.
    pub(crate) fn is_store_behind(&self) -> bool {
        self.store.is_behind()
    }

    /// An id for a client that brought none, unlike any other of this run or an earlier one.
    pub(crate) fn new_client_id(&self) -> String {
        let number = self.next_client.fetch_add(1, Ordering::Relaxed);
        format!("auto-{:x}-{number}", wall_ms())
    }

    /// Looks at the clock when the machine wants it, for ever.
    pub(crate) async fn keep_time(self: Arc<Self>) {
        loop {
            let deadline = self.lock().broker.deadline();
            let left = deadline.map_or(i64::MAX, |at| at.saturating_sub(wall_ms()));
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
            tokio::select! {
                () = sleep(left.min(CLOCK_PAUSE)) => {}
                () = self.clock.notified() => continue,
            }
            self.with(|broker, now| broker.tick(now));
        }
    }

    /// Runs the errands until the gateway is gone.
    pub(crate) fn run_errands(
        self: Arc<Self>,
        errands: Errands,
        routes: Arc<Routes>,
        publishes: mpsc::Sender<Publish>,
        control: mpsc::Sender<Control>,
    ) -> Vec<AbortHandle> {
        let passed = self.clone().tell_passed(errands.passed, control);
        let wills = self.publish_wills(errands.wills, routes, publishes);
        vec![tokio::spawn(passed).abort_handle(), tokio::spawn(wills).abort_handle()]
    }

    /// Tells the queue which marks it needs no more, as soon as the store has what came of them.
    async fn tell_passed(
        self: Arc<Self>,
        mut needless: mpsc::UnboundedReceiver<Passed>,
        control: mpsc::Sender<Control>,
    ) {
        let (mut durable, mut taken) = (self.durable(), Vec::with_capacity(PASSED_AT_ONCE));
        while needless.recv_many(&mut taken, PASSED_AT_ONCE).await > 0 {
            let (mut last, mut passed) = (0, BTreeMap::<u64, u64>::new());
            for (ticket, session, number) in taken.drain(..) {
                last = last.max(ticket);
                let known = passed.entry(session).or_default();
                *known = number.max(*known);
            }
            if durable.wait_for(|durable| *durable >= last).await.is_err() {
                return;
            }
            if control.send(Control::Passed(passed)).await.is_err() {
                return;
            }
        }
    }

    /// Publishes wills as their clients would.
    async fn publish_wills(
        self: Arc<Self>,
        mut due: mpsc::UnboundedReceiver<DueWill>,
        routes: Arc<Routes>,
        publishes: mpsc::Sender<Publish>,
    ) {
        while let Some(will) = due.recv().await {
            let (to, mut answer) = mpsc::channel(1);
            let publish = Publish {
                received_ms: wall_ms(),
                topic: will.message.topic.clone(),
                payload: will.message.payload.clone(),
                only_signed: false,
                mark: will.mark,
                reply: Reply { to, tag: 0 },
            };
            let publish = routes.take(&will.client, will.principal.clone(), publish).await;
            if let Some(publish) = publish
                && publishes.send(publish).await.is_err()
            {
                return;
            }
            match answer.recv().await {
                Some(Answer { result: Ok(()), .. }) => {
                    let message = will.message.clone();
                    self.with(|broker, now| {
                        broker.publish(now, Publisher::Will(&will), message);
                        broker.will_passed(&will);
                    });
                }
                Some(Answer { result: Err(rejection), .. }) if rejection.is_temporary() => {
                    let hub = self.clone();
                    tokio::spawn(async move {
                        sleep(WILL_PAUSE).await;
                        // Nobody takes it any more when the gateway is gone.
                        let _ = hub.wills.send(will);
                    });
                }
                Some(Answer { result: Err(rejection), .. }) => {
                    tracing::debug!(client = will.client, "a will was refused: {rejection}");
                    self.with(|broker, _| broker.will_passed(&will));
                }
                None => {}
            }
        }
    }

    /// Why somebody may not publish to a topic; none if it may.
    pub(crate) fn objection(&self, who: &Principal, topic: &str) -> Option<Rejection> {
        self.lock().broker.objection(who, topic)
    }

    /// Everything written so far is on disk, and nothing more is written.
    pub(crate) async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        self.store.finish(done);
        // The thread may have ended by itself; then there is nothing to wait for.
        let _ = finished.await;
    }
}
