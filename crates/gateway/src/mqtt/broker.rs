//! Who is connected, who subscribed to what, what is retained; and delivery between them.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mqtt_protocol_core::mqtt::packet::{Property, Qos, RetainHandling};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::filter::matches;
use crate::config::MqttConfig;

/// A published message.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    /// What a subscriber of MQTT 5 gets along with it.
    pub(crate) properties: Vec<Property>,
    /// After which it is delivered no more.
    pub(crate) expires: Option<Instant>,
}

impl Message {
    fn bytes(&self) -> usize {
        self.topic.len() + self.payload.len()
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.expires.is_some_and(|expires| expires <= Instant::now())
    }
}

/// A message on its way to one subscriber.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) message: Arc<Message>,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) subscription_ids: Vec<u32>,
}

/// Why the broker lets go of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dismissal {
    /// Another connection came with the same client id.
    TakenOver,
    /// A message of QoS 1 or 2 had no room: the connection must not go on without it.
    TooSlow,
}

/// What a connection is told from outside. A dismissal does not wait behind deliveries: a client
/// that does not take those must still be told to go.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) deliveries: mpsc::Receiver<Delivery>,
    pub(crate) dismissed: oneshot::Receiver<Dismissal>,
}

/// What a client asked for.
#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) filter: String,
    pub(crate) qos: Qos,
    pub(crate) no_local: bool,
    pub(crate) retain_as_published: bool,
    pub(crate) retain_handling: RetainHandling,
    pub(crate) id: Option<u32>,
}

#[derive(Debug, Default)]
struct State {
    clients: HashMap<String, Client>,
    retained: BTreeMap<String, Arc<Message>>,
    retained_bytes: usize,
}

#[derive(Debug)]
struct Client {
    connection: u64,
    deliveries: mpsc::Sender<Delivery>,
    dismiss: oneshot::Sender<Dismissal>,
    subscriptions: Vec<Subscription>,
}

/// The meeting point of the connections. Its lock is held for one look-up or change at a time, and
/// never across a wait or a call into the protocol library.
#[derive(Debug)]
pub(crate) struct Broker {
    state: Mutex<State>,
    next_connection: AtomicU64,
    dropped: AtomicU64,
    subscriptions_max: usize,
    deliveries_max: usize,
    retained_max: usize,
    retained_bytes_max: usize,
}

/// A client that is connected; dropping it disconnects the client from the broker.
#[derive(Debug)]
pub(crate) struct Membership {
    broker: Arc<Broker>,
    client_id: String,
    connection: u64,
}

/// Too many subscriptions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Broker {
    pub(crate) fn new(config: &MqttConfig) -> Self {
        Self {
            state: Mutex::default(),
            next_connection: AtomicU64::new(1),
            dropped: AtomicU64::new(0),
            subscriptions_max: config.subscriptions_max,
            deliveries_max: config.deliveries_max,
            retained_max: config.retained_max,
            retained_bytes_max: config.retained_bytes_max,
        }
    }

    /// Registers a client; an older connection of the same client id is told to end.
    pub(crate) fn join(self: &Arc<Self>, client_id: String) -> (Membership, Inbox) {
        let connection = self.next_connection.fetch_add(1, Ordering::Relaxed);
        let (deliveries, receiver) = mpsc::channel(self.deliveries_max);
        let (dismiss, dismissed) = oneshot::channel();
        let client = Client { connection, deliveries, dismiss, subscriptions: Vec::new() };
        if let Some(old) = self.lock().clients.insert(client_id.clone(), client) {
            old.dismissed_because(Dismissal::TakenOver);
        }
        let inbox = Inbox { deliveries: receiver, dismissed };
        (Membership { broker: self.clone(), client_id, connection }, inbox)
    }

    /// Clients connected.
    pub(crate) fn connected(&self) -> usize {
        self.lock().clients.len()
    }

    /// Messages dropped because a subscriber was too slow.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// An id for a client that brought none.
    pub(crate) fn new_client_id(&self) -> String {
        format!("auto-{}", self.next_connection.fetch_add(1, Ordering::Relaxed))
    }

    /// A panic while the lock was held leaves a whole state: every change under it is one insert
    /// or removal.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers a message to whoever subscribed, and retains it if it says so. Returns how many
    /// clients get it.
    pub(crate) fn publish(&self, message: Message, from: &str) -> usize {
        let message = Arc::new(message);
        let mut state = self.lock();
        if message.retain {
            self.retain(&mut state, &message);
        }
        let (mut slow, mut reached) = (Vec::new(), 0);
        for (client_id, client) in &state.clients {
            let Some(delivery) = client.delivery(&message, client_id == from) else { continue };
            let is_lossy = delivery.qos == Qos::AtMostOnce;
            if client.deliveries.try_send(delivery).is_err() {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                if !is_lossy {
                    slow.push(client_id.clone());
                }
            } else {
                reached += 1;
            }
        }
        for client_id in slow {
            if let Some(client) = state.clients.remove(&client_id) {
                client.dismissed_because(Dismissal::TooSlow);
            }
        }
        reached
    }

    fn retain(&self, state: &mut State, message: &Arc<Message>) {
        if let Some(old) = state.retained.remove(&message.topic) {
            state.retained_bytes -= old.bytes();
        }
        let bytes = state.retained_bytes + message.bytes();
        let has_room = state.retained.len() < self.retained_max && bytes <= self.retained_bytes_max;
        if !message.payload.is_empty() && has_room {
            state.retained_bytes = bytes;
            state.retained.insert(message.topic.clone(), message.clone());
        }
    }
}

