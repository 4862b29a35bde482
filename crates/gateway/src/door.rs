//! The way into the gateway for protocols other than MQTT, and out of it for messages to devices.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use althing_edge::broker::{Message, Publisher, Qos};
use althing_edge::{Principal, Rejection};
use tokio::sync::{mpsc, oneshot, watch};

use crate::driver::{Answer, Control, Publish, Reply, wall_ms};
use crate::gateway::Delivered;
use crate::mqtt::{Hub, Routes};

/// Most listeners for messages to devices: one for each adapter.
const OBSERVERS_MAX: usize = 8;
/// Messages that wait for one of them; a further one is dropped there.
const MESSAGES_WAITING_MAX: usize = 1024;
/// What a publish is told while the gateway stops.
const STOPPING: Rejection = Rejection::Unavailable { reason: "it is shutting down" };

/// What an adapter needs of the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    publishes: mpsc::Sender<Publish>,
    control: mpsc::Sender<Control>,
    routes: Arc<Routes>,
    hub: Arc<Hub>,
    stopping: watch::Receiver<bool>,
}

/// Who publishes through the door.
#[derive(Debug)]
pub(crate) enum From {
    /// A client by its id, and who it is. What it may publish was asked.
    Client(String, Principal),
    /// Whoever has a pack that the thing's device signed.
    Signature,
}

/// A message to whoever observes its topic.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
}

/// Adapters that pass messages on to devices.
#[derive(Debug, Default)]
pub(crate) struct Observers(Mutex<Adapters>);

#[derive(Debug, Default)]
struct Adapters {
    to: Vec<mpsc::Sender<Told>>,
    /// How many devices observe each topic.
    topics: BTreeMap<String, usize>,
}

impl Observers {
    fn lock(&self) -> MutexGuard<'_, Adapters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where messages come out from now on; none if there are as many adapters as may be.
    pub(crate) fn open(&self) -> Option<mpsc::Receiver<Told>> {
        let mut adapters = self.lock();
        adapters.to.retain(|to| !to.is_closed());
        if adapters.to.len() >= OBSERVERS_MAX {
            return None;
        }
        let (to, receiver) = mpsc::channel(MESSAGES_WAITING_MAX);
        adapters.to.push(to);
        Some(receiver)
    }

    /// How many devices observe each topic from now on.
    pub(crate) fn observed(&self, topics: BTreeMap<String, usize>) {
        self.lock().topics = topics;
    }

    /// Passes a message on; says how many devices observe its topic.
    pub(crate) fn tell(&self, topic: &str, payload: &[u8]) -> usize {
        let adapters = self.lock();
        if adapters.topics.is_empty() {
            return 0;
        }
        for to in &adapters.to {
            // An adapter that is slower loses it, as a device that does not answer would.
            let _ = to.try_send(Told { topic: topic.to_owned(), payload: payload.to_vec() });
        }
        adapters.topics.get(topic).copied().unwrap_or_default()
    }
}

impl Door {
    pub(crate) fn new(
        publishes: mpsc::Sender<Publish>,
        control: mpsc::Sender<Control>,
        routes: Arc<Routes>,
        hub: Arc<Hub>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self { publishes, control, routes, hub, stopping }
    }

    pub(crate) fn observers(&self) -> &Observers {
        self.hub.observers()
    }

    /// True once the gateway stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.clone()
    }

    /// Publishes for a device, or for whoever sent something if there is none: then only a pack that
    /// the thing's device signed is taken, and nothing else reaches anybody. Returns once its readings
    /// are durable, or why they are not taken.
    pub(crate) async fn publish(
        &self,
        from: From,
        topic: String,
        payload: Vec<u8>,
    ) -> Result<(), Rejection> {
        let (to, mut answer) = mpsc::channel(1);
        let reply = Reply { to, tag: 0 };
        let received_ms = wall_ms();
        let only_signed = matches!(from, From::Signature);
        let publish = Publish {
            received_ms,
            topic: topic.clone(),
            payload: payload.clone(),
            only_signed,
            mark: None,
            reply,
        };
        let publish = match &from {
            From::Signature => Some(publish),
            From::Client(client, by) => self.routes.take(client, by.clone(), publish).await,
        };
        if let Some(publish) = publish {
            self.publishes.send(publish).await.map_err(|_| STOPPING)?;
        }
        match answer.recv().await {
            Some(Answer { result, .. }) => result?,
            None => return Err(STOPPING),
        }
        self.observers().tell(&topic, &payload);
        let (qos, properties, expires_ms) = (Qos::AtLeastOnce, Vec::new(), None);
        let message = Message { topic, payload, qos, retain: false, properties, expires_ms };
        // The adapter has asked for the device's rights, which the broker does not know.
        self.hub.with(|broker, now| broker.publish(now, Publisher::Gateway, message));
        Ok(())
    }

    /// Publishes a message to the devices that subscribed to its topic, which is one.
    pub(crate) fn tell(&self, message: Message) -> Delivered {
        let observers = self.observers().tell(&message.topic, &message.payload);
        let (reached, _) =
            self.hub.with(|broker, now| broker.publish(now, Publisher::Gateway, message));
        Delivered { now: reached.now + observers, queued: reached.queued }
    }

    /// What was taken last under a topic, as SenML in JSON.
    pub(crate) async fn latest(&self, topic: &str) -> Option<String> {
        let (reply, answer) = oneshot::channel();
        self.control.send(Control::Latest(topic.to_owned(), reply)).await.ok()?;
        answer.await.ok().flatten()
    }
}
