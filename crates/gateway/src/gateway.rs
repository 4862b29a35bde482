use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use althing_edge::{LimitError, ThingSpec};
use althing_types::ThingId;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::door::Door;
use crate::driver::{Control, Driver, DriverStatus};
use crate::mqtt::{
    Broker, Counters, Listener, Message, Qos, Routed, Routes, is_topic_filter, is_topic_name,
};
use crate::queue::QueueError;
use crate::uplink::{Signer, Uplink};

/// Publishes between connections and machine; beyond, connections wait.
const PUBLISHES_WAITING_MAX: usize = 1024;
/// Requests of the handle that wait.
const CONTROLS_WAITING_MAX: usize = 16;

/// A gateway, to be started.
#[derive(Debug)]
pub struct Gateway;

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens there, or the address is not this machine's.
    #[error("failed to listen on {address}; is another program using it?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// The queue cannot be used.
    #[error("failed to open the queue")]
    Queue(#[from] QueueError),
    /// A limit makes no sense.
    #[error("the configuration cannot be used")]
    Limits(#[from] LimitError),
}

/// How a gateway is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Connections open.
    pub connections: usize,
    /// Clients among them that were let in.
    pub clients: usize,
    /// Connections accepted since the start.
    pub connections_accepted: u64,
    /// Connections closed at once because there were as many as may be, since the start.
    pub connections_turned_away: u64,
    /// Messages that subscribers did not get because they were too slow, since the start.
    pub deliveries_dropped: u64,
    /// Why the queue takes no writes, if it does not.
    pub disk_failure: Option<String>,
    /// Places of the queue that were damaged when it was opened: what was acknowledged there is
    /// lost, and becomes a gap on the ledger. The log says where.
    pub disk_damage: usize,
    /// Readings, queue and ledger. Counted from the start, or from the last time the disk failed.
    pub edge: althing_edge::Status,
}

/// The gateway has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gateway has stopped")]
pub struct Stopped;

/// What became of a message that the gateway itself published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Clients that are connected and get it.
    pub now: usize,
    /// Clients that get it when they come back.
    pub queued: usize,
}

/// Why the gateway does not publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The topic has a wildcard or is empty.
    #[error("this is no topic name; publish to one topic, without `+` and `#`")]
    TopicName,
}

/// Why publishes are not routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// `+` stands for one whole level, `#` for all that follow.
    #[error("this is no topic filter")]
    TopicFilter,
    /// There are as many routes as may be.
    #[error("the gateway has as many routes as it can")]
    Full,
}

/// A running gateway. Dropping it ends the gateway at once, as a crash would: what was acknowledged
/// stays queued. [`Handle::shutdown`] ends it in order.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    control: mpsc::Sender<Control>,
    stopping: watch::Sender<bool>,
    broker: Arc<Broker>,
    routes: Arc<Routes>,
    door: Door,
    counters: Arc<Counters>,
    listener: JoinHandle<()>,
    driver: JoinHandle<althing_edge::Status>,
}

impl Gateway {
    /// Opens the queue, takes up what is in it, and listens.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start<U: Uplink, S: Signer>(
        config: Config,
        uplink: U,
        signer: S,
    ) -> Result<Handle, StartError> {
        config.check()?;
        let mqtt = Arc::new(config.mqtt.clone());
        let address = mqtt.listen;
        let listen = |source| StartError::Listen { address, source };
        let socket = TcpListener::bind(address).await.map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        let driver = Driver::open(config, uplink, signer)?;

        let (publishes, publishes_receiver) = mpsc::channel(PUBLISHES_WAITING_MAX);
        let (control, control_receiver) = mpsc::channel(CONTROLS_WAITING_MAX);
        let (stopping, stopping_receiver) = watch::channel(false);
        let (broker, counters) = (Arc::new(Broker::new(&mqtt)), Arc::new(Counters::default()));
        let routes = Arc::new(Routes::default());
        let door = Door::new(
            publishes.clone(),
            control.clone(),
            routes.clone(),
            broker.clone(),
            stopping_receiver.clone(),
        );
        let listener = Listener {
            socket,
            config: mqtt,
            broker: broker.clone(),
            routes: routes.clone(),
            publishes,
            counters: counters.clone(),
            stopping: stopping_receiver,
        };
        tracing::info!(%address, "gateway listens for MQTT");
        Ok(Handle {
            address,
            control,
            stopping,
            broker,
            routes,
            door,
            counters,
            listener: tokio::spawn(listener.run()),
            driver: tokio::spawn(driver.run(publishes_receiver, control_receiver)),
        })
    }
}

