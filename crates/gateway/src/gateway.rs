use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use althing_edge::broker::filter::{is_topic_filter, is_topic_name};
use althing_edge::broker::{Broker, Dismissal, Message, Qos, RowError};
use althing_edge::{LimitError, Principal, Profile, RightsTable, ThingSpec};
use althing_types::{EntityId, ThingId};
use futures::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use crate::config::{Config, MqttConfig, QueueConfig};
use crate::direct::{Direct, DirectConfig};
use crate::door::Door;
use crate::driver::{Control, Driver, DriverStatus, OnThings, wall_ms};
use crate::mqtt::{
    Addresses, Admission, Carrier, Counters, Errands, Hub, Listener, Routed, Routes, Shared, Store,
    StoreError, Surroundings, TlsError, tls,
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
    /// What clients left cannot be read.
    #[error("failed to take up the sessions of MQTT clients")]
    Sessions(#[from] StoreError),
    /// What clients left is damaged.
    #[error(
        "the sessions of MQTT clients in `{path}` cannot be used; move the folder away to begin without them"
    )]
    DamagedSessions {
        /// Where.
        path: std::path::PathBuf,
        /// What is wrong.
        #[source]
        source: RowError,
    },
    /// What was served directly and is not recorded yet cannot be read.
    #[error("failed to take up what was served directly, in `{path}`")]
    Direct {
        /// Where.
        path: std::path::PathBuf,
        /// What failed.
        #[source]
        source: io::Error,
    },
    /// TLS cannot be offered.
    #[error("failed to prepare TLS")]
    Tls(#[from] TlsError),
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
    /// Sessions of clients, connected or not.
    pub sessions: usize,
    /// Messages for subscribers that were dropped for want of room, since the start.
    pub deliveries_dropped: u64,
    /// Messages that a subscriber or publisher might not have or send any more when it came to it,
    /// since the start.
    pub deliveries_withheld: u64,
    /// Messages that are retained.
    pub retained: usize,
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
    addresses: Vec<SocketAddr>,
    control: mpsc::Sender<Control>,
    stopping: watch::Sender<bool>,
    hub: Arc<Hub>,
    routes: Arc<Routes>,
    door: Door,
    direct: Option<Arc<Direct>>,
    served: Named,
    counters: Arc<Counters>,
    listeners: JoinSet<()>,
    around: Vec<AbortHandle>,
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
        let sockets = listen(&mqtt).await?;
        let (edge, queue) = (config.edge.clone(), config.queue.clone());
        let direct = config.direct.clone();
        let mut driver = Driver::open(config, uplink, signer)?;
        let (hub, errands) = open_hub(&queue, &mqtt)?;
        driver.sort_out_marks(|session| hub.with(|broker, _| broker.passed_of(session)).0);

        let (publishes, publishes_receiver) = mpsc::channel(PUBLISHES_WAITING_MAX);
        let (control, control_receiver) = mpsc::channel(CONTROLS_WAITING_MAX);
        let (stopping, stopping_receiver) = watch::channel(false);
        let routes = Arc::new(Routes::new(mqtt.relay.clone()));
        let door = Door::new(
            publishes.clone(),
            control.clone(),
            routes.clone(),
            hub.clone(),
            stopping_receiver.clone(),
        );
        let direct = open_direct(direct, edge.gateway, &queue, &door, &routes)?;
        let served = Arc::new(Mutex::default());
        let told = (direct.clone(), Arc::clone(&served));
        driver.tell_things(on_things(&mqtt, edge.profiles, hub.clone(), told));
        let counters = Arc::new(Counters::default());
        let uplink = driver.uplink();
        let ask_key = Arc::new(move |entity| -> BoxFuture<'static, _> {
            let uplink = uplink.clone();
            Box::pin(async move { uplink.key(entity).await })
        });
        let admission = Admission::new(mqtt.access.clone(), edge.ledger, edge.gateway, ask_key);
        let around = Surroundings {
            config: mqtt.clone(),
            hub: hub.clone(),
            admission: Arc::new(admission),
            routes: routes.clone(),
            publishes: publishes.clone(),
            stopping: stopping_receiver,
        };
        let shared = Shared {
            around,
            counters: counters.clone(),
            free: Arc::new(Semaphore::new(mqtt.connections_max)),
            addresses: Arc::new(Addresses::new(
                mqtt.connections_per_address_max,
                mqtt.connects_per_address_s_max,
            )),
        };
        let (mut listeners, mut addresses) = (JoinSet::new(), Vec::new());
        for (socket, address, carrier) in sockets {
            addresses.push(address);
            listeners.spawn(Listener { socket, carrier, shared: shared.clone() }.run());
        }
        let clock = tokio::spawn(hub.clone().keep_time());
        let mut around =
            hub.clone().run_errands(errands, routes.clone(), publishes, control.clone());
        around.push(clock.abort_handle());
        Ok(Handle {
            addresses,
            control,
            stopping,
            hub,
            routes,
            door,
            direct,
            served,
            counters,
            listeners,
            around,
            driver: tokio::spawn(driver.run(publishes_receiver, control_receiver)),
        })
    }
}

/// Takes up what clients left in an earlier run.
fn open_hub(queue: &QueueConfig, mqtt: &MqttConfig) -> Result<(Arc<Hub>, Errands), StartError> {
    let path = queue.directory.join("sessions");
    let (store, rows) = Store::open(&path, queue.retry, queue.key.clone())?;
    let rights = Box::new(RightsTable::default());
    let broker = Broker::recover(mqtt.broker_limits(), rights, rows, wall_ms())
        .map_err(|source| StartError::DamagedSessions { path, source })?;
    Ok(Hub::new(broker, store))
}

