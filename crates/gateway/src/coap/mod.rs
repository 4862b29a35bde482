//! CoAP, with DTLS and without: datagrams to the endpoint that decides, and back.
//!
//! The path of a request is the topic of the publish, so that profiles work as with MQTT. A POST is
//! answered with 2.04 only after its readings are durable; GET gives what was taken last; Observe
//! (RFC 7641) brings what is published to the topic, commands to the device among them. One path takes
//! direct requests, as by HTTP.

mod dtls;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use althing_edge::broker::filter::matches;
use althing_edge::coap::{
    Content, Endpoint, EndpointConfig, EndpointOutput, FORMAT_JSON, FORMAT_LINKS,
    FORMAT_SENML_JSON, FORMAT_TEXT, Peer, Ticket,
};
use althing_edge::direct::{self, NotServed};
use althing_edge::{Principal, Rejection, is_cose_sign1};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::StartError;
use crate::direct::Direct;
use crate::door::{Door, From, Told};
use crate::gateway::Handle;
use dtls::{Secure, Sessions};

/// Datagrams and answers between tasks and endpoint; beyond, whoever brings more waits.
const WAITING_MAX: usize = 1024;
/// How long the loop sleeps if nothing is due.
const IDLE: Duration = Duration::from_secs(10);
/// Longest datagram read, bytes; longer ones are cut, and then are no messages.
const DATAGRAM_BYTES_MAX: usize = 2048;

/// Who may do what without a key for DTLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anonymous {
    /// Nothing.
    Nobody,
    /// Publish packs that the thing's device signed: the signature says who it is.
    Signed,
    /// Publish and read everything: listen only where only devices are.
    Anybody,
}

/// A device with a key of its own for DTLS, or a token for HTTP.
#[derive(Clone)]
pub struct Device {
    /// Its name, which is its PSK identity.
    pub name: String,
    /// Its pre-shared key, or token.
    pub secret: Vec<u8>,
    /// What it may publish and read: topic filters.
    pub topics: Vec<String>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a CoAP listener needs.
#[derive(Debug, Clone)]
pub struct CoapConfig {
    /// Where to listen without DTLS, if at all; port 0 lets the system choose.
    pub listen: Option<SocketAddr>,
    /// Where to listen with DTLS, if at all.
    pub listen_secure: Option<SocketAddr>,
    /// Who may come with DTLS.
    pub devices: Vec<Device>,
    /// Who may come without.
    pub anonymous: Anonymous,
    /// Drawn at the start, by the caller.
    pub secret: [u8; 32],
    /// Longest body, bytes.
    pub body_bytes_max: usize,
    /// Most DTLS sessions, those in their handshake included.
    pub sessions_max: usize,
    /// Most handshakes of one address at a time.
    pub handshakes_of_address_max: usize,
    /// How long a handshake may take.
    pub handshake_timeout: Duration,
    /// How long a session may be silent.
    pub session_timeout: Duration,
}

/// A running CoAP listener; dropping it ends it.
#[derive(Debug)]
pub struct Coap {
    address: Option<SocketAddr>,
    secure_address: Option<SocketAddr>,
    tasks: Vec<JoinHandle<()>>,
}

impl Coap {
    /// Listens, for a gateway that runs.
    ///
    /// # Errors
    /// [`StartError::Listen`].
    pub async fn start(config: CoapConfig, gateway: &Handle) -> Result<Self, StartError> {
        let config = Arc::new(config);
        let plain = bind(config.listen).await?;
        let secure = bind(config.listen_secure).await?;
        let address = plain.as_ref().and_then(|socket| socket.local_addr().ok());
        let secure_address = secure.as_ref().and_then(|socket| socket.local_addr().ok());
        let (incoming, from_sessions) = mpsc::channel(WAITING_MAX);
        let mut tasks = Vec::new();
        let sessions = Sessions::default();
        if let Some(socket) = secure {
            let (config, sessions) = (config.clone(), sessions.clone());
            tasks.push(tokio::spawn(dtls::listen(socket, config, sessions, incoming)));
        }
        let served = Served {
            endpoint: Endpoint::new(EndpointConfig {
                secret: config.secret,
                body_bytes_max: config.body_bytes_max,
            }),
            door: gateway.door().clone(),
            direct: gateway.direct().cloned(),
            plain,
            sessions,
            names: HashMap::new(),
            done: mpsc::channel(WAITING_MAX),
            observers: 0,
            started: Instant::now(),
            config,
        };
        tasks.push(tokio::spawn(served.run(from_sessions)));
        tracing::info!(?address, ?secure_address, "gateway listens for CoAP");
        Ok(Self { address, secure_address, tasks })
    }