impl Client {
    fn dismissed_because(self, why: Dismissal) {
        // It may have gone by itself.
        let _ = self.dismiss.send(why);
    }

    /// The one delivery to this client: overlapping subscriptions give the highest QoS and all
    /// their ids (MQTT 5 §3.3.4).
    fn delivery(&self, message: &Arc<Message>, is_own: bool) -> Option<Delivery> {
        let matching = self.subscriptions.iter().filter(|subscription| {
            !(subscription.no_local && is_own) && matches(&subscription.filter, &message.topic)
        });
        matching.fold(None, |delivery: Option<Delivery>, subscription| {
            let qos = lower(message.qos, subscription.qos);
            let retain = message.retain && subscription.retain_as_published;
            let mut delivery = delivery.unwrap_or_else(|| Delivery {
                message: message.clone(),
                qos,
                retain,
                subscription_ids: Vec::new(),
            });
            delivery.qos = higher(delivery.qos, qos);
            delivery.retain |= retain;
            delivery.subscription_ids.extend(subscription.id);
            Some(delivery)
        })
    }
}

impl Membership {
    /// The client's id.
    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The client, as long as no other connection has taken over its id.
    fn own<'a>(&self, clients: &'a mut HashMap<String, Client>) -> Option<&'a mut Client> {
        clients.get_mut(&self.client_id).filter(|client| client.connection == self.connection)
    }

    /// Subscribes; returns the retained messages that are due.
    pub(crate) fn subscribe(&self, new: Subscription) -> Result<Vec<Delivery>, Full> {
        let mut state = self.broker.lock();
        let State { clients, retained, .. } = &mut *state;
        let Some(client) = self.own(clients) else { return Ok(Vec::new()) };
        let known = client.subscriptions.iter().position(|old| old.filter == new.filter);
        match known {
            Some(index) => client.subscriptions[index] = new.clone(),
            None if client.subscriptions.len() >= self.broker.subscriptions_max => {
                return Err(Full);
            }
            None => client.subscriptions.push(new.clone()),
        }
        let is_due = match new.retain_handling {
            RetainHandling::SendRetained => true,
            RetainHandling::SendRetainedIfNotExists => known.is_none(),
            RetainHandling::DoNotSendRetained => false,
        };
        if !is_due {
            return Ok(Vec::new());
        }
        let due = retained.values().filter(|message| matches(&new.filter, &message.topic));
        Ok(due
            .map(|message| Delivery {
                message: message.clone(),
                qos: lower(message.qos, new.qos),
                retain: true,
                subscription_ids: new.id.into_iter().collect(),
            })
            .collect())
    }

    /// Unsubscribes; whether there was such a subscription.
    pub(crate) fn unsubscribe(&self, filter: &str) -> bool {
        let mut state = self.broker.lock();
        let Some(client) = self.own(&mut state.clients) else { return false };
        let before = client.subscriptions.len();
        client.subscriptions.retain(|subscription| subscription.filter != filter);
        client.subscriptions.len() < before
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut state = self.broker.lock();
        if self.own(&mut state.clients).is_some() {
            state.clients.remove(&self.client_id);
        }
    }
}

fn lower(a: Qos, b: Qos) -> Qos {
    if (a as u8) < (b as u8) { a } else { b }
}

fn higher(a: Qos, b: Qos) -> Qos {
    if (a as u8) < (b as u8) { b } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broker() -> Arc<Broker> {
        Arc::new(Broker {
            state: Mutex::default(),
            next_connection: AtomicU64::new(1),
            dropped: AtomicU64::new(0),
            subscriptions_max: 5,
            deliveries_max: 1,
            retained_max: 5,
            retained_bytes_max: 100,
        })
    }

    fn subscription(filter: &str) -> Subscription {
        Subscription {
            filter: filter.into(),
            qos: Qos::AtLeastOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::SendRetained,
            id: None,
        }
    }

    fn message(topic: &str) -> Message {
        Message {
            topic: topic.into(),
            payload: b"1".to_vec(),
            qos: Qos::AtLeastOnce,
            retain: false,
            properties: Vec::new(),
            expires: None,
        }
    }

    #[test]
    fn a_connection_whose_client_came_back_is_told_and_changes_nothing_any_more() {
        let broker = broker();
        let (old, mut told) = broker.join("sensor".into());
        let (new, mut inbox) = broker.join("sensor".into());
        assert_eq!(told.dismissed.try_recv(), Ok(Dismissal::TakenOver));
        new.subscribe(subscription("a")).unwrap();
        old.subscribe(subscription("b")).unwrap();
        assert!(!old.unsubscribe("a"));
        drop(old);
        broker.publish(message("b"), "other");
        assert!(inbox.deliveries.try_recv().is_err());
        broker.publish(message("a"), "other");
        assert!(inbox.deliveries.try_recv().is_ok());
    }

    #[test]
    fn who_has_no_room_for_a_message_that_must_not_get_lost_is_told_to_go() {
        let broker = broker();
        let (member, mut inbox) = broker.join("slow".into());
        member.subscribe(subscription("a")).unwrap();
        broker.publish(message("a"), "other");
        assert!(inbox.dismissed.try_recv().is_err());
        broker.publish(message("a"), "other");
        assert_eq!(inbox.dismissed.try_recv(), Ok(Dismissal::TooSlow));
        assert_eq!((broker.connected(), broker.dropped()), (0, 1));
    }
}
