//! DTLS with pre-shared keys: an accept loop of our own.
//!
//! The library's listener does its handshakes one after the other and without a time limit, so that
//! one bad client keeps all others out. Here each source has a task of its own, handshakes have a
//! time limit and a bound for each address, and who a client is reaches whoever decides.

use std::any::Any;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use althing_types::blake3_digest;
use async_trait::async_trait;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::timeout;
use webrtc_dtls::cipher_suite::CipherSuiteId;
use webrtc_dtls::config::{Config, ExtendedMasterSecretType};
use webrtc_dtls::conn::DTLSConn;
use webrtc_util::Error;
use webrtc_util::conn::Conn;

use super::{CoapConfig, DATAGRAM_BYTES_MAX};

/// Datagrams that wait for one session, in either direction; further ones are lost.
const SESSION_WAITING_MAX: usize = 32;
/// Most sessions of one address.
const SESSIONS_OF_ADDRESS_MAX: usize = 64;

/// What a session brings.
#[derive(Debug)]
pub(super) enum Secure {
    /// The device of this name has come.
    Opened(SocketAddr, String),
    /// It sent a datagram.
    Datagram(SocketAddr, Vec<u8>),
    /// It has gone.
    Closed(SocketAddr),
}

/// Sessions by address.
#[derive(Debug, Clone, Default)]
pub(super) struct Sessions(Arc<Mutex<Places>>);

#[derive(Debug, Default)]
struct Places {
    of: HashMap<SocketAddr, Place>,
    begun: u64,
}

/// The sessions of one address. A device that lost its session with its power begins another from
/// the same port; the one before ends only once the new one has proven who it is (RFC 6347 §4.2.8).
#[derive(Debug, Default)]
struct Place {
    open: Option<Session>,
    beginning: Option<Session>,
}

#[derive(Debug)]
struct Session {
    number: u64,
    /// What came from the network.
    encrypted: mpsc::Sender<Vec<u8>>,
    /// What is to be sent.
    outgoing: mpsc::Sender<Vec<u8>>,
}

impl Place {
    fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.open.iter().chain(&self.beginning)
    }

    /// Hands a datagram to whom it may be for: what is not encrypted (epoch 0) to a handshake if there
    /// is one; of the rest none can read what is another's.
    fn hand(&self, bytes: &[u8]) {
        let is_plain = matches!(bytes, [_, _, _, 0, 0, ..]) && self.beginning.is_some();
        for session in self.open.iter().filter(|_| !is_plain).chain(&self.beginning) {
            let _ = session.encrypted.try_send(bytes.to_vec());
        }
    }
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends through a session; lost if there is none, or it is behind.
    pub(super) fn send(&self, address: SocketAddr, bytes: Vec<u8>) {
        let places = self.lock();
        if let Some(session) = places.of.get(&address).and_then(|place| place.open.as_ref()) {
            let _ = session.outgoing.try_send(bytes);
        }
    }

    /// Hands a datagram on; true if it begins a session for which there is room.
    fn hand(&self, address: SocketAddr, bytes: &[u8], config: &CoapConfig) -> bool {
        let places = self.lock();
        let place = places.of.get(&address);
        let is_beginning = place.is_some_and(|place| place.beginning.is_some());
        if !is_beginning && is_hello(bytes) {
            return places.have_room(address.ip(), config);
        }
        if let Some(place) = place {
            place.hand(bytes);
        }
        false
    }

    /// A session in its handshake, and its number.
    fn begin(
        &self,
        address: SocketAddr,
        encrypted: mpsc::Sender<Vec<u8>>,
        outgoing: mpsc::Sender<Vec<u8>>,
    ) -> u64 {
        let mut places = self.lock();
        places.begun += 1;
        let number = places.begun;
        places.of.entry(address).or_default().beginning =
            Some(Session { number, encrypted, outgoing });
        number
    }

    /// A handshake has succeeded: what was open before ends.
    fn open(&self, address: SocketAddr) {
        if let Some(place) = self.lock().of.get_mut(&address) {
            place.open = place.beginning.take();
        }
    }

    /// A session has ended; true if it was the one that was open.
    fn end(&self, address: SocketAddr, number: u64) -> bool {
        let mut places = self.lock();
        let Some(place) = places.of.get_mut(&address) else { return false };
        let is_it = |session: &mut Session| session.number == number;
        place.beginning.take_if(is_it);
        let was_open = place.open.take_if(is_it).is_some();
        if place.sessions().next().is_none() {
            places.of.remove(&address);
        }
        was_open
    }
}

impl Places {
    /// Whether another session of this address may begin.
    fn have_room(&self, ip: IpAddr, config: &CoapConfig) -> bool {
        let all: usize = self.of.values().map(|place| place.sessions().count()).sum();
        let own = self.of.iter().filter(|(address, _)| address.ip() == ip);
        let (own, handshakes) = own.fold((0, 0), |(own, handshakes), (_, place)| {
            let beginning = usize::from(place.beginning.is_some());
            (own + place.sessions().count(), handshakes + beginning)
        });
        all < config.sessions_max
            && own < SESSIONS_OF_ADDRESS_MAX
            && handshakes < config.handshakes_of_address_max
    }
}

/// Whether a datagram begins a handshake: an unencrypted record of one (epoch 0) that holds a
/// ClientHello (RFC 6347 §4.1, §4.2.2). Everything else is of a session that there is, or was.
fn is_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [HANDSHAKE, _, _, 0, 0, _, _, _, _, _, _, _, _, CLIENT_HELLO, ..])
}