impl Handle {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves a thing from now on, or with other streams than before.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn serve(&self, thing: ThingSpec) -> Result<(), Stopped> {
        self.control.send(Control::Serve(thing)).await.map_err(|_| Stopped)
    }

    /// Serves these things from now on and no others. Until this was said once since the start, a
    /// publish for a thing that the gateway did not serve before is refused as one that can be
    /// taken later.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn serve_only(&self, things: Vec<ThingSpec>) -> Result<(), Stopped> {
        self.control.send(Control::ServeOnly(things)).await.map_err(|_| Stopped)
    }

    /// Serves a thing no more.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn serve_no_more(&self, thing: ThingId) -> Result<(), Stopped> {
        self.control.send(Control::ServeNoMore(thing)).await.map_err(|_| Stopped)
    }

    /// Publishes a message to the devices that subscribed to its topic, such as a command.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn publish(
        &self,
        topic: &str,
        payload: Vec<u8>,
        qos: Qos,
        retain: bool,
    ) -> Result<Delivered, PublishError> {
        if !is_topic_name(topic) {
            return Err(PublishError::TopicName);
        }
        let (topic, properties, expires) = (topic.to_owned(), Vec::new(), None);
        let message = Message { topic, payload, qos, retain, properties, expires };
        let observers = self.door.observers().tell(&message.topic, &message.payload);
        // No client has an empty id here: nobody is its own publisher.
        Ok(Delivered { now: self.broker.publish(message, "") + observers, queued: 0 })
    }

    /// The way in for what speaks something else than MQTT.
    pub(crate) const fn door(&self) -> &Door {
        &self.door
    }

    /// Takes over what devices publish to topics of this filter: it is no reading, but comes out of
    /// the receiver, and is acknowledged when it was [settled](Routed::settle). If a topic is of
    /// several routes, the first takes it. A route ends with its receiver.
    ///
    /// # Errors
    /// [`RouteError`].
    pub fn route(&self, filter: &str) -> Result<mpsc::Receiver<Routed>, RouteError> {
        if !is_topic_filter(filter) {
            return Err(RouteError::TopicFilter);
        }
        self.routes.open(filter).ok_or(RouteError::Full)
    }

    /// How it is doing.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn status(&self) -> Result<Status, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.control.send(Control::Status(reply)).await.map_err(|_| Stopped)?;
        let DriverStatus { edge, disk_failure, disk_damage } = answer.await.map_err(|_| Stopped)?;
        Ok(Status {
            connections: self.counters.open.load(Ordering::Relaxed),
            clients: self.broker.connected(),
            connections_accepted: self.counters.accepted.load(Ordering::Relaxed),
            connections_turned_away: self.counters.turned_away.load(Ordering::Relaxed),
            deliveries_dropped: self.broker.dropped(),
            disk_failure,
            disk_damage,
            edge,
        })
    }

    /// Takes no more, acknowledges what was taken, and gets it to the ledger within the time for
    /// that. What is left stays queued for the next start. Returns how things stood at the end.
    ///
    /// # Errors
    /// [`Stopped`] if it had stopped already.
    pub async fn shutdown(mut self) -> Result<althing_edge::Status, Stopped> {
        self.stopping.send_replace(true);
        if (&mut self.listener).await.is_err() {
            tracing::error!("the listener panicked");
        }
        self.control.send(Control::Stop).await.map_err(|_| Stopped)?;
        (&mut self.driver).await.map_err(|_| Stopped)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.listener.abort();
        self.driver.abort();
    }
}