    /// Where it listens without DTLS.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Where it listens with DTLS.
    #[must_use]
    pub const fn secure_address(&self) -> Option<SocketAddr> {
        self.secure_address
    }
}

impl Drop for Coap {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn bind(address: Option<SocketAddr>) -> Result<Option<UdpSocket>, StartError> {
    let Some(address) = address else { return Ok(None) };
    let socket = UdpSocket::bind(address).await;
    socket.map(Some).map_err(|source| StartError::Listen { address, source })
}

/// The loop around the endpoint.
struct Served {
    config: Arc<CoapConfig>,
    endpoint: Endpoint,
    door: Door,
    direct: Option<Arc<Direct>>,
    plain: Option<UdpSocket>,
    sessions: Sessions,
    /// The device of each session.
    names: HashMap<SocketAddr, String>,
    done: (mpsc::Sender<Done>, mpsc::Receiver<Done>),
    /// Observations that the gateway knows of.
    observers: usize,
    started: Instant,
}

/// An answer from inside.
enum Done {
    Published(Ticket, Option<Result<(), Rejection>>),
    Read(Ticket, Option<Content>),
    Served(Ticket, Result<Content, NotServed>),
}

impl Served {
    async fn run(mut self, mut from_sessions: mpsc::Receiver<Secure>) {
        let mut stopping = self.door.stopping();
        let (_kept, nobody) = mpsc::channel(1);
        let mut told = self.door.observers().open().unwrap_or(nobody);
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        let mut has_sessions = true;
        loop {
            let wake = self.wake();
            let outputs = tokio::select! {
                biased;
                () = raised(&mut stopping) => return,
                Some(done) = self.done.1.recv() => self.on_done(done),
                received = receive(self.plain.as_ref(), &mut buffer) => match received {
                    Ok((len, address)) => {
                        let peer = Peer { address, is_secure: false };
                        self.endpoint.datagram(self.now_ms(), peer, &buffer[..len])
                    }
                    // Somebody refused a datagram of ours: no concern of the others.
                    Err(_) => Vec::new(),
                },
                secure = from_sessions.recv(), if has_sessions => {
                    has_sessions = secure.is_some();
                    secure.map(|secure| self.on_secure(secure)).unwrap_or_default()
                }
                Some(told) = told.recv() => self.on_told(&told),
                () = sleep_until(wake) => self.endpoint.tick(self.now_ms()),
            };
            // Before anybody hears of it: who has the answer counts.
            if self.endpoint.observers() != self.observers {
                self.observers = self.endpoint.observers();
                self.door.observers().observed(self.endpoint.observed());
            }
            for output in outputs {
                self.carry_out(output).await;
            }
        }
    }

    fn on_done(&mut self, done: Done) -> Vec<EndpointOutput> {
        let now_ms = self.now_ms();
        match done {
            Done::Published(ticket, result) => self.endpoint.published(now_ms, ticket, result),
            Done::Read(ticket, content) => self.endpoint.read(now_ms, ticket, content),
            Done::Served(ticket, result) => self.endpoint.served(now_ms, ticket, result),
        }
    }

    fn on_secure(&mut self, secure: Secure) -> Vec<EndpointOutput> {
        match secure {
            Secure::Opened(address, name) => {
                // What a session before this one observed, this one does not.
                self.endpoint.gone(Peer { address, is_secure: true });
                self.names.insert(address, name);
                Vec::new()
            }
            Secure::Datagram(address, bytes) => {
                let peer = Peer { address, is_secure: true };
                self.endpoint.datagram(self.now_ms(), peer, &bytes)
            }
            Secure::Closed(address) => {
                self.names.remove(&address);
                self.endpoint.gone(Peer { address, is_secure: true });
                Vec::new()
            }
        }
    }

    fn on_told(&mut self, told: &Told) -> Vec<EndpointOutput> {
        let content = Content { format: FORMAT_TEXT, body: told.payload.clone() };
        self.endpoint.notify(self.now_ms(), &told.topic, &content)
    }

    async fn carry_out(&mut self, output: EndpointOutput) {
        match output {
            EndpointOutput::Send { peer, bytes } if peer.is_secure => {
                self.sessions.send(peer.address, bytes);
            }
            EndpointOutput::Send { peer, bytes } => {
                if let Some(socket) = &self.plain {
                    // What cannot be sent is lost, as any datagram may be.
                    let _ = socket.send_to(&bytes, peer.address).await;
                }
            }
            EndpointOutput::Publish { ticket, peer, topic, payload } => {
                self.publish(ticket, peer, topic, payload);
            }
            EndpointOutput::Direct { ticket, body } => self.serve(ticket, body),
            EndpointOutput::Read { ticket, peer, topic } => self.read(ticket, peer, topic),
        }
    }