/// Hands datagrams to their sessions and begins new ones within the bounds.
pub(super) async fn listen(
    socket: UdpSocket,
    config: Arc<CoapConfig>,
    sessions: Sessions,
    incoming: mpsc::Sender<Secure>,
) {
    let (socket, tls) = (Arc::new(socket), dtls_config(&config));
    let mut buffer = [0; DATAGRAM_BYTES_MAX];
    loop {
        // An error is about a datagram we sent, which somebody refused.
        let Ok((len, address)) = socket.recv_from(&mut buffer).await else { continue };
        let bytes = &buffer[..len];
        if !sessions.hand(address, bytes, &config) {
            continue;
        }
        let (encrypted, received) = mpsc::channel(SESSION_WAITING_MAX);
        let (outgoing, to_send) = mpsc::channel(SESSION_WAITING_MAX);
        let _ = encrypted.try_send(bytes.to_vec());
        let number = sessions.begin(address, encrypted, outgoing);
        let datagrams = Datagrams {
            received: tokio::sync::Mutex::new(received),
            socket: socket.clone(),
            address,
        };
        let begun = Begun {
            config: config.clone(),
            tls: tls.clone(),
            sessions: sessions.clone(),
            incoming: incoming.clone(),
            address,
            number,
        };
        tokio::spawn(begun.run(datagrams, to_send));
    }
}

/// Content type of a handshake record (RFC 6347 §4.1).
const HANDSHAKE: u8 = 22;
/// Type of the message that begins one (RFC 6347 §4.3.2).
const CLIENT_HELLO: u8 = 1;

fn dtls_config(config: &CoapConfig) -> Config {
    let (devices, secret) = (config.devices.clone(), config.secret);
    let key_of = move |identity: &[u8]| {
        let device = devices.iter().find(|device| device.name.as_bytes() == identity);
        // Who is not known gets a key too, that nobody has: a failed handshake tells nothing.
        let unknown = || blake3_digest(&[&secret[..], identity].concat()).to_vec();
        Ok(device.map_or_else(unknown, |device| device.secret.clone()))
    };
    Config {
        psk: Some(Arc::new(key_of)),
        psk_identity_hint: Some(b"althing".to_vec()),
        cipher_suites: vec![
            CipherSuiteId::Tls_Psk_With_Aes_128_Ccm_8,
            CipherSuiteId::Tls_Psk_With_Aes_128_Gcm_Sha256,
        ],
        extended_master_secret: ExtendedMasterSecretType::Request,
        ..Config::default()
    }
}

/// A session from its first datagram on.
struct Begun {
    config: Arc<CoapConfig>,
    tls: Config,
    sessions: Sessions,
    incoming: mpsc::Sender<Secure>,
    address: SocketAddr,
    number: u64,
}

impl Begun {
    async fn run(self, datagrams: Datagrams, to_send: mpsc::Receiver<Vec<u8>>) {
        let handshake = DTLSConn::new(Arc::new(datagrams), self.tls.clone(), false, None);
        match timeout(self.config.handshake_timeout, handshake).await {
            Ok(Ok(connection)) => self.serve(connection, to_send).await,
            Ok(Err(error)) => tracing::debug!(address = %self.address, %error, "handshake failed"),
            Err(_) => tracing::debug!(address = %self.address, "handshake took too long"),
        }
        // The device has gone, unless it has begun another session meanwhile.
        if self.sessions.end(self.address, self.number) {
            let _ = self.incoming.send(Secure::Closed(self.address)).await;
        }
    }

    async fn serve(&self, connection: DTLSConn, mut to_send: mpsc::Receiver<Vec<u8>>) {
        let identity = connection.connection_state().await.identity_hint;
        let name = String::from_utf8_lossy(&identity).into_owned();
        self.sessions.open(self.address);
        if self.incoming.send(Secure::Opened(self.address, name)).await.is_err() {
            return;
        }
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        loop {
            let silence = self.config.session_timeout;
            tokio::select! {
                read = timeout(silence, connection.read(&mut buffer, None)) => {
                    let Ok(Ok(len)) = read else { break };
                    let datagram = Secure::Datagram(self.address, buffer[..len].to_vec());
                    if self.incoming.send(datagram).await.is_err() {
                        break;
                    }
                }
                Some(bytes) = to_send.recv() => {
                    if connection.write(&bytes, None).await.is_err() {
                        break;
                    }
                }
            }
        }
        // The client is told, if it is still there.
        let _ = connection.close().await;
    }
}

/// The datagrams of one source, as a connection.
struct Datagrams {
    received: tokio::sync::Mutex<mpsc::Receiver<Vec<u8>>>,
    socket: Arc<UdpSocket>,
    address: SocketAddr,
}

#[async_trait]
impl Conn for Datagrams {
    async fn connect(&self, _: SocketAddr) -> Result<(), Error> {
        Ok(())
    }

    async fn recv(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        let bytes = self.received.lock().await.recv().await;
        let bytes = bytes.ok_or_else(|| Error::Other("the session has ended".to_owned()))?;
        let len = bytes.len().min(buffer.len());
        buffer[..len].copy_from_slice(&bytes[..len]);
        Ok(len)
    }

    async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), Error> {
        Ok((self.recv(buffer).await?, self.address))
    }

    async fn send(&self, bytes: &[u8]) -> Result<usize, Error> {
        Ok(self.socket.send_to(bytes, self.address).await?)
    }

    async fn send_to(&self, bytes: &[u8], _: SocketAddr) -> Result<usize, Error> {
        self.send(bytes).await
    }

    fn local_addr(&self) -> Result<SocketAddr, Error> {
        Ok(self.socket.local_addr()?)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        Some(self.address)
    }

    async fn close(&self) -> Result<(), Error> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}