/// The things that are served, by name.
type Named = Arc<Mutex<BTreeMap<String, ThingId>>>;

/// Takes up what is served directly, and hears the answers of devices.
fn open_direct(
    config: Option<DirectConfig>,
    gateway: EntityId,
    queue: &QueueConfig,
    door: &Door,
    routes: &Routes,
) -> Result<Option<Arc<Direct>>, StartError> {
    let Some(config) = config else { return Ok(None) };
    let path = queue.directory.join("direct");
    let opened = Direct::open(config, gateway, (path.clone(), queue.key.clone()), door.clone());
    let direct = Arc::new(opened.map_err(|source| StartError::Direct { path, source })?);
    // Not to keep each other alive, and the disk locked: it has a door, and the door has the routes.
    let hears = Arc::downgrade(&direct);
    let hear = move |topic: &str, payload: &[u8]| {
        hears.upgrade().is_some_and(|direct| direct.hears(topic, payload))
    };
    routes.intercept(Box::new(hear));
    Ok(Some(direct))
}

/// Computes the rights anew whenever other things are served, and tells who serves them directly.
fn on_things(
    mqtt: &MqttConfig,
    profiles: Vec<Profile>,
    hub: Arc<Hub>,
    (direct, served): (Option<Arc<Direct>>, Named),
) -> OnThings {
    let grants = mqtt.access.grants.clone();
    Box::new(move |things| {
        if let Some(direct) = &direct {
            direct.serve(things.clone());
        }
        let named = things.iter().map(|thing| (thing.name.clone(), thing.id)).collect();
        *served.lock().unwrap_or_else(PoisonError::into_inner) = named;
        let table = RightsTable::new(&grants, &profiles, &things);
        hub.with(|broker, now| broker.set_rights(now, Box::new(table)));
    })
}

/// Every socket that is listened on; the plain one first.
async fn listen(mqtt: &MqttConfig) -> Result<Vec<(TcpListener, SocketAddr, Carrier)>, StartError> {
    let plain = |is_websocket| Carrier { tls: None, is_websocket };
    let mut wanted = vec![(Some(mqtt.listen), plain(false)), (mqtt.websocket_listen, plain(true))];
    if let Some(config) = &mqtt.tls {
        let acceptor = tls::acceptor(config)?;
        let secret = |is_websocket| Carrier { tls: Some(acceptor.clone()), is_websocket };
        wanted.push((config.listen, secret(false)));
        wanted.push((config.websocket_listen, secret(true)));
    }
    let mut sockets = Vec::new();
    for (address, carrier) in wanted {
        let Some(address) = address else { continue };
        let failed = |source| StartError::Listen { address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        tracing::info!(
            %address, tls = carrier.tls.is_some(), websocket = carrier.is_websocket,
            "gateway listens for MQTT"
        );
        sockets.push((socket, address, carrier));
    }
    Ok(sockets)
}

impl Handle {
    /// Where it listens without encryption.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Where it listens: plain, WebSocket, TLS, WebSocket in TLS; those that there are.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
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

    /// Entities that are connected by a token of their key.
    #[must_use]
    pub fn entities(&self) -> BTreeSet<EntityId> {
        let entity = |who: &Principal| match who {
            Principal::Entity(entity) => Some(*entity),
            Principal::Anonymous | Principal::User(_) => None,
        };
        self.hub.with(|broker, _| broker.present().filter_map(entity).collect()).0
    }

    /// Ends the connections of an entity that came by a token of its key: the key counts no more. An
    /// entity with another key comes back with a token of that.
    pub fn dismiss(&self, entity: EntityId) {
        self.hub.with(|broker, now| {
            broker.dismiss(now, &Principal::Entity(entity), Dismissal::Revoked)
        });
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
        let (topic, properties, expires_ms) = (topic.to_owned(), Vec::new(), None);
        let message = Message { topic, payload, qos, retain, properties, expires_ms };
        Ok(self.door.tell(message))
    }

    /// Who is connected by MQTT.
    #[must_use]
    pub fn present(&self) -> BTreeSet<Principal> {
        self.hub.with(|broker, _| broker.present().cloned().collect()).0
    }

    /// The things that are served, by name.
    #[must_use]
    pub fn things(&self) -> BTreeMap<String, ThingId> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Serves direct requests, if the configuration says so.
    #[must_use]
    pub const fn direct(&self) -> Option<&Arc<Direct>> {
        self.direct.as_ref()
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
        let asked = |broker: &mut Broker, _| (broker.clients(), broker.held(), broker.counters());
        let (((clients, sessions), (retained, _), counters), _) = self.hub.with(asked);
        Ok(Status {
            connections: self.counters.open.load(Ordering::Relaxed),
            clients,
            sessions,
            retained,
            connections_accepted: self.counters.accepted.load(Ordering::Relaxed),
            connections_turned_away: self.counters.turned_away.load(Ordering::Relaxed),
            deliveries_dropped: counters.dropped,
            deliveries_withheld: counters.withheld,
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
        while let Some(ended) = self.listeners.join_next().await {
            if ended.is_err() {
                tracing::error!("a listener panicked");
            }
        }
        self.control.send(Control::Stop).await.map_err(|_| Stopped)?;
        let status = (&mut self.driver).await.map_err(|_| Stopped);
        self.around.iter().for_each(AbortHandle::abort);
        self.hub.finish().await;
        status
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.listeners.abort_all();
        self.around.iter().for_each(AbortHandle::abort);
        self.driver.abort();
    }
}