    fn publish(&self, ticket: Ticket, peer: Peer, topic: String, payload: Vec<u8>) {
        let device = self.device(peer);
        let anonymous = match self.config.anonymous {
            Anonymous::Signed if !is_cose_sign1(&payload) => Anonymous::Nobody,
            anonymous => anonymous,
        };
        let from = from(device, anonymous, &topic, || format!("coap:{}", peer.address));
        let (door, done) = (self.door.clone(), self.done.0.clone());
        // The endpoint bounds how many requests are under way.
        tokio::spawn(async move {
            let result = match from {
                Some(from) => Some(door.publish(from, topic, payload).await),
                None => None,
            };
            let _ = done.send(Done::Published(ticket, result)).await;
        });
    }

    fn serve(&self, ticket: Ticket, body: Vec<u8>) {
        let (direct, done) = (self.direct.clone(), self.done.0.clone());
        tokio::spawn(async move {
            let result = match direct {
                Some(direct) => direct.serve_json(&body).await,
                None => Err(NotServed::Off),
            };
            let _ = done.send(Done::Served(ticket, result.map(of_json))).await;
        });
    }

    fn read(&self, ticket: Ticket, peer: Peer, topic: String) {
        let (device, done) = (self.device(peer), self.done.0.clone());
        let known = match topic.as_str() {
            direct::PATH => self.direct.as_ref().map(|direct| of_json(direct.identity_json())),
            ".well-known/core" => {
                device.map(|device| Content { format: FORMAT_LINKS, body: links(device) })
            }
            _ => None,
        };
        let may = match device {
            Some(device) => is_of(&device.topics, &topic),
            None => self.config.anonymous == Anonymous::Anybody,
        };
        let door = self.door.clone();
        tokio::spawn(async move {
            let content = match (known, may) {
                (Some(content), _) => Some(content),
                (None, false) => None,
                (None, true) => Some(match door.latest(&topic).await {
                    Some(senml) => Content { format: FORMAT_SENML_JSON, body: senml.into_bytes() },
                    // Nothing yet, such as no command: it can be observed.
                    None => Content { format: FORMAT_TEXT, body: Vec::new() },
                }),
            };
            let _ = done.send(Done::Read(ticket, content)).await;
        });
    }

    fn device(&self, peer: Peer) -> Option<&Device> {
        let name = self.names.get(&peer.address).filter(|_| peer.is_secure)?;
        self.config.devices.iter().find(|device| device.name == *name)
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn wake(&self) -> Instant {
        let due = self.endpoint.deadline().and_then(|due| u64::try_from(due).ok());
        let due = due.and_then(|ms| self.started.checked_add(Duration::from_millis(ms)));
        due.unwrap_or_else(|| Instant::now() + IDLE)
    }
}

/// As whom a device, or whoever comes without a name, publishes to a topic; not at all if none.
pub(crate) fn from(
    device: Option<&Device>,
    anonymous: Anonymous,
    topic: &str,
    client: impl FnOnce() -> String,
) -> Option<From> {
    match (device, anonymous) {
        (Some(device), _) => {
            let from = || From::Client(device.name.clone(), Principal::User(device.name.clone()));
            is_of(&device.topics, topic).then(from)
        }
        (None, Anonymous::Nobody) => None,
        (None, Anonymous::Signed) => Some(From::Signature),
        (None, Anonymous::Anybody) => Some(From::Client(client(), Principal::Anonymous)),
    }
}

/// Whether one of the filters matches.
pub(crate) fn is_of(topics: &[String], topic: &str) -> bool {
    topics.iter().any(|filter| matches(filter, topic))
}

/// Links to what a device may use (RFC 6690); filters with wildcards name no resource.
fn links(device: &Device) -> Vec<u8> {
    let named = device.topics.iter().filter(|filter| !filter.contains(['+', '#']));
    let links: Vec<String> = named.map(|topic| format!("</{topic}>;obs")).collect();
    links.join(",").into_bytes()
}

fn of_json(text: String) -> Content {
    Content { format: FORMAT_JSON, body: text.into_bytes() }
}

async fn receive(
    socket: Option<&UdpSocket>,
    buffer: &mut [u8],
) -> std::io::Result<(usize, SocketAddr)> {
    match socket {
        Some(socket) => socket.recv_from(buffer).await,
        None => std::future::pending().await,
    }
}

/// Waits until a flag is raised, or whoever could raise it is gone.
pub(crate) async fn raised(flag: &mut tokio::sync::watch::Receiver<bool>) {
    let _ = flag.wait_for(|is_raised| *is_raised).await;
}
